"""The same situation gives the same plan, to the last bit, whatever the order of its records and their names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from siting.allocation.choices import alternatives, cost_curve
from siting.allocation.place_order import in_place_order, place_order
from siting.allocation.plan import PlanOptions
from siting.allocation.prescribe import prescribe
from siting.allocation.situation import Actions, Companion, Situation
from siting.errors import InfeasibleError, ProblemError
from siting.text import Text
from tests.allocation.made_situations import made_situation
from tests.allocation.shuffled import retold, told
from tests.allocation.small_situations import situations, wishes


def answer(situation, options):
    """Return the plan, or that there is none."""
    try:
        return prescribe(situation, options)
    except (ProblemError, InfeasibleError) as error:
        return type(error)


@settings(max_examples=40)
@given(situations(communities=4, actions=6), st.data(), st.integers(0, 2**32 - 1))
def test_the_order_of_records_and_their_names_change_no_plan(situation, data, seed):
    asked = data.draw(wishes(situation))
    other, old = retold(situation, seed)
    new = {name: fresh for fresh, name in old.items()}
    required, forbidden = (tuple(new[name] for name in names) for names in (asked.require, asked.forbid))
    first = answer(situation, asked)
    second = answer(other, replace(asked, require=required, forbid=forbidden))
    if isinstance(first, type):
        assert first is second
    else:
        assert told(first) == told(second, old)


@pytest.mark.parametrize("seed", range(3))
def test_a_town_told_otherwise_gets_the_same_plan_the_same_alternatives_and_the_same_curve(seed):
    town = made_situation(20, 16, extensions=4, seed=seed)
    other, old = retold(town, seed)
    one, two = (prescribe(each, PlanOptions(budget=300.0)) for each in (town, other))
    one, two = (replace(plan, alternatives=alternatives(plan, count=1, differ_by=1)) for plan in (one, two))
    assert told(one) == told(two, old)
    assert cost_curve(town, points=2).to_csv() == cost_curve(other, points=2).to_csv()


def test_the_tables_of_a_plan_stand_in_the_planners_own_order():
    town = made_situation(20, 10, extensions=3)
    plan = prescribe(town, PlanOptions(budget=60.0))
    assert plan.communities["community_id"].tolist() == list(town.community_id)
    ids = list(town.actions.action_id)
    for table in (plan.actions, plan.left_out, plan.allotments):
        rows = [ids.index(name) for name in table["action_id"]]
        assert rows == sorted(rows)
    assert len(plan.actions) + len(plan.left_out) == len(ids)
    blocked = [town.community_id.index(name) for name in plan.blocked["community_id"]]
    assert blocked == sorted(blocked)
    assert len(blocked) > 1


def four(**changes) -> Situation:
    """Return four equal communities of one home each and four equal actions, one in the circle of each."""
    one_each = csr_array(np.eye(4))
    values = {
        "kind": ("candidate",) * 4,
        "lon": np.zeros(4),
        "lat": np.zeros(4),
        "group": np.full(4, -1),
        "fixed_cost": np.full(4, 5.0),
    } | {name: changes.pop(name) for name in list(changes) if name in {"kind", "lon", "lat", "group", "fixed_cost"}}
    actions = Actions(
        action_id=("k0", "k1", "k2", "k3"),
        source_id=("k0", "k1", "k2", "k3"),
        acquisition=("lease",) * 4,
        services=(("comprehensive",),) * 4,
        counted=np.ones(4, dtype=bool),
        min_u=np.full(4, 1000),
        max_u=np.full(4, 5000),
        area_cost=np.full(4, 0.1),
        yearly_cost=np.zeros(4),
        community=np.full(4, -1),
        unusable=(None,) * 4,
        **values,
    )
    parts = {
        "community_id": ("c0", "c1", "c2", "c3"),
        "community_name": ("", "", "", ""),
        "urban": np.ones(4, dtype=bool),
        "resettlement": np.zeros(4, dtype=bool),
        "households": np.full(4, 100.0),
        "weight": np.full(4, 100_000),
        "allotted_m2": np.zeros(4),
        "deficit_u": np.full(4, 3000),
        "target_m2": 30.0,
        "reach_share": 0.9,
        "demand_community": np.arange(4),
        "demand_households": np.full(4, 100.0),
        "covered_now": np.zeros(4, dtype=bool),
        "actions": actions,
        "covers": one_each,
        "circle": one_each,
        "candidate_m": csr_array(np.eye(4) * 100.0),
        "cutoff_m": np.full(4, 500.0),
    }
    return Situation(**(parts | changes))


def test_communities_and_homes_go_from_west_to_east_then_from_south_to_north():
    lonlat = np.array([[2.0, 0.0], [1.0, 5.0], [1.0, 4.0], [3.0, 0.0]])
    order = place_order(four(community_lonlat=lonlat, demand_lonlat=lonlat))
    assert order.community.tolist() == order.demand.tolist() == order.action.tolist() == [2, 1, 0, 3]


def test_candidates_come_before_extensions_then_by_place_then_by_price():
    kind = ("extension", "candidate", "candidate", "candidate")
    price = np.array([1.0, 9.0, 8.0, 7.0])
    order = place_order(
        four(kind=kind, lon=np.array([0.0, 1.0, 1.0, 1.0]), lat=np.array([0, 1, 1, 2.0]), fixed_cost=price)
    )
    assert order.action.tolist() == [2, 1, 3, 0]
    assert order.community.tolist() == [2, 1, 3, 0]  # nothing else tells them apart than the site that each has


@pytest.mark.parametrize("seed", range(8))
def test_twins_that_nothing_tells_apart_are_put_in_order_together_with_what_hangs_on_them(seed):
    """Four equal communities, each with its own equal action, in two groups: no order of rows gives other arrays."""
    one = in_place_order(four(group=np.array([0, 1, 0, 1])))
    two = in_place_order(retold(four(group=np.array([0, 1, 0, 1])), seed)[0])
    for name in ("covers", "circle", "candidate_m"):
        np.testing.assert_array_equal(getattr(one, name).toarray(), getattr(two, name).toarray())
    np.testing.assert_array_equal(one.demand_community, two.demand_community)
    np.testing.assert_array_equal(one.actions.group, two.actions.group)
    assert one.actions.group.tolist()[0] == 0


@pytest.mark.parametrize("seed", range(8))
def test_equal_sites_are_told_apart_by_the_neighbours_they_need(seed):
    partners = (np.array([0, 1]), np.array([1]))
    needs = (Companion(Text("旁", "next"), np.array([3, 2]), np.array([False, True]), partners),)
    one, two = in_place_order(four(companions=needs)), in_place_order(retold(four(companions=needs), seed)[0])
    np.testing.assert_array_equal(one.companions[0].actions, two.companions[0].actions)
    np.testing.assert_array_equal(one.companions[0].settled, two.companions[0].settled)
    for first, second in zip(one.companions[0].partners, two.companions[0].partners, strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_situation_in_place_order_is_left_as_it_is():
    ordered = in_place_order(made_situation(5, 4))
    assert in_place_order(ordered) is ordered
    again = place_order(ordered).of(ordered)
    np.testing.assert_array_equal(again.action_row, ordered.action_row)
    np.testing.assert_array_equal(again.community_row, ordered.community_row)


def test_places_that_do_not_fit_their_records_are_refused():
    with pytest.raises(ProblemError, match="demand_lonlat must have 4 rows, or none"):
        four(demand_lonlat=np.zeros((3, 2)))
