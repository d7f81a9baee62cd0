import math

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from siting.errors import CutoffError, InputError
from siting.network.graph import RoadNetwork
from siting.network.positions import Positions
from siting.reach import circles, covered_territory
from tests import naive
from tests.benchmarks.streets import street_network
from tests.networks import CRS, metres_from_origin, networks, places_on

few = settings(max_examples=30, deadline=None)
ROUNDING = 1e-4  # m2: what is left of a difference of polygons that share a border, after reprojection

_POINT = RoadNetwork.from_edges(metres_from_origin([191, 92]), [0], [0], [340.25], crs=CRS)
A_STREET_DRAWN_AS_A_POINT = (
    _POINT,
    Positions(np.array([0]), np.array([5001]), np.array([0]), *_POINT.to_lonlat(_POINT.xy)),
)
_SHORT = RoadNetwork.from_edges(metres_from_origin([227, 96], [299, 77]), [0], [1], [0.0], crs=CRS, oneway=[True])
A_ONE_WAY_STREET_WITHOUT_LENGTH = (
    _SHORT,
    Positions(np.array([0]), np.array([0]), np.array([0]), *_SHORT.to_lonlat(_SHORT.xy[:1])),
)
_QUICK = RoadNetwork.from_edges(metres_from_origin([156, 299], [40, 16]), [0], [1], [123.239], crs=CRS)
A_STREET_SHORTER_THAN_ITS_DRAWING = (
    _QUICK,
    Positions(np.array([0]), np.array([0]), np.array([0]), *_QUICK.to_lonlat(_QUICK.xy[:1])),
)
_FAST = RoadNetwork.from_edges(metres_from_origin([22, 4], [52, 243]), [0, 0], [0, 1], [0.003, 1.273], crs=CRS)
TWO_PLACES_ON_A_STREET_SHORTER_THAN_ITS_DRAWING = (
    _FAST,
    Positions(np.array([1, 1]), np.array([636, 1038]), np.array([50464, 79442]), *_FAST.to_lonlat(_FAST.xy)),
)


@st.composite
def networks_with_facility(draw):
    net = draw(networks())
    edge = draw(st.integers(0, net.n_edges - 1))
    offset = draw(st.integers(0, int(net.length_mm[edge])))
    lon, lat = net.to_lonlat(net.xy[:1])
    leg = draw(st.sampled_from([0, 15_000, 90_000]))
    return net, Positions(np.array([edge]), np.array([offset]), np.array([leg]), lon, lat)


def projected(table, net):
    return table.to_crs(net.crs).geometry


def inside(polygon, points):
    shapely.prepare(polygon)
    return shapely.contains_xy(polygon, points[:, 0], points[:, 1])


# laws


@few
@given(networks_with_facility(), st.sampled_from([10.0, 20.0]))
def test_circles_are_valid_and_nest(case, grid_m):
    net, facility = case
    table = circles(net, facility, cutoffs_m=[300, 60, 130], grid_m=grid_m)
    assert table["cutoff_m"].tolist() == [60, 130, 300]
    assert table.geometry.is_valid.all()
    small, middle, large = projected(table, net)
    assert small.difference(middle).area < ROUNDING
    assert middle.difference(large).area < ROUNDING


@few
@example(TWO_PLACES_ON_A_STREET_SHORTER_THAN_ITS_DRAWING)
@given(networks().flatmap(lambda net: st.tuples(st.just(net), places_on(net))))
def test_the_territory_is_the_union_of_the_circles(case):
    net, places = case
    cutoffs = 80.0 + 40 * np.arange(len(places))
    territory = covered_territory(net, places, cutoffs)
    assert territory.is_valid
    each = [circles(net, places.take([i]), cutoffs_m=[cutoff]).geometry[0] for i, cutoff in enumerate(cutoffs)]
    union, whole = projected(gpd.GeoDataFrame(geometry=[shapely.union_all(each), territory], crs="EPSG:4326"), net)
    assert union.difference(whole).area < ROUNDING
    assert whole.difference(union.buffer(14.2)).area < ROUNDING  # more only where two circles nearly meet in a cell


@few
@given(networks_with_facility())
def test_threads_and_company_do_not_change_a_circle(case):
    net, facility = case
    alone = circles(net, facility, cutoffs_m=[150], threads=1).geometry[0]
    three = circles(net, facility.take([0, 0, 0]), cutoffs_m=[90, 150], threads=2).geometry
    assert all(shapely.equals_exact(alone, polygon, 0) for polygon in three[1::2])


# twins


@few
@example(A_STREET_DRAWN_AS_A_POINT, 5)
@example(A_ONE_WAY_STREET_WITHOUT_LENGTH, 20)
@example(A_STREET_SHORTER_THAN_ITS_DRAWING, 95)
@given(networks_with_facility(), st.integers(5, 400))
def test_a_circle_is_the_set_of_the_definition_but_for_the_grid(case, cutoff_m):
    net, facility = case
    polygon = projected(circles(net, facility, cutoffs_m=[cutoff_m], grid_m=10), net)[0]
    streets, costs = naive.street_points(net, facility)
    axis = np.arange(-120, 421, 7.0)
    points = metres_from_origin(*np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2))
    beyond = naive.beyond_circle(points, streets, costs, cutoff_m, 50)
    tolerance = 10 * math.sqrt(2) + 1
    found = inside(polygon, points)
    assert found[beyond < -tolerance].all()
    assert not found[beyond > tolerance].any()


