"""Coverage + limits -> chosen sites."""

from siting.allocation.actions import SiteRules
from siting.allocation.center import p_center
from siting.allocation.choices import alternatives, worth_of_actions
from siting.allocation.chosen import prescribe_chosen
from siting.allocation.chosen_file import Chosen, read_chosen, write_chosen
from siting.allocation.cover import max_cover, set_cover
from siting.allocation.curve import Curve, CurvePoint, cost_curve
from siting.allocation.median import p_median
from siting.allocation.phases import indicator_path, phase_plan, plan_until
from siting.allocation.plan import Plan, PlanOptions, Stage
from siting.allocation.prescribe import prescribe
from siting.allocation.problem import Problem, make_problem, spacing_conflicts
from siting.allocation.situation import Situation
from siting.allocation.solution import Solution

from siting.allocation.models import solve  # isort: skip  (after the module of the same name)

__all__ = [
    "Chosen",
    "Curve",
    "CurvePoint",
    "Plan",
    "PlanOptions",
    "Problem",
    "SiteRules",
    "Situation",
    "Solution",
    "Stage",
    "alternatives",
    "cost_curve",
    "indicator_path",
    "make_problem",
    "max_cover",
    "p_center",
    "p_median",
    "phase_plan",
    "plan_until",
    "prescribe",
    "prescribe_chosen",
    "read_chosen",
    "set_cover",
    "solve",
    "spacing_conflicts",
    "worth_of_actions",
    "write_chosen",
]
