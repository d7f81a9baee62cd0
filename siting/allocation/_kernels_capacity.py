# mypy: allow-untyped-defs
"""Capacitated p-median: knapsack prices and assignment to open sites; arrays in, arrays out, no checks, no messages."""

from __future__ import annotations

import numpy as np

from siting.allocation._kernels_prices import choose, take_step
from siting.network._kernels import compiled


@compiled
def _fill_whole(worth, size, room, number, taken):
    """Write the best whole items (whole sizes) into ``taken``; return what they are worth."""
    total = 0
    for k in range(number):
        total += size[k]
    if total <= room:
        taken[:number] = 1.0
        return worth[:number].sum()
    best = np.zeros(room + 1)
    kept = np.zeros((number, room + 1), np.bool_)
    for k in range(number):
        for c in range(room, size[k] - 1, -1):
            value = best[c - size[k]] + worth[k]
            if value > best[c]:
                best[c] = value
                kept[k, c] = True
    c = room
    for k in range(number - 1, -1, -1):
        taken[k] = 1.0 if kept[k, c] else 0.0
        if kept[k, c]:
            c -= size[k]
    return best[room]


@compiled
def _fill_parts(worth, size, room, number, taken):
    """Write the best items, the last one in part, into ``taken``; return what they are worth."""
    total, left = 0.0, room
    for k in np.argsort(-worth[:number] / np.maximum(size[:number], 1e-12), kind="mergesort"):
        taken[k] = 1.0 if size[k] <= left else left / size[k]
        left -= taken[k] * size[k]
        total += taken[k] * worth[k]
    return total


@compiled
def price_sites(columns, needs, prices, whole, value, share):
    """Write what each site saves at most on the prices (<= 0), and the share of each pair in that; return the work."""
    ptr, rows, cost = columns
    asked, room = needs
    work = len(rows)
    size, worth, place = np.empty(len(prices)), np.empty(len(prices)), np.empty(len(prices), np.int64)
    for j in range(len(value)):
        number = 0
        for q in range(ptr[j], ptr[j + 1]):
            i = rows[q]
            share[q] = 0.0
            if prices[i] > cost[q] and (asked[i] <= room[j] or not whole):
                size[number], worth[number], place[number] = asked[i], prices[i] - cost[q], q
                number += 1
        taken = np.zeros(number)
        if whole:
            value[j] = -_fill_whole(worth, size.astype(np.int64), np.int64(room[j]), number, taken)
            work += int(number * room[j])
        else:
            value[j] = -_fill_parts(worth, size, room[j], number, taken)
            work += 20 * number
        for k in range(number):
            share[place[k]] = taken[k]
    return work


@compiled
def climb_capacity(columns, needs, whole, choice, must, upper, steps, work_allowed, state):
    """Raise the bound by deflected subgradient steps until some work is done; return the elements touched.

    It goes on where it stood, and marks the state as ended when nothing more is to be gained.
    """
    ptr, rows, _ = columns
    m = len(ptr) - 1
    value, share, amount, masked = np.empty(m), np.empty(len(rows)), np.empty(m), np.zeros(m)
    prices, bound, since, work = state.prices, state.bound, state.since, 0
    slope, top = np.empty(len(prices)), np.full(len(prices), np.inf)
    while work <= work_allowed and not state.ended[0]:
        work += price_sites(columns, needs, prices, whole, value, share) + len(rows)
        state.steps[0] += 1
        reached = prices.sum()
        for j in range(m):
            masked[j] = 0.0 if must[j] else value[j]
            reached += value[j] if must[j] else 0.0
        reached += choose(masked, choice, amount)
        since[0] += 1
        if reached > bound[0]:
            if reached > bound[0] + 1e-4 * max(upper - bound[0], 0.0):
                since[0] = 0
            bound[0] = reached
            state.kept[:] = prices
        if bound[0] >= upper or state.pace[0] < 1e-3 or state.steps[0] >= steps:
            state.ended[0] = True
            break
        if since[0] >= 20:
            since[0] = 0
            state.pace[0] *= 0.6
            state.path[:] = 0.0
        slope[:] = 1.0
        for j in range(m):
            part = 1.0 if must[j] else amount[j]
            if part > 0.0:
                for q in range(ptr[j], ptr[j + 1]):
                    slope[rows[q]] -= part * share[q]
        take_step(state, slope, top, max(upper - reached, 1e-6 * abs(bound[0])))
    return work


@compiled
def assign(far, asked, room, order, site):
    """Give each demand in turn to the nearest open site with room, then shift and exchange; return the cost.

    ``far`` holds the cost of each demand at each open site (inf: out of reach), ``site`` takes the place of each
    demand's site. ``inf`` is returned where some demand found no room.
    """
    n, k = far.shape
    left = room.copy()
    for i in order:
        site[i] = -1
        for s in range(k):
            fits = asked[i] <= left[s] and far[i, s] < np.inf
            if fits and (site[i] < 0 or far[i, s] < far[i, site[i]]):
                site[i] = s
        if site[i] < 0:
            return np.inf
        left[site[i]] -= asked[i]
    better = True
    while better:
        better = False
        for i in range(n):
            a = site[i]
            for b in range(k):
                if asked[i] <= left[b] and far[i, b] < far[i, a] - 1e-12 * far[i, a]:
                    left[a] += asked[i]
                    left[b] -= asked[i]
                    site[i] = a = b
                    better = True
            for h in range(i):
                b = site[h]
                if a == b:
                    continue
                saved = far[i, a] + far[h, b] - far[i, b] - far[h, a]
                more = asked[i] - asked[h]
                if saved > 1e-12 * (far[i, a] + far[h, b]) and more <= left[b] and -more <= left[a]:
                    left[a] += more
                    left[b] -= more
                    site[i], site[h] = b, a
                    a = b
                    better = True
    total = 0.0
    for i in range(n):
        total += far[i, site[i]]
    return total
