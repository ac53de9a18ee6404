"""What a query meant is marked in any text, and nothing else."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.core.records import Snippet
from bowerbird.search.matching import Matcher, alike, fold, stem
from bowerbird.search.snippets import LONGEST, snippet

texts = st.one_of(
    st.text(max_size=600),
    st.lists(
        st.sampled_from(["budget", "Budgets", "東京都", "é", "\n\n", ". ", " ", "naïve", "…", "x" * 50]), max_size=80
    ).map("".join),
)


def marked(text: str, words: str, phrases: tuple[str, ...] = (), prefix: bool = False) -> list[str]:
    return [text[mark.start : mark.end] for mark in Matcher(words, phrases, prefix).marks(text)]


@given(texts, st.text(max_size=40), st.lists(st.text(max_size=20), max_size=3), st.booleans())
def test_snippets_of_any_text_and_query(text: str, words: str, phrases: list[str], prefix: bool) -> None:
    cut = snippet(text, Matcher(words, phrases, prefix))
    assert len(cut.text) <= LONGEST + 2
    end = 0
    for left, right in cut.highlights:
        assert end <= left < right <= len(cut.text)
        end = right
    assert " ".join(cut.text.strip("…").split()) in " ".join(text.split())


@given(st.text(max_size=50))
def test_folding_keeps_offsets(text: str) -> None:
    assert len(fold(text)) == len(text)


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=15))
def test_a_word_is_like_itself_and_its_stem_never_grows_by_more_than_an_e(word: str) -> None:
    assert alike(word, word)
    assert 0 < len(stem(word)) <= len(word)


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("All Budgets were budgeted, budgeting", "budget", ["Budgets", "budgeted", "budgeting"]),
        ("one budget", "budgets", ["budget"]),
        ("RÉSUMÉ and résumés", "resume", ["RÉSUMÉ", "résumés"]),
        ("resume", "résumé", ["resume"]),
        ("organization, organ, planes, plan", "organize plan", ["organization", "organ", "plan"]),
        ("studies of studying", "study", ["studies", "studying"]),
        ("the end of the plan", "the plan", ["plan"]),
        ("to be", "to be", ["to", "be"]),
        ("東京都の予算", "予算", ["予算"]),
        ("予算は東京都で", "東京都の予算", ["予算", "東京都"]),
        ("ประชุมงบประมาณ", "งบประมาณ", ["งบประมาณ"]),
        ("nothing here", "absent", []),
    ],
)
def test_words(text: str, words: str, found: list[str]) -> None:
    assert sorted(marked(text, words)) == sorted(found)


def test_phrases_are_marked_whole_and_only_in_order() -> None:
    assert marked("report annual, Annual Reports; annual-report", "", ("annual report",)) == [
        "Annual Reports",
        "annual-report",
    ]
    assert marked("今年の年次報告書", "", ("年次報告",)) == ["年次報告"]


def test_the_unfinished_word_marks_what_begins_with_it() -> None:
    assert marked("a budget for buddies", "for bud", prefix=True) == ["budget", "buddies"]
    assert marked("a budget for buddies", "for bud") == []


def test_the_snippet_holds_the_window_with_most_terms() -> None:
    text = "Budget alone. " + "Filler words without any use. " * 20 + "The travel budget was approved. " + "More. " * 60
    cut = snippet(text, Matcher("travel budget"))
    assert [cut.text[left:right] for left, right in cut.highlights] == ["travel", "budget"]
    assert cut.text.startswith("…") and cut.text.endswith("…")
    assert cut.text[1].isupper()


def test_without_matches_the_beginning_is_shown() -> None:
    text = "First sentence here. " * 30
    cut = snippet(text, Matcher("absent"))
    assert cut.text.startswith("First") and cut.text.endswith("here.…")
    assert cut.highlights == ()


def test_words_are_not_cut_in_two() -> None:
    text = "wonderful " * 100
    assert set(snippet(text, Matcher("x")).text.strip("…").split()) == {"wonderful"}


def test_white_space_is_one_blank() -> None:
    assert snippet(" a\n\n b\t", Matcher("b")) == Snippet("a b", ((2, 3),))


def test_snippets_are_fast() -> None:
    text = ("The committee reviewed annual budget reports. Spending on migration rose, training costs were cut. " * 15)[
        :1400
    ]
    matcher = Matcher("budget report migrations training cost")
    snippet(text, matcher)
    fastest = min(_seconds(text, matcher) for _ in range(50))
    assert fastest < 0.0003


def _seconds(text: str, matcher: Matcher) -> float:
    begun = time.perf_counter()
    snippet(text, matcher)
    return time.perf_counter() - begun
