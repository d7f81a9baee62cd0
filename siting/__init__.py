"""Who is inside the circle, who has enough, and what to build where: community services on the street network.

The public names are loaded on first use: ``import siting`` does no work.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from siting.allocation import solve as solve
    from siting.coverage import score as score
    from siting.network import RoadNetwork as RoadNetwork
    from siting.network import read_network as read_network
    from siting.network import snap as snap
    from siting.outputs import Results as Results
    from siting.outputs import coverage_map as coverage_map
    from siting.reach import circles as circles
    from siting.reach import cost_matrix as cost_matrix
    from siting.reach import nearest as nearest
    from siting.reach import within as within
    from siting.standards import read_standard as read_standard
    from siting.study import Study as Study
    from siting.study import read_study as read_study
    from siting.study import run as run

__version__ = "0.1.0"

_HOMES = {
    "Results": "siting.outputs",
    "RoadNetwork": "siting.network",
    "Study": "siting.study",
    "circles": "siting.reach",
    "cost_matrix": "siting.reach",
    "coverage_map": "siting.outputs",
    "nearest": "siting.reach",
    "read_network": "siting.network",
    "read_standard": "siting.standards",
    "read_study": "siting.study",
    "run": "siting.study",
    "score": "siting.coverage",
    "snap": "siting.network",
    "solve": "siting.allocation",
    "within": "siting.reach",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'siting' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
