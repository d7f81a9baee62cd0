"""A road table and a mode of travel -> the road network, and a report of what was left out on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from scipy.spatial import KDTree

from siting.errors import Issue, NetworkError
from siting.inputs.faults import Faults
from siting.inputs.geodesy import utm_crs, vertex_lengths_m
from siting.inputs.pieces import connected_pieces
from siting.inputs.road_table import Roads, road_table
from siting.network.graph import RoadNetwork
from siting.network.modes import Mode, mode_named
from siting.text import Progress, Text, silent

SAME_PLACE_M = 0.01
"""Ends of roads closer than this are one junction: below what any survey of streets resolves."""
SAME_ROAD_M = 1.0
"""Edges between the same two junctions drawn closer than this are one road, as where a file has a row per direction."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What became of the rows of a road table.

    Parameters
    ----------
    counts
        ``rows`` read, ``closed`` to the mode, ``no_length`` (a point), ``duplicates`` (the same road again: the least
        length is kept), ``parallel`` (another road between the same junctions: kept), ``one_way``, ``edges``,
        ``nodes``, ``pieces``, ``small_pieces``.
    length_km
        Length of all edges, km.
    small_pieces_km
        Length of the pieces shorter than ``min_piece_km``, the longest of all set apart, km.
    issues
        What was mended, left out or may change a figure, from the file and from the building.
    """

    counts: Mapping[str, int]
    length_km: float
    small_pieces_km: float
    issues: tuple[Issue, ...]


def build_network(
    roads: gpd.GeoDataFrame | Roads,
    *,
    mode: str | Mode = "walk",
    speed_kmh: float | None = None,
    crs: Any = None,
    min_piece_km: float = 2.0,
    progress: Progress = silent,
) -> RoadNetwork:
    """Return the network of the roads that a mode of travel may use.

    Roads meet where their ends lie within 1 cm of each other; surveyed lines that merely cross are to be cut there
    first, as :func:`siting.inputs.read_roads` does. A length is ``length_m`` where the row gives one, else geodesic,
    rounded once to whole millimetres. Rows that draw the same road between the same junctions, as where
    a file has a row per direction, become one edge with the least length; other roads between the same junctions stay
    edges of their own, so that a place on them keeps its exact spot, and every search takes the least.

    Parameters
    ----------
    roads
        A road table, or a frame of lines in any CRS with the columns of :class:`siting.inputs.Roads`.
    mode
        ``"walk"``, ``"bike"``, ``"drive"`` or a :class:`Mode`.
    speed_kmh
        One speed on every road, km/h; ``None``: that of the mode.
    crs
        The projected CRS of the network, in metres; ``None``: the UTM zone of the roads.
    min_piece_km
        Connected pieces of road shorter than this are reported, km, >= 0.
    progress
        Told how far the work is.

    Returns
    -------
    RoadNetwork
        Nodes in order of easting; edges in the order of the rows; ``report`` is a :class:`BuildReport`.

    Raises
    ------
    NetworkError
        If no road is left that the mode may use, or a figure or the CRS makes no sense.
    TableError
        If the frame has no CRS or holds no line.
    """
    table = roads if isinstance(roads, Roads) else road_table(roads)
    travel = mode if isinstance(mode, Mode) else mode_named(mode)
    if not 0 <= min_piece_km < np.inf:
        raise NetworkError(Text(f"min_piece_km 不能是 {min_piece_km}。", f"min_piece_km cannot be {min_piece_km}."))
    progress(Text("建立路网", "building the network"), 0.0)
    counts = {"rows": len(table.lines)}
    lines = table.lines.loc[travel.usable(table.lines)]
    counts["closed"] = counts["rows"] - len(lines)
    target = _projected(table, crs)
    drawn = _draw(lines, target)
    progress(Text("建立路网", "building the network"), 0.4)
    node_xy, ends = _junctions(drawn)
    oneway = lines["oneway"].to_numpy(np.bool_) & travel.directed
    real = drawn.length_mm > 0
    counts["no_length"] = int((~real).sum())
    kept = np.flatnonzero(real)
    kept = kept[_distinct(drawn.take(kept), ends[kept], oneway[kept])]
    counts["duplicates"] = int(real.sum()) - len(kept)
    if not len(kept):
        where = Text(f"{table.file}：", f"{table.file}: ") if table.file else Text("", "")
        raise NetworkError(
            Text(
                f"{where.zh}没有一条道路可供{travel.name.zh}使用"
                f"（共 {counts['rows']} 行，{counts['closed']} 行不允许通行）；请核对 highway 列，或换道路更全的数据",
                f"{where.en}no road is left for {travel.name.en} ({counts['rows']} rows, {counts['closed']} closed to "
                "it): check the column highway, or use data with more roads",
            )
        )
    used, ends = np.unique(ends[kept], return_inverse=True)
    ends = ends.reshape(-1, 2)
    drawn = drawn.take(kept).with_ends(node_xy[used], ends)
    speeds = np.full(len(kept), check_speed(speed_kmh)) if speed_kmh is not None else travel.speeds(lines.iloc[kept])
    counts |= {"one_way": int(oneway[kept].sum()), "edges": len(kept), "nodes": len(used)}
    report = _report(table, travel, counts, drawn, ends, lines.iloc[kept], min_piece_km)
    progress(Text("建立路网", "building the network"), 1.0)
    return RoadNetwork(
        xy=node_xy[used],
        u=ends[:, 0].astype(np.int32),
        v=ends[:, 1].astype(np.int32),
        length_mm=drawn.length_mm,
        crs=target,
        oneway=oneway[kept],
        geometry_offsets=drawn.offsets,
        geometry_xy=drawn.xy,
        speed_kmh=speeds,
        walking_speed_kmh=mode_named("walk").speed_kmh if travel.directed else None,
        mode=travel.id,
        report=report,
    )


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Drawn lines in a flat form: line i has the vertices ``xy[offsets[i]:offsets[i + 1]]``."""

    xy: npt.NDArray[np.float64]
    offsets: npt.NDArray[np.int64]
    length_mm: npt.NDArray[np.int64]

    def take(self, rows: npt.NDArray[np.int64]) -> _Drawn:
        """Return some of the lines, in the order given."""
        sizes = np.diff(self.offsets)[rows]
        offsets = np.r_[0, np.cumsum(sizes)]
        vertices = np.repeat(self.offsets[:-1][rows] - offsets[:-1], sizes) + np.arange(offsets[-1])
        return _Drawn(self.xy[vertices], offsets, self.length_mm[rows])

    def with_ends(self, node_xy: npt.NDArray[np.float64], ends: npt.NDArray[np.int64]) -> _Drawn:
        """Return the lines with their first and last vertex exactly at their nodes."""
        xy = self.xy.copy()
        xy[self.offsets[:-1]], xy[self.offsets[1:] - 1] = node_xy[ends[:, 0]], node_xy[ends[:, 1]]
        return _Drawn(xy, self.offsets, self.length_mm)

    def at(self, share: float) -> npt.NDArray[np.float64]:
        """Return the point at a share of each line's drawn length, shape (m, 2)."""
        lines = shapely.linestrings(self.xy, indices=np.repeat(np.arange(len(self.length_mm)), np.diff(self.offsets)))
        points = shapely.line_interpolate_point(lines, share, normalized=True)
        xy: npt.NDArray[np.float64] = shapely.get_coordinates(points)
        return xy


