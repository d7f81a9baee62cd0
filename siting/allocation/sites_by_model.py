"""Sites by one of the classical models on a study, then sized and allotted by the prescription.

The model says where; how big and for whom is the prescription's answer on those sites (extensions of existing
facilities may be added). Demand points are the rows; existing comprehensive facilities are counted: for the cover
models what they cover is settled, for the p-median and the p-center they stand as one site at the distance of the
nearest. Homes that nothing can reach are no rows; the prescription lists them with what they lack.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.sparse import csr_array, hstack

from siting.allocation.models import solve
from siting.allocation.place_order import place_order
from siting.allocation.plan import Ended, Plan, PlanOptions, Stage
from siting.allocation.prescribe import prescribe
from siting.allocation.problem import Model, make_problem
from siting.allocation.situation import Situation
from siting.arrays import FloatArray, IntArray
from siting.errors import ProblemError
from siting.text import Progress, Text, silent

if TYPE_CHECKING:
    from siting.allocation.solution import Solution

_NAMES: dict[str, tuple[Text, Literal["max", "min"], Text]] = {
    "set_cover": (Text("覆盖全部住户的最低费用", "least cost to cover everybody"), "min", Text("万元", "10,000 yuan")),
    "max_cover": (Text("新覆盖的住户最多", "most households newly covered"), "max", Text("户", "households")),
    "p_median": (
        Text("住户步行总距离最短", "least walking of all households"),
        "min",
        Text("户·米", "household metres"),
    ),
    "p_center": (Text("最远住户的距离最短", "least distance of the farthest home"), "min", Text("米", "m")),
}
NEEDS_DISTANCES = ("p_median", "p_center")


def plan_by_model(
    situation: Situation,
    model: Model,
    options: PlanOptions,
    *,
    candidate_m: csr_array | None = None,
    facility_m: FloatArray | None = None,
    progress: Progress = silent,
) -> Plan:
    """Return the plan whose new sites a classical model chose.

    Parameters
    ----------
    situation
        What the plan starts from.
    model
        ``"set_cover"``, ``"max_cover"``, ``"p_median"`` or ``"p_center"``.
    options
        ``sites`` or ``budget``, what is required or forbidden, how long to look.
    candidate_m
        For the p-median and the p-center: distance from demand points to the candidates, those of the situation's
        actions that are no extensions, m, shape (m, c), as far as it was measured.
    facility_m
        For the same: distance to the nearest existing facility, m, shape (m,), inf where there is none.
    progress
        Told what is being done.

    Returns
    -------
    Plan
        Its first stage is the model's, with its bound.

    Raises
    ------
    ProblemError
        If distances are needed and not given, or neither ``sites`` nor ``budget`` limits the model.
    InfeasibleError
        If not everybody can be covered or walk somewhere; says who.
    """
    if model in NEEDS_DISTANCES and (candidate_m is None or facility_m is None):
        raise ProblemError(Text(f"{model} 需要住户到候选点的距离", f"{model} needs the distances to the candidates"))
    if model != "set_cover" and options.sites is None and options.budget is None:
        raise ProblemError(
            Text(f"{model} 需要 sites（新建处数）或 budget（预算）", f"{model} needs sites (how many) or a budget")
        )
    order = place_order(situation)
    if candidate_m is not None and facility_m is not None:
        candidate_m, facility_m = order.of_distances(candidate_m, situation.actions), facility_m[order.demand]
    situation = order.of(situation)
    sites = np.flatnonzero(np.array([kind == "candidate" for kind in situation.actions.kind]))
    pairs, weights = _rows(situation, sites, candidate_m, facility_m)
    solution = _solve(situation, model, options, sites, pairs, weights, progress)
    chosen = sites[solution.new_sites]
    names = [situation.actions.action_id[k] for k in chosen]
    others = [situation.actions.action_id[k] for k in np.setdiff1d(sites, chosen)]
    sized = prescribe(situation, replace(options, require=tuple(names), forbid=tuple(others)), progress=progress)
    name, sense, unit = _NAMES[model]
    stage = Stage(
        model,
        name,
        sense,
        solution.objective,
        solution.bound,
        options.gap,
        _ended(solution, options.time_limit_s),
        solution.seconds,
        unit,
    )
    return replace(sized, stages=(stage, *sized.stages), options=options)


def _ended(solution: Solution, time_limit_s: float) -> Ended:
    """Return what ended the search of a model: what leaves a gap well before the time is up had no more to try."""
    if solution.interrupted:
        return "interrupted"
    return "time" if solution.stopped and solution.seconds >= 0.9 * time_limit_s else "search"


def _rows(
    situation: Situation, sites: IntArray, candidate_m: csr_array | None, facility_m: FloatArray | None
) -> tuple[csr_array, FloatArray]:
    """Return the rows of the model: what each home has in reach, and the households that live there."""
    homes = situation.demand_households
    if candidate_m is None or facility_m is None:
        open_rows = np.flatnonzero(~situation.covered_now & (homes > 0))
        covers = csr_array(situation.covers[open_rows][:, sites])
        reachable = np.diff(covers.indptr) > 0
        return csr_array(covers[reachable]), homes[open_rows[reachable]]
    there = np.flatnonzero(np.isfinite(facility_m))
    nearest = csr_array((facility_m[there], (there, np.zeros(len(there), dtype=np.int64))), shape=(len(homes), 1))
    pairs = csr_array(hstack([candidate_m, nearest], format="csr"))
    walks = (np.diff(pairs.indptr) > 0) & (homes > 0)
    return csr_array(pairs[walks]), homes[walks]


def _solve(
    situation: Situation,
    model: Model,
    options: PlanOptions,
    sites: IntArray,
    pairs: csr_array,
    weights: FloatArray,
    progress: Progress,
) -> Solution:
    actions = situation.actions
    width = pairs.shape[1]
    cost = np.zeros(width)
    cost[: len(sites)] = (actions.fixed_cost + actions.unit_cost * actions.min_u)[sites]
    barred = ~(actions.usable & actions.counted)[sites]
    ids = np.array([actions.action_id[k] for k in sites], dtype=object)
    group = np.full(width, -1)
    group[: len(sites)] = actions.group[sites]
    problem = make_problem(
        model,
        pairs,
        weights=weights,
        cost=cost,
        sites=None if model == "set_cover" else options.sites,
        budget=options.budget if model == "max_cover" else None,
        existing=np.arange(len(sites), width),
        fixed=np.flatnonzero(np.isin(ids, options.require)),
        forbidden=np.flatnonzero(barred | np.isin(ids, options.forbid)),
        exclusive=group,
    )
    return solve(problem, time_limit_s=options.time_limit_s / 2, gap=options.gap, seed=options.seed, progress=progress)
