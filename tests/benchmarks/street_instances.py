"""Made street networks with homes and candidate sites, for the siting benchmarks: no download, same seed same instance."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra


def street_grid(side: int, seed: int = 0, block_m: float = 95.0) -> csr_array:
    """Return a jittered grid of streets as a symmetric matrix of lengths, m: some streets missing, some diagonals."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(side) * block_m, np.arange(side) * block_m)
    place = np.stack([x.ravel(), y.ravel()], axis=1) + rng.normal(0, block_m * 0.15, (side * side, 2))
    number = np.arange(side * side).reshape(side, side)
    major = (np.arange(side) % 8) == 0
    ends = []
    for a, b, main in (
        (number[:, :-1], number[:, 1:], np.repeat(major[:, None], side - 1, axis=1)),
        (number[:-1], number[1:], np.repeat(major[None, :], side - 1, axis=0)),
    ):
        kept = main | (rng.random(a.shape) > 0.22)
        ends.append(np.stack([a[kept], b[kept]], axis=1))
    diagonal = rng.random((side - 1, side - 1)) < 0.03
    ends.append(np.stack([number[:-1, :-1][diagonal], number[1:, 1:][diagonal]], axis=1))
    u, v = np.concatenate(ends).T
    length = np.rint(np.hypot(*(place[u] - place[v]).T) * 1000) / 1000
    graph = csr_array((length, (u, v)), shape=(side * side, side * side))
    count, piece = connected_components(graph, directed=False)
    largest = np.flatnonzero(piece == np.bincount(piece, minlength=count).argmax())
    return csr_array(graph[largest][:, largest])


def homes_and_sites(
    graph: csr_array, homes: int, sites: int, cutoff_m: float, seed: int = 0
) -> tuple[csr_array, np.ndarray]:
    """Return the distances (homes × sites, sparse within the cutoff) and the households of each home."""
    rng = np.random.default_rng(seed)
    at_home = rng.choice(graph.shape[0], homes, replace=homes > graph.shape[0])
    at_site = rng.choice(graph.shape[0], sites, replace=False)
    parts = []
    for first in range(0, sites, 250):
        far = dijkstra(graph, directed=False, indices=at_site[first : first + 250], limit=cutoff_m)[:, at_home]
        rows, cols = np.nonzero(np.isfinite(far))
        parts.append((far[rows, cols], cols, rows + first))
    distance, home, site = (np.concatenate(part) for part in zip(*parts, strict=True))
    households = rng.integers(1, 100, homes).astype(float)
    return csr_array((distance, (home, site)), shape=(homes, sites)), households
