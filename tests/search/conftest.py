"""Searches over small collections in memory, and short ways to change and ask them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from bowerbird.search.searcher import Searcher
from bowerbird.store.items import StoredItem
from bowerbird.testing.encoder import HashEncoder
from bowerbird.testing.memory import MemoryReader, memory_reader

NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)
DOCS = {
    "plans/Q3 plan.md": "Quarterly plan for the aviary.\n\nThe budget for parrots is 140 euros.",
    "plans/budget.xlsx": "Budget of travel, food and nests.",
    "birds/kea.txt": "The kea is a parrot of the mountains.\n\nTicket PRJ-123 asks for more keas.",
    "birds/kiwi.pdf": "Kiwis cannot fly; parrots and keas can.",
    "birds/東京.txt": "東京都の予算について。",
    "birds/owl.txt": "An owl looks at a mouse. PRJ 123 is another matter.",
}


def searcher() -> Searcher:
    encoder = HashEncoder()
    return Searcher(lambda: encoder, clock=lambda: NOW)


def reader(docs: Mapping[str, str] = DOCS) -> MemoryReader:
    return memory_reader(docs, HashEncoder(), NOW)


def changed(old: MemoryReader, change: Callable[[StoredItem], StoredItem]) -> MemoryReader:
    return replace(old, stored={item.id: change(item) for item in old.stored.values()})


def many(count: int) -> MemoryReader:
    return reader({f"{at:03}.txt": "owl " * (1 + at % 7) + f"number {at}" for at in range(count)})


def found(text: str, asked: MemoryReader | None = None, **options: str | int) -> list[str]:
    results = searcher().search(asked or reader(), text, limit=100, **options)  # type: ignore[arg-type]
    return [hit.item for hit in results.hits]


def pages(asker: Searcher, states: Callable[[int], MemoryReader], limit: int, sort: str = "relevance") -> list[str]:
    cursor: str = ""
    seen: list[str] = []
    for page in range(200):
        results = asker.search(states(page), "owl number", limit=limit, cursor=cursor, sort=sort)
        assert [hit.rank for hit in results.hits] == list(range(len(seen) + 1, len(seen) + len(results.hits) + 1))
        seen += [hit.item for hit in results.hits]
        cursor = results.cursor
        if not cursor:
            return seen
    raise AssertionError("paging does not end")
