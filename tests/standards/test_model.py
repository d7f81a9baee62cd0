"""A standard answers: how far, how much, what is assumed, and by which name a service goes."""

import copy
import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siting.errors import StandardError
from siting.standards import Circle, read_standard

NATIONAL = read_standard("national")


def test_the_study_has_its_own_values_and_the_standard_stays_as_it_was():
    own = NATIONAL.assume(walking_speed_kmh=4.0, reach_share=0.8)
    assert own.cutoff_m("urban") == 1000.0
    assert own.rule("reach").target == 0.8
    assert own.assumptions["reach_share"].source == "the study"
    assert own.assumptions["discount_rate"] == NATIONAL.assumptions["discount_rate"]
    assert NATIONAL.cutoff_m("urban") == 1200.0
    assert NATIONAL.rule("reach").target == 0.9


@pytest.mark.parametrize("value", [-1, math.nan, math.inf, True])
def test_an_assumption_is_a_finite_number_not_below_zero(value):
    with pytest.raises(StandardError, match="walking_speed_kmh must be a number > 0"):
        NATIONAL.assume(walking_speed_kmh=value)


def test_unknown_names_are_refused_with_the_near_ones():
    with pytest.raises(StandardError, match=r"near matches: .*walking_speed_kmh"):
        NATIONAL.assume(walking_speed=5)
    with pytest.raises(StandardError, match="near matches: reach_share"):
        NATIONAL.value("reachshare")
    with pytest.raises(StandardError, match="near matches: area_per_100_households"):
        NATIONAL.rule("area_per_100_household")
    with pytest.raises(StandardError, match="near matches: pharmacy"):
        NATIONAL.service("pharmacie")
    with pytest.raises(StandardError, match='no area type "suburban"; near matches: urban'):
        NATIONAL.cutoff_m("suburban")
    with pytest.raises(StandardError, match="near matches: elderly"):
        NATIONAL.cutoff_m("urban", group="elder")


def test_a_circle_has_minutes_or_metres():
    with pytest.raises(StandardError, match="give exactly one of minutes and distance_m"):
        Circle("c", "urban", 15, 1200, "*", "households", "d", "c", "q", "")


@given(st.floats(0.5, 12))
def test_a_cutoff_is_whole_millimetres_and_grows_with_the_speed(speed_kmh):
    cutoff_m = NATIONAL.assume(walking_speed_kmh=speed_kmh).cutoff_m("urban")
    assert cutoff_m == round(cutoff_m * 1000) / 1000
    assert cutoff_m == pytest.approx(speed_kmh * 250, abs=0.0005)


def test_a_standard_can_be_copied_hashed_and_sent_to_another_process():
    assert copy.deepcopy(NATIONAL) == NATIONAL
    assert pickle.loads(pickle.dumps(NATIONAL)) == NATIONAL
    assert hash(NATIONAL) == hash(read_standard("national"))
