"""What a file may be and cost: pipes, endless views and files that unfold without measure are told, not waited for."""

import bz2
import gzip
import json
import os
import sqlite3
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shapely.geometry import LineString, Point

from siting.errors import InputError, TableError
from siting.inputs import Source, geopackage, geoparquet, limits, read_osm_buildings, read_roads
from siting.network import read_network
from tests.inputs.made_tables import COMMUNITIES, faults, only, read, said, write

LINES = gpd.GeoDataFrame(
    {"highway": ["residential"]}, geometry=[LineString([(110, 35), (110.01, 35.01)])], crs="EPSG:4326"
)
ENDLESS = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r)"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes that are files")
@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.gpkg", "a.geojson", "a.osm", "a.osm.pbf", "a.graphml", "a.net"])
def test_a_pipe_is_told_and_not_waited_for(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    os.mkfifo(path)
    for reader in (partial(read, tmp_path, communities=Source(path)), partial(read_roads, path)):
        with pytest.raises(InputError, match=r"not a plain file|of a kind that is not read"):
            reader()
    for reader in (partial(read_network, path), partial(read_osm_buildings, path)):
        with pytest.raises(InputError, match="not a plain file"):
            reader()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes that are files")
def test_a_pipe_beside_a_shapefile_or_a_geopackage_is_told(tmp_path: Path) -> None:
    LINES.to_file(tmp_path / "s.shp")
    os.mkfifo(tmp_path / "s.qix")
    LINES.to_file(tmp_path / "g.gpkg")
    os.mkfifo(tmp_path / "g.gpkg-wal")
    for name in ("s.shp", "g.gpkg"):
        with pytest.raises(InputError, match="not a plain file"):
            read_roads(tmp_path / name)


def test_a_file_too_large_is_told_before_it_is_read(tmp_path: Path) -> None:
    for name, largest in (("a.csv", limits.LARGEST_TEXT), ("a.geojson", limits.LARGEST_FILE)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(largest + 1)  # takes no room on the disk
        issue = only(faults(partial(read, tmp_path, communities=Source(tmp_path / name, datum="wgs84"))))
        assert f"at most {largest / 1e6:,.0f} MB" in issue.problem.en


def with_view(folder: Path, view: str, layer: str = "v") -> Path:
    """A GeoPackage with the roads ``t`` and a layer that is a view of them."""
    path = folder / "v.gpkg"
    LINES.to_file(path, layer="t")
    with sqlite3.connect(path) as database:
        database.execute(view)
        database.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES (?, 'features', ?, 4326)",
            (layer, layer),
        )
        database.execute("INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'LINESTRING', 4326, 0, 0)", (layer,))
    return path


def test_a_layer_that_is_a_view_is_read(tmp_path: Path) -> None:
    path = with_view(tmp_path, "CREATE VIEW v AS SELECT fid, geom, highway FROM t")
    assert len(read_roads(Source(path, layer="v")).lines) == 1


@pytest.mark.parametrize(
    "view",
    [
        f"CREATE VIEW v AS {ENDLESS} SELECT r.n AS fid, geom FROM r, t",
        f"CREATE VIEW v AS {ENDLESS} SELECT r.n AS fid, geom FROM r, t WHERE r.n < 0",
        f"CREATE VIEW v AS SELECT fid, geom, ({ENDLESS} SELECT count(*) FROM r) AS highway FROM t",
    ],
    ids=["endless rows", "no row and no end", "an endless value"],
)
def test_a_view_without_end_is_told_even_when_another_layer_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    monkeypatch.setattr(geopackage, "LONGEST_S", 0.2)
    path = with_view(tmp_path, view)
    for layer in ("v", "t"):
        with pytest.raises(TableError, match=r"did not come to an end within 0\.2 s"):
            read_roads(Source(path, layer=layer))


def test_a_view_of_too_many_rows_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geopackage, "MOST_ROWS", 2)
    path = with_view(tmp_path, "CREATE VIEW v AS SELECT * FROM (VALUES (1), (2), (3)), t")
    with pytest.raises(TableError, match="of one table are read"):
        read_roads(Source(path, layer="t"))


def test_a_view_that_unfolds_without_measure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geopackage, "LARGEST_CONTENT", 10_000)
    path = with_view(tmp_path, "CREATE VIEW v AS SELECT fid, geom, hex(zeroblob(20000)) AS highway FROM t")
    with pytest.raises(TableError, match="unfolds to more than"):
        read_roads(Source(path, layer="v"))


def test_a_column_that_is_computed_without_measure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geopackage, "LARGEST_CONTENT", 10_000)
    LINES.to_file(tmp_path / "t.gpkg", layer="t")
    with sqlite3.connect(tmp_path / "t.gpkg") as database:
        database.execute("ALTER TABLE t ADD COLUMN big TEXT AS (hex(zeroblob(20000)))")
    with pytest.raises(TableError, match="unfolds to more than"):
        read_roads(tmp_path / "t.gpkg")


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("CREATE VIEW w AS SELECT ogr_geocode('Beijing') AS place", "does not run on its own"),
        ("CREATE VIRTUAL TABLE w USING fts5(a)", ""),
    ],
)
def test_what_only_gdal_would_run_is_refused(tmp_path: Path, statement: str, why: str) -> None:
    LINES.to_file(tmp_path / "t.gpkg", layer="t")
    with sqlite3.connect(tmp_path / "t.gpkg") as database:
        database.execute(statement)
    if not why:
        assert len(read_roads(Source(tmp_path / "t.gpkg", layer="t")).lines) == 1
        return
    with pytest.raises(TableError, match=why):
        read_roads(Source(tmp_path / "t.gpkg", layer="t"))


