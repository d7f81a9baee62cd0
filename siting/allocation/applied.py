"""A plan applied to the tables: what there would be if it were done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from siting.allocation.plan import each_row

if TYPE_CHECKING:
    from siting.allocation.plan import Plan


def apply_plan(
    plan: Plan, facilities: gpd.GeoDataFrame, allotments: pd.DataFrame | None = None
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return the facilities and allotments tables with the plan applied: what `score` is to judge.

    A new site becomes a facility of its service; an extension grows the floor area of its place, and what was
    allotted of it before stays so, now by name.

    Parameters
    ----------
    plan
        The plan.
    facilities
        The facilities table it was made from.
    allotments
        The allotments table it was made from, or None.
    """
    old = facilities.copy()
    ids = old["facility_id"].astype(str)
    entries: list[tuple[str, str, float]] = []
    if allotments is not None and len(allotments):
        entries += list(
            zip(
                allotments["facility_id"].astype(str),
                allotments["community_id"].astype(str),
                allotments["area_m2"].astype(float),
                strict=True,
            )
        )
    named = {name for name, _, _ in entries}
    area = old["floor_area_m2"].to_numpy(dtype=np.float64).copy()
    given = dict(iter(plan.allotments.groupby("action_id", sort=False)))
    fresh = []
    for row in each_row(plan.actions):
        name = new_facility_id(row.action_id, set(ids)) if row.kind == "candidate" else str(row.source_id)
        if row.kind == "candidate":
            fresh.append((row, name))
        else:
            at = int(np.flatnonzero(ids.to_numpy() == name)[0])
            place = str(old["place_id"].iloc[at])
            doors = (
                np.flatnonzero(
                    (old["place_id"].astype(str) == place).to_numpy()
                    & (old["service"] == old["service"].iloc[at]).to_numpy()
                )
                if place
                else np.array([at])
            )
            now = float(np.nanmax(area[doors]))
            area[doors] = now + row.area_m2
            owners = {str(owner) for owner in old["community_id"].iloc[doors]} - {""}
            if not named & set(ids.iloc[doors]) and len(owners) == 1:
                entries.append((name, owners.pop(), now))
        if row.action_id in given:
            part = given[row.action_id]
            entries += [
                (name, str(community), float(m2))
                for community, m2 in zip(part["community_id"], part["area_m2"], strict=True)
            ]
        elif row.kind == "candidate":
            named.add(name)
    old["floor_area_m2"] = area
    new = _new_rows(old, fresh)
    table = pd.DataFrame(entries, columns=["facility_id", "community_id", "area_m2"])
    both = gpd.GeoDataFrame(pd.concat([old, new], ignore_index=True), crs=old.crs) if len(new) else old
    return both, table


def new_facility_id(action_id: str, taken: set[str]) -> str:
    """Return the facility id of a new site: its own, unless a facility has it already.

    Parameters
    ----------
    action_id
        The action.
    taken
        Ids in use.
    """
    name = action_id
    while name in taken:
        name = f"plan:{name}"
    return name


def _new_rows(old: gpd.GeoDataFrame, fresh: Sequence[tuple[Any, str]]) -> gpd.GeoDataFrame:
    """Return one facility row a new site, with the columns and kinds of the old ones."""
    rows = [row for row, _ in fresh]
    new = old.iloc[[0] * len(rows)].reset_index(drop=True) if len(old) else old
    for column in new.columns:
        if column == "geometry":
            continue
        kind = new[column].dtype
        new[column] = (
            np.nan if kind.kind == "f" else pd.NA if str(kind) == "boolean" else "" if kind.kind not in "iu" else 0
        )
        new[column] = new[column].astype(kind)
    new["facility_id"] = [name for _, name in fresh]
    new["service"] = [str(row.service) for row in rows]
    new["floor_area_m2"] = [float(row.area_m2) for row in rows]
    points = gpd.points_from_xy([row.lon for row in rows], [row.lat for row in rows], crs="EPSG:4326")
    return new.set_geometry(gpd.GeoSeries(points, crs="EPSG:4326").to_crs(old.crs))
