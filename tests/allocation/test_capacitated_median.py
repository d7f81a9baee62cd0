"""Capacitated p-median: against every choice, published values, and what cannot be done."""

import math

import numpy as np
import pytest
from hypothesis import assume, example, given, settings

from siting.allocation import _kernels_capacity, capacitated_median, make_problem, p_median
from siting.allocation.capacitated_cover import assignment
from siting.allocation.capacity_prices import CapacityPrices
from siting.allocation.capacity_search import CapacitySearch
from siting.allocation.solution import Solution
from siting.errors import InfeasibleError, SolverError
from tests.allocation import brute_distances
from tests.allocation.test_median import agrees_with_brute_force, problem_of
from tests.benchmarks.siting_instances import read_cpmp

A_BOUND_A_ROUNDING_ABOVE_A_VALUE_OF_NOTHING = {
    "model": "p_median",
    "pairs": np.array([[math.inf] * 3 + [0.0], [0.0, 0.0, math.inf, math.inf], [math.inf, 0.0, math.inf, math.inf]]),
    "cost": [0, 0, 0, 0],
    "existing": [3],
    "fixed": [],
    "forbidden": [],
    "exclusive": [""] * 4,
    "conflicts": [],
    "weights": [0, 0, 0],
    "capacity": [1, 6, 0, 0],
    "demand": [0, 1, 6],
    "split": False,
}


@example(A_BOUND_A_ROUNDING_ABOVE_A_VALUE_OF_NOTHING)
@given(brute_distances.distance_inputs("p_median", capacities=True))
@settings(max_examples=80, deadline=None)
def test_it_is_the_best_of_all_choices_with_any_option(inputs):
    agrees_with_brute_force(problem_of(inputs))


@given(brute_distances.distance_inputs("p_median", capacities=True))
@settings(max_examples=40, deadline=None)
def test_the_local_search_keeps_every_limit_and_never_beats_the_best(inputs):
    problem = problem_of(inputs)
    best = brute_distances.best_value(problem)
    assume(best is not None)
    cost = np.repeat(problem.weights, np.diff(problem.pairs.indptr)) * problem.pairs.data
    local = CapacitySearch(problem, cost, seed=3)
    local.start(None)
    before = local.value
    local.go_on(0.1, -1.0)
    assert best <= local.value + 1e-9
    assert local.value <= before
    if (found := local.found) is not None:
        assigned, flow = assignment(problem, found.shares)
        Solution(problem, found.chosen, assigned, local.value, 0.0, True, 0.0, 3, "local search", flow).check()


@pytest.mark.parametrize("number", [1, 3, 6, 7, 8, 9, 10])
def test_the_local_search_alone_reaches_the_best_known_of_published_instances(shared_data, number):
    far, demand, sites, capacity, best = read_cpmp(shared_data / "benchmarks" / "cpmp" / f"pmedcap1_{number}.txt")
    problem = make_problem("p_median", far, demand=demand, capacity=capacity, sites=sites)
    local = CapacitySearch(problem, problem.pairs.data, seed=0)
    local.start(None)
    local.go_on(6.0, best)
    assert local.value == best


@pytest.mark.parametrize("number", [2, 5])
def test_a_published_instance_is_proven(shared_data, number):
    far, demand, sites, capacity, best = read_cpmp(shared_data / "benchmarks" / "cpmp" / f"pmedcap1_{number}.txt")
    found = p_median(far, demand=demand, capacity=capacity, sites=sites, time_limit_s=60)
    assert found.objective == best
    assert found.proven


def test_a_site_that_is_full_sends_the_next_demand_farther():
    far = np.array([[1.0, 5.0], [1.0, 5.0], [1.0, 5.0]])
    found = p_median(far, [1, 1, 1], sites=2, capacity=[2, 2])
    assert (found.objective, np.bincount(found.assigned).tolist()) == (7, [2, 1])
    loose = p_median(far, [1, 1, 1], sites=2, capacity=[3, 2])
    assert loose.objective == 3


def test_a_split_demand_uses_up_the_nearer_site_first():
    found = p_median(np.array([[1.0, 3.0]]), [10], sites=2, capacity=[4, 9], split=True)
    assert found.objective == pytest.approx(10 * (0.4 * 1 + 0.6 * 3))
    assert found.flow is not None
    assert found.flow.toarray()[0] == pytest.approx([0.4, 0.6])
    assert found.assigned.tolist() == [1]


def test_capacities_that_do_not_suffice_say_what_is_missing():
    far = np.ones((3, 2))
    with pytest.raises(InfeasibleError, match="ask for 12, all sites in their reach have 9: 3 missing") as caught:
        p_median(far, [4, 4, 4], sites=2, capacity=[5, 4], split=True)
    assert caught.value.partial.check().objective == pytest.approx(9)


def test_no_time_gives_the_quick_answer_with_a_bound(shared_data):
    far, demand, sites, capacity, best = read_cpmp(shared_data / "benchmarks" / "cpmp" / "pmedcap1_1.txt")
    quick = p_median(far, demand=demand, capacity=capacity, sites=sites, time_limit_s=0)
    assert 0 < quick.bound <= best <= quick.objective < 1.2 * best


def test_no_time_and_no_quick_answer_is_an_error():
    far, demand = np.ones((4, 2)), [3, 3, 2, 2]
    assert p_median(far, [1] * 4, sites=2, demand=demand, capacity=5).objective == 4
    with pytest.raises((SolverError, InfeasibleError)):
        p_median(far, [1] * 4, sites=2, demand=[3, 3, 3, 2], capacity=[6, 4], time_limit_s=0)


def a_town(seed=2, homes=60, places=25):
    rng = np.random.default_rng(seed)
    home, place = rng.uniform(0, 1000, (homes, 2)), rng.uniform(0, 1000, (places, 2))
    return np.rint(np.hypot(*(home[:, None] - place).T).T), rng.integers(1, 9, homes).astype(float)


def test_ctrl_c_while_the_demands_are_priced_returns_the_start_with_the_bound_reached(monkeypatch):
    far, demand = a_town()
    climb, calls = _kernels_capacity.climb_capacity, []

    def press_in_the_second_batch(*given):
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        *data, _allowed, state = given
        return climb(*data, 20_000, state)

    monkeypatch.setattr(_kernels_capacity, "climb_capacity", press_in_the_second_batch)
    found = p_median(far, demand, sites=6, capacity=55)
    assert found.interrupted
    assert found.stopped
    assert found.check().method == "interchange + Lagrangian bound"
    monkeypatch.undo()
    best = p_median(far, demand, sites=6, capacity=55)
    assert 0 < found.bound <= best.objective <= found.objective


def test_ctrl_c_in_the_exact_solver_returns_the_best_so_far(monkeypatch):
    far, demand = a_town()

    def press(*given, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(capacitated_median, "solve_mip", press)
    found = p_median(far, demand, sites=6, capacity=55)
    assert found.interrupted
    assert found.stopped
    assert len(found.uncovered) == 0


def test_the_bound_is_the_same_however_its_work_is_cut():
    far, demand = a_town()
    problem = make_problem("p_median", far, weights=demand, sites=6, capacity=55)
    cost = demand.repeat(25) * problem.pairs.data
    whole, parts = (CapacityPrices(problem, cost, 1e5) for _ in range(2))
    whole.climb(math.inf)
    while not parts.state.ended[0]:
        parts.climb(1e-4)
    assert parts.bound == whole.bound
    assert parts.state.kept.tolist() == whole.state.kept.tolist()
