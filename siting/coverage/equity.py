"""How evenly distance and floor area fall on households: Gini, Lorenz curve, the worst-off tenth."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.coverage.access import group_sizes
from siting.coverage.places import Floats
from siting.inputs.households import DemandPoints

_TENTHS = np.arange(1, 10) / 10


def lorenz(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the Lorenz curve: which share of the whole the least-having share of the weight has.

    Parameters
    ----------
    values
        What each has, ≥ 0, shape (n,).
    weights
        How many have it (households), ≥ 0, shape (n,).

    Returns
    -------
    tuple
        Shares of the weight and shares of the whole, both from 0 to 1, shape (n + 1,). Where the whole is 0 all have
        the same, and the curve is the diagonal.
    """
    order = np.argsort(values, kind="stable")
    people = np.concatenate([[0.0], np.cumsum(weights[order])])
    held = np.concatenate([[0.0], np.cumsum((values * weights)[order])])
    people_share = people / people[-1] if people[-1] > 0 else people
    return people_share, held / held[-1] if held[-1] > 0 else people_share.copy()


def gini(values: Floats, weights: Floats) -> float:
    """Return the Gini coefficient: twice the area between the Lorenz curve and the diagonal.

    0 when all have the same; close to 1 when one household has it all.

    Parameters
    ----------
    values
        What each has, ≥ 0, shape (n,).
    weights
        How many have it (households), ≥ 0, shape (n,).

    Returns
    -------
    float
        0–1; NaN when there is no weight at all.
    """
    if not weights.sum() > 0:
        return float("nan")
    people, held = lorenz(values, weights)
    return float(max(1.0 - np.sum(np.diff(people) * (held[1:] + held[:-1])), 0.0))


def worst_tenth_mean(values: Floats, weights: Floats, *, worst_is_most: bool) -> float:
    """Return the mean over the worst-off tenth of the weight; whoever straddles the tenth counts in part.

    Parameters
    ----------
    values
        What each has, shape (n,).
    weights
        How many have it (households), ≥ 0, shape (n,).
    worst_is_most
        Whether the worst off have most (distance) or least (area).

    Returns
    -------
    float
        In the unit of the values; NaN when there is no weight at all.
    """
    tenth = weights.sum() / 10
    if not tenth > 0:
        return float("nan")
    order = np.argsort(-values if worst_is_most else values, kind="stable")
    value, weight = values[order], weights[order]
    before = np.cumsum(weight) - weight
    return float(np.sum(value * np.clip(tenth - before, 0.0, weight)) / tenth)


def equity_table(
    communities: pd.DataFrame,
    demand: DemandPoints,
    nearest_m: Floats,
    allotted_per_100_m2: Floats,
    shared_per_100_m2: Floats,
) -> pd.DataFrame:
    """Return how evenly distance and area are spread, over all, town and country, each township and each group.

    Parameters
    ----------
    communities
        The communities table.
    demand
        Where the households are.
    nearest_m
        Distance from each demand point to the nearest comprehensive facility, m, shape (n,), inf where none.
    allotted_per_100_m2
        Floor area allotted per 100 households of each community, m², NaN where unknown, shape (communities,).
    shared_per_100_m2
        Floor area shared per 100 households at each demand point, m², NaN where unknown, shape (n,).

    Returns
    -------
    DataFrame
        One row a measure (``distance_m``, ``allotted_area_per_100_households_m2``,
        ``shared_area_per_100_households_m2``) and group: ``kind`` (all, area_type, township, group), ``group``,
        ``households`` (persons for a group of persons) that the figures are about, ``left_out`` (a figure is
        missing, or no facility can be reached), ``mean``, ``median``, ``gini``, ``worst_tenth_mean`` and
        ``lorenz_10`` … ``lorenz_90``, the share of the whole that the least-having tenths have.
    """
    measures = {
        "distance_m": (np.where(np.isfinite(nearest_m), nearest_m, np.nan), True),
        "allotted_area_per_100_households_m2": (allotted_per_100_m2[demand.community], False),
        "shared_area_per_100_households_m2": (shared_per_100_m2, False),
    }
    groups = list(_groups(communities, demand))
    return pd.DataFrame(
        [
            {"measure": measure, "kind": kind, "group": name, **_summary(values[rows], weights, worst_is_most)}
            for measure, (values, worst_is_most) in measures.items()
            for kind, name, rows, weights in groups
        ]
    )


def _groups(communities: pd.DataFrame, demand: DemandPoints) -> Iterator[tuple[str, str, NDArray[np.int64], Floats]]:
    """Yield kind, name, demand points and weights of every group that has anybody."""
    everyone = np.arange(len(demand), dtype=np.int64)
    yield "all", "all", everyone, demand.households
    for kind in ("area_type", "township"):
        words = communities[kind].to_numpy().astype(str)[demand.community]
        order = np.argsort(words, kind="stable").astype(np.int64)
        names, first = np.unique(words[order], return_index=True)
        for name, rows in zip(names.tolist(), np.split(order, first)[1:], strict=True):
            if name:
                yield kind, name, rows, demand.households[rows]
    for group in ("elderly", "minors", "disabled"):
        sizes = group_sizes(communities, demand, group)
        rows = np.flatnonzero(np.isfinite(sizes)).astype(np.int64)
        if len(rows):
            yield "group", group, rows, sizes[rows]


def _summary(values: Floats, weights: Floats, worst_is_most: bool) -> dict[str, float]:
    known = ~np.isnan(values)
    value, weight = values[known], weights[known]
    total = float(weight.sum())
    people, held = lorenz(value, weight)
    curve = np.interp(_TENTHS, people, held) if total > 0 else np.full(len(_TENTHS), np.nan)
    order = np.argsort(value, kind="stable")
    middle = np.searchsorted(np.cumsum(weight[order]), total / 2 * (1 - 1e-12)) if total > 0 else 0
    return {
        "households": total,
        "left_out": float(weights[~known].sum()),
        "mean": float((value * weight).sum() / total) if total > 0 else float("nan"),
        "median": float(value[order][middle]) if total > 0 else float("nan"),
        "gini": gini(value, weight),
        "worst_tenth_mean": worst_tenth_mean(value, weight, worst_is_most=worst_is_most),
        **{f"lorenz_{10 * (k + 1)}": float(curve[k]) for k in range(len(_TENTHS))},
    }
