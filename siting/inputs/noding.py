"""Surveyed lines that merely cross or touch -> lines that end where they meet; the gaps where they nearly do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely
from scipy.spatial import KDTree

from siting.inputs.faults import Faults, rows_in_words
from siting.inputs.geodesy import line_lengths_m, utm_crs
from siting.inputs.pieces import connected_pieces

TOUCH_M = 0.01
"""An end this close to a line touches it: the noise of drawing and of changing coordinate systems."""
LISTED = 20
"""So many gaps are named one by one; of more, the number is told."""
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Lines:
    """Lines on the map, m: the vertices of all, and the lines they belong to."""

    lonlat: Floats
    xy: Floats
    line: Ints
    shapes: npt.NDArray[Any]

    @property
    def ends(self) -> Ints:
        """The first and last vertex of each line, shape (n, 2)."""
        sizes = np.bincount(self.line, minlength=len(self.shapes))
        last = np.cumsum(sizes) - 1
        return np.column_stack([last - sizes + 1, last])


@dataclass(frozen=True, slots=True)
class _Cuts:
    """Where lines are to be cut: the line, how far along it (m), and the place in longitude and latitude."""

    line: Ints
    along: Floats
    lonlat: Floats


def node_roads(roads: gpd.GeoDataFrame, *, join_m: float, gap_m: float, faults: Faults) -> gpd.GeoDataFrame:
    """Return the roads cut where they cross or touch, so that roads meet at ends only.

    Lines whose ``level`` differs cross without meeting: a bridge over a street. Ends within ``join_m`` of each other or
    of another line are joined, and told when farther than 1 cm. Dead ends farther than that from another line, but
    within ``gap_m``, are listed and left as they are.

    Parameters
    ----------
    roads
        A road table in EPSG:4326, ``row`` its row numbers.
    join_m
        Longest gap that is closed, m, >= 0.
    gap_m
        Longest gap that is listed, m, >= 0.
    faults
        Where what was joined, and what was not, is said.
    """
    roads = _simple(roads)
    project = pyproj.Transformer.from_crs("EPSG:4326", utm_crs(roads.total_bounds), always_xy=True)
    lines = _on_map(roads.geometry.to_numpy(), project)
    lines, moved = _join_ends(lines, max(join_m, TOUCH_M))
    level, rows = roads["level"].to_numpy(), roads["row"].to_numpy()
    crossings = _crossings(lines, level, project)
    touches, reached, gaps = _touches(lines, level, max(join_m, TOUCH_M), gap_m)
    noded = _cut(roads, lines, crossings, _bends(lines, level), touches)
    _say(faults, len(roads), len(noded), np.r_[moved, rows[reached]], rows, gaps)
    return noded


def _simple(roads: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the roads with those that cross themselves cut there."""
    shapes = roads.geometry.to_numpy()
    knotted = np.flatnonzero(~shapely.is_simple(shapes))
    if not len(knotted):
        return roads
    parts, owner = shapely.get_parts(shapely.node(shapes[knotted]), return_index=True)
    index = np.concatenate([np.delete(np.arange(len(roads)), knotted), knotted[owner]])
    pieces = np.concatenate([np.delete(shapes, knotted), parts])
    order = np.argsort(index, kind="stable")
    out = roads.iloc[index[order]].reset_index(drop=True).set_geometry(pieces[order], crs=roads.crs)
    share = line_lengths_m(pieces[order]) / line_lengths_m(shapes[index[order]])
    return out.assign(length_m=out["length_m"].to_numpy() * share)


def _on_map(shapes: npt.NDArray[Any], project: pyproj.Transformer) -> _Lines:
    lonlat, line = shapely.get_coordinates(shapes, return_index=True)
    xy = np.column_stack(project.transform(lonlat[:, 0], lonlat[:, 1]))
    return _Lines(lonlat, xy, line.astype(np.int64), shapely.linestrings(xy, indices=line))


