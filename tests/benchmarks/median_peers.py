"""The p-median by the exact solver on the plain model, by pbp-pmedian and by spopt: value, and whether it is proven."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from siting.allocation import make_problem
from siting.allocation.linear import LinearModel
from siting.allocation.median_bound import Survivors, survivors_model
from siting.allocation.median_core import median_core
from siting.allocation.solve import solve_mip
from siting.exact import relative_gap

PROVEN = 1e-4
"""Relative gap at which a peer counts as done: what the solvers under them stop at by default."""

Answer = tuple[float | None, bool]
"""The best value met, None where there is none, and whether it is proven."""


def plain_model(far: csr_array, weights: NDArray[np.float64], sites: int) -> LinearModel:
    """Return the p-median with every pair, as the textbook has it."""
    problem = make_problem("p_median", far, weights=weights, sites=sites)
    n, m = problem.shape
    rows = np.repeat(np.arange(n), np.diff(problem.pairs.indptr))
    cost = problem.weights[rows] * problem.pairs.data
    none, every = np.zeros(0, dtype=np.int64), np.arange(m)
    alone = np.full(n, np.inf)
    whole = Survivors(none, every, alone, rows, problem.pairs.indices.astype(np.int64), cost)
    return survivors_model(median_core(problem, most=1), whole, 1e3)


def by_plain_model(far: csr_array, weights: NDArray[np.float64], sites: int, limit_s: float) -> Answer:
    """Solve the plain model with the exact solver and no start."""
    result = solve_mip(plain_model(far, weights, sites), time_limit_s=limit_s)
    return result.objective * 1e3, relative_gap(result.objective, result.bound) <= PROVEN


def by_pbp(far: csr_array, weights: NDArray[np.float64], sites: int, limit_s: float) -> Answer:
    """Solve with pbp-pmedian."""
    import pbp_pmedian

    value, _, _, status, _ = pbp_pmedian.solve((weights[:, None] * far.toarray()).T, sites, time_limit=limit_s)
    return value, status == 0


def by_spopt(far: csr_array, weights: NDArray[np.float64], sites: int, limit_s: float) -> Answer:
    """Solve with spopt and HiGHS under it, which gets farther than its default; the limit is the solver's alone."""
    import pulp
    from spopt.locate import PMedian

    model = PMedian.from_cost_matrix(far.toarray(), weights, sites)
    model.solve(pulp.HiGHS(msg=False, timeLimit=limit_s))
    return model.problem.objective.value(), model.problem.sol_status == pulp.LpSolutionOptimal


@dataclass(frozen=True, slots=True)
class Peer:
    """A way to solve a p-median, and the package that it needs."""

    name: str
    package: str
    solve: Callable[[csr_array, NDArray[np.float64], int, float], Answer]

    @property
    def installed(self) -> bool:
        """Return whether its package is there."""
        return importlib.util.find_spec(self.package) is not None


PEERS = (
    Peer("HiGHS, plain model", "highspy", by_plain_model),
    Peer("pbp-pmedian", "pbp_pmedian", by_pbp),
    Peer("spopt + HiGHS", "spopt", by_spopt),
)


def beside(
    peer: Peer, far: csr_array, weights: NDArray[np.float64], sites: int, limit_s: float, value: float, seconds: float
) -> str:
    """Return one line: the peer's value and time, how many times as long, and how far its value is off.

    ``>=`` stands before a time, and its ratio, at which the peer had no proof. One that fails says so in its line.
    """
    begun = time.perf_counter()
    try:
        theirs, proven = peer.solve(far, weights, sites, limit_s)
        said = "no answer"
    except Exception as error:  # whatever a peer raises is its result
        theirs, proven, said = None, False, str(error).split(".")[0]
    taken = time.perf_counter() - begun
    mark = "" if proven else ">= "
    times = f"{mark + format(taken, '.2f'):>10} s {mark + format(taken / seconds, ',.0f'):>10} x"
    if theirs is None:
        return f"  {peer.name:32} {said:>12} {times}"
    return f"  {peer.name:32} {theirs:12,.0f} {times}  value {theirs / value - 1:+.4%}"
