"""The Keeper protocol: every room that keeps anything answers for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from bowerbird.core.records import Finding


class Keeper(Protocol):
    """Something that keeps data about items; `library` loops over all Keepers for doctor, purge, export and erase."""

    name: str

    def verify(self) -> Iterator[Finding]:
        """Yield what is not as it should be; reads only."""

    def repair(self, findings: Iterable[Finding]) -> int:
        """Mend what `verify` found and return how many were mended."""

    def purge(self, items: Iterable[str]) -> Mapping[str, int]:
        """Physically remove everything kept about these items, and return what was removed; idempotent."""

    def export(self, person: str) -> dict[str, object]:
        """Return everything kept about a person (their id), as JSON holds it."""

    def erase(self, person: str) -> int:
        """Physically remove everything kept about a person (their id), and return how much; idempotent."""
