"""What is kept of a run so that another can be compared with it: the verdicts and the figures behind them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from siting.allocation.chosen_file import read_chosen
from siting.coverage import Judged, compare
from siting.coverage.compare import RecordError
from siting.errors import InputError, MissingFileError
from siting.outputs.atomic import settle
from siting.outputs.manifest import FILE_NAMES, MANIFEST_NAME
from siting.outputs.words import ACQUISITION, ROLE, STATUS, assumption_name, say
from siting.small_files import damaged, read_json
from siting.text import Text

if TYPE_CHECKING:
    from siting.outputs.results import Results

VERDICTS_NAME, PLAN_NAME = FILE_NAMES["verdicts"], FILE_NAMES["plan"]
_NONE = Text("无", "none")


def write_verdicts(results: Results, path: str | Path) -> None:
    """Write the verdicts of a run, those after its plan where it has one, as JSON that `compare_runs` reads.

    Parameters
    ----------
    results
        What the run found.
    path
        The file; one that exists is replaced.
    """
    card = results.scorecard if results.after is None else results.after
    text = json.dumps(Judged.of(card).record(), ensure_ascii=False, allow_nan=False)
    Path(path).write_text(text + "\n", encoding="utf-8", newline="\n")


def compare_runs(before: str | Path, after: str | Path) -> list[Text]:
    """Return what differs between two runs or two plans, one text a line.

    Parameters
    ----------
    before, after
        Two output folders (their inputs, verdicts and plans are compared), or two plan files.

    Returns
    -------
    list of Text
        The inputs that changed, the verdicts that changed with what moved them, and the actions that changed.

    Raises
    ------
    MissingFileError
        If a folder or file is not there, or a folder holds no run.
    InputError
        If one is a folder and the other a file, or a record is damaged.
    """
    one, other = Path(before), Path(after)
    for path in (one, other):
        if not path.exists():
            raise MissingFileError(Text(f"找不到 {path}", f"there is no {path}"))
    if one.is_dir() != other.is_dir():
        raise InputError(Text("请给两个结果文件夹，或两个方案文件", "give two output folders, or two plan files"))
    if not one.is_dir():
        return _plan_lines(one, other)
    for folder in (one, other):
        settle(folder)
    lines = [*_input_lines(one, other), *_verdict_lines(one, other)]
    if (one / PLAN_NAME).exists() or (other / PLAN_NAME).exists():
        lines += _plan_lines(one / PLAN_NAME, other / PLAN_NAME)
    return lines


def _load(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    if not path.is_file():
        raise MissingFileError(
            Text(
                f"{folder} 里没有 {name}，不是一次运行的结果",
                f"{folder} holds no {name}: it is not the output of a run",
            )
        )
    return read_json(path, InputError)


def _load_manifest(folder: Path) -> dict[str, Any]:
    """Return the record of a run, with all that is compared in the form it was written in."""
    record = _load(folder, MANIFEST_NAME)
    inputs, keys = record.get("inputs"), ("role", "file", "sha256")
    sound = isinstance(inputs, list) and all(
        isinstance(one, dict) and all(isinstance(one.get(key), str) for key in keys) for one in inputs
    )
    if not sound or not isinstance(record.get("assumptions"), dict):
        raise damaged(folder / MANIFEST_NAME, Text("缺少输入或假设", "inputs or assumptions are missing"), InputError)
    return record


def _input_lines(before: Path, after: Path) -> list[Text]:
    """Return which files, assumptions and settings of the study differ."""
    records = [_load_manifest(folder) for folder in (before, after)]
    old, new = ({(one["role"], one["file"]): one["sha256"] for one in record["inputs"]} for record in records)
    lines = [Text("输入的变化：", "What was put in and changed:")]
    for role, file in sorted({*old, *new}):
        one, other = old.get((role, file)), new.get((role, file))
        name = ROLE.get(role, Text(role, role))
        if one is None:
            lines.append(Text(f"  {name.zh}：新增 {file}", f"  {name.en}: {file} is new"))
        elif other is None:
            lines.append(Text(f"  {name.zh}：去掉 {file}", f"  {name.en}: {file} is gone"))
        elif one != other:
            lines.append(Text(f"  {name.zh}：{file} 内容改变", f"  {name.en}: {file} has other content"))
    lines += _changed(*(record["assumptions"] for record in records), kind=Text("假设", "assumption"))
    lines += _changed(*(_flat(record.get("settings")) for record in records), kind=Text("设置", "setting"))
    return lines if len(lines) > 1 else [Text("输入、假设和设置没有变化", "No input, assumption or setting changed")]


def _changed(old: dict[str, Any], new: dict[str, Any], *, kind: Text) -> list[Text]:
    """Return a line for each value that differs; one that is only in one of both is told as a dash in the other."""
    lines = []
    for name in sorted({*old, *new}):
        was, now = (one.get(name, "—") for one in (old, new))
        if was != now:
            said = assumption_name(name)
            lines.append(Text(f"  {kind.zh} {said.zh}：{was} → {now}", f"  {kind.en} {said.en}: {was} → {now}"))
    return lines


def _flat(settings: object, prefix: str = "") -> dict[str, Any]:
    """Return nested settings by their path, such as ``plan.budget``; the inputs are told by their files."""
    if not isinstance(settings, dict):
        return {}
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}.")
        elif prefix != "inputs.":
            found[f"{prefix}{name}"] = value
    return found


def _load_verdicts(folder: Path) -> Judged:
    """Return the verdicts of a run, as they were written."""
    try:
        return Judged.from_record(_load(folder, VERDICTS_NAME))
    except RecordError as error:
        raise damaged(folder / VERDICTS_NAME, error.text, InputError) from error


def _verdict_lines(before: Path, after: Path) -> list[Text]:
    one, other = (_load_verdicts(folder) for folder in (before, after))
    changed = compare(one, other)
    if changed.empty:
        return [Text("没有结论改变", "No verdict changed")]
    lines = [Text(f"{len(changed)} 个结论改变：", f"{len(changed)} verdicts changed:")]
    names = {**one.names, **other.names}
    for row in changed.itertuples():
        rule = names.get(str(row.rule_id), Text(str(row.rule_id), str(row.rule_id)))
        was, now = (STATUS.get(str(status), _NONE) for status in (row.status_before, row.status_after))
        lines.append(
            Text(
                f"  {row.community_id} {row.name} {rule.zh}：{was.zh} → {now.zh}（{row.cause_zh}）",
                f"  {row.community_id} {row.name} · {rule.en}: {was.en} → {now.en} ({row.cause_en})",
            )
        )
    return lines


def _plan_lines(before: Path, after: Path) -> list[Text]:
    old, new = (_actions(path) for path in (before, after))
    old, new = _with_ways_of(old, new), _with_ways_of(new, old)
    lines = [Text("行动的变化：", "Actions that changed:")]
    for name, way in sorted({*old, *new}):
        was, now = (one.get((name, way), 0.0) for one in (old, new))
        if was != now:
            said = say(ACQUISITION, way, "zh"), say(ACQUISITION, way, "en").lower()
            zh, en = (f"{name} {word}".rstrip() for word in said)
            lines.append(Text(f"  {zh}：{was:g} → {now:g} 平方米", f"  {en}: {was:g} → {now:g} m²"))
    return lines if len(lines) > 1 else [Text("行动没有变化", "No action changed")]


def _actions(path: Path) -> dict[tuple[str, str], float]:
    """Return the area of each action of a plan file by site and way to obtain it ("" where the file does not say).

    An area that is not settled is 0 m²; where there is no plan there is nothing. An extension is known by its
    facility, whether the file names it as the plan does (``S1+``) or as a planner would (``S1``).
    """
    if not path.exists():
        return {}
    found = {}
    for one in read_chosen(path):
        grown = one.source_id.endswith("+") and one.acquisition in ("", "extension")
        found[one.source_id.removesuffix("+") if grown else one.source_id, one.acquisition] = one.area_m2 or 0.0
    return found


def _with_ways_of(
    ours: dict[tuple[str, str], float], theirs: dict[tuple[str, str], float]
) -> dict[tuple[str, str], float]:
    """Return the actions with the way that the other file gives, where this one gives none and the other just one."""
    named = {}
    for (name, way), area in ours.items():
        ways = [other for same, other in theirs if same == name]
        named[name, ways[0] if not way and len(ways) == 1 else way] = area
    return named
