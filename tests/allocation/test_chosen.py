"""A plan applied to the tables is judged by the scorecard as the plan says; a planner's own list goes in and out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import siting
from siting.allocation.chosen import prescribe_chosen
from siting.allocation.chosen_file import Chosen, read_chosen, write_chosen
from siting.allocation.phases import indicator_path, phase_plan
from siting.allocation.plan import PlanOptions
from siting.allocation.prescribe import prescribe
from siting.errors import InfeasibleError, MissingFileError, ProblemError, TableError
from tests.allocation.test_prescribe import by_hand


@pytest.fixture(scope="module")
def done(tmp_path_factory, write_tiny_county):
    return siting.run(siting.read_study(write_tiny_county(tmp_path_factory.mktemp("chosen"), "[plan]\ngap = 0")))


def test_after_the_plan_every_verdict_is_the_scorecards(done):
    plan, after = done.plan, done.after.communities
    for ours, theirs in (("meets_after", "meets"), ("in_reach_after", "in_reach"), ("has_area_after", "has_area")):
        assert plan.communities[ours].tolist() == after[theirs].tolist()
    np.testing.assert_allclose(plan.communities["area_after_m2"], after["allotted_area_m2"], atol=1e-9)


def test_on_the_real_county_every_verdict_after_the_plan_is_the_scorecards(shared_data):
    from siting.allocation.situation import Situation
    from siting.coverage import measure_access, score
    from siting.study import prepare

    study = siting.read_study(shared_data / "lanzhou" / "study.toml")
    ready = prepare(study)
    tables, net = ready.tables, ready.network

    def judged(facilities, allotments):
        access = measure_access(tables.communities, facilities, net, study.standard, demand=ready.demand)
        return access, score(
            tables.communities,
            facilities,
            net,
            study.standard,
            demand=ready.demand,
            allotments=allotments,
            access=access,
        )

    access, card = judged(tables.facilities, tables.allotments)
    s = Situation.from_study(
        tables.communities, tables.facilities, tables.candidates, net, access, card, rules=study.sites
    )
    plan = prescribe(s, PlanOptions(budget=3000.0, time_limit_s=3))
    assert plan.check() == ()
    after = judged(*plan.facilities(tables.facilities, tables.allotments))[1].communities
    for ours, theirs in (("meets_after", "meets"), ("in_reach_after", "in_reach"), ("has_area_after", "has_area")):
        assert plan.communities[ours].tolist() == after[theirs].tolist()


def test_applying_a_plan_leaves_the_tables_as_they_were_and_counts_the_old_area_by_name(done):
    facilities, allotments = done.tables.facilities, done.tables.allotments
    before = facilities.copy()
    grown, table = done.plan.facilities(facilities, allotments)
    assert facilities.equals(before)
    assert grown.set_index("facility_id").loc["S1", "floor_area_m2"] == 450.0
    assert list(grown["facility_id"]) == ["S1", "P1", "K1", "K4"]
    rows = set(table.itertuples(index=False, name=None))
    assert {
        ("S1", "U1", 300.0),
        ("S1", "U2", 120.0),
        ("S1", "U2", 30.0),
        ("K1", "U3", 120.0),
        ("K4", "V2", 60.0),
    } <= rows
    alone = facilities.assign(community_id=["U1", ""])
    assert ("S1", "U1", 420.0) in set(done.plan.facilities(alone)[1].itertuples(index=False, name=None))


def test_a_plan_written_and_read_again_is_the_same_plan(tmp_path):
    plan = prescribe(by_hand(), PlanOptions(gap=0.0))
    write_chosen(plan, tmp_path / "plan.csv")
    again = prescribe_chosen(by_hand(), read_chosen(tmp_path / "plan.csv"), with_rest=False)
    assert again.stages == ()
    assert again.check() == ()
    assert again.total_cost == pytest.approx(plan.total_cost)
    assert again.allotments.equals(plan.allotments)
    assert again.communities.equals(plan.communities)


def test_an_id_that_looks_like_a_formula_is_written_as_text_and_read_as_it_was(tmp_path):
    s = by_hand()
    names = ("=1+1", "Q", "R", "'S")
    plan = prescribe(replace(s, actions=replace(s.actions, action_id=names, source_id=names)), PlanOptions(gap=0.0))
    write_chosen(plan, tmp_path / "plan.csv")
    assert "\n'=1+1," in (tmp_path / "plan.csv").read_text(encoding="utf-8-sig").replace("\r", "")
    assert [one.source_id for one in read_chosen(tmp_path / "plan.csv")] == ["=1+1", "Q", "'S"]


def test_a_planners_list_is_kept_and_the_rest_optimised(tmp_path):
    (tmp_path / "list.csv").write_bytes("编号,取得方式,面积\nR,购置,70\nS,,\n".encode("gb18030"))
    chosen = read_chosen(tmp_path / "list.csv")
    assert chosen == (Chosen("R", "purchase", 70.0), Chosen("S"))
    plan = prescribe_chosen(by_hand(), chosen, PlanOptions(gap=0.0))
    assert plan.actions.set_index("action_id")["area_m2"].to_dict() == {"P": 50.0, "R": 70.0, "S": 30.0}
    alone = prescribe_chosen(by_hand(), chosen, PlanOptions(gap=0.0), with_rest=False)
    assert sorted(alone.actions["action_id"]) == ["R", "S"]
    assert alone.communities["meets_after"].tolist() == ["fail", "fail", "pass", "fail", "pass"]
    with pytest.raises(InfeasibleError):
        prescribe_chosen(by_hand(), chosen, PlanOptions(budget=20.0))


def test_more_than_there_is_cannot_be_allotted():
    good = Chosen("P", "", 50.0, (("A", 20.0), ("B", 30.0)))
    assert prescribe_chosen(by_hand(), (good,), with_rest=False).check() == ()
    for shares, message in (
        ((("A", 20.0), ("B", 31.0)), "more is allotted than there is"),
        ((("A", 21.0),), "more is allotted than there is"),
        ((("C", 10.0),), "P cannot be allotted to C"),
    ):
        with pytest.raises((ProblemError, TableError), match=message):
            prescribe_chosen(by_hand(), (replace(good, allotments=shares),), with_rest=False)


def test_a_list_that_cannot_be_read_names_every_row(tmp_path):
    with pytest.raises(MissingFileError, match="there is no file"):
        read_chosen(tmp_path / "none.csv")
    (tmp_path / "bad.csv").write_text("source_id,area_m2\nP,about 50\nQ,-3\nR,20\n", encoding="utf-8")
    with pytest.raises(TableError, match="2 faults") as caught:
        read_chosen(tmp_path / "bad.csv")
    assert [issue.row for issue in caught.value.issues] == [2, 3]
    (tmp_path / "empty.csv").write_text("name\nP\n", encoding="utf-8")
    with pytest.raises(TableError, match="no column with the ids"):
        read_chosen(tmp_path / "empty.csv")


def test_the_indicator_path_is_the_scorecard_at_the_end_of_each_year(done):
    """40 in 2024 pays K1 and S1's growth (27.6 + 9): 660 m² for 2400 households are 27.5; K4's 60 m² make it 30.

    Linyi asks for 30 m² by 2025; in 2024 nothing is due.
    """
    plan = phase_plan(done.plan, {2024: 40.0, 2025: 40.0}, gap=0.0)
    assert plan.phases.groupby("year")["source_id"].agg(set).to_dict() == {2024: {"K1", "S1"}, 2025: {"K4"}}
    tables = done.tables

    def score_plan(part):
        facilities, allotments = part.facilities(tables.facilities, tables.allotments)
        return siting.score(
            tables.communities, facilities, done.network, done.standard, demand=done.demand, allotments=allotments
        )

    path = indicator_path(plan, score_plan).set_index(["rule_id", "year"])
    area = path.loc["area_per_100_households"]
    assert area["value"].to_dict() == pytest.approx({2024: 27.5, 2025: 30.0})
    rural = path.loc["rural_facility_coverage"]
    assert rural["status"].to_dict() == {2024: "", 2025: "pass"}
    assert np.isnan(rural.loc[2024, "target"])
    end = score_plan(plan).indicators
    county = end[end["place"] == "county"].set_index("rule_id")
    last = path.xs(2025, level="year")
    for column in ("value", "unit_zh", "unit_en"):
        np.testing.assert_array_equal(last[column], county[column])
    due = last["status"] != ""
    assert due.any()
    assert last.loc[due, ["target", "status"]].equals(county.loc[due, ["target", "status"]])
    with pytest.raises(ProblemError, match="the plan has no phases"):
        indicator_path(done.plan, score_plan)
