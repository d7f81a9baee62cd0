"""A small made-up county with every kind of verdict in it, and names that try to break out of their cells."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely import box
from shapely.geometry import MultiPoint, Point

from siting.allocation.plan import Plan, PlanOptions, Stage
from siting.coverage import Scorecard
from siting.errors import Issue
from siting.inputs import DemandPoints, SourceRecord, Tables
from siting.network.graph import RoadNetwork
from siting.outputs.results import Results
from siting.standards import read_standard
from siting.standards.model import UNITS
from siting.text import Text

HOSTILE = [
    "<script>window.hacked=1</script>",
    '<img src=x onerror="window.hacked=1">',
    "</script><script>window.hacked=1</script>",
    "${window.hacked=1}",
    "`+window.hacked`",
    "=1+1",
    "@SUM(A1)",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "http://example.invalid/x",
    "{{ 7*7 }}",
    "a\x0bbc\u202ed",
]
LON, LAT, STEP = 103.80, 36.05, 0.01
STATUS = ("pass", "fail", "unknown", "not_applicable")


def three_valued_and(first: str, second: str) -> str:
    """Return the verdict of two parts together."""
    if "not_applicable" in (first, second):
        return "not_applicable"
    if "fail" in (first, second):
        return "fail"
    return "unknown" if "unknown" in (first, second) else "pass"


def communities(columns: int, rows: int) -> gpd.GeoDataFrame:
    """Return a chessboard of communities; the last has no households."""
    n = columns * rows
    lon = LON + (np.arange(n) % columns + 0.5) * STEP
    lat = LAT + (np.arange(n) // columns + 0.5) * STEP
    names = [HOSTILE[i] if i < len(HOSTILE) else f"社区{i:03d}" for i in range(n)]
    households = 200 + 37 * (np.arange(n) % 11)
    households[-1] = 0
    table = pd.DataFrame(
        {
            "community_id": [f"{i:04d}" for i in range(n)],
            "name": pd.Series(names, dtype=object),
            "area_type": np.where(np.arange(n) // columns < rows // 2 + 1, "urban", "rural"),
            "households": households.astype(np.int64),
            "township": [f"镇{i % 3}" for i in range(n)],
        }
    )
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326")


def boundaries(people: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the squares of the chessboard."""
    half = STEP / 2
    squares = [box(p.x - half, p.y - half, p.x + half, p.y + half) for p in people.geometry]
    return gpd.GeoDataFrame(people[["community_id"]].copy(), geometry=squares, crs="EPSG:4326")


def streets(columns: int, rows: int) -> RoadNetwork:
    """Return a grid of streets between the communities."""
    crs = "EPSG:32648"
    lon, lat = np.meshgrid(LON + np.arange(columns + 1) * STEP, LAT + np.arange(rows + 1) * STEP)
    points = gpd.GeoSeries(gpd.points_from_xy(lon.ravel(), lat.ravel()), crs="EPSG:4326").to_crs(crs)
    xy = np.column_stack([points.x, points.y])
    number = np.arange((columns + 1) * (rows + 1)).reshape(rows + 1, columns + 1)
    u = np.concatenate([number[:, :-1].ravel(), number[:-1].ravel()])
    v = np.concatenate([number[:, 1:].ravel(), number[1:].ravel()])
    return RoadNetwork.from_edges(xy, u, v, np.hypot(*(xy[u] - xy[v]).T), crs=crs)


