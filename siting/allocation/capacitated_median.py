"""Capacitated p-median: every demand assigned, and no site given more than it can serve.

::

    minimise    sum_ij w_i d_ij x_ij
    subject to  sum_j x_ij = 1                 for every demand i
                sum_i q_i x_ij <= Q_j y_j      for every site j
                x_ij <= y_j;   sum_j y_j <= p;   sum_j c_j y_j <= budget
                y_j 0 or 1;    x_ij 0 or 1, or a share of the demand where it may be split

Source: Mulvey and Beck (1984), Solving capacitated clustering problems, European Journal of Operational Research 18.
A start comes from the sites without capacities; prices on the demands, with a knapsack at each site, give a bound
(Ceselli and Righini 2005, Networks 45, price the same relaxation); what an answer better than the start cannot use is
left out, and the exact solver does the rest.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from siting.allocation.capacitated_cover import assignment
from siting.allocation.cover_models import capacitated_cover_model, limit_rows
from siting.allocation.heuristics import WORK_PER_SECOND
from siting.allocation.incumbent import Incumbent
from siting.allocation.infeasible import over_capacity
from siting.allocation.linear import LinearModel
from siting.allocation.median_bound import choice_of
from siting.allocation.median_core import median_core
from siting.allocation.median_search import MedianSearch
from siting.allocation.options import SolveOptions
from siting.allocation.problem import BoolArray, FloatArray, IntArray, Problem
from siting.allocation.search import common_step
from siting.allocation.solution import Solution, objective_of
from siting.allocation.solve import solve_mip

STEPS = 800
"""Most steps of the bound."""

MOST_ROOM = 1000
"""Largest capacity, in whole units, of a knapsack solved in whole items; larger ones are scaled down."""


def solve_capacitated_median(
    problem: Problem,
    options: SolveOptions,
    start: IntArray | None,
    solve_part: Callable[[Problem], Solution],
) -> Solution:
    """Solve a p-median with capacities.

    Parameters
    ----------
    problem
        A p-median with capacities, whose every demand has a candidate in reach.
    options
        Time limit, gap, seed, progress.
    start
        Sites to start from.
    solve_part
        Solves another problem with the same options; for the partial answer where there is no full one.

    Returns
    -------
    Solution
        With ``flow`` where demands may be split; checked.

    Raises
    ------
    InfeasibleError
        If the capacities and limits do not suffice; says where.
    SolverError
        If time ran out before any full assignment was met.
    """
    begun = time.perf_counter()
    m = problem.shape[1]
    rows = _rows(problem)
    cost = problem.weights[rows] * problem.pairs.data
    step = 0.0 if problem.split else common_step(cost)
    best = Incumbent(options, step=step)
    known = _start(problem, cost, start, options.seed)
    if known is not None:
        best.take(known.chosen, float(cost @ known.shares), "interchange")
    priced = _priced(problem, cost, best.value, 0.02 if not options.time_limit_s else 0.2 * options.time_limit_s)
    best.tighten(priced.bound, "Lagrangian bound")
    model = _model(problem, cost, priced, best.value)
    point = None if known is None else np.r_[np.isin(np.arange(m), known.chosen), known.shares]
    left = options.time_limit_s - (time.perf_counter() - begun)
    result = solve_mip(
        model,
        start=point,
        time_limit_s=0.0 if best.closed else max(0.0, left),
        gap=max(options.gap, 0.999 * step / best.value if 0 < best.value < math.inf else 0.0),
        seed=options.seed,
        progress=options.progress,
    )
    if result.status == "infeasible":
        raise over_capacity(problem, solve_part)
    chosen = np.flatnonzero(result.found[:m] > 0.5)
    assigned, flow = assignment(problem, result.found[m:])
    objective = objective_of(problem, chosen, assigned, flow)
    best.interrupted = result.status == "interrupted"
    if best.take(chosen, objective, "HiGHS") or best.chosen is not None:
        best.tighten(objective if result.status == "optimal" else result.bound, "HiGHS")
    bound = objective if best.proven or best.bound > objective * (1 - 1e-9) else best.bound
    return Solution(
        problem=problem,
        chosen=chosen,
        assigned=assigned,
        objective=objective,
        bound=bound,
        stopped=bound < objective and not best.closed,
        seconds=time.perf_counter() - begun,
        seed=options.seed,
        method=best.method,
        flow=flow,
        interrupted=best.interrupted,
    ).check()


@dataclass(frozen=True, slots=True)
class _Assigned:
    """Open sites and the share of each stored pair."""

    chosen: IntArray
    shares: FloatArray


@dataclass(frozen=True, slots=True)
class _Prices:
    """A bound, and by how much it rises when a site must be open or closed, or a pair must be used."""

    bound: float
    opened: FloatArray
    closed: FloatArray
    used: FloatArray


def _rows(problem: Problem) -> IntArray:
    return np.repeat(np.arange(problem.shape[0]), np.diff(problem.pairs.indptr))


def _start(problem: Problem, cost: FloatArray, start: IntArray | None, seed: int) -> _Assigned | None:
    """Return sites good without capacities, moved to the middle of what they are then given; None where it fails."""
    core = median_core(replace(problem, capacity=None))
    if not len(core.rows) or not core.open_limit:
        return _assigned(problem, cost, core.settled)
    local = MedianSearch(core, seed)
    local.greedy(None if start is None else core.part(start))
    return _assigned(problem, cost, core.whole(local.chosen))


def _assigned(problem: Problem, cost: FloatArray, chosen: IntArray) -> _Assigned | None:
    """Return the demands assigned to some sites, the sites moved while that gains; None where they do not fit."""
    from siting.allocation._kernels_capacity import assign

    n, m = problem.shape
    price = csr_array((np.arange(1.0, len(cost) + 1), problem.pairs.indices, problem.pairs.indptr), shape=(n, m))
    capacity = np.zeros(m) if problem.capacity is None else problem.capacity
    best: _Assigned | None = None
    least = math.inf
    while len(chosen):
        at = price[:, chosen].toarray().astype(np.int64) - 1
        far = np.where(at >= 0, cost[at], np.inf) if len(cost) else np.full(at.shape, np.inf)
        site = np.full(n, -1, dtype=np.int64)
        worst = np.where(np.isfinite(far), far, -1.0).max(axis=1)
        order = np.lexsort((np.arange(n), far.min(axis=1) - worst, -problem.demand))
        total = float(assign(far, problem.demand, capacity[chosen], order, site))
        if not total < least:
            return best
        shares = np.zeros(len(cost))
        shares[at[np.arange(n), site]] = 1.0
        best, least = _Assigned(chosen, shares), total
        chosen = _moved(problem, cost, chosen, site)
    return best


def _moved(problem: Problem, cost: FloatArray, chosen: IntArray, site: IntArray) -> IntArray:
    """Return the sites with each new one moved to the best place for the demands it was given, the limits kept."""
    m = problem.shape[1]
    capacity = np.zeros(m) if problem.capacity is None else problem.capacity
    rows, cols = _rows(problem), problem.pairs.indices
    load = np.bincount(site, problem.demand, minlength=len(chosen))
    given = np.bincount(site, minlength=len(chosen))
    total = np.zeros((len(chosen), m))
    reached = np.zeros((len(chosen), m))
    np.add.at(total, (site[rows], cols), cost)
    np.add.at(reached, (site[rows], cols), 1)
    apart = problem.exclusions()
    inside = np.zeros(m, dtype=np.bool_)
    inside[chosen] = True
    money = math.inf if problem.budget is None else problem.budget - problem.total_cost(chosen)
    for k, old in enumerate(chosen):
        if problem.must[old]:
            continue
        inside[old] = False
        free = problem.free & ~inside & (apart @ inside.astype(np.float64) == 0) & (capacity >= load[k])
        free &= (reached[k] == given[k]) & (problem.cost - problem.cost[old] <= money)
        value = np.where(free, total[k], np.inf)
        new = int(value.argmin())
        new = new if value[new] < total[k, old] else int(old)
        inside[new] = True
        money -= problem.cost[new] - problem.cost[old]
    return np.flatnonzero(inside)


def _priced(problem: Problem, cost: FloatArray, upper: float, seconds: float) -> _Prices:
    """Return the Lagrangian bound with a knapsack at each site, and what forcing a site or a pair adds to it."""
    from siting.allocation import _kernels_capacity as kernels
    from siting.allocation._kernels_prices import forced

    n, m = problem.shape
    usable = ~problem.barred[problem.pairs.indices]
    rows, cols = _rows(problem)[usable], problem.pairs.indices[usable]
    order = np.lexsort((rows, cols))
    ptr = np.concatenate([[0], np.cumsum(np.bincount(cols, minlength=m))]).astype(np.int64)
    columns = (ptr, rows[order].astype(np.int32), cost[usable][order])
    needs, whole = _units(problem)
    near = np.full(n, np.inf)
    np.minimum.at(near, rows, cost[usable])
    prices = np.where(np.isfinite(near), near, 0.0) * 1.5
    goal = upper if math.isfinite(upper) else 2.0 * float(prices.sum()) + 1.0
    must = problem.must
    choice = _choice(problem)
    work = np.int64(seconds * WORK_PER_SECOND)
    bound = float(kernels.climb_capacity(columns, needs, whole, choice, must, goal, STEPS, work, prices))
    value, share, opened, closed = np.empty(m), np.empty(len(rows)), np.empty(m), np.empty(m)
    kernels.price_sites(columns, needs, prices, whole, value, share)
    forced(np.where(must, 0.0, value), choice, opened, closed)
    opened, closed = np.where(must, 0.0, opened), np.where(must | problem.barred, 0.0, closed)
    used = np.full(problem.pairs.nnz, np.inf)
    used[usable] = np.maximum(cost[usable] - prices[rows], 0.0) + opened[cols]
    return _Prices(bound, np.where(problem.barred, np.inf, opened), closed, used)


def _choice(problem: Problem):  # type: ignore[no-untyped-def]
    """Return what the sites that must be open leave of the limits."""
    choice = choice_of(problem)
    money = choice.money - problem.total_cost(np.flatnonzero(problem.must))
    return choice._replace(room=np.int64(max(0, int(choice.room) - int(problem.fixed.sum()))), money=np.float64(money))


def _units(problem: Problem) -> tuple[tuple[FloatArray, FloatArray], bool]:
    """Return demands and capacities as a knapsack takes them, and whether its items are whole.

    Figures that are not whole, or too large, are cut down to whole units: what fitted before still fits.
    """
    capacity = np.zeros(problem.shape[1]) if problem.capacity is None else problem.capacity
    if problem.split:
        return (problem.demand, capacity), False
    largest = min(float(capacity.max(initial=0.0)), float(problem.demand.sum()))
    unit = common_step(np.append(problem.demand, capacity))
    if not unit or largest / unit > MOST_ROOM:
        unit = max(largest / MOST_ROOM, 1e-12)
    room = np.minimum(capacity, problem.demand.sum())
    return (np.floor(problem.demand / unit + 1e-9), np.floor(room / unit + 1e-9)), True


def _model(problem: Problem, cost: FloatArray, priced: _Prices, upper: float) -> LinearModel:
    """Return the model, with what no answer up to ``upper`` uses held at 0 and what each one opens at 1."""
    m = problem.shape[1]
    model = capacitated_cover_model(replace(problem, model="set_cover", sites=None, budget=None))
    rows, most = limit_rows(problem)
    width = m + problem.pairs.nnz
    rows = csr_array((rows.data, rows.indices, rows.indptr), shape=(len(most), width))
    room = upper - priced.bound + 1e-9 * abs(upper) if math.isfinite(upper) else math.inf
    out = np.r_[priced.opened > room, priced.used > room]
    into: BoolArray = np.r_[
        (priced.closed > room) & (priced.opened <= room), np.zeros(problem.pairs.nnz, dtype=np.bool_)
    ]
    model = model.with_cost(np.r_[np.zeros(m), cost]).with_rows(rows, np.full(len(most), -np.inf), most)
    upper_ends = np.where(out, 0.0, model.col_upper)
    return model.with_bounds(np.minimum(np.maximum(model.col_lower, into), upper_ends), upper_ends)
