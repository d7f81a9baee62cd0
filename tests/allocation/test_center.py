"""p-center: against every choice, published values, and inputs at the edge."""

import pytest
from hypothesis import given, settings

from siting.allocation import p_center
from tests.allocation import brute_distances
from tests.allocation.test_median import agrees_with_brute_force, problem_of
from tests.benchmarks.siting_instances import read_sf_stores, read_swain


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
