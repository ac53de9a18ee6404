"""The second lock: what changed since the index was asked is not shown, and something else is shown instead."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from tests.search.conftest import changed, found, many, pages, reader, searcher

from bowerbird.core.records import Filters
from bowerbird.index.reading import WordQuery
from bowerbird.testing.memory import MemoryReader


def test_withdrawn_items_are_replaced_from_deeper_down() -> None:
    whole, asker = many(30), searcher()
    order = [hit.item for hit in asker.search(whole, "owl number", limit=30).hits]
    withdrawn = replace(whole, withdrawn=frozenset({order[0], order[4], order[12]}))
    left = [item for item in order if item not in withdrawn.withdrawn]
    results = asker.search(withdrawn, "owl number", limit=10)
    assert [hit.item for hit in results.hits] == left[:10]
    assert sum(results.counts["type"].values()) == 27
    # and between the pages
    first = asker.search(whole, "owl number", limit=10)
    second = asker.search(withdrawn, "owl number", limit=10, cursor=first.cursor)
    assert [hit.item for hit in second.hits] == [item for item in order[10:] if item not in withdrawn.withdrawn][:10]


def test_refused_hits_are_replaced_beyond_what_was_found_at_first() -> None:
    whole = many(300)
    order = [one.item for one in whole.words(WordQuery("owl number"), Filters(), 300)]
    for pipeline in ("words % 20 >> items", "words >> items", "words % 20 >> items >> snippets"):
        refused = replace(whole, withdrawn=frozenset(order[:195]))
        results = searcher().search(refused, "owl number", limit=10, pipeline=pipeline)
        assert [hit.item for hit in results.hits] == order[195:205]
        assert sum(results.counts["type"].values()) <= 200
    few = searcher().search(
        replace(whole, withdrawn=frozenset(order[:15])), "owl number", pipeline="words % 20 >> items"
    )
    assert [hit.item for hit in few.hits] == order[15:25]
    assert few.counts["type"]["note"] == 20, "no more than the formula keeps"
    nothing = searcher().search(replace(whole, withdrawn=frozenset(order)), "owl number", pipeline="words >> items")
    assert not nothing.hits and not nothing.cursor and not nothing.counts["type"]


def test_a_hit_whose_content_changed_since_is_replaced_not_shown() -> None:
    old = many(30)
    order = [hit.item for hit in searcher().search(old, "owl number", limit=30).hits]
    new = changed(old, lambda item: replace(item, content_version=2 if item.id in order[:3] else 1))
    results = searcher().search(new, "owl number", limit=10)
    assert [hit.item for hit in results.hits] == order[3:13]
    assert sum(results.counts["type"].values()) == 27
    assert searcher().explain(new, "owl number", order[3]).lines[0] == "rank 1 of 27"
    assert searcher().explain(new, "owl number", order[0]).lines[0] == "not found"
    by_name = searcher().search(new, order[0], limit=10)
    assert by_name.hits[0].item == order[0] and not any(one.id.endswith(".1.0") for one in by_name.hits[0].passages)


def test_a_hit_that_goes_between_two_looks_is_replaced() -> None:
    @dataclass(frozen=True)
    class Leaving(MemoryReader):
        """Refuses some items only when their rows are asked for, after the whole ranking was looked at."""

        leaves: frozenset[str] = frozenset()

        def items(self, ids):  # type: ignore[no-untyped-def]
            return {id_: item for id_, item in super().items(ids).items() if id_ not in self.leaves}

        def glance(self, ids):  # type: ignore[no-untyped-def]
            return MemoryReader.glance(replace(self, leaves=frozenset()), ids)

    plain = many(30)
    order = [hit.item for hit in searcher().search(plain, "owl number", limit=30).hits]
    leaving = Leaving(plain.stored, plain.held, plain.vectors, leaves=frozenset(order[:4]))
    results = searcher().search(leaving, "owl number", limit=10)
    assert [hit.item for hit in results.hits] == order[4:14]
    assert pages(searcher(), lambda _: leaving, 7) == order[4:]


@pytest.mark.parametrize(("text", "hits"), [("new owl", 5), ("new text", 0)])
def test_content_that_changed_since_is_searched_anew(text: str, hits: int) -> None:
    old, asker = many(20), searcher()
    cursor = asker.search(old, "owl number", limit=5).cursor
    held = [replace(one, content_version=2, text=text) for one in old.held]
    new = changed(replace(old, held=held), lambda item: replace(item, content_version=2))
    found = asker.search(new, "owl number", limit=5, cursor=cursor)
    assert [hit.passages[0].snippet.text for hit in found.hits] == [text] * hits


def test_what_an_exclusion_takes_out_is_replaced_from_deeper_down() -> None:
    docs = {f"{at:03}.txt": f"owl {'draft' if at < 250 else 'final'} owl number {at}" for at in range(300)}
    assert len(found("owl -draft", reader(docs), pipeline="words")) == 50
    assert not set(found("owl -draft", reader(docs))) & {f"{at:03}.txt" for at in range(250)}
