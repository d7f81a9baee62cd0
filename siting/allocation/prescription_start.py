"""A first plan, fast: communities bid for the cheapest way to meet the standard, most weight per cost first."""

from __future__ import annotations

import heapq

import numpy as np

from siting.allocation.draft import Draft
from siting.allocation.prescription_model import PrescriptionModel
from siting.allocation.situation import MONEY_SLACK
from siting.arrays import IntArray


def greedy_draft(model: PrescriptionModel) -> Draft:
    """Return a draft that meets communities one after another, most weight per cost first, within the limits.

    Parameters
    ----------
    model
        The prescription; its budget, groups, neighbours, sites and areas are respected.
    """
    work = _Work(model)
    for k in np.flatnonzero(model.limits.required):
        work.take(int(k))
    s = model.situation
    heap = [(-np.inf, int(i)) for i in model.open]
    heapq.heapify(heap)
    while heap:
        _, i = heapq.heappop(heap)
        bid = work.bid(i, reach=True)
        if bid is None:
            continue
        cost, moves = bid
        rank = -float(s.weight[i]) / max(cost, 1e-9) * (1e9 if s.resettlement[i] else 1.0)
        if heap and rank > heap[0][0]:
            heapq.heappush(heap, (rank, i))
            continue
        if cost <= work.money + MONEY_SLACK:
            work.apply(i, moves)
    for at in np.flatnonzero(s.deficit_u > 0).tolist():
        bid = work.bid(at, reach=False)
        if bid is not None and bid[0] <= work.money + MONEY_SLACK:
            work.apply(at, bid[1])
    return work.draft()


