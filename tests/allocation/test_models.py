"""The public calls of the siting models: the same four limits everywhere, and what each one refuses."""

import inspect
import math

import numpy as np
import pytest

import siting
from siting.allocation import cost_curve, make_problem, max_cover, p_center, p_median, set_cover
from siting.allocation.options import SolveOptions
from siting.errors import ProblemError

CALLS = [set_cover, max_cover, p_median, p_center, cost_curve, siting.solve]
NEAR = np.array([[0.0, 4.0], [4.0, 0.0], [5.0, 1.0]])


@pytest.mark.parametrize("call", CALLS)
def test_every_model_takes_the_same_four_limits_by_keyword(call):
    last = list(inspect.signature(call).parameters.values())[-4:]
    assert [limit.name for limit in last] == ["time_limit_s", "gap", "seed", "progress"]
    assert all(limit.kind is limit.KEYWORD_ONLY for limit in last)
    assert [limit.default for limit in last] == [getattr(SolveOptions(), limit.name) for limit in last]


@pytest.mark.parametrize("call", [p_median, p_center])
@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ({"time_limit_s": -1.0}, "time_limit_s must be a number >= 0, got -1"),
        ({"gap": math.nan}, "gap must be a number >= 0, got nan"),
        ({"seed": -3}, "seed must be an integer >= 0, got -3"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(call, limit, message):
    with pytest.raises(ProblemError, match=message):
        call(NEAR, sites=1, **limit)


@pytest.mark.parametrize("start", [[5], [-1], [[0, 1]], [0.5]])
def test_a_start_that_is_not_of_sites_is_refused(start):
    with pytest.raises(ProblemError, match="start must be site indices from 0 to 1"):
        siting.solve(make_problem("p_median", NEAR, sites=1), start=start)


def test_the_limits_of_a_call_reach_the_search():
    said = []
    found = p_median(NEAR, sites=1, gap=0.9, seed=5, progress=lambda what, share=None: said.append(what.en))
    assert found.seed == 5
    assert found.gap <= 0.9
    assert any("gap" in line for line in said)
