"""Layers with geometry as they come: damaged, incomplete, disguised, in Chinese."""

import json
import shutil
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from shapely.geometry import GeometryCollection, MultiPolygon, Point, Polygon, box

from siting.inputs import Source, Tables
from tests.inputs.made_tables import faults, only, read, said, write


def layer(**columns: object) -> gpd.GeoDataFrame:
    data = {"community_id": ["0012", "0013"], "city": ["城市", "农村"], "households": [300, 200], **columns}
    data["城乡类型"] = data.pop("city")
    return gpd.GeoDataFrame(data, geometry=[Point(110.1, 35.1), Point(110.12, 35.12)], crs="EPSG:4326")


def test_gpkg_geojson_and_parquet_say_the_same(tmp_path: Path) -> None:
    frame = layer()
    frame.to_file(tmp_path / "a.gpkg")
    frame.to_file(tmp_path / "a.geojson")
    frame.to_parquet(tmp_path / "a.parquet")
    for name in ("a.gpkg", "a.geojson", "a.parquet"):
        tables = read(tmp_path, communities=Source(tmp_path / name))
        assert list(tables.communities["community_id"]) == ["0012", "0013"]
        assert list(tables.communities["households"]) == [300, 200]
        np.testing.assert_allclose(tables.communities.geometry.x, [110.1, 110.12], rtol=0, atol=1e-9)


def test_a_parquet_without_geometry_is_a_table_with_lon_and_lat(tmp_path: Path) -> None:
    frame = layer(lon=[110.1, 110.12], lat=[35.1, 35.12]).drop(columns="geometry")
    frame.to_parquet(tmp_path / "t.parquet")
    assert len(read(tmp_path, communities=tmp_path / "t.parquet").communities) == 2


def test_another_crs_moves_a_place_by_less_than_a_millimetre(tmp_path: Path) -> None:
    frame = layer()
    for crs in ("EPSG:4547", "EPSG:32649", "EPSG:3857", "EPSG:4490"):
        frame.to_crs(crs).to_file(tmp_path / "p.gpkg")
        tables = read(tmp_path, communities=Source(tmp_path / "p.gpkg"))
        np.testing.assert_allclose(tables.communities.geometry.x, frame.geometry.x, rtol=0, atol=1e-8)
        np.testing.assert_allclose(tables.communities.geometry.y, frame.geometry.y, rtol=0, atol=1e-8)


@pytest.mark.parametrize("content", [b"SQLite format 3\x00" + b"x" * 3000, b"\x00" * 4000, b"random bytes " * 300])
def test_a_damaged_geopackage_is_damaged_not_a_crash(tmp_path: Path, content: bytes) -> None:
    issue = only(faults(partial(read, tmp_path, communities=Source(write(tmp_path, "坏.gpkg", content)))))
    assert "damaged" in issue.problem.en


def test_a_truncated_geopackage_is_damaged(tmp_path: Path) -> None:
    layer().to_file(tmp_path / "whole.gpkg")
    cut = write(tmp_path, "cut.gpkg", (tmp_path / "whole.gpkg").read_bytes()[:20_000])
    assert "damaged" in only(faults(partial(read, tmp_path, communities=Source(cut)))).problem.en


def test_of_several_layers_one_must_be_named(tmp_path: Path) -> None:
    for name in ("一", "二"):
        layer().to_file(tmp_path / "two.gpkg", layer=name)
    issue = only(faults(partial(read, tmp_path, communities=Source(tmp_path / "two.gpkg"))))
    assert "一, 二" in issue.cure.en
    assert len(read(tmp_path, communities=Source(tmp_path / "two.gpkg", layer="二")).communities) == 2
    wrong = only(faults(partial(read, tmp_path, communities=Source(tmp_path / "two.gpkg", layer="三"))))
    assert 'no layer named "三"' in wrong.problem.en


