"""The `siting` command: parse, call, exit code.

Exit 0 done; 1 a problem with the inputs or the study, one line per fault; 2 wrong usage; 3 done, but the plan cannot
meet everything asked; 130 interrupted. Results go to standard output, progress and faults to standard error.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import click

from siting.errors import InfeasibleError, OutputError, SitingError, TableError
from siting.text import Lang, Text

DONE, BAD_INPUT, BAD_USAGE, NOT_ALL_MET, INTERRUPTED = 0, 1, 2, 3, 130


@dataclass(slots=True)
class Console:
    """Where the words go: language, how much is said, and whether progress is drawn."""

    lang: Lang = "zh"
    quiet: bool = False
    verbose: bool = False
    interrupted: bool = False
    _drawn: float = 0.0
    _width: int = 0

    def say(self, text: Text) -> None:
        """Write one line of result to standard output."""
        print(text.to(self.lang))

    def warn(self, line: str) -> None:
        """Write one line to standard error, over the progress line."""
        self._clear()
        print(line, file=sys.stderr)

    def progress(self, what: Text, share: float | None = None) -> None:
        """Draw one line of progress, on a terminal only, at most ten times a second."""
        now = time.monotonic()
        if self.quiet or not sys.stderr.isatty() or (now - self._drawn < 0.1 and share not in (None, 1.0)):
            return
        self._drawn = now
        self._clear()
        line = what.to(self.lang) + ("" if share is None else f" {share:.0%}")
        self._width = 2 * len(line)
        print("\r" + line, end="", file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self._width:
            print("\r" + " " * self._width + "\r", end="", file=sys.stderr, flush=True)
            self._width = 0

    def finish(self) -> None:
        """Take the progress line away."""
        self._clear()


CONSOLE = Console()


class _Group(click.Group):
    """Lists the commands in the order of the work, not of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


