"""The words that completion offers, as a Keeper: they are counted in the passages anew, and compared."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping

from bowerbird.core.records import Finding
from bowerbird.index.tables import Tables
from bowerbird.index.writer import UNREADABLE, Writer, counted_words
from bowerbird.store import outbox
from bowerbird.store.store import Store


class CompletionKeeper:
    """Verifies that SQL has as many passages of each word as the served words table."""

    name = "completion"

    def __init__(self, store: Store, tables: Tables, writer: Writer) -> None:
        self._store = store
        self._tables = tables
        self._writer = writer

    def verify(self) -> Iterator[Finding]:
        """Yield one finding where a count differs; none where the table cannot be read, which `IndexKeeper` tells."""
        with self._store.database.read() as connection:
            generation = outbox.served(connection)
            kept = outbox.all_terms(connection)
        if generation is None:
            return
        with contextlib.suppress(*UNREADABLE):
            if kept != counted_words(self._tables, generation):
                yield Finding(self.name, "words", "are not those of the passages")

    def repair(self, findings: Iterable[Finding]) -> int:
        """Count the words anew."""
        mine = [finding for finding in findings if finding.keeper == self.name]
        if mine:
            self._writer.count_terms()
        return len(mine)

    def purge(self, purged: Iterable[str]) -> Mapping[str, int]:
        """Count the words anew, so that those of deleted items are gone."""
        del purged
        self._writer.count_terms()
        return {}

    def export(self, person: str) -> dict[str, object]:
        """Return nothing: words belong to passages, not to people."""
        del person
        return {}

    def erase(self, person: str) -> int:
        """Remove nothing."""
        del person
        return 0
