"""Who runs the read walk: understands the text, runs the pipeline, asks the second lock, dresses one page of hits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import TypedDict, Unpack

from bowerbird.core.errors import NotFoundError, UsageError
from bowerbird.core.records import Explanation, Filters, Hit, HitPassage, Query
from bowerbird.core.zones import zone_named
from bowerbird.index.reading import Reading, Vector
from bowerbird.search import cursors
from bowerbird.search.explaining import Verdict, tree, verdict
from bowerbird.search.likening import likened
from bowerbird.search.locking import paged, passed
from bowerbird.search.lru import Lru
from bowerbird.search.matching import Matcher
from bowerbird.search.pipeline import Context, QueryEncoder, Stage
from bowerbird.search.presets import PRESETS, pipeline_named
from bowerbird.search.query import free_text, free_words, parse
from bowerbird.search.ranking import Entry, Kept
from bowerbird.search.results import Partial, Results, count
from bowerbird.search.snippets import snippet
from bowerbird.search.stages import Leg, Words
from bowerbird.store.items import Glance, StoredItem

SORTS = ("relevance", "date")
MOST_HITS = 1_000
"""Most hits on one page."""

_RANKINGS_KEPT, _VECTORS_KEPT = 64, 512

Items = Mapping[str, StoredItem]


class Options(TypedDict, total=False):
    """How a search is to be answered; what is left out is as in DEFAULTS.

    `limit` hits after those that `cursor` stands for, in the order of `sort` (relevance, or date: newest first), found
    by `pipeline` (a preset or a formula). `zone` is the time zone whose days are meant (see `core.zones`).
    """

    limit: int
    cursor: str
    sort: str
    pipeline: str
    zone: str


DEFAULTS: Options = {"limit": 10, "cursor": "", "sort": "relevance", "pipeline": "hybrid", "zone": ""}


@dataclass(frozen=True, slots=True)
class _Asked:
    """One search, understood, on a day in a zone. `pipeline` is None where nothing was asked."""

    context: Context
    pipeline: Stage | None
    key: str
    today: date
    zone: tzinfo

    @property
    def formula(self) -> str:
        return str(self.pipeline or "")


class Searcher:
    """Runs searches for any principal (whoever `reader` stands for); one for the process, used from any thread.

    `encoder` answers None, or raises ModelError, where there is no model: then words are searched alone, with a hint.
    """

    def __init__(
        self,
        encoder: Callable[[], QueryEncoder | None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Store how to get the encoder, and the clock that decides what `today` is in a time zone."""
        self._encoder = encoder
        self._clock = clock
        self._rankings = Lru[bytes, Sequence[Entry]](_RANKINGS_KEPT)
        self._vectors = Lru[tuple[str, str], Vector](_VECTORS_KEPT)

    def forget(self) -> None:
        """Forget the rankings and queries that were kept (after a purge)."""
        self._rankings.clear()
        self._vectors.clear()

    def search(self, reader: Reading, text: str, **options: Unpack[Options]) -> Results:
        """Return a page of hits. Raises QueryError (too long) and UsageError (limit, sort, cursor, formula)."""
        begun = time.perf_counter()
        wanted: Options = {**DEFAULTS, **options}
        limit, cursor, sort = wanted["limit"], wanted["cursor"], wanted["sort"]
        if not 1 <= limit <= MOST_HITS:
            raise UsageError(f"A page cannot hold {limit} hits.", f"Ask for 1 to {MOST_HITS:,}.")
        asked = self._understand(reader, text, sort, wanted["pipeline"], wanted["zone"])
        at = cursors.read(cursor, asked.key) if cursor else None

        def fresh(entries: Sequence[Entry]) -> list[Entry]:
            return [entry for entry in entries if not (at and at.has(entry.item))]

        kept = (self._rankings.get(at.token) if at else None) or ()
        found = passed(asked.pipeline, asked.context, lambda entries: len(fresh(entries)) >= limit, kept)
        entries = _sorted(found.entries, found.seen, sort)
        page, items, rest = paged(found.reader, fresh(entries), limit)
        return Results(
            query=asked.context.query.text,
            formula=asked.formula,
            hits=_dressed(asked, found.reader, page, items, len(at.shown) if at else 0),
            cursor=self._cursor_after(at, page, found.entries, asked) if rest else "",
            counts=count((found.seen[entry.item] for entry in entries), asked.today, asked.zone),
            hints=tuple(dict.fromkeys((*asked.context.query.hints, *asked.context.hints))),
            partial=Partial(*found.reader.pending()),
            entries=page,
            numbers=reader.tells_numbers(),
            took_ms=round((time.perf_counter() - begun) * 1000, 2),
        )

    def explain(
        self, reader: Reading, text: str, item_id: str, pipeline: str = "hybrid", zone: str = ""
    ) -> Explanation:
        """Say why an item stands where it stands for a query, or that it was not found.

        Raises NotFoundError where the item does not exist or is not the reader's.
        """
        if item_id not in reader.items([item_id]):
            raise NotFoundError(f"There is no item {item_id}.", "Search for it again.")
        asked = self._understand(reader, text, "relevance", pipeline, zone)
        entries = passed(asked.pipeline, asked.context).entries
        hints = tuple(asked.context.hints)
        for rank, entry in enumerate(entries, 1):
            if entry.item == item_id:
                lines = (f"rank {rank} of {len(entries)}", *entry.told(), *hints)
                return Explanation(entry.score, lines, tree(entry, reader.tells_numbers()))
        legs = (part for part in (asked.pipeline.parts() if asked.pipeline else ()) if isinstance(part, Leg))
        return Explanation(0.0, ("not found", *(f"{leg}: not among what it found" for leg in legs), *hints))

    def why(self, reader: Reading, text: str, item_id: str, pipeline: str = "hybrid", zone: str = "") -> Verdict:
        """Say what became of an item for a query: its place and why, or why it was not found.

        Raises NotFoundError where the item does not exist or is not the reader's, QueryError and UsageError.
        """
        asked = self._understand(reader, text, "relevance", pipeline, zone)
        return verdict(asked.context, asked.pipeline, item_id)

    def _understand(self, reader: Reading, text: str, sort: str, pipeline: str, zone: str = "") -> _Asked:
        if sort not in SORTS:
            raise UsageError(f"`{sort}` is not a way to sort.", f"Sort by {' or '.join(SORTS)}.")
        now = self._clock()
        query = likened(parse(text, now, zone), reader)
        stage: Stage | None = pipeline_named(pipeline)
        if not free_text(query):
            stage = PRESETS["recent"] if query.filters != Filters() or query.checks else None
        context = Context(reader, query, self._remembering)
        # a kept ranking is for whom it was made: its explanations count what they may see
        key = "\n".join((reader.principal.name, str(stage), sort, zone, query.text))
        known = zone_named(zone) or UTC
        return _Asked(context, stage, key, now.astimezone(known).date(), known)

    def _remembering(self) -> QueryEncoder | None:
        encoder = self._encoder()
        return None if encoder is None else _Remembering(encoder, self._vectors)

    def _cursor_after(
        self, at: cursors.Cursor | None, page: Sequence[Entry], entries: Sequence[Entry], asked: _Asked
    ) -> str:
        cursor = at or cursors.new(entry.item for entry in entries)
        self._rankings.put(cursor.token, entries)
        return cursors.write(cursor.and_shown(entry.item for entry in page), asked.key)


