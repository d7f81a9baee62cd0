"""The rows of a table in the order of their places: what a tie goes by where ids and row numbers must not count."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import shapely


def rows_by_place(shapes: npt.NDArray[Any], *figures: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return the rows from west to east, then from south to north, then by the drawing and the figures.

    Rows that are the same in all of this may be exchanged for one another; they stay as they stand.

    Parameters
    ----------
    shapes
        Geometries, shape (n,); a missing or empty one comes last.
    figures
        Numbers of the rows, NaN where one is not known, shape (n,) each; what counts first comes first.
    """
    bounds = shapely.bounds(shapes)
    numbers = [np.asarray(column, dtype=np.float64) for column in figures]
    numbers = [part for column in numbers for part in (np.isnan(column), np.nan_to_num(column, nan=0.0))]
    order = np.lexsort([*numbers[::-1], _drawings(shapes, bounds), *bounds.T[::-1]])
    return order.astype(np.int64)


def _drawings(shapes: npt.NDArray[Any], bounds: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the rank of each drawing among those that fill the same box; points and what stands alone need none."""
    rank = np.zeros(len(shapes), dtype=np.int64)
    _, box, uses = np.unique(bounds, axis=0, return_inverse=True, return_counts=True)
    several = np.flatnonzero((uses[box.ravel()] > 1) & (shapely.get_type_id(shapes) > 0))
    drawn = shapely.to_wkb(shapes[several]).tolist()
    number = {drawing: at for at, drawing in enumerate(sorted(set(drawn)))}
    rank[several] = [number[drawing] for drawing in drawn]
    return rank
