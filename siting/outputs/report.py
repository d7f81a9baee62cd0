"""The printable report: one page file, read like a document that an official can read aloud."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from siting.outputs import background, choices, findings, planned, prose, spread
from siting.outputs.atomic import whole_file
from siting.outputs.charts import curve_chart
from siting.outputs.drawing import coverage_drawing
from siting.outputs.figures import headlines
from siting.outputs.markup import Html, element
from siting.outputs.numbers import format_figure, is_missing
from siting.outputs.plain import clean_text
from siting.outputs.report_tables import more, sheet_table, wide
from siting.outputs.sheet import Sheet
from siting.outputs.styles import VERDICT_COLOURS
from siting.outputs.words import VERDICT
from siting.text import Lang, Text

if TYPE_CHECKING:
    from siting.outputs.results import Results

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_MANY = 15
_FEWEST_TOWNSHIPS = 2

# which columns of a workbook table the report prints: a page is narrower than a sheet
_INDICATOR_COLUMNS = (1, 3, 4, 5, 6, 7, 11, 12, 18)
_GAP_COLUMNS = (0, 1, 2, 3, 4, 5)
_ACTION_COLUMNS = (0, 1, 4, 6, 10, 11, 12, 15, 16)
_BLOCKED_COLUMNS = (1, 2, 4, 5, 6, 7)
_NEAR_COLUMNS = (1, 2, 3, 4, 5, 6, 7)


def write_report(results: Results, path: str | Path, *, lang: Lang = "zh", force: bool = False) -> None:
    """Write the report as one self-contained page, ready to print.

    Parameters
    ----------
    results
        What the run found.
    path
        The .html file.
    lang
        The language of the report.
    force
        Replace a file that is there.

    Raises
    ------
    OutputError
        If the file exists and ``force`` is off, or it cannot be written.
    """
    page = report_page(results, lang)
    with whole_file(path, force=force, suffix=".html") as work:
        work.write_text(page, encoding="utf-8", newline="\n")


def report_page(results: Results, lang: Lang = "zh") -> str:
    """Return the report as HTML without a script and without an address.

    Parameters
    ----------
    results
        What the run found.
    lang
        The language of the report.

    Returns
    -------
    str
        A whole page; the same results give the same text.
    """
    title = Text("社区服务设施覆盖与规划报告", "Coverage and plan of community service facilities")
    standard = results.standard
    parts = [
        _asked(results, lang),
        _found(results, lang),
        _maps(results, lang),
        _table(Text("指标对照", "Indicators"), _county(findings.indicator_sheet(results, lang), lang), lang,
               _INDICATOR_COLUMNS),
        _townships(results, lang),
        _gaps(results, lang),
        _plan(results, lang),
        _near(results, lang),
        _basis(results, lang),
    ]  # fmt: skip
    numbered = [section(number) for number, section in enumerate([p for p in parts if p is not None], start=1)]
    body = element(
        "main",
        element(
            "header",
            element("p", results.study_name, class_="study"),
            element("h1", title.to(lang)),
            element("p", f"{standard.name.to(lang)}　{standard.document}", class_="standard"),
        ),
        numbered,
        element("footer", prose.footer(results).to(lang)),
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{results.study_name} · {title.to(lang)}"),
        element("style", Html(_style())),
    )
    page = element("html", head, element("body", body), lang="zh-CN" if lang == "zh" else "en")
    return f"<!DOCTYPE html>\n{page}\n"


@lru_cache(maxsize=1)
def _style() -> str:
    """Return the style sheet."""
    return (files("siting.outputs") / "report.css").read_text(encoding="utf-8")


class _Section:
    """A numbered part of the report."""

    def __init__(self, name: Text, lang: Lang, *content: Any) -> None:
        self._name, self._lang, self._content = name, lang, content

    def __call__(self, number: int) -> Html:
        """Return the part under its number."""
        mark = f"{'一二三四五六七八九十'[number - 1]}、" if self._lang == "zh" else f"{number}. "
        return element("section", element("h2", mark + self._name.to(self._lang)), *self._content)


def _asked(results: Results, lang: Lang) -> _Section:
    """Return what was asked, of whom, and by which standard."""
    return _Section(
        Text("要回答的问题", "What was asked"), lang, [element("p", t.to(lang)) for t in prose.asked(results)]
    )


def _found(results: Results, lang: Lang) -> _Section:
    """Return the headline figures, first as sentences and then as a table with sources."""
    rows = [
        element(
            "tr",
            element("th", figure.name.to(lang), scope="row"),
            element("td", _digits(figure, figure.now, lang), class_="number"),
            None if results.plan is None else element("td", _digits(figure, figure.after, lang), class_="number after"),
            element("td", _aside(figure, lang)),
            element("td", figure.source.to(lang), class_="source"),
        )
        for figure in headlines(results)
    ]
    heads = [Text("数字", "Figure"), Text("现状", "Now"), Text("方案后", "After the plan"), Text("对照", "Compare"),
             Text("依据", "Source")]  # fmt: skip
    if results.plan is None:
        del heads[2]
    return _Section(
        Text("主要结论", "What was found"),
        lang,
        element("ul", [element("li", text.to(lang)) for text in prose.found(results)], class_="aloud"),
        wide(
            element("thead", element("tr", [element("th", head.to(lang), scope="col") for head in heads])),
            element("tbody", rows),
        ),
    )


def _digits(figure: Any, value: float, lang: Lang) -> str:
    """Return a headline's figure with its unit."""
    return format_figure(value, figure.unit, lang, against=figure.target)


