"""Reads one entry of a standard's TOML (a rule, a service, a circle, an assumption), noting every fault."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, cast

from siting.standards.assumptions import ASSUMPTIONS, Assumption, range_fault
from siting.standards.model import (
    APPLIES_TO,
    AREA_TYPES,
    COUNTY_FIGURES,
    DIRECTIONS,
    GROUPS,
    LEVELS,
    MEASURES,
    UNITS,
    AppliesTo,
    AreaType,
    Circle,
    CountyFigure,
    Direction,
    Group,
    Level,
    Measure,
    Rule,
    Service,
    Step,
    near_matches,
    unknown_word,
)
from siting.text import Text

_NEEDED = object()


class Entry:
    """One table of the file: each key is taken once with its type; `finish` notes the keys that nobody took."""

    def __init__(self, where: str, table: Any, faults: list[Text]) -> None:
        self.where = where
        self.faults = faults
        self._count = len(faults)
        self._table: dict[str, Any] = table if isinstance(table, dict) else {}
        self._taken: set[str] = set()
        if not isinstance(table, dict):
            self.fault("须为一张表", "must be a table")

    @property
    def sound(self) -> bool:
        """Whether no fault was noted since the entry was opened."""
        return len(self.faults) == self._count

    @property
    def key(self) -> str:
        """The id of the entry: the last part of its place in the file."""
        return self.where.rpartition(".")[2]

    def fault(self, zh: str, en: str) -> None:
        """Note a fault with its place in the file."""
        self.faults.append(Text(f"{self.where or '文件'}：{zh}", f"{self.where or 'the file'}: {en}"))

    def has(self, key: str) -> bool:
        """Whether the file gives a key."""
        return key in self._table

    def text(self, key: str, default: object = _NEEDED) -> str:
        """Take a text; without a default it must be there and not blank."""
        value = self._take(key, "" if default is _NEEDED else default)
        if not isinstance(value, str) or (default is _NEEDED and not value.strip()):
            self.fault(f"{key} 须为非空文字", f"{key} must be a text that is not empty")
            return ""
        return value.strip()

    def word(self, key: str, known: tuple[str, ...], default: object = _NEEDED) -> str:
        """Take one of a closed list of words."""
        value = self.text(key, default)
        if value and value not in known:
            near = near_matches(value, known)
            listed = ", ".join(near or known)
            self.fault(f"{key} 不能是“{value}”；可用：{listed}", f'{key} cannot be "{value}"; one of: {listed}')
            return known[0]
        return value or known[0]

    def words(self, key: str, *, needed: bool = True) -> Text:
        """Take a text in both languages."""
        value = self._take(key, {} if needed else {"zh": "", "en": ""})
        spoken = (
            isinstance(value, dict) and set(value) == {"zh", "en"} and all(isinstance(v, str) for v in value.values())
        )
        if not spoken or (needed and not all(v.strip() for v in value.values())):
            self.fault(f"{key} 须含 zh 与 en 两种文字", f"{key} must hold a text in zh and in en")
            return Text("", "")
        return Text(value["zh"], value["en"])

    def number(self, key: str) -> float | None:
        """Take a finite number ≥ 0 that may be absent."""
        value = self._take(key, None)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            self.fault(f"{key} 须为不小于 0 的数", f"{key} must be a number ≥ 0")
            return None
        return float(value)

    def year(self, key: str) -> int | None:
        """Take a year that may be absent."""
        value = self._take(key, None)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 1949 <= value <= 2100):
            self.fault(f"{key} 须为年份", f"{key} must be a year")
            return None
        return value

    def yes(self, key: str) -> bool:
        """Take a true or false; absent is false."""
        value = self._take(key, False)
        if not isinstance(value, bool):
            self.fault(f"{key} 须为 true 或 false", f"{key} must be true or false")
        return value is True

    def texts(self, key: str) -> tuple[str, ...]:
        """Take a list of texts; absent is empty."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) and one.strip() for one in value):
            self.fault(f"{key} 须为文字的列表", f"{key} must be a list of texts")
            return ()
        return tuple(value)

    def tables(self, key: str) -> Iterator[tuple[str, Entry]]:
        """Take a table of tables, one entry after the other; absent is empty."""
        value = self._take(key, {})
        if not isinstance(value, dict):
            self.fault(f"{key} 须为表，形如 [{key}.名称]", f"{key} must hold tables, as in [{key}.id]")
            return
        for name, table in value.items():
            yield name, Entry(f"{self.where}.{key}.{name}".lstrip("."), table, self.faults)

    def steps(self) -> tuple[Step, ...]:
        """Take the steps towards the target, in the order of their years."""
        value = self._take("steps", [])
        steps = []
        for number, table in enumerate(value if isinstance(value, list) else [None], start=1):
            step = Entry(f"{self.where}.steps {number}", table, self.faults)
            year, target = step.year("year"), step.number("target")
            step.finish()
            if year is None or target is None:
                step.fault("须有 year 与 target", "must hold a year and a target")
            else:
                steps.append(Step(year, target))
        if [step.year for step in steps] != sorted({step.year for step in steps}):
            self.fault("steps 须按年份先后排列", "steps must be in the order of their years")
        return tuple(steps)

    def finish(self) -> None:
        """Note every key that nothing asked for, with those it may have meant."""
        for key in self._table:
            if key not in self._taken:
                words = unknown_word(Text("键", "key"), key, self._taken)
                self.fault(words.zh, words.en)

    def _take(self, key: str, default: object) -> Any:
        self._taken.add(key)
        return self._table.get(key, default)


