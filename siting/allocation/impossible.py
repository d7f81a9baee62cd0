"""When it cannot be done: who is beyond every candidate and by how much, and who asks for more area than there is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from siting.allocation.draft import Draft
from siting.allocation.linear import LinearModel
from siting.allocation.plan import each_row
from siting.allocation.prescription_model import Limits, PrescriptionModel
from siting.allocation.situation import UNITS_PER_M2, Situation
from siting.allocation.solve import solve_lp, solve_mip
from siting.arrays import BoolArray, IntArray
from siting.inputs.pieces import connected_pieces
from siting.text import Text


@dataclass(frozen=True, slots=True)
class ReachCure:
    """The least that would bring a community in reach: a candidate nearer by ``excess_m``, or its circle so much wider.

    ``action`` is the candidate, ``distance_m`` its distance to the household that completes the share asked.
    """

    action: int
    distance_m: float
    excess_m: float


def reach_cure(situation: Situation, allowed: BoolArray, community: int) -> ReachCure | None:
    """Return the cure of a community that is out of reach even with every allowed candidate built.

    Whole millimetres: wider by ``excess_m`` the community is in reach, by one less it is not.

    Parameters
    ----------
    situation
        What the plan starts from.
    allowed
        Which actions may be taken, shape (k,).
    community
        Its row.

    Returns
    -------
    ReachCure or None
        None when no candidate can be walked to from enough households.
    """
    s = situation
    covered = s.covered_with(allowed)
    homes = np.flatnonzero((s.demand_community == community) & ~covered)
    need = float(s.needed_households[community] - s.households_in_reach(covered)[community])
    able = allowed & s.actions.counted & np.array([kind == "candidate" for kind in s.actions.kind], dtype=bool)
    rows = s.candidate_m[homes]
    home = np.repeat(homes, np.diff(rows.indptr))
    distance_mm = np.rint(rows.data * 1000).astype(np.int64)
    beyond_mm = distance_mm - np.rint(s.cutoff_m[home] * 1000).astype(np.int64)
    best: ReachCure | None = None
    for k in np.unique(rows.indices):
        if not able[k]:
            continue
        mine = np.flatnonzero(rows.indices == k)
        mine = mine[np.argsort(beyond_mm[mine], kind="stable")]
        enough = np.flatnonzero(np.cumsum(s.demand_households[home[mine]]) >= need)
        if len(enough):
            at = mine[enough[0]]
            if best is None or beyond_mm[at] / 1000 < best.excess_m:
                best = ReachCure(int(k), float(distance_mm[at] / 1000), float(beyond_mm[at] / 1000))
    return best


def area_cuts(model: PrescriptionModel) -> pd.DataFrame:
    """Return the smallest sets of communities that ask for more area than can be had within their circles.

    The budget and the number of sites play no part. A maximum flow from actions to deficits is found; the
    communities from which an unfilled one could still take area make up its minimum cut. Of an exclusive group, the
    member is counted that lets most be filled. ``missing_m2`` granted to the set makes its area feasible, a
    hundredth of a m² less does not.

    Parameters
    ----------
    model
        The prescription.

    Returns
    -------
    DataFrame
        One row a set: cut_id, community_ids, action_ids (";"-joined), asked_m2, available_m2, missing_m2, note_zh,
        note_en.
    """
    s, pairs = model.situation, model.pairs
    deficit = np.where((s.deficit_u > 0) & (s.households > 0), s.deficit_u, 0)
    able = _members_that_fill_most(s, model.limits, pairs.community, pairs.action, deficit)
    live = np.flatnonzero(able[pairs.action])
    community, action = pairs.community[live], pairs.action[live]
    flow = _most_filled(community, action, deficit, np.where(able, model.limits.max_u, 0))
    filled = np.zeros(len(deficit), dtype=np.int64)
    np.add.at(filled, community, flow)
    rows: list[dict[str, object]] = []
    for members in _short_sets(community, action, flow, np.flatnonzero(filled < deficit), len(deficit), len(able)):
        near = np.unique(action[np.isin(community, members)])
        asked, available = int(deficit[members].sum()), int(model.limits.max_u[near].sum())
        names = [s.community_name[i] or s.community_id[i] for i in members[:3]]
        more = (f"等 {len(members)} 个社区", f" and {len(members) - 3} more") if len(members) > 3 else ("", "")
        lack = "together lack" if len(members) > 1 else "lacks"
        need, have, gone = (f"{value / UNITS_PER_M2:,.2f}" for value in (asked, available, asked - available))
        rows.append(
            {
                "cut_id": f"Q{len(rows) + 1}",
                "community_ids": ";".join(s.community_id[i] for i in members),
                "action_ids": ";".join(s.actions.action_id[k] for k in near),
                "asked_m2": asked / UNITS_PER_M2,
                "available_m2": available / UNITS_PER_M2,
                "missing_m2": (asked - available) / UNITS_PER_M2,
                "note_zh": f"{'、'.join(names)}{more[0]}缺 {need} 平方米，生活圈内可选的点位最多能提供 {have} 平方米，"
                f"还差 {gone} 平方米",
                "note_en": f"{', '.join(names)}{more[1]} {lack} {need} m²; what may be chosen within the circle gives "
                f"{have} m² at most; {gone} m² are missing",
            }
        )
    columns = ["cut_id", "community_ids", "action_ids", "asked_m2", "available_m2", "missing_m2", "note_zh", "note_en"]
    return pd.DataFrame(rows, columns=columns)


def _fill_model(community: IntArray, action: IntArray, deficit: IntArray, supply: IntArray) -> LinearModel:
    """Return the model of the most that can be filled, columns one a pair, in hundredths of a m²."""
    p, arcs = len(community), np.arange(len(community))
    ones = np.ones(p)
    model = LinearModel(
        -ones,
        csr_array((ones, (community, arcs)), shape=(len(deficit), p)),
        np.full(len(deficit), -np.inf),
        deficit.astype(float),
        np.zeros(p),
        np.full(p, np.inf),
        np.zeros(p, bool),
    )
    return model.with_rows(
        csr_array((ones, (action, arcs)), shape=(len(supply), p)), np.full(len(supply), -np.inf), supply.astype(float)
    )


def _most_filled(community: IntArray, action: IntArray, deficit: IntArray, supply: IntArray) -> IntArray:
    """Return a maximum flow, whole units of each pair (a vertex of a network's polytope is whole)."""
    if not len(community):
        return np.zeros(0, dtype=np.int64)
    values = solve_lp(_fill_model(community, action, deficit, supply), time_limit_s=600.0, method="simplex").values
    return np.zeros(len(community), dtype=np.int64) if values is None else np.rint(values).astype(np.int64)


def _members_that_fill_most(
    s: Situation, limits: Limits, community: IntArray, action: IntArray, deficit: IntArray
) -> BoolArray:
    """Return the allowed actions with one member of each exclusive group: those that together fill most."""
    groups = np.where(limits.allowed & s.actions.counted, s.actions.group, -1)
    several = [g for g in np.unique(groups[groups >= 0]) if int((groups == g).sum()) > 1]
    able = limits.allowed & s.actions.counted
    if not several:
        return able
    in_group = np.flatnonzero(np.isin(groups, several))
    flow = _fill_model(community, action, deficit, np.where(np.isin(groups, several), 10**12, limits.max_u))
    p, g = len(community), len(in_group)
    slot = np.full(len(able), -1)
    slot[in_group] = np.arange(g)
    mine = np.flatnonzero(slot[action] >= 0)
    wide = LinearModel(
        np.concatenate([flow.cost, np.zeros(g)]),
        csr_array((flow.matrix.data, flow.matrix.indices, flow.matrix.indptr), shape=(flow.matrix.shape[0], p + g)),
        flow.row_lower,
        flow.row_upper,
        np.zeros(p + g),
        np.concatenate([flow.col_upper, np.ones(g)]),
        np.concatenate([np.zeros(p, bool), np.ones(g, bool)]),
    )
    data = np.concatenate([np.ones(len(mine)), -limits.max_u[in_group].astype(float)])
    coordinates = (np.concatenate([slot[action[mine]], np.arange(g)]), np.concatenate([mine, p + np.arange(g)]))
    wide = wide.with_rows(csr_array((data, coordinates), shape=(g, p + g)), np.full(g, -np.inf), np.zeros(g))
    _, number = np.unique(groups[in_group], return_inverse=True)
    one_each = csr_array((np.ones(g), (number, p + np.arange(g))), shape=(number.max() + 1, p + g))
    wide = wide.with_rows(one_each, np.full(one_each.shape[0], -np.inf), np.ones(one_each.shape[0]))
    chosen = solve_mip(wide, start=np.zeros(p + g), time_limit_s=60.0).found[p:] > 0.5
    able = able.copy()
    able[in_group[~chosen]] = False
    return able


def _short_sets(
    community: IntArray, action: IntArray, flow: IntArray, short: IntArray, n: int, k: int
) -> list[IntArray]:
    """Return the closures of the unfilled communities: who holds area that they could take, joined where they meet."""
    by_community = csr_array((np.ones(len(action)), (community, action)), shape=(n, k))
    held = flow > 0
    by_action = csr_array((np.ones(int(held.sum())), (action[held], community[held])), shape=(k, n))
    inside = np.zeros(n, dtype=bool)
    inside[short] = True
    links: list[tuple[int, int]] = []
    queue, seen = [int(i) for i in short], np.zeros(k, dtype=bool)
    while queue:
        i = queue.pop()
        for at in by_community.indices[by_community.indptr[i] : by_community.indptr[i + 1]]:
            links.append((i, n + int(at)))
            if seen[at]:
                continue
            seen[at] = True
            for j in by_action.indices[by_action.indptr[at] : by_action.indptr[at + 1]]:
                if not inside[j]:
                    inside[j] = True
                    queue.append(int(j))
    members = np.flatnonzero(inside)
    if not len(members):
        return []
    ends = np.array(links, dtype=np.int64).reshape(-1, 2)
    part = connected_pieces(ends[:, 0], ends[:, 1], n + k)[members]
    return [members[part == one] for one in dict.fromkeys(part.tolist())]


def blocked_table(model: PrescriptionModel, draft: Draft, cuts: pd.DataFrame, asked: BoolArray) -> pd.DataFrame:
    """Return the communities that were asked for and are not brought to the standard, each with every reason.

    Parameters
    ----------
    model
        The prescription.
    draft
        The plan.
    cuts
        From `area_cuts`.
    asked
        Which communities were asked for and are not met, shape (n,).

    Returns
    -------
    DataFrame
        community_id, reason, nearest_candidate_id, nearest_m, excess_m, missing_m2, note_zh, note_en.
    """
    s = model.situation
    filled = draft.filled_u(s, model.pairs)
    could = s.in_reach(s.covered_with(model.limits.allowed))
    cut_of = {name: row for row in each_row(cuts) for name in row.community_ids.split(";")}
    rows = []
    for i in np.flatnonzero(asked):
        found: list[tuple[str, str, float, float, float, Text]] = []
        left = max(0, int(s.deficit_u[i] - filled[i])) / UNITS_PER_M2
        if not could[i]:
            found.append(_reach_reason(s, model.limits.allowed, int(i)))
        if s.deficit_u[i] < 0:
            note = Text(
                "登记面积不全，无法判断", "the ledger does not say how much area it has; no verdict is possible"
            )
            found.append(("unknown", "", np.nan, np.nan, np.nan, note))
        elif s.community_id[i] in cut_of and left > 0:
            cut = cut_of[s.community_id[i]]
            note = Text(f"缺 {left:,.2f} 平方米。{cut.note_zh}", f"{left:,.2f} m² short. {cut.note_en}")
            found.append(("area", "", np.nan, np.nan, left, note))
        if not found:
            found.append(("budget", "", np.nan, np.nan, left, _limit_note(model, left)))
        rows += [(s.community_id[i], *one[:5], one[5].zh, one[5].en) for one in found]
    columns = [
        "community_id",
        "reason",
        "nearest_candidate_id",
        "nearest_m",
        "excess_m",
        "missing_m2",
        "note_zh",
        "note_en",
    ]
    return pd.DataFrame(rows, columns=columns)


def _reach_reason(s: Situation, allowed: BoolArray, i: int) -> tuple[str, str, float, float, float, Text]:
    cure = reach_cure(s, allowed, i)
    if cure is None:
        note = Text(
            "没有任何可选的点位能让足够多的住户走到",
            "no site that may be chosen can be walked to from enough of its households",
        )
        return ("reach", "", np.nan, np.nan, np.nan, note)
    name = s.actions.source_id[cure.action]
    note = Text(
        f"可选的点位都太远：最近的 {name} 还远 {cure.excess_m:,.3f} 米（{cure.distance_m:,.0f} 米）",
        f"every site that may be chosen is too far: the nearest, {name}, by {cure.excess_m:,.3f} m "
        f"({cure.distance_m:,.0f} m away)",
    )
    return ("reach", name, cure.distance_m, cure.excess_m, np.nan, note)


def _limit_note(model: PrescriptionModel, left: float) -> Text:
    """Return why a community that could be met is not: what the planner limited."""
    zh, en = [], []
    if model.limits.budget is not None:
        zh.append("预算")
        en.append("the budget")
    if model.limits.sites is not None:
        zh.append("点位数")
        en.append("the number of sites")
    if not zh:
        zh.append("互斥、相邻等规则或各社区对同一面积的争用")
        en.append("exclusive groups, neighbours, or others that need the same area")
    return Text(
        f"单独可以达标，受{'和'.join(zh)}所限未安排（还缺 {left:,.2f} 平方米）",
        f"it could be met alone, but not within {' and '.join(en)} ({left:,.2f} m² short)",
    )
