"""A network made ready for searching: bends contracted, nodes in Hilbert order, arcs packed in rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from siting.errors import NetworkError
from siting.network.graph import LONGEST_EDGE_MM, RoadNetwork
from siting.network.positions import Positions
from siting.text import Text

Metric = Literal["mm", "ms"]


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
    nodes
        The ranks at the two ends of its chain, shape (n, 2).
    exits, entries
        Cost from the place to these and from these to the place, off-road leg included; ``NO_WAY`` (2 ** 61) where a
        one-way street forbids it or the place is unroutable, shape (n, 2).
    """

    chain: npt.NDArray[np.int64]
    cost: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int64]
    off_road: npt.NDArray[np.int64]
    nodes: npt.NDArray[np.int64]
    exits: npt.NDArray[np.int64]
    entries: npt.NDArray[np.int64]


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
    edges
        For each edge: twice its chain, plus one if it lies backwards in it; cost from the chain's start to the edge;
        its cost; its length in mm; then the row of its chain. Shape (m, 8): half a line of the cache holds all that a
        place on the edge needs to know.
    chains
        For each chain of edges: the ranks of its two ends, its cost, whether it is one-way. Shape (c, 4).
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
    edges: npt.NDArray[np.uint32]
    chains: npt.NDArray[np.int64]
    shift: int

    @property
    def longest_arc(self) -> int:
        """The cost of the dearest chain, 0 where there is none."""
        return int(self.chains[:, 2].max(initial=0))


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

    cost = edge_costs(net, metric).copy()  # writable, as chains' costs are: the same compiled loops take both
    if contracted:
        kept, edge_chain, edge_start, edge_back, chains = _kernels.trace_chains(
            net.n_nodes, net.u, net.v, net.oneway, cost
        )
        if chains[2].max(initial=0) > LONGEST_EDGE_MM:  # a chain must fit 32 bits, as every edge does
            return _make(net, metric, False)
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
    chain_table = (chain_u, chain_v, chain_cost, chain_oneway)
    own = [column[edge_chain] for column in chain_table]
    mean = chain_cost.mean() if len(chain_cost) else 1.0
    return RoutingGraph(
        metric=metric,
        node=node,
        rank=rank,
        out_rows=out_rows,
        out_arcs=out_arcs,
        in_rows=in_rows,
        in_arcs=in_arcs,
        edges=_table(np.uint32, 2 * edge_chain.astype(np.int64) + edge_back, edge_start, cost, net.length_mm, *own),
        chains=_table(np.int64, *chain_table),
        shift=int(np.clip(np.log2(max(0.4 * mean, 1.0)), 2, 24)),
    )


def _table(dtype: type, *columns: npt.NDArray[Any]) -> npt.NDArray[Any]:
    table: npt.NDArray[Any] = np.empty((len(columns[0]), len(columns)), dtype)
    for k, column in enumerate(columns):
        table[:, k] = column
    return table


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
        If times are asked of a network without speeds, or one edge takes more than 1,118 hours.
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
    costs: npt.NDArray[np.int64] = np.rint(net.length_mm * 3.6 / net.speed_kmh).astype(np.int64)
    if costs.max(initial=0) > LONGEST_EDGE_MM:
        raise NetworkError(
            Text(
                "有一条边的行程时间超过 1118 小时。",
                "The time along an edge is beyond 1,118 hours: length or speed is wrong.",
            )
        )
    return costs


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
    milliseconds: npt.NDArray[np.int64] = np.rint(off_road_mm * 3.6 / net.walking_speed_kmh).astype(np.int64)
    return milliseconds


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
    check_positions(net, places)
    from siting.network._kernels import join_all

    off_road = off_road_costs(net, places.off_road_mm, graph.metric)
    n = len(places)
    chain, cost = np.empty((2, n), np.int64)
    nodes, exits, entries = np.empty((3, n, 2), np.int64)
    join_all(
        places.edge,
        places.offset_mm,
        off_road,
        graph.metric == "mm",
        graph.edges,
        chain,
        cost,
        nodes,
        exits,
        entries,
    )
    return OnChains(chain, cost, places.offset_mm, off_road, nodes, exits, entries)


def check_positions(net: RoadNetwork, places: Positions) -> None:
    """Refuse positions that are not on a network.

    Parameters
    ----------
    net
        The network.
    places
        Positions.

    Raises
    ------
    NetworkError
        If an edge is not one of the network, or an offset is longer than its edge.
    """
    if (places.edge >= net.n_edges).any() or (
        net.n_edges
        and (places.offset_mm > np.where(places.routable, net.length_mm[places.edge], places.offset_mm)).any()
    ):
        raise NetworkError(
            Text(
                "位置不在该路网上：边号或偏移超出范围。",
                "These positions are not on this network: an edge or offset is out of range.",
            )
        )
