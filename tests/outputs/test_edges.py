"""Runs at the edges: nothing built, nothing chosen, nothing missing, every figure unknown."""

from dataclasses import replace

import openpyxl
import pytest

from siting.errors import OutputError
from siting.outputs import Results, write_all
from siting.outputs.figures import headlines
from tests.outputs.made import made_results


def written_again(results: Results, folder, lang="zh"):
    """Write everything and return the report's text."""
    paths = write_all(results, folder / "out", lang=lang)
    return paths, paths["report"].read_text(encoding="utf-8")


def test_a_county_without_any_facility_is_written(bare_results, tmp_path):
    card = bare_results.scorecard
    demand = card.demand.assign(covered=False, nearest_m=float("inf"), nearest_facility_id="")
    communities = card.communities.assign(nearest_facility_id="", nearest_m=float("nan"), reached_share=0.0)
    tables = replace(bare_results.tables, facilities=bare_results.tables.facilities.iloc[:0])
    empty = replace(
        bare_results,
        tables=tables,
        circles=bare_results.circles.iloc[:0],
        scorecard=replace(card, demand=demand, communities=communities),
    )
    _, report = written_again(empty, tmp_path)
    assert "0%" in report
    assert {figure.id: figure for figure in headlines(empty)}["reached_share"].now == 0


def test_a_plan_that_chooses_nothing_says_so(results, tmp_path):
    plan = results.plan
    nothing = replace(
        plan,
        status="partial",
        actions=plan.actions.iloc[:0],
        allotments=plan.allotments.iloc[:0],
        total_cost=0.0,
        curve=None,
        phases=None,
    )
    paths, report = written_again(replace(results, plan=nothing, plan_circles=None), tmp_path)
    assert "方案没有选任何一项" in report
    book = openpyxl.load_workbook(paths["workbook"])
    assert book["规划方案"]["A5"].value == "方案没有选任何一项。"


def test_a_county_without_gaps_says_so(bare_results, tmp_path):
    card = bare_results.scorecard
    covered = replace(card, gaps=card.gaps.iloc[:0], demand=card.demand.assign(covered=True))
    _, report = written_again(replace(bare_results, scorecard=covered), tmp_path, "en")
    assert "there is no gap" in report


def test_a_county_whose_areas_are_unknown_shows_no_figure_for_them(bare_results, tmp_path):
    card = bare_results.scorecard
    nan = float("nan")
    communities = card.communities.assign(
        allotted_area_m2=nan, area_per_100_households_m2=nan, has_area="unknown", meets="unknown"
    )
    indicators = card.indicators[card.indicators["rule_id"] != "area_per_100_households"]
    unknown = replace(card, communities=communities, indicators=indicators)
    run = replace(bare_results, scorecard=unknown)
    figures = {figure.id: figure for figure in headlines(run)}
    assert figures["area_per_100"].now != figures["area_per_100"].now  # NaN: not known, and not 0
    assert figures["missing_m2"].now != figures["missing_m2"].now
    assert figures["missing_m2"].name.zh == "尚缺面积（面积已知的社区）"
    assert figures["unknown"].now == len(communities)
    _, report = written_again(run, tmp_path)
    assert "无法算出" in report


def test_a_county_of_one_community_at_one_spot_is_written(tmp_path):
    paths, _ = written_again(made_results(2, 1, points_each=1, plan=False), tmp_path)
    assert paths["map"].stat().st_size > 100_000


def test_a_plan_without_its_scorecard_is_refused(results):
    with pytest.raises(OutputError, match="needs the scorecard"):
        replace(results, plan=None)
    with pytest.raises(OutputError, match="needs the scorecard"):
        replace(results, after=None)


def test_a_scorecard_of_other_communities_is_refused(results, bare_results):
    few = replace(bare_results.tables, communities=bare_results.tables.communities.iloc[:3])
    with pytest.raises(OutputError, match="The scorecard has 20 communities, the table has 3"):
        replace(bare_results, tables=few)
