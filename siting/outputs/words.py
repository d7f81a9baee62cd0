"""The words on every output, in Chinese and English: one table, so that map, workbook and report say the same."""

from __future__ import annotations

from collections.abc import Mapping

from siting.text import Lang, Text

STATUS: Mapping[str, Text] = {
    "pass": Text("达标", "meets"),
    "fail": Text("不达标", "fails"),
    "unknown": Text("无法判定", "unknown"),
    "not_applicable": Text("不适用", "not applicable"),
}

# What a community's place on the map says: the two parts of the verdict together.
VERDICT: Mapping[str, Text] = {
    "meets": Text("达标", "Meets the standard"),
    "area": Text("面积不足", "Too little floor area"),
    "reach": Text("在圈外", "Outside the circle"),
    "both": Text("圈外且面积不足", "Outside, and too little area"),
    "unknown": Text("资料不全，无法判定", "Unknown: a figure is missing"),
    "not_applicable": Text("没有住户，不适用", "No households"),
}

ACQUISITION: Mapping[str, Text] = {
    "new_build": Text("新建", "New build"),
    "extension": Text("扩建", "Extension"),
    "purchase": Text("购买", "Purchase"),
    "transfer": Text("划拨", "Transfer"),
    "exchange": Text("换购", "Exchange"),
    "lease": Text("租借", "Lease"),
    "reuse": Text("盘活存量", "Re-use of idle stock"),
}

AREA_TYPE: Mapping[str, Text] = {
    "urban": Text("城市", "urban"),
    "rural": Text("农村", "rural"),
    "all": Text("全部", "all"),
}

EQUITY: Mapping[str, Text] = {
    "distance_m": Text("到最近综合设施的距离（米）", "Distance to the nearest comprehensive facility (m)"),
    "allotted_area_per_100_households_m2": Text("每百户面积（㎡）", "Area per 100 households (m²)"),
    "shared_area_per_100_households_m2": Text("共享口径每百户面积（㎡）", "Shared area per 100 households (m²)"),
}

LEVEL: Mapping[str, Text] = {
    "community": Text("社区", "community"),
    "township": Text("乡镇（街道）", "township"),
    "county": Text("全县（区）", "county"),
    "facility": Text("设施", "facility"),
    "action": Text("方案措施", "action"),
}

GROUP: Mapping[str, Text] = {
    "households": Text("全部住户", "all households"),
    "population": Text("常住人口", "residents"),
    "elderly": Text("老年人", "the elderly"),
    "minors": Text("未成年人", "minors"),
    "disabled": Text("残疾人", "the disabled"),
}

SEVERITY: Mapping[str, Text] = {
    "error": Text("错误", "error"),
    "warning": Text("提醒", "warning"),
    "note": Text("说明", "note"),
}

PLAN_STATUS: Mapping[str, Text] = {
    "complete": Text("要求的全部做到", "everything asked is met"),
    "partial": Text("只能做到一部分，见“未能做到的”", "only part can be met; see what could not be done"),
    "stopped": Text("时间用完或被中断，取当时最好的方案", "stopped on time or by Ctrl-C; the best plan found by then"),
    "open": Text("所设目标已达到，但未达到要求的差距", "everything asked is met, not within the gap asked"),
}

PROOF: Mapping[str, Text] = {
    "proven": Text("已证明最优", "proven"),
    "within_gap": Text("在要求的差距之内", "within the gap asked"),
    "time": Text("时间用完，未达到要求的差距", "stopped on time, not within the gap asked"),
    "interrupted": Text("被中断，未达到要求的差距", "interrupted, not within the gap asked"),
    "open": Text("未达到要求的差距", "not within the gap asked"),
}
"""How sure a figure of a plan is: optimal, near enough to the best possible, or neither and why."""

BLOCK_REASON: Mapping[str, Text] = {
    "reach": Text("可选的点位都够不着", "beyond every site that may be chosen"),
    "area": Text("圈内可得面积不够", "too little area to be had within the circle"),
    "budget": Text("预算不够", "the budget is spent"),
    "unknown": Text("缺资料，无法判定", "a figure is missing"),
}

