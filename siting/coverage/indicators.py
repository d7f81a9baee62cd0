"""The policy indicators of the county and of each township: value, bounds, verdict, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from siting.coverage.area import Allotment
from siting.coverage.measures import measure
from siting.coverage.units import ROUNDING, County, Figures, Flags
from siting.standards.model import UNITS, Rule, Standard
from siting.text import Text

COLUMNS = [
    "rule_id",
    "level",
    "place",
    "value",
    "low",
    "high",
    "target",
    "baseline",
    "year",
    "step_target",
    "step_year",
    "step_status",
    "unit_zh",
    "unit_en",
    "status",
    "numerator",
    "denominator",
    "straight_line_value",
    "note_zh",
    "note_en",
]
COUNTY = "county"
# Rules that are no figure of a place: a principle, the size of the country, what each action of a plan must keep.
_NO_FIGURE = ("new_build_min_area",)
_UNITS_OF_LEVEL = {"facility": Text("处设施", "facilities"), "township": Text("个乡镇", "townships")}


def indicators(
    communities: pd.DataFrame,
    facilities: pd.DataFrame,
    allotment: Allotment,
    access_by_community: pd.DataFrame | None,
    standard: Standard,
    *,
    allotments: pd.DataFrame | None = None,
    year: int | None = None,
) -> pd.DataFrame:
    """Return every indicator of a standard for the county and each township, against baseline and target.

    Equal to the target is a pass. A figure that is missing leaves the value unknown (NaN) and its bounds, ``low`` and
    ``high``, known; the status is pass or fail only where the bounds settle it. A rule that applies to nobody in the
    county is not applicable, and so is one whose document sets no target; a township that it does not concern has no
    row. Communities without households are in no count of communities, but their square metres, workers and residents
    are in the sums. What no table can answer is unknown, with the column that would.

    Parameters
    ----------
    communities, facilities
        The checked tables.
    allotment
        What each community is allotted, from `siting.coverage.area.allot`.
    access_by_community
        One row a community: ``reached_share`` and ``straight_line_share`` of the comprehensive facility, and
        ``reached_share_SERVICE``, ``straight_line_share_SERVICE`` of each of the services that
        `siting.coverage.units.services_measured` names. None when no distances were measured.
    standard
        The standard.
    allotments
        The allotments table, or None.
    year
        The year to judge the steps towards a target by: ``step_status`` is against the last step due by then. None
        takes the last step of all.

    Returns
    -------
    DataFrame
        ``rule_id``, ``level`` (``county``, ``township``), ``place`` (``county`` or the township), ``value``, ``low``,
        ``high``, ``target``, ``baseline`` (of the county rows), ``year``, ``step_target``, ``step_year``,
        ``step_status``, ``unit_zh``, ``unit_en``, ``status``, ``numerator``, ``denominator``, ``straight_line_value``,
        ``note_zh``, ``note_en``. By rule in the order of the standard, the county before its townships in their order.
    """
    county = County(communities, facilities, allotments, allotment, access_by_community, standard)
    names = [name for name in dict.fromkeys(communities["township"]) if name]
    rows: list[dict[str, object]] = []
    for rule in standard.rules:
        if rule.measure == "recorded":
            rows += [_recorded_row(rule)] if rule.target is not None else []
        elif rule.measure not in _NO_FIGURE:
            rows += _rows_of(rule, county, names, year)
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows_of(rule: Rule, county: County, townships: list[str], year: int | None) -> Iterator[dict[str, object]]:
    figures = measure(rule, county)
    everything = np.ones(len(figures.low), dtype=bool)
    yield _row(rule, _total(rule, figures, everything, county.standard), COUNTY, year)
    if rule.level == "township":
        return
    at = pd.Index(townships).get_indexer(pd.Index(figures.township))  # numbers compare far faster than names
    for number, name in enumerate(townships):
        here = at == number
        if here.any():
            yield _row(rule, _total(rule, figures, here, county.standard), name, year)


@dataclass(frozen=True, slots=True)
class _Total:
    """The figure of one place: bounds, numerator and denominator (NaN where unknown), notes."""

    low: float
    high: float
    numerator: float
    denominator: float
    straight: float
    applies: bool
    goal: float | None
    unit: Text
    notes: tuple[Text, ...]


def _total(rule: Rule, figures: Figures, here: Flags, standard: Standard) -> _Total:
    """Return the figure of the units of one place, formed as the rule says."""
    if rule.county_figure == "share":
        low, high, numerator, denominator, straight = _share_of_units(rule, figures, here)
    else:
        low, high, numerator, denominator, straight = _ratio_of_sums(rule, figures, here)
    counts_units = rule.county_figure == "share" and np.isfinite(figures.unit_target)
    goal = rule.target
    if counts_units and rule.measure != "area_standard_share":
        goal = 1.0
    return _Total(
        low=low,
        high=high,
        numerator=numerator,
        denominator=denominator,
        straight=straight,
        applies=bool(here.any()) and denominator != 0,
        goal=goal,
        unit=UNITS["share"] if counts_units else rule.unit,
        notes=(*_share_note(rule, figures, counts_units), *_missing_notes(rule, figures, here, standard)),
    )


def _ratio_of_sums(rule: Rule, figures: Figures, here: Flags) -> tuple[float, float, float, float, float]:
    """Return bounds, numerator, denominator and straight-line value of a ratio of sums; a mean is one over units."""
    least, most = float(figures.low[here].sum()), float(figures.high[here].sum()) + figures.spare
    below, above = float(figures.denominator_low[here].sum()), float(figures.denominator_high[here].sum())
    low = least / above if 0 < above < np.inf else 0.0
    high = most / below if below else (np.inf if most or above else 0.0)
    if rule.is_share:
        high = min(high, 1.0)
    straight = float(figures.straight[here].sum()) / below if below == above and below > 0 else np.nan
    return low, high, _known(least, most), _known(below, above), straight


def _share_of_units(rule: Rule, figures: Figures, here: Flags) -> tuple[float, float, float, float, float]:
    """Return bounds, numerator, denominator and straight-line value of the share of units that meet the rule.

    A unit of which it is not known whether the rule concerns it counts where it makes the bound wider.
    """
    goal = figures.unit_target if np.isfinite(figures.unit_target) else 1.0
    low_ratio = _divided(figures.low[here], figures.denominator_high[here])
    high_ratio = _divided(figures.high[here], figures.denominator_low[here])
    meets, may = _reaches(low_ratio, goal, rule), _reaches(high_ratio, goal, rule)
    if rule.direction == "at_most":
        meets, may = may, meets
    maybe = figures.maybe[here]
    extra = 0.0
    if figures.spare > 0:
        lacking = int((~may).sum())
        extra = min(figures.spare, lacking) if figures.ceiling == 1.0 else float(lacking)
    sure = ~maybe
    low = _share(float(meets[sure].sum()), float(sure.sum()) + float((maybe & ~meets).sum()))
    high = min(_share(float(may[sure].sum()) + float((maybe & may).sum()) + extra, float((sure | may).sum())), 1.0)
    if not sure.any() and maybe.any():
        low, high = 0.0, 1.0
    count = float(here.sum()) if not maybe.any() else np.nan
    straight = figures.straight[here]
    line = float(_reaches(straight, goal, rule).mean()) if here.any() and not np.isnan(straight).any() else np.nan
    known = np.array_equal(meets, may) and not extra and not maybe.any()
    numerator = float(meets.sum()) if known else np.nan
    return low, high, numerator, count, line


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _divided(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Return a ratio by unit; with a denominator of 0 it is inf, and 0 where there is no numerator either."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = numerator / denominator
    return np.where(np.isnan(ratio), 0.0, ratio)


def _reaches(values: np.ndarray, goal: float, rule: Rule) -> Flags:
    """Return whether values keep a goal; equal keeps it."""
    room = ROUNDING * max(1.0, abs(goal))
    return np.asarray(values >= goal - room if rule.direction == "at_least" else values <= goal + room, dtype=bool)


def _known(low: float, high: float) -> float:
    return low if low == high else np.nan


def _status(total: _Total, goal: float | None, rule: Rule) -> str:
    """Return the three-valued verdict: pass and fail only where both bounds agree."""
    if not total.applies or goal is None:
        return "not_applicable"
    kept = _reaches(np.array([total.low, total.high]), goal, rule)
    if kept.all():
        return "pass"
    return "unknown" if kept.any() else "fail"


def _row(rule: Rule, total: _Total, place: str, year: int | None) -> dict[str, object]:
    step = rule.steps[-1] if rule.steps and year is None else None
    due = [one for one in rule.steps if year is not None and one.year <= year]
    step = due[-1] if due else step
    exact = total.applies and abs(total.high - total.low) <= ROUNDING * max(1.0, abs(total.low))
    status = _status(total, total.goal, rule)
    notes = [*total.notes]
    if not total.applies:
        notes = [Text("此处没有适用的对象", "nothing here that the rule applies to")]
    elif total.goal is None:
        notes.append(Text("文件未设目标", "the document sets no target"))
    if total.applies and not exact:
        notes.append(_bounds_note(total, status, rule))
    return {
        "rule_id": rule.id,
        "level": "county" if place == COUNTY else "township",
        "place": place,
        "value": total.low if exact else np.nan,
        "low": total.low if total.applies else np.nan,
        "high": total.high if total.applies else np.nan,
        "target": np.nan if total.goal is None else total.goal,
        "baseline": np.nan if rule.baseline is None or place != COUNTY else rule.baseline,
        "year": np.nan if rule.year is None else rule.year,
        "step_target": step.target if step else np.nan,
        "step_year": step.year if step else np.nan,
        "step_status": _status(total, step.target, rule) if step else "",
        "unit_zh": total.unit.zh,
        "unit_en": total.unit.en,
        "status": status,
        "numerator": total.numerator,
        "denominator": total.denominator,
        "straight_line_value": total.straight if total.applies else np.nan,
        "note_zh": "；".join(note.zh for note in notes),
        "note_en": "; ".join(note.en for note in notes),
    }


def _recorded_row(rule: Rule) -> dict[str, object]:
    names = ", ".join(rule.columns)
    return {
        "rule_id": rule.id,
        "level": "county",
        "place": COUNTY,
        "value": np.nan,
        "low": np.nan,
        "high": np.nan,
        "target": rule.target,
        "baseline": np.nan if rule.baseline is None else rule.baseline,
        "year": np.nan if rule.year is None else rule.year,
        "step_target": np.nan,
        "step_year": np.nan,
        "step_status": "",
        "unit_zh": rule.unit.zh,
        "unit_en": rule.unit.en,
        "status": "unknown",
        "numerator": np.nan,
        "denominator": np.nan,
        "straight_line_value": np.nan,
        "note_zh": f"现有各表不能回答；需要 {names}",
        "note_en": f"no table answers this; it would take {names}",
    }


def _share_note(rule: Rule, figures: Figures, counts_units: bool) -> list[Text]:
    """Return what the share is of, where the rule itself is about one community or facility."""
    if not counts_units:
        return []
    unit = UNITS["m2_per_100_households"] if rule.measure == "area_standard_share" else rule.unit
    who = Text("设施", "facilities") if rule.level == "facility" else Text("社区", "communities")
    than = Text("不少于", "at least") if rule.direction == "at_least" else Text("不超过", "at most")
    goal = f"{figures.unit_target:g}"
    return [Text(f"{than.zh} {goal} {unit.zh}的{who.zh}占比", f"share of {who.en} with {than.en} {goal} {unit.en}")]


def _missing_notes(rule: Rule, figures: Figures, here: Flags, standard: Standard) -> list[Text]:
    """Return which column is missing, and how many units lack it."""
    notes = []
    n = int(here.sum())
    unit = _UNITS_OF_LEVEL.get(rule.level, Text("个社区", "communities"))
    absent = [standard.service(one.service).name for one in figures.missing if one.service]
    if absent:
        zh, en = "、".join(name.zh for name in absent), ", ".join(name.en for name in absent)
        notes.append(
            Text(
                f"设施表（facilities.service）中一处也没有：{zh}",
                f"the facilities table (facilities.service) has no place at all of: {en}",
            )
        )
    for one in figures.missing:
        lacking = int(one.lacking[here].sum())
        if lacking and not one.service:
            notes.append(
                Text(
                    f"{n} {unit.zh}中有 {lacking} {unit.zh[0]}缺 {one.column}",
                    f"{one.column} is missing for {lacking} of {n} {unit.en}",
                )
            )
    if figures.unregistered:
        notes.append(
            Text(
                f"未登记所属社区（facilities.community_id）的设施：{figures.unregistered} 处",
                f"facilities that name no community (facilities.community_id): {figures.unregistered}",
            )
        )
    if figures.left_out:
        notes.append(
            Text(
                f"无户数而未计入的社区（全县）：{figures.left_out} 个",
                f"communities of the county without households, left out: {figures.left_out}",
            )
        )
    return notes


def _bounds_note(total: _Total, status: str, rule: Rule) -> Text:
    """Return what is known of a figure that cannot be computed."""
    low, high = (_shown(value, total.unit) for value in (total.low, total.high))
    between = (
        Text(f"至少 {low}", f"at least {low}")
        if np.isinf(total.high)
        else Text(f"在 {low} 与 {high} 之间", f"between {low} and {high}")
    )
    if status in ("pass", "fail"):
        return Text(f"已知数已足以判定：{between.zh}", f"what is known settles it: {between.en}")
    return between


def _shown(value: float, unit: Text) -> str:
    return f"{value * 100:.4g} %" if unit == UNITS["share"] else f"{value:.4g}"
