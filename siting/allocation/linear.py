"""A linear model with whole columns as arrays: its stages, the value and the faults of a point, bounds from duals."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, vstack

from siting.arrays import FloatArray
from siting.errors import ProblemError
from siting.text import Text

_PRICED = 1e-7
_NO_ROOM = 1e-6
"""Prices below the first are noise of the solver; distances below the second are within its tolerance."""


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Minimise ``cost · x + offset`` subject to row and column bounds, some columns whole.

    Parameters
    ----------
    cost
        Shape (n,).
    matrix
        Rows × columns, shape (r, n).
    row_lower, row_upper
        Bounds on ``matrix @ x``, shape (r,) or one number; ``inf`` for none.
    col_lower, col_upper
        Bounds on ``x``, shape (n,) or one number; ``inf`` for none.
    integral
        Which columns must be whole, shape (n,) of bool, or one bool.
    offset
        Added to the objective.

    Raises
    ------
    ProblemError
        If shapes disagree or a figure is NaN.
    """

    cost: FloatArray
    matrix: csr_array
    row_lower: FloatArray
    row_upper: FloatArray
    col_lower: FloatArray
    col_upper: FloatArray
    integral: NDArray[np.bool_]
    offset: float = 0.0

    def __post_init__(self) -> None:
        rows, cols = self.matrix.shape
        object.__setattr__(self, "matrix", csr_array(self.matrix, dtype=np.float64))
        for name, size, dtype in (
            ("cost", cols, np.float64),
            ("row_lower", rows, np.float64),
            ("row_upper", rows, np.float64),
            ("col_lower", cols, np.float64),
            ("col_upper", cols, np.float64),
            ("integral", cols, np.bool_),
        ):
            value = np.asarray(getattr(self, name), dtype=dtype)
            if value.ndim == 0:
                value = np.full(size, value, dtype=dtype)
            if value.shape != (size,):
                raise ProblemError(
                    Text(
                        zh=f"线性模型的 {name} 长度应为 {size}，得到 {value.shape}",
                        en=f"the linear model's {name} must have {size} entries, got shape {value.shape}",
                    )
                )
            if np.isnan(value).any():
                raise ProblemError(Text(zh=f"线性模型的 {name} 含 NaN", en=f"the linear model's {name} contains NaN"))
            object.__setattr__(self, name, value)
        if np.isnan(self.matrix.data).any():
            raise ProblemError(Text(zh="线性模型的系数含 NaN", en="the linear model's matrix contains NaN"))

    def with_cost(self, cost: ArrayLike, offset: float = 0.0) -> LinearModel:
        """Return the same rows with another objective (the next stage of a lexicographic solve)."""
        return replace(self, cost=np.asarray(cost, dtype=np.float64), offset=offset)

    def with_rows(self, rows: ArrayLike | csr_array, lower: ArrayLike, upper: ArrayLike) -> LinearModel:
        """Return the model with rows added below (one row as a vector of shape (n,), or several)."""
        added = rows if isinstance(rows, csr_array) else csr_array(np.atleast_2d(np.asarray(rows, dtype=np.float64)))
        count = added.shape[0]
        return replace(
            self,
            matrix=csr_array(vstack([self.matrix, added])),
            row_lower=np.append(self.row_lower, np.broadcast_to(np.asarray(lower, dtype=np.float64), (count,))),
            row_upper=np.append(self.row_upper, np.broadcast_to(np.asarray(upper, dtype=np.float64), (count,))),
        )

    def with_bounds(self, lower: ArrayLike, upper: ArrayLike) -> LinearModel:
        """Return the model with other bounds on its columns."""
        return replace(
            self, col_lower=np.asarray(lower, dtype=np.float64), col_upper=np.asarray(upper, dtype=np.float64)
        )

    def relaxed(self) -> LinearModel:
        """Return the model with no column that must be whole."""
        return replace(self, integral=np.zeros(len(self.cost), dtype=np.bool_))

    def value(self, values: FloatArray) -> float:
        """Return the objective at ``values``."""
        return float((self.cost * values).sum()) + self.offset

    def violation(self, values: FloatArray) -> float:
        """Return by how much the worst row, column bound or whole number is missed (0: feasible)."""
        activity = self.matrix @ values
        parts = [
            self.row_lower - activity,
            activity - self.row_upper,
            self.col_lower - values,
            values - self.col_upper,
            np.abs(values - np.rint(values))[self.integral],
        ]
        worst = max((float(part.max()) for part in parts if part.size), default=0.0)
        return max(0.0, worst) if not math.isnan(worst) else math.inf

    def dual_bound(self, row_duals: FloatArray) -> float:
        """Return a lower bound on the objective that holds for any row duals, exact at the optimal ones.

        Weak duality: duals of the wrong sign for a one-sided row are set to 0, and what is left of the cost is
        charged at the cheaper end of each column. ``-inf`` when a column without that end would pay for ever.
        """
        duals = row_duals.copy()
        duals[(duals > 0) & np.isneginf(self.row_lower)] = 0.0
        duals[(duals < 0) & np.isposinf(self.row_upper)] = 0.0
        rows = np.zeros(len(duals))
        up, down = duals > 0, duals < 0
        rows[up] = duals[up] * self.row_lower[up]
        rows[down] = duals[down] * self.row_upper[down]
        reduced = self.cost - self.matrix.T @ duals
        scale = 1e-11 * (np.abs(self.cost) + abs(self.matrix).T @ np.abs(duals))
        cols = np.zeros(len(reduced))
        up, down = reduced > 0, reduced < 0
        free_up, free_down = up & np.isneginf(self.col_lower), down & np.isposinf(self.col_upper)
        if (free_up & (reduced > scale)).any() or (free_down & (-reduced > scale)).any():
            return -math.inf
        up, down = up & ~free_up, down & ~free_down
        cols[up] = reduced[up] * self.col_lower[up]
        cols[down] = reduced[down] * self.col_upper[down]
        return float(rows.sum() + cols.sum()) + self.offset

    def tightened(self, row_duals: FloatArray, most: float) -> LinearModel:
        """Return the model with bounds that every point worth at most ``most`` keeps, narrowed by row duals.

        What such a point may cost beyond the dual bound limits how far it can be from the end at which a column or row
        is priced (complementary slackness, with room; reduced-cost fixing). Room below the solver's tolerance is none.

        Parameters
        ----------
        row_duals
            Any row duals; those of the relaxation narrow most, shape (r,).
        most
            The most that a point may be worth, objective with offset.
        """
        bound = self.dual_bound(row_duals)
        room = most - bound + 1e-12 * max(abs(most), abs(bound), 1.0)
        if not 0.0 <= room < math.inf:
            return self
        duals = row_duals.copy()
        duals[(duals > 0) & np.isneginf(self.row_lower)] = 0.0
        duals[(duals < 0) & np.isposinf(self.row_upper)] = 0.0
        col_lower, col_upper = _narrowed(self.cost - self.matrix.T @ duals, self.col_lower, self.col_upper, room)
        row_lower, row_upper = _narrowed(duals, self.row_lower, self.row_upper, room)
        whole = self.integral
        col_lower[whole], col_upper[whole] = np.ceil(col_lower[whole] - 1e-6), np.floor(col_upper[whole] + 1e-6)
        if (col_lower > col_upper).any():
            return self
        return replace(self, col_lower=col_lower, col_upper=col_upper, row_lower=row_lower, row_upper=row_upper)


def _narrowed(price: FloatArray, lower: FloatArray, upper: FloatArray, room: float) -> tuple[FloatArray, FloatArray]:
    """Return the bounds that remain when no value may be farther than ``room / price`` from its priced end."""
    reach = room / np.maximum(np.abs(price), _PRICED)
    reach = np.where(reach <= _NO_ROOM, 0.0, reach)
    up, down = (price > _PRICED) & np.isfinite(lower), (price < -_PRICED) & np.isfinite(upper)
    return (
        np.where(down, np.maximum(lower, upper - np.where(down, reach, 0.0)), lower),
        np.where(up, np.minimum(upper, lower + np.where(up, reach, 0.0)), upper),
    )
