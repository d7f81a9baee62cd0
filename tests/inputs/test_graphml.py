import networkx as nx
import numpy as np
import osmnx
import pytest
import shapely

from siting.errors import TableError
from siting.inputs import read_roads
from siting.network import build_network, read_network

HEAD = """<?xml version="1.0" encoding="utf-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="x" for="node" attr.name="x" attr.type="string"/><key id="y" for="node" attr.name="y" attr.type="string"/>
<key id="l" for="edge" attr.name="length" attr.type="string"/><key id="g" for="edge" attr.name="geometry"/>
<key id="h" for="edge" attr.name="highway"/><key id="o" for="edge" attr.name="oneway"/>
<key id="c" for="graph" attr.name="crs"/>
"""
PLACES = {"1": (110.0, 35.0), "2": (110.01, 35.0), "3": (110.01, 35.01)}


def graphml(*edges, nodes=PLACES, directed="directed", crs="epsg:4326", head=HEAD):
    """GraphML as OSMnx writes it: edges are (start, end, {key: text})."""

    def data(values):
        return "".join(f'<data key="{key}">{value}</data>' for key, value in values.items())

    places = "".join(f'<node id="{n}">{data({"x": x, "y": y})}</node>\n' for n, (x, y) in nodes.items())
    lines = "".join(f'<edge source="{a}" target="{b}">{data(values)}</edge>\n' for a, b, values in edges)
    return f'{head}<graph edgedefault="{directed}">{data({"c": crs})}\n{places}{lines}</graph></graphml>'


def written(tmp_path, text):
    path = tmp_path / "walk.graphml"
    path.write_text(text, encoding="utf-8")
    return path


def test_edges_keep_their_length_and_their_drawn_line(tmp_path):
    bend = "LINESTRING (110 35, 110.005 35.001, 110.01 35)"
    path = written(tmp_path, graphml(("1", "2", {"l": "936.1", "g": bend, "h": "path"}), ("2", "3", {"h": "steps"})))
    lines = read_roads(path).lines
    assert [shapely.get_num_points(shape) for shape in lines.geometry] == [3, 2]
    assert lines["highway"].tolist() == ["path", "steps"]
    assert lines["source_id"].tolist() == ["1-2", "2-3"]
    np.testing.assert_array_equal(lines["length_m"], [936.1, np.nan])
    assert build_network(lines).length_mm[0] == 936_100


def test_one_direction_in_the_file_is_walked_both_ways_and_driven_one_way(tmp_path):
    path = written(tmp_path, graphml(("1", "2", {"o": "True"}), ("2", "3", {"o": "False"}), ("3", "2", {"o": "False"})))
    assert read_network(path).oneway.tolist() == [False, False]
    assert read_network(path, "drive").oneway.tolist() == [True, False]


def test_a_directed_graph_silent_on_one_way_streets_means_each_edge_as_it_stands(tmp_path):
    edges = ("1", "2", {}), ("2", "3", {})
    assert read_network(written(tmp_path, graphml(*edges)), "drive").oneway.all()
    assert not read_network(written(tmp_path, graphml(*edges, directed="undirected")), "drive").oneway.any()


def test_a_list_of_classes_becomes_words(tmp_path):
    path = written(tmp_path, graphml(("1", "2", {"h": "['cycleway', 'footway']"}), ("2", "3", {"h": "[broken"})))
    assert read_roads(path).lines["highway"].tolist() == ["cycleway;footway", "[broken"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("['it\\'s', &quot;a'b&quot;]", "it's;a'b"),
        ("['back\\\\slash', '路', '路']", "back\\slash;路"),
        ("[12, 3.5, True, None]", "12;3.5;True;None"),
        ("['path',]", "path"),
        ("[]", ""),
        ("[ 'a' , 'b' ]", "a;b"),
        ("[['a']]", "[['a']]"),
        ("['a' 'b']", "['a' 'b']"),
        ("['a'] ['b']", "['a'] ['b']"),
        ("['a", "['a"),
        ("[f('a')]", "[f('a')]"),
    ],
)
def test_only_a_plain_list_is_taken_apart(tmp_path, text, words):
    path = written(tmp_path, graphml(("1", "2", {"h": text})))
    assert read_roads(path).lines["highway"].tolist() == [words]


@pytest.mark.parametrize("text", ["[" * 200_000, "[" + "9" * 200_000 + "]", "[-" * 100_000, "['" + "\\" * 200_000])
def test_a_list_without_end_is_a_word_like_any_other(tmp_path, text):
    path = written(tmp_path, graphml(("1", "2", {"h": text})))
    assert read_roads(path).lines["highway"].tolist() == [text.strip("[]") if text.endswith("]") else text]


@pytest.mark.parametrize("encoding", ["no-such-encoding", "utf-16", "ascii", "big5"])
def test_an_encoding_that_is_not_its_own_is_told(tmp_path, encoding):
    text = graphml(("1", "2", {"h": "路"})).replace('encoding="utf-8"', f'encoding="{encoding}"')
    with pytest.raises(TableError, match=r"encoding|not whole XML"):
        read_roads(written(tmp_path, text))


