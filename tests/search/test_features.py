"""The numbers that a ranker sees, checked on candidates that can be counted by hand."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest
from tests.search.conftest import reader

from bowerbird.core.records import Passage, Place
from bowerbird.search.features import NAMES, Candidates, Legs, mixed, table
from bowerbird.search.query import parse

NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)
TEXTS = {
    "roof plan.md": "The roof of the harbour hall is repaired in spring.",
    "harbour.md": "Boats. " * 30 + "harbour roof",
    "order.pdf#page=1": "Order for the harbour hall.",
    "order.pdf#page=2": "Nails and tar.",
}
LEGS = {
    "roof plan.md": Legs(words=9.0, words_rank=1, cosine=0.5, meaning_rank=2, passages=2),
    "harbour.md": Legs(words=5.0, words_rank=2, passages=1),
    "order.pdf#page=1": Legs(words=1.0, words_rank=3, cosine=0.8, meaning_rank=1, passages=1),
    "order.pdf#page=2": Legs(),
}


@pytest.fixture
def given() -> Candidates:
    stored = reader(TEXTS).stored
    best = {item: Passage(item, 1, 0, text, Place(start=0, end=len(text))) for item, text in TEXTS.items()}
    return Candidates(list(TEXTS), [LEGS[item] for item in TEXTS], stored, best)


def column(given: Candidates, query: str, name: str) -> list[float]:
    found = table(parse(query, NOW), given)
    assert found.shape == (len(given.items), len(NAMES))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    return [round(float(value), 4) for value in found[:, NAMES.index(name)]]


def test_what_the_legs_said(given: Candidates) -> None:
    assert column(given, "harbour roof", "words") == [1, 0.5, 0, 0]
    assert column(given, "harbour roof", "words_rank") == [1, 0.5, 0.3333, 0]
    assert column(given, "harbour roof", "meaning") == [0, 0, 1, 0]
    assert column(given, "harbour roof", "cosine") == [0.5, 0.48, 0.8, 0.48]  # not found: just below the last one
    assert column(given, "harbour roof", "meaning_gap") == [0.3, 0.32, 0, 0.32]
    assert column(given, "harbour roof", "both") == [1, 0, 1, 0]
    assert column(given, "harbour roof", "mixed") == [0.5, 0.25, 0.5, 0]
    assert column(given, "harbour roof", "passages")[0] == round(math.log(3), 4)


def test_what_the_texts_say(given: Candidates) -> None:
    roof, harbour, first, second = column(given, "harbour roof", "text")
    assert (roof, harbour, second) == (1, 1, 0)
    assert 0 < first < 0.5  # "harbour" is in more of the candidates than "roof", so it says less
    assert column(given, "harbour roof", "phrase") == [0.5, 1, 0.5, 0]
    assert column(given, "harbour roof", "near") == [1, 1, first, 0]
    assert column(given, "harbour roof", "title") == [round(1 - first, 4), first, 0, 0]
    assert column(given, "harbour roof", "title_words") == [0.3333, 0.5, 0, 0]
    assert column(given, "harbour roofs", "path") == [round(1 - first, 4), first, 0, 0]
    assert column(given, "roof spring", "near")[0] == 1
    far = given.best | {"roof plan.md": Passage("roof plan.md", 1, 3, "roof " + "x " * 40 + "spring", Place())}
    apart = Candidates(given.items, given.legs, given.stored, far)
    assert column(apart, "roof spring", "near")[0] < 1
    assert column(apart, "roof spring", "depth") == [round(math.log(4), 4), 0, 0, 0]


def test_a_part_knows_the_best_part_of_its_document(given: Candidates) -> None:
    assert column(given, "harbour", "part_of_best") == [0.5, 0.25, 0.5, 0.5]
    assert column(given, "harbour", "part_gap") == [0, 0, 0, 0.5]
    assert column(given, "harbour", "is_part") == [0, 0, 1, 1]


def test_nothing_found_and_odd_queries(given: Candidates) -> None:
    assert table(parse("harbour", NOW), Candidates([], [], {}, {})).shape == (0, len(NAMES))
    for query in ("", "the of", "東京都 予算", "!!!", '"harbour hall" -boats'):
        column(given, query, "text")
    lost = Candidates(given.items, [Legs()] * 4, {}, {})
    assert column(lost, "harbour", "mixed") == [0, 0, 0, 0]
    assert mixed([]).shape == (0,)
