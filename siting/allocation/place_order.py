"""The order in which a plan's arrays are worked on: by place, then by the records' own figures; never by row or id.

Where everything that is known of two records is the same, whom they reach and are reached by decides (colour
refinement, Weisfeiler and Leman 1968); what is the same even so may be exchanged, and then no order matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from siting.allocation.situation import Actions, Companion, Situation
from siting.arrays import BoolArray, IntArray

_OF_COMMUNITIES = ("urban", "resettlement", "households", "weight", "allotted_m2", "deficit_u", "community_lonlat")
_OF_DEMAND = ("demand_households", "covered_now", "cutoff_m", "demand_lonlat")


@dataclass(frozen=True, slots=True)
class _Links:
    """Who touches whom, and how: records by number, each link once in each direction; the kinds are numbers."""

    here: IntArray
    there: IntArray
    kind: IntArray


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Which community (n,), demand point (m,) and action (k,) comes first, second, …, as rows of a situation."""

    community: IntArray
    demand: IntArray
    action: IntArray

    def of(self, situation: Situation) -> Situation:
        """Return the situation with its records in this order; it remembers the rows they had."""
        s = situation
        communities = {name: getattr(s, name)[self.community] for name in _OF_COMMUNITIES if len(getattr(s, name))}
        demand = {name: getattr(s, name)[self.demand] for name in _OF_DEMAND if len(getattr(s, name))}
        return replace(
            s,
            community_id=tuple(s.community_id[i] for i in self.community),
            community_name=tuple(s.community_name[i] for i in self.community),
            **communities,
            **demand,
            demand_community=_place_of(self.community)[s.demand_community[self.demand]],
            actions=self._actions(s.actions),
            covers=_taken(s.covers, self.demand, self.action),
            circle=_taken(s.circle, self.community, self.action),
            candidate_m=_taken(s.candidate_m, self.demand, self.action),
            targets=tuple(replace(target, members=target.members[self.community]) for target in s.targets),
            companions=tuple(self._companion(one) for one in s.companions),
            community_row=s.community_row[self.community] if s.in_place_order else self.community,
            action_row=s.action_row[self.action] if s.in_place_order else self.action,
        )

    def of_distances(self, candidate_m: csr_array, actions: Actions) -> csr_array:
        """Return the distances of demand points to the candidates among the actions in this order, shape (m, c)."""
        fresh = np.array([kind == "candidate" for kind in actions.kind], dtype=bool)
        column = np.cumsum(fresh) - 1
        return _taken(candidate_m, self.demand, column[self.action[fresh[self.action]]])

    def _actions(self, actions: Actions) -> Actions:
        taken: dict[str, Any] = {}
        for one in fields(Actions):
            values = getattr(actions, one.name)
            taken[one.name] = (
                tuple(values[k] for k in self.action) if isinstance(values, tuple) else values[self.action]
            )
        own = taken["community"]
        taken["community"] = np.where(own >= 0, _place_of(self.community)[np.maximum(own, 0)], -1)
        taken["group"] = _by_first_appearance(taken["group"])
        return Actions(**taken)

    def _companion(self, one: Companion) -> Companion:
        place = _place_of(self.action)
        order = np.argsort(place[one.actions])
        partners = tuple(np.sort(place[one.partners[at]]) for at in order)
        return Companion(one.name, place[one.actions][order], one.settled[order], partners)


def in_place_order(situation: Situation) -> Situation:
    """Return the situation in the order of places; one that is in it already is returned as it is.

    Parameters
    ----------
    situation
        What a plan starts from.
    """
    return place_order(situation).of(situation) if not situation.in_place_order else situation


def place_order(situation: Situation) -> PlaceOrder:
    """Return the order of a situation's records; candidates come before extensions.

    Parameters
    ----------
    situation
        What a plan starts from.
    """
    n, m, k = len(situation.community_id), len(situation.demand_community), len(situation.actions)
    if situation.in_place_order:
        return PlaceOrder(np.arange(n), np.arange(m), np.arange(k))
    first = _first_colours(situation)
    kept_apart = np.ones(len(first), dtype=bool)
    kept_apart[n : n + m] = False  # homes that nothing tells apart may be exchanged: any order of them is the same
    colour = _settled(first, _links(situation), kept_apart)
    community = np.argsort(colour[:n], kind="stable")
    rank = _place_of(community)
    demand = np.lexsort((colour[n : n + m], rank[situation.demand_community]))
    return PlaceOrder(community, demand, np.argsort(colour[n + m : n + m + k], kind="stable"))


def _first_colours(s: Situation) -> IntArray:
    """Return the rank of each community, demand point, action and exclusive group by its place and figures."""
    communities = [
        *(*s.community_lonlat.T, s.urban, s.resettlement, s.households, s.weight),
        *(np.nan_to_num(s.allotted_m2, nan=-1.0), s.deficit_u, *(target.members for target in s.targets)),
    ]
    demand = [*s.demand_lonlat.T, s.demand_households, s.cutoff_m, s.covered_now]
    parts = [
        _ranks(communities, len(s.community_id)),
        _ranks(demand, len(s.demand_community)),
        _ranks(_figures(s.actions, s.companions), len(s.actions)),
        np.zeros(_groups(s.actions), dtype=np.int64),
    ]
    starts = np.cumsum([0, *(len(part) for part in parts)])
    return np.concatenate([part + start for part, start in zip(parts, starts, strict=False)])


