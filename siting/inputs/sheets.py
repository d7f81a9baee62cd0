"""A grid of cells -> a raw table: the header found under the titles; totals, remarks and blanks left out, and said."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from siting.inputs.faults import Faults, also_rows
from siting.inputs.files import RawTable
from siting.inputs.numbers import fold, is_blank, parse_number
from siting.inputs.schema import ROLE_NAMES, count_recognised, read_columns, recognise

HEADER_WITHIN = 15
"""The header must stand within this many rows."""
_TOTALS = frozenset({"合计", "总计", "小计", "共计", "汇总", "全县合计", "全县总计", "total", "subtotal", "sum"})
_REMARKS = ("注:", "注：", "备注", "说明", "填表", "制表", "审核", "填报", "单位负责人", "数据来源", "note:", "source:")

Grid = Sequence[tuple[int, Sequence[Any]]]
"""Rows of cells, each with the number that the file gives it."""


def grid_to_table(
    grid: Grid, role: str, faults: Faults, *, merges: Sequence[tuple[int, int, int, int]] = ()
) -> RawTable:
    """Return the table in a grid of cells.

    Parameters
    ----------
    grid
        Rows of cells with their numbers; rows that are blank may be left out or not.
    role
        The table it stands for: its column names tell the header.
    faults
        Where it is said what was left out.
    merges
        Merged cells as (first row, last row, first column, last column), columns counted from 0.

    Returns
    -------
    RawTable
        Headers and the rows under them.

    Raises
    ------
    TableError
        If no row within the first HEADER_WITHIN names columns of the role.
    """
    filled = [(row, list(cells)) for row, cells in grid if not all(is_blank(cell) for cell in cells)]
    blank = len(grid) - len(filled)
    if not filled:
        raise faults.stop("表中没有内容", "the sheet is empty", "请核对文件", "check the file")
    position, depth, headers = _find_header(filled[:HEADER_WITHIN], role, faults, merges)
    if position:
        titles = [row for row, _ in filled[:position]]
        faults.note(
            f"标题，已跳过{also_rows(titles, 'zh')}",
            f"a title, left out{also_rows(titles, 'en')}",
            row=titles[0],
        )
    body = filled[position + depth :]
    kept = _leave_out(body, headers, role, faults)
    inner = _inner_blanks(filled, position + depth)
    if blank and inner:
        faults.note(f"跳过 {inner} 个空行", f"{inner} blank rows left out")
    width = len(headers)
    kept = _fill_merged(kept, headers, role, merges, faults)
    for row, cells in kept:
        extra = [cell for cell in cells[width:] if not is_blank(cell)]
        if extra:
            faults.error(
                f"此行有 {len(cells)} 格，表头只有 {width} 列",
                f"the row has {len(cells)} cells, the header {width}",
                "可能多了分隔符：数字中的逗号须加引号，或删去",
                'a comma too many? quote a number such as "1,200", or write 1200',
                row=row,
                value=extra[0],
            )
    cells = [[cells[column] if column < len(cells) else None for _, cells in kept] for column in range(width)]
    return RawTable(headers, cells, [row for row, _ in kept], len(body), header_row=filled[position + depth - 1][0])


def _fill_merged(
    kept: list[tuple[int, list[Any]]],
    headers: Sequence[str],
    role: str,
    merges: Sequence[tuple[int, int, int, int]],
    faults: Faults,
) -> list[tuple[int, list[Any]]]:
    """Return the rows with the words of a merged cell in each of its rows; a figure stays in the first, and is told."""
    filled = {row: list(cells) for row, cells in kept}
    words: dict[str, list[int]] = {}
    figures: dict[str, list[int]] = {}
    for first_row, last_row, column, _ in merges:
        if column >= len(headers) or first_row not in filled or column >= len(filled[first_row]):
            continue
        value = filled[first_row][column]
        others = [row for row in range(first_row + 1, last_row + 1) if row in filled]
        if is_blank(value) or not others:
            continue
        if _is_figure(headers[column], role, value):
            figures.setdefault(headers[column], []).extend(others)
            continue
        words.setdefault(headers[column], []).extend(others)
        for row in others:
            filled[row].extend([None] * (column + 1 - len(filled[row])))
            filled[row][column] = value
    for header, rows in words.items():
        faults.note(
            f"是合并的单元格，取合并前首行的内容{also_rows(rows, 'zh')}",
            f"part of a merged cell; what its first row says is taken{also_rows(rows, 'en')}",
            row=rows[0],
            column=header,
        )
    for header, rows in figures.items():
        faults.warning(
            f"是合并的单元格，其中的数只算在首行，此行按空白处理{also_rows(rows, 'zh')}",
            f"part of a merged cell, whose figure counts for its first row alone; blank here{also_rows(rows, 'en')}",
            "请取消合并，逐行填写",
            "unmerge the cells and fill in every row",
            row=rows[0],
            column=header,
        )
    return list(filled.items())


def _is_figure(header: str, role: str, value: Any) -> bool:
    """Tell whether a cell holds a figure, which must not be taken twice: by its column, else by what it looks like."""
    known = recognise(header, role) or recognise(header, role, fallback=True)
    return known[0][0].is_number if known else parse_number(value) is not None


def _inner_blanks(filled: Sequence[tuple[int, Sequence[Any]]], start: int) -> int:
    """Return how many row numbers are skipped between the header and the last row."""
    numbers = [row for row, _ in filled[max(start - 1, 0) :]]
    return numbers[-1] - numbers[0] + 1 - len(numbers) if numbers else 0


def _find_header(
    rows: Sequence[tuple[int, list[Any]]], role: str, faults: Faults, merges: Sequence[tuple[int, int, int, int]]
) -> tuple[int, int, list[str]]:
    """Return where the header stands, how many rows it takes, and its names."""
    best: tuple[int, int, list[str]] = (0, 1, [])
    most = 0
    for position, (_, cells) in enumerate(rows):
        single = [_as_header(cell) for cell in cells]
        count = count_recognised(single, role)
        if count > most:
            most, best = count, (position, 1, single)
    for position, ((row, cells), (_, below)) in enumerate(itertools.pairwise(rows)):
        if any(parse_number(cell) is not None for cell in below):
            continue
        double = _two_rows(row, cells, below, role, merges)
        count = count_recognised(double, role)
        if count > most:
            most, best = count, (position, 2, double)
    if most == 0:
        wanted = [column.names for column in read_columns()[role] if column.required]
        chinese = [next((name for name in names if not name.isascii()), names[0]) for names in wanted]
        zh, en = ROLE_NAMES[role]
        raise faults.stop(
            f"前 {HEADER_WITHIN} 行中找不到{zh}的表头",
            f"no header of {en} within the first {HEADER_WITHIN} rows",
            f"表头至少应有：{'、'.join(chinese)}",
            f"the header needs at least: {', '.join(chinese)}",
        )
    headers = best[2]
    while headers and not headers[-1]:
        headers.pop()
    return best[0], best[1], headers


def _two_rows(
    row: int, top: Sequence[Any], bottom: Sequence[Any], role: str, merges: Sequence[tuple[int, int, int, int]]
) -> list[str]:
    """Return the names of a header of two rows: the lower cell where it is a known name, else the upper, else both."""
    width = max(len(top), len(bottom))
    upper = [_as_header(cell) for cell in [*top, *[None] * (width - len(top))]]
    lower = [_as_header(cell) for cell in [*bottom, *[None] * (width - len(bottom))]]
    for first_row, last_row, first, last in merges:
        if first_row <= row <= last_row:
            for column in range(first, min(last + 1, width)):
                upper[column] = upper[first]
    names = []
    for above, below in zip(upper, lower, strict=True):
        tries = [below, above + below, above]
        names.append(next((name for name in tries if name and count_recognised([name], role)), above + below))
    return names


def _as_header(cell: Any) -> str:
    return "" if is_blank(cell) else "".join(fold(cell).split())


def _leave_out(
    body: Sequence[tuple[int, list[Any]]], headers: Sequence[str], role: str, faults: Faults
) -> list[tuple[int, list[Any]]]:
    """Return the rows that are data; totals and remarks are left out and said."""
    kept = []
    for row, cells in body:
        texts = [fold(cell) for cell in cells if not is_blank(cell)]
        leading = "".join(texts[0].split()).casefold() if texts else ""
        first_two = {"".join(text.split()).casefold().rstrip(":") for text in texts[:2]}
        if first_two & _TOTALS:
            faults.note("合计行，已跳过", "a total row, left out", row=row, value=texts[0])
        elif leading.startswith(_REMARKS) and len(texts) <= 2:
            faults.note("备注行，已跳过", "a remark under the table, left out", row=row, value=texts[0])
        elif [_as_header(cell) for cell in cells[: len(headers)]] == list(headers):
            faults.note("重复的表头，已跳过", "the header again, left out", row=row)
        else:
            kept.append((row, cells))
    return kept
