"""Excel workbooks -> raw tables, with limits on what a workbook may unpack to."""

from __future__ import annotations

import re
import warnings
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from siting.errors import TableError
from siting.inputs.faults import Faults, also_rows
from siting.inputs.files import RawTable, Source, limit_archive
from siting.inputs.numbers import is_blank
from siting.inputs.schema import count_recognised
from siting.inputs.sheets import HEADER_WITHIN, grid_to_table

LAST_ROW, LAST_COLUMN = 300_000, 500
"""A filled cell beyond these is refused: it is a slip of the hand, and costs gigabytes to read."""
_OLE = b"\xd0\xcf\x11\xe0"
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_OFFICE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]*)>")
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
_CELL = rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]+)(\d+)"[^>]*'
_FILLED = re.compile(_CELL + rb"(?<!/)>(?!</)")
_NO_VALUE = re.compile(
    _CELL
    + rb"(?<!/)><(?:\w+:)?f\b[^>]*(?:/>|>[^<]*</(?:\w+:)?f>)"
    + rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?</(?:\w+:)?c>"
)


@dataclass(slots=True)
class SheetFacts:
    """What the XML of a sheet says that its values do not."""

    last_row: int = 0
    last_column: int = 0
    far_cell: str = ""
    hidden: list[int] = field(default_factory=list)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    without_value: list[tuple[str, int]] = field(default_factory=list)


def read_excel(path: Path, head: bytes, source: Source, role: str, faults: Faults) -> RawTable:
    """Return the table of an Excel workbook.

    Parameters
    ----------
    path
        The workbook.
    head
        Its first bytes.
    source
        May name the sheet.
    role
        The table it stands for: of several sheets, the one whose header fits is taken.
    faults
        Where notes are gathered.

    Returns
    -------
    RawTable
        The cells as Excel holds them; a formula stands for its last result.

    Raises
    ------
    TableError
        If it is no .xlsx, is locked by a password, damaged or too large, or the sheet is not clear.
    """
    if head.startswith(_OLE):
        encrypted = path.suffix.casefold() != ".xls"
        raise faults.stop(
            "工作簿设有密码，无法读取" if encrypted else "是旧版 .xls 工作簿",
            "the workbook is locked by a password" if encrypted else "is a workbook of the old .xls kind",
            "请在 Excel 中取消密码后另存" if encrypted else "请用 Excel 打开后另存为 .xlsx",
            "remove the password in Excel and save it" if encrypted else "open it in Excel and save it as .xlsx",
        )
    if not head.startswith(b"PK"):
        raise faults.stop(
            "扩展名是 Excel，内容却是文本或其他格式",
            "is named as an Excel workbook but holds text or something else",
            "请用 Excel 打开后另存为 .xlsx",
            "open it in Excel and save it as .xlsx",
        )
    limit_archive(path, faults)
    try:
        parts = _sheet_parts(path)
        grids = {
            name: _read_sheet(path, name, part, faults) for name, part in parts.items() if source.sheet in {None, name}
        }
    except TableError:
        raise
    except Exception:  # of a damaged workbook, zlib, expat and openpyxl may raise anything
        raise faults.stop(
            "工作簿已损坏，无法打开",
            "the workbook is damaged and cannot be opened",
            "请用 Excel 打开后重新另存",
            "open it in Excel and save it again",
        ) from None
    sheet = _choose_sheet(source.sheet, list(parts), {name: rows for name, (rows, _) in grids.items()}, role, faults)
    faults.sheet = sheet
    rows, facts = grids[sheet]
    if facts.far_cell:
        raise faults.stop(
            f"单元格 {facts.far_cell} 有内容，超出上限（{LAST_ROW:,} 行、{LAST_COLUMN} 列）",
            f"cell {facts.far_cell} is filled, beyond the limit of {LAST_ROW:,} rows and {LAST_COLUMN} columns",
            "请删去表格之外的内容后另存",
            "delete what stands outside the table and save it again",
        )
    table = grid_to_table(rows, role, faults, merges=facts.merges)
    table.part = sheet
    _say_facts(facts, table, faults)
    return table


def _sheet_parts(path: Path) -> dict[str, str]:
    """Return the XML part of each worksheet, by sheet name."""
    with zipfile.ZipFile(path) as archive:
        relations = ElementTree.fromstring(_plain(archive.read("xl/_rels/workbook.xml.rels")))
        targets = {item.get("Id"): item.get("Target", "") for item in relations.iter(f"{_PACKAGE}Relationship")}
        book = ElementTree.fromstring(_plain(archive.read("xl/workbook.xml")))
        parts = {}
        for sheet in book.iter(f"{_MAIN}sheet"):
            target = targets.get(sheet.get(f"{_OFFICE}id"), "")
            part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
            if "worksheets/" in part:
                parts[sheet.get("name", "")] = part
    return parts


