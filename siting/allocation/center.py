"""p-center: the sites from which the farthest demand is nearest.

::

    minimise    r
    subject to  sum_j d_ij x_ij <= r           for every demand i
                sum_j x_ij = 1;   x_ij <= y_j
                sum_j y_j <= p;   sum_j c_j y_j <= budget;   x_ij, y_j 0 or 1

Source: Hakimi (1964), Operations Research 12; Minieka (1970), The m-center problem, SIAM Review 12: the answer is the
least distance of the matrix within which a cover by the allowed sites exists. That distance is found by bisection: for
a distance in question, local search on the cover says yes, row prices say no, the exact solver settles the rest.
Existing sites are open in every answer and not counted in p; of an exclusive group, and of two sites closer than the
minimum spacing, at most one is opened. Weights do not count. With capacities every demand is assigned within the
distance and within what each site can serve.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from siting.allocation.center_cover import Reached, cover_within
from siting.allocation.cover import search_cover
from siting.allocation.incumbent import Incumbent
from siting.allocation.infeasible import Solver, over_capacity
from siting.allocation.options import SolveOptions
from siting.allocation.outcome import Outcome, solve_whole
from siting.allocation.problem import Problem, make_problem
from siting.allocation.solution import Solution, nearest_chosen, objective_of
from siting.allocation.unserved import feasible_choice
from siting.arrays import FloatArray, IntArray
from siting.errors import SolverError
from siting.text import Progress, Text, silent


def p_center(
    cost: csr_array | ArrayLike,
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
    """Choose the sites within a number or a budget that make the longest distance to the nearest one least.

    Every demand must be served: with a sparse matrix, a pair that is not stored is out of reach. A stored 0 is a pair
    at one spot.

    Parameters
    ----------
    cost
        Distance of each demand (rows) to each candidate (columns), m, >= 0, shape (n, m): sparse, or dense with
        ``inf`` where out of reach.
    sites
        Largest number of new sites; None for no limit.
    site_cost
        Cost of each site, shape (m,), >= 0; 1 each by default. It counts against ``budget`` only.
    budget
        Largest total cost of new sites, in the unit of ``site_cost``; None for no limit.
    capacity
        What each site can serve, shape (m,) or one number; None for no limit.
    demand
        What each demand asks of a capacity, shape (n,); 1 each by default.
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
        Its objective is the longest distance from a demand to its site, m, its bound the least possible.

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
        "p_center",
        cost,
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
    return solve_whole(problem, options, None, search=search_center, search_cover=search_cover)


def search_center(problem: Problem, options: SolveOptions, start: IntArray | None, solve_part: Solver) -> Outcome:
    """Search a p-center; see :class:`~siting.allocation.outcome.Search` for what goes in and out."""
    run = _Bisection(problem, options, start)
    try:
        run.search()
    except KeyboardInterrupt:
        if run.answer is None:
            raise
        run.best.interrupted = True
    if run.answer is None and run.impossible:
        raise over_capacity(problem, solve_part)
    if run.answer is None:
        raise SolverError(
            Text(
                zh="在时间限制内没有找到能服务所有需求的方案；请放宽时间限制",
                en="no choice that serves everybody was met in time; allow more time",
            )
        )
    return run.best.outcome(run.answer.chosen, run.answer.assigned, run.answer.flow)


class _Bisection:
    """The distances in question, the best answer within one, and what is known of the others."""

    def __init__(self, problem: Problem, options: SolveOptions, start: IntArray | None) -> None:
        self.problem, self.options = problem, options
        self.seconds = min(options.time_limit_s, 3600.0)
        self.begun = time.perf_counter()
        self.answer: Reached | None = None
        self.impossible = False
        self.best = Incumbent(options, bound=_nearest_open(problem).max(initial=0.0))
        if problem.capacity is None:
            self._keep(_served(problem, self._first(start)), "set cover")
        self.radii = self._open_radii()
        self.low = 0

    def _first(self, start: IntArray | None) -> IntArray:
        """Return the start where it serves everybody within the limits, else any choice that does."""
        if start is not None and _allowed(self.problem, start):
            chosen = np.union1d(start, np.flatnonzero(self.problem.must))
            if (nearest_chosen(self.problem, chosen)[0] >= 0).all():
                return chosen
        return feasible_choice(self.problem, self.options)

    def search(self) -> None:
        """Halve the distances in question, first by what is quick, then by the exact solver."""
        for exact in (False, True) if self.problem.capacity is None else (True,):
            low, high = self.low, len(self.radii)
            while low < high and not self.best.done():
                if exact and self._left() <= 0 and (self.seconds or self.answer is not None):
                    return
                middle = (low + high) // 2
                known = self._ask(float(self.radii[middle]), exact)
                if self.answer is not None:
                    high = min(high, int(np.searchsorted(self.radii, self.best.value)))
                if known is True:
                    continue
                low = middle + 1
                if known is None and exact:
                    return
                if known is False:
                    self._exclude(middle)

    def _exclude(self, place: int) -> None:
        """Take a distance, and all below it, out of question."""
        if place + 1 <= self.low:
            return
        self.low = place + 1
        if self.low < len(self.radii):
            self.best.tighten(float(self.radii[self.low]), "bisection")
        elif self.answer is not None:
            self.best.tighten(self.best.value, "bisection")
        else:
            self.impossible = True

    def _ask(self, radius: float, exact: bool) -> bool | None:
        """Return whether everybody can be served within a distance, None where that is not known."""
        seconds = (self._left() if self.seconds else 5.0) if exact else self.seconds
        found = cover_within(self.problem, radius, self.options, seconds=seconds, exact=exact)
        self.best.interrupted |= found.interrupted
        if found.reached is not None:
            self._keep(found.reached, "HiGHS" if exact else "local search")
            return True
        return None if found.open else False

    def _keep(self, reached: Reached, name: str) -> None:
        value = objective_of(self.problem, reached.chosen, reached.assigned, reached.flow)
        if self.answer is None or value < self.best.value:
            self.answer = reached
        self.best.take(reached.chosen, value, name)

    def _left(self) -> float:
        return self.seconds - (time.perf_counter() - self.begun)

    def _open_radii(self) -> FloatArray:
        """Return the distances that the answer can have, ascending: from the bound to below the best known."""
        far = self.problem.pairs.data
        radii = np.unique(far[(far >= self.best.bound) & (far < self.best.value)])
        return radii if len(radii) or self.answer is not None else np.array([self.best.bound])


def _nearest_open(problem: Problem) -> FloatArray:
    """Return the distance of each demand to the nearest site that may be chosen."""
    return nearest_chosen(problem, np.flatnonzero(~problem.barred))[1]


def _served(problem: Problem, chosen: IntArray) -> Reached:
    return Reached(chosen, nearest_chosen(problem, chosen)[0], None)


def _allowed(problem: Problem, start: IntArray) -> bool:
    """Return whether a start, with what must be chosen, keeps the limits."""
    inside = problem.must.copy()
    inside[start] = True
    new = np.flatnonzero(inside & ~problem.existing)
    apart = problem.exclusions() @ inside.astype(np.float64)
    return bool(
        not (problem.barred & inside).any()
        and (problem.sites is None or len(new) <= problem.sites)
        and (problem.budget is None or problem.total_cost(new) <= problem.budget)
        and not (apart[new] > 0).any()
    )
