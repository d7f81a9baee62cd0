"""p-center: against every choice, published values, and inputs at the edge."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from siting.allocation import cost_curve, make_problem, p_center, set_cover, solve
from siting.allocation.models import solve_problem
from siting.allocation.options import SolveOptions
from siting.errors import InfeasibleError, ProblemError
from tests.allocation import brute_distances
from tests.allocation.test_median import agrees_with_brute_force, made_town, problem_of
from tests.benchmarks.siting_instances import read_pmed, read_sf_stores, read_swain


def test_swain_for_one_to_eight_sites(shared_data):
    far, _ = read_swain(shared_data / "benchmarks" / "swain" / "swain.txt")
    found = [p_center(far, sites=p) for p in range(1, 9)]
    expected = [28.284, 23.195, 17.464, 15.62, 13.601, 12.806, 10.296, 10.05]
    assert [answer.objective for answer in found] == pytest.approx(expected, abs=6e-4)
    assert all(answer.proven for answer in found)


def test_san_francisco_stores(shared_data):
    far, _ = read_sf_stores(shared_data / "benchmarks" / "sf_stores")
    found = p_center(far, sites=4)
    assert found.objective == pytest.approx(7_403.0638, abs=1e-4)
    assert found.proven


@given(brute_distances.distance_inputs("p_center"))
@settings(max_examples=120, deadline=None)
def test_it_is_the_best_of_all_choices_with_any_option(inputs):
    agrees_with_brute_force(problem_of(inputs))


@given(brute_distances.distance_inputs("p_center", capacities=True))
@settings(max_examples=60, deadline=None)
def test_with_capacities_it_is_the_best_of_all_choices(inputs):
    agrees_with_brute_force(problem_of(inputs))


@pytest.mark.parametrize("number", [1, 13])
def test_a_published_instance_is_proven(shared_data, number):
    folder = shared_data / "benchmarks" / "pmed"
    optima = dict(line.split(",") for line in (folder / "p_center_optima.csv").read_text(encoding="utf-8").split()[1:])
    far, sites = read_pmed(folder / f"pmed{number}.txt")
    found = p_center(far, sites=sites)
    assert found.objective == float(optima[f"pmed{number}"])
    assert found.proven


@given(st.integers(0, 10**6), st.integers(1, 5))
@settings(max_examples=12, deadline=None)
def test_as_many_sites_cover_everybody_within_the_answer_and_no_fewer_distance(seed, sites):
    far, _ = made_town(seed, 40, 15)
    found = p_center(far, sites=sites)
    assert set_cover(far <= found.objective).objective <= sites
    assert p_center(far, sites=sites + 1).objective <= found.objective
    quick = p_center(far, sites=sites, time_limit_s=0)
    assert quick.bound <= found.objective <= quick.objective
    shorter = np.unique(far[far < found.objective]).max()
    reached = far <= shorter
    if reached.any(axis=1).all():
        assert set_cover(reached).objective > sites


def test_each_demand_is_assigned_to_its_nearest_chosen_site():
    found = p_center(np.array([[0.0, 4.0], [4.0, 0.0], [5.0, 1.0]]), sites=2)
    assert (found.objective, found.chosen.tolist(), found.assigned.tolist()) == (1, [0, 1], [0, 1, 1])


def test_a_curve_never_rises():
    far, _ = made_town(3, 40, 15)
    table = cost_curve(make_problem("p_center", far, sites=1), sites=range(1, 6)).table
    assert (np.diff(table["objective"]) <= 0).all()
    assert table["proven"].all()


def test_a_start_is_taken_up():
    far, _ = made_town(6, 80, 40)
    best = p_center(far, sites=5)
    problem = make_problem("p_center", far, sites=5)
    again = solve(problem, time_limit_s=0, start=best.chosen)
    assert again.objective == best.objective


def test_existing_sites_serve_and_are_not_counted():
    far = np.array([[0.0, 9.0, 9.0], [9.0, 0.0, 5.0], [9.0, 5.0, 0.0]])
    found = p_center(far, sites=1, existing=[0])
    assert (found.objective, len(found.new_sites)) == (5, 1)
    assert p_center(far, sites=0, existing=[0]).objective == 9


def test_a_split_demand_is_served_within_the_distance_of_all_its_sites():
    found = p_center(np.array([[1.0, 3.0]]), sites=2, demand=[10], capacity=[4, 9], split=True)
    assert found.objective == 3
    assert p_center(np.array([[1.0, 3.0]]), sites=2, demand=[10], capacity=[10, 9], split=True).objective == 1


def test_what_makes_no_sense_is_refused_and_what_cannot_be_done_is_named():
    with pytest.raises(ProblemError, match="only 2 candidates"):
        p_center(np.ones((3, 2)), sites=3)
    with pytest.raises(ProblemError, match="pairs"):
        p_center(np.array([[math.nan]]), sites=1)
    far = np.array([[1.0, np.inf], [np.inf, 1.0]])
    with pytest.raises(InfeasibleError, match="at least 2 new sites are needed to reach everybody, 1 are allowed") as e:
        p_center(far, sites=1)
    assert e.value.partial.check().objective == 1
    with pytest.raises(InfeasibleError, match="1 demands have too few candidates in reach: 0"):
        p_center(csr_array(np.array([[0.0, 0.0], [3.0, 4.0]])), sites=1)
    with pytest.raises(InfeasibleError, match="the capacities do not suffice"):
        p_center(np.ones((2, 2)), sites=2, demand=[3, 3], capacity=[2, 2])


def test_one_candidate_all_fixed_and_nobody_to_serve():
    assert p_center(np.array([[3.0], [4.0]]), sites=1).objective == 4
    fixed = p_center(np.array([[3.0, 1.0], [4.0, 9.0]]), sites=2, fixed=[0, 1])
    assert (fixed.objective, fixed.proven) == (4, True)
    assert p_center(np.zeros((0, 3)), sites=2).objective == 0


def test_the_same_seed_gives_the_same_sites_for_any_number_of_threads():
    far, _ = made_town(5, 200, 100)
    found = [
        solve_problem(make_problem("p_center", far, sites=8), SolveOptions(seed=3, threads=threads)).chosen
        for threads in (1, 3)
    ]
    assert found[0].tolist() == found[1].tolist()
