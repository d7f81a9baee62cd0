"""Small made counties: tables in their canonical form, and distances given as a dense table."""

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from siting.coverage import Access, demand_at_communities
from siting.coverage.access import cutoffs_m
from siting.inputs import DemandPoints
from siting.standards import read_standard

NATIONAL = read_standard("national")
NO_ALLOTMENTS = pd.DataFrame({"facility_id": [], "community_id": [], "area_m2": []})


def communities(households, *, area_type="urban", lon=None, lat=None, **columns):
    """Return a communities table; ids are A, B, C, …; one value or one a community for every other column."""
    n = len(households)
    table = {
        "community_id": [chr(65 + i) for i in range(n)],
        "name": [f"社区{i + 1}" for i in range(n)],
        "area_type": area_type,
        "households": np.array(households, dtype=np.int64),
        "township": "",
        **dict.fromkeys(
            [
                "population",
                "elderly",
                "minors",
                "disabled",
                "total_building_area_m2",
                "commerce_service_area_m2",
                "community_workers",
                "certified_workers",
                "social_organisations",
            ],
            np.nan,
        ),
        "resettlement": pd.array([pd.NA] * n, dtype="boolean"),
        "self_service_terminal": pd.array([pd.NA] * n, dtype="boolean"),
        **columns,
    }
    lon = 104.0 + 0.02 * np.arange(n) if lon is None else lon
    lat = np.full(n, 36.0) if lat is None else lat
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326", index=range(n))


def facilities(n, *, service="comprehensive", lon=None, lat=None, **columns):
    """Return a facilities table; ids are f1, f2, …"""
    table = {
        "facility_id": [f"f{j + 1}" for j in range(n)],
        "service": service,
        "name": "",
        "floor_area_m2": np.nan,
        "activity_area_m2": np.nan,
        "hours_per_day": np.nan,
        "community_id": "",
        "place_id": "",
        **columns,
    }
    lon = 104.0 + 0.02 * np.arange(n) if lon is None else lon
    lat = np.full(n, 36.0) if lat is None else lat
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326", index=range(n))


def homes(table, community, households):
    """Return demand points of a community each, at the community's place."""
    community = np.asarray(community, dtype=np.int64)
    points = table.geometry.iloc[community]
    return DemandPoints(
        lon=points.x.to_numpy(),
        lat=points.y.to_numpy(),
        community=community,
        households=np.asarray(households, dtype=np.float64),
        method=("grid",) * len(table),
    )


def sparse(distance_m):
    """Return a dense table of distances as a sparse matrix: inf is not stored, 0 is."""
    dense = np.asarray(distance_m, dtype=np.float64)
    row, column = np.nonzero(np.isfinite(dense))
    counts = np.bincount(row, minlength=dense.shape[0])
    return csr_array((dense[row, column], column, np.concatenate([[0], np.cumsum(counts)])), shape=dense.shape)


def access(distance_m, table, demand=None, standard=NATIONAL):
    """Return the access of homes (one a community unless given) to facilities at some distances."""
    demand = demand_at_communities(table) if demand is None else demand
    dense = np.asarray(distance_m, dtype=np.float64).reshape(len(demand), -1)
    return Access(sparse(dense), demand, cutoffs_m(table, demand, standard))
