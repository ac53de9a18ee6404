"""Days and periods in words: each means what a person would say it means."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bowerbird.search.days import DAY_WORDS, day_named, period_named, written

WEDNESDAY = date(2026, 3, 18)

PERIODS = {
    "2026": "2026", "2026-03": "2026-03", "2026-03-01": "2026-03-01", "2026/3/1": "2026-03-01",
    "1.3.2026": "2026-03-01", "2026-w12": "2026-03-16..2026-03-22", "2026-q1": "2026-01-01..2026-03-31",
    "q4": "2025-10-01..2025-12-31", "Q1": "2026-01-01..2026-03-31", "q2 2025": "2025-04-01..2025-06-30",
    "today": "2026-03-18", "yesterday": "2026-03-17", "the day before yesterday": "2026-03-16",
    "this week": "2026-03-16..2026-03-22", "Last  Week": "2026-03-09..2026-03-15",
    "last-week": "2026-03-09..2026-03-15",
    "next week": "2026-03-23..2026-03-29", "past week": "2026-03-11..2026-03-18",
    "this weekend": "2026-03-21..2026-03-22", "last weekend": "2026-03-14..2026-03-15",
    "next weekend": "2026-03-28..2026-03-29",
    "this month": "2026-03", "last month": "2026-02", "previous month": "2026-02", "next month": "2026-04",
    "this quarter": "2026-01-01..2026-03-31", "last quarter": "2025-10-01..2025-12-31",
    "last year": "2025", "this year": "2026", "next year": "2027",
    "march": "2026-03", "Mar": "2026-03", "sept": "2025-09", "april": "2025-04", "march 2024": "2024-03",
    "in march, 2024": "2024-03", "last march": "2025-03", "last february": "2026-02", "this december": "2026-12",
    "next march": "2027-03", "next april": "2026-04", "next february": "2027-02",
    "3 march": "2026-03-03", "march 3rd": "2026-03-03", "March 31": "2025-03-31", "3rd of march 2020": "2020-03-03",
    "29 february": "2024-02-29", "december 24": "2025-12-24",
    "friday": "2026-03-13", "last friday": "2026-03-13", "last wednesday": "2026-03-11", "wednesday": "2026-03-18",
    "this friday": "2026-03-20", "next friday": "2026-03-20", "next wed": "2026-03-25", "on monday": "2026-03-16",
    "7d": "2026-03-11..2026-03-18", "2w": "2026-03-04..2026-03-18", "last 30 days": "2026-02-16..2026-03-18",
    "past two weeks": "2026-03-04..2026-03-18", "last 3 months": "2025-12-18..2026-03-18",
    "3 days ago": "2026-03-15", "a week ago": "2026-03-09..2026-03-15", "two months ago": "2026-01",
    "a year ago": "2025",
    "2026-03..2026-05": "2026-03-01..2026-05-31", "2026-03-05..2026-03-07": "2026-03-05..2026-03-07",
    "2024-2026": "2024-01-01..2026-12-31", "2026-05..2026-03": "2026-03-01..2026-05-31", "2025..": "2025-01-01..",
    "..2025": "..2025-12-31", "november..february": "2025-11-01..2026-02-28", "march to may": "2025-03-01..2025-05-31",
    "november 2024 to february": "2024-11-01..2025-02-28", "march to may 2024": "2024-03-01..2024-05-31",
    "monday..friday": "2026-03-09..2026-03-13", "2026-02-02..friday": "2026-02-02..2026-02-06",
    "last month..today": "2026-02-01..2026-03-18",
    "yesterday to today": "2026-03-17..2026-03-18", "from march – 3 days ago": "2026-03-01..2026-03-15",
    "q3..q4": "2025-07-01..2025-12-31", "1.3.2026..4.3.2026": "2026-03-01..2026-03-04",
}  # fmt: skip


@pytest.mark.parametrize(("said", "meant"), PERIODS.items())
def test_periods(said: str, meant: str) -> None:
    period = period_named(said, WEDNESDAY)
    assert period is not None
    assert written(period) == meant


@pytest.mark.parametrize(
    "said",
    ["", "..", "soon", "2026-13", "2026-02-30", "03/04/2026", "q5", "30 february", "last", "last soon", "9999y", "0-0",
     "march of the penguins", "2026-03..soon", "12", "may day", "1..2..3", "-", "…"],
)  # fmt: skip
def test_what_names_no_period(said: str) -> None:
    assert period_named(said, WEDNESDAY) is None
    assert day_named(said, WEDNESDAY) is None


@pytest.mark.parametrize(
    ("today", "said", "meant"),
    [
        (date(2026, 3, 22), "last weekend", "2026-03-14..2026-03-15"),  # on a Sunday, this one is not over
        (date(2026, 3, 23), "last weekend", "2026-03-21..2026-03-22"),
        (date(2026, 3, 31), "last 1 month", "2026-02-28..2026-03-31"),
        (date(2026, 1, 1), "last month", "2025-12"),
        (date(2026, 1, 1), "last quarter", "2025-10-01..2025-12-31"),
        (date(2025, 3, 1), "29 feb", "2024-02-29"),
        (date(9999, 12, 31), "today", "9999-12-31.."),
        (date(9999, 6, 1), "this year", "9999-01-01.."),
    ],
)
def test_edges_of_the_calendar(today: date, said: str, meant: str) -> None:
    period = period_named(said, today)
    assert period is not None
    assert written(period) == meant


def test_a_day_is_the_first_of_its_period_but_so_long_ago_is_a_day() -> None:
    assert day_named("last week", WEDNESDAY) == date(2026, 3, 9)
    assert day_named("two weeks ago", WEDNESDAY) == date(2026, 3, 4)
    assert day_named("march 2024", WEDNESDAY) == date(2024, 3, 1)
    assert day_named("2025..2026", WEDNESDAY) == date(2025, 1, 1)
    assert day_named("..2026", WEDNESDAY) is None


@pytest.mark.parametrize("word", DAY_WORDS)
def test_the_words_that_are_offered_are_understood(word: str) -> None:
    assert day_named(word, WEDNESDAY)


days = st.dates(date(1, 1, 1), date(9999, 12, 31))
words = st.sampled_from(
    [*" ".join((*DAY_WORDS, *PERIODS)).split(), "..", "to", "ago", "-", "1", "31", "next", "of", "29", "9999", "0001"]
)
said = st.one_of(st.lists(words, max_size=5).map(" ".join), st.text("0123456789-. /qwabmy", max_size=12), st.text())


@settings(max_examples=1_500, deadline=None)
@given(said, days)
def test_whatever_is_said_is_a_period_that_is_written_and_read_back_or_none(text: str, today: date) -> None:
    period = period_named(text, today)
    if period is not None:
        assert period.first or period.end
        assert period.first is None or period.end is None or period.first < period.end
        assert period_named(written(period), today) == period


@given(days)
def test_the_last_such_weekday_is_within_a_week_before(today: date) -> None:
    day = day_named("last friday", today) if today > date(1, 1, 8) else None
    assert day is None or (timedelta(1) <= today - day <= timedelta(7) and day.weekday() == 4)
