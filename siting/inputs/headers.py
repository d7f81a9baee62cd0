"""The headers of a file -> the columns of its role; what is missing, doubled or not used is told."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from siting.inputs.faults import Faults
from siting.inputs.schema import Column, Match, plain_header, read_columns, recognise, unit_scale

SHORTEST_CUT = 3
"""A name cut by a shapefile keeps at least this many characters: three Chinese ones in UTF-8, ten Latin ones."""


def match_headers(
    headers: Sequence[str],
    role: str,
    given: Mapping[str, str],
    faults: Faults,
    row: int | None,
    *,
    cut_names: bool = False,
) -> dict[str, Match]:
    """Return which column of the file answers each column of the role.

    Two columns that answer the same one are an error, and neither is read: its cells would be told as faults too. A
    required column that is missing is an error; one of the file that answers none is a note. ``given`` (column of the
    role -> header in the file) goes before ``columns.toml``. With ``cut_names`` a header may be the beginning of one
    column's name, as shapefiles leave of it.
    """
    matches: dict[str, Match] = {}
    doubled: dict[str, list[int]] = {}
    by_name = {column.name: column for column in read_columns()[role]}
    _match_given(headers, by_name, given, matches, faults)
    for fallback in (False, True):
        settled = set(matches)
        used = {match.position for match in matches.values()}
        for position, header in enumerate(headers):
            if position in used or not header:
                continue
            for column, scale, remark in recognise(header, role, fallback=fallback):
                if column.name in settled:
                    continue
                other = matches.get(column.name)
                if other is not None and other.position != position:
                    _say_twice(column, other, header, position, faults, row)
                    doubled.setdefault(column.name, []).append(position)
                else:
                    matches[column.name] = Match(column, header, position, scale, remark)
                break
    if cut_names:
        _match_cut(headers, role, matches, faults)
    _say_missing(by_name, headers, matches, faults, row)
    used = {match.position for match in matches.values()}.union(*doubled.values())
    unused = [header for position, header in enumerate(headers) if position not in used and header]
    if unused:
        faults.note(
            f"以下列没有用到：{'、'.join(unused)}",
            f"columns not used: {', '.join(unused)}",
            "如其中有需要的列，请改用约定的列名",
            "if one of them is needed, rename it to a known column name",
        )
    return {name: match for name, match in matches.items() if name not in doubled}


def _match_cut(headers: Sequence[str], role: str, matches: dict[str, Match], faults: Faults) -> None:
    """Match headers that are the beginning of the names of one column and no other."""
    used = {match.position for match in matches.values()}
    for position, header in enumerate(headers):
        key = plain_header(header)
        if position in used or len(key) < SHORTEST_CUT or len(header.encode("utf-8")) < 8:
            continue
        meant = [
            column
            for column in read_columns()[role]
            if column.name not in matches and any(name.startswith(key) for name in column.names)
        ]
        if len(meant) == 1:
            matches[meant[0].name] = Match(meant[0], header, position, None)
            faults.note(
                f"字段名被截断，按 {meant[0].name} 读取",
                f"the name was cut by the shapefile; read as {meant[0].name}",
                "如不对，请用 columns 指明，或改用 GeoPackage",
                "if that is wrong, name it with columns, or use a GeoPackage",
                column=header,
            )


def _match_given(
    headers: Sequence[str],
    by_name: Mapping[str, Column],
    given: Mapping[str, str],
    matches: dict[str, Match],
    faults: Faults,
) -> None:
    for name, header in given.items():
        if name not in by_name:
            near = difflib.get_close_matches(name, by_name, n=1)
            hint = (f"，是否想写 {near[0]}", f"; did you mean {near[0]}") if near else ("", "")
            faults.error(
                f"columns 中的 {name} 不是本表的列{hint[0]}",
                f"{name} in columns is not a column of this table{hint[1]}",
                f"可用的有：{'、'.join(by_name)}",
                f"use one of: {', '.join(by_name)}",
            )
        elif header not in headers:
            faults.error(
                f"columns 指定的列“{header}”不在文件中",
                f'columns names "{header}", which the file does not have',
                f"文件中的列：{'、'.join(headers)}",
                f"the file has: {', '.join(headers)}",
                column=header,
            )
        else:
            column = by_name[name]
            key = plain_header(header)
            scale = next(
                (
                    unit_scale(key[start:].strip("()[]【】/"), column.kind)
                    for start in range(1, len(key))
                    if unit_scale(key[start:].strip("()[]【】/"), column.kind) is not None
                ),
                None,
            )
            matches[name] = Match(column, header, list(headers).index(header), scale)


def _say_twice(column: Column, other: Match, header: str, position: int, faults: Faults, row: int | None) -> None:
    faults.error(
        f"第 {other.position + 1} 列“{other.header}”与第 {position + 1} 列“{header}”都是 {column.name}",
        f'column {other.position + 1} "{other.header}" and column {position + 1} "{header}" are both {column.name}',
        "请只保留一列，或在研究文件中用 columns 指明用哪一列",
        "keep one of them, or say which one with columns in the study file",
        row=row,
        column=header,
    )


def _say_missing(
    by_name: Mapping[str, Column], headers: Sequence[str], matches: Mapping[str, Match], faults: Faults, row: int | None
) -> None:
    for name, column in by_name.items():
        if column.required and name not in matches:
            near = difflib.get_close_matches(
                column.names[0], [plain_header(header) for header in headers], n=1, cutoff=0.7
            ) or [
                header
                for header in headers
                for known in column.names
                if difflib.SequenceMatcher(None, plain_header(header), known).ratio() >= 0.7
            ]
            hint = (f"；最接近的列是“{near[0]}”", f'; the nearest column is "{near[0]}"') if near else ("", "")
            chinese = next((known for known in column.names if not known.isascii()), column.names[0])
            faults.error(
                f"缺少必需的列“{chinese}”（{name}）{hint[0]}",
                f'the required column {name} ("{chinese}") is missing{hint[1]}',
                f"请增加此列，或把相应的列改名为“{chinese}”",
                f'add it, or rename the column that holds it to "{chinese}"',
                row=row,
                column=name,
            )
