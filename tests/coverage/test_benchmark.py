"""The benchmark of the scorecard runs, tiny."""

from tests.benchmarks.coverage_benchmark import timed_scorecard


def test_the_scorecard_of_a_small_province_is_whole():
    card, seconds = timed_scorecard(300, 80)
    assert len(card.communities) == 300
    assert set(card.communities["in_reach"]) >= {"pass", "fail"}
    assert 0 < card.communities["reached_households"].sum() < card.communities["households"].sum()
    assert seconds < 5
