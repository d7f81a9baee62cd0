"""What a caller may give for a siting problem, turned into checked arrays; refused in plain words otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array, issparse

from siting.arrays import BoolArray, FloatArray, IntArray
from siting.errors import ProblemError
from siting.text import Text


def accept_pairs(pairs: csr_array | ArrayLike, *, distances: bool) -> csr_array:
    """Return the pairs in reach as sorted CSR of float64 distances."""
    if issparse(pairs):
        matrix = csr_array(pairs, copy=True)
        if matrix.dtype == np.bool_:
            matrix.eliminate_zeros()
        stored = matrix.nnz
        matrix.sum_duplicates()
        if matrix.nnz != stored:
            raise ProblemError(
                Text(zh="稀疏矩阵中有重复的元素", en="the sparse matrix holds the same pair more than once")
            )
        matrix = csr_array(matrix, dtype=np.float64)
        keep = matrix.data != np.inf
        if not keep.all():
            rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))[keep]
            matrix = csr_array((matrix.data[keep], (rows, matrix.indices[keep])), shape=matrix.shape)
        matrix.sum_duplicates()
        return matrix
    dense = np.asarray(pairs)
    if dense.ndim != 2:
        raise ProblemError(
            Text(
                zh=f"需求×候选矩阵应为二维，得到 {dense.ndim} 维",
                en=f"the demand x candidates matrix must have 2 dimensions, got {dense.ndim}",
            )
        )
    dense = dense if dense.dtype == np.bool_ else dense.astype(np.float64)
    if dense.dtype != np.bool_ and not distances:
        if not np.isin(dense, (0.0, 1.0)).all():
            raise ProblemError(
                Text(
                    zh="稠密的覆盖矩阵应为真/假或 0/1；距离请先与界限比较",
                    en="a dense cover matrix must be true/false or 0/1; compare distances with the cut-off first",
                )
            )
        dense = dense != 0
    if dense.dtype == np.bool_:
        return csr_array(dense.astype(np.float64))
    rows, cols = np.nonzero(~np.isposinf(dense))
    matrix = csr_array((dense[rows, cols], (rows, cols)), shape=dense.shape)
    matrix.sum_duplicates()
    return matrix


def accept_figures(name: str, values: ArrayLike | None, size: int, default: float) -> FloatArray:
    """Return one float64 a row, filled with the default or the one number given."""
    if values is None:
        return np.full(size, default)
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0:
        array = np.full(size, float(array))
    require_figures(name, array, size)
    return array.copy()


def require_figures(name: str, values: FloatArray, size: int) -> None:
    """Refuse figures of another length, or that are not finite and >= 0."""
    if values.shape != (size,):
        raise ProblemError(
            Text(
                zh=f"{name} 应有 {size} 个数，得到 {values.shape}",
                en=f"{name} must have {size} entries, got {values.shape}",
            )
        )
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if bad.size:
        found = values[bad[0]]
        raise ProblemError(
            Text(
                zh=f"{name} 应为不小于 0 的有限数；第 {bad[0]} 个是 {found}（共 {bad.size} 个）",
                en=f"{name} must be finite and >= 0; entry {bad[0]} is {found} ({bad.size} in all)",
            )
        )


def accept_sites(name: str, sites: ArrayLike | None, size: int) -> BoolArray:
    """Return a bool per site, from indices or from bools."""
    mask = np.zeros(size, dtype=np.bool_)
    if sites is None:
        return mask
    array = np.asarray(sites)
    if array.dtype == np.bool_ and array.shape == (size,):
        return array.copy()
    if array.size == 0:
        return mask
    whole = array.ndim == 1 and np.issubdtype(array.dtype, np.integer)
    if not whole or array.min() < 0 or array.max() >= size:
        raise ProblemError(
            Text(
                zh=f"{name} 应为 0 到 {size - 1} 的站点序号，或 {size} 个真/假",
                en=f"{name} must be site indices from 0 to {size - 1}, or {size} bools",
            )
        )
    mask[array] = True
    return mask


def accept_whole(name: str, value: int | None) -> int | None:
    """Return a whole number, or None."""
    if value is None:
        return None
    if isinstance(value, bool) or value != value or int(value) != value:
        raise ProblemError(Text(zh=f"{name} 应为整数，得到 {value}", en=f"{name} must be a whole number, got {value}"))
    return int(value)


def accept_levels(level: int | ArrayLike, size: int) -> IntArray:
    """Return the cover level of each demand."""
    array = np.asarray(level)
    if array.ndim == 0:
        array = np.full(size, array)
    if array.shape != (size,) or not (array == np.floor(array)).all() or (array.size and array.min() < 1):
        raise ProblemError(
            Text(
                zh=f"level 应为不小于 1 的整数，或 {size} 个这样的数",
                en=f"level must be a whole number >= 1, or {size} of them",
            )
        )
    return array.astype(np.int64)


def accept_groups(labels: ArrayLike | None, size: int) -> IntArray:
    """Return group numbers by first appearance, -1 where there is no group or nobody to share it with."""
    groups = np.full(size, -1, dtype=np.int64)
    if labels is None:
        return groups
    given: Sequence[object] = list(np.asarray(labels, dtype=object).ravel())
    if len(given) != size:
        raise ProblemError(
            Text(
                zh=f"exclusive 应有 {size} 个组名，得到 {len(given)}",
                en=f"exclusive must have {size} labels, got {len(given)}",
            )
        )
    members: dict[object, list[int]] = {}
    for site, label in enumerate(given):
        if label is None or label == "" or label == -1 or label != label:
            continue
        members.setdefault(label, []).append(site)
    for number, sites in enumerate(group for group in members.values() if len(group) > 1):
        groups[sites] = number
    return groups


def accept_conflicts(pairs: ArrayLike | None, size: int) -> IntArray:
    """Return pairs of sites, smaller index first, each pair once."""
    if pairs is None:
        return np.zeros((0, 2), dtype=np.int64)
    array = np.asarray(pairs)
    if array.size == 0:
        return np.zeros((0, 2), dtype=np.int64)
    good = array.ndim == 2 and array.shape[1] == 2 and np.issubdtype(array.dtype, np.integer)
    if not good or array.min() < 0 or array.max() >= size or (array[:, 0] == array[:, 1]).any():
        raise ProblemError(
            Text(
                zh=f"conflicts 应为成对的不同站点序号（0 到 {size - 1}）",
                en=f"conflicts must be pairs of different site indices from 0 to {size - 1}",
            )
        )
    return np.unique(np.sort(array.astype(np.int64), axis=1), axis=0)
