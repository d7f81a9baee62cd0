"""Two scorecards compared: which verdicts changed, and by which input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.coverage.scorecard import Scorecard
from siting.coverage.stated import STATED_MEASURES
from siting.coverage.verdicts import STATUS
from siting.errors import InputError
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
    "tables": Text(
        "设施（含方案新增的）或社区台账改变", "the facilities (the plan's too) or the community's figures changed"
    ),
}
# The inputs that can move the verdict of a rule; what is not seen to differ here lies in the tables.
_BY_DISTANCE = ("target", "circle", "distance")
_BY_AREA = ("target", "households", "area")
_MOVES: Mapping[str, tuple[str, ...]] = {
    "reached_share": _BY_DISTANCE,
    "area_per_100_households": _BY_AREA,
    "required_services": ("target", "circle"),
    "elder_services_share": ("target", "circle"),
    "facility_coverage_share": ("target", "area"),
    **dict.fromkeys(STATED_MEASURES, ("target",)),
}


_VERDICT_COLUMNS = ["community_id", "rule_id", "status", "value", "target"]
_COMMUNITY_COLUMNS = [
    "community_id",
    "name",
    "households",
    "nearest_m",
    "farthest_m",
    "known_area_m2",
    "allotted_area_m2",
    "cutoff_m",
]


@dataclass(frozen=True, slots=True)
class Judged:
    """What a comparison needs of a scorecard, small enough to be kept with a run.

    ``verdicts`` has a row a community and rule, ``communities`` a row a community; ``measures`` and ``names``
    are by rule.
    """

    verdicts: pd.DataFrame
    communities: pd.DataFrame
    measures: Mapping[str, str]
    names: Mapping[str, Text] = field(default_factory=dict)

    @classmethod
    def of(cls, card: Scorecard) -> Judged:
        """Take what is needed from a scorecard."""
        cutoffs_m = card.demand.groupby("community_id")["cutoff_m"].first()
        people = card.communities.assign(cutoff_m=cutoffs_m.reindex(card.communities["community_id"]).to_numpy())
        measures: dict[str, str] = {rule.id: rule.measure for rule in card.standard.rules}
        names = {rule.id: rule.name for rule in card.standard.rules}
        return cls(card.verdicts[_VERDICT_COLUMNS], people[_COMMUNITY_COLUMNS], measures, names)

    def record(self) -> dict[str, Any]:
        """Return it as text, numbers, lists and mappings; NaN is None."""

        def rows(table: pd.DataFrame) -> dict[str, Any]:
            plain = table.astype(object).where(table.notna(), None)
            return {"columns": list(plain.columns), "rows": plain.to_numpy().tolist()}

        return {
            "verdicts": rows(self.verdicts),
            "communities": rows(self.communities),
            "measures": dict(self.measures),
            "names": {rule: [name.zh, name.en] for rule, name in self.names.items()},
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Judged:
        """Take it back from what `record` gave; what was not written so is refused with `RecordError`."""
        verdicts = _table_of(record, "verdicts", _VERDICT_COLUMNS, ("community_id", "rule_id", "status"))
        people = _table_of(record, "communities", _COMMUNITY_COLUMNS, ("community_id", "name"))
        measures, names = record.get("measures"), record.get("names", {})
        if not isinstance(measures, dict) or not all(isinstance(one, str) for one in measures.values()):
            raise RecordError(Text("measures 不是规则的表", "measures is no table of rules"))
        if not isinstance(names, dict) or not all(_is_spoken(name) for name in names.values()):
            raise RecordError(Text("names 不是规则的名称", "names are no names of rules"))
        unknown = set(verdicts["rule_id"]) - set(measures)
        strange = set(verdicts["status"]) - set(STATUS.tolist())
        for name, found in (("rule_id", unknown), ("status", strange)):
            if found:
                raise RecordError(Text(f"{name} 里有 {min(found)}", f"{name} holds {min(found)}"))
        if people["community_id"].duplicated().any() or verdicts.duplicated(["community_id", "rule_id"]).any():
            raise RecordError(Text("同一社区出现两次", "a community appears twice"))
        return cls(verdicts, people, measures, {rule: Text(*name) for rule, name in names.items()})


class RecordError(InputError):
    """A record of verdicts is not as it was written."""


def _table_of(record: Mapping[str, Any], name: str, columns: list[str], texts: tuple[str, ...]) -> pd.DataFrame:
    """Return a table of a record: its columns, its rows as long as those, texts and numbers where they belong."""
    table = record.get(name)
    rows = table.get("rows") if isinstance(table, dict) else None
    if not isinstance(table, dict) or table.get("columns") != columns or not isinstance(rows, list):
        raise RecordError(Text(f"{name} 的列不对", f"{name} has not its columns"))
    for number, row in enumerate(rows, 1):
        sound = isinstance(row, list) and len(row) == len(columns)
        if not sound or not all(_fits(cell, column in texts) for column, cell in zip(columns, row, strict=True)):
            raise RecordError(Text(f"{name} 第 {number} 行不对", f"row {number} of {name} is wrong"))
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    return frame.astype({column: object if column in texts else np.float64 for column in columns})


def _fits(cell: object, text: bool) -> bool:
    if text:
        return isinstance(cell, str)
    return cell is None or (isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) < 1e300)


def _is_spoken(name: object) -> bool:
    return isinstance(name, list) and len(name) == 2 and all(isinstance(word, str) for word in name)


def compare(before: Scorecard | Judged, after: Scorecard | Judged) -> pd.DataFrame:
    """Return the verdicts that changed between two scorecards, and the inputs that changed behind them.

    Communities and rules are matched by id; what is in only one of the two has an empty status in the other.

    Parameters
    ----------
    before, after
        The scorecards, or what was kept of them.

    Returns
    -------
    DataFrame
        One row a verdict of which the status changed: ``community_id``, ``rule_id``, ``name``, ``status_before``,
        ``status_after``, ``value_before``, ``value_after``, ``target_before``, ``target_after``, ``cause`` (names of
        inputs joined by ``;``), ``cause_zh``, ``cause_en``.
    """
    before, after = (one if isinstance(one, Judged) else Judged.of(one) for one in (before, after))
    both = before.verdicts.merge(after.verdicts, on=_VERDICT_COLUMNS[:2], how="outer", suffixes=("_before", "_after"))
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


def _causes(before: Judged, after: Judged, both: pd.DataFrame) -> list[list[str]]:
    """Return the inputs behind each changed verdict, in the order of `_CAUSES`."""
    inputs = _changed_inputs(before, after)
    flags = {name: inputs[name].reindex(both["community_id"], fill_value=False).to_numpy() for name in inputs}
    flags["target"] = _differ(both["target_before"], both["target_after"])
    measures = {**before.measures, **after.measures}
    causes = []
    for k, (rule_id, old, new) in enumerate(
        zip(both["rule_id"], both["status_before"], both["status_after"], strict=True)
    ):
        moves = _MOVES.get(measures[str(rule_id)], ("target",))
        seen = [name for name in _CAUSES if name in moves and flags[name][k]]
        causes.append(["added"] if old == "" else ["removed"] if new == "" else seen or ["tables"])
    return causes


def _changed_inputs(before: Judged, after: Judged) -> pd.DataFrame:
    """Return, for each community in both, which of its inputs differ: one boolean column an input."""
    old, new = (one.communities.set_index("community_id") for one in (before, after))
    shared = old.index.intersection(new.index)
    old, new = old.loc[shared], new.loc[shared]
    return pd.DataFrame(
        {
            "circle": _differ(old["cutoff_m"], new["cutoff_m"]),
            "households": _differ(old["households"], new["households"]),
            "distance": _differ(old["nearest_m"], new["nearest_m"]) | _differ(old["farthest_m"], new["farthest_m"]),
            "area": _differ(old["known_area_m2"], new["known_area_m2"])
            | _differ(old["allotted_area_m2"], new["allotted_area_m2"]),
        },
        index=shared,
    )


def _differ(one: pd.Series, other: pd.Series) -> Flags:
    same: Flags = np.isclose(one.to_numpy(np.float64), other.to_numpy(np.float64), rtol=0, atol=1e-6, equal_nan=True)
    return ~same
