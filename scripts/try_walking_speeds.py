"""How much does the assumed walking speed decide? The share of households inside the circle at four speeds.

python scripts/try_walking_speeds.py data/demo/study.toml
"""

import sys
from dataclasses import replace

import siting
from siting.study import measure, prepare

study = siting.read_study(sys.argv[1])
ready = prepare(study)
for speed_kmh in (4.0, 4.4, 4.8, 5.2):
    faster = replace(study, standard=study.standard.assume(walking_speed_kmh=speed_kmh))
    communities = measure(replace(ready, study=faster), with_plan=False).scorecard.communities
    share = communities["reached_households"].sum() / communities["households"].sum()
    print(f"{speed_kmh} km/h: {share:.1%} of households inside the circle")