def _speaks(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that every command has."""
    command = click.option("--verbose", is_flag=True, help="多说 / say more, tracebacks included")(command)
    command = click.option("--quiet", is_flag=True, help="少说 / no progress, no notes")(command)
    return click.option("--lang", type=click.Choice(["zh", "en"]), help="语言 / language (default: the study's, zh)")(
        command
    )


def _set_console(lang: Lang | None, quiet: bool, verbose: bool, study_lang: Lang = "zh") -> Console:
    CONSOLE.lang = lang or study_lang
    CONSOLE.quiet, CONSOLE.verbose = quiet, verbose
    return CONSOLE


@click.group(cls=_Group, no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="siting")
def main_group() -> None:
    """社区服务设施：谁在圈内、谁够用、建什么建在哪。 Community services: who is served, what to build where."""


_STUDY = click.argument("study", type=click.Path(path_type=Path))
_OUT = click.option(
    "--out", type=click.Path(path_type=Path), help="输出文件夹 / output folder (default: out beside STUDY)"
)
_FORCE = click.option("--force", is_flag=True, help="覆盖已有结果 / replace an earlier result")
_CHOSEN = click.option(
    "--chosen", type=click.Path(path_type=Path), help="已选定的方案 CSV / a plan, or your own list of actions and areas"
)


@main_group.command()
@_STUDY
@_OUT
@_FORCE
@_speaks
def run(study: Path, out: Path | None, force: bool, lang: Lang | None, quiet: bool, verbose: bool) -> int:
    """运行全部：检查、测算、评分、规划、输出。 Do it all: check, measure, score, plan, write."""
    return _do(study, out, force, lang, quiet, verbose, with_plan=True, chosen=None, write=True)


@main_group.command()
@_STUDY
@_speaks
def check(study: Path, lang: Lang | None, quiet: bool, verbose: bool) -> int:
    """只读入并检查，列出问题。 The data doctor: read, check, list every issue; write nothing."""
    from siting.study import prepare, read_study

    job = read_study(study)
    console = _set_console(lang, quiet, verbose, job.lang)
    ready = prepare(job, progress=console.progress)
    console.finish()
    for issue in ready.issues:
        print(issue.line(console.lang))
    for record in ready.records:
        console.say(
            Text(
                f"{record.role}：{record.path.name} 读入 {record.rows_read} 行，采用 {record.rows_kept} 行",
                f"{record.role}: {record.path.name}, {record.rows_read} rows read, {record.rows_kept} kept",
            )
        )
    console.say(
        Text(f"共 {len(ready.issues)} 条提示，可以运行。", f"{len(ready.issues)} issues; the study can be run.")
    )
    return DONE


@main_group.command()
@_STUDY
@_OUT
@_FORCE
@_CHOSEN
@_speaks
def score(
    study: Path, out: Path | None, force: bool, chosen: Path | None, lang: Lang | None, quiet: bool, verbose: bool
) -> int:
    """评分，不做规划；可对选定方案评分。 Score without planning; with --chosen, score that plan too."""
    return _do(study, out, force, lang, quiet, verbose, with_plan=False, chosen=chosen, write=out is not None)


@main_group.command()
@_STUDY
@_OUT
@_FORCE
@_CHOSEN
@_speaks
def plan(
    study: Path, out: Path | None, force: bool, chosen: Path | None, lang: Lang | None, quiet: bool, verbose: bool
) -> int:
    """规划；--chosen 中的行动固定采用，其余优化。 Plan; actions in --chosen stay in, the rest is optimised."""
    return _do(study, out, force, lang, quiet, verbose, with_plan=True, chosen=chosen, write=out is not None)


@main_group.command("map")
@_STUDY
@click.option("--out", type=click.Path(path_type=Path), required=True, help="地图文件 / the HTML file to write")
@_FORCE
@_CHOSEN
@_speaks
def draw_map(
    study: Path, out: Path, force: bool, chosen: Path | None, lang: Lang | None, quiet: bool, verbose: bool
) -> int:
    """只画离线地图。 Only the offline map, of today and of the plan in --chosen."""
    from siting.outputs import write_map
    from siting.study import read_study
    from siting.study import run as run_study

    job = read_study(study)
    console = _set_console(lang, quiet, verbose, job.lang)
    _check_file(out, force, ".html")
    results = run_study(job, with_plan=False, chosen=chosen, progress=console.progress)
    write_map(results, out, lang=console.lang, force=force)
    console.finish()
    console.say(Text(f"地图已写到 {out}", f"The map is in {out}"))
    return DONE


@main_group.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@_speaks
def diff(before: Path, after: Path, lang: Lang | None, quiet: bool, verbose: bool) -> int:
    """比较两次运行或两个方案。 Compare two runs (folders) or two plans (CSV)."""
    from siting.outputs.record import compare_runs

    console = _set_console(lang, quiet, verbose)
    for line in compare_runs(before, after):
        console.say(line)
    return DONE


@main_group.command()
@click.argument("name", required=False)
@_speaks
def standards(name: str | None, lang: Lang | None, quiet: bool, verbose: bool) -> int:
    """列出标准，或打印一个标准的条款。 List the shipped standards, or print the rules of one."""
    from siting.standards import list_standards, read_standard, rules_table

    console = _set_console(lang, quiet, verbose)
    if name is None:
        for one in list_standards():
            print(f"{one.id:10} {one.name.to(console.lang)}  {one.document}")
        return DONE
    _print_table(rules_table(read_standard(name), console.lang))
    return DONE


@main_group.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--mode", type=click.Choice(["walk", "bike", "drive"]), default="walk", help="方式 / travel mode")
@_FORCE
@_speaks
def network(source: Path, out: Path, mode: str, force: bool, lang: Lang | None, quiet: bool, verbose: bool) -> int:
    """把道路数据备成可快速读取的路网。 Prepare and cache a road network."""
    from siting.network import read_network, write_network

    console = _set_console(lang, quiet, verbose)
    _check_file(out, force)
    if out.exists() and source.exists() and out.samefile(source):
        raise OutputError(
            Text(f"{out} 是道路数据本身，不会覆盖；请另选文件名", f"{out} is the road file itself; choose another name")
        )
    net = read_network(source, mode=mode, progress=console.progress)
    write_network(net, out)
    console.finish()
    for issue in net.report.issues if net.report and not quiet else ():
        console.warn(issue.line(console.lang))
    console.say(
        Text(
            f"路网 {net.n_nodes} 个节点、{net.n_edges} 条边，已写到 {out}",
            f"A network of {net.n_nodes} nodes and {net.n_edges} edges is in {out}",
        )
    )
    return DONE


def _check_file(out: Path, force: bool, suffix: str = "") -> None:
    """Refuse a file that cannot be written before any work is done."""
    if suffix and out.suffix.lower() != suffix:
        raise OutputError(Text(f"{out.name}：文件名要以 {suffix} 结尾", f"{out.name}: the name must end in {suffix}"))
    if out.is_dir():
        raise OutputError(Text(f"{out} 是文件夹；请写文件名", f"{out} is a folder; give the name of a file"))
    if out.exists() and not force:
        raise OutputError(Text(f"{out} 已存在；用 --force 覆盖", f"{out} exists; --force replaces it"))
    if not out.parent.is_dir():
        raise OutputError(
            Text(
                f"没有文件夹 {out.parent}；请先新建，或另选位置",
                f"there is no folder {out.parent}; make it first, or choose another place",
            )
        )


def _do(
    path: Path,
    out: Path | None,
    force: bool,
    lang: Lang | None,
    quiet: bool,
    verbose: bool,
    *,
    with_plan: bool,
    chosen: Path | None,
    write: bool,
) -> int:
    """Run a study, write what was asked, say the headline figures, and return the exit code."""
    from siting.outputs.atomic import check_folder
    from siting.outputs.console import console_lines
    from siting.study import read_study
    from siting.study import run as run_study

    job = read_study(path)
    console = _set_console(lang, quiet, verbose, job.lang)
    folder = out or path.parent / "out"
    if write:
        check_folder(folder, force=force)
    results = run_study(job, with_plan=with_plan, chosen=chosen, progress=console.progress)
    if write:
        results.write(folder, force=force, lang=console.lang, progress=console.progress)
    console.finish()
    for issue in () if quiet else results.issues:
        if issue.severity != "note" or verbose:
            console.warn(issue.line(console.lang))
    for line in console_lines(results):
        console.say(line)
    if write:
        console.say(Text(f"结果在 {folder}", f"The results are in {folder}"))
    if console.interrupted:
        console.warn(
            Text(
                "已按 Ctrl-C 停止求解：方案是停下时找到的最好方案，结果完整",
                "Ctrl-C stopped the search: the plan is the best found by then, and the results are whole",
            ).to(console.lang)
        )
        return INTERRUPTED
    return NOT_ALL_MET if results.plan is not None and results.plan.status == "partial" else DONE


def _print_table(table: Any) -> None:
    """Print a table of texts, each row as a short block that a narrow console can hold."""
    for row in table.itertuples(index=False):
        for name, value in zip(table.columns, row, strict=True):
            if str(value):
                print(f"{name}: {value}")
        print()


def _usage(error: click.UsageError) -> Text:
    command = error.ctx.command_path if error.ctx else "siting"
    return Text(
        f"{_usage_zh(error)}（{command} --help 查看用法）",
        f"{error.format_message()} ({command} --help says how)",
    )


def _usage_zh(error: click.UsageError) -> str:
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


def _fail(error: BaseException) -> int:
    """Say what went wrong in plain words, and return the exit code."""
    console = CONSOLE
    console.finish()
    if console.verbose:
        traceback.print_exc()
    if isinstance(error, TableError):
        console.warn(error.text.to(console.lang))
        for issue in error.issues:
            console.warn("  " + issue.line(console.lang))
        return BAD_INPUT
    if isinstance(error, InfeasibleError):
        console.warn(error.text.to(console.lang))
        for block in error.blocks:
            console.warn("  " + block.to(console.lang))
        return NOT_ALL_MET
    if isinstance(error, SitingError):
        console.warn(error.text.to(console.lang))
        return BAD_INPUT
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        where = f" {error.filename}" if error.filename else ""
        console.warn(
            Text(
                f"读写文件出错{where}：{reason}；请检查权限、磁盘空间，以及文件是否被其他程序占用",
                f"reading or writing failed{where}: {reason}; check permissions, space, and whether a file is open "
                "elsewhere",
            ).to(console.lang)
        )
        return BAD_INPUT
    if isinstance(error, MemoryError):
        console.warn(
            Text(
                "内存不足；请关闭其他程序，或分乡镇运行",
                "out of memory; close other programs, or run fewer townships at a time",
            ).to(console.lang)
        )
        return BAD_INPUT
    console.warn(
        Text(
            f"程序出错：{type(error).__name__}: {error}。这是软件的缺陷，请用 --verbose 重跑并把全文发给开发者",
            f"the program failed: {type(error).__name__}: {error}. This is a defect of the software: "
            "run again with --verbose and send the whole text to the developers",
        ).to(console.lang)
    )
    return BAD_INPUT


def main(arguments: list[str] | None = None) -> int:
    """Run the command with the given arguments (default: those of the process), and return its exit code.

    Parameters
    ----------
    arguments
        The words after ``siting``.

    Returns
    -------
    int
        The exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    words = sys.argv[1:] if arguments is None else arguments
    CONSOLE.lang = _asked_lang(words)
    try:
        with main_group.make_context("siting", list(words)) as context:
            code = int(main_group.invoke(context) or DONE)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except click.exceptions.Exit as done:  # --help and --version
        return done.exit_code
    except click.UsageError as error:
        CONSOLE.warn(_usage(error).to(CONSOLE.lang))
        return BAD_USAGE
    except (KeyboardInterrupt, click.Abort):
        CONSOLE.finish()
        CONSOLE.warn(Text("已中断，没有留下半成品", "interrupted; nothing half-written is left").to(CONSOLE.lang))
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:  # the last door before the planner: no traceback passes it
        return _fail(error)


def _asked_lang(words: Sequence[str]) -> Lang:
    """Return the language that the command line asks for, before it is parsed."""
    pairs = {*words, *(f"{a}={b}" for a, b in itertools.pairwise(words))}
    return "en" if "--lang=en" in pairs else "zh"


def entry() -> None:
    """Run the command and leave the process with its exit code."""
    _note_interrupts()
    sys.exit(main())


def _note_interrupts() -> None:
    """Remember Ctrl-C: a search that it stops gives its best so far, and the exit code still says 130."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return  # started in the background, or embedded: not ours to change

    def _interrupt(number: int, frame: FrameType | None) -> None:
        CONSOLE.interrupted = True
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, _interrupt)
