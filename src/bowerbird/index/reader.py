"""Reading the index on behalf of one principal: the compiled filter inside every query, and SQL as the second lock."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple, TypeVar

import numpy as np
from lance.query import BooleanQuery, FullTextQuery, MatchQuery, Occur, PhraseQuery
from numpy.typing import NDArray
from sqlalchemy import Connection

from bowerbird.core.keys import document_of
from bowerbird.core.records import OWNER, SYSTEM, Filters, Passage, Principal
from bowerbird.index.analysis import asked_words, phrase_terms, query_terms
from bowerbird.index.filters import NOTHING, compiled, items_in
from bowerbird.index.languages import languages_of
from bowerbird.index.name_reader import MOST, NameReader
from bowerbird.index.names import Names
from bowerbird.index.nearest import nearest
from bowerbird.index.reading import Candidate, Vector, WordQuery
from bowerbird.index.schema import VECTORS, WORDS, item_of, passage_of, version_of
from bowerbird.index.tables import Tables
from bowerbird.index.tolerance import COUNTED, Held, meant
from bowerbird.store import access, catalog, naming, outbox, sources, titles
from bowerbird.store.items import Glance, StoredItem
from bowerbird.store.outbox import Generation
from bowerbird.store.store import Store

Answer = TypeVar("Answer")
Addressed = NDArray[np.uint64]
Scores = NDArray[np.float32]

_COMPLETIONS, _LOOKED_AT = 6, 50
_LAST_WORD = re.compile(r"(\w+)$")
_MOST_READ = 100_000
"""Names that are read for the sake of one search: that takes about a second."""


class _Known(NamedTuple):
    """What a request looked up at first: scopes, whether these are all there are, stale items, the generation."""

    scopes: frozenset[int]
    every: bool
    stale: tuple[str, ...]
    generation: Generation | None


class _Within(NamedTuple):
    """What a query is kept to: the asker's scopes (None: all there are), and a condition."""

    scopes: frozenset[int] | None
    condition: str | None


