"""Roads of a place, downloaded from OpenStreetMap: only when a study asks for them by name."""

from __future__ import annotations

from typing import Any

from siting.errors import InputError
from siting.inputs.faults import Faults
from siting.inputs.osm import TAGS
from siting.inputs.road_table import Roads, road_table
from siting.text import Progress, Text, silent


def download_roads(place: str, *, progress: Progress = silent) -> Roads:
    """Return the roads of a place as OpenStreetMap has them today, through OSMnx.

    This is the only call of the package that uses the network of the machine, and it asks the public servers of
    OpenStreetMap. The outline is what Nominatim gives for the name; roads are cut at it.

    Parameters
    ----------
    place
        A name that Nominatim knows, the more particular the better: ``"Linyi, Yuncheng, Shanxi, China"``.
    progress
        Told what is being downloaded.

    Raises
    ------
    InputError
        If OSMnx is not installed, the place is not known, or the download fails.
    TableError
        If the place has no road.
    """
    try:
        import osmnx
    except ImportError as error:
        raise InputError(
            Text(
                '下载路网需要 osmnx，请先安装：pip install "siting[download]"。',
                'Downloading roads needs osmnx: pip install "siting[download]".',
            )
        ) from error
    progress(Text(f"从 OpenStreetMap 下载 {place} 的路网", f"downloading the roads of {place} from OpenStreetMap"))
    try:
        frame = _download(osmnx, place)
    except Exception as error:  # OSMnx, requests and the servers each have errors of their own
        raise InputError(
            Text(
                f"没能下载“{place}”的路网（{type(error).__name__}：{error}）。请检查地名与网络，或改用本机文件。",
                f'The roads of "{place}" could not be downloaded ({type(error).__name__}: {error}). '
                "Check the name and the connection, or use a file.",
            )
        ) from error
    faults = Faults(place)
    faults.note(
        f"共下载 {len(frame)} 段道路，© OpenStreetMap 贡献者，ODbL",
        f"{len(frame)} roads downloaded, © OpenStreetMap contributors, ODbL",
        "请保存为文件，以便重现结果", "keep them in a file, so that the result can be had again",
    )  # fmt: skip
    roads = road_table(frame, file=place)
    return Roads(roads.lines, (*faults.issues, *roads.issues), place)


def _download(osmnx: Any, place: str) -> Any:
    """Return the streets of a place as lines, with the tags that decide who may use them; settings are put back."""
    before = list(osmnx.settings.useful_tags_way)
    osmnx.settings.useful_tags_way = sorted({*before, *TAGS, "bridge", "tunnel", "layer"})
    try:
        graph = osmnx.graph_from_place(place, network_type="all", retain_all=True, truncate_by_edge=True)
    finally:
        osmnx.settings.useful_tags_way = before
    edges = osmnx.graph_to_gdfs(graph, nodes=False)
    return edges.drop(columns="length").reset_index()
