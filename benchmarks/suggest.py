"""How long a key takes: suggestions while typing, at 1,000,000 items, in one command.

python benchmarks/suggest.py [--quick] [--json]
"""

from __future__ import annotations

import sys

from _harness import run
from _suggest import suggest

if __name__ == "__main__":
    sys.exit(run("suggest", __doc__.partition("\n")[0], {"suggest": suggest}))
