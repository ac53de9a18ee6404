"""Lance on disk: one folder a generation, two tables in it, and their upkeep.

Lance is the engine of LanceDB, whose 0.40 opens these tables as they are. It is spoken to through its own binding,
which loads in a sixth of the time, answers 2 to 3 ms sooner, and can index new rows without touching the old ones.
"""

from __future__ import annotations

import shutil
import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

import lance
import pyarrow as pa

from bowerbird.index.addresses import Addresses, Fragments
from bowerbird.index.masks import Masks
from bowerbird.index.schema import VECTORS, WORDS, WORDS_SCHEMA
from bowerbird.index.sums import FileSums

_INDEX_CACHE_BYTES = 192 << 20
_METADATA_CACHE_BYTES = 48 << 20
_VECTOR_INDEX_FROM = 4_000
_OUTGROWN = 3
_VECTOR_INDEX = "vector_"
_ROWS_PER_PARTITION = 1_000
_TIER, _FANOUT = 2, 8
_MOST_FRAGMENTS = 40
_MOST_DELETED = 0.2
_FEW_DELETED = 0.1
_KEPT_HANDLES = 6

Table = Any
"""A `lance.LanceDataset`."""


class _Handle(NamedTuple):
    """A table at a version, and what is kept of it in memory."""

    table: Table
    addresses: Addresses
    masks: Masks


class Tables:
    """All generations of one library's index; thread-safe."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._session = lance.Session(_INDEX_CACHE_BYTES, _METADATA_CACHE_BYTES)
        self._handles: OrderedDict[tuple[str, str, int], _Handle] = OrderedDict()
        self._fragments = Fragments()
        self.sums = FileSums(folder)

    def create(self, generation: str) -> int:
        """Make the words table of a new generation, with its (empty) indexes; returns its version."""
        words = self._made(generation, WORDS, WORDS_SCHEMA)
        _index_words(words)
        return int(words.latest_version)

    def create_vectors(self, generation: str, schema: pa.Schema) -> None:
        """Make the vectors table of a generation once the encoder is known."""
        vectors = self._made(generation, VECTORS, schema)
        vectors.create_scalar_index("item", "BTREE", name="item_idx")
        vectors.create_scalar_index("acl_id", "BITMAP", name="acl_id_idx")

    def newest(self, generation: str, name: str) -> Table:
        """Open a table at its newest version, for the writer."""
        return lance.dataset(self._path(generation, name), session=self._session)

    def at(self, generation: str, name: str, version: int) -> Table:
        """Open a table at a version, for readers; handles are kept."""
        return self._handle(generation, name, version).table

    def addresses(self, generation: str, name: str, version: int) -> Addresses:
        """Return which passage lies at which row of a table at a version."""
        return self._handle(generation, name, version).addresses

    def masks(self, generation: str, name: str, version: int) -> Masks:
        """Return what keeps queries of a table at a version to the rows that somebody may see."""
        return self._handle(generation, name, version).masks

    def _handle(self, generation: str, name: str, version: int) -> _Handle:
        key = (generation, name, version)
        with self._lock:
            if key in self._handles:
                self._handles.move_to_end(key)
                return self._handles[key]
        table = lance.dataset(self._path(generation, name), version=version, session=self._session)
        addresses = Addresses(table, self._fragments)
        handle = _Handle(table, addresses, Masks(table, addresses, self._fragments))
        with self._lock:
            self._handles[key] = handle
            while len(self._handles) > _KEPT_HANDLES:
                self._handles.popitem(last=False)
            used = [handle.addresses.files for handle in self._handles.values()]
        self._fragments.keep_only(set().union(*used))
        return handle

    def forget_handles(self) -> None:
        """Drop kept handles (files of their versions may be gone)."""
        with self._lock:
            self._handles.clear()

    def add(self, generation: str, name: str, rows: pa.Table) -> int:
        """Append rows and return the version that has them."""
        path = self._path(generation, name)
        return int(lance.write_dataset(rows, path, mode="append", session=self._session).version)

    def delete(self, generation: str, name: str, condition: str) -> int:
        """Delete the rows of a condition and return the version without them."""
        table = self.newest(generation, name)
        table.delete(condition)
        return int(table.version)

    def move(self, generation: str, name: str, acl_id: int, condition: str) -> None:
        """Put the rows of a condition into another scope; no other column is touched."""
        self.newest(generation, name).update({"acl_id": str(acl_id)}, where=condition)

    def restore(self, generation: str, name: str, version: int) -> int:
        """Make an older version the newest again; returns the number it has now."""
        table = lance.dataset(self._path(generation, name), version=version, session=self._session)
        table.restore()
        self.forget_handles()
        return int(table.version)

    def index_new_rows(self, generation: str, name: str, merge_all: bool = False) -> int:
        """Bring new rows into the indexes and return the version that has them.

        New rows become a segment of their own; where eight have about the same size they are merged, so that a row is
        merged once for each factor of eight. `merge_all` leaves one segment.
        """
        table = self.newest(generation, name)
        sizes = _segments(table, name)
        merged = len(sizes) if merge_all else _merged(sizes, table.count_rows() - sum(sizes))
        table.optimize.optimize_indices(num_indices_to_merge=merged)
        return int(table.latest_version)

    def segments(self, generation: str, name: str) -> int:
        """Return how many segments the main index of a table has."""
        return len(_segments(self.newest(generation, name), name))

    def unindexed(self, generation: str, name: str) -> int:
        """Return how many rows the main index of a table does not cover yet."""
        table = self.newest(generation, name)
        return int(table.count_rows()) - sum(_segments(table, name))

    def index_vectors(self, generation: str) -> int | None:
        """Build the approximate index (IVF with RaBitQ codes; Gao and Long, SIGMOD 2024) where it is time to.

        It is time once the table is large, and again when it has outgrown its partitions. Returns the version that has
        it, None where there is nothing to build.
        """
        table = self.newest(generation, VECTORS)
        rows, built = table.count_rows(), _vector_index(table)
        partitions = rows // _ROWS_PER_PARTITION
        if rows < _VECTOR_INDEX_FROM or partitions <= _OUTGROWN * built:
            return None
        name = f"{_VECTOR_INDEX}{partitions}"
        made = table.create_index("vector", "IVF_RQ", name=name, metric="dot", num_partitions=partitions)
        if built:
            made.drop_index(f"{_VECTOR_INDEX}{built}")
        return int(made.latest_version)

    def compact(self, generation: str, name: str, wholly: bool) -> int:
        """Rewrite small fragments and deleted rows and return the newest version; `wholly` spares no deleted row."""
        few = 0.0 if wholly else _FEW_DELETED
        table = self.newest(generation, name)
        table.optimize.compact_files(materialize_deletions_threshold=few)
        if wholly and name == WORDS and not table.count_rows():
            _index_words(table)  # an index of which no row is left is not merged, and would keep its words
            return int(table.latest_version)
        return self.index_new_rows(generation, name, merge_all=True)

    def drop_versions(self, generation: str, name: str, keep: timedelta) -> None:
        """Remove the files of versions older than `keep`, but for the newest (which SQL must have recorded)."""
        table = self.newest(generation, name)
        table.cleanup_old_versions(older_than=keep, delete_unverified=keep == timedelta(0))
        if keep == timedelta(0):
            self.forget_handles()

    def worn(self, generation: str, name: str) -> bool:
        """Tell whether a table consists of many small fragments, or has many deleted rows."""
        if not self.exists(generation, name):
            return False
        fragments = self.newest(generation, name).get_fragments()
        rows = sum(fragment.metadata.physical_rows for fragment in fragments)
        deleted = sum(fragment.metadata.num_deletions for fragment in fragments)
        return len(fragments) > _MOST_FRAGMENTS or deleted > max(1_000, _MOST_DELETED * rows)

    def exists(self, generation: str, name: str) -> bool:
        """Tell whether a generation has this table."""
        return Path(self._path(generation, name)).is_dir()

    def generations(self) -> set[str]:
        """Return the folders of all generations on disk."""
        return {path.name for path in self.folder.glob("g-*")}

    def drop(self, generation: str, name: str = "") -> None:
        """Remove a generation's folder, or one of its tables."""
        self.forget_handles()
        if name and self.exists(generation, name):
            self.sums.drop(generation, f"{name}.lance")
        elif not name:
            self.sums.forget(generation)
        shutil.rmtree(self._path(generation, name) if name else self.folder / generation, ignore_errors=True)

    def _made(self, generation: str, name: str, schema: pa.Schema) -> Table:
        (self.folder / generation).mkdir(parents=True, exist_ok=True, mode=0o700)
        return lance.write_dataset(schema.empty_table(), self._path(generation, name), session=self._session)

    def _path(self, generation: str, name: str) -> str:
        return str(self.folder / generation / f"{name}.lance")


