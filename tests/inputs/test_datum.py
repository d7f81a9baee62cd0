"""GCJ-02, BD-09 and CGCS2000: the shift, its inverse, and the check that doubts a declared datum."""

from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from siting.errors import InputError
from siting.inputs import Source, Tables, check_places, from_wgs84, read_tables, to_wgs84
from siting.standards import read_standard
from tests.inputs.made_tables import COMMUNITIES, communities, faults, only, read, said, write

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
CITIES = {  # WGS84 -> GCJ-02, lon and lat: the published test values of the eviltransform library
    "Shanghai": (121.5272106, 31.1774276, 121.531541859215, 31.17530398364597),
    "Shenzhen": (113.912316, 22.543847, 113.9171764808363, 22.540796131694766),
    "Beijing": (116.377817, 39.911954, 116.38404722455657, 39.91334545536069),
}


@pytest.mark.parametrize("city", CITIES)
def test_the_shift_is_the_published_one(city: str) -> None:
    lon, lat, gcj_lon, gcj_lat = CITIES[city]
    assert np.ravel(from_wgs84([lon], [lat], "gcj02")) == pytest.approx([gcj_lon, gcj_lat], abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.floats(74, 135), st.floats(18, 53), st.sampled_from(["gcj02", "bd09", "cgcs2000", "wgs84"]))
def test_there_and_back_is_the_same_place_to_a_hundredth_of_a_millimetre(lon: float, lat: float, datum: str) -> None:
    back = to_wgs84(*from_wgs84([lon], [lat], datum), datum)
    assert np.ravel(back) == pytest.approx([lon, lat], abs=2e-10)


@settings(max_examples=40, deadline=None)
@given(st.floats(74, 135), st.floats(18, 53))
def test_the_shift_is_hundreds_of_metres_never_more_than_a_kilometre(lon: float, lat: float) -> None:
    gcj = np.ravel(from_wgs84([lon], [lat], "gcj02"))
    metres = np.hypot((gcj[0] - lon) * 111_320 * np.cos(np.radians(lat)), (gcj[1] - lat) * 110_900)
    assert metres < 1000


def test_places_outside_china_and_missing_ones_stay() -> None:
    lon, lat = np.array([24.94, np.nan, 110.1]), np.array([60.17, np.nan, 35.1])
    for datum in ("gcj02", "bd09"):
        moved = to_wgs84(lon, lat, datum)
        assert (moved[0][0], moved[1][0]) == (24.94, 60.17)
        assert np.isnan(moved[0][1])
        assert moved[0][2] != 110.1
    assert (lon[0], lat[0]) == (24.94, 60.17), "the arguments are not changed"


def test_an_unknown_datum_names_the_four() -> None:
    with pytest.raises(InputError, match="wgs84, cgcs2000, gcj02, bd09"):
        to_wgs84([110], [35], "xian80")


def test_a_text_table_without_a_datum_is_never_guessed(tmp_path: Path) -> None:
    issue = only(faults(partial(communities, tmp_path, COMMUNITIES, datum=None)))
    assert "datum of its coordinates is not said" in issue.problem.en
    assert 'datum = "gcj02"' in issue.cure.en
    wrong = only(faults(partial(communities, tmp_path, COMMUNITIES, datum="gcj-02")))
    assert 'unknown datum "gcj-02"' in wrong.problem.en


def test_an_old_datum_is_read_with_a_warning_of_its_size(tmp_path: Path) -> None:
    for crs in ("EPSG:4610", "EPSG:4214", "+proj=longlat +ellps=krass"):
        tables = communities(tmp_path, COMMUNITIES, datum=None, crs=crs)
        assert any("no accurate transformation" in line for line in said(tables, "warning")), crs


@pytest.mark.parametrize(
    "crs",
    [
        "EPSG:4490",
        "EPSG:4546",
        "EPSG:32649",
        "EPSG:3857",
        pyproj.CRS("EPSG:32649").to_wkt("WKT1_ESRI"),
        "+proj=tmerc +lon_0=111 +x_0=500000 +ellps=krass +towgs84=15.8,-154.4,-82.3",
    ],
)
def test_wgs84_the_national_datum_and_a_surveyed_shift_are_not_said_to_be_inaccurate(tmp_path: Path, crs: str) -> None:
    move = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    text = COMMUNITIES
    for lon, lat in ((110.10, 35.10), (110.12, 35.12)):
        x, y = move.transform(lon, lat)
        text = text.replace(f"{lon:.2f},{lat:.2f}", f"{x:.4f},{y:.4f}")
    assert said(communities(tmp_path, text, datum=None, crs=crs), "warning") == []


def test_degrees_declared_as_metres_are_told(tmp_path: Path) -> None:
    issue = only(faults(partial(communities, tmp_path, COMMUNITIES, datum=None, crs="EPSG:4547")))
    assert "holds degrees, not metres" in issue.problem.en
    assert (issue.column, issue.value) == ("crs", "110.1, 35.1")


def test_a_local_coordinate_system_is_no_crash(tmp_path: Path) -> None:
    local = 'LOCAL_CS["Lanzhou local",LOCAL_DATUM["x",32767],UNIT["metre",1],AXIS["E",EAST],AXIS["N",NORTH]]'
    issue = only(faults(partial(communities, tmp_path, COMMUNITIES, datum=None, crs=local)))
    assert "local coordinate system" in issue.problem.en


def test_an_unknown_crs_is_told(tmp_path: Path) -> None:
    issue = only(faults(partial(communities, tmp_path, COMMUNITIES, datum=None, crs="EPSG:999999")))
    assert (issue.column, issue.value) == ("crs", "EPSG:999999")


