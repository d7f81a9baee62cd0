"""All outputs of a run into one folder, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from siting.allocation.chosen_file import write_chosen
from siting.outputs.atomic import Told, unsaid, whole_folder
from siting.outputs.layers import write_layers
from siting.outputs.manifest import FILE_NAMES, write_manifest
from siting.outputs.maps import write_map
from siting.outputs.record import write_verdicts
from siting.outputs.report import write_report
from siting.outputs.workbook import write_workbook
from siting.text import Lang, Progress, Text, silent

if TYPE_CHECKING:
    from siting.outputs.results import Results


def write_all(
    results: Results,
    folder: str | Path,
    *,
    force: bool = False,
    lang: Lang = "zh",
    progress: Progress = silent,
    told: Told = unsaid,
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
        Replace the files that an earlier run wrote there, as its ``run.json`` names them; any other file stays as it
        is, and one of them that was changed since is kept under another name.
    lang
        The language of workbook and report, and the one the map opens in.
    progress
        Called with what is being written and the share done.
    told
        Called with what was kept, and where.

    Returns
    -------
    Mapping
        The path of each output: map, workbook, report, layers, verdicts, manifest, and plan where there is one.

    Raises
    ------
    OutputError
        If the folder is there and ``force`` is off, holds somebody else's file under the name of an output, or cannot
        be written.
    """
    protect = tuple(Path(record.path) for record in results.records)
    with whole_folder(folder, force=force, protect=protect, told=told) as work:
        names = {name: file for name, file in FILE_NAMES.items() if name != "plan" or results.plan is not None}
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
