"""Who reaches what: places, groups, circles, and the network behind the distances."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siting.coverage.access import NearestFacilities, measure_services, service_table
from siting.coverage.places import nearest_two, pairs_of, places_of
from siting.coverage.straight import earth_xyz, straight_m
from siting.errors import InputError
from tests.coverage.made_counties import NATIONAL, Access, access, communities, facilities, homes, sparse

INF, NAN = np.inf, np.nan


def comprehensive(ready, table, places):
    return measure_services(ready, table, places, ["comprehensive"], NATIONAL)["comprehensive"]


def test_entrances_of_one_place_count_once_and_by_the_nearest():
    doors = facilities(4, place_id=["p", "", "p", "q"])
    places = places_of(doors, "comprehensive")
    pairs = pairs_of(sparse([[700, 900, 300, INF], [INF, INF, INF, 5]]), places)
    assert len(places) == 3
    assert pairs.row.tolist() == [0, 0, 1]
    assert pairs.distance_m.tolist() == [300, 900, 5]
    distance_m, place = nearest_two(pairs, 2)
    assert distance_m.tolist() == [[300, 900], [5, INF]]
    assert place.tolist() == [[0, 1], [2, -1]]


def test_one_place_provides_two_services_once_each():
    doors = facilities(3, place_id="p", service=["comprehensive", "elder_care", "elder_care"])
    assert len(places_of(doors, "comprehensive")) == 1
    assert len(places_of(doors, "elder_care")) == 1
    assert len(places_of(doors, "pharmacy")) == 0


@pytest.mark.parametrize(
    ("where", "nearest"),
    [
        ({"lon": [104.02, 104.0], "lat": [36.0, 36.0]}, [1, 0]),
        ({"lon": [104.0, 104.0], "lat": [36.0, 36.1]}, [0, 1]),
        ({"lon": [104.0, 104.0], "lat": [36.0, 36.0], "floor_area_m2": [90.0, 60.0]}, [1, 0]),
        ({"lon": [104.0, 104.0], "lat": [36.0, 36.0], "floor_area_m2": [np.nan, 60.0]}, [1, 0]),
    ],
)
@pytest.mark.parametrize("ids", [["a", "b"], ["b", "a"]])
def test_of_places_equally_far_the_western_then_the_southern_then_the_smaller_is_the_nearest(where, nearest, ids):
    table = communities([1])
    two = facilities(2, facility_id=ids, **where)
    found = comprehensive(access([[500.0, 500.0]], table), table, two).nearest
    assert found.facility.tolist() == [nearest]


def test_a_stored_zero_is_the_same_spot_and_a_missing_pair_is_out_of_reach():
    table = communities([1, 1])
    found = comprehensive(access([[0.0], [INF]], table), table, facilities(1)).nearest
    assert found.distance_m[:, 0].tolist() == [0, INF]
    assert found.facility[:, 0].tolist() == [0, -1]


def test_a_nearest_that_was_measured_goes_before_the_matrix():
    table, one = communities([1]), facilities(1)
    ready = access([[INF]], table)
    far = NearestFacilities(np.array([[9000.0, INF]]), np.array([[0, -1]]))
    measured = Access(ready.cost, ready.demand, ready.cutoff_m, nearest={"comprehensive": far})
    assert comprehensive(measured, table, one).nearest.distance_m[0, 0] == 9000


def test_shapes_that_do_not_fit_are_refused():
    table = communities([1, 1])
    with pytest.raises(InputError, match="3 rows of distances, 2 demand points and 2 cut-offs"):
        Access(sparse(np.zeros((3, 1))), access(np.zeros((2, 1)), table).demand, np.ones(2))


def test_each_group_is_counted_by_its_own_circle():
    # 1,000 m: inside the households' 1,200 m, outside the elderly's 825 m (3.3 km/h) and the disabled's 725 m.
    table = communities([100, 100], elderly=[30.0, 10.0], minors=[20.0, NAN], disabled=[NAN, NAN])
    ready = access([[1000.0], [800.0]], table)
    reached = {"comprehensive": comprehensive(ready, table, facilities(1))}
    rows = service_table(reached, table, ready.demand, NATIONAL).set_index(["area_type", "group"])
    assert rows.loc[("urban", "households"), ["households", "reached", "reached_share"]].tolist() == [200, 200, 1]
    assert rows.loc[("urban", "elderly"), ["households", "reached", "reached_share"]].tolist() == [40, 10, 0.25]
    assert rows.loc[("urban", "minors"), ["households", "reached", "communities_unknown"]].tolist() == [20, 20, 1]
    assert rows.loc[("urban", "disabled"), "communities_unknown"] == 2
    assert np.isnan(rows.loc[("urban", "disabled"), "reached_share"])
    assert rows.loc[("urban", "elderly"), "cutoff_m"] == 825
    assert rows.loc[("all", "households"), ["median_m", "median_min"]].tolist() == [800, 10]
    assert rows.loc[("all", "elderly"), "median_min"] == pytest.approx(1000 / 55)


def test_people_of_a_group_live_where_the_households_do():
    table = communities([100], elderly=[50.0])
    demand = homes(table, [0, 0], [80, 20])
    ready = access([[100.0], [5000.0]], table, demand)
    reached = {"comprehensive": comprehensive(ready, table, facilities(1))}
    rows = service_table(reached, table, demand, NATIONAL).set_index(["area_type", "group"])
    assert rows.loc[("all", "elderly"), "reached"] == 40


def test_town_and_country_have_rows_of_their_own_and_a_median_beyond_reach_is_nothing():
    table = communities([10, 30], area_type=["urban", "rural"])
    ready = access([[1300.0], [INF]], table)
    reached = {"comprehensive": comprehensive(ready, table, facilities(1))}
    rows = service_table(reached, table, ready.demand, NATIONAL).set_index(["area_type", "group"])
    assert rows.loc[("urban", "households"), "median_m"] == 1300
    assert np.isnan(rows.loc[("rural", "households"), "median_m"])
    assert np.isnan(rows.loc[("all", "households"), "cutoff_m"])


def test_straight_lines_are_geodesics():
    geod = pytest.importorskip("pyproj").Geod(ellps="WGS84")
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(103, 104, 50), rng.uniform(35, 36, 50)
    east, north = lon + rng.uniform(-0.03, 0.03, 50), lat + rng.uniform(-0.03, 0.03, 50)
    expected = geod.inv(lon, lat, east, north)[2]
    homes_at, places_at = earth_xyz(lon, lat), earth_xyz(east, north)
    found = [straight_m(homes_at[[i]], places_at[[i]])[0] for i in range(50)]
    assert found == pytest.approx(expected, abs=2e-3)
    assert straight_m(earth_xyz(lon, lat), np.empty((0, 3))).tolist() == [INF] * 50


def test_a_straight_line_does_not_hang_on_the_crs():
    table, one = communities([1], lon=[104.0], lat=[36.0]), facilities(1, lon=[104.01], lat=[36.0])
    here = comprehensive(access([[900.0]], table), table, one).straight_m
    there = comprehensive(access([[900.0]], table), table, one.to_crs("EPSG:32648")).straight_m
    assert here == pytest.approx(there, abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.one_of(st.integers(0, 9), st.just(INF)), min_size=4, max_size=4), min_size=1, max_size=5),
    st.lists(st.sampled_from(["", "p", "q"]), min_size=4, max_size=4),
    st.lists(st.sampled_from(["comprehensive", "pharmacy"]), min_size=4, max_size=4),
)
def test_the_two_nearest_places_are_those_of_plain_loops(distance_m, place_id, service):
    table = communities([1] * len(distance_m))
    doors = facilities(4, place_id=place_id, service=service)
    found = comprehensive(access(distance_m, table), table, doors).nearest
    for i, row in enumerate(distance_m):
        best = {}
        for j in range(4):
            if service[j] == "comprehensive":
                name = place_id[j] or f"row {j}"
                best[name] = min(best.get(name, INF), row[j])
        nearest = [*sorted(best.values()), INF, INF][:2]
        assert found.distance_m[i].tolist() == nearest


def test_pairs_keep_each_home_and_place_once():
    pairs = pairs_of(sparse([[5, 3, 4]]), places_of(facilities(3, place_id="p"), "comprehensive"))
    assert pd.DataFrame({"row": pairs.row, "place": pairs.place}).duplicated().sum() == 0
    assert pairs.distance_m.tolist() == [3]
