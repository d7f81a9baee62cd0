"""The house keeps its shape: imports point one way, every third party has one door, docstrings say what they must."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "siting"
ROOMS = [
    "text",
    "errors",
    "arrays",
    "exact",
    "small_files",
    "standards",
    "inputs",
    "network",
    "reach",
    "coverage",
    "allocation",
    "outputs",
    "study_reader",
    "study_file",
    "study_inputs",
    "study",
    "cli",
    "__main__",
]
DOORS = {
    "osmnx": ["inputs/"],
    "osmium": ["inputs/"],
    "openpyxl": ["inputs/"],
    "sqlalchemy": ["inputs/"],
    "contourpy": ["reach/"],
    "highspy": ["allocation/solve.py"],
    "folium": ["outputs/"],
    "branca": ["outputs/"],
    "xlsxwriter": ["outputs/"],
    "click": ["cli/"],
    "numba": ["_kernels"],
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole path"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", [p for p in MODULES if _name(p) != "__init__.py"], ids=_name)
def test_a_room_imports_only_rooms_above_it(path):
    here = ROOMS.index(_room(path))
    for target in _imports(ast.parse(path.read_text(encoding="utf-8"))):
        parts = target.split(".")
        if parts[0] == "siting" and len(parts) > 1:
            assert ROOMS.index(parts[1]) <= here, f"{_name(path)} imports {target}"


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_third_party_comes_in_by_its_one_door(path):
    for target in _imports(ast.parse(path.read_text(encoding="utf-8"))):
        doors = DOORS.get(target.split(".")[0])
        assert doors is None or any(door in _name(path) for door in doors), f"{_name(path)} imports {target}"


def test_every_module_says_its_job_in_its_first_line():
    silent = [_name(p) for p in MODULES if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))]
    assert silent == []


def _public_functions() -> list[tuple[str, ast.FunctionDef]]:
    """Return the functions that a room's ``__all__`` names, where they are defined."""
    found = []
    for door in PACKAGE.glob("*/__init__.py"):
        tree = ast.parse(door.read_text(encoding="utf-8"))
        public = {
            element.value
            for node in tree.body
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
            for element in node.value.elts
        }
        found += [
            (f"{_name(path)}:{node.name}", node)
            for path in sorted(door.parent.rglob("*.py"))
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef) and node.name in public
        ]
    return found


def _parameters(node: ast.FunctionDef) -> list[str]:
    return [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]


def _section(doc: str, title: str) -> str:
    match = re.search(rf"^{title}\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", doc, re.M | re.S)
    return match.group(1) if match else ""


@pytest.mark.parametrize(("name", "node"), [pytest.param(*pair, id=pair[0]) for pair in _public_functions()])
def test_a_public_docstring_lists_its_parameters_in_order_and_its_errors(name, node):
    doc = ast.get_docstring(node) or ""
    listed = [
        word.strip()
        for line in re.findall(r"^(\w[\w, ]*)$", _section(doc, "Parameters"), re.M)
        for word in line.split(",")
    ]
    assert listed == _parameters(node), f"{name}: Parameters"
    raised = {
        call.func.id
        for statement in ast.walk(node)
        if isinstance(statement, ast.Raise)
        for call in [statement.exc]
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
    }
    assert {error for error in raised if error not in _section(doc, "Raises")} == set(), f"{name}: Raises"


def test_a_measure_in_a_public_name_carries_its_unit_in_the_docstring():
    units = {
        "_m": r"\bm\b|metre",
        "_m2": "m²|m2|square met",
        "_kmh": "km/h",
        "_min": "minute|\\bmin\\b",
        "_s": r"\bs\b|second",
    }
    missing = []
    for name, node in _public_functions():
        lines = _section(ast.get_docstring(node) or "", "Parameters")
        for parameter in _parameters(node):
            for ending, unit in units.items():
                if parameter.endswith(ending):
                    text = re.search(rf"^[\w, ]*\b{parameter}\b[\w, ]*\n((?:\s+.*\n?)+)", lines, re.M)
                    if not text or not re.search(unit, text.group(1)):
                        missing.append(f"{name}({parameter})")
    assert missing == []


def test_importing_the_package_does_no_work():
    code = (
        "import sys, siting; heavy = {'osmnx', 'folium', 'matplotlib', 'highspy', 'numba', 'geopandas', 'openpyxl'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_product_speaks_of_the_product_alone():
    root = PACKAGE.parent
    words = re.compile(r"/work/|/farm/|\.\./shared/|files\.pythonhosted|pypi\.org/simple")
    texts = [p for kind in ("*.py", "*.toml", "*.md", "*.yml") for p in root.rglob(kind) if ".venv" not in p.parts]
    here = {Path(__file__).resolve()}
    assert [p.name for p in texts if p.resolve() not in here and words.search(p.read_text(encoding="utf-8"))] == []


def test_every_public_name_is_there():
    import siting

    assert [name for name in siting.__all__ if not hasattr(siting, name)] == []
