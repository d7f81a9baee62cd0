"""The QGIS styles that travel inside the GeoPackage, in the colours of the map."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from html import escape
from pathlib import Path

from siting.outputs.words import VERDICT
from siting.text import Text

# Readable by every kind of colour vision: blue against yellow to red, told apart by lightness as well.
VERDICT_COLOURS: Mapping[str, str] = {
    "meets": "#2C7FB8",
    "area": "#F6D55C",
    "reach": "#F28E2B",
    "both": "#A63603",
    "unknown": "#9AA5B1",
    "not_applicable": "#E4E7EB",
}
CIRCLE_COLOUR = "#2C7FB8"
PLAN_COLOUR = "#7B3294"
OUTSIDE_COLOUR = "#A63603"
STATION_COLOUR = "#0B3C5D"

_CREATE = """
CREATE TABLE layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256),
  styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT(30),
  ui TEXT(30), update_time DATETIME DEFAULT '2000-01-01T00:00:00.000Z')
"""


def embed_styles(path: Path, geometry_types: Mapping[str, str]) -> None:
    """Add a default style for each layer, in the table where QGIS looks for them.

    Parameters
    ----------
    path
        A GeoPackage that is complete but for its styles.
    geometry_types
        Layer name to geometry type.
    """
    rows = []
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(_CREATE)
        database.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change) "
            "VALUES ('layer_styles', 'attributes', 'layer_styles', '', '2000-01-01T00:00:00.000Z')"
        )
        columns = dict(database.execute("SELECT table_name, column_name FROM gpkg_geometry_columns"))
        for name, kind in geometry_types.items():
            rows.append(("", "", name, columns[name], name, layer_qml(name, kind), "", 1, "siting", "", None))
        database.executemany(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName, "
            "styleQML, styleSLD, useAsDefault, description, owner, ui) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )


def layer_qml(name: str, kind: str) -> str:
    """Return the style of one layer in QGIS's own form.

    Parameters
    ----------
    name
        One of the six layers.
    kind
        Its geometry type.

    Returns
    -------
    str
        A QML document.
    """
    polygon = "Polygon" in kind
    if name == "communities":
        classes = [(key, label, VERDICT_COLOURS[key]) for key, label in VERDICT.items()]
        return _categorised("verdict", [(k, t, _symbol(polygon, c, 0.75, 3.2)) for k, t, c in classes])
    if name == "demand_points":
        inside, outside = Text("在圈内", "in the circle"), Text("在圈外", "outside")
        return _categorised(
            "covered",
            [
                ("true", inside, _symbol(False, "#9DB8CC", 0.9, 0.9)),
                ("false", outside, _symbol(False, OUTSIDE_COLOUR, 1, 1.1)),
            ],
        )
    if name == "facilities":
        counted, other = Text("计面积的综合设施", "counted facility"), Text("其他服务", "other service")
        return _categorised(
            "counted",
            [
                ("true", counted, _symbol(False, STATION_COLOUR, 1, 2.6)),
                ("false", other, _symbol(False, "#7B8794", 0.9, 1.4)),
            ],
        )
    if name == "circles":
        now, plan = (
            Text("现有设施的生活圈", "circle of a facility"),
            Text("方案点位的生活圈", "circle of a planned site"),
        )
        return _categorised(
            "stage",
            [
                ("existing", now, _symbol(True, CIRCLE_COLOUR, 0.12, 0)),
                ("plan", plan, _symbol(True, PLAN_COLOUR, 0.15, 0)),
            ],
        )
    colour, size = (PLAN_COLOUR, 3.6) if name == "plan" else (OUTSIDE_COLOUR, 1.6)
    return _document(
        f'<renderer-v2 type="singleSymbol"><symbols>{_symbol(polygon, colour, 0.9, size)}</symbols></renderer-v2>'
    )


def _categorised(column: str, classes: list[tuple[str, Text, str]]) -> str:
    """Return a style with one symbol for each value of a column."""
    categories = "".join(
        f'<category render="true" symbol="{i}" value="{escape(value)}" type="{_value_type(value)}" '
        f'label="{escape(f"{text.zh} {text.en}")}"/>'
        for i, (value, text, _) in enumerate(classes)
    )
    symbols = "".join(symbol.replace('name="0"', f'name="{i}"', 1) for i, (_, _, symbol) in enumerate(classes))
    return _document(
        f'<renderer-v2 type="categorizedSymbol" attr="{column}" enableorderby="0" forceraster="0">'
        f"<categories>{categories}</categories><symbols>{symbols}</symbols></renderer-v2>"
    )


def _value_type(value: str) -> str:
    """Return the type of a category's value as QGIS names it."""
    return "bool" if value in ("true", "false") else "string"


def _symbol(polygon: bool, colour: str, alpha: float, size_mm: float) -> str:
    """Return a fill or a marker."""
    rgba = f"{int(colour[1:3], 16)},{int(colour[3:5], 16)},{int(colour[5:7], 16)},255"
    if polygon:
        layer, kind = "SimpleFill", "fill"
        options = {"color": rgba, "outline_color": "90,100,110,255", "outline_width": "0.15", "style": "solid"}
    else:
        layer, kind = "SimpleMarker", "marker"
        options = {
            "color": rgba, "name": "circle", "outline_color": "255,255,255,255", "outline_width": "0.2",
            "size": f"{size_mm}", "size_unit": "MM",
        }  # fmt: skip
    written = "".join(f'<Option name="{key}" type="QString" value="{value}"/>' for key, value in options.items())
    older = "".join(f'<prop k="{key}" v="{value}"/>' for key, value in options.items())  # QGIS before 3.22
    return (
        f'<symbol type="{kind}" name="0" alpha="{alpha:g}" clip_to_extent="1" force_rhr="0">'
        f'<layer class="{layer}" enabled="1" locked="0" pass="0">'
        f'<Option type="Map">{written}</Option>{older}</layer></symbol>'
    )


def _document(renderer: str) -> str:
    """Return a QML document around a renderer."""
    kind = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
    return f'{kind}<qgis version="3.22" styleCategories="Symbology">{renderer}</qgis>'
