"""The strict reader of a study file: known keys and their kinds, and every fault gathered before any is raised."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from siting.errors import Issue
from siting.standards.model import near_matches
from siting.text import Text

PlanModel = Literal["prescription", "set_cover", "max_cover", "p_median", "p_center"]
NUMBER, WHOLE, WORD, FLAG, WORDS, NUMBERS = "number", "whole", "word", "flag", "words", "numbers"
NAMES = "names"
_WANTED = {
    NUMBER: Text("数", "a number"),
    WHOLE: Text("整数", "a whole number"),
    WORD: Text("引号中的文字", "text in quotes"),
    FLAG: Text("true 或 false", "true or false"),
    WORDS: Text("文字的列表", "a list of texts"),
    NUMBERS: Text("数的列表", "a list of numbers"),
    NAMES: Text('形如 { households = "户数" } 的对照', 'pairs such as { households = "户数" }'),
}
_CURES = {
    NUMBER: Text("只写数字，不加引号和单位，例如 3000", "write the figure alone, without quotes or a unit: 3000"),
    WHOLE: Text("只写整数，不加引号和单位，例如 8", "write the whole number alone, without quotes or a unit: 8"),
    WORD: Text('写在英文引号内，例如 "linyi"', 'write it in straight quotes: "linyi"'),
    FLAG: Text("写 true 或 false，不加引号", "write true or false, without quotes"),
    WORDS: Text('写成 ["K1", "K2"]', 'write it as ["K1", "K2"]'),
    NUMBERS: Text("写成 [1, 2]", "write it as [1, 2]"),
    NAMES: Text('写成 { households = "总户数" }', 'write it as { households = "总户数" }'),
}
SOURCE_KEYS = {"path": WORD, "datum": WORD, "crs": WORD, "layer": WORD, "sheet": WORD}
ROADS_KEYS = {**SOURCE_KEYS, "place": WORD}
TABLE_KEYS = {**SOURCE_KEYS, "columns": NAMES, "swap_lon_lat": FLAG}
KEYS: Mapping[str, Mapping[str, str]] = {
    "study": {"name": WORD, "standard": WORD, "year": WHOLE, "lang": WORD, "money_unit": WORD},
    "travel": {
        "walking_speed_kmh": NUMBER,
        "elderly_speed_kmh": NUMBER,
        "disabled_speed_kmh": NUMBER,
        "snap_limit_m": NUMBER,
        "off_road_m": NUMBER,
        "min_piece_km": NUMBER,
        "direct_walk": FLAG,
    },
    "plan": {
        "model": WORD,
        "budget": NUMBER,
        "sites": WHOLE,
        "compliance": WORD,
        "require": WORDS,
        "forbid": WORDS,
        "gap": NUMBER,
        "time_limit_s": NUMBER,
        "seed": WHOLE,
        "horizon_years": NUMBER,
        "discount_rate": NUMBER,
        "prefer_existing_share": NUMBER,
        "least_area_m2": NUMBER,
        "joint_building": FLAG,
        "alternatives": WHOLE,
        "differ_by": WHOLE,
        "curve_points": WHOLE,
        "worth_s": NUMBER,
    },
    "plan.extension": {"max_growth_share": NUMBER, "cost_per_m2": NUMBER},
    "plan.priority": {"elderly": NUMBER, "minors": NUMBER, "disabled": NUMBER},
}
YEARS, LARGEST, NEXT_TO = "plan.yearly_budgets", "plan.max_area_m2", "plan.next_to"
_OWN_FORM = (YEARS, LARGEST, NEXT_TO)
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "study.lang": ("zh", "en"),
    "study.money_unit": ("万元", "元"),
    "plan.model": get_args(PlanModel),
    "plan.compliance": ("most", "every", "targets"),
}
BELOW_0 = (Text("不能小于 0", "must not be below 0"), Text("改成 0 或正数", "write 0 or more"))
_NOT_NEGATIVE = (
    *("budget", "sites", "gap", "time_limit_s", "seed", "max_growth_share", "cost_per_m2", "horizon_years"),
    *("discount_rate", "least_area_m2", "alternatives", "differ_by", "curve_points", "worth_s"),
)


@dataclass(slots=True)
class Reader:
    """Reads the sections of one study file and gathers every fault before any is raised."""

    path: Path
    data: Mapping[str, Any]
    faults: list[Issue] = field(default_factory=list)

    def fault(self, key: str, value: object, problem: Text, cure: Text) -> None:
        self.faults.append(Issue("error", problem, cure, self.path.name, column=key, value=str(value)[:80]))

    def unknown(self, key: str, known: Sequence[str]) -> None:
        near = near_matches(key.rpartition(".")[2], known)
        cure = Text("相近的键：" + "、".join(near), "near matches: " + ", ".join(near))
        if not near:
            cure = Text("可用的键：" + "、".join(known), "known keys: " + ", ".join(known))
        self.fault(key, "", Text("没有这个键", "there is no such key"), cure)

    def section(self, name: str, known: Mapping[str, str]) -> dict[str, Any]:
        """Return the checked keys of one section; what is wrong is gathered."""
        raw: Any = self.data
        for part in name.split("."):
            raw = raw.get(part, {}) if isinstance(raw, Mapping) else {}
        return self.values(name, raw, known)

    def inside(self, section: str, name: str, default: object) -> Any:
        """Return a part of a section that has a form of its own, unchecked; ``default`` where it is not there."""
        raw = self.data.get(section, {})
        return raw.get(name, default) if isinstance(raw, Mapping) else default

    def values(self, name: str, raw: object, known: Mapping[str, str]) -> dict[str, Any]:
        if not isinstance(raw, Mapping):
            self.fault(
                name,
                raw,
                Text("需要一个小节", "needs a section"),
                Text(f"写成 [{name}] 加若干行“键 = 值”", f'write it as [{name}] and lines of "key = value"'),
            )
            return {}
        inner = {part.split(".")[1] for part in (*KEYS, *_OWN_FORM) if part.startswith(name + ".")}
        kept = {}
        for key, value in raw.items():
            if key in inner:
                continue
            if key not in known:
                self.unknown(f"{name}.{key}", (*known, *inner))
            elif self._fits(f"{name}.{key}", value, known[key]):
                kept[key] = value
        return kept

    def _fits(self, key: str, value: object, kind: str) -> bool:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        finite = number and math.isfinite(float(str(value)))
        fits = {
            NUMBER: finite,
            WHOLE: isinstance(value, int) and number,
            WORD: isinstance(value, str) and value != "",
            FLAG: isinstance(value, bool),
            WORDS: isinstance(value, list) and all(isinstance(one, str) for one in value),
            NUMBERS: isinstance(value, list) and all(isinstance(one, int | float) for one in value),
            NAMES: isinstance(value, Mapping) and all(isinstance(one, str) for one in value.values()),
        }[kind]
        if not fits:
            wanted = _WANTED[kind]
            self.fault(key, value, Text(f"需要{wanted.zh}", f"needs {wanted.en}"), _CURES[kind])
            return False
        choices = _datums() if key.startswith("inputs.") and key.endswith(".datum") else _CHOICES.get(key)
        if choices is not None and value not in choices:
            cure = Text("可选：" + "、".join(choices), "one of: " + ", ".join(choices))
            self.fault(key, value, Text("没有这个选项", "there is no such choice"), cure)
            return False
        if key.rpartition(".")[2] in _NOT_NEGATIVE and float(str(value)) < 0:
            self.fault(key, value, *BELOW_0)
            return False
        if key == "plan.gap" and float(str(value)) >= 1:
            self.fault(key, value, Text("须小于 1", "must be below 1"), Text("1% 写作 0.01", "1 % is 0.01"))
            return False
        return True


def _datums() -> tuple[str, ...]:
    from siting.inputs.datum import DATUMS

    return DATUMS


def faulty(name: str, faults: Sequence[Issue]) -> Text:
    """Return every fault of a study file as one message, a line each.

    Parameters
    ----------
    name
        Name of the study file.
    faults
        What is wrong with it.

    Returns
    -------
    Text
        How many faults there are, and what they are.
    """
    count = len(faults)
    lines = {lang: "\n".join("  " + fault.line(lang) for fault in faults) for lang in ("zh", "en")}
    return Text(f"{name}：{count} 处问题\n{lines['zh']}", f"{name}: {count} fault{'s' * (count > 1)}\n{lines['en']}")
