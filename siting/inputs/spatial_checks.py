"""What shapes say against each other: boundaries that overlap or are missing, places and homes that have none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from siting.errors import Issue
from siting.inputs.checker import Checker
from siting.inputs.faults import also_rows
from siting.inputs.geodesy import distances_m
from siting.inputs.households import smallest_around
from siting.inputs.shapes import areas_of

if TYPE_CHECKING:
    from siting.inputs.tables import Origin

FAR_OUTSIDE_M = 1000.0
"""A community's point farther than this outside its own boundary is told: an office next door is no fault."""
OVERLAP_SHARE = 0.01
"""Share of the smaller of two community polygons that may lie in the other before it is told: drawing is not exact."""

WIDEST_DEGREES = 2.0
"""A boundary wider than this is told: the largest townships of Qinghai and Xinjiang stay within it."""


def check_boundaries(checker: Checker) -> None:
    """Tell overlaps, polygons of one community, shapes that are none, and communities without a boundary.

    Parameters
    ----------
    checker
        The tables, and where the issues go.
    """
    frame = checker.frames["boundaries"]
    shapes = _only_areas(checker)
    again = frame[frame["community_id"].duplicated(keep=False)]
    for value, rows in again.groupby("community_id", sort=False):
        if value:
            checker.say(
                "warning",
                "boundaries",
                int(rows.index[1]),
                f"有 {len(rows)} 个面，已合并为一个",
                f"has {len(rows)} polygons, which were joined into one",
                "请核对是否重复",
                "check that none is there by mistake",
                column="community_id",
                value=value,
            )
    _say_overlaps(checker, shapes)
    _say_elsewhere(checker)
    have = set(frame["community_id"])
    without = [
        position
        for position, value in enumerate(checker.frames["communities"]["community_id"])
        if value and value not in have
    ]
    if without:
        rows = [checker.origins["communities"].row[position] for position in without]
        checker.say(
            "warning",
            "communities",
            without[0],
            f"没有边界，其住户都算在社区点上{also_rows(rows, 'zh')}",
            f"has no boundary; all its households are put at its point{also_rows(rows, 'en')}",
            "如有边界请补充",
            "add the boundary if there is one",
            column="community_id",
            value=checker.frames["communities"]["community_id"].iloc[without[0]],
        )


def _only_areas(checker: Checker) -> np.ndarray:
    """Return the boundaries as polygons, kept so in the table; those that are none, or impossibly wide, are told."""
    frame = checker.frames["boundaries"]
    drawn = frame.geometry.to_numpy()
    shapes = areas_of(drawn)
    for position in np.flatnonzero(~shapely.is_missing(drawn) & shapely.is_missing(shapes)):
        checker.say(
            "error",
            "boundaries",
            int(position),
            "不是面",
            "is not a polygon",
            "边界须为面图层",
            "boundaries must be polygons",
            column="geometry",
            value=drawn[position].geom_type,
        )
    west, south, east, north = shapely.bounds(shapes).T
    for position in np.flatnonzero(np.maximum(east - west, north - south) > WIDEST_DEGREES):
        shapes[position] = None
        checker.say(
            "error",
            "boundaries",
            int(position),
            f"边界跨度超过 {WIDEST_DEGREES:g} 度（约 200 公里），不可能是一个社区或村",
            f"spans more than {WIDEST_DEGREES:g} degrees (200 km): no community or village does",
            "请核对其顶点坐标",
            "check the coordinates of its vertices",
            column="geometry",
            value=f"{west[position]:g}, {south[position]:g}, {east[position]:g}, {north[position]:g}",
        )
    frame["geometry"] = type(frame.geometry)(shapes, index=frame.index, crs=frame.crs)
    return shapes


