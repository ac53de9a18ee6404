"""How a library stands, and what `doctor` reports, as records."""

from __future__ import annotations

from dataclasses import dataclass

from bowerbird.core.records import Finding
from bowerbird.sandbox import Guard
from bowerbird.store.jobs import Job
from bowerbird.store.sources import SourceRow


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that cannot be found by its content, and why; `item` is "" where it could not even be listed."""

    item: str
    source: str
    key: str
    code: str
    cause: str


@dataclass(frozen=True, slots=True)
class Status:
    """Counts of a whole library. `pending` items wait to be found by words, `pending_vectors` by meaning.

    `model` is "ready", or says what is wrong with the encoder. `guard` is None while no worker runs in this process;
    `problem` says what went wrong in it within the last minute, "" for nothing.
    """

    items: int
    passages: int
    pending: int
    pending_vectors: int
    quarantined: tuple[Trouble, ...]
    sources: tuple[SourceRow, ...]
    jobs: tuple[Job, ...]
    model: str
    guard: Guard | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that `doctor` looked at."""

    name: str
    passed: bool
    detail: str

    def __str__(self) -> str:
        """Render as one line."""
        return f"{'ok' if self.passed else 'problem'}: {self.name}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Report:
    """What `doctor` found; with repair, `repaired` of the findings were mended and `findings` are those left."""

    checks: tuple[Check, ...]
    findings: tuple[Finding, ...]
    repaired: int = 0
