"""The words for what is mended, or counted for nobody, when floor area is allotted."""

from __future__ import annotations

from collections.abc import Sequence

from siting.errors import Issue
from siting.text import Text

_NAMED_AT_MOST = 20

WHOSE_UNKNOWN = Issue(
    "warning",
    Text(
        "没有一处综合服务设施登记所属社区，各社区的设施面积无法判定",
        "no comprehensive facility says which community it is counted for; the area of every community is unknown",
    ),
    Text(
        "请在设施表填写所属社区代码，或提供面积分摊表",
        "fill in community_id in the facilities table, or give an allotments table",
    ),
    column="community_id",
)


def some(ids: Sequence[str]) -> str:
    """Return the first ids of a list, and a mark when there are more."""
    return ", ".join(ids[:_NAMED_AT_MOST]) + ("…" if len(ids) > _NAMED_AT_MOST else "")


def entrances_differ(place_id: str, least_m2: float, most_m2: float) -> Issue:
    """Return the issue of a place whose entrances give different floor areas."""
    return Issue(
        "warning",
        Text(
            f"同一场所的入口登记了不同的建筑面积（{least_m2:g} 与 {most_m2:g} 平方米），按大者计一次",
            f"entrances of one place give different floor areas ({least_m2:g} and {most_m2:g} m²); "
            "the larger is counted, once",
        ),
        Text("请核对该场所的建筑面积", "check the floor area of the place"),
        column="floor_area_m2",
        value=place_id,
    )


def no_such_facility(facility_id: str) -> Issue:
    """Return the issue of an allotment of a facility that is not there."""
    return Issue(
        "warning",
        Text(
            "面积分摊表中的设施不在设施表中，未计入",
            "the allotments name a facility that is not in the facilities table; it is not counted",
        ),
        Text("请核对设施编号", "check the facility id"),
        column="facility_id",
        value=facility_id,
    )


def service_not_counted(facility_id: str) -> Issue:
    """Return the issue of an allotment of a facility whose area does not count."""
    return Issue(
        "note",
        Text(
            "此类设施的面积不计入百户面积，其分摊未使用",
            "the area of this service does not count for the area per 100 households; its allotment is not used",
        ),
        Text("", ""),
        column="facility_id",
        value=facility_id,
    )


def over_allotted(facility_id: str, asked_m2: float, area_m2: float) -> Issue:
    """Return the issue of a facility of which more is allotted than it has."""
    return Issue(
        "warning",
        Text(
            f"共分摊 {asked_m2:g} 平方米，超过建筑面积 {area_m2:g} 平方米，各份按比例缩减",
            f"{asked_m2:g} m² are allotted of a floor area of {area_m2:g} m²; every share is cut in proportion",
        ),
        Text("请核对面积分摊表", "check the allotments table"),
        column="area_m2",
        value=facility_id,
    )


def entrances_of_several(facility_id: str) -> Issue:
    """Return the issue of a place whose entrances name different communities."""
    return Issue(
        "warning",
        Text(
            "同一场所的入口登记在不同社区，其面积归属未知",
            "entrances of one place name different communities; whose area it is, is unknown",
        ),
        Text("请在面积分摊表中写明各社区的面积", "say each community's share in the allotments table"),
        column="community_id",
        value=facility_id,
    )


def stranger(community_id: str, area_m2: float) -> Issue:
    """Return the issue of facilities that name a community that is not in the table."""
    return Issue(
        "warning",
        Text(
            f"设施所属社区不在社区表中，{area_m2:g} 平方米未计入任何社区",
            f"facilities name a community that is not in the communities table; {area_m2:g} m² count for none",
        ),
        Text("请核对社区代码", "check the community id"),
        column="community_id",
        value=community_id,
    )


def nobodys(ids: Sequence[str], area_m2: float) -> Issue:
    """Return the issue of facilities whose area is counted for no community."""
    return Issue(
        "warning",
        Text(
            f"{len(ids)} 处设施（已知面积共 {area_m2:g} 平方米）没有登记所属社区，不计入任何社区",
            f"{len(ids)} of the facilities ({area_m2:g} m² known) name no community; they count for none",
        ),
        Text("请在设施表填写所属社区代码", "fill in community_id in the facilities table"),
        column="community_id",
        value=some(ids),
    )