def _say_elsewhere(checker: Checker) -> None:
    """Tell communities whose point lies far outside their own boundary: ids mixed up, or a datum."""
    boundaries, communities = checker.frames["boundaries"], checker.frames["communities"]
    own: dict[str, Any] = {}
    for value, shape in zip(boundaries["community_id"], boundaries.geometry, strict=True):
        if value and shape is not None:
            own[value] = shape if value not in own else own[value].union(shape)
    points = communities.geometry.to_numpy()
    shapes = np.array([own.get(value) for value in communities["community_id"]], dtype=object)
    both = np.flatnonzero(~shapely.is_missing(points) & ~shapely.is_missing(shapes))
    nearest = shapely.get_coordinates(shapely.shortest_line(points[both], shapes[both])).reshape(-1, 2, 2)
    apart_m = distances_m(nearest[:, 0, 0], nearest[:, 0, 1], nearest[:, 1, 0], nearest[:, 1, 1])
    far = both[apart_m > FAR_OUTSIDE_M]
    if len(far):
        rows = [checker.origins["communities"].row[position] for position in far]
        km = float(apart_m.max()) / 1000
        checker.say(
            "warning",
            "communities",
            int(far[0]),
            f"社区点在自己的边界之外超过 {FAR_OUTSIDE_M / 1000:g} 公里（最远 {km:,.1f} 公里）{also_rows(rows, 'zh')}",
            f"lies more than {FAR_OUTSIDE_M / 1000:g} km outside its own boundary (at most {km:,.1f} km)"
            f"{also_rows(rows, 'en')}",
            "请核对坐标、datum，以及边界的社区编号",
            "check the coordinates, the datum, and the ids of the boundaries",
            column="geometry",
            value=communities["community_id"].iloc[far[0]],
        )


def _say_overlaps(checker: Checker, shapes: np.ndarray) -> None:
    ids = checker.frames["boundaries"]["community_id"].to_numpy()
    good = np.flatnonzero(~shapely.is_missing(shapes))
    tree = shapely.STRtree(shapes[good])
    pairs = tree.query(shapes[good], predicate="intersects")
    one, other = (good[side] for side in pairs)
    apart = (one < other) & (ids[one] != ids[other])
    one, other = one[apart], other[apart]
    smaller = np.minimum(shapely.area(shapes[one]), shapely.area(shapes[other]))
    overlap = shapely.area(shapely.intersection(shapes[one], shapes[other]))
    for first, second, share in zip(ids[one], other, overlap / np.maximum(smaller, 1e-30), strict=True):
        if share > OVERLAP_SHARE:
            checker.say(
                "warning",
                "boundaries",
                int(second),
                f"与 {first} 的边界重叠（占较小者的 {share:.0%}）；重叠处的建筑只计入较小者",
                f"overlaps that of {first} by {share:.0%} of the smaller, which gets what is there",
                "请核对两者的边界",
                "check both boundaries",
                column="geometry",
                value=ids[second],
            )


def place_communities(checker: Checker, have_boundaries: bool, said: Sequence[Issue]) -> None:
    """Give communities without coordinates a point within their boundary; report those that stay without.

    Parameters
    ----------
    checker
        The tables, and where the issues go; the communities are completed in place.
    have_boundaries
        Whether boundaries are given.
    said
        Issues found while reading: a place that was told there is not told again.
    """
    frame = checker.frames["communities"]
    shapes = frame.geometry.to_numpy().copy()
    missing = np.flatnonzero(shapely.is_missing(shapes))
    if not len(missing):
        return
    polygons: dict[str, Any] = {}
    if have_boundaries:
        boundaries = checker.frames["boundaries"]
        for value, shape in zip(boundaries["community_id"], boundaries.geometry, strict=True):
            if shape is not None and value:
                polygons.setdefault(value, []).append(shape)
    joined = []
    nowhere: dict[str, list[int]] = {}
    origin = checker.origins["communities"]
    errors = [issue for issue in said if issue.severity == "error"]
    told_rows = {(issue.file, issue.row) for issue in errors}
    lost = {file for file in origin.file if all(_missing_in(shapes, origin, file))}
    told_files = lost & {issue.file for issue in errors}
    for position in missing:
        parts = polygons.get(frame["community_id"].iloc[position])
        if parts:
            shapes[position] = shapely.point_on_surface(shapely.union_all(parts))
            joined.append(int(position))
            continue
        where = origin.file[position], origin.row[position]
        if where[0] not in told_files and where not in told_rows:
            nowhere.setdefault(where[0], []).append(int(position))
    for positions in nowhere.values():
        rows = [origin.row[position] for position in positions]
        checker.say(
            "error",
            "communities",
            positions[0],
            f"没有可用的坐标，也没有边界{also_rows(rows, 'zh')}",
            f"has neither usable coordinates nor a boundary{also_rows(rows, 'en')}",
            "请补充经纬度，或给出社区边界",
            "fill in its longitude and latitude, or give its boundary",
            column="geometry",
            value=frame["community_id"].iloc[positions[0]],
        )
    frame["geometry"] = type(frame.geometry)(shapes, index=frame.index, crs=frame.crs)
    if joined:
        rows = [checker.origins["communities"].row[position] for position in joined]
        checker.say(
            "note",
            "communities",
            joined[0],
            f"没有坐标，取其边界内一点{also_rows(rows, 'zh')}",
            f"no coordinates; a point within the boundary is used{also_rows(rows, 'en')}",
            "",
            "",
            column="geometry",
        )


