"""Runs that are killed, or that fill the disk, in a folder that is also the user's; ``python -m tests.outputs.killed``.

One folder holds the study, its inputs, an own list of sites, notes, a QGIS project, a subfolder, and the outputs of
an older run. A run with ``--force`` writes to this very folder, and is killed: most kills come before a step on the
disk (a rename, a file opened to be written, a deletion ...), every fourth at a moment of the time that the writing
takes. Then the next command on the folder runs. What must hold:

* every file of the user's has its bytes and its inode, right after the kill and after the next command;
* the outputs are all those of the older run, or all those that the new ``run.json`` names with their hashes;
* an output that was changed by hand is still there, under whatever name;
* nothing else is in the folder or beside it.

With ``--disk`` (a small file system, such as ``mount -t tmpfs -o size=16m tmpfs DIR``) the runs are not killed: they
find ever more space left on that disk, and then ever nearer to what is just enough. A run that fails must leave all as
it was, at once.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

RECORD = "run.json"
OUTPUTS = {
    "map": "map.html",
    "workbook": "scorecard.xlsx",
    "report": "report.html",
    "layers": "coverage.gpkg",
    "verdicts": "verdicts.json",
    "plan": "plan.csv",
}
CHANGED = OUTPUTS["workbook"]
MINE = {"notes.txt": b"ask the street office\n", "project.qgz": b"PK\x05\x06" + bytes(18), "photos/S1.jpg": b"\xff\xd8"}
OWN_LIST = "mine.csv"
COMMANDS = (("score", "--chosen", OWN_LIST), ("score",), ("run",))
"""What is killed; the older run is a ``run`` with a plan, so that plain ``score`` must also take a plan away."""
NEXT = ("diff", "refused", "again")
"""What comes after a kill: a comparison, the same command without ``--force``, or with it."""
STEPS = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod"}
MOST_DISK_BYTES = 2**30


@dataclass(frozen=True)
class Folder:
    """The folder at the start of a run: the user's files with their inodes, the outputs of the older run, one changed.

    ``own`` holds the outputs byte by byte, ``changed`` the one that was changed by hand (empty: none was).
    """

    path: Path
    mine: Mapping[str, tuple[bytes, int]]
    own: Mapping[str, bytes]
    changed: bytes = b""


@dataclass(frozen=True)
class Moment:
    """When to kill: before the n-th step on the disk, or after some seconds; neither: not at all."""

    step: int = 0
    after_s: float | None = None

    def __str__(self) -> str:
        return f"before step {self.step}" if self.after_s is None else f"after {self.after_s:.2f} s"


def run_counting(root: str, fatal: str, *words: str) -> None:
    """Run a command in this process, killed before a step on the disk under ``root``; print how many there were.

    The interpreter tells of each step before it is done; what a C library writes by itself is no step.
    """
    from siting.cli import main

    begun, first, steps = time.monotonic(), 0.0, 0

    def heard(event: str, given: tuple[object, ...]) -> None:
        nonlocal first, steps
        if not _is_step(event, given, root):
            return
        first, steps = first or time.monotonic() - begun, steps + 1
        if steps == int(fatal):
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

    sys.addaudithook(heard)
    code = main(list(words))
    counted = {"steps": steps, "first_s": first, "last_s": time.monotonic() - begun}
    print(json.dumps(counted), file=sys.stderr)
    sys.exit(code)


def _is_step(event: str, given: tuple[object, ...], root: str) -> bool:
    """Return whether an event of the interpreter is a change on the disk under ``root``."""
    if event == "open":
        changes = os.O_WRONLY | os.O_RDWR | os.O_CREAT
        return isinstance(given[0], str) and given[0].startswith(root) and bool(int(str(given[2])) & changes)
    if event not in STEPS:
        return False
    name = os.fsdecode(given[0]) if isinstance(given[0], str | bytes | os.PathLike) else ""
    return name.startswith(root) or not os.path.isabs(name)  # a name without a folder: of a tree that is taken away


def siting(folder: Path, words: list[str], moment: Moment | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command of siting in a process of its own, to its end or until it is killed."""
    moment = moment or Moment()
    code = "import sys; from tests.outputs.killed import run_counting; run_counting(*sys.argv[1:])"
    call = [sys.executable, "-c", code, str(folder.parent), str(moment.step), *words]
    with subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8") as run:
        try:
            out, err = run.communicate(timeout=moment.after_s)
        except subprocess.TimeoutExpired:
            run.kill()
            out, err = run.communicate()
    return subprocess.CompletedProcess(call, run.returncode, out, err)


def laid_out(older: Path, path: Path, *, changed: bool) -> Folder:
    """Make the folder anew from the one that the older run left, for one kill."""
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(older, path)
    extra = b"a remark typed by the planner"
    if changed:
        with (path / CHANGED).open("ab") as file:
            file.write(extra)
    files = {file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()}
    own = {name: file.read_bytes() for name, file in files.items() if name in {RECORD, *OUTPUTS.values()}}
    mine = {name: (file.read_bytes(), file.stat().st_ino) for name, file in files.items() if name not in own}
    return Folder(path, mine, own, own[CHANGED] if changed else b"")


