"""The planner's scripts run on the example county."""

import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", ["score_county", "try_walking_speeds"])
def test_a_script_runs_on_the_example_county(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, str(ROOT / "data" / "demo" / "study.toml")])
    runpy.run_path(str(ROOT / "scripts" / f"{name}.py"), run_name="__main__")
    assert len(capsys.readouterr().out.splitlines()) >= 4
