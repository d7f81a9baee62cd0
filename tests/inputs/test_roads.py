import pickle
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString

from siting.errors import InputError, MissingFileError, TableError
from siting.inputs import Source, from_wgs84, read_roads
from siting.inputs.faults import Faults
from siting.inputs.live import download_roads
from siting.inputs.noding import node_roads
from siting.inputs.road_table import road_table
from siting.network import build_network

CRS = "EPSG:32649"
ORIGIN = np.array([408_000.0, 3_873_000.0])


def frame(*lines, **columns):
    """Lines in metres from the origin."""
    shapes = [LineString(ORIGIN + np.array(line, float)) for line in lines]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)


def noded(table, *, join_m=0.5, gap_m=5.0):
    faults = Faults("roads.gpkg")
    lines = node_roads(road_table(table).lines, join_m=join_m, gap_m=gap_m, faults=faults)
    return lines, [issue.line("en") for issue in faults.issues]


def parts(lines):
    """The pieces as they lie on the map, to the centimetre, in no order."""
    shapes = lines.to_crs(CRS).geometry
    return sorted(tuple(map(tuple, np.round(shapely.get_coordinates(shape) - ORIGIN, 2) + 0.0)) for shape in shapes)


@st.composite
def lattices(draw):
    """Long streets of a town, drawn from end to end and crossing wherever they cross."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return [
        [(east, -50), (east + rng.integers(-30, 30), 450)] for east in rng.choice(400, draw(st.integers(1, 4)), False)
    ] + [
        [(-50, north), (450, north + rng.integers(-30, 30))]
        for north in rng.choice(400, draw(st.integers(1, 4)), False)
    ]


@settings(max_examples=25, deadline=None)
@given(lattices(), st.randoms(use_true_random=False))
def test_noding_gives_what_the_general_overlay_gives(streets, random):
    """The slow twin: shapely's union of all lines, which cuts every line at every crossing."""
    table = frame(*streets)
    order = list(range(len(table)))
    random.shuffle(order)
    lines, _ = noded(table.iloc[order].reset_index(drop=True), join_m=0, gap_m=0)
    twin = shapely.get_parts(shapely.unary_union(table.geometry.to_numpy()))
    # crossings closer than 1 cm on a line are one here, two there
    ours, theirs = np.sort(lines.to_crs(CRS).length), np.sort(shapely.length(twin))
    theirs = theirs[theirs > 0.01]
    assert len(ours) == len(theirs)
    np.testing.assert_allclose(ours, theirs, atol=0.03)


def test_lines_that_cross_are_cut_at_the_crossing_and_keep_what_they_say():
    lines, said = noded(
        frame([(0, 0), (100, 0)], [(50, -50), (50, 50)], name=["东街", "南街"], length_m=[110.0, np.nan])
    )
    assert parts(lines) == [
        ((0, 0), (50, 0)),
        ((50, -50), (50, 0)),
        ((50, 0), (50, 50)),
        ((50, 0), (100, 0)),
    ]
    assert sorted(lines["name"]) == ["东街", "东街", "南街", "南街"]
    np.testing.assert_allclose(np.sort(lines["length_m"]), [55, 55, np.nan, np.nan], atol=0.01)
    assert said == ["note roads.gpkg: 2 lines were cut where they cross or touch: 4 pieces"]


def test_a_bridge_crosses_without_meeting():
    lines, _ = noded(frame([(0, 0), (100, 0)], [(50, -50), (50, 50)], bridge=["yes", "no"]))
    assert len(lines) == 2
    lines, _ = noded(frame([(0, 0), (100, 0)], [(50, -50), (50, 50)], layer=[1, 1]))
    assert len(lines) == 4


def test_a_bridge_that_ends_at_a_street_meets_it():
    lines, _ = noded(frame([(0, 0), (100, 0)], [(50, 0), (50, 50)], bridge=["no", "yes"]))
    assert parts(lines) == [((0, 0), (50, 0)), ((50, 0), (50, 50)), ((50, 0), (100, 0))]


