"""A file -> a raw table: its rows as they stand, each with its number; which reader it needs, and what is refused."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from siting.errors import TableError
from siting.inputs.faults import Faults
from siting.inputs.limits import LARGEST_ARCHIVE, LARGEST_FILE, LARGEST_RATIO, LARGEST_TEXT, check_plain

_SPREADSHEETS = frozenset({".xlsx", ".xlsm"})
_TEXTS = frozenset({".csv", ".txt", ".tsv"})
_LAYERS = frozenset({".gpkg", ".geojson", ".json", ".shp", ".zip", ".parquet", ".geoparquet"})
KNOWN_SUFFIXES = sorted(_SPREADSHEETS | _TEXTS | _LAYERS)
_NOT_A_FILE = re.compile(r"^([a-z][a-z0-9+.-]+:|/vsi|\\\\\?\\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a role, and what the file does not say of itself.

    ``datum`` is that of its longitudes and latitudes: ``wgs84``, ``gcj02``, ``bd09`` or ``cgcs2000``. ``crs`` names a
    coordinate system instead, for projected coordinates (``EPSG:4547``). ``layer`` or ``sheet`` chooses one of several.
    ``columns`` maps a column of the table to its header in the file; ``swap_lon_lat`` exchanges the two.
    """

    path: Path
    datum: str | None = None
    crs: str | None = None
    layer: str | None = None
    sheet: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    swap_lon_lat: bool = False


@dataclass(slots=True)
class RawTable:
    """Rows of a file as they stand: headers, the cells under each, row numbers, and geometry where there is one."""

    headers: list[str]
    cells: list[Any]
    rows: list[int]
    rows_read: int
    header_row: int | None = None
    encoding: str = ""
    part: str = ""
    """The sheet or layer that was read."""
    cut_names: bool = False
    """Whether headers may have been cut to the 10 bytes that a shapefile keeps of a name."""
    geometry: np.ndarray | None = None
    crs: Any = None
    unknown_crs: str = ""
    """What the file says of its coordinate system where that is no known one."""


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_file(source: Source, role: str, faults: Faults) -> RawTable:
    """Return the rows of a file, whatever its kind.

    Parameters
    ----------
    source
        The file and what it does not say of itself.
    role
        The table it stands for; tells a header row from a title.
    faults
        Where notes and warnings are gathered.

    Returns
    -------
    RawTable
        Cells as they stand.

    Raises
    ------
    TableError
        If the file cannot be read; carries every issue found so far.
    """
    path = check_path(source.path, faults)
    suffix = path.suffix.casefold()
    with path.open("rb") as stream:
        head = stream.read(4096)
    if not head.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise faults.stop(
            "文件是空的" if not head else "文件内容全为空字节，可能已损坏",
            "the file is empty" if not head else "the file holds only empty bytes; it is damaged",
            "请重新导出此文件",
            "export it again",
        )
    _refuse_web_page(head, suffix, faults)
    if suffix in _SPREADSHEETS or suffix == ".xls":
        from siting.inputs.excel import read_excel

        return read_excel(path, head, source, role, faults)
    if suffix in _TEXTS:
        from siting.inputs.delimited import read_delimited

        return read_delimited(path, role, faults)
    from siting.inputs.vector import read_vector

    return read_vector(path, head, source, faults)


def check_path(path: Path, faults: Faults) -> Path:
    """Return the path of a plain file on this machine; web addresses and virtual paths of GDAL are refused.

    Parameters
    ----------
    path
        What the study names.
    faults
        Where the fault is put.

    Returns
    -------
    Path
        The same path, absolute.

    Raises
    ------
    TableError
        If it is an address, a virtual path, a folder, of a kind that is not read, or not there.
    """
    text = path.as_posix()
    if len(path.drive) != 2 and _NOT_A_FILE.match(text):
        raise faults.stop(
            "是网址或虚拟路径，不予读取",
            "is a web address or a virtual path, which is not read",
            "请把文件下载到本机后使用",
            "download it and name the file on this machine",
            value=text,
        )
    if not path.exists():
        near = [other.name for other in path.parent.iterdir() if other.is_file()] if path.parent.is_dir() else []
        listed = ", ".join(sorted(near)[:12])
        raise faults.stop(
            "找不到文件" + (f"；该文件夹中有：{listed}" if near else "；文件夹也不存在"),
            "the file is not there" + (f"; its folder holds: {listed}" if near else "; nor is its folder"),
            "请核对路径与文件名",
            "check the path and the name",
            value=text,
        )
    if path.is_dir():
        raise faults.stop(
            "是文件夹，不是文件", "is a folder, not a file", "请指明其中的文件", "name the file in it", value=text
        )
    if path.suffix.casefold() not in {*KNOWN_SUFFIXES, ".xls"}:
        raise faults.stop(
            f"不认识的文件类型“{path.suffix}”",
            f'is of a kind that is not read ("{path.suffix}")',
            f"请另存为：{'、'.join(KNOWN_SUFFIXES)}",
            f"save it as one of: {', '.join(KNOWN_SUFFIXES)}",
        )
    check_plain(path, faults, LARGEST_TEXT if path.suffix.casefold() in _TEXTS else LARGEST_FILE)
    return path.absolute()


def _refuse_web_page(head: bytes, suffix: str, faults: Faults) -> None:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:512].lower()
    if not start.startswith(b"<"):
        return
    if start.startswith((b"<!doctype html", b"<html")) or b"<html" in start or b"<table" in start:
        if suffix == ".xls":
            raise faults.stop(
                "扩展名是 .xls，内容却是网页表格",
                "is named .xls but holds a web page",
                "请用 Excel 打开后另存为 .xlsx",
                "open it in Excel and save it as .xlsx",
            )
        raise faults.stop(
            "内容是网页，不是数据",
            "this is a web page, not data",
            "下载可能失败了，请重新下载",
            "the download probably failed; download it again",
        )
    if suffix in _LAYERS or b"<ogrvrt" in start:
        raise faults.stop(
            "内容是 XML（例如 VRT），与扩展名不符，不予读取",
            "holds XML (a VRT, for example), not what its name says; it is not read",
            "请提供数据文件本身",
            "give the data file itself",
        )


def limit_archive(path: Path, faults: Faults) -> None:
    """Refuse an archive that would unpack to an unreasonable size.

    Parameters
    ----------
    path
        A .zip or .xlsx file.
    faults
        Where the fault is put.

    Raises
    ------
    TableError
        If it is no archive, is damaged, or unpacks to more than LARGEST_ARCHIVE or by more than LARGEST_RATIO.
    """
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        raise faults.stop(
            "文件已损坏，无法打开",
            "the file is damaged and cannot be opened",
            "请重新导出或下载",
            "export or download it again",
        ) from None
    packed = max(path.stat().st_size, 1)
    if unpacked > LARGEST_ARCHIVE or (unpacked > 50_000_000 and unpacked / packed > LARGEST_RATIO):
        raise faults.stop(
            f"解压后达 {unpacked / 1e6:,.0f} MB（压缩包 {packed / 1e6:,.1f} MB），不予读取",
            f"unpacks to {unpacked / 1e6:,.0f} MB from {packed / 1e6:,.1f} MB and is not read",
            "请只保留需要的表格后另存",
            "keep only the table that is needed and save it again",
        )


__all__ = ["RawTable", "Source", "TableError", "check_path", "file_sha256", "limit_archive", "read_file"]
