"""The workbook opens, holds every row, and never runs a cell."""

import zipfile
from dataclasses import replace

import openpyxl
import pytest

from siting.errors import OutputError
from siting.outputs import write_workbook
from siting.outputs.choices import acquisition_sheet, alternative_sheet
from siting.outputs.figures import missing_area_m2
from siting.outputs.workbook import sheets_of
from tests.outputs.made import HOSTILE

HEADING_ROW = 4


@pytest.fixture(scope="module")
def book(written):
    return openpyxl.load_workbook(written["workbook"])


def column(book, sheet, heading):
    """Return the cells below a heading."""
    page = book[sheet]
    headings = {cell.value: cell.column for cell in page[HEADING_ROW]}
    return [page.cell(row, headings[heading]) for row in range(HEADING_ROW + 1, page.max_row + 1)]


def values(book, sheet, heading):
    return [cell.value for cell in column(book, sheet, heading)]


def test_the_sheets_of_the_annex_are_there(book):
    for name in ("指标表", "社区评分", "不达标清单", "规划方案", "分配", "缺口", "问题清单", "说明"):
        assert name in book.sheetnames


def test_english_sheets_hold_the_same_figures(results):
    for zh, en in zip(sheets_of(results, "zh"), sheets_of(results, "en"), strict=True):
        assert len(zh.rows) == len(en.rows)
        numbers = [[cell for cell in row if isinstance(cell, int | float)] for row in zh.rows]
        assert numbers == [[cell for cell in row if isinstance(cell, int | float)] for row in en.rows]


def test_a_long_text_has_a_row_high_enough_to_read_it(book):
    page = book["说明"]
    content = column(book, "说明", "内容")
    longest = max(content, key=lambda cell: len(str(cell.value)))
    assert longest.alignment.wrap_text
    assert page.row_dimensions[longest.row].height > 30


def test_no_cell_is_a_formula_or_a_link_whatever_the_names_are(written, book):
    cells = [cell for page in book for row in page.iter_rows() for cell in row]
    assert not [cell.coordinate for cell in cells if cell.data_type == "f"]
    assert not [cell.coordinate for cell in cells if cell.hyperlink]
    with zipfile.ZipFile(written["workbook"]) as parts:
        for name in parts.namelist():
            assert b"<f>" not in parts.read(name)
            assert b'TargetMode="External"' not in parts.read(name)


def test_hostile_names_are_shown_as_they_are(book):
    names = values(book, "社区评分", "名称")
    assert names[: len(HOSTILE) - 1] == HOSTILE[:-1]
    assert names[len(HOSTILE) - 1] == "abcd"  # the control character and the direction override are gone


def test_ids_keep_their_zeros(book):
    assert values(book, "社区评分", "社区代码")[7] == "0007"


def test_every_community_has_its_row(book, results):
    assert len(values(book, "社区评分", "社区代码")) == len(results.tables.communities)


def test_every_failure_is_listed_with_its_shortfall_unit_and_clause(book, results):
    verdicts = results.scorecard.verdicts
    failed = verdicts[verdicts["status"] == "fail"]
    listed = [i for i, word in enumerate(values(book, "不达标清单", "判定")) if word == "不达标"]
    assert len(listed) == len(failed)
    for heading in ("差额", "差额单位", "依据"):
        cells = values(book, "不达标清单", heading)
        assert all(cells[i] not in (None, "") for i in listed)


def test_what_is_not_known_is_listed_as_unknown_with_an_empty_value(book):
    words, found = values(book, "不达标清单", "判定"), values(book, "不达标清单", "现状值")
    unknown = [i for i, word in enumerate(words) if word == "无法判定"]
    assert unknown
    assert all(found[i] is None for i in unknown)


def test_a_figure_just_short_of_the_standard_is_not_printed_as_the_standard(book):
    cells = [cell for cell in column(book, "社区评分", "每百户面积（㎡）") if cell.value == 29.96]
    assert cells
    assert {cell.number_format for cell in cells} == {"#,##0.00"}


def test_shares_are_kept_as_shares_and_shown_as_percentages(book):
    cells = column(book, "社区评分", "圈内户数占比")
    assert cells[0].value == pytest.approx(0.97)
    assert cells[0].number_format.endswith("%")


