"""The tables of what stands today: indicators, scorecard, failures, services, gaps, near the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from siting.outputs.figures import (
    area_target,
    cite,
    indicator_table,
    missing_area_m2,
    verdict_codes,
)
from siting.outputs.numbers import is_missing
from siting.outputs.sheet import Column, Share, Sheet, rows_of
from siting.outputs.words import AREA_TYPE, LEVEL, STATUS, VERDICT, say
from siting.text import Lang, Text

if TYPE_CHECKING:
    from siting.outputs.results import Results


def indicator_sheet(results: Results, lang: Lang) -> Sheet:
    """Return the indicators in the form of the policy annex: baseline, now, after the plan, target.

    Parameters
    ----------
    results
        What the run found.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        County figures first, then townships.
    """
    table = indicator_table(results)
    table = pd.concat([table[table["place"].eq("county")], table[table["place"].ne("county")]], ignore_index=True)
    table["number"] = np.arange(1, len(table) + 1)

    def figure(column: str) -> Any:
        return lambda row: Share(getattr(row, column), row.unit_en in ("share", "%"), row.target)

    def status(column: str) -> Any:
        return lambda row: say(STATUS, getattr(row, column), lang)

    def year(column: str) -> Any:
        return lambda row: "" if is_missing(getattr(row, column)) else f"{getattr(row, column):.0f}"

    def place(row: Any) -> str:
        return say(LEVEL, "county", lang) if row.place == "county" else row.place

    return Sheet(
        Text("指标表", "Indicators"),
        Text(
            "对照政策文件附表：基期值与目标值是文件所载，现状与方案后是本次测算；结论栏是现状或方案后对目标的判定。",
            "As in the annex of the policy: baseline and target are the document's, now and after are computed here.",
        ),
        (
            Column(Text("序号", "No."), "whole", 6),
            Column(Text("指标", "Indicator"), "wrapped", 34),
            Column(Text("范围", "Place"), "text", 14),
            Column(Text("单位", "Unit"), "text", 12),
            Column(Text("基期值", "Baseline"), "mixed", 10),
            Column(Text("现状值", "Now"), "mixed", 10),
            Column(Text("方案后", "After the plan"), "mixed", 10),
            Column(Text("目标值", "Target"), "mixed", 10),
            Column(Text("目标年", "Target year"), "text", 9),
            Column(Text("阶段目标", "Step"), "mixed", 10),
            Column(Text("阶段年", "Step year"), "text", 9),
            Column(Text("现状结论", "Verdict now"), "text", 10),
            Column(Text("方案后结论", "Verdict after"), "text", 11),
            Column(Text("可能最低", "At least"), "mixed", 10),
            Column(Text("可能最高", "At most"), "mixed", 10),
            Column(Text("直线距离口径", "By straight line"), "mixed", 12),
            Column(Text("分子", "Numerator"), "number", 12),
            Column(Text("分母", "Denominator"), "number", 12),
            Column(Text("依据", "Source"), "wrapped", 36),
            Column(Text("说明", "Note"), "wrapped", 36),
        ),
        rows_of(
            table,
            "number",
            f"name_{lang}",
            place,
            lambda row: unit_words(row, "unit", lang),
            figure("baseline"),
            figure("value"),
            figure("after"),
            figure("target"),
            year("year"),
            figure("step_target"),
            year("step_year"),
            status("status"),
            lambda row: say(STATUS, row.status_after, lang) if row.status_after else "",
            figure("low"),
            figure("high"),
            figure("straight_line_value"),
            "numerator",
            "denominator",
            f"source_{lang}",
            f"note_{lang}",
        ),
        status_columns=(11, 12),
        frozen=2,
    )


def scorecard_sheet(results: Results, lang: Lang) -> Sheet:
    """Return one row a community: its verdict, its distances, its floor area, now and after the plan.

    Parameters
    ----------
    results
        What the run found.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        In the order of the planner's own table.
    """
    card, after = results.scorecard, results.after
    table = card.communities.reset_index(drop=True).copy()
    table["verdict"] = verdict_codes(card).to_numpy()
    table["missing_m2"] = missing_area_m2(card).to_numpy()
    table["verdict_after"] = "" if after is None else verdict_codes(after).to_numpy()
    table["share_after"] = np.nan if after is None else after.communities["reached_share"].to_numpy()
    table["area_after"] = np.nan if after is None else after.communities["area_per_100_households_m2"].to_numpy()
    services = {service.id: service.name for service in results.standard.services}
    needed_share, needed_area = results.standard.value("reach_share"), area_target(results.standard)
    comma = "、" if lang == "zh" else ", "

    def status(column: str) -> Any:
        return lambda row: say(STATUS, getattr(row, column), lang)

    return Sheet(
        Text("社区评分", "Scorecard"),
        Text(
            "每个社区一行。距离沿道路网，从住户到最近的社区综合服务设施；“达标”要求既在圈内又有足够面积。",
            "One row a community. Distances run along the network, from homes to the nearest comprehensive facility; "
            "to meet the standard a community is in the circle and has enough floor area.",
        ),
        (
            Column(Text("社区代码", "Community id"), "text", 14),
            Column(Text("名称", "Name"), "text", 20),
            Column(Text("类型", "Type"), "text", 7),
            Column(Text("乡镇（街道）", "Township"), "text", 14),
            Column(Text("户数", "Households"), "whole", 10),
            Column(Text("结论", "Verdict"), "text", 18),
            Column(Text("方案后结论", "Verdict after"), "text", 18),
            Column(Text("圈内判定", "In the circle"), "text", 10),
            Column(Text("面积判定", "Enough area"), "text", 10),
            Column(Text("圈内户数", "Households in the circle"), "whole", 11),
            Column(Text("圈内户数占比", "Share in the circle"), "mixed", 11),
            Column(Text("方案后占比", "Share after"), "mixed", 11),
            Column(Text("直线口径占比", "By straight line"), "mixed", 11),
            Column(Text("最近设施", "Nearest facility"), "text", 14),
            Column(Text("平均距离（米）", "Mean distance (m)"), "whole", 11),
            Column(Text("最远住户（米）", "Farthest home (m)"), "whole", 11),
            Column(Text("平均步行（分钟）", "Mean walk (min)"), "number", 11),
            Column(Text("圈内设施数", "Facilities in reach"), "whole", 10),
            Column(Text("分得面积（㎡）", "Allotted area (m²)"), "number", 12),
            Column(Text("每百户面积（㎡）", "Area per 100 households (m²)"), "mixed", 13),
            Column(Text("方案后每百户（㎡）", "Per 100 households after (m²)"), "mixed", 13),
            Column(Text("共享口径每百户（㎡）", "Shared, per 100 households (m²)"), "mixed", 13),
            Column(Text("尚缺面积（㎡）", "Area missing (m²)"), "number", 12),
            Column(Text("圈内缺少的服务", "Services missing in the circle"), "wrapped", 40),
        ),
        rows_of(
            table,
            "community_id",
            "name",
            lambda row: say(AREA_TYPE, row.area_type, lang),
            "township",
            "households",
            lambda row: say(VERDICT, row.verdict, lang),
            lambda row: say(VERDICT, row.verdict_after, lang),
            status("in_reach"),
            status("has_area"),
            "reached_households",
            lambda row: Share(row.reached_share, True, needed_share),
            lambda row: Share(row.share_after, True, needed_share),
            lambda row: Share(row.straight_line_share, True, needed_share),
            "nearest_facility_id",
            "nearest_m",
            "farthest_m",
            "walk_min",
            "facilities_in_reach",
            "allotted_area_m2",
            lambda row: Share(row.area_per_100_households_m2, False, needed_area),
            lambda row: Share(row.area_after, False, needed_area),
            lambda row: Share(row.shared_area_per_100_households_m2, False, needed_area),
            "missing_m2",
            lambda row: comma.join(services[s].to(lang) if s in services else s for s in row.lacking_services),
        ),
        status_columns=(5, 6, 7, 8),
        frozen=2,
    )


def failure_sheet(results: Results, lang: Lang) -> Sheet:
    """Return every rule that a community fails or whose verdict is unknown, with shortfall and clause.

    Parameters
    ----------
    results
        What the run found.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        The failures first, then what is unknown, in the order of the communities.
    """
    table = results.scorecard.verdicts
    table = table[table["status"].isin(["fail", "unknown"])].reset_index(drop=True)
    table = table.sort_values("status", kind="stable", ignore_index=True)
    later: dict[tuple[str, str], str] = {}
    if results.after is not None:
        rows = results.after.verdicts
        later = dict(zip(zip(rows["community_id"], rows["rule_id"], strict=True), rows["status"], strict=True))
    people = results.scorecard.communities.set_index("community_id")[["name", "township"]]
    people = people[~people.index.duplicated()].reindex(table["community_id"])
    table = table.assign(name=people["name"].to_numpy(), township=people["township"].to_numpy())
    rules = {rule.id: rule for rule in results.standard.rules}

    def figure(column: str) -> Any:
        return lambda row: Share(getattr(row, column), row.unit_en in ("share", "%"), row.target)

    def document(row: Any) -> str:
        return cite(rules[row.rule_id]).to(lang) if row.rule_id in rules else row.clause

    return Sheet(
        Text("不达标清单", "Failures"),
        Text(
            "每个社区不达标（或因缺资料无法判定）的每一条规则：差多少、依据哪一条。",
            "Every rule that a community fails, or that cannot be judged for want of a figure: by how much, "
            "and its clause.",
        ),
        (
            Column(Text("社区代码", "Community id"), "text", 14),
            Column(Text("名称", "Name"), "text", 20),
            Column(Text("乡镇（街道）", "Township"), "text", 14),
            Column(Text("规则", "Rule"), "wrapped", 30),
            Column(Text("判定", "Verdict"), "text", 10),
            Column(Text("现状值", "Value"), "mixed", 11),
            Column(Text("目标值", "Target"), "mixed", 11),
            Column(Text("单位", "Unit"), "text", 14),
            Column(Text("差额", "Shortfall"), "mixed", 11),
            Column(Text("差额单位", "Its unit"), "text", 14),
            Column(Text("临界", "Near the limit"), "text", 8),
            Column(Text("方案后", "After the plan"), "text", 10),
            Column(Text("依据", "Source"), "wrapped", 40),
            Column(Text("说明", "Note"), "wrapped", 40),
        ),
        rows_of(
            table,
            "community_id",
            "name",
            "township",
            lambda row: rules[row.rule_id].name.to(lang) if row.rule_id in rules else row.rule_id,
            lambda row: say(STATUS, row.status, lang),
            figure("value"),
            figure("target"),
            lambda row: unit_words(row, "unit", lang),
            lambda row: Share(row.shortfall, row.shortfall_unit_en in ("share", "%"), 0.0),
            lambda row: unit_words(row, "shortfall_unit", lang),
            lambda row: Text("是", "yes").to(lang) if bool(row.near_limit) else "",
            lambda row: say(STATUS, later.get((row.community_id, row.rule_id), ""), lang),
            document,
            f"note_{lang}",
        ),
        status_columns=(4, 11),
        frozen=2,
        empty=Text("没有不达标的社区。", "No community fails."),
    )


def near_limit_sheet(results: Results, lang: Lang) -> Sheet:
    """Return the verdicts that a small error of distance or area would turn.

    Parameters
    ----------
    results
        What the run found.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        One row a community and rule that lies near the limit.
    """
    rules = {rule.id: rule.name.to(lang) for rule in results.standard.rules}
    shares = {rule.id for rule in results.standard.rules if rule.is_share}
    share = results.standard.value("near_limit_share")
    return Sheet(
        Text("临界清单", "Near the limit"),
        Text(
            f"距离或面积相差 {share:.0%} 以内就会改变的判定，请先核实这些社区的资料。",
            f"Verdicts that {share:.0%} of distance or area would turn: check the figures of these communities first.",
        ),
        (
            Column(Text("社区代码", "Community id"), "text", 14),
            Column(Text("名称", "Name"), "text", 20),
            Column(Text("规则", "Rule"), "wrapped", 30),
            Column(Text("现状值", "Value"), "mixed", 11),
            Column(Text("目标值", "Target"), "mixed", 11),
            Column(Text("判定", "Verdict"), "text", 10),
            Column(Text("若", "If"), "text", 24),
            Column(Text("则", "Then"), "text", 10),
        ),
        rows_of(
            results.scorecard.near_limit,
            "community_id",
            "name",
            lambda row: rules.get(row.rule_id, row.rule_id),
            lambda row: Share(row.value, row.rule_id in shares, row.target),
            lambda row: Share(row.target, row.rule_id in shares),
            lambda row: say(STATUS, row.status, lang),
            lambda row: row.if_zh if lang == "zh" else row.if_en,
            lambda row: say(STATUS, row.status_if, lang),
        ),
        status_columns=(5, 7),
        frozen=2,
        empty=Text("没有临界的判定。", "No verdict lies near its limit."),
    )


def unit_words(row: Any, column: str, lang: Lang) -> str:
    """Return the unit of a row's figure as it is printed.

    Parameters
    ----------
    row
        A row with the unit in both languages.
    column
        The columns' name without the language, such as ``unit``.
    lang
        The language.

    Returns
    -------
    str
        The unit; a share is a percentage.
    """
    return "%" if getattr(row, f"{column}_en") in ("share", "%") else str(getattr(row, f"{column}_{lang}"))
