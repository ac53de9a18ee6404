"""Names of people and sources: what fits is found, what nearly fits is taken and said so, and nothing hidden counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bowerbird.core.records import Person
from bowerbird.search.likening import distance, likened
from bowerbird.search.query import parse
from bowerbird.search.searcher import Searcher
from bowerbird.testing.memory import MemoryReader, memory_reader

PEOPLE = {
    "a.txt": [Person("John Smith", "john@example.org")],
    "b.txt": [Person("José García", "jg@example.org"), Person("Ada Lovelace", "ada@analytical.example")],
    "c.txt": [Person("Jan Novák", "jan.novak@example.net")],
    "d.txt": [Person("Ada Lovelace", "ada@analytical.example")],
    "e.txt": [Person("Don Quijote")],
}
SOURCES = {
    "a.txt": "Documents",
    "b.txt": "Documents",
    "c.txt": "Team Finance",
    "d.txt": "Mail",
    "e.txt": "Mail archive",
}


def reader(visible: Sequence[str] = tuple(PEOPLE)) -> MemoryReader:
    plain = memory_reader({name: f"a text about {name}" for name in PEOPLE})
    stored = {
        name: replace(item, people=tuple(PEOPLE[name]), source_name=SOURCES[name], acl_id=1 if name in visible else 2)
        for name, item in plain.stored.items()
    }
    return replace(plain, stored=stored, visible=frozenset([1]))


def found(text: str, mine: MemoryReader | None = None) -> tuple[list[str], tuple[str, ...]]:
    results = Searcher(lambda: None).search(mine or reader(), text, pipeline="words")
    return sorted(hit.item for hit in results.hits), results.hints


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("from:john", ["a.txt"]),
        ("from:JOHN", ["a.txt"]),
        ("from:ohn", ["a.txt"]),  # any part of a name, as ever
        ("from:jose", ["b.txt"]),
        ("from:josé", ["b.txt"]),
        ("from:Jose OR from:novak", ["b.txt", "c.txt"]),
        ("-from:jose -from:john", ["c.txt", "d.txt", "e.txt"]),
        ('from:"lovelace, a"', ["b.txt", "d.txt"]),
        ('from:"a lovelace"', ["b.txt", "d.txt"]),
        ("from:example.org", ["a.txt", "b.txt"]),
        ("source:documents", ["a.txt", "b.txt"]),
        ("source:doc", ["a.txt", "b.txt"]),
        ("source:finance", ["c.txt"]),
        ("source:mail", ["d.txt"]),  # the very name, before one that begins so
        ("source:arch", ["e.txt"]),
    ],
)
def test_what_fits_is_found_without_a_word(text: str, items: list[str]) -> None:
    assert found(text) == (items, ())


@pytest.mark.parametrize(
    ("text", "items", "told"),
    [
        ("from:jon", ["a.txt"], "Nobody is called `jon`, so `from:jon` was taken for John Smith."),
        ("from:jonh", ["a.txt"], "taken for John Smith"),
        ('from:"jon smyth"', ["a.txt"], 'so `from:"jon smyth"` was taken for John Smith.'),
        ("from:lovelcae", ["b.txt", "d.txt"], "taken for Ada Lovelace"),
        ("-from:jon", ["b.txt", "c.txt", "d.txt", "e.txt"], "taken for John Smith"),
        ("from:zebedee", [], "Nobody is called `zebedee`."),
        ("source:Docs", ["a.txt", "b.txt"], "No source is called `Docs`, so `source:Docs` was taken for Documents."),
        ("source:documetns", ["a.txt", "b.txt"], "taken for Documents"),
        ("source:Finanse", ["c.txt"], "taken for Team Finance"),
        ("source:Wiki", [], "No source is called `Wiki`. There are Documents, Mail, Mail archive, Team Finance."),
    ],
)
def test_what_nearly_fits_is_taken_and_said_so(text: str, items: list[str], told: str) -> None:
    hits, hints = found(text)
    assert hits == items
    assert len(hints) == 1
    assert told in hints[0]


def test_of_many_that_nearly_fit_some_are_offered() -> None:
    mine = reader()
    four = [Person(f"Mart{letter} Bell", "") for letter in "aeio"]
    stored = {**mine.stored, "a.txt": replace(mine.stored["a.txt"], people=tuple(four))}
    hits, hints = found("from:martx", replace(mine, stored=stored))
    assert hits == []
    assert hints == (
        'Nobody is called `martx`. Did you mean `from:"Marta Bell"` or `from:"Marte Bell"` or `from:"Marti Bell"`?',
    )


def test_a_hidden_name_is_like_one_that_never_was() -> None:
    mine = reader(visible=["d.txt", "e.txt"])
    assert found("from:john", mine) == ([], ("Nobody is called `john`.",))
    assert found("from:jon", mine)[1] == ("Nobody is called `jon`, so `from:jon` was taken for Don Quijote.",)
    assert found("source:Documents", mine)[1] == ("No source is called `Documents`. There are Mail, Mail archive.",)


def test_recipients_are_likened_too_and_the_rest_of_a_query_is_left_alone() -> None:
    query = likened(parse("to:jon plan (from:jose OR draft) type:pdf"), reader())
    assert query.filters.recipients == ("john smith",)
    assert query.filters.types == ("pdf",)
    assert query.checks[0].options[0].people == ("jose", "josé garcía")
    assert (query.words, query.text) == ("plan", "to:jon plan (from:jose OR draft) type:pdf")


def test_values_without_letters_stay() -> None:
    assert found("from:@")[0] == ["a.txt", "b.txt", "c.txt", "d.txt"]


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [("", "", 0), ("abc", "abc", 0), ("abc", "acb", 1), ("abc", "abcd", 1), ("abc", "bcd", 2), ("abc", "xyz", 3),
     ("kitten", "sitting", 3), ("ca", "abc", 3)],
)  # fmt: skip
def test_distance(one: str, other: str, apart: int) -> None:
    assert distance(one, other, 3) == distance(other, one, 3) == apart
    assert distance(one, other, apart - 1) is None
