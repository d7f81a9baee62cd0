"""The three-valued verdict on each community and rule: value, target, what is missing, and how near the limit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from siting.coverage.places import Floats
from siting.standards.model import Rule
from siting.text import Text

Codes = NDArray[np.int8]
Words = NDArray[np.object_]

# In this order the AND of several verdicts is their least: one fail fails, and what is not asked does not count.
FAIL, UNKNOWN, PASS, NOT_APPLICABLE = 0, 1, 2, 3
STATUS = np.array(["fail", "unknown", "pass", "not_applicable"], dtype=object)

NOTHING = Text("", "")


@dataclass(frozen=True, slots=True)
class RuleVerdicts:
    """The verdicts of one rule, row i for community i.

    Parameters
    ----------
    rule
        The rule.
    status
        Codes of `STATUS`.
    value, target
        In the rule's unit; NaN where there is no value.
    shortfall
        What is missing, > 0, in ``shortfall_unit``; NaN where nothing is, or where no number can say it.
    shortfall_unit
        Its unit.
    status_if_less, status_if_more
        The status were the distance allowed, or the area there is, smaller or larger by the standard's
        ``near_limit_share``.
    less, more
        What these two are, in words.
    note
        In Chinese and in English, empty where there is nothing to say.
    """

    rule: Rule
    status: Codes
    value: Floats
    target: Floats
    shortfall: Floats
    shortfall_unit: Text
    note: tuple[Words, Words]
    status_if_less: Codes | None = None
    status_if_more: Codes | None = None
    less: Text = NOTHING
    more: Text = NOTHING

    @property
    def near_limit(self) -> NDArray[np.bool_]:
        """Which verdicts flip."""
        if self.status_if_less is None or self.status_if_more is None:
            return np.zeros(len(self.status), dtype=bool)
        flips: NDArray[np.bool_] = (self.status_if_less != self.status) | (self.status_if_more != self.status)
        return flips


def applies(rule: Rule, communities: pd.DataFrame) -> Codes:
    """Return PASS where a rule applies, NOT_APPLICABLE where it does not, UNKNOWN where the table does not say."""
    code = np.full(len(communities), PASS, dtype=np.int8)
    if rule.applies_to in ("urban", "rural"):
        code[communities["area_type"].to_numpy() != rule.applies_to] = NOT_APPLICABLE
    elif rule.applies_to == "resettlement":
        settled = communities["resettlement"]
        code[settled.isna().to_numpy()] = UNKNOWN
        code[settled.eq(False).fillna(False).to_numpy(dtype=bool)] = NOT_APPLICABLE
    code[communities["households"].to_numpy() == 0] = NOT_APPLICABLE
    return code


def only_where_applied(code: Codes, status: Codes) -> Codes:
    """Return the status where the rule applies, else why it does not."""
    return np.where(code == PASS, status, code).astype(np.int8)


def empty_notes(n: int) -> tuple[Words, Words]:
    """Return n empty notes in Chinese and in English."""
    return np.full(n, "", dtype=object), np.full(n, "", dtype=object)


def rounded_up(amount: float, decimals: int = 0) -> str:
    """Return an amount as the number of so many decimals that is enough; trailing zeros are not written."""
    scale = 10**decimals
    return f"{math.ceil(amount * scale - 1e-6) / scale:.10g}"


def verdict_table(communities: pd.DataFrame, verdicts: list[RuleVerdicts]) -> pd.DataFrame:
    """Return the verdicts of all rules as one table, communities in their order, within each the rules in theirs.

    Parameters
    ----------
    communities
        The communities table.
    verdicts
        By rule.

    Returns
    -------
    DataFrame
        ``community_id``, ``rule_id``, ``status``, ``value``, ``target``, ``unit_zh``, ``unit_en``, ``shortfall``,
        ``shortfall_unit_zh``, ``shortfall_unit_en``, ``near_limit``, ``note_zh``, ``note_en``, ``clause``.
    """
    n, k = len(communities), len(verdicts)

    def interleaved(columns: list[NDArray[np.generic]]) -> NDArray[np.generic]:
        return np.column_stack(columns).ravel() if columns else np.empty(0)

    def by_rule(words: list[str]) -> Words:
        return np.tile(np.array(words, dtype=object), n)

    return pd.DataFrame(
        {
            "community_id": np.repeat(communities["community_id"].to_numpy(), k),
            "rule_id": by_rule([one.rule.id for one in verdicts]),
            "status": STATUS[interleaved([one.status for one in verdicts]).astype(np.int64)],
            "value": interleaved([one.value for one in verdicts]),
            "target": interleaved([one.target for one in verdicts]),
            "unit_zh": by_rule([one.rule.unit.zh for one in verdicts]),
            "unit_en": by_rule([one.rule.unit.en for one in verdicts]),
            "shortfall": interleaved([one.shortfall for one in verdicts]),
            "shortfall_unit_zh": by_rule([one.shortfall_unit.zh for one in verdicts]),
            "shortfall_unit_en": by_rule([one.shortfall_unit.en for one in verdicts]),
            "near_limit": interleaved([one.near_limit for one in verdicts]).astype(bool),
            "note_zh": interleaved([one.note[0] for one in verdicts]),
            "note_en": interleaved([one.note[1] for one in verdicts]),
            "clause": by_rule([f"{one.rule.document} {one.rule.clause}".strip() for one in verdicts]),
        }
    )


def near_limit_table(communities: pd.DataFrame, verdicts: list[RuleVerdicts]) -> pd.DataFrame:
    """Return the verdicts that flip near the limit, and what flips them.

    Parameters
    ----------
    communities
        The communities table.
    verdicts
        By rule.

    Returns
    -------
    DataFrame
        ``community_id``, ``name``, ``rule_id``, ``status``, ``status_if``, ``if_zh``, ``if_en``, ``value``, ``target``.
    """
    tables = []
    for one in verdicts:
        for code, words in ((one.status_if_less, one.less), (one.status_if_more, one.more)):
            row = np.flatnonzero(code != one.status) if code is not None else np.empty(0, dtype=np.int64)
            if code is None or not len(row):
                continue
            tables.append(
                pd.DataFrame(
                    {
                        "community_id": communities["community_id"].to_numpy()[row],
                        "name": communities["name"].to_numpy()[row],
                        "rule_id": one.rule.id,
                        "status": STATUS[one.status[row]],
                        "status_if": STATUS[code[row]],
                        "if_zh": words.zh,
                        "if_en": words.en,
                        "value": one.value[row],
                        "target": one.target[row],
                    }
                )
            )
    columns = ["community_id", "name", "rule_id", "status", "status_if", "if_zh", "if_en", "value", "target"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
