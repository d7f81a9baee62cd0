"""The searches and bounds inside the cover models, against slow twins."""

import _thread
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siting.allocation import _kernels, _kernels_swaps, heuristics, make_problem
from siting.allocation._kernels_reduce import beaten_columns, implied_rows
from siting.allocation.capacitated_cover import quick_bound
from siting.allocation.heuristics import search_max_cover, search_set_cover
from siting.allocation.lagrangian import max_cover_bound, set_cover_bound
from siting.allocation.reduce import cover_core
from siting.allocation.search import common_step
from siting.allocation.solution import cover_counts, nearest_chosen, objective_of
from tests.allocation import brute

seeds = st.integers(0, 10**6)


def made(seed, model, n=30, m=18, **more):
    rng = np.random.default_rng(seed)
    covers = rng.random((n, m)) < 0.2
    covers[np.arange(n), rng.integers(0, m, n)] = True
    if model == "max_cover":
        more = {"weights": rng.integers(0, 20, n), "sites": 5} | more
    return make_problem(model, covers, cost=rng.integers(1, 9, m), **more)


@given(seeds, st.sampled_from([1, 2]), st.booleans())
@settings(max_examples=25, deadline=None)
def test_scores_kept_step_by_step_are_those_of_a_fresh_count(seed, level, priced):
    problem = made(seed, "set_cover", level=level, exclusive=["a", "a"] + [""] * 16)
    reach, terms = heuristics._arrays(problem)
    prices = np.random.default_rng(seed).random(30) if priced else None
    state = heuristics._cover_state(problem, prices, heuristics._random(seed)[0])
    _kernels.fill_cover(reach, terms, state)
    _kernels.search_cover(reach, terms, state, 20_000, 0.0)
    dense = brute.reach(problem)
    hits = dense[:, state.inside].sum(axis=1)
    assert (state.hits == hits).all()
    penalty = state.penalty
    fresh = np.where(state.inside, dense.T @ (penalty * (hits <= level)), dense.T @ (penalty * (hits < level)))
    assert (state.score == fresh).all()
    assert sorted(state.open_rows[: state.open_n[0]]) == np.flatnonzero(hits < level).tolist()
    assert sorted(state.members[: state.member_n[0]]) == np.flatnonzero(state.inside).tolist()
    assert state.total[0] == pytest.approx(problem.cost[state.inside].sum())


@given(seeds, st.sampled_from([1, 2]), st.booleans())
@settings(max_examples=25, deadline=None)
def test_gains_kept_swap_by_swap_are_those_of_a_fresh_count(seed, level, with_money):
    limits = {"budget": 15.0} if with_money else {}
    problem = made(seed, "max_cover", level=level, conflicts=[(0, 1), (2, 3)], **limits)
    share = 0.01 if level > 1 else 0.0
    reach, terms = heuristics._arrays(problem)
    state = heuristics._swap_state(problem, seed)
    _kernels_swaps.search_swaps(share, reach, terms, state, 50_000, np.inf, with_money)
    dense = brute.reach(problem)
    inside = state.inside
    hits = dense[:, inside].sum(axis=1)
    assert (state.hits == hits).all()

    def worth(count):
        return problem.weights * (share * np.minimum(count, level) + (count >= level))

    for j in range(18):
        more = hits - dense[:, j] if inside[j] else hits + dense[:, j]
        assert state.score[j] == pytest.approx(abs(worth(more).sum() - worth(hits).sum()), abs=1e-6)
    assert state.room[0] == 5 - inside.sum()
    if with_money:
        assert state.money[0] == pytest.approx(15 - problem.cost[inside].sum())
    assert brute.allowed(problem, np.flatnonzero(inside).tolist())


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_searches_give_allowed_choices_no_worse_than_greedy(seed):
    covering = made(seed, "set_cover")
    greedy, longer = (search_set_cover(covering, seconds=seconds, seed=seed) for seconds in (0, 0.005))
    assert longer.value <= greedy.value
    assert (cover_counts(covering, longer.chosen) >= 1).all()
    most = made(seed, "max_cover", budget=14)
    greedy, longer = (search_max_cover(most, seconds=seconds, seed=seed) for seconds in (0, 0.005))
    assert longer.value >= greedy.value
    assert brute.allowed(most, longer.chosen.tolist())
    assigned, _ = nearest_chosen(most, longer.chosen)
    assert longer.value == objective_of(most, longer.chosen, assigned)


@given(brute.cover_inputs("set_cover"))
@settings(max_examples=40, deadline=None)
def test_prices_never_bound_above_the_cheapest_cover(inputs):
    inputs |= {"existing": [], "fixed": [], "forbidden": []}
    problem = make_problem(**inputs)
    best = brute.best_value(problem)
    bound = set_cover_bound(problem, 10.0, steps=200).bound
    if best is not None:
        assert bound <= best + 1e-9


