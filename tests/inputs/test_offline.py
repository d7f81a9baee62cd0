"""No reader touches the network, whatever a file names and whatever the session around it allows."""

import gzip
import json
import os
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyogrio
import pyproj
import pytest
from shapely.geometry import Point

from siting.errors import SitingError
from siting.inputs import Source, read_osm_buildings, read_osm_services, read_roads
from siting.inputs.offline import offline
from siting.network import read_network
from tests.inputs.made_tables import COMMUNITIES, read, write, write_rows

ADDRESS = "http://example.invalid/crs"
LINK = {"type": "link", "properties": {"href": ADDRESS, "type": "ogcwkt"}}
ADDRESSES = {
    "link": LINK,
    "LINK": {**LINK, "type": "LINK"},
    "url": {"type": "url", "properties": {"url": ADDRESS}},
    "name": {"type": "name", "properties": {"name": ADDRESS}},
    "ogc": {"type": "OGC", "properties": {"urn": ADDRESS}},
}


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What arrives at the proxy through which every request of this process goes: nothing must."""
    arrived: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"

        def listen() -> None:
            while True:
                try:
                    caller, _ = server.accept()
                except OSError:
                    return
                with caller:
                    arrived.append("a connection")
                    caller.sendall(b"HTTP/1.0 404 Not Found\r\n\r\n")

        threading.Thread(target=listen, daemon=True).start()
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, address)
            monkeypatch.setenv(name.upper(), address)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        allowed = pyproj.network.is_network_enabled()
        pyproj.network.set_network_enabled(True)
        yield arrived
        pyproj.network.set_network_enabled(allowed)
        server.shutdown(socket.SHUT_RDWR)


def points(**columns: Any) -> gpd.GeoDataFrame:
    data = {"community_id": ["0012"], "城乡类型": ["城市"], "households": [3], **columns}
    return gpd.GeoDataFrame(data, geometry=[Point(110.1, 35.1)], crs="EPSG:4326")


def geojson(folder: Path, crs: Any, place: str) -> Path:
    content = json.loads(points().to_json(drop_id=True))
    content.pop("crs", None)
    feature = content["features"][0]
    owner = {"file": content, "feature": feature, "geometry": feature["geometry"]}[place]
    owner["crs"] = crs
    return write(folder, f"{place}.geojson", json.dumps(content))


def test_the_listener_hears_what_gdal_fetches_by_itself(tmp_path: Path, connections: list[str]) -> None:
    pyogrio.read_dataframe(geojson(tmp_path, LINK, "file"))
    assert connections


@pytest.mark.parametrize("place", ["file", "feature", "geometry"])
@pytest.mark.parametrize("crs", ADDRESSES.values(), ids=ADDRESSES.keys())
def test_an_address_as_coordinate_system_is_refused_and_not_fetched(
    tmp_path: Path, connections: list[str], crs: Any, place: str
) -> None:
    path = geojson(tmp_path, crs, place)
    for reader in (lambda: read(tmp_path, communities=Source(path)), lambda: read_roads(path)):
        with pytest.raises(SitingError, match=r"nothing is fetched|not known"):
            reader()
    assert connections == []


def test_an_address_is_found_however_its_key_is_written(tmp_path: Path, connections: list[str]) -> None:
    plain = geojson(tmp_path, LINK, "file").read_text(encoding="utf-8")
    for key in ('"CRS"', '"\\u0063rs"', '"c\\u0052S"', '"crs" \n'):
        path = write(tmp_path, "odd.geojson", plain.replace('"crs"', key))
        with pytest.raises(SitingError, match="nothing is fetched"):
            read_roads(path)
    topology = {"type": "Topology", "objects": {"a": {"type": "Point", "coordinates": [110, 35], "crs": LINK}}}
    with pytest.raises(SitingError, match="nothing is fetched"):
        read_roads(write(tmp_path, "t.json", json.dumps({**topology, "arcs": []})))
    assert connections == []


def shapefile(folder: Path) -> Path:
    points().rename(columns={"community_id": "code", "城乡类型": "kind"}).to_file(folder / "s.shp")
    write(folder, "s.prj", ADDRESS)
    return folder / "s.shp"


def geopackage(folder: Path) -> Path:
    points().to_crs("EPSG:4547").to_file(folder / "g.gpkg")
    with sqlite3.connect(folder / "g.gpkg") as database:
        database.execute("UPDATE gpkg_spatial_ref_sys SET definition = ?, organization = 'x'", (ADDRESS,))
        database.execute("CREATE VIEW asking AS SELECT ogr_geocode('Beijing') AS place")
    return folder / "g.gpkg"


def parquet(folder: Path) -> Path:
    import pyarrow.parquet as pq

    points().to_parquet(folder / "p.parquet")
    table = pq.read_table(folder / "p.parquet")
    geo = json.loads(table.schema.metadata[b"geo"])
    geo["columns"]["geometry"]["crs"] = {"$schema": ADDRESS, "type": "link", "href": ADDRESS}
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), folder / "p.parquet")
    return folder / "p.parquet"


def british(folder: Path) -> Path:
    """A layer whose way to WGS 84 takes a grid that PROJ would download."""
    points().set_geometry([Point(400_000, 300_000)], crs="EPSG:27700").to_file(folder / "b.gpkg")
    return folder / "b.gpkg"


def disguised(folder: Path) -> Path:
    vrt = f"<OGRVRTDataSource><OGRVRTLayer name='a'><SrcDataSource>/vsicurl/{ADDRESS}</SrcDataSource></OGRVRTLayer>"
    return write(folder, "v.geojson", vrt)


XML = f'<?xml version="1.0"?><!DOCTYPE x SYSTEM "{ADDRESS}" [<!ENTITY e SYSTEM "{ADDRESS}">]>'


@pytest.mark.parametrize(
    "make",
    [
        shapefile,
        geopackage,
        parquet,
        british,
        disguised,
        lambda folder: write(folder, "t.csv", COMMUNITIES.replace("示例一社区", ADDRESS)),
        lambda folder: write_rows(folder, "t.xlsx", [["社区代码", "户数"], [f'=WEBSERVICE("{ADDRESS}")', 3]]),
        lambda folder: write(folder, "o.osm", XML + "<osm>&e;</osm>"),
        lambda folder: write(folder, "o.osm.gz", gzip.compress(f"{XML}<osm>&e;</osm>".encode())),
        lambda folder: write(folder, "g.graphml", XML + "<graphml>&e;</graphml>"),
        lambda folder: Path(ADDRESS),
        lambda folder: Path(f"/vsicurl/{ADDRESS}"),
    ],
)
def test_no_reader_fetches_what_a_file_names(
    tmp_path: Path, connections: list[str], make: Callable[[Path], Path]
) -> None:
    path = make(tmp_path)
    readers: list[Callable[[], object]] = [
        lambda: read(tmp_path, communities=Source(path)),
        lambda: read_roads(path),
        lambda: read_network(path),
        lambda: read_osm_buildings(path),
        lambda: read_osm_services(path),
    ]
    for reader in readers:
        try:
            reader()
        except SitingError:
            continue
    assert connections == []


def test_what_the_session_had_set_holds_again_after_reading() -> None:
    before = pyproj.network.is_network_enabled()
    pyogrio.set_gdal_config_options({"GDAL_HTTP_PROXY": "my.proxy:8080"})
    pyproj.network.set_network_enabled(True)
    try:
        with offline():
            with offline():
                assert not pyproj.network.is_network_enabled()
            assert not pyproj.network.is_network_enabled(), "the outer reader is still at work"
            assert pyogrio.get_gdal_config_option("GDAL_HTTP_PROXY") != "my.proxy:8080"
        assert pyproj.network.is_network_enabled()
        assert pyogrio.get_gdal_config_option("GDAL_HTTP_PROXY") == "my.proxy:8080"
        with pytest.raises(SitingError):
            read_roads(Path(os.devnull).with_name("nowhere.gpkg"))
        assert pyproj.network.is_network_enabled()
    finally:
        pyogrio.set_gdal_config_options({"GDAL_HTTP_PROXY": None})
        pyproj.network.set_network_enabled(before)
