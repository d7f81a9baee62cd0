"""Every rule of the plans on a county small enough to work out by hand, with what is missing and what is settled."""

import functools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siting.coverage.area import allot
from siting.coverage.indicators import indicators
from siting.coverage.units import services_measured
from siting.standards import SHIPPED, read_standard

NAN = float("nan")
STANDARDS = {name: read_standard(name) for name in SHIPPED}

# Two urban communities in the town of East, two villages in West, and one village that nobody lives in any more.
COMMUNITIES = pd.DataFrame(
    {
        "community_id": ["A", "B", "C", "D", "E"],
        "name": ["甲", "乙", "丙", "丁", "戊"],
        "area_type": ["urban", "urban", "rural", "rural", "rural"],
        "households": [400, 600, 300, 200, 0],
        "population": [1000.0, 2000.0, 900.0, 500.0, 0.0],
        "elderly": [200.0, 300.0, 150.0, 100.0, 0.0],
        "minors": [100.0, 200.0, 90.0, 50.0, 0.0],
        "disabled": [20.0, 30.0, 15.0, 10.0, 0.0],
        "resettlement": pd.array([False, False, True, False, False], dtype="boolean"),
        "township": ["East", "East", "West", "West", "West"],
        "total_building_area_m2": [50_000.0, 70_000.0, 30_000.0, 20_000.0, 0.0],
        "commerce_service_area_m2": [6_000.0, 6_000.0, 1_500.0, 500.0, 0.0],
        "community_workers": [2.0, 3.0, 1.0, 1.0, 0.0],
        "certified_workers": [1.0, 0.0, 0.0, 0.0, 0.0],
        "social_organisations": [12.0, 9.0, 4.0, 6.0, 0.0],
        "self_service_terminal": pd.array([True, False, False, False, False], dtype="boolean"),
    }
)
FACILITIES = pd.DataFrame(
    {
        "facility_id": ["f1", "f2", "f3", "p1", "s1"],
        "service": ["comprehensive", "comprehensive", "comprehensive", "pharmacy", "supply_cooperative"],
        "name": "",
        "floor_area_m2": [150.0, 100.0, 120.0, NAN, NAN],
        "activity_area_m2": [90.0, 70.0, 60.0, NAN, NAN],
        "hours_per_day": [8.0, 7.5, 10.0, NAN, NAN],
        "community_id": ["A", "A", "C", "", "C"],
        "place_id": "",
    }
)
ACCESS = pd.DataFrame(
    {
        "reached_share": [1.0, 0.5, 0.9, 0.0, NAN],
        "straight_line_share": [1.0, 1.0, 1.0, 0.5, NAN],
        "reached_share_pharmacy": [1.0, 0.95, 0.2, 0.0, NAN],
        "straight_line_share_pharmacy": [1.0, 1.0, 0.9, 0.0, NAN],
        "reached_share_supply_cooperative": [0.0, 0.0, 1.0, 0.89, NAN],
        "straight_line_share_supply_cooperative": [0.0, 0.0, 1.0, 0.95, NAN],
    }
)


def table_of(
    standard="linyi", communities=COMMUNITIES, facilities=FACILITIES, access=ACCESS, allotments=None, year=None
):
    rules = STANDARDS[standard] if isinstance(standard, str) else standard
    allotment = allot(communities, facilities, allotments, rules)
    return indicators(communities, facilities, allotment, access, rules, allotments=allotments, year=year)


def row(table: pd.DataFrame, rule_id: str, place: str = "county") -> pd.Series:
    found = table[table["rule_id"].eq(rule_id) & table["place"].eq(place)]
    assert len(found) == 1
    return found.iloc[0]


def with_column(table: pd.DataFrame, column: str, *values: float) -> pd.DataFrame:
    return table.assign(**{column: list(values)})


def facility_rows(*rows: dict[str, object]) -> pd.DataFrame:
    """Return a facilities table of comprehensive facilities with what is said of each, the rest as unknown."""
    plain = {"service": "comprehensive", "name": "", "community_id": "", "place_id": ""}
    plain |= dict.fromkeys(("floor_area_m2", "activity_area_m2", "hours_per_day"), NAN)
    return pd.DataFrame([{**plain, "facility_id": f"f{n}", **row} for n, row in enumerate(rows)])


# --------------------------------------------------------------------------------- the ten indicators, all known

