"""The way into the process: Ctrl-C is heeded before anything else is loaded, which takes seconds on a slow disk."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from siting.cli.console import Console

_INTERRUPTED = 130
_AT_ONCE = 3


class Interrupts:
    """Ctrl-C as it comes: answered at once, and remembered, since a search that it stops gives its best so far.

    The second one stops what the first one left to be done, such as writing that best; the third ends the process.
    """

    def __init__(self) -> None:
        self.count = 0
        self.console: Console | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Answer one Ctrl-C."""
        self.count += 1
        if self.console is not None:
            self.console.interrupted = True
        left = _AT_ONCE - self.count
        if left <= 0:
            os._exit(_INTERRUPTED)
        self._answer(
            f"正在停止……（再按 {left} 次 Ctrl-C 立即退出）", f"stopping … (Ctrl-C {left} more times ends at once)"
        )
        signal.default_int_handler(number, frame)

    def _answer(self, zh: str, en: str) -> None:
        """Write one line past the buffers: this may come in the midst of another line."""
        encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
        line = en if self.console is not None and self.console.lang == "en" else zh
        with suppress(OSError, LookupError):
            try:
                said = f"\n{line}\n".encode(encoding)
            except UnicodeEncodeError:
                said = f"\n{en}\n".encode(encoding, "backslashreplace")
            os.write(2, said)


def entry() -> None:
    """Run the command and leave the process with its exit code."""
    interrupts = Interrupts()
    ours = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ours:  # else started in the background, or embedded: not ours to change
        signal.signal(signal.SIGINT, interrupts)
    try:
        from siting.cli.console import Console
        from siting.cli.process import main as run

        interrupts.console = Console(interrupted=interrupts.count > 0)
        code = run(console=interrupts.console)
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except Exception:
        if not interrupts.count:
            raise
        code = _INTERRUPTED  # Ctrl-C while a library was loaded, which made another error of it
    if ours:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is ending
    sys.exit(code)


def main(arguments: Sequence[str] | None = None, *, console: Console | None = None) -> int:
    """Run the command, and return its exit code.

    Parameters
    ----------
    arguments
        The words after ``siting``; ``None``: those of the process.
    console
        Where its words go; ``None``: one of its own.

    Returns
    -------
    int
        The exit code.
    """
    from siting.cli.process import main as run

    return run(arguments, console=console)
