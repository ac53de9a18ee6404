"""What a search may ask of an index, on behalf of one principal.

`index.reader.Reader` answers from Lance and SQL; `testing.memory.MemoryReader` answers from dictionaries and judges it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from bowerbird.core.records import Filters, Passage, Principal
from bowerbird.store.items import Glance, StoredItem

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class WordQuery:
    """What the word search is asked: free words (any of them), phrases (all of them, in order), what is being typed.

    `prefix` says that the last word of `words` may still be unfinished (search while typing). `among` are alternatives:
    of each group, a passage has to hold one text, its words in a row.
    """

    words: str
    phrases: tuple[str, ...] = ()
    prefix: bool = False
    among: tuple[tuple[str, ...], ...] = ()


class Candidate(NamedTuple):
    """A passage that a leg found; `score` is the leg's own (BM25, or cosine in [-1, 1]), higher is better."""

    passage: str
    item: str
    score: float


class Reading(Protocol):
    """The reads of one principal. Nothing that the principal may not see is ever returned, counted or scored."""

    @property
    def principal(self) -> Principal:
        """Whose reads these are."""

    def words(self, query: WordQuery, filters: Filters, limit: int) -> list[Candidate]:
        """Return the best passages by BM25, best first; with no words and no phrases, none."""

    def meaning(self, vector: Vector, filters: Filters, limit: int) -> list[Candidate]:
        """Return the passages nearest to a unit vector of shape [dimensions], best first; none without vectors."""

    def named(self, text: str, filters: Filters, limit: int) -> list[str]:
        """Return ids of items whose file name, stem, title, path or key equals the text (case folded), best first."""

    def recent(self, filters: Filters, limit: int) -> list[str]:
        """Return ids of items that pass the filters, newest first (a query of filters only)."""

    def passing(self, ids: Sequence[str], filters: Filters) -> set[str]:
        """Return those of these items that exist, may be seen and pass the filters (but for what must be held)."""

    def holding(self, text: str, ids: Sequence[str]) -> set[str]:
        """Return those of these items that may be seen and hold these words in a row, in some passage or their name."""

    def parts(self, items: Sequence[str], limit: int) -> list[str]:
        """Return up to `limit` parts of the documents that these items are parts of, each document's by its keys.

        A part has a fragment in its key (`roof.pdf#page=3`). Only what may be seen; the items themselves are among it.
        """

    def passages(self, ids: Sequence[str]) -> Mapping[str, Passage]:
        """Return the passages of these ids that still exist, are current and may be seen."""

    def items(self, ids: Sequence[str]) -> Mapping[str, StoredItem]:
        """Return those of these items that exist and may be seen (the second lock: asked of SQL, by current scope)."""

    def glance(self, ids: Sequence[str]) -> Mapping[str, Glance]:
        """Return a few columns of those of these items that exist and may be seen (the same lock, for many items)."""

    def people(self, start: str) -> Mapping[str, int] | None:
        """Return people (`name TAB address`) of what may be seen, each with the number of their items.

        Of whom a word begins with `start` (plain, see `name_words`), "" for all. None while names are not there yet.
        """

    def sources(self) -> Sequence[str]:
        """Return the names of the sources that hold something that may be seen, by name."""

    def renewed(self) -> Reading:
        """Return a reader of the same principal that looks up anew what may be seen: something has changed since."""

    def pending(self) -> tuple[int, int]:
        """Return (items not yet searchable by words, items not yet searchable by meaning) that the asker may see."""

    def unindexed(self, ids: Sequence[str]) -> set[str]:
        """Return those of these items that may be seen and whose last change the word search does not know yet."""

    def tells_numbers(self) -> bool:
        """Tell whether raw scores may be told: only to who sees everything, as all texts weigh in them."""
