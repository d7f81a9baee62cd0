"""Proven has one meaning: the bound equals the value to rounding."""

import math

import pytest

from siting.exact import PROVEN_SHARE, is_proven, relative_gap


def test_a_gap_is_relative_to_the_larger_of_value_and_bound():
    assert relative_gap(100, 98) == pytest.approx(0.02)
    assert relative_gap(98, 100) == pytest.approx(0.02)
    assert relative_gap(-100, -98) == pytest.approx(0.02)
    assert relative_gap(0, 3) == 1


def test_equal_is_no_gap_and_an_unknown_bound_an_endless_one():
    assert relative_gap(0, 0) == relative_gap(math.inf, math.inf) == 0
    assert relative_gap(5, -math.inf) == relative_gap(math.inf, 5) == math.inf


def test_proven_is_equal_to_rounding_and_no_more():
    assert is_proven(1.0, 1.0 + 0.9e-9)
    assert is_proven(1e6, 1e6 * (1 - 0.9e-9))
    assert not is_proven(1.0, 1.0 + 1.2e-9)
    assert not is_proven(0.0, 1e-12)
    assert not is_proven(5.0, -math.inf)
    assert PROVEN_SHARE == 1e-9
