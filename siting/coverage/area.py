"""Square metres of service floor area: allotted by the ledger, and shared between all who can reach them (2SFCA)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.coverage import area_issues
from siting.coverage.access import whole_mm
from siting.coverage.places import Floats, Ints, Pairs, Places, Strings, places_of
from siting.errors import Issue
from siting.standards.model import Standard

_ROUNDING_M2 = 1e-6


@dataclass(frozen=True, slots=True)
class Allotment:
    """What each community is allotted, row i for community i.

    Parameters
    ----------
    known_m2
        The square metres that are known, shape (n,).
    missing
        How many figures are not known: facilities of the community without a floor area, or without an allotted
        area, shape (n,). Where it is above 0 the community has at least ``known_m2``.
    issues
        What was mended, and what is counted for nobody.
    """

    known_m2: Floats
    missing: Ints
    issues: tuple[Issue, ...] = ()


def allotted_area(
    communities: pd.DataFrame, facilities: pd.DataFrame, allotments: pd.DataFrame | None, standard: Standard
) -> pd.Series:
    """Return the square metres of counted services that are allotted to each community.

    A facility is allotted whole to its ``community_id``, or as the allotments table says; what is allotted of one
    facility never exceeds its floor area. A community without a facility has 0.

    Parameters
    ----------
    communities
        The communities table.
    facilities
        The facilities table; entrances that share a ``place_id`` count once.
    allotments
        ``facility_id``, ``community_id``, ``area_m2``; None when there is no such table.
    standard
        The standard that says which services count.

    Returns
    -------
    Series
        m², index of ``communities``; NaN where a needed figure is missing.
    """
    allotment = allot(communities, facilities, allotments, standard)
    area_m2 = np.where(allotment.missing > 0, np.nan, allotment.known_m2)
    return pd.Series(area_m2, index=communities.index, name="allotted_area_m2")


def place_areas(facilities: pd.DataFrame, places: Places) -> tuple[Floats, tuple[Issue, ...]]:
    """Return the floor area of each place, once, whatever the number of its entrances.

    Where entrances differ, the largest figure is taken and the difference is an issue.

    Parameters
    ----------
    facilities
        The facilities table.
    places
        The places of one service.

    Returns
    -------
    tuple
        m², shape (places,), NaN where no entrance has a figure; issues.
    """
    of_row = facilities["floor_area_m2"].to_numpy(dtype=np.float64)[places.column]
    known = ~np.isnan(of_row)
    most = np.full(len(places), -np.inf)
    least = np.full(len(places), np.inf)
    np.maximum.at(most, places.place[known], of_row[known])
    np.minimum.at(least, places.place[known], of_row[known])
    names = facilities["place_id"].to_numpy()
    differing = np.flatnonzero(np.isfinite(most) & (least < most))
    issues = tuple(area_issues.entrances_differ(str(names[places.first[k]]), least[k], most[k]) for k in differing)
    return np.where(np.isfinite(most), most, np.nan), issues


def allot(
    communities: pd.DataFrame, facilities: pd.DataFrame, allotments: pd.DataFrame | None, standard: Standard
) -> Allotment:
    """Return what each community is allotted, what is not known of it, and every issue met on the way.

    Where the table allots more of a facility than its floor area, every share of it is cut in proportion. Where no
    counted facility says whose it is, nothing is known of any community.

    Parameters
    ----------
    communities
        The communities table.
    facilities
        The facilities table.
    allotments
        ``facility_id``, ``community_id``, ``area_m2``; None when there is no such table.
    standard
        The standard that says which services count.

    Returns
    -------
    Allotment
        By community.
    """
    n = len(communities)
    number_of = pd.Series(np.arange(n, dtype=np.float64), index=communities["community_id"].to_numpy().astype(str))
    table, issues = _checked_allotments(facilities, allotments, standard)
    names, figures = [np.empty(0, dtype=str)], [np.empty(0)]
    nobodys: list[str] = []
    nobodys_m2 = 0.0
    for service in sorted(standard.counted_services):
        one = _Service.of(facilities, service, table)
        issues += one.issues
        for name, figure, faults in (one.shares_by_table(table), one.shares_by_register()):
            names.append(name)
            figures.append(figure)
            issues += faults
        nobodys += one.place_ids[one.nobodys].tolist()
        nobodys_m2 += float(np.nansum(one.area_m2[one.nobodys]))
    name, figure = np.concatenate(names), np.concatenate(figures)
    row = number_of.reindex(name).to_numpy(dtype=np.float64)
    here = ~np.isnan(row)
    for stranger in np.unique(name[~here]):
        issues.append(area_issues.stranger(str(stranger), float(np.nansum(figure[name == stranger]))))
    mine, figure = row[here].astype(np.int64), figure[here]
    known_m2, missing = _sums(mine, figure, n), np.bincount(mine[np.isnan(figure)], minlength=n)
    if nobodys and len(name) == 0:
        missing += 1
        issues.append(area_issues.WHOSE_UNKNOWN)
    elif nobodys:
        issues.append(area_issues.nobodys(sorted(nobodys), nobodys_m2))
    return Allotment(known_m2, missing, tuple(issues))


def _sums(number: Ints, values: Floats, count: int) -> Floats:
    """Return the sum by number, NaN as 0: to the last bit the same whatever the order of the rows."""
    order = np.lexsort((values, number))
    sums = np.zeros(count)
    np.add.at(sums, number[order], np.nan_to_num(values[order], nan=0.0))
    return sums


def _checked_allotments(
    facilities: pd.DataFrame, allotments: pd.DataFrame | None, standard: Standard
) -> tuple[pd.DataFrame, list[Issue]]:
    """Return the allotments of facilities that are there and count; the others become issues."""
    if allotments is None or len(allotments) == 0:
        return pd.DataFrame({"facility_id": [], "community_id": [], "area_m2": []}), []
    service = pd.Series(facilities["service"].to_numpy(), index=facilities["facility_id"].to_numpy().astype(str))
    wanted = allotments["facility_id"].astype(str)
    of_row = wanted.map(service[~service.index.duplicated()])
    counted = of_row.isin(standard.counted_services)
    issues = [area_issues.no_such_facility(one) for one in sorted(set(wanted[of_row.isna()]))]
    issues += [area_issues.service_not_counted(one) for one in sorted(set(wanted[of_row.notna() & ~counted]))]
    return allotments[counted], issues


@dataclass(frozen=True, slots=True)
class _Service:
    """The places of one counted service: their areas, whose they are, and whether the allotments table names them."""

    places: Places
    area_m2: Floats
    ids: Strings
    owner: Strings
    place_ids: Strings
    in_table: NDArray[np.bool_]
    issues: tuple[Issue, ...]

    @classmethod
    def of(cls, facilities: pd.DataFrame, service: str, table: pd.DataFrame) -> _Service:
        places = places_of(facilities, service)
        area_m2, issues = place_areas(facilities, places)
        every_id = facilities["facility_id"].to_numpy().astype(str)
        ids = every_id[places.column]
        owner = facilities["community_id"].to_numpy().astype(str)[places.column]
        in_table = np.zeros(len(places), dtype=bool)
        in_table[places.place[np.isin(ids, table["facility_id"].to_numpy().astype(str))]] = True
        return cls(places, area_m2, ids, owner, every_id[places.first], in_table, issues)

    @property
    def nobodys(self) -> NDArray[np.bool_]:
        """Which places are allotted to no community."""
        owned = self.in_table.copy()
        owned[self.places.place[self.owner != ""]] = True
        return ~owned

    def shares_by_table(self, table: pd.DataFrame) -> tuple[Strings, Floats, list[Issue]]:
        """Return community ids and m² of what the allotments table says, cut to the floor area of each place."""
        place_of = pd.Series(self.places.place, index=self.ids)
        number = place_of[~place_of.index.duplicated()].reindex(table["facility_id"].to_numpy().astype(str)).to_numpy()
        rows, place = table[~np.isnan(number)], number[~np.isnan(number)].astype(np.int64)
        asked = rows["area_m2"].to_numpy(dtype=np.float64)
        total = _sums(place, asked, len(self.places))
        over = total > self.area_m2 + _ROUNDING_M2
        issues = [
            area_issues.over_allotted(str(self.place_ids[k]), total[k], self.area_m2[k]) for k in np.flatnonzero(over)
        ]
        kept = np.divide(self.area_m2, total, out=np.ones(len(total)), where=over)
        return rows["community_id"].to_numpy().astype(str), asked * kept[place], issues

    def shares_by_register(self) -> tuple[Strings, Floats, list[Issue]]:
        """Return community ids and m² of the places that the table does not name: whole to their own community."""
        mine = np.flatnonzero((self.owner != "") & ~self.in_table[self.places.place])
        names, code = np.unique(self.owner[mine], return_inverse=True)
        pair = np.unique(self.places.place[mine] * max(len(names), 1) + code.ravel())
        place, owner = np.divmod(pair, max(len(names), 1))
        owners = np.bincount(place, minlength=len(self.places))
        issues = [area_issues.entrances_of_several(str(self.place_ids[k])) for k in np.flatnonzero(owners > 1)]
        return names[owner], np.where(owners[place] > 1, np.nan, self.area_m2[place]), issues


def shared_area(
    pairs: Pairs, households: Floats, area_m2: Floats, cutoff_m: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the floor area per household at each demand point, every place shared by all who can reach it.

    Two-step floating catchment area (Luo and Wang 2003, Environment and Planning B 30): a place's area over all
    households in reach of it, summed at each home over the places it reaches. The circle is the home's; equal is in
    reach. Summed over households it gives the floor area in reach of anyone.

    Parameters
    ----------
    pairs
        Distances from homes to places.
    households
        Households at each demand point, shape (n,).
    area_m2
        Floor area of each place, m², NaN where unknown, shape (places,).
    cutoff_m
        The circle of each demand point, m, shape (n,).

    Returns
    -------
    tuple
        m² per household, shape (n,), leaving out places without a figure; whether a place in reach has none.
    """
    kept = whole_mm(pairs.distance_m) <= whole_mm(cutoff_m)[pairs.row]
    row, place = pairs.row[kept], pairs.place[kept]
    in_reach = np.bincount(place, weights=households[row], minlength=len(area_m2))
    with np.errstate(invalid="ignore", divide="ignore"):
        each = np.where(in_reach > 0, area_m2 / in_reach, 0.0)
    unknown = np.isnan(area_m2)
    share: Floats = np.zeros(len(households))
    np.add.at(share, row, np.where(unknown, 0.0, each)[place])
    short = np.zeros(len(households), dtype=bool)
    short[row[unknown[place]]] = True
    return share, short
