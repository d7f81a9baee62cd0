"""The process of the command: streams in every state, Ctrl-C at any moment, consoles without Chinese."""

import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from siting.cli import main, start
from siting.cli.console import Console
from siting.cli.streams import shows_chinese
from siting.text import Text

SITING = f'"{sys.executable}" -m siting'
CHINESE = re.compile("[\u4e00-\u9fff]")
posix = pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX closes the streams")


@pytest.fixture
def study(tmp_path, write_tiny_county) -> Path:
    return write_tiny_county(tmp_path, "[plan]\ngap = 0")


def _shell(words: str, **given: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, shell=True, capture_output=True, text=True, check=False, timeout=120, **given)


@posix
@pytest.mark.parametrize("closed", ["2>&-", "1>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-"])
def test_a_closed_stream_changes_neither_the_work_nor_its_code(study, closed):
    out = study.parent / "o"
    done = _shell(f'{SITING} score "{study}" --out "{out}" {closed}')
    assert done.returncode == 0
    assert (out / "run.json").stat().st_size > 1000
    assert (out / "coverage.gpkg").read_bytes().startswith(b"SQLite format 3")
    assert "Traceback" not in done.stderr + done.stdout
    assert _shell(f'{SITING} score "{study.parent / "none.toml"}" {closed}').returncode == 1


@posix
def test_a_reader_of_the_faults_that_goes_away_stops_no_work(study):
    out = study.parent / "o"
    code = study.parent / "code"
    _shell(f'({SITING} score "{study}" --out "{out}" --verbose; echo $? > "{code}") 2>&1 >/dev/null | true')
    assert code.read_text(encoding="utf-8").strip() == "0"
    assert (out / "run.json").exists()


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_a_process_without_streams_works(study, monkeypatch, name):
    monkeypatch.setattr(sys, name, None)
    assert main(["check", str(study)]) == 0
    assert main(["check", str(study.parent / "none.toml")]) == 1


def test_a_stream_that_is_closed_is_no_terminal_and_no_error(monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    console = Console(lang="en")
    console.progress(Text("求解", "solving"), 1.0)
    console.warn(Text("完", "done"))


@posix
def test_results_that_did_not_reach_standard_output_are_an_error():
    done = _shell(f"{SITING} standards > /dev/full")
    assert done.returncode == 1
    assert "磁盘空间不足" in done.stderr
    assert _shell(f"{SITING} standards 2> /dev/full").returncode == 0


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "cp437"])
def test_a_console_without_chinese_gets_english(study, encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    for words in (["standards"], ["check", str(study)], ["check", "none.toml"], ["--help"], ["score", "--help"]):
        done = subprocess.run(
            [sys.executable, "-m", "siting", *words], capture_output=True, check=False, env=environment
        )
        said = (done.stdout + done.stderr).decode(encoding)
        assert "?" not in said
        assert not CHINESE.search(said)
        assert re.search("[a-z]{4}", said)
    assert "Score without planning" in said
    assert "output folder" in said
    assert "\\u" not in said


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "gbk", "utf-16"])
def test_a_console_with_chinese_gets_chinese(encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "siting", "check", "none.toml"], capture_output=True, check=False, env=environment
    )
    assert "找不到文件" in done.stderr.decode(encoding)


def test_the_outputs_stay_chinese_when_the_console_is_not(study, monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert not shows_chinese("stdout")
    assert main(["score", str(study), "--out", str(study.parent / "o")]) == 0
    assert b"Communities that meet" in sys.stdout.buffer.getvalue()
    assert "达标" in (study.parent / "o" / "report.html").read_text(encoding="utf-8")


INTERRUPTED = """
import signal, sys
from importlib.abc import MetaPathFinder

class AtImport(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, AtImport())
sys.argv = ["siting", "run", {study!r}, "--lang", "en", "--out", {out!r}]
from siting.cli import entry
entry()
"""


@pytest.mark.parametrize("module", ["click", "siting.cli.console", "numpy", "pandas", "geopandas", "folium", "highspy"])
def test_ctrl_c_while_a_module_is_loaded_ends_with_130_and_leaves_nothing(study, module):
    out = study.parent / "o"
    code = INTERRUPTED.format(module=module, study=str(study), out=str(out))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 130
    assert "Ctrl-C 2 more times ends at once" in done.stderr or "正在停止" in done.stderr
    assert "Traceback" not in done.stderr
    assert "defect" not in done.stderr
    assert not [path for path in study.parent.iterdir() if "siting-partial" in path.name]


def test_an_error_that_a_library_makes_of_ctrl_c_is_still_ctrl_c(monkeypatch, study):
    def broken(*_given, **_more):
        raise SystemError("initialization of a module raised unreported exception")

    monkeypatch.setattr("siting.study.read_study", broken)
    assert main(["check", str(study)], console=Console(interrupted=True)) == 130
    assert main(["check", str(study)], console=Console()) == 1


def test_the_third_ctrl_c_ends_at_once(monkeypatch, capfd):
    ended = []
    monkeypatch.setattr(start.os, "_exit", ended.append)
    interrupts = start.Interrupts()
    interrupts.console = Console(lang="en")
    for left in (2, 1):
        with pytest.raises(KeyboardInterrupt):
            interrupts(signal.SIGINT, None)
        assert f"stopping … (Ctrl-C {left} more times ends at once)" in capfd.readouterr().err
    assert interrupts.console.interrupted
    assert ended == []
    with pytest.raises(KeyboardInterrupt):
        interrupts(signal.SIGINT, None)
    assert ended == [130]
