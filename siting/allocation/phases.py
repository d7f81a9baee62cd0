"""A plan spread over years with yearly budgets, each year keeping what the last one built."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from siting.allocation.draft import Draft
from siting.allocation.held import draft_of
from siting.allocation.linear import LinearModel
from siting.allocation.plan import Plan, Stage, each_row
from siting.allocation.plan_tables import make_plan
from siting.allocation.prescribe import limits_of
from siting.allocation.prescription_model import PrescriptionModel, build_model, demand_classes
from siting.allocation.situation import MONEY_SLACK
from siting.allocation.solve import solve_mip
from siting.allocation.stages import ended_by, weighted_question, whole_bound
from siting.arrays import BoolArray, FloatArray, IntArray
from siting.errors import ProblemError
from siting.text import Text

_SUMMED = Text("分年达标的加权户数之和", "weighted households that meet, summed over years")

if TYPE_CHECKING:
    from siting.coverage import Scorecard
    from siting.standards.model import Rule


def phase_plan(
    plan: Plan, yearly_budgets: Mapping[int, float], *, time_limit_s: float = 30.0, gap: float = 0.001
) -> Plan:
    """Return the plan with its phases: in which year each action is done, so that most households are served soonest.

    The areas and allotments are the plan's; the years sum to it. What a year does not spend the next may. An action is
    paid whole in its year, at the plan's cost. Most is made of the weighted households that meet the standard,
    summed over the ends of the years::

        max Σ_t Σ_i w_i z_it
        z_it <= u_kt for every k allotted to i;  Σ_g h_g c_gt >= need_i z_it,  c_gt <= Σ_k∈g u_kt
        u_k,t-1 <= u_kt,  u_kT = 1,  Σ_k cost_k u_kt <= budgets of the years up to t

    Parameters
    ----------
    plan
        The plan.
    yearly_budgets
        万元 by year.
    time_limit_s
        Longest time, s.
    gap
        Gap at which to stop, share.

    Returns
    -------
    Plan
        With ``phases``: year, action_id, source_id, acquisition, area_m2, cost, and at the end of the year
        budget_so_far, cost_so_far, communities_met, weighted_households; one row an action, by year; and a last stage
        "phases" with its bound.

    Raises
    ------
    ProblemError
        If there is no year, a budget is negative or NaN, or the budgets together do not pay the plan.
    """
    years, money = (
        sorted(yearly_budgets),
        np.array([yearly_budgets[year] for year in sorted(yearly_budgets)], dtype=float),
    )
    if not years or not (money >= 0).all():
        raise ProblemError(Text("需要至少一个年度，且预算不小于 0", "give at least one year, and budgets >= 0"))
    if plan.total_cost > money.sum() + MONEY_SLACK:
        raise ProblemError(
            Text(
                f"各年预算合计 {money.sum():,.2f} 万元，不够方案的 {plan.total_cost:,.2f} 万元",
                f"the yearly budgets sum to {money.sum():,.2f}, the plan costs {plan.total_cost:,.2f} (10,000 yuan)",
            )
        )
    model = build_model(plan.situation, limits_of(plan.situation, plan.options))
    draft = draft_of(plan, model)
    linear, start, ks = _phase_model(model, draft, np.cumsum(money))
    result = solve_mip(linear, start=start, time_limit_s=time_limit_s, gap=gap)
    built = result.found[: len(years) * len(ks)].reshape(len(years), len(ks)) > 0.5
    year_of = built.argmax(axis=0)
    table, value = _phase_table(plan, model, draft, ks, year_of, years, np.cumsum(money))
    asked = weighted_question("phases", _SUMMED, linear.cost)
    bound = whole_bound(asked, -result.bound, value)
    stage = Stage(asked.id, asked.name, asked.sense, value, bound, gap, ended_by(result), result.seconds, asked.unit)
    return replace(plan, phases=table, stages=(*(one for one in plan.stages if one.id != "phases"), stage))


def _phase_model(model: PrescriptionModel, draft: Draft, money: FloatArray) -> tuple[LinearModel, FloatArray, IntArray]:
    """Return the model above (columns u_kt year by year, z_it, c_gt), its start (all in the last year), and the k."""
    s, pairs = model.situation, model.pairs
    ks = np.flatnonzero(draft.chosen)
    years, n_k = len(money), len(ks)
    slot = np.full(len(s.actions), -1)
    slot[ks] = np.arange(n_k)
    meets = draft.meets(s, pairs)
    now = s.in_reach(s.covered_now)
    ours = np.flatnonzero(meets & ~(now & (s.deficit_u == 0)))
    row_of = np.full(len(meets), -1)
    row_of[ours] = np.arange(len(ours))
    need_reach = np.zeros(len(meets), dtype=bool)
    need_reach[ours] = ~now[ours]
    classes = demand_classes(s, draft.chosen, need_reach)
    z0, c0 = years * n_k, years * (n_k + len(ours))
    width = c0 + years * len(classes.community)
    need = s.needed_households - s.households_in_reach(s.covered_now)
    rows: list[tuple[list[int], list[float], float, float]] = []
    cost = s.actions.cost(draft.chosen, draft.area_u)[ks]
    live = [p for p in np.flatnonzero(draft.allot_u > 0) if row_of[pairs.community[p]] >= 0]
    for t in range(years):
        u, z, c = t * n_k, z0 + t * len(ours), c0 + t * len(classes.community)
        rows.append(([u + k for k in range(n_k)], cost.tolist(), -np.inf, float(money[t])))
        if t:
            rows += [([u + k, u - n_k + k], [1.0, -1.0], 0.0, np.inf) for k in range(n_k)]
        rows += [([u + slot[pairs.action[p]], z + row_of[pairs.community[p]]], [1.0, -1.0], 0.0, np.inf) for p in live]
        for g, actions in enumerate(classes.actions):
            rows.append(([*(u + slot[actions]), c + g], [1.0] * len(actions) + [-1.0], 0.0, np.inf))
        for i in np.flatnonzero(need_reach):
            gs = np.flatnonzero(classes.community == i)
            rows.append(([*(c + gs), z + row_of[i]], [*(classes.households[gs] / need[i]), -1.0], 0.0, np.inf))
        for companion in s.companions:
            for k, settled, partners in zip(companion.actions, companion.settled, companion.partners, strict=True):
                if slot[k] >= 0 and not settled:
                    there = [slot[one] for one in partners if slot[one] >= 0]
                    rows.append(([*(u + one for one in there), u + slot[k]], [1.0] * len(there) + [-1.0], 0.0, np.inf))
    ends = np.cumsum([0, *(len(row[0]) for row in rows)])
    cols = np.array([col for row in rows for col in row[0]], dtype=np.int64)
    data = np.array([value for row in rows for value in row[1]], dtype=float)
    lower = np.zeros(width)
    lower[(years - 1) * n_k : years * n_k] = 1.0
    whole = np.zeros(width, dtype=bool)
    whole[:c0] = True
    objective = np.zeros(width)
    objective[z0:c0] = -np.tile(s.weight[ours] / 1000.0, years)
    matrix = csr_array((data, cols, ends), shape=(len(rows), width))
    last = np.zeros(width)
    last[(years - 1) * n_k : years * n_k] = last[c0 - len(ours) : c0] = last[width - len(classes.community) :] = 1.0
    low, high = (np.array([row[at] for row in rows], dtype=float) for at in (2, 3))
    return LinearModel(objective, matrix, low, high, lower, np.ones(width), whole), last, ks


def _phase_table(
    plan: Plan,
    model: PrescriptionModel,
    draft: Draft,
    ks: IntArray,
    year_of: IntArray,
    years: Sequence[int],
    money: FloatArray,
) -> tuple[pd.DataFrame, float]:
    """Return one row an action, by year, with what is reached by the end of its year; and the objective."""
    s = model.situation
    now = s.meets(s.covered_now, np.zeros(len(s.community_id), dtype=np.int64))
    at_end, value = [], 0.0
    for t in range(len(years)):
        part = _until(draft, model, ks[year_of <= t])
        meets = part.meets(s, model.pairs)
        weighted = float(s.weight[meets & ~now].sum()) / 1000.0
        at_end.append((float(money[t]), part.cost(s), int(meets.sum()), weighted))
        value += weighted
    table = plan.actions.set_index("action_id").loc[[s.actions.action_id[k] for k in ks]].reset_index()
    table = table[["action_id", "source_id", "acquisition", "area_m2", "cost"]]
    table.insert(0, "year", [years[t] for t in year_of])
    for place, name in enumerate(("budget_so_far", "cost_so_far", "communities_met", "weighted_households")):
        table[name] = [at_end[t][place] for t in year_of]
    return table.sort_values("year", kind="stable").reset_index(drop=True), value


def _until(draft: Draft, model: PrescriptionModel, ks: IntArray) -> Draft:
    """Return the part of a draft that some of its actions make up."""
    chosen: BoolArray = np.zeros(len(draft.chosen), dtype=bool)
    chosen[ks] = True
    return Draft(chosen, np.where(chosen, draft.area_u, 0), np.where(chosen[model.pairs.action], draft.allot_u, 0))


def plan_until(plan: Plan, year: int) -> Plan:
    """Return what stands at the end of a year, as a plan of its own (to be scored; its stages are not re-proven).

    Parameters
    ----------
    plan
        A plan with phases.
    year
        A year.

    Raises
    ------
    ProblemError
        If the plan has no phases.
    """
    if plan.phases is None:
        raise ProblemError(Text("方案没有分年", "the plan has no phases"))
    model = build_model(plan.situation, limits_of(plan.situation, plan.options))
    draft = draft_of(plan, model)
    row_of = {name: k for k, name in enumerate(plan.situation.actions.action_id)}
    done = [row_of[name] for name in plan.phases.loc[plan.phases["year"] <= year, "action_id"]]
    options = replace(plan.options, require=())
    return make_plan(model, options, _until(draft, model, np.array(done, dtype=np.int64)), (), 0.0)


def indicator_path(plan: Plan, score_plan: Callable[[Plan], Scorecard]) -> pd.DataFrame:
    """Return the county's indicators at the end of each year beside what the standard asks by then.

    Parameters
    ----------
    plan
        A plan with phases.
    score_plan
        Scores the tables with a plan applied.

    Returns
    -------
    DataFrame
        year, rule_id, value, target (NaN: nothing due by then), status ("": the same), unit_zh, unit_en.

    Raises
    ------
    ProblemError
        If the plan has no phases.
    """
    if plan.phases is None:
        raise ProblemError(Text("方案没有分年", "the plan has no phases"))
    rows = []
    for year in sorted(set(plan.phases["year"])):
        card = score_plan(plan_until(plan, int(year)))
        county = card.indicators[card.indicators["place"] == "county"]
        for one in each_row(county):
            target, status = _against_due(one, card.standard.rule(one.rule_id), int(year))
            rows.append((int(year), one.rule_id, float(one.value), target, status, one.unit_zh, one.unit_en))
    return pd.DataFrame(rows, columns=["year", "rule_id", "value", "target", "status", "unit_zh", "unit_en"])


def _against_due(one: Any, rule: Rule, year: int) -> tuple[float, str]:
    """Return what a rule asks of a county's figure by a year and whether it is kept; NaN and "" where nothing is due.

    The last deadline is judged by the scorecard itself; a step by the bounds of the figure, equal to the step kept.
    """
    due = rule.due(year)
    if due is None:
        return np.nan, ""
    if due.year == rule.year:
        return float(one.target), str(one.status)
    sign = 1.0 if rule.direction == "at_least" else -1.0
    kept = {sign * bound >= sign * due.target - 1e-9 for bound in (one.low, one.high)}
    return due.target, "unknown" if len(kept) > 1 or np.isnan(one.low) else "pass" if kept == {True} else "fail"
