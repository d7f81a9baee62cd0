"""The prescription as one mixed-integer linear model: columns, rows, and the objective of each stage.

For actions k, communities i and classes g of demand points that the same actions cover::

    y_k in {0, 1}        action k is taken              a_k >= 0    its area, m²
    x_ik >= 0            m² of k allotted to i          z_i in {0, 1}  community i meets the standard
    0 <= c_g <= 1        class g is covered

    Σ_i x_ik <= a_k,  min_k y_k <= a_k <= max_k y_k     what is allotted is there
    x_ik <= min(D_i, max_k) y_k                         (implied; it makes the relaxation tight)
    D_i z_i <= Σ_k x_ik <= D_i                          z_i: the deficit is filled
    Σ_g h_g c_g >= need_i z_i,  c_g <= Σ_k∈g y_k        z_i: enough households are covered
    Σ_k∈G y_k <= 1                                      exclusive groups
    y_k <= Σ_l next to k y_l                            one service next to another
    Σ_k f_k y_k + u_k a_k <= budget                     u_k: price + discounted yearly costs per m²
    s_t <= Σ_i∈t z_i, s_t <= needed_t                   what counts towards target t
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from siting.allocation.draft import Draft, Pairs
from siting.allocation.linear import LinearModel
from siting.allocation.situation import UNITS_PER_M2, Situation
from siting.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Limits:
    """What the planner's wishes make of the actions: areas in hundredths of a m², arrays of shape (k,)."""

    allowed: BoolArray
    required: BoolArray
    min_u: IntArray
    max_u: IntArray
    budget: float | None
    sites: int | None


@dataclass(frozen=True, slots=True)
class Classes:
    """Demand points of a community, not yet covered, that the same actions cover: shape (g,)."""

    community: IntArray
    households: FloatArray
    actions: tuple[IntArray, ...]


@dataclass(frozen=True, slots=True)
class PrescriptionModel:
    """The model with the places of its columns; ``open`` are the communities whose z is a question, shape (n_open,)."""

    situation: Situation
    limits: Limits
    pairs: Pairs
    open: IntArray
    classes: Classes
    linear: LinearModel

    @property
    def sizes(self) -> tuple[int, int, int, int, int]:
        """Number of actions, pairs, open communities, classes, targets."""
        return (
            len(self.situation.actions),
            len(self.pairs.action),
            len(self.open),
            len(self.classes.community),
            len(self.situation.targets),
        )

    def part(self, name: str) -> slice:
        """Return the columns of ``"y"``, ``"a"``, ``"x"``, ``"z"``, ``"c"`` or ``"s"``."""
        k, p, z, c, s = self.sizes
        ends = np.cumsum([0, k, k, p, z, c, s])
        at = "yaxzcs".index(name)
        return slice(int(ends[at]), int(ends[at + 1]))

    def row(self, **parts: FloatArray) -> FloatArray:
        """Return a row over all columns with coefficients for some of the parts, by name."""
        row = np.zeros(self.linear.matrix.shape[1])
        for name, values in parts.items():
            row[self.part(name)] = values
        return row

    def point(self, draft: Draft) -> FloatArray:
        """Return the model's columns for a draft: the start of a search."""
        covered = self.situation.covered_with(draft.chosen)
        meets = self.situation.meets(covered, draft.filled_u(self.situation, self.pairs))
        always = self.linear.col_lower[self.part("y")] > 0.5
        return self.row(
            y=(draft.chosen | always).astype(float),
            a=draft.area_u / UNITS_PER_M2,
            x=draft.allot_u / UNITS_PER_M2,
            z=meets[self.open].astype(float),
            c=np.array([draft.chosen[ks].any() for ks in self.classes.actions], dtype=float),
            s=np.array([min(t.needed, int((meets & t.members).sum())) for t in self.situation.targets], dtype=float),
        )

    def chosen(self, values: FloatArray) -> BoolArray:
        """Return which actions a point takes: those that cost nothing until they grow, where they do."""
        y = values[self.part("y")] > 0.5
        free = (self.linear.col_lower[self.part("y")] > 0.5) & ~self.limits.required
        return y & ~(free & (values[self.part("a")] < 1e-9))


