"""Reach against its peers on a made town: time, ratio, peak memory, agreement; ``python -m tests.benchmarks.reach``.

Each row runs ours and the peer in turn in one process, after a first call of each; the medians are compared. A peer
that would take minutes runs on fewer origins and its time is scaled, which its name says with a star. Peers that are
not installed are left out.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import sys
import time
import tracemalloc
from dataclasses import dataclass
from functools import partial

import networkx as nx
import numpy as np
import shapely
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from siting.network.graph import RoadNetwork
from siting.network.positions import Positions
from siting.network.routing import routing_graph
from siting.reach import circles, cost_matrix, nearest, within
from siting.reach.threads import thread_count
from tests import naive
from tests.benchmarks._kernels import touch_rows
from tests.benchmarks.streets import street_network


@dataclass(frozen=True)
class Row:
    """One comparison; ``disagreement`` is the largest difference in m, or the count of pairs that only one side has."""

    work: str
    peer: str
    ours_s: float
    peer_s: float
    ours_mb: float
    disagreement: str

    @property
    def ratio(self):
        return self.peer_s / self.ours_s

    def __str__(self):
        times = f"{self.ours_s * 1e3:10.2f} ms {self.peer_s * 1e3:12.2f} ms {self.ratio:8.1f} x {self.ours_mb:8.1f} MB"
        return f"{self.work:34} {self.peer:32} {times}  {self.disagreement}"


@dataclass(frozen=True)
class Town:
    """A network, the same as scipy and networkx want it, and the places asked for."""

    net: RoadNetwork
    matrix: csr_array
    tree: cKDTree
    rng: np.random.Generator

    @classmethod
    def make(cls, n_nodes, seed=0):
        net = street_network(n_nodes, seed=seed)
        metres = net.length_mm / 1000
        ends = (np.concatenate((net.u, net.v)), np.concatenate((net.v, net.u)))
        matrix = csr_array((np.tile(metres, 2), ends), shape=(net.n_nodes, net.n_nodes))
        return cls(net, matrix, cKDTree(net.xy), np.random.default_rng(seed + 1))

    def nodes(self, n):
        return self.rng.choice(self.net.n_nodes, min(n, self.net.n_nodes), replace=False)


def timed(call):
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def compare(work, ours, peer_name, peer, agreement, *, rounds, scale=1.0):
    """One row: both sides warmed up by a first call, then in turn, medians of ``rounds``."""
    mine, theirs = ours(), peer()
    tracemalloc.start()
    ours()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    gc.collect()
    pairs = [(timed(ours)[0], timed(peer)[0]) for _ in range(rounds)]
    ours_s, peer_s = np.median(np.array(pairs), axis=0)
    star = "" if scale == 1 else " *"
    return Row(work, peer_name + star, ours_s, peer_s * scale, peak, agreement(mine, theirs))


def same_pairs(mine, theirs):
    """Compare two sparse matrices of metres; the first rows of ours, where the peer did only those."""
    mine = naive.dense(mine[: theirs.shape[0]])
    theirs = naive.dense(theirs)
    both = np.isfinite(mine) & np.isfinite(theirs)
    worst = np.abs(mine[both] - theirs[both]).max(initial=0)
    return f"{worst:.1e} m, {(np.isfinite(mine) ^ np.isfinite(theirs)).sum()} pairs of {np.isfinite(mine).sum()}"


def rows_to_matrix(columns, values, n):
    counts = [len(row) for row in columns]
    indptr = np.concatenate(([0], np.cumsum(counts)))
    return csr_array((np.concatenate(values), np.concatenate(columns), indptr), shape=(len(columns), n))


# peers


def scipy_limit(town, sources, cutoff_m, chunk=100):
    """Dijkstra with a limit over the whole matrix, a dense block at a time."""
    columns, values = [], []
    for part in np.array_split(sources, max(1, len(sources) // chunk)):
        for row in dijkstra(town.matrix, indices=part, limit=cutoff_m):
            found = np.flatnonzero(np.isfinite(row))
            columns.append(found)
            values.append(row[found])
    return rows_to_matrix(columns, values, town.net.n_nodes)


def scipy_crop(town, sources, cutoff_m):
    """Dijkstra on the nodes that a straight line reaches, cut out for each origin."""
    columns, values = [], []
    for source in sources:
        inside = np.sort(town.tree.query_ball_point(town.net.xy[source], cutoff_m))
        part = town.matrix[inside][:, inside]
        row = dijkstra(part, indices=np.searchsorted(inside, source), limit=cutoff_m)
        found = np.isfinite(row)
        columns.append(inside[found])
        values.append(row[found])
    return rows_to_matrix(columns, values, town.net.n_nodes)


def ego_graphs(graph, sources, cutoff_m):
    """The recipe of the OSMnx examples: a subgraph for each origin."""
    return [set(nx.ego_graph(graph, source, radius=cutoff_m, distance="weight")) for source in sources]


def pandana_network(net):
    import pandana
    import pandas as pd

    ends = pd.Series(net.u), pd.Series(net.v)
    xy = pd.Series(net.xy[:, 0]), pd.Series(net.xy[:, 1])
    return pandana.Network(*xy, *ends, pd.DataFrame({"m": net.length_mm / 1000}), twoway=True)


def pandana_range(peer, sources, cutoff_m, n):
    found = peer.nodes_in_range(list(sources), cutoff_m)
    row = np.searchsorted(np.sort(sources), found["source"])
    order = np.argsort(np.argsort(sources))
    back = np.empty(len(sources), int)
    back[order] = np.arange(len(sources))
    data = (found["m"].to_numpy(), (back[row], found["destination"].to_numpy()))
    return csr_array(data, shape=(len(sources), n))


def buffered_edges(town, reached, width=50.0):
    """The union of the reached parts of edges, each buffered: the usual way to draw an isochrone."""
    net, polygons = town.net, []
    u, v, length = net.u, net.v, net.length_mm / 1000
    for row in range(reached.shape[0]):
        cost = np.full(net.n_nodes, np.inf)
        own = slice(reached.indptr[row], reached.indptr[row + 1])
        cost[reached.indices[own]] = reached.data[own]
        left_u, left_v = 1250 - width - cost[u], 1250 - width - cost[v]
        near = np.flatnonzero((left_u > 0) | (left_v > 0))
        parts = []
        for start, end, left in ((u, v, left_u), (v, u, left_v)):
            mine = near[left[near] > 0]
            share = np.minimum(left[mine] / length[mine], 1)[:, None]
            a, b = net.xy[start[mine]], net.xy[end[mine]]
            parts.append(shapely.linestrings(np.stack((a, a + share * (b - a)), axis=1)))
        polygons.append(shapely.union_all(shapely.buffer(np.concatenate(parts), width)))
    return np.array(polygons)


def areas_differ(net):
    def agreement(mine, theirs):
        mine = mine.to_crs(net.crs).geometry.to_numpy()[: len(theirs)]
        share = shapely.area(shapely.symmetric_difference(mine, theirs)) / shapely.area(theirs)
        return f"{100 * share.mean():.2f} % of the union's area"

    return agreement


# rows


def within_rows(town, cutoff_m, peer, *, n, few, rounds):
    net, sources = town.net, town.nodes(n)
    ours = lambda: within(net, sources, cutoff_m=cutoff_m)  # noqa: E731
    work = f"within {cutoff_m} m, {len(sources)} nodes"
    scale = len(sources) / len(sources[:few])
    some = sources[:few]

    def row(name, call, agreement=same_pairs, scale=scale):
        return compare(work, ours, name, call, agreement, rounds=rounds, scale=scale)

    yield row("scipy, crop by KD-tree", lambda: scipy_crop(town, some, cutoff_m))
    yield row("scipy dijkstra(limit)", lambda: scipy_limit(town, some, cutoff_m))
    if peer is not None:
        yield row("pandana nodes_in_range", lambda: pandana_range(peer, sources, cutoff_m, net.n_nodes), scale=1.0)
    if cutoff_m <= 1250:
        graph = nx.Graph()
        graph.add_weighted_edges_from(zip(net.u.tolist(), net.v.tolist(), (net.length_mm / 1000).tolist(), strict=True))
        fewer = sources[: max(1, few // 5)]
        sets = lambda a, b: f"{sum(set(a[[i]].indices) != b[i] for i in range(len(b)))} sets differ"  # noqa: E731
        ego = lambda: ego_graphs(graph, fewer.tolist(), cutoff_m)  # noqa: E731
        yield row("networkx ego_graph", ego, sets, len(sources) / len(fewer))
    graph = routing_graph(net, "mm", contracted=False)
    reached = ours()
    ranks = [graph.rank[reached.indices[a:b]] for a, b in zip(reached.indptr[:-1], reached.indptr[1:], strict=True)]
    starts = reached.indptr.astype(np.int64)
    touched = np.concatenate(ranks).astype(np.uint32)
    labels = np.zeros(net.n_nodes, np.uint32)
    one = lambda: within(net, sources, cutoff_m=cutoff_m, threads=1)  # noqa: E731
    touch = lambda: touch_rows(graph.out_rows, graph.out_arcs, touched, starts, labels)  # noqa: E731
    same = lambda a, b: f"{a.nnz} nodes, {int(b)} arcs"  # noqa: E731
    yield compare(work + ", 1 thread", one, "a touch of nodes and edges", touch, same, rounds=rounds)


def nearest_rows(town, k, peer, *, n_facilities, few, rounds):
    net = town.net
    chosen = town.nodes(n_facilities)
    everywhere, facilities = net.node_positions(), net.node_positions(chosen)
    work = f"nearest {k} of {len(chosen)}, all nodes"
    ours = lambda: nearest(net, everywhere, facilities, k=k)  # noqa: E731
    worst = lambda a, b: f"{np.abs(a.distance_m[:, k - 1] - b).max():.1e} m"  # noqa: E731
    if k == 1:
        theirs = lambda: dijkstra(town.matrix, indices=chosen, min_only=True)  # noqa: E731
        yield compare(work, ours, "scipy min_only", theirs, worst, rounds=rounds)
    homes, shops = mid_edge(town, net.n_nodes), mid_edge(town, n_facilities)
    on_edges = lambda: nearest(net, homes, shops, k=k)  # noqa: E731
    farthest = lambda a, b: f"{a.distance_m.max():.0f} and {b.distance_m.max():.0f} m at most"  # noqa: E731
    yield compare(work, ours, "the same, places on edges", on_edges, farthest, rounds=rounds)
    if peer is not None:
        longest = float(np.ceil(ours().distance_m.max())) + 1
        import pandas as pd

        x, y = pd.Series(net.xy[chosen, 0]), pd.Series(net.xy[chosen, 1])

        def pandana_nearest():
            peer.set_pois("here", longest, k, x, y)
            return peer.nearest_pois(longest, "here", num_pois=k)[k].to_numpy()

        yield compare(work, ours, "pandana nearest_pois", pandana_nearest, worst, rounds=min(rounds, 3))


def matrix_rows(town, peer, *, n, m, few, rounds, cutoff_m=3000):
    net = town.net
    homes, shops = town.nodes(n), town.nodes(m)
    origins, destinations = net.node_positions(homes), net.node_positions(shops)
    work = f"cost_matrix {len(homes)} x {len(shops)}, {cutoff_m} m"
    ours = lambda: cost_matrix(net, origins, destinations, cutoff_m=cutoff_m)  # noqa: E731
    some = shops[:few]
    from_shops = lambda: scipy_limit(town, some, cutoff_m)[:, homes]  # noqa: E731
    turned = lambda a, b: same_pairs(csr_array(a.T), b)  # noqa: E731
    scale = len(shops) / len(some)
    yield compare(work, ours, "scipy dijkstra(limit)", from_shops, turned, rounds=rounds, scale=scale)
    if peer is not None:
        theirs = lambda: pandana_range(peer, shops, cutoff_m, net.n_nodes)[:, homes]  # noqa: E731
        yield compare(work, ours, "pandana nodes_in_range", theirs, turned, rounds=min(rounds, 3))
    home_spots, shop_spots = mid_edge(town, n), mid_edge(town, m)
    on_edges = lambda: cost_matrix(net, home_spots, shop_spots, cutoff_m=cutoff_m)  # noqa: E731
    more = lambda a, b: f"{a.nnz} and {b.nnz} pairs"  # noqa: E731
    yield compare(work, ours, "the same, places on edges", on_edges, more, rounds=rounds)


def mid_edge(town, n):
    """Places somewhere along edges, without an off-road leg."""
    net = town.net
    edge = np.random.default_rng(3).integers(0, net.n_edges, n)
    offset = net.length_mm[edge] // 3
    lon, lat = net.to_lonlat(net.xy[net.u[edge]])
    return Positions(edge, offset, np.zeros(n, np.int64), lon, lat)


def circle_rows(town, *, n, few, rounds):
    net, chosen = town.net, town.nodes(n)
    facilities = net.node_positions(chosen)
    reached = within(net, chosen[:few], cutoff_m=1250)
    union = lambda: buffered_edges(town, reached)  # noqa: E731
    for grid_m in (16.0, 10.0):
        ours = partial(circles, net, facilities, cutoffs_m=[1250], grid_m=grid_m)
        work = f"circles 1250 m, {len(chosen)}, {grid_m:.0f} m grid"
        agreement = areas_differ(net)
        scale = len(chosen) / reached.shape[0]
        yield compare(work, ours, "union of buffered edges", union, agreement, rounds=rounds, scale=scale)


def circle_error_rows(n_nodes, *, n, cutoff_m):
    """Circles of places on the edges in the middle of a town against their definition on a grid of 2 m.

    Brute force takes minutes for 25 circles of 1,250 m; it runs once.
    """
    town = Town.make(n_nodes, seed=7)
    net, rng = town.net, np.random.default_rng(11)
    middle = town.tree.query(net.xy.mean(axis=0), k=max(n, net.n_nodes // 8))[1]
    edge = rng.choice(np.flatnonzero(np.isin(net.u, middle)), n, replace=False)
    lon, lat = net.to_lonlat(net.xy[net.u[edge]])
    places = Positions(edge, rng.integers(0, net.length_mm[edge]), np.zeros(n, np.int64), lon, lat)
    brute_s, truths = timed(lambda: [two_metre_circle(net, places.take([i]), cutoff_m) for i in range(n)])
    for grid_m in (16.0, 10.0):
        ours = partial(circles, net, places, cutoffs_m=[cutoff_m], grid_m=grid_m)
        ours()
        ours_s, table = timed(ours)
        polygons = table.to_crs(net.crs).geometry.to_numpy()
        shapely.prepare(polygons)
        found = [shapely.contains_xy(one, grid) for one, (grid, _) in zip(polygons, truths, strict=True)]
        share = [100 * (mine != truth).sum() / truth.sum() for mine, (_, truth) in zip(found, truths, strict=True)]
        work = f"circles {cutoff_m} m, {n}, {grid_m:.0f} m grid"
        error = f"{np.mean(share):.2f} % of the area on average, {np.max(share):.2f} % at most"
        yield Row(work, "brute force on a 2 m grid", ours_s, brute_s, 0.0, error)


def two_metre_circle(net, place, cutoff_m, off_road_m=50):
    """The points of a grid of 2 m around a circle, and which of them it holds by its definition."""
    streets, costs = naive.street_points(net, place)
    streets, costs = streets[costs <= cutoff_m], costs[costs <= cutoff_m]
    (west, south), (east, north) = streets.min(axis=0) - off_road_m, streets.max(axis=0) + off_road_m
    grid = np.stack(np.meshgrid(np.arange(west, east, 2), np.arange(south, north, 2)), axis=-1).reshape(-1, 2)
    return grid, naive.beyond_circle(grid, streets, costs, cutoff_m, off_road_m) <= 0


def set_up_rows(town, rounds, pandana_s):
    net = town.net

    def prepare():
        fresh = RoadNetwork.from_edges(net.xy, net.u, net.v, net.length_mm / 1000, crs=net.crs)
        return routing_graph(fresh, "mm"), routing_graph(fresh, "mm", contracted=False)

    prepare()
    ours_s = float(np.median([timed(prepare)[0] for _ in range(rounds)]))
    yield Row("network from arrays", "pandana Network", ours_s, pandana_s, 0.0, "")


def run(n_nodes=200_000, *, origins=1000, few=50, rounds=5, pandana=True):
    """Yield every row for a town of ``n_nodes``."""
    town = Town.make(n_nodes)
    peer = None
    if pandana and importlib.util.find_spec("pandana"):
        seconds, peer = timed(lambda: pandana_network(town.net))
        yield from set_up_rows(town, rounds, seconds)
    for cutoff_m in (1250, 3000):
        yield from within_rows(town, cutoff_m, peer, n=origins, few=few, rounds=rounds)
    for k in (1, 3):
        yield from nearest_rows(town, k, peer, n_facilities=origins // 2, few=few, rounds=rounds)
    yield from matrix_rows(town, peer, n=5 * origins, m=2 * origins, few=2 * few, rounds=rounds)
    yield from circle_rows(town, n=max(1, origins // 5), few=max(1, few // 5), rounds=rounds)
    yield from circle_error_rows(min(n_nodes, 4000), n=max(1, few // 2), cutoff_m=min(1250, n_nodes))


def main():
    """Print the full table."""
    parser = argparse.ArgumentParser(description=__doc__.split(";")[0])
    parser.add_argument("--nodes", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--without-pandana", action="store_true", help="its set-up alone takes over a minute")
    options = parser.parse_args()
    sys.stdout.write(f"{options.nodes} nodes, {thread_count(None)} threads, medians of {options.rounds}\n")
    for row in run(options.nodes, rounds=options.rounds, pandana=not options.without_pandana):
        sys.stdout.write(f"{row}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