KNOWN = {  # rule: value, status, numerator, denominator
    "rural_facility_coverage": (1 / 2, "fail", 1, 2),  # of C and D, C has f3; nobody lives in E
    "urban_facility_coverage": (1 / 2, "fail", 1, 2),  # A has two, B none
    "commerce_service_area": (14_000 / 170_000, "fail", 14_000, 170_000),
    "area_per_100_households": (370 / 15, "fail", 370, 15),  # 150 + 100 + 120 m² over 1,500 households
    "activity_area": (220 / 370, "fail", 220, 370),
    "self_service_terminals": (1 / 2, "fail", 1, 2),
    "community_workers": (5 / 0.3, "fail", 5, 0.3),  # 5 for 3,000 urban residents: 16.67 a 10,000
    "urban_social_organisations": (21 / 2, "pass", 21, 2),
    "rural_social_organisations": (10 / 2, "pass", 10, 2),  # equal to 5 is a pass
    "certified_workers": (1 / 5, "pass", 1, 5),  # equal to 20 % is a pass
}


@pytest.mark.parametrize("rule_id", KNOWN)
def test_the_ten_indicators_of_linyi_worked_out_by_hand(rule_id):
    value, status, numerator, denominator = KNOWN[rule_id]
    found = row(table_of(), rule_id)
    assert found["value"] == pytest.approx(value)
    assert found["status"] == status
    assert found["low"] == found["high"] == pytest.approx(value)
    assert (found["numerator"], found["denominator"]) == (pytest.approx(numerator), pytest.approx(denominator))


def test_townships_have_figures_of_their_own_and_only_where_the_rule_concerns_them():
    table = table_of()
    assert row(table, "area_per_100_households", "East")["value"] == pytest.approx(250 / 10)
    assert row(table, "area_per_100_households", "West")["value"] == pytest.approx(120 / 5)
    assert row(table, "commerce_service_area", "East")["value"] == pytest.approx(12_000 / 120_000)
    assert row(table, "commerce_service_area", "East")["status"] == "pass"
    assert row(table, "activity_area", "West")["value"] == pytest.approx(0.5)
    places = table.loc[table["rule_id"].eq("certified_workers"), "place"].tolist()
    assert places == ["county", "East"]
    assert np.isnan(row(table, "area_per_100_households", "East")["baseline"])
    assert row(table, "area_per_100_households")["baseline"] == 21.5


def test_a_step_is_judged_beside_the_target():
    workers = row(table_of(year=2024), "community_workers")
    assert (workers["step_target"], workers["step_year"], workers["step_status"]) == (16, 2023, "pass")
    assert workers["status"] == "fail"
    early = row(table_of(year=2022), "community_workers")
    assert np.isnan(early["step_target"])
    assert early["step_status"] == ""


# --------------------------------------------------------------------------------- what is missing


def test_a_missing_figure_leaves_bounds_and_says_which_column_and_how_many_lack_it():
    communities = with_column(COMMUNITIES, "community_workers", 2.0, NAN, 1.0, NAN, 0.0)
    found = row(table_of(communities=communities), "community_workers")
    assert np.isnan(found["value"])
    assert found["low"] == pytest.approx(2 / 0.3)
    assert found["high"] == math.inf
    assert found["status"] == "unknown"
    assert found["note_en"].startswith(
        "communities.community_workers is missing for 1 of 2 communities; at least 6.667"
    )
    assert found["note_zh"].startswith("2 个社区中有 1 个缺 communities.community_workers")


def test_what_is_known_may_settle_a_verdict_without_the_missing_figure():
    many = with_column(COMMUNITIES, "community_workers", 6.0, NAN, 1.0, 1.0, 0.0)
    found = row(table_of(communities=many), "community_workers")
    assert found["status"] == "pass"  # 6 for 3,000 is 20 already
    assert np.isnan(found["value"])
    assert "settles it: at least 20" in found["note_en"]
    none = COMMUNITIES.assign(self_service_terminal=pd.array([False, None, None, None, None], dtype="boolean"))
    terminals = row(table_of(communities=none), "self_service_terminals")
    assert terminals["status"] == "fail"  # all of them are asked for, and one has none
    assert (terminals["low"], terminals["high"]) == (0.0, 0.5)
    assert np.isnan(terminals["value"])


