"""Write a folder of outputs, or one file, whole or not at all: under a temporary name first, then renamed."""

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

from siting.errors import InputError, OutputError, reason_of
from siting.inputs.files import file_sha256
from siting.outputs.exchange import SWAP, exchange, own_files, recover, refuse_foreign, waits
from siting.outputs.manifest import FILE_NAMES, MANIFEST_NAME
from siting.text import Text

Told = Callable[[Text], None]

_MARK = ".siting-partial-"
_OLD = "-old"
_STALE_S = 24 * 3600.0
_ATTEMPTS = 20
_LOOKS = 3
_PAUSE_S = 0.05
_ADDRESS = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]+:/|/vsi)")


def unsaid(text: Text) -> None:
    """Say nothing of what was kept.

    Parameters
    ----------
    text
        What there would be to say.
    """


@contextmanager
def whole_folder(
    folder: str | Path, *, force: bool = False, protect: tuple[Path, ...] = (), told: Told = unsaid
) -> Iterator[Path]:
    """Give a temporary folder to write in, and put its files in place when the block ends well.

    They appear together or not at all. When the block raises, the temporary folder is removed and what stood there
    before is untouched. In a folder that is there already only the files of an earlier run are replaced (`exchange`).
    Of two runs that write to one folder at once the last complete one wins.

    Parameters
    ----------
    folder
        Where the outputs shall stand; its parent is made when missing.
    force
        Replace what an earlier run wrote in a folder that is there; every other file stays as it is.
    protect
        Files that are read: none of them is replaced even with ``force``.
    told
        Called with what was kept, and where.

    Yields
    ------
    Path
        The temporary folder, beside the final one.

    Raises
    ------
    OutputError
        If the folder exists and ``force`` is off, is a file or a root, is not of an earlier run, holds somebody else's
        file under the name of an output, or cannot be written.
    """
    final = check_folder(Path(folder), force=force, protect=protect)
    work = _temporary(final / final.name if final.is_dir() else final)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        work.mkdir()
    except OSError as error:
        raise _cannot(final, error) from error
    try:
        yield work
        _flush(work)
        _place(work, final, force=force, told=told)
    except OutputError as error:
        raise _named(error, work, final) from error
    except OSError as error:
        raise _cannot(final, error) from error
    finally:
        if not waits(final, work):  # else it tells the next command which of the files are new
            shutil.rmtree(work, ignore_errors=True)


def refuse_file(
    path: Path,
    *,
    force: bool = False,
    suffix: str = "",
    protect: tuple[Path, ...] = (),
    ours: Callable[[Path], bool] = Path.is_file,
) -> None:
    """Refuse a file that may not be written before any work is done.

    Parameters
    ----------
    path
        Where the file shall stand.
    force
        Whether a file that is there may be replaced.
    suffix
        The ending the file must have, such as ``.html``; empty allows any.
    protect
        Files that are read, which no output may replace.
    ours
        Tells of a file that is there whether siting wrote it: no other is replaced.

    Raises
    ------
    OutputError
        If the path is a folder, lacks the ending, is in no folder, or names a file that may not be replaced.
    """
    if suffix and path.suffix.lower() != suffix:
        raise OutputError(
            Text(f"{path.name}：文件名要以 {suffix} 结尾。", f"{path.name}: the name must end in {suffix}.")
        )
    if path.is_dir():
        raise OutputError(Text(f"{path} 是文件夹，不能写成文件。", f"{path} is a folder, not a file."))
    if not path.parent.is_dir():
        raise OutputError(
            Text(
                f"没有文件夹 {path.parent}；请先新建，或另选位置",
                f"there is no folder {path.parent}; make it first, or choose another place",
            )
        )
    if not path.exists():
        return
    if any(read.exists() and path.samefile(read) for read in protect):
        raise OutputError(
            Text(
                f"{path} 是本次要读取的文件，不会覆盖；请另选文件名",
                f"{path} is read by this run and is not replaced; choose another name",
            )
        )
    if not force:
        raise _exists(path)
    if not ours(path):
        raise OutputError(
            Text(
                f"{path} 不是本软件写的，不会覆盖；请另选文件名",
                f"{path} was not written by siting and is not replaced; choose another name",
            )
        )


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
    refuse_file(final, force=force, suffix=suffix)
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
        Files that are read, which no output may replace.

    Raises
    ------
    OutputError
        If the folder exists and ``force`` is off, is a file or a root, or holds a file that must not be replaced.
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
        Files that are read, which no output may replace.

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
    _sweep(final)
    if final.is_dir():
        _may_replace(final, force=force)
        _refuse_names(final, protect)
    return final


