"""Each rule's verdict on each community: within the circle, enough area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.coverage.access import ServiceAccess, whole_mm
from siting.coverage.area import Allotment
from siting.coverage.places import Floats
from siting.coverage.verdicts import (
    FAIL,
    PASS,
    UNKNOWN,
    Codes,
    RuleVerdicts,
    applies,
    empty_notes,
    only_where_applied,
    rounded_up,
)
from siting.inputs.households import DemandPoints
from siting.standards.model import UNITS, Rule, Standard
from siting.text import Text

_METRES = Text("米", "m")
_SHARE_ROUNDING = 1e-9  # households are spread over homes in fractions; their sum is theirs to this share
_AREA_ROUNDING_M2 = 1e-6


@dataclass(frozen=True, slots=True)
class Reach:
    """How the homes of each community reach a service; row i for community i.

    ``share`` of households covered, and were the circle smaller or larger by ``near_limit_share``; ``excess_m``, how
    much too far the household is that would complete the share asked (≤ 0 when in reach, inf when it reaches none).
    All NaN without households.
    """

    share: Floats
    share_if_less: Floats
    share_if_more: Floats
    excess_m: Floats


def reach_of(
    distance_m: Floats, cutoff_m: Floats, demand: DemandPoints, n: int, *, asked: float, near_limit_share: float
) -> Reach:
    """Return the share of each community's households within their circle, and what is missing to the share asked.

    Equal to the cut-off is covered.

    Parameters
    ----------
    distance_m, cutoff_m
        Distance to the nearest facility and circle of each demand point, m, shape (homes,).
    demand
        Where the households are.
    n
        How many communities there are.
    asked
        The share of households asked for.
    near_limit_share
        By how much the circle is made smaller and larger.

    Returns
    -------
    Reach
        By community.
    """
    limit_mm = whole_mm(cutoff_m)
    share, less, more = (
        covered_share(whole_mm(distance_m) <= np.rint(limit_mm * by), demand, n)
        for by in (1.0, 1.0 - near_limit_share, 1.0 + near_limit_share)
    )
    lived = demand.households > 0
    excess_m = (whole_mm(distance_m) - limit_mm)[lived] / 1000
    return Reach(
        share, less, more, quantile_by_community(excess_m, demand.households[lived], demand.community[lived], n, asked)
    )


def covered_share(covered: NDArray[np.bool_], demand: DemandPoints, n: int) -> Floats:
    """Return the share of each community's households at covered demand points; NaN without households."""
    total = np.bincount(demand.community, weights=demand.households, minlength=n)
    inside = np.bincount(demand.community, weights=demand.households * covered, minlength=n)
    share: Floats = np.divide(inside, total, out=np.full(n, np.nan), where=total > 0)
    return share


def quantile_by_community(
    values: Floats, weights: Floats, community: NDArray[np.int64], n: int, share: float
) -> Floats:
    """Return, for each community, the least value that ``share`` of its weight does not exceed; NaN without any.

    Parameters
    ----------
    values, weights, community
        Value, weight > 0 and community row of each item, shape (items,).
    n
        How many communities there are.
    share
        0–1.

    Returns
    -------
    ndarray
        Shape (n,).
    """
    found = np.full(n, np.nan)
    if not len(values):
        return found
    # Weights become whole numbers that just fit: their running sum over a whole country is then exact.
    finest = 2.0 ** np.floor(62 - np.log2(max(weights.sum(), 1.0)))
    order = np.lexsort((values, community))
    row, weight = community[order], np.rint(weights[order] * finest).astype(np.int64)
    running = np.cumsum(weight)
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    before = np.zeros(n, dtype=np.int64)
    before[row[starts]] = running[starts] - weight[starts]
    total = np.zeros(n, dtype=np.int64)
    total[row[starts]] = np.add.reduceat(weight, starts)
    enough = np.flatnonzero(running - before[row] >= (share - _SHARE_ROUNDING) * total[row])
    rows, first = np.unique(row[enough], return_index=True)
    found[rows] = values[order][enough[first]]
    return found


def share_reaches(share: Floats, asked: float) -> NDArray[np.bool_]:
    """Return whether shares reach what is asked; equal does, and so does what only the noise of adding keeps below."""
    return share >= asked - _SHARE_ROUNDING


