"""What tables say against themselves and each other: ids twice or unknown, areas allotted twice, parts too large."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely

from siting.errors import Issue
from siting.inputs.faults import Faults, also_rows

if TYPE_CHECKING:
    from siting.inputs.tables import Origin

_KEYS = {"communities": "community_id", "facilities": "facility_id", "candidates": "candidate_id"}
_WITHIN: tuple[tuple[str, str, str, Literal["error", "warning"]], ...] = (
    ("communities", "elderly", "population", "warning"),
    ("communities", "minors", "population", "warning"),
    ("communities", "disabled", "population", "warning"),
    ("communities", "commerce_service_area_m2", "total_building_area_m2", "warning"),
    ("communities", "certified_workers", "community_workers", "warning"),
    ("facilities", "activity_area_m2", "floor_area_m2", "warning"),
    ("facilities", "floor_area_m2", "max_floor_area_m2", "warning"),
    ("candidates", "min_floor_area_m2", "max_floor_area_m2", "error"),
)
OVERLAP_SHARE = 0.01
"""Share of the smaller of two community polygons that may lie in the other before it is told: drawing is not exact."""


class Checker:
    """Gather issues on rows of any file, each with the file, sheet and row that it came from."""

    def __init__(self, frames: Mapping[str, Any], origins: Mapping[str, Origin]) -> None:
        self.frames = frames
        self.origins = origins
        self.issues: list[Issue] = []

    def say(
        self,
        severity: Literal["error", "warning", "note"],
        role: str,
        position: int,
        zh: str,
        en: str,
        cure_zh: str,
        cure_en: str,
        *,
        column: str = "",
        value: object = "",
    ) -> None:
        """Add an issue on one row of a table."""
        origin = self.origins[role]
        faults = Faults(origin.file[position], origin.sheet[position])
        getattr(faults, severity)(zh, en, cure_zh, cure_en, row=origin.row[position], column=column, value=value)
        self.issues.extend(faults.issues)

    def where(self, role: str, position: int, lang: str) -> str:
        """Return the place of a row in words, for a message on another row."""
        origin = self.origins[role]
        file, row = origin.file[position], origin.row[position]
        return f"{file} 第 {row} 行" if lang == "zh" else f"{file} row {row}"


def check_tables(
    frames: Mapping[str, Any],
    origins: Mapping[str, Origin],
    *,
    given: set[str],
    failed: set[str],
    said: Sequence[Issue] = (),
) -> list[Issue]:
    """Return the faults between rows and between tables; communities without a place take one from their boundary.

    Parameters
    ----------
    frames
        The tables by role; ``communities`` and ``boundaries`` are completed in place.
    origins
        Where each row came from.
    given
        The roles that the study names.
    failed
        Roles of which a file could not be read: references to them are not judged.
    said
        Issues found while reading: a place that was told there is not told again.

    Returns
    -------
    list
        The issues.
    """
    checker = Checker(frames, origins)
    for role, key in _KEYS.items():
        _check_twice(checker, role, key)
    for role, part, whole, severity in _WITHIN:
        _check_within(checker, role, part, whole, severity)
    if "communities" not in failed:
        for role in ("facilities", "candidates", "boundaries", "allotments"):
            _check_known(checker, role, "error" if role == "allotments" else "warning")
    if "allotments" in given and "facilities" not in failed:
        _check_allotments(checker)
    if "boundaries" in given and "boundaries" not in failed:
        _check_boundaries(checker)
    _place_communities(checker, "boundaries" in given, said)
    _say_no_households(checker)
    return checker.issues


def _check_twice(checker: Checker, role: str, key: str) -> None:
    first: dict[str, int] = {}
    for position, value in enumerate(checker.frames[role][key]):
        if not value:
            continue
        if value in first:
            checker.say(
                "error",
                role,
                position,
                f"重复（首次出现在{checker.where(role, first[value], 'zh')}）",
                f"appears again (first in {checker.where(role, first[value], 'en')})",
                "每个编号只能有一行",
                "give each id one row",
                column=key,
                value=value,
            )
        else:
            first[value] = position


def _check_within(checker: Checker, role: str, part: str, whole: str, severity: Literal["error", "warning"]) -> None:
    frame = checker.frames[role]
    parts, wholes = frame[part].to_numpy(dtype=float), frame[whole].to_numpy(dtype=float)
    for position in np.flatnonzero(parts > wholes):
        checker.say(
            severity,
            role,
            int(position),
            f"{part} 大于 {whole}（{wholes[position]:g}）",
            f"is more than {whole} ({wholes[position]:g})",
            "请核对这两个数",
            "check both figures",
            column=part,
            value=f"{parts[position]:g}",
        )


def _check_known(checker: Checker, role: str, severity: Literal["error", "warning"]) -> None:
    known = set(checker.frames["communities"]["community_id"])
    consequence = {
        "facilities": ("；其面积不计入任何社区", "; its area counts for no community"),
        "candidates": ("", ""),
        "boundaries": ("；此边界未使用", "; the boundary is not used"),
        "allotments": ("", ""),
    }[role]
    for position, value in enumerate(checker.frames[role]["community_id"]):
        if value and value not in known:
            checker.say(
                severity,
                role,
                position,
                f"社区表中没有这个编号{consequence[0]}",
                f"is not in the communities table{consequence[1]}",
                "请核对编号",
                "check the id",
                column="community_id",
                value=value,
            )


def _check_allotments(checker: Checker) -> None:
    allotments, facilities = checker.frames["allotments"], checker.frames["facilities"]
    areas = dict(zip(facilities["facility_id"], facilities["floor_area_m2"], strict=True))
    seen: dict[tuple[str, str], int] = {}
    for position, (facility, community) in enumerate(
        zip(allotments["facility_id"], allotments["community_id"], strict=True)
    ):
        if facility and facility not in areas:
            checker.say(
                "error",
                "allotments",
                position,
                "设施表中没有这个编号",
                "is not in the facilities table",
                "请核对编号",
                "check the id",
                column="facility_id",
                value=facility,
            )
        pair = (facility, community)
        if pair in seen:
            checker.say(
                "error",
                "allotments",
                position,
                f"同一设施与社区重复（首次出现在{checker.where('allotments', seen[pair], 'zh')}）",
                f"the same facility and community again (first in {checker.where('allotments', seen[pair], 'en')})",
                "请合并为一行",
                "make it one row",
                column="community_id",
                value=community,
            )
        seen.setdefault(pair, position)
    for facility, rows in allotments.groupby("facility_id", sort=False):
        total, area = float(rows["area_m2"].sum()), float(areas.get(str(facility), np.nan))
        if total > area + 1e-6:
            checker.say(
                "error",
                "allotments",
                int(rows.index[-1]),
                f"设施 {facility} 分出的面积共 {total:g} 平方米，大于其建筑面积 {area:g} 平方米",
                f"{total:g} m² of {facility} are allotted, more than its floor area of {area:g} m²",
                "请核对分摊面积或建筑面积",
                "check the allotted areas or the floor area",
                column="area_m2",
                value=f"{rows['area_m2'].iloc[-1]:g}",
            )
        elif np.isnan(area) and str(facility) in areas:
            checker.say(
                "warning",
                "allotments",
                int(rows.index[0]),
                f"设施 {facility} 没有建筑面积，无法核对分摊",
                f"{facility} has no floor area to check its allotments against",
                "请补充其建筑面积",
                "fill in its floor area",
                column="facility_id",
                value=facility,
            )


def _check_boundaries(checker: Checker) -> None:
    """Join polygons of one community, tell overlaps, non-polygons, and communities without one."""
    frame = checker.frames["boundaries"]
    shapes = frame.geometry.to_numpy()
    kinds = shapely.get_type_id(shapes)
    for position in np.flatnonzero(~shapely.is_missing(shapes) & ~np.isin(kinds, (3, 6, 7))):
        checker.say(
            "error",
            "boundaries",
            int(position),
            "不是面",
            "is not a polygon",
            "边界须为面图层",
            "boundaries must be polygons",
            column="geometry",
            value=shapely.get_type_id(shapes[position]),
        )
    for value, rows in frame.groupby("community_id", sort=False):
        if len(rows) > 1 and value:
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


def _say_overlaps(checker: Checker, shapes: np.ndarray) -> None:
    ids = checker.frames["boundaries"]["community_id"].to_numpy()
    good = np.flatnonzero(~shapely.is_missing(shapes))
    tree = shapely.STRtree(shapes[good])
    pairs = tree.query(shapes[good], predicate="intersects")
    for one, other in zip(*(good[side] for side in pairs), strict=True):
        if one >= other or ids[one] == ids[other]:
            continue
        smaller = min(shapely.area(shapes[one]), shapely.area(shapes[other]))
        overlap = shapely.area(shapely.intersection(shapes[one], shapes[other]))
        if smaller > 0 and overlap > OVERLAP_SHARE * smaller:
            checker.say(
                "warning",
                "boundaries",
                int(other),
                f"与 {ids[one]} 的边界重叠（占较小者的 {overlap / smaller:.0%}）；重叠处的建筑只计入较小者",
                f"overlaps that of {ids[one]} by {overlap / smaller:.0%} of the smaller, which gets what is there",
                "请核对两者的边界",
                "check both boundaries",
                column="geometry",
                value=ids[other],
            )


def _place_communities(checker: Checker, have_boundaries: bool, said: Sequence[Issue]) -> None:
    """Give communities without coordinates a point within their boundary; report those that stay without."""
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
    origin = checker.origins["communities"]
    errors = [issue for issue in said if issue.severity == "error"]
    told_rows = {(issue.file, issue.row) for issue in errors}
    lost = {file for file in origin.file if all(missing_in(shapes, origin, file))}
    told_files = lost & {issue.file for issue in errors}
    for position in missing:
        parts = polygons.get(frame["community_id"].iloc[position])
        if parts:
            shapes[position] = shapely.point_on_surface(shapely.union_all(parts))
            joined.append(int(position))
            continue
        where = origin.file[position], origin.row[position]
        if where[0] not in told_files and where not in told_rows:
            checker.say(
                "error",
                "communities",
                int(position),
                "没有可用的坐标，也没有边界",
                "has neither usable coordinates nor a boundary",
                "请补充经纬度，或给出社区边界",
                "fill in its longitude and latitude, or give its boundary",
                column="geometry",
                value=frame["community_id"].iloc[position],
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


def missing_in(shapes: np.ndarray, origin: Origin, file: str) -> list[bool]:
    """Return, for each row of one file, whether it has no geometry."""
    return [shape is None for shape, where in zip(shapes, origin.file, strict=True) if where == file]


def _say_no_households(checker: Checker) -> None:
    empty = np.flatnonzero(checker.frames["communities"]["households"].to_numpy(dtype=float) == 0)
    if len(empty):
        rows = [checker.origins["communities"].row[position] for position in empty]
        checker.say(
            "note",
            "communities",
            int(empty[0]),
            f"户数为 0：保留，各项指标不适用{also_rows(rows, 'zh')}",
            f"0 households; kept, its verdicts are not applicable{also_rows(rows, 'en')}",
            "",
            "",
            column="households",
            value=0,
        )
