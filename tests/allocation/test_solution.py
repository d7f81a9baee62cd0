from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from siting.allocation import make_problem, max_cover, set_cover
from siting.allocation.solution import cover_counts, nearest_chosen, objective_of
from siting.errors import SolverError
from siting.exact import relative_gap

COVERS = np.array([[1, 0, 1], [1, 1, 0], [0, 0, 1]], dtype=bool)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"objective": 9.0, "bound": 9.0}, "the objective is 7.0, not 9.0"),
        ({"bound": 5.0}, "beyond its bound 5"),
        ({"bound": np.nan}, "beyond its bound"),
        ({"chosen": np.array([1, 0])}, "not ascending candidates"),
        ({"chosen": np.array([0, 7])}, "not ascending candidates"),
        ({"chosen": np.array([0, 1, 2])}, "3 new sites, at most 1"),
        ({"assigned": np.array([2, 0, -1])}, "assigned to a site that was not chosen"),
        ({"assigned": np.array([0, 0, 0])}, "out of its reach"),
        ({"assigned": np.array([0, 0])}, "not one candidate"),
        ({"assigned": np.array([0, 0, 9])}, "not one candidate"),
    ],
)
def test_check_finds_what_was_tampered_with(change, message):
    found = max_cover(COVERS, [3, 4, 2], sites=1)
    assert found.check() is found
    with pytest.raises(SolverError, match=message):
        replace(found, **change).check()


def test_check_names_every_limit_that_is_broken():
    problem = make_problem(
        "max_cover", COVERS, sites=2, cost=[5, 5, 5], budget=6, fixed=[0], forbidden=[1], exclusive=["", "g", "g"]
    )
    found = max_cover(COVERS, sites=3, cost=[5, 5, 5], budget=6, fixed=[0])
    chosen = np.array([1, 2])
    assigned, _ = nearest_chosen(problem, chosen)
    wrong = replace(found, problem=problem, chosen=chosen, assigned=assigned, objective=3.0, bound=3.0)
    with pytest.raises(SolverError) as caught:
        wrong.check()
    for part in ("fixed or existing site is missing", "forbidden", "cost 10.0 > 6.0", "exclude each other"):
        assert part in str(caught.value)


def test_check_finds_a_set_cover_that_leaves_demand_out():
    found = set_cover(COVERS)
    fewer = replace(found, chosen=np.array([0]), assigned=np.array([0, 0, -1]), objective=1.0, bound=1.0)
    with pytest.raises(SolverError, match="1 demands are not served"):
        fewer.check()


def test_check_finds_an_overloaded_site_and_shares_that_do_not_add_up():
    found = max_cover(COVERS, [3, 4, 2], sites=1, capacity=[7, 7, 7])
    with pytest.raises(SolverError, match=r"site 0 serves 7.0, its capacity is 2"):
        replace(found, problem=make_problem("max_cover", COVERS, weights=[3, 4, 2], sites=1, capacity=2)).check()
    split = max_cover(COVERS, [3, 4, 2], sites=1, capacity=[7, 7, 7], split=True)
    twice = csr_array(split.flow * 2)
    with pytest.raises(SolverError, match="do not add up"):
        replace(split, flow=twice).check()


def test_counts_and_nearest_agree_with_plain_loops():
    rng = np.random.default_rng(0)
    far = np.where(rng.random((30, 12)) < 0.4, np.rint(rng.uniform(0, 9, (30, 12))), np.inf)
    problem = make_problem("p_median", far, sites=3)
    chosen = np.array([1, 4, 7])
    counts = [sum(np.isfinite(far[i, j]) for j in chosen) for i in range(30)]
    assert cover_counts(problem, chosen).tolist() == counts
    nearest = [min(((far[i, j], j) for j in chosen if np.isfinite(far[i, j])), default=(np.inf, -1)) for i in range(30)]
    assigned, length = nearest_chosen(problem, chosen)
    assert assigned.tolist() == [j for _, j in nearest]
    assert length.tolist() == [d for d, _ in nearest]


def test_objectives_of_the_four_models_by_hand():
    far = np.array([[0.0, 400.0], [300.0, 100.0]])
    both = np.array([0, 1])
    assigned = np.array([0, 1])
    assert objective_of(make_problem("p_median", far, weights=[2, 3], sites=2), both, assigned) == 300
    assert objective_of(make_problem("p_center", far, sites=2), both, assigned) == 100
    reach = far <= 300
    assert objective_of(make_problem("set_cover", reach, cost=[4, 5]), both, assigned) == 9
    assert objective_of(make_problem("max_cover", reach, weights=[2, 3], sites=1), np.array([0]), np.array([0, 0])) == 5


def test_the_gap_is_relative_zero_when_equal_and_endless_when_nothing_is_known():
    assert relative_gap(100, 98) == pytest.approx(0.02)
    assert relative_gap(98, 100) == pytest.approx(0.02)
    assert relative_gap(0, 0) == 0
    assert relative_gap(5, -np.inf) == np.inf
    assert relative_gap(0, 3) == 1
    assert relative_gap(np.inf, np.inf) == 0
