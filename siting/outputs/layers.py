"""A GeoPackage for QGIS: six layers, units in the column names, styles embedded."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from siting.errors import OutputError
from siting.outputs.atomic import whole_file
from siting.outputs.figures import missing_area_m2, verdict_codes
from siting.outputs.plain import clean_text
from siting.outputs.styles import embed_styles
from siting.text import Text

if TYPE_CHECKING:
    import geopandas as gpd

    from siting.outputs.results import Results

LAYERS = ("communities", "demand_points", "facilities", "circles", "gaps", "plan")
_CRS = "EPSG:4326"


def write_layers(results: Results, path: str | Path, *, force: bool = False) -> None:
    """Write the layers, read them back and count them, and only then put the file in place.

    The layer ``communities`` holds polygons when every community has a boundary, points otherwise. A figure that is
    not known, or a distance beyond the search, is NULL.

    Parameters
    ----------
    results
        What the run found.
    path
        The .gpkg file.
    force
        Replace a file that is there.

    Raises
    ------
    OutputError
        If the file exists, cannot be written, or does not read back whole.
    """
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

    layers = layer_tables(results)
    faults = (DataSourceError, DataLayerError, FeatureError, sqlite3.Error)
    with whole_file(path, force=force, suffix=".gpkg", faults=faults) as work:
        for name, table in layers.items():
            pyogrio.write_dataframe(
                table,
                work,
                layer=name,
                driver="GPKG",
                geometry_type=_geometry_type(name, table),
                append=work.exists(),
                dataset_options={} if work.exists() else {"VERSION": "1.2"},
            )
        embed_styles(work, {name: _geometry_type(name, table) for name, table in layers.items()})
        for name, table in layers.items():
            found = int(pyogrio.read_info(work, layer=name, force_feature_count=True)["features"])
            if found != len(table):
                raise OutputError(
                    Text(
                        f"图层 {name} 应有 {len(table)} 个要素，写成 {found} 个；未保存。",
                        f"Layer {name} should hold {len(table)} features, {found} were written; nothing was saved.",
                    )
                )


def layer_tables(results: Results) -> dict[str, gpd.GeoDataFrame]:
    """Return the six layers as tables in EPSG:4326.

    Parameters
    ----------
    results
        What the run found.

    Returns
    -------
    dict
        Layer name to table, in the order of ``LAYERS``.
    """
    tables = {
        "communities": _communities(results),
        "demand_points": _demand(results),
        "facilities": _facilities(results),
        "circles": _circles(results),
        "gaps": _gaps(results),
        "plan": _plan(results),
    }
    return {name: _writable(tables[name]) for name in LAYERS}


def community_shapes(results: Results) -> gpd.GeoSeries | None:
    """Return the boundary of each community in the order of the table, or None unless all have one.

    Parameters
    ----------
    results
        What the run found.

    Returns
    -------
    GeoSeries or None
        Polygons in EPSG:4326.
    """
    boundaries = results.tables.boundaries
    if boundaries is None or "community_id" not in boundaries:
        return None
    ids = results.tables.communities["community_id"]
    shapes = boundaries.to_crs(_CRS).drop_duplicates("community_id").set_index("community_id").geometry
    if not ids.isin(shapes.index).all():
        return None
    found = shapes.reindex(ids).reset_index(drop=True)
    return None if (found.isna() | found.is_empty).any() else found


def _communities(results: Results) -> gpd.GeoDataFrame:
    """Return the communities with their verdicts now and after."""
    import geopandas as gpd

    card, after = results.scorecard, results.after
    table = card.communities.reset_index(drop=True).copy()
    table["verdict"] = verdict_codes(card).to_numpy()
    table["missing_area_m2"] = missing_area_m2(card).to_numpy()
    if after is not None:
        for column in ("in_reach", "has_area", "meets", "reached_share", "area_per_100_households_m2"):
            table[f"{column}_after"] = after.communities[column].to_numpy()
        table["verdict_after"] = verdict_codes(after).to_numpy()
        table["missing_area_after_m2"] = missing_area_m2(after).to_numpy()
    shapes = community_shapes(results)
    if shapes is None:
        shapes = results.tables.communities.geometry.to_crs(_CRS).reset_index(drop=True)
    return gpd.GeoDataFrame(table, geometry=np.asarray(shapes.array), crs=_CRS)


def _demand(results: Results) -> gpd.GeoDataFrame:
    """Return the demand points with their distance now and after."""
    import geopandas as gpd

    table = results.scorecard.demand.reset_index(drop=True).copy()
    if results.after is not None:
        table["nearest_after_m"] = results.after.demand["nearest_m"].to_numpy()
        table["covered_after"] = results.after.demand["covered"].to_numpy()
    points = gpd.points_from_xy(table.pop("lon"), table.pop("lat"))
    return gpd.GeoDataFrame(table, geometry=points, crs=_CRS)


def _facilities(results: Results) -> gpd.GeoDataFrame:
    """Return the existing facilities as the study gave them."""
    table = results.tables.facilities.to_crs(_CRS).reset_index(drop=True).copy()
    table["counted"] = table["service"].isin(results.standard.counted_services)
    return table


def _circles(results: Results) -> gpd.GeoDataFrame:
    """Return the circles of existing facilities and, after them, those of the plan's sites."""
    import geopandas as gpd

    parts = []
    facilities = results.tables.facilities["facility_id"].to_numpy()
    sources = [(results.circles, facilities, "existing")]
    if results.plan is not None and results.plan_circles is not None:
        sources.append((results.plan_circles, results.plan.actions["source_id"].to_numpy(), "plan"))
    for circles, ids, stage in sources:
        rows = circles["facility"].to_numpy(dtype=np.int64)
        parts.append(
            pd.DataFrame({"facility_id": ids[rows], "stage": stage, "cutoff_m": circles["cutoff_m"].to_numpy(float)})
        )
    shapes = [shape for circles, _, _ in sources for shape in circles.geometry.to_crs(_CRS)]
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry=shapes, crs=_CRS)


