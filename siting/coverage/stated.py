"""Verdicts on what the tables state of a community: its staff, organisations, terminal, floor space and facility."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from siting.coverage.access import COMPREHENSIVE
from siting.coverage.ledger import read_ledger
from siting.coverage.places import Floats
from siting.coverage.verdicts import (
    FAIL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    RuleVerdicts,
    applies,
    empty_notes,
    only_where_applied,
    rounded_up,
)
from siting.standards.model import UNITS, Rule
from siting.text import Text

PERSONS = Text("人", "persons")
ORGANISATIONS = Text("个", "organisations")

_COLUMNS: Mapping[str, Text] = {
    "commerce_service_area_m2": Text("商业和综合服务设施面积", "commerce_service_area_m2"),
    "total_building_area_m2": Text("总建筑面积", "total_building_area_m2"),
    "community_workers": Text("社区工作者人数", "community_workers"),
    "certified_workers": Text("持证社区工作者人数", "certified_workers"),
    "population": Text("常住人口", "population"),
    "social_organisations": Text("社会组织数", "social_organisations"),
    "self_service_terminal": Text("政务自助服务终端", "self_service_terminal"),
}


@dataclass(frozen=True, slots=True)
class _Ratio:
    """One column over another (or over 1), times a scale; what is missing is counted in ``unit``."""

    numerator: str
    denominator: str
    scale: float
    unit: Text


_RATIOS: Mapping[str, _Ratio] = {
    "commerce_service_area_share": _Ratio("commerce_service_area_m2", "total_building_area_m2", 1.0, UNITS["m2"]),
    "community_workers_per_10000": _Ratio("community_workers", "population", 10_000.0, PERSONS),
    "certified_workers_share": _Ratio("certified_workers", "community_workers", 1.0, PERSONS),
    "social_organisations_mean": _Ratio("social_organisations", "", 1.0, ORGANISATIONS),
    "self_service_terminal_share": _Ratio("self_service_terminal", "", 1.0, UNITS["places"]),
}
STATED_MEASURES = frozenset(_RATIOS)


def stated_verdicts(rule: Rule, communities: pd.DataFrame) -> RuleVerdicts:
    """Return the verdicts of a rule on figures that the communities table states.

    Exactly the target passes. Where a figure is missing the verdict is unknown and says which; where the denominator
    is 0 the rule asks nothing of the community.

    Parameters
    ----------
    rule
        A rule whose measure is one of `STATED_MEASURES`, with a target.
    communities
        The communities table.

    Returns
    -------
    RuleVerdicts
        By community.
    """
    ratio, n = _RATIOS[rule.measure], len(communities)
    target = 1.0 if rule.county_figure == "share" or rule.target is None else rule.target
    above = _figures(communities, ratio.numerator)
    below = _figures(communities, ratio.denominator) if ratio.denominator else np.ones(n)
    value = np.divide(above * ratio.scale, below, out=np.full(n, np.nan), where=below > 0)
    short = target * below / ratio.scale - above
    missing = np.isnan(above) | np.isnan(below)
    enough = np.where(short <= 1e-9 * np.maximum(np.abs(above), 1.0), PASS, FAIL)
    status = only_where_applied(applies(rule, communities), np.where(missing, UNKNOWN, enough).astype(np.int8))
    status[below == 0] = NOT_APPLICABLE
    zh, en = empty_notes(n)
    for i in np.flatnonzero(status == FAIL):
        zh[i], en[i] = _shortfall_words(rule, short[i], ratio.unit)
    for name, figures in ((ratio.numerator, above), (ratio.denominator, below)):
        gone = (status == UNKNOWN) & np.isnan(figures)
        if name and gone.any():
            zh[gone] += f"缺少{_COLUMNS[name].zh}；"
            en[gone] += f"{_COLUMNS[name].en} is missing; "
    return RuleVerdicts(
        rule,
        status,
        np.where(np.isin(status, (PASS, FAIL)), value, np.nan),
        np.full(n, target),
        np.where(status == FAIL, short, np.nan),
        ratio.unit,
        (_trimmed(zh), _trimmed(en)),
    )


def _figures(communities: pd.DataFrame, column: str) -> Floats:
    """Return a column as numbers, NaN where it says nothing; a boolean as 0 and 1."""
    return np.asarray(communities[column].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan), np.float64)


def _shortfall_words(rule: Rule, short: float, unit: Text) -> tuple[str, str]:
    if rule.measure == "self_service_terminal_share":
        return "没有终端", "no terminal"
    number = rounded_up(short, 1 if unit == UNITS["m2"] else 0)
    return f"缺 {number} {unit.zh}", f"{number} {unit.en if number != '1' else unit.en.removesuffix('s')} short"


def _trimmed(words: np.ndarray) -> np.ndarray:
    return np.array([word.strip("； ;") for word in words], dtype=object)


def registered_verdicts(
    rule: Rule, communities: pd.DataFrame, facilities: pd.DataFrame, allotments: pd.DataFrame | None
) -> RuleVerdicts:
    """Return the verdicts of a rule on whether a community has a facility of some kind registered to it.

    Where it has none, but some facility of the kind names no community, the verdict is unknown; so it is where the
    table has none of the kind at all, other than comprehensive ones.

    Parameters
    ----------
    rule
        A rule that names a facility kind.
    communities, facilities
        The tables.
    allotments
        The allotments table, or None.

    Returns
    -------
    RuleVerdicts
        By community; the value is 1 or 0.
    """
    n = len(communities)
    ledger = read_ledger(communities, facilities, allotments, {rule.facility_kind})
    has = np.zeros(n, dtype=bool)
    has[ledger.community] = True
    recorded = bool((facilities["service"] == rule.facility_kind).any())
    settled = not len(ledger.unregistered) and (recorded or rule.facility_kind == COMPREHENSIVE)
    status = only_where_applied(
        applies(rule, communities), np.where(has, PASS, FAIL if settled else UNKNOWN).astype(np.int8)
    )
    zh, en = empty_notes(n)
    none = status == FAIL
    zh[none], en[none] = "没有登记的设施", "no facility is registered to it"
    why = (
        Text("有设施未登记所属社区", "some facility names no community")
        if recorded
        else Text("设施表中没有此类设施", "the facilities table has no place of this service")
    )
    doubtful = (status == UNKNOWN) & ~has
    zh[doubtful], en[doubtful] = why.zh, why.en
    known = np.isin(status, (PASS, FAIL))
    return RuleVerdicts(
        rule,
        status,
        np.where(known, has.astype(np.float64), np.nan),
        np.ones(n),
        np.where(none, 1.0, np.nan),
        UNITS["places"],
        (zh, en),
    )