def test_a_shapefile_with_parts_missing_names_each(tmp_path: Path) -> None:
    frame = layer().rename(columns={"community_id": "code", "城乡类型": "area_type"})
    frame.to_file(tmp_path / "s.shp")
    for suffix in (".shx", ".dbf"):
        (tmp_path / f"s{suffix}").rename(tmp_path / f"kept{suffix}")
    issue = only(faults(partial(read, tmp_path, communities=Source(tmp_path / "s.shp"))))
    assert "s.shx (index), s.dbf (attributes)" in issue.problem.en
    for suffix in (".shx", ".dbf"):
        (tmp_path / f"kept{suffix}").rename(tmp_path / f"s{suffix}")
    for suffix in (".prj", ".cpg"):
        (tmp_path / f"s{suffix}").unlink()
    nameless = partial(read, tmp_path, communities=Source(tmp_path / "s.shp"))
    assert "names no coordinate system" in only(faults(nameless)).problem.en
    declared = Source(tmp_path / "s.shp", datum="wgs84")
    notes = "\n".join(said(read(tmp_path, communities=declared)))
    assert "s.prj (the coordinate system) is missing" in notes
    assert "s.cpg (the encoding) is missing" in notes


def test_a_damaged_coordinate_system_of_a_shapefile_is_damage_not_a_crash(tmp_path: Path) -> None:
    layer().rename(columns={"community_id": "code", "城乡类型": "area_type"}).to_file(tmp_path / "s.shp")
    said_in_latin1 = (tmp_path / "s.prj").read_bytes().replace(b"Greenwich", b"Greenwic\xdb")
    (tmp_path / "s.prj").write_bytes(said_in_latin1)
    assert faults(partial(read, tmp_path, communities=Source(tmp_path / "s.shp")))


def test_two_fields_of_a_shapefile_with_one_name_are_both_named(tmp_path: Path) -> None:
    frame = layer(spare=[1, 2]).rename(columns={"community_id": "code", "城乡类型": "area_type", "households": "户数"})
    pyogrio.write_dataframe(frame, tmp_path / "s.shp", encoding="UTF-8")
    table = tmp_path / "s.dbf"
    table.write_bytes(table.read_bytes().replace(b"spare\0", "户数".encode()))
    issue = only(faults(partial(read, tmp_path, communities=Source(tmp_path / "s.shp"))))
    assert "are both households" in issue.problem.en


def chinese_shapefile(folder: Path, cpg: str | None) -> Path:
    """A shapefile in GB18030 whose declared encoding is another, or none."""
    frame = layer(name=["示例一社区", "示例二村"]).rename(
        columns={"community_id": "社区代码", "households": "户数", "name": "社区名称"}
    )
    pyogrio.write_dataframe(frame, folder / "社区.shp", encoding="GB18030")
    if cpg is None:
        (folder / "社区.cpg").unlink(missing_ok=True)
    else:
        (folder / "社区.cpg").write_text(cpg, encoding="ascii")
    return folder / "社区.shp"


@pytest.mark.parametrize("cpg", ["GB18030", "UTF-8", None])
def test_a_chinese_shapefile_is_read_whatever_its_cpg_says(tmp_path: Path, cpg: str | None) -> None:
    tables = read(tmp_path, communities=Source(chinese_shapefile(tmp_path, cpg)))
    assert list(tables.communities["name"]) == ["示例一社区", "示例二村"]
    assert any("社区.cpg" in line for line in said(tables)) == (cpg != "GB18030")


@pytest.mark.parametrize("encoding", ["UTF-8", "GB18030"])
def test_chinese_field_names_cut_by_a_shapefile_are_understood_and_said(tmp_path: Path, encoding: str) -> None:
    names = {
        "city": "城乡类型",
        "households": "户数",
        "name": "社区名称",
        "total": "社区总建筑面积",
        "code": "社区代码",
    }
    names["commerce"] = "商业和综合服务设施面积"
    frame = layer(name=["示例一社区", "示例二村"], commerce=[3.5, 4.5], total=[99.0, 88.0])
    frame = frame.rename(columns={"城乡类型": "city", "community_id": "code"})
    pyogrio.write_dataframe(frame, tmp_path / "截.shp", encoding=encoding)
    table = bytearray((tmp_path / "截.dbf").read_bytes())
    for start in range(32, 32 * (len(names) + 1), 32):  # the name of a field takes 11 bytes, the last of them 0
        name = names[table[start : start + 11].rstrip(b"\0").decode("ascii")]
        table[start : start + 11] = name.encode(encoding)[:10].ljust(11, b"\0")
    (tmp_path / "截.dbf").write_bytes(table)
    tables = read(tmp_path, communities=Source(tmp_path / "截.shp"))
    assert list(tables.communities["name"]) == ["示例一社区", "示例二村"]
    assert list(tables.communities["commerce_service_area_m2"]) == [3.5, 4.5]
    assert list(tables.communities["total_building_area_m2"]) == [99, 88]
    assert any("the name was cut by the shapefile; read as commerce_service_area_m2" in line for line in said(tables))


