"""How evenly things fall: by definition, by hand and against a package."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siting.coverage import gini, lorenz, worst_tenth_mean
from siting.coverage.equity import equity_table
from tests.coverage.made_counties import communities, homes

NAN = np.nan
MANY = st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 50)), min_size=1, max_size=12)


def by_definition(values, weights):
    """Return half the mean difference between two households, over the mean."""
    every = np.repeat(values, weights).astype(np.float64)
    return np.abs(every[:, None] - every).mean() / (2 * every.mean())


@settings(max_examples=60, deadline=None)
@given(MANY)
def test_gini_is_half_the_relative_mean_difference(pairs):
    values, weights = np.array(pairs, dtype=np.int64).T
    if values.any():
        assert gini(values.astype(float), weights.astype(float)) == pytest.approx(
            by_definition(values, weights), abs=1e-9
        )


def test_gini_agrees_with_the_inequality_package():
    theirs = pytest.importorskip("inequality").gini.Gini
    rng = np.random.default_rng(2)
    values, weights = rng.gamma(2.0, 300.0, 50), rng.integers(1, 9, 50)
    assert gini(values, weights.astype(float)) == pytest.approx(theirs(np.repeat(values, weights)).g)


def test_all_the_same_is_0_and_nobody_is_nothing():
    assert gini(np.full(3, 7.0), np.array([1.0, 2, 3])) == pytest.approx(0, abs=1e-12)
    assert gini(np.zeros(3), np.ones(3)) == 0
    assert np.isnan(gini(np.array([4.0]), np.array([0.0])))


def test_the_lorenz_curve_by_hand():
    # 30 households have 1 each, 10 have 7 each: the poorer three quarters hold 30 of 100.
    people, held = lorenz(np.array([7.0, 1]), np.array([10.0, 30]))
    assert people.tolist() == [0, 0.75, 1]
    assert held.tolist() == [0, 0.3, 1]


@settings(max_examples=40, deadline=None)
@given(MANY)
def test_the_lorenz_curve_is_convex_and_below_the_diagonal(pairs):
    values, weights = np.array(pairs, dtype=np.float64).T
    people, held = lorenz(values, weights)
    assert (held <= people + 1e-12).all()
    slopes = np.diff(held) / np.diff(people)
    assert (np.diff(slopes) >= -1e-9).all()


def test_the_worst_tenth_counts_who_straddles_it_in_part():
    # 100 households: the tenth are the 4 at 900 m and 6 of the 16 at 500 m.
    values, weights = np.array([100.0, 900, 500]), np.array([80.0, 4, 16])
    assert worst_tenth_mean(values, weights, worst_is_most=True) == pytest.approx((4 * 900 + 6 * 500) / 10)
    assert worst_tenth_mean(values, weights, worst_is_most=False) == 100
    assert np.isnan(worst_tenth_mean(values, np.zeros(3), worst_is_most=True))


def made_table():
    table = communities([100, 300, 50], township=["East", "East", "West"], elderly=[50.0, NAN, 20])
    demand = homes(table, [0, 1, 1, 2], [100, 200, 100, 50])
    distance_m = np.array([100.0, 400, 1000, np.inf])
    return equity_table(table, demand, distance_m, np.array([30.0, NAN, 0]), np.array([10.0, 20, 20, 0]))


def of(measure, kind, group):
    table = made_table()
    return table[(table["measure"] == measure) & (table["kind"] == kind) & (table["group"] == group)].iloc[0]


def test_homes_that_reach_nothing_are_left_out_and_counted():
    row = of("distance_m", "all", "all")
    assert (row["households"], row["left_out"]) == (400, 50)
    assert row["mean"] == pytest.approx((100 * 100 + 200 * 400 + 100 * 1000) / 400)
    assert row["median"] == 400
    assert row["worst_tenth_mean"] == 1000


def test_townships_and_groups_have_their_own_figures():
    assert of("distance_m", "township", "West")["households"] == 0
    assert np.isnan(of("distance_m", "township", "West")["gini"])
    assert of("distance_m", "group", "elderly")["households"] == 50
    assert of("distance_m", "group", "elderly")["left_out"] == 20
    assert not ((made_table()["kind"] == "group") & (made_table()["group"] == "minors")).any()


def test_an_unknown_area_is_left_out():
    row = of("allotted_area_per_100_households_m2", "all", "all")
    assert (row["households"], row["left_out"], row["mean"]) == (150, 300, 20)
    assert row["lorenz_30"] == 0
    assert of("shared_area_per_100_households_m2", "all", "all")["mean"] == pytest.approx((1000 + 6000) / 450)
