"""Candidates and existing facilities -> the table of actions: what could be done, how big, at what price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import pandas as pd

from siting.allocation.situation import UNITS_PER_M2, Actions
from siting.arrays import BoolArray, FloatArray, IntArray
from siting.coverage.places import places_of
from siting.errors import ProblemError
from siting.standards.model import Standard
from siting.text import Text

COMPREHENSIVE = "comprehensive"


@dataclass(frozen=True, slots=True)
class SiteRules:
    """The study's own rules for sites, beside those of the standard.

    Parameters
    ----------
    max_growth_share
        How far an existing facility may grow where its table does not say, share of its floor area; None: not at all.
    extension_cost_per_m2
        Price of an extension where the table does not say, 万元 per m²; None: unknown.
    least_area_m2
        Smallest new comprehensive facility where the table gives no minimum, m²; a site smaller than that is taken
        whole or not at all. None: the standard's assumption ``least_site_m2``.
    max_area_m2
        By service, the largest area of one site: for services that want many small sites, m².
    next_to
        Triples (service, other service, m): a site with the first service must have the second within that distance.
    joint_building
        Whether a site in one village may be allotted to others in whose circle it lies; False: to its own only.
    """

    max_growth_share: float | None = None
    extension_cost_per_m2: float | None = None
    least_area_m2: float | None = None
    max_area_m2: Mapping[str, float] = field(default_factory=dict)
    next_to: tuple[tuple[str, str, float], ...] = ()
    joint_building: bool = True

    def __post_init__(self) -> None:
        for name in ("max_growth_share", "extension_cost_per_m2", "least_area_m2"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value >= 0):
                raise ProblemError(
                    Text(zh=f"{name} 应为不小于 0 的数，得到 {value}", en=f"{name} must be a number >= 0, got {value}")
                )


def present_value_of_yearly(years: float, rate: float) -> float:
    """Return what 1 a year, paid at the end of each year of the horizon, is worth today.

    Parameters
    ----------
    years
        Horizon, years, >= 0.
    rate
        Discount rate a year, share; at 0 it is the number of years.
    """
    return years if rate == 0 else (1.0 - (1.0 + rate) ** -years) / rate


def candidate_actions(
    candidates: pd.DataFrame, serves_urban: BoolArray, communities: pd.DataFrame, standard: Standard, rules: SiteRules
) -> Actions:
    """Return one action a candidate, in their order.

    A candidate without a price cannot be taken (``unusable`` says so); no yearly cost given is no yearly cost.

    Parameters
    ----------
    candidates
        The candidates table.
    serves_urban
        Whether each lies in the circle of an urban community, shape (candidates,): where its own community is not
        named, that makes it an urban facility.
    communities
        The communities table.
    standard
        For the least area of new build, the counted services, horizon and discount rate.
    rules
        The study's own rules.
    """
    k = len(candidates)
    ids = candidates["candidate_id"].to_numpy().astype(str)
    services = tuple(tuple(row) for row in candidates["services"])
    ways = candidates["acquisition"].to_numpy().astype(str)
    counted = np.array([bool(set(row) & standard.counted_services) for row in services], dtype=bool)
    own = community_rows(candidates, communities)
    urban_row = communities["area_type"].eq("urban").to_numpy(dtype=bool)
    urban = np.where(own >= 0, urban_row[np.maximum(own, 0)] if len(urban_row) else False, serves_urban)
    most = candidates["max_floor_area_m2"].to_numpy(dtype=np.float64).copy()
    least = candidates["min_floor_area_m2"].to_numpy(dtype=np.float64).copy()
    smallest = standard.value("least_site_m2") if rules.least_area_m2 is None else rules.least_area_m2
    least = np.where(np.isnan(least), np.where(counted, np.minimum(smallest, most), 0.0), least)
    for service, area_m2 in rules.max_area_m2.items():
        offers = np.array([service in row for row in services], dtype=bool)
        most = np.where(offers, np.minimum(most, area_m2), most)
    anew = (ways == "new_build") & counted
    reasons: list[Text | None] = [None] * k
    for rule in standard.rules:
        if rule.measure == "new_build_min_area" and rule.target is not None:
            bound = anew & (urban if rule.applies_to == "urban" else np.ones(k, bool))
            least = np.where(bound, np.maximum(least, rule.target), least)
            for at in np.flatnonzero(bound & (most < rule.target)):
                reasons[at] = Text(
                    f"新建设施不得小于 {rule.target:g} 平方米（{rule.clause}），此处最多 {most[at]:g} 平方米",
                    f"new build must be at least {rule.target:g} m² ({rule.clause}); at most {most[at]:g} m² fit here",
                )
    fixed = candidates["fixed_cost"].to_numpy(dtype=np.float64)
    price = candidates["cost_per_m2"].to_numpy(dtype=np.float64)
    yearly = np.nan_to_num(candidates["yearly_cost_per_m2"].to_numpy(dtype=np.float64), nan=0.0)
    reasons = [reason or _fault(*row) for reason, *row in zip(reasons, most, least, fixed, price, strict=True)]
    groups = candidates["exclusive_group"].to_numpy().astype(str)
    names = sorted(set(groups) - {""})
    number = {name: at for at, name in enumerate(names)}
    points = candidates.geometry.to_crs("EPSG:4326")
    return Actions(
        action_id=tuple(ids),
        kind=("candidate",) * k,
        source_id=tuple(ids),
        acquisition=tuple(ways),
        services=services,
        counted=counted,
        min_u=_units(least, np.ceil),
        max_u=_units(most, np.floor),
        fixed_cost=fixed,
        area_cost=price,
        yearly_cost=yearly * present_value_of_yearly(standard.value("horizon_years"), standard.value("discount_rate")),
        group=np.array([number.get(name, -1) for name in groups], dtype=np.int64),
        community=own,
        lon=points.x.to_numpy(dtype=np.float64),
        lat=points.y.to_numpy(dtype=np.float64),
        unusable=tuple(reasons),
    )


def _fault(most: float, least: float, fixed: float, price: float) -> Text | None:
    if np.isnan(fixed) or np.isnan(price):
        return Text("没有价格", "it has no price")
    if np.isnan(most) or most <= 0:
        return Text("没有可用面积", "it has no usable area")
    if least > most:
        return Text(
            f"最小面积 {least:g} 平方米大于最大面积 {most:g} 平方米",
            f"its minimum {least:g} m² is above its maximum {most:g} m²",
        )
    return None


def extension_actions(
    facilities: pd.DataFrame, communities: pd.DataFrame, standard: Standard, rules: SiteRules
) -> Actions:
    """Return one action a comprehensive place that may grow, by its own table or by the study's rule.

    Entrances that share a place_id are one place; it is named after the first of them.

    Parameters
    ----------
    facilities
        The facilities table.
    communities
        The communities table.
    standard
        For the counted services.
    rules
        The study's own rules.
    """
    rows: list[int] = []
    grow, price = [], []
    area = facilities["floor_area_m2"].to_numpy(dtype=np.float64)
    limit = facilities["max_floor_area_m2"].to_numpy(dtype=np.float64)
    cost = facilities["extension_cost_per_m2"].to_numpy(dtype=np.float64)
    for service in sorted(standard.counted_services):
        places = places_of(facilities, service)
        for place, first in enumerate(places.first):
            entrances = places.column[places.place == place]
            known = area[entrances][~np.isnan(area[entrances])]
            if not len(known):
                continue
            now = float(known.max())
            stated = limit[entrances][~np.isnan(limit[entrances])]
            share = rules.max_growth_share or 0.0
            more = float(stated.max()) - now if len(stated) else now * share
            stated_cost = cost[entrances][~np.isnan(cost[entrances])]
            each = float(stated_cost.max()) if len(stated_cost) else rules.extension_cost_per_m2
            if more > 0 and each is not None:
                rows.append(int(first))
                grow.append(more)
                price.append(each)
    chosen = facilities.iloc[rows]
    ids = chosen["facility_id"].to_numpy().astype(str)
    points = chosen.geometry.to_crs("EPSG:4326")
    k = len(rows)
    return Actions(
        action_id=tuple(f"{name}+" for name in ids),
        kind=("extension",) * k,
        source_id=tuple(ids),
        acquisition=("extension",) * k,
        services=tuple((service,) for service in chosen["service"].to_numpy().astype(str)),
        counted=np.ones(k, dtype=bool),
        min_u=np.zeros(k, dtype=np.int64),
        max_u=_units(np.array(grow), np.floor),
        fixed_cost=np.zeros(k),
        area_cost=np.array(price, dtype=np.float64),
        yearly_cost=np.zeros(k),
        group=np.full(k, -1, dtype=np.int64),
        community=community_rows(chosen, communities),
        lon=points.x.to_numpy(dtype=np.float64),
        lat=points.y.to_numpy(dtype=np.float64),
        unusable=(None,) * k,
    )


def joined(first: Actions, second: Actions) -> Actions:
    """Return the actions of both, the first's before the second's.

    Parameters
    ----------
    first, second
        Actions; exclusive groups of the second stay apart from those of the first.
    """
    shift = int(first.group.max(initial=-1)) + 1
    group = np.where(second.group >= 0, second.group + shift, -1)
    both: dict[str, Any] = {"group": np.concatenate([first.group, group])}
    for one in fields(Actions):
        a, b = getattr(first, one.name), getattr(second, one.name)
        both.setdefault(one.name, a + b if isinstance(a, tuple) else np.concatenate([a, b]))
    return Actions(**both)


def community_rows(table: pd.DataFrame, communities: pd.DataFrame) -> IntArray:
    """Return the row in communities that each row of a table names, -1 where it names none.

    Parameters
    ----------
    table
        With a column community_id.
    communities
        The communities table.
    """
    row_of = {str(name): at for at, name in enumerate(communities["community_id"])}
    return np.array([row_of.get(str(name), -1) for name in table["community_id"]], dtype=np.int64)


def _units(area_m2: FloatArray, whole: np.ufunc) -> IntArray:
    """Return areas in whole hundredths of a m², never beyond what was given."""
    nudge = 1e-6 if whole is np.floor else -1e-6
    return np.asarray(whole(np.nan_to_num(area_m2, nan=0.0) * UNITS_PER_M2 + nudge), dtype=np.int64)
