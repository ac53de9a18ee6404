"""Word statistics, the one channel between what is hidden and what is seen, are as narrow as they are said to be."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bowerbird.testing.leak_texts import WORDS
from bowerbird.testing.leak_world import Asked, Thing, World
from bowerbird.testing.leaks import Suite

DAY = datetime(2026, 3, 2, tzinfo=UTC)


def hits(world: World, **query: str) -> list[dict[str, Any]]:
    asked = Asked("GET", "/api/search", (*query.items(), ("limit", "100")))
    return list(json.loads(world.ask(asked).body)["hits"])


def order(world: World, **query: str) -> list[str]:
    return [str(hit["item"]) for hit in hits(world, **query)]


def pair(suite: Suite, seed: int) -> tuple[tuple[World, World], dict[str, list[str]]]:
    """Two worlds with the same 24 visible texts; one also holds 60 hidden ones of the words that are asked for."""
    dice = random.Random(seed)
    texts = {f"seen{n:02}": [dice.choice(WORDS[:6]) for _ in range(dice.choice((3, 5, 9)))] for n in range(24)}
    worlds = suite.world(), suite.world()
    for world in worlds:
        world.say("Office", "hr", ("public",), ())
        for number, (item, words) in enumerate(texts.items()):
            content = " ".join(words).encode()
            world.put("Office", Thing(f"hr/{number:02}.txt", "hr", content, DAY + timedelta(days=number)), item)
    for number in range(60):
        words = [dice.choice(WORDS[:2]) for _ in range(dice.choice((2, 20)))]
        worlds[1].put("Office", Thing(f"vault/{number}.txt", "vault", " ".join(words).encode(), DAY), f"hid{number:02}")
    for world in worlds:
        world.level(vectors=True)
    return worlds, texts


@pytest.mark.parametrize("seed", [1, 2])
def test_only_the_order_by_words_may_differ_and_not_where_one_hit_dominates(suite: Suite, seed: int) -> None:
    (alone, beside), texts = pair(suite, seed)
    swapped = 0
    for query in ("harbour budget", "walrus harbour", "budget cloud ticket", "harbour"):
        first, second = (order(world, q=query, pipeline="words") for world in (alone, beside))
        assert sorted(first) == sorted(second)
        swapped += first != second
        for places in (first, second):
            at = {item: place for place, item in enumerate(places)}
            for one in places:
                for other in places:
                    if dominates(texts[one], texts[other], query.split()):
                        assert at[one] < at[other], f"{query}: {texts[one]} stands behind {texts[other]}"
    assert swapped, "with the same order everywhere this would test nothing"
    suite.end()


def dominates(one: list[str], other: list[str], words: list[str]) -> bool:
    """Whether BM25 puts a text first whatever the weights of the words are: every word as often, and no longer."""
    often = [(one.count(word), other.count(word)) for word in words]
    no_less = all(mine >= theirs for mine, theirs in often) and len(one) <= len(other)
    return no_less and any(mine > theirs for mine, theirs in often)


def test_what_is_closed_is_closed(suite: Suite) -> None:
    """By date, by meaning, by name, by filters alone, and while a word is typed, hidden texts change nothing."""
    (alone, beside), _ = pair(suite, 3)
    for query in (
        {"q": "harbour budget", "sort": "date"},
        {"q": "harbour budget", "pipeline": "meaning"},
        {"q": "type:note after:2026-03-05"},
        {"q": "11.txt", "pipeline": "meaning >> items >> named >> snippets"},
        {"q": "harb", "pipeline": "prefix >> items >> snippets"},
    ):
        assert order(alone, **query) == order(beside, **query), query
    suite.end()


def test_who_sees_everything_does_not_notice_what_is_added_for_others(suite: Suite) -> None:
    """Shortcuts for who may see all there is must not end, visibly, with the first thing they may not see."""
    answers = []
    for hidden in (False, True):
        world = suite.world()
        for source, scopes in (("Office", ("", "hr")), ("Attic", ("",))):
            for scope in scopes:
                world.say(source, scope, ("public",), ())
        for number in range(3):
            world.put("Office", Thing(f"hr/{number}.txt", "hr", b"A narwhal in the harbour.", DAY), f"seen{number}")
        world.put("Office", Thing("hr/0.txt", "hr", b"Another narwhal, seen again.", DAY), "seen0")
        if hidden:
            world.add_source("zqsource", "zqfile cannot be read")
        before = {q: _told(world, q) for q in ("narwhal", "narw", "after:2026-01-01")}
        world.level(vectors=False)
        answers.append((before, {q: _told(world, q) for q in ("narwhal", "narw", "after:2026-01-01")}))
    assert answers[0] == answers[1]
    suite.end()


def _told(world: World, text: str) -> Any:
    asked = Asked("GET", "/api/search", (("q", text), ("pipeline", "prefix >> items >> named")))
    found = json.loads(world.ask(asked).body)
    return {name: value for name, value in found.items() if name not in ("took_ms", "cursor")}
