"""What searching costs in memory: a process of its own that opens a library and searches it with one pipeline.

The bench itself holds an index writer, other pipelines and all answers, so its own size says little. The figure is
`VmHWM` (proc(5)), the largest resident size that the process ever had, libraries and mapped files included.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from bowerbird.core.errors import BowerbirdError
from bowerbird.core.records import Principal
from bowerbird.core.settings import Settings, child_environment

QUERIES = 50
"""Queries asked at most; memory has come to rest by then."""

_SECONDS = 300


def footprint(library: tuple[Path, Settings], principal: Principal, pipeline: str, queries: Sequence[str]) -> int:
    """Return the bytes that a process needed to open the library in a folder and ask these queries, 100 hits each.

    0 where the process did not come to its end.
    """
    home, settings = library
    asked = {
        "home": str(home),
        "settings": {row.name: value for row, value in settings.listed() if not row.secret},
        "principal": principal.name,
        "pipeline": pipeline,
        "queries": list(queries[:QUERIES]),
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "bowerbird.lab.footprint"],
            input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=_SECONDS,
            env=child_environment(),
        )  # fmt: skip
        return int(done.stdout)
    except (subprocess.SubprocessError, ValueError):
        return 0


def main() -> None:
    """Read from stdin what to ask, ask it, and print the peak in bytes."""
    from bowerbird.library import Library

    asked = json.loads(sys.stdin.read())
    with Library.open(Path(asked["home"]), Settings(asked["settings"])) as library:
        for query in asked["queries"]:
            try:
                library.search(query, Principal(asked["principal"]), limit=100, pipeline=asked["pipeline"])
            except BowerbirdError:
                continue  # the bench itself tells which queries fail
    sys.stdout.write(str(peak()))


def peak() -> int:
    """Return the largest resident size this process ever had, in bytes; its present one where that is not told."""
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return int(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    main()
