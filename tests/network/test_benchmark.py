import pytest

pytest.importorskip("resource")  # there is none on Windows


def test_every_row_runs_and_agrees_with_its_peer():
    from tests.benchmarks.network_benchmark import run

    rows = run(n_nodes=400, n_places=200, rounds=1)
    assert len(rows) == 3
    # the bare network draws straight lines between nodes, and so does OSMnx
    assert all(row.differ_m < 0.01 for row in rows)
    assert all(row.ours_s > 0 for row in rows)
