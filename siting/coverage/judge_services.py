"""The services that a circle must hold, and the verdict on each community: which it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.coverage.access import ServiceAccess, whole_mm
from siting.coverage.judge import circle_words, covered_share, share_reaches
from siting.coverage.verdicts import (
    FAIL,
    NOT_APPLICABLE,
    PASS,
    UNKNOWN,
    Codes,
    RuleVerdicts,
    applies,
    empty_notes,
    only_where_applied,
)
from siting.inputs.households import DemandPoints
from siting.standards.model import UNITS, Rule, Standard


@dataclass(frozen=True, slots=True)
class RequiredServices:
    """Which services each community's homes lack.

    ``services`` names the columns of ``reached``, bool (n, services): whether at least the share asked of a community's
    households reach the service; ``recorded`` bool (services,): whether the facilities table has any place of it.
    """

    services: tuple[str, ...]
    reached: NDArray[np.bool_]
    recorded: NDArray[np.bool_]

    @property
    def lacking(self) -> NDArray[np.bool_]:
        """Which services are known to be lacking, bool (n, services)."""
        return ~self.reached & self.recorded


def required_services(
    reached: Mapping[str, ServiceAccess],
    demand: DemandPoints,
    n: int,
    services: tuple[str, ...],
    standard: Standard,
    *,
    circle: float = 1.0,
) -> RequiredServices:
    """Return which of some services each community has within its circle.

    Parameters
    ----------
    reached
        By service, how homes reach it.
    demand
        Where the households are.
    n
        How many communities there are.
    services
        The services wanted.
    standard
        The standard, for the share of households that has to reach a service.
    circle
        What every circle is multiplied by.

    Returns
    -------
    RequiredServices
        By community and service.
    """
    has = np.zeros((n, len(services)), dtype=bool)
    for k, service in enumerate(services):
        one = reached[service]
        covered = whole_mm(one.nearest.distance_m[:, 0]) <= np.rint(whole_mm(one.cutoff_m) * circle)
        has[:, k] = share_reaches(covered_share(covered, demand, n), standard.value("reach_share"))
    recorded = np.array([reached[service].recorded for service in services], dtype=bool)
    return RequiredServices(services, has, recorded)


def service_verdicts(
    rule: Rule,
    communities: pd.DataFrame,
    reached: Mapping[str, ServiceAccess],
    demand: DemandPoints,
    standard: Standard,
) -> RuleVerdicts:
    """Return the verdicts of a rule on the services that a circle holds.

    A service of which the facilities table has no place at all is not known to be lacking: unless another one is
    lacking, the verdict is unknown.

    Parameters
    ----------
    rule
        A rule that names services.
    communities
        The communities table.
    reached
        By service, how homes reach it.
    demand
        Where the households are.
    standard
        The standard, for the names of the services, its ``reach_share`` and its ``near_limit_share``.

    Returns
    -------
    RuleVerdicts
        By community; the value is the number of services in the circle, or where the rule is about a share of
        communities, 1 when all are and else 0.
    """
    n, near = len(communities), standard.value("near_limit_share")
    required, less, more = (
        required_services(reached, demand, n, rule.services, standard, circle=by)
        for by in (1.0, 1.0 - near, 1.0 + near)
    )
    has, recorded, lacking = required.reached, required.recorded, required.lacking
    code = applies(rule, communities)
    settled = PASS if recorded.all() else UNKNOWN

    def judge(lacking: NDArray[np.bool_]) -> Codes:
        return only_where_applied(code, np.where(lacking.any(axis=1), FAIL, settled).astype(np.int8))

    status = judge(lacking)
    zh, en = empty_notes(n)
    names = [standard.service(service).name for service in rule.services]
    failed = status == FAIL
    kinds, which = np.unique(lacking[failed], axis=0, return_inverse=True)
    few = [[name for name, gone in zip(names, kind, strict=True) if gone] for kind in kinds]
    zh[failed] = np.array(["缺：" + "、".join(name.zh for name in one) for one in few], object)[which.ravel()]
    en[failed] = np.array(["lacking: " + ", ".join(name.en for name in one) for one in few], object)[which.ravel()]
    if not recorded.all():
        absent = [name for name, there in zip(names, recorded, strict=True) if not there]
        unknown = (status == UNKNOWN) & (code == PASS)
        zh[unknown] = "设施表中没有：" + "、".join(name.zh for name in absent)
        en[unknown] = "not in the facilities table: " + ", ".join(name.en for name in absent)
    missing = lacking.sum(axis=1).astype(np.float64)
    count, needed = has.sum(axis=1).astype(np.float64), float(len(rule.services))
    return RuleVerdicts(
        rule,
        status,
        np.where(status == NOT_APPLICABLE, np.nan, count if rule.measure == "required_services" else count // needed),
        np.full(n, needed if rule.measure == "required_services" else 1.0),
        np.where(status == FAIL, missing, np.nan),
        UNITS["services"],
        (zh, en),
        judge(less.lacking),
        judge(more.lacking),
        *circle_words(near),
    )
