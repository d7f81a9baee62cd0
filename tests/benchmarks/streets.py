"""A made town: a jittered grid of streets, a fifth of the minor ones missing, some diagonals, shuffled ids."""

from __future__ import annotations

import numpy as np

from siting.inputs.pieces import connected_pieces
from siting.network.graph import RoadNetwork

BLOCK_M = 88.0


def street_network(n_nodes, *, seed=0, crs="EPSG:32650"):
    """A connected street-like network of about ``n_nodes`` nodes with straight edges of 90-100 m on average."""
    rng = np.random.default_rng(seed)
    side = round(np.sqrt(n_nodes * 1.02))
    col, row = np.meshgrid(np.arange(side), np.arange(side))
    xy = np.stack((col, row), axis=-1) * BLOCK_M + rng.normal(0, 0.17 * BLOCK_M, (side, side, 2))
    xy = xy.reshape(-1, 2) + np.array([500_000, 3_300_000])
    number = np.arange(side * side).reshape(side, side)
    pairs = []
    for a, b, line in ((number[:, :-1], number[:, 1:], row[:, 1:]), (number[:-1], number[1:], col[1:])):
        kept = (line % 8 == 0) | (rng.random(a.shape) >= 0.22)  # every eighth street is a main one, without gaps
        pairs.append(np.column_stack((a[kept], b[kept])))
    diagonal = rng.random((side - 1, side - 1)) < 0.03
    pairs.append(np.column_stack((number[:-1, :-1][diagonal], number[1:, 1:][diagonal])))
    u, v = np.concatenate(pairs).T
    piece = connected_pieces(u, v, len(xy))
    largest = piece == np.bincount(piece).argmax()
    shuffled = np.full(len(xy), -1)
    shuffled[largest] = rng.permutation(largest.sum())
    kept = largest[u]
    u, v = shuffled[u[kept]], shuffled[v[kept]]
    order = rng.permutation(len(u))
    places = np.empty((largest.sum(), 2))
    places[shuffled[largest]] = xy[largest]
    length = np.hypot(*(places[u] - places[v]).T)
    return RoadNetwork.from_edges(places, u[order], v[order], length[order], crs=crs)
