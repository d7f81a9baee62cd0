"""Whether geometries can be worked with: every coordinate finite and of some place, nothing nested without end."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

LARGEST_COORDINATE = 1e9
"""No coordinate system in metres or degrees has figures beyond this; areas of larger ones overflow."""
DEEPEST_SHAPE = 1000
"""Collections within collections that a geometry may have: GDAL follows 32, and reading 100,000 ends the process."""
_COLLECTION_BYTES = 9
_COLLECTIONS = frozenset({4, 5, 6, 7, 9, 10, 11, 12, 15, 16})
"""Kinds of well-known binary whose parts are geometries with a header of their own."""
_BUNDLES = {
    4: shapely.multipoints,
    5: shapely.multilinestrings,
    6: shapely.multipolygons,
    7: shapely.geometrycollections,
}
_RINGED = frozenset({3, 17})
"""Kinds whose parts are rings: polygons and triangles."""


def strange_coordinates(shapes: NDArray[np.object_]) -> dict[int, str]:
    """Return where geometries have a coordinate that is not finite or beyond any place, and the first such of each.

    Heights do not count: they are dropped.

    Parameters
    ----------
    shapes
        Geometries, None where there is none, shape (n,).

    Returns
    -------
    dict
        The vertex in words, by position.
    """
    return _first_beyond(shapes, LARGEST_COORDINATE, LARGEST_COORDINATE)


def off_earth(shapes: NDArray[np.object_]) -> dict[int, str]:
    """Return where geometries have a vertex that is no longitude and latitude, and the first such of each.

    Parameters
    ----------
    shapes
        Geometries in degrees, None where there is none, shape (n,).

    Returns
    -------
    dict
        The vertex in words, by position.
    """
    return _first_beyond(shapes, 180.0, 90.0)


def _first_beyond(shapes: NDArray[np.object_], x: float, y: float) -> dict[int, str]:
    xy, index = shapely.get_coordinates(shapes, return_index=True)
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero(~((np.abs(xy[:, 0]) <= x) & (np.abs(xy[:, 1]) <= y)))
    positions, first = np.unique(index[wrong], return_index=True)
    return {
        int(position): f"{xy[vertex, 0]:g}, {xy[vertex, 1]:g}"
        for position, vertex in zip(positions, wrong[first], strict=True)
    }


def mend_shapes(shapes: NDArray[np.object_]) -> list[int]:
    """Mend, in place, shapes that cross themselves, and return which they were.

    Parameters
    ----------
    shapes
        Geometries with finite coordinates, None where there is none, shape (n,).
    """
    broken = np.flatnonzero(~shapely.is_missing(shapes) & ~shapely.is_valid(shapes))
    shapes[broken] = shapely.make_valid(shapes[broken])
    return [int(position) for position in broken]


def areas_of(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return the areas among geometries: polygons as they stand, of collections their polygons; None where none is.

    Parameters
    ----------
    shapes
        Valid geometries, None where there is none, shape (n,).
    """
    kinds = shapely.get_type_id(shapes)
    areas = shapes.copy()
    areas[~np.isin(kinds, (3, 6))] = None
    for position in np.flatnonzero(kinds == 7):
        parts = _simple_parts(shapes[position])
        kept = parts[shapely.get_type_id(parts) == 3]
        areas[position] = shapely.union_all(kept) if len(kept) else None
    return areas


def drop_empty_parts(shapes: NDArray[np.object_]) -> None:
    """Leave out, in place, the parts of geometries that are nothing: GEOS finds no point in a shape that has one.

    Parameters
    ----------
    shapes
        Geometries in two dimensions, None where there is none, shape (n,).
    """
    kinds = shapely.get_type_id(shapes)
    parts, index = shapely.get_parts(shapes, return_index=True)
    hollow = np.unique(index[shapely.is_empty(parts)])
    for position in np.union1d(hollow, np.flatnonzero(kinds == 7)):
        kept = _simple_parts(shapes[position])
        if kinds[position] > 3:
            shapes[position] = _BUNDLES[int(kinds[position])](kept) if len(kept) else None


def _simple_parts(shape: object) -> NDArray[np.object_]:
    """Return the points, lines and polygons that a geometry is made of, however nested."""
    parts = shapely.get_parts([shape])
    while (bundled := shapely.get_type_id(parts) > 3).any():
        parts = np.concatenate([parts[~bundled], shapely.get_parts(parts[bundled])])
    kept: NDArray[np.object_] = parts[~shapely.is_empty(parts)]
    return kept


def shapes_from_wkb(values: Sequence[object]) -> NDArray[np.object_]:
    """Return geometries from well-known binary; None where there is none, or it is no such thing.

    Parameters
    ----------
    values
        Bytes, or None where there is no geometry.

    Returns
    -------
    ndarray
        Geometries, dtype object, shape (n,).
    """
    blobs = np.full(len(values), None, dtype=object)
    for position, value in enumerate(values):
        if isinstance(value, bytes) and not _is_bottomless(value):
            blobs[position] = value
    with np.errstate(invalid="ignore"):
        shapes: NDArray[np.object_] = shapely.from_wkb(blobs, on_invalid="ignore")
    return shapes


def _is_bottomless(blob: bytes) -> bool:
    """Tell whether collections nest deeper than DEEPEST_SHAPE; what is broken otherwise, the reader says."""
    if len(blob) < _COLLECTION_BYTES * DEEPEST_SHAPE:
        return False
    place, left = 0, [1]
    try:
        while left and place < len(blob):
            if left[-1] == 0:
                left.pop()
                continue
            left[-1] -= 1
            parts, place = _step(blob, place)
            if parts is not None:
                left.append(parts)
            if len(left) > DEEPEST_SHAPE:
                return True
    except struct.error:
        return False
    return False


def _step(blob: bytes, place: int) -> tuple[int | None, int]:
    """Return how many parts the geometry at a place has, ``None`` for a simple one, and where what follows begins."""
    order = "<" if blob[place] == 1 else ">"
    (kind,) = struct.unpack_from(f"{order}I", blob, place + 1)
    place += 9 if kind & 0x20000000 else 5
    plain, iso = (kind & 0xFFFF) % 1000, (kind & 0xFFFF) // 1000
    size = 8 * (2 + max(bool(kind & 0x80000000) + bool(kind & 0x40000000), (0, 1, 1, 2)[min(iso, 3)]))
    if plain == 1:
        return None, place + size
    (count,) = struct.unpack_from(f"{order}I", blob, place)
    place += 4
    if plain in _COLLECTIONS:
        return count, place
    if plain not in _RINGED:
        return None, place + count * size
    for _ in range(count):
        (vertices,) = struct.unpack_from(f"{order}I", blob, place)
        place += 4 + vertices * size
    return None, place
