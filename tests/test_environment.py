"""environment.yml and pyproject.toml ask for the same libraries in the same ranges."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def _conda_requirements() -> dict[str, str]:
    """Return {library: range} of environment.yml, whose list entries are read line by line."""
    entries = re.findall(r"^\s+- ([a-z][\w-]*)(\S*)$", (ROOT / "environment.yml").read_text(encoding="utf-8"), re.M)
    return {name: wanted for name, wanted in entries if name not in {"conda-forge", "pip"}}


def test_conda_and_pip_ask_for_the_same_libraries():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = dict(re.match(r"([\w-]+)(.*)", line).groups() for line in project["dependencies"])
    assert _conda_requirements() == wanted | {"python": project["requires-python"]}


def test_ranges_have_a_floor_and_no_pin():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [line for line in project["dependencies"] if ">=" not in line or "==" in line] == []
