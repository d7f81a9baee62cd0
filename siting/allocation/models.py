"""The one way into every siting model: give a problem, get its solution."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from siting.allocation.accepted import accept_sites
from siting.allocation.center import search_center
from siting.allocation.cover import search_cover
from siting.allocation.median import search_median
from siting.allocation.options import SolveOptions
from siting.allocation.outcome import Search, solve_whole
from siting.allocation.problem import Model, Problem
from siting.allocation.solution import Solution
from siting.text import Progress, silent

SEARCHES: dict[Model, Search] = {
    "set_cover": search_cover,
    "max_cover": search_cover,
    "p_median": search_median,
    "p_center": search_center,
}


def solve(
    problem: Problem,
    *,
    start: ArrayLike | None = None,
    time_limit_s: float = 60.0,
    gap: float = 0.0,
    seed: int = 0,
    progress: Progress = silent,
) -> Solution:
    """Solve any siting problem.

    Parameters
    ----------
    problem
        What to choose, made by ``make_problem``.
    start
        Sites to start from: indices, or bool of shape (m,).
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
        Checked against the problem, with its bound.

    Raises
    ------
    ProblemError
        If a limit is negative or not a number, or the start is not of sites.
    InfeasibleError
        If it cannot be done; says what blocks, and carries the best partial answer.
    SolverError
        If time ran out before any answer.
    """
    options = SolveOptions(time_limit_s=time_limit_s, gap=gap, seed=seed, progress=progress)
    return solve_problem(problem, options, start)


def solve_problem(problem: Problem, options: SolveOptions, start: ArrayLike | None = None) -> Solution:
    """Solve any siting problem as :func:`solve` does, under limits that are already bundled."""
    first = None if start is None else np.flatnonzero(accept_sites("start", start, problem.shape[1]))
    return solve_whole(problem, options, first, search=SEARCHES[problem.model], search_cover=search_cover)
