"""Share of households in a circle, by service and by group, from distances that are ready."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from siting.coverage.places import Floats, Ints, Pairs, Places, nearest_two, pairs_of, places_of
from siting.coverage.straight import earth_xyz, straight_m
from siting.errors import InputError
from siting.inputs.households import DemandPoints
from siting.standards.model import AREA_TYPES, GROUPS, Standard
from siting.text import Text

if TYPE_CHECKING:
    from siting.network import Positions

COMPREHENSIVE = "comprehensive"


@dataclass(frozen=True, slots=True)
class NearestFacilities:
    """The nearest facility and the nearest one at another place, from every demand point, however far.

    ``distance_m`` float64 (n, 2), inf where there is none; ``facility`` int64 (n, 2), the row number in the
    facilities table, -1 where there is none.
    """

    distance_m: Floats
    facility: Ints


@dataclass(frozen=True, slots=True)
class Access:
    """Distances from homes to facilities, and where both stand on the network.

    Parameters
    ----------
    cost
        Distance from demand points to facility rows, m, shape (n, m); a pair that is not stored is beyond what was
        searched, a stored 0 is one spot.
    demand
        Where the households are.
    cutoff_m
        The circle of each demand point to the comprehensive facility, by the area type of its community, m,
        shape (n,); equal is covered.
    demand_positions, facility_positions
        Where both were snapped; None when the matrix was made elsewhere.
    nearest
        By service, the nearest facilities however far. A service that is not named here is taken from ``cost``, and
        what lies beyond it is inf.

    Raises
    ------
    InputError
        If the shapes of ``cost``, ``demand`` and ``cutoff_m`` do not fit.
    """

    cost: csr_array
    demand: DemandPoints
    cutoff_m: Floats
    demand_positions: Positions | None = None
    facility_positions: Positions | None = None
    nearest: Mapping[str, NearestFacilities] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.cost.shape[0] == len(self.demand) == len(self.cutoff_m):
            raise InputError(
                Text(
                    f"距离矩阵 {self.cost.shape[0]} 行，需求点 {len(self.demand)} 个，范围 {len(self.cutoff_m)} 个："
                    "三者须相同。",
                    f"{self.cost.shape[0]} rows of distances, {len(self.demand)} demand points and "
                    f"{len(self.cutoff_m)} cut-offs: the three must be the same.",
                )
            )


@dataclass(frozen=True, slots=True)
class ServiceAccess:
    """How homes reach one service; everything by demand point.

    ``nearest`` as `NearestFacilities`; ``straight_m`` the straight line to the nearest; ``pairs`` the distances to all
    places within what was searched; ``cutoff_m`` the circle of each home for all its households, ``covered`` and
    ``covered_straight`` who is inside it on the network and by the straight line.
    """

    service: str
    places: Places
    pairs: Pairs
    nearest: NearestFacilities
    straight_m: Floats
    cutoff_m: Floats
    covered: NDArray[np.bool_]
    covered_straight: NDArray[np.bool_]

    @property
    def recorded(self) -> bool:
        """Whether having no place in the table means that there is none: so for the comprehensive facility alone."""
        return len(self.places) > 0 or self.service == COMPREHENSIVE


def demand_at_communities(communities: gpd.GeoDataFrame) -> DemandPoints:
    """Return one demand point a community, at its own place, with all its households.

    Parameters
    ----------
    communities
        The communities table.

    Returns
    -------
    DemandPoints
        In the order of the table.
    """
    points = communities.geometry.to_crs("EPSG:4326")
    return DemandPoints(
        lon=points.x.to_numpy(dtype=np.float64),
        lat=points.y.to_numpy(dtype=np.float64),
        community=np.arange(len(communities), dtype=np.int64),
        households=communities["households"].to_numpy(dtype=np.float64),
        method=("point",) * len(communities),
    )


def whole_mm(distance_m: Floats) -> Floats:
    """Return distances in whole millimetres, as floats so that inf stays inf; verdicts compare these."""
    return np.rint(distance_m * 1000.0)


def is_covered(distance_m: Floats, cutoff_m: Floats) -> NDArray[np.bool_]:
    """Return whether each home is covered: not farther than its cut-off, compared in whole millimetres.

    Equal is covered; an infinite distance never is.

    Parameters
    ----------
    distance_m
        Distance to the nearest facility, m, inf where there is none.
    cutoff_m
        The circle of each home, m.

    Returns
    -------
    ndarray
        Booleans.
    """
    return whole_mm(distance_m) <= whole_mm(cutoff_m)


def cutoffs_m(
    communities: pd.DataFrame,
    demand: DemandPoints,
    standard: Standard,
    *,
    service: str = COMPREHENSIVE,
    group: str = "households",
) -> Floats:
    """Return the circle of every demand point, by the area type of its community.

    Parameters
    ----------
    communities
        The communities table.
    demand
        Where the households are.
    standard
        The standard that draws the circles.
    service
        A service id.
    group
        ``"households"``, ``"elderly"``, ``"minors"`` or ``"disabled"``.

    Returns
    -------
    ndarray
        Metres along the network, shape (n,).
    """
    urban_m, rural_m = (standard.cutoff_m(name, service=service, group=group) for name in AREA_TYPES)
    return np.where(_rural(communities), rural_m, urban_m)[demand.community]


def _rural(communities: pd.DataFrame) -> NDArray[np.bool_]:
    return communities["area_type"].eq("rural").to_numpy(dtype=bool)


def measure_services(
    access: Access,
    communities: pd.DataFrame,
    facilities: gpd.GeoDataFrame,
    services: Iterable[str],
    standard: Standard,
) -> dict[str, ServiceAccess]:
    """Return how every home reaches each of some services.

    Parameters
    ----------
    access
        Distances from homes to facilities.
    communities, facilities
        The tables.
    services
        Service ids.
    standard
        The standard that draws the circles.

    Returns
    -------
    dict
        By service.
    """
    points = facilities.geometry.to_crs("EPSG:4326")
    homes = earth_xyz(access.demand.lon, access.demand.lat)
    stands = earth_xyz(points.x.to_numpy(dtype=np.float64), points.y.to_numpy(dtype=np.float64))
    found = {}
    for service in services:
        places = places_of(facilities, service)
        cutoff = cutoffs_m(communities, access.demand, standard, service=service)
        straight = straight_m(homes, stands[places.column])
        found[service] = _measure_service(access, service, places, straight, cutoff)
    return found


def _measure_service(access: Access, service: str, places: Places, straight: Floats, cutoff: Floats) -> ServiceAccess:
    """Return how every home reaches one service, from the measured nearest or else from the matrix."""
    pairs = pairs_of(access.cost, places)
    nearest = access.nearest.get(service)
    if nearest is None:
        distance_m, place = nearest_two(pairs, len(access.demand))
        facility = np.where(place >= 0, places.first[place] if len(places) else -1, -1)
        nearest = NearestFacilities(distance_m, facility.astype(np.int64))
    return ServiceAccess(
        service,
        places,
        pairs,
        nearest,
        straight,
        cutoff,
        is_covered(nearest.distance_m[:, 0], cutoff),
        is_covered(straight, cutoff),
    )


def group_sizes(communities: pd.DataFrame, demand: DemandPoints, group: str) -> Floats:
    """Return how many of a group live at each demand point.

    People of a group are spread over a community as its households are.

    Parameters
    ----------
    communities
        The communities table.
    demand
        Where the households are.
    group
        ``"households"``, ``"elderly"``, ``"minors"`` or ``"disabled"``.

    Returns
    -------
    ndarray
        Households, or persons, shape (n,); NaN where the community does not say.
    """
    if group == "households":
        return demand.households
    n = len(communities)
    total = np.bincount(demand.community, weights=demand.households, minlength=n)
    points = np.bincount(demand.community, minlength=n)
    here = demand.community
    with np.errstate(invalid="ignore", divide="ignore"):
        part = np.where(total[here] > 0, demand.households / total[here], 1.0 / points[here])
    return communities[group].to_numpy(dtype=np.float64)[here] * part


def _m_per_min(standard: Standard, group: str) -> float:
    """Return how far a group walks in a minute, m."""
    own = group if group in ("elderly", "disabled") else "walking"
    return standard.value(f"{own}_speed_kmh") * 1000 / 60


def service_table(
    reached: Mapping[str, ServiceAccess], communities: pd.DataFrame, demand: DemandPoints, standard: Standard
) -> pd.DataFrame:
    """Return the share of each group within the circle of each service, for town, country and both.

    Parameters
    ----------
    reached
        By service, how homes reach it.
    communities
        The communities table.
    demand
        Where the households are.
    standard
        The standard that draws the circles.

    Returns
    -------
    DataFrame
        One row an area type (or ``"all"``), service and group: ``places`` of the service; ``households`` (persons, for
        a group of persons) in all and ``reached``; ``reached_share`` and ``straight_line_share``, NaN without anybody,
        and NaN like ``reached`` where the facilities table has no place of a service other than the comprehensive one;
        ``median_m`` to the nearest and ``median_min`` at the group's own pace, NaN when half of them reach none;
        ``cutoff_m``, NaN where several hold;
        ``communities_unknown``, those that do not say how many of the group they have, and are left out.
    """
    rural = _rural(communities)[demand.community]
    kinds = zip(AREA_TYPES, (~rural, rural), strict=True)
    masks = {"all": np.ones(len(demand), dtype=bool), **{name: mask for name, mask in kinds if mask.any()}}
    sizes = {group: group_sizes(communities, demand, group) for group in GROUPS}
    unknown = {
        (kind, group): len(np.unique(demand.community[mask & np.isnan(size)]))
        for kind, mask in masks.items()
        for group, size in sizes.items()
    }
    rows = []
    for service, one in reached.items():
        name = standard.service(service).name
        order = np.argsort(one.nearest.distance_m[:, 0], kind="stable")
        for group, size in sizes.items():
            urban_m, rural_m = (standard.cutoff_m(kind, service=service, group=group) for kind in AREA_TYPES)
            cutoff = np.where(rural, rural_m, urban_m)
            for kind, mask in masks.items():
                limits = {"all": {urban_m, rural_m}, "urban": {urban_m}, "rural": {rural_m}}[kind]
                rows.append(
                    {
                        "area_type": kind,
                        "service": service,
                        "service_zh": name.zh,
                        "service_en": name.en,
                        "group": group,
                        "places": len(one.places),
                        **_reached_of(one, np.where(mask, np.nan_to_num(size, nan=0.0), 0.0), cutoff, order),
                        "cutoff_m": limits.pop() if len(limits) == 1 else np.nan,
                        "communities_unknown": unknown[kind, group],
                    }
                )
    table = pd.DataFrame(rows)
    pace = table["group"].map({group: _m_per_min(standard, group) for group in GROUPS})
    return table.assign(median_min=table["median_m"] / pace)


def _reached_of(one: ServiceAccess, weight: Floats, cutoff_m: Floats, order: Ints) -> dict[str, float]:
    """Return how many of a group reach a service and how far the median one has to go; ``order`` is by distance."""
    total = float(weight.sum())
    by_network = float(weight[is_covered(one.nearest.distance_m[:, 0], cutoff_m)].sum()) if one.recorded else np.nan
    by_ruler = float(weight[is_covered(one.straight_m, cutoff_m)].sum()) if one.recorded else np.nan
    median_m = np.nan
    if total > 0:
        running = np.cumsum(weight[order])
        half = np.searchsorted(running, running[-1] / 2 * (1 - 1e-12))
        median_m = float(one.nearest.distance_m[order[half], 0])
    return {
        "households": total,
        "reached": by_network,
        "reached_share": by_network / total if total > 0 else np.nan,
        "straight_line_share": by_ruler / total if total > 0 else np.nan,
        "median_m": median_m if np.isfinite(median_m) else np.nan,
    }
