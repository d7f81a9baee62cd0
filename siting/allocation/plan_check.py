"""A plan held against its inputs, without the solver and without the model: circles, allotments, costs, verdicts."""

from __future__ import annotations

import numpy as np

from siting.allocation.plan import Plan, each_row
from siting.allocation.situation import MONEY_SLACK, REACH_SLACK, UNITS_PER_M2, Situation
from siting.text import Text


def faults_of(plan: Plan) -> tuple[Text, ...]:
    """Return everything in the plan that its inputs contradict.

    Parameters
    ----------
    plan
        The plan.
    """
    s = plan.situation
    row_of = {name: k for k, name in enumerate(s.actions.action_id)}
    home_of = {name: i for i, name in enumerate(s.community_id)}
    area = {row_of[row.action_id]: round(row.area_m2 * UNITS_PER_M2) for row in each_row(plan.actions)}
    given: dict[tuple[int, int], int] = {}
    for row in each_row(plan.allotments):
        key = (row_of[row.action_id], home_of[row.community_id])
        given[key] = given.get(key, 0) + round(row.area_m2 * UNITS_PER_M2)
    return (
        *_limit_faults(plan, s, area),
        *_allotment_faults(s, area, given),
        *_cost_faults(plan, s, area),
        *_verdict_faults(plan, s, area, given),
    )


def _fault(zh: str, en: str) -> Text:
    return Text(zh, en)


def _limit_faults(plan: Plan, s: Situation, area: dict[int, int]) -> list[Text]:
    a, found = s.actions, []
    for k, units in area.items():
        name = a.action_id[k]
        if a.unusable[k] is not None:
            found.append(_fault(f"{name} 不可用", f"{name} cannot be taken"))
        if not a.min_u[k] <= units <= a.max_u[k]:
            found.append(_fault(f"{name} 面积超出限度", f"{name}: its area is outside its limits"))
        if {a.action_id[k], a.source_id[k]} & set(plan.options.forbid):
            found.append(_fault(f"{name} 已被禁止", f"{name} was forbidden"))
    groups = [int(a.group[k]) for k in area if a.group[k] >= 0]
    if len(groups) != len(set(groups)):
        found.append(_fault("互斥组中选了多个", "two actions of one exclusive group"))
    for name in plan.options.require:
        if not any(name in (a.action_id[k], a.source_id[k]) for k in area):
            missing = _fault(f"要求的 {name} 未选", f"{name} was required and is not there")
            found.append(missing)
    for companion in s.companions:
        for k, settled, partners in zip(companion.actions, companion.settled, companion.partners, strict=True):
            if int(k) in area and not settled and not set(partners.tolist()) & set(area):
                found.append(
                    _fault(
                        f"{a.action_id[k]}：{companion.name.zh}，没有",
                        f"{a.action_id[k]}: {companion.name.en}, and it is not",
                    )
                )
    sites = sum(a.kind[k] == "candidate" for k in area)
    if plan.options.sites is not None and sites > plan.options.sites:
        found.append(_fault("点位数超限", "more sites than allowed"))
    return found


def _allotment_faults(s: Situation, area: dict[int, int], given: dict[tuple[int, int], int]) -> list[Text]:
    found = []
    for k in {k for k, _ in given}:
        out = sum(units for (action, _), units in given.items() if action == k)
        if out > area.get(k, 0):
            found.append(
                _fault(
                    f"{s.actions.action_id[k]} 分配超过其面积",
                    f"{s.actions.action_id[k]}: more is allotted than its area",
                )
            )
    inside = set(zip(*(at.tolist() for at in s.circle.nonzero()), strict=True))
    for k, i in given:
        if (i, k) not in inside:
            found.append(
                _fault(
                    f"{s.actions.action_id[k]} 不在 {s.community_id[i]} 的生活圈",
                    f"{s.actions.action_id[k]} does not lie in the circle of {s.community_id[i]}",
                )
            )
    return found


def _cost_faults(plan: Plan, s: Situation, area: dict[int, int]) -> list[Text]:
    a, found, total = s.actions, [], 0.0
    for row in each_row(plan.actions):
        k = a.action_id.index(row.action_id)
        cost = a.fixed_cost[k] + (a.area_cost[k] + a.yearly_cost[k]) * area[k] / UNITS_PER_M2
        total += cost
        if (
            abs(cost - row.cost) > MONEY_SLACK
            or abs(row.fixed_cost + row.area_cost + row.yearly_cost - row.cost) > MONEY_SLACK
        ):
            found.append(_fault(f"{row.action_id} 费用不符", f"{row.action_id}: its cost is not what its prices give"))
    if abs(total - plan.total_cost) > MONEY_SLACK * max(1, len(area)):
        found.append(_fault("总费用不符", "the total is not the sum of the costs"))
    if plan.budget is not None and total > plan.budget + 10 * MONEY_SLACK:
        found.append(_fault("超出预算", "the plan costs more than the budget"))
    return found


def _verdict_faults(plan: Plan, s: Situation, area: dict[int, int], given: dict[tuple[int, int], int]) -> list[Text]:
    """Walk through the homes one by one, from the distances, and judge each community again."""
    row = np.repeat(np.arange(s.candidate_m.shape[0]), np.diff(s.candidate_m.indptr))
    bring = np.zeros(len(s.actions), dtype=bool)
    bring[[k for k in area if s.actions.counted[k] and s.actions.kind[k] == "candidate"]] = True
    near = np.rint(s.candidate_m.data * 1000) <= np.rint(s.cutoff_m[row] * 1000)
    covered = s.covered_now.copy()
    covered[row[near & bring[s.candidate_m.indices]]] = True
    found = []
    said = dict(zip(plan.communities["community_id"], plan.communities["meets_after"], strict=True))
    for i, name in enumerate(s.community_id):
        homes = s.demand_community == i
        inside = float(s.demand_households[homes & covered].sum())
        filled = sum(units for (_, community), units in given.items() if community == i)
        if s.households[i] <= 0:
            verdict = "not_applicable"
        elif inside < (s.reach_share - REACH_SLACK) * s.households[i] or 0 <= filled < s.deficit_u[i]:
            verdict = "fail"
        else:
            verdict = "unknown" if s.deficit_u[i] < 0 else "pass"
        if verdict != said[name]:
            found.append(
                _fault(
                    f"{name} 的结论应为 {verdict}",
                    f"{name}: its verdict must be {verdict}, not {said[name]}",
                )
            )
    return found