def check_speed(speed_kmh: float) -> float:
    """Return a speed if it is one, km/h.

    Parameters
    ----------
    speed_kmh
        A speed, km/h.

    Raises
    ------
    NetworkError
        If it is not between 0 and 500 km/h.
    """
    if not 0 < speed_kmh < 500:
        raise NetworkError(Text(f"速度 {speed_kmh} 公里/小时不合理。", f"{speed_kmh} km/h is not a speed."))
    return speed_kmh


def _projected(table: Roads, crs: Any) -> pyproj.CRS:
    """Return the CRS of the network: the one asked for, else the UTM zone of the roads."""
    if crs is None:
        return utm_crs(table.lines.total_bounds)
    try:
        return pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError as error:
        raise NetworkError(Text(f"不认识的坐标系“{crs}”。", f'"{crs}" is no known coordinate system.')) from error


def _draw(lines: gpd.GeoDataFrame, crs: pyproj.CRS) -> _Drawn:
    """Return the lines in the CRS of the network, with their lengths in whole mm."""
    coords, line = shapely.get_coordinates(lines.geometry.to_numpy(), return_index=True)
    stated = lines["length_m"].to_numpy(np.float64)
    length_m = np.where(np.isnan(stated), vertex_lengths_m(coords, line, len(lines)), stated)
    project = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    xy = np.column_stack(project.transform(coords[:, 0], coords[:, 1]))
    offsets = np.r_[0, np.cumsum(np.bincount(line, minlength=len(lines)))]
    return _Drawn(xy, offsets, np.rint(length_m * 1000).astype(np.int64))


