"""GCJ-02, BD-09 and CGCS2000 -> WGS84, and the check that finds a wrong datum.

Chinese web maps shift every place by some hundred metres (GCJ-02), Baidu's by some more (BD-09). The shift has no
published inverse; the one-step inverse that is often used is wrong by metres. Here the inverse is a fixed point:
the place whose shift lands on the given one, to INVERSE_TOLERANCE_DEG.
CGCS2000 and WGS84 differ by centimetres and are taken as one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from siting.errors import InputError
from siting.text import Text

if TYPE_CHECKING:
    pass

Floats = NDArray[np.float64]
DATUMS = ("wgs84", "cgcs2000", "gcj02", "bd09")
INVERSE_TOLERANCE_DEG = 1e-10
"""The inverse stops when a further step moves no place by more than this; about 0.01 mm."""
INVERSE_STEPS = 30
"""Steps after which the inverse stops in any case; four or five are enough within China."""
_A = 6378245.0  # semi-major axis of Krasovsky 1940, m: the ellipsoid of the GCJ-02 shift
_EE = 0.00669342162296594323  # its first eccentricity squared
_X_PI = np.pi * 3000 / 180
_WEST, _EAST, _SOUTH, _NORTH = 72.004, 137.8347, 0.8293, 55.8271  # the shift is applied within this box


def to_wgs84(lon: ArrayLike, lat: ArrayLike, datum: str) -> tuple[Floats, Floats]:
    """Return places given in a datum as WGS84.

    Places outside the box around China in which the shift is applied stay where they are.

    Parameters
    ----------
    lon, lat
        Degrees, shape (n,); NaN stays NaN.
    datum
        ``wgs84``, ``cgcs2000``, ``gcj02`` or ``bd09``.

    Returns
    -------
    tuple
        Longitude and latitude in WGS84, degrees.

    Raises
    ------
    InputError
        If the datum is not one of the four.
    """
    lon, lat = np.array(lon, dtype=float), np.array(lat, dtype=float)
    check_datum_name(datum)
    if datum in {"wgs84", "cgcs2000"}:
        return lon, lat
    wgs_lon, wgs_lat = lon.copy(), lat.copy()
    for _ in range(INVERSE_STEPS):
        shifted_lon, shifted_lat = from_wgs84(wgs_lon, wgs_lat, datum)
        step_lon, step_lat = lon - shifted_lon, lat - shifted_lat
        wgs_lon += step_lon
        wgs_lat += step_lat
        if max(_largest(step_lon), _largest(step_lat)) <= INVERSE_TOLERANCE_DEG:
            break
    outside = ~_shifted(lon, lat)
    return np.where(outside, lon, wgs_lon), np.where(outside, lat, wgs_lat)


def from_wgs84(lon: ArrayLike, lat: ArrayLike, datum: str) -> tuple[Floats, Floats]:
    """Return WGS84 places in another datum.

    Parameters
    ----------
    lon, lat
        WGS84 degrees, shape (n,).
    datum
        ``wgs84``, ``cgcs2000``, ``gcj02`` or ``bd09``.

    Returns
    -------
    tuple
        Longitude and latitude in that datum, degrees.

    Raises
    ------
    InputError
        If the datum is not one of the four.
    """
    lon, lat = np.array(lon, dtype=float), np.array(lat, dtype=float)
    check_datum_name(datum)
    if datum in {"wgs84", "cgcs2000"}:
        return lon, lat
    shift_lon, shift_lat = _gcj02_shift(lon, lat)
    inside = _shifted(lon, lat)
    gcj_lon, gcj_lat = np.where(inside, lon + shift_lon, lon), np.where(inside, lat + shift_lat, lat)
    if datum == "gcj02":
        return gcj_lon, gcj_lat
    radius = np.hypot(gcj_lon, gcj_lat) + 0.00002 * np.sin(gcj_lat * _X_PI)
    angle = np.arctan2(gcj_lat, gcj_lon) + 0.000003 * np.cos(gcj_lon * _X_PI)
    return (
        np.where(inside, radius * np.cos(angle) + 0.0065, lon),
        np.where(inside, radius * np.sin(angle) + 0.006, lat),
    )


def check_datum_name(datum: str) -> str:
    """Return the name of a datum if it is one.

    Parameters
    ----------
    datum
        A name.

    Returns
    -------
    str
        The same name.

    Raises
    ------
    InputError
        If it is not ``wgs84``, ``cgcs2000``, ``gcj02`` or ``bd09``.
    """
    if datum not in DATUMS:
        listed = ", ".join(DATUMS)
        raise InputError(
            Text(f"不认识的坐标基准“{datum}”，可用：{listed}", f'unknown datum "{datum}"; use one of: {listed}')
        )
    return datum


def _largest(values: Floats) -> float:
    return float(np.nanmax(np.abs(values), initial=0.0)) if values.size and not np.isnan(values).all() else 0.0


def _shifted(lon: Floats, lat: Floats) -> NDArray[np.bool_]:
    return (lon >= _WEST) & (lon <= _EAST) & (lat >= _SOUTH) & (lat <= _NORTH)


def _gcj02_shift(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Return the shift of GCJ-02 in degrees at WGS84 places."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    waves = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + waves
    north += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + waves
    east += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    radians = np.radians(lat)
    magic = 1.0 - _EE * np.sin(radians) ** 2
    shift_lat = north * 180.0 / ((_A * (1.0 - _EE)) / (magic * np.sqrt(magic)) * np.pi)
    shift_lon = east * 180.0 / (_A / np.sqrt(magic) * np.cos(radians) * np.pi)
    return shift_lon, shift_lat
