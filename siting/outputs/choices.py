"""The tables of the choices around a plan: the cost curve, the years, other plans, and what area cannot be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from siting.allocation.plan import each_row
from siting.outputs.numbers import format_figure
from siting.outputs.sheet import Column, Sheet, rows_of
from siting.outputs.words import ACQUISITION, PROOF, STATUS, say
from siting.text import Lang, Text

if TYPE_CHECKING:
    from siting.allocation.plan import Plan
    from siting.outputs.results import Results
    from siting.standards import Standard


def choice_sheets(results: Results, plan: Plan, lang: Lang) -> list[Sheet]:
    """Return the sheets of choices that the plan holds; those that it does not hold are left out.

    Parameters
    ----------
    results
        What the run found.
    plan
        The plan to show.
    lang
        The language of the cells.

    Returns
    -------
    list of Sheet
        Curve, years, indicators by year, other plans, sets of communities that lack area.
    """
    sheets = []
    if plan.curve is not None:
        sheets.append(curve_sheet(plan.curve, lang))
    if plan.phases is not None:
        sheets.append(phase_sheet(plan.phases, lang))
    if results.indicator_path is not None:
        sheets.append(path_sheet(results.indicator_path, results.standard, lang))
    if plan.alternatives:
        sheets.append(alternative_sheet(plan, lang))
    if len(plan.cuts):
        sheets.append(cut_sheet(results, plan.cuts, lang))
    return sheets


def acquisition_sheet(plan: Plan, lang: Lang) -> Sheet:
    """Return the plan summed by how the sites are obtained, the dearest first, with the total in the last row.

    Parameters
    ----------
    plan
        The plan to show.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        One row an acquisition.
    """
    table = plan.actions.groupby("acquisition", sort=False).agg(
        actions=("action_id", "size"), area_m2=("area_m2", "sum"), cost=("cost", "sum")
    )
    table = table.sort_values("cost", ascending=False, kind="stable").reset_index()
    rows = rows_of(table, lambda row: say(ACQUISITION, row.acquisition, lang), "actions", "area_m2", "cost")
    total = Text("合计", "Total").to(lang), len(plan.actions), float(table["area_m2"].sum()), float(plan.total_cost)
    return Sheet(
        Text("方案汇总", "The plan in short"),
        Text("按取得方式汇总。", "Summed by how the sites are obtained."),
        (
            Column(Text("取得方式", "Acquisition"), "text", 16),
            Column(Text("项数", "Actions"), "whole", 10),
            Column(Text("面积（㎡）", "Area (m²)"), "number", 14),
            Column(Text("费用（万元）", "Cost (10,000 yuan)"), "money", 14),
        ),
        (*rows, total) if rows else (),
        total=bool(rows),
    )


def curve_sheet(curve: pd.DataFrame, lang: Lang) -> Sheet:
    """Return what each budget brings, with its bound.

    Parameters
    ----------
    curve
        The plan's cost curve.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        One row a budget, the smallest first.
    """
    return Sheet(
        Text("费用曲线", "Cost curve"),
        Text(
            "从一分钱不花到全部做到，每一档预算最多能让多少加权户所在的社区达标，以及证明的界限。曲线不分安置社区先后，"
            "也不看各项比例目标，所以同样的费用下，社区数可能与本方案不同。",
            "From nothing to all that can be met: the most weighted households that each budget brings to the "
            "standard, with its bound. It puts no community first and looks at no target share, so that for the "
            "same cost its count of communities may differ from the plan's.",
        ),
        (
            Column(Text("预算（万元）", "Budget (10,000 yuan)"), "money", 14),
            Column(Text("费用（万元）", "Cost (10,000 yuan)"), "money", 14),
            Column(Text("达标社区", "Communities that meet"), "whole", 12),
            Column(Text("达标社区户数", "Their households"), "whole", 14),
            Column(Text("达标加权户数", "Weighted households"), "number", 14),
            Column(Text("界限", "Bound"), "number", 14),
            Column(Text("差距", "Gap"), "share", 10),
            Column(Text("证明", "Proof"), "text", 12),
        ),
        rows_of(
            curve,
            "budget",
            "cost",
            "communities_met",
            "households_met",
            "weighted_households",
            "bound",
            "gap",
            lambda row: say(PROOF, row.proof, lang),
        ),
        chart=(0, (4, 5)),
    )


def phase_sheet(phases: pd.DataFrame, lang: Lang) -> Sheet:
    """Return in which year each action is done, and what is reached by its end.

    Parameters
    ----------
    phases
        The plan's phases.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        One row an action, by year.
    """
    return Sheet(
        Text("分年计划", "Phases"),
        Text(
            "各年做哪几项；每年保留上一年已做的，年末累计数为到该年年末为止。当年没花完的下一年可用。",
            "What is done in which year; each year keeps what the last one built, and may spend what it left.",
        ),
        (
            Column(Text("年份", "Year"), "text", 8),
            Column(Text("点位代码", "Site id"), "text", 16),
            Column(Text("取得方式", "Acquisition"), "text", 12),
            Column(Text("面积（㎡）", "Area (m²)"), "number", 12),
            Column(Text("费用（万元）", "Cost (10,000 yuan)"), "money", 14),
            Column(Text("累计预算（万元）", "Budget so far (10,000 yuan)"), "money", 14),
            Column(Text("累计费用（万元）", "Cost so far (10,000 yuan)"), "money", 14),
            Column(Text("年末达标社区", "Communities that meet by then"), "whole", 14),
            Column(Text("年末达标加权户数", "Weighted households by then"), "number", 16),
        ),
        rows_of(
            phases,
            lambda row: f"{row.year:.0f}",
            "source_id",
            lambda row: say(ACQUISITION, row.acquisition, lang),
            "area_m2",
            "cost",
            "budget_so_far",
            "cost_so_far",
            "communities_met",
            "weighted_households",
        ),
    )


def path_sheet(path: pd.DataFrame, standard: Standard, lang: Lang) -> Sheet:
    """Return each of the county's indicators year by year through the phases, beside what is due by then.

    An indicator that no year's tables can answer is left to the table of indicators.

    Parameters
    ----------
    path
        What `siting.allocation.indicator_path` gives.
    standard
        The standard of the run.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        One row an indicator and year, the years of an indicator together.
    """
    order = {name: number for number, name in enumerate(path["rule_id"].drop_duplicates())}
    told = path.groupby("rule_id")["value"].transform("count").gt(0) | path["status"].isin(["pass", "fail"])
    rows = []
    for row in each_row(path[told].sort_values("rule_id", key=lambda name: name.map(order), kind="stable")):
        unit = Text(row.unit_zh, row.unit_en)
        value = format_figure(row.value, unit, lang, against=row.target)
        target = format_figure(row.target, unit, lang)
        status = STATUS[row.status].to(lang) if row.status else ""
        rows.append((standard.rule(row.rule_id).name.to(lang), str(row.year), value, target, status))
    return Sheet(
        Text("分年指标", "Indicators by year"),
        Text(
            "全县各指标在各年年末的值，和到该年应达到的目标；“—”表示到该年尚无要求，或该值无法算出。",
            "The county's indicators at the end of each year, and what is due by then; a dash: nothing is due yet, or "
            "the figure is not known.",
        ),
        (
            Column(Text("指标", "Indicator"), "wrapped", 40),
            Column(Text("年份", "Year"), "text", 8),
            Column(Text("年末值", "At its end"), "text", 20),
            Column(Text("目标", "Target"), "text", 20),
            Column(Text("结论", "Verdict"), "text", 12),
        ),
        tuple(rows),
        status_columns=(4,),
        frozen=2,
    )


def alternative_sheet(plan: Plan, lang: Lang) -> Sheet:
    """Return the other plans beside the plan: what each costs and which sites it takes instead.

    Parameters
    ----------
    plan
        A plan with alternatives.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        The plan first, then its alternatives.
    """
    own = _sites(plan)
    comma = "、" if lang == "zh" else ", "
    rows = []
    for number, other in enumerate((plan, *plan.alternatives)):
        name = Text("本方案", "This plan") if number == 0 else Text(f"备选 {number}", f"Alternative {number}")
        bound = next((float(stage.bound) for stage in other.stages if stage.id == "cost"), None)
        taken, left = sorted(_sites(other) - own), sorted(own - _sites(other))
        area = float(other.actions["area_m2"].sum())
        cost = float(other.total_cost)
        rows.append((name.to(lang), len(other.actions), area, cost, bound, comma.join(taken), comma.join(left)))
    return Sheet(
        Text("备选方案", "Alternatives"),
        Text(
            "达到同样结果、费用相近而选点不同的方案；“最低可能”是这样的方案费用的界限。",
            "Plans that reach the same at near its cost with other sites; the least possible is the bound of "
            "their cost.",
        ),
        (
            Column(Text("方案", "Plan"), "text", 14),
            Column(Text("措施数", "Actions"), "whole", 10),
            Column(Text("面积（㎡）", "Area (m²)"), "number", 12),
            Column(Text("费用（万元）", "Cost (10,000 yuan)"), "money", 14),
            Column(Text("最低可能（万元）", "Least possible (10,000 yuan)"), "money", 14),
            Column(Text("换入点位", "Sites taken instead"), "wrapped", 40),
            Column(Text("换出点位", "Sites left"), "wrapped", 40),
        ),
        tuple(rows),
    )


def cut_sheet(results: Results, cuts: pd.DataFrame, lang: Lang) -> Sheet:
    """Return the sets of communities that together ask for more area than lies within their circles.

    Parameters
    ----------
    results
        What the run found.
    cuts
        The plan's cuts.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        One row a set.
    """
    names = dict(zip(results.tables.communities["community_id"], results.tables.communities["name"], strict=True))
    comma = "、" if lang == "zh" else ", "
    return Sheet(
        Text("面积死结", "Area that cannot be had"),
        Text(
            "这几个社区合在一起要的面积，比它们圈内所有点位能给的还多；差额就是至少还要新找的面积。",
            "These communities together ask for more area than every site within their circles can give; the "
            "difference is "
            "what must be found anew.",
        ),
        (
            Column(Text("编号", "No."), "text", 8),
            Column(Text("社区", "Communities"), "wrapped", 50),
            Column(Text("合计要（㎡）", "Asked (m²)"), "number", 12),
            Column(Text("可得（㎡）", "To be had (m²)"), "number", 12),
            Column(Text("还差（㎡）", "Missing (m²)"), "number", 12),
            Column(Text("说明", "Note"), "wrapped", 60),
        ),
        rows_of(
            cuts,
            lambda row: str(row.cut_id),
            lambda row: comma.join(str(names.get(part, part)) for part in str(row.community_ids).split(";")),
            "asked_m2",
            "available_m2",
            "missing_m2",
            f"note_{lang}",
        ),
    )


def _sites(plan: Plan) -> set[str]:
    """Return the new sites of a plan."""
    return set(plan.actions.loc[plan.actions["kind"] == "candidate", "source_id"])
