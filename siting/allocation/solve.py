"""HiGHS through arrays: a linear model in, values with a bound out; the only importer of highspy.

The solver runs in a thread of its own and asks, at every node, whether it should stop; Ctrl-C therefore ends it in an
orderly way and what it had found is returned. Neither its values nor its bounds are taken on trust (`answer_check`).
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import itertools
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from siting.allocation.answer_check import (
    Answer,
    Claim,
    fault_of,
    fault_of_relaxed,
    feasible,
    note_refused,
    scale,
)
from siting.allocation.linear import LinearModel
from siting.arrays import FloatArray
from siting.errors import SolverError
from siting.exact import PROVEN_SHARE
from siting.text import Progress, Text, silent

Status = Literal[
    "optimal", "within_gap", "time_limit", "work_limit", "interrupted", "infeasible", "unbounded", "refused"
]


@dataclass(frozen=True, slots=True)
class MipResult:
    """What the solver found: ``values`` is None only when the status is infeasible or unbounded.

    ``bound`` is the least any feasible point can cost (``-inf``: nothing known). ``optimal`` means that the
    objective meets the bound to the solver's tolerance; ``within_gap`` that it stopped at the gap asked; ``refused``
    that every answer was one that the model contradicts, so that what was known before is returned, without a bound.
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
    """The relaxation: values, row duals, and a bound that holds whatever the status."""

    values: FloatArray | None
    row_duals: FloatArray
    objective: float
    bound: float
    status: Status
    seconds: float


def solve_mip(
    model: LinearModel,
    *,
    start: FloatArray | None = None,
    time_limit_s: float = 60.0,
    looks: int | None = None,
    gap: float = 0.0,
    seed: int = 0,
    progress: Progress = silent,
) -> MipResult:
    """Minimise a mixed-integer linear model; Ctrl-C and the time limit return the best so far, if there is any.

    Whole columns come back exactly whole; the continuous ones are then solved again with those held, so that no
    rounding is left in them. An answer that the model contradicts is refused (`answer_check`) and the model solved
    again with presolve off; so is one that says there is none, which only another run can contradict.

    Parameters
    ----------
    model
        What to minimise.
    start
        A first feasible point, shape (n,); the result is never worse.
    time_limit_s
        Longest time, s; at 0 the start is returned.
    looks
        How often the solver may look whether to stop before it does: a measure of work that is the same on every
        machine, whatever else that does. None: no limit but the time.
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
        If the solver failed, stopped before it had any point, or contradicted itself and no point is known.
    KeyboardInterrupt
        If Ctrl-C came before there was any point.
    """
    begun = time.perf_counter()
    best = start.copy() if start is not None and feasible(model, start) else None
    if time_limit_s <= 0:
        return _ended(model, best, "time_limit", begun)
    if not model.matrix.shape[1]:
        return _of_no_columns(model, begun)
    took, denied = 0, False
    for careful in (False, True):
        left = time_limit_s - (time.perf_counter() - begun)
        if careful and left <= 0:
            return _ended(model, best, "time_limit", begun, took)
        options = {"mip_rel_gap": float(gap), "random_seed": int(seed) % 2**31}
        answer, iterations = _ask(_loaded(model, careful, left, **options), model, best, looks, progress)
        took += iterations
        fault = fault_of(model, answer, best, gap)
        if fault is not None and answer.claim != "unsettled":
            note_refused(fault)
        best = _better(model, best, answer.point)
        if denied and best is not None:
            note_refused("infeasible")
        if fault is None and answer.claim == "infeasible" and not careful:
            denied = True
        elif fault is None and answer.claim in ("infeasible", "unbounded"):
            return _none(answer.claim, begun, took)
        elif fault is None and answer.claim != "unsettled":
            return _ended(model, best, answer.claim, begun, took, bound=answer.bound)
        elif answer.claim == "interrupted":
            return _ended(model, best, "interrupted", begun, took)
    return _ended(model, best, "refused", begun, took)