def test_an_end_that_touches_a_line_cuts_it():
    lines, _ = noded(frame([(0, 0), (100, 30)], [(50, 15), (50, 90)]))
    assert len(lines) == 3
    assert build_network(lines).n_nodes == 4


def test_an_end_just_short_of_a_line_is_joined_and_told():
    lines, said = noded(frame([(0, 0), (100, 0)], [(50, 0.3), (50, 90)]))
    net = build_network(lines)
    assert (net.n_edges, net.n_nodes) == (3, 4)
    assert "1 lines ended just short of another and were joined to it (row 2)" in " ".join(said)


def test_ends_just_short_of_each_other_are_joined_and_told():
    lines, said = noded(frame([(0, 0), (100, 0)], [(100.3, 0.1), (200, 0)], [(100.1, -0.2), (100, -90)]))
    net = build_network(lines)
    assert (net.n_edges, net.n_nodes) == (3, 4)
    assert "2 lines ended just short" in " ".join(said)


def test_an_overshot_end_meets_once():
    lines, _ = noded(frame([(0, 0), (100, 0)], [(50, -0.3), (50, 90)]))
    net = build_network(lines)
    assert net.report.counts["pieces"] == 1
    assert (net.n_edges, net.n_nodes) == (4, 5)


def test_a_wider_gap_is_listed_and_left_open():
    table = frame([(0, 0), (100, 0)], [(50, 3.0), (50, 90)])
    lines, said = noded(table)
    assert build_network(lines).report.counts["pieces"] == 2
    assert len(said) == 1
    assert said[0].startswith("warning roads.gpkg row 2 geometry")
    assert "it ends 3.00 m short of another road" in said[0]
    assert noded(table, gap_m=2.0)[1] == []
    assert build_network(noded(table, join_m=3.5)[0]).report.counts["pieces"] == 1


def test_many_gaps_are_told_by_number():
    stubs = [[(10 * k, 3.0), (10 * k, 90)] for k in range(1, 31)]
    said = noded(frame([(0, 0), (400, 0)], *stubs))[1]
    assert len(said) == 21
    assert "10 more ends stop short" in said[-1]


def test_a_line_that_crosses_itself_is_cut_there():
    lines, _ = noded(frame([(0, 0), (100, 0), (100, 50), (50, 50), (50, -50)]))
    assert len(lines) == 3
    assert build_network(lines).n_nodes == 3


def test_lines_that_run_together_share_that_stretch():
    lines, _ = noded(frame([(0, 0), (100, 0)], [(40, 0), (60, 0), (60, 90)]))
    net = build_network(lines)
    assert net.report.counts["duplicates"] == 1
    assert net.n_edges == 4
    assert net.report.length_km == pytest.approx(0.19, abs=1e-3)


def test_one_way_pieces_keep_their_direction():
    lines, _ = noded(frame([(0, 0), (100, 0)], [(50, -50), (50, 50)], oneway=["-1", ""]))
    east = lines.to_crs(CRS)[lines["oneway"]].geometry
    assert len(east) == 2
    assert all(shape.coords[0][0] > shape.coords[-1][0] for shape in east)


@pytest.mark.parametrize("name", ["道路 #1.gpkg", "roads.geojson", "roads.parquet", "roads.shp"])
def test_every_kind_of_layer_gives_the_same_network(tmp_path, name):
    table = frame([(0, 0), (100, 0)], [(50, -50), (50, 50)], highway=["service", "path"]).to_crs("EPSG:4326")
    path = tmp_path / name
    table.to_parquet(path) if name.endswith("parquet") else table.to_file(path)
    roads = read_roads(path)
    assert sorted(roads.lines["highway"]) == ["path", "path", "service", "service"]
    assert (roads.file, roads.record.rows_read, len(roads.record.sha256)) == (name, 2, 64)
    assert build_network(roads).report.length_km == pytest.approx(0.2, abs=2e-4)


