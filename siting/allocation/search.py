"""The way from a core to an answer with a bound: greedy, prices, local search, the exact solver, local search again.

The time limit is shared out beforehand: what each search may do is counted in work, so that the answer does not hang on
the clock, unless the exact solver itself runs out of time. Every stage stops when the gap asked is reached.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from siting.allocation.cover_models import max_cover_model, set_cover_model, start_values
from siting.allocation.heuristics import WORK_PER_SECOND, search_max_cover, search_set_cover
from siting.allocation.lagrangian import STEPS, max_cover_bound, set_cover_bound
from siting.allocation.options import SolveOptions
from siting.allocation.problem import Problem, inner
from siting.allocation.solve import solve_mip
from siting.arrays import FloatArray, IntArray
from siting.errors import SolverError
from siting.exact import is_proven, relative_gap
from siting.text import Text

EXACT_SECONDS_PER_PAIR = 1.5e-4
"""The exact solver is called only with this much time per pair in reach: with less it does not leave the root."""

STREAMS = 2
"""Set cover searches side by side, on any number of cores: the answer hangs on it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The best choice on a core (None: there is none), its value, the bound, and how both were come by."""

    chosen: IntArray | None
    value: float
    bound: float
    method: str
    stopped: bool
    interrupted: bool


def search_core(core: Problem, options: SolveOptions, start: IntArray | None, begun: float) -> Answer:
    """Search a core for its best choice and prove how good it is.

    Parameters
    ----------
    core
        A set cover or max cover with nothing settled and no capacities, every row open.
    options
        Time, gap, seed.
    start
        A choice to start from; greedy otherwise.
    begun
        When the whole solve began, by ``time.perf_counter()``.

    Returns
    -------
    Answer
        ``chosen`` is None only where a set cover is proven to have no answer.

    Raises
    ------
    SolverError
        If time ran out before any full cover was met (only with sites that exclude each other).
    """
    if not core.shape[0]:
        return Answer(np.zeros(0, dtype=np.int64), 0.0, 0.0, "settled", False, False)
    run = _Run(core, options, begun)
    try:
        _ = run.greedy(start) or run.swaps(first=True) or run.exact() or run.swaps(first=False)
    except KeyboardInterrupt:
        if run.chosen is None:
            raise
        run.interrupted = True
    return run.answer()


class _Run:
    """One search under way: the best so far, the bound so far, and which stages brought them."""

    def __init__(self, core: Problem, options: SolveOptions, begun: float) -> None:
        self.core, self.options = core, options
        self.seconds = min(options.time_limit_s, 3600.0)
        self.begun, self.deadline = begun, begun + self.seconds
        self.sign = -1.0 if core.maximise else 1.0
        self.step = common_step(core.weights if core.maximise else core.cost)
        self.chosen: IntArray | None = None
        self.prices: FloatArray | None = None
        self.value = -0.0 if core.maximise else math.inf
        self.bound = float(core.weights.sum()) if core.maximise else 0.0
        self.stages: list[str] = []
        self.interrupted = self.impossible = False
        self.exact_pays = self.seconds * 0.65 >= EXACT_SECONDS_PER_PAIR * core.pairs.nnz

    def closed(self) -> bool:
        """Return whether the gap asked is reached."""
        close = relative_gap(self.value, self.bound) <= self.options.gap
        return self.chosen is not None and (close or is_proven(self.value, self.bound))

    def done(self) -> bool:
        """Report the gap and return whether to stop here."""
        gap = relative_gap(self.value, self.bound)
        shown = f"{gap:.2%}" if math.isfinite(gap) else "?"
        self.options.progress(Text(zh=f"选址，差距 {shown}", en=f"choosing sites, gap {shown}"), None)
        return self.interrupted or self.impossible or self.closed()

    def greedy(self, start: IntArray | None) -> bool:
        self._search(start, 0.0, math.inf, "greedy")
        self.price()
        return self.done()

    def price(self) -> None:
        """Raise the bound by row prices, as far as a part of the time allows (at least fifty steps)."""
        n, m = self.core.shape
        touched = (2 * self.core.pairs.nnz + 20 * (n + m)) / 10  # straight passes run ten times as fast as the search
        steps = int(min(STEPS, max(50.0, 0.15 * self.seconds * WORK_PER_SECOND / touched)))
        known = self.value if self.chosen is not None else math.inf
        bounding = max_cover_bound if self.core.maximise else set_cover_bound
        target = known if self.chosen is not None else math.inf
        late = self.begun + 0.3 * self.seconds if self.seconds else math.inf
        priced = bounding(self.core, known, steps=steps, target=target, deadline=late)
        self.prices = priced.prices
        self._tighten(priced.bound, "row prices")

    def swaps(self, *, first: bool) -> bool:
        """Search locally: at first until it stalls if the exact solver is to follow, else for the time there is."""
        if not self.seconds:
            return True
        share = (0.15 if first else 0.1) if self.exact_pays else (0.85 if first else 0.0)
        stall = 2000.0 * self.core.pairs.nnz / WORK_PER_SECOND if first and self.exact_pays else math.inf
        self._search(self.chosen, share * self.seconds, stall, "local search")
        return self.done()

    def exact(self) -> bool:
        """Hand over to the exact solver, with the best so far as its start."""
        if not self.exact_pays:
            return self.done()
        model = max_cover_model(self.core) if self.core.maximise else set_cover_model(self.core)
        known = None if self.chosen is None else start_values(self.core, self.chosen)
        try:
            result = solve_mip(
                model,
                start=known,
                time_limit_s=max(0.0, min(0.65 * self.seconds, self.deadline - time.perf_counter())),
                gap=self.options.gap,
                seed=self.options.seed,
                progress=self.options.progress,
            )
        except SolverError:
            if self.chosen is not None or not self.core.pairs.nnz:
                raise
            return self.done()
        self.interrupted = result.status == "interrupted"
        self.impossible = result.status == "infeasible"
        if result.values is not None:
            chosen = np.flatnonzero(result.values[: self.core.shape[1]] > 0.5)
            self._take(chosen, self._worth(chosen), "HiGHS")
            self._tighten(self.sign * result.bound, "HiGHS")
        return self.done()

    def answer(self) -> Answer:
        if self.chosen is None and not self.impossible:
            raise SolverError(
                Text(
                    zh="在时间限制内没有找到完整的覆盖方案（候选点互斥）；请放宽时间限制",
                    en="no full cover was met in time (some sites exclude each other); allow more time",
                )
            )
        return Answer(self.chosen, self.value, self.bound, " + ".join(self.stages), not self.closed(), self.interrupted)

    def _search(self, start: IntArray | None, seconds: float, patience: float, name: str) -> None:
        limits = {"seconds": seconds, "patience": patience, "deadline": self.deadline, "target": self._target()}
        if self.core.maximise:
            found = search_max_cover(self.core, start=start, seed=self.options.seed, **limits)
        else:
            found = search_set_cover(
                self.core, start=start, prices=self.prices, seed=self.options.seed, streams=STREAMS, **limits
            )
        self.interrupted = self.interrupted or found.interrupted
        if found.chosen is not None:
            self._take(found.chosen, found.value, name)

    def _target(self) -> float:
        """Return the value that closes the gap asked."""
        gap = min(self.options.gap, 0.99)
        room = 1e-9 * max(1.0, abs(self.bound))
        return self.bound / (1 + gap) - room if self.core.maximise else self.bound / (1 - gap) + room

    def _worth(self, chosen: IntArray) -> float:
        if not self.core.maximise:
            return self.core.total_cost(chosen)
        return inner(self.core.weights, start_values(self.core, chosen)[self.core.shape[1] :])

    def _take(self, chosen: IntArray, value: float, name: str) -> None:
        """Keep a choice if it is better."""
        better = self.sign * value < self.sign * self.value - 1e-9 * max(1.0, abs(value))
        if self.chosen is None or better:
            self.chosen, self.value = chosen, value
            self._credit(name)

    def _tighten(self, bound: float, name: str) -> None:
        """Keep a bound if it is better, rounded to the next value that a choice can have."""
        if not math.isfinite(bound):
            return
        room = 1e-7 * max(1.0, abs(bound))
        if self.step:
            bound = math.ceil((self.sign * bound - room) / self.step) * self.step * self.sign
        if self.chosen is not None and self.sign * bound > self.sign * self.value - 1e-9 * max(1.0, abs(bound)):
            bound = self.value
        if self.sign * bound > self.sign * self.bound:
            self.bound = bound
            self._credit(name)

    def _credit(self, name: str) -> None:
        if name not in self.stages:
            self.stages.append(name)


def common_step(figures: FloatArray) -> float:
    """Return the greatest whole number that divides every figure, 0 where a figure is not whole."""
    if not len(figures) or (figures != np.rint(figures)).any() or figures.max() > 2**52:
        return 0.0
    return float(np.gcd.reduce(figures.astype(np.int64)))