def zipped(folder: Path, names: list[str]) -> Path:
    """A zip whose member names are in GBK, as Windows in China writes them."""
    chinese_shapefile(folder, "GB18030")
    with zipfile.ZipFile(folder / "z.zip", "w") as archive:
        for filler, name in zip("xyz", names, strict=False):
            for suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg"):
                info = zipfile.ZipInfo(filler * len(name.encode("gbk")) + suffix)
                archive.writestr(info, (folder / f"社区{suffix}").read_bytes())
    data = (folder / "z.zip").read_bytes()
    for filler, name in zip("xyz", names, strict=False):
        raw = name.encode("gbk")
        data = data.replace(filler.encode() * len(raw) + b".", raw + b".")
    (folder / "z.zip").write_bytes(data)
    return folder / "z.zip"


def test_a_zip_with_names_in_gbk_is_read(tmp_path: Path) -> None:
    tables = read(tmp_path, communities=Source(zipped(tmp_path, ["数据/社区边界"])))
    assert list(tables.communities["name"]) == ["示例一社区", "示例二村"]


def test_a_zip_with_two_shapefiles_must_be_told_which(tmp_path: Path) -> None:
    path = zipped(tmp_path, ["城区", "全县村"])
    assert "holds 2 shapefiles" in only(faults(partial(read, tmp_path, communities=Source(path)))).problem.en
    assert len(read(tmp_path, communities=Source(path, layer="全县村")).communities) == 2
    assert 'holds no "没有"' in only(faults(partial(read, tmp_path, communities=Source(path, layer="没有")))).problem.en


def test_a_zip_without_a_shapefile_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "e.zip", "w") as archive:
        archive.writestr("readme.txt", "x")
    assert "no shapefile" in only(faults(partial(read, tmp_path, communities=Source(tmp_path / "e.zip")))).problem.en


VRT = b"<OGRVRTDataSource><OGRVRTLayer><SrcDataSource>/etc/hosts</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"


@pytest.mark.parametrize("name", ["x.geojson", "x.gpkg", "x.shp", "x.zip", "x.parquet"])
def test_a_vrt_in_disguise_is_refused(tmp_path: Path, name: str) -> None:
    issue = only(faults(partial(read, tmp_path, communities=Source(write(tmp_path, name, VRT)))))
    assert "XML" in issue.problem.en


@pytest.mark.parametrize(
    "path",
    [
        "https://example.org/a.geojson",
        "/vsicurl/https://example.org/a.gpkg",
        "/vsizip/a.zip/b.shp",
        "GPKG:a.gpkg:x",
        "PG:dbname=x",
    ],
)
def test_addresses_and_virtual_paths_are_refused(tmp_path: Path, path: str) -> None:
    assert "is not read" in only(faults(partial(read, tmp_path, communities=Source(Path(path))))).problem.en


def test_a_web_page_saved_as_data_is_called_one(tmp_path: Path) -> None:
    page = write(tmp_path, "a.geojson", "<!DOCTYPE html><html><body>404</body></html>")
    assert "this is a web page" in only(faults(partial(read, tmp_path, communities=Source(page)))).problem.en


def test_a_folder_a_missing_file_and_a_strange_kind_are_told(tmp_path: Path) -> None:
    (tmp_path / "d.gpkg").mkdir()
    assert "folder" in only(faults(partial(read, tmp_path, communities=Source(tmp_path / "d.gpkg")))).problem.en
    missing = only(faults(partial(read, tmp_path, communities=Source(tmp_path / "没有.gpkg"))))
    assert "is not there" in missing.problem.en
    assert "good_communities.csv" in missing.problem.en
    odd = write(tmp_path, "a.docx", "x")
    assert '".docx"' in only(faults(partial(read, tmp_path, communities=Source(odd)))).problem.en