def scorecard(standard, people, demand, stations, *, better: int = 0):
    """Return verdicts that follow a fixed pattern; with ``better`` the first so many communities meet."""
    n = len(people)
    i = np.arange(n)
    some = people["households"].to_numpy() > 0
    pattern = np.array(["pass", "fail", "pass", "fail", "pass"])[i % 5]
    in_reach = np.where(i < better, "pass", pattern).astype(object)
    has_area = np.where(i < better, "pass", np.array(["pass", "pass", "fail", "fail", "unknown"])[i % 5]).astype(object)
    in_reach[~some] = has_area[~some] = "not_applicable"
    meets = np.array([three_valued_and(a, b) for a, b in zip(in_reach, has_area, strict=True)], dtype=object)
    share = np.where(in_reach == "pass", 0.97, 0.4)
    per_100 = np.select([has_area == "pass", has_area == "fail"], [31.5, 29.96], np.nan)
    households = people["households"].to_numpy(float)
    table = pd.DataFrame(
        {
            "community_id": people["community_id"],
            "name": people["name"],
            "area_type": people["area_type"],
            "township": people["township"],
            "households": people["households"],
            "reached_households": np.where(some, share * households, 0.0),
            "reached_share": np.where(some, share, np.nan),
            "straight_line_share": np.where(some, np.minimum(share + 0.2, 1.0), np.nan),
            "nearest_facility_id": stations["facility_id"].to_numpy()[i % len(stations)],
            "nearest_m": np.where(some, 400.0 + 300 * (share < 0.9), np.nan),
            "farthest_m": np.where(some, 1500.0, np.nan),
            "walk_min": np.where(some, 5.0 + i % 4, np.nan),
            "second_nearest_m": 900.0,
            "facilities_in_reach": i % 3,
            "allotted_area_m2": per_100 * households / 100,
            "known_area_m2": np.nan_to_num(per_100 * households / 100),
            "area_per_100_households_m2": per_100,
            "shared_area_per_100_households_m2": 28.0,
            "in_reach": in_reach,
            "has_area": has_area,
            "meets": meets,
            "lacking_services": [("pharmacy", "childcare") if k % 4 == 0 else () for k in i],
        }
    )
    rows = []
    square_metres = Text("平方米", "m²")
    for k in range(n):
        lack = households[k] * (30.0 - per_100[k]) / 100
        for rule, status, value, target, unit, short, short_unit in (
            ("reach", in_reach[k], share[k], 0.9, UNITS["share"], 0.9 - share[k], UNITS["share"]),
            (
                "area_per_100_households",
                has_area[k],
                per_100[k],
                30.0,
                UNITS["m2_per_100_households"],
                lack,
                square_metres,
            ),
        ):
            rows.append(
                {
                    "community_id": table["community_id"][k],
                    "rule_id": rule,
                    "status": status,
                    "value": value,
                    "target": target,
                    "unit_zh": unit.zh,
                    "unit_en": unit.en,
                    "shortfall": short if status == "fail" else np.nan,
                    "shortfall_unit_zh": short_unit.zh,
                    "shortfall_unit_en": short_unit.en,
                    "near_limit": status == "fail" and rule != "reach",
                    "note_zh": "缺建筑面积" if status == "unknown" else "",
                    "note_en": "floor area missing" if status == "unknown" else "",
                    "clause": "三(二)2",
                }
            )
    covered = np.repeat(in_reach == "pass", np.bincount(demand.community, minlength=n))
    points = pd.DataFrame(
        {
            "community_id": people["community_id"].to_numpy()[demand.community],
            "lon": demand.lon,
            "lat": demand.lat,
            "households": demand.households,
            "cutoff_m": 1200.0,
            "nearest_m": np.where(covered, 600.0, np.where(np.arange(len(covered)) % 5 == 0, np.inf, 1700.0)),
            "nearest_facility_id": stations["facility_id"].to_numpy()[demand.community % len(stations)],
            "covered": covered,
            "straight_line_m": 500.0,
        }
    )
    county_area = np.nansum(table["allotted_area_m2"]) / households.sum() * 100
    indicators = pd.DataFrame(
        [
            ("reach", "county", "county", (meets == "pass").sum() / some.sum(), 1.0, 0.86, 2025, "占比", "share", 0.9),
            ("area_per_100_households", "county", "county", county_area, 30.0, 21.5, 2025, "㎡/百户", "m²/100", np.nan),
            ("reach", "township", "镇0", 0.5, 1.0, np.nan, 2025, "占比", "share", np.nan),
        ],
        columns=[
            *("rule_id", "level", "place", "value", "target", "baseline", "year", "unit_zh", "unit_en"),
            "straight_line_value",
        ],
    ).assign(status="fail", numerator=12.0, denominator=20.0, note_zh="", note_en="", low=np.nan, high=np.nan,
             step_target=[0.95, np.nan, np.nan], step_year=[2023.0, np.nan, np.nan], step_status="")  # fmt: skip
    out = points[~points["covered"]]
    gaps = []
    for rank, (community, patch) in enumerate(out.groupby("community_id"), start=1):
        gaps.append(
            {
                "gap_id": f"g{rank}",
                "rank": rank,
                "households": patch["households"].sum(),
                "community_ids": community,
                "nearest_facility_id": patch["nearest_facility_id"].iloc[0],
                "nearest_m": 1700.0,
                "excess_m": 500.0,
                "geometry": MultiPoint([Point(x, y) for x, y in zip(patch["lon"], patch["lat"], strict=True)]),
            }
        )
    verdicts = pd.DataFrame(rows)
    near = verdicts[verdicts["near_limit"]].merge(table[["community_id", "name"]], on="community_id")
    services = pd.DataFrame(
        [
            (
                "urban",
                "comprehensive",
                "综合服务设施",
                "comprehensive",
                "households",
                9,
                1000.0,
                800.0,
                0.8,
                0.9,
                700.0,
            ),
            ("urban", "pharmacy", "药店", "pharmacy", "elderly", 1, 300.0, 150.0, 0.5, 0.7, 1300.0),
        ],
        columns=[
            *("area_type", "service", "service_zh", "service_en", "group", "places", "households", "reached"),
            *("reached_share", "straight_line_share", "median_m"),
        ],
    ).assign(cutoff_m=1200.0, communities_unknown=0)
    equity = pd.DataFrame(
        [("distance_m", "all", "all", 1000.0, 0.0, 640.0, 600.0, 0.31, 1900.0)],
        columns=["measure", "kind", "group", "households", "left_out", "mean", "median", "gini", "worst_tenth_mean"],
    )
    return Scorecard(
        verdicts=verdicts,
        communities=table,
        demand=points,
        services=services,
        indicators=indicators,
        gaps=gpd.GeoDataFrame(gaps, geometry="geometry", crs="EPSG:4326"),
        equity=equity,
        near_limit=near.assign(status_if="pass", if_zh="面积增加 5 %", if_en="5 % more area"),
        unroutable=pd.DataFrame({"role": ["facility"], "id": ["way/=1"], "distance_m": [812.5]}),
        carried=pd.DataFrame({"role": ["home"], "id": ["0003"], "distance_m": [90.0], "without_m": [12.0]}),
        issues=(),
        standard=standard,
    )


