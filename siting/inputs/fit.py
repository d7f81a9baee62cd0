"""Whether places and roads fit together: a datum declared wrongly, places far from every road. It only warns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from siting.errors import Issue
from siting.inputs.datum import from_wgs84, to_wgs84
from siting.inputs.tables import SourceRecord, Tables
from siting.text import Text

if TYPE_CHECKING:
    from pyproj import CRS

Floats = NDArray[np.float64]
FAR_KM = 50.0
"""A place farther than this from every road is told."""
FEWEST_PLACES = 20
"""Fewer places than this say nothing about a datum."""
CLEARLY_NEARER = 0.7
"""Another datum fits better when it brings the median distance to a road below this share of the declared one's ..."""
NEARER_SHARE = 0.55
"""... brings more than this share of the places nearer ..."""
NEARER_M = 10.0
"""... and the median nearer by this many metres. A coarse network alone gives up to a quarter less by chance."""
MORE_INSIDE = 0.2
"""Another datum fits the boundaries better when this share more of the communities fall in their own."""
_NAMES = {"wgs84": "WGS84", "gcj02": "GCJ-02", "bd09": "BD-09"}


def check_places(tables: Tables, roads: gpd.GeoSeries) -> tuple[Issue, ...]:
    """Return warnings on files whose places fit the roads or the boundaries better under another datum, or lie far off.

    Nothing is moved: what the study declares stands. With few places, or roads so coarse that every place is far
    from one, nothing is said.

    Parameters
    ----------
    tables
        The study's tables, in WGS84.
    roads
        The lines of the road network, in any CRS.

    Returns
    -------
    tuple of Issue
        At most one warning on the datum a file, and one on its far places.
    """
    lines = roads[~(roads.isna() | roads.is_empty)]
    if lines.empty:
        return ()
    crs = lines.estimate_utm_crs() if lines.crs is None or not lines.crs.is_projected else lines.crs
    tree = shapely.STRtree(lines.to_crs(crs).to_numpy())
    issues: list[Issue] = []
    for record, ids, points in _files(tables):
        lon, lat = shapely.get_x(points), shapely.get_y(points)
        apart = _road_distance(lon, lat, tree, crs)
        far = np.flatnonzero(apart > FAR_KM * 1000)
        if len(far):
            issues.append(_far_issue(record, ids[far], apart[far]))
        declared = record.datum if record.datum in {"gcj02", "bd09"} else "wgs84"
        near = apart <= FAR_KM * 1000
        if near.sum() >= FEWEST_PLACES:
            issues.extend(_doubt_datum(record, declared, lon[near], lat[near], tree, crs))
    issues.extend(_doubt_boundaries(tables, {issue.file for issue in issues if issue.column == "datum"}))
    return tuple(issues)


def _files(tables: Tables) -> Iterator[tuple[SourceRecord, NDArray[np.object_], NDArray[np.object_]]]:
    """Return each file of places with the ids and points of its rows."""
    for role, key in (("communities", "community_id"), ("facilities", "facility_id"), ("candidates", "candidate_id")):
        frame, start = getattr(tables, role), 0
        for record in tables.records:
            if record.role == role:
                rows = frame.iloc[start : start + record.rows_kept]
                start += record.rows_kept
                yield record, rows[key].to_numpy(dtype=object), rows.geometry.to_numpy()


def _road_distance(lon: Floats, lat: Floats, tree: shapely.STRtree, crs: CRS) -> Floats:
    points = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs="EPSG:4326").to_crs(crs).to_numpy()
    distance = np.full(len(points), np.inf)
    usable = np.flatnonzero(np.isfinite(shapely.get_x(points)))
    found, apart = tree.query_nearest(points[usable], return_distance=True, all_matches=False)
    distance[usable[found[0]]] = apart
    return distance


def _as_if(lon: Floats, lat: Floats, declared: str, other: str) -> tuple[Floats, Floats]:
    """Return where places would lie had the file been declared in another datum."""
    return to_wgs84(*from_wgs84(lon, lat, declared), other)


