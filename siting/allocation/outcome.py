"""What every model does around its own search: what blocks is said first, and the answer is checked at the end."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from scipy.sparse import csr_array

from siting.allocation.infeasible import Solver, require_reachable, require_room
from siting.allocation.options import SolveOptions
from siting.allocation.problem import Problem
from siting.allocation.solution import Solution, nearest_chosen, objective_of
from siting.arrays import IntArray


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the search of one model ended.

    Parameters
    ----------
    chosen
        Original indices of the sites in the answer, existing ones included, ascending.
    bound
        No answer is better than this; beyond the objective by rounding at most.
    proven
        Whether the bound is the objective itself.
    stopped
        Whether the search ended before it was done.
    interrupted
        Whether it was Ctrl-C that ended it.
    method
        What found the answer and what proved it.
    assigned
        The site of each demand, shape (n,); None for the nearest chosen one.
    flow
        The shares of a split demand; None where none is split.
    """

    chosen: IntArray
    bound: float
    proven: bool
    stopped: bool
    interrupted: bool
    method: str
    assigned: IntArray | None = None
    flow: csr_array | None = None


class Search(Protocol):
    """The search of one model, on a problem whose every demand has enough candidates in reach."""

    def __call__(
        self, problem: Problem, options: SolveOptions, start: IntArray | None, solve_part: Solver, /
    ) -> Outcome:
        """Search for the best answer and its bound.

        Parameters
        ----------
        problem
            Of that model; what must be chosen keeps the limits.
        options
            Time limit, gap, seed, threads, progress.
        start
            Sites to start from.
        solve_part
            Solves another problem with the same options; for the partial answer where there is no full one.

        Returns
        -------
        Outcome
            Of the whole problem, with ``flow`` where demands may be split.

        Raises
        ------
        InfeasibleError
            If limits, exclusions or capacities leave some demand out; says which.
        SolverError
            If time ran out before any answer.
        """
        ...


def solve_whole(
    problem: Problem, options: SolveOptions, start: IntArray | None, *, search: Search, search_cover: Search
) -> Solution:
    """Solve a problem by the search of its model.

    Parameters
    ----------
    problem
        What to choose.
    options
        Time limit, gap, seed, threads, progress.
    start
        Sites to start from.
    search, search_cover
        The search of the model, and that of a cover: where the problem cannot be done, the partial answer is one.

    Returns
    -------
    Solution
        Checked against the problem.

    Raises
    ------
    InfeasibleError
        If it cannot be done; says what blocks.
    SolverError
        If time ran out before any answer.
    """
    begun = time.perf_counter()

    def solve_part(part: Problem) -> Solution:
        own = search if part.model == problem.model else search_cover
        return solve_whole(part, options, None, search=own, search_cover=search_cover)

    require_room(problem, solve_part)
    if problem.model != "max_cover":
        require_reachable(problem, solve_part)
    found = search(problem, options, start, solve_part)
    assigned = nearest_chosen(problem, found.chosen)[0] if found.assigned is None else found.assigned
    objective = objective_of(problem, found.chosen, assigned, found.flow)
    possible = max(found.bound, objective) if problem.maximise else min(found.bound, objective)
    return Solution(
        problem=problem,
        chosen=found.chosen,
        assigned=assigned,
        objective=objective,
        bound=objective if found.proven else possible,
        stopped=found.stopped,
        seconds=time.perf_counter() - begun,
        seed=options.seed,
        method=found.method,
        flow=found.flow,
        interrupted=found.interrupted,
    ).check()