def made_results(
    columns: int = 5, rows: int = 4, *, points_each: int = 9, plan: bool = True, outlines: bool = True
) -> Results:
    """Return a made-up run."""
    standard = read_standard("linyi")
    people = communities(columns, rows)
    n = len(people)
    rng = np.random.default_rng(7)
    each = np.full(n, points_each)
    each[-1] = 1
    community = np.repeat(np.arange(n), each)
    demand = DemandPoints(
        lon=people.geometry.x.to_numpy()[community] + rng.uniform(-0.45, 0.45, len(community)) * STEP,
        lat=people.geometry.y.to_numpy()[community] + rng.uniform(-0.45, 0.45, len(community)) * STEP,
        community=community.astype(np.int64),
        households=(people["households"].to_numpy() / each)[community],
        method=("boundary_buildings",) * (n - 1) + ("point",),
    )
    sites = people.iloc[::3]
    stations = gpd.GeoDataFrame(
        {
            "facility_id": [f"s{i}" for i in range(len(sites))],
            "service": ["comprehensive"] * (len(sites) - 1) + ["pharmacy"],
            "name": pd.Series([HOSTILE[i % len(HOSTILE)] for i in range(len(sites))], dtype=object),
            "floor_area_m2": 350.0,
            "activity_area_m2": np.nan,
        },
        geometry=gpd.points_from_xy(sites.geometry.x + 0.002, sites.geometry.y + 0.001),
        crs="EPSG:4326",
    )
    metric = stations.to_crs("EPSG:32648")
    circles = gpd.GeoDataFrame(
        {"facility": np.arange(len(stations)), "cutoff_m": 1200.0}, geometry=metric.buffer(900).to_crs(4326)
    )
    before = scorecard(standard, people, demand, stations)
    after = chosen = plan_circles = None
    if plan:
        after = scorecard(standard, people, demand, stations, better=12)
        chosen = made_plan(people)
        spots = gpd.GeoSeries(gpd.points_from_xy(chosen.actions["lon"], chosen.actions["lat"]), crs=4326).to_crs(32648)
        plan_circles = gpd.GeoDataFrame(
            {"facility": np.arange(len(spots)), "cutoff_m": 1200.0}, geometry=spots.buffer(900).to_crs(4326)
        )
    return Results(
        study_name="示例县 <b>Example</b> & ${x}",
        settings={"study": {"name": "示例县", "standard": "linyi"}, "plan": {"budget": 3000}},
        standard=standard,
        tables=Tables(
            communities=people,
            facilities=stations,
            candidates=people,
            allotments=pd.DataFrame({"facility_id": [], "community_id": [], "area_m2": []}),
            boundaries=boundaries(people) if outlines else None,
            buildings=None,
            issues=(),
            records=(),
        ),
        demand=demand,
        network=streets(columns, rows),
        scorecard=before,
        circles=circles,
        plan=chosen,
        after=after,
        plan_circles=plan_circles,
        issues=made_issues(),
        seconds={"read": 1.25, "score": 2.5},
        records=(SourceRecord("communities", Path("/nowhere/表.xlsx"), "0" * 64, 21, 20, "", "gcj02", "社区台账"),),
    )


def made_issues() -> tuple[Issue, ...]:
    """Return a note and, after it, a warning about a value that looks like a formula."""
    return (
        Issue("note", Text("按 GB18030 读入", "read as GB18030"), Text("", "")),
        Issue(
            "warning",
            Text("读不懂的户数", "households cannot be read"),
            Text("写成整数", "write a whole number"),
            file="表.xlsx",
            sheet="社区台账",
            row=14,
            column="户数",
            value="=约300",
        ),
    )


