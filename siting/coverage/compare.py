"""Two scorecards compared: which verdicts changed, and by which input."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.coverage.scorecard import Scorecard
from siting.coverage.stated import STATED_MEASURES
from siting.text import Text

Flags = NDArray[np.bool_]

_CAUSES: Mapping[str, Text] = {
    "added": Text("新增的社区或规则", "the community or the rule is new"),
    "removed": Text("社区或规则已删除", "the community or the rule is gone"),
    "target": Text("目标值改变", "the target changed"),
    "circle": Text("生活圈距离改变", "the circle changed"),
    "households": Text("户数改变", "the number of households changed"),
    "distance": Text("到设施的距离改变（设施、住户位置或道路）", "the distances changed (facilities, homes or roads)"),
    "area": Text("分配面积改变", "the area allotted changed"),
    "tables": Text("设施表或社区台账改变", "the facilities or the figures of the community changed"),
}
# The inputs that can move the verdict of a rule; what is not seen to differ here lies in the tables.
_BY_DISTANCE = ("target", "circle", "distance")
_BY_AREA = ("target", "households", "area")
_MOVES: Mapping[str, tuple[str, ...]] = {
    "reached_share": _BY_DISTANCE,
    "area_per_100_households": _BY_AREA,
    **dict.fromkeys(STATED_MEASURES, ("target",)),
}


def compare(before: Scorecard, after: Scorecard) -> pd.DataFrame:
    """Return the verdicts that changed between two scorecards, and the inputs that changed behind them.

    Communities and rules are matched by id; what is in only one of the two has an empty status in the other.

    Parameters
    ----------
    before, after
        The scorecards.

    Returns
    -------
    DataFrame
        One row a verdict of which the status changed: ``community_id``, ``rule_id``, ``name``, ``status_before``,
        ``status_after``, ``value_before``, ``value_after``, ``target_before``, ``target_after``, ``cause`` (names of
        inputs joined by ``;``), ``cause_zh``, ``cause_en``.
    """
    figures = ["community_id", "rule_id", "status", "value", "target"]
    both = before.verdicts[figures].merge(
        after.verdicts[figures], on=figures[:2], how="outer", suffixes=("_before", "_after")
    )
    both["status_before"] = both["status_before"].fillna("")
    both["status_after"] = both["status_after"].fillna("")
    both = both[both["status_before"].ne(both["status_after"]).to_numpy()].reset_index(drop=True)
    people = pd.concat([one.communities[["community_id", "name"]] for one in (after, before)])
    people = people.drop_duplicates("community_id").set_index("community_id").reindex(both["community_id"])
    both.insert(2, "name", people["name"].to_list())
    causes = _causes(before, after, both)
    return both.assign(
        cause=[";".join(one) for one in causes],
        cause_zh=["；".join(_CAUSES[name].zh for name in one) for one in causes],
        cause_en=["; ".join(_CAUSES[name].en for name in one) for one in causes],
    )


def _causes(before: Scorecard, after: Scorecard, both: pd.DataFrame) -> list[list[str]]:
    """Return the inputs behind each changed verdict, in the order of `_CAUSES`."""
    inputs = _changed_inputs(before, after)
    flags = {name: inputs[name].reindex(both["community_id"], fill_value=False).to_numpy() for name in inputs}
    flags["target"] = _differ(both["target_before"], both["target_after"])
    measures: dict[str, str] = {rule.id: rule.measure for one in (before, after) for rule in one.standard.rules}
    causes = []
    for k, (rule_id, old, new) in enumerate(
        zip(both["rule_id"], both["status_before"], both["status_after"], strict=True)
    ):
        moves = _MOVES.get(measures[str(rule_id)], ("target",))
        seen = [name for name in _CAUSES if name in moves and flags[name][k]]
        causes.append(["added"] if old == "" else ["removed"] if new == "" else seen or ["tables"])
    return causes


def _changed_inputs(before: Scorecard, after: Scorecard) -> pd.DataFrame:
    """Return, for each community in both, which of its inputs differ: one boolean column an input."""
    old, new = (one.communities.set_index("community_id") for one in (before, after))
    shared = old.index.intersection(new.index)
    old, new = old.loc[shared], new.loc[shared]
    circles = [one.demand.groupby("community_id")["cutoff_m"].first().reindex(shared) for one in (before, after)]
    return pd.DataFrame(
        {
            "circle": _differ(circles[0], circles[1]),
            "households": _differ(old["households"], new["households"]),
            "distance": _differ(old["nearest_m"], new["nearest_m"]) | _differ(old["farthest_m"], new["farthest_m"]),
            "area": _differ(old["known_area_m2"], new["known_area_m2"])
            | _differ(old["allotted_area_m2"], new["allotted_area_m2"]),
        },
        index=shared,
    )


def _differ(one: pd.Series, other: pd.Series) -> Flags:
    return ~np.isclose(one.to_numpy(np.float64), other.to_numpy(np.float64), rtol=0, atol=1e-6, equal_nan=True)
