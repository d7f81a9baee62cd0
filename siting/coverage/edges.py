"""Warnings where the data end: roads or facilities that stop within a circle of a community."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from siting.coverage.access import COMPREHENSIVE, Access
from siting.coverage.area_issues import some
from siting.coverage.places import Floats
from siting.errors import Issue
from siting.text import Text

if TYPE_CHECKING:
    from siting.network import RoadNetwork


def edge_warnings(
    communities: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    net: RoadNetwork,
    access: Access,
    in_reach: NDArray[np.object_],
    *,
    boundaries: gpd.GeoDataFrame | None = None,
) -> tuple[Issue, ...]:
    """Return a warning naming the communities of which the circle goes beyond the roads, or beyond the facilities.

    The roads end at the hull of the network's nodes; the facilities end at the hull of the comprehensive ones and of
    the boundaries, if any. More data can only bring more within reach: those not in reach are named first.

    Parameters
    ----------
    communities, facilities
        The tables.
    net
        The network.
    access
        Homes, circles and positions.
    in_reach
        The verdict on the reach of each community, one status each.
    boundaries
        Polygons of the communities, within which all facilities are taken to be in the table.

    Returns
    -------
    tuple
        Issues, at most one for the roads and one for the facilities.
    """
    homes = shapely.points(net.from_lonlat(access.demand.lon, access.demand.lat))
    comprehensive = facilities[(facilities["service"] == COMPREHENSIVE).to_numpy()]
    known = shapely.get_coordinates(comprehensive.geometry.to_crs(net.crs).to_numpy())
    if boundaries is not None:
        known = np.concatenate([known, shapely.get_coordinates(boundaries.geometry.to_crs(net.crs).to_numpy())])
    issues = []
    ends = ((net.xy, Text("道路", "the roads")), (known, Text("综合服务设施", "the comprehensive facilities")))
    for xy, what in ends:
        if len(xy) == 0:
            continue
        beyond = _reaches_beyond(homes, access.cutoff_m, xy) & (access.demand.households > 0)
        rows = np.unique(access.demand.community[beyond])
        if len(rows):
            issues.append(_edge_issue(what, communities["community_id"].to_numpy()[rows], in_reach[rows]))
    return tuple(issues)


def _reaches_beyond(homes: NDArray[np.object_], cutoff_m: Floats, xy: Floats) -> NDArray[np.bool_]:
    """Return which homes' circles, in a straight line, go beyond the hull of some points."""
    hull = shapely.convex_hull(shapely.multipoints(xy))
    shapely.prepare(hull)
    rim = shapely.boundary(hull) if shapely.get_dimensions(hull) == 2 else hull
    return ~shapely.contains(hull, homes) | (shapely.distance(homes, rim) < cutoff_m)


def _edge_issue(what: Text, ids: NDArray[np.object_], in_reach: NDArray[np.object_]) -> Issue:
    short = in_reach == "fail"
    named = [*sorted(ids[short].tolist()), *sorted(ids[~short].tolist())]
    return Issue(
        "warning",
        Text(
            f"{what.zh}数据在 {len(ids)} 个社区的生活圈内到了边缘，其中 {short.sum()} 个未达标，可能只因数据不全",
            f"{what.en} end within the circle of {len(ids)} communities; {short.sum()} of them are not in reach, "
            "perhaps only because the data end",
        ),
        Text("请补充边界以外一个生活圈范围内的数据", "add the data of one circle beyond the border"),
        column="community_id",
        value=some(named),
    )


def off_network_warnings(
    access: Access, communities: gpd.GeoDataFrame, facilities: gpd.GeoDataFrame
) -> tuple[Issue, ...]:
    """Return warnings naming the homes and facilities that no usable road is near: they reach and serve nobody.

    Parameters
    ----------
    access
        Homes, circles and positions; without positions nothing can be said.
    communities, facilities
        The tables, for their ids.

    Returns
    -------
    tuple
        Issues, at most one for homes and one for facilities.
    """
    issues = []
    cure = Text("请核对坐标和坐标系，或补充道路", "check the places and their datum, or add the roads")
    if access.demand_positions is not None and not access.demand_positions.routable.all():
        lost = ~access.demand_positions.routable
        households = access.demand.households[lost].sum()
        ids = sorted(set(communities["community_id"].to_numpy()[access.demand.community[lost]]))
        what = Text(
            f"{len(ids)} 个社区的 {lost.sum()} 处住户（{households:.0f} 户）附近没有道路，一律按未覆盖计",
            f"{lost.sum()} homes ({households:.0f} households) of {len(ids)} communities have no road near; "
            "they count as not covered",
        )
        issues.append(Issue("warning", what, cure, column="community_id", value=some(ids)))
    if access.facility_positions is not None and not access.facility_positions.routable.all():
        ids = sorted(facilities["facility_id"].to_numpy()[~access.facility_positions.routable])
        what = Text(
            f"{len(ids)} 处设施附近没有道路，没有住户能到达",
            f"{len(ids)} facilities have no road near; nobody can reach them",
        )
        issues.append(Issue("warning", what, cure, column="facility_id", value=some(ids)))
    return tuple(issues)


def coarse_network_warning(access: Access, near_limit_share: float) -> tuple[Issue, ...]:
    """Return a warning when the way from home to road is long against the circle.

    It is when its mean over households is more than the share of the circle that counts as near the limit: then the
    legs off the road alone, which the map does not know, can turn a verdict.

    Parameters
    ----------
    access
        Homes, circles and positions; without positions nothing can be said.
    near_limit_share
        The share of the circle within which a verdict is near the limit.

    Returns
    -------
    tuple
        One issue, or none.
    """
    if access.demand_positions is None:
        return ()
    placed = access.demand_positions.routable & (access.demand.households > 0)
    leg_m, cutoff_m = access.demand_positions.off_road_mm[placed] / 1000, access.cutoff_m[placed]
    households = access.demand.households[placed]
    if not placed.any() or np.average(leg_m / cutoff_m, weights=households) <= near_limit_share:
        return ()
    mean_m = np.average(leg_m, weights=households)
    return (
        Issue(
            "warning",
            Text(
                f"住户到最近道路平均 {mean_m:.0f} 米，相对生活圈偏长，路网偏粗，临界结论受其影响",
                f"homes are {mean_m:.0f} m from the nearest road on average, which is long against the circle: the "
                "road network is too coarse for verdicts near the limit",
            ),
            Text("请使用含小路和人行道的路网", "use a road network with lanes and footways"),
        ),
    )
