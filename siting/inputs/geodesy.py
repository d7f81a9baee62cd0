"""Lengths on the WGS 84 ellipsoid, for whole arrays at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj
import shapely

ELLIPSOID = pyproj.Geod(ellps="WGS84")


def distances_m(
    lon: npt.NDArray[np.float64],
    lat: npt.NDArray[np.float64],
    other_lon: npt.NDArray[np.float64],
    other_lat: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Return the geodesic distance of each pair of points, m.

    Parameters
    ----------
    lon, lat
        The first points, degrees, shape (n,).
    other_lon, other_lat
        The second points, degrees, shape (n,).
    """
    return np.asarray(ELLIPSOID.inv(lon, lat, other_lon, other_lat)[2], np.float64)


def line_lengths_m(lines: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the geodesic length of each line, m.

    Parameters
    ----------
    lines
        LineStrings in longitude and latitude, shape (n,).
    """
    coords, line = shapely.get_coordinates(lines, return_index=True)
    return vertex_lengths_m(coords, line, len(lines))


def vertex_lengths_m(
    coords: npt.NDArray[np.float64], line: npt.NDArray[np.int64], count: int
) -> npt.NDArray[np.float64]:
    """Return the geodesic length of each of ``count`` lines, m, from all their vertices in order.

    Parameters
    ----------
    coords
        Longitude and latitude of the vertices, shape (k, 2).
    line
        The line each vertex belongs to, non-decreasing, shape (k,).
    count
        How many lines there are.
    """
    joined = line[1:] == line[:-1]
    start, end = coords[:-1][joined], coords[1:][joined]
    pieces = distances_m(start[:, 0], start[:, 1], end[:, 0], end[:, 1])
    return np.bincount(line[1:][joined], weights=pieces, minlength=count).astype(np.float64)


def utm_crs(bounds: npt.NDArray[np.float64]) -> pyproj.CRS:
    """Return the UTM zone (WGS 84) of the middle of a box, in which lengths are true to 1 in 1,000 across a county.

    Parameters
    ----------
    bounds
        West, south, east and north, degrees.
    """
    west, south, east, north = bounds
    zone = min(int(((west + east) / 2 + 180) // 6) + 1, 60)
    return pyproj.CRS.from_epsg((32600 if south + north >= 0 else 32700) + zone)
