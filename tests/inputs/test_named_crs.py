"""What files say of their coordinate system: found wherever it stands, and told where it is none that is known."""

import json
import sqlite3
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import LineString, Point

from siting.errors import TableError
from siting.inputs import Source, geojson, read_roads
from siting.inputs.faults import Faults
from siting.inputs.geojson import NamedCrs, check_geojson
from tests.inputs.made_tables import faults, only, read, said, write


def named(name: Any) -> dict[str, Any]:
    return {"type": "name", "properties": {"name": name}}


def features(
    crs: object = ..., inner: tuple[object, object] = (..., ...), places: tuple[Point, Point] | None = None
) -> str:
    first, second = places or (Point(110.1, 35.1), Point(110.12, 35.12))
    content: dict[str, Any] = {"type": "FeatureCollection"} if crs is ... else {"type": "FeatureCollection", "crs": crs}
    content["features"] = []
    for code, kind, place, own in (("0012", "城市", first, inner[0]), ("0013", "农村", second, inner[1])):
        shape = {"type": "Point", "coordinates": [place.x, place.y]} | ({} if own is ... else {"crs": own})
        about = {"community_id": code, "城乡类型": kind, "households": 3}
        content["features"].append({"type": "Feature", "properties": about, "geometry": shape})
    return json.dumps(content, ensure_ascii=False)


@pytest.mark.parametrize(
    ("crs", "value"),
    [
        (named("EPSG:99999"), "EPSG:99999"),
        (named("没有这个"), "没有这个"),
        ({"type": "EPSG", "properties": {"code": 99999}}, "EPSG:99999"),
        ("EPSG:99999", "EPSG:99999"),
        (named(12), "12"),
        ({"type": "name", "properties": {}}, '{"type": "name", "properties": {}}'),
        ({"type": "name", "properties": None}, '{"type": "name", "properties": null}'),
        ({"type": 7}, '{"type": 7}'),
        (5, "5"),
    ],
)
def test_an_unknown_coordinate_system_is_told_with_its_name(tmp_path: Path, crs: object, value: str) -> None:
    path = write(tmp_path, "p.geojson", features(crs))
    issue = only(faults(partial(read, tmp_path, communities=Source(path))))
    assert issue.problem.en == "the coordinate system that the file names is not known"
    assert (issue.column, issue.value) == ("crs", value)
    assert "crs" in issue.cure.zh
    tables = read(tmp_path, communities=Source(path, crs="EPSG:4490"))
    assert any("not known; read as EPSG:4490, as the study says" in line for line in said(tables, "warning"))


@pytest.mark.parametrize(
    "crs",
    [
        named("EPSG:4490"),
        named("urn:ogc:def:crs:EPSG::4490"),
        named("urn:ogc:def:crs:OGC:1.3:CRS84"),
        {"type": "EPSG", "properties": {"code": 4490}},
        {"type": "NAME", "properties": {"name": "EPSG:4326"}},
    ],
)
def test_a_known_one_is_not_told(tmp_path: Path, crs: object) -> None:
    tables = read(tmp_path, communities=Source(write(tmp_path, "p.geojson", features(crs))))
    np.testing.assert_allclose(tables.communities.geometry.x, [110.1, 110.12], rtol=0, atol=1e-9)
    assert not [line for line in said(tables, "warning") + said(tables) if "crs" in line or "coordinate" in line]


def test_none_is_told_and_the_study_may_say_it(tmp_path: Path) -> None:
    path = write(tmp_path, "p.geojson", features(None))
    issue = only(faults(partial(read, tmp_path, communities=Source(path))))
    assert "names no coordinate system" in issue.problem.en
    assert len(read(tmp_path, communities=Source(path, datum="wgs84")).communities) == 2


def test_the_system_that_shapes_name_is_used_and_said(tmp_path: Path) -> None:
    degrees = gpd.GeoSeries([Point(110.1, 35.1), Point(110.12, 35.12)], crs="EPSG:4326")
    metres = degrees.to_crs("EPSG:32649")
    both = (named("EPSG:32649"), named("EPSG:32649"))
    path = write(tmp_path, "p.geojson", features(inner=both, places=(metres.iloc[0], metres.iloc[1])))
    tables = read(tmp_path, communities=Source(path))
    np.testing.assert_allclose(tables.communities.geometry.x, degrees.x, rtol=0, atol=1e-8)
    assert any(
        "its shapes name the coordinate system, not the file; read as EPSG:32649" in line for line in said(tables)
    )


