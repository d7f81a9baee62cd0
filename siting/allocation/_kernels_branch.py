# mypy: allow-untyped-defs
"""Branch and bound for the p-median on Lagrangian prices: arrays in, arrays out, no checks, no messages.

Depth first: a site is opened, then closed. Each node goes on from the prices of the one above it, fixes what its bound
allows, and is left as soon as its bound reaches the best answer. The elements touched limit the search, not the clock.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from siting.allocation._kernels_prices import Choice, climb, forced, relax, start_climb
from siting.network._kernels import compiled


class Tree(NamedTuple):
    """Nodes that wait, and the best answer; a node's bound is that of the one above it until it is looked at."""

    status: NDArray[np.int8]  # (depth, m) 1 open, 0 closed, -1 undecided
    prices: NDArray[np.float64]  # (depth, n)
    bound: NDArray[np.float64]  # (depth,)
    waiting: NDArray[np.int64]  # (1,) how many
    upper: NDArray[np.float64]  # (1,) value of the best answer
    lowest: NDArray[np.float64]  # (1,) lowest bound at which a node was left
    best: NDArray[np.bool_]  # (m,)


class Rules(NamedTuple):
    """What may be chosen, and when a node is left."""

    choice: Choice
    apart_ptr: NDArray[np.int64]
    apart: NDArray[np.int32]
    top: NDArray[np.float64]
    offset: np.float64  # added to every value
    step: np.float64  # every value is a multiple of it (0: none)
    gap: np.float64


@compiled
def _rest(status, choice):
    """Return what the sites already open leave of the limits."""
    room, money = choice.room, choice.money
    for j in range(len(status)):
        if status[j] == 1:
            room -= 1
            money -= choice.cost[j]
    return Choice(choice.cost, choice.group, room, money)


@compiled
def _close_mates(j, status, rules):
    """Close what an open site excludes."""
    group = rules.choice.group
    for k in range(len(status)):
        if k != j and group[j] >= 0 and group[k] == group[j]:
            status[k] = 0
    for q in range(rules.apart_ptr[j], rules.apart_ptr[j + 1]):
        status[rules.apart[q]] = 0


@compiled
def _rounded(bound, rules):
    """Return the least value an answer can have that is not below the bound."""
    bound += rules.offset
    if rules.step > 0:
        return np.ceil((bound - 1e-7 * max(1.0, abs(bound))) / rules.step) * rules.step
    return bound


@compiled
def _limit(tree, rules):
    """Return the bound at which a node is left."""
    return (tree.upper[0] - 1e-11 * abs(tree.upper[0])) * (1.0 - min(rules.gap, 1.0))


@compiled
def _evaluate(opened, lists, rules, tree):
    """Keep a choice where it is allowed and better; return the work."""
    m = len(opened)
    number, money = rules.choice.room, rules.choice.money
    for j in range(m):
        if not opened[j]:
            continue
        number -= 1
        money -= rules.choice.cost[j]
        for q in range(rules.apart_ptr[j], rules.apart_ptr[j + 1]):
            if opened[rules.apart[q]]:
                return m
    if number < 0 or money < 0:
        return m
    total, work = rules.offset, m
    for i in range(len(rules.top)):
        q, end = lists.row_ptr[i], lists.row_ptr[i + 1]
        begun = q
        while q < end and not opened[lists.row_sites[q]]:
            q += 1
        work += q - begun + 1
        total += lists.row_cost[q] if q < end else rules.top[i]
    if total < tree.upper[0]:
        tree.upper[0] = total
        tree.best[:] = opened
    return work


@compiled
def _settle(status, prices, bound, lists, rules, tree):
    """Open and close what the bound of a node allows; return whether the node may still hold a better answer."""
    m = len(status)
    value, amount, masked = np.empty(m), np.empty(m), np.zeros(m)
    opened, closed = np.empty(m), np.empty(m)
    rest = _rest(status, rules.choice)
    relax(lists, prices, rest, status, value, amount)
    for j in range(m):
        if status[j] == -1:
            masked[j] = value[j]
    forced(masked, rest, opened, closed)
    limit = _limit(tree, rules)
    for j in range(m):
        if status[j] != -1:
            continue
        if _rounded(bound + opened[j], rules) >= limit:
            tree.lowest[0] = min(tree.lowest[0], _rounded(bound + opened[j], rules))
            status[j] = 0
    for j in range(m):
        if status[j] == -1 and _rounded(bound + closed[j], rules) >= limit:
            tree.lowest[0] = min(tree.lowest[0], _rounded(bound + closed[j], rules))
            status[j] = 1
            _close_mates(j, status, rules)
    rest = _rest(status, rules.choice)
    return rest.room >= 0 and rest.money >= 0


@compiled
def _push(status, prices, bound, tree):
    k = tree.waiting[0]
    tree.status[k] = status
    tree.prices[k] = prices
    tree.bound[k] = bound
    tree.waiting[0] = k + 1


@compiled
def branch(lists, rules, tree, steps, work_allowed):
    """Look at waiting nodes until none is left or the work is done; return the work."""
    m, work = len(rules.choice.cost), 0
    often = np.zeros(m)
    while tree.waiting[0] > 0 and work < work_allowed:
        k = tree.waiting[0] - 1
        tree.waiting[0] = k
        status, prices = tree.status[k].copy(), tree.prices[k].copy()
        if _rounded(tree.bound[k], rules) >= _limit(tree, rules):
            tree.lowest[0] = min(tree.lowest[0], _rounded(tree.bound[k], rules))
            continue
        rest = _rest(status, rules.choice)
        often[:] = 0.0
        aim = _limit(tree, rules) - rules.offset
        stand = start_climb(prices, 0.7)
        upper = tree.upper[0] - rules.offset
        work += climb(lists, rules.top, rest, status, upper, aim, steps, np.int64(1 << 60), stand, often)
        prices, bound = stand.kept, stand.bound[0]
        bound = max(bound, tree.bound[k])
        if _rounded(bound, rules) >= _limit(tree, rules):
            tree.lowest[0] = min(tree.lowest[0], _rounded(bound, rules))
            continue
        work += _evaluate(_taken(status, prices, lists, rest), lists, rules, tree)
        if not _settle(status, prices, bound, lists, rules, tree):
            continue
        work += 2 * m
        j = _undecided(status, often, rules)
        if j < 0:
            work += _evaluate(status == 1, lists, rules, tree)
            continue
        status[j] = 0
        _push(status, prices, bound, tree)
        status[j] = 1
        _close_mates(j, status, rules)
        _push(status, prices, bound, tree)
    return work


@compiled
def _taken(status, prices, lists, rest):
    """Return the choice that the prices of a node suggest."""
    value, amount = np.empty(len(status)), np.empty(len(status))
    relax(lists, prices, rest, status, value, amount)
    return amount == 1.0


@compiled
def _undecided(status, often, rules):
    """Return the undecided site to branch on: the one taken about half the time, lower index on a tie; -1 for none."""
    rest = _rest(status, rules.choice)
    best, found = -1.0, np.int64(-1)
    if rest.room <= 0:
        return found
    for j in range(len(status)):
        if status[j] == -1 and rest.money >= rules.choice.cost[j]:
            worth = min(often[j], 1.0 - often[j])
            if worth > best:
                best, found = worth, np.int64(j)
    return found
