"""OpenStreetMap files and downloads -> road table: ways cut at the nodes they share."""

from __future__ import annotations

import bz2
import gzip
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from siting.errors import TableError
from siting.inputs.faults import Faults, refused
from siting.inputs.limits import LARGEST_RATIO

TAGS = ("highway", "oneway", "name", "foot", "bicycle", "motor_vehicle", "access", "service", "junction", "area")
"""The tags of a way that a road table keeps."""


@dataclass(frozen=True, slots=True)
class _Ways:
    """Ways in a flat form: way i has the nodes ``refs[starts[i]:starts[i + 1]]``."""

    ids: npt.NDArray[np.int64]
    refs: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    tags: dict[str, list[str]]


def read_osm_roads(path: Path, faults: Faults) -> gpd.GeoDataFrame:
    """Return the roads of an OpenStreetMap file, cut at every node that two of them share.

    A way that names a node the file does not hold (a clipped extract), or one at an impossible place, is cut there;
    such nodes are counted and the first are named.

    Parameters
    ----------
    path
        A ``.osm``, ``.osm.gz``, ``.osm.bz2`` or ``.osm.pbf`` file.
    faults
        Where what was left out is said.

    Raises
    ------
    TableError
        If the file is not OpenStreetMap data, is damaged, declares XML entities, or holds no road.
    """
    limit_packed(path, faults)
    ways = _read_ways(path, "highway", TAGS, faults)
    if not len(ways.ids):
        raise faults.stop(
            "没有带 highway 标签的道路",
            "it holds no way with a highway tag",
            "请检查文件是否为路网数据",
            "is this the right extract?",
        )
    lonlat, unplaced, impossible = _locate(path, ways.refs, faults)
    _tell_unplaced(faults, ways.refs, unplaced, impossible)
    return _cut(ways, lonlat)


def _read_ways(path: Path, key: str, tags: Sequence[str], faults: Faults) -> _Ways:
    """Return the ways of a file that carry a key, with some of their tags."""
    import osmium

    ids: list[int] = []
    refs: list[int] = []
    starts = [0]
    kept: dict[str, list[str]] = {tag: [] for tag in tags}
    for way in objects_of(path, osmium.osm.WAY, faults, osmium.filter.KeyFilter(key)):
        ids.append(way.id)
        refs.extend([node.ref for node in way.nodes])
        starts.append(len(refs))
        said = tags_of(way, faults)
        for tag, values in kept.items():
            values.append(said.get(tag, ""))
    return _Ways(np.array(ids, np.int64), np.array(refs, np.int64), np.array(starts, np.int64), kept)


def tags_of(thing: Any, faults: Faults) -> dict[str, str]:
    """Return the tags of an object; one whose letters are not UTF-8 is damage.

    Parameters
    ----------
    thing
        A node, a way or an area of ``osmium``.
    faults
        Where the message is put.

    Raises
    ------
    TableError
        If a tag is not text.
    """
    try:
        return {tag.k: tag.v for tag in thing.tags}
    except UnicodeDecodeError as error:
        raise _unreadable(faults, str(error)) from error


def objects_of(path: Path, kind: Any, faults: Faults, *filters: Any, areas: bool = False) -> Iterable[Any]:
    """Yield the objects of one kind in a file; one that cannot be read stops with a message in plain words.

    Parameters
    ----------
    path
        The file.
    kind
        A kind of ``osmium.osm``: ``NODE``, ``WAY`` or ``AREA``.
    faults
        Where the message is put.
    *filters
        Filters of osmium that the objects must pass.
    areas
        Whether outlines are made into areas, which takes a pass of its own.

    Raises
    ------
    TableError
        If the file is not OpenStreetMap data, is damaged, declares XML entities, or a coordinate is no number.
    """
    import osmium

    try:
        source = osmium.FileProcessor(str(path), osmium.osm.ALL if areas else kind)
        if areas:
            source = source.with_areas(*filters).with_filter(osmium.filter.EntityFilter(kind))
        for kept in filters:
            source = source.with_filter(kept)
        yield from source
    except osmium.InvalidLocationError as error:
        raise _misplaced(path, faults, str(error)) from error
    except (RuntimeError, ValueError) as error:
        raise _unreadable(faults, str(error)) from error


def limit_packed(path: Path, faults: Faults) -> None:
    """Refuse a packed extract that unpacks to far more than a map does: osmium cannot be stopped once it reads one.

    Parameters
    ----------
    path
        The file; one that is not packed passes.
    faults
        Where the fault is put.

    Raises
    ------
    TableError
        If it is damaged, or grows more than LARGEST_RATIO times when unpacked.
    """
    kind = path.suffix.lower()
    if kind not in {".gz", ".bz2"}:
        return
    most = max(LARGEST_RATIO * path.stat().st_size, 50_000_000)
    unpacked = 0
    try:
        with gzip.open(path) if kind == ".gz" else bz2.open(path) as file:
            while unpacked <= most and (piece := file.read(1 << 20)):
                unpacked += len(piece)
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the system's word, not that of gzip or bz2
            raise refused(error, faults) from error
        raise _unreadable(faults, str(error)) from error
    if unpacked > most:
        raise faults.stop(
            f"解压后超过 {most / 1e6:,.0f} MB，不像地图数据，不予读取",
            f"unpacks to more than {most / 1e6:,.0f} MB, which no map does, and is not read",
            "请重新下载",
            "download it again",
        )


