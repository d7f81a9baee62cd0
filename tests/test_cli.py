"""The `siting` command: exit codes, plain words, and never a traceback."""

import errno
import io
import json
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import highspy
import pytest

from siting.cli import main
from siting.cli.console import Console
from siting.errors import Issue
from siting.outputs.manifest import FILE_NAMES
from siting.text import Text
from tests.allocation.lying_solver import lying


@pytest.fixture
def study(tmp_path, write_tiny_county) -> Path:
    return write_tiny_county(tmp_path, "[plan]\ngap = 0")


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def _says(capsys, *words: str) -> str:
    seen = "".join(capsys.readouterr())
    assert "Traceback" not in seen
    for word in words:
        assert word in seen
    return seen


def test_run_leaves_the_five_outputs_and_ends_with_0(study, capsys):
    assert main(["run", str(study), "--lang", "en"]) == 0
    made = {path.name for path in (study.parent / "out").iterdir()}
    assert {"map.html", "scorecard.xlsx", "report.html", "coverage.gpkg", "run.json"} <= made
    _says(capsys, "72")


def test_an_existing_folder_is_not_overwritten_without_force(study, capsys):
    out = study.parent / "result"
    assert main(["run", str(study), "--out", str(out)]) == 0
    before = (out / "run.json").read_bytes()
    assert main(["run", str(study), "--out", str(out), "--lang", "en"]) == 1
    assert (out / "run.json").read_bytes() == before
    _says(capsys, "--force")
    assert main(["run", str(study), "--out", str(out), "--force"]) == 0


