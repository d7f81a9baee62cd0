"""A network made ready for searching: bends contracted, nodes in Hilbert order, arcs packed in rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from siting.errors import NetworkError
from siting.network.graph import RoadNetwork
from siting.network.positions import Positions
from siting.text import Text

Metric = Literal["mm", "ms"]
NO_WAY = np.iinfo(np.int64).max // 4
"""The cost of a way that is not allowed; sums of two still fit."""


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """How places join the routing graph: up to two nodes each, with what the way to or from it costs.

    Parameters
    ----------
    node_a, node_b
        Node ranks, shape (n,).
    cost_a, cost_b
        Cost between place and node, off-road leg included; ``NO_WAY`` where not allowed, shape (n,).
    """

    node_a: npt.NDArray[np.int64]
    cost_a: npt.NDArray[np.int64]
    node_b: npt.NDArray[np.int64]
    cost_b: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class OnChains:
    """Places on the chains of a routing graph, row i for place i.

    Parameters
    ----------
    chain
        Chain of each place, -1 where unroutable, shape (n,).
    cost
        Cost from the chain's start to the place, shape (n,).
    offset
        Whole mm along the edge: the order of places on a one-way chain, which is one edge, shape (n,).
    off_road
        Cost of the off-road leg, shape (n,).
    exits, entries
        The ways out of each place and into it.
    """

    chain: npt.NDArray[np.int64]
    cost: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int64]
    off_road: npt.NDArray[np.int64]
    exits: Ends
    entries: Ends


@dataclass(frozen=True, slots=True, eq=False)
class RoutingGraph:
    """What the search kernels walk on; nodes are called by their rank along a Hilbert curve.

    Parameters
    ----------
    metric
        Whole millimetres or whole milliseconds.
    node
        Node number of each rank; ``rank`` is the other way round, -1 for a bend that was contracted.
    out_rows, out_arcs, in_rows, in_arcs
        Arcs leaving each rank, and arcs entering it (turned round), as ``packed_rows`` gives them.
    chain_u, chain_v, chain_cost, chain_oneway
        The ranks at the two ends of each chain of edges, its cost, whether it is one-way.
    edge_chain, edge_start, edge_back, edge_cost
        The chain of each edge, the cost from the chain's start to the edge, whether it lies backwards in it, its cost.
    shift
        Bucket width as a power of two, about 0.4 of the mean arc.
    """

    metric: Metric
    node: npt.NDArray[np.int32]
    rank: npt.NDArray[np.int32]
    out_rows: npt.NDArray[np.uint32]
    out_arcs: npt.NDArray[np.uint64]
    in_rows: npt.NDArray[np.uint32]
    in_arcs: npt.NDArray[np.uint64]
    chain_u: npt.NDArray[np.int32]
    chain_v: npt.NDArray[np.int32]
    chain_cost: npt.NDArray[np.int64]
    chain_oneway: npt.NDArray[np.bool_]
    edge_chain: npt.NDArray[np.int32]
    edge_start: npt.NDArray[np.int64]
    edge_back: npt.NDArray[np.bool_]
    edge_cost: npt.NDArray[np.int64]
    shift: int

    @property
    def longest_arc(self) -> int:
        """The cost of the dearest chain, 0 where there is none."""
        return int(self.chain_cost.max(initial=0))


def routing_graph(net: RoadNetwork, metric: Metric, *, contracted: bool = True) -> RoutingGraph:
    """Return the network made ready for searching; made once and kept with the network.

    Parameters
    ----------
    net
        The network.
    metric
        ``"mm"``, or ``"ms"`` where the network has speeds.
    contracted
        Whether chains of two-way nodes are contracted; the distances are the same bits either way.

    Raises
    ------
    NetworkError
        If times are asked of a network without speeds.
    """
    return net.derived(("routing", metric, contracted), lambda: _make(net, metric, contracted))


def _make(net: RoadNetwork, metric: Metric, contracted: bool) -> RoutingGraph:
    from siting.network import _kernels

    cost = edge_costs(net, metric)
    if contracted:
        kept, edge_chain, edge_start, edge_back, chains = _kernels.trace_chains(
            net.n_nodes, net.u, net.v, net.oneway, cost
        )
    else:
        kept, edge_chain = np.ones(net.n_nodes, np.bool_), np.arange(net.n_edges, dtype=np.int32)
        edge_start, edge_back = np.zeros(net.n_edges, np.int64), np.zeros(net.n_edges, np.bool_)
        chains = (net.u, net.v, cost, net.oneway)
    first, last, chain_cost, chain_oneway = chains
    node = np.flatnonzero(kept).astype(np.int32)
    node = node[np.argsort(_kernels.hilbert_keys(net.xy[node]), kind="stable")]
    rank = np.full(net.n_nodes, -1, np.int32)
    rank[node] = np.arange(len(node), dtype=np.int32)
    chain_u, chain_v = rank[first], rank[last]
    out_rows, out_arcs = _kernels.packed_rows(len(node), chain_u, chain_v, chain_cost, ~chain_oneway)
    in_rows, in_arcs = out_rows, out_arcs
    if chain_oneway.any():
        in_rows, in_arcs = _kernels.packed_rows(len(node), chain_v, chain_u, chain_cost, ~chain_oneway)
    mean = chain_cost.mean() if len(chain_cost) else 1.0
    return RoutingGraph(
        metric=metric,
        node=node,
        rank=rank,
        out_rows=out_rows,
        out_arcs=out_arcs,
        in_rows=in_rows,
        in_arcs=in_arcs,
        chain_u=chain_u,
        chain_v=chain_v,
        chain_cost=chain_cost,
        chain_oneway=chain_oneway,
        edge_chain=edge_chain,
        edge_start=edge_start,
        edge_back=edge_back,
        edge_cost=cost,
        shift=int(np.clip(np.log2(max(0.4 * mean, 1.0)), 2, 24)),
    )


def edge_costs(net: RoadNetwork, metric: Metric) -> npt.NDArray[np.int64]:
    """Return the cost of each edge, whole mm or whole ms (rounded once).

    Parameters
    ----------
    net
        The network.
    metric
        ``"mm"``, or ``"ms"`` where the network has speeds.

    Raises
    ------
    NetworkError
        If times are asked of a network without speeds.
    """
    if metric == "mm":
        return net.length_mm
    if net.speed_kmh is None:
        raise NetworkError(
            Text(
                "该路网没有速度，无法按分钟计算；请改用米。",
                "This network has no speeds, so no minutes; ask for metres.",
            )
        )
    return np.rint(net.length_mm * 3.6 / net.speed_kmh).astype(np.int64)


def off_road_costs(net: RoadNetwork, off_road_mm: npt.NDArray[np.int64], metric: Metric) -> npt.NDArray[np.int64]:
    """Return what straight walks cost, whole mm or whole ms at walking speed (rounded once).

    Parameters
    ----------
    net
        The network.
    off_road_mm
        Lengths of the walks, whole mm.
    metric
        ``"mm"``, or ``"ms"`` where the network knows a walking speed.

    Raises
    ------
    NetworkError
        If times are asked of a network that knows no walking speed.
    """
    if metric == "mm":
        return off_road_mm
    if net.walking_speed_kmh is None:
        raise NetworkError(
            Text(
                "该路网没有步行速度，无法计算离路段的时间。", "This network has no walking speed for the off-road legs."
            )
        )
    return np.rint(off_road_mm * 3.6 / net.walking_speed_kmh).astype(np.int64)


def on_chains(net: RoadNetwork, graph: RoutingGraph, places: Positions) -> OnChains:
    """Return where places stand on the chains of a routing graph, and how they join it.

    Parameters
    ----------
    net
        The network.
    graph
        Its routing graph.
    places
        Positions on the network.

    Raises
    ------
    NetworkError
        If a position is not on this network.
    """
    edge, offset = places.edge, places.offset_mm
    ok = edge >= 0
    if (edge >= net.n_edges).any() or (offset[ok] > net.length_mm[edge[ok]]).any():
        raise NetworkError(
            Text(
                "位置不在该路网上：边号或偏移超出范围。",
                "These positions are not on this network: an edge or offset is out of range.",
            )
        )
    chain = np.full(len(edge), -1, np.int64)
    cost, whole = np.zeros(len(edge), np.int64), np.zeros(len(edge), np.int64)
    at_u, at_v, one = offset == 0, np.zeros(len(edge), np.bool_), np.zeros(len(edge), np.bool_)
    node_a, node_b = np.zeros(len(edge), np.int64), np.zeros(len(edge), np.int64)
    e = edge[ok]
    at_v[ok] = (offset[ok] == net.length_mm[e]) & (offset[ok] > 0)
    along = offset[ok] if graph.metric == "mm" else _times_along(net, graph, e, offset[ok])
    chain[ok] = graph.edge_chain[e]
    cost[ok] = graph.edge_start[e] + np.where(graph.edge_back[e], graph.edge_cost[e] - along, along)
    c = chain[ok]
    one[ok], whole[ok] = graph.chain_oneway[c], graph.chain_cost[c]
    node_a[ok], node_b[ok] = graph.chain_u[c], graph.chain_v[c]
    off_road = off_road_costs(net, places.off_road_mm, graph.metric)
    to_u, to_v = off_road + cost, off_road + whole - cost
    closed = ~ok
    exits = Ends(node_a, _or_no_way(to_u, closed | (one & ~at_u)), node_b, _or_no_way(to_v, closed))
    entries = Ends(node_a, _or_no_way(to_u, closed), node_b, _or_no_way(to_v, closed | (one & ~at_v)))
    return OnChains(chain, cost, offset, off_road, exits, entries)


def _times_along(
    net: RoadNetwork, graph: RoutingGraph, e: npt.NDArray[Any], offset: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    share = offset / np.maximum(net.length_mm[e], 1)
    return np.rint(share * graph.edge_cost[e]).astype(np.int64)


def _or_no_way(cost: npt.NDArray[np.int64], closed: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    return np.where(closed, NO_WAY, cost)
