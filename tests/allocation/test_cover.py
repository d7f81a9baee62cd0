import _thread
import math
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from siting.allocation import (
    Solution,
    capacitated_cover,
    make_problem,
    max_cover,
    set_cover,
    solve,
)
from siting.allocation.models import solve_problem
from siting.allocation.options import SolveOptions
from siting.errors import InfeasibleError, ProblemError, SolverError
from tests.allocation import brute

SECONDS = 300.0  # ample: on a cold cache, kernels are compiled within it


def problem_of(inputs):
    try:
        return make_problem(**inputs)
    except ProblemError as error:
        assume("exclude each other" not in str(error))
        raise


def agrees_with_brute_force(problem):
    best = brute.best_value(problem)
    if best is None:
        event("cannot be done")
        with pytest.raises(InfeasibleError) as caught:
            solve(problem, time_limit_s=SECONDS)
        assert caught.value.blocks
        assert isinstance(caught.value.partial, Solution)
        caught.value.partial.check()
        return
    found = solve(problem, time_limit_s=SECONDS)
    assert found.objective == pytest.approx(best, abs=1e-6)
    assert found.proven
    assert found.gap <= 1e-6
    assert not found.stopped
    found.check()
    assert brute.allowed(problem, found.chosen.tolist())


@given(brute.cover_inputs("set_cover"))
@settings(max_examples=80, deadline=None)
def test_set_cover_is_the_best_of_all_choices_with_any_option(inputs):
    agrees_with_brute_force(problem_of(inputs))


@given(brute.cover_inputs("max_cover"))
@settings(max_examples=80, deadline=None)
def test_max_cover_is_the_best_of_all_choices_with_any_option(inputs):
    agrees_with_brute_force(problem_of(inputs))


@given(brute.cover_inputs("set_cover", capacities=True))
@settings(max_examples=50, deadline=None)
def test_capacitated_set_cover_is_the_best_of_all_choices(inputs):
    agrees_with_brute_force(problem_of(inputs))


@given(brute.cover_inputs("max_cover", capacities=True))
@settings(max_examples=50, deadline=None)
def test_capacitated_max_cover_is_the_best_of_all_choices(inputs):
    agrees_with_brute_force(problem_of(inputs))


def made_town(seed, n=40, m=25):
    """Homes and sites at random places, in reach within 30 of 100; and the weight of each home."""
    rng = np.random.default_rng(seed)
    far = np.hypot(*(rng.uniform(0, 100, (n, 1, 2)) - rng.uniform(0, 100, (1, m, 2))).transpose(2, 0, 1))
    return far <= 30, rng.integers(0, 50, n).astype(float)


seeds = st.integers(0, 10**6)


@given(seeds)
@settings(max_examples=8, deadline=None)
def test_greedy_is_at_most_exact_and_exact_at_most_the_bound(seed):
    covers, weights = made_town(seed)
    quick = max_cover(covers, weights, sites=4, time_limit_s=0)
    exact = max_cover(covers, weights, sites=4)
    assert quick.objective <= exact.objective <= quick.bound
    assert exact.proven
    reachable = covers[covers.any(axis=1)]
    few, fewest = set_cover(reachable, time_limit_s=0), set_cover(reachable)
    assert few.bound <= fewest.objective <= few.objective
    assert fewest.proven


@given(seeds)
@settings(max_examples=8, deadline=None)
def test_as_many_sites_as_a_set_cover_needs_cover_all(seed):
    covers, weights = made_town(seed)
    covers, weights = covers[covers.any(axis=1)], weights[covers.any(axis=1)]
    fewest = set_cover(covers)
    assert max_cover(covers, weights, sites=int(fewest.objective)).objective == weights.sum()
    fewer = max_cover(covers, np.ones(len(weights)), sites=int(fewest.objective) - 1)
    assert fewer.objective < len(weights)


@given(seeds, st.integers(0, 5), st.floats(0, 60))
@settings(max_examples=15, deadline=None)
def test_more_sites_and_more_money_never_hurt(seed, sites, money):
    covers, weights = made_town(seed, 20, 12)
    cost = np.arange(12) % 5 + 1.5
    plain = max_cover(covers, weights, sites=sites, cost=cost, budget=money).objective
    assert max_cover(covers, weights, sites=sites + 1, cost=cost, budget=money).objective >= plain
    assert max_cover(covers, weights, sites=sites, cost=cost, budget=money + 5).objective >= plain