def test_a_line_nested_without_end_is_no_line(tmp_path):
    deep = "GEOMETRYCOLLECTION (" * 200_000 + "POINT (1 1)" + ")" * 200_000
    with pytest.raises(TableError, match="the geometry of an edge is not a line"):
        read_roads(written(tmp_path, graphml(("1", "2", {"g": deep}))))


def test_a_projected_graph_is_read(tmp_path):
    places = {"1": (408_000, 3_873_000), "2": (409_000, 3_873_000)}
    net = read_network(written(tmp_path, graphml(("1", "2", {}), nodes=places, crs="EPSG:32649")))
    np.testing.assert_allclose(net.xy, [[408_000, 3_873_000], [409_000, 3_873_000]], atol=1e-3)


def test_what_osmnx_saves_is_read_as_osmnx_has_it(tmp_path):
    """A twin: the network of OSMnx itself, edges both ways, a bend simplified away, loaded without OSMnx."""
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    for node, (x, y) in {1: (110.0, 35.0), 2: (110.01, 35.0), 3: (110.01, 35.01), 4: (110.02, 35.01)}.items():
        graph.add_node(node, x=x, y=y, street_count=2)
    for a, b in [(1, 2), (2, 3), (3, 4)]:
        for start, end in [(a, b), (b, a)]:
            graph.add_edge(start, end, osmid=9, highway="service", oneway=False, reversed=start > end)
    graph = osmnx.simplify_graph(osmnx.distance.add_edge_lengths(graph))
    osmnx.save_graphml(graph, tmp_path / "walk.graphml")
    net = read_network(tmp_path / "walk.graphml")
    assert (net.n_edges, net.n_nodes) == (1, 2)
    (length,) = {round(data["length"], 6) for _, _, data in graph.edges(data=True)}
    assert net.length_mm[0] == pytest.approx(length * 1000, abs=1)
    assert len(net.geometry_xy) == 4


def faults(tmp_path, text):
    with pytest.raises(TableError) as caught:
        read_roads(written(tmp_path, text))
    assert all(issue.severity == "error" for issue in caught.value.issues)
    return [issue.line("en") for issue in caught.value.issues]


def test_every_fault_is_named_with_its_line(tmp_path):
    text = graphml(
        ("1", "2", {"l": "nan"}),
        ("1", "2", {"l": "-3"}),
        ("1", "2", {"l": "inf"}),
        ("1", "2", {"l": "far"}),
        ("1", "99", {}),
        ("1", "2", {"g": "POINT (1 1)"}),
        ("1", "2", {"g": "LINESTRING (110"}),
        nodes={**PLACES, "4": (110, "north"), "5": ("nan", 35)},
    )
    said = faults(tmp_path, text)
    first = text.split("<edge")[0].count("\n") + 1
    assert len(said) == 9
    assert said[0] == ('error walk.graphml x, y "110, north": node 4 has no place; every node needs x and y')
    assert said[2].startswith(
        f'error walk.graphml row {first} length "nan": the length of an edge must be a number >= 0'
    )
    assert [line for line in said if '"1 - 99"' in line and "ends at node 99, which the file does not hold" in line]
    assert sum("geometry of an edge is not a line" in line for line in said) == 2


LAUGHS = HEAD.replace("<graphml", '<!DOCTYPE graphml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>\n<graphml', 1)
OUTSIDE = HEAD.replace("<graphml", '<!DOCTYPE graphml [<!ENTITY a SYSTEM "file:///etc/hostname">]>\n<graphml', 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (graphml(("1", "2", {"h": "&b;"}), head=LAUGHS), "declares XML entities"),
        (graphml(("1", "2", {"h": "&a;"}), head=OUTSIDE), "declares XML entities"),
        (graphml(("1", "2", {}))[:-40], "it is not whole XML from line"),
        ("<gexf></gexf>", "it is not GraphML"),
        ("not xml", "it is not whole XML from line 1"),
        (graphml(), "it holds no edge"),
        (graphml(("1", "2", {}), crs="EPSG:1"), "the coordinate system it names is not known"),
    ],
)
def test_a_file_that_is_unsafe_or_broken_is_refused_in_plain_words(tmp_path, text, message):
    (line,) = faults(tmp_path, text)
    assert message in line


def test_an_impossible_place_is_left_out_and_named(tmp_path):
    roads = read_roads(written(tmp_path, graphml(("1", "2", {}), ("2", "4", {}), nodes={**PLACES, "4": (110, 999)})))
    assert len(roads.lines) == 1
    assert "1 roads have impossible coordinates" in roads.issues[0].problem.en


def test_shenzhen_is_read_as_networkx_reads_it(shared_data):
    path = shared_data / "shenzhen_futian" / "walk.graphml"
    graph = nx.read_graphml(path)
    lines = read_roads(path).lines
    assert len(lines) == graph.number_of_edges()
    assert lines["length_m"].sum() == pytest.approx(sum(float(data["length"]) for *_, data in graph.edges(data=True)))
    assert (lines.geometry.count_coordinates() > 2).sum() == sum(
        "geometry" in data for *_, data in graph.edges(data=True)
    )