def _missing_in(shapes: np.ndarray, origin: Origin, file: str) -> list[bool]:
    """Return, for each row of one file, whether it has no geometry."""
    return [shape is None for shape, where in zip(shapes, origin.file, strict=True) if where == file]


def check_buildings(checker: Checker, have_boundaries: bool) -> None:
    """Tell which buildings hold no households, and which communities have no building to put theirs in.

    Parameters
    ----------
    checker
        The tables, and where the issues go.
    have_boundaries
        Whether boundaries are given: without, buildings are of no use.
    """
    buildings = checker.frames["buildings"]
    if buildings.empty:
        return
    if not have_boundaries:
        checker.say(
            "warning",
            "buildings",
            0,
            "没有社区边界，建筑物没有用到，住户都算在社区点上",
            "buildings are not used without boundaries; all households are put at their community's point",
            "请给出社区边界",
            "give the boundaries",
        )
        return
    shapes = buildings.geometry.to_numpy()
    other = (~buildings["residential"].fillna(True)).to_numpy(dtype=bool)
    homes = np.flatnonzero(~other & ~shapely.is_missing(shapes))
    boundaries = checker.frames["boundaries"]
    own = smallest_around(shapely.point_on_surface(shapes[homes]), boundaries.geometry.to_numpy())
    outside = homes[own < 0]
    for positions, zh, en in (
        (np.flatnonzero(other), "注明不是住宅的建筑", "buildings said not to be homes"),
        (outside, "不在任何社区边界内的建筑", "buildings in no community's boundary"),
    ):
        if len(positions):
            zh, en = f"{len(positions)} 座{zh}不分配住户", f"{len(positions)} {en} hold no households"
            checker.say("note", "buildings", int(positions[0]), zh, en, "", "")
    _say_homeless(checker, set(boundaries["community_id"].to_numpy()[own[own >= 0]]))


def _say_homeless(checker: Checker, with_homes: set[str]) -> None:
    """Tell the communities that have a boundary and households but no building to put them in."""
    frame = checker.frames["communities"]
    bounded = set(checker.frames["boundaries"]["community_id"])
    without = frame["community_id"].isin(bounded - with_homes) & (frame["households"] > 0)
    for kind, zh, en in (
        (
            "urban",
            "边界内没有住宅建筑，住户按网格均匀分布",
            "has no homes in its boundary; its households are spread over a grid",
        ),
        (
            "rural",
            "边界内没有住宅建筑，住户都算在村点上",
            "has no homes in its boundary; its households are put at its point",
        ),
    ):
        found = np.flatnonzero(without & (frame["area_type"] == kind))
        if len(found):
            rows = [checker.origins["communities"].row[position] for position in found]
            checker.say(
                "warning",
                "communities",
                int(found[0]),
                f"边界内没有住宅建筑，{zh}{also_rows(rows, 'zh')}",
                f"has no homes in its boundary; {en}{also_rows(rows, 'en')}",
                "如有建筑物数据请补充",
                "add its buildings if there are any",
                column="community_id",
                value=frame["community_id"].iloc[found[0]],
            )
