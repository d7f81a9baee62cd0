"""The plan: which actions, how big, allotted to whom, at what cost, and how good it is proven to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import pandas as pd

from siting.exact import is_proven, relative_gap
from siting.text import Text

if TYPE_CHECKING:
    from siting.allocation.situation import Situation

Status = Literal["complete", "partial", "stopped", "open"]
Sense = Literal["max", "min"]
Ended = Literal["search", "time", "interrupted"]
Proof = Literal["proven", "within_gap", "time", "interrupted", "open"]


def each_row(table: pd.DataFrame) -> Iterator[Any]:
    """Return the rows of a table one by one, their columns as attributes."""
    return iter(table.itertuples(index=False))


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What the planner asks of a plan, and how long the computer may look for it.

    ``budget`` bounds the same cost that the plan keeps least: fixed costs + price per m² × area + yearly costs over
    the horizon, discounted (all in 万元). ``compliance`` says what is asked: ``"most"`` the most that can be met,
    ``"every"`` all communities, ``"targets"`` the shares that the standard sets. ``require`` and ``forbid`` hold ids
    of candidates (or of facilities, for their extensions); ``areas_m2`` fixes the area of required ones; ``sites``
    is the largest number of new sites (extensions are not counted).
    """

    budget: float | None = None
    sites: int | None = None
    compliance: Literal["most", "every", "targets"] = "most"
    require: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    areas_m2: Mapping[str, float] = field(default_factory=dict)
    gap: float = 0.001
    time_limit_s: float = 60.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """One question of the plan, answered while holding what the earlier ones reached.

    ``bound`` is the best value still possible given the stages before; ``gap_asked`` the relative gap at which the
    search might stop; ``ended`` says whether it ran to its end or time or Ctrl-C ended it.
    """

    id: str
    name: Text
    sense: Sense
    value: float
    bound: float
    gap_asked: float
    ended: Ended
    seconds: float
    unit: Text

    @property
    def gap(self) -> float:
        """The distance from the value to the bound, relative to the larger of both; ``inf`` without a bound."""
        return relative_gap(self.value, self.bound)

    @property
    def proven(self) -> bool:
        """Whether nothing better is possible: the bound equals the value to rounding."""
        return is_proven(self.value, self.bound)

    @property
    def settled(self) -> bool:
        """Whether the value is proven, or within the gap asked."""
        return self.proven or self.gap <= self.gap_asked

    @property
    def proof(self) -> Proof:
        """What is known of the value: proven, within the gap asked, or why neither."""
        if self.proven:
            return "proven"
        if self.settled:
            return "within_gap"
        return "open" if self.ended == "search" else self.ended


@dataclass(frozen=True, slots=True)
class Plan:
    """Chosen actions with their allotment, and the proof of how good they are.

    ``status`` is ``"partial"`` when something asked is not met (``blocked`` says what and why); when all is met,
    ``"complete"`` where every stage is proven or within the gap asked, ``"stopped"`` where time or Ctrl-C ended one
    before, ``"open"`` where one is not within the gap for another reason.

    Tables
    ------
    actions
        One row a chosen action: action_id, kind ("candidate", "extension"), source_id, acquisition, service, area_m2,
        fixed_cost, area_cost, yearly_cost (all years, discounted), cost (their sum; 万元), lon, lat,
        households_brought_in (only it brings them in reach), deficit_filled_m2, communities_met (only with it),
        why_zh, why_en.
    allotments
        action_id, community_id, area_m2 (> 0).
    communities
        One row a community in the order of the study: community_id, meets_before, meets_after, in_reach_before,
        in_reach_after, has_area_before, has_area_after ("pass", "fail", "unknown", "not_applicable"),
        area_before_m2, area_after_m2 (NaN: unknown), weight.
    blocked
        One row a community that is not met and a reason: community_id, reason ("reach", "area", "budget",
        "unknown"), nearest_candidate_id, nearest_m, excess_m, missing_m2, note_zh, note_en.
    cuts
        One row a smallest set of communities that ask for more than lies within their circles: cut_id, community_ids
        (";"-joined), action_ids, asked_m2, available_m2, missing_m2, note_zh, note_en.
    left_out
        One row an action that was not chosen: action_id, source_id, acquisition, households_would_bring,
        deficit_would_fill_m2, least_cost, why_zh, why_en.
    """

    status: Status
    actions: pd.DataFrame
    allotments: pd.DataFrame
    stages: tuple[Stage, ...]
    communities: pd.DataFrame
    blocked: pd.DataFrame
    cuts: pd.DataFrame
    left_out: pd.DataFrame
    total_cost: float
    budget: float | None
    options: PlanOptions
    seconds: float
    situation: Situation = field(repr=False)
    alternatives: tuple[Plan, ...] = ()
    curve: pd.DataFrame | None = None
    phases: pd.DataFrame | None = None

    @property
    def proven(self) -> bool:
        """Whether every stage is proven."""
        return all(stage.proven for stage in self.stages)

    @property
    def settled(self) -> bool:
        """Whether every stage is proven or within the gap asked."""
        return all(stage.settled for stage in self.stages)

    def facilities(
        self, facilities: gpd.GeoDataFrame, allotments: pd.DataFrame | None = None
    ) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
        """Return the facilities and allotments tables with the plan applied: what ``score`` is to judge."""
        from siting.allocation.applied import apply_plan

        return apply_plan(self, facilities, allotments)

    def sites(self) -> gpd.GeoDataFrame:
        """Return the actions as points (EPSG:4326), row i for action i."""
        points = gpd.points_from_xy(self.actions["lon"], self.actions["lat"], crs="EPSG:4326")
        return gpd.GeoDataFrame(self.actions.reset_index(drop=True), geometry=points)

    def check(self) -> tuple[Text, ...]:
        """Recompute circles, allotments, costs and verdicts from the inputs; return every fault found."""
        from siting.allocation.plan_check import faults_of

        return faults_of(self)
