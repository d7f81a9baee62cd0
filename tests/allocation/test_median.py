"""p-median: against every choice, published values, other libraries, and inputs at the edge."""

import math
import time

import numpy as np
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from siting.allocation import _kernels_prices, cost_curve, make_problem, median, median_bound, p_median, solve
from siting.allocation.median_bound import raise_bound, survivors, survivors_model
from siting.allocation.median_core import median_core
from siting.allocation.median_search import MedianSearch
from siting.allocation.models import solve_problem
from siting.allocation.options import SolveOptions
from siting.allocation.solve import solve_mip
from siting.errors import InfeasibleError, ProblemError
from tests.allocation import brute, brute_distances
from tests.benchmarks.siting_instances import read_pmed, read_sf_stores, read_swain

SECONDS = 300.0  # ample: on a cold cache, kernels are compiled within it


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


@pytest.mark.parametrize("number", [2, 6, 15])
def test_a_published_instance_is_proven(shared_data, number):
    folder = shared_data / "benchmarks" / "pmed"
    optima = dict(line.split(",") for line in (folder / "p_median_optima.csv").read_text(encoding="utf-8").split()[1:])
    far, sites = read_pmed(folder / f"pmed{number}.txt")
    found = p_median(far, sites=sites)
    assert found.objective == float(optima[f"pmed{number}"])
    assert found.proven


def test_a_problem_is_solved_by_the_one_way_in():
    problem = make_problem("p_median", np.array([[0.0, 4.0], [4.0, 0.0], [5.0, 1.0]]), sites=1)
    found = solve(problem, time_limit_s=5)
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
            solve(problem, time_limit_s=SECONDS)
        assert caught.value.blocks
        caught.value.partial.check()
        return
    found = solve(problem, time_limit_s=SECONDS)
    assert found.objective == pytest.approx(best, abs=1e-6)
    assert found.gap <= 1e-6
    assert not found.stopped
    found.check()
    assert brute.allowed(problem, found.chosen.tolist())


@given(brute_distances.distance_inputs("p_median"))
@settings(max_examples=80, deadline=None)
def test_it_is_the_best_of_all_choices_with_any_option(inputs):
    agrees_with_brute_force(problem_of(inputs))


def made_town(seed, n=60, m=25):
    """Distances from homes to sites at random places of a square of 100, and the weight of each home."""
    rng = np.random.default_rng(seed)
    far = np.hypot(*(rng.uniform(0, 100, (n, 1, 2)) - rng.uniform(0, 100, (1, m, 2))).transpose(2, 0, 1))
    return far, rng.integers(0, 50, n).astype(float)


seeds = st.integers(0, 10**6)


@given(seeds, st.integers(1, 6))
@settings(max_examples=15, deadline=None)
def test_the_bound_is_at_most_exact_and_exact_at_most_greedy(seed, sites):
    far, weights = made_town(seed)
    quick = p_median(far, weights, sites=sites, time_limit_s=0)
    exact = p_median(far, weights, sites=sites)
    assert quick.bound <= exact.objective * (1 + 1e-12)
    assert exact.objective <= quick.objective * (1 + 1e-12)
    assert exact.proven


@given(seeds, st.integers(1, 5), st.floats(5, 30))
@settings(max_examples=12, deadline=None)
def test_more_sites_and_more_money_never_hurt(seed, sites, money):
    far, weights = made_town(seed, 30, 12)
    price = np.arange(12) % 5 + 1.5
    plain = p_median(far, weights, sites=sites, site_cost=price, budget=money).objective
    more = plain * (1 + 1e-12)
    assert p_median(far, weights, sites=sites + 1, site_cost=price, budget=money).objective <= more
    assert p_median(far, weights, sites=sites, site_cost=price, budget=money + 5).objective <= more


@given(seeds, st.randoms())
@settings(max_examples=10, deadline=None)
def test_the_order_of_rows_and_of_sites_does_not_change_the_value(seed, random):
    far, weights = made_town(seed, 30, 12)
    rows, cols = list(range(30)), list(range(12))
    random.shuffle(rows)
    random.shuffle(cols)
    plain = p_median(far, weights, sites=3).objective
    assert p_median(far[rows][:, cols], weights[rows], sites=3).objective == pytest.approx(plain, rel=1e-12)


def test_a_curve_falls_and_its_bounds_hold():
    far, weights = made_town(3)
    curve = cost_curve(make_problem("p_median", far, weights=weights, sites=1), sites=range(1, 7))
    table = curve.table
    assert (np.diff(table["objective"]) < 0).all()
    assert table["proven"].all()


def test_the_same_seed_gives_the_same_sites_for_any_number_of_threads():
    far, weights = made_town(5, 400, 150)
    problem = make_problem("p_median", far, weights=weights, sites=12)
    found = [
        solve_problem(problem, SolveOptions(time_limit_s=20, gap=1e-4, seed=7, threads=threads))
        for threads in (1, 2, 5)
    ]
    assert found[0].chosen.tolist() == found[1].chosen.tolist() == found[2].chosen.tolist()
    assert found[0].bound == found[1].bound == found[2].bound


