"""The prescription: what to build, extend, rent or convert, where, how big, for whom, at least cost, with proof."""

from __future__ import annotations

import time

import numpy as np

from siting.allocation.draft import Draft
from siting.allocation.place_order import in_place_order
from siting.allocation.plan import Plan, PlanOptions
from siting.allocation.plan_tables import make_plan
from siting.allocation.prescription_model import Limits, PrescriptionModel, build_model, cost_of
from siting.allocation.prescription_start import greedy_draft
from siting.allocation.situation import MONEY_SLACK, UNITS_PER_M2, Situation
from siting.allocation.solve import solve_mip
from siting.allocation.stages import answer_stages, rounded
from siting.errors import InfeasibleError, ProblemError
from siting.exact import FEASIBILITY
from siting.standards.model import near_words
from siting.text import Progress, Text, silent


def prescribe(situation: Situation, options: PlanOptions | None = None, *, progress: Progress = silent) -> Plan:
    """Return the plan: the most that can be met, the most area filled, at least cost, with the least new building.

    Sparing new building may cost `prefer_existing_share` more, and costs no more than it must.

    What is held between stages is exact: whole thousandths of weighted households, whole hundredths of a m², money to a
    fen. The budget bounds the same cost that is made least: fixed costs, price of the area, and yearly costs
    discounted over the horizon. Communities whose area is unknown are left out of the stages and listed as blocked.

    Parameters
    ----------
    situation
        What the plan starts from.
    options
        What is asked, and how long it may take; by default the most that can be met, at least cost.
    progress
        Told the stage and its gap.

    Returns
    -------
    Plan
        With its proof, its reasons, and what blocks the communities that it cannot bring to the standard.

    Raises
    ------
    ProblemError
        If an option makes no sense, or names an action that there is not.
    InfeasibleError
        If what is required cannot stand together or costs more than the budget.
    """
    begun = time.perf_counter()
    options, situation = options or PlanOptions(), in_place_order(situation)
    model = build_model(situation, limits_of(situation, options))
    draft, stages = answer_stages(model, options, first_draft(model), begun=begun, progress=progress)
    return make_plan(model, options, draft, stages, time.perf_counter() - begun)


def limits_of(situation: Situation, options: PlanOptions) -> Limits:
    """Return what the options make of the actions.

    Parameters
    ----------
    situation
        What the plan starts from.
    options
        What is asked.

    Raises
    ------
    ProblemError
        If an option makes no sense, or names an action that there is not.
    """
    for name, value in (
        ("budget", options.budget),
        ("sites", options.sites),
        ("gap", options.gap),
        ("time_limit_s", options.time_limit_s),
    ):
        if value is not None and not value >= 0:
            raise ProblemError(
                Text(f"{name} 应为不小于 0 的数，得到 {value}", f"{name} must be a number >= 0, got {value}")
            )
    actions = situation.actions
    required, forbidden = _named(situation, options.require), _named(situation, options.forbid)
    for at in np.flatnonzero(required):
        why = actions.unusable[at]
        if forbidden[at] or why is not None:
            because = why or Text("它同时被禁止", "it is forbidden as well")
            name = actions.source_id[at]
            raise ProblemError(
                Text(f"要求的 {name} 不可用：{because.zh}", f"{name} is required but cannot be taken: {because.en}")
            )
    allowed = actions.usable & ~forbidden
    low, high = actions.min_u.copy(), actions.max_u.copy()
    for name, area_m2 in options.areas_m2.items():
        for at in np.flatnonzero(_named(situation, (name,)) & allowed):
            units, least, most = round(area_m2 * UNITS_PER_M2), low[at] / UNITS_PER_M2, high[at] / UNITS_PER_M2
            if not low[at] <= units <= high[at]:
                raise ProblemError(
                    Text(
                        f"{name} 的面积 {area_m2:g} 平方米不在 {least:g} 与 {most:g} 之间",
                        f"{name}: {area_m2:g} m² is not between {least:g} and {most:g}",
                    )
                )
            low[at] = high[at] = units
    return Limits(allowed, required, low, high, options.budget, options.sites)


def _named(situation: Situation, names: tuple[str, ...]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which actions are named, by action id, or by the id of the candidate or facility."""
    actions = situation.actions
    found = np.zeros(len(actions), dtype=bool)
    for name in names:
        hits = [at for at in range(len(actions)) if name in (actions.action_id[at], actions.source_id[at])]
        exact = [at for at in hits if actions.action_id[at] == name]
        if not hits:
            near = near_words(name, actions.action_id)
            raise ProblemError(
                Text(
                    f"没有编号为“{name}”的候选点或可扩建设施{near.zh}",
                    f'there is no candidate or facility to extend "{name}"{near.en}',
                )
            )
        found[exact or hits] = True
    return found


def first_draft(model: PrescriptionModel) -> Draft:
    """Return a draft that breaks no row, to start from.

    Parameters
    ----------
    model
        The rows of the prescription.

    Raises
    ------
    InfeasibleError
        If what is required cannot stand together or costs more than the budget.
    """
    draft = greedy_draft(model)
    if model.linear.violation(model.point(draft)) <= FEASIBILITY:
        return draft
    nothing = Draft(
        model.limits.required.copy(),
        np.where(model.limits.required, model.limits.min_u, 0),
        np.zeros(len(model.pairs.action), np.int64),
    )
    if model.linear.violation(model.point(nothing)) <= FEASIBILITY:
        return nothing
    fixed, price = cost_of(model.situation, model.limits.allowed)
    cheapest = solve_mip(model.linear.with_cost(model.row(y=fixed, a=price)), time_limit_s=600.0)
    if cheapest.values is not None:
        return rounded(model, cheapest.values)
    raise InfeasibleError(
        Text("要求的点位不能同时实现", "what is required cannot stand together"), blocks=_blocks(model)
    )


def _blocks(model: PrescriptionModel) -> list[Text]:
    """Return what stands in the way of the required actions."""
    s, limits = model.situation, model.limits
    required, found = limits.required, []
    cost = float(s.actions.cost(required, limits.min_u).sum())
    if limits.budget is not None and cost > limits.budget + MONEY_SLACK:
        found.append(
            Text(
                f"要求的点位至少需 {cost:.2f} 万元，预算只有 {limits.budget:.2f} 万元",
                f"what is required costs at least {cost:.2f}, the budget is {limits.budget:.2f} (10,000 yuan)",
            )
        )
    groups = s.actions.group[required]
    for group in np.unique(groups[groups >= 0]):
        names = [s.actions.source_id[at] for at in np.flatnonzero(required & (s.actions.group == group))]
        if len(names) > 1:
            found.append(Text(f"{'、'.join(names)} 只能选一个", f"only one of {', '.join(names)} can be taken"))
    sites = sum(s.actions.kind[at] == "candidate" for at in np.flatnonzero(required))
    if limits.sites is not None and sites > limits.sites:
        found.append(
            Text(
                f"要求 {sites} 个点位，最多 {limits.sites} 个",
                f"{sites} sites are required, at most {limits.sites} are allowed",
            )
        )
    for companion in s.companions:
        for k, settled, partners in zip(companion.actions, companion.settled, companion.partners, strict=True):
            if required[k] and not settled and not limits.allowed[partners].any():
                name = s.actions.source_id[k]
                found.append(
                    Text(f"{name}：{companion.name.zh}，附近没有", f"{name}: {companion.name.en}, and none is near")
                )
    return found or [Text("规则相互冲突", "the rules exclude one another")]
