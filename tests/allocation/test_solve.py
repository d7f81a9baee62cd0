import _thread
import math
import subprocess
import sys
import threading
import time
from pathlib import Path

import highspy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from siting.allocation.linear import LinearModel
from siting.allocation.solve import solve_lp, solve_mip
from siting.errors import ProblemError, SolverError


def knapsack(n=12, seed=0, rows=2):
    rng = np.random.default_rng(seed)
    matrix = csr_array(rng.integers(1, 20, (rows, n)).astype(float))
    room = matrix.sum(axis=1) // 2
    return LinearModel(-rng.integers(1, 30, n).astype(float), matrix, -np.inf, room, 0.0, 1.0, True)


@given(st.integers(0, 10_000), st.integers(1, 8))
@settings(max_examples=25, deadline=None)
def test_every_point_of_a_small_model_is_no_better(seed, n):
    model = knapsack(n, seed)
    points = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    fits = (points @ model.matrix.toarray().T <= model.row_upper).all(axis=1)
    best = (points[fits] @ model.cost).min()
    result = solve_mip(model)
    assert result.objective == best
    assert result.bound == pytest.approx(best)
    assert result.status == "optimal"
    assert model.violation(result.found) == 0


def test_a_mixed_model_agrees_with_scipy_and_has_no_rounding_left():
    rng = np.random.default_rng(3)
    matrix = csr_array(rng.uniform(-1, 3, (6, 10)))
    model = LinearModel(rng.uniform(-5, 5, 10), matrix, -10.0, 7.0, -2.0, 3.0, np.arange(10) % 2 == 0, offset=5.0)
    result = solve_mip(model)
    there = milp(
        model.cost,
        integrality=model.integral,
        bounds=Bounds(-2, 3),
        constraints=LinearConstraint(matrix.toarray(), -10, 7),
    )
    assert result.objective == pytest.approx(there.fun + 5)
    whole = result.found[model.integral]
    assert (whole == np.rint(whole)).all()


def test_the_start_is_returned_when_there_is_no_time():
    model = knapsack()
    result = solve_mip(model, start=np.zeros(12), time_limit_s=0)
    assert result.objective == 0
    assert result.bound == -math.inf
    assert result.status == "time_limit"


def test_no_time_and_no_start_is_an_error():
    with pytest.raises(SolverError, match="more time"):
        solve_mip(knapsack(), time_limit_s=0)


def test_a_start_that_breaks_a_row_is_not_believed():
    with pytest.raises(SolverError):
        solve_mip(knapsack(), start=np.ones(12), time_limit_s=0)


def test_the_result_is_never_worse_than_the_start():
    model = knapsack(60, 1, rows=20)
    best = solve_mip(model, time_limit_s=5)
    again = solve_mip(model, start=best.found, time_limit_s=0.05)
    assert again.objective <= best.objective


def test_infeasible_and_unbounded_are_told_apart():
    row = csr_array(np.ones((1, 2)))
    assert solve_mip(LinearModel([1, 1], row, 3.0, np.inf, 0.0, 1.0, True)).status == "infeasible"
    assert solve_mip(LinearModel([-1, -1], row, 0.0, np.inf, 0.0, np.inf, True)).status == "unbounded"
    assert solve_mip(LinearModel([1, 1], row, 3.0, np.inf, 0.0, 1.0, True)).values is None
    with pytest.raises(SolverError, match="infeasible"):
        _ = solve_mip(LinearModel([1, 1], row, 3.0, np.inf, 0.0, 1.0, True)).found


def test_a_model_without_columns_or_rows_is_answered():
    empty = LinearModel(np.zeros(0), csr_array((0, 0)), 0.0, 0.0, 0.0, 1.0, True, offset=4.0)
    assert solve_mip(empty).objective == 4.0
    assert solve_lp(empty).bound == 4.0
    assert solve_mip(LinearModel(np.zeros(0), csr_array((1, 0)), 1.0, 2.0, 0.0, 1.0, True)).status == "infeasible"
    assert solve_mip(LinearModel([2.0, -3.0], csr_array((0, 2)), 0.0, 0.0, 0.0, 1.0, True)).objective == -3


