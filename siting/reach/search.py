"""Distances along the network: everything within a cut-off, the nearest few, all pairs that matter."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, TypeAlias

import geopandas as gpd
import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array, csr_array

from siting.errors import InputError, NetworkError
from siting.network.graph import RoadNetwork
from siting.network.positions import Positions
from siting.network.routing import OnChains, RoutingGraph, check_positions, off_road_costs, on_chains, routing_graph
from siting.reach.cutoffs import LONGEST, UNITS, whole_cutoff
from siting.reach.direct import direct_walks
from siting.reach.threads import Bench, bucket_shift, empty_buckets, in_threads, sparse_rows, thread_count
from siting.text import Text

Places: TypeAlias = Positions | gpd.GeoSeries | gpd.GeoDataFrame
Array = npt.NDArray[Any]
_EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The k nearest destinations of n origins, nearest first; of equals the lower row number.

    Parameters
    ----------
    distance_m
        Distance, m, ``inf`` where there is none, shape (n, k).
    destination
        Row number of the destination, -1 where there is none, shape (n, k).
    """

    distance_m: npt.NDArray[np.float64]
    destination: npt.NDArray[np.int64]


def within(
    net: RoadNetwork,
    node_ids: npt.ArrayLike,
    *,
    cutoff_m: float | None = None,
    cutoff_min: float | None = None,
    threads: int | None = None,
) -> csr_array:
    """Return every node within a cut-off of each of some nodes.

    A node exactly at the cut-off is kept; each node is within 0 of itself. One-way edges are obeyed.

    Parameters
    ----------
    net
        The network to travel on.
    node_ids
        Numbers of the nodes to start from, shape (k,).
    cutoff_m
        Longest distance, m, > 0.
    cutoff_min
        Longest time, min, > 0; exactly one of the two is given.
    threads
        Number of threads; ``None``: one a core. The result does not depend on it.

    Returns
    -------
    csr_array
        Distance in m (or time in min) from start i to node j, shape (k, nodes); what is not stored is beyond, a
        stored 0 is no distance. Columns of a row are in no special order.

    Raises
    ------
    CutoffError
        If not exactly one positive, finite cut-off is given.
    InputError
        If ``threads`` is less than 1.
    NetworkError
        If a node number is not one of the network, or it has no speeds and minutes are asked for.
    """
    from siting.reach import _kernels

    metric, limit = whole_cutoff(cutoff_m=cutoff_m, cutoff_min=cutoff_min)
    starts = np.atleast_1d(np.asarray(node_ids))
    starts = starts if starts.size else starts.astype(np.int64)  # an empty list has no type of its own
    net.check_nodes(starts)
    graph = routing_graph(net, metric, contracted=False)
    shift = bucket_shift(graph, limit)
    seeds = graph.rank[starts]

    def kernel(own: Bench, rows: Array, counts: Array, first: int) -> Any:
        return _kernels.within_rows(
            graph.out_rows, graph.out_arcs, graph.node, seeds[rows], first, np.uint32(limit + 1), np.uint64(shift),
            own.lists, counts, own.found, own.used,
        )  # fmt: skip

    order = np.argsort(seeds, kind="stable")
    bench = lambda: Bench.make(net.n_nodes, 0, limit, shift)  # noqa: E731
    return sparse_rows(kernel, order, bench, n_columns=net.n_nodes, unit=UNITS[metric], threads=thread_count(threads))


def cost_matrix(
    net: RoadNetwork,
    origins: Places,
    destinations: Places,
    *,
    cutoff_m: float | None = None,
    cutoff_min: float | None = None,
    direct_walk: bool = True,
    threads: int | None = None,
) -> csr_array:
    """Return the network distance of every pair within a cut-off, from origin to destination.

    A pair exactly at the cut-off is kept. Both ends count their off-road leg, at their exact place on an edge.

    Parameters
    ----------
    net
        The network to travel on.
    origins, destinations
        Positions, or points in any CRS (which are snapped first), shapes (n,) and (m,).
    cutoff_m
        Longest distance of interest, m, > 0.
    cutoff_min
        Longest time of interest, min, > 0; exactly one of the two is given.
    direct_walk
        Whether two places may be joined by the straight line where that is no longer than their off-road legs.
    threads
        Number of threads; ``None``: one a core. The result does not depend on it.

    Returns
    -------
    csr_array
        Distance in m (or time in min), shape (n, m), columns of a row in order. A pair not stored is beyond the
        cut-off; a stored 0 is a pair at one spot. Rows and columns of unroutable places are empty.

    Raises
    ------
    CutoffError
        If not exactly one positive, finite cut-off is given.
    InputError
        If ``threads`` is less than 1.
    NetworkError
        If a position is not on this network, or it has no speeds and minutes are asked for.
    """
    metric, limit = whole_cutoff(cutoff_m=cutoff_m, cutoff_min=cutoff_min)
    graph = routing_graph(net, metric)
    from_places, to_places = placed(net, origins), placed(net, destinations)
    i, j, straight_mm = direct_walks(from_places, to_places, walk=direct_walk)
    straight = off_road_costs(net, straight_mm, metric)
    starts, ends = on_chains(net, graph, from_places), on_chains(net, graph, to_places)
    if from_places.routable.sum() <= to_places.routable.sum():
        rows = _pairs(graph, starts, ends, (i, j, straight), limit, forward=True, threads=threads)
        rows.sort_indices()
        return rows
    columns = _pairs(graph, ends, starts, (j, i, straight), limit, forward=False, threads=threads)
    return csc_array((columns.data, columns.indices, columns.indptr), shape=columns.shape[::-1]).tocsr()


