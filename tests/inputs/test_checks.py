"""What tables say against themselves and each other."""

from functools import partial
from pathlib import Path

import geopandas as gpd
import pytest
from shapely.geometry import LineString, box

from siting.inputs import Source
from tests.inputs.made_tables import CANDIDATES, COMMUNITIES, FACILITIES, communities, faults, only, read, said, write

ALLOTMENTS = "设施编号,社区代码,分摊面积\nF1,0012,60\nF1,0013,30\n"


def boundaries(folder: Path, **shapes: object) -> Source:
    ids = [key.removeprefix("c").rstrip("_") for key in shapes]
    frame = gpd.GeoDataFrame({"社区代码": ids}, geometry=list(shapes.values()), crs="EPSG:4326")
    frame.to_file(folder / "边界.gpkg")
    return Source(folder / "边界.gpkg")


def test_an_id_given_twice_names_the_first_row(tmp_path: Path) -> None:
    issue = only(faults(partial(communities, tmp_path, COMMUNITIES.replace("0013", "0012"))))
    assert (issue.row, issue.value) == (3, "0012")
    assert "first in 社区.csv row 2" in issue.problem.en


def test_an_id_given_twice_in_two_files_names_the_other_file(tmp_path: Path) -> None:
    texts = {"一.csv": FACILITIES, "二.csv": FACILITIES.replace("F2", "F3")}
    sources = [Source(write(tmp_path, name, text), datum="wgs84") for name, text in texts.items()]
    issue = only(faults(partial(read, tmp_path, facilities=sources)))
    assert issue.file == "二.csv"
    assert "first in 一.csv row 2" in issue.problem.en


@pytest.mark.parametrize(
    ("column", "part", "whole", "words"),
    [("老年人", 600, 500, "is more than population"), ("未成年人", 501, 500, "is more than population")],
)
def test_a_part_above_its_whole_is_told(tmp_path: Path, column: str, part: int, whole: int, words: str) -> None:
    head, first, second = COMMUNITIES.splitlines()
    text = "\n".join([f"{head},人口,{column}", f"{first},{whole},{part}", f"{second},,"])
    warned = said(communities(tmp_path, text), "warning")
    assert any("row 2" in line and words in line for line in warned)


def test_a_candidate_whose_least_area_exceeds_its_most_is_a_fault(tmp_path: Path) -> None:
    head, row = CANDIDATES.splitlines()
    path = write(tmp_path, "c.csv", f"{head},最小面积\n{row},300\n")
    assert "min_floor_area_m2" in only(faults(partial(read, tmp_path, candidates=path))).column


def test_a_facility_of_a_community_that_is_not_there_is_told(tmp_path: Path) -> None:
    tables = read(tmp_path, facilities=write(tmp_path, "f.csv", FACILITIES.replace("0012", "9999")))
    assert any("row 2" in line and "its area counts for no community" in line for line in said(tables, "warning"))


def test_references_are_not_judged_against_a_table_that_could_not_be_read(tmp_path: Path) -> None:
    bad = write(tmp_path, "bad.csv", b"\x00\x01")
    assert [issue.file for issue in faults(partial(read, tmp_path, communities=bad))] == ["bad.csv"]


def test_references_are_not_judged_against_a_table_without_rows_or_without_ids(tmp_path: Path) -> None:
    header, *rows = COMMUNITIES.splitlines()
    empty = only(faults(partial(communities, tmp_path, header)))
    assert "0 rows" in empty.problem.en
    nameless = only(faults(partial(communities, tmp_path, "\n".join([header.replace("社区代码", "批次"), *rows]))))
    assert "required column community_id" in nameless.problem.en


def test_allotments_are_read(tmp_path: Path) -> None:
    tables = read(tmp_path, allotments=Source(write(tmp_path, "a.csv", ALLOTMENTS)))
    assert tables.allotments.to_dict("list") == {
        "facility_id": ["F1", "F1"],
        "community_id": ["0012", "0013"],
        "area_m2": [60, 30],
    }


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("30", "31", "91 m² of F1 are allotted, more than its floor area of 90 m²"),
        ("F1,0013", "F9,0013", "not in the facilities table"),
        ("F1,0013", "F1,9999", "not in the communities table"),
        ("F1,0013", "F1,0012", "the same facility and community again (first in a.csv row 2)"),
    ],
)
def test_allotments_that_do_not_add_up_are_faults(tmp_path: Path, old: str, new: str, words: str) -> None:
    source = Source(write(tmp_path, "a.csv", ALLOTMENTS.replace(old, new)))
    issue = only(faults(partial(read, tmp_path, allotments=source)))
    assert words in issue.problem.en
    assert issue.row == 3


