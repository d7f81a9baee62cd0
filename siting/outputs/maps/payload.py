"""Everything the map page shows, as plain data: the page's script builds all it draws from this and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from siting.outputs import words
from siting.outputs.background import DEFINITIONS, count_issues, spread_note
from siting.outputs.figures import (
    both_languages,
    cite,
    headlines,
    indicator_table,
    missing_area_m2,
    verdict_codes,
)
from siting.outputs.layers import community_shapes
from siting.outputs.maps import shapes
from siting.outputs.maps.phrases import PHRASES
from siting.outputs.numbers import format_figure, format_number, is_missing, is_share
from siting.outputs.plain import clean_text
from siting.outputs.sheet import each_row
from siting.outputs.styles import (
    CIRCLE_COLOUR,
    OUTSIDE_COLOUR,
    PLAN_COLOUR,
    STATION_COLOUR,
    VERDICT_COLOURS,
)
from siting.text import Lang, Text

if TYPE_CHECKING:
    import pandas as pd

    from siting.allocation.plan import Plan
    from siting.coverage import Scorecard
    from siting.outputs.results import Results

Pair = list[str]
_TEXT_LIMIT = 400
_STATUSES = ("pass", "fail", "unknown", "not_applicable", "")


class _Pool:
    """Texts that occur many times, kept once and named by their number."""

    def __init__(self) -> None:
        self.texts: list[Pair] = []
        self._numbers: dict[tuple[str, str], int] = {}

    def number(self, zh: object, en: object) -> int:
        """Return the number of a text in both languages."""
        key = clean_text(zh, limit=_TEXT_LIMIT), clean_text(en, limit=_TEXT_LIMIT)
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
        "standard": [*_pair(results.standard.name), results.standard.document],
        "bounds": [round(number, 5) for number in bounds],
        "scale": shapes.SCALE,
        "words": {key: _pair(text) for key, text in PHRASES.items()},
        "verdicts": [[key, *_pair(text), VERDICT_COLOURS[key]] for key, text in words.VERDICT.items()],
        "statuses": [[key, *_pair(words.STATUS[key])] for key in _STATUSES[:4]],
        "colours": {
            "circle": CIRCLE_COLOUR,
            "plan": PLAN_COLOUR,
            "outside": OUTSIDE_COLOUR,
            "station": STATION_COLOUR,
        },
        "services": {service.id: _pair(service.name) for service in results.standard.services},
        "areaTypes": {key: _pair(text) for key, text in words.AREA_TYPE.items()},
        "rules": [[*_pair(rule.name), *_pair(cite(rule))] for rule in results.standard.rules],
        "headlines": [_headline(figure) for figure in headlines(results)],
        "indicators": _indicators(results),
        "communities": _communities(results, pool),
        "facilities": _facilities(results),
        "circles": _circles(results),
        "gaps": _gaps(results.scorecard),
        "homes": _homes(results),
        "roads": [shapes.encode_line(line) for line in shapes.road_lines(results.network, bounds)],
        "plan": None if results.plan is None else _plan(results, results.plan),
        "about": _about(results),
    }
    return {**data, "pool": pool.texts}


def _pair(text: Text) -> Pair:
    """Return a text as Chinese and English."""
    return [clean_text(text.zh, limit=_TEXT_LIMIT), clean_text(text.en, limit=_TEXT_LIMIT)]


def _number(value: object, digits: int = 0) -> float | int | None:
    """Return a figure as the page holds it: rounded, or null where it is missing."""
    if is_missing(value):
        return None
    number = round(float(value), digits)  # type: ignore[arg-type]
    return int(number) if number.is_integer() else number


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


def _headline(figure: Any) -> dict[str, Any]:
    """Return one headline, its figures already in words."""
    texts = {}
    for name in ("now", "after", "of", "target", "straight"):
        value = getattr(figure, name)
        texts[name] = None if is_missing(value) else format_number(value, figure.unit, against=figure.target)
    share = None
    whole = 1.0 if is_share(figure.unit) else figure.of if not is_missing(figure.of) else figure.target
    if not is_missing(whole) and whole:
        share = [_number(min(value / whole, 1.0), 4) for value in (figure.now, figure.after)]
    unit = Text("%", "%") if is_share(figure.unit) else words.unit_text(figure.unit)
    return {"id": figure.id, "name": _pair(figure.name), "unit": _pair(unit), "source": _pair(figure.source),
            "share": share, **texts}  # fmt: skip


def _indicators(results: Results) -> list[dict[str, Any]]:
    """Return the county's indicators that have a value or a target."""
    table = indicator_table(results)
    table = table[table["place"].eq("county")]
    out = []
    for row in each_row(table):
        unit = "share" if row.unit_en in ("share", "%") else Text(row.unit_zh, row.unit_en)
        texts = {
            name: None
            if is_missing(getattr(row, column))
            else format_number(getattr(row, column), unit, against=row.target)
            for name, column in (("now", "value"), ("after", "after"), ("target", "target"), ("baseline", "baseline"))
        }
        out.append(
            {
                "name": [row.name_zh, row.name_en],
                "unit": ["%", "%"] if unit == "share" else [row.unit_zh, row.unit_en],
                "status": [row.status, row.status_after],
                "source": [row.source_zh, row.source_en],
                "note": [clean_text(row.note_zh), clean_text(row.note_en)],
                "bar": _bar(row.value, row.after, row.target),
                **texts,
            }
        )
    return out