def _plain(xml: bytes) -> bytes:
    """Return XML that defines no entities of its own: no workbook needs them, and a bomb is made of them."""
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        raise ValueError("a document type in a workbook")
    return xml


def _read_sheet(
    path: Path, name: str, part: str, faults: Faults
) -> tuple[list[tuple[int, tuple[Any, ...]]], SheetFacts]:
    import openpyxl

    with zipfile.ZipFile(path) as archive:
        facts = _sheet_facts(_plain(archive.read(part)))
    if facts.far_cell or not facts.last_row:
        return [], facts
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions, which are of no interest here
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            values = book[name].iter_rows(max_row=facts.last_row, max_col=facts.last_column, values_only=True)
            return [(number, cells) for number, cells in enumerate(values, start=1)], facts
        finally:
            book.close()


def _sheet_facts(xml: bytes) -> SheetFacts:
    facts = SheetFacts()
    for match in _FILLED.finditer(xml):
        column, row = column_number(match[1]), int(match[2])
        if row > LAST_ROW or column >= LAST_COLUMN:
            facts.far_cell = (match[1] + match[2]).decode()
            return facts
        facts.last_row, facts.last_column = max(facts.last_row, row), max(facts.last_column, column + 1)
    if not facts.last_row and re.search(rb"<(\w+:)?(v|t)\b", xml):  # a writer that leaves out the cells' addresses
        facts.last_row, facts.last_column = min(len(_ROW.findall(xml)), LAST_ROW), LAST_COLUMN
    for match in _ROW.finditer(xml):
        if re.search(rb'hidden="(1|true)"', match[1]):
            number = re.search(rb'\br="(\d+)"', match[1])
            if number:
                facts.hidden.append(int(number[1]))
    facts.merges = [(int(m[2]), int(m[4]), column_number(m[1]), column_number(m[3])) for m in _MERGE.finditer(xml)]
    facts.without_value = [(m[1].decode(), int(m[2])) for m in _NO_VALUE.finditer(xml)]
    return facts


def column_number(letters: bytes) -> int:
    """Return the number of a spreadsheet column, A = 0."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _choose_sheet(
    wanted: str | None, names: list[str], grids: dict[str, list[tuple[int, tuple[Any, ...]]]], role: str, faults: Faults
) -> str:
    listed = ", ".join(names)
    if wanted is not None:
        if wanted not in names:
            raise faults.stop(
                f"没有名为“{wanted}”的工作表",
                f'has no sheet named "{wanted}"',
                f"工作表有：{listed}",
                f"its sheets are: {listed}",
            )
        return wanted
    if len(names) == 1:
        return names[0]
    counts = {
        name: max((count_recognised(cells, role) for _, cells in grid[:HEADER_WITHIN]), default=0)
        for name, grid in grids.items()
    }
    best = [name for name in names if counts[name] == max(counts.values(), default=0)]
    if len(best) != 1:
        raise faults.stop(
            f"有 {len(names)} 个工作表，无法判断用哪一个",
            f"has {len(names)} sheets, and it is not clear which one is meant",
            f"请在研究文件中用 sheet 指明：{listed}",
            f"name one with sheet in the study file: {listed}",
        )
    faults.note(
        f"有 {len(names)} 个工作表，读取“{best[0]}”",
        f'has {len(names)} sheets; "{best[0]}" is read',
        "如不对，请用 sheet 指明",
        "if that is wrong, name one with sheet",
    )
    return best[0]


def _say_facts(facts: SheetFacts, table: RawTable, faults: Faults) -> None:
    data_rows = set(table.rows)
    hidden = [row for row in facts.hidden if row in data_rows]
    if hidden:
        faults.warning(
            f"是隐藏行，已照常读取{also_rows(hidden, 'zh')}",
            f"a hidden row, read like the others{also_rows(hidden, 'en')}",
            "如不应计入，请从表中删除",
            "delete it if it should not count",
            row=hidden[0],
        )
    for letters, row in facts.without_value:
        column = column_number(letters.encode())
        if row in data_rows and column < len(table.headers):
            values = table.cells[column]
            if is_blank(values[table.rows.index(row)]):
                faults.error(
                    "公式没有保存计算结果",
                    "a formula without its result",
                    "请用 Excel 打开此文件并保存一次",
                    "open the file in Excel and save it once",
                    row=row,
                    column=table.headers[column] or letters,
                )
