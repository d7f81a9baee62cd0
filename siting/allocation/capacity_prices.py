"""Prices on the demands of a capacitated p-median, a knapsack at each site: a bound, and what it forces.

With prices u_i on the demands, no choice within the limits costs less than::

    sum_i u_i + least over allowed choices of  sum_j y_j rho_j,
    rho_j = least of  sum_i (w_i d_ij - u_i) x_ij   subject to  sum_i q_i x_ij <= Q_j

Source: Ceselli and Righini (2005), A branch-and-price algorithm for the capacitated p-median problem, Networks 45,
price the same relaxation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from siting.allocation.heuristics import BATCH, WORK_PER_SECOND
from siting.allocation.median_bound import choice_of
from siting.allocation.problem import Problem
from siting.allocation.search import common_step
from siting.arrays import FloatArray

STEPS = 800
"""Most steps of the bound."""

AGAIN = 0.5
"""Step length, relative to the distance to a known answer, where prices climb on."""

MOST_ROOM = 1000
"""Largest capacity, in whole units, of a knapsack solved in whole items; larger ones are scaled down."""


@dataclass(frozen=True, slots=True)
class Forced:
    """A bound, and by how much it rises when a site must be open or closed, or a pair must be used."""

    bound: float
    opened: FloatArray
    closed: FloatArray
    used: FloatArray


class CapacityPrices:
    """Prices that climb, and the best bound so far.

    Parameters
    ----------
    problem
        A p-median with capacities.
    cost
        Weighted cost of each stored pair, in the order of ``problem.pairs``.
    upper
        Value of a known answer, ``inf`` where there is none: sets the step lengths.
    """

    def __init__(self, problem: Problem, cost: FloatArray, upper: float) -> None:
        from siting.allocation._kernels_prices import start_climb

        n, m = problem.shape
        self.problem, self.cost = problem, cost
        self.usable = ~problem.barred[problem.pairs.indices]
        rows = np.repeat(np.arange(n), np.diff(problem.pairs.indptr))
        self.rows, self.cols = rows[self.usable], problem.pairs.indices[self.usable]
        order = np.lexsort((self.rows, self.cols))
        ptr = np.concatenate([[0], np.cumsum(np.bincount(self.cols, minlength=m))]).astype(np.int64)
        self.columns = (ptr, self.rows[order].astype(np.int32), cost[self.usable][order])
        self.needs, self.whole = _units(problem)
        near = np.full(n, np.inf)
        np.minimum.at(near, self.rows, cost[self.usable])
        prices = np.where(np.isfinite(near), near, 0.0) * 1.5
        self.upper = upper if math.isfinite(upper) else 2.0 * float(prices.sum()) + 1.0
        self.choice = _choice(problem)
        self.state = start_climb(prices, 1.5)

    @property
    def bound(self) -> float:
        """Return the best bound so far, ``-inf`` before the first step."""
        return float(self.state.bound[0])

    def aim_at(self, upper: float) -> None:
        """Let the prices climb on from the best ones, towards a better answer."""
        self.upper = upper
        self.state.prices[:] = self.state.kept
        self.state.path[:] = 0.0
        self.state.pace[0], self.state.since[0], self.state.steps[0], self.state.ended[0] = AGAIN, 0, 0, False

    def climb(self, seconds: float) -> None:
        """Raise the bound for a while, counted in work; Ctrl-C between two batches leaves what was reached."""
        from siting.allocation import _kernels_capacity as kernels

        left = int(min(seconds * WORK_PER_SECOND, 2**60))
        data = (self.columns, self.needs, self.whole, self.choice, self.problem.must)
        while not self.state.ended[0]:
            left -= int(kernels.climb_capacity(*data, self.upper, STEPS, min(left, BATCH), self.state))
            if left <= 0:
                return

    def forced(self) -> Forced:
        """Return what the best prices say of each site and each stored pair."""
        from siting.allocation import _kernels_capacity as kernels
        from siting.allocation._kernels_prices import forced

        problem, prices = self.problem, self.state.kept
        m = problem.shape[1]
        value, share, opened, closed = np.empty(m), np.empty(len(self.rows)), np.empty(m), np.empty(m)
        kernels.price_sites(self.columns, self.needs, prices, self.whole, value, share)
        forced(np.where(problem.must, 0.0, value), self.choice, opened, closed)
        opened = np.where(problem.must, 0.0, opened)
        used = np.full(problem.pairs.nnz, np.inf)
        used[self.usable] = np.maximum(self.cost[self.usable] - prices[self.rows], 0.0) + opened[self.cols]
        return Forced(
            bound=self.bound,
            opened=np.where(problem.barred, np.inf, opened),
            closed=np.where(problem.must | problem.barred, 0.0, closed),
            used=used,
        )


def _choice(problem: Problem):  # type: ignore[no-untyped-def]
    """Return what the sites that must be open leave of the limits."""
    choice = choice_of(problem)
    money = choice.money - problem.total_cost(np.flatnonzero(problem.must))
    return choice._replace(room=np.int64(max(0, int(choice.room) - int(problem.fixed.sum()))), money=np.float64(money))


def _units(problem: Problem) -> tuple[tuple[FloatArray, FloatArray], bool]:
    """Return demands and capacities as a knapsack takes them, and whether its items are whole.

    Figures that are not whole, or too large, are cut down to whole units: what fitted before still fits.
    """
    capacity = np.zeros(problem.shape[1]) if problem.capacity is None else problem.capacity
    if problem.split:
        return (problem.demand, capacity), False
    largest = min(float(capacity.max(initial=0.0)), float(problem.demand.sum()))
    unit = common_step(np.append(problem.demand, capacity))
    if not unit or largest / unit > MOST_ROOM:
        unit = max(largest / MOST_ROOM, 1e-12)
    room = np.minimum(capacity, problem.demand.sum())
    return (np.floor(problem.demand / unit + 1e-9), np.floor(room / unit + 1e-9)), True