def _pairs(
    graph: RoutingGraph,
    searched: OnChains,
    targets: OnChains,
    direct: tuple[Array, Array, Array],
    limit: int,
    *,
    forward: bool,
    threads: int | None,
) -> csr_array:
    """Search from each place of one side and read off the places of the other; rows are the side searched from."""
    from siting.reach import _kernels

    shift = bucket_shift(graph, limit)
    seeds, seed_costs = searched.nodes, searched.exits if forward else searched.entries
    rows, arcs = (graph.out_rows, graph.out_arcs) if forward else (graph.in_rows, graph.in_arcs)
    joined = _by_node(graph, targets.nodes, targets.entries if forward else targets.exits, limit)
    found = (*_by_chain(graph, targets), targets.cost, targets.offset, targets.off_road)
    direct_rows, direct_target, direct_cost = _grouped(len(searched.chain), *direct)
    n_targets = len(targets.chain)

    def kernel(own: Bench, chosen: Array, counts: Array, first: int) -> Any:
        places = tuple(
            column[chosen]
            for column in (seeds, seed_costs, searched.chain, searched.cost, searched.offset, searched.off_road)
        )
        walks = _rows_of(direct_rows, direct_target, direct_cost, chosen)
        return _kernels.pair_rows(
            rows, arcs, graph.chains, forward, places, joined, found, walks, first, np.uint32(limit + 1),
            np.uint64(shift), own.lists, (own.target_best, own.target_touched), counts, own.found, own.used,
        )  # fmt: skip

    order = np.argsort(seeds[:, 0], kind="stable")
    bench = lambda: Bench.make(len(graph.node), n_targets, limit, shift)  # noqa: E731
    return sparse_rows(
        kernel, order, bench, n_columns=n_targets, unit=UNITS[graph.metric], threads=thread_count(threads)
    )


def nearest(
    net: RoadNetwork,
    origins: Places,
    destinations: Places,
    *,
    k: int = 1,
    direct_walk: bool = True,
    threads: int | None = None,
) -> Nearest:
    """Return the k nearest destinations of every origin, measured from origin to destination, however far.

    Of destinations equally far, those of lower row number come first.

    Parameters
    ----------
    net
        The network to travel on.
    origins, destinations
        Positions, or points in any CRS (which are snapped first), shapes (n,) and (m,).
    k
        How many, >= 1.
    direct_walk
        Whether two places may be joined by the straight line where that is no longer than their off-road legs.
    threads
        Number of threads; ``None``: one a core. The result does not depend on it.

    Returns
    -------
    Nearest
        Distances in m, ``inf`` where there is no way of 4,026 km or less, and row numbers of destinations, -1 there;
        shapes (n, k).

    Raises
    ------
    InputError
        If ``k`` or ``threads`` is less than 1.
    NetworkError
        If a position is not on this network, or its distances go beyond 4,026 km.
    """
    if k < 1:
        raise InputError(Text(f"k 应至少为 1，实为 {k}。", f"k must be at least 1; it is {k}."))
    graph = routing_graph(net, "mm")
    from_places, to_places = placed(net, origins), placed(net, destinations)
    direct = direct_walks(from_places, to_places, walk=direct_walk)
    check_positions(net, from_places)
    ends = on_chains(net, graph, to_places)
    best = _nearest_of_nodes(graph, ends, k, thread_count(threads))
    return _nearest_of_places(graph, best, from_places, ends, direct, thread_count(threads))


def _nearest_of_nodes(graph: RoutingGraph, targets: OnChains, k: int, threads: int) -> npt.NDArray[np.uint64]:
    """Return the k nearest targets of every rank, packed, shape (ranks, k)."""
    n = len(graph.node)
    allowed = targets.entries <= LONGEST
    nodes, labels = targets.nodes[allowed], _packed(targets.entries[allowed], np.nonzero(allowed)[0])
    room = 2 * k * n // threads + len(nodes) + 4096
    best = None
    while best is None:
        best = _spread_nearest(graph, nodes, labels, k, threads, room)
        room *= 2
    far = best[best != _EMPTY] >> np.uint64(32)
    if int(far.max(initial=0)) + graph.longest_arc > LONGEST:
        raise NetworkError(Text("路网距离超过 4026 千米。", "Distances on this network go beyond 4,026 km."))
    return best.reshape(-1, k)


