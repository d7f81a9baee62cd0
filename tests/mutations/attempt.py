"""One mutated file, one command, in a child of a process that has everything loaded: what comes of it."""

from __future__ import annotations

import io
import os
import random
import re
import resource
import shutil
import signal
import sys
import time
import traceback
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from siting.cli import main
from tests.mutations.kinds import Case, made
from tests.mutations.mutate import mutated

LONGEST_S = 60.0
MOST_MB = 1000.0
_ROOM_BYTES = 3_000_000_000
_DEFECT = re.compile("程序出错|the program failed")
_TRACE = re.compile("Traceback")
_NO_MEMORY = re.compile("内存不足|out of memory")
_LEAK = re.compile(r"Warning( \d+)?:|^ERROR \d|libpng|GEOS", re.M)
Verdict = Literal["fine", "uncaught", "hang", "memory", "leaked"]


@dataclass(frozen=True)
class Outcome:
    """What a command made of a mutated file."""

    verdict: Verdict
    code: int
    seconds: float
    more_mb: float
    said: str

    @property
    def bad(self) -> bool:
        """Whether it must not be."""
        return self.verdict != "fine"


def attempts_of(
    kind: str, folder: Path, seed: int, numbers: Iterable[int], *, verbose: bool = False
) -> Iterator[Outcome]:
    """Mutate a file of a kind again and again, and run its command on each.

    Parameters
    ----------
    kind
        One of `KINDS`.
    folder
        Where to work.
    seed, numbers
        Name the cases.
    verbose
        Ask for tracebacks.
    """
    case = made(kind, folder / kind)
    words = [*case.words, *(["--verbose"] if verbose else [])]
    sound = case.target.read_bytes()
    first = attempt(Case(case.target, tuple(words)), sound, folder)
    assert first.verdict == "fine", first.said
    assert first.code in (0, 3), first.said
    for number in numbers:
        rng = random.Random(zlib.crc32(f"{seed}:{kind}:{number}".encode()))
        yield attempt(Case(case.target, tuple(words)), mutated(case.target, sound, rng), folder)
    case.target.write_bytes(sound)
    shutil.rmtree(folder / kind)


def attempt(case: Case, data: bytes, folder: Path) -> Outcome:
    """Run a command on a file with these bytes, in a child with limits.

    Parameters
    ----------
    case
        The file and the command.
    data
        The bytes.
    folder
        Where what is said is kept.
    """
    case.target.write_bytes(data)
    said = folder / "said.txt"
    begun = time.monotonic()
    child = os.fork()
    if not child:
        _in_child(case.words, said)
    status, usage, hung = _waited(child, begun)
    text = said.read_text(encoding="utf-8", errors="replace")
    code = os.waitstatus_to_exitcode(status)
    more_mb = usage.ru_maxrss / 1024 - _resident_mb()
    verdict: Verdict = "fine"
    if hung:
        verdict = "hang"
    elif more_mb > MOST_MB or _NO_MEMORY.search(text):
        verdict = "memory"
    elif code not in (0, 1, 2, 3) or _DEFECT.search(text) or ("--verbose" not in case.words and _TRACE.search(text)):
        verdict = "uncaught"
    elif _LEAK.search(text):
        verdict = "leaked"
    return Outcome(verdict, code, time.monotonic() - begun, more_mb, text)


def _in_child(words: tuple[str, ...], said: Path) -> None:
    code = 99
    try:
        sink = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        sys.stdout, sys.stderr = (io.TextIOWrapper(io.FileIO(handle, "w"), encoding="utf-8") for handle in (1, 2))
        resource.setrlimit(resource.RLIMIT_AS, (_virtual_bytes() + _ROOM_BYTES,) * 2)
        code = main(list(words))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _waited(child: int, begun: float) -> tuple[int, resource.struct_rusage, bool]:
    hung = False
    while True:
        done, status, usage = os.wait4(child, os.WNOHANG)
        if done:
            return status, usage, hung
        if not hung and time.monotonic() - begun > LONGEST_S:
            hung = True
            os.kill(child, signal.SIGKILL)
        time.sleep(0.005)


def _virtual_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 2**20
