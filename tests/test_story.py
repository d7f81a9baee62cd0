"""One tiny county, worked out by hand: every figure below is arithmetic that fits in a comment.

One road runs east; the numbers are metres of road from its western end.

    0 ........ 1000 . 1200 1201 ......... 3000 ............. 6000 6001 ............ 11001
    U1         shop   S1   U2             U3                 V1   V2                V3
                           K3             K1                 K2   K4

Standard: Linyi. Urban circle 15 min at 4.8 km/h = 1200 m; rural circle 3000 m; 30 m² per 100 households.

| community | type  | households | to S1 (m) | in reach             | area (m²)         | needs (m²)      |
|-----------|-------|------------|-----------|----------------------|-------------------|-----------------|
| U1        | urban | 1000       | 1200      | yes: equal is inside | 300 = 30.0 / 100  | 300, missing 0  |
| U2        | urban | 500        | 1         | yes                  | 120 = 24.0 / 100  | 150, missing 30 |
| U3        | urban | 400        | 1800      | no, 600 m too far    | 0                 | 120             |
| V1        | rural | 300        | 4800      | no, 1800 m too far   | 0                 | 90              |
| V2        | rural | 200        | 4801      | no, 1801 m too far   | 0                 | 60              |
| V3        | rural | 0          | 9801      | not applicable       | 0                 | -               |

S1 has 420 m² (allotted 300 to U1, 120 to U2), of which 252 m² = 60 % are activity area. It may grow by half, 210 m², at
0.3 万元/m².

| candidate | how       | at   | fixed | per m² | up to | reaches (circle of the home)              |
|-----------|-----------|------|-------|--------|-------|-------------------------------------------|
| K1        | lease     | 3000 | 15    | 0.06   | 500   | U3 (0), V1 (3000: equal); U2 is 1799 away |
| K2        | new build | 6000 | 100   | 0.35   | 1000  | V1 (0), V2 (1)                            |
| K3        | lease     | 1201 | 15    | 0.06   | 100   | U2 (0); U1 is 1201 away                   |
| K4        | reuse     | 6001 | 30    | 0.09   | 200   | V2 (0), V1 (1)                            |

Least cost for everything: U3 needs K1 (15 + 120 × 0.06 = 22.2). V2 needs K2 (100 + ..) or K4 (30 + 60 × 0.09 = 35.4):
K4. V1 takes its 90 m² from K1 (5.4) or K4 (8.1): K1. U2's 30 m² come from growing S1 (30 × 0.3 = 9) or K3 (15 + 1.8):
S1.
Together 22.2 + 5.4 + 35.4 + 9 = 72.0 万元, nothing built anew.

With 40 万元: U2 (9) + U3 (22.2) + V1 (5.4) = 36.6 serve 1200 households; V2's 35.4 no longer fit, and any plan with V2
leaves 4.6, too little for anyone else but no one. So 36.6 万元 it is.
"""

import pandas as pd
import pytest

import siting


@pytest.fixture(scope="module")
def whole(tmp_path_factory, write_tiny_county):
    folder = tmp_path_factory.mktemp("story")
    return siting.run(siting.read_study(write_tiny_county(folder, "[plan]\ngap = 0")))


@pytest.fixture(scope="module")
def poor(tmp_path_factory, write_tiny_county):
    folder = tmp_path_factory.mktemp("poor")
    return siting.run(siting.read_study(write_tiny_county(folder, "[plan]\ngap = 0\nbudget = 40")))


def test_distance_to_the_nearest_station_is_the_metres_of_road(whole):
    communities = whole.scorecard.communities.set_index("community_id")
    assert communities["nearest_m"].to_dict() == {
        "U1": 1200,
        "U2": 1,
        "U3": 1800,
        "V1": 4800,
        "V2": 4801,
        "V3": 9801,
    }


def _verdicts(card, rule):
    return card.verdicts[card.verdicts.rule_id == rule].set_index("community_id")


def test_reach_counts_equal_as_inside_and_says_how_much_too_far(whole):
    reach = _verdicts(whole.scorecard, "reach")
    assert reach["status"].to_dict() == {
        "U1": "pass",
        "U2": "pass",
        "U3": "fail",
        "V1": "fail",
        "V2": "fail",
        "V3": "not_applicable",
    }
    assert reach["shortfall"].loc[["U3", "V1", "V2"]].tolist() == [600, 1800, 1801]
    assert set(reach["shortfall_unit_en"].loc[["U3", "V1", "V2"]]) == {"m"}


