"""The Excel workbook, in the form of the policy annex."""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from siting.outputs import background, choices, findings, planned, spread
from siting.outputs.atomic import whole_file
from siting.outputs.numbers import format_number, is_missing
from siting.outputs.plain import clean_text, sheet_name
from siting.outputs.sheet import Column, Share, Sheet, is_blank
from siting.outputs.styles import CIRCLE_COLOUR, PLAN_COLOUR
from siting.outputs.words import STATUS, VERDICT
from siting.text import Lang

if TYPE_CHECKING:
    from siting.outputs.results import Results

_FORMATS = {
    "whole": "#,##0",
    "number": "#,##0.0",
    "ratio": "0.000",
    "share": "0.0%",
    "money": "#,##0.0#",
    "degrees": "0.000000",
}
_WIDTHS = {"text": 14.0, "wrapped": 40.0}
_NUMBER_WIDTH = 12.0
_FONT = "微软雅黑"
_INK, _HEAD, _LINE, _SOFT = "#1F2933", "#1F4E79", "#C9D1D9", "#F3F6F9"
# colour-blind safe: blue for good, orange for bad, grey for not known; the word stands in the cell as well
_STATUS_COLOURS = {"good": ("#DCEBF7", "#0B4F8A"), "bad": ("#FCE4D0", "#9C3A00"), "open": ("#ECEFF1", "#4A5560")}
_CHART_COLOURS = (CIRCLE_COLOUR, PLAN_COLOUR)
_HEADING_ROW = 3
_A3, _A4, _WIDE = 8, 9, 14
_CHART_ROWS = 23
_LINE_POINTS, _MOST_LINES = 15, 12


def sheets_of(results: Results, lang: Lang) -> list[Sheet]:
    """Return every table of the workbook in its order.

    Parameters
    ----------
    results
        What the run found.
    lang
        The language of the cells.

    Returns
    -------
    list of Sheet
        The plan's tables only when there is a plan, the optional ones only when they have rows.
    """
    plan = results.plan
    sheets = [
        findings.indicator_sheet(results, lang),
        findings.scorecard_sheet(results, lang),
        findings.failure_sheet(results, lang),
    ]
    if plan is not None:
        sheets += [
            planned.action_sheet(results, plan, lang),
            planned.allotment_sheet(results, plan, lang),
            planned.stage_sheet(plan, lang),
            planned.blocked_sheet(results, plan, lang),
        ]
        optional = [planned.left_out_sheet(plan, lang), *choices.choice_sheets(results, plan, lang)]
        sheets += [sheet for sheet in optional if sheet.rows]
    townships = spread.township_sheet(results, lang)
    sheets += [
        *([townships] if townships.rows else []),
        spread.gap_sheet(results, lang),
        spread.service_sheet(results, lang),
        spread.equity_sheet(results, lang),
        findings.near_limit_sheet(results, lang),
        background.unroutable_sheet(results, lang),
        *([background.carried_sheet(results, lang)] if len(results.scorecard.carried) else []),
        background.issue_sheet(results, lang),
        background.assumption_sheet(results, lang),
        background.input_sheet(results, lang),
    ]
    return sheets


def write_workbook(results: Results, path: str | Path, *, lang: Lang = "zh", force: bool = False) -> None:
    """Write the workbook; text that looks like a formula or an address stays text.

    Parameters
    ----------
    results
        What the run found.
    path
        The .xlsx file.
    lang
        The language of headings and cells.
    force
        Replace a file that is there.

    Raises
    ------
    OutputError
        If the file exists and ``force`` is off, or it cannot be written.
    """
    from xlsxwriter.exceptions import XlsxWriterException

    with whole_file(path, force=force, suffix=".xlsx", faults=(XlsxWriterException,)) as work:
        _write_book(results, work, lang)


