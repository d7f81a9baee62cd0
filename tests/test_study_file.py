"""The study file: strict about keys, and all faults at once."""

from pathlib import Path

import pytest

from siting.errors import MissingFileError, StandardError, StudyError
from siting.study_file import read_study

HEAD = '[study]\nname = "A county"\nstandard = "linyi"\n'
INPUTS = (
    '[inputs]\ncommunities = "a.csv"\nfacilities = ["b.csv", { path = "c.csv", datum = "gcj02" }]\nroads = "r.gpkg"\n'
)


@pytest.fixture
def write(tmp_path):
    for name in ("a.csv", "b.csv", "c.csv", "r.gpkg"):
        (tmp_path / name).touch()

    def _write(text: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / "study.toml"
        path.write_bytes(text.encode(encoding))
        return path

    return _write


def test_the_smallest_study_has_the_defaults(write):
    study = read_study(write(HEAD + INPUTS))
    assert (study.name, study.lang, study.money_unit, study.plan) == ("A county", "zh", "万元", None)
    assert [source.path.name for source in study.sources["facilities"]] == ["b.csv", "c.csv"]
    assert study.sources["facilities"][1].datum == "gcj02"


def test_a_table_with_odd_headers_or_exchanged_coordinates_is_described_in_the_study(write):
    described = '{ path = "a.csv", columns = { households = "总户" }, swap_lon_lat = true }'
    study = read_study(write(HEAD + INPUTS.replace('"a.csv"', described)))
    source = study.sources["communities"][0]
    assert (source.columns, source.swap_lon_lat) == ({"households": "总户"}, True)
    wrong = INPUTS.replace('"a.csv"', '{ path = "a.csv", columns = ["总户"] }')
    with pytest.raises(StudyError, match=r"inputs\.communities\.columns"):
        read_study(write(HEAD + wrong))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('roads = "r.gpkg"', 'roads = ["r.gpkg", "r.gpkg"]', "inputs.roads .* must be one file"),
        ('roads = "r.gpkg"', "roads = 3", 'inputs.roads "3": must be one file'),
        (
            'roads = "r.gpkg"',
            f'roads = "{"x" * 400}.gpkg"',
            "inputs.roads .* the name or the path is too",
        ),
        (
            'datum = "gcj02"',
            'datum = "gcj-02"',
            'datum "gcj-02": there is no such choice; one of: wgs84',
        ),
        ('roads = "r.gpkg"', 'roads = "R.GPKG1"', "inputs.roads .* no such file.* near matches: r.gpkg"),
        ('roads = "r.gpkg"', 'roads = "https://a.b/r.gpkg"', "inputs.roads .* web addresses are not read"),
        ("[inputs]", "[plan]\ngap = 1\n[inputs]", "plan.gap .* must be below 1"),
        ("[inputs]", '[plan]\nrequire = ["K1"]\nforbid = ["K1"]\n[inputs]', "K1.*both required and forbidden"),
        ("[inputs]", "[plan.yearly_budgets]\n1 = 5\n[inputs]", "plan.yearly_budgets.1 .* is no year"),
        ("[inputs]", "[plan]\nnext_to = [1]\n[inputs]", r"next_to\[1\]: lacks service, other, within_m"),
        ('"linyi"', '"linyii"', 'study.toml: there is no standard "linyii"'),
    ],
)
def test_one_fault_is_said_once_with_its_key_and_its_cure(write, old, new, said):
    with pytest.raises((StudyError, StandardError), match=said) as caught:
        read_study(write((HEAD + INPUTS).replace(old, new)))
    assert "1 fault\n" in str(caught.value) or isinstance(caught.value, StandardError)


def test_every_assumption_out_of_its_range_is_said_at_once(write):
    travel = "[travel]\nwalking_speed_kmh = 4800\nsnap_limit_m = -1\n[plan]\ndiscount_rate = 4\n"
    with pytest.raises(StandardError, match=r"walking_speed_kmh .* ≤ 15.*snap_limit_m.*discount_rate .*0 and 1"):
        read_study(write(HEAD + INPUTS + travel))


def test_the_study_states_its_own_assumptions(write):
    study = read_study(write(HEAD + INPUTS + "[travel]\nwalking_speed_kmh = 4.0\ndirect_walk = false\n"))
    assert study.standard.cutoff_m("urban") == 1000
    assert study.standard.value("direct_walk") == 0


