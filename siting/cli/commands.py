"""The words a planner can type after `siting`, and what each of them does."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from siting.cli.console import Console
from siting.cli.faults import DONE, INTERRUPTED, NOT_ALL_MET
from siting.cli.streams import shows_chinese
from siting.text import Lang, Text

if TYPE_CHECKING:
    from siting.outputs import Results
    from siting.study import Study

_PATH = click.Path(path_type=Path, readable=False)  # who reads it says in plain words why it cannot be read
_STUDY = click.argument("study", type=_PATH)
_OUT = click.option("--out", type=_PATH, help="输出文件夹 / output folder (default: out beside STUDY)")
_OUT_ASKED = click.option("--out", type=_PATH, help="输出文件夹 / output folder (default: nothing is written)")
_FORCE = click.option("--force", is_flag=True, help="覆盖已有结果 / replace an earlier result")
_CHOSEN = click.option("--chosen", type=_PATH, help="已选定的方案 CSV / a plan, or your own list of actions and areas")


class _Command(click.Command):
    """Gives its help in English alone where the console cannot show Chinese."""

    def get_help(self, ctx: click.Context) -> str:
        return _shown(super().get_help(ctx))


class _Group(click.Group):
    """Lists the commands in the order of the work, not of the alphabet."""

    command_class = _Command

    def get_help(self, ctx: click.Context) -> str:
        return _shown(super().get_help(ctx))

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


def _shown(text: str) -> str:
    """Return a help text without its Chinese where the console cannot show it: each sentence stands in English too."""
    return text if shows_chinese("stdout") else re.sub(r"[^\x00-\x7f]+\S*[ \n]*(?:/ )?", "", text)


def _speaks(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the console, set as the options that every command has ask for."""

    @click.option("--lang", type=click.Choice(["zh", "en"]), help="语言 / language (default: the study's, zh)")
    @click.option("--quiet", is_flag=True, help="少说 / no progress, no notes")
    @click.option("--verbose", is_flag=True, help="多说 / say more, tracebacks included")
    @click.pass_obj
    @functools.wraps(command)
    def speaking(console: Console, /, *, lang: Lang | None, quiet: bool, verbose: bool, **asked: Any) -> int:
        console.asked, console.quiet, console.verbose = lang, quiet, verbose
        console.speak("zh")
        return command(console, **asked)

    return speaking


def _read(console: Console, path: Path) -> Study:
    """Return the study of a file; from here on the console speaks its language."""
    from siting.study import read_study

    study = read_study(path)
    console.speak(study.lang)
    return study


@click.group(cls=_Group, no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="siting")
def siting_command() -> None:
    """社区服务设施：谁在服务圈内、面积够不够、建什么建在哪。 Community services: who is served, what to build where."""


@siting_command.command()
@_STUDY
@_OUT
@_FORCE
@_speaks
def run(console: Console, study: Path, out: Path | None, force: bool) -> int:
    """运行全部：检查、测算、评分、规划、输出。 Do it all: check, measure, score, plan, write."""
    return _do(console, study, out or study.parent / "out", force, with_plan=True)


@siting_command.command()
@_STUDY
@_speaks
def check(console: Console, study: Path) -> int:
    """只读入并检查，列出问题。 The data doctor: read, check, list every issue; write nothing."""
    from siting.study import prepare

    ready = prepare(_read(console, study), progress=console.progress)
    for issue in ready.issues:
        console.say(issue.text)
    for record in ready.records:
        console.say(
            Text(
                f"{record.role}：{record.path.name} 读入 {record.rows_read} 行，采用 {record.rows_kept} 行",
                f"{record.role}: {record.path.name}, {record.rows_read} rows read, {record.rows_kept} kept",
            )
        )
    count = len(ready.issues)
    console.say(Text(f"共 {count} 条提示，可以运行。", f"{count} issue{'s' * (count != 1)}; the study can be run."))
    return DONE


@siting_command.command()
@_STUDY
@_OUT_ASKED
@_FORCE
@_CHOSEN
@_speaks
def score(console: Console, study: Path, out: Path | None, force: bool, chosen: Path | None) -> int:
    """评分，不做规划；可对选定方案评分。 Score without planning; with --chosen, score that plan too."""
    return _do(console, study, out, force, with_plan=False, chosen=chosen)


@siting_command.command()
@_STUDY
@_OUT_ASKED
@_FORCE
@_CHOSEN
@_speaks
def plan(console: Console, study: Path, out: Path | None, force: bool, chosen: Path | None) -> int:
    """规划；--chosen 中的行动固定采用，其余优化。 Plan; actions in --chosen stay in, the rest is optimised."""
    return _do(console, study, out, force, with_plan=True, chosen=chosen)


