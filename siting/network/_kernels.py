"""Compiled loops that turn edge arrays into routing graphs; arrays in, arrays out."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a kernel on first call, without the interpreter lock, and keep the machine code for later processes.

    The code is kept beside the source or in the user's cache folder, or in a folder of temporary files where neither
    can be written.
    """
    make = numba.njit(cache=True, nogil=True, error_model="numpy")
    try:
        kernel: Callable[..., Any] = make(function)
    except RuntimeError:  # numba found no folder to write to; it looks where the setting says first
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = _private_folder()
        try:
            kernel = make(function)
        finally:
            numba.config.CACHE_DIR = before
    return kernel


def _private_folder() -> str:
    """Return a folder of temporary files that no other user can write to: machine code is loaded from it."""
    if not hasattr(os, "getuid"):
        return os.path.join(tempfile.gettempdir(), "siting-kernels")
    path = Path(tempfile.gettempdir()) / f"siting-kernels-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    status = path.lstat()
    ours = path.is_dir() and not path.is_symlink() and status.st_uid == os.getuid() and not status.st_mode & 0o022
    return str(path) if ours else tempfile.mkdtemp(prefix="siting-kernels-")


NO_WAY = np.int64(2**61)
U0 = np.uint64(0)
U4 = np.uint64(4)
U32 = np.uint64(32)
LOW = np.uint64(0xFFFFFFFF)


@compiled
def edge_ends(n_nodes, u, v):  # type: ignore[no-untyped-def]
    """Return the edge ends at each node: starts (n + 1,); 2 * edge + (1 if the node is its v)."""
    m = len(u)
    starts = np.zeros(n_nodes + 1, np.int64)
    for e in range(m):
        starts[u[e] + 1] += 1
        starts[v[e] + 1] += 1
    for i in range(n_nodes):
        starts[i + 1] += starts[i]
    fill = starts[:-1].copy()
    ends = np.empty(2 * m, np.int64)
    for e in range(m):
        ends[fill[u[e]]] = 2 * e
        fill[u[e]] += 1
        ends[fill[v[e]]] = 2 * e + 1
        fill[v[e]] += 1
    return starts, ends


@compiled
def trace_chains(n_nodes, u, v, oneway, cost):  # type: ignore[no-untyped-def]
    """Return the chains of two-way edges between nodes that are not mere bends.

    Gives which nodes are kept; per edge its chain, the cost from the chain's start, whether it runs backwards in it;
    per chain its two end nodes, its cost, and whether it is one-way.
    """
    m = len(u)
    starts, ends = edge_ends(n_nodes, u, v)
    kept = np.ones(n_nodes, np.bool_)
    for i in range(n_nodes):
        if starts[i + 1] - starts[i] == 2:
            one, two = ends[starts[i]] >> 1, ends[starts[i] + 1] >> 1
            kept[i] = one == two or oneway[one] or oneway[two]
    edge_chain = np.full(m, -1, np.int32)
    edge_start = np.zeros(m, np.int64)
    edge_back = np.zeros(m, np.bool_)
    chain_u, chain_v = np.empty(m, np.int32), np.empty(m, np.int32)
    chain_cost = np.zeros(m, np.int64)
    chain_oneway = np.zeros(m, np.bool_)
    n = 0
    for turn in range(2):  # first from the kept nodes, then rings of bends alone, cut open at their first edge
        for i in range(n_nodes if turn == 0 else m):
            if turn == 1:
                if edge_chain[i] >= 0:
                    continue
                first = u[i]
                kept[first] = True
            else:
                first = i
                if not kept[i]:
                    continue
            for k in range(starts[first], starts[first + 1]):
                e, back = ends[k] >> 1, (ends[k] & 1) == 1
                if edge_chain[e] >= 0:
                    continue
                node = first
                while True:
                    edge_chain[e] = n
                    edge_start[e] = chain_cost[n]
                    edge_back[e] = back
                    chain_cost[n] += cost[e]
                    node = u[e] if back else v[e]
                    if kept[node]:
                        break
                    side = starts[node]
                    if ends[side] >> 1 == e:
                        side += 1
                    e, back = ends[side] >> 1, (ends[side] & 1) == 1
                chain_u[n], chain_v[n] = first, node
                if oneway[e]:
                    chain_oneway[n] = True
                    edge_back[e] = False
                    chain_u[n], chain_v[n] = u[e], v[e]
                n += 1
    chains = (chain_u[:n].copy(), chain_v[:n].copy(), chain_cost[:n].copy(), chain_oneway[:n].copy())
    return kept, edge_chain, edge_start, edge_back, chains


