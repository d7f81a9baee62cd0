import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from siting.errors import CutoffError, InputError, NetworkError
from siting.network.graph import RoadNetwork
from siting.network.positions import Positions
from siting.reach import circles, cost_matrix, nearest, within
from siting.reach.cutoffs import whole_cutoff
from tests import naive
from tests.networks import CRS, metres_from_origin, networks, networks_with_places, places_on

few = settings(max_examples=60, deadline=None)


def beyond_hidden(costs, limit, unit):
    return np.where(costs <= limit, costs, math.inf) / unit


# laws


@few
@given(networks(), st.integers(1, 500_000), st.integers(1, 500_000))
def test_cutoff_only_hides_what_is_beyond_it(net, one_mm, two_mm):
    near, far = sorted((one_mm, two_mm))
    everything = naive.dense(within(net, np.arange(net.n_nodes), cutoff_m=far / 1000))
    reached = naive.dense(within(net, np.arange(net.n_nodes), cutoff_m=near / 1000))
    assert_array_equal(reached, np.where(everything <= near / 1000, everything, math.inf))


@few
@given(networks())
def test_network_distances_obey_the_triangle_inequality(net):
    d = np.rint(1000 * naive.dense(within(net, np.arange(net.n_nodes), cutoff_m=4e6)))
    assert (d <= (d[:, :, None] + d[None, :, :]).min(axis=1)).all()
    assert (np.diag(d) == 0).all()


@few
@given(networks_with_places(), st.randoms(use_true_random=False))
def test_row_order_and_thread_count_change_nothing(case, random):
    net, origins, destinations = case
    first = cost_matrix(net, origins, destinations, cutoff_m=300, threads=1)
    rows = np.arange(len(origins))
    random.shuffle(rows)
    again = cost_matrix(net, origins.take(rows), destinations, cutoff_m=300, threads=3)
    assert_array_equal(naive.dense(again), naive.dense(first)[rows])
    near = nearest(net, origins, destinations, k=2, threads=1)
    shuffled = nearest(net, origins.take(rows), destinations, k=2)
    assert_array_equal(shuffled.distance_m, near.distance_m[rows])
    assert_array_equal(shuffled.destination, near.destination[rows])


@few
@given(networks(oneways=False).flatmap(lambda net: st.tuples(st.just(net), places_on(net))))
def test_where_all_edges_are_two_way_there_and_back_are_equal(case):
    net, places = case
    there = naive.dense(cost_matrix(net, places, places, cutoff_m=5000))
    assert_array_equal(there, there.T)