def test_the_next_stage_holds_what_the_first_reached():
    model = knapsack()
    first = solve_mip(model)
    count = np.ones(12)
    second = solve_mip(model.with_rows(model.cost, -np.inf, first.objective).with_cost(count), start=first.found)
    assert model.value(second.found) == first.objective
    assert second.objective <= count @ first.found


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_any_duals_give_a_bound_below_the_optimum(seed):
    model = knapsack(8, seed)
    best = solve_mip(model).objective
    rng = np.random.default_rng(seed)
    assert model.dual_bound(rng.normal(0, 3, 2)) <= best + 1e-9
    relaxed = solve_lp(model)
    assert relaxed.bound == pytest.approx(relaxed.objective)
    assert relaxed.bound <= best + 1e-9


def test_duals_without_an_end_to_pay_at_bound_nothing():
    model = LinearModel([1.0], csr_array([[1.0]]), 0.0, np.inf, 0.0, np.inf, False)
    assert model.dual_bound(np.array([2.0])) == -math.inf
    assert model.dual_bound(np.array([1.0])) == 0.0


@given(st.integers(0, 10_000), st.integers(0, 3), st.booleans())
@settings(max_examples=40, deadline=None)
def test_tightened_bounds_keep_every_point_that_is_good_enough(seed, rank, relaxed_duals):
    model = knapsack(8, seed)
    points = ((np.arange(2**8)[:, None] >> np.arange(8)) & 1).astype(float)
    points = points[(points @ model.matrix.toarray().T <= model.row_upper).all(axis=1)]
    worth = points @ model.cost
    most = np.unique(worth)[rank]
    duals = solve_lp(model).row_duals if relaxed_duals else np.random.default_rng(seed).normal(0, 3, 2)
    narrow = model.tightened(duals, most)
    for point in points[worth <= most]:
        assert narrow.violation(point) <= 1e-6
    assert (narrow.col_lower >= model.col_lower).all()
    assert (narrow.col_upper <= model.col_upper).all()


def test_tightened_by_hand():
    # least 2a + 3b + c with a + b >= 4 and a, b, c between 0 and 3: at the dual 3 the bound is 12 - 3 (a at 3) = 9.
    model = LinearModel(np.array([2.0, 3.0, 1.0]), csr_array([[1.0, 1.0, 0.0]]), 4.0, np.inf, 0.0, 3.0, False)
    narrow = model.tightened(np.array([3.0]), 9.5)
    # half more may be spent: on c at 1, on a short of 3 at 3 - 2, on going beyond the row at 3.
    assert narrow.col_lower == pytest.approx([2.5, 0, 0])
    assert narrow.col_upper == pytest.approx([3, 3, 0.5])
    assert narrow.row_upper == pytest.approx([4 + 0.5 / 3])
    exact = model.tightened(np.array([3.0]), 9.0)
    assert exact.col_lower == pytest.approx([3, 0, 0])
    assert exact.col_upper == pytest.approx([3, 3, 0])
    assert model.tightened(np.array([3.0]), 8.0) is model  # nothing is that cheap: left as it is


def test_ctrl_c_returns_the_best_so_far():
    model = knapsack(200, 5, rows=40)
    timer = threading.Timer(0.5, _thread.interrupt_main)
    timer.start()
    result = solve_mip(model, start=np.zeros(200), time_limit_s=30)
    timer.join()
    assert result.status == "interrupted"
    assert result.seconds < 15
    assert result.objective <= 0
    assert model.violation(result.found) < 1e-6
    assert result.bound <= result.objective


