"""Small tables to break: a good one of each role, and what is said of one that is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from siting.errors import Issue, TableError
from siting.inputs import Source, Tables, read_tables
from siting.standards import read_standard

STANDARD = read_standard("linyi")
COMMUNITIES = """社区代码,社区名称,城乡类型,户数,经度,纬度
0012,示例一社区,城市,300,110.10,35.10
0013,示例二村,农村,200,110.12,35.12
"""
FACILITIES = """设施编号,设施类型,所属社区代码,建筑面积,经度,纬度
F1,社区综合服务设施,0012,90,110.10,35.10
F2,药店,,,110.11,35.11
"""
CANDIDATES = """候选编号,取得方式,可用面积,固定费用万元,单价元每平方米,经度,纬度
C1,新建,200,10,3000,110.12,35.12
"""


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def write_rows(folder: Path, name: str, rows: Sequence[Sequence[Any]], sheet: str = "表") -> Path:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(list(row))
    book.save(folder / name)
    return folder / name


def read(folder: Path, **files: Any) -> Tables:
    """Read a study whose communities and facilities are good unless they are given."""
    sources: dict[str, Any] = {
        "communities": Source(write(folder, "good_communities.csv", COMMUNITIES), datum="wgs84"),
        "facilities": Source(write(folder, "good_facilities.csv", FACILITIES), datum="wgs84"),
    }
    for role, given in files.items():
        sources[role] = Source(given, datum="wgs84") if isinstance(given, Path) else given
    return read_tables(sources, STANDARD)


def communities(folder: Path, text: str | bytes, name: str = "社区.csv", **options: Any) -> Tables:
    """Read a study with these communities, as text of a CSV."""
    return read(folder, communities=Source(write(folder, name, text), **{"datum": "wgs84", **options}))


def faults(read_them: Any) -> list[Issue]:
    """Return the errors of a reading that must fail."""
    with pytest.raises(TableError) as caught:
        read_them()
    assert str(caught.value), "an error says what is wrong"
    return [issue for issue in caught.value.issues if issue.severity == "error"]


def only(issues: Sequence[Issue]) -> Issue:
    """Return the one issue there is; every one must say in both languages what is wrong and what to do."""
    assert len(issues) == 1, [issue.line("en") for issue in issues]
    issue = issues[0]
    assert issue.problem.zh
    assert issue.problem.en
    if issue.severity == "error":
        assert issue.cure.zh
        assert issue.cure.en
    return issue


def said(tables: Tables, severity: str = "note") -> list[str]:
    return [issue.line("en") for issue in tables.issues if issue.severity == severity]


def row_of(frame: Any, key: str, value: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = frame[frame[key] == value].iloc[0].to_dict()
    return found
