"""What a query is kept to: the rows of the asker's scopes, as a set of row addresses that is made once.

Lance is handed the set with every query and ranks what is in it, so a hit is never lost to a row that may not be seen.
A list of scopes in the condition (`acl_id IN (...)`) does the same, but is parsed and planned anew each time, at 2.5
microseconds a scope: with 50,000 scopes, half of them visible, a word search takes 62 ms, with the set 2 ms. The set is
that of one version of the table and of these very scopes; making it takes 4 ms for 100,000 rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from lance.dataset import serialize_row_addrs
from numpy.typing import NDArray

from bowerbird.index.addresses import Addresses, Fragments
from bowerbird.index.filters import in_scopes

_MOST_MASKS = 200
_MOST_TOLD = 20_000
_FEW = 0.02

Scopes = frozenset[int]


class Within(NamedTuple):
    """What a query is kept to: the arguments for Lance that say so, and how many rows pass at most."""

    asking: Mapping[str, Any]
    rows: int


class Masks:
    """The masks of one table at one version, for those who asked; thread-safe, as each is made and kept whole."""

    def __init__(self, table: Any, addresses: Addresses, fragments: Fragments) -> None:
        self._table = table
        self._addresses = addresses
        self._fragments = fragments
        self._made: dict[tuple[Scopes | None, str], Within] = {}
        self._spoken: dict[Scopes | None, tuple[str, ...]] = {}
        self._told: dict[tuple[object, ...], bool] = {}
        self.rows = int(table.count_rows())

    def within(self, scopes: Scopes | None, condition: str | None, counted: bool = False) -> Within:
        """Return what keeps a query to these scopes (None: to all there are) and to a condition.

        `counted` asks for the number of rows that pass the condition too, not of those in the scopes alone.
        """
        if scopes is None and not condition:
            return Within({}, self.rows)
        if scopes is not None and not self._addresses.kept:
            condition = " AND ".join(filter(None, (in_scopes(scopes), condition)))
            scopes = None
        asking: dict[str, Any] = {"filter": condition, "prefilter": True} if condition else {}
        rows = self.rows
        if scopes is not None:
            mask = self._kept((scopes, ""), asking)
            asking, rows = {**mask.asking, **asking}, mask.rows
        if not counted or not condition:
            return Within(asking, rows)
        if not self._addresses.kept:
            return Within(asking, int(self._table.count_rows(condition)))
        return self._kept((scopes, condition), asking)

    def languages(self, scopes: Scopes | None) -> tuple[str, ...]:
        """Return the languages of the passages in these scopes (None: all), most frequent first, but for rare ones.

        Rare are those of less than a fiftieth of the passages. Of the words table only; nothing where it is too large
        to be kept in memory.
        """
        if not self._addresses.kept or "language" not in self._table.schema.names:  # the index of an older version
            return ()
        found = self._spoken.get(scopes)
        if found is None:
            if len(self._spoken) >= _MOST_MASKS:
                self._spoken.clear()
            visible = None if scopes is None else _by_number(scopes)
            counts = Counter[str]()
            for number in self._addresses.by_number:
                counts.update(self._counted(number, visible))
            least = _FEW * sum(counts.values())
            found = tuple(language for language, count in counts.most_common() if count >= least)
            self._spoken[scopes] = found
        return found

    def remembered(self, question: tuple[object, ...], ask: Callable[[], bool]) -> bool:
        """Return the answer to a question about this version of the table, which says whose it is; asked once."""
        answer = self._told.get(question)
        if answer is None:
            if len(self._told) >= _MOST_TOLD:
                self._told.clear()
            self._told[question] = answer = ask()
        return answer

    def _counted(self, number: int, visible: NDArray[np.bool_] | None) -> Mapping[str, int]:
        """Return how many passages of a fragment are in each language."""
        offsets, values = self._fragments.of(self._addresses.by_number[number], "language")
        if visible is not None:
            values = values.filter(pa.array(np.isin(offsets, self._visible(number, visible))))
        return {row["values"].as_py(): row["counts"].as_py() for row in values.value_counts()}

    def _kept(self, key: tuple[Scopes | None, str], asking: Mapping[str, Any]) -> Within:
        found = self._made.get(key)
        if found is None:
            scopes, condition = key
            found = _mask(self._narrowed(asking) if condition else self._of(scopes or frozenset()))
            if len(self._made) >= _MOST_MASKS:
                self._made.clear()
            self._made[key] = found
        return found

    def _of(self, scopes: Scopes) -> NDArray[np.uint64]:
        """Return the addresses of all rows in the scopes; a row whose scope is not known is nobody's."""
        parts = [np.zeros(0, np.uint64)]
        visible = _by_number(scopes)
        for number in self._addresses.by_number:
            offsets = self._visible(number, visible).astype(np.uint64)
            parts.append((np.uint64(number) << np.uint64(32)) | offsets)
        return np.concatenate(parts)

    def _visible(self, number: int, visible: NDArray[np.bool_]) -> NDArray[np.uint32]:
        """Return the offsets in a fragment of the rows whose scope is visible; the last entry stands for no scope."""
        offsets, values = self._fragments.of(self._addresses.by_number[number], "acl_id")
        scope = values.fill_null(-1).to_numpy()
        known = np.where((scope >= 0) & (scope < len(visible)), scope, len(visible) - 1)
        return offsets[visible[known]]

    def _narrowed(self, asking: Mapping[str, Any]) -> NDArray[np.uint64]:
        """Return the addresses of the rows that a query is kept to."""
        found: NDArray[np.uint64] = (
            self._table.scanner(columns=[], with_row_address=True, **asking).to_table()["_rowaddr"].to_numpy()
        )
        return found


def _by_number(scopes: Scopes) -> NDArray[np.bool_]:
    """Return whether a scope is among these, by its number; the last entry, False, stands for no scope."""
    visible = np.zeros(max(scopes, default=0) + 2, bool)
    visible[np.fromiter(scopes, np.int64, len(scopes))] = True
    return visible


def _mask(addresses: NDArray[np.uint64]) -> Within:
    return Within({"row_addr_allowlist": serialize_row_addrs(addresses.tolist())}, len(addresses))
