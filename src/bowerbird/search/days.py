"""Days as people write them in `after:` and `before:`; a period means its first day."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

_ISO = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
_AGO = re.compile(r"(\d{1,4}) ?(day|week|month|year|d|w|m|y)s?(?: ago)?")

DAY_WORDS: tuple[str, ...] = (
    "today", "yesterday", "tomorrow", "this week", "last week", "this month", "last month", "this year", "last year",
)  # fmt: skip
"""The words that `day_named` knows besides ISO dates and `3 days ago` (`3d`, `2w`, `6m`, `1y`)."""


def day_named(text: str, today: date) -> date | None:
    """Return the day that a value means (ISO 8601 dates, months, years, and simple relative words), or None.

    >>> today = date(2026, 3, 18)  # a Wednesday
    >>> [str(day_named(text, today)) for text in ("2026-03-01", "2026-03", "2026", "yesterday", "last week", "7d")]
    ['2026-03-01', '2026-03-01', '2026-01-01', '2026-03-17', '2026-03-09', '2026-03-11']
    >>> day_named("soon", today), day_named("2026-13", today)
    (None, None)
    """
    text = " ".join(text.lower().split())
    try:
        if match := _ISO.fullmatch(text):
            year, month, day = match.groups()
            return date(int(year), int(month or 1), int(day or 1))
        text = re.sub(r"[-_ ]+", " ", text)
        if match := _AGO.fullmatch(text):
            return _ago(int(match[1]), match[2][0], today)
        return _relative(text, today)
    except (ValueError, OverflowError):
        return None


def _ago(count: int, unit: str, today: date) -> date:
    if unit in "dw":
        return today - timedelta(days=count * (7 if unit == "w" else 1))
    return _months_back(today, count * (12 if unit == "y" else 1))


def _months_back(day: date, months: int) -> date:
    """Go back whole months; a day that the month lacks becomes its last (31 March - 1 month = 28 February)."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    first_of_next = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    last = (first_of_next - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))


def _relative(text: str, today: date) -> date | None:
    monday = today - timedelta(days=today.weekday())
    first = today.replace(day=1)
    days: dict[str, Callable[[], date]] = {
        "today": lambda: today,
        "yesterday": lambda: today - timedelta(days=1),
        "tomorrow": lambda: today + timedelta(days=1),
        "this week": lambda: monday,
        "last week": lambda: monday - timedelta(days=7),
        "this month": lambda: first,
        "last month": lambda: _months_back(first, 1),
        "this year": lambda: first.replace(month=1),
        "last year": lambda: _months_back(first.replace(month=1), 12),
    }
    return days[text]() if text in days else None
