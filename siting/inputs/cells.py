"""One column of a file -> one canonical column: every cell read, every cell that cannot be read told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd

from siting.inputs.faults import Faults, also_rows
from siting.inputs.numbers import (
    clean_text,
    fold,
    is_blank,
    is_formula_error,
    is_placeholder,
    is_rounded_id,
    parse_id,
    parse_number,
    parse_yes_no,
)
from siting.inputs.schema import CHOICES, RESIDENTIAL, Column, Match
from siting.text import Text


class ServiceList(Protocol):
    """What reading needs of a standard: the closed list of services."""

    def service_id(self, text: str) -> str | None:
        """Return the id of a service named in Chinese or English, or None."""
        ...


def read_cells(
    values: Sequence[Any] | np.ndarray,
    match: Match,
    rows: Sequence[int],
    faults: Faults,
    *,
    standard: ServiceList,
    money_scale: float,
) -> Any:
    """Return the canonical values of one column, reporting each cell that cannot be read."""
    column = match.column
    if column.is_number:
        return _read_numbers(values, match, rows, faults, money_scale)
    if column.kind == "bool":
        return _read_flags(values, match, rows, faults, parse_yes_no)
    if column.kind == "use":
        return _read_flags(values, match, rows, faults, _parse_use)
    readers: dict[str, Callable[[str], Any]] = {"service": standard.service_id}
    if column.kind in readers:
        return _read_services(values, match, rows, faults, standard)
    if column.kind == "services":
        return _read_service_lists(values, match, rows, faults, standard)
    if column.kind == "choice":
        return _read_choices(values, match, rows, faults)
    return _read_texts(values, match, rows, faults)


def blank_column(column: Column, count: int) -> Any:
    """Return the values of a column that the file does not have."""
    if column.is_number:
        return np.full(count, np.nan)
    if column.kind in {"bool", "use"}:
        return pd.array([pd.NA] * count, dtype="boolean")
    if column.kind == "services":
        return [("comprehensive",)] * count
    return [""] * count


def _say_blank(column: Column, header: str, row: int, faults: Faults) -> None:
    faults.error("没有填写", "is empty", "请填写此格", "fill in this cell", row=row, column=header)


def _read_numbers(
    values: Sequence[Any] | np.ndarray, match: Match, rows: Sequence[int], faults: Faults, money_scale: float
) -> np.ndarray:
    column = match.column
    scale = match.scale if match.scale is not None else 1.0
    if column.kind in {"money", "money_per_m2"} and match.scale is None:
        scale = money_scale
    result = np.full(len(rows), np.nan)
    blanks: list[int] = []
    for position, (value, row) in enumerate(zip(values, rows, strict=True)):
        if is_blank(value):
            if column.required:
                _say_blank(column, match.header, row, faults)
            continue
        if is_placeholder(value) and not column.required:
            blanks.append(row)
            continue
        number = parse_number(value)
        if number is None or not _fits(number * scale, column):
            turned = None if number is None or scale == 1.0 else number * scale
            _say_no_number(column, match.header, row, value, faults, turned=turned)
            continue
        result[position] = number * scale
    if blanks:
        faults.note(
            f"是占位符，按没有数据处理{also_rows(blanks, 'zh')}",
            f"a placeholder, taken as no figure{also_rows(blanks, 'en')}",
            row=blanks[0],
            column=match.header,
        )
    return result


def _fits(number: float, column: Column) -> bool:
    if column.kind == "whole" and abs(number - round(number)) > 1e-9:
        return False
    return (column.least is None or number >= column.least) and (column.most is None or number <= column.most)


def _say_no_number(
    column: Column, header: str, row: int, value: object, faults: Faults, *, turned: float | None = None
) -> None:
    """Tell a cell that holds no number, or one out of range; ``turned`` is what its unit makes of it."""
    least = 0 if column.least is None else column.least
    limit_zh = f"{least:,g} 到 {column.most:,.0f} 之间" if column.most is not None else f"不小于 {least:g}"
    limit_en = f"from {least:,g} to {column.most:,.0f}" if column.most is not None else f"≥ {least:g}"
    whole = column.kind == "whole"
    unit = Text("", "")
    if turned is not None:
        unit = Text(f"按列名中的单位换算为 {turned:,.12g}；", f"is {turned:,.12g} by the unit in the column's name; ")
    faults.error(
        f"{unit.zh}需要{limit_zh}的{'整数' if whole else '数'}",
        f"{unit.en}needs a {'whole ' if whole else ''}number {limit_en}",
        "只写数字，不写单位、“约”等文字",
        'write the figure alone, without units or words such as "about"',
        row=row,
        column=header,
        value=value,
    )


def _parse_use(value: Any) -> bool | None:
    text = fold(value).casefold().removeprefix("building.")
    known = RESIDENTIAL.get(text)
    return parse_yes_no(value) if known is None and text not in {"yes"} else known


def _read_flags(
    values: Sequence[Any] | np.ndarray,
    match: Match,
    rows: Sequence[int],
    faults: Faults,
    parse: Callable[[Any], bool | None],
) -> Any:
    result: list[bool | None] = []
    for value, row in zip(values, rows, strict=True):
        flag = None if is_blank(value) or is_placeholder(value) else parse(value)
        if flag is None and match.column.kind == "bool" and not is_blank(value) and not is_placeholder(value):
            faults.error(
                "需要“是”或“否”",
                "needs yes or no",
                "请写“是”“否”或留空",
                "write 是 or 否 (yes or no), or leave it empty",
                row=row,
                column=match.header,
                value=value,
            )
        result.append(flag)
    return pd.array([pd.NA if flag is None else flag for flag in result], dtype="boolean")


def _read_choices(values: Sequence[Any] | np.ndarray, match: Match, rows: Sequence[int], faults: Faults) -> list[str]:
    column = match.column
    known = CHOICES[(column.role, column.name)]
    result = []
    for value, row in zip(values, rows, strict=True):
        if is_blank(value):
            _say_blank(column, match.header, row, faults)
            result.append("")
            continue
        choice = known.get(parse_id(value).casefold(), "")
        if not choice:
            chinese = list(
                dict.fromkeys(
                    next(name for name in known if known[name] == value_id and not name.isascii())
                    for value_id in dict.fromkeys(known.values())
                )
            )
            faults.error(
                "不在可选值之内",
                "is not one of the accepted values",
                f"可用：{'、'.join(chinese)}",
                f"use one of: {', '.join(dict.fromkeys(known.values()))}",
                row=row,
                column=match.header,
                value=value,
            )
        result.append(choice)
    return result


def _read_services(
    values: Sequence[Any] | np.ndarray, match: Match, rows: Sequence[int], faults: Faults, standard: ServiceList
) -> list[str]:
    result = []
    for value, row in zip(values, rows, strict=True):
        service = None if is_blank(value) else standard.service_id(str(value))
        if service is None:
            _say_unknown_service(match.header, row, value, faults)
        result.append(service or "unknown")
    return result


def _say_unknown_service(header: str, row: int, value: object, faults: Faults) -> None:
    faults.warning(
        "不在标准的服务清单中，此设施保留但不计入任何服务"
        if not is_blank(value)
        else "没有填写，此设施保留但不计入任何服务",
        ("is not in the standard's list of services" if not is_blank(value) else "is empty")
        + "; the place is kept but counts for no service",
        "请改用标准中的服务名称（siting standards 可列出）",
        "use a name from the standard's list (siting standards shows it)",
        row=row,
        column=header,
        value=None if is_blank(value) else value,
    )


def _read_service_lists(
    values: Sequence[Any] | np.ndarray, match: Match, rows: Sequence[int], faults: Faults, standard: ServiceList
) -> list[tuple[str, ...]]:
    result: list[tuple[str, ...]] = []
    for value, row in zip(values, rows, strict=True):
        if is_blank(value):
            result.append(("comprehensive",))
            continue
        services = []
        for part in _split(str(value)):
            service = standard.service_id(part)
            if service is None:
                _say_unknown_service(match.header, row, part, faults)
            services.append(service or "unknown")
        result.append(tuple(dict.fromkeys(services)))
    return result


def _split(text: str) -> list[str]:
    for sign in ";；、,，|/+":
        text = text.replace(sign, "\n")
    return [part.strip() for part in text.splitlines() if part.strip()]


def _read_texts(values: Sequence[Any] | np.ndarray, match: Match, rows: Sequence[int], faults: Faults) -> list[str]:
    column = match.column
    result: list[str] = []
    cleaned: list[int] = []
    for value, row in zip(values, rows, strict=True):
        if is_blank(value):
            if column.required:
                _say_blank(column, match.header, row, faults)
            result.append("")
            continue
        if is_formula_error(value):
            faults.error(
                "是公式的错误值",
                "is the error of a formula",
                "请改正公式，或填写内容",
                "mend the formula, or write what belongs here",
                row=row,
                column=match.header,
                value=value,
            )
            result.append("")
            continue
        if column.kind == "id" and is_rounded_id(value):
            faults.error(
                "编号被写成了科学记数法，后面的位数已经丢失",
                "an id written as a number, whose last digits are lost",
                "请从原表重新导出，先把该列设为“文本”格式",
                "export it again, with the column set to text first",
                row=row,
                column=match.header,
                value=value,
            )
            result.append("")
            continue
        text, changed = clean_text(parse_id(value) if column.kind == "id" else value)
        if changed:
            cleaned.append(row)
        result.append(text)
    if cleaned:
        faults.note(
            f"含不可见字符或过长，已清理{also_rows(cleaned, 'zh')}",
            f"unprintable characters taken out, or a very long text cut{also_rows(cleaned, 'en')}",
            "请核对这些名称",
            "check these names",
            row=cleaned[0],
            column=match.header,
        )
    return result
