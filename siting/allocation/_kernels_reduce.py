# mypy: allow-untyped-defs
"""Which demand is covered whenever another is, and which site never beats another: arrays in, arrays out."""

from __future__ import annotations

import numpy as np

from siting.network._kernels import compiled


@compiled
def _within(a, b, ptr, idx):
    """Return whether the sorted list a is part of the sorted list b."""
    p, q = ptr[a], ptr[b]
    if ptr[a + 1] - p > ptr[b + 1] - q:
        return False
    while p < ptr[a + 1]:
        while q < ptr[b + 1] and idx[q] < idx[p]:
            q += 1
        if q == ptr[b + 1] or idx[q] != idx[p]:
            return False
        p += 1
        q += 1
    return True


@compiled
def _rarest(a, ptr, idx, other_ptr):
    """Return the entry of list a that is in the fewest lists."""
    best = idx[ptr[a]]
    for p in range(ptr[a], ptr[a + 1]):
        if other_ptr[idx[p] + 1] - other_ptr[idx[p]] < other_ptr[best + 1] - other_ptr[best]:
            best = idx[p]
    return best


@compiled
def implied_rows(ptr, idx, other_ptr, other_idx):
    """Return the rows that contain all sites of another row (of equal rows, all but the first)."""
    implied = np.zeros(len(ptr) - 1, np.bool_)
    for a in range(len(ptr) - 1):
        if implied[a] or ptr[a] == ptr[a + 1]:
            continue
        crossing = _rarest(a, ptr, idx, other_ptr)
        for q in range(other_ptr[crossing], other_ptr[crossing + 1]):
            b = other_idx[q]
            if b == a or implied[b] or not _within(a, b, ptr, idx):
                continue
            if ptr[a + 1] - ptr[a] < ptr[b + 1] - ptr[b] or a < b:
                implied[b] = True
    return implied


@compiled
def beaten_columns(ptr, idx, other_ptr, other_idx, cost, removable, dominant):
    """Return the columns whose every row is in a dominant column that costs no more (of equals, all but the first)."""
    beaten = np.zeros(len(ptr) - 1, np.bool_)
    for a in range(len(ptr) - 1):
        if not removable[a]:
            continue
        if ptr[a] == ptr[a + 1]:
            beaten[a] = True
            continue
        crossing = _rarest(a, ptr, idx, other_ptr)
        for q in range(other_ptr[crossing], other_ptr[crossing + 1]):
            b = other_idx[q]
            if b == a or beaten[b] or not dominant[b] or cost[b] > cost[a]:
                continue
            same = ptr[a + 1] - ptr[a] == ptr[b + 1] - ptr[b] and cost[a] == cost[b]
            if (b < a or not same) and _within(a, b, ptr, idx):
                beaten[a] = True
                break
    return beaten
