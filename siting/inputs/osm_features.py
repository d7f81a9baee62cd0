"""OpenStreetMap files -> tables of buildings and of services, in the columns a study's tables have."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from siting.errors import Issue, MissingFileError
from siting.inputs.faults import Faults
from siting.inputs.limits import check_plain
from siting.inputs.osm import limit_packed, objects_of, tags_of
from siting.text import Text

HOMES = frozenset(
    {
        "apartments", "residential", "house", "detached", "semidetached_house", "terrace", "dormitory", "bungalow",
        "farm", "cabin", "siheyuan",
    }
)  # fmt: skip
"""Values of ``building`` that mean people live there (OpenStreetMap wiki, Key:building, group accommodation)."""
UNSAID = frozenset({"yes", "", "construction", "mixed_use"})
"""Values of ``building`` that do not say whether people live there."""


Found = tuple[str, dict[str, str], Any]
"""What OpenStreetMap calls an object (``way/34``), its tags, and its shape."""


def read_osm_buildings(path: str | Path) -> tuple[gpd.GeoDataFrame, tuple[Issue, ...]]:
    """Return the buildings of an OpenStreetMap file as a buildings table, and what was left out.

    A building whose tag does not say what it is for has ``residential`` NA; one without ``building:levels`` has NaN
    floors. Outlines that are open or broken are counted and named.

    Parameters
    ----------
    path
        A ``.osm``, ``.osm.gz``, ``.osm.bz2`` or ``.osm.pbf`` file.

    Returns
    -------
    tuple
        The table: ``osm_id``, ``floors``, ``dwellings`` (numbers, NaN where not said), ``residential`` (true, false or
        NA) and polygons in EPSG:4326, in the order of the ids. The issues.

    Raises
    ------
    MissingFileError
        If there is no such file.
    TableError
        If the file cannot be read.
    """
    file = _existing(path)
    faults = Faults(file.name)
    ids, kinds, floors, dwellings, shapes = [], [], [], [], []
    for name, tags, shape in _areas(file, ("building",), lambda tags: tags["building"] != "no", faults):
        ids.append(name)
        kinds.append(tags["building"])
        floors.append(_number(tags.get("building:levels", "")))
        dwellings.append(_number(tags.get("building:flats", "")))
        shapes.append(shape)
    kind = pd.Series(kinds, dtype=object)
    residential = kind.isin(HOMES).astype("boolean").mask(kind.isin(UNSAID))
    columns = {"osm_id": ids, "floors": floors, "dwellings": dwellings, "residential": residential}
    return _in_order(gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4326")), tuple(faults.issues)


def read_osm_services(path: str | Path) -> tuple[gpd.GeoDataFrame, tuple[Issue, ...]]:
    """Return the services of an OpenStreetMap file, shops to clinics, as a facilities table, and what was left out.

    Which tag is which service is said in ``osm_services.toml``; what has none of those tags is no service. Areas are
    put at a point within them; outlines that are open or broken are counted and named. No object of the map counts as
    a comprehensive community facility: the ledger says what is one.

    Parameters
    ----------
    path
        A ``.osm``, ``.osm.gz``, ``.osm.bz2`` or ``.osm.pbf`` file.

    Returns
    -------
    tuple
        The table: ``osm_id`` (``node/12``, ``way/34``, ``relation/56``), ``service``, ``name`` and points in EPSG:4326,
        in the order of the ids. The issues.

    Raises
    ------
    MissingFileError
        If there is no such file.
    TableError
        If the file cannot be read.
    """
    file = _existing(path)
    faults = Faults(file.name)
    keys = tuple(dict.fromkeys(tag.split("=")[0] for tag in services_by_tag()))
    found = (*_nodes(file, keys, faults), *_areas(file, keys, lambda tags: _service(tags) != "", faults))
    rows = [
        (name, service, tags.get("name", ""), shapely.point_on_surface(shape))
        for name, tags, shape in found
        if (service := _service(tags))
    ]
    frame = pd.DataFrame(rows, columns=["osm_id", "service", "name", "geometry"])
    return _in_order(gpd.GeoDataFrame(frame, geometry="geometry", crs="EPSG:4326")), tuple(faults.issues)


@cache
def services_by_tag() -> dict[str, str]:
    """Return the service id that each tag, ``key=value``, stands for, in the order in which they are tried."""
    file = Path(__file__).with_name("osm_services.toml")
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    return {tag: service for service, table in tables.items() for tag in table["tags"]}


def _service(tags: dict[str, str]) -> str:
    """Return the service that an object's tags stand for, empty where they stand for none."""
    for tag, service in services_by_tag().items():
        key, value = tag.split("=")
        if key in tags and value in re.split(r"\s*;\s*", tags[key]):
            return service
    return ""


def _existing(path: str | Path) -> Path:
    file = Path(path)
    if not file.exists() or file.is_dir():
        raise MissingFileError(Text(f"找不到文件 {file}。", f"There is no file {file}."))
    faults = Faults(file.name)
    check_plain(file, faults)
    limit_packed(file, faults)
    return file


def _nodes(path: Path, keys: tuple[str, ...], faults: Faults) -> Iterable[Found]:
    """Yield the nodes that carry one of some keys, as points."""
    import osmium

    for node in objects_of(path, osmium.osm.NODE, faults, osmium.filter.KeyFilter(*keys)):
        place = node.location
        if place.valid():
            yield (
                f"node/{node.id}",
                tags_of(node, faults),
                shapely.Point(place.lon_without_check(), place.lat_without_check()),
            )


def _areas(path: Path, keys: tuple[str, ...], wanted: Callable[[dict[str, str]], bool], faults: Faults) -> list[Found]:
    """Return the areas that carry one of some keys and are wanted, as polygons; what has no whole outline is named."""
    import osmium

    shape_of = osmium.geom.WKBFactory()
    carries = osmium.filter.KeyFilter(*keys)
    drawn, found = set(), []
    for area in objects_of(path, osmium.osm.AREA, faults, carries, areas=True):
        name = f"{'way' if area.from_way() else 'relation'}/{area.orig_id()}"
        tags = tags_of(area, faults)
        if wanted(tags):
            try:
                shape = shapely.from_wkb(shape_of.create_multipolygon(area))
            except (RuntimeError, shapely.errors.ShapelyError):
                continue  # told below as an outline that is not whole
            found.append((name, tags, shape.geoms[0] if len(shape.geoms) == 1 else shape))
            drawn.add(name)
    named = {
        f"{'way' if thing.is_way() else 'relation'}/{thing.id}"
        for thing in objects_of(path, osmium.osm.WAY | osmium.osm.RELATION, faults, carries)
        if wanted(tags_of(thing, faults))
    }
    broken = sorted(named - drawn)
    if broken:
        faults.warning(
            f"{len(broken)} 个对象的轮廓不完整，未采用", f"{len(broken)} outlines are not whole and are left out",
            "裁剪过的数据边缘常有此情况", "usual at the edge of a clipped extract",
            column="osm_id", value=", ".join(broken[:3]),
        )  # fmt: skip
    return found


def _number(text: str) -> float:
    """Return a number that a tag states, NaN where it states none; ``5;6`` is the larger."""
    found = re.findall(r"\d+(?:\.\d+)?", text)
    return max(map(float, found)) if found else float("nan")


def _in_order(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the rows by kind of object and number: the same whatever order the file has."""
    if not len(frame):
        return frame
    kind, number = np.array([name.split("/") for name in frame["osm_id"]], object).T
    order = np.lexsort((number.astype(np.int64), kind.astype(str)))
    return frame.iloc[order].reset_index(drop=True)
