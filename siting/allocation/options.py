"""How hard to look for an answer: time, gap, seed, threads, progress."""

from __future__ import annotations

import math
from dataclasses import dataclass

from siting.errors import ProblemError
from siting.reach.threads import thread_count
from siting.text import Progress, Text, silent


@dataclass(frozen=True, slots=True)
class SolveOptions:
    """The limits of one solve; the same seed gives the same answer for any number of threads.

    Heuristics count steps, not seconds: how many they take follows from the instance and from ``time_limit_s`` at a
    rate that an ordinary machine exceeds. The clock only cuts in on a machine slower than that, or inside
    the exact solver, and a solution that it cut says so (``Solution.stopped``).

    Parameters
    ----------
    time_limit_s
        Longest time for the whole solve, s, >= 0. At 0 only the quick heuristic and the quick bound are run.
    gap
        Relative gap between answer and bound at which to stop, share, >= 0. At 0 the answer is proven, time allowing.
    seed
        Seed of every random choice, >= 0.
    threads
        Threads for the heuristics; None for one per core.
    progress
        Told what is being done and the gap so far.

    Raises
    ------
    ProblemError
        If a limit is negative or not a number.
    """

    time_limit_s: float = 60.0
    gap: float = 0.0
    seed: int = 0
    threads: int | None = None
    progress: Progress = silent

    def __post_init__(self) -> None:
        for name, value in (("time_limit_s", self.time_limit_s), ("gap", self.gap)):
            if math.isnan(value) or value < 0:
                raise ProblemError(
                    Text(zh=f"{name} 应为不小于 0 的数，得到 {value}", en=f"{name} must be a number >= 0, got {value}")
                )
        if self.seed < 0 or int(self.seed) != self.seed:
            raise ProblemError(
                Text(
                    zh=f"seed 应为不小于 0 的整数，得到 {self.seed}",
                    en=f"seed must be an integer >= 0, got {self.seed}",
                )
            )
        if self.threads is not None and self.threads < 1:
            raise ProblemError(
                Text(
                    zh=f"threads 应不小于 1，得到 {self.threads}", en=f"threads must be at least 1, got {self.threads}"
                )
            )

    @property
    def thread_count(self) -> int:
        """Return the number of threads to use."""
        return thread_count(self.threads)
