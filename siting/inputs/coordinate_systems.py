"""Coordinate systems -> WGS84: the one a file or the study names, and how well the way from it is known."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from siting.errors import InputError
from siting.inputs.datum import check_datum_name, to_wgs84
from siting.inputs.faults import Faults
from siting.inputs.shapes import strange_coordinates

if TYPE_CHECKING:
    from siting.inputs.files import RawTable, Source

Floats = NDArray[np.float64]
_AS_WGS84 = {"World Geodetic System 1984", "World Geodetic System 1984 ensemble", "China 2000"}
"""The datums, as PROJ calls them, that are WGS84 to the centimetre: itself, whose projections newer releases of PROJ
give without an accuracy, and CGCS2000, to which PROJ knows no way."""


def places_to_wgs84(
    places: np.ndarray, raw: RawTable, source: Source, faults: Faults, *, from_columns: bool
) -> np.ndarray:
    """Return geometries in WGS84 from what the file or the study says of them.

    Parameters
    ----------
    places
        Geometries as they stand in the file, None where there is none.
    raw
        The rows they belong to, and the coordinate system that the file names.
    source
        The datum and the coordinate system that the study names; the latter goes before the file's own.
    faults
        Where faults are put.
    from_columns
        Whether they were made of two columns, which name no coordinate system.

    Returns
    -------
    ndarray
        Geometries, dtype object; None where the way to WGS84 is not known or leads nowhere.
    """
    nowhere = np.full(len(places), None, dtype=object)
    crs = _named_crs(raw, source, faults)
    if crs is False or not _knows_datum(crs, source, faults, from_columns):
        return nowhere
    known = ~shapely.is_missing(places)
    result = places.copy()
    if crs is not None and known.any():
        bounds = shapely.bounds(places[known])
        if _refuse_zone_numbers(bounds[:, 0], crs, faults) or _refuse_degrees(bounds, crs, faults):
            return nowhere
        if not is_wgs84(crs):
            transformer = transformer_to_wgs84(crs, faults)
            if transformer is None:
                return nowhere
            result[known] = shapely.transform(
                result[known], lambda xy: np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))
            )
    if source.datum in {"gcj02", "bd09"}:
        datum = source.datum
        result[known] = shapely.transform(
            result[known], lambda xy: np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], datum))
        )
    lost = np.zeros(len(result), np.bool_)
    lost[list(strange_coordinates(result))] = True
    for position in np.flatnonzero(lost):
        faults.error(
            "坐标不在该坐标系的范围内",
            "lies outside its coordinate system",
            "请核对坐标与 crs",
            "check the coordinates and crs",
            row=raw.rows[position],
            column="geometry",
        )
    result[lost] = None
    return result


def _named_crs(raw: RawTable, source: Source, faults: Faults) -> Any:
    """Return the coordinate system that the study or else the file names, None where neither does, False if wrong."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    if not say_unknown_crs(raw, source, faults):
        return False
    if source.crs is None:
        return raw.crs
    try:
        return CRS.from_user_input(source.crs)
    except CRSError:
        faults.error(
            "不认识的坐标系",
            "is no known coordinate system",
            "例如 EPSG:4547",
            "for example EPSG:4547",
            column="crs",
            value=source.crs,
        )
        return False


