"""A community's households spread over the places where they live: demand points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from siting.errors import InputError
from siting.inputs.place_rows import rows_by_place
from siting.standards import Standard
from siting.text import Text

Geometry: TypeAlias = shapely.Geometry
GRID_M = 100.0
"""Side of the cells over which an urban community's households are spread where no buildings are known."""


@dataclass(frozen=True, slots=True)
class DemandPoints:
    """Where the households are.

    Parameters
    ----------
    lon, lat
        Places, degrees, WGS 84, shape (n,).
    community
        Row number in the communities table of each point, non-decreasing, shape (n,).
    households
        Households at each point, ≥ 0, shape (n,); over a community they add up to its households.
    method
        How each community's households were spread, one word a community: ``"boundary_buildings"``, ``"grid"``
        or ``"point"``.

    Raises
    ------
    InputError
        If the shapes differ, ``community`` decreases, or households are negative or not finite.
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    community: NDArray[np.int64]
    households: NDArray[np.float64]
    method: tuple[str, ...]

    def __post_init__(self) -> None:
        sizes = {len(self.lon), len(self.lat), len(self.community), len(self.households)}
        if len(sizes) != 1 or (np.diff(self.community) < 0).any():
            raise InputError(
                Text(
                    "需求点的各列须等长，且按社区行号排列。",
                    "the columns of demand points must be of one length and ordered by community row.",
                )
            )
        if not (np.isfinite(self.households) & (self.households >= 0)).all():
            raise InputError(
                Text("需求点的户数须为不小于 0 的数。", "households of demand points must be finite numbers ≥ 0.")
            )

    def __len__(self) -> int:
        return len(self.households)

    @property
    def points(self) -> gpd.GeoSeries:
        """The places as points in EPSG:4326."""
        return gpd.GeoSeries(gpd.points_from_xy(self.lon, self.lat), crs="EPSG:4326")


def spread_households(
    communities: gpd.GeoDataFrame,
    boundaries: gpd.GeoDataFrame | None,
    buildings: gpd.GeoDataFrame | None,
    standard: Standard,
) -> DemandPoints:
    """Return the places where each community's households are.

    Households are spread over the buildings whose inner point lies in the community's boundary, in proportion to
    their dwellings where given, else to footprint × floors / ``m2_per_dwelling``; buildings said not to be homes are
    left out. A building in two boundaries counts for the smaller. Without buildings, an urban community's
    households are spread over a grid of its boundary; a rural one's stay at its point, for its boundary is mostly
    fields. Without a boundary they stay at the point. A community with no households has one point with 0.

    Parameters
    ----------
    communities
        ``community_id``, ``area_type``, ``households`` and points.
    boundaries
        Polygons with ``community_id``, or None.
    buildings
        Polygons or points with ``floors``, ``dwellings``, ``residential`` (each may be NaN or NA), or None.
    standard
        Gives ``floors_per_building`` and ``m2_per_dwelling`` where a building says neither.

    Returns
    -------
    DemandPoints
        In WGS84; each community's points add up to its households, a whole number, exactly to 1e-9.
    """
    places = communities.geometry.to_crs(4326)
    ids = communities["community_id"].to_numpy()
    homes = _homes(buildings, standard)
    shapes = _polygons(ids, boundaries)
    households = communities["households"].to_numpy(dtype=float)
    inside = _assign(homes, shapes, rows_by_place(places.to_numpy(), households))
    urban = communities["area_type"].to_numpy() == "urban"
    lon: list[NDArray[np.float64]] = []
    lat: list[NDArray[np.float64]] = []
    share: list[NDArray[np.float64]] = []
    method: list[str] = []
    for row in range(len(communities)):
        xy, weights, how = _spread_one(shapes[row], homes, inside[row], bool(urban[row]), households[row])
        if how == "point":
            xy, weights = np.array([[places.iloc[row].x, places.iloc[row].y]]), np.ones(1)
        lon.append(xy[:, 0])
        lat.append(xy[:, 1])
        share.append(_divide(households[row], weights))
        method.append(how)
    counts = [len(each) for each in share]
    empty = np.zeros(0)
    return DemandPoints(
        lon=np.concatenate([empty, *lon]),
        lat=np.concatenate([empty, *lat]),
        community=np.repeat(np.arange(len(communities), dtype=np.int64), counts),
        households=np.concatenate([empty, *share]),
        method=tuple(method),
    )


@dataclass(frozen=True, slots=True)
class _Homes:
    """Buildings where people may live: an inner point and a weight in dwellings."""

    xy: NDArray[np.float64]
    weight: NDArray[np.float64]


def _homes(buildings: gpd.GeoDataFrame | None, standard: Standard) -> _Homes:
    if buildings is None or buildings.empty:
        return _Homes(np.zeros((0, 2)), np.zeros(0))
    lived_in = ~buildings["residential"].eq(False).fillna(False).to_numpy(dtype=bool)
    lived_in &= ~buildings.geometry.isna().to_numpy()
    homes = buildings[lived_in].to_crs(4326)
    if homes.empty:
        return _Homes(np.zeros((0, 2)), np.zeros(0))
    footprint = homes.to_crs(homes.estimate_utm_crs()).area.to_numpy()
    floors = homes["floors"].to_numpy(dtype=float)
    floors = np.where(np.isnan(floors), standard.value("floors_per_building"), floors)
    dwellings = homes["dwellings"].to_numpy(dtype=float)
    weight = np.where(np.isnan(dwellings), footprint * floors / standard.value("m2_per_dwelling"), dwellings)
    inner = shapely.point_on_surface(homes.geometry.to_numpy())
    order = rows_by_place(inner, weight)  # sums over homes are then the same to the last bit whatever the row order
    return _Homes(np.column_stack([shapely.get_x(inner), shapely.get_y(inner)])[order], weight[order])


def _polygons(ids: NDArray[np.object_], boundaries: gpd.GeoDataFrame | None) -> list[Geometry | None]:
    """Return each community's boundary, its parts joined, or None."""
    parts: dict[str, list[Geometry]] = {}
    if boundaries is not None:
        shapes = boundaries.geometry.to_crs(4326).to_numpy()
        for community, shape in zip(boundaries["community_id"], shapes, strict=True):
            if shape is not None:
                parts.setdefault(community, []).append(shape)
    joined = {key: shapes[0] if len(shapes) == 1 else shapely.union_all(shapes) for key, shapes in parts.items()}
    return [joined.get(community) for community in ids]


