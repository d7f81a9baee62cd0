"""The tables of choices say each figure in its own unit, in an order that reads as a path."""

import pandas as pd

from siting.outputs.choices import path_sheet
from siting.standards import read_standard


def test_the_path_of_an_indicator_stands_year_by_year_in_its_own_unit():
    """A rule of services a community is a share of communities for the county: 2 of 30 is 6.7 %, not 0.1 services."""
    share, area = ("占比", "share"), ("平方米/百户", "m² per 100 households")
    path = pd.DataFrame(
        [
            (2024, "area_per_100_households", 25.9, float("nan"), "", *area),
            (2024, "services_in_circle", 2 / 30, float("nan"), "", *share),
            (2024, "self_service_terminals", float("nan"), float("nan"), "", *share),
            (2025, "area_per_100_households", 29.96, 30.0, "fail", *area),
            (2025, "services_in_circle", 0.1, float("nan"), "", *share),
            (2025, "self_service_terminals", float("nan"), 1.0, "unknown", *share),
        ],
        columns=["year", "rule_id", "value", "target", "status", "unit_zh", "unit_en"],
    )
    standard = read_standard("linyi")
    known = {rule.id for rule in standard.rules}
    services = next(rule.id for rule in standard.rules if rule.measure == "required_services")
    terminals = next(rule.id for rule in standard.rules if rule.measure == "self_service_terminal_share")
    path["rule_id"] = path["rule_id"].replace({"services_in_circle": services, "self_service_terminals": terminals})
    assert set(path["rule_id"]) <= known
    rows = path_sheet(path, standard, "zh").rows
    assert [row[1:] for row in rows] == [
        ("2024", "25.9 平方米/百户", "—", ""),
        ("2025", "29.96 平方米/百户", "30.0 平方米/百户", "不达标"),
        ("2024", "6.7%", "—", ""),
        ("2025", "10.0%", "—", ""),
    ]
