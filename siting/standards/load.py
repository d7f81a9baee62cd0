"""Reads a standard from TOML: strict about keys, sources and overrides, and says every fault of a file at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from siting.errors import MissingFileError, StandardError
from siting.small_files import read_toml
from siting.standards.assumptions import ASSUMPTIONS, Assumption
from siting.standards.entries import Entry, read_assumption, read_circle, read_rule, read_service
from siting.standards.loosened import assumption_loosened, circle_loosened, rule_loosened, service_loosened
from siting.standards.model import (
    AREA_TYPES,
    Circle,
    Rule,
    Service,
    Standard,
    plain_name,
    unknown_word,
)
from siting.text import Text

SHIPPED = ("national", "gansu", "jiangsu", "linyi")
_BASE = Path(__file__).resolve().parent


class _Replaceable(Protocol):
    @property
    def looser(self) -> str: ...


T = TypeVar("T", bound=_Replaceable)


@dataclass
class _Parts:
    """What a file and those it extends hold so far, each by its id."""

    rules: dict[str, Rule]
    services: dict[str, Service]
    circles: dict[str, Circle]
    assumptions: dict[str, Assumption]


def read_standard(name_or_path: str | Path) -> Standard:
    """Read a shipped standard by its name, or a planner's own from a TOML file of the same form.

    A file may say ``extends = "national"`` (a shipped name, or a path beside it): its own entries then replace those of
    the same id, and may only be stricter, unless an entry says ``looser = "the reason"``. A name without ``.toml`` that
    is not shipped, and is not a file, is an error with the near matches.

    Parameters
    ----------
    name_or_path
        ``"national"``, ``"gansu"``, ``"jiangsu"``, ``"linyi"``, or the path of a TOML file.

    Returns
    -------
    Standard
        Rules, services, circles and assumptions, those of the base first, in the order of the files.

    Raises
    ------
    StandardError
        If a file is not TOML, holds an unknown key or a wrong value, an entry without a clause or a source, a looser
        override that does not say so, or lacks what every standard must have; every fault of the file is named.
    MissingFileError
        If a path names no file.
    """
    path = _locate(name_or_path, Path())
    return _read(path, ())


def _locate(name_or_path: str | Path, folder: Path) -> Path:
    """Return the file of a shipped name, or of a path relative to a folder."""
    if str(name_or_path) in SHIPPED:
        return _BASE / f"{name_or_path}.toml"
    path = folder / name_or_path
    if path.is_file():
        return path.resolve()
    if path.suffix != ".toml":
        raise StandardError(unknown_word(Text("标准", "standard"), str(name_or_path), SHIPPED))
    raise MissingFileError(
        Text(
            f"找不到标准文件 {path}；路径相对于引用它的文件，自带的标准有 {'、'.join(SHIPPED)}",
            f"there is no file {path} to read a standard from; a path is relative to the file that names it, "
            f"the shipped standards are {', '.join(SHIPPED)}",
        )
    )


def _read(path: Path, below: tuple[Path, ...]) -> Standard:
    if path in below:
        chain = " → ".join(one.name for one in (*below, path))
        raise StandardError(Text(f"标准互相引用：{chain}", f"the standards extend one another in a ring: {chain}"))
    file = read_toml(path, StandardError)
    faults: list[Text] = []
    head = Entry("standard", file.pop("standard", {}), faults)
    identity, name, document = head.text("id"), head.words("name"), head.text("document")
    base_name = head.text("extends", "")
    head.finish()
    parts = _Parts({}, {}, {}, {})
    if base_name:
        base = _read(_locate(base_name, path.parent), (*below, path))
        parts = _Parts(
            {rule.id: rule for rule in base.rules},
            {service.id: service for service in base.services},
            {circle.id: circle for circle in base.circles},
            dict(base.assumptions),
        )
    _add(file, parts, document, faults)
    faults += _whole(parts)
    if faults:
        raise StandardError(_gathered(path, faults))
    return Standard(
        id=identity,
        name=name,
        document=document,
        rules=tuple(_with_assumed_target(rule, parts.assumptions) for rule in parts.rules.values()),
        services=tuple(parts.services.values()),
        circles=tuple(parts.circles.values()),
        assumptions=parts.assumptions,
    )


def _add(file: dict[str, Any], parts: _Parts, document: str, faults: list[Text]) -> None:
    """Add the entries of a file to those of the files it extends, stricter ones in place of the old."""
    body = Entry("", file, faults)
    assumptions = _entries(body, "assumptions", read_assumption)
    services = _entries(body, "services", read_service)
    circles = _entries(body, "circles", lambda entry: read_circle(entry, document))
    rules = _entries(body, "rules", lambda entry: read_rule(entry, document))
    body.finish()
    _replace(parts.assumptions, assumptions, "assumptions", assumption_loosened, faults)
    _replace(parts.services, services, "services", service_loosened, faults)
    speeds = parts.assumptions
    rules = {key: _with_assumed_target(rule, parts.assumptions) for key, rule in rules.items()}
    _replace(parts.circles, circles, "circles", lambda old, new: circle_loosened(old, new, speeds), faults)
    for key in rules.keys() & parts.rules.keys():
        faults += _same_measure(parts.rules[key], rules[key])
    _replace(parts.rules, rules, "rules", rule_loosened, faults)


def _entries(body: Entry, kind: str, read: Callable[[Entry], T | None]) -> dict[str, T]:
    """Read every entry of one kind; one with faults is left out, its faults are noted."""
    read_ones = {key: read(entry) for key, entry in body.tables(kind)}
    return {key: one for key, one in read_ones.items() if one is not None}


def _replace(
    old: dict[str, T], new: Mapping[str, T], kind: str, loosened: Callable[[T, T], list[Text]], faults: list[Text]
) -> None:
    for key, one in new.items():
        eased = loosened(old[key], one) if key in old else []
        if eased and not one.looser:
            zh, en = "，".join(text.zh for text in eased), ", ".join(text.en for text in eased)
            faults.append(
                Text(
                    f'{kind}.{key}：比所依据的标准宽松（{zh}）；确需放宽时写明 looser = "理由"',
                    f"{kind}.{key}: looser than the standard it extends ({en}); "
                    'if that is meant, say looser = "the reason"',
                )
            )
        old[key] = one


def _same_measure(old: Rule, new: Rule) -> list[Text]:
    what, now = (
        (rule.measure, rule.unit, rule.direction)
        + (() if rule.measure == "recorded" else (rule.facility_kind, rule.county_figure))
        for rule in (old, new)
    )
    if what == now:
        return []
    return [
        Text(
            f"rules.{new.id}：与所依据标准的同名规则衡量的不是同一件事"
            "（measure、unit、direction、facility_kind、county_figure 须一致）；请另取规则名",
            f"rules.{new.id}: measures something else than the rule of that id in the standard it extends "
            "(measure, unit, direction, facility_kind and county_figure must be the same); give it another id",
        )
    ]


def _whole(parts: _Parts) -> list[Text]:
    """Return what is missing or contradicts itself in a standard taken as a whole."""
    faults = [
        Text(
            f"缺少假设 {name}；可写 extends 沿用已有标准",
            f"the assumption {name} is missing; extending a shipped standard supplies it",
        )
        for name in ASSUMPTIONS
        if name not in parts.assumptions
    ]
    for rule_id, measure in (("reach", "reached_share"), ("area_per_100_households", "area_per_100_households")):
        if rule_id not in parts.rules or parts.rules[rule_id].measure != measure:
            faults.append(Text(f"缺少规则 {rule_id}（{measure}）", f"the rule {rule_id} ({measure}) is missing"))
    drawn = {one.area_type for one in parts.circles.values() if (one.service, one.group) == ("*", "households")}
    faults += [
        Text(f'{area_type} 缺少 service = "*" 的生活圈', f'{area_type} homes lack a circle of service "*"')
        for area_type in AREA_TYPES
        if area_type not in drawn
    ]
    return faults + _unknown_services(parts) + _shared_names(parts.services)


def _unknown_services(parts: _Parts) -> list[Text]:
    named = [(f"circles.{one.id}", one.service) for one in parts.circles.values() if one.service != "*"]
    for rule in parts.rules.values():
        named += [(f"rules.{rule.id}", service) for service in (*rule.services, rule.facility_kind) if service]
    faults = []
    for where, service in named:
        if service not in parts.services:
            words = unknown_word(Text("服务", "service"), service, parts.services)
            faults.append(Text(f"{where}：{words.zh}", f"{where}: {words.en}"))
    return faults


def _shared_names(services: Mapping[str, Service]) -> list[Text]:
    """Return the names by which two services are called."""
    owner: dict[str, str] = {}
    faults = []
    for service in services.values():
        for word in (service.id, service.name.zh, service.name.en, *service.aliases):
            first = owner.setdefault(plain_name(word), service.id)
            if first != service.id:
                faults.append(
                    Text(
                        f"“{word}”既指 {first} 又指 {service.id}",
                        f'"{word}" names both the service {first} and {service.id}',
                    )
                )
    return faults


def _with_assumed_target(rule: Rule, assumptions: Mapping[str, Assumption]) -> Rule:
    return replace(rule, target=assumptions[rule.target_from].value) if rule.target_from else rule


def _gathered(path: Path, faults: list[Text]) -> Text:
    zh = "\n  ".join([f"{path.name}：{len(faults)} 处问题", *(fault.zh for fault in faults)])
    en = "\n  ".join([f"{path.name}: {len(faults)} faults", *(fault.en for fault in faults)])
    return Text(zh, en)
