"""The `siting` command: parse, call, exit code.

Exit 0 done; 1 a problem with the inputs or the study, one line per fault; 2 wrong usage; 3 done, but the plan cannot
meet everything asked; 130 interrupted. Results go to standard output, progress and faults to standard error.
"""

from siting.cli.start import entry, main

__all__ = ["entry", "main"]
