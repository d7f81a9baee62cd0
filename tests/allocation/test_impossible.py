"""When it cannot be done: cures of reach and minimum cuts, each verified by doing it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from scipy.optimize import linprog
from scipy.sparse import csr_array

from siting.allocation.impossible import reach_cure
from siting.allocation.plan import PlanOptions
from siting.allocation.prescribe import prescribe
from tests.allocation.made_situations import made_situation
from tests.allocation.small_situations import situations


def far_situation(seed):
    """A made county whose circles are too small for many; every home is measured to every candidate."""
    s = made_situation(30, 8, cutoff_m=500, seed=seed)
    rng = np.random.default_rng(seed)
    distance = np.round(rng.uniform(100, 4000, s.candidate_m.shape), 3)
    covers = csr_array((np.rint(distance * 1000) <= np.rint(s.cutoff_m[:, None] * 1000)).astype(float))
    return replace(s, candidate_m=csr_array(distance), covers=covers)


@pytest.mark.parametrize("seed", range(4))
def test_a_cure_of_reach_brings_the_community_in_and_one_millimetre_less_does_not(seed):
    s = far_situation(seed)
    allowed = s.actions.usable
    lost = np.flatnonzero(~s.in_reach(s.covered_with(allowed)) & (s.households > 0))
    assert len(lost)
    for i in lost:
        cure = reach_cure(s, allowed, int(i))
        assert cure is not None
        assert cure.excess_m > 0
        for excess, reached in ((cure.excess_m, True), (cure.excess_m - 0.001, False)):
            limit = np.rint((s.cutoff_m + excess * (s.demand_community == i)) * 1000)
            dense = s.candidate_m.toarray()
            wider = np.zeros_like(dense)
            wider[:, cure.action] = np.rint(dense[:, cure.action] * 1000) <= limit
            one = replace(s, covers=csr_array(np.maximum(wider, s.covers.toarray())))
            assert bool(one.in_reach(one.covered_with(allowed))[i]) is reached
        for k in np.flatnonzero(allowed):  # no other candidate is nearer
            limit = np.rint((s.cutoff_m + (cure.excess_m - 0.001) * (s.demand_community == i)) * 1000)
            wider = s.covers.toarray()
            wider[:, k] = np.rint(s.candidate_m.toarray()[:, k] * 1000) <= limit
            one = replace(s, covers=csr_array(wider))
            assert not one.in_reach(one.covered_with(allowed))[i]


def fillable(s, members, granted_u):
    """Whether all deficits of the members can be filled from the actions in their circles and a grant."""
    circle = s.circle.toarray()
    pairs = [
        (i, k)
        for i in members
        for k in range(len(s.actions))
        if circle[i, k] > 0 and s.actions.counted[k] and s.actions.usable[k]
    ]
    pairs += [(i, -1) for i in members]
    rows, upper = [], []
    for k in {k for _, k in pairs}:
        rows.append([float(action == k) for _, action in pairs])
        upper.append(granted_u if k < 0 else s.actions.max_u[k])
    equal = [[float(i == j) for j, _ in pairs] for i in members]
    found = linprog(np.zeros(len(pairs)), A_ub=rows, b_ub=upper, A_eq=equal, b_eq=s.deficit_u[members].astype(float))
    return found.status == 0


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(situations(communities=4, actions=3))
def test_granting_the_missing_area_makes_a_cut_feasible_and_one_unit_less_does_not(s):
    s = replace(s, actions=replace(s.actions, group=np.full(len(s.actions), -1)), companions=())
    plan = prescribe(s, PlanOptions(time_limit_s=5))
    row_of = {name: i for i, name in enumerate(s.community_id)}
    in_cuts: list[int] = []
    for cut in plan.cuts.itertuples():
        members = [row_of[name] for name in cut.community_ids.split(";")]
        missing = round(cut.missing_m2 * 100)
        assert missing > 0
        assert fillable(s, members, missing)
        assert not fillable(s, members, missing - 1)
        assert cut.asked_m2 - cut.available_m2 == pytest.approx(cut.missing_m2)
        in_cuts += members
    assert len(in_cuts) == len(set(in_cuts))
    rest = [i for i in range(len(row_of)) if i not in in_cuts and s.deficit_u[i] > 0 and s.households[i] > 0]
    assert not rest or fillable(s, rest, 0)


def test_of_an_exclusive_group_the_cut_counts_the_member_that_fills_most():
    s = made_situation(2, 2, seed=3)
    actions = replace(
        s.actions, group=np.array([0, 0]), min_u=np.array([0, 0]), max_u=np.array([1000, 4000]), unusable=(None, None)
    )
    s = replace(s, actions=actions, circle=csr_array(np.ones((2, 2))), deficit_u=np.array([3000, 2000]))
    plan = prescribe(s, PlanOptions(time_limit_s=5))
    assert plan.cuts[["asked_m2", "available_m2", "missing_m2"]].to_numpy().tolist() == [[50.0, 40.0, 10.0]]


def test_what_the_budget_rules_out_is_said_to_be_the_budgets():
    s = made_situation(30, 25, seed=5)
    rich, poor = (prescribe(s, PlanOptions(budget=budget, time_limit_s=5)) for budget in (None, 10.0))
    reasons = poor.blocked.groupby("community_id")["reason"].agg(set)
    for name in set(poor.blocked["community_id"]) - set(rich.blocked["community_id"]):
        assert reasons[name] == {"budget"}
    assert "budget" not in set(rich.blocked["reason"])