def test_the_plan_adds_up(book, results):
    costs = values(book, "规划方案", "费用合计（万元）")
    assert sum(costs[:-1]) == pytest.approx(costs[-1])
    assert costs[-1] == pytest.approx(results.plan.total_cost)


def test_the_choices_around_the_plan_have_their_sheets_and_the_curve_its_chart(written, book):
    assert values(book, "费用曲线", "界限") == [2400, 4200, 5410]
    assert values(book, "分年计划", "年份") == ["2024", "2024", "2025"]
    assert values(book, "面积死结", "还差（㎡）") == [80]
    with zipfile.ZipFile(written["workbook"]) as parts:
        assert [name for name in parts.namelist() if "/charts/chart" in name] == ["xl/charts/chart1.xml"]


def test_townships_add_up_to_the_county(book, results):
    communities = results.scorecard.communities
    assert sum(values(book, "乡镇汇总", "社区数")) == len(communities)
    assert sum(values(book, "乡镇汇总", "户数")) == communities["households"].sum()
    assert sum(values(book, "乡镇汇总", "达标")) == (communities["meets"] == "pass").sum() == 4
    assert sum(values(book, "乡镇汇总", "方案后达标")) == 13
    assert sum(values(book, "乡镇汇总", "无法判定")) == 3
    missing = values(book, "乡镇汇总", "尚缺面积（㎡）")
    assert missing == sorted(missing, reverse=True)
    assert sum(missing) == pytest.approx(missing_area_m2(results.scorecard).sum())


def test_the_plan_in_short_sums_by_acquisition_the_dearest_first(results):
    rows = acquisition_sheet(results.plan, "zh").rows
    assert rows == (
        ("新建", 1, 600.0, 360.0),
        ("租借", 1, 220.0, 55.5),
        ("扩建", 1, 90.0, 37.0),
        ("合计", 3, 910.0, 452.5),
    )


def test_an_alternative_is_told_by_the_sites_it_takes_instead(results):
    other = replace(results.plan, actions=results.plan.actions.assign(source_id=["c1", "c8", "s0"]), total_cost=460.0)
    sheet = alternative_sheet(replace(results.plan, alternatives=(other,)), "zh")
    assert sheet.rows[0] == ("本方案", 3, 910.0, 452.5, 452.5, "", "")
    assert sheet.rows[1] == ("备选 1", 3, 910.0, 460.0, 452.5, "c8", "=c2")


def test_pages_are_set_up_to_be_read_and_printed(book):
    for page in book:
        assert page.freeze_panes is not None
        assert page.page_setup.orientation == "landscape"
        assert page.sheet_properties.pageSetUpPr.fitToPage
        assert page.page_setup.fitToHeight == 0
        assert page.print_title_rows == f"${HEADING_ROW}:${HEADING_ROW}"


def test_definitions_give_every_rule_and_assumption_a_source(book, results):
    kinds, sources = values(book, "说明", "类别"), values(book, "说明", "出处")
    cited = [source for kind, source in zip(kinds, sources, strict=True) if kind != "定义"]
    standard = results.standard
    assert len(cited) == len(standard.rules) + len(standard.circles) + len(standard.assumptions)
    assert all(cited)


def test_issues_stand_with_file_row_and_value_the_gravest_first(book):
    assert values(book, "问题清单", "级别") == ["提醒", "说明"]
    assert values(book, "问题清单", "行")[0] == 14
    assert values(book, "问题清单", "值")[0] == "=约300"


def test_a_run_without_a_plan_has_no_plan_sheets(bare_results, tmp_path):
    write_workbook(bare_results, tmp_path / "a.xlsx", lang="en")
    names = openpyxl.load_workbook(tmp_path / "a.xlsx").sheetnames
    assert "Scorecard" in names
    assert "Plan" not in names


def test_the_same_run_gives_the_same_bytes(bare_results, tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(bare_results, tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_an_open_or_existing_workbook_is_not_replaced(bare_results, tmp_path):
    (tmp_path / "a.xlsx").write_bytes(b"mine")
    with pytest.raises(OutputError, match="--force"):
        write_workbook(bare_results, tmp_path / "a.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == b"mine"
