"""Who a facility is registered to: whole, divided, through two doors, or to nobody."""

import numpy as np
import pandas as pd

from siting.coverage.ledger import read_ledger

COMMUNITIES = pd.DataFrame({"community_id": ["A", "B", "C"]})


def facilities(*rows: tuple[str, str, str, float, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["facility_id", "service", "community_id", "floor_area_m2", "place_id"])


def entries(table: pd.DataFrame, allotments: pd.DataFrame | None = None) -> list[tuple[int, int, float]]:
    ledger = read_ledger(COMMUNITIES, table, allotments, {"comprehensive"})
    return list(zip(ledger.facility.tolist(), ledger.community.tolist(), ledger.area_m2.tolist(), strict=True))


def test_a_facility_is_registered_whole_to_its_community_and_other_services_are_left_out():
    table = facilities(
        ("f1", "comprehensive", "B", 300.0, ""),
        ("f2", "pharmacy", "A", 50.0, ""),
        ("f3", "comprehensive", "B", 120.0, ""),
    )
    assert entries(table) == [(0, 1, 300.0), (2, 1, 120.0)]


def test_allotments_divide_a_facility_and_its_own_community_id_says_nothing_more():
    table = facilities(("f1", "comprehensive", "A", 900.0, ""))
    allotments = pd.DataFrame(
        {"facility_id": ["f1", "f1", "f1"], "community_id": ["B", "C", "A"], "area_m2": [400.0, 200.0, 0.0]}
    )
    assert entries(table, allotments) == [(0, 1, 400.0), (0, 2, 200.0)]


def test_two_doors_of_one_place_are_one_entry_with_the_area_that_is_stated():
    table = facilities(
        ("f1", "comprehensive", "A", float("nan"), "hall"),
        ("f2", "comprehensive", "A", 500.0, "hall"),
        ("f3", "comprehensive", "", 500.0, "hall"),
    )
    assert entries(table) == [(0, 0, 500.0)]


def test_doors_that_name_two_communities_give_both_the_place_and_neither_an_area():
    table = facilities(("f1", "comprehensive", "A", 500.0, "hall"), ("f2", "comprehensive", "B", 500.0, "hall"))
    found = entries(table)
    assert [entry[:2] for entry in found] == [(0, 0), (1, 1)]
    assert np.isnan([entry[2] for entry in found]).all()


def test_a_facility_that_names_nobody_is_unregistered_and_a_neighbours_is_neither():
    table = facilities(("f1", "comprehensive", "", 500.0, ""), ("f2", "comprehensive", "elsewhere", 500.0, ""))
    ledger = read_ledger(COMMUNITIES, table, None, {"comprehensive"})
    assert ledger.facility.size == 0
    assert ledger.unregistered.tolist() == [0]


def test_an_area_that_is_not_known_stays_unknown_in_the_entry():
    table = facilities(("f1", "comprehensive", "C", float("nan"), ""))
    found = entries(table)
    assert found[0][:2] == (0, 2)
    assert np.isnan(found[0][2])


def test_no_facility_at_all_makes_an_empty_ledger():
    ledger = read_ledger(COMMUNITIES, facilities().astype({"floor_area_m2": float}), None, {"comprehensive"})
    assert ledger.facility.size == ledger.unregistered.size == 0
