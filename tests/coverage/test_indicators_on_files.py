"""The indicators of whole counties, read from their files, against plain pandas on the same files."""

from pathlib import Path

import pandas as pd
import pytest

from siting.coverage.area import allot
from siting.coverage.indicators import indicators
from siting.inputs import Source, read_tables
from siting.standards import SHIPPED, read_standard

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"


def county_rows(sources: dict[str, list[Source]], standard: str) -> pd.DataFrame:
    """Return the county's indicators, without distances, by rule."""
    rules = read_standard(standard)
    tables = read_tables(sources, rules)
    allotment = allot(tables.communities, tables.facilities, tables.allotments, rules)
    rows = indicators(
        tables.communities, tables.facilities, allotment, None, rules, allotments=tables.allotments, year=2025
    )
    return rows[rows["place"].eq("county")].set_index("rule_id")


@pytest.mark.parametrize("standard", SHIPPED)
def test_every_standard_runs_on_lanzhou_and_its_figures_are_those_of_plain_pandas(shared_data, standard):
    folder = shared_data / "lanzhou"
    sources = {
        "communities": [Source(folder / "communities_gcj02.xlsx", datum="gcj02")],
        "facilities": [
            Source(folder / "service_stations_gb18030_gcj02.csv", datum="gcj02"),
            Source(folder / "services_wgs84.geojson"),
        ],
    }
    found = county_rows(sources, standard)
    homes = pd.read_excel(folder / "communities_gcj02.xlsx", header=1, dtype={"社区代码": str})
    stations = pd.read_csv(
        folder / "service_stations_gb18030_gcj02.csv", encoding="gb18030", dtype={"所属社区代码": str}
    )
    by_hand = {
        "urban_facility_coverage": homes["社区代码"].isin(stations["所属社区代码"]).mean(),
        "area_per_100_households": stations["建筑面积"].sum() / homes["户数"].sum() * 100,
        "activity_area": stations["居民活动面积"].sum() / stations["建筑面积"].sum(),
        "opening_hours": stations["每日开放小时"].ge(8).mean(),
        "commerce_service_area": homes["商业和综合服务设施面积（平方米）"].sum()
        / homes["社区总建筑面积（平方米）"].sum(),
        "community_workers": homes["社区工作者"].sum() / homes["常住人口"].sum() * 10_000,
        "urban_social_organisations": homes["社会组织"].mean(),
        "self_service_terminals": homes["政务自助终端"].eq("有").mean(),
        "area_standard_share": (
            homes["社区代码"].map(stations.groupby("所属社区代码")["建筑面积"].sum()).fillna(0) * 100 / homes["户数"]
            >= 30
        ).mean(),
    }
    known = {rule_id: value for rule_id, value in by_hand.items() if rule_id in found.index}
    assert len(known) >= 3
    assert found.loc[list(known), "value"].to_dict() == pytest.approx(known)
    assert found.loc["rural_facility_coverage", "status"] == "not_applicable"
    assert found.loc["resettlement_facility_coverage", "status"] == "unknown"
    assert found.loc["reach", "status"] == "unknown"


@pytest.mark.parametrize("standard", SHIPPED)
def test_every_standard_runs_on_the_example_county_and_its_figures_are_those_of_plain_pandas(standard):
    sources = {
        "communities": [Source(DEMO / "communities.xlsx", datum="gcj02")],
        "facilities": [Source(DEMO / "stations.csv", datum="gcj02"), Source(DEMO / "services.geojson")],
        "allotments": [Source(DEMO / "allotments.xlsx")],
    }
    found = county_rows(sources, standard)
    homes = pd.read_excel(DEMO / "communities.xlsx", header=1, dtype={"社区（村）代码": str})
    homes = homes[homes["社区（村）代码"].ne("合计")].rename(columns={"社区（村）代码": "code"})
    stations = pd.read_csv(DEMO / "stations.csv", encoding="gb18030", dtype={"所属社区代码": str})
    parts = pd.read_excel(DEMO / "allotments.xlsx", header=1, dtype={"社区代码": str})
    whole = stations[~stations["设施编号"].isin(parts["设施编号"])]
    area = pd.concat([whole.set_index("所属社区代码")["建筑面积"], parts.set_index("社区代码")["分摊面积"]])
    urban = homes["城乡类型"].eq("城市")
    has = homes["code"].isin(area.index)
    town = homes[urban]
    by_hand = {
        "rural_facility_coverage": has[~urban].mean(),
        "urban_facility_coverage": has[urban].mean(),
        "area_per_100_households": area.sum() / homes["户数"].sum() * 100,
        "urban_area_per_100_households": area[area.index.isin(town["code"])].sum() / town["户数"].sum() * 100,
        "activity_area": stations["居民活动面积"].sum() / stations["建筑面积"].sum(),
        "opening_hours": stations["每日开放小时"].ge(8).mean(),
        "community_workers": town["社区工作者"].sum() / town["常住人口"].sum() * 10_000,
        "certified_workers": town["持证社区工作者"].sum() / town["社区工作者"].sum(),
        "urban_social_organisations": town["社区社会组织"].mean(),
        "rural_social_organisations": homes.loc[~urban, "社区社会组织"].mean(),
        "self_service_terminals": town["政务自助终端"].eq("有").mean(),
    }
    known = {rule_id: value for rule_id, value in by_hand.items() if rule_id in found.index}
    assert len(known) >= 4
    assert found.loc[list(known), "value"].to_dict() == pytest.approx(known)
