"""Good capacitated p-medians quickly: demands assigned in many orders, sites moved to their middle, then swapped.

Demands are given to the open sites one by one, shifted and exchanged while that gains; each site then moves to the
best place for what it was given (Mulvey and Beck 1984), and the two alternate. Which demand is given first decides much
where capacities are tight, so several random orders are tried (after Martello and Toth 1990, Knapsack Problems, chapter
7, who order by what is lost when a demand misses its best site). Random swaps of one or two sites then lead on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from siting.allocation.heuristics import WORK_PER_SECOND, WorkClock
from siting.allocation.median_core import median_core
from siting.allocation.median_search import MedianSearch
from siting.allocation.problem import Problem
from siting.arrays import BoolArray, FloatArray, IntArray

ORDERS = 10
"""Orders in which the demands are tried at one choice of sites; the first one is not random."""

PATIENCE = 150
"""Swaps without a better answer after which the search ends."""

ROUND = 500_000
"""Elements that a round on the smallest problem stands for."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """Open sites and the share of each stored pair."""

    chosen: IntArray
    shares: FloatArray


class CapacitySearch:
    """A search for sites and for who is assigned where, that can be asked to go on.

    Parameters
    ----------
    problem
        A p-median with capacities.
    cost
        Weighted cost of each stored pair, in the order of ``problem.pairs``.
    seed
        Seed of every random choice.
    """

    def __init__(self, problem: Problem, cost: FloatArray, seed: int) -> None:
        n, m = problem.shape
        self.problem, self.cost, self.seed = problem, cost, seed
        self.random = np.random.default_rng(seed)
        self.capacity = np.zeros(m) if problem.capacity is None else problem.capacity
        self.rows = np.repeat(np.arange(n), np.diff(problem.pairs.indptr))
        place = np.arange(1.0, len(cost) + 1)
        self.place = csr_array((place, problem.pairs.indices, problem.pairs.indptr), shape=(n, m))
        self.apart = problem.exclusions()
        self.chosen = np.flatnonzero(problem.must)
        self.pairs = np.zeros(n, dtype=np.int64)
        self.value = math.inf

    @property
    def found(self) -> Assigned | None:
        """Return the best answer so far, None where no choice met so far has room for every demand."""
        if math.isinf(self.value):
            return None
        shares = np.zeros(len(self.cost))
        shares[self.pairs] = 1.0
        return Assigned(self.chosen, shares)

    def start(self, start: IntArray | None) -> None:
        """Take the sites that are good without capacities, from a start where one is given."""
        core = median_core(replace(self.problem, capacity=None))
        chosen = core.settled
        if len(core.rows) and core.open_limit:
            local = MedianSearch(core, self.seed)
            local.greedy(None if start is None else core.part(start))
            chosen = core.whole(local.chosen)
        self._try(chosen)

    def go_on(self, seconds: float, target: float) -> bool:
        """Swap sites until the target is met, the work is done or nothing better comes; return whether Ctrl-C ended it.

        Parameters
        ----------
        seconds
            Work allowed, as seconds of ``WORK_PER_SECOND``.
        target
            Stop at an answer of this value or less.
        """
        n = self.problem.shape[0]
        work = ROUND + ORDERS * 8 * n * (n + len(self.chosen))
        clock = WorkClock(seconds, PATIENCE * work / WORK_PER_SECOND)
        with clock:
            while self.value > target and clock.left >= work and clock.next_batch(-self.value):
                self._try(self._swapped(int(self.random.integers(0, 3))))
                clock.spent(work, work)
        return clock.interrupted

    def _try(self, chosen: IntArray) -> None:
        """Assign, move the sites while that gains, and keep what is no worse."""
        least = math.inf
        while True:
            total, site, pairs = self._assigned(chosen)
            if not total < least:
                break
            least = total
            if total <= self.value:
                self.chosen, self.pairs, self.value = chosen, pairs, total
            chosen = self._moved(chosen, site)
        if math.isinf(self.value):
            self.chosen = chosen  # from where nothing is known, any choice is as good

    def _assigned(self, chosen: IntArray) -> tuple[float, IntArray, IntArray]:
        """Return the least cost met over several orders, the place of each demand's site, and its pair."""
        from siting.allocation._kernels_capacity import assign

        n = self.problem.shape[0]
        least, best = math.inf, np.zeros(n, dtype=np.int64)
        if not len(chosen) or not n:
            return (math.inf if n else 0.0), best, best
        at = self.place[:, chosen].toarray().astype(np.int64) - 1
        far = np.where(at >= 0, self.cost[at], np.inf)
        for order in self._orders(far):
            site = np.full(n, -1, dtype=np.int64)
            total = float(assign(far, self.problem.demand, self.capacity[chosen], order, site))
            if total < least:
                least, best = total, site
        return least, best, at[np.arange(n), best]

    def _orders(self, far: FloatArray) -> list[IntArray]:
        """Return the largest demand first, then random mixtures of size and of what missing the best site costs."""
        n, demand = len(far), self.problem.demand
        reached = np.sort(np.where(np.isfinite(far), far, far[np.isfinite(far)].max(initial=0.0)), axis=1)
        spread = reached[:, -1] - reached[:, 0]
        regret = reached[:, min(1, far.shape[1] - 1)] - reached[:, 0]
        orders = [np.lexsort((np.arange(n), -spread, -demand))]
        size, miss = demand / max(demand.mean(), 1e-300), 1.0 + regret / max(regret.mean(), 1e-300)
        for _ in range(ORDERS - 1):
            by_size, by_miss = self.random.uniform(0.0, 2.0, 2)
            key = size**by_size * miss**by_miss * self.random.uniform(0.5, 1.5, n)
            orders.append(np.argsort(-key, kind="stable"))
        return orders

    def _moved(self, chosen: IntArray, site: IntArray) -> IntArray:
        """Return the sites with each new one moved to the best place for the demands it was given, the limits kept."""
        problem, m = self.problem, self.problem.shape[1]
        load = np.bincount(site, problem.demand, minlength=len(chosen))
        given = np.bincount(site, minlength=len(chosen))
        cell = site[self.rows] * m + problem.pairs.indices
        total = np.bincount(cell, self.cost, minlength=len(chosen) * m).reshape(len(chosen), m)
        reached = np.bincount(cell, minlength=len(chosen) * m).reshape(len(chosen), m)
        inside = self._mask(chosen)
        for k, old in enumerate(chosen):
            if problem.must[old]:
                continue
            inside[old] = False
            free = self._allowed(inside) & (self.capacity >= load[k]) & (reached[k] == given[k])
            value = np.where(free, total[k], np.inf)
            new = int(value.argmin())
            inside[new if value[new] < total[k, old] else old] = True
        return np.flatnonzero(inside)

    def _swapped(self, out: int) -> IntArray:
        """Return the sites with some random new ones closed, and random others (at most one more) opened for them."""
        inside = self._mask(self.chosen)
        new = self.chosen[~self.problem.must[self.chosen]]
        inside[self.random.permutation(new)[:out]] = False
        for _ in range(out + 1):
            allowed = np.flatnonzero(self._allowed(inside))
            if len(allowed):
                inside[self.random.choice(allowed)] = True
        return np.flatnonzero(inside)

    def _mask(self, chosen: IntArray) -> BoolArray:
        inside = np.zeros(self.problem.shape[1], dtype=np.bool_)
        inside[chosen] = True
        return inside

    def _allowed(self, inside: BoolArray) -> BoolArray:
        """Return the sites that may be opened besides those inside."""
        problem = self.problem
        if problem.sites is not None and int((inside & ~problem.existing).sum()) >= problem.sites:
            return np.zeros_like(inside)
        allowed: BoolArray = problem.free & ~inside & (self.apart @ inside.astype(np.float64) == 0)
        if problem.budget is None:
            return allowed
        payable: BoolArray = problem.cost <= problem.budget - problem.total_cost(np.flatnonzero(inside))
        return allowed & payable
