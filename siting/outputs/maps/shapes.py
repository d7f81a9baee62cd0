"""Geometry made small for a page: simplified in metres, rounded to 1e-5 degrees, written as differences of integers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import geopandas as gpd

    from siting.network import RoadNetwork

SCALE = 1e5
"""Integers a degree: about 1 m."""
_ROAD_TOLERANCE_M = 4.0
_MARGIN_DEGREES = 0.03
_POINTS = 60_000


def encode_line(lonlat: npt.NDArray[np.float64]) -> list[int]:
    """Return a line as one flat list of integers: the first place, then differences; equal neighbours are merged.

    Parameters
    ----------
    lonlat
        Degrees, shape (n, 2).

    Returns
    -------
    list of int
        x, y, dx, dy, dx, dy, …
    """
    whole = np.rint(np.asarray(lonlat, float)[:, :2] * SCALE).astype(np.int64)
    steps = np.diff(whole, axis=0, prepend=np.zeros((1, 2), np.int64))
    kept = (steps != 0).any(axis=1)
    kept[0] = True
    return [int(number) for number in steps[kept].ravel()]


def encode_points(lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> list[int]:
    """Return points as one flat list of integers: the first place, then differences, none merged.

    Parameters
    ----------
    lon, lat
        Degrees, shape (n,).

    Returns
    -------
    list of int
        x, y, dx, dy, dx, dy, …
    """
    whole = np.rint(np.column_stack([lon, lat]) * SCALE).astype(np.int64)
    return [int(number) for number in np.diff(whole, axis=0, prepend=np.zeros((1, 2), np.int64)).ravel()]


def encode_polygons(shape: Any) -> list[list[list[int]]]:
    """Return the polygons of a shape in degrees as lists of encoded rings; other parts are left out.

    Parameters
    ----------
    shape
        A shapely geometry.

    Returns
    -------
    list
        One list of rings a polygon, the outer ring first.
    """
    import shapely

    out = []
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon" and not part.is_empty:
            rings = [part.exterior, *part.interiors]
            out.append([encode_line(shapely.get_coordinates(ring)) for ring in rings])
    return out


def simplified(shapes: gpd.GeoSeries, tolerance_m: float, crs: Any) -> gpd.GeoSeries:
    """Return polygons with fewer vertices, in EPSG:4326; no part vanishes.

    Parameters
    ----------
    shapes
        Polygons in any CRS.
    tolerance_m
        How far a drawn edge may lie from the true one, m.
    crs
        A projected CRS in metres to do it in.

    Returns
    -------
    GeoSeries
        In EPSG:4326.
    """
    return shapes.to_crs(crs).simplify(tolerance_m, preserve_topology=True).to_crs("EPSG:4326")


def ground_covered(
    today: gpd.GeoSeries, planned: gpd.GeoSeries | None, tolerance_m: float, crs: Any
) -> tuple[Any, Any]:
    """Return what circles cover together today, and what those of a plan add to it; for drawing only.

    Parameters
    ----------
    today
        The circles of the facilities, in any CRS.
    planned
        The circles of the plan's sites, in any CRS; None without a plan.
    tolerance_m
        How far a drawn edge may lie from the true one, m.
    crs
        A projected CRS in metres to do it in.

    Returns
    -------
    tuple of shapely geometry
        Two geometries in EPSG:4326, empty where there is nothing.
    """
    import geopandas as gpd
    import shapely

    def union(circles: gpd.GeoSeries) -> Any:
        coarse = circles.to_crs(crs).simplify(tolerance_m / 2, preserve_topology=True)
        return shapely.union_all(np.asarray(coarse.array))

    now = union(today)
    added = shapely.Polygon() if planned is None else shapely.difference(union(planned), now)
    # slivers that simplifying leaves between two edges of one circle are no ground gained
    added = added.buffer(-tolerance_m / 2).buffer(tolerance_m / 2)
    drawn = gpd.GeoSeries([now, added], crs=crs).simplify(tolerance_m / 2).to_crs("EPSG:4326")
    return drawn.iloc[0], drawn.iloc[1]


def road_lines(
    network: RoadNetwork, bounds: tuple[float, float, float, float], *, most_vertices: int = 60_000
) -> list[npt.NDArray[np.float64]]:
    """Return the streets near the study as few long lines in degrees, for drawing only.

    Both directions of a street are drawn once. The tolerance grows until the drawing is small.

    Parameters
    ----------
    network
        The road network.
    bounds
        West, south, east, north of what is shown, degrees.
    most_vertices
        How many vertices the drawing should not exceed.

    Returns
    -------
    list of array
        Lon and lat of each line, shape (k, 2).
    """
    import pyproj
    import shapely

    if not len(network.u):
        return []
    to_degrees = pyproj.Transformer.from_crs(network.crs, "EPSG:4326", always_xy=True)
    owner = np.repeat(np.arange(len(network.u)), np.diff(network.geometry_offsets))
    lines = shapely.linestrings(network.geometry_xy, indices=owner)
    west, south, east, north = bounds
    grown = (west - _MARGIN_DEGREES, south - _MARGIN_DEGREES, east + _MARGIN_DEGREES, north + _MARGIN_DEGREES)
    window = shapely.box(*to_degrees.transform_bounds(*grown, direction="INVERSE"))
    pairs = np.sort(np.column_stack([network.u, network.v]), axis=1)
    _, first = np.unique(np.column_stack([pairs, network.length_mm // 1000]), axis=0, return_index=True)
    chosen = lines[np.sort(first)]
    chosen = chosen[shapely.intersects(chosen, window)]
    if not len(chosen):
        return []
    merged = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(chosen)))
    tolerance = _ROAD_TOLERANCE_M
    drawn = shapely.simplify(merged, tolerance)
    while shapely.get_num_coordinates(drawn).sum() > most_vertices and tolerance < 64:
        tolerance *= 2
        drawn = shapely.simplify(merged, tolerance)
        drawn = drawn[shapely.length(drawn) > 2 * tolerance]
    return [np.column_stack(to_degrees.transform(*shapely.get_coordinates(line).T)) for line in drawn]


def thin_points(
    lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64], mark: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return points for drawing: those at one drawn spot with one mark once, on a coarser grid when they are many.

    Parameters
    ----------
    lon, lat
        Degrees, shape (n,).
    mark
        What tells points apart, 0 to 3, shape (n,).

    Returns
    -------
    tuple of array
        Lon, lat and mark of the points to draw.
    """
    cell = 1
    while True:
        # one whole number a spot: 26 bits of longitude, 26 of latitude, 2 of mark
        x = np.rint((lon + 180) * SCALE / cell).astype(np.int64)
        y = np.rint((lat + 90) * SCALE / cell).astype(np.int64)
        spots = np.unique((x << 28) | (y << 2) | mark)
        if len(spots) <= _POINTS:
            x, y = spots >> 28, (spots >> 2) & (2**26 - 1)
            return x * cell / SCALE - 180, y * cell / SCALE - 90, spots & 3
        cell *= 2
