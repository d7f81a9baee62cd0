"""What a standard is: rules, services, circles and assumptions as frozen values."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal, get_args

from siting.errors import StandardError
from siting.standards.assumptions import Assumption, range_fault
from siting.text import Text

Measure = Literal[
    "reached_share",
    "area_per_100_households",
    "area_standard_share",
    "facility_coverage_share",
    "activity_area_share",
    "commerce_service_area_share",
    "self_service_terminal_share",
    "community_workers_per_10000",
    "social_organisations_mean",
    "certified_workers_share",
    "hours_per_day",
    "elder_care_area_per_resident",
    "elder_services_share",
    "required_services",
    "new_build_min_area",
    "sports_reached_share",
    "recorded",
]
Level = Literal["community", "township", "county", "facility", "action"]
CountyFigure = Literal["ratio_of_sums", "mean", "share", "none"]
AppliesTo = Literal["urban", "rural", "all", "resettlement"]
Direction = Literal["at_least", "at_most"]
AreaType = Literal["urban", "rural"]
Group = Literal["households", "elderly", "minors", "disabled"]

MEASURES: tuple[str, ...] = get_args(Measure)
LEVELS: tuple[str, ...] = get_args(Level)
COUNTY_FIGURES: tuple[str, ...] = get_args(CountyFigure)
APPLIES_TO: tuple[str, ...] = get_args(AppliesTo)
DIRECTIONS: tuple[str, ...] = get_args(Direction)
AREA_TYPES: tuple[str, ...] = get_args(AreaType)
GROUPS: tuple[str, ...] = get_args(Group)

UNITS: Mapping[str, Text] = {
    "share": Text("占比", "share"),
    "m2_per_100_households": Text("平方米/百户", "m² per 100 households"),
    "m2_per_resident": Text("平方米/人", "m² per resident"),
    "m2": Text("平方米", "m²"),
    "persons_per_10000": Text("人/万人", "persons per 10,000 residents"),
    "count": Text("个", "count"),
    "hours": Text("小时/日", "hours a day"),
    "services": Text("类", "services"),
    "places": Text("处", "places"),
    "wan_yuan_per_year": Text("万元/年", "10,000 yuan a year"),
    "principle": Text("原则", "principle"),
}

_SPEED_OF_GROUP: Mapping[str, str] = {
    "households": "walking_speed_kmh",
    "minors": "walking_speed_kmh",
    "elderly": "elderly_speed_kmh",
    "disabled": "disabled_speed_kmh",
}


@dataclass(frozen=True, slots=True)
class Service:
    """One kind of service; ``counted`` when its floor area counts for the area per 100 households."""

    id: str
    name: Text
    aliases: tuple[str, ...] = ()
    counted: bool = False
    looser: str = ""


@dataclass(frozen=True, slots=True)
class Circle:
    """How far a service may be from a home of one area type: minutes on foot, or metres, never both.

    ``service`` ``"*"`` is every service without a circle of its own; ``group`` ``"households"`` is everybody
    without a circle of their own.
    """

    id: str
    area_type: AreaType
    minutes: float | None
    distance_m: float | None
    service: str
    group: Group
    document: str
    clause: str
    quotation: str
    source: str
    looser: str = ""

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.distance_m is None):
            raise StandardError(
                Text(
                    f"生活圈 {self.id}：minutes（分钟）与 distance_m（米）须且只须给出一个",
                    f"circle {self.id}: give exactly one of minutes and distance_m",
                )
            )


@dataclass(frozen=True, slots=True)
class Step:
    """A target on the way: what is due by the end of ``year``."""

    year: int
    target: float


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a policy: what is measured, against what, for whom, and where it is written.

    Shares are 0–1. ``year`` None is a rule in force without a deadline; ``target`` None is a figure the document
    records and sets no target for. ``columns`` name the table columns that answer the rule. ``services`` are those a
    circle must hold. ``target_from`` names the assumption that is the target where no document gives a number.
    """

    id: str
    name: Text
    measure: Measure
    unit: Text
    level: Level
    numerator: Text
    denominator: Text
    county_figure: CountyFigure
    applies_to: AppliesTo
    facility_kind: str
    target: float | None
    year: int | None
    steps: tuple[Step, ...]
    baseline: float | None
    baseline_year: int | None
    direction: Direction
    document: str
    clause: str
    quotation: str
    source: str
    columns: tuple[str, ...]
    services: tuple[str, ...] = ()
    target_from: str = ""
    looser: str = ""

    @property
    def is_share(self) -> bool:
        """Whether the value is a share, 0–1, to be printed as a percentage."""
        return self.unit == UNITS["share"]

    def due(self, year: int) -> Step | None:
        """Return what is due by the end of a year: the last step or target whose deadline has come; None before any."""
        goals = [*self.steps, *([Step(self.year, self.target)] if self.year and self.target is not None else [])]
        come = [goal for goal in goals if goal.year <= year]
        return max(come, key=lambda goal: goal.year) if come else None


