"""A planner's own choice made into a plan: kept as it is, or kept and the rest optimised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from siting.allocation.chosen_check import check_chosen
from siting.allocation.chosen_file import Chosen
from siting.allocation.place_order import in_place_order
from siting.allocation.plan import PlanOptions
from siting.allocation.situation import UNITS_PER_M2, Situation
from siting.errors import ProblemError
from siting.text import Progress, Text, silent

if TYPE_CHECKING:
    from siting.allocation.plan import Plan
    from siting.allocation.prescription_model import Limits


def prescribe_chosen(
    situation: Situation,
    chosen: Sequence[Chosen],
    options: PlanOptions | None = None,
    *,
    with_rest: bool = True,
    progress: Progress = silent,
) -> Plan:
    """Return the plan that a planner's own choice makes: kept as it is, or kept and the rest optimised.

    Areas that the choice gives are kept. Without the rest, allotments that it gives for every action are kept too
    (the plan then has no stages: nothing was left to choose); else they are found. An area given for an action is
    what is built, within the action's limits. The budget of the options binds the rest, never the choice alone.

    Parameters
    ----------
    situation
        What the plan starts from.
    chosen
        The choice, from `read_chosen`.
    options
        What is asked of the rest.
    with_rest
        Whether other actions may be added.
    progress
        Told the stage and its gap.

    Raises
    ------
    TableError
        If the choice names what there is not, or another way to obtain it, or an area is outside its limits; every
        fault of every row is in it.
    ProblemError
        If more is allotted to a community than it lacks, or to one that is not in the circle.
    InfeasibleError
        If the choice cannot stand together, or costs more than the budget when the rest is to be added.
    """
    from siting.allocation.prescribe import limits_of, prescribe

    options, situation = options or PlanOptions(), in_place_order(situation)
    check_chosen(situation, chosen)
    ids = tuple(dict.fromkeys(one.source_id for one in chosen))
    areas = {one.source_id: one.area_m2 for one in chosen if one.area_m2 is not None}
    wanted = replace(options, require=(*options.require, *ids), areas_m2={**options.areas_m2, **areas})
    if with_rest:
        return prescribe(situation, wanted, progress=progress)
    alone = replace(wanted, require=ids, budget=None, sites=None)
    limits = limits_of(situation, alone)
    if all(one.area_m2 is not None and one.allotments is not None for one in chosen) and chosen:
        return _as_given(situation, chosen, replace(alone, budget=options.budget), limits)
    others = [name for name, needed in zip(situation.actions.action_id, limits.required, strict=True) if not needed]
    return prescribe(situation, replace(alone, forbid=tuple(others)), progress=progress)


def _as_given(situation: Situation, chosen: Sequence[Chosen], options: PlanOptions, limits: Limits) -> Plan:
    """Return the plan with areas and allotments as the choice gives them."""
    from siting.allocation.draft import Draft
    from siting.allocation.plan_tables import make_plan
    from siting.allocation.prescription_model import build_model

    model = build_model(situation, limits)
    pairs, a = model.pairs, situation.actions
    row_of = {name: i for i, name in enumerate(situation.community_id)}
    allot = np.zeros(len(pairs.action), dtype=np.int64)
    for one in chosen:
        k = next(at for at in np.flatnonzero(limits.required) if one.source_id in (a.action_id[at], a.source_id[at]))
        for name, area_m2 in one.allotments or ():
            at = np.flatnonzero((pairs.action == k) & (pairs.community == row_of.get(name, -1)))
            if not len(at):
                raise ProblemError(
                    Text(
                        f"{one.source_id} 不能分配给 {name}：不在其生活圈内，或该社区不缺面积",
                        f"{one.source_id} cannot be allotted to {name}: not in its circle, or {name} lacks no area",
                    )
                )
            allot[at[0]] += round(area_m2 * UNITS_PER_M2)
    draft = Draft(limits.required.copy(), np.where(limits.required, limits.min_u, 0), allot)
    over = np.bincount(pairs.action, allot, minlength=len(a)) > draft.area_u
    full = draft.filled_u(situation, pairs) > np.maximum(situation.deficit_u, 0)
    if over.any() or full.any():
        names = [a.source_id[k] for k in np.flatnonzero(over)] + [
            situation.community_id[i] for i in np.flatnonzero(full)
        ]
        raise ProblemError(
            Text(
                f"分配多于面积或所缺：{'、'.join(names)}",
                f"more is allotted than there is, or than is lacking: {', '.join(names)}",
            )
        )
    return make_plan(model, options, draft, (), 0.0)
