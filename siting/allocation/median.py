"""p-median: the sites from which all demand is nearest on the whole.

::

    minimise    sum_i w_i sum_j d_ij x_ij
    subject to  sum_j x_ij = 1                 for every demand i
                x_ij <= y_j                    for every pair in reach
                sum_j y_j <= p;   sum_j c_j y_j <= budget;   y_j 0 or 1, x_ij >= 0

Source: ReVelle and Swain (1970), Central facilities location, Geographical Analysis 2; Hakimi (1964), Operations
Research 12. Existing sites are open in every answer and not counted in p; of an exclusive group, and of two sites
closer than the minimum spacing, at most one is opened. With capacities see
:mod:`siting.allocation.capacitated_median`.

The way to an answer: greedy and fast interchange, iterated; a Lagrangian bound; then the exact solver on the sites and
pairs that an answer better than the one known may still use.
"""

from __future__ import annotations

import math
import time

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from siting.allocation.capacitated_median import search_capacitated_median
from siting.allocation.cover import search_cover
from siting.allocation.incumbent import Incumbent
from siting.allocation.infeasible import Solver
from siting.allocation.median_bound import (
    Priced,
    first_prices,
    raise_bound,
    survivors,
    survivors_model,
    survivors_start,
)
from siting.allocation.median_branch import branch_and_bound
from siting.allocation.median_core import FULL_PAIRS, MedianCore, median_core
from siting.allocation.median_search import MedianSearch
from siting.allocation.options import SolveOptions
from siting.allocation.outcome import Outcome, solve_whole
from siting.allocation.problem import Problem, make_problem
from siting.allocation.search import common_step
from siting.allocation.solution import Solution, nearest_chosen, objective_of
from siting.allocation.solve import solve_mip
from siting.allocation.unserved import feasible_choice
from siting.arrays import IntArray
from siting.errors import SolverError
from siting.text import Progress, silent

EXACT_SECONDS_PER_PAIR = 3e-4
"""The exact solver is called once this much time is there for each pair left."""

STEPS, FIRST_STEPS = 600, 100
"""Steps of the bound in a turn, and where there is no time."""

TURNS, LAST_TURN = (0.02, 0.06, 0.15, 0.3), 0.4
"""Share of the time that each turn may take; what is left is for the exact solver, or for one more turn."""

FIRST_TREE = 0.01
"""Share of the time for a tree before the first turn: where the first prices leave little, it ends the search."""

MOST_UNDECIDED = 300
"""Branch and bound is tried where at most this many sites are undecided."""


def p_median(
    cost: csr_array | ArrayLike,
    weights: ArrayLike | None = None,
    *,
    sites: int | None = None,
    site_cost: ArrayLike | None = None,
    budget: float | None = None,
    capacity: ArrayLike | None = None,
    demand: ArrayLike | None = None,
    split: bool = False,
    existing: ArrayLike | None = None,
    fixed: ArrayLike | None = None,
    forbidden: ArrayLike | None = None,
    exclusive: ArrayLike | None = None,
    conflicts: ArrayLike | None = None,
    time_limit_s: float = 60.0,
    gap: float = 0.0,
    seed: int = 0,
    progress: Progress = silent,
) -> Solution:
    """Choose the sites within a number or a budget that make the sum of weight × distance least.

    Every demand must be served: with a sparse matrix, a pair that is not stored is out of reach. A stored 0 is a pair
    at one spot.

    Parameters
    ----------
    cost
        Distance of each demand (rows) to each candidate (columns), m, >= 0, shape (n, m): sparse, or dense with
        ``inf`` where out of reach.
    weights
        Weight of each demand, shape (n,), >= 0; 1 each by default.
    sites
        Largest number of new sites; None for no limit.
    site_cost
        Cost of each site, shape (m,), >= 0; 1 each by default. It counts against ``budget`` only.
    budget
        Largest total cost of new sites, in the unit of ``site_cost``; None for no limit.
    capacity
        What each site can serve, shape (m,) or one number; None for no limit.
    demand
        What each demand asks of a capacity, shape (n,); its weight by default.
    split
        Whether a demand may be served by several sites where there are capacities.
    existing, fixed, forbidden
        Sites that are there (free, not counted in ``sites``), must be chosen, must not: indices or bool of shape (m,).
    exclusive
        Group of each site, shape (m,); at most one of a group is chosen; "", -1 or None for no group.
    conflicts
        Pairs of sites of which at most one is chosen, shape (k, 2); see ``spacing_conflicts``.
    time_limit_s
        Longest time for the whole solve, s, >= 0; at 0 only the quick heuristic and the quick bound are run.
    gap
        Relative gap between answer and bound at which to stop, share, >= 0; at 0 the answer is proven, time allowing.
    seed
        Seed of every random choice, >= 0; the same seed gives the same answer.
    progress
        Told what is being done and the gap so far.

    Returns
    -------
    Solution
        Its objective is the sum of weight × distance, its bound the least that any choice within the limits costs.

    Raises
    ------
    ProblemError
        If the input makes no sense.
    InfeasibleError
        If not every demand can be served; says which and why, and carries the best partial answer.
    SolverError
        If time ran out before any full answer.
    """
    problem = make_problem(
        "p_median",
        cost,
        weights=weights,
        cost=site_cost,
        sites=sites,
        budget=budget,
        capacity=capacity,
        demand=demand,
        split=split,
        existing=existing,
        fixed=fixed,
        forbidden=forbidden,
        exclusive=exclusive,
        conflicts=conflicts,
    )
    options = SolveOptions(time_limit_s=time_limit_s, gap=gap, seed=seed, progress=progress)
    return solve_whole(problem, options, None, search=search_median, search_cover=search_cover)


