"""Slow twins: the same answers by plain Python and networkx, written for reading."""

from __future__ import annotations

import itertools
import math

import networkx as nx
import numpy as np
import pyproj
from scipy.spatial import cKDTree

GEOD = pyproj.Geod(ellps="WGS84")


def road_graph(net, places=None, metric="mm"):
    """The network as a networkx graph of whole units, with every place inserted as a node ``("spot", i)``.

    A place at an end of an edge is that node. A place in between cuts its edge.
    """
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(net.n_nodes))
    on_edge = {}
    for i in range(0 if places is None else len(places)):
        e, offset = int(places.edge[i]), int(places.offset_mm[i])
        if e < 0:
            continue
        if offset in (0, int(net.length_mm[e])):
            node = int(net.u[e] if offset == 0 else net.v[e])
            graph.add_edge(("spot", i), node, weight=0)
            graph.add_edge(node, ("spot", i), weight=0)
        else:
            on_edge.setdefault(e, []).append((offset, i))
    for e in range(net.n_edges):
        length = int(net.length_mm[e])
        stops = [(0, int(net.u[e]))]
        stops += [(offset, ("spot", i)) for offset, i in sorted(on_edge.get(e, []))]
        stops += [(length, int(net.v[e]))]
        for (start, tail), (end, head) in itertools.pairwise(stops):
            cost = along(net, e, end, metric) - along(net, e, start, metric)
            graph.add_edge(tail, head, weight=cost)
            if not net.oneway[e] or (start == end and isinstance(tail, tuple) and isinstance(head, tuple)):
                graph.add_edge(head, tail, weight=cost)
    return graph


def along(net, e, offset, metric):
    """Whole units from u to an offset along edge e."""
    if metric == "mm":
        return offset
    whole = int(np.rint(net.length_mm[e] * 3.6 / net.speed_kmh[e]))
    return int(np.rint(offset / max(int(net.length_mm[e]), 1) * whole))


def off_road(net, mm, metric):
    """Whole units of a straight walk."""
    return int(mm) if metric == "mm" else int(np.rint(mm * 3.6 / net.walking_speed_kmh))


def bellman_ford(graph, source):
    """Least cost from one node to every other, by relaxing all arcs until nothing changes."""
    cost = dict.fromkeys(graph.nodes, math.inf)
    cost[source] = 0
    changed = True
    while changed:
        changed = False
        for tail, head, weight in graph.edges(data="weight"):
            if cost[tail] + weight < cost[head]:
                cost[head] = cost[tail] + weight
                changed = True
    return cost


def distances(net, origins, destinations, *, metric="mm", direct_walk=True, shortest=bellman_ford):
    """All pairs in whole units, inf where there is no way, shape (n, m)."""
    both = both_places(origins, destinations)
    graph = road_graph(net, both, metric)
    n, m = len(origins), len(destinations)
    result = np.full((n, m), math.inf)
    for i in range(n):
        if origins.edge[i] < 0:
            continue
        cost = shortest(graph, ("spot", i))
        for j in range(m):
            if destinations.edge[j] < 0:
                continue
            legs = off_road(net, origins.off_road_mm[i], metric) + off_road(net, destinations.off_road_mm[j], metric)
            result[i, j] = cost.get(("spot", n + j), math.inf) + legs
            straight = straight_mm(origins, i, destinations, j)
            mm = int(origins.off_road_mm[i] + destinations.off_road_mm[j])  # no leg: the place is on the road itself
            if mm > 0 and (straight <= mm if direct_walk else straight == 0):
                result[i, j] = min(result[i, j], off_road(net, straight, metric))
    return result


def straight_mm(origins, i, destinations, j):
    """The geodesic between two places, rounded to whole mm; 0 only for the same spot when the legs are not 0."""
    _, _, metres = GEOD.inv(origins.lon[i], origins.lat[i], destinations.lon[j], destinations.lat[j])
    return round(metres * 1000)


