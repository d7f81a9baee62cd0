"""Warnings where the data end: roads or facilities that stop within a circle of a community."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from siting.coverage.access import COMPREHENSIVE, Access
from siting.coverage.area_issues import some
from siting.coverage.places import Floats
from siting.errors import Issue, Severity
from siting.text import Text

if TYPE_CHECKING:
    from siting.network import RoadNetwork

Flags = NDArray[np.bool_]


def data_ends(
    facilities: gpd.GeoDataFrame,
    net: RoadNetwork,
    access: Access,
    n: int,
    *,
    boundaries: gpd.GeoDataFrame | None = None,
) -> dict[str, Flags]:
    """Return which communities have a circle that goes beyond the roads, or beyond the facilities.

    The roads end at the hull of the network's nodes; the facilities end at the hull of the comprehensive ones and of
    the boundaries, if any.

    Parameters
    ----------
    facilities
        The facilities table.
    net
        The network.
    access
        Homes and circles.
    n
        How many communities there are.
    boundaries
        Polygons of the communities, within which all facilities are taken to be in the table.

    Returns
    -------
    dict
        ``roads`` and ``facilities``, bool (n,); none where there is no data at all.
    """
    homes = shapely.points(net.from_lonlat(access.demand.lon, access.demand.lat))
    comprehensive = facilities[(facilities["service"] == COMPREHENSIVE).to_numpy()]
    known = shapely.get_coordinates(comprehensive.geometry.to_crs(net.crs).to_numpy())
    if boundaries is not None:
        known = np.concatenate([known, shapely.get_coordinates(boundaries.geometry.to_crs(net.crs).to_numpy())])
    ends = {}
    for name, xy in (("roads", net.xy), ("facilities", known)):
        here = np.zeros(n, dtype=bool)
        if len(xy):
            beyond = _reaches_beyond(homes, access.cutoff_m, xy) & (access.demand.households > 0)
            here[access.demand.community[beyond]] = True
        ends[name] = here
    return ends


def edge_warnings(communities: pd.DataFrame, ends: Mapping[str, Flags]) -> tuple[Issue, ...]:
    """Return a warning naming the communities within whose circle the data end.

    More data can only bring more within reach: those whose verdict it might turn are named first. Where it can turn
    none, it is a note.

    Parameters
    ----------
    communities
        The table of the scorecard: ``community_id`` and ``in_reach``.
    ends
        What `data_ends` gives.

    Returns
    -------
    tuple
        Issues, at most one for the roads and one for the facilities.
    """
    words = {"roads": Text("道路", "the roads"), "facilities": Text("综合服务设施", "the comprehensive facilities")}
    short = communities["in_reach"].eq("fail").to_numpy(dtype=bool)
    ids = communities["community_id"].to_numpy()
    issues = []
    for name, here in ends.items():
        turned = here & short
        what = Text(
            f"{words[name].zh}数据在 {here.sum()} 个社区的生活圈内到了边缘，其中 {turned.sum()} 个未达标，"
            "可能只因数据不全",
            f"{words[name].en} end within the circle of {here.sum()} communities; {turned.sum()} of them are not in "
            "reach, perhaps only because the data end",
        )
        cure = Text("请补充边界以外一个生活圈范围内的数据", "add the data of one circle beyond the border")
        severity: Severity = "warning" if turned.any() else "note"
        named = [*sorted(ids[turned]), *sorted(ids[here & ~short])]
        if here.any():
            issues.append(Issue(severity, what, cure, column="community_id", value=some(named)))
    return tuple(issues)


def _reaches_beyond(homes: NDArray[np.object_], cutoff_m: Floats, xy: Floats) -> NDArray[np.bool_]:
    """Return which homes' circles, in a straight line, go beyond the hull of some points."""
    hull = shapely.convex_hull(shapely.multipoints(xy))
    shapely.prepare(hull)
    rim = shapely.boundary(hull) if shapely.get_dimensions(hull) == 2 else hull
    beyond: NDArray[np.bool_] = ~shapely.contains(hull, homes) | (shapely.distance(homes, rim) < cutoff_m)
    return beyond


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
            f"no road is near some homes: {lost.sum()} places of {households:.0f} households, in "
            f"{len(ids)} of the communities; they count as not covered",
        )
        issues.append(Issue("warning", what, cure, column="community_id", value=some(ids)))
    if access.facility_positions is not None and not access.facility_positions.routable.all():
        ids = sorted(facilities["facility_id"].to_numpy()[~access.facility_positions.routable])
        what = Text(
            f"{len(ids)} 处设施附近没有道路，没有住户能到达",
            f"no road is near {len(ids)} of the facilities; nobody can reach them",
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
