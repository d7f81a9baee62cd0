"""Why each action is in the plan, and what each site left out would have added; in sentences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from siting.allocation.draft import Draft
from siting.allocation.prescription_model import PrescriptionModel
from siting.allocation.situation import UNITS_PER_M2, Situation
from siting.arrays import IntArray
from siting.text import Text


def reasons(model: PrescriptionModel, draft: Draft) -> pd.DataFrame:
    """Return what each chosen action does with the rest of the plan fixed, one row a chosen action.

    ``households_brought_in`` live where nothing else of the plan or of today reaches; ``deficit_filled_m2`` is what
    is allotted from it; ``communities_met`` meet the standard with it and not without it.

    Parameters
    ----------
    model
        The prescription.
    draft
        The plan.

    Returns
    -------
    DataFrame
        households_brought_in, deficit_filled_m2, communities_met, why_zh, why_en.
    """
    s, pairs = model.situation, model.pairs
    ks = np.flatnonzero(draft.chosen)
    times = np.zeros(len(s.demand_community), dtype=np.int64)
    for k in ks[s.actions.counted[ks]]:
        times[_homes(s, k)] += 1
    meets = draft.meets(s, pairs)
    rows = []
    for k in ks:
        homes = _homes(s, k) if s.actions.counted[k] else np.zeros(0, dtype=np.int64)
        only = homes[(times[homes] == 1) & ~s.covered_now[homes]]
        without = draft.chosen.copy()
        without[k] = False
        kept = Draft(without, draft.area_u, np.where(pairs.action == k, 0, draft.allot_u))
        lost = np.flatnonzero(meets & ~kept.meets(s, pairs))
        given = draft.allot_u[pairs.action == k]
        why = _why(
            s,
            float(s.demand_households[only].sum()),
            int(given.sum()),
            int((given > 0).sum()),
            lost,
            bool(model.limits.required[k]),
            s.actions.services[k],
        )
        rows.append((float(s.demand_households[only].sum()), given.sum() / UNITS_PER_M2, len(lost), why.zh, why.en))
    return pd.DataFrame(
        rows, columns=["households_brought_in", "deficit_filled_m2", "communities_met", "why_zh", "why_en"]
    )


def _homes(s: Situation, k: np.signedinteger[Any]) -> IntArray:
    """Return the demand points that an action covers."""
    start = s.covers_by_action.indptr
    homes: IntArray = s.covers_by_action.indices[start[k] : start[k + 1]]
    return homes


def _why(
    s: Situation, households: float, given_u: int, to: int, lost: IntArray, required: bool, services: tuple[str, ...]
) -> Text:
    zh, en = [], []
    if required:
        zh.append("规划要求必选")
        en.append("it was required")
    if households >= 0.5:
        zh.append(f"只有它能把 {households:,.0f} 户带进生活圈")
        en.append(f"only it brings {households:,.0f} households within the circle")
    if given_u:
        zh.append(f"为 {to} 个社区补足 {given_u / UNITS_PER_M2:,.2f} 平方米")
        en.append(
            f"it gives {given_u / UNITS_PER_M2:,.2f} m² to {to} communities"
            if to > 1
            else f"it gives {given_u / UNITS_PER_M2:,.2f} m² to one community"
        )
    if len(lost):
        names = [s.community_name[i] or s.community_id[i] for i in lost[:3]]
        tail = f"等 {len(lost)} 个社区" if len(lost) > 3 else ""
        zh.append(f"没有它，{'、'.join(names)}{tail}就不达标")
        rest = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        en.append(f"without it {', '.join(names)}{rest} would not meet the standard")
    if not zh:
        zh.append("为相邻设施提供所需的服务" if services != ("comprehensive",) else "与其他点位一起补足覆盖")
        en.append(
            "it gives a neighbour the service it needs"
            if services != ("comprehensive",)
            else "it shares the households it covers with other sites"
        )
    text = "; ".join(en)
    return Text("；".join(zh) + "。", text[0].upper() + text[1:] + ".")


def left_out_table(model: PrescriptionModel, draft: Draft) -> pd.DataFrame:
    """Return what each action that was not chosen would add to the plan as it stands.

    Parameters
    ----------
    model
        The prescription.
    draft
        The plan.

    Returns
    -------
    DataFrame
        action_id, source_id, acquisition, households_would_bring, deficit_would_fill_m2, least_cost (万元), why_zh,
        why_en.
    """
    s, limits = model.situation, model.limits
    a = s.actions
    covered = s.covered_with(draft.chosen)
    left = np.maximum(s.deficit_u - draft.filled_u(s, model.pairs), 0) * (s.households > 0)
    circle = s.circle.T.tocsr()
    taken = {int(group) for group in a.group[draft.chosen] if group >= 0}
    rows = []
    for k in np.flatnonzero(~draft.chosen):
        homes = _homes(s, k)
        brings = float(s.demand_households[homes[~covered[homes]]].sum()) if a.counted[k] else 0.0
        near = circle.indices[circle.indptr[k] : circle.indptr[k + 1]]
        fills = min(int(limits.max_u[k]), int(left[near].sum())) if a.counted[k] else 0
        cost = float(a.fixed_cost[k] + a.unit_cost[k] * limits.min_u[k])
        why = _why_not(
            a.unusable[k],
            bool(limits.allowed[k]),
            int(a.group[k]) in taken,
            brings,
            fills,
            len(near),
            bool(a.counted[k]),
        )
        rows.append(
            (a.action_id[k], a.source_id[k], a.acquisition[k], brings, fills / UNITS_PER_M2, cost, why.zh, why.en)
        )
    columns = [
        "action_id",
        "source_id",
        "acquisition",
        "households_would_bring",
        "deficit_would_fill_m2",
        "least_cost",
        "why_zh",
        "why_en",
    ]
    return pd.DataFrame(rows, columns=columns)


def _why_not(
    unusable: Text | None, allowed: bool, group: bool, brings: float, fills: int, near: int, counted: bool
) -> Text:
    if unusable is not None:
        return Text(f"不可用：{unusable.zh}。", f"It cannot be taken: {unusable.en}.")
    if not allowed:
        return Text("规划中已禁止。", "It was forbidden.")
    if group:
        return Text("同一处已选了另一种取得方式。", "Another way to obtain the same place was chosen.")
    if not counted:
        return Text("不是综合服务设施，面积不计入。", "It is not a comprehensive facility; its area does not count.")
    if brings < 0.5 and not fills:
        if not near:
            return Text(
                "不在任何缺面积社区的生活圈内，也不带进新的住户。",
                "It lies in no circle of a community in need, and brings in no more households.",
            )
        return Text("它能服务的社区已由费用更低的组合满足。", "What it could serve is met by a cheaper combination.")
    return Text(
        f"选它可再带进 {brings:,.0f} 户、再补 {fills / UNITS_PER_M2:,.2f} 平方米，但不在所限条件下的最优组合中。",
        f"It would bring in {brings:,.0f} more households and fill {fills / UNITS_PER_M2:,.2f} m² more, but is not "
        "part of the best combination within the limits.",
    )
