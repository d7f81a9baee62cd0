"""Capacitated set cover and max cover (Current and Storbeck 1988, Environment and Planning B 15).

::

    minimise    sum_j c_j x_j                 (set cover)      or maximise  sum_ij w_i y_ij   (max cover)
    subject to  sum_j y_ij = 1  (set cover)   or  <= 1  (max cover)         for every demand i
                sum_i q_i y_ij <= Q_j x_j     for every site j
                y_ij <= x_j                   for every pair in reach
                x_j 0 or 1;  y_ij 0 or 1, or a share of the demand where it may be split
"""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from siting.allocation.cover_models import capacitated_cover_model
from siting.allocation.infeasible import Solver, over_capacity
from siting.allocation.lagrangian import best_sites, max_cover_bound, set_cover_bound
from siting.allocation.options import SolveOptions
from siting.allocation.outcome import Outcome
from siting.allocation.problem import Problem, inner
from siting.allocation.reduce import cover_core
from siting.allocation.search import common_step
from siting.allocation.solution import objective_of
from siting.allocation.solve import MipResult, solve_mip
from siting.arrays import BoolArray, FloatArray, IntArray
from siting.exact import FEASIBILITY, PROVEN_SHARE, relative_gap

QUICK_STEPS = 300
"""Steps of the row prices of the cover without capacities."""


def search_capacitated_cover(
    problem: Problem, options: SolveOptions, start: IntArray | None, solve_part: Solver
) -> Outcome:
    """Search a cover with capacities; see :class:`~siting.allocation.outcome.Search` for what goes in and out."""
    begun = time.perf_counter()
    model = capacitated_cover_model(problem)
    shares = greedy_shares(problem, start)
    point = np.r_[_opened(problem, shares), shares]
    full = model.violation(point) <= FEASIBILITY
    known, interrupted = (math.inf if problem.maximise else 0.0), False
    try:
        known = quick_bound(problem)
    except KeyboardInterrupt:
        if not full:
            raise
        interrupted = True
    closed = full and relative_gap(abs(model.value(point)), known) <= max(options.gap, PROVEN_SHARE)
    left = 0.0 if closed or interrupted else max(0.0, options.time_limit_s - (time.perf_counter() - begun))
    result = solve_mip(
        model, start=point, time_limit_s=left, gap=options.gap, seed=options.seed, progress=options.progress
    )
    if result.status == "infeasible":
        raise over_capacity(problem, solve_part)
    proof = "row prices" if closed else "HiGHS"
    found = _outcome(problem, options, result, known, "greedy" if interrupted else f"greedy + {proof}")
    return replace(found, interrupted=found.interrupted or interrupted)


def _outcome(problem: Problem, options: SolveOptions, result: MipResult, known: float, method: str) -> Outcome:
    """Return what the exact solver left, with the better of its bound and one known before."""
    m, sign = problem.shape[1], -1.0 if problem.maximise else 1.0
    chosen = np.flatnonzero(result.found[:m] > 0.5)
    assigned, flow = assignment(problem, result.found[m:])
    objective = objective_of(problem, chosen, assigned, flow)
    bound = _bound(problem, max(result.bound, sign * known), objective)
    return Outcome(
        chosen=chosen,
        bound=bound,
        proven=bound == objective,
        stopped=relative_gap(objective, bound) > max(options.gap, PROVEN_SHARE),
        interrupted=result.status == "interrupted",
        method=method,
        assigned=assigned,
        flow=flow,
    )


def quick_bound(problem: Problem) -> float:
    """Return a bound on a cover with capacities from two simpler problems: without them, and with nothing but them.

    Without capacities it is a plain cover, bounded by row prices. With nothing but capacities, the chosen sites
    together must hold what is served, wherever it is.

    Parameters
    ----------
    problem
        A set cover or max cover with capacities.

    Returns
    -------
    float
        No answer costs less (set cover), or serves more weight (max cover).
    """
    core = cover_core(replace(problem, capacity=None, split=False))
    if not problem.maximise:
        plain = set_cover_bound(core.problem, math.inf, steps=QUICK_STEPS).bound
        return max(plain + core.constant, _cheapest_room(problem))
    plain = max_cover_bound(core.problem, 0.0, steps=QUICK_STEPS).bound
    return min(plain + core.constant, _most_weight_in_room(problem))


def _cheapest_room(problem: Problem) -> float:
    """Return the least cost of sites (the last one in part) whose capacities together hold all demand."""
    capacity = np.zeros(problem.shape[1]) if problem.capacity is None else problem.capacity
    lacking = float(problem.demand.sum() - capacity[problem.must].sum())
    spent = problem.total_cost(np.flatnonzero(problem.must))
    useful = np.flatnonzero(problem.free & (capacity > 0))
    order = useful[np.argsort(problem.cost[useful] / capacity[useful], kind="stable")]
    before = np.cumsum(capacity[order]) - capacity[order]
    taken = np.clip((lacking - before) / capacity[order], 0.0, 1.0)
    return spent + inner(taken, problem.cost[order])


def _most_weight_in_room(problem: Problem) -> float:
    """Return the most weight (the last demand in part) that fits the capacities of the best sites within the limits."""
    capacity = np.zeros(problem.shape[1]) if problem.capacity is None else problem.capacity
    room = inner(best_sites(problem, capacity), capacity)
    free_of_charge = float(problem.weights[problem.demand == 0].sum())
    asking = np.flatnonzero(problem.demand > 0)
    order = asking[np.argsort(-problem.weights[asking] / problem.demand[asking], kind="stable")]
    before = np.cumsum(problem.demand[order]) - problem.demand[order]
    part = np.clip((room - before) / problem.demand[order], 0.0, 1.0)
    return free_of_charge + inner(part, problem.weights[order])