def demand_classes(situation: Situation, allowed: BoolArray, wanted: BoolArray) -> Classes:
    """Return the uncovered demand points of the wanted communities, those with the same actions put together.

    Parameters
    ----------
    situation
        What the plan starts from.
    allowed
        Which actions may be taken, shape (k,).
    wanted
        For which communities it matters, shape (n,).
    """
    usable = allowed & situation.actions.counted
    groups: dict[tuple[int, bytes], float] = {}
    covers = situation.covers
    for d in np.flatnonzero(wanted[situation.demand_community] & ~situation.covered_now):
        ks = covers.indices[covers.indptr[d] : covers.indptr[d + 1]]
        ks = np.sort(ks[usable[ks]]).astype(np.int64)
        if len(ks) and situation.demand_households[d] > 0:
            key = (int(situation.demand_community[d]), ks.tobytes())
            groups[key] = groups.get(key, 0.0) + float(situation.demand_households[d])
    keys = sorted(groups)
    return Classes(
        community=np.array([key[0] for key in keys], dtype=np.int64),
        households=np.array([groups[key] for key in keys], dtype=np.float64),
        actions=tuple(np.frombuffer(key[1], dtype=np.int64) for key in keys),
    )


class _Rows:
    """Rows gathered block by block, each a set of coordinates with bounds."""

    def __init__(self) -> None:
        self.count = 0
        self.row: list[IntArray] = []
        self.col: list[IntArray] = []
        self.data: list[FloatArray] = []
        self.lower: list[FloatArray] = []
        self.upper: list[FloatArray] = []

    def add(
        self,
        count: int,
        entries: list[tuple[IntArray, IntArray, FloatArray | float]],
        lower: FloatArray | float,
        upper: FloatArray | float,
    ) -> None:
        """Add ``count`` rows with entries (row in the block, column, value)."""
        for row, col, data in entries:
            self.row.append(np.asarray(row, dtype=np.int64) + self.count)
            self.col.append(np.asarray(col, dtype=np.int64))
            self.data.append(np.broadcast_to(np.asarray(data, dtype=np.float64), np.shape(row)))
        self.lower.append(np.broadcast_to(np.asarray(lower, dtype=np.float64), (count,)))
        self.upper.append(np.broadcast_to(np.asarray(upper, dtype=np.float64), (count,)))
        self.count += count

    def matrix(self, cols: int) -> tuple[csr_array, FloatArray, FloatArray]:
        """Return the matrix and the bounds on its rows."""
        if not self.count:
            return csr_array((0, cols)), np.zeros(0), np.zeros(0)
        coordinates = (np.concatenate(self.row), np.concatenate(self.col))
        matrix = csr_array((np.concatenate(self.data), coordinates), shape=(self.count, cols))
        return matrix, np.concatenate(self.lower), np.concatenate(self.upper)


def build_model(situation: Situation, limits: Limits) -> PrescriptionModel:
    """Return the rows of the prescription; an objective is laid on it stage by stage.

    Parameters
    ----------
    situation
        What the plan starts from.
    limits
        What is allowed, required and affordable.
    """
    allowed = limits.allowed
    pairs = Pairs.of(situation, allowed)
    everything = situation.covered_with(allowed)
    now = situation.in_reach(situation.covered_now)
    could = situation.in_reach(everything)
    is_open = situation.counts & could & ~(now & (situation.deficit_u == 0))
    supply = np.zeros(len(situation.community_id))
    np.add.at(supply, pairs.community, limits.max_u[pairs.action].astype(float))
    is_open &= supply >= situation.deficit_u
    opened = np.flatnonzero(is_open)
    classes = demand_classes(situation, allowed, is_open & ~now)
    empty = LinearModel(
        np.zeros(0), csr_array((0, 0)), np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0, bool)
    )
    model = PrescriptionModel(situation, limits, pairs, opened, classes, empty)
    rows = _Rows()
    _area_rows(model, rows)
    _reach_rows(model, rows, now)
    _choice_rows(model, rows)
    _target_rows(model, rows)
    return PrescriptionModel(situation, limits, pairs, opened, classes, _linear(model, rows))


