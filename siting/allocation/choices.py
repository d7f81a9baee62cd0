"""Choices, not one answer: near-best plans that differ, what each action is worth, and what every budget brings."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from siting.allocation.held import draft_of, held_until_cost, without
from siting.allocation.linear import LinearModel
from siting.allocation.neighbourhoods import improve
from siting.allocation.place_order import in_place_order
from siting.allocation.plan import Plan, PlanOptions, Stage
from siting.allocation.plan_tables import make_plan
from siting.allocation.prescribe import first_draft, limits_of
from siting.allocation.prescription_model import PrescriptionModel, build_model
from siting.allocation.situation import Situation
from siting.allocation.solve import MipResult, solve_lp, solve_mip
from siting.allocation.stages import Question, answer_stages, ended_by, exact_value, questions, rounded, whole_bound
from siting.arrays import BoolArray, FloatArray
from siting.errors import ProblemError, SolverError
from siting.exact import FEASIBILITY
from siting.text import Progress, Text, silent

LOOKS_PER_S = 50
"""How often, in a second, the solver looks whether to stop on a machine that an ordinary one exceeds."""
_PATIENCE = 3.0
"""How much longer than that the clock lets a slower or busier machine take for the same search."""


def _work(seconds: float, left_s: float = np.inf) -> dict[str, Any]:
    """Return the limits of a search: so many seconds of an ordinary machine, counted; and when the clock ends it."""
    return {
        "looks": max(1, round(min(seconds, 1e6) * LOOKS_PER_S)),
        "time_limit_s": max(0.0, min(_PATIENCE * seconds, left_s)),
    }


def _unless_stopped(result: MipResult) -> MipResult:
    """Return a result; a choice around a plan that Ctrl-C ended half-way is none, and says so as Ctrl-C does."""
    if result.status == "interrupted":
        raise KeyboardInterrupt
    return result


def alternatives(
    plan: Plan,
    *,
    count: int = 3,
    differ_by: int = 3,
    dearer_share: float = 0.1,
    time_limit_s: float = 60.0,
    progress: Progress = silent,
) -> tuple[Plan, ...]:
    """Return plans that reach what the plan reaches, at near its cost, with other sites.

    Each differs from the plan and from one another in at least ``differ_by`` sites taken or left (extensions are not
    sites), and costs at most ``dearer_share`` more, the cheapest first. Fewer than asked are returned when there are no
    more, or none was found in time. Their stage "cost" has the bound among the plans that differ so.

    Parameters
    ----------
    plan
        The plan.
    count
        How many are wanted.
    differ_by
        In how many sites they must differ, >= 1.
    dearer_share
        How much dearer they may be, share.
    time_limit_s
        For all together, s.
    progress
        Told how many were found.

    Raises
    ------
    ProblemError
        If ``differ_by`` is below 1.
    """
    if differ_by < 1:
        raise ProblemError(
            Text(f"differ_by 应至少为 1，得到 {differ_by}", f"differ_by must be at least 1, got {differ_by}")
        )
    begun = time.perf_counter()
    options = plan.options
    model = build_model(plan.situation, limits_of(plan.situation, options))
    linear, cost = held_until_cost(plan, model)
    linear = linear.with_rows(cost.row, -np.inf, plan.total_cost * (1 + dearer_share) + cost.slack)
    sites = np.array([kind == "candidate" for kind in plan.situation.actions.kind], dtype=bool)
    found: list[Plan] = []
    taken = [draft_of(plan, model).chosen]
    while len(found) < count:
        progress(
            Text(f"寻找备选方案 {len(found) + 1}", f"looking for alternative {len(found) + 1}"), len(found) / count
        )
        linear = linear.with_rows(*_differs(model, taken[-1], sites, differ_by))
        left = time_limit_s - (time.perf_counter() - begun)
        started = time.perf_counter()
        try:
            result = _unless_stopped(
                solve_mip(
                    linear.with_cost(cost.row), **_work(time_limit_s / count, left), gap=options.gap, seed=options.seed
                )
            )
        except SolverError:
            break
        if result.values is None:
            break
        draft = rounded(model, result.values)
        seconds = time.perf_counter() - started
        stage = _cost_stage(cost, draft.cost(plan.situation), result, options.gap, seconds)
        earlier = tuple(one for one in plan.stages if one.id not in ("cost", "new_build", "spending"))
        found.append(make_plan(model, options, draft, (*earlier, stage), seconds))
        taken.append(result.values[model.part("y")] > 0.5)
    return tuple(sorted(found, key=lambda one: one.total_cost))


def _differs(model: PrescriptionModel, chosen: BoolArray, sites: BoolArray, by: int) -> tuple[FloatArray, float, float]:
    """Return the row that asks for at least ``by`` sites taken or left otherwise than ``chosen``."""
    coefficient = np.where(chosen, -1.0, 1.0) * sites
    return model.row(y=coefficient), float(by - int((chosen & sites).sum())), float(np.inf)


def _cost_stage(cost: Question, value: float, result: MipResult, gap: float, seconds: float) -> Stage:
    bound = whole_bound(cost, result.bound, value)
    return Stage(cost.id, cost.name, cost.sense, value, bound, gap, ended_by(result), seconds, cost.unit)


def worth_of_actions(plan: Plan, *, seconds_each: float = 2.0, progress: Progress = silent) -> pd.DataFrame:
    """Return, for each action, the best plan without it that reaches the same: its extra cost, or that there is none.

    The work limit is ``seconds_each`` an action, on an ordinary machine: it is counted, so that the same study gives
    the same answer; the clock ends a search after three times as long. ``extra_cost`` is of the best plan found (NaN:
    none found in time), ``extra_cost_bound`` is the least it can be; ``replaceable`` "yes", "no" (proven: without it
    not as much can be reached) or "not settled".

    Parameters
    ----------
    plan
        The plan.
    seconds_each
        How long an action is searched for, s of an ordinary machine.
    progress
        Told which action is looked at.

    Returns
    -------
    DataFrame
        action_id, replaceable, extra_cost, extra_cost_bound, note_zh, note_en; row i for action i of the plan.
    """
    s = plan.situation
    limits = limits_of(s, plan.options)
    row_of = {name: k for k, name in enumerate(s.actions.action_id)}
    rows = []
    for number, name in enumerate(plan.actions["action_id"]):
        progress(Text(f"没有 {name} 会怎样", f"what if not {name}"), number / len(plan.actions))
        model = build_model(s, without(limits, [row_of[name]]))
        linear, cost = held_until_cost(plan, model)
        settled, found, bound = _least_cost(model, linear, cost, seconds_each, plan.options)
        extra = found - plan.total_cost
        least = float(np.fmin(bound - plan.total_cost, extra))
        if settled == "no":
            text = Text("没有它，达不到同样的结果", "without it not as much can be reached")
        elif settled == "yes":
            text = Text(
                f"不选它也能达到同样的结果，多花 {extra:,.2f} 万元（至少多花 {least:,.2f} 万元）",
                f"the same can be reached without it for {extra:,.2f} more (at least {least:,.2f} more; 10,000 yuan)",
            )
        else:
            text = Text(
                f"在 {seconds_each:g} 秒内未找到替代方案；若有，至少多花 {least:,.2f} 万元",
                f"no plan without it was found in {seconds_each:g} s; one would cost at least {least:,.2f} more "
                "(10,000 yuan)",
            )
        rows.append((name, settled, extra, least if settled != "no" else np.nan, text.zh, text.en))
    columns = ["action_id", "replaceable", "extra_cost", "extra_cost_bound", "note_zh", "note_en"]
    return pd.DataFrame(rows, columns=columns)


def _least_cost(
    model: PrescriptionModel, linear: LinearModel, cost: Question, seconds: float, options: PlanOptions
) -> tuple[str, float, float]:
    """Return whether there is a plan ("yes", "no", "not settled"), its cost, and the least it can be."""
    asked = linear.with_cost(cost.row)
    try:
        result = _unless_stopped(solve_mip(asked, **_work(seconds), gap=options.gap, seed=options.seed))
    except SolverError:
        return "not settled", np.nan, solve_lp(asked, time_limit_s=_PATIENCE * seconds).bound
    if result.values is None:
        return "no", np.nan, np.nan
    return "yes", rounded(model, result.values).cost(model.situation), result.bound


def cost_curve(
    situation: Situation,
    options: PlanOptions | None = None,
    *,
    points: int = 8,
    time_limit_s: float = 120.0,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Return what every budget brings, from nothing to all that can be met, each point started from the one before.

    A bound that holds for a budget holds for every smaller one, and is used there when it is better.

    Parameters
    ----------
    situation
        What the plan starts from.
    options
        What is asked; its budget is left aside.
    points
        How many budgets, evenly spaced, beside nothing, >= 1.
    time_limit_s
        For all together, s.
    progress
        Told the budget.

    Returns
    -------
    DataFrame
        budget and cost (万元), weighted_households brought to the standard, bound, gap, proof, communities_met and
        households_met in all; budget 0 first.

    Raises
    ------
    ProblemError
        If ``points`` is below 1.
    """
    if points < 1:
        raise ProblemError(Text(f"points 应至少为 1，得到 {points}", f"points must be at least 1, got {points}"))
    options = replace(options or PlanOptions(), budget=None, compliance="most", time_limit_s=0.4 * time_limit_s)
    situation = in_place_order(situation)
    begun = time.perf_counter()
    free = build_model(situation, limits_of(situation, options))
    draft, stages = answer_stages(
        free, options, first_draft(free), progress=progress, only=("resettlement", "households", "cost")
    )
    if any(stage.ended == "interrupted" for stage in stages):
        raise KeyboardInterrupt
    top = draft.cost(situation)
    rows: list[tuple[float, float, float, int, float]] = []
    points_found: list[Stage] = []
    least = limits_of(situation, options)
    floor = float(situation.actions.cost(least.required, least.min_u).sum())
    budgets = np.unique(np.concatenate([[floor], np.linspace(0, top, points + 1)[1:]]))
    best = first_draft(build_model(situation, limits_of(situation, replace(options, budget=floor))))
    for number, budget in enumerate(b for b in budgets if b >= floor):
        progress(Text(f"预算 {budget:,.0f} 万元", f"budget {budget:,.0f} (10,000 yuan)"), number / len(budgets))
        model = build_model(situation, limits_of(situation, replace(options, budget=float(budget))))
        question = next(one for one in questions(model, options) if one.id == "households")
        if budget >= top:
            best, top_stage = draft, next(stage for stage in stages if stage.id == "households")
            bound, ended = top_stage.bound, top_stage.ended
        else:
            left = max(0.0, time_limit_s - (time.perf_counter() - begun))
            asked = model.linear.with_cost(-question.row)
            starts = [
                one for one in (best, first_draft(model)) if model.linear.violation(model.point(one)) <= FEASIBILITY
            ]
            start = max(starts, key=lambda one: exact_value(model, question, one))
            share_s = 0.5 * time_limit_s / len(budgets)
            clock_s = min(_PATIENCE * share_s, 0.5 * left)
            point, stopped = improve(
                model, asked, model.point(start), effort_s=0.8 * share_s, clock_s=clock_s, seed=options.seed
            )
            if stopped:
                raise KeyboardInterrupt
            result = _unless_stopped(
                solve_mip(asked, start=point, **_work(share_s, 0.5 * left), gap=0.9 * options.gap, seed=options.seed)
            )
            found = rounded(model, result.found)
            sound = model.linear.violation(model.point(found)) <= FEASIBILITY
            best = (
                found if sound and exact_value(model, question, found) >= exact_value(model, question, start) else start
            )
            bound, ended = -result.bound, ended_by(result)
        meets = best.meets(situation, model.pairs)
        value = exact_value(model, question, best)
        rows.append(
            (float(budget), best.cost(situation), value, int(meets.sum()), float(situation.households[meets].sum()))
        )
        bound = whole_bound(question, bound, value)
        stage = Stage(question.id, question.name, question.sense, value, bound, options.gap, ended, 0.0, question.unit)
        points_found.append(stage)
    bounds = np.minimum.accumulate(np.array([stage.bound for stage in points_found])[::-1])[::-1]
    table = pd.DataFrame(rows, columns=["budget", "cost", "weighted_households", "communities_met", "households_met"])
    table.insert(3, "bound", np.maximum(bounds, table["weighted_households"]))
    known = [replace(stage, bound=bound) for stage, bound in zip(points_found, table["bound"], strict=True)]
    table.insert(4, "gap", [stage.gap for stage in known])
    table.insert(5, "proof", [stage.proof for stage in known])
    return table
