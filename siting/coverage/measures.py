"""What each community or facility brings to a rule: numerator and denominator, bounded where a figure is missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from siting.coverage.own_places import activity_area, hours_open
from siting.coverage.places import Floats, Ints
from siting.coverage.units import ROUNDING, County, Figures, Flags, Missing, bounded, of_communities, one_each
from siting.standards.model import Rule


def measure(rule: Rule, county: County) -> Figures:
    """Return what every unit brings to a rule.

    Communities without households bring nothing to a share or a mean of communities; sums take them in.

    Parameters
    ----------
    rule
        A rule of any measure that tables can answer.
    county
        The tables.

    Returns
    -------
    Figures
        Only units that the rule applies to.
    """
    return _MEASURES[rule.measure](rule, county)


def _reach_columns(county: County, service: str) -> tuple[Floats, Floats]:
    """Return the share of households that reach a service, on the network and by a straight line; NaN if unknown."""
    end = "" if service == "comprehensive" else f"_{service}"
    if county.access is None or f"reached_share{end}" not in county.access or not county.recorded(service):
        nothing = np.full(len(county.communities), np.nan)
        return nothing, nothing
    return (
        county.access[f"reached_share{end}"].to_numpy(dtype=np.float64),
        county.access[f"straight_line_share{end}"].to_numpy(dtype=np.float64),
    )


def _unreached(county: County, service: str, unknown: Flags) -> Missing:
    """Return what to blame for a reach that is not known: no place of the service, or no distances."""
    if county.recorded(service):
        return Missing("roads.geometry", unknown)
    return Missing("facilities.service", unknown, service)


def _reached_share(rule: Rule, county: County) -> Figures:
    service = rule.facility_kind or "comprehensive"
    share, straight = _reach_columns(county, service)
    households = county.column("households")
    lived = households > 0
    return of_communities(
        rule,
        county,
        bounded(np.where(lived, share * households, 0.0), households),
        (households, households),
        [_unreached(county, service, lived & np.isnan(share))],
        straight=np.where(lived, straight * households, 0.0),
    )


def _services_in_circle(rule: Rule, county: County) -> Figures:
    """Count the services of the list that enough households reach; `elder_services_share` asks for all of them."""
    asked = county.standard.value("reach_share")
    lived = county.column("households") > 0
    n = len(county.communities)
    low, high, line = np.zeros(n), np.zeros(n), np.zeros(n)
    missing = []
    for service in rule.services:
        share, straight = _reach_columns(county, service)
        unknown = np.isnan(share) & lived
        with np.errstate(invalid="ignore"):
            low += share >= asked - ROUNDING
            high += unknown | (share >= asked - ROUNDING)
            line += np.where(np.isnan(straight), np.nan, straight >= asked - ROUNDING)
        missing.append(_unreached(county, service, unknown))
    if rule.measure == "required_services":
        return of_communities(
            rule, county, (low, high), one_each(county), missing, unit_target=float(len(rule.services)), straight=line
        )
    every = len(rule.services)
    all_of = (low >= every).astype(np.float64), (high >= every).astype(np.float64)
    line = np.where(np.isnan(line), np.nan, line >= every)
    return of_communities(rule, county, all_of, one_each(county), missing, ceiling=1.0, straight=line)


def _area(rule: Rule, county: County) -> Figures:
    unknown = county.allotment.missing > 0
    per_100 = county.column("households") / 100
    rows = county.ledger(rule.facility_kind or "comprehensive").unregistered
    target = county.standard.rule("area_per_100_households").target
    return of_communities(
        rule,
        county,
        (county.allotment.known_m2, np.where(unknown, np.inf, county.allotment.known_m2)),
        (per_100, per_100),
        [Missing("facilities.floor_area_m2", unknown)],
        unit_target=np.nan if rule.measure == "area_per_100_households" or target is None else target,
        spare=_sum_or_inf(county.facilities["floor_area_m2"], rows),
        unregistered=len(rows),
    )


def _sum_or_inf(column: pd.Series, rows: Ints) -> float:
    """Return the sum over some rows, inf when one of them is not known."""
    total = float(column.to_numpy(dtype=np.float64)[rows].sum())
    return np.inf if np.isnan(total) else total


def _facility_coverage(rule: Rule, county: County) -> Figures:
    service = rule.facility_kind or "comprehensive"
    ledger = county.ledger(service)
    n = len(county.communities)
    has = np.zeros(n)
    has[ledger.community] = 1.0
    recorded = county.recorded(service)
    missing = [] if recorded else [Missing("facilities.service", np.ones(n, dtype=bool), service)]
    high = has if recorded else np.ones(n)
    free = len(ledger.unregistered)
    if rule.level == "township":
        return _by_township(county, has, high, missing, free)
    return of_communities(
        rule, county, (has, high), one_each(county), missing, ceiling=1.0, spare=float(free), unregistered=free
    )


def _by_township(county: County, has: Floats, high: Floats, missing: Sequence[Missing], free: int) -> Figures:
    """Return one unit a township: it has what any of its communities has; with one of no known township nothing is."""
    names = county.communities["township"].to_numpy(dtype=object)
    units = pd.DataFrame({"has": has, "high": high}).groupby(names).max().sort_index()
    unknown = units.index.to_numpy() == ""
    n = len(units)
    faults = [replace(one, lacking=np.ones(n, dtype=bool)) for one in missing]
    if unknown.any():
        faults.append(Missing("communities.township", unknown))
    low = np.zeros(n) if unknown.any() else units["has"].to_numpy()
    high = np.ones(n) if unknown.any() else units["high"].to_numpy()
    return Figures(
        low=low,
        high=high,
        denominator_low=np.ones(n),
        denominator_high=np.ones(n),
        township=np.full(n, "", dtype=object),
        maybe=unknown,
        ceiling=1.0,
        spare=float(free),
        unregistered=free,
        straight=np.full(n, np.nan),
        missing=tuple(faults),
    )


def _commerce(rule: Rule, county: County) -> Figures:
    part, whole = county.column("commerce_service_area_m2"), county.column("total_building_area_m2")
    return _part_of_whole(rule, county, part, whole, "commerce_service_area_m2", "total_building_area_m2")


def _certified(rule: Rule, county: County) -> Figures:
    part, whole = county.column("certified_workers"), county.column("community_workers")
    return _part_of_whole(rule, county, part, whole, "certified_workers", "community_workers")


def _part_of_whole(rule: Rule, county: County, part: Floats, whole: Floats, name: str, of: str) -> Figures:
    """Return a part over a whole: an unknown part is at most its whole, an unknown whole at least its part."""
    return of_communities(
        rule,
        county,
        bounded(part, np.where(np.isnan(whole), np.inf, whole)),
        bounded(whole, np.inf, np.where(np.isnan(part), 0.0, part)),
        [Missing(f"communities.{name}", np.isnan(part)), Missing(f"communities.{of}", np.isnan(whole))],
    )


def _terminals(rule: Rule, county: County) -> Figures:
    column = county.communities["self_service_terminal"]
    unknown = column.isna().to_numpy(dtype=bool)
    has = np.where(unknown, np.nan, column.fillna(False).to_numpy(dtype=np.float64))
    missing = [Missing("communities.self_service_terminal", unknown)]
    return of_communities(rule, county, bounded(has, 1.0), one_each(county), missing, ceiling=1.0)


def _workers(rule: Rule, county: County) -> Figures:
    workers, people = county.column("community_workers"), county.column("population") / 10_000
    return of_communities(
        rule,
        county,
        bounded(workers, np.inf),
        bounded(people, np.inf),
        [
            Missing("communities.community_workers", np.isnan(workers)),
            Missing("communities.population", np.isnan(people)),
        ],
    )


def _organisations(rule: Rule, county: County) -> Figures:
    number = county.column("social_organisations")
    missing = [Missing("communities.social_organisations", np.isnan(number))]
    return of_communities(rule, county, bounded(number, np.inf), one_each(county), missing)


def _elder_care_land(rule: Rule, county: County) -> Figures:
    """Sum the land of elder-care facilities over the communities they are registered to, each once."""
    service = rule.facility_kind or "elder_care"
    n = len(county.communities)
    ledger = county.ledger(service)
    if "land_area_m2" in county.facilities:
        land = county.facilities["land_area_m2"]
    else:
        land = pd.Series(np.nan, index=county.facilities.index)
    facility, first = np.unique(ledger.facility, return_index=True)
    own = land.to_numpy(dtype=np.float64)[facility]
    known, lacking = np.zeros(n), np.zeros(n, dtype=bool)
    np.add.at(known, ledger.community[first], np.nan_to_num(own))
    lacking[ledger.community[first][np.isnan(own)]] = True
    missing = Missing("facilities.land_area_m2", lacking)
    if not county.recorded(service):
        lacking = np.ones(n, dtype=bool)
        missing = Missing("facilities.service", lacking, service)
    people = county.column("population")
    return of_communities(
        rule,
        county,
        (known, np.where(lacking, np.inf, known)),
        bounded(people, np.inf),
        [missing, Missing("communities.population", np.isnan(people))],
        spare=_sum_or_inf(land, ledger.unregistered),
        unregistered=len(ledger.unregistered),
    )


_MEASURES: Mapping[str, Callable[[Rule, County], Figures]] = {
    "reached_share": _reached_share,
    "sports_reached_share": _reached_share,
    "area_per_100_households": _area,
    "area_standard_share": _area,
    "facility_coverage_share": _facility_coverage,
    "activity_area_share": activity_area,
    "commerce_service_area_share": _commerce,
    "self_service_terminal_share": _terminals,
    "community_workers_per_10000": _workers,
    "social_organisations_mean": _organisations,
    "certified_workers_share": _certified,
    "hours_per_day": hours_open,
    "elder_care_area_per_resident": _elder_care_land,
    "elder_services_share": _services_in_circle,
    "required_services": _services_in_circle,
}
