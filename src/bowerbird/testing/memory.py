"""An index in dictionaries: the slow, obvious reader that judges the fast one, and lets a search be tested alone."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import chain
from pathlib import PurePosixPath

import numpy as np

from bowerbird.core.keys import document_of
from bowerbird.core.kinds import kind_of
from bowerbird.core.records import OWNER, SYSTEM, Filters, Passage, Period, Place, Principal
from bowerbird.core.zones import zone_named
from bowerbird.index.analysis import WORD, asked_words, document_terms, phrase_terms, query_terms
from bowerbird.index.languages import language_of, languages_of
from bowerbird.index.name_words import person_words
from bowerbird.index.reading import Candidate, Vector, WordQuery
from bowerbird.index.tolerance import COUNTED, Held, meant
from bowerbird.store.items import Glance, StoredItem
from bowerbird.understanding.encoder import Encoder

K1, B = 1.2, 0.75
"""The parameters of BM25 (Robertson, Zaragoza 2009)."""

_BEGUN = 6

Posting = tuple[int, int]


@dataclass(frozen=True)
class MemoryReader:
    """A Reading over records. It is never changed; `dataclasses.replace` makes another state of the collection.

    `visible` holds the scopes that the principal may see (None: all). `withdrawn` are items that the second lock
    refuses although the index still finds them. `vectors` maps passage ids to unit vectors.
    """

    stored: Mapping[str, StoredItem]
    held: Sequence[Passage]
    vectors: Mapping[str, Vector] = field(default_factory=dict)
    visible: frozenset[int] | None = None
    withdrawn: frozenset[str] = frozenset()
    principal: Principal = OWNER

    def words(self, query: WordQuery, filters: Filters, limit: int) -> list[Candidate]:
        """Return the best passages by BM25 over the whole collection's statistics."""
        scores: defaultdict[int, float] = defaultdict(float)
        for postings in self._asked(query):
            for number, score in self._scored(postings):
                scores[number] += score
        languages = self._languages(" ".join((query.words, *query.phrases, *chain(*query.among))))
        groups = (_phrases(texts, languages) for texts in (*((one,) for one in query.phrases), *query.among))
        wanted = [group for group in groups if group]
        found = [
            Candidate(self.held[number].id, self.held[number].item, score)
            for number, score in scores.items()
            if self._passes(self.held[number].item, filters)
            and all(any(_contains(self._terms[number], text) for text in group) for group in wanted)
        ]
        return _best(found, limit)

    def meaning(self, vector: Vector, filters: Filters, limit: int) -> list[Candidate]:
        """Return the nearest passages by exact cosine."""
        found = [
            Candidate(passage.id, passage.item, float(np.dot(self.vectors[passage.id], vector)))
            for passage in self.held
            if passage.id in self.vectors and self._passes(passage.item, filters)
        ]
        return _best(found, limit)

    def named(self, text: str, filters: Filters, limit: int) -> list[str]:
        """Return ids of items whose key, name, stem or title is the text, in that order of preference."""
        wanted = text.casefold()
        tests: tuple[Callable[[StoredItem], str], ...] = (
            lambda item: item.key,
            lambda item: item.name,
            lambda item: PurePosixPath(item.name).stem,
            lambda item: item.title,
        )
        passing = [item for item in self.stored.values() if self._passes(item.id, filters)]
        found = [item.id for part in tests for item in passing if part(item).casefold() == wanted]
        return list(dict.fromkeys(found))[:limit]

    def recent(self, filters: Filters, limit: int) -> list[str]:
        """Return ids of items that pass the filters, newest first, undated last."""
        passing = [item for item in self.stored.values() if self._passes(item.id, filters)]
        passing.sort(key=lambda item: (-item.modified.timestamp() if item.modified else math.inf, item.id))
        return [item.id for item in passing[:limit]]

    def passing(self, ids: Sequence[str], filters: Filters) -> set[str]:
        """Return those of the items that may be seen and pass the filters."""
        return {id_ for id_ in ids if self._open(id_) and _fits(self.stored[id_], filters)}

    def holding(self, text: str, ids: Sequence[str]) -> set[str]:
        """Return those of the items that may be seen and hold these words in a row in some passage."""
        wanted = _phrases((text,), self._languages(text))
        return {
            one.item
            for one, words in zip(self.held, self._terms, strict=True)
            if one.item in ids and self._open(one.item) and any(_contains(words, phrase) for phrase in wanted)
        }

    def parts(self, items: Sequence[str], limit: int) -> list[str]:
        """Return up to `limit` parts of the documents that these items are parts of, each document's by its keys."""
        documents = dict.fromkeys(
            f"{document_of(self.stored[one].key)}#" for one in items if self._open(one) and "#" in self.stored[one].key
        )
        seen = sorted((item for item in self.stored.values() if self._open(item.id)), key=lambda item: item.key)
        found = [item.id for document in documents for item in seen if item.key.startswith(document)]
        return found[:limit]

    def passages(self, ids: Sequence[str]) -> Mapping[str, Passage]:
        """Return the current passages of these ids that may be seen."""
        found = {id_: self._by_id[id_] for id_ in ids if id_ in self._by_id}
        return {id_: one for id_, one in found.items() if self._open(one.item) and self._current(one)}

    def items(self, ids: Sequence[str]) -> Mapping[str, StoredItem]:
        """Return those of the items that exist, may be seen and were not withdrawn."""
        return {id_: self.stored[id_] for id_ in ids if self._open(id_)}

    def glance(self, ids: Sequence[str]) -> Mapping[str, Glance]:
        """Return a few columns of those of the items that exist, may be seen and were not withdrawn."""
        return {
            id_: Glance(item.kind, item.source_name, item.modified, item.people, item.acl_id, item.content_version)
            for id_, item in self.items(ids).items()
        }

    def people(self, start: str) -> Mapping[str, int]:
        """Count the people of visible items of whom a word begins so."""
        open_ = (item for item in self.stored.values() if self._open(item.id))
        labels = (f"{one.name}\t{one.address}" for item in open_ for one in {*item.people})
        return Counter(label for label in labels if any(word.startswith(start) for word in person_words(label)))

    def sources(self) -> Sequence[str]:
        """Return the names of the sources of visible items."""
        return sorted({item.source_name for item in self.stored.values() if self._open(item.id)})

    def renewed(self) -> MemoryReader:
        """Return this reader: it is never changed."""
        return self

    def pending(self) -> tuple[int, int]:
        """Count visible items that wait for their text, and for a vector of some passage."""
        waiting = {one.item for one in self.held if one.id not in self.vectors and self._open(one.item)}
        return sum(item.state == "pending" for item in self.stored.values() if self._open(item.id)), len(waiting)

    def unindexed(self, ids: Sequence[str]) -> set[str]:
        """Return those of the items that may be seen and were read, and have no passage of their current content."""
        current = {one.item for one in self.held if self._current(one)}
        return {id_ for id_ in ids if self._open(id_) and self.stored[id_].content_version and id_ not in current}

    def tells_numbers(self) -> bool:
        """Tell whether the principal sees all there is, and may be told so."""
        return self.visible is None and self.principal in (OWNER, SYSTEM)

    @cached_property
    def _by_id(self) -> dict[str, Passage]:
        return {passage.id: passage for passage in self.held}

    @cached_property
    def _terms(self) -> list[list[str]]:
        languages = zip(self.held, self._spoken, strict=True)
        return [document_terms(passage.text, language).split() for passage, language in languages]

    @cached_property
    def _spoken(self) -> list[str]:
        return [language_of(passage.text, self.stored[passage.item].language) for passage in self.held]

    def _languages(self, text: str) -> Sequence[str]:
        """Return the languages that a query may be in; where it does not tell, those of visible passages decide."""
        pairs = zip(self.held, self._spoken, strict=True)
        counts = Counter(language for passage, language in pairs if self._sees(self.stored[passage.item]))
        return languages_of(text, [one for one, count in counts.most_common() if count * 50 >= counts.total()])

    @cached_property
    def _postings(self) -> dict[str, list[Posting]]:
        postings: defaultdict[str, list[Posting]] = defaultdict(list)
        for number, found in enumerate(self._terms):
            for term, times in Counter(found).items():
                postings[term].append((number, times))
        return dict(postings)

    @cached_property
    def _average(self) -> float:
        return sum(map(len, self._terms)) / max(1, len(self._terms))

    def _asked(self, query: WordQuery) -> Iterator[list[Posting]]:
        """Yield the postings of each different term; an unfinished word stands for all that begin with it."""
        languages = self._languages(" ".join((query.words, *query.phrases, *chain(*query.among))))
        phrases = _phrases((*query.phrases, *chain(*query.among)), languages)
        words = asked_words(query.words, languages, query.prefix)
        free = query_terms(query.words, languages, query.prefix)
        free += meant(words[:-1] if query.prefix else words, languages, self._seen)
        for term in dict.fromkeys((*free, *chain(*phrases))):
            yield self._postings.get(term, [])
        if query.prefix and (words := WORD.findall(query.words)):
            begun = words[-1].lower()
            found = (WORD.findall(passage.text.lower()) for passage in self.held)
            counts = (sum(word.startswith(begun) for word in text) for text in found)
            yield [(number, times) for number, times in enumerate(counts) if times]

    @cached_property
    def _seen(self) -> Held:
        """What a slip in a word is judged by: the passages that may be seen, all of those that hold a term."""
        pairs = zip(self.held, self._terms, strict=True)
        seen = [words for passage, words in pairs if self._passes(passage.item, Filters())]
        texts = (passage.text.lower() for passage in self.held if self._passes(passage.item, Filters()))
        spelt = Counter(word for text in texts for word in set(WORD.findall(text)))

        def begun(word: str) -> list[str]:
            found = [one for one in spelt if one.startswith(word)]
            return [] if word in spelt else sorted(found, key=lambda one: (-spelt[one], one))[:_BEGUN]

        return Held(
            lambda terms: any(not set(terms).isdisjoint(words) for words in seen),
            lambda term: min(COUNTED, sum(term in words for words in seen)),
            lambda terms: chain.from_iterable(words for words in seen if not set(terms).isdisjoint(words)),
            lambda term: chain.from_iterable(seen),
            begun,
        )

    def _scored(self, postings: list[Posting]) -> Iterator[tuple[int, float]]:
        rarity = math.log(1 + (len(self.held) - len(postings) + 0.5) / (len(postings) + 0.5))
        for number, times in postings:
            length = 1 - B + B * len(self._terms[number]) / self._average
            yield number, rarity * times * (K1 + 1) / (times + K1 * length)

    def _open(self, item_id: str) -> bool:
        item = self.stored.get(item_id)
        return item is not None and item.id not in self.withdrawn and self._sees(item)

    def _sees(self, item: StoredItem) -> bool:
        return self.visible is None or item.acl_id in self.visible

    def _current(self, passage: Passage) -> bool:
        return passage.content_version == self.stored[passage.item].content_version

    def _passes(self, item_id: str, filters: Filters) -> bool:
        """Say whether the index finds this item; it may not know yet that it was withdrawn."""
        item = self.stored.get(item_id)
        return item is not None and self._sees(item) and _fits(item, filters)