def _bar(value: object, after: object, target: object) -> list[float | int | None] | None:
    """Return value, after and target on one scale of 0–1 for a drawn bar; None without a target."""
    if is_missing(target) or float(target) <= 0:  # type: ignore[arg-type]
        return None
    known = [float(figure) for figure in (value, after, target) if not is_missing(figure)]  # type: ignore[arg-type]
    top = max([*known, float(target) * 1.15])  # type: ignore[arg-type]
    return [None if is_missing(figure) else _number(float(figure) / top, 4) for figure in (value, after, target)]  # type: ignore[arg-type]


def _communities(results: Results, pool: _Pool) -> list[dict[str, Any]]:
    """Return one record a community: its place, its figures now and after, its verdict on each rule."""
    table = results.tables.communities
    points = table.geometry.to_crs("EPSG:4326")
    boundaries = community_shapes(results)
    drawn = None if boundaries is None else shapes.simplified(boundaries, 6.0)
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
            "households": _number(row.households),
            "at": [_number(points.iloc[i].x, 5), _number(points.iloc[i].y, 5)],
            "states": [state[i] for state in states],
            "straight": _number(row.straight_line_share, 3),
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
            _number(row.reached_share, 4),
            _number(row.nearest_m),
            _number(row.farthest_m),
            format_number(row.area_per_100_households_m2, "m2_per_100_households", against=target),
            _number(row.area_per_100_households_m2, 2),
            _number(lack, 1),
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
            _number(point.x, 5),
            _number(point.y, 5),
            _number(row.floor_area_m2, 1),
            int(row.service in counted),
        ]
        for row, point in zip(each_row(table), points, strict=True)
    ]


def _circles(results: Results) -> dict[str, Any]:
    """Return the circles: the union for each cutoff now and with the plan, and the single ones by facility."""
    now, plan = results.circles, results.plan_circles
    unions = []
    for cutoff in sorted(set(now["cutoff_m"]) | set([] if plan is None else plan["cutoff_m"])):
        here = now[now["cutoff_m"] == cutoff].geometry.to_crs("EPSG:4326")
        states = [shapes.encode_polygons(shapes.union_of(here, 8.0))]
        if plan is not None:
            more = plan[plan["cutoff_m"] == cutoff].geometry.to_crs("EPSG:4326")
            states.append(shapes.encode_polygons(shapes.union_of(shapes.joined(here, more), 8.0)))
        unions.append([_number(cutoff, 1), states])
    single = []
    for table in (now, plan):
        drawn = [] if table is None else shapes.simplified(table.geometry, 12.0)
        rows = [] if table is None else table["facility"].tolist()
        single.append([[int(row), shapes.encode_polygons(shape)] for row, shape in zip(rows, drawn, strict=True)])
    return {"unions": unions, "single": single[0], "planned": single[1]}