def test_an_unknown_part_is_never_more_than_its_whole():
    communities = with_column(COMMUNITIES, "commerce_service_area_m2", NAN, 500.0, 100.0, 100.0, 0.0)
    communities = with_column(communities, "total_building_area_m2", 10_000.0, 70_000.0, 30_000.0, 20_000.0, 0.0)
    found = row(table_of(communities=communities), "commerce_service_area")
    assert found["high"] == pytest.approx(10_700 / 130_000)
    assert found["status"] == "fail"


def test_an_unknown_whole_is_never_less_than_its_part():
    communities = with_column(COMMUNITIES, "community_workers", 2.0, NAN, 1.0, 1.0, 0.0)
    communities = with_column(communities, "certified_workers", 1.0, 2.0, 0.0, 0.0, 0.0)
    found = row(table_of(communities=communities), "certified_workers")
    assert (found["low"], found["high"]) == (0.0, pytest.approx(3 / 4))
    assert found["status"] == "unknown"


def test_missing_organisations_are_at_least_none():
    communities = with_column(COMMUNITIES, "social_organisations", 25.0, NAN, NAN, 4.0, 0.0)
    table = table_of(communities=communities)
    assert row(table, "urban_social_organisations")["status"] == "pass"  # 25 over two is 12.5
    assert row(table, "urban_social_organisations")["low"] == 12.5
    assert row(table, "rural_social_organisations")["status"] == "unknown"


def test_no_column_at_all_makes_every_indicator_unknown_and_none_a_pass():
    columns = [
        "population",
        "total_building_area_m2",
        "commerce_service_area_m2",
        "community_workers",
        "certified_workers",
        "social_organisations",
    ]
    bare = COMMUNITIES.assign(**dict.fromkeys(columns, NAN)).assign(
        self_service_terminal=pd.array([None] * 5, dtype="boolean"),
        resettlement=pd.array([None] * 5, dtype="boolean"),
    )
    nothing = facility_rows({"community_id": "A"}, {"community_id": "C"})
    for standard in SHIPPED:
        table = table_of(standard, communities=bare, facilities=nothing, access=None)
        assert not table["status"].eq("pass").any()


# --------------------------------------------------------------------------------- the ledger


def test_a_facility_shared_by_three_counts_for_each_and_its_metres_once():
    facilities = facility_rows({"floor_area_m2": 450.0, "community_id": "A"})
    allotments = pd.DataFrame(
        {"facility_id": ["f0"] * 3, "community_id": ["A", "C", "D"], "area_m2": [200.0, 150.0, 100.0]}
    )
    table = table_of(facilities=facilities, allotments=allotments)
    assert row(table, "rural_facility_coverage")["value"] == 1.0
    assert row(table, "urban_facility_coverage")["value"] == 0.5
    assert row(table, "area_per_100_households")["value"] == pytest.approx(450 / 15)
    assert row(table, "area_per_100_households")["status"] == "pass"  # equal to 30
    assert row(table, "area_per_100_households", "West")["value"] == pytest.approx(250 / 5)
    assert row(table, "resettlement_facility_coverage")["value"] == 1.0


def test_a_facility_that_names_no_community_may_be_anybodys():
    facilities = facility_rows(
        {"floor_area_m2": 400.0, "community_id": "A"}, {"floor_area_m2": 100.0}, {"floor_area_m2": 20.0}
    )
    table = table_of(facilities=facilities)
    rural = row(table, "rural_facility_coverage")
    assert (rural["low"], rural["high"], rural["status"]) == (0.0, 1.0, "unknown")
    assert "facilities that name no community (facilities.community_id): 2" in rural["note_en"]
    area = row(table, "area_per_100_households")
    assert (area["low"], area["high"]) == (pytest.approx(400 / 15), pytest.approx(520 / 15))
    assert area["status"] == "unknown"
    one = table_of(facilities=facilities.iloc[:2])
    assert row(one, "rural_facility_coverage")["high"] == 0.5  # one facility cannot be in two villages
    assert row(one, "rural_facility_coverage")["status"] == "fail"


def test_an_unknown_floor_area_is_at_least_what_is_known():
    facilities = facility_rows({"floor_area_m2": 500.0, "community_id": "A"}, {"community_id": "C"})
    found = row(table_of(facilities=facilities), "area_per_100_households")
    assert found["status"] == "pass"  # 500 over 15 is 33 already
    assert np.isnan(found["value"])
    assert "facilities.floor_area_m2 is missing for 1 of 5 communities" in found["note_en"]
    assert row(table_of(facilities=facilities), "area_per_100_households", "West")["status"] == "unknown"


