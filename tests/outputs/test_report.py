"""The report says everything it must, as text that nothing can run."""

from html.parser import HTMLParser

import pytest

from siting.outputs.markup import element, join
from siting.outputs.report import report_page
from siting.outputs.report_tables import cell_text
from siting.outputs.sheet import Column
from siting.text import Text
from tests.outputs.made import HOSTILE


class Page(HTMLParser):
    """The elements, attributes and texts of a page."""

    def __init__(self, markup):
        super().__init__()
        self.tags, self.attributes, self.texts, self.open = [], [], [], []
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(self.texts)


@pytest.fixture(scope="module")
def page(written):
    return Page(written["report"].read_text(encoding="utf-8"))


def test_the_page_is_well_formed_and_in_chinese(page):
    assert not page.open
    assert ("html", "lang", "zh-CN") in page.attributes


def test_nothing_in_the_page_runs_or_loads(page):
    assert not set(page.tags) & {"script", "img", "iframe", "link", "object", "a", "form"}
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert not [value for _, name, value in page.attributes if name in ("src", "href")]
    policy = next(value for tag, name, value in page.attributes if tag == "meta" and "default-src" in str(value))
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy


def test_hostile_names_are_read_as_text(page):
    assert HOSTILE[1] in page.text
    assert "示例县 <b>Example</b> & ${x}" in page.text
    assert "带进 <b>320</b> 户。" in page.text
    assert "b" not in page.tags


def test_the_parts_an_official_reads_are_there_in_order(page):
    heads = [
        "要回答的问题",
        "主要结论",
        "覆盖图",
        "指标对照",
        "最严重的缺口",
        "规划方案",
        "未能做到的",
        "请先核实",
        "定义",
    ]
    places = [page.text.index(head) for head in heads]
    assert places == sorted(places)


def test_the_plan_is_told_with_its_cost_its_budget_its_bound_and_what_is_not_proven(page):
    for words in ("452.5 万元", "预算 3,000.0 万元", "5,410", "时间用完，未达到要求的差距", "新建 1 项", "社区013"):
        assert words in page.text


def test_the_headline_figures_stand_with_their_clause(page, results):
    assert results.standard.rule("reach").clause in page.text
    assert results.standard.document in page.text


def test_there_is_a_map_of_now_one_after_the_plan_and_the_cost_curve(page):
    assert [value for tag, name, value in page.attributes if tag == "svg" and name == "class"] == [
        "map",
        "map",
        "chart",
    ]
    for words in ("费用曲线", "分年计划", "2024", "面积死结", "还差 80 平方米"):
        assert words in page.text


def test_without_a_plan_nothing_is_said_of_one(bare_results):
    page = Page(report_page(bare_results, "en"))
    assert page.tags.count("svg") == 1
    assert "After the plan" not in page.text
    assert "The plan" not in page.text


def test_the_english_report_has_no_chinese_but_what_the_documents_and_the_user_wrote(bare_results):
    page = Page(report_page(bare_results, "en"))
    theirs = [bare_results.study_name, bare_results.standard.document, *bare_results.tables.communities["township"]]
    loose = [
        text
        for text in page.texts
        if any("\u4e00" <= letter <= "\u9fff" for letter in text)
        and not any(word in text for word in theirs)
        and not any(mark in text for mark in ("国办发", "临政办发", "社区0", "表.xlsx", "第", "〔"))
    ]
    assert not loose


def test_the_same_run_gives_the_same_report(results, written):
    assert report_page(results, "zh") == written["report"].read_text(encoding="utf-8")


def test_an_endless_name_is_cut_on_the_page():
    assert cell_text("社" * 40_000, Column(Text("名称", "Name"), "wrapped")) == "社" * 399 + "…"


def test_markup_escapes_what_it_is_given_and_only_once():
    inner = element("b", "1 < 2 & 3")
    assert element("p", inner, "<i>", title='"><x') == '<p title="&quot;&gt;&lt;x"><b>1 &lt; 2 &amp; 3</b>&lt;i&gt;</p>'
    assert join(["<", None, [inner]]) == "&lt;<b>1 &lt; 2 &amp; 3</b>"
