"""The files of an older run in a folder exchanged for those of a new one; every other file there stays as it is.

What the older run wrote is known from its ``run.json``. The exchange happens in this order, all in one file system::

    made       a folder SWAP inside: nobody else may exchange here, and what is taken out waits in it
    taken out  run.json first, then the other files of the older run
    put in     the new files, run.json last: from then on the new run stands
    let go     what waits in SWAP, but for files that somebody changed since: those come back under another name

A run that is killed on the way leaves SWAP. Whoever comes next sees it: while the new ``run.json`` still lies in the
folder of the killed run, everything is put back; after that, what waits is let go.
"""

from __future__ import annotations

import functools
import itertools
import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from siting.errors import InputError, OutputError, reason_of
from siting.inputs.files import file_sha256
from siting.outputs.manifest import FILE_NAMES, MANIFEST_NAME
from siting.small_files import read_json
from siting.text import Text

SWAP = ".siting-swap"
_OWNER = "owner.txt"
_PENDING = ("-wal", "-journal")
"""What SQLite keeps beside a database that is open: left there, it would be read into the new one and break it."""
_ATTEMPTS, _PAUSE_S = 100, 0.05


def own_files(folder: Path) -> Mapping[str, str]:
    """Return the files that the run in a folder wrote, with the hashes they had; ``run.json`` with none.

    Parameters
    ----------
    folder
        A folder with the record of a run.

    Raises
    ------
    InputError
        If the record is not one that siting wrote, so that it is not known which files are its own.
    """
    path = folder / MANIFEST_NAME
    try:
        outputs = read_json(path, InputError)["outputs"]
        found = {str(each.get("file", FILE_NAMES.get(key, ""))): str(each["sha256"]) for key, each in outputs.items()}
    except (InputError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            Text(
                f"{path} 已损坏或不是本软件写的，无法知道哪些文件是以前的结果；请另选文件夹",
                f"{path} is damaged or was not written by siting, so that its own files are not known; "
                "choose another folder",
            )
        ) from error
    return {name: sha256 for name, sha256 in found.items() if name == Path(name).name != ""} | {MANIFEST_NAME: ""}


def refuse_foreign(folder: Path, names: Mapping[str, Any] | tuple[str, ...], own: Mapping[str, str]) -> None:
    """Refuse a folder in which a file of somebody else has the name of a new output.

    Parameters
    ----------
    folder
        Where the outputs shall stand.
    names
        The names of the new outputs.
    own
        The files of the older run, which may be replaced.

    Raises
    ------
    OutputError
        Naming every such file.
    """
    for name in names:
        if any((folder / f"{name}{ending}").exists() for ending in _PENDING):
            raise OutputError(
                Text(
                    f"{folder} 里的 {name} 正在 QGIS 等程序中打开，或没有正常关闭；请关闭（或打开再关闭一次）后重试",
                    f"{name} in {folder} is open in QGIS or another program, or was not closed there; close it "
                    "(or open and close it once), then try again",
                )
            )
    wanted = {name.casefold() for name in names}
    with suppress(FileNotFoundError):
        taken = sorted(entry.name for entry in folder.iterdir() if entry.name.casefold() in wanted)
        foreign = [name for name in taken if name not in own or not (folder / name).is_file()]
        if foreign:
            listed = Text("、".join(foreign), ", ".join(foreign))
            raise OutputError(
                Text(
                    f"{folder} 里的 {listed.zh} 不是以前的运行写的，而结果要用这个名字；请改名或移走，或另选文件夹",
                    f"{listed.en} in {folder} was not written by an earlier run, and the results need that name; "
                    "rename or move it, or choose another folder",
                )
            )


def exchange(work: Path, final: Path, *, retry: Callable[[Callable[[], object]], None]) -> list[str]:
    """Put the finished files of a run in a folder in the place of those of an older one.

    Parameters
    ----------
    work
        A folder of finished files, ``run.json`` among them, in the file system of ``final``.
    final
        The folder of the outputs.
    retry
        Runs a rename again where a program holds the file for a moment.

    Returns
    -------
    list of str
        The new names of files of the older run that somebody had changed.

    Raises
    ------
    OutputError
        If a file of somebody else has the name of an output, or another run does not end its exchange.
    OSError
        If a file is held by another program; everything is back where it was.
    """
    swap = _made(work, final)
    try:
        own = own_files(final) if (final / MANIFEST_NAME).is_file() else {}
        names = sorted((entry.name for entry in work.iterdir()), key=lambda name: name == MANIFEST_NAME)
        refuse_foreign(final, tuple(names), own)
        for name in sorted(own, key=lambda name: name != MANIFEST_NAME):
            if (final / name).is_file():
                retry(functools.partial(os.replace, final / name, swap / name))
        for name in names:
            retry(functools.partial(os.replace, work / name, final / name))
    except BaseException:
        try:
            retry(functools.partial(_put_back, swap, work, final))
        except OSError as error:
            raise _not_put_back(final, error) from error
        raise
    return _let_go(swap, final)


