"""Places -> their exact spots on the nearest usable roads, with the leg off the road."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from siting.errors import InputError, NetworkError
from siting.inputs.geodesy import distances_m
from siting.inputs.pieces import connected_pieces
from siting.network.graph import RoadNetwork
from siting.network.positions import UNROUTABLE, Positions
from siting.text import Text

STRIP_M = 200.0
"""Width of the strips in which points are asked for; it changes the time taken and nothing else."""


def snap(
    net: RoadNetwork,
    points: gpd.GeoSeries | gpd.GeoDataFrame,
    *,
    limit_m: float = 500.0,
    min_piece_km: float = 2.0,
) -> Positions:
    """Return where places stand on a network: the exact spot on the nearest usable edge, never moved to a node.

    The nearest edge is the nearest on the map of the network's CRS; of edges equally near, the one with the lowest
    number. The off-road leg is the geodesic distance to the spot, rounded once to whole mm; a place exactly at the
    limit is routable. Edges in connected pieces shorter than ``min_piece_km`` are not usable, except where no piece is
    that long: then the longest piece is.

    Parameters
    ----------
    net
        The network.
    points
        Points in any CRS, shape (n,).
    limit_m
        Longest off-road leg, m, > 0.
    min_piece_km
        Length of the shortest piece of road that a place may be put on, km, >= 0.

    Returns
    -------
    Positions
        ``unroutable`` lists the places beyond the limit with their distance (inf: the network has no edge), ``carried``
        those whose nearest edge is in a small piece, with their distance and what it would have been; both of m.

    Raises
    ------
    InputError
        If the points have no CRS, are not points, or one lies nowhere.
    NetworkError
        If the limit or ``min_piece_km`` makes no sense.
    """
    if not 0 < limit_m < np.inf or not 0 <= min_piece_km < np.inf:
        raise NetworkError(
            Text(
                f"limit_m（{limit_m}）应为正数，min_piece_km（{min_piece_km}）不能为负。",
                f"limit_m ({limit_m}) must be positive and min_piece_km ({min_piece_km}) not negative.",
            )
        )
    lon, lat = _lonlat(points)
    xy = net.from_lonlat(lon, lat)
    usable, small = net.derived(("snap", min_piece_km), lambda: _trees(net, min_piece_km))
    edge, share, spot = usable.nearest(xy)
    leg_mm = _leg_mm(net, lon, lat, spot)
    routable = leg_mm <= np.rint(limit_m * 1000)
    far = np.flatnonzero(~routable)
    offset = np.zeros(len(lon), np.int64)
    offset[routable] = np.rint(share[routable] * net.length_mm[edge[routable]]).astype(np.int64)
    return Positions(
        edge=np.where(routable, edge, UNROUTABLE),
        offset_mm=offset,
        off_road_mm=np.where(routable, leg_mm, 0).astype(np.int64),
        lon=lon,
        lat=lat,
        unroutable=pd.DataFrame({"index": far, "distance_m": leg_mm[far] / 1000}),
        carried=_carried(net, small, xy, lon, lat, leg_mm),
    )


@dataclass(frozen=True, slots=True)
class _Tree:
    """The drawn lines of some edges, ready to be asked which is nearest."""

    lines: npt.NDArray[Any]
    edges: npt.NDArray[np.int64]
    index: shapely.STRtree

    def nearest(
        self, xy: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the nearest edge to each point (-1: none), the share of it passed at the spot, and the spot (NaN)."""
        edge = np.full(len(xy), UNROUTABLE, np.int64)
        share, spot = np.zeros(len(xy)), np.full((len(xy), 2), np.nan)
        if not len(self.edges) or not len(xy):
            return edge, share, spot
        # points that follow each other in strips find their branches of the tree still in the cache: twice as fast
        order = np.lexsort((xy[:, 1], np.floor(xy[:, 0] / STRIP_M)))
        points = shapely.points(xy[order])
        asked, found = self.index.query_nearest(points)
        # the tree gives every edge at the least distance, in no order: the lowest number wins
        row = np.full(len(xy), len(self.edges), np.int64)
        np.minimum.at(row, asked, found)
        lines = self.lines[row]
        drawn = shapely.length(lines)
        with np.errstate(invalid="ignore"):  # old GEOS finds no place on a line without length
            passed = np.where(drawn > 0, shapely.line_locate_point(lines, points), 0.0)
        edge[order] = self.edges[row]
        share[order] = np.divide(passed, drawn, out=np.zeros(len(xy)), where=drawn > 0)
        spot[order] = shapely.get_coordinates(shapely.line_interpolate_point(lines, passed))
        return edge, share, spot


def _trees(net: RoadNetwork, min_piece_km: float) -> tuple[_Tree, _Tree]:
    """Return the edges that places may be put on, and those in pieces too small."""
    _, piece = np.unique(connected_pieces(net.u, net.v, net.n_nodes)[net.u], return_inverse=True)
    piece_mm = np.bincount(piece, weights=net.length_mm)
    usable = (piece_mm >= min_piece_km * 1e6)[piece]
    if not usable.any():
        usable = piece == np.argmax(np.r_[piece_mm, -1])
    sizes = np.diff(net.geometry_offsets)
    lines = shapely.linestrings(net.geometry_xy, indices=np.repeat(np.arange(net.n_edges), sizes))
    return _tree(lines, np.flatnonzero(usable)), _tree(lines, np.flatnonzero(~usable))


def _tree(lines: npt.NDArray[Any], edges: npt.NDArray[np.int64]) -> _Tree:
    return _Tree(lines[edges], edges, shapely.STRtree(lines[edges]))


def _lonlat(points: gpd.GeoSeries | gpd.GeoDataFrame) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the longitudes and latitudes of points, all finite."""
    series = points.geometry
    if series.crs is None:
        raise InputError(Text("点没有坐标系。", "The points have no coordinate system."))
    kinds = shapely.get_type_id(series.to_numpy())
    if (kinds != 0).any():
        row = int(np.flatnonzero(kinds != 0)[0])
        raise InputError(Text(f"第 {row} 个几何不是点。", f"The geometry in position {row} is not a point."))
    lonlat = np.full((len(series), 2), np.nan)
    known = ~shapely.is_empty(series.to_numpy())
    lonlat[known] = shapely.get_coordinates(series[known].to_crs("EPSG:4326").to_numpy())
    lon, lat = lonlat.T
    nowhere = np.flatnonzero(~np.isfinite(lonlat).all(axis=1))
    if len(nowhere):
        raise InputError(
            Text(f"第 {nowhere[0]} 个点没有有效坐标。", f"The point in position {nowhere[0]} has no valid coordinates.")
        )
    return lon, lat


def _leg_mm(
    net: RoadNetwork, lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64], spot: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the geodesic distance of each place to its spot, whole mm; inf where it has none."""
    placed = np.isfinite(spot[:, 0])
    leg = np.full(len(lon), np.inf)
    spot_lon, spot_lat = net.to_lonlat(spot[placed])
    leg[placed] = np.rint(distances_m(lon[placed], lat[placed], spot_lon, spot_lat) * 1000)
    return leg


def _carried(
    net: RoadNetwork, small: _Tree, xy: npt.NDArray[np.float64],
    lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64], leg_mm: npt.NDArray[np.float64],
) -> pd.DataFrame:  # fmt: skip
    """Return the places that would be nearer to a road if small pieces counted."""
    without = _leg_mm(net, lon, lat, small.nearest(xy)[2])
    rows = np.flatnonzero(without < leg_mm)
    return pd.DataFrame({"index": rows, "distance_m": leg_mm[rows] / 1000, "without_m": without[rows] / 1000})