def _write_book(results: Results, path: Path, lang: Lang) -> None:
    """Write every sheet to a path that is not there yet."""
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        # a fixed date: the same results give the same bytes
        book.set_properties(
            {"title": clean_text(results.study_name, limit=200), "created": datetime.datetime(2000, 1, 1)}
        )
        formats = _Formats(book)
        taken: set[str] = set()
        for sheet in sheets_of(results, lang):
            _write_sheet(book, formats, sheet, sheet_name(sheet.name.to(lang), taken), results, lang)


class _Formats:
    """The cell formats of one workbook, each made once."""

    def __init__(self, book: Any) -> None:
        self._book, self._made = book, {}  # type: ignore[var-annotated]

    def get(self, **properties: Any) -> Any:
        """Return the format with these properties on top of the house's font."""
        key = tuple(sorted(properties.items()))
        if key not in self._made:
            base = {"font_name": _FONT, "font_size": 10, "font_color": _INK, "valign": "top"}
            self._made[key] = self._book.add_format({**base, **properties})
        return self._made[key]


def _write_sheet(book: Any, formats: _Formats, sheet: Sheet, name: str, results: Results, lang: Lang) -> None:
    """Write one table with its title, its line of explanation, its headings and its print set-up."""
    page = book.add_worksheet(name)
    last = len(sheet.columns) - 1
    title = f"{clean_text(results.study_name, limit=120)} · {sheet.name.to(lang)}"
    page.set_row(0, 26)
    page.write_string(0, 0, title, formats.get(bold=True, font_size=15, font_color=_HEAD, valign="vcenter"))
    page.write_string(1, 0, sheet.about.to(lang), formats.get(font_color="#52606D"))
    heading = formats.get(
        bold=True, font_color="#FFFFFF", bg_color=_HEAD, text_wrap=True, valign="vcenter", align="center", border=1,
        border_color=_LINE,
    )  # fmt: skip
    page.set_row(_HEADING_ROW, 33)
    for number, column in enumerate(sheet.columns):
        page.write_string(_HEADING_ROW, number, column.heading.to(lang), heading)
        # a column without a single figure keeps its place but is not in the way
        empty = bool(sheet.rows) and all(is_blank(row[number]) for row in sheet.rows)
        page.set_column(
            number, number, column.width or _WIDTHS.get(column.kind, _NUMBER_WIDTH), None, {"hidden": empty}
        )
    first = _HEADING_ROW + 1
    if not sheet.rows:
        page.write_string(first, 0, sheet.empty.to(lang), formats.get(italic=True, font_color="#52606D"))
    for offset, row in enumerate(sheet.rows):
        is_total = sheet.total and offset == len(sheet.rows) - 1
        page.set_row(first + offset, _LINE_POINTS * _lines(sheet.columns, row) + 2)
        for number, (column, value) in enumerate(zip(sheet.columns, row, strict=True)):
            look = _look(column, value, offset, is_total, number in sheet.status_columns, lang)
            _write_cell(page, first + offset, number, value, formats.get(**look))
    page.freeze_panes(first, min(sheet.frozen, last))
    if sheet.chart is not None and sheet.rows:
        _insert_chart(book, page, sheet, lang)
    data_rows = len(sheet.rows) - int(sheet.total)
    if data_rows > 0:
        page.autofilter(_HEADING_ROW, 0, _HEADING_ROW + data_rows, last)
    _set_print(page, sheet, name, title, first + max(len(sheet.rows), 1) - 1)


def _lines(columns: tuple[Column, ...], row: tuple[Any, ...]) -> int:
    """Return how many lines the longest wrapped text of a row takes; a Chinese character is two wide."""
    most = 1
    for column, value in zip(columns, row, strict=True):
        if column.kind == "wrapped" and isinstance(value, str):
            room = (column.width or _WIDTHS["wrapped"]) - 3
            wide = sum(2 if east_asian_width(letter) in "WF" else 1 for letter in value)
            most = max(most, math.ceil(wide / room))
    return min(most, _MOST_LINES)


