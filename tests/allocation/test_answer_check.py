"""An answer that the model contradicts is refused, whatever the solver says, and the plan is right all the same."""

import _thread
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import highspy
import numpy as np
import pytest
from scipy.sparse import csr_array

from siting.allocation import prescribe
from siting.allocation.answer_check import counting_refused
from siting.allocation.linear import LinearModel
from siting.allocation.solve import solve_lp, solve_mip
from siting.errors import SolverError
from tests.allocation.lying_solver import KINDS, lying
from tests.allocation.test_prescribe import by_hand
from tests.allocation.test_solve import knapsack

ROOT = Path(__file__).resolve().parents[2]
door = import_module("siting.allocation.solve")


def _best(model):
    """The least value of a small model of 0 and 1, and all its points, by trying each."""
    n = len(model.cost)
    points = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    return (points[(points @ model.matrix.toarray().T <= model.row_upper).all(axis=1)] @ model.cost).min()


@pytest.fixture
def solver(monkeypatch):
    """Put a solver in the place of the true one."""

    def put(kind, **given):
        made = lying(kind, **given)
        monkeypatch.setattr(door, "_highs", lambda: (highspy, made))
        return made

    return put


# nothing can be held against a point that is only worse where no better one is known
@pytest.mark.parametrize(
    ("kind", "with_start"),
    [(kind, start) for kind in KINDS for start in (True, False) if start or kind != "worse than known"],
)
def test_a_lie_is_refused_and_the_answer_is_right(kind, with_start, solver):
    model = knapsack(8)
    start = np.eye(8)[0] if with_start else None
    made = solver(kind)
    with counting_refused() as refused:
        result = solve_mip(model, start=start)
    assert made.lies == 1
    assert result.objective == _best(model)
    assert result.bound == pytest.approx(_best(model))
    assert result.status == "optimal"
    assert dict(refused) == {{"fraction": "value"}.get(kind, kind): 1}


@pytest.mark.parametrize("kind", KINDS)
def test_a_solver_that_lies_twice_leaves_what_was_known_and_no_bound(kind, solver):
    model = knapsack(8)
    solver(kind, always=True)
    with counting_refused() as refused:
        result = solve_mip(model, start=np.eye(8)[0])
    assert sum(refused.values()) == 2
    assert result.status == "refused"
    assert result.bound == -np.inf
    assert result.objective == model.value(result.found) <= model.cost[0]
    assert model.violation(result.found) == 0


@pytest.mark.parametrize("kind", ["rows", "no answer"])
def test_a_solver_that_lies_twice_with_nothing_known_is_an_error(kind, solver):
    solver(kind, always=True)
    with pytest.raises(SolverError, match="twice the solver gave an answer that the model contradicts"):
        solve_mip(knapsack(8))


@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_is_the_same_whatever_the_solver_says_first(kind, solver):
    situation = by_hand()
    truth = prescribe(situation)
    made = solver(kind)
    plan = prescribe(situation)
    assert made.lies > 0
    assert plan.actions.equals(truth.actions)
    assert plan.allotments.equals(truth.allotments)
    assert [(stage.id, stage.value, stage.bound) for stage in plan.stages] == [
        (stage.id, stage.value, pytest.approx(stage.bound)) for stage in truth.stages
    ]


def test_no_answer_is_believed_only_when_it_is_said_twice(monkeypatch):
    asked = []
    truly = door._loaded
    monkeypatch.setattr(door, "_loaded", lambda *given, **options: asked.append(given[1]) or truly(*given, **options))
    model = LinearModel([1, 1], csr_array(np.ones((1, 2))), 3.0, np.inf, 0.0, 1.0, True)
    with counting_refused() as refused:
        assert solve_mip(model).status == "infeasible"
    assert asked == [False, True]
    assert dict(refused) == {}


def test_a_relaxation_with_false_values_is_solved_again(monkeypatch):
    model = LinearModel([-2.0, -1.0], csr_array([[1.0, 1.0]]), -np.inf, 1.5, 0.0, 1.0, False)

    class Lying(highspy.Highs):
        def getSolution(self):
            found = super().getSolution()
            if self.getOptionValue("presolve")[1] != "off":
                found.col_value = [0.0, 0.0]
            return found

    monkeypatch.setattr(door, "_highs", lambda: (highspy, Lying))
    with counting_refused() as refused:
        result = solve_lp(model)
    assert dict(refused) == {"value": 1}
    assert result.values.tolist() == [1.0, 0.5]
    assert (result.objective, result.bound) == (-2.5, -2.5)


def test_what_is_refused_outside_a_count_is_counted_nowhere(solver):
    solver("value")
    with counting_refused() as before:
        pass
    solve_mip(knapsack(8), start=np.zeros(8))
    assert dict(before) == {}


def test_a_release_with_false_proofs_is_refused(monkeypatch):
    door._highs.cache_clear()
    monkeypatch.setattr(door.importlib.metadata, "version", lambda name: "1.14.0")
    with pytest.raises(SolverError, match=r"highspy 1\.14\.0 gives false proofs"):
        solve_mip(knapsack(8))
    door._highs.cache_clear()


def test_the_solver_prints_nothing():
    code = (
        "import numpy as np; from siting.allocation.solve import solve_mip;"
        "from tests.allocation.test_solve import knapsack; solve_mip(knapsack(8), start=np.zeros(8))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


@pytest.mark.parametrize(
    ("then", "error", "message"),
    [
        ("kTimeLimit", SolverError, "allow it more time"),
        ("kInterrupt", SolverError, "allow it more time"),
        ("kUnknown", SolverError, "twice the solver gave an answer"),
    ],
)
def test_no_answer_that_the_second_run_does_not_say_too_is_not_believed(monkeypatch, then, error, message):
    class Lying(highspy.Highs):
        def getModelStatus(self):
            careful = self.getOptionValue("presolve")[1] == "off"
            return getattr(highspy.HighsModelStatus, then if careful else "kInfeasible")

        def getInfo(self):
            info = super().getInfo()
            info.primal_solution_status = 0
            return info

    monkeypatch.setattr(door, "_highs", lambda: (highspy, Lying))
    with pytest.raises(error, match=message):
        solve_mip(knapsack(8))


def test_ctrl_c_before_there_is_any_point_is_ctrl_c(monkeypatch):
    class Stopped(highspy.Highs):
        def run(self):
            _thread.interrupt_main()
            time.sleep(0.5)
            return super().run()

        def getModelStatus(self):
            return highspy.HighsModelStatus.kInterrupt

        def getInfo(self):
            info = super().getInfo()
            info.primal_solution_status = 0
            return info

    monkeypatch.setattr(door, "_highs", lambda: (highspy, Stopped))
    with pytest.raises(KeyboardInterrupt):
        solve_mip(knapsack(8))
    assert solve_mip(knapsack(8), start=np.zeros(8)).status == "interrupted"