def _assign(
    homes: _Homes, shapes: list[Geometry | None], community_order: NDArray[np.int64]
) -> list[NDArray[np.int64]]:
    """Return the buildings of each community; one in several boundaries goes to the smallest, else by place."""
    count = len(shapes)
    have = np.array([row for row in community_order if shapes[row] is not None], dtype=np.int64)
    if not len(have) or not len(homes.weight):
        return [np.zeros(0, dtype=np.int64)] * count
    own = smallest_around(shapely.points(homes.xy), np.array([shapes[row] for row in have]))
    home = np.flatnonzero(own >= 0)
    community = have[own[home]]
    order = np.argsort(community, kind="stable")
    return np.split(home[order], np.searchsorted(community[order], np.arange(1, count)))


def smallest_around(points: NDArray[np.object_], shapes: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return the number of the smallest shape that each point lies in, the first of equal ones; -1 where there is none.

    Parameters
    ----------
    points
        Points, shape (n,).
    shapes
        Polygons in the same coordinates, shape (m,); None is no shape.
    """
    point, shape = shapely.STRtree(shapes).query(points, predicate="intersects")
    order = np.lexsort((shape, shapely.area(shapes)[shape], point))
    point, shape = point[order], shape[order]
    found = np.full(len(points), -1, dtype=np.int64)
    first = np.flatnonzero(np.diff(point, prepend=-1))
    found[point[first]] = shape[first]
    return found


def _spread_one(
    shape: Geometry | None, homes: _Homes, inside: NDArray[np.int64], urban: bool, households: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
    nothing = (np.zeros((0, 2)), np.zeros(0), "point")
    if households == 0 or shape is None:
        return nothing
    inside = inside[homes.weight[inside] > 0]
    if len(inside):
        return homes.xy[inside], homes.weight[inside], "boundary_buildings"
    if not urban:
        return nothing
    cells = _grid(shape)
    return (cells, np.ones(len(cells)), "grid") if len(cells) else nothing


def _grid(shape: Geometry) -> NDArray[np.float64]:
    """Return the centres, inside a polygon, of square cells of GRID_M; none where it is smaller than a cell."""
    west, south, east, north = shapely.bounds(shape)
    step_lat = GRID_M / 111_320.0
    step_lon = step_lat / np.cos(np.radians((south + north) / 2))
    lon, lat = np.meshgrid(
        np.arange(np.floor(west / step_lon), np.ceil(east / step_lon)) * step_lon + step_lon / 2,
        np.arange(np.floor(south / step_lat), np.ceil(north / step_lat)) * step_lat + step_lat / 2,
    )
    cells = np.column_stack([lon.ravel(), lat.ravel()])
    inside: NDArray[np.float64] = cells[shapely.contains_xy(shape, cells[:, 0], cells[:, 1])]
    return inside


def _divide(total: float, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a total divided in proportion to weights; the largest part takes what rounding leaves."""
    parts: NDArray[np.float64] = total * (weights / weights.sum())
    largest = int(np.argmax(parts))
    parts[largest] += total - math.fsum(parts)
    return parts
