"""The road network every distance is measured on: nodes, edges with whole-millimetre lengths, their drawn lines."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pyproj

from siting.errors import NetworkError
from siting.network.positions import Positions, keep_array
from siting.text import Text

if TYPE_CHECKING:
    from siting.network.build import BuildReport

T = TypeVar("T")
LONGEST_EDGE_MM = 2**32 - 2**28
"""An edge fits 32 bits with room to spare: 4,026 km."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RoadNetwork:
    """A road network: n nodes, m edges, each edge walked both ways unless it is one-way from ``u`` to ``v``.

    Parallel edges and loops are allowed. Lengths are given, never recomputed from the drawing.

    Parameters
    ----------
    xy
        Easting and northing of the nodes, m in ``crs``, shape (n, 2).
    u, v
        Node numbers at the two ends of each edge, shape (m,).
    length_mm
        Length of each edge, whole mm >= 0, shape (m,).
    crs
        A projected CRS in metres.
    oneway
        Which edges run from ``u`` to ``v`` only, shape (m,); ``None``: none does.
    geometry_offsets, geometry_xy
        The drawn lines: edge e has the vertices ``geometry_xy[geometry_offsets[e]:geometry_offsets[e + 1]]``, from
        ``u`` to ``v``, shapes (m + 1,) and (k, 2); both ``None``: every edge is straight.
    speed_kmh
        Speed along each edge, km/h, shape (m,) or one value for all; ``None``: the network knows no times.
    walking_speed_kmh
        Speed of off-road legs, km/h; ``None``: that of the edges must be one value and is used.
    mode
        Name of the travel mode.
    report
        What was read, mended and dropped when the network was built.
    """

    xy: npt.NDArray[np.float64]
    u: npt.NDArray[np.int32]
    v: npt.NDArray[np.int32]
    length_mm: npt.NDArray[np.int64]
    crs: pyproj.CRS
    oneway: npt.NDArray[np.bool_] = None  # type: ignore[assignment]
    geometry_offsets: npt.NDArray[np.int64] = None  # type: ignore[assignment]
    geometry_xy: npt.NDArray[np.float64] = None  # type: ignore[assignment]
    speed_kmh: npt.NDArray[np.float64] | None = None
    walking_speed_kmh: float | None = None
    mode: str = "walk"
    report: BuildReport | None = field(default=None, repr=False)
    _derived: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.oneway is None:
            object.__setattr__(self, "oneway", np.zeros(len(self.u), np.bool_))
        for name, dtype in (("u", np.int32), ("v", np.int32)):
            _check_whole_numbers(name, getattr(self, name), len(self.xy))
            keep_array(self, name, dtype)
        keep_array(self, "xy", np.float64)
        keep_array(self, "length_mm", np.int64)
        keep_array(self, "oneway", np.bool_)
        object.__setattr__(self, "crs", pyproj.CRS.from_user_input(self.crs))
        if self.geometry_xy is None:
            self._draw_straight()
        keep_array(self, "geometry_offsets", np.int64)
        keep_array(self, "geometry_xy", np.float64)
        if self.speed_kmh is not None:
            speeds = np.broadcast_to(np.asarray(self.speed_kmh, np.float64), self.u.shape)
            object.__setattr__(self, "speed_kmh", speeds)
            if self.walking_speed_kmh is None and len(speeds) and (speeds == speeds[0]).all():
                object.__setattr__(self, "walking_speed_kmh", float(speeds[0]))
        _check(self)

    def _draw_straight(self) -> None:
        ends = np.empty((len(self.u), 2, 2))
        ends[:, 0], ends[:, 1] = self.xy[self.u], self.xy[self.v]
        object.__setattr__(self, "geometry_xy", ends.reshape(-1, 2))
        object.__setattr__(self, "geometry_offsets", np.arange(0, 2 * len(self.u) + 1, 2))

    @classmethod
    def from_edges(
        cls,
        xy: npt.ArrayLike,
        u: npt.ArrayLike,
        v: npt.ArrayLike,
        length_m: npt.ArrayLike,
        *,
        crs: Any,
        oneway: npt.ArrayLike | None = None,
        speed_kmh: npt.ArrayLike | None = None,
    ) -> RoadNetwork:
        """Return a network of straight edges; lengths are rounded once to whole millimetres.

        Parameters
        ----------
        xy
            Easting and northing of the nodes, m in ``crs``, shape (n, 2).
        u, v
            Node numbers at the two ends of each edge, shape (m,).
        length_m
            Length of each edge, m, finite and >= 0, shape (m,).
        crs
            A projected CRS in metres, in any form pyproj reads.
        oneway
            Which edges run from ``u`` to ``v`` only, shape (m,); ``None``: none does.
        speed_kmh
            Speed along each edge, km/h, shape (m,) or one value; ``None``: the network knows no times.

        Raises
        ------
        NetworkError
            If a length is not finite or is negative, or the arrays do not make a network.
        """
        length = np.asarray(length_m, np.float64)
        bad = np.flatnonzero(~(np.isfinite(length) & (length >= 0)))
        if len(bad):
            raise NetworkError(
                Text(
                    f"有 {len(bad)} 条边的长度不是有限的非负数，第一条是第 {bad[0]} 条（{length[bad[0]]}）。",
                    f"{len(bad)} edges have a length that is not finite and >= 0: edge {bad[0]}, {length[bad[0]]}.",
                )
            )
        return cls(
            xy=np.asarray(xy, np.float64),
            u=np.asarray(u),
            v=np.asarray(v),
            length_mm=np.rint(length * 1000).astype(np.int64),
            crs=crs,
            oneway=cast("npt.NDArray[np.bool_]", None if oneway is None else np.asarray(oneway, np.bool_)),
            speed_kmh=None if speed_kmh is None else np.asarray(speed_kmh, np.float64),
        )

    def __repr__(self) -> str:
        km = self.length_mm.sum() / 1e6
        return (
            f"RoadNetwork({self.mode}: {self.n_nodes} nodes, {self.n_edges} edges, {km:.1f} km, {self.crs.to_string()})"
        )

    @property
    def n_nodes(self) -> int:
        """How many nodes there are."""
        return len(self.xy)

    @property
    def n_edges(self) -> int:
        """How many edges there are."""
        return len(self.u)

    def derived(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what ``make`` gives, made once and kept with the network under ``key``."""
        if key not in self._derived:
            self._derived[key] = make()
        return cast("T", self._derived[key])

    def node_positions(self, nodes: npt.ArrayLike | None = None) -> Positions:
        """Return the positions of nodes, off-road leg 0; a node without edges is unroutable.

        Parameters
        ----------
        nodes
            Node numbers, shape (k,); ``None``: all of them.

        Raises
        ------
        NetworkError
            If a node number is not one of the network.
        """
        wanted = np.arange(self.n_nodes) if nodes is None else np.asarray(nodes)
        self.check_nodes(wanted)
        edge, at_v = self.derived("edge of node", self._edge_of_node)
        chosen = edge[wanted]
        offset = np.where((chosen >= 0) & at_v[wanted], self.length_mm[chosen] if self.n_edges else 0, 0)
        lon, lat = self.to_lonlat(self.xy[wanted])
        return Positions(chosen, offset, np.zeros(len(chosen), np.int64), lon, lat)

    def spots(self, places: Positions) -> npt.NDArray[np.float64]:
        """Return where places stand on their drawn edges, m in the network's CRS, shape (n, 2); NaN where unroutable.

        Parameters
        ----------
        places
            Positions on the network.
        """
        x, y = np.full((2, len(places)), np.nan)
        rows = np.flatnonzero(places.routable)
        edge = places.edge[rows]
        passed, first = self.derived("drawn length", self._drawn_length), self.geometry_offsets
        start, end = passed[first[edge]], passed[first[edge + 1] - 1]
        at = start + places.offset_mm[rows] / np.maximum(self.length_mm[edge], 1) * (end - start)
        x[rows] = np.interp(at, passed, self.geometry_xy[:, 0])
        y[rows] = np.interp(at, passed, self.geometry_xy[:, 1])
        return np.column_stack((x, y))

    def _drawn_length(self) -> npt.NDArray[np.float64]:
        """Return the length drawn up to each vertex, m, edges one after another with 1 m between them."""
        steps = np.hypot(*np.diff(self.geometry_xy, axis=0, prepend=self.geometry_xy[:1]).T)
        steps[self.geometry_offsets[:-1]] = 1.0
        passed: npt.NDArray[np.float64] = np.cumsum(steps)
        return passed

    def check_nodes(self, nodes: npt.NDArray[Any]) -> None:
        """Refuse node numbers that are not of this network.

        Parameters
        ----------
        nodes
            Node numbers, shape (k,).

        Raises
        ------
        NetworkError
            If one is not a whole number from 0 to the number of nodes less one.
        """
        _check_whole_numbers("nodes", nodes, self.n_nodes)

    def _edge_of_node(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return one edge at each node (-1: none), and whether the node is that edge's ``v``."""
        edge = np.full(self.n_nodes, -1, np.int64)
        at_v = np.zeros(self.n_nodes, np.bool_)
        numbers = np.arange(self.n_edges)[::-1]
        edge[self.v[::-1]], at_v[self.v] = numbers, True
        edge[self.u[::-1]], at_v[self.u] = numbers, False
        return edge, at_v

    def to_lonlat(self, xy: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the longitudes and latitudes (WGS 84, degrees) of points in the network's CRS, shape (k, 2)."""
        forward = self.derived("to_lonlat", lambda: pyproj.Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True))
        lon, lat = forward.transform(xy[:, 0], xy[:, 1])
        return lon, lat

    def from_lonlat(self, lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return points of WGS 84 in the network's CRS, m, shape (k, 2)."""
        back = self.derived("from_lonlat", lambda: pyproj.Transformer.from_crs("EPSG:4326", self.crs, always_xy=True))
        return np.column_stack(back.transform(lon, lat))


def _check_whole_numbers(name: str, numbers: npt.NDArray[Any], n_nodes: int) -> None:
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        raise NetworkError(
            Text(
                f"{name} 应为一维整数数组，实为 {numbers.ndim} 维 {numbers.dtype}。",
                f"{name} must be a one-dimensional array of whole numbers, not {numbers.ndim}-d {numbers.dtype}.",
            )
        )
    bad = np.flatnonzero((numbers < 0) | (numbers >= n_nodes))
    if len(bad):
        raise NetworkError(
            Text(
                f"{name} 有 {len(bad)} 个节点号不在 0–{n_nodes - 1}：第 {bad[0]} 个是 {numbers[bad[0]]}。",
                f"{name} has {len(bad)} node numbers outside 0 to {n_nodes - 1}: {numbers[bad[0]]} at {bad[0]}.",
            )
        )


def _check(net: RoadNetwork) -> None:
    """Refuse arrays that are not a network, with all their faults at once."""
    m = len(net.u)
    offsets = net.geometry_offsets
    faults = []
    if net.xy.ndim != 2 or net.xy.shape[1] != 2 or not np.isfinite(net.xy).all():
        faults.append(Text("节点坐标应为有限的 (n, 2) 数组", "node coordinates must be finite, of shape (n, 2)"))
    drawn = net.geometry_xy
    if drawn.ndim != 2 or drawn.shape[1] != 2 or not np.isfinite(drawn).all():
        faults.append(Text("线形的顶点应为有限的 (k, 2) 数组", "drawn vertices must be finite, of shape (k, 2)"))
    if not net.u.shape == net.v.shape == net.length_mm.shape == net.oneway.shape:
        faults.append(Text("边的各列长度不一致", "the edge arrays differ in length"))
    if ((net.length_mm < 0) | (net.length_mm > LONGEST_EDGE_MM)).any():
        faults.append(Text("边长应在 0 到 4026 千米之间", "edge lengths must lie between 0 and 4,026 km"))
    if (
        offsets.shape != (m + 1,)
        or offsets[0] != 0
        or offsets[-1] != len(net.geometry_xy)
        or (offsets > len(net.geometry_xy)).any()  # or the steps below may wrap round
        or (np.diff(offsets) < 2).any()
    ):
        faults.append(Text("每条边的线形至少要有两个顶点", "every edge must be drawn with two vertices or more"))
    if not net.crs.is_projected:
        faults.append(Text("坐标系应为以米为单位的投影坐标系", "the CRS must be projected, in metres"))
    speeds = net.speed_kmh
    if speeds is not None and not (np.isfinite(speeds) & (speeds > 0)).all():
        faults.append(Text("速度应为正数", "speeds must be positive"))
    if net.walking_speed_kmh is not None and not 0 < net.walking_speed_kmh < np.inf:
        faults.append(Text("步行速度应为正数", "the walking speed must be positive"))
    if faults:
        raise NetworkError(
            Text(
                "路网不成立：" + "；".join(fault.zh for fault in faults) + "。",
                "These arrays are not a network: " + "; ".join(fault.en for fault in faults) + ".",
            )
        )