def _aside(figure: Any, lang: Lang) -> str:
    """Return what a headline's figure is read against."""
    parts = []
    if not is_missing(figure.of):
        parts.append(Text("共", "of").to(lang) + " " + format_figure(figure.of, figure.unit, lang))
    if not is_missing(figure.target):
        parts.append(Text("目标", "target").to(lang) + " " + format_figure(figure.target, figure.unit, lang))
    if not is_missing(figure.straight):
        parts.append(
            Text("直线口径", "by straight line").to(lang) + " " + format_figure(figure.straight, figure.unit, lang)
        )
    return ("；" if lang == "zh" else "; ").join(parts)


def _maps(results: Results, lang: Lang) -> _Section:
    """Return the maps: now, and after the plan."""
    now = Text("现状", "Now")
    pictures = [_picture(results, lang, now, after=False)]
    if results.plan is not None:
        pictures.append(_picture(results, lang, Text("方案实施后", "After the plan"), after=True))
    keys = [
        element("span", element("i", class_="swatch", style=f"background:{VERDICT_COLOURS[key]}"), text.to(lang))
        for key, text in VERDICT.items()
    ]
    marks = [
        ("station", Text("社区综合服务设施", "comprehensive facility")),
        ("home", Text("圈外住户", "home outside every circle")),
        ("circle", Text("现有生活圈", "circles today")),
    ]
    if results.plan is not None:
        marks += [
            ("ring", Text("方案增加的生活圈", "circles added by the plan")),
            ("new", Text("新增点位", "new site")),
            ("grow", Text("扩建", "extension")),
        ]
    keys += [element("span", element("i", class_=f"mark {name}"), text.to(lang)) for name, text in marks]
    return _Section(Text("覆盖图", "Maps"), lang, element("div", keys, class_="legend"), pictures)


def _picture(results: Results, lang: Lang, name: Text, *, after: bool) -> Html:
    """Return one map with its caption."""
    drawing = coverage_drawing(results, after=after, label=f"{results.study_name} {name.to(lang)}")
    return element("figure", drawing, element("figcaption", name.to(lang)))


def _county(sheet: Sheet, lang: Lang) -> Sheet:
    """Return the indicators of the county alone."""
    from siting.outputs.words import LEVEL

    rows = tuple(row for row in sheet.rows if row[2] == LEVEL["county"].to(lang))
    return Sheet(sheet.name, sheet.about, sheet.columns, rows, status_columns=sheet.status_columns, empty=sheet.empty)


def _townships(results: Results, lang: Lang) -> _Section | None:
    """Return the sums by township; nothing where the communities name at most one."""
    sheet = spread.township_sheet(results, lang)
    if len(sheet.rows) < _FEWEST_TOWNSHIPS:
        return None
    return _table(sheet.name, sheet, lang, range(len(sheet.columns)))


