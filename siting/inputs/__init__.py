"""A planner's files -> checked tables."""

from siting.inputs.datum import from_wgs84, to_wgs84
from siting.inputs.files import Source
from siting.inputs.fit import check_places
from siting.inputs.households import DemandPoints, spread_households
from siting.inputs.live import download_roads
from siting.inputs.osm_features import read_osm_buildings, read_osm_services
from siting.inputs.road_table import Roads, road_table
from siting.inputs.roads import read_roads
from siting.inputs.tables import SourceRecord, Tables, read_tables

__all__ = [
    "DemandPoints",
    "Roads",
    "Source",
    "SourceRecord",
    "Tables",
    "check_places",
    "download_roads",
    "from_wgs84",
    "read_osm_buildings",
    "read_osm_services",
    "read_roads",
    "read_tables",
    "road_table",
    "spread_households",
    "to_wgs84",
]