def dear_swap_worth(far, weights, chosen):
    """What every swap would save, by computing the whole cost again."""
    now = weights @ far[:, chosen].min(axis=1)
    worth = {}
    for j in set(range(far.shape[1])) - set(chosen):
        for r in chosen:
            after = [*(set(chosen) - {r}), j]
            worth[j, r] = now - weights @ far[:, after].min(axis=1)
    return worth


@given(seeds)
@settings(max_examples=10, deadline=None)
def test_no_swap_of_the_local_optimum_saves_anything(seed):
    far, weights = made_town(seed)
    local = MedianSearch(median_core(make_problem("p_median", far, weights=weights, sites=4)), 0)
    local.greedy()
    worth = dear_swap_worth(far, weights, local.chosen.tolist())
    assert max(worth.values()) <= 1e-6
    state = local.state
    for (j, r), saved in worth.items():
        place = state.slot[r]
        assert state.gain[j] + state.extra[j, place] - state.loss[place] == pytest.approx(saved, abs=1e-6)


@given(seeds, st.integers(1, 5))
@settings(max_examples=10, deadline=None)
def test_lists_cut_short_still_give_bounds_that_hold(seed, most):
    far, weights = made_town(seed, 30, 15)
    problem = make_problem("p_median", far, weights=weights, sites=3)
    exact = p_median(far, weights, sites=3).objective
    whole = median_core(problem)
    cut = median_core(problem, most=most)
    assert len(cut.lists.row_cost) == 30 * most
    for core in (whole, cut):
        prices = np.minimum(np.full(len(core.rows), 1e6), core.reach)
        bound = raise_bound(core, prices, exact, exact, steps=200).bound
        assert bound <= exact * (1 + 1e-12)
    assert bound > 0


def test_a_search_on_short_lists_finds_and_proves_the_same(monkeypatch):
    far, weights = made_town(8, 300, 200)
    whole = p_median(far, weights, sites=40)
    monkeypatch.setattr("siting.allocation.median_core.FULL_PAIRS", 0)
    problem = make_problem("p_median", far, weights=weights, sites=40)
    assert len(median_core(problem).lists.row_cost) < 0.5 * far.size
    short = p_median(far, weights, sites=40)
    assert short.objective == pytest.approx(whole.objective, rel=1e-12)
    assert short.proven
    assert whole.proven


@given(brute_distances.distance_inputs("p_median"))
@settings(max_examples=25, deadline=None)
def test_the_exact_solver_agrees_on_what_survives(inputs):
    problem = problem_of(inputs)
    best = brute_distances.best_value(problem)
    assume(best is not None)
    core = median_core(problem)
    assume(len(core.rows))
    priced = raise_bound(core, np.zeros(len(core.rows)), best, best, steps=3)
    left = survivors(core, priced, best - core.constant, len(core.sites))
    result = solve_mip(survivors_model(core, left, 1.0))
    assert result.objective + core.constant == pytest.approx(best, abs=1e-6)


def test_existing_sites_serve_and_are_not_counted():
    far = np.array([[0.0, 9.0, 9.0], [9.0, 0.0, 5.0], [9.0, 5.0, 0.0]])
    found = p_median(far, [1, 1, 3], sites=1, existing=[0])
    assert (found.chosen.tolist(), found.new_sites.tolist(), found.objective) == ([0, 2], [2], 5)
    assert p_median(far, [1, 1, 3], sites=0, existing=[0]).objective == 36


def test_a_stored_zero_is_a_pair_at_one_spot():
    at_one_spot = csr_array((np.array([0.0, 350.0, 7.0]), (np.array([0, 1, 0]), np.array([0, 1, 1]))), shape=(2, 2))
    found = p_median(at_one_spot, sites=2)
    assert (found.objective, found.assigned.tolist()) == (350, [0, 1])


def test_more_sites_than_candidates_and_senseless_figures_are_refused():
    with pytest.raises(ProblemError, match="only 2 candidates"):
        p_median(np.ones((3, 2)), sites=3)
    with pytest.raises(ProblemError, match="sites must be >= 0"):
        p_median(np.ones((3, 2)), sites=-1)
    for bad in (math.nan, -1.0):
        with pytest.raises(ProblemError, match="pairs"):
            p_median(np.array([[1.0, bad]]), sites=1)
        with pytest.raises(ProblemError, match="weights"):
            p_median(np.ones((2, 2)), [1, bad], sites=1)
        with pytest.raises(ProblemError, match="cost"):
            p_median(np.ones((2, 2)), sites=1, site_cost=[1, bad])


def test_no_sites_and_no_money_say_how_many_and_how_much_it_takes():
    far = np.array([[1.0, np.inf], [np.inf, 1.0], [2.0, np.inf]])
    with pytest.raises(InfeasibleError, match="at least 2 new sites are needed to reach everybody, 0 are allowed") as e:
        p_median(far, sites=0)
    assert e.value.partial.check().uncovered.tolist() == [0, 1, 2]
    with pytest.raises(InfeasibleError, match="leave 1 demands out at best: at least 2 new sites") as e:
        p_median(far, sites=1)
    assert e.value.partial.chosen.tolist() == [0]
    assert [block.en for block in e.value.blocks][1:] == ["demand 1 is out of reach of the best choice"]
    with pytest.raises(InfeasibleError, match="reaching everybody costs at least 7, the budget is 6"):
        p_median(far, site_cost=[3, 4], budget=6)


