"""The tables of how service falls on people are in an order that a planner knows."""

from dataclasses import replace

import pandas as pd

from siting.outputs.spread import equity_sheet


def test_townships_stand_in_the_order_of_the_planners_table(bare_results):
    """Not in the order of their characters' codes; what is not a township keeps its place."""
    card = bare_results.scorecard
    people = card.communities.assign(township=[("镇三", "镇一", "镇二")[i % 3] for i in range(len(card.communities))])
    groups = [("all", "all"), ("township", "镇一"), ("township", "镇三"), ("township", "镇二"), ("group", "elderly")]
    equity = pd.DataFrame(
        [
            {**card.equity.iloc[0].to_dict(), "measure": measure, "kind": kind, "group": group}
            for measure in ("distance_m", "shared_area_per_100_households_m2")
            for kind, group in groups
        ]
    )
    rows = equity_sheet(replace(bare_results, scorecard=replace(card, communities=people, equity=equity)), "zh").rows
    assert [row[1] for row in rows] == ["全部", "镇三", "镇一", "镇二", "老年人"] * 2
    assert len({row[0] for row in rows[:5]}) == 1