def _doubt_datum(
    record: SourceRecord, declared: str, lon: Floats, lat: Floats, tree: shapely.STRtree, crs: CRS
) -> list[Issue]:
    apart = _road_distance(lon, lat, tree, crs)
    median = float(np.median(apart))
    best: tuple[float, str] | None = None
    for other in _NAMES:
        if other == declared:
            continue
        moved = _road_distance(*_as_if(lon, lat, declared, other), tree, crs)
        nearer = float(np.median(moved))
        better = nearer <= CLEARLY_NEARER * median and median - nearer >= NEARER_M
        if better and float(np.mean(moved < apart)) > NEARER_SHARE and (best is None or nearer < best[0]):
            best = (nearer, other)
    if best is None:
        return []
    return [
        Issue(
            "warning",
            Text(
                f"按 {_NAMES[declared]} 读取，各点到最近道路的中位距离为 {median:.0f} 米；"
                f"若为 {_NAMES[best[1]]} 则为 {best[0]:.0f} 米",
                f"read as {_NAMES[declared]}, its places lie {median:.0f} m from the nearest road (median); "
                f"as {_NAMES[best[1]]} it would be {best[0]:.0f} m",
            ),
            Text(
                f"坐标基准是否应为 {best[1]}？请核对研究文件中的 datum",
                f"is the datum {best[1]}? check datum in the study file",
            ),
            file=record.path.name,
            sheet=record.part,
            column="datum",
            value=declared,
        )
    ]


def _doubt_boundaries(tables: Tables, said: set[str]) -> list[Issue]:
    """Return a warning where another datum puts clearly more communities inside their own boundaries."""
    if tables.boundaries is None:
        return []
    shapes = dict(zip(tables.boundaries["community_id"], tables.boundaries.geometry, strict=True))
    issues = []
    for record, ids, points in _files(tables):
        have = np.array([shapes.get(community) is not None for community in ids], dtype=bool)
        if record.role != "communities" or have.sum() < FEWEST_PLACES or record.path.name in said:
            continue
        own = np.array([shapes[community] for community in ids[have]])
        lon, lat = shapely.get_x(points[have]), shapely.get_y(points[have])
        declared = record.datum if record.datum in {"gcj02", "bd09"} else "wgs84"
        inside = {other: _share_inside(own, *_as_if(lon, lat, declared, other)) for other in _NAMES}
        best = max(inside, key=lambda other: inside[other])
        if inside[best] - inside[declared] > MORE_INSIDE:
            issues.append(
                Issue(
                    "warning",
                    Text(
                        f"按 {_NAMES[declared]} 读取，{inside[declared]:.0%} 的社区点在自己的边界内；"
                        f"若为 {_NAMES[best]} 则为 {inside[best]:.0%}",
                        f"read as {_NAMES[declared]}, {inside[declared]:.0%} of the communities lie in their boundary; "
                        f"as {_NAMES[best]} it would be {inside[best]:.0%}",
                    ),
                    Text(
                        f"坐标基准是否应为 {best}？请核对研究文件中的 datum（也核对边界文件的）",
                        f"is the datum {best}? check datum in the study file, also that of the boundaries",
                    ),
                    file=record.path.name,
                    sheet=record.part,
                    column="datum",
                    value=declared,
                )
            )
    return issues


def _share_inside(shapes: NDArray[np.object_], lon: Floats, lat: Floats) -> float:
    return float(np.mean(shapely.intersects_xy(shapes, lon, lat)))


def _far_issue(record: SourceRecord, ids: NDArray[np.object_], apart: Floats) -> Issue:
    listed = "、".join(str(each) for each in ids[:5]) + ("…" if len(ids) > 5 else "")
    km = float(apart.max()) / 1000
    most = (
        Text(f"最远 {km:,.0f} 公里", f"at most {km:,.0f} km") if np.isfinite(km) else Text("不在地图上", "off the map")
    )
    return Issue(
        "warning",
        Text(
            f"{len(ids)} 个点距最近的道路超过 {FAR_KM:.0f} 公里（{most.zh}）：{listed}",
            f"{len(ids)} place{'s lie' if len(ids) > 1 else ' lies'} more than {FAR_KM:.0f} km from the nearest road "
            f"({most.en}): {listed.replace('、', ', ')}",
        ),
        Text("请核对坐标、datum 与路网范围", "check the coordinates, the datum and the extent of the roads"),
        file=record.path.name,
        sheet=record.part,
        column="geometry",
        value=str(ids[0]),
    )
