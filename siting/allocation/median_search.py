"""Good p-medians quickly: greedy, fast interchange, iterated; how long is counted in elements touched."""

from __future__ import annotations

import numpy as np

from siting.allocation.heuristics import WorkClock
from siting.allocation.median_core import MedianCore
from siting.arrays import IntArray


class MedianSearch:
    """A local search on a core that can be asked to go on.

    Parameters
    ----------
    core
        What to decide.
    seed
        Seed of every random choice.
    """

    def __init__(self, core: MedianCore, seed: int) -> None:
        from siting.allocation import _kernels_median as kernels

        m, n, size = len(core.sites), len(core.rows), core.open_limit + 1
        apart = core.limits.exclusions()
        self.core = core
        self.limits = kernels.Limits(core.limits.cost, apart.indptr.astype(np.int64), apart.indices.astype(np.int32))
        money = np.inf if core.limits.budget is None else core.limits.budget * (1 + 1e-9) + 1e-12
        self.state = kernels.State(
            slot=np.full(m, -1, dtype=np.int64),
            members=np.full(size, -1, dtype=np.int64),
            first=np.full(n, -1, dtype=np.int64),
            second=np.full(n, -1, dtype=np.int64),
            near=np.empty(n),
            next=np.empty(n),
            gain=np.zeros(m),
            loss=np.zeros(size),
            extra=np.zeros((m, size)),
            blocked=np.zeros(m, dtype=np.int64),
            room=np.array([core.open_limit], dtype=np.int64),
            money=np.array([money]),
            total=np.array([0.0, np.inf]),
            best=np.zeros(m, dtype=np.bool_),
            random=np.random.SeedSequence(seed).generate_state(1, np.uint64) | np.uint64(1),
        )
        kernels.start_state(core.lists, self.state)

    @property
    def least(self) -> float:
        """Return the saving below which a move is taken for rounding."""
        return 1e-9 * float(
            max(self.core.lists.other.max(initial=0.0), self.state.near.sum() / (1 + len(self.core.rows)))
        )

    @property
    def chosen(self) -> IntArray:
        """Return the free sites of the best choice so far."""
        return np.flatnonzero(self.state.best)

    def greedy(self, start: IntArray | None = None) -> None:
        """Open a start (free sites within the limits) or the best site by site, then swap until nothing is gained."""
        from siting.allocation import _kernels_median as kernels

        args = (self.core.lists, self.limits, self.state)
        for j in np.zeros(0, dtype=np.int64) if start is None else start:
            if self.state.room[0] > 0 and not self.state.blocked[j] and self.limits.cost[j] <= self.state.money[0]:
                kernels.open_site(j, *args)
        kernels.fill(self.core.limits.budget is not None, 0.0, *args)
        kernels.descend(self.least, *args)
        kernels.keep_best(self.state)

    def offer(self, sites: IntArray) -> None:
        """Descend from another choice and keep it where it is better."""
        from siting.allocation import _kernels_median as kernels

        state, args = self.state, (self.core.lists, self.limits, self.state)
        inside = np.zeros(len(state.slot), dtype=np.bool_)
        inside[sites] = True
        for j in np.flatnonzero((state.slot >= 0) & ~inside):
            kernels.close_site(j, *args)
        for j in sites:
            fits = state.room[0] > 0 and not state.blocked[j] and self.limits.cost[j] <= state.money[0]
            if state.slot[j] < 0 and fits:
                kernels.open_site(j, *args)
        kernels.descend(self.least, *args)
        if state.total[0] < state.total[1] - self.least:
            kernels.keep_best(state)
        else:
            kernels.return_to_best(*args)

    def go_on(self, seconds: float, patience: float, target: float) -> WorkClock:
        """Shake and descend for a while; return the clock, which knows whether it was cut short."""
        state = self.state
        clock = WorkClock(seconds, patience)
        with clock:
            while state.total[1] > target and (allowed := clock.next_batch(-float(state.total[1]))):
                clock.spent(max(self.shake(target, allowed), allowed), allowed)
        return clock

    def shake(self, target: float, allowed: int) -> int:
        """Shake and descend until some work is done or the target is met; return the elements touched."""
        from siting.allocation import _kernels_median as kernels

        return int(kernels.search(self.least, target, allowed, self.core.lists, self.limits, self.state))
