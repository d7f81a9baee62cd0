"""Instances for the siting benchmarks: homes and sites on a made street network, and readers of published ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

from siting.reach import within
from tests.benchmarks.streets import street_network


def homes_and_sites(homes, sites, *, nodes=20_397, cutoff_m=1250.0, seed=0):
    """Distances (homes × sites, sparse within the cutoff; homes in nobody's reach left out) and households."""
    network = street_network(nodes, seed=seed)
    rng = np.random.default_rng(seed)
    at_home = rng.choice(network.n_nodes, homes, replace=homes > network.n_nodes)
    at_site = rng.choice(network.n_nodes, sites, replace=False)
    distance = csr_array(csr_array(within(network, at_site, cutoff_m=cutoff_m))[:, at_home].T)
    reached = np.diff(distance.indptr) > 0
    return csr_array(distance[reached]), rng.integers(1, 100, homes).astype(float)[reached]


def read_scp(path: Path) -> tuple[csr_array, np.ndarray]:
    """A set covering problem of the OR-Library: covers (rows × columns) and costs."""
    figures = np.array(path.read_text(encoding="utf-8").split(), dtype=np.int64)
    rows, columns = figures[:2]
    cost, rest = figures[2 : 2 + columns].astype(float), figures[2 + columns :]
    at, indptr, indices = 0, [0], []
    for _ in range(rows):
        indices.append(rest[at + 1 : at + 1 + rest[at]] - 1)
        at += 1 + rest[at]
        indptr.append(indptr[-1] + len(indices[-1]))
    covers = csr_array((np.ones(indptr[-1]), np.concatenate(indices), indptr), shape=(rows, columns))
    covers.sort_indices()
    return covers, cost


def read_swain(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Swain's 55 nodes: their distances and demand."""
    figures = np.array([line.split() for line in path.read_text(encoding="utf-8").splitlines()[1:]], dtype=float)
    place = figures[:, 1:3]
    return np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1)), figures[:, 3]


def read_sf_stores(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """San Francisco's 205 tracts and 16 stores: network distances and population."""
    tracts = pd.read_csv(folder / "SF_demand_205_centroid_uniform_weight.csv")
    pairs = pd.read_csv(folder / "SF_network_distance_candidateStore_16_censusTract_205_new.csv")
    table = pairs.pivot_table(values="distance", index="DestinationName", columns="name")
    people = tracts.set_index("NAME")["POP2000"]
    return table.to_numpy(), people.loc[table.index].to_numpy(dtype=float)


def read_pmed(path: Path) -> tuple[np.ndarray, int]:
    """A p-median of the OR-Library: all-pairs shortest distances and the number of sites."""
    figures = np.array(path.read_text(encoding="utf-8").split(), dtype=np.int64)
    nodes, _, sites = figures[:3]
    length = np.zeros((nodes, nodes))
    for a, b, metres in figures[3:].reshape(-1, 3):  # a repeated edge: the last one counts
        length[a - 1, b - 1] = length[b - 1, a - 1] = metres
    return shortest_path(length, method="D", directed=False), int(sites)


def read_cpmp(path: Path) -> tuple[np.ndarray, np.ndarray, int, float, float]:
    """A capacitated p-median of the OR-Library: distances, demand, number of sites, capacity, best known."""
    figures = np.array(path.read_text(encoding="utf-8").split(), dtype=np.float64)
    best, nodes, sites, capacity = figures[1], int(figures[2]), int(figures[3]), float(figures[4])
    table = figures[5 : 5 + 4 * nodes].reshape(nodes, 4)
    place = table[:, 1:3]
    return np.floor(np.hypot(*(place[:, None] - place[None]).transpose(2, 0, 1))), table[:, 3], sites, capacity, best


def all_pairs(homes, sites, *, nodes=20_397, seed=0):
    """Every distance of homes × sites on a made street network, and the weight of each home."""
    network = street_network(nodes, seed=seed)
    rng = np.random.default_rng(seed)
    at_home = rng.choice(network.n_nodes, homes, replace=homes > network.n_nodes)
    at_site = rng.choice(network.n_nodes, sites, replace=False)
    distance = csr_array(csr_array(within(network, at_site, cutoff_m=1e6))[:, at_home].T)
    return distance, rng.integers(1, 100, homes).astype(float)