def memory_reader(
    docs: Mapping[str, str], encoder: Encoder | None = None, now: datetime = datetime(2026, 3, 18, 12, tzinfo=UTC)
) -> MemoryReader:
    """Build a reader of documents by path (also their ids): a passage a paragraph, each a day older than the last.

    >>> reader = memory_reader({"a/kea.txt": "The kea is a parrot.", "b/kiwi.txt": "Kiwis cannot fly."})
    >>> [found.item for found in reader.words(WordQuery("parrots"), Filters(), 10)]
    ['a/kea.txt']
    """
    held = [passage for path, text in docs.items() for passage in _cut(path, text)]
    stored = {path: _stored(path, text, now - timedelta(days=at)) for at, (path, text) in enumerate(docs.items())}
    vectors = encoder.passages([passage.text for passage in held]) if encoder and held else ()
    ids = (passage.id for passage in held)
    return MemoryReader(stored, held, dict(zip(ids, vectors, strict=True)) if encoder else {})


def _cut(path: str, text: str) -> Iterator[Passage]:
    start = 0
    for ordinal, part in enumerate(text.split("\n\n")):
        yield Passage(path, 1, ordinal, part, Place(start=start, end=start + len(part)))
        start += len(part) + 2


def _stored(path: str, text: str, modified: datetime) -> StoredItem:
    name = PurePosixPath(path).name
    return StoredItem(
        id=path,
        source="memory",
        source_name="memory",
        key=path,
        name=name,
        title=name,
        uri=f"memory:{path}",
        kind=kind_of(name),
        media_type="",
        size=len(text),
        modified=modified,
        people=(),
        state="indexed",
        content_version=1,
        acl_id=1,
    )


