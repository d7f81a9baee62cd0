"""The scorecard: every community against every rule, and the tables that stand behind the verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.coverage.access import (
    COMPREHENSIVE,
    Access,
    ServiceAccess,
    measure_services,
    service_table,
)
from siting.coverage.area import Allotment, allot
from siting.coverage.edges import coarse_network_warning, data_ends, edge_warnings, off_network_warnings
from siting.coverage.equity import equity_table
from siting.coverage.gaps import find_gaps
from siting.coverage.indicators import indicators
from siting.coverage.judge import area_verdicts, reach_verdicts
from siting.coverage.judge_services import service_verdicts
from siting.coverage.stated import STATED_MEASURES, registered_verdicts, stated_verdicts
from siting.coverage.tables import (
    carried_table,
    community_table,
    home_table,
    lacking_services,
    reached_shares,
    shared_m2_per_household,
    three_verdicts,
    unroutable_table,
)
from siting.coverage.units import services_measured
from siting.coverage.verdicts import RuleVerdicts, near_limit_table, verdict_table
from siting.coverage.walk import measure_access
from siting.errors import InputError, Issue
from siting.inputs.households import DemandPoints
from siting.standards.model import Rule, Standard
from siting.text import Progress, Text, silent

if TYPE_CHECKING:
    from siting.network import RoadNetwork


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The verdicts on every community, and the tables behind them; the columns are those that `score` documents.

    Parameters
    ----------
    verdicts
        One row a community and rule.
    communities
        Row i is community i of the input.
    demand
        Row i is demand point i.
    services
        One row an area type, service and group.
    indicators
        The indicators of the plan for the county and each township.
    gaps
        Patches of households outside every circle.
    equity
        How evenly distance and area fall.
    near_limit
        Verdicts that flip near the limit.
    unroutable
        ``role`` (home, facility), ``id``, ``distance_m`` to the nearest usable road.
    carried
        ``role``, ``id``, ``distance_m`` to the road taken, ``without_m`` to a nearer one on too small a piece of road.
    issues
        What was mended, what is unknown, where the data end.
    standard
        The standard, with the study's own assumptions.
    """

    verdicts: pd.DataFrame
    communities: pd.DataFrame
    demand: pd.DataFrame
    services: pd.DataFrame
    indicators: pd.DataFrame
    gaps: gpd.GeoDataFrame
    equity: pd.DataFrame
    near_limit: pd.DataFrame
    unroutable: pd.DataFrame
    carried: pd.DataFrame
    issues: tuple[Issue, ...]
    standard: Standard


def score(
    communities: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    net: RoadNetwork,
    standard: Standard,
    *,
    demand: DemandPoints | None = None,
    allotments: pd.DataFrame | None = None,
    boundaries: gpd.GeoDataFrame | None = None,
    access: Access | None = None,
    year: int | None = None,
    progress: Progress = silent,
) -> Scorecard:
    """Return the scorecard of a county: who is in reach, who has enough, and by how much the others miss it.

    Parameters
    ----------
    communities, facilities
        The checked tables.
    net
        The network to walk on.
    standard
        The rules.
    demand
        Where the households are; one point a community when None.
    allotments
        Which square metres of a facility count for which community; None when there is no such table.
    boundaries
        Polygons of the communities; used to tell where the facilities end.
    access
        The distances, where `measure_access` was already asked for the same tables; measured when None.
    year
        The year to judge the steps towards a target by; None takes the last step.
    progress
        Called with what is being done.

    Returns
    -------
    Scorecard
        As `score_access` gives it, with warnings where the roads or the facilities end; ``communities`` says in
        ``data_ends`` which of them end within each circle (``roads``, ``facilities``, joined by ``;``).
    """
    if access is None:
        access = measure_access(communities, facilities, net, standard, demand=demand, progress=progress)
    progress(Text("逐条评分", "scoring"))
    card = score_access(access, communities, facilities, standard, allotments=allotments, year=year)
    ends = data_ends(facilities, net, access, len(communities), boundaries=boundaries)
    edges = edge_warnings(card.communities, ends)
    coarse = coarse_network_warning(access, standard.value("near_limit_share"))
    table = card.communities.assign(data_ends=[";".join(names) for names in _ends_of(ends)])
    return replace(card, communities=table, issues=(*card.issues, *coarse, *edges))


def _ends_of(ends: Mapping[str, NDArray[np.bool_]]) -> list[list[str]]:
    """Return, by community, which data end within its circle."""
    return [[name for name, here in zip(ends, row, strict=True) if here] for row in zip(*ends.values(), strict=True)]


