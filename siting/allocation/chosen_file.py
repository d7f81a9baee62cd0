"""A plan, or a planner's own list of actions, as a CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from siting.allocation.plan import each_row
from siting.errors import Issue, MissingFileError, TableError
from siting.inputs.delimited import decode
from siting.inputs.faults import Faults, headline
from siting.inputs.schema import ACQUISITIONS
from siting.text import Text

if TYPE_CHECKING:
    from siting.allocation.plan import Plan

COLUMNS = ("source_id", "acquisition", "area_m2", "allotments")
_NAMES = {
    "source_id": ("source_id", "action_id", "candidate_id", "点位代码", "候选点编号", "编号", "id"),
    "acquisition": ("acquisition", "取得方式"),
    "area_m2": ("area_m2", "面积", "面积（㎡）", "面积(㎡)", "建筑面积", "面积（平方米）", "面积(平方米)"),
    "allotments": ("allotments", "分配"),
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """One action that a planner chose: which, how big (None: to be found), allotted to whom (None: to be found).

    ``file``, ``row`` and ``columns`` (those of `COLUMNS`, as the file calls them) tell where it was read.
    """

    source_id: str
    acquisition: str = ""
    area_m2: float | None = None
    allotments: tuple[tuple[str, float], ...] | None = None
    file: str = field(default="", compare=False)
    row: int | None = field(default=None, compare=False)
    columns: tuple[str, ...] = field(default=COLUMNS, compare=False)


def write_chosen(plan: Plan, path: str | Path) -> None:
    """Write the plan as a CSV that `read_chosen` reads (UTF-8 with a mark, so that a spreadsheet opens it).

    Parameters
    ----------
    plan
        The plan.
    path
        The file; it is replaced.
    """
    given = dict(iter(plan.allotments.groupby("action_id", sort=False)))
    with Path(path).open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        for row in each_row(plan.actions):
            part = given.get(row.action_id)
            shares = (
                ""
                if part is None
                else ";".join(
                    f"{name}={m2:.2f}" for name, m2 in zip(part["community_id"], part["area_m2"], strict=True)
                )
            )
            out.writerow([_plain(row.action_id), row.acquisition, f"{row.area_m2:.2f}", _plain(shares)])


_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


def _plain(cell: str) -> str:
    """Return a cell that no spreadsheet runs as a formula; `read_chosen` takes the mark off again."""
    return "'" + cell if cell.startswith(_FORMULA) else cell


_NO_TEXT = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_LARGEST = 100_000_000
_MARKS = str.maketrans("：；＝:，", "=;==;")


def _refuse(file: Path, problem: Text, cure: Text) -> NoReturn:
    """Refuse a file that holds no list of actions at all."""
    raise TableError(
        Text(f"{file.name} 不能用作选定方案", f"{file.name} cannot be read as a list of chosen actions"),
        [Issue("error", problem, cure, file.name)],
    )


@dataclass(slots=True)
class _Cells:
    """One row of a list of actions as it is read: what its cells hold, and what is wrong with them."""

    file: str
    row: int
    header: dict[str, str]
    cells: dict[str, str]
    faults: list[Issue] = field(default_factory=list)

    def read(self, found: Mapping[str, Chosen]) -> Chosen | None:
        """Return the action, None where something is wrong."""
        name, way, size, given = (self.cells[key] for key in COLUMNS)
        if not name:
            self._fault("source_id", Text("缺少编号", "the id is missing"), Text("请填写编号", "fill it in"))
        elif name in found:
            self._fault("source_id", Text("重复", "appears again"), Text("每个编号只能有一行", "give each id one row"))
        acquisition = ACQUISITIONS.get(way.casefold(), "")
        if way and not acquisition:
            known = dict.fromkeys(ACQUISITIONS.values())
            zh = "、".join(map(way_zh, known))
            self._fault(
                "acquisition",
                Text("不是取得方式", "is no way to obtain a site"),
                Text(f"可用：{zh}", f"use one of: {', '.join(known)}"),
            )
        area = _number(size)
        if size and area is None:
            self._fault(
                "area_m2",
                Text("须为不小于 0 的数", "must be a number >= 0"),
                Text("只写平方米数，不写单位和“约”", "write the square metres alone, without a unit or words"),
            )
        parts = [part.partition("=") for part in given.translate(_MARKS).split(";") if part.strip()]
        shares = [(to.strip(), _number(m2)) for to, _, m2 in parts]
        if any(not to or m2 is None for to, m2 in shares):
            self._fault(
                "allotments",
                Text("不可读", "cannot be read"),
                Text("写成“社区代码=平方米;社区代码=平方米”", 'write it as "community=m²;community=m²"'),
            )
        if self.faults:
            return None
        allotments = tuple((to, m2 or 0.0) for to, m2 in shares) or None
        columns = tuple(self.header.get(key, key) for key in COLUMNS)
        return Chosen(name, acquisition, area, allotments, self.file, self.row, columns)

    def _fault(self, key: str, problem: Text, cure: Text) -> None:
        column, value = self.header.get(key, key), self.cells[key][:60]
        self.faults.append(Issue("error", problem, cure, self.file, row=self.row, column=column, value=value))


def _number(cell: str) -> float | None:
    """Return a number that is not negative, None for anything else."""
    try:
        value = float(cell.replace(",", ""))
    except ValueError:
        return None
    return value if 0 <= value < np.inf else None


def read_chosen(path: str | Path) -> tuple[Chosen, ...]:
    """Read a plan, or a planner's own list: one action a row, by its id, with its area where that is settled.

    Columns source_id (or 编号), and optionally acquisition (取得方式), area_m2 (面积) and allotments
    ("community=m²;...").

    Parameters
    ----------
    path
        A CSV, UTF-8, UTF-16 or GB18030.

    Raises
    ------
    MissingFileError
        If there is no such file.
    TableError
        If there is no id column, or a row cannot be read; every fault is in it.
    """
    file = Path(path)
    try:
        rows = list(csv.reader(io.StringIO(_text_of(file), newline="")))
    except csv.Error:
        _refuse(
            file,
            Text("引号不配对，或单元格过长", "a quote is not closed, or a cell is too long"),
            Text(
                "请检查引号，或在表格软件中另存为 CSV", "check the quotes, or save it as CSV in the spreadsheet program"
            ),
        )
    header = [cell.strip() for cell in rows[0]] if rows else []
    at = {key: next((header.index(name) for name in names if name in header), None) for key, names in _NAMES.items()}
    if at["source_id"] is None:
        _refuse(
            file,
            Text("缺少点位编号列", "there is no column with the ids of the sites"),
            Text("加一列 source_id", "add a column source_id"),
        )
    named = {key: header[place] for key, place in at.items() if place is not None}
    found: dict[str, Chosen] = {}
    faults: list[Issue] = []
    for number, row in enumerate(rows[1:], start=2):
        cells = {
            key: row[place].strip().removeprefix("'") if place is not None and place < len(row) else ""
            for key, place in at.items()
        }
        if not any(cells.values()):
            continue
        one = _Cells(file.name, number, named, cells)
        action = one.read(found)
        faults += one.faults
        if action is not None:
            found[action.source_id] = action
    if faults:
        raise TableError(headline(faults), faults)
    return tuple(found.values())


def _text_of(file: Path) -> str:
    """Return what a CSV holds, UTF-8, UTF-16 or GB18030."""
    if file.is_dir():
        raise MissingFileError(
            Text(
                f"{file} 是文件夹；请指明其中的文件，例如 {file.name}/plan.csv",
                f"{file} is a folder; name the file in it, such as {file.name}/plan.csv",
            )
        )
    if not file.is_file():
        raise MissingFileError(Text(f"找不到文件 {file}", f"there is no file {file}"))
    if file.stat().st_size > _LARGEST:
        _refuse(
            file,
            Text(
                f"超过 {_LARGEST // 10**6} MB，不会是行动清单",
                f"it has over {_LARGEST // 10**6} MB: no list of actions",
            ),
            Text("请核对文件", "check which file it is"),
        )
    raw = file.read_bytes()
    if raw.startswith(_NO_TEXT):
        _refuse(
            file,
            Text("不是 CSV 文本", "is no CSV text"),
            Text("在表格软件中另存为 CSV", "save it as CSV in the spreadsheet program"),
        )
    return decode(raw, Faults(file.name))[0]


def way_zh(way: str) -> str:
    """Return the Chinese name of an acquisition, as a planner's table would write it.

    Parameters
    ----------
    way
        The acquisition.
    """
    return next((word for word, known in ACQUISITIONS.items() if known == way and not word.isascii()), way)
