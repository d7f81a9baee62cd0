"""Capacitated p-median: every demand assigned, and no site given more than it can serve.

::

    minimise    sum_ij w_i d_ij x_ij
    subject to  sum_j x_ij = 1                 for every demand i
                sum_i q_i x_ij <= Q_j y_j      for every site j
                x_ij <= y_j;   sum_j y_j <= p;   sum_j c_j y_j <= budget
                y_j 0 or 1;    x_ij 0 or 1, or a share of the demand where it may be split

Source: Mulvey and Beck (1984), Solving capacitated clustering problems, European Journal of Operational Research 18.
A start comes from the sites without capacities; prices on the demands, with a knapsack at each site, give a bound
(:mod:`siting.allocation.capacity_prices`); what an answer better than the start cannot use is left out, and the exact
solver does the rest.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from siting.allocation.capacitated_cover import assignment
from siting.allocation.capacity_prices import CapacityPrices, Forced
from siting.allocation.cover_models import capacitated_cover_model, limit_rows
from siting.allocation.incumbent import Incumbent
from siting.allocation.infeasible import Solver, over_capacity
from siting.allocation.linear import LinearModel
from siting.allocation.median_core import median_core
from siting.allocation.median_search import MedianSearch
from siting.allocation.options import SolveOptions
from siting.allocation.outcome import Outcome
from siting.allocation.problem import BoolArray, FloatArray, IntArray, Problem
from siting.allocation.search import common_step
from siting.allocation.solution import objective_of
from siting.allocation.solve import solve_mip


def search_capacitated_median(
    problem: Problem, options: SolveOptions, start: IntArray | None, solve_part: Solver
) -> Outcome:
    """Search a p-median with capacities.

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
    Outcome
        With ``flow`` where demands may be split.

    Raises
    ------
    InfeasibleError
        If the capacities and limits do not suffice; says where.
    SolverError
        If time ran out before any full assignment was met.
    """
    run = _Run(problem, options)
    try:
        run.search(start)
    except KeyboardInterrupt:
        if run.answer is None:
            raise
        run.best.interrupted = True
    if run.answer is None:
        raise over_capacity(problem, solve_part)
    return run.best.outcome(run.answer.chosen, *assignment(problem, run.answer.shares))


@dataclass(frozen=True, slots=True)
class _Assigned:
    """Open sites and the share of each stored pair."""

    chosen: IntArray
    shares: FloatArray


class _Run:
    """One search under way; without an answer at its end, there is none."""

    def __init__(self, problem: Problem, options: SolveOptions) -> None:
        self.problem, self.options = problem, options
        self.begun = time.perf_counter()
        self.cost = problem.weights[_rows(problem)] * problem.pairs.data
        self.best = Incumbent(options, step=0.0 if problem.split else common_step(self.cost))
        self.answer: _Assigned | None = None

    def search(self, start: IntArray | None) -> None:
        """Start from the sites without capacities, price the demands, and hand what is left to the exact solver."""
        found = _start(self.problem, self.cost, start, self.options.seed)
        if found is not None:
            self._take(found, "interchange")
        self.best.done()
        forced = self._price()
        if not self.best.done():
            self._exact(forced)

    def _take(self, found: _Assigned, name: str) -> float:
        """Keep an answer where it is better; return its value."""
        assigned, flow = assignment(self.problem, found.shares)
        value = objective_of(self.problem, found.chosen, assigned, flow)
        if self.best.take(found.chosen, value, name):
            self.answer = found
        return value

    def _price(self) -> Forced:
        """Raise the bound for a fifth of the time; what was reached is kept whatever ends it."""
        prices = CapacityPrices(self.problem, self.cost, self.best.value)
        try:
            prices.climb(0.2 * self.options.time_limit_s if self.options.time_limit_s else 0.02)
        finally:
            self.best.tighten(prices.bound, "Lagrangian bound")
        return prices.forced()

    def _exact(self, forced: Forced) -> None:
        """Ask the exact solver for the best of what an answer better than the one known may use."""
        best, answer, m = self.best, self.answer, self.problem.shape[1]
        point = None if answer is None else np.r_[np.isin(np.arange(m), answer.chosen), answer.shares]
        least = 0.999 * best.step / best.value if 0 < best.value < math.inf else 0.0
        result = solve_mip(
            _model(self.problem, self.cost, forced, best.value),
            start=point,
            time_limit_s=max(0.0, self.options.time_limit_s - (time.perf_counter() - self.begun)),
            gap=max(self.options.gap, least),
            seed=self.options.seed,
            progress=self.options.progress,
        )
        best.interrupted = result.status == "interrupted"
        if result.values is None:
            return
        value = self._take(_Assigned(np.flatnonzero(result.values[:m] > 0.5), result.values[m:]), "HiGHS")
        best.tighten(value if result.status == "optimal" else result.bound, "HiGHS")


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


def _model(problem: Problem, cost: FloatArray, priced: Forced, upper: float) -> LinearModel:
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
