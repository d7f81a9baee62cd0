"""All outputs of a run into one folder, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from siting.allocation.chosen_file import write_chosen
from siting.outputs.atomic import whole_folder
from siting.outputs.layers import write_layers
from siting.outputs.manifest import MANIFEST_NAME, write_manifest
from siting.outputs.maps import write_map
from siting.outputs.record import PLAN_NAME, VERDICTS_NAME, write_verdicts
from siting.outputs.report import write_report
from siting.outputs.workbook import write_workbook
from siting.text import Lang, Progress, Text, silent

if TYPE_CHECKING:
    from siting.outputs.results import Results

FILE_NAMES: Mapping[str, str] = {
    "map": "map.html",
    "workbook": "scorecard.xlsx",
    "report": "report.html",
    "layers": "coverage.gpkg",
    "verdicts": VERDICTS_NAME,
    "manifest": MANIFEST_NAME,
}


def write_all(
    results: Results, folder: str | Path, *, force: bool = False, lang: Lang = "zh", progress: Progress = silent
) -> Mapping[str, Path]:
    """Write map, workbook, report, layers, run record, verdicts and plan; the folder appears complete or not at all.

    Beside them stand ``verdicts.json``, which a later run is compared with, and ``plan.csv``, for ``--chosen``.

    Parameters
    ----------
    results
        What the run found.
    folder
        The folder to make.
    force
        Replace what an earlier run left there; nothing else is ever replaced.
    lang
        The language of workbook and report, and the one the map opens in.
    progress
        Called with what is being written and the share done.

    Returns
    -------
    Mapping
        The path of each output: map, workbook, report, layers, verdicts, manifest, and plan where there is one.

    Raises
    ------
    OutputError
        If the folder is there and ``force`` is off, holds an input or foreign files, or cannot be written.
    """
    protect = tuple(Path(record.path) for record in results.records)
    with whole_folder(folder, force=force, protect=protect) as work:
        names = dict(FILE_NAMES) if results.plan is None else {**FILE_NAMES, "plan": PLAN_NAME}
        paths = {name: work / file for name, file in names.items()}
        progress(Text("写图层", "writing layers"), 0.0)
        write_layers(results, paths["layers"])
        progress(Text("写表格", "writing the workbook"), 0.2)
        write_workbook(results, paths["workbook"], lang=lang)
        progress(Text("写报告", "writing the report"), 0.5)
        write_report(results, paths["report"], lang=lang)
        progress(Text("画地图", "drawing the map"), 0.7)
        write_map(results, paths["map"], lang=lang)
        write_verdicts(results, paths["verdicts"])
        if results.plan is not None:
            write_chosen(results.plan, paths["plan"])
        write_manifest(results, paths["manifest"], {n: p for n, p in paths.items() if n != "manifest"})
        progress(Text("写完", "written"), 1.0)
    final = Path(folder).expanduser().resolve()
    return {name: final / file for name, file in names.items()}
