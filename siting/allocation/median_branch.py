"""Branch and bound for the p-median on what survives: Lagrangian prices at every node."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from siting.allocation.heuristics import WorkClock
from siting.allocation.median_bound import Survivors, choice_of
from siting.allocation.median_core import MedianCore
from siting.allocation.reduce import restricted
from siting.arrays import FloatArray, IntArray

STEPS = 60
"""Steps of the bound at a node."""

MOST_ENTRIES = 50_000_000
"""Most prices that may be held for waiting nodes."""


@dataclass(frozen=True, slots=True)
class Branched:
    """What the tree brought: a better choice of free sites (None: none), its value, the bound, the work."""

    chosen: IntArray | None
    value: float
    bound: float
    work: float
    interrupted: bool


def branch_and_bound(
    core: MedianCore, left: Survivors, prices: FloatArray, value: float, *, step: float, gap: float, seconds: float
) -> Branched | None:
    """Search what survives for a better choice, and prove that there is none.

    Parameters
    ----------
    core
        A p-median.
    left
        What a choice of at most ``value`` may use.
    prices
        Prices of the bound, shape (rows of the core,).
    value
        Value of the best choice known, the core's constant included.
    step
        A number that divides every value, 0 where there is none.
    gap
        Relative gap at which a node is left.
    seconds
        Work allowed, as seconds of ``WORK_PER_SECOND``.

    Returns
    -------
    Branched
        None where the tree would need too much memory.
    """
    from siting.allocation import _kernels_branch as kernels

    m = len(left.undecided)
    served = np.unique(left.rows)
    if (m + 2) * (len(served) + m) > MOST_ENTRIES:
        return None
    away = np.setdiff1d(np.arange(len(left.default)), served)
    limits = restricted(core.limits, np.zeros(0, dtype=np.int64), left.undecided, core.limits.level)
    spent = core.limits.total_cost(left.opened)
    choice = choice_of(limits)
    room = choice.room if core.limits.sites is None else core.limits.sites - len(left.opened)
    choice = choice._replace(room=np.int64(min(room, m)), money=choice.money - spent)
    apart = limits.exclusions()
    offset = core.constant + float(left.default[away].sum())
    lists = _lists(left, served, m)
    top = left.default[served]
    rules = kernels.Rules(
        choice,
        apart.indptr.astype(np.int64),
        apart.indices.astype(np.int32),
        top,
        np.float64(offset),
        np.float64(step),
        np.float64(gap),
    )
    tree = kernels.Tree(
        status=np.empty((m + 2, m), dtype=np.int8),
        prices=np.empty((m + 2, len(served))),
        bound=np.full(m + 2, -np.inf),
        waiting=np.ones(1, dtype=np.int64),
        upper=np.array([value]),
        lowest=np.array([np.inf]),
        best=np.zeros(m, dtype=np.bool_),
    )
    tree.status[0] = -1
    tree.prices[0] = np.minimum(prices[served], top)
    clock = WorkClock(seconds, math.inf)
    used = 0.0
    with clock:
        while tree.waiting[0] and (allowed := clock.next_batch(0.0)):
            used += (work := kernels.branch(lists, rules, tree, STEPS, allowed))
            clock.spent(max(work, allowed), allowed)
    open_bound = tree.bound[: tree.waiting[0]].min(initial=np.inf) + offset
    bound = min(float(open_bound), float(tree.lowest[0]), float(tree.upper[0]))
    chosen = np.sort(np.append(left.opened, left.undecided[tree.best])) if tree.best.any() else None
    return Branched(chosen, float(tree.upper[0]), bound, used, clock.interrupted)


def _lists(left: Survivors, served: IntArray, m: int):  # type: ignore[no-untyped-def]
    """Return the pairs that survive as sorted lists."""
    from siting.allocation._kernels_median import Lists

    order = np.lexsort((left.places, left.cost, left.rows))
    row = np.searchsorted(served, left.rows[order])
    ptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(served)))]).astype(np.int64)
    nothing = np.zeros(0)
    by_site = (np.zeros(m + 1, dtype=np.int64), nothing.astype(np.int32), nothing)
    return Lists(ptr, left.places[order].astype(np.int32), left.cost[order], *by_site, left.default[served])
