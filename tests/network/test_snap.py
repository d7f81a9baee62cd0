import time

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from siting.errors import InputError, NetworkError
from siting.network import RoadNetwork, snap

CRS = "EPSG:32648"
ORIGIN = np.array([500_000.0, 4_000_000.0])  # on the central meridian, where the map is 0.04 % small
WGS84 = Geod(ellps="WGS84")


def points(*metres, crs=CRS):
    """Points in metres east and north of the origin."""
    return gpd.GeoSeries(gpd.points_from_xy(*(ORIGIN + np.array(metres, float).reshape(-1, 2)).T), crs=CRS).to_crs(crs)


def network(xy, ends, length_m=None, bends=None):
    """A network in metres from the origin; ``bends`` gives an edge a drawn line of its own."""
    xy = np.array(xy, float)
    u, v = np.array(ends).T
    lines = [[xy[a], *(bends or {}).get(edge, []), xy[b]] for edge, (a, b) in enumerate(ends)]
    drawn = np.array([shapely.LineString(line).length for line in lines])
    return RoadNetwork(
        xy=ORIGIN + xy,
        u=u,
        v=v,
        length_mm=np.rint((drawn if length_m is None else np.array(length_m)) * 1000).astype(np.int64),
        crs=CRS,
        geometry_offsets=np.cumsum([0, *(len(line) for line in lines)]),
        geometry_xy=ORIGIN + np.concatenate(lines),
    )


@st.composite
def nets_and_points(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(2, 8))
    xy = rng.integers(0, 400, (n, 2))
    m = draw(st.integers(1, 10))
    ends = [tuple(rng.integers(0, n, 2)) for _ in range(m)]
    bends = {edge: rng.integers(0, 400, (rng.integers(1, 3), 2)) for edge in range(m) if rng.random() < 0.5}
    return network(xy, ends, bends=bends), points(*rng.integers(-300, 700, (draw(st.integers(0, 12)), 2)))


def lines_of(net):
    return shapely.linestrings(
        net.geometry_xy, indices=np.repeat(np.arange(net.n_edges), np.diff(net.geometry_offsets))
    )


def piece_km(net, edge):
    """The length of the piece an edge is in, found by walking from node to node."""
    reached, grown = {net.u[edge], net.v[edge]}, True
    while grown:
        more = {b for a, b in [*zip(net.u, net.v, strict=True), *zip(net.v, net.u, strict=True)] if a in reached}
        grown = not more <= reached
        reached |= more
    return net.length_mm[[node in reached for node in net.u]].sum() / 1e6


@settings(max_examples=40, deadline=None)
@given(nets_and_points(), st.sampled_from([0.0, 0.5]))
def test_every_place_is_on_the_nearest_usable_edge(made, min_piece_km):
    """The slow twin: every place against every edge."""
    net, places = made
    pos = snap(net, places, limit_m=1e6, min_piece_km=min_piece_km)
    km = np.array([piece_km(net, edge) for edge in range(net.n_edges)])
    usable = km >= min_piece_km
    usable = usable if usable.any() else km == km.max()
    lines = lines_of(net)
    for row, place in enumerate(places):
        with np.errstate(invalid="ignore"):  # old GEOS warns at a line without length
            away = shapely.distance(lines, place)
        nearest = away[usable].min()
        assert usable[pos.edge[row]]
        assert away[pos.edge[row]] == pytest.approx(nearest, abs=1e-6)
        line, length = lines[pos.edge[row]], net.length_mm[pos.edge[row]]
        passed = line.project(place) if line.length else 0.0
        along = passed / line.length * length if line.length else 0
        assert pos.offset_mm[row] == pytest.approx(along, abs=0.51)
        (lon,), (lat,) = net.to_lonlat(shapely.get_coordinates(line.interpolate(passed)))
        leg = WGS84.inv(pos.lon[row], pos.lat[row], lon, lat)[2]
        assert pos.off_road_mm[row] == pytest.approx(leg * 1000, abs=0.51)
        without = row in set(pos.carried["index"])
        assert without == (away[~usable].min(initial=np.inf) < nearest - 1e-9)


@settings(max_examples=25, deadline=None)
@given(nets_and_points(), st.integers(10, 400))
def test_a_limit_only_hides(made, limit_m):
    net, places = made
    everywhere, near = snap(net, places, limit_m=1e6), snap(net, places, limit_m=limit_m)
    hidden = everywhere.off_road_mm > limit_m * 1000
    np.testing.assert_array_equal(near.edge, np.where(hidden, -1, everywhere.edge))
    np.testing.assert_array_equal(near.unroutable["index"], np.flatnonzero(hidden))
    np.testing.assert_array_equal(near.unroutable["distance_m"], everywhere.off_road_mm[hidden] / 1000)


@settings(max_examples=25, deadline=None)
@given(nets_and_points(), st.randoms(use_true_random=False))
def test_order_and_crs_of_the_points_change_nothing(made, random):
    net, places = made
    order = list(range(len(places)))
    random.shuffle(order)
    pos = snap(net, places, limit_m=1e6)
    turned = snap(net, places.iloc[order], limit_m=1e6)
    for name in ("edge", "offset_mm", "off_road_mm"):
        np.testing.assert_array_equal(getattr(turned, name), getattr(pos, name)[order])
    other = snap(net, places.to_crs("EPSG:4547"), limit_m=1e6)
    np.testing.assert_allclose(other.off_road_mm, pos.off_road_mm, atol=1)


