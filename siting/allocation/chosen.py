"""A plan applied to the tables, and a plan or a planner's own list as a CSV."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from siting.allocation.plan import PlanOptions, each_row
from siting.allocation.situation import UNITS_PER_M2, Situation
from siting.errors import Issue, MissingFileError, ProblemError, TableError
from siting.inputs.schema import ACQUISITIONS
from siting.text import Progress, Text, silent

if TYPE_CHECKING:
    from siting.allocation.plan import Plan
    from siting.allocation.prescription_model import Limits

COLUMNS = ("source_id", "acquisition", "area_m2", "allotments")
_NAMES = {
    "source_id": ("source_id", "action_id", "candidate_id", "点位代码", "候选点编号", "编号", "id"),
    "acquisition": ("acquisition", "取得方式"),
    "area_m2": ("area_m2", "面积", "面积（㎡）", "面积(㎡)", "建筑面积", "面积（平方米）", "面积(平方米)"),
    "allotments": ("allotments", "分配"),
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """One action that a planner chose: which, how big (None: to be found), allotted to whom (None: to be found)."""

    source_id: str
    acquisition: str = ""
    area_m2: float | None = None
    allotments: tuple[tuple[str, float], ...] | None = None


def apply_plan(
    plan: Plan, facilities: gpd.GeoDataFrame, allotments: pd.DataFrame | None = None
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return the facilities and allotments tables with the plan applied: what `score` is to judge.

    A new site becomes a facility of its service; an extension grows the floor area of its place, and what was
    allotted of it before stays so, now by name.

    Parameters
    ----------
    plan
        The plan.
    facilities
        The facilities table it was made from.
    allotments
        The allotments table it was made from, or None.
    """
    old = facilities.copy()
    ids = old["facility_id"].astype(str)
    entries: list[tuple[str, str, float]] = []
    if allotments is not None and len(allotments):
        entries += list(
            zip(
                allotments["facility_id"].astype(str),
                allotments["community_id"].astype(str),
                allotments["area_m2"].astype(float),
                strict=True,
            )
        )
    named = {name for name, _, _ in entries}
    area = old["floor_area_m2"].to_numpy(dtype=np.float64).copy()
    given = dict(iter(plan.allotments.groupby("action_id", sort=False)))
    fresh = []
    for row in each_row(plan.actions):
        name = new_facility_id(row.action_id, set(ids)) if row.kind == "candidate" else str(row.source_id)
        if row.kind == "candidate":
            fresh.append((row, name))
        else:
            at = int(np.flatnonzero(ids.to_numpy() == name)[0])
            place = str(old["place_id"].iloc[at])
            doors = (
                np.flatnonzero(
                    (old["place_id"].astype(str) == place).to_numpy()
                    & (old["service"] == old["service"].iloc[at]).to_numpy()
                )
                if place
                else np.array([at])
            )
            now = float(np.nanmax(area[doors]))
            area[doors] = now + row.area_m2
            owners = {str(owner) for owner in old["community_id"].iloc[doors]} - {""}
            if not named & set(ids.iloc[doors]) and len(owners) == 1:
                entries.append((name, owners.pop(), now))
        if row.action_id in given:
            part = given[row.action_id]
            entries += [
                (name, str(community), float(m2))
                for community, m2 in zip(part["community_id"], part["area_m2"], strict=True)
            ]
        elif row.kind == "candidate":
            named.add(name)
    old["floor_area_m2"] = area
    new = _new_rows(old, fresh)
    table = pd.DataFrame(entries, columns=["facility_id", "community_id", "area_m2"])
    both = gpd.GeoDataFrame(pd.concat([old, new], ignore_index=True), crs=old.crs) if len(new) else old
    return both, table


def new_facility_id(action_id: str, taken: set[str]) -> str:
    """Return the facility id of a new site: its own, unless a facility has it already.

    Parameters
    ----------
    action_id
        The action.
    taken
        Ids in use.
    """
    name = action_id
    while name in taken:
        name = f"plan:{name}"
    return name


