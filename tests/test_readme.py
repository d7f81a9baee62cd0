"""What the READMEs promise is what .ci/run does and what the repository holds."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
READMES = ["README.md", "README.zh-CN.md"]


def _commands(name: str) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / name).read_text(encoding="utf-8"), re.S)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def test_ci_begins_and_ends_with_exactly_the_commands_of_the_readme():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").rstrip().splitlines()
    given = [line for line in lines if line.startswith("python3 ")]
    assert [given[0], lines[-1]] == _commands("README.md")


def test_both_languages_give_the_same_two_commands():
    first, second = (_commands(name)[:2] for name in READMES)
    assert first == second


@pytest.mark.parametrize("name", READMES)
def test_every_link_into_the_repository_leads_somewhere(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    targets = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    assert targets
    assert [link for link in targets if not (ROOT / link).exists()] == []
