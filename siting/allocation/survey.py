"""Checked tables, a scorecard and a network -> the situation that a plan is made on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import coo_array, csr_array, hstack

from siting.allocation.actions import COMPREHENSIVE, SiteRules, candidate_actions, extension_actions, joined
from siting.allocation.situation import UNITS_PER_M2, Actions, Companion, Situation, Target
from siting.arrays import BoolArray, FloatArray, IntArray
from siting.coverage.access import is_covered
from siting.coverage.places import pairs_of, places_of
from siting.coverage.verdicts import applies
from siting.standards.model import Standard
from siting.text import Progress, Text, silent

if TYPE_CHECKING:
    import geopandas as gpd

    from siting.coverage import Access, Scorecard
    from siting.inputs.households import DemandPoints
    from siting.network import Positions, RoadNetwork

AREA_SLACK_M2 = 1e-6
"""What the scorecard forgives for rounding when it compares areas, m²."""
_ANYWHERE_M = 1e6


def survey(
    communities: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    candidates: gpd.GeoDataFrame,
    net: RoadNetwork,
    access: Access,
    scorecard: Scorecard,
    *,
    rules: SiteRules | None = None,
    progress: Progress = silent,
) -> Situation:
    """Return the situation of a study: walks from homes to candidates, and puts everything into arrays.

    Homes of communities that no candidate brings in reach are walked to every candidate, however far, so
    that it can be said how much too far the nearest is.

    Parameters
    ----------
    communities, facilities, candidates
        The checked tables.
    net
        The network to walk on.
    access
        Distances from homes to facilities, as the scorecard was made from.
    scorecard
        The verdicts of today; its standard is the plan's.
    rules
        The study's own rules for sites.
    progress
        Told what is being done.

    Returns
    -------
    Situation
        Candidates first, then extensions.
    """
    from siting.network.snap import snap

    rules, standard = rules or SiteRules(), scorecard.standard
    progress(Text("计算住户到候选点的路网距离", "walking from homes to candidates"))
    limits = {"limit_m": standard.value("snap_limit_m"), "min_piece_km": standard.value("min_piece_km")}
    homes = (
        access.demand_positions if access.demand_positions is not None else snap(net, access.demand.points, **limits)
    )
    sites = snap(net, candidates.geometry, **limits)
    direct = standard.value("direct_walk") > 0
    distance = _to_sites(net, homes, sites, access.cutoff_m, direct)
    counted = np.array([bool(set(row) & standard.counted_services) for row in candidates["services"]], dtype=bool)
    covers = _within(distance, access.cutoff_m)
    circle = _circle(covers, access.demand, communities, standard)
    urban = communities["area_type"].eq("urban").to_numpy(dtype=bool)
    serves_urban = np.asarray(circle[urban].sum(axis=0)).ravel() > 0
    actions = joined(
        candidate_actions(candidates, serves_urban, communities, standard, rules),
        extension_actions(facilities, communities, standard, rules),
    )
    extensions = len(actions) - len(candidates)
    covered_now = scorecard.demand["covered"].to_numpy(dtype=bool)
    far = _out_of_reach(
        covers, counted & actions.usable[: len(candidates)], covered_now, access.demand, communities, standard
    )
    if len(far) and len(candidates):
        distance = _with_rows(
            distance, far, _to_sites(net, homes.take(far), sites, np.full(len(far), _ANYWHERE_M), direct)
        )
    nothing = csr_array((len(access.demand), extensions))
    grown = _circle(
        _extension_covers(access, facilities, actions, len(candidates)), access.demand, communities, standard
    )
    table, points = scorecard.communities, communities.geometry.to_crs("EPSG:4326")
    return Situation(
        community_id=tuple(communities["community_id"].astype(str)),
        community_name=tuple(communities["name"].astype(str)),
        urban=urban,
        resettlement=communities["resettlement"].fillna(False).to_numpy(dtype=bool),
        households=communities["households"].to_numpy(dtype=np.float64),
        weight=priority_weight(communities, standard),
        allotted_m2=table["allotted_area_m2"].to_numpy(dtype=np.float64),
        deficit_u=deficits(communities, scorecard),
        target_m2=_area_target(standard),
        reach_share=_asked_share(standard),
        demand_community=access.demand.community,
        demand_households=access.demand.households,
        covered_now=covered_now,
        actions=actions,
        covers=csr_array(hstack([_only(covers, counted), nothing], format="csr")),
        circle=_joint(csr_array(hstack([circle, grown], format="csr")), actions, urban, rules),
        candidate_m=csr_array(hstack([distance, nothing], format="csr")),
        cutoff_m=access.cutoff_m,
        targets=_targets(communities, standard),
        companions=_companions(net, facilities, sites, actions, rules, limits, direct),
        prefer_existing_share=standard.value("prefer_existing_share"),
        community_lonlat=np.column_stack([points.x.to_numpy(dtype=np.float64), points.y.to_numpy(dtype=np.float64)]),
        demand_lonlat=np.column_stack([access.demand.lon, access.demand.lat]),
    )


def priority_weight(communities: pd.DataFrame, standard: Standard) -> IntArray:
    """Return households · (1 + Σ α · share of each group), in whole thousandths; a group not counted adds nothing.

    Parameters
    ----------
    communities
        The communities table.
    standard
        For the α of the elderly, minors and the disabled.
    """
    population = communities["population"].to_numpy(dtype=np.float64)
    factor = np.ones(len(communities))
    for group in ("elderly", "minors", "disabled"):
        people = communities[group].to_numpy(dtype=np.float64)
        share = np.divide(people, population, out=np.zeros(len(people)), where=population > 0)
        factor += standard.value(f"alpha_{group}") * np.clip(np.nan_to_num(share, nan=0.0), 0.0, 1.0)
    return np.rint(communities["households"].to_numpy(dtype=np.float64) * factor * 1000).astype(np.int64)


def deficits(communities: pd.DataFrame, scorecard: Scorecard) -> IntArray:
    """Return the area each community lacks, rounded up to hundredths of a m² so that the scorecard then passes it.

    -1 where the scorecard does not know.

    Parameters
    ----------
    communities
        The communities table.
    scorecard
        The verdicts of today.
    """
    need_m2 = _area_target(scorecard.standard) * communities["households"].to_numpy(dtype=np.float64) / 100
    short = need_m2 - scorecard.communities["allotted_area_m2"].to_numpy(dtype=np.float64)
    status = scorecard.communities["has_area"].to_numpy()
    units = np.ceil(np.nan_to_num(short, nan=0.0) * UNITS_PER_M2 - 0.5 * AREA_SLACK_M2 * UNITS_PER_M2).astype(np.int64)
    return np.where(status == "unknown", -1, np.where(status == "fail", np.maximum(units, 1), 0))


def _area_target(standard: Standard) -> float:
    target = standard.rule("area_per_100_households").target
    return 0.0 if target is None else target


def _asked_share(standard: Standard) -> float:
    target = standard.rule("reach").target
    return standard.value("reach_share") if target is None else target


def _to_sites(net: RoadNetwork, homes: Positions, sites: Positions, cutoff_m: FloatArray, direct: bool) -> csr_array:
    """Return the distances from homes to sites, every row up to its own cut-off."""
    from siting.reach.search import cost_matrix

    if not len(homes) or not len(sites):
        return csr_array((len(homes), len(sites)), dtype=np.float64)
    rows, cols, data = [], [], []
    for limit in np.unique(cutoff_m):
        at = np.flatnonzero(cutoff_m == limit)
        part = coo_array(cost_matrix(net, homes.take(at), sites, cutoff_m=float(limit), direct_walk=direct))
        rows.append(at[part.row])
        cols.append(part.col)
        data.append(part.data)
    return _sparse(np.concatenate(rows), np.concatenate(cols), np.concatenate(data), (len(homes), len(sites)))


def _sparse(row: IntArray, col: IntArray, data: FloatArray, shape: tuple[int, int]) -> csr_array:
    """Return a matrix that keeps its zeros."""
    order = np.lexsort((col, row))
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=shape[0]))])
    return csr_array((data[order], col[order].astype(np.int64), start), shape=shape)


def _within(distance: csr_array, cutoff_m: FloatArray) -> csr_array:
    """Return which of the stored distances are within each row's cut-off, as ones."""
    row = np.repeat(np.arange(distance.shape[0]), np.diff(distance.indptr))
    inside = is_covered(distance.data, cutoff_m[row])
    return _sparse(row[inside], distance.indices[inside], np.ones(int(inside.sum())), distance.shape)


