# mypy: allow-untyped-defs
"""Local search for cheap covers by row weighting: arrays in, arrays out, no checks, no messages.

Every site knows what the rows would gain by adding it or lose by removing it, and only rows whose count crosses their
level are touched. The elements touched are counted (``work``), and that is what limits the search: the result depends
on the seed and the work allowed, never on the clock.

Source: Gao, Yao, Weise and Li (2015), An efficient local search heuristic with row weighting for the unicost set
covering problem, European Journal of Operational Research 246; here with costs, levels and exclusions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from siting.network._kernels import compiled


class Reach(NamedTuple):
    """Which sites (columns) have which demand (rows) in reach, both ways, and which sites exclude each other."""

    row_ptr: NDArray[np.int64]
    row_cols: NDArray[np.int32]
    col_ptr: NDArray[np.int64]
    col_rows: NDArray[np.int32]
    apart_ptr: NDArray[np.int64]
    apart: NDArray[np.int32]


class Terms(NamedTuple):
    """Level and weight of each row; cost and role of each site: 1 must stay, -1 may not come in, 0 free."""

    need: NDArray[np.int64]
    weight: NDArray[np.float64]
    cost: NDArray[np.float64]
    role: NDArray[np.int8]


class CoverState(NamedTuple):
    """Where the search for a cheap cover stands; lists with places, their lengths in arrays of one."""

    inside: NDArray[np.bool_]
    hits: NDArray[np.int64]
    penalty: NDArray[np.int64]
    score: NDArray[np.int64]
    stamp: NDArray[np.int64]
    open_rows: NDArray[np.int64]
    open_at: NDArray[np.int64]
    open_n: NDArray[np.int64]
    members: NDArray[np.int64]
    member_at: NDArray[np.int64]
    member_n: NDArray[np.int64]
    best: NDArray[np.bool_]
    total: NDArray[np.float64]  # cost now, cost of the best
    random: NDArray[np.uint64]
    step: NDArray[np.int64]


@compiled
def draw(state, size):
    """Return a number in [0, size) and move the xorshift state on."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    return np.int64((x >> np.uint64(11)) % np.uint64(size))


@compiled
def _list_item(items, place, number, item):
    items[number[0]] = item
    place[item] = number[0]
    number[0] += 1


@compiled
def _strike_item(items, place, number, item):
    number[0] -= 1
    last = items[number[0]]
    items[place[item]] = last
    place[last] = place[item]
    place[item] = -1


@compiled
def flip_cover(j, reach, terms, state):
    """Put site j in or out, with every count, score and list; return the elements touched."""
    row_ptr, row_cols, col_ptr, col_rows = reach.row_ptr, reach.row_cols, reach.col_ptr, reach.col_rows
    need, inside, hits, penalty, score = terms.need, state.inside, state.hits, state.penalty, state.score
    work = col_ptr[j + 1] - col_ptr[j]
    entering = not inside[j]
    own = np.int64(0)
    for p in range(col_ptr[j], col_ptr[j + 1]):
        i = col_rows[p]
        before = hits[i]
        after = before + 1 if entering else before - 1
        low, high = min(before, after), max(before, after)
        hits[i] = after
        if low < need[i]:
            own += penalty[i]
        closing, easing = high == need[i], low == need[i]
        if closing:
            if entering:
                _strike_item(state.open_rows, state.open_at, state.open_n, i)
            else:
                _list_item(state.open_rows, state.open_at, state.open_n, i)
        if closing or easing:
            change = -penalty[i] if entering else penalty[i]
            work += row_ptr[i + 1] - row_ptr[i]
            for q in range(row_ptr[i], row_ptr[i + 1]):
                k = row_cols[q]
                if k != j and inside[k] == easing:
                    score[k] += change
    inside[j] = entering
    score[j] = own
    state.stamp[j] = state.step[0]
    if entering:
        _list_item(state.members, state.member_at, state.member_n, j)
        state.total[0] += terms.cost[j]
    else:
        _strike_item(state.members, state.member_at, state.member_n, j)
        state.total[0] -= terms.cost[j]
    return work


@compiled
def _least_loss(terms, state, tabu):
    """Return the member that loses least per cost, the one that moved longest ago on a tie; -1 where none may go."""
    score, stamp, cost = state.score, state.stamp, terms.cost
    best = np.int64(-1)
    for t in range(state.member_n[0]):
        j = state.members[t]
        if terms.role[j] == 1 or j == tabu:
            continue
        if best < 0:
            best = j
            continue
        left, right = score[j] * cost[best], score[best] * cost[j]
        if left < right or (left == right and (stamp[j] < stamp[best] or (stamp[j] == stamp[best] and j < best))):
            best = j
    return best


