"""Tables of the workbook as HTML, for the printed report."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from siting.outputs.markup import Html, element, join
from siting.outputs.numbers import format_number, is_missing
from siting.outputs.plain import clean_text
from siting.outputs.sheet import Column, Share, Sheet, is_blank
from siting.outputs.words import STATUS, VERDICT
from siting.text import Lang, Text

_SHORT = 12
_LONGEST = 400


def sheet_table(sheet: Sheet, lang: Lang, columns: Iterable[int], *, most: int | None = None) -> Html:
    """Return a table of the workbook as HTML, with some of its columns and at most so many rows.

    Parameters
    ----------
    sheet
        The table.
    lang
        The language.
    columns
        The numbers of the columns to print; those without any figure are left out.
    most
        The most rows; the rest is counted in a line below.

    Returns
    -------
    Html
        The table, or a line that says there is nothing.
    """
    if not sheet.rows:
        return element("p", sheet.empty.to(lang), class_="none")
    body = sheet.rows[:-1] if sheet.total else sheet.rows
    shown = body if most is None else body[:most]
    kept = [i for i in columns if not all(is_blank(row[i]) for row in shown)] or [0]
    head = element(
        "tr",
        [element("th", sheet.columns[i].heading.to(lang), scope="col", class_=_class(sheet.columns[i])) for i in kept],
    )
    rows = [element("tr", [_cell(sheet, i, row[i], lang) for i in kept]) for row in shown]
    total = (
        [element("tr", [_cell(sheet, i, sheet.rows[-1][i], lang) for i in kept], class_="total")] if sheet.total else []
    )
    return join(
        [
            wide(element("thead", head), element("tbody", rows, total)),
            more(len(body) - len(shown), sheet, lang),
        ]
    )


def more(count: int, sheet: Sheet, lang: Lang) -> Html | None:
    """Return a line that says how many rows only the workbook holds."""
    if count <= 0:
        return None
    note = Text(
        f"另有 {count:,} 行，见工作簿“{sheet.name.zh}”。",
        f"{count:,} more rows in the workbook, sheet {sheet.name.en}.",
    )
    return element("p", note.to(lang), class_="more")


def wide(*content: Any) -> Html:
    """Return a table that scrolls by itself on a narrow screen."""
    return element("div", element("table", *content), class_="scroll")


def _class(column: Column) -> str | None:
    """Return the class of a column's cells."""
    return None if column.kind in ("text", "wrapped") else "number"


def _cell(sheet: Sheet, index: int, value: Any, lang: Lang) -> Html:
    """Return one cell of a table."""
    column = sheet.columns[index]
    if index in sheet.status_columns and value:
        return element("td", element("span", value, class_=f"tag {_tone(str(value), lang)}"))
    text = cell_text(value, column)
    short = column.kind == "text" and len(text) <= _SHORT
    return element("td", text, class_="short" if short else _class(column))


def cell_text(value: Any, column: Column) -> str:
    """Return what a cell reads.

    Parameters
    ----------
    value
        Text, a number, a `Share`, or None.
    column
        Its column, which says what kind of number it is.

    Returns
    -------
    str
        The text; a missing number is an em dash.
    """
    if isinstance(value, str):
        return clean_text(value, limit=_LONGEST)
    if isinstance(value, Share):
        unit = "share" if value.share else "m2_per_100_households"
        digits = format_number(value.value, unit, against=value.against)
        return digits + ("%" if value.share and not is_missing(value.value) else "")
    if value is None:
        return "—" if _class(column) else ""
    if column.kind == "share":
        return format_number(value, "share") + "%"
    if column.kind == "money":
        return format_number(value, "wan_yuan")
    if column.kind in ("ratio", "degrees"):
        return f"{value:.3f}" if column.kind == "ratio" else f"{value:.6f}"
    return f"{value:,.0f}" if column.kind == "whole" else f"{value:,.1f}"


def _tone(word: str, lang: Lang) -> str:
    """Return the class of a status word."""
    good = (STATUS["pass"].to(lang), VERDICT["meets"].to(lang))
    if word in good:
        return "good"
    fails = (STATUS["fail"], VERDICT["area"], VERDICT["reach"], VERDICT["both"])
    return "bad" if word in [text.to(lang) for text in fails] else "open"