def _gaps(card: Scorecard) -> list[list[Any]]:
    """Return the gaps: rank, households, communities, nearest facility, distance, excess, place, outline."""
    gaps = card.gaps.to_crs("EPSG:4326").sort_values("rank", kind="stable")
    out = []
    for row, shape in zip(each_row(gaps), gaps.geometry, strict=True):
        middle = shape.representative_point()
        out.append(
            [
                int(row.rank),
                _number(row.households),
                [clean_text(part, limit=60) for part in str(row.community_ids).split(";")],
                clean_text(row.nearest_facility_id, limit=60),
                _number(row.nearest_m),
                _number(row.excess_m),
                _number(middle.x, 5),
                _number(middle.y, 5),
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


def _plan(results: Results, plan: Plan) -> dict[str, Any]:
    """Return the plan: its status, its cost, its stages with their bounds, its actions, and what blocks."""
    shares = plan.allotments.groupby("action_id", sort=False)
    given = {key: [[r.community_id, _number(r.area_m2, 1)] for r in each_row(rows)] for key, rows in shares}
    actions = [
        {
            "id": clean_text(row.source_id, limit=60),
            "how": _pair(words.ACQUISITION.get(row.acquisition, Text(row.acquisition, row.acquisition))),
            "new": int(row.kind == "candidate"),
            "at": [_number(row.lon, 5), _number(row.lat, 5)],
            "area": format_number(row.area_m2, "m2"),
            "cost": format_number(row.cost, "wan_yuan"),
            "brings": format_number(row.households_brought_in, "households"),
            "fills": format_number(row.deficit_filled_m2, "m2"),
            "given": given.get(row.action_id, []),
            "why": [clean_text(row.why_zh, limit=1000), clean_text(row.why_en, limit=1000)],
        }
        for row in each_row(plan.actions)
    ]
    return {
        "status": _pair(words.PLAN_STATUS[plan.status]),
        "cost": format_number(plan.total_cost, "wan_yuan"),
        "budget": None if plan.budget is None else format_number(plan.budget, "wan_yuan"),
        "stages": [_stage(stage) for stage in plan.stages],
        "actions": actions,
        "blocked": _blocked(plan.blocked),
    }


def _stage(stage: Any) -> dict[str, Any]:
    """Return one stage in words."""
    unit = "share" if stage.unit.en in ("share", "%") else stage.unit
    return {
        "name": _pair(stage.name),
        "value": [format_figure(stage.value, unit, lang) for lang in ("zh", "en")],
        "bound": [format_figure(stage.bound, unit, lang) for lang in ("zh", "en")],
        "gap": format_number(stage.gap, "share"),
        "proven": int(bool(stage.proven)),
    }


def _blocked(table: pd.DataFrame) -> list[list[Any]]:
    """Return the communities that the plan cannot help: id, reason, note in both languages."""
    return [
        [
            clean_text(row.community_id, limit=60),
            _pair(words.BLOCK_REASON.get(row.reason, Text(row.reason, row.reason))),
            [clean_text(row.note_zh, limit=600), clean_text(row.note_en, limit=600)],
        ]
        for row in each_row(table)
    ]


def _role(role: str) -> Pair:
    """Return what a table is for."""
    return _pair(words.ROLE.get(role, Text(role, role)))


def _about(results: Results) -> dict[str, Any]:
    """Return definitions, assumptions, inputs and the number of issues."""
    unroutable = results.scorecard.unroutable
    return {
        "definitions": [[*_pair(name), *_pair(text)] for name, text in DEFINITIONS],
        "assumptions": [
            [*_pair(words.assumption_name(a.name)), f"{a.value:g}", a.unit, *_pair(both_languages(a.source))]
            for a in results.standard.assumptions.values()
        ],
        "inputs": [
            [_role(r.role), clean_text(r.path.name, limit=120), int(r.rows_read),
             int(r.rows_kept)]
            for r in results.records
        ],
        "spread": _pair(spread_note(results)),
        "issues": [count_issues(results, [name]) for name in ("error", "warning", "note")],
        "unroutable": [
            [_role(row.role), clean_text(row.id, limit=80), _number(row.distance_m)]
            for row in each_row(unroutable)
        ],
    }  # fmt: skip
