"""Results -> files."""

from siting.outputs.layers import write_layers
from siting.outputs.manifest import write_manifest
from siting.outputs.maps import coverage_map, write_map
from siting.outputs.report import write_report
from siting.outputs.results import Results
from siting.outputs.workbook import write_workbook
from siting.outputs.write import write_all

__all__ = [
    "Results",
    "coverage_map",
    "write_all",
    "write_layers",
    "write_manifest",
    "write_map",
    "write_report",
    "write_workbook",
]
