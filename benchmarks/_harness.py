"""What the benchmarks share: options, the list of known misses, the report and its exit code.

Exit codes: 0 every figure meets its target; 3 the only misses are listed in `open.yaml` with a reason; 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bowerbird.core.settings import cache_directory, home_directory, load
from bowerbird.lab.measuring import Figure, machine, table

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
OPEN = Path(__file__).with_name("open.yaml")


@dataclass(frozen=True, slots=True)
class Setup:
    """How a benchmark was asked to run: `quick` shrinks it for CI, `home` lends its models."""

    quick: bool = False
    home: Path = field(default_factory=home_directory)
    cache: Path = field(default_factory=lambda: cache_directory() / "benchmarks")

    def log(self, message: str) -> None:
        """Say on stderr what goes on, with the time of day."""
        sys.stderr.write(f"{time.strftime('%H:%M:%S')}  {message}\n")
        sys.stderr.flush()


Part = Callable[[Setup], list[Figure]]


def open_misses(text: str) -> dict[str, str]:
    """Read `open.yaml`: one `figure: "reason"` a line, comments with `#`; raises ValueError at any other line.

    >>> open_misses('# known' + chr(10) + 'words-p95: "needs a second core"')
    {'words-p95': 'needs a second core'}
    """
    misses = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, colon, reason = line.partition(":")
        reason = reason.strip().strip("\"'").strip()
        if not colon or not reason or line.startswith((" ", "\t")):
            raise ValueError(f'line {number} of open.yaml is not `figure: "reason"`: {line}')
        misses[name.strip()] = reason
    return misses


def exit_code(figures: Sequence[Figure], known: Mapping[str, str]) -> int:
    """Return 0 when all figures hold, 3 when every miss is known, else 1 (also when nothing was measured at all)."""
    missed = [figure for figure in figures if not figure.holds]
    if not figures:
        return 1
    if not missed:
        return 0
    return 3 if all(figure.name in known for figure in missed) else 1


def report(title: str, figures: Sequence[Figure], as_json: bool) -> int:
    """Print every figure beside its target and the machine it ran on; return the exit code."""
    known = open_misses(OPEN.read_text(encoding="utf-8")) if OPEN.is_file() else {}
    code = exit_code(figures, known)
    if as_json:
        rows = [
            {
                "name": figure.name,
                "value": figure.value,
                "target": figure.target,
                "comparison": figure.comparison,
                "unit": figure.unit,
                "holds": figure.holds,
                "open": known.get(figure.name, "") if not figure.holds else "",
                "note": figure.note,
            }
            for figure in figures
        ]
        sys.stdout.write(json.dumps({"benchmark": title, "machine": str(machine()), "figures": rows}, indent=2) + "\n")
        return code
    sys.stdout.write(f"{title}\n{machine()}\n\n{table(figures)}\n")
    for figure in figures:
        if not figure.holds and figure.name in known:
            sys.stdout.write(f"open: {figure.name}: {known[figure.name]}\n")
    sys.stdout.write(f"{verdict(figures, known)}\n")
    return code


def verdict(figures: Sequence[Figure], known: Mapping[str, str]) -> str:
    """Return the last line of a report: OK or FAIL, and what decided it."""
    demanded = [figure for figure in figures if figure.target is not None]
    missed = [figure.name for figure in figures if not figure.holds]
    unknown = [name for name in missed if name not in known]
    if not figures:
        return "FAIL: nothing was measured"
    if unknown:
        return f"FAIL: {len(unknown)} of {len(demanded)} targets missed: {', '.join(unknown)}"
    return f"OK: {len(demanded) - len(missed)} of {len(demanded)} targets met" + (
        ", the others are open" if missed else ""
    )


def run(title: str, description: str, parts: Mapping[str, Part], optional: Sequence[str] = ()) -> int:
    """Read the options, run the chosen parts (all but the `optional` ones without --only), report; the exit code."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="small and fast, for CI")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--only", action="append", choices=list(parts), help="run only this part (may be repeated)")
    parser.add_argument("--home", type=Path, help="the data directory whose models are used")
    for name in optional:
        parser.add_argument(f"--{name}", action="store_true", help=f"also run the slow part {name}")
    given = parser.parse_args()
    chosen = given.only or [name for name in parts if name not in optional or getattr(given, name.replace("-", "_"))]
    setup = Setup(given.quick, home_directory(given.home))
    setup.log(f"the model is that of {_pulled(setup.home)}")
    figures: list[Figure] = []
    for name in chosen:
        setup.log(f"{name} …")
        begun = time.monotonic()
        figures += _measured(name, parts[name], setup)
        setup.log(f"{name} took {time.monotonic() - begun:.0f} s")
    return report(title, figures, given.json)


def _pulled(home: Path) -> Path:
    """Make sure that the encoder of a data directory is there, and return the directory."""
    from bowerbird.understanding.models import ModelStore

    ModelStore(home / "models").pull(load(home).get("encoder", str))
    return home


def _measured(name: str, part: Part, setup: Setup) -> list[Figure]:
    """Run a part; one that fails is a figure that misses, and the others still run."""
    try:
        return part(setup)
    except Exception as problem:
        traceback.print_exc()
        return [Figure(f"{name}-ran", 0, 1, "==", "", f"{type(problem).__name__}: {str(problem)[:200]}")]


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """Give an empty folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix=f"bowerbird-{name}-") as folder:
        yield Path(folder)
