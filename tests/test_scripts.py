"""The planner's scripts run on the example county."""

import re
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("score_county", r"\d{12} +\d+ 平方米  临政办发〔2023〕29号.*"),
        ("try_walking_speeds", r"\d\.\d km/h: 9\d\.\d% of .*"),
    ],
)
def test_a_script_runs_on_the_example_county(name, line, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, str(ROOT / "data" / "demo" / "study.toml")])
    runpy.run_path(str(ROOT / "scripts" / f"{name}.py"), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 4
    assert [other for other in lines if not re.fullmatch(line, other)] == []
