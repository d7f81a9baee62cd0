"""Everything a run found, in one frozen value: what the writers need and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from siting.errors import Issue, OutputError
from siting.text import Lang, Progress, Text, silent

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from siting.allocation.plan import Plan
    from siting.coverage import Scorecard
    from siting.inputs import DemandPoints, SourceRecord, Tables
    from siting.network import RoadNetwork
    from siting.standards import Standard


@dataclass(frozen=True, slots=True)
class Results:
    """What one run of a study found.

    Parameters
    ----------
    study_name
        The name in the study file; text of the user, never trusted as markup.
    settings
        The study as it was run, with its defaults filled in; only text, numbers, lists and mappings.
    standard
        The standard, with the study's own assumptions in it.
    tables
        The checked input tables.
    demand
        Where the households are; a community's points are those of its row number.
    network
        The road network the distances were walked on.
    scorecard
        The verdicts before any plan.
    circles
        Polygons in EPSG:4326: ``facility`` (row number in ``tables.facilities``), ``cutoff_m``, ``geometry``.
    plan
        The chosen actions, or None when the study asks for none.
    after
        The verdicts with the plan carried out; None without a plan.
    plan_circles
        As ``circles``, with ``facility`` the row number in ``plan.actions``; None without a plan.
    indicator_path
        The county's indicators at the end of each year of the plan's phases: year, rule_id, value, target, status; None
        without phases.
    issues
        Every fault found and everything that was mended, over all inputs.
    seconds
        How long each part of the run took, s.
    records
        The input files with their hashes.
    refused_answers
        How many answers of the solver contradicted its model and were asked for again, by what was wrong with them.
    """

    study_name: str
    settings: Mapping[str, Any]
    standard: Standard
    tables: Tables
    demand: DemandPoints
    network: RoadNetwork
    scorecard: Scorecard
    circles: gpd.GeoDataFrame
    plan: Plan | None = None
    after: Scorecard | None = None
    plan_circles: gpd.GeoDataFrame | None = None
    indicator_path: pd.DataFrame | None = None
    issues: tuple[Issue, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    records: tuple[SourceRecord, ...] = ()
    refused_answers: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.plan is None) != (self.after is None):
            raise OutputError(
                Text(
                    "有方案就要有方案后的评分，反之亦然。",
                    "A plan needs the scorecard after it, and a scorecard after needs its plan.",
                )
            )
        if len(self.scorecard.communities) != len(self.tables.communities):
            raise OutputError(
                Text(
                    f"评分有 {len(self.scorecard.communities)} 个社区，表中有 {len(self.tables.communities)} 个。",
                    f"The scorecard has {len(self.scorecard.communities)} communities, "
                    f"the table has {len(self.tables.communities)}.",
                )
            )

    def write(
        self,
        folder: str | Path,
        *,
        force: bool = False,
        lang: Lang = "zh",
        progress: Progress = silent,
        told: Callable[[Text], None] | None = None,
    ) -> Mapping[str, Path]:
        """Write map, workbook, report, layers and run record into a folder, whole or not at all.

        Parameters
        ----------
        folder
            The folder to make; one that exists is only replaced with ``force``.
        force
            Replace the files that an earlier run wrote there; every other file stays as it is.
        lang
            The language of the workbook and the report, and the one the map opens in.
        progress
            Called with what is being written.
        told
            Called with what was kept, and where.

        Returns
        -------
        Mapping
            The path of each output: map, workbook, report, layers, manifest.
        """
        from siting.outputs.atomic import unsaid
        from siting.outputs.write import write_all

        return write_all(self, folder, force=force, lang=lang, progress=progress, told=told or unsaid)
