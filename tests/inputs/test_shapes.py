"""Geometries of every shape and none: each that cannot be used is told with its row, and the rest is read."""

import struct
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import wkt
from shapely.geometry import LineString, Point, box

from siting.errors import SitingError, TableError
from siting.inputs import Source, read_roads
from siting.inputs.shapes import areas_of, drop_empty_parts, shapes_from_wkb, strange_coordinates
from siting.network import build_network
from tests.inputs.made_tables import faults, only, read, said

NAN, INF = float("nan"), float("inf")
ROLES = ("communities", "facilities", "candidates", "boundaries", "buildings")
COLUMNS = {
    "communities": {"城乡类型": "城市", "households": 3},
    "facilities": {"设施类型": "药店"},
    "candidates": {"取得方式": "新建", "可用面积": 100, "固定费用万元": 1, "单价元每平方米": 1},
    "boundaries": {},
    "buildings": {},
}
KEYS = {"facilities": "设施编号", "candidates": "候选编号"}


def layer(path: Path, role: str, shapes: list[Any]) -> Path:
    """A layer of a role with these shapes; a .gpkg keeps NaN, a .parquet everything."""
    count = len(shapes)
    ids = {KEYS.get(role, "community_id"): [f"{number}" for number in range(count)]}
    columns = {**ids, **{name: [value] * count for name, value in COLUMNS[role].items()}}
    frame = gpd.GeoDataFrame(columns, geometry=np.array(shapes, object), crs="EPSG:4326")
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_file(path)
    return path


def ring(x: float, y: float) -> shapely.Polygon:
    with np.errstate(invalid="ignore"):
        return shapely.Polygon([(110, 35), (110.1, 35), (x, y), (110, 35.1), (110, 35)])


@pytest.mark.parametrize("ending", [".gpkg", ".parquet"])
@pytest.mark.parametrize("role", ROLES)
def test_a_vertex_that_is_no_number_is_told_with_its_row_and_hides_no_other_fault(
    tmp_path: Path, role: str, ending: str
) -> None:
    shapes = [box(110, 35, 110.1, 35.1), ring(110.1, NAN), box(110.2, 35, 110.3, 35.1), None]
    source = Source(layer(tmp_path / f"l{ending}", role, shapes))
    with pytest.raises(TableError) as caught:
        read(tmp_path, **{role: source})
    told = [issue for issue in caught.value.issues if issue.file == source.path.name]
    bad = only([issue for issue in told if "not a finite number" in issue.problem.en])
    assert (bad.row, bad.column, bad.value) == (2, "geometry", "110.1, nan")
    assert bad.cure.zh
    assert any(issue.row == 4 and "has no geometry" in issue.problem.en for issue in told)


@pytest.mark.parametrize(("x", "y"), [(INF, 35), (110, -INF), (NAN, NAN), (1e308, 35), (110, -1e10)])
def test_a_coordinate_beyond_any_place_is_told(tmp_path: Path, x: float, y: float) -> None:
    source = Source(layer(tmp_path / "b.parquet", "boundaries", [box(110, 35, 110.1, 35.1), ring(x, y)]))
    issue = only(faults(partial(read, tmp_path, boundaries=source)))
    assert (issue.row, issue.value) == (2, f"{x:g}, {y:g}")


def test_a_vertex_off_the_earth_is_told(tmp_path: Path) -> None:
    for x, y in ((180.5, 35.0), (110.0, 90.5)):
        source = Source(layer(tmp_path / "b.parquet", "boundaries", [box(110, 35, 110.1, 35.1), ring(x, y)]))
        issue = only(faults(partial(read, tmp_path, boundaries=source)))
        assert "no longitude and latitude" in issue.problem.en
        assert (issue.row, issue.value) == (2, f"{x:g}, {y:g}")


def test_a_height_that_is_no_number_is_dropped_and_said(tmp_path: Path) -> None:
    with np.errstate(invalid="ignore"):
        high = shapely.Polygon([(110, 35, NAN), (110.1, 35, 1), (110.1, 35.1, 2)])
    tables = read(tmp_path, boundaries=Source(layer(tmp_path / "b.parquet", "boundaries", [high])))
    assert any("carry heights, which were dropped" in line for line in said(tables))
    assert tables.boundaries is not None
    assert not tables.boundaries.geometry.has_z.any()


