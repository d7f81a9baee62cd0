"""How long it takes to read a road network, to put places on it, and to load it again, beside OSMnx on the same work.

Run ``python -m tests.benchmarks.network_benchmark`` for a made town of 80,000 nodes and 100,000 places, and
``--roads streets.parquet`` for a file of your own; a tiny town runs with the tests.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import osmnx
import shapely

from siting.inputs import read_roads
from siting.network import RoadNetwork, build_network, read_network, snap, write_network
from tests.benchmarks.fresh import peak_gb
from tests.benchmarks.streets import street_network


@dataclass(frozen=True, slots=True)
class Row:
    """Our seconds and the peer's on one piece of work, and by how much the results differ at most (m)."""

    work: str
    ours_s: float
    peer_s: float
    differ_m: float

    def __str__(self) -> str:
        peer = f"OSMnx {self.peer_s:8.3f} s  {self.peer_s / self.ours_s:6.1f} x  " if np.isfinite(self.peer_s) else ""
        return f"{self.work:40} {self.ours_s:8.3f} s  {peer}differ by {self.differ_m:.4f} m at most"


def timed(call, rounds):
    """Return what a call gives and the median of its seconds."""
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        given = call()
        seconds.append(time.perf_counter() - start)
    return given, statistics.median(seconds)


def road_file(net: RoadNetwork, path: Path) -> Path:
    """Write the streets of a network as a GeoPackage that was a network once."""
    lines = shapely.linestrings(net.geometry_xy, indices=np.repeat(np.arange(net.n_edges), 2))
    gpd.GeoDataFrame({"u": net.u, "v": net.v}, geometry=lines, crs=net.crs).to_file(path)
    return path


def osmnx_graph(net: RoadNetwork) -> nx.MultiDiGraph:
    """Return the network as OSMnx keeps it, projected."""
    graph = nx.MultiDiGraph(crs=net.crs.to_string())
    graph.add_nodes_from((node, {"x": x, "y": y}) for node, (x, y) in enumerate(net.xy))
    lengths = net.length_mm / 1000
    for a, b in ((net.u, net.v), (net.v, net.u)):
        edges = zip(a.tolist(), b.tolist(), lengths.tolist(), strict=True)
        graph.add_edges_from((start, end, {"osmid": 0, "length": length}) for start, end, length in edges)
    return graph


def run(roads: Path | None = None, *, n_nodes=80_000, n_places=100_000, rounds=3) -> list[Row]:
    """Return a row for each piece of work."""
    with tempfile.TemporaryDirectory() as folder:
        given = street_network(n_nodes) if roads is None else None
        file = road_file(given, Path(folder) / "roads.gpkg") if given is not None else roads
        net, ready_s = timed(lambda: build_network(read_roads(file)), rounds)
        write_network(net, Path(folder) / "kept.net")
        kept, load_s = timed(lambda: read_network(Path(folder) / "kept.net"), rounds)
        graph = osmnx_graph(net)
        osmnx.save_graphml(graph, Path(folder) / "kept.graphml")
        start = time.perf_counter()
        osmnx.load_graphml(Path(folder) / "kept.graphml")
        osmnx_load_s = time.perf_counter() - start
    rng = np.random.default_rng(1)
    spots = net.xy[rng.integers(0, net.n_nodes, n_places)] + rng.normal(0, 60, (n_places, 2))
    places = gpd.GeoSeries(gpd.points_from_xy(*spots.T), crs=net.crs)
    fresh = read_again(net)
    positions, snap_s = timed(lambda: snap(next(fresh), places, limit_m=1e6), rounds)
    start = time.perf_counter()
    _, away = osmnx.nearest_edges(graph, spots[:, 0], spots[:, 1], return_dist=True)
    osmnx_snap_s = time.perf_counter() - start
    lines = shapely.linestrings(
        net.geometry_xy, indices=np.repeat(np.arange(net.n_edges), np.diff(net.geometry_offsets))
    )
    ours = shapely.distance(lines[positions.edge], shapely.points(spots))
    drawn_km = abs(net.length_mm.sum() - kept.length_mm.sum()) / 1e6
    return [
        Row(f"file to network, {net.n_edges:,} edges", ready_s, np.nan, 0.0),
        Row("kept network to memory", load_s, osmnx_load_s, drawn_km * 1000),
        Row(f"{n_places:,} places on it", snap_s, osmnx_snap_s, float(np.abs(ours - np.asarray(away)).max())),
    ]


def read_again(net: RoadNetwork):
    """Yield the network without anything it has worked out, so that every round makes its tree."""
    while True:
        yield RoadNetwork(
            net.xy, net.u, net.v, net.length_mm, net.crs, net.oneway, net.geometry_offsets, net.geometry_xy
        )


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--roads", type=Path)
    parser.add_argument("--nodes", type=int, default=80_000)
    parser.add_argument("--places", type=int, default=100_000)
    asked = parser.parse_args()
    for row in run(asked.roads, n_nodes=asked.nodes, n_places=asked.places):
        print(row)
    print(f"peak memory {1000 * peak_gb():,.0f} MB, peers and all")


if __name__ == "__main__":
    main()
