"""Outputs stand whole or not at all, and nothing that is not ours is ever replaced."""

import hashlib
import json
import os
import signal
import sqlite3
import sys
import threading
from pathlib import Path

import pytest

from siting.errors import InputError, OutputError
from siting.outputs import exchange as exchanging
from siting.outputs.atomic import (
    _MARK,
    _machine,
    _short,
    is_unchanged_output,
    refuse_existing,
    refuse_file,
    settle,
    whole_file,
    whole_folder,
)
from siting.outputs.exchange import SWAP, exchange


def record(mark: str) -> str:
    """The record of a run whose only other file holds a mark."""
    sha256 = hashlib.sha256(mark.encode()).hexdigest()
    return json.dumps({"mark": mark, "outputs": {"map": {"file": "map.html", "sha256": sha256}}})


def put(folder: Path, mark: str, **options: object) -> None:
    """Write two files that carry one mark, as a run does."""
    with whole_folder(folder, **options) as work:
        (work / "map.html").write_text(mark, encoding="utf-8")
        (work / "run.json").write_text(record(mark), encoding="utf-8")


def marks(folder: Path) -> set[str]:
    """The marks of the two files: one where they are of one run."""
    return {
        (folder / "map.html").read_text(encoding="utf-8"),
        json.loads((folder / "run.json").read_text(encoding="utf-8"))["mark"],
    }


def fail_after_writing(path: Path) -> None:
    """Write half of something, then break."""
    path.write_text("half", encoding="utf-8")
    raise RuntimeError("the solver broke")


def left_over(folder: Path) -> list[str]:
    """Return what a write left beside its target."""
    return [entry.name for entry in folder.rglob("*") if _MARK in entry.name or entry.name == SWAP]


def test_a_folder_appears_whole(tmp_path):
    put(tmp_path / "deep" / "结果 #1", "a")
    assert sorted(p.name for p in (tmp_path / "deep" / "结果 #1").iterdir()) == ["map.html", "run.json"]
    assert not left_over(tmp_path / "deep")


def test_an_error_half_way_leaves_nothing_and_the_old_result_as_it_was(tmp_path):
    put(tmp_path / "out", "old")
    with pytest.raises(RuntimeError), whole_folder(tmp_path / "out", force=True) as work:
        fail_after_writing(work / "run.json")
    assert marks(tmp_path / "out") == {"old"}
    assert not left_over(tmp_path)


