"""Whether places and roads fit together: a datum declared wrongly, places far from every road. It only warns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from siting.errors import Issue
from siting.inputs.datum import from_wgs84, to_wgs84
from siting.inputs.files import Source
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
MOST_PLACES = 5000
"""Of a file with more places, as many are asked: enough for a median."""
AS_NEAR = 1.05
"""The roads are doubted where that brings places at most this many times as far as doubting the files would."""
MORE_INSIDE = 0.2
"""Another datum fits the boundaries better when this share more of the places fall in their own community."""
_NAMES = {"wgs84": "WGS84", "gcj02": "GCJ-02", "bd09": "BD-09"}


@dataclass(frozen=True, slots=True)
class _Places:
    """The places of one file, WGS84 degrees, with the datum that the study declares of it."""

    record: SourceRecord
    ids: NDArray[np.object_]
    communities: NDArray[np.object_]
    lon: Floats
    lat: Floats

    @property
    def declared(self) -> str:
        return self.record.datum if self.record.datum in {"gcj02", "bd09"} else "wgs84"

    def take(self, chosen: NDArray[np.bool_]) -> _Places:
        """Return some of the places, at most MOST_PLACES of them, evenly taken."""
        rows = np.flatnonzero(chosen)
        rows = rows[:: -(-len(rows) // MOST_PLACES) or 1]
        return _Places(self.record, self.ids[rows], self.communities[rows], self.lon[rows], self.lat[rows])


@dataclass(frozen=True, slots=True)
class _Roads:
    """The lines of the roads, to be asked for the distance to the nearest."""

    tree: shapely.STRtree
    crs: CRS

    def distance_m(self, lon: Floats, lat: Floats) -> Floats:
        """Return how far each place lies from the nearest road, m; inf where it cannot be projected."""
        points = gpd.GeoSeries(gpd.points_from_xy(lon, lat), crs="EPSG:4326").to_crs(self.crs).to_numpy()
        distance = np.full(len(points), np.inf)
        usable = np.flatnonzero(np.isfinite(shapely.get_x(points)))
        found, apart = self.tree.query_nearest(points[usable], return_distance=True, all_matches=False)
        distance[usable[found[0]]] = apart
        return distance


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A datum under which places lie clearly nearer the roads, and the medians of the distances then and now, m."""

    other: str
    nearer_m: float
    median_m: float


def check_places(tables: Tables, roads: gpd.GeoSeries, source: Source | None = None) -> tuple[Issue, ...]:
    """Return warnings on files whose places fit the roads or the boundaries better under another datum, or lie far off.

    Nothing is moved: what the study declares stands. With few places, or roads so coarse that every place is far
    from one, nothing is said. Where several files do not fit, and another datum of the roads would mend them all, the
    roads are named instead.

    Parameters
    ----------
    tables
        The study's tables, in WGS84.
    roads
        The lines of the road network, in any CRS.
    source
        The file of the roads; without, the roads are taken to be right.

    Returns
    -------
    tuple of Issue
        At most one warning on the datum a file, and one on its far places.
    """
    lines = roads[~(roads.isna() | roads.is_empty)]
    if lines.empty:
        return ()
    crs = lines.estimate_utm_crs() if lines.crs is None or not lines.crs.is_projected else lines.crs
    ways = _Roads(shapely.STRtree(lines.to_crs(crs).to_numpy()), crs)
    issues: list[Issue] = []
    doubted: list[tuple[_Places, _Doubt | None]] = []
    for places in _files(tables):
        apart = ways.distance_m(places.lon, places.lat)
        far = np.flatnonzero(apart > FAR_KM * 1000)
        if len(far):
            issues.append(_far_issue(places.record, places.ids[far], apart[far]))
        near = places.take(apart <= FAR_KM * 1000)
        if len(near.ids) >= FEWEST_PLACES:
            moves = {other: _as_if(near.lon, near.lat, near.declared, other) for other in _NAMES}
            doubted.append((near, _best(ways, near.declared, moves)))
    of_roads = _doubt_roads(source, doubted, ways) if source is not None else None
    if of_roads is not None:
        return (*issues, of_roads)
    issues.extend(_datum_issue(places.record, places.declared, doubt) for places, doubt in doubted if doubt)
    issues.extend(_doubt_boundaries(tables, {issue.file for issue in issues if issue.column == "datum"}))
    return tuple(issues)


def _files(tables: Tables) -> Iterator[_Places]:
    """Return each file of places, and of buildings, with the ids, the communities and the places of its rows."""
    keys = {"communities": "community_id", "facilities": "facility_id", "candidates": "candidate_id", "buildings": ""}
    for role, key in keys.items():
        frame, start = getattr(tables, role), 0
        for record in tables.records:
            if record.role == role:
                rows = frame.iloc[start : start + record.rows_kept]
                start += record.rows_kept
                shapes = rows.geometry.to_numpy()
                at = shapes if key else shapely.centroid(shapes)
                have = ~shapely.is_missing(at)
                blank = np.full(len(rows), "", dtype=object)
                ids, communities = (
                    rows[name].to_numpy(dtype=object) if key else blank for name in (key, "community_id")
                )
                yield _Places(record, ids[have], communities[have], shapely.get_x(at[have]), shapely.get_y(at[have]))


