"""Layers with geometry: GeoPackage, GeoJSON, Shapefile (bare or zipped) and Parquet -> raw tables."""

from __future__ import annotations

import codecs
import glob
import logging
import re
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from siting.errors import TableError
from siting.inputs.coordinate_systems import known_crs
from siting.inputs.faults import Faults
from siting.inputs.files import RawTable, Source, limit_archive
from siting.inputs.geojson import check_geojson
from siting.inputs.geopackage import check_geopackage, named_definition
from siting.inputs.geoparquet import read_geoparquet
from siting.inputs.limits import MOST_COLUMNS, MOST_ROWS, check_plain, too_many_columns, too_many_rows

if TYPE_CHECKING:
    import geopandas as gpd

_MAGIC: dict[str, tuple[bytes, ...]] = {
    ".gpkg": (b"SQLite format 3\0",),
    ".shp": (b"\x00\x00\x27\x0a",),
    ".zip": (b"PK",),
    ".parquet": (b"PAR1",),
    ".geoparquet": (b"PAR1",),
}
_SHAPEFILE_PARTS = {
    ".shx": ("索引", "index"),
    ".dbf": ("属性表", "attributes"),
}


def read_vector(path: Path, head: bytes, source: Source, faults: Faults) -> RawTable:
    """Return the rows of a layer, geometry apart.

    Parameters
    ----------
    path
        The file.
    head
        Its first bytes: a file whose content is not what its name says is refused, for GDAL would follow it elsewhere.
    source
        May name the layer.
    faults
        Where notes are gathered.

    Returns
    -------
    RawTable
        Cells as they stand, ``geometry`` an array of shapely geometries (None for a table without), ``crs`` as stored.

    Raises
    ------
    TableError
        If it is damaged, incomplete, not what its name says, or has several layers and none is named.
    """
    suffix = path.suffix.casefold()
    if suffix in {".geojson", ".json"}:
        return _read_geojson(path, source, faults)
    if not head.startswith(_MAGIC[suffix]):
        raise faults.stop(
            "文件已损坏，或内容与扩展名不符",
            "the file is damaged, or not what its name says",
            "请重新导出或下载",
            "export or download it again",
        )
    if suffix in {".parquet", ".geoparquet"}:
        return _read_parquet(path, faults)
    if suffix == ".zip":
        return _read_zip(path, source, faults)
    if suffix == ".shp":
        return _read_shapefile(path, faults)
    check_geopackage(path, None, faults)
    layer = _choose_layer(path, source.layer, faults)
    check_geopackage(path, layer, faults)
    table = _read_layer(path, layer, faults)
    if table.geometry is not None and table.crs is None:
        table.unknown_crs = named_definition(path, layer, faults)
    return table


def _read_layer(path: Path, layer: str, faults: Faults) -> RawTable:
    frame = _guarded(lambda: _read_gdal(path, layer=layer), faults)
    if len(frame) > MOST_ROWS:
        raise too_many_rows(len(frame), faults)
    return _frame_to_table(frame, layer, "utf-8")


def _read_geojson(path: Path, source: Source, faults: Faults) -> RawTable:
    """Return the rows of a GeoJSON in the coordinate system it names; GDAL takes one it does not know for WGS84."""
    import pyogrio

    named = check_geojson(path, faults)
    layer = _choose_layer(path, source.layer, faults)
    fields = len(_guarded(lambda: pyogrio.read_info(path, layer=layer)["fields"], faults))
    if fields > MOST_COLUMNS:
        raise too_many_columns(fields, faults)
    table = _read_layer(path, layer, faults)
    if not named.stated:
        return table
    table.crs, table.unknown_crs = known_crs(named.name)
    if named.inner and table.crs is not None:
        faults.note(
            f"坐标系写在各图形中，按 {named.name} 读取",
            f"its shapes name the coordinate system, not the file; read as {named.name}",
            column="crs",
        )
    return table