def test_ctrl_c_half_way_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), whole_folder(tmp_path / "out"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_an_existing_result_is_kept_without_force_and_replaced_with_it(tmp_path):
    put(tmp_path / "out", "old")
    with pytest.raises(OutputError, match="--force"):
        put(tmp_path / "out", "new")
    assert marks(tmp_path / "out") == {"old"}
    put(tmp_path / "out", "new", force=True)
    assert marks(tmp_path / "out") == {"new"}


def test_an_empty_folder_is_filled_without_force(tmp_path):
    (tmp_path / "out").mkdir()
    put(tmp_path / "out", "a")
    assert (tmp_path / "out" / "run.json").is_file()


def test_a_folder_with_foreign_files_is_never_replaced(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "thesis.docx").write_text("years of work", encoding="utf-8")
    with pytest.raises(OutputError, match=r"run\.json"):
        put(tmp_path / "docs", "a", force=True)
    assert (tmp_path / "docs" / "thesis.docx").read_text(encoding="utf-8") == "years of work"


def test_a_file_that_is_read_is_never_replaced(tmp_path):
    put(tmp_path / "out", "old")
    with pytest.raises(OutputError, match=r"map\.html is read by this run"):
        put(tmp_path / "out", "new", force=True, protect=(tmp_path / "out" / "map.html",))
    (tmp_path / "out" / "study.toml").write_text("mine", encoding="utf-8")
    put(tmp_path / "out", "new", force=True, protect=(tmp_path / "out" / "study.toml",))
    assert (tmp_path / "out" / "study.toml").read_text(encoding="utf-8") == "mine"
    assert marks(tmp_path / "out") == {"new"}


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").write_text("x", encoding="utf-8")
    with pytest.raises(OutputError, match="is a file"):
        put(tmp_path / "out", "a", force=True)


@pytest.mark.parametrize("place", ["https://example.invalid/out", "/vsicurl/out", "\\vsimem\\out"])
def test_a_place_that_is_not_a_local_folder_is_refused(place):
    with pytest.raises(OutputError, match="not a folder on this machine"):
        put(place, "a")


def test_the_root_of_a_disk_is_refused(tmp_path):
    with pytest.raises(OutputError, match="root"):
        put(Path(tmp_path.anchor), "a", force=True)


def test_a_folder_can_be_refused_before_any_work(tmp_path):
    refuse_existing(tmp_path / "new")
    put(tmp_path / "out", "a")
    with pytest.raises(OutputError, match="--force"):
        refuse_existing(tmp_path / "out")
    refuse_existing(tmp_path / "out", force=True)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root and Windows ignore the permission bits")
def test_a_read_only_place_is_an_error_in_plain_words(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="Cannot write"):
            put(tmp_path / "out", "a")
    finally:
        tmp_path.chmod(0o700)


def test_a_full_disk_is_an_error_in_plain_words_and_the_old_result_stays(tmp_path):
    put(tmp_path / "out", "old")
    with pytest.raises(OutputError, match="no space left"), whole_folder(tmp_path / "out", force=True):
        raise OSError(28, "No space left on device")
    assert marks(tmp_path / "out") == {"old"}
    assert not left_over(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="process ids are not asked on Windows")
def test_what_a_killed_run_left_is_cleared_by_the_next(tmp_path):
    dead = tmp_path / f".out{_MARK}{_machine()}-999999999-abcd"
    dead.mkdir()
    (dead / "half.gpkg").write_text("half", encoding="utf-8")
    alive = tmp_path / f".out{_MARK}{_machine()}-{os.getpid()}-abcd"
    alive.mkdir()
    put(tmp_path / "out", "a")
    assert left_over(tmp_path) == [alive.name]


@pytest.mark.skipif(sys.platform == "win32", reason="process ids are not asked on Windows")
def test_a_run_killed_between_its_two_renames_loses_nothing(tmp_path):
    put(tmp_path / "out", "old")
    (tmp_path / "out").rename(tmp_path / f".out{_MARK}{_machine()}-999999999-abcd-old")
    with pytest.raises(OutputError, match="--force"):
        put(tmp_path / "out", "new")
    assert marks(tmp_path / "out") == {"old"}


@pytest.mark.skipif(sys.platform == "win32", reason="process ids are not asked on Windows")
@pytest.mark.parametrize("name", ["out[1]", "results of the county for the meeting of November"])
def test_what_a_killed_run_left_is_found_by_its_own_folder_alone(tmp_path, name):
    dead = f"{_MARK}{_machine()}-999999999-abcd-old"
    put(tmp_path / name, "old")
    (tmp_path / name).rename(tmp_path / f".{_short(name)}{dead}")
    put(tmp_path / f"{name}, again", "another")
    with pytest.raises(OutputError, match="--force"):
        put(tmp_path / name, "new")
    assert marks(tmp_path / name) == {"old"}
    assert marks(tmp_path / f"{name}, again") == {"another"}


def test_two_runs_at_once_never_mix(tmp_path):
    faults: list[BaseException] = []
    start = threading.Barrier(4)

    def run(mark: str) -> None:
        try:
            start.wait()
            for _ in range(8):
                put(tmp_path / "out", mark, force=True)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(mark,)) for mark in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert len(marks(tmp_path / "out")) == 1
    assert sorted(entry.name for entry in (tmp_path / "out").iterdir()) == ["map.html", "run.json"]
    assert not left_over(tmp_path)


def test_one_file_is_whole_or_not_at_all(tmp_path):
    path = tmp_path / "map.html"
    with whole_file(path, suffix=".html") as work:
        work.write_text("old", encoding="utf-8")
    with pytest.raises(OutputError, match="--force"), whole_file(path, suffix=".html"):
        raise AssertionError("not reached")
    with pytest.raises(RuntimeError), whole_file(path, force=True) as work:
        fail_after_writing(work)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_of_a_writing_library_is_told_in_plain_words(tmp_path):
    with (
        pytest.raises(OutputError, match=r"Cannot write .*disk image is malformed"),
        whole_file(tmp_path / "a.gpkg", faults=(sqlite3.Error,)),
    ):
        raise sqlite3.DatabaseError("database disk image is malformed")
    assert list(tmp_path.iterdir()) == []


