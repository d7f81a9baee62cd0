"""The five outputs of one run say the same."""

import json
import re
import shutil
import subprocess

import openpyxl
import pyogrio
import pytest

from siting.outputs import write_all
from siting.outputs.figures import headlines, indicator_table, missing_area_m2, verdict_codes
from siting.outputs.numbers import format_number
from tests.outputs.test_map import data_of


@pytest.fixture(scope="module")
def told(written):
    """What each output says, read back from its file."""
    page = data_of(written["map"].read_text(encoding="utf-8"))
    return {
        "map": page,
        "workbook": openpyxl.load_workbook(written["workbook"]),
        "report": re.sub(r"<[^>]+>", " ", written["report"].read_text(encoding="utf-8")),
        "layers": pyogrio.read_dataframe(written["layers"], layer="communities"),
        "run": json.loads(written["manifest"].read_text(encoding="utf-8")),
    }


def cells(told, sheet, heading):
    page = told["workbook"][sheet]
    column = next(cell.column for cell in page[4] if cell.value == heading)
    return [page.cell(row, column).value for row in range(5, page.max_row + 1)]


def test_the_hand_counted_headlines(results):
    # 20 communities in rows of five: in reach pass fail pass fail pass, area pass pass fail fail unknown;
    # the last has no households
    found = {figure.id: figure for figure in headlines(results)}
    assert (found["meets"].now, found["meets"].of) == (4, 19)
    assert found["in_reach"].now == 4 + 4 + 3
    assert found["has_area"].now == 4 + 4
    assert found["unknown"].now == 3
    # after: the first 12 all meet, and of 12 to 18 only number 15
    assert found["meets"].after == 13


def test_every_output_gives_the_same_headlines(told, results):
    page = {figure["id"]: figure for figure in told["map"]["headlines"]}
    for figure in headlines(results):
        for when in ("now", "after"):
            value = getattr(figure, when)
            printed = format_number(value, figure.unit, against=figure.target)
            assert page[figure.id][when] == printed
            assert printed in told["report"]
            assert told["run"]["figures"][figure.id][when] == pytest.approx(value)


def test_every_output_gives_each_community_the_same_verdict(told, results):
    codes = list(verdict_codes(results.scorecard))
    names = [key for key, *_ in told["map"]["verdicts"]]
    words = {key: zh for key, zh, *_ in told["map"]["verdicts"]}
    assert [names[c["states"][0][0]] for c in told["map"]["communities"]] == codes
    assert list(told["layers"]["verdict"]) == codes
    assert cells(told, "社区评分", "结论") == [words[code] for code in codes]


def test_every_output_gives_each_community_the_same_shares_and_missing_area(told, results):
    missing = missing_area_m2(results.scorecard)
    sheet, layer = cells(told, "社区评分", "尚缺面积（㎡）"), told["layers"]["missing_area_m2"]
    page = [c["states"][0][6] for c in told["map"]["communities"]]
    for i, value in enumerate(missing):
        if value == value:
            assert sheet[i] == pytest.approx(value)
            assert layer[i] == pytest.approx(value)
            assert page[i] == pytest.approx(value, abs=0.051)
        else:
            assert sheet[i] is None
            assert page[i] is None
            assert layer.isna()[i]


def test_missing_area_is_the_target_less_what_is_allotted_by_hand(results):
    # community 2 has 200 + 37 * 2 = 274 households at 29.96 m² per 100: it needs 82.2 and has 82.0904
    assert missing_area_m2(results.scorecard)[2] == pytest.approx(0.1096)
    assert missing_area_m2(results.scorecard)[0] == 0
    assert missing_area_m2(results.scorecard).isna()[4]
    assert missing_area_m2(results.scorecard).iloc[-1] == 0


def test_every_output_gives_the_same_indicators_now_and_after(told, results):
    table = indicator_table(results)
    county = table[table["place"] == "county"]
    assert cells(told, "指标表", "现状值")[: len(county)] == pytest.approx(list(county["value"]))
    assert cells(told, "指标表", "方案后")[: len(county)] == pytest.approx(list(county["after"]))
    for row, shown in zip(county.itertuples(), told["map"]["indicators"], strict=True):
        unit = "share" if row.unit_en == "share" else "m2_per_100_households"
        assert shown["now"] == format_number(row.value, unit, against=row.target)
        assert shown["now"] in told["report"]


def test_every_output_gives_the_same_plan(told, results, written):
    actions = results.plan.actions
    layer = pyogrio.read_dataframe(written["layers"], layer="plan")
    assert list(layer["source_id"]) == cells(told, "规划方案", "点位代码")[:-1] == list(actions["source_id"])
    assert list(layer["cost_wan_yuan"]) == pytest.approx(cells(told, "规划方案", "费用合计（万元）")[:-1])
    assert told["run"]["plan"]["total_cost_wan_yuan"] == results.plan.total_cost
    assert told["map"]["plan"]["cost"] == "452.5"
    assert told["run"]["plan"]["stages"][0]["bound"] == 5410.0
    assert told["run"]["plan"]["stages"][0]["proof"] == "time"


def test_the_record_names_every_output_with_its_hash_and_every_input_with_its_own(told, written):
    recorded = told["run"]["outputs"]
    assert set(recorded) == set(written) - {"manifest"}
    for name, entry in recorded.items():
        assert entry["bytes"] == written[name].stat().st_size
    assert told["run"]["inputs"][0]["sha256"] == "0" * 64
    assert told["run"]["inputs"][0]["file"] == "表.xlsx"  # the name, never the folders of the planner's machine
    assert "/nowhere" not in json.dumps(told["run"])


def test_the_record_gives_versions_and_seconds(told):
    assert {"python", "siting", "geopandas", "highspy"} <= set(told["run"]["versions"])
    assert told["run"]["seconds"] == {"read": 1.25, "score": 2.5}


def test_the_files_of_the_design_are_there_and_nothing_else(written):
    names = sorted(path.name for path in written["map"].parent.iterdir())
    assert names == [
        "coverage.gpkg", "map.html", "plan.csv", "report.html", "run.json", "scorecard.xlsx", "verdicts.json",
    ]  # fmt: skip


def test_progress_is_told_and_ends_at_one(bare_results, tmp_path):
    said = []
    write_all(bare_results, tmp_path / "out", lang="en", progress=lambda what, share=None: said.append(share))
    assert said == sorted(said)
    assert said[-1] == 1.0


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed here")
def test_the_workbook_opens_in_libreoffice_and_runs_nothing(written, tmp_path):
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    second_sheet_as_utf8 = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,2"
    command = ["soffice", profile, "--headless", "--convert-to", second_sheet_as_utf8, "--outdir", tmp_path]
    subprocess.run([*command, written["workbook"]], check=True, capture_output=True, timeout=120)
    (found,) = tmp_path.glob("*.csv")
    text = found.read_text(encoding="utf-8")
    assert "=1+1" in text
    assert "@SUM(A1)" in text
    assert "社区013" in text