def _damaged(faults: Faults, detail: str) -> Exception:
    return faults.stop(
        "文件已损坏，无法打开",
        "the file is damaged and cannot be opened",
        "请重新导出或下载",
        "export or download it again",
        value=detail,
    )


def _guarded(read: Callable[[], Any], faults: Faults) -> Any:
    """Return what a reader returns; what GDAL or Arrow says of a damaged or odd file becomes an issue."""
    import pyogrio.errors
    import pyproj.exceptions

    try:
        with warnings.catch_warnings(record=True) as heard, _listening() as logged:
            warnings.simplefilter("always")
            result = read()
    except TableError:
        raise
    except (pyogrio.errors.CRSError, pyproj.exceptions.CRSError) as fault:
        raise faults.stop(
            "文件中坐标系的定义残缺",
            "the definition of the coordinate system in the file is not whole",
            "请重新导出；Shapefile 也可删去 .prj，并在研究文件中写明 crs",
            "export it again; of a shapefile, the .prj may be deleted and crs named in the study file",
            column="crs",
            value=fault,
        ) from None
    except Exception as fault:
        # none of the libraries says which exceptions a damaged file may raise: KeyError, UnboundLocalError and
        # MemoryError were met beside their own; the one call under this is theirs alone
        raise _damaged(faults, f"{type(fault).__name__}: {fault}") from None
    told = [each.message for each in heard if issubclass(each.category, RuntimeWarning | UserWarning)]
    for message in dict.fromkeys([*(str(each) for each in told), *logged]):
        faults.warning(
            "读取时 GDAL 有提示",
            "GDAL had something to say of this file",
            "请核对读入的内容",
            "check what was read",
            value=message,
        )
    return result


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Collect what pyogrio logs as a warning: older versions say there, and only there, which fields they skip."""
    heard: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    listener, logger = Listener(logging.WARNING), logging.getLogger("pyogrio")
    logger.addHandler(listener)
    try:
        yield heard
    finally:
        logger.removeHandler(listener)


def _read_gdal(path: Path, **options: Any) -> Any:
    import pyogrio

    # a shape that is none (a ring of two points), and a vertex that is no number, are told with their rows
    with np.errstate(invalid="ignore"):
        return pyogrio.read_dataframe(path, on_invalid="ignore", **options)


def _read_parquet(path: Path, faults: Faults) -> RawTable:
    read = read_geoparquet(path, faults, lambda reader: _guarded(reader, faults))
    cells = [[_plain_value(value) for value in column] for column in read.cells]
    rows = list(range(1, read.rows + 1))
    table = RawTable(read.headers, cells, rows, read.rows, geometry=read.geometry)
    if read.geo is not None and read.geo.crs is not None:
        table.crs, table.unknown_crs = known_crs(read.geo.crs)
    return table


def _choose_layer(path: Path, wanted: str | None, faults: Faults) -> str:
    import pyogrio

    names = [str(name) for name, _ in _guarded(lambda: pyogrio.list_layers(path), faults) if name != "layer_styles"]
    listed = ", ".join(names)
    if wanted is not None and wanted in names:
        return wanted
    if wanted is not None:
        raise faults.stop(
            f"没有名为“{wanted}”的图层",
            f'has no layer named "{wanted}"',
            f"图层有：{listed}",
            f"its layers are: {listed}",
        )
    if len(names) == 1:
        return names[0]
    if not names:
        raise faults.stop("文件中没有图层", "the file has no layer", "请重新导出", "export it again")
    raise faults.stop(
        f"有 {len(names)} 个图层，未指明用哪一个",
        f"has {len(names)} layers and none is named",
        f"请在研究文件中用 layer 指明：{listed}",
        f"name one with layer in the study file: {listed}",
    )


def _read_shapefile(path: Path, faults: Faults) -> RawTable:
    """Return the rows of a shapefile; its texts are read byte by byte, then as UTF-8, else GB18030."""
    for beside in path.parent.glob(f"{glob.escape(path.stem)}.*"):
        if beside.stem == path.stem and not beside.is_dir():
            check_plain(beside, faults)
    missing = [suffix for suffix in _SHAPEFILE_PARTS if _sibling(path, suffix) is None]
    if missing:
        zh = "、".join(f"{path.stem}{suffix}（{_SHAPEFILE_PARTS[suffix][0]}）" for suffix in missing)
        en = ", ".join(f"{path.stem}{suffix} ({_SHAPEFILE_PARTS[suffix][1]})" for suffix in missing)
        raise faults.stop(
            f"Shapefile 不完整，缺少 {zh}",
            f"the shapefile is not complete; missing: {en}",
            "请把同名的各个文件放在一起",
            "put all files of that name side by side",
        )
    if _sibling(path, ".prj") is None:
        faults.note(f"缺少 {path.stem}.prj（坐标系）", f"{path.stem}.prj (the coordinate system) is missing")
    frame = _guarded(lambda: _read_gdal(path, encoding="ISO-8859-1"), faults)
    frame, encoding = _decode_frame(frame, faults)
    declared = _sibling(path, ".cpg")
    said = declared.read_text(encoding="ascii", errors="replace").strip() if declared else ""
    if not said:
        faults.note(
            f"缺少 {path.stem}.cpg（编码），按 {encoding} 读取",
            f"{path.stem}.cpg (the encoding) is missing; read as {encoding}",
        )
    elif encoding != "ascii" and _canonical(said) != _canonical(encoding):
        faults.note(
            f"{path.stem}.cpg 写的是 {said}，实际为 {encoding}，已按后者读取",
            f"{path.stem}.cpg says {said}, but the texts are {encoding} and were read so",
        )
    if len(frame) > MOST_ROWS:
        raise too_many_rows(len(frame), faults)
    table = _frame_to_table(frame, path.stem, encoding)
    table.cut_names = True
    projection = _sibling(path, ".prj")
    if table.crs is None and projection is not None:
        table.unknown_crs = projection.read_text(encoding="utf-8", errors="replace").strip()
    return table


def _canonical(encoding: str) -> str:
    text = re.sub(r"[^a-z0-9]", "", encoding.casefold())
    return (
        "gb18030"
        if text in {"gbk", "gb2312", "gb18030", "936", "cp936", "oem936", "ansi936"}
        else text.replace("65001", "utf8")
    )


def _sibling(path: Path, suffix: str) -> Path | None:
    for candidate in (path.with_suffix(suffix), path.with_suffix(suffix.upper())):
        if candidate.exists():
            return candidate
    return None


def _decode_frame(frame: Any, faults: Faults) -> tuple[Any, str]:
    names = [str(column) for column in frame.columns]
    frame = frame.copy()
    # two fields may be called the same: each is known by its place until both are named in the issues
    frame.columns = [name if name == "geometry" else str(place) for place, name in enumerate(names)]
    texts = [
        column for column in frame.columns if column != "geometry" and pd.api.types.is_string_dtype(frame[column].dtype)
    ]
    sample = names + [value for column in texts for value in frame[column] if isinstance(value, str)]
    raw = [value.encode("latin1", errors="replace") for value in sample]
    encoding = "ascii" if all(value.isascii() for value in raw) else "utf-8"
    if not all(_is_utf8(value) for value in raw):
        encoding = "gb18030"
    damaged = 0

    def decode(value: Any) -> Any:
        nonlocal damaged
        if not isinstance(value, str):
            return value
        data = value.encode("latin1", errors="replace")
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            damaged += 1
            return data.decode(encoding, errors="ignore")

    for column in texts:
        frame[column] = pd.Series([decode(value) for value in frame[column]], dtype=object, index=frame.index)
    frame.columns = [decode(name) if name != "geometry" else name for name in names]
    if damaged:
        faults.warning(
            f"{damaged} 处文字被截断在半个汉字上，残缺的半字已去掉",
            f"{damaged} texts were cut within a character; the broken half was dropped",
            "Shapefile 的字段名最多 10 字节；建议改用 GeoPackage",
            "a shapefile's field names hold 10 bytes; GeoPackage is better",
        )
    return frame, encoding


def _is_utf8(data: bytes) -> bool:
    """Tell whether bytes are UTF-8, perhaps cut within their last character, as the names of fields are."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _read_zip(path: Path, source: Source, faults: Faults) -> RawTable:
    limit_archive(path, faults)
    with zipfile.ZipFile(path) as archive:
        members = {_member_name(info): info for info in archive.infolist() if not info.is_dir()}
        shapes = sorted(name for name in members if name.casefold().endswith(".shp") and "__MACOSX" not in name)
        stems = {Path(name).stem: name for name in shapes}
        listed = ", ".join(stems)
        if not shapes:
            raise faults.stop(
                "压缩包里没有 Shapefile（.shp）",
                "the zip holds no shapefile (.shp)",
                "请直接给出其中的文件",
                "unpack it and name the file in it",
                value=", ".join(list(members)[:5]),
            )
        if source.layer is not None and source.layer not in stems:
            raise faults.stop(
                f"压缩包里没有“{source.layer}”",
                f'the zip holds no "{source.layer}"',
                f"其中有：{listed}",
                f"it holds: {listed}",
            )
        if source.layer is None and len(shapes) > 1:
            raise faults.stop(
                f"压缩包里有 {len(shapes)} 个 Shapefile，未指明用哪一个",
                f"the zip holds {len(shapes)} shapefiles and none is named",
                f"请在研究文件中用 layer 指明：{listed}",
                f"name one with layer in the study file: {listed}",
            )
        chosen = stems[source.layer] if source.layer is not None else shapes[0]
        with tempfile.TemporaryDirectory() as folder:
            stem = chosen[: -len(".shp")]
            for name, info in members.items():
                if name[: -len(Path(name).suffix) or None] == stem and len(Path(name).suffix) <= 5:
                    target = Path(folder) / f"{_plain_stem(stem)}{Path(name).suffix.casefold()}"
                    _guarded(partial(_unpack, archive, info, target), faults)
            return _read_shapefile(Path(folder) / f"{_plain_stem(stem)}.shp", faults)


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> None:
    with archive.open(info) as packed, target.open("wb") as plain:
        shutil.copyfileobj(packed, plain)


