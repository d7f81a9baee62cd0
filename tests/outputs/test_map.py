"""The map is one file that holds all it needs, as data."""

import base64
import hashlib
import json
import re
from importlib.resources import files

import folium
import numpy as np
import pytest
from shapely.geometry import Polygon

from siting.outputs import coverage_map, write_map
from siting.outputs.maps.page import as_json
from siting.outputs.maps.payload import payload
from siting.outputs.maps.phrases import PHRASES
from siting.outputs.maps.shapes import encode_line, encode_points, encode_polygons, thin_points
from tests.outputs.made import HOSTILE, made_results


@pytest.fixture(scope="module")
def page(written):
    return written["map"].read_text(encoding="utf-8")


def data_of(page):
    found = re.search(r'<script type="application/json" id="siting-data">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1])


def decoded(flat):
    """Undo `encode_line`, as the page does."""
    return np.cumsum(np.reshape(flat, (-1, 2)), axis=0) / 1e5


def test_the_page_names_no_address_that_a_browser_would_load(page):
    markup = re.sub(r"<script[^>]*>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"""(?:src|href|action)\s*=\s*["']?(?!data:)""", markup)
    assert "url(http" not in page
    assert "@import" not in page
    assert "sourceMappingURL" not in page


def test_the_policy_admits_exactly_the_scripts_of_the_page(page):
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)[1]
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = {"'sha256-" + base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() + "'" for s in scripts}
    allowed = re.search(r"script-src ([^;]+)", policy)[1]
    assert set(allowed.split()) == hashes
    assert "default-src 'none'" in policy
    assert "img-src data:" in policy
    assert page.index("Content-Security-Policy") < page.index("<script>")


def test_no_name_reaches_the_markup(page):
    outside = page.replace(re.search(r'id="siting-data">(.*?)</script>', page, re.DOTALL)[1], "")
    for name in HOSTILE[:4]:
        assert name not in outside
    assert HOSTILE[10] == "{{ 7*7 }}"
    assert data_of(page)["communities"][10]["name"] == HOSTILE[10]
    inside = re.search(r'id="siting-data">(.*?)</script>', page, re.DOTALL)[1]
    assert not set("<>&") & set(inside)


def test_data_survives_the_way_into_the_page():
    hard = {"a": [*HOSTILE[:-1], "</script>", "\u2028", "中文", None, 1.5]}
    assert json.loads(as_json(hard)) == hard
    assert "<" not in as_json(hard)


def test_a_figure_that_is_not_a_number_never_reaches_the_page():
    with pytest.raises(ValueError, match="JSON"):
        as_json({"a": float("nan")})


def test_the_same_run_gives_the_same_bytes(results, page):
    assert coverage_map(results).get_root().render().replace("\r", "") == page


def test_saving_twice_and_showing_in_a_notebook_give_the_same_page(bare_results, tmp_path):
    drawn = coverage_map(bare_results, lang="en")
    drawn.save(tmp_path / "a.html")
    drawn.save(tmp_path / "b.html")
    write_map(bare_results, tmp_path / "c.html", lang="en")
    assert (
        (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes() == (tmp_path / "c.html").read_bytes()
    )
    assert "Content-Security-Policy" in drawn._repr_html_()


def test_the_map_is_a_folium_map_and_stays_sealed_with_a_layer_of_ones_own(bare_results, tmp_path):
    drawn = coverage_map(bare_results)
    assert isinstance(drawn, folium.Map)
    folium.CircleMarker([36.06, 103.81], radius=9).add_to(drawn)
    drawn.save(tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "L.circleMarker" in page
    test_the_policy_admits_exactly_the_scripts_of_the_page(page)
    test_the_page_names_no_address_that_a_browser_would_load(page)


def test_every_word_that_the_page_says_has_both_languages():
    script = (files("siting.outputs.maps") / "assets" / "map.js").read_text(encoding="utf-8")
    said = set(re.findall(r'say\("(\w+)"\)', script))
    assert said <= set(PHRASES)
    assert {name for name in PHRASES if not re.search(rf"\b{name}\b", script)} == set()
    assert all(text.zh and text.en for text in PHRASES.values())


def test_every_community_facility_and_action_is_on_the_map(page, results):
    data = data_of(page)
    assert [c["id"] for c in data["communities"]] == list(results.tables.communities["community_id"])
    assert len(data["facilities"]) == len(results.tables.facilities)
    assert [a["id"] for a in data["plan"]["actions"]] == list(results.plan.actions["source_id"])
    assert [len(gaps) for gaps in data["gaps"]] == [len(results.scorecard.gaps), len(results.after.gaps)]


def test_the_map_says_who_is_inside_now_and_after(results):
    homes = payload(results)["homes"]
    before, after = results.scorecard.demand, results.after.demand
    some = before["households"] > 0
    assert homes["mark"].count("0") == int((some & ~before["covered"] & ~after["covered"]).sum())
    assert len(homes["at"]) == 2 * len(homes["mark"])


def test_what_a_reader_cannot_be_told_is_null(bare_results):
    data = payload(bare_results)
    assert data["plan"] is None
    assert data["communities"][4]["states"][0][5] is None  # its floor area is not known
    assert data["communities"][4]["states"][0][4] == "—"


def test_a_line_is_drawn_where_it_was_to_half_a_metre():
    line = np.array([[103.8, 36.05], [103.80001, 36.05], [103.80001, 36.05], [103.9, 35.9]])
    back = decoded(encode_line(line))
    assert np.allclose(back, line[[0, 1, 3]], atol=5.1e-6)
    assert np.allclose(decoded(encode_points(line[:, 0], line[:, 1])), line, atol=5.1e-6)


def test_a_hole_in_a_circle_stays_a_hole():
    square = Polygon([(0, 0), (1, 0), (1, 1), (0, 1)], [[(0.2, 0.2), (0.4, 0.2), (0.4, 0.4)]])
    ((outer, hole),) = encode_polygons(square)
    assert len(decoded(outer)) == 5
    assert len(decoded(hole)) == 4


def test_very_many_homes_are_thinned_and_no_kind_of_them_vanishes():
    rng = np.random.default_rng(1)
    lon, lat = 103 + rng.random(120_000), 36 + rng.random(120_000)
    mark = (np.arange(120_000) % 4).astype(np.int64)
    few = thin_points(lon, lat, mark)
    assert len(few[0]) <= 60_000
    assert set(few[2]) == {0, 1, 2, 3}


def test_a_county_of_250_communities_and_10_000_homes_stays_under_3_megabytes():
    page = coverage_map(made_results(16, 16, points_each=40)).get_root().render()
    assert len(page.encode("utf-8")) < 3_000_000