def _gaps(results: Results) -> gpd.GeoDataFrame:
    """Return the gaps, most households first."""
    gaps = results.scorecard.gaps
    return gaps.to_crs(_CRS).sort_values("rank", kind="stable", ignore_index=True)


def _plan(results: Results) -> gpd.GeoDataFrame:
    """Return the plan's actions as points; an empty layer without a plan."""
    import geopandas as gpd

    if results.plan is None:
        empty = pd.DataFrame({"action_id": pd.Series([], dtype=object)})
        return gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=_CRS), crs=_CRS)
    table = results.plan.actions.reset_index(drop=True).copy()
    points = gpd.points_from_xy(table.pop("lon"), table.pop("lat"))
    costs = {name: f"{name}_wan_yuan" for name in ("fixed_cost", "area_cost", "yearly_cost", "cost")}
    return gpd.GeoDataFrame(table.rename(columns=costs), geometry=points, crs=_CRS)


def _writable(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a table whose columns every reader of GeoPackage understands."""
    out = table.copy()
    for column in out.columns.drop(out.geometry.name):
        out[column] = _plain_column(out[column])
    return out.rename(columns={name: clean_text(name, limit=60) for name in out.columns})


def _plain_column(column: pd.Series[Any]) -> pd.Series[Any]:
    """Return a column as bool, number without infinities, or clean text."""
    kind = column.dtype
    if isinstance(kind, pd.BooleanDtype):
        return column.astype("Int16") if column.isna().any() else column.astype(bool)
    if pd.api.types.is_bool_dtype(kind) or pd.api.types.is_integer_dtype(kind):
        return column
    if pd.api.types.is_float_dtype(kind):
        return column.astype(float).replace([np.inf, -np.inf], np.nan)
    texts = [";".join(map(str, cell)) if isinstance(cell, tuple | list) else cell for cell in column]
    return pd.Series([clean_text(text) for text in texts], index=column.index, dtype=object)


def _geometry_type(name: str, table: gpd.GeoDataFrame) -> str:
    """Return the one geometry type of a layer, multi where the parts may be many."""
    fixed: Mapping[str, str] = {
        "demand_points": "Point",
        "facilities": "Point",
        "plan": "Point",
        "circles": "MultiPolygon",
    }
    if name in fixed:
        return fixed[name]
    if name == "communities":
        return "Point" if (table.geom_type == "Point").all() else "MultiPolygon"
    polygons = table.geom_type.str.contains("Polygon").any()
    return "MultiPolygon" if polygons else "MultiPoint"
