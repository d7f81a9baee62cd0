"""A GeoPackage before GDAL reads it: a database whose views and rows come to an end."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from siting.errors import TableError
from siting.inputs.faults import Faults
from siting.inputs.limits import LARGEST_CONTENT, LONGEST_S, MOST_ROWS, check_plain, too_large_content, too_many_rows

_STEPS = 100_000
"""Steps of SQLite between two looks at the clock: some milliseconds."""
_LARGEST_VALUE = 100_000_000
"""Bytes of one value: the outline of a province with every bend takes ten million."""
_OWN_MODULES = ("rtree", "fts")
"""What a virtual table may be made by: an index of places or of words."""


def check_geopackage(path: Path, layer: str | None, faults: Faults) -> None:
    """Refuse a database whose views never end or call what SQLite does not know, or whose layer has too many rows.

    GDAL cannot be stopped once it runs a view; SQLite can, so every view is run through here first.

    Parameters
    ----------
    path
        The file.
    layer
        The layer whose rows are counted; ``None``: the views alone are run through.
    faults
        Where the fault is put.

    Raises
    ------
    TableError
        If it is damaged, or would cost more than the limits of a file.
    """
    for suffix in ("-wal", "-shm", "-journal"):
        beside = path.with_name(path.name + suffix)
        if beside.exists():
            check_plain(beside, faults)
    with _opened(path, faults) as database:
        _check_tables(database, layer, faults)


def named_definition(path: Path, layer: str, faults: Faults) -> str:
    """Return the definition of a layer's coordinate system as it stands in the file, "" where it says there is none.

    Parameters
    ----------
    path
        The file.
    layer
        A layer with geometries.
    faults
        Where the fault is put.

    Raises
    ------
    TableError
        If the file is damaged.
    """
    with _opened(path, faults) as database:
        found = database.execute(
            "SELECT definition FROM gpkg_geometry_columns JOIN gpkg_spatial_ref_sys USING (srs_id) "
            "WHERE table_name = ? AND srs_id > 0",
            (layer,),
        ).fetchone()
    return "" if found is None else bytes(found[0] or b"").decode("utf-8", errors="replace")


@contextmanager
def _opened(path: Path, faults: Faults) -> Iterator[sqlite3.Connection]:
    """Open a database to read it only, for LONGEST_S; what SQLite says against it becomes an issue."""
    posix = path.absolute().as_posix()
    waiting = path.with_name(f"{path.name}-wal").exists()
    # without changes that wait beside it, SQLite need not leave files of its own next to the planner's
    address = f"file://{'' if posix.startswith('/') else '/'}{quote(posix)}?mode=ro{'' if waiting else '&immutable=1'}"
    ends = time.monotonic() + LONGEST_S
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            database.text_factory = bytes
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_VALUE)
            database.set_progress_handler(lambda: time.monotonic() >= ends, _STEPS)
            yield database
    except TableError:
        raise
    except (sqlite3.Error, ValueError, OverflowError, MemoryError) as fault:
        if time.monotonic() >= ends:
            raise _endless(faults) from None
        raise faults.stop(
            "文件已损坏，或其视图不能独立运行",
            "the file is damaged, or one of its views does not run on its own",
            "请把图层导出到新的 GeoPackage",
            "export the layer to a new GeoPackage",
            value=fault,
        ) from None


def _check_tables(database: sqlite3.Connection, layer: str | None, faults: Faults) -> None:
    known = database.execute("SELECT name, type, sql FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
    for name, kind, sql in known:
        if kind == b"view":
            _run_through(database, name.decode(), faults)
        elif sql.upper().startswith(b"CREATE VIRTUAL"):
            _check_module(name.decode(), sql.decode(errors="replace"), faults)
        elif layer is not None and name.decode().casefold() == layer.casefold():
            if _is_computed(database, layer):
                _run_through(database, layer, faults)
            else:
                _count(database, layer, faults)


def _check_module(name: str, sql: str, faults: Faults) -> None:
    module = sql.upper().partition(" USING ")[2].strip().strip("\"'`[").casefold()
    if not module.startswith(_OWN_MODULES):
        raise faults.stop(
            f"表“{name}”是虚拟表，不予读取",
            f'its table "{name}" is a virtual one, which is not read',
            "请把图层导出到新的 GeoPackage",
            "export the layer to a new GeoPackage",
            value=sql,
        )


def _is_computed(database: sqlite3.Connection, table: str) -> bool:
    """Return whether a table has columns that are computed when they are read."""
    hidden = database.execute("SELECT count(*) FROM pragma_table_xinfo(?) WHERE hidden > 1", (table,)).fetchone()[0]
    return bool(hidden)


def _count(database: sqlite3.Connection, table: str, faults: Faults) -> None:
    # not count(*) of the table itself: that is one step of SQLite, which no clock interrupts
    rows = database.execute(f"SELECT count(*) FROM (SELECT 1 FROM {_quoted(table)} LIMIT ?)", (MOST_ROWS + 1,))
    if rows.fetchone()[0] > MOST_ROWS:
        raise too_many_rows(MOST_ROWS, faults)


def _run_through(database: sqlite3.Connection, table: str, faults: Faults) -> None:
    """Hand over every value of a view, none kept, so that whatever it computes has been computed within the limits."""
    content = 0
    for number, row in enumerate(database.execute(f"SELECT * FROM {_quoted(table)}"), start=1):
        content += sum(len(value) if isinstance(value, bytes) else 8 for value in row)
        if number > MOST_ROWS:
            raise too_many_rows(MOST_ROWS, faults)
        if content > LARGEST_CONTENT:
            raise too_large_content(faults)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _endless(faults: Faults) -> Exception:
    return faults.stop(
        f"读取超过 {LONGEST_S:g} 秒仍未结束（视图或表可能没有尽头），已停止",
        f"its rows did not come to an end within {LONGEST_S:g} s: a view may be endless",
        "请把图层导出到新的 GeoPackage（右键图层，导出，另存为）",
        "export the layer to a new GeoPackage",
    )