def search_median(problem: Problem, options: SolveOptions, start: IntArray | None, solve_part: Solver) -> Outcome:
    """Search a p-median; see :class:`~siting.allocation.outcome.Search` for what goes in and out."""
    if problem.capacity is not None:
        return search_capacitated_median(problem, options, start, solve_part)
    begun = time.perf_counter()
    core = median_core(problem, threads=options.thread_count)
    run = _Run(core, options, begun)
    run.search(start)
    return run.best.outcome(core.whole(np.zeros(0, dtype=np.int64) if run.best.chosen is None else run.best.chosen))


class _Run:
    """One search under way, in the values of the whole problem (the core's constant included)."""

    def __init__(self, core: MedianCore, options: SolveOptions, begun: float) -> None:
        self.core, self.options, self.begun = core, options, begun
        self.seconds = min(options.time_limit_s, 3600.0)
        step = _step_of(core)
        self.best = Incumbent(options, step=step, bound=core.constant)
        self.prices: Priced | None = None

    def search(self, start: IntArray | None) -> None:
        """Greedy, prices, then in turn local search and prices until the exact solver can take over."""
        core, best = self.core, self.best
        if not len(core.rows) or not core.open_limit:
            self._settle()
            return
        self.local = MedianSearch(core, self.options.seed)
        self.local.greedy(None if start is None else core.part(start))
        self._take("greedy")
        if best.chosen is None:
            self.local.greedy()
            self._take("greedy")
        if best.chosen is None:
            chosen, value = self._any_choice()
            best.take(chosen, value, "set cover")
            self.local.offer(chosen)
            self._take("interchange")
        try:
            self._improve()
        except KeyboardInterrupt:
            best.interrupted = True

    def _improve(self) -> None:
        """Take turns until the gap asked is reached or the work is done."""
        best = self.best
        self._price(FIRST_STEPS if not self.seconds else STEPS)
        if not best.done() and self.seconds:
            self._prove(FIRST_TREE * self.seconds)
        for share in TURNS:
            if best.done() or not self.seconds:
                return
            self._turn(share * self.seconds)
        if not best.done() and not self._exact():
            self._turn(LAST_TURN * self.seconds)

    def _settle(self) -> None:
        """Take the settled sites where nothing is left to decide."""
        nothing = np.zeros(0, dtype=np.int64)
        value = self._value(nothing)
        if math.isinf(value):
            nothing, value = self._any_choice()
        self.best.take(nothing, value, "settled")
        self.best.tighten(value, "settled")

    def _any_choice(self) -> tuple[IntArray, float]:
        """Return a choice that serves every demand, or raise why there is none."""
        chosen = self.core.part(feasible_choice(self.core.problem, self.options))
        return chosen, self._value(chosen)

    def _turn(self, seconds: float) -> None:
        """Search, raise the bound, and try to close the gap."""
        best = self.best
        left = min(seconds, self.seconds - (time.perf_counter() - self.begun))
        if left <= 0:
            return
        clock = self.local.go_on(left / 3, left / 12, self._target())
        best.interrupted |= clock.interrupted
        self._take("interchange")
        if best.done():
            return
        self._price(STEPS, left / 3)
        if not best.done():
            self._prove(left / 3)

    def _prove(self, seconds: float) -> None:
        """Try the sites that the prices like best, then the tree on what survives where that is little."""
        core, best = self.core, self.best
        assert self.prices is not None
        self.local.offer(np.sort(np.argsort(-self.prices.often, kind="stable")[: core.open_limit]))
        self._take("interchange")
        alive = survivors(core, self.prices, best.value - core.constant, MOST_UNDECIDED)
        if best.done() or alive is None:
            return
        found = branch_and_bound(
            core, alive, self.prices.prices, best.value, step=best.step, gap=self.options.gap, seconds=seconds
        )
        if found is not None:
            best.interrupted |= found.interrupted
            if found.chosen is not None:
                best.take(found.chosen, self._value(found.chosen), "branch and bound")
                self.local.offer(found.chosen)
            best.tighten(found.bound, "branch and bound")

    def _price(self, steps: int, seconds: float = math.inf) -> None:
        core, best = self.core, self.best
        upper = best.value - core.constant
        assert best.chosen is not None
        start = first_prices(core, best.chosen) if self.prices is None else self.prices.prices
        priced = raise_bound(
            core,
            start,
            upper,
            best.target - core.constant,
            steps=steps,
            seconds=seconds,
            deadline=self.begun + self.seconds if self.seconds else math.inf,
        )
        best.interrupted |= priced.interrupted
        if self.prices is None or priced.bound > self.prices.bound:
            self.prices = priced
        best.tighten(priced.bound + core.constant, "Lagrangian bound")

    def _exact(self) -> bool:
        """Hand what survives to the exact solver, with the best so far as its start; return whether there was time."""
        core, best = self.core, self.best
        assert self.prices is not None
        assert best.chosen is not None
        most = len(core.sites) if core.problem.pairs.nnz <= FULL_PAIRS else MOST_UNDECIDED
        alive = survivors(core, self.prices, best.value - core.constant, most)
        left = self.seconds - (time.perf_counter() - self.begun)
        if alive is None or left < EXACT_SECONDS_PER_PAIR * len(alive.rows):
            return False
        scale = max(1.0, (best.value - core.constant) / 1e5)
        gap = max(self.options.gap, 0.999 * best.step / max(best.value, 1e-9))
        try:
            result = solve_mip(
                survivors_model(core, alive, scale),
                start=survivors_start(alive, best.chosen),
                time_limit_s=left,
                gap=gap,
                seed=self.options.seed,
                progress=self.options.progress,
            )
        except SolverError:
            return False
        best.interrupted |= result.status == "interrupted"
        if result.values is None:
            best.tighten(best.value, "HiGHS")
            return True
        opened = alive.undecided[result.values[: len(alive.undecided)] > 0.5]
        chosen = np.sort(np.concatenate([alive.opened, opened]))
        best.take(chosen, self._value(chosen), "HiGHS")
        best.tighten(best.value if result.status == "optimal" else result.bound * scale + core.constant, "HiGHS")
        best.done()
        return True

    def _target(self) -> float:
        """Return the value on the core that closes the gap asked."""
        gap = min(self.options.gap, 0.99)
        return self.best.bound / (1 - gap) - self.core.constant + 1e-12 * abs(self.best.bound)

    def _take(self, name: str) -> None:
        """Keep what the local search has where it is new."""
        chosen = self.local.chosen
        if self.best.chosen is not None and np.array_equal(chosen, self.best.chosen):
            return
        self.best.take(chosen, self._value(chosen), name)

    def _value(self, chosen: IntArray) -> float:
        """Return the objective of a choice of free sites, ``inf`` where it leaves demand out."""
        problem = self.core.problem
        whole = self.core.whole(chosen)
        assigned, _ = nearest_chosen(problem, whole)
        return objective_of(problem, whole, assigned) if (assigned >= 0).all() else math.inf


def _step_of(core: MedianCore) -> float:
    """Return a number that divides the difference of any two values, 0 where there is none."""
    finite = core.default[np.isfinite(core.default)]
    if len(core.lists.row_cost) > 2_000_000 or (finite != np.rint(finite)).any():
        return 0.0
    pairs = core.problem.pairs
    cost = np.repeat(core.problem.weights, np.diff(pairs.indptr)) * pairs.data
    return common_step(cost)
