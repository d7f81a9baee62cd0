"""Blind spots: who is in which patch, and in what order."""

import numpy as np

from siting.coverage.access import NearestFacilities
from siting.coverage.gaps import find_gaps
from siting.inputs import DemandPoints
from tests.coverage.made_counties import communities, facilities

M = 1 / 90_163.3  # a metre of longitude, in degrees, at 36° north
TABLE = communities([1, 1])
PLACES = facilities(2)


def gaps(east_m, households, nearest_m, *, community=None, covered=None, facility=None, cutoff_m=1200.0):
    n = len(east_m)
    demand = DemandPoints(
        lon=104 + np.array(east_m) * M,
        lat=np.full(n, 36.0),
        community=np.array([0] * n if community is None else community, dtype=np.int64),
        households=np.array(households, dtype=np.float64),
        method=("grid", "grid"),
    )
    distance_m = np.column_stack([np.array(nearest_m, dtype=np.float64), np.full(n, np.inf)])
    row = np.column_stack([np.zeros(n, dtype=np.int64) if facility is None else facility, np.full(n, -1)])
    none = np.zeros(n, dtype=bool) if covered is None else np.array(covered)
    return find_gaps(
        demand, none, NearestFacilities(distance_m, row), np.broadcast_to(cutoff_m, n).astype(float), TABLE, PLACES
    )


def test_homes_within_a_quarter_of_the_circle_are_one_patch():
    found = gaps([0, 299, 700], [10, 20, 25], [1300, 1500, 2000], community=[0, 0, 1])
    assert found["households"].tolist() == [30, 25]
    assert found["community_ids"].tolist() == ["A", "B"]
    assert found["rank"].tolist() == [1, 2]
    assert [len(shape.geoms) for shape in found.geometry] == [2, 1]


def test_a_chain_of_near_homes_is_one_patch_over_two_communities():
    found = gaps([0, 290, 580, 870], [1, 1, 1, 1], [1300] * 4, community=[0, 0, 1, 1])
    assert found["community_ids"].tolist() == ["A;B"]


def test_the_smaller_circle_decides_between_town_and_country():
    cutoff_m = np.array([1200.0, 3000, 3000])
    assert len(gaps([0, 400, 900], [1, 1, 1], [4000] * 3, cutoff_m=cutoff_m)) == 2


def test_a_patch_wider_than_a_circle_is_cut_in_halves():
    # 41 homes 100 m apart in a chain of 4 km; halves of 2 km fit into a circle that is 2.4 km across.
    found = gaps(np.arange(41) * 100, [1] * 41, [1300] * 41)
    assert sorted(found["households"]) == [20, 21]
    assert len(gaps(np.arange(25) * 100 * 0.999, [1] * 25, [1300] * 25)) == 1


def test_covered_homes_and_places_without_households_are_no_gap():
    found = gaps([0, 100, 5000], [10, 0, 9], [1300, 1300, 100], covered=[False, False, True])
    assert found["households"].tolist() == [10]
    assert [len(shape.geoms) for shape in found.geometry] == [1]


def test_the_nearest_is_that_of_the_home_with_the_least_way_to_go():
    found = gaps([0, 200], [10, 20], [1900, 1450.5], facility=[0, 1])
    row = found.iloc[0]
    assert (row["nearest_facility_id"], row["nearest_m"], row["excess_m"], row["farthest_m"]) == (
        "f2",
        1450.5,
        250.5,
        1900,
    )


def test_a_patch_that_reaches_nothing_has_no_distance():
    row = gaps([0], [10], [np.inf], facility=[-1]).iloc[0]
    assert row["nearest_facility_id"] == ""
    assert np.isnan([row["nearest_m"], row["excess_m"], row["farthest_m"]]).all()


def test_no_gap_is_an_empty_table_with_the_same_columns():
    none, some = gaps([0], [10], [5], covered=[True]), gaps([0], [10], [5000])
    assert len(none) == 0
    assert none.crs == some.crs
    assert list(none.columns) == list(some.columns)


def test_the_order_of_homes_does_not_matter():
    rng = np.random.default_rng(3)
    east_m, households = rng.integers(0, 9000, 60), rng.integers(1, 50, 60)
    order = rng.permutation(60)
    one = gaps(east_m, households, np.full(60, 1300))
    other = gaps(east_m[order], households[order], np.full(60, 1300))
    assert one.drop(columns="geometry").equals(other.drop(columns="geometry"))
