"""Rankings, and what is done to them: collapse passages to items, fuse, put first. Pure functions, no index.

Ties break by rank and then by id, so that equal input gives equal output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from bowerbird.core.records import Reason
from bowerbird.index.reading import Candidate

RRF_K = 60.0
"""The constant of reciprocal rank fusion; 60 as in Cormack et al., SIGIR 2009."""

PASSAGES_KEPT = 3
"""Passages kept for an item."""


class Because(Protocol):
    """Why an entry stands where it stands. Worked out only when it is shown: most entries of a ranking never are."""

    def told(self) -> Iterator[str]:
        """Yield it in lines of words, made of ranks alone."""

    def reasons(self, numbers: bool) -> Iterator[Reason]:
        """Yield what adds up to the score (or to what this adds to it); without `numbers`, words and ranks alone."""


class Place(NamedTuple):
    """A place in what a leg found, and the leg's own score of it."""

    leg: str
    rank: int
    of: int
    score: float = 0.0

    def told(self) -> Iterator[str]:
        """Yield the place."""
        yield str(self)

    def reasons(self, numbers: bool) -> Iterator[Reason]:
        """Yield the leg's score."""
        yield Reason(self.leg, f"place {self.rank} of {self.of}", self.score if numbers else None)

    def __str__(self) -> str:
        """Return the line in words."""
        return f"{self.leg}: rank {self.rank} of {self.of}"


class Bonus(NamedTuple):
    """What is added to a score, and why."""

    why: str
    amount: float

    def told(self) -> Iterator[str]:
        """Yield why, and how much."""
        yield str(self)

    def reasons(self, numbers: bool) -> Iterator[Reason]:
        """Yield the same."""
        yield Reason("named", self.why, self.amount if numbers else None)

    def __str__(self) -> str:
        """Return the line in words."""
        return f"{self.why}: +{self.amount:g}"


class Kept(NamedTuple):
    """A passage of an entry: its id, its score, and its rank in its leg (from 1)."""

    id: str
    score: float
    rank: int


class Shares(NamedTuple):
    """The lines of a fused entry: its places in the rankings that hold it, and the sum."""

    found: Sequence[tuple[Ranking, int, Entry]]
    k: float
    score: float

    def told(self) -> Iterator[str]:
        """Yield the lines in words."""
        for one, rank, entry in self.found:
            yield from entry.told()
            yield str(one.place(rank))
        yield f"rrf: {' + '.join(f'1/({self.k:g}+{rank})' for _, rank, _ in self.found)} = {self.score:.4f}"

    def reasons(self, numbers: bool) -> Iterator[Reason]:
        """Yield the sum, of one part for each ranking; what stands behind a place is told in words."""
        parts = []
        for one, rank, entry in self.found:
            behind = "; ".join(entry.told())
            words = f"place {rank} of {len(one.entries)}{f' ({behind})' if behind else ''}"
            parts.append(Reason(one.name, words, 1 / (self.k + rank) if numbers else None))
        words = f"the places in what ran side by side, fused: 1 / ({self.k:g} + place) each"
        yield Reason("rrf", words, self.score if numbers else None, tuple(parts))


class Entry(NamedTuple):
    """One line of a ranking: a passage or an item (`id` says which), its best passages, why it is there.

    `named` says that it is there by its name, whatever its passages say.
    """

    id: str
    item: str
    score: float
    passages: tuple[Kept, ...] = ()
    lines: tuple[Because, ...] = ()
    named: bool = False

    def told(self) -> tuple[str, ...]:
        """Return the lines in words."""
        return tuple(text for line in self.lines for text in line.told())