def _packed(cost: Array, target: Array) -> npt.NDArray[np.uint64]:
    """Return labels that sort by cost, then by target."""
    packed: npt.NDArray[np.uint64] = cost.astype(np.uint64) << np.uint64(32) | target.astype(np.uint64)
    return packed


def _spread_nearest(
    graph: RoutingGraph, nodes: Array, labels: Array, k: int, threads: int, room: int
) -> npt.NDArray[np.uint64] | None:
    """Search from seeds: first each thread within its own ranks, then everywhere on from what led out of them.

    Whatever the ranks, the least labels remain: the result does not depend on the number of threads. ``None``: there
    was not room enough.
    """
    from siting.reach._nearest_kernels import nearest_nodes

    n = len(graph.node)
    best = np.full(n if k == 1 else (n, k), _EMPTY, np.uint64)
    shift = bucket_shift(graph, LONGEST)

    def search(part: tuple[int, int, Array, Array]) -> tuple[bool, Array, Array]:
        away_node, away_label = np.empty(room, np.int64), np.empty(room, np.uint64)
        finished, away = nearest_nodes(
            graph.in_rows, graph.in_arcs, *part, np.uint64(LONGEST), np.uint64(shift), best,
            empty_buckets(LONGEST, shift), np.empty(room, np.uint64), np.empty((room, 2), np.uint32),
            away_node, away_label,
        )  # fmt: skip
        return finished, away_node[: int(away)], away_label[: int(away)]

    parts = []
    for low, high in itertools.pairwise(np.linspace(0, n, threads + 1).astype(int).tolist()):
        own = (low <= nodes) & (nodes < high)
        parts.append((low, high, nodes[own], labels[own]))
    found = in_threads(parts, search, threads)
    if threads > 1 and all(finished for finished, _, _ in found):
        _, away_nodes, away_labels = zip(*found, strict=True)
        found.append(search((0, n, np.concatenate(away_nodes), np.concatenate(away_labels))))
    return best if all(finished for finished, _, _ in found) else None


def _nearest_of_places(
    graph: RoutingGraph,
    best: npt.NDArray[np.uint64],
    places: Positions,
    ends: OnChains,
    direct: tuple[Array, Array, Array],
    threads: int,
) -> Nearest:
    """Return the nearest targets of places from those of their nodes."""
    from siting.reach._nearest_kernels import nearest_places

    on_chain, chain_target = _by_chain(graph, ends)
    has_target = np.diff(on_chain) > 0  # small enough to stay in the cache, which on_chain is not
    walks = _grouped(len(places), *direct)
    shape = (len(places), best.shape[1])
    distance, destination = np.empty(shape, np.float64), np.empty(shape, np.int64)

    def some(bounds: tuple[int, int]) -> None:
        nearest_places(
            best, graph.edges, graph.chains, (places.edge, places.offset_mm, places.off_road_mm),
            (has_target, on_chain, chain_target, ends.cost, ends.offset, ends.off_road), walks,
            np.uint64(LONGEST), UNITS["mm"], *bounds, distance, destination,
        )  # fmt: skip

    cuts = np.linspace(0, len(places), threads + 1).astype(int).tolist()
    in_threads(list(itertools.pairwise(cuts)), some, threads)
    return Nearest(distance, destination)


def placed(net: RoadNetwork, places: Places) -> Positions:
    """Return places as positions; points are snapped with the usual limit."""
    if isinstance(places, Positions):
        return places
    from siting.network.snap import snap

    return snap(net, places)


def _by_node(graph: RoutingGraph, nodes: Array, costs: Array, limit: int) -> tuple[Array, Array, Array]:
    """Return targets by the node they join: starts (ranks + 1,), target numbers, cost beyond the node."""
    target, side = np.nonzero(costs <= limit)
    return _grouped(len(graph.node), nodes[target, side], target, costs[target, side])


def _by_chain(graph: RoutingGraph, places: OnChains) -> tuple[Array, Array]:
    """Return places by chain: starts (chains + 1,), place numbers."""
    placed_on = np.flatnonzero(places.chain >= 0)
    return _grouped(len(graph.chains), places.chain[placed_on], placed_on, placed_on)[:2]


def _grouped(n_groups: int, group: Array, item: Array, cost: Array) -> tuple[Array, Array, Array]:
    """Return items and costs sorted by group, and where each group starts (n_groups + 1,)."""
    order = np.argsort(group, kind="stable")
    starts = np.zeros(n_groups + 1, np.int64)
    np.cumsum(np.bincount(group, minlength=n_groups), out=starts[1:])
    return starts, item[order], cost[order]


def _rows_of(starts: Array, item: Array, cost: Array, rows: Array) -> tuple[Array, Array, Array]:
    """Return some rows of grouped items, one after another."""
    counts = starts[rows + 1] - starts[rows]
    own = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(counts, out=own[1:])
    where = np.repeat(starts[rows] - own[:-1], counts) + np.arange(own[-1])
    return own, item[where], cost[where]