class _Work:
    """What has been taken so far, while the greedy runs."""

    def __init__(self, model: PrescriptionModel) -> None:
        s, limits = model.situation, model.limits
        self.model, self.s, self.limits = model, s, limits
        k = len(s.actions)
        self.taken = np.zeros(k, dtype=bool)
        self.used = np.zeros(k, dtype=np.int64)
        self.allot = np.zeros(len(model.pairs.action), dtype=np.int64)
        self.covered = np.zeros(len(model.classes.community), dtype=bool)
        self.filled = np.zeros(len(s.community_id), dtype=np.int64)
        self.unit = s.actions.unit_cost
        self.opening = s.actions.fixed_cost + self.unit * limits.min_u
        self.money = np.inf if limits.budget is None else float(limits.budget)
        self.sites = np.inf if limits.sites is None else limits.sites
        self.candidate = np.array([kind == "candidate" for kind in s.actions.kind], dtype=bool)
        self.group_taken: set[int] = set()
        self.need = s.needed_households - s.households_in_reach(s.covered_now)
        n = len(s.community_id)
        self.class_at = np.searchsorted(model.classes.community, np.arange(n + 1))
        self.pair_at = np.searchsorted(model.pairs.community, np.arange(n + 1))
        self.classes_of: list[list[int]] = [[] for _ in range(k)]
        for g, ks in enumerate(model.classes.actions):
            for action in ks:
                self.classes_of[action].append(g)
        self.lone = {
            int(a) for c in s.companions for a, settled in zip(c.actions, c.settled, strict=True) if not settled
        }

    def free(self, k: int) -> bool:
        """Whether an action may still be taken (those that need a neighbour are left to the exact search)."""
        group = int(self.s.actions.group[k])
        return bool(self.limits.allowed[k]) and k not in self.lone and (group < 0 or group not in self.group_taken)

    def take(self, k: int) -> None:
        """Take an action at its smallest area and pay for it."""
        if self.taken[k]:
            return
        self.taken[k] = True
        self.money -= float(self.opening[k])
        self.sites -= int(self.candidate[k])
        if self.s.actions.group[k] >= 0:
            self.group_taken.add(int(self.s.actions.group[k]))
        self.covered[self.classes_of[k]] = True

    def bid(self, i: int, *, reach: bool) -> tuple[float, list[tuple[int, int]]] | None:
        """Return the cheapest way found to meet community i (or only to fill it): cost and moves (pair, units).

        A move with pair -1 - k takes action k for its reach only. None when there is no way left.
        """
        opened: set[int] = set()
        moves: list[tuple[int, int]] = []
        cost = 0.0
        if reach:
            extra = self._reach_bid(i, opened)
            if extra is None:
                return None
            cost += extra
            moves += [(-1 - k, 0) for k in sorted(opened)]
        filling = self._fill_bid(i, opened)
        if filling is None:
            return None
        if sum(bool(self.candidate[k]) for k in opened) > self.sites:
            return None
        return cost + filling[0], moves + filling[1]

    def _reach_bid(self, i: int, opened: set[int]) -> float | None:
        classes = self.model.classes
        gs = list(range(self.class_at[i], self.class_at[i + 1]))
        need = float(self.need[i]) - sum(float(classes.households[g]) for g in gs if self.covered[g])
        left = [g for g in gs if not self.covered[g]]
        cost = 0.0
        while need > 0:
            gain: dict[int, float] = {}
            for g in left:
                for k in classes.actions[g]:
                    if self.free(int(k)) and int(k) not in opened:
                        gain[int(k)] = gain.get(int(k), 0.0) + float(classes.households[g])
            gain = {k: v for k, v in gain.items() if not self._clashes(k, opened)}
            if not gain:
                return None
            best = min(gain, key=lambda k: ((self.opening[k] + 1e-6) / min(gain[k], need), k))
            opened.add(best)
            cost += float(self.opening[best])
            need -= gain[best]
            left = [g for g in left if best not in classes.actions[g]]
        return cost

    def _clashes(self, k: int, opened: set[int]) -> bool:
        group = int(self.s.actions.group[k])
        return group >= 0 and any(int(self.s.actions.group[other]) == group for other in opened)

    def _fill_bid(self, i: int, opened: set[int]) -> tuple[float, list[tuple[int, int]]] | None:
        left = int(self.s.deficit_u[i] - self.filled[i])
        cost, moves = 0.0, []
        pairs = [
            p for p in range(self.pair_at[i], self.pair_at[i + 1]) if self.limits.max_u[self.model.pairs.action[p]] > 0
        ]
        while left > 0:
            best, best_price, best_units, best_cost = -1, np.inf, 0, 0.0
            for p in pairs:
                k = int(self.model.pairs.action[p])
                units, price = self._offer(k, left, opened)
                if units > 0 and price / units < best_price:
                    best, best_price, best_units, best_cost = p, price / units, units, price
            if best < 0:
                return None
            cost += best_cost
            moves.append((best, best_units))
            opened.add(int(self.model.pairs.action[best]))
            pairs.remove(best)
            left -= best_units
        return cost, moves

    def _offer(self, k: int, left: int, opened: set[int]) -> tuple[int, float]:
        """Return how much of ``left`` action k can give, and what that costs more."""
        here = self.taken[k] or k in opened
        if not here and (not self.free(k) or self._clashes(k, opened)):
            return 0, 0.0
        units = min(left, int(self.limits.max_u[k] - self.used[k]))
        paid = int(self.limits.min_u[k] - self.used[k])
        price = float(self.unit[k]) * max(0, units - max(0, paid))
        return units, price + (0.0 if here else float(self.opening[k]))

    def apply(self, i: int, moves: list[tuple[int, int]]) -> None:
        """Make the moves of a bid."""
        for p, units in moves:
            if p < 0:
                self.take(-1 - p)
                continue
            k = int(self.model.pairs.action[p])
            self.take(k)
            over = max(0, int(self.used[k]) + units - max(int(self.limits.min_u[k]), int(self.used[k])))
            self.money -= float(self.unit[k]) * over
            self.used[k] += units
            self.allot[p] += units
            self.filled[i] += units

    def draft(self) -> Draft:
        """Return what was taken."""
        area: IntArray = np.where(self.taken, np.maximum(self.used, self.limits.min_u), 0)
        return Draft(self.taken, area, self.allot)
