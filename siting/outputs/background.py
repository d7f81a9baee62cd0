"""The tables of what lies behind the figures: definitions, rules, assumptions, inputs, issues, places off the roads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from siting.outputs.figures import both_languages, cite
from siting.outputs.sheet import Column, Sheet, rows_of
from siting.outputs.words import AREA_TYPE, ASSUMPTION, GROUP, ROLE, SEVERITY, SPREAD, say
from siting.standards.table import show_assumption
from siting.text import Lang, Text

if TYPE_CHECKING:
    from siting.errors import Issue
    from siting.outputs.results import Results

DEFINITIONS: tuple[tuple[Text, Text], ...] = (
    (
        Text("距离", "Distance"),
        Text(
            "沿道路网从家门口到设施门口的最短路，两端按实际位置计，含离开道路的一段；不是直线距离。",
            "The shortest way along the network from door to door, both ends at their exact place, the "
            "off-road legs included; "
            "never a straight line.",
        ),
    ),
    (
        Text("在圈内（住户）", "In the circle (a home)"),
        Text(
            "住户到最近的社区综合服务设施的距离不超过生活圈半径；正好等于也算在圈内。",
            "The distance to the nearest comprehensive facility is at most the circle's; equal is inside.",
        ),
    ),
    (
        Text("在圈内（社区）", "In the circle (a community)"),
        Text(
            "社区内在圈住户的比例达到“认定比例”（见假设）才算在圈内。",
            "At least the share of its households named among the assumptions is inside.",
        ),
    ),
    (
        Text("每百户面积", "Area per 100 households"),
        Text(
            "分配给该社区的社区综合服务设施建筑面积 ÷ 户数 × 100。一处设施分给各社区的面积之和不超过它的建筑面积。",
            "The floor area of comprehensive facilities allotted to the community / households × 100. What is "
            "allotted of one "
            "facility never exceeds its floor area.",
        ),
    ),
    (
        Text("共享口径", "Shared area"),
        Text(
            "设施面积由所有够得着它的住户平分（两步移动搜索法），供参考，不作判定。",
            "Each facility's area over all households in reach of it (2SFCA); for comparison, never the verdict.",
        ),
    ),
    (
        Text("达标", "Meets the standard"),
        Text(
            "既在圈内又有足够面积。缺资料而无法判定的，写“无法判定”，不当作达标。",
            "In the circle and with enough floor area. Where a figure is missing the verdict is unknown, never a pass.",
        ),
    ),
    (
        Text("直线口径", "By straight line"),
        Text(
            "同一数字若按直线距离计算会是多少；两者之差就是只画圆圈会看不见的部分。",
            "What the same figure would be by straight line; the difference is what drawing circles would hide.",
        ),
    ),
    (
        Text("界限", "Bound"),
        Text(
            "在已定的前几步之下，任何方案都不可能超过的值；方案与界限相差多少，就最多还有多少改进余地。",
            "What no plan can better given the earlier stages; the gap to it is the most that could still be gained.",
        ),
    ),
)


def assumption_sheet(results: Results, lang: Lang) -> Sheet:
    """Return the definitions, rules, circles and assumptions with their sources.

    Parameters
    ----------
    results
        What the run found.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        One row an entry.
    """
    standard = results.standard
    services = {service.id: service.name.to(lang) for service in standard.services}
    kinds = [Text("定义", "Definition"), Text("规则", "Rule"), Text("生活圈", "Circle"), Text("假设", "Assumption")]
    rows: list[tuple[Any, ...]] = [(kinds[0].to(lang), name.to(lang), text.to(lang), "") for name, text in DEFINITIONS]
    for rule in standard.rules:
        ratio = f"{rule.numerator.to(lang)} / {rule.denominator.to(lang)}".strip(" /")
        rows.append((kinds[1].to(lang), rule.name.to(lang), ratio, quoted(cite(rule).to(lang), rule.quotation)))
    for circle in standard.circles:
        size = (
            Text(f"步行 {circle.minutes:g} 分钟", f"{circle.minutes:g} min on foot")
            if circle.minutes is not None
            else Text(f"{circle.distance_m:,.0f} 米", f"{circle.distance_m:,.0f} m")
        )
        service = services.get(circle.service, Text("各类服务", "every service").to(lang))
        name = f"{say(AREA_TYPE, circle.area_type, lang)} · {service} · {say(GROUP, circle.group, lang)}"
        source = both_languages(circle.source).to(lang)
        place = " ".join(part for part in (circle.document, circle.clause, source) if part)
        rows.append((kinds[2].to(lang), name, size.to(lang), quoted(place, circle.quotation)))
    rows += [
        (
            kinds[3].to(lang),
            say(ASSUMPTION, assumption.name, lang),
            show_assumption(assumption, lang),
            both_languages(assumption.source).to(lang),
        )
        for assumption in standard.assumptions.values()
    ]
    return Sheet(
        Text("说明", "Definitions"),
        Text(
            "本结果用到的定义、规则、生活圈半径和假设，逐条注明出处。有争议的数字可在研究文件中改。",
            "The definitions, rules, circles and assumptions behind the figures, each with its source.",
        ),
        (
            Column(Text("类别", "Kind"), "text", 10),
            Column(Text("名称", "Name"), "wrapped", 34),
            Column(Text("内容", "Content"), "wrapped", 60),
            Column(Text("出处", "Source"), "wrapped", 60),
        ),
        tuple(rows),
        frozen=2,
    )


def sorted_issues(results: Results) -> list[Issue]:
    """Return the issues of a run, errors first, then warnings, then notes.

    Parameters
    ----------
    results
        What the run found.

    Returns
    -------
    list of Issue
        In the order they were found within each severity.
    """
    order = {"error": 0, "warning": 1, "note": 2}
    return sorted(results.issues, key=lambda issue: order[issue.severity])


def issue_sheet(results: Results, lang: Lang) -> Sheet:
    """Return every fault found in the inputs and everything that was mended.

    Parameters
    ----------
    results
        What the run found.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        Errors first, then warnings, then notes.
    """
    return Sheet(
        Text("问题清单", "Issues"),
        Text(
            "读入资料时发现的问题和所做的修补。行号是原表格中的行号；“提醒”可能影响数字，请核实。",
            "What was found wrong in the inputs and what was mended. Rows are numbered as in the file.",
        ),
        (
            Column(Text("级别", "Severity"), "text", 8),
            Column(Text("文件", "File"), "text", 26),
            Column(Text("工作表", "Sheet"), "text", 12),
            Column(Text("行", "Row"), "whole", 8),
            Column(Text("列", "Column"), "text", 14),
            Column(Text("值", "Value"), "wrapped", 24),
            Column(Text("问题", "Problem"), "wrapped", 60),
            Column(Text("办法", "Cure"), "wrapped", 50),
        ),
        tuple(
            (
                say(SEVERITY, issue.severity, lang),
                Path(issue.file).name,
                issue.sheet,
                issue.row,
                issue.column,
                issue.value,
                issue.problem.to(lang),
                issue.cure.to(lang),
            )
            for issue in sorted_issues(results)
        ),
        empty=Text("没有发现问题。", "No fault was found."),
    )


def input_sheet(results: Results, lang: Lang) -> Sheet:
    """Return the input files: rows read and kept, encoding, datum, and the hash that proves which file it was.

    Parameters
    ----------
    results
        What the run found.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        One row a file.
    """
    table = pd.DataFrame(
        [
            {
                "role": say(ROLE, record.role, lang),
                "file": Path(record.path).name,
                "read": record.rows_read,
                "kept": record.rows_kept,
                "encoding": record.encoding or "",
                "datum": record.datum or "",
                "sha256": record.sha256,
            }
            for record in results.records
        ],
        columns=["role", "file", "read", "kept", "encoding", "datum", "sha256"],
    )
    return Sheet(
        Text("资料来源", "Inputs"),
        Text("本次运行读入的文件。SHA-256 用来证明用的是哪一份。", "The files of this run; the hash proves which."),
        (
            Column(Text("用途", "Role"), "text", 12),
            Column(Text("文件", "File"), "wrapped", 36),
            Column(Text("读入行数", "Rows read"), "whole", 10),
            Column(Text("采用行数", "Rows kept"), "whole", 10),
            Column(Text("编码", "Encoding"), "text", 12),
            Column(Text("坐标系", "Datum"), "text", 10),
            Column(Text("SHA-256", "SHA-256"), "wrapped", 66),
        ),
        rows_of(table, "role", "file", "read", "kept", "encoding", "datum", "sha256"),
    )


def unroutable_sheet(results: Results, lang: Lang) -> Sheet:
    """Return the places that lie too far from every road; they are never counted as covered.

    Parameters
    ----------
    results
        What the run found.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        One row a place.
    """
    limit = results.standard.value("snap_limit_m")
    return Sheet(
        Text("离路太远", "Off the network"),
        Text(
            f"离最近可走道路超过 {limit:g} 米的地点：无法量距，一律不算在圈内。请核对坐标或补画道路。",
            f"Places farther than {limit:g} m from any usable road: not measured, never covered. Check the "
            "point, or add the road.",
        ),
        (
            Column(Text("用途", "Role"), "text", 14),
            Column(Text("代码", "Id"), "text", 24),
            Column(Text("离路（米）", "Distance to a road (m)"), "whole", 14),
        ),
        rows_of(results.scorecard.unroutable, lambda row: say(ROLE, row.role, lang), "id", "distance_m"),
        empty=Text("没有：所有地点都接上了道路网。", "None: every place is on the network."),
    )


def carried_sheet(results: Results, lang: Lang) -> Sheet:
    """Return the places that join a road farther away because the nearest piece of road leads nowhere.

    Parameters
    ----------
    results
        What the run found.
    lang
        The language of the cells.

    Returns
    -------
    Sheet
        One row a place, with both distances.
    """
    length = results.standard.value("min_piece_km")
    return Sheet(
        Text("改接道路", "Carried"),
        Text(
            f"离得最近的道路是总长不足 {length:g} 公里的孤立路段，因而改接到更远的道路。请核对该路段是否漏画了连接。",
            f"The nearest road is part of an isolated piece shorter than {length:g} km, so the place joins one "
            "farther "
            "away. Check whether a link is missing on the map.",
        ),
        (
            Column(Text("用途", "Role"), "text", 14),
            Column(Text("代码", "Id"), "text", 24),
            Column(Text("改接后离路（米）", "To the road it joins (m)"), "whole", 16),
            Column(Text("最近道路（米）", "To the nearest road (m)"), "whole", 16),
        ),
        rows_of(results.scorecard.carried, lambda row: say(ROLE, row.role, lang), "id", "distance_m", "without_m"),
    )


def spread_note(results: Results) -> Text:
    """Return in one sentence how the households were placed.

    Parameters
    ----------
    results
        What the run found.

    Returns
    -------
    Text
        How many communities by which way.
    """
    counts = pd.Series(list(results.demand.method), dtype=object).value_counts()
    parts = [(SPREAD.get(str(method), Text(str(method), str(method))), int(count)) for method, count in counts.items()]
    zh = "、".join(f"{count} 个社区按{name.zh}" for name, count in parts)
    en = ", ".join(f"{count} communities by {name.en}" for name, count in parts)
    return Text(
        f"住户位置：{zh}，共 {len(results.demand):,} 个住户点。",
        f"Where the households are: {en}; {len(results.demand):,} points in all.",
    )


def quoted(place: str, quotation: str) -> str:
    """Return a citation with its words.

    Parameters
    ----------
    place
        Document and clause.
    quotation
        The words there; empty for none.

    Returns
    -------
    str
        Both in one cell.
    """
    return f"{place}：“{quotation}”" if quotation else place


def count_issues(results: Results, severities: Iterable[str]) -> int:
    """Return how many issues have one of some severities.

    Parameters
    ----------
    results
        What the run found.
    severities
        Such as ``("error", "warning")``.

    Returns
    -------
    int
        The number of issues.
    """
    wanted = set(severities)
    return sum(issue.severity in wanted for issue in results.issues)
