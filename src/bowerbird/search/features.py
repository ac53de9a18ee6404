"""What a ranker knows of a candidate: numbers that are the same in training and in serving, defined here once.

All come from what the asker may see: the two legs' scores, and the texts of the candidates themselves. The weight of a
word (the fewer candidates hold it, the more it says) is counted over the candidates, never over the whole index.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bowerbird.core.keys import document_of
from bowerbird.core.records import Passage, Query
from bowerbird.index.analysis import asked_words, phrase_terms
from bowerbird.index.cutting import name_words
from bowerbird.index.languages import languages_of
from bowerbird.search.query import free_text
from bowerbird.search.ranking import RRF_K
from bowerbird.store.items import StoredItem

Matrix = NDArray[np.float32]

NEAR = 16
"""How many words apart words are near each other."""

_BELOW = 0.02
"""How far below the last cosine that was found one is taken to be that was not."""


class Feature(NamedTuple):
    """A feature's name, and what it says in words."""

    name: str
    words: str


FEATURES: tuple[Feature, ...] = (
    Feature("words", "how well the words fit, between the worst and the best that was found"),
    Feature("words_rank", "its place among what the words found"),
    Feature("meaning", "how near the meaning is, between the worst and the best that was found"),
    Feature("meaning_rank", "its place among what the meaning found"),
    Feature("cosine", "how near the meaning is"),
    Feature("meaning_gap", "how far it is behind the nearest meaning"),
    Feature("fused", "its places in both, fused"),
    Feature("mixed", "words and meaning, mixed in equal parts"),
    Feature("both", "found by words and by meaning"),
    Feature("passages", "how many of its passages were found"),
    Feature("title", "how much of the query stands in the title"),
    Feature("title_words", "how much of the title stands in the query"),
    Feature("headings", "how much of the query stands in the headings"),
    Feature("path", "how much of the query stands in the path"),
    Feature("text", "how much of the query stands in its best passage"),
    Feature("phrase", "the longest run of the query's words in its best passage"),
    Feature("near", "how much of the query stands close together"),
    Feature("length", "how long its best passage is"),
    Feature("depth", "how far into the item its best passage is"),
    Feature("query_length", "how many words the query has"),
    Feature("part_of_best", "the best of all parts of the same document"),
    Feature("part_gap", "how far it is behind the best part of the same document"),
    Feature("is_part", "it is a part of a document"),
)
NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)


class Legs(NamedTuple):
    """What the legs said of the best passage of an item; a rank of 0 says that a leg did not find it."""

    words: float = 0.0
    words_rank: int = 0
    cosine: float = 0.0
    meaning_rank: int = 0
    passages: int = 0


@dataclass(frozen=True, slots=True)
class Candidates:
    """What is ranked: items, what the legs said of each, their rows, and their best passages, as far as there are."""

    items: Sequence[str]
    legs: Sequence[Legs]
    stored: Mapping[str, StoredItem]
    best: Mapping[str, Passage]


def mixed(legs: Sequence[Legs]) -> Matrix:
    """Return, for each candidate, the mean of its two scores after min-max normalization (0 where a leg lacks it)."""
    found = np.array([(one.words, one.words_rank, one.cosine, one.meaning_rank) for one in legs], np.float32)
    found = found.reshape(-1, 4)
    both = _between(found[:, 0], found[:, 1]) + _between(found[:, 2], found[:, 3])
    return (both / 2).astype(np.float32)


def table(query: Query, given: Candidates) -> Matrix:
    """Return the features of all candidates, float32 [candidates, features], in the order of FEATURES."""
    if not given.items:
        return np.zeros((0, len(FEATURES)), np.float32)
    return np.column_stack([_of_legs(given), _of_texts(query, given), _of_parts(given)]).astype(np.float32)


def _of_legs(given: Candidates) -> Matrix:
    columns = np.array([tuple(one) for one in given.legs], np.float32).reshape(-1, len(Legs._fields))
    words, words_rank, cosine, meaning_rank, passages = columns.T
    known = meaning_rank > 0
    nearest, last = (float(of(cosine[known])) if known.any() else 0.0 for of in (np.max, np.min))
    cosine = np.where(known, cosine, last - _BELOW)
    inverse = [np.where(rank > 0, 1 / np.maximum(rank, 1), 0) for rank in (words_rank, meaning_rank)]
    fused = sum(np.where(rank > 0, 1 / (RRF_K + rank), 0) for rank in (words_rank, meaning_rank))
    return np.column_stack(
        [
            _between(words, words_rank), inverse[0], _between(columns[:, 2], meaning_rank), inverse[1], cosine,
            nearest - cosine, RRF_K / 2 * fused, mixed(given.legs), (words_rank > 0) & known, np.log1p(passages),
        ]
    )  # fmt: skip


