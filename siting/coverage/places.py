"""Facility rows -> places: entrances of one place count once, for each service it provides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from siting.inputs.place_rows import rows_by_place

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Strings = NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Places:
    """The places that provide one service, their entrances taken together.

    ``column`` are the facility rows of the service, in the order of where they stand (so that a tie between places
    hangs neither on the order of the rows nor on ids); ``place`` is the place number of each of them, ``first`` the
    facility row that speaks for each place.
    """

    column: Ints
    place: Ints
    first: Ints

    def __len__(self) -> int:
        return len(self.first)


def places_of(facilities: pd.DataFrame, service: str) -> Places:
    """Return the places of one service.

    Rows that share a ``place_id`` are entrances of one place; a row without one is a place of its own.

    Parameters
    ----------
    facilities
        The facilities table.
    service
        A service id.

    Returns
    -------
    Places
        The places from west to east, then from south to north, by the first of their entrances; at one spot, and where
        the table says no place, by its numbers.
    """
    column = np.flatnonzero(facilities["service"].to_numpy() == service)
    rows = facilities.iloc[column]
    figures = rows.select_dtypes("number").sort_index(axis=1).to_numpy(dtype=np.float64).T
    spots = rows.get("geometry", pd.Series([None] * len(rows), dtype=object)).to_numpy()
    column = column[rows_by_place(spots, *figures)].astype(np.int64)
    shared = facilities["place_id"].to_numpy()[column].astype(str)
    alone = np.array([f"\x01{row}" for row in range(len(column))], dtype=object)  # older pandas ends a text at \0
    place, names = pd.factorize(np.where(shared == "", alone, shared.astype(object)))
    first = np.full(len(names), -1, dtype=np.int64)
    first[place[::-1]] = column[::-1]
    return Places(column, place.astype(np.int64), first)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which homes have which places how far: a sparse matrix as triples, each home and place once.

    ``row`` is the demand point, ``place`` the place number, ``distance_m`` the way to its nearest entrance.
    """

    row: Ints
    place: Ints
    distance_m: Floats


def pairs_of(cost: csr_array, places: Places) -> Pairs:
    """Return the stored distances to each place, that of its nearest entrance.

    Parameters
    ----------
    cost
        Distance from demand points to facility rows, m, shape (n, m); what is not stored is out of reach.
    places
        The places wanted.

    Returns
    -------
    Pairs
        Ordered by demand point.
    """
    number = np.full(cost.shape[1], -1, dtype=np.int64)
    number[places.column] = places.place
    place = number[cost.indices]
    kept = place >= 0
    row = np.repeat(np.arange(cost.shape[0], dtype=np.int64), np.diff(cost.indptr))[kept]
    place, distance_m = place[kept], np.asarray(cost.data, dtype=np.float64)[kept]
    if len(places) == len(places.column):
        return Pairs(row, place, distance_m)
    key, first, back = np.unique(row * len(places) + place, return_index=True, return_inverse=True)
    least = np.full(len(key), np.inf)
    np.minimum.at(least, back.ravel(), distance_m)
    return Pairs(row[first], place[first], least)


def nearest_two(pairs: Pairs, n: int) -> tuple[Floats, Ints]:
    """Return the distances and the numbers of the two nearest places of every demand point.

    Of places at the same distance the one with the lower number is the nearer.

    Parameters
    ----------
    pairs
        Distances to places.
    n
        How many demand points there are.

    Returns
    -------
    tuple
        Distances, m, shape (n, 2), inf where there is none; place numbers, shape (n, 2), -1 where there is none.
    """
    distance_m = np.full((n, 2), np.inf)
    place = np.full((n, 2), -1, dtype=np.int64)
    left = np.ones(len(pairs.row), dtype=bool)
    beyond = np.iinfo(np.int64).max
    for rank in range(2):
        row = pairs.row[left]
        np.minimum.at(distance_m[:, rank], row, pairs.distance_m[left])
        tied = left & (pairs.distance_m == distance_m[pairs.row, rank])
        number = np.full(n, beyond, dtype=np.int64)
        np.minimum.at(number, pairs.row[tied], pairs.place[tied])
        place[:, rank] = np.where(number == beyond, -1, number)
        left &= pairs.place != place[pairs.row, rank]
    return distance_m, place
