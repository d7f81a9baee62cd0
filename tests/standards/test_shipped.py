"""What the shipped standards hold, typed from the policy itself, wherever the tests run."""

import pytest

from siting.standards import SHIPPED, read_standard
from siting.standards.assumptions import ASSUMPTIONS

STANDARDS = {name: read_standard(name) for name in SHIPPED}

# 临猗县“十四五”城乡社区服务体系建设主要发展指标: 2022 baseline, 2025 target.
LINYI = {
    "rural_facility_coverage": (0.72, 0.80),
    "urban_facility_coverage": (0.862, 1.00),
    "commerce_service_area": (0.059, 0.10),
    "area_per_100_households": (21.5, 30),
    "activity_area": (0.486, 0.60),
    "self_service_terminals": (0, 1.00),
    "community_workers": (14, 18),
    "urban_social_organisations": (7.9, 10),
    "rural_social_organisations": (3.4, 5),
    "certified_workers": (0.025, 0.20),
}


@pytest.mark.parametrize("rule_id", LINYI)
def test_the_ten_figures_of_linyi(rule_id):
    rule = STANDARDS["linyi"].rule(rule_id)
    assert (rule.baseline, rule.target) == LINYI[rule_id]
    assert (rule.baseline_year, rule.year) == (2022, 2025)
    assert rule.direction == "at_least"


def test_linyi_wants_sixteen_workers_by_2023_and_eighteen_by_2025():
    rule = STANDARDS["linyi"].rule("community_workers")
    assert rule.due(2022) is None
    assert rule.due(2024).target == 16
    assert rule.due(2025).target == 18
    assert rule.due(2030).year == 2025


@pytest.mark.parametrize("standard", STANDARDS.values(), ids=SHIPPED)
def test_every_standard_has_what_the_product_needs(standard):
    assert standard.rule("reach").target == standard.value("reach_share") == 0.9
    assert standard.rule("area_per_100_households").target == 30
    assert standard.counted_services == {"comprehensive"}
    assert set(standard.assumptions) == set(ASSUMPTIONS)
    assert standard.cutoff_m("urban") == 1200.0
    assert standard.cutoff_m("rural") == 3000.0
    for rule in standard.rules:
        assert rule.clause
        assert rule.document
        assert rule.quotation or rule.source
        assert rule.columns
        assert rule.name.zh
        assert rule.name.en
    assert all(one.source and one.unit for one in standard.assumptions.values())


@pytest.mark.parametrize("standard", STANDARDS.values(), ids=SHIPPED)
def test_what_no_table_can_answer_names_a_column_that_no_table_has(standard):
    for rule in standard.rules:
        if rule.measure == "recorded" and rule.target is not None:
            assert rule.columns
            assert rule.unit.en != "principle"


def test_slower_groups_have_smaller_urban_circles_and_the_same_rural_one():
    standard = STANDARDS["national"]
    urban = {
        group: standard.cutoff_m("urban", group=group) for group in ("households", "minors", "elderly", "disabled")
    }
    assert urban == {"households": 1200.0, "minors": 1200.0, "elderly": 825.0, "disabled": 725.0}
    assert standard.cutoff_m("rural", group="disabled") == 3000.0


def test_only_jiangsu_draws_a_sports_circle_of_its_own():
    assert STANDARDS["jiangsu"].cutoff_m("urban", service="sports") == 800.0
    assert STANDARDS["jiangsu"].cutoff_m("rural", service="sports") == 3000.0
    assert STANDARDS["jiangsu"].cutoff_m("urban", service="pharmacy") == 1200.0
    assert STANDARDS["gansu"].cutoff_m("urban", service="sports") == 1200.0


@pytest.mark.parametrize(
    ("words", "service"),
    [
        ("社区综合服务设施", "comprehensive"),
        ("党群服务中心", "comprehensive"),
        (" 生鲜超市(菜店) ", "fresh_market"),
        ("生鲜超市（菜店）", "fresh_market"),
        ("卫生站", "health_station"),
        ("村卫生室", "health_station"),
        ("社区卫生服务中心", "health_station"),
        ("日间照料中心", "elder_care"),
        ("养老服务中心", "elder_care"),
        ("农村综合服务社", "supply_cooperative"),
        ("Post Office", "post_express"),
        ("CONVENIENCE_STORE", "convenience_store"),
        ("convenience store", "convenience_store"),
        ("麻将馆", None),
        ("", None),
    ],
)
def test_services_are_known_by_many_names(words, service):
    assert STANDARDS["national"].service_id(words) == service


def test_the_kinds_of_service_in_the_lanzhou_tables_are_all_known(shared_data):
    import json

    import pandas as pd

    stations = pd.read_csv(shared_data / "lanzhou" / "service_stations_gb18030_gcj02.csv", encoding="gb18030")
    places = json.loads((shared_data / "lanzhou" / "services_wgs84.geojson").read_text(encoding="utf-8"))
    kinds = set(stations["设施类型"]) | {one["properties"]["设施类型"] for one in places["features"]}
    assert {kind for kind in kinds if STANDARDS["gansu"].service_id(kind) is None} == set()


def test_required_services_are_those_of_the_area_type():
    rural, urban = (STANDARDS["linyi"].required_services(kind) for kind in ("rural", "urban"))
    assert set(rural) == {
        "post_express",
        "finance",
        "telecom",
        "supply_cooperative",
        "broadcasting",
        "weddings_funerals",
    }
    assert "hairdresser" in urban
    assert "finance" not in urban
    assert len(urban) == len(set(urban))