def test_communities_without_coordinates_take_a_point_of_their_boundary(tmp_path: Path) -> None:
    text = "社区代码,城乡类型,户数\n0012,城市,300\n0013,农村,200\n"
    ledger = Source(write(tmp_path, "c.csv", text))
    shapes = boundaries(tmp_path, c0012=box(110, 35, 110.1, 35.1), c0013=box(110.1, 35, 110.2, 35.1))
    tables = read(tmp_path, communities=ledger, boundaries=shapes)
    assert tables.boundaries is not None
    assert tables.boundaries.geometry.contains(tables.communities.geometry).all()
    assert any("row 2" in line and "a point within the boundary is used (also row 3)" in line for line in said(tables))
    issue = only(faults(partial(read, tmp_path, communities=ledger)))
    assert issue.row == 2
    assert "also row 3" in issue.problem.en
    assert "neither usable coordinates nor a boundary" in issue.problem.en


def test_overlapping_doubled_and_missing_boundaries_are_told(tmp_path: Path) -> None:
    shapes = boundaries(
        tmp_path, c0012=box(110, 35, 110.1, 35.1), c0012_=box(110.3, 35, 110.4, 35.1), c77=box(110.05, 35, 110.15, 35.1)
    )
    tables = read(tmp_path, boundaries=shapes)
    warned = "\n".join(said(tables, "warning"))
    assert "has 2 polygons, which were joined" in warned
    assert "overlaps that of 0012 by 50% of the smaller" in warned
    assert "the boundary is not used" in warned
    assert "has no boundary; all its households" in warned


def test_neighbours_that_touch_do_not_overlap(tmp_path: Path) -> None:
    shapes = boundaries(tmp_path, c0012=box(110, 35, 110.1, 35.2), c0013=box(110.1, 35, 110.2, 35.2))
    assert said(read(tmp_path, boundaries=shapes), "warning") == []


def test_a_line_is_no_boundary(tmp_path: Path) -> None:
    shapes = boundaries(tmp_path, c0012=LineString([(110, 35), (110.1, 35)]), c0013=box(110.1, 35, 110.2, 35.1))
    assert "is not a polygon" in only(faults(partial(read, tmp_path, boundaries=shapes))).problem.en


def homes(folder: Path, *rows: tuple[float, float, str]) -> Source:
    shapes = [box(lon, lat, lon + 1e-4, lat + 1e-4) for lon, lat, _ in rows]
    gpd.GeoDataFrame({"用途": [use for _, _, use in rows]}, geometry=shapes, crs="EPSG:4326").to_file(
        folder / "建筑.gpkg"
    )
    return Source(folder / "建筑.gpkg")


def test_buildings_that_hold_nobody_are_counted(tmp_path: Path) -> None:
    shapes = boundaries(tmp_path, c0012=box(110, 35, 110.1, 35.1), c0013=box(110.1, 35, 110.2, 35.1))
    stock = homes(tmp_path, (110.05, 35.05, "住宅"), (110.06, 35.05, "学校"), (110.5, 35.05, "住宅"))
    tables = read(tmp_path, boundaries=shapes, buildings=stock)
    notes = "\n".join(said(tables))
    assert "row 2: 1 buildings said not to be homes hold no households" in notes
    assert "row 3: 1 buildings in no community's boundary hold no households" in notes
    assert any("row 3" in line and "its households are put at its point" in line for line in said(tables, "warning"))


def test_buildings_without_boundaries_are_said_to_be_of_no_use(tmp_path: Path) -> None:
    tables = read(tmp_path, buildings=homes(tmp_path, (110.05, 35.05, "住宅")))
    assert any("not used without boundaries" in line for line in said(tables, "warning"))


def test_a_community_far_outside_its_own_boundary_is_told(tmp_path: Path) -> None:
    shapes = gpd.GeoDataFrame(
        {"community_id": ["0012", "0013"]},
        geometry=[box(110.09, 35.09, 110.11, 35.11), box(111, 36, 111.1, 36.1)],
        crs=4326,
    )
    shapes.to_file(tmp_path / "b.gpkg")
    tables = communities(tmp_path, COMMUNITIES)
    assert said(tables, "warning") == []
    tables = read(tmp_path, boundaries=Source(tmp_path / "b.gpkg"))
    (line,) = said(tables, "warning")
    assert "row 3" in line
    assert '"0013": lies more than 1 km outside its own boundary (at most 1' in line


def test_communities_of_a_file_without_places_are_told_in_one_line(tmp_path: Path) -> None:
    text = "\n".join(line.rsplit(",", 2)[0] for line in COMMUNITIES.splitlines())
    issue = only(faults(partial(communities, tmp_path, text)))
    assert "has neither usable coordinates nor a boundary (also row 3)" in issue.problem.en