def _best(found: list[Candidate], limit: int) -> list[Candidate]:
    return sorted(found, key=lambda one: (-one.score, one.passage))[:limit]


def _phrases(texts: Sequence[str], languages: Sequence[str]) -> list[list[str]]:
    """Return the terms of any of these texts as it stands, in any of these languages."""
    found = dict.fromkeys(phrase_terms(text, language) for text in texts for language in languages)
    return [terms.split() for terms in found if terms]


def _contains(words: list[str], phrase: list[str]) -> bool:
    return any(words[at : at + len(phrase)] == phrase for at in range(len(words) - len(phrase) + 1))


def _fits(item: StoredItem, filters: Filters) -> bool:
    """Say whether everything but the text fits."""
    people = " ".join(f"{person.name} {person.address}" for person in item.people).casefold()
    path = f"/{item.key}".casefold()
    return (
        (not filters.types or item.kind in filters.types)
        and (not filters.sources or item.source_name.casefold() in map(str.casefold, filters.sources))
        and (not filters.within or any(f"/{part.strip('/')}/".casefold() in path for part in filters.within))
        and (not filters.people or any(name.casefold() in people for name in filters.people))
        and _dated(item, filters)
        and (not filters.recipients or any(name.lower() in item.recipients for name in filters.recipients))
        and all(any(f"\n{label}\n" in item.labels for label in labels) for labels in filters.by_sort())
        and all(any(_fits(item, option) for option in one.options) != one.excluded for one in filters.either)
    )


def _dated(item: StoredItem, filters: Filters) -> bool:
    """Say whether the day of the last change, in the asker's zone, fits."""
    wanted = [[Period(filters.after, filters.before)], filters.periods or [Period(None, None)]]
    if all(period == Period(None, None) for some in wanted for period in some):
        return True
    if item.modified is None:
        return False
    day = item.modified.astimezone(zone_named(filters.zone) or UTC).date()
    return all(any((p.first or day) <= day and (p.end is None or day < p.end) for p in some) for some in wanted)
