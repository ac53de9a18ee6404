"""A slip in a word still finds; who may not read a word learns nothing of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from bowerbird.core.records import Filters, Principal
from bowerbird.index.reading import WordQuery
from bowerbird.index.tolerance import edits
from bowerbird.store import sources
from bowerbird.store.tables import scope_entries

ANN = Principal("user:ann")


@pytest.mark.parametrize("slip", ["buget", "budgget", "budgte", "bodget", "Buget", "budg"])
def test_a_slip_finds_what_was_meant(shelf: Any, slip: str) -> None:
    plan = shelf.add("plan.md", "the yearly budget of the department")
    shelf.add("other.md", "nothing of interest")
    shelf.level()
    assert shelf.find(slip) == [plan]
    assert shelf.find(f"yearly {slip}") == [plan]


def test_two_letters_are_forgiven_in_a_long_word(shelf: Any) -> None:
    plan = shelf.add("plan.md", "the mouth of the Mississippi")
    shelf.level()
    shelf.tidy()
    assert shelf.find("missisipi") == [plan]


@pytest.mark.parametrize("text", ["PRJ-124", "NASB", "bud9et", "cat", "wich"])
def test_what_is_no_slip_finds_nothing(shelf: Any, text: str) -> None:
    shelf.add("plan.md", "PRJ-123 of NASA, budget, which car")
    shelf.level()
    assert [one for one in shelf.find(text) if text != "PRJ-124"] == []


def test_a_word_that_is_there_is_not_widened(shelf: Any) -> None:
    form, farm = shelf.add("1.md", "the form"), shelf.add("2.md", "the farm")
    shelf.level()
    assert shelf.find("form") == [form] and shelf.find("forms") == [form] and shelf.find("farm") == [farm]


def test_a_slip_in_a_language_of_the_library_is_forgiven(shelf: Any) -> None:
    russian = shelf.add("1.md", "Отчёт о бюджете лежит на столе")
    german = shelf.add("2.md", "Die Kündigungen liegen auf dem Tisch und werden geprüft")
    shelf.level()
    assert shelf.find("бюджте") == [russian]
    assert shelf.find("Kündgung") == [german]


def test_a_word_that_others_hold_is_as_if_it_were_not_there(shelf: Any) -> None:
    with shelf.store.database.write() as connection:
        other = sources.add(connection, "files", "/other", "other")
        entry = {"acl_id": other.acl_id, "principal": ANN.name, "effect": "allow"}
        connection.execute(insert(scope_entries).values(**entry))
    hers = shelf.add("hers.md", "a severance plan", source=other)
    shelf.level()

    def found(text: str) -> list[str]:
        return [one.item for one in shelf.reader(ANN).words(WordQuery(text), Filters(), 9)]

    before = {text: found(text) for text in ("sevrance", "severace", "pension", "plam", "sever")}
    hidden = shelf.add("hidden.md", "sevrance severace pension plam severed", title="Sever")
    shelf.level()
    assert {text: found(text) for text in before} == before
    assert before["sevrance"] == [hers] and before["pension"] == []
    assert shelf.find("sevrance") == [hidden]


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=12), st.integers(0, 11), st.sampled_from("abcxyz"))
def test_every_slip_of_one_letter_is_undone(word: str, at: int, letter: str) -> None:
    at %= len(word)
    slips = {word[:at] + word[at + 1 :], word[:at] + letter + word[at:], word[:at] + letter + word[at + 1 :]}
    slips.add(word[:at] + word[at : at + 2][::-1] + word[at + 2 :])
    assert all(word in set(edits(slip)) for slip in slips)