def _area_rows(model: PrescriptionModel, rows: _Rows) -> None:
    """Add what ties allotments to areas, areas to choices, and deficits to verdicts."""
    s, limits, pairs = model.situation, model.limits, model.pairs
    y, a, x, z = (model.part(name).start for name in "yaxz")
    k, p = len(s.actions), len(pairs.action)
    ks, ps = np.arange(k), np.arange(p)
    low, high = limits.min_u / UNITS_PER_M2, limits.max_u / UNITS_PER_M2
    deficit = s.deficit_u / UNITS_PER_M2
    rows.add(k, [(pairs.action, x + ps, 1.0), (ks, a + ks, -1.0)], -np.inf, 0.0)
    rows.add(k, [(ks, a + ks, 1.0), (ks, y + ks, -high)], -np.inf, 0.0)
    floor = np.flatnonzero(low > 0)
    rows.add(
        len(floor),
        [(np.arange(len(floor)), a + floor, 1.0), (np.arange(len(floor)), y + floor, -low[floor])],
        0.0,
        np.inf,
    )
    most = np.minimum(deficit[pairs.community], high[pairs.action])
    tight = np.flatnonzero(most < high[pairs.action])
    block = np.arange(len(tight))
    rows.add(len(tight), [(block, x + ps[tight], 1.0), (block, y + pairs.action[tight], -most[tight])], -np.inf, 0.0)
    lacking, where = np.unique(pairs.community, return_inverse=True)
    rows.add(len(lacking), [(where, x + ps, 1.0)], -np.inf, deficit[lacking])
    place = np.full(len(s.community_id), -1)
    place[model.open] = np.arange(len(model.open))
    asked = lacking[place[lacking] >= 0]
    slot = np.full(len(s.community_id), -1)
    slot[asked] = np.arange(len(asked))
    mine = slot[pairs.community] >= 0
    rows.add(
        len(asked),
        [(slot[pairs.community[mine]], x + ps[mine], 1.0), (np.arange(len(asked)), z + place[asked], -deficit[asked])],
        0.0,
        np.inf,
    )


def _reach_rows(model: PrescriptionModel, rows: _Rows, now: BoolArray) -> None:
    """Add what ties coverage of demand classes to choices, and verdicts to coverage."""
    s, classes = model.situation, model.classes
    y, z, c = (model.part(name).start for name in "yzc")
    need = s.needed_households - s.households_in_reach(s.covered_now)
    place = np.full(len(s.community_id), -1)
    place[model.open] = np.arange(len(model.open))
    bounds = np.searchsorted(classes.community, np.arange(len(s.community_id) + 1))
    for i in model.open[~now[model.open]]:
        gs = np.arange(bounds[i], bounds[i + 1])
        share = np.minimum(classes.households[gs] / need[i], 1.0)
        must = classes.households[gs].sum() - classes.households[gs] < need[i]
        for g in gs[must]:  # without class g the rest is not enough
            ks = classes.actions[g]
            rows.add(
                1,
                [(np.zeros(len(ks), int), y + ks, 1.0), (np.zeros(1, int), np.array([z + place[i]]), -1.0)],
                0.0,
                np.inf,
            )
        if classes.households[gs[must]].sum() >= need[i]:
            continue
        rows.add(
            1,
            [(np.zeros(len(gs), int), c + gs, share), (np.zeros(1, int), np.array([z + place[i]]), -1.0)],
            0.0,
            np.inf,
        )
        for g in gs:
            ks = classes.actions[g]
            rows.add(
                1, [(np.zeros(len(ks), int), y + ks, 1.0), (np.zeros(1, int), np.array([c + g]), -1.0)], 0.0, np.inf
            )


