"""One problem for every siting model: who can be served from where, and the limits on what may be chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from siting.allocation.accepted import (
    accept_conflicts,
    accept_figures,
    accept_groups,
    accept_levels,
    accept_pairs,
    accept_sites,
    accept_whole,
    require_figures,
)
from siting.arrays import BoolArray, FloatArray, IntArray
from siting.errors import ProblemError
from siting.text import Text

Model = Literal["set_cover", "max_cover", "p_median", "p_center"]

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
        require_figures("weights", self.weights, n)
        require_figures("cost", self.cost, m)
        require_figures("demand", self.demand, n)
        if self.capacity is not None:
            require_figures("capacity", self.capacity, m)
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
        require_figures("pairs", self.pairs.data, self.pairs.nnz)
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
    reach = accept_pairs(pairs, distances=model in ("p_median", "p_center"))
    n, m = reach.shape
    worth = accept_figures("weights", weights, n, 1.0)
    there = accept_sites("existing", existing, m)
    price = np.where(there, 0.0, accept_figures("cost", cost, m, 1.0))
    return Problem(
        model=model,
        pairs=reach,
        weights=worth,
        cost=price,
        sites=accept_whole("sites", sites),
        budget=None if budget is None else float(budget),
        capacity=None if capacity is None else accept_figures("capacity", capacity, m, 0.0),
        demand=worth.copy() if demand is None else accept_figures("demand", demand, n, 0.0),
        split=bool(split),
        level=accept_levels(level, n),
        existing=there,
        fixed=accept_sites("fixed", fixed, m) & ~there,
        forbidden=accept_sites("forbidden", forbidden, m),
        exclusive=accept_groups(exclusive, m),
        conflicts=accept_conflicts(conflicts, m),
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
    return accept_conflicts(ends, int(between.shape[0]))


def _some(indices: IntArray) -> str:
    shown = ", ".join(str(i) for i in indices[:5])
    return shown + (f", ... ({indices.size})" if indices.size > 5 else "")
