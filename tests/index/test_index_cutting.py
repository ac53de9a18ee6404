"""Cutting: passages are slices of the text, in order, nothing lost, none too long."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bowerbird.core.records import Block, Document, Passage
from bowerbird.index.cutting import cut, encoded_text, name_words, search_text, tokens
from bowerbird.store.items import StoredItem

ITEM = StoredItem(
    "itm", "src", "papers", "reports/Q3_plan.txt", "Q3_plan.txt", "Q3 plan", "file:///x", "note", "text/plain", 1, None,
    (), "indexed", 4, 1,
)  # fmt: skip

WORDS = st.text("abc.!? \n日本語。üé漢", min_size=0, max_size=60)
LONG = st.builds(lambda text, times: text * times, WORDS, st.integers(1, 60))
KINDS = st.sampled_from(["paragraph", "heading", "list", "table", "code", "quote", "media"])
BLOCKS = st.builds(
    lambda text, kind, level, page: Block(text, kind, level if kind == "heading" else 0, page),
    LONG, KINDS, st.integers(0, 6), st.one_of(st.none(), st.integers(1, 3)),
)  # fmt: skip


def document(*blocks: Block | str) -> Document:
    return Document("", tuple(Block(one) if isinstance(one, str) else one for one in blocks), "test")


def cut_texts(*blocks: Block | str, target: int = 40) -> list[str]:
    return [passage.text for passage in cut(ITEM, document(*blocks), target)]


def heading(text: str, level: int = 1, page: int | None = None) -> Block:
    return Block(text, "heading", level, page)


@settings(max_examples=300, deadline=None)
@given(st.lists(BLOCKS, max_size=8), st.sampled_from([5, 20, 60, 220]))
def test_passages_are_disjoint_slices_in_order_that_lose_nothing(blocks: list[Block], target: int) -> None:
    made = document(*blocks)
    passages = cut(ITEM, made, target)
    assert [passage.ordinal for passage in passages] == list(range(len(passages)))
    assert {(passage.item, passage.content_version) for passage in passages} == {(ITEM.id, ITEM.content_version)}
    end = 0
    for passage in passages:
        assert passage.text == made.text[passage.place.start : passage.place.end]
        assert passage.place.start >= end
        assert not made.text[end : passage.place.start].strip(), "text was lost between two passages"
        end = passage.place.end
    assert not made.text[end:].strip(), "text was lost at the end"
    assert len(passages) == 1 or all(passage.text.strip() for passage in passages)


@settings(max_examples=200, deadline=None)
@given(st.lists(BLOCKS, max_size=8), st.sampled_from([20, 60, 220]))
def test_no_passage_is_much_longer_than_asked(blocks: list[Block], target: int) -> None:
    assert all(tokens(passage.text) <= target * 2.2 for passage in cut(ITEM, document(*blocks), target))


@pytest.mark.parametrize("made", [None, document(), document(Block("", "media")), document("  \n ")])
def test_an_item_without_text_gives_one_empty_passage(made: Document | None) -> None:
    assert [(p.ordinal, p.text.strip()) for p in cut(ITEM, made, 200)] == [(0, "")]


def test_short_blocks_are_one_passage_and_long_ones_are_split_at_sentences() -> None:
    assert cut_texts("One.", "Two.", "Three.") == ["One.\n\nTwo.\n\nThree."]
    sentence = "The bower is built of twigs and blue things. "
    pieces = cut_texts(sentence * 30)
    assert len(pieces) > 5
    assert all(piece.endswith(".") and piece.startswith("The bower") for piece in pieces)


def test_one_huge_line_is_cut_between_words() -> None:
    pieces = cut_texts("word " * 20_000)
    assert all(re.fullmatch(r"(word ?)+", piece) for piece in pieces)
    assert len(pieces) > 500


def test_one_huge_word_is_cut_anyway() -> None:
    assert "".join(cut_texts("x" * 50_000)) == "x" * 50_000


@pytest.mark.parametrize("target", [10, 40, 220])
def test_scripts_without_spaces_are_cut_shorter_and_at_their_full_stops(target: int) -> None:
    text = "鳥は青い物を集める。" * 400
    pieces = cut_texts(text, target=target)
    assert "".join(pieces) == text
    assert max(map(len, pieces)) <= target * 1.6
    if target > 10:
        assert all(piece.endswith("。") for piece in pieces)


def test_a_script_without_spaces_within_a_long_latin_text_is_cut_by_its_own_length() -> None:
    pieces = cut_texts("latin words here " * 400 + "鳥" * 2000, target=100)
    assert max(map(tokens, pieces)) <= 220


def test_a_long_enough_passage_ends_at_a_heading_and_a_short_one_does_not() -> None:
    long, short = "many words " * 9, "few words"
    assert cut_texts(heading("One"), long, heading("Two"), long)[1].startswith("Two")
    assert len(cut_texts(heading("One"), short, heading("Two"), short)) == 1


def test_a_passage_knows_the_headings_above_it() -> None:
    long = "many words " * 9
    made = document(
        heading("Part", 1), long, heading("Setup", 2), long, heading("Net\nwork", 3), long, heading("End"), long
    )
    assert [passage.place.headings for passage in cut(ITEM, made, 25)] == [
        ("Part",), ("Part", "Setup"), ("Part", "Setup", "Net work"), ("End",),
    ]  # fmt: skip


def test_a_heading_stays_with_what_follows_it() -> None:
    pieces = cut_texts(heading("A heading of several words"), "words and more words " * 7)
    assert pieces[0].startswith("A heading") and "words and more" in pieces[0]


def test_a_document_of_headings_only_is_cut_too() -> None:
    pieces = cut_texts(*(heading(f"Heading number {number}") for number in range(300)))
    assert len(pieces) > 20


def test_pages_are_kept_apart_unless_a_page_has_next_to_nothing() -> None:
    passages = cut(ITEM, document(Block("first page " * 5, page=1), Block("second " * 5, page=2)), 40)
    assert [passage.place.page for passage in passages] == [1, 2]
    passages = cut(ITEM, document(Block("Nr. 1", page=1), Block("second " * 5, page=2)), 40)
    assert [passage.place.page for passage in passages] == [1]


def test_a_recording_is_placed_in_time() -> None:
    made = document(Block("hello", seconds=(61.0, 70.0)))
    assert str(cut(ITEM, made, 40)[0].place) == "1:01"


def test_the_first_passage_is_found_by_every_part_of_its_name() -> None:
    assert name_words("reports/Q3_budgetPlan.v2.xlsx").split()[:2] == ["reports", "Q3_budgetPlan.v2.xlsx"]
    first, second = Passage("itm", 1, 0, "text"), Passage("itm", 1, 1, "text")
    assert {"reports", "Q3_plan.txt", "plan", "txt"} <= set(search_text(ITEM, first).split())
    assert "reports" not in search_text(ITEM, second) and "Q3 plan" in search_text(ITEM, second)


def test_what_the_text_begins_with_is_not_said_twice() -> None:
    passage = Passage("itm", 1, 1, "Q3 plan\n\nWe will build.")
    assert search_text(ITEM, passage).count("Q3 plan") == encoded_text(ITEM, passage).count("Q3 plan") == 1
    assert encoded_text(ITEM, Passage("itm", 1, 0, "")) == "Q3 plan"