def test_a_virtual_table_that_is_no_index_is_refused(tmp_path: Path) -> None:
    LINES.to_file(tmp_path / "t.gpkg", layer="t")
    with sqlite3.connect(tmp_path / "t.gpkg") as database:
        database.execute("PRAGMA writable_schema = 1")
        made = "CREATE VIRTUAL TABLE w USING VirtualOGR('/vsicurl/http://example.invalid')"
        database.execute("INSERT INTO sqlite_master VALUES ('table', 'w', 'w', 0, ?)", (made,))
    with pytest.raises(TableError, match='its table "w" is a virtual one'):
        read_roads(Source(tmp_path / "t.gpkg", layer="t"))


@pytest.mark.parametrize("name", ["t.gpkg", "t.geojson", "t.shp", "t.parquet", "t.csv"])
def test_a_table_of_too_many_rows_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for module in ("geopackage", "geoparquet", "vector", "delimited"):
        monkeypatch.setattr(f"siting.inputs.{module}.MOST_ROWS", 2)
    frame = gpd.GeoDataFrame(
        {"code": ["1", "2", "3"]}, geometry=[Point(110 + step / 100, 35) for step in range(3)], crs="EPSG:4326"
    )
    if name == "t.csv":
        write(tmp_path, name, COMMUNITIES + "0014,示例三村,农村,20,110.12,35.12\n" * 20)
    elif name == "t.parquet":
        frame.to_parquet(tmp_path / name)
    else:
        frame.to_file(tmp_path / name)
    issue = only(faults(partial(read, tmp_path, communities=Source(tmp_path / name, datum="wgs84"))))
    assert "at most" in issue.problem.en
    assert "of one table are read" in issue.problem.en


def parquet_of(folder: Path, rows: int, value: bytes) -> Path:
    """A few kilobytes that say the same value in every row."""
    words = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([value]))
    pq.write_table(pa.table({"社区代码": words}), folder / "p.parquet", store_schema=False)
    return folder / "p.parquet"


def test_a_small_parquet_of_millions_of_rows_is_told_from_what_it_says_of_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = parquet_of(tmp_path, limits.MOST_ROWS + 1, b"x")
    assert path.stat().st_size < 100_000
    monkeypatch.setattr(geoparquet, "_read_groups", lambda *_: pytest.fail("it was read all the same"))
    issue = only(faults(partial(read, tmp_path, communities=Source(path))))
    assert f"has {limits.MOST_ROWS + 1:,} rows or more" in issue.problem.en


def test_a_small_parquet_of_long_values_is_told_before_it_unfolds(tmp_path: Path) -> None:
    path = parquet_of(tmp_path, 20_000, b"y" * 100_000)  # two gigabytes in a few hundred kilobytes
    assert path.stat().st_size < 1_000_000
    assert "unfolds to more than 1,000 MB" in only(faults(partial(read, tmp_path, communities=Source(path)))).problem.en
    assert pa.default_memory_pool().max_memory() < limits.LARGEST_CONTENT, "it was unfolded before it was refused"


def test_lists_of_a_parquet_count_with_their_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geoparquet, "LARGEST_CONTENT", 30)
    pq.write_table(pa.table({"社区代码": pa.array([["a"] * 5, ["b"] * 5])}), tmp_path / "p.parquet")
    issue = only(faults(partial(read, tmp_path, communities=Source(tmp_path / "p.parquet"))))
    assert "unfolds to more than" in issue.problem.en


@pytest.mark.parametrize("name", ["w.csv", "w.geojson", "w.parquet"])
def test_a_table_of_too_many_columns_is_told(tmp_path: Path, name: str) -> None:
    names = [f"c{number}" for number in range(limits.MOST_COLUMNS + 1)]
    if name == "w.csv":
        write(tmp_path, name, "社区代码," + ",".join(names[1:]) + "\n" + "1," * limits.MOST_COLUMNS + "\n")
    elif name == "w.parquet":
        pq.write_table(pa.table({column: [1] for column in names}), tmp_path / name)
    else:  # every row names a column of its own
        rows = [{"type": "Feature", "properties": {column: 1}, "geometry": None} for column in names]
        write(tmp_path, name, json.dumps({"type": "FeatureCollection", "features": rows}))
    issue = only(faults(partial(read, tmp_path, communities=Source(tmp_path / name, datum="wgs84"))))
    assert f"has {len(names):,} columns; at most {limits.MOST_COLUMNS:,}" in issue.problem.en


@pytest.mark.parametrize(("ending", "pack"), [(".osm.gz", gzip.compress), (".osm.bz2", bz2.compress)])
def test_an_extract_that_unpacks_without_measure_is_told(tmp_path: Path, ending: str, pack: object) -> None:
    assert callable(pack)
    path = write(tmp_path, f"a{ending}", pack(b"<osm>" + b" " * 60_000_000))
    for reader in (read_roads, read_osm_buildings):
        with pytest.raises(TableError, match="which no map does"):
            reader(path)
    write(tmp_path, f"a{ending}", pack(b"<osm version='0.6'></osm>")[:-6])
    with pytest.raises(TableError, match="not a whole OpenStreetMap file"):
        read_roads(path)


def test_a_wide_boundary_is_told_and_not_filled_with_a_grid(tmp_path: Path) -> None:
    def boundary(east: float) -> Source:
        ring = [[110, 35], [east, 35], [east, 35.2], [110, 35.2], [110, 35]]
        feature = {
            "type": "Feature",
            "properties": {"community_id": "0012"},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        text = json.dumps({"type": "FeatureCollection", "features": [feature]})
        return Source(write(tmp_path, "b.geojson", text))

    issue = only(faults(partial(read, tmp_path, boundaries=boundary(112.01))))
    assert "spans more than 2 degrees" in issue.problem.en
    assert not said(read(tmp_path, boundaries=boundary(112.0)), "error")
