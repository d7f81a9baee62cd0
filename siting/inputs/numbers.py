"""One cell of a planner's table -> a number, a yes or no, an angle, a clean text; or None where it cannot be read."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Any

_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_DEGREES = re.compile(
    r"""([nsew])?(\d{1,3})[°º度](?:(\d{1,2})['′’分](?:(\d{1,2}(?:\.\d+)?)(?:''|′′|’’|"|”|秒)?)?)?([nsew])?""",
    re.IGNORECASE,
)
_PLACEHOLDERS = frozenset({"-", "--", "—", "——", "/", "\\", "无数据", "n/a", "nan", "none", "null", "不详", "未知"})
_SCIENTIFIC = re.compile(r"\d(\.\d+)?E\+\d{2,}", re.IGNORECASE)
_MOST_EXACT = 1e15  # a spreadsheet keeps 15 digits of a number
_FORMULA_ERRORS = frozenset(
    {"#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA"}
)
_YES = frozenset({"是", "有", "1", "true", "yes", "y", "t", "√", "✓", "✔", "已设", "已建"})
_NO = frozenset({"否", "无", "没有", "0", "false", "no", "n", "f", "×", "x", "✗", "未设", "未建"})
LONGEST_TEXT = 200
"""Longest name kept, in characters; what is longer is cut, and said."""


def fold(text: object) -> str:
    """Return a cell as plain text: full-width forms made half-width, outer blanks gone."""
    return unicodedata.normalize("NFKC", str(text)).strip()


def is_blank(value: Any) -> bool:
    """Tell whether a cell holds nothing: None, NaN, NaT or blanks."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value.strip()
    return bool(value != value)  # NaN and NaT differ from themselves


def is_placeholder(value: Any) -> bool:
    """Tell whether a cell holds a sign that stands for "no figure", such as ``-`` or ``/``."""
    return isinstance(value, str) and fold(value).casefold() in _PLACEHOLDERS


def is_formula_error(value: Any) -> bool:
    """Tell whether a cell holds what a spreadsheet shows for a formula that failed, such as ``#REF!``."""
    return isinstance(value, str) and value.strip() in _FORMULA_ERRORS


def is_rounded_id(value: Any) -> bool:
    """Tell whether an identifier went through a number that cannot hold its digits: ``6.2E+11``, or 18 digits."""
    if isinstance(value, float):
        return abs(value) >= _MOST_EXACT
    return isinstance(value, str) and _SCIENTIFIC.fullmatch(fold(value)) is not None


def parse_number(value: Any) -> float | None:
    """Return the number a cell holds, or None: ``1,200`` and ``３００`` are numbers, ``约900户`` is not."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = fold(value).replace("\u00a0", "")
        if _THOUSANDS.fullmatch(text):
            text = text.replace(",", "")
        elif not _PLAIN.fullmatch(text):
            return None
        value = text
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def parse_degrees(value: Any) -> float | None:
    """Return an angle in degrees from ``116.5``, ``116°24′30″`` or ``116度24分30秒``, or None."""
    number = parse_number(value)
    if number is not None or not isinstance(value, str):
        return number
    match = _DEGREES.fullmatch(re.sub(r"\s", "", fold(value)))
    if match is None:
        return None
    minutes, seconds = float(match[3] or 0), float(match[4] or 0)
    if minutes >= 60 or seconds >= 60:
        return None
    degrees = float(match[2]) + minutes / 60 + seconds / 3600
    side = (match[1] or match[5] or "").casefold()
    return -degrees if side in {"s", "w"} else degrees


def parse_yes_no(value: Any) -> bool | None:
    """Return True or False for 是/否, 有/无, yes/no, 1/0 and their like, or None."""
    text = fold(value).casefold()
    text = text.removesuffix(".0")
    if text in _YES:
        return True
    return False if text in _NO else None


def parse_id(value: Any) -> str:
    """Return an identifier as text: ``0012`` stays ``0012``, the number 620100001.0 becomes ``620100001``."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return fold(value)


def clean_text(value: Any) -> tuple[str, bool]:
    """Return a text without control characters and lone surrogates, at most LONGEST_TEXT long, and if it changed."""
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    kept = "".join(
        " " if char in "\t\r\n" else char
        for char in text
        if unicodedata.category(char) not in {"Cc", "Cs"} or char in "\t\r\n"
    ).strip()
    changed = len(kept) > LONGEST_TEXT or len(kept) != len(text.strip())
    return kept[:LONGEST_TEXT], changed
