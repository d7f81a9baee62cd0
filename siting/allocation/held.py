"""A plan taken up again: its model, its draft, and the rows that hold what its stages reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from siting.allocation.draft import Draft
from siting.allocation.linear import LinearModel
from siting.allocation.plan import Plan, each_row
from siting.allocation.prescription_model import Limits, PrescriptionModel, build_model
from siting.allocation.situation import UNITS_PER_M2
from siting.allocation.stages import Question, hold, questions


def model_of(plan: Plan, limits: Limits) -> PrescriptionModel:
    """Return the model of a plan's situation under some limits.

    Parameters
    ----------
    plan
        The plan.
    limits
        What is allowed, required and affordable.
    """
    return build_model(plan.situation, limits)


def draft_of(plan: Plan, model: PrescriptionModel) -> Draft:
    """Return the draft that the plan's tables say.

    Parameters
    ----------
    plan
        The plan.
    model
        A model of its situation in which its actions are allowed.
    """
    s, pairs = plan.situation, model.pairs
    row_of = {name: k for k, name in enumerate(s.actions.action_id)}
    home_of = {name: i for i, name in enumerate(s.community_id)}
    pair_of = {(int(k), int(i)): p for p, (k, i) in enumerate(zip(pairs.action, pairs.community, strict=True))}
    chosen, area = np.zeros(len(s.actions), dtype=bool), np.zeros(len(s.actions), dtype=np.int64)
    allot = np.zeros(len(pairs.action), dtype=np.int64)
    for row in each_row(plan.actions):
        chosen[row_of[row.action_id]] = True
        area[row_of[row.action_id]] = round(row.area_m2 * UNITS_PER_M2)
    for row in each_row(plan.allotments):
        allot[pair_of[row_of[row.action_id], home_of[row.community_id]]] += round(row.area_m2 * UNITS_PER_M2)
    return Draft(chosen, area, allot)


def held_until_cost(plan: Plan, model: PrescriptionModel) -> tuple[LinearModel, Question]:
    """Return the rows that hold every stage before the cost, and the question of the least cost.

    Parameters
    ----------
    plan
        The plan whose stages are held.
    model
        A model of its situation.
    """
    linear, value = model.linear, {stage.id: stage.value for stage in plan.stages}
    asked = questions(model, plan.options)
    for question in asked:
        if question.id == "cost":
            return linear, question
        if question.id in value:
            linear = hold(linear, question, value[question.id], plan.situation.prefer_existing_share)
    raise AssertionError("every plan has a cost")


def without(limits: Limits, actions: Sequence[int]) -> Limits:
    """Return the limits with some actions not allowed.

    Parameters
    ----------
    limits
        What is allowed.
    actions
        Rows of the actions to leave out.
    """
    allowed, required = limits.allowed.copy(), limits.required.copy()
    allowed[list(actions)] = required[list(actions)] = False
    return replace(limits, allowed=allowed, required=required)
