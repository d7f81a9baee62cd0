"""The people of the example county: communities, homes, boundaries, and the figures of their ledger."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely.geometry import Point, Polygon

from demo_county.land import HALF_HEIGHT, HALF_WIDTH, VALLEYS, Roads, block, make_backbone, make_grid, make_valley

BASELINE = {  # the ten figures of 2022
    "rural_covered": 0.72,
    "urban_covered": 0.862,
    "commerce": 0.059,
    "m2_per_household": 0.215,
    "activity": 0.486,
    "workers_per_10000": 14.0,
    "urban_organisations": 7.9,
    "rural_organisations": 3.4,
    "certified": 0.025,
}


@dataclass
class Community:
    """One village or urban community, in metres from the county town."""

    code: str
    name: str
    urban: bool
    township: str
    x: float
    y: float
    households: int
    far: bool = False
    resettlement: bool = False
    homes: list[tuple[Polygon, int, float | None, str]] = field(default_factory=list)  # outline, floors, dwellings, use


def find_hamlet(village: Community, others: np.ndarray, rng: np.random.Generator) -> tuple[float, float] | None:
    """Return a spot apart from the village and nearer to it than to any other community, or None."""
    for _ in range(12):
        angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(750, 1500)
        spot = village.x + distance * np.cos(angle), village.y + distance * np.sin(angle)
        if np.hypot(others[:, 0] - spot[0], others[:, 1] - spot[1]).min() > distance - 1:
            return spot
    return None


def settle_village(village: Community, roads: Roads, others: np.ndarray, rng: np.random.Generator) -> None:
    """Add a village's lanes and houses, and for some a hamlet, on a track or beyond any road."""
    x, y, turn = village.x, village.y, rng.uniform(0, np.pi)
    for quarter in range(4):
        angle = turn + quarter * np.pi / 2
        roads.add([(x, y), *((x + d * np.cos(angle), y + d * np.sin(angle)) for d in (70, 150))], "residential")
    rows = 22
    share = rng.dirichlet(np.full(rows, 12.0))
    hamlet = find_hamlet(village, others, rng) if rng.random() < 0.45 and not village.resettlement else None
    apart = float(rng.choice([0.05, 0.07, 0.09, 0.13], p=[0.4, 0.3, 0.2, 0.1])) if hamlet else 0.0
    for number in range(rows):
        angle, distance = turn + rng.uniform(0, 2 * np.pi), rng.uniform(35, 190)
        dwellings = max(1, round(village.households * share[number] * (1 - apart)))
        where = (x + distance * np.cos(angle), y + distance * np.sin(angle))
        village.homes.append((block(*where, 12 + dwellings, 9, turn + np.pi / 2 * (number % 2)), 1, dwellings, "住宅"))
    if hamlet:
        if rng.random() < 0.6:
            middle = (x + 0.55 * (hamlet[0] - x) - 90, y + 0.55 * (hamlet[1] - y) + 60)
            roads.add([(x, y), middle, hamlet], "track")
        for number in range(3):
            where = (hamlet[0] + 45 * number, hamlet[1] + 20 * number)
            dwellings = max(1, round(village.households * apart / 3))
            village.homes.append((block(*where, 10 + dwellings, 9, turn), 1, dwellings, "住宅"))


