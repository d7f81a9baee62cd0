"""What went wrong -> plain words and an exit code; no traceback reaches a planner who did not ask for one."""

from __future__ import annotations

import traceback

import click

from siting.cli.console import Console
from siting.cli.streams import write
from siting.errors import InfeasibleError, SitingError, TableError, reason_of
from siting.text import Text

DONE, BAD_INPUT, BAD_USAGE, NOT_ALL_MET, INTERRUPTED = 0, 1, 2, 3, 130


def fail(console: Console, error: Exception) -> int:
    """Say what went wrong, one line per fault, and return the exit code.

    Parameters
    ----------
    console
        Where to say it.
    error
        What was raised.

    Returns
    -------
    int
        3 where nothing can satisfy what was asked, 1 otherwise.
    """
    console.clear()
    if console.verbose:
        write("stderr", "".join(traceback.format_exception(error)))
    console.warn(error.text if isinstance(error, SitingError) else _foreign(error))
    details = [issue.text for issue in error.issues] if isinstance(error, TableError) else []
    details += error.blocks if isinstance(error, InfeasibleError) else ()
    for detail in details:
        console.warn(detail, indent="  ")
    return NOT_ALL_MET if isinstance(error, InfeasibleError) else BAD_INPUT


def _foreign(error: Exception) -> Text:
    """Return what to say of an error that is not one of the product's own."""
    if isinstance(error, OSError):
        why = reason_of(error)
        where = f" {error.filename}" if error.filename else ""
        return Text(
            f"读写文件出错{where}：{why.zh}；请检查权限、磁盘空间，以及文件是否被其他程序占用",
            f"reading or writing failed{where}: {why.en}; check permissions, space, and whether a file is open "
            "elsewhere",
        )
    if isinstance(error, MemoryError):
        return Text(
            "内存不足；请关闭其他程序，或分乡镇运行",
            "out of memory; close other programs, or run fewer townships at a time",
        )
    return Text(
        f"程序出错：{type(error).__name__}: {error}。这是软件的缺陷，请用 --verbose 重跑并把全文发给开发者",
        f"the program failed: {type(error).__name__}: {error}. This is a defect of the software: "
        "run again with --verbose and send the whole text to the developers",
    )


def refuse_usage(console: Console, error: click.UsageError) -> int:
    """Say what is wrong with the words of the command line, and return the exit code.

    Parameters
    ----------
    console
        Where to say it.
    error
        What the parser raised.

    Returns
    -------
    int
        2.
    """
    command = error.ctx.command_path if error.ctx else "siting"
    console.warn(
        Text(
            f"{_usage_zh(error)}（{command} --help 查看用法）",
            f"{error.format_message()} ({command} --help says how)",
        )
    )
    return BAD_USAGE


def _usage_zh(error: click.UsageError) -> str:
    """Return in Chinese what click says in English."""
    name = error.param.human_readable_name if isinstance(error, click.BadParameter) and error.param else ""
    if isinstance(error, click.NoSuchOption):
        near = f"；相近的有 {'、'.join(error.possibilities)}" if error.possibilities else ""
        return f"没有这个选项：{error.option_name}{near}"
    if isinstance(error, click.MissingParameter):
        option = isinstance(error.param, click.Option)
        return f"缺少{'选项 --' if option else '参数 '}{name}"
    if isinstance(error, click.BadOptionUsage):
        return f"选项 {error.option_name} 后面缺少它的值，或不该有值"
    if isinstance(error, click.BadParameter):
        choices = error.param.type.choices if error.param and isinstance(error.param.type, click.Choice) else ()
        known = f"；可选：{'、'.join(map(str, choices))}" if choices else ""
        return f"选项 --{name} 的值不对{known}"
    if error.ctx is not None and isinstance(error.ctx.command, click.Group):
        return f"没有这个命令，或没有写命令；可用：{'、'.join(error.ctx.command.list_commands(error.ctx))}"
    return f"多余或不合用的参数：{error.format_message()}"
