"""GraphML as OSMnx writes it -> road table: a small strict reader that expands no entity and runs no code."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from xml.parsers import expat

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from siting.errors import TableError
from siting.inputs.faults import Faults
from siting.text import Text

ATTRIBUTES = ("highway", "oneway", "name", "foot", "bicycle", "motor_vehicle", "access", "service", "junction", "area")

_ITEM = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[\w.+-]+""", re.DOTALL)
_LIST = re.compile(rf"\[\s*(?:(?:{_ITEM.pattern})\s*(?:,\s*|(?=\])))*\]", re.DOTALL)
"""A list as Python writes one: of quoted words, numbers and constants, none nested."""
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(slots=True)
class _Graph:
    """What the file says, as text: attributes by name, nodes by id, edges in order with the line each stands on."""

    names: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    directed: bool = True
    nodes: dict[str, dict[str, str]] = field(default_factory=dict)
    edges: list[tuple[int, str, str, dict[str, str]]] = field(default_factory=list)


def read_graphml_roads(path: Path, faults: Faults) -> gpd.GeoDataFrame:
    """Return the roads of a GraphML network of OSMnx, each edge with its drawn line.

    An edge without a drawn line is straight between its nodes. Every fault of the file is told at once.

    Parameters
    ----------
    path
        A ``.graphml`` file.
    faults
        Where what there is to say is said.

    Raises
    ------
    TableError
        If the file is not whole, declares entities, or an edge has no end, no place or an impossible length.
    """
    graph = _parse(path, faults)
    places = _places(graph, faults)
    lines, lengths = _lines(graph, places, faults)
    if not graph.edges:
        faults.error("没有任何边", "it holds no edge", "请检查导出过程", "check how it was exported")
    if faults.issues:
        raise TableError(Text(f"{path.name}：路网有错误", f"{path.name}: this network has faults"), faults.issues)
    columns: dict[str, Any] = {name: [_several(edge[3].get(name, "")) for edge in graph.edges] for name in ATTRIBUTES}
    if not graph.directed:
        columns["oneway"] = ["no"] * len(graph.edges)
    elif not any(columns["oneway"]):
        # a directed graph that says nothing of one-way streets means each edge as it stands
        columns["oneway"] = ["yes"] * len(graph.edges)
    columns["length_m"] = lengths
    columns["source_id"] = [f"{start}-{end}" for _, start, end, _ in graph.edges]
    return gpd.GeoDataFrame(columns, geometry=lines, crs=_crs(graph, faults))


def _parse(path: Path, faults: Faults) -> _Graph:
    """Return the content of the file; entities and broken XML are refused."""
    graph = _Graph()
    reader = _Reader(graph, faults)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = reader.refuse_entity
    reader.parser = parser
    try:
        with path.open("rb") as file:
            parser.ParseFile(file)
    except TableError:
        raise
    except (ValueError, LookupError) as error:  # of an encoding that the XML names and Python or expat has not
        raise faults.stop(
            "XML 的编码不认识或与内容不符",
            "its XML names an encoding that is not known, or not its own",
            "请用 UTF-8 重新导出", "export it again in UTF-8", value=error,
        ) from error  # fmt: skip
    except expat.ExpatError as error:
        raise faults.stop(
            f"第 {error.lineno} 行起不是完整的 XML（{expat.ErrorString(error.code)}）",
            f"it is not whole XML from line {error.lineno} on ({expat.ErrorString(error.code)})",
            "文件可能没有写完或没有下载完，请重新导出", "it may be cut short: export it again", row=error.lineno,
        ) from error  # fmt: skip
    if not reader.is_graphml:
        raise faults.stop(
            "不是 GraphML 文件",
            "it is not GraphML",
            "请用 OSMnx 的 save_graphml 导出",
            "export it with save_graphml of OSMnx",
        )
    return graph