def collection(*geometries: object) -> str:
    features = [
        {"type": "Feature", "properties": {"community_id": str(n), "城乡类型": "城市", "户数": 5}, "geometry": geometry}
        for n, geometry in enumerate(geometries)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)


def test_endless_numbers_truncation_and_depth_in_geojson_are_faults_not_crashes(tmp_path: Path) -> None:
    good = collection({"type": "Point", "coordinates": [110.1, 35.1]})
    for text in (good.replace("110.1", "1e400"), good[:-30], "[" * 200_000, '{"type": "FeatureCollection"', "[1, 2]"):
        assert faults(partial(read, tmp_path, communities=Source(write(tmp_path, "b.geojson", text))))


def geometries(folder: Path, *shapes: object, **options: object) -> Tables:
    frame = gpd.GeoDataFrame(
        {"community_id": [str(n) for n in range(len(shapes))], "城乡类型": "城市", "户数": 5},
        geometry=list(shapes),
        crs="EPSG:4326",
    )
    frame.to_file(folder / "g.gpkg")
    return read(folder, communities=Source(folder / "g.gpkg", **options))


@pytest.mark.filterwarnings("ignore:GeoSeries.notna")  # of geopandas 1.0 while it writes the file
def test_empty_and_missing_geometries_of_facilities_are_told_with_their_rows(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(
        {"facility_id": ["a", "b", "c"], "service": "药店"}, geometry=[Point(110, 35), None, Point()], crs="EPSG:4326"
    )
    frame.to_file(tmp_path / "f.gpkg")
    issues = faults(partial(read, tmp_path, facilities=Source(tmp_path / "f.gpkg")))
    assert [issue.row for issue in issues] == [2, 3]
    assert all("has no geometry" in issue.problem.en for issue in issues)


def test_a_coordinate_that_is_not_finite_is_told_with_its_row(tmp_path: Path) -> None:
    shapes = [Point(110, 35), Point(np.inf, 35), box(110, 35, 110.1, np.inf)]
    frame = gpd.GeoDataFrame({"facility_id": ["a", "b", "c"], "service": "药店"}, geometry=shapes, crs="EPSG:4326")
    frame.to_parquet(tmp_path / "f.parquet")
    issues = faults(partial(read, tmp_path, facilities=Source(tmp_path / "f.parquet")))
    assert [issue.row for issue in issues] == [2, 3]
    assert all("not a finite number" in issue.problem.en for issue in issues)


def test_heights_are_dropped_and_said(tmp_path: Path) -> None:
    tables = geometries(tmp_path, Point(110.1, 35.1, 1500), Point(110.2, 35.2, 1600))
    assert not shapely.has_z(tables.communities.geometry.to_numpy()).any()
    assert any("2 geometries carry heights" in line for line in said(tables))


def test_polygons_where_points_are_wanted_give_a_point_within_and_say_so(tmp_path: Path) -> None:
    horseshoe = Polygon(
        [(110, 35), (110.3, 35), (110.3, 35.3), (110.2, 35.3), (110.2, 35.1), (110.1, 35.1), (110.1, 35.3), (110, 35.3)]
    )
    tables = geometries(tmp_path, horseshoe)
    assert horseshoe.contains(tables.communities.geometry[0])
    assert any("not a point" in line for line in said(tables))


def test_a_bow_tie_boundary_is_mended_and_told(tmp_path: Path) -> None:
    bow = Polygon([(110.0, 35.0), (110.2, 35.2), (110.2, 35.0), (110.0, 35.2)])
    frame = gpd.GeoDataFrame(
        {"community_id": ["0012", "0013"]}, geometry=[bow, box(111, 36, 111.1, 36.1)], crs="EPSG:4326"
    )
    frame.to_file(tmp_path / "b.gpkg")
    tables = read(tmp_path, boundaries=Source(tmp_path / "b.gpkg"))
    assert tables.boundaries is not None
    assert tables.boundaries.geometry.is_valid.all()
    assert isinstance(tables.boundaries.geometry[0], MultiPolygon | GeometryCollection)
    assert any("row 1" in line and "crosses itself" in line for line in said(tables, "warning"))


def test_a_layer_declared_in_a_datum_is_moved_from_it(tmp_path: Path) -> None:
    tables = geometries(tmp_path, Point(110.1, 35.1), datum="gcj02")
    moved = tables.communities.geometry[0]
    metres = np.hypot((moved.x - 110.1) * 91_000, (moved.y - 35.1) * 111_000)
    assert 100 < metres < 800


def test_a_path_with_chinese_blanks_and_signs_works(tmp_path: Path) -> None:
    folder = tmp_path / "数 据#1%20" / ("长" * 40)
    folder.mkdir(parents=True)
    layer().to_file(tmp_path / "a.gpkg")
    shutil.copy(tmp_path / "a.gpkg", folder / "社 区#.gpkg")
    assert len(read(tmp_path, communities=Source(folder / "社 区#.gpkg")).communities) == 2


def test_a_list_in_a_layer_is_read_as_several_values_and_where_one_is_wanted_it_is_told(tmp_path: Path) -> None:
    properties = {"候选编号": "C1", "取得方式": "新建", "可用面积": 90, "固定费用万元": 1, "单价元每平方米": 900}
    feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [110.1, 35.1]}}
    good = {**feature, "properties": {**properties, "可设服务": ["社区综合服务设施", "药店"]}}
    path = write(tmp_path, "c.geojson", json.dumps({"type": "FeatureCollection", "features": [good]}))
    tables = read(tmp_path, candidates=Source(path))
    if not any(
        "Skipping field 可设服务" in line for line in said(tables, "warning")
    ):  # pyogrio before 0.10 reads no lists
        assert list(tables.candidates["services"]) == [("comprehensive", "pharmacy")]
    bad = {**feature, "properties": {**properties, "可用面积": [90, 80]}}
    path = write(tmp_path, "d.geojson", json.dumps({"type": "FeatureCollection", "features": [bad]}))
    issue = only(faults(partial(read, tmp_path, candidates=Source(path))))
    assert (issue.row, issue.column, issue.value) == (1, "可用面积", "90;80") or "is missing" in issue.problem.en


