"""The same situation told otherwise: records in another order, other ids, names and group numbers."""

from __future__ import annotations

import re
from dataclasses import fields, replace

import numpy as np
from scipy.sparse import csr_array

from siting.allocation.situation import Actions, Situation


def retold(situation: Situation, seed: int) -> tuple[Situation, dict[str, str]]:
    """Return a situation with its records shuffled and renamed, and the old name of each new one."""
    rng, s = np.random.default_rng(seed), situation
    community = rng.permutation(len(s.community_id))
    demand = rng.permutation(len(s.demand_community))
    action = rng.permutation(len(s.actions))
    old: dict[str, str] = {}

    def renamed(names, order, letter):
        fresh = [f"{letter}{number}" for number in rng.permutation(len(names))]
        old.update({new: names[at] for new, at in zip(fresh, order, strict=True)})
        return tuple(fresh)

    place, there = np.argsort(community), np.argsort(action)
    a = s.actions
    taken = {}
    for one in fields(Actions):
        values = getattr(a, one.name)
        taken[one.name] = tuple(values[k] for k in action) if isinstance(values, tuple) else values[action]
    taken["action_id"] = taken["source_id"] = renamed(a.action_id, action, "site")
    groups = rng.permutation(int(a.group.max(initial=-1)) + 1)
    taken["group"] = np.array([groups[g] if g >= 0 else -1 for g in taken["group"]], dtype=np.int64)
    taken["community"] = np.array([place[i] if i >= 0 else -1 for i in taken["community"]], dtype=np.int64)

    def matrix(values, rows, columns):
        row, column = values.coords if hasattr(values, "coords") else values.tocoo().coords
        return csr_array((values.data, (np.argsort(rows)[row], np.argsort(columns)[column])), shape=values.shape)

    companions = []
    for one in s.companions:
        order = rng.permutation(len(one.actions))
        partners = tuple(rng.permutation(there[one.partners[at]]).astype(np.int64) for at in order)
        companions.append(
            replace(one, actions=there[one.actions[order]], settled=one.settled[order], partners=partners)
        )
    return (
        replace(
            s,
            community_id=renamed(s.community_id, community, "village"),
            community_name=tuple(s.community_name[i] for i in community),
            **{
                name: getattr(s, name)[community]
                for name in ("urban", "resettlement", "households", "weight", "allotted_m2", "deficit_u")
            },
            **{name: getattr(s, name)[demand] for name in ("demand_households", "covered_now", "cutoff_m")},
            demand_community=place[s.demand_community[demand]],
            community_lonlat=s.community_lonlat[community] if len(s.community_lonlat) else s.community_lonlat,
            demand_lonlat=s.demand_lonlat[demand] if len(s.demand_lonlat) else s.demand_lonlat,
            actions=Actions(**taken),
            covers=matrix(s.covers.tocoo(), demand, action),
            circle=matrix(s.circle.tocoo(), community, action),
            candidate_m=matrix(s.candidate_m.tocoo(), demand, action),
            targets=tuple(replace(one, members=one.members[community]) for one in s.targets),
            companions=tuple(companions),
        ),
        old,
    )


def told(plan, old: dict[str, str] | None = None) -> list[str]:
    """Return all that a plan says, to the last bit, row by row in the order of names, with the old names put back."""

    def back(text: str) -> str:
        return re.sub(r"[A-Za-z]+\d+\+?", lambda word: (old or {}).get(word[0], word[0]), text)

    def table(frame, *names):
        for name in (*names, *(column for column in frame.columns if column.startswith(("why_", "note_")))):
            frame = frame.assign(**{name: [back(one) for one in frame[name]]})
        return "\n".join(sorted(repr(row) for row in frame.itertuples(index=False, name=None)))

    said = [
        plan.status,
        repr(plan.total_cost),
        table(plan.actions, "action_id", "source_id"),
        table(plan.allotments, "action_id", "community_id"),
        table(plan.communities, "community_id"),
        table(plan.blocked, "community_id", "nearest_candidate_id"),
        table(plan.cuts, "community_ids", "action_ids"),
        table(plan.left_out, "action_id", "source_id"),
        repr([(stage.id, stage.value, stage.bound, stage.gap, stage.proven) for stage in plan.stages]),
    ]
    if plan.curve is not None:
        said.append(plan.curve.to_csv())
    if plan.phases is not None:
        said.append(table(plan.phases, "action_id", "source_id"))
    return said + [line for one in plan.alternatives for line in told(one, old)]
