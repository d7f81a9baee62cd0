# mypy: allow-untyped-defs
"""Local search for the most cover by iterated swaps: arrays in, arrays out, no checks, no messages.

Every site knows what the cover would gain by adding it or lose by removing it, and only rows whose count crosses their
level are touched. The elements touched are counted (``work``), and that is what limits the search: the result depends
on the seed and the work allowed, never on the clock. ``share`` is what a cover below a row's level is taken to be
worth; 0 where every level is 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from siting.allocation._kernels import draw
from siting.network._kernels import compiled


class SwapState(NamedTuple):
    """Where the search for the most cover stands; ``room`` and ``money`` are what is left of both limits."""

    inside: NDArray[np.bool_]
    hits: NDArray[np.int64]
    score: NDArray[np.float64]
    blocked: NDArray[np.int64]
    banned: NDArray[np.int64]
    added: NDArray[np.int64]
    room: NDArray[np.int64]
    money: NDArray[np.float64]
    best: NDArray[np.bool_]
    kept: NDArray[np.bool_]
    value: NDArray[np.float64]  # worth now, cover of the best, worth of what is kept
    random: NDArray[np.uint64]
    turn: NDArray[np.int64]


@compiled
def _next_worth(c, need, weight, share):
    """Return what one more cover of a row is worth when it has c: its weight at its level, a share of it before."""
    if c < 0 or c >= need:
        return 0.0
    return weight * (1.0 + share) if c == need - 1 else weight * share


@compiled
def flip_swap(j, share, reach, terms, state):
    """Put site j in or out, with counts, scores, what is left of the limits; return the elements touched."""
    row_ptr, row_cols, col_ptr, col_rows = reach.row_ptr, reach.row_cols, reach.col_ptr, reach.col_rows
    inside, hits, score = state.inside, state.hits, state.score
    work = col_ptr[j + 1] - col_ptr[j] + reach.apart_ptr[j + 1] - reach.apart_ptr[j]
    entering = not inside[j]
    own = 0.0
    for p in range(col_ptr[j], col_ptr[j + 1]):
        i = col_rows[p]
        need, weight = terms.need[i], terms.weight[i]
        before = hits[i]
        after = before + 1 if entering else before - 1
        hits[i] = after
        own += _next_worth(min(before, after), need, weight, share)
        outer = _next_worth(after, need, weight, share) - _next_worth(before, need, weight, share)
        inner = _next_worth(after - 1, need, weight, share) - _next_worth(before - 1, need, weight, share)
        if outer != 0.0 or inner != 0.0:
            work += row_ptr[i + 1] - row_ptr[i]
            for q in range(row_ptr[i], row_ptr[i + 1]):
                k = row_cols[q]
                score[k] += inner if inside[k] else outer
    inside[j] = entering
    score[j] = own
    step = 1 if entering else -1
    for q in range(reach.apart_ptr[j], reach.apart_ptr[j + 1]):
        state.blocked[reach.apart[q]] += step
    state.room[0] -= step
    state.money[0] -= step * terms.cost[j]
    state.value[0] += step * own
    return work


@compiled
def _best_addition(terms, state, per_cost):
    """Return the site that gains most (or most per cost) among those that fit, lower index on a tie; -1 for none."""
    best, most = np.int64(-1), 0.0
    if state.room[0] < 1:
        return best
    for k in range(len(terms.role)):
        gain = state.score[k]
        if gain <= most and not per_cost:
            continue
        if state.inside[k] or terms.role[k] != 0 or state.blocked[k] > 0 or state.banned[k] == state.turn[0]:
            continue
        if terms.cost[k] > state.money[0] or gain <= 1e-9:
            continue
        if per_cost:
            gain /= terms.cost[k] + 1e-12
        if gain > most:
            best, most = np.int64(k), gain
    return best


@compiled
def fill_swap(share, reach, terms, state, per_cost):
    """Add the best site that fits until none gains; return how many came in (listed in ``added``) and the work."""
    number, work = 0, np.int64(0)
    while True:
        work += len(terms.role) // 4 + 1
        k = _best_addition(terms, state, per_cost)
        if k < 0:
            return number, work
        work += flip_swap(k, share, reach, terms, state)
        state.added[number] = k
        number += 1


@compiled
def _shuffled_members(terms, state, order):
    """List the members that may go in random order; return how many there are."""
    size = 0
    for j in range(len(terms.role)):
        if state.inside[j] and terms.role[j] == 0:
            order[size] = j
            size += 1
    for t in range(size - 1, 0, -1):
        u = draw(state.random, t + 1)
        order[t], order[u] = order[u], order[t]
    return size


@compiled
def _swap_round(share, reach, terms, state, order, by_money, work_allowed):
    """Try once to replace each member by what fits better; return whether any was, and the work."""
    improved = False
    size = _shuffled_members(terms, state, order)
    work = np.int64(len(terms.role) // 4)
    for t in range(size):
        if work >= work_allowed:
            break
        j = order[t]
        if not state.inside[j]:
            continue
        before = state.value[0]
        state.turn[0] += 1
        state.banned[j] = state.turn[0]
        work += flip_swap(j, share, reach, terms, state)
        number, done = fill_swap(share, reach, terms, state, by_money and draw(state.random, 2) == 0)
        work += done
        if state.value[0] > before + 1e-9 * (1.0 + before):
            improved = True
            continue
        for u in range(number):
            work += flip_swap(state.added[u], share, reach, terms, state)
        work += flip_swap(j, share, reach, terms, state)
        state.value[0] = before
    return improved, work


@compiled
def _restore(share, reach, terms, state):
    """Go back to the sites kept; return the work."""
    work = np.int64(len(terms.role))
    for leaving in (True, False):
        for j in range(len(terms.role)):
            if state.inside[j] != state.kept[j] and state.inside[j] == leaving:
                work += flip_swap(j, share, reach, terms, state)
    return work


@compiled
def search_swaps(share, reach, terms, state, work_allowed, target, by_money):
    """Swap to a local optimum, shake, swap again; ``state.best`` and ``state.value[1]`` hold the most cover met.

    A swap takes one site out and fills the room it leaves; a shake takes out a few at random and bars them from coming
    straight back. A shake that ends lower is undone. Stops at the work allowed or at a cover >= target.
    """
    m = len(terms.role)
    order = np.empty(m, np.int64)
    work = np.int64(0)
    while True:
        improving = True
        while improving and work < work_allowed:
            improving, done = _swap_round(share, reach, terms, state, order, by_money, work_allowed - work)
            work += done
        covered = 0.0
        for i in range(len(terms.need)):
            if state.hits[i] >= terms.need[i]:
                covered += terms.weight[i]
        work += len(terms.need) // 4
        if covered > state.value[1]:
            state.value[1] = covered
            state.best[:] = state.inside
        if covered >= target or work >= work_allowed:
            return work
        if state.value[0] >= state.value[2]:
            state.value[2] = state.value[0]
            state.kept[:] = state.inside
        else:
            work += _restore(share, reach, terms, state)
            state.value[0] = state.value[2]
        size = _shuffled_members(terms, state, order)
        if size == 0:
            return work
        state.turn[0] += 1
        for t in range(min(size, 2 + draw(state.random, 3))):
            work += flip_swap(order[t], share, reach, terms, state)
            state.banned[order[t]] = state.turn[0]
        _, done = fill_swap(share, reach, terms, state, by_money and draw(state.random, 2) == 0)
        work += done
