"""The core of a p-median: the sites that need a decision, and for each demand those that beat what is settled."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from siting.allocation.problem import Problem
from siting.allocation.reduce import restricted
from siting.allocation.solution import nearest_chosen
from siting.arrays import FloatArray, IntArray
from siting.reach.threads import in_threads

if TYPE_CHECKING:
    from siting.allocation._kernels_median import Lists

FULL_PAIRS = 5_000_000
"""Up to this many pairs are all sorted; beyond, only the nearest sites of each demand."""

MOST_PAIRS = 20_000_000
"""Most pairs that are sorted at all."""


@dataclass(frozen=True, slots=True)
class MedianCore:
    """What is left to decide, and the way back.

    Parameters
    ----------
    problem
        What was asked.
    limits
        The free sites (no demand) with what the settled ones leave of number and money.
    sites, settled
        The original index of each free site, and the sites in every answer.
    rows
        The original index of each demand that can still be served better.
    constant
        Cost of the demands that cannot.
    default
        Cost of each demand with the settled sites alone, ``inf`` where none is in reach.
    reach
        Cost up to which the sorted list of each demand is complete: its default, or the first pair left out.
    lists
        The pairs below the default, sorted.
    """

    problem: Problem
    limits: Problem
    sites: IntArray
    settled: IntArray
    rows: IntArray
    constant: float
    default: FloatArray
    reach: FloatArray
    lists: Lists

    @property
    def open_limit(self) -> int:
        """Return how many of the free sites an answer may hold at most."""
        most = len(self.sites) if self.limits.sites is None else self.limits.sites
        if self.limits.budget is not None:
            money = self.limits.budget * (1 + 1e-9)
            most = min(most, int(np.searchsorted(np.cumsum(np.sort(self.limits.cost)), money, side="right")))
        return most

    def whole(self, chosen: IntArray) -> IntArray:
        """Return the original indices of a choice of free sites, settled ones included."""
        return np.sort(np.concatenate([self.settled, self.sites[chosen]]))

    def part(self, chosen: IntArray) -> IntArray:
        """Return the part of an original choice that the core still decides on."""
        return np.flatnonzero(np.isin(self.sites, chosen))


def median_core(problem: Problem, *, threads: int = 1, most: int | None = None) -> MedianCore:
    """Take out of a p-median what needs no decision and sort what is left.

    Parameters
    ----------
    problem
        A p-median without capacities.
    threads
        Threads for sorting; the answer does not depend on it.
    most
        Most sites in the list of a demand; by default all, or as many as memory allows.

    Returns
    -------
    MedianCore
        The smaller problem and the way back.
    """
    n = problem.shape[0]
    settled = np.flatnonzero(problem.must)
    columns = np.flatnonzero(problem.free)
    limits = restricted(problem, np.zeros(0, dtype=np.int64), columns, problem.level)
    default = np.full(n, np.inf)
    if settled.size:
        served, length = nearest_chosen(problem, settled)
        default = np.where(served >= 0, problem.weights * np.where(served >= 0, length, 0.0), np.inf)
    most = _list_length(problem, limits) if most is None else most
    kept, reach, sorted_rows = _sorted(problem, columns, most, default, threads)
    rows = np.flatnonzero((kept > 0) | np.isinf(default))
    done = np.setdiff1d(np.arange(n), rows)
    return MedianCore(
        problem=problem,
        limits=limits,
        sites=columns,
        settled=settled,
        rows=rows,
        constant=float(default[done].sum()),
        default=default[rows],
        reach=reach[rows],
        lists=_lists(len(columns), rows, sorted_rows, default[rows], reach[rows]),
    )


def _list_length(problem: Problem, limits: Problem) -> int:
    """Return how many sites of each demand are listed: all, or several times those that one open site stands for."""
    columns = limits.shape[1]
    if problem.pairs.nnz <= FULL_PAIRS:
        return columns
    room = columns if limits.sites is None else max(1, limits.sites)
    return max(16, min(8 * math.ceil(columns / room) + 32, MOST_PAIRS // problem.shape[0]))


def _sorted(
    problem: Problem, columns: IntArray, most: int, default: FloatArray, threads: int
) -> tuple[IntArray, FloatArray, tuple[IntArray, NDArray[np.int32], FloatArray]]:
    """Return how many pairs each demand keeps, the first cost left out, and the sorted lists."""
    from siting.allocation import _kernels_median as kernels

    n, m = problem.shape
    place = np.full(m, -1, dtype=np.int32)
    place[columns] = np.arange(len(columns))
    pairs = problem.pairs
    given = (pairs.indptr, pairs.indices, pairs.data, problem.weights, place, default)
    kept, reach = np.zeros(n, dtype=np.int64), np.empty(n)
    blocks = list(itertools.pairwise(np.linspace(0, n, min(n, 4 * threads) + 1).astype(np.int64)))
    in_threads(blocks, lambda block: kernels.count_kept(*given, most, *block, kept), threads)
    ptr = np.concatenate([[0], np.cumsum(kept)])
    sites, cost = np.empty(ptr[-1], dtype=np.int32), np.empty(ptr[-1])
    in_threads(blocks, lambda block: kernels.sort_rows(*given, *block, (ptr, sites, cost, reach)), threads)
    return kept, reach, (ptr, sites, cost)


def _lists(
    m: int,
    rows: IntArray,
    sorted_rows: tuple[IntArray, NDArray[np.int32], FloatArray],
    default: FloatArray,
    reach: FloatArray,
) -> Lists:
    """Return the lists both ways; rows left out keep no pairs, so that the rest stands without a gap."""
    from siting.allocation import _kernels_median as kernels

    whole, sites, cost = sorted_rows
    ptr = np.append(whole[rows], whole[-1])
    last = np.zeros(len(rows))
    some = np.diff(ptr) > 0
    last[some] = cost[ptr[1:][some] - 1]
    beyond = 1.0 + last.sum() + last.max(initial=0.0)
    other = np.where(np.isfinite(reach) & ((reach > 0) | (reach == default)), np.minimum(1.5 * reach, default), beyond)
    site_ptr = np.concatenate([[0], np.cumsum(np.bincount(sites, minlength=m))])
    site_rows, site_cost = np.empty(len(sites), dtype=np.int32), np.empty(len(sites))
    kernels.transpose(ptr, sites, cost, site_ptr, site_rows, site_cost)
    return kernels.Lists(ptr, sites, cost, site_ptr, site_rows, site_cost, other)
