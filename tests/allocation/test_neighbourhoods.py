"""The search by patches only betters a plan, and finds the same on a fast machine and on a slow one."""

from __future__ import annotations

import importlib
import time
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from siting.allocation import neighbourhoods, stages
from siting.allocation.plan import PlanOptions
from siting.allocation.prescribe import first_draft, limits_of, prescribe
from siting.allocation.prescription_model import build_model
from siting.allocation.solve import MipResult, solve_mip
from siting.allocation.stages import questions
from siting.exact import FEASIBILITY
from tests.allocation.made_situations import made_situation
from tests.allocation.shuffled import told

OPTIONS = PlanOptions(budget=600.0, time_limit_s=60.0)


@pytest.fixture(scope="module")
def county():
    return made_situation(200, 110, extensions=20)


def slowed(monkeypatch, seconds):
    """Let every patch take longer, and count them."""
    solve, seen = neighbourhoods.solve_mip, []

    def waiting(model, **options):
        seen.append(model.matrix.shape)
        time.sleep(seconds)
        return solve(model, **options)

    monkeypatch.setattr(neighbourhoods, "solve_mip", waiting)
    return seen


def searched(county, monkeypatch, seconds, **limits):
    model = build_model(county, limits_of(county, OPTIONS))
    question = next(one for one in questions(model, OPTIONS) if one.id == "households")
    linear = model.linear.with_cost(-question.row)
    start = model.point(first_draft(model))
    with monkeypatch.context() as patched:
        seen = slowed(patched, seconds)
        point, stopped = neighbourhoods.improve(model, linear, start, seed=0, **limits)
    assert not stopped
    assert linear.violation(point) <= FEASIBILITY
    assert linear.value(point) <= linear.value(start)
    return point, seen


def test_a_slow_machine_solves_the_same_patches_and_finds_the_same_point(county, monkeypatch):
    fast, patches = searched(county, monkeypatch, 0.0, effort_s=1.0, clock_s=60.0)
    slow, again = searched(county, monkeypatch, 0.15, effort_s=1.0, clock_s=60.0)
    assert patches == again
    assert len(patches) > 1
    np.testing.assert_array_equal(fast, slow)


def test_the_clock_ends_the_search_on_any_machine(county, monkeypatch):
    _, patches = searched(county, monkeypatch, 0.2, effort_s=60.0, clock_s=0.3)
    assert len(patches) <= 3


class Machine:
    """A machine whose clock runs by the iterations of the simplex that it does, so many a second."""

    def __init__(self, monkeypatch, iterations_per_s):
        self.now, self.iterations, self.speed = 0.0, 0, iterations_per_s
        for module in (stages, neighbourhoods, importlib.import_module("siting.allocation.prescribe")):
            monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: self.now))
        for module in (stages, neighbourhoods):
            monkeypatch.setattr(module, "solve_mip", self.solve)

    def solve(self, model, *, time_limit_s, start, **options):
        result = solve_mip(model, time_limit_s=1e6, start=start, **options)
        took_s = result.iterations / self.speed
        self.iterations += result.iterations
        self.now += min(took_s, time_limit_s)
        if took_s <= time_limit_s:
            return result
        return MipResult(start, model.value(start), -np.inf, "time_limit", time_limit_s, result.iterations)


@pytest.fixture(scope="module")
def idle():
    """A town, its plan on a machine that is never late, and the iterations that it took."""
    small = made_situation(60, 40, extensions=10)
    with pytest.MonkeyPatch.context() as patched:
        machine = Machine(patched, 1e9)
        return small, prescribe(small, OPTIONS), machine.iterations


def test_a_machine_so_busy_that_it_needs_most_of_the_time_finds_the_same_plan(idle, monkeypatch):
    small, plan, iterations = idle
    with monkeypatch.context() as patched:
        busy = Machine(patched, iterations / (0.85 * OPTIONS.time_limit_s))
        again = prescribe(small, OPTIONS)
    assert busy.iterations == iterations
    assert told(plan) == told(again)


def test_what_else_the_machine_does_changes_no_plan(idle, monkeypatch):
    small, plan, _ = idle
    with monkeypatch.context() as patched:
        slowed(patched, 0.1)
        again = prescribe(small, replace(OPTIONS, time_limit_s=600.0))  # time enough, whatever else the machine does
    assert told(plan) == told(again)
