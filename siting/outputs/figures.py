"""The figures that every output shows, computed once: headlines, indicators and each community's verdict."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from siting.text import Text

if TYPE_CHECKING:
    from siting.coverage import Scorecard
    from siting.outputs.results import Results
    from siting.standards import Rule, Standard

NAN = math.nan
_HAN = re.compile("[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Figure:
    """One headline: its name, its value now and after the plan (NaN where there is none), and where it is from.

    ``of`` is the whole that a count is taken from; ``straight`` is what a straight line would have said.
    """

    id: str
    name: Text
    unit: str
    now: float
    after: float
    source: Text
    of: float = NAN
    target: float = NAN
    straight: float = NAN


def verdict_codes(card: Scorecard) -> pd.Series:
    """Return what each community lacks: meets, area, reach, both, unknown or not_applicable.

    A part that is unknown never makes a community meet; a part that fails decides even where the other is unknown.

    Parameters
    ----------
    card
        A scorecard, before or after the plan.

    Returns
    -------
    Series
        One code a community, in the order of the scorecard.
    """
    table = card.communities
    no_reach, no_area = table["in_reach"].eq("fail"), table["has_area"].eq("fail")
    codes = np.select(
        [table["meets"].eq("not_applicable"), table["meets"].eq("pass"), no_reach & no_area, no_reach, no_area],
        ["not_applicable", "meets", "both", "reach", "area"],
        default="unknown",
    )
    return pd.Series(codes, index=table.index, name="verdict")


def missing_area_m2(card: Scorecard) -> pd.Series:
    """Return the floor area each community lacks, m²: 0 where it has enough, NaN where its area is unknown.

    Parameters
    ----------
    card
        A scorecard, before or after the plan.

    Returns
    -------
    Series
        Square metres, in the order of the scorecard.
    """
    table = card.communities
    needed = area_target(card.standard) * table["households"] / 100.0
    allotted = table["allotted_area_m2"].where(table["households"] > 0, 0.0)
    return (needed - allotted).clip(lower=0.0).where(table["has_area"].ne("pass"), 0.0)


def area_target(standard: Standard) -> float:
    """Return the floor area per 100 households that the standard asks for, m².

    Parameters
    ----------
    standard
        The standard of the run.

    Returns
    -------
    float
        The target, m² per 100 households.
    """
    target = standard.rule("area_per_100_households").target
    return NAN if target is None else float(target)


def cite(rule: Rule) -> Text:
    """Return where a rule is written: document and clause, or the source of a figure from elsewhere.

    Parameters
    ----------
    rule
        A rule of the standard.

    Returns
    -------
    Text
        The citation.
    """
    place = " ".join(part for part in (rule.document, rule.clause) if part)
    return Text(place, place) if place else both_languages(rule.source)


def both_languages(source: str) -> Text:
    """Return a source as Chinese and English; one that is written as ``中文 / English`` is taken apart.

    Parameters
    ----------
    source
        The source of a figure, as a standard's file states it.

    Returns
    -------
    Text
        Its two halves, or the whole for both where it is not in two halves.
    """
    chinese, mark, english = source.partition(" / ")
    if mark and _HAN.search(chinese) and not _HAN.search(english.split("“")[0]):
        return Text(chinese, english)
    return Text(source, source)


def headlines(results: Results) -> tuple[Figure, ...]:
    """Return the headline figures of a run, each with its source.

    Parameters
    ----------
    results
        What the run found.

    Returns
    -------
    tuple of Figure
        In the order they are read aloud.
    """
    standard = results.standard
    reach, area = cite(standard.rule("reach")), cite(standard.rule("area_per_100_households"))
    both = Text(f"{reach.zh}；{area.zh}", f"{reach.en}; {area.en}") if reach != area else reach
    cards = (results.scorecard, results.after)
    applicable = float(results.scorecard.communities["meets"].ne("not_applicable").sum())

    def figure(name: str, words: Text, unit: str, source: Text, **more: float) -> Figure:
        now, after = (NAN if card is None else _measure(name, card) for card in cards)
        return Figure(name, words, unit, now, after, source, **more)

    return (
        figure("meets", Text("达标社区", "Communities that meet the standard"), "communities", both, of=applicable),
        figure("in_reach", Text("在圈内的社区", "Communities in the circle"), "communities", reach, of=applicable),
        figure("has_area", Text("面积达标的社区", "Communities with enough area"), "communities", area, of=applicable),
        figure(
            "reached_share",
            Text("在生活圈内的住户", "Households in the circle"),
            "share",
            reach,
            straight=_straight_share(results.scorecard),
        ),
        figure("outside", Text("圈外住户", "Households outside every circle"), "households", reach),
        figure(
            "area_per_100",
            Text("每百户社区综合服务设施面积", "Floor area per 100 households"),
            "m2_per_100_households",
            area,
            target=area_target(standard),
        ),
        figure("missing_m2", _missing_name(cards), "m2", area),
        figure("unknown", Text("资料不全的社区", "Communities with a figure missing"), "communities", both),
    )


def indicator_table(results: Results) -> pd.DataFrame:
    """Return the policy indicators now and after the plan, side by side.

    Parameters
    ----------
    results
        What the run found.

    Returns
    -------
    DataFrame
        The scorecard's indicators with ``name_zh``, ``name_en``, ``source_zh``, ``source_en``, ``share`` (whether the
        figure is 0–1), and ``after`` and ``status_after`` (NaN and empty without a plan).
    """
    table = results.scorecard.indicators.reset_index(drop=True).copy()
    rules = {rule.id: rule for rule in results.standard.rules}
    for lang in ("zh", "en"):
        table[f"name_{lang}"] = [rules[i].name.to(lang) if i in rules else i for i in table["rule_id"]]
        table[f"source_{lang}"] = [cite(rules[i]).to(lang) if i in rules else "" for i in table["rule_id"]]
    table["after"], table["status_after"] = NAN, ""
    if results.after is not None:
        keys = ["rule_id", "level", "place"]
        later = results.after.indicators.set_index(keys)[["value", "status"]]
        later = later[~later.index.duplicated()].reindex(pd.MultiIndex.from_frame(table[keys]))
        table["after"] = later["value"].to_numpy(dtype=float)
        table["status_after"] = later["status"].fillna("").to_numpy()
    return table


def rule_names(standard: Standard) -> dict[str, Text]:
    """Return the name of every rule by its id.

    Parameters
    ----------
    standard
        The standard of the run.

    Returns
    -------
    dict
        Rule id to name.
    """
    return {rule.id: rule.name for rule in standard.rules}


def _missing_name(cards: tuple[Scorecard | None, ...]) -> Text:
    """Return what the missing area is called: where areas are unknown it is the sum of those that are known."""
    if any(card is not None and missing_area_m2(card).isna().any() for card in cards):
        return Text("尚缺面积（面积已知的社区）", "Floor area still missing (where it is known)")
    return Text("尚缺面积", "Floor area still missing")


def _measure(name: str, card: Scorecard) -> float:
    """Return one headline figure of one scorecard."""
    table = card.communities
    if name in ("meets", "in_reach", "has_area"):
        return float(table[name].eq("pass").sum())
    if name == "unknown":
        return float(table["meets"].eq("unknown").sum())
    if name == "missing_m2":
        # NaN, not 0, where none is known
        return float(missing_area_m2(card)[table["households"] > 0].sum(min_count=1))
    if name == "area_per_100":
        return _county_area(card)
    total = float(card.demand["households"].sum())
    outside = float(card.demand.loc[~card.demand["covered"].astype(bool), "households"].sum())
    if name == "outside":
        return outside
    return (total - outside) / total if total else NAN


def _county_area(card: Scorecard) -> float:
    """Return the county's floor area per 100 households: the indicator where there is one, else the ratio of sums."""
    rows = card.indicators
    found = rows[rows["rule_id"].eq("area_per_100_households") & rows["place"].eq("county")]["value"]
    if len(found):
        return float(found.iloc[0])
    table = card.communities[card.communities["households"] > 0]
    if table.empty or table["allotted_area_m2"].isna().any():
        return NAN
    return float(table["allotted_area_m2"].sum() / table["households"].sum() * 100.0)


def _straight_share(card: Scorecard) -> float:
    """Return the share of households that a straight line would call covered."""
    table = card.communities
    total = float(table["households"].sum())
    return float((table["straight_line_share"] * table["households"]).sum() / total) if total else NAN
