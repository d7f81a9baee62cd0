"""Good covers quickly: row weighting for set cover, iterated swaps for max cover; both start from greedy.

How long they search is counted in elements touched, not in seconds, so that the same seed gives the same sites on any
machine that touches at least ``WORK_PER_SECOND``; on a slower one the clock ends the search and it says so.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from siting.allocation.problem import Problem
from siting.arrays import BoolArray, FloatArray, IntArray
from siting.reach.threads import in_threads

if TYPE_CHECKING:
    from siting.allocation._kernels import CoverState, Reach, Terms
    from siting.allocation._kernels_swaps import SwapState

WORK_PER_SECOND = 100_000_000
"""Elements that a search may touch in a second of its time limit."""

COVER_WORK_PER_SECOND = 2 * WORK_PER_SECOND
"""The same for row weighting, whose elements lie closer together."""

PRICED_PENALTY = 400
"""Mean penalty of the rows where the search starts from row prices: high enough that the prices lead for a while."""

BATCH = 5_000_000
"""Elements touched between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found: the sites, or None where it met no feasible choice; whether the clock or Ctrl-C cut it."""

    chosen: IntArray | None
    value: float
    cut_short: bool
    interrupted: bool = False


def search_set_cover(
    problem: Problem,
    *,
    start: IntArray | None = None,
    prices: FloatArray | None = None,
    seconds: float = 1.0,
    patience: float = math.inf,
    target: float = 0.0,
    deadline: float = math.inf,
    seed: int = 0,
    streams: int = 1,
) -> Found:
    """Search for a cheap set of sites that covers every demand to its level.

    Parameters
    ----------
    problem
        A set cover whose every demand has enough sites in reach.
    start
        Sites to start from; greedy otherwise.
    prices
        Price of each row, shape (n,), >= 0: what the rows are worth at first; equal otherwise.
    seconds
        Work allowed to each stream, as seconds of ``COVER_WORK_PER_SECOND``; 0 for greedy alone.
    patience
        Stop after this much work without a better cover, in the same seconds.
    target
        Stop at a cover of this cost or less.
    deadline
        Stop when ``time.perf_counter()`` is past this.
    seed
        Seed of the search.
    streams
        Searches side by side, each with random numbers of its own; after each batch all know the least cost met.

    Returns
    -------
    Found
        ``chosen`` is None where no full cover was met (sites that exclude each other may leave none).
    """
    from siting.allocation import _kernels as kernels

    reach, terms = _arrays(problem)
    first = problem.must if start is None else _mask(problem, start)
    states = [_cover_state(problem, prices, random) for random in _random(seed, streams)]
    for state in states:
        for j in np.flatnonzero(first):
            kernels.flip_cover(j, reach, terms, state)
        kernels.fill_cover(reach, terms, state)
        if not state.open_n[0]:
            state.total[1] = state.total[0]
            state.best[:] = state.inside
        kernels.search_cover(reach, terms, state, 0, target)  # compiled before the clock starts
    best = np.zeros(problem.shape[1], dtype=np.bool_)
    least = _share_least(states, math.inf, best)
    clock = WorkClock(seconds, patience, deadline, COVER_WORK_PER_SECOND)
    with clock:
        while least > target and (allowed := clock.next_batch(-least)):
            batch = partial(_searched, reach, terms, allowed, target)
            clock.spent(min(in_threads(states, batch, streams)), allowed)
            least = _share_least(states, least, best)
    least = _share_least(states, least, best)
    if not np.isfinite(least):
        return Found(None, math.inf, clock.cut_short, clock.interrupted)
    chosen = _without_spare(problem, np.flatnonzero(best))
    return Found(chosen, problem.total_cost(chosen), clock.cut_short, clock.interrupted)


def search_max_cover(
    problem: Problem,
    *,
    start: IntArray | None = None,
    seconds: float = 1.0,
    patience: float = math.inf,
    target: float = math.inf,
    deadline: float = math.inf,
    seed: int = 0,
) -> Found:
    """Search for the sites within the limits that cover the most weight.

    Parameters
    ----------
    problem
        A max cover without capacities whose fixed sites are within the limits.
    start
        Sites to start from, within the limits; greedy adds what still fits.
    seconds
        Work allowed, as seconds of ``WORK_PER_SECOND``; 0 for greedy alone.
    patience
        Stop after this much work without more cover, in the same seconds.
    target
        Stop at a cover of this weight or more.
    deadline
        Stop when ``time.perf_counter()`` is past this.
    seed
        Seed of the search.

    Returns
    -------
    Found
        Always with sites: those that must be chosen fit.
    """
    from siting.allocation import _kernels_swaps as kernels

    reach, terms = _arrays(problem)
    share = 0.01 if (problem.level > 1).any() else 0.0
    by_money = problem.budget is not None
    first = problem.must if start is None else _mask(problem, start) | problem.must
    best: tuple[float, IntArray] = (-1.0, np.flatnonzero(first))
    for per_cost in (False, True) if by_money else (False,):
        state = _swap_state(problem, seed)
        for j in np.flatnonzero(first):
            kernels.flip_swap(j, share, reach, terms, state)
        kernels.fill_swap(share, reach, terms, state, per_cost)
        value = float(problem.weights[state.hits >= problem.level].sum())
        if value > best[0]:
            best = (value, np.flatnonzero(state.inside))
    state = _swap_state(problem, seed)
    for j in best[1]:
        kernels.flip_swap(j, share, reach, terms, state)
    state.best[:] = state.inside
    state.value[1] = best[0]
    if seconds:
        kernels.search_swaps(share, reach, terms, state, 0, target, by_money)  # compiled before the clock starts
    clock = WorkClock(seconds, patience, deadline)
    with clock:
        while state.value[1] < target and (allowed := clock.next_batch(float(state.value[1]))):
            clock.spent(kernels.search_swaps(share, reach, terms, state, allowed, target, by_money), allowed)
    chosen = np.flatnonzero(state.best)
    return Found(chosen, float(state.value[1]), clock.cut_short, clock.interrupted)


class WorkClock:
    """Hands out work in batches until the allowance, the patience or, on a slow machine, the time is used up."""

    def __init__(
        self, seconds: float, patience: float, deadline: float = math.inf, per_second: int = WORK_PER_SECOND
    ) -> None:
        self.deadline = min(deadline, time.perf_counter() + seconds)
        self.left = seconds * per_second
        self.patience = patience * per_second
        self.best = -math.inf
        self.since = 0.0
        self.cut_short = False
        self.interrupted = False

    def __enter__(self) -> WorkClock:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        """Take Ctrl-C as the end of the search; what it had found stands."""
        self.interrupted = kind is not None and issubclass(kind, KeyboardInterrupt)
        return self.interrupted

    def next_batch(self, value: float) -> int:
        """Return how much may be touched next, 0 when the search is over; ``value`` is the best so far."""
        if value > self.best:
            self.best, self.since = value, 0.0
        if self.left < 1 or self.since >= self.patience:
            return 0
        if time.perf_counter() > self.deadline:
            self.cut_short = True
            return 0
        return int(min(self.left, BATCH, max(self.patience / 4, 10_000.0)))

    def spent(self, work: int, allowed: int) -> None:
        """Take off what was touched; a search that ended before its allowance has nothing left to try."""
        self.left -= max(work, 1)
        self.since += work
        if work < allowed:
            self.left = 0.0


def _searched(reach: Reach, terms: Terms, allowed: int, target: float, state: CoverState) -> int:
    """Let one stream search on; return what it touched."""
    from siting.allocation._kernels import search_cover

    return int(search_cover(reach, terms, state, allowed, target))


def _arrays(problem: Problem) -> tuple[Reach, Terms]:
    """Return the problem as the arrays of the kernels."""
    from siting.allocation._kernels import Reach, Terms

    rows, cols, apart = problem.pairs, problem.pairs.tocsc(), problem.exclusions()
    reach = Reach(
        rows.indptr.astype(np.int64),
        rows.indices.astype(np.int32),
        cols.indptr.astype(np.int64),
        cols.indices.astype(np.int32),
        apart.indptr.astype(np.int64),
        apart.indices.astype(np.int32),
    )
    role = np.where(problem.must, 1, np.where(problem.barred, -1, 0)).astype(np.int8)
    return reach, Terms(problem.level, problem.weights, problem.cost, role)


def _random(seed: int, streams: int = 1) -> NDArray[np.uint64]:
    """Return the state of the kernels' generator for each stream, never 0; shape (streams, 1)."""
    return np.random.SeedSequence(seed).generate_state(streams, np.uint64)[:, None] | np.uint64(1)


