"""The shipped standards say what the policy texts and their digest say, figure by figure and word by word."""

import re
import unicodedata
from pathlib import Path

import pytest

from siting.standards import SHIPPED, read_standard

STANDARDS = {name: read_standard(name) for name in SHIPPED}
SEEDS = {
    "国办发〔2021〕56号": ["004"],
    "甘政办发〔2022〕62号": ["000", "001"],
    "苏政办发〔2022〕60号": ["003"],
    "临政办发〔2023〕29号": ["002"],
}
# The web page of the national text was turned into traditional characters, with a reading after some of them.
READINGS = re.compile(r"\([a-zāáǎàōóǒòēéěèīíǐìūúǔùǖǘǚǜü]+\)")
TRADITIONAL = (
    "万萬与與业業个個为為举舉产產众眾优優会會关關养養内內农農划劃则則办辦务務动動励勵区區单單卫衛县縣发發台臺员員国國场場"
    "实實层層广廣应應开開异異强強拨撥换換时時机機条條构構标標楼樓残殘满滿点點现現电電盖蓋确確积積筹籌类類红紅级級线線组組"
    "织織给給统統维維综綜网網虑慮衔銜补補规規视視订訂设設调調账賬贫貧购購赁賃资資较較辐輻达達迁遷过過进進递遞邮郵邻鄰钟鐘"
    "销銷间間项項饮飲"
)
SIMPLIFIED = str.maketrans(dict(zip(TRADITIONAL[1::2], TRADITIONAL[::2], strict=True)))


