"""Bounds for cover models in milliseconds: Lagrangian relaxation of the cover rows, priced by the volume algorithm.

Set cover, prices u >= 0 on the rows: every cover costs at least
``sum need_i u_i + sum_j min(0, c_j - sum_{i in j} u_i)``.
Max cover, prices 0 <= u_i <= w_i / need_i: no choice within the limits covers more than
``sum (w_i - need_i u_i) + best choice of the site values sum_{i in j} u_i``, the last by sorting.
Any prices give a bound that holds; the best of all steps is kept.

Source: Fisher (1981), The Lagrangian relaxation method for solving integer programming problems, Management Science 27;
Barahona and Anbil (2000), The volume algorithm, Mathematical Programming 87.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array

from siting.allocation.problem import Problem, inner
from siting.arrays import FloatArray

STEPS = 1500
"""Most steps; more of them move the bound by less than a thousandth."""


@dataclass(frozen=True, slots=True)
class Priced:
    """A bound and the row prices, shape (n,), that prove it."""

    bound: float
    prices: FloatArray


def set_cover_bound(
    problem: Problem, best: float, *, steps: int = STEPS, target: float = math.inf, deadline: float = math.inf
) -> Priced:
    """Return a cost that no cover undercuts.

    Parameters
    ----------
    problem
        A set cover without capacities.
    best
        Cost of a known cover (or an upper estimate): sets the step lengths only.
    steps
        Most steps.
    target
        Stop at this bound or more.
    deadline
        Stop when ``time.perf_counter()`` is past this, after ten steps at least.

    Returns
    -------
    Priced
        Its bound holds whatever ``best`` was; 0 at worst.
    """
    columns = problem.pairs.tocsc()
    need = problem.level.astype(np.float64)
    free = problem.free
    size = np.maximum(np.diff(columns.indptr), 1)
    prices = _least_in_row(problem, np.where(problem.barred, np.inf, problem.cost / size))

    def relaxed(prices: FloatArray, value: FloatArray) -> tuple[float, FloatArray]:
        left = problem.cost - value
        taken = np.where(problem.must | (free & (left < 0)), 1.0, 0.0)
        return inner(need, prices) + inner(left, taken), taken

    top = np.full(len(need), np.inf)
    return _climb(columns, prices, top, need, relaxed, best, steps, target, deadline)


def max_cover_bound(
    problem: Problem, best: float, *, steps: int = STEPS, target: float = -math.inf, deadline: float = math.inf
) -> Priced:
    """Return a weight that no choice within the limits covers more than.

    Parameters
    ----------
    problem
        A max cover without capacities.
    best
        Weight of a known choice: sets the step lengths only.
    steps
        Most steps.
    target
        Stop at this bound or less.
    deadline
        Stop when ``time.perf_counter()`` is past this, after ten steps at least.

    Returns
    -------
    Priced
        Its bound holds whatever ``best`` was; the total weight at worst.
    """
    columns = problem.pairs.tocsc()
    need = problem.level.astype(np.float64)
    top = problem.weights / need
    degree = np.maximum(np.diff(problem.pairs.indptr), 1)
    prices = np.where(np.diff(problem.pairs.indptr) >= need, top * np.minimum(1.0, 2.0 / degree), 0.0)
    reachable = np.where(np.diff(problem.pairs.indptr) >= need, problem.weights, 0.0)
    top = np.where(reachable > 0, top, 0.0)

    def relaxed(prices: FloatArray, value: FloatArray) -> tuple[float, FloatArray]:
        taken = best_sites(problem, value)
        return -(float((reachable - need * prices).sum()) + inner(value, taken)), taken

    # a demand counts for as long as its price is below its worth: need_i z_i with z_i = 1
    found = _climb(columns, prices, top, need, relaxed, -best, steps, -target, deadline)
    return Priced(min(-found.bound, float(reachable.sum())), found.prices)


def best_sites(problem: Problem, value: FloatArray) -> FloatArray:
    """Return how much of each site the best choice within the limits takes, for given site values; shape (m,).

    At most one of an exclusive group; spacing is left out, and a budget may take one site in part: the choice is worth
    no less than any allowed one.
    """
    worth = np.where(problem.free, value, 0.0)
    grouped = np.flatnonzero((problem.exclusive >= 0) & problem.free)
    if grouped.size and problem.budget is None:
        order = grouped[np.lexsort((grouped, -worth[grouped], problem.exclusive[grouped]))]
        first = np.r_[True, np.diff(problem.exclusive[order]) > 0]
        worth[order[~first]] = 0.0
    taken = problem.must.astype(np.float64)
    room = len(worth) if problem.sites is None else problem.sites - int(problem.fixed.sum())
    by_count = _top(worth, room)
    if problem.budget is None:
        return taken + by_count
    money = problem.budget * (1 + 1e-9) - float(problem.cost[problem.must].sum())
    by_money = _fill(worth, problem.cost, money)
    return taken + (by_count if inner(by_count, worth) < inner(by_money, worth) else by_money)


def _top(worth: FloatArray, room: int) -> FloatArray:
    """Return 1 for the ``room`` best sites of positive worth, lower index first on a tie."""
    taken = np.zeros(len(worth))
    if room > 0:
        if room < len(worth):
            limit = -np.partition(-worth, room - 1)[room - 1]
            chosen = np.flatnonzero(worth > limit)
            ties = np.flatnonzero(worth == limit)[: room - len(chosen)]
            taken[chosen] = 1.0
            taken[ties] = 1.0
        else:
            taken[:] = 1.0
        taken[worth <= 0] = 0.0
    return taken


def _fill(worth: FloatArray, cost: FloatArray, money: float) -> FloatArray:
    """Return the fractional knapsack of the sites by worth per cost."""
    taken = np.where((cost == 0) & (worth > 0), 1.0, 0.0)
    priced = np.flatnonzero((cost > 0) & (worth > 0))
    order = priced[np.argsort(-worth[priced] / cost[priced], kind="stable")]
    before = np.cumsum(cost[order]) - cost[order]
    taken[order] = np.clip((money - before) / cost[order], 0.0, 1.0)
    return taken


def _least_in_row(problem: Problem, per_site: FloatArray) -> FloatArray:
    """Return the least of a site figure over the sites of each row, 0 where a row has none."""
    least = np.full(problem.shape[0], np.inf)
    rows = np.repeat(np.arange(problem.shape[0]), np.diff(problem.pairs.indptr))
    np.minimum.at(least, rows, per_site[problem.pairs.indices])
    return np.where(np.isfinite(least), least, 0.0)


def _climb(
    columns: csc_array,
    prices: FloatArray,
    top: FloatArray,
    need: FloatArray,
    relaxed: Callable[[FloatArray, FloatArray], tuple[float, FloatArray]],
    best: float,
    steps: int,
    target: float,
    deadline: float,
) -> Priced:
    """Raise the bound step by step along the slope of an averaged choice; prices stay within 0 and ``top``."""
    from siting.allocation._kernels import count_rows, price_columns

    pointer, rows = columns.indptr.astype(np.int64), columns.indices.astype(np.int32)
    value, count = np.zeros(columns.shape[1]), np.zeros(columns.shape[0])

    def at(prices: FloatArray) -> tuple[float, FloatArray]:
        price_columns(pointer, rows, prices, value)
        reached, taken = relaxed(prices, value)
        count_rows(pointer, rows, taken, count)
        return reached, need - count

    bound, average = at(prices)
    pace, mix, since, kept = 0.1, 0.1, 0, prices
    for step in range(steps):
        slope = _pointing_inside(average, kept, top)
        length = inner(slope, slope)
        if length <= 1e-12:
            average = at(kept)[1]
            slope = _pointing_inside(average, kept, top)
            length = inner(slope, slope)
        if length <= 1e-12 or bound >= target or (step >= 10 and time.perf_counter() > deadline):
            break
        ahead = max(min(best - bound, 0.05 * abs(bound)), 1e-4 * abs(bound) + 1e-9)
        prices = np.clip(kept + pace * ahead / length * slope, 0.0, top)
        reached, fresh = at(prices)
        since += 1
        if reached > bound:
            bound, kept, since = reached, prices, 0
            if inner(slope, fresh) >= 0:
                pace = min(2.0, pace * 1.1)
        elif since >= 20:
            pace, since = pace * 0.66, 0
        average = _mixed(average, fresh, mix)
        if step % 100 == 99:
            mix = max(mix * 0.7, 1e-3)
    return Priced(bound, kept)


def _pointing_inside(slope: FloatArray, prices: FloatArray, top: FloatArray) -> FloatArray:
    """Return the slope without what would leave the range of the prices."""
    return np.where(((prices <= 0) & (slope < 0)) | ((prices >= top) & (slope > 0)), 0.0, slope)


def _mixed(average: FloatArray, fresh: FloatArray, mix: float) -> FloatArray:
    """Return the mix of the averaged and the fresh slope that is shortest, with a tenth of ``mix`` to ``mix`` fresh."""
    change = fresh - average
    length = inner(change, change)
    part = -inner(average, change) / length if length > 0 else mix
    return average + min(max(part, mix / 10), mix) * change
