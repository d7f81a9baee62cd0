"""Text tables as they come: encodings, damage, separators, titles, totals."""

import codecs
from functools import partial
from pathlib import Path

import pytest

from tests.inputs.made_tables import COMMUNITIES, communities, faults, only, read, said, write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_the_encoding_is_found(tmp_path: Path, encoding: str) -> None:
    tables = communities(tmp_path, COMMUNITIES.encode(encoding))
    assert list(tables.communities["name"]) == ["示例一社区", "示例二村"]
    known = {"gbk": "gb18030"}.get(encoding, encoding)
    assert next(r.encoding for r in tables.records if r.role == "communities") == known
    assert any(known.upper() in line for line in said(tables)) == (known in {"gb18030", "utf-16"})


def test_a_rare_character_of_four_bytes_is_read(tmp_path: Path) -> None:
    tables = communities(tmp_path, COMMUNITIES.replace("示例二村", "示例㐂𠀀村").encode("gb18030"))
    assert tables.communities["name"][1] == "示例㐂𠀀村"


def test_two_encodings_in_one_file_are_refused_with_the_line(tmp_path: Path) -> None:
    lines = COMMUNITIES.splitlines(keepends=True)
    mixed = "".join(lines[:2]).encode() + lines[2].encode("gb18030")
    issue = only(faults(partial(communities, tmp_path, mixed)))
    assert issue.row == 3
    assert "two encodings in one file: line 1 is UTF-8, line 3 is not" in issue.line("en")


def test_bytes_that_are_no_text_are_refused_with_the_line(tmp_path: Path) -> None:
    issue = only(faults(partial(communities, tmp_path, COMMUNITIES.encode("gb18030") + b"\xff\xff\n")))
    assert issue.row == 4
    assert "neither UTF-8 nor GB18030" in issue.problem.en


@pytest.mark.parametrize("content", [b"PK\x03\x04rest", b"\x00\x01\x02data" * 9, b"SQLite format 3\x00"])
def test_a_binary_file_named_csv_is_no_text_table(tmp_path: Path, content: bytes) -> None:
    assert "not a text table" in only(faults(partial(communities, tmp_path, content))).problem.en


@pytest.mark.parametrize("content", [b"", b"\n\n", codecs.BOM_UTF8])
def test_an_empty_file_is_named(tmp_path: Path, content: bytes) -> None:
    issue = only(faults(partial(communities, tmp_path, content)))
    assert issue.file == "社区.csv"
    assert "empty" in issue.problem.en


def test_a_header_alone_stops_for_communities_and_warns_for_the_others(tmp_path: Path) -> None:
    header = COMMUNITIES.splitlines()[0]
    assert "0 rows" in only(faults(partial(communities, tmp_path, header))).problem.en
    no_facilities = write(tmp_path, "f.csv", "设施编号,设施类型,经度,纬度\n")
    no_candidates = write(tmp_path, "c.csv", "候选编号,取得方式,可用面积,固定费用万元,单价元每平方米,经度,纬度\n")
    tables = read(tmp_path, facilities=no_facilities, candidates=no_candidates)
    assert len(tables.facilities) == len(tables.candidates) == 0
    assert len([line for line in said(tables, "warning") if "0 rows" in line]) == 2


def test_two_columns_of_one_name_are_both_named(tmp_path: Path) -> None:
    text = "社区代码,城乡类型,户数,户数,经度,纬度\n1,城市,3,4,110.1,35.1\n"
    issue = only(faults(partial(communities, tmp_path, text)))
    assert 'column 3 "户数" and column 4 "户数" are both households' in issue.problem.en


def test_cells_of_a_column_given_twice_are_not_told_too(tmp_path: Path) -> None:
    text = COMMUNITIES.replace("社区名称", "户数")
    assert "are both households" in only(faults(partial(communities, tmp_path, text))).problem.en


def test_two_columns_that_mean_the_same_are_both_named_and_one_may_be_chosen(tmp_path: Path) -> None:
    text = "社区代码,城乡类型,户数,常住户数,经度,纬度\n1,城市,3,4,110.1,35.1\n"
    assert '"户数" and column 4 "常住户数"' in only(faults(partial(communities, tmp_path, text))).problem.en
    tables = communities(tmp_path, text, columns={"households": "常住户数"})
    assert list(tables.communities["households"]) == [4]


