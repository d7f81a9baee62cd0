"""How fast p-medians and p-centers are proven, how close large ones come to their bounds, and how long peers take.

Run ``python -m tests.benchmarks.median_benchmark [pmed] [cpmp] [streets] [large] [build] [--data FOLDER]``; tiny ones
run with the tests. Every kernel is compiled before the clock starts. Each number of sites of ``streets`` and ``large``
gets a process of its own (``--sites 20`` for one alone): the memory told is that of one instance and one answer, and
a peer that crashes ends no other row. Ours and all peers stand in one process, on one instance, one after the other.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from siting.allocation import p_center, p_median
from tests.benchmarks.fresh import peak_gb, run_fresh
from tests.benchmarks.median_peers import PEERS, beside, plain_model
from tests.benchmarks.siting_benchmark import line, timed
from tests.benchmarks.siting_instances import all_pairs, read_cpmp, read_pmed

PEER_S = 60.0
"""Time limit of a peer, s; what it builds before it solves comes on top."""

SITES = (20, 100)


def warm_up() -> None:
    """Compile every kernel of the distance models."""
    rng = np.random.default_rng(0)
    far, weights = rng.integers(1, 99, (60, 30)).astype(float), rng.integers(1, 9, 60).astype(float)
    p_median(far, weights, sites=5)
    p_median(far, weights, sites=9, capacity=80, time_limit_s=1)
    p_center(far, sites=5)
    for homes, places in ((300, 60), (1000, 200)):  # streets give their pairs sparse, and the larger one needs the tree
        far, weights = all_pairs(homes, places, nodes=2000)
        p_median(far, weights, sites=places // 10)


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


def streets(
    homes: int, sites: int, p: int, *, nodes: int = 20_397, limit_s: float = PEER_S, peers: tuple[str, ...] = ()
) -> Iterator[str]:
    """Prove a p-median on a made street network, then let every peer that is installed (or those named) try it."""
    far, weights = all_pairs(homes, sites, nodes=nodes)
    found, seconds = timed(p_median, far, weights, sites=p)
    yield line(f"p-median {homes}x{sites} p={p}", found, seconds) + f"  peak {peak_gb():.2f} GB"
    for peer in PEERS:
        if peer.installed and (not peers or peer.name in peers):
            yield beside(peer, far, weights, p, limit_s, found.objective, seconds) + f"  peak {peak_gb():.2f} GB"


def large(homes: int, sites: int, p: int, *, limit_s: float, nodes: int = 20_397) -> str:
    """Search a large p-median under a time limit."""
    far, weights = all_pairs(homes, sites, nodes=nodes)
    found, seconds = timed(p_median, far, weights, sites=p, time_limit_s=limit_s)
    return line(f"p-median {homes}x{sites} p={p}, {limit_s:g} s", found, seconds) + f"  peak {peak_gb():.2f} GB"


def building(homes: int, sites: int, *, nodes: int = 20_397) -> list[str]:
    """Time the building of the plain model alone, here (the median of five) and in spopt (where it is installed)."""
    far, weights = all_pairs(homes, sites, nodes=nodes)
    ours = statistics.median(timed(plain_model, far, weights, 20)[1] for _ in range(5))
    lines = [f"build p-median {homes}x{sites}: {ours:.4f} s"]
    try:
        from spopt.locate import PMedian
    except ImportError:
        return [*lines, "spopt is not installed"]
    dense = far.toarray()
    _, theirs = timed(PMedian.from_cost_matrix, dense, weights, 20)
    return [*lines, f"spopt: {theirs:.2f} s ({theirs / ours:.0f} x), peak {peak_gb():.2f} GB"]


def alone(part: str, p: int, peers: tuple[str, ...] = ()) -> None:
    """Run one number of sites in a process of its own; where a peer ends it, run each peer again by itself."""
    arguments = [part, "--here", "--sites", str(p), *(["--peers", *peers] if peers else [])]
    code = run_fresh("tests.benchmarks.median_benchmark", arguments, patience_s=300 + 2 * PEER_S * len(PEERS))
    if code:
        print(f"  {part} p={p} {' '.join(peers)} ended with exit code {code}", flush=True)
        for peer in PEERS if part == "streets" and not peers else ():
            alone(part, p, (peer.name,))


def run_here(parts: list[str], sites: list[int], peers: tuple[str, ...]) -> None:
    """Run ``streets`` and ``large`` in this process."""
    for p in sites:
        for row in streets(1000, 200, p, peers=peers) if "streets" in parts else ():
            print(row, flush=True)
        for homes, places, limit_s in ((5000, 1000, 10.0), (20_000, 5000, 60.0)) if "large" in parts else ():
            print(large(homes, places, p, limit_s=limit_s), flush=True)


def main() -> None:
    """Run the parts named on the command line, or all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts = ["pmed", "cpmp", "streets", "large", "build"]
    parser.add_argument("parts", nargs="*", default=parts, choices=parts)
    parser.add_argument(
        "--data", type=Path, default=Path(__file__).resolve().parents[3] / "shared" / "data" / "benchmarks"
    )
    parser.add_argument("--sites", type=int, nargs="+", default=SITES, help="numbers of sites of streets and large")
    parser.add_argument("--peers", nargs="+", default=[], choices=[peer.name for peer in PEERS])
    parser.add_argument("--here", action="store_true", help="streets and large in this process, not one for each")
    asked = parser.parse_args()
    if asked.here or set(asked.parts) & {"pmed", "cpmp"}:
        warm_up()
    for part, table in (("pmed", published), ("cpmp", capacitated)):
        if part in asked.parts:
            print("\n".join(table(asked.data / part)), flush=True)
    if asked.here:
        run_here(asked.parts, asked.sites, tuple(asked.peers))
    else:
        for part in ("streets", "large"):
            for p in asked.sites if part in asked.parts else ():
                alone(part, p, tuple(asked.peers) if part == "streets" else ())
    if "build" in asked.parts:
        print("\n".join(building(1000, 200)), flush=True)


if __name__ == "__main__":
    main()