def test_an_error_names_the_folder_that_was_asked_for(tmp_path):
    with pytest.raises(OutputError) as told, whole_folder(tmp_path / "out") as work, whole_file(work / "a.gpkg"):
        raise OSError(28, "No space left on device")
    assert str(tmp_path / "out" / "a.gpkg") in str(told.value)
    assert _MARK not in str(told.value)


def test_a_file_name_needs_its_ending_and_is_no_folder(tmp_path):
    with pytest.raises(OutputError, match=r"end in \.html"), whole_file(tmp_path / "map", suffix=".html"):
        raise AssertionError("not reached")
    with pytest.raises(OutputError, match="is a folder"), whole_file(tmp_path):
        raise AssertionError("not reached")


MINE = {"notes.txt": "mine", "project.qgz": "layers", "sub/deep.txt": "deep", "own_list.csv": "a,b"}


def with_mine(folder: Path, mark: str = "old") -> dict[str, tuple[str, int]]:
    """A folder of an older run that holds files of the user's; each with its text and inode."""
    put(folder, mark)
    for name, text in MINE.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return mine(folder)


def mine(folder: Path) -> dict[str, tuple[str, int]]:
    return {name: ((folder / name).read_text(encoding="utf-8"), (folder / name).stat().st_ino) for name in MINE}


def test_only_the_files_of_the_older_run_are_replaced(tmp_path):
    before = with_mine(tmp_path / "out")
    told = []
    put(tmp_path / "out", "new", force=True, told=lambda text: told.append(text.en))
    assert mine(tmp_path / "out") == before
    assert marks(tmp_path / "out") == {"new"}
    assert told == ["4 other files or folders in out were left as they are"]
    assert not left_over(tmp_path)


def test_what_is_saved_during_the_run_stays(tmp_path):
    put(tmp_path / "out", "old")
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "out", tmp_path / "empty", tmp_path / "none"):
        with whole_folder(folder, force=True) as work:
            (work / "map.html").write_text("new", encoding="utf-8")
            (work / "run.json").write_text(record("new"), encoding="utf-8")
            folder.mkdir(exist_ok=True)
            (folder / "saved.txt").write_text("meanwhile", encoding="utf-8")
        assert (folder / "saved.txt").read_text(encoding="utf-8") == "meanwhile"
        assert marks(folder) == {"new"}


def test_an_output_that_was_changed_is_kept_under_another_name(tmp_path):
    told = []
    for number, text in enumerate(("by hand", "again"), 1):
        put(tmp_path / "out", "old", force=True)
        (tmp_path / "out" / "map.html").write_text(text, encoding="utf-8")
        put(tmp_path / "out", "new", force=True, told=lambda text: told.append(text.en))
        assert (tmp_path / "out" / f"map.changed-{number}.html").read_text(encoding="utf-8") == text
        assert marks(tmp_path / "out") == {"new"}
    assert "it is kept as map.changed-1.html" in told[0]


@pytest.mark.parametrize("name", ["scorecard.xlsx", "plan.csv", "Scorecard.XLSX"])
def test_a_file_of_somebody_else_with_the_name_of_an_output_is_refused_before_the_work(tmp_path, name):
    put(tmp_path / "out", "old")
    (tmp_path / "out" / name).write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=f"{name} in .* was not written by an earlier run"):
        refuse_existing(tmp_path / "out", force=True)
    assert (tmp_path / "out" / name).read_text(encoding="utf-8") == "mine"


