"""Straight lines between places on the earth: what a map with a ruler would have said."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]

_A_M = 6_378_137.0  # WGS 84
_E2 = 6.69437999014e-3
_MEAN_RADIUS_M = 6_371_008.8


def earth_xyz(lon: Floats, lat: Floats) -> Floats:
    """Return places as points in space, m, shape (n, 3).

    Up to 10 km the chord between two of them is shorter than the geodesic by less than a millimetre, so that nearness
    needs no projection and no zone.

    Parameters
    ----------
    lon, lat
        Degrees, WGS 84, shape (n,).

    Returns
    -------
    ndarray
        Earth-centred coordinates.
    """
    east, north = np.radians(lon), np.radians(lat)
    normal = _A_M / np.sqrt(1 - _E2 * np.sin(north) ** 2)
    return np.column_stack(
        [
            normal * np.cos(north) * np.cos(east),
            normal * np.cos(north) * np.sin(east),
            normal * (1 - _E2) * np.sin(north),
        ]
    )


def straight_m(homes: Floats, places: Floats) -> Floats:
    """Return the straight-line distance from every home to the nearest place.

    Parameters
    ----------
    homes, places
        Points in space, as `earth_xyz` gives them, shapes (n, 3) and (m, 3).

    Returns
    -------
    ndarray
        Metres along the ground, shape (n,); inf where there is no place at all.
    """
    if len(places) == 0 or len(homes) == 0:
        return np.full(len(homes), np.inf)
    chord, _ = cKDTree(places).query(homes)
    along: Floats = 2 * _MEAN_RADIUS_M * np.arcsin(np.minimum(chord / (2 * _MEAN_RADIUS_M), 1.0))
    return along