@settings(max_examples=10, deadline=None)
@given(lattices(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_of_a_file_changes_no_bit_of_the_network(streets, random):
    table = frame(*streets, highway=["service"] * len(streets))
    order = list(range(len(table)))
    random.shuffle(order)
    nets = []
    with tempfile.TemporaryDirectory() as folder:
        for number, rows in enumerate((table, table.iloc[order].reset_index(drop=True))):
            rows.to_file(Path(folder) / f"{number}.gpkg")
            nets.append(build_network(read_roads(Path(folder) / f"{number}.gpkg")))
    for name in ("xy", "u", "v", "length_mm", "geometry_xy", "geometry_offsets"):
        np.testing.assert_array_equal(getattr(nets[0], name), getattr(nets[1], name))


def test_a_file_that_was_a_network_meets_only_at_ends(tmp_path):
    table = frame([(0, 0), (100, 0)], [(50, -50), (50, 50)], u=[1, 3], v=[2, 4])
    table.to_file(tmp_path / "roads.gpkg")
    assert len(read_roads(tmp_path / "roads.gpkg").lines) == 2
    assert len(read_roads(tmp_path / "roads.gpkg", crossings="join").lines) == 4
    table.drop(columns=["u", "v"]).to_file(tmp_path / "lines.gpkg")
    assert len(read_roads(tmp_path / "lines.gpkg", crossings="pass").lines) == 2


def test_a_stated_datum_is_undone(tmp_path):
    table = frame([(0, 0), (100, 0)]).to_crs("EPSG:4326")
    shifted = shapely.transform(
        table.geometry.to_numpy(), lambda lonlat: np.column_stack(from_wgs84(lonlat[:, 0], lonlat[:, 1], "gcj02"))
    )
    gpd.GeoDataFrame(geometry=shifted, crs="EPSG:4326").to_file(tmp_path / "roads.gpkg")
    lines = read_roads(Source(tmp_path / "roads.gpkg", datum="gcj02")).lines
    np.testing.assert_allclose(
        shapely.get_coordinates(lines.geometry), shapely.get_coordinates(table.geometry), atol=1e-8
    )
    with pytest.raises(InputError, match="unknown datum"):
        read_roads(Source(tmp_path / "roads.gpkg", datum="mars"))


def test_columns_that_the_study_names_and_swapped_axes_are_taken_as_it_says(tmp_path):
    table = frame([(0, 0), (100, 0)], highway=["x"], 类别=["footway"], 测距=[123.0]).to_crs("EPSG:4326")
    swapped = shapely.transform(table.geometry.to_numpy(), lambda lonlat: lonlat[:, ::-1])
    table.set_geometry(swapped, crs="EPSG:4326").to_file(tmp_path / "roads.gpkg")
    columns = {"highway": "类别", "length_m": "测距"}
    lines = read_roads(Source(tmp_path / "roads.gpkg", columns=columns, swap_lon_lat=True)).lines
    assert lines[["highway", "length_m"]].to_numpy().tolist() == [["footway", 123.0]]
    np.testing.assert_allclose(lines.total_bounds, table.total_bounds)
    with pytest.raises(TableError, match='there is no column "等级"'):
        read_roads(Source(tmp_path / "roads.gpkg", columns={"highway": "等级"}))


def test_chinese_headers_and_classes_are_known():
    table = frame(
        [(0, 0), (100, 0)], [(100, 0), (200, 0)], 道路等级=["高速公路", "村道"], 路名=["京昆", None], 单行=["是", "否"]
    )
    lines = road_table(table.assign(**{"长度（米）": [101.0, 102.0]})).lines
    assert lines["highway"].tolist() == ["motorway", "unclassified"]
    assert lines["name"].tolist() == ["京昆", ""]
    assert lines["oneway"].tolist() == [True, False]
    assert lines["length_m"].tolist() == [101, 102]


def test_a_stated_crs_counts_over_that_of_the_file(tmp_path):
    table = frame([(0, 0), (100, 0)])
    table.set_crs("EPSG:4547", allow_override=True).to_file(tmp_path / "roads.gpkg")
    lines = read_roads(Source(tmp_path / "roads.gpkg", crs=CRS)).lines
    np.testing.assert_allclose(lines.total_bounds, table.to_crs(4326).total_bounds)
    with pytest.raises(TableError, match="no known coordinate system"):
        read_roads(Source(tmp_path / "roads.gpkg", crs="EPSG:1"))


def test_the_shapefiles_of_geofabrik_say_one_way_in_letters():
    table = frame(
        [(0, 0), (100, 0)], [(100, 0), (200, 0)], [(200, 0), (300, 0)], fclass="primary", oneway=["F", "T", "B"]
    )
    lines = road_table(table).lines
    assert lines["oneway"].tolist() == [True, True, False]
    assert lines["highway"].tolist() == ["primary"] * 3
    starts = shapely.get_x(shapely.get_point(lines.to_crs(CRS).geometry, 0)) - ORIGIN[0]
    np.testing.assert_allclose(starts, [0, 200, 200], atol=1e-3)


def test_roads_of_an_old_datum_are_read_with_a_warning_of_its_size():
    line = LineString([(110.1, 35.1), (110.2, 35.1)])
    old = road_table(gpd.GeoDataFrame({"highway": ["path"]}, geometry=[line], crs="EPSG:4610"))
    assert any("no accurate transformation" in issue.problem.en for issue in old.issues)
    ours = road_table(gpd.GeoDataFrame({"highway": ["path"]}, geometry=[line], crs="EPSG:4490"))
    assert ours.issues == ()


def test_measured_lengths_in_another_unit_are_told():
    line = LineString([(110.1, 35.1), (110.2, 35.1)])
    table = gpd.GeoDataFrame({"highway": ["path"], "length_m": [9.1]}, geometry=[line], crs="EPSG:4326")
    (issue,) = road_table(table).issues
    assert (issue.severity, issue.column) == ("warning", "length_m")
    assert "are they metres?" in issue.problem.en
    assert road_table(table.assign(length_m=11_000)).issues == ()


def test_an_unknown_datum_of_roads_names_the_file_and_a_local_system_is_no_crash():
    line = LineString([(110.1, 35.1), (110.2, 35.1)])
    table = gpd.GeoDataFrame({"highway": ["path"]}, geometry=[line], crs="EPSG:4326")
    with pytest.raises(TableError, match=r'roads\.gpkg: unknown datum "gcj-02"'):
        road_table(table, file="roads.gpkg", datum="gcj-02")
    local = 'LOCAL_CS["Lanzhou local",LOCAL_DATUM["x",32767],UNIT["metre",1],AXIS["E",EAST],AXIS["N",NORTH]]'
    with pytest.raises(TableError, match="local coordinate system"):
        road_table(table.set_crs(local, allow_override=True), file="roads.gpkg")


def test_a_word_unknown_in_oneway_is_told_and_the_road_is_two_way():
    roads = road_table(frame([(0, 0), (100, 0)], [(100, 0), (200, 0)], oneway=["yes", "mornings"]), file="roads.shp")
    assert roads.lines["oneway"].tolist() == [True, False]
    (issue,) = roads.issues
    assert (issue.severity, issue.file, issue.row, issue.column, issue.value) == (
        "warning", "roads.shp", 2, "oneway", "mornings",
    )  # fmt: skip


PAGE = b"<!DOCTYPE html><html><body><h1>504 Gateway Time-out</h1></body></html>"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("roads.osm", PAGE, "this is a web page"),
        ("roads.geojson", PAGE, "this is a web page"),
        ("roads.osm.pbf", b"\n" + PAGE.lower(), "this is a web page"),
        ("roads.graphml", b"", "the file is empty"),
        ("roads.pkl", b"anything", "pickles are not read"),
        ("roads.gpkg", pickle.dumps({"a": 1}), "pickles are not read"),
        ("roads.gpkg", b"SQLite format 3\0" + b"\1" * 500, "damaged"),
        ("roads.gpkg", b"random bytes", "damaged"),
        ("roads.docx", b"PK whatever", "of a kind that is not read"),
        ("roads.csv", b"a,b\n1,2\n", "of a kind that is not read as roads"),
        ("roads.geojson", b'{"type": "FeatureCollection", "features": [', "damaged"),
    ],
)
def test_what_is_no_road_file_is_refused_with_the_reason(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError, match=message) as caught:
        read_roads(tmp_path / name)
    assert any("一" <= letter <= "鿿" for letter in caught.value.text.zh)


