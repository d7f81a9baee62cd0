"""Warnings where the data end: roads or facilities that stop within a circle of a community."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from siting.coverage.access import COMPREHENSIVE, Access
from siting.coverage.places import Floats
from siting.errors import Issue
from siting.text import Text

if TYPE_CHECKING:
    from siting.network import RoadNetwork

_NAMED_AT_MOST = 30
# Homes whose way to the road is longer than this share of their circle are judged by the map rather than the ground.
COARSE_SHARE = 0.25
# The share of households on such homes from which the whole network is called too coarse.
COARSE_HOUSEHOLDS_SHARE = 0.1


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
        value="、".join(named[:_NAMED_AT_MOST]) + ("…" if len(named) > _NAMED_AT_MOST else ""),
    )


def coarse_network_warning(access: Access) -> tuple[Issue, ...]:
    """Return a warning when many homes stand far from any road, measured against their circle.

    Parameters
    ----------
    access
        Homes, circles and positions; without positions nothing can be said.

    Returns
    -------
    tuple
        One issue, or none.
    """
    if access.demand_positions is None:
        return ()
    leg_m = access.demand_positions.off_road_mm / 1000
    far = access.demand_positions.routable & (leg_m > COARSE_SHARE * access.cutoff_m)
    total = access.demand.households.sum()
    share = float(access.demand.households[far].sum() / total) if total > 0 else 0.0
    if share <= COARSE_HOUSEHOLDS_SHARE:
        return ()
    return (
        Issue(
            "warning",
            Text(
                f"{share:.0%} 的户离最近道路的距离超过生活圈的四分之一，路网偏粗，结论受其影响",
                f"{share:.0%} of the households live farther from any road than a quarter of their circle; the network "
                "is too coarse for their verdicts",
            ),
            Text("请使用含小路和人行道的路网", "use a road network with lanes and footways"),
        ),
    )