@compiled
def _most_gain(i, reach, terms, state):
    """Return the site of row i that gains most per cost, of those that did not just leave; -1 where there is none."""
    score, stamp, cost = state.score, state.stamp, terms.cost
    best = np.int64(-1)
    for q in range(reach.row_ptr[i], reach.row_ptr[i + 1]):
        k = np.int64(reach.row_cols[q])
        if state.inside[k] or terms.role[k] != 0 or state.stamp[k] == state.step[0]:
            continue
        if best < 0:
            best = k
            continue
        left, right = score[k] * cost[best], score[best] * cost[k]
        if left > right or (left == right and (stamp[k] < stamp[best] or (stamp[k] == stamp[best] and k < best))):
            best = k
    return best


@compiled
def _enter(k, limit, reach, terms, state):
    """Put site k in and those it excludes out while the cost stays below the limit; return the work, -1 if not done."""
    after = state.total[0] + terms.cost[k]
    for q in range(reach.apart_ptr[k], reach.apart_ptr[k + 1]):
        if state.inside[reach.apart[q]]:
            after -= terms.cost[reach.apart[q]]
    if after >= limit:
        return np.int64(-1)
    work = np.int64(0)
    for q in range(reach.apart_ptr[k], reach.apart_ptr[k + 1]):
        if state.inside[reach.apart[q]]:
            work += flip_cover(np.int64(reach.apart[q]), reach, terms, state)
    return work + flip_cover(k, reach, terms, state)


@compiled
def fill_cover(reach, terms, state):
    """Add the site that gains most per cost, until no row is open or none fits; return the work."""
    work = np.int64(0)
    while state.open_n[0] > 0:
        best = np.int64(-1)
        for k in range(len(terms.role)):
            if state.inside[k] or terms.role[k] != 0 or state.score[k] <= 0:
                continue
            if best >= 0 and state.score[k] * terms.cost[best] <= state.score[best] * terms.cost[k]:
                continue
            if not _excluded(k, reach, state):
                best = np.int64(k)
        work += len(terms.role)
        if best < 0:
            return work
        work += flip_cover(best, reach, terms, state)
    return work


@compiled
def _excluded(k, reach, state):
    excluded = False
    for q in range(reach.apart_ptr[k], reach.apart_ptr[k + 1]):
        excluded |= state.inside[reach.apart[q]]
    return excluded


@compiled
def search_cover(reach, terms, state, work_allowed, target):
    """Search on for a cheaper cover; ``state.best`` and ``state.total[1]`` hold the cheapest met so far.

    Each step takes out the member that loses least per cost, fills random open rows with the site that gains most per
    cost while the total stays below the best, and adds 1 to the penalty of every row left open. Returns the work.
    """
    work = np.int64(0)
    tabu = np.int64(-1)
    while work < work_allowed:
        state.step[0] += 1
        while state.open_n[0] == 0:
            if state.total[0] < state.total[1]:
                state.total[1] = state.total[0]
                state.best[:] = state.inside
            j = _least_loss(terms, state, np.int64(-1))
            if j < 0 or state.total[1] <= target:
                return work
            work += state.member_n[0] + flip_cover(j, reach, terms, state)
        limit = state.total[1] - 1e-9 * (1.0 + state.total[1]) if np.isfinite(state.total[1]) else np.inf
        j = _least_loss(terms, state, tabu)
        work += state.member_n[0] + 1
        if j >= 0:
            work += flip_cover(j, reach, terms, state)
        while state.open_n[0] > 0:
            i = state.open_rows[draw(state.random, state.open_n[0])]
            k = _most_gain(i, reach, terms, state)
            work += reach.row_ptr[i + 1] - reach.row_ptr[i] + 1
            if k < 0:
                break
            done = _enter(k, limit, reach, terms, state)
            if done < 0:
                break
            work += done
            tabu = k
        for t in range(state.open_n[0]):
            i = state.open_rows[t]
            state.penalty[i] += 1
            work += reach.row_ptr[i + 1] - reach.row_ptr[i]
            for q in range(reach.row_ptr[i], reach.row_ptr[i + 1]):
                state.score[reach.row_cols[q]] += 1
    return work


# ---- Lagrangian bounds


@compiled
def price_columns(col_ptr, col_rows, price, value):
    """Write into ``value`` the sum of the prices of the rows in each column."""
    for j in range(len(col_ptr) - 1):
        total = 0.0
        for p in range(col_ptr[j], col_ptr[j + 1]):
            total += price[col_rows[p]]
        value[j] = total


@compiled
def count_rows(col_ptr, col_rows, amount, count):
    """Write into ``count`` how much of the chosen columns lies over each row."""
    count[:] = 0.0
    for j in range(len(col_ptr) - 1):
        if amount[j] != 0.0:
            for p in range(col_ptr[j], col_ptr[j + 1]):
                count[col_rows[p]] += amount[j]
