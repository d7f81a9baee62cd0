"""Parquet files, with the metadata of GeoParquet or without -> columns, geometries and the coordinate system."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from siting.inputs.faults import Faults
from siting.inputs.limits import (
    LARGEST_CONTENT,
    MOST_COLUMNS,
    MOST_ROWS,
    too_large_content,
    too_many_columns,
    too_many_rows,
)
from siting.inputs.shapes import shapes_from_wkb

_UNNAMED_INDEX = re.compile(r"__index_level_\d+__")
"""Columns in which pandas keeps the row numbers of a frame that has no names for them."""
_NATIVE = frozenset({"point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon"})
"""The encodings of GeoParquet 1.1 beside well-known binary."""


@dataclass(frozen=True, slots=True)
class GeoColumn:
    """What the metadata says of the geometries: the column, how it is encoded, its coordinate system as it stands."""

    name: str
    encoding: str
    crs: Any


@dataclass(frozen=True, slots=True)
class ParquetTable:
    """The columns of a file as plain values by place, and the geometries apart."""

    headers: list[str]
    cells: list[list[Any]]
    rows: int
    geometry: NDArray[np.object_] | None = None
    geo: GeoColumn | None = None


def read_geoparquet(path: Path, faults: Faults, guarded: Callable[[Callable[[], Any]], Any]) -> ParquetTable:
    """Return the columns of a Parquet file.

    Parameters
    ----------
    path
        The file.
    faults
        Where faults are put.
    guarded
        Calls a reader, and turns what Arrow says of a damaged file into an issue.

    Raises
    ------
    TableError
        If it is damaged, has more rows or content than a file may have, or its metadata does not say where the
        geometries are.
    """
    import pyarrow.parquet as pq

    file = guarded(lambda: pq.ParquetFile(path))
    _limit_rows(file, guarded, faults)
    schema = guarded(lambda: file.schema_arrow)
    file = guarded(lambda: pq.ParquetFile(path, read_dictionary=_texts(file)))
    table = guarded(lambda: _read_groups(file, faults))
    names = [str(name) for name in table.column_names]
    geo = _geo_column((schema.metadata or {}).get(b"geo"), names, faults)
    apart = names.index(geo.name) if geo else None
    places = [place for place, name in enumerate(names) if place != apart and not _UNNAMED_INDEX.fullmatch(name)]
    cells = guarded(lambda: [table.column(place).to_pylist() for place in places])
    headers = [names[place] for place in places]
    if geo is None:
        return ParquetTable(headers, cells, table.num_rows)
    column = table.column(apart)
    shapes = guarded(lambda: _native(path, geo.name)) if geo.encoding in _NATIVE else _from_wkb(column, geo, faults)
    return ParquetTable(headers, cells, table.num_rows, shapes, geo)


def _limit_rows(file: Any, guarded: Callable[[Callable[[], Any]], Any], faults: Faults) -> None:
    """Refuse a file that says of itself that it has too many rows: a few MB unfold to any number.

    What it says of its column chunks is not asked: where that is damaged, Arrow ends the process.
    """
    about = file.metadata
    groups = guarded(lambda: [about.row_group(number) for number in range(about.num_row_groups)])
    rows = max(about.num_rows, sum(group.num_rows for group in groups))
    if rows > MOST_ROWS:
        raise too_many_rows(rows, faults)
    if len(about.schema) > MOST_COLUMNS:
        raise too_many_columns(len(about.schema), faults)


def _texts(file: Any) -> list[str]:
    """Return the paths of texts and bytes; they are read as numbers into a list of those that differ."""
    columns = [file.schema.column(place) for place in range(len(file.schema))]
    return [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]


def _read_groups(file: Any, faults: Faults) -> Any:
    """Return the rows as a table, unfolded once it is known that they unfold to no more than a file may."""
    import pyarrow as pa

    groups, content = [], 0
    for number in range(file.num_row_groups):
        group = file.read_row_group(number)
        content += sum(_unfolded(chunk) for column in group.columns for chunk in column.chunks)
        if content > LARGEST_CONTENT:
            raise too_large_content(faults)
        groups.append(group)
    return pa.concat_tables(groups) if groups else file.schema_arrow.empty_table()


def _unfolded(column: Any) -> int:
    """Return the bytes that a column takes once every row has a value of its own."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        return int(column.offsets.nbytes) + _unfolded(column.flatten())
    if pa.types.is_struct(column.type):
        return sum(_unfolded(part) for part in column.flatten())
    if not isinstance(column, pa.DictionaryArray):
        return int(column.nbytes)
    sizes = pc.binary_length(column.dictionary).cast(pa.int64())
    return int(column.indices.nbytes) + (pc.sum(sizes.take(column.indices)).as_py() or 0)


def _geo_column(raw: bytes | None, names: list[str], faults: Faults) -> GeoColumn | None:
    """Return what the metadata says of the geometries, ``None`` where it says nothing; odd metadata is a fault."""
    if raw is None:
        return None
    try:
        geo = json.loads(raw)
        name = geo["primary_column"]
        about = geo["columns"][name]
        encoding = str(about["encoding"]).casefold()
        crs = about.get("crs", "OGC:CRS84")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _odd(raw[:60].decode("utf-8", errors="replace"), faults) from None
    if name not in names or encoding not in {"wkb", *_NATIVE}:
        raise _odd(f"{name}: {encoding}", faults)
    return GeoColumn(name, encoding, crs)


def _odd(said: str, faults: Faults) -> Exception:
    return faults.stop(
        "GeoParquet 的说明（geo 元数据）不完整或看不懂，不知道哪一列是图形",
        "its GeoParquet metadata (geo) is not whole: it does not say which column holds the geometries, and how",
        "请用 QGIS 或 GeoPandas 重新导出",
        "export it again with QGIS or GeoPandas",
        column="geo",
        value=said,
    )


def _from_wkb(column: Any, geo: GeoColumn, faults: Faults) -> NDArray[np.object_]:
    from pyarrow import types

    kind = column.type.value_type if types.is_dictionary(column.type) else column.type
    binary = types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind)
    if not binary and not types.is_null(kind):
        raise faults.stop(
            "图形列应为 WKB（二进制），实为别的内容",
            "its geometries should be well-known binary (WKB), but are something else",
            "请用 QGIS 或 GeoPandas 重新导出",
            "export it again with QGIS or GeoPandas",
            column=geo.name,
            value=kind,
        )
    return shapes_from_wkb(column.to_pylist())


def _native(path: Path, name: str) -> NDArray[np.object_]:
    import geopandas as gpd

    return np.asarray(gpd.read_parquet(path, columns=[name]).geometry.array, dtype=object)