def _choice_rows(model: PrescriptionModel, rows: _Rows) -> None:
    """Add exclusive groups, neighbours, the number of sites and the budget."""
    s, limits = model.situation, model.limits
    y, a = model.part("y").start, model.part("a").start
    groups = s.actions.group
    for group in np.unique(groups[groups >= 0]):
        ks = np.flatnonzero((groups == group) & limits.allowed)
        if len(ks) > 1:
            rows.add(1, [(np.zeros(len(ks), int), y + ks, 1.0)], -np.inf, 1.0)
    for companion in s.companions:
        for k, settled, partners in zip(companion.actions, companion.settled, companion.partners, strict=True):
            if settled or not limits.allowed[k]:
                continue
            there = partners[limits.allowed[partners]]
            rows.add(
                1,
                [(np.zeros(len(there), int), y + there, 1.0), (np.zeros(1, int), np.array([y + k]), -1.0)],
                0.0,
                np.inf,
            )
    if limits.sites is not None:
        ks = np.flatnonzero([kind == "candidate" for kind in s.actions.kind])
        rows.add(1, [(np.zeros(len(ks), int), y + ks, 1.0)], -np.inf, float(limits.sites))
    if limits.budget is not None:
        ks = np.flatnonzero(limits.allowed)
        fixed, price = cost_of(s, limits.allowed)
        rows.add(
            1,
            [(np.zeros(len(ks), int), y + ks, fixed[ks]), (np.zeros(len(ks), int), a + ks, price[ks])],
            -np.inf,
            limits.budget,
        )


def _target_rows(model: PrescriptionModel, rows: _Rows) -> None:
    """Add what counts towards each target."""
    s = model.situation
    z, t = model.part("z").start, model.part("s").start
    met_now = s.meets(s.covered_now, np.zeros(len(s.community_id), dtype=np.int64))
    for number, target in enumerate(s.targets):
        mine = np.flatnonzero(target.members[model.open])
        already = float((met_now & target.members).sum())
        rows.add(
            1,
            [(np.zeros(len(mine), int), z + mine, 1.0), (np.zeros(1, int), np.array([t + number]), -1.0)],
            -already,
            np.inf,
        )


def cost_of(situation: Situation, allowed: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Return the fixed cost and the cost per m² of the allowed actions (0 for the others), 万元, shape (k,) each."""
    actions = situation.actions
    price = actions.area_cost + actions.yearly_cost
    return np.where(allowed, actions.fixed_cost, 0.0), np.where(allowed, price, 0.0)


def _linear(model: PrescriptionModel, rows: _Rows) -> LinearModel:
    """Return the linear model with bounds: what is not allowed is 0, what costs nothing until it grows is there."""
    s, limits = model.situation, model.limits
    k, p, opened, classes, targets = model.sizes
    counted_sites = limits.sites is not None
    brings = np.zeros(k, dtype=bool)
    brings[np.unique(s.covers.indices)] = True
    candidate = np.array([kind == "candidate" for kind in s.actions.kind], dtype=bool)
    tied = (
        (s.actions.group >= 0) | brings | (candidate & counted_sites) | (limits.min_u > 0) | (s.actions.fixed_cost > 0)
    )
    for companion in s.companions:
        tied[companion.actions] = True
    always = limits.required | (limits.allowed & ~tied & s.actions.counted)
    high = np.where(limits.allowed, limits.max_u, 0) / UNITS_PER_M2
    deficit = s.deficit_u / UNITS_PER_M2
    upper_x = np.minimum(deficit[model.pairs.community], high[model.pairs.action])
    needed = np.array([float(t.needed) for t in s.targets])
    matrix, lower, upper = rows.matrix(k + k + p + opened + classes + targets)
    return LinearModel(
        cost=np.zeros(matrix.shape[1]),
        matrix=matrix,
        row_lower=lower,
        row_upper=upper,
        col_lower=np.concatenate([always.astype(float), np.zeros(k + p + opened + classes + targets)]),
        col_upper=np.concatenate(
            [limits.allowed.astype(float), high, upper_x, np.ones(opened), np.ones(classes), needed]
        ),
        integral=np.concatenate(
            [np.ones(k, bool), np.zeros(k + p, bool), np.ones(opened, bool), np.zeros(classes + targets, bool)]
        ),
    )
