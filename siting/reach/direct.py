"""Straight walks between places so close that the road is no shorter than their off-road legs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyproj
from scipy.spatial import cKDTree

from siting.network.positions import Positions

_GEOD = pyproj.Geod(ellps="WGS84")
_ROUNDING_M = 0.01


def direct_walks(
    origins: Positions, destinations: Positions, *, walk: bool = True
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the pairs that may be walked straight: origin rows, destination rows, geodesic distance in whole mm.

    A pair qualifies when its straight line is no longer than the sum of its off-road legs; equal qualifies. Places that
    have no off-road leg stand on the road itself, and unroutable ones nowhere: they have no pairs.

    Parameters
    ----------
    origins, destinations
        Positions, shapes (n,) and (m,).
    walk
        Whether straight walks count; if not, only pairs at the same spot are returned.
    """
    leg_o, leg_d = origins.off_road_mm, destinations.off_road_mm
    rows, columns = np.flatnonzero(origins.routable), np.flatnonzero(destinations.routable)
    if len(rows) and len(columns):  # without an off-road leg at either end, the network itself gives the distance
        longest_o, longest_d = leg_o[rows].max(), leg_d[columns].max()
        rows = rows[leg_o[rows] + longest_d > 0]
        columns = columns[leg_d[columns] + longest_o > 0]
    if not len(rows) or not len(columns):
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int64)
    tree = cKDTree(_geocentric(destinations, columns))
    radius = (leg_o[rows] + leg_d[columns].max()) / 1000 if walk else np.zeros(len(rows))
    found = tree.query_ball_point(_geocentric(origins, rows), radius + _ROUNDING_M)
    counts = np.fromiter(map(len, found), np.int64, len(found))
    i = np.repeat(rows, counts)
    j = columns[np.concatenate(found).astype(np.int64)]
    if walk:  # a chord is never longer than the geodesic: drop what is far beyond before measuring
        i, j = _within_legs(origins, destinations, i, j)
    _, _, metres = _GEOD.inv(origins.lon[i], origins.lat[i], destinations.lon[j], destinations.lat[j])
    straight = np.rint(np.asarray(metres) * 1000).astype(np.int64)
    same = (origins.lon[i] == destinations.lon[j]) & (origins.lat[i] == destinations.lat[j])
    legs = leg_o[i] + leg_d[j]
    keep = (legs > 0) & (straight <= legs if walk else same)
    return i[keep], j[keep], np.where(same, 0, straight)[keep]


def _within_legs(
    origins: Positions, destinations: Positions, i: npt.NDArray[np.int64], j: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    chord = np.linalg.norm(_geocentric(origins, i) - _geocentric(destinations, j), axis=1)
    keep = chord <= (origins.off_road_mm[i] + destinations.off_road_mm[j]) / 1000 + _ROUNDING_M
    return i[keep], j[keep]


def _geocentric(places: Positions, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return places as points of space, m from the centre of the WGS 84 ellipsoid."""
    lon, lat = np.radians(places.lon[rows]), np.radians(places.lat[rows])
    across = _GEOD.a / np.sqrt(1 - _GEOD.es * np.sin(lat) ** 2)
    return np.column_stack(
        (across * np.cos(lat) * np.cos(lon), across * np.cos(lat) * np.sin(lon), across * (1 - _GEOD.es) * np.sin(lat))
    )
