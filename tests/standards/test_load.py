"""A standard's file is read strictly: every fault is named, with its place, and all of them at once."""

from pathlib import Path

import pytest

import siting.standards
from siting.errors import InputError, MissingFileError, StandardError
from siting.standards import SHIPPED, read_standard

HEAD = """
[standard]
id = "ours"
name = { zh = "本县", en = "ours" }
document = "本县文件"
extends = "national"
"""
AREA = """
[rules.area_per_100_households]
name = { zh = "面积", en = "area" }
measure = "area_per_100_households"
unit = "m2_per_100_households"
level = "community"
numerator = { zh = "面积", en = "area" }
county_figure = "ratio_of_sums"
applies_to = "all"
facility_kind = "comprehensive"
target = 35
clause = "二"
quotation = "三十五平方米"
columns = ["facilities.floor_area_m2"]
"""
WORKERS = """
[rules.community_workers]
name = { zh = "社区工作者", en = "workers" }
measure = "community_workers_per_10000"
unit = "persons_per_10000"
level = "community"
numerator = { zh = "人数", en = "workers" }
county_figure = "ratio_of_sums"
applies_to = "urban"
target = 20
year = 2025
clause = "三"
quotation = "二十人"
columns = ["communities.community_workers"]
"""


@pytest.fixture
def write(tmp_path: Path):
    def write_file(body: str, name: str = "ours.toml", head: str = HEAD) -> Path:
        path = tmp_path / name
        path.write_text(head + body, encoding="utf-8")
        return path

    return write_file


def refused(path: Path) -> str:
    with pytest.raises(StandardError) as caught:
        read_standard(path)
    assert isinstance(caught.value, InputError)
    assert caught.value.text.zh
    return str(caught.value)


def test_a_county_tightens_and_keeps_the_rest(write):
    standard = read_standard(write(AREA))
    national = read_standard("national")
    assert standard.id == "ours"
    assert standard.rule("area_per_100_households").target == 35
    assert standard.rule("area_per_100_households").document == "本县文件"
    assert standard.rule("opening_hours") == national.rule("opening_hours")
    assert [rule.id for rule in standard.rules] == [rule.id for rule in national.rules]


def test_a_standard_may_extend_a_file_beside_it(write, tmp_path):
    write(AREA, "province.toml")
    county = write(AREA.replace("35", "40"), "county.toml", HEAD.replace('"national"', '"province.toml"'))
    assert read_standard(str(county)).rule("area_per_100_households").target == 40
    looser = write(AREA.replace("35", "32"), "lax.toml", HEAD.replace('"national"', '"province.toml"'))
    assert "target 35 -> 32" in refused(looser)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("target = 35", "target = 25"), "looser than the standard it extends (target 30 -> 25)"),
        (("target = 35\n", ""), "target 30 -> —"),
        (('applies_to = "all"', 'applies_to = "urban"'), "applies to all -> urban"),
        (("columns =", "colums ="), 'there is no key "colums"; near matches: columns'),
        (('clause = "二"', 'clause = " "'), "clause must be a text that is not empty"),
        (('clause = "二"\n', ""), "clause must be a text that is not empty"),
        (('quotation = "三十五平方米"', 'quotation = ""'), "needs a quotation of the text, or a source"),
        (('measure = "area_per_100_households"', 'measure = "area_per_household"'), "one of: area_per_100_households"),
        (('unit = "m2_per_100_households"', 'unit = "m2"'), "measures something else"),
        (('facility_kind = "comprehensive"', 'facility_kind = "sports"'), "measures something else"),
        (("target = 35", 'target = "35"'), "target must be a number ≥ 0"),
        (("target = 35", "target = -1"), "target must be a number ≥ 0"),
        (("target = 35", "target = nan"), "target must be a number ≥ 0"),
        (("target = 35", "target = 35\nyear = 25"), "year must be a year"),
        (('name = { zh = "面积", en = "area" }', 'name = "面积"'), "name must hold a text in zh and in en"),
        (('facility_kind = "comprehensive"', 'facility_kind = "comprehensve"'), "near matches: comprehensive"),
        (('columns = ["facilities.floor_area_m2"]', "columns = []"), "columns must name the columns"),
        (("target = 35", 'target = 35\ntarget_from = "reach_share"'), "target_from names an assumption"),
    ],
)
def test_a_faulty_rule_is_refused_with_its_place(write, change, said):
    message = refused(write(AREA.replace(*change)))
    assert "rules.area_per_100_households" in message
    assert said in message


