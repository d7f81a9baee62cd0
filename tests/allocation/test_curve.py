import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siting.allocation import cost_curve, make_problem, max_cover
from siting.errors import ProblemError
from tests.allocation.test_cover import made_town


@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.3]))
@settings(max_examples=8, deadline=None)
def test_the_curve_never_turns_back_and_its_bounds_hold(seed, time_limit_s):
    covers, weights = made_town(seed, 30, 15)
    problem = make_problem("max_cover", covers, weights=weights)
    curve = cost_curve(problem, sites=range(6), time_limit_s=time_limit_s)
    table = curve.table
    assert table["sites"].tolist() == [0, 1, 2, 3, 4, 5]
    assert table["objective"].is_monotonic_increasing
    assert table["bound"].is_monotonic_increasing
    exact = [max_cover(covers, weights, sites=p).objective for p in range(6)]
    assert (table["objective"] <= exact).all()
    assert (table["bound"] >= exact).all()
    for point in curve.points:
        point.solution.check()


def test_with_time_every_point_of_the_curve_is_the_best():
    covers, weights = made_town(3, 30, 15)
    cost = np.arange(15) % 4 + 1.0
    problem = make_problem("max_cover", covers, weights=weights, cost=cost)
    table = cost_curve(problem, budgets=[6, 0, 3, 3], time_limit_s=60).table
    assert table["budget"].tolist() == [0, 3, 6]
    best = [max_cover(covers, weights, cost=cost, budget=money).objective for money in (0, 3, 6)]
    assert table["objective"].tolist() == best
    assert table["proven"].all()
    assert table["covered_share"].tolist() == pytest.approx([value / weights.sum() for value in best])
    assert (table["cost"] <= table["budget"]).all()


def test_a_limit_that_the_fixed_sites_break_is_a_point_that_says_so():
    problem = make_problem("max_cover", np.eye(3, dtype=bool), fixed=[0, 1])
    curve = cost_curve(problem, sites=[1, 2, 3])
    assert curve.points[0].solution is None
    assert "2 sites are fixed" in curve.table["blocked"][0]
    assert curve.table["objective"].tolist()[1:] == [2, 3]


def test_a_curve_needs_exactly_one_kind_of_limit_and_some_points():
    problem = make_problem("max_cover", np.eye(2, dtype=bool))
    for limits in ({}, {"sites": [1], "budgets": [1.0]}):
        with pytest.raises(ProblemError, match="either sites or budgets"):
            cost_curve(problem, **limits)
    with pytest.raises(ProblemError, match="at least one limit"):
        cost_curve(problem, sites=[])
    with pytest.raises(ProblemError, match="a set cover has none"):
        cost_curve(make_problem("set_cover", np.eye(2, dtype=bool)), sites=[1])
