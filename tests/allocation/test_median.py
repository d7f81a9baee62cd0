"""p-median: against every choice, published values, other libraries, and inputs at the edge."""

import numpy as np
import pytest
from hypothesis import assume, event, given, settings

from siting.allocation import SolveOptions, make_problem, p_median, solve
from siting.errors import InfeasibleError, ProblemError
from tests.allocation import brute, brute_distances
from tests.benchmarks.siting_instances import read_sf_stores, read_swain

QUICK = SolveOptions(time_limit_s=20)


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


def problem_of(inputs):
    try:
        return make_problem(**inputs)
    except ProblemError as error:
        assume("exclude each other" not in str(error))
        raise


def agrees_with_brute_force(problem):
    best = brute_distances.best_value(problem)
    if best is None:
        event("cannot be done")
        with pytest.raises(InfeasibleError) as caught:
            solve(problem, QUICK)
        assert caught.value.blocks
        caught.value.partial.check()
        return
    found = solve(problem, QUICK)
    assert found.objective == pytest.approx(best, abs=1e-6)
    assert found.gap <= 1e-6
    assert not found.stopped
    found.check()
    assert brute.allowed(problem, found.chosen.tolist())


@given(brute_distances.distance_inputs("p_median"))
@settings(max_examples=150, deadline=None)
def test_it_is_the_best_of_all_choices_with_any_option(inputs):
    agrees_with_brute_force(problem_of(inputs))
