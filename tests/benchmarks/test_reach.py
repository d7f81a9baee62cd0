import importlib.util
import tracemalloc

import numpy as np
import pytest

from siting.reach import within
from tests.benchmarks.reach import run
from tests.benchmarks.streets import street_network


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


def test_circles_are_as_near_to_their_definition_as_they_say(rows):
    errors = [float(row.disagreement.split(" %")[0]) for row in rows if "brute force" in row.peer]
    coarse, fine = errors
    wider = 1250 / 400  # the error lies along the border: of a smaller circle it is a larger share
    assert coarse <= 1 * wider
    assert fine <= 0.4 * wider


def test_within_needs_little_more_memory_than_its_result():
    net = street_network(5000)
    nodes = np.arange(0, net.n_nodes, 10)
    result = within(net, nodes, cutoff_m=1250, threads=2)
    size = result.data.nbytes + result.indices.nbytes + result.indptr.nbytes
    tracemalloc.start()
    within(net, nodes, cutoff_m=1250, threads=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 3 * size + 32 * net.n_nodes * 2


@pytest.mark.skipif(importlib.util.find_spec("pandana") is None, reason="pandana is not installed")
def test_pandana_is_within_its_own_rounding(rows):
    for row in rows:
        if row.peer in ("pandana nodes_in_range", "pandana nearest_pois"):
            assert float(row.disagreement.split(" m")[0]) < 0.1
