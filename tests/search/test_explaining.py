"""Why a hit stands where it stands adds up, and "why not?" names the true cause; who may not know gets no number."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.search.conftest import DOCS, changed, reader, searcher

from bowerbird.core.errors import ModelError, NotFoundError
from bowerbird.core.records import Passage, Person, Principal, Reason
from bowerbird.search import learned
from bowerbird.search.explaining import Verdict
from bowerbird.search.features import NAMES
from bowerbird.search.presets import PRESETS
from bowerbird.search.rankers import trees
from bowerbird.search.searcher import Searcher
from bowerbird.store.items import StoredItem
from bowerbird.testing.memory import MemoryReader

FORMULAS = (
    *(name for name in PRESETS if name != "recent"),
    "(words | prefix) >> mix",
    "(meaning | meaning) >> mix >> named",
    "(words >> items | meaning >> items) >> rrf >> named",
    "(words % 5 | (words | meaning) >> rrf) >> rrf >> items",
    "(words % 3 | meaning % 3) >> ranked >> named >> named",
    "recent % 9",
)
WORDS = ["owl", "kea", "kiwi", "parrot", "budget", "nest", "food", "of", "the", "PRJ-123", "mountain", "plan"]


@pytest.fixture(scope="module", autouse=True)
def model() -> Iterator[None]:
    """A model fitted to noise and a few features stands in for the one that comes along."""
    numbers = np.random.default_rng(5)
    tables = [numbers.random((30, len(NAMES))).astype(np.float32) for _ in range(40)]
    worth = [one[:, NAMES.index("words")] + one[:, NAMES.index("title")] + numbers.random(30) / 2 for one in tables]
    fitted = trees.fit(tables, [[int(value > 1.2) for value in one] for one in worth], {"what": "a test"}, rounds=30)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learned, "default_model", lambda: fitted)
        yield


def added(reason: Reason | None) -> float:
    assert reason is not None
    amounts = [leaf.amount for leaf in reason.leaves()]
    assert None not in amounts
    return sum(amount or 0 for amount in amounts)


def inner(reason: Reason) -> Iterator[Reason]:
    yield reason
    for part in reason.parts:
        yield from inner(part)


def check_sums(asked: MemoryReader, query: str, pipeline: str) -> int:
    results = searcher().search(asked, query, limit=100, pipeline=pipeline)
    for hit in results.hits:
        reason = results.reason(hit.item)
        assert reason.amount == hit.score
        assert added(reason) == pytest.approx(hit.score, abs=1e-6)
        for node in inner(reason):
            if node.parts:
                assert sum(part.amount or 0 for part in node.parts) == pytest.approx(node.amount, abs=1e-6)
    return len(results.hits)


@given(
    texts=st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join), min_size=1, max_size=9),
    query=st.lists(st.sampled_from([*WORDS, "type:note", "-owl", "2.txt"]), min_size=1, max_size=4).map(" ".join),
    pipeline=st.sampled_from(FORMULAS),
)
@settings(max_examples=150, deadline=None)
def test_contributions_add_up_to_the_score(texts: list[str], query: str, pipeline: str) -> None:
    check_sums(reader({f"{at}.txt": text for at, text in enumerate(texts)}), query, pipeline)


@pytest.mark.parametrize("pipeline", FORMULAS)
def test_they_add_up_for_a_thousand_pairs(pipeline: str) -> None:
    chosen = random.Random(11)
    texts = {f"{at}.txt": " ".join(chosen.choices(WORDS, k=20)) for at in range(40)}
    asked, pairs = reader(texts), 0
    while pairs < 1_000 / len(FORMULAS) + 1:
        pairs += check_sums(asked, " ".join(chosen.choices(WORDS, k=3)), pipeline)


def test_what_stands_behind_what_a_model_looks_at_adds_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned, "LOOKED_AT", 2)
    assert check_sums(reader(), "parrots budget owl keas", "ranked") > 2
    told = searcher().search(reader(), "parrots budget owl keas", pipeline="ranked")
    assert "behind everything" in json.dumps([part.words for part in inner(told.reason(told.hits[-1].item))])


def test_a_reason_is_in_words() -> None:
    told = why("PRJ-123", "birds/kea.txt", pipeline="ranked")
    assert told.found and told.rank == 1 and told.reason is not None
    parts = {part.stage: part for part in inner(told.reason)}
    assert parts["named"].words == "identifier PRJ-123" and parts["named"].amount == 1000
    assert "words: place 1 of" in parts["ranked"].words
    assert {"beginning"} < {part.stage for part in parts["ranked"].parts} <= {"beginning", *NAMES}
    fused = {part.stage: part for part in inner(why("parrots budget", "plans/Q3 plan.md").reason or Reason("", ""))}
    assert (fused["words"].words, fused["words"].amount) == ("place 1 of 4", 1 / 61)
    assert searcher().explain(reader(), "parrots", "birds/kea.txt").reason == why("parrots", "birds/kea.txt").reason
    with pytest.raises(NotFoundError):
        searcher().search(reader(), "parrots", limit=1).reason("birds/owl.txt")


@pytest.mark.parametrize("pipeline", FORMULAS)
def test_numbers_are_for_who_sees_everything(pipeline: str) -> None:
    someone = replace(reader(), principal=Principal("user:mia"))
    narrow = replace(reader(), visible=frozenset({1}))
    for asked in (someone, narrow):
        results = searcher().search(asked, "parrots budget", pipeline=pipeline)
        for hit in results.hits:
            told = searcher().why(asked, "parrots budget", hit.item, pipeline)
            assert told.reason == results.reason(hit.item)
            assert all(part.amount is None for part in inner(results.reason(hit.item)))


@pytest.mark.parametrize(
    "pipeline", ["hybrid", "words", "mixed", "typing", "(words >> items | meaning >> items) >> rrf"]
)
def test_what_others_are_told_does_not_follow_from_scores(pipeline: str) -> None:
    class Scaled(MemoryReader):
        def words(self, *asked: Any) -> Any:
            return [one._replace(score=one.score * 1.37) for one in super().words(*asked)]

    plain = replace(reader(), principal=Principal("user:mia"))
    scaled = Scaled(plain.stored, plain.held, plain.vectors, principal=plain.principal)
    for item in DOCS:
        faces = [searcher().why(one, "parrots budget kea", item, pipeline).to_dict() for one in (plain, scaled)]
        assert faces[0] == faces[1]


def why(query: str, item: str, asked: MemoryReader | None = None, pipeline: str = "hybrid") -> Verdict:
    return searcher().why(asked or reader(), query, item, pipeline)


def codes(told: Verdict) -> list[str]:
    assert not told.found
    return [cause.code for cause in told.causes]


KEA = "birds/kea.txt"


def with_kea(**values: Any) -> MemoryReader:
    def change(item: StoredItem) -> StoredItem:
        return replace(item, **values) if item.id == KEA else item

    return changed(reader(), change)


@pytest.mark.parametrize(
    ("query", "operator"),
    [
        ("keas type:pdf", "type:pdf"),
        ("keas source:Attic", "source:Attic"),
        ("keas in:plans", "in:plans"),
        ("keas from:ada", "from:ada"),
        ("keas to:ada", "to:ada"),
        ("keas before:2026-01-01", "before:2026-01-01"),
        ("keas after:2026-03-18", "after:2026-03-18"),
        ("keas date:2025", "date:2025-01-01..2025-12-31"),
        ("keas lang:cs", "lang:cs"),
        ("keas tag:blue", "tag:blue"),
    ],
)
def test_the_operator_that_leaves_it_out_is_named(query: str, operator: str) -> None:
    told = why(query, KEA)
    assert codes(told) == ["filter"]
    assert told.causes[0].words.startswith(f"`{operator.split(':', maxsplit=1)[0]}:")


def test_what_an_operator_says_of_the_item() -> None:
    ada = with_kea(people=(Person("Ada Byron"),), labels="\nlang:en\n")
    assert why("keas type:pdf", KEA).causes[0].words == "`type:pdf` leaves it out: it is of the type note."
    assert "its people are Ada Byron" in why("keas from:zoe", KEA, ada).causes[0].words
    assert "it changed on 2026-03-16" in why("keas before:2026-01-01", KEA).causes[0].words
    assert codes(why("keas type:pdf in:plans lang:de source:memory", KEA, ada)) == ["filter"] * 3


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("keas -mountains", "excluded"),
        ("keas -type:note", "excluded"),
        ("keas -(mountains type:note)", "excluded"),
        ("keas (owl OR type:pdf)", "alternative"),
        ("keas (type:pdf OR in:plans)", "alternative"),
        ('"parrot of keas"', "phrase"),
        ("", "nothing-asked"),
    ],
)
def test_exclusions_alternatives_and_phrases_are_named(query: str, code: str) -> None:
    assert codes(why(query, KEA)) == [code]


def test_what_was_not_read_is_told() -> None:
    assert codes(why("zebra", KEA, with_kea(state="pending", content_version=0))) == ["pending"]
    assert codes(why("keas lang:de -mouse", KEA, with_kea(state="pending", content_version=0))) == ["pending"]
    for state in ("quarantined", "failed"):
        told = why("zebra", KEA, with_kea(state=state, error="It is encrypted."), "words")
        assert codes(told) == [state] and "It is encrypted." in told.causes[0].words
    both = why("zebra type:pdf", KEA, with_kea(state="failed", error="It is encrypted."))
    assert codes(both) == ["filter", "failed"]


def test_a_newer_content_that_is_not_indexed_is_told() -> None:
    newer = with_kea(content_version=2)
    assert codes(why("keas", KEA, newer)) == ["unindexed"]
    assert codes(why("keas -mountains", KEA, newer)) == ["unindexed"], "what it holds is not known yet"
    again = replace(newer, held=[*newer.held, Passage(KEA, 2, 0, "The kea is green now.")])
    assert why("keas", KEA, again).found


def test_what_no_leg_finds_is_told() -> None:
    assert codes(why("zebrafinch", KEA, pipeline="words")) == ["no-word"]
    lame = Searcher(lambda: None)
    told = lame.why(reader(), "zebrafinch", KEA)
    assert codes(told) == ["no-word", "no-meaning"]

    def broken() -> None:
        raise ModelError("The model is missing.", "Pull it.")

    told = Searcher(broken).why(reader(), "keas", KEA, "meaning")
    assert codes(told) == ["no-meaning"] and "The model is missing" in told.causes[0].words
    blind = replace(reader(), vectors={id_: one for id_, one in reader().vectors.items() if not id_.startswith(KEA)})
    assert codes(why("keas", KEA, blind, "meaning")) == ["no-meaning"]


def test_how_far_down_it_stands_is_told() -> None:
    many = reader({f"{at:03}.txt": f"owl {'owl ' * (at % 5)}number {at} {'filler ' * (at // 5)}" for at in range(60)})
    order = [hit.item for hit in searcher().search(many, "owl", limit=100, pipeline="words").hits]
    told = why("owl", order[-1], many, "words % 10 >> items >> named")
    assert codes(told) == ["beyond"] and "at place" in told.causes[0].words
    assert told.rank and told.of > 10 and told.reason is not None
    further = why("owl", order[-1], many, "words % 1 >> items")
    assert codes(further) == ["beyond"] and "`words` finds it at place 60" in further.causes[0].words
    found = why("owl", order[-1], many, "words")
    assert (found.found, found.rank, found.of) == (True, 60, 60)


def test_what_is_not_yours_does_not_exist() -> None:
    hidden = changed(reader(), lambda item: replace(item, acl_id=2) if item.id == KEA else item)
    mine = replace(hidden, visible=frozenset({1}))
    told = []
    for item in (KEA, "no-such-item", ""):
        with pytest.raises(NotFoundError) as problem:
            searcher().why(mine, "keas type:pdf", item)
        told.append((problem.value.cause, problem.value.remedy))
    assert len(set(told)) == 1


def test_an_answer_is_plain_json_and_says_the_hints() -> None:
    told = why("keas tpye:note", KEA)
    face = json.loads(json.dumps(told.to_dict()))
    assert face["rank"] == told.rank and face["reason"]["parts"] and "`tpye:`" in face["hints"][0]