def test_what_is_no_polygon_is_told_and_of_a_collection_the_polygons_count(tmp_path: Path) -> None:
    mixed = shapely.GeometryCollection([box(110, 35, 110.1, 35.1), LineString([(110, 35), (110.3, 35)])])
    shapes = [mixed, LineString([(110, 35), (110.1, 35)]), shapely.GeometryCollection([Point(110, 35)])]
    source = Source(layer(tmp_path / "b.parquet", "boundaries", shapes))
    found = {(issue.row, issue.value): issue for issue in faults(partial(read, tmp_path, boundaries=source))}
    assert set(found) == {(2, "LineString"), (3, "GeometryCollection")}
    tables = read(tmp_path, boundaries=Source(layer(tmp_path / "b.parquet", "boundaries", [mixed])))
    assert tables.boundaries is not None
    assert tables.boundaries.geometry.iloc[0].equals(box(110, 35, 110.1, 35.1))


def test_polygons_are_found_however_nested() -> None:
    square, other = box(0, 0, 1, 1), box(2, 0, 3, 1)
    nested = shapely.GeometryCollection([square, Point(5, 5)])
    for _ in range(1500):
        nested = shapely.GeometryCollection([nested])
    shapes = np.array([square, nested, shapely.MultiPolygon([square, other]), Point(0, 0), None], object)
    areas = areas_of(shapes)
    assert [None if each is None else each.area for each in areas] == [1.0, 1.0, 2.0, None, None]


def test_empty_parts_are_dropped_and_nothing_else_changes() -> None:
    texts = {
        "MULTIPOINT (EMPTY, (1 1))": "MULTIPOINT ((1 1))",
        "MULTILINESTRING (EMPTY, (0 0, 1 1))": "MULTILINESTRING ((0 0, 1 1))",
        "MULTIPOLYGON (EMPTY, ((0 0, 1 0, 1 1, 0 0)))": "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))",
        "GEOMETRYCOLLECTION (POINT EMPTY, POINT (1 1))": "GEOMETRYCOLLECTION (POINT (1 1))",
        "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))": "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))",
        "POINT (1 1)": "POINT (1 1)",
        "POINT EMPTY": "POINT EMPTY",
    }
    shapes = np.array(
        [wkt.loads(text) for text in texts] + [wkt.loads("GEOMETRYCOLLECTION (POINT EMPTY)"), None], object
    )
    drop_empty_parts(shapes)
    assert [shapely.to_wkt(shape) for shape in shapes[:-2]] == list(texts.values())
    assert shapes[-2] is None
    assert shapes[-1] is None


def test_well_known_binary_of_every_kind_is_read_as_shapely_reads_it() -> None:
    line = LineString([(110 + step / 1000, 35) for step in range(2000)])
    pieces = [Point(1, 2), line, line.buffer(0.1), shapely.MultiPolygon([box(0, 0, 1, 1)]), shapely.Point(1, 2, 3)]
    whole = shapely.GeometryCollection([*pieces, shapely.GeometryCollection(pieces)])
    for flavor in ("iso", "extended"):
        for order in (0, 1):
            blob = shapely.to_wkb(
                shapely.set_srid(whole, 4326), flavor=flavor, byte_order=order, include_srid=flavor[0] == "e"
            )
            assert shapes_from_wkb([blob, None, b"x"]).tolist() == [whole, None, None]


def test_the_first_strange_vertex_of_each_shape_is_named() -> None:
    with np.errstate(invalid="ignore"):
        shapes = np.array([Point(1, 2), LineString([(0, 0), (NAN, 1), (2, INF)]), None, Point(1e10, 0)], object)
    assert strange_coordinates(shapes) == {1: "nan, 1", 3: "1e+10, 0"}


