"""Everything the map page shows, as plain data: the page's script builds all it draws from this and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from siting.allocation.plan import each_row
from siting.outputs import words
from siting.outputs.figures import (
    area_target,
    cite,
    headlines,
    missing_area_m2,
    verdict_codes,
)
from siting.outputs.layers import community_shapes
from siting.outputs.maps import shapes, told
from siting.outputs.maps.phrases import PHRASES
from siting.outputs.maps.told import TEXT_LIMIT, Pair, number, pair
from siting.outputs.numbers import format_figure, format_number, is_missing, is_share
from siting.outputs.plain import clean_text
from siting.outputs.styles import (
    CIRCLE_COLOUR,
    OUTSIDE_COLOUR,
    PLAN_COLOUR,
    STATION_COLOUR,
    VERDICT_COLOURS,
)
from siting.text import Lang, Text

if TYPE_CHECKING:
    from siting.coverage import Scorecard
    from siting.outputs.results import Results

_STATUSES = ("pass", "fail", "unknown", "not_applicable", "")


class _Pool:
    """Texts that occur many times, kept once and named by their number."""

    def __init__(self) -> None:
        self.texts: list[Pair] = []
        self._numbers: dict[tuple[str, str], int] = {}

    def number(self, zh: object, en: object) -> int:
        """Return the number of a text in both languages."""
        key = clean_text(zh, limit=TEXT_LIMIT), clean_text(en, limit=TEXT_LIMIT)
        if key not in self._numbers:
            self._numbers[key] = len(self.texts)
            self.texts.append(list(key))
        return self._numbers[key]


def payload(results: Results, lang: Lang = "zh") -> dict[str, Any]:
    """Return what the page shows; the same results give the same data.

    Parameters
    ----------
    results
        What the run found.
    lang
        The language the page opens in.

    Returns
    -------
    dict
        Only text, numbers, lists and mappings; missing figures are null.
    """
    pool = _Pool()
    bounds = study_bounds(results)
    data = {
        "lang": lang,
        "study": clean_text(results.study_name, limit=200),
        "standard": [*pair(results.standard.name), results.standard.document],
        "bounds": [round(number, 5) for number in bounds],
        "scale": shapes.SCALE,
        "words": {key: pair(text) for key, text in PHRASES.items()},
        "verdicts": [[key, *pair(text), VERDICT_COLOURS[key]] for key, text in words.VERDICT.items()],
        "targets": {
            "area": area_target(results.standard),
            "share": results.standard.value("reach_share"),
        },
        "statuses": [[key, *pair(words.STATUS[key])] for key in _STATUSES[:4]],
        "colours": {
            "circle": CIRCLE_COLOUR,
            "plan": PLAN_COLOUR,
            "outside": OUTSIDE_COLOUR,
            "station": STATION_COLOUR,
        },
        "services": {service.id: pair(service.name) for service in results.standard.services},
        "areaTypes": {key: pair(text) for key, text in words.AREA_TYPE.items()},
        "rules": [[*pair(rule.name), *pair(cite(rule))] for rule in results.standard.rules],
        "headlines": [told.headline(figure) for figure in headlines(results)],
        "indicators": told.indicators(results),
        "communities": _communities(results, pool),
        "facilities": _facilities(results),
        "circles": _circles(results),
        "gaps": [_gaps(card) for card in (results.scorecard, results.after) if card is not None],
        "homes": _homes(results),
        "roads": [shapes.encode_line(line) for line in shapes.road_lines(results.network, bounds)],
        "plan": None if results.plan is None else told.plan(results.plan),
        "about": told.about(results),
    }
    return {**data, "pool": pool.texts}


def study_bounds(results: Results) -> tuple[float, float, float, float]:
    """Return what must be in sight: communities, boundaries and homes.

    Parameters
    ----------
    results
        What the run found.

    Returns
    -------
    tuple of float
        West, south, east, north, degrees; all of China where there is nothing.
    """
    tables = [results.tables.communities.geometry.to_crs("EPSG:4326")]
    boundaries = community_shapes(results)
    if boundaries is not None:
        tables.append(boundaries)
    demand = results.demand
    boxes = np.array([table.total_bounds for table in tables])
    lon, lat = np.asarray(demand.lon), np.asarray(demand.lat)
    if len(lon):
        boxes = np.vstack([boxes, [lon.min(), lat.min(), lon.max(), lat.max()]])
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    if not len(boxes):
        return (73.0, 3.0, 135.0, 54.0)
    west, south = boxes[:, :2].min(axis=0)
    east, north = boxes[:, 2:].max(axis=0)
    return float(west), float(south), float(east), float(north)


def _communities(results: Results, pool: _Pool) -> list[dict[str, Any]]:
    """Return one record a community: its place, its figures now and after, its verdict on each rule."""
    table = results.tables.communities
    points = table.geometry.to_crs("EPSG:4326")
    boundaries = community_shapes(results)
    drawn = None if boundaries is None else shapes.simplified(boundaries, 6.0, results.network.crs)
    cards = [card for card in (results.scorecard, results.after) if card is not None]
    states = [_states(card) for card in cards]
    rules = _rule_rows(results, pool)
    out = []
    for i, row in enumerate(each_row(results.scorecard.communities)):
        record: dict[str, Any] = {
            "id": clean_text(row.community_id, limit=60),
            "name": clean_text(row.name, limit=120),
            "type": row.area_type,
            "township": clean_text(row.township, limit=60),
            "households": number(row.households),
            "at": [number(points.iloc[i].x, 5), number(points.iloc[i].y, 5)],
            "states": [state[i] for state in states],
            "straight": number(row.straight_line_share, 6),
            "lacking": list(row.lacking_services),
            "rules": rules.get(row.community_id, []),
        }
        if drawn is not None:
            record["shape"] = shapes.encode_polygons(drawn.iloc[i])
        out.append(record)
    return out


def _states(card: Scorecard) -> list[list[Any]]:
    """Return what changes with the plan: verdict, share, distance, farthest, area per 100, area missing."""
    order = list(words.VERDICT)
    codes, missing = verdict_codes(card), missing_area_m2(card)
    target = card.standard.rule("area_per_100_households").target
    return [
        [
            order.index(code),
            number(row.reached_share, 6),
            number(row.nearest_m),
            number(row.farthest_m),
            format_number(row.area_per_100_households_m2, "m2_per_100_households", against=target),
            number(row.area_per_100_households_m2, 2),
            number(lack, 1),
        ]
        for row, code, lack in zip(each_row(card.communities), codes, missing, strict=True)
    ]


def _rule_rows(results: Results, pool: _Pool) -> dict[str, list[list[Any]]]:
    """Return for each community its rules.

    Each is rule, status, value, target, shortfall, unit, note, near the limit, status after, value after.
    """
    numbers = {rule.id: number for number, rule in enumerate(results.standard.rules)}
    later: dict[tuple[str, str], tuple[str, Any]] = {}
    if results.after is not None:
        for row in each_row(results.after.verdicts):
            later[row.community_id, row.rule_id] = (row.status, row.value)
    out: dict[str, list[list[Any]]] = {}
    for row in each_row(results.scorecard.verdicts):
        if row.status == "not_applicable" or row.rule_id not in numbers:
            continue
        unit: str | Text = "share" if row.unit_en in ("share", "%") else Text(row.unit_zh, row.unit_en)
        status, value = later.get((row.community_id, row.rule_id), ("", None))
        out.setdefault(row.community_id, []).append(
            [
                numbers[row.rule_id],
                _STATUSES.index(row.status),
                _digits(row.value, unit, row.target),
                _digits(row.target, unit, None),
                _shortfall(row),
                pool.number("%", "%") if unit == "share" else pool.number(row.unit_zh, row.unit_en),
                pool.number(row.note_zh, row.note_en),
                int(bool(row.near_limit)),
                _STATUSES.index(status),
                _digits(value, unit, row.target),
            ]
        )
    return out


def _shortfall(row: Any) -> Pair:
    """Return what is missing with its own unit, empty where nothing is or where it is not known."""
    if is_missing(row.shortfall):
        return ["", ""]
    names = Text(row.shortfall_unit_zh, row.shortfall_unit_en)
    unit: str | Text = "share" if is_share(names) else names
    return [format_figure(row.shortfall, unit, lang, against=0.0) for lang in ("zh", "en")]


def _digits(value: object, unit: str | Text, against: object) -> str:
    """Return the digits of a figure, empty where it is missing."""
    return "" if is_missing(value) else format_number(value, unit, against=against)


def _facilities(results: Results) -> list[list[Any]]:
    """Return the facilities: id, name, service, place, floor area, whether it counts."""
    table = results.tables.facilities
    points = table.geometry.to_crs("EPSG:4326")
    counted = results.standard.counted_services
    return [
        [
            clean_text(row.facility_id, limit=60),
            clean_text(row.name, limit=120),
            row.service,
            number(point.x, 5),
            number(point.y, 5),
            number(row.floor_area_m2, 1),
            int(row.service in counted),
        ]
        for row, point in zip(each_row(table), points, strict=True)
    ]


def _circles(results: Results) -> dict[str, Any]:
    """Return the circles: for each cutoff what is covered today and what the plan adds, and the single ones."""
    crs, tables = results.network.crs, (results.circles, results.plan_circles)
    grounds = []
    for cutoff in sorted({cutoff for table in tables if table is not None for cutoff in table["cutoff_m"]}):
        here = [None if table is None else table.geometry[table["cutoff_m"] == cutoff] for table in tables]
        grounds.append(
            [number(cutoff, 1), *map(shapes.encode_polygons, shapes.ground_covered(here[0], here[1], 8.0, crs))]
        )
    single = []
    for table in tables:
        drawn = [] if table is None else shapes.simplified(table.geometry, 12.0, crs)
        rows = [] if table is None else table["facility"].tolist()
        single.append([[int(row), shapes.encode_polygons(shape)] for row, shape in zip(rows, drawn, strict=True)])
    return {"grounds": grounds, "single": single[0], "planned": single[1]}


def _gaps(card: Scorecard) -> list[list[Any]]:
    """Return the gaps: rank, households, communities, nearest facility, distance, excess, place, outline."""
    gaps = card.gaps.to_crs("EPSG:4326").sort_values("rank", kind="stable")
    out = []
    for row, shape in zip(each_row(gaps), gaps.geometry, strict=True):
        middle = shape.representative_point()
        out.append(
            [
                int(row.rank),
                number(row.households),
                [clean_text(part, limit=60) for part in str(row.community_ids).split(";")],
                clean_text(row.nearest_facility_id, limit=60),
                number(row.nearest_m),
                number(row.excess_m),
                number(middle.x, 5),
                number(middle.y, 5),
                shapes.encode_polygons(shape),
            ]
        )
    return out


def _homes(results: Results) -> dict[str, Any]:
    """Return where households are and which are inside, now and after: one digit a point, bit 0 now, bit 1 after."""
    points = results.scorecard.demand
    some = points["households"].to_numpy(float) > 0
    mark = points["covered"].to_numpy(bool).astype(np.int64)
    if results.after is not None:
        mark = mark + 2 * results.after.demand["covered"].to_numpy(bool).astype(np.int64)
    lon, lat, mark = shapes.thin_points(
        points["lon"].to_numpy(float)[some], points["lat"].to_numpy(float)[some], mark[some]
    )
    return {"at": shapes.encode_points(lon, lat), "mark": "".join(map(str, mark.tolist()))}