def recover(final: Path, in_use: Callable[[str], bool]) -> None:
    """Undo, or finish, the exchange that a killed run left in a folder.

    Parameters
    ----------
    final
        The folder of the outputs.
    in_use
        Tells of the name of a run's temporary folder whether that run may still be at work.
    """
    swap = final / SWAP
    if not swap.is_dir():
        return
    owner = _owner(swap)
    if not owner:
        with suppress(OSError):  # just ended; where another run made its own in this moment, that one says whose it is
            swap.rmdir()
            return
        owner = _owner(swap)
    if owner and in_use(owner):
        return
    places = (final / owner, final.parent / owner) if owner else ()
    work = next((place for place in places if place.is_dir()), None)
    if (final / MANIFEST_NAME).is_file():  # it is taken out first and put in last
        _let_go(swap, final)
    else:
        _put_back(swap, work, final)
    if work is not None:
        shutil.rmtree(work, ignore_errors=True)


def waits(final: Path, work: Path) -> bool:
    """Return whether what a run took out of a folder still waits to be put back there.

    Parameters
    ----------
    final
        The folder of the outputs.
    work
        The temporary folder of the run.
    """
    return _owner(final / SWAP) == work.name


def _owner(swap: Path) -> str:
    """Return the name of the temporary folder of the run that exchanges; empty where there is none."""
    try:
        return (swap / _OWNER).read_text(encoding="utf-8")
    except OSError:
        return ""


def _made(work: Path, final: Path) -> Path:
    """Make the folder that keeps others from exchanging here, once they have ended; it says whose it is."""
    made = final / f"{work.name}-swap"
    try:
        made.mkdir()
        (made / _OWNER).write_text(work.name, encoding="utf-8")
        for _ in range(_ATTEMPTS):
            with suppress(OSError):  # there is one already
                os.rename(made, final / SWAP)
                return final / SWAP
            time.sleep(_PAUSE_S)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    raise OutputError(
        Text(
            f"另一个运行正在往 {final} 写结果，一直没有结束；请稍后再试（若没有，请把 {SWAP} 里的文件移回原处）",
            f"another run is writing to {final} and does not end; try again later "
            f"(if there is none, move the files in {SWAP} back beside it)",
        )
    )


def _put_back(swap: Path, work: Path | None, final: Path) -> None:
    """Take out what was put in already, and put back what was taken out."""
    put_in = own_files(work) if work is not None and (work / MANIFEST_NAME).is_file() else {}
    for name, sha256 in put_in.items():
        new = final / name
        if work is not None and not (work / name).exists() and new.is_file() and file_sha256(new) == sha256:
            os.replace(new, work / name)
    for entry in sorted(swap.iterdir(), key=lambda one: one.name == MANIFEST_NAME):
        if entry.name != _OWNER:  # a file that somebody saved under its name in this moment stays where it is
            free = entry.name if not (final / entry.name).exists() else _other_name(final, entry.name)
            os.replace(entry, final / free)
    shutil.rmtree(swap, ignore_errors=True)


def _not_put_back(final: Path, error: OSError) -> OutputError:
    """Return the error for an exchange that could neither be ended nor undone; the next command undoes it."""
    why, name = reason_of(error), Path(str(error.filename or final)).name
    return OutputError(
        Text(
            f"{final} 没有写成，以前的结果暂存在其中的 {SWAP}（{name}：{why.zh}）；"
            "请关闭占用该文件的程序，再运行一次，会先放回以前的结果",
            f"{final} was not written, and the earlier results wait in {SWAP} in it ({name}: {why.en}); "
            "close the program that holds the file and run again, which puts them back first",
        )
    )


def _let_go(swap: Path, final: Path) -> list[str]:
    """Delete what the older run wrote; a file that was changed since comes back under another name."""
    try:
        own = own_files(swap)
    except (InputError, OSError):
        own = {}
    kept = []
    for entry in sorted(swap.iterdir(), key=lambda one: (one.name == _OWNER, one.name == MANIFEST_NAME)):
        if entry.name in (_OWNER, MANIFEST_NAME) or file_sha256(entry) == own.get(entry.name):
            entry.unlink()  # the record last: a run killed here leaves it known what is whose
        else:
            kept.append(_other_name(final, entry.name))
            os.replace(entry, final / kept[-1])
    with suppress(OSError):  # the next run may have made its own in the same moment
        swap.rmdir()
    return kept


def _other_name(final: Path, name: str) -> str:
    """Return a name that is free, for a file that was changed."""
    stem, ending = Path(name).stem, Path(name).suffix
    names = (f"{stem}.changed-{number}{ending}" for number in itertools.count(1))
    return next(free for free in names if not (final / free).exists())