def test_a_place_stands_at_its_exact_spot_and_never_at_a_node():
    net = network([(0, 0), (1000, 0)], [(0, 1)])
    pos = snap(net, points((250, 30)))
    assert (pos.edge[0], pos.offset_mm[0]) == (0, 250_000)
    assert pos.off_road_mm[0] == 30_012  # 30 m on the map of the central meridian are 30 / 0.9996 m on the ground


def test_an_offset_is_the_share_of_the_drawn_line_times_the_length():
    net = network([(0, 0), (100, 0)], [(0, 1)], length_m=[300.0], bends={0: [(0, 50), (100, 50)]})
    assert snap(net, points((50, 60))).offset_mm[0] == 150_000


def test_of_edges_equally_near_the_first_counts():
    net = network([(0, 0), (0, 500), (0, 1000), (500, 500)], [(3, 1), (1, 2), (0, 1)])
    assert snap(net, points((-40, 500))).edge[0] == 0
    assert snap(net, points((-40, 500))).offset_mm[0] == 500_000


def test_a_place_exactly_at_the_limit_is_routable():
    net = network([(0, 0), (1000, 0)], [(0, 1)])
    leg_m = snap(net, points((500, 100))).off_road_mm[0] / 1000
    at, beyond = snap(net, points((500, 100)), limit_m=leg_m), snap(net, points((500, 100)), limit_m=leg_m - 0.001)
    assert (at.edge[0], len(at.unroutable)) == (0, 0)
    assert (beyond.edge[0], beyond.unroutable["distance_m"].tolist()) == (-1, [leg_m])


def test_a_place_is_carried_past_a_small_piece_and_both_distances_are_told():
    net = network([(0, 0), (3000, 0), (0, 200), (100, 200)], [(0, 1), (2, 3)])
    pos = snap(net, points((50, 170), (50, 20)))
    assert pos.edge.tolist() == [0, 0]
    assert pos.carried["index"].tolist() == [0]
    assert pos.carried["distance_m"].tolist() == pytest.approx([170 / 0.9996], abs=1e-3)
    assert pos.carried["without_m"].tolist() == pytest.approx([30 / 0.9996], abs=1e-3)
    assert snap(net, points((50, 170)), min_piece_km=0).edge.tolist() == [1]


def test_the_longest_piece_counts_where_none_is_long_enough():
    net = network([(0, 0), (300, 0), (0, 200), (100, 200)], [(2, 3), (0, 1)])
    pos = snap(net, points((50, 190)))
    assert (pos.edge[0], len(pos.carried)) == (1, 1)


def test_a_network_without_edges_leaves_every_place_unroutable():
    net = RoadNetwork.from_edges([ORIGIN], np.zeros(0, int), np.zeros(0, int), [], crs=CRS)
    pos = snap(net, points((0, 0)))
    assert (pos.edge.tolist(), pos.unroutable["distance_m"].tolist()) == ([-1], [np.inf])


def test_points_that_are_nowhere_are_refused():
    net = network([(0, 0), (1000, 0)], [(0, 1)])
    with pytest.raises(InputError, match="no coordinate system"):
        snap(net, gpd.GeoSeries([shapely.Point(0, 0)]))
    with pytest.raises(InputError, match="position 1 is not a point"):
        snap(net, gpd.GeoSeries([shapely.Point(105, 36), shapely.box(0, 0, 1, 1)], crs=4326))
    with pytest.raises(InputError, match="position 0 is not a point"):
        snap(net, gpd.GeoSeries([None, shapely.Point(105, 36)], crs=4326))
    with pytest.raises(InputError, match="position 1 has no valid coordinates"):
        snap(net, gpd.GeoSeries([shapely.Point(105, 36), shapely.Point()], crs=4326))


@pytest.mark.parametrize("limit_m", [0, -1, np.nan, np.inf])
def test_a_limit_that_makes_no_sense_is_refused(limit_m):
    with pytest.raises(NetworkError, match="must be positive"):
        snap(network([(0, 0), (1000, 0)], [(0, 1)]), points((0, 0)), limit_m=limit_m)


def test_wuhan_is_read_in_seconds_and_a_hundred_thousand_places_are_put_on_it(wuhan):
    """The budgets are of the processor's seconds, so that a busy machine does not matter."""
    net, ready = wuhan
    rng = np.random.default_rng(7)
    spread = net.xy[rng.integers(0, net.n_nodes, 100_000)] + rng.normal(0, 100, (100_000, 2))
    places = gpd.GeoSeries(gpd.points_from_xy(*net.to_lonlat(spread)), crs=4326)
    start = time.process_time()
    pos = snap(net, places)
    assert ready < 10
    assert time.process_time() - start < 3
    lines = lines_of(net)
    for row in rng.integers(0, 100_000, 40):
        if pos.edge[row] >= 0:
            away = shapely.distance(lines, shapely.Point(spread[row]))
            assert away[pos.edge[row]] == pytest.approx(away.min(), abs=1e-4)