class _Reader:
    """The handlers of the XML parser: they fill a graph."""

    parser: Any

    def __init__(self, graph: _Graph, faults: Faults) -> None:
        self.graph = graph
        self.faults = faults
        self.is_graphml = False
        self.owner = graph.attributes
        self.key = ""
        self.words: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        graph = self.graph
        match tag.rsplit(":", 1)[-1]:
            case "graphml":
                self.is_graphml = True
            case "key":
                graph.names[attributes.get("id", "")] = attributes.get("attr.name", "")
            case "graph":
                graph.directed = attributes.get("edgedefault", "directed") == "directed"
            case "node":
                self.owner = graph.nodes.setdefault(attributes.get("id", ""), {})
            case "edge":
                self.owner = {}
                ends = attributes.get("source", ""), attributes.get("target", "")
                graph.edges.append((self.parser.CurrentLineNumber, *ends, self.owner))
            case "data":
                self.key, self.words = attributes.get("key", ""), []

    def end(self, tag: str) -> None:
        match tag.rsplit(":", 1)[-1]:
            case "data":
                self.owner[self.graph.names.get(self.key, self.key)] = "".join(self.words).strip()
            case "node" | "edge":
                self.owner = self.graph.attributes

    def text(self, words: str) -> None:
        self.words.append(words)

    def refuse_entity(self, *_: Any) -> NoReturn:
        raise self.faults.stop(
            "文件声明了 XML 实体，可能是恶意文件，已拒绝读取",
            "it declares XML entities, which can be an attack: refused",
            "请用 OSMnx 的 save_graphml 重新导出", "export it again with save_graphml of OSMnx",
        )  # fmt: skip


def _places(graph: _Graph, faults: Faults) -> dict[str, tuple[float, float]]:
    """Return the place of each node; a node without one is a fault."""
    places = {}
    for number, node in graph.nodes.items():
        x, y = _number(node.get("x", "")), _number(node.get("y", ""))
        if np.isfinite(x) and np.isfinite(y):
            places[number] = x, y
        else:
            faults.error(
                f"节点 {number} 没有坐标",
                f"node {number} has no place", "每个节点都要有 x 和 y", "every node needs x and y",
                column="x, y", value=f"{node.get('x', '')}, {node.get('y', '')}",
            )  # fmt: skip
    return places


def _lines(graph: _Graph, places: dict[str, tuple[float, float]], faults: Faults) -> tuple[list[Any], list[float]]:
    """Return the drawn line of each edge, and its length, NaN where none is given; a broken edge is a fault."""
    lines, lengths = [], []
    for row, start, end, data in graph.edges:
        for node in (start, end):
            if node not in graph.nodes:
                faults.error(
                    f"边的端点 {node} 不在文件里", f"an edge ends at node {node}, which the file does not hold",
                    "请重新导出路网", "export the network again", row=row, column="edge", value=f"{start} - {end}",
                )  # fmt: skip
        drawn = _drawn(data.get("geometry", ""))
        if drawn is None:
            faults.error(
                "边的 geometry 不是折线", "the geometry of an edge is not a line", "应为 WKT 的 LINESTRING",
                "a LINESTRING in WKT is needed", row=row, column="geometry", value=data["geometry"],
            )  # fmt: skip
        elif drawn.is_empty and start in places and end in places:
            drawn = shapely.LineString([places[start], places[end]])
        lines.append(drawn)
        length = _number(data["length"]) if data.get("length") else np.nan
        if data.get("length") and not 0 <= length < np.inf:
            faults.error(
                "边的长度应是不小于 0 的数", "the length of an edge must be a number >= 0", "请改正或删去该长度",
                "correct it, or leave it out", row=row, column="length", value=data["length"],
            )  # fmt: skip
        lengths.append(length)
    return lines, lengths


def _drawn(text: str) -> shapely.LineString | None:
    """Return a line from WKT: empty where none is given, ``None`` where the text is not a line."""
    if not text:
        return shapely.LineString()
    if not text.lstrip().upper().startswith("LINESTRING"):
        return None  # collections may nest until reading them ends the process
    line = shapely.from_wkt(text, on_invalid="ignore")
    return line if isinstance(line, shapely.LineString) and not line.is_empty else None


def _crs(graph: _Graph, faults: Faults) -> pyproj.CRS:
    stated = graph.attributes.get("crs", "") or "EPSG:4326"
    try:
        return pyproj.CRS.from_user_input(stated)
    except pyproj.exceptions.CRSError as error:
        raise faults.stop(
            "不认识文件写的坐标系",
            "the coordinate system it names is not known", "请改为 EPSG:4326 等", "use EPSG:4326 or the like",
            column="crs", value=stated,
        ) from error  # fmt: skip


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _several(text: str) -> str:
    """Return an attribute; a list that OSMnx wrote, ``['path', 'steps']``, becomes ``path;steps``."""
    if not _LIST.fullmatch(text):
        return text
    values = (_ESCAPE.sub(r"\1", item[1:-1]) if item[0] in "'\"" else item for item in _ITEM.findall(text))
    return ";".join(dict.fromkeys(values))
