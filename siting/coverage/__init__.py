"""Distances + standard -> who is served."""

from siting.coverage.access import Access, NearestFacilities, demand_at_communities
from siting.coverage.area import Allotment, allot, allotted_area
from siting.coverage.compare import Judged, compare
from siting.coverage.equity import gini, lorenz, worst_tenth_mean
from siting.coverage.indicators import indicators
from siting.coverage.scorecard import Scorecard, score, score_access
from siting.coverage.walk import measure_access

__all__ = [
    "Access",
    "Allotment",
    "Judged",
    "NearestFacilities",
    "Scorecard",
    "allot",
    "allotted_area",
    "compare",
    "demand_at_communities",
    "gini",
    "indicators",
    "lorenz",
    "measure_access",
    "score",
    "score_access",
    "worst_tenth_mean",
]
