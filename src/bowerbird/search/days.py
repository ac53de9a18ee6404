"""Days and periods as people write them: `after:` and `before:` take a day, `date:` a period.

Where a day is wanted and a period is written, its first day counts. What has no year (`march`, `friday`, `q3`) is the
last one that has begun. Weeks begin on Monday (ISO 8601).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, timedelta
from itertools import chain

from bowerbird.core.records import Period

DAY_WORDS: tuple[str, ...] = (
    "today", "yesterday", "tomorrow", "last friday", "this week", "last week", "last weekend", "this month",
    "last month", "this quarter", "last quarter", "this year", "last year", "last 30 days", "3 days ago", "january",
    "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
"""Some of the words that are understood; what is misspelt is likened to them."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "a couple of": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip

_MONTH = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?"
)
_WEEKDAY = "mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?"
_COUNT = rf"\d{{1,4}}|{'|'.join(_NUMBERS)}"
_UNIT = "day|week|month|year"

_RANGE = re.compile(r"(?P<from>.*?) *(?:\.\.+|…|–|—| (?:to|until|till) |(?<=^\d{4})-(?=\d{4}$)) *(?P<to>.*)")
_LED = re.compile(r"(?:from|since|on|in|the) ")


def day_named(text: str, today: date) -> date | None:
    """Return the day that a value means: that of so long ago, or the first of a period; None where it is neither.

    >>> today = date(2026, 3, 18)  # a Wednesday
    >>> [str(day_named(text, today)) for text in ("2026-03-01", "2026-03", "yesterday", "last friday", "2 weeks ago")]
    ['2026-03-01', '2026-03-01', '2026-03-17', '2026-03-13', '2026-03-04']
    >>> day_named("soon", today), day_named("2026-13", today)
    (None, None)
    """
    text = _plain(text)
    with suppress(ValueError, OverflowError):
        if ago := re.fullmatch(rf"({_COUNT}) ({_UNIT})s? ago", text):
            return _back(today, _number(ago[1]), ago[2])
    period = period_named(text, today)
    return period.first if period else None


def period_named(text: str, today: date) -> Period | None:
    """Return the period that a value means, None where it names none. Both ends of a range belong to it.

    >>> today = date(2026, 3, 18)
    >>> for text in ("2026-03..2026-05", "last week", "march", "nov to feb", "7d", "q3 2025", "3 days ago", "..2024"):
    ...     print(written(period_named(text, today)))
    2026-03-01..2026-05-31
    2026-03-09..2026-03-15
    2026-03
    2025-11-01..2026-02-28
    2026-03-11..2026-03-18
    2025-07-01..2025-09-30
    2026-03-15
    ..2024-12-31
    """
    text = _plain(text)
    with suppress(ValueError, OverflowError):
        if (spanned := _RANGE.fullmatch(text)) and (spanned["from"] or spanned["to"]):
            return _range(spanned["from"], spanned["to"], today)
        return _single(text, today)
    return None


def written(period: Period) -> str:
    """Return a period as `date:` takes it, as short as it can be said.

    >>> written(Period(date(2026, 1, 1), date(2027, 1, 1))), written(Period(date(2026, 3, 1), date(2026, 3, 2)))
    ('2026', '2026-03-01')
    """
    first, end = period.first, period.end
    if first and end and first.day == end.day == 1:
        if (end.year, first.month, end.month) == (first.year + 1, 1, 1):
            return f"{first:%Y}".zfill(4)
        if _months(first, 1) == end:
            return first.isoformat()[:7]
    last = end - timedelta(days=1) if end else None
    if first == last:
        return str(first)
    return f"{first or ''}..{last or ''}"


def period_written(text: str) -> Period:
    """Return the period that `written` gave as text; raises ValueError for what it never gives."""
    period = period_named(text, date.min)
    if period is None:
        raise ValueError(f"{text} is no period")
    return period


def _plain(text: str) -> str:
    text = re.sub(r"[\s_]+", " ", text.lower().replace(",", " ")).strip()
    while led := _LED.match(text):
        text = text[led.end() :]
    if not re.search(r"\d", text) or "ago" in text:
        text = re.sub(r"(?<=\w)-(?=\w)", " ", text)
    return text


