"""Road files of any kind -> road table: OpenStreetMap extracts, OSMnx networks, and lines somebody surveyed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import geopandas as gpd
import shapely

from siting.errors import MissingFileError, TableError
from siting.inputs.coordinate_systems import say_unknown_crs
from siting.inputs.faults import Faults, refused
from siting.inputs.files import Source, file_sha256, read_file
from siting.inputs.graphml import read_graphml_roads
from siting.inputs.limits import check_plain
from siting.inputs.noding import node_roads
from siting.inputs.offline import offline
from siting.inputs.osm import read_osm_roads
from siting.inputs.place_rows import rows_by_place
from siting.inputs.road_table import Roads, road_table
from siting.inputs.tables import SourceRecord
from siting.text import Progress, Text, silent

OSM_ENDINGS = (".osm", ".pbf", ".osm.gz", ".osm.bz2", ".osm.xml")
LINE_ENDINGS = (".gpkg", ".shp", ".zip", ".geojson", ".json", ".parquet", ".geoparquet")
Crossings = Literal["auto", "join", "pass"]


@offline()
def read_roads(
    source: str | Path | Source,
    *,
    crossings: Crossings = "auto",
    join_m: float = 0.5,
    gap_m: float = 5.0,
    progress: Progress = silent,
) -> Roads:
    """Return the roads of a file as a road table, in which roads meet at their ends.

    In OpenStreetMap data and OSMnx networks roads meet at the nodes they share. Surveyed lines are cut where they
    cross or touch; a file of lines that carries ``u`` and ``v`` columns was a network once, and lines that cross in it
    without sharing an end are bridges.

    Parameters
    ----------
    source
        An OpenStreetMap extract (``.osm``, ``.osm.pbf``), a ``.graphml`` of OSMnx, or lines in a GeoPackage, shapefile,
        GeoJSON or GeoParquet file; a :class:`Source` where the CRS, the datum or the layer must be named.
    crossings
        Of surveyed lines: ``"join"``, crossing is meeting unless one is on another level; ``"pass"``, only ends meet;
        ``"auto"``, by the columns as said above.
    join_m
        Longest gap between surveyed lines that is closed, m, >= 0.
    gap_m
        Longest gap between surveyed lines that is listed, m, >= 0.
    progress
        Told what is being read.

    Raises
    ------
    MissingFileError
        If there is no such file.
    TableError
        If the file cannot be read, is of a kind that is refused, or holds no usable line.
    """
    named = source if isinstance(source, Source) else Source(Path(source))
    path = named.path
    faults = Faults(path.name, named.layer or "")
    if not path.exists():
        raise MissingFileError(Text(f"找不到路网文件 {path}。", f"There is no road file {path}."))
    progress(Text(f"读取路网 {path.name}", f"reading the roads of {path.name}"))
    _refuse(path, faults)
    own = _reader_of(path)
    frame = own(path, faults) if own else _read_lines(named, faults)
    roads = road_table(frame, file=path.name, crs=named.crs, datum=named.datum)
    faults.issues.extend(roads.issues)
    lines = roads.lines if own is read_osm_roads else _by_place(roads.lines)
    if own is None and (crossings == "join" or (crossings == "auto" and not _was_network(frame))):
        lines = node_roads(lines, join_m=join_m, gap_m=gap_m, faults=faults)
    record = SourceRecord(
        "roads", path, file_sha256(path), len(frame), len(roads.lines), "", named.datum or "", named.layer or ""
    )
    return Roads(lines, tuple(faults.issues), path.name, record)


def _by_place(lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return roads by place, so that no tie between them hangs on the rows of a file; OSM's go by their own numbers."""
    stated = lines["length_m"].to_numpy(), lines["oneway"].to_numpy(dtype=float)
    return lines.iloc[rows_by_place(lines.geometry.to_numpy(), *stated)].reset_index(drop=True)


def _reader_of(path: Path) -> Callable[[Path, Faults], gpd.GeoDataFrame] | None:
    """Return the reader of a file in which roads already meet at nodes; ``None``: it holds lines."""
    name = path.name.lower()
    if name.endswith(OSM_ENDINGS):
        return read_osm_roads
    return read_graphml_roads if name.endswith(".graphml") else None


def _was_network(frame: gpd.GeoDataFrame) -> bool:
    return {"u", "v"} <= {str(column).lower() for column in frame.columns}


def _refuse(path: Path, faults: Faults) -> None:
    """Refuse what is not a road file, whatever its name says."""
    if path.is_dir():
        return
    check_plain(path, faults)
    try:
        with path.open("rb") as file:
            head = file.read(2048)
    except OSError as error:
        raise refused(error, faults) from error
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not head:
        raise faults.stop("文件是空的", "the file is empty", "请重新下载", "download it again")
    if start.startswith((b"<!doctype html", b"<html")) or b"<html" in start:
        raise faults.stop(
            "这是一个网页，不是路网数据", "this is a web page, not road data",
            "下载可能失败了，请重新下载", "the download probably failed; download it again",
        )  # fmt: skip
    if path.suffix.lower() in {".pkl", ".pickle", ".p"} or (head[:1] == b"\x80" and head[1:2] <= b"\x05"):
        raise faults.stop(
            "不读取 pickle 文件：打开它会运行其中的代码", "pickles are not read: opening one runs the code in it",
            "请存为 GraphML 或 GeoPackage", "save it as GraphML or GeoPackage",
        )  # fmt: skip


def _read_lines(source: Source, faults: Faults) -> gpd.GeoDataFrame:
    """Return the layer of lines in a file."""
    if not source.path.is_dir() and source.path.suffix.lower() not in LINE_ENDINGS:
        kinds = ", ".join((*OSM_ENDINGS, ".graphml", *LINE_ENDINGS))
        raise faults.stop(
            "不是道路文件的类型", "is of a kind that is not read as roads",
            f"可用：{kinds}", f"use one of: {kinds}", value=source.path.suffix,
        )  # fmt: skip
    raw = read_file(source, "roads", faults)
    if not say_unknown_crs(raw, source, faults):
        raise TableError(faults.issues[-1].text, faults.issues)
    if raw.geometry is None:
        raise faults.stop(
            "只有表格，没有道路线", "it is a table without lines",
            "请提供线图层，如 GeoPackage 或 Shapefile", "give a layer of lines, such as a GeoPackage or a shapefile",
        )  # fmt: skip
    unknown = sorted(set(source.columns.values()) - set(raw.headers))
    if unknown:
        listed = ", ".join(raw.headers)
        raise faults.stop(
            f"没有列“{unknown[0]}”",
            f'there is no column "{unknown[0]}"',
            f"列有：{listed}",
            f"its columns are: {listed}",
        )
    named = {header: name for name, header in source.columns.items()}
    # a header that the study gives to another column gives way to it
    kept = {named.get(header, header): cells for header, cells in zip(raw.headers, raw.cells, strict=True)}
    shapes = shapely.transform(raw.geometry, lambda xy: xy[:, ::-1]) if source.swap_lon_lat else raw.geometry
    return gpd.GeoDataFrame(kept, geometry=shapes, crs=raw.crs)