def _new_rows(old: gpd.GeoDataFrame, fresh: Sequence[tuple[Any, str]]) -> gpd.GeoDataFrame:
    """Return one facility row a new site, with the columns and kinds of the old ones."""
    rows = [row for row, _ in fresh]
    new = old.iloc[[0] * len(rows)].reset_index(drop=True) if len(old) else old
    for column in new.columns:
        if column == "geometry":
            continue
        kind = new[column].dtype
        new[column] = (
            np.nan if kind.kind == "f" else pd.NA if str(kind) == "boolean" else "" if kind.kind not in "iu" else 0
        )
        new[column] = new[column].astype(kind)
    new["facility_id"] = [name for _, name in fresh]
    new["service"] = [str(row.service) for row in rows]
    new["floor_area_m2"] = [float(row.area_m2) for row in rows]
    points = gpd.points_from_xy([row.lon for row in rows], [row.lat for row in rows], crs="EPSG:4326")
    return new.set_geometry(gpd.GeoSeries(points, crs="EPSG:4326").to_crs(old.crs))


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
_MARKS = str.maketrans("：；＝:，", "=;==;")


def _no_choice(name: str) -> Text:
    return Text(f"{name} 不能用作选定方案", f"{name} cannot be read as a list of chosen actions")


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
            zh = "、".join(map(_way_zh, known))
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
        return Chosen(name, acquisition, area, tuple((to, m2 or 0.0) for to, m2 in shares) or None)

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
        A CSV, UTF-8 or GB18030.

    Raises
    ------
    MissingFileError
        If there is no such file.
    TableError
        If there is no id column, or a row cannot be read; every fault is in it.
    """
    file = Path(path)
    if file.is_dir():
        raise MissingFileError(
            Text(
                f"{file} 是文件夹；请指明其中的文件，例如 {file.name}/plan.csv",
                f"{file} is a folder; name the file in it, such as {file.name}/plan.csv",
            )
        )
    if not file.is_file():
        raise MissingFileError(Text(f"找不到文件 {file}", f"there is no file {file}"))
    raw = file.read_bytes()
    if raw.startswith(_NO_TEXT):
        fault = Issue(
            "error",
            Text("不是 CSV 文本", "is no CSV text"),
            Text("在表格软件中另存为 CSV", "save it as CSV in the spreadsheet program"),
            file.name,
        )
        raise TableError(_no_choice(file.name), [fault])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030", errors="replace")
    rows = list(csv.reader(text.splitlines()))
    header = [cell.strip() for cell in rows[0]] if rows else []
    at = {key: next((header.index(name) for name in names if name in header), None) for key, names in _NAMES.items()}
    if at["source_id"] is None:
        fault = Issue(
            "error",
            Text("缺少点位编号列", "there is no column with the ids of the sites"),
            Text("加一列 source_id", "add a column source_id"),
            file.name,
        )
        raise TableError(_no_choice(file.name), [fault])
    found: dict[str, Chosen] = {}
    faults: list[Issue] = []
    for number, row in enumerate(rows[1:], start=2):
        cells = {
            key: row[place].strip().removeprefix("'") if place is not None and place < len(row) else ""
            for key, place in at.items()
        }
        if not any(cells.values()):
            continue
        wrong = _Cells(file.name, number, {key: header[place] for key, place in at.items() if place is not None}, cells)
        one = wrong.read(found)
        faults += wrong.faults
        if one is not None:
            found[one.source_id] = one
    if faults:
        count = len(faults)
        raise TableError(
            Text(f"{file.name} 有 {count} 处错误", f"{file.name}: {count} fault{'s' * (count > 1)}"), faults
        )
    return tuple(found.values())


def prescribe_chosen(
    situation: Situation,
    chosen: Sequence[Chosen],
    options: PlanOptions | None = None,
    *,
    with_rest: bool = True,
    progress: Progress = silent,
) -> Plan:
    """Return the plan that a planner's own choice makes: kept as it is, or kept and the rest optimised.

    Areas that the choice gives are kept. Without the rest, allotments that it gives for every action are kept too
    (the plan then has no stages: nothing was left to choose); else they are found. An area given for an action is
    what is built, within the action's limits. The budget of the options binds the rest, never the choice alone.

    Parameters
    ----------
    situation
        What the plan starts from.
    chosen
        The choice, from `read_chosen`.
    options
        What is asked of the rest.
    with_rest
        Whether other actions may be added.
    progress
        Told the stage and its gap.

    Raises
    ------
    ProblemError
        If the choice names what there is not, or another way to obtain it, an area is outside its limits, or more is
        allotted than there is.
    InfeasibleError
        If the choice cannot stand together, or costs more than the budget when the rest is to be added.
    """
    from siting.allocation.prescribe import limits_of, prescribe

    options = options or PlanOptions()
    _check_ways(situation, chosen)
    ids = tuple(dict.fromkeys(one.source_id for one in chosen))
    areas = {one.source_id: one.area_m2 for one in chosen if one.area_m2 is not None}
    wanted = replace(options, require=(*options.require, *ids), areas_m2={**options.areas_m2, **areas})
    if with_rest:
        return prescribe(situation, wanted, progress=progress)
    alone = replace(wanted, require=ids, budget=None, sites=None)
    limits = limits_of(situation, alone)
    if all(one.area_m2 is not None and one.allotments is not None for one in chosen) and chosen:
        return _as_given(situation, chosen, replace(alone, budget=options.budget), limits)
    others = [name for name, needed in zip(situation.actions.action_id, limits.required, strict=True) if not needed]
    return prescribe(situation, replace(alone, forbid=tuple(others)), progress=progress)


def _check_ways(situation: Situation, chosen: Sequence[Chosen]) -> None:
    """Refuse a choice that names another way to obtain a site than the one that was priced."""
    a = situation.actions
    for one in chosen:
        ways = {
            way
            for action, source, way in zip(a.action_id, a.source_id, a.acquisition, strict=True)
            if one.source_id in (action, source)
        }
        if one.acquisition and ways and one.acquisition not in ways:
            way = sorted(ways)[0]
            raise ProblemError(
                Text(
                    f"{one.source_id} 的取得方式在候选点表中是{_way_zh(way)}，名单中却是{_way_zh(one.acquisition)}；"
                    "请改正其中之一",
                    f"{one.source_id} is obtained by {way} in the candidates table, by {one.acquisition} in the list; "
                    "correct one of them",
                )
            )


def _way_zh(way: str) -> str:
    """Return the Chinese name of an acquisition."""
    return next((word for word, known in ACQUISITIONS.items() if known == way and not word.isascii()), way)


def _as_given(situation: Situation, chosen: Sequence[Chosen], options: PlanOptions, limits: Limits) -> Plan:
    """Return the plan with areas and allotments as the choice gives them."""
    from siting.allocation.draft import Draft
    from siting.allocation.plan_tables import make_plan
    from siting.allocation.prescription_model import build_model

    model = build_model(situation, limits)
    pairs, a = model.pairs, situation.actions
    row_of = {name: i for i, name in enumerate(situation.community_id)}
    allot = np.zeros(len(pairs.action), dtype=np.int64)
    for one in chosen:
        k = next(at for at in np.flatnonzero(limits.required) if one.source_id in (a.action_id[at], a.source_id[at]))
        for name, area_m2 in one.allotments or ():
            at = np.flatnonzero((pairs.action == k) & (pairs.community == row_of.get(name, -1)))
            if not len(at):
                raise ProblemError(
                    Text(
                        f"{one.source_id} 不能分配给 {name}：不在其生活圈内，或该社区不缺面积",
                        f"{one.source_id} cannot be allotted to {name}: not in its circle, or {name} lacks no area",
                    )
                )
            allot[at[0]] += round(area_m2 * UNITS_PER_M2)
    draft = Draft(limits.required.copy(), np.where(limits.required, limits.min_u, 0), allot)
    over = np.bincount(pairs.action, allot, minlength=len(a)) > draft.area_u
    full = draft.filled_u(situation, pairs) > np.maximum(situation.deficit_u, 0)
    if over.any() or full.any():
        names = [a.source_id[k] for k in np.flatnonzero(over)] + [
            situation.community_id[i] for i in np.flatnonzero(full)
        ]
        raise ProblemError(
            Text(
                f"分配多于面积或所缺：{'、'.join(names)}",
                f"more is allotted than there is, or than is lacking: {', '.join(names)}",
            )
        )
    return make_plan(model, options, draft, (), 0.0)
