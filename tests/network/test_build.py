import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import LineString

from siting.errors import NetworkError, TableError
from siting.network import build_network, mode_named

WGS84 = Geod(ellps="WGS84")
WEST, SOUTH = 110.0, 35.0


def at(east_m, north_m):
    """A place so many metres east and north of 110° E 35° N, in degrees; the drawing only needs to be about right."""
    return WEST + east_m / 91_287.8, SOUTH + north_m / 110_941.0


def roads(*rows, **columns):
    """Lines through places in metres, with columns."""
    return gpd.GeoDataFrame(
        columns, geometry=[LineString([at(*place) for place in row]) for row in rows], crs="EPSG:4326"
    )


def geodesic_mm(line):
    return round(WGS84.geometry_length(line) * 1000)


@st.composite
def road_tables(draw):
    """Streets on a lattice of 8 places, bent or straight, some drawn twice, some one-way, some with a length stated."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    places = [(east * 150, north * 130) for east in range(4) for north in range(2)]
    rows = []
    for _ in range(draw(st.integers(1, 14))):
        start, end = rng.choice(len(places), 2, replace=False)
        bend = [tuple(rng.integers(0, 400, 2))] if rng.random() < 0.4 else []
        row = [places[start], *bend, places[end]]
        rows.append(row)
        if rng.random() < 0.3:
            rows.append(row[::-1])
    return roads(
        *rows,
        oneway=rng.choice(["yes", "no", "-1", ""], len(rows)),
        length_m=np.where(rng.random(len(rows)) < 0.5, rng.integers(1, 900, len(rows)) / 1, np.nan),
    )


def edges(net):
    """The edges as a set that does not depend on their order or on the numbers of nodes."""
    places = [tuple(place) for place in np.round(net.xy, 3)]
    return sorted(
        (*(sorted((places[u], places[v])) if not one else (places[u], places[v])), int(length), bool(one))
        for u, v, length, one in zip(net.u, net.v, net.length_mm, net.oneway, strict=True)
    )


@settings(max_examples=30, deadline=None)
@given(road_tables(), st.randoms(use_true_random=False), st.sampled_from(["walk", "drive"]))
def test_order_of_rows_changes_nothing(table, random, mode):
    order = list(range(len(table)))
    random.shuffle(order)
    assert edges(build_network(table.iloc[order], mode=mode)) == edges(build_network(table, mode=mode))


@settings(max_examples=20, deadline=None)
@given(road_tables())
def test_another_crs_of_the_roads_moves_nothing_by_more_than_a_millimetre(table):
    net, other = build_network(table), build_network(table.to_crs("EPSG:4547"), crs="EPSG:32649")
    assert net.crs.to_epsg() == 32649
    np.testing.assert_allclose(other.xy, net.xy, atol=1e-3)
    np.testing.assert_array_equal(other.u, net.u)
    np.testing.assert_array_equal(other.v, net.v)
    np.testing.assert_allclose(other.length_mm, net.length_mm, atol=1)


@settings(max_examples=30, deadline=None)
@given(road_tables())
def test_a_one_way_street_shortens_no_journey_and_walking_does_not_see_it(table):
    walk, drive = build_network(table), build_network(table, mode="drive")
    assert not walk.oneway.any()
    assert edges(walk) == edges(build_network(table.assign(oneway="no")))
    assert drive.length_mm.sum() >= walk.length_mm.sum()


def test_a_length_is_geodesic_unless_the_row_states_one():
    table = roads([(0, 0), (300, 40), (500, 0)], [(500, 0), (900, 0)], length_m=[np.nan, 432.1])
    net = build_network(table)
    np.testing.assert_array_equal(net.length_mm, [geodesic_mm(table.geometry[0]), 432_100])


def test_edges_keep_their_drawn_line_and_meet_exactly_at_nodes():
    table = roads([(0, 0), (300, 40), (500, 0)], [(900, 0), (500, 0)])
    net = build_network(table)
    drawn = np.split(net.geometry_xy, net.geometry_offsets[1:-1])
    projected = table.to_crs(net.crs).geometry
    for edge, line in enumerate(projected):
        np.testing.assert_allclose(drawn[edge], shapely.get_coordinates(line), atol=1e-6)
        np.testing.assert_array_equal(drawn[edge][[0, -1]], net.xy[[net.u[edge], net.v[edge]]])
    assert net.n_nodes == 3


def test_a_row_per_direction_is_one_road_with_the_least_length():
    there = [(0, 0), (250, 30), (500, 0)]
    net = build_network(roads(there, there[::-1], there, length_m=[510.0, 507.5, 530.0]))
    assert (net.n_edges, net.length_mm[0], net.report.counts["duplicates"]) == (1, 507_500, 2)


def test_another_road_between_the_same_junctions_stays_a_road_of_its_own():
    net = build_network(roads([(0, 0), (500, 0)], [(0, 0), (250, 60), (500, 0)]))
    assert (net.n_edges, net.report.counts["parallel"], net.report.counts["duplicates"]) == (2, 1, 0)


def test_one_way_rows_of_either_direction_both_stay_for_vehicles():
    there = [(0, 0), (500, 0)]
    table = roads(there, there[::-1], oneway=["yes", "yes"], length_m=[500.0, 400.0])
    assert sorted(build_network(table, mode="drive").length_mm.tolist()) == [400_000, 500_000]
    assert build_network(table).length_mm.tolist() == [400_000]


def test_a_two_way_row_stands_for_a_longer_one_way_row_but_not_for_a_shorter_one():
    there = [(0, 0), (500, 0)]
    longer = build_network(roads(there, there, oneway=["no", "yes"], length_m=[500.0, 600.0]), mode="drive")
    shorter = build_network(roads(there, there, oneway=["no", "yes"], length_m=[500.0, 400.0]), mode="drive")
    assert (longer.oneway.tolist(), shorter.oneway.tolist()) == ([False], [False, True])


@pytest.mark.parametrize("word", ["yes", "true", "1", 1, True, "YES", "是"])
def test_every_way_of_writing_one_way_is_understood(word):
    net = build_network(roads([(0, 0), (500, 0)], oneway=[word]), mode="drive")
    assert net.oneway[0]
    assert net.xy[net.u[0], 0] < net.xy[net.v[0], 0]


def test_minus_one_turns_the_road_round():
    net = build_network(roads([(0, 0), (500, 0)], oneway=["-1"]), mode="drive")
    assert net.oneway[0]
    assert net.xy[net.u[0], 0] > net.xy[net.v[0], 0]


def test_a_roundabout_is_one_way_unless_it_says_otherwise():
    ring = [(0, 0), (20, 0), (20, 20), (0, 0)]
    net = build_network(roads(ring, [(0, 0), (90, 0)], junction=["roundabout", ""]), mode="drive")
    assert net.oneway.tolist() == [True, False]


def test_ends_within_a_centimetre_meet_and_farther_ones_do_not():
    near = build_network(roads([(0, 0), (500, 0)], [(500.004, 0), (900, 0)]))
    far = build_network(roads([(0, 0), (500, 0)], [(500.05, 0), (900, 0)]))
    assert (near.n_nodes, near.report.counts["pieces"]) == (3, 1)
    assert (far.n_nodes, far.report.counts["pieces"]) == (4, 2)


def test_lengths_that_are_no_lengths_are_counted_and_named_and_the_drawn_length_counts():
    rows = [[(0, 0), (500, 0)], [(500, 0), (900, 0)], [(900, 0), (900, 200)], [(900, 200), (0, 0)]]
    table = roads(*rows, length_m=[-5.0, 0.0, np.inf, 1000.0])
    net = build_network(table)
    assert net.length_mm.tolist() == [*(geodesic_mm(line) for line in table.geometry[:3]), 1_000_000]
    issue = net.report.issues[0]
    assert (issue.severity, issue.row, issue.column, issue.value) == ("warning", 1, "length_m", "-5.0")
    assert "3 lengths are not positive numbers" in issue.problem.en
    assert "rows 1, 2, 3" in issue.problem.en


@pytest.mark.parametrize(
    ("scale", "counts"),
    [(1.01, True), (1000.0, False), (0.001, False)],
)
def test_a_column_called_length_counts_only_where_it_agrees_with_the_drawing(scale, counts):
    table = roads([(0, 0), (500, 0)], [(500, 0), (900, 0)])
    drawn = np.array([geodesic_mm(line) for line in table.geometry])
    net = build_network(table.assign(length=drawn / 1000 * scale))
    np.testing.assert_array_equal(net.length_mm, np.rint(drawn / 1000 * scale * 1000) if counts else drawn)
    (issue,) = [issue for issue in net.report.issues if issue.column == "length"]
    assert (issue.severity, "is taken as metres" in issue.problem.en) == (
        ("note", True) if counts else ("warning", False)
    )


def test_a_single_length_that_disagrees_with_the_drawing_is_named():
    table = roads([(0, 0), (500, 0)], [(500, 0), (900, 0)], [(900, 0), (900, 300)])
    drawn = np.array([geodesic_mm(line) for line in table.geometry])
    net = build_network(table.assign(length=[drawn[0] / 1000, 7.0, drawn[2] / 1000]))
    np.testing.assert_array_equal(net.length_mm, drawn)
    assert [(issue.row, issue.value) for issue in net.report.issues if issue.row] == [(2, "7.0")]


def test_rows_that_are_no_roads_are_left_out_and_named():
    table = roads([(0, 0), (500, 0)], [(0, 0), (0, 500)], [(0, 0), (0, 0)])
    extra = gpd.GeoDataFrame(
        geometry=[None, shapely.Point(110, 35), shapely.from_wkt("LINESTRING (110 999, 110 35)"), shapely.LineString()],
        crs="EPSG:4326",
    )
    net = build_network(pd.concat([table, extra], ignore_index=True))
    said = " | ".join(issue.line("en") for issue in net.report.issues)
    assert net.n_edges == 2
    assert "2 roads have no geometry and are left out (rows 4, 7)" in said
    assert "1 roads are not lines and are left out (row 5)" in said
    assert "1 roads have impossible coordinates and are left out (row 6)" in said
    assert "1 roads have no length and are left out" in said
    assert net.report.counts["no_length"] == 1


def test_multilines_and_heights_become_plain_lines():
    double = shapely.MultiLineString([[at(0, 0), at(100, 0)], [at(100, 0), at(100, 80)]])
    high = shapely.LineString([(*at(100, 80), 5.0), (*at(200, 80), 6.0)])
    net = build_network(gpd.GeoDataFrame({"length_m": [999.0, 111.0]}, geometry=[double, high], crs="EPSG:4326"))
    assert net.n_edges == 3
    assert net.length_mm[2] == 111_000
    assert net.length_mm[0] == geodesic_mm(double.geoms[0])


def test_small_pieces_are_counted_with_their_length():
    net = build_network(roads([(0, 0), (2500, 0)], [(0, 500), (300, 500)], [(0, 900), (400, 900)]))
    report = net.report
    assert (report.counts["pieces"], report.counts["small_pieces"]) == (3, 2)
    assert report.small_pieces_km == pytest.approx(0.7, abs=1e-3)
    assert report.length_km == pytest.approx(3.2, abs=2e-3)
    assert "2 pieces of road are cut off" in report.issues[-1].problem.en
    assert build_network(roads([(0, 0), (300, 0)]), min_piece_km=0).report.counts["small_pieces"] == 0


def test_the_longest_piece_is_no_small_piece_however_short():
    report = build_network(roads([(0, 0), (300, 0)], [(0, 900), (400, 900)])).report
    assert (report.counts["pieces"], report.counts["small_pieces"]) == (2, 1)
    assert report.small_pieces_km == pytest.approx(0.3, abs=1e-3)


def test_speeds_come_from_the_mode_or_from_the_caller():
    table = roads([(0, 0), (500, 0)], [(500, 0), (900, 0)], highway=["primary", "nobody knows"])
    drive = mode_named("drive")
    assert build_network(table, mode="drive").speed_kmh.tolist() == [
        drive.class_speeds_kmh["primary"],
        drive.speed_kmh,
    ]
    assert build_network(table, mode="drive").walking_speed_kmh == mode_named("walk").speed_kmh
    assert build_network(table, speed_kmh=3.6).walking_speed_kmh == 3.6


def test_long_pieces_that_are_not_joined_are_told_with_a_place_on_one():
    near, far = [(0, 0), (3000, 0)], [(0, 500), (2500, 500)]
    apart = build_network(roads(near, far)).report
    (issue,) = [issue for issue in apart.issues if issue.severity == "warning"]
    assert issue.problem.en.startswith("1 more piece of road, 2.5 km in all, not joined to the longest")
    lon, lat = at(*far[0])
    assert issue.value == f"{lon:.5f}, {lat:.5f}"
    assert build_network(roads(near, far, [(0, 0), (0, 500)])).report.issues == ()


def test_a_network_without_roads_is_refused_with_the_reason():
    with pytest.raises(NetworkError, match=r"no road is left for walking \(1 rows, 1 closed to it\)") as caught:
        build_network(roads([(0, 0), (500, 0)], highway=["motorway"]))
    assert "步行" in caught.value.text.zh
    with pytest.raises(NetworkError, match="no road is left"):
        build_network(roads([(0, 0), (0, 0)]))


def test_figures_that_make_no_sense_are_refused():
    table = roads([(0, 0), (500, 0)])
    with pytest.raises(NetworkError, match="-1 km/h is not a speed"):
        build_network(table, speed_kmh=-1)
    with pytest.raises(NetworkError, match="min_piece_km cannot be nan"):
        build_network(table, min_piece_km=float("nan"))
    with pytest.raises(NetworkError, match='"EPSG:1" is no known coordinate system'):
        build_network(table, crs="EPSG:1")
    with pytest.raises(NetworkError, match="must be projected"):
        build_network(table, crs="EPSG:4326")
    with pytest.raises(NetworkError, match='There is no travel mode "fly"'):
        build_network(table, mode="fly")


def test_a_table_without_a_crs_is_refused():
    with pytest.raises(TableError, match="no coordinate system"):
        build_network(gpd.GeoDataFrame(geometry=[LineString([(0, 0), (1, 1)])]))


def test_a_table_without_lines_is_refused():
    with pytest.raises(TableError, match="no line that could be a road"):
        build_network(gpd.GeoDataFrame(geometry=[shapely.Point(110, 35)], crs="EPSG:4326"))


def test_lanzhou_is_one_road_for_both_directions(shared_data):
    from siting.inputs import read_roads

    table = read_roads(shared_data / "lanzhou" / "roads.gpkg")
    net = build_network(table)
    # 1,239 rows between 657 places, one per direction; motorways are not walked. Every place of an open road is a node.
    open_rows = table.lines[~table.lines["highway"].isin(["motorway", "motorway_link"])]
    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(open_rows.geometry, end)) for end in (0, -1)])
    assert net.n_nodes == len(np.unique(ends, axis=0))
    assert net.report.counts["duplicates"] > 150
    pairs = np.sort(np.column_stack([net.u, net.v]), axis=1)
    # what stays between the same two places is drawn at least a metre apart: the two sides of a wide street
    shapes = shapely.linestrings(
        net.geometry_xy, indices=np.repeat(np.arange(net.n_edges), np.diff(net.geometry_offsets))
    )
    _, group, size = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    for double in np.flatnonzero(size > 1):
        members = shapes[group.ravel() == double]
        assert shapely.hausdorff_distance(members[0], members[1], densify=0.1) > 0.5


def test_shenzhen_is_walked_both_ways_and_keeps_its_bends(shared_data):
    from siting.inputs import read_roads

    table = read_roads(shared_data / "shenzhen_futian" / "walk.graphml")
    net = build_network(table)
    assert not net.oneway.any()
    assert net.report.counts["rows"] == 4009
    assert len(net.geometry_xy) > 2 * net.n_edges
    assert net.length_mm.sum() < table.lines["length_m"].sum() * 1000
