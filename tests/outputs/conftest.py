"""One made-up run for all tests of the outputs, with and without a plan."""

from pathlib import Path

import pytest

from siting.outputs import Results, write_all
from tests.outputs.made import made_results


@pytest.fixture(scope="session")
def results() -> Results:
    """A run with a plan, every kind of verdict, and hostile names."""
    return made_results()


@pytest.fixture(scope="session")
def bare_results() -> Results:
    """A run without a plan and without boundaries."""
    return made_results(plan=False, outlines=False)


@pytest.fixture(scope="session")
def written(results: Results, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The outputs of the run, in Chinese."""
    return dict(write_all(results, tmp_path_factory.mktemp("run") / "结果"))
