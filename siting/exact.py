"""What "equal" and "proven" mean for figures that were computed: the tolerances, each with its reason."""

from __future__ import annotations

import math

PROVEN_SHARE = 1e-9
"""A bound this close to the value, relative to the larger of both, equals it: a million figures round so far."""

FEASIBILITY = 1e-6
"""How much a row or a bound of a model may be missed by, in the units of the row: what linear solvers work to."""


def relative_gap(value: float, bound: float) -> float:
    """Return how far a bound is from a value, relative to the larger of both; 0 where they are equal.

    Parameters
    ----------
    value, bound
        What was reached and the best that is possible, in one unit; ``inf`` where one of them is not known.
    """
    if value == bound:
        return 0.0
    if not (math.isfinite(value) and math.isfinite(bound)):
        return math.inf
    return abs(bound - value) / max(abs(value), abs(bound))


def is_proven(value: float, bound: float) -> bool:
    """Return whether a bound equals a value to rounding.

    Parameters
    ----------
    value, bound
        What was reached and the best that is possible, in one unit.
    """
    return relative_gap(value, bound) <= PROVEN_SHARE
