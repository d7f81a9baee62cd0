"""Lagrangian bound of the p-median, and which sites and pairs an answer better than a known one may still use.

With prices u_i on the demands, no choice within the limits costs less than::

    sum_i u_i + least over allowed choices of  sum_j y_j rho_j,    rho_j = sum_i min(0, w_i d_ij - u_i)

The prices stay below the cost up to which each demand's sorted list is complete, so that nothing left out of the lists
can matter. A site whose opening (closing) lifts the bound above a known answer is closed (open) in every better one; a
pair goes when its cost above the price does the same.

Source: Cornuejols, Fisher and Nemhauser (1977), Location of bank accounts to optimize float, Management Science 23;
step rule after Camerini, Fratta and Maffioli (1975), Mathematical Programming Study 3.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from siting.allocation.cover_models import limit_rows
from siting.allocation.heuristics import BATCH, WORK_PER_SECOND
from siting.allocation.linear import LinearModel
from siting.allocation.median_core import MedianCore
from siting.allocation.problem import Problem
from siting.arrays import FloatArray, IntArray

if TYPE_CHECKING:
    from siting.allocation._kernels_prices import Choice


@dataclass(frozen=True, slots=True)
class Priced:
    """A bound on the core (its constant left out), the prices that prove it, and how often each site was taken."""

    bound: float
    prices: FloatArray
    often: FloatArray
    interrupted: bool = False


def first_prices(core: MedianCore, chosen: IntArray) -> FloatArray:
    """Return prices half way between the nearest and the second nearest site of a choice, shape (rows,)."""
    near, far = nearest_two(core, chosen)
    return np.minimum(0.5 * (near + far), core.reach)


def nearest_two(core: MedianCore, chosen: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the two least costs of each demand under a choice of free sites."""
    lists = core.lists
    inside = np.zeros(len(core.sites), dtype=np.bool_)
    inside[chosen] = True
    at = np.flatnonzero(inside[lists.row_sites])
    row = np.searchsorted(lists.row_ptr, at, side="right") - 1
    turn = np.arange(len(at)) - np.searchsorted(row, row)
    near, far = lists.other.copy(), lists.other.copy()
    near[row[turn == 0]] = lists.row_cost[at[turn == 0]]
    far[row[turn == 1]] = lists.row_cost[at[turn == 1]]
    return near, far


def raise_bound(
    core: MedianCore,
    prices: FloatArray,
    upper: float,
    target: float,
    *,
    steps: int,
    seconds: float = math.inf,
    deadline: float = math.inf,
) -> Priced:
    """Return the best bound that some steps from given prices reach; Ctrl-C ends them.

    Parameters
    ----------
    core
        A p-median.
    prices
        Where to start, shape (rows,), at most ``core.reach``.
    upper
        Value of a known choice on the core: sets the step lengths.
    target
        Stop at this bound or more.
    steps
        Most steps.
    seconds
        Work allowed, as seconds of ``WORK_PER_SECOND``.
    deadline
        Stop when ``time.perf_counter()`` is past this.

    Returns
    -------
    Priced
        Its bound holds whatever ``upper`` was.
    """
    from siting.allocation import _kernels_prices as kernels

    often, status = np.zeros(len(core.sites)), np.full(len(core.sites), -1, dtype=np.int8)
    limits = (core.reach, choice_of(core.limits), status)
    stand, left, interrupted = kernels.start_climb(prices, 1.5), seconds * WORK_PER_SECOND, False
    try:
        while not stand.ended[0] and left > 0:
            left -= kernels.climb(core.lists, *limits, upper, target, steps, int(min(left, BATCH)), stand, often)
            if time.perf_counter() > deadline:
                break
    except KeyboardInterrupt:
        interrupted = True
    return Priced(float(stand.bound[0]), stand.kept, often, interrupted)


@dataclass(frozen=True, slots=True)
class Survivors:
    """What a better answer may use: free sites that are open or undecided, and the pairs between.

    Parameters
    ----------
    opened, undecided
        Free sites in every better answer, and those that may be in it.
    default
        Cost of each demand of the core with the settled and the opened sites alone.
    rows, places, cost
        The pairs left: row of the core, place among the undecided, cost below the default.
    """

    opened: IntArray
    undecided: IntArray
    default: FloatArray
    rows: IntArray
    places: IntArray
    cost: FloatArray


def forced_sites(core: MedianCore, priced: Priced) -> tuple[FloatArray, FloatArray]:
    """Return by how much the bound rises when each free site must be open, and when it must be closed."""
    from siting.allocation import _kernels_prices as kernels

    m = len(core.sites)
    value, opened, closed = np.empty(m), np.empty(m), np.empty(m)
    kernels.site_values(core.lists, priced.prices, value)
    kernels.forced(value, choice_of(core.limits), opened, closed)
    return opened, closed