def both_places(origins, destinations):
    """Origins and destinations in one list of positions."""
    return type(origins)(
        *(
            np.concatenate((getattr(origins, name), getattr(destinations, name)))
            for name in ("edge", "offset_mm", "off_road_mm", "lon", "lat")
        )
    )


def dijkstra(graph, source):
    """Least costs by networkx."""
    return nx.single_source_dijkstra_path_length(graph, source, weight="weight")


def dense(matrix):
    """A sparse matrix as a dense one, inf where nothing is stored, stored zeros kept."""
    coo = matrix.tocoo()
    result = np.full(matrix.shape, math.inf)
    result[coo.coords if hasattr(coo, "coords") else (coo.row, coo.col)] = coo.data
    return result


def k_nearest(costs, k):
    """The k least costs of each row and their columns, the lower column first among equals; inf and -1 where none."""
    n, m = costs.shape
    order = np.argsort(costs, axis=1, kind="stable")[:, :k]
    padded = np.full((n, k), -1)
    padded[:, : order.shape[1]] = order
    found = np.where(padded >= 0, np.take_along_axis(costs, np.maximum(padded, 0), axis=1), math.inf) if m else None
    found = np.full((n, k), math.inf) if found is None else found
    return found, np.where(np.isinf(found), -1, padded)


def street_points(net, facility, step_m=0.5):
    """Points along all drawn edges and their network distance, m, to the one facility they lead to."""
    graph = road_graph(net, facility).reverse()
    cost = dijkstra(graph, ("spot", 0))
    leg = facility.off_road_mm[0] / 1000
    points, costs = [], []
    for e in range(net.n_edges):
        line = net.geometry_xy[net.geometry_offsets[e] : net.geometry_offsets[e + 1]]
        passed = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))))
        at = np.linspace(0, passed[-1], int(passed[-1] / step_m) + 2)
        along_m = at / max(passed[-1], 1e-12) * net.length_mm[e] / 1000
        length = net.length_mm[e] / 1000
        own = cost.get(int(net.v[e]), math.inf) / 1000 + length - along_m
        if not net.oneway[e] or net.length_mm[e] == 0:  # a spot of a street without length is both of its ends
            own = np.minimum(own, cost.get(int(net.u[e]), math.inf) / 1000 + along_m)
        if facility.edge[0] == e:
            piece = facility.offset_mm[0] / 1000 - along_m
            own = np.minimum(own, np.where((piece >= 0) | (not net.oneway[e]), np.abs(piece), math.inf))
        points.append(np.column_stack([np.interp(at, passed, line[:, k]) for k in (0, 1)]))
        costs.append(own + leg)
        if facility.edge[0] == e:
            at = facility.offset_mm[0] / max(net.length_mm[e], 1) * passed[-1]
            points.append([[np.interp(at, passed, line[:, k]) for k in (0, 1)]])
            costs.append([leg])
    nodes = np.array([cost.get(i, math.inf) for i in range(net.n_nodes)]) / 1000 + leg
    return np.concatenate((*points, net.xy)), np.concatenate((*costs, nodes))


def beyond_circle(points, streets, costs, cutoff_m, off_road_m):
    """How far points lie outside the circle, m (negative: inside): least distance to a street point less its reach.

    The widest reach is taken exactly, lesser ones are rounded down to steps of 5 m: enough for a drawing. What is
    farther than 30 m counts as infinitely far.
    """
    reach = np.minimum(off_road_m, cutoff_m - costs)
    result = np.full(len(points), math.inf)
    whole = reach >= off_road_m
    if whole.any():
        result = cKDTree(streets[whole]).query(points)[0] - off_road_m
    step = np.where(whole, -1, np.floor(reach / 5))
    for level in np.unique(step[step >= 0]):
        gap, _ = cKDTree(streets[step == level]).query(points, distance_upper_bound=5 * level + 30)
        result = np.minimum(result, gap - 5 * level)
    return result
