"""Capacitated p-median: every demand assigned, and no site given more than it can serve.

::

    minimise    sum_ij w_i d_ij x_ij
    subject to  sum_j x_ij = 1                 for every demand i
                sum_i q_i x_ij <= Q_j y_j      for every site j
                x_ij <= y_j;   sum_j y_j <= p;   sum_j c_j y_j <= budget
                y_j 0 or 1;    x_ij 0 or 1, or a share of the demand where it may be split

Source: Mulvey and Beck (1984), Solving capacitated clustering problems, European Journal of Operational Research 18.
A start comes from the sites without capacities and is improved by local search
(:mod:`siting.allocation.capacity_search`); prices on the demands, with a knapsack at each site, give a bound
(:mod:`siting.allocation.capacity_prices`); what an answer better than the one known cannot use is left out, and the
exact solver does the rest.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from siting.allocation.capacitated_cover import assignment
from siting.allocation.capacity_prices import CapacityPrices, Forced
from siting.allocation.capacity_search import Assigned, CapacitySearch
from siting.allocation.cover_models import capacitated_cover_model, limit_rows
from siting.allocation.incumbent import Incumbent
from siting.allocation.infeasible import Solver, over_capacity
from siting.allocation.linear import LinearModel
from siting.allocation.options import SolveOptions
from siting.allocation.outcome import Outcome
from siting.allocation.problem import Problem
from siting.allocation.search import common_step
from siting.allocation.solution import objective_of
from siting.allocation.solve import solve_mip
from siting.arrays import BoolArray, FloatArray, IntArray


def search_capacitated_median(
    problem: Problem, options: SolveOptions, start: IntArray | None, solve_part: Solver
) -> Outcome:
    """Search a p-median with capacities; see :class:`~siting.allocation.outcome.Search` for what goes in and out."""
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


class _Run:
    """One search under way; without an answer at its end, there is none."""

    def __init__(self, problem: Problem, options: SolveOptions) -> None:
        self.problem, self.options = problem, options
        self.begun = time.perf_counter()
        self.cost = problem.weights[_rows(problem)] * problem.pairs.data
        self.best = Incumbent(options, step=0.0 if problem.split else common_step(self.cost))
        self.answer: Assigned | None = None

    def search(self, start: IntArray | None) -> None:
        """Start, price the demands, search locally, and hand what is left to the exact solver."""
        local = CapacitySearch(self.problem, self.cost, self.options.seed)
        local.start(start)
        self._take(local.found, "interchange")
        prices = CapacityPrices(self.problem, self.cost, self.best.value)
        self._price(prices)
        if not self.best.done() and self.options.time_limit_s:
            self._improve(local, prices)
        if not self.best.done():
            self._exact(prices.forced())

    def _improve(self, local: CapacitySearch, prices: CapacityPrices) -> None:
        """Search locally for a tenth of the time, and let the prices climb on towards what it found."""
        before = self.best.value
        self.best.interrupted = local.go_on(0.1 * self.options.time_limit_s, self.best.target)
        self._take(local.found, "local search")
        if self.best.value < before and not self.best.done():
            prices.aim_at(self.best.value)
            self._price(prices)

    def _take(self, found: Assigned | None, name: str) -> None:
        """Keep an answer where it is better."""
        if found is None:
            return
        assigned, flow = assignment(self.problem, found.shares)
        if self.best.take(found.chosen, objective_of(self.problem, found.chosen, assigned, flow), name):
            self.answer = found

    def _price(self, prices: CapacityPrices) -> None:
        """Raise the bound for a fifth of the time at most; what was reached is kept whatever ends it."""
        try:
            prices.climb(0.2 * self.options.time_limit_s if self.options.time_limit_s else 0.02)
        finally:
            self.best.tighten(prices.bound, "Lagrangian bound")

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
        self._take(Assigned(np.flatnonzero(result.values[:m] > 0.5), result.values[m:]), "HiGHS")
        best.tighten(best.value if result.status == "optimal" else result.bound, "HiGHS")


def _rows(problem: Problem) -> IntArray:
    return np.repeat(np.arange(problem.shape[0]), np.diff(problem.pairs.indptr))


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