def _misplaced(path: Path, faults: Faults, reason: str) -> TableError:
    """Return the error of a file with a coordinate that is no number between -180 and 180, and the line it is on."""
    found = re.search(r"'(.*)'", reason)
    value = found[1] if found else ""
    row = None
    if path.suffix.lower() in {".osm", ".xml"} and value:
        with path.open("rb") as file:
            wanted = re.compile(rb"""(lat|lon)=["']%s["']""" % re.escape(value.encode()))
            row = next((number for number, line in enumerate(file, 1) if wanted.search(line)), None)
    return faults.stop(
        "有的节点坐标不可能存在", "a node has an impossible coordinate",
        "请重新导出，或改正这个节点的 lat、lon", "export it again, or correct lat and lon of that node",
        row=row, column="lat, lon", value=value,
    )  # fmt: skip


def _unreadable(faults: Faults, reason: str) -> TableError:
    """Return the error of a file that osmium gave up on."""
    if "entities" in reason:
        return faults.stop(
            "文件声明了 XML 实体，可能是恶意文件，已拒绝读取",
            "it declares XML entities, which can be an attack: refused",
            "请从 OpenStreetMap 重新导出",
            "export it again from OpenStreetMap",
        )
    return faults.stop(
        f"不是完整的 OpenStreetMap 文件（{reason}）",
        f"it is not a whole OpenStreetMap file ({reason})",
        "文件可能已损坏或没有下载完，请重新下载",
        "it may be damaged or cut short: download it again",
    )


def _locate(
    path: Path, refs: npt.NDArray[np.int64], faults: Faults
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return the place of each node named, whether it has none, and whether that is because it is impossible."""
    import osmium

    wanted, inverse = np.unique(refs, return_inverse=True)
    xy = np.full((len(wanted), 2), np.nan)
    bad = np.zeros(len(wanted), np.bool_)
    filters = [osmium.filter.IdFilter(wanted.tolist())] if len(wanted) and wanted[0] >= 0 else []
    row_of = {ref: row for row, ref in enumerate(wanted.tolist())}
    for node in objects_of(path, osmium.osm.NODE, faults, *filters):
        row = row_of.get(node.id)
        if row is None:
            continue
        place = node.location
        if place.valid():
            xy[row] = place.lon_without_check(), place.lat_without_check()
        else:
            bad[row] = True
    return xy[inverse], np.isnan(xy[inverse, 0]), bad[inverse]


def _tell_unplaced(
    faults: Faults, refs: npt.NDArray[np.int64], unplaced: npt.NDArray[np.bool_], impossible: npt.NDArray[np.bool_]
) -> None:
    """Name the nodes that ways go through but that have no place."""
    missing, wrong = np.unique(refs[unplaced & ~impossible]), np.unique(refs[unplaced & impossible])
    if len(missing):
        faults.warning(
            f"道路引用的节点有 {len(missing)} 个不在文件里，道路在该处断开",
            f"roads name {len(missing)} nodes that the file does not hold, and end there",
            "裁剪过的数据边缘常有此情况；若缺口在研究区内，请换完整数据",
            "usual at the edge of a clipped extract; if it is inside the study area, get a whole one",
            column="node", value=_first(missing),
        )  # fmt: skip
    if len(wrong):
        faults.warning(
            f"{len(wrong)} 个节点没有坐标或坐标不可能", f"{len(wrong)} nodes have no coordinates, or impossible ones",
            "道路在该处断开；请改正这些节点", "the roads end there; correct these nodes",
            column="node", value=_first(wrong),
        )  # fmt: skip


def _first(ids: npt.NDArray[np.int64]) -> str:
    return ", ".join(str(number) for number in ids[:5].tolist()) + (", ..." if len(ids) > 5 else "")


def _cut(ways: _Ways, lonlat: npt.NDArray[np.float64]) -> gpd.GeoDataFrame:
    """Return the pieces of the ways between shared nodes, ends and missing nodes."""
    way_of = np.repeat(np.arange(len(ways.ids)), np.diff(ways.starts))
    placed = ~np.isnan(lonlat[:, 0])
    # one stretch = consecutive placed nodes of one way; a node named twice in a row is one place
    refs, way, xy = ways.refs[placed], way_of[placed], lonlat[placed]
    gap = np.cumsum(~placed)[placed]
    follows = np.zeros(len(refs), np.bool_)
    follows[1:] = (way[1:] == way[:-1]) & (gap[1:] == gap[:-1])
    repeated = follows & np.r_[False, refs[1:] == refs[:-1]]
    refs, way, xy, follows = refs[~repeated], way[~repeated], xy[~repeated], follows[~repeated]
    leads = np.r_[follows[1:], False]
    _, inverse, uses = np.unique(refs, return_inverse=True, return_counts=True)
    inner = follows & leads & (uses[inverse] == 1)
    # every vertex stands once; one that is both the end of a piece and the start of the next stands twice
    times = np.where(follows & leads & ~inner, 2, np.where(follows | leads, 1, 0))
    vertex = np.repeat(np.arange(len(refs)), times)
    second = np.r_[False, vertex[1:] == vertex[:-1]]
    starts = second | ~follows[vertex]
    piece = np.cumsum(starts) - 1
    lines = shapely.linestrings(xy[vertex], indices=piece) if len(vertex) else np.empty(0, object)
    rows = way[vertex[starts]]
    columns = {tag: np.array(values, object)[rows] for tag, values in ways.tags.items()}
    return gpd.GeoDataFrame({**columns, "source_id": ways.ids[rows].astype(str)}, geometry=lines, crs="EPSG:4326")
