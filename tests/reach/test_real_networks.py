import geopandas as gpd
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from siting.network import read_network, snap
from siting.reach import circles, cost_matrix, nearest
from tests import naive


@pytest.fixture(scope="module", params=["lanzhou/roads.gpkg", "shenzhen_futian/walk.graphml"])
def case(request, shared_data):
    """A real network with random points near its streets: 12 origins, 25 destinations."""
    net = read_network(shared_data / request.param)
    rng = np.random.default_rng(5)
    xy = net.geometry_xy[rng.choice(len(net.geometry_xy), 37)] + rng.normal(0, 60, (37, 2))
    points = gpd.GeoSeries.from_xy(*xy.T, crs=net.crs)
    return net, snap(net, points.iloc[:12]), snap(net, points.iloc[12:]), points


@pytest.fixture(scope="module")
def slow(case):
    net, origins, destinations, _ = case
    return naive.distances(net, origins, destinations, shortest=naive.dijkstra)


def test_distances_equal_networkx_with_places_inserted_as_nodes(case, slow):
    net, origins, destinations, points = case
    assert origins.routable.all()
    assert np.isfinite(slow).mean() > 0.5
    for cutoff_m in (1200, 100_000):
        fast = cost_matrix(net, origins, destinations, cutoff_m=cutoff_m)
        assert_array_equal(naive.dense(fast), np.where(slow <= cutoff_m * 1000, slow, np.inf) / 1000)
    from_points = cost_matrix(net, points.iloc[:12], points.iloc[12:], cutoff_m=1200)
    assert (from_points != cost_matrix(net, origins, destinations, cutoff_m=1200)).nnz == 0


def test_nearest_equals_the_least_of_networkx(case, slow):
    net, origins, destinations, _ = case
    cost, column = naive.k_nearest(slow, 3)
    fast = nearest(net, origins, destinations, k=3)
    assert_array_equal(fast.distance_m, cost / 1000)
    assert_array_equal(fast.destination, column)


def test_circles_are_valid_and_agree_with_distances(case):
    net, origins, destinations, points = case
    table = circles(net, origins, cutoffs_m=[500, 1200])
    assert table.geometry.is_valid.all()
    reached = naive.dense(cost_matrix(net, origins, destinations, cutoff_m=1200, direct_walk=False))
    drawn = table.geometry[table["cutoff_m"] == 1200].to_crs(net.crs).reset_index(drop=True)
    where = points.iloc[12:].to_crs(net.crs).reset_index(drop=True)
    near_street = destinations.off_road_mm <= 40_000  # 10 m from the longest walk off the street
    for i in range(len(origins)):
        inside = where.within(drawn[i]).to_numpy()
        assert inside[(reached[i] <= 1175) & near_street].all()
