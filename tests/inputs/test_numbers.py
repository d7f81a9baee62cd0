"""Cells of a planner's table as numbers, angles, yes and no."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siting.inputs.numbers import clean_text, is_rounded_id, parse_degrees, parse_id, parse_number, parse_yes_no


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1,200", 1200),
        ("３００", 300),
        ("１，２００．５", 1200.5),
        (" 42 ", 42),
        ("-3", -3),
        ("1e3", 1000),
        (7, 7),
        (7.5, 7.5),
        ("约900户", None),
        ("900户", None),
        ("-", None),
        ("1,20", None),
        ("12,34,567", None),
        ("nan", None),
        ("inf", None),
        (math.inf, None),
        (math.nan, None),
        (True, None),
        ("1 200", None),
        ("", None),
        ("1e999", None),
    ],
)
def test_a_figure_is_read_and_anything_else_is_not(cell: Any, number: float | None) -> None:
    assert parse_number(cell) == number


@given(st.integers(-(10**9), 10**9))
def test_any_whole_number_is_read_back_with_or_without_thousands(number: int) -> None:
    full_width = f"{number:,}".translate(str.maketrans("0123456789,", "０１２３４５６７８９，"))
    assert parse_number(f"{number:,}") == parse_number(str(number)) == parse_number(full_width) == number


@pytest.mark.parametrize(
    ("cell", "angle"),
    [
        ("116°24′30″", 116 + 24 / 60 + 30 / 3600),
        ("116度24分30秒", 116 + 24 / 60 + 30 / 3600),
        ("E116°24'30.5\"", 116 + 24 / 60 + 30.5 / 3600),
        ("39°54′N", 39.9),
        ("12°S", -12),
        ("116.5", 116.5),
        ("116°70′", None),
        ("东经116", None),
    ],
)
def test_degrees_minutes_and_seconds_are_read(cell: str, angle: float | None) -> None:
    assert parse_degrees(cell) == (None if angle is None else pytest.approx(angle, abs=1e-12))


def test_yes_and_no_in_both_languages() -> None:
    assert [parse_yes_no(cell) for cell in ("是", "有", "√", 1, True, "Yes")] == [True] * 6
    assert [parse_yes_no(cell) for cell in ("否", "无", 0, 0.0, False, "no")] == [False] * 6
    assert parse_yes_no("大概") is None


def test_ids_are_text_whatever_excel_made_of_them() -> None:
    assert [parse_id(cell) for cell in ("0012", 620100001, 620100001.0, "Ａ１")] == [
        "0012",
        "620100001",
        "620100001",
        "A1",
    ]


def test_a_clean_text_is_left_alone() -> None:
    assert clean_text("示例一村") == ("示例一村", False)
    assert clean_text("a\x0bb\ud800c") == ("abc", True)


@pytest.mark.parametrize(
    ("cell", "rounded"),
    [("6.2E+11", True), ("6.20102e+17", True), (6.20102001001e17, True), (620102001001.0, False), ("0012", False),
     (620102001001000123, False), ("1E", False), ("A1E+10", False)],
)  # fmt: skip
def test_an_id_that_lost_its_digits_to_a_number_is_known(cell: Any, rounded: bool) -> None:
    assert is_rounded_id(cell) == rounded