def test_a_looser_rule_is_taken_when_it_says_why(write):
    body = AREA.replace("target = 35", 'target = 25\nlooser = "mountain villages, agreed with the province"')
    rule = read_standard(write(body)).rule("area_per_100_households")
    assert rule.target == 25
    assert rule.looser.startswith("mountain villages")


def test_a_share_of_reach_may_be_restated_and_raised(write):
    reach = """
[rules.reach]
name = { zh = "可达", en = "reach" }
measure = "reached_share"
unit = "share"
level = "community"
numerator = { zh = "户数", en = "households" }
county_figure = "ratio_of_sums"
applies_to = "all"
facility_kind = "comprehensive"
target_from = "reach_share"
clause = "二"
quotation = "全覆盖"
columns = ["roads.geometry"]
"""
    assert read_standard(write(reach)).rule("reach").target == 0.9
    share = '[assumptions.reach_share]\nvalue = 0.95\nunit = "share"\nsource = "ours"\n'
    assert read_standard(write(share)).rule("reach").target == 0.95
    assert read_standard(write(reach + share)).rule("reach").target == 0.95


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_file_can_be_copied_and_read_where_it_lies(tmp_path, name):
    source = Path(siting.standards.__file__).with_name(f"{name}.toml")
    copy = tmp_path / "ours.toml"
    copy.write_bytes(b"\xef\xbb\xbf" + source.read_bytes())  # as an editor on Windows may save it
    assert read_standard(copy) == read_standard(name)


def test_all_faults_of_a_file_are_named_at_once(write):
    body = AREA.replace('clause = "二"', "") + WORKERS.replace('unit = "persons_per_10000"', 'unit = "persons"')
    message = refused(write(body + "\n[extra]\na = 1\n"))
    assert "3 faults" in message
    assert "rules.area_per_100_households: clause" in message
    assert "rules.community_workers: unit" in message
    assert 'there is no key "extra"' in message


def test_steps_lead_up_to_the_target(write):
    good = WORKERS.replace("target = 20", "target = 20\nsteps = [{ year = 2023, target = 16 }]")
    assert read_standard(write(good)).rule("community_workers").steps[0].target == 16
    late = WORKERS.replace("target = 20", "target = 20\nsteps = [{ year = 2026, target = 16 }]")
    assert "steps come before the year of the target" in refused(write(late))
    jumbled = WORKERS.replace("target = 20", "target = 20\nsteps = [{year=2024,target=17},{year=2023,target=16}]")
    assert "in the order of their years" in refused(write(jumbled))
    half = WORKERS.replace("target = 20", "target = 20\nsteps = [{ year = 2023 }]")
    assert "must hold a year and a target" in refused(write(half))


def test_a_step_or_a_deadline_may_not_slip(write):
    head = HEAD.replace('"national"', '"linyi"')
    rule = WORKERS.replace("target = 20", "target = 20\nsteps = [{ year = 2023, target = 16 }]")
    assert read_standard(write(rule, head=head)).rule("community_workers").target == 20
    assert "16 was due by 2023" in refused(write(WORKERS, head=head))
    assert "deadline 2025 -> 2027" in refused(write(rule.replace("year = 2025", "year = 2027"), head=head))


def test_a_list_of_services_may_grow_and_not_shrink(write):
    body = """
[rules.farm_services]
name = { zh = "农资", en = "farm services" }
measure = "required_services"
unit = "services"
level = "community"
numerator = { zh = "种类", en = "services" }
county_figure = "share"
applies_to = "rural"
services = ["supply_cooperative", "finance"]
target = 2
clause = "二"
quotation = "农资"
columns = ["facilities.service"]
"""
    assert read_standard(write(body)).rule("farm_services").services == ("supply_cooperative", "finance")
    assert "no longer asks for supply_cooperative" in refused(write(body.replace('"supply_cooperative", ', "")))
    assert 'there is no service "finence"; near matches: finance' in refused(write(body.replace("finance", "finence")))
    assert "services must list what a circle should hold" in refused(
        write(body.replace('services = ["supply_cooperative", "finance"]', 'looser = "none"'))
    )


