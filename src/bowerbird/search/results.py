"""What a search answers, its counts, and its public JSON face (ARCHITECTURE.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from bowerbird.core.errors import NotFoundError
from bowerbird.core.records import Hit, HitPassage, Reason
from bowerbird.search.explaining import tree
from bowerbird.search.ranking import Entry
from bowerbird.store.items import Glance

DATE_FILTERS: dict[str, str] = {
    "today": "after:0d", "week": "after:7d", "month": "after:30d", "year": "after:365d", "older": "before:365d",
}  # fmt: skip
"""Bucket of the date counts -> the operator that narrows to it. The first four include each other."""

PERSONS_COUNTED = 50
"""Persons in the counts, those with the most items first."""

Counts = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Partial:
    """What the answer may still lack: items not yet searchable by words, and not yet by meaning."""

    items: int = 0
    vectors: int = 0


@dataclass(frozen=True, slots=True)
class Results:
    """One page of an answer. `cursor` asks for the next, "" at the end; `counts` are over all candidates.

    `entries` are what the hits were made of, `numbers` says that these may be told (see `reason`).
    """

    query: str
    formula: str
    took_ms: float
    hits: tuple[Hit, ...]
    cursor: str
    counts: Counts
    hints: tuple[str, ...]
    partial: Partial
    entries: Sequence[Entry] = field(default=(), repr=False, compare=False)
    numbers: bool = field(default=False, repr=False, compare=False)

    def reason(self, item: str) -> Reason:
        """Return why a hit has its score, worked out now; raises NotFoundError where the item is not on the page."""
        entry = next((entry for entry in self.entries if entry.item == item), None)
        if entry is None:
            raise NotFoundError("There is no such hit on this page.", "Ask for one of its hits.")
        return tree(entry, self.numbers)

    def to_dict(self) -> dict[str, Any]:
        """Return the public JSON face, of plain values only; times are RFC 3339, offsets are code points.

        Scores stay inside: BM25 counts words over all texts, so a score could tell of those that may not be seen.
        """
        return {
            "query": self.query,
            "formula": self.formula,
            "took_ms": self.took_ms,
            "hits": [_hit_face(hit) for hit in self.hits],
            "cursor": self.cursor,
            "counts": {name: dict(values) for name, values in self.counts.items()},
            "hints": list(self.hints),
            "partial": {"items": self.partial.items, "vectors": self.partial.vectors},
        }


def _hit_face(hit: Hit) -> dict[str, Any]:
    passages = [_passage_face(passage) for passage in hit.passages]
    return {
        "rank": hit.rank,
        "item": hit.item,
        "title": hit.title,
        "uri": hit.uri,
        "source": hit.source,
        "kind": hit.kind,
        "path": hit.path,
        "modified": _time(hit.modified),
        "people": [{"name": person.name, "address": person.address} for person in hit.people],
        "snippet": passages[0]["text"] if passages else "",
        "snippet_highlights": passages[0]["highlights"] if passages else [],
        "passages": passages,
        "explanation": list(hit.explanation.lines),
    }


def _passage_face(passage: HitPassage) -> dict[str, Any]:
    place = passage.place
    return {
        "id": passage.id,
        "text": passage.snippet.text,
        "highlights": [list(span) for span in passage.snippet.highlights],
        "place": str(place),
        "headings": list(place.headings),
        "page": place.page,
        "start": place.start,
        "end": place.end,
        "seconds": list(place.seconds) if place.seconds else None,
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def count(items: Iterable[Glance], today: date, zone: tzinfo = UTC) -> dict[str, dict[str, int]]:
    """Count items by type, source, person and date (buckets of DATE_FILTERS, days of a zone); most first, no zeros."""
    types, sources, persons, days = Counter[str](), Counter[str](), Counter[str](), Counter[date]()
    for item in items:
        types[item.kind] += 1
        sources[item.source_name] += 1
        if item.modified:
            days[item.modified.astimezone(zone).date()] += 1
        if item.people:
            persons.update({person.name or person.address for person in item.people} - {""})
    return {
        "type": _ordered(types),
        "source": _ordered(sources),
        "person": _ordered(persons, PERSONS_COUNTED),
        "date": _by_bucket(days, today),
    }


def _by_bucket(days: Counter[date], today: date) -> dict[str, int]:
    counts = {}
    for bucket, operator in DATE_FILTERS.items():
        name, _, back = operator.partition(":")
        bound = today - timedelta(days=int(back.rstrip("d")))
        counts[bucket] = sum(number for day, number in days.items() if (day >= bound) == (name == "after"))
    return {bucket: number for bucket, number in counts.items() if number}


def _ordered(counter: Counter[str], most: int | None = None) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))[:most])
