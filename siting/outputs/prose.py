"""The sentences of the report, with their figures, in Chinese and English."""

from __future__ import annotations

from typing import TYPE_CHECKING

from siting.outputs.figures import Figure, headlines, verdict_codes
from siting.outputs.manifest import library_versions
from siting.outputs.numbers import format_figure, format_number, is_missing
from siting.outputs.words import ACQUISITION, PLAN_STATUS, PROOF
from siting.text import Lang, Text

LANGS: tuple[Lang, Lang] = ("zh", "en")

if TYPE_CHECKING:
    from siting.allocation.plan import Plan
    from siting.outputs.results import Results


def asked(results: Results) -> list[Text]:
    """Return what was asked, of whom, by which standard.

    Parameters
    ----------
    results
        What the run found.

    Returns
    -------
    list of Text
        Paragraphs.
    """
    card, tables, standard = results.scorecard, results.tables, results.standard
    kinds = card.communities["area_type"].value_counts()
    urban, rural = int(kinds.get("urban", 0)), int(kinds.get("rural", 0))
    households = float(card.communities["households"].sum())
    counted = int(tables.facilities["service"].isin(standard.counted_services).sum())
    sizes = [
        (f"{zh} {standard.cutoff_m(kind):,.0f} 米", f"{standard.cutoff_m(kind):,.0f} m in {en} communities")
        for kind, zh, en, count in (("urban", "城市社区", "urban", urban), ("rural", "农村社区", "rural", rural))
        if count
    ]
    share = format_number(standard.value("reach_share"), "share")
    speed = standard.value("walking_speed_kmh")
    first = Text(
        f"本报告依据《{standard.name.zh}》（{standard.document}），就 {results.study_name} 回答三个问题：哪些住"
        "户和社区在社区服务的"
        "生活圈之内；哪些社区的综合服务设施面积够用；要达到标准，应在哪里新建、扩建、租借或盘活，做多大，至少花"
        "多少钱。",
        f"Under {standard.name.en} ({standard.document}) this report answers three questions about "
        f"{results.study_name}: who is "
        "inside the circle of community services, who has enough floor area, and what to build, extend, rent "
        "or convert, "
        "where and how big, at least cost.",
    )
    second = Text(
        f"涉及社区 {len(card.communities):,} 个（城市 {urban:,} 个、农村 {rural:,} 个）、{households:,.0f} 户，"
        "现有各类设施 "
        f"{len(tables.facilities):,} 处，其中社区综合服务设施 {counted:,} 处，候选点 {len(tables.candidates):,} 处。",
        f"It covers {len(card.communities):,} communities ({urban:,} urban, {rural:,} rural) with "
        f"{households:,.0f} households, "
        f"{len(tables.facilities):,} existing facilities, {counted:,} of them comprehensive, and "
        f"{len(tables.candidates):,} "
        "candidate sites.",
    )
    third = Text(
        f"距离沿道路网测量，不用直线。生活圈：{'，'.join(zh for zh, _ in sizes)}（步行速度按每小时 {speed:g} 公"
        f"里）。社区内 {share}% 以上的"
        "住户在圈内，才认定该社区在圈内；在圈内且面积够，才算达标；缺资料的写“无法判定”，不当作达标。",
        "Distances run along the network, never as the crow flies. The circle is "
        f"{', '.join(en for _, en in sizes)} (walking at "
        f"{speed:g} km/h). A community is in the circle when {share}% of its households are; it meets the "
        "standard when it is in the "
        "circle and has enough area; where a figure is missing the verdict is unknown, never a pass.",
    )
    return [first, second, third]


