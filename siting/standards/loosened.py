"""Says in what an entry of one standard is looser than the entry it replaces; an empty answer is no looser."""

from __future__ import annotations

from collections.abc import Mapping

from siting.standards.assumptions import ASSUMPTIONS, Assumption
from siting.standards.model import Circle, Rule, Service
from siting.text import Text


def rule_loosened(old: Rule, new: Rule) -> list[Text]:
    """Return what a rule asks less of than the one it replaces: target, deadline, a step, or for whom it holds."""
    eased: list[Text] = []
    if old.target is not None and _asks_less(new.target, old.target, old.direction):
        eased.append(
            Text(f"目标由 {old.target:g} 变为 {_show(new.target)}", f"target {old.target:g} -> {_show(new.target)}")
        )
    if old.year is not None and (new.year is None or new.year > old.year):
        eased.append(Text(f"期限由 {old.year} 年变为 {_show(new.year)}", f"deadline {old.year} -> {_show(new.year)}"))
    for step in old.steps:
        due = new.due(step.year)
        if _asks_less(due.target if due else None, step.target, old.direction):
            eased.append(Text(f"{step.year} 年应达到 {step.target:g}", f"{step.target:g} was due by {step.year}"))
    if new.applies_to not in (old.applies_to, "all"):
        eased.append(
            Text(
                f"适用范围由 {old.applies_to} 变为 {new.applies_to}", f"applies to {old.applies_to} -> {new.applies_to}"
            )
        )
    lost = [service for service in old.services if service not in new.services]
    if lost and old.measure == "required_services":
        eased.append(Text(f"不再要求 {'、'.join(lost)}", f"no longer asks for {', '.join(lost)}"))
    return eased


def circle_loosened(old: Circle, new: Circle, assumptions: Mapping[str, Assumption]) -> list[Text]:
    """Return whether a circle is wider than the one it replaces; minutes are compared with metres at walking speed."""
    speed_kmh = assumptions["walking_speed_kmh"].value
    before, after = (one.distance_m or (one.minutes or 0.0) * speed_kmh / 0.06 for one in (old, new))
    return [Text(f"由 {before:g} 米放宽到 {after:g} 米", f"{before:g} m -> {after:g} m")] if after > before else []


def assumption_loosened(old: Assumption, new: Assumption) -> list[Text]:
    """Return whether an assumption was moved the way that eases the standard; some have no such way."""
    eases = ASSUMPTIONS[old.name][1]
    moved = (eases == "higher" and new.value > old.value) or (eases == "lower" and new.value < old.value)
    return [Text(f"由 {old.value:g} 变为 {new.value:g}", f"{old.value:g} -> {new.value:g}")] if moved else []


def service_loosened(old: Service, new: Service) -> list[Text]:
    """Return whether a service's floor area counts that did not count before."""
    return [Text("其面积改为计入", "its area now counts")] if new.counted and not old.counted else []


def _asks_less(new: float | None, old: float, direction: str) -> bool:
    if new is None:
        return True
    return new < old if direction == "at_least" else new > old


def _show(value: float | None) -> str:
    return "—" if value is None else f"{value:g}"
