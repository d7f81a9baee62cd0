"""Cut-offs as whole units: metres to millimetres, minutes to milliseconds, converted once."""

from __future__ import annotations

import math

from siting.errors import CutoffError
from siting.network.graph import LONGEST_EDGE_MM
from siting.network.routing import Metric
from siting.text import Text

LONGEST = LONGEST_EDGE_MM
"""The largest cost a search can hold: 4,026 km, or 1,118 hours."""
UNITS: dict[Metric, float] = {"mm": 1000.0, "ms": 60000.0}


def whole_cutoff(*, cutoff_m: float | None = None, cutoff_min: float | None = None) -> tuple[Metric, int]:
    """Return the metric of a cut-off and its value in whole units; what equals the cut-off lies within.

    A fraction of a unit is dropped, unless it only is the noise of a decimal number (1200.1 m is 1,200,100 mm).

    Parameters
    ----------
    cutoff_m
        Longest distance, m.
    cutoff_min
        Longest time, min; exactly one of the two is given.

    Raises
    ------
    CutoffError
        If not exactly one is given, or it is not positive and finite, or it is beyond 4,026 km (1,118 hours).
    """
    if (cutoff_m is None) == (cutoff_min is None):
        raise CutoffError(
            Text("cutoff_m 与 cutoff_min 必须且只能给出一个。", "Exactly one of cutoff_m and cutoff_min must be given.")
        )
    metric: Metric = "mm" if cutoff_min is None else "ms"
    value = float(cutoff_m if cutoff_m is not None else cutoff_min)  # type: ignore[arg-type]
    if not (math.isfinite(value) and value > 0 and value * UNITS[metric] <= LONGEST):
        raise CutoffError(
            Text(
                f"截止值应为不超过 4026 千米（1118 小时）的正数，实为 {value}。",
                f"A cut-off must be positive and at most 4,026 km (1,118 hours); it is {value}.",
            )
        )
    return metric, math.floor(value * UNITS[metric] + 1e-3)
