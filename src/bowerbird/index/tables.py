"""Lance on disk: one folder a generation, two tables in it, and their upkeep.

Queries go through LanceDB; index upkeep through `lance` itself, which can index new rows without touching the old ones.
"""

from __future__ import annotations

import shutil
import threading
from collections import OrderedDict
from collections.abc import Sequence
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
_TIER = 3
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

    def index_new_rows(self, generation: str, name: str, merge_all: bool = False) -> int:
        """Bring new rows into the indexes and return the version that has them.

        New rows become a segment of their own, merged with those before it that are not much larger, so that each row
        is merged a logarithmic number of times; `merge_all` leaves one segment.
        """
        dataset = lance.dataset(str(self._path(generation, name)))
        sizes = self._segments(dataset, name)
        merged = len(sizes) if merge_all else _merged(sizes, dataset.count_rows() - sum(sizes))
        dataset.optimize.optimize_indices(num_indices_to_merge=merged)
        return int(dataset.latest_version)

    def segments(self, generation: str, name: str) -> int:
        """Return how many segments the main index of a table has."""
        return len(self._segments(lance.dataset(str(self._path(generation, name))), name))

    def _segments(self, dataset: Any, name: str) -> list[int]:
        """Return the rows of each segment of the main index, oldest first."""
        wanted = "search_idx" if name == WORDS else "item_idx"
        rows = {fragment.fragment_id: fragment.count_rows() for fragment in dataset.get_fragments()}
        found = next((one for one in dataset.describe_indices() if one.name == wanted), None)
        if found is None:
            return []
        return [sum(rows.get(fragment, 0) for fragment in segment.fragment_ids) for segment in found.segments]

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


def _merged(sizes: Sequence[int], fresh: int) -> int:
    """Return how many of the newest segments to merge with `fresh` new rows.

    >>> _merged([9000, 1000, 400], 500), _merged([90000], 500), _merged([], 10)
    (2, 0, 0)
    """
    total, merged = fresh, 0
    for size in reversed(sizes):
        if size > _TIER * total:
            break
        total += size
        merged += 1
    return merged