def test_a_shape_with_a_part_that_is_nothing_has_a_point_all_the_same(tmp_path: Path) -> None:
    line = "LINESTRING (110.1 35.1, 110.2 35.1)"
    shape = wkt.loads(f"GEOMETRYCOLLECTION (POLYGON EMPTY, {line})")
    tables = read(tmp_path, facilities=Source(layer(tmp_path / "f.parquet", "facilities", [shape])))
    assert wkt.loads(line).distance(tables.facilities.geometry.iloc[0]) < 1e-9


def test_a_road_with_a_strange_vertex_is_left_out_and_told(tmp_path: Path) -> None:
    with np.errstate(invalid="ignore"):
        shapes = [
            LineString([(110, 35), (110.1, 35)]),
            LineString([(110, 35), (110.1, NAN)]),
            LineString([(110.1, 35), (-110, 35)]),
            wkt.loads("MULTILINESTRING (EMPTY, (110 35, 110 35.1))"),
        ]
    gpd.GeoDataFrame({"highway": ["service"] * 4}, geometry=shapes, crs="EPSG:4326").to_parquet(tmp_path / "r.parquet")
    roads = read_roads(tmp_path / "r.parquet")
    assert sorted(set(roads.lines["row"])) == [1, 4]
    told = [issue.problem.en for issue in roads.issues]
    assert any("have impossible coordinates and are left out (row 2)" in line for line in told)
    assert any("lie more than 45 degrees from the others and are left out (row 3)" in line for line in told)


numbers = st.one_of(
    st.floats(109.9, 110.2),
    st.floats(34.9, 35.2),
    st.sampled_from([NAN, INF, -INF, 1e308, -1e308, -0.0, 5e-324, 1e9, 180.0, 90.0, 110.0, 35.0]),
)


def packed(kind: int, parts: list[bytes]) -> bytes:
    """A geometry of some kind in well-known binary, of parts that may not be what the kind asks for."""
    return struct.pack("<BII", 1, kind, len(parts)) + b"".join(parts)


vertices = st.tuples(numbers, numbers).map(lambda xy: struct.pack("<dd", *xy))
chains = st.lists(vertices, max_size=5)
rings = st.one_of(chains, chains.filter(bool).map(lambda each: [*each, each[0]])).map(
    lambda each: struct.pack("<I", len(each)) + b"".join(each)
)
simple = st.one_of(
    vertices.map(lambda xy: struct.pack("<BI", 1, 1) + xy),
    chains.map(lambda each: packed(2, each)),
    st.lists(rings, max_size=2).map(lambda each: packed(3, each)),
)
anything = st.recursive(
    simple, lambda inner: st.builds(packed, st.sampled_from([4, 5, 6, 7]), st.lists(inner, max_size=2)), max_leaves=4
)
shapes_or_none = st.lists(st.one_of(st.none(), anything), min_size=1, max_size=3)
often = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def drawn(path: Path, role: str, shapes: list[bytes | None]) -> Path:
    """A layer whose last shape is sound and whose first are what is given."""
    layer(path, role, [box(110, 35, 110.1, 35.1)] * (len(shapes) + 1))
    table = pq.read_table(path)
    cells = pa.array([*shapes, shapely.to_wkb(box(110, 35, 110.1, 35.1))], pa.binary())
    pq.write_table(table.set_column(table.schema.get_field_index("geometry"), "geometry", cells), path)
    return path


@often
@given(shapes_or_none, st.sampled_from(ROLES))
def test_whatever_a_layer_draws_is_read_or_told(shapes: list[bytes | None], role: str) -> None:
    with TemporaryDirectory() as folder:
        source = Source(drawn(Path(folder) / "l.parquet", role, shapes))
        try:
            tables = read(Path(folder), **{role: source})
        except SitingError:
            return
        frame = getattr(tables, role)
        assert len(frame) == len(shapes) + 1
        assert np.isfinite(shapely.get_coordinates(frame.geometry.to_numpy())).all()


@often
@given(shapes_or_none)
def test_whatever_roads_are_drawn_they_are_read_or_told(shapes: list[bytes | None]) -> None:
    with TemporaryDirectory() as folder:
        path = drawn(Path(folder) / "r.parquet", "buildings", shapes)
        try:
            network = build_network(read_roads(path))
        except SitingError:
            return
        assert np.isfinite(network.xy).all()
