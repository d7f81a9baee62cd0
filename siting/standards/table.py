"""A standard as a table of texts, for a planner to read: its rules, circles and assumptions, each with its source."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from siting.standards.assumptions import Assumption
from siting.standards.load import SHIPPED, read_standard
from siting.standards.model import Circle, Rule, Standard
from siting.text import Lang, Text

_COLUMNS: Mapping[str, Text] = {
    "kind": Text("类别", "Kind"),
    "id": Text("编号", "Id"),
    "name": Text("名称", "Name"),
    "what": Text("内容", "What"),
    "applies_to": Text("适用", "Applies to"),
    "level": Text("层级", "Level"),
    "county": Text("县级口径", "County figure"),
    "baseline": Text("基期", "Baseline"),
    "target": Text("目标", "Target"),
    "written": Text("依据", "Written in"),
    "quotation": Text("原文", "Quotation"),
    "source": Text("另注来源", "Source"),
    "columns": Text("所用列", "Columns"),
}

_WORDS: Mapping[str, Text] = {
    "urban": Text("城市", "urban"),
    "rural": Text("农村", "rural"),
    "all": Text("城乡", "urban and rural"),
    "resettlement": Text("易地扶贫搬迁集中安置社区", "resettlement communities"),
    "community": Text("社区", "community"),
    "township": Text("乡镇", "township"),
    "county": Text("县", "county"),
    "facility": Text("设施", "facility"),
    "action": Text("建设行动", "action of a plan"),
    "ratio_of_sums": Text("总量之比", "ratio of sums"),
    "mean": Text("各社区平均", "mean over communities"),
    "share": Text("达标占比", "share that meets it"),
    "none": Text("—", "none"),
    "households": Text("全体", "everybody"),
    "elderly": Text("老年人", "the elderly"),
    "minors": Text("未成年人", "minors"),
    "disabled": Text("残疾人", "the disabled"),
}

# how the units of the assumptions are read; one without a row here reads the same in both languages
_ASSUMED: Mapping[str, Text] = {
    "km/h": Text("公里/小时", "km/h"),
    "km": Text("公里", "km"),
    "m": Text("米", "m"),
    "m²": Text("平方米", "m²"),
    "floors": Text("层", "floors"),
    "weight": Text("（权重）", "(weight)"),
    "years": Text("年", "years"),
    "a year": Text("（每年）", "a year"),
}


def list_standards() -> tuple[Standard, ...]:
    """Return the shipped standards, the national one first."""
    return tuple(read_standard(name) for name in SHIPPED)


def rules_table(standard: Standard, lang: Lang) -> pd.DataFrame:
    """Return a standard as a table of texts: its rules, then its circles and its assumptions.

    A cell that does not apply is empty. Shares are printed as percentages.

    Parameters
    ----------
    standard
        The standard.
    lang
        ``"zh"`` or ``"en"``, for headings and cells.

    Returns
    -------
    DataFrame
        One row an entry, every cell a text.
    """
    rows = [_rule_row(rule, standard, lang) for rule in standard.rules]
    rows += [_circle_row(circle, standard, lang) for circle in standard.circles]
    rows += [_assumption_row(one, lang) for one in standard.assumptions.values()]
    table = pd.DataFrame(rows, columns=list(_COLUMNS)).fillna("")
    return table.rename(columns={key: words.to(lang) for key, words in _COLUMNS.items()})


def show_value(rule: Rule, value: float | None, lang: Lang) -> str:
    """Return a value of a rule as it is printed: a share as a percentage, any other with its unit; empty without one.

    Parameters
    ----------
    rule
        The rule.
    value
        A target or a baseline, in the rule's unit.
    lang
        ``"zh"`` or ``"en"``.

    Returns
    -------
    str
        The text.
    """
    if value is None:
        return ""
    return f"{value * 100:.6g} %" if rule.is_share else f"{value:.10g} {rule.unit.to(lang)}"


def show_assumption(assumption: Assumption, lang: Lang) -> str:
    """Return the value of an assumption as it is printed: a share as a percentage, a switch as yes or no.

    Parameters
    ----------
    assumption
        The assumption.
    lang
        ``"zh"`` or ``"en"``.

    Returns
    -------
    str
        The text, with its unit.
    """
    value, unit = assumption.value, assumption.unit
    if unit == "share":
        return f"{value * 100:.6g} %"
    if unit == "1 yes, 0 no":
        return (Text("是", "yes") if value else Text("否", "no")).to(lang)
    return f"{value:g} {_ASSUMED.get(unit, Text(unit, unit)).to(lang)}".rstrip()


def _rule_row(rule: Rule, standard: Standard, lang: Lang) -> dict[str, str]:
    sign = "≥" if rule.direction == "at_least" else "≤"
    goals = [(step.target, step.year) for step in rule.steps] + [(rule.target, rule.year)]
    targets = [
        f"{sign} {show_value(rule, target, lang)}{f' ({year})' if year else ''}"
        for target, year in goals
        if target is not None
    ]
    what = " / ".join(part for part in (rule.numerator.to(lang), rule.denominator.to(lang)) if part)
    if rule.services:
        comma, colon = ("、", "：") if lang == "zh" else (", ", ": ")
        what += colon + comma.join(standard.service(service).name.to(lang) for service in rule.services)
    base = show_value(rule, rule.baseline, lang)
    return {
        "kind": Text("规则", "rule").to(lang),
        "id": rule.id,
        "name": rule.name.to(lang),
        "what": what,
        "applies_to": _WORDS[rule.applies_to].to(lang),
        "level": _WORDS[rule.level].to(lang),
        "county": _WORDS[rule.county_figure].to(lang),
        "baseline": f"{base} ({rule.baseline_year})" if base and rule.baseline_year else base,
        "target": "; ".join(targets),
        "written": f"{rule.document} {rule.clause}",
        "quotation": rule.quotation.replace("\t", " "),
        "source": rule.source,
        "columns": ", ".join(rule.columns),
    }


def _circle_row(circle: Circle, standard: Standard, lang: Lang) -> dict[str, str]:
    every = Text("各项服务", "every service")
    service = every if circle.service == "*" else standard.service(circle.service).name
    if circle.minutes is None:
        size = Text(f"{circle.distance_m:g} 米", f"{circle.distance_m:g} m")
    else:
        metres = standard.cutoff_m(circle.area_type, service=circle.service, group=circle.group)
        size = Text(
            f"步行 {circle.minutes:g} 分钟（{metres:g} 米）", f"{circle.minutes:g} minutes on foot ({metres:g} m)"
        )
    return {
        "kind": Text("生活圈", "circle").to(lang),
        "id": circle.id,
        "name": f"{service.to(lang)} · {_WORDS[circle.group].to(lang)}",
        "applies_to": _WORDS[circle.area_type].to(lang),
        "target": "≤ " + size.to(lang),
        "written": f"{circle.document} {circle.clause}",
        "quotation": circle.quotation,
        "source": circle.source,
    }


def _assumption_row(assumption: Assumption, lang: Lang) -> dict[str, str]:
    return {
        "kind": Text("假设", "assumption").to(lang),
        "id": assumption.name,
        "what": show_assumption(assumption, lang),
        "source": assumption.source,
    }
