"""Excel workbooks as they come."""

import io
import re
import warnings
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from siting.inputs import Source, Tables
from tests.inputs.made_tables import COMMUNITIES, faults, only, read, said, write, write_rows

HEADER = ["社区代码", "社区名称", "城乡类型", "户数", "经度", "纬度"]
ROW = ["0012", "示例一社区", "城市", 300, 110.1, 35.1]


def workbook(folder: Path, rows: Any, **options: Any) -> Tables:
    path = write_rows(folder, "台账.xlsx", rows)
    return read(folder, communities=Source(path, datum="wgs84", **options))


def test_a_title_a_header_of_two_merged_rows_and_a_total_are_understood(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = "台账"
    page.append(["示例县社区台账"])
    page.append(["社区代码", "社区名称", "城乡类型", "户数", "人口", None, "位置", None])
    page.append([None, None, None, None, "常住人口", "60岁以上", "经度", "纬度"])
    page.append(["0012", "示例一社区", "城市", "３００", "1,200", 99, 110.1, 35.1])
    page.append(["合  计", None, None, 300, 1200, 99, None, None])
    for cells in ("A1:H1", "A2:A3", "B2:B3", "C2:C3", "D2:D3", "E2:F2", "G2:H2"):
        page.merge_cells(cells)
    page.row_dimensions[4].hidden = True
    book.save(tmp_path / "台账.xlsx")
    tables = read(tmp_path, communities=tmp_path / "台账.xlsx")
    row = tables.communities.iloc[0]
    assert [row["households"], row["population"], row["elderly"]] == [300, 1200, 99]
    assert any("台账 row 5" in line and "total" in line for line in said(tables))
    assert any("row 4" in line and "hidden" in line for line in said(tables, "warning"))


def test_words_of_a_merged_cell_hold_for_all_its_rows_and_a_figure_for_the_first_alone(tmp_path: Path) -> None:
    path = write_rows(
        tmp_path,
        "台账.xlsx",
        [
            ["乡镇", *HEADER, "人口"],
            ["东镇", *ROW, 900],
            [None, "0013", "示例二村", None, 200, 110.12, 35.12, None],
            [None, "0014", "示例三村", "农村", 100, 110.13, 35.13, 300],
        ],
    )
    book = openpyxl.load_workbook(path)
    for cells in ("A2:A4", "D2:D3", "H2:H3"):
        book.active.merge_cells(cells)
    book.save(path)
    tables = read(tmp_path, communities=path)
    assert list(tables.communities["township"]) == ["东镇"] * 3
    assert list(tables.communities["area_type"]) == ["urban", "urban", "rural"]
    assert tables.communities["population"].isna().tolist() == [False, True, False]
    assert any("row 3 乡镇: part of a merged cell" in line and "also row 4" in line for line in said(tables))
    assert any("row 3 人口" in line and "blank here" in line for line in said(tables, "warning"))


@pytest.mark.parametrize("cell", ["#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?"])
def test_an_error_of_a_formula_is_no_id_and_no_name(tmp_path: Path, cell: str) -> None:
    issue = only(faults(partial(workbook, tmp_path, [HEADER, [cell, *ROW[1:]]])))
    assert (issue.row, issue.column, issue.value) == (2, "社区代码", cell)
    assert "error of a formula" in issue.problem.en
    assert only(faults(partial(workbook, tmp_path, [HEADER, [ROW[0], cell, *ROW[2:]]]))).column == "社区名称"


def test_ids_that_excel_took_for_numbers_are_whole(tmp_path: Path) -> None:
    assert list(workbook(tmp_path, [HEADER, [620100001, *ROW[1:]]]).communities["community_id"]) == ["620100001"]


def test_a_formula_without_its_result_asks_to_save_in_excel(tmp_path: Path) -> None:
    issues = faults(partial(workbook, tmp_path, [HEADER, [*ROW[:3], "=100+200", *ROW[4:]]]))
    found = next(issue for issue in issues if "formula" in issue.problem.en)
    assert (found.row, found.column) == (2, "户数")
    assert "save it once" in found.cure.en


def test_the_sheet_with_the_header_is_taken_and_two_alike_must_be_chosen_from(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for name in ("说明", "台账", "去年"):
        page = book.create_sheet(name)
        for cells in [["看下一页"]] if name == "说明" else [HEADER, ROW]:
            page.append(cells)
    book.remove(book["Sheet"])
    book.save(tmp_path / "b.xlsx")
    issue = only(faults(partial(read, tmp_path, communities=tmp_path / "b.xlsx")))
    assert "说明, 台账, 去年" in issue.cure.en
    assert len(read(tmp_path, communities=Source(tmp_path / "b.xlsx", datum="wgs84", sheet="台账")).communities) == 1
    issue = only(faults(partial(read, tmp_path, communities=Source(tmp_path / "b.xlsx", datum="wgs84", sheet="没有"))))
    assert 'no sheet named "没有"' in issue.problem.en
    book.remove(book["去年"])
    book.save(tmp_path / "c.xlsx")
    assert any('"台账" is read' in line for line in said(read(tmp_path, communities=tmp_path / "c.xlsx")))


def test_a_value_in_the_last_cell_of_a_sheet_is_refused_at_once(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(HEADER)
    page["XFD1048576"] = "x"
    book.save(tmp_path / "far.xlsx")
    assert "XFD1048576" in only(faults(partial(read, tmp_path, communities=tmp_path / "far.xlsx"))).problem.en


@pytest.mark.parametrize("name", ["bomb.xlsx", "bomb.zip"])
def test_a_bomb_is_not_unpacked(tmp_path: Path, name: str) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 80_000_000)
    path = write(tmp_path, name, packed.getvalue())
    assert "unpacks to 80 MB" in only(faults(partial(read, tmp_path, communities=path))).problem.en


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("锁.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "locked by a password"),
        ("旧.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "old .xls kind"),
        ("网页.xls", b"<html><table><tr><td>1</td></tr></table></html>", "holds a web page"),
        ("文本.xls", COMMUNITIES.encode("gb18030"), "holds text"),
        ("坏.xlsx", b"PK\x03\x04" + b"x" * 600, "damaged"),
    ],
)
def test_what_is_no_workbook_is_said_in_plain_words(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    issue = only(faults(partial(read, tmp_path, communities=write(tmp_path, name, content))))
    assert words in issue.problem.en


def rewritten(folder: Path, old: str, new: str) -> Path:
    """A good workbook whose sheet another program would have written another way."""
    good = write_rows(folder, "good.xlsx", [HEADER, ROW])
    with zipfile.ZipFile(good) as archive, zipfile.ZipFile(folder / "other.xlsx", "w") as made:
        for item in archive.infolist():
            data = archive.read(item)
            if item.filename == "xl/worksheets/sheet1.xml":
                data = re.sub(old, new, data.decode()).encode()
            made.writestr(item, data)
    return folder / "other.xlsx"


@pytest.mark.parametrize(
    ("old", "new"),
    [(r'<c r="([A-Z]+\d+)"', r'<c s="0" r="\1"'), (r'<c r="[A-Z]+\d+"', "<c"), (r'<row r="\d+"', "<row")],
)
def test_other_ways_of_writing_cells_are_read(tmp_path: Path, old: str, new: str) -> None:
    tables = read(tmp_path, communities=rewritten(tmp_path, old, new))
    assert list(tables.communities["households"]) == [300]


def test_a_workbook_with_entities_of_its_own_is_refused(tmp_path: Path) -> None:
    good = write_rows(tmp_path, "good.xlsx", [HEADER, ROW])
    with zipfile.ZipFile(good) as archive, zipfile.ZipFile(tmp_path / "xxe.xlsx", "w") as made:
        for item in archive.infolist():
            data = archive.read(item)
            if item.filename == "xl/workbook.xml":
                data = b'<!DOCTYPE x [<!ENTITY a "b">]>' + data
            made.writestr(item, data)
    assert "damaged" in only(faults(partial(read, tmp_path, communities=tmp_path / "xxe.xlsx"))).problem.en


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/theme/theme1.xml", "xl/styles.xml"])
def test_a_part_that_does_not_unpack_is_damage_not_a_crash(tmp_path: Path, part: str) -> None:
    path = write_rows(tmp_path, "whole.xlsx", [HEADER, ROW])
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(part)
        start = info.header_offset + 30 + len(part)
    data = bytearray(path.read_bytes())
    data[start : start + info.compress_size] = bytes([255]) * info.compress_size
    issue = only(faults(partial(read, tmp_path, communities=write(tmp_path, "bad.xlsx", bytes(data)))))
    assert "damaged" in issue.problem.en


def test_a_truncated_workbook_is_damaged_not_a_crash(tmp_path: Path) -> None:
    whole = write_rows(tmp_path, "whole.xlsx", [HEADER, ROW]).read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for share in (0.3, 0.7, 0.95):
            cut = write(tmp_path, "cut.xlsx", whole[: int(len(whole) * share)])
            assert "damaged" in only(faults(partial(read, tmp_path, communities=cut))).problem.en
