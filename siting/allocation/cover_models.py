"""Cover problems as linear models for the exact solver, built from whole arrays."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, hstack, vstack

from siting.allocation.linear import LinearModel
from siting.allocation.problem import Problem
from siting.arrays import FloatArray, IntArray


def set_cover_model(problem: Problem) -> LinearModel:
    """Return: minimise ``c x`` with ``A x >= need``, ``x`` 0 or 1, and the limits."""
    n = problem.shape[0]
    limits, upper = limit_rows(problem)
    return LinearModel(
        cost=problem.cost,
        matrix=csr_array(vstack([pattern(problem), limits])),
        row_lower=np.r_[problem.level.astype(np.float64), np.full(len(upper), -np.inf)],
        row_upper=np.r_[np.full(n, np.inf), upper],
        col_lower=problem.must.astype(np.float64),
        col_upper=(~problem.barred).astype(np.float64),
        integral=np.ones(problem.shape[1], dtype=np.bool_),
    )


def max_cover_model(problem: Problem) -> LinearModel:
    """Return: minimise ``-w z``, ``A x >= need z``, ``x`` 0 or 1, ``z`` 0 to 1 (whole where need > 1), limits."""
    n, m = problem.shape
    limits, upper = limit_rows(problem)
    need = problem.level.astype(np.float64)
    demand = csr_array((-need, np.arange(n), np.arange(n + 1)), shape=(n, n))
    return LinearModel(
        cost=np.r_[np.zeros(m), -problem.weights],
        matrix=csr_array(vstack([hstack([pattern(problem), demand]), hstack([limits, csr_array((len(upper), n))])])),
        row_lower=np.r_[np.zeros(n), np.full(len(upper), -np.inf)],
        row_upper=np.r_[np.full(n, np.inf), upper],
        col_lower=np.r_[problem.must, np.zeros(n)],
        col_upper=np.r_[~problem.barred, np.ones(n)],
        integral=np.r_[np.ones(m, dtype=np.bool_), problem.level > 1],
    )


def capacitated_cover_model(problem: Problem) -> LinearModel:
    """Return the capacitated cover: ``y`` per pair in reach, the share of a demand that a site serves.

    ``sum_j y_ij = 1`` (set cover) or ``<= 1`` (max cover, maximising ``sum w_i y_ij``);
    ``sum_i q_i y_ij <= Q_j x_j``; ``y_ij <= x_j``; y 0 or 1 unless demands may be split. Columns: x, then y by pair.
    """
    assert problem.capacity is not None
    n, m = problem.shape
    pairs = problem.pairs.nnz
    rows = np.repeat(np.arange(n), np.diff(problem.pairs.indptr))
    cols = problem.pairs.indices
    at = np.arange(pairs)
    served = csr_array((np.ones(pairs), (rows, m + at)), shape=(n, m + pairs))
    load = csr_array(
        (np.r_[-problem.capacity, problem.demand[rows]], (np.r_[np.arange(m), cols], np.r_[np.arange(m), m + at])),
        shape=(m, m + pairs),
    )
    link = csr_array(
        (np.r_[np.ones(pairs), -np.ones(pairs)], (np.r_[at, at], np.r_[m + at, cols])), shape=(pairs, m + pairs)
    )
    limits, upper = limit_rows(problem)
    limits = csr_array(hstack([limits, csr_array((len(upper), pairs))]))
    too_big = np.zeros(pairs, dtype=np.bool_) if problem.split else problem.demand[rows] > problem.capacity[cols]
    every = 0.0 if problem.maximise else 1.0
    return LinearModel(
        cost=np.r_[np.zeros(m), -problem.weights[rows]] if problem.maximise else np.r_[problem.cost, np.zeros(pairs)],
        matrix=csr_array(vstack([served, load, link, limits])),
        row_lower=np.r_[np.full(n, every), np.full(m + pairs + len(upper), -np.inf)],
        row_upper=np.r_[np.ones(n), np.zeros(m + pairs), upper],
        col_lower=np.r_[problem.must, np.zeros(pairs)],
        col_upper=np.r_[~problem.barred, np.where(too_big, 0.0, 1.0)],
        integral=np.r_[np.ones(m, dtype=np.bool_), np.full(pairs, not problem.split)],
    )


def pattern(problem: Problem) -> csr_array:
    """Return the pairs in reach as a 0/1 matrix."""
    pairs = problem.pairs
    return csr_array((np.ones(pairs.nnz), pairs.indices, pairs.indptr), shape=pairs.shape)


def limit_rows(problem: Problem) -> tuple[csr_array, FloatArray]:
    """Return the rows that limit the choice (number, money, groups, spacing) over the sites, and their upper limits."""
    m = problem.shape[1]
    new = (~problem.existing).astype(np.float64)
    rows, upper = [csr_array((0, m))], [np.zeros(0)]
    if problem.sites is not None:
        rows.append(csr_array(new[None, :]))
        upper.append(np.array([float(problem.sites)]))
    if problem.budget is not None:
        rows.append(csr_array(problem.cost[None, :]))
        upper.append(np.array([problem.budget]))
    free = problem.free
    grouped = np.flatnonzero((problem.exclusive >= 0) & free)
    if grouped.size:
        labels, group = np.unique(problem.exclusive[grouped], return_inverse=True)
        rows.append(csr_array((np.ones(grouped.size), (group, grouped)), shape=(len(labels), m)))
        upper.append(np.ones(len(labels)))
    both = problem.conflicts[free[problem.conflicts].all(axis=1)]
    if len(both):
        at = np.repeat(np.arange(len(both)), 2)
        rows.append(csr_array((np.ones(2 * len(both)), (at, both.ravel())), shape=(len(both), m)))
        upper.append(np.ones(len(both)))
    return csr_array(vstack(rows)), np.concatenate(upper)


def start_values(problem: Problem, chosen: IntArray) -> FloatArray:
    """Return a choice as a point of the set cover or max cover model."""
    from siting.allocation.solution import cover_counts

    point = np.zeros(problem.shape[1])
    point[chosen] = 1.0
    if not problem.maximise:
        return point
    covered = (cover_counts(problem, chosen) >= problem.level).astype(np.float64)
    return np.concatenate([point, covered])
