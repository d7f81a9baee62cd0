"""Two runs or two plans compared say what an official would: what was put in, which rule turned, which site changed."""

import copy
import json
import shutil
from collections.abc import Iterator

import pytest

import siting
from siting.errors import InputError, SitingError
from siting.outputs.record import compare_runs


def lines(one, other, lang="zh"):
    return [line.to(lang).strip() for line in compare_runs(one, other)]


def written(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_an_extension_is_one_action_however_it_is_named(tmp_path):
    """The plan writes ``S1+``, a planner S1; only what differs in size is a change."""
    plan = written(tmp_path / "plan.csv", "source_id,acquisition,area_m2\nS1+,extension,30.00\nK1,lease,80\n")
    hand = written(tmp_path / "hand.csv", "编号,面积\nS1,30\nK1,90\n")
    assert lines(plan, hand) == ["行动的变化：", "K1 租借：80 → 90 平方米"]
    assert lines(hand, plan, "en")[1:] == ["K1 lease: 90 → 80 m²"]
    assert lines(plan, plan) == ["行动没有变化"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory, write_tiny_county):
    """Two runs of one county that differ in their budget alone."""
    folders = []
    for budget in (10, 200):
        folder = tmp_path_factory.mktemp(f"budget{budget}")
        study = siting.read_study(write_tiny_county(folder, f"[plan]\nbudget = {budget}"))
        siting.run(study).write(folder / "out")
        folders.append(folder / "out")
    return folders


def test_a_changed_setting_is_told_and_no_table_is_blamed(runs):
    said = lines(*runs)
    assert "设置 plan.budget：10 → 200" in said
    turned = [line for line in said if "不达标 → 达标" in line]
    assert any("每百户居民拥有社区综合服务设施面积" in line and "分配面积改变" in line for line in turned)
    assert not [line for line in said if "area_per_100_households" in line or "台账改变" in line]
    assert any("Floor area of comprehensive facilities per 100 households" in line for line in lines(*runs, "en"))


def test_a_record_without_the_names_of_its_rules_is_still_compared(runs, tmp_path):
    """What an earlier version wrote."""
    old = tmp_path / "old"
    old.mkdir()
    for name in ("run.json", "verdicts.json", "plan.csv"):
        (old / name).write_bytes((runs[0] / name).read_bytes())
    record = json.loads((old / "verdicts.json").read_text(encoding="utf-8"))
    del record["names"]
    written(old / "verdicts.json", json.dumps(record))
    assert lines(old, old) == ["输入、假设和设置没有变化", "没有结论改变", "行动没有变化"]


def _places(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """Every place in a record, of long lists the first and the last entry."""
    if path:
        yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for at, one in entries:
        if isinstance(value, dict) or at in (0, len(value) - 1):
            yield from _places(one, (*path, at))


def _with(record: object, path: tuple[object, ...], value: object) -> object:
    changed = copy.deepcopy(record)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


@pytest.mark.parametrize("name", ["run.json", "verdicts.json"])
def test_a_record_with_anything_anywhere_is_compared_or_refused_with_its_name(runs, tmp_path, name):
    old = tmp_path / "old"
    shutil.copytree(runs[0], old)
    record = json.loads((old / name).read_text(encoding="utf-8"))
    refused = []
    for path in _places(record):
        for value in (None, "x", [[1]], 1e300):
            written(old / name, json.dumps(_with(record, path, value)))
            try:
                compare_runs(old, runs[1])
            except SitingError as error:
                refused.append(str(error))
    assert len(refused) > 20
    assert [said for said in refused if name not in said] == []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("verdicts", "columns"), ["a"], "verdicts has not its columns"),
        (("verdicts", "rows", 0), [1], "row 1 of verdicts is wrong"),
        (("verdicts", "rows", 0, 2), "splendid", "status holds splendid"),
        (("verdicts", "rows", 0, 1), "nowhere", "rule_id holds nowhere"),
        (("communities", "rows", 1, 0), "U1", "a community appears twice"),
        (("communities", "rows", 0, 2), "many", "row 1 of communities is wrong"),
        (("measures",), [], "no table of rules"),
        (("names",), {"a": ["one"]}, "no names of rules"),
    ],
)
def test_verdicts_that_were_not_written_so_are_refused_with_the_place(runs, tmp_path, path, value, message):
    old = tmp_path / "old"
    shutil.copytree(runs[0], old)
    record = json.loads((old / "verdicts.json").read_text(encoding="utf-8"))
    written(old / "verdicts.json", json.dumps(_with(record, path, value)))
    with pytest.raises(InputError, match=rf"verdicts\.json is damaged.*{message}"):
        compare_runs(old, runs[1])
