"""The tables of how service falls on people: the gaps, each service by group, and how even it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from siting.outputs.figures import missing_area_m2
from siting.outputs.sheet import Column, Sheet, rows_of
from siting.outputs.words import AREA_TYPE, EQUITY, GROUP, say
from siting.text import Lang, Text

if TYPE_CHECKING:
    from siting.coverage import Scorecard
    from siting.outputs.results import Results


def township_sheet(results: Results, lang: Lang) -> Sheet:
    """Return each township's communities summed, now and after the plan, most area missing first.

    Parameters
    ----------
    results
        What the run found.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        One row a township that the communities table names; none where it names none.
    """
    now = _by_township(results.scorecard)
    later = now if results.after is None else _by_township(results.after)
    table = now.assign(
        meets_after=None if results.after is None else later["meets"],
        missing_after_m2=None if results.after is None else later["missing_m2"],
    )
    table = table.sort_values("missing_m2", ascending=False, kind="stable").reset_index()
    return Sheet(
        Text("乡镇汇总", "Townships"),
        Text(
            "按乡镇（街道）汇总，供分解任务；尚缺面积只计面积已知的社区。",
            "Summed by township, for handing out the tasks; the area missing counts communities whose area is known.",
        ),
        (
            Column(Text("乡镇（街道）", "Township"), "text", 20),
            Column(Text("社区数", "Communities"), "whole", 10),
            Column(Text("户数", "Households"), "whole", 12),
            Column(Text("达标", "Meet"), "whole", 9),
            Column(Text("方案后达标", "Meet after"), "whole", 11),
            Column(Text("无法判定", "Unknown"), "whole", 10),
            Column(Text("圈外住户", "Households outside"), "whole", 12),
            Column(Text("圈内占比", "Share in the circle"), "share", 11),
            Column(Text("尚缺面积（㎡）", "Area missing (m²)"), "number", 13),
            Column(Text("方案后尚缺（㎡）", "Missing after (m²)"), "number", 13),
        ),
        rows_of(
            table,
            "township",
            "communities",
            "households",
            "meets",
            "meets_after",
            "unknown",
            "outside",
            "reached_share",
            "missing_m2",
            "missing_after_m2",
        ),
    )


def _by_township(card: Scorecard) -> pd.DataFrame:
    """Return the sums of each named township: counts, households, and the area missing where it is known."""
    people = card.communities.assign(missing_m2=missing_area_m2(card))
    people = people[people["township"] != ""]
    table = pd.DataFrame(
        {
            "township": people["township"],
            "communities": 1,
            "households": people["households"],
            "meets": people["meets"].eq("pass").astype(int),
            "unknown": people["meets"].eq("unknown").astype(int),
            "outside": people["households"] - people["reached_households"],
            "missing_m2": people["missing_m2"],
        }
    )
    sums = table.groupby("township", sort=True).sum(min_count=1)
    inside = sums["households"] - sums["outside"]
    return sums.assign(reached_share=(inside / sums["households"]).where(sums["households"] > 0))


def gap_sheet(results: Results, lang: Lang) -> Sheet:
    """Return the gaps, most households first.

    Parameters
    ----------
    results
        What the run found.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        One row a gap, with the place of its middle.
    """
    table = results.scorecard.gaps.sort_values("rank", kind="stable", ignore_index=True)
    middle = table.geometry.representative_point()
    table = pd.DataFrame(table.drop(columns=table.geometry.name)).assign(lon=middle.x, lat=middle.y)
    names = dict(zip(results.scorecard.communities["community_id"], results.scorecard.communities["name"], strict=True))
    comma = "、" if lang == "zh" else ", "
    return Sheet(
        Text("缺口", "Gaps"),
        Text(
            "任何生活圈都够不着的成片住户，按户数排序；“超出”是离最近设施的距离减去生活圈半径。",
            "Patches of households outside every circle, most households first; the excess is the distance to "
            "the nearest "
            "facility less the circle's.",
        ),
        (
            Column(Text("次序", "Rank"), "whole", 7),
            Column(Text("户数", "Households"), "whole", 10),
            Column(Text("涉及社区", "Communities"), "wrapped", 50),
            Column(Text("最近设施", "Nearest facility"), "text", 16),
            Column(Text("距离（米）", "Distance (m)"), "whole", 11),
            Column(Text("超出（米）", "Excess (m)"), "whole", 11),
            Column(Text("经度", "Longitude"), "degrees", 12),
            Column(Text("纬度", "Latitude"), "degrees", 12),
        ),
        rows_of(
            table,
            "rank",
            "households",
            lambda row: comma.join(f"{names.get(i, i)}" for i in str(row.community_ids).split(";")),
            "nearest_facility_id",
            "nearest_m",
            "excess_m",
            lambda row: round(row.lon, 6),
            lambda row: round(row.lat, 6),
        ),
        empty=Text("没有缺口：所有住户都在圈内。", "No gaps: every household is inside a circle."),
    )


def service_sheet(results: Results, lang: Lang) -> Sheet:
    """Return how far each service reaches, by area type and by group of people.

    Parameters
    ----------
    results
        What the run found.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        One row a service, area type and group.
    """
    table = results.scorecard.services.reset_index(drop=True)
    return Sheet(
        Text("服务覆盖", "Services"),
        Text(
            "每类服务在生活圈内能到达的住户；人群按各社区人数分摊到住户。资料中一处也没有的服务不计算占比。",
            "Households that reach each service within its circle; groups are spread over a community's households. "
            "A service without a single place in the inputs has no share.",
        ),
        (
            Column(Text("服务", "Service"), "text", 26),
            Column(Text("类型", "Type"), "text", 8),
            Column(Text("人群", "Group"), "text", 12),
            Column(Text("处数", "Places"), "whole", 8),
            Column(Text("户（人）数", "Households or persons"), "whole", 12),
            Column(Text("圈内", "In the circle"), "whole", 12),
            Column(Text("占比", "Share"), "share", 10),
            Column(Text("直线口径", "By straight line"), "share", 10),
            Column(Text("中位距离（米）", "Median distance (m)"), "whole", 12),
            Column(Text("生活圈（米）", "Circle (m)"), "whole", 12),
        ),
        rows_of(
            table,
            f"service_{lang}",
            lambda row: say(AREA_TYPE, row.area_type, lang),
            lambda row: say(GROUP, row.group, lang),
            "places",
            "households",
            "reached",
            "reached_share",
            "straight_line_share",
            "median_m",
            "cutoff_m",
        ),
        frozen=3,
    )


def equity_sheet(results: Results, lang: Lang) -> Sheet:
    """Return how evenly distance and floor area fall, over all and by group.

    Parameters
    ----------
    results
        What the run found.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        One row a measure and group.
    """
    words = {**AREA_TYPE, **GROUP}
    return Sheet(
        Text("公平性", "Equity"),
        Text(
            "距离和面积在住户之间分布得是否均匀。基尼系数 0 为完全均匀，1 为全归一户；"
            "“最差十分之一”是境况最差的 10% 住户的平均值。",
            "How evenly distance and area fall on households. Gini: 0 is even, 1 is all to one; "
            "the worst tenth is the mean of the 10% who fare worst.",
        ),
        (
            Column(Text("指标", "Measure"), "wrapped", 34),
            Column(Text("分组", "Group"), "text", 16),
            Column(Text("户（人）数", "Households or persons"), "whole", 12),
            Column(Text("未计入", "Left out"), "whole", 10),
            Column(Text("平均", "Mean"), "number", 12),
            Column(Text("中位", "Median"), "number", 12),
            Column(Text("基尼系数", "Gini"), "ratio", 10),
            Column(Text("最差十分之一", "Worst tenth"), "number", 12),
        ),
        rows_of(
            _as_listed(results.scorecard.equity, results.scorecard.communities["township"]),
            lambda row: say(EQUITY, row.measure, lang),
            lambda row: say(words, row.group, lang),
            "households",
            "left_out",
            "mean",
            "median",
            "gini",
            "worst_tenth_mean",
        ),
        frozen=2,
    )


def _as_listed(equity: pd.DataFrame, townships: pd.Series) -> pd.DataFrame:
    """Return the rows with the townships of a measure in the order of the planner's own table."""

    def places(names: pd.Series) -> dict[str, int]:
        return {name: place for place, name in enumerate(names.drop_duplicates())}

    measure, kind = (equity[column].map(places(equity[column])) for column in ("measure", "kind"))
    town = equity["group"].map(places(townships)).where(equity["kind"].eq("township"), 0)
    return equity.iloc[np.lexsort((town, kind, measure))]
