"""Numbers as people read them: a unit, thousands separated, and never rounded across the target."""

from __future__ import annotations

import math

from siting.outputs.words import unit_text
from siting.text import Lang, Text

# decimals that each unit is usually read with
_DECIMALS = {
    "share": 1,
    "m": 0,
    "m2": 0,
    "min": 1,
    "wan_yuan": 1,
    "households": 0,
    "communities": 0,
    "facilities": 0,
    "actions": 0,
    "gaps": 0,
    "m2_per_100_households": 1,
}
_WHOLE = ("communities", "facilities", "actions", "gaps")  # what is counted, whoever names the unit
_MOST_DECIMALS = 6
# what English says of one where its word for several is not also that for one
_OF_ONE = {
    "households": "household",
    "communities": "community",
    "facilities": "facility",
    "actions": "action",
    "gaps": "gap",
    "services": "service",
    "places": "place",
    "weighted households": "weighted household",
}


def is_missing(value: object) -> bool:
    """Return True where a figure is None, NaN or infinite.

    Parameters
    ----------
    value
        A cell of a table.

    Returns
    -------
    bool
        Whether there is no number to print.
    """
    if value is None:
        return True
    try:
        return not math.isfinite(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return True


def format_number(value: object, unit: str | Text, *, against: object = None) -> str:
    """Return a figure without its unit, a share as a percentage.

    Decimals are added until the printed figure stands on the same side of the printed target as the true one:
    29.96 against 30 is printed 29.96, never 30.0, a share of 0.9999 is never printed as 100, and 300 yuan never as 0.

    Parameters
    ----------
    value
        The figure, in its unit; a share is 0–1. Missing gives an em dash.
    unit
        A unit name of this package, or the unit a rule states.
    against
        The target it is read against, in the same unit.

    Returns
    -------
    str
        The digits people read.
    """
    if is_missing(value):
        return "—"
    scale = 100.0 if is_share(unit) else 1.0
    number = float(value) * scale  # type: ignore[arg-type]
    marks = [float(mark) * scale for mark in (against,) if not is_missing(mark)]  # type: ignore[arg-type]
    if is_share(unit):
        if number in (0.0, 100.0):
            return f"{number:.0f}"
        marks += [0.0, 100.0]
    elif unit == "wan_yuan":
        marks.append(0.0)
    name = unit if isinstance(unit, str) else unit.en if unit.en in _WHOLE else ""
    usual = _DECIMALS.get("share" if is_share(unit) else name, 1)
    # a difference that no printed decimal shows is the noise of adding, not a side
    telling = (d for d in range(usual, _MOST_DECIMALS + 1) if not any(_crosses(number, mark, d) for mark in marks))
    decimals = next(telling, usual)
    printed = f"{number:,.{decimals}f}"
    return "0" if float(printed.replace(",", "")) == 0 else printed


def format_figure(value: object, unit: str | Text, lang: Lang, *, against: object = None) -> str:
    """Return a figure with its unit.

    Parameters
    ----------
    value
        The figure, in its unit; a share is 0–1. Missing gives an em dash alone.
    unit
        A unit name of this package, or the unit a rule states.
    lang
        ``"zh"`` or ``"en"``.
    against
        The target it is read against, in the same unit.

    Returns
    -------
    str
        The figure as a sentence holds it.
    """
    digits = format_number(value, unit, against=against)
    if digits == "—":
        return digits
    if is_share(unit):
        return digits + "%"
    return with_unit(digits, unit_text(unit) if isinstance(unit, str) else unit, lang)


def with_unit(digits: str, unit: Text, lang: Lang) -> str:
    """Return digits with a unit; one that begins with a digit itself (10,000 yuan) is multiplied by; 1 has no plural.

    Parameters
    ----------
    digits
        A figure as it is printed.
    unit
        Its unit.
    lang
        ``"zh"`` or ``"en"``.

    Returns
    -------
    str
        The figure as a sentence holds it.
    """
    name = unit.to(lang)
    if lang == "en" and digits == "1":
        name = _OF_ONE.get(name, name)
    return f"{digits} {'× ' if name[:1].isdigit() else ''}{name}".rstrip()


def is_share(unit: str | Text) -> bool:
    """Return True for a unit whose figures are kept as 0–1 and read as a percentage.

    Parameters
    ----------
    unit
        A unit name of this package, or the unit a rule states.

    Returns
    -------
    bool
        Whether to multiply by 100.
    """
    return (unit if isinstance(unit, str) else unit.en) in ("share", "%")


def _crosses(number: float, mark: float, decimals: int) -> bool:
    """Tell whether rounding hides on which side of a mark a number lies."""
    return number != mark and round(number, decimals) == round(mark, decimals)
