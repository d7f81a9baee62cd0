"""Set cover and max cover, with and without capacities.

Set cover (LSCP: Toregas, Swain, ReVelle and Bergman 1971, Operations Research 19)::

    minimise    sum_j c_j x_j
    subject to  sum_{j in reach of i} x_j >= b_i   for every demand i;   x_j 0 or 1

Max cover (MCLP: Church and ReVelle 1974, Papers of the Regional Science Association 32)::

    maximise    sum_i w_i z_i
    subject to  b_i z_i <= sum_{j in reach of i} x_j;   sum_j x_j <= p;   sum_j c_j x_j <= budget;   x_j, z_i 0 or 1

b_i is 1, or 2 for backup cover (after Hogan and ReVelle 1986, Management Science 32). With capacities (Current and
Storbeck 1988, Environment and Planning B 15) demand q_i is assigned, and what a site is given stays within its
capacity; see :mod:`siting.allocation.capacitated_cover`. Existing sites are in every answer and cost nothing; of an
exclusive group, and of two sites closer than the minimum spacing, at most one is chosen.
"""

from __future__ import annotations

import time

from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from siting.allocation.capacitated_cover import search_capacitated_cover
from siting.allocation.infeasible import Solver, unsatisfied
from siting.allocation.options import SolveOptions
from siting.allocation.outcome import Outcome, solve_whole
from siting.allocation.problem import Problem, make_problem
from siting.allocation.reduce import cover_core
from siting.allocation.search import search_core
from siting.allocation.solution import Solution
from siting.arrays import IntArray
from siting.text import Progress, silent


def set_cover(
    covers: csr_array | ArrayLike,
    *,
    cost: ArrayLike | None = None,
    capacity: ArrayLike | None = None,
    demand: ArrayLike | None = None,
    split: bool = False,
    level: int | ArrayLike = 1,
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
    """Choose the cheapest sites that have every demand in reach (LSCP).

    A stored 0 of a sparse matrix is a pair at one spot, and in reach.

    Parameters
    ----------
    covers
        Demand × candidates, shape (n, m): sparse (stored pairs are in reach) or bool.
    cost
        Cost of each site, shape (m,), >= 0; 1 each by default: the fewest sites.
    capacity
        What each site can serve, shape (m,) or one number; None for no limit.
    demand
        What each demand asks of a capacity, shape (n,); 1 each by default.
    split
        Whether a demand may be served by several sites where there are capacities.
    level
        How many sites must have a demand in reach, one whole number or shape (n,); 2 for backup cover.
    existing, fixed, forbidden
        Sites that are there (free of cost), must be chosen, must not: indices or bool of shape (m,).
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
        Its objective is the cost of the new sites, its bound the least that any cover costs.

    Raises
    ------
    ProblemError
        If the input makes no sense.
    InfeasibleError
        If some demand cannot be covered; names it, and carries the best partial cover.
    SolverError
        If time ran out before any cover was met.
    """
    problem = make_problem(
        "set_cover",
        covers,
        cost=cost,
        capacity=capacity,
        demand=demand,
        split=split,
        level=level,
        existing=existing,
        fixed=fixed,
        forbidden=forbidden,
        exclusive=exclusive,
        conflicts=conflicts,
    )
    options = SolveOptions(time_limit_s=time_limit_s, gap=gap, seed=seed, progress=progress)
    return solve_whole(problem, options, None, search=search_cover, search_cover=search_cover)


def max_cover(
    covers: csr_array | ArrayLike,
    weights: ArrayLike | None = None,
    *,
    sites: int | None = None,
    cost: ArrayLike | None = None,
    budget: float | None = None,
    capacity: ArrayLike | None = None,
    demand: ArrayLike | None = None,
    split: bool = False,
    level: int | ArrayLike = 1,
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
    """Choose the sites within a number or a budget that have the most weight in reach (MCLP).

    A stored 0 of a sparse matrix is a pair at one spot, and in reach.

    Parameters
    ----------
    covers
        Demand × candidates, shape (n, m): sparse (stored pairs are in reach) or bool.
    weights
        What each demand is worth when covered, shape (n,), >= 0; 1 each by default.
    sites
        Largest number of new sites; None for no limit.
    cost
        Cost of each site, shape (m,), >= 0; 1 each by default.
    budget
        Largest total cost of new sites, in the unit of ``cost``; None for no limit.
    capacity
        What each site can serve, shape (m,) or one number; None for no limit.
    demand
        What each demand asks of a capacity, shape (n,); its weight by default.
    split
        Whether a demand may be served by several sites where there are capacities; it then counts in part.
    level
        How many sites must have a demand in reach for it to count, one whole number or shape (n,); 2 for backup cover.
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
        Its objective is the weight covered, its bound the most that any choice within the limits covers.

    Raises
    ------
    ProblemError
        If the input makes no sense.
    InfeasibleError
        If the fixed sites alone break a limit; says which.
    SolverError
        If the solver failed.
    """
    problem = make_problem(
        "max_cover",
        covers,
        weights=weights,
        sites=sites,
        cost=cost,
        budget=budget,
        capacity=capacity,
        demand=demand,
        split=split,
        level=level,
        existing=existing,
        fixed=fixed,
        forbidden=forbidden,
        exclusive=exclusive,
        conflicts=conflicts,
    )
    options = SolveOptions(time_limit_s=time_limit_s, gap=gap, seed=seed, progress=progress)
    return solve_whole(problem, options, None, search=search_cover, search_cover=search_cover)


def search_cover(problem: Problem, options: SolveOptions, start: IntArray | None, solve_part: Solver) -> Outcome:
    """Search a set cover or max cover; see :class:`~siting.allocation.outcome.Search` for what goes in and out."""
    begun = time.perf_counter()
    if problem.capacity is not None:
        return search_capacitated_cover(problem, options, start, solve_part)
    core = cover_core(problem)
    answer = search_core(core.problem, options, None if start is None else core.part(start), begun)
    if answer.chosen is None:
        raise unsatisfied(problem, solve_part)
    return Outcome(
        chosen=core.whole(answer.chosen),
        bound=answer.bound + core.constant,
        proven=answer.bound == answer.value,
        stopped=answer.stopped,
        interrupted=answer.interrupted,
        method=answer.method,
    )
