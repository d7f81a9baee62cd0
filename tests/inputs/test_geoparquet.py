"""Parquet files as programs write them, and as they are when their metadata or their geometries are not."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from shapely.geometry import Point, box

from siting.inputs import Source
from siting.inputs.faults import Faults
from siting.inputs.files import read_file
from tests.inputs.made_tables import faults, only, read, said

WKB = {"encoding": "WKB", "geometry_types": []}


def parquet(folder: Path, geo: object, geometry: Any = None, **columns: Any) -> Path:
    """Communities with these geometries, under this ``geo`` metadata: bytes as they stand, else as JSON."""
    places = pa.array([shapely.to_wkb(Point(110.1, 35.1)), shapely.to_wkb(Point(110.12, 35.12))], pa.binary())
    data = {"community_id": ["0012", "0013"], "城乡类型": ["城市", "农村"], "households": [300, 200], **columns}
    table = pa.table({**data, "geometry": places if geometry is None else geometry})
    raw = geo if isinstance(geo, bytes) else json.dumps(geo).encode()
    pq.write_table(table.replace_schema_metadata({b"geo": raw}), folder / "p.parquet")
    return folder / "p.parquet"


@pytest.mark.parametrize(
    "geo",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[" * 100_000,
        None,
        [],
        7,
        {},
        {"columns": {"geometry": WKB}},
        {"primary_column": "geometry"},
        {"primary_column": "geometry", "columns": []},
        {"primary_column": "geometry", "columns": {}},
        {"primary_column": "geometry", "columns": {"geometry": None}},
        {"primary_column": "geometry", "columns": {"geometry": []}},
        {"primary_column": "geometry", "columns": {"geometry": {}}},
        {"primary_column": "geometry", "columns": {"geometry": {"encoding": "WKT"}}},
        {"primary_column": "geometry", "columns": {"geometry": {"encoding": None}}},
        {"primary_column": "elsewhere", "columns": {"elsewhere": WKB}},
        {"primary_column": ["geometry"], "columns": {"geometry": WKB}},
        {"primary_column": 3, "columns": {"3": WKB}},
    ],
)
def test_metadata_that_does_not_say_where_the_geometries_are_is_told(tmp_path: Path, geo: object) -> None:
    issue = only(faults(partial(read, tmp_path, communities=Source(parquet(tmp_path, geo)))))
    assert "does not say which column holds the geometries" in issue.problem.en
    assert issue.column == "geo"


@pytest.mark.parametrize("crs", [7, [], True, "http://example.invalid", "nonsense", {}, {"type": "ProjectedCRS"}])
def test_an_unknown_coordinate_system_is_told(tmp_path: Path, crs: object) -> None:
    geo = {"primary_column": "geometry", "columns": {"geometry": {**WKB, "crs": crs}}}
    issue = only(faults(partial(read, tmp_path, communities=Source(parquet(tmp_path, geo)))))
    assert "the file names is not known" in issue.problem.en
    assert issue.value == (crs if isinstance(crs, str) else json.dumps(crs))


def test_no_word_of_a_coordinate_system_is_wgs84_and_null_is_none(tmp_path: Path) -> None:
    path = parquet(tmp_path, {"primary_column": "geometry", "columns": {"geometry": WKB}})
    assert len(read(tmp_path, communities=Source(path)).communities) == 2
    path = parquet(tmp_path, {"primary_column": "geometry", "columns": {"geometry": {**WKB, "crs": None}}})
    issue = only(faults(partial(read, tmp_path, communities=Source(path))))
    assert "names no coordinate system" in issue.problem.en


PLAIN = {"primary_column": "geometry", "columns": {"geometry": WKB}}


@pytest.mark.parametrize(
    "geometry",
    [
        ["POINT (110.1 35.1)", "POINT (110.12 35.12)"],
        [1, 2],
        [1.5, None],
        [[1.0, 2.0], [3.0, 4.0]],
        [{"x": 110.1, "y": 35.1}, {"x": 110.1, "y": 35.1}],
    ],
)
def test_geometries_that_are_no_bytes_are_told(tmp_path: Path, geometry: list[object]) -> None:
    issue = only(faults(partial(read, tmp_path, communities=Source(parquet(tmp_path, PLAIN, pa.array(geometry))))))
    assert "should be well-known binary" in issue.problem.en
    assert issue.value


def test_a_geometry_that_is_none_is_told_with_its_row_and_the_others_are_read(tmp_path: Path) -> None:
    whole = shapely.to_wkb(box(110, 35, 110.1, 35.1))
    for bad in (b"", b"\x01", b"not wkb", whole[:40], whole[:5] + b"\xff\xff\xff\xff" + whole[9:], None):
        geometry = pa.array([whole, bad], pa.binary())
        path = parquet(tmp_path, PLAIN, geometry)
        issue = only(faults(partial(read, tmp_path, boundaries=Source(path))))
        assert "has no geometry, or one that is none" in issue.problem.en
        assert (issue.row, issue.column) == (2, "geometry")
    nothing = parquet(tmp_path, PLAIN, pa.nulls(2))
    assert len(faults(partial(read, tmp_path, boundaries=Source(nothing)))) == 2


def test_a_geometry_nested_without_end_is_told_and_the_process_lives(tmp_path: Path) -> None:
    point = shapely.to_wkb(Point(110, 35))
    one, two = b"\x01\x00\x00\x00", b"\x02\x00\x00\x00"
    plain, with_srid = b"\x01\x07\x00\x00\x00", b"\x01\x07\x00\x00\x20\xe6\x10\x00\x00"
    for headers in (plain + one, plain + two + point, with_srid + one):
        deep = headers * 200_000 + point
        path = parquet(tmp_path, PLAIN, pa.array([shapely.to_wkb(box(110, 35, 110.1, 35.1)), deep], pa.binary()))
        issue = only(faults(partial(read, tmp_path, boundaries=Source(path))))
        assert (issue.row, issue.column) == (2, "geometry")


@pytest.mark.parametrize("encoding", ["WKB", "geoarrow"])
def test_both_encodings_of_geopandas_are_read(tmp_path: Path, encoding: str) -> None:
    frame = gpd.GeoDataFrame(
        {"community_id": ["0012", "0013"], "城乡类型": ["城市", "农村"], "households": [3, 2]},
        geometry=[Point(110.1, 35.1), Point(110.12, 35.12)],
        crs="EPSG:4326",
    )
    options: dict[str, Any] = {"geometry_encoding": encoding}
    frame.to_parquet(tmp_path / "p.parquet", **options)
    tables = read(tmp_path, communities=Source(tmp_path / "p.parquet"))
    np.testing.assert_array_equal(tables.communities.geometry.y, [35.1, 35.12])


def test_columns_of_any_kind_are_plain_values(tmp_path: Path) -> None:
    columns = {
        "category": pa.DictionaryArray.from_arrays(pa.array([0, 0], pa.int8()), pa.array(["x"])),
        "lists": pa.array([["path", "steps"], []]),
        "nothing": pa.nulls(2),
        "whole": pa.array([1, None], pa.int64()),
        "nan": pa.array([1.5, float("nan")]),
    }
    raw = read_file(Source(parquet(tmp_path, PLAIN, **columns)), "buildings", Faults("p.parquet"))
    found = dict(zip(raw.headers, raw.cells, strict=True))
    assert {name: found[name] for name in columns} == {
        "category": ["x", "x"],
        "lists": ["path;steps", ""],
        "nothing": [None, None],
        "whole": [1, None],
        "nan": [1.5, None],
    }


def test_a_named_index_is_a_column_and_row_numbers_are_none(tmp_path: Path) -> None:
    frame = pd.DataFrame({"社区代码": ["1", "2"], "户数": [3, 4]}, index=[7, 9])
    frame.to_parquet(tmp_path / "a.parquet")
    frame.set_index("社区代码").to_parquet(tmp_path / "b.parquet")
    plain = read_file(Source(tmp_path / "a.parquet"), "communities", Faults("a.parquet"))
    named = read_file(Source(tmp_path / "b.parquet"), "communities", Faults("b.parquet"))
    assert sorted(plain.headers) == sorted(named.headers) == ["户数", "社区代码"]


def test_two_columns_of_one_name_are_told(tmp_path: Path) -> None:
    table = pa.table([pa.array(["1"]), pa.array(["2"])], names=["社区代码", "社区代码"])
    pq.write_table(table, tmp_path / "p.parquet")
    told = faults(partial(read, tmp_path, communities=Source(tmp_path / "p.parquet", datum="wgs84")))
    assert any("社区代码" in issue.line("en") for issue in told)


def test_texts_that_are_not_utf8_are_damage(tmp_path: Path) -> None:
    bad = pa.array([b"\xff\xfe", b"ok"]).cast(pa.string(), safe=False)
    path = parquet(tmp_path, PLAIN, name=bad)
    assert "damaged" in only(faults(partial(read, tmp_path, communities=Source(path)))).problem.en
    assert not said(read(tmp_path), "error")