def known_crs(said: Any) -> tuple[Any, str]:
    """Return the coordinate system that something stands for, else ``None`` and what was said, in words.

    Parameters
    ----------
    said
        A name, a code, or a definition, of whatever kind a file may hold; "" names none.

    Returns
    -------
    tuple
        A ``pyproj.CRS`` and "", or ``None`` and the words.
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    if said == "":
        return None, ""
    words = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    try:
        return (CRS.from_user_input(words), "") if isinstance(said, str | dict) else (None, words)
    except CRSError:
        return None, words


def say_unknown_crs(raw: RawTable, source: Source, faults: Faults) -> bool:
    """Report that a file names a coordinate system that is not known, and tell whether the study says another.

    Parameters
    ----------
    raw
        What was read.
    source
        The coordinate system or the datum that the study names goes before the file's own.
    faults
        Where the fault is put: an error where the study names none.
    """
    if not raw.unknown_crs:
        return True
    named = source.crs or source.datum
    if named:
        faults.warning(
            f"文件写明的坐标系不认识；按研究文件的 {named} 读取",
            f"the coordinate system that the file names is not known; read as {named}, as the study says",
            "请核对",
            "check it",
            column="crs",
            value=raw.unknown_crs,
        )
    else:
        faults.error(
            "文件写明的坐标系不认识",
            "the coordinate system that the file names is not known",
            "请核对，并在研究文件中写明 crs（如 EPSG:4490）",
            "check it, and name crs in the study file (EPSG:4490, for example)",
            column="crs",
            value=raw.unknown_crs,
        )
    return bool(named)


def _knows_datum(crs: Any, source: Source, faults: Faults, from_columns: bool) -> bool:
    """Tell whether the file or the study says what the coordinates mean; report where it does not."""
    if source.datum is not None:
        try:
            check_datum_name(source.datum)
        except InputError as fault:
            faults.error(
                fault.text.zh, fault.text.en, "请改正 datum", "correct datum", column="datum", value=source.datum
            )
            return False
    if crs is None and source.datum is None:
        faults.error(
            "没有说明坐标基准" if from_columns else "文件没有坐标系",
            "the datum of its coordinates is not said" if from_columns else "the file names no coordinate system",
            '请在研究文件中写明：datum = "gcj02"（高德、腾讯）、"bd09"（百度）、"cgcs2000" 或 "wgs84"；投影坐标用 crs',
            'say it in the study file: datum = "gcj02" (Amap, Tencent), "bd09" (Baidu), "cgcs2000" or "wgs84"; '
            "crs for projected coordinates",
        )
        return False
    return True


def is_wgs84(crs: Any) -> bool:
    """Tell whether coordinates in a system are WGS84 longitudes and latitudes to the centimetre.

    Parameters
    ----------
    crs
        A ``pyproj.CRS``.

    Returns
    -------
    bool
        True for EPSG:4326, its kin, and CGCS2000.
    """
    from pyproj import CRS

    kin = {("OGC", "CRS84"), ("EPSG", "4979"), ("EPSG", "4490")}
    return crs.equals(CRS.from_epsg(4326), ignore_axis_order=True) or crs.to_authority() in kin


def transformer_to_wgs84(crs: Any, faults: Faults) -> Any:
    """Return the transformation of a coordinate system to WGS84; an inexact one is told, None where there is none.

    Parameters
    ----------
    crs
        A ``pyproj.CRS``.
    faults
        Where it is said that the old datums (Beijing 1954, Xian 1980) are off by up to 100 m, or that a local system
        has no known place on the earth.

    Returns
    -------
    pyproj.Transformer or None
        From easting and northing, or longitude and latitude, in that order.
    """
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            transformer = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    except ProjError:
        faults.error(
            f"坐标系 {crs.name} 是地方独立坐标系，无法换算为经纬度",
            f"{crs.name} is a local coordinate system, which cannot be turned into longitude and latitude",
            "请先换算为 CGCS2000，或用 crs 写明它所依据的投影",
            "convert it to CGCS2000 first, or name the projection it stands for with crs",
            column="crs",
        )
        return None
    geodetic = crs.geodetic_crs
    same = geodetic is not None and geodetic.datum is not None and geodetic.datum.name in _AS_WGS84
    if not crs.is_bound and not same and transformer.accuracy < 0:
        faults.warning(
            f"坐标系 {crs.name} 到 WGS84 没有已知的精确换算，位置可能偏差数十至上百米",
            f"no accurate transformation from {crs.name} to WGS84 is known; "
            "places may be off by tens of metres up to 100 m or more",
            "请用测绘部门的参数先换算为 CGCS2000",
            "convert it to CGCS2000 first with the survey office's parameters",
        )
    return transformer


def _refuse_degrees(bounds: Floats, crs: Any, faults: Faults) -> bool:
    """Report longitudes and latitudes that are declared as projected metres, and tell whether they are."""
    if not crs.is_projected or (np.abs(bounds) > 180).any() or not np.isfinite(bounds).all():
        return False
    faults.error(
        f"是经纬度，不是 {crs.name} 的米制坐标",
        f"holds degrees, not metres of {crs.name}",
        '请去掉 crs，改写 datum（如 datum = "cgcs2000"）',
        'leave out crs and name the datum instead (datum = "cgcs2000")',
        column="crs",
        value=f"{bounds[0, 0]:g}, {bounds[0, 1]:g}",
    )
    return True


def _refuse_zone_numbers(easting: Floats, crs: Any, faults: Faults) -> bool:
    """Report eastings that carry a zone number in a CRS that has none, and tell whether there are."""
    if not crs.is_projected or float(np.median(easting)) < 1e7:
        return False
    operation = crs.coordinate_operation
    false_easting = next((each.value for each in operation.params if each.name == "False easting"), 0.0)
    if (
        not 4e5 <= false_easting < 1e6
    ):  # a transverse Mercator zone without its number; others may well be this far east
        return False
    guess = guess_projection(easting, easting)
    faults.error(
        f"东坐标带有带号，而坐标系 {crs.name} 没有带号",
        f"the eastings carry a zone number, which {crs.name} has not",
        f"请在研究文件中用 crs 写明带带号的坐标系{guess[0]}",
        f"name the coordinate system with the zone number as crs in the study file{guess[1]}",
        column="crs",
        value=f"{float(easting[0]):.2f}",
    )
    return True


def guess_projection(first: Floats, second: Floats) -> tuple[str, str]:
    """Return a guess at the zone of Gauss-Krüger coordinates, in words.

    Parameters
    ----------
    first, second
        The two coordinates, m, in either order.

    Returns
    -------
    tuple
        What to add to the cure, in Chinese and in English; empty where nothing can be guessed.
    """
    easting = first if np.median(np.abs(first)) < np.median(np.abs(second)) else second
    eight = first if np.median(first) >= 1e7 else second
    zone = int(np.median(eight) // 1e6)
    if np.median(eight) >= 1e7 and 25 <= zone <= 45:
        return (
            f"，例如东坐标带 3° 带号 {zone}：EPSG:{4513 + zone - 25}",
            f", for example EPSG:{4513 + zone - 25}: the eastings carry the number of 3° zone {zone}",
        )
    if np.median(eight) >= 1e7 and 13 <= zone <= 23:
        return (
            f"，例如东坐标带 6° 带号 {zone}：EPSG:{4491 + zone - 13}",
            f", for example EPSG:{4491 + zone - 13}: the eastings carry the number of 6° zone {zone}",
        )
    if 1e5 < np.median(easting) < 1e6:
        return (
            "，例如 CGCS2000 3° 带 EPSG:4534–4554 之一（按中央经线选）",
            ", for example one of EPSG:4534 to 4554 (CGCS2000, 3° zones; choose by the central meridian)",
        )
    return ("", "")
