"""What a standard assumes: the numbers that no rule gives, their units, and the values that a unit allows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from siting.text import Text

# Every assumption there may be: its unit, and which way eases a standard (a faster walk draws a wider circle).
ASSUMPTIONS: Mapping[str, tuple[str, Literal["", "higher", "lower"]]] = {
    "walking_speed_kmh": ("km/h", "higher"),
    "elderly_speed_kmh": ("km/h", "higher"),
    "disabled_speed_kmh": ("km/h", "higher"),
    "snap_limit_m": ("m", "higher"),
    "min_piece_km": ("km", ""),
    "off_road_m": ("m", ""),
    "direct_walk": ("1 yes, 0 no", ""),
    "reach_share": ("share", "lower"),
    "allot_share": ("share", "lower"),
    "near_limit_share": ("share", ""),
    "floors_per_building": ("floors", ""),
    "m2_per_dwelling": ("m²", ""),
    "alpha_elderly": ("weight", ""),
    "alpha_minors": ("weight", ""),
    "alpha_disabled": ("weight", ""),
    "least_site_m2": ("m²", ""),
    "horizon_years": ("years", ""),
    "discount_rate": ("a year", ""),
    "prefer_existing_share": ("share", ""),
}

_ABOVE_0 = ("floors", "m²")
_FASTEST_KMH = 15
"""No walk is faster: what is above was meant in another unit."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """A number that no rule gives, and that a planner may dispute: its value, unit and source."""

    name: str
    value: float
    unit: str
    source: str
    looser: str = ""


def range_fault(name: str, unit: str, value: object) -> Text | None:
    """Return what is wrong with the value of an assumption in its unit, None where nothing is."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if unit in {"share", "a year"}:
        wanted, fits = Text("0 与 1 之间的数", "a number between 0 and 1"), number and 0 <= float(str(value)) <= 1
    elif unit == "km/h":
        wanted = Text(f"大于 0、不超过 {_FASTEST_KMH} 的数", f"a number > 0 and ≤ {_FASTEST_KMH}")
        fits = number and 0 < float(str(value)) <= _FASTEST_KMH
    elif unit in _ABOVE_0:
        wanted, fits = Text("大于 0 的数", "a number > 0"), number and float(str(value)) > 0
    else:
        wanted, fits = Text("不小于 0 的数", "a number ≥ 0"), number and float(str(value)) >= 0
    said = Text(f"假设 {name} 须为{wanted.zh}，而不是 {value}", f"{name} must be {wanted.en}, not {value}")
    return None if fits else said