def _insert_chart(book: Any, page: Any, sheet: Sheet, lang: Lang) -> None:
    """Put a chart of some columns below the table."""
    assert sheet.chart is not None
    across, up = sheet.chart
    first, last = _HEADING_ROW + 1, _HEADING_ROW + len(sheet.rows)
    chart = book.add_chart({"type": "scatter", "subtype": "straight_with_markers"})
    for number, column in enumerate(up):
        chart.add_series(
            {
                "name": sheet.columns[column].heading.to(lang),
                "categories": [page.name, first, across, last, across],
                "values": [page.name, first, column, last, column],
                "line": {"color": _CHART_COLOURS[number], "dash_type": "solid" if number == 0 else "dash"},
                "marker": {"type": "circle" if number == 0 else "none", "fill": {"color": _CHART_COLOURS[number]}},
            }
        )
    chart.set_x_axis({"name": sheet.columns[across].heading.to(lang), "num_format": "#,##0"})
    chart.set_y_axis({"num_format": "#,##0", "major_gridlines": {"visible": True, "line": {"color": _LINE}}})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 760, "height": 380})
    page.insert_chart(last + 2, 0, chart)


def _look(column: Column, value: Any, offset: int, is_total: bool, is_status: bool, lang: Lang) -> dict[str, Any]:
    """Return the properties of one cell's format."""
    look: dict[str, Any] = {"border": 1, "border_color": _LINE}
    if offset % 2:
        look["bg_color"] = _SOFT
    if isinstance(value, Share):
        look["num_format"] = _share_format(value)
    elif column.kind in _FORMATS:
        look["num_format"] = _FORMATS[column.kind]
    elif column.kind in ("text", "wrapped"):
        look |= {"align": "left", "indent": 1, "text_wrap": column.kind == "wrapped"}
    if is_status and value:
        look["bg_color"], look["font_color"] = _STATUS_COLOURS[_mood(str(value), lang)]
    if is_total:
        look |= {"bold": True, "top": 2}
    return look


def _share_format(value: Share) -> str:
    """Return a number format with as many decimals as it takes not to round across the target."""
    digits = format_number(value.value, "share" if value.share else "m2_per_100_households", against=value.against)
    decimals = len(digits.partition(".")[2])
    return f"#,##0.{'0' * max(decimals, 1)}" + ("%" if value.share else "")


def _mood(word: str, lang: Lang) -> str:
    """Return whether a status word is good, bad or open."""
    if word in (STATUS["pass"].to(lang), VERDICT["meets"].to(lang)):
        return "good"
    neutral = [*(STATUS[key] for key in ("unknown", "not_applicable")), VERDICT["unknown"], VERDICT["not_applicable"]]
    return "open" if word in [text.to(lang) for text in neutral] else "bad"


def _write_cell(page: Any, row: int, column: int, value: Any, look: Any) -> None:
    """Write one cell: numbers as numbers, everything else as text that no spreadsheet runs."""
    if isinstance(value, Share):
        value = None if is_missing(value.value) else value.value
    if is_blank(value):
        page.write_blank(row, column, None, look)
    elif isinstance(value, int | float):
        page.write_number(row, column, value, look)
    else:
        page.write_string(row, column, clean_text(value), look)


def _set_print(page: Any, sheet: Sheet, name: str, title: str, last_row: int) -> None:
    """Set the page up to be printed: across, one page wide, A3 for a wide table, headings on every page."""
    page.set_landscape()
    page.set_paper(_A3 if len(sheet.columns) > _WIDE else _A4)
    page.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    page.fit_to_pages(1, 0)
    page.repeat_rows(_HEADING_ROW)
    below = _CHART_ROWS if sheet.chart is not None else 0
    page.print_area(0, 0, last_row + below, len(sheet.columns) - 1)
    page.set_footer(f"&L{name.replace('&', '&&')}&C{title[:100].replace('&', '&&')}&R&P / &N")
    page.hide_gridlines(2)
