"""By hand: ``python -m tests.mutations --each 500``; one case again: ``--only csv:17``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.mutations.attempt import attempts_of
from tests.mutations.kinds import KINDS

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--each", type=int, default=100)
parser.add_argument("--kinds", default=",".join(KINDS))
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--only", default="")
asked = parser.parse_args()
bad = 0
with tempfile.TemporaryDirectory() as place:
    if asked.only:
        kind, _, number = asked.only.partition(":")
        (outcome,) = attempts_of(kind, Path(place), asked.seed, [int(number)], verbose=True)
        print(outcome.said)
        print(outcome.verdict, f"{outcome.seconds:.1f} s", f"{outcome.more_mb:.0f} MB")
        sys.exit(outcome.bad)
    print(f"{'kind':14} {'cases':>6} {'uncaught':>9} {'hangs':>6} {'> 1 GB':>7} {'leaked':>7}  codes; seconds")
    for kind in asked.kinds.split(","):
        begun = time.perf_counter()
        outcomes = list(attempts_of(kind, Path(place), asked.seed, range(asked.each)))
        count = Counter(one.verdict for one in outcomes)
        codes = Counter(one.code for one in outcomes)
        bad += sum(one.bad for one in outcomes)
        print(
            f"{kind:14} {len(outcomes):6} {count['uncaught']:9} {count['hang']:6} {count['memory']:7} "
            f"{count['leaked']:7}  {dict(sorted(codes.items()))}; {time.perf_counter() - begun:.0f}",
            flush=True,
        )
        for number, one in enumerate(outcomes):
            if one.verdict != "fine":
                print(f"    {one.verdict} {kind}:{number} {one.said.strip()[-300:]!r}", flush=True)
sys.exit(bool(bad))
