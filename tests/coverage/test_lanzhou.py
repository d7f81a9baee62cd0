"""The scorecard of a real network against plain pandas and against what must hold of any."""

import numpy as np
import pandas as pd
import pytest

from siting.coverage import measure_access, score
from siting.inputs import Source, read_tables, spread_households
from siting.inputs.roads import read_roads
from siting.network import build_network
from siting.standards import read_standard

STATIONS = "service_stations_gb18030_gcj02.csv"


@pytest.fixture(scope="module")
def folder(shared_data):
    return shared_data / "lanzhou"


@pytest.fixture(scope="module")
def county(folder):
    standard = read_standard("gansu")
    sources = {
        "communities": Source(folder / "communities_gcj02.xlsx", datum="gcj02"),
        "facilities": [Source(folder / STATIONS, datum="gcj02"), Source(folder / "services_wgs84.geojson")],
        "boundaries": Source(folder / "community_boundaries.gpkg"),
        "buildings": Source(folder / "buildings.gpkg"),
    }
    tables = read_tables(sources, standard)
    net = build_network(read_roads(folder / "roads.gpkg"))
    demand = spread_households(tables.communities, tables.boundaries, tables.buildings, standard)
    access = measure_access(tables.communities, tables.facilities, net, standard, demand=demand)
    card = score(tables.communities, tables.facilities, net, standard, access=access, allotments=tables.allotments)
    return tables, access, card


def test_the_area_of_each_community_is_that_of_the_stations_file(folder, county):
    _, _, card = county
    stations = pd.read_csv(folder / STATIONS, encoding="gb18030", dtype={"所属社区代码": str})
    people = pd.read_excel(folder / "communities_gcj02.xlsx", header=1, dtype=str)
    code, households = (next(name for name in people if word in name) for word in ("代码", "户数"))
    area_m2 = stations.groupby("所属社区代码")["建筑面积"].sum().reindex(people[code]).fillna(0).to_numpy()
    enough = area_m2 >= 0.3 * people[households].astype(float).to_numpy()
    verdicts = card.communities.set_index("community_id").loc[people[code]]
    assert verdicts["allotted_area_m2"].to_numpy() == pytest.approx(area_m2)
    assert verdicts["has_area"].tolist() == np.where(enough, "pass", "fail").tolist()


def test_reach_is_that_of_the_matrix_by_plain_numpy(county):
    tables, access, card = county
    comprehensive = (tables.facilities["service"] == "comprehensive").to_numpy()
    dense = np.full(access.cost.shape, np.inf)
    row = np.repeat(np.arange(len(dense)), np.diff(access.cost.indptr))
    dense[row, access.cost.indices] = access.cost.data
    covered = (dense[:, comprehensive] <= 1200).any(axis=1)
    homes = pd.DataFrame({"community": access.demand.community, "n": access.demand.households, "covered": covered})
    inside = homes[homes["covered"]].groupby("community")["n"].sum().reindex(range(len(card.communities)), fill_value=0)
    share = inside / homes.groupby("community")["n"].sum()
    assert card.demand["covered"].to_numpy().tolist() == covered.tolist()
    assert card.communities["reached_share"].to_numpy() == pytest.approx(share.to_numpy())
    known = np.isfinite(card.demand["nearest_m"]) & np.isfinite(dense[:, comprehensive].min(axis=1))
    assert card.demand["nearest_m"][known].tolist() == dense[:, comprehensive].min(axis=1)[known].tolist()


def test_no_walk_is_shorter_than_the_straight_line(county):
    _, _, card = county
    homes = card.demand[np.isfinite(card.demand["nearest_m"])]
    assert (homes["nearest_m"] >= homes["straight_line_m"] - 0.05).all()
    assert (homes["second_nearest_m"] >= homes["nearest_m"]).all()


def test_shared_areas_add_up_to_what_anyone_reaches(county):
    tables, access, card = county
    counted = np.flatnonzero(tables.facilities["service"] == "comprehensive")
    cost = access.cost.tocsc()[:, counted]
    reached = [bool((cost.data[cost.indptr[j] : cost.indptr[j + 1]] <= 1200).any()) for j in range(len(counted))]
    there_is = tables.facilities["floor_area_m2"].to_numpy()[counted][reached].sum()
    shared = (card.demand["shared_area_per_100_households_m2"] * card.demand["households"]).sum() / 100
    assert shared == pytest.approx(there_is)
    assert not all(reached), "one station has no road near"


def test_every_household_is_covered_or_in_one_gap(county):
    _, access, card = county
    lost = card.demand["households"][~card.demand["covered"]].sum()
    assert card.gaps["households"].sum() == pytest.approx(lost)
    assert card.gaps["rank"].tolist() == list(range(1, len(card.gaps) + 1))
    assert card.gaps["households"].is_monotonic_decreasing
    assert card.communities["reached_households"].sum() + lost == pytest.approx(access.demand.households.sum())
