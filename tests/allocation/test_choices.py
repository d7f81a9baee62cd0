"""Alternatives, the worth of each action, the cost curve, and phases."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from siting.allocation.choices import alternatives, cost_curve, worth_of_actions
from siting.allocation.phases import phase_plan, plan_until
from siting.allocation.plan import PlanOptions
from siting.allocation.prescribe import prescribe
from siting.errors import ProblemError
from tests.allocation.made_situations import made_situation
from tests.allocation.small_situations import situations
from tests.allocation.test_prescribe import by_hand

FEW = settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def county():
    return made_situation(20, 20, extensions=6, seed=2)


@pytest.fixture(scope="module")
def plan(county):
    return prescribe(county, PlanOptions(gap=0.001, time_limit_s=20))


def test_alternatives_reach_the_same_near_the_cost_and_differ_by_as_many_sites_as_asked(plan):
    found = alternatives(plan, count=2, differ_by=4, dearer_share=0.2, time_limit_s=6)
    assert len(found) == 2
    value = {stage.id: stage.value for stage in plan.stages}
    for one in found:
        assert one.check() == ()
        assert one.total_cost <= plan.total_cost * 1.2 + 1e-5
        assert one.stages[-1].bound >= plan.stages[2].bound - 1e-6
        weighted = one.communities.loc[
            (one.communities["meets_after"] == "pass") & (one.communities["meets_before"] != "pass"), "weight"
        ].sum()
        assert weighted >= value["households"] - 1e-3
        assert one.allotments["area_m2"].sum() >= value["area"] - 0.011
    sites = [set(one.actions.loc[one.actions["kind"] == "candidate", "action_id"]) for one in (plan, *found)]
    assert all(len(a ^ b) >= 4 for a, b in itertools.combinations(sites, 2))


def test_no_alternative_where_every_site_is_needed():
    plan = prescribe(by_hand(), PlanOptions(gap=0.0))
    assert alternatives(plan, differ_by=4, dearer_share=0.01) == ()
    with pytest.raises(ProblemError, match="differ_by must be at least 1"):
        alternatives(plan, differ_by=0)


def test_the_worth_of_each_action_by_hand():
    """Without P or S not as much is reached; without Q its part is R's: 70 + (70 - 57) = 83."""
    worth = worth_of_actions(prescribe(by_hand(), PlanOptions(gap=0.0))).set_index("action_id")
    assert worth["replaceable"].to_dict() == {"P": "no", "Q": "yes", "S": "no"}
    assert worth.loc["Q", ["extra_cost", "extra_cost_bound"]].tolist() == pytest.approx([13.0, 13.0], abs=1e-5)


@FEW
@given(situations())
def test_the_extra_cost_without_an_action_is_what_planning_without_it_costs(s):
    options = PlanOptions(gap=0.0, time_limit_s=20)
    plan = prescribe(s, options)
    reached = [(stage.id, stage.value) for stage in plan.stages if stage.id not in ("cost", "new_build", "spending")]
    for row in worth_of_actions(plan).itertuples():
        other = prescribe(s, replace(options, forbid=(row.action_id,)))
        same = all(
            value >= before - 5e-3
            for (_, before), value in zip(
                reached,
                [next((t.value for t in other.stages if t.id == name), 0.0) for name, _ in reached],
                strict=True,
            )
        )
        assert (row.replaceable == "yes") == same
        if same:
            cost = next(stage.value for stage in other.stages if stage.id == "cost")
            assert row.extra_cost == pytest.approx(cost - plan.total_cost, abs=0.02)
            assert row.extra_cost_bound <= row.extra_cost + 1e-9


def test_the_cost_curve_climbs_from_nothing_to_all_that_can_be_met(county, plan):
    curve = cost_curve(county, points=3, time_limit_s=6)
    assert curve["budget"].iloc[0] == 0.0
    assert curve["weighted_households"].iloc[0] == 0.0
    assert curve["weighted_households"].is_monotonic_increasing
    assert curve["bound"].is_monotonic_increasing
    assert (curve["bound"] >= curve["weighted_households"]).all()
    assert (curve["cost"] <= curve["budget"] + 1e-4).all()
    most = next(stage.value for stage in plan.stages if stage.id == "households")
    assert curve["weighted_households"].iloc[-1] == pytest.approx(most)


def test_the_phases_sum_to_the_plan_nest_and_keep_each_years_budget(plan):
    budgets = {2026: plan.total_cost * 0.4, 2027: plan.total_cost * 0.3, 2028: plan.total_cost * 0.4}
    phased = phase_plan(plan, budgets, gap=0.01, time_limit_s=10)
    table = phased.phases
    assert sorted(table["action_id"]) == sorted(plan.actions["action_id"])
    assert table["cost"].sum() == pytest.approx(plan.total_cost)
    spent, allowed, met = 0.0, 0.0, []
    for year, budget in budgets.items():
        spent, allowed = spent + table.loc[table["year"] == year, "cost"].sum(), allowed + budget
        assert spent <= allowed + 1e-5
        stands = plan_until(phased, year)
        assert stands.check() == ()
        met.append(set(stands.communities.loc[stands.communities["meets_after"] == "pass", "community_id"]))
    assert met[0] <= met[1] <= met[2]
    assert met[2] == set(plan.communities.loc[plan.communities["meets_after"] == "pass", "community_id"])
    assert phased.stages[-1].gap <= 0.01


@FEW
@given(situations(communities=3, actions=3))
def test_phases_are_what_trying_every_order_says(s):
    plan = prescribe(s, PlanOptions(gap=0.0, time_limit_s=20))
    if not len(plan.actions):
        return
    half = round(plan.total_cost * 0.6, 6)
    phased = phase_plan(plan, {1: half, 2: plan.total_cost}, gap=0.0)
    best = 0.0
    for mask in itertools.product([False, True], repeat=len(plan.actions)):
        table = phased.phases.set_index("action_id").loc[plan.actions["action_id"]].reset_index()
        first = table.assign(year=np.where(mask, 1, 2))
        if first.loc[list(mask), "cost"].sum() > half + 1e-6:
            continue
        trial = plan_until(replace(phased, phases=first), 1)
        if trial.check():
            continue
        gained = trial.communities[
            (trial.communities["meets_after"] == "pass") & (trial.communities["meets_before"] != "pass")
        ]
        best = max(best, gained["weight"].sum())
    after = plan.communities[(plan.communities["meets_after"] == "pass") & (plan.communities["meets_before"] != "pass")]
    assert phased.stages[-1].value == pytest.approx(best + after["weight"].sum(), abs=1e-3)


def test_budgets_that_do_not_pay_the_plan_are_refused(plan):
    with pytest.raises(ProblemError, match=r"the yearly budgets sum to 1\.00"):
        phase_plan(plan, {2026: 1.0})
    with pytest.raises(ProblemError, match="give at least one year"):
        phase_plan(plan, {})