def test_circles_and_assumptions_may_only_be_tightened(write):
    circle = """
[circles.urban]
area_type = "urban"
service = "*"
minutes = 10
clause = "二"
quotation = "十分钟"
"""
    assert read_standard(write(circle)).cutoff_m("urban") == 800.0
    assert "circles.urban: looser" in refused(write(circle.replace("10", "20")))
    metres = circle.replace("minutes = 10", "distance_m = 1300")
    assert "1200 m -> 1300 m" in refused(write(metres))
    assert "give exactly one of minutes and distance_m" in refused(write(circle + "distance_m = 500\n"))
    assert "give exactly one of minutes and distance_m" in refused(write(circle.replace("minutes = 10", "minutes = 0")))
    speed = '[assumptions.walking_speed_kmh]\nvalue = 5.5\nunit = "km/h"\nsource = "our survey"\n'
    assert "4.8 -> 5.5" in refused(write(speed))
    slower = read_standard(write(speed.replace("5.5", "4.0")))
    assert slower.cutoff_m("urban") == 1000.0
    assert "source must be a text" in refused(write(speed.replace('source = "our survey"\n', "")))
    assert "near matches: walking_speed_kmh" in refused(write(speed.replace("walking_speed_kmh", "walk_speed_kmh")))
    share = '[assumptions.reach_share]\nvalue = 1.2\nunit = "share"\nsource = "ours"\n'
    assert "between 0 and 1" in refused(write(share))
    assert "0.9 -> 0.7" in refused(write(share.replace("1.2", "0.7")))
    assert "value is missing" in refused(write(share.replace("value = 1.2\n", "")))


def test_services_gain_names_but_not_area_by_the_way(write):
    body = '[services.sports]\nname = { zh = "健身房", en = "gymnasium" }\naliases = ["球场"]\n'
    assert read_standard(write(body)).service_id("球场") == "sports"
    assert "its area now counts" in refused(write(body + "counted = true\n"))
    assert '"药店" names both the service pharmacy and sports' in refused(write(body.replace("球场", "药店")))
    assert "counted must be true or false" in refused(write(body + 'counted = "yes"\n'))
    assert "aliases must be a list of texts" in refused(write(body.replace('["球场"]', '"球场"')))


def test_a_standard_that_stands_alone_must_be_whole(write):
    message = refused(write(AREA, head=HEAD.replace('extends = "national"\n', "")))
    assert "the assumption walking_speed_kmh is missing" in message
    assert "the rule reach (reached_share) is missing" in message
    assert 'rural homes lack a circle of service "*"' in message
    assert 'there is no service "comprehensive"' in message


def test_a_ring_of_standards_is_refused(write):
    write("", "a.toml", HEAD.replace('"national"', '"b.toml"'))
    path = write("", "b.toml", HEAD.replace('"national"', '"a.toml"'))
    assert "extend one another in a ring: b.toml → a.toml → b.toml" in refused(path)


def test_a_name_that_is_not_shipped_says_which_are_near(tmp_path):
    with pytest.raises(StandardError, match='no standard "lingyi"; near matches: linyi'):
        read_standard("lingyi")
    with pytest.raises(MissingFileError) as caught:
        read_standard(tmp_path / "none.toml")
    assert isinstance(caught.value, FileNotFoundError)


def test_a_file_that_is_not_toml_is_refused(tmp_path):
    path = tmp_path / "ours.toml"
    path.write_text("id = ", encoding="utf-8")
    assert "ours.toml is not valid TOML" in refused(path)
    path.write_bytes("名 = '本县'".encode("gb18030"))
    assert "ours.toml, line 1 is not UTF-8 text" in refused(path)
    path.write_text("standard = 3\nrules = 4\n", encoding="utf-8")
    message = refused(path)
    assert "standard: must be a table" in message
    assert "rules must hold tables" in message
