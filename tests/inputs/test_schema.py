"""Names of columns, their units, and the values each may hold."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from siting.inputs import Source, read_tables
from siting.inputs.schema import ROLES, read_columns, recognise
from tests.inputs.made_tables import (
    CANDIDATES,
    COMMUNITIES,
    FACILITIES,
    STANDARD,
    communities,
    faults,
    only,
    read,
    said,
    write,
)


@pytest.mark.parametrize(
    ("header", "role", "column", "scale"),
    [
        ("建筑面积（平方米）", "facilities", "floor_area_m2", 1),
        ("建筑面积(㎡)", "facilities", "floor_area_m2", 1),
        ("建筑面积 （亩）", "facilities", "floor_area_m2", 2000 / 3),
        ("floor_area_m2", "facilities", "floor_area_m2", None),
        ("Floor Area M2", "facilities", "floor_area_m2", None),
        ("固定费用万元", "candidates", "fixed_cost", 1),
        ("固定费用（元）", "candidates", "fixed_cost", 1e-4),
        ("单价元每平方米", "candidates", "cost_per_m2", 1e-4),
        ("单价（万元/㎡）", "candidates", "cost_per_m2", 1),
        ("年租金（元/平方米/年）", "candidates", "yearly_cost_per_m2", 1e-4),
        ("户数（户）", "communities", "households", 1),
        ("常住人口（万人）", "communities", "population", 1e4),
        ("*户数(必填)", "communities", "households", None),
    ],
)
def test_a_header_is_known_with_its_unit(header: str, role: str, column: str, scale: float | None) -> None:
    found, factor, remark = recognise(header, role)[0]
    assert (found.name, remark) == (column, "")
    assert factor == (None if scale is None else pytest.approx(scale))


@pytest.mark.parametrize("header", ["户数备注", "建筑面积编号", "户", "示例县社区台账"])
def test_a_header_that_only_begins_alike_is_not_taken(header: str) -> None:
    assert not any(recognise(header, role) for role in ROLES)


def test_no_two_columns_of_a_table_share_a_name() -> None:
    for columns in read_columns().values():
        names = [name for column in columns for name in column.names]
        assert len(names) == len(set(names))


@pytest.mark.parametrize("cell", ["-5", "nan", "inf", "1e12", "12.5", "约300", "900户", "-", ""])
def test_households_that_are_no_whole_number_are_told_with_row_column_and_value(tmp_path: Path, cell: str) -> None:
    issue = only(faults(partial(communities, tmp_path, COMMUNITIES.replace("300", cell))))
    assert (issue.file, issue.row, issue.column, issue.value) == ("社区.csv", 2, "户数", cell)
    if cell:
        assert "needs a whole number from 0 to 1,000,000" in issue.problem.en


def test_households_of_zero_are_kept_and_said(tmp_path: Path) -> None:
    tables = communities(tmp_path, COMMUNITIES.replace("300", "0"))
    assert list(tables.communities["households"]) == [0, 200]
    assert any("0 households; kept" in line for line in said(tables))


def test_a_dash_in_a_column_that_may_be_empty_is_no_figure_and_said(tmp_path: Path) -> None:
    lines = COMMUNITIES.splitlines()
    tables = communities(tmp_path, "\n".join([lines[0] + ",人口", lines[1] + ",-", lines[2] + ",500"]))
    assert np.isnan(tables.communities["population"][0])
    assert any("row 2" in line and "a placeholder" in line for line in said(tables))


def test_an_unreadable_figure_is_a_fault_even_where_the_column_may_be_empty(tmp_path: Path) -> None:
    lines = COMMUNITIES.splitlines()
    text = "\n".join([lines[0] + ",人口", lines[1] + ",约500", lines[2] + ",500"])
    assert only(faults(partial(communities, tmp_path, text))).column == "人口"


def test_every_column_is_there_whatever_the_file_has(tmp_path: Path) -> None:
    tables = read(tmp_path)
    for role, frame in (
        ("communities", tables.communities),
        ("facilities", tables.facilities),
        ("candidates", tables.candidates),
    ):
        wanted = [column.name for column in read_columns()[role] if column.kind != "degrees"]
        assert list(frame.columns) == [*wanted, "geometry"]
    assert str(tables.communities["households"].dtype) == "int64"
    assert str(tables.communities["resettlement"].dtype) == "boolean"
    assert list(tables.communities["township"]) == ["", ""]


def test_money_without_a_unit_is_taken_in_the_studys_and_said(tmp_path: Path) -> None:
    text = CANDIDATES.replace("固定费用万元", "固定费用")
    sources = {
        "communities": Source(write(tmp_path, "a.csv", COMMUNITIES), datum="wgs84"),
        "facilities": Source(write(tmp_path, "b.csv", "设施编号,设施类型,经度,纬度\n"), datum="wgs84"),
        "candidates": Source(write(tmp_path, "c.csv", text.replace(",10,", ",100000,")), datum="wgs84"),
    }
    tables = read_tables(sources, STANDARD, money_unit="元")
    assert list(tables.candidates["fixed_cost"]) == [10.0]
    assert list(tables.candidates["cost_per_m2"]) == [pytest.approx(0.3)]
    assert any("no unit of money; taken in 元" in line for line in said(tables))
    assert faults(partial(read_tables, sources, STANDARD, money_unit="美元"))[0].value == "美元"


def test_a_choice_outside_the_list_names_the_list(tmp_path: Path) -> None:
    issue = only(faults(partial(communities, tmp_path, COMMUNITIES.replace("城市", "郊区"))))
    assert (issue.row, issue.value) == (2, "郊区")
    assert "urban, rural" in issue.cure.en
    path = write(tmp_path, "c.csv", CANDIDATES.replace("新建", "借用"))
    assert "new_build" in only(faults(partial(read, tmp_path, candidates=path))).cure.en


def test_the_statistical_urban_rural_code_is_understood(tmp_path: Path) -> None:
    tables = communities(tmp_path, COMMUNITIES.replace("城市", "111").replace("农村", "220"))
    assert list(tables.communities["area_type"]) == ["urban", "rural"]


def test_an_unknown_service_is_kept_and_said(tmp_path: Path) -> None:
    text = "设施编号,设施类型,经度,纬度\nA,网吧,110.1,35.1\nB,药店,110.1,35.1\nC,,110.1,35.1\n"
    tables = read(tmp_path, facilities=write(tmp_path, "f.csv", text))
    assert list(tables.facilities["service"]) == ["unknown", "pharmacy", "unknown"]
    warned = said(tables, "warning")
    assert any("row 2" in line and "网吧" in line for line in warned)
    assert any("row 4" in line and "is empty" in line for line in warned)


def test_a_candidate_may_hold_several_services_and_holds_the_comprehensive_one_by_default(tmp_path: Path) -> None:
    lines = CANDIDATES.splitlines()
    text = "\n".join([lines[0] + ",可设服务", lines[1] + ",社区综合服务设施；药店", lines[1].replace("C1", "C2") + ","])
    tables = read(tmp_path, candidates=write(tmp_path, "c.csv", text))
    assert list(tables.candidates["services"]) == [("comprehensive", "pharmacy"), ("comprehensive",)]


def test_an_osm_id_serves_as_id_where_there_is_no_other(tmp_path: Path) -> None:
    both = "facility_id,osm_id,service,lon,lat\nF1,77,药店,110.1,35.1\n"
    alone = "osm_id,service,lon,lat\n77,药店,110.1,35.1\n"
    assert list(read(tmp_path, facilities=write(tmp_path, "a.csv", both)).facilities["facility_id"]) == ["F1"]
    assert list(read(tmp_path, facilities=write(tmp_path, "b.csv", alone)).facilities["facility_id"]) == ["77"]


def test_a_mapping_of_columns_that_names_nothing_is_told(tmp_path: Path) -> None:
    unknown = faults(partial(communities, tmp_path, COMMUNITIES, columns={"household": "户数"}))
    assert "did you mean households" in only(unknown).problem.en
    absent = faults(partial(communities, tmp_path, COMMUNITIES, columns={"households": "总户"}))
    assert 'names "总户"' in only(absent).problem.en
    assert (
        len(communities(tmp_path, COMMUNITIES.replace("户数", "xyz"), columns={"households": "xyz"}).communities) == 2
    )


def test_a_role_that_is_none_and_one_that_is_missing_are_told() -> None:
    issues = faults(partial(read_tables, {"facilites": []}, STANDARD))
    assert [issue.value for issue in issues] == ["facilites", "", ""]
    assert "communities" in issues[1].cure.en


def test_a_figure_out_of_range_in_its_unit_is_told_as_it_was_converted(tmp_path: Path) -> None:
    text = FACILITIES.replace("建筑面积", "建筑面积（万平方米）").replace(",90,", ",900,")
    issue = only(faults(partial(read, tmp_path, facilities=write(tmp_path, "f.csv", text))))
    assert issue.problem.en.startswith("is 9,000,000 by the unit in the column's name; needs a number")


def test_a_unit_of_area_that_is_not_known_is_a_warning(tmp_path: Path) -> None:
    text = FACILITIES.replace("建筑面积", "建筑面积(间)")
    (line,) = said(read(tmp_path, facilities=write(tmp_path, "f.csv", text)), "warning")
    assert "no known unit" in line
