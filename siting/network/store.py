"""A network kept on disk, so that a city loads in well under a second: plain arrays in a zip, never a pickle."""

from __future__ import annotations

import io
import json
import os
import secrets
import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import pyproj

from siting.errors import Issue, MissingFileError, NetworkError, OutputError, Severity, reason_of
from siting.inputs.files import Source
from siting.inputs.roads import read_roads
from siting.network.build import BuildReport, build_network, check_speed
from siting.network.graph import RoadNetwork
from siting.network.modes import Mode, mode_named
from siting.text import Progress, Text, silent

VERSION = 1
HEADER = "network.json"
ENDING = ".net"
"""The name of a kept network usually ends so; a damaged one is known by it."""
ARRAYS = {
    "xy": np.float64, "u": np.int32, "v": np.int32, "length_mm": np.int64, "oneway": np.bool_,
    "geometry_offsets": np.int64, "geometry_xy": np.float64,
}  # fmt: skip
"""The arrays of a network on disk; ``speed_kmh`` joins them where the network knows times."""


def read_network(
    source: str | Path | Source,
    mode: str | Mode = "walk",
    *,
    speed_kmh: float | None = None,
    min_piece_km: float = 2.0,
    progress: Progress = silent,
) -> RoadNetwork:
    """Return the network of a road file, or the network that :func:`write_network` kept.

    Parameters
    ----------
    source
        A road file of any kind that :func:`siting.inputs.read_roads` reads, or a kept network.
    mode
        ``"walk"``, ``"bike"``, ``"drive"`` or a :class:`Mode`; a kept network must have been made for it.
    speed_kmh
        One speed on every road, km/h; ``None``: that of the mode, or of the kept network.
    min_piece_km
        Connected pieces of road shorter than this are reported, km, >= 0.
    progress
        Told how far the work is.

    Raises
    ------
    MissingFileError
        If there is no such file.
    NetworkError
        If a kept network is damaged or of another mode, or no road is left that the mode may use.
    TableError
        If a road file cannot be read.
    """
    path = source.path if isinstance(source, Source) else Path(source)
    if not path.exists():
        raise MissingFileError(Text(f"找不到路网文件 {path}。", f"There is no road file {path}."))
    if path.is_dir() or not _is_meant_kept(path):
        roads = read_roads(source, progress=progress)
        return build_network(roads, mode=mode, speed_kmh=speed_kmh, min_piece_km=min_piece_km, progress=progress)
    net = _read_kept(path)
    travel = mode if isinstance(mode, Mode) else mode_named(mode)
    if net.mode != travel.id:
        raise NetworkError(
            Text(
                f"{path.name} 是为出行方式“{net.mode}”准备的路网，改用“{travel.id}”须重新准备。",
                f'{path.name} was prepared for the mode "{net.mode}"; prepare it again for "{travel.id}".',
            )
        )
    if speed_kmh is None:
        return net
    speeds = np.full(net.n_edges, check_speed(speed_kmh))
    return replace(net, speed_kmh=speeds, walking_speed_kmh=net.walking_speed_kmh if travel.directed else None)


