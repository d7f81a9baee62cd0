"""The units that a rule counts (communities, facilities, townships): numerators and denominators with their bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.coverage.area import Allotment
from siting.coverage.ledger import Ledger, read_ledger
from siting.coverage.places import Floats
from siting.standards.model import Rule, Standard

Flags = NDArray[np.bool_]
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Missing:
    """A column that would answer a rule, and which units lack it; ``service`` where the column names none of it."""

    column: str
    lacking: Flags
    service: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """The units of one rule (communities, facilities or townships), entry i for unit i.

    Parameters
    ----------
    low, high
        Bounds of the numerator; equal where it is known.
    denominator_low, denominator_high
        Bounds of the denominator.
    township
        The township of each unit, ``""`` where it is not known.
    maybe
        Units of which it is not known whether the rule applies to them.
    unit_target
        What one unit must reach where the county figure is a share of units; NaN otherwise.
    ceiling
        The most that one numerator can be.
    spare
        What facilities that name no community might add, to any unit.
    unregistered
        How many such facilities there are.
    straight
        The numerator that a straight line would give; NaN where a line says nothing.
    missing
        What is missing, by column.
    left_out
        Communities without households, which are in no count of communities.
    """

    low: Floats
    high: Floats
    denominator_low: Floats
    denominator_high: Floats
    township: NDArray[np.object_]
    maybe: Flags
    unit_target: float = float("nan")
    ceiling: float = float("inf")
    spare: float = 0.0
    unregistered: int = 0
    straight: Floats = field(default_factory=lambda: np.empty(0))
    missing: tuple[Missing, ...] = ()
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class County:
    """The tables of one county, as the measures read them.

    ``access`` has one row a community with ``reached_share`` and ``straight_line_share`` of the comprehensive facility,
    and ``reached_share_SERVICE`` and ``straight_line_share_SERVICE`` of the services of `services_measured`; None when
    no distances were measured. ``allotment`` is what `siting.coverage.area.allot` gives; ``ledgers`` those read so far.
    """

    communities: pd.DataFrame
    facilities: pd.DataFrame
    allotments: pd.DataFrame | None
    allotment: Allotment
    access: pd.DataFrame | None
    standard: Standard
    ledgers: dict[str, Ledger] = field(default_factory=dict)

    def ledger(self, service: str) -> Ledger:
        """Return who the facilities of a service are registered to."""
        if service not in self.ledgers:
            self.ledgers[service] = read_ledger(self.communities, self.facilities, self.allotments, {service})
        return self.ledgers[service]

    def column(self, name: str) -> Floats:
        """Return a column of the communities as numbers, NaN where it is missing."""
        return self.communities[name].to_numpy(dtype=np.float64)

    def recorded(self, service: str) -> bool:
        """Whether the tables say anything about a service: an unnamed counted service has no facility at all."""
        return service in self.standard.counted_services or bool(self.facilities["service"].eq(service).any())


def services_measured(standard: Standard) -> tuple[str, ...]:
    """Return the services, other than the comprehensive facility, whose reach the rules of a standard ask for.

    Parameters
    ----------
    standard
        The standard.

    Returns
    -------
    tuple
        Service ids, each once, in the order of the rules.
    """
    wanted: dict[str, None] = {}
    for rule in standard.rules:
        if rule.measure in ("required_services", "elder_services_share"):
            wanted.update(dict.fromkeys(rule.services))
        elif rule.measure == "sports_reached_share":
            wanted["sports"] = None
    return tuple(service for service in wanted if service != "comprehensive")


def of_communities(
    rule: Rule,
    county: County,
    bounds: tuple[Floats, Floats],
    denominator: tuple[Floats, Floats],
    missing: Sequence[Missing],
    *,
    unit_target: float = np.nan,
    ceiling: float = np.inf,
    spare: float = 0.0,
    unregistered: int = 0,
    straight: Floats | None = None,
) -> Figures:
    """Return the figures of the communities that a rule applies to.

    Parameters
    ----------
    rule
        The rule.
    county
        The tables.
    bounds, denominator
        Least and most of numerator and denominator, by community.
    missing
        What is missing, over all communities.
    unit_target, ceiling, spare, unregistered, straight
        As in `Figures`.

    Returns
    -------
    Figures
        Without communities that have no households, where the rule counts communities.
    """
    table = county.communities
    n = len(table)
    asked, maybe = np.ones(n, dtype=bool), np.zeros(n, dtype=bool)
    if rule.applies_to in ("urban", "rural"):
        asked = table["area_type"].eq(rule.applies_to).to_numpy(dtype=bool)
    elif rule.applies_to == "resettlement":
        maybe = table["resettlement"].isna().to_numpy(dtype=bool)
        asked = table["resettlement"].fillna(True).to_numpy(dtype=bool)
    empty = table["households"].to_numpy() == 0
    left_out = 0
    if rule.county_figure in ("share", "mean"):
        left_out = int((asked & empty & ~maybe).sum())
        asked = asked & ~empty
    flags = [Missing("communities.resettlement", maybe), *missing]
    line = np.full(n, np.nan) if straight is None else straight
    return Figures(
        low=bounds[0][asked],
        high=bounds[1][asked],
        denominator_low=denominator[0][asked],
        denominator_high=denominator[1][asked],
        township=table["township"].to_numpy(dtype=object)[asked],
        maybe=maybe[asked],
        unit_target=unit_target,
        ceiling=ceiling,
        spare=spare,
        unregistered=unregistered,
        straight=line[asked],
        missing=tuple(replace(one, lacking=one.lacking[asked]) for one in flags if one.lacking[asked].any()),
        left_out=left_out,
    )


def bounded(values: Floats, most: Floats | float, least: Floats | float = 0.0) -> tuple[Floats, Floats]:
    """Return values as bounds: themselves where known, else the least and the most they can be."""
    unknown = np.isnan(values)
    return np.where(unknown, least, values), np.where(unknown, most, values)


def one_each(county: County) -> tuple[Floats, Floats]:
    """Return a denominator of 1 for every community."""
    ones = np.ones(len(county.communities))
    return ones, ones