def greedy_shares(problem: Problem, start: IntArray | None = None) -> FloatArray:
    """Return the share of each pair in reach under greedy: open the site that serves most per cost, fill it, go on.

    Parameters
    ----------
    problem
        A cover with capacities.
    start
        Sites to open first, besides those in every answer.

    Returns
    -------
    FloatArray
        One share per stored pair of ``problem.pairs``, in its order.
    """
    n, m = problem.shape
    columns = csr_array(problem.pairs.T)
    pair_of = csr_array((np.arange(problem.pairs.nnz), problem.pairs.indices, problem.pairs.indptr), shape=(n, m)).T
    place = csr_array(pair_of).data.astype(np.int64)
    state = _Filling(problem, columns, place)
    first = np.flatnonzero(problem.must)
    for given in first if start is None else np.union1d(first, start):
        if problem.must[given] or state.fits[given]:
            state.open_site(int(given))
    while (site := state.next_site()) >= 0:
        state.open_site(site)
    return state.shares


class _Filling:
    """Sites opened so far, what each demand still lacks, and which sites still fit the limits."""

    def __init__(self, problem: Problem, columns: csr_array, place: IntArray) -> None:
        self.problem, self.columns, self.place = problem, columns, place
        self.capacity = np.zeros(problem.shape[1]) if problem.capacity is None else problem.capacity
        self.shares = np.zeros(problem.pairs.nnz)
        self.lacking = np.ones(problem.shape[0])
        self.fits: BoolArray = problem.free.copy()
        self.room = math.inf if problem.sites is None else float(problem.sites)
        self.money = math.inf if problem.budget is None else problem.budget * (1 + 1e-9)
        self.apart = problem.exclusions()
        self.degree = np.diff(problem.pairs.indptr)
        self.worth = (
            problem.weights if problem.maximise else problem.demand + 1e-6 * (1 + problem.demand.max(initial=0.0))
        )

    def next_site(self) -> int:
        """Return the site that serves most (per cost, where cost counts), lower index on a tie; -1 where none helps."""
        problem = self.problem
        allowed = self.fits & (problem.cost <= self.money) & (self.room >= 1)
        if not self.lacking.any() or not allowed.any():
            return -1
        rows = self.columns.indices
        sites = np.repeat(np.arange(problem.shape[1]), np.diff(self.columns.indptr))
        asked = np.bincount(sites, (problem.demand * self.lacking)[rows], minlength=problem.shape[1])
        served = np.bincount(sites, (self.worth * self.lacking)[rows], minlength=problem.shape[1])
        part = np.minimum(1.0, self.capacity / np.maximum(asked, 1e-300))
        per = problem.cost + 1e-9 if not problem.maximise or problem.budget is not None else 1.0
        value = np.where(allowed, served * part / per, 0.0)
        best = int(value.argmax())
        return best if value[best] > 0 else -1

    def open_site(self, site: int) -> None:
        """Open a site and fill it with the demand that has the fewest other sites."""
        problem = self.problem
        inside = slice(self.columns.indptr[site], self.columns.indptr[site + 1])
        rows, place = self.columns.indices[inside], self.place[inside]
        left = self.capacity[site]
        for t in np.lexsort((rows, self.degree[rows])):
            row, asked = rows[t], problem.demand[rows[t]]
            part = float(self.lacking[row]) if asked <= left else 0.0
            if problem.split and asked > 0:
                part = min(float(self.lacking[row]), left / asked)
            if part > 0:
                self.shares[place[t]] = part
                self.lacking[row] -= part
                left -= part * asked
        self.fits[site] = False
        self.fits[self.apart.indices[self.apart.indptr[site] : self.apart.indptr[site + 1]]] = False
        if not problem.existing[site]:
            self.room -= 1
            self.money -= problem.cost[site]


def _opened(problem: Problem, shares: FloatArray) -> FloatArray:
    """Return 1 for each site that serves somebody or is in every answer."""
    opened = problem.must.astype(np.float64)
    opened[problem.pairs.indices[shares > 0]] = 1.0
    return opened


def assignment(problem: Problem, shares: FloatArray) -> tuple[IntArray, csr_array | None]:
    """Return the site that serves most of each demand, and the shares where they may be split."""
    n = problem.shape[0]
    rows = np.repeat(np.arange(n), np.diff(problem.pairs.indptr))
    kept = np.flatnonzero(shares > (1e-9 if problem.split else 0.5))
    order = kept[np.lexsort((problem.pairs.indices[kept], -shares[kept], rows[kept]))]
    served, first = np.unique(rows[order], return_index=True)
    assigned = np.full(n, -1, dtype=np.int64)
    assigned[served] = problem.pairs.indices[order][first]
    if not problem.split:
        return assigned, None
    return assigned, csr_array((shares[kept], (rows[kept], problem.pairs.indices[kept])), shape=problem.pairs.shape)


def _bound(problem: Problem, reported: float, objective: float) -> float:
    """Return the bound in the sense of the problem, rounded to a value that an answer can have."""
    sign = -1.0 if problem.maximise else 1.0
    floor = -float(problem.weights.sum()) if problem.maximise else 0.0
    bound = max(reported, floor)
    step = (
        0.0
        if problem.maximise and problem.split
        else common_step(problem.weights if problem.maximise else problem.cost)
    )
    if step:
        bound = max(bound, math.ceil((bound - 1e-6 * max(1.0, abs(bound))) / step) * step)
    close = bound > sign * objective - (1e-6 if problem.split else 1e-9) * max(1.0, abs(objective))
    return objective if close else sign * bound
