"""Coverage + limits -> chosen sites."""

from siting.allocation.cover import max_cover, set_cover
from siting.allocation.curve import Curve, CurvePoint, cost_curve
from siting.allocation.options import SolveOptions
from siting.allocation.problem import Problem, make_problem, spacing_conflicts
from siting.allocation.solution import Solution

from siting.allocation.models import solve  # isort: skip  (after the module of the same name)

__all__ = [
    "Curve",
    "CurvePoint",
    "Problem",
    "Solution",
    "SolveOptions",
    "cost_curve",
    "make_problem",
    "max_cover",
    "set_cover",
    "solve",
    "spacing_conflicts",
]
