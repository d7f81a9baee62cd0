"""The verdict on a community, rule by rule, worked by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siting.coverage import score_access
from siting.coverage.judge import quantile_by_community, reach_of
from siting.standards import read_standard
from tests.coverage.made_counties import NATIONAL, access, communities, facilities, homes

INF, NAN = np.inf, np.nan
LINYI, JIANGSU, GANSU = (read_standard(name) for name in ("linyi", "jiangsu", "gansu"))


def card_of(table, places, distance_m, *, demand=None, standard=NATIONAL, allotments=None):
    found = access(distance_m, table, demand, standard)
    return score_access(found, table, places, standard, allotments=allotments)


def verdict(card, rule_id, community_id="A"):
    rows = card.verdicts
    found = rows[(rows["rule_id"] == rule_id) & (rows["community_id"] == community_id)]
    assert len(found) == 1
    return found.iloc[0]


def reach(distance_m, households, **kwargs):
    """Return the reach verdict of one urban community (circle 1,200 m) with homes at some distances."""
    table = communities([sum(households)])
    demand = homes(table, [0] * len(households), households)
    dense = np.array(distance_m, dtype=np.float64).reshape(-1, 1)
    return verdict(card_of(table, facilities(1), dense, demand=demand, **kwargs), "reach")


def area(households, floor_area_m2, **columns):
    """Return the area verdict of one community with facilities of some floor areas, all its own."""
    places = facilities(len(floor_area_m2), floor_area_m2=floor_area_m2, community_id="A")
    table = communities([households], **columns)
    return verdict(card_of(table, places, [[0.0] * len(floor_area_m2)]), "area_per_100_households")


# --- reach


def test_equal_to_the_circle_is_covered_and_a_millimetre_more_is_not():
    assert reach([1200.0], [10])["status"] == "pass"
    row = reach([1200.001], [10])
    assert (row["status"], row["value"]) == ("fail", 0)
    assert row["shortfall"] == pytest.approx(0.001)
    assert (row["note_en"], row["note_zh"]) == ("1 m too far", "远 1 米")


def test_a_distance_that_floats_make_a_hair_longer_is_still_equal():
    assert reach([0.1 * 3 * 4000], [10])["status"] == "pass"


def test_the_shortfall_is_that_of_the_household_that_would_complete_the_share():
    # 80 of 100 households are covered; the next ten live 212 m too far, the last ten 900 m.
    row = reach([300, 1412, 2100], [80, 10, 10])
    assert (row["status"], row["value"], row["target"]) == ("fail", 0.8, 0.9)
    assert row["shortfall"] == 212
    assert row["shortfall_unit_en"] == "m"
    assert row["note_en"] == "212 m too far"
    assert row["clause"] == "国办发〔2021〕56号 三(九)"


def test_exactly_the_share_passes():
    row = reach([300, 1201], [90, 10])
    assert (row["status"], row["value"]) == ("pass", 0.9)
    assert np.isnan(row["shortfall"])


def test_thirds_of_households_that_add_up_to_the_share_pass():
    thirds = [10 / 3] * 27 + [10 / 3] * 3
    assert reach([1.0] * 27 + [2000.0] * 3, thirds)["status"] == "pass"


def test_thirds_of_households_do_not_push_the_shortfall_to_the_next_home():
    thirds = [1 / 3] * 30
    assert reach([300.0] * 24 + [1412.0] * 3 + [2100.0] * 3, thirds)["shortfall"] == 212


def test_equal_is_covered_in_every_table():
    table = communities([10, 10], lon=[104.0, 105.0])
    card = card_of(table, facilities(1), [[1200.0], [1200.001]])
    assert card.demand["covered"].tolist() == [True, False]
    assert card.demand["facilities_in_reach"].tolist() == [1, 0]
    assert card.communities["reached_households"].tolist() == [10, 0]
    assert card.communities["facilities_in_reach"].tolist() == [1, 0]
    shares = card.services.set_index(["service", "area_type", "group"])["reached_share"]
    assert shares["comprehensive", "urban", "households"] == 0.5
    assert card.gaps["community_ids"].tolist() == ["B"]


def test_what_an_empty_home_reaches_is_not_in_reach_of_the_community():
    table = communities([10])
    demand = homes(table, [0, 0], [10, 0])
    card = card_of(table, facilities(2), [[100.0, INF], [INF, 100.0]], demand=demand)
    assert card.communities["facilities_in_reach"].tolist() == [1]
    assert card.communities["farthest_m"].tolist() == [100]


def test_reaching_nothing_fails_without_a_number():
    row = reach([INF], [10])
    assert row["status"] == "fail"
    assert np.isnan(row["shortfall"])
    assert row["note_en"] == "no facility can be reached"


def test_without_any_facility_everyone_fails_and_it_is_said():
    table = communities([10])
    card = card_of(table, facilities(0), np.empty((1, 0)))
    assert verdict(card, "reach")["status"] == "fail"
    assert verdict(card, "area_per_100_households")["status"] == "fail"
    assert any("there is no comprehensive facility" in issue.problem.en for issue in card.issues)


def test_without_households_no_rule_asks_anything():
    card = card_of(communities([0]), facilities(1), [[5000.0]])
    assert set(card.verdicts["status"]) == {"not_applicable"}
    assert card.communities.loc[0, ["in_reach", "has_area", "meets"]].tolist() == ["not_applicable"] * 3
    assert np.isnan(card.communities.loc[0, "reached_share"])
    assert card.communities.loc[0, "nearest_m"] == 5000


def test_town_and_country_have_their_own_circle_in_one_run():
    table = communities([10, 10], area_type=["urban", "rural"])
    card = card_of(table, facilities(1), [[2999.0], [2999.0]])
    assert card.communities["in_reach"].tolist() == ["fail", "pass"]
    assert card.demand["cutoff_m"].tolist() == [1200, 3000]


def test_a_study_may_walk_slower_and_ask_for_less():
    slower = NATIONAL.assume(walking_speed_kmh=4.0, reach_share=0.5)
    assert reach([1000, 1001], [5, 5], standard=slower)["status"] == "pass"
    assert reach([1000, 1001], [4, 6], standard=slower)["shortfall"] == 1


# --- near the limit


@pytest.mark.parametrize(
    ("distance_m", "near", "flips"),
    [(1139, False, []), (1141, True, ["fail"]), (1259, True, ["pass"]), (1261, False, [])],
)
def test_a_reach_that_flips_within_five_percent_is_near_the_limit(distance_m, near, flips):
    card = card_of(communities([10]), facilities(1), [[float(distance_m)]])
    assert bool(verdict(card, "reach")["near_limit"]) is near
    rows = card.near_limit[card.near_limit["rule_id"] == "reach"]
    assert rows["status_if"].tolist() == flips


@pytest.mark.parametrize(
    ("area_m2", "status", "near"),
    [(28.5, "fail", False), (28.6, "fail", True), (30.0, "pass", True), (31.5, "pass", True), (31.6, "pass", False)],
)
def test_an_area_that_flips_within_five_percent_is_near_the_limit(area_m2, status, near):
    row = area(100, [area_m2])
    assert (row["status"], bool(row["near_limit"])) == (status, near)


# --- area


def test_exactly_thirty_passes_and_less_says_how_many_square_metres():
    assert area(1000, [300.0])["status"] == "pass"
    row = area(1000, [266.4])
    assert (row["status"], row["value"]) == ("fail", pytest.approx(26.64))
    assert row["shortfall"] == pytest.approx(33.6)
    assert (row["note_en"], row["shortfall_unit_en"]) == ("33.6 m² short", "m²")


def test_two_facilities_are_added():
    assert area(1000, [200.0, 100.0])["status"] == "pass"


def test_a_missing_area_is_unknown_unless_the_known_ones_are_enough():
    row = area(1000, [250.0, NAN])
    assert row["status"] == "unknown"
    assert np.isnan(row["value"])
    assert row["note_en"] == "1 floor area figure(s) missing; what is known is 50 m² short"
    assert area(1000, [300.0, NAN])["status"] == "pass"
    assert "what is known is enough" in area(1000, [300.0, NAN])["note_en"]


def test_a_facility_shared_by_three_serves_each_with_its_part():
    table = communities([1000, 1000, 1000])
    rows = pd.DataFrame({"facility_id": ["f1"] * 3, "community_id": ["A", "B", "C"], "area_m2": [300.0, 299.0, 1.0]})
    card = card_of(table, facilities(1, floor_area_m2=600.0, community_id="A"), [[1.0]] * 3, allotments=rows)
    assert card.communities["has_area"].tolist() == ["pass", "fail", "fail"]
    assert card.communities["allotted_area_m2"].tolist() == [300, 299, 1]


# --- meeting the standard is both


@pytest.mark.parametrize(
    ("distance_m", "area_m2", "meets"),
    [
        (100.0, 30.0, "pass"),
        (100.0, 29.0, "fail"),
        (100.0, NAN, "unknown"),
        (9000.0, 30.0, "fail"),
        (9000.0, NAN, "fail"),
    ],
)
def test_meeting_is_a_three_valued_and(distance_m, area_m2, meets):
    places = facilities(1, floor_area_m2=area_m2, community_id="A")
    assert card_of(communities([100]), places, [[distance_m]]).communities["meets"].tolist() == [meets]


# --- services


def services_card(standard=GANSU, **columns):
    rule = standard.rule("daily_life_services")
    places = facilities(len(rule.services), service=list(rule.services))
    return rule, places, communities([10], **columns), standard


def test_required_services_that_are_all_within_the_circle_pass():
    rule, places, table, standard = services_card()
    card = card_of(table, places, [[1200.0] * len(places)], standard=standard)
    row = verdict(card, rule.id)
    assert (row["status"], row["value"], row["target"]) == ("pass", len(rule.services), len(rule.services))


def test_a_lacking_service_is_named():
    rule, places, table, standard = services_card()
    distance_m = np.full((1, len(places)), 100.0)
    distance_m[0, rule.services.index("convenience_store")] = 1201
    card = card_of(table, places, distance_m, standard=standard)
    row = verdict(card, rule.id)
    assert (row["status"], row["shortfall"]) == ("fail", 1)
    assert (row["note_en"], row["note_zh"]) == ("lacking: convenience store", "缺：便利店")
    assert "convenience_store" in card.communities.loc[0, "lacking_services"]


def test_services_that_flip_within_five_percent_are_near_the_limit():
    rule, places, table, standard = services_card()
    card = card_of(table, places, [[1150.0] + [100.0] * (len(places) - 1)], standard=standard)
    rows = card.near_limit[card.near_limit["rule_id"] == rule.id]
    assert rows[["status", "status_if", "if_en"]].to_numpy().tolist() == [["pass", "fail", "a circle 5 % shorter"]]


def test_a_service_of_which_there_is_no_record_is_unknown_not_lacking():
    rule, places, table, standard = services_card()
    places = places[places["service"] != "convenience_store"].reset_index(drop=True)
    card = card_of(table, places, [[100.0] * len(places)], standard=standard)
    row = verdict(card, rule.id)
    assert row["status"] == "unknown"
    assert row["note_en"] == "not in the facilities table: convenience store"
    assert card.communities.loc[0, "lacking_services"] == ()
    shops = card.services[card.services["service"] == "convenience_store"]
    assert shops["reached_share"].isna().all()


def test_elder_services_ask_for_all_of_them():
    places = facilities(2, service=["elder_meals", "elder_care"])
    near = verdict(card_of(communities([10]), places, [[900.0, 900.0]], standard=GANSU), "elder_services")
    far = verdict(card_of(communities([10]), places, [[900.0, 1300.0]], standard=GANSU), "elder_services")
    assert (near["status"], near["value"], near["target"]) == ("pass", 1, 1)
    assert (far["status"], far["value"], far["note_en"]) == ("fail", 0, "lacking: elder care")


def test_the_sports_circle_is_ten_minutes():
    table = communities([10, 10])
    rule = next(rule for rule in JIANGSU.rules if rule.measure == "sports_reached_share")
    judged = replace(rule, target=0.9, level="community")
    standard = replace(JIANGSU, rules=tuple(judged if one is rule else one for one in JIANGSU.rules))
    card = card_of(table, facilities(1, service="sports"), [[800.0], [801.0]], standard=standard)
    assert [verdict(card, rule.id, name)["status"] for name in "AB"] == ["pass", "fail"]
    none = card_of(table, facilities(1), [[800.0], [801.0]], standard=standard)
    assert verdict(none, rule.id)["status"] == "unknown"


# --- what the tables state


def stated(rule_id, **columns):
    return verdict(card_of(communities([100], **columns), facilities(1), [[1.0]], standard=LINYI), rule_id)


def test_commerce_and_service_area_is_a_tenth_of_the_buildings():
    row = stated("commerce_service_area", commerce_service_area_m2=590.0, total_building_area_m2=10_000.0)
    assert (row["status"], row["value"], row["shortfall"]) == ("fail", pytest.approx(0.059), pytest.approx(410))
    assert row["note_en"] == "410 m² short"
    assert (
        stated("commerce_service_area", commerce_service_area_m2=1000.0, total_building_area_m2=10_000.0)["status"]
        == "pass"
    )


def test_a_missing_figure_is_named():
    row = stated("commerce_service_area", commerce_service_area_m2=590.0)
    assert (row["status"], row["note_en"]) == ("unknown", "total_building_area_m2 is missing")
    assert row["note_zh"] == "缺少总建筑面积"


def test_workers_are_counted_per_ten_thousand_residents():
    row = stated("community_workers", community_workers=14.0, population=10_000.0)
    assert (row["status"], row["value"], row["target"], row["note_en"]) == ("fail", 14, 18, "4 persons short")
    assert stated("community_workers", community_workers=9.0, population=5000.0)["status"] == "pass"


def test_certified_workers_are_a_share_of_the_workers():
    row = stated("certified_workers", certified_workers=1.0, community_workers=10.0)
    assert (row["status"], row["value"], row["note_en"]) == ("fail", 0.1, "1 person short")
    assert stated("certified_workers", certified_workers=0.0, community_workers=0.0)["status"] == "not_applicable"


def test_organisations_and_terminals():
    row = stated("urban_social_organisations", social_organisations=8.0)
    assert (row["status"], row["shortfall"]) == ("fail", 2)
    assert stated("self_service_terminals", self_service_terminal=pd.array([True], "boolean"))["status"] == "pass"
    assert (
        stated("self_service_terminals", self_service_terminal=pd.array([False], "boolean"))["note_en"] == "no terminal"
    )
    assert stated("self_service_terminals")["status"] == "unknown"


def test_an_urban_rule_does_not_ask_a_village():
    table = communities([100, 100], area_type=["urban", "rural"], social_organisations=[12.0, 4.0])
    card = card_of(table, facilities(1), [[1.0], [1.0]], standard=LINYI)
    assert verdict(card, "urban_social_organisations", "B")["status"] == "not_applicable"
    assert verdict(card, "rural_social_organisations", "B")["note_en"] == "1 organisation short"


def test_a_facility_registered_to_a_community_covers_it():
    table = communities([100, 100], resettlement=pd.array([True, pd.NA], "boolean"))
    card = card_of(table, facilities(1, community_id="A"), [[1.0], [1.0]])
    assert [verdict(card, "urban_facility_coverage", name)["status"] for name in "AB"] == ["pass", "fail"]
    assert [verdict(card, "resettlement_facility_coverage", name)["status"] for name in "AB"] == ["pass", "unknown"]


def test_a_facility_of_no_community_may_be_anyones():
    card = card_of(communities([100, 100]), facilities(2, community_id=["A", ""]), [[1.0, 1], [1.0, 1]])
    assert [verdict(card, "urban_facility_coverage", name)["status"] for name in "AB"] == ["pass", "unknown"]


# --- laws


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(1, 60), st.one_of(st.integers(0, 3000), st.just(INF))),
        min_size=1,
        max_size=14,
    ),
    st.sampled_from([0.5, 0.8, 0.9, 1.0]),
)
def test_shares_and_quantiles_are_those_of_plain_loops(rows, asked):
    table = communities([1] * 4)
    rows = sorted(rows, key=lambda row: row[0])
    community, weight, distance_m = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    demand = homes(table, community.astype(np.int64), weight)
    found = reach_of(distance_m, np.full(len(rows), 1200.0), demand, 4, asked=asked, near_limit_share=0.05)
    for i in range(4):
        mine = sorted((d, w) for c, w, d in rows if c == i)
        total = sum(w for _, w in mine)
        if not mine:
            assert np.isnan([found.share[i], found.excess_m[i]]).all()
            continue
        assert found.share[i] == pytest.approx(sum(w for d, w in mine if d <= 1200) / total)
        running = np.cumsum([w for _, w in mine])
        assert found.excess_m[i] == mine[int(np.argmax(running >= asked * total - 1e-6))][0] - 1200
        assert (found.excess_m[i] <= 0) == (found.share[i] >= asked - 1e-9)


def test_a_quantile_is_as_exact_in_the_last_community_of_a_country_as_in_the_first():
    communities_n, homes_n = 20_000, 30
    weights = np.tile(np.full(homes_n, 1000 / 30), communities_n)
    values = np.tile(np.arange(homes_n, dtype=np.float64), communities_n)
    community = np.repeat(np.arange(communities_n), homes_n)
    found = quantile_by_community(values, weights, community, communities_n, 0.9)
    assert set(found) == {26.0}, "the 27th of thirty homes completes nine tenths"


def test_a_quantile_of_nothing_is_nothing():
    assert quantile_by_community(np.empty(0), np.empty(0), np.empty(0, dtype=np.int64), 0, 0.9).tolist() == []
