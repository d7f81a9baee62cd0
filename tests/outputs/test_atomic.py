"""Outputs stand whole or not at all, and nothing that is not ours is ever replaced."""

import os
import sqlite3
import sys
import threading
from pathlib import Path

import pytest

from siting.errors import OutputError
from siting.outputs.atomic import _MARK, _machine, _short, refuse_existing, whole_file, whole_folder


def put(folder: Path, mark: str, **options: object) -> None:
    """Write two files that carry one mark."""
    with whole_folder(folder, **options) as work:
        for name in ("run.json", "other.txt"):
            (work / name).write_text(mark, encoding="utf-8")


def fail_after_writing(path: Path) -> None:
    """Write half of something, then break."""
    path.write_text("half", encoding="utf-8")
    raise RuntimeError("the solver broke")


def left_over(folder: Path) -> list[str]:
    """Return what a write left beside its target."""
    return [entry.name for entry in folder.iterdir() if _MARK in entry.name]


def test_a_folder_appears_whole(tmp_path):
    put(tmp_path / "deep" / "结果 #1", "a")
    assert sorted(p.name for p in (tmp_path / "deep" / "结果 #1").iterdir()) == ["other.txt", "run.json"]
    assert not left_over(tmp_path / "deep")


def test_an_error_half_way_leaves_nothing_and_the_old_result_as_it_was(tmp_path):
    put(tmp_path / "out", "old")
    with pytest.raises(RuntimeError), whole_folder(tmp_path / "out", force=True) as work:
        fail_after_writing(work / "run.json")
    assert (tmp_path / "out" / "run.json").read_text(encoding="utf-8") == "old"
    assert not left_over(tmp_path)


def test_ctrl_c_half_way_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), whole_folder(tmp_path / "out"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_an_existing_result_is_kept_without_force_and_replaced_with_it(tmp_path):
    put(tmp_path / "out", "old")
    with pytest.raises(OutputError, match="--force"):
        put(tmp_path / "out", "new")
    assert (tmp_path / "out" / "run.json").read_text(encoding="utf-8") == "old"
    put(tmp_path / "out", "new", force=True)
    assert (tmp_path / "out" / "run.json").read_text(encoding="utf-8") == "new"


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


def test_a_folder_that_holds_an_input_is_refused(tmp_path):
    put(tmp_path / "out", "old")
    with pytest.raises(OutputError, match=r"run\.json"):
        put(tmp_path / "out", "new", force=True, protect=(tmp_path / "out" / "run.json",))


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
    assert (tmp_path / "out" / "run.json").read_text(encoding="utf-8") == "old"
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
    assert (tmp_path / "out" / "run.json").read_text(encoding="utf-8") == "old"


@pytest.mark.skipif(sys.platform == "win32", reason="process ids are not asked on Windows")
@pytest.mark.parametrize("name", ["out[1]", "results of the county for the meeting of November"])
def test_what_a_killed_run_left_is_found_by_its_own_folder_alone(tmp_path, name):
    dead = f"{_MARK}{_machine()}-999999999-abcd-old"
    put(tmp_path / name, "old")
    (tmp_path / name).rename(tmp_path / f".{_short(name)}{dead}")
    put(tmp_path / f"{name}, again", "another")
    with pytest.raises(OutputError, match="--force"):
        put(tmp_path / name, "new")
    assert (tmp_path / name / "run.json").read_text(encoding="utf-8") == "old"
    assert (tmp_path / f"{name}, again" / "run.json").read_text(encoding="utf-8") == "another"


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
    texts = {path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir()}
    assert len(texts) == 1
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