def _junctions(drawn: _Drawn) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return the places where lines end, each once, in order of easting, and the two of each line."""
    ends = np.stack([drawn.xy[drawn.offsets[:-1]], drawn.xy[drawn.offsets[1:] - 1]], axis=1).reshape(-1, 2)
    places, inverse = np.unique(ends, axis=0, return_inverse=True)
    near = KDTree(places).query_pairs(SAME_PLACE_M, output_type="ndarray")
    group = connected_pieces(near[:, 0], near[:, 1], len(places))
    # a group is where its first place is; groups in the order of those
    _, first, group = np.unique(group, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return places[first[order]], rank[group][inverse.ravel()].reshape(-1, 2)


def _distinct(drawn: _Drawn, ends: npt.NDArray[np.int64], oneway: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return the rows to keep, ascending: of each road drawn more than once, the shortest, then the first."""
    turned = ends[:, 0] > ends[:, 1]
    low, high = ends.min(axis=1), ends.max(axis=1)
    # a way that is open both ways stands for either direction; a one-way one only for its own
    direction = np.where(oneway, np.where(turned, 2, 1), 0)
    order = np.lexsort((np.arange(len(ends)), direction, drawn.length_mm, high, low))
    same = np.zeros(len(ends), np.bool_)
    same[order[1:]] = (low[order][1:] == low[order][:-1]) & (high[order][1:] == high[order][:-1])
    shared = same.copy()
    shared[order[:-1]] |= same[order[1:]]
    order = order[shared[order]]
    if not len(order):
        return np.arange(len(ends))
    quarter, middle, last = (drawn.take(order).at(share) for share in (0.25, 0.5, 0.75))
    backwards = turned[order][:, None]
    shape = np.stack([np.where(backwards, last, quarter), middle, np.where(backwards, quarter, last)], axis=1)
    mirrored = shape[:, ::-1]
    loop = (low == high)[order]
    group = np.cumsum(~same[order])
    dropped = np.zeros(len(order), np.bool_)
    for step in range(1, int(np.bincount(group).max())):
        one, other = np.arange(len(order) - step), np.arange(step, len(order))
        pair = (group[one] == group[other]) & ~dropped[one]
        one, other = one[pair], other[pair]
        apart = np.linalg.norm(shape[one] - shape[other], axis=2).max(axis=1)
        apart_mirrored = np.linalg.norm(shape[one] - mirrored[other], axis=2).max(axis=1)
        near = (apart <= SAME_ROAD_M) | (loop[one] & (apart_mirrored <= SAME_ROAD_M))
        stands_for = (direction[order[one]] == 0) | (direction[order[one]] == direction[order[other]])
        dropped[other[near & stands_for]] = True
    return np.setdiff1d(np.arange(len(ends)), order[dropped])


