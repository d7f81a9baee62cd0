"""The stages of the prescription, one after another, each with its bound, each holding what was reached before."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from siting.allocation.draft import Draft, whole_units
from siting.allocation.linear import LinearModel
from siting.allocation.neighbourhoods import improve
from siting.allocation.plan import Ended, PlanOptions, Sense, Stage
from siting.allocation.prescription_model import PrescriptionModel, cost_of
from siting.allocation.situation import MONEY_SLACK, UNITS_PER_M2
from siting.allocation.solve import MipResult, solve_lp, solve_mip
from siting.arrays import FloatArray
from siting.exact import FEASIBILITY
from siting.text import Progress, Text, silent

M2 = Text(zh="平方米", en="m²")
WEIGHTED = Text(zh="加权户", en="weighted households")
WAN = Text(zh="万元", en="10,000 yuan")
_WEIGHT_STEP, _WEIGHT_SLACK = 1e-3, 4e-4  # weights are whole thousandths: less than half of one
_AREA_STEP_M2 = 1.0 / UNITS_PER_M2
_AREA_SLACK_M2 = 5e-7  # far less than a hundredth, so that rounding brings back what was held
_PRICE_STEP = 1e-9
"""万元: prices a hundredth of a m² are compared in whole units of this, below what any table gives."""
_WEIGHTS, _AREAS = (_WEIGHT_SLACK, _WEIGHT_STEP), (_AREA_SLACK_M2, _AREA_STEP_M2)
COMMUNITIES = Text(zh="个社区", en="communities")


@dataclass(frozen=True, slots=True)
class Question:
    """One stage before it is answered: what is made most or least, and with which slack its answer is held.

    ``step`` divides the difference of any two values that whole units can have, 0 where nothing does.
    """

    id: str
    name: Text
    sense: Sense
    unit: Text
    row: FloatArray
    slack: float
    step: float


def questions(model: PrescriptionModel, options: PlanOptions) -> list[Question]:
    """Return the stages in their order.

    Parameters
    ----------
    model
        The rows of the prescription.
    options
        What is asked.
    """
    s = model.situation
    weight = s.weight[model.open] / 1000.0
    first = s.resettlement[model.open]
    asked: list[Question] = []
    if first.any():
        name = Text("安置社区优先", "resettlement communities first")
        asked.append(weighted_question("resettlement", name, model.row(z=weight * first)))
    if options.compliance == "targets":
        name = Text("计入目标的社区", "communities counted towards the targets")
        asked.append(Question("targets", name, "max", COMMUNITIES, model.row(s=np.ones(len(s.targets))), 0.4, 1.0))
    else:
        name = Text("达标的加权户数", "weighted households brought to the standard")
        asked.append(weighted_question("households", name, model.row(z=weight)))
        filled = model.row(x=np.ones(len(model.pairs.action)))
        asked.append(Question("area", Text("补足的面积", "deficit filled"), "max", M2, filled, *_AREAS))
    fixed, price = cost_of(s, model.limits.allowed)
    spent, money = model.row(y=fixed, a=price), (MONEY_SLACK, money_step(fixed, price))
    asked.append(Question("cost", Text("最低费用", "least cost"), "min", WAN, spent, *money))
    anew = s.actions.new_build.astype(float)
    if (anew[model.limits.allowed] > 0).any():
        asked.append(
            Question("new_build", Text("新建面积最少", "least new-build area"), "min", M2, model.row(a=anew), *_AREAS)
        )
        name = Text("新建面积不增的最低费用", "least cost with no more new building")
        asked.append(Question("spending", name, "min", WAN, spent, *money))
    return asked


def weighted_question(stage_id: str, name: Text, row: FloatArray) -> Question:
    """Return a question about most weighted households.

    Parameters
    ----------
    stage_id, name
        What it is called.
    row
        The weight of each column, whole thousandths of a household, shape (columns,).
    """
    return Question(stage_id, name, "max", WEIGHTED, row, *_WEIGHTS)


def exact_value(model: PrescriptionModel, question: Question, draft: Draft) -> float:
    """Return what a draft is worth for a question, from its whole units."""
    return float(question.row @ model.point(draft))


def answer_stages(
    model: PrescriptionModel,
    options: PlanOptions,
    start: Draft,
    *,
    only: tuple[str, ...] | None = None,
    begun: float | None = None,
    progress: Progress = silent,
) -> tuple[Draft, tuple[Stage, ...]]:
    """Answer the stages one after another, each holding what the earlier ones reached; after Ctrl-C, as they stand.

    Parameters
    ----------
    model
        The rows of the prescription.
    options
        What is asked, and how long it may take.
    start
        A first draft that breaks no row.
    only
        The ids of the stages wanted; None for all.
    begun
        When the time began to run, s of ``time.perf_counter``; None for now.
    progress
        Told the stage and its gap.

    Returns
    -------
    tuple
        The last draft and the stages.
    """
    begun = time.perf_counter() if begun is None else begun
    linear, best = model.linear, start
    stages: list[Stage] = []
    asked = [question for question in questions(model, options) if only is None or question.id in only]
    stopped = False
    effort = [_EFFORT[question.id] for question in asked]
    for number, question in enumerate(asked):
        if question.id == "spending" and not _dearer(model, question, best, stages):
            continue
        left = 0.0 if stopped else max(0.0, options.time_limit_s - (time.perf_counter() - begun))
        kept_back = _KEPT_BACK * options.time_limit_s * sum(effort[number + 1 :]) / sum(effort)
        allowance = max(0.0, left - kept_back)
        progress(Text(f"规划：{question.name.zh}", f"planning: {question.name.en}"), number / len(asked))
        share_s = options.time_limit_s * effort[number] / sum(effort)
        best, stage, interrupted = _answer(model, linear, question, best, (share_s, allowance), options, progress)
        stopped |= interrupted
        stages.append(stage)
        if number + 1 < len(asked) and not stopped:
            left = options.time_limit_s - (time.perf_counter() - begun)
            linear, stopped = _tightened(linear, question, stage.value, model.situation.prefer_existing_share, left)
        linear = hold(linear, question, stage.value, model.situation.prefer_existing_share)
    return best, tuple(stages)


def _dearer(model: PrescriptionModel, question: Question, draft: Draft, stages: list[Stage]) -> bool:
    """Return whether sparing new building made the draft dearer than the least cost: if so, by no more than it must."""
    least = min((stage.value for stage in stages if stage.id == "cost"), default=-math.inf)
    return exact_value(model, question, draft) > least + question.slack


_QUICK_BOUND_S = 5.0  # for the bound of a stage that has no time left
_QUICK_BOUND_ITERATIONS = (
    20_000  # for the bounds that a stage leaves to the next: counted, so that no load changes them
)
_KEPT_BACK = 0.5
"""The share of their time that is kept for the later stages: on a busy machine a stage may take longer than its own."""
_PATCHES_SHARE = 0.75
"""The share of what the clock leaves a stage after which patches end, so that something is left for the proof."""
_ACTIONS_BY_PATCH_S = 200.0
"""Patches pay where the whole is too large for the solver: 25 s of them for 1,000 actions, 1 s for 200."""
_EFFORT = {
    "resettlement": 0.15,
    "targets": 0.3,
    "households": 0.4,
    "area": 0.45,
    "cost": 0.35,
    "new_build": 0.25,
    "spending": 0.15,
}
"""How the time is shared between the stages; what one does not use goes to the next ones."""


def hold(linear: LinearModel, question: Question, value: float, dearer: float) -> LinearModel:
    """Return the model with what a stage reached as a row; the cost may grow by the share that spares new building."""
    most = _worst(question, value, dearer)
    if question.sense == "max":
        return linear.with_rows(question.row, most, np.inf)
    return linear.with_rows(question.row, -np.inf, most)


def _worst(question: Question, value: float, dearer: float) -> float:
    """Return the worst that the later stages may make of what a stage reached."""
    if question.sense == "max":
        return value - question.slack
    return (value * (1.0 + dearer) if question.id == "cost" else value) + question.slack


def _tightened(
    linear: LinearModel, question: Question, value: float, dearer: float, left_s: float
) -> tuple[LinearModel, bool]:
    """Return the rows of a stage with the bounds that its answer leaves to the next ones; say whether Ctrl-C came.

    Where the relaxation already proves the answer (the most deficit filled is a greatest flow), this says which
    allotments no plan can use and which deficits every plan fills: far more than the one row that holds the sum.
    """
    sign = -1.0 if question.sense == "max" else 1.0
    asked = linear.with_cost(sign * question.row)
    relaxed = solve_lp(asked, time_limit_s=max(left_s, 0.0), iterations=_QUICK_BOUND_ITERATIONS, method="simplex")
    narrower = asked.tightened(relaxed.row_duals, sign * _worst(question, value, dearer))
    return narrower.with_cost(linear.cost), relaxed.status == "interrupted"


def _answer(
    model: PrescriptionModel,
    linear: LinearModel,
    question: Question,
    start: Draft,
    time_s: tuple[float, float],
    options: PlanOptions,
    progress: Progress,
) -> tuple[Draft, Stage, bool]:
    """Answer one stage from a start; say whether Ctrl-C ended it.

    ``time_s`` is its share of the time allowed, and what the clock leaves it: how much is searched by patches follows
    from the first, so that what the earlier stages took changes no answer.
    """
    begun = time.perf_counter()
    share_s, allowance_s = time_s
    sign = -1.0 if question.sense == "max" else 1.0
    asked = linear.with_cost(sign * question.row)
    effort_s = min(0.4 * share_s, (int(model.limits.allowed.sum()) / _ACTIONS_BY_PATCH_S) ** 2)
    point, stopped = improve(
        model, asked, model.point(start), effort_s=effort_s, clock_s=_PATCHES_SHARE * allowance_s, seed=options.seed
    )
    left = 0.0 if stopped else max(0.0, allowance_s - (time.perf_counter() - begun))
    result = solve_mip(
        asked, start=point, time_limit_s=left, gap=0.9 * options.gap, seed=options.seed, progress=progress
    )
    stopped |= result.status == "interrupted"
    found = rounded(model, result.found, spare_new_build=question.id in ("new_build", "spending"))
    if linear.violation(model.point(found)) > FEASIBILITY:
        found = rounded(model, result.found)
    better = sign * exact_value(model, question, found) < sign * exact_value(model, question, start)
    if not better or linear.violation(model.point(found)) > FEASIBILITY:
        found = start
    value = exact_value(model, question, found)
    least = result.bound if math.isfinite(result.bound) else solve_lp(asked, time_limit_s=_QUICK_BOUND_S).bound
    bound = whole_bound(question, sign * least, value)
    ended: Ended = "interrupted" if stopped else ended_by(result)
    seconds = time.perf_counter() - begun
    stage = Stage(question.id, question.name, question.sense, value, bound, options.gap, ended, seconds, question.unit)
    return found, stage, stopped


def ended_by(result: MipResult) -> Ended:
    """Return what ended a search: its own end, time, or Ctrl-C.

    Parameters
    ----------
    result
        What the solver left.
    """
    if result.status == "interrupted":
        return "interrupted"
    return "time" if result.status == "time_limit" else "search"


def whole_bound(question: Question, bound: float, value: float) -> float:
    """Return a bound rounded to what whole units can reach, and to the value where only slack is between them.

    Areas are whole hundredths of a m² and weights whole thousandths: what no sum of them can be is no bound.

    Parameters
    ----------
    question
        The stage, with its sense, step and slack.
    bound
        What no plan is better than; infinite where nothing is known.
    value
        What a plan reached.
    """
    sign = -1.0 if question.sense == "max" else 1.0
    least, worth = sign * bound, sign * value
    if question.step and math.isfinite(least):
        room = min(0.25 * question.step, FEASIBILITY * max(1.0, abs(least)))
        least = math.ceil((least - room) / question.step) * question.step
    if least > worth - question.slack:
        least = worth
    return sign * least + 0.0  # never -0


def money_step(fixed: FloatArray, price: FloatArray) -> float:
    """Return an amount, 万元, that divides what any whole hundredths of a m² cost, 0 where there is none worth a fen.

    Parameters
    ----------
    fixed, price
        Cost of each action and of each m² of it, 万元, shape (k,).
    """
    each = np.concatenate([fixed, price / UNITS_PER_M2]) / _PRICE_STEP
    whole = np.rint(each)
    if (np.abs(each - whole) > 1e-3).any():  # a discounted yearly cost
        return 0.0
    step = float(np.gcd.reduce(whole.astype(np.int64), initial=0)) * _PRICE_STEP
    return step if step > MONEY_SLACK else 0.0


def rounded(model: PrescriptionModel, values: FloatArray, *, spare_new_build: bool = False) -> Draft:
    """Return the draft in whole units of a point of the model.

    Parameters
    ----------
    model
        The rows of the prescription.
    values
        A feasible point, shape (columns,).
    spare_new_build
        Whether rounding is to keep new building least, then the cost; else the cost alone.
    """
    met = np.zeros(len(model.situation.community_id), dtype=bool)
    met[model.open] = values[model.part("z")] > 0.5
    chosen = model.chosen(values)
    return whole_units(
        model.situation,
        model.pairs,
        chosen,
        values[model.part("a")] * UNITS_PER_M2,
        values[model.part("x")] * UNITS_PER_M2,
        met,
        (model.limits.min_u, model.limits.max_u),
        spare=model.situation.actions.new_build if spare_new_build else None,
    )
