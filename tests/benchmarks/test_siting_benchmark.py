"""The siting benchmarks, tiny."""

import pytest

from tests.benchmarks import siting_benchmark


def test_covers_on_a_small_town_come_close_to_the_relaxation():
    lines = siting_benchmark.street_covers(300, 60, nodes=900, most=4, seconds=(1.0,))
    assert len(lines) == 2
    for line in lines:
        assert float(line.split("from LP")[1].split("%")[0]) < 25


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_models_are_built_faster_than_by_a_peer():
    lines = siting_benchmark.building(300, 60, nodes=900)
    assert lines[0].startswith("build LSCP 300x60")
    if "not installed" in lines[1]:
        pytest.skip("the peer is not installed")
    assert float(lines[1].split("(")[1].split(" x")[0]) > 1