def made_plan(people):
    """Return a plan of two new sites and an extension."""
    actions = pd.DataFrame(
        {
            "action_id": ["a1", "a2", "a3"],
            "kind": ["candidate", "candidate", "extension"],
            "source_id": ["c1", "=c2", "s0"],
            "acquisition": ["new_build", "lease", "extension"],
            "service": "comprehensive",
            "area_m2": [600.0, 220.0, 90.0],
            "fixed_cost": [120.0, 0.0, 10.0],
            "area_cost": [240.0, 0.0, 27.0],
            "yearly_cost": [0.0, 55.5, 0.0],
            "cost": [360.0, 55.5, 37.0],
            "lon": people.geometry.x.to_numpy()[[1, 3, 6]],
            "lat": people.geometry.y.to_numpy()[[1, 3, 6]],
            "households_brought_in": [320.0, 120.0, 0.0],
            "deficit_filled_m2": [150.0, 80.0, 90.0],
            "communities_met": [3, 1, 1],
            "why_zh": ["带进 <b>320</b> 户。", "租金低。", "现有站可扩。"],
            "why_en": ["Brings in <b>320</b> households.", "Low rent.", "The station can grow."],
        }
    )
    allotments = pd.DataFrame(
        {
            "action_id": ["a1", "a1", "a2", "a3"],
            "community_id": ["0001", "0002", "0003", "0006"],
            "area_m2": [300.0, 150.0, 80.0, 90.0],
        }
    )
    unit = Text("加权户", "weighted households")
    met = Text("达标社区的加权户数最多", "most weighted households that meet")
    wan = Text("万元", "10,000 yuan")
    stages = (
        Stage("met", met, "max", 5400.0, 5410.0, 0.001, "time", 3.2, unit),
        Stage("cost", Text("费用最低", "least cost"), "min", 452.5, 452.5, 0.001, "search", 1.0, wan),
    )
    blocked = pd.DataFrame(
        [
            (
                "0013",
                "reach",
                "c9",
                2100.0,
                900.0,
                np.nan,
                "最近的候选点还远 900 米。",
                "The nearest candidate is 900 m too far.",
            )
        ],
        columns=[
            "community_id",
            "reason",
            "nearest_candidate_id",
            "nearest_m",
            "excess_m",
            "missing_m2",
            "note_zh",
            "note_en",
        ],
    )
    left_out = pd.DataFrame(
        [("a9", "c9", "purchase", 0.0, 40.0, 210.0, "补不了几平方米。", "Fills little.")],
        columns=[
            "action_id",
            "source_id",
            "acquisition",
            "households_would_bring",
            "deficit_would_fill_m2",
            "least_cost",
            "why_zh",
            "why_en",
        ],
    )
    return Plan(
        status="partial",
        actions=actions,
        allotments=allotments,
        stages=stages,
        communities=pd.DataFrame(),
        blocked=blocked,
        cuts=pd.DataFrame(
            [("k1", "0013;0018", "a1;a2", 300.0, 220.0, 80.0, "这两个社区还差 80 平方米。", "These two lack 80 m².")],
            columns=[
                *("cut_id", "community_ids", "action_ids", "asked_m2", "available_m2", "missing_m2"),
                *("note_zh", "note_en"),
            ],
        ),
        left_out=left_out,
        total_cost=452.5,
        budget=3000.0,
        options=PlanOptions(budget=3000.0),
        seconds=4.2,
        situation=None,
        curve=pd.DataFrame(
            {
                "budget": [0.0, 226.25, 452.5],
                "cost": [0.0, 200.0, 452.5],
                "weighted_households": [2400.0, 4100.0, 5400.0],
                "bound": [2400.0, 4200.0, 5410.0],
                "gap": [0.0, 0.0238, 0.0018],
                "proof": ["proven", "time", "open"],
                "communities_met": [4, 9, 13],
                "households_met": [1300.0, 2900.0, 3900.0],
            }
        ),
        phases=pd.DataFrame(
            {
                "year": [2024, 2024, 2025],
                "action_id": ["a2", "a3", "a1"],
                "source_id": ["=c2", "s0", "c1"],
                "acquisition": ["lease", "extension", "new_build"],
                "area_m2": [220.0, 90.0, 600.0],
                "cost": [55.5, 37.0, 360.0],
                "budget_so_far": [100.0, 100.0, 3000.0],
                "cost_so_far": [92.5, 92.5, 452.5],
                "communities_met": [6, 6, 13],
                "weighted_households": [3000.0, 3000.0, 5400.0],
            }
        ),
    )
