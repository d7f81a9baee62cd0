"""Ways to mutate a file: blindly, by its words and numbers, by its members, its coordinates, its tables."""

from __future__ import annotations

import functools
import io
import random
import re
import sqlite3
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

HOSTILE = (
    *("", "NaN", "inf", "-1", "0", "1e400", "1e308", "-0.0", "9" * 5000, "x" * 40_000, "=1+1", "１２", "约900户"),
    *("null", "true", "[[[[", "{}", '"', "'", "\x00", "\x0b", "\ud7ff", "𠮷", "../../x", "http://127.0.0.1:9/x"),
    *("2024-13-45", "-", "1,200", "0x10", "1e", "[1, 2", "</", "&lol;", "EPSG:99999", "POINT EMPTY", "%s%n"),
    *("${x}", "\ufeff"),
)
_WORD = re.compile(rb'"[^"\n]{0,200}"|[\w.\-+]+', re.S)
_NUMBERS = (float("nan"), float("inf"), float("-inf"), 1e308, -1e308, 5e-324, 180.0, 90.0, 0.0, -0.0, 1e18, 999.0)


def flipped(data: bytes, rng: random.Random) -> bytes:
    """Flip bits here and there."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut(data: bytes, rng: random.Random) -> bytes:
    """End early."""
    return data[: rng.randrange(len(data) + 1)]


def spliced(data: bytes, rng: random.Random) -> bytes:
    """Take a block out, put one in twice, zero it, or fill it at random."""
    if not data:
        return data
    at, size = rng.randrange(len(data)), rng.choice((1, 4, 16, 256, 4096))
    block = data[at : at + size]
    new = rng.choice((b"", block * 2, bytes(len(block)), rng.randbytes(len(block)), block[::-1]))
    return data[:at] + new + data[at + size :]


def reworded(data: bytes, rng: random.Random) -> bytes:
    """Put something hostile in the place of words and numbers of a text."""
    for _ in range(rng.choice((1, 1, 2, 5))):
        found = list(_WORD.finditer(data[:2_000_000]))
        if not found:
            return data
        one = rng.choice(found)
        new = rng.choice(HOSTILE).encode("utf-8", "surrogatepass")
        if one[0].startswith(b'"') and rng.random() < 0.7:
            new = b'"' + new.replace(b'"', b"") + b'"'
        data = data[: one.start()] + new + data[one.end() :]
    return data


def relined(data: bytes, rng: random.Random) -> bytes:
    """Drop, double, swap or empty lines."""
    lines = data.split(b"\n")
    at, to = rng.randrange(len(lines)), rng.randrange(len(lines))
    way = rng.randrange(4)
    if way == 0:
        del lines[at]
    elif way == 1:
        lines.insert(to, lines[at])
    elif way == 2:
        lines[at], lines[to] = lines[to], lines[at]
    else:
        lines[at] = b""
    return b"\n".join(lines)


def moved(data: bytes, rng: random.Random) -> bytes:
    """Put an impossible or a strange number over eight bytes that look like a coordinate."""
    for _ in range(rng.choice((1, 2, 6))):
        spots = [
            at for at in range(min(len(data) - 8, 200_000)) if 20 < abs(struct.unpack_from("<d", data, at)[0]) < 180
        ]
        if not spots:
            return spliced(data, rng)
        at = rng.choice(spots)
        data = data[:at] + struct.pack("<d", rng.choice(_NUMBERS)) + data[at + 8 :]
    return data


def remembered(data: bytes, rng: random.Random) -> bytes:
    """Mutate, drop, double or rename a member of a zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as box:
            members = [(one.filename, box.read(one)) for one in box.infolist()]
            packed = box.infolist()[0].compress_type
    except zipfile.BadZipFile:
        return flipped(data, rng)
    at = rng.randrange(len(members))
    name, content = members[at]
    way = rng.randrange(6)
    if way == 0:
        del members[at]
    elif way == 1:
        members.append((name, content))
    elif way == 2:
        members[at] = (rng.choice(("../x", "a/b.xml", "长" * 80, "CON", name.upper())), content)
    else:
        members[at] = (name, rng.choice((flipped, cut, spliced, reworded, reworded, moved))(content, rng))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packed) as box:
        for name, content in members:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a name that is there twice is what is wanted
                box.writestr(name, content)
    return out.getvalue()


def requeried(data: bytes, rng: random.Random) -> bytes:
    """Change a database by its own means: garbage for geometries, other types, dropped and renamed parts, views."""
    with closing(sqlite3.connect(":memory:")) as base:
        try:
            base.deserialize(data)
            tables = [row[0] for row in base.execute("select name from sqlite_master where type = 'table'")]
            for (trigger,) in base.execute("select name from sqlite_master where type = 'trigger'").fetchall():
                base.execute(f'drop trigger "{trigger}"')
            table = rng.choice(tables)
            columns = [row[1] for row in base.execute(f'pragma table_info("{table}")')]
            column = rng.choice(columns or ["rowid"])
            value = rng.choice((None, 1, -1, 1e308, "x", "", rng.randbytes(40), 2**62, *HOSTILE[:12]))
            statement = rng.choice(
                (
                    f'update "{table}" set "{column}" = ?1',
                    f'update "{table}" set "{column}" = ?1 where rowid = 1',
                    f'delete from "{table}" where ?1 is ?1',
                    f'drop table "{table}"',
                    f'alter table "{table}" rename column "{column}" to "x y"',
                    f'alter table "{table}" rename to "{table}2"',
                    f'insert into "{table}" select * from "{table}"',
                )
            )
            base.execute(statement, (value,) if "?1" in statement else ())
            base.commit()
            return base.serialize()
        except (sqlite3.Error, ValueError):
            return spliced(data, rng)