@given(seeds, st.randoms())
@settings(max_examples=10, deadline=None)
def test_the_order_of_rows_and_of_sites_does_not_change_the_value(seed, random):
    covers, weights = made_town(seed, 20, 12)
    rows, cols = list(range(20)), list(range(12))
    random.shuffle(rows)
    random.shuffle(cols)
    plain = max_cover(covers, weights, sites=3)
    assert max_cover(covers[rows][:, cols], weights[rows], sites=3).objective == plain.objective


def test_the_same_seed_gives_the_same_sites_for_any_number_of_threads():
    rng = np.random.default_rng(4)
    covers = rng.random((300, 120)) < 0.04
    covers[:, 0] |= ~covers.any(axis=1)
    found = [
        solve_problem(
            make_problem("set_cover", covers), SolveOptions(time_limit_s=SECONDS, seed=7, threads=threads)
        ).chosen.tolist()
        for threads in (1, 2, 5)
    ]
    assert found[0] == found[1] == found[2]


def test_backup_cover_needs_two_sites_in_reach():
    covers = np.array([[1, 1, 0], [0, 1, 1]], dtype=bool)
    assert set_cover(covers).chosen.tolist() == [1]
    assert set_cover(covers, level=2).chosen.tolist() == [0, 1, 2]
    assert max_cover(covers, [5, 7], sites=2, level=2).chosen.tolist() == [1, 2]
    assert max_cover(covers, [5, 7], sites=2, level=[1, 2]).objective == 12


def test_a_stored_zero_is_a_pair_at_one_spot_and_in_reach():
    at_one_spot = csr_array((np.array([0.0, 350.0]), (np.array([0, 1]), np.array([0, 1]))), shape=(2, 2))
    found = set_cover(at_one_spot)
    assert found.chosen.tolist() == [0, 1]
    assert found.assigned.tolist() == [0, 1]


def test_each_demand_is_assigned_to_its_nearest_chosen_site_lower_index_on_a_tie():
    distance = csr_array(np.array([[300.0, 200.0, 200.0], [100.0, 900.0, 900.0]]))
    found = max_cover(distance, [1, 1], sites=3, fixed=[0, 1, 2])
    assert found.assigned.tolist() == [1, 0]


def test_an_existing_site_is_in_the_answer_costs_nothing_and_is_not_counted():
    covers = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=bool)
    found = set_cover(covers, cost=[9, 2, 3], existing=[0])
    assert (found.chosen.tolist(), found.objective, found.cost) == ([0, 1, 2], 5, 5)
    assert found.new_sites.tolist() == [1, 2]
    most = max_cover(covers, [1, 1, 1], sites=1, existing=[0])
    assert most.objective == 2


def test_a_split_demand_counts_in_part_and_its_flow_is_given():
    found = max_cover(np.ones((1, 2), dtype=bool), [10], sites=2, capacity=[3, 4], split=True)
    assert found.objective == pytest.approx(7)
    assert found.flow is not None
    assert found.flow.toarray()[0] == pytest.approx([0.3, 0.4])
    whole = max_cover(np.ones((1, 2), dtype=bool), [10], sites=2, capacity=[3, 4])
    assert whole.objective == 0
    assert whole.uncovered.tolist() == [0]


# ---- what makes no sense, what cannot be done, and the smallest of everything


def test_more_sites_than_candidates_is_refused():
    with pytest.raises(ProblemError, match="only 2 candidates"):
        max_cover(np.ones((3, 2), dtype=bool), sites=3)
    with pytest.raises(ProblemError, match="only 1 candidates"):
        max_cover(np.ones((3, 2), dtype=bool), sites=2, forbidden=[0])


def test_no_sites_covers_what_existing_ones_cover():
    covers = np.array([[1, 0], [0, 1]], dtype=bool)
    nothing = max_cover(covers, [3, 4], sites=0)
    assert (nothing.objective, nothing.bound, nothing.chosen.tolist()) == (0, 0, [])
    assert nothing.uncovered.tolist() == [0, 1]
    assert max_cover(covers, [3, 4], sites=0, existing=[1]).objective == 4


def test_no_money_buys_only_what_is_free():
    covers = np.array([[1, 0], [0, 1]], dtype=bool)
    assert max_cover(covers, [3, 4], cost=[2, 1], budget=0).objective == 0
    assert max_cover(covers, [3, 4], cost=[0, 1], budget=0).chosen.tolist() == [0]


@pytest.mark.parametrize("bad", [math.nan, -1.0, math.inf])
@pytest.mark.parametrize("name", ["cost", "weights", "capacity", "demand"])
def test_a_figure_that_is_nan_negative_or_endless_is_refused_by_name_and_place(name, bad):
    figures = {"cost": [1.0, bad], "weights": [1.0, bad], "capacity": [1.0, bad], "demand": [1.0, bad]}
    with pytest.raises(ProblemError, match=rf"{name} .*entry 1 is {bad}"):
        max_cover(np.ones((2, 2), dtype=bool), sites=1, **{name: figures[name]})