def test_shapes_that_name_different_systems_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "p.geojson", features(inner=(named("EPSG:4326"), named("EPSG:4547"))))
    issue = only(faults(partial(read, tmp_path, communities=Source(path))))
    assert "different coordinate systems" in issue.problem.en
    assert issue.value == "EPSG:4326, EPSG:4547"


def test_the_system_of_the_file_goes_before_that_of_its_shapes(tmp_path: Path) -> None:
    path = write(tmp_path, "p.geojson", features(named("EPSG:4490"), (named("EPSG:4490"), named("EPSG:4326"))))
    assert len(read(tmp_path, communities=Source(path)).communities) == 2


def test_a_column_called_crs_is_a_column(tmp_path: Path) -> None:
    text = features().replace('"community_id"', '"crs": "EPSG:99999", "note": "\\"crs\\": [[[", "community_id"')
    assert len(read(tmp_path, communities=Source(write(tmp_path, "p.geojson", text))).communities) == 2


@pytest.mark.parametrize("chunk", [3, 7, 64, 1 << 20])
def test_what_is_quoted_or_escaped_does_not_count_wherever_the_file_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(geojson, "_CHUNK", chunk)
    tail = '{"a": "[[[ \\" {{{ \\\\", "b": ["]", "\\\\\\""], "crs": "EPSG:4490"}'
    found = check_geojson(write(tmp_path, "p.geojson", tail), Faults("p.geojson"))
    assert found == NamedCrs(True, "EPSG:4490", inner=False)
    deep = "[" * geojson.DEEPEST_JSON + "]" * geojson.DEEPEST_JSON
    assert check_geojson(write(tmp_path, "d.geojson", deep), Faults("d.geojson")) == NamedCrs()
    with pytest.raises(TableError, match="nested too deep"):
        check_geojson(write(tmp_path, "e.geojson", f"[{deep}]"), Faults("e.geojson"))


def test_a_crs_that_goes_on_and_on_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "p.geojson", features({"type": "name", "properties": {"name": "x" * 5000}}))
    assert "cannot be understood" in only(faults(partial(read, tmp_path, communities=Source(path)))).problem.en


def nonsense_shapefile(folder: Path) -> Path:
    roads(folder / "r.shp")
    return write(folder, "r.prj", "乱写").with_suffix(".shp")


def nonsense_geopackage(folder: Path) -> Path:
    roads(folder / "r.gpkg")
    with sqlite3.connect(folder / "r.gpkg") as database:
        database.execute(
            "UPDATE gpkg_spatial_ref_sys SET definition = ?, organization = 'own', organization_coordsys_id = 9 "
            "WHERE srs_id = 4490",
            ('GEOGCS["乱写"]',),
        )
    return folder / "r.gpkg"


def roads(path: Path) -> None:
    line = LineString([(110, 35), (110.01, 35.01)])
    gpd.GeoDataFrame({"highway": ["service"]}, geometry=[line], crs="EPSG:4490").to_file(path)


@pytest.mark.parametrize("make", [nonsense_shapefile, nonsense_geopackage])
def test_a_layer_with_a_nonsense_definition_is_told_with_it(tmp_path: Path, make: Any) -> None:
    path = make(tmp_path)
    with pytest.raises(TableError, match="the file names is not known") as caught:
        read_roads(path)
    issue = only([each for each in caught.value.issues if each.severity == "error"])
    assert "乱写" in issue.value
    told = read_roads(Source(path, datum="cgcs2000")).issues
    assert any("read as cgcs2000, as the study says" in each.problem.en for each in told)


def test_half_a_definition_is_told_as_such(tmp_path: Path) -> None:
    roads(tmp_path / "r.shp")
    write(tmp_path, "r.prj", 'GEOGCS["乱写"]')
    with pytest.raises(TableError, match="the definition of the coordinate system in the file is not whole"):
        read_roads(tmp_path / "r.shp")
