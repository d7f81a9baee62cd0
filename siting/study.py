"""Study -> Results: the whole job, one call a layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from siting.study_file import Choices, Study, read_study
from siting.study_inputs import Ready, prepare, timed
from siting.text import Progress, Text, silent

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from siting.allocation.chosen_file import Chosen
    from siting.allocation.plan import Plan, PlanOptions
    from siting.allocation.problem import Model
    from siting.allocation.situation import Situation
    from siting.coverage import Access, Scorecard
    from siting.outputs import Results

_ANYWHERE_M = 1e6
__all__ = ["Ready", "Study", "measure", "prepare", "read_study", "run"]


def run(
    study: Study, *, with_plan: bool = True, chosen: str | Path | None = None, progress: Progress = silent
) -> Results:
    """Do the whole job: read, check, measure, score, plan, score again.

    Parameters
    ----------
    study
        The job.
    with_plan
        Whether to look for a plan; without, ``chosen`` alone is what the second scorecard is about.
    chosen
        A plan CSV, or a planner's own list of actions and areas; its actions stay in the plan.
    progress
        Told what is being done.

    Returns
    -------
    Results
        Everything the outputs are written from.

    Raises
    ------
    TableError
        If a table, the roads or ``chosen`` cannot be used; every fault of every file is in it.
    MissingFileError
        If there is no file ``chosen``.
    NetworkError
        If no road is left that may be walked.
    StudyError
        If the plan names a site that is in no table.
    """
    from siting.allocation.chosen_file import read_chosen

    actions = None if chosen is None else read_chosen(chosen)
    ready = prepare(study, progress=progress)
    return measure(ready, with_plan=with_plan, chosen=actions, progress=progress)


def measure(
    ready: Ready, *, with_plan: bool = True, chosen: Sequence[Chosen] | None = None, progress: Progress = silent
) -> Results:
    """Score, plan and score again, on inputs that are ready.

    Parameters
    ----------
    ready
        Tables, network and demand points.
    with_plan
        Whether to look for a plan; without, ``chosen`` alone is what the second scorecard is about.
    chosen
        A planner's own actions, from `read_chosen`; they stay in the plan.
    progress
        Told what is being done.

    Returns
    -------
    Results
        Everything the outputs are written from.

    Raises
    ------
    TableError
        If ``chosen`` names what there is not, or an area that it cannot have; every fault is in it.
    """
    from siting.allocation.answer_check import counting_refused
    from siting.allocation.phases import indicator_path
    from siting.outputs import Results

    study, tables = ready.study, ready.tables
    seconds = dict(ready.seconds)
    with timed(seconds, "score"):
        access = _access(ready, tables.facilities, progress)
        before = _score(ready, access, tables.facilities, tables.allotments, progress)
    plan, after, plan_circles, path = None, None, None, None
    refused: Mapping[str, int] = {}
    if chosen is not None or (with_plan and study.plan is not None):
        with timed(seconds, "plan"), counting_refused() as refused:
            plan = _plan(ready, access, before, with_plan, chosen, progress)
        with timed(seconds, "score after"):
            after = _score_plan(ready, plan, progress)
        if plan.phases is not None:
            with timed(seconds, "years"):
                path = indicator_path(plan, lambda part: _score_plan(ready, part, progress))
    with timed(seconds, "circles"):
        progress(Text("绘制服务圈", "drawing circles"))
        counted = tables.facilities["service"].isin(study.standard.counted_services)
        circles = _circles(ready, tables.facilities[counted])
        if plan is not None:
            plan_circles = _circles(ready, plan.sites())
    issues = (*ready.issues, *before.issues)
    return Results(
        study_name=study.name,
        settings=study.settings,
        standard=study.standard,
        tables=tables,
        demand=ready.demand,
        network=ready.network,
        scorecard=before,
        circles=circles,
        plan=plan,
        after=after,
        plan_circles=plan_circles,
        indicator_path=path,
        issues=issues,
        seconds=seconds,
        records=ready.records,
        refused_answers=refused,
    )


def _access(ready: Ready, facilities: gpd.GeoDataFrame, progress: Progress) -> Access:
    from siting.coverage import measure_access

    communities, standard = ready.tables.communities, ready.study.standard
    return measure_access(communities, facilities, ready.network, standard, demand=ready.demand, progress=progress)


def _score(
    ready: Ready, access: Access, facilities: gpd.GeoDataFrame, allotments: pd.DataFrame, progress: Progress
) -> Scorecard:
    from siting.coverage import score

    return score(
        ready.tables.communities,
        facilities,
        ready.network,
        ready.study.standard,
        demand=ready.demand,
        allotments=allotments,
        boundaries=ready.tables.boundaries,
        access=access,
        year=ready.study.year,
        progress=progress,
    )


def _score_plan(ready: Ready, plan: Plan, progress: Progress) -> Scorecard:
    """Return the verdicts with a plan carried out."""
    facilities, allotments = plan.facilities(ready.tables.facilities, ready.tables.allotments)
    return _score(ready, _access(ready, facilities, progress), facilities, allotments, progress)


def _plan(
    ready: Ready,
    access: Access,
    before: Scorecard,
    with_plan: bool,
    chosen: Sequence[Chosen] | None,
    progress: Progress,
) -> Plan:
    """Return the plan: what was chosen by hand stays in, and the rest is optimised, or left out where none is asked."""
    from siting.allocation.actions import SiteRules
    from siting.allocation.chosen import prescribe_chosen
    from siting.allocation.plan import PlanOptions
    from siting.allocation.prescribe import prescribe
    from siting.allocation.situation import Situation

    study, tables = ready.study, ready.tables
    progress(Text("准备规划", "preparing the plan"))
    situation = Situation.from_study(
        tables.communities,
        tables.facilities,
        tables.candidates,
        ready.network,
        access,
        before,
        rules=study.sites or SiteRules(),
        progress=progress,
    )
    options, model = study.plan or PlanOptions(), study.model
    if chosen is not None:
        plan = prescribe_chosen(situation, chosen, options, with_rest=with_plan, progress=progress)
    elif model == "prescription":
        plan = prescribe(situation, options, progress=progress)
    else:
        plan = _plan_by_model(ready, access, before, situation, model, options, progress)
    stopped = any(stage.ended == "interrupted" for stage in plan.stages)
    return _choices(plan, study.choices, progress) if with_plan and not stopped else plan


def _plan_by_model(
    ready: Ready,
    access: Access,
    before: Scorecard,
    situation: Situation,
    model: Model,
    options: PlanOptions,
    progress: Progress,
) -> Plan:
    """Return the plan whose sites one of the classical models chose, with the distances that the model needs."""
    from siting.allocation.sites_by_model import NEEDS_DISTANCES, plan_by_model
    from siting.network import snap
    from siting.reach import cost_matrix

    standard = ready.study.standard
    if model not in NEEDS_DISTANCES:
        return plan_by_model(situation, model, options, progress=progress)
    sites = snap(
        ready.network,
        ready.tables.candidates.geometry,
        limit_m=standard.value("snap_limit_m"),
        min_piece_km=standard.value("min_piece_km"),
    )
    candidate_m = cost_matrix(
        ready.network,
        access.demand_positions if access.demand_positions is not None else ready.demand.points,
        sites,
        cutoff_m=_ANYWHERE_M,
        direct_walk=standard.value("direct_walk") > 0,
    )
    facility_m = before.demand["nearest_m"].to_numpy(dtype=float)
    return plan_by_model(situation, model, options, candidate_m=candidate_m, facility_m=facility_m, progress=progress)


def _choices(plan: Plan, asked: Choices, progress: Progress) -> Plan:
    """Return the plan with what the study asks beside it: other plans, the worth of actions, the curve, the years."""
    from siting.allocation.choices import alternatives, cost_curve, worth_of_actions
    from siting.allocation.phases import phase_plan

    try:
        if asked.worth_s:
            worth = worth_of_actions(plan, seconds_each=asked.worth_s, progress=progress)
            plan = replace(plan, actions=plan.actions.merge(worth, on="action_id", validate="one_to_one"))
        if asked.alternatives:
            others = alternatives(plan, count=asked.alternatives, differ_by=asked.differ_by, progress=progress)
            plan = replace(plan, alternatives=others)
        if asked.curve_points:
            curve = cost_curve(plan.situation, plan.options, points=asked.curve_points, progress=progress)
            plan = replace(plan, curve=curve)
        return phase_plan(plan, asked.yearly_budgets) if asked.yearly_budgets else plan
    except KeyboardInterrupt:  # the plan stands; what would have stood beside it is left out
        return plan


def _circles(ready: Ready, places: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the circle of each comprehensive place, as wide as the homes of the community around it may walk."""
    import geopandas as gpd
    import pandas as pd

    from siting.reach import circles

    standard, net = ready.study.standard, ready.network
    homes = ready.tables.communities[["area_type", "geometry"]].to_crs(net.crs)
    around = gpd.sjoin_nearest(places[["geometry"]].to_crs(net.crs), homes)["area_type"]
    around = around[~around.index.duplicated()]
    parts = [circles(net, places.geometry.iloc[:0], cutoffs_m=[standard.cutoff_m("urban")])]
    for kind, rows in around.groupby(around).groups.items():
        drawn = circles(
            net,
            places.geometry.loc[rows],
            cutoffs_m=[standard.cutoff_m(str(kind))],
            off_road_m=standard.value("off_road_m"),
        )
        parts.append(drawn.assign(facility=rows.to_numpy()[drawn["facility"].to_numpy()]))
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs="EPSG:4326")