def _report(
    table: Roads, mode: Mode, counts: dict[str, int], drawn: _Drawn, ends: npt.NDArray[np.int64],
    lines: gpd.GeoDataFrame, min_piece_km: float,
) -> BuildReport:  # fmt: skip
    """Return what became of the rows, in counts and in words."""
    piece_of, piece_mm = _pieces_mm(ends, drawn.length_mm, counts["nodes"])
    # the longest piece takes places even where none is long enough
    small = (piece_mm < min_piece_km * 1e6) & (np.arange(len(piece_mm)) != np.argmax(piece_mm))
    pairs = np.sort(ends, axis=1)
    counts["parallel"] = len(pairs) - len(np.unique(pairs, axis=0))
    counts |= {"pieces": len(piece_mm), "small_pieces": int(small.sum())}
    return BuildReport(
        MappingProxyType(counts), float(drawn.length_mm.sum() / 1e6), float(piece_mm[small].sum() / 1e6),
        (
            *table.issues,
            *_say(table.file, mode, counts, piece_mm[small], min_piece_km),
            *_say_apart(table.file, piece_of, piece_mm, small, lines),
        ),
    )  # fmt: skip


def _pieces_mm(
    ends: npt.NDArray[np.int64], length_mm: npt.NDArray[np.int64], n_nodes: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the connected piece of the network that each edge lies on, and the length of each piece, whole mm."""
    piece = connected_pieces(ends[:, 0], ends[:, 1], n_nodes)[ends[:, 0]].astype(np.int64)
    return piece, np.bincount(piece, weights=length_mm).astype(np.int64)


def _say_apart(
    file: str,
    piece_of: npt.NDArray[np.int64],
    piece_mm: npt.NDArray[np.int64],
    small: npt.NDArray[np.bool_],
    lines: gpd.GeoDataFrame,
) -> list[Issue]:
    """Tell pieces of road that take places but lead nowhere else, the longest of them with a place on it."""
    apart = ~small & (piece_mm > 0) & (np.arange(len(piece_mm)) != np.argmax(piece_mm))
    if not apart.any():
        return []
    next_longest = int(np.argmax(np.where(apart, piece_mm, -1)))
    lon, lat = lines.geometry.iloc[int(np.argmax(piece_of == next_longest))].coords[0][:2]
    count, km = int(apart.sum()), piece_mm[apart].sum() / 1e6
    faults = Faults(file)
    faults.warning(
        f"另有 {count} 片道路与最长的一片不相连，共 {km:,.1f} 公里；其上的地点与别处互相走不到，最长一片在此坐标处",
        f"{count} more piece{'s' * (count > 1)} of road, {km:,.1f} km in all, not joined to the longest: from there "
        "no place elsewhere can be reached; the longest of them is at these coordinates",
        "如应相连，请补画连接处（桥、渡口、缺失的路段）",
        "if they should be joined, draw what joins them (a bridge, a ferry, a missing road)",
        column="geometry", value=f"{lon:.5f}, {lat:.5f}",
    )  # fmt: skip
    return faults.issues


def _say(
    file: str, mode: Mode, counts: Mapping[str, int], small_mm: npt.NDArray[np.int64], min_piece_km: float
) -> list[Issue]:
    """Return what the planner should know about the building, in words."""
    faults = Faults(file)
    if counts["closed"]:
        faults.note(
            f"{counts['closed']} 段道路不供{mode.name.zh}使用", f"{counts['closed']} roads are closed to {mode.name.en}"
        )
    if counts["no_length"]:
        faults.warning(
            f"{counts['no_length']} 段道路长度为零，未采用",
            f"{counts['no_length']} roads have no length and are left out",
            "请检查这些线", "check these lines",
        )  # fmt: skip
    if counts["duplicates"]:
        faults.note(
            f"{counts['duplicates']} 段道路是重复的（如每个方向各画一行），各取最短的一段",
            f"{counts['duplicates']} roads are drawn again, as with a row per direction; the least length is kept",
        )
    if len(small_mm):
        km = small_mm.sum() / 1e6
        faults.note(
            f"{len(small_mm)} 片道路与其余不相连，每片短于 {min_piece_km:g} 公里，共 {km:.2f} 公里；不作为上路点",
            f"{len(small_mm)} pieces of road are cut off from the rest and shorter than {min_piece_km:g} km, "
            f"{km:.2f} km in all; no place is put on them",
            "如应相连，请补画连接处", "if they should be joined, draw what joins them",
        )  # fmt: skip
    return faults.issues