def found(results: Results) -> list[Text]:
    """Return the findings as sentences that can be read aloud.

    Parameters
    ----------
    results
        What the run found.

    Returns
    -------
    list of Text
        One sentence a finding.
    """
    figures = {figure.id: figure for figure in headlines(results)}
    codes = verdict_codes(results.scorecard).value_counts()

    def now(name: str, lang: str) -> str:
        figure = figures[name]
        return format_figure(figure.now, figure.unit, "zh" if lang == "zh" else "en", against=figure.target)

    of = format_number(figures["meets"].of, "communities")
    meets = format_number(figures["meets"].now, "communities")
    lines = [
        Text(
            f"{of} 个有住户的社区中，{meets} 个达标；{codes.get('area', 0)} 个只缺面积，{codes.get('reach', 0)} "
            "个只在圈外，"
            f"{codes.get('both', 0)} 个两样都缺，{codes.get('unknown', 0)} 个因缺资料无法判定。",
            f"Of {of} communities with households {meets} meet the standard; {codes.get('area', 0)} lack only area, "
            f"{codes.get('reach', 0)} are only outside the circle, {codes.get('both', 0)} lack both, and "
            f"{codes.get('unknown', 0)} cannot be judged for want of a figure.",
        ),
        Text(
            f"{now('reached_share', 'zh')} 的住户在生活圈内，{now('outside', 'zh')}在圈外；若按直线距离，会以为有 "
            f"{format_figure(figures['reached_share'].straight, 'share', 'zh')}。",
            f"{now('reached_share', 'en')} of households are inside the circle, {now('outside', 'en')} outside; "
            "a straight line would "
            f"have said {format_figure(figures['reached_share'].straight, 'share', 'en')}.",
        ),
    ]
    lines.append(_area(figures))
    if results.plan is not None:
        lines.append(_after(results, results.plan))
    return lines


def _area(figures: dict[str, Figure]) -> Text:
    """Return in a sentence how much floor area there is and how much is missing."""
    area, lack = figures["area_per_100"], figures["missing_m2"]
    standard = [format_figure(area.target, area.unit, lang) for lang in LANGS]
    now = [format_figure(area.now, area.unit, lang, against=area.target) for lang in LANGS]
    missing = [format_figure(lack.now, lack.unit, lang) for lang in LANGS]
    if is_missing(area.now):
        first = Text(
            f"部分设施缺建筑面积，全域每百户面积无法算出（标准是 {standard[0]}）",
            "Some facilities lack their floor area, so the figure per 100 households is unknown (the standard "
            f"is {standard[1]})",
        )
    else:
        first = Text(
            f"每百户社区综合服务设施面积 {now[0]}，标准是 {standard[0]}",
            f"The floor area is {now[1]}; the standard is {standard[1]}",
        )
    if is_missing(lack.now):
        return Text(f"{first.zh}。", f"{first.en}.")
    return Text(f"{first.zh}；{lack.name.zh} {missing[0]}。", f"{first.en}. {lack.name.en}: {missing[1]}.")


def _after(results: Results, plan: Plan) -> Text:
    """Return in one sentence what the plan changes."""
    figures = {figure.id: figure for figure in headlines(results)}
    meets, share, lack = figures["meets"], figures["reached_share"], figures["missing_m2"]

    def both(name: str) -> tuple[str, str]:
        figure = figures[name]
        return format_number(figure.now, figure.unit), format_number(figure.after, figure.unit)

    cost = format_number(plan.total_cost, "wan_yuan", against=plan.budget)
    return Text(
        f"实施方案（{len(plan.actions)} 项，{cost} 万元）后，达标社区由 {both('meets')[0]} 个增至 "
        f"{both('meets')[1]} 个，"
        f"圈内住户由 {format_figure(share.now, 'share', 'zh')} 升至 {format_figure(share.after, 'share', 'zh')}，"
        f"尚缺面积由 {both('missing_m2')[0]} 平方米降至 {format_figure(lack.after, 'm2', 'zh')}。",
        f"With the plan ({len(plan.actions)} actions, {cost} × 10,000 yuan) the communities that meet the "
        "standard go from "
        f"{both('meets')[0]} to {format_number(meets.after, 'communities')}, households in the circle from "
        f"{format_figure(share.now, 'share', 'en')} to {format_figure(share.after, 'share', 'en')}, and the "
        "area missing from "
        f"{both('missing_m2')[0]} to {format_figure(lack.after, 'm2', 'en')}.",
    )


def gaps(results: Results) -> Text:
    """Return how many gaps there are and how much the worst ones hold.

    Parameters
    ----------
    results
        What the run found.

    Returns
    -------
    Text
        One paragraph.
    """
    table = results.scorecard.gaps
    if table.empty:
        return Text("所有住户都在生活圈内，没有缺口。", "Every household is inside a circle; there is no gap.")
    total = float(table["households"].sum())
    worst = float(table.nsmallest(10, "rank")["households"].sum())
    count = min(10, len(table))
    return Text(
        f"圈外住户连成 {len(table):,} 片缺口，共 {total:,.0f} 户；最大的 {count} 片有 {worst:,.0f} 户。",
        f"The households outside every circle form {len(table):,} gaps with {total:,.0f} households; the "
        f"{count} largest hold "
        f"{worst:,.0f}.",
    )