def test_a_plan_is_read_with_its_limits(write):
    plan = (
        '[plan]\nbudget = 3000\nrequire = ["K1"]\ncompliance = "every"\n[plan.yearly_budgets]\n2026 = 100\n2027 = 200\n'
    )
    study = read_study(write(HEAD + INPUTS + plan))
    assert (study.plan.budget, study.plan.require, study.plan.compliance) == (3000, ("K1",), "every")
    assert study.choices.yearly_budgets == {2026: 100, 2027: 200}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + INPUTS + "[plan]\nbudgett = 1\n", ["plan.budgett", "near matches: budget"]),
        (HEAD + INPUTS + "[plann]\n", ["plann", "plan"]),
        (HEAD + INPUTS + "[plan.extensions]\nmax_growth_share = 1\n", ["plan.extensions", "extension"]),
        (HEAD + INPUTS + "[plan]\nbudget = -1\n", ["plan.budget", "-1", "must not be below 0"]),
        (HEAD + INPUTS + "[plan]\nbudget = nan\n", ["plan.budget", "nan", "needs a number"]),
        (HEAD + INPUTS + '[plan]\nbudget = "3000"\n', ["plan.budget", "needs a number"]),
        (HEAD + INPUTS + "[plan]\nsites = 2.5\n", ["plan.sites", "needs a whole number"]),
        (HEAD + INPUTS + '[plan]\nmodel = "best"\n', ["plan.model", "prescription, set_cover"]),
        (HEAD + INPUTS + "[plan.yearly_budgets]\nsoon = 1\n", ["plan.yearly_budgets.soon"]),
        (HEAD + INPUTS + "[plan]\nyearly_budgets = 3\n", ["plan.yearly_budgets", "needs a section"]),
        (HEAD + "[inputs]\n", ["inputs.communities", "inputs.facilities", "inputs.roads", "is missing"]),
        (HEAD + INPUTS.replace("a.csv", "z.csv"), ["inputs.communities", "z.csv", "no such file"]),
        (HEAD + INPUTS.replace("datum", "datums"), ["inputs.facilities.datums", "near matches: datum"]),
        (INPUTS, ["study.name", "study.standard"]),
        (HEAD + INPUTS + '[plan]\nbudget = "3000"\n', ["without quotes"]),
        (HEAD + INPUTS + '[plan]\nmodel = "max_cover"\n', ["plan.model", "max_cover", "sites = 8"]),
        (HEAD + "year = 25\n" + INPUTS, ["study.year", "25", "2025"]),
        (HEAD + INPUTS + '[assumptions]\nreach_share = "high"\n', ["assumptions.reach_share", "needs a number"]),
        ("assumptions = 3\n" + HEAD + INPUTS, ["assumptions", "needs a section"]),
    ],
)
def test_a_fault_names_the_key_the_value_and_the_cure(write, text, words):
    with pytest.raises(StudyError) as caught:
        read_study(write(text))
    for word in words:
        assert word in str(caught.value)
    assert "study.toml" in caught.value.text.zh


@pytest.mark.parametrize(
    "line", ["walking_speed_kmh = 0", "min_piece_km = -1", "reach_share = 1.5", "m2_per_dwelling = 0"]
)
def test_an_assumption_out_of_its_range_is_refused_and_its_file_named(write, line):
    with pytest.raises(StandardError, match=line.split()[0]) as caught:
        read_study(write(HEAD + INPUTS + "[assumptions]\n" + line + "\n"))
    assert "study.toml" in caught.value.text.zh


def test_every_fault_is_said_at_once(write):
    with pytest.raises(StudyError, match="3 faults"):
        read_study(write(HEAD + INPUTS + "[plan]\nbudgett = 1\nsites = -1\ngap = true\n"))


def test_what_is_not_toml_is_said_with_its_line(write):
    with pytest.raises(StudyError, match="line 2") as caught:
        read_study(write("[study]\nname = \n"))
    assert "第 2 行" in caught.value.text.zh
    assert "Invalid value" not in caught.value.text.zh


def test_what_is_not_utf8_is_said(write):
    with pytest.raises(StudyError, match="not UTF-8"):
        read_study(write('[study]\nname = "示例县"\n', "gb18030"))


def test_a_file_that_notepad_saved_with_a_mark_is_read(write):
    assert read_study(write(HEAD + INPUTS, "utf-8-sig")).name == "A county"


def test_a_missing_study_is_named(tmp_path):
    with pytest.raises(MissingFileError, match="nowhere"):
        read_study(tmp_path / "nowhere.toml")


def test_an_assumption_that_no_standard_knows_names_the_near_ones(write):
    with pytest.raises(StandardError, match="reach_share"):
        read_study(write(HEAD + INPUTS + "[assumptions]\nreach_shares = 0.8\n"))


def test_rules_for_sites_are_read_with_their_services(write):
    plan = (
        '[plan.max_area_m2]\n"养老服务设施" = 300\n'
        '[[plan.next_to]]\nservice = "卫生站"\nother = "elder_care"\nwithin_m = 200\n'
    )
    study = read_study(write(HEAD + INPUTS + plan))
    assert study.sites.max_area_m2 == {"elder_care": 300}
    assert study.sites.next_to == (("health_station", "elder_care", 200),)


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ("[plan.max_area_m2]\nelder_cares = 300\n", ["plan.max_area_m2.elder_cares", "elder_care"]),
        ("[plan.max_area_m2]\nelder_care = 0\n", ["plan.max_area_m2.elder_care", "above 0"]),
        ('[[plan.next_to]]\nservice = "elder_care"\n', ["plan.next_to[1]", "lacks other, within_m"]),
    ],
)
def test_a_wrong_rule_for_sites_is_named(write, plan, words):
    with pytest.raises(StudyError) as caught:
        read_study(write(HEAD + INPUTS + plan))
    for word in words:
        assert word in str(caught.value)
