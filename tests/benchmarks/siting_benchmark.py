"""How fast and how close to their bounds the cover models get, and how long peers take to build theirs.

Run ``python -m tests.benchmarks.siting_benchmark [scp] [cover] [large] [build] [--towns N] [--data FOLDER]``; tiny ones
run with the tests.
The first call of each kernel compiles it, so every model is solved once on a tiny instance before the clock starts.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from siting.allocation import Solution, make_problem, max_cover, set_cover
from siting.allocation.cover_models import max_cover_model, set_cover_model
from siting.allocation.solve import solve_lp
from tests.benchmarks.siting_instances import homes_and_sites, read_scp


def warm_up() -> None:
    """Compile every kernel of the cover models."""
    rng = np.random.default_rng(0)
    covers = rng.random((200, 60)) < 0.05
    covers[:, 0] |= ~covers.any(axis=1)
    set_cover(covers, time_limit_s=0.2)
    max_cover(covers, rng.integers(1, 9, 200), sites=9, time_limit_s=0.2)


def line(name: str, found: Solution, seconds: float, relaxed: float | None = None) -> str:
    """Return one result as a line: value, own bound, distance to the LP bound where that is known, seconds."""
    text = f"{name:34} {found.objective:12,.0f}  bound {found.bound:12,.1f}  gap {found.gap:8.3%}"
    if relaxed is not None:
        text += f"  LP {relaxed:12,.2f}  from LP {abs(found.objective - relaxed) / relaxed:8.3%}"
    return f"{text}  {seconds:6.2f} s  {'proven' if found.proven else ''}"


def timed(solve, *given, **options) -> tuple[Solution, float]:
    """Return a solution and its wall time."""
    begun = time.perf_counter()
    return solve(*given, **options), time.perf_counter() - begun


def published_set_covers(folder: Path) -> list[str]:
    """Solve every set cover of the OR-Library in a folder; mark those that are not the published optimum, proven."""
    optima = dict(row.split(",") for row in (folder / "optima.csv").read_text(encoding="utf-8").split()[1:])
    lines = []
    for path in sorted(folder.glob("scp*.txt")):
        covers, cost = read_scp(path)
        found, seconds = timed(set_cover, covers, cost=cost, time_limit_s=10)
        right = found.proven and found.objective == float(optima[path.stem])
        lines.append(line(path.stem, found, seconds) + ("" if right else "  MISSED"))
    return lines


def relaxation(problem) -> float:
    """Return the value of the LP relaxation (of the set cover from below, of the max cover from above)."""
    model = max_cover_model(problem) if problem.maximise else set_cover_model(problem)
    return abs(solve_lp(model, time_limit_s=900, method="ipm").bound)


def street_covers(
    homes: int, sites: int, *, nodes: int = 20_397, most: int = 100, seconds=(1.0, 3.0), town: int = 0
) -> list[str]:
    """Solve the set cover and the max cover of one instance on a made street network under several time limits."""
    distance, households = homes_and_sites(homes, sites, nodes=nodes, seed=town)
    lines = []
    least = make_problem("set_cover", distance)
    best = make_problem("max_cover", distance, weights=households, sites=most)
    relaxed = relaxation(least)
    for limit in seconds:
        found, taken = timed(set_cover, distance, time_limit_s=limit)
        lines.append(line(f"LSCP {homes}x{sites}, {limit:g} s", found, taken, relaxed))
    relaxed = min(relaxation(best), float(households.sum()))
    for limit in seconds:
        found, taken = timed(max_cover, distance, households, sites=most, time_limit_s=limit)
        lines.append(line(f"MCLP {homes}x{sites} p={most}, {limit:g} s", found, taken, relaxed))
    return lines


def building(homes: int, sites: int, *, nodes: int = 20_397) -> list[str]:
    """Time the building of the model alone, here and in spopt (where it is installed), from one dense matrix."""
    distance, households = homes_and_sites(homes, sites, nodes=nodes)
    dense = np.full(distance.shape, np.inf)
    pairs = distance.tocoo()
    dense[pairs.row, pairs.col] = pairs.data
    sparse = csr_array(distance)
    begun = time.perf_counter()
    set_cover_model(make_problem("set_cover", sparse))
    ours = time.perf_counter() - begun
    begun = time.perf_counter()
    max_cover_model(make_problem("max_cover", sparse, weights=households, sites=20))
    ours_max = time.perf_counter() - begun
    lines = [f"build LSCP {homes}x{sites}: {ours:.4f} s; MCLP {ours_max:.4f} s"]
    try:
        from spopt.locate import LSCP, MCLP
    except ImportError:
        return [*lines, "spopt is not installed"]
    begun = time.perf_counter()
    LSCP.from_cost_matrix(dense, 1250.0)
    theirs = time.perf_counter() - begun
    begun = time.perf_counter()
    MCLP.from_cost_matrix(dense, households, 1250.0, p_facilities=20)
    theirs_max = time.perf_counter() - begun
    return [
        *lines,
        f"spopt: LSCP {theirs:.2f} s ({theirs / ours:.0f} x), MCLP {theirs_max:.2f} s ({theirs_max / ours_max:.0f} x)",
    ]


def main() -> None:
    """Run the parts named on the command line, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts = ["scp", "cover", "large", "build"]
    parser.add_argument("parts", nargs="*", default=parts, choices=parts)
    parser.add_argument(
        "--data", type=Path, default=Path(__file__).resolve().parents[3] / "shared" / "data" / "benchmarks"
    )
    parser.add_argument("--towns", type=int, default=4, help="made towns in which to solve the covers of 5000x1000")
    chosen = parser.parse_args()
    warm_up()
    if "scp" in chosen.parts:
        print("\n".join(published_set_covers(chosen.data / "scp")))
    if "cover" in chosen.parts:
        for town in range(chosen.towns):
            print("\n".join([f"made town {town}", *street_covers(5000, 1000, town=town)]), flush=True)
    if "large" in chosen.parts:
        print("\n".join(street_covers(20_000, 5000, seconds=(15.0,))))
    if "build" in chosen.parts:
        print("\n".join(building(5000, 1000)))


if __name__ == "__main__":
    main()
