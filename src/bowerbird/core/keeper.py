"""The Keeper protocol: every room that keeps anything answers for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from bowerbird.core.records import Finding


class Keeper(Protocol):
    """Something that keeps data about items; `library` loops over all Keepers for doctor and purge."""

    name: str

    def verify(self) -> Iterator[Finding]:
        """Yield what is not as it should be; reads only."""

    def repair(self, findings: Iterable[Finding]) -> int:
        """Mend what `verify` found and return how many were mended."""

    def purge(self, items: Iterable[str]) -> None:
        """Physically remove everything kept about these items; idempotent."""
