"""What a plan starts from, as frozen arrays: communities, their homes, what each action reaches and costs.

Areas are whole hundredths of a square metre here (their names end in ``_u``), so that no square metre is lost or
counted twice by rounding; money is 万元.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import csr_array

from siting.arrays import BoolArray, FloatArray, IntArray
from siting.errors import ProblemError
from siting.text import Progress, Text, silent

if TYPE_CHECKING:
    import geopandas as gpd

    from siting.allocation.actions import SiteRules
    from siting.coverage import Access, Scorecard
    from siting.network import RoadNetwork

UNITS_PER_M2 = 100
"""Areas are planned in hundredths of a square metre."""

REACH_SLACK = 1e-9
"""Share of a community's households that sums of fractions of households may be off by."""

MONEY_SLACK = 1e-6
"""万元 (one fen) that sums of prices may be off by."""


@dataclass(frozen=True, slots=True)
class Actions:
    """Everything that could be done, one entry an action; shape (k,) each.

    ``area_cost`` is the price per m²; ``yearly_cost`` the yearly costs per m² of all years of the horizon,
    discounted. ``counted`` says that its area counts and that it brings reach (a comprehensive facility). ``group``
    numbers the exclusive groups (-1: none). ``unusable`` holds why an action cannot be taken at all.
    """

    action_id: tuple[str, ...]
    kind: tuple[str, ...]
    source_id: tuple[str, ...]
    acquisition: tuple[str, ...]
    services: tuple[tuple[str, ...], ...]
    counted: BoolArray
    min_u: IntArray
    max_u: IntArray
    fixed_cost: FloatArray
    area_cost: FloatArray
    yearly_cost: FloatArray
    group: IntArray
    community: IntArray
    lon: FloatArray
    lat: FloatArray
    unusable: tuple[Text | None, ...]

    def __post_init__(self) -> None:
        count = len(self.action_id)
        if len(set(self.action_id)) != count:
            raise ProblemError(Text(zh="行动编号重复", en="an action_id appears twice"))
        for name in [
            "kind",
            "source_id",
            "acquisition",
            "services",
            "counted",
            "min_u",
            "max_u",
            "fixed_cost",
            "area_cost",
            "yearly_cost",
            "group",
            "community",
            "lon",
            "lat",
            "unusable",
        ]:
            if len(getattr(self, name)) != count:
                raise ProblemError(
                    Text(zh=f"行动的 {name} 长度不一致", en=f"the actions' {name} must have {count} entries")
                )
        for name in ("fixed_cost", "area_cost", "yearly_cost"):
            cost = getattr(self, name)[self.usable]
            if not np.isfinite(cost).all() or (cost < 0).any():
                raise ProblemError(
                    Text(zh=f"行动的 {name} 应为不小于 0 的数", en=f"the actions' {name} must be numbers >= 0")
                )
        if (self.min_u[self.usable] > self.max_u[self.usable]).any() or (self.min_u[self.usable] < 0).any():
            raise ProblemError(
                Text(
                    zh="行动的最小面积应在 0 与最大面积之间",
                    en="an action's minimum area must lie between 0 and its maximum",
                )
            )

    def __len__(self) -> int:
        return len(self.action_id)

    @property
    def usable(self) -> BoolArray:
        """Which actions can be taken at all, shape (k,)."""
        return np.array([reason is None for reason in self.unusable], dtype=bool)

    @property
    def new_build(self) -> BoolArray:
        """Which actions build anew, shape (k,)."""
        return np.array([way == "new_build" for way in self.acquisition], dtype=bool)

    @property
    def unit_cost(self) -> FloatArray:
        """Price plus discounted yearly costs, 万元 per hundredth of a m², shape (k,)."""
        return (self.area_cost + self.yearly_cost) / UNITS_PER_M2

    def cost(self, chosen: BoolArray, area_u: IntArray) -> FloatArray:
        """Return what each action costs with these areas, 万元 (0 where it is not chosen), shape (k,)."""
        return np.where(chosen, self.fixed_cost + self.unit_cost * area_u, 0.0)


@dataclass(frozen=True, slots=True)
class Target:
    """A share of communities that the standard sets: which ones, and how many of them must meet it."""

    name: Text
    members: BoolArray
    needed: int


@dataclass(frozen=True, slots=True)
class Companion:
    """One service must stand next to another: each action of ``actions`` needs one of its row of ``partners``.

    ``settled`` marks the actions that have a partner among the existing facilities.
    """

    name: Text
    actions: IntArray
    settled: BoolArray
    partners: tuple[IntArray, ...]


