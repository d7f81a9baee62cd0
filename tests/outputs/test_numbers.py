"""Printed figures never contradict their verdicts."""

import math

import hypothesis.strategies as st
from hypothesis import given

from siting.outputs.numbers import format_figure, format_number
from siting.outputs.plain import clean_text, sheet_name
from siting.text import Text


def test_a_figure_just_short_of_its_target_is_not_printed_as_the_target():
    assert format_number(29.96, "m2_per_100_households", against=30.0) == "29.96"
    assert format_number(29.9996, "m2_per_100_households", against=30.0) == "29.9996"
    assert format_number(30.0, "m2_per_100_households", against=30.0) == "30.0"


def test_the_noise_of_adding_is_not_printed():
    assert format_number(0.1 + 0.2, "m2", against=0.3) == "0"
    assert format_number(30.000000001, "m2_per_100_households", against=30.0) == "30.0"


def test_nearly_everybody_is_not_everybody():
    assert format_number(0.9999, "share") == "99.99"
    assert format_number(1.0, "share") == "100"
    assert format_number(0.00001, "share") == "0.001"
    assert format_number(0.0, "share") == "0"


def test_what_is_counted_is_whole():
    assert format_figure(180.0, Text("个社区", "communities"), "zh") == "180 个社区"
    assert format_figure(7.9, Text("个", "count"), "zh") == "7.9 个"


def test_a_small_sum_of_money_is_not_nothing():
    assert format_number(0.03, "wan_yuan") == "0.03"
    assert format_number(0.0, "wan_yuan") == "0"
    assert format_number(1513.94, "wan_yuan") == "1,513.9"


def test_a_unit_that_begins_with_a_number_is_multiplied_by():
    assert format_figure(1497.0, "wan_yuan", "en") == "1,497.0 × 10,000 yuan"
    assert format_figure(1497.0, "wan_yuan", "zh") == "1,497.0 万元"
    assert format_figure(12.0, Text("万元/年", "10,000 yuan a year"), "en") == "12.0 × 10,000 yuan a year"


def test_a_figure_carries_its_unit_in_the_language_asked():
    assert format_figure(1234.5, "m2", "en") == "1,234 m²"
    assert format_figure(0.8, "share", "zh") == "80.0%"
    assert format_figure(12.5, Text("平方米/百户", "m² per 100 households"), "zh") == "12.5 平方米/百户"


def test_what_is_missing_is_a_dash_and_never_a_zero():
    for missing in (None, math.nan, math.inf):
        assert format_figure(missing, "m2", "zh") == "—"


@given(st.floats(0, 100), st.sampled_from([0.0, 10.0, 30.0, 60.0, 99.5]))
def test_the_printed_figure_stands_on_the_side_of_the_target_where_the_true_one_stands(value, target):
    printed = float(format_number(value, "m2_per_100_households", against=target).replace(",", ""))
    if abs(value - target) > 1e-6:
        assert (printed < target) == (value < target)
        assert (printed > target) == (value > target)


@given(st.floats(0, 1))
def test_a_printed_share_is_100_or_0_only_when_it_is(share):
    printed = float(format_number(share, "share"))
    if 1e-8 < share < 1 - 1e-8:
        assert 0 < printed < 100


def test_text_that_no_file_can_hold_is_cleaned():
    assert clean_text("a\x00b\x0bc\ud800d\u202ee") == "abcde"
    assert clean_text(None) == ""
    assert clean_text(math.nan) == ""
    assert clean_text("社" * 40_000, limit=100) == "社" * 99 + "…"


@given(st.lists(st.text(max_size=60), max_size=6))
def test_sheet_names_are_what_excel_accepts_and_all_differ(wanted):
    taken: set[str] = set()
    names = [sheet_name(name, taken) for name in wanted]
    assert len({name.lower() for name in names}) == len(names)
    for name in names:
        assert 1 <= len(name) <= 31
        assert not set(name) & set("[]:*?/\\")
        assert not name.startswith("'")
        assert not name.endswith("'")


def test_of_one_no_plural_is_said():
    assert [format_figure(n, "communities", "en") for n in (0, 1, 2)] == [
        "0 communities",
        "1 community",
        "2 communities",
    ]
    assert format_figure(1, "communities", "zh") == "1 个社区"