@dataclass(frozen=True, slots=True)
class Ranking:
    """Entries, best first. `found` says that a leg found them; after fusion they explain themselves.

    A leg's own scores (BM25, cosine) depend on texts that the asker may not see, by the statistics of words. They order
    the entries and are never told: explanations are made of ranks.
    """

    name: str
    entries: tuple[Entry, ...]
    found: bool = False

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids, best first."""
        return tuple(entry.id for entry in self.entries)

    def cut(self, count: int) -> Ranking:
        """Return the first `count` entries."""
        return replace(self, entries=self.entries[:count])

    def explained(self) -> tuple[Entry, ...]:
        """Return the entries with a line for their place in this ranking, where it is a leg."""
        if not self.found:
            return self.entries
        return tuple(
            Entry(entry.id, entry.item, entry.score, entry.passages, (*entry.lines, self.place(rank, entry.score)))
            for rank, entry in enumerate(self.entries, 1)
        )

    def place(self, rank: int, score: float = 0.0) -> Place:
        """Return a place in this ranking; where the ranking's score is the entry's, also that."""
        return Place(self.name, rank, len(self.entries), score)


def ranking(ids: str, name: str = "ranking") -> Ranking:
    """Return a ranking of these blank-separated ids, best first: for tests and examples."""
    words = ids.split()
    return Ranking(name, tuple(Entry(word, word, float(len(words) - at)) for at, word in enumerate(words)))


def leg(name: str, candidates: Iterable[Candidate]) -> Ranking:
    """Return what a leg found, best first, as a ranking of passages."""
    entries = [
        Entry(id_, item, score, (Kept(id_, score, rank),)) for rank, (id_, item, score) in enumerate(candidates, 1)
    ]
    return Ranking(name, tuple(entries), found=True)


def collapse(found: Ranking) -> Ranking:
    """Return one entry an item, at the place of its best passage, with its three best passages.

    A ranking of items stays as it is.
    """
    best: dict[str, Entry] = {}
    for entry in found.entries:
        held = best.get(entry.item)
        if held is None:
            best[entry.item] = Entry(entry.item, entry.item, entry.score, entry.passages, entry.lines)
        elif len(held.passages) < PASSAGES_KEPT:
            passages = (held.passages + entry.passages)[:PASSAGES_KEPT]
            best[entry.item] = Entry(held.id, held.item, held.score, passages, held.lines)
    return replace(found, entries=tuple(best.values()))


def reciprocal_rank(rankings: Sequence[Ranking], k: float = RRF_K) -> Ranking:
    """Sum of 1 / (k + rank) over the rankings that hold a hit; rank starts at 1 (Cormack et al., SIGIR 2009).

    Of equal sums the one that an earlier ranking found first stands first: words before meaning, as a person can see
    the words, and never by an id, which is random.

    >>> reciprocal_rank([ranking("a b"), ranking("b c")]).ids
    ('b', 'a', 'c')
    """
    places: dict[str, list[tuple[Ranking, int, Entry]]] = {}
    for one in rankings:
        for rank, entry in enumerate(one.entries, 1):
            places.setdefault(entry.id, []).append((one, rank, entry))
    fused = [_fused(id_, found, k) for id_, found in places.items()]
    # the sort is stable, and what is sorted stands in the order of the rankings
    return Ranking("rrf", tuple(sorted(fused, key=lambda entry: -entry.score)))


def _fused(id_: str, found: Sequence[tuple[Ranking, int, Entry]], k: float) -> Entry:
    """Make one entry of what the rankings that hold an id say of it."""
    first = found[0][2]
    score = sum([1 / (k + rank) for _, rank, _ in found])
    passages = first.passages if len(found) == 1 else _merge([entry.passages for _, _, entry in found], k)
    return Entry(id_, first.item, score, passages, (Shares(found, k, score),))


def _merge(legs: Sequence[tuple[Kept, ...]], k: float) -> tuple[Kept, ...]:
    """Fuse the passages of one item by their ranks in their legs."""
    fused: dict[str, Kept] = {}
    for kept in (kept for passages in legs for kept in passages):
        share = 1 / (k + kept.rank)
        held = fused.get(kept.id, Kept(kept.id, 0.0, kept.rank))
        fused[kept.id] = Kept(kept.id, held.score + share, min(held.rank, kept.rank))
    return tuple(sorted(fused.values(), key=lambda kept: (-kept.score, kept.rank, kept.id))[:PASSAGES_KEPT])


def put_first(rest: Ranking, ids: Sequence[str], bonus: float, why: Callable[[str], str]) -> Ranking:
    """Add `bonus` to the score of these items, which come in even where the ranking lacks them.

    A lifted entry says `why(id)`; among the lifted the ranking's scores decide, then the order of `ids`.
    """
    if not ids:
        return rest
    places = {id_: (rank, entry) for rank, (id_, entry) in enumerate(zip(rest.ids, rest.explained(), strict=True), 1)}
    lifted = []
    for order, id_ in enumerate(dict.fromkeys(ids)):
        rank, entry = places.pop(id_, (len(rest.entries) + 1 + order, Entry(id_, id_, 0.0)))
        lines = (*entry.lines, Bonus(why(id_), bonus))
        lifted.append((rank, entry._replace(score=entry.score + bonus, lines=lines)))
    lifted.sort(key=lambda ranked: (-ranked[1].score, ranked[0]))
    kept = (entry for _, entry in places.values())
    return Ranking(rest.name, (*(entry for _, entry in lifted), *kept))