def _refuse_names(final: Path, protect: tuple[Path, ...]) -> None:
    """Refuse a folder in which an output would take the name of a file that is read, or of one of somebody else."""
    names = {name.casefold() for name in FILE_NAMES.values()}
    for path in protect:
        read = path.resolve()
        if read.parent == final and read.name.casefold() in names:
            raise OutputError(
                Text(
                    f"{read} 是本次要读取的文件，而结果要用这个名字；请把它另存为别的名字，或另选输出文件夹",
                    f"{read} is read by this run, and the results need its name; save it under another name, "
                    "or choose another output folder",
                )
            )
    for look in range(_LOOKS):  # another run may be in the midst of its exchange: only what is seen often counts
        try:
            own = own_files(final) if (final / MANIFEST_NAME).is_file() else {}
            if not (final / SWAP).exists():
                refuse_foreign(final, tuple(FILE_NAMES.values()), own)
            return
        except (InputError, OutputError, OSError):
            if look + 1 == _LOOKS:
                raise
            time.sleep(_PAUSE_S)


def is_unchanged_output(path: Path) -> bool:
    """Return whether a file is an output of the run in its folder, as that run wrote it.

    Parameters
    ----------
    path
        Any file.
    """
    try:
        return path.is_file() and own_files(path.parent).get(path.name) == file_sha256(path)
    except (InputError, OSError):
        return False


def _may_replace(final: Path, *, force: bool) -> None:
    """Refuse a folder that is there, unless it is empty or force is on and an earlier run wrote it."""
    # another run may be exchanging its files for those of this very run: only what is seen often is a foreign folder
    for look in range(_LOOKS):
        try:
            names = [entry.name for entry in final.iterdir() if _MARK not in entry.name]
        except FileNotFoundError:
            return
        except OSError as error:
            raise _cannot(final, error) from error
        if not names or (force and (MANIFEST_NAME in names or SWAP in names)):
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


def settle(folder: Path) -> None:
    """Undo, or finish, what a killed run left in or beside a folder of outputs.

    Parameters
    ----------
    folder
        Where the outputs of a run stand.
    """
    _sweep(folder.expanduser().resolve())


def _sweep(final: Path) -> None:
    """Clear away what a killed run left in or beside this folder; what it had moved aside is put back."""
    if not final.parent.is_dir():
        return
    recover(final, lambda owner: _MARK in owner and _in_use(final / owner))
    pattern = f".{glob.escape(_short(final.name))}{_MARK}*"
    for left in (*final.parent.glob(pattern), *final.glob(pattern)):
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


def _place(work: Path, final: Path, *, force: bool, told: Told) -> None:
    """Put the finished files in place: as a folder of their own, or for those of an older run in one that is there."""
    if not final.is_dir():
        try:
            _retry(lambda: os.rename(work, final))
            return
        except OSError:
            if not final.is_dir():  # else another run was quicker
                raise
    if (final / MANIFEST_NAME).exists() and not force:
        raise _exists(final)
    mine = {*FILE_NAMES.values(), SWAP}
    others = sum(entry.name not in mine and _MARK not in entry.name for entry in final.iterdir())
    for name in exchange(work, final, retry=_retry):
        told(
            Text(
                f"{final.name} 里以前的结果有改动，已保留为 {name}",
                f"a file of the earlier results in {final.name} had been changed: it is kept as {name}",
            )
        )
    if others:
        told(
            Text(
                f"{final.name} 里另有 {others} 个文件或文件夹，均未改动",
                f"{others} other file{'s' * (others != 1)} or folders in {final.name} were left as they are",
            )
        )


def _retry(action: Callable[[], object]) -> None:
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
    name = Path(str(getattr(error, "filename", None) or "")).name
    held = Text(f"（{name}）", f" ({name})") if name in FILE_NAMES.values() else Text("", "")
    return OutputError(
        Text(
            f"无法写入 {final}{held.zh}：{why.zh}。原有内容未动；请检查磁盘空间、权限，以及文件是否被 Excel 等打开。",
            f"Cannot write {final}{held.en}: {why.en}. What was there is intact; check space, permissions, and whether "
            "a file is open.",
        )
    )
