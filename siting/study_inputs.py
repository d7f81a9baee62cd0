"""Study -> Ready: its files read and checked, the network built; what is wrong with any of them is said in one pass."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from siting.errors import InputError, Issue, NetworkError, StudyError, TableError
from siting.standards.model import near_words
from siting.study_file import Study
from siting.study_reader import faulty
from siting.text import Progress, Text, silent

if TYPE_CHECKING:
    import geopandas as gpd

    from siting.inputs import DemandPoints, SourceRecord, Tables
    from siting.network import RoadNetwork

_Part = TypeVar("_Part")


@dataclass(frozen=True, slots=True)
class Ready:
    """A study whose inputs were read and checked: what every measure starts from."""

    study: Study
    tables: Tables
    network: RoadNetwork
    demand: DemandPoints
    records: tuple[SourceRecord, ...]
    issues: tuple[Issue, ...]
    seconds: Mapping[str, float]


@contextmanager
def timed(seconds: dict[str, float], part: str) -> Iterator[None]:
    """Keep how long a part of the work took, s, to the millisecond.

    Parameters
    ----------
    seconds
        Where it is kept.
    part
        Name of the part.
    """
    begun = time.perf_counter()
    yield
    seconds[part] = round(time.perf_counter() - begun, 3)


def prepare(study: Study, *, progress: Progress = silent) -> Ready:
    """Read and check the inputs of a study, build its network, and spread its households.

    Roads are read even where a table has faults, so that a planner sees the faults of all files at once; only roads
    that would have to be downloaded wait until the tables are good.

    Parameters
    ----------
    study
        The job.
    progress
        Told what is being done.

    Returns
    -------
    Ready
        Tables, network and demand points, with every issue found so far.

    Raises
    ------
    TableError
        If a table or the roads cannot be used; every fault of every file is in it.
    NetworkError
        If no road is left that may be walked, and the tables have no fault.
    StudyError
        If the plan names a site that is in no table.
    """
    from siting.inputs import check_places, read_tables, spread_households

    seconds: dict[str, float] = {}
    faults: list[TableError | NetworkError] = []
    with timed(seconds, "read"):
        tables = _try(
            lambda: read_tables(study.sources, study.standard, money_unit=study.money_unit, progress=progress), faults
        )
    with timed(seconds, "network"):
        download = isinstance(study.roads, str)
        built = None if faults and download else _try(lambda: _network(study, progress), faults)
        if tables is None or built is None:
            raise _joined(faults)
        network, record = built
        _check_named(study, tables)
        doubts = check_places(tables, _road_lines(network), None if isinstance(study.roads, str) else study.roads)
    with timed(seconds, "households"):
        demand = spread_households(tables.communities, tables.boundaries, tables.buildings, study.standard)
    issues = (*tables.issues, *doubts, *(network.report.issues if network.report else ()))
    return Ready(study, tables, network, demand, (*tables.records, *record), issues, seconds)


def _try(read: Callable[[], _Part], faults: list[TableError | NetworkError]) -> _Part | None:
    """Return what a reader returns; where it cannot, keep why."""
    try:
        return read()
    except (TableError, NetworkError) as error:
        faults.append(error)
        return None


def _joined(faults: Sequence[TableError | NetworkError]) -> InputError:
    """Return one error with every fault of every file."""
    from siting.inputs.faults import headline

    if len(faults) == 1:
        return faults[0]
    issues: list[Issue] = []
    for error in faults:
        issues.extend(error.issues if isinstance(error, TableError) else [Issue("error", error.text, Text("", ""))])
    return TableError(headline(issues), issues)


def _check_named(study: Study, tables: Tables) -> None:
    """Refuse a plan that requires or forbids a site that is neither a candidate nor a facility."""
    if study.plan is None:
        return
    facilities = [str(each) for each in tables.facilities["facility_id"]]
    named = {str(each) for each in tables.candidates["candidate_id"]} | set(facilities)
    known = named | {f"{each}+" for each in facilities}
    faults = []
    for key, names in (("plan.require", study.plan.require), ("plan.forbid", study.plan.forbid)):
        for name in names:
            if name not in known:
                near = near_words(name, named)
                problem = Text(
                    "候选点表和设施表中都没有这个编号", "is neither in the candidates nor in the facilities table"
                )
                cure = Text(f"请核对编号{near.zh}", f"check the id{near.en}")
                faults.append(Issue("error", problem, cure, study.path.name, column=key, value=name))
    if faults:
        raise StudyError(faulty(study.path.name, faults))


def _road_lines(network: RoadNetwork) -> gpd.GeoSeries:
    import geopandas as gpd
    import numpy as np
    import shapely

    edge = np.repeat(np.arange(network.n_edges), np.diff(network.geometry_offsets))
    return gpd.GeoSeries(shapely.linestrings(network.geometry_xy, indices=edge), crs=network.crs)


def _network(study: Study, progress: Progress) -> tuple[RoadNetwork, tuple[SourceRecord, ...]]:
    from siting.inputs import SourceRecord
    from siting.inputs.files import file_sha256
    from siting.network import build_network, read_network

    min_piece_km = study.standard.value("min_piece_km")
    if isinstance(study.roads, str):
        from siting.inputs.live import download_roads

        roads = download_roads(study.roads, progress=progress)
        return build_network(roads, min_piece_km=min_piece_km, progress=progress), ()
    source = study.roads
    net = read_network(source, min_piece_km=min_piece_km, progress=progress)
    rows = int(net.report.counts.get("rows", net.n_edges)) if net.report else net.n_edges
    record = SourceRecord(
        "roads", source.path, file_sha256(source.path), rows, net.n_edges, "", source.datum or "", source.layer or ""
    )
    return net, (record,)
