"""Can everybody be served within a distance? The cover behind a p-center."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array, vstack

from siting.allocation.capacitated_cover import assignment
from siting.allocation.cover_models import capacitated_cover_model, limit_rows, pattern, set_cover_model
from siting.allocation.heuristics import WORK_PER_SECOND, search_set_cover
from siting.allocation.lagrangian import set_cover_bound
from siting.allocation.linear import LinearModel
from siting.allocation.options import SolveOptions
from siting.allocation.problem import Problem
from siting.allocation.reduce import Core, cover_core
from siting.allocation.solution import nearest_chosen
from siting.allocation.solve import solve_mip
from siting.arrays import FloatArray, IntArray
from siting.errors import SolverError

QUICK_STEPS = 200
"""Steps of the row prices for one distance."""


@dataclass(frozen=True, slots=True)
class Reached:
    """Sites that serve everybody within a distance, and who is assigned where."""

    chosen: IntArray
    assigned: IntArray
    flow: csr_array | None


@dataclass(frozen=True, slots=True)
class Found:
    """The sites where there are some; otherwise ``open`` says whether there may be."""

    reached: Reached | None
    open: bool
    interrupted: bool = False


def cover_within(problem: Problem, radius: float, options: SolveOptions, *, seconds: float, exact: bool) -> Found:
    """Say whether the allowed sites can serve everybody within a distance.

    Parameters
    ----------
    problem
        A p-center.
    radius
        The distance in question, m; equal is within.
    options
        Seed and progress.
    seconds
        Longest time; the quick way counts work instead.
    exact
        Whether to ask the exact solver; otherwise local search and row prices, which may leave it open.

    Returns
    -------
    Found
        The sites, or none.
    """
    near = _within(problem, radius)
    if problem.capacity is not None:
        return _assigned_exactly(near, options, seconds)
    return _covered_exactly(near, options, seconds) if exact else _covered_quickly(near, options, seconds)


def _within(problem: Problem, radius: float) -> Problem:
    """Return the problem with the pairs within a distance alone."""
    pairs = problem.pairs
    keep = pairs.data <= radius
    ptr = np.concatenate([[0], np.cumsum(keep)])[pairs.indptr]
    return replace(problem, pairs=csr_array((pairs.data[keep], pairs.indices[keep], ptr), shape=pairs.shape))


def _counted(near: Problem) -> list[tuple[FloatArray, float]]:
    """Return each limit as what a site takes of it and how much there is."""
    each = (~near.existing).astype(np.float64)
    limits = [] if near.sites is None else [(each, float(near.sites))]
    if near.budget is not None:
        limits.append((near.cost, near.budget * (1 + 1e-9)))
    return limits or [(each, math.inf)]


def _as_cover(near: Problem, cost: FloatArray) -> Core:
    return cover_core(replace(near, model="set_cover", cost=cost, sites=None, budget=None))


def _covered_quickly(near: Problem, options: SolveOptions, seconds: float) -> Found:
    """Ask local search for a yes and row prices for a no, under each limit in turn."""
    limits = _counted(near)
    for cost, most in limits:
        core = _as_cover(near, cost)
        room = most - core.constant
        if (np.diff(core.problem.pairs.indptr) == 0).any():
            return Found(None, open=False)
        found = search_set_cover(
            core.problem,
            seconds=0.05 * max(seconds, 0.0),
            patience=300.0 * core.problem.pairs.nnz / WORK_PER_SECOND,
            target=room,
            seed=options.seed,
        )
        if found.chosen is not None:
            chosen = core.whole(found.chosen)
            if all(float(price[chosen].sum()) <= limit for price, limit in limits):
                return Found(_nearest(near, chosen), open=False, interrupted=found.interrupted)
        if found.interrupted:
            return Found(None, open=True, interrupted=True)
        goal = room + 1e-6 * max(1.0, abs(room))
        known = found.value if found.chosen is not None else float(core.problem.cost.sum())
        if set_cover_bound(core.problem, known, steps=QUICK_STEPS, target=goal).bound >= goal:
            return Found(None, open=False)
    return Found(None, open=True)


def _covered_exactly(near: Problem, options: SolveOptions, seconds: float) -> Found:
    """Ask the exact solver for any cover within the limits."""
    limits = _counted(near)
    core = _as_cover(near, limits[0][0])
    if len(limits) == 1:  # what costs no less and covers no more is never needed
        model = set_cover_model(core.problem).with_rows(core.problem.cost, -np.inf, limits[0][1] - core.constant)
    else:
        model = _limited_cover(near)
    values, still_open = _solved(model, options, seconds)
    if values is None:
        return Found(None, still_open)
    taken = np.flatnonzero(values > 0.5)
    return Found(_nearest(near, core.whole(taken) if len(limits) == 1 else taken), open=False)


def _limited_cover(near: Problem) -> LinearModel:
    """Return: any choice within all limits that has everybody in reach."""
    n, m = near.shape
    rows, upper = limit_rows(near)
    return LinearModel(
        cost=(~near.existing).astype(np.float64),
        matrix=csr_array(vstack([pattern(near), rows])),
        row_lower=np.r_[np.ones(n), np.full(len(upper), -np.inf)],
        row_upper=np.r_[np.full(n, np.inf), upper],
        col_lower=near.must.astype(np.float64),
        col_upper=(~near.barred).astype(np.float64),
        integral=np.ones(m, dtype=np.bool_),
    )


def _assigned_exactly(near: Problem, options: SolveOptions, seconds: float) -> Found:
    """Ask the exact solver for an assignment within the capacities."""
    model = capacitated_cover_model(replace(near, model="set_cover", sites=None, budget=None))
    m = near.shape[1]
    rows, upper = limit_rows(near)
    rows = csr_array((rows.data, rows.indices, rows.indptr), shape=(len(upper), model.matrix.shape[1]))
    values, still_open = _solved(model.with_rows(rows, np.full(len(upper), -np.inf), upper), options, seconds)
    if values is None:
        return Found(None, still_open)
    assigned, flow = assignment(near, values[m:])
    return Found(Reached(np.flatnonzero(values[:m] > 0.5), assigned, flow), open=False)


def _solved(model: LinearModel, options: SolveOptions, seconds: float) -> tuple[FloatArray | None, bool]:
    """Return any point of a model, and where there is none, whether there may be one."""
    try:
        result = solve_mip(
            model, time_limit_s=max(seconds, 0.01), gap=1.0, seed=options.seed, progress=options.progress
        )
    except SolverError:
        return None, True
    return result.values, False


def _nearest(near: Problem, chosen: IntArray) -> Reached:
    return Reached(chosen, nearest_chosen(near, chosen)[0], None)