def test_the_time_limit_is_kept_and_said():
    model = knapsack(200, 5, rows=40)
    said = []
    result = solve_mip(model, time_limit_s=0.6, progress=lambda what, share=None: said.append(what.en))
    assert result.status == "time_limit"
    assert result.seconds < 6
    assert said
    assert all("solving" in line for line in said)


def test_progress_that_raises_ends_the_solve():
    def refuse(what, share=None):
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        solve_mip(knapsack(200, 5, rows=40), time_limit_s=20, progress=refuse)
    assert solver_threads() == []


def solver_threads():
    return [thread for thread in threading.enumerate() if thread.name == "HiGHS"]


def test_no_thread_is_left_behind_by_a_solve():
    solve_mip(knapsack())
    solve_lp(knapsack())
    assert solver_threads() == []


def test_a_solver_that_breaks_is_an_error(monkeypatch):
    model = knapsack()

    def no_room(self):
        raise MemoryError("no room")

    monkeypatch.setattr(highspy.Highs, "run", no_room)
    with pytest.raises(SolverError, match="the solver failed: no room"):
        solve_mip(model)
    assert solver_threads() == []


def test_a_thread_that_cannot_start_is_an_error_not_an_endless_wait(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(SolverError, match="can't start new thread"):
        solve_mip(knapsack())


def test_a_search_counted_in_looks_ends_at_the_same_point_and_is_no_ctrl_c():
    model = knapsack(60, 5, rows=20)
    whole, one, two = solve_mip(model), *(solve_mip(model, looks=40) for _ in range(2))
    assert (one.status, two.status, whole.status) == ("work_limit", "work_limit", "optimal")
    assert one.iterations == two.iterations < whole.iterations
    assert one.bound == two.bound < whole.objective
    np.testing.assert_array_equal(one.found, two.found)


def test_more_looks_than_it_takes_change_nothing():
    model = knapsack(30, 5, rows=5)
    assert solve_mip(model, looks=10**6).objective == solve_mip(model).objective


def test_a_relaxation_counted_in_iterations_ends_there_and_its_bound_holds():
    model = knapsack(60, 5, rows=20)
    whole = solve_lp(model, method="simplex")
    short = solve_lp(model, method="simplex", iterations=3)
    assert (short.status, short.values, whole.status) == ("work_limit", None, "optimal")
    assert short.bound <= whole.objective


LEAVES_WHILE_SOLVING = """
import threading, time
from siting.allocation.solve import solve_mip
from tests.allocation.test_solve import knapsack, solver_threads

given = {"args": (knapsack(200, 5, rows=40),), "kwargs": {"time_limit_s": 60}}
threading.Thread(target=solve_mip, daemon=True, **given).start()
while not solver_threads():
    time.sleep(0.01)
time.sleep(0.5)
print("leaving")
"""


def test_an_interpreter_that_ends_while_the_solver_runs_ends_in_order():
    begun = time.perf_counter()
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", LEAVES_WHILE_SOLVING], cwd=root, capture_output=True, text=True, timeout=50, check=False
    )
    assert (done.returncode, done.stdout.strip(), done.stderr.strip()) == (0, "leaving", "")
    assert time.perf_counter() - begun < 40


@pytest.mark.parametrize("field", ["cost", "row_lower", "col_upper"])
def test_a_model_with_nan_is_refused(field):
    good = {"cost": [1.0], "row_lower": [0.0], "col_upper": [1.0]}
    good[field] = [math.nan]
    with pytest.raises(ProblemError, match=field):
        LinearModel(good["cost"], csr_array([[1.0]]), good["row_lower"], 1.0, 0.0, good["col_upper"], True)
    with pytest.raises(ProblemError, match="matrix"):
        LinearModel([1.0], csr_array([[math.nan]]), 0.0, 1.0, 0.0, 1.0, True)
    with pytest.raises(ProblemError, match="entries"):
        LinearModel([1.0, 2.0], csr_array([[1.0]]), 0.0, 1.0, 0.0, 1.0, True)
