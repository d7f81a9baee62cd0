"""A draft of a plan in whole hundredths of a m²: which actions, how big, for whom; and what it achieves, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from siting.allocation.linear import LinearModel
from siting.allocation.situation import Situation
from siting.allocation.solve import solve_lp
from siting.arrays import BoolArray, FloatArray, IntArray
from siting.errors import SolverError
from siting.text import Text


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which area could be allotted where: pair p is action ``action[p]`` for community ``community[p]``, shape (p,)."""

    community: IntArray
    action: IntArray

    @classmethod
    def of(cls, situation: Situation, allowed: BoolArray) -> Pairs:
        """Return the pairs of communities that lack area and allowed actions that lie in their circle."""
        rows, cols = situation.circle.nonzero()
        rows, cols = rows.astype(np.int64), cols.astype(np.int64)
        keep = (
            (situation.deficit_u[rows] > 0)
            & (situation.households[rows] > 0)
            & (situation.actions.counted & allowed)[cols]
        )
        order = np.lexsort((cols[keep], rows[keep]))
        return cls(rows[keep][order], cols[keep][order])


@dataclass(frozen=True, slots=True)
class Draft:
    """Chosen actions (k,), their areas (k,) and the allotment of each pair (p,), in hundredths of a m²."""

    chosen: BoolArray
    area_u: IntArray
    allot_u: IntArray

    def filled_u(self, situation: Situation, pairs: Pairs) -> IntArray:
        """Return the area each community is given, shape (n,)."""
        filled = np.zeros(len(situation.community_id), dtype=np.int64)
        np.add.at(filled, pairs.community, self.allot_u)
        return filled

    def meets(self, situation: Situation, pairs: Pairs) -> BoolArray:
        """Return which communities meet the standard, shape (n,)."""
        return situation.meets(situation.covered_with(self.chosen), self.filled_u(situation, pairs))

    def cost(self, situation: Situation) -> float:
        """Return the cost, 万元."""
        return float(situation.actions.cost(self.chosen, self.area_u).sum())

    def new_build_u(self, situation: Situation) -> int:
        """Return the area built anew, hundredths of a m²."""
        return int(self.area_u[self.chosen & situation.actions.new_build].sum())


def whole_units(
    situation: Situation,
    pairs: Pairs,
    chosen: BoolArray,
    area: FloatArray,
    allot: FloatArray,
    met: BoolArray,
    limits_u: tuple[IntArray, IntArray],
    *,
    spare: BoolArray | None = None,
) -> Draft:
    """Return the draft next to a fractional one that is whole, meets the same communities and costs no more.

    With the actions chosen, areas and allotments are a flow from actions to communities; within the whole numbers
    around a feasible flow there is a whole one (its matrix is totally unimodular), and the cheapest is taken: area
    that nobody is allotted goes. The area filled in all is kept but for less than a hundredth of a m².

    Parameters
    ----------
    situation, pairs
        What the draft is of.
    chosen
        Shape (k,).
    area, allot
        Fractional hundredths of a m², shapes (k,) and (p,).
    met
        Communities whose deficit must be filled whole, shape (n,).
    limits_u
        Smallest and largest area of each action, shape (k,) each.
    spare
        Actions whose area is kept least before the cost is, shape (k,).

    Raises
    ------
    SolverError
        If the draft given was not feasible.
    """
    nobody = np.zeros(len(chosen), dtype=np.int64)
    live = np.flatnonzero(chosen[pairs.action] & (allot > 1e-7))
    ks = np.flatnonzero(chosen)
    if not len(ks):
        return Draft(np.zeros(len(chosen), dtype=bool), nobody, np.zeros(len(pairs.action), dtype=np.int64))
    slot = np.full(len(chosen), -1)
    slot[ks] = np.arange(len(ks))
    communities, where = np.unique(pairs.community[live], return_inverse=True)
    n, p = len(ks), len(live)
    price = situation.actions.unit_cost[ks]
    if spare is not None:
        price = price + spare[ks] * 1e3 * max(float(price.max()), 1e-6)
    ones, arcs = np.ones(p), n + np.arange(p)
    out_of = csr_array(
        (
            np.concatenate([ones, -np.ones(n)]),
            (np.concatenate([slot[pairs.action[live]], np.arange(n)]), np.concatenate([arcs, np.arange(n)])),
        ),
        shape=(n, n + p),
    )
    into = csr_array((ones, (where, arcs)), shape=(len(communities), n + p))
    total = csr_array((ones, (np.zeros(p, dtype=int), arcs)), shape=(1, n + p))
    deficit = situation.deficit_u[communities].astype(float)
    floor = np.where(met[communities], deficit, 0.0)
    model = LinearModel(
        cost=np.concatenate([price, np.zeros(p)]),
        matrix=out_of,
        row_lower=np.full(n, -np.inf),
        row_upper=np.zeros(n),
        col_lower=np.concatenate([limits_u[0][ks].astype(float), np.maximum(np.floor(allot[live] - 1e-3), 0.0)]),
        col_upper=np.concatenate([np.minimum(np.ceil(area[ks] + 1e-3), limits_u[1][ks]), np.ceil(allot[live] + 1e-3)]),
        integral=np.zeros(n + p, dtype=bool),
    )
    model = model.with_rows(into, floor, deficit).with_rows(total, np.floor(allot[live].sum() + 1e-3), np.inf)
    values = solve_lp(model, method="simplex").values
    if values is None:
        raise SolverError(Text(zh="方案无法取整", en="the draft of the plan could not be rounded to whole units"))
    rounded = np.rint(values).astype(np.int64)
    nobody[ks] = rounded[:n]
    allot_u = np.zeros(len(pairs.action), dtype=np.int64)
    allot_u[live] = rounded[n:]
    return Draft(chosen.copy(), nobody, allot_u)