def _join_ends(lines: _Lines, reach_m: float) -> tuple[_Lines, Ints]:
    """Return the lines with ends that lie close together at one place, and the lines whose end moved visibly."""
    ends = lines.ends.ravel()
    pairs = KDTree(lines.xy[ends]).query_pairs(reach_m, output_type="ndarray")
    pairs = pairs[lines.line[ends[pairs[:, 0]]] != lines.line[ends[pairs[:, 1]]]]
    group = connected_pieces(pairs[:, 0], pairs[:, 1], len(ends))
    # all of a group go to the most westerly of them, whatever the order of the rows
    order = np.lexsort((lines.xy[ends, 1], lines.xy[ends, 0]))
    _, first = np.unique(group[order], return_index=True)
    chosen = ends[order[first]][group]
    step = np.linalg.norm(lines.xy[chosen] - lines.xy[ends], axis=1)
    lonlat, xy = lines.lonlat.copy(), lines.xy.copy()
    lonlat[ends], xy[ends] = lines.lonlat[chosen], lines.xy[chosen]
    joined = _Lines(lonlat, xy, lines.line, shapely.linestrings(xy, indices=lines.line))
    return joined, np.unique(lines.line[ends[step > TOUCH_M]])


def _crossings(lines: _Lines, level: npt.NDArray[Any], project: pyproj.Transformer) -> _Cuts:
    """Return where lines of one level cross, touch or begin to run together."""
    one, other = shapely.STRtree(lines.shapes).query(lines.shapes, predicate="intersects")
    once = (one < other) & (level[one] == level[other])
    one, other = one[once], other[once]
    parts, pair = shapely.get_parts(shapely.intersection(lines.shapes[one], lines.shapes[other]), return_index=True)
    point = shapely.get_type_id(parts) == 0
    ends = shapely.boundary(parts[~point])
    end_points, end_pair = shapely.get_parts(ends, return_index=True)
    places = np.concatenate([parts[point], end_points])
    pair = np.concatenate([pair[point], pair[~point][end_pair]])
    line, places = np.concatenate([one[pair], other[pair]]), np.concatenate([places, places])
    along = shapely.line_locate_point(lines.shapes[line], places)
    xy = shapely.get_coordinates(places)
    lonlat = np.column_stack(project.transform(xy[:, 0], xy[:, 1], direction="INVERSE")).reshape(-1, 2)
    inner = (along > TOUCH_M) & (along < shapely.length(lines.shapes[line]) - TOUCH_M)
    return _Cuts(line[inner], along[inner], lonlat[inner])


def _bends(lines: _Lines, level: npt.NDArray[Any]) -> _Cuts:
    """Return where a bend of one line lies on another of its level, as where two run together: both are cut there."""
    bends = np.setdiff1d(np.arange(len(lines.line)), lines.ends)
    points = shapely.points(lines.xy[bends])
    bend, near = shapely.STRtree(lines.shapes).query(points, predicate="dwithin", distance=TOUCH_M)
    own = lines.line[bends[bend]]
    met = (own != near) & (level[own] == level[near])
    bend, line = np.tile(bend[met], 2), np.concatenate([near[met], own[met]])
    along = shapely.line_locate_point(lines.shapes[line], points[bend])
    inner = (along > TOUCH_M) & (along < shapely.length(lines.shapes[line]) - TOUCH_M)
    return _Cuts(line[inner], along[inner], lines.lonlat[bends[bend[inner]]])


def _touches(lines: _Lines, level: npt.NDArray[Any], join_m: float, gap_m: float) -> tuple[_Cuts, Ints, pd.DataFrame]:
    """Return where ends reach another line that they do not cross: the cuts, the lines drawn short, the gaps."""
    ends = lines.ends.ravel()
    points = shapely.points(lines.xy[ends])
    end, near = shapely.STRtree(lines.shapes).query(points, predicate="dwithin", distance=max(join_m, gap_m))
    own = lines.line[ends[end]]
    end, near, own = end[own != near], near[own != near], own[own != near]
    first, last = lines.ends[near].T
    at_end = (lines.xy[ends[end]] == lines.xy[first]).all(axis=1) | (lines.xy[ends[end]] == lines.xy[last]).all(axis=1)
    meet = shapely.intersects(lines.shapes[own], lines.shapes[near]) & (level[own] == level[near])
    end, near, own = end[~at_end & ~meet], near[~at_end & ~meet], own[~at_end & ~meet]
    apart = shapely.distance(points[end], lines.shapes[near])
    close = apart <= join_m
    cuts = _Cuts(
        near[close],
        shapely.line_locate_point(lines.shapes[near[close]], points[end[close]]),
        lines.lonlat[ends[end[close]]],
    )
    _, place, uses = np.unique(lines.xy[ends], axis=0, return_inverse=True, return_counts=True)
    dead = (uses[place.ravel()] == 1) & ~np.isin(np.arange(len(ends)), end[close])
    far = ~close & dead[end]
    gaps = pd.DataFrame({"end": end[far], "line": own[far], "near": near[far], "gap_m": apart[far]})
    gaps = gaps.sort_values(["gap_m", "line", "near"]).drop_duplicates("end")
    where = lines.lonlat[ends[gaps["end"].to_numpy()]]
    return cuts, np.unique(own[close & (apart > TOUCH_M)]), gaps.assign(lon=where[:, 0], lat=where[:, 1])


