import importlib.util

import pytest

from tests.benchmarks.reach import run


@pytest.fixture(scope="module")
def rows():
    """Every row of the benchmark, on a town of 400 nodes."""
    return list(run(400, origins=20, few=5, rounds=1))


def test_every_row_runs_and_agrees_with_its_peer(rows):
    works = {row.work.split()[0] for row in rows}
    assert works >= {"within", "nearest", "cost_matrix", "circles"}
    exact = [row for row in rows if "scipy" in row.peer]
    assert len(exact) >= 6
    for row in exact:
        assert float(row.disagreement.split(" m")[0]) < 1e-6
        assert "pairs" not in row.disagreement or ", 0 pairs" in row.disagreement
    assert all(row.ours_s > 0 and row.peer_s > 0 for row in rows)


def test_networkx_finds_the_same_sets(rows):
    assert [row.disagreement for row in rows if "networkx" in row.peer] == ["0 sets differ"]


@pytest.mark.skipif(importlib.util.find_spec("pandana") is None, reason="pandana is not installed")
def test_pandana_is_within_its_own_rounding(rows):
    for row in rows:
        if row.peer in ("pandana nodes_in_range", "pandana nearest_pois"):
            assert float(row.disagreement.split(" m")[0]) < 0.1
