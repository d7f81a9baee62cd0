"""A frame of lines -> road table: one row per piece of road, with what it says about who may use it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from siting.errors import InputError, Issue, TableError
from siting.inputs.coordinate_systems import is_wgs84, transformer_to_wgs84
from siting.inputs.datum import check_datum_name, to_wgs84
from siting.inputs.faults import Faults, rows_in_words
from siting.inputs.geodesy import line_lengths_m
from siting.inputs.tables import SourceRecord

TEXT_COLUMNS = ("highway", "name", "foot", "bicycle", "motor_vehicle", "access", "service", "junction", "area")
ROAD_COLUMNS = ("source_id", "row", *TEXT_COLUMNS, "level", "oneway", "length_m", "geometry")
OTHER_UNIT_TIMES = 3.0
"""Measured lengths this many times the drawn ones, or as much less, are told: no road winds so, but units differ so."""
LENGTH_TOLERANCE_SHARE = 0.05
"""A length whose unit nobody stated is taken as metres where it is this close to the drawn line."""
FARTHEST_DEGREES = 45.0
"""A road with a vertex this far from the middle of all is a slip: China spans 62 degrees."""
FORWARD, BACKWARD = frozenset({"yes", "true", "1", "1.0", "是", "单行"}), frozenset({"-1", "-1.0", "reverse"})
BOTH = frozenset({"", "no", "false", "0", "0.0", "否", "双向", "reversible", "alternating", "nan", "none"})
NOTHING = frozenset({"", "no", "false", "0", "0.0", "f", "否", "nan", "none"})
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Roads:
    """A road table ready to build a network from, and what was said while it was read.

    Parameters
    ----------
    lines
        LineStrings in EPSG:4326, a row per piece of road that meets others at its ends. Text, empty where not stated:
        ``source_id``, ``highway``, ``name``, ``foot``, ``bicycle``, ``motor_vehicle``, ``access``, ``service``,
        ``junction``, ``area``, and ``level`` (what is a bridge, a tunnel or another layer). ``row`` (from 1) is the row
        of the file, ``oneway`` whether the road is open in the drawn direction only, ``length_m`` the length that is
        stated (NaN: none is, the geodesic length counts).
    issues
        What was mended, left out or may change a figure.
    file
        Name of the file, empty for a table that came from elsewhere.
    record
        Which file was read, and its hash.
    """

    lines: gpd.GeoDataFrame
    issues: tuple[Issue, ...] = ()
    file: str = ""
    record: SourceRecord | None = None


def road_table(frame: gpd.GeoDataFrame, *, file: str = "", crs: Any = None, datum: str | None = None) -> Roads:
    """Return a table of lines as a road table: its columns known by name, its lines single, whole and in EPSG:4326.

    What cannot be a road (no line, an impossible place) is left out and named. ``length_m`` counts where it is given. A
    column called only ``length`` counts where it agrees with the drawn line within 5 %, and is named where it does not.

    Parameters
    ----------
    frame
        Lines in any CRS; columns as in :class:`Roads`, all optional but the geometry.
    file
        Name of the file, for the messages.
    crs
        The CRS of the lines; ``None``: the one the frame states.
    datum
        The datum of longitudes and latitudes: ``wgs84``, ``gcj02``, ``bd09`` or ``cgcs2000``; ``None``: WGS 84.

    Raises
    ------
    TableError
        If the frame has no CRS and neither CRS nor datum is given, the datum is not one of the four, or it holds no
        usable line.
    """
    faults = Faults(file)
    placed = _placed(_lines(_with_crs(frame, crs, datum, faults), faults), datum, faults)
    found = _columns(placed)
    table: dict[str, Any] = {name: _text(placed, found.get(name)) for name in TEXT_COLUMNS}
    classes = _known_words()["classes"]
    table["highway"] = np.array([classes.get(word, word) for word in table["highway"]], object)
    table["row"] = placed["_row"].to_numpy(np.int64)
    stated = _text(placed, found.get("source_id"))
    table["source_id"] = np.where(stated == "", table["row"].astype(str).astype(object), stated)
    table["level"] = _levels(placed, found)
    table["oneway"], geometry = _directions(placed, found, table, faults)
    table["length_m"] = _lengths(placed, found, geometry, faults)
    lines = gpd.GeoDataFrame(table, geometry=geometry, crs="EPSG:4326")[list(ROAD_COLUMNS)]
    return Roads(lines, tuple(faults.issues), file)


def _with_crs(frame: gpd.GeoDataFrame, crs: Any, datum: str | None, faults: Faults) -> gpd.GeoDataFrame:
    if datum is not None:
        try:
            check_datum_name(datum)
        except InputError as fault:
            said = fault.text
            raise faults.stop(said.zh, said.en, "请改正 datum", "correct datum", column="datum", value=datum) from fault
    if crs is None and frame.crs is None and datum is None:
        raise faults.stop(
            "道路没有坐标系", "the roads have no coordinate system",
            '请写明，例如 crs = "EPSG:4490"', 'state it, for example crs = "EPSG:4490"',
        )  # fmt: skip
    if crs is None and frame.crs is not None:
        return frame
    try:
        return frame.set_crs("EPSG:4326" if crs is None else crs, allow_override=True)
    except pyproj.exceptions.CRSError as error:
        raise faults.stop(
            "不认识的坐标系", "is no known coordinate system",
            "例如 EPSG:4547", "for example EPSG:4547", column="crs", value=crs,
        ) from error  # fmt: skip


def _lines(frame: gpd.GeoDataFrame, faults: Faults) -> gpd.GeoDataFrame:
    """Return the single lines of a table, with the ``_row`` (from 1) each came from and the ``_parts`` that row had."""
    shapes = frame.geometry.to_numpy()
    rows = frame["row"].to_numpy(np.int64) if "row" in frame.columns else np.arange(1, len(frame) + 1)
    kinds = shapely.get_type_id(shapes)
    empty = (kinds < 0) | shapely.is_empty(shapes)
    line = ~empty & np.isin(kinds, (1, 2, 5))
    _left_out(faults, rows[empty], "没有几何图形", "have no geometry")
    _left_out(faults, rows[~empty & ~line], "不是线", "are not lines")
    if not line.any():
        raise faults.stop(
            "没有可用的道路线", "it holds no line that could be a road", "请检查图层", "is it the right layer?"
        )
    parts, index = shapely.get_parts(shapely.force_2d(shapes[line]), return_index=True)
    drawn = ~shapely.is_empty(parts)  # a line of many parts may have some that are nothing
    parts, index = parts[drawn], index[drawn]
    count = np.bincount(index, minlength=int(line.sum()))[index]
    kept = frame.loc[line].drop(columns=frame.geometry.name).iloc[index].reset_index(drop=True)
    return gpd.GeoDataFrame(kept.assign(_row=rows[line][index], _parts=count), geometry=parts, crs=frame.crs)


def _placed(frame: gpd.GeoDataFrame, datum: str | None, faults: Faults) -> gpd.GeoDataFrame:
    """Return the rows that lie on the earth, in EPSG:4326."""
    if not is_wgs84(frame.crs) and transformer_to_wgs84(frame.crs, faults) is None:
        raise TableError(faults.issues[-1].text, faults.issues)
    try:
        placed = frame.to_crs("EPSG:4326")
    except pyproj.exceptions.ProjError as error:
        raise faults.stop(
            "坐标不能换算为经纬度", "its coordinates cannot be turned into longitude and latitude",
            "请检查坐标系", "check the coordinate system", value=error,
        ) from error  # fmt: skip
    coords, index = shapely.get_coordinates(placed.geometry.to_numpy(), return_index=True)
    with np.errstate(invalid="ignore"):
        wrong = ~((np.abs(coords[:, 0]) <= 180) & (np.abs(coords[:, 1]) <= 90))
    bad = np.bincount(index, weights=wrong, minlength=len(placed)) > 0
    _left_out(faults, np.unique(frame["_row"].to_numpy()[bad]), "的坐标不可能存在", "have impossible coordinates")
    far = ~bad & _far_away(coords, index, wrong, len(placed))
    zh, en = f"距其余道路超过 {FARTHEST_DEGREES:g} 度", f"lie more than {FARTHEST_DEGREES:g} degrees from the others"
    _left_out(faults, np.unique(frame["_row"].to_numpy()[far]), zh, en)
    bad |= far
    if bad.all():
        raise faults.stop(
            "没有一条道路在地球上",
            "no road lies on the earth",
            "请检查坐标系，以及经纬度是否颠倒",
            "check the coordinate system, and whether longitude and latitude are exchanged",
        )
    placed = placed.loc[~bad].reset_index(drop=True)
    if datum in {"gcj02", "bd09"}:
        unshift = shapely.transform(
            placed.geometry.to_numpy(), lambda lonlat: np.column_stack(to_wgs84(lonlat[:, 0], lonlat[:, 1], datum))
        )
        placed = placed.set_geometry(unshift, crs="EPSG:4326")
    return placed


def _far_away(coords: Floats, index: Ints, wrong: npt.NDArray[np.bool_], count: int) -> npt.NDArray[np.bool_]:
    """Return which lines have a vertex so far from the rest that no map in metres holds both."""
    if wrong.all():
        return np.zeros(count, np.bool_)
    middle = np.median(coords[~wrong], axis=0)
    away = ~wrong & (np.abs(coords - middle) > FARTHEST_DEGREES).any(axis=1)
    return np.bincount(index, weights=away, minlength=count) > 0


def _left_out(faults: Faults, rows: Ints, zh: str, en: str) -> None:
    if len(rows):
        numbers = rows.tolist()
        faults.warning(
            f"{len(numbers)} 行道路{zh}，未采用（{rows_in_words(numbers, 'zh')}）",
            f"{len(numbers)} roads {en} and are left out ({rows_in_words(numbers, 'en')})",
            "请改正", "correct them", column="geometry",
        )  # fmt: skip


def _columns(frame: gpd.GeoDataFrame) -> dict[str, Any]:
    """Return the column of the frame that answers to each name."""
    plain = {str(column).strip().lower().replace("（", "(").replace("）", ")"): column for column in frame.columns}
    return {
        name: next(plain[header] for header in headers if header in plain)
        for name, headers in _known_words()["columns"].items()
        if any(header in plain for header in headers)
    }


@cache
def _known_words() -> dict[str, dict[str, Any]]:
    """Return the headers and the words for road classes that are known."""
    return tomllib.loads(Path(__file__).with_name("road_columns.toml").read_text(encoding="utf-8"))


def _text(frame: gpd.GeoDataFrame, column: Any) -> Words:
    """Return a column as text, empty where nothing is stated; several values are parted by ``;``."""
    if column is None:
        return np.full(len(frame), "", object)
    codes, values = pd.factorize(frame[column].map(_word).to_numpy(object))
    return np.asarray(values, object)[codes]


def _word(value: Any) -> str:
    if isinstance(value, list | tuple | np.ndarray):
        return ";".join(str(part) for part in value)
    return "" if value is None or value is pd.NA or value != value else str(value).strip()


def _levels(frame: gpd.GeoDataFrame, found: Mapping[str, Any]) -> Words:
    """Return what level each row lies on: its ``level`` where stated, else its layer, else bridge or tunnel."""
    level = _text(frame, found.get("level"))
    for name in ("layer", "bridge", "tunnel"):
        said = _text(frame, found.get(name))
        silent = (level != "") | np.array([word.lower() in NOTHING for word in said], np.bool_)
        level = np.where(silent, level, said if name == "layer" else name)
    return level


def _directions(
    frame: gpd.GeoDataFrame, found: Mapping[str, Any], table: Mapping[str, Any], faults: Faults
) -> tuple[npt.NDArray[np.bool_], Words]:
    """Return which rows are one-way, and the lines turned so that they run in the open direction."""
    said = pd.Series([word.lower() for word in _text(frame, found.get("oneway"))], dtype=object)
    forward, backward, both = FORWARD, BACKWARD, BOTH
    if "fclass" in frame.columns and set(said.unique()) <= {"f", "t", "b", ""}:
        # the shapefiles that Geofabrik cuts from OpenStreetMap: forward, against the drawing, both
        forward, backward, both = frozenset({"f"}), frozenset({"t"}), frozenset({"b", ""})
    ahead, back = said.isin(forward).to_numpy(), said.isin(backward).to_numpy()
    strange = ~(ahead | back | said.isin(both).to_numpy())
    if strange.any():
        faults.warning(
            f"oneway 有 {int(strange.sum())} 行的值不认识，按双向处理",
            f"{int(strange.sum())} rows say something unknown of oneway and are taken as two-way",
            "可用 yes、no、-1", "use yes, no or -1",
            row=int(table["row"][strange][0]), column="oneway", value=", ".join(sorted(set(said[strange]))[:5]),
        )  # fmt: skip
    round_about = pd.Series(table["junction"]).isin(["roundabout", "circular"]).to_numpy() & (said == "").to_numpy()
    shapes = frame.geometry.to_numpy().copy()
    shapes[back] = shapely.reverse(shapes[back])
    return ahead | back | round_about, shapes


def _lengths(
    frame: gpd.GeoDataFrame, found: Mapping[str, Any], shapes: Words, faults: Faults
) -> npt.NDArray[np.float64]:
    """Return the length each row states, m; NaN where it states none that can be used."""
    column = found.get("length_m", found.get("length"))
    if column is None:
        return np.full(len(frame), np.nan)
    rows, parts = frame["_row"].to_numpy(), frame["_parts"].to_numpy()
    stated = _text(frame, column)
    length = pd.to_numeric(pd.Series(stated), errors="coerce").to_numpy(np.float64, copy=True)
    wrong = (stated != "") & ~((length > 0) & (length < np.inf))
    if wrong.any():
        _say_lengths(faults, rows[wrong], str(column), stated[wrong][0], "不是正数", "are not positive numbers")
    length[wrong | (parts > 1)] = np.nan
    if "length_m" not in found:
        return _trusted(length, shapes, rows, str(column), faults)
    usual = _times_drawn(length, shapes)
    if not 1 / OTHER_UNIT_TIMES <= usual <= OTHER_UNIT_TIMES:
        faults.warning(
            f"长度约为图上长度的 {usual:.3g} 倍，可能不是米；已照样采用，各处距离随之成倍",
            f"the lengths are about {usual:.3g} times the drawn ones: are they metres? They count as they stand",
            "请改为以米为单位；若没有实测长度，请删去此列",
            "give them in metres, or leave the column out where nothing was measured",
            column=str(column),
        )
    return length


def _times_drawn(length: npt.NDArray[np.float64], shapes: Words) -> float:
    """Return how many times the drawn lines the stated lengths are, by the median; 1 where none is stated."""
    drawn = line_lengths_m(shapes)
    given = ~np.isnan(length) & (drawn > 0)
    return float(np.median(length[given] / drawn[given])) if given.any() else 1.0


def _trusted(
    length: npt.NDArray[np.float64], shapes: Words, rows: Ints, column: str, faults: Faults
) -> npt.NDArray[np.float64]:
    """Return a column whose unit nobody stated, where it agrees with the drawn lines."""
    drawn = line_lengths_m(shapes)
    given = ~np.isnan(length) & (drawn > 0)
    if not given.any():
        return length
    usual = _times_drawn(length, shapes)
    if abs(usual - 1) > LENGTH_TOLERANCE_SHARE:
        faults.warning(
            f"该列不像以米为单位的长度（约为图上长度的 {usual:.3g} 倍），改用图上长度",
            f"it does not look like metres (about {usual:.3g} times the drawn length); the drawn length counts",
            "若确为实测长度，请以米为单位，列名改为 length_m",
            "if it was measured, give it in metres and call it length_m",
            column=column,
        )  # fmt: skip
        return np.full(len(length), np.nan)
    far = given & (np.abs(length - drawn) > np.maximum(LENGTH_TOLERANCE_SHARE * drawn, 1.0))
    faults.note(
        f"列 {column} 没有写明单位，与图上长度相符，按米采用（约为图上的 {usual:.4f} 倍）",
        f"column {column} states no unit; it agrees with the drawn lines and is taken as metres ({usual:.4f} of them)",
        column=column,
    )
    if far.any():
        zh, en = "与图上长度相差超过 5%", "differ from the drawn line by more than 5 %"
        _say_lengths(faults, rows[far], column, length[far][0], zh, en)
    return np.where(far, np.nan, length)


def _say_lengths(faults: Faults, rows: Ints, column: str, value: object, zh: str, en: str) -> None:
    numbers = rows.tolist()
    faults.warning(
        f"{len(numbers)} 行的长度{zh}，改用图上长度（{rows_in_words(numbers, 'zh')}）",
        f"{len(numbers)} lengths {en}; the drawn length counts ({rows_in_words(numbers, 'en')})",
        "请改正；实测长度的列名应为 length_m",
        "correct them; a measured length belongs in a column length_m",
        row=numbers[0], column=column, value=value,
    )  # fmt: skip
