"""Write a folder of outputs whole or not at all: in a temporary neighbour first, then renamed into place."""

from __future__ import annotations

import glob
import hashlib
import os
import platform
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from siting.errors import OutputError, reason_of
from siting.outputs.manifest import MANIFEST_NAME
from siting.text import Text

_MARK = ".siting-partial-"
_OLD = "-old"
_STALE_S = 24 * 3600.0
_ATTEMPTS = 20
_LOOKS = 3
_PAUSE_S = 0.05
_ADDRESS = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]+:/|/vsi)")


@contextmanager
def whole_folder(folder: str | Path, *, force: bool = False, protect: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Give a temporary folder to write in, and put it in place when the block ends well.

    The folder appears complete or not at all. When the block raises, the temporary folder is removed and what stood
    there before is untouched. Of two runs that write to one folder at once the last complete one wins.

    Parameters
    ----------
    folder
        Where the outputs shall stand; its parent is made when missing.
    force
        Replace a folder that is there. Only a folder that an earlier run wrote, or an empty one, is replaced.
    protect
        Input files; a folder that holds one of them is refused even with ``force``.

    Yields
    ------
    Path
        The temporary folder, beside the final one.

    Raises
    ------
    OutputError
        If the folder exists and ``force`` is off, is a file or a root, holds an input or foreign files, or cannot be
        written.
    """
    final = check_folder(Path(folder), force=force, protect=protect)
    work = _temporary(final)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        work.mkdir()
    except OSError as error:
        raise _cannot(final, error) from error
    try:
        yield work
        _flush(work)
        _swap(work, final, force=force)
    except OutputError as error:
        raise _named(error, work, final) from error
    except OSError as error:
        raise _cannot(final, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def whole_file(
    path: str | Path, *, force: bool = False, suffix: str = "", faults: tuple[type[Exception], ...] = ()
) -> Iterator[Path]:
    """Give a temporary path to write one file to, and put it in place when the block ends well.

    Parameters
    ----------
    path
        Where the file shall stand; its folder must exist.
    force
        Replace a file that is there.
    suffix
        The ending the file must have, such as ``.gpkg``; empty allows any.
    faults
        Errors of a writing library that mean what an `OSError` means.

    Yields
    ------
    Path
        The temporary path, beside the final one and with the same ending.

    Raises
    ------
    OutputError
        If the path is a folder, lacks the ending, exists and ``force`` is off, or cannot be written.
    """
    final = Path(path)
    if suffix and final.suffix.lower() != suffix:
        raise OutputError(
            Text(f"{final.name}：文件名要以 {suffix} 结尾。", f"{final.name}: the name must end in {suffix}.")
        )
    if final.is_dir():
        raise OutputError(Text(f"{final} 是文件夹，不能写成文件。", f"{final} is a folder, not a file."))
    if final.exists() and not force:
        raise _exists(final)
    work = _temporary(final, final.suffix)
    expected: tuple[type[Exception], ...] = (OSError, *faults)
    try:
        yield work
        _flush(work)
        _retry(lambda: os.replace(work, final))
    except OutputError:
        raise
    except expected as error:
        raise _cannot(final, error) from error
    finally:
        work.unlink(missing_ok=True)


def refuse_existing(folder: str | Path, *, force: bool = False, protect: tuple[Path, ...] = ()) -> None:
    """Refuse an output folder before any work is done, for the same reasons as `whole_folder`.

    Parameters
    ----------
    folder
        Where the outputs shall stand.
    force
        Whether what an earlier run wrote may be replaced.
    protect
        Input files that the folder must not hold.

    Raises
    ------
    OutputError
        If the folder exists and ``force`` is off, is a file or a root, or holds an input or foreign files.
    """
    check_folder(Path(folder), force=force, protect=protect)


def check_folder(folder: Path, *, force: bool, protect: tuple[Path, ...] = ()) -> Path:
    """Return the folder's full path, or refuse it before any work is done.

    Parameters
    ----------
    folder
        The folder to make.
    force
        Whether what an earlier run left there may be replaced.
    protect
        Files that must not lie in a folder that is replaced.

    Returns
    -------
    Path
        The full path.

    Raises
    ------
    OutputError
        If the folder is not one that may be written.
    """
    if _ADDRESS.match(str(folder).replace("\\", "/")):
        raise OutputError(Text(f"{folder} 不是本机的文件夹。", f"{folder} is not a folder on this machine."))
    final = folder.expanduser().resolve()
    if not final.name:
        raise OutputError(Text("不能把输出写到磁盘根目录。", "Outputs cannot be written to the root of a disk."))
    if final.is_file():  # one look: another run may move a folder away between two
        raise OutputError(Text(f"{final} 是文件，请给一个文件夹名。", f"{final} is a file; give the name of a folder."))
    held = [path for path in protect if final in path.resolve().parents]
    if held and final.is_dir():
        raise OutputError(
            Text(
                f"{final} 里有输入文件 {held[0].name}，请另选输出文件夹。",
                f"{final} holds the input {held[0].name}; choose another output folder.",
            )
        )
    _sweep(final)
    if final.is_dir():
        _may_replace(final, force=force)
    return final


def _may_replace(final: Path, *, force: bool) -> None:
    """Refuse a folder that is there, unless it is empty or force is on and an earlier run wrote it."""
    # another run may be clearing away the very folder we look at: only what is seen twice is a foreign folder
    for look in range(_LOOKS):
        try:
            names = [entry.name for entry in final.iterdir()]
        except FileNotFoundError:
            return
        except OSError as error:
            raise _cannot(final, error) from error
        if not names or (force and MANIFEST_NAME in names):
            return
        if not force:
            raise _exists(final)
        time.sleep(_PAUSE_S if look + 1 < _LOOKS else 0)
    raise OutputError(
        Text(
            f"{final} 不是本软件写的结果（没有 {MANIFEST_NAME}），不会覆盖；请另选文件夹。",
            f"{final} was not written by an earlier run (no {MANIFEST_NAME}) and is not replaced; choose another.",
        )
    )


def _short(name: str) -> str:
    """Return a name, or of a long one its beginning and a mark of the whole: file systems limit the length."""
    return name if len(name) <= 40 else f"{name[:31]}~{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _sweep(final: Path) -> None:
    """Clear away what a killed run left beside this folder; an old result it had moved aside is put back."""
    if not final.parent.is_dir():
        return
    for left in final.parent.glob(f".{glob.escape(_short(final.name))}{_MARK}*"):
        if _in_use(left):
            continue
        if left.name.endswith(_OLD) and not final.exists():
            with suppress(OSError):
                os.replace(left, final)
                continue
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)


def _temporary(final: Path, ending: str = "") -> Path:
    """Return a hidden neighbour whose name says which process on which machine it belongs to."""
    owner = f"{_machine()}-{os.getpid()}-{secrets.token_hex(4)}"
    return final.parent / f".{_short(final.name)}{_MARK}{owner}{ending}"


def _machine() -> str:
    """Return a short tag of this machine."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def _in_use(left: Path) -> bool:
    """Tell whether the run that made a temporary folder may still be at work."""
    machine, pid, _ = left.name.split(_MARK, 1)[1].split("-", 2)
    if machine == _machine() and os.name == "posix":
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True
        return True
    try:
        return time.time() - left.stat().st_mtime < _STALE_S
    except OSError:
        return True


def _flush(work: Path) -> None:
    """Make sure that what was written is on the disk."""
    for path in [work] if work.is_file() else sorted(work.rglob("*")):
        if path.is_file():
            with path.open("rb+") as stream:
                os.fsync(stream.fileno())


def _swap(work: Path, final: Path, *, force: bool) -> None:
    """Put the finished folder in place; what stood there is moved aside first, and back when that fails."""
    aside: list[Path] = []
    placed = False
    try:
        for _ in range(_ATTEMPTS):
            placed = _placed(work, final, aside, force=force)
            if placed:
                return
            time.sleep(_PAUSE_S)
    finally:
        if aside and not placed and not final.exists():
            with suppress(OSError):
                os.replace(aside[-1], final)
                aside.pop()
        for old in aside:
            shutil.rmtree(old, ignore_errors=True)
    raise OutputError(
        Text(
            f"{final} 一直被别的程序占用，没有写成；原有内容未动。",
            f"{final} is kept busy by another program; nothing was written, and what was there is intact.",
        )
    )


def _placed(work: Path, final: Path, aside: list[Path], *, force: bool) -> bool:
    """Try once to put the folder in place; False where another run or program was quicker."""
    if final.is_dir():
        _may_replace(final, force=force)
        old = _temporary(final, _OLD)
        try:
            os.replace(final, old)
        except (FileNotFoundError, PermissionError):
            return False
        aside.append(old)
    try:
        os.replace(work, final)
    except OSError:
        if not work.exists() or not final.is_dir():
            raise
        return False
    return True


def _retry(action: Callable[[], None]) -> None:
    """Run a rename a few times: on Windows a scanner may hold a new file for a moment."""
    for attempt in range(_ATTEMPTS):
        try:
            action()
            return
        except PermissionError:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(_PAUSE_S)


def _named(error: OutputError, work: Path, final: Path) -> OutputError:
    """Return an error that names the folder the user asked for, not the temporary one."""
    return OutputError(Text(*(text.replace(str(work), str(final)) for text in (error.text.zh, error.text.en))))


def _exists(final: Path) -> OutputError:
    """Return the error for something that is there already."""
    return OutputError(
        Text(f"{final} 已存在；要覆盖请加 --force。", f"{final} exists already; add --force to replace it.")
    )


def _cannot(final: Path, error: Exception) -> OutputError:
    """Return the error for a disk that will not take the output."""
    why = reason_of(error)
    return OutputError(
        Text(
            f"无法写入 {final}：{why.zh}。原有内容未动；请检查磁盘空间、权限，以及文件是否被 Excel 等打开。",
            f"Cannot write {final}: {why.en}. What was there is intact; check space, permissions, and whether a "
            "file is open.",
        )
    )