def _only(matrix: csr_array, columns: BoolArray) -> csr_array:
    """Return the matrix with what stands in the other columns taken out."""
    kept = columns[matrix.indices]
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return _sparse(row[kept], matrix.indices[kept], matrix.data[kept], matrix.shape)


def _circle(covers: csr_array, demand: DemandPoints, communities: pd.DataFrame, standard: Standard) -> csr_array:
    """Return in whose circle each column lies: at least ``allot_share`` of the community's households reach it."""
    n = len(communities)
    total = np.bincount(demand.community, weights=demand.households, minlength=n)
    homes = csr_array((demand.households, (demand.community, np.arange(len(demand)))), shape=(n, len(demand)))
    share = coo_array(homes @ covers)
    row, col = share.coords if hasattr(share, "coords") else (share.row, share.col)
    enough = (share.data >= (standard.value("allot_share") - 1e-9) * total[row]) & (total[row] > 0) & (share.data > 0)
    return _sparse(row[enough], col[enough], np.ones(int(enough.sum())), share.shape)


def _joint(circle: csr_array, actions: Actions, urban: BoolArray, rules: SiteRules) -> csr_array:
    """Return the circles; without joint building, a village's site is the village's alone."""
    if rules.joint_building:
        return circle
    row = np.repeat(np.arange(circle.shape[0]), np.diff(circle.indptr))
    own = actions.community[circle.indices]
    keep = (own < 0) | urban[np.maximum(own, 0)] | (own == row)
    return _sparse(row[keep], circle.indices[keep], np.ones(int(keep.sum())), circle.shape)


