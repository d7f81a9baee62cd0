import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array, csc_array, csr_array

from siting.allocation import make_problem, spacing_conflicts
from siting.allocation.problem import Problem
from siting.errors import ProblemError


def test_dense_bools_sparse_bools_and_sparse_distances_say_the_same():
    dense = np.array([[True, False], [True, True]])
    for pairs in (dense, csr_array(dense), csc_array(dense), coo_array(dense.astype(float)), dense.astype(int)):
        problem = make_problem("set_cover", pairs)
        assert problem.pairs.indices.tolist() == [0, 0, 1]
        assert problem.pairs.indptr.tolist() == [0, 1, 3]


def test_a_stored_false_is_out_of_reach_and_a_stored_zero_distance_in_reach():
    at = (np.array([0, 0]), np.array([0, 1]))
    assert make_problem("set_cover", csr_array((np.array([True, False]), at), shape=(1, 2))).pairs.nnz == 1
    assert make_problem("set_cover", csr_array((np.array([7.0, 0.0]), at), shape=(1, 2))).pairs.nnz == 2


def test_an_endless_distance_is_out_of_reach():
    dense = make_problem("p_median", np.array([[5.0, np.inf], [0.0, 2.0]]), sites=1)
    assert dense.pairs.nnz == 3
    stored = csr_array((np.array([5.0, np.inf]), (np.array([0, 0]), np.array([0, 1]))), shape=(1, 2))
    assert make_problem("p_median", stored, sites=1).pairs.data.tolist() == [5.0]


def test_unsorted_columns_are_sorted_and_the_callers_matrix_is_left_alone():
    pairs = csr_array((np.array([3.0, 1.0]), np.array([1, 0]), np.array([0, 2])), shape=(1, 2))
    assert make_problem("set_cover", pairs).pairs.data.tolist() == [1.0, 3.0]
    assert pairs.data.tolist() == [3.0, 1.0]


def test_a_pair_given_twice_is_refused():
    twice = csr_array((np.array([3.0, 1.0]), np.array([0, 0]), np.array([0, 2])), shape=(1, 2))
    with pytest.raises(ProblemError, match="more than once"):
        make_problem("set_cover", twice)


def test_dense_distances_are_no_cover_matrix():
    with pytest.raises(ProblemError, match="compare distances with the cut-off first"):
        make_problem("set_cover", np.array([[300.0, 900.0]]))
    with pytest.raises(ProblemError, match="2 dimensions"):
        make_problem("set_cover", np.array([True, False]))


def test_groups_of_one_and_blank_labels_are_no_groups():
    problem = make_problem(
        "set_cover", np.ones((1, 7), dtype=bool), exclusive=["", "a", None, "a", "b", -1, float("nan")]
    )
    assert problem.exclusive.tolist() == [-1, 0, -1, 0, -1, -1, -1]
    assert problem.exclusions().toarray()[1].tolist() == [0, 0, 0, 1, 0, 0, 0]


def test_a_site_beside_a_must_is_barred_and_the_rest_is_free():
    problem = make_problem(
        "set_cover", np.ones((1, 5), dtype=bool), fixed=[0], existing=[1], conflicts=[(0, 2), (3, 1)], cost=[1] * 5
    )
    assert problem.barred.tolist() == [False, False, True, True, False]
    assert problem.free.tolist() == [False, False, False, False, True]
    assert problem.cost.tolist() == [1, 0, 1, 1, 1]


def test_fixing_an_existing_site_changes_nothing():
    problem = make_problem("max_cover", np.ones((1, 2), dtype=bool), existing=[0], fixed=[0], sites=0)
    assert problem.fixed.tolist() == [False, False]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"weights": [1.0]}, r"weights must have 2 entries, got \(1,\)"),
        ({"fixed": [3]}, "fixed must be site indices from 0 to 2, or 3 bools"),
        ({"fixed": [0.5]}, "fixed must be site indices"),
        ({"forbidden": [-1]}, "forbidden must be site indices"),
        ({"level": 0}, "level must be a whole number >= 1"),
        ({"level": 1.5}, "level must be a whole number >= 1"),
        ({"sites": 1.5}, "sites must be a whole number, got 1.5"),
        ({"exclusive": ["a"]}, "exclusive must have 3 labels, got 1"),
        ({"conflicts": [(0, 0)]}, "conflicts must be pairs of different site indices from 0 to 2"),
        ({"conflicts": [(0, 3)]}, "conflicts must be pairs"),
        ({"level": 2, "capacity": 3}, "capacity and backup cover cannot be combined"),
    ],
)
def test_what_makes_no_sense_is_refused_in_plain_words(given, message):
    with pytest.raises(ProblemError, match=message):
        make_problem("max_cover", np.ones((2, 3), dtype=bool), **given)


def test_backup_cover_is_no_option_of_a_p_median():
    with pytest.raises(ProblemError, match="not for a p-median"):
        make_problem("p_median", np.ones((2, 3)), sites=1, level=2)


def test_a_problem_is_only_made_of_sorted_pairs():
    good = make_problem("set_cover", np.ones((1, 2), dtype=bool))
    unsorted = csr_array((np.ones(2), np.array([1, 0]), np.array([0, 2])), shape=(1, 2))
    fields = {name: getattr(good, name) for name in Problem.__dataclass_fields__} | {"pairs": unsorted}
    with pytest.raises(ProblemError, match="sorted CSR"):
        Problem(**fields)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=12), st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_sites_nearer_than_the_spacing_are_in_conflict_and_those_at_it_are_not(places, spacing):
    xy = np.array(places, dtype=float)
    far = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    rows, cols = np.nonzero(far <= 35)
    between = csr_array((far[rows, cols], (rows, cols)), shape=far.shape)
    pairs = {tuple(pair) for pair in spacing_conflicts(between, spacing).tolist()}
    count = len(places)
    assert pairs == {(a, b) for a in range(count) for b in range(a + 1, count) if far[a, b] < spacing}


def test_a_spacing_that_makes_no_sense_is_refused():
    with pytest.raises(ProblemError, match="min_spacing_m must be positive"):
        spacing_conflicts(csr_array((2, 2)), 0)
    with pytest.raises(ProblemError, match="square"):
        spacing_conflicts(csr_array((2, 3)), 5)
