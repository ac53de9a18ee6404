"""Lance on disk: one folder a generation, two tables in it, and their upkeep.

Queries go through LanceDB; index upkeep through `lance` itself, which can index new rows without touching the old ones.
"""

from __future__ import annotations

import shutil
import threading
from collections import OrderedDict
from datetime import timedelta
from pathlib import Path
from typing import Any

import lance
import lancedb
import pyarrow as pa
from lancedb.index import FTS, Bitmap, BTree, IvfPq

from bowerbird.index.schema import VECTORS, WORDS, WORDS_SCHEMA

_INDEX_CACHE_BYTES = 192 << 20
_METADATA_CACHE_BYTES = 48 << 20
_VECTOR_INDEX_FROM = 12_000
_MOST_SEGMENTS = 10
_KEPT_HANDLES = 6

Table = Any
"""A `lancedb.table.LanceTable`."""


class Tables:
    """All generations of one library's index; thread-safe."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._connections: dict[str, Any] = {}
        self._session: Any = None
        self._handles: OrderedDict[tuple[str, str, int], Table] = OrderedDict()

    def create(self, generation: str) -> None:
        """Make the words table of a new generation, with its (empty) indexes."""
        words = self._connection(generation).create_table(WORDS, schema=WORDS_SCHEMA)
        words.create_index("search", config=FTS(with_position=True, base_tokenizer="icu", remove_stop_words=False))
        for column in ("id", "item"):
            words.create_index(column, config=BTree())
        for column in ("acl_id", "source", "kind"):
            words.create_index(column, config=Bitmap())

    def create_vectors(self, generation: str, schema: pa.Schema) -> None:
        """Make the vectors table of a generation once the encoder is known."""
        vectors = self._connection(generation).create_table(VECTORS, schema=schema)
        for column in ("id", "item"):
            vectors.create_index(column, config=BTree())
        vectors.create_index("acl_id", config=Bitmap())

    def newest(self, generation: str, name: str) -> Table:
        """Open a table at its newest version, for the writer."""
        return self._connection(generation).open_table(name)

    def at(self, generation: str, name: str, version: int) -> Table:
        """Open a table at a version, for readers; handles are kept."""
        key = (generation, name, version)
        with self._lock:
            if key in self._handles:
                self._handles.move_to_end(key)
                return self._handles[key]
        table = self._connection(generation).open_table(name)
        table.checkout(version)
        with self._lock:
            self._handles[key] = table
            while len(self._handles) > _KEPT_HANDLES:
                self._handles.popitem(last=False)
        return table

    def forget_handles(self) -> None:
        """Drop kept handles (files of their versions may be gone)."""
        with self._lock:
            self._handles.clear()

    def index_new_rows(self, generation: str, name: str) -> int:
        """Bring new rows into the indexes and return the version that has them.

        New rows become a segment of their own; once there are too many segments the small ones are merged.
        """
        dataset = lance.dataset(str(self._path(generation, name)))
        segments = max((len(one.segments) for one in dataset.describe_indices()), default=0)
        dataset.optimize.optimize_indices(num_indices_to_merge=_MOST_SEGMENTS if segments >= _MOST_SEGMENTS else 0)
        return int(dataset.latest_version)

    def unindexed(self, generation: str, name: str) -> int:
        """Return how many rows the main index of a table does not cover yet."""
        table = self.newest(generation, name)
        stats = table.index_stats("search_idx" if name == WORDS else "item_idx")
        return int(stats.num_unindexed_rows) if stats else int(table.count_rows())

    def index_vectors(self, generation: str) -> bool:
        """Build the approximate vector index once the table is large enough for it; returns whether it was built."""
        table = self.newest(generation, VECTORS)
        if table.index_stats("vector_idx") is not None or table.count_rows() < _VECTOR_INDEX_FROM:
            return False
        dimensions = table.schema.field("vector").type.list_size
        table.create_index(
            "vector", config=IvfPq(distance_type="dot", num_sub_vectors=dimensions // 4), name="vector_idx"
        )
        return True

    def compact(self, generation: str, name: str, keep: timedelta) -> int:
        """Rewrite small fragments and deleted rows, drop versions older than `keep`, and return the newest version."""
        table = self.newest(generation, name)
        table.optimize(cleanup_older_than=keep, delete_unverified=keep == timedelta(0))
        return int(table.version)

    def exists(self, generation: str, name: str) -> bool:
        """Tell whether a generation has this table."""
        return self._path(generation, name).is_dir()

    def drop(self, generation: str) -> None:
        """Remove a generation's folder."""
        self.forget_handles()
        with self._lock:
            self._connections.pop(generation, None)
        shutil.rmtree(self.folder / generation, ignore_errors=True)

    def _path(self, generation: str, name: str) -> Path:
        return self.folder / generation / f"{name}.lance"

    def _connection(self, generation: str) -> Any:
        with self._lock:
            if self._session is None:
                self._session = lancedb.Session(_INDEX_CACHE_BYTES, _METADATA_CACHE_BYTES)
            if generation not in self._connections:
                folder = self.folder / generation
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._connections[generation] = lancedb.connect(folder, session=self._session)
            return self._connections[generation]