def reach_verdicts(
    rule: Rule, communities: pd.DataFrame, one: ServiceAccess, demand: DemandPoints, standard: Standard
) -> RuleVerdicts:
    """Return the verdicts of a rule on the share of households within the circle of a service.

    Exactly the share asked passes. The shortfall is how many metres the household lacks that would complete it. Where
    the facilities table has no place at all of a service other than the comprehensive one, not being in its circle is
    not known.

    Parameters
    ----------
    rule
        The rule; its target is the share where it is about households, else the standard's ``reach_share``.
    communities
        The communities table.
    one
        How homes reach the service.
    demand
        Where the households are.
    standard
        The standard, for its circles and its ``near_limit_share``.

    Returns
    -------
    RuleVerdicts
        By community.
    """
    n, near = len(communities), standard.value("near_limit_share")
    about_households = rule.measure == "reached_share" and rule.target is not None
    asked = rule.target if about_households and rule.target is not None else standard.value("reach_share")
    reach = reach_of(
        one.nearest.distance_m[:, 0],
        one.cutoff_m,
        demand,
        n,
        asked=asked,
        near_limit_share=near,
    )
    short = FAIL if one.recorded else UNKNOWN
    code = applies(rule, communities)

    def judge(share: Floats) -> Codes:
        return only_where_applied(code, np.where(share_reaches(share, asked), PASS, short).astype(np.int8))

    status = judge(reach.share)
    failed = status == FAIL
    shortfall = np.where(failed & np.isfinite(reach.excess_m), reach.excess_m, np.nan)
    zh, en = empty_notes(n)
    for i in np.flatnonzero(failed):
        if np.isfinite(shortfall[i]):
            zh[i], en[i] = f"远 {rounded_up(shortfall[i])} 米", f"{rounded_up(shortfall[i])} m too far"
        else:
            zh[i], en[i] = "没有可达的设施", "no facility can be reached"
    doubtful = (status == UNKNOWN) & (code == PASS)
    zh[doubtful], en[doubtful] = "设施表中没有此类设施", "the facilities table has no place of this service"
    return RuleVerdicts(
        rule,
        status,
        np.where(np.isin(status, (PASS, FAIL)), reach.share, np.nan),
        np.full(n, asked),
        shortfall,
        _METRES,
        (zh, en),
        judge(reach.share_if_less),
        judge(reach.share_if_more),
        *circle_words(near),
    )


def circle_words(near: float) -> tuple[Text, Text]:
    """Return what a verdict near the limit is tried with: a circle shorter, and one longer, by a share."""
    percent = f"{near * 100:g}"
    return (
        Text(f"距离标准缩短 {percent} %", f"a circle {percent} % shorter"),
        Text(f"距离标准放宽 {percent} %", f"a circle {percent} % longer"),
    )


def area_verdicts(rule: Rule, communities: pd.DataFrame, allotment: Allotment, standard: Standard) -> RuleVerdicts:
    """Return the verdicts of a rule on the square metres allotted per 100 households.

    Exactly the target passes. Where a figure is missing the known ones decide if they are enough; else the verdict is
    unknown. The shortfall is the whole community's, m².

    Parameters
    ----------
    rule
        A rule with a target, m² per 100 households.
    communities
        The communities table.
    allotment
        What each community is allotted.
    standard
        The standard, for its ``near_limit_share``.

    Returns
    -------
    RuleVerdicts
        By community.
    """
    n = len(communities)
    households = communities["households"].to_numpy(dtype=np.float64)
    near = standard.value("near_limit_share")
    target = rule.target if rule.target is not None else 0.0
    need_m2 = target * households / 100
    code = applies(rule, communities)

    def judge(known_m2: Floats) -> Codes:
        short = np.where(allotment.missing > 0, UNKNOWN, FAIL)
        return only_where_applied(code, np.where(known_m2 >= need_m2 - _AREA_ROUNDING_M2, PASS, short).astype(np.int8))

    status = judge(allotment.known_m2)
    short_m2 = need_m2 - allotment.known_m2
    zh, en = empty_notes(n)
    for i in np.flatnonzero(status == FAIL):
        zh[i], en[i] = f"缺 {rounded_up(short_m2[i], 1)} 平方米", f"{rounded_up(short_m2[i], 1)} m² short"
    for i in np.flatnonzero((status == UNKNOWN) & (code == PASS)):
        zh[i] = f"{allotment.missing[i]} 个面积数据缺失；已知部分还缺 {rounded_up(short_m2[i], 1)} 平方米"
        en[i] = (
            f"{allotment.missing[i]} floor area figure(s) missing; "
            f"what is known is {rounded_up(short_m2[i], 1)} m² short"
        )
    for i in np.flatnonzero((status == PASS) & (allotment.missing > 0)):
        zh[i] = f"另有 {allotment.missing[i]} 个面积数据缺失，已知部分已足够"
        en[i] = f"{allotment.missing[i]} more floor area figure(s) missing; what is known is enough"
    per_100 = np.divide(allotment.known_m2 * 100, households, out=np.full(n, np.nan), where=households > 0)
    percent = f"{near * 100:g}"
    return RuleVerdicts(
        rule,
        status,
        np.where(np.isin(status, (PASS, FAIL)), per_100, np.nan),
        np.full(n, target),
        np.where(status == FAIL, short_m2, np.nan),
        UNITS["m2"],
        (zh, en),
        judge(allotment.known_m2 * (1 - near)),
        judge(allotment.known_m2 * (1 + near)),
        Text(f"面积减少 {percent} %", f"{percent} % less area"),
        Text(f"面积增加 {percent} %", f"{percent} % more area"),
    )
