"""The core of a cover problem: what is left to decide once the musts and the redundant are taken out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from siting.allocation.problem import Problem
from siting.allocation.solution import cover_counts
from siting.arrays import BoolArray, IntArray


@dataclass(frozen=True, slots=True)
class Core:
    """A smaller problem with the same best answer, and the way back.

    Parameters
    ----------
    problem
        What is left: nothing existing, fixed or forbidden; every row open.
    sites
        The original index of each of its candidates.
    settled
        The original sites that are in every answer.
    constant
        What these are worth: their cost (set cover) or the weight that they cover (max cover).
    """

    problem: Problem
    sites: IntArray
    settled: IntArray
    constant: float

    def whole(self, chosen: IntArray) -> IntArray:
        """Return the original indices of a choice on the core, settled sites included."""
        return np.sort(np.concatenate([self.settled, self.sites[chosen]]))

    def part(self, chosen: IntArray) -> IntArray:
        """Return the part of an original choice that the core still decides on."""
        return np.flatnonzero(np.isin(self.sites, chosen))


def cover_core(problem: Problem) -> Core:
    """Take out of a cover problem what needs no decision.

    Sites in every answer are taken; rows that they satisfy go. Then, where each row needs one site: a row that
    contains all sites of another one goes (set cover), equal rows are added up (max cover), and a site goes whose rows
    all lie in another that costs no more and excludes nobody.

    Parameters
    ----------
    problem
        A set cover or max cover without capacities.

    Returns
    -------
    Core
        The smaller problem and the way back.
    """
    settled = np.flatnonzero(problem.must)
    level = problem.level - cover_counts(problem, settled)
    columns = np.flatnonzero(problem.free)
    pairs = csr_array(problem.pairs[:, columns])
    covered = level <= 0
    if problem.maximise:
        rows = ~covered & (np.diff(pairs.indptr) >= level) & (problem.weights > 0)
        constant = float(problem.weights[covered].sum())
    else:
        rows = ~covered
        constant = problem.total_cost(settled)
    core = restricted(problem, np.flatnonzero(rows), columns, level)
    core, columns = _without_redundant(core, columns)
    return Core(core, columns, settled, constant)


def restricted(problem: Problem, rows: IntArray, columns: IntArray, level: IntArray) -> Problem:
    """Return the problem on some rows and some free columns, with what the musts leave of its limits."""
    place = np.full(problem.shape[1], -1, dtype=np.int64)
    place[columns] = np.arange(len(columns))
    conflicts = place[problem.conflicts]
    none = np.zeros(len(columns), dtype=np.bool_)
    fixed_cost = problem.total_cost(np.flatnonzero(problem.must))
    pairs = csr_array(problem.pairs[rows][:, columns])
    pairs.sort_indices()
    sites = None if problem.sites is None else min(problem.sites - int(problem.fixed.sum()), len(columns))
    return replace(
        problem,
        pairs=pairs,
        weights=problem.weights[rows],
        cost=problem.cost[columns],
        sites=sites,
        budget=None if problem.budget is None else max(0.0, problem.budget - fixed_cost),
        demand=problem.demand[rows],
        level=level[rows],
        existing=none,
        fixed=none,
        forbidden=none,
        exclusive=problem.exclusive[columns],
        conflicts=conflicts[(conflicts >= 0).all(axis=1)],
    )


def _without_redundant(core: Problem, columns: IntArray) -> tuple[Problem, IntArray]:
    """Return the core without redundant rows and columns, and which columns stayed."""
    from siting.allocation._kernels_reduce import beaten_columns, implied_rows

    if not core.pairs.nnz:
        return core, columns
    if core.maximise:
        core = _equal_rows_merged(core)
    one_each = bool((core.level == 1).all())
    uniform = bool((core.level == core.level[0]).all())
    while True:
        shape = core.shape
        if not core.maximise and uniform:
            rows, other = core.pairs, core.pairs.tocsc()
            implied = implied_rows(rows.indptr, rows.indices, other.indptr, other.indices)
            core = _kept(core, ~implied, np.ones(shape[1], dtype=np.bool_))
        if one_each:
            rows, other = core.pairs, core.pairs.tocsc()
            alone = np.diff(core.exclusions().indptr) == 0
            every = np.ones(shape[1], dtype=np.bool_)
            beaten = beaten_columns(other.indptr, other.indices, rows.indptr, rows.indices, core.cost, every, alone)
            core, columns = _kept(core, np.ones(core.shape[0], dtype=np.bool_), ~beaten), columns[~beaten]
        if core.shape == shape or core.maximise:
            return core, columns


def _kept(core: Problem, rows: BoolArray, columns: BoolArray) -> Problem:
    """Return the core on the rows and columns kept."""
    if rows.all() and columns.all():
        return core
    return restricted(core, np.flatnonzero(rows), np.flatnonzero(columns), core.level)


def _equal_rows_merged(core: Problem) -> Problem:
    """Return the core with rows of equal sites and level merged, their weights added (the first row of each stays)."""
    n, m = core.shape
    length = np.diff(core.pairs.indptr)
    marks = np.random.default_rng(0).integers(0, 2**62, m, dtype=np.uint64)
    rows = np.repeat(np.arange(n), length)
    key = np.zeros(n, dtype=np.uint64)
    np.add.at(key, rows, marks[core.pairs.indices])
    looks = np.stack([key, length.astype(np.uint64), core.level.astype(np.uint64)])
    _, first, group = np.unique(looks, axis=1, return_index=True, return_inverse=True)
    leader = first[group.ravel()]
    offset = np.arange(core.pairs.nnz) - np.repeat(core.pairs.indptr[:-1], length)
    same = core.pairs.indices == core.pairs.indices[np.repeat(core.pairs.indptr[leader], length) + offset]
    differs = np.bincount(rows, ~same, minlength=n) > 0
    leader = np.where(differs, np.arange(n), leader)
    stays = np.flatnonzero(leader == np.arange(n))
    if len(stays) == n:
        return core
    merged = restricted(core, stays, np.arange(m), core.level)
    weights = np.bincount(leader, core.weights, minlength=n)[stays].astype(np.float64)
    return replace(merged, weights=weights, demand=weights)
