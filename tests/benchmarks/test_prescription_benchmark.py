"""The benchmark of the prescription runs, on a county small enough for every test run."""

from siting.allocation import PlanOptions
from tests.allocation.made_situations import made_situation
from tests.benchmarks.prescription_benchmark import run


def test_a_small_made_county_is_planned_within_the_gap_asked():
    plan, _ = run(made_situation(40, 20, extensions=8, seed=4), PlanOptions(gap=0.01, time_limit_s=30))
    assert plan.settled
    assert plan.check() == ()
