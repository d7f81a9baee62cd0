"""A planner's files -> checked tables in one form: WGS84, canonical columns, every row accounted for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from siting.errors import Issue, TableError
from siting.inputs.cells import ServiceList, blank_column, read_cells
from siting.inputs.checks import check_tables
from siting.inputs.faults import Faults, headline, refused
from siting.inputs.files import RawTable, Source, file_sha256, read_file
from siting.inputs.headers import match_headers
from siting.inputs.offline import offline
from siting.inputs.places import locate_rows
from siting.inputs.schema import MONEY_UNITS, POINT_ROLES, ROLE_NAMES, ROLES, Column, Match, read_columns
from siting.text import Progress, Text, silent

WGS84 = "EPSG:4326"


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """What was read of one file: the rows in it, the rows kept, and how it was understood."""

    role: str
    path: Path
    sha256: str
    rows_read: int
    rows_kept: int
    encoding: str
    datum: str
    part: str
    """The sheet or layer that was read."""


@dataclass(frozen=True, slots=True)
class Tables:
    """A study's tables, checked: points in EPSG:4326, every canonical column there, what is missing NaN, NA or ""."""

    communities: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    candidates: gpd.GeoDataFrame
    allotments: pd.DataFrame
    boundaries: gpd.GeoDataFrame | None
    buildings: gpd.GeoDataFrame | None
    issues: tuple[Issue, ...]
    records: tuple[SourceRecord, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where each row of a table came from: the file and its row number."""

    file: tuple[str, ...]
    sheet: tuple[str, ...]
    row: tuple[int, ...]


@dataclass(slots=True)
class _Part:
    """The rows of one file, read and located, with where they came from."""

    frame: gpd.GeoDataFrame | pd.DataFrame
    faults: Faults
    rows: list[int]
    record: SourceRecord


@offline()
def read_tables(
    sources: Mapping[str, Source | Sequence[Source]],
    standard: ServiceList,
    *,
    money_unit: str = "万元",
    progress: Progress = silent,
) -> Tables:
    """Return the tables of a study, read from the planner's files.

    Every file is read before any fault is raised, so that a planner sees all of them at once. Rows are kept in
    the order of the files; a row that is left out (a total, a remark, the header again) is named in the issues.

    Parameters
    ----------
    sources
        The file or files of each role: communities and facilities; if there are any, candidates, allotments,
        boundaries and buildings.
    standard
        The standard whose list of services names are looked up in.
    money_unit
        Unit of money columns that do not name one: 元, 千元, 万元 or 亿元.
    progress
        Told which file is being read, and the share of files done.

    Returns
    -------
    Tables
        Money in 万元, areas in m², shares none; ``issues`` holds what was mended, left out or is doubtful.

    Raises
    ------
    TableError
        If any file has a fault that stops the run; ``issues`` holds every fault of every file.
    """
    general = Faults("")
    money_scale = _money_scale(money_unit, general)
    listed = _list_sources(sources, general)
    parts: dict[str, list[_Part]] = {role: [] for role in ROLES}
    issues = list(general.issues)
    for done, (role, source) in enumerate(listed):
        progress(Text(f"读取 {source.path.name}", f"reading {source.path.name}"), done / len(listed))
        faults = Faults(source.path.name)
        try:
            part = _read_part(role, source, standard, money_scale, money_unit, faults)
        except TableError:
            issues.extend(faults.issues)
            continue
        except OSError as error:
            refused(error, faults)
            issues.extend(faults.issues)
            continue
        parts[role].append(part)
        issues.extend(faults.issues)
    frames = {role: _join_parts(role, parts[role]) for role in ROLES}
    origins = {role: _origins(parts[role]) for role in ROLES}
    failed = {role for role, _ in listed if len(parts[role]) < sum(1 for other, _ in listed if other == role)}
    given = {role for role, _ in listed}
    issues.extend(check_tables(frames, origins, given=given, failed=failed, said=issues))
    if any(issue.severity == "error" for issue in issues):
        raise TableError(headline(issues), issues)
    _settle_types(frames)
    return Tables(
        communities=frames["communities"],
        facilities=frames["facilities"],
        candidates=frames["candidates"],
        allotments=frames["allotments"],
        boundaries=frames["boundaries"] if "boundaries" in given else None,
        buildings=frames["buildings"] if "buildings" in given else None,
        issues=tuple(issues),
        records=tuple(part.record for role in ROLES for part in parts[role]),
    )


def _money_scale(money_unit: str, faults: Faults) -> float:
    if money_unit not in MONEY_UNITS:
        faults.error(
            "不认识的货币单位",
            "is no known unit of money",
            f"可用：{'、'.join(MONEY_UNITS)}",
            f"use one of: {', '.join(MONEY_UNITS)}",
            column="money_unit",
            value=money_unit,
        )
    return MONEY_UNITS.get(money_unit, 1.0)


def _list_sources(sources: Mapping[str, Source | Sequence[Source]], faults: Faults) -> list[tuple[str, Source]]:
    """Return each file with its role, in the order of the roles; report a role that is not one or is missing."""
    for role in sources:
        if role not in ROLES:
            faults.error(
                "不是输入表的名称",
                "is no table that is read",
                f"可用：{'、'.join(ROLES)}",
                f"use one of: {', '.join(ROLES)}",
                value=role,
            )
    listed: list[tuple[str, Source]] = []
    for role in ROLES:
        given = sources.get(role, ())
        listed.extend((role, source) for source in ([given] if isinstance(given, Source) else given))
    for role in ("communities", "facilities"):
        if role not in {each for each, _ in listed}:
            zh, en = ROLE_NAMES[role]
            faults.error(
                f"没有给出{zh}",
                f"{en} is not given",
                f"请在研究文件 [inputs] 中写明 {role}",
                f"name it as {role} under [inputs] of the study file",
            )
    return listed


def _read_part(
    role: str, source: Source, standard: ServiceList, money_scale: float, money_unit: str, faults: Faults
) -> _Part:
    """Return the rows of one file in canonical columns, located; faults are gathered as it goes."""
    raw = read_file(source, role, faults)
    matches: Mapping[str, Match] = {}
    if raw.headers or raw.rows:  # a layer without a feature may well say nothing of its columns
        matches = match_headers(raw.headers, role, source.columns, faults, raw.header_row, cut_names=raw.cut_names)
    _say_units(matches, money_unit, faults)
    columns = [column for column in read_columns()[role] if column.kind != "degrees"]
    data = {column.name: _read_one(raw, column, matches, faults, standard, money_scale) for column in columns}
    frame = pd.DataFrame(data, index=pd.RangeIndex(len(raw.rows)))
    if role != "allotments":
        places = locate_rows(
            raw,
            matches,
            source,
            faults,
            points=role in POINT_ROLES,
            required=role != "communities",
        )
        frame = gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(list(places), crs=WGS84, index=frame.index), crs=WGS84)
    _say_if_empty(role, raw, faults)
    record = SourceRecord(
        role=role,
        path=source.path,
        sha256=file_sha256(source.path),
        rows_read=raw.rows_read,
        rows_kept=len(raw.rows),
        encoding=raw.encoding,
        datum=source.datum or source.crs or (raw.crs.to_string() if raw.crs is not None else ""),
        part=raw.part,
    )
    return _Part(frame, faults, raw.rows, record)


def _read_one(
    raw: RawTable,
    column: Column,
    matches: Mapping[str, Match],
    faults: Faults,
    standard: ServiceList,
    money_scale: float,
) -> Any:
    match = matches.get(column.name)
    if match is None:
        return blank_column(column, len(raw.rows))
    return read_cells(raw.cells[match.position], match, raw.rows, faults, standard=standard, money_scale=money_scale)


def _say_units(matches: Mapping[str, Match], money_unit: str, faults: Faults) -> None:
    for match in matches.values():
        kind = match.column.kind
        if kind in {"money", "money_per_m2"} and match.scale is None:
            faults.note(
                f"列名没有写货币单位，按{money_unit}计",
                f"the column names no unit of money; taken in {money_unit}",
                "如不对，请在列名后写“元”或“万元”",
                "if that is wrong, write 元 or 万元 behind the column name",
                column=match.header,
            )
        elif match.unread_unit and (kind == "area" or match.column.is_number):
            # behind a number of people anything may stand (a year, a source), behind an area or a price it is a unit
            report = faults.note if kind in {"whole", "number"} else faults.warning
            report(
                f"括号内“{match.unread_unit}”不是已知单位，数值未换算",
                f'"{match.unread_unit}" in the column name is no known unit; the figures are taken as they are',
                "如是别的单位，请换算后改列名",
                "if it is another unit, convert the figures and rename the column",
                column=match.header,
            )


def _say_if_empty(role: str, raw: RawTable, faults: Faults) -> None:
    if raw.rows:
        return
    zh, en = ROLE_NAMES[role]
    report = faults.error if role == "communities" else faults.warning
    report(f"{zh}有 0 行数据", f"{en}: 0 rows", "请核对文件是否导出完整", "check that the file was exported whole")


def _join_parts(role: str, parts: Sequence[_Part]) -> Any:
    """Return the rows of all files of a role as one table."""
    if not parts:
        columns = [column for column in read_columns()[role] if column.kind != "degrees"]
        empty = pd.DataFrame({column.name: blank_column(column, 0) for column in columns})
        if role == "allotments":
            return empty
        return gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=WGS84), crs=WGS84)
    if len(parts) == 1:
        return parts[0].frame
    filled = [part.frame for part in parts if len(part.frame)] or [parts[0].frame]
    joined = pd.concat(filled, ignore_index=True)
    return joined if role == "allotments" else gpd.GeoDataFrame(joined, geometry="geometry", crs=WGS84)


def _origins(parts: Sequence[_Part]) -> Origin:
    return Origin(
        tuple(part.faults.file for part in parts for _ in part.rows),
        tuple(part.faults.sheet for part in parts for _ in part.rows),
        tuple(row for part in parts for row in part.rows),
    )


def _settle_types(frames: Mapping[str, Any]) -> None:
    """Give every column its type: households whole, numbers float64, texts str."""
    for role, frame in frames.items():
        for column in read_columns()[role]:
            if column.kind == "degrees":
                continue
            if column.kind == "whole":
                frame[column.name] = np.rint(frame[column.name].to_numpy(dtype=float)).astype(np.int64)
            elif column.is_number:
                frame[column.name] = frame[column.name].astype(float)
            elif column.kind not in {"bool", "use", "services"}:
                frame[column.name] = frame[column.name].astype(str)