def _range(start: str, end: str, today: date) -> Period | None:
    """Return the period from the start of one to the end of the other, in whichever order; "" is an open end.

    One that comes again is the nearest to the other on its side: `nov..feb` begins the year before.
    """
    first = _single(start, today) if start else Period(None, None)
    if first and first.first and _again(end) and not _again(start):
        today = _months(first.first, 12) if _again(end) == "year" else first.first + timedelta(days=7)
        today -= timedelta(days=1)
    last = _single(end, today) if end else Period(None, None)
    if last and last.end and _again(start):
        first = _single(start, last.end - timedelta(days=1))
    if first is None or last is None:
        return None
    if first.first and last.end and first.first >= last.end:
        first, last = last, first
    return Period(first.first, last.end)


def _again(text: str) -> str:
    """Return how often there is one: every `week` (friday), every `year` (march, q3), or "" for just one."""
    if re.fullmatch(_WEEKDAY, text):
        return "week"
    return "year" if re.search(rf"\b(?:{_MONTH}|q[1-4])\b", text) and not re.search(r"\d{4}", text) else ""


def _single(text: str, today: date) -> Period | None:
    """Return the period of what is no range."""
    for pattern, meaning in _FORMS:
        if match := pattern.fullmatch(text):
            return meaning(match, today)
    return None


def _day(day: date) -> Period:
    return Period(day, day + timedelta(days=1) if day < date.max else None)


def _span(first: date, months: int) -> Period:
    """Return whole months from the first of one."""
    try:
        return Period(first, _months(first, months))
    except (ValueError, OverflowError):
        return Period(first, None)  # the last year that there is


def _iso(match: re.Match[str], today: date) -> Period:
    del today
    year, month, day = match.groups()
    if day:
        return _day(date(int(year), int(month), int(day)))
    return _span(date(int(year), int(month or 1), 1), 1 if month else 12)


def _dotted(match: re.Match[str], today: date) -> Period:
    del today
    day, month, year = map(int, match.groups())
    return _day(date(year, month, day))


def _iso_week(match: re.Match[str], today: date) -> Period:
    del today
    monday = date.fromisocalendar(int(match[1]), int(match[2]), 1)
    return Period(monday, monday + timedelta(days=7))


def _quarter(match: re.Match[str], today: date) -> Period:
    year = match["year"] or match["before"]
    return _last_begun(lambda year: _span(date(year, 3 * int(match["quarter"]) - 2, 1), 3), year, today)


def _month_or_day(match: re.Match[str], today: date) -> Period:
    month, day = _MONTHS.index(match["month"][:3]) + 1, match["day"]

    def in_year(year: int) -> Period:
        return _day(date(year, month, int(day))) if day else _span(date(year, month, 1), 1)

    return _last_begun(in_year, match["year"], today)


def _last_begun(in_year: Callable[[int], Period], year: str | None, today: date) -> Period:
    """Return what there is of it in a year, or the last that has begun; raises ValueError where there is none."""
    if year:
        return in_year(int(year))
    return next(found for found in _each(in_year, today.year) if found.first and found.first <= today)


def _each(in_year: Callable[[int], Period], year: int) -> Iterator[Period]:
    for back in range(9):  # 29 February is not in every year, at times not for eight
        with suppress(ValueError):
            yield in_year(year - back)
    raise ValueError("there is no such day")


def _last_days(match: re.Match[str], today: date) -> Period:
    return Period(_back(today, _number(match["count"] or "1"), match["unit"]), today + timedelta(days=1))


def _ago(match: re.Match[str], today: date) -> Period:
    """Return the day, week, month or year in which so long ago was."""
    return _around(_back(today, _number(match["count"]), match["unit"]), match["unit"])


def _named_day(match: re.Match[str], today: date) -> Period:
    away = {"day before yesterday": -2, "yesterday": -1, "tomorrow": 1}.get(match[0], 0)
    return _day(today + timedelta(days=away))


def _relative(match: re.Match[str], today: date) -> Period:
    """Return this, last or next of a unit, a weekday or a month."""
    which, what = match["which"], match["what"]
    step = {"this": 0, "next": 1}.get(which, -1)
    if what in ("day", "week", "month", "year", "quarter"):
        return _stepped(today, what, step)
    if what == "weekend":
        saturday = today - timedelta(days=today.weekday() - 5)
        step += step == -1 and today > saturday + timedelta(days=1)
        return Period(saturday + timedelta(weeks=step), saturday + timedelta(weeks=step, days=2))
    if what[:3] in _WEEKDAYS:
        return _day(_weekday(what, today, step))
    return _span(_nth_month(_MONTHS.index(what[:3]) + 1, today, step), 1)