def _as_if(lon: Floats, lat: Floats, declared: str, other: str) -> tuple[Floats, Floats]:
    """Return where places would lie had the file been declared in another datum."""
    return to_wgs84(*from_wgs84(lon, lat, declared), other)


def _best(ways: _Roads, declared: str, moves: Mapping[str, tuple[Floats, Floats]]) -> _Doubt | None:
    """Return the datum under which places lie clearly nearer the roads than under the declared one, if there is one."""
    apart = ways.distance_m(*moves[declared])
    median = float(np.median(apart))
    best: _Doubt | None = None
    for other in moves:
        if other == declared:
            continue
        moved = ways.distance_m(*moves[other])
        nearer = float(np.median(moved))
        better = nearer <= CLEARLY_NEARER * median and median - nearer >= NEARER_M
        if better and float(np.mean(moved < apart)) > NEARER_SHARE and (best is None or nearer < best.nearer_m):
            best = _Doubt(other, nearer, median)
    return best


def _doubt_roads(source: Source, doubted: Sequence[tuple[_Places, _Doubt | None]], ways: _Roads) -> Issue | None:
    """Return a warning where another datum of the roads mends what several files have against them."""
    wrong = [places.record.path.name for places, doubt in doubted if doubt]
    if len(wrong) < 2:
        return None
    declared = source.datum if source.datum in {"gcj02", "bd09"} else "wgs84"
    # roads in another datum are elsewhere by some hundred metres: as well may the places be, the other way
    moves = {other: _joined(_as_if(each.lon, each.lat, other, declared) for each, _ in doubted) for other in _NAMES}
    best = _best(ways, declared, moves)
    mended = _joined(
        _as_if(each.lon, each.lat, each.declared, doubt.other if doubt else each.declared) for each, doubt in doubted
    )
    if best is None or best.nearer_m > AS_NEAR * float(np.median(ways.distance_m(*mended))):
        return None
    issue = _datum_issue(None, declared, best)
    return replace(
        issue,
        cure=Text(
            f"道路的坐标基准是否应为 {best.other}？若道路无误，请核对 {'、'.join(wrong)} 的 datum",
            f"is the datum of the roads {best.other}? if the roads are right, check datum of {', '.join(wrong)}",
        ),
        file=source.path.name,
        sheet=source.layer or "",
    )


def _joined(parts: Iterable[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
    lon, lat = zip(*parts, strict=True)
    return np.concatenate(lon), np.concatenate(lat)


def _datum_issue(record: SourceRecord | None, declared: str, doubt: _Doubt) -> Issue:
    read, other = _NAMES[declared], _NAMES[doubt.other]
    return Issue(
        "warning",
        Text(
            f"按 {read} 读取，各点到最近道路的中位距离为 {doubt.median_m:.0f} 米；"
            f"若为 {other} 则为 {doubt.nearer_m:.0f} 米",
            f"read as {read}, its places lie {doubt.median_m:.0f} m from the nearest road (median); "
            f"as {other} it would be {doubt.nearer_m:.0f} m",
        ),
        Text(
            f"坐标基准是否应为 {doubt.other}？请核对研究文件中的 datum",
            f"is the datum {doubt.other}? check datum in the study file",
        ),
        file=record.path.name if record else "",
        sheet=record.part if record else "",
        column="datum",
        value=declared,
    )


def _doubt_boundaries(tables: Tables, said: set[str]) -> list[Issue]:
    """Return a warning where another datum puts clearly more places inside the boundary of their own community."""
    if tables.boundaries is None:
        return []
    shapes = dict(zip(tables.boundaries["community_id"], tables.boundaries.geometry, strict=True))
    issues = []
    for places in _files(tables):
        record, declared = places.record, places.declared
        have = np.array([shapes.get(community) is not None for community in places.communities], dtype=bool)
        if have.sum() < FEWEST_PLACES or record.path.name in said:
            continue
        own = np.array([shapes[community] for community in places.communities[have]])
        lon, lat = places.lon[have], places.lat[have]
        inside = {other: _share_inside(own, *_as_if(lon, lat, declared, other)) for other in _NAMES}
        best = max(inside, key=lambda other: inside[other])
        if inside[best] - inside[declared] > MORE_INSIDE:
            issues.append(
                Issue(
                    "warning",
                    Text(
                        f"按 {_NAMES[declared]} 读取，{inside[declared]:.0%} 的点在所属社区的边界内；"
                        f"若为 {_NAMES[best]} 则为 {inside[best]:.0%}",
                        f"read as {_NAMES[declared]}, {inside[declared]:.0%} of its places lie in their community; "
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
