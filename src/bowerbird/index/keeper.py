"""The index as a Keeper: it is compared with SQL item by item, and mended through the outbox."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from bowerbird.core.records import Finding
from bowerbird.index.schema import VECTORS, WORDS
from bowerbird.index.tables import Table, Tables
from bowerbird.index.writer import UNREADABLE, Writer
from bowerbird.store import catalog, intake, outbox
from bowerbird.store.outbox import Generation
from bowerbird.store.store import Store

_FILE = "file "


class IndexKeeper:
    """Verifies that the served tables hold every item once, at its version and in its scope, and nothing else."""

    name = "index"

    def __init__(self, store: Store, tables: Tables, writer: Writer) -> None:
        self._store = store
        self._tables = tables
        self._writer = writer

    def verify(self) -> Iterator[Finding]:
        """Yield damaged files, and items that are missing, stale, doubled or left over in the words and vectors tables.

        Items with an entry in the log that is not applied yet are left out: they are on their way.
        """
        with self._store.database.read() as connection:
            living = [one.folder for one in outbox.all_generations(connection) if one.state != "retired"]
        damaged = [self._damage(folder, path, wrong) for folder in living for path, wrong in self._files(folder)]
        if damaged:
            yield from damaged  # what the tables say means nothing then
            return
        for attempt in (1, 2):
            try:
                yield from list(self._items())
                return
            except UNREADABLE as problem:
                if attempt == 2:  # the first time, the version may just have been compacted away
                    yield self._damage("tables", "", f"cannot be read: {problem}")

    def _items(self) -> Iterator[Finding]:
        with self._store.database.read() as connection:
            generation = outbox.served(connection)
            if generation is None:
                return
            current = catalog.versions(connection)
            underway = {name: outbox.items_after(connection, cursor) for name, cursor in _cursors(generation)}
        for name, version in ((WORDS, generation.words_version), (VECTORS, generation.vectors_version)):
            if version:
                table = self._tables.at(generation.folder, name, version)
                yield from self._compared(name, table, current, underway[name])

    def repair(self, findings: Iterable[Finding]) -> int:
        """Write the items found wrong into the log again, and count the words of completion anew.

        Where files are damaged, the whole index begins anew. Needs the writer's lock, and no other thread that writes.
        """
        mine = [finding.subject for finding in findings if finding.keeper == self.name]
        if any(subject.startswith(_FILE) for subject in mine):
            self._writer.start_over()
            return len(mine)
        with self._store.database.write() as connection:
            intake.put_again(connection, mine)
        if mine:
            while any([self._writer.apply(generation) for generation in self._writer.living()]):
                pass
            self._writer.count_terms()  # what was counted for passages that were lost is not known
        return len(mine)

    def purge(self, purged: Iterable[str]) -> Mapping[str, int]:
        """Physically remove the passages of deleted items (their `delete` entries are applied)."""
        del purged  # what the log deleted is only marked in Lance until it is compacted with nothing kept
        before = sum(1 for path in self._tables.folder.rglob("*") if path.is_file())
        self._writer.compact(timedelta(0))
        after = sum(1 for path in self._tables.folder.rglob("*") if path.is_file())
        return {"index files before": before, "index files after": after}

    def export(self, person: str) -> dict[str, object]:
        """Return nothing: the index knows scopes and items, no people with a way in."""
        del person
        return {}

    def erase(self, person: str) -> int:
        """Remove nothing: there is nothing about people with a way in."""
        del person
        return 0

    def _files(self, folder: str) -> Iterator[tuple[str, str]]:
        return self._tables.sums.damaged(folder)

    def _damage(self, folder: str, path: str, wrong: str) -> Finding:
        return Finding(self.name, f"{_FILE}{folder}/{path}".rstrip("/"), wrong)

    def _compared(
        self, name: str, table: Table, current: dict[str, tuple[int, int]], underway: set[str]
    ) -> Iterator[Finding]:
        seen: dict[str, set[tuple[int, int]]] = {}
        doubled = set[str]()
        for passage, acl_id, count in _passages(table):
            item, version, _ = passage.rsplit(".", 2)
            seen.setdefault(item, set()).add((int(version), acl_id))
            if count > 1:
                doubled.add(item)
        for item, places in sorted(seen.items()):
            problem = _problem(places, current.get(item)) or ("a passage twice" if item in doubled else "")
            if problem and item not in underway:
                yield Finding(self.name, item, f"the {name} table holds {problem}")
        for item in sorted(current.keys() - seen.keys() - underway):
            yield Finding(self.name, item, f"the {name} table lacks it")


def _passages(table: Table) -> Iterator[tuple[str, int, int]]:
    """Yield (id, acl_id, how often) of all passages."""
    found = Counter[tuple[str, int]]()
    for batch in table.scanner(columns=["id", "acl_id"]).to_batches():
        found.update(zip(batch.column("id").to_pylist(), batch.column("acl_id").to_pylist(), strict=True))
    ids = Counter[str]()
    for (passage, _), count in found.items():
        ids[passage] += count
    for passage, acl_id in found:
        yield passage, acl_id, ids[passage]


def _problem(places: set[tuple[int, int]], current: tuple[int, int] | None) -> str:
    """Return what is wrong with the (content version, acl_id) of an item's passages, "" for nothing."""
    if current is None:
        return "a deleted item"
    versions, scopes = {version for version, _ in places}, {acl_id for _, acl_id in places}
    if versions != {current[0]}:
        return f"versions {sorted(versions)}, not {current[0]}"
    return "" if scopes == {current[1]} else f"the scopes {sorted(scopes)}, not {current[1]}"


def _cursors(generation: Generation) -> tuple[tuple[str, int], tuple[str, int]]:
    return (WORDS, generation.words_cursor), (VECTORS, generation.vectors_cursor)