def survivors(core: MedianCore, priced: Priced, upper: float, most: int) -> Survivors | None:
    """Return what any choice that costs at most ``upper`` uses, None where that is too much to be of use.

    Parameters
    ----------
    core
        A p-median.
    priced
        A bound and its prices.
    upper
        Value of a known choice on the core.
    most
        Most undecided sites that are of use.

    Returns
    -------
    Survivors | None
        Every choice on the core of at most this value is among them.
    """
    from siting.allocation import _kernels_prices as kernels

    m = len(core.sites)
    opened, closed = forced_sites(core, priced)
    room = max(0.0, upper - priced.bound) + 1e-9 * abs(upper)
    must = (closed > room) & (opened <= room)
    if int(((opened <= room) & ~must).sum()) > most:
        return None
    pairs, n = core.problem.pairs, core.problem.shape[0]
    place = np.full(core.problem.shape[1], -1, dtype=np.int32)
    place[core.sites] = np.arange(m)
    prices, default = np.zeros(n), np.zeros(n)
    prices[core.rows], default[core.rows] = priced.prices, core.default
    kept = np.empty(pairs.nnz, dtype=np.bool_)
    kernels.keep_pairs(
        pairs.indptr, pairs.indices, pairs.data, core.problem.weights, place, default, prices, opened, room, kept
    )
    at = np.flatnonzero(kept)
    row = np.searchsorted(pairs.indptr, at, side="right") - 1
    site, cost = place[pairs.indices[at]].astype(np.int64), core.problem.weights[row] * pairs.data[at]
    open_now = must[site]
    np.minimum.at(default, row[open_now], cost[open_now])
    apart = core.limits.exclusions()
    barred = must | (opened > room) | (apart @ must.astype(np.float64) > 0)
    better = ~barred[site] & (cost < default[row])
    undecided = np.flatnonzero(~barred)
    turn = np.full(m, -1, dtype=np.int64)
    turn[undecided] = np.arange(len(undecided))
    back = np.full(n, -1, dtype=np.int64)
    back[core.rows] = np.arange(len(core.rows))
    return Survivors(
        opened=np.flatnonzero(must),
        undecided=undecided,
        default=default[core.rows],
        rows=back[row[better]],
        places=turn[site[better]],
        cost=cost[better],
    )


def survivors_model(core: MedianCore, left: Survivors, scale: float) -> LinearModel:
    """Return the p-median on the survivors: ``y`` per undecided site, then ``x`` per pair.

    ``x_ij <= y_j``; ``sum_j x_ij = 1``, or ``<= 1`` where the demand is served anyway at its default cost.
    """
    sites, pairs, demands = len(left.undecided), len(left.rows), len(left.default)
    at = np.arange(pairs)
    free = np.isfinite(left.default)
    link = csr_array(
        (np.r_[np.ones(pairs), -np.ones(pairs)], (np.r_[at, at], np.r_[sites + at, left.places])),
        shape=(pairs, sites + pairs),
    )
    served = csr_array((np.ones(pairs), (left.rows, sites + at)), shape=(demands, sites + pairs))
    asked = np.flatnonzero((np.diff(served.indptr) > 0) | ~free)
    limits, most = limit_rows(core.limits)
    most = most - limits[:, left.opened].sum(axis=1)
    limits = hstack([limits[:, left.undecided], csr_array((len(most), pairs))])
    saving = left.cost - np.where(free, left.default, 0.0)[left.rows]
    return LinearModel(
        cost=np.r_[np.zeros(sites), saving / scale],
        matrix=csr_array(vstack([served[asked], link, limits])),
        row_lower=np.r_[np.where(free[asked], 0.0, 1.0), np.full(pairs + len(most), -np.inf)],
        row_upper=np.r_[np.ones(len(asked)), np.zeros(pairs), most],
        col_lower=np.zeros(sites + pairs),
        col_upper=np.ones(sites + pairs),
        integral=np.r_[np.ones(sites, dtype=np.bool_), np.zeros(pairs, dtype=np.bool_)],
        offset=float(left.default[free].sum()) / scale,
    )


def survivors_start(left: Survivors, chosen: IntArray) -> FloatArray:
    """Return a choice of free sites as a point of the survivors' model."""
    opened = np.isin(left.undecided, chosen)
    usable = np.flatnonzero(opened[left.places])
    order = usable[np.lexsort((left.places[usable], left.cost[usable], left.rows[usable]))]
    _, first = np.unique(left.rows[order], return_index=True)
    served = np.zeros(len(left.rows))
    served[order[first]] = 1.0
    return np.concatenate([opened.astype(np.float64), served])


def choice_of(limits: Problem) -> Choice:
    """Return the limits of a choice as the kernels take them."""
    from siting.allocation._kernels_prices import Choice

    money = np.inf if limits.budget is None else limits.budget * (1 + 1e-9)
    room = len(limits.cost) if limits.sites is None else limits.sites
    _, group = np.unique(limits.exclusive, return_inverse=True)
    group = np.where(limits.exclusive < 0, -1, group.ravel() - bool((limits.exclusive < 0).any()))
    return Choice(limits.cost, group.astype(np.int64), np.int64(room), np.float64(money))