def faults_of_mine(folder: Folder) -> list[str]:
    """Return what happened to the files of the user's: none may be changed, moved or put in anew."""
    found = []
    for name, (content, inode) in folder.mine.items():
        file = folder.path / name
        if not file.is_file():
            found.append(f"{name} is gone")
        elif file.read_bytes() != content:
            found.append(f"{name} has other content")
        elif file.stat().st_ino != inode:
            found.append(f"{name} is another file with the same content")
    return found


def state(folder: Folder) -> str:
    """Return whose outputs the folder holds: ``old``, ``new`` or, as one run cannot have written them, ``mixed``."""
    there = {name: (folder.path / name).read_bytes() for name in folder.own if (folder.path / name).is_file()}
    if there == folder.own:
        return "old"
    if there.get(RECORD, folder.own[RECORD]) == folder.own[RECORD]:
        return "mixed"
    try:
        named = {OUTPUTS[key]: each["sha256"] for key, each in json.loads(there[RECORD])["outputs"].items()}
    except (ValueError, KeyError, TypeError):  # half a record
        return "mixed"
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in there.items() if name != RECORD}
    return "new" if hashes == named else "mixed"


def faults(folder: Folder) -> list[str]:
    """Return what is wrong with a folder after a run that failed or was killed, and after the next command."""
    found = faults_of_mine(folder)
    if state(folder) == "mixed":
        found.append("the outputs are not those of one run")
    names = {file.relative_to(folder.path).as_posix() for file in folder.path.rglob("*") if not file.is_dir()}
    others = sorted(names - set(folder.mine) - {RECORD, *OUTPUTS.values()})
    kept = [name for name in others if folder.changed and (folder.path / name).read_bytes() == folder.changed]
    found += [f"{name} is left" for name in others if name not in kept[:1]]
    stands = (folder.path / CHANGED).is_file() and (folder.path / CHANGED).read_bytes() == folder.changed
    if folder.changed and not kept and not stands:
        found.append(f"{CHANGED} was changed by hand, and the change is lost")
    folders = {file.relative_to(folder.path).parts[0] for file in folder.path.rglob("*") if file.is_dir()}
    found += [f"the folder {name} is left" for name in sorted(folders - {Path(name).parts[0] for name in folder.mine})]
    found += [f"{file.name} is left beside" for file in folder.path.parent.iterdir() if file.name[0] == "."]
    return found


def _words(folder: Path, command: tuple[str, ...], *, force: bool = True) -> list[str]:
    """Return a command that writes to the folder in which its study and the user's list lie."""
    given = [str(folder / word) if word == OWN_LIST else word for word in command]
    forced = ["--force"] if force else []
    return [given[0], str(folder / "study.toml"), *given[1:], "--out", str(folder), "--lang", "en", "--quiet", *forced]


def _next(folder: Folder, older: Path, command: tuple[str, ...], following: str) -> list[str]:
    """Run the command that comes next on the folder; return what was wrong with how it ended."""
    words = {
        "diff": ["diff", str(folder.path), str(older)],
        "refused": _words(folder.path, command, force=False),
        "again": _words(folder.path, command),
    }[following]
    done = siting(folder.path, words)
    expected = {"diff": (0,), "refused": (1,), "again": (0, 3)}[following]
    plain = done.returncode in expected and not re.search("Traceback|defect", done.stderr)
    found = [] if plain else [f"next, {following} ended with {done.returncode}: {done.stderr[-300:]}"]
    if following == "again" and state(folder) != "new":
        found.append("the outputs are not those of the run that came next")
    return found


def older_run(study: Path, folder: Path) -> Path:
    """Make the folder of a user with the outputs of a run, and name the study anew so that the next one differs."""
    shutil.copytree(study.parent, folder, ignore=shutil.ignore_patterns("out"))
    (folder / study.name).rename(folder / "study.toml")
    made = folder.parent / "made"
    done = siting(made, ["run", str(folder / "study.toml"), "--out", str(made), "--lang", "en"])
    assert done.returncode in (0, 3), done.stderr
    shutil.copytree(made, folder, dirs_exist_ok=True)
    shutil.rmtree(made)
    shutil.copy(folder / OUTPUTS["plan"], folder / OWN_LIST)
    for name, content in MINE.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    text = (folder / "study.toml").read_text(encoding="utf-8")
    newer = re.sub(r"(?m)^name *=.*", 'name = "The newer run"', text, count=1)
    (folder / "study.toml").write_text(newer, encoding="utf-8")
    return folder