def _index_words(words: Table) -> None:
    """Make the indexes of a words table, in place of those that it has."""
    words.create_scalar_index(
        "search", "INVERTED", name="search_idx", with_position=True, base_tokenizer="whitespace",
        max_token_length=None, stem=False, lower_case=False, ascii_folding=False, remove_stop_words=False,
    )  # fmt: skip
    for column in ("id", "item"):
        words.create_scalar_index(column, "BTREE", name=f"{column}_idx")
    for column in ("acl_id", "source", "kind"):
        words.create_scalar_index(column, "BITMAP", name=f"{column}_idx")


def rows(table: Table, columns: Sequence[str], condition: str | None = None) -> pa.Table:
    """Return columns of all rows, or of those that a condition lets through."""
    return table.scanner(columns=list(columns), filter=condition).to_table()


def _vector_index(table: Table) -> int:
    """Return how many partitions the vector index has (its name says so), 0 where there is none."""
    names = [one.name for one in table.describe_indices() if one.name.startswith(_VECTOR_INDEX)]
    return max((int(name.removeprefix(_VECTOR_INDEX)) for name in names), default=0)


def _segments(table: Table, name: str) -> list[int]:
    """Return the rows of each segment of the main index, oldest first."""
    main = "search_idx" if name == WORDS else "acl_id_idx"
    counts = {fragment.fragment_id: fragment.count_rows() for fragment in table.get_fragments()}
    found = next((one for one in table.describe_indices() if one.name == main), None)
    if found is None:
        return []
    return [sum(counts.get(fragment, 0) for fragment in segment.fragment_ids) for segment in found.segments]


def _merged(sizes: Sequence[int], fresh: int) -> int:
    """Return how many of the newest segments to merge with `fresh` new rows: eight of about a size become one.

    >>> _merged([500] * 6, 500), _merged([500] * 7, 500), _merged([4000] * 7 + [500] * 7, 500)
    (0, 7, 14)
    """
    total, merged = fresh, 0
    while True:
        older = sizes[: len(sizes) - merged]
        limit = _TIER * total
        run = list(takewhile(limit.__ge__, reversed(older)))
        if len(run) < _FANOUT - 1:
            return merged
        merged += len(run)
        total += sum(run)
