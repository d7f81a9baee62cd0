"""A road table -> a network of arrays, and places on it."""

from siting.network.build import BuildReport, build_network
from siting.network.graph import RoadNetwork
from siting.network.modes import Mode, mode_named, read_modes
from siting.network.positions import Positions
from siting.network.snap import snap
from siting.network.store import is_kept, read_network, write_network

__all__ = [
    "BuildReport",
    "Mode",
    "Positions",
    "RoadNetwork",
    "build_network",
    "is_kept",
    "mode_named",
    "read_modes",
    "read_network",
    "snap",
    "write_network",
]
