"""Which passage lies at a row's address: kept in memory, as reading 200 ids from Lance costs more than finding them.

An address is a fragment's number (upper 32 bits) and an offset in it. A data file is never rewritten, so what was read
of a fragment's files holds for every version of the table that has these.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
from lance.dataset import serialize_row_addrs
from numpy.typing import NDArray

MOST_ROWS = 2_000_000
"""Rows of a table up to which its ids and scopes are kept, at about 50 bytes each."""


Rows = tuple[NDArray[np.uint32], pa.Array]
"""Offsets of rows in a fragment, ascending, and what a column holds at these."""


class Fragments:
    """Columns of all fragments of the tables of one library that are in use; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: dict[tuple[str, str], Rows] = {}

    def of(self, fragment: Any, column: str) -> Rows:
        """Return (offsets, ascending; values at these) of the rows that a fragment had when it was first read.

        Rows that were deleted before have no entry; those deleted since keep theirs, and no query finds them.
        """
        name = (files_of(fragment), column)
        with self._lock:
            if name in self._read:
                return self._read[name]
        rows = fragment.scanner(columns=[column], with_row_address=True).to_table().combine_chunks()
        offsets = (rows["_rowaddr"].to_numpy() & 0xFFFFFFFF).astype(np.uint32)
        values = rows[column].chunk(0) if len(rows) else pa.array([], rows.schema.field(column).type)
        with self._lock:
            return self._read.setdefault(name, (offsets, values))

    def keep_only(self, used: Collection[str]) -> None:
        """Forget fragments that no table in use has."""
        with self._lock:
            for name in [name for name in self._read if name[0] not in used]:
                del self._read[name]


class Addresses:
    """The ids of one table at one version, by row address; `kept` says whether they are in memory (see MOST_ROWS)."""

    def __init__(self, table: Any, fragments: Fragments) -> None:
        self._table = table
        self._fragments = fragments
        found = table.get_fragments()
        self.by_number = {one.fragment_id: one for one in found}
        self._rows: dict[int, Rows] = {}
        self.files = {files_of(one) for one in found}
        self.kept = sum(one.metadata.physical_rows for one in found) <= MOST_ROWS

    def ids(self, addresses: NDArray[np.uint64]) -> list[str]:
        """Return the passage ids at the addresses, in their order, "" where there is no such row."""
        if not self.kept:
            return self._looked_up(addresses)
        found = np.full(len(addresses), "", dtype=object)
        numbers = (addresses >> np.uint64(32)).astype(np.int64)
        offsets = (addresses & np.uint64(0xFFFFFFFF)).astype(np.uint32)
        for number in np.unique(numbers).tolist():
            here = np.flatnonzero(numbers == number)
            known, ids = self._rows_of(number)
            places = np.searchsorted(known, offsets[here])
            there = places < len(known)
            there[there] = known[places[there]] == offsets[here][there]
            found[here[there]] = ids.take(pa.array(places[there])).to_pylist()
        result: list[str] = found.tolist()
        return result

    def _looked_up(self, addresses: NDArray[np.uint64]) -> list[str]:
        mask = serialize_row_addrs(addresses.tolist())
        rows = self._table.scanner(columns=["id"], with_row_address=True, row_addr_allowlist=mask).to_table()
        ids = dict(zip(rows["_rowaddr"].to_pylist(), rows["id"].to_pylist(), strict=True))
        return [ids.get(address, "") for address in addresses.tolist()]

    def _rows_of(self, number: int) -> Rows:
        if number not in self._rows:
            self._rows[number] = self._fragments.of(self.by_number[number], "id")
        return self._rows[number]


def files_of(fragment: Any) -> str:
    """Return the names of a fragment's data files: where a column was written anew, there is one more."""
    return "|".join(str(file.path) for file in fragment.data_files())