def test_negative_and_nan_distances_and_budgets_are_refused():
    for bad in (-3.0, math.nan):
        with pytest.raises(ProblemError, match="pairs"):
            set_cover(csr_array(np.array([[bad, 1.0]])))
        with pytest.raises(ProblemError, match="budget"):
            max_cover(np.ones((1, 1), dtype=bool), budget=bad)
    with pytest.raises(ProblemError, match="sites must be >= 0"):
        max_cover(np.ones((1, 1), dtype=bool), sites=-1)


def test_demand_in_nobodys_reach_is_named_and_the_rest_is_covered():
    covers = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [0, 0, 0]], dtype=bool)
    with pytest.raises(InfeasibleError, match="2 demands have too few candidates in reach: 1, 3") as caught:
        set_cover(covers)
    assert [block.en for block in caught.value.blocks] == [
        "demand 1: 0 of the candidates are in reach, 1 are needed",
        "demand 3: 0 of the candidates are in reach, 1 are needed",
    ]
    partial = caught.value.partial
    assert partial.check().chosen.tolist() == [0, 1]
    assert partial.uncovered.tolist() == [1, 3]
    assert (partial.objective, partial.bound) == (2, 2)
    assert max_cover(covers, sites=3).uncovered.tolist() == [1, 3]


def test_many_unreached_demands_are_counted_not_all_spelt_out():
    with pytest.raises(InfeasibleError) as caught:
        set_cover(np.zeros((100, 2), dtype=bool))
    assert caught.value.blocks[-1].en == "and 80 more"
    assert caught.value.partial.chosen.tolist() == []


def test_sites_that_exclude_each_other_are_named_when_they_block_a_cover():
    covers = np.array([[1, 0], [0, 1]], dtype=bool)
    with pytest.raises(InfeasibleError, match="1 are left out at best") as caught:
        set_cover(covers, conflicts=[(0, 1)])
    assert "excluded by the chosen" in caught.value.blocks[0].en
    assert caught.value.partial.objective == 1


def test_fixed_sites_beyond_the_budget_or_the_number_are_named():
    covers = np.ones((2, 3), dtype=bool)
    with pytest.raises(InfeasibleError, match="the fixed sites cost 5, 2 more than the budget 3") as caught:
        max_cover(covers, [1, 1], cost=[2, 3, 1], budget=3, fixed=[0, 1])
    assert caught.value.partial.objective == 2
    with pytest.raises(InfeasibleError, match="2 sites are fixed, but at most 1"):
        max_cover(covers, [1, 1], sites=1, fixed=[0, 1])


def test_capacities_that_do_not_suffice_are_summed_up_with_what_is_missing():
    covers = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=bool)
    with pytest.raises(
        InfeasibleError, match="demands 0, 1 ask for 12, all sites in their reach have 9: 3 missing"
    ) as e:
        set_cover(covers, demand=[6, 6, 1], capacity=[5, 4, 9], split=True)
    assert e.value.partial.objective == pytest.approx(10)
    with pytest.raises(InfeasibleError, match="demand 0 asks for 6; the largest site in its reach has 5"):
        set_cover(covers, demand=[6, 1, 1], capacity=[5, 4, 9])
    with pytest.raises(InfeasibleError, match="do not fit beside the others"):
        set_cover(np.ones((3, 2), dtype=bool), demand=[4, 4, 4], capacity=[6, 6])


def test_fixed_sites_that_exclude_each_other_are_refused():
    with pytest.raises(ProblemError, match="0 and 1 must both be chosen but exclude each other"):
        set_cover(np.ones((1, 2), dtype=bool), fixed=[0, 1], exclusive=["a", "a"])
    with pytest.raises(ProblemError, match=r"both fixed .* and forbidden"):
        set_cover(np.ones((1, 2), dtype=bool), fixed=[0], forbidden=[0])


def test_existing_sites_may_stand_closer_than_new_ones():
    covers = np.eye(3, dtype=bool)
    found = max_cover(covers, [1, 1, 1], sites=1, existing=[0, 1], conflicts=[(0, 1), (1, 2)])
    assert found.chosen.tolist() == [0, 1]
    assert found.objective == 2


def test_no_time_gives_the_greedy_answer_with_a_bound_and_says_it_stopped():
    rng = np.random.default_rng(0)
    covers = rng.random((400, 80)) < 0.06
    covers[:, 0] |= ~covers.any(axis=1)
    found = set_cover(covers, time_limit_s=0)
    assert 0 < found.bound <= found.objective
    assert found.stopped
    assert not found.proven
    assert found.seconds < 5