def _figures(a: Actions, companions: Sequence[Companion]) -> list[NDArray[Any]]:
    """Return the columns by which actions are told apart, the first ones first."""
    said = [["" if why is None else why.en for why in a.unusable], a.acquisition, [";".join(row) for row in a.services]]
    needs = np.zeros((2 * len(companions), len(a)))
    for number, one in enumerate(companions):
        needs[2 * number, one.actions], needs[2 * number + 1, one.actions] = 1.0, one.settled
    return [
        np.array([kind != "candidate" for kind in a.kind], dtype=bool),
        *(a.lon, a.lat, a.counted, a.min_u, a.max_u),
        *(np.nan_to_num(cost, nan=-1.0) for cost in (a.fixed_cost, a.area_cost, a.yearly_cost)),
        *(np.unique(np.array(words, dtype=str), return_inverse=True)[1] for words in said),
        *needs,
    ]


def _groups(a: Actions) -> int:
    return int(a.group.max(initial=-1)) + 1


def _links(s: Situation) -> _Links:
    """Return who touches whom: homes their community, actions homes, circles, communities, groups and neighbours."""
    n, m, k = len(s.community_id), len(s.demand_community), len(s.actions)
    home, action, group = n, n + m, n + m + k
    own, grouped = np.flatnonzero(s.actions.community >= 0), np.flatnonzero(s.actions.group >= 0)
    pairs = [(home + np.arange(m), s.demand_community.astype(np.int64), np.zeros(m))]
    for matrix, first in ((s.covers, home), (s.circle, 0), (s.candidate_m, home)):
        row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        pairs.append((first + row, action + matrix.indices, np.asarray(matrix.data, dtype=np.float64)))
    pairs.append((action + own, s.actions.community[own], np.zeros(len(own))))
    pairs.append((action + grouped, group + s.actions.group[grouped], np.zeros(len(grouped))))
    for one in s.companions:
        needs = np.repeat(one.actions, [len(partners) for partners in one.partners]).astype(np.int64)
        gives = np.concatenate([np.zeros(0, dtype=np.int64), *one.partners])
        pairs.append((action + needs, action + gives, np.zeros(len(needs))))
    one_end, other_end, values = (np.concatenate(part) for part in zip(*pairs, strict=True))
    number = np.repeat(np.arange(len(pairs)), [len(pair[0]) for pair in pairs])
    kind = _ranks([number, values], len(number))
    return _Links(
        np.concatenate([one_end, other_end]),
        np.concatenate([other_end, one_end]),
        np.concatenate([2 * kind, 2 * kind + 1]),
    )


def _ranks(columns: Sequence[NDArray[Any]], count: int) -> IntArray:
    """Return how many records come before each, by the first column, then the second …; equal ones have one rank."""
    table = np.array([np.asarray(column, dtype=np.float64) for column in columns if len(column) == count])
    order = np.lexsort(table[::-1])
    fresh = np.ones(count, dtype=bool)
    fresh[1:] = (table[:, order[1:]] != table[:, order[:-1]]).any(axis=0)
    ranks = np.empty(count, dtype=np.int64)
    ranks[order] = np.maximum.accumulate(np.where(fresh, np.arange(count), 0))
    return ranks


def _settled(colour: IntArray, links: _Links, counted: BoolArray) -> IntArray:
    """Return the ranks of records by all that tells them apart; of those that nothing does, any one goes first."""
    while True:
        colour = _refined(colour, links)
        several = np.flatnonzero((np.bincount(colour, minlength=len(colour))[colour] > 1) & counted)
        if not len(several):
            return colour
        first = several[np.argmin(colour[several])]
        colour = colour + (colour == colour[first])
        colour[first] -= 1


def _refined(colour: IntArray, links: _Links) -> IntArray:
    """Return the ranks with equal ones told apart by whom they touch, until that tells no more."""
    while True:
        tied = np.bincount(colour, minlength=len(colour))[colour] > 1
        if not tied.any():
            return colour
        at = np.flatnonzero(tied[links.here])
        here, seen = links.here[at], _ranks([links.kind[at], colour[links.there[at]]], len(at))
        at = np.lexsort((seen, here))
        here, seen = here[at], seen[at]
        members = np.flatnonzero(tied)
        ends = np.searchsorted(here, members), np.searchsorted(here, members, side="right")
        touched = {int(one): seen[low:high].tolist() for one, low, high in zip(members, *ends, strict=True)}
        members = members[np.argsort(colour[members], kind="stable")]
        ranked = sorted(members.tolist(), key=lambda one: (colour[one], touched[one]))
        finer, rank = colour.copy(), 0
        for place, one in enumerate(ranked):
            before = ranked[place - 1]
            if place == 0 or colour[one] != colour[before]:
                start, rank = place, 0
            elif touched[one] != touched[before]:
                rank = place - start
            finer[one] = colour[one] + rank
        if np.array_equal(finer, colour):
            return colour
        colour = finer


def _place_of(order: IntArray) -> IntArray:
    """Return the place in an order of each row."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return place


def _taken(matrix: csr_array, rows: IntArray, columns: IntArray) -> csr_array:
    """Return a matrix with its rows and columns in another order, zeros kept, columns ascending."""
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    row, column = _place_of(rows)[row], _place_of(columns)[matrix.indices]
    order = np.lexsort((column, row))
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(rows)))])
    return csr_array((matrix.data[order], column[order], start), shape=matrix.shape)


def _by_first_appearance(groups: IntArray) -> IntArray:
    """Return group numbers in the order in which they first appear, -1 kept."""
    number = {group: at for at, group in enumerate(dict.fromkeys(groups[groups >= 0].tolist()))}
    return np.array([number.get(group, -1) for group in groups.tolist()], dtype=np.int64)
