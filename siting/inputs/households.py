"""A community's households spread over the places where they live: demand points."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from siting.errors import InputError
from siting.text import Text


@dataclass(frozen=True, slots=True)
class DemandPoints:
    """Where the households are.

    Parameters
    ----------
    lon, lat
        Places, degrees, WGS 84, shape (n,).
    community
        Row number in the communities table of each point, non-decreasing, shape (n,).
    households
        Households at each point, ≥ 0, shape (n,); over a community they add up to its households.
    method
        How each community's households were spread, one word a community: ``"boundary_buildings"``, ``"grid"``
        or ``"point"``.

    Raises
    ------
    InputError
        If the shapes differ, ``community`` decreases, or households are negative or not finite.
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    community: NDArray[np.int64]
    households: NDArray[np.float64]
    method: tuple[str, ...]

    def __post_init__(self) -> None:
        sizes = {len(self.lon), len(self.lat), len(self.community), len(self.households)}
        if len(sizes) != 1 or (np.diff(self.community) < 0).any():
            raise InputError(
                Text(
                    "需求点的各列须等长，且按社区行号排列。",
                    "the columns of demand points must be of one length and ordered by community row.",
                )
            )
        if not (np.isfinite(self.households) & (self.households >= 0)).all():
            raise InputError(
                Text("需求点的户数须为不小于 0 的数。", "households of demand points must be finite numbers ≥ 0.")
            )

    def __len__(self) -> int:
        return len(self.households)

    @property
    def points(self) -> gpd.GeoSeries:
        """The places as points in EPSG:4326."""
        return gpd.GeoSeries(gpd.points_from_xy(self.lon, self.lat), crs="EPSG:4326")
