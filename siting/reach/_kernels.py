"""Compiled searches: buckets of labels in whole units, arrays in, arrays out.

A search labels nodes with their cost from a set of seeds, up to a limit. Labels wait in buckets, which are linked lists
over one pool; inside a bucket a label may be mended, so the final labels are exact whatever the bucket's width. Labels
start above the limit, so that one comparison tells both whether a way is short enough and whether it is better. No
array grows inside a kernel: it returns where it stopped and the caller gives more room.
"""

import numpy as np

from siting.network._kernels import LOW, U0, U4, U32, compiled

U1 = np.uint64(1)
NONE = np.uint32(0xFFFFFFFF)
DONE, NEEDS_POOL, NEEDS_OUTPUT = 0, 1, 2


@compiled
def push(node, cost, label, heads, pool, links, touched, unset, shift, used, n_touched):  # type: ignore[no-untyped-def]
    """Seed one node; gives the new counts of pool entries and touched nodes."""
    old = label[node]
    if cost < np.uint64(old):
        if old == unset:
            touched[n_touched] = node
            n_touched += U1
        label[node] = cost
        bucket = cost >> shift
        pool[used] = (cost << U32) | node
        links[used] = heads[bucket]
        heads[bucket] = used
        used += U1
    return used, n_touched


@compiled
def search(rows, arcs, label, heads, pool, links, touched, unset, shift, used, n_touched):  # type: ignore[no-untyped-def]
    """Label everything the seeds reach within the limit; gives (nodes touched, whether the pool was large enough)."""
    room = np.uint64(len(pool))
    bucket = U0
    done = U0
    while done < used:
        entry = heads[bucket]
        while entry != NONE:
            heads[bucket] = links[entry]
            packed = pool[entry]
            cost = packed >> U32
            node = packed & LOW
            done += U1
            if cost == np.uint64(label[node]):
                first, last = np.uint64(rows[node]) * U4, np.uint64(rows[node + U1]) * U4
                if used + last - first > room:
                    return n_touched, False
                for block in range(first, last, U4):
                    for a in range(4):  # a known number of turns, which the compiler unrolls
                        arc = arcs[block + np.uint64(a)]
                        to = arc & LOW
                        new = cost + (arc >> U32)
                        old = np.uint64(label[to])
                        if new < old:
                            touched[n_touched] = to
                            n_touched += U1 if old == unset else U0
                            label[to] = new
                            where = new >> shift
                            pool[used] = (new << U32) | to
                            links[used] = heads[where]
                            heads[where] = used
                            used += U1
            entry = heads[bucket]
        bucket += U1
    return n_touched, True


@compiled
def clear(label, heads, touched, n_touched, unset, finished):  # type: ignore[no-untyped-def]
    """Make labels, and after an unfinished search the buckets, ready for the next search."""
    for t in range(n_touched):
        label[touched[t]] = unset
    if not finished:
        for b in range(len(heads)):
            heads[b] = NONE


@compiled
def within_rows(rows, arcs, original, seeds, first, unset, shift, bench, counts, found, out):  # type: ignore[no-untyped-def]
    """Search from one node after another, from number ``first`` on, and append what each reaches to ``found``.

    Entries are packed (cost high, node low) and start at number ``out``; gives (status, next number, output used).
    ``bench`` holds labels, heads, pool, links and touched nodes.
    """
    label, heads, pool, links, touched = bench
    room = np.uint64(len(found))
    out = np.uint64(out)
    for i in range(first, len(seeds)):
        used, n_touched = push(np.uint64(seeds[i]), U0, label, heads, pool, links, touched, unset, shift, U0, U0)
        n_touched, finished = search(rows, arcs, label, heads, pool, links, touched, unset, shift, used, n_touched)
        if not finished or out + n_touched > room:
            clear(label, heads, touched, n_touched, unset, finished)
            return (NEEDS_OUTPUT if finished else NEEDS_POOL), i, out
        for t in range(n_touched):
            node = np.uint64(touched[t])
            found[out] = (np.uint64(label[node]) << U32) | np.uint64(original[node])
            label[node] = unset
            out += U1
        counts[i] = n_touched
    return DONE, len(seeds), out


