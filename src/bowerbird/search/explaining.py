"""Why a hit stands where it stands, as a tree of reasons, and why an item was not found ("why not?").

Raw scores depend on how often words stand in texts that the asker may not see. So numbers are told only where the
reader says so (`Reading.tells_numbers`); everybody else gets the same tree of words and ranks. All of it is asked of a
reader, so whoever may not see an item gets the answer of one that does not exist.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC
from typing import Any

from bowerbird.core.errors import NotFoundError
from bowerbird.core.records import Either, Filters, Query, Reason
from bowerbird.core.zones import zone_named
from bowerbird.search import query as language
from bowerbird.search.checking import kept
from bowerbird.search.locking import passed
from bowerbird.search.pipeline import DEPTH, Context, Cut, Stage
from bowerbird.search.ranking import Entry
from bowerbird.search.stages import Leg, Meaning, Words
from bowerbird.store.items import StoredItem

DEEPER = (4, 16)
"""How many times deeper the whole pipeline is run to see where an item would stand."""

LEG_DEEPER = 64
"""How many times deeper a leg is asked on its own."""

_WORDS_ASKED = 20
"""Words of a query that are looked for in an item."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an item was not found: `code` is stable, `words` a sentence.

    Codes: nothing-asked, filter, excluded, alternative, pending, quarantined, failed, unindexed, phrase, beyond,
    no-word, far, no-meaning, cut; and invisible, which only admins are told (`library.explaining`).
    """

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one item for one query: found at `rank` of `of`, or not, and then the causes, the first first.

    Where it would be found further down than the pipeline looks, `rank` says where; 0 stands for nowhere.
    """

    query: str
    item: str
    title: str
    path: str
    formula: str
    found: bool
    rank: int = 0
    of: int = 0
    causes: tuple[Cause, ...] = ()
    lines: tuple[str, ...] = ()
    reason: Reason | None = None
    hints: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the public JSON face, of plain values only."""
        return asdict(self)


def tree(entry: Entry, numbers: bool) -> Reason:
    """Return why an entry has its score; the amounts of the leaves add up to it."""
    parts = tuple(reason for line in entry.lines for reason in line.reasons(numbers))
    return Reason("score", "the sum of what follows", entry.score if numbers else None, parts)


def verdict(context: Context, pipeline: Stage | None, item_id: str) -> Verdict:
    """Say where a pipeline puts an item, or why it does not find it.

    Raises NotFoundError where the item does not exist or is not the reader's.
    """
    item = context.reader.items([item_id]).get(item_id)
    if item is None:
        raise NotFoundError("There is no such item.", "Search for it again.")
    answer = Verdict(context.query.text, item.id, item.title, item.key, str(pipeline or ""), False)
    if pipeline is None:
        return replace(answer, causes=(Cause("nothing-asked", "The query asks for nothing."),))
    answer = _placed(answer, context, passed(pipeline, context).entries)
    if not answer.rank:
        answer = _missing(answer, context, pipeline, item)
    return replace(answer, hints=tuple(dict.fromkeys((*context.query.hints, *context.hints))))


def _placed(answer: Verdict, context: Context, entries: Sequence[Entry]) -> Verdict:
    """Return the answer with the item's place among entries, if it is there."""
    for rank, entry in enumerate(entries, 1):
        if entry.item == answer.item:
            reason = tree(entry, context.reader.tells_numbers())
            return replace(answer, found=True, rank=rank, of=len(entries), lines=entry.told(), reason=reason)
    return replace(answer, of=len(entries))


def _missing(answer: Verdict, context: Context, pipeline: Stage, item: StoredItem) -> Verdict:
    causes = tuple(_of_itself(context, item)) or tuple(_of_phrases(context, item))
    if causes:
        return replace(answer, causes=causes)
    for deeper in DEEPER:
        further = _placed(answer, context, passed(pipeline, replace(context, deeper=deeper)).entries)
        if further.rank:
            words = f"It stands at place {further.rank:,} of {further.of:,}, further down than `{pipeline}` looks."
            return replace(further, found=False, causes=(Cause("beyond", words),))
    return replace(answer, causes=tuple(_of_legs(context, pipeline, item)))


def _of_itself(context: Context, item: StoredItem) -> Iterator[Cause]:
    """Yield what keeps the item out whatever it says: filters, its state, exclusions and alternatives."""
    reader, query = context.reader, context.query
    refused = [one for one in _each(query.filters) if item.id not in reader.passing([item.id], one)]
    yield from (_refused(one, item) for one in refused if not one.labels)
    state = _of_state(item)
    yield from state
    if any(cause.code == "pending" for cause in state):
        return  # what an item is marked with, and holds, follows from its content
    yield from (_refused(one, item) for one in refused if one.labels)
    if item.id in reader.unindexed([item.id]):
        yield Cause("unindexed", "A change of it is not in the index yet; until it is, searches leave it out.")
    else:
        yield from (_refused_by(check) for check in query.checks if not kept(reader, [item.id], (check,)))


