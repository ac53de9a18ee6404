"""The names of all items in memory, so that what is typed is completed within milliseconds at a million items.

They follow SQL exactly: before each look, the changes that its transaction can see are read (`store.naming`). Changed
items become a new segment and are struck out of the older ones; four segments of a size become one. So an answer never
depends on when something else was looked up. It is counted and ordered from what the asker may see alone, and whoever
shows an item asks SQL once more.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

import numpy as np
from sqlalchemy import Connection

from bowerbird.core.errors import BowerbirdError
from bowerbird.index.name_segment import Segment, build, merge
from bowerbird.index.name_tables import Flags, Labels
from bowerbird.store import naming
from bowerbird.store.database import Database

FOLLOWED_SECONDS = 0.5
"""How often a server looks for changes, so that few are left when somebody types."""

PATIENCE_SECONDS = 1.0
"""How long a look waits while the names are being read for the first time."""

_SMALLEST, _FACTOR = 64, 4
_AT_ONCE = 20_000
"""Items that may be merged while somebody waits; more are merged beside."""

_MASK_FROM, _MASKS_KEPT = 4_096, 24
_CHANGED_MOST = 20_000

_log = logging.getLogger("bowerbird.index")


class Names:
    """The names of one library, in one process; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._segments: tuple[Segment, ...] = ()
        self._change = -1
        self._number = 0
        self._masks: dict[tuple[int, int], tuple[frozenset[int], Flags]] = {}

    def look(self, connection: Connection, scopes: frozenset[int], patience: float = PATIENCE_SECONDS) -> Look | None:
        """Return what may be seen of these scopes, as of the connection's transaction.

        None while the names are being read for the first time, which takes seconds where there are millions.
        """
        if not self._lock.acquire(timeout=patience):
            return None
        try:
            self._follow(connection)
            segments = self._segments
            return Look(tuple((one, self._mask(one, scopes) & one.alive) for one in segments))
        finally:
            self._lock.release()

    def forget(self) -> None:
        """Forget everything; it is read again at the next look."""
        with self._lock:
            self._segments, self._change = (), -1
            self._masks.clear()

    def keep_level(self, database: Database, stop: threading.Event) -> None:
        """Follow the changes until `stop` is set, so that whoever looks finds little to do; for a server's thread."""
        while True:
            try:
                with self._lock, database.read() as connection:
                    self._follow(connection)
                self._merge_large()
            except BowerbirdError as problem:
                _log.warning("names cannot be followed now: %s", problem.cause)
            if stop.wait(FOLLOWED_SECONDS):
                return

    def _follow(self, connection: Connection) -> None:
        last = naming.last_change(connection)
        if self._change >= 0 and last <= self._change:
            return
        changed = naming.changed_since(connection, self._change) if self._change >= 0 else None
        held = sum(len(one.ids) for one in self._segments)
        if changed is None or len(changed) > max(_CHANGED_MOST, held // 2):
            self._masks.clear()
            every = self._built(naming.every_row(connection))
            self._segments = (every,) if len(every.ids) else ()
        elif changed:
            gone = np.array([one.encode() for one in changed], np.bytes_)
            kept = tuple(one.without(gone) for one in self._segments)
            fresh = self._built(naming.rows_of(connection, changed))
            self._segments = (*(one for one in kept if one.alive.any()), *((fresh,) if len(fresh.ids) else ()))
            self._merge_small()
        self._change = last

    def _built(self, rows: Iterator[naming.NamedRow] | list[naming.NamedRow]) -> Segment:
        self._number += 1
        return build(self._number, rows)

    def _merge_small(self) -> None:
        while (many := _crowded(self._segments)) and sum(len(one.ids) for one in many) <= _AT_ONCE:
            self._number += 1
            rest = tuple(one for one in self._segments if one not in many)
            self._segments = (*rest, merge(self._number, many))

    def _merge_large(self) -> None:
        """Merge without holding the lock; what changed meanwhile is struck out of the result."""
        with self._lock:
            many = _crowded(self._segments)
            self._number += 1
            number = self._number
        if not many:
            return
        made = merge(number, many)
        with self._lock:
            now = {one.number: one for one in self._segments}
            if any(one.number not in now for one in many):
                return  # forgotten, or emptied: the next time
            for one in many:
                made = made.without(one.ids[one.alive & ~now[one.number].alive])
            merged = {one.number for one in many}
            left = (one for one in self._segments if one.number not in merged)
            self._segments = (*left, *((made,) if made.alive.any() else ()))

    def _mask(self, segment: Segment, scopes: frozenset[int]) -> Flags:
        """Return which items lie in the scopes; kept for large segments, as the same people type letter by letter."""
        key = (segment.number, id(scopes))
        kept = self._masks.get(key)
        if kept is not None and kept[0] is scopes:
            return kept[1]
        most = int(segment.acl.max()) + 1
        table = np.zeros(most, np.bool_)
        listed = np.fromiter(scopes, np.int64, len(scopes))
        table[listed[(listed < most) & (listed >= 0)]] = True
        mask: Flags = table[segment.acl]
        if len(segment.ids) >= _MASK_FROM:
            while len(self._masks) >= _MASKS_KEPT:
                del self._masks[next(iter(self._masks))]
            self._masks[key] = (scopes, mask)
        return mask


def _crowded(segments: Sequence[Segment]) -> list[Segment]:
    """Return four or more segments of a size, the smallest such; or one of which most is gone."""

    def size(one: Segment) -> int:
        return int(math.log(max(len(one.ids), _SMALLEST) / _SMALLEST, _FACTOR))

    for _, some in groupby(sorted(segments, key=size), size):
        same = list(some)
        if len(same) >= _FACTOR:
            return same
    return [one for one in segments if len(one.ids) > _SMALLEST and 2 * one.alive.sum() < len(one.ids)][:1]


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the names: segments, each with which of its items count and may be seen."""

    parts: tuple[tuple[Segment, Flags], ...]

    def items(self, words: Sequence[str], most: int) -> list[str]:
        """Return ids of items that have all words, each of which may be unfinished; see `Segment.find`."""
        found = chain.from_iterable(
            ((rank, -segment.modified[at], segment.ids[at]) for rank, at in segment.find(words, open_, most))
            for segment, open_ in self.parts
        )
        return [bytes(one[2]).decode() for one in sorted(found)[:most]]

    def people(self, start: str) -> Counter[str]:
        """Return people (`name TAB address`) found by a word that begins so, each with how many items; "" for all."""
        return _counted(((one.people, open_) for one, open_ in self.parts), start)

    def folders(self, start: str) -> Counter[str]:
        """Return folders found by a word or a path that begins so, each with how many items; "" for all."""
        return _counted(((one.folders, open_) for one, open_ in self.parts), start)


def _counted(tables: Iterable[tuple[Labels, Flags]], start: str) -> Counter[str]:
    total = Counter[str]()
    for table, open_ in tables:
        total.update(table.counts(start, open_))
    return total
