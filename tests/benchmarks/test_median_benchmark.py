"""The benchmarks of the distance models, tiny."""

import pytest

from tests.benchmarks import median_benchmark


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the modelling library under a peer
def test_a_small_town_is_proven_and_every_peer_agrees():
    lines = median_benchmark.streets(60, 20, [4], nodes=400)
    assert lines[0].endswith("proven")
    assert len(lines) >= 2
    for peer in lines[1:]:
        assert abs(float(peer.rsplit(" ", 1)[1].rstrip("%"))) < 1e-3


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_model_is_built_faster_than_by_a_peer():
    lines = median_benchmark.building(120, 40, nodes=400)
    if "not installed" in lines[1]:
        pytest.skip("the peer is not installed")
    assert float(lines[1].split("(")[1].split(" x")[0]) > 1


def test_large_searches_come_close_to_their_bound():
    (found,) = median_benchmark.large(300, 80, [6], limit=2.0, nodes=900)
    assert float(found.split("gap")[1].split("%")[0]) < 2