@dataclass(frozen=True, slots=True)
class _Remembering:
    """An encoder that remembers the vectors of the last queries."""

    encoder: QueryEncoder
    vectors: Lru[tuple[str, str], Vector]

    @property
    def id(self) -> str:
        return self.encoder.id

    def query(self, text: str) -> Vector:
        key = (self.encoder.id, text)
        vector = self.vectors.get(key)
        if vector is None:
            vector = self.encoder.query(text)
            self.vectors.put(key, vector)
        return vector


def _sorted(entries: Sequence[Entry], seen: Mapping[str, Glance], sort: str) -> Sequence[Entry]:
    """Order by date, newest first and undated last, where that is asked; equal dates keep their ranks."""
    if sort == "relevance":
        return entries

    def age(entry: Entry) -> float:
        modified = seen[entry.item].modified
        return -modified.timestamp() if modified else float("inf")

    return sorted(entries, key=age)


def _dressed(asked: _Asked, reader: Reading, page: Sequence[Entry], items: Items, before: int) -> tuple[Hit, ...]:
    """Make hits of a page's entries, with snippets where the pipeline asks for them; `before` hits came earlier."""
    shown: Mapping[str, tuple[HitPassage, ...]] = {}
    if asked.pipeline and asked.pipeline.shape(None).dressed:
        unfinished = any(isinstance(part, Words) and part.prefix for part in asked.pipeline.parts())
        shown = _passages(reader, asked.context.query, page, items, unfinished)
    hits = []
    for rank, entry in enumerate(page, before + 1):
        item = items[entry.item]
        hits.append(
            Hit(
                rank=rank,
                item=item.id,
                score=entry.score,
                title=item.title,
                uri=item.uri,
                source=item.source_name,
                kind=item.kind,
                path=item.key,
                modified=item.modified,
                people=item.people,
                passages=shown.get(entry.item, ()),
                explanation=Explanation(entry.score, entry.told()),
            )
        )
    return tuple(hits)


def _passages(
    reader: Reading, query: Query, page: Sequence[Entry], items: Items, unfinished: bool
) -> dict[str, tuple[HitPassage, ...]]:
    """Cut the snippets of a page; an item that is there by its name shows its beginning where none is current."""
    wanted = [kept.id for entry in page for kept in entry.passages]
    texts = dict(reader.passages(wanted)) if wanted else {}
    kept = {entry.item: [one for one in entry.passages if one.id in texts] for entry in page}
    for item_id in (item_id for item_id, ones in kept.items() if not ones):
        kept[item_id] = [Kept(f"{item_id}.{items[item_id].content_version}.0", 0.0, 1)]
    beginnings = [ones[0].id for ones in kept.values() if ones[0].id not in texts]
    if beginnings:
        texts |= reader.passages(beginnings)
    matcher = Matcher(free_words(query), query.phrases, unfinished)
    return {
        item_id: tuple(
            HitPassage(one.id, snippet(texts[one.id].text, matcher), texts[one.id].place, one.score)
            for one in ones
            if one.id in texts
        )
        for item_id, ones in kept.items()
    }