def _texts(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_force_replaces_the_files_of_the_earlier_run_and_nothing_of_the_users(study, capsys):
    """The study, a standard, an input, a list of actions and notes may lie where the results do."""
    folder = study.parent
    assert main(["run", str(study), "--out", str(folder / "first"), "--quiet"]) == 0
    for name in ("run.json", "map.html", "plan.csv", "report.html", "scorecard.xlsx", "coverage.gpkg", "verdicts.json"):
        (folder / "first" / name).rename(folder / name)
    (folder / "project.qgz").write_bytes(b"layers")
    (folder / "mine.csv").write_bytes((folder / "plan.csv").read_bytes())
    outputs = set(FILE_NAMES.values())
    before = {name: text for name, text in _texts(folder).items() if name not in outputs}
    words = ["score", str(study), "--chosen", str(folder / "mine.csv"), "--out", str(folder), "--lang", "en"]
    assert main(words) == 1
    assert main([*words, "--force"]) == 0
    assert {name: text for name, text in _texts(folder).items() if name not in outputs} == before
    _says(capsys, "were left as they are")
    assert main(["run", str(study), "--out", str(folder), "--force", "--quiet"]) == 0
    assert {name: text for name, text in _texts(folder).items() if name not in outputs} == before


def test_a_plan_that_was_edited_is_not_read_and_replaced_in_one_run(study, capsys):
    out = study.parent / "o"
    assert main(["run", str(study), "--out", str(out), "--quiet"]) == 0
    words = ["score", str(study), "--chosen", str(out / "plan.csv"), "--out", str(out), "--force", "--lang", "en"]
    assert main(words) == 0
    edited = (out / "plan.csv").read_bytes() + b"\n"
    (out / "plan.csv").write_bytes(edited)
    assert main(words) == 1
    _says(capsys, "plan.csv is read by this run", "save it under another name")
    assert (out / "plan.csv").read_bytes() == edited


def test_an_input_with_the_name_of_an_output_is_refused_before_the_work(study, capsys):
    (study.parent / "roads.gpkg").rename(study.parent / "coverage.gpkg")
    _edit(study, "roads.gpkg", "coverage.gpkg")
    assert main(["run", str(study), "--out", str(study.parent / "o"), "--quiet"]) == 0
    (study.parent / "o" / "run.json").rename(study.parent / "run.json")
    assert main(["run", str(study), "--out", str(study.parent), "--force", "--lang", "en"]) == 1
    _says(capsys, "coverage.gpkg is read by this run")


@pytest.mark.parametrize("name", ["study.toml", "notes.html"])
def test_the_map_alone_replaces_no_file_but_a_map(study, capsys, name):
    place = study if name == "study.toml" else study.parent / name
    before = place.read_bytes() if place.exists() else b"<html>mine</html>"
    place.write_bytes(before)
    assert main(["map", str(study), "--out", str(place), "--force", "--lang", "en"]) == 1
    assert place.read_bytes() == before
    own = study.parent / "own.html"
    assert main(["map", str(study), "--out", str(own)]) == 0
    assert main(["map", str(study), "--out", str(own), "--force"]) == 0


def test_a_prepared_network_replaces_no_file_but_a_network(study, capsys):
    roads, notes, kept = study.parent / "roads.gpkg", study.parent / "notes.txt", study.parent / "kept.net"
    notes.write_text("mine", encoding="utf-8")
    assert main(["network", str(roads), str(notes), "--force", "--lang", "en"]) == 1
    assert notes.read_text(encoding="utf-8") == "mine"
    _says(capsys, "was not written by siting")
    assert main(["network", str(roads), str(roads), "--force", "--lang", "en"]) == 1
    _says(capsys, "is read by this run")
    assert main(["network", str(roads), str(kept)]) == 0
    assert main(["network", str(roads), str(kept), "--force"]) == 0


def test_check_lists_what_was_read_and_writes_nothing(study, capsys):
    before = sorted(study.parent.iterdir())
    assert main(["check", str(study), "--lang", "en"]) == 0
    _says(capsys, "communities.csv, 6 rows read, 6 kept")
    assert sorted(study.parent.iterdir()) == before


def test_score_prints_figures_in_both_languages(study, capsys):
    assert main(["score", str(study), "--lang", "en"]) == 0
    _says(capsys, "Communities that meet the standard: 1 community (of 5)")
    assert main(["score", str(study), "--lang", "zh"]) == 0
    _says(capsys, "（共 5）")


def test_a_plan_can_be_written_read_back_and_scored(study, capsys):
    out = study.parent / "planned"
    assert main(["plan", str(study), "--out", str(out)]) == 0
    capsys.readouterr()
    assert main(["score", str(study), "--chosen", str(out / "plan.csv"), "--lang", "en"]) == 0
    _says(capsys, "→ 5 communities (of 5)")


def test_a_bound_that_meets_its_value_is_proven_and_zero_has_no_sign(study, capsys):
    mine = study.parent / "mine.csv"
    mine.write_text("source_id,area_m2\nK1,100\n", encoding="utf-8")
    assert main(["plan", str(study), "--chosen", str(mine), "--lang", "en"]) == 3
    seen = _says(capsys, "least cost: 73.50 × 10,000 yuan (bound 73.50, gap 0.00%, proven)")
    _edit(study, "gap = 0", "gap = 0\nbudget = 0")
    assert main(["plan", str(study), "--lang", "en"]) == 3
    seen += _says(capsys, "The plan: 0 actions, 0 × 10,000 yuan (budget 0)")
    assert "-0.00" not in seen


@pytest.mark.parametrize(
    ("rows", "zh", "en"),
    [
        ("K1,偷,300,", "第 2 行 取得方式 “偷”：不是取得方式", 'row 2 取得方式 "偷": is no way to obtain'),
        ("K1,,300,\nK1,,200,", "第 3 行 编号 “K1”：重复", 'row 3 编号 "K1": appears again'),
        ("K1,,约三百,", "第 2 行 面积 “约三百”：须为不小于 0 的数", 'row 2 面积 "约三百": must be a number >= 0'),
        ("K1,,300,三百给U3", "第 2 行 分配 “三百给U3”", 'row 2 分配 "三百给U3": cannot be read'),
    ],
)
def test_a_planners_list_that_cannot_be_taken_is_said_by_row(study, capsys, rows, zh, en):
    mine = study.parent / "名单.csv"
    mine.write_bytes(("编号,取得方式,面积,分配\n" + rows + "\n").encode("gb18030"))
    for lang, words in (("zh", zh), ("en", en)):
        assert main(["score", str(study), "--chosen", str(mine), "--lang", lang]) == 1
        _says(capsys, words, "名单.csv")


def test_a_choice_is_held_against_the_sites_there_are_and_every_fault_is_said_with_its_row(study, capsys):
    mine = study.parent / "名单.csv"
    rows = ["编号,取得方式,面积,分配", "K1,购置,300,", "K9,,,", "", "K3,,100.01,", "K4,,100,U9=20;V2=81"]
    mine.write_text("\n".join(rows) + "\n", encoding="utf-8")
    zh = [
        "输入数据有 5 处错误（名单.csv）",
        "第 2 行 取得方式 “购置”：候选点表中是租赁",
        "第 3 行 编号 “K9”：没有这个候选点",
        "相近的有",
    ]
    zh += ["第 5 行 面积 “100.01”：不在 30 与 100 平方米之间", "第 6 行 分配 “U9=20”：没有这个社区"]
    en = [
        "5 faults in the input (名单.csv)",
        'row 3 编号 "K9": is no candidate',
        'row 6 分配 "101": more is allotted than there is: 100',
    ]
    for lang, words in (("zh", zh), ("en", en)):
        assert main(["score", str(study), "--chosen", str(mine), "--lang", lang]) == 1
        _says(capsys, *words)


@pytest.mark.parametrize(("name", "zh"), [("", "是文件夹"), ("list.xlsx", "另存为 CSV")])
def test_a_choice_that_is_no_csv_is_said_to_be_none(study, capsys, name, zh):
    path = study.parent / name
    if name:
        path.write_bytes(b"PK\x03\x04 a workbook")
    assert main(["score", str(study), "--chosen", str(path)]) == 1
    _says(capsys, zh)


def test_allotments_may_be_written_with_chinese_marks(study, capsys):
    mine = study.parent / "mine.csv"
    mine.write_text("编号,面积,分配\nK1,210,U3：120；V1：90\n", encoding="utf-8")
    assert main(["score", str(study), "--chosen", str(mine)]) == 3
    _says(capsys, "达标社区：1 个社区 → 3 个社区（共 5）")


def test_the_map_alone(study, capsys):
    target = study.parent / "only.html"
    assert main(["map", str(study), "--out", str(target)]) == 0
    assert target.stat().st_size > 100_000


def test_a_missing_study_file_is_named(tmp_path, capsys):
    assert main(["run", str(tmp_path / "nowhere.toml")]) == 1
    _says(capsys, "nowhere.toml")


def test_a_missing_input_is_named(study, capsys):
    (study.parent / "facilities.csv").unlink()
    assert main(["run", str(study)]) == 1
    _says(capsys, "facilities.csv")


def test_a_missing_column_is_named(study, capsys):
    _edit(study.parent / "communities.csv", "households", "nothing_known")
    assert main(["run", str(study)]) == 1
    _says(capsys, "households", "communities.csv")


def test_an_empty_table_of_communities_is_refused(study, capsys):
    path = study.parent / "communities.csv"
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    assert main(["run", str(study)]) == 1
    _says(capsys, "communities.csv")


def test_an_empty_table_of_facilities_is_a_coverage_of_nothing(study, capsys):
    path = study.parent / "facilities.csv"
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    (study.parent / "allotments.csv").unlink()
    _edit(study, 'allotments = "allotments.csv"', "")
    assert main(["score", str(study), "--lang", "en"]) == 0
    _says(capsys, "Communities that meet the standard: 0 communities (of 5)", "facilities.csv")


def test_an_unknown_key_names_the_near_match(study, capsys):
    _edit(study, "walking_speed_kmh", "walking_speed_kph")
    assert main(["run", str(study), "--lang", "en"]) == 1
    _says(capsys, "travel.walking_speed_kph", "walking_speed_kmh")


def test_a_budget_that_buys_nothing_is_a_plan_of_nothing(study, capsys):
    _edit(study, "gap = 0", "gap = 0\nbudget = 0")
    assert main(["plan", str(study), "--lang", "en"]) == 3
    _says(capsys, "U2", "U3", "V1", "V2")


def test_candidates_that_reach_nobody_are_said(study, capsys):
    path = study.parent / "candidates.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    far = ",".join([*lines[1].split(",")[:-2], "110.12", "35.0"])
    path.write_text("\n".join([lines[0], far]) + "\n", encoding="utf-8")
    assert main(["plan", str(study), "--lang", "en"]) == 3
    _says(capsys, "U3", "V1", "V2")


@pytest.mark.parametrize("words", [["fly"], ["run"], ["run", "x.toml", "--fast"], ["score", "x.toml", "--lang", "fr"]])
def test_wrong_usage_ends_with_2(words, capsys):
    assert main(words) == 2
    _says(capsys, "--help")


@pytest.mark.parametrize(
    ("words", "zh"),
    [
        (["fly"], "没有这个命令"),
        ([], "没有写命令"),
        (["run"], "缺少参数 STUDY"),
        (["map", "x.toml"], "缺少选项 --out"),
        (["network", "a", "b", "--mode", "fly"], "选项 --mode 的值不对；可选：walk、bike、drive"),
        (["run", "x.toml", "--fast"], "没有这个选项：--fast"),
        (["score", "x.toml", "--out"], "选项 --out 后面缺少它的值"),
    ],
)
def test_wrong_usage_is_said_in_the_language_asked_for(words, zh, capsys):
    assert main([*words, "--lang", "zh"] if words[:1] == ["run"] else words) == 2
    assert "Missing" not in _says(capsys, zh)


@pytest.mark.parametrize("ask", [["--lang", "en"], ["--lang=en"]])
def test_the_language_is_known_before_the_words_are_parsed(ask, capsys):
    assert main(["run", "nowhere.toml", *ask]) == 1
    _says(capsys, "there is no file")


def test_help_and_version_end_with_0(capsys):
    assert main(["--version"]) == 0
    assert main(["run", "--help"]) == 0
    _says(capsys, "--force")


@pytest.mark.parametrize("name", ["roads.gpkg", "", "no/such/folder/n.net"])
def test_a_prepared_network_is_not_written_over_its_source_or_where_it_cannot_be(study, name, capsys):
    source = study.parent / "roads.gpkg"
    before = source.read_bytes()
    assert main(["network", str(source), str(study.parent / name), "--force", "--lang", "en"]) == 1
    assert source.read_bytes() == before
    _says(capsys, "choose another name" if name == "roads.gpkg" else "folder")


@pytest.mark.parametrize(("name", "words"), [("map.htm", "must end in .html"), ("no/map.html", "make it first")])
def test_a_map_that_cannot_be_written_is_refused_before_the_work(study, name, words, capsys):
    (study.parent / "roads.gpkg").write_bytes(b"never read")
    assert main(["map", str(study), "--out", str(study.parent / name), "--lang", "en"]) == 1
    _says(capsys, words)


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_full_disk_is_no_defect_of_the_software():
    command = f'"{sys.executable}" -m siting standards linyi --lang en > /dev/full'
    done = subprocess.run(command, shell=True, capture_output=True, check=False, text=True)
    assert done.returncode == 1
    assert "check permissions, space" in done.stderr
    assert "defect" not in done.stderr
    assert "Traceback" not in done.stderr


def test_standards_are_listed_and_printed(capsys):
    assert main(["standards"]) == 0
    _says(capsys, "national", "gansu", "jiangsu", "linyi")
    assert main(["standards", "linyi"]) == 0
    _says(capsys, "每百户居民拥有社区综合服务设施面积", "临政办发〔2023〕29号")


def test_an_unknown_standard_names_the_near_ones(capsys):
    assert main(["standards", "linyy", "--lang", "en"]) == 1
    _says(capsys, "linyi")


def test_a_network_is_prepared_and_can_be_used_instead_of_the_roads(study, capsys):
    prepared = study.parent / "roads.net"
    assert main(["network", str(study.parent / "roads.gpkg"), str(prepared)]) == 0
    _edit(study, "roads.gpkg", "roads.net")
    assert main(["score", str(study), "--lang", "en"]) == 0
    _says(capsys, "Communities that meet the standard: 1 community (of 5)")


def test_two_runs_are_compared(study, tmp_path, capsys):
    assert main(["score", str(study), "--out", str(tmp_path / "a")]) == 0
    _edit(study.parent / "allotments.csv", "S1,U2,120", "S1,U2,90")
    assert main(["score", str(study), "--out", str(tmp_path / "b")]) == 0
    _edit(study.parent / "communities.csv", "urban,1000", "urban,1001")
    assert main(["score", str(study), "--out", str(tmp_path / "c")]) == 0
    capsys.readouterr()
    assert main(["diff", str(tmp_path / "b"), str(tmp_path / "c"), "--lang", "en"]) == 0
    _says(capsys, "U1", "communities.csv")


@pytest.mark.parametrize("record", ["{}", "[1]", '{"inputs": 1}', '{"inputs": [{}], "assumptions": {}}', "{"])
def test_a_folder_with_another_record_is_not_compared(tmp_path, capsys, record):
    (tmp_path / "run.json").write_text(record, encoding="utf-8")
    assert main(["diff", str(tmp_path), str(tmp_path)]) == 1
    assert "缺陷" not in _says(capsys, "run.json 已损坏")


def test_the_record_of_a_run_names_inputs_and_versions(study):
    assert main(["score", str(study), "--out", str(study.parent / "o"), "--quiet"]) == 0
    record = json.loads((study.parent / "o" / "run.json").read_text(encoding="utf-8"))
    assert "communities.csv" in json.dumps(record)


def test_the_record_of_a_run_counts_the_answers_of_the_solver_that_were_refused(study, monkeypatch):
    assert main(["run", str(study), "--out", str(study.parent / "o"), "--quiet"]) == 0
    made = lying("value")
    monkeypatch.setattr(import_module("siting.allocation.solve"), "_highs", lambda: (highspy, made))
    assert main(["run", str(study), "--out", str(study.parent / "p"), "--quiet"]) == 0
    truth, lied = (json.loads((study.parent / out / "run.json").read_text(encoding="utf-8")) for out in "op")
    assert set(lied["solver"]["answers_refused_and_asked_again"]) <= {"value", "rows"}
    assert lied["solver"]["answers_refused_and_asked_again"]["value"] > 0
    assert [stage["value"] for stage in truth["plan"]["stages"]] == [stage["value"] for stage in lied["plan"]["stages"]]


@pytest.mark.parametrize("encoding", ["gbk", "ascii"])
def test_a_console_that_is_not_utf8_gets_no_error(encoding):
    done = subprocess.run(
        [sys.executable, "-m", "siting", "standards", "linyi"],
        capture_output=True,
        check=False,
        env={**__import__("os").environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
    )
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr


def test_the_installed_command_works_from_any_folder(tmp_path):
    command = shutil.which("siting", path=str(Path(sys.executable).parent))
    if command is None:
        pytest.skip("the command is not installed beside this interpreter")
    words = [command, "network", "nowhere.gpkg", "kept.net", "--lang", "en"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, check=False, text=True)
    assert done.returncode == 1
    assert "nowhere.gpkg" in done.stderr
    assert "defect" not in done.stderr


def test_a_reader_that_stops_listening_is_no_error():
    words = [sys.executable, "-m", "siting", "standards", "linyi"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as done:
        done.stdout.close()
        assert done.stderr.read() == b""
        assert done.wait() == 0


class _Closed(io.StringIO):
    """Standard output whose reader has gone, as Windows tells it."""

    def write(self, text):
        raise OSError(errno.EINVAL, "Invalid argument")

    def fileno(self):
        return self.spare


def test_a_reader_that_stops_listening_on_windows_is_no_error(tmp_path, monkeypatch):
    with (tmp_path / "spare").open("w") as spare:
        gone = _Closed()
        gone.spare = spare.fileno()
        monkeypatch.setattr(sys, "stdout", gone)
        assert main(["standards"]) == 1
        monkeypatch.setattr(sys, "platform", "win32")
        assert main(["standards"]) == 0


def test_a_long_list_of_communities_is_cut_short_on_the_console(capsys):
    for value in ("、".join(["990100025220"] * 20), ", ".join(["990100025220"] * 20), "9" * 100, "U1、U2"):
        Console(lang="en").warn_of(Issue("warning", Text("太远", "too far"), Text("", ""), value=value))
    assert capsys.readouterr().err.splitlines() == [
        'warning "990100025220、990100025220、990100025220、990100025220、…": too far',
        'warning "990100025220, 990100025220, 990100025220, 990100025220, …": too far',
        f'warning "{"9" * 60}…": too far',
        'warning "U1、U2": too far',
    ]


def test_progress_is_drawn_on_a_terminal_and_taken_away(monkeypatch):
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    console = Console(lang="en")
    console.progress(Text("求解", "solving"), 1.0)
    console.warn(Text("完", "done"))
    assert terminal.getvalue() == "\rsolving 100%" + "\r" + 24 * " " + "\r" + "done\n"


def test_a_search_that_ctrl_c_stopped_ends_with_130_and_whole_results(study, capsys):
    words = ["plan", str(study), "--out", str(study.parent / "o"), "--lang", "en"]
    assert main(words, console=Console(interrupted=True)) == 130
    assert (study.parent / "o" / "run.json").exists()
    _says(capsys, "Ctrl-C stopped the search")
