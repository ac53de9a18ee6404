"""What is measured about a machine and a run: the machine itself, memory of a process tree, percentiles, figures.

Memory is PSS (proportional set size, proc(5), `smaps_rollup`): pages shared between processes count once in the sum,
so the figure of a fork-server and its children is what the machine really gives.
"""

from __future__ import annotations

import contextlib
import math
import os
import platform
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

import psutil

Comparison = Literal["<=", "<", ">=", ">", "=="]


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a figure was measured; `memory` in bytes."""

    processor: str
    cores: int
    memory: int
    system: str
    python: str

    def __str__(self) -> str:
        """Render on one line."""
        return (
            f"{self.processor}, {self.cores} cores, {self.memory / 2**30:.0f} GiB, {self.system}, Python {self.python}"
        )


def machine() -> Machine:
    """Describe this machine."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory=int(psutil.virtual_memory().total),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
    )


def _processor() -> str:
    table = Path("/proc/cpuinfo")
    lines = table.read_text(encoding="utf-8", errors="replace").splitlines() if table.is_file() else []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return named or platform.processor() or platform.machine()


def process_memory(pid: int) -> int:
    """Return the PSS of one process in bytes; 0 once it is gone, its resident size where PSS may not be read."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return _resident(pid)


def _resident(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def tree_memory(pid: int) -> int:
    """Return the memory of a process and all its descendants in bytes (PSS summed)."""
    try:
        below = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return 0
    return process_memory(pid) + sum(process_memory(child.pid) for child in below)


class PeakMemory:
    """Watches a process tree while the `with` block runs; `peak_` is then the largest sum seen, in bytes.

    It looks every `seconds`; a shorter spike between two looks is not seen.
    """

    def __init__(self, pid: int, seconds: float = 0.2) -> None:
        self.pid = pid
        self.seconds = seconds
        self.peak_ = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="peak-memory", daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.peak_ = max(self.peak_, tree_memory(self.pid))
            if self._stop.wait(self.seconds):
                return


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile: the smallest sample that `share` of the samples do not exceed.

    >>> percentile([4.0, 1.0, 2.0, 3.0], 0.5), percentile([4.0, 1.0, 2.0, 3.0], 0.95)
    (2.0, 4.0)
    """
    if not samples:
        raise ValueError("a percentile needs at least one sample")
    return sorted(samples)[max(0, math.ceil(share * len(samples)) - 1)]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number beside its target.

    `value` is None where it could not be measured (`note` says why), and then a target is missed. `target` is None
    where the number is only reported.
    """

    name: str
    value: float | None
    target: float | None = None
    comparison: Comparison = "<="
    unit: str = ""
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether the target is met; a figure without a target always holds."""
        if self.target is None:
            return True
        if self.value is None:
            return False
        return {
            "<=": self.value <= self.target,
            "<": self.value < self.target,
            ">=": self.value >= self.target,
            ">": self.value > self.target,
            "==": self.value == self.target,
        }[self.comparison]

    def cells(self) -> tuple[str, str, str, str, str]:
        """Return name, value, target, verdict and note as they are printed."""
        value = "not measured" if self.value is None else f"{_number(self.value)} {self.unit}".rstrip()
        target = "" if self.target is None else f"{self.comparison} {_number(self.target)} {self.unit}".rstrip()
        verdict = "" if self.target is None else "ok" if self.holds else "MISSED"
        return self.name, value, target, verdict, self.note


def _number(value: float) -> str:
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as an aligned plain-text table, one line each, targets beside them."""
    rows = [("figure", "measured", "target", "", ""), *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
