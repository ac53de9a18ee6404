"""What is offered while somebody types: from what they may see, their own past, and what everybody knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.core.records import Filters
from bowerbird.search.query import OPERATORS, parse
from bowerbird.search.suggesting import MEANINGS, Suggestion, suggest
from bowerbird.search.typed import typed
from bowerbird.store.items import StoredItem

ITEM = StoredItem("i", "s", "Office", "hr/plan.md", "plan.md", "Plan", "", "note", "", 1, None, (), "indexed", 1, 1)


@dataclass
class Shelf:
    """Offers what it holds, and remembers what it was asked."""

    held: Sequence[StoredItem] = ()
    known: Mapping[str, int] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)
    asked: list[object] = field(default_factory=list)

    def items(self, words: Sequence[str], filters: Filters, limit: int) -> Sequence[StoredItem]:
        self.asked.append((list(words), filters))
        return [one for one in self.held if all(word in one.name.lower() for word in words)][:limit]

    def people(self, words: Sequence[str], most: int) -> Sequence[tuple[str, int]]:
        return self._fitting(self.known, words)[:most]

    def folders(self, words: Sequence[str], most: int) -> Sequence[tuple[str, int]]:
        return self._fitting(self.places, words)[:most]

    def tags(self, words: Sequence[str], most: int) -> Sequence[tuple[str, int]]:
        return self._fitting({"q3 plan": 2, "budget": 1}, words)[:most]

    def sources(self) -> Sequence[str]:
        return ["Office", "Old mail"]

    @staticmethod
    def _fitting(held: Mapping[str, int], words: Sequence[str]) -> list[tuple[str, int]]:
        parts = {one: [*one.lower().replace("\t", " ").replace("/", " ").split(), one.lower()] for one in held}
        found = [one for one in held if all(any(p.startswith(w) for p in parts[one]) for w in words)]
        return sorted(((one, held[one]) for one in found), key=lambda one: (-one[1], one[0]))


PEOPLE = {
    "Ada King\tada@example.org": 9,
    "Adam Low\tadam@example.org": 3,
    "Ada King\tking@example.org": 1,
    "\tzoe@example.org": 1,
}
SHELF = Shelf(
    (ITEM, replace(ITEM, id="j", name="Adapter notes.md", title="Adapter notes", key="Adapter notes.md")),
    PEOPLE, {"hr": 3, "hr/adaptation": 2, "Q3 plans": 1},
)  # fmt: skip


def texts(found: Sequence[Suggestion], kind: str) -> list[str]:
    return [one.text for one in found if one.kind == kind]


def test_a_word_becomes_items_people_folders_and_operators() -> None:
    found = suggest(SHELF, ["ada king budget", "summer in the adas", "other"], "ada")
    assert [(one.kind, one.label) for one in found] == [
        ("query", "ada king budget"), ("query", "summer in the adas"), ("item", "Adapter notes"),
        ("person", "Ada King"), ("person", "Adam Low"), ("folder", "hr/adaptation"),
    ]  # fmt: skip
    person = next(one for one in found if one.kind == "person")
    assert (person.text, person.detail, person.highlights) == ('from:"Ada King" ', "ada@example.org", ((0, 3),))
    item = next(one for one in found if one.kind == "item")
    assert (item.item, item.text, item.detail, item.icon) == ("j", "ada", "Office", "note")
    assert [one.label for one in suggest(SHELF, [], "ty") if one.kind == "operator"] == ["type:"]


def test_what_comes_before_stays() -> None:
    assert texts(suggest(SHELF, [], "budget type:pdf ada"), "person")[0] == 'budget type:pdf from:"Ada King" '
    assert texts(suggest(SHELF, [], "budget ada ki"), "person") == ['budget from:"Ada King" ']
    assert texts(suggest(SHELF, [], "budget -from:ad"), "person") == [
        'budget -from:"Ada King" ', 'budget -from:"Adam Low" ',
    ]  # fmt: skip
    assert texts(suggest(SHELF, [], '(plan OR in:"Q3 p'), "folder") == ['(plan OR in:"Q3 plans" ']


def test_filters_of_the_query_narrow_the_items() -> None:
    shelf = replace(SHELF, asked=[])
    suggest(shelf, [], "type:pdf plan")
    assert shelf.asked == [(["plan"], parse("type:pdf plan").filters)]
    shelf.asked.clear()
    for text in ("plan -draft", "plan OR draft", "-pl", "p", "", "type:"):
        assert texts(suggest(shelf, [], text), "item") == []
    assert shelf.asked == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("type:pre", ["type:presentation "]),
        ("type:sl", ["type:presentation "]),
        ("source:", ["source:Office ", 'source:"Old mail" ']),
        ("source:ma", ['source:"Old mail" ']),
        ("after:yes", ["after:yesterday "]),
        ("from:zoe@", ["from:zoe@example.org "]),
        ("from:king", ['from:"Ada King" ']),
        ("from:nobody", []),
        ("in:hr/", ["in:hr/adaptation "]),
        ("lang:ger", ["lang:de "]),
        ("is:arch", ["is:archived "]),
        ("has:tab", ["has:table "]),
        ("has:table", []),
        ("tag:", ['tag:"q3 plan" ', "tag:budget "]),
        ("tag:pl", ['tag:"q3 plan" ']),
    ],
)
def test_values_of_operators(text: str, wanted: list[str]) -> None:
    found = suggest(SHELF, [], text)
    assert [one.text for one in found] == wanted
    for one in found:
        assert parse(one.text).hints == ()


def test_past_queries_are_the_first_and_never_the_same_again() -> None:
    past = [f"query {number}" for number in range(9)]
    assert texts(suggest(SHELF, past, ""), "query") == past[:6]
    assert texts(suggest(SHELF, past, "que"), "query") == past[:3]
    assert texts(suggest(SHELF, ["Travel Plan"], "travel  plan "), "query") == []
    assert texts(suggest(SHELF, ["plan of travel", "trade"], "tra"), "query") == ["trade", "plan of travel"]
    assert texts(suggest(SHELF, ["from:ada after:7d"], "from:a"), "query") == ["from:ada after:7d"]


def test_every_operator_says_what_it_is() -> None:
    assert set(OPERATORS) <= set(MEANINGS)


QUERIES = st.text(st.sampled_from('ab -:"()OR typefromin:年报́ ß\t'), max_size=24)


@given(QUERIES, st.lists(QUERIES, max_size=4))
def test_whatever_is_typed_has_suggestions_that_can_be_asked(text: str, past: list[str]) -> None:
    now = typed(text)
    assert text.startswith(now.head)
    for one in suggest(SHELF, past, text):
        parse(one.text)
        assert one.kind in ("query", "item") or one.text.startswith(now.head) or one.kind == "person"
        ends = [0, *(edge for span in one.highlights for edge in span), len(one.label)]
        assert ends == sorted(ends)
