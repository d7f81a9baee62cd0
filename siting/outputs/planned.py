"""The tables of what to do: actions, allotments, stages with their bounds, what blocks, the curve and the phases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from siting.outputs.sheet import Column, Sheet, rows_of
from siting.outputs.words import ACQUISITION, BLOCK_REASON, PROOF, say
from siting.text import Lang, Text

if TYPE_CHECKING:
    from siting.allocation.plan import Plan
    from siting.outputs.results import Results

KIND = {"candidate": Text("新增点位", "New site"), "extension": Text("扩建现有设施", "Extension of a facility")}


def action_sheet(results: Results, plan: Plan, lang: Lang) -> Sheet:
    """Return the actions of the plan with area, cost and reason, and their sum in the last row.

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
    Sheet
        One row an action.
    """
    services = {service.id: service.name.to(lang) for service in results.standard.services}
    table = plan.actions.reset_index(drop=True).copy()
    table["number"] = range(1, len(table) + 1)
    names = facility_names(results)
    rows = rows_of(
        table,
        "number",
        "source_id",
        lambda row: names.get(row.source_id, "") if row.kind == "extension" else "",
        lambda row: say(KIND, row.kind, lang),
        lambda row: say(ACQUISITION, row.acquisition, lang),
        lambda row: services.get(row.service, row.service),
        "area_m2",
        "fixed_cost",
        "area_cost",
        "yearly_cost",
        "cost",
        "households_brought_in",
        "deficit_filled_m2",
        lambda row: round(row.lon, 6),
        lambda row: round(row.lat, 6),
        f"why_{lang}",
        lambda row: getattr(row, "extra_cost", None),
        lambda row: getattr(row, "extra_cost_bound", None),
        lambda row: getattr(row, f"note_{lang}", ""),
    )
    sums = {column: float(table[column].sum()) for column in ("area_m2", "fixed_cost", "area_cost", "yearly_cost")}
    total = (
        None,
        Text("合计", "Total").to(lang),
        *("",) * 4,
        *sums.values(),
        float(plan.total_cost),
        *(None,) * 4,
        "",
        None,
        None,
        "",
    )
    return Sheet(
        Text("规划方案", "Plan"),
        Text(
            "要做的每一项：在哪里、怎样取得、多大、多少钱、为什么。费用单位万元；运行费用为规划期内折现合计。"
            "“只有它带进圈内的户数”是其余各项不变时去掉它就失去的户数，各项相加不等于总数。",
            "Each action: where, how obtained, how big, at what cost, and why. Costs in 10,000 yuan; running "
            "costs are the "
            "discounted sum over the horizon. Households only it brings in are those lost without it, the rest "
            "unchanged.",
        ),
        (
            Column(Text("序号", "No."), "whole", 6),
            Column(Text("点位代码", "Site id"), "text", 14),
            Column(Text("名称", "Name"), "text", 18),
            Column(Text("类别", "Kind"), "text", 14),
            Column(Text("取得方式", "Acquisition"), "text", 10),
            Column(Text("设施", "Service"), "text", 18),
            Column(Text("面积（㎡）", "Area (m²)"), "number", 11),
            Column(Text("固定费用（万元）", "Fixed cost (10,000 yuan)"), "money", 12),
            Column(Text("面积费用（万元）", "Area cost (10,000 yuan)"), "money", 12),
            Column(Text("运行费用（万元）", "Running cost (10,000 yuan)"), "money", 12),
            Column(Text("费用合计（万元）", "Cost (10,000 yuan)"), "money", 12),
            Column(Text("只有它带进圈内的户数", "Households only it brings in"), "whole", 13),
            Column(Text("补上的面积（㎡）", "Deficit filled (m²)"), "number", 12),
            Column(Text("经度", "Longitude"), "degrees", 12),
            Column(Text("纬度", "Latitude"), "degrees", 12),
            Column(Text("理由", "Reason"), "wrapped", 60),
            Column(Text("不选它多花（万元）", "Extra cost without it (10,000 yuan)"), "money", 14),
            Column(Text("至少多花（万元）", "At least (10,000 yuan)"), "money", 14),
            Column(Text("可否替代", "Can it be replaced"), "wrapped", 44),
        ),
        (*rows, total) if rows else (),
        frozen=2,
        total=bool(rows),
        empty=Text("方案没有选任何一项。", "The plan chooses no action."),
    )


def allotment_sheet(results: Results, plan: Plan, lang: Lang) -> Sheet:
    """Return which community each square metre of the plan is counted for.

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
    Sheet
        One row an action and community.
    """
    table = plan.allotments.merge(plan.actions[["action_id", "source_id", "acquisition"]], on="action_id", how="left")
    names = dict(zip(results.tables.communities["community_id"], results.tables.communities["name"], strict=True))
    return Sheet(
        Text("分配", "Allotments"),
        Text(
            "方案新增的面积记在哪个社区名下；一平方米只记一次。点位的最小面积大于各社区所缺时，多出的部分不记给任何社区。",
            "Which community the new floor area is counted for; no square metre is counted twice. Where a site's "
            "smallest area is more than the communities lack, what is over is counted for none.",
        ),
        (
            Column(Text("点位代码", "Site id"), "text", 16),
            Column(Text("取得方式", "Acquisition"), "text", 12),
            Column(Text("社区代码", "Community id"), "text", 16),
            Column(Text("社区", "Community"), "text", 24),
            Column(Text("面积（㎡）", "Area (m²)"), "number", 12),
        ),
        rows_of(
            table,
            "source_id",
            lambda row: say(ACQUISITION, row.acquisition, lang),
            "community_id",
            lambda row: names.get(row.community_id, ""),
            "area_m2",
        ),
        frozen=1,
    )


def stage_sheet(plan: Plan, lang: Lang) -> Sheet:
    """Return what each stage reached and the best that is still possible.

    Parameters
    ----------
    plan
        The plan to show.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        One row a stage.
    """
    table = pd.DataFrame(
        {
            "name": [stage.name.to(lang) for stage in plan.stages],
            "sense": [stage.sense for stage in plan.stages],
            "value": [float(stage.value) for stage in plan.stages],
            "bound": [float(stage.bound) for stage in plan.stages],
            "unit": [stage.unit.to(lang) for stage in plan.stages],
            "gap": [float(stage.gap) for stage in plan.stages],
            "proof": [stage.proof for stage in plan.stages],
            "seconds": [float(stage.seconds) for stage in plan.stages],
        }
    )
    sense = {"max": Text("越大越好", "most"), "min": Text("越小越好", "least")}
    return Sheet(
        Text("方案界限", "Bounds"),
        Text(
            "方案分步求解，后一步不损害前一步。“界限”是在前几步既定的情况下还可能达到的最好值，差距为 0 即最优。",
            "The plan is solved in stages, each holding what the earlier ones reached. The bound is the best "
            "value still "
            "possible given those; a gap of 0 is the optimum.",
        ),
        (
            Column(Text("步骤", "Stage"), "wrapped", 40),
            Column(Text("方向", "Sense"), "text", 10),
            Column(Text("达到", "Reached"), "number", 14),
            Column(Text("界限", "Bound"), "number", 14),
            Column(Text("单位", "Unit"), "text", 12),
            Column(Text("差距", "Gap"), "share", 9),
            Column(Text("证明", "Proof"), "text", 20),
            Column(Text("用时（秒）", "Seconds"), "number", 10),
        ),
        rows_of(
            table,
            "name",
            lambda row: say(sense, row.sense, lang),
            "value",
            "bound",
            "unit",
            "gap",
            lambda row: say(PROOF, row.proof, lang),
            "seconds",
        ),
    )


def blocked_sheet(results: Results, plan: Plan, lang: Lang) -> Sheet:
    """Return the communities that the plan cannot bring to the standard, and what stands in the way.

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
    Sheet
        One row a community and reason.
    """
    names = dict(zip(results.tables.communities["community_id"], results.tables.communities["name"], strict=True))
    return Sheet(
        Text("未能做到", "Not possible"),
        Text(
            "方案之后仍不达标的社区和原因：离最近候选点多远、超出多少米，或还差多少平方米。",
            "Communities still short after the plan, and why: how far the nearest candidate is, or the area missing.",
        ),
        (
            Column(Text("社区代码", "Community id"), "text", 14),
            Column(Text("名称", "Name"), "text", 22),
            Column(Text("原因", "Reason"), "text", 22),
            Column(Text("最近候选点", "Nearest candidate"), "text", 14),
            Column(Text("距离（米）", "Distance (m)"), "whole", 11),
            Column(Text("超出（米）", "Too far by (m)"), "whole", 11),
            Column(Text("还差面积（㎡）", "Area missing (m²)"), "number", 12),
            Column(Text("说明", "Note"), "wrapped", 60),
        ),
        rows_of(
            plan.blocked,
            "community_id",
            lambda row: names.get(row.community_id, ""),
            lambda row: say(BLOCK_REASON, row.reason, lang),
            "nearest_candidate_id",
            "nearest_m",
            "excess_m",
            "missing_m2",
            f"note_{lang}",
        ),
        frozen=2,
        empty=Text("没有：要求的都做到了。", "None: everything asked is met."),
    )


def left_out_sheet(plan: Plan, lang: Lang) -> Sheet:
    """Return the sites the plan leaves out and what each would have added.

    Parameters
    ----------
    plan
        The plan to show.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        One row a site that was not chosen.
    """
    return Sheet(
        Text("未选点位", "Left out"),
        Text("没有选的点位，以及在本方案之外再加上它会多出什么。", "Sites not chosen, and what each would have added."),
        (
            Column(Text("点位代码", "Site id"), "text", 16),
            Column(Text("取得方式", "Acquisition"), "text", 12),
            Column(Text("可再带进圈内的户数", "Households it would bring in"), "whole", 14),
            Column(Text("可再补面积（㎡）", "Deficit it would fill (m²)"), "number", 14),
            Column(Text("最低费用（万元）", "Least cost (10,000 yuan)"), "money", 12),
            Column(Text("理由", "Reason"), "wrapped", 60),
        ),
        rows_of(
            plan.left_out,
            "source_id",
            lambda row: say(ACQUISITION, row.acquisition, lang),
            "households_would_bring",
            "deficit_would_fill_m2",
            "least_cost",
            f"why_{lang}",
        ),
        empty=Text("所有点位都用上了。", "Every site is used."),
    )


def facility_names(results: Results) -> dict[str, str]:
    """Return the name of every facility by its id.

    Parameters
    ----------
    results
        What the run found.

    Returns
    -------
    dict
        Id to name, empty where a facility has none.
    """
    table: Any = results.tables.facilities
    return dict(zip(table["facility_id"], table["name"], strict=True))
