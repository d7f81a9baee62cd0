"""Compiled searches for the nearest: one search from all targets at once labels every node with its k nearest.

A label packs a cost (high) and a target (low), so that of equal costs the lower target is less. ``best`` holds one
label a node, shape (ranks,), or the k least ones in order, shape (ranks, k); each kernel is compiled for both.
"""

import numpy as np

from siting.network._kernels import LOW, U0, U4, U32, compiled, join
from siting.reach._kernels import NONE, U1

EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)


@compiled
def insert(row, packed):  # type: ignore[no-untyped-def]
    """Put (cost, target) into a sorted row of the best ones, each target once; gives whether it got in."""
    k = len(row)
    if packed >= row[k - 1]:
        return False
    target = packed & LOW
    gone = k - 1  # the slot that is given up: the target's own dearer one, or the last
    for s in range(k):
        if row[s] & LOW == target:
            if row[s] <= packed:
                return False
            gone = s
            break
    while gone > 0 and row[gone - 1] > packed:
        row[gone] = row[gone - 1]
        gone -= 1
    row[gone] = packed
    return True


@compiled
def last_of(best, node):  # type: ignore[no-untyped-def]
    """Return the label that a new one must beat."""
    return best[node] if best.ndim == 1 else best[node, best.shape[1] - 1]


@compiled
def keep(best, node, packed):  # type: ignore[no-untyped-def]
    """Give a node a label that beats its last one; gives whether it got in."""
    if best.ndim == 1:
        best[node] = packed
        return True
    return insert(best[node], packed)


@compiled
def holds(best, node, packed):  # type: ignore[no-untyped-def]
    """Tell whether a label is still one of its node's."""
    if best.ndim == 1:
        return best[node] == packed
    held = False
    for s in range(best.shape[1]):
        held |= best[node, s] == packed
    return held


@compiled
def nearest_nodes(  # type: ignore[no-untyped-def]
    rows, arcs, low, high, seed_node, seed_label, limit, shift, best, heads, pool, links, away_node, away_label
):
    """Label every node of ranks low to high with its nearest targets, from seeds: nodes with their first labels.

    What leads out of these ranks is not followed but told: ``away_node`` and ``away_label`` are filled with it. Gives
    (whether there was room enough, how many lead away).
    """
    room = np.uint64(len(pool))
    low, high = np.uint64(low), np.uint64(high)
    used, done, bucket, away = U0, U0, U0, U0
    for s in range(len(seed_node)):
        node, packed = np.uint64(seed_node[s]), seed_label[s]
        where = (packed >> U32) >> shift
        if packed < last_of(best, node) and keep(best, node, packed):
            pool[used] = packed
            links[used, 0] = heads[where]
            links[used, 1] = node
            heads[where] = used
            used += U1
    while done < used:
        entry = heads[bucket]
        while entry != NONE:
            heads[bucket] = links[entry, 0]
            packed = pool[entry]
            node = np.uint64(links[entry, 1])
            done += U1
            if holds(best, node, packed):
                cost = packed >> U32
                first, last = np.uint64(rows[node]) * U4, np.uint64(rows[node + U1]) * U4
                if used + last - first > room or away + last - first > room:
                    return False, away
                for a in range(first, last):
                    arc = arcs[a]
                    to = arc & LOW
                    new = cost + (arc >> U32)
                    label = (new << U32) | (packed & LOW)
                    if new <= limit and label < last_of(best, to):
                        if to < low or to >= high:
                            away_node[away] = to
                            away_label[away] = label
                            away += U1
                        elif keep(best, to, label):
                            pool[used] = label
                            links[used, 0] = heads[new >> shift]
                            links[used, 1] = to
                            heads[new >> shift] = used
                            used += U1
            entry = heads[bucket]
        bucket += U1
    return True, away


@compiled
def nearest_places(  # type: ignore[no-untyped-def]
    best, edges, chains, places, targets, direct, limit, unit, first, last, distance, destination
):
    """Fill distances and destinations of places first to last: by their nodes, their chains, straight walks.

    ``places`` are edge, offset and off-road leg; ``targets`` tell of each chain whether it has any and point to them,
    then give cost along the chain, offset and off-road leg of each; ``direct`` points from each place to the targets
    that may be walked to straight, with their costs.
    """
    edge, offset, off_road = places
    has_target, on_chain, chain_target, target_cost, target_offset, target_off_road = targets
    direct_rows, direct_target, direct_cost = direct
    k = best.shape[1]
    found = np.empty(k, np.uint64)
    for i in range(first, last):
        found[:] = EMPTY
        if edge[i] >= 0:
            c, cost, u, exit_u, _, v, exit_v, _ = join(edge[i], offset[i], off_road[i], True, edges)
            for node, way in ((u, exit_u), (v, exit_v)):
                base = np.uint64(way)
                if base > limit:
                    continue
                if k == 1:  # without a branch, so that the next place need not wait for this one's memory
                    packed = best[node, 0]
                    packed = packed + (base << U32) if (packed >> U32) + base <= limit else EMPTY
                    found[0] = packed if packed < found[0] else found[0]
                    continue
                for s in range(k):
                    packed = best[node, s]
                    if (packed >> U32) + base <= limit:
                        insert(found, packed + (base << U32))
            for t in range(on_chain[c], on_chain[c + 1]) if has_target[c] else range(0):
                j = chain_target[t]
                if target_offset[j] >= offset[i] or not chains[c, 3]:
                    piece = np.uint64(off_road[i] + target_off_road[j] + abs(target_cost[j] - cost))
                    if piece <= limit:  # a leg may be longer than a label can hold
                        insert(found, (piece << U32) | np.uint64(j))
            for t in range(direct_rows[i], direct_rows[i + 1]):
                straight = np.uint64(direct_cost[t])
                if straight <= limit:
                    insert(found, (straight << U32) | np.uint64(direct_target[t]))
        for s in range(k):
            none = found[s] == EMPTY
            distance[i, s] = np.inf if none else np.float64(found[s] >> U32) / unit
            destination[i, s] = -1 if none else np.int64(found[s] & LOW)