@siting_command.command("map")
@_STUDY
@click.option("--out", type=_PATH, required=True, help="地图文件 / the HTML file to write")
@_FORCE
@_CHOSEN
@_speaks
def draw_map(console: Console, study: Path, out: Path, force: bool, chosen: Path | None) -> int:
    """只画离线地图。 Only the offline map, of today and of the plan in --chosen."""
    from siting.outputs import write_map
    from siting.outputs.atomic import refuse_file
    from siting.outputs.maps import is_map
    from siting.study import run as run_study

    job = _read(console, study)
    refuse_file(out, force=force, suffix=".html", protect=_read_files(job, chosen), ours=is_map)
    results = run_study(job, with_plan=False, chosen=chosen, progress=console.progress)
    write_map(results, out, lang=console.lang, force=force)
    console.say(Text(f"地图已写到 {out}", f"The map is in {out}"))
    return DONE


@siting_command.command()
@click.argument("before", type=_PATH)
@click.argument("after", type=_PATH)
@_speaks
def diff(console: Console, before: Path, after: Path) -> int:
    """比较两次运行或两个方案。 Compare two runs (folders) or two plans (CSV)."""
    from siting.outputs.record import compare_runs

    for line in compare_runs(before, after):
        console.say(line)
    return DONE


@siting_command.command()
@click.argument("name", required=False)
@_speaks
def standards(console: Console, name: str | None) -> int:
    """列出标准，或打印一个标准的条款。 List the shipped standards, or print the rules of one."""
    from siting.standards import list_standards, read_standard, rules_table

    if name is None:
        for one in list_standards():
            console.say(Text(*(f"{one.id:10} {name}  {one.document}" for name in (one.name.zh, one.name.en))))
        return DONE
    standard = read_standard(name)
    tables = [rules_table(standard, lang).to_dict("records") for lang in ("zh", "en")]
    for zh, en in zip(*tables, strict=True):
        console.say(Text(_block(zh), _block(en)))
    return DONE


def _block(rule: Mapping[Hashable, Any]) -> str:
    """Return a rule as a short block of lines, which a narrow console can hold."""
    return "".join(f"{column}: {value}\n" for column, value in rule.items() if str(value))


@siting_command.command()
@click.argument("source", type=_PATH)
@click.argument("out", type=_PATH)
@click.option("--mode", type=click.Choice(["walk", "bike", "drive"]), default="walk", help="方式 / travel mode")
@_FORCE
@_speaks
def network(console: Console, source: Path, out: Path, mode: str, force: bool) -> int:
    """把道路数据备成可快速读取的路网。 Prepare and cache a road network."""
    from siting.network import is_kept, read_network, write_network
    from siting.outputs.atomic import refuse_file

    refuse_file(out, force=force, protect=(source,), ours=is_kept)
    net = read_network(source, mode=mode, progress=console.progress)
    write_network(net, out)
    for issue in net.report.issues if net.report and not console.quiet else ():
        console.warn(issue.text)
    console.say(
        Text(
            f"路网 {net.n_nodes} 个节点、{net.n_edges} 条边，已写到 {out}",
            f"A network of {net.n_nodes} nodes and {net.n_edges} edges is in {out}",
        )
    )
    return DONE


def _read_files(job: Study, chosen: Path | None) -> tuple[Path, ...]:
    """Return the files that a run reads: none of them may be replaced by what it writes."""
    return job.files if chosen is None else (*job.files, chosen)


def _do(
    console: Console, path: Path, folder: Path | None, force: bool, *, with_plan: bool, chosen: Path | None = None
) -> int:
    """Run a study, write the folder if one is asked for, say the headline figures, and return the exit code."""
    from siting.outputs.atomic import is_unchanged_output, refuse_existing
    from siting.study import run as run_study

    job = _read(console, path)
    if folder is not None:
        # a plan as a run left it is read whole before the next run writes its own
        kept = None if chosen is None or is_unchanged_output(chosen) else chosen
        refuse_existing(folder, force=force, protect=_read_files(job, kept))
    results = run_study(job, with_plan=with_plan, chosen=chosen, progress=console.progress)
    if folder is not None:
        results.write(folder, force=force, lang=console.lang, progress=console.progress, told=console.note)
    _say_results(console, results, folder)
    if console.interrupted:
        console.warn(
            Text(
                "已按 Ctrl-C 停止求解：方案是停下时找到的最好方案，结果完整",
                "Ctrl-C stopped the search: the plan is the best found by then, and the results are whole",
            )
        )
        return INTERRUPTED
    return NOT_ALL_MET if results.plan is not None and results.plan.status == "partial" else DONE


def _say_results(console: Console, results: Results, folder: Path | None) -> None:
    """Say what the inputs lack, the headline figures, and where the files are."""
    from siting.outputs.console import console_lines

    for issue in () if console.quiet else results.issues:
        if issue.severity != "note" or console.verbose:
            console.warn_of(issue)
    for line in console_lines(results):
        console.say(line)
    if folder is not None:
        console.say(Text(f"结果在 {folder}", f"The results are in {folder}"))
