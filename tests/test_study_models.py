"""The classical models on the county of tests/test_story.py, each worked out by hand.

Not covered today: U3 (400 households, in the circle of K1), V1 (300: K1, K2, K4), V2 (200: K2, K4).
"""

import pytest

import siting
from siting.errors import StudyError


@pytest.fixture(scope="module")
def run(tmp_path_factory, write_tiny_county):
    def _run(plan: str):
        return siting.run(
            siting.read_study(write_tiny_county(tmp_path_factory.mktemp("model"), f"[plan]\n{plan}"))
        ).plan

    return _run


def _new_sites(plan) -> set[str]:
    return set(plan.actions.loc[plan.actions["kind"] == "candidate", "source_id"])


def test_one_site_covers_most_at_k1(run):
    # K1: 400 + 300 = 700 households; K2 and K4: 300 + 200 = 500; K3 nobody new.
    plan = run('model = "max_cover"\nsites = 1')
    assert _new_sites(plan) == {"K1"}
    assert (plan.stages[0].id, plan.stages[0].value, plan.stages[0].proven) == ("max_cover", 700, True)


def test_everybody_is_covered_cheapest_by_k1_and_k4(run):
    # U3 needs K1; V2 needs K2 (100 万元 and more) or K4 (30 and more).
    assert _new_sites(run('model = "set_cover"')) == {"K1", "K4"}


def test_one_site_spares_most_walking_at_k2(run):
    # K1 spares 1800 × 900 = 1,620,000 household metres; K2 4800 × 500 = 2,400,000; K4 4799 × 300 + 4801 × 200.
    # What is left with K2: U1 1200 × 1000 + U2 1 × 500 + U3 1800 × 400 + V2 1 × 200 = 1,920,700.
    plan = run('model = "p_median"\nsites = 1')
    assert _new_sites(plan) == {"K2"}
    assert plan.stages[0].value == 1_920_700


def test_one_site_brings_the_farthest_home_to_1800_metres(run):
    # With K2 or K4 the farthest is U3, 1800 from S1; with K1 it is V2, 3001.
    plan = run('model = "p_center"\nsites = 1')
    assert _new_sites(plan) <= {"K2", "K4"}
    assert plan.stages[0].value == 1800


def test_a_model_without_a_limit_is_refused(run):
    with pytest.raises(StudyError, match="needs a number of sites or a budget"):
        run('model = "max_cover"')


def test_a_forbidden_site_is_not_chosen(run):
    assert _new_sites(run('model = "max_cover"\nsites = 1\nforbid = ["K1"]')) <= {"K2", "K4"}


def test_ctrl_c_in_what_stands_beside_a_plan_leaves_the_plan(run, monkeypatch):
    def pressed(*_given, **_more):
        raise KeyboardInterrupt

    monkeypatch.setattr("siting.allocation.choices.cost_curve", pressed)
    plan = run("curve_points = 3\nyearly_budgets = { 2025 = 1000 }")
    assert _new_sites(plan)
    assert (plan.curve, plan.phases) == (None, None)


def test_a_plan_that_ctrl_c_ended_gets_nothing_beside_it(run, monkeypatch):
    from siting.allocation import stages

    monkeypatch.setattr(stages, "ended_by", lambda result: "interrupted")
    monkeypatch.setattr("siting.allocation.choices.cost_curve", lambda *_, **__: pytest.fail("searched on"))
    plan = run("curve_points = 3\nyearly_budgets = { 2025 = 1000 }")
    assert {stage.ended for stage in plan.stages} == {"interrupted"}
    assert plan.phases is None
