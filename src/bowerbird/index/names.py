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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from bowerbird.core.errors import BowerbirdError
from bowerbird.index.name_segment import Segment, build, merge
from bowerbird.index.name_tables import Flags, Labels, Numbers
from bowerbird.store import naming
from bowerbird.store.database import Database

FOLLOWED_SECONDS = 0.5
"""How often a server looks for changes, so that few are left when somebody types."""

PATIENCE_SECONDS = 1.0
"""How long a look waits while the names are being read for the first time."""

_SMALLEST, _FACTOR = 64, 4
_AT_ONCE = 20_000
"""Items that may be merged while somebody waits; more are merged beside."""

_KEPT_FROM, _MOST_KEPT = 4_096, 24
_FEW = 200_000
"""Places that are counted anew at every key; for more, all labels are counted once."""

_CHANGED_MOST = 20_000

_log = logging.getLogger("bowerbird.index")


class Names:
    """The names of one library, in one process; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._segments: tuple[Segment, ...] = ()
        self._change = -1
        self._number = 0
        self._kept: dict[tuple[int, int], _Kept] = {}

    def known(self) -> bool:
        """Tell whether the names were read, so that a look finds little to do."""
        return self._change >= 0

    def look(self, connection: Connection, scopes: frozenset[int], patience: float = PATIENCE_SECONDS) -> Look | None:
        """Return what may be seen of these scopes, as of the connection's transaction.

        None while the names are being read for the first time, which takes seconds where there are millions.
        """
        if not self._lock.acquire(timeout=patience):
            return None
        try:
            self._follow(connection)
            segments = self._segments
            return Look(tuple(self._part(one, scopes) for one in segments))
        finally:
            self._lock.release()

    def forget(self) -> None:
        """Forget everything; it is read again at the next look."""
        with self._lock:
            self._segments, self._change = (), -1
            self._kept.clear()

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
            self._kept.clear()
            every = self._built(naming.every_row(connection))
            self._segments = (every,) if len(every.ids) else ()
        elif changed:
            gone = np.array([one.encode() for one in changed], np.bytes_)
            kept = [left for one in self._segments if (left := one.without(gone)).alive.any()]
            if kept and len(kept[-1].ids) < _SMALLEST:  # a few more are made anew with the last few
                last_few = kept.pop()
                changed += [bytes(one).decode() for one in last_few.ids[last_few.alive]]
            fresh = self._built(naming.rows_of(connection, changed))
            self._segments = (*kept, fresh) if len(fresh.ids) else tuple(kept)
            self._merge_small()
        self._change = last

    def _built(self, rows: Iterable[tuple[Any, ...]]) -> Segment:
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

    def _part(self, segment: Segment, scopes: frozenset[int]) -> Part:
        """Return a segment as it is seen; kept where it is large, as the same people type letter by letter."""
        key = (segment.number, id(scopes))
        kept = self._kept.get(key)
        if kept is not None and kept.scopes is scopes:
            if kept.part.segment is segment:
                return kept.part
            mask = kept.mask
        else:
            mask = _within(segment, scopes)
        part = Part(segment, mask & segment.alive, {})
        if len(segment.ids) >= _KEPT_FROM:
            self._kept.pop(key, None)
            while len(self._kept) >= _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = _Kept(scopes, mask, part)
        return part


class _Kept(NamedTuple):
    """What is remembered of an asker and a segment: the very set of scopes, which items lie in them, and the part."""

    scopes: frozenset[int]
    mask: Flags
    part: Part


def _within(segment: Segment, scopes: frozenset[int]) -> Flags:
    """Return which items of a segment lie in the scopes."""
    most = int(segment.acl.max()) + 1
    table = np.zeros(most, np.bool_)
    listed = np.fromiter(scopes, np.int64, len(scopes))
    table[listed[(listed < most) & (listed >= 0)]] = True
    mask: Flags = table[segment.acl]
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


class Part(NamedTuple):
    """A segment as one asker sees it: `open` are the items that count and may be seen.

    `kept` are its counts for all labels, by table, for as long as the same items are open.
    """

    segment: Segment
    open: Flags
    kept: dict[str, NDArray[np.int64]]

    def counts(self, table: Labels, name: str, labels: Numbers | None) -> NDArray[np.int64]:
        """Return how many open items each of these labels has (None for all)."""
        counted = self.kept.get(name)
        if counted is None:
            if labels is not None and table.size(labels) < _FEW:
                return table.counts(labels, self.open)
            counted = self.kept[name] = table.counts(None, self.open)
        return counted if labels is None else counted[labels]


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the names."""

    parts: tuple[Part, ...]

    def items(self, words: Sequence[str], most: int) -> list[str]:
        """Return ids of items that have all words, each of which may be unfinished; see `Segment.find`."""
        found = chain.from_iterable(
            (
                (rank, -one.segment.modified[at], one.segment.ids[at])
                for rank, at in one.segment.find(words, one.open, most)
            )
            for one in self.parts
        )
        return [bytes(one[2]).decode() for one in sorted(found)[:most]]

    def people(self, words: Sequence[str], most: int) -> list[tuple[str, int]]:
        """Return people (`name TAB address`) by these words, with the number of their items, those with most first.

        Each word must begin one of theirs; without words, everybody is meant.
        """
        return _best([(one, one.segment.people) for one in self.parts], "people", words, most)

    def folders(self, words: Sequence[str], most: int) -> list[tuple[str, int]]:
        """Return folders by these words (or the start of a path), with their number of items, those with most first."""
        return _best([(one, one.segment.folders) for one in self.parts], "folders", words, most)

    def tags(self, words: Sequence[str], most: int) -> list[tuple[str, int]]:
        """Return tags by these words, with their number of items, those with most first."""
        return _best([(one, one.segment.tags) for one in self.parts], "tags", words, most)


def _best(parts: Iterable[tuple[Part, Labels]], name: str, words: Sequence[str], most: int) -> list[tuple[str, int]]:
    """Return the labels with the most items over all parts; those of the largest are never listed as a whole."""
    found = [(table, mine, part.counts(table, name, mine)) for part, table in parts for mine in (table.found(words),)]
    if not found:
        return []
    found.sort(key=lambda one: -len(one[2]))
    (table, mine, counts), *rest = found
    others = Counter[str]()
    for other, theirs, more in rest:
        for at in np.flatnonzero(more).tolist():
            others[other.labels[at if theirs is None else theirs[at]]] += int(more[at])
    if others:
        counts = counts.copy()
        for label in list(others):
            place = _place(table, mine, label)
            if place is not None:
                counts[place] += others.pop(label)
    best = _largest(counts, most)  # labels are sorted, so equal counts come by label
    listed = [(table.labels[at if mine is None else mine[at]], int(counts[at])) for at in best]
    return sorted((*listed, *others.items()), key=lambda one: (-one[1], one[0]))[:most]


def _place(table: Labels, mine: Numbers | None, label: str) -> int | None:
    """Return where a label is counted, None where it is not."""
    at = table.numbers.get(label)
    if at is None or mine is None:
        return at
    place = int(np.searchsorted(mine, at))
    return place if place < len(mine) and mine[place] == at else None


def _largest(counts: NDArray[np.int64], most: int) -> list[int]:
    """Return the places of the largest counts above 0, the first of equals first."""
    least = max(1, int(np.partition(counts, -most)[-most])) if len(counts) > most else 1
    some = np.flatnonzero(counts >= least)
    best: list[int] = some[np.argsort(-counts[some], kind="stable")][:most].tolist()
    return best
