"""What the panel of the map tells: headlines, indicators, the plan, and what lies behind the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from siting.allocation.plan import each_row
from siting.outputs import words
from siting.outputs.background import DEFINITIONS, count_issues, spread_note
from siting.outputs.figures import both_languages, indicator_table
from siting.outputs.numbers import format_figure, format_number, is_missing, is_share
from siting.outputs.plain import clean_text
from siting.standards.table import show_assumption
from siting.text import Text

if TYPE_CHECKING:
    import pandas as pd

    from siting.allocation.plan import Plan
    from siting.outputs.results import Results

Pair = list[str]
TEXT_LIMIT = 400


def pair(text: Text) -> Pair:
    """Return a text as Chinese and English."""
    return [clean_text(text.zh, limit=TEXT_LIMIT), clean_text(text.en, limit=TEXT_LIMIT)]


def number(value: object, digits: int = 0) -> float | int | None:
    """Return a figure as the page holds it: rounded, or null where it is missing."""
    if is_missing(value):
        return None
    number = round(float(value), digits)  # type: ignore[arg-type]
    return int(number) if number.is_integer() else number


def plan(made: Plan) -> dict[str, Any]:
    """Return the plan: its status, its cost, its stages with their bounds, its actions, and what blocks."""
    shares = made.allotments.groupby("action_id", sort=False)
    given = {key: [[r.community_id, number(r.area_m2, 1)] for r in each_row(rows)] for key, rows in shares}
    actions = [
        {
            "id": clean_text(row.source_id, limit=60),
            "how": pair(words.ACQUISITION.get(row.acquisition, Text(row.acquisition, row.acquisition))),
            "new": int(row.kind == "candidate"),
            "at": [number(row.lon, 5), number(row.lat, 5)],
            "area": format_number(row.area_m2, "m2"),
            "cost": format_number(row.cost, "wan_yuan"),
            "brings": format_number(row.households_brought_in, "households"),
            "fills": format_number(row.deficit_filled_m2, "m2"),
            "given": given.get(row.action_id, []),
            "worth": [clean_text(getattr(row, f"note_{lang}", ""), limit=600) for lang in ("zh", "en")],
            "why": [clean_text(row.why_zh, limit=1000), clean_text(row.why_en, limit=1000)],
        }
        for row in each_row(made.actions)
    ]
    return {
        "status": pair(words.PLAN_STATUS[made.status]),
        "cost": format_number(made.total_cost, "wan_yuan", against=made.budget),
        "budget": None if made.budget is None else format_number(made.budget, "wan_yuan"),
        "stages": [_stage(stage) for stage in made.stages],
        "actions": actions,
        "blocked": _blocked(made.blocked),
        "curve": _curve(made.curve),
        "phases": _phases(made.phases),
    }


def _stage(stage: Any) -> dict[str, Any]:
    """Return one stage in words."""
    unit = "share" if stage.unit.en in ("share", "%") else stage.unit
    return {
        "name": pair(stage.name),
        "value": [format_figure(stage.value, unit, lang) for lang in ("zh", "en")],
        "bound": [format_figure(stage.bound, unit, lang) for lang in ("zh", "en")],
        "gap": format_number(stage.gap, "share"),
        "proof": pair(words.PROOF[stage.proof]),
    }


def _curve(table: pd.DataFrame | None) -> list[list[Any]]:
    """Return the cost curve: budget, weighted households that meet, bound, communities that meet."""
    if table is None:
        return []
    return [
        [number(row.budget, 1), number(row.weighted_households, 1), number(row.bound, 1), number(row.communities_met)]
        for row in each_row(table)
    ]


def _phases(table: pd.DataFrame | None) -> list[list[Any]]:
    """Return the years: year, actions of it, cost so far, communities that meet by its end, its sites."""
    if table is None:
        return []
    return [
        [
            int(rows["year"].iloc[0]),
            len(rows),
            format_number(rows["cost_so_far"].iloc[-1], "wan_yuan"),
            number(rows["communities_met"].iloc[-1]),
            [clean_text(site, limit=60) for site in rows["source_id"]],
        ]
        for _, rows in table.groupby("year", sort=True)
    ]


def _blocked(table: pd.DataFrame) -> list[list[Any]]:
    """Return the communities that the plan cannot help: id, reason, note in both languages."""
    return [
        [
            clean_text(row.community_id, limit=60),
            pair(words.BLOCK_REASON.get(row.reason, Text(row.reason, row.reason))),
            [clean_text(row.note_zh, limit=600), clean_text(row.note_en, limit=600)],
        ]
        for row in each_row(table)
    ]


def _role(role: str) -> Pair:
    """Return what a table is for."""
    return pair(words.ROLE.get(role, Text(role, role)))


def about(results: Results) -> dict[str, Any]:
    """Return definitions, assumptions, inputs and the number of issues."""
    unroutable = results.scorecard.unroutable
    return {
        "definitions": [[*pair(name), *pair(text)] for name, text in DEFINITIONS],
        "assumptions": [
            [*pair(words.assumption_name(a.name)), show_assumption(a, "zh"), show_assumption(a, "en"),
             *pair(both_languages(a.source))]
            for a in results.standard.assumptions.values()
        ],
        "inputs": [
            [_role(r.role), clean_text(r.path.name, limit=120), int(r.rows_read),
             int(r.rows_kept)]
            for r in results.records
        ],
        "spread": pair(spread_note(results)),
        "issues": [count_issues(results, [name]) for name in ("error", "warning", "note")],
        "unroutable": [
            [_role(row.role), clean_text(row.id, limit=80), number(row.distance_m)]
            for row in each_row(unroutable)
        ],
    }  # fmt: skip


def headline(figure: Any) -> dict[str, Any]:
    """Return one headline, its figures already in words."""
    texts = {}
    for name in ("now", "after", "of", "target", "straight"):
        value = getattr(figure, name)
        texts[name] = None if is_missing(value) else format_number(value, figure.unit, against=figure.target)
    share = None
    whole = 1.0 if is_share(figure.unit) else figure.of if not is_missing(figure.of) else figure.target
    if not is_missing(whole) and whole:
        share = [number(min(value / whole, 1.0), 4) for value in (figure.now, figure.after)]
    unit = Text("%", "%") if is_share(figure.unit) else words.unit_text(figure.unit)
    return {"id": figure.id, "name": pair(figure.name), "unit": pair(unit), "source": pair(figure.source),
            "share": share, **texts}  # fmt: skip


def indicators(results: Results) -> list[dict[str, Any]]:
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
    return [None if is_missing(figure) else number(float(figure) / top, 4) for figure in (value, after, target)]  # type: ignore[arg-type]
