"""The land of the example county: its river, roads, town grids and valleys, in metres from the county town."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
from shapely.geometry import LineString, Polygon

Place = tuple[float, float]
HALF_WIDTH, HALF_HEIGHT = 21_500.0, 15_500.0  # of the county, m
VALLEYS = [  # where each valley road leaves the river (m east), its side, its villages, its township's numeral
    (-18000, 1, 14, "一"),
    (-12500, 1, 14, "二"),
    (-7500, 1, 14, "三"),
    (-1600, 1, 13, "四"),
    (5600, 1, 14, "五"),
    (11500, 1, 14, "六"),
    (17500, 1, 14, "七"),
    (-16500, -1, 14, "八"),
    (-10500, -1, 14, "九"),
    (-4400, -1, 14, "十"),
    (3600, -1, 13, "十一"),
    (9500, -1, 14, "十二"),
    (16000, -1, 14, "十三"),
]
BRIDGES = (-14000, -1200, 1200, 12500)
BLOCK = 400.0  # of the town's street grid, m


def river(x: float) -> float:
    """Return how far north the river runs at x."""
    return float(900 * np.sin(x / 5200) + 500 * np.sin(x / 2300 + 1) - 600)


class Roads:
    """Lines that meet at shared vertices; cut there when they are written."""

    def __init__(self) -> None:
        self.lines: list[tuple[list[Place], str, str]] = []

    def add(self, points: list[Place], highway: str, name: str = "") -> list[Place]:
        """Add a line and return its vertices, rounded to a decimetre so that shared ones are equal."""
        vertices = [(round(x, 1), round(y, 1)) for x, y in points]
        self.lines.append((vertices, highway, name))
        return vertices

    def pieces(self) -> gpd.GeoDataFrame:
        """Return the lines cut at every vertex that another line shares."""
        uses: dict[Place, int] = {}
        for vertices, _, _ in self.lines:
            for vertex in vertices:
                uses[vertex] = uses.get(vertex, 0) + 1
        rows = []
        for vertices, highway, name in self.lines:
            start = 0
            for end in range(1, len(vertices)):
                if end == len(vertices) - 1 or uses[vertices[end]] > 1:
                    rows.append({"name": name, "highway": highway, "geometry": LineString(vertices[start : end + 1])})
                    start = end
        return gpd.GeoDataFrame(rows, geometry="geometry")


def make_grid(roads: Roads, west: float, south: float, columns: int, rows: int, footways: bool = True) -> None:
    """Add a grid of streets, with footways through the blocks."""
    for row in range(rows + 1):
        step = 0.5 if footways else 1.0
        xs = np.arange(0, columns + step / 2, step) * BLOCK + west
        roads.add(
            [(x, south + row * BLOCK) for x in xs], "secondary" if row % 3 == 0 else "residential", f"示例{row + 1}街"
        )
    for column in range(columns + 1):
        ys = np.arange(0, rows + 0.25, 0.5 if footways else 1.0) * BLOCK + south
        roads.add(
            [(west + column * BLOCK, y) for y in ys],
            "secondary" if column % 4 == 0 else "residential",
            f"示例{column + 1}路",
        )
    if footways:
        for column in range(columns):
            x = west + (column + 0.5) * BLOCK
            roads.add([(x, south + half * BLOCK / 2) for half in range(0, 2 * rows + 1, 2)], "footway")


def make_backbone(roads: Roads) -> dict[str, list[Place]]:
    """Add the town, the roads along both banks and the bridges; return the vertices of the two bank roads."""
    make_grid(roads, -2000, 800, 10, 7)
    make_grid(roads, -1200, -2400, 6, 2)
    xs = [float(x) for x in range(-20500, 20501, 500)]
    banks = {}
    banks["north"] = [
        *roads.add([*((x, river(x) + 380) for x in xs if x < -2000), (-2000, 800)], "primary", "示例沿河北路"),
        *roads.add([(2000, 800), *((x, river(x) + 380) for x in xs if x > 2000)], "primary", "示例沿河北路"),
    ]
    banks["south"] = [
        *roads.add(
            [*((x, river(x) - 380) for x in xs if -18500 <= x < -1200), (-1200, -1600)], "tertiary", "示例沿河南路"
        ),
        *roads.add(
            [(1200, -1600), *((x, river(x) - 380) for x in xs if 1200 < x <= 18500)], "tertiary", "示例沿河南路"
        ),
    ]
    for x in BRIDGES:
        if abs(x) < 2000:
            roads.add([(x, 800), (x, river(x)), (x, -1600)], "secondary", "示例大桥")
        else:
            ends = [min(banks[bank], key=lambda vertex: abs(vertex[0] - x)) for bank in ("north", "south")]
            roads.add([ends[0], (x, river(x)), ends[1]], "tertiary", "示例河桥")
    return banks


def make_valley(
    roads: Roads,
    banks: dict[str, list[Place]],
    rng: np.random.Generator,
    start: float,
    side: int,
    count: int,
) -> list[tuple[float, float, bool]]:
    """Add a valley road with its branches; return where its villages stand, and which are at a far end."""
    bank = banks["north" if side > 0 else "south"]
    nearest = min(bank, key=lambda vertex: abs(vertex[0] - start))
    foot = (start, 800 + 7 * BLOCK) if abs(start) < 2000 else nearest
    phase, reach = rng.uniform(0, 6), HALF_HEIGHT - 2600 - abs(foot[1])
    steps = np.arange(0, reach, 400.0)
    bend = 420 * np.sin(steps / 1700 + phase) - 420 * np.sin(phase)
    road = roads.add(
        [(foot[0] + b, foot[1] + side * s) for s, b in zip(steps, bend, strict=True)], "tertiary", "示例乡道"
    )
    along = np.unique(np.linspace(3, len(road) - 1, 8).round().astype(int))
    places = [(*road[index], False) for index in along]
    stems = rng.permutation(along[:-1])
    for branch in range(count - len(places) - 1):
        index = int(stems[branch % len(stems)])
        direction = 1 if (branch + index) % 2 else -1
        places.append((*make_branch(roads, rng, road[index], direction, rng.uniform(900, 1700), "unclassified"), False))
    tail = roads.add(
        [road[-1], *((road[-1][0] + side * 260 * k, road[-1][1] + side * 330 * k) for k in range(1, 5))], "track"
    )
    last = make_branch(roads, rng, tail[-1], 1 if start > 0 else -1, rng.uniform(1700, 2300), "track")
    return [*places, (*last, True)]


def make_branch(
    roads: Roads, rng: np.random.Generator, stem: Place, direction: int, length: float, highway: str
) -> Place:
    """Add a winding side road and return its end."""
    steps = np.linspace(0, length, 4)[1:]
    tilt = rng.uniform(-0.35, 0.35)
    line = [stem, *((stem[0] + direction * s, stem[1] + s * tilt + 60 * np.sin(s / 200)) for s in steps)]
    return roads.add(line, highway)[-1]


def block(x: float, y: float, width: float, depth: float, turn: float) -> Polygon:
    """Return a turned rectangle."""
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * (width / 2, depth / 2)
    spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return Polygon(corners @ spin + (x, y))