def test_a_layer_of_facilities_without_a_feature_is_a_table_of_none(tmp_path: Path) -> None:
    write(tmp_path, "f.geojson", '{"type": "FeatureCollection", "features": []}')
    tables = read(tmp_path, facilities=Source(tmp_path / "f.geojson", datum="wgs84"))
    assert len(tables.facilities) == 0
    assert any("0 rows" in line for line in said(tables, "warning"))


def exchanged(folder: Path, points: list[Point], **options: Any) -> Tables:
    layer = gpd.GeoDataFrame({"facility_id": ["F1", "F2", "F3"], "service": "药店"}, geometry=points, crs="EPSG:4326")
    layer.to_file(folder / "f.geojson")
    return read(folder, facilities=Source(folder / "f.geojson", **options))


def test_a_layer_with_longitude_and_latitude_exchanged_is_told_and_exchanged_only_when_asked(tmp_path: Path) -> None:
    points = [Point(35.10, 110.10), Point(35.11, 110.11), Point(35.12, 110.12)]
    issue = only(faults(partial(exchanged, tmp_path, points)))
    assert "look exchanged in 3 rows" in issue.problem.en
    assert "swap_lon_lat" in issue.cure.en
    tables = exchanged(tmp_path, points, swap_lon_lat=True)
    assert tables.facilities.geometry.x.tolist() == [110.10, 110.11, 110.12]
    assert any("as asked" in line for line in said(tables))


def test_one_place_of_a_layer_with_its_axes_exchanged_is_told_with_its_row(tmp_path: Path) -> None:
    points = [Point(110.10, 35.10), Point(35.11, 110.11), Point(110.12, 35.12)]
    issue = only(faults(partial(exchanged, tmp_path, points)))
    assert (issue.row, issue.value) == (2, "35.11000, 110.11000")
