"""Sorted words and where they lead, as arrays: the words of names to items, and those of labels to labels to items.

Items are numbered by age, the newest 0, so the smallest numbers are what is offered first. A range of words that begin
alike is one slice of an array.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int32]
Flags = NDArray[np.bool_]

_END = "\U0010ffff"


class Gathering:
    """Collects places by key, in the order in which they come."""

    def __init__(self) -> None:
        self._keys: dict[str, int] = {}
        self._owners, self._places = array("i"), array("i")

    def add(self, keys: Iterable[str], places: Iterable[int]) -> None:
        """Add a place to each of some keys."""
        known = self._keys
        self._owners.extend([known.setdefault(key, len(known)) for key in keys])
        self._places.extend(places)

    def lists(self) -> tuple[list[str], NDArray[np.int64], Numbers]:
        """Return the keys, sorted; where the places of each begin (one number more than there are keys); all places."""
        keys = sorted(self._keys)
        ranks = np.empty(len(keys), np.int32)
        ranks[[self._keys[key] for key in keys]] = np.arange(len(keys), dtype=np.int32)
        return keys, *_sorted(ranks[np.array(self._owners, np.int32)], np.array(self._places, np.int32), len(keys))


def _sorted(owners: NDArray[Any], places: Numbers, keys: int) -> tuple[NDArray[np.int64], Numbers]:
    """Return where the places of each key begin, and all places by key; those of one key stay in order."""
    sizes = np.bincount(owners, minlength=keys)
    return np.concatenate(([0], np.cumsum(sizes))), places[np.argsort(owners, kind="stable")]


def spans(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return all places from each start to its end, in a row.

    >>> spans(np.array([3, 9]), np.array([5, 10])).tolist()
    [3, 4, 9]
    """
    sizes = ends - starts
    before = np.cumsum(sizes) - sizes
    places: NDArray[np.int64] = np.arange(sizes.sum()) + np.repeat(starts - before, sizes)
    return places


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """Words, sorted; of each the items that have it, as `2 * number`, and one more where no name begins with it."""

    words: list[str]
    starts: NDArray[np.int64]
    places: Numbers

    def begins(self, start: str) -> tuple[Numbers, int]:
        """Return the places of all words that begin so, and how many of them are of the very word, which come first."""
        low, high = bisect_left(self.words, start), bisect_left(self.words, start + _END)
        exact = low < high and self.words[low] == start
        from_, to = self.starts[low], self.starts[high]
        return self.places[from_:to], int(self.starts[low + 1] - from_) if exact else 0


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Labels (people, folders), each with its items; `words` are sorted, `leads` says to which label each leads.

    `numbers` has the number of each label.
    """

    labels: list[str]
    numbers: dict[str, int]
    starts: NDArray[np.int64]
    places: Numbers
    words: list[str]
    leads: Numbers

    def found(self, words: Sequence[str]) -> Numbers | None:
        """Return the labels of which, for each of these words, a word begins so, ascending; None for all of them."""
        kept: Numbers | None = None
        for word in words:
            low, high = bisect_left(self.words, word), bisect_left(self.words, word + _END)
            mine = np.unique(self.leads[low:high])
            kept = mine if kept is None else np.intersect1d(kept, mine, assume_unique=True)
        return kept

    def size(self, labels: Numbers) -> int:
        """Return how many places these labels have in all."""
        return int((self.starts[labels + 1] - self.starts[labels]).sum())

    def counts(self, labels: Numbers | None, open_: Flags) -> NDArray[np.int64]:
        """Return how many items of each of these labels (None for all) are open."""
        starts, ends = (self.starts[:-1], self.starts[1:]) if labels is None else (
            self.starts[labels], self.starts[labels + 1]
        )  # fmt: skip
        seen = open_[self.places if labels is None else self.places[spans(starts, ends)]]
        sums = np.concatenate(([0], np.cumsum(seen)))
        until = np.cumsum(ends - starts)
        counted: NDArray[np.int64] = sums[until] - sums[until - (ends - starts)]
        return counted


def labels_table(
    lists: tuple[list[str], NDArray[np.int64], Numbers], words_of: Callable[[str], Sequence[str]]
) -> Labels:
    """Return the table of labels -> items, found by the words that `words_of` tells of each label."""
    labels, starts, places = lists
    led = sorted((word, at) for at, label in enumerate(labels) for word in words_of(label))
    leads = np.fromiter((at for _, at in led), np.int32, len(led))
    numbers = {label: at for at, label in enumerate(labels)}
    return Labels(labels, numbers, starts, places, [word for word, _ in led], leads)


def words_joined(tables: Sequence[Words], numbers: Sequence[Numbers]) -> Words:
    """Return tables as one; `numbers` tells of each what number its items have from now on, -1 for those that go."""
    keys = [table.words for table in tables]
    moved = [np.where(new[table.places >> 1] < 0, -1, new[table.places >> 1] * 2 + (table.places & 1))
             for table, new in zip(tables, numbers, strict=True)]  # fmt: skip
    return Words(*_joined(keys, [table.starts for table in tables], moved))


def labels_joined(
    tables: Sequence[Labels], numbers: Sequence[Numbers], words_of: Callable[[str], Sequence[str]]
) -> Labels:
    """Return tables of labels as one; see `words_joined`."""
    keys = [table.labels for table in tables]
    moved = [new[table.places] for table, new in zip(tables, numbers, strict=True)]
    return labels_table(_joined(keys, [table.starts for table in tables], moved), words_of)


def _joined(
    keys: Sequence[list[str]], starts: Sequence[NDArray[np.int64]], places: Sequence[Numbers]
) -> tuple[list[str], NDArray[np.int64], Numbers]:
    """Join lists by key, all at once: each place goes to the number of its key, and keys without a place go."""
    every = sorted(set().union(*keys))
    number = {key: at for at, key in enumerate(every)}
    owners = np.concatenate([
        np.repeat(np.fromiter((number[key] for key in some), np.int64, len(some)), np.diff(begun))
        for some, begun in zip(keys, starts, strict=True)
    ])  # fmt: skip
    joined = np.concatenate(places)
    kept = joined >= 0
    owners, joined = owners[kept], joined[kept]
    begun, ordered = _sorted(owners, joined.astype(np.int32), len(every))
    held = np.flatnonzero(np.diff(begun))
    return [every[at] for at in held], begun[np.append(held, len(every))], ordered
