"""What tables say against themselves and each other: ids twice or unknown, areas allotted twice, parts too large."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from siting.errors import Issue
from siting.inputs.checker import Checker
from siting.inputs.faults import also_rows
from siting.inputs.spatial_checks import check_boundaries, check_buildings, place_communities

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
        Roles of which a file could not be read: references to them, as to a table without ids, are not judged.
    said
        Issues found while reading: a place that was told there is not told again.

    Returns
    -------
    list
        The issues.
    """
    checker = Checker(frames, origins)
    nameless = {role for role, key in _KEYS.items() if len(frames[role]) and not any(frames[role][key])}
    failed = failed | nameless | ({"communities"} if frames["communities"].empty else set())
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
        check_boundaries(checker)
    if not failed & {"communities", "boundaries", "buildings"}:
        check_buildings(checker, "boundaries" in given)
    place_communities(checker, "boundaries" in given, said)
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
