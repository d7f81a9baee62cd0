"""When it cannot be done: which demand nobody reaches, which limit blocks, and the best partial answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from siting.allocation.problem import TOLERANCE, Problem
from siting.allocation.solution import Solution, cover_counts, nearest_chosen, objective_of
from siting.arrays import IntArray
from siting.errors import InfeasibleError
from siting.text import Text

SHOWN = 20
"""Blocks spelt out one by one; the rest is counted."""

Solver = Callable[[Problem], Solution]


def require_room(problem: Problem, solve_part: Solver) -> None:
    """Refuse fixed sites that break the number of sites or the budget by themselves.

    Parameters
    ----------
    problem
        Any siting problem.
    solve_part
        Solves another problem; the partial answer is the best one without the fixed sites.

    Raises
    ------
    InfeasibleError
        Naming the limit, by how much it is broken, and the fixed sites.
    """
    blocks = []
    fixed = np.flatnonzero(problem.fixed)
    if problem.sites is not None and len(fixed) > problem.sites:
        blocks.append(
            Text(
                zh=f"必选 {len(fixed)} 处，但最多新增 {problem.sites} 处",
                en=f"{len(fixed)} sites are fixed, but at most {problem.sites} may be new",
            )
        )
    cost = problem.total_cost(fixed)
    if problem.budget is not None and cost > problem.budget * (1 + TOLERANCE) + TOLERANCE:
        blocks.append(
            Text(
                zh=f"必选站点共需 {cost:g}，预算只有 {problem.budget:g}，差 {cost - problem.budget:g}",
                en=f"the fixed sites cost {cost:g}, {cost - problem.budget:g} more than the budget {problem.budget:g}",
            )
        )
    if blocks:
        partial = solve_part(replace(problem, fixed=np.zeros_like(problem.fixed)))
        raise InfeasibleError(
            Text(
                zh="必选站点本身就超出限制：" + blocks[0].zh, en="the fixed sites alone break a limit: " + blocks[0].en
            ),
            blocks=blocks,
            partial=partial,
        )


def require_reachable(problem: Problem, solve_part: Solver) -> None:
    """Refuse a set cover in which some demand has too few candidates in reach.

    Parameters
    ----------
    problem
        A set cover.
    solve_part
        Solves another problem; the partial answer covers, at least cost, all that can be covered.

    Raises
    ------
    InfeasibleError
        Naming each such demand, how many candidates it has and how many it needs; ``partial.uncovered`` lists them all.
    """
    open_sites = np.flatnonzero(~problem.barred)
    has = cover_counts(problem, open_sites)
    short = np.flatnonzero(has < problem.level)
    if not short.size:
        return
    blocks = [
        Text(
            zh=f"需求 {i}：可选站点中只有 {has[i]} 处够得着，需要 {problem.level[i]} 处",
            en=f"demand {i}: {has[i]} of the candidates are in reach, {problem.level[i]} are needed",
        )
        for i in short[:SHOWN]
    ]
    raise InfeasibleError(
        Text(
            zh=f"{short.size} 处需求够得着的候选点不足：{_some(short)}",
            en=f"{short.size} demands have too few candidates in reach: {_some(short)}",
        ),
        blocks=_counted(blocks, short.size),
        partial=_partial_cover(problem, np.flatnonzero(has >= problem.level), solve_part),
    )


def unsatisfied(problem: Problem, solve_part: Solver) -> InfeasibleError:
    """Return the error for a set cover that exclusive groups or spacing make impossible.

    Parameters
    ----------
    problem
        A set cover, proven to have no answer though every demand has enough candidates in reach.
    solve_part
        Solves another problem; the partial answer covers the most demands.

    Returns
    -------
    InfeasibleError
        Its blocks name, for each demand left out, its candidates and what excludes them.
    """
    partial = solve_part(_as_max_cover(problem))
    inside = np.zeros(problem.shape[1], dtype=np.bool_)
    inside[partial.chosen] = True
    apart = problem.exclusions()
    blocks = []
    for i in partial.uncovered[:SHOWN]:
        mine = problem.pairs.indices[problem.pairs.indptr[i] : problem.pairs.indptr[i + 1]]
        against = {int(k) for j in mine for k in apart.indices[apart.indptr[j] : apart.indptr[j + 1]] if inside[k]}
        blocks.append(
            Text(
                zh=f"需求 {i}：其站点 {_some(mine)} 与已选站点 {_some(np.array(sorted(against)))} 互斥",
                en=f"demand {i}: its sites {_some(mine)} are excluded by the chosen {_some(np.array(sorted(against)))}",
            )
        )
    count = len(partial.uncovered)
    return InfeasibleError(
        Text(
            zh=f"互斥组或最小间距使所有需求不能同时被覆盖；至少 {count} 处需求落空",
            en=f"exclusive groups or spacing keep all demands from being covered at once; {count} are left out at best",
        ),
        blocks=_counted(blocks, count),
        partial=partial,
    )


def over_capacity(problem: Problem, solve_part: Solver) -> InfeasibleError:
    """Return the error for a capacitated set cover that its capacities make impossible.

    Parameters
    ----------
    problem
        A set cover with capacities, proven to have no answer.
    solve_part
        Solves another problem; the partial answer serves the most demand.

    Returns
    -------
    InfeasibleError
        Its blocks name demands too big for every site in reach, and a set of demands that together ask for more than
        the sites in their reach can give, with what is missing.
    """
    capacity = np.zeros(problem.shape[1]) if problem.capacity is None else problem.capacity
    partial = solve_part(_as_max_cover(problem))
    blocks = []
    if not problem.split:
        largest = np.zeros(problem.shape[0])
        rows = np.repeat(np.arange(problem.shape[0]), np.diff(problem.pairs.indptr))
        usable = ~problem.barred[problem.pairs.indices]
        np.maximum.at(largest, rows[usable], capacity[problem.pairs.indices[usable]])
        blocks = [
            Text(
                zh=f"需求 {i} 为 {problem.demand[i]:g}，够得着的站点容量最多 {largest[i]:g}",
                en=f"demand {i} asks for {problem.demand[i]:g}; the largest site in its reach has {largest[i]:g}",
            )
            for i in np.flatnonzero(problem.demand > largest)[:SHOWN]
        ]
    rows, sites = _closed_group(problem, partial)
    asked, given = float(problem.demand[rows].sum()), float(capacity[sites].sum())
    if asked > given * (1 + TOLERANCE):
        blocks.append(
            Text(
                zh=f"需求 {_some(rows)} 共需 {asked:g}，其范围内站点容量共 {given:g}，缺 {asked - given:g}",
                en=f"demands {_some(rows)} ask for {asked:g}, all sites in their reach have {given:g}: "
                f"{asked - given:g} missing",
            )
        )
    if not blocks:
        left = partial.uncovered
        blocks = [
            Text(
                zh=f"需求 {_some(left)} 不能与其余需求一起整份放进站点（容量、互斥或取整所限）",
                en=f"demands {_some(left)} do not fit beside the others (capacity of whole demands, or exclusions)",
            )
        ]
    return InfeasibleError(
        Text(zh="站点容量不足：" + blocks[0].zh, en="the capacities do not suffice: " + blocks[0].en),
        blocks=blocks,
        partial=partial,
    )


def _as_max_cover(problem: Problem) -> Problem:
    """Return the same choice as a max cover of the number of demands (of what they ask, with capacities)."""
    counted = problem.demand if problem.capacity is not None and problem.demand.any() else np.ones(problem.shape[0])
    return replace(problem, model="max_cover", weights=counted.astype(np.float64))


def _partial_cover(problem: Problem, rows: IntArray, solve_part: Solver) -> Solution:
    """Return the cheapest choice that covers what can be covered, as an answer to covering the most demands."""
    part = replace(
        problem,
        pairs=problem.pairs[rows],
        weights=problem.weights[rows],
        demand=problem.demand[rows],
        level=problem.level[rows],
    )
    try:
        found = solve_part(part)
    except InfeasibleError as error:
        if not isinstance(error.partial, Solution):
            raise
        found = error.partial
    if problem.capacity is not None:
        return found if len(rows) == problem.shape[0] else solve_part(_as_max_cover(problem))
    whole = _as_max_cover(problem)
    assigned, _ = nearest_chosen(whole, found.chosen)
    return replace(
        found,
        problem=whole,
        assigned=assigned,
        objective=objective_of(whole, found.chosen, assigned),
        bound=float(len(rows)),
    )


def _closed_group(problem: Problem, partial: Solution) -> tuple[IntArray, IntArray]:
    """Return the unserved demands, the sites in their reach, all that these sites serve, and so on until it closes."""
    rows = np.zeros(problem.shape[0], dtype=np.bool_)
    rows[partial.uncovered] = True
    pairs = problem.pairs.tocoo()
    while True:
        sites = np.zeros(problem.shape[1], dtype=np.bool_)
        sites[pairs.col[rows[pairs.row]]] = True
        sites &= ~problem.barred
        if partial.flow is None:
            fed = (partial.assigned >= 0) & sites[np.maximum(partial.assigned, 0)]
        else:
            moved = partial.flow.tocoo()
            fed = np.bincount(moved.row, sites[moved.col], minlength=len(rows)) > 0
        if not (fed & ~rows).any():
            return np.flatnonzero(rows), np.flatnonzero(sites)
        rows |= fed


def _counted(blocks: list[Text], total: int) -> list[Text]:
    if total > len(blocks):
        more = total - len(blocks)
        return [*blocks, Text(zh=f"另有 {more} 处", en=f"and {more} more")]
    return blocks


def _some(indices: IntArray) -> str:
    shown = ", ".join(str(i) for i in indices[:5])
    return shown + (f", ... ({len(indices)})" if len(indices) > 5 else "")
