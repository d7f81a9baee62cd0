"""Floor area: who is allotted what, and what everyone shares."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siting.coverage import allot, allotted_area
from siting.coverage.area import shared_area
from siting.coverage.places import pairs_of, places_of
from tests.coverage.made_counties import NATIONAL, communities, facilities, sparse

INF, NAN = np.inf, np.nan


def share_of(rows):
    return pd.DataFrame(rows, columns=["facility_id", "community_id", "area_m2"]).astype({"area_m2": np.float64})


def area(table, places, rows=None):
    return allotted_area(table, places, None if rows is None else share_of(rows), NATIONAL).tolist()


def said(table, places, rows=None):
    return [
        issue.line("en") for issue in allot(table, places, None if rows is None else share_of(rows), NATIONAL).issues
    ]


def test_a_community_is_allotted_the_whole_of_both_its_facilities():
    two = facilities(3, floor_area_m2=[120.0, 80.0, 50.0], community_id=["A", "A", "B"])
    assert area(communities([100, 100, 100]), two) == [200, 50, 0]


def test_the_index_of_the_communities_is_kept():
    table = communities([1, 1]).set_axis([7, 3])
    found = allotted_area(table, facilities(1, floor_area_m2=10.0, community_id="B"), None, NATIONAL)
    assert found.to_dict() == {7: 0, 3: 10}


def test_one_facility_is_shared_by_three_as_the_table_says_and_its_own_community_gets_no_more():
    one = facilities(1, floor_area_m2=600.0, community_id="A")
    assert area(communities([1, 1, 1]), one, [("f1", "A", 300), ("f1", "B", 200), ("f1", "C", 100)]) == [300, 200, 100]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("floor_area_m2", [600.0, 30.0])
def test_sums_are_the_same_to_the_last_bit_whatever_the_order_of_the_rows(order, floor_area_m2):
    """0.1 + 0.2 + 0.3 is not 0.3 + 0.2 + 0.1: neither of one place nor of one community."""
    rows = [("f1", "A", 10.1), ("f1", "A", 20.2), ("f1", "A", 30.3)]
    one, table = facilities(1, floor_area_m2=floor_area_m2), communities([1])
    assert area(table, one, [rows[at] for at in order]) == area(table, one, rows)
    three = facilities(3, facility_id=[f"f{at}" for at in order], floor_area_m2=[(0.1, 0.2, 0.3)[at] for at in order])
    owned = three.assign(community_id="A")
    assert area(table, owned) == [pytest.approx(0.6)]
    assert area(table, owned) == area(table, owned.iloc[[order.index(at) for at in range(3)]].reset_index(drop=True))


def test_more_than_the_floor_area_is_cut_in_proportion_and_said():
    one = facilities(1, floor_area_m2=300.0)
    rows = [("f1", "A", 400), ("f1", "B", 200)]
    assert area(communities([1, 1]), one, rows) == [200, 100]
    assert "600 m² are allotted of a floor area of 300 m²" in said(communities([1, 1]), one, rows)[0]


def test_a_missing_floor_area_leaves_its_community_unknown_and_no_other():
    two = facilities(3, floor_area_m2=[NAN, 80.0, 50.0], community_id=["A", "A", "B"])
    assert area(communities([1, 1]), two) == pytest.approx([NAN, 50], nan_ok=True)
    found = allot(communities([1, 1]), two, None, NATIONAL)
    assert (found.known_m2.tolist(), found.missing.tolist()) == ([80, 50], [1, 0])


def test_a_missing_allotment_leaves_its_community_unknown():
    one = facilities(1, floor_area_m2=500.0)
    assert area(communities([1, 1]), one, [("f1", "A", NAN), ("f1", "B", 100)]) == pytest.approx(
        [NAN, 100], nan_ok=True
    )


def test_allotments_of_an_unknown_floor_area_are_taken_as_they_are():
    assert area(communities([1, 1]), facilities(1), [("f1", "B", 70)]) == [0, 70]


def test_entrances_of_one_place_count_its_area_once():
    doors = facilities(3, floor_area_m2=[300.0, 300.0, NAN], community_id=["A", "A", ""], place_id="p")
    assert area(communities([1]), doors) == [300]
    assert said(communities([1]), doors) == []


def test_entrances_that_differ_count_the_larger_area_once_and_are_named():
    doors = facilities(2, floor_area_m2=[300.0, 200.0], community_id="A", place_id="p")
    assert area(communities([1]), doors) == [300]
    assert "(200 and 300 m²); the larger is counted, once" in said(communities([1]), doors)[0]


def test_entrances_in_two_communities_leave_both_unknown():
    doors = facilities(2, floor_area_m2=300.0, community_id=["A", "B"], place_id="p")
    assert area(communities([1, 1, 1]), doors) == pytest.approx([NAN, NAN, 0], nan_ok=True)
    assert "name different communities" in said(communities([1, 1, 1]), doors)[0]


def test_entrances_in_two_communities_are_settled_by_the_table():
    doors = facilities(2, floor_area_m2=300.0, community_id=["A", "B"], place_id="p")
    assert area(communities([1, 1]), doors, [("f1", "A", 100), ("f2", "B", 200)]) == [100, 200]


def test_places_and_facilities_with_the_same_name_are_not_mixed_up():
    two = facilities(2, floor_area_m2=[100.0, 40.0], community_id=["A", "B"], place_id=["f2", ""])
    assert area(communities([1, 1]), two) == [100, 40]


def test_only_counted_services_count():
    two = facilities(2, service=["comprehensive", "pharmacy"], floor_area_m2=100.0, community_id="A")
    assert area(communities([1]), two) == [100]
    assert area(communities([1]), two, [("f2", "A", 90)]) == [100]
    assert "its allotment is not used" in said(communities([1]), two, [("f2", "A", 90)])[0]


def test_a_facility_of_no_community_counts_for_none_and_is_said():
    two = facilities(2, floor_area_m2=[100.0, 40.0], community_id=["A", ""])
    assert area(communities([1, 1]), two) == [100, 0]
    assert "1 of the facilities (40 m² known) name no community" in said(communities([1, 1]), two)[0]


def test_where_no_facility_names_a_community_nothing_is_known():
    two = facilities(2, floor_area_m2=100.0)
    assert area(communities([1, 1]), two) == pytest.approx([NAN, NAN], nan_ok=True)
    assert "the area of every community is unknown" in said(communities([1, 1]), two)[0]


def test_without_any_facility_the_area_is_0():
    assert area(communities([1, 1]), facilities(0)) == [0, 0]


def test_strangers_are_named():
    one = facilities(2, floor_area_m2=100.0, community_id=["Z", "A"])
    assert area(communities([1]), one) == [100]
    assert (
        '"Z": facilities name a community that is not in the communities table; 100 m²'
        in said(communities([1]), one)[0]
    )
    assert '"f9": the allotments name a facility' in said(communities([1]), one, [("f9", "A", 3)])[0]


def test_two_homes_share_a_facility_by_all_who_reach_it():
    # f1 (300 m²) is reached by 100 + 200 households, f2 (80 m²) by 200 alone; 1 and 0.4 m² a household.
    places = places_of(facilities(2), "comprehensive")
    pairs = pairs_of(sparse([[1200, INF], [0, 500], [1200.001, 1300]]), places)
    share, short = shared_area(pairs, np.array([100.0, 200, 50]), np.array([300.0, 80]), np.full(3, 1200.0))
    assert share.tolist() == pytest.approx([1.0, 1.4, 0])
    assert not short.any()


def test_the_circle_of_a_shared_area_is_the_homes_own():
    pairs = pairs_of(sparse([[2900], [2900]]), places_of(facilities(1), "comprehensive"))
    share, _ = shared_area(pairs, np.array([10.0, 10]), np.array([50.0]), np.array([1200.0, 3000]))
    assert share.tolist() == [0, 5]


def test_a_place_without_a_floor_area_is_left_out_and_marked():
    pairs = pairs_of(sparse([[1, 1], [INF, 1]]), places_of(facilities(2), "comprehensive"))
    share, short = shared_area(pairs, np.array([10.0, 10]), np.array([NAN, 40]), np.full(2, 9.0))
    assert share.tolist() == [2, 2]
    assert short.tolist() == [True, False]


DISTANCES = st.integers(1, 6).flatmap(
    lambda m: st.lists(st.lists(st.integers(0, 3000), min_size=m, max_size=m), min_size=1, max_size=8)
)


@settings(max_examples=25, deadline=None)
@given(DISTANCES, st.data())
def test_shared_areas_add_up_to_the_floor_area_in_reach_of_anyone(distance_m, data):
    dense = np.array(distance_m, dtype=np.float64)
    n, m = dense.shape
    households = np.array(data.draw(st.lists(st.integers(0, 900), min_size=n, max_size=n)), dtype=np.float64)
    area_m2 = np.array(data.draw(st.lists(st.integers(0, 900), min_size=m, max_size=m)), dtype=np.float64)
    cutoff = np.array(data.draw(st.lists(st.sampled_from([1200.0, 3000.0]), min_size=n, max_size=n)))
    in_reach = ((dense <= cutoff[:, None]) & (households[:, None] > 0)).any(axis=0)
    longer = cutoff + data.draw(st.integers(0, 2000))
    pairs = pairs_of(sparse(dense), places_of(facilities(m), "comprehensive"))
    share, _ = shared_area(pairs, households, area_m2, cutoff)
    assert (share * households).sum() == pytest.approx(area_m2[in_reach].sum(), abs=1e-6)
    further, _ = shared_area(pairs, households, area_m2, longer)
    assert (further * households).sum() >= (share * households).sum() - 1e-6
    fewer, _ = shared_area(
        pairs_of(sparse(dense[:, :-1]), places_of(facilities(m - 1), "comprehensive")), households, area_m2[:-1], cutoff
    )
    assert (share * households).sum() >= (fewer * households).sum() - 1e-6


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_no_square_metre_is_allotted_twice(data):
    m, n = data.draw(st.integers(1, 5)), 3
    names = st.sampled_from(["", "A", "B", "C"])
    table = facilities(
        m,
        floor_area_m2=[float(data.draw(st.integers(0, 500))) for _ in range(m)],
        community_id=[data.draw(names) for _ in range(m)],
        place_id=[data.draw(st.sampled_from(["", "p", "q"])) for _ in range(m)],
    )
    rows = data.draw(
        st.lists(
            st.tuples(st.sampled_from(table["facility_id"].to_list()), st.sampled_from("ABC"), st.integers(0, 400)),
            max_size=4,
        )
    )
    place = np.where(table["place_id"] == "", table["facility_id"], "place " + table["place_id"])
    there_is = table.groupby(place)["floor_area_m2"].max().sum()
    assert allot(communities([1] * n), table, share_of(rows), NATIONAL).known_m2.sum() <= there_is + 1e-6
    order = np.array(data.draw(st.permutations(range(m))))
    shuffled = table.iloc[order].reset_index(drop=True)
    again = allotted_area(communities([1] * n), shuffled, share_of(rows[::-1]), NATIONAL)
    assert again.to_numpy() == pytest.approx(
        allotted_area(communities([1] * n), table, share_of(rows), NATIONAL).to_numpy(), nan_ok=True
    )


def test_shared_area_agrees_with_the_access_package():
    fca = pytest.importorskip("access").fca
    rng = np.random.default_rng(4)
    n, m = 40, 12
    dense = rng.integers(0, 5000, (n, m)).astype(np.float64)
    cutoff = np.where(rng.random(n) < 0.5, 1200.0, 3000.0)
    households, area_m2 = rng.integers(1, 900, n).astype(np.float64), rng.integers(1, 900, m).astype(np.float64)
    places = places_of(facilities(m), "comprehensive")
    share, _ = shared_area(pairs_of(sparse(dense), places), households, area_m2, cutoff)
    far = pd.DataFrame({"origin": np.repeat(np.arange(n), m), "dest": np.tile(np.arange(m), n), "cost": dense.ravel()})
    far = far[far["cost"] <= cutoff[far["origin"]]]
    rank = places.place[np.argsort(places.column)]  # the area of a place stands under its number
    theirs = fca.two_stage_fca(
        pd.DataFrame({"demand": households}, index=pd.Index(range(n), name="geoid")),
        pd.DataFrame({"supply": area_m2[rank]}, index=pd.Index(range(m), name="geoid")),
        far,
        max_cost=1e9,
        demand_index=True,
        supply_index=True,
    )
    assert share == pytest.approx(theirs.reindex(range(n)).fillna(0).to_numpy())