@compiled
def hilbert_keys(xy):  # type: ignore[no-untyped-def]
    """Return the place of each point along a Hilbert curve of 65,536 x 65,536 cells over their bounding box."""
    n = len(xy)
    keys = np.zeros(n, np.uint32)
    if n == 0:
        return keys
    low_x, low_y, high_x, high_y = xy[0, 0], xy[0, 1], xy[0, 0], xy[0, 1]
    for i in range(n):
        low_x, high_x = min(low_x, xy[i, 0]), max(high_x, xy[i, 0])
        low_y, high_y = min(low_y, xy[i, 1]), max(high_y, xy[i, 1])
    scale = 65535.0 / max(high_x - low_x, high_y - low_y, 1e-9)
    for i in range(n):
        x, y = np.int64((xy[i, 0] - low_x) * scale), np.int64((xy[i, 1] - low_y) * scale)
        key = np.int64(0)
        side = np.int64(32768)
        while side > 0:
            right, up = (x & side) > 0, (y & side) > 0
            key += side * side * ((3 if right else 0) ^ (1 if up else 0))
            if not up:
                if right:
                    x, y = 65535 - x, 65535 - y
                x, y = y, x
            side >>= 1
        keys[i] = key
    return keys


@compiled
def packed_rows(n_nodes, tail, head, cost, both_ways):  # type: ignore[no-untyped-def]
    """Return a routing graph in rows of whole blocks of four arcs.

    Gives the first block of each node (n + 1,), and the arcs: cost in the high 32 bits, head in the low ones. A row is
    filled up with arcs to its own node that cost more than any limit; loops are left out.
    """
    blocks = np.zeros(n_nodes + 1, np.uint32)
    for c in range(len(tail)):
        if tail[c] != head[c]:
            blocks[tail[c] + 1] += 1
            if both_ways[c]:
                blocks[head[c] + 1] += 1
    for i in range(n_nodes):
        blocks[i + 1] = blocks[i] + (blocks[i + 1] + 3) // 4
    arcs = np.empty(4 * np.int64(blocks[n_nodes]), np.uint64)
    for i in range(n_nodes):
        for a in range(4 * np.int64(blocks[i]), 4 * np.int64(blocks[i + 1])):
            arcs[a] = (LOW << U32) | np.uint64(i)
    fill = np.empty(n_nodes, np.int64)
    for i in range(n_nodes):
        fill[i] = 4 * np.int64(blocks[i])
    for c in range(len(tail)):
        if tail[c] != head[c]:
            dear = (np.uint64(cost[c]) if cost[c] < np.int64(0xFFFFFFFF) else LOW) << U32
            arcs[fill[tail[c]]] = dear | np.uint64(head[c])
            fill[tail[c]] += 1
            if both_ways[c]:
                arcs[fill[head[c]]] = dear | np.uint64(tail[c])
                fill[head[c]] += 1
    return blocks, arcs


@compiled
def join(edge, offset, leg, in_mm, edges):  # type: ignore[no-untyped-def]
    """Return how one place joins a routing graph.

    ``edges`` rows are (2 * chain + lies backwards, cost from the chain's start, cost, length in mm, and of the chain:
    rank of u, rank of v, cost, one-way). Gives the chain, the cost along it, and for each end of the chain its rank,
    the cost from the place to it and from it to the place, off-road leg included, ``NO_WAY`` where not allowed.
    """
    row = edges[edge]
    length, cost_of_edge, whole = np.int64(row[3]), np.int64(row[2]), np.int64(row[6])
    along = offset
    if not in_mm:
        share = np.float64(offset) / np.float64(length) if length > 0 else 0.0
        along = np.int64(np.rint(share * np.float64(cost_of_edge)))
    cost = np.int64(row[1]) + (cost_of_edge - along if row[0] & np.uint32(1) else along)
    to_u, to_v = leg + cost, leg + whole - cost
    exit_u, entry_v = to_u, to_v
    if row[7]:
        exit_u = to_u if offset == 0 else NO_WAY
        entry_v = to_v if offset == length and offset > 0 else NO_WAY
    return np.int64(row[0] >> np.uint32(1)), cost, np.int64(row[4]), exit_u, to_u, np.int64(row[5]), to_v, entry_v


@compiled
def join_all(edge, offset, leg, in_mm, edges, on_chain, cost, nodes, exits, entries):  # type: ignore[no-untyped-def]
    """Join every place: fills chain and cost (n,), and nodes, exits and entries (n, 2); unroutable ones have no way."""
    for i in range(len(edge)):
        if edge[i] < 0:
            on_chain[i], cost[i] = -1, 0
            nodes[i, 0], nodes[i, 1] = 0, 0
            exits[i, 0], exits[i, 1], entries[i, 0], entries[i, 1] = NO_WAY, NO_WAY, NO_WAY, NO_WAY
        else:
            c, at, u, exit_u, entry_u, v, exit_v, entry_v = join(edge[i], offset[i], leg[i], in_mm, edges)
            on_chain[i], cost[i], nodes[i, 0], nodes[i, 1] = c, at, u, v
            exits[i, 0], exits[i, 1], entries[i, 0], entries[i, 1] = exit_u, exit_v, entry_u, entry_v
