"""Small random studies with many ties, and the same study told otherwise: rows shuffled, all names replaced.

``python -m tests.random_studies 50`` plans so many of them twice, from their files, and says where the plans differ.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import LineString, Point, box

import siting
from tests.allocation.shuffled import told

BLOCK_M = 400
"""Side of the blocks between the streets."""
NAMES = {
    "communities": {"community_id": "c", "name": "n", "township": "t"},
    "facilities": {"facility_id": "f", "place_id": "p", "community_id": "c"},
    "candidates": {"candidate_id": "k", "exclusive_group": "g", "community_id": "c"},
    "allotments": {"facility_id": "f", "community_id": "c"},
    "boundaries": {"community_id": "c"},
    "buildings": {},
    "roads": {},
}
"""The columns of each table that name something, and what kind of thing."""
Tables = dict[str, pd.DataFrame]


def _lonlat(east_m: float, north_m: float) -> tuple[float, float]:
    return round(110 + east_m / 91287.8, 8), round(35 + north_m / 110946.2, 8)


def random_tables(seed: int) -> tuple[Tables, str]:
    """Return the tables of a town on a grid of streets, with equal prices, households and distances, and its plan."""
    rng = np.random.default_rng(seed)
    blocks, count = int(rng.integers(3, 6)), int(rng.integers(4, 9))
    spots = [(i * BLOCK_M / 2, j * BLOCK_M / 2) for i in range(2 * blocks + 1) for j in range(2 * blocks + 1)]

    def somewhere(number: int) -> list[tuple[float, float]]:
        return [spots[at] for at in rng.choice(len(spots), number)]

    def points(places: list[tuple[float, float]]) -> dict[str, list[float]]:
        lonlat = [_lonlat(*place) for place in places]
        return {"lon": [one[0] for one in lonlat], "lat": [one[1] for one in lonlat]}

    homes = somewhere(count)
    ids = [f"c{at}" for at in range(count)]
    communities = pd.DataFrame(
        {
            "community_id": ids,
            "name": [f"n{at}" for at in range(count)],
            "township": [f"t{at % 2}" for at in range(count)],
            "area_type": rng.choice(["urban", "rural"], count, p=[0.7, 0.3]),
            "households": rng.choice([100, 100, 200, 300], count),
            "population": 900,
            "elderly": rng.choice([90, 180], count),
            "minors": 90,
            "disabled": 9,
            "resettlement": rng.choice(["是", "否"], count, p=[0.1, 0.9]),
            **points(homes),
        }
    )
    stations = int(rng.integers(1, 4))
    facilities = pd.DataFrame(
        {
            "facility_id": [f"f{at}" for at in range(2 * stations + 2)],
            "service": ["comprehensive"] * 2 * stations + ["pharmacy"] * 2,
            "place_id": [f"p{at // 2}" if at < 2 * stations else "" for at in range(2 * stations + 2)],
            "community_id": [ids[at // 2 % count] for at in range(2 * stations + 2)],
            "floor_area_m2": rng.choice([60.0, 90.1], stations).repeat(2).tolist() + [np.nan] * 2,
            "max_floor_area_m2": [120.0] * 2 * stations + [np.nan] * 2,
            "extension_cost_per_m2": [0.3] * 2 * stations + [np.nan] * 2,
            **points(somewhere(2 * stations + 2)),
        }
    )
    sites = int(rng.integers(5, 11))
    ways = rng.choice(["lease", "reuse", "new_build"], sites, p=[0.6, 0.2, 0.2])
    candidates = pd.DataFrame(
        {
            "candidate_id": [f"k{at}" for at in range(sites)],
            "acquisition": ways,
            "max_floor_area_m2": np.where(ways == "new_build", 800, rng.choice([60, 60, 150], sites)),
            "min_floor_area_m2": np.where(ways == "new_build", 500, 30),
            "fixed_cost": np.where(ways == "new_build", 60, 15),
            "cost_per_m2": np.where(ways == "new_build", 0.3, 0.06),
            "exclusive_group": [f"g{at // 2}" if at < 4 else "" for at in range(sites)],
            "community_id": [ids[int(rng.integers(count))] if rng.random() < 0.3 else "" for _ in range(sites)],
            **points(somewhere(sites)),
        }
    )
    allotments = pd.DataFrame(
        {"facility_id": ["f0"] * 3, "community_id": rng.choice(ids, 3, replace=False), "area_m2": [10.1, 20.3, 5.7]}
    )
    squares = [
        box(*_lonlat(e - 190, n - 190), *_lonlat(e + 190, n + 190)) for e, n in homes[: int(rng.integers(1, count))]
    ]
    boundaries = gpd.GeoDataFrame({"community_id": ids[: len(squares)]}, geometry=squares, crs="EPSG:4326")
    doors = [
        Point(_lonlat(e + rng.choice([-90, 0, 90]), n + rng.choice([-90, 0, 90])))
        for e, n in homes[: len(squares) - 1]
        for _ in range(int(rng.integers(1, 8)))
    ]
    buildings = gpd.GeoDataFrame(
        {"floors": 3.0, "dwellings": rng.choice([3.0, 7.0, 10.0], len(doors))}, geometry=doors, crs="EPSG:4326"
    )
    end = blocks * BLOCK_M
    streets = [LineString([_lonlat(at, -200), _lonlat(at, end + 200)]) for at in range(0, end + 1, BLOCK_M)]
    streets += [LineString([_lonlat(-200, at), _lonlat(end + 200, at)]) for at in range(0, end + 1, BLOCK_M)]
    roads = gpd.GeoDataFrame({"highway": "residential"}, geometry=streets, crs="EPSG:4326", index=range(len(streets)))
    tables = {
        "communities": communities,
        "facilities": facilities,
        "candidates": candidates,
        "allotments": allotments,
        "boundaries": boundaries,
        "buildings": buildings,
        "roads": roads,
    }
    budget = rng.choice(["", f"budget = {int(rng.integers(30, 150))}\n"])
    model = rng.choice(
        ['model = "prescription"', 'model = "p_median"\nsites = 2', 'model = "max_cover"\nsites = 2'], p=[0.8, 0.1, 0.1]
    )
    more = rng.choice(["", "worth_s = 1\nalternatives = 2\ndiffer_by = 1\ncurve_points = 2\n"])
    asked = f'{model}\ncompliance = "{rng.choice(["most", "most", "targets"])}"\n{budget}{more}'
    return tables, asked


def retold(tables: Tables, seed: int) -> tuple[Tables, dict[str, str]]:
    """Return the tables with their rows shuffled and their names replaced, and the old name of each new one."""
    rng = np.random.default_rng(seed)
    fresh: dict[tuple[str, str], str] = {}
    for table, columns in NAMES.items():
        for column, kind in columns.items():
            for name in dict.fromkeys(tables[table][column]):
                fresh.setdefault((kind, name), "")
    for kind in sorted({kind for kind, _ in fresh}):
        names = [key for key in fresh if key[0] == kind and key[1]]
        numbers = rng.permutation(len(names))
        fresh.update({key: f"{kind}x{number:03d}" for key, number in zip(names, numbers, strict=True)})
    other = {}
    for table, frame in tables.items():
        shuffled = frame.iloc[rng.permutation(len(frame))].reset_index(drop=True)
        columns = {c: [fresh[kind, name] for name in shuffled[c]] for c, kind in NAMES[table].items()}
        other[table] = shuffled.assign(**columns)
    old = {new: name for (_, name), new in fresh.items() if name}
    return other, old | {f"{new}+": f"{name}+" for new, name in old.items()}


def planned(tables: Tables, asked: str, folder: Path):
    """Return the plan of tables that are written into a folder and read again."""
    for name, frame in tables.items():
        if isinstance(frame, gpd.GeoDataFrame):
            frame.to_file(folder / f"{name}.gpkg", driver="GPKG")
        else:
            frame.to_csv(folder / f"{name}.csv", index=False)
    (folder / "study.toml").write_text(
        f"""