@dataclass(frozen=True, slots=True)
class Situation:
    """The frozen arrays that a plan is made on.

    Parameters
    ----------
    community_id, community_name
        Shape (n,).
    urban, resettlement
        Shape (n,).
    households
        Shape (n,), >= 0. A community without households has no verdict.
    weight
        Priority weight in whole thousandths of a household, shape (n,).
    allotted_m2
        Area allotted today, m²; NaN where the ledger does not say, shape (n,).
    deficit_u
        What is missing to the target, hundredths of m²; -1 where unknown, shape (n,).
    target_m2
        Floor area per 100 households that the standard asks for.
    reach_share
        Share of a community's households that must be covered for it to be in reach; equal is in reach.
    demand_community, demand_households
        The demand points: whose they are, and how many households live there, shape (m,).
    covered_now
        Which demand points an existing comprehensive facility covers, shape (m,).
    actions
        What could be done, k of them.
    covers
        Which demand points an action would cover, bool, shape (m, k); extensions cover nothing new.
    circle
        In which communities' circles an action lies, bool, shape (n, k): only there may its area be allotted.
    candidate_m
        Distance from demand points to candidates as far as it was measured, m, shape (m, k).
    cutoff_m
        The circle of each demand point, m, shape (m,).
    targets
        The shares of communities that the standard sets.
    companions
        Services that must stand next to one another.
    prefer_existing_share
        How much dearer a plan may be in order to build less anew.
    community_lonlat, demand_lonlat
        Where communities and demand points are, degrees, WGS 84, shapes (n, 2) and (m, 2); what is tied goes by place.
        Empty: not known, and figures alone decide.
    community_row, action_row
        In a situation that was put in the order of places: the row that each had before, shapes (n,) and (k,); empty in
        any other.
    """

    community_id: tuple[str, ...]
    community_name: tuple[str, ...]
    urban: BoolArray
    resettlement: BoolArray
    households: FloatArray
    weight: IntArray
    allotted_m2: FloatArray
    deficit_u: IntArray
    target_m2: float
    reach_share: float
    demand_community: IntArray
    demand_households: FloatArray
    covered_now: BoolArray
    actions: Actions
    covers: csr_array
    circle: csr_array
    candidate_m: csr_array
    cutoff_m: FloatArray
    targets: tuple[Target, ...] = ()
    companions: tuple[Companion, ...] = ()
    prefer_existing_share: float = 0.02
    community_lonlat: FloatArray = field(default_factory=lambda: np.zeros((0, 2)), repr=False)
    demand_lonlat: FloatArray = field(default_factory=lambda: np.zeros((0, 2)), repr=False)
    community_row: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64), repr=False)
    action_row: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64), repr=False)
    covers_by_action: csr_array = field(init=False, repr=False)

    def __post_init__(self) -> None:
        n, m, k = len(self.community_id), len(self.demand_community), len(self.actions)
        for name, shape in (("covers", (m, k)), ("circle", (n, k)), ("candidate_m", (m, k))):
            if getattr(self, name).shape != shape:
                raise ProblemError(
                    Text(
                        zh=f"{name} 的形状应为 {shape}",
                        en=f"{name} must have shape {shape}, got {getattr(self, name).shape}",
                    )
                )
        for name, rows in (("community_lonlat", n), ("demand_lonlat", m)):
            if len(getattr(self, name)) not in (0, rows):
                raise ProblemError(Text(zh=f"{name} 应为 {rows} 行，或空", en=f"{name} must have {rows} rows, or none"))
        object.__setattr__(self, "covers_by_action", csr_array(self.covers.T))

    @classmethod
    def from_study(
        cls,
        communities: gpd.GeoDataFrame,
        facilities: gpd.GeoDataFrame,
        candidates: gpd.GeoDataFrame,
        net: RoadNetwork,
        access: Access,
        scorecard: Scorecard,
        *,
        rules: SiteRules | None = None,
        progress: Progress = silent,
    ) -> Situation:
        """Return the situation of a study; see `siting.allocation.survey.survey`."""
        from siting.allocation.survey import survey

        return survey(communities, facilities, candidates, net, access, scorecard, rules=rules, progress=progress)

    @property
    def in_place_order(self) -> bool:
        """Whether the records stand in the order of places; see `siting.allocation.place_order`."""
        return len(self.community_row) == len(self.community_id) and len(self.action_row) == len(self.actions)

    @property
    def counts(self) -> BoolArray:
        """Which communities can be given a verdict by a plan: with households and a known area, shape (n,)."""
        return (self.households > 0) & (self.deficit_u >= 0)

    @property
    def needed_households(self) -> FloatArray:
        """Covered households from which a community is in reach, shape (n,)."""
        return (self.reach_share - REACH_SLACK) * self.households

    def covered_with(self, chosen: BoolArray) -> BoolArray:
        """Return which demand points are covered once the chosen actions are there, shape (m,)."""
        rows = self.covers_by_action[np.flatnonzero(chosen & self.actions.counted)]
        covered = self.covered_now.copy()
        covered[np.unique(rows.indices)] = True
        return covered

    def households_in_reach(self, covered: BoolArray) -> FloatArray:
        """Return the households of each community that are covered, shape (n,)."""
        at, homes = self.demand_community[covered], self.demand_households[covered]
        return np.bincount(at, homes, minlength=len(self.community_id)).astype(np.float64)

    def in_reach(self, covered: BoolArray) -> BoolArray:
        """Return which communities are in reach when these demand points are covered, shape (n,)."""
        return (self.households_in_reach(covered) >= self.needed_households) & (self.households > 0)

    def meets(self, covered: BoolArray, filled_u: IntArray) -> BoolArray:
        """Return which communities meet the standard with these points covered and this area more, shape (n,)."""
        return self.in_reach(covered) & self.counts & (filled_u >= self.deficit_u)
