"""One problem for every siting model: who can be served from where, and the limits on what may be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, issparse

from siting.errors import ProblemError
from siting.text import Text

Model = Literal["set_cover", "max_cover", "p_median", "p_center"]
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

TOLERANCE = 1e-9
"""Relative room for rounding when money, capacity or objectives are summed."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Demand rows, candidate columns and the limits on a choice, checked; made by :func:`make_problem`.

    Parameters
    ----------
    model
        ``"set_cover"``, ``"max_cover"``, ``"p_median"`` or ``"p_center"``.
    pairs
        Demand × candidates, shape (n, m), sorted; a stored pair is in reach and holds its distance, m, >= 0.
    weights
        What a served demand is worth, shape (n,), >= 0.
    cost
        Cost of each candidate, shape (m,), >= 0; that of an existing site is 0.
    sites
        Largest number of new sites; None for no limit.
    budget
        Largest total cost; None for no limit.
    capacity
        What each site can serve, shape (m,), >= 0; None for no limit.
    demand
        What each demand asks of a capacity, shape (n,), >= 0.
    split
        Whether a demand may be served by several sites where there are capacities.
    level
        How many chosen sites must have a demand in reach for it to count, shape (n,), >= 1 (2: backup cover).
    existing, fixed, forbidden
        Sites that are there, must be chosen, must not; shape (m,) of bool, disjoint.
    exclusive
        Group of each site, at most one of a group may be chosen; shape (m,), -1 for none.
    conflicts
        Pairs of sites of which at most one may be chosen, shape (k, 2), each pair once, smaller index first.

    Raises
    ------
    ProblemError
        If shapes disagree, a figure is NaN, negative or infinite, more sites are asked than can be chosen, or
        what must be chosen excludes itself.
    """

    model: Model
    pairs: csr_array
    weights: FloatArray
    cost: FloatArray
    sites: int | None
    budget: float | None
    capacity: FloatArray | None
    demand: FloatArray
    split: bool
    level: IntArray
    existing: BoolArray
    fixed: BoolArray
    forbidden: BoolArray
    exclusive: IntArray
    conflicts: IntArray

    def __post_init__(self) -> None:
        n, m = self.shape
        _require_figures("weights", self.weights, n)
        _require_figures("cost", self.cost, m)
        _require_figures("demand", self.demand, n)
        if self.capacity is not None:
            _require_figures("capacity", self.capacity, m)
            if (self.level > 1).any():
                raise ProblemError(
                    Text(
                        zh="容量与双重覆盖不能同时使用：受容量限制时每处需求只由其分配的站点服务",
                        en="capacity and backup cover cannot be combined: "
                        "with capacities a demand is served by the site it is assigned to",
                    )
                )
        if (self.level > 1).any() and self.model in ("p_median", "p_center"):
            raise ProblemError(
                Text(
                    zh="双重覆盖只适用于覆盖模型", en="backup cover is for cover models, not for a p-median or p-center"
                )
            )
        if self.model == "set_cover" and (self.sites is not None or self.budget is not None):
            raise ProblemError(
                Text(
                    zh="集合覆盖本身求最少的站点或费用；有数量或预算限制时请用 max_cover",
                    en="a set cover asks for the fewest sites itself; with a number or a budget use max_cover",
                )
            )
        if not self.pairs.has_canonical_format:
            raise ProblemError(
                Text(zh="pairs 应为排好序、无重复的 CSR", en="pairs must be sorted CSR without duplicates")
            )
        _require_figures("pairs", self.pairs.data, self.pairs.nnz)
        self._check_limits()
        self._check_musts()

    @property
    def shape(self) -> tuple[int, int]:
        """Return the number of demand points and of candidates."""
        return int(self.pairs.shape[0]), int(self.pairs.shape[1])

    @property
    def maximise(self) -> bool:
        """Return whether more is better."""
        return self.model == "max_cover"

    @property
    def must(self) -> BoolArray:
        """Return the sites in every answer: existing and fixed ones."""
        return self.existing | self.fixed

    @property
    def barred(self) -> BoolArray:
        """Return the sites in no answer: forbidden, or excluded by one that is in every answer."""
        barred = self.forbidden.copy()
        must = self.must
        groups = self.exclusive[must]
        barred |= np.isin(self.exclusive, groups[groups >= 0])
        a, b = self.conflicts.T
        barred[b[must[a]]] = True
        barred[a[must[b]]] = True
        return barred & ~must

    @property
    def free(self) -> BoolArray:
        """Return the sites that an answer may or may not hold."""
        return ~(self.must | self.barred)

    def total_cost(self, chosen: IntArray) -> float:
        """Return what the new ones among the chosen sites cost."""
        return float(self.cost[chosen].sum())

    def exclusions(self) -> csr_array:
        """Return the symmetric 0/1 matrix (m, m) of sites that exclude each other, by group or by spacing."""
        m = self.shape[1]
        first, second = [self.conflicts[:, 0]], [self.conflicts[:, 1]]
        grouped = np.flatnonzero(self.exclusive >= 0)
        order = grouped[np.argsort(self.exclusive[grouped], kind="stable")]
        for members in np.split(order, np.flatnonzero(np.diff(self.exclusive[order])) + 1):
            a, b = np.triu_indices(len(members), 1)
            first.append(members[a])
            second.append(members[b])
        a, b = np.concatenate(first), np.concatenate(second)
        both = csr_array((np.ones(2 * len(a)), (np.append(a, b), np.append(b, a))), shape=(m, m))
        both.sum_duplicates()
        both.data[:] = 1.0
        return both

    def _check_limits(self) -> None:
        if self.sites is not None:
            room = int((~(self.existing | self.forbidden)).sum())
            if self.sites < 0:
                raise ProblemError(
                    Text(zh=f"sites 应不小于 0，得到 {self.sites}", en=f"sites must be >= 0, got {self.sites}")
                )
            if self.sites > room:
                raise ProblemError(
                    Text(
                        zh=f"要选 {self.sites} 处，但可选的候选点只有 {room} 处",
                        en=f"sites = {self.sites}, but only {room} candidates can be chosen",
                    )
                )
        if self.budget is not None and not (0 <= self.budget < np.inf):
            raise ProblemError(
                Text(
                    zh=f"预算应为不小于 0 的数，得到 {self.budget}",
                    en=f"budget must be a number >= 0, got {self.budget}",
                )
            )

    def _check_musts(self) -> None:
        clash = np.flatnonzero(self.must & self.forbidden)
        if clash.size:
            raise ProblemError(
                Text(
                    zh=f"站点 {_some(clash)} 既必选（或现有）又被禁止",
                    en=f"sites {_some(clash)} are both fixed (or existing) and forbidden",
                )
            )
        a, b = self.conflicts.T
        new = self.fixed & ~self.existing
        pairs = self.conflicts[(self.must[a] & self.must[b]) & (new[a] | new[b])]
        groups, count = np.unique(self.exclusive[self.must & (self.exclusive >= 0)], return_counts=True)
        for group in groups[count > 1]:
            members = np.flatnonzero(self.must & (self.exclusive == group))
            if new[members].any():
                pairs = np.vstack([pairs, members[:2]])
        if len(pairs):
            raise ProblemError(
                Text(
                    zh=f"必选站点 {pairs[0][0]} 与 {pairs[0][1]} 互斥，不能同时选",
                    en=f"sites {pairs[0][0]} and {pairs[0][1]} must both be chosen but exclude each other",
                )
            )


def inner(a: FloatArray, b: FloatArray) -> float:
    """Return the sum of products, added in one order whatever the number of threads (BLAS may share it out)."""
    return float((a * b).sum())


def make_problem(
    model: Model,
    pairs: csr_array | ArrayLike,
    *,
    weights: ArrayLike | None = None,
    cost: ArrayLike | None = None,
    sites: int | None = None,
    budget: float | None = None,
    capacity: ArrayLike | None = None,
    demand: ArrayLike | None = None,
    split: bool = False,
    level: int | ArrayLike = 1,
    existing: ArrayLike | None = None,
    fixed: ArrayLike | None = None,
    forbidden: ArrayLike | None = None,
    exclusive: ArrayLike | None = None,
    conflicts: ArrayLike | None = None,
) -> Problem:
    """Bring what a caller has into one checked :class:`Problem`.

    A stored 0 of a sparse matrix is a pair at one spot, and in reach; ``inf`` is out of reach.

    Parameters
    ----------
    model
        ``"set_cover"``, ``"max_cover"``, ``"p_median"`` or ``"p_center"``.
    pairs
        Demand × candidates: sparse distances (stored pairs are in reach), a sparse or dense bool matrix, or dense
        distances with ``inf`` where out of reach; shape (n, m).
    weights
        What a served demand is worth, shape (n,); 1 each by default.
    cost
        Cost of each candidate, shape (m,); 1 each by default.
    sites
        Largest number of new sites; None for no limit.
    budget
        Largest total cost of new sites; None for no limit.
    capacity
        What each site can serve, shape (m,) or one number; None for no limit.
    demand
        What each demand asks of a capacity, shape (n,); its weight by default.
    split
        Whether a demand may be served by several sites where there are capacities.
    level
        How many chosen sites must have a demand in reach for it to count, one whole number or shape (n,).
    existing, fixed, forbidden
        Sites that are there (they cost nothing and do not count as new), must be chosen, must not: indices, or
        bool of shape (m,).
    exclusive
        Group of each site, at most one of a group may be chosen: shape (m,) of labels, "" or -1 or None for no group.
    conflicts
        Pairs of site indices of which at most one may be chosen, shape (k, 2); see :func:`spacing_conflicts`.

    Returns
    -------
    Problem
        Checked, with every default filled in.

    Raises
    ------
    ProblemError
        If the input makes no sense; the message names the figure.
    """
    reach = _pairs(pairs, distances=model in ("p_median", "p_center"))
    n, m = reach.shape
    worth = _figures("weights", weights, n, 1.0)
    there = _mask("existing", existing, m)
    price = np.where(there, 0.0, _figures("cost", cost, m, 1.0))
    return Problem(
        model=model,
        pairs=reach,
        weights=worth,
        cost=price,
        sites=_whole("sites", sites),
        budget=None if budget is None else float(budget),
        capacity=None if capacity is None else _figures("capacity", capacity, m, 0.0),
        demand=worth.copy() if demand is None else _figures("demand", demand, n, 0.0),
        split=bool(split),
        level=_level(level, n),
        existing=there,
        fixed=_mask("fixed", fixed, m) & ~there,
        forbidden=_mask("forbidden", forbidden, m),
        exclusive=_groups(exclusive, m),
        conflicts=_conflicts(conflicts, m),
    )


def spacing_conflicts(between: csr_array, min_spacing_m: float) -> IntArray:
    """Return the pairs of sites that stand closer together than a minimum spacing.

    Exactly at the spacing is far enough.

    Parameters
    ----------
    between
        Distance between sites, m, shape (m, m), sparse: a pair that is not stored is far apart.
    min_spacing_m
        Least distance allowed, m, > 0.

    Returns
    -------
    IntArray
        Shape (k, 2), smaller index first; give it as ``conflicts``.

    Raises
    ------
    ProblemError
        If the matrix is not square or the spacing is not positive and finite.
    """
    if between.shape[0] != between.shape[1]:
        raise ProblemError(
            Text(zh=f"站点间距矩阵应为方阵，得到 {between.shape}", en=f"between must be square, got {between.shape}")
        )
    if not 0 < min_spacing_m < np.inf:
        raise ProblemError(
            Text(
                zh=f"最小间距应为正数，得到 {min_spacing_m}", en=f"min_spacing_m must be positive, got {min_spacing_m}"
            )
        )
    pairs = between.tocoo()
    near = (pairs.data < min_spacing_m) & (pairs.row != pairs.col)
    ends = np.stack([pairs.row[near], pairs.col[near]], axis=1).astype(np.int64)
    return _conflicts(ends, int(between.shape[0]))


def _pairs(pairs: csr_array | ArrayLike, *, distances: bool) -> csr_array:
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
        keep = ~np.isposinf(matrix.data)
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


def _figures(name: str, values: ArrayLike | None, size: int, default: float) -> FloatArray:
    """Return one float64 a row, filled with the default or the one number given."""
    if values is None:
        return np.full(size, default)
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0:
        array = np.full(size, float(array))
    _require_figures(name, array, size)
    return array.copy()


def _require_figures(name: str, values: FloatArray, size: int) -> None:
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


def _mask(name: str, sites: ArrayLike | None, size: int) -> BoolArray:
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


def _whole(name: str, value: int | None) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or value != value or int(value) != value:
        raise ProblemError(Text(zh=f"{name} 应为整数，得到 {value}", en=f"{name} must be a whole number, got {value}"))
    return int(value)


def _level(level: int | ArrayLike, size: int) -> IntArray:
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


def _groups(labels: ArrayLike | None, size: int) -> IntArray:
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


def _conflicts(pairs: ArrayLike | None, size: int) -> IntArray:
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


def _some(indices: IntArray) -> str:
    shown = ", ".join(str(i) for i in indices[:5])
    return shown + (f", ... ({indices.size})" if indices.size > 5 else "")
