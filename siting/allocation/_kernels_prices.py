# mypy: allow-untyped-defs
"""Lagrangian bound of the p-median: arrays in, arrays out, no checks, no messages."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from siting.network._kernels import compiled


class Choice(NamedTuple):
    """What limits the choice of sites: price, exclusive group (-1: none), number, money (inf: no limit)."""

    cost: NDArray[np.float64]
    group: NDArray[np.int64]
    room: np.int64
    money: np.float64


class Climb(NamedTuple):
    """Where prices stand that climb in steps; numbers that change are arrays of one."""

    prices: NDArray[np.float64]  # (n,) of the next step
    kept: NDArray[np.float64]  # (n,) of the best bound
    path: NDArray[np.float64]  # (n,) direction of the last step
    bound: NDArray[np.float64]
    pace: NDArray[np.float64]
    since: NDArray[np.int64]  # steps since the bound rose
    steps: NDArray[np.int64]
    ended: NDArray[np.bool_]  # nothing more is to be gained


@compiled
def start_climb(prices, pace):
    """Return the state before the first step."""
    bound, speed = np.full(1, -np.inf), np.full(1, pace)
    none, path = np.zeros(1, np.int64), np.zeros(len(prices))
    return Climb(prices.copy(), prices.copy(), path, bound, speed, none, none.copy(), np.zeros(1, np.bool_))


@compiled
def take_step(stand, slope, top, room):
    """Move the prices along the slope, deflected from the last direction; without a slope the climb has ended."""
    prices, path = stand.prices, stand.path
    along, length = 0.0, 0.0
    for i in range(len(prices)):
        along += slope[i] * path[i]
        length += path[i] * path[i]
    back = -1.5 * along / length if along < 0 else 0.0
    length = 0.0
    for i in range(len(prices)):
        path[i] = slope[i] + back * path[i]
        length += path[i] * path[i]
    if length <= 1e-12:
        stand.ended[0] = True
        return
    stride = stand.pace[0] * room / length
    for i in range(len(prices)):
        prices[i] = min(max(prices[i] + stride * path[i], 0.0), top[i])


@compiled
def _choose_by_number(value, group, room, amount):
    """Take the ``room`` lowest values below 0, one of a group; return their sum."""
    m = len(value)
    lowest = value.copy()
    leader = np.full(m, -1, np.int64)
    for j in range(m):
        g = group[j]
        if g < 0:
            continue
        if leader[g] >= 0 and value[j] >= value[leader[g]]:
            lowest[j] = 0.0
        else:
            if leader[g] >= 0:
                lowest[leader[g]] = 0.0
            leader[g] = j
    limit, ties = 0.0, 0
    if room < m:
        part = np.partition(lowest, room)
        limit = part[room]
        ties = room
        for j in range(m):
            ties -= lowest[j] < limit
    total = 0.0
    for j in range(m):
        amount[j] = 0.0
        if lowest[j] >= 0.0 or lowest[j] > limit:
            continue
        if lowest[j] == limit:
            if ties <= 0:
                continue
            ties -= 1
        amount[j] = 1.0
        total += lowest[j]
    return total


@compiled
def _choose_by_money(value, cost, money, amount):
    """Take the values below 0 by most per price while the money lasts, the last one in part; return their sum."""
    total, left = 0.0, max(money, 0.0)
    for j in np.argsort(value / np.maximum(cost, 1e-12), kind="mergesort"):
        amount[j] = 0.0
        if value[j] < 0.0:
            amount[j] = 1.0 if cost[j] <= left else left / cost[j]
            left -= amount[j] * cost[j]
            total += amount[j] * value[j]
    return total


@compiled
def choose(value, choice, amount):
    """Write how much of each site is taken so that no allowed choice has a lower sum of values; return the sum."""
    if choice.room <= 0:
        amount[:] = 0.0
        return 0.0
    total = _choose_by_number(value, choice.group, choice.room, amount)
    if choice.money == np.inf:
        return total
    part = np.empty_like(amount)
    by_money = _choose_by_money(value, choice.cost, choice.money, part)
    if by_money > total:
        amount[:] = part
        return by_money
    return total


@compiled
def site_values(lists, prices, value):
    """Write into ``value`` what each site saves on the prices (a number <= 0); return the elements touched."""
    value[:] = 0.0
    work = len(prices)
    for i in range(len(prices)):
        price = prices[i]
        q, end = lists.row_ptr[i], lists.row_ptr[i + 1]
        while q < end and lists.row_cost[q] < price:
            value[lists.row_sites[q]] += lists.row_cost[q] - price
            q += 1
        work += q - lists.row_ptr[i]
    return work


@compiled
def _slope(lists, prices, top, amount, slope):
    """Write how much each demand is short of (or over) one site; 0 where its price may not follow."""
    for i in range(len(prices)):
        short = 1.0
        q, end = lists.row_ptr[i], lists.row_ptr[i + 1]
        while q < end and lists.row_cost[q] < prices[i]:
            short -= amount[lists.row_sites[q]]
            q += 1
        slope[i] = 0.0 if (prices[i] >= top[i] and short > 0) or (prices[i] <= 0 and short < 0) else short


@compiled
def relax(lists, prices, choice, status, value, amount):
    """Write the value of each site and how much of it the cheapest choice takes; return that cost and the work.

    Sites of status 1 are taken, those of status 0 are not, the others (-1) are chosen within the limits.
    """
    work = site_values(lists, prices, value) + 4 * len(value)
    total = prices.sum()
    masked = np.zeros(len(value))
    for j in range(len(value)):
        if status[j] == 1:
            total += value[j]
        elif status[j] == -1:
            masked[j] = value[j]
    total += choose(masked, choice, amount)
    for j in range(len(value)):
        if status[j] >= 0:
            amount[j] = status[j]
    return total, work


@compiled
def climb(lists, top, choice, status, upper, target, steps, work_allowed, stand, often):
    """Raise the bound by deflected subgradient steps until some work is done; return the elements touched.

    It goes on where it stood. ``often`` is a running mean of how much of each site was taken.
    """
    prices, kept, bound, since = stand.prices, stand.kept, stand.bound, stand.since
    m, work, slope = len(choice.cost), 0, np.empty(len(prices))
    value, amount = np.empty(m), np.empty(m)
    while work < work_allowed and not stand.ended[0]:
        reached, touched = relax(lists, prices, choice, status, value, amount)
        work += 2 * touched
        stand.steps[0] += 1
        for j in range(m):
            often[j] += 0.1 * (amount[j] - often[j])
        if reached > bound[0]:
            if reached > bound[0] + 1e-4 * max(upper - bound[0], 1e-6 * abs(bound[0])):
                since[0] = 0
            bound[0] = reached
            kept[:] = prices
        since[0] += 1
        if bound[0] >= target or stand.steps[0] >= steps:
            stand.ended[0] = True
            break
        if since[0] >= 20:
            since[0] = 0
            stand.pace[0] *= 0.6
            prices[:] = kept
            stand.path[:] = 0.0
            if stand.pace[0] < 1e-3:
                stand.ended[0] = True
                break
            reached, touched = relax(lists, prices, choice, status, value, amount)
            work += touched
        _slope(lists, prices, top, amount, slope)
        take_step(stand, slope, top, max(upper - reached, 1e-6 * abs(bound[0])))
    return work


@compiled
def _forced_by_number(value, room, opened, closed):
    """Do what ``forced`` does where only the number of sites is limited."""
    m = len(value)
    inside, outside = 0.0, 0.0  # the last value taken, the first one not
    if room < m:
        part = np.partition(value, room)
        outside = part[room]
        inside = part[0] if room else 0.0
        for k in range(room):
            inside = max(inside, part[k])
    for j in range(m):
        opened[j] = max(0.0, value[j] - inside) if room > 0 else np.inf
        closed[j] = max(0.0, outside - value[j])


@compiled
def forced(value, choice, opened, closed):
    """Write by how much the bound rises when each site must be open, and when it must be closed."""
    if choice.money == np.inf and (choice.group < 0).all():
        _forced_by_number(value, choice.room, opened, closed)
        return
    m = len(value)
    amount, left, taken = np.empty(m), value.copy(), np.empty(m)
    total = choose(value, choice, taken)
    for j in range(m):
        left[j] = 0.0
        closed[j] = choose(left, choice, amount) - total if taken[j] > 0.0 else 0.0
        mates = np.empty(0, np.int64)
        if choice.group[j] >= 0:
            mates = np.flatnonzero(choice.group == choice.group[j])
            for k in mates:
                left[k] = 0.0
        if choice.cost[j] > choice.money or choice.room <= 0:
            opened[j] = np.inf
        else:
            rest = Choice(choice.cost, choice.group, choice.room - 1, choice.money - choice.cost[j])
            opened[j] = max(0.0, value[j] + choose(left, rest, amount) - total)
        for k in mates:
            left[k] = value[k]
        left[j] = value[j]


@compiled
def keep_pairs(ptr, sites, length, weight, place, default, prices, opened, room, kept):
    """Mark the pairs that a better answer may use: what they add to the bound stays within ``room``."""
    for i in range(len(prices)):
        for q in range(ptr[i], ptr[i + 1]):
            j = place[sites[q]]
            c = weight[i] * length[q]
            kept[q] = j >= 0 and c < default[i] and max(c - prices[i], 0.0) + opened[j] <= room
