"""When a number of sites cannot serve everybody: a choice that does, or what is missing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array, vstack

from siting.allocation.cover import search_cover
from siting.allocation.cover_models import limit_rows, pattern
from siting.allocation.linear import LinearModel
from siting.allocation.options import SolveOptions
from siting.allocation.outcome import solve_whole
from siting.allocation.problem import Problem
from siting.allocation.solution import Solution
from siting.allocation.solve import solve_mip
from siting.arrays import IntArray
from siting.errors import InfeasibleError
from siting.text import Text

SHOWN = 20
"""Demands left out that are spelt out one by one; the rest is counted."""


def feasible_choice(problem: Problem, options: SolveOptions) -> IntArray:
    """Return sites within the limits that have every demand in reach.

    Parameters
    ----------
    problem
        A p-median or p-center whose every demand has a candidate in reach.
    options
        Time limit, seed.

    Returns
    -------
    IntArray
        Original indices, the settled sites included.

    Raises
    ------
    InfeasibleError
        If there is no such choice: how many sites (or how much money) it takes, who is left out at best.
    SolverError
        If time ran out before that was known.
    """
    n, m = problem.shape
    limits, upper = limit_rows(problem)
    none_asked = np.full(len(upper), -np.inf)
    model = LinearModel(
        cost=(~problem.existing).astype(np.float64),
        matrix=csr_array(vstack([pattern(problem), limits])),
        row_lower=np.r_[np.ones(n), none_asked],
        row_upper=np.r_[np.full(n, np.inf), upper],
        col_lower=problem.must.astype(np.float64),
        col_upper=(~problem.barred).astype(np.float64),
        integral=np.ones(m, dtype=np.bool_),
    )
    quick = _few_sites(problem, options)
    if quick is not None:
        return quick
    result = solve_mip(model, time_limit_s=max(options.time_limit_s, 5.0), gap=1.0, seed=options.seed)
    if result.values is None:
        raise too_few(problem, options)
    return np.flatnonzero(result.values > 0.5)


def too_few(problem: Problem, options: SolveOptions) -> InfeasibleError:
    """Return the error for limits that leave some demand out, with the least that would do and the best within them.

    Parameters
    ----------
    problem
        A p-median or p-center, proven to have no full answer though every demand has a candidate in reach.
    options
        Time limit, seed.

    Returns
    -------
    InfeasibleError
        Its partial answer serves the most demands within the limits.
    """
    most = replace(problem, model="max_cover", weights=np.ones(problem.shape[0]), capacity=None)
    partial = solve_whole(most, options, None, search=search_cover, search_cover=search_cover)
    blocks = _least_needed(problem, options)
    left = partial.uncovered
    blocks += [
        Text(zh=f"需求 {i} 不在所选站点的范围内", en=f"demand {i} is out of reach of the best choice")
        for i in left[:SHOWN]
    ]
    if len(left) > SHOWN:
        blocks.append(Text(zh=f"另有 {len(left) - SHOWN} 处", en=f"and {len(left) - SHOWN} more"))
    return InfeasibleError(
        Text(
            zh=f"在限制之内不能服务所有需求；至少 {len(left)} 处落空。{blocks[0].zh}",
            en=f"the limits leave {len(left)} demands out at best: {blocks[0].en}",
        ),
        blocks=blocks,
        partial=partial,
    )


def _few_sites(problem: Problem, options: SolveOptions) -> IntArray | None:
    """Return the set cover of fewest sites where it is within the limits."""
    try:
        found = _cover(problem, options, by_money=False)
    except InfeasibleError:
        return None
    within = problem.sites is None or len(found.new_sites) <= problem.sites
    affordable = problem.budget is None or problem.total_cost(found.chosen) <= problem.budget
    return found.chosen if within and affordable else None


def _least_needed(problem: Problem, options: SolveOptions) -> list[Text]:
    """Say how many sites, or how much money, it takes to serve everybody."""
    try:
        fewest = _cover(problem, options, by_money=False)
        cheapest = _cover(problem, options, by_money=True)
    except InfeasibleError as error:
        return [error.text]
    blocks = []
    if problem.sites is not None and fewest.bound > problem.sites + 1e-6:
        blocks.append(
            Text(
                zh=f"服务所有需求至少要 {fewest.bound:g} 处新站点，最多允许 {problem.sites} 处",
                en=f"at least {fewest.bound:g} new sites are needed to reach everybody, {problem.sites} are allowed",
            )
        )
    if problem.budget is not None and cheapest.bound > problem.budget * (1 + 1e-9):
        blocks.append(
            Text(
                zh=f"服务所有需求至少要 {cheapest.bound:g}，预算只有 {problem.budget:g}",
                en=f"reaching everybody costs at least {cheapest.bound:g}, the budget is {problem.budget:g}",
            )
        )
    return blocks or [
        Text(
            zh="数量、预算、互斥组与最小间距合起来不够",
            en="number, budget, exclusive groups and spacing together do not suffice",
        )
    ]


def _cover(problem: Problem, options: SolveOptions, *, by_money: bool) -> Solution:
    cost = problem.cost if by_money else (~problem.existing).astype(np.float64)
    quick = replace(options, time_limit_s=max(5.0, options.time_limit_s), gap=0.0)
    cover = replace(problem, model="set_cover", cost=cost, sites=None, budget=None, capacity=None)
    return solve_whole(cover, quick, None, search=search_cover, search_cover=search_cover)