def test_error_against_brute_force_on_a_two_metre_grid():
    net = street_network(400, seed=4)
    facility = net.node_positions([np.argmin(np.hypot(*(net.xy - net.xy.mean(axis=0)).T))])
    streets, costs = naive.street_points(net, facility)
    west, south, east, north = shapely.box(*shapely.MultiPoint(streets[costs <= 600]).bounds).buffer(60).bounds
    points = np.stack(np.meshgrid(np.arange(west, east, 2), np.arange(south, north, 2)), axis=-1).reshape(-1, 2)
    truth = naive.beyond_circle(points, streets, costs, 600, 50) <= 0
    for grid_m, most in ((16.0, 0.01), (10.0, 0.004)):
        polygon = projected(circles(net, facility, cutoffs_m=[600], grid_m=grid_m), net)[0]
        assert (truth != inside(polygon, points)).sum() <= most * truth.sum()


def test_every_reached_street_point_lies_in_the_circle_or_within_the_sag_of_its_border():
    net = street_network(400, seed=2)
    facility = net.node_positions([7])
    polygon = projected(circles(net, facility, cutoffs_m=[500]), net)[0]
    streets, costs = naive.street_points(net, facility)
    reached = streets[costs <= 500]
    shapely.prepare(polygon)
    assert shapely.distance(polygon, shapely.points(reached)).max() < 20**2 / (4 * 50)
    assert inside(polygon, streets[costs <= 450]).all()


# errors


@pytest.fixture
def block():
    """A square block of 400 m sides."""
    xy = metres_from_origin([0, 0], [400, 0], [400, 400], [0, 400])
    return RoadNetwork.from_edges(xy, [0, 1, 2, 3], [1, 2, 3, 0], [400] * 4, crs=CRS)


@pytest.mark.parametrize("bad", [{"off_road_m": 0}, {"grid_m": math.nan}])
def test_widths_must_be_positive(block, bad):
    with pytest.raises(InputError, match="must be positive"):
        circles(block, block.node_positions([0]), cutoffs_m=[500], **bad)


def test_cutoffs_must_be_there_and_positive(block):
    with pytest.raises(InputError, match="empty"):
        circles(block, block.node_positions([0]), cutoffs_m=[])
    with pytest.raises(CutoffError, match="must be positive"):
        circles(block, block.node_positions([0]), cutoffs_m=[-5, 100])
    with pytest.raises(InputError, match="1 facilities but 2 cut-offs"):
        covered_territory(block, block.node_positions([0]), [100, 200])


# stories


def test_a_block_too_wide_to_walk_into_is_a_hole(block):
    polygon = projected(circles(block, block.node_positions([0]), cutoffs_m=[1000]), block)[0]
    assert len(polygon.geoms) == 1
    assert len(polygon.geoms[0].interiors) == 1
    ring = shapely.Polygon([[0, 0], [400, 0], [400, 400], [0, 400]]).exterior.buffer(50)
    assert polygon.symmetric_difference(shapely.affinity.translate(ring, 500_000, 4_000_000)).area < 0.01 * ring.area


def test_the_facility_own_leg_shortens_its_circle_and_an_unroutable_one_has_none(block):
    lon, lat = block.to_lonlat(block.xy[:3])
    places = Positions(np.array([0, 0, -1]), np.array([200_000, 200_000, 0]), np.array([0, 100_000, 0]), lon, lat)
    near, far, none = projected(circles(block, places, cutoffs_m=[150]), block)
    assert near.bounds[2] - near.bounds[0] == pytest.approx(300, abs=2)
    assert far.bounds[2] - far.bounds[0] == pytest.approx(100, abs=2)
    assert none.is_empty
    assert covered_territory(block, places.take([2]), 150).is_empty


def test_no_facilities_have_no_circles(block):
    none = block.node_positions([0]).take(np.arange(0))
    assert circles(block, none, cutoffs_m=[300]).empty
    assert covered_territory(block, none, 300).is_empty


def test_on_a_one_way_street_the_circle_holds_those_who_can_get_there():
    xy = metres_from_origin([0, 0], [1000, 0])
    net = RoadNetwork.from_edges(xy, [0], [1], [1000], crs=CRS, oneway=[True])
    facility = Positions(np.array([0]), np.array([500_000]), np.zeros(1, int), *net.to_lonlat(xy[:1]))
    west, _, east, _ = projected(circles(net, facility, cutoffs_m=[300]), net)[0].bounds
    assert west - 500_000 == pytest.approx(200, abs=2)
    assert east - 500_000 == pytest.approx(550, abs=2)