def test_demand_in_nobodys_reach_is_named_and_the_rest_is_served():
    far = np.array([[1.0, 4.0], [np.inf, np.inf], [5.0, 2.0]])
    with pytest.raises(InfeasibleError, match="1 demands have too few candidates in reach: 1") as caught:
        p_median(far, sites=1)
    assert caught.value.partial.check().uncovered.tolist() == [1]


def test_one_candidate_all_fixed_and_nobody_to_serve():
    assert p_median(np.array([[3.0], [4.0]]), [1, 2], sites=1).objective == 11
    fixed = p_median(np.array([[3.0, 1.0], [4.0, 9.0]]), sites=2, fixed=[0, 1])
    assert (fixed.objective, fixed.proven, fixed.chosen.tolist()) == (5, True, [0, 1])
    nobody = p_median(np.zeros((0, 3)), sites=2)
    assert (nobody.objective, nobody.bound) == (0, 0)
    assert p_median(np.ones((2, 2)), [0, 0], sites=1).objective == 0


def test_no_time_gives_the_quick_answer_with_a_bound_and_says_it_stopped():
    far, weights = made_town(1, 300, 200)
    found = p_median(far, weights, sites=9, time_limit_s=0)
    assert 0 < found.bound < found.objective
    assert found.stopped
    assert found.seconds < 20


def test_a_gap_is_kept():
    far, weights = made_town(2, 300, 200)
    loose = p_median(far, weights, sites=9, gap=0.05)
    assert loose.gap <= 0.05
    assert not loose.stopped


def test_ctrl_c_returns_the_best_so_far(monkeypatch):
    far, weights = made_town(1, 300, 200)

    def press(self, target, allowed):
        raise KeyboardInterrupt

    monkeypatch.setattr(median._Run, "_prove", lambda run, seconds: None)  # so that the search has to go on
    monkeypatch.setattr(MedianSearch, "shake", press)
    found = p_median(far, weights, sites=9)
    assert found.interrupted
    assert found.check().stopped


def test_ctrl_c_while_prices_climb_returns_the_greedy_answer_with_the_bound_reached(monkeypatch):
    far, weights = made_town(1, 300, 200)
    climb, calls = _kernels_prices.climb, []

    def press_in_the_second_batch(*given):
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        *data, _allowed, stand, often = given
        return climb(*data, 50_000, stand, often)

    monkeypatch.setattr(_kernels_prices, "climb", press_in_the_second_batch)
    found = p_median(far, weights, sites=9)
    assert (found.interrupted, found.stopped, len(calls)) == (True, True, 2)
    assert found.check().method == "greedy + Lagrangian bound"
    monkeypatch.undo()
    assert 0 < found.bound <= p_median(far, weights, sites=9).objective <= found.objective


def test_the_bound_is_the_same_however_its_work_is_cut(monkeypatch):
    far, weights = made_town(2, 200, 100)
    core = median_core(make_problem("p_median", far, weights=weights, sites=7))
    none = np.zeros(len(core.rows))
    whole = raise_bound(core, none, 1e7, 1e7, steps=300)
    monkeypatch.setattr(median_bound, "BATCH", 1000)
    parts = raise_bound(core, none, 1e7, 1e7, steps=300)
    assert parts.bound == whole.bound
    assert parts.prices.tolist() == whole.prices.tolist()
    assert parts.often.tolist() == whole.often.tolist()


def test_prices_stop_climbing_at_the_deadline():
    far, weights = made_town(2, 200, 100)
    core = median_core(make_problem("p_median", far, weights=weights, sites=7))
    none = np.zeros(len(core.rows))
    late = raise_bound(core, none, 1e7, 1e7, steps=10**6, deadline=time.perf_counter())
    assert np.isfinite(late.bound)
    assert late.bound < raise_bound(core, none, 1e7, 1e7, steps=10**6).bound


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the modelling library under spopt
def test_spopt_finds_the_same_p_median():
    spopt = pytest.importorskip("spopt.locate")
    pulp = pytest.importorskip("pulp")
    far, weights = made_town(0, 40, 12)
    theirs = spopt.PMedian.from_cost_matrix(far, weights, 3).solve(pulp.PULP_CBC_CMD(msg=False))
    assert p_median(far, weights, sites=3).objective == pytest.approx(theirs.problem.objective.value(), rel=1e-6)


def test_pbp_pmedian_finds_the_same_p_median():
    pbp = pytest.importorskip("pbp_pmedian")
    far, weights = made_town(4, 40, 15)
    theirs, *_ = pbp.solve((weights[:, None] * far).T, 4)
    assert p_median(far, weights, sites=4).objective == pytest.approx(theirs, rel=1e-6)