def _share_least(states: Sequence[CoverState], known: float, best: BoolArray) -> float:
    """Return the least cost met by any stream; if it is news, let all know it and ``best`` hold its sites."""
    leader = min(states, key=lambda state: state.total[1])
    least = float(leader.total[1])
    if least < known:
        best[:] = leader.best
        for state in states:
            state.total[1] = least
    return least


def _cover_state(problem: Problem, prices: FloatArray | None, random: NDArray[np.uint64]) -> CoverState:
    from siting.allocation._kernels import CoverState

    n, m = problem.shape
    penalty = np.ones(n, dtype=np.int64)
    if prices is not None and prices.any():
        penalty += np.rint(prices * (PRICED_PENALTY / prices.mean())).astype(np.int64)
    return CoverState(
        inside=np.zeros(m, dtype=np.bool_),
        hits=np.zeros(n, dtype=np.int64),
        penalty=penalty,
        score=np.bincount(problem.pairs.indices, np.repeat(penalty, np.diff(problem.pairs.indptr)), minlength=m).astype(
            np.int64
        ),
        stamp=np.zeros(m, dtype=np.int64),
        open_rows=np.arange(n, dtype=np.int64),
        open_at=np.arange(n, dtype=np.int64),
        open_n=np.array([n], dtype=np.int64),
        members=np.full(m, -1, dtype=np.int64),
        member_at=np.full(m, -1, dtype=np.int64),
        member_n=np.zeros(1, dtype=np.int64),
        best=np.zeros(m, dtype=np.bool_),
        total=np.array([0.0, np.inf]),
        random=random,
        step=np.zeros(1, dtype=np.int64),
    )


