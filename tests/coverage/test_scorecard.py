"""The whole scorecard: a story by hand on streets, laws, and two scorecards compared."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siting.coverage import compare, measure_access, score, score_access
from siting.errors import InputError
from siting.network import RoadNetwork
from siting.standards import SHIPPED, read_standard
from tests.coverage.made_counties import NATIONAL, NO_ALLOTMENTS, access, communities, facilities, homes

INF, NAN = np.inf, np.nan
EAST, NORTH = 350_000.0, 3_980_000.0  # a corner of the streets, m in EPSG:32648


def lonlat(xy):
    points = gpd.GeoSeries(gpd.points_from_xy(*np.transpose(xy)), crs="EPSG:32648").to_crs("EPSG:4326")
    return {"lon": points.x.to_numpy(), "lat": points.y.to_numpy()}


def street(length_m=6000.0):
    """Return one straight street of 6 km on the map, as long as is said, and a function from map metres to places."""
    xy = np.array([[EAST, NORTH], [EAST + 6000, NORTH]])
    net = RoadNetwork.from_edges(xy, np.array([0]), np.array([1]), np.array([length_m]), crs="EPSG:32648")
    return net, lambda *along: lonlat([(EAST + metres, NORTH) for metres in along])


def test_a_street_by_hand():
    # Homes 0, 1,000 and 3,000 m along a street of 6 km; a facility at 100 m with two doors, and one at 4,100 m.
    net, at = street()
    table = communities([100, 100, 50], **at(0, 1000, 3000))
    places = facilities(
        3, floor_area_m2=[45.0, 45.0, 9.0], community_id=["A", "A", "C"], place_id=["p", "p", ""], **at(100, 150, 4100)
    )
    card = score(table, places, net, NATIONAL)
    home = card.demand
    assert home["nearest_m"].tolist() == pytest.approx([100, 850, 1100], abs=0.01)
    assert home["second_nearest_m"].tolist() == pytest.approx([4100, 3100, 2850], abs=0.01)
    assert home["nearest_facility_id"].tolist() == ["f1", "f2", "f3"]
    assert home["facilities_in_reach"].tolist() == [1, 1, 1]
    assert card.communities["in_reach"].tolist() == ["pass"] * 3
    assert card.communities["has_area"].tolist() == ["pass", "fail", "fail"]
    assert card.communities["allotted_area_m2"].tolist() == [45, 0, 9]
    assert card.communities["shared_area_per_100_households_m2"].tolist() == pytest.approx([22.5, 22.5, 18])
    assert card.communities["walk_min"].tolist() == pytest.approx([1.25, 10.625, 13.75], abs=1e-3)
    assert len(card.gaps) == 0
    assert "the roads end within the circle of 3 communities" in " ".join(issue.line("en") for issue in card.issues)


def test_the_nearest_is_known_beyond_every_circle():
    net, at = street()
    card = score(communities([100], **at(0)), facilities(1, **at(5000)), net, NATIONAL)
    assert card.communities.loc[0, "nearest_m"] == pytest.approx(5000, abs=0.01)
    row = card.verdicts.set_index("rule_id").loc["reach"]
    assert row["shortfall"] == pytest.approx(3800, abs=0.01)
    assert row["note_en"] == "3800 m too far"
    assert card.gaps.loc[0, ["gap_id", "households", "nearest_facility_id"]].tolist() == ["G1", 100, "f1"]
    assert card.gaps.loc[0, "excess_m"] == pytest.approx(3800, abs=0.01)


def test_a_home_that_no_road_is_near_is_listed_and_never_covered():
    net, _ = street()
    far = lonlat([(EAST, NORTH + 800), (EAST, NORTH + 100)])
    places = facilities(1, **lonlat([(EAST, NORTH + 800)]))
    card = score(communities([10, 10], **far), places, net, NATIONAL)
    assert card.unroutable[["role", "id"]].to_numpy().tolist() == [["home", "A"], ["facility", "f1"]]
    assert card.unroutable["distance_m"].tolist() == pytest.approx([800, 800], abs=1)
    assert card.communities["in_reach"].tolist() == ["fail", "fail"]
    words = " ".join(issue.line("en") for issue in card.issues)
    assert "1 places of 10 households, in 1 of the communities" in words
    assert "no road is near 1 of the facilities" in words


def test_a_coarse_network_is_said():
    net, _ = street()
    near, off = (lonlat([(EAST + 3000, NORTH + metres)]) for metres in (50, 200))
    places = facilities(1, **lonlat([(EAST + 3000, NORTH)]))
    for place, coarse in ((near, False), (off, True)):
        card = score(communities([10], **place), places, net, NATIONAL)
        assert any("too coarse" in issue.problem.en for issue in card.issues) is coarse


def test_data_that_go_a_circle_further_end_nowhere():
    rim = [(EAST + x, NORTH + y) for x in (0, 6000) for y in (0, 6000)]
    xy = np.array([*rim, (EAST + 3000, NORTH + 3000)])
    u, v = np.array([0, 1, 2, 3]), np.array([4, 4, 4, 4])
    net = RoadNetwork.from_edges(xy, u, v, np.hypot(*(xy[u] - xy[v]).T), crs="EPSG:32648")
    middle = communities([10], **lonlat([(EAST + 3000, NORTH + 3000)]))
    places = facilities(5, **lonlat(xy))
    assert not [issue for issue in score(middle, places, net, NATIONAL).issues if "end within" in issue.problem.en]
    alone = score(middle, places.iloc[[4]].reset_index(drop=True), net, NATIONAL).issues
    assert [issue.severity for issue in alone if "facilities end within" in issue.problem.en] == ["note"]
    lone = score(middle, facilities(1, **lonlat([(EAST, NORTH)])), net, NATIONAL)
    assert [issue.value for issue in lone.issues if "facilities end within" in issue.problem.en] == ["A"]
    assert [issue.severity for issue in lone.issues if "facilities end within" in issue.problem.en] == ["warning"]
    assert lone.communities["data_ends"].tolist() == ["facilities"]
    square = gpd.GeoDataFrame({"community_id": ["A"]}, geometry=[net_hull(xy)], crs="EPSG:32648").to_crs("EPSG:4326")
    known = score(middle, places.iloc[[4]].reset_index(drop=True), net, NATIONAL, boundaries=square).issues
    assert not [issue for issue in known if "facilities end within" in issue.problem.en]


def net_hull(xy):
    return gpd.GeoSeries(gpd.points_from_xy(*xy.T)).union_all().convex_hull


def test_a_ready_access_gives_the_same_scorecard():
    net, at = street()
    table, places = communities([100, 20], **at(10, 2500)), facilities(2, **at(400, 5000))
    ready = measure_access(table, places, net, NATIONAL)
    one, other = score(table, places, net, NATIONAL), score(table, places, net, NATIONAL, access=ready)
    pd.testing.assert_frame_equal(one.verdicts, other.verdicts)
    pd.testing.assert_frame_equal(one.demand, score_access(ready, table, places, NATIONAL).demand)


def test_town_and_country_are_searched_each_to_their_own_circle():
    net, at = street()
    table = communities([10, 10], area_type=["urban", "rural"], **at(0, 0))
    ready = measure_access(table, facilities(1, **at(2000)), net, NATIONAL)
    assert ready.cost.toarray().tolist() == pytest.approx(np.array([[0.0], [2000.0]]), abs=0.01)
    assert ready.cutoff_m.tolist() == [1200, 3000]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_standard_scores_without_facilities_and_without_communities(name):
    net, at = street()
    standard = read_standard(name)
    none = facilities(0, lon=[], lat=[])
    card = score(communities([10, 0], area_type=["urban", "rural"], **at(0, 100)), none, net, standard)
    assert card.communities["in_reach"].tolist() == ["fail", "not_applicable"]
    assert card.gaps["households"].tolist() == [10]
    empty = score(communities([], lon=[], lat=[]), none, net, standard)
    assert len(empty.verdicts) == len(empty.communities) == 0


def test_tables_that_are_given_are_left_as_they_are():
    net, at = street()
    table, places = communities([10], **at(0)), facilities(1, floor_area_m2=5.0, community_id="A", **at(100))
    before = table.copy(), places.copy()
    score(table, places, net, NATIONAL, allotments=NO_ALLOTMENTS)
    pd.testing.assert_frame_equal(table, before[0])
    pd.testing.assert_frame_equal(places, before[1])


def test_distances_of_other_tables_are_refused():
    table = communities([1])
    with pytest.raises(InputError, match="1 columns of distances and 2 facilities"):
        score_access(access([[1.0]], table), table, facilities(2), NATIONAL)
    with pytest.raises(InputError, match="a demand point is of community row 1, but there are 1 communities"):
        score_access(access([[1.0], [1.0]], communities([1, 1])), table, facilities(1), NATIONAL)


# --- laws


@st.composite
def counties(draw):
    n, m = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    table = communities(
        draw(st.lists(st.integers(0, 400), min_size=n, max_size=n)),
        area_type=draw(st.lists(st.sampled_from(["urban", "rural"]), min_size=n, max_size=n)),
    )
    places = facilities(
        m,
        service=draw(st.lists(st.sampled_from(["comprehensive", "comprehensive", "pharmacy"]), min_size=m, max_size=m)),
        floor_area_m2=draw(st.lists(st.one_of(st.just(NAN), st.integers(0, 300)), min_size=m, max_size=m)),
        community_id=draw(st.lists(st.sampled_from(["", "A", "B"]), min_size=m, max_size=m)),
        place_id=draw(st.lists(st.sampled_from(["", "", "p"]), min_size=m, max_size=m)),
    )
    cells = st.one_of(st.integers(0, 3500).map(float), st.just(INF))
    return table, places, np.array(draw(st.lists(cells, min_size=n * m, max_size=n * m))).reshape(n, m)


@settings(max_examples=10, deadline=None)
@given(counties())
def test_a_longer_circle_or_one_more_facility_never_covers_less(county):
    table, places, distance_m = county
    card = score_access(access(distance_m, table), table, places, NATIONAL)
    wider = NATIONAL.assume(walking_speed_kmh=6.0)
    longer = score_access(access(distance_m, table, standard=wider), table, places, wider)
    fewer = score_access(access(distance_m[:, :-1], table), table, places.iloc[:-1], NATIONAL)
    for less, more in ((card, longer), (fewer, card)):
        assert (less.demand["covered"] <= more.demand["covered"]).all()
        assert less.gaps["households"].sum() >= more.gaps["households"].sum()
        known = less.communities["reached_share"].notna()
        assert (less.communities["reached_share"] <= more.communities["reached_share"])[known].all()


@settings(max_examples=10, deadline=None)
@given(counties(), st.randoms())
def test_ids_and_the_order_of_rows_do_not_matter(county, random):
    table, places, distance_m = county
    rows, columns = list(range(len(table))), list(range(len(places)))
    random.shuffle(rows)
    random.shuffle(columns)
    card = score_access(access(distance_m, table), table, places, NATIONAL)
    renamed = table.iloc[rows].reset_index(drop=True)
    renamed["community_id"] = "new " + renamed["community_id"]
    moved = places.iloc[columns].reset_index(drop=True)
    moved["community_id"] = np.where(moved["community_id"] == "", "", "new " + moved["community_id"])
    again = score_access(access(distance_m[rows][:, columns], renamed), renamed, moved, NATIONAL)
    figures = [
        "households",
        "reached_share",
        "nearest_m",
        "second_nearest_m",
        "facilities_in_reach",
        "known_area_m2",
        "allotted_area_m2",
        "shared_area_per_100_households_m2",
        "in_reach",
        "has_area",
        "meets",
    ]
    expected = card.communities[figures].iloc[rows].reset_index(drop=True)
    pd.testing.assert_frame_equal(again.communities[figures], expected, check_exact=False, atol=1e-9)
    assert sorted(again.gaps["households"]) == pytest.approx(sorted(card.gaps["households"]))


def test_another_crs_of_the_inputs_does_not_matter():
    net, at = street()
    table, places = communities([100, 20], **at(10, 2500)), facilities(2, **at(400, 5000))
    one = score(table, places, net, NATIONAL)
    other = score(table.to_crs("EPSG:32648"), places.to_crs("EPSG:3857"), net, NATIONAL)
    assert other.demand["nearest_m"].to_numpy() == pytest.approx(one.demand["nearest_m"].to_numpy(), abs=0.0021)
    assert other.communities["meets"].tolist() == one.communities["meets"].tolist()


def test_a_straight_line_never_says_less_than_the_network():
    _, at = street()
    (west, east), (south, north) = at(0, 6000).values()
    net, _ = street(pyproj.Geod(ellps="WGS84").inv(west, south, east, north)[2])
    table = communities([100, 20], **at(10, 2500))
    demand = homes(table, [0, 1], [100, 20])
    card = score(table, facilities(2, **at(400, 5000)), net, NATIONAL, demand=demand)
    assert (card.demand["straight_line_m"] <= card.demand["nearest_m"] + 0.01).all()
    assert (card.communities["straight_line_share"] >= card.communities["reached_share"]).all()


# --- two scorecards compared


def changed(before, after):
    rows = compare(before, after)
    return {
        (row.community_id, row.rule_id): (row.status_before, row.status_after, row.cause) for row in rows.itertuples()
    }


def made(distance_m=1000.0, households=100, area_m2=30.0, standard=NATIONAL, n=1):
    table = communities([households] * n)
    places = facilities(1, floor_area_m2=area_m2, community_id="A")
    return score_access(access([[distance_m]] * n, table, standard=standard), table, places, standard)


def test_the_same_scorecard_changes_nothing():
    assert changed(made(), made()) == {}


@pytest.mark.parametrize(
    ("after", "rule_id", "cause"),
    [
        ({"distance_m": 1300.0}, "reach", "distance"),
        ({"standard": NATIONAL.assume(walking_speed_kmh=3.0)}, "reach", "circle"),
        ({"households": 101}, "area_per_100_households", "households"),
        ({"area_m2": 29.0}, "area_per_100_households", "area"),
        ({"area_m2": 29.0, "households": 200}, "area_per_100_households", "households;area"),
    ],
)
def test_a_changed_verdict_names_the_input_behind_it(after, rule_id, cause):
    assert changed(made(), made(**after)) == {("A", rule_id): ("pass", "fail", cause)}


def test_communities_that_come_and_go_are_named():
    rows = compare(made(), made(n=2))
    assert set(rows["community_id"]) == {"B"}
    assert set(rows["cause_en"]) == {"the community or the rule is new"}
    assert set(rows["name"]) == {"社区2"}
    assert set(compare(made(n=2), made())["cause"]) == {"removed"}