_FEW = 8


def near_matches(word: str, known: Iterable[str]) -> list[str]:
    """Return at most three known words that look like one that is not known."""
    return difflib.get_close_matches(word, sorted(known), n=3, cutoff=0.5)


def near_words(word: str, known: Iterable[str]) -> Text:
    """Return what to say behind a word that is not known: its near matches, nothing where there are none."""
    near = near_matches(word, known)
    return Text(f"；相近的有 {'、'.join(near)}", f"; near matches: {', '.join(near)}") if near else Text("", "")


def unknown_word(what: Text, word: str, known: Iterable[str]) -> Text:
    """Return the words for a name that is not known, with the near matches."""
    known = sorted(known)
    more = near_words(word, known)
    if not more.en and len(known) <= _FEW:
        more = Text(f"；可用的有 {'、'.join(known)}", f"; there are: {', '.join(known)}")
    return Text(f"没有名为“{word}”的{what.zh}{more.zh}", f'there is no {what.en} "{word}"{more.en}')


@lru_cache(maxsize=32)
def _names_of(services: tuple[Service, ...]) -> dict[str, str]:
    names: dict[str, str] = {}
    for service in services:
        for word in (service.id, service.name.zh, service.name.en, *service.aliases):
            names.setdefault(plain_name(word), service.id)
    return names


def plain_name(word: str) -> str:
    """Return a name as it is compared: NFKC, no case, without spaces, underscores and hyphens."""
    folded = unicodedata.normalize("NFKC", word).casefold()
    return "".join(letter for letter in folded if not letter.isspace() and letter not in "_-")