def test_a_file_of_somebody_else_that_came_during_the_run_is_refused_and_all_is_as_it_was(tmp_path):
    put(tmp_path / "out", "old")

    def run():
        with whole_folder(tmp_path / "out", force=True) as work:
            for name in ("map.html", "scorecard.xlsx"):
                (work / name).write_text("new", encoding="utf-8")
            (work / "run.json").write_text(record("new"), encoding="utf-8")
            (tmp_path / "out" / "scorecard.xlsx").write_text("mine", encoding="utf-8")

    with pytest.raises(OutputError, match=r"scorecard\.xlsx"):
        run()
    assert marks(tmp_path / "out") == {"old"}
    assert (tmp_path / "out" / "scorecard.xlsx").read_text(encoding="utf-8") == "mine"
    assert not left_over(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"outputs": 3}', '{"outputs": {"map": 3}}', "not json", "[" * 100_000]
)
def test_a_record_that_does_not_say_what_is_whose_is_refused(tmp_path, text):
    put(tmp_path / "out", "old")
    (tmp_path / "out" / "run.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"run\.json is damaged or was not written by siting"):
        refuse_existing(tmp_path / "out", force=True)


def test_a_record_that_names_a_file_elsewhere_moves_nothing_there(tmp_path):
    put(tmp_path / "out", "old")
    outside = tmp_path / "thesis.docx"
    outside.write_text("years of work", encoding="utf-8")
    listed = {"a": {"file": "../thesis.docx", "sha256": ""}, "b": {"file": str(outside), "sha256": ""}}
    listed["map"] = json.loads(record("old"))["outputs"]["map"]
    (tmp_path / "out" / "run.json").write_text(json.dumps({"outputs": listed}), encoding="utf-8")
    put(tmp_path / "out", "new", force=True)
    assert outside.read_text(encoding="utf-8") == "years of work"


def test_an_output_that_another_program_holds_is_named_and_all_is_as_it_was(tmp_path, monkeypatch):
    before = with_mine(tmp_path / "out")
    truly = os.replace

    def held(source, target):
        if Path(target).name == "map.html" and Path(target).parent.name == SWAP:
            raise PermissionError(13, "in use", str(source))
        truly(source, target)

    monkeypatch.setattr(exchanging.os, "replace", held)
    with pytest.raises(OutputError, match=r"map\.html"):
        put(tmp_path / "out", "new", force=True)
    monkeypatch.undo()
    assert marks(tmp_path / "out") == {"old"}
    assert mine(tmp_path / "out") == before
    assert not left_over(tmp_path)


def killed_at(step: int, folder: Path, changed: bool) -> bool:
    """Write a run in a process that is killed before its n-th step on the disk; tell whether it came so far."""
    child = os.fork()
    if not child:
        steps = iter(range(1, 1000))
        for name in ("replace", "rename", "unlink", "mkdir", "rmdir"):
            truly = getattr(os, name)

            def stepping(*given, truly=truly, **more):
                if next(steps) == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                return truly(*given, **more)

            setattr(os, name, stepping)
        put(folder, "new", force=True)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork on Windows")
@pytest.mark.parametrize("changed", [False, True])
def test_killed_before_any_step_nothing_is_lost_and_the_next_command_puts_it_right(tmp_path, changed):
    seen = set()
    for step in range(1, 60):
        folder = tmp_path / f"out-{step}"
        before = with_mine(folder)
        if changed:
            (folder / "map.html").write_text("by hand", encoding="utf-8")
        done = killed_at(step, folder, changed)
        assert mine(folder) == before
        settle(folder)
        assert mine(folder) == before
        assert not left_over(tmp_path)
        kept = [path.read_text(encoding="utf-8") for path in folder.glob("map.*")]
        assert not changed or "by hand" in kept
        if not changed:
            assert marks(folder) in ({"old"}, {"new"})
        seen |= {json.loads((folder / "run.json").read_text(encoding="utf-8"))["mark"]}
        if done:
            break
    assert done
    assert seen == {"old", "new"}


def test_a_swap_that_nobody_ends_is_told(tmp_path, monkeypatch):
    put(tmp_path / "out", "old")
    monkeypatch.setattr(exchanging, "_ATTEMPTS", 2)
    (tmp_path / "out" / SWAP).mkdir()
    (tmp_path / "out" / SWAP / "owner.txt").write_text(f"x{_MARK}{_machine()}-{os.getpid()}-a", encoding="utf-8")
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "run.json").write_text(record("new"), encoding="utf-8")
    with pytest.raises(OutputError, match="another run is writing"):
        exchange(tmp_path / "work", tmp_path / "out", retry=lambda action: action())
    settle(tmp_path / "out")
    assert marks(tmp_path / "out") == {"old"}