[study]
name = "a town on a grid"
standard = "linyi"
[inputs]
communities = {{ path = "communities.csv", datum = "wgs84" }}
facilities = {{ path = "facilities.csv", datum = "wgs84" }}
candidates = {{ path = "candidates.csv", datum = "wgs84" }}
allotments = "allotments.csv"
boundaries = "boundaries.gpkg"
buildings = "buildings.gpkg"
roads = "roads.gpkg"
[travel]
walking_speed_kmh = 1.6
[plan]
{asked}
""",
        encoding="utf-8",
    )
    return siting.run(siting.read_study(folder / "study.toml")).plan


def differences(seed: int) -> list[tuple[str, str]]:
    """Return where the plans of a study and of the same study told otherwise differ: what each says."""
    tables, asked = random_tables(seed)
    other, old = retold(tables, seed)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        first, second = planned(tables, asked, Path(one)), planned(other, asked, Path(two))
    pairs = zip(told(first), told(second, old), strict=True)
    return [(a, b) for a, b in pairs if a != b]


if __name__ == "__main__":
    begin, end = (int(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 2 else (0, int(sys.argv[1]))
    wrong = {seed: found for seed in range(begin, end) if (found := differences(seed))}
    for seed, found in wrong.items():
        print(f"study {seed}:")
        for a, b in found:
            print(f"  {a}\n  {b}\n")
    print(f"{end - begin} studies, {len(wrong)} with another plan")