def _swap_state(problem: Problem, seed: int) -> SwapState:
    from siting.allocation._kernels_swaps import SwapState

    n, m = problem.shape
    share = 0.01 if (problem.level > 1).any() else 0.0
    first = problem.weights * np.where(problem.level == 1, 1.0 + share, share)
    limit = m if problem.sites is None else problem.sites
    money = np.inf if problem.budget is None else problem.budget * (1 + 1e-9)
    reach = csr_array(problem.pairs)
    return SwapState(
        inside=np.zeros(m, dtype=np.bool_),
        hits=np.zeros(n, dtype=np.int64),
        score=np.bincount(reach.indices, np.repeat(first, np.diff(reach.indptr)), minlength=m).astype(np.float64),
        blocked=np.zeros(m, dtype=np.int64),
        banned=np.full(m, -1, dtype=np.int64),
        added=np.zeros(m + 1, dtype=np.int64),
        room=np.array([limit + int(problem.existing.sum())], dtype=np.int64),
        money=np.array([money]),
        best=np.zeros(m, dtype=np.bool_),
        kept=np.zeros(m, dtype=np.bool_),
        value=np.array([0.0, -1.0, -1.0]),
        random=_random(seed)[0],
        turn=np.zeros(1, dtype=np.int64),
    )


def _mask(problem: Problem, chosen: IntArray) -> BoolArray:
    mask = np.zeros(problem.shape[1], dtype=np.bool_)
    mask[chosen] = True
    return mask


def _without_spare(problem: Problem, chosen: IntArray) -> IntArray:
    """Return the sites without those that cost something and no demand needs, dearest first."""
    from siting.allocation.solution import cover_counts

    spare = cover_counts(problem, chosen) - problem.level
    columns = problem.pairs.tocsc()
    kept = _mask(problem, chosen)
    for j in sorted(chosen, key=lambda site: (-problem.cost[site], -site)):
        rows = columns.indices[columns.indptr[j] : columns.indptr[j + 1]]
        if not problem.must[j] and (spare[rows] > 0).all():
            kept[j] = False
            spare[rows] -= 1
    return np.flatnonzero(kept)
