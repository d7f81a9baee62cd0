"""The tables behind the verdicts: one row a home, one row a community, and the places that no road reaches."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from siting.coverage.access import COMPREHENSIVE, Access, ServiceAccess, whole_mm
from siting.coverage.area import Allotment, place_areas, shared_area
from siting.coverage.judge import covered_share
from siting.coverage.judge_services import required_services
from siting.coverage.places import Floats, Ints
from siting.coverage.verdicts import NOT_APPLICABLE, STATUS, RuleVerdicts, Words
from siting.inputs.households import DemandPoints
from siting.standards.model import AREA_TYPES, Standard

_KMH_IN_M_PER_MIN = 1000 / 60


def shared_m2_per_household(
    reached: Mapping[str, ServiceAccess], facilities: pd.DataFrame, access: Access, standard: Standard
) -> Floats:
    """Return the floor area of counted services per household at each home, shared with all who can reach it.

    Parameters
    ----------
    reached
        By service, how homes reach it.
    facilities
        The facilities table.
    access
        Homes and circles.
    standard
        The standard that says which services count.

    Returns
    -------
    ndarray
        m² per household, shape (homes,); NaN where a place in reach has no known area.
    """
    total: Floats = np.zeros(len(access.demand))
    for service in sorted(standard.counted_services & reached.keys()):
        one = reached[service]
        area_m2, _ = place_areas(facilities, one.places)
        share, short = shared_area(one.pairs, access.demand.households, area_m2, access.cutoff_m)
        total += np.where(short, np.nan, share)
    return total


def home_table(
    communities: pd.DataFrame, facilities: pd.DataFrame, one: ServiceAccess, access: Access, shared_m2: Floats
) -> pd.DataFrame:
    """Return one row a demand point: how far the comprehensive facility is, and whether it is within the circle.

    Parameters
    ----------
    communities, facilities
        The tables, for their ids.
    one
        How homes reach the comprehensive facility.
    access
        Homes and circles.
    shared_m2
        Floor area shared, m² per household, shape (homes,).

    Returns
    -------
    DataFrame
        Distances in m, inf where there is none.
    """
    demand = access.demand
    ids = np.append(facilities["facility_id"].to_numpy().astype(object), "")
    distance_m = one.nearest.distance_m
    within = whole_mm(one.pairs.distance_m) <= whole_mm(access.cutoff_m)[one.pairs.row]
    return pd.DataFrame(
        {
            "community_id": communities["community_id"].to_numpy()[demand.community],
            "lon": demand.lon,
            "lat": demand.lat,
            "households": demand.households,
            "cutoff_m": access.cutoff_m,
            "nearest_m": distance_m[:, 0],
            "nearest_facility_id": ids[one.nearest.facility[:, 0]],
            "covered": one.covered,
            "straight_line_m": one.straight_m,
            "second_nearest_m": distance_m[:, 1],
            "facilities_in_reach": np.bincount(one.pairs.row[within], minlength=len(demand)),
            "shared_area_per_100_households_m2": shared_m2 * 100,
        }
    )


def community_table(
    communities: pd.DataFrame,
    facilities: pd.DataFrame,
    one: ServiceAccess,
    access: Access,
    homes: pd.DataFrame,
    allotment: Allotment,
    standard: Standard,
) -> pd.DataFrame:
    """Return one row a community: what its homes have, taken together.

    ``nearest_m``, ``walk_min`` and ``second_nearest_m`` are means over the households that reach any facility;
    ``nearest_facility_id`` is the nearest to most of its households; ``facilities_in_reach`` are the places that
    any of them has in the circle.

    Parameters
    ----------
    communities, facilities
        The tables.
    one
        How homes reach the comprehensive facility.
    access
        Homes and circles.
    homes
        The table of homes.
    allotment
        What each community is allotted.
    standard
        The standard, for its walking speed.

    Returns
    -------
    DataFrame
        Row i is community i; NaN where there is no figure.
    """
    n, demand = len(communities), access.demand
    households = communities["households"].to_numpy(dtype=np.float64)
    per_100 = np.divide(100.0, households, out=np.full(n, np.nan), where=households > 0)
    allotted = np.where(allotment.missing > 0, np.nan, allotment.known_m2)
    weight = _weights(demand, n)
    nearest_m = homes["nearest_m"].to_numpy()
    mean_m = _mean(nearest_m, weight, demand, n)
    inside = np.bincount(demand.community, weights=demand.households * one.covered, minlength=n)
    shared = np.where(demand.households > 0, homes["shared_area_per_100_households_m2"].to_numpy(), 0.0)
    shared_sum = np.bincount(demand.community, weights=shared * demand.households, minlength=n)
    lived = np.bincount(demand.community, weights=demand.households, minlength=n)
    return pd.DataFrame(
        {
            "community_id": communities["community_id"].to_numpy(),
            "name": communities["name"].to_numpy(),
            "area_type": communities["area_type"].to_numpy(),
            "township": communities["township"].to_numpy(),
            "households": communities["households"].to_numpy(),
            "reached_households": inside,
            "reached_share": covered_share(one.covered, demand, n),
            "straight_line_share": covered_share(one.covered_straight, demand, n),
            "nearest_facility_id": _most_households_nearest(one.nearest.facility[:, 0], weight, demand, facilities, n),
            "nearest_m": mean_m,
            "farthest_m": _farthest(nearest_m, weight, demand, n),
            "walk_min": mean_m / (standard.value("walking_speed_kmh") * _KMH_IN_M_PER_MIN),
            "second_nearest_m": _mean(homes["second_nearest_m"].to_numpy(), weight, demand, n),
            "facilities_in_reach": _places_in_reach(one, access, weight, n),
            "allotted_area_m2": allotted,
            "known_area_m2": allotment.known_m2,
            "area_per_100_households_m2": allotted * per_100,
            "shared_area_per_100_households_m2": np.divide(shared_sum, lived, out=np.full(n, np.nan), where=lived > 0),
        }
    )


def reached_shares(reached: Mapping[str, ServiceAccess], demand: DemandPoints, n: int) -> pd.DataFrame:
    """Return the share of each community's households within the circle of each service, and by a straight line.

    Parameters
    ----------
    reached
        By service, how homes reach it.
    demand
        Where the households are.
    n
        How many communities there are.

    Returns
    -------
    DataFrame
        ``reached_share`` and ``straight_line_share`` of the comprehensive facility, and the same followed by
        ``_SERVICE`` of every other service; NaN without households. Row i is community i.
    """
    columns = {}
    for service, one in reached.items():
        end = "" if service == COMPREHENSIVE else f"_{service}"
        columns[f"reached_share{end}"] = covered_share(one.covered, demand, n)
        columns[f"straight_line_share{end}"] = covered_share(one.covered_straight, demand, n)
    return pd.DataFrame(columns)


def _weights(demand: DemandPoints, n: int) -> Floats:
    """Return households, and 1 for each home of a community without households so that it too has distances."""
    total = np.bincount(demand.community, weights=demand.households, minlength=n)
    return np.where(total[demand.community] > 0, demand.households, 1.0)


def _mean(values: Floats, weight: Floats, demand: DemandPoints, n: int) -> Floats:
    known = np.isfinite(values) & (weight > 0)
    where, kept = demand.community[known], weight[known]
    total = np.bincount(where, weights=kept, minlength=n)
    inside = np.bincount(where, weights=kept * values[known], minlength=n)
    mean: Floats = np.divide(inside, total, out=np.full(n, np.nan), where=total > 0)
    return mean


def _farthest(values: Floats, weight: Floats, demand: DemandPoints, n: int) -> Floats:
    known = np.isfinite(values) & (weight > 0)
    farthest = np.full(n, -np.inf)
    np.maximum.at(farthest, demand.community[known], values[known])
    return np.where(np.isfinite(farthest), farthest, np.nan)


def _most_households_nearest(
    facility: Ints, weight: Floats, demand: DemandPoints, facilities: pd.DataFrame, n: int
) -> Words:
    """Return the id of the facility that is nearest to most of a community's households; of equals the lower id."""
    used = (facility >= 0) & (weight > 0)
    votes = pd.DataFrame(
        {
            "community": demand.community[used],
            "facility_id": facilities["facility_id"].to_numpy().astype(object)[facility[used]],
            "households": weight[used],
        }
    )
    sums = votes.groupby(["community", "facility_id"], as_index=False).agg({"households": "sum"})
    best = sums.sort_values(["community", "households", "facility_id"], ascending=[True, False, True])
    first = best.drop_duplicates("community").set_index("community")["facility_id"]
    found: Words = np.full(n, "", dtype=object)
    found[first.index.to_numpy()] = first.to_numpy()
    return found