def score_access(
    access: Access,
    communities: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    standard: Standard,
    *,
    allotments: pd.DataFrame | None = None,
    year: int | None = None,
) -> Scorecard:
    """Return the scorecard from distances that are ready.

    Parameters
    ----------
    access
        Distances from homes to facilities.
    communities, facilities
        The checked tables.
    standard
        The rules.
    allotments
        Which square metres of a facility count for which community; None when there is no such table.
    year
        The year to judge the steps towards a target by; None takes the last step.

    Returns
    -------
    Scorecard
        Every table of it; see the columns there.

    Raises
    ------
    InputError
        If the distances are not those of these tables: another number of facilities, or homes of no community.
    """
    demand = access.demand
    _check_fit(access, communities, facilities)
    wanted = _services_asked(standard, communities)
    known = {service.id for service in standard.services}
    needed = {COMPREHENSIVE, *services_measured(standard), *wanted, *(set(facilities["service"]) & known)}
    services = [service.id for service in standard.services if service.id in needed]
    reached = measure_services(access, communities, facilities, services, standard)
    comprehensive = reached[COMPREHENSIVE]
    allotment = allot(communities, facilities, allotments, standard)
    verdicts = judge(communities, facilities, reached, demand, allotment, standard, allotments=allotments)
    shared_m2 = shared_m2_per_household(reached, facilities, access, standard)
    homes = home_table(communities, facilities, comprehensive, access, shared_m2)
    table = community_table(communities, facilities, comprehensive, access, homes, allotment, standard)
    table = table.assign(**three_verdicts(verdicts, len(communities)))
    table["data_ends"] = ""
    table["lacking_services"] = lacking_services(communities, reached, demand, standard)
    return Scorecard(
        verdicts=verdict_table(communities, verdicts),
        communities=table,
        demand=homes,
        services=service_table(reached, communities, demand, standard),
        indicators=indicators(
            communities,
            facilities,
            allotment,
            reached_shares(reached, demand, len(communities)),
            standard,
            allotments=allotments,
            year=year,
        ),
        gaps=find_gaps(demand, comprehensive.covered, comprehensive.nearest, access.cutoff_m, communities, facilities),
        equity=equity_table(
            communities,
            demand,
            homes["nearest_m"].to_numpy(),
            table["area_per_100_households_m2"].to_numpy(),
            homes["shared_area_per_100_households_m2"].to_numpy(),
        ),
        near_limit=near_limit_table(communities, verdicts),
        unroutable=unroutable_table(access, communities, facilities),
        carried=carried_table(access, communities, facilities),
        issues=(
            *allotment.issues,
            *_scoring_issues(reached, wanted, standard),
            *off_network_warnings(access, communities, facilities),
        ),
        standard=standard,
    )


def _check_fit(access: Access, communities: pd.DataFrame, facilities: pd.DataFrame) -> None:
    """Raise `InputError` when the distances are not those of the tables."""
    if access.cost.shape[1] != len(facilities):
        raise InputError(
            Text(
                f"距离矩阵有 {access.cost.shape[1]} 列，设施表有 {len(facilities)} 行，两者须相同。",
                f"{access.cost.shape[1]} columns of distances and {len(facilities)} facilities: they must be the same.",
            )
        )
    strangers = ~np.isin(access.demand.community, np.arange(len(communities)))
    if strangers.any():
        row = int(access.demand.community[strangers][0])
        raise InputError(
            Text(
                f"有需求点属于第 {row} 行社区，而社区表只有 {len(communities)} 行。",
                f"a demand point is of community row {row}, but there are {len(communities)} communities.",
            )
        )


def _kind(rule: Rule) -> str:
    """Return the service that a rule on reach is about."""
    return rule.facility_kind or COMPREHENSIVE


def _services_asked(standard: Standard, communities: pd.DataFrame) -> set[str]:
    """Return the services that a rule of the standard asks for, in the kinds of communities that there are."""
    present = set(communities["area_type"]) | {"all", "resettlement"}
    rules = [rule for rule in standard.rules if rule.applies_to in present]
    sports = {_kind(rule) for rule in rules if rule.measure == "sports_reached_share"}
    return sports.union(*(rule.services for rule in rules)) - {COMPREHENSIVE}


def _scoring_issues(reached: Mapping[str, ServiceAccess], wanted: set[str], standard: Standard) -> list[Issue]:
    issues = []
    if not len(reached[COMPREHENSIVE].places):
        issues.append(
            Issue(
                "warning",
                Text("设施表中没有社区综合服务设施，覆盖为 0", "there is no comprehensive facility; nobody is covered"),
                Text("请核对设施类型", "check the service column of the facilities table"),
                column="service",
            )
        )
    absent = sorted(service for service in wanted if not len(reached[service].places))
    if absent:
        names = [standard.service(service).name for service in absent]
        zh, en = "、".join(name.zh for name in names), ", ".join(name.en for name in names)
        issues.append(
            Issue(
                "note",
                Text(
                    f"标准要求的这些服务在设施表中一处也没有，相应结论为未知：{zh}",
                    f"the facilities table has no place at all of these services that the standard asks for; what "
                    f"depends on them is unknown: {en}",
                ),
                Text("若确实没有，请在设施表之外说明", "add them to the facilities table"),
                column="service",
            )
        )
    return issues


def judge(
    communities: pd.DataFrame,
    facilities: pd.DataFrame,
    reached: Mapping[str, ServiceAccess],
    demand: DemandPoints,
    allotment: Allotment,
    standard: Standard,
    *,
    allotments: pd.DataFrame | None = None,
) -> list[RuleVerdicts]:
    """Return the verdicts of every rule of the standard that is about a single community and that tables can answer.

    Parameters
    ----------
    communities, facilities
        The tables.
    reached
        By service, how homes reach it.
    demand
        Where the households are.
    allotment
        What each community is allotted.
    standard
        The rules.
    allotments
        The allotments table, or None.

    Returns
    -------
    list
        In the order of the standard; a rule without a target, or that asks nothing of the kinds of communities that
        there are, has no verdicts.
    """
    verdicts = []
    present = set(communities["area_type"]) | {"all", "resettlement"}
    for rule in standard.rules:
        if rule.level != "community" or rule.target is None or rule.applies_to not in present:
            continue
        if rule.measure in ("reached_share", "sports_reached_share"):
            verdicts.append(reach_verdicts(rule, communities, reached[_kind(rule)], demand, standard))
        elif rule.measure == "area_per_100_households":
            verdicts.append(area_verdicts(rule, communities, allotment, standard))
        elif rule.measure in ("required_services", "elder_services_share"):
            verdicts.append(service_verdicts(rule, communities, reached, demand, standard))
        elif rule.measure == "facility_coverage_share":
            verdicts.append(registered_verdicts(rule, communities, facilities, allotments))
        elif rule.measure in STATED_MEASURES:
            verdicts.append(stated_verdicts(rule, communities))
    return verdicts
