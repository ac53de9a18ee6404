"""Why queries moved: what each pipeline tells of the documents that answer them, asked of the library itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bowerbird.core.errors import BowerbirdError
from bowerbird.core.records import Principal
from bowerbird.lab.comparing import Change, Moved
from bowerbird.store import catalog

if TYPE_CHECKING:
    from bowerbird.library import Library

GOLD = 3
"""Documents explained of a query, those that moved most."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Asks a library why. `formulas` is name -> pipeline; a run that was read from a file is not among them."""

    library: Library
    principal: Principal
    formulas: Mapping[str, str]

    def explained(self, changes: Iterable[Change]) -> Iterator[Change]:
        """Yield the changes with what the pipelines tell; what stands instead is told of where a query got worse."""
        for change in changes:
            gold = (*(self._told(change, moved) for moved in change.gold[:GOLD]), *change.gold[GOLD:])
            instead = change.instead if change.difference < 0 else None
            yield replace(change, gold=gold, instead=self._told(change, instead) if instead else None)

    def _told(self, change: Change, moved: Moved) -> Moved:
        return replace(
            moved,
            lines_before=self._lines(change.text, moved.document, change.baseline),
            lines_after=self._lines(change.text, moved.document, change.pipeline),
        )

    def _lines(self, text: str, document: str, pipeline: str) -> tuple[str, ...]:
        if pipeline not in self.formulas:
            return ()
        with self.library.store.database.read() as connection:
            item = catalog.keyed(connection, self.library.sources()[0].id, document)
        if item is None:
            return (f"the library has no document {document}",)
        try:
            return self.library.explain(text, item.id, self.principal, self.formulas[pipeline]).lines
        except BowerbirdError as problem:
            return (problem.cause,)
