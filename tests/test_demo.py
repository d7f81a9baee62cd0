"""The example county: what its ledgers add up to, that it is made as it says, and that it is fit to be shown first."""

import importlib
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest

from siting.inputs import Source, Tables, read_tables, spread_households
from siting.standards import read_standard

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "data" / "demo"
STANDARD = read_standard("linyi")


@pytest.fixture(scope="module")
def ledger() -> pd.DataFrame:
    frame = pd.read_excel(DEMO / "communities.xlsx", skiprows=1, dtype={"社区（村）代码": str})
    return frame[frame["社区（村）代码"] != "合计"].set_index("社区（村）代码")


@pytest.fixture(scope="module")
def stations() -> pd.DataFrame:
    return pd.read_csv(DEMO / "stations.csv", encoding="gb18030", dtype={"所属社区代码": str})


@pytest.fixture(scope="module")
def demo() -> Tables:
    return read_tables(
        {
            "communities": Source(DEMO / "communities.xlsx", datum="gcj02"),
            "facilities": [Source(DEMO / "stations.csv", datum="gcj02"), Source(DEMO / "services.geojson")],
            "allotments": Source(DEMO / "allotments.xlsx"),
            "candidates": Source(DEMO / "candidates.xlsx", datum="cgcs2000"),
            "boundaries": Source(DEMO / "boundaries.gpkg"),
            "buildings": Source(DEMO / "buildings.gpkg"),
        },
        STANDARD,
    )


def test_the_ten_figures_of_the_county_lie_within_one_point_of_linyi_in_2022(
    ledger: pd.DataFrame, stations: pd.DataFrame
) -> None:
    """临政办发〔2023〕29号, table 1, column 2022, computed here from the files alone."""
    shared = pd.read_excel(DEMO / "allotments.xlsx", skiprows=1, dtype=str)
    covered = set(stations["所属社区代码"]) | set(shared["社区代码"])
    urban, rural = ledger[ledger["城乡类型"] == "城市"], ledger[ledger["城乡类型"] == "农村"]
    figures = [
        100 * rural.index.isin(covered).mean(),
        100 * urban.index.isin(covered).mean(),
        100 * ledger["商业和综合服务设施面积（平方米）"].sum() / ledger["社区总建筑面积（平方米）"].sum(),
        100 * stations["建筑面积"].sum() / ledger["户数"].sum(),
        100 * stations["居民活动面积"].sum() / stations["建筑面积"].sum(),
        100 * (urban["政务自助终端"] == "有").mean(),
        1e4 * urban["社区工作者"].sum() / urban["常住人口"].sum(),
        urban["社区社会组织"].mean(),
        rural["社区社会组织"].mean(),
        100 * urban["持证社区工作者"].sum() / urban["社区工作者"].sum(),
    ]
    np.testing.assert_allclose(figures, [72, 86.2, 5.9, 21.5, 48.6, 0, 14, 7.9, 3.4, 2.5], rtol=0, atol=1)


def test_the_county_has_the_size_of_a_county(ledger: pd.DataFrame) -> None:
    assert ledger["乡镇（街道）"].nunique() == 14
    assert ledger["城乡类型"].value_counts().to_dict() == {"农村": 180, "城市": 30}
    assert (ledger["易地扶贫搬迁安置社区"] == "是").sum() >= 5


def test_every_name_says_that_it_is_an_example(ledger: pd.DataFrame, stations: pd.DataFrame) -> None:
    names = [*ledger["社区（村）名称"], *ledger["乡镇（街道）"], *stations["设施名称"]]
    assert all(name.startswith("示例") for name in names)
    assert ledger["社区（村）名称"].is_unique


def test_there_are_candidates_of_every_acquisition_with_prices(demo: Tables) -> None:
    kinds = {"new_build", "extension", "purchase", "transfer", "exchange", "lease", "reuse"}
    assert set(demo.candidates["acquisition"]) == kinds
    assert (demo.candidates["cost_per_m2"].between(0.01, 1)).all()  # 万元 per m2
    leases = demo.candidates[demo.candidates["acquisition"] == "lease"]
    assert (leases["yearly_cost_per_m2"] > 0).all()
    groups = (
        demo.candidates[demo.candidates["exclusive_group"] != ""].groupby("exclusive_group")["acquisition"].agg(set)
    )
    assert len(groups) >= 5
    assert all(kinds == {"lease", "purchase"} for kinds in groups)


def test_the_files_are_read_without_a_warning_and_every_row_is_kept_but_the_total(demo: Tables) -> None:
    assert not [issue.line("en") for issue in demo.issues if issue.severity != "note"]
    left_out = {record.path.name: record.rows_read - record.rows_kept for record in demo.records}
    assert left_out == {name: int(name == "communities.xlsx") for name in left_out}


def test_homes_stand_in_every_community_and_some_far_from_any_road(demo: Tables) -> None:
    demand = spread_households(demo.communities, demo.boundaries, demo.buildings, STANDARD)
    assert set(demand.method) == {"boundary_buildings"}
    metric = demo.communities.estimate_utm_crs()
    roads = gpd.read_file(DEMO / "roads.gpkg").to_crs(metric)
    homes = gpd.GeoDataFrame(geometry=demand.points).to_crs(metric)
    _, apart = roads.sindex.nearest(homes.geometry, return_all=False, return_distance=True)
    assert 10 <= (apart > 500).sum() <= 0.02 * len(homes)


def test_the_folder_is_small_and_its_tables_are_of_the_planners_kind() -> None:
    assert sum(file.stat().st_size for file in DEMO.iterdir()) < 3_000_000
    sheet = openpyxl.load_workbook(DEMO / "communities.xlsx").active
    assert sheet is not None
    assert "虚构" in str(sheet["A1"].value)
    with pytest.raises(UnicodeDecodeError):
        (DEMO / "stations.csv").read_text(encoding="utf-8")


def test_the_script_makes_the_very_same_county(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    importlib.import_module("make_demo").make_demo(tmp_path)
    for file in sorted(tmp_path.iterdir()):
        if file.suffix == ".gpkg":  # SQLite writes its own version into the file: what is in it must be equal
            made, kept = gpd.read_file(file), gpd.read_file(DEMO / file.name)
            pd.testing.assert_frame_equal(made.drop(columns="geometry"), kept.drop(columns="geometry"))
            assert made.geometry.geom_equals_exact(kept.geometry, 2e-7).all()
        elif file.suffix == ".xlsx":
            made, kept = (pd.read_excel(each, header=None) for each in (file, DEMO / file.name))
            pd.testing.assert_frame_equal(made, kept)
        else:
            assert file.read_bytes() == (DEMO / file.name).read_bytes()
