"""Tables, scorecard and network -> the situation: six communities along one road, every figure in a comment."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from siting.allocation.actions import SiteRules, present_value_of_yearly
from siting.allocation.situation import Situation
from siting.errors import ProblemError
from siting.study import measure, prepare, read_study


@pytest.fixture(scope="module")
def county(tmp_path_factory, write_tiny_county):
    """The tiny county, read and scored: what `Situation.from_study` takes."""
    from siting.coverage import measure_access

    ready = prepare(read_study(write_tiny_county(tmp_path_factory.mktemp("survey"), "")))
    tables = ready.tables
    access = measure_access(
        tables.communities, tables.facilities, ready.network, ready.study.standard, demand=ready.demand
    )
    return ready, access, measure(ready, with_plan=False).scorecard


def situation(county, rules=None, candidates=None, facilities=None, communities=None):
    ready, access, card = county
    tables = ready.tables
    return Situation.from_study(
        tables.communities if communities is None else communities,
        tables.facilities if facilities is None else facilities,
        tables.candidates if candidates is None else candidates,
        ready.network,
        access,
        card,
        rules=rules,
    )


def test_circles_deficits_and_covers_by_hand(county):
    """U1 at 0, S1 1200, U2 and K3 1201, U3 and K1 3000, V1 and K2 6000, V2 and K4 6001; town 1200 m, country 3000 m.

    U1 lies 1200 from S1 (equal is inside) and 1201 from K3; V1 lies 3000 from K1 (equal), V2 3001 from it.
    """
    s = situation(county)
    assert s.actions.action_id == ("K1", "K2", "K3", "K4", "S1+")
    inside = {(s.community_id[i], s.actions.action_id[k]) for i, k in zip(*s.circle.nonzero(), strict=True)}
    assert inside == {
        ("U1", "S1+"), ("U2", "S1+"), ("U2", "K3"), ("U3", "K1"),
        ("V1", "K1"), ("V1", "K2"), ("V1", "K4"), ("V2", "K2"), ("V2", "K4"),
    }  # fmt: skip
    assert s.deficit_u.tolist() == [0, 3000, 12000, 9000, 6000, 0]
    assert s.covered_now.tolist() == [True, True, False, False, False, False]
    assert set(zip(*(at.tolist() for at in s.covers.nonzero()), strict=True)) == {
        (1, 2),
        (2, 0),
        (3, 0),
        (3, 1),
        (3, 3),
        (4, 1),
        (4, 3),
    }
    assert s.actions.max_u.tolist() == [50000, 100000, 10000, 20000, 21000]
    assert s.actions.min_u.tolist() == [3000, 3000, 3000, 3000, 0]  # 30 m² at least, where the table gives no minimum
    assert s.weight.tolist() == [1000_000, 500_000, 400_000, 300_000, 200_000, 0]


def test_a_new_building_in_an_urban_circle_is_at_least_500_m2_and_a_village_one_is_not(county):
    candidates = county[0].tables.candidates.copy()
    candidates["acquisition"] = "new_build"
    s = situation(county, candidates=candidates)
    assert s.actions.min_u[:4].tolist() == [50000, 3000, 50000, 3000]  # K1 and K3 lie in town circles
    assert "at least 500 m²" in s.actions.unusable[2].en  # K3 has only 100 m²
    assert s.actions.unusable[0] is None
    candidates["community_id"] = ["V1", "U3", "", ""]
    assert situation(county, candidates=candidates).actions.min_u[:2].tolist() == [3000, 50000]


def test_a_limit_on_one_site_of_a_service_caps_its_area(county):
    candidates = county[0].tables.candidates.copy()
    candidates["services"] = [("comprehensive", "elder_care"), ("comprehensive",), ("elder_care",), ("health_station",)]
    s = situation(county, SiteRules(max_area_m2={"elder_care": 80.0}), candidates)
    assert s.actions.max_u[:4].tolist() == [8000, 100000, 8000, 20000]
    assert s.actions.counted.tolist() == [True, True, False, False, True]


def test_elder_care_needs_a_health_station_within_the_stated_walk(county):
    """K1 at 3000 and K3 at 1201 give elder care, K4 at 6001 a health station: 3001 m from K1, 4800 m from K3."""
    candidates = county[0].tables.candidates.copy()
    candidates["services"] = [("elder_care",), ("comprehensive",), ("elder_care",), ("health_station",)]
    for distance_m, near in ((3000.0, []), (3001.0, [3])):
        found = situation(county, SiteRules(next_to=(("elder_care", "health_station", distance_m),)), candidates)
        [companion] = found.companions
        assert companion.actions.tolist() == [0, 2]
        assert [one.tolist() for one in companion.partners] == [near, []]
        assert not companion.settled.any()
    facilities = county[0].tables.facilities.copy()
    facilities.loc[facilities["facility_id"] == "P1", "service"] = "health_station"  # at 1000: 201 m from K3
    found = situation(county, SiteRules(next_to=(("elder_care", "health_station", 201.0),)), candidates, facilities)
    assert found.companions[0].settled.tolist() == [False, True]


def test_without_joint_building_a_village_site_is_its_own_villages_alone(county):
    candidates = county[0].tables.candidates.copy()
    candidates["community_id"] = ["U3", "V2", "U2", "V2"]
    s = situation(county, SiteRules(joint_building=False), candidates)
    inside = {(s.community_id[i], s.actions.action_id[k]) for i, k in zip(*s.circle.nonzero(), strict=True)}
    assert {pair for pair in inside if pair[0] == "V1"} == {("V1", "K1")}  # a town's site may still serve it
    assert {pair for pair in inside if pair[0] == "V2"} == {("V2", "K2"), ("V2", "K4")}


def test_extensions_follow_the_table_then_the_rule_then_nothing(county):
    facilities = county[0].tables.facilities.copy()
    one = facilities["facility_id"] == "S1"
    facilities.loc[one, ["max_floor_area_m2", "extension_cost_per_m2"]] = np.nan
    assert situation(county, facilities=facilities).actions.kind.count("extension") == 0
    assert (
        situation(county, SiteRules(max_growth_share=0.25), facilities=facilities).actions.kind.count("extension") == 0
    )
    s = situation(county, SiteRules(max_growth_share=0.25, extension_cost_per_m2=0.2), facilities=facilities)
    assert (s.actions.max_u[-1], s.actions.area_cost[-1]) == (10500, 0.2)  # a quarter of 420 m²
    facilities.loc[one, "floor_area_m2"] = np.nan
    assert situation(county, SiteRules(0.25, 0.2), facilities=facilities).actions.kind.count("extension") == 0


def test_the_priority_weight_adds_the_share_of_each_group(county):
    """U1: 1000 households, 3000 people, 600 old (0.2), 300 minors (0.1), disabled not known (0): 1000 x 1.3."""
    communities = county[0].tables.communities.copy()
    communities.loc[0, ["population", "elderly", "minors"]] = [3000.0, 600.0, 300.0]
    assert situation(county, communities=communities).weight[0] == 1_300_000


def test_a_candidate_without_a_price_cannot_be_taken_and_says_so(county):
    candidates = county[0].tables.candidates.copy()
    candidates.loc[0, "cost_per_m2"] = np.nan
    assert situation(county, candidates=candidates).actions.unusable[0].en == "it has no price"


def test_homes_beyond_every_candidate_are_measured_to_all_of_them(county):
    candidates = county[0].tables.candidates.iloc[[2]]  # K3 at 1201 alone; U1 is covered, V3 has no households
    s = situation(county, candidates=candidates)
    assert np.rint(s.candidate_m.toarray()[:, 0]).tolist() == [0, 0, 1799, 4799, 4800, 0]


def test_yearly_payments_are_discounted_from_the_end_of_each_year():
    """1 / 1.04 + 1 / 1.04² = 0.961538 + 0.924556 = 1.886095; without interest 2."""
    assert present_value_of_yearly(2, 0.04) == pytest.approx(1.886095, abs=1e-6)
    assert present_value_of_yearly(2, 0.0) == 2
    with pytest.raises(ProblemError, match="least_area_m2 must be a number >= 0"):
        SiteRules(least_area_m2=-1)


def test_the_order_of_the_rows_does_not_change_what_can_be_done(county):
    candidates = county[0].tables.candidates
    plain = situation(county)
    for order in itertools.islice(itertools.permutations(range(4)), 1, 4):
        other = situation(county, candidates=candidates.iloc[list(order)].reset_index(drop=True))
        back = [other.actions.action_id.index(name) for name in plain.actions.action_id]
        assert (other.circle.toarray()[:, back] == plain.circle.toarray()).all()
        assert (other.actions.max_u[back] == plain.actions.max_u).all()


def test_the_targets_are_the_shares_the_standard_sets(county):
    """Linyi: 80 % of 2 villages with households (1.6, so 2), all of 3 towns; no resettlement community is named."""
    s = situation(county)
    rules = {target.name.en: (int(target.members.sum()), target.needed) for target in s.targets}
    assert rules["Rural communities with a comprehensive facility"] == (2, 2)
    assert rules["Urban communities with a comprehensive facility"] == (3, 3)
    assert pd.Series([target.needed for target in s.targets]).ge(0).all()
