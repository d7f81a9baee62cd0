"""How fast p-medians and p-centers are proven, how close large ones come to their bounds, and how long peers take.

Run ``python -m tests.benchmarks.median_benchmark [pmed] [cpmp] [streets] [large] [build] [--data FOLDER]``; tiny ones
run with the tests. Every kernel is compiled before the clock starts. The p-median of 20,000 x 5,000 needs about 4 GB,
1.3 of them for its distances.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from siting.allocation import make_problem, p_center, p_median
from siting.allocation.linear import LinearModel
from siting.allocation.median_bound import Survivors, survivors_model
from siting.allocation.median_core import median_core
from siting.allocation.solve import solve_mip
from tests.benchmarks.siting_benchmark import line, timed
from tests.benchmarks.siting_instances import all_pairs, read_cpmp, read_pmed


def warm_up() -> None:
    """Compile every kernel of the distance models."""
    rng = np.random.default_rng(0)
    far, weights = rng.integers(1, 99, (60, 30)).astype(float), rng.integers(1, 9, 60).astype(float)
    p_median(far, weights, sites=5)
    p_median(far, weights, sites=9, capacity=80, time_limit_s=1)
    p_center(far, sites=5)


def published(folder: Path) -> list[str]:
    """Solve every p-median and p-center of the OR-Library; mark those that are not the published optimum, proven."""
    lines = []
    for name, solve in (("p_median", p_median), ("p_center", p_center)):
        rows = (folder / f"{name}_optima.csv").read_text(encoding="utf-8").split()[1:]
        for stem, optimum in (row.split(",") for row in rows):
            far, sites = read_pmed(folder / f"{stem}.txt")
            found, seconds = timed(solve, far, sites=sites)
            right = found.proven and found.objective == float(optimum)
            lines.append(line(f"{name} {stem}", found, seconds) + ("" if right else "  MISSED"))
    return lines


def capacitated(folder: Path) -> list[str]:
    """Solve every capacitated p-median of the OR-Library; mark those above the best known or not proven."""
    lines = []
    for number in range(1, 11):
        far, demand, sites, capacity, best = read_cpmp(folder / f"pmedcap1_{number}.txt")
        found, seconds = timed(p_median, far, demand=demand, capacity=capacity, sites=sites)
        right = found.proven and found.objective == best
        lines.append(line(f"cpmp {number}", found, seconds) + ("" if right else "  MISSED"))
    return lines


def plain_model(problem) -> LinearModel:
    """Return the p-median with every pair, as the textbook has it."""
    core = median_core(problem)
    n, m = problem.shape
    rows = np.repeat(np.arange(n), np.diff(problem.pairs.indptr))
    cost = problem.weights[rows] * problem.pairs.data
    none, every = np.zeros(0, dtype=np.int64), np.arange(m)
    alone = np.full(n, np.inf)
    return survivors_model(core, Survivors(none, every, alone, rows, problem.pairs.indices.astype(np.int64), cost), 1e3)


def streets(homes: int, sites: int, chosen: list[int], *, nodes: int = 20_397, limit: float = 60.0) -> list[str]:
    """Prove p-medians on a made street network, and time the plain model and, where installed, the peers."""
    far, weights = all_pairs(homes, sites, nodes=nodes)
    lines = []
    for p in chosen:
        found, ours = timed(p_median, far, weights, sites=p)
        lines.append(line(f"p-median {homes}x{sites} p={p}", found, ours))
        for name, peer in PEERS.items():
            begun = time.perf_counter()
            try:
                value = peer(far, weights, p, limit)
            except RuntimeError as error:  # spopt raises where it has no answer in time
                lines.append(f"  {name:24} {str(error).split('.')[0]} in {time.perf_counter() - begun:.2f} s")
                continue
            seconds = time.perf_counter() - begun
            if value is not None:
                shown = f"{value:14,.0f}  {seconds:7.2f} s  {seconds / ours:6.1f} x"
                lines.append(f"  {name:24} {shown}  {value / found.objective - 1:+.4%}")
    return lines


def by_plain_model(far, weights, p: int, limit: float) -> float | None:
    """Solve the plain model with the exact solver and no start."""
    result = solve_mip(plain_model(make_problem("p_median", far, weights=weights, sites=p)), time_limit_s=limit)
    return result.objective * 1e3


def by_pbp(far, weights, p: int, limit: float) -> float | None:
    """Solve with pbp-pmedian; None where it is not installed."""
    try:
        import pbp_pmedian
    except ImportError:
        return None
    return pbp_pmedian.solve((weights[:, None] * far.toarray()).T, p)[0]


def by_spopt(far, weights, p: int, limit: float) -> float | None:
    """Solve with spopt and HiGHS through its modelling library; None where it is not installed."""
    try:
        import pulp
        from spopt.locate import PMedian
    except ImportError:
        return None
    model = PMedian.from_cost_matrix(far.toarray(), weights, p)
    return model.solve(pulp.PULP_CBC_CMD(msg=False, timeLimit=limit)).problem.objective.value()


PEERS = {"HiGHS, plain model": by_plain_model, "pbp-pmedian": by_pbp, "spopt + CBC": by_spopt}


def large(homes: int, sites: int, chosen: list[int], *, limit: float, nodes: int = 20_397) -> list[str]:
    """Search large p-medians under a time limit."""
    far, weights = all_pairs(homes, sites, nodes=nodes)
    lines = []
    for p in chosen:
        found, seconds = timed(p_median, far, weights, sites=p, time_limit_s=limit)
        lines.append(line(f"p-median {homes}x{sites} p={p}, {limit:g} s", found, seconds))
        del found
    return lines


def building(homes: int, sites: int, *, nodes: int = 20_397) -> list[str]:
    """Time the building of the plain model alone, here and in spopt (where it is installed)."""
    far, weights = all_pairs(homes, sites, nodes=nodes)
    begun = time.perf_counter()
    plain_model(make_problem("p_median", far, weights=weights, sites=20))
    ours = time.perf_counter() - begun
    lines = [f"build p-median {homes}x{sites}: {ours:.3f} s"]
    try:
        from spopt.locate import PMedian
    except ImportError:
        return [*lines, "spopt is not installed"]
    dense = far.toarray()
    begun = time.perf_counter()
    PMedian.from_cost_matrix(dense, weights, 20)
    theirs = time.perf_counter() - begun
    return [*lines, f"spopt: {theirs:.2f} s ({theirs / ours:.0f} x)"]


def main() -> None:
    """Run the parts named on the command line, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts = ["pmed", "cpmp", "streets", "large", "build"]
    parser.add_argument("parts", nargs="*", default=parts, choices=parts)
    parser.add_argument(
        "--data", type=Path, default=Path(__file__).resolve().parents[3] / "shared" / "data" / "benchmarks"
    )
    chosen = parser.parse_args()
    warm_up()
    if "pmed" in chosen.parts:
        print("\n".join(published(chosen.data / "pmed")), flush=True)
    if "cpmp" in chosen.parts:
        print("\n".join(capacitated(chosen.data / "cpmp")), flush=True)
    if "streets" in chosen.parts:
        print("\n".join(streets(1000, 200, [20, 100])), flush=True)
    if "large" in chosen.parts:
        print("\n".join(large(5000, 1000, [20, 100], limit=10.0)), flush=True)
        print("\n".join(large(20_000, 5000, [20, 100], limit=60.0)), flush=True)
    if "build" in chosen.parts:
        print("\n".join(building(1000, 200)), flush=True)


if __name__ == "__main__":
    main()
