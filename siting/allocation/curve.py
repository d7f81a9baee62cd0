"""What one more site, or more money, would bring: the best answer and its bound at every point of a curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from siting.allocation.models import solve_problem
from siting.allocation.options import SolveOptions
from siting.allocation.problem import Problem
from siting.allocation.solution import Solution
from siting.arrays import IntArray
from siting.errors import InfeasibleError, ProblemError
from siting.exact import is_proven
from siting.text import Progress, Text, silent


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One limit and the best answer within it; None where the limit is too tight, and ``blocked`` says why."""

    limit: float
    solution: Solution | None
    blocked: Text | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """Points of rising limits; a looser one is never worse than a tighter one.

    Parameters
    ----------
    limit_name
        ``"sites"`` or ``"budget"``.
    points
        By rising limit.
    """

    limit_name: str
    points: tuple[CurvePoint, ...]

    @property
    def table(self) -> pd.DataFrame:
        """Return one row a point: limit, objective, bound, gap, proven, new sites, their cost, share covered."""
        rows = []
        for point in self.points:
            found = point.solution
            total = float(found.problem.weights.sum()) if found is not None else np.nan
            rows.append(
                {
                    self.limit_name: point.limit,
                    "objective": np.nan if found is None else found.objective,
                    "bound": np.nan if found is None else found.bound,
                    "gap": np.nan if found is None else found.gap,
                    "proven": found is not None and found.proven,
                    "new_sites": 0 if found is None else len(found.new_sites),
                    "cost": np.nan if found is None else found.cost,
                    "covered_share": found.objective / total
                    if found is not None and found.problem.maximise and total > 0
                    else np.nan,
                    "blocked": "" if point.blocked is None else point.blocked.en,
                }
            )
        return pd.DataFrame(rows)


def cost_curve(
    problem: Problem,
    *,
    sites: Sequence[int] | None = None,
    budgets: Sequence[float] | None = None,
    time_limit_s: float = 60.0,
    gap: float = 0.0,
    seed: int = 0,
    progress: Progress = silent,
) -> Curve:
    """Return the best answers under rising limits, each started from the one before.

    An answer that a tighter limit already allows is kept where the search finds none better, and a bound that holds
    under a looser limit is used under a tighter one: the curve never turns back, whatever the gap.

    Parameters
    ----------
    problem
        A max cover, p-median or p-center; its own number of sites (or budget) is replaced.
    sites
        Numbers of new sites; either these or ``budgets``.
    budgets
        Budgets, in the unit of the problem's cost.
    time_limit_s
        Longest time for the whole curve, s, >= 0, shared evenly by its points.
    gap
        Relative gap between answer and bound at which to stop at a point, share, >= 0.
    seed
        Seed of every random choice, >= 0.
    progress
        Told which point is being worked on.

    Returns
    -------
    Curve
        One point per limit, ascending.

    Raises
    ------
    ProblemError
        If not exactly one of the two limits is given, it is empty, or the problem is a set cover; or if the time limit,
        the gap or the seed is negative or not a number.
    """
    if (sites is None) == (budgets is None) or problem.model == "set_cover":
        raise ProblemError(
            Text(
                zh="曲线需要 sites 或 budgets 之一，且不适用于集合覆盖（它本身就求最少）",
                en="a curve needs either sites or budgets, and a set cover has none: it asks for the least itself",
            )
        )
    limits = sorted(set(sites if sites is not None else budgets or ()))
    if not limits:
        raise ProblemError(Text(zh="曲线没有任何点", en="a curve needs at least one limit"))
    name = "sites" if sites is not None else "budget"
    each = SolveOptions(time_limit_s=time_limit_s / len(limits), gap=gap, seed=seed, progress=progress)
    points: list[CurvePoint] = []
    start: IntArray | None = None
    for done, limit in enumerate(limits):
        progress(Text(zh=f"曲线：{name} = {limit:g}", en=f"curve: {name} = {limit:g}"), done / len(limits))
        bounded = replace(problem, sites=int(limit)) if name == "sites" else replace(problem, budget=float(limit))
        try:
            found = solve_problem(bounded, each, start)
        except InfeasibleError as error:
            points.append(CurvePoint(float(limit), None, error.text))
            continue
        before = points[-1].solution if points else None
        found = found if before is None else _no_worse(found, before)
        start = found.chosen
        points.append(CurvePoint(float(limit), found))
        if found.interrupted:
            break
    return Curve(name, _tightened(points))


def _no_worse(found: Solution, before: Solution) -> Solution:
    """Return the answer to the tighter limit under this one where it is better."""
    sign = -1.0 if found.problem.maximise else 1.0
    if sign * found.objective <= sign * before.objective:
        return found
    return replace(
        found,
        chosen=before.chosen,
        assigned=before.assigned,
        flow=before.flow,
        objective=before.objective,
    )


def _tightened(points: list[CurvePoint]) -> tuple[CurvePoint, ...]:
    """Return the points with each bound at least as tight as that of every looser limit."""
    best: float | None = None
    tight = []
    for point in reversed(points):
        found = point.solution
        if found is not None:
            choose = min if found.problem.maximise else max
            best = found.bound if best is None else choose(best, found.bound)
            if is_proven(found.objective, best):
                best = found.objective
            found = replace(found, bound=best, stopped=found.stopped and best != found.objective).check()
        tight.append(CurvePoint(point.limit, found, point.blocked))
    return tuple(reversed(tight))