def test_an_unchanged_output_is_known_by_its_hash(tmp_path):
    put(tmp_path / "out", "old")
    assert is_unchanged_output(tmp_path / "out" / "map.html")
    (tmp_path / "out" / "map.html").write_text("by hand", encoding="utf-8")
    assert not is_unchanged_output(tmp_path / "out" / "map.html")
    assert not is_unchanged_output(tmp_path / "out" / "notes.txt")
    assert not is_unchanged_output(tmp_path / "nowhere" / "plan.csv")


def test_a_single_file_of_somebody_else_is_not_replaced_even_with_force(tmp_path):
    path = tmp_path / "notes.html"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="was not written by siting"):
        refuse_file(path, force=True, ours=lambda one: False)
    with pytest.raises(OutputError, match="is read by this run"):
        refuse_file(path, force=True, protect=(path,))
    with pytest.raises(OutputError, match="make it first"):
        refuse_file(tmp_path / "none" / "map.html")
    refuse_file(path, force=True)
    refuse_file(tmp_path / "new.html")


def test_a_disk_that_is_full_at_the_exchange_itself_leaves_nothing(tmp_path, monkeypatch):
    before = with_mine(tmp_path / "out")
    truly = Path.write_text

    def full(path, *given, **more):
        if path.name == "owner.txt":
            raise OSError(28, "No space left on device")
        return truly(path, *given, **more)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OutputError, match="no space left"):
        put(tmp_path / "out", "new", force=True)
    assert (mine(tmp_path / "out"), marks(tmp_path / "out")) == (before, {"old"})
    assert not left_over(tmp_path)


def test_what_cannot_be_put_back_is_said_and_put_back_by_the_next_command(tmp_path, monkeypatch):
    put(tmp_path / "out", "old")
    truly = os.replace

    def held(source, target):
        if Path(source).name == "run.json" and Path(target).parent.name == "out":
            raise PermissionError(13, "in use", str(source))
        truly(source, target)

    monkeypatch.setattr(exchanging.os, "replace", held)
    monkeypatch.setattr("siting.outputs.atomic._ATTEMPTS", 2)
    with pytest.raises(OutputError, match=r"wait in \.siting-swap"):
        put(tmp_path / "out", "new", force=True)
    monkeypatch.undo()
    monkeypatch.setattr("siting.outputs.atomic._in_use", lambda left: False)
    settle(tmp_path / "out")
    assert marks(tmp_path / "out") == {"old"}
    assert not left_over(tmp_path)


def test_an_exchange_whose_temporary_folder_is_gone_is_undone_all_the_same(tmp_path):
    put(tmp_path / "out", "old")
    (tmp_path / "out" / SWAP).mkdir()
    (tmp_path / "out" / SWAP / "owner.txt").write_text(f"x{_MARK}{_machine()}-999999999-a", encoding="utf-8")
    for name in ("run.json", "map.html"):
        (tmp_path / "out" / name).rename(tmp_path / "out" / SWAP / name)
    (tmp_path / "out" / "map.html").write_text("saved meanwhile", encoding="utf-8")
    settle(tmp_path / "out")
    assert (tmp_path / "out" / "map.html").read_text(encoding="utf-8") == "saved meanwhile"
    assert (tmp_path / "out" / "map.changed-1.html").read_text(encoding="utf-8") == "old"
    assert json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["mark"] == "old"
    assert not left_over(tmp_path)


@pytest.mark.parametrize("ending", ["-wal", "-journal"])
def test_layers_that_another_program_has_open_are_not_replaced_under_it(tmp_path, ending):
    put(tmp_path / "out", "old")
    (tmp_path / "out" / f"coverage.gpkg{ending}").write_bytes(b"not yet in the file")
    with pytest.raises(OutputError, match=r"coverage\.gpkg in .* is open in QGIS"):
        refuse_existing(tmp_path / "out", force=True)
    assert marks(tmp_path / "out") == {"old"}