def plain(text: str) -> str:
    """Return a text as quotations are compared: half-width, without the breaks of lines and tables."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


@pytest.fixture(scope="module")
def seeds(shared_data: Path) -> dict[str, list[str]]:
    folder = shared_data.parent / "seeds"
    texts = {
        document: [plain(next(folder.glob(f"{name}*.txt")).read_text(encoding="utf-8")) for name in names]
        for document, names in SEEDS.items()
    }
    national = "国办发〔2021〕56号"
    texts[national] = [READINGS.sub("", text).translate(SIMPLIFIED) for text in texts[national]]
    return texts


@pytest.mark.parametrize("name", SHIPPED)
def test_every_quotation_stands_in_its_document(name, seeds):
    standard = STANDARDS[name]
    astray = [
        (entry.id, entry.quotation)
        for entry in (*standard.rules, *standard.circles)
        for text in seeds[entry.document]
        if plain(entry.quotation) not in text
    ]
    assert astray == []


@pytest.mark.parametrize("name", SHIPPED)
def test_every_clause_is_a_heading_of_its_document(name, seeds):
    standard = STANDARDS[name]
    for entry in (*standard.rules, *standard.circles):
        part, _, section = entry.clause.rstrip("0123456789").partition("(")
        text = seeds[entry.document][0]
        assert f"{part}、" in text
        assert f"({section.removesuffix('表')}" in text, entry.clause


@pytest.mark.parametrize("name", SHIPPED)
def test_a_quotation_stands_under_the_clause_it_cites(name, seeds):
    for entry in (*STANDARDS[name].rules, *STANDARDS[name].circles):
        section, place = re.fullmatch(r".*?(\([一二三四五六七八九十]+\))(.*)", entry.clause).groups()
        for text in seeds[entry.document] if entry.quotation else []:
            quotation = plain(entry.quotation)
            if place.startswith("表"):  # a row of the table: its number stands before it
                assert f"{place[1:]}{quotation}" in text
                continue
            found = False
            for hit in re.finditer(re.escape(quotation), text):
                headings = list(re.finditer(r"\([一二三四五六七八九十]+\)", text[: hit.start()]))
                items = re.findall(r"(?<!\d)(\d)\.(?!\d)", text[headings[-1].end() : hit.start()]) if headings else []
                found |= bool(headings) and headings[-1].group() == section and place == (items[-1] if items else "")
            assert found, (entry.id, entry.clause)


# --------------------------------------------------------------------------------- the digest of the texts

LINYI_ORDER = [
    "rural_facility_coverage",
    "urban_facility_coverage",
    "commerce_service_area",
    "area_per_100_households",
    "activity_area",
    "self_service_terminals",
    "community_workers",
    "urban_social_organisations",
    "rural_social_organisations",
    "certified_workers",
]

# Each row of the second table of the digest, by plan and how its indicator begins: the rules that carry its figures,
# first those of the baseline column, then those of the target column, in the order the figures are written.
OTHER_PLANS = {
    ("national", "rural communities"): (["rural_facility_coverage"], ["rural_facility_coverage"]),
    ("national", "urban communities"): (["urban_facility_coverage"], ["urban_facility_coverage"]),
    ("national", "floor area per 100"): ([], ["area_per_100_households"]),
    ("national", "resettlement"): ([], ["resettlement_facility_coverage"]),
    ("all four", "opening hours"): ([], ["opening_hours", "online_hours"]),
    ("gansu", "urban / rural communities"): (
        ["urban_facilities", "urban_facility_coverage", "rural_facilities", "rural_facility_coverage"],
        ["urban_facility_coverage", "rural_facility_coverage"],
    ),
    ("gansu", "floor area per 100"): (["area_per_100_households"], ["area_per_100_households"]),
    ("gansu", "commerce + service"): ([], ["commerce_service_area", "activity_area"]),
    ("gansu", "elder-care facility land"): ([], ["elder_care_land"]),
    ("gansu", "communities with elder meal"): ([], ["elder_services"]),
    ("gansu", "satisfaction survey"): ([], ["satisfaction_survey"]),
    ("gansu", "villages and communities"): (["villages", "urban_communities"], []),
    ("jiangsu", "communities with a facility"): (["facility_coverage"], []),
    ("jiangsu", "communities that reach"): (["area_standard_share"], ["area_per_100_households"]),
    ("jiangsu", "communities with professional"): ([], ["social_work", "six_norms"]),
    ("linyi", "rural comprehensive service stations"): ([], ["rural_service_stations", "township_service_stations"]),
    ("linyi", "government-affairs"): ([], ["agency_service"]),
    ("linyi", "day care"): ([], ["day_care"]),
    ("linyi", "yearly spending"): ([], ["elder_care_spending"]),
    ("linyi", "public cemeteries"): ([], ["new_cemeteries"]),
    ("national", "villages / neighbourhood"): (["villages", "urban_communities"], []),
}
CIRCLES_OF_THE_TABLE = {("jiangsu", "sports circle"): ("urban_sports", 10.0)}
SAME_TARGET = {("gansu", "satisfaction survey"): "agency_service", ("linyi", "government-affairs"): "urban_elder_care"}


@pytest.fixture(scope="module")
def tables(shared_data: Path) -> list[list[list[str]]]:
    """The tables of the digest's first chapter, row by row, without their headings."""
    page = (shared_data.parent / "STANDARDS.md").read_text(encoding="utf-8")
    chapter = page.split("## 1.")[1].split("## 2.")[0]
    found: list[list[list[str]]] = []
    ruled = False
    for line in chapter.splitlines():
        if not line.startswith("|"):
            ruled = False
        elif set(line) <= set("|- "):
            found.append([])
            ruled = True
        elif ruled:
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def figures(cell: str) -> list[float]:
    """Return the figures of a cell: numbers, percentages as shares, and words for all of them; no years, no asides."""
    cell = re.sub(r"\*?\([^)]*\)\*?", "", cell)
    cell = re.sub(r"by (?:end )?20\d\d|to 20\d\d|24 h online|a day", lambda m: "24" if "online" in m[0] else "", cell)
    if "day care" in cell:
        return []
    words = re.findall(r"\d[\d,]*(?:\.\d+)?(?: ?%)?|\bfull\b|\ball\b|\bevery\b", cell)
    return [
        1.0
        if word in ("full", "all", "every")
        else float(word.rstrip(" %").replace(",", "")) / (100 if word.endswith("%") else 1)
        for word in words
    ]


def test_linyis_ten_figures_equal_the_digest(tables):
    standard = STANDARDS["linyi"]
    assert len(tables[0]) == 10
    for rule_id, (_, _, unit, baseline, target, _) in zip(LINYI_ORDER, tables[0], strict=True):
        rule = standard.rule(rule_id)
        scale = 100 if unit.startswith("%") else 1
        assert rule.is_share == (scale == 100)
        assert rule.baseline == pytest.approx(float(baseline) / scale)
        assert rule.target == pytest.approx(float(re.search(r"\d+", target).group()) / scale)
        steps = [(int(year), float(value)) for value, year in re.findall(r"\((\d+) by end (\d{4})\)", target)]
        assert [(step.year, step.target) for step in rule.steps] == steps
        assert (rule.baseline_year, rule.year) == (2022, 2025)