def _places_in_reach(one: ServiceAccess, access: Access, weight: Floats, n: int) -> Ints:
    pairs = one.pairs
    used = (whole_mm(pairs.distance_m) <= whole_mm(access.cutoff_m)[pairs.row]) & (weight[pairs.row] > 0)
    k = max(len(one.places), 1)
    key = np.sort(access.demand.community[pairs.row[used]] * k + pairs.place[used])
    distinct = key[np.diff(key, prepend=-1) > 0]
    return np.bincount(distinct // k, minlength=n).astype(np.int64)


def three_verdicts(verdicts: list[RuleVerdicts], n: int) -> dict[str, Words]:
    """Return ``in_reach``, ``has_area`` and ``meets``, their three-valued AND, as statuses of each community.

    Parameters
    ----------
    verdicts
        By rule; those of the rules ``reach`` and ``area_per_100_households`` are used.
    n
        How many communities there are.

    Returns
    -------
    dict
        Column name to statuses, shape (n,).
    """
    by_rule = {one.rule.id: one.status for one in verdicts}
    nothing_asked = np.full(n, NOT_APPLICABLE, dtype=np.int8)
    in_reach, has_area = (by_rule.get(name, nothing_asked) for name in ("reach", "area_per_100_households"))
    meets = np.minimum(in_reach, has_area)
    return {"in_reach": STATUS[in_reach], "has_area": STATUS[has_area], "meets": STATUS[meets]}


def lacking_services(
    communities: pd.DataFrame, reached: Mapping[str, ServiceAccess], demand: DemandPoints, standard: Standard
) -> list[tuple[str, ...]]:
    """Return the services that the circle of each community must hold and lacks.

    A service is lacking when less than ``reach_share`` of the households reach it; one that the facilities table
    does not record anywhere is not known to be lacking.

    Parameters
    ----------
    communities
        The communities table.
    reached
        By service, how homes reach it.
    demand
        Where the households are.
    standard
        The rules.

    Returns
    -------
    list
        Service ids, by community; empty without households.
    """
    present = [kind for kind in AREA_TYPES if kind in set(communities["area_type"])]
    by_type = {kind: standard.required_services(kind) for kind in present}
    services = tuple(dict.fromkeys(service for kind in present for service in by_type[kind]))
    required = required_services(reached, demand, len(communities), services, standard)
    area_type = communities["area_type"].to_numpy()
    asked = np.array([[service in by_type[kind] for service in services] for kind in area_type], dtype=bool)
    lived = communities["households"].to_numpy() > 0
    missing = asked.reshape(len(communities), len(services)) & required.lacking & lived[:, None]
    kinds, which = np.unique(missing, axis=0, return_inverse=True)
    few = [tuple(name for name, gone in zip(services, kind, strict=True) if gone) for kind in kinds]
    return [few[k] for k in which.ravel()]


def unroutable_table(access: Access, communities: pd.DataFrame, facilities: pd.DataFrame) -> pd.DataFrame:
    """Return the homes and facilities that no usable road is near, with the distance to the nearest.

    Parameters
    ----------
    access
        Positions; without them the table is empty.
    communities, facilities
        The tables, for their ids.

    Returns
    -------
    DataFrame
        ``role`` (``home`` or ``facility``), ``id`` (of the community or the facility), ``distance_m``.
    """
    return _listed(access, communities, facilities, "unroutable", ["distance_m"])


def carried_table(access: Access, communities: pd.DataFrame, facilities: pd.DataFrame) -> pd.DataFrame:
    """Return the homes and facilities that are carried past a small piece of road to a larger one.

    Parameters
    ----------
    access
        Positions; without them the table is empty.
    communities, facilities
        The tables, for their ids.

    Returns
    -------
    DataFrame
        ``role``, ``id``, ``distance_m`` to the road taken, ``without_m`` to the nearer one on the small piece.
    """
    return _listed(access, communities, facilities, "carried", ["distance_m", "without_m"])


def _listed(
    access: Access, communities: pd.DataFrame, facilities: pd.DataFrame, which: str, figures: list[str]
) -> pd.DataFrame:
    """Return the rows of one of the lists that positions carry, of homes and of facilities, by their ids."""
    names: list[str] = []
    ids: list[str] = []
    columns: dict[str, list[float]] = {figure: [] for figure in figures}
    home_ids = communities["community_id"].to_numpy()[access.demand.community]
    for role, positions, every_id in (
        ("home", access.demand_positions, home_ids),
        ("facility", access.facility_positions, facilities["facility_id"].to_numpy()),
    ):
        if positions is None:
            continue
        rows = getattr(positions, which)
        names += [role] * len(rows)
        ids += every_id[rows["index"].to_numpy(dtype=np.int64)].tolist()
        for figure in figures:
            columns[figure] += rows[figure].tolist()
    numbers = {figure: np.array(values, dtype=np.float64) for figure, values in columns.items()}
    return pd.DataFrame({"role": names, "id": ids, **numbers})
