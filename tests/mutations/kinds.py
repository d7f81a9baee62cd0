"""The kinds of file that siting reads: how a sound small one is made, and which command reads it."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import osmium
import pandas as pd
import shapely

from siting.cli import main
from tests.conftest import _write_study


@dataclass(frozen=True)
class Case:
    """A folder in which a command reads a file that is to be mutated."""

    target: Path
    words: tuple[str, ...]


Maker = Callable[[Path, Path], Case]
"""Makes the case from the study of the tiny county and its folder."""
_CHECK = "check"


def _swap_input(study: Path, before: str, after: str) -> None:
    text = study.read_text(encoding="utf-8")
    assert before in text
    study.write_text(text.replace(before, after), encoding="utf-8")


def _table(ending: str, encoding: str = "utf-8", separator: str = ",") -> Maker:
    def make(folder: Path, study: Path) -> Case:
        frame = pd.read_csv(folder / "communities.csv", dtype=str)
        frame.columns = ["社区代码", "社区名称", "area_type", "户数", "经度", "纬度"]
        target = folder / f"社区{ending}"
        if ending == ".xlsx":
            frame.to_excel(target, index=False)
        else:
            frame.to_csv(target, index=False, sep=separator, encoding=encoding)
        _swap_input(study, "communities.csv", target.name)
        return Case(target, (_CHECK, str(study)))

    return make


def _points(folder: Path) -> gpd.GeoDataFrame:
    frame = pd.read_csv(folder / "facilities.csv")
    return gpd.GeoDataFrame(
        frame.drop(columns=["lon", "lat"]), geometry=gpd.points_from_xy(frame["lon"], frame["lat"]), crs="EPSG:4326"
    )


def _facilities(ending: str, part: str = "") -> Maker:
    def make(folder: Path, study: Path) -> Case:
        layer, target = _points(folder), folder / f"stations{ending}"
        if ending in (".shp", ".zip"):  # names of ten letters at most
            layer = layer.rename(columns={"facility_id": "osm_id"})[["osm_id", "service", "geometry"]]
        if ending == ".parquet":
            layer.to_parquet(target)
        elif ending == ".zip":
            layer.to_file(folder / "stations.shp")
            with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as box:
                for one in sorted(folder.glob("stations.*")):
                    if one != target:
                        box.write(one, one.name)
        else:
            layer.to_file(target)
        _swap_input(study, '{ path = "facilities.csv", datum = "wgs84" }', f'"{target.name}"')
        return Case(target.with_suffix(part) if part else target, (_CHECK, str(study)))

    return make


def _areas(name: str, role: str) -> Maker:
    def make(folder: Path, study: Path) -> Case:
        frame = pd.read_csv(folder / "communities.csv", dtype={"community_id": str})
        spots = gpd.points_from_xy(frame["lon"], frame["lat"], crs="EPSG:4326")
        shapes = shapely.buffer(spots, 0.00005 if role == "buildings" else 0.0005)
        columns = {"floors": [2] * len(frame)} if role == "buildings" else {"community_id": frame["community_id"]}
        gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4326").to_file(folder / name)
        _swap_input(study, 'roads = "roads.gpkg"', f'roads = "roads.gpkg"\n{role} = "{name}"')
        return Case(folder / name, (_CHECK, str(study)))

    return make


def _roads_layer(ending: str) -> Maker:
    def make(folder: Path, study: Path) -> Case:
        target = folder / f"streets{ending}"
        roads = gpd.read_file(folder / "roads.gpkg")
        roads.to_parquet(target) if ending == ".parquet" else roads.to_file(target)
        _swap_input(study, "roads.gpkg", target.name)
        return Case(target, (_CHECK, str(study)))

    return make


def _ends(folder: Path) -> list[tuple[float, float]]:
    lines = gpd.read_file(folder / "roads.gpkg").geometry
    return [tuple(lines.iloc[0].coords[0]), *(tuple(line.coords[-1]) for line in lines)]


def _osm(ending: str) -> Maker:
    def make(folder: Path, study: Path) -> Case:
        target = folder / f"streets{ending}"
        kind = "pbf,pbf_compression=none" if ending.endswith(".pbf") else "osm"  # packed, a bit would spoil the whole
        with osmium.SimpleWriter(osmium.io.File(str(target), kind)) as out:
            ends = _ends(folder)
            for number, place in enumerate(ends, 1):
                out.add_node(osmium.osm.mutable.Node(id=number, location=place, version=1))
            for number in range(1, len(ends)):
                tags = {"highway": "residential", "name": "幸福路"}
                out.add_way(osmium.osm.mutable.Way(id=number, nodes=[number, number + 1], tags=tags, version=1))
        _swap_input(study, "roads.gpkg", target.name)
        return Case(target, (_CHECK, str(study)))

    return make


def _graphml(folder: Path, study: Path) -> Case:
    names = ("x", "y", "length", "highway", "oneway")
    keys = "".join(f'<key id="{name}" for="all" attr.name="{name}" attr.type="string"/>' for name in names)
    ends = _ends(folder)
    nodes = "".join(
        f'<node id="{number}"><data key="x">{x}</data><data key="y">{y}</data></node>'
        for number, (x, y) in enumerate(ends)
    )
    edges = "".join(
        f'<edge source="{number}" target="{number + 1}"><data key="length">100.5</data>'
        "<data key=\"highway\">['residential', 'path']</data><data key=\"oneway\">False</data></edge>"
        for number in range(len(ends) - 1)
    )
    text = (
        '<?xml version="1.0" encoding="utf-8"?><graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
        f'{keys}<graph edgedefault="directed">{nodes}{edges}</graph></graphml>'
    )
    target = folder / "streets.graphml"
    target.write_text(text, encoding="utf-8")
    _swap_input(study, "roads.gpkg", target.name)
    return Case(target, (_CHECK, str(study)))


def _kept(folder: Path, study: Path) -> Case:
    target = folder / "streets.net"
    assert main(["network", str(folder / "roads.gpkg"), str(target), "--quiet"]) == 0
    _swap_input(study, "roads.gpkg", target.name)
    return Case(target, (_CHECK, str(study)))


def _study(folder: Path, study: Path) -> Case:
    return Case(study, (_CHECK, str(study)))


def _standard(folder: Path, study: Path) -> Case:
    import siting.standards

    target = folder / "ours.toml"
    shutil.copy(Path(siting.standards.__file__).with_name("linyi.toml"), target)
    return Case(target, ("standards", str(target)))


def _run(name: str, words: Callable[[Path, Path], tuple[str, ...]]) -> Maker:
    def make(folder: Path, study: Path) -> Case:
        assert main(["run", str(study), "--out", str(folder / "a"), "--quiet"]) == 0
        shutil.copytree(folder / "a", folder / "b")
        return Case(folder / "b" / name, words(folder, study))

    return make


def _diff(folder: Path, study: Path) -> tuple[str, ...]:
    return ("diff", str(folder / "a"), str(folder / "b"))


def _chosen(folder: Path, study: Path) -> tuple[str, ...]:
    return ("score", str(study), "--chosen", str(folder / "b" / "plan.csv"))


KINDS: Mapping[str, Maker] = {
    "csv": _table(".csv"),
    "csv-gb18030": _table(".csv", "gb18030"),
    "csv-utf16": _table(".csv", "utf-16"),
    "tsv": _table(".tsv", separator="\t"),
    "xlsx": _table(".xlsx"),
    "geojson": _facilities(".geojson"),
    "gpkg": _facilities(".gpkg"),
    "shp": _facilities(".shp"),
    "dbf": _facilities(".shp", ".dbf"),
    "shx": _facilities(".shp", ".shx"),
    "prj": _facilities(".shp", ".prj"),
    "zip": _facilities(".zip"),
    "parquet": _facilities(".parquet"),
    "boundaries": _areas("boundaries.gpkg", "boundaries"),
    "buildings": _areas("buildings.geojson", "buildings"),
    "roads-gpkg": _roads_layer(".gpkg"),
    "roads-parquet": _roads_layer(".parquet"),
    "osm": _osm(".osm"),
    "pbf": _osm(".osm.pbf"),
    "graphml": _graphml,
    "net": _kept,
    "study": _study,
    "standard": _standard,
    "chosen": _run("plan.csv", _chosen),
    "run.json": _run("run.json", _diff),
    "verdicts.json": _run("verdicts.json", _diff),
}


def made(kind: str, folder: Path) -> Case:
    """Write a sound file of a kind, and all that its command needs, into an empty folder.

    Parameters
    ----------
    kind
        One of `KINDS`.
    folder
        Where to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with redirect_stdout(io.StringIO()):  # a run that makes a record says what it found
        return KINDS[kind](folder, _write_study(folder, "[plan]\ngap = 0"))
