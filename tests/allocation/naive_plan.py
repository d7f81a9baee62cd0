"""The slow twin of the prescription: every set of actions and of communities, one small linear programme each."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from scipy.optimize import linprog

from siting.allocation.plan import PlanOptions
from siting.allocation.situation import Situation

SLACK = 1e-6


def choices(s: Situation, options: PlanOptions) -> Iterator[tuple[int, ...]]:
    """Every set of actions that the rules allow."""
    a = s.actions
    for size in range(len(a) + 1):
        for ks in itertools.combinations(range(len(a)), size):
            names = {a.action_id[k] for k in ks}
            groups = [a.group[k] for k in ks if a.group[k] >= 0]
            lonely = any(
                k in ks and not settled and not set(partners.tolist()) & set(ks)
                for c in s.companions
                for k, settled, partners in zip(c.actions.tolist(), c.settled, c.partners, strict=True)
            )
            if (
                all(a.unusable[k] is None for k in ks)
                and not names & set(options.forbid)
                and set(options.require) <= names
                and len(groups) == len(set(groups))
                and not lonely
                and (options.sites is None or sum(a.kind[k] == "candidate" for k in ks) <= options.sites)
            ):
                yield ks


def in_reach(s: Situation, ks: tuple[int, ...]) -> list[bool]:
    """Home by home."""
    found, covers = [], s.covers.toarray()
    for i in range(len(s.community_id)):
        inside = 0.0
        for d in np.flatnonzero(s.demand_community == i):
            near = any(covers[d, k] > 0 and s.actions.counted[k] for k in ks)
            inside += s.demand_households[d] if near or s.covered_now[d] else 0.0
        found.append(s.households[i] > 0 and inside >= (s.reach_share - 1e-9) * s.households[i])
    return found


class Corner:
    """One set of actions and one set of communities to fill: a linear programme over areas and allotments, in m²."""

    def __init__(self, s: Situation, options: PlanOptions, ks: tuple[int, ...], met: tuple[int, ...]) -> None:
        self.s, self.ks, self.met = s, ks, met
        a = s.actions
        circle = s.circle.toarray()
        self.pairs = [
            (i, k)
            for k in ks
            for i in range(len(s.community_id))
            if a.counted[k] and s.deficit_u[i] > 0 and s.households[i] > 0 and circle[i, k] > 0
        ]
        n = len(ks) + len(self.pairs)
        self.rows: list[np.ndarray] = []
        self.upper: list[float] = []
        for at, k in enumerate(ks):
            row = np.zeros(n)
            row[at] = -1
            for p, (_, action) in enumerate(self.pairs):
                row[len(ks) + p] = action == k
            self.add(row, 0.0)
        for i in range(len(s.community_id)):
            row = np.array([0.0] * len(ks) + [float(j == i) for j, _ in self.pairs])
            if s.deficit_u[i] > 0:
                self.add(row, s.deficit_u[i] / 100)
                if i in met:
                    self.add(-row, -s.deficit_u[i] / 100)
        self.fixed = float(a.fixed_cost[list(ks)].sum())
        price = (a.area_cost + a.yearly_cost)[list(ks)]
        self.price = np.concatenate([price, np.zeros(len(self.pairs))])
        self.fill = np.concatenate([np.zeros(len(ks)), np.ones(len(self.pairs))])
        anew = [float(a.acquisition[k] == "new_build") for k in ks]
        self.anew = np.concatenate([anew, np.zeros(len(self.pairs))])
        self.bounds = [(a.min_u[k] / 100, a.max_u[k] / 100) for k in ks] + [(0, None)] * len(self.pairs)
        if options.budget is not None:
            self.add(self.price, options.budget - self.fixed + SLACK)

    def add(self, row: np.ndarray, upper: float) -> None:
        self.rows.append(row)
        self.upper.append(upper)

    def least(self, objective: np.ndarray, *more: tuple[np.ndarray, float]) -> float | None:
        """The least of an objective, with rows (row, upper) more; None when there is no way."""
        if not len(objective):
            return 0.0 if all(upper >= 0 for upper in (*self.upper, *(u for _, u in more))) else None
        rows = [*self.rows, *(row for row, _ in more)]
        upper = [*self.upper, *(value for _, value in more)]
        found = linprog(objective, A_ub=np.array(rows), b_ub=np.array(upper), bounds=self.bounds)
        return float(found.fun) if found.status == 0 else None


def best_of_stages(s: Situation, options: PlanOptions, reached: dict[str, float]) -> dict[str, float]:
    """The best value of every stage, each given what the plan says it reached in the stages before."""
    weight = s.weight / 1000
    now = in_reach(s, ())
    met_now = {i for i in range(len(weight)) if now[i] and s.deficit_u[i] == 0}
    corners = []
    for ks in choices(s, options):
        reach = in_reach(s, ks)
        able = [i for i in range(len(weight)) if reach[i] and s.deficit_u[i] >= 0]
        for size in range(len(able) + 1):
            for met in itertools.combinations(able, size):
                corner = Corner(s, options, ks, met)
                if corner.least(corner.price) is not None:
                    corners.append(corner)
    best: dict[str, float] = {}

    def newly(corner: Corner) -> list[int]:
        return [i for i in corner.met if i not in met_now]

    if "resettlement" in reached:

        def first(corner: Corner) -> float:
            return float(sum(weight[i] for i in newly(corner) if s.resettlement[i]))

        best["resettlement"] = max(map(first, corners))
        corners = [c for c in corners if first(c) >= reached["resettlement"] - 5e-4]
    if "targets" in reached:

        def score(corner: Corner) -> float:
            everyone = set(corner.met) | met_now
            return sum(min(t.needed, sum(bool(t.members[i]) for i in everyone)) for t in s.targets)

        best["targets"] = max(map(score, corners))
        corners = [c for c in corners if score(c) >= reached["targets"] - 0.5]
    if "households" in reached:

        def brought(corner: Corner) -> float:
            return float(sum(weight[i] for i in newly(corner)))

        best["households"] = max(map(brought, corners))
        corners = [c for c in corners if brought(c) >= reached["households"] - 5e-4]
    held: list[tuple[str, float]] = []
    if "area" in reached:
        best["area"] = max(-value for c in corners if (value := c.least(-c.fill)) is not None)
        held.append(("fill", -(reached["area"] - 1e-6)))

    def rows(corner: Corner) -> list[tuple[np.ndarray, float]]:
        return [(-corner.fill, upper) for _, upper in held]

    costs = [value + c.fixed for c in corners if (value := c.least(c.price, *rows(c))) is not None]
    best["cost"] = min(costs)
    if "new_build" in reached:
        most = reached["cost"] * (1 + s.prefer_existing_share) + SLACK
        values = [c.least(c.anew, *rows(c), (c.price, most - c.fixed)) for c in corners]
        best["new_build"] = min(value for value in values if value is not None)
        least = reached["new_build"] + 0.01
        spent = [c.least(c.price, *rows(c), (c.price, most - c.fixed), (c.anew, least)) for c in corners]
        best["spending"] = min(v + c.fixed for v, c in zip(spent, corners, strict=True) if v is not None)
    return best