def test_a_layer_without_lines_or_places_is_refused(tmp_path):
    pd.DataFrame({"name": ["东街"]}).to_parquet(tmp_path / "roads.parquet")
    with pytest.raises(TableError, match="a table without lines"):
        read_roads(tmp_path / "roads.parquet")
    exchanged = gpd.GeoDataFrame(geometry=[LineString([(35.1, 104.1), (35.2, 104.1)])], crs="EPSG:4326")
    exchanged.to_file(tmp_path / "roads.gpkg")
    with pytest.raises(TableError, match="whether longitude and latitude are exchanged"):
        read_roads(tmp_path / "roads.gpkg")


def test_a_line_without_length_is_left_to_the_network_to_name(tmp_path):
    table = frame([(0, 0), (0, 0)], [(0, 0), (100, 0)], length_m=[5.0, 101.0])
    lines, _ = noded(table)
    assert lines["length_m"].tolist() == [5.0, 101.0]


def test_a_file_that_is_not_there_is_told():
    with pytest.raises(MissingFileError, match="There is no road file"):
        read_roads("nowhere.gpkg")


def test_a_download_keeps_the_tags_and_puts_the_settings_back(monkeypatch):
    """OSMnx is asked once, by name; what it gives becomes a road table."""
    import networkx as nx
    import osmnx

    asked = []

    def graph_from_place(place, **options):
        asked.append((place, options["network_type"], "foot" in osmnx.settings.useful_tags_way))
        graph = nx.MultiDiGraph(crs="EPSG:4326")
        graph.add_node(1, x=110.0, y=35.0)
        graph.add_node(2, x=110.01, y=35.0)
        graph.add_edge(1, 2, osmid=[7, 8], highway=["path", "steps"], oneway=False, length=1.0, foot="designated")
        graph.add_edge(2, 1, osmid=[7, 8], highway=["path", "steps"], oneway=False, length=1.0, foot="designated")
        return graph

    before = list(osmnx.settings.useful_tags_way)
    monkeypatch.setattr(osmnx, "graph_from_place", graph_from_place)
    roads = download_roads("临猗县")
    assert asked == [("临猗县", "all", True)]
    assert osmnx.settings.useful_tags_way == before
    assert roads.lines["highway"].tolist() == ["path;steps"] * 2
    assert roads.lines["source_id"].tolist() == ["7;8"] * 2
    assert build_network(roads).n_edges == 1
    assert "ODbL" in roads.issues[0].problem.en

    def no_connection(place, **options):
        raise ConnectionError("no route")

    monkeypatch.setattr(osmnx, "graph_from_place", no_connection)
    with pytest.raises(InputError, match=r"could not be downloaded \(ConnectionError: no route\)"):
        download_roads("临猗县")
    assert osmnx.settings.useful_tags_way == before


def test_wuhan_keeps_its_overpasses(shared_data):
    roads = read_roads(shared_data / "wuhan" / "streets.parquet")
    assert len(roads.lines) == 92_667
    # given as 7,185 km on the map of UTM 50, whose scale is above 1 that far from its meridian
    total = build_network(roads, mode="drive").report.length_km
    assert 7_100 < total < 7_185