def _cut(roads: gpd.GeoDataFrame, lines: _Lines, *cuts: _Cuts) -> gpd.GeoDataFrame:
    """Return the roads in pieces; a length that was stated is shared out by the drawn lengths."""
    line, along = np.concatenate([cut.line for cut in cuts]), np.concatenate([cut.along for cut in cuts])
    lonlat = np.concatenate([cut.lonlat for cut in cuts])
    order = np.lexsort((lonlat[:, 1], lonlat[:, 0], along, line))
    line, along, lonlat = line[order], along[order], lonlat[order]
    again = (
        np.r_[False, (line[1:] == line[:-1]) & (along[1:] - along[:-1] < TOUCH_M)] if len(line) else np.zeros(0, bool)
    )
    line, along, lonlat = line[~again], along[~again], lonlat[~again]
    step = np.r_[0.0, np.linalg.norm(np.diff(lines.xy, axis=0), axis=1)]
    total = np.cumsum(np.where(np.r_[True, lines.line[1:] != lines.line[:-1]], 0.0, step))
    passed = total - total[lines.ends[:, 0]][lines.line]
    # the vertices and the cuts of every line in order along it; a cut ends a piece and starts the next
    owner, cut = np.r_[lines.line, line], np.r_[np.zeros(len(lines.line), np.int8), np.ones(len(line), np.int8)]
    places = np.concatenate([lines.lonlat, lonlat])
    first = np.isin(np.arange(len(owner)), lines.ends[:, 0])
    last = np.isin(np.arange(len(owner)), lines.ends[:, 1])
    order = np.lexsort((cut, np.r_[passed, along], last, ~first, owner))
    vertex = np.repeat(order, 1 + cut[order])
    starts = first[vertex] | np.r_[False, vertex[1:] == vertex[:-1]]
    piece = np.cumsum(starts) - 1
    shapes = shapely.linestrings(places[vertex], indices=piece)
    rows = owner[vertex[starts]]
    out = roads.iloc[rows].reset_index(drop=True).set_geometry(shapes, crs=roads.crs)
    whole_m = line_lengths_m(roads.geometry.to_numpy())[rows]
    cut_up = np.bincount(rows, minlength=len(roads))[rows] > 1
    share = np.divide(line_lengths_m(shapes), whole_m, out=np.ones(len(rows)), where=cut_up)
    return out.assign(length_m=out["length_m"].to_numpy() * share)


def _say(faults: Faults, before: int, after: int, joined: Ints, rows: Ints, gaps: pd.DataFrame) -> None:
    """Say how many lines were cut and joined, and name each gap that was left open."""
    if after > before:
        faults.note(
            f"{before} 条线在相交或相接处断开，成为 {after} 段",
            f"{before} lines were cut where they cross or touch: {after} pieces",
        )
    if len(joined):
        numbers = sorted(set(joined.tolist()))
        faults.note(
            f"{len(numbers)} 条线的端点差一点没有接上，已接上（{rows_in_words(numbers, 'zh')}）",
            f"{len(numbers)} lines ended just short of another and were joined to it ({rows_in_words(numbers, 'en')})",
        )
    listed = gaps.head(LISTED)
    for row, gap_m, lon, lat in zip(rows[listed["line"]], listed["gap_m"], listed["lon"], listed["lat"], strict=True):
        faults.warning(
            f"端点距另一条路 {gap_m:.2f} 米，没有接上", f"it ends {gap_m:.2f} m short of another road",
            "如应相连，请补画", "if they should meet, draw them so",
            row=int(row), column="geometry", value=f"{lon:.6f}, {lat:.6f}",
        )  # fmt: skip
    if len(gaps) > LISTED:
        faults.warning(
            f"另有 {len(gaps) - LISTED} 处端点没有接上", f"{len(gaps) - LISTED} more ends stop short of another road",
            "请在 GIS 中核对", "check them in a GIS",
        )  # fmt: skip