def moments(older: Path, path: Path, command: tuple[str, ...], kills: int) -> list[Moment]:
    """Return when to kill a command: evenly over its steps on the disk, and evenly over the time they take."""
    folder = laid_out(older, path, changed=True)
    done = siting(path, _words(path, command))
    assert done.returncode in (0, 3), f"not killed, {command} ended with {done.returncode}: {done.stderr}"
    assert faults(folder) == [], f"not killed, {command} left {faults(folder)}"
    counted = json.loads(done.stderr.splitlines()[-1])
    by_step = kills - kills // 4
    steps = sorted({round(1 + part * (counted["steps"] - 1) / max(by_step - 1, 1)) for part in range(by_step)})
    by_time = kills - len(steps)
    # the interpreter's own start is not in the count; a kill that comes too late finds the new run
    span_s = counted["last_s"] - counted["first_s"]
    late = [Moment(after_s=counted["first_s"] + span_s * (part + 1) / by_time) for part in range(by_time)]
    return [Moment(step) for step in steps] + late


def kill_runs(
    study: Path, base: Path, kills: int, say: Callable[[str], None], commands: tuple[tuple[str, ...], ...] = COMMANDS
) -> list[str]:
    """Kill runs at many moments, each in a folder of its own; return every fault, with its command and moment."""
    older, path = older_run(study, base / "older"), base / "work" / "county"
    path.parent.mkdir()
    all_faults: list[str] = []
    for place, command in enumerate(commands):
        share = kills // len(commands) + (place < kills % len(commands))
        follow = itertools.cycle(NEXT)
        for number, moment in enumerate(moments(older, path, command, share) if share else []):
            folder, following = laid_out(older, path, changed=number % 2 == 1), next(follow)
            done = siting(path, _words(path, command), moment)
            found = [f"right after, {fault}" for fault in faults_of_mine(folder)]
            found += [*_next(folder, older, command, following), *faults(folder)]
            ended = f"ended with {done.returncode}" if '"steps"' in done.stderr else "killed"
            say(f"{' '.join(command):24} {moment!s:18} {ended:16} then {following:8} {state(folder):6} {found or ''}")
            all_faults += [f"{' '.join(command)} {moment}, then {following}: {fault}" for fault in found]
    return all_faults


@contextlib.contextmanager
def space_left(disk: Path, free_bytes: int) -> Iterator[None]:
    """Fill a disk until so much space is left on it."""
    filler = disk / "filler"
    with filler.open("wb") as file:
        while (more := shutil.disk_usage(disk).free - free_bytes) > 0:
            file.write(bytes(min(more, 2**16)))
            file.flush()
    try:
        yield
    finally:
        filler.unlink()


def fill_disk(study: Path, base: Path, disk: Path, runs: int, say: Callable[[str], None]) -> list[str]:
    """Run with ever more space left on a small disk, then ever nearer to what is just enough; return every fault."""
    if shutil.disk_usage(disk).total > MOST_DISK_BYTES:
        raise SystemExit(f"{disk} is not a small disk: filling it up would be felt by others")
    older, path = older_run(study, base / "older"), disk / "work" / "county"
    path.parent.mkdir()
    too_little, enough = 0, 2 * sum((older / name).stat().st_size for name in OUTPUTS.values())
    spread, all_faults = runs - runs // 2, []
    for number in range(runs):
        command = COMMANDS[number % len(COMMANDS) if number < spread else 0]
        free = (enough * number // spread) if number < spread else (too_little + enough) // 2
        folder = laid_out(older, path, changed=number % 2 == 1)
        with space_left(disk, free):
            done = siting(path, _words(path, command))
            found = _faults_of_full(folder, done)
        if number >= spread:
            too_little, enough = (free, enough) if done.returncode == 1 else (too_little, free)
        ended = f"ended with {done.returncode} {state(folder):6}"
        say(f"{' '.join(command):24} {free:9} bytes left   {ended} {found or ''}")
        all_faults += [f"{' '.join(command)} with {free} bytes left: {fault}" for fault in found]
    shutil.rmtree(path.parent)
    return all_faults


def _faults_of_full(folder: Folder, done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return what is wrong after a run that may have found too little space: whole and new, or said and as it was."""
    left, found = state(folder), faults(folder)
    if left != ("old" if done.returncode == 1 else "new"):
        found.append(f"it ended with {done.returncode}, and the outputs are {left}")
    if done.returncode == 1 and not re.search("Cannot write .*check space", done.stderr, re.DOTALL):
        found.append(f"it does not say why: {done.stderr[-300:]}")
    return found


def main() -> None:
    """Kill runs or fill a disk as the command line asks; the exit code is 1 where anything was lost."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--study", type=Path, default=Path("data/demo/study.toml"))
    parser.add_argument("--kills", type=int, default=100, help="how many runs are killed")
    parser.add_argument("--disk", type=Path, help="a small file system to fill instead")
    parser.add_argument("--fills", type=int, default=14, help="how many runs find the disk full, or nearly so")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as base:
        if asked.disk is None:
            found = kill_runs(asked.study, Path(base), asked.kills, print)
        else:
            found = fill_disk(asked.study, Path(base), asked.disk.resolve(), asked.fills, print)
    print(*found, f"{len(found)} faults", sep="\n")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