def settle_urban(community: Community, rng: np.random.Generator) -> None:
    """Add the apartment blocks of an urban community, and what else stands there."""
    blocks = max(8, community.households // 60)
    for number in range(blocks + 4):
        where = community.x + rng.uniform(-330, 330), community.y + rng.uniform(-280, 280)
        floors, use = int(rng.choice([5, 6, 6, 11])), "住宅"
        if number >= blocks:
            use, floors = str(rng.choice(["商业", "学校", "办公"])), int(rng.integers(2, 6))
        community.homes.append((block(*where, rng.uniform(42, 62), rng.uniform(13, 17), 0.0), floors, None, use))


def make_communities(roads: Roads, rng: np.random.Generator) -> list[Community]:
    """Return every urban community and village, with its homes."""
    banks = make_backbone(roads)
    syllables = [(a, b) for a in "东西南北上下大小前后" for b in "柳杨槐石河沟坡湾岭坪塬川寨堡庄泉池塔井桥"]
    names = [f"示例{a}{b}" for a, b in (syllables[index] for index in rng.permutation(len(syllables)))]
    communities: list[Community] = []

    def add(urban: bool, township: str, x: float, y: float, far: bool = False) -> Community:
        number = len(communities) + 1
        households = int(rng.normal(1080, 260)) if urban else int(np.exp(rng.normal(5.62, 0.35)))
        households = max(households, 420 if urban else 90)
        name = f"示例第{sum(each.urban for each in communities) + 1:02d}社区" if urban else f"{names.pop()}村"
        communities.append(
            Community(f"990100{number:03d}{'111' if urban else '220'}", name, urban, township, x, y, households, far)
        )
        return communities[-1]

    for row in range(4):
        for column in range(5):
            add(
                True, "示例城关镇", -1600 + column * 800 + rng.uniform(-90, 90), 1100 + row * 720 + rng.uniform(-60, 60)
            )
    for x in (-850, -280, 290, 860):
        add(True, "示例城关镇", x, -2000 + rng.uniform(-40, 40))
    for valley, (start, side, count, numeral) in enumerate(VALLEYS):
        places = make_valley(roads, banks, rng, start, side, count)
        township = f"示例{numeral}乡"
        if valley in {1, 5, 9}:
            seat = places[2]
            make_grid(roads, seat[0], seat[1], 3, 2, footways=False)
            for shift in (250, 900):
                add(True, f"示例{numeral}镇", seat[0] + shift, seat[1] + 420)
            township = f"示例{numeral}镇"
        for x, y, far in places:
            add(False, township, x, y, far)
    rural = [community for community in communities if not community.urban and not community.far]
    for index in rng.choice(len(rural), 6, replace=False):
        rural[index].resettlement = True
    places = np.array([(community.x, community.y) for community in communities])
    for community in communities:
        if community.urban:
            settle_urban(community, rng)
        else:
            settle_village(community, roads, places, rng)
    return communities


def scale_to(values: np.ndarray, total: float) -> np.ndarray:
    """Return whole numbers in proportion to values that add up to a total, rounded to the nearest whole."""
    exact = values / values.sum() * round(total)
    whole = np.floor(exact).astype(int)
    for index in np.argsort(whole - exact, kind="stable")[: round(total) - int(whole.sum())]:
        whole[index] += 1
    return whole


def community_figures(communities: list[Community], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the ledger of the communities: people, building areas, workers, organisations."""
    urban = np.array([community.urban for community in communities])
    households = np.array([community.households for community in communities])
    count = len(communities)
    population = np.round(
        households * np.where(urban, rng.normal(2.62, 0.12, count), rng.normal(2.85, 0.2, count))
    ).astype(int)
    building = np.round(households * np.where(urban, 128.0, 141.0) * rng.normal(1, 0.05, count)).astype(int)
    commerce = building * np.clip(rng.normal(0.059, 0.014, count), 0.02, 0.11)
    workers = np.zeros(count, dtype=int)
    workers[urban] = scale_to(
        population[urban] * rng.uniform(0.8, 1.2, urban.sum()),
        population[urban].sum() * BASELINE["workers_per_10000"] / 1e4,
    )
    certified = np.zeros(count, dtype=int)
    certified[np.flatnonzero(urban)[: round(workers.sum() * BASELINE["certified"])]] = 1
    organisations = np.zeros(count, dtype=int)
    organisations[urban] = scale_to(rng.uniform(5, 11, urban.sum()), urban.sum() * BASELINE["urban_organisations"])
    organisations[~urban] = scale_to(
        rng.uniform(1.5, 5.5, (~urban).sum()), (~urban).sum() * BASELINE["rural_organisations"]
    )
    return {
        "population": population,
        "elderly": np.round(
            population * np.where(urban, rng.uniform(0.14, 0.22, count), rng.uniform(0.2, 0.34, count))
        ).astype(int),
        "minors": np.round(population * rng.uniform(0.14, 0.22, count)).astype(int),
        "disabled": np.round(population * rng.uniform(0.015, 0.035, count)).astype(int),
        "building": building,
        "commerce": scale_to(commerce, building.sum() * BASELINE["commerce"]),
        "workers": workers,
        "certified": certified,
        "organisations": organisations,
    }


def county_cells(communities: list[Community]) -> list[Polygon]:
    """Return the boundary of each community: nearer to it than to any other."""
    frame = shapely.box(-HALF_WIDTH, -HALF_HEIGHT, HALF_WIDTH, HALF_HEIGHT).buffer(-1500).buffer(1500)
    points = shapely.multipoints([(community.x, community.y) for community in communities])
    cells = list(shapely.voronoi_polygons(points, extend_to=frame).geoms)
    tree = shapely.STRtree(cells)
    own = [cells[int(tree.query(Point(c.x, c.y), predicate="within")[0])] for c in communities]
    return list(shapely.normalize(shapely.intersection(own, frame)))  # GEOS versions begin a ring at different corners