def test_every_figure_of_the_other_plans_equals_the_digest(tables):
    seen = set()
    for plan, indicator, baseline, target in tables[1]:
        key = next(
            one for one in (*OTHER_PLANS, *CIRCLES_OF_THE_TABLE) if one[0] == plan and indicator.startswith(one[1])
        )
        seen.add(key)
        if key in CIRCLES_OF_THE_TABLE:
            circle_id, minutes = CIRCLES_OF_THE_TABLE[key]
            circle = next(one for one in STANDARDS[plan].circles if one.id == circle_id)
            assert circle.minutes == minutes == figures(baseline)[0]
            continue
        of_baseline, of_target = OTHER_PLANS[key]
        if key[1].startswith(("villages", "villages /")):  # the digest writes these figures in the indicator's column
            target = ""
        if key == ("jiangsu", "communities that reach"):
            target = target.split(" is the standard")[0].replace(" per 100 households", "")
        if key[1] == "public cemeteries":
            target = target.split(":")[0]
        for name in SHIPPED if plan == "all four" else [plan]:
            rules = STANDARDS[name]
            assert [rules.rule(i).baseline for i in of_baseline] == pytest.approx(figures(baseline)), (key, baseline)
            assert [rules.rule(i).target for i in of_target] == pytest.approx(figures(target)), (key, target)
            if key in SAME_TARGET:
                assert rules.rule(SAME_TARGET[key]).target == figures(target)[0]
            for year in re.findall(r"by (?:end )?(20\d\d)", target):
                assert rules.rule(of_target[-1]).year == int(year)
    assert seen == {*OTHER_PLANS, *CIRCLES_OF_THE_TABLE}


# Targets that the digest gives outside its two tables: siting rules, and what a text asks for besides its indicators.
BESIDE_THE_TABLES = {
    ("national", "satisfaction_survey"),
    ("national", "agency_service"),
    ("gansu", "agency_service"),
    ("linyi", "satisfaction_survey"),
    ("linyi", "urban_elder_care"),
    ("linyi", "resettlement_facility_coverage"),
    ("linyi", "urban_area_per_100_households"),
    ("linyi", "new_build_area"),
    ("linyi", "new_community_commerce_share"),
    ("linyi", "new_community_area_per_100_households"),
}


def test_no_standard_has_a_figure_that_the_digest_does_not_give():
    baselines = {("linyi", rule_id) for rule_id in LINYI_ORDER}
    targets = BESIDE_THE_TABLES | baselines
    for (plan, _), (of_baseline, of_target) in OTHER_PLANS.items():
        for name in SHIPPED if plan == "all four" else [plan]:
            baselines |= {(name, rule_id) for rule_id in of_baseline}
            targets |= {(name, rule_id) for rule_id in of_target}
    for name, standard in STANDARDS.items():
        own = [rule for rule in standard.rules if rule.document == standard.document]
        assert {(name, rule.id) for rule in own if rule.baseline is not None} <= baselines
        stated = [rule for rule in own if rule.target is not None and not rule.target_from]
        assert {(name, rule.id) for rule in stated if rule.measure != "required_services"} <= targets


def test_the_rules_beside_the_tables_equal_the_digest(shared_data):
    page = (shared_data.parent / "STANDARDS.md").read_text(encoding="utf-8")
    linyi = STANDARDS["linyi"]
    minimum, share, area = re.search(
        r"new urban community facility is ≥ (\d+) m².*?≥ (\d+) % of building area and ≥ (\d+) m² per 100", page, re.S
    ).groups()
    assert linyi.rule("new_build_area").target == float(minimum)
    assert linyi.rule("new_community_commerce_share").target == float(share) / 100
    assert linyi.rule("new_community_area_per_100_households").target == float(area)
    assert linyi.rule("urban_area_per_100_households").target == float(area)
    kilometres = float(re.search(r"农村(\d)公里生活圈", page).group(1))
    assert all(standard.cutoff_m("rural") == kilometres * 1000 for standard in STANDARDS.values())
    minutes = float(re.search(r"service radius about (\d+) minutes on foot", page).group(1))
    assert all(standard.circle("urban").minutes == minutes for standard in STANDARDS.values())


def test_jiangsus_services_are_those_of_the_digest(shared_data):
    page = (shared_data.parent / "STANDARDS.md").read_text(encoding="utf-8")
    listed = re.search(r"Convenience \(Jiangsu 九2\): (.*?)\.", page, re.S).group(1)
    standard = STANDARDS["jiangsu"]
    ids = [standard.service_id(name) for name in re.split(r"[,\s]+", listed)]
    assert tuple(ids) == standard.rule("convenience_services").services
