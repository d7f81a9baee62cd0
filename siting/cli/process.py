"""The process of the command: its streams, its language, Ctrl-C, and the exit code it leaves with."""

from __future__ import annotations

import errno
import itertools
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import click

from siting.cli.commands import siting_command
from siting.cli.console import Console
from siting.cli.faults import DONE, INTERRUPTED, fail, refuse_usage
from siting.text import Lang, Text


def entry() -> None:
    """Run the command and leave the process with its exit code."""
    console = Console()
    _note_interrupts(console)
    sys.exit(main(console=console))


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
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a console that cannot show a character shows a question mark
            stream.reconfigure(errors="replace")
    words = sys.argv[1:] if arguments is None else list(arguments)
    console = console or Console()
    console.speak(_asked_lang(words))
    try:
        with siting_command.make_context("siting", words, obj=console) as context:
            code = int(siting_command.invoke(context) or DONE)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except click.exceptions.Exit as done:  # --help and --version
        return done.exit_code
    except click.UsageError as error:
        return refuse_usage(console, error)
    except (KeyboardInterrupt, click.Abort):
        console.warn(Text("已中断，没有留下半成品", "interrupted; nothing half-written is left"))
        return INTERRUPTED
    except Exception as error:  # the last door before the planner: no traceback passes it
        if _nobody_listens(error):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return DONE
        return fail(console, error)


def _asked_lang(words: Sequence[str]) -> Lang:
    """Return the language that the command line asks for, before it is parsed."""
    pairs = {*words, *(f"{a}={b}" for a, b in itertools.pairwise(words))}
    return "en" if "--lang=en" in pairs else "zh"


def _nobody_listens(error: Exception) -> bool:
    """Tell whether the reader of our output, such as ``head``, has gone; Windows calls that an invalid argument."""
    closed = isinstance(error, OSError) and error.errno == errno.EINVAL and error.filename is None
    return isinstance(error, BrokenPipeError) or (sys.platform == "win32" and closed)


def _note_interrupts(console: Console) -> None:
    """Remember Ctrl-C: a search that it stops gives its best so far, and the exit code still says 130."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return  # started in the background, or embedded: not ours to change

    def _interrupt(number: int, frame: FrameType | None) -> None:
        console.interrupted = True
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, _interrupt)