def read_assumption(entry: Entry) -> Assumption | None:
    """Read an assumption; one that nothing reads is a fault, like an unknown key."""
    if entry.key not in ASSUMPTIONS:
        words = unknown_word(Text("假设", "assumption"), entry.key, ASSUMPTIONS)
        entry.fault(words.zh, words.en)
        return None
    unit = ASSUMPTIONS[entry.key][0]
    value = entry.number("value")
    if not entry.has("value"):
        entry.fault("缺少 value", "value is missing")
    wrong = None if value is None else range_fault(entry.key, unit, value)
    if wrong is not None:
        entry.fault(wrong.zh, wrong.en)
    entry.word("unit", (unit,))
    source, looser = entry.text("source"), entry.text("looser", "")
    entry.finish()
    return Assumption(entry.key, value or 0.0, unit, source, looser) if entry.sound else None


def read_service(entry: Entry) -> Service | None:
    """Read a service with its names."""
    name, aliases, counted = entry.words("name"), entry.texts("aliases"), entry.yes("counted")
    looser = entry.text("looser", "")
    entry.finish()
    return Service(entry.key, name, aliases, counted, looser) if entry.sound else None


def read_circle(entry: Entry, document: str) -> Circle | None:
    """Read a circle: minutes or metres, and where that is written."""
    minutes, distance_m = entry.number("minutes"), entry.number("distance_m")
    if (minutes is None) == (distance_m is None) or not (minutes or distance_m):
        entry.fault("minutes 与 distance_m 须且只须给出一个正数", "give exactly one of minutes and distance_m, > 0")
    area_type = entry.word("area_type", AREA_TYPES)
    service, group = entry.text("service"), entry.word("group", GROUPS, "households")
    document, clause, quotation, source = _written_where(entry, document)
    looser = entry.text("looser", "")
    entry.finish()
    if not entry.sound:
        return None
    return Circle(
        id=entry.key,
        area_type=cast(AreaType, area_type),
        minutes=minutes,
        distance_m=distance_m,
        service=service,
        group=cast(Group, group),
        document=document,
        clause=clause,
        quotation=quotation,
        source=source,
        looser=looser,
    )


def read_rule(entry: Entry, document: str) -> Rule | None:
    """Read a rule: what is measured, against what, for whom, and where that is written."""
    measure, unit = entry.word("measure", MEASURES), entry.word("unit", tuple(UNITS))
    document, clause, quotation, source = _written_where(entry, document)
    rule = Rule(
        id=entry.key,
        name=entry.words("name"),
        measure=cast(Measure, measure),
        unit=UNITS[unit],
        level=cast(Level, entry.word("level", LEVELS)),
        numerator=entry.words("numerator"),
        denominator=entry.words("denominator", needed=False),
        county_figure=cast(CountyFigure, entry.word("county_figure", COUNTY_FIGURES)),
        applies_to=cast(AppliesTo, entry.word("applies_to", APPLIES_TO)),
        facility_kind=entry.text("facility_kind", ""),
        target=entry.number("target"),
        year=entry.year("year"),
        steps=entry.steps(),
        baseline=entry.number("baseline"),
        baseline_year=entry.year("baseline_year"),
        direction=cast(Direction, entry.word("direction", DIRECTIONS, "at_least")),
        document=document,
        clause=clause,
        quotation=quotation,
        source=source,
        columns=entry.texts("columns"),
        services=entry.texts("services"),
        target_from=entry.text("target_from", ""),
        looser=entry.text("looser", ""),
    )
    if entry.sound:
        _check_rule(entry, rule)
    entry.finish()
    return rule if entry.sound else None


def _written_where(entry: Entry, document: str) -> tuple[str, str, str, str]:
    """Take document, clause, quotation and source; what is not quoted must have a source."""
    document = entry.text("document", document)
    clause, quotation, source = entry.text("clause"), entry.text("quotation", ""), entry.text("source", "")
    if not quotation and not source:
        entry.fault("须有 quotation（原文）或 source（出处）", "needs a quotation of the text, or a source")
    return document, clause, quotation, source


def _check_rule(entry: Entry, rule: Rule) -> None:
    """Note what the parts of a rule say against one another."""
    goals = [rule.target, rule.baseline, *(step.target for step in rule.steps)]
    if rule.is_share and any(goal is not None and goal > 1 for goal in goals):
        entry.fault("占比须在 0 与 1 之间（80% 写作 0.8）", "a share lies between 0 and 1 (80 % is 0.8)")
    if rule.target_from and (rule.target is not None or rule.target_from not in ASSUMPTIONS):
        entry.fault(
            "target_from 须为一项假设，且不与 target 并用", "target_from names an assumption, and goes without target"
        )
    if rule.steps and (rule.year is None or rule.target is None or rule.steps[-1].year >= rule.year):
        entry.fault("steps 须早于 year 并有 target", "steps come before the year of the target")
    if not rule.columns:
        entry.fault("columns 须写明由哪些列计算", "columns must name the columns that answer the rule")
    if rule.measure == "required_services" and not rule.services:
        entry.fault("services 须列出生活圈内应有的服务", "services must list what a circle should hold")