def _between(scores: Matrix, ranks: Matrix) -> Matrix:
    """Scale scores to 0 (the worst that was found) to 1 (the best); 0 where nothing was found."""
    known = ranks > 0
    if not known.any():
        return np.zeros(len(scores), np.float32)
    low, high = float(scores[known].min()), float(scores[known].max())
    return np.where(known, (scores - low) / max(high - low, 1e-9), 0).astype(np.float32)


def _of_parts(given: Candidates) -> Matrix:
    own = mixed(given.legs)
    documents = [document_of(_key(given, item)) for item in given.items]
    best: dict[str, float] = {}
    for document, score in zip(documents, own.tolist(), strict=True):
        best[document] = max(best.get(document, 0.0), score)
    highest = np.array([best[document] for document in documents], np.float32)
    parts = [document != _key(given, item) for item, document in zip(given.items, documents, strict=True)]
    return np.column_stack([highest, highest - own, np.array(parts, np.float32)])


def _key(given: Candidates, item: str) -> str:
    return given.stored[item].key if item in given.stored else ""


class _Asked:
    """The words of a query, and where they stand in a text; each in the languages that the query may be in."""

    def __init__(self, text: str, languages: Sequence[str]) -> None:
        self._numbers: dict[str, int] = {}
        self.size = 0
        for word in asked_words(text, languages):
            forms = [phrase_terms(word, language).split() for language in languages]
            for terms in forms:
                for number, term in enumerate(terms, self.size):
                    self._numbers.setdefault(term, number)
            self.size += max(map(len, forms))
        self.order = self.places(text, languages[0])

    def places(self, text: str, language: str) -> list[int]:
        """Return, for each word of a text, which word of the query it is (-1: none)."""
        return [self._numbers.get(term, -1) for term in phrase_terms(text, language).split()]


def _of_texts(query: Query, given: Candidates) -> Matrix:
    text = free_text(query)
    spoken = Counter(row.language for row in given.stored.values() if row.language)
    asked = _Asked(text, languages_of(text, [language for language, _ in spoken.most_common()]))
    places = [_places(asked, given, item) for item in given.items]
    weights = _weights(asked, places)
    whole = float(weights.sum()) or 1.0
    rows = [_of_text(asked, weights / whole, given, item, at) for item, at in zip(given.items, places, strict=True)]
    return np.array(rows, np.float32)


def _places(asked: _Asked, given: Candidates, item: str) -> list[int]:
    return asked.places(given.best[item].text, given.stored[item].language) if item in given.best else []


def _weights(asked: _Asked, places: Sequence[Sequence[int]]) -> Matrix:
    """Return the weight of each word of the query: the fewer of these texts hold it, the more it says."""
    held = np.zeros(asked.size + 1)
    for found in places:
        held[list(set(found))] += 1  # the last one counts those that are no word of the query
    counts = held[:-1]
    return np.log(1 + (len(places) - counts + 0.5) / (counts + 0.5)).astype(np.float32)


def _of_text(asked: _Asked, weights: Matrix, given: Candidates, item: str, places: Sequence[int]) -> list[float]:
    stored, best = given.stored.get(item), given.best.get(item)
    language = stored.language if stored else ""
    title = asked.places(stored.title if stored else "", language)
    headings = asked.places(" ".join(best.place.headings) if best else "", language)
    path = asked.places(name_words(stored.key) if stored else "", language)
    return [
        _held(weights, title),
        sum(number >= 0 for number in title) / max(1, len(title)),
        _held(weights, headings),
        _held(weights, path),
        _held(weights, places),
        _longest_run(asked.order, places) / max(1, len(asked.order)),
        _near(weights, places),
        math.log1p(len(places)),
        math.log1p(best.ordinal if best else 0),
        math.log1p(asked.size),
    ]


def _held(weights: Matrix, places: Sequence[int]) -> float:
    return float(sum(weights[number] for number in set(places) if number >= 0))


def _longest_run(order: Sequence[int], places: Sequence[int]) -> int:
    """Return how many words of the query, in its order, stand in a row in the text."""
    at: dict[int, list[int]] = {}
    for position, number in enumerate(order):
        if number >= 0:
            at.setdefault(number, []).append(position)
    longest, before = 0, dict[int, int]()
    for number in places:
        if number < 0:
            if before:
                before = {}
            continue
        before = {position: before.get(position - 1, 0) + 1 for position in at.get(number, ())}
        longest = max(longest, *before.values()) if before else longest
    return longest


def _near(weights: Matrix, places: Sequence[int]) -> float:
    """Return the most weight of different words of the query within NEAR words."""
    events = [(at, number) for at, number in enumerate(places) if number >= 0]
    held: dict[int, int] = {}
    most = total = 0.0
    first = 0
    for at, number in events:
        held[number] = held.get(number, 0) + 1
        total += float(weights[number]) if held[number] == 1 else 0.0
        while at - events[first][0] >= NEAR:
            gone = events[first][1]
            held[gone] -= 1
            total -= float(weights[gone]) if not held[gone] else 0.0
            first += 1
        most = max(most, total)
    return most
