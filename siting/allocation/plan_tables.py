"""A draft with its proof -> the plan's tables, every figure recomputed from whole units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from siting.allocation.draft import Draft
from siting.allocation.impossible import area_cuts, blocked_table
from siting.allocation.plan import Plan, PlanOptions, Stage, Status
from siting.allocation.prescription_model import PrescriptionModel
from siting.allocation.situation import UNITS_PER_M2, Situation
from siting.allocation.why import left_out_table, reasons
from siting.arrays import BoolArray, IntArray


def make_plan(
    model: PrescriptionModel, options: PlanOptions, draft: Draft, stages: Sequence[Stage], seconds: float
) -> Plan:
    """Return the plan of a draft.

    Parameters
    ----------
    model
        The rows of the prescription.
    options
        What was asked.
    draft
        What was found.
    stages
        How good it is proven to be.
    seconds
        How long it took.
    """
    s = model.situation
    after = draft.filled_u(s, model.pairs)
    covered = s.covered_with(draft.chosen)
    cuts = area_cuts(model)
    asked = _asked(s, options, s.meets(covered, after))
    blocked = blocked_table(model, draft, cuts, asked)
    actions, communities = dict(_rows(s.action_row, s.actions.action_id)), dict(_rows(s.community_row, s.community_id))
    return Plan(
        status=_status(bool(asked.any()), stages),
        actions=_in_rows(_actions(model, draft), action_id=actions),
        allotments=_in_rows(_allotments(model, draft), action_id=actions, community_id=communities),
        stages=tuple(stages),
        communities=_in_rows(_communities(s, covered, after), community_id=communities),
        blocked=_in_rows(blocked, community_id=communities),
        cuts=cuts,
        left_out=_in_rows(left_out_table(model, draft), action_id=actions),
        total_cost=draft.cost(s),
        budget=options.budget,
        options=options,
        seconds=seconds,
        situation=s,
    )


def _rows(rows: IntArray, names: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield the row of each record in the planner's own tables, whatever the order it was planned in."""
    return zip(names, rows.tolist() if len(rows) else range(len(names)), strict=True)


def _in_rows(table: pd.DataFrame, **rows_by_column: dict[str, int]) -> pd.DataFrame:
    """Return a table in the order of the planner's own rows, by its first column of names, then the next."""
    rows = [[of[str(name)] for name in table[column]] for column, of in rows_by_column.items()]
    return table.iloc[np.lexsort(rows[::-1])].reset_index(drop=True)


def _asked(s: Situation, options: PlanOptions, meets: BoolArray) -> BoolArray:
    """Return the communities that were asked for and are not met: of each target that is short, those that fail it."""
    if options.compliance != "targets":
        return (s.households > 0) & ~meets
    asked = np.zeros(len(meets), dtype=bool)
    for target in s.targets:
        if int((meets & target.members).sum()) < target.needed:
            asked |= target.members & ~meets
    return asked


def _status(short: bool, stages: Sequence[Stage]) -> Status:
    """Return whether all that was asked is met, and how sure it is that it could not be met better."""
    if short:
        return "partial"
    if all(stage.settled for stage in stages):
        return "complete"
    return "stopped" if any(stage.ended != "search" for stage in stages if not stage.settled) else "open"


def _actions(model: PrescriptionModel, draft: Draft) -> pd.DataFrame:
    """Return the chosen actions with what they cost and bring, in the order of the situation."""
    a = model.situation.actions
    ks = np.flatnonzero(draft.chosen)
    area_m2 = draft.area_u[ks] / UNITS_PER_M2
    table = pd.DataFrame(
        {
            "action_id": [a.action_id[k] for k in ks],
            "kind": [a.kind[k] for k in ks],
            "source_id": [a.source_id[k] for k in ks],
            "acquisition": [a.acquisition[k] for k in ks],
            "service": [a.services[k][0] for k in ks],
            "area_m2": area_m2,
            "fixed_cost": a.fixed_cost[ks],
            "area_cost": a.area_cost[ks] * area_m2,
            "yearly_cost": a.yearly_cost[ks] * area_m2,
            "cost": a.cost(draft.chosen, draft.area_u)[ks],
            "lon": a.lon[ks],
            "lat": a.lat[ks],
        }
    )
    return pd.concat([table, reasons(model, draft)], axis=1)


def _allotments(model: PrescriptionModel, draft: Draft) -> pd.DataFrame:
    s, pairs = model.situation, model.pairs
    ps = np.flatnonzero(draft.allot_u > 0)
    ps = ps[np.lexsort((pairs.community[ps], pairs.action[ps]))]
    return pd.DataFrame(
        {
            "action_id": [s.actions.action_id[k] for k in pairs.action[ps]],
            "community_id": [s.community_id[i] for i in pairs.community[ps]],
            "area_m2": draft.allot_u[ps] / UNITS_PER_M2,
        }
    )


def _communities(s: Situation, covered: BoolArray, after: IntArray) -> pd.DataFrame:
    before = [np.where(one, "pass", "fail").astype(object) for one in (s.in_reach(s.covered_now), s.deficit_u == 0)]
    later = [np.where(one, "pass", "fail").astype(object) for one in (s.in_reach(covered), after >= s.deficit_u)]
    for reach, area in (before, later):
        area[s.deficit_u < 0] = "unknown"
        reach[s.households <= 0] = area[s.households <= 0] = "not_applicable"
    return pd.DataFrame(
        {
            "community_id": list(s.community_id),
            "meets_before": _both(*before),
            "meets_after": _both(*later),
            "in_reach_before": before[0],
            "in_reach_after": later[0],
            "has_area_before": before[1],
            "has_area_after": later[1],
            "area_before_m2": s.allotted_m2,
            "area_after_m2": s.allotted_m2 + after / UNITS_PER_M2,
            "weight": s.weight / 1000.0,
        }
    )


def _both(reach: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Return the three-valued AND of two verdicts."""
    rank = {"fail": 0, "unknown": 1, "pass": 2, "not_applicable": 3}
    return np.array([min(pair, key=rank.__getitem__) for pair in zip(reach, area, strict=True)], dtype=object)