def _gaps(results: Results, lang: Lang) -> _Section:
    """Return the worst gaps and the communities that fail worst."""
    sheet = spread.gap_sheet(results, lang)
    return _Section(
        Text("最严重的缺口", "The worst gaps"),
        lang,
        element("p", prose.gaps(results).to(lang)),
        sheet_table(sheet, lang, _GAP_COLUMNS, most=_MANY),
    )


def _plan(results: Results, lang: Lang) -> _Section | None:
    """Return the plan: what it does and costs, how good it is proven to be, and what it cannot do."""
    plan = results.plan
    if plan is None:
        return None
    return _Section(
        Text("规划方案", "The plan"),
        lang,
        [element("p", text.to(lang)) for text in prose.planned(results, plan)],
        sheet_table(choices.acquisition_sheet(plan, lang), lang, range(4)) if len(plan.actions) else None,
        element("h3", Text("逐项措施", "Action by action").to(lang)),
        sheet_table(planned.action_sheet(results, plan, lang), lang, _ACTION_COLUMNS),
        element("h3", Text("离最好还有多远", "How good it is").to(lang)),
        element("p", planned.stage_sheet(plan, lang).about.to(lang)),
        sheet_table(planned.stage_sheet(plan, lang), lang, (0, 2, 3, 4, 5, 6)),
        [
            part
            for sheet in choices.choice_sheets(results, plan, lang)
            for part in (
                element("h3", sheet.name.to(lang)),
                element("p", sheet.about.to(lang)),
                None
                if sheet.chart is None or plan.curve is None
                else element("figure", curve_chart(plan.curve, lang, chosen=plan.total_cost)),
                sheet_table(sheet, lang, range(len(sheet.columns)), most=3 * _MANY),
            )
        ],
        element("h3", Text("未能做到的", "What could not be done").to(lang)),
        element("p", prose.blocked(plan).to(lang)),
        None
        if plan.blocked.empty
        else sheet_table(planned.blocked_sheet(results, plan, lang), lang, _BLOCKED_COLUMNS, most=3 * _MANY),
    )


def _near(results: Results, lang: Lang) -> _Section:
    """Return what to check first: issues, verdicts near the limit, places off the network."""
    sheet = background.issue_sheet(results, lang)
    serious = [issue for issue in background.sorted_issues(results) if issue.severity != "note"]
    lines = [element("li", clean_text(issue.line(lang), limit=400)) for issue in serious[:_MANY]]
    parts: list[Any] = [
        element("h3", Text("资料中的提醒", "Warnings about the inputs").to(lang)),
        element("p", sheet.about.to(lang)),
        element("ul", lines, class_="issues") if lines else element("p", sheet.empty.to(lang), class_="none"),
        more(len(serious) - len(lines), sheet, lang),
    ]
    near, off = findings.near_limit_sheet(results, lang), background.unroutable_sheet(results, lang)
    for sheet, columns in ((near, _NEAR_COLUMNS), (off, (0, 1, 2))):
        parts += [
            element("h3", sheet.name.to(lang)),
            element("p", sheet.about.to(lang)),
            sheet_table(sheet, lang, columns, most=_MANY),
        ]
    return _Section(Text("请先核实", "To be checked first"), lang, parts)


def _basis(results: Results, lang: Lang) -> _Section:
    """Return the definitions, the assumptions and the inputs."""
    sheet = background.assumption_sheet(results, lang)
    parts: list[Any] = []
    for kind in dict.fromkeys(row[0] for row in sheet.rows):
        rows = tuple(row for row in sheet.rows if row[0] == kind)
        part = Sheet(sheet.name, sheet.about, sheet.columns, rows)
        parts += [element("h3", kind), sheet_table(part, lang, (1, 2, 3))]
    inputs = background.input_sheet(results, lang)
    return _Section(
        Text("定义、规则、假设与资料", "Definitions, rules, assumptions, inputs"),
        lang,
        parts,
        element("h3", inputs.name.to(lang)),
        element("p", background.spread_note(results).to(lang)),
        sheet_table(inputs, lang, range(6)),
    )


def _table(name: Text, sheet: Sheet, lang: Lang, columns: Sequence[int]) -> _Section:
    """Return a part that is one table."""
    return _Section(name, lang, element("p", sheet.about.to(lang)), sheet_table(sheet, lang, columns))
