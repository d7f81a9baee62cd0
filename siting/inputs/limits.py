"""What one input file may be and cost: a plain file, of so many bytes and rows, read in so much time."""

from __future__ import annotations

import stat
from pathlib import Path

from siting.inputs.faults import Faults

LARGEST_FILE = 2_000_000_000
"""Bytes of a layer or a road file: every building of a large province takes less."""
LARGEST_TEXT = 400_000_000
"""Bytes of a text table, which is read whole: two million rows of buildings take half of it."""
LARGEST_ARCHIVE = 1_500_000_000
"""Bytes that an archive may unpack to."""
LARGEST_RATIO = 250
"""Times that what unpacks to over 50 MB may grow; a road extract grows fifteenfold."""
LARGEST_CONTENT = 1_000_000_000
"""Bytes that the rows of a packed table may unfold to in memory."""
MOST_ROWS = 3_000_000
"""Rows of one table: the buildings of a populous county are one to two million."""
MOST_COLUMNS = 1000
"""Columns of one table: a statistical yearbook has some hundred, a layer whose rows each name their own any number."""
LONGEST_S = 60.0
"""Seconds that a database may take to hand over its rows: three million take a few."""


def check_plain(path: Path, faults: Faults, largest: int = LARGEST_FILE) -> None:
    """Refuse what is no plain file, for opening a pipe or a device may never end, and a file too large to read.

    Parameters
    ----------
    path
        Something that is there.
    faults
        Where the fault is put.
    largest
        Bytes that it may have.

    Raises
    ------
    TableError
        If it is a pipe, a device or a socket, or has more bytes.
    """
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        raise faults.stop(
            "不是普通文件（是管道、设备或套接字），不予读取",
            "is not a plain file but a pipe, a device or a socket, which is not read",
            "请把数据另存为普通文件",
            "save the data to a plain file",
            value=path.name,
        )
    if about.st_size > largest:
        raise faults.stop(
            f"文件有 {about.st_size / 1e6:,.0f} MB，这类文件至多读取 {largest / 1e6:,.0f} MB",
            f"has {about.st_size / 1e6:,.0f} MB; at most {largest / 1e6:,.0f} MB of its kind are read",
            "请只保留研究范围内的数据后另存",
            "keep only what lies in the study area and save it again",
        )


def too_many_rows(rows: int, faults: Faults) -> Exception:
    """Return the error of a table with more rows than MOST_ROWS.

    Parameters
    ----------
    rows
        How many there are at least.
    faults
        Where the fault is put.
    """
    return faults.stop(
        f"有 {rows:,} 行或更多，一个表至多读取 {MOST_ROWS:,} 行",
        f"has {rows:,} rows or more; at most {MOST_ROWS:,} of one table are read",
        "请只保留研究范围内的数据后另存",
        "keep only what lies in the study area and save it again",
    )


def too_many_columns(columns: int, faults: Faults, row: int | None = None) -> Exception:
    """Return the error of a table with more columns than MOST_COLUMNS.

    Parameters
    ----------
    columns
        How many there are at least.
    faults
        Where the fault is put.
    row
        The row that has so many, where it is one.
    """
    return faults.stop(
        f"有 {columns:,} 列，一个表至多读取 {MOST_COLUMNS:,} 列",
        f"has {columns:,} columns; at most {MOST_COLUMNS:,} of one table are read",
        "请只保留需要的列后另存",
        "keep only the columns that are needed and save it again",
        row=row,
    )


def too_large_content(faults: Faults) -> Exception:
    """Return the error of a table whose rows unfold to more than LARGEST_CONTENT.

    Parameters
    ----------
    faults
        Where the fault is put.
    """
    return faults.stop(
        f"内容展开后超过 {LARGEST_CONTENT / 1e6:,.0f} MB，不予读取",
        f"unfolds to more than {LARGEST_CONTENT / 1e6:,.0f} MB and is not read",
        "请只保留需要的列和研究范围内的行后另存",
        "keep only the columns and rows that are needed and save it again",
    )
