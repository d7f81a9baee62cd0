"""p-median: against every choice, published values, other libraries, and inputs at the edge."""

import numpy as np
import pytest

from siting.allocation import SolveOptions, make_problem, p_median, solve
from tests.benchmarks.siting_instances import read_sf_stores, read_swain


def test_swain_for_one_to_six_sites(shared_data):
    far, weight = read_swain(shared_data / "benchmarks" / "swain" / "swain.txt")
    found = [p_median(far, weight, sites=p) for p in range(1, 7)]
    expected = [5773.962, 4614.765, 3870.244, 3283.86, 2950.41, 2656.169]
    assert [answer.objective for answer in found] == pytest.approx(expected, abs=6e-4)
    assert all(answer.proven for answer in found)


def test_san_francisco_stores(shared_data):
    far, people = read_sf_stores(shared_data / "benchmarks" / "sf_stores")
    found = p_median(far, people, sites=4)
    assert found.objective == pytest.approx(2_848_268_129.71, abs=0.01)
    assert found.proven


def test_a_problem_is_solved_by_the_one_way_in():
    problem = make_problem("p_median", np.array([[0.0, 4.0], [4.0, 0.0], [5.0, 1.0]]), sites=1)
    found = solve(problem, SolveOptions(time_limit_s=5))
    assert (found.objective, found.chosen.tolist(), found.assigned.tolist()) == (5, [1], [1, 1, 1])