@compiled
def pair_rows(  # type: ignore[no-untyped-def]
    rows, arcs, chains, forward, places, joined, targets, direct, first, unset, shift, bench, best, counts, found, out
):
    """Search from one place after another and read off the targets it reaches; as ``within_rows``.

    ``places`` are searched from: the two ranks and the costs to them, chain, cost along it, offset, off-road leg.
    ``joined`` points from each node to the targets there and what they cost beyond it; ``targets`` are first pointed to
    from each chain, then cost along it, offset and off-road leg of each; ``direct`` points from each place to the
    targets that may be walked to straight, with their costs. ``best`` holds the cost of each target and the targets
    found. ``forward`` says that the search leaves its places, so that on a one-way chain a target lies ahead when its
    offset is larger.
    """
    label, heads, pool, links, touched = bench
    seeds, seed_costs, chain, chain_cost, offset, off_road = places
    at_node, node_target, node_extra = joined
    on_chain, chain_target, target_cost, target_offset, target_off_road = targets
    direct_rows, direct_target, direct_cost = direct
    target_best, target_touched = best
    room = np.uint64(len(found))
    out = np.uint64(out)
    for i in range(first, len(chain)):
        counts[i] = 0
        if chain[i] < 0:
            continue
        used, n_touched = U0, U0
        for side in range(2):
            if seed_costs[i, side] < np.int64(unset):
                node, cost = np.uint64(seeds[i, side]), np.uint64(seed_costs[i, side])
                used, n_touched = push(node, cost, label, heads, pool, links, touched, unset, shift, used, n_touched)
        n_touched, finished = search(rows, arcs, label, heads, pool, links, touched, unset, shift, used, n_touched)
        if not finished:
            clear(label, heads, touched, n_touched, unset, finished)
            return NEEDS_POOL, i, out
        n_found = U0
        for t in range(n_touched):
            node = np.uint64(touched[t])
            base = np.uint64(label[node])
            label[node] = unset
            for k in range(np.uint64(at_node[node]), np.uint64(at_node[node + U1])):
                n_found = offer(
                    base + np.uint64(node_extra[k]),
                    np.uint64(node_target[k]),
                    target_best,
                    target_touched,
                    unset,
                    n_found,
                )
        c = np.uint64(chain[i])
        for k in range(np.uint64(on_chain[c]), np.uint64(on_chain[c + U1])):
            j = np.uint64(chain_target[k])
            ahead = target_offset[j] >= offset[i] if forward else target_offset[j] <= offset[i]
            if ahead or not chains[c, 3]:
                piece = off_road[i] + target_off_road[j] + abs(target_cost[j] - chain_cost[i])
                n_found = offer(np.uint64(piece), j, target_best, target_touched, unset, n_found)
        for k in range(np.uint64(direct_rows[i]), np.uint64(direct_rows[i + 1])):
            n_found = offer(
                np.uint64(direct_cost[k]), np.uint64(direct_target[k]), target_best, target_touched, unset, n_found
            )
        enough = out + n_found <= room
        for t in range(n_found):
            j = np.uint64(target_touched[t])
            if enough:
                found[out] = (np.uint64(target_best[j]) << U32) | j
                out += U1
            target_best[j] = unset
        if not enough:
            return NEEDS_OUTPUT, i, out
        counts[i] = n_found
    return DONE, len(chain), out


@compiled
def offer(cost, j, best, touched, unset, found):  # type: ignore[no-untyped-def]
    """Keep a cost for target j if it beats what the target has (``unset``: nothing); gives the new count found."""
    old = np.uint64(best[j])
    if cost < old:
        if old == unset:
            touched[found] = j
            found += U1
        best[j] = cost
    return found


@compiled
def spread_rows(found, counts, rows, unit, indptr, indices, values):  # type: ignore[no-untyped-def]
    """Unpack finished rows, which lie one after another, each to its own place of a sparse matrix."""
    start = np.int64(0)
    for i in range(len(counts)):
        to = indptr[rows[i]]
        for t in range(counts[i]):
            indices[to + t] = np.int32(found[start + t] & LOW)
            values[to + t] = np.float64(found[start + t] >> U32) / unit
        start += counts[i]