def test_entrances_of_one_place_count_once():
    doors = {"place_id": "hall", "community_id": "A", "floor_area_m2": 300.0}
    facilities = facility_rows({**doors, "hours_per_day": 9.0, "activity_area_m2": 150.0}, doors)
    table = table_of(facilities=facilities)
    assert row(table, "area_per_100_households")["value"] == pytest.approx(300 / 15)
    assert row(table, "activity_area")["value"] == pytest.approx(0.5)
    assert row(table, "opening_hours")["value"] == 1.0


def test_service_stations_cover_villages_and_townships():
    table = table_of()
    villages = row(table, "rural_service_stations")
    assert (villages["value"], villages["status"]) == (0.5, "pass")  # C of C and D, and half is asked
    towns = row(table, "township_service_stations")
    assert (towns["value"], towns["numerator"], towns["denominator"]) == (0.5, 1, 2)
    assert towns["status"] == "fail"  # 80 % of the townships
    assert table.loc[table["rule_id"].eq("township_service_stations"), "place"].tolist() == ["county"]


def test_a_community_of_no_known_township_leaves_the_townships_unknown():
    found = row(
        table_of(communities=COMMUNITIES.assign(township=["East", "", "", "", ""])), "township_service_stations"
    )
    assert np.isnan(found["value"])
    assert found["status"] == "unknown"
    assert "communities.township" in found["note_en"]


def test_a_service_that_no_table_names_is_unknown_and_not_absent():
    table = table_of(facilities=FACILITIES[FACILITIES["service"].ne("supply_cooperative")])
    found = row(table, "rural_service_stations")
    assert found["status"] == "unknown"
    assert "(facilities.service) has no place at all of: supply and marketing cooperative" in found["note_en"]


# --------------------------------------------------------------------------------- zero, nobody, not known whether


def test_nobody_to_apply_to_is_not_applicable():
    table = table_of(
        communities=COMMUNITIES.iloc[2:].reset_index(drop=True), access=ACCESS.iloc[2:].reset_index(drop=True)
    )
    found = row(table, "urban_facility_coverage")
    assert found["status"] == "not_applicable"
    assert np.isnan(found["value"])
    nobody = COMMUNITIES.assign(households=0)
    empty = table_of(communities=nobody)
    for rule_id in ("reach", "area_per_100_households", "rural_facility_coverage", "urban_social_organisations"):
        assert row(empty, rule_id)["status"] == "not_applicable"
    idle = with_column(COMMUNITIES, "community_workers", 0.0, 0.0, 0.0, 0.0, 0.0)
    idle = with_column(idle, "certified_workers", 0.0, 0.0, 0.0, 0.0, 0.0)
    assert row(table_of(communities=idle), "certified_workers")["status"] == "not_applicable"
    assert row(table_of(communities=idle), "community_workers")["value"] == 0.0


def test_a_village_without_households_is_left_out_and_said_so():
    found = row(table_of(), "rural_facility_coverage")
    assert found["denominator"] == 2
    assert "communities of the county without households, left out: 1" in found["note_en"]


def test_resettlement_communities_that_are_not_known_widen_the_bounds():
    maybe = COMMUNITIES.assign(resettlement=pd.array([True, None, None, False, False], dtype="boolean"))
    found = row(table_of(communities=maybe), "resettlement_facility_coverage")
    # A has one for sure; B (maybe) has none, C (maybe) has one: 1 of 2 at worst, all at best
    assert (found["low"], found["high"], found["status"]) == (0.5, 1.0, "unknown")
    assert "communities.resettlement is missing for 2 of 3 communities" in found["note_en"]
    none = COMMUNITIES.assign(resettlement=pd.array([False] * 5, dtype="boolean"))
    assert row(table_of(communities=none), "resettlement_facility_coverage")["status"] == "not_applicable"


# --------------------------------------------------------------------------------- circles


def test_reach_is_the_share_of_households_and_the_straight_line_stands_beside_it():
    found = row(table_of(), "reach")
    assert found["value"] == pytest.approx((400 + 300 + 270) / 1500)
    assert found["straight_line_value"] == pytest.approx((400 + 600 + 300 + 100) / 1500)
    assert (found["target"], found["status"]) == (0.9, "fail")
    assert row(table_of(), "reach", "East")["value"] == pytest.approx(0.7)
    easier = STANDARDS["linyi"].assume(reach_share=0.6)
    assert row(table_of(easier), "reach")["status"] == "pass"