def test_area_is_what_is_allotted_over_households(whole):
    area = _verdicts(whole.scorecard, "area_per_100_households")
    assert area["value"].loc[["U1", "U2", "U3"]].tolist() == [30, 24, 0]
    assert area["status"].to_dict() == {
        "U1": "pass",
        "U2": "fail",
        "U3": "fail",
        "V1": "fail",
        "V2": "fail",
        "V3": "not_applicable",
    }
    assert area["shortfall"].loc[["U2", "U3", "V1", "V2"]].tolist() == [30, 120, 90, 60]


def test_a_community_meets_the_standard_with_both(whole):
    meets = whole.scorecard.communities.set_index("community_id")["meets"]
    assert meets.to_dict() == {
        "U1": "pass",
        "U2": "fail",
        "U3": "fail",
        "V1": "fail",
        "V2": "fail",
        "V3": "not_applicable",
    }


def test_county_figures_are_ratios_of_sums(whole):
    county = whole.scorecard.indicators.query("level == 'county'").set_index("rule_id")["value"]
    assert county["area_per_100_households"] == pytest.approx(420 / 2400 * 100)
    activity = whole.scorecard.indicators.query("level == 'county' and rule_id.str.contains('activity')")
    assert activity["value"].tolist() == pytest.approx([0.6])


def test_the_pharmacy_is_inside_the_circle_of_two_towns_only(whole):
    # U1 is 1000 m from it, U2 201 m, U3 2000 m: 1500 of 1900 urban households.
    row = whole.scorecard.services.query("service == 'pharmacy' and group == 'households' and area_type == 'urban'")
    assert row["reached"].tolist() == [1500]
    assert row["reached_share"].tolist() == pytest.approx([1500 / 1900])


def test_the_uncovered_households_are_the_gaps(whole):
    assert whole.scorecard.gaps["households"].sum() == 400 + 300 + 200


def test_the_whole_plan_is_the_cheapest_by_hand(whole):
    plan = whole.plan
    chosen = plan.actions.set_index("source_id")
    assert set(chosen.index) == {"K1", "K4", "S1"}
    assert chosen["area_m2"].to_dict() == pytest.approx({"K1": 210, "K4": 60, "S1": 30})
    assert chosen["cost"].to_dict() == pytest.approx({"K1": 27.6, "K4": 35.4, "S1": 9})
    assert plan.total_cost == pytest.approx(72.0)
    assert plan.status == "complete"
    assert all(stage.proven for stage in plan.stages)


def test_the_allotment_gives_each_community_what_it_lacked(whole):
    given = whole.plan.allotments.groupby("community_id")["area_m2"].sum()
    assert given.to_dict() == pytest.approx({"U2": 30, "U3": 120, "V1": 90, "V2": 60})


def test_after_the_plan_everybody_meets_the_standard(whole):
    meets = whole.after.communities.set_index("community_id")["meets"]
    assert meets.to_dict() == {
        "U1": "pass",
        "U2": "pass",
        "U3": "pass",
        "V1": "pass",
        "V2": "pass",
        "V3": "not_applicable",
    }
    nearest = whole.after.communities.set_index("community_id")["nearest_m"]
    assert nearest.loc[["U3", "V1", "V2"]].tolist() == [0, 1, 0]


def test_forty_wan_yuan_serve_twelve_hundred_households(poor):
    assert set(poor.plan.actions["source_id"]) == {"K1", "S1"}
    assert poor.plan.total_cost == pytest.approx(36.6)
    assert poor.plan.blocked["community_id"].tolist() == ["V2"]
    meets = poor.after.communities.set_index("community_id")["meets"]
    assert meets.loc[["U2", "U3", "V1", "V2"]].tolist() == ["pass", "pass", "pass", "fail"]


def test_the_same_file_gives_the_same_result(whole, tmp_path, write_tiny_county):
    again = siting.run(siting.read_study(write_tiny_county(tmp_path, "[plan]\ngap = 0")))
    pd.testing.assert_frame_equal(again.plan.actions, whole.plan.actions)
    pd.testing.assert_frame_equal(again.scorecard.verdicts, whole.scorecard.verdicts)
