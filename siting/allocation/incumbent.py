"""The best answer so far of a search for the least: its value, the bound, and what brought them."""

from __future__ import annotations

import math

from scipy.sparse import csr_array

from siting.allocation.options import SolveOptions
from siting.allocation.outcome import Outcome
from siting.arrays import IntArray
from siting.exact import is_proven, relative_gap
from siting.text import Text


class Incumbent:
    """The best choice and bound met so far.

    Parameters
    ----------
    options
        The gap asked and whom to tell.
    step
        A number that divides the difference of any two values, 0 where there is none.
    bound
        A bound that holds from the start.
    """

    def __init__(self, options: SolveOptions, step: float = 0.0, bound: float = 0.0) -> None:
        self.options, self.step = options, step
        self.chosen: IntArray | None = None
        self.value = math.inf
        self.bound = bound
        self.stages: list[str] = []
        self.interrupted = False
        self.cut_short = False

    @property
    def proven(self) -> bool:
        """Return whether nothing better is left."""
        return self.chosen is not None and is_proven(self.value, self.bound)

    @property
    def closed(self) -> bool:
        """Return whether the gap asked is reached."""
        return self.proven or (self.chosen is not None and relative_gap(self.value, self.bound) <= self.options.gap)

    @property
    def target(self) -> float:
        """Return the bound that would close the gap asked."""
        if self.chosen is None:
            return math.inf
        return max(self.value * (1 - min(self.options.gap, 1.0)), self.bound)

    @property
    def method(self) -> str:
        """Return what found the answer and what proved it."""
        return " + ".join(self.stages) or "settled"

    def outcome(self, chosen: IntArray, assigned: IntArray | None = None, flow: csr_array | None = None) -> Outcome:
        """Return how the search ended, with its answer in the terms of the whole problem."""
        return Outcome(
            chosen=chosen,
            bound=self.bound,
            proven=self.proven,
            stopped=not self.closed,
            interrupted=self.interrupted,
            method=self.method,
            assigned=assigned,
            flow=flow,
        )

    def done(self) -> bool:
        """Report the gap and return whether to stop."""
        gap = relative_gap(self.value, self.bound)
        shown = f"{gap:.2%}" if math.isfinite(gap) else "?"
        self.options.progress(Text(zh=f"选址，差距 {shown}", en=f"choosing sites, gap {shown}"), None)
        return self.interrupted or self.closed

    def take(self, chosen: IntArray, value: float, name: str) -> bool:
        """Keep a choice if it is better; return whether it was."""
        if self.chosen is not None and value >= self.value - 1e-12 * abs(self.value):
            return False
        if not math.isfinite(value):
            return False
        self.chosen, self.value = chosen, value
        self.bound = self._met(self.bound)
        self._credit(name)
        return True

    def tighten(self, bound: float, name: str) -> None:
        """Keep a bound if it is better, rounded up to the next value that a choice can have."""
        if not math.isfinite(bound):
            return
        if self.step:
            bound = math.ceil((bound - 1e-7 * max(1.0, abs(bound))) / self.step) * self.step
        bound = self._met(bound)
        if bound > self.bound:
            self.bound = bound
            self._credit(name)

    def _met(self, bound: float) -> float:
        """Return a bound, or the value itself where the two differ by no more than rounding."""
        near = self.chosen is not None and bound > self.value - 1e-9 * max(1.0, abs(self.value))
        return self.value if near else bound

    def _credit(self, name: str) -> None:
        if name not in self.stages:
            self.stages.append(name)
