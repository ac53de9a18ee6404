"""What people type is understood, kept and written back."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bowerbird.core.errors import QueryError
from bowerbird.core.records import Either, Filters, Period, Query
from bowerbird.search.query import LONGEST, OPERATORS, format, free_text, parse

NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)

pieces = st.sampled_from(
    [*(f"{name}:" for name in OPERATORS), '"', " ", "“", "pdf", "Q3 plans", "2026-03", "last week", "tpye:", "é\u0301",
     ":", "\x00", "a/b", "https://a.b/c", "12:30", "\ud800", "東京", "\n", "-", "'", "(", ")", " OR ", "OR", " -", "b"]
)  # fmt: skip
typed = st.one_of(st.text(max_size=80), st.text('ab()-" OR:', max_size=40), st.lists(pieces, max_size=20).map("".join))


@settings(max_examples=2_000, deadline=None)
@given(typed)
def test_what_is_written_reads_back_the_same(text: str) -> None:
    query = parse(text, NOW)
    again = parse(format(query), NOW)
    assert replace(again, text="", hints=()) == replace(query, text="", hints=())


@given(typed)
def test_whatever_is_typed_becomes_text_that_can_be_encoded(text: str) -> None:
    query = parse(text, NOW)
    for part in (query.text, query.words, *query.phrases, *query.filters.people, *query.hints):
        part.encode()
        assert "\x00" not in part


def test_every_operator_narrows() -> None:
    query = parse('plan type:slides source:Drive in:"Q3 plans" from:"Ada B" before:2026 after:2025-06', NOW)
    assert query.words == "plan"
    assert query.filters == Filters(
        types=("presentation",),
        sources=("Drive",),
        within=("Q3 plans",),
        people=("Ada B",),
        before=date(2026, 1, 1),
        after=date(2025, 6, 1),
    )
    assert not query.hints


def test_labels_narrow() -> None:
    query = parse('lang:German lang:fr has:tables is:attachment tag:"Q3 plan" tag:#budget to:ada', NOW)
    labels = ("lang:de", "lang:fr", "has:table", "is:attachment", "tag:q3 plan", "tag:budget")
    assert query.filters == Filters(labels=labels, recipients=("ada",))
    assert not query.hints


def test_repeated_operators_mean_any_of_them() -> None:
    query = parse("type:pdf TYPE:pdfs type:note after:2026 after:2025 before:2026-02 before:2026-03", NOW)
    assert query.filters.types == ("pdf", "note")
    assert (query.filters.after, query.filters.before) == (date(2025, 1, 1), date(2026, 3, 1))


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2026-03-01", "2026-03-01"), ("2026-3-1", "2026-03-01"), ("2026-02", "2026-02-01"), ("2024", "2024-01-01"),
        ("today", "2026-03-18"), ("yesterday", "2026-03-17"), ("tomorrow", "2026-03-19"), ('"this week"', "2026-03-16"),
        ('"Last Week"', "2026-03-09"), ("last-month", "2026-02-01"), ('"last year"', "2025-01-01"),
        ("3d", "2026-03-15"), ('"2 weeks ago"', "2026-03-04"),
        ('"this month"', "2026-03-01"), ('"this year"', "2026-01-01"),
        ("1m", "2026-02-18"), ("1y", "2025-03-18"),
    ],
)  # fmt: skip
def test_days(value: str, day: str) -> None:
    assert parse(f"after:{value}", NOW).filters.after == date.fromisoformat(day)


def test_every_query_of_the_reference_is_understood() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/query.md").read_text(encoding="utf-8")
    rows = [line.partition(" | ")[0] for line in page.splitlines() if line.startswith("| `")]
    examples = [example for row in rows for example in re.findall("`(.+?)`", row)]
    assert {name for name in OPERATORS if f"`{name}:" in page} == set(OPERATORS)
    assert len(examples) > 40
    assert [(example, hints) for example in examples if (hints := parse(example, NOW).hints)] == []


def test_a_month_back_from_its_last_day_stays_in_the_month_before() -> None:
    assert parse("after:1m", datetime(2026, 3, 31, tzinfo=UTC)).filters.after == date(2026, 2, 28)
    assert parse("after:1m", datetime(2026, 1, 31, tzinfo=UTC)).filters.after == date(2025, 12, 31)


def test_today_is_the_zones_today() -> None:
    late = datetime(2026, 3, 18, 23, 30, tzinfo=UTC)
    assert parse("after:today", late, "Europe/Prague").filters.after == date(2026, 3, 19)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tpye:pdf", "`type:`"),
        ("author:ada", "`from:`"),
        ("type:presentatoin", "`type:presentation`"),
        ("after:yesteday", "`after:yesterday`"),
        ("before:32.1.2026", "2026-03-01"),
        ('type:"zzz qqq"', "Types are"),
        ("type:", "no value"),
        ("after:2026-13", "names no date"),
        ("after:9999y", "names no date"),
        ("after:last friday", '`after:"last friday"`'),
        ("before:3 days ago report", '`before:"3 days ago"`'),
        ("date:marhc", "`date:march`"),
        ("date:2026-03..soon", "2026-03..2026-05"),
        ("has:tabel", "`has:table`"),
        ("is:blue", "archived or attachment"),
        ("lang:klingon", "Languages are"),
        ("cc:ada", "`to:`"),
    ],
)
def test_what_is_no_operator_is_text_with_a_hint(text: str, told: str) -> None:
    query = parse(text, NOW)
    assert query.filters == Filters()
    assert free_text(query)
    assert len(query.hints) == 1
    assert told in query.hints[0]


def test_words_behind_a_date_that_seem_to_belong_to_it_are_told() -> None:
    query = parse("date:march 2025 budget", NOW)
    assert query.hints == ('A value with spaces stands in quotes. Did you mean `date:"march 2025"`?',)
    assert (query.words, query.filters.periods) == ("2025 budget", (Period(date(2026, 3, 1), date(2026, 4, 1)),))
    for text in (
        'date:"march" 2025',
        "date:march -2025",
        "date:march budget",
        "date:march 2025 OR x",
        "date:march (2025)",
    ):
        assert parse(text, NOW).hints == (), text


@pytest.mark.parametrize("text", ["https://example.org/a", "12:30", "error:", "std::vector", "C:\\temp", "note: this"])
def test_colons_of_ordinary_text_bring_no_hint(text: str) -> None:
    query = parse(text, NOW)
    assert (query.words, query.hints) == (text, ())


def test_phrases() -> None:
    query = parse('a "b  c" d “e f” "" "b c"', NOW)
    assert (query.words, query.phrases) == ("a d", ("b c", "e f"))


def test_a_quote_never_closed_is_left_out() -> None:
    assert parse('a "b c" 5" disk', NOW).words == "a 5 disk"
    assert parse('plan from:"ada', NOW).filters.people == ("ada",)


def test_binary_noise_is_cleaned_away() -> None:
    assert parse("bud\x00get\ufeff \ud83d\x1b\x7f", NOW).words == "budget"
    assert parse("\x00\x01\udfff\ufffd", NOW) == Query("")


def test_too_long_says_how_long() -> None:
    assert parse("x" * LONGEST, NOW).words
    with pytest.raises(QueryError, match="4,001 characters long; the limit is 4,000"):
        parse("x" * (LONGEST + 1), NOW)


def either(*options: Filters, excluded: bool = False) -> Either:
    return Either(options, excluded)


def holding(*texts: str) -> Filters:
    return Filters(holding=texts)


PDF, ADA = Filters(types=("pdf",)), Filters(people=("ada",))


@pytest.mark.parametrize(
    ("text", "words", "checks", "filters"),
    [
        ("plan -draft", "plan", [either(holding("draft"), excluded=True)], []),
        ('-"first draft" plan', "plan", [either(holding("first draft"), excluded=True)], []),
        ("plan OR budget", "", [either(holding("plan"), holding("budget"))], []),
        ("q3 plan OR budget type:pdf", "q3", [either(holding("plan"), holding("budget"))], []),
        ("-type:pdf plan", "plan", [], [either(PDF, excluded=True)]),
        ("type:pdf OR from:ada", "", [], [either(PDF, ADA)]),
        ("-(type:pdf OR from:ada)", "", [], [either(PDF, ADA, excluded=True)]),
        ("-(type:pdf from:ada)", "", [], [either(Filters(types=("pdf",), people=("ada",)), excluded=True)]),
        ("(a b) OR type:pdf", "", [either(holding("a", "b"), PDF)], []),
        ("(a OR b) OR c", "", [either(holding("a"), holding("b"), holding("c"))], []),
        ("a OR -type:pdf", "", [either(holding("a"), Filters(either=(either(PDF, excluded=True),)))], []),
        ("(annual report) 2026", "annual report 2026", [], []),
        ("f(x) plan) (", "f(x) plan", [], []),
        ("call(one, two)", "call one, two", [], []),
        ("plan OR", "plan", [], []),
        ("OR", "OR", [], []),
        ("a - b --force x-y", "a - b --force x-y", [], []),
        ("this or that", "this or that", [], []),
    ],
)
def test_alternatives_and_exclusions(text: str, words: str, checks: list[Either], filters: list[Either]) -> None:
    query = parse(text, NOW)
    assert (query.words, list(query.checks), list(query.filters.either)) == (words, checks, filters)


def test_what_is_asked_for_among_alternatives_is_searched_for() -> None:
    assert free_text(parse("budget (plan OR -draft) -old", NOW)) == "plan budget"
