"""The script that kills runs sees what a kill could break; each thing it looks for is broken here once."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.outputs.killed import (
    CHANGED,
    OUTPUTS,
    RECORD,
    Folder,
    Moment,
    faults,
    faults_of_mine,
    fill_disk,
    kill_runs,
    laid_out,
    siting,
    space_left,
    state,
)


def write_run(folder: Path, mark: str, names: tuple[str, ...] = tuple(OUTPUTS.values())) -> None:
    """Write outputs that all carry one mark, and the record that names them."""
    keys = {name: key for key, name in OUTPUTS.items()}
    for name in names:
        (folder / name).write_text(mark, encoding="utf-8")
    sha256 = hashlib.sha256(mark.encode()).hexdigest()
    record = {"study": mark, "outputs": {keys[name]: {"sha256": sha256} for name in names}}
    (folder / RECORD).write_text(json.dumps(record), encoding="utf-8")


@pytest.fixture
def older(tmp_path) -> Path:
    """A folder of the user's with the outputs of a run."""
    folder = tmp_path / "older"
    (folder / "photos").mkdir(parents=True)
    for name in ("notes.txt", "photos/S1.jpg"):
        (folder / name).write_text("mine", encoding="utf-8")
    write_run(folder, "old")
    return folder


@pytest.fixture
def folder(tmp_path, older) -> Folder:
    """The same, laid out to be broken, with a workbook that was changed by hand."""
    (tmp_path / "work").mkdir()
    return laid_out(older, tmp_path / "work" / "county", changed=True)


def test_a_folder_is_laid_out_with_a_change_by_hand_or_without(folder, older):
    assert folder.changed == folder.own[CHANGED] == b"old" + b"a remark typed by the planner"
    plain = laid_out(older, folder.path, changed=False)
    assert (plain.changed, plain.own[CHANGED]) == (b"", b"old")
    assert set(plain.mine) == {"notes.txt", "photos/S1.jpg"}


def test_what_a_sound_run_leaves_has_no_fault(folder):
    assert (state(folder), faults(folder)) == ("old", [])
    kept = folder.path / "scorecard.kept.xlsx"
    (folder.path / CHANGED).rename(kept)
    (folder.path / OUTPUTS["plan"]).unlink()
    write_run(folder.path, "new", tuple(name for name in OUTPUTS.values() if name != OUTPUTS["plan"]))
    assert (state(folder), faults(folder)) == ("new", [])


def test_a_file_of_the_users_that_is_gone_changed_or_put_in_anew_is_seen(folder):
    notes = folder.path / "notes.txt"
    twin = folder.path.parent / "twin"
    twin.write_text("mine", encoding="utf-8")
    twin.replace(notes)
    assert faults_of_mine(folder) == ["notes.txt is another file with the same content"]
    notes.write_text("theirs", encoding="utf-8")
    assert faults_of_mine(folder) == ["notes.txt has other content"]
    notes.unlink()
    assert faults_of_mine(folder) == ["notes.txt is gone"]


@pytest.mark.parametrize("name", [*OUTPUTS.values(), RECORD])
def test_one_output_of_another_run_or_none_is_a_mixed_state(folder, name):
    (folder.path / name).write_text("{}", encoding="utf-8")
    assert state(folder) == "mixed"
    (folder.path / name).unlink()
    assert state(folder) == "mixed"
    assert "the outputs are not those of one run" in faults(folder)


def test_an_output_of_the_older_run_that_the_new_one_does_not_name_is_a_mixed_state(folder):
    write_run(folder.path, "new", tuple(name for name in OUTPUTS.values() if name != OUTPUTS["plan"]))
    assert state(folder) == "mixed"


def test_outputs_of_the_older_run_without_the_change_by_hand_are_not_as_they_were(folder):
    (folder.path / CHANGED).write_text("old", encoding="utf-8")
    assert state(folder) == "mixed"


def test_a_change_by_hand_that_is_lost_is_seen(folder):
    write_run(folder.path, "new")
    assert faults(folder) == [f"{CHANGED} was changed by hand, and the change is lost"]
    (folder.path / CHANGED).unlink()
    assert f"{CHANGED} was changed by hand, and the change is lost" in faults(folder)


def test_what_is_left_in_the_folder_and_beside_it_is_seen(folder):
    (folder.path / ".swap").mkdir()
    (folder.path / ".swap" / "owner.txt").write_text("7", encoding="utf-8")
    (folder.path.parent / ".county-partial").mkdir()
    assert faults(folder) == [
        ".swap/owner.txt is left",
        "the folder .swap is left",
        ".county-partial is left beside",
    ]


STEPPING = """
import sys
from pathlib import Path
import siting.cli
def main(words):
    folder = Path(words[0])
    (folder / "a").mkdir()
    (folder / "b").write_text("b")
    (folder / "b").read_text()
    (folder / "b").rename(folder / "c")
    (folder.parent / "elsewhere").write_text("no step")
    (folder / "c").open("ab").close()
    (folder / "c").unlink()
    (folder / "a").rmdir()
    return 3
siting.cli.main = main
from tests.outputs.killed import run_counting
run_counting(sys.argv[1], sys.argv[2], sys.argv[1])
"""


def stepping(folder: Path, fatal: int) -> subprocess.CompletedProcess[str]:
    """Run six steps on the disk in a folder, killed before one of them."""
    folder.mkdir()
    call = [sys.executable, "-c", STEPPING, str(folder), str(fatal)]
    return subprocess.run(call, capture_output=True, text=True, check=False)


def test_every_change_on_the_disk_is_a_step_and_the_kill_comes_before_it(tmp_path):
    done = stepping(tmp_path / "whole", 0)
    assert done.returncode == 3
    assert json.loads(done.stderr)["steps"] == 6
    left = []
    for fatal in range(1, 7):
        done = stepping(tmp_path / str(fatal), fatal)
        assert done.returncode == (-signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        left.append(sorted(file.name for file in (tmp_path / str(fatal)).iterdir()))
    assert left == [[], ["a"], ["a", "b"], ["a", "c"], ["a", "c"], ["a"]]


def test_a_command_is_killed_at_its_moment(tmp_path):
    done = siting(tmp_path, ["standards"], Moment(after_s=0.0))
    assert done.returncode != 0
    assert "steps" not in done.stderr
    done = siting(tmp_path, ["standards", "--lang", "en"])
    assert done.returncode == 0
    assert "linyi" in done.stdout


def test_a_disk_is_filled_until_so_much_is_left_and_a_large_one_never(tmp_path, monkeypatch):
    class Usage:
        total = 2**31

        @property
        def free(self) -> int:
            filler = tmp_path / "filler"
            return 1_000_000 - (filler.stat().st_size if filler.exists() else 0)

    monkeypatch.setattr("tests.outputs.killed.shutil.disk_usage", lambda disk: Usage())
    with space_left(tmp_path, 4_000):
        assert (tmp_path / "filler").stat().st_size == 996_000
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SystemExit, match="not a small disk"):
        fill_disk(tmp_path / "study.toml", tmp_path, tmp_path, 1, print)


def test_runs_that_are_killed_lose_nothing(tmp_path, write_tiny_county):
    (tmp_path / "given").mkdir()
    study = write_tiny_county(tmp_path / "given", "[plan]\ngap = 0")
    said: list[str] = []
    assert kill_runs(study, tmp_path, 2, said.append, commands=(("score",),)) == []
    assert [" killed " in line for line in said] == [True, True]
