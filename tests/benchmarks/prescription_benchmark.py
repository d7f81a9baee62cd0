"""How far the prescription gets on a made county, and on a study.

Run ``python -m tests.benchmarks.prescription_benchmark`` for 2,000 communities and 1,000 actions in 180 s, or with
``--study study.toml`` for a study of your own; a tiny one runs with the tests.
"""

from __future__ import annotations

import argparse
import time

import siting
from siting.allocation import Plan, PlanOptions, Situation, prescribe
from tests.allocation.made_situations import made_situation


def situation_of(path: str) -> Situation:
    """Return the situation of a study."""
    from siting.coverage import measure_access
    from siting.study import measure, prepare

    study = siting.read_study(path)
    ready = prepare(study)
    tables, net = ready.tables, ready.network
    access = measure_access(tables.communities, tables.facilities, net, study.standard, demand=ready.demand)
    card = measure(ready, with_plan=False).scorecard
    return Situation.from_study(
        tables.communities, tables.facilities, tables.candidates, net, access, card, rules=study.sites
    )


def run(situation: Situation, options: PlanOptions) -> tuple[Plan, float]:
    """Return the plan and the seconds it took in all."""
    begun = time.perf_counter()
    plan = prescribe(situation, options)
    return plan, time.perf_counter() - begun


def main() -> None:
    """Print the stages with their gaps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--study")
    parser.add_argument("--communities", type=int, default=2000)
    parser.add_argument("--actions", type=int, default=1000)
    parser.add_argument("--budget", type=float)
    parser.add_argument("--compliance", default="most")
    parser.add_argument("--time-limit-s", type=float, default=180.0)
    parser.add_argument("--gap", type=float, default=0.001)
    args = parser.parse_args()
    extensions = args.actions // 5
    situation = (
        situation_of(args.study)
        if args.study
        else made_situation(args.communities, args.actions - extensions, extensions=extensions)
    )
    options = PlanOptions(budget=args.budget, compliance=args.compliance, time_limit_s=args.time_limit_s, gap=args.gap)
    plan, seconds = run(situation, options)
    print(
        f"{len(situation.community_id)} communities, {len(situation.actions)} actions: {seconds:.1f} s, {plan.status}"
    )
    for stage in plan.stages:
        print(
            f"  {stage.id:13} {stage.value:14.2f}  bound {stage.bound:14.2f}  gap {stage.gap:.3%}"
            f"  {stage.proof}  {stage.seconds:.1f} s"
        )
    faults = [fault.en for fault in plan.check()]
    print("  check:", faults or "no fault")


if __name__ == "__main__":
    main()
