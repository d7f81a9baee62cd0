"""Homes, facilities and a network -> the distances between them, as far as the standard asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from siting.coverage.access import COMPREHENSIVE, Access, NearestFacilities, cutoffs_m, demand_at_communities
from siting.coverage.places import Floats, Places, places_of
from siting.inputs.households import DemandPoints
from siting.standards.model import GROUPS, Standard
from siting.text import Progress, Text, silent

if TYPE_CHECKING:
    from siting.network import Positions, RoadNetwork


def measure_access(
    communities: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    net: RoadNetwork,
    standard: Standard,
    *,
    demand: DemandPoints | None = None,
    progress: Progress = silent,
) -> Access:
    """Return the walking distances from homes to facilities: all within the circles, and the nearest however far.

    The matrix is searched up to the longest circle of any service and group, widened by the standard's
    ``near_limit_share``; homes in town and in the country each up to their own.

    Parameters
    ----------
    communities, facilities
        The tables.
    net
        The network to walk on.
    standard
        The standard, for its circles and its ``snap_limit_m``.
    demand
        Where the households are; one point a community when None.
    progress
        Called with what is being done.

    Returns
    -------
    Access
        Distances and positions.
    """
    from siting.network.snap import snap

    homes = demand_at_communities(communities) if demand is None else demand
    limits = {"limit_m": standard.value("snap_limit_m"), "min_piece_km": standard.value("min_piece_km")}
    progress(Text("将住户和设施落到路网上", "placing homes and facilities on the network"))
    home_positions = snap(net, homes.points, **limits)
    facility_positions = snap(net, facilities.geometry, **limits)
    services = sorted(set(facilities["service"]) & {service.id for service in standard.services})
    longest_m = _longest_cutoffs_m(communities, homes, standard, [COMPREHENSIVE, *services])
    direct_walk = standard.value("direct_walk") > 0
    progress(Text("计算住户到设施的路网距离", "walking from homes to facilities"))
    return Access(
        cost=_cost_by_cutoff(net, home_positions, facility_positions, longest_m, direct_walk),
        demand=homes,
        cutoff_m=cutoffs_m(communities, homes, standard),
        demand_positions=home_positions,
        facility_positions=facility_positions,
        nearest={
            service: _nearest_places(
                net, home_positions, facility_positions, places_of(facilities, service), service, direct_walk
            )
            for service in services
        },
    )


def _longest_cutoffs_m(
    communities: pd.DataFrame, demand: DemandPoints, standard: Standard, services: list[str]
) -> Floats:
    longest = np.zeros(len(demand))
    for service in services:
        for group in GROUPS:
            np.maximum(longest, cutoffs_m(communities, demand, standard, service=service, group=group), out=longest)
    return np.ceil(longest * (1 + standard.value("near_limit_share")))


def _cost_by_cutoff(
    net: RoadNetwork, homes: Positions, facilities: Positions, cutoff_m: Floats, direct_walk: bool
) -> csr_array:
    """Return the matrix of distances, every row up to its own cut-off."""
    from siting.reach.search import cost_matrix

    shape = (len(homes), len(facilities))
    if 0 in shape:
        return csr_array(shape, dtype=np.float64)
    counts = np.zeros(shape[0], dtype=np.int64)
    parts = []
    for limit in np.unique(cutoff_m):
        rows = np.flatnonzero(cutoff_m == limit)
        part = cost_matrix(net, homes.take(rows), facilities, cutoff_m=float(limit), direct_walk=direct_walk)
        counts[rows] = np.diff(part.indptr)
        parts.append((rows, part))
    start = np.concatenate([[0], np.cumsum(counts)])
    indices = np.empty(start[-1], dtype=np.int64)
    data = np.empty(start[-1], dtype=np.float64)
    for rows, part in parts:
        here = np.repeat(start[rows] - part.indptr[:-1], np.diff(part.indptr)) + np.arange(part.nnz)
        indices[here], data[here] = part.indices, part.data
    return csr_array((data, indices, start), shape=shape)


def _nearest_places(
    net: RoadNetwork, homes: Positions, facilities: Positions, places: Places, service: str, direct_walk: bool
) -> NearestFacilities:
    """Return the nearest facility, and for the comprehensive one the nearest at another place, however far."""
    from siting.reach.search import nearest

    entrances = int(np.bincount(places.place).max())
    k = min(1 + entrances, len(places.column)) if service == COMPREHENSIVE else 1
    found = nearest(net, homes, facilities.take(places.column), k=k, direct_walk=direct_walk)
    none = found.destination < 0
    facility = np.where(none, -1, places.column[found.destination])
    place = np.where(none, -1, places.place[found.destination])
    other = (place != place[:, :1]) & ~none
    second = np.where(other.any(axis=1), other.argmax(axis=1), -1)
    rows = np.arange(len(homes))
    return NearestFacilities(
        np.column_stack([found.distance_m[:, 0], np.where(second < 0, np.inf, found.distance_m[rows, second])]),
        np.column_stack([facility[:, 0], np.where(second < 0, -1, facility[rows, second])]),
    )
