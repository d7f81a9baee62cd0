"""What the bytes of a GeoJSON say before GDAL reads it: brackets too deep, and every coordinate system it names."""

from __future__ import annotations

import json
import mmap
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from siting.inputs.faults import Faults

DEEPEST_JSON = 100
"""Brackets within brackets that a GeoJSON may have: a MultiPolygon in a collection needs 10."""
_CHUNK = 1 << 22
_LONGEST_CRS = 4096
"""Bytes that a ``crs`` member may have; those of any program take 100."""
_KEY = re.compile(
    rb"""["'](?:[cC]|\\u00[46]3)(?:[rR]|\\u00[57]2)(?:[sS]|\\u00[57]3)["']"""
    rb"""(?:\s|/\*.*?\*/|//[^\n]*\n)*:(?:\s|/\*.*?\*/|//[^\n]*\n)*""",
    re.DOTALL,
)
"""The key ``crs`` as GDAL knows it: in letters of either case, escaped or not."""
_NAMES = {"name": ("name", ""), "epsg": ("code", "EPSG:"), "ogc": ("urn", "")}
"""Under which property each kind of ``crs`` names its system, and what stands before the name."""
_ADDRESSES = frozenset({"link", "url"})
"""The kinds of ``crs`` that GDAL fetches."""


@dataclass(frozen=True, slots=True)
class NamedCrs:
    """The coordinate system that a GeoJSON names: ``name``, empty where it names none; whether only shapes name it."""

    stated: bool = False
    name: str = ""
    inner: bool = False


def check_geojson(path: Path, faults: Faults) -> NamedCrs:
    """Return the coordinate system that a GeoJSON names; one that GDAL would fetch from the network is refused.

    Parameters
    ----------
    path
        The file.
    faults
        Where the fault is put.

    Raises
    ------
    TableError
        If it is no JSON, nested too deep, names an address as its coordinate system, or different ones in its shapes.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        if start not in (b"{", b"["):
            raise faults.stop(
                "内容不是 GeoJSON", "does not hold GeoJSON", "请重新导出为 GeoJSON", "export it again as GeoJSON"
            )
        keys = np.array([found.span() for found in _KEY.finditer(data)], np.int64).reshape(-1, 2)
        deepest, depths = _depths(data, keys[:, 0])
        if deepest > DEEPEST_JSON:
            raise faults.stop(
                "括号嵌套过深，不是正常的 GeoJSON",
                "brackets nested too deep for a GeoJSON",
                "请重新导出",
                "export it again",
            )
        values = [(depth, data[end : end + _LONGEST_CRS]) for depth, end in zip(depths, keys[:, 1], strict=True)]
    return _named([(int(depth), _value(raw, faults)) for depth, raw in values], faults)


def _depths(data: mmap.mmap, places: npt.NDArray[np.int64]) -> tuple[int, npt.NDArray[np.int64]]:
    """Return how deep brackets nest, and how deep some places stand; what is quoted does not count."""
    deepest, depth, quoted, escaped = 0, 0, 0, False
    depths = np.zeros(len(places), np.int64)
    for start in range(0, len(data), _CHUNK):
        plain, escaped = _without_escapes(data[start : start + _CHUNK], escaped)
        codes = np.frombuffer(plain, np.uint8)
        inside = (np.cumsum(codes == ord('"'), dtype=np.int32) + quoted) & 1
        steps = ((codes == ord("[")) | (codes == ord("{"))).astype(np.int8)
        steps -= (codes == ord("]")) | (codes == ord("}"))
        steps[inside == 1] = 0
        level = np.cumsum(steps, dtype=np.int32) + depth
        here = (places >= start) & (places < start + len(codes))
        depths[here] = level[places[here] - start]
        deepest, depth, quoted = max(deepest, int(level.max())), int(level[-1]), int(inside[-1])
    return deepest, depths


def _without_escapes(chunk: bytes, escaped: bool) -> tuple[bytes, bool]:
    """Return a piece of JSON with blanks for what a backslash escapes, and whether its last byte escapes the next."""
    if escaped:
        chunk = b" " + chunk[1:]
    if b"\\" not in chunk:
        return chunk, False
    chunk = re.sub(rb"\\.", b"  ", chunk, flags=re.DOTALL)
    return chunk, chunk.endswith(b"\\")


def _value(raw: bytes, faults: Faults) -> Any:
    """Return the value at the start of a piece of JSON; ``None`` where it is no object that names a system."""
    text = raw.decode("utf-8", errors="replace")
    try:
        return json.JSONDecoder().raw_decode(text)[0]
    except ValueError:
        if text.startswith("{"):
            raise _address(text[:60], faults) from None
        return text.split(",", 1)[0][:60]


def _address(said: str, faults: Faults) -> Exception:
    return faults.stop(
        "crs 是一个网址或看不懂的写法；读取文件时不访问网络",
        "its crs is an address, or cannot be understood; nothing is fetched while files are read",
        "请在文本编辑器中删去 crs 成员，并在研究文件中写明 crs（如 EPSG:4490）",
        "delete the member crs in a text editor and name crs in the study file (EPSG:4490, for example)",
        column="crs",
        value=said,
    )


def _named(values: list[tuple[int, Any]], faults: Faults) -> NamedCrs:
    """Return the one system that is named, at the top before that of the shapes."""
    top = [_name(value, faults) for depth, value in values if depth == 1]
    shapes = [_name(value, faults) for depth, value in values if depth > 1 and _kind(value) in {*_NAMES, *_ADDRESSES}]
    names = list(dict.fromkeys(top or shapes))
    if len(names) > 1:
        raise faults.stop(
            "写明了几个不同的坐标系",
            "names different coordinate systems",
            "请换算到同一坐标系后另存",
            "convert the shapes to one and save it again",
            column="crs",
            value=", ".join(names),
        )
    return NamedCrs(True, names[0], inner=not top) if names else NamedCrs()


def _kind(value: Any) -> str:
    return str(value.get("type", "")).casefold() if isinstance(value, dict) else ""


def _name(value: Any, faults: Faults) -> str:
    """Return the name of a system in the words of a ``crs`` member; an address is refused."""
    if not isinstance(value, dict):
        return "" if value is None else str(value)
    if _kind(value) in _ADDRESSES:
        raise _address(json.dumps(value, ensure_ascii=False), faults)
    key, prefix = _NAMES.get(_kind(value), ("", ""))
    about = value.get("properties")
    named = about.get(key) if isinstance(about, dict) else None
    return json.dumps(value, ensure_ascii=False) if named is None else f"{prefix}{named}"