def test_no_time_with_capacities_gives_the_greedy_answer_or_asks_for_time():
    enough = set_cover(np.ones((4, 3), dtype=bool), demand=[2, 2, 2, 2], capacity=4, time_limit_s=0)
    assert (enough.objective, enough.bound, enough.stopped) == (2, 2, False)
    unclear = max_cover(np.ones((3, 2), dtype=bool), demand=[3, 3, 3], sites=2, capacity=5, time_limit_s=0)
    assert (unclear.objective, unclear.bound, unclear.stopped) == (2, 3, True)
    with pytest.raises(SolverError, match="allow it more time"):
        set_cover(np.ones((3, 2), dtype=bool), demand=[4, 4, 4], capacity=6, time_limit_s=0)


def test_one_candidate_one_demand_no_demand_and_no_candidate():
    one = np.ones((1, 1), dtype=bool)
    assert set_cover(one).chosen.tolist() == [0]
    assert max_cover(one, [2], sites=1).objective == 2
    nobody = np.zeros((0, 3), dtype=bool)
    assert set_cover(nobody).chosen.tolist() == []
    assert max_cover(nobody, sites=2).objective == 0
    nowhere = np.zeros((2, 0), dtype=bool)
    assert max_cover(nowhere, [1, 1], sites=0).objective == 0
    with pytest.raises(InfeasibleError):
        set_cover(nowhere)


def test_all_candidates_fixed_leaves_nothing_to_decide():
    covers = np.array([[1, 1], [0, 1]], dtype=bool)
    found = set_cover(covers, cost=[4, 5], fixed=[0, 1])
    assert (found.objective, found.bound, found.proven) == (9, 9, True)
    assert max_cover(covers, [1, 1], sites=2, fixed=[0, 1]).proven


def test_a_gap_is_kept_and_not_called_proven():
    rng = np.random.default_rng(2)
    covers = rng.random((120, 40)) < 0.08
    weights = rng.integers(1, 1000, 120).astype(float)
    found = max_cover(covers, weights, sites=6, gap=0.2)
    assert found.gap <= 0.2
    assert not found.stopped
    exact = max_cover(covers, weights, sites=6)
    assert found.objective <= exact.objective <= found.bound
    assert found.proven == (found.gap <= 1e-9)


@pytest.mark.parametrize("after_s", [0.05, 1.0])
def test_ctrl_c_returns_the_best_so_far_and_says_so(after_s):
    covers = np.random.default_rng(5).random((1200, 500)) < 0.02
    covers[:, 0] |= ~covers.any(axis=1)
    timers = []

    def press_after_the_first_answer(what, share=None):
        if not timers:
            timers.append(threading.Timer(after_s, _thread.interrupt_main))
            timers[0].start()

    found = set_cover(covers, time_limit_s=60, progress=press_after_the_first_answer)
    timers[0].join()
    assert found.interrupted
    assert found.stopped
    assert 0 <= found.bound < found.objective
    assert found.seconds < 40


@pytest.mark.parametrize("maximise", [False, True])
def test_ctrl_c_before_the_exact_solver_returns_the_greedy_answer_of_a_cover_with_capacities(monkeypatch, maximise):
    def press(*given, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(capacitated_cover, "quick_bound", press)
    covers = np.random.default_rng(1).random((30, 12)) < 0.4
    covers[:, 0] = True
    found = max_cover(covers, sites=3, capacity=8) if maximise else set_cover(covers, capacity=30)
    assert (found.interrupted, found.stopped, found.method) == (True, True, "greedy")
    assert found.check().bound == (30 if maximise else 0)


def test_a_set_cover_with_a_number_of_sites_is_refused():
    with pytest.raises(ProblemError, match="use max_cover"):
        make_problem("set_cover", np.ones((1, 1), dtype=bool), sites=1)


def test_progress_is_told():
    said = []
    covers = np.eye(4, dtype=bool) | (np.arange(4) == 0)
    set_cover(covers, progress=lambda what, share=None: said.append(what.en))
    assert any("gap" in line for line in said)


def test_a_start_is_taken_up():
    rng = np.random.default_rng(9)
    covers = rng.random((150, 40)) < 0.1
    weights = rng.integers(1, 100, 150).astype(float)
    best = max_cover(covers, weights, sites=6)
    problem = replace(best.problem)
    again = solve(problem, time_limit_s=0, start=best.chosen)
    assert again.objective == best.objective
