"""The process of the command: its streams, its language, Ctrl-C, and the exit code it leaves with."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence

import click

from siting.cli.commands import siting_command
from siting.cli.console import Console
from siting.cli.faults import BAD_INPUT, DONE, INTERRUPTED, fail, refuse_usage
from siting.cli.streams import nobody_listens, stand_in, write
from siting.errors import reason_of
from siting.text import Lang, Text


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
    stand_in()
    words = sys.argv[1:] if arguments is None else list(arguments)
    console = console or Console()
    console.speak(_asked_lang(words))
    code = _called(words, console)
    lost = console.unwritten or write("stdout", "")
    if lost is not None:
        why = reason_of(lost)
        console.warn(
            Text(
                f"结果没有全部写到标准输出：{why.zh}；请检查权限和磁盘空间",
                f"not all results went to standard output: {why.en}; check permissions, space",
            )
        )
        return code or BAD_INPUT
    return code


def _called(words: list[str], console: Console) -> int:
    """Run the words of the command line, and return the exit code."""
    try:
        with siting_command.make_context("siting", words, obj=console) as context:
            return int(siting_command.invoke(context) or DONE)
    except click.exceptions.Exit as done:  # --help and --version
        return done.exit_code
    except click.UsageError as error:
        return refuse_usage(console, error)
    except (KeyboardInterrupt, click.Abort):
        return _interrupted(console)
    except Exception as error:  # the last door before the planner: no traceback passes it
        if console.interrupted:  # Ctrl-C in a library that makes another error of it
            return _interrupted(console)
        if isinstance(error, OSError) and nobody_listens(error):
            return DONE
        return fail(console, error)


def _interrupted(console: Console) -> int:
    console.warn(Text("已中断，没有留下半成品", "interrupted; nothing half-written is left"))
    return INTERRUPTED


def _asked_lang(words: list[str]) -> Lang:
    """Return the language that the command line asks for, before it is parsed."""
    pairs = {*words, *(f"{a}={b}" for a, b in itertools.pairwise(words))}
    return "en" if "--lang=en" in pairs else "zh"
