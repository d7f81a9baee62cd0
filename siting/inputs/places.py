"""Where rows are: coordinates or geometries in any datum -> WGS84 geometries, each fault told with its row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import shapely
from numpy.typing import NDArray

from siting.inputs.coordinate_systems import guess_projection, places_to_wgs84
from siting.inputs.faults import Faults, also_rows
from siting.inputs.files import RawTable, Source
from siting.inputs.numbers import is_blank, parse_degrees
from siting.inputs.schema import Match
from siting.inputs.shapes import drop_empty_parts, mend_shapes, off_earth, strange_coordinates

Floats = NDArray[np.float64]
CHINA = (73.0, 3.0, 135.5, 54.0)
"""West, south, east and north of China, degrees."""


def locate_rows(
    raw: RawTable, matches: Mapping[str, Match], source: Source, faults: Faults, *, points: bool, required: bool
) -> np.ndarray:
    """Return the place of each row in WGS84, None where there is none.

    Parameters
    ----------
    raw
        The rows.
    matches
        Which columns hold longitude and latitude.
    source
        Its datum or CRS, where the file does not say.
    faults
        Where faults are put.
    points
        Whether points are wanted: a polygon then gives a point within it.
    required
        Whether a row without a place is an error.

    Returns
    -------
    ndarray
        Geometries, dtype object.
    """
    from_columns = raw.geometry is None
    if from_columns:
        if "lon" not in matches or "lat" not in matches:
            if required:
                faults.error(
                    "没有坐标：缺少经度、纬度列",
                    "no coordinates: the columns lon and lat are missing",
                    "请增加“经度”“纬度”两列",
                    "add the columns 经度 and 纬度 (lon and lat)",
                    row=raw.header_row,
                )
            return np.full(len(raw.rows), None, dtype=object)
        places = _points_from_columns(raw, matches, source, faults, required)
    else:
        places = _check_shapes(raw, faults, points=points, required=required)
        if source.swap_lon_lat:
            known = ~shapely.is_missing(places)
            places[known] = shapely.transform(places[known], lambda xy: xy[:, ::-1])
            _say_exchanged(faults)
    places = places_to_wgs84(places, raw, source, faults, from_columns=from_columns)
    _refuse_exchanged(places, raw, faults)
    _refuse_off_earth(places, raw, faults)
    _mend(places, np.asarray(raw.rows), faults)
    if points:
        _check_points(places, raw, source, faults)
    return places


def _points_from_columns(
    raw: RawTable, matches: Mapping[str, Match], source: Source, faults: Faults, required: bool
) -> np.ndarray:
    lon, lat = (_read_angles(raw, matches[name], faults, required) for name in ("lon", "lat"))
    if source.swap_lon_lat:
        lon, lat = lat, lon
        _say_exchanged(faults)
    if source.crs is None and _refuse_strange_degrees(lon, lat, raw, matches, source, faults):
        return np.full(len(lon), None, dtype=object)
    places = np.full(len(lon), None, dtype=object)
    known = np.isfinite(lon) & np.isfinite(lat)
    places[known] = shapely.points(lon[known], lat[known])
    return places


def _read_angles(raw: RawTable, match: Match, faults: Faults, required: bool) -> Floats:
    result = np.full(len(raw.rows), np.nan)
    for position, (value, row) in enumerate(zip(raw.cells[match.position], raw.rows, strict=True)):
        if is_blank(value):
            if required:
                faults.error("没有坐标", "has no coordinate", "请补充坐标", "fill it in", row=row, column=match.header)
            continue
        angle = parse_degrees(value)
        if angle is None:
            faults.error(
                "不是坐标",
                "is not a coordinate",
                "请写十进制度（如 104.9012）或度分秒（如 104°54′04″）",
                "write decimal degrees (104.9012) or 104°54′04″",
                row=row,
                column=match.header,
                value=value,
            )
            continue
        result[position] = angle
    return result


def _refuse_strange_degrees(
    lon: Floats, lat: Floats, raw: RawTable, matches: Mapping[str, Match], source: Source, faults: Faults
) -> bool:
    """Report metres, zeros and exchanged columns; tell whether the whole table is unusable."""
    known = np.isfinite(lon) & np.isfinite(lat)
    if not known.any():
        return False
    beyond = known & ((np.abs(lon) > 180) | (np.abs(lat) > 90))
    swapped = known & ~_in_china(lon, lat) & _in_china(lat, lon)
    column = matches["lon"].header
    if swapped.sum() > known.sum() / 2:
        first = int(np.flatnonzero(swapped)[0])
        _say_all_exchanged(int(swapped.sum()), raw.rows[first], column, lon[first], faults)
        return True
    if beyond.sum() > known.sum() / 2 and float(np.nanmedian(np.maximum(np.abs(lon), np.abs(lat)))) > 1000:
        first = int(np.flatnonzero(beyond)[0])
        guess = guess_projection(lon[known], lat[known])
        faults.error(
            "是米制投影坐标，不是经纬度",
            "holds projected metres, not degrees",
            f"请在研究文件中用 crs 写明坐标系{guess[0]}",
            f"say the coordinate system with crs in the study file{guess[1]}",
            row=raw.rows[first],
            column=column,
            value=lon[first],
        )
        return True
    for position in np.flatnonzero(beyond | swapped):
        row, value = raw.rows[position], f"{lon[position]:g}, {lat[position]:g}"
        lon[position] = lat[position] = np.nan
        faults.error(
            "经度与纬度似乎填反了" if swapped[position] else "不是经纬度（经度 −180 至 180，纬度 −90 至 90）",
            "longitude and latitude look exchanged"
            if swapped[position]
            else "is no longitude and latitude (within 180 and 90 degrees)",
            "请改正此行的坐标",
            "correct the coordinates of this row",
            row=row,
            column=column,
            value=value,
        )
    return False


def _say_exchanged(faults: Faults) -> None:
    faults.note("按要求对调了经度与纬度", "longitude and latitude exchanged, as asked")


def _refuse_exchanged(places: np.ndarray, raw: RawTable, faults: Faults) -> None:
    """Report shapes that lie in China only with longitude and latitude exchanged, and take their place away."""
    west, south, east, north = shapely.bounds(places).T
    lon, lat = (west + east) / 2, (south + north) / 2
    swapped = np.flatnonzero(~_in_china(lon, lat) & _in_china(lat, lon))
    if not len(swapped):
        return
    values = [f"{lon[position]:.5f}, {lat[position]:.5f}" for position in swapped]
    places[swapped] = None
    if len(swapped) > (~np.isnan(lon)).sum() / 2:
        _say_all_exchanged(len(swapped), raw.rows[swapped[0]], "geometry", values[0], faults)
        return
    for position, value in zip(swapped, values, strict=True):
        faults.error(
            "经度与纬度似乎填反了",
            "longitude and latitude look exchanged",
            "请改正此行的坐标",
            "correct the coordinates of this row",
            row=raw.rows[position],
            column="geometry",
            value=value,
        )


def _say_all_exchanged(count: int, row: int, column: str, value: object, faults: Faults) -> None:
    faults.error(
        f"经度与纬度似乎填反了（{count} 行）",
        f"longitude and latitude look exchanged in {count} row{'s' * (count != 1)}",
        "请在原数据中对调，或在研究文件中写 swap_lon_lat = true",
        "exchange them in the data, or write swap_lon_lat = true in the study file",
        row=row,
        column=column,
        value=value,
    )


def _in_china(lon: Floats, lat: Floats) -> NDArray[np.bool_]:
    west, south, east, north = CHINA
    return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


def _check_shapes(raw: RawTable, faults: Faults, *, points: bool, required: bool) -> np.ndarray:
    """Return the geometries of a layer: empty ones told, Z dropped, bow-ties mended, points made where wanted."""
    shapes = np.array(raw.geometry, dtype=object, copy=True)
    rows = np.asarray(raw.rows)
    strange = strange_coordinates(shapes)
    endless = np.zeros(len(shapes), np.bool_)
    endless[list(strange)] = True
    shapes[endless] = None
    _drop_heights(shapes, faults)
    drop_empty_parts(shapes)
    _mend(shapes, rows, faults)
    none = ~endless & (shapely.is_missing(shapes) | shapely.is_empty(shapes))
    shapes[none] = None
    for position in np.flatnonzero(none | endless):
        (faults.error if required else faults.warning)(
            "没有图形，或图形不成立（如少于两点的线）" if none[position] else "坐标不是有限的数，或大得不可能",
            "has no geometry, or one that is none, such as a line of one point"
            if none[position]
            else "has a coordinate that is not a finite number, or impossibly large",
            "请补画或删去此行",
            "draw it again or delete the row",
            row=int(rows[position]),
            column="geometry",
            value=strange.get(int(position)),
        )
    good = ~(none | endless)
    if points:
        drawn = np.flatnonzero(good & (shapely.get_type_id(shapes) != 0))
        if len(drawn):
            shapes[drawn] = shapely.point_on_surface(shapes[drawn])
            numbers = [int(row) for row in rows[drawn]]
            faults.note(
                f"不是点，取其内部一点{also_rows(numbers, 'zh')}",
                f"not a point; a point within it is used{also_rows(numbers, 'en')}",
                row=numbers[0],
                column="geometry",
            )
    return shapes


def _drop_heights(shapes: np.ndarray, faults: Faults) -> None:
    high = shapely.has_z(shapes)
    if high.any():
        faults.note(
            f"{int(high.sum())} 个图形带高程，已略去",
            f"{int(high.sum())} geometries carry heights, which were dropped",
        )
    shapes[:] = shapely.force_2d(shapes)


def _mend(shapes: np.ndarray, rows: NDArray[np.int64], faults: Faults) -> None:
    """Mend shapes that cross themselves, as they stand or once they are in degrees, and tell their rows."""
    for position in mend_shapes(shapes):
        faults.warning(
            "图形自相交，已修补",
            "the shape crosses itself; it was mended",
            "请在 GIS 中核对",
            "check it in a GIS",
            row=int(rows[position]),
            column="geometry",
        )


def _refuse_off_earth(places: np.ndarray, raw: RawTable, faults: Faults) -> None:
    """Report shapes with a vertex that is no longitude and latitude, and take their place away."""
    for position, value in off_earth(places).items():
        places[position] = None
        faults.error(
            "不是经纬度（经度 −180 至 180，纬度 −90 至 90）",
            "is no longitude and latitude (within 180 and 90 degrees)",
            "请核对坐标与 crs",
            "check the coordinates and crs",
            row=raw.rows[position],
            column="geometry",
            value=value,
        )


def _check_points(places: np.ndarray, raw: RawTable, source: Source, faults: Faults) -> None:
    known = ~shapely.is_missing(places)
    lon, lat = np.full(len(places), np.nan), np.full(len(places), np.nan)
    lon[known], lat[known] = shapely.get_x(places[known]), shapely.get_y(places[known])
    zero = known & (np.abs(lon) < 0.01) & (np.abs(lat) < 0.01)
    for position in np.flatnonzero(zero):
        faults.error(
            "坐标是 (0, 0)，即没有坐标",
            "its coordinates are (0, 0): none were given",
            "请补充坐标",
            "fill them in",
            row=raw.rows[position],
            column="geometry",
        )
    beyond = np.flatnonzero(known & ~zero & ~_in_china(lon, lat))
    if not len(beyond):
        return
    if len(beyond) > known.sum() / 2:
        first = int(beyond[0])
        faults.warning(
            f"{len(beyond)} 个点在中国范围之外",
            f"{len(beyond)} points lie outside China",
            "如数据在国内，请核对坐标、datum 与 crs",
            "if the data are Chinese, check the coordinates, datum and crs",
            row=raw.rows[first],
            column="geometry",
            value=f"{lon[first]:.5f}, {lat[first]:.5f}",
        )
        return
    for position in beyond:
        faults.warning(
            "在中国范围之外",
            "lies outside China",
            "请核对坐标",
            "check its coordinates",
            row=raw.rows[position],
            column="geometry",
            value=f"{lon[position]:.5f}, {lat[position]:.5f}",
        )