@pytest.fixture(scope="module")
def roads() -> gpd.GeoSeries:
    return gpd.read_file(DEMO / "roads.gpkg").geometry


def demo(datum: str) -> Tables:
    sources = {
        "communities": Source(DEMO / "communities.xlsx", datum=datum),
        "facilities": Source(DEMO / "services.geojson"),
    }
    return read_tables(sources, read_standard("linyi"))


@pytest.mark.parametrize(
    ("declared", "doubted"), [("gcj02", False), ("wgs84", True), ("bd09", True), ("cgcs2000", True)]
)
def test_a_wrong_datum_is_doubted_and_the_right_one_is_not(roads: gpd.GeoSeries, declared: str, doubted: bool) -> None:
    issues = [issue for issue in check_places(demo(declared), roads) if issue.file == "communities.xlsx"]
    assert bool(issues) == doubted
    if doubted:
        assert only(issues).severity == "warning"
        assert "is the datum gcj02?" in issues[0].cure.en


def test_roads_that_no_file_fits_are_named_instead_of_the_files(roads: gpd.GeoSeries) -> None:
    tables = read_tables(
        {
            "communities": Source(DEMO / "communities.xlsx", datum="gcj02"),
            "facilities": [Source(DEMO / "stations.csv", datum="gcj02"), Source(DEMO / "services.geojson")],
            "buildings": Source(DEMO / "buildings.gpkg"),
        },
        read_standard("linyi"),
    )
    shifted = gpd.GeoSeries(
        shapely.transform(roads.to_numpy(), lambda xy: np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], "gcj02"))),
        crs=roads.crs,
    )
    issue = only(check_places(tables, shifted, Source(Path("roads.gpkg"), datum="gcj02")))
    assert (issue.file, issue.value) == ("roads.gpkg", "gcj02")
    assert issue.cure.en.startswith("is the datum of the roads wgs84?")
    assert check_places(tables, roads, Source(Path("roads.gpkg"))) == ()
    assert {issue.file for issue in check_places(tables, shifted)} == {"services.geojson", "buildings.gpkg"}


def test_boundaries_alone_give_a_wrong_datum_away(tmp_path: Path) -> None:
    lon = 110 + np.arange(30) / 100
    frame = gpd.GeoDataFrame(
        {"community_id": [f"{n:03d}" for n in range(30)]}, geometry=gpd.points_from_xy(lon, np.full(30, 35.1)), crs=4326
    )
    frame.to_crs(32649).buffer(200).to_crs(4326).to_frame("geometry").assign(
        community_id=frame["community_id"]
    ).to_file(tmp_path / "b.gpkg")
    rows = [f"{n:03d},农村,5,{each:.6f},35.1" for n, each in enumerate(lon)]
    ledger = write(tmp_path, "c.csv", "\n".join(["社区代码,城乡类型,户数,经度,纬度", *rows]))
    far_road = gpd.GeoSeries.from_wkt(["LINESTRING (110.0 35.0, 110.3 35.0)"], crs="EPSG:4326")
    boundaries = Source(tmp_path / "b.gpkg")
    right = read(tmp_path, communities=Source(ledger, datum="wgs84"), boundaries=boundaries)
    assert check_places(right, far_road) == ()
    wrong = read(tmp_path, communities=Source(ledger, datum="gcj02"), boundaries=boundaries)
    issue = only(check_places(wrong, far_road))
    assert "as WGS84 it would be 100%" in issue.problem.en


def test_a_few_places_say_nothing_of_a_datum(tmp_path: Path) -> None:
    tables = communities(tmp_path, COMMUNITIES)
    roads = gpd.GeoSeries.from_wkt(["LINESTRING (110.1 35.1, 110.12 35.12)"], crs="EPSG:4326")
    assert check_places(tables, roads) == ()


def test_places_far_from_every_road_are_named(tmp_path: Path) -> None:
    tables = communities(tmp_path, COMMUNITIES.replace("35.12", "36.12"))
    roads = gpd.GeoSeries.from_wkt(["LINESTRING (110.1 35.1, 110.12 35.12)"], crs="EPSG:4326")
    issue = only(check_places(tables, roads))
    assert issue.value == "0013"
    assert "more than 50 km from the nearest road (at most 111 km): 0013" in issue.problem.en


def test_the_right_datums_of_a_real_city_are_not_doubted(shared_data: Path) -> None:
    folder = shared_data / "lanzhou"
    sources = {
        "communities": Source(folder / "communities_gcj02.xlsx", datum="gcj02"),
        "facilities": [
            Source(folder / "service_stations_gb18030_gcj02.csv", datum="gcj02"),
            Source(folder / "services_wgs84.geojson"),
        ],
        "candidates": Source(folder / "candidates.geojson"),
        "boundaries": Source(folder / "community_boundaries.gpkg"),
    }
    roads = gpd.read_file(folder / "roads.gpkg").geometry
    standard = read_standard("gansu")
    assert check_places(read_tables(sources, standard), roads) == ()
    sources["communities"] = Source(folder / "communities_gcj02.xlsx", datum="wgs84")
    assert [issue.file for issue in check_places(read_tables(sources, standard), roads)] == ["communities_gcj02.xlsx"]
    sources["facilities"] = Source(folder / "service_stations_gb18030_gcj02.csv", datum="wgs84")
    assert [issue.file for issue in check_places(read_tables(sources, standard), roads)] == [
        "communities_gcj02.xlsx",
        "service_stations_gb18030_gcj02.csv",
    ]
