"""Where places stand on a network: an edge, an offset along it, and the leg off the road."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from siting.errors import NetworkError
from siting.text import Text

UNROUTABLE = -1


def _none_unroutable() -> pd.DataFrame:
    return pd.DataFrame({"index": np.empty(0, np.int64), "distance_m": np.empty(0, np.float64)})


def _none_carried() -> pd.DataFrame:
    return _none_unroutable().assign(without_m=np.empty(0, np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """The exact places of n points on a network, row i for point i.

    A place at an end of an edge is that node: it may leave by every edge of the node, one-way or not.

    Parameters
    ----------
    edge
        Number of the edge each place is on, shape (n,); -1 where the place is unroutable.
    offset_mm
        Distance from the edge's ``u`` along it, whole mm, shape (n,); 0 where unroutable.
    off_road_mm
        Leg between the place and its spot on the edge, whole mm, shape (n,).
    lon, lat
        The place itself (not its spot on the edge), degrees of WGS 84, shape (n,).
    unroutable
        Rows that no usable road is near: ``index`` (row number), ``distance_m`` to the nearest usable road.
    carried
        Rows that were carried past a small piece of road: ``index``, ``distance_m``, ``without_m`` (otherwise).
    """

    edge: npt.NDArray[np.int64]
    offset_mm: npt.NDArray[np.int64]
    off_road_mm: npt.NDArray[np.int64]
    lon: npt.NDArray[np.float64]
    lat: npt.NDArray[np.float64]
    unroutable: pd.DataFrame = field(default_factory=_none_unroutable, repr=False)
    carried: pd.DataFrame = field(default_factory=_none_carried, repr=False)

    def __post_init__(self) -> None:
        for name in ("edge", "offset_mm", "off_road_mm"):
            keep_array(self, name, np.int64)
        for name in ("lon", "lat"):
            keep_array(self, name, np.float64)
        if len({getattr(self, name).shape for name in ("edge", "offset_mm", "off_road_mm", "lon", "lat")}) != 1:
            raise NetworkError(Text("位置的各列长度不一致。", "The columns of positions differ in length."))
        if (
            self.edge.ndim != 1
            or (self.edge < UNROUTABLE).any()
            or (self.offset_mm < 0).any()
            or (self.off_road_mm < 0).any()
        ):
            raise NetworkError(
                Text(
                    "位置的边号、偏移和离路距离不能为负。",
                    "Edges, offsets and off-road legs of positions cannot be negative.",
                )
            )

    def __len__(self) -> int:
        return len(self.edge)

    @property
    def routable(self) -> npt.NDArray[np.bool_]:
        """Which places can be routed from, shape (n,)."""
        return self.edge >= 0

    def take(self, rows: npt.NDArray[Any]) -> Positions:
        """Return the positions of some rows, in the order given, without the lists of mended rows."""
        return Positions(self.edge[rows], self.offset_mm[rows], self.off_road_mm[rows], self.lon[rows], self.lat[rows])


def keep_array(owner: object, name: str, dtype: type) -> None:
    """Store a read-only view of an array under its own name; the caller's array is left as it is."""
    array: npt.NDArray[Any] = np.ascontiguousarray(getattr(owner, name), dtype=dtype).view()
    array.flags.writeable = False
    object.__setattr__(owner, name, array)
