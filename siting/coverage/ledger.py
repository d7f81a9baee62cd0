"""The ledger: which community each facility is registered to, with how many square metres."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Which facility is registered to which community, one entry a pair; arrays of one length, by facility row.

    ``facility`` and ``community`` are row numbers; ``area_m2`` is what is allotted there, NaN when it is not known.
    ``unregistered`` are the facility rows that no community can be named for, one row a place.
    """

    facility: Ints
    community: Ints
    area_m2: Floats
    unregistered: Ints


def read_ledger(
    communities: pd.DataFrame, facilities: pd.DataFrame, allotments: pd.DataFrame | None, services: Collection[str]
) -> Ledger:
    """Return the entries of the facilities that provide any of some services.

    A facility named in the allotments is registered as they say, and its ``community_id`` says nothing more; any other
    is registered whole to its ``community_id``. Rows that share a ``place_id`` are entrances of one place: it is
    registered once, with the largest floor area that any of its rows states; where its rows name several communities
    and no allotment divides it, each has the place and none a known area. An allotment of 0 m² registers nothing. A
    ``community_id`` outside the communities table belongs to a neighbour and is neither registered here nor
    unregistered.

    Parameters
    ----------
    communities
        The communities table.
    facilities
        The facilities table.
    allotments
        The allotments table, or None.
    services
        Service ids.

    Returns
    -------
    Ledger
        In the order of the facility rows.
    """
    wanted = np.flatnonzero(facilities["service"].isin(list(services)).to_numpy())
    rows = facilities.iloc[wanted]
    entrances = pd.DataFrame(
        {
            "facility": wanted,
            "facility_id": rows["facility_id"].to_numpy().astype(str),
            "community_id": rows["community_id"].to_numpy().astype(str),
            "area_m2": rows["floor_area_m2"].to_numpy(dtype=np.float64),
            "place": _places(rows, wanted),
        }
    )
    row_of = pd.Series(np.arange(len(communities)), index=communities["community_id"].to_numpy().astype(str))
    divided = _divided(entrances, allotments)
    whole = _whole(entrances[~entrances["place"].isin(divided["place"])])
    entries = pd.concat([divided, whole[whole["community_id"] != ""]], ignore_index=True)
    entries["community"] = row_of.reindex(entries["community_id"]).to_numpy()
    entries = entries[entries["community"].notna()].sort_values(["facility", "community"], kind="stable")
    return Ledger(
        facility=entries["facility"].to_numpy(dtype=np.int64),
        community=entries["community"].to_numpy(dtype=np.int64),
        area_m2=entries["area_m2"].to_numpy(dtype=np.float64),
        unregistered=whole.loc[whole["community_id"] == "", "facility"].to_numpy(dtype=np.int64),
    )


def _places(rows: pd.DataFrame, wanted: Ints) -> Ints:
    """Return the place of each facility row: the first row with its place_id, or the row itself without one."""
    shared = rows["place_id"].to_numpy().astype(str)
    first = pd.Series(wanted).groupby(shared).transform("first").to_numpy()
    return np.where(shared == "", wanted, first).astype(np.int64)


def _divided(entrances: pd.DataFrame, allotments: pd.DataFrame | None) -> pd.DataFrame:
    """Return the entries that the allotments table makes, by place and community; empty without a table."""
    columns = ["facility", "place", "community_id", "area_m2"]
    if allotments is None or allotments.empty:
        return entrances.iloc[:0][columns]
    named = pd.DataFrame(
        {
            "facility_id": allotments["facility_id"].to_numpy().astype(str),
            "community_id": allotments["community_id"].to_numpy().astype(str),
            "area_m2": allotments["area_m2"].to_numpy(dtype=np.float64),
        }
    )
    entries = entrances[["facility", "facility_id", "place"]].merge(named[named["area_m2"] != 0], on="facility_id")
    sums = (
        entries.assign(known=entries["area_m2"].notna())
        .groupby(["place", "community_id"], as_index=False)
        .agg(facility=("facility", "first"), area_m2=("area_m2", "sum"), known=("known", "all"))
    )
    sums["area_m2"] = sums["area_m2"].where(sums["known"])
    return sums[columns]


def _whole(entrances: pd.DataFrame) -> pd.DataFrame:
    """Return one entry a place and community that its entrances name, with the whole of its floor area."""
    named = entrances[entrances["community_id"] != ""]
    unnamed = entrances[~entrances["place"].isin(named["place"])]
    entries = pd.concat([named, unnamed]).drop_duplicates(["place", "community_id"])
    largest = entrances.groupby("place")["area_m2"].max()
    alone = entries.groupby("place")["community_id"].transform("size") == 1
    area_m2 = np.where(alone, largest.reindex(entries["place"]).to_numpy(), np.nan)
    return entries.assign(area_m2=area_m2)[["facility", "place", "community_id", "area_m2"]].sort_values("facility")
