"""The answer of every siting model, with its bound, and a check that needs no solver."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from siting.allocation.problem import TOLERANCE, Problem, inner
from siting.arrays import FloatArray, IntArray
from siting.errors import SolverError
from siting.exact import is_proven, relative_gap
from siting.text import Text


@dataclass(frozen=True, slots=True)
class Solution:
    """Which sites, for whom, how good, and how much better it could be at most.

    Parameters
    ----------
    problem
        What was asked.
    chosen
        Indices of the sites in the answer, existing ones included, ascending.
    assigned
        The site that serves each demand (the nearest chosen one; with capacities the one it is given to, the
        largest part where it is split), shape (n,); -1 where none does.
    objective
        Set cover: cost of the new sites. Max cover: weight that counts. p-median: sum of weight × distance, m.
        p-center: longest distance, m.
    bound
        No answer is better than this.
    stopped
        Whether time or Ctrl-C ended the search before it was done.
    seconds
        Wall time.
    seed
        Seed that gives this answer again.
    method
        What found and what proved it.
    flow
        With capacities and ``split``, the share of each demand (rows) that each site serves; None otherwise.
    interrupted
        Whether it was Ctrl-C that ended the search.
    """

    problem: Problem
    chosen: IntArray
    assigned: IntArray
    objective: float
    bound: float
    stopped: bool
    seconds: float
    seed: int
    method: str
    flow: csr_array | None = None
    interrupted: bool = False

    @property
    def gap(self) -> float:
        """Return the relative distance between objective and bound; ``inf`` when nothing is known."""
        return relative_gap(self.objective, self.bound)

    @property
    def proven(self) -> bool:
        """Return whether no answer can be better, to rounding."""
        return is_proven(self.objective, self.bound)

    @property
    def uncovered(self) -> IntArray:
        """Return the demand that is not served (for backup cover: not by enough sites)."""
        return np.flatnonzero(~served(self.problem, self.chosen, self.assigned, self.flow))

    @property
    def new_sites(self) -> IntArray:
        """Return the chosen sites that do not exist yet."""
        return self.chosen[~self.problem.existing[self.chosen]]

    @property
    def cost(self) -> float:
        """Return what the new sites cost."""
        return self.problem.total_cost(self.chosen)

    def check(self) -> Solution:
        """Recompute everything from the problem, without the solver, and return the solution itself.

        Returns
        -------
        Solution
            This one, when every limit holds and the objective is what it says.

        Raises
        ------
        SolverError
            If anything disagrees; the message lists all of it.
        """
        faults = _index_faults(self) or [*_limit_faults(self), *_service_faults(self), *_value_faults(self)]
        if faults:
            raise SolverError(
                Text(zh="；".join(fault.zh for fault in faults), en="; ".join(fault.en for fault in faults))
            )
        return self


def cover_counts(problem: Problem, chosen: IntArray) -> IntArray:
    """Return how many of the chosen sites have each demand in reach, shape (n,)."""
    n, m = problem.shape
    inside = np.zeros(m, dtype=np.bool_)
    inside[chosen] = True
    if inside.all():
        degree: IntArray = np.diff(problem.pairs.indptr).astype(np.int64)
        return degree
    count = np.empty(n, dtype=np.int64)
    step = max(1, 1_000_000 // max(m, 1))
    for lo in range(0, n, step):  # in blocks of rows, so that what is held beside the pairs stays small
        ptr = problem.pairs.indptr[lo : lo + step + 1]
        before = np.concatenate([[0], np.cumsum(inside[problem.pairs.indices[ptr[0] : ptr[-1]]])])
        count[lo : lo + step] = np.diff(before[ptr - ptr[0]])
    return count


def nearest_chosen(problem: Problem, chosen: IntArray) -> tuple[IntArray, FloatArray]:
    """Return the nearest chosen site of each demand, lower index first, and its distance (-1 and inf where none)."""
    n = problem.shape[0]
    near = csr_array(problem.pairs[:, chosen])
    near.sort_indices()
    count = np.diff(near.indptr)
    rows = np.flatnonzero(count)
    assigned, length = np.full(n, -1, dtype=np.int64), np.full(n, np.inf)
    if len(rows):
        begins = near.indptr[rows]
        length[rows] = np.minimum.reduceat(near.data, begins)
        nearest = np.flatnonzero(near.data == np.repeat(length[rows], count[rows]))
        assigned[rows] = chosen[near.indices[nearest[np.searchsorted(nearest, begins)]]]
    return assigned, length


def served(problem: Problem, chosen: IntArray, assigned: IntArray, flow: csr_array | None = None) -> np.ndarray:
    """Return whether each demand counts as served, shape (n,) of bool."""
    if problem.capacity is None:
        return cover_counts(problem, chosen) >= problem.level
    if flow is None:
        return assigned >= 0
    return np.asarray(flow.sum(axis=1)).ravel() >= 1 - 1e-6


def objective_of(problem: Problem, chosen: IntArray, assigned: IntArray, flow: csr_array | None = None) -> float:
    """Return the objective of a choice, recomputed from the problem."""
    if problem.model == "set_cover":
        return problem.total_cost(chosen)
    if problem.model == "max_cover":
        if flow is not None:
            return inner(problem.weights, np.asarray(flow.sum(axis=1)).ravel())
        return float(problem.weights[served(problem, chosen, assigned)].sum())
    rows = np.flatnonzero(assigned >= 0)
    moved = None if flow is None else flow.tocoo()
    length = _pair_lengths(problem, *((rows, assigned[rows]) if moved is None else (moved.row, moved.col)))
    if problem.model == "p_center":
        return float(length.max(initial=0.0))
    if moved is not None:
        return inner(problem.weights[moved.row] * moved.data, length)
    return inner(problem.weights[rows], length)


def _pair_lengths(problem: Problem, rows: IntArray, cols: IntArray) -> FloatArray:
    """Return the distance of each pair, ``inf`` where it is not in reach."""
    pairs = problem.pairs
    low, high = pairs.indptr[rows].astype(np.int64), pairs.indptr[np.asarray(rows) + 1].astype(np.int64)
    end = high.copy()
    while (low < high).any():
        middle = (low + high) // 2
        before = (low < high) & (pairs.indices[np.minimum(middle, pairs.nnz - 1)] < cols)
        low, high = np.where(before, middle + 1, low), np.where(before, high, np.minimum(middle, high))
    length = np.full(len(low), np.inf)
    inside = low < end
    inside[inside] = pairs.indices[low[inside]] == np.asarray(cols)[inside]
    length[inside] = pairs.data[low[inside]]
    return length


def _index_faults(solution: Solution) -> list[Text]:
    n, m = solution.problem.shape
    chosen, assigned = solution.chosen, solution.assigned
    if len(chosen) and (chosen.min() < 0 or chosen.max() >= m or (np.diff(chosen) <= 0).any()):
        return [Text(zh="所选站点序号不合法", en="the chosen indices are not ascending candidates")]
    if assigned.shape != (n,) or (n and (assigned.min() < -1 or assigned.max() >= m)):
        return [Text(zh="需求的分配序号不合法", en="the assigned indices are not one candidate (or -1) per demand")]
    return []


def _limit_faults(solution: Solution) -> list[Text]:
    problem, chosen = solution.problem, solution.chosen
    faults = []
    m = problem.shape[1]
    inside = np.zeros(m, dtype=np.bool_)
    inside[chosen] = True
    if (problem.must & ~inside).any():
        faults.append(Text(zh="漏了必选或现有站点", en="a fixed or existing site is missing"))
    if (problem.forbidden & inside).any():
        faults.append(Text(zh="选了禁止的站点", en="a forbidden site was chosen"))
    new = solution.new_sites
    if problem.sites is not None and len(new) > problem.sites:
        faults.append(
            Text(zh=f"选了 {len(new)} 处，上限 {problem.sites}", en=f"{len(new)} new sites, at most {problem.sites}")
        )
    if problem.budget is not None and solution.cost > problem.budget * (1 + TOLERANCE) + TOLERANCE:
        faults.append(
            Text(zh=f"花费 {solution.cost} 超出预算 {problem.budget}", en=f"cost {solution.cost} > {problem.budget}")
        )
    fresh = inside & ~problem.existing
    apart = problem.exclusions().tocoo()
    if (inside[apart.row] & inside[apart.col] & (fresh[apart.row] | fresh[apart.col])).any():
        faults.append(Text(zh="选了互斥的站点", en="two chosen sites exclude each other"))
    return faults


def _service_faults(solution: Solution) -> list[Text]:
    problem, assigned = solution.problem, solution.assigned
    rows = np.flatnonzero(assigned >= 0)
    faults = []
    if not np.isin(assigned[rows], solution.chosen).all():
        faults.append(Text(zh="有需求被分到未选的站点", en="a demand is assigned to a site that was not chosen"))
    elif np.isinf(_pair_lengths(problem, rows, assigned[rows])).any():
        faults.append(Text(zh="有需求被分到够不着的站点", en="a demand is assigned to a site out of its reach"))
    if problem.capacity is not None:
        faults += _load_faults(solution)
    if problem.model != "max_cover" and len(solution.uncovered):
        faults.append(
            Text(zh=f"{len(solution.uncovered)} 处需求未被服务", en=f"{len(solution.uncovered)} demands are not served")
        )
    return faults


def _load_faults(solution: Solution) -> list[Text]:
    problem, flow = solution.problem, solution.flow
    capacity = np.zeros(problem.shape[1]) if problem.capacity is None else problem.capacity
    if flow is None:
        rows = np.flatnonzero(solution.assigned >= 0)
        load = np.bincount(solution.assigned[rows], problem.demand[rows], minlength=problem.shape[1])
    else:
        moved = flow.tocoo()
        load = np.bincount(moved.col, problem.demand[moved.row] * moved.data, minlength=problem.shape[1])
        wrong = np.isinf(_pair_lengths(problem, moved.row, moved.col)) | ~np.isin(moved.col, solution.chosen)
        total = np.asarray(flow.sum(axis=1)).ravel()
        if wrong.any() or (moved.data < 0).any() or (total > 1 + 1e-6).any():
            return [Text(zh="需求的分配不合法", en="a demand's shares do not add up, or go where they may not")]
    over = np.flatnonzero(load > capacity * (1 + 1e-6) + 1e-6)
    if not over.size:
        return []
    site = over[0]
    return [
        Text(
            zh=f"站点 {site} 负荷 {load[site]} 超出容量 {capacity[site]}",
            en=f"site {site} serves {load[site]}, its capacity is {capacity[site]}",
        )
    ]


def _value_faults(solution: Solution) -> list[Text]:
    problem = solution.problem
    again = objective_of(problem, solution.chosen, solution.assigned, solution.flow)
    room = 1e-6 if solution.flow is not None else TOLERANCE
    slack = room * max(1.0, abs(again))
    faults = []
    if not abs(again - solution.objective) <= slack:
        faults.append(
            Text(
                zh=f"目标值重算为 {again}，记为 {solution.objective}",
                en=f"the objective is {again}, not {solution.objective}",
            )
        )
    better = solution.objective - solution.bound if problem.maximise else solution.bound - solution.objective
    if math.isnan(solution.bound) or better > slack:
        faults.append(
            Text(
                zh=f"目标值 {solution.objective} 越过了界 {solution.bound}",
                en=f"the objective {solution.objective} is beyond its bound {solution.bound}",
            )
        )
    return faults
