"""A frame of lines -> road table: one row per piece of road, with what it says about who may use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from siting.errors import Issue
from siting.inputs.faults import Faults, rows_in_words
from siting.inputs.geodesy import line_lengths_m

TEXT_COLUMNS = ("highway", "name", "foot", "bicycle", "motor_vehicle", "access", "service", "junction", "area")
ROAD_COLUMNS = ("source_id", *TEXT_COLUMNS, "oneway", "length_m", "geometry")
ALIASES = {
    "highway": ("highway", "fclass", "道路等级", "道路类型"),
    "name": ("name", "道路名称", "名称"),
    "oneway": ("oneway", "单行", "单行道"),
    "length_m": ("length_m", "长度_m", "长度(m)", "长度(米)"),
    "length": ("length", "长度"),
    "source_id": ("source_id", "osm_id", "osmid", "道路编号"),
}
LENGTH_TOLERANCE_SHARE = 0.05
FORWARD, BACKWARD = frozenset({"yes", "true", "1", "1.0", "是", "单行"}), frozenset({"-1", "-1.0", "reverse"})
BOTH = frozenset({"", "no", "false", "0", "0.0", "否", "双向", "reversible", "alternating", "nan", "none"})


@dataclass(frozen=True, slots=True)
class Roads:
    """A road table ready to build a network from, and what was said while it was read.

    Parameters
    ----------
    lines
        LineStrings in EPSG:4326, a row per piece of road that meets others at its ends: ``source_id``, ``highway``,
        ``name``, ``foot``, ``bicycle``, ``motor_vehicle``, ``access``, ``service``, ``junction``, ``area`` (text, empty where not
        stated), ``oneway`` (true: open in the drawn direction only), ``length_m`` (NaN: not given, the geodesic length counts).
    issues
        What was mended, left out or may change a figure.
    file
        Name of the file, empty for a table that came from elsewhere.
    """

    lines: gpd.GeoDataFrame
    issues: tuple[Issue, ...] = ()
    file: str = ""


def road_table(frame: gpd.GeoDataFrame, *, file: str = "", crs: Any = None) -> Roads:
    """Return a table of lines as a road table: its columns known by name, its lines single, whole and in EPSG:4326.

    What cannot be a road (no line, an impossible place) is left out and named. ``length_m`` counts where it is given; a column that is
    called only ``length`` counts where it agrees with the drawn line within 5 %, and is named where it does not.

    Parameters
    ----------
    frame
        Lines in any CRS; columns as in :class:`Roads`, all optional but the geometry.
    file
        Name of the file, for the messages.
    crs
        The CRS where the frame states none.

    Raises
    ------
    TableError
        If the frame has no CRS and none is given, or holds no usable line.
    """
    faults = Faults(file)
    frame = _with_crs(frame, crs, faults)
    frame = _placed(_lines(frame, faults), faults)
    rows, parts = frame.pop("_row").to_numpy(), frame.pop("_parts").to_numpy()
    found = _columns(frame)
    table: dict[str, Any] = {name: _text(frame, found.get(name)) for name in TEXT_COLUMNS}
    stated = _text(frame, found.get("source_id"))
    table["source_id"] = np.where(stated == "", rows.astype(str).astype(object), stated)
    geometry = frame.geometry.to_numpy()
    table["oneway"], geometry = _directions(frame, found, table["junction"], geometry, rows, faults)
    table["length_m"] = _lengths(frame, found, geometry, rows, parts, faults)
    lines = gpd.GeoDataFrame(table, geometry=geometry, crs="EPSG:4326")[list(ROAD_COLUMNS)]
    return Roads(lines, tuple(faults.issues), file)


def _with_crs(frame: gpd.GeoDataFrame, crs: Any, faults: Faults) -> gpd.GeoDataFrame:
    if crs is not None and frame.crs is None:
        return frame.set_crs(crs)
    if frame.crs is None:
        raise faults.stop(
            "道路没有坐标系", "the roads have no coordinate system", "请写明坐标系，如 crs = \"EPSG:4490\"",
            'state it, for instance crs = "EPSG:4490"',
        )  # fmt: skip
    return frame


def _lines(frame: gpd.GeoDataFrame, faults: Faults) -> gpd.GeoDataFrame:
    """Return the single lines of a table, each with its row number (``_row``, from 1) and the ``_parts`` its row had."""
    geometry = frame.geometry.to_numpy()
    rows = np.arange(1, len(frame) + 1)
    kinds = shapely.get_type_id(geometry)
    empty = (kinds < 0) | shapely.is_empty(geometry)
    line = ~empty & np.isin(kinds, (1, 2, 5))
    _left_out(faults, rows[empty], "没有几何", "have no geometry")
    _left_out(faults, rows[~empty & ~line], "不是线", "are not lines")
    if not line.any():
        raise faults.stop(
            "没有可用的道路线", "it holds no line that could be a road", "请检查图层", "is this the right layer?"
        )
    parts, index = shapely.get_parts(shapely.force_2d(geometry[line]), return_index=True)
    whole = shapely.get_num_points(parts) >= 2
    parts, index = parts[whole], index[whole]
    count = np.bincount(index, minlength=int(line.sum()))[index]
    kept = frame.loc[line].iloc[index].drop(columns=frame.geometry.name)
    out = gpd.GeoDataFrame(kept.reset_index(drop=True), geometry=parts, crs=frame.crs)
    return out.assign(_row=rows[line][index], _parts=count)


def _placed(frame: gpd.GeoDataFrame, faults: Faults) -> gpd.GeoDataFrame:
    """Return the rows that lie on the earth, in EPSG:4326."""
    try:
        placed = frame.to_crs("EPSG:4326")
    except pyproj.exceptions.ProjError as error:
        raise faults.stop(
            f"坐标不能换算为经纬度（{error}）", f"its coordinates cannot be turned into longitude and latitude ({error})",
            "请检查坐标系", "check the coordinate system",
        ) from error  # fmt: skip
    coords, index = shapely.get_coordinates(placed.geometry.to_numpy(), return_index=True)
    with np.errstate(invalid="ignore"):
        wrong = ~((np.abs(coords[:, 0]) <= 180) & (np.abs(coords[:, 1]) <= 90))
    bad = np.bincount(index, weights=wrong, minlength=len(placed)) > 0
    _left_out(faults, np.unique(frame["_row"].to_numpy()[bad]), "的坐标不可能存在", "have impossible coordinates")
    if bad.all():
        raise faults.stop(
            "没有一条道路在地球上", "no road lies on the earth", "请检查坐标系", "check the coordinate system"
        )
    return placed.loc[~bad].reset_index(drop=True)


def _left_out(faults: Faults, rows: npt.NDArray[np.int64], zh: str, en: str) -> None:
    if len(rows):
        numbers = rows.tolist()
        faults.warning(
            f"{len(numbers)} 行道路{zh}，未采用（{rows_in_words(numbers, 'zh')}）",
            f"{len(numbers)} roads {en} and are left out ({rows_in_words(numbers, 'en')})",
            "请改正后再用", "correct them", column="geometry",
        )  # fmt: skip


def _columns(frame: gpd.GeoDataFrame) -> dict[str, Any]:
    """Return the column of the frame that answers to each name."""
    plain = {str(column).strip().lower().replace("（", "(").replace("）", ")"): column for column in frame.columns}
    names = {name: (name,) for name in TEXT_COLUMNS} | ALIASES
    return {
        name: next(plain[alias] for alias in aliases if alias in plain)
        for name, aliases in names.items()
        if any(alias in plain for alias in aliases)
    }


def _text(frame: gpd.GeoDataFrame, column: Any) -> npt.NDArray[Any]:
    """Return a column as text, empty where nothing is stated."""
    if column is None:
        return np.full(len(frame), "", object)
    values = frame[column]
    words = values.map(lambda value: ";".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
    return words.where(values.notna(), "").str.strip().to_numpy(object)


def _directions(
    frame: gpd.GeoDataFrame, found: Mapping[str, Any], junction: npt.NDArray[Any],
    geometry: npt.NDArray[Any], rows: npt.NDArray[np.int64], faults: Faults,
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[Any]]:  # fmt: skip
    """Return which rows are one-way, and the lines turned so that they run in the open direction."""
    said = pd.Series(_text(frame, found.get("oneway"))).str.lower()
    forward, backward, both = FORWARD, BACKWARD, BOTH
    if "fclass" in frame.columns and set(said.unique()) <= {"f", "t", "b", ""}:
        # the shapefiles that Geofabrik cuts from OpenStreetMap: forward, against the drawing, both
        forward, backward, both = frozenset({"f"}), frozenset({"t"}), frozenset({"b", ""})
    ahead, back = said.isin(forward).to_numpy(), said.isin(backward).to_numpy()
    strange = ~(ahead | back | said.isin(both).to_numpy())
    if strange.any():
        values = sorted(set(said[strange]))
        faults.warning(
            f"oneway 有 {int(strange.sum())} 行的值不认识，按双向处理", f"oneway says something unknown in {int(strange.sum())} rows, taken as two-way",
            "可用 yes、no、-1", "use yes, no or -1", column="oneway", value=", ".join(values[:5]), row=int(rows[strange][0]),
        )  # fmt: skip
    roundabout = (pd.Series(junction).isin(["roundabout", "circular"]) & (said == "")).to_numpy()
    geometry = geometry.copy()
    geometry[back] = shapely.reverse(geometry[back])
    return ahead | back | roundabout, geometry


def _lengths(
    frame: gpd.GeoDataFrame, found: Mapping[str, Any], geometry: npt.NDArray[Any],
    rows: npt.NDArray[np.int64], parts: npt.NDArray[np.int64], faults: Faults,
) -> npt.NDArray[np.float64]:  # fmt: skip
    """Return the length each row states, m; NaN where it states none that can be used."""
    own = "length_m" in found
    column = found.get("length_m", found.get("length"))
    if column is None:
        return np.full(len(frame), np.nan)
    stated = frame[column].notna().to_numpy() & (_text(frame, column) != "")
    length = pd.to_numeric(frame[column], errors="coerce").to_numpy(np.float64, copy=True)
    wrong = stated & ~((length > 0) & (length < np.inf))
    if wrong.any():
        faults.warning(
            f"{int(wrong.sum())} 行的长度不是正数，改用图上长度（{rows_in_words(rows[wrong].tolist(), 'zh')}）",
            f"{int(wrong.sum())} lengths are not positive numbers; the drawn length counts ({rows_in_words(rows[wrong].tolist(), 'en')})",
            "请改正该列", "correct that column", column=str(column), value=str(frame[column][wrong].iloc[0]),
        )  # fmt: skip
    length[wrong | (parts > 1)] = np.nan
    return length if own else _trusted(length, geometry, rows, str(column), faults)


def _trusted(
    length: npt.NDArray[np.float64],
    geometry: npt.NDArray[Any],
    rows: npt.NDArray[np.int64],
    column: str,
    faults: Faults,
) -> npt.NDArray[np.float64]:
    """Return a column whose unit nobody stated, where it agrees with the drawn lines."""
    drawn = line_lengths_m(geometry)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = length / drawn
    given = np.isfinite(ratio)
    far = given & (np.abs(ratio - 1) > LENGTH_TOLERANCE_SHARE) & (np.abs(length - drawn) > 1)
    if (
        not given.any()
        or np.median(ratio[given]) > 1 + LENGTH_TOLERANCE_SHARE
        or np.median(ratio[given]) < 1 - LENGTH_TOLERANCE_SHARE
    ):
        if given.any():
            share = f"{np.median(ratio[given]):.3g}"
            faults.warning(
                f"列 {column} 不像以米为单位的长度（约为图上长度的 {share} 倍），改用图上长度",
                f"column {column} does not look like metres (about {share} times the drawn length); the drawn length counts",
                "若确为实测长度，请把该列改名为 length_m，以米为单位", "if it was measured, call it length_m and give it in metres", column=column,
            )  # fmt: skip
        return np.full(len(length), np.nan)
    if far.any():
        faults.warning(
            f"{int(far.sum())} 行的长度与图上相差超过 5%，改用图上长度（{rows_in_words(rows[far].tolist(), 'zh')}）",
            f"{int(far.sum())} lengths differ from the drawn line by more than 5 %; the drawn length counts ({rows_in_words(rows[far].tolist(), 'en')})",
            "若确为实测长度，请把该列改名为 length_m", "if they were measured, call the column length_m", column=column,
            value=str(length[far][0]), row=int(rows[far][0]),
        )  # fmt: skip
    return np.where(far, np.nan, length)