def solve_lp(
    model: LinearModel, *, time_limit_s: float = 60.0, iterations: int | None = None, method: str = "choose"
) -> LpResult:
    """Solve the relaxation of a model (every column may be a fraction).

    An answer that the model contradicts is refused (`answer_check`) and the model solved again with presolve off.

    Parameters
    ----------
    model
        What to minimise; ``integral`` is ignored.
    time_limit_s
        Longest time, s.
    iterations
        Most iterations of the simplex: a measure of work that is the same on every machine. None: any number.
    method
        ``"choose"``, ``"simplex"`` or ``"ipm"``.

    Returns
    -------
    LpResult
        Its bound is recomputed from the duals (weak duality), so that it holds even when time ran out, and whatever the
        solver says.

    Raises
    ------
    SolverError
        If the solver failed, or contradicted itself twice.
    """
    begun = time.perf_counter()
    relaxed = model.relaxed()
    if not model.matrix.shape[1]:
        point = _of_no_columns(relaxed, begun)
        return LpResult(
            point.values, np.zeros(model.matrix.shape[0]), point.objective, point.bound, point.status, point.seconds
        )
    denied = False
    options: dict[str, object] = {"solver": method}
    if iterations is not None:
        options["simplex_iteration_limit"] = iterations
    for careful in (False, True):
        left = max(time_limit_s - (time.perf_counter() - begun), 0.0)
        answer, duals = _ask_relaxed(_loaded(relaxed, careful, left, **options), relaxed)
        fault = fault_of_relaxed(relaxed, answer)
        if fault is not None and answer.claim != "unsettled":
            note_refused(fault)
        if denied and answer.claim == "optimal" and fault is None:
            note_refused("infeasible")
        denied = fault is None and answer.claim == "infeasible" and not careful
        if fault is None and not denied and answer.claim != "unsettled":
            return LpResult(
                values=answer.point,
                row_duals=duals,
                objective=math.nan if answer.point is None else model.value(answer.point),
                bound=answer.bound,
                status=answer.claim,
                seconds=time.perf_counter() - begun,
            )
    raise _contradicted()


WRONG_RELEASES = frozenset({"1.14.0"})
"""Releases of HiGHS that give false proofs, which no check of an answer can see."""


@functools.cache
def _highs() -> tuple[Any, Callable[[], Any]]:
    """Return the solver's module, imported on first use, and what makes a solver that says nothing."""
    import highspy

    release = importlib.metadata.version("highspy")
    if release in WRONG_RELEASES:
        raise SolverError(
            Text(
                zh=f"求解器 highspy {release} 会给出错误的证明；请换一个版本：pip install --upgrade highspy",
                en=f"highspy {release} gives false proofs; install another release: pip install --upgrade highspy",
            )
        )

    def enable(self: Any) -> None:
        # the first call of a new solver, which would print its banner
        self.setOptionValue("output_flag", False)
        highspy.Highs.enableCallbacks(self)

    return highspy, type("SilentHighs", (highspy.Highs,), {"enableCallbacks": enable})


def _loaded(model: LinearModel, careful: bool, time_limit_s: float, **options: object) -> Any:
    """Return a silent solver that holds the model; a careful one leaves presolve out."""
    highs, make = _highs()
    solver = make()
    _set(solver, output_flag=False, parallel="off", mip_abs_gap=1e-6, time_limit=float(min(time_limit_s, 1e9)))
    _set(solver, **options, **({"presolve": "off"} if careful else {}))
    rows, cols = model.matrix.shape
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
        model.integral.astype(np.int32),
    )
    if done == highs.HighsStatus.kError:
        raise SolverError(Text(zh="求解器不接受该模型", en="the solver refused the model"))
    return solver


def _set(solver: Any, /, **options: object) -> None:
    """Set options, refusing any that this version of the solver does not know."""
    highs, _ = _highs()
    for name, value in options.items():
        if solver.setOptionValue(name, value) == highs.HighsStatus.kError:
            raise SolverError(
                Text(zh=f"求解器不接受选项 {name}={value}", en=f"the solver refused the option {name}={value}")
            )


def _ask(
    solver: Any, model: LinearModel, known: FloatArray | None, looks: int | None, progress: Progress
) -> tuple[Answer, int]:
    """Return what the solver claims of a model with whole columns, and the iterations that it took."""
    if known is not None:
        point = _highs()[0].HighsSolution()
        point.col_value = known.tolist()
        solver.setSolution(point)
    if looks is not None:
        _end_after(solver, looks)
    interrupted = _run(solver, progress)
    info = solver.getInfo()
    values = np.array(solver.getSolution().col_value) if info.primal_solution_status == 2 else None
    answer = Answer(
        claim=_claim(solver, interrupted),
        values=values,
        point=None if values is None else _polished(model, values),
        objective=info.objective_function_value,
        bound=_clean(info.mip_dual_bound),
    )
    return answer, max(0, int(info.simplex_iteration_count))


