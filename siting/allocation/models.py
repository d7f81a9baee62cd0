"""The one way into every siting model: give a problem, get its solution."""

from __future__ import annotations

from siting.allocation.center import solve_center
from siting.allocation.cover import solve_cover
from siting.allocation.median import solve_median
from siting.allocation.options import SolveOptions
from siting.allocation.problem import IntArray, Problem
from siting.allocation.solution import Solution


def solve(problem: Problem, options: SolveOptions | None = None, *, start: IntArray | None = None) -> Solution:
    """Solve any siting problem.

    Parameters
    ----------
    problem
        What to choose, made by ``make_problem``.
    options
        Time limit, gap, seed, threads, progress.
    start
        Sites to start from.

    Returns
    -------
    Solution
        Checked against the problem, with its bound.

    Raises
    ------
    InfeasibleError
        If it cannot be done; says what blocks, and carries the best partial answer.
    SolverError
        If time ran out before any answer.
    """
    if problem.model == "p_median":
        return solve_median(problem, options, start)
    if problem.model == "p_center":
        return solve_center(problem, options, start)
    return solve_cover(problem, options, start)
