"""A standard is printed as a table that a planner can read, in Chinese or in English."""

import re

import pytest

from siting.standards import SHIPPED, list_standards, read_standard, rules_table


def test_the_shipped_standards_are_listed_the_nation_first():
    assert [standard.id for standard in list_standards()] == ["national", "gansu", "jiangsu", "linyi"]


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_entry_has_a_row_of_texts(name, lang):
    standard = read_standard(name)
    table = rules_table(standard, lang)
    assert len(table) == len(standard.rules) + len(standard.circles) + len(standard.assumptions)
    assert table.map(lambda cell: isinstance(cell, str)).all(axis=None)
    assert table.iloc[:, 1].tolist() == [
        *(rule.id for rule in standard.rules),
        *(circle.id for circle in standard.circles),
        *standard.assumptions,
    ]


def test_a_rule_is_printed_with_its_figures_units_and_years():
    row = rules_table(read_standard("linyi"), "en").set_index("Id").loc["community_workers"]
    assert row["Target"] == "≥ 16 persons per 10,000 residents (2023); ≥ 18 persons per 10,000 residents (2025)"
    assert row["Baseline"] == "14 persons per 10,000 residents (2022)"
    assert row["Written in"] == "临政办发〔2023〕29号 一(二)表7"
    assert row["Applies to"] == "urban"
    share = rules_table(read_standard("linyi"), "zh").set_index("编号").loc["commerce_service_area"]
    assert (share["基期"], share["目标"]) == ("5.9 % (2022)", "≥ 10 % (2025)")


def test_a_circle_is_printed_with_its_minutes_and_metres():
    table = rules_table(read_standard("jiangsu"), "en")
    circles = table[table["Kind"].eq("circle")].set_index("Id")["Target"]
    assert circles["urban_sports"] == "≤ 10 minutes on foot (800 m)"
    assert circles["rural"] == "≤ 3000 m"


def test_a_list_of_services_is_printed_by_name():
    table = rules_table(read_standard("jiangsu"), "zh").set_index("编号")
    assert "便利店、综合超市、菜市场" in table.loc["convenience_services", "内容"]


def test_english_rows_keep_chinese_only_where_a_document_is_quoted():
    table = rules_table(read_standard("linyi"), "en")
    for column in ("Kind", "Name", "What", "Applies to", "Level", "County figure", "Baseline", "Target"):
        assert not table[column].map(lambda cell: bool(re.search(r"[一-龥]", cell))).any(), column


def test_an_assumption_is_read_in_the_readers_own_units():
    said = {
        lang: rules_table(read_standard("national"), lang).set_index(head).loc[:, what]
        for lang, head, what in (("zh", "编号", "内容"), ("en", "Id", "What"))
    }
    for name, zh, en in (
        ("reach_share", "90 %", "90 %"),
        ("direct_walk", "是", "yes"),
        ("floors_per_building", "6 层", "6 floors"),
        ("walking_speed_kmh", "4.8 公里/小时", "4.8 km/h"),
        ("horizon_years", "10 年", "10 years"),
    ):
        assert (said["zh"][name], said["en"][name]) == (zh, en)


@pytest.mark.parametrize("name", SHIPPED)
def test_no_assumption_says_its_unit_in_english_to_a_chinese_reader(name):
    table = rules_table(read_standard(name), "zh")
    assert not table.loc[table["类别"].eq("假设"), "内容"].map(lambda cell: bool(re.search("[a-z]", cell))).any()
