"""A study's files read in one pass: what is wrong with tables, roads and the sites the plan names is said at once."""

from pathlib import Path

import pytest

from siting.errors import NetworkError, StudyError, TableError
from siting.study import prepare, read_study


@pytest.fixture
def study(tmp_path, write_tiny_county) -> Path:
    return write_tiny_county(tmp_path, "[plan]\ngap = 0")


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_faults_of_tables_and_of_roads_are_said_together(study):
    _edit(study.parent / "communities.csv", "1000", "about 1000")
    (study.parent / "roads.gpkg").write_text("no GeoPackage", encoding="utf-8")
    with pytest.raises(TableError) as caught:
        prepare(read_study(study))
    errors = [issue.file for issue in caught.value.issues if issue.severity == "error"]
    assert errors == ["communities.csv", "roads.gpkg"]
    assert caught.value.text.en == "2 faults in the input (communities.csv, roads.gpkg)"


def test_a_network_for_nobody_is_said_beside_the_faults_of_tables(study):
    import geopandas as gpd

    roads = gpd.read_file(study.parent / "roads.gpkg").assign(highway="motorway")
    roads.to_file(study.parent / "roads.gpkg")
    with pytest.raises(NetworkError, match=r"roads\.gpkg: no road is left for walking"):
        prepare(read_study(study))
    _edit(study.parent / "communities.csv", "1000", "about 1000")
    with pytest.raises(TableError, match=r"about 1000(.|\n)*no road is left"):
        prepare(read_study(study))


def test_roads_to_be_downloaded_wait_until_the_tables_are_good(study, monkeypatch):
    _edit(study.parent / "communities.csv", "1000", "about 1000")
    _edit(study, '"roads.gpkg"', '{ place = "Nowhere" }')
    monkeypatch.setattr("siting.inputs.live.download_roads", lambda *_, **__: pytest.fail("asked the network"))
    with pytest.raises(TableError, match="1 fault in the input"):
        prepare(read_study(study))


@pytest.mark.parametrize("model", ["prescription", "set_cover"])
def test_a_site_that_the_plan_names_and_no_table_holds_is_said_with_the_study_file(study, model):
    _edit(study, "gap = 0", f'gap = 0\nmodel = "{model}"\nrequire = ["K1", "K44"]\nforbid = ["S1+", "ZZ"]')
    with pytest.raises(StudyError) as caught:
        prepare(read_study(study))
    said = str(caught.value)
    assert said.startswith("study.toml: 2 faults")
    assert (
        'plan.require "K44": is neither in the candidates nor in the facilities table; check the id; near matches: K4'
        in said
    )
    assert 'plan.forbid "ZZ"' in said


def test_a_file_that_another_program_holds_is_one_fault_among_the_others(study, monkeypatch):
    _edit(study.parent / "communities.csv", "1000", "about 1000")
    opened = Path.open

    def held(self, *words, **options):
        if self.name in {"facilities.csv", "roads.gpkg"}:
            raise PermissionError(13, "Permission denied", str(self))
        return opened(self, *words, **options)

    monkeypatch.setattr(Path, "open", held)
    job = read_study(study)
    with pytest.raises(TableError) as caught:
        prepare(job)
    lines = [issue.line("zh") for issue in caught.value.issues if issue.severity == "error"]
    assert [line.split("：")[0].split()[1] for line in lines] == ["communities.csv", "facilities.csv", "roads.gpkg"]
    assert "没有权限，或正被其他程序（如 Excel）打开" in lines[1]
