"""Road files of any kind, or a download that was asked for -> road table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pyogrio

from siting.errors import MissingFileError, TableError
from siting.inputs.faults import Faults
from siting.inputs.graphml import read_graphml_roads
from siting.inputs.osm import read_osm_roads
from siting.inputs.road_table import Roads, road_table
from siting.text import Progress, Text, silent

OSM_ENDINGS = (".osm", ".pbf", ".osm.gz", ".osm.bz2", ".osm.xml")


def read_roads(source: str | Path, *, crs: Any = None, layer: str | None = None, progress: Progress = silent) -> Roads:
    """Return the roads of a file as a road table.

    Parameters
    ----------
    source
        An OpenStreetMap extract, an OSMnx GraphML network, or lines in a GeoPackage, shapefile, GeoJSON or GeoParquet file.
    crs
        The CRS of the lines where the file states none.
    layer
        Which layer of the file, where it has several.
    progress
        Told what is being read.

    Raises
    ------
    MissingFileError
        If there is no such file.
    TableError
        If the file cannot be read, is of a kind that is refused, or holds no usable line.
    """
    path = Path(source)
    if not path.is_file():
        raise MissingFileError(Text(f"找不到路网文件 {path}。", f"There is no road file {path}."))
    progress(Text(f"读取路网 {path.name}", f"reading the roads of {path.name}"))
    _refuse(path)
    name = path.name.lower()
    if name.endswith(OSM_ENDINGS):
        frame, faults = read_osm_roads(path)
    elif name.endswith(".graphml"):
        frame, faults = read_graphml_roads(path)
    else:
        frame, faults = _read_lines(path, layer)
    roads = road_table(frame, file=path.name, crs=crs)
    return Roads(roads.lines, (*faults.issues, *roads.issues), path.name)


def _refuse(path: Path) -> None:
    """Refuse what is not a road file, whatever its name says."""
    with path.open("rb") as file:
        head = file.read(2048)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    faults = Faults(path.name)
    if not head:
        raise faults.stop("文件是空的", "the file is empty", "请重新下载", "download it again")
    if start.startswith((b"<!doctype html", b"<html")):
        raise faults.stop(
            "这是一个网页，不是路网数据", "this is a web page, not road data",
            "下载时可能出错，请打开看看内容，再重新下载", "the download may have failed: open it to see what it says, and download again",
        )  # fmt: skip
    if path.suffix.lower() in {".pkl", ".pickle", ".p"} or (head[:1] == b"\x80" and head[1] <= 5):
        raise faults.stop(
            "不读取 pickle 文件，因为打开它会运行其中的代码", "pickles are not read: opening one runs the code in it",
            "请存为 GraphML 或 GeoPackage", "save it as GraphML or GeoPackage",
        )  # fmt: skip


def _read_lines(path: Path, layer: str | None) -> tuple[gpd.GeoDataFrame, Faults]:
    """Return a layer of lines; a file that cannot be read stops with a message in plain words."""
    faults = Faults(path.name, layer or "")
    try:
        if path.suffix.lower() in {".parquet", ".geoparquet"}:
            return gpd.read_parquet(path), faults
        return gpd.read_file(path, layer=layer), faults
    except TableError:
        raise
    except (ValueError, OSError, pyogrio.errors.DataSourceError) as error:
        raise faults.stop(
            f"文件读不出来（{error}）", f"the file cannot be read ({error})", "文件可能已损坏", "it may be damaged"
        ) from error
