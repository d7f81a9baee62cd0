"""Compiled searches: buckets of labels in whole units, arrays in, arrays out.

A search labels nodes with their cost from a set of seeds, up to a limit. Labels wait in buckets, which are linked lists
over one pool; inside a bucket a label may be mended, so the final labels are exact whatever the bucket's width. Labels
start above the limit, so that one comparison tells both whether a way is short enough and whether it is better. No
array grows inside a kernel: it returns where it stopped and the caller gives more room.
"""

import numpy as np

from siting.network._kernels import LOW, U0, U4, U32, compiled, join

U1 = np.uint64(1)
EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)
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
def within_rows(  # type: ignore[no-untyped-def]
    rows,
    arcs,
    original,
    seeds,
    first,
    unset,
    shift,
    label,
    heads,
    pool,
    links,
    touched,
    counts,
    found,
    out,
):
    """Search from one node after another, from number ``first`` on, and append what each reaches to ``found``.

    Entries are packed (cost high, node low) and start at number ``out``; gives (status, next number, output used).
    """
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
    rows,
    arcs,
    seeds,
    seed_costs,
    chain,
    chain_cost,
    offset,
    off_road,
    chains,
    forward,
    at_node,
    node_target,
    node_extra,
    on_chain,
    chain_target,
    target_cost,
    target_offset,
    target_off_road,
    direct_rows,
    direct_target,
    direct_cost,
    target_best,
    target_touched,
    first,
    unset,
    shift,
    label,
    heads,
    pool,
    links,
    touched,
    counts,
    found,
    out,
):
    """Search from one place after another and read off the targets it reaches; as ``within_rows``.

    ``at_node`` (ranks + 1,) points to the targets joined to each node and what they cost beyond it; ``on_chain`` to the
    targets on each chain; ``direct_rows`` to those that may be walked to straight. ``forward`` says that the search
    leaves its places, so that on a one-way chain a target lies ahead when its offset is larger.
    """
    room = np.uint64(len(found))
    out = np.uint64(out)
    for i in range(first, len(chain)):
        counts[i] = 0
        if chain[i] < 0:
            continue
        used, n_touched = U0, U0
        for side in range(2):
            if seed_costs[i, side] < np.int64(unset):
                used, n_touched = push(
                    np.uint64(seeds[i, side]),
                    np.uint64(seed_costs[i, side]),
                    label,
                    heads,
                    pool,
                    links,
                    touched,
                    unset,
                    shift,
                    used,
                    n_touched,
                )
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
def nearest_one(  # type: ignore[no-untyped-def]
    rows, arcs, low, high, seed_node, seed_label, limit, shift, best, heads, pool, links, away_node, away_label
):
    """Label every node of ranks low to high with its nearest target: cost high, target low; of equals the lower target.

    Seeds are nodes with such labels. What leads out of these ranks is not followed but told: ``away_node`` and
    ``away_label`` are filled with it. Gives (whether there was room enough, how many lead away).
    """
    room = np.uint64(len(pool))
    low, high = np.uint64(low), np.uint64(high)
    used, done, bucket, away = U0, U0, U0, U0
    for s in range(len(seed_node)):
        node, packed = np.uint64(seed_node[s]), seed_label[s]
        where = (packed >> U32) >> shift
        if packed < best[node]:
            best[node] = packed
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
            if packed == best[node]:
                cost = packed >> U32
                first, last = np.uint64(rows[node]) * U4, np.uint64(rows[node + U1]) * U4
                if used + last - first > room or away + last - first > room:
                    return False, away
                for a in range(first, last):
                    arc = arcs[a]
                    to = arc & LOW
                    new = cost + (arc >> U32)
                    label = (new << U32) | (packed & LOW)
                    if new <= limit and label < best[to]:
                        if to < low or to >= high:
                            away_node[away] = to
                            away_label[away] = label
                            away += U1
                        else:
                            best[to] = label
                            pool[used] = label
                            links[used, 0] = heads[new >> shift]
                            links[used, 1] = to
                            heads[new >> shift] = used
                            used += U1
            entry = heads[bucket]
        bucket += U1
    return True, away


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
def nearest_many(  # type: ignore[no-untyped-def]
    rows, arcs, low, high, seed_node, seed_label, limit, shift, best, heads, pool, links, away_node, away_label
):
    """Label nodes with their k nearest targets, ``best`` of shape (ranks, k); otherwise as ``nearest_one``."""
    room = np.uint64(len(pool))
    low, high = np.uint64(low), np.uint64(high)
    used, done, bucket, away = U0, U0, U0, U0
    k = best.shape[1]
    for s in range(len(seed_node)):
        node, packed = np.uint64(seed_node[s]), seed_label[s]
        where = (packed >> U32) >> shift
        if insert(best[node], packed):
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
            current = False
            for s in range(k):
                current |= best[node, s] == packed
            if current:
                cost = packed >> U32
                first, last = np.uint64(rows[node]) * U4, np.uint64(rows[node + U1]) * U4
                if used + last - first > room or away + last - first > room:
                    return False, away
                for a in range(first, last):
                    arc = arcs[a]
                    to = arc & LOW
                    new = cost + (arc >> U32)
                    label = (new << U32) | (packed & LOW)
                    if new <= limit and label < best[to, k - 1]:
                        if to < low or to >= high:
                            away_node[away] = to
                            away_label[away] = label
                            away += U1
                        elif insert(best[to], label):
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
    best,
    edge,
    offset,
    off_road,
    edges,
    chains,
    has_target,
    on_chain,
    chain_target,
    target_cost,
    target_offset,
    target_off_road,
    direct_rows,
    direct_target,
    direct_cost,
    limit,
    unit,
    first,
    last,
    distance,
    destination,
):
    """Fill distances and destinations of places first to last: by their nodes, their chains, straight walks."""
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
                    piece = off_road[i] + target_off_road[j] + abs(target_cost[j] - cost)
                    insert(found, (np.uint64(piece) << U32) | np.uint64(j))
            for t in range(direct_rows[i], direct_rows[i + 1]):
                insert(found, (np.uint64(direct_cost[t]) << U32) | np.uint64(direct_target[t]))
        for s in range(k):
            none = found[s] == EMPTY
            distance[i, s] = np.inf if none else np.float64(found[s] >> U32) / unit
            destination[i, s] = -1 if none else np.int64(found[s] & LOW)


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
