"""Text tables: csv and its kin, in UTF-8, UTF-16 or GB18030."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
from pathlib import Path

from siting.inputs.faults import Faults
from siting.inputs.files import RawTable
from siting.inputs.limits import MOST_COLUMNS, MOST_ROWS, too_many_columns, too_many_rows
from siting.inputs.schema import count_recognised
from siting.inputs.sheets import HEADER_WITHIN, grid_to_table


def read_delimited(path: Path, role: str, faults: Faults) -> RawTable:
    """Return the rows of a text table; its encoding and its separator are found, and the encoding is said.

    Parameters
    ----------
    path
        A .csv, .txt or .tsv file.
    role
        The table it stands for.
    faults
        Where notes are gathered.

    Returns
    -------
    RawTable
        Every cell as text: ``0012`` and ``NA`` stay as they are.

    Raises
    ------
    TableError
        If it is not text, mixes two encodings, or has no header of the role.
    """
    text, encoding = decode(path.read_bytes(), faults)
    if encoding not in {"utf-8", "utf-8-sig"}:
        faults.note(f"按 {encoding.upper()} 编码读取", f"read as {encoding.upper()}")
    grid = _split(text, _separator(text, role), faults)
    table = grid_to_table(grid, role, faults)
    table.encoding = encoding
    return table


def decode(data: bytes, faults: Faults) -> tuple[str, str]:
    """Return the text of a file and the encoding it was in.

    Parameters
    ----------
    data
        The bytes of the file.
    faults
        Where the fault is put.

    Returns
    -------
    tuple
        The text without a byte order mark, and ``utf-8``, ``utf-8-sig``, ``utf-16`` or ``gb18030``.

    Raises
    ------
    TableError
        If it is not text, or part of it is UTF-8 and part GB18030.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16"), "utf-16"
        except UnicodeDecodeError:
            raise _not_text(faults) from None
    if b"\0" in data or data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"SQLite format 3")):
        raise _not_text(faults)
    bom = data.startswith(codecs.BOM_UTF8)
    try:
        return data.decode("utf-8-sig"), "utf-8-sig" if bom else "utf-8"
    except UnicodeDecodeError as fault:
        first_bad = data.count(b"\n", 0, fault.start) + 1
    _refuse_mixed(data, first_bad, faults)
    try:
        return data.decode("gb18030"), "gb18030"
    except UnicodeDecodeError as fault:
        raise faults.stop(
            "这一行既不是 UTF-8 也不是 GB18030 编码",
            "this line is neither UTF-8 nor GB18030",
            "请用 Excel 另存为“CSV UTF-8”",
            'save the table as "CSV UTF-8" in Excel',
            row=data.count(b"\n", 0, fault.start) + 1,
        ) from None


def _not_text(faults: Faults) -> Exception:
    return faults.stop(
        "不是文本表格（扩展名与内容不符，或文件已损坏）",
        "is not a text table: its name does not fit its content, or it is damaged",
        "请从原软件重新导出 CSV，或改用正确的扩展名",
        "export the CSV again, or give the file its right extension",
    )


def _refuse_mixed(data: bytes, first_bad: int, faults: Faults) -> None:
    """Raise where some lines hold Chinese in UTF-8 and others do not, as after pasting two files together."""
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.isascii():
            continue
        try:
            strange = [char for char in line.removeprefix(codecs.BOM_UTF8).decode("utf-8") if not char.isascii()]
        except UnicodeDecodeError:
            continue
        if strange and all("\u3000" <= char <= "\u9fff" or char >= "\uff00" for char in strange):
            utf8_line, other = number, first_bad
            raise faults.stop(
                f"同一文件混有两种编码：第 {utf8_line} 行是 UTF-8，第 {other} 行不是",
                f"two encodings in one file: line {utf8_line} is UTF-8, line {other} is not",
                "请用 Excel 或记事本打开，改正乱码后另存为 UTF-8",
                "open it, mend the garbled lines and save it as UTF-8",
                row=other,
            )


def _separator(text: str, role: str) -> str:
    """Return the separator under which the first rows name the most columns of the role."""
    head = list(itertools.islice(io.StringIO(text), HEADER_WITHIN))
    counts = {
        separator: max((count_recognised(_cells(line, separator), role) for line in head), default=0)
        for separator in (",", "\t", ";", "|")
    }
    return max(counts, key=lambda separator: counts[separator])


def _cells(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])[:MOST_COLUMNS]
    except csv.Error:
        return []


def _split(text: str, separator: str, faults: Faults) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text.rstrip("\x1a"), newline=""), delimiter=separator, strict=True)
    grid: list[tuple[int, list[str]]] = []
    start = 1
    try:
        for cells in reader:
            if len(cells) > MOST_COLUMNS:
                raise too_many_columns(len(cells), faults, start)
            grid.append((start, cells))
            start = reader.line_num + 1
            if len(grid) > MOST_ROWS + HEADER_WITHIN:
                raise too_many_rows(MOST_ROWS, faults)
    except csv.Error:
        raise faults.stop(
            "从这一行起引号不配对或单元格过长",
            "a quote that is not closed, or a cell too long, from this line on",
            "请检查此行的引号",
            "check the quotes of this line",
            row=start,
        ) from None
    return grid
