"""Everything that must hold for people, permissions, deletion and durability, in one command.

    python benchmarks/trust.py [--quick] [--json] [--only PART]

Parts: api (schemathesis over every route), filter (what the permission filter costs), recall (of the filtered meaning
search), flips (one bit in any file), kill (SIGKILL in the middle of everything), leaks (two worlds that differ in what
somebody may not see, and leaks that are planted).
"""

from __future__ import annotations

import sys

from _harness import run
from _trust_api import api
from _trust_filter import filter_cost, filtered_recall
from _trust_flips import flips
from _trust_kill import kills
from _trust_leaks import leaks

PARTS = {"api": api, "filter": filter_cost, "recall": filtered_recall, "flips": flips, "kill": kills, "leaks": leaks}

if __name__ == "__main__":
    sys.exit(run("trust", __doc__.partition("\n")[0], PARTS))
