"""Small random situations for the slow twin: whole numbers, every rule in play."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from scipy.sparse import csr_array

from siting.allocation.plan import PlanOptions
from siting.allocation.situation import Actions, Companion, Situation, Target
from siting.text import Text

WAYS = ("lease", "new_build", "purchase", "reuse")


@st.composite
def situations(draw: st.DrawFn, *, communities: int = 3, actions: int = 4, extensions: bool = True) -> Situation:
    """Up to three communities of one to three demand points, up to four actions."""
    n = draw(st.integers(1, communities))
    k = draw(st.integers(1, actions))
    whole = st.integers
    points = [draw(whole(1, 3)) for _ in range(n)]
    community = np.repeat(np.arange(n), points)
    m = len(community)
    homes = np.array([draw(whole(0 if points[i] > 1 else 1, 9)) * 10.0 for i in community])
    households = np.bincount(community, homes, minlength=n)
    kinds = [
        draw(st.sampled_from(["candidate", "candidate", "extension"] if extensions else ["candidate"]))
        for _ in range(k)
    ]
    low = np.array([0 if kind == "extension" else draw(whole(0, 3)) * 10 for kind in kinds])
    span = np.array([draw(whole(1, 6)) * 10 for _ in range(k)])
    near = np.array([[draw(st.booleans()) for _ in range(k)] for _ in range(m)], dtype=bool).reshape(m, k)
    fresh = np.array([kind == "candidate" for kind in kinds])
    offers = [("comprehensive",) if draw(whole(0, 5)) else ("health_station",) for _ in range(k)]
    counted = np.array(
        [row == ("comprehensive",) or kind == "extension" for row, kind in zip(offers, kinds, strict=True)]
    )
    inside = np.zeros((n, k))
    np.add.at(inside, community, near * homes[:, None])
    circle = (inside >= 0.5 * households[:, None]) & (households[:, None] > 0)
    table = Actions(
        action_id=tuple(f"K{at}" for at in range(k)),
        kind=tuple(kinds),
        source_id=tuple(f"K{at}" for at in range(k)),
        acquisition=tuple("extension" if kind == "extension" else draw(st.sampled_from(WAYS)) for kind in kinds),
        services=tuple(offers),
        counted=counted,
        min_u=low * 100,
        max_u=(low + span) * 100,
        fixed_cost=np.array([0.0 if kind == "extension" else float(draw(whole(0, 9))) for kind in kinds]),
        area_cost=np.array([draw(whole(1, 9)) / 10 for _ in range(k)]),
        yearly_cost=np.array([draw(whole(0, 2)) / 10 for _ in range(k)]),
        group=np.array([draw(st.sampled_from([-1, -1, 0])) if kind == "candidate" else -1 for kind in kinds]),
        community=np.full(k, -1),
        lon=np.zeros(k),
        lat=np.zeros(k),
        unusable=tuple(None if draw(whole(0, 9)) else Text("无", "no price") for _ in range(k)),
    )
    deficit = np.array([draw(st.sampled_from([-1, 0, 1000, 2000, 3550, 5000])) for _ in range(n)])
    health = np.flatnonzero(~counted)
    needs = np.flatnonzero(counted & fresh)[:1]
    companions = (
        (
            Companion(
                Text("卫生站相邻", "health station next to it"),
                needs,
                np.zeros(len(needs), bool),
                (health,) * len(needs),
            ),
        )
        if len(needs) and len(health)
        else ()
    )
    members = np.array([draw(st.booleans()) for _ in range(n)]) & (households > 0)
    return Situation(
        community_id=tuple(f"C{at}" for at in range(n)),
        community_name=tuple(f"village {at}" for at in range(n)),
        urban=np.zeros(n, dtype=bool),
        resettlement=np.array([draw(whole(0, 4)) == 0 for _ in range(n)]),
        households=households,
        weight=np.rint(households * 1000).astype(np.int64) + np.arange(n),
        allotted_m2=np.where(deficit < 0, np.nan, 50.0),
        deficit_u=deficit,
        target_m2=30.0,
        reach_share=draw(st.sampled_from([0.5, 0.8, 0.9, 1.0])),
        demand_community=community,
        demand_households=homes,
        covered_now=np.array([draw(st.booleans()) for _ in range(m)]),
        actions=table,
        covers=csr_array((near & fresh & counted).astype(float)),
        circle=csr_array(circle.astype(float)),
        candidate_m=csr_array(np.where(near, 100.0, 0.0)),
        cutoff_m=np.full(m, 1000.0),
        targets=(Target(Text("目标", "a target"), members, int(np.ceil(0.8 * members.sum()))),),
        companions=companions,
        prefer_existing_share=draw(st.sampled_from([0.0, 0.1])),
    )


@st.composite
def wishes(draw: st.DrawFn, s: Situation, *, gap: float = 0.0) -> PlanOptions:
    """Budget, sites, compliance, required and forbidden actions."""
    usable = [name for name, why in zip(s.actions.action_id, s.actions.unusable, strict=True) if why is None]
    forbid = tuple(draw(st.sets(st.sampled_from(usable), max_size=1))) if usable else ()
    rest = [name for name in usable if name not in forbid]
    require = tuple(draw(st.sets(st.sampled_from(rest), max_size=1))) if rest else ()
    return PlanOptions(
        budget=draw(st.sampled_from([None, None, 0.0, 10.0, 25.0, 50.0])),
        sites=draw(st.sampled_from([None, None, 1, 2])),
        compliance=draw(st.sampled_from(["most", "every", "targets"])),
        require=require,
        forbid=forbid,
        gap=gap,
        time_limit_s=30.0,
    )