def test_without_distances_reach_is_unknown():
    found = row(table_of(access=None), "reach")
    assert (found["status"], found["low"], found["high"]) == ("unknown", 0.0, 1.0)
    assert "roads.geometry is missing for 4 of 5 communities" in found["note_en"]


def test_the_sports_circle_counts_urban_households_only():
    facilities = pd.concat([FACILITIES, facility_rows({"facility_id": "g1", "service": "sports"})], ignore_index=True)
    access = ACCESS.assign(reached_share_sports=[1.0, 0.9, 0.0, 0.0, NAN], straight_line_share_sports=1.0)
    found = row(table_of("jiangsu", facilities=facilities, access=access), "sports_reach")
    assert found["value"] == pytest.approx((400 + 540) / 1000)
    assert found["status"] == "pass"
    assert found["straight_line_value"] == 1.0


def services_standard(measure_of: str):
    """Return the rules of a plan whose service rule asks only for what the small county knows."""
    from dataclasses import replace

    standard = read_standard("linyi")
    rule = standard.rule(measure_of)
    asked = replace(rule, applies_to="all", services=("pharmacy", "supply_cooperative"), target=rule.target and 2.0)
    if rule.measure == "elder_services_share":
        asked = replace(asked, target=0.8)
    return replace(standard, rules=tuple(asked if one.id == measure_of else one for one in standard.rules))


def test_required_services_count_the_communities_that_lack_none():
    standard = services_standard("daily_life_services")
    found = row(table_of(standard), "daily_life_services")
    assert (found["value"], found["status"]) == (
        0.0,
        "fail",
    )  # A and B have no shop of the cooperative, C and D no pharmacy
    both = ACCESS.assign(reached_share_pharmacy=0.9)  # equal to reach_share has it
    found = row(table_of(standard, access=both), "daily_life_services")
    assert found["value"] == pytest.approx(1 / 4)  # C; D reaches the cooperative with 89 %
    assert found["straight_line_value"] == pytest.approx(1 / 4)
    assert found["target"] == 1.0
    assert found["unit_en"] == "share"


def test_elder_services_ask_for_all_of_them_and_keep_their_own_target():
    standard = services_standard("day_care")
    access = ACCESS.assign(reached_share_pharmacy=1.0, reached_share_supply_cooperative=[1.0, 1.0, 1.0, 0.5, NAN])
    found = row(table_of(standard, access=access), "day_care")
    assert (found["value"], found["target"], found["status"]) == (0.75, 0.8, "fail")
    # without any place of one of them it is not known who has it
    found = row(table_of("linyi"), "day_care")
    assert found["status"] == "unknown"
    assert "has no place at all of: elder care" in found["note_en"]


# --------------------------------------------------------------------------------- the other plans


def test_opening_hours_are_the_share_of_facilities_that_keep_eight():
    found = row(table_of(), "opening_hours")
    assert found["value"] == pytest.approx(2 / 3)  # 8 and 10 do, 7.5 does not
    assert (found["target"], found["status"], found["denominator"]) == (1.0, "fail", 3)
    assert "share of facilities with at least 8 hours a day" in found["note_en"]
    unsaid = FACILITIES.assign(hours_per_day=[8.0, NAN, 10.0, NAN, NAN])
    found = row(table_of(facilities=unsaid), "opening_hours")
    assert (found["low"], found["high"], found["status"]) == (pytest.approx(2 / 3), 1.0, "unknown")
    assert "facilities.hours_per_day is missing for 1 of 3 facilities" in found["note_en"]


def test_land_of_elder_care_is_over_all_residents():
    homes = facility_rows(
        {"facility_id": "e1", "service": "elder_care", "community_id": "A"},
        {"facility_id": "e2", "service": "elder_care", "community_id": "C"},
    )
    facilities = pd.concat([FACILITIES, homes], ignore_index=True)
    without = row(table_of("gansu", facilities=facilities), "elder_care_land")
    assert without["status"] == "unknown"
    assert "facilities.land_area_m2 is missing for 2 of 5 communities" in without["note_en"]
    land = facilities.assign(land_area_m2=[NAN] * 5 + [300.0, 140.0])
    found = row(table_of("gansu", facilities=land), "elder_care_land")
    assert found["value"] == pytest.approx(440 / 4400)
    assert found["status"] == "pass"  # equal to 0.1 m²
    assert row(table_of("gansu", facilities=land), "elder_care_land", "East")["value"] == pytest.approx(300 / 3000)


