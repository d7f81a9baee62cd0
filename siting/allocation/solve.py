"""HiGHS through arrays: a linear model in, values with a bound out; the only importer of highspy.

The solver runs in a thread of its own and asks, at every node, whether it should stop; Ctrl-C therefore ends it in an
orderly way and what it had found is returned. A bound is never taken on trust from a run that failed.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from siting.allocation.linear import LinearModel
from siting.arrays import FloatArray
from siting.errors import SolverError
from siting.text import Progress, Text, silent

Status = Literal["optimal", "within_gap", "time_limit", "interrupted", "infeasible", "unbounded"]

FEASIBILITY = 1e-6
"""How much a row or a bound may be missed by, in the units of the row (the solver's own tolerance)."""


@dataclass(frozen=True, slots=True)
class MipResult:
    """What the solver found: ``values`` is None only when the status is infeasible or unbounded.

    ``bound`` is the least any feasible point can cost (``-inf``: nothing known). ``optimal`` means that the
    objective meets the bound to the solver's tolerance; ``within_gap`` that it stopped at the gap asked.
    ``iterations`` of the simplex say what the search took in a measure that is the same on every machine.
    """

    values: FloatArray | None
    objective: float
    bound: float
    status: Status
    seconds: float
    iterations: int = 0

    @property
    def found(self) -> FloatArray:
        """Return the values, or raise SolverError where there are none."""
        if self.values is None:
            raise SolverError(
                Text(zh=f"求解器没有给出解：{self.status}", en=f"the solver has no answer: {self.status}")
            )
        return self.values


@dataclass(frozen=True, slots=True)
class LpResult:
    """The relaxation: values, row duals, reduced costs, and a bound that holds whatever the status."""

    values: FloatArray | None
    row_duals: FloatArray
    reduced_costs: FloatArray
    objective: float
    bound: float
    status: Status
    seconds: float


def solve_mip(
    model: LinearModel,
    *,
    start: FloatArray | None = None,
    time_limit_s: float = 60.0,
    gap: float = 0.0,
    seed: int = 0,
    progress: Progress = silent,
) -> MipResult:
    """Minimise a mixed-integer linear model; Ctrl-C and the time limit return the best so far.

    Whole columns come back exactly whole; the continuous ones are then solved again with those held, so that no
    rounding is left in them.

    Parameters
    ----------
    model
        What to minimise.
    start
        A first feasible point, shape (n,); the result is never worse.
    time_limit_s
        Longest time, s; at 0 the start is returned.
    gap
        Relative gap at which to stop, share.
    seed
        The solver's random seed.
    progress
        Told the gap as it closes.

    Returns
    -------
    MipResult
        With ``values`` None when proven infeasible or unbounded.

    Raises
    ------
    SolverError
        If the solver failed, or stopped before it had any point.
    """
    begun = time.perf_counter()
    if start is not None and model.violation(start) > FEASIBILITY:
        start = None
    if time_limit_s <= 0:
        return _from_start(model, start, -math.inf, "time_limit", begun)
    if not model.matrix.shape[1]:
        return _of_no_columns(model, begun)
    solver = _loaded(model, relaxed=False)
    _set(solver, time_limit=float(min(time_limit_s, 1e9)), mip_rel_gap=float(gap), random_seed=int(seed) % 2**31)
    if start is not None:
        point = _highspy().HighsSolution()
        point.col_value = start.tolist()
        solver.setSolution(point)
    interrupted = _run(solver, progress)
    status = _status(solver, interrupted)
    info = solver.getInfo()
    took = max(0, int(info.simplex_iteration_count))
    if status in ("infeasible", "unbounded"):
        return MipResult(None, math.nan, math.nan, status, time.perf_counter() - begun, took)
    bound = _clean(info.mip_dual_bound)
    values = np.array(solver.getSolution().col_value) if info.primal_solution_status == 2 else None
    if values is not None:
        values = _polished(model, values)
    if values is None or (start is not None and model.value(values) > model.value(start)):
        return replace(_from_start(model, start, bound, status, begun), iterations=took)
    objective = model.value(values)
    if status == "optimal" and objective - bound > 1e-9 * max(1.0, abs(objective)) + 2e-6:
        status = "within_gap"
    return MipResult(values, objective, min(bound, objective), status, time.perf_counter() - begun, took)


def solve_lp(model: LinearModel, *, time_limit_s: float = 60.0, method: str = "choose") -> LpResult:
    """Solve the relaxation of a model (every column may be a fraction).

    Parameters
    ----------
    model
        What to minimise; ``integral`` is ignored.
    time_limit_s
        Longest time, s.
    method
        ``"choose"``, ``"simplex"`` or ``"ipm"``.

    Returns
    -------
    LpResult
        Its bound is recomputed from the duals (weak duality), so that it holds even when time ran out.

    Raises
    ------
    SolverError
        If the solver failed.
    """
    begun = time.perf_counter()
    rows, cols = model.matrix.shape
    if not cols:
        point = _of_no_columns(model, begun)
        return LpResult(
            point.values, np.zeros(rows), np.zeros(0), point.objective, point.bound, point.status, point.seconds
        )
    solver = _loaded(model, relaxed=True)
    _set(solver, time_limit=float(min(time_limit_s, 1e9)), solver=method)
    interrupted = _run(solver, silent)
    status = _status(solver, interrupted)
    answer = solver.getSolution()
    duals = np.array(answer.row_dual) if answer.dual_valid else np.zeros(rows)
    values = np.array(answer.col_value) if status == "optimal" else None
    return LpResult(
        values=values,
        row_duals=duals,
        reduced_costs=model.cost - model.matrix.T @ duals,
        objective=model.value(values) if values is not None else math.nan,
        bound=model.dual_bound(duals),
        status=status,
        seconds=time.perf_counter() - begun,
    )


def _highspy() -> Any:
    """Return the solver's module, imported on first use."""
    import highspy

    return highspy


def _loaded(model: LinearModel, *, relaxed: bool) -> Any:
    """Return a silent solver that holds the model."""
    highs = _highspy()
    solver = highs.Highs()
    _set(solver, output_flag=False, parallel="off", mip_abs_gap=1e-6)
    rows, cols = model.matrix.shape
    whole = np.zeros(cols, dtype=np.int32) if relaxed else model.integral.astype(np.int32)
    matrix = model.matrix
    done = solver.passModel(
        cols,
        rows,
        matrix.nnz,
        2,  # row-wise
        1,  # minimise
        float(model.offset),
        model.cost,
        model.col_lower,
        model.col_upper,
        model.row_lower,
        model.row_upper,
        matrix.indptr.astype(np.int32),
        matrix.indices.astype(np.int32),
        matrix.data,
        whole,
    )
    if done == highs.HighsStatus.kError:
        raise SolverError(Text(zh="求解器不接受该模型", en="the solver refused the model"))
    return solver


def _set(highs_solver: Any, **options: object) -> None:
    """Set options, refusing any that this version of the solver does not know."""
    highs = _highspy()
    for name, value in options.items():
        if highs_solver.setOptionValue(name, value) == highs.HighsStatus.kError:
            raise SolverError(
                Text(zh=f"求解器不接受选项 {name}={value}", en=f"the solver refused the option {name}={value}")
            )


def _run(solver: Any, progress: Progress) -> bool:
    """Run the solver in a thread, which has ended when this returns or raises; return whether Ctrl-C ended it."""
    stop, finished = threading.Event(), threading.Event()
    seen: dict[str, float] = {}
    faults: list[Exception] = []

    def at_node(event: Any) -> None:
        seen["best"], seen["bound"] = event.data_out.mip_primal_bound, event.data_out.mip_dual_bound
        # an interpreter that is ending waits for the thread: C++ does not survive being ended from outside
        if stop.is_set() or not threading.main_thread().is_alive():
            event.data_in.user_interrupt = True

    def work() -> None:
        try:
            solver.run()
        except Exception as error:
            faults.append(error)
        finally:
            finished.set()

    for event in (solver.cbMipInterrupt, solver.cbSimplexInterrupt, solver.cbIpmInterrupt):
        event.subscribe(at_node)
    worker = threading.Thread(target=work, name="HiGHS", daemon=False)
    interrupted = False
    try:
        _start(worker, finished)
        while not finished.wait(0.1):
            _tell(progress, seen)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        _end(worker, stop, finished)
    if faults:
        raise SolverError(Text(zh=f"求解器失败：{faults[0]}", en=f"the solver failed: {faults[0]}")) from faults[0]
    return interrupted


def _start(worker: threading.Thread, finished: threading.Event) -> None:
    """Start the thread, or say that the system gives none."""
    try:
        worker.start()
    except RuntimeError as error:
        finished.set()
        raise SolverError(Text(zh=f"求解器失败：{error}", en=f"the solver failed: {error}")) from error


def _end(worker: threading.Thread, stop: threading.Event, finished: threading.Event) -> None:
    """Stop the solver where it still runs and wait for it, however often Ctrl-C is pressed.

    An event, not the thread: a ``Thread.join`` that Ctrl-C interrupts takes the thread for ended while it still runs.
    """
    while not finished.is_set():
        with contextlib.suppress(KeyboardInterrupt):
            stop.set()
            finished.wait(0.1)
    if worker.ident is not None:
        with contextlib.suppress(KeyboardInterrupt):
            worker.join()


def _tell(progress: Progress, seen: dict[str, float]) -> None:
    """Report the gap so far."""
    best, bound = seen.get("best", math.inf), seen.get("bound", -math.inf)
    if math.isfinite(best) and math.isfinite(bound) and abs(best) < 1e20 and abs(bound) < 1e20:
        gap = abs(best - bound) / max(abs(best), 1e-9)
        progress(Text(zh=f"求解，差距 {gap:.2%}", en=f"solving, gap {gap:.2%}"), None)
    else:
        progress(Text(zh="求解", en="solving"), None)


def _status(solver: Any, interrupted: bool) -> Status:
    """Translate the solver's verdict; an unusable one is an error."""
    kind = _highspy().HighsModelStatus
    verdict = solver.getModelStatus()
    if verdict == kind.kUnboundedOrInfeasible:
        _set(solver, presolve="off")
        interrupted = _run(solver, silent) or interrupted
        verdict = solver.getModelStatus()
    known: dict[Any, Status] = {
        kind.kOptimal: "optimal",
        kind.kModelEmpty: "optimal",
        kind.kInfeasible: "infeasible",
        kind.kUnbounded: "unbounded",
        kind.kTimeLimit: "time_limit",
        kind.kInterrupt: "interrupted",
    }
    if verdict in known:
        return known[verdict]
    if interrupted:
        return "interrupted"
    name = solver.modelStatusToString(verdict)
    raise SolverError(Text(zh=f"求解器失败：{name}", en=f"the solver failed: {name}"))


def _polished(model: LinearModel, values: FloatArray) -> FloatArray | None:
    """Return the point with whole columns exactly whole and the others solved again; None where that fails."""
    values = np.clip(values, model.col_lower, model.col_upper)
    whole = np.where(model.integral, np.rint(values), values)
    if model.integral.all() or np.array_equal(whole, values):
        return whole if model.violation(whole) <= FEASIBILITY else None
    lower, upper = model.col_lower.copy(), model.col_upper.copy()
    lower[model.integral] = upper[model.integral] = whole[model.integral]
    again = solve_lp(model.with_bounds(lower, upper)).values
    if again is not None:
        return np.where(model.integral, whole, np.clip(again, lower, upper))
    return whole if model.violation(whole) <= FEASIBILITY else None


def _from_start(model: LinearModel, start: FloatArray | None, bound: float, status: Status, begun: float) -> MipResult:
    """Return the start as the answer, or say that there is none."""
    if start is None:
        raise SolverError(
            Text(
                zh="求解器在找到任何可行解之前就停止了；请放宽时间限制",
                en="the solver stopped before it had any feasible answer; allow it more time",
            )
        )
    objective = model.value(start)
    if status == "optimal" and objective - bound > 1e-9 * max(1.0, abs(objective)) + 2e-6:
        status = "within_gap"
    return MipResult(start.copy(), objective, min(bound, objective), status, time.perf_counter() - begun)


def _of_no_columns(model: LinearModel, begun: float) -> MipResult:
    """Answer a model without columns: its offset, if no row asks for anything."""
    nothing = np.zeros(0)
    seconds = time.perf_counter() - begun
    if model.violation(nothing) > FEASIBILITY:
        return MipResult(None, math.nan, math.nan, "infeasible", seconds)
    return MipResult(nothing, model.offset, model.offset, "optimal", seconds)


def _clean(bound: float) -> float:
    """Return the bound, ``-inf`` where the solver had none."""
    return bound if math.isfinite(bound) and abs(bound) < 1e20 else -math.inf
