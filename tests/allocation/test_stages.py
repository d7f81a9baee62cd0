"""What is known of a stage, and bounds in the whole units that a plan is made of."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siting.allocation import PlanOptions, prescribe
from siting.allocation.plan import Stage
from siting.allocation.plan_tables import _status
from siting.allocation.stages import Question, money_step, whole_bound
from siting.text import Text
from tests.allocation.test_prescribe import by_hand

UNIT = Text("户", "households")


def stage(value, bound, gap_asked=0.01, ended="search"):
    return Stage("one", UNIT, "max", value, bound, gap_asked, ended, 0.0, UNIT)


def question(sense, step, slack=1e-6):
    return Question("one", UNIT, sense, UNIT, np.zeros(1), slack, step)


def test_what_is_known_of_a_stage_by_hand():
    assert stage(100, 100).proof == stage(100, 100, ended="time").proof == "proven"
    assert stage(99, 100).proof == stage(99, 100, ended="interrupted").proof == "within_gap"
    assert stage(98, 100).proof == "open"
    assert stage(98, 100, ended="time").proof == "time"
    assert stage(98, 100, ended="interrupted").proof == "interrupted"
    assert stage(98, math.inf).proof == "open"
    assert stage(100, 100 + 1e-4, gap_asked=0.0).proof == "open"


@pytest.mark.parametrize(
    ("short", "stages", "status"),
    [
        (True, [stage(1, 1)], "partial"),
        (False, [stage(1, 1), stage(99, 100)], "complete"),
        (False, [stage(1, 1), stage(90, 100, ended="time")], "stopped"),
        (False, [stage(1, 1), stage(90, 100, ended="interrupted")], "stopped"),
        (False, [stage(1, 1, ended="time"), stage(90, 100)], "open"),
        (False, [], "complete"),
    ],
)
def test_only_time_or_ctrl_c_stops_a_plan(short, stages, status):
    assert _status(short, stages) == status


def test_a_bound_is_rounded_to_what_whole_units_can_reach():
    assert whole_bound(question("max", 0.01), 333.337, 333.33) == 333.33
    assert whole_bound(question("max", 0.01), 333.357, 333.33) == pytest.approx(333.35)
    assert whole_bound(question("min", 0.01), 333.323, 333.33) == 333.33
    assert whole_bound(question("min", 0.01), 333.301, 333.33) == pytest.approx(333.31)
    assert whole_bound(question("max", 0.0), 333.337, 333.33) == 333.337
    assert whole_bound(question("max", 1.0), 179.9999999, 180.0) == 180.0
    assert whole_bound(question("min", 0.01), -math.inf, 5.0) == -math.inf
    assert math.copysign(1, whole_bound(question("max", 1.0), 0.3, 0.0)) == 1


@given(st.integers(1, 50), st.floats(0, 100), st.sampled_from(["max", "min"]))
def test_rounding_a_bound_never_cuts_off_a_value_that_whole_units_have(units, bound, sense):
    step = 0.01 * units
    sign = 1 if sense == "max" else -1
    kept = whole_bound(question(sense, step), bound, value=-sign * 1e6)
    possible = [k * step for k in range(int(100 / step) + 2) if sign * k * step <= sign * bound]
    assert all(sign * one <= sign * kept + 1e-9 for one in possible)
    assert sign * kept <= sign * bound + 1e-4


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20)), min_size=1, max_size=3),
    st.sampled_from([0.5, 0.05, 0.001]),
)
def test_every_cost_of_whole_hundredths_is_a_multiple_of_the_step(actions, unit):
    fixed = np.array([row[0] * unit * 10 for row in actions])
    price = np.array([row[1] * unit for row in actions])
    step = money_step(fixed, price)
    for areas in itertools.product((0, 1, 7, 100), repeat=len(actions)):
        cost = float(fixed.sum() + (price / 100 * np.array(areas)).sum())
        if step:
            assert abs(cost / step - round(cost / step)) < 1e-6
    assert step == 0 or step >= unit / 100 * (1 - 1e-9)


def test_a_discounted_price_has_no_step_and_dust_is_none():
    assert money_step(np.array([1.0]), np.array([0.3 / 1.07])) == 0.0
    assert money_step(np.array([1e-6]), np.array([3e-5])) == 0.0
    # 0.3 and 0.45 a m² are 30 and 45 yuan a hundredth, which 15 yuan divide; 100,000 yuan they do not, but 5 yuan do
    assert money_step(np.array([0.0, 0.0]), np.array([0.3, 0.45])) == pytest.approx(0.0015)
    assert money_step(np.array([10.0, 0.0]), np.array([0.3, 0.45])) == pytest.approx(0.0005)


def test_a_plan_by_hand_is_proven_at_gap_0_and_within_the_gap_at_a_wide_one():
    assert {one.proof for one in prescribe(by_hand(), PlanOptions(gap=0.0)).stages} == {"proven"}
    assert {one.proof for one in prescribe(by_hand(), PlanOptions(gap=0.5)).stages} <= {"proven", "within_gap"}