def _plain_stem(stem: str) -> str:
    """Return the last part of a member's name, without what could lead out of the folder it is unpacked to."""
    return re.sub(r"[^\w\u4e00-\u9fff-]", "_", stem.replace("\\", "/").rsplit("/", 1)[-1]) or "layer"


def _member_name(info: zipfile.ZipInfo) -> str:
    """Return a member's name, read as GB18030 where the archive does not say that it is UTF-8."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("gb18030")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return info.filename


def _frame_to_table(frame: pd.DataFrame | gpd.GeoDataFrame, part: str, encoding: str) -> RawTable:
    import geopandas as gpd

    geometry = crs = None
    if isinstance(frame, gpd.GeoDataFrame) and frame._geometry_column_name in frame.columns:
        geometry, crs = np.asarray(frame.geometry.array, dtype=object), frame.crs
        frame = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    cells: list[Any] = [_plain_values(frame.iloc[:, position]) for position in range(frame.shape[1])]
    rows = list(range(1, len(frame) + 1))
    headers = [str(column) for column in frame.columns]
    return RawTable(headers, cells, rows, len(frame), encoding=encoding, part=part, geometry=geometry, crs=crs)


def _plain_values(values: pd.Series) -> list[Any]:
    """Return a column as plain Python values: None where there is none, a list of values as one text."""
    return [_plain_value(value) for value in values.tolist()]


def _plain_value(value: Any) -> Any:
    if isinstance(value, list | tuple | np.ndarray):
        return ";".join(str(each) for each in value)
    if isinstance(value, dict):
        return str(value)
    return None if value is None or value is pd.NA or value != value else value
