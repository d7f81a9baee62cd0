"""What every test may use: the real inputs beside the checkout, where they are, and a tiny county to break."""

import itertools
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import settings
from shapely.geometry import LineString

# The same code gives the same result; `--hypothesis-profile=random` looks for new counterexamples (CONTRIBUTING.md).
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("random", derandomize=False, deadline=None)
settings.load_profile("repeatable")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real inputs; the test is skipped on a clone that stands alone."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real inputs do not stand beside this checkout")
    return SHARED_DATA


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_heard() -> Iterator[None]:
    """Tests press Ctrl-C; a shell that starts them in the background lets them ignore it."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, before)


METRES = [0, 1000, 1200, 1201, 3000, 6000, 6001, 11001]
LON_PER_M = 1 / 91287.8  # one degree of longitude at 35° north is 91,287.8 m: the drawing; lengths are stated


def _lon(metres: float) -> float:
    return round(110 + metres * LON_PER_M, 8)


def _write_study(folder: Path, plan: str) -> Path:
    def points(name: str, rows: list[dict[str, object]]) -> None:
        frame = pd.DataFrame(rows)
        frame["lon"], frame["lat"] = frame.pop("at").map(_lon), 35.0
        frame.to_csv(folder / name, index=False)

    points(
        "communities.csv",
        [
            {"community_id": f"{name}", "name": f"{name}村", "area_type": kind, "households": households, "at": at}
            for name, kind, households, at in [
                ("U1", "urban", 1000, 0),
                ("U2", "urban", 500, 1201),
                ("U3", "urban", 400, 3000),
                ("V1", "rural", 300, 6000),
                ("V2", "rural", 200, 6001),
                ("V3", "rural", 0, 11001),
            ]
        ],
    )
    points(
        "facilities.csv",
        [
            {
                "facility_id": "S1",
                "service": "comprehensive",
                "floor_area_m2": 420,
                "activity_area_m2": 252,
                "max_floor_area_m2": 630,
                "extension_cost_per_m2": 0.3,
                "at": 1200,
            },
            {"facility_id": "P1", "service": "pharmacy", "at": 1000},
        ],
    )
    pd.DataFrame([("S1", "U1", 300), ("S1", "U2", 120)], columns=["facility_id", "community_id", "area_m2"]).to_csv(
        folder / "allotments.csv", index=False
    )
    points(
        "candidates.csv",
        [
            {
                "candidate_id": name,
                "acquisition": way,
                "max_floor_area_m2": most,
                "fixed_cost": fixed,
                "cost_per_m2": price,
                "at": at,
            }
            for name, way, most, fixed, price, at in [
                ("K1", "lease", 500, 15, 0.06, 3000),
                ("K2", "new_build", 1000, 100, 0.35, 6000),
                ("K3", "lease", 100, 15, 0.06, 1201),
                ("K4", "reuse", 200, 30, 0.09, 6001),
            ]
        ],
    )
    roads = gpd.GeoDataFrame(
        {"length_m": np.diff(METRES).astype(float), "highway": "residential"},
        geometry=[LineString([(_lon(a), 35.0), (_lon(b), 35.0)]) for a, b in itertools.pairwise(METRES)],
        crs="EPSG:4326",
    )
    roads.to_file(folder / "roads.gpkg", driver="GPKG")
    study = folder / "study.toml"
    study.write_text(
        f"""
[study]
name = "Six communities on one road"
standard = "linyi"
[inputs]
communities = {{ path = "communities.csv", datum = "wgs84" }}
facilities = {{ path = "facilities.csv", datum = "wgs84" }}
allotments = "allotments.csv"
candidates = {{ path = "candidates.csv", datum = "wgs84" }}
roads = "roads.gpkg"
[travel]
walking_speed_kmh = 4.8
{plan}
""",
        encoding="utf-8",
    )
    return study


@pytest.fixture(scope="session")
def write_tiny_county() -> Callable[[Path, str], Path]:
    """Write the six communities of tests/test_story.py into a folder, with this ``[plan]``; give the study file."""
    return _write_study
