"""Rows in the order of their places: west to east, south to north, then by the drawing, then by figures."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, Point

from siting.inputs.place_rows import rows_by_place


def shapes(*each):
    return np.array(each, dtype=object)


def test_points_go_from_west_to_east_then_from_south_to_north_and_nothing_comes_last():
    assert rows_by_place(shapes(Point(2, 0), None, Point(1, 5), Point(1, 4), Point())).tolist() == [3, 2, 0, 1, 4]


def test_at_one_spot_the_first_figure_decides_then_the_next_and_an_unknown_one_comes_last():
    spot = shapes(*[Point(1, 1)] * 4)
    first, second = np.array([np.nan, 2.0, 2.0, 1.0]), np.array([0.0, 8.0, 7.0, 9.0])
    assert rows_by_place(spot, first, second).tolist() == [3, 2, 1, 0]


def test_place_goes_before_figures():
    assert rows_by_place(shapes(Point(2, 0), Point(1, 0)), np.array([0.0, 9.0])).tolist() == [1, 0]


@given(st.permutations(range(4)), st.lists(st.integers(0, 1), min_size=4, max_size=4))
def test_lines_in_one_box_come_in_the_same_order_whatever_the_rows(order, lengths):
    lines = [
        LineString([(0, 0), (2, 2)]),
        LineString([(2, 2), (0, 0)]),
        LineString([(0, 2), (2, 0)]),
        LineString([(0, 0), (1, 2), (2, 2)]),
    ]
    here = shapes(*(lines[at] for at in order))
    found = [here[row] for row in rows_by_place(here, np.array([lengths[at] for at in order]))]
    assert found == [lines[row] for row in rows_by_place(shapes(*lines), np.array(lengths))]


def test_rows_that_are_the_same_stay_as_they_stand():
    assert rows_by_place(shapes(*[Point(0, 0)] * 3), np.ones(3)).tolist() == [0, 1, 2]
    assert rows_by_place(shapes()).tolist() == []