def _of_state(item: StoredItem) -> list[Cause]:
    if item.state in ("quarantined", "failed"):
        return [Cause(item.state, f"Its content could not be read, so it is found by its name only: {item.error}")]
    if item.state == "pending" and not item.content_version:
        return [Cause("pending", "It has not been read yet.")]
    return []


def _each(filters: Filters) -> Iterator[Filters]:
    """Yield what each operator says, alone: an item must pass every one."""
    alone = Filters(zone=filters.zone)
    for name in ("types", "sources", "within", "people", "recipients", "before", "after", "periods"):
        value: Any = getattr(filters, name)
        if value:
            yield replace(alone, **{name: value})
    yield from (replace(alone, labels=tuple(labels)) for labels in filters.by_sort())
    yield from (replace(alone, either=(one,)) for one in filters.either)


def _refused(filters: Filters, item: StoredItem) -> Cause:
    if filters.either:
        return _refused_by(filters.either[0])
    zone = zone_named(filters.zone) or UTC
    day = f"{item.modified.astimezone(zone):%Y-%m-%d}" if item.modified else ""
    people = ", ".join(person.name or person.address for person in item.people)
    facts = (
        (filters.types, f"it is of the type {item.kind}"),
        (filters.sources, f"it is of the source {item.source_name}"),
        (filters.within, f"its path is {item.key}"),
        (filters.people, f"its people are {people}" if people else "it names no people"),
        (filters.recipients, "nobody whom it is addressed to fits"),
        (filters.before or filters.after or filters.periods, f"it changed on {day}" if day else "it has no date"),
        (filters.labels, "it has no such mark"),
    )
    fact = next(words for asked, words in facts if asked)
    return Cause("filter", f"`{language.format(Query('', filters=filters))}` leaves it out: {fact}.")


def _refused_by(either: Either) -> Cause:
    written = language.format(Query("", checks=(either,)))
    if either.excluded:
        return Cause("excluded", f"`{written}` leaves it out: it is, or holds, what is excluded.")
    return Cause("alternative", f"It is none of what `{written}` asks for.")


def _of_phrases(context: Context, item: StoredItem) -> Iterator[Cause]:
    for phrase in context.query.phrases:
        if item.id not in context.reader.holding(phrase, [item.id]):
            yield Cause("phrase", f"No passage of it holds “{phrase}”.")


def _of_legs(context: Context, pipeline: Stage, item: StoredItem) -> Iterator[Cause]:
    """Yield why each leg does not find the item; where some do, that a later stage leaves it out."""
    found = False
    for leg, limit in _legs(pipeline):
        alone = replace(context, deeper=LEG_DEEPER, hints=[])
        (ranked,) = leg.run(alone, (), limit)
        place = next((rank for rank, entry in enumerate(ranked.entries, 1) if entry.item == item.id), 0)
        if alone.hints:
            yield Cause("no-meaning", alone.hints[0])
        elif place > limit:
            yield Cause("beyond", f"`{leg}` finds it at place {place:,}; the pipeline looks at the first {limit:,}.")
        elif place:
            found = True
        elif isinstance(leg, Words):
            yield _wordless(context, item, limit)
        elif isinstance(leg, Meaning):
            yield _far(context, len(ranked.entries), limit)
    if found:
        yield Cause("cut", f"It is found, but a later stage of `{pipeline}` leaves it out.")


def _legs(pipeline: Stage) -> Iterator[tuple[Leg, int]]:
    """Yield each leg of a pipeline once, and how deep it looks."""
    limits: dict[Leg, int] = {}
    for part in pipeline.parts():
        if isinstance(part, Cut) and isinstance(part.stage, Leg):
            limits[part.stage] = part.count
        elif isinstance(part, Leg):
            limits.setdefault(part, DEPTH)
    yield from limits.items()


def _wordless(context: Context, item: StoredItem, limit: int) -> Cause:
    words = list(dict.fromkeys(language.free_words(context.query).split()))[:_WORDS_ASKED]
    held = [word for word in words if context.reader.holding(word, [item.id])]
    if not held:
        return Cause("no-word", "No word of the query stands in it or in its name.")
    named = ", ".join(f"“{word}”" for word in held)
    return Cause("beyond", f"{named} stands in it, but {limit * LEG_DEEPER:,} passages fit the words better.")


def _far(context: Context, found: int, limit: int) -> Cause:
    if found < limit * LEG_DEEPER and context.reader.pending()[1]:
        return Cause("no-meaning", "Its meaning has not been read yet.")
    return Cause("far", f"Its meaning is far from the query's: {max(found, limit):,} passages are nearer.")
