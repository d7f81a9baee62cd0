"""A planner's files -> checked tables."""

from siting.inputs.datum import from_wgs84, to_wgs84
from siting.inputs.files import Source
from siting.inputs.households import DemandPoints, spread_households
from siting.inputs.tables import SourceRecord, Tables, read_tables

__all__ = [
    "DemandPoints",
    "Source",
    "SourceRecord",
    "Tables",
    "from_wgs84",
    "read_tables",
    "spread_households",
    "to_wgs84",
]