def _ask_relaxed(solver: Any, model: LinearModel) -> tuple[Answer, FloatArray]:
    """Return what the solver claims of a model without whole columns, and its row duals (0 where it has none)."""
    claim = _claim(solver, _run(solver, silent))
    found = solver.getSolution()
    duals = np.array(found.row_dual) if found.dual_valid else np.zeros(model.matrix.shape[0])
    values = np.array(found.col_value) if claim == "optimal" and found.value_valid else None
    point = None if values is None else np.clip(values, model.col_lower, model.col_upper)
    answer = Answer(
        claim=claim,
        values=values,
        point=point if point is None or feasible(model, point) else None,
        objective=solver.getInfo().objective_function_value,
        bound=model.dual_bound(duals),
    )
    return answer, duals


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


def _end_after(solver: Any, looks: int) -> None:
    """Let the solver end when it has looked so often whether to stop."""
    seen = itertools.count(1)

    def at_node(event: Any) -> None:
        if next(seen) >= looks:
            event.data_in.user_interrupt = True

    solver.cbMipInterrupt.subscribe(at_node)


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


def _claim(solver: Any, interrupted: bool) -> Claim:
    """Translate the solver's verdict; one that settles nothing is "unsettled"."""
    kind = _highs()[0].HighsModelStatus
    known: dict[Any, Claim] = {
        kind.kOptimal: "optimal",
        kind.kModelEmpty: "optimal",
        kind.kInfeasible: "infeasible",
        kind.kUnbounded: "unbounded",
        kind.kTimeLimit: "time_limit",
        kind.kIterationLimit: "work_limit",
        kind.kInterrupt: "interrupted" if interrupted else "work_limit",
    }
    return known.get(solver.getModelStatus(), "interrupted" if interrupted else "unsettled")


def _polished(model: LinearModel, values: FloatArray) -> FloatArray | None:
    """Return the point with whole columns exactly whole and the others solved again; None where that fails."""
    values = np.clip(values, model.col_lower, model.col_upper)
    whole = np.where(model.integral, np.rint(values), values)
    if model.integral.all() or np.array_equal(whole, values):
        return whole if feasible(model, whole) else None
    lower, upper = model.col_lower.copy(), model.col_upper.copy()
    lower[model.integral] = upper[model.integral] = whole[model.integral]
    again = solve_lp(model.with_bounds(lower, upper)).values
    for point in (None if again is None else np.where(model.integral, whole, again), whole):
        if point is not None and feasible(model, point):
            return point
    return None


def _better(model: LinearModel, known: FloatArray | None, found: FloatArray | None) -> FloatArray | None:
    """Return the better of two feasible points, either of which may be missing."""
    if known is None or found is None:
        return known if found is None else found
    return found if model.value(found) <= model.value(known) else known


def _none(claim: Literal["infeasible", "unbounded"], begun: float, took: int) -> MipResult:
    """Return that there is no answer."""
    return MipResult(None, math.nan, math.nan, claim, time.perf_counter() - begun, took)


def _ended(
    model: LinearModel,
    best: FloatArray | None,
    status: Status,
    begun: float,
    took: int = 0,
    *,
    bound: float = -math.inf,
) -> MipResult:
    """Return the best point with a bound, or say that there is none."""
    if best is None and status == "interrupted":
        raise KeyboardInterrupt
    if best is None and status == "refused":
        raise _contradicted()
    if best is None:
        raise SolverError(
            Text(
                zh="求解器在找到任何可行解之前就停止了；请放宽时间限制",
                en="the solver stopped before it had any feasible answer; allow it more time",
            )
        )
    objective = model.value(best)
    if status == "optimal" and objective - bound > PROVEN_SHARE * scale(objective) + 2e-6:
        status = "within_gap"
    return MipResult(best, objective, min(bound, objective), status, time.perf_counter() - begun, took)


def _contradicted() -> SolverError:
    return SolverError(
        Text(
            zh="求解器的答案两次与模型不符；请换一个版本的 highspy",
            en="twice the solver gave an answer that the model contradicts; install another release of highspy",
        )
    )


def _of_no_columns(model: LinearModel, begun: float) -> MipResult:
    """Answer a model without columns: its offset, if no row asks for anything."""
    nothing = np.zeros(0)
    seconds = time.perf_counter() - begun
    if not feasible(model, nothing):
        return MipResult(None, math.nan, math.nan, "infeasible", seconds)
    return MipResult(nothing, model.offset, model.offset, "optimal", seconds)


def _clean(bound: float) -> float:
    """Return the bound, ``-inf`` where the solver had none."""
    return bound if math.isfinite(bound) and abs(bound) < 1e20 else -math.inf
