import numpy as np
import pytest
from hypothesis import given, settings
from numpy.testing import assert_array_equal

from siting.errors import NetworkError
from siting.network import routing
from siting.network.graph import RoadNetwork
from siting.network.positions import Positions
from siting.network.routing import routing_graph
from siting.reach import cost_matrix, nearest
from siting.reach import search as search_module
from tests import naive
from tests.networks import CRS, metres_from_origin, networks_with_places

few = settings(max_examples=60, deadline=None)


@pytest.fixture
def bends():
    """A street of five nodes of which the three in the middle are bends, and one node apart."""
    xy = metres_from_origin([0, 0], [100, 0], [200, 0], [300, 0], [400, 0], [900, 900])
    return RoadNetwork.from_edges(xy, [0, 2, 2, 4], [1, 1, 3, 3], [100, 100, 100, 100], crs=CRS)


# laws


@few
@given(networks_with_places(speeds=True))
def test_contraction_changes_no_bit(case):
    net, origins, destinations = case
    contracted = [
        cost_matrix(net, origins, destinations, cutoff_m=2000),
        cost_matrix(net, origins, destinations, cutoff_min=20),
        nearest(net, origins, destinations, k=2),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_module, "routing_graph", lambda net, metric: routing_graph(net, metric, contracted=False))
        whole = [
            cost_matrix(net, origins, destinations, cutoff_m=2000),
            cost_matrix(net, origins, destinations, cutoff_min=20),
            nearest(net, origins, destinations, k=2),
        ]
    for one, other in zip(contracted[:2], whole[:2], strict=True):
        assert_array_equal(naive.dense(one), naive.dense(other))
    assert_array_equal(contracted[2].distance_m, whole[2].distance_m)
    assert_array_equal(contracted[2].destination, whole[2].destination)


@few
@given(networks_with_places())
def test_every_edge_lies_once_on_one_chain(case):
    net, _, _ = case
    graph = routing_graph(net, "mm")
    chain, back = graph.edges[:, 0] >> 1, graph.edges[:, 0] & 1 == 1
    length = np.bincount(chain, weights=net.length_mm, minlength=len(graph.chains))
    assert_array_equal(length, graph.chains[:, 2])
    assert_array_equal(graph.edges[:, 3], net.length_mm)
    assert not back[net.oneway].any()
    for c in range(len(graph.chains)):  # the edges of a chain follow one another without a gap
        own = np.sort(graph.edges[chain == c, 1])
        ends = np.sort(graph.edges[chain == c, 1] + graph.edges[chain == c, 2])
        assert_array_equal(np.append(own, graph.chains[c, 2]), np.append(0, ends))


# stories


def test_bends_are_contracted_and_lengths_are_whole_millimetres(bends):
    graph = routing_graph(bends, "mm")
    assert sorted(graph.node.tolist()) == [0, 4, 5]
    assert graph.chains[:, 2].tolist() == [400_000]
    assert RoadNetwork.from_edges(bends.xy[:2], [0], [1], [100.0006], crs=CRS).length_mm.tolist() == [100_001]


def test_a_ring_of_bends_alone_is_cut_open_once():
    xy = metres_from_origin([0, 0], [100, 0], [100, 100])
    ring = RoadNetwork.from_edges(xy, [0, 1, 2], [1, 2, 0], [100, 100, 141], crs=CRS)
    assert len(routing_graph(ring, "mm").node) == 1
    nodes = ring.node_positions()
    assert_array_equal(
        cost_matrix(ring, nodes, nodes, cutoff_m=500).toarray(), [[0, 100, 141], [100, 0, 100], [141, 100, 0]]
    )


def test_a_routing_graph_is_made_once(bends, monkeypatch):
    first = routing_graph(bends, "mm")
    monkeypatch.setattr(routing, "_make", lambda *_: pytest.fail("made twice"))
    assert routing_graph(bends, "mm") is first


def test_a_node_without_edges_is_unroutable_and_others_lie_on_an_edge(bends):
    places = bends.node_positions()
    assert places.edge.tolist()[:5] == [0, 0, 1, 2, 3]
    assert places.edge[5] == -1
    assert_array_equal(bends.spots(places)[:5], bends.xy[:5])
    assert np.isnan(bends.spots(places)[5]).all()


def test_the_spot_of_a_place_lies_on_the_drawn_line():
    xy = metres_from_origin([0, 0], [100, 100])
    line = metres_from_origin([0, 0], [100, 0], [100, 100])
    net = RoadNetwork(
        xy=xy,
        u=np.array([0]),
        v=np.array([1]),
        length_mm=np.array([200_000]),
        crs=CRS,
        geometry_offsets=np.array([0, 3]),
        geometry_xy=line,
    )
    place = Positions(np.array([0]), np.array([150_000]), np.zeros(1, int), np.zeros(1), np.zeros(1))
    assert_array_equal(net.spots(place), metres_from_origin([100, 50]))


def test_arrays_cannot_be_changed_and_the_callers_stay_free(bends):
    xy = np.zeros((2, 2))
    net = RoadNetwork.from_edges(xy, [0], [1], [5], crs=CRS)
    with pytest.raises(ValueError, match="read-only"):
        net.length_mm[0] = 7
    xy[0] = 1


# errors


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"length_m": [100, -1, 3, 3]}, "1 edges have a length that is not finite and >= 0: edge 1, -1.0"),
        ({"length_m": [100, 1, np.nan, 3]}, "edge 2, nan"),
        ({"u": [0, 2, 2, 9]}, "u has 1 node numbers outside 0 to 5: 9 at 3"),
        ({"u": [0.0, 2, 2, 4]}, "u must be a one-dimensional array of whole numbers"),
        ({"crs": "EPSG:4326"}, "the CRS must be projected"),
        ({"oneway": [True]}, "the edge arrays differ in length"),
        ({"length_m": [5e6] * 4}, "between 0 and 4,026 km"),
        ({"xy": np.full((6, 2), np.nan)}, "node coordinates must be finite"),
        ({"speed_kmh": 0}, "speeds must be positive"),
    ],
)
def test_what_is_not_a_network_is_refused(bends, change, message):
    whole = {"xy": bends.xy, "u": [0, 2, 2, 4], "v": [1, 1, 3, 3], "length_m": [100.0] * 4, "crs": CRS} | change
    with pytest.raises(NetworkError, match=message):
        RoadNetwork.from_edges(**whole)


def test_positions_that_make_no_sense_are_refused():
    with pytest.raises(NetworkError, match="differ in length"):
        Positions(np.zeros(2, int), *np.zeros((2, 1), int), *np.zeros((2, 1)))
    with pytest.raises(NetworkError, match="cannot be negative"):
        Positions(np.zeros(1, int), -np.ones(1, int), np.zeros(1, int), *np.zeros((2, 1)))