@dataclass(frozen=True, slots=True)
class Standard:
    """A set of rules as data: what a plan asks for, the services it knows, its circles, and what it assumes."""

    id: str
    name: Text
    document: str
    rules: tuple[Rule, ...]
    services: tuple[Service, ...]
    circles: tuple[Circle, ...]
    assumptions: Mapping[str, Assumption] = field(hash=False)

    def rule(self, rule_id: str) -> Rule:
        """Return one rule; raise `StandardError` with the near matches when there is none of that id."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise StandardError(unknown_word(Text("规则", "rule"), rule_id, (rule.id for rule in self.rules)))

    def service(self, service_id: str) -> Service:
        """Return one service; raise `StandardError` with the near matches when there is none of that id."""
        for service in self.services:
            if service.id == service_id:
                return service
        known = (service.id for service in self.services)
        raise StandardError(unknown_word(Text("服务", "service"), service_id, known))

    def service_id(self, text: str) -> str | None:
        """Return the id of the service that a text names (id, Chinese or English name, or alias), or None."""
        return _names_of(self.services).get(plain_name(text))

    def required_services(self, area_type: str) -> tuple[str, ...]:
        """Return the services that a circle of one area type must hold, in the order of the rules, each once."""
        wanted: dict[str, None] = {}
        for rule in self.rules:
            if rule.measure == "required_services" and rule.applies_to in (area_type, "all"):
                wanted.update(dict.fromkeys(rule.services))
        return tuple(wanted)

    def value(self, name: str) -> float:
        """Return the value of an assumption; raise `StandardError` with the near matches when it is unknown."""
        if name not in self.assumptions:
            raise StandardError(unknown_word(Text("假设", "assumption"), name, self.assumptions))
        return self.assumptions[name].value

    def assume(self, **values: float) -> Standard:
        """Return the standard with the study's own values for some assumptions; their source becomes the study.

        Parameters
        ----------
        **values
            Assumption names and their new values, each in the unit of the assumption, finite and not negative; a
            share or a yearly rate at most 1, a walking speed at most 15 km/h; a speed, a height in floors or a size in
            m² above 0.

        Returns
        -------
        Standard
            A copy; this one is unchanged.

        Raises
        ------
        StandardError
            If a name is unknown (its near matches are named), or a value is not a number that its unit allows; every
            fault is in the message.
        """
        changed = dict(self.assumptions)
        faults = []
        for name, value in values.items():
            if name not in changed:
                faults.append(unknown_word(Text("假设", "assumption"), name, changed))
            elif (fault := range_fault(name, changed[name].unit, value)) is not None:
                faults.append(fault)
        if faults:
            raise StandardError(Text("；".join(each.zh for each in faults), "; ".join(each.en for each in faults)))
        for name, value in values.items():
            changed[name] = replace(changed[name], value=float(value), source="the study")
        rules = tuple(
            replace(rule, target=changed[rule.target_from].value) if rule.target_from in values else rule
            for rule in self.rules
        )
        return replace(self, assumptions=changed, rules=rules)

    @property
    def counted_services(self) -> frozenset[str]:
        """The services whose floor area counts."""
        return frozenset(service.id for service in self.services if service.counted)

    def circle(self, area_type: str, *, service: str = "comprehensive", group: str = "households") -> Circle:
        """Return the circle that holds for homes of an area type, a service and a group.

        A circle of the service and the group itself goes before one of the service, that before one of the group, and
        that before the circle of everything.

        Parameters
        ----------
        area_type
            ``"urban"`` or ``"rural"``.
        service
            A service id.
        group
            ``"households"``, ``"elderly"``, ``"minors"`` or ``"disabled"``.

        Returns
        -------
        Circle
            The most particular circle.

        Raises
        ------
        StandardError
            If the area type or the group is unknown, or the standard draws no such circle.
        """
        if area_type not in AREA_TYPES:
            raise StandardError(unknown_word(Text("城乡类型", "area type"), area_type, AREA_TYPES))
        if group not in GROUPS:
            raise StandardError(unknown_word(Text("人群", "group"), group, GROUPS))
        here = {(one.service, one.group): one for one in self.circles if one.area_type == area_type}
        for key in ((service, group), (service, "households"), ("*", group), ("*", "households")):
            if key in here:
                return here[key]
        raise StandardError(
            Text(f"标准 {self.id} 没有 {area_type} 的生活圈", f"the standard {self.id} draws no circle for {area_type}")
        )

    def cutoff_m(self, area_type: str, *, service: str = "comprehensive", group: str = "households") -> float:
        """Return how far a service may be from a home, m along the network; equal is covered.

        Minutes become metres at the group's walking speed, rounded once to whole millimetres. A circle given in metres
        is the same for every group.

        Parameters
        ----------
        area_type
            ``"urban"`` or ``"rural"``, that of the home.
        service
            A service id.
        group
            ``"households"``, ``"elderly"``, ``"minors"`` or ``"disabled"``.

        Returns
        -------
        float
            Metres, exact to the millimetre.

        Raises
        ------
        StandardError
            If the area type or the group is unknown, or the standard draws no such circle.
        """
        circle = self.circle(area_type, service=service, group=group)
        if circle.distance_m is not None:
            return round(circle.distance_m * 1000) / 1000
        speed_kmh = self.value(_SPEED_OF_GROUP[group])
        return round((circle.minutes or 0.0) * speed_kmh / 60 * 1_000_000) / 1000
