"""Where households are put: over homes, over a grid, or at the community's point; never more nor fewer."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box

from siting.errors import InputError
from siting.inputs import DemandPoints, spread_households
from siting.standards import read_standard

STANDARD = read_standard("national")  # 6 floors and 111 m2 a dwelling where a building says nothing
WEST, SOUTH = 110.0, 35.0
LON, LAT = 1 / 91_287.8, 1 / 110_940.6  # degrees a metre at 35° north


def square(x: float, y: float, side: float) -> shapely.Polygon:
    """A square with its south-west corner x m east and y m north of 110° E, 35° N."""
    return box(WEST + x * LON, SOUTH + y * LAT, WEST + (x + side) * LON, SOUTH + (y + side) * LAT)


def communities(*rows: tuple[str, int]) -> gpd.GeoDataFrame:
    data = {
        "community_id": [f"c{n}" for n in range(len(rows))],
        "area_type": [r[0] for r in rows],
        "households": [r[1] for r in rows],
    }
    points = [Point(WEST + (n * 1000 + 10) * LON, SOUTH + 10 * LAT) for n in range(len(rows))]
    return gpd.GeoDataFrame(data, geometry=points, crs="EPSG:4326")


def boundaries(count: int, side: float = 900) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"community_id": [f"c{n}" for n in range(count)]},
        geometry=[square(n * 1000, 0, side) for n in range(count)],
        crs="EPSG:4326",
    )


def buildings(*rows: dict[str, object]) -> gpd.GeoDataFrame:
    frame = pd.DataFrame([{"floors": np.nan, "dwellings": np.nan, "residential": pd.NA, **row} for row in rows])
    frame["residential"] = frame["residential"].astype("boolean")
    return gpd.GeoDataFrame(frame, geometry="geometry", crs="EPSG:4326")


def test_dwellings_go_before_floors_and_floors_before_the_standards_own() -> None:
    """111 m2 x 10 floors / 111 = 10 dwellings; 111 m2 x 6 / 111 = 6; 24 as given: 40 for 80 households."""
    side = np.sqrt(111.0)
    homes = buildings(
        {"geometry": square(100, 100, side), "floors": 10.0},
        {"geometry": square(200, 100, side)},
        {"geometry": square(300, 100, side), "dwellings": 24.0, "floors": 3.0},
        {"geometry": square(400, 100, 90), "residential": False},
    )
    demand = spread_households(communities(("urban", 80)), boundaries(1), homes, STANDARD)
    assert demand.method == ("boundary_buildings",)
    np.testing.assert_allclose(demand.households, [20, 12, 48], rtol=2e-3)
    assert demand.households.sum() == 80
    assert shapely.within(demand.points.to_numpy(), homes.geometry.to_numpy()[:3]).all()


def test_without_homes_an_urban_boundary_is_gridded_and_a_village_stays_at_its_point() -> None:
    """A square of 900 m holds 9 x 9 cells of 100 m, give or take where the grid falls."""
    towns = communities(("urban", 90), ("rural", 50))
    demand = spread_households(towns, boundaries(2), None, STANDARD)
    assert demand.method == ("grid", "point")
    urban = demand.community == 0
    assert 64 <= urban.sum() <= 100
    assert np.ptp(demand.households[urban]) < 1e-12
    assert (demand.lon[~urban], demand.lat[~urban]) == (towns.geometry.x[1], towns.geometry.y[1])


def test_without_a_boundary_and_without_households_there_is_one_point() -> None:
    demand = spread_households(communities(("urban", 90), ("urban", 0)), boundaries(2).iloc[1:], None, STANDARD)
    assert demand.method == ("point", "point")
    assert list(demand.households) == [90, 0]


def test_a_building_in_two_boundaries_counts_for_the_smaller_one_only() -> None:
    nested = gpd.GeoDataFrame(
        {"community_id": ["c0", "c1"]}, geometry=[square(0, 0, 900), square(0, 0, 300)], crs="EPSG:4326"
    )
    homes = buildings({"geometry": square(100, 100, 20)}, {"geometry": square(600, 600, 20)})
    demand = spread_households(communities(("urban", 10), ("urban", 20)), nested, homes, STANDARD)
    assert list(demand.community) == [0, 1]
    assert list(demand.households) == [10, 20]
    assert demand.lat[0] > demand.lat[1]


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(9)), st.lists(st.sampled_from([3.0, 7.0, 10.1]), min_size=9, max_size=9))
def test_the_order_of_buildings_boundaries_and_their_parts_changes_no_home_and_no_bit(
    order: list[int], dwellings: list[float]
) -> None:
    stock = buildings(*({"geometry": square(100 * n, 90, 12), "dwellings": d} for n, d in enumerate(dwellings)))
    parts = gpd.GeoDataFrame(
        {"community_id": ["c0"] * 3}, geometry=[square(x, 0, 350) for x in (0, 300, 600)], crs="EPSG:4326"
    )
    one = spread_households(communities(("urban", 100)), parts, stock, STANDARD)
    turned = parts.iloc[[at % 3 for at in order if at < 6][:3]].drop_duplicates("geometry")
    other = spread_households(
        communities(("urban", 100)), parts if len(turned) < 3 else turned, stock.iloc[order], STANDARD
    )
    for name in ("lon", "lat", "households"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("turned", [False, True])
def test_a_building_in_two_equal_boundaries_counts_for_the_more_western_community(turned: bool) -> None:
    table = communities(("urban", 10), ("urban", 20))
    twice = boundaries(1).iloc[[0, 0]].assign(community_id=["c0", "c1"])
    rows = [1, 0] if turned else [0, 1]
    homes = buildings({"geometry": square(600, 600, 20)})
    demand = spread_households(table.iloc[rows].reset_index(drop=True), twice, homes, STANDARD)
    assert demand.method == (("grid", "boundary_buildings") if turned else ("boundary_buildings", "grid"))
    assert demand.households[demand.community == rows.index(0)].tolist() == [10]


def test_parts_of_one_community_are_one_boundary() -> None:
    parts = gpd.GeoDataFrame(
        {"community_id": ["c0", "c0"]}, geometry=[square(0, 0, 90), square(500, 0, 90)], crs="EPSG:4326"
    )
    homes = buildings({"geometry": square(10, 10, 20)}, {"geometry": square(510, 10, 20)})
    demand = spread_households(communities(("urban", 10)), parts, homes, STANDARD)
    np.testing.assert_allclose(demand.households, [5, 5], rtol=1e-4)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["urban", "rural"]), st.integers(0, 100_000)), min_size=1, max_size=4),
    st.lists(st.tuples(st.floats(0, 3800), st.floats(0, 950), st.floats(1, 400)), max_size=12),
)
def test_no_household_is_lost_and_none_is_made(
    rows: list[tuple[str, int]], homes: list[tuple[float, float, float]]
) -> None:
    stock = buildings(*({"geometry": square(x, y, 12), "dwellings": d} for x, y, d in homes)) if homes else None
    table = communities(*rows)
    demand = spread_households(table, boundaries(len(rows)), stock, STANDARD)
    sums = np.bincount(demand.community, demand.households, minlength=len(rows))
    np.testing.assert_allclose(sums, table["households"], rtol=0, atol=1e-9)
    assert (np.diff(demand.community) >= 0).all()
    assert set(demand.community) == set(range(len(rows)))


def test_another_crs_of_the_boundaries_puts_the_same_households_in_the_same_places() -> None:
    homes = buildings({"geometry": square(100, 100, 20)}, {"geometry": square(600, 600, 30)})
    one = spread_households(communities(("urban", 90)), boundaries(1), homes, STANDARD)
    other = spread_households(communities(("urban", 90)), boundaries(1).to_crs(32649), homes.to_crs(4547), STANDARD)
    np.testing.assert_allclose(other.lon, one.lon, rtol=0, atol=1e-8)
    np.testing.assert_allclose(other.households, one.households, rtol=1e-6)


@pytest.mark.parametrize(
    ("community", "households"),
    [([1, 0], [1.0, 1.0]), ([0, 0], [1.0, -1.0]), ([0, 0], [1.0, np.nan]), ([0], [1.0, 1.0])],
)
def test_demand_points_out_of_order_or_below_zero_are_refused(community: list[int], households: list[float]) -> None:
    with pytest.raises(InputError, match="demand points"):
        DemandPoints(np.zeros(2), np.zeros(2), np.array(community), np.array(households), ("point",))