ROLE: Mapping[str, Text] = {
    "communities": Text("社区", "communities"),
    "facilities": Text("现有设施", "facilities"),
    "candidates": Text("候选点", "candidates"),
    "allotments": Text("面积分配", "allotments"),
    "boundaries": Text("社区边界", "boundaries"),
    "buildings": Text("建筑", "buildings"),
    "roads": Text("道路", "roads"),
    "home": Text("住户点", "home"),
    "community": Text("社区", "community"),
    "facility": Text("现有设施", "facility"),
    "candidate": Text("候选点", "candidate"),
    "demand_points": Text("住户点", "demand points"),
}

SPREAD: Mapping[str, Text] = {
    "boundary_buildings": Text("边界内的住宅楼", "the buildings inside its boundary"),
    "grid": Text("边界内的格网", "a grid inside its boundary"),
    "point": Text("社区所在点", "the community's point"),
}

ASSUMPTION: Mapping[str, Text] = {
    "walking_speed_kmh": Text("步行速度", "Walking speed"),
    "elderly_speed_kmh": Text("老年人步行速度", "Walking speed of the elderly"),
    "disabled_speed_kmh": Text("残疾人出行速度", "Speed of the disabled"),
    "snap_limit_m": Text("离路上限", "Farthest from a road"),
    "min_piece_km": Text("最短独立路网", "Shortest separate piece of road"),
    "off_road_m": Text("画圈时离路步行", "Off-road walk in drawn circles"),
    "direct_walk": Text("院内可直接走到", "Walking straight across a compound"),
    "reach_share": Text("认定在圈内的住户比例", "Share of households for a community to be in the circle"),
    "allot_share": Text("可分配面积的住户比例", "Share of households for a site to be allotted"),
    "near_limit_share": Text("临界幅度", "Width of near the limit"),
    "floors_per_building": Text("住宅楼层数（未知时）", "Floors of a building (where not known)"),
    "m2_per_dwelling": Text("每套住房面积", "Floor area of a dwelling"),
    "alpha_elderly": Text("老年人优先权重", "Priority weight of the elderly"),
    "alpha_minors": Text("未成年人优先权重", "Priority weight of minors"),
    "alpha_disabled": Text("残疾人优先权重", "Priority weight of the disabled"),
    "horizon_years": Text("计算年限", "Horizon"),
    "least_site_m2": Text("候选点的最小面积", "Smallest site"),
    "discount_rate": Text("折现率", "Discount rate"),
    "prefer_existing_share": Text("优先利用存量的费用余地", "Cost margin to prefer existing stock"),
}

_UNITS: Mapping[str, Text] = {
    "share": Text("%", "%"),
    "m": Text("米", "m"),
    "m2": Text("平方米", "m²"),
    "min": Text("分钟", "min"),
    "households": Text("户", "households"),
    "communities": Text("个社区", "communities"),
    "wan_yuan": Text("万元", "10,000 yuan"),
    "facilities": Text("处", "facilities"),
    "actions": Text("项", "actions"),
    "gaps": Text("处", "gaps"),
    "m2_per_100_households": Text("平方米/百户", "m² per 100 households"),
}


def assumption_name(name: str) -> Text:
    """Return what an assumption is called, or its own name where this module has none.

    Parameters
    ----------
    name
        The name in the standard, such as ``walking_speed_kmh``.

    Returns
    -------
    Text
        The name as it is printed.
    """
    return ASSUMPTION.get(name, Text(name, name))


def unit_text(unit: str) -> Text:
    """Return the name of one of the outputs' own units.

    Parameters
    ----------
    unit
        One of the unit names that the headline figures use, such as ``m2``.

    Returns
    -------
    Text
        The unit as it is printed.
    """
    return _UNITS[unit]


def say(table: Mapping[str, Text], key: object, lang: Lang) -> str:
    """Return the word for a code, or the code itself where the table has none.

    Parameters
    ----------
    table
        One of this module's tables.
    key
        A code that stands in a data column.
    lang
        ``"zh"`` or ``"en"``.

    Returns
    -------
    str
        What people read.
    """
    text = table.get(str(key))
    return str(key) if text is None else text.to(lang)
