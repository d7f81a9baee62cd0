"""Blind spots: homes outside every circle, grouped into patches and ranked by households."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from siting.coverage.access import NearestFacilities
from siting.coverage.places import Floats, Ints
from siting.coverage.straight import earth_xyz
from siting.inputs.households import DemandPoints

# Two uncovered homes are one patch when they stand within this share of the smaller of their circles: 300 m of a
# circle of 1,200 m, so that a patch is ground that one site, well placed, has a chance to serve.
PATCH_SHARE = 0.25
_DEGREE_M = 111_320.0  # of latitude, to within half a percent


def find_gaps(
    demand: DemandPoints,
    covered: NDArray[np.bool_],
    nearest: NearestFacilities,
    cutoff_m: Floats,
    communities: pd.DataFrame,
    facilities: pd.DataFrame,
) -> gpd.GeoDataFrame:
    """Return the patches of households outside every circle, the largest first.

    Homes within a quarter of their circle of each other, in a straight line, are one patch; one that is longer or wider
    than a circle is cut in halves until it is not. Places without households are no gap.

    Parameters
    ----------
    demand
        Where the households are.
    covered
        Which demand points are covered, shape (n,).
    nearest
        The nearest facility of each demand point.
    cutoff_m
        The circle of each demand point, m, shape (n,).
    communities, facilities
        The tables, for their ids.

    Returns
    -------
    GeoDataFrame
        EPSG:4326, one row a patch: ``gap_id``, ``rank``, ``households``, ``community_ids`` (joined by ``;``),
        ``nearest_facility_id`` and ``nearest_m`` of the home that has the least way to go, ``excess_m`` how much of
        that is beyond its circle, ``farthest_m`` of the home that has the most, NaN where no facility can be reached;
        ``geometry``, the homes (MultiPoint).
    """
    homes = np.flatnonzero(~covered & (demand.households > 0))
    if len(homes) == 0:
        return _no_gaps()
    patch = _linked(demand, homes, cutoff_m[homes])
    patch = _cut_to_circles(patch, demand.lon[homes], demand.lat[homes], cutoff_m[homes])
    patch, households = _by_size(patch, demand.households[homes], demand.lon[homes], demand.lat[homes])
    order = np.lexsort((nearest.distance_m[homes, 0], patch))
    homes, patch = homes[order], patch[order]
    first = np.searchsorted(patch, np.arange(len(households)))
    last = np.searchsorted(patch, np.arange(len(households)), side="right") - 1
    closest = homes[first]
    nearest_m = _finite(nearest.distance_m[closest, 0])
    facility = nearest.facility[closest, 0]
    ids = np.append(facilities["facility_id"].to_numpy().astype(object), "")
    points = shapely.points(demand.lon[homes], demand.lat[homes])
    rank = np.arange(1, len(households) + 1)
    return gpd.GeoDataFrame(
        {
            "gap_id": [f"G{k}" for k in rank],
            "rank": rank,
            "households": households,
            "community_ids": _joined_ids(patch, communities["community_id"].to_numpy()[demand.community[homes]]),
            "nearest_facility_id": ids[facility],
            "nearest_m": nearest_m,
            "excess_m": nearest_m - cutoff_m[closest],
            "farthest_m": _finite(nearest.distance_m[homes[last], 0]),
        },
        geometry=shapely.multipoints(points, indices=patch),
        crs="EPSG:4326",
    )


def _no_gaps() -> gpd.GeoDataFrame:
    words, number = pd.Series(dtype=object), pd.Series(dtype=np.float64)
    return gpd.GeoDataFrame(
        {
            "gap_id": words,
            "rank": pd.Series(dtype=np.int64),
            "households": number,
            "community_ids": words,
            "nearest_facility_id": words,
            "nearest_m": number,
            "excess_m": number,
            "farthest_m": number,
        },
        geometry=[],
        crs="EPSG:4326",
    )


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)


def _linked(demand: DemandPoints, homes: Ints, cutoff_m: Floats) -> Ints:
    """Return a patch number for each uncovered home: those linked by short enough straight lines."""
    spots, spot = np.unique(
        np.column_stack([demand.lon[homes], demand.lat[homes], cutoff_m]), axis=0, return_inverse=True
    )
    link_m = spots[:, 2] * PATCH_SHARE
    xyz = earth_xyz(spots[:, 0], spots[:, 1])
    pairs = cKDTree(xyz).query_pairs(float(link_m.max()), output_type="ndarray").astype(np.int32)
    length_m = np.linalg.norm(xyz[pairs[:, 0]] - xyz[pairs[:, 1]], axis=1)
    near = length_m <= np.minimum(link_m[pairs[:, 0]], link_m[pairs[:, 1]])
    links = coo_array((np.ones(near.sum()), (pairs[near, 0], pairs[near, 1])), shape=(len(spots), len(spots)))
    _, patch = connected_components(links, directed=False)
    return np.asarray(patch, dtype=np.int64)[spot.ravel()]


def _cut_to_circles(patch: Ints, lon: Floats, lat: Floats, cutoff_m: Floats) -> Ints:
    """Return patches none of which is longer or wider than the smallest circle in it is across."""
    place = np.column_stack([lon, lat]) * _DEGREE_M
    order = np.argsort(patch, kind="stable")
    waiting = np.split(order, np.flatnonzero(np.diff(patch[order])) + 1)
    number = np.empty(len(patch), dtype=np.int64)
    done = 0
    while waiting:
        rows = waiting.pop()
        low, high = place[rows].min(axis=0), place[rows].max(axis=0)
        size_m = (high - low) * [np.cos(np.radians((low + high)[1] / 2 / _DEGREE_M)), 1.0]
        axis = int(np.argmax(size_m))
        if size_m[axis] <= 2 * cutoff_m[rows].min():
            number[rows] = done
            done += 1
            continue
        nearer = place[rows, axis] <= (low + high)[axis] / 2
        waiting += [rows[nearer], rows[~nearer]]
    return number


def _by_size(patch: Ints, households: Floats, lon: Floats, lat: Floats) -> tuple[Ints, Floats]:
    """Return the patches numbered from the largest, and their households; of equal ones, the westernmost first."""
    total: Floats = np.zeros(patch.max() + 1)
    west, south = np.full((2, len(total)), np.inf)
    np.add.at(total, patch, households)
    np.minimum.at(west, patch, lon)
    np.minimum.at(south, patch, lat)
    order = np.lexsort((south, west, -np.round(total, 6)))
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order))
    return number[patch], total[order]


def _joined_ids(patch: Ints, community_id: NDArray[np.object_]) -> list[str]:
    pairs = pd.DataFrame({"patch": patch, "id": community_id.astype(str)}).drop_duplicates()
    pairs = pairs.sort_values(["patch", "id"])
    ids, first = pairs["id"].to_list(), np.flatnonzero(np.diff(pairs["patch"].to_numpy(), prepend=-1))
    return [";".join(ids[start:end]) for start, end in zip(first, [*first[1:], len(ids)], strict=True)]
