# mypy: allow-untyped-defs
"""Local search for p-median by fast interchange: arrays in, arrays out, no checks, no messages.

Each demand knows its nearest and second nearest open site; each site knows what opening it would save (``gain``), each
open one what closing it would cost (``loss``), and ``extra`` what is too much in the difference for each pair of them,
so that a swap is worth ``gain + extra - loss`` (Resende and Werneck 2007, Annals of Operations Research 150). Only
demands whose nearest two change are touched. The elements touched are counted (``work``), and that is what limits the
search: the result depends on the seed and the work allowed, never on the clock.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from siting.allocation._kernels import draw
from siting.network._kernels import compiled


class Lists(NamedTuple):
    """Sites of each demand by rising cost, demands of each site, and what a demand costs where none of them is open."""

    row_ptr: NDArray[np.int64]
    row_sites: NDArray[np.int32]
    row_cost: NDArray[np.float64]
    site_ptr: NDArray[np.int64]
    site_rows: NDArray[np.int32]
    site_cost: NDArray[np.float64]
    other: NDArray[np.float64]


class Limits(NamedTuple):
    """Price of each site, and the sites that each one excludes."""

    cost: NDArray[np.float64]
    apart_ptr: NDArray[np.int64]
    apart: NDArray[np.int32]


class State(NamedTuple):
    """Where the search stands; numbers that change are arrays of one."""

    slot: NDArray[np.int64]  # (m,) place of an open site among the members, -1 closed
    members: NDArray[np.int64]  # (p + 1,) site in each place, -1 for none
    first: NDArray[np.int64]  # (n,) nearest open site, -1 for none
    second: NDArray[np.int64]
    near: NDArray[np.float64]  # (n,) its cost
    next: NDArray[np.float64]
    gain: NDArray[np.float64]
    loss: NDArray[np.float64]
    extra: NDArray[np.float64]  # (m, p + 1)
    blocked: NDArray[np.int64]  # (m,) how many open sites exclude it
    room: NDArray[np.int64]
    money: NDArray[np.float64]
    total: NDArray[np.float64]  # cost now, cost of the best
    best: NDArray[np.bool_]
    random: NDArray[np.uint64]


@compiled
def count_kept(ptr, sites, length, weight, place, default, most, lo, hi, kept):
    """Write how many pairs of each row are kept: to open sites, cheaper than its default, ``most`` at most."""
    for i in range(lo, hi):
        number = 0
        for q in range(ptr[i], ptr[i + 1]):
            number += place[sites[q]] >= 0 and weight[i] * length[q] < default[i]
        kept[i] = min(number, most)


@compiled
def sort_rows(ptr, sites, length, weight, place, default, lo, hi, out):
    """Write the kept pairs of each row by rising cost, lower index first on a tie, and the first cost left out."""
    out_ptr, out_sites, out_cost, out_reach = out
    size = 0
    for i in range(lo, hi):
        size = max(size, ptr[i + 1] - ptr[i])
    cost, site = np.empty(size, np.float64), np.empty(size, np.int32)
    for i in range(lo, hi):
        number = 0
        for q in range(ptr[i], ptr[i + 1]):
            c = weight[i] * length[q]
            if place[sites[q]] >= 0 and c < default[i]:
                cost[number] = c
                site[number] = place[sites[q]]
                number += 1
        keep = out_ptr[i + 1] - out_ptr[i]
        out_reach[i] = default[i]
        if keep == 0:
            continue
        if keep < number:
            part = np.partition(cost[:number], keep)
            out_reach[i] = part[keep]
            limit = part[keep - 1] if keep else 0.0
            for k in range(keep):
                limit = max(limit, part[k])
            below = 0
            for k in range(number):
                below += cost[k] < limit
            ties = keep - below
            filled = 0
            for k in range(number):
                if cost[k] < limit or (cost[k] == limit and ties > 0):
                    ties -= cost[k] == limit
                    cost[filled] = cost[k]
                    site[filled] = site[k]
                    filled += 1
        order = np.argsort(cost[:keep], kind="mergesort")
        start = out_ptr[i]
        for k in range(keep):
            out_cost[start + k] = cost[order[k]]
            out_sites[start + k] = site[order[k]]


@compiled
def transpose(row_ptr, row_sites, row_cost, site_ptr, site_rows, site_cost):
    """Fill the lists by site from the lists by demand."""
    fill = site_ptr[:-1].copy()
    for i in range(len(row_ptr) - 1):
        for q in range(row_ptr[i], row_ptr[i + 1]):
            j = row_sites[q]
            site_rows[fill[j]] = i
            site_cost[fill[j]] = row_cost[q]
            fill[j] += 1


@compiled
def _account(i, sign, lists, state):
    """Add (or take away) what demand i contributes to every gain, loss and extra; return the elements touched."""
    near, far, first = state.near[i], state.next[i], state.first[i]
    sites, cost = lists.row_sites, lists.row_cost
    q, end = lists.row_ptr[i], lists.row_ptr[i + 1]
    begun = q
    if first < 0:
        while q < end and cost[q] < near:
            state.gain[sites[q]] += sign * (near - cost[q])
            q += 1
        return q - begun + 1
    s = state.slot[first]
    spread = sign * (far - near)
    state.loss[s] += spread
    while q < end and cost[q] < near:
        state.gain[sites[q]] += sign * (near - cost[q])
        state.extra[sites[q], s] += spread
        q += 1
    while q < end and cost[q] < far:
        state.extra[sites[q], s] += sign * (far - cost[q])
        q += 1
    return q - begun + 1


@compiled
def start_state(lists, state):
    """Account for every demand with no site open."""
    for i in range(len(lists.other)):
        state.near[i] = lists.other[i]
        state.next[i] = lists.other[i]
        state.total[0] += lists.other[i]
        _account(i, 1.0, lists, state)


@compiled
def open_site(j, lists, limits, state):
    """Open site j; return the elements touched."""
    s = 0
    while state.members[s] >= 0:
        s += 1
    state.members[s] = j
    state.slot[j] = s
    state.room[0] -= 1
    state.money[0] -= limits.cost[j]
    for q in range(limits.apart_ptr[j], limits.apart_ptr[j + 1]):
        state.blocked[limits.apart[q]] += 1
    work = s + lists.site_ptr[j + 1] - lists.site_ptr[j]
    for q in range(lists.site_ptr[j], lists.site_ptr[j + 1]):
        i, c = lists.site_rows[q], lists.site_cost[q]
        if c < state.near[i]:
            work += 2 * _account(i, -1.0, lists, state)
            state.total[0] -= state.near[i] - c
            state.next[i], state.second[i] = state.near[i], state.first[i]
            state.near[i], state.first[i] = c, j
            _account(i, 1.0, lists, state)
        elif c < state.next[i]:
            work += 2 * _account(i, -1.0, lists, state)
            state.next[i], state.second[i] = c, j
            _account(i, 1.0, lists, state)
    return work


@compiled
def close_site(j, lists, limits, state):
    """Close site j; return the elements touched."""
    s = state.slot[j]
    work = lists.site_ptr[j + 1] - lists.site_ptr[j]
    for q in range(lists.site_ptr[j], lists.site_ptr[j + 1]):
        i = lists.site_rows[q]
        if state.first[i] == j or state.second[i] == j:
            work += 2 * _account(i, -1.0, lists, state)
            before = state.near[i]
            state.first[i], state.near[i] = -1, lists.other[i]
            state.second[i], state.next[i] = -1, lists.other[i]
            for t in range(lists.row_ptr[i], lists.row_ptr[i + 1]):
                k = lists.row_sites[t]
                if state.slot[k] < 0 or k == j:
                    continue
                if state.first[i] < 0:
                    state.first[i], state.near[i] = k, lists.row_cost[t]
                else:
                    state.second[i], state.next[i] = k, lists.row_cost[t]
                    break
            state.total[0] += state.near[i] - before
            _account(i, 1.0, lists, state)
    state.members[s] = -1
    state.slot[j] = -1
    state.room[0] += 1
    state.money[0] += limits.cost[j]
    for q in range(limits.apart_ptr[j], limits.apart_ptr[j + 1]):
        state.blocked[limits.apart[q]] -= 1
    return work


@compiled
def _best_opening(per_cost, least, limits, state):
    """Return the closed site that saves most (per cost) and fits, lower index on a tie; -1 where none does."""
    best, found = 0.0, np.int64(-1)
    for j in range(len(state.slot)):
        if state.slot[j] >= 0 or state.blocked[j] > 0 or state.gain[j] <= least or limits.cost[j] > state.money[0]:
            continue
        worth = state.gain[j] / max(limits.cost[j], 1e-12) if per_cost else state.gain[j]
        if worth > best:
            best, found = worth, np.int64(j)
    return found


@compiled
def fill(per_cost, least, lists, limits, state):
    """Open the site that saves most (per cost) until none fits or saves more than ``least``; return the work."""
    work = 0
    while state.room[0] > 0:
        j = _best_opening(per_cost, least, limits, state)
        work += len(state.slot)
        if j < 0:
            break
        work += open_site(j, lists, limits, state)
    return work


@compiled
def _swap_worth(j, s, limits, state):
    """Return what opening site j and closing the member in place s saves; -inf where the limits forbid it."""
    r = state.members[s]
    if r < 0 or limits.cost[j] - limits.cost[r] > state.money[0]:
        return -np.inf
    return state.gain[j] + state.extra[j, s] - state.loss[s]


@compiled
def _only_blocker(j, limits, state):
    """Return the place of the one open site that excludes site j."""
    for q in range(limits.apart_ptr[j], limits.apart_ptr[j + 1]):
        if state.slot[limits.apart[q]] >= 0:
            return state.slot[limits.apart[q]]
    return np.int64(-1)


@compiled
def _best_partner(j, limits, state):
    """Return the best place to close when site j opens, and what the swap saves."""
    if state.blocked[j] > 1:
        return np.int64(-1), -np.inf
    if state.blocked[j] == 1:
        s = _only_blocker(j, limits, state)
        return s, _swap_worth(j, s, limits, state)
    best, found = -np.inf, np.int64(-1)
    gain, room = state.gain[j], state.money[0] - limits.cost[j]
    for s in range(len(state.members)):
        worth = gain + state.extra[j, s] - state.loss[s]
        if worth > best and state.members[s] >= 0 and room + limits.cost[state.members[s]] >= 0:
            best, found = worth, np.int64(s)
    return found, best


@compiled
def descend(least, lists, limits, state):
    """Open what fits and swap while that saves more than ``least``; return the work."""
    work = fill(False, least, lists, limits, state)
    while True:
        best, enter, place = least, np.int64(-1), np.int64(-1)
        for j in range(len(state.slot)):
            if state.slot[j] >= 0 or state.gain[j] <= best:
                continue
            s, worth = _best_partner(j, limits, state)
            work += len(state.members) // 4
            if worth > best:
                best, enter, place = worth, np.int64(j), s
        work += len(state.slot)
        if enter < 0:
            return work
        leave = state.members[place]
        work += open_site(enter, lists, limits, state) + close_site(leave, lists, limits, state)
        work += fill(False, least, lists, limits, state)


@compiled
def keep_best(state):
    """Remember the open sites as the best met so far."""
    state.total[1] = state.total[0]
    for j in range(len(state.slot)):
        state.best[j] = state.slot[j] >= 0


@compiled
def return_to_best(lists, limits, state):
    """Open and close what differs from the best; return the work."""
    work, j, k = len(state.slot), 0, 0
    m = len(state.slot)
    while j < m or k < m:
        while j < m and not (state.slot[j] >= 0 and not state.best[j]):
            j += 1
        if j < m:
            work += close_site(j, lists, limits, state)
        while k < m and not (state.slot[k] < 0 and state.best[k]):
            k += 1
        if k < m:
            work += open_site(k, lists, limits, state)
    return work


@compiled
def _shake(strength, lists, limits, state):
    """Swap a few random sites near random demands in, and random or least missed members out; return the work."""
    work = 0
    n, size = len(lists.other), len(state.members)
    for _ in range(strength):
        i = draw(state.random, n)
        length = lists.row_ptr[i + 1] - lists.row_ptr[i]
        if length == 0:
            continue
        near = min(length, 2 + 3 * len(state.slot) // size)
        j = np.int64(lists.row_sites[lists.row_ptr[i] + draw(state.random, near)])
        s = draw(state.random, size)
        if state.slot[j] >= 0 or state.blocked[j] > 1:
            continue
        if state.blocked[j] == 1:
            s = _only_blocker(j, limits, state)
        elif draw(state.random, 2) == 0:
            s, _ = _best_partner(j, limits, state)
        if s < 0 or _swap_worth(j, s, limits, state) == -np.inf:
            continue
        leave = state.members[s]
        work += size + open_site(j, lists, limits, state) + close_site(leave, lists, limits, state)
    return work


@compiled
def search(least, target, work_allowed, lists, limits, state):
    """Shake and descend from the best again and again; return the work."""
    work = 0
    most = max(1, min(6, len(state.members) // 4))
    while work < work_allowed and state.total[1] > target:
        work += 1 + _shake(1 + draw(state.random, most), lists, limits, state)
        work += descend(least, lists, limits, state)
        if state.total[0] < state.total[1] - least:
            keep_best(state)
        else:
            work += return_to_best(lists, limits, state)
    return work
