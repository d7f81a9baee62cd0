import io
import os
import pickle
import re
import time
import zipfile

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import LineString

from siting.errors import MissingFileError, NetworkError, OutputError
from siting.network import build_network, read_network, write_network

ARRAYS = ("xy", "u", "v", "length_mm", "oneway", "geometry_offsets", "geometry_xy", "speed_kmh")


@pytest.fixture
def net():
    lines = [LineString([(110, 35), (110.01, 35.002), (110.02, 35)]), LineString([(110.02, 35), (110.03, 35)])]
    table = gpd.GeoDataFrame({"oneway": ["yes", ""], "highway": ["primary", "service"]}, geometry=lines, crs=4326)
    return build_network(table, mode="drive")


def test_what_is_kept_comes_back_the_same(net, tmp_path):
    write_network(net, tmp_path / "道路 #1.net")
    back = read_network(tmp_path / "道路 #1.net", "drive")
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(back, name), getattr(net, name))
        assert getattr(back, name).dtype == getattr(net, name).dtype
    assert (back.mode, back.crs, back.walking_speed_kmh) == (net.mode, net.crs, net.walking_speed_kmh)
    assert back.report == net.report


def test_a_network_without_report_or_times_is_kept_too(tmp_path):
    from siting.network import RoadNetwork

    net = RoadNetwork.from_edges([[0, 0], [10, 0]], [0], [1], [10.0], crs="EPSG:32648")
    write_network(net, tmp_path / "plain.net")
    back = read_network(tmp_path / "plain.net")
    assert (back.report, back.speed_kmh, back.length_mm.tolist()) == (None, None, [10_000])


def test_the_same_network_gives_the_same_bytes(net, tmp_path):
    write_network(net, tmp_path / "a.net")
    write_network(net, tmp_path / "b.net")
    assert (tmp_path / "a.net").read_bytes() == (tmp_path / "b.net").read_bytes()


def test_a_kept_network_takes_another_speed_but_not_another_mode(net, tmp_path):
    write_network(net, tmp_path / "a.net")
    assert set(read_network(tmp_path / "a.net", "drive", speed_kmh=12.5).speed_kmh) == {12.5}
    with pytest.raises(NetworkError, match='prepared for the mode "drive"; prepare it again for "walk"'):
        read_network(tmp_path / "a.net")
    with pytest.raises(NetworkError, match="0 km/h is not a speed"):
        read_network(tmp_path / "a.net", "drive", speed_kmh=0)


def test_a_damaged_file_is_told_wherever_the_damage_is(net, tmp_path):
    write_network(net, tmp_path / "a.net")
    whole = (tmp_path / "a.net").read_bytes()
    for cut in (100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "b.net").write_bytes(whole[:cut])
        with pytest.raises(NetworkError, match="is damaged or was written by another version"):
            read_network(tmp_path / "b.net", "drive")
    for array in re.finditer(b"NUMPY", whole):
        broken = bytearray(whole)
        broken[array.start() + 128] ^= 0xFF  # the first bytes after the array's own header
        (tmp_path / "b.net").write_bytes(broken)
        with pytest.raises(NetworkError, match="damaged"):
            read_network(tmp_path / "b.net", "drive")


def repacked(net, path, compression=zipfile.ZIP_STORED, **members):
    """Write a kept network with some members replaced."""
    write_network(net, path)
    with zipfile.ZipFile(path) as box:
        content = {name: box.read(name) for name in box.namelist()} | members
    with zipfile.ZipFile(path, "w", compression) as box:
        for name, data in content.items():
            box.writestr(name, data)


def test_a_pickle_within_is_never_opened(net, tmp_path):
    opened = tmp_path / "opened"

    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(opened),)

    trap = np.empty(1, object)
    trap[0] = Trap()
    box = io.BytesIO()
    np.save(box, trap, allow_pickle=True)
    repacked(net, tmp_path / "a.net", **{"u.npy": box.getvalue()})
    with pytest.raises(NetworkError, match="damaged"):
        read_network(tmp_path / "a.net", "drive")
    (tmp_path / "b.net").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ValueError, match="pickles are not read"):
        read_network(tmp_path / "b.net", "drive")
    assert not opened.exists()


def test_a_compressed_member_is_refused_because_it_could_be_a_bomb(net, tmp_path):
    repacked(net, tmp_path / "a.net", zipfile.ZIP_DEFLATED)
    with pytest.raises(NetworkError, match="a member is compressed"):
        read_network(tmp_path / "a.net", "drive")


def test_an_edge_to_a_node_that_is_not_there_is_refused(net, tmp_path):
    box = io.BytesIO()
    np.save(box, np.array([0, 99], np.int32))
    repacked(net, tmp_path / "a.net", **{"u.npy": box.getvalue()})
    with pytest.raises(NetworkError, match="damaged"):
        read_network(tmp_path / "a.net", "drive")


def test_another_version_is_told(net, tmp_path):
    repacked(net, tmp_path / "a.net", **{"network.json": b'{"version": 99}'})
    with pytest.raises(NetworkError, match="version 99"):
        read_network(tmp_path / "a.net", "drive")


def test_a_failed_write_leaves_what_stood_there(net, tmp_path, monkeypatch):
    target = tmp_path / "a.net"
    target.write_text("before", encoding="utf-8")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(PermissionError(13, "locked")))
    with pytest.raises(OutputError, match="cannot be written: no permission, or it is open"):
        write_network(net, target)
    assert target.read_text(encoding="utf-8") == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["a.net"]


def test_a_folder_that_is_not_there_is_told(net, tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        write_network(net, tmp_path / "nowhere" / "a.net")
    with pytest.raises(MissingFileError, match="There is no road file"):
        read_network(tmp_path / "nowhere.net")


def test_road_files_are_read_and_built_in_one_call(tmp_path):
    lines = [LineString([(110, 35), (110.02, 35)])]
    gpd.GeoDataFrame({"highway": ["service"]}, geometry=lines, crs=4326).to_file(tmp_path / "roads.gpkg")
    net = read_network(tmp_path / "roads.gpkg", speed_kmh=3.6)
    assert (net.n_edges, net.mode, set(net.speed_kmh)) == (1, "walk", {3.6})


def test_a_city_loads_in_well_under_a_second(wuhan, tmp_path):
    net, _ = wuhan
    write_network(net, tmp_path / "wuhan.net")
    start = time.perf_counter()
    back = read_network(tmp_path / "wuhan.net")
    assert time.perf_counter() - start < 1
    assert back.n_edges == net.n_edges > 80_000
