"""Situations made for tests: communities and sites on a plane, distances as the crow flies x 1.3, no network needed."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from siting.allocation.situation import Actions, Situation
from siting.text import Text

PRICES = {
    "new_build": (120, 0.35),
    "purchase": (60, 0.65),
    "lease": (15, 0.06),
    "reuse": (30, 0.09),
    "extension": (0, 0.3),
}


def made_situation(
    communities: int,
    candidates: int,
    *,
    extensions: int = 0,
    size_m: float = 0,
    cutoff_m: float = 1200,
    points: int = 8,
    seed: int = 0,
) -> Situation:
    """Return a county on a square: households log-normal, a third of the points covered already, prices of a town."""
    rng = np.random.default_rng(seed)
    size_m = size_m or 520 * communities**0.5
    centre = rng.uniform(0, size_m, (communities, 2))
    households = np.round(np.exp(rng.normal(6.4, 0.9, communities))) + 20
    demand_community = np.repeat(np.arange(communities), points)
    place = centre[demand_community] + rng.normal(0, 150, (communities * points, 2))
    share = rng.dirichlet(np.ones(points) * 3, communities).ravel()
    demand_households = share * households[demand_community]
    ways = rng.choice(["lease", "new_build", "reuse", "purchase"], candidates, p=[0.55, 0.1, 0.15, 0.2])
    sites = np.concatenate([rng.uniform(0, size_m, (candidates, 2)), centre[rng.permutation(communities)[:extensions]]])
    ways = np.concatenate([ways, ["extension"] * extensions])
    k = len(sites)
    distance = 1.3 * np.hypot(*(place[:, None, :] - sites[None, :, :]).transpose(2, 0, 1))
    within = distance <= cutoff_m
    stations = centre[rng.random(communities) < 0.55] + rng.normal(0, 100, (1, 2))
    covered = (1.3 * np.hypot(*(place[:, None, :] - stations[None, :, :]).transpose(2, 0, 1)) <= cutoff_m * 0.45).any(
        axis=1
    )
    near = np.zeros((communities, k))
    np.add.at(near, demand_community, within * demand_households[:, None])
    circle = near >= 0.5 * households[:, None]
    fresh = ways != "extension"
    largest = np.round(np.exp(rng.normal(6.4, 0.9, k)) + 70)
    largest[~fresh] = np.round(largest[~fresh] / 4)
    least = np.where(ways == "new_build", 500, np.where(fresh, 60, 0))
    has = np.where(rng.random(communities) < 0.7, np.round(households * 0.3 * rng.uniform(0, 1.2, communities)), 0)
    deficit = np.maximum(np.ceil((households * 0.3 - has) * 100 - 1e-9), 0).astype(np.int64)
    usable = largest >= least
    actions = Actions(
        action_id=tuple(f"K{j:04d}" for j in range(k)),
        kind=tuple("candidate" if f else "extension" for f in fresh),
        source_id=tuple(f"K{j:04d}" for j in range(k)),
        acquisition=tuple(str(way) for way in ways),
        services=(("comprehensive",),) * k,
        counted=np.ones(k, dtype=bool),
        min_u=(np.minimum(least, largest) * 100).astype(np.int64),
        max_u=(largest * 100).astype(np.int64),
        fixed_cost=np.array([PRICES[way][0] for way in ways], dtype=float),
        area_cost=np.array([PRICES[way][1] for way in ways], dtype=float),
        yearly_cost=np.zeros(k),
        group=np.full(k, -1),
        community=np.full(k, -1),
        lon=sites[:, 0],
        lat=sites[:, 1],
        unusable=tuple(None if ok else Text("太小", "too small") for ok in usable),
    )
    return Situation(
        community_id=tuple(f"C{i:04d}" for i in range(communities)),
        community_name=tuple(f"community {i}" for i in range(communities)),
        urban=np.ones(communities, dtype=bool),
        resettlement=np.zeros(communities, dtype=bool),
        households=households,
        weight=np.round(households * rng.uniform(1, 1.6, communities) * 1000).astype(np.int64),
        allotted_m2=has,
        deficit_u=deficit,
        target_m2=30.0,
        reach_share=0.9,
        demand_community=demand_community,
        demand_households=demand_households,
        covered_now=covered,
        actions=actions,
        covers=csr_array(within & fresh),
        circle=csr_array(circle),
        candidate_m=csr_array(np.where(within, distance, 0)),
        cutoff_m=np.full(len(place), cutoff_m),
    )
