"""Score a county and print the ten communities that lack the most floor area.

python scripts/score_county.py data/demo/study.toml
"""

import sys

import siting

results = siting.run(siting.read_study(sys.argv[1]), with_plan=False)
short = results.scorecard.verdicts.query("rule_id == 'area_per_100_households' and status == 'fail'")
for row in short.nlargest(10, "shortfall").itertuples():
    print(f"{row.community_id}  {row.shortfall:8.0f} {row.shortfall_unit_zh}  {row.clause}")