class Reader:
    """The reads of one principal for one request; scopes, stale items and versions are looked up at its first use."""

    def __init__(self, store: Store, tables: Tables, principal: Principal, names: Names | None = None) -> None:
        """Store what is read; `names` are those that the process keeps, else they are read when they are needed."""
        self._store = store
        self._tables = tables
        self.principal = principal
        self._names = names or Names()
        self._seen: dict[str, StoredItem | None] = {}
        self._looked: _Known | None = None
        self._looking = threading.Lock()

    def words(self, query: WordQuery, filters: Filters, limit: int) -> list[Candidate]:
        """Return the best passages by BM25 (k1 1.2, b 0.75), best first."""
        asked = self._full_text(query)
        if asked is None:
            return []

        def run(generation: Generation, asker: _Within) -> list[Candidate]:
            place = (generation.folder, WORDS, generation.words_version)
            table, within = self._tables.at(*place), self._tables.masks(*place).within(*asker)
            asking = {"full_text_query": asked, "limit": limit, **within.asking}
            answer = table.scanner(columns=["_score"], with_row_address=True, **asking).to_table()
            return self._candidates(place, answer["_rowaddr"].to_numpy(), answer["_score"].to_numpy())

        return self._run(run, filters) or []

    def meaning(self, vector: Vector, filters: Filters, limit: int) -> list[Candidate]:
        """Return the passages nearest to a unit vector, by cosine, best first."""

        def run(generation: Generation, asker: _Within) -> list[Candidate]:
            place = (generation.folder, VECTORS, generation.vectors_version)
            if not generation.vectors_version:
                return []
            table, masks = self._tables.at(*place), self._tables.masks(*place)
            if table.schema.field("vector").type.list_size != len(vector):
                return []  # made by another encoder; the generation for this one is being built
            within = masks.within(*asker, counted=filters != Filters())
            return self._candidates(place, *nearest(table, vector, within, limit, masks.rows))

        return self._current(self._run(run, filters) or [])

    def named(self, text: str, filters: Filters, limit: int) -> list[str]:
        """Return ids of items whose name, stem, key or address is the text."""
        with self._store.database.read() as connection:
            return catalog.named(connection, text, filters, self._known().scopes, limit)

    def recent(self, filters: Filters, limit: int) -> list[str]:
        """Return ids of the newest items that pass the filters."""
        with self._store.database.read() as connection:
            return catalog.recent(connection, filters, self._known().scopes, limit)

    def passing(self, ids: Sequence[str], filters: Filters) -> set[str]:
        """Return those of these items that exist, may be seen and pass the filters (but for what must be held)."""
        with self._store.database.read() as connection:
            return catalog.passing(connection, list(self.items(ids)), filters)

    def holding(self, text: str, ids: Sequence[str]) -> set[str]:
        """Return those of these items that may be seen and hold these words in a row, in some passage or their name."""
        phrases, wanted = _phrases((text,), self._languages(text)), list(self.items(ids))
        if not phrases or not wanted:
            return set()
        asked = _one_of(phrases)

        def run(generation: Generation, asker: _Within) -> set[str]:
            del asker  # the items are the asker's
            table = self._tables.at(generation.folder, WORDS, generation.words_version)
            asking = {"full_text_query": asked, "filter": items_in(wanted), "prefilter": True}
            found = table.scanner(columns=["item", "_score"], limit=table.count_rows(), **asking).to_table()
            return set(found["item"].to_pylist())

        return self._run(run, Filters()) or set()

    def parts(self, items: Sequence[str], limit: int) -> list[str]:
        """Return up to `limit` parts of the documents that these items are parts of, each document's by its keys."""
        places = dict.fromkeys(
            (item.source, document_of(item.key)) for item in self.items(items).values() if "#" in item.key
        )
        with self._store.database.read() as connection:
            return catalog.parts(connection, list(places), self._known().scopes, limit)

    def passages(self, ids: Sequence[str]) -> Mapping[str, Passage]:
        """Return the passages of these ids that are current and may be seen."""
        # SQL is asked first: what may not be seen is not read at all, and 30 ids cost Lance a third without a mask
        current = self.items([item_of(one) for one in ids])
        wanted = [one for one in ids if (item := current.get(item_of(one))) and version_of(one) == item.content_version]

        def run(generation: Generation, asker: _Within) -> Any:
            del asker  # see above
            place = (generation.folder, WORDS, generation.words_version)
            asking = self._tables.addresses(*place).reading(wanted)
            return self._tables.at(*place).scanner(columns=["id", "text", "place"], **asking).to_table()

        answer = self._run(run, Filters()) if wanted else None
        found = answer.to_pylist() if answer is not None else []
        return {row["id"]: passage_of(row["id"], row["text"], row["place"]) for row in found}

    def items(self, ids: Sequence[str]) -> Mapping[str, StoredItem]:
        """Return those of these items that exist and may be seen now.

        The scopes are asked of SQL at every call, an item's row once in this request.
        """
        wanted = dict.fromkeys(ids)
        fresh = [one for one in wanted if one not in self._seen]
        with self._store.database.read() as connection:
            scopes = self._store.scopes.visible(connection, self.principal)
            found = catalog.by_ids(connection, fresh, scopes) if fresh else {}
        self._seen.update({one: found.get(one) for one in fresh})
        return {one: item for one in wanted if (item := self._seen[one]) is not None and item.acl_id in scopes}

    def glance(self, ids: Sequence[str]) -> Mapping[str, Glance]:
        """Return a few columns of those of these items that exist and may be seen now."""
        with self._store.database.read() as connection:
            return catalog.glances(connection, ids, self._store.scopes.visible(connection, self.principal))

    def people(self, start: str) -> Mapping[str, int] | None:
        """Return people of what may be seen now, of whom a word begins so; None while names are not there yet.

        A command that runs beside no server does not read the names of a large library for one search.
        """
        with self._store.database.read() as connection:
            if not self._names.known() and naming.last_change(connection) > _MOST_READ:
                return None
            offered = self._offered(connection)
            return dict(offered.people([start] if start else [], MOST)) if offered.ready() else None

    def sources(self) -> Sequence[str]:
        """Return the names of the sources that hold something that may be seen now."""
        with self._store.database.read() as connection:
            return self._offered(connection).sources()

    def _offered(self, connection: Connection) -> NameReader:
        return NameReader(connection, self._names, self._store.scopes.visible(connection, self.principal))

    def renewed(self) -> Reader:
        """Return a reader of the same principal that looks up anew what may be seen."""
        return Reader(self._store, self._tables, self.principal, self._names)

    def pending(self) -> tuple[int, int]:
        """Return (items not yet searchable by words, items not yet searchable by meaning)."""
        known = self._known()
        scopes, generation = known.scopes, known.generation
        with self._store.database.read() as connection:
            waiting = catalog.waiting(connection, scopes)
            if generation is None:
                return waiting, waiting
            last = outbox.last(connection)
            cursors = (generation.words_cursor, generation.vectors_cursor)
            asked = None if self._all_of_it(known) else scopes
            words, vectors = (outbox.behind_in(connection, at, asked) if at < last else 0 for at in cursors)
            return waiting + words, waiting + vectors

    def unindexed(self, ids: Sequence[str]) -> set[str]:
        """Return those of these items that may be seen and have changed since the words were written."""
        generation, mine = self._known().generation, list(self.items(ids))
        if generation is None:
            return set(mine)
        with self._store.database.read() as connection:
            return outbox.changed(connection, generation.words_cursor, mine)

    def tells_numbers(self) -> bool:
        """Tell whether raw scores may be told."""
        return self._all_of_it(self._known())

    def _all_of_it(self, known: _Known) -> bool:
        """Tell whether what is known of the whole index may be used: by the system, and the owner who sees all of it.

        Somebody else who happens to see everything must not notice when something is added that they may not see.
        """
        return known.every and self.principal in (OWNER, SYSTEM)

    def _current(self, found: list[Candidate]) -> list[Candidate]:
        """Leave out vectors of an older content, where the vectors are behind the words, and so behind the filter."""
        generation = self._known().generation
        if generation is not None and generation.vectors_cursor >= generation.words_cursor:
            return found
        items = self.items([one.item for one in found])
        return [
            one for one in found if one.item in items and version_of(one.passage) == items[one.item].content_version
        ]

    def _known(self) -> _Known:
        with self._looking:
            if self._looked is None:
                with self._store.database.read() as connection:
                    generation = outbox.served(connection)
                    stale = outbox.narrowing(connection, generation.words_cursor) if generation else []
                    scopes = self._store.scopes.visible(connection, self.principal)
                    every = len(scopes) == access.count_scopes(connection)
                    self._looked = _Known(scopes, every, tuple(stale), generation)
            return self._looked

    def _within(self, filters: Filters, known: _Known) -> _Within | None:
        """Return what a query is kept to, None where nothing can pass.

        Who may see every scope there is needs no list of them; the version that is read is no newer than that list.
        """
        source_ids = {}
        if filters.sources:
            with self._store.database.read() as connection:
                source_ids = sources.ids_by_name(connection)
        condition = compiled(filters, known.stale, source_ids)
        if not known.scopes or (condition or "").startswith(NOTHING):
            return None
        return _Within(None if known.every else known.scopes, condition)

    def _run(self, run: Callable[[Generation, _Within], Answer], filters: Filters) -> Answer | None:
        """Run a query at the recorded version; where its files are gone (compacted away), once more at the newest."""
        for attempt in (1, 2):
            known = self._known()
            generation, asker = known.generation, self._within(filters, known)
            if generation is None or asker is None:
                return None
            try:
                return run(generation, asker)
            except (OSError, ValueError, RuntimeError) as problem:
                if attempt == 2 or "not found" not in str(problem).lower():
                    raise
                self._looked = None
                self._tables.forget_handles()
        return None

    def _candidates(self, place: tuple[str, str, int], rows: Addressed, scores: Scores) -> list[Candidate]:
        """Return the passages at these row addresses of a table, best first."""
        ids = self._tables.addresses(*place).ids(rows)
        found = [Candidate(id_, item_of(id_), score) for id_, score in zip(ids, scores.tolist(), strict=True) if id_]
        return sorted(found, key=lambda one: (-one.score, one.passage))

    def _full_text(self, query: WordQuery) -> FullTextQuery | None:
        """Return the query for Lance; only what must be held needs a BooleanQuery, which is three times slower."""
        texts = (query.words, *query.phrases, *chain(*query.among))
        languages = self._languages(" ".join(texts))
        groups = [_phrases((phrase,), languages) for phrase in query.phrases]
        groups += [_phrases(among, languages) for among in query.among]
        terms = query_terms(query.words, languages, query.prefix)
        words = asked_words(query.words, languages, query.prefix)
        if query.prefix:
            terms += query_terms(" ".join(self._completions(query.words)), languages)
            words = words[:-1]
        terms += meant(words, languages, self._held())
        match = MatchQuery(" ".join(terms), "search") if terms else None
        held = [(Occur.MUST, _one_of(group)) for group in groups if group]
        if not held:
            return match
        return BooleanQuery([*held, (Occur.SHOULD, match)] if match else held)

    def _languages(self, text: str) -> Sequence[str]:
        """Return the languages that a query may be in; where it does not tell, those of what may be seen decide."""
        languages = languages_of(text)
        if languages != ("en",) and len(languages) == 1:
            return languages

        def run(generation: Generation, asker: _Within) -> tuple[str, ...]:
            return self._tables.masks(generation.folder, WORDS, generation.words_version).languages(asker.scopes)

        return languages_of(text, self._run(run, Filters()) or ())

    def _held(self) -> Held:
        """Return what a slip in a word is judged by: the passages that may be seen, whatever the query's filters."""

        def asked(query: FullTextQuery, columns: list[str], limit: int) -> Any:
            def run(generation: Generation, asker: _Within) -> Any:
                place = (generation.folder, WORDS, generation.words_version)
                within = self._tables.masks(*place).within(*asker)
                asking = {"full_text_query": query, "limit": limit, "with_row_address": True, **within.asking}
                return self._tables.at(*place).scanner(columns=["_score", *columns], **asking).to_table()

            return self._run(run, Filters())

        def holds(terms: Sequence[str]) -> bool:
            match = MatchQuery(" ".join(terms), "search")

            def run(generation: Generation, asker: _Within) -> bool:
                masks = self._tables.masks(generation.folder, WORDS, generation.words_version)
                return masks.remembered((*asker, *terms), lambda: bool(asked(match, [], 1)))

            return bool(self._run(run, Filters()))

        def count(term: str) -> int:
            return len(asked(MatchQuery(term, "search"), [], COUNTED) or ())

        def terms_of(query: FullTextQuery) -> Iterator[str]:
            found = asked(query, ["search"], _LOOKED_AT)
            return chain.from_iterable(text.split() for text in found["search"].to_pylist()) if found else iter(())

        return Held(
            holds,
            count,
            lambda terms: terms_of(MatchQuery(" ".join(terms), "search")),
            lambda term: terms_of(MatchQuery(term, "search", fuzziness=2, prefix_length=1, max_expansions=10_000)),
            self._completions,
        )

    def _completions(self, words: str) -> Sequence[str]:
        """Return what the word being typed may become, nothing where it is a word already.

        For an owner who may see everything, of all texts; for others, of the names and titles of what they may see, as
        the counts of words over all texts would tell them of words they may not read.
        """
        last = _LAST_WORD.search(words.rstrip())
        if last is None:
            return ()
        typed, known = last.group(1).lower(), self._known()
        with self._store.database.read() as connection:
            if self._all_of_it(known):
                whole = outbox.is_term(connection, typed)
                found = () if whole else outbox.completions(connection, typed, _COMPLETIONS)
            else:
                whole = titles.holds(connection, typed, known.scopes)
                found = () if whole else titles.completions(connection, typed, known.scopes, _COMPLETIONS)
        return found


def _phrases(texts: Sequence[str], languages: Sequence[str]) -> tuple[FullTextQuery, ...]:
    """Return the queries for any of these texts as it stands, in any of these languages."""
    found = dict.fromkeys(phrase_terms(text, language) for text in texts for language in languages)
    return tuple(PhraseQuery(terms, "search") for terms in found if terms)


def _one_of(queries: Sequence[FullTextQuery]) -> FullTextQuery:
    return queries[0] if len(queries) == 1 else BooleanQuery([(Occur.SHOULD, one) for one in queries])
