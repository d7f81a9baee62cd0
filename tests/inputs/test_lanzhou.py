"""The files of a county office, as they come: Excel under a title, GB18030, GCJ-02, GeoJSON, GeoPackage."""

from pathlib import Path

import numpy as np
import pytest
import shapely

from siting.inputs import Source, Tables, read_tables, spread_households
from siting.standards import read_standard

STANDARD = read_standard("gansu")


@pytest.fixture(scope="module")
def lanzhou(shared_data: Path) -> Tables:
    folder = shared_data / "lanzhou"
    return read_tables(
        {
            "communities": Source(folder / "communities_gcj02.xlsx", datum="gcj02"),
            "facilities": [
                Source(folder / "service_stations_gb18030_gcj02.csv", datum="gcj02"),
                Source(folder / "services_wgs84.geojson"),
            ],
            "candidates": Source(folder / "candidates.geojson"),
            "boundaries": Source(folder / "community_boundaries.gpkg"),
            "buildings": Source(folder / "buildings.gpkg"),
        },
        STANDARD,
    )


def test_every_row_of_every_file_is_accounted_for(lanzhou: Tables) -> None:
    assert [len(lanzhou.communities), len(lanzhou.facilities), len(lanzhou.candidates)] == [255, 186 + 334, 200]
    assert lanzhou.buildings is not None
    assert len(lanzhou.buildings) == 10637
    assert all(record.rows_read == record.rows_kept for record in lanzhou.records)


def test_money_is_in_ten_thousand_yuan_whatever_the_header_says(lanzhou: Tables) -> None:
    leases = lanzhou.candidates[lanzhou.candidates["acquisition"] == "lease"]
    assert set(leases["fixed_cost"]) == {15.0}  # 固定费用万元 15
    assert set(leases["cost_per_m2"].round(9)) == {0.06}  # 单价元每平方米 600


def test_gcj02_communities_land_in_their_wgs84_boundaries(lanzhou: Tables) -> None:
    assert lanzhou.boundaries is not None
    shapes = dict(zip(lanzhou.boundaries["community_id"], lanzhou.boundaries.geometry, strict=True))
    inside = [
        shapely.distance(shapes[community], point) * 111_000 < 5
        for community, point in zip(lanzhou.communities["community_id"], lanzhou.communities.geometry, strict=True)
    ]
    assert np.mean(inside) > 0.95


def test_households_are_spread_over_buildings_and_none_is_lost(lanzhou: Tables) -> None:
    demand = spread_households(lanzhou.communities, lanzhou.boundaries, lanzhou.buildings, STANDARD)
    sums = np.bincount(demand.community, demand.households, minlength=255)
    np.testing.assert_allclose(sums, lanzhou.communities["households"], rtol=0, atol=1e-9)
    assert demand.method.count("boundary_buildings") > 240
