"""Coordinates in columns: exchanged, zero, in metres, in another country."""

from functools import partial
from pathlib import Path

import numpy as np
import pyproj
import pytest

from siting.inputs import Source
from tests.inputs.made_tables import COMMUNITIES, communities, faults, only, read, said, write


def test_degrees_minutes_and_seconds_are_read(tmp_path: Path) -> None:
    tables = communities(tmp_path, COMMUNITIES.replace("110.10,35.10", "110°06′00″,35°06′00″"))
    assert tables.communities.geometry[0].coords[0] == pytest.approx((110.1, 35.1), abs=1e-12)


def test_exchanged_columns_are_told_and_exchanged_only_when_asked(tmp_path: Path) -> None:
    text = COMMUNITIES.replace("经度,纬度", "纬度,经度")
    issue = faults(partial(communities, tmp_path, text))[0]
    assert "longitude and latitude look exchanged in 2 rows" in issue.problem.en
    assert "swap_lon_lat = true" in issue.cure.en
    tables = communities(tmp_path, text, swap_lon_lat=True)
    assert list(tables.communities.geometry.x) == [110.10, 110.12]
    assert any("as asked" in line for line in said(tables))


def test_one_exchanged_row_among_many_is_told_with_its_row(tmp_path: Path) -> None:
    rows = [f"{n},村,农村,5,110.{n},35.{n}" for n in range(10, 20)] + ["99,村,农村,5,35.5,110.5"]
    text = "\n".join(["社区代码,社区名称,城乡类型,户数,经度,纬度", *rows])
    issue = only(faults(partial(communities, tmp_path, text)))
    assert (issue.row, issue.value) == (12, "35.5, 110.5")


def test_zero_zero_is_no_place(tmp_path: Path) -> None:
    issue = only(faults(partial(communities, tmp_path, COMMUNITIES.replace("110.12,35.12", "0,0"))))
    assert issue.row == 3
    assert "(0, 0)" in issue.problem.en


def test_a_place_abroad_is_kept_and_told(tmp_path: Path) -> None:
    rows = "".join(f"{n},村,农村,5,110.{n},35.{n}\n" for n in range(10, 13))
    tables = communities(tmp_path, COMMUNITIES + rows + "88,村,农村,5,150,35\n")
    warned = said(tables, "warning")
    assert len(tables.communities) == 6
    assert any("row 7" in line and "outside China" in line for line in warned)


def test_a_county_abroad_is_told_once(tmp_path: Path) -> None:
    tables = communities(tmp_path, COMMUNITIES.replace("110.", "24.").replace("35.", "60."))
    assert len([line for line in said(tables, "warning") if "outside China" in line]) == 1


@pytest.mark.parametrize("cell", ["nan", "inf", "东经110", "1e400"])
def test_a_coordinate_that_is_no_number_is_told(tmp_path: Path, cell: str) -> None:
    issues = faults(partial(communities, tmp_path, COMMUNITIES.replace("110.12", cell)))
    assert (issues[0].row, issues[0].column, issues[0].value) == (3, "经度", cell)


def test_a_coordinate_off_the_globe_is_told(tmp_path: Path) -> None:
    text = COMMUNITIES + "".join(f"{n},村,农村,5,110.{n},35.{n}\n" for n in range(10, 13))
    issue = faults(partial(communities, tmp_path, text.replace("110.12,35.12", "110.12,135.12", 1)))[0]
    assert issue.row == 3


def metres(crs: str) -> str:
    move = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    text = COMMUNITIES
    for lon, lat in ((110.10, 35.10), (110.12, 35.12)):
        easting, northing = move.transform(lon, lat)
        text = text.replace(f"{lon:.2f},{lat:.2f}", f"{easting:.4f},{northing:.4f}")
    return text


@pytest.mark.parametrize(
    ("crs", "guess"),
    [
        ("EPSG:4525", "EPSG:4525"),
        ("EPSG:4497", "EPSG:4497"),
        ("EPSG:4546", "EPSG:4534 to 4554"),
        ("EPSG:32649", "EPSG:4534 to 4554"),
    ],
)
def test_metres_in_the_columns_of_degrees_are_told_with_a_guess(tmp_path: Path, crs: str, guess: str) -> None:
    issue = faults(partial(communities, tmp_path, metres(crs)))[0]
    assert "projected metres, not degrees" in issue.problem.en
    assert guess in issue.cure.en


@pytest.mark.parametrize("crs", ["EPSG:4525", "EPSG:4546", "EPSG:32649"])
def test_metres_with_their_crs_are_read(tmp_path: Path, crs: str) -> None:
    tables = communities(tmp_path, metres(crs), datum=None, crs=crs)
    np.testing.assert_allclose(tables.communities.geometry.x, [110.10, 110.12], rtol=0, atol=1e-8)


def test_an_easting_with_its_zone_in_a_crs_without_is_told(tmp_path: Path) -> None:
    issue = only(faults(partial(communities, tmp_path, metres("EPSG:4525"), datum=None, crs="EPSG:4546")))
    assert "carry a zone number" in issue.problem.en
    assert "EPSG:4525" in issue.cure.en


def test_a_facility_without_coordinates_is_a_fault(tmp_path: Path) -> None:
    path = write(tmp_path, "f.csv", "设施编号,设施类型,经度,纬度\nA,药店,,35.1\n")
    issue = only(faults(partial(read, tmp_path, facilities=path)))
    assert (issue.row, issue.column) == (2, "经度")
    path = write(tmp_path, "g.csv", "设施编号,设施类型\nA,药店\n")
    assert "no coordinates" in only(faults(partial(read, tmp_path, facilities=Source(path, datum="wgs84")))).problem.en
