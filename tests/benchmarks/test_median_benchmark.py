"""The benchmarks of the distance models, tiny."""

import pytest

from tests.benchmarks import median_benchmark
from tests.benchmarks.fresh import run_fresh
from tests.benchmarks.median_peers import Peer, beside
from tests.benchmarks.siting_instances import all_pairs


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the modelling library under a peer
def test_a_small_town_is_proven_and_every_peer_agrees():
    ours, *theirs = median_benchmark.streets(60, 20, 4, nodes=400)
    assert "proven" in ours
    assert theirs
    for peer in theirs:
        assert abs(float(peer.split("value")[1].split("%")[0])) < 0.02
        assert ">=" not in peer


def test_a_peer_that_fails_says_so_and_a_time_limit_is_marked():
    far, weights = all_pairs(60, 20, nodes=400)

    def fail(*given):
        raise RuntimeError("no licence. Ask for one")

    told = beside(Peer("broken", "numpy", fail), far, weights, 4, 1.0, 10.0, 1e-9)
    assert told.split()[:3] == ["broken", "no", "licence"]
    assert ">=" in told
    late = beside(Peer("late", "numpy", lambda *given: (11.0, False)), far, weights, 4, 1.0, 10.0, 1e-9)
    assert ">=" in late
    assert late.endswith("value +10.0000%")


def test_a_process_that_ends_badly_or_hangs_ends_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "ends_badly.py").write_text("import sys\nsys.exit(7)\n", encoding="utf-8")
    (tmp_path / "hangs.py").write_text("import time\ntime.sleep(60)\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run_fresh("ends_badly", [], patience_s=30) == 7
    assert run_fresh("hangs", [], patience_s=0.5) != 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_model_is_built_faster_than_by_a_peer():
    lines = median_benchmark.building(120, 40, nodes=400)
    if "not installed" in lines[1]:
        pytest.skip("the peer is not installed")
    assert float(lines[1].split("(")[1].split(" x")[0]) > 1


def test_large_searches_come_close_to_their_bound():
    found = median_benchmark.large(300, 80, 6, limit_s=2.0, nodes=900)
    assert float(found.split("gap")[1].split("%")[0]) < 2
