"""Some of the items, as suggestions look through them; never changed, but for which of them still count."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bowerbird.index.name_tables import (
    Flags,
    Gathering,
    Labels,
    Numbers,
    Words,
    labels_joined,
    labels_table,
    words_joined,
)
from bowerbird.index.name_words import (
    folder_words,
    folders_of,
    people_of,
    person_words,
    tag_words,
    tags_of,
    words_of,
)

_RANK_BITS = 29
"""Numbers of items lie below, ranks of how well a name fits above; both fit an int32."""


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Items by number, the newest 0: ids, scopes, dates (-inf without one), whether each still counts; and tables."""

    number: int
    ids: NDArray[np.bytes_]
    sorted_ids: NDArray[np.bytes_]
    by_id: Numbers
    acl: Numbers
    modified: NDArray[np.float64]
    alive: Flags
    words: Words
    people: Labels
    folders: Labels
    tags: Labels

    def without(self, ids: NDArray[np.bytes_]) -> Segment:
        """Return the segment without these items (the very same where it has none of them)."""
        at = np.minimum(np.searchsorted(self.sorted_ids, ids), len(self.ids) - 1)
        found = self.by_id[at[self.sorted_ids[at] == ids]]
        if not self.alive[found].any():
            return self
        alive = self.alive.copy()
        alive[found] = False
        return replace(self, alive=alive)

    def find(self, words: Sequence[str], open_: Flags, most: int) -> list[tuple[int, int]]:
        """Return (rank, number) of the best items that have all words, the last of which may be unfinished.

        Every word may be the beginning of one. Rank 0: a name begins with the first word, and the last is whole;
        1: it begins so; 2: the last word is whole; 3: neither. Within a rank the newest come first.
        """
        places, exact = self.words.begins(words[-1])
        numbers = places >> 1
        kept = open_[numbers]
        if len(words) == 1:
            rank = (places & 1) << 1
        else:
            rank = np.full(len(places), 2, np.int32)
            for at, word in enumerate(words[:-1]):
                others, _ = self.words.begins(word)
                kept &= self._has(others >> 1)[numbers]
                if not at:
                    rank[self._has(others[(others & 1) == 0] >> 1)[numbers]] = 0
        rank[exact:] += 1
        return _smallest(((rank << _RANK_BITS) | numbers)[kept], most)

    def _has(self, numbers: Numbers) -> Flags:
        flags = np.zeros(len(self.ids), np.bool_)
        flags[numbers] = True
        return flags


def _smallest(keys: Numbers, most: int) -> list[tuple[int, int]]:
    """Return the smallest keys as (rank, number), each number once."""
    wide = 4 * most  # an item may be there by several of its words
    while True:
        some = np.sort(np.partition(keys, wide)[:wide] if len(keys) > wide else keys)
        numbers = some & ((1 << _RANK_BITS) - 1)
        _, first = np.unique(numbers, return_index=True)
        if len(first) >= most or wide >= len(keys):
            best = some[np.sort(first)][:most]
            return [(key >> _RANK_BITS, key & ((1 << _RANK_BITS) - 1)) for key in best.tolist()]
        wide *= 8


def build(number: int, rows: Iterable[tuple[Any, ...]]) -> Segment:
    """Return the segment of these items (as `NamedRow` has them), which come newest first."""
    ids: list[bytes] = []
    acl, modified = array("i"), array("d")
    words, people, folders, tags = (Gathering() for _ in range(4))
    for at, row in enumerate(rows):
        ids.append(row[0].encode())
        acl.append(row[6])
        modified.append(float("-inf") if row[4] is None else row[4])
        found = words_of(row[1], row[2])
        words.add(found, [2 * at + (not begins) for begins in found.values()])
        for labels, table in ((people_of(row[5]), people), (folders_of(row[3]), folders), (tags_of(row[7]), tags)):
            table.add(labels, [at] * len(labels))
    tables = (
        Words(*words.lists()),
        labels_table(people.lists(), person_words),
        labels_table(folders.lists(), folder_words),
        labels_table(tags.lists(), tag_words),
    )
    return _segment(number, (np.array(ids, np.bytes_), np.array(acl, np.int32), np.array(modified)), tables)


def merge(number: int, segments: Sequence[Segment]) -> Segment:
    """Return segments as one, without the items that no longer count."""
    alive = np.concatenate([one.alive for one in segments])
    ids = np.concatenate([one.ids for one in segments])[alive]
    acl = np.concatenate([one.acl for one in segments])[alive]
    modified = np.concatenate([one.modified for one in segments])[alive]
    order = np.lexsort((ids, -modified))
    places = np.empty(len(order), np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    numbers, begun = [], 0
    for one in segments:
        new = np.full(len(one.ids), -1, np.int32)
        count = int(one.alive.sum())
        new[one.alive] = places[begun : begun + count]
        begun += count
        numbers.append(new)
    tables = (
        words_joined([one.words for one in segments], numbers),
        labels_joined([one.people for one in segments], numbers, person_words),
        labels_joined([one.folders for one in segments], numbers, folder_words),
        labels_joined([one.tags for one in segments], numbers, tag_words),
    )
    return _segment(number, (ids[order], acl[order], modified[order]), tables)


def _segment(number: int, columns: tuple[Any, Any, Any], tables: tuple[Words, Labels, Labels, Labels]) -> Segment:
    ids, acl, modified = columns
    by_id = np.argsort(ids).astype(np.int32)
    return Segment(number, ids, ids[by_id], by_id, acl, modified, np.ones(len(ids), np.bool_), *tables)
