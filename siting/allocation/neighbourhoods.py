"""Better plans by solving small patches of the map exactly, the rest held: large neighbourhood search.

A patch is grown from a community over the actions that serve it and the communities those serve; its actions,
allotments and verdicts are free, everything else stays as it is. Method: Shaw (1998), CP-98, with patches whose size
follows from how hard the last one was. The search is measured in iterations of the simplex, not in seconds: the same
study gives the same plan whatever else the machine does, unless it is so slow that the clock cuts in.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csc_array, csr_array

from siting.allocation.linear import LinearModel
from siting.allocation.prescription_model import PrescriptionModel
from siting.allocation.solve import solve_mip
from siting.arrays import FloatArray, IntArray
from siting.exact import FEASIBILITY

ITERATIONS_PER_S = 4000
"""Iterations of the simplex, on patches, in a second of a machine that an ordinary one exceeds even when it is busy."""
_OVERHEAD = 50  # what setting up one more patch takes, in iterations
_EASY, _HARD = 2400, 8000  # patches that took less are grown, those that took more are shrunk
_PATCH_LOOKS = 2000  # a patch that takes more is left as it was found by then


@dataclass(frozen=True, slots=True)
class Map:
    """Who touches whom: communities to actions and back, bool, shapes (n, k) and (k, n)."""

    actions_of: csr_array
    communities_of: csr_array

    @classmethod
    def of(cls, model: PrescriptionModel) -> Map:
        """Return the map of a model: an action touches the communities it may serve or bring in reach."""
        n, k = len(model.situation.community_id), len(model.situation.actions)
        rows, cols = [model.pairs.community], [model.pairs.action]
        for community, actions in zip(model.classes.community, model.classes.actions, strict=True):
            rows.append(np.full(len(actions), community))
            cols.append(actions)
        row, col = np.concatenate(rows), np.concatenate(cols)
        touch = csr_array(coo_array((np.ones(len(row)), (row, col)), shape=(n, k)))
        return cls(touch, csr_array(touch.T))

    def patch(self, community: int, size: int) -> tuple[IntArray, IntArray, IntArray]:
        """Return about ``size`` actions around a community, the communities they touch, and the inner of those."""
        actions: dict[int, None] = {}
        seen, queue = {community}, deque([community])
        while queue and len(actions) < size:
            i = queue.popleft()
            for k in _row(self.actions_of, i):
                if k not in actions:
                    actions[int(k)] = None
                    fresh = [int(j) for j in _row(self.communities_of, k) if j not in seen]
                    seen.update(fresh)
                    queue.extend(fresh)
        inner = [i for i in sorted(seen) if all(int(k) in actions for k in _row(self.actions_of, i))]
        return np.array(sorted(actions)), np.array(sorted(seen)), np.array([community, *inner])


def _row(matrix: csr_array, at: int) -> IntArray:
    columns: IntArray = matrix.indices[matrix.indptr[at] : matrix.indptr[at + 1]]
    return columns


def improve(
    model: PrescriptionModel, linear: LinearModel, point: FloatArray, *, effort_s: float, clock_s: float, seed: int
) -> tuple[FloatArray, bool]:
    """Return a point at least as good, bettered patch by patch until a round brings nothing, and whether Ctrl-C came.

    Parameters
    ----------
    model
        Where the columns are.
    linear
        The rows and the objective of the stage.
    point
        A feasible point, shape (columns,).
    effort_s
        How much may be searched, in seconds of an ordinary machine (`ITERATIONS_PER_S`).
    clock_s
        Longest time, s, on any machine.
    seed
        The order of the patches.
    """
    begun = time.perf_counter()
    where, columns = Map.of(model), csc_array(linear.matrix)
    rng = np.random.default_rng(seed)
    worth = np.unique(np.concatenate([model.pairs.community, model.classes.community]))
    size, best, gained, fine, left = 60, point, np.inf, 1e-3, effort_s * ITERATIONS_PER_S
    order: list[int] = []
    seen = np.zeros(len(model.situation.community_id), dtype=bool)
    while len(worth) and left > 0 and (seconds := clock_s - (time.perf_counter() - begun)) > 0:
        if not order:
            if gained <= 1e-5 * abs(linear.value(best)) and fine == 1e-5:
                break
            fine = 1e-5 if gained <= 1e-3 * abs(linear.value(best)) else 1e-3
            order, gained = [int(i) for i in rng.permutation(worth)], 0.0
            seen[:] = False
        if seen[at := order.pop()]:
            continue
        actions, communities, inner = where.patch(at, size)
        seen[inner] = True
        found, took, stopped = _solve_patch(model, linear, columns, best, actions, communities, seconds, fine, seed)
        left -= took + _OVERHEAD
        size = min(int(size * 1.2), 250) if took < _EASY else max(int(size * 0.85), 8) if took > _HARD else size
        if linear.value(found) < linear.value(best):
            gained += linear.value(best) - linear.value(found)
            best = found
        if stopped:
            return best, True
    return best, False


def _solve_patch(
    model: PrescriptionModel,
    linear: LinearModel,
    columns: csc_array,
    point: FloatArray,
    actions: IntArray,
    communities: IntArray,
    seconds: float,
    gap: float,
    seed: int,
) -> tuple[FloatArray, int, bool]:
    """Return the point with one patch solved again, the iterations it took, and whether Ctrl-C ended the search."""
    n, k = len(model.situation.community_id), len(model.situation.actions)
    mine, here = np.zeros(k, dtype=bool), np.zeros(n, dtype=bool)
    mine[actions], here[communities] = True, True
    free = np.concatenate(
        [
            mine,
            mine,
            mine[model.pairs.action],
            here[model.open],
            here[model.classes.community],
            np.ones(len(model.situation.targets), dtype=bool),
        ]
    )
    cols = np.flatnonzero(free)
    inner = csr_array(columns[:, cols])
    touched = np.flatnonzero(np.diff(inner.indptr))
    fixed = (linear.matrix @ np.where(free, 0.0, point))[touched]
    patch = LinearModel(
        cost=linear.cost[cols],
        matrix=inner[touched],
        row_lower=linear.row_lower[touched] - fixed,
        row_upper=linear.row_upper[touched] - fixed,
        col_lower=linear.col_lower[cols],
        col_upper=linear.col_upper[cols],
        integral=linear.integral[cols],
    )
    result = solve_mip(
        patch, start=point[cols], time_limit_s=max(seconds, 0.01), looks=_PATCH_LOOKS, gap=gap, seed=seed
    )
    found = point.copy()
    found[cols] = point[cols] if result.values is None else result.values
    sound = linear.violation(found) <= FEASIBILITY
    return found if sound else point, result.iterations, result.status == "interrupted"
