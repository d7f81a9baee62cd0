"""Covers whose best values others have published."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from siting.allocation import max_cover, set_cover
from tests.benchmarks.siting_instances import read_scp, read_sf_stores, read_swain


@pytest.mark.parametrize("name", ["scp41", "scp410", "scp56"])
def test_a_published_set_cover_is_proven(shared_data, name):
    folder = shared_data / "benchmarks" / "scp"
    optima = dict(line.split(",") for line in (folder / "optima.csv").read_text(encoding="utf-8").split()[1:])
    covers, cost = read_scp(folder / f"{name}.txt")
    found = set_cover(covers, cost=cost, time_limit_s=30)
    assert found.objective == float(optima[name])
    assert found.proven


def test_swain_max_cover_for_one_to_eight_sites(shared_data):
    far, weight = read_swain(shared_data / "benchmarks" / "swain" / "swain.txt")
    found = [max_cover(far <= 10, weight, sites=p) for p in range(1, 9)]
    assert [answer.objective for answer in found] == [425, 502, 548, 581, 609, 625, 633, 638]
    assert all(answer.proven for answer in found)
    assert weight.sum() == 640


def test_san_francisco_stores(shared_data):
    far, people = read_sf_stores(shared_data / "benchmarks" / "sf_stores")
    assert set_cover(far <= 5000).objective == 8
    assert max_cover(far <= 5000, people, sites=4).objective == 875_247


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the modelling library under spopt
def test_spopt_finds_the_same_covers():
    spopt = pytest.importorskip("spopt.locate")
    pulp = pytest.importorskip("pulp")
    solver = pulp.PULP_CBC_CMD(msg=False)
    rng = np.random.default_rng(0)
    far = np.hypot(*(rng.uniform(0, 100, (60, 1, 2)) - rng.uniform(0, 100, (1, 20, 2))).transpose(2, 0, 1))
    weight = rng.integers(1, 90, 60).astype(float)
    far[:, 0] = np.where((far <= 35).any(axis=1), far[:, 0], 1.0)
    theirs = spopt.LSCP.from_cost_matrix(far, 35).solve(solver)
    assert set_cover(far <= 35).objective == theirs.problem.objective.value()
    theirs = spopt.MCLP.from_cost_matrix(far, weight, 35, p_facilities=4).solve(solver)
    assert max_cover(far <= 35, weight, sites=4).objective == theirs.problem.objective.value()
    fixed = np.zeros(20, dtype=int)
    fixed[[2, 5]] = 1
    theirs = spopt.MCLP.from_cost_matrix(far, weight, 35, p_facilities=4, predefined_facilities_arr=fixed).solve(solver)
    assert max_cover(far <= 35, weight, sites=4, fixed=[2, 5]).objective == theirs.problem.objective.value()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the modelling library under spopt
def test_spopt_finds_the_same_capacitated_cover():
    spopt = pytest.importorskip("spopt.locate")
    pulp = pytest.importorskip("pulp")
    rng = np.random.default_rng(1)
    far = rng.uniform(0, 100, (25, 10))
    demand, capacity = rng.integers(1, 20, 25).astype(float), rng.integers(40, 90, 10).astype(float)
    theirs = spopt.LSCP.from_cost_matrix(far, 60, demand_quantity_arr=demand, facility_capacity_arr=capacity).solve(
        pulp.PULP_CBC_CMD(msg=False)
    )
    ours = set_cover(csr_array(far <= 60), demand=demand, capacity=capacity, split=True)
    assert ours.objective == theirs.problem.objective.value()
