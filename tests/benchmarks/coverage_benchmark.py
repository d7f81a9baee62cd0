"""How long the scorecard of a made province takes with a ready cost matrix.

Run ``python -m tests.benchmarks.coverage_benchmark`` for 20,000 communities and 5,000 facilities; a tiny one runs with
the tests.
"""

from __future__ import annotations

import argparse
import time

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from siting.coverage import Access, Scorecard, demand_at_communities, score_access
from siting.coverage.access import cutoffs_m
from siting.standards import Standard, read_standard

_DEGREE_M = 111_000.0
_SPACING_M = 1_000.0


def made_province(
    communities: int, facilities: int, seed: int = 0
) -> tuple[Access, gpd.GeoDataFrame, gpd.GeoDataFrame, Standard]:
    """Return communities about 1 km apart, facilities among them, and distances within 3,150 m.

    A distance is a third more than the straight line.
    """
    rng = np.random.default_rng(seed)
    standard = read_standard("gansu")
    side = _SPACING_M / _DEGREE_M * np.sqrt(communities)
    home, place = (rng.random((n, 2)) * side + [0.0, 10.0] for n in (communities, facilities))
    numbers = ("population", "elderly", "minors", "disabled", "total_building_area_m2", "commerce_service_area_m2")
    people = gpd.GeoDataFrame(
        {
            "community_id": [f"{i:06d}" for i in range(communities)],
            "name": "",
            "area_type": np.where(rng.random(communities) < 0.3, "urban", "rural"),
            "township": [f"T{i % 200}" for i in range(communities)],
            "households": rng.integers(0, 3000, communities),
            "resettlement": pd.array(rng.random(communities) < 0.1, dtype="boolean"),
            **{name: rng.integers(0, 9000, communities).astype(np.float64) for name in numbers},
        },
        geometry=gpd.points_from_xy(*home.T),
        crs="EPSG:4326",
    )
    services = np.array([service.id for service in standard.services])
    points = gpd.GeoDataFrame(
        {
            "facility_id": [f"f{j}" for j in range(facilities)],
            "service": np.where(rng.random(facilities) < 0.5, "comprehensive", rng.choice(services, facilities)),
            "floor_area_m2": rng.integers(50, 3000, facilities).astype(np.float64),
            "activity_area_m2": 40.0,
            "hours_per_day": 8.0,
            "community_id": rng.choice(people["community_id"].to_numpy(), facilities),
            "place_id": "",
        },
        geometry=gpd.points_from_xy(*place.T),
        crs="EPSG:4326",
    )
    near = cKDTree(home * _DEGREE_M).sparse_distance_matrix(
        cKDTree(place * _DEGREE_M), 3150 / 4 * 3, output_type="coo_matrix"
    )
    cost = csr_array(near)
    cost.data = np.round(cost.data * 4 / 3, 3)
    demand = demand_at_communities(people)
    return Access(cost, demand, cutoffs_m(people, demand, standard)), people, points, standard


def timed_scorecard(communities: int, facilities: int) -> tuple[Scorecard, float]:
    """Return the scorecard of a made province and the seconds it took, the matrix being ready."""
    access, people, points, standard = made_province(communities, facilities)
    start = time.perf_counter()
    card = score_access(access, people, points, standard)
    return card, time.perf_counter() - start


def main() -> None:
    """Print how long it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--communities", type=int, default=20_000)
    parser.add_argument("--facilities", type=int, default=5_000)
    asked = parser.parse_args()
    card, seconds = timed_scorecard(asked.communities, asked.facilities)
    print(f"{len(card.communities):,} communities, {len(card.verdicts):,} verdicts: {seconds:.2f} s")


if __name__ == "__main__":
    main()