def test_ids_keep_their_zeros_and_names_that_look_missing_are_kept(tmp_path: Path) -> None:
    text = "社区代码,社区名称,城乡类型,户数,经度,纬度\n0012,NA,城市,3,110.1,35.1\n0013,null,农村,3,110.1,35.1\n"
    tables = communities(tmp_path, text)
    assert list(tables.communities["community_id"]) == ["0012", "0013"]
    assert list(tables.communities["name"]) == ["NA", "null"]


def test_titles_totals_remarks_blank_rows_and_a_second_header_are_left_out_and_said(tmp_path: Path) -> None:
    lines = COMMUNITIES.splitlines()
    text = "\n".join(["示例县台账,,,,,", *lines[:2], "", lines[0], lines[2], "合计：,,,500,,", "注：年底数,,,,,"])
    tables = communities(tmp_path, text)
    assert len(tables.communities) == 2
    notes = "\n".join(said(tables))
    for part in ("row 1: a title", "1 blank rows", "row 5: the header again", "row 7", "row 8"):
        assert part in notes
    record = next(record for record in tables.records if record.role == "communities")
    assert (record.rows_read, record.rows_kept) == (5, 2)


@pytest.mark.parametrize("separator", ["\t", ";", ","])
def test_the_separator_is_found(tmp_path: Path, separator: str) -> None:
    assert len(communities(tmp_path, COMMUNITIES.replace(",", separator)).communities) == 2


def test_a_row_with_a_cell_too_many_is_told_with_its_row(tmp_path: Path) -> None:
    issues = faults(partial(communities, tmp_path, COMMUNITIES.replace("300,", "1,200,")))
    assert any(issue.row == 2 and "7 cells, the header 6" in issue.problem.en for issue in issues)


def test_a_quote_left_open_is_told_with_its_row(tmp_path: Path) -> None:
    text = COMMUNITIES + '0014,"' + "x" * 200_000
    assert only(faults(partial(communities, tmp_path, text))).row == 4


def test_a_quote_left_open_swallows_no_rows(tmp_path: Path) -> None:
    header, first, second = COMMUNITIES.splitlines()
    text = "\n".join([f"{header},备注", f'{first},"看不懂', f"{second},"])
    assert only(faults(partial(communities, tmp_path, text))).row == 2


def test_the_mark_that_ended_files_under_dos_is_no_row(tmp_path: Path) -> None:
    assert len(communities(tmp_path, COMMUNITIES + "\x1a").communities) == 2


def test_an_id_that_excel_rounded_is_refused(tmp_path: Path) -> None:
    issue = only(faults(partial(communities, tmp_path, COMMUNITIES.replace("0012", "6.2E+11"))))
    assert (issue.row, issue.value) == (2, "6.2E+11")
    assert "last digits are lost" in issue.problem.en


def test_a_file_with_none_of_the_columns_says_which_are_needed(tmp_path: Path) -> None:
    issue = only(faults(partial(communities, tmp_path, "a,b\n1,2\n")))
    assert "no header of the communities table" in issue.problem.en
    assert "户数" in issue.cure.en


def test_a_missing_column_is_told_with_the_nearest_name_there_is(tmp_path: Path) -> None:
    issue = only(faults(partial(communities, tmp_path, COMMUNITIES.replace("户数", "戶数合"))))
    assert issue.column == "households"
    assert "missing" in issue.problem.en


def test_names_with_signs_of_code_are_kept_as_text(tmp_path: Path) -> None:
    for name in ("<script>alert(1)</script>", "${x}`", "=1+1", "+A1", "-A1", "@A1"):
        tables = communities(tmp_path, COMMUNITIES.replace("示例一社区", name))
        assert tables.communities["name"][0] == name


def test_endless_names_and_control_characters_are_cleaned_and_counted(tmp_path: Path) -> None:
    text = COMMUNITIES.replace("示例一社区", "长" * 40_000).replace("示例二村", "示\x0b例")
    tables = communities(tmp_path, text)
    assert list(tables.communities["name"].str.len()) == [200, 2]
    assert any("row 2" in line and "unprintable" in line and "(also row 3)" in line for line in said(tables))


def test_every_file_is_read_before_any_fault_is_raised(tmp_path: Path) -> None:
    bad = write(tmp_path, "坏.csv", COMMUNITIES.replace("300", "约300").replace("0013", "0012"))
    issues = faults(partial(read, tmp_path, communities=bad, facilities=tmp_path / "没有.csv"))
    assert {issue.file for issue in issues} == {"坏.csv", "没有.csv"}
    assert len(issues) == 3