def write_network(net: RoadNetwork, path: str | Path) -> None:
    """Keep a network on disk, whole or not at all; the same network gives the same bytes.

    Parameters
    ----------
    net
        The network.
    path
        The file to write; an existing one is replaced only when the new one is complete.

    Raises
    ------
    OutputError
        If the file cannot be written; what stood there is intact.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            _write(net, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        why = reason_of(error)
        raise OutputError(
            Text(
                f"写不了路网文件 {target}：{why.zh}。",
                f"The network file {target} cannot be written: {why.en}.",
            )
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _write(net: RoadNetwork, file: IO[bytes]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as box:
        box.writestr(zipfile.ZipInfo(HEADER), json.dumps(_header(net), ensure_ascii=False, indent=1))
        names = [*ARRAYS, *(["speed_kmh"] if net.speed_kmh is not None else [])]
        for name in names:
            with box.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.ascontiguousarray(getattr(net, name)), allow_pickle=False)


def _header(net: RoadNetwork) -> dict[str, Any]:
    report = net.report
    return {
        "format": "siting network",
        "version": VERSION,
        "mode": net.mode,
        "crs": net.crs.to_wkt(),
        "walking_speed_kmh": net.walking_speed_kmh,
        "report": None
        if report is None
        else {
            "counts": dict(report.counts),
            "length_km": report.length_km,
            "small_pieces_km": report.small_pieces_km,
            "issues": [asdict(issue) for issue in report.issues],
        },
    }


def is_kept(path: Path) -> bool:
    """Return whether a file is a network that :func:`write_network` kept, damaged or not.

    Parameters
    ----------
    path
        Any file.
    """
    return _begins_kept(_head(path))


def _is_meant_kept(path: Path) -> bool:
    """Return whether a file is to be read as a kept network: it begins as one, or its name says so."""
    head = _head(path)
    if path.suffix.lower() == ENDING and not head.lstrip().startswith((b"<", b"\x80")):
        return len(head) > 0  # an empty file, a web page or a pickle is told as such
    return _begins_kept(head)


def _begins_kept(head: bytes) -> bool:
    return head.startswith(b"PK\x03\x04") and head.endswith(HEADER.encode())


def _head(path: Path) -> bytes:
    """Return the beginning of a file, nothing where it is no ordinary one or cannot be read."""
    if not path.is_file():
        return b""
    try:
        with path.open("rb") as file:
            return file.read(30 + len(HEADER))
    except OSError:
        return b""  # whoever reads it as roads says why it cannot be read


def _read_kept(path: Path) -> RoadNetwork:
    try:
        data = path.read_bytes()
    except OSError as error:
        why = reason_of(error)
        raise NetworkError(
            Text(f"读不了路网文件 {path.name}：{why.zh}。", f"{path.name} cannot be read: {why.en}.")
        ) from error
    try:
        return _unpack(data)
    except Exception as error:
        # the bytes are in memory: what zipfile, numpy, json and pyproj raise of them, whatever it is, is damage
        said = str(error) or type(error).__name__
        raise NetworkError(
            Text(
                f"{path.name} 已损坏，或由别的版本写成（{said}）；请重新准备路网（siting network）。",
                f"{path.name} is damaged or was written by another version ({said}): "
                "prepare the network again (siting network).",
            )
        ) from error


def _unpack(data: bytes) -> RoadNetwork:
    with zipfile.ZipFile(io.BytesIO(data)) as box:
        if any(member.compress_type != zipfile.ZIP_STORED for member in box.infolist()):
            raise ValueError("a member is compressed")
        if sum(member.file_size for member in box.infolist()) > len(data):
            raise ValueError("its members overlap")
        header = json.loads(box.read(HEADER))
        if header["version"] != VERSION:
            raise ValueError(f"version {header['version']}")
        names = [*ARRAYS, *(["speed_kmh"] if "speed_kmh.npy" in box.namelist() else [])]
        arrays = {name: _array(box, name) for name in names}
    speed = header["walking_speed_kmh"]
    return RoadNetwork(
        **arrays,
        crs=pyproj.CRS.from_wkt(header["crs"]),
        walking_speed_kmh=None if speed is None else float(speed),
        mode=str(header["mode"]),
        report=_report(header["report"]),
    )


def _array(box: zipfile.ZipFile, name: str) -> npt.NDArray[Any]:
    """Return an array of a kept network; its shape must be that of the bytes that are there."""
    data = io.BytesIO(box.read(f"{name}.npy"))
    if np.lib.format.read_magic(data) != (1, 0):
        raise ValueError(f"{name}: another kind of array")
    shape, by_columns, dtype = np.lib.format.read_array_header_1_0(data)
    if dtype != ARRAYS.get(name, np.float64) or by_columns:
        raise ValueError(f"{name}: {dtype}")
    values = np.frombuffer(data.getbuffer()[data.tell() :], dtype)
    return values.reshape(shape)


def _report(header: dict[str, Any] | None) -> BuildReport | None:
    if header is None:
        return None
    counts = {str(name): int(count) for name, count in header["counts"].items()}
    issues = tuple(_issue(issue) for issue in header["issues"])
    return BuildReport(MappingProxyType(counts), float(header["length_km"]), float(header["small_pieces_km"]), issues)


def _issue(kept: dict[str, Any]) -> Issue:
    severities: tuple[Severity, ...] = ("error", "warning", "note")
    problem, cure = (Text(str(kept[name]["zh"]), str(kept[name]["en"])) for name in ("problem", "cure"))
    file, sheet, column, value = (str(kept[name]) for name in ("file", "sheet", "column", "value"))
    row = None if kept["row"] is None else int(kept["row"])
    return Issue(severities[severities.index(kept["severity"])], problem, cure, file, sheet, row, column, value)