def planned(results: Results, plan: Plan) -> list[Text]:
    """Return what the plan does, what it costs, and how sure it is.

    Parameters
    ----------
    results
        What the run found.
    plan
        The plan.

    Returns
    -------
    list of Text
        Paragraphs.
    """
    counts = {str(key): int(n) for key, n in plan.actions["acquisition"].value_counts().items()}
    zh = "、".join(f"{ACQUISITION[key].zh} {count} 项" for key, count in counts.items() if key in ACQUISITION)
    en = ", ".join(f"{count} {ACQUISITION[key].en.lower()}" for key, count in counts.items() if key in ACQUISITION)
    area = float(plan.actions["area_m2"].sum()) if len(plan.actions) else 0.0
    cost = format_number(plan.total_cost, "wan_yuan", against=plan.budget)
    if plan.budget is None:
        budget = Text("未设预算上限", "no budget was set")
    else:
        limit = format_number(plan.budget, "wan_yuan", against=plan.total_cost)
        budget = Text(f"预算 {limit} 万元", f"the budget is {limit} × 10,000 yuan")
    status = PLAN_STATUS[plan.status]
    if not len(plan.actions):
        return [
            Text(
                f"方案没有选任何一项（{budget.zh}）。{status.zh}。",
                f"The plan chooses no action ({budget.en}): {status.en}.",
            )
        ]
    proof = how_sure(plan)
    return [
        Text(
            f"方案共 {len(plan.actions)} 项：{zh}，合计 {area:,.0f} 平方米，费用 {cost} 万元（{budget.zh}）。"
            f"{status.zh}；{proof.zh}。",
            f"The plan has {len(plan.actions)} actions: {en}; {area:,.0f} m² in all, at {cost} × 10,000 yuan "
            f"({budget.en}). "
            f"Its state: {status.en}; {proof.en}.",
        )
    ]


def how_sure(plan: Plan) -> Text:
    """Return how sure the stages of a plan are, in one clause.

    Parameters
    ----------
    plan
        The plan.

    Returns
    -------
    Text
        Proven, within the gap asked, or how many stages are neither and why.
    """
    if plan.proven:
        return Text("各步都已证明最优", "every stage is proven")
    if plan.settled:
        return Text("各步都已证明最优或在要求的差距之内", "every stage is proven or within the gap asked")
    left = [stage for stage in plan.stages if not stage.settled]
    why = PROOF[left[0].proof if len({stage.proof for stage in left}) == 1 else "open"]
    return Text(
        f"有 {len(left)} 步{why.zh}，差距见下表",
        f"{len(left)} stage{'s' * (len(left) != 1)} {why.en}; see the gaps below",
    )


def blocked(plan: Plan) -> Text:
    """Return how many communities remain below the standard and why.

    Parameters
    ----------
    plan
        The plan.

    Returns
    -------
    Text
        One paragraph.
    """
    if plan.blocked.empty:
        return Text("要求的都做到了。", "Everything asked is met.")
    count = int(plan.blocked["community_id"].nunique())
    return Text(
        f"有 {count} 个社区在本方案之后仍不达标，原因如下。要改变它，需要新的候选点、更大的面积或更多的预算。",
        f"{count} communities stay below the standard after this plan, for the reasons below. To change that "
        "takes new candidates, "
        "more area or a larger budget.",
    )


def footer(results: Results) -> Text:
    """Return how the report came about.

    Parameters
    ----------
    results
        What the run found.

    Returns
    -------
    Text
        One line.
    """
    version = library_versions().get("siting", "")
    return Text(
        f"由 siting {version} 生成。同一份研究文件得到同样的结果；输入文件的校验值与全部设置见 run.json，逐行数"
        "据见 scorecard.xlsx，"
        "离线地图见 map.html，图层见 coverage.gpkg。",
        f"Made by siting {version}. The same study gives the same result; hashes of the inputs and all settings "
        "are in run.json, every "
        "row in scorecard.xlsx, the offline map in map.html, the layers in coverage.gpkg.",
    )