@given(brute.cover_inputs("max_cover"))
@settings(max_examples=40, deadline=None)
def test_prices_never_bound_below_the_most_cover(inputs):
    inputs |= {"existing": [], "fixed": [], "forbidden": []}
    problem = make_problem(**inputs)
    assert max_cover_bound(problem, 1.0, steps=200).bound >= brute.best_value(problem) - 1e-9


@given(st.sampled_from(["set_cover", "max_cover"]).flatmap(lambda model: brute.cover_inputs(model, capacities=True)))
@settings(max_examples=40, deadline=None)
def test_the_quick_bound_with_capacities_holds(inputs):
    inputs |= {"existing": [], "fixed": [], "forbidden": []}
    problem = make_problem(**inputs)
    best, bound = brute.best_value(problem), quick_bound(problem)
    if best is not None:
        assert bound >= best - 1e-6 if problem.maximise else bound <= best + 1e-6


@given(brute.cover_inputs("set_cover"))
@settings(max_examples=40, deadline=None)
def test_the_core_has_the_same_best_value(inputs):
    inputs |= {"exclusive": None, "conflicts": None}
    if set(inputs["fixed"]) & set(inputs["forbidden"]):
        return
    problem = make_problem(**inputs)
    core = cover_core(problem)
    whole, small = brute.best_value(problem), brute.best_value(core.problem)
    assert (whole is None) == (small is None)
    if whole is not None:
        assert small + core.constant == pytest.approx(whole)


def test_equal_rows_are_added_up_in_a_max_cover():
    covers = np.array([[1, 0, 1], [0, 1, 1], [1, 0, 1], [1, 0, 1]], dtype=bool)
    core = cover_core(make_problem("max_cover", covers, weights=[1, 2, 4, 8], sites=1, conflicts=[(0, 2)]))
    assert core.problem.shape[0] == 2
    assert core.problem.weights.tolist() == [13, 2]


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_redundant_rows_and_columns_are_those_that_sets_say(seed):
    rng = np.random.default_rng(seed)
    problem = make_problem("set_cover", rng.random((12, 9)) < 0.35, cost=rng.integers(1, 4, 9))
    rows, cols = problem.pairs, problem.pairs.tocsc()
    sets = [set(rows.indices[rows.indptr[i] : rows.indptr[i + 1]].tolist()) for i in range(12)]
    expected = [
        any(sets[a] and (sets[a] < sets[b] or (sets[a] == sets[b] and a < b)) for a in range(12)) for b in range(12)
    ]
    assert implied_rows(rows.indptr, rows.indices, cols.indptr, cols.indices).tolist() == expected
    sets = [set(cols.indices[cols.indptr[j] : cols.indptr[j + 1]].tolist()) for j in range(9)]
    cost = problem.cost

    def beats(b, a):
        same = sets[a] == sets[b] and cost[a] == cost[b]
        return b != a and sets[a] <= sets[b] and cost[b] <= cost[a] and (not same or b < a)

    expected = [not sets[a] or any(beats(b, a) for b in range(9)) for a in range(9)]
    every = np.ones(9, dtype=bool)
    found = beaten_columns(cols.indptr, cols.indices, rows.indptr, rows.indices, cost, every, every)
    assert found.tolist() == expected


@given(seeds)
@settings(max_examples=25, deadline=None)
def test_streams_side_by_side_share_the_best_cover_and_repeat_it(seed):
    problem = made(seed, "set_cover", n=60, m=40)
    first, again = (search_set_cover(problem, seconds=0.01, seed=seed, streams=2) for _ in range(2))
    assert (first.chosen == again.chosen).all()
    assert (cover_counts(problem, first.chosen) >= 1).all()
    assert first.value == problem.total_cost(first.chosen)
    assert first.value <= search_set_cover(problem, seconds=0).value


def test_ctrl_c_ends_a_search_with_what_it_had():
    problem = made(1, "set_cover", n=400, m=150)
    search_set_cover(problem, seconds=0.001)
    timer = threading.Timer(0.8, _thread.interrupt_main)
    timer.start()
    found = search_set_cover(problem, seconds=30)
    timer.join()
    assert found.interrupted
    assert (cover_counts(problem, found.chosen) >= 1).all()


def test_the_clock_ends_a_search_on_a_slow_machine_and_says_so(monkeypatch):
    monkeypatch.setattr(heuristics, "COVER_WORK_PER_SECOND", 10**12)
    found = search_set_cover(made(1, "set_cover", n=400, m=150), seconds=0.05)
    assert found.cut_short
    assert found.chosen is not None


def test_the_step_between_values_is_their_greatest_common_divisor():
    assert common_step(np.array([6.0, 0.0, 9.0])) == 3
    assert common_step(np.array([6.5, 1.0])) == 0
    assert common_step(np.zeros(0)) == 0