def _extension_covers(access: Access, facilities: pd.DataFrame, actions: Actions, candidates: int) -> csr_array:
    """Return which homes reach each place that may grow, by its nearest entrance."""
    row_of = {name: at for at, name in enumerate(actions.source_id[candidates:])}
    ids = facilities["facility_id"].to_numpy().astype(str)
    rows, cols = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for service in sorted(set(facilities["service"].iloc[[at for at, name in enumerate(ids) if name in row_of]])):
        places = places_of(facilities, service)
        number = np.array([row_of.get(ids[first], -1) for first in places.first], dtype=np.int64)
        pairs = pairs_of(access.cost, places)
        kept = (number[pairs.place] >= 0) & is_covered(pairs.distance_m, access.cutoff_m[pairs.row])
        rows.append(pairs.row[kept])
        cols.append(number[pairs.place[kept]])
    row, col = np.concatenate(rows), np.concatenate(cols)
    return _sparse(row, col, np.ones(len(row)), (len(access.demand), len(actions) - candidates))


def _out_of_reach(
    covers: csr_array,
    usable: BoolArray,
    covered_now: BoolArray,
    demand: DemandPoints,
    communities: pd.DataFrame,
    standard: Standard,
) -> IntArray:
    """Return the uncovered homes of communities that would not be in reach with every candidate built."""
    could = covered_now | (np.asarray(_only(covers, usable).sum(axis=1)).ravel() > 0)
    n = len(communities)
    total = np.bincount(demand.community, weights=demand.households, minlength=n)
    inside = np.bincount(demand.community, weights=demand.households * could, minlength=n)
    short = inside < (_asked_share(standard) - 1e-9) * total
    return np.flatnonzero(short[demand.community] & ~could)


def _with_rows(matrix: csr_array, rows: IntArray, replaced: csr_array) -> csr_array:
    """Return the matrix with some rows replaced."""
    kept = np.ones(matrix.shape[0], dtype=bool)
    kept[rows] = False
    old = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    new = np.repeat(rows, np.diff(replaced.indptr))
    return _sparse(
        np.concatenate([old[kept[old]], new]),
        np.concatenate([matrix.indices[kept[old]], replaced.indices]),
        np.concatenate([matrix.data[kept[old]], replaced.data]),
        matrix.shape,
    )


def _targets(communities: pd.DataFrame, standard: Standard) -> tuple[Target, ...]:
    """Return the shares of communities with a comprehensive facility that the standard sets."""
    found = []
    for rule in standard.rules:
        about = rule.measure == "facility_coverage_share" and rule.level == "community"
        if about and rule.facility_kind in ("", COMPREHENSIVE) and rule.target is not None:
            members = applies(rule, communities) == 2
            found.append(Target(rule.name, members, math.ceil(rule.target * int(members.sum()) - 1e-9)))
    return tuple(found)


def _companions(
    net: RoadNetwork,
    facilities: gpd.GeoDataFrame,
    sites: Positions,
    actions: Actions,
    rules: SiteRules,
    limits: dict[str, float],
    direct: bool,
) -> tuple[Companion, ...]:
    """Return which actions need which others next to them, by walking distance between the sites."""
    from siting.network.snap import snap
    from siting.reach.search import cost_matrix

    found = []
    for service, other, distance_m in rules.next_to:
        needs = np.array([at for at in range(len(sites)) if service in actions.services[at]], dtype=np.int64)
        gives = np.array([at for at in range(len(sites)) if other in actions.services[at]], dtype=np.int64)
        there = facilities[facilities["service"] == other]
        settled, partners = np.zeros(len(needs), dtype=bool), [np.zeros(0, dtype=np.int64)] * len(needs)
        if len(needs) and len(there):
            near = cost_matrix(
                net, sites.take(needs), snap(net, there.geometry, **limits), cutoff_m=distance_m, direct_walk=direct
            )
            settled = np.diff(near.indptr) > 0
        if len(needs) and len(gives):
            near = cost_matrix(net, sites.take(needs), sites.take(gives), cutoff_m=distance_m, direct_walk=direct)
            partners = [gives[near.indices[near.indptr[at] : near.indptr[at + 1]]] for at in range(len(needs))]
        settled |= np.isin(needs, gives)
        name = Text(f"{service} 旁须有 {other}", f"{other} next to {service}")
        found.append(Companion(name, needs, settled, tuple(partners)))
    return tuple(found)
