"""The index as a Keeper: it is compared with SQL item by item, and mended through the outbox."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta

from bowerbird.core.records import Finding
from bowerbird.index.schema import VECTORS, WORDS
from bowerbird.index.tables import Table, Tables
from bowerbird.index.writer import Writer
from bowerbird.store import catalog, intake, outbox
from bowerbird.store.outbox import Generation
from bowerbird.store.store import Store


class IndexKeeper:
    """Verifies that the served tables hold every item once, at its current content version, and nothing else."""

    name = "index"

    def __init__(self, store: Store, tables: Tables, writer: Writer) -> None:
        self._store = store
        self._tables = tables
        self._writer = writer

    def verify(self) -> Iterator[Finding]:
        """Yield items that are missing, stale, doubled or left over in the words and vectors tables.

        Items with an entry in the log that is not applied yet are left out: they are on their way.
        """
        with self._store.database.read() as connection:
            generation = outbox.served(connection)
            if generation is None:
                return
            current = catalog.versions(connection)
            underway = {name: outbox.items_after(connection, cursor) for name, cursor in _cursors(generation)}
        for name, version in ((WORDS, generation.words_version), (VECTORS, generation.vectors_version)):
            if version and self._tables.exists(generation.folder, name):
                table = self._tables.at(generation.folder, name, version)
                yield from self._compared(name, table, current, underway[name])

    def repair(self, findings: Iterable[Finding]) -> int:
        """Write the items found wrong into the log again."""
        items = [finding.subject for finding in findings if finding.keeper == self.name]
        with self._store.database.write() as connection:
            intake.put_again(connection, items)
        return len(items)

    def purge(self, purged: Iterable[str]) -> None:
        """Physically remove the passages of deleted items (their `delete` entries are applied)."""
        del purged  # what the log deleted is only marked in Lance until it is compacted with nothing kept
        self._writer.compact(timedelta(0))
        self._writer.count_terms()

    def _compared(self, name: str, table: Table, current: dict[str, int], underway: set[str]) -> Iterator[Finding]:
        ids = Counter[str]()
        for batch in table.scanner(columns=["id"]).to_batches():
            ids.update(batch.column("id").to_pylist())
        seen: dict[str, set[int]] = {}
        doubled = set[str]()
        for passage, count in ids.items():
            item, version, _ = passage.rsplit(".", 2)
            seen.setdefault(item, set()).add(int(version))
            if count > 1:
                doubled.add(item)
        for item, versions in sorted(seen.items()):
            if item in underway:
                continue
            if item not in current:
                yield Finding(self.name, item, f"the {name} table holds a deleted item")
            elif versions != {current[item]}:
                yield Finding(
                    self.name, item, f"the {name} table holds versions {sorted(versions)}, not {current[item]}"
                )
            elif item in doubled:
                yield Finding(self.name, item, f"the {name} table holds a passage twice")
        for item in sorted(current.keys() - seen.keys() - underway):
            yield Finding(self.name, item, f"the {name} table lacks it")


def _cursors(generation: Generation) -> tuple[tuple[str, int], tuple[str, int]]:
    return (WORDS, generation.words_cursor), (VECTORS, generation.vectors_cursor)
