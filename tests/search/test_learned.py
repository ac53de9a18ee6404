"""The mixed and the learned order: what they take in, what they leave to others, and that they are whole pipelines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.search.conftest import DOCS, found, reader, searcher

from bowerbird.core.errors import UsageError
from bowerbird.index.reading import Candidate
from bowerbird.search import formula
from bowerbird.search.features import NAMES, Legs
from bowerbird.search.learned import DOCUMENTS, PARTS, default_model, gathered
from bowerbird.search.ranking import leg

ORDER = {f"order.pdf#page={page}": f"Nails number {page}." for page in range(2, 9)} | {
    "order.pdf#page=1": "The order of the customer Maria Larsson for her boat.",
    "boat.txt": "A boat is painted.",
}


@pytest.mark.parametrize("pipeline", ["mixed", "ranked"])
def test_it_is_a_pipeline_like_the_others(pipeline: str) -> None:
    results = searcher().search(reader(), "parrots budget", pipeline=pipeline)
    assert results.hits[0].item == "plans/Q3 plan.md"
    assert results.hits[0].passages[0].snippet.highlights
    assert formula.parse(results.formula)
    assert found("kea.txt", pipeline=pipeline)[0] == "birds/kea.txt"
    assert set(found("-parrots budget", pipeline=pipeline)) <= set(DOCS) - {"plans/Q3 plan.md", "birds/kiwi.pdf"}
    assert found("zebrafinch type:video", pipeline=pipeline) == []


@pytest.mark.parametrize("wrong", ["words >> ranked", "words % 9 >> items >> mix", "(words | meaning | prefix) >> mix"])
def test_it_joins_two_legs(wrong: str) -> None:
    with pytest.raises(UsageError, match="joins what two legs found"):
        formula.parse(f"{wrong} >> snippets")


def test_the_other_parts_of_a_document_come_in() -> None:
    asked = reader(ORDER)
    hits = searcher().search(asked, "order of Maria Larsson", limit=20, pipeline="ranked").hits
    assert hits[0].item == "order.pdf#page=1"
    assert {hit.item for hit in hits} == set(ORDER)
    hidden = replace(
        asked, stored={**asked.stored, "order.pdf#page=5": replace(asked.stored["order.pdf#page=5"], acl_id=9)}
    )
    seen = replace(hidden, visible=frozenset({asked.stored["boat.txt"].acl_id}))
    assert "order.pdf#page=5" not in found("order of Maria Larsson", seen, pipeline="ranked")
    assert asked.parts(["boat.txt"], PARTS) == []
    assert len(asked.parts(["order.pdf#page=3"], 4)) == 4
    assert DOCUMENTS < PARTS


def test_what_two_legs_found_is_gathered_by_item() -> None:
    words = leg("words", [Candidate("a.1.2", "a", 7.0), Candidate("b.1.0", "b", 5.0), Candidate("a.1.0", "a", 4.0)])
    near = leg("meaning", [Candidate("a.1.0", "a", 0.9), Candidate("c.1.0", "c", 0.7)])
    both = gathered((words, near))
    assert both.legs["a"] == Legs(words=7.0, words_rank=1, cosine=0.9, meaning_rank=1, passages=2)
    assert both.legs["c"] == Legs(cosine=0.7, meaning_rank=2, passages=1)
    assert [one.id for one in both.passages["a"]] == ["a.1.0", "a.1.2"]  # found twice
    assert [item for item, _ in both.best()] == ["a", "b", "c"]
    assert gathered((leg("words", []), leg("meaning", []))).best() == []


def test_the_model_that_comes_along_has_its_card() -> None:
    model = default_model()
    assert set(model.features) <= set(NAMES)
    assert {"what", "sets", "measure"} <= set(model.card)
    assert len(model.to_json()) < 400_000