@few
@given(networks_with_places())
def test_more_destinations_never_move_the_nearest_away(case):
    net, origins, destinations = case
    some = nearest(net, origins, destinations.take(np.arange(len(destinations) // 2)))
    assert (nearest(net, origins, destinations).distance_m <= some.distance_m).all()


# twins


@few
@given(networks(), st.integers(1, 800_000))
def test_within_equals_bellman_ford(net, limit_mm):
    graph = naive.road_graph(net)
    slow = [[cost for node, cost in sorted(naive.bellman_ford(graph, i).items())] for i in range(net.n_nodes)]
    fast = within(net, np.arange(net.n_nodes), cutoff_m=limit_mm / 1000)
    assert_array_equal(naive.dense(fast), beyond_hidden(np.array(slow), limit_mm, 1000))


@settings(max_examples=150, deadline=None)
@given(networks_with_places(), st.integers(1, 800_000), st.booleans())
def test_cost_matrix_equals_bellman_ford_with_places_inserted_as_nodes(case, limit_mm, direct_walk):
    net, origins, destinations = case
    slow = naive.distances(net, origins, destinations, direct_walk=direct_walk)
    fast = cost_matrix(net, origins, destinations, cutoff_m=limit_mm / 1000, direct_walk=direct_walk)
    assert_array_equal(naive.dense(fast), beyond_hidden(slow, limit_mm, 1000))
    assert fast.has_sorted_indices


@few
@given(networks_with_places(speeds=True), st.integers(1, 800_000), st.booleans())
def test_minutes_equal_bellman_ford_in_whole_milliseconds(case, limit_ms, direct_walk):
    net, origins, destinations = case
    slow = naive.distances(net, origins, destinations, metric="ms", direct_walk=direct_walk)
    fast = cost_matrix(net, origins, destinations, cutoff_min=limit_ms / 60000, direct_walk=direct_walk)
    assert_array_equal(naive.dense(fast), beyond_hidden(slow, limit_ms, 60000))


@settings(max_examples=120, deadline=None)
@given(networks_with_places(), st.integers(1, 4), st.booleans(), st.integers(1, 5))
def test_nearest_equals_the_least_of_the_full_matrix(case, k, direct_walk, threads):
    net, origins, destinations = case
    slow = naive.distances(net, origins, destinations, direct_walk=direct_walk)
    cost, column = naive.k_nearest(slow, k)
    fast = nearest(net, origins, destinations, k=k, direct_walk=direct_walk, threads=threads)
    assert_array_equal(fast.distance_m, cost / 1000)
    assert_array_equal(fast.destination, column)


# errors


@pytest.mark.parametrize("bad", [{}, {"cutoff_m": 5, "cutoff_min": 5}])
def test_exactly_one_cutoff_is_needed(bad):
    with pytest.raises(CutoffError, match="Exactly one"):
        whole_cutoff(**bad)


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, 5e6])
def test_a_cutoff_is_positive_and_finite(value):
    with pytest.raises(CutoffError, match="must be positive"):
        whole_cutoff(cutoff_m=value)


@pytest.fixture
def street():
    """Four nodes on a straight street of 100 m blocks."""
    xy = [[500_000 + 100 * i, 4_000_000] for i in range(4)]
    return RoadNetwork.from_edges(xy, [0, 1, 2], [1, 2, 3], [100, 100, 100], crs=CRS)


def test_nodes_and_positions_of_another_network_are_refused(street):
    with pytest.raises(NetworkError, match="1 node numbers outside 0 to 3: 4 at 0"):
        within(street, [4], cutoff_m=100)
    elsewhere = Positions(np.array([7]), *np.zeros((2, 1), np.int64), *np.zeros((2, 1)))
    with pytest.raises(NetworkError, match="not on this network"):
        cost_matrix(street, elsewhere, elsewhere, cutoff_m=100)


def test_k_less_than_one_is_refused(street):
    with pytest.raises(InputError, match="at least 1; it is 0"):
        nearest(street, street.node_positions(), street.node_positions(), k=0)


@pytest.mark.parametrize("threads", [0, -2])
def test_less_than_one_thread_is_refused(street, threads):
    spots = street.node_positions()
    for call in (within, cost_matrix, nearest, circles):
        what = {within: ([0],), circles: (spots,)}.get(call, (spots, spots))
        limit = {nearest: {}, circles: {"cutoffs_m": [100]}}.get(call, {"cutoff_m": 100})
        with pytest.raises(InputError, match=f"at least 1; it is {threads}"):
            call(street, *what, **limit, threads=threads)


def test_minutes_need_a_speed(street):
    with pytest.raises(NetworkError, match="no speeds"):
        within(street, [0], cutoff_min=15)


# stories with hand-checked numbers


def test_what_equals_the_cutoff_is_covered(street):
    assert within(street, [0], cutoff_m=100).nnz == 2
    assert within(street, [0], cutoff_m=99.999).nnz == 1
    assert whole_cutoff(cutoff_m=1200.1) == ("mm", 1_200_100)
    assert whole_cutoff(cutoff_m=0.1 + 0.2) == ("mm", 300)
    assert whole_cutoff(cutoff_m=1.2344) == ("mm", 1234)
    assert whole_cutoff(cutoff_min=15) == ("ms", 900_000)


def test_nothing_asked_is_nothing_found(street):
    none, some = street.node_positions([0]).take(np.arange(0)), street.node_positions()
    assert within(street, [], cutoff_m=100).shape == (0, 4)
    assert cost_matrix(street, none, some, cutoff_m=100).shape == (0, 4)
    assert cost_matrix(street, some, none, cutoff_m=100).shape == (4, 0)
    assert nearest(street, none, some, k=2).distance_m.shape == (0, 2)
    assert np.isinf(nearest(street, some, none).distance_m).all()


def test_places_on_one_edge_are_joined_by_the_piece_between(street):
    lon, lat = street.to_lonlat(np.array([[500_120.0, 4_000_010.0], [500_180.0, 4_000_010.0]]))
    places = Positions(np.array([1, 1]), np.array([20_000, 80_000]), np.array([10_000, 10_000]), lon, lat)
    distance = cost_matrix(street, places, places, cutoff_m=100).toarray()
    assert_array_equal(distance, [[0, 80], [80, 0]])


def test_two_doors_of_one_compound_are_neighbours_though_the_map_lacks_the_path():
    # two parallel streets 60 m apart that meet 1 km away; the doors are 20 m apart between them
    xy = metres_from_origin([0, 0], [1000, 0], [1000, 60], [0, 60])
    net = RoadNetwork.from_edges(xy, [0, 1, 2], [1, 2, 3], [1000, 60, 1000], crs=CRS)
    lon, lat = net.to_lonlat(np.array([[500_000.0, 4_000_020.0], [500_000.0, 4_000_040.0]]))
    doors = Positions(np.array([0, 2]), np.array([0, 1_000_000]), np.array([20_000, 20_000]), lon, lat)
    walked = cost_matrix(net, doors, doors, cutoff_m=3000)
    assert walked[0, 1] == pytest.approx(20, abs=0.02)
    driven = cost_matrix(net, doors, doors, cutoff_m=3000, direct_walk=False)
    assert driven[0, 1] == 2100
    assert driven[0, 0] == 0
    assert nearest(net, doors, doors, k=2).distance_m[0, 1] == walked[0, 1]


def test_unroutable_places_have_empty_rows_and_columns(street):
    places = street.node_positions([0, 1])
    lost = Positions(np.array([-1, 0]), np.array([0, 0]), np.array([9_000_000, 0]), places.lon, places.lat)
    assert cost_matrix(street, lost, lost, cutoff_m=500).nnz == 1
    near = nearest(street, lost, lost)
    assert_array_equal(near.distance_m, [[math.inf], [0]])
    assert_array_equal(near.destination, [[-1], [1]])


@pytest.mark.parametrize("k", [1, 2])
def test_a_place_an_ocean_away_has_no_nearest(street, k):
    near = street.node_positions([1])
    leg = np.array([11_000_000_000])
    far = Positions(np.array([0]), np.array([0]), leg, near.lon - 90, near.lat)
    assert np.isinf(nearest(street, far, near, k=k).distance_m).all()
    assert np.isinf(nearest(street, near, far, k=k).distance_m).all()


def test_home_to_facility_and_back_differ_on_a_one_way_ring():
    xy = metres_from_origin([0, 0], [100, 0], [100, 100], [0, 100])
    net = RoadNetwork.from_edges(xy, [0, 1, 2, 3], [1, 2, 3, 0], [100] * 4, crs=CRS, oneway=[True] * 4)
    home, shop = net.node_positions([0]), net.node_positions([1])
    assert cost_matrix(net, home, shop, cutoff_m=1000)[0, 0] == 100
    assert cost_matrix(net, shop, home, cutoff_m=1000)[0, 0] == 300
    assert nearest(net, shop, home).distance_m[0, 0] == 300
