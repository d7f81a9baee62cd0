"""What is wrong with an answer of the solver: its claims held against the model itself, and a count of those refused.

Releases of HiGHS have said a value that their columns do not have, a bound beyond a point that was known, and
"infeasible" of a model with a known point. A value is therefore recomputed, rows are checked, and a claim that the
model contradicts is refused; whoever solves asks once more with presolve off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

import numpy as np

from siting.allocation.linear import LinearModel
from siting.arrays import FloatArray
from siting.exact import FEASIBILITY

Claim = Literal["optimal", "time_limit", "work_limit", "interrupted", "infeasible", "unbounded", "unsettled"]
Fault = Literal["value", "rows", "bound", "gap", "worse than known", "no answer", "infeasible", "unbounded"]

CLAIM_SHARE = 1e-6
"""How far a claimed value or bound may be from the recomputed one, relative to it or to 1: the solver's tolerances."""
DUALITY_SHARE = 1e-4
"""How far the bound of an optimal relaxation's duals may be from its value: duals are exact to a tolerance a column."""

_refused: ContextVar[Counter[str] | None] = ContextVar("refused answers of the solver", default=None)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the solver claims: how it ended, its columns (None: none), the value and the bound it gives them.

    ``values`` are the columns as they came, ``point`` the same with whole columns exactly whole (None: no such point
    keeps the rows).
    """

    claim: Claim
    values: FloatArray | None
    point: FloatArray | None
    objective: float
    bound: float


@contextmanager
def counting_refused() -> Iterator[Counter[str]]:
    """Count the answers refused within the block, by what was wrong with them."""
    count: Counter[str] = Counter()
    before = _refused.set(count)
    try:
        yield count
    finally:
        _refused.reset(before)


def note_refused(fault: Fault) -> None:
    """Count an answer as refused, where somebody counts.

    Parameters
    ----------
    fault
        What was wrong with it.
    """
    count = _refused.get()
    if count is not None:
        count[fault] += 1


def fault_of(model: LinearModel, answer: Answer, known: FloatArray | None, gap: float) -> Fault | None:
    """Return what the model contradicts in an answer, None where it contradicts nothing.

    Parameters
    ----------
    model
        What was to be made least.
    answer
        What the solver claims.
    known
        A feasible point known before, shape (n,), or None.
    gap
        The relative gap asked, share: what "optimal" may leave.
    """
    if answer.claim == "infeasible":
        return "infeasible" if known is not None else None
    if answer.claim == "unbounded":
        return "unbounded" if _bounded(model) else None
    if answer.claim == "unsettled":
        return "no answer"
    values = [model.value(point) for point in (known, answer.point) if point is not None]
    if values and answer.bound > min(values) + _room(min(values)):
        return "bound"
    if answer.values is None:
        return "no answer" if answer.claim == "optimal" else None
    if answer.point is None:
        return "rows"
    if not abs(model.value(answer.values) - answer.objective) <= _room(answer.objective):
        return "value"
    if answer.claim != "optimal":
        return None
    worth = model.value(answer.point)
    if known is not None and worth > model.value(known) + max(_room(worth), gap * abs(worth)):
        return "worse than known"
    left = worth - answer.bound
    return None if left <= max(2 * _room(worth), (gap + CLAIM_SHARE) * max(abs(worth), abs(answer.bound))) else "gap"


def fault_of_relaxed(model: LinearModel, answer: Answer) -> Fault | None:
    """Return what the model contradicts in the answer of its relaxation, None where it contradicts nothing.

    Parameters
    ----------
    model
        What was to be made least; which columns are whole is of no account.
    answer
        What the solver claims, with the bound that its duals prove.
    """
    if answer.claim == "unbounded":
        return "unbounded" if _bounded(model) else None
    if answer.claim == "unsettled":
        return "no answer"
    if answer.claim != "optimal":
        return None
    if answer.values is None:
        return "no answer"
    worth = model.value(answer.values)
    if not abs(worth - answer.objective) <= _room(answer.objective):
        return "value"
    if answer.point is None:
        return "rows"
    return "bound" if np.isfinite(answer.bound) and abs(worth - answer.bound) > DUALITY_SHARE * scale(worth) else None


def scale(value: float) -> float:
    """Return the size of a value that a relative tolerance is of: 1 at least.

    Parameters
    ----------
    value
        A value of the objective.
    """
    return max(1.0, abs(value))


def _room(value: float) -> float:
    return CLAIM_SHARE * scale(value)


def _bounded(model: LinearModel) -> bool:
    """Tell whether the bounds of the columns alone keep the objective from falling for ever."""
    down = np.where(model.cost > 0, model.col_lower, model.col_upper)
    return bool(np.isfinite(down[model.cost != 0]).all())


def feasible(model: LinearModel, values: FloatArray) -> bool:
    """Return whether a point keeps every row, bound and whole number of a model to the solver's tolerance.

    Parameters
    ----------
    model
        Rows and bounds.
    values
        Shape (n,).
    """
    return model.violation(values) <= FEASIBILITY
