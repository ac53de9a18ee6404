"""Which passage lies at a row's address: kept in memory, as reading 200 ids from Lance costs more than finding them.

An address is a fragment's number (upper 32 bits) and an offset in it. A fragment's data file is never rewritten, so
what was read of it holds for every version of the table that has it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

MOST_ROWS = 2_000_000
"""Rows of a table up to which its ids are kept, at about 40 bytes each."""


Rows = tuple[NDArray[np.uint32], pa.Array]
"""Offsets of rows in a fragment, ascending, and the passage ids of these."""


class Fragments:
    """The ids of all fragments of the tables of one library that are in use; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read: dict[str, Rows] = {}

    def of(self, fragment: Any) -> Rows:
        """Return (offsets, ascending; ids at these) of the rows of a fragment that were there when it was first read.

        Rows that were deleted before have no entry; those deleted since keep theirs, and no query finds them.
        """
        name = _file_of(fragment)
        with self._lock:
            if name in self._read:
                return self._read[name]
        rows = fragment.scanner(columns=["id"], with_row_address=True).to_table().combine_chunks()
        offsets = (rows["_rowaddr"].to_numpy() & 0xFFFFFFFF).astype(np.uint32)
        ids = rows["id"].chunk(0) if len(rows) else pa.array([], pa.string())
        with self._lock:
            return self._read.setdefault(name, (offsets, ids))

    def keep_only(self, used: set[str]) -> None:
        """Forget fragments that no table in use has."""
        with self._lock:
            for name in self._read.keys() - used:
                del self._read[name]


class Addresses:
    """The ids of one table at one version, by row address; `kept` says whether the table is small enough for it."""

    def __init__(self, table: Any, fragments: Fragments) -> None:
        self._fragments = fragments
        found = table.get_fragments()
        self._by_number = {one.fragment_id: one for one in found}
        self._rows: dict[int, Rows] = {}
        self.files = {_file_of(one) for one in found}
        self.kept = sum(one.metadata.physical_rows for one in found) <= MOST_ROWS

    def ids(self, addresses: NDArray[np.uint64]) -> list[str]:
        """Return the passage ids at the addresses, in their order, "" where there is no such row."""
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

    def _rows_of(self, number: int) -> Rows:
        if number not in self._rows:
            self._rows[number] = self._fragments.of(self._by_number[number])
        return self._rows[number]


def _file_of(fragment: Any) -> str:
    files: Sequence[Any] = fragment.data_files()
    return str(files[0].path)