def test_a_share_of_communities_up_to_the_area_has_no_target_in_jiangsu():
    found = row(table_of("jiangsu"), "area_standard_share")
    # A 62.5, B 0, C 40, D 0 m² per 100 households
    assert found["value"] == pytest.approx(2 / 4)
    assert found["baseline"] == 0.85
    assert found["status"] == "not_applicable"
    assert "the document sets no target" in found["note_en"]
    assert "at least 30 m² per 100 households" in found["note_en"]


def test_what_no_table_answers_is_unknown_and_names_the_column_that_would():
    table = table_of("gansu")
    found = row(table, "satisfaction_survey")
    assert (found["status"], found["target"], found["year"]) == ("unknown", 1.0, 2025)
    assert "communities.satisfaction_survey" in found["note_en"]
    assert not table["rule_id"].isin(["co_location", "villages", "new_build_area"]).any()


@pytest.mark.parametrize("standard", SHIPPED)
def test_every_standard_runs_and_its_rows_are_whole(standard):
    table = table_of(standard)
    rules = {rule.id: rule for rule in read_standard(standard).rules}
    assert table["status"].isin(["pass", "fail", "unknown", "not_applicable"]).all()
    assert not table.duplicated(["rule_id", "level", "place"]).any()
    assert table["unit_zh"].ne("").all()
    settled = table[table["status"].isin(["pass", "fail"])]
    assert settled["target"].notna().all()
    assert table.loc[table["value"].isna() & table["status"].eq("unknown"), "note_en"].ne("").all()
    wanted = {i for i, rule in rules.items() if rule.target is not None and rule.measure != "new_build_min_area"}
    assert wanted <= set(table["rule_id"])


def test_the_services_to_measure_are_those_the_rules_name():
    assert set(services_measured(read_standard("linyi"))) >= {"elder_care", "weddings_funerals", "post_express"}
    assert "sports" in services_measured(read_standard("jiangsu"))
    assert "comprehensive" not in services_measured(read_standard("gansu"))


# --------------------------------------------------------------------------------- laws

FIGURES = ["total_building_area_m2", "commerce_service_area_m2", "community_workers", "certified_workers", "population"]


@functools.cache
def truth() -> pd.DataFrame:
    return table_of()


@settings(max_examples=12, deadline=None)
@given(
    holes=st.lists(st.tuples(st.sampled_from([*FIGURES, "social_organisations"]), st.integers(0, 4)), max_size=8),
    areas=st.sets(st.integers(0, 2)),
)
def test_hiding_figures_never_turns_a_verdict_over_and_the_truth_stays_within_the_bounds(holes, areas):
    hidden = COMMUNITIES.copy()
    for column, i in holes:
        hidden.loc[i, column] = NAN
    facilities = FACILITIES.copy()
    facilities.loc[list(areas), ["floor_area_m2", "hours_per_day"]] = NAN
    seen = table_of(communities=hidden, facilities=facilities)
    both = truth().merge(seen, on=["rule_id", "level", "place"], suffixes=("", "_seen"))
    assert len(both) == len(truth())
    known = both[both["value"].notna() & both["low_seen"].notna()]
    assert (known["low_seen"] <= known["value"] + 1e-9).all()
    assert (known["value"] <= known["high_seen"] + 1e-9).all()
    changed = both[both["status"].ne(both["status_seen"])]
    assert changed["status_seen"].isin(["unknown"]).all()


@settings(max_examples=6, deadline=None)
@given(order=st.permutations(range(5)), doors=st.permutations(range(5)))
def test_the_order_of_the_rows_does_not_matter(order, doors):
    communities = COMMUNITIES.iloc[list(order)].reset_index(drop=True)
    access = ACCESS.iloc[list(order)].reset_index(drop=True)
    facilities = FACILITIES.iloc[list(doors)].reset_index(drop=True)
    keys = ["rule_id", "level", "place"]
    shuffled = table_of(communities=communities, facilities=facilities, access=access)
    pd.testing.assert_frame_equal(
        shuffled.sort_values(keys).reset_index(drop=True), truth().sort_values(keys).reset_index(drop=True)
    )
