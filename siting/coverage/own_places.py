"""The rules that count places rather than communities: how much of each is for residents, how long it is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.coverage.places import Floats, Ints, places_of
from siting.coverage.units import County, Figures, Flags, Missing, bounded
from siting.standards.model import Rule


@dataclass(frozen=True, slots=True)
class OwnPlaces:
    """The places of a service that a county has itself: how it reads a column, and where each stands."""

    facilities: pd.DataFrame
    column: Ints
    place: Ints
    own: Flags
    township: NDArray[np.object_]

    @classmethod
    def of(cls, county: County, rule: Rule) -> OwnPlaces:
        """Return the places of a rule's kind of facility; those of a neighbour's community are left out."""
        service = rule.facility_kind or "comprehensive"
        places = places_of(county.facilities, service)
        ledger = county.ledger(service)
        township = np.full(len(places), "", dtype=object)
        own = np.zeros(len(places), dtype=bool)
        row_place = np.full(len(county.facilities), -1, dtype=np.int64)
        row_place[places.column] = places.place
        own[row_place[ledger.unregistered]] = True
        here = row_place[ledger.facility]
        kinds = county.communities["area_type"].to_numpy(dtype=object)[ledger.community]
        asked = np.ones(len(here), dtype=bool) if rule.applies_to == "all" else kinds == rule.applies_to
        own[here] = asked
        township[here] = county.communities["township"].to_numpy(dtype=object)[ledger.community]
        return cls(county.facilities, places.column, places.place, own, township)

    def largest(self, name: str) -> Floats:
        """Return a column by place, the largest figure that any of its entrances states, NaN without one."""
        values = self.facilities[name].to_numpy(dtype=np.float64)[self.column]
        most = np.full(len(self.own), -np.inf)
        known = ~np.isnan(values)
        np.maximum.at(most, self.place[known], values[known])
        return np.where(np.isfinite(most), most, np.nan)[self.own]

    def figures(
        self,
        bounds: tuple[Floats, Floats],
        denominator: tuple[Floats, Floats],
        missing: Sequence[Missing],
        unit_target: float = np.nan,
    ) -> Figures:
        """Return the figures of the places."""
        n = int(self.own.sum())
        return Figures(
            low=bounds[0],
            high=bounds[1],
            denominator_low=denominator[0],
            denominator_high=denominator[1],
            township=self.township[self.own],
            maybe=np.zeros(n, dtype=bool),
            unit_target=unit_target,
            straight=np.full(n, np.nan),
            missing=tuple(one for one in missing if one.lacking.any()),
        )


def activity_area(rule: Rule, county: County) -> Figures:
    """Return residents' activity area over floor area, by place; an unknown part is at most its whole."""
    places = OwnPlaces.of(county, rule)
    part, whole = places.largest("activity_area_m2"), places.largest("floor_area_m2")
    return places.figures(
        bounded(part, np.where(np.isnan(whole), np.inf, whole)),
        bounded(whole, np.inf, np.where(np.isnan(part), 0.0, part)),
        [Missing("facilities.activity_area_m2", np.isnan(part)), Missing("facilities.floor_area_m2", np.isnan(whole))],
    )


def hours_open(rule: Rule, county: County) -> Figures:
    """Return the hours a day that each place is open; an unknown one is between 0 and 24."""
    places = OwnPlaces.of(county, rule)
    hours = places.largest("hours_per_day")
    ones = np.ones(len(hours))
    target = np.nan if rule.target is None else rule.target
    return places.figures(
        bounded(hours, 24.0), (ones, ones), [Missing("facilities.hours_per_day", np.isnan(hours))], unit_target=target
    )
