"""pyproject.toml, environment.yml and constraints.txt agree, and name everything that is imported."""

import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCK = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
SYSTEMS = {
    "Linux": {"os_name": "posix", "sys_platform": "linux", "platform_system": "Linux"},
    "Windows": {"os_name": "nt", "sys_platform": "win32", "platform_system": "Windows"},
    "macOS": {"os_name": "posix", "sys_platform": "darwin", "platform_system": "Darwin"},
}
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
TOOLS = {"mypy", "pandas-stubs", "pytest-cov", "pytest-xdist", "ruff"}
"""What the extra ``test`` asks for and no test imports: programs, stubs, plugins."""


def _ranges(extras: Iterable[str] = ()) -> dict[str, Requirement]:
    """Return {library: requirement} of the package itself and of some of its extras."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    return {canonicalize_name(Requirement(line).name): Requirement(line) for line in lines}


def _conda_requirements() -> dict[str, str]:
    """Return {library: range} of environment.yml, whose list entries are read line by line."""
    entries = re.findall(r"^\s+- ([a-z][\w-]*)(\S*)$", (ROOT / "environment.yml").read_text(encoding="utf-8"), re.M)
    return {name: wanted for name, wanted in entries if name not in {"conda-forge", "pip"}}


def _environment(python: str, system: str) -> dict[str, str]:
    """Return what markers ask of the latest release of a Python on a system."""
    return SYSTEMS[system] | {
        "python_version": python,
        "python_full_version": f"{python}.99",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }


def _pins(environment: dict[str, str]) -> list[tuple[str, str]]:
    """Return (library, version) of the lines of the lock that hold in an environment."""
    pins = [Requirement(line) for line in LOCK]
    return [
        (canonicalize_name(pin.name), str(pin.specifier).removeprefix("=="))
        for pin in pins
        if pin.marker is None or pin.marker.evaluate(environment)
    ]


def test_conda_and_pip_ask_for_the_same_libraries():
    wanted = dict(re.match(r"([\w-]+)(.*)", line).groups() for line in PROJECT["dependencies"])
    assert _conda_requirements() == wanted | {"python": PROJECT["requires-python"]}


def test_ranges_have_a_floor_and_no_pin():
    lines = [*PROJECT["dependencies"], *(line for extra in EXTRAS.values() for line in extra)]
    assert [line for line in lines if ">=" not in line or re.search(r"[^<>!]==", line)] == []


def test_the_solver_is_not_one_of_the_releases_that_answer_wrongly():
    allowed = _ranges()["highspy"].specifier
    assert [one for one in ("1.13.1", "1.14.0", "1.15.1", "1.16.0") if allowed.contains(one)] == ["1.13.1", "1.15.1"]


def test_the_lock_holds_names_versions_and_markers_alone():
    line = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*==[0-9][0-9a-z.]*( ; [a-zA-Z0-9_ .<>=!'()]+)?")
    assert [entry for entry in LOCK if not line.fullmatch(entry)] == []


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_gives_each_library_one_version_in_its_range(python: str, system: str):
    pins = _pins(_environment(python, system))
    versions = dict(pins)
    assert len(versions) == len(pins), "two versions of one library"
    outside = {
        name: versions.get(name)
        for name, wanted in _ranges(EXTRAS).items()
        if name not in versions or not wanted.specifier.contains(versions[name])
    }
    assert outside == {}


def test_the_lock_leaves_out_nothing_that_a_locked_package_needs():
    pins = dict(_pins({}))
    floating = set()
    for name, version in pins.items():
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue
        if installed.version == version:
            needs = [Requirement(line) for line in installed.requires or ()]
            active = [need for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
            floating |= {canonicalize_name(need.name) for need in active} - set(pins)
    assert floating == set()


def _imported(tree: ast.AST) -> Iterator[str]:
    """Yield the modules that code imports, or skips a test without."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.importorskip":
            yield ast.literal_eval(node.args[0])


def _code(folder: str) -> Iterator[str]:
    for path in (ROOT / folder).rglob("*.py"):
        yield path.read_text(encoding="utf-8")
    for path in (ROOT / folder).rglob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        yield from ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def _libraries(*folders: str) -> set[str]:
    """Return the distributions that the code in some folders imports."""
    ours = {"siting", "tests", "demo_county"} | set(sys.stdlib_module_names)
    trees = [ast.parse(code) for folder in folders for code in _code(folder)]
    modules = {name.split(".")[0] for tree in trees for name in _imported(tree)}
    installed = packages_distributions()
    return {canonicalize_name(installed.get(module, [module])[0]) for module in modules - ours}


def test_the_package_declares_exactly_what_it_imports():
    assert _libraries("siting") == set(_ranges(["download"]))


def test_tests_scripts_and_notebooks_import_only_what_is_declared_and_all_of_it():
    assert _libraries("tests", "scripts", "notebooks") - set(_ranges(EXTRAS)) == set()
    asked = {canonicalize_name(Requirement(line).name) for line in [*EXTRAS["test"], *EXTRAS["peers"]]}
    assert asked - _libraries("tests", "scripts", "notebooks") == TOOLS
