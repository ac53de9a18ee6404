"""Vectors follow the words: the same log, a second cursor, and nothing embedded twice.

The vectors of an item are kept as one blob under the hash of what was encoded, so a rename of a folder, a rebuild or a
second copy of a file costs no embedding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pyarrow as pa

from bowerbird.core.errors import StoreError
from bowerbird.core.records import Passage
from bowerbird.index.cutting import cut, encoded_text
from bowerbird.index.filters import items_in
from bowerbird.index.reading import Vector
from bowerbird.index.schema import VECTORS, filter_columns, vectors_schema
from bowerbird.index.tables import Tables
from bowerbird.index.writer import Writer
from bowerbird.store import catalog, keeping, outbox
from bowerbird.store.catalog import Indexable
from bowerbird.store.outbox import Entry, Generation
from bowerbird.store.store import Store
from bowerbird.understanding.encoder import Encoder

_INDEX_AFTER_ROWS = 4_000
_COMMIT_ROWS = 1_024


class VectorWriter:
    """Applies the outbox to the vectors table, behind the words. Needs the writer's lock."""

    def __init__(self, store: Store, tables: Tables, writer: Writer, encoder: Encoder, target: int) -> None:
        self._store = store
        self._tables = tables
        self._writer = writer
        self._encoder = encoder
        self._target = target
        self._pool: ThreadPoolExecutor | None = None
        self._begun: tuple[str, list[Vector]] = ("", [])

    def open(self, threads: int, initialize: Callable[[], None]) -> None:
        """Start the threads that embed, one passage each at a time; `initialize` runs in each at its start."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="embed", initializer=initialize)

    def close(self) -> None:
        """Stop the threads; passages under way are finished."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def apply(self, generation: Generation, stopped: Callable[[], bool], limit: int = 256) -> int:
        """Embed and apply the next entries that the words have, up to about a thousand passages.

        Returns how many entries; 0 means that the vectors are level, that `stopped` said so before one was done, or
        that the generation is one of another encoder, whose vectors these must not be mixed with.
        """
        if not self._writer.same_encoder(generation):
            return 0
        with self._store.database.read() as connection:
            entries = outbox.after(connection, generation.vectors_cursor, limit)
            entries = [entry for entry in entries if entry.seq <= generation.words_cursor]
            items = catalog.indexable(connection, list({entry.item for entry in entries}))
        rows: dict[str, list[dict[str, Any]]] = {}
        done: list[Entry] = []
        for entry in entries:
            if entry.item in items and entry.item not in rows and entry.operation != "scope":
                made = self._vectors(items[entry.item], stopped)
                if made is None:
                    break
                rows[entry.item] = made
            done.append(entry)
            if sum(map(len, rows.values())) >= _COMMIT_ROWS:
                break
        if done:
            moved = [items[item] for item in outbox.only_moved(done) if item in items]
            self._write(generation, done, [row for some in rows.values() for row in some], moved)
        return len(done)

    def tidy(self, generation: Generation, idle: bool) -> None:
        """Index new rows, and build the approximate index once the table is large."""
        if not self._tables.exists(generation.folder, VECTORS):
            return
        unindexed = self._tables.unindexed(generation.folder, VECTORS)
        if unindexed >= _INDEX_AFTER_ROWS or (idle and unindexed):
            version = self._tables.index_vectors(generation.folder)
            if version is None:
                version = self._tables.index_new_rows(generation.folder, VECTORS)
            self._writer.record(generation, vectors_version=version)

    def behind(self) -> int:
        """Return how many items wait for the served vectors table."""
        with self._store.database.read() as connection:
            generation = outbox.served(connection)
            return outbox.behind(connection, generation.vectors_cursor) if generation else 0

    def _vectors(self, one: Indexable, stopped: Callable[[], bool]) -> list[dict[str, Any]] | None:
        passages = cut(one.item, self._writer.load(one), self._target)
        texts = [encoded_text(one.item, passage) for passage in passages]
        key = self._key(texts)
        with self._store.database.read() as connection:
            blob = keeping.cached_vectors(connection, key)
        vectors = self._cached(blob, len(texts))
        if vectors is None:
            vectors = self._embed(key, texts, stopped)
            if vectors is None:
                return None
            self._keep(one, key, vectors)
        return _rows(one, passages, vectors)

    def _key(self, texts: Sequence[str]) -> str:
        digest = hashlib.sha256(self._encoder.id.encode())
        for text in texts:
            data = text.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
        return digest.hexdigest()

    def _cached(self, blob: str | None, count: int) -> Vector | None:
        if blob is None:
            return None
        try:
            data = self._store.blobs.get(blob)
        except StoreError:
            return None
        vectors = np.frombuffer(data, dtype=np.float32).reshape(-1, self._encoder.dimensions)
        return vectors if len(vectors) == count else None

    def _embed(self, key: str, texts: Sequence[str], stopped: Callable[[], bool]) -> Vector | None:
        """Embed the texts, 64 between two looks at `stopped`; what was done is kept for the next call with this key."""
        if self._pool is None:
            raise RuntimeError("the vector writer is not open")
        begun, made = self._begun
        if begun != key:
            made = []
            self._begun = (key, made)
        while len(made) < len(texts):
            if stopped():
                return None
            made.extend(self._pool.map(lambda text: self._encoder.passages([text]), texts[len(made) : len(made) + 64]))
        self._begun = ("", [])
        return np.concatenate(made)

    def _keep(self, one: Indexable, key: str, vectors: Vector) -> None:
        if one.document_id is None:
            return
        blob = self._store.blobs.put(vectors.astype(np.float32).tobytes())
        with self._store.database.write() as connection:
            keeping.cache_vectors(connection, key, self._encoder.id, blob, one.document_id)

    def _write(
        self,
        generation: Generation,
        entries: Sequence[Entry],
        rows: Sequence[dict[str, Any]],
        moved: Sequence[Indexable],
    ) -> None:
        schema = vectors_schema(self._encoder.dimensions)
        if not self._tables.exists(generation.folder, VECTORS):
            self._tables.create_vectors(generation.folder, schema)
        whole = outbox.only_moved(entries)
        old = [entry.item for entry in entries if entry.replaces and entry.item not in whole]
        if old:
            self._tables.delete(generation.folder, VECTORS, items_in(old))
        if rows:
            self._tables.add(generation.folder, VECTORS, pa.Table.from_pylist(list(rows), schema=schema))
        self._writer.move(generation, VECTORS, moved)
        version = self._tables.newest(generation.folder, VECTORS).version
        self._tables.sums.add(generation.folder)
        values = {"vectors_cursor": entries[-1].seq, "vectors_version": version}
        with self._store.database.write() as connection:
            outbox.change_generation(connection, generation.id, values)
            outbox.pruned(connection)


def _rows(one: Indexable, passages: Sequence[Passage], vectors: Iterable[Any]) -> list[dict[str, Any]]:
    columns = filter_columns(one.item)
    pairs = zip(passages, vectors, strict=True)
    return [{**columns, "id": passage.id, "vector": vector} for passage, vector in pairs]
