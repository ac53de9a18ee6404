"""The one writer: follows the outbox into the words table, exactly once, and keeps the indexes in shape.

Lance is written first, then the cursor and the version to read move in one SQL transaction; after a crash the tables go
back to the recorded version and the log is replayed from the recorded cursor.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import uuid4

import pyarrow as pa

from bowerbird.core.errors import StoreError
from bowerbird.core.records import Document, from_json
from bowerbird.index.cutting import CUT_VERSION, cut, search_text
from bowerbird.index.filters import items_in
from bowerbird.index.schema import (
    SCHEMA_VERSION,
    VECTORS,
    WORDS,
    WORDS_SCHEMA,
    Row,
    item_of,
    version_of,
    words_row,
)
from bowerbird.index.tables import Tables, rows
from bowerbird.store import catalog, intake, outbox
from bowerbird.store.catalog import Indexable
from bowerbird.store.outbox import Entry, Generation
from bowerbird.store.store import Store

_INDEX_AFTER_ROWS = 1_500
_KEPT_VERSIONS = timedelta(minutes=15)
UNREADABLE = (OSError, ValueError, RuntimeError)
"""What Lance raises on files that are missing or damaged."""

_log = logging.getLogger(__name__)

_WORD = re.compile(r"[^\W\d_]\w{1,23}")


class Writer:
    """Applies the outbox to the words table of every living generation. Needs the writer's lock."""

    def __init__(self, store: Store, tables: Tables, encoder: str, target: int) -> None:
        self._store = store
        self._tables = tables
        self._target = target
        self.recipe = f"{SCHEMA_VERSION}.{CUT_VERSION}.{target}:{encoder}"

    def open(self) -> None:
        """Go back to what SQL says was written, and make the first generation where there is none."""
        with self._store.database.read() as connection:
            living = outbox.all_generations(connection)
        for generation in living:
            outdated = generation.state == "building" and generation.recipe != self.recipe
            gone = generation.state == "retired" or outdated or not self._writable(generation)
            if gone or not self._recovered(generation):
                self._discard(generation)
        with self._store.database.read() as connection:
            left = outbox.all_generations(connection)
        for folder in self._tables.generations() - {generation.folder for generation in left}:
            self._tables.drop(folder)  # made, but never entered: the process was killed in between
        if not any(generation.state == "served" for generation in left):
            self._begin()

    def start_over(self) -> None:
        """Forget the index and begin a new one, which is served while it grows; nothing is read or embedded again."""
        with self._store.database.read() as connection:
            living = outbox.all_generations(connection)
        for generation in living:
            self._discard(generation)
        self._begin()

    def served(self) -> Generation:
        """Return the generation that readers open."""
        with self._store.database.read() as connection:
            generation = outbox.served(connection)
        if generation is None:
            raise StoreError("The library has no index yet.", "Run `bowerbird sync`.")
        return generation

    def same_encoder(self, generation: Generation) -> bool:
        """Tell whether a generation was made for the encoder that is in use."""
        return generation.recipe.partition(":")[2] == self.recipe.partition(":")[2]

    def _writable(self, generation: Generation) -> bool:
        """Tell whether the tables of a generation are those of this version; those of another take no new rows."""
        return generation.recipe.partition(".")[0] == str(SCHEMA_VERSION)

    def outdated(self) -> bool:
        """Tell whether the served generation was built in another way than this version would."""
        with self._store.database.read() as connection:
            generation = outbox.served(connection)
        return generation is not None and generation.recipe != self.recipe  # without one, one is being made anew

    def living(self) -> list[Generation]:
        """Return the generations that follow the log: the served one, and one that is being built."""
        with self._store.database.read() as connection:
            return [one for one in outbox.all_generations(connection) if one.state != "retired"]

    def level(self, generation: Generation, vectors: bool) -> bool:
        """Tell whether a generation has applied the whole log to its words, and to its vectors where those count."""
        cursors = [generation.words_cursor, *([generation.vectors_cursor] if vectors else [])]
        with self._store.database.read() as connection:
            return not any(outbox.behind(connection, cursor) for cursor in cursors)

    def apply(self, generation: Generation, limit: int = 256) -> int:
        """Apply the next entries of the log to a generation's words table; returns how many entries."""
        with self._store.database.read() as connection:
            entries = outbox.after(connection, generation.words_cursor, limit)
            items = catalog.indexable(connection, list({entry.item for entry in entries}))
        if entries:
            self._apply(generation, entries, items)
        return len(entries)

    def behind(self) -> int:
        """Return how many items wait for the served words table."""
        with self._store.database.read() as connection:
            generation = outbox.served(connection)
            return outbox.behind(connection, generation.words_cursor) if generation else 0

    def tidy(self, generation: Generation, idle: bool) -> None:
        """Index new rows, once there are enough of them or nothing else is to be done."""
        unindexed = self._tables.unindexed(generation.folder, WORDS)
        if unindexed >= _INDEX_AFTER_ROWS or (idle and unindexed):
            self.record(generation, words_version=self._tables.index_new_rows(generation.folder, WORDS))

    def rest(self) -> None:
        """Compact what is worn by many small writes, after a while without any: 100,000 rows take seconds."""
        names = (WORDS, VECTORS)
        worn = (self._tables.worn(one.folder, name) for one in self.living() for name in names)
        if any(worn):
            self.compact(_KEPT_VERSIONS)

    def compact(self, keep: timedelta) -> None:
        """Rewrite fragments and indexes; versions older than `keep` leave the disk, with 0 all that was deleted too."""
        for generation in self.living():
            names = [name for name in (WORDS, VECTORS) if self._tables.exists(generation.folder, name)]
            wholly = keep == timedelta(0)
            made = {f"{name}_version": self._tables.compact(generation.folder, name, wholly) for name in names}
            self.record(generation, **made)  # first of all: the version to go back to must never be one that is gone
            for name in names:
                self._tables.drop_versions(generation.folder, name, keep)
            if wholly:
                self._tables.sums.tidy(generation.folder)

    def drop_stale_vectors(self) -> None:
        """Delete the vectors of what is gone or replaced, ahead of the log, which may wait for an encoder for long."""
        with self._store.database.read() as connection:
            current = {item: found[0] for item, found in catalog.versions(connection).items()}
        for generation in self.living():
            if not self._tables.exists(generation.folder, VECTORS):
                continue
            ids = rows(self._tables.newest(generation.folder, VECTORS), ["id"]).column("id").to_pylist()
            stale = sorted({item_of(one) for one in ids if current.get(item_of(one)) != version_of(one)})
            for start in range(0, len(stale), 500):
                self._tables.delete(generation.folder, VECTORS, items_in(stale[start : start + 500]))
            self.record(generation, vectors_version=self._tables.newest(generation.folder, VECTORS).version)

    def begin_rebuild(self) -> bool:
        """Begin a generation of the current recipe: every item is written into the log again, for it alone.

        Returns False, and does nothing, while the served generation is not level or another is being built.
        """
        if len(self.living()) > 1 or self.behind():
            return False
        fresh = self._new_generation()
        with self._store.database.write() as connection:
            start, served = outbox.last(connection), outbox.served(connection)
            level = served is not None and served.words_cursor >= start
            if served is not None and level:
                outbox.put_all(connection)
                outbox.change_generation(connection, fresh.id, {"words_cursor": start, "vectors_cursor": start})
                passed = {"words_cursor": outbox.last(connection)}
                if served.vectors_cursor >= start:
                    passed["vectors_cursor"] = passed["words_cursor"]
                outbox.change_generation(connection, served.id, passed)
        if (
            not level
        ):  # something changed since it was looked at: the served one would hide all items until it caught up
            self._discard(fresh)
        return level

    def end_rebuild(self) -> None:
        """Serve the generation that was being built (it is level) and drop the one before."""
        old, fresh = self.served(), self.living()[-1]
        counts = counted_words(self._tables, fresh)
        with self._store.database.write() as connection:
            outbox.serve(connection, fresh.id)
            outbox.clear_terms(connection)
            outbox.count_terms(connection, counts)
        self._discard(old)

    def count_terms(self) -> None:
        """Count the words of all passages anew (after a purge, or where they were damaged)."""
        counts = counted_words(self._tables, self.served())
        with self._store.database.write() as connection:
            outbox.clear_terms(connection)
            outbox.count_terms(connection, counts)

    def record(self, generation: Generation, **values: int) -> None:
        """Write cursors and versions of a generation down, and the sums of the files they stand on before."""
        self._tables.sums.add(generation.folder)
        with self._store.database.write() as connection:
            outbox.change_generation(connection, generation.id, values)

    def load(self, indexable: Indexable) -> Document | None:
        """Return the document of an item, None where it has no text.

        A blob that is lost or damaged is removed, and the item waits to be extracted again.
        """
        if not indexable.blob:
            return None
        try:
            return from_json(self._store.blobs.get(indexable.blob), Document)
        except (StoreError, ValueError):
            self._store.blobs.remove(indexable.blob)
            with self._store.database.write() as connection:
                intake.requeue_items(connection, [indexable.item.id])
            return None

    def move(self, generation: Generation, name: str, moved: Iterable[Indexable]) -> None:
        """Rewrite the scope of the passages of these items in a table; nothing is cut, counted or embedded again."""
        by_scope: dict[int, list[str]] = {}
        for one in moved:
            by_scope.setdefault(one.item.acl_id, []).append(one.item.id)
        for acl_id, ids in by_scope.items():
            self._tables.move(generation.folder, name, acl_id, items_in(ids))

    def _apply(self, generation: Generation, entries: Sequence[Entry], items: dict[str, Indexable]) -> None:
        changes = Counter[str]()
        moved = outbox.only_moved(entries)
        old = [entry.item for entry in entries if entry.replaces and entry.item not in moved]
        if old:
            stale = rows(self._tables.newest(generation.folder, WORDS), ["head", "text"], items_in(old))
            for row in stale.to_pylist():
                changes.subtract(distinct_words(row["head"] + row["text"]))
            self._tables.delete(generation.folder, WORDS, items_in(old))
        for text in self._add(generation, [one for item, one in items.items() if item not in moved]):
            changes.update(distinct_words(text))
        self.move(generation, WORDS, [one for item, one in items.items() if item in moved])
        version = self._tables.newest(generation.folder, WORDS).version
        self._tables.sums.add(generation.folder)
        with self._store.database.write() as connection:
            values = {"words_cursor": entries[-1].seq, "words_version": version}
            outbox.change_generation(connection, generation.id, values)
            if generation.state == "served":
                outbox.count_terms(connection, changes)
            outbox.pruned(connection)

    def _add(self, generation: Generation, items: Iterable[Indexable]) -> list[str]:
        made: list[Row] = []
        for one in items:
            passages = cut(one.item, self.load(one), self._target)
            made.extend(words_row(one.item, passage, search_text(one.item, passage)) for passage in passages)
        if made:
            self._tables.add(generation.folder, WORDS, pa.Table.from_pylist(made, schema=WORDS_SCHEMA))
        return [str(row["head"]) + str(row["text"]) for row in made]

    def _new_generation(self) -> Generation:
        folder = f"g-{uuid4().hex[:12]}"
        version = self._tables.create(folder)
        self._tables.sums.add(folder)
        with self._store.database.write() as connection:
            generation = outbox.add_generation(connection, folder, "building", self.recipe)
            outbox.change_generation(connection, generation.id, {"words_version": version})
        return generation

    def _begin(self) -> None:
        """Serve a new generation, for which every item that was read already stands in the log again."""
        fresh = self._new_generation()
        with self._store.database.write() as connection:
            start = outbox.last(connection)
            outbox.put_all(connection, replaces=0)
            outbox.change_generation(connection, fresh.id, {"words_cursor": start, "vectors_cursor": start})
            outbox.clear_terms(connection)
            outbox.serve(connection, fresh.id)

    def _recovered(self, generation: Generation) -> bool:
        """Go back to what SQL says was written; False where that is lost or damaged, and has to be made anew."""
        try:
            self._recover(generation)
        except UNREADABLE:
            _log.exception("the index %s cannot be read and is made anew", generation.folder)
            return False
        made = ((WORDS, generation.words_version), (VECTORS, generation.vectors_version))
        return all(self._tables.exists(generation.folder, name) for name, version in made if version)

    def _recover(self, generation: Generation) -> None:
        for name, version in ((WORDS, generation.words_version), (VECTORS, generation.vectors_version)):
            if not self._tables.exists(generation.folder, name):
                continue
            if version == 0:
                self._tables.drop(generation.folder, name)
            elif self._tables.newest(generation.folder, name).version != version:
                column = {WORDS: "words_version", VECTORS: "vectors_version"}[name]
                self.record(generation, **{column: self._tables.restore(generation.folder, name, version)})

    def _discard(self, generation: Generation) -> None:
        self._tables.drop(generation.folder)
        with self._store.database.write() as connection:
            outbox.forget_generation(connection, generation.id)


def counted_words(tables: Tables, generation: Generation) -> Counter[str]:
    """Return in how many passages of a generation each word stands."""
    counts = Counter[str]()
    table = tables.at(generation.folder, WORDS, generation.words_version)
    for batch in table.scanner(columns=["head", "text"]).to_batches():
        for row in batch.to_pylist():
            counts.update(distinct_words(row["head"] + row["text"]))
    return counts


def distinct_words(text: str) -> set[str]:
    """Return the words of a text that completion may offer: 2 to 24 letters and digits, a letter first, lower case.

    >>> sorted(distinct_words("The budget, the 2026 Budget v2"))
    ['budget', 'the', 'v2']
    """
    return set(_WORD.findall(text.lower()))