def _weekday(name: str, today: date, step: int) -> date:
    """Return the last such day before today, that of this week, or the next after today."""
    ahead = _WEEKDAYS.index(name[:3]) - today.weekday()
    if step == 0:
        return today + timedelta(days=ahead)
    return today + timedelta(days=ahead % 7 or 7) if step > 0 else today - timedelta(days=-ahead % 7 or 7)


def _nth_month(month: int, today: date, step: int) -> date:
    """Return the first of the last such month before this one, of that of this year, or of the next after this one."""
    late = (step < 0 and month >= today.month) or (step > 0 and month > today.month)
    return date(today.year + (step + (step < 0 and not late) - (step > 0 and late) if step else 0), month, 1)


def _bare_weekday(match: re.Match[str], today: date) -> Period:
    return _day(_weekday(match[0], today + timedelta(days=1), -1))


def _stepped(today: date, unit: str, step: int) -> Period:
    if unit == "day":
        return _day(today + timedelta(days=step))
    if unit == "week":
        return _around(today + timedelta(weeks=step), "week")
    around = _around(today, unit)
    length = {"month": 1, "quarter": 3, "year": 12}[unit]
    return _span(_months(around.first or today, step * length), length)


def _around(day: date, unit: str) -> Period:
    """Return the unit of the calendar that holds a day."""
    if unit == "day":
        return _day(day)
    if unit == "week":
        monday = day - timedelta(days=day.weekday())
        return Period(monday, monday + timedelta(days=7))
    if unit == "quarter":
        return _span(date(day.year, (day.month - 1) // 3 * 3 + 1, 1), 3)
    return _span(day.replace(day=1), 1) if unit == "month" else _span(date(day.year, 1, 1), 12)


def _back(today: date, count: int, unit: str) -> date:
    if unit[0] in "dw":
        return today - timedelta(days=count * (7 if unit[0] == "w" else 1))
    return _months(today, -count * (12 if unit[0] == "y" else 1))


def _months(day: date, months: int) -> date:
    """Go whole months on; a day that the month lacks becomes its last (31 March - 1 month = 28 February)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for last in chain([day.day], range(30, 27, -1)):
        with suppress(ValueError):
            return date(year, month + 1, min(day.day, last))
    raise OverflowError(f"there is no year {year}")


def _number(text: str) -> int:
    return _NUMBERS.get(text) or int(text)


_DAY_OF = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?: (?P<year>\d{4}))?"

_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], Period]], ...] = tuple(
    (re.compile(pattern), meaning)
    for pattern, meaning in (
        (r"(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?", _iso),
        (r"(\d{1,2})\. ?(\d{1,2})\. ?(\d{4})", _dotted),
        (r"(\d{4})-?w(\d{1,2})", _iso_week),
        (r"(?:(?P<before>\d{4})[- ]?)?q(?P<quarter>[1-4])(?:[- ]?(?P<year>\d{4}))?", _quarter),
        (rf"(?P<month>{_MONTH})\.?(?P<day>){_YEAR}", _month_or_day),
        (rf"(?P<month>{_MONTH})\.? {_DAY_OF}{_YEAR}", _month_or_day),
        (rf"{_DAY_OF}\.?(?: of)? ?(?P<month>{_MONTH})\.?{_YEAR}", _month_or_day),
        (r"now|today|yesterday|tomorrow|day before yesterday", _named_day),
        (rf"(?:{_WEEKDAY})", _bare_weekday),
        (rf"(?P<count>{_COUNT}) ?(?P<unit>{_UNIT}|[dwmy])s?", _last_days),
        (rf"(?:last|past|previous) (?P<count>{_COUNT}) (?P<unit>{_UNIT})s?", _last_days),
        (rf"past (?P<count>)(?P<unit>{_UNIT})", _last_days),
        (rf"(?P<count>{_COUNT}) (?P<unit>{_UNIT})s? ago", _ago),
        (
            rf"(?P<which>this|last|previous|next) (?P<what>day|week|month|quarter|year|weekend|{_WEEKDAY}|{_MONTH})",
            _relative,
        ),
    )
)
"""What a period may look like, and what it means; the first that fits."""
