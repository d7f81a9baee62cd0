import io
import json
import os
import pickle
import re
import time
import zipfile

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import LineString

from siting.errors import InputError, MissingFileError, NetworkError, OutputError
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


def changed(value):
    """An array of a kept network as NumPy writes it."""
    box = io.BytesIO()
    np.save(box, value, allow_pickle=False)
    return box.getvalue()


HUGE = (
    b"\x93NUMPY\x01\x00v\x00"
    + b"{'descr': '<i4', 'fortran_order': False, 'shape': (1000000000000,), }".ljust(117)
    + b"\n"
)


@pytest.mark.parametrize(
    ("member", "content"),
    [
        ("geometry_offsets", changed(np.array([0, 2**63 - 1, -2], np.int64))),
        ("geometry_offsets", changed(np.array([0, 3, 4], np.int64))),
        ("geometry_xy", changed(np.full((5, 2), np.nan))),
        ("geometry_xy", changed(np.zeros((5, 3)))),
        ("geometry_xy", changed(np.zeros(5))),
        ("xy", changed(np.zeros((3, 3)))),
        ("xy", changed(np.zeros(()))),
        ("u", changed(np.array([0, -1], np.int32))),
        ("v", changed(np.array([[0, 1]], np.int32))),
        ("u", changed(np.array([0, 1], np.int64))),
        ("length_mm", changed(np.array([-1, 5], np.int64))),
        ("speed_kmh", changed(np.array([np.nan, 5.0]))),
        ("oneway", changed(np.zeros(1, np.bool_))),
        ("u", HUGE),
        ("u", HUGE.replace(b"1000000000000", b"'a' * 9999999")),
        ("u", HUGE.replace(b"(1000000000000,)", b"(" * 50 + b")")),
        ("u", b""),
        ("u", changed(np.array([0, 1], np.int32)).replace(b"\x01\x00v", b"\x09\x00v")),
    ],
)
def test_an_array_that_is_no_network_is_damage(net, tmp_path, member, content):
    repacked(net, tmp_path / "a.net", **{f"{member}.npy": content})
    with pytest.raises(NetworkError, match="is damaged or was written by another version"):
        read_network(tmp_path / "a.net", "drive")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("crs", None),
        ("crs", "EPSG:99999"),
        ("crs", {"a": 1}),
        ("walking_speed_kmh", "fast"),
        ("walking_speed_kmh", float("nan")),
        ("report", 5),
        ("report", {}),
        ("report", {"counts": [], "length_km": 1, "small_pieces_km": 1, "issues": []}),
        ("report", {"counts": {"rows": "x"}, "length_km": 1, "small_pieces_km": 1, "issues": []}),
        ("report", {"counts": {}, "length_km": [], "small_pieces_km": 1, "issues": []}),
        ("report", {"counts": {}, "length_km": 1, "small_pieces_km": 1, "issues": [{"severity": "loud"}]}),
        ("report", {"counts": {}, "length_km": 1, "small_pieces_km": 1, "issues": 5}),
    ],
)
def test_a_header_that_makes_no_sense_is_damage(net, tmp_path, name, value):
    write_network(net, tmp_path / "a.net")
    with zipfile.ZipFile(tmp_path / "a.net") as box:
        header = json.loads(box.read("network.json"))
    repacked(net, tmp_path / "a.net", **{"network.json": json.dumps({**header, name: value}).encode()})
    with pytest.raises(NetworkError, match="is damaged or was written by another version"):
        read_network(tmp_path / "a.net", "drive")


def test_an_issue_of_an_unknown_severity_is_damage(net, tmp_path):
    issue = {"problem": {"zh": "", "en": ""}, "cure": {"zh": "", "en": ""}, "row": None, "severity": "loud"}
    issue |= dict.fromkeys(("file", "sheet", "column", "value"), "")
    report = {"counts": {}, "length_km": 1, "small_pieces_km": 1, "issues": [issue]}
    write_network(net, tmp_path / "a.net")
    with zipfile.ZipFile(tmp_path / "a.net") as box:
        header = json.loads(box.read("network.json"))
    for severity, is_whole in (("note", True), ("loud", False)):
        issue["severity"] = severity
        repacked(net, tmp_path / "a.net", **{"network.json": json.dumps({**header, "report": report}).encode()})
        if is_whole:
            assert read_network(tmp_path / "a.net", "drive").report.issues[0].severity == "note"
            continue
        with pytest.raises(NetworkError, match="damaged"):
            read_network(tmp_path / "a.net", "drive")


def test_wherever_a_byte_is_changed_the_file_is_whole_or_damaged(net, tmp_path):
    """Never a fault of permissions, of roads or of the program: the cure is to prepare the network again."""
    write_network(net, tmp_path / "a.net")
    whole = (tmp_path / "a.net").read_bytes()
    told = 0
    for place in [*range(60), *range(60, len(whole), 37), *range(len(whole) - 120, len(whole))]:
        for change in (0x01, 0x80, 0xFF):
            broken = bytearray(whole)
            broken[place] ^= change
            (tmp_path / "b.net").write_bytes(broken)
            said = what_is_said(tmp_path / "b.net", net)
            assert said == "" or "is damaged or was written by another version" in said
            told += said != ""
    assert told > 100


def what_is_said(path, net):
    """Return the error of reading a file, empty where it is the network all the same."""
    try:
        back = read_network(path, "drive")
    except NetworkError as error:
        return str(error)
    np.testing.assert_array_equal(back.length_mm, net.length_mm)
    return ""


def test_members_that_overlap_are_refused(net, tmp_path):
    write_network(net, tmp_path / "a.net")
    whole = (tmp_path / "a.net").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.net") as box:
        size = box.getinfo("xy.npy").file_size
    entry = whole.rindex(b"PK\x01\x02", 0, whole.rindex(b"xy.npy", 0, whole.rindex(b"geometry_xy.npy")))
    broken = bytearray(whole)
    assert int.from_bytes(broken[entry + 24 : entry + 28], "little") == size
    broken[entry + 24 : entry + 28] = (2**31).to_bytes(4, "little")
    (tmp_path / "a.net").write_bytes(broken)
    with pytest.raises(NetworkError, match="its members overlap"):
        read_network(tmp_path / "a.net", "drive")


def test_an_empty_file_a_web_page_and_a_pickle_are_told_as_such(tmp_path):
    for content, words in (
        (b"", "empty"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\x80\x04.", "pickles are not read"),
    ):
        (tmp_path / "a.net").write_bytes(content)
        with pytest.raises(InputError, match=words):
            read_network(tmp_path / "a.net")


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