def recast(data: bytes, rng: random.Random) -> bytes:
    """Change a Parquet file by its own means: odd metadata, garbage for geometries, other types of columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(data))
    name = rng.choice(table.column_names)
    at = table.column_names.index(name)
    odd = (
        pa.array([None] * len(table), pa.null()),
        pa.array([b"\x01\x02"] * len(table)),
        pa.array(["POINT (1 1)"] * len(table)),
        pa.array([[1, 2]] * len(table)),
        pa.array([{"a": 1}] * len(table)),
        pa.array([10**30] * len(table), pa.decimal128(38, 0)),
        pa.array([2**62] * len(table), pa.timestamp("us", "UTC")),
        pa.array(["x"] * len(table)).dictionary_encode(),
        pa.array([float("nan")] * len(table)),
    )
    way = rng.randrange(4)
    metadata = dict(table.schema.metadata or {})
    if way == 0:
        table = table.set_column(at, name, rng.choice(odd))
    elif way == 1:
        table = table.append_column(name, table.column(at))
    elif way == 2:
        table = table.drop_columns([name])
    else:
        key = rng.choice([*metadata, b"geo"])
        text = metadata.get(key, b"{}")
        metadata[key] = rng.choice((b"", b"[]", b"3", b"{}", b"\xff", reworded(text, rng), reworded(text, rng)))
    out = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), out)
    return out.getvalue()


def reshaped(data: bytes, rng: random.Random, *, ending: str) -> bytes:
    """Put odd shapes in the place of some or all of a layer's: empty, of other types, bow-ties, swapped, in heaps."""
    import geopandas as gpd
    import numpy as np
    import shapely

    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / f"a{ending}"
        path.write_bytes(data)
        layer = gpd.read_parquet(path) if ending == ".parquet" else gpd.read_file(path)
        with np.errstate(all="ignore"):
            odd = [None, *shapely.from_wkt(ODD_SHAPES), shapely.points(np.nan, 35.0)]
        some = [rng.choice(odd) if rng.random() < rng.choice((0.2, 1.0)) else one for one in layer.geometry]
        changed = layer.set_geometry(gpd.GeoSeries(some, index=layer.index, crs=layer.crs))
        path.unlink()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            changed.to_parquet(path) if ending == ".parquet" else changed.to_file(path)
        return path.read_bytes()


ODD_SHAPES = [
    *("POINT EMPTY", "MULTIPOLYGON EMPTY", "GEOMETRYCOLLECTION EMPTY", "LINESTRING (110 35, 110 35)"),
    *("POLYGON ((110 35, 110.1 35.1, 110 35, 110 35))", "POINT (35 110)", "POINT (1e300 35)", "POINT (0 0)"),
    *("POLYGON ((110 35, 110.1 35.1, 110.1 35, 110 35.1, 110 35))", "POINT Z (110 35 9)", "POINT (500000 3870000)"),
    *("MULTIPOINT (110 35, 111 36)", "LINESTRING (110 35, 110.01 35)", "POLYGON ((-180 -90, 180 -90, 0 90, -180 -90))"),
    "GEOMETRYCOLLECTION (POINT (110 35), GEOMETRYCOLLECTION (LINESTRING (110 35, 110.1 35), POLYGON EMPTY))",
    "POLYGON ((110 35, 110.2 35, 110.2 35.2, 110 35), (110.3 35.3, 110.4 35.3, 110.4 35.4, 110.3 35.3))",
]

Mutator = Callable[[bytes, random.Random], bytes]
_BLIND: tuple[Mutator, ...] = (flipped, cut, spliced)
_TEXT: tuple[Mutator, ...] = (*_BLIND, reworded, reworded, reworded, relined)
_DATABASE: tuple[Mutator, ...] = (
    *(*_BLIND, requeried, requeried, moved),
    *(functools.partial(reshaped, ending=".gpkg"),) * 2,
)
_BY_ENDING: dict[str, tuple[Mutator, ...]] = {
    **dict.fromkeys((".xlsx", ".zip", ".net"), (*_BLIND, remembered, remembered, remembered)),
    ".gpkg": _DATABASE,
    ".parquet": (*_BLIND, recast, recast, *(functools.partial(reshaped, ending=".parquet"),) * 2),
    ".geojson": (*_TEXT, *(functools.partial(reshaped, ending=".geojson"),) * 5),
    ".shp": (*_BLIND, moved, moved),
    **dict.fromkeys((".dbf", ".shx", ".pbf"), (*_BLIND, reworded)),
}


def mutated(path: Path, data: bytes, rng: random.Random) -> bytes:
    """Return the bytes of a file mutated in a way that fits its kind.

    Parameters
    ----------
    path
        For its ending.
    data
        Its bytes.
    rng
        Decides.
    """
    return rng.choice(_BY_ENDING.get(path.suffix, _TEXT))(data, rng)
