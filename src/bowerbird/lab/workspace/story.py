"""Reading the texts of the story: pieces (one file each), the people, the questions, and the calendar.

A text file is a run of pieces. A piece starts with a line `%% PATH`, then `name: value` lines up to a blank line,
then the body. Dates are written for a reference year as `{{MM-DD}}` or `{{MM-DD FORM}}` and moved by whole weeks,
so that Tuesdays stay Tuesdays whatever year the workspace is made for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from importlib import resources

from bowerbird.core.records import Filters, Person
from bowerbird.lab.workspace.manifest import Question, Sort

REFERENCE = 2026
FIRST, LAST = date(REFERENCE, 1, 8), date(REFERENCE, 12, 17)
DOMAIN = "oarlock.example"

_TOKEN = re.compile(r"\{\{(\d\d)-(\d\d)(?: (\w+))?\}\}")
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"


@dataclass(frozen=True, slots=True)
class Piece:
    """One file to be: where, when, by whom, and its body before it is rendered to bytes."""

    path: str
    when: datetime
    people: tuple[Person, ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def suffix(self) -> str:
        """The ending of the path in lower case, with its dot; "" if it has none."""
        name = self.path.rpartition("/")[2]
        return name[name.rfind(".") :].lower() if "." in name else ""

    @property
    def title(self) -> str:
        """The first heading of the body, else the file name."""
        found = re.search(r"^#+ (.+)$", self.body, re.MULTILINE)
        return self.fields.get("title") or (found[1] if found else self.path.rpartition("/")[2])


@dataclass(frozen=True, slots=True)
class Calendar:
    """Moves the reference year's dates by `shift`, a whole number of weeks."""

    shift: timedelta

    @classmethod
    def of(cls, year: int | None, today: date) -> Calendar:
        """Make the calendar of a year; None ends the story within the week before `today`."""
        if year is None:
            return cls(timedelta(weeks=(today - LAST).days // 7))
        return cls(timedelta(weeks=round((FIRST.replace(year=year) - FIRST).days / 7)))

    def day(self, month_day: str) -> date:
        """Turn `MM-DD` into the date it stands for."""
        month, day = month_day.split("-")
        return date(REFERENCE, int(month), int(day)) + self.shift

    def moment(self, text: str) -> datetime:
        """Turn `MM-DD HH:MM` (UTC) into the moment it stands for."""
        month_day, _, clock = text.partition(" ")
        hour, _, minute = (clock or "09:00").partition(":")
        day = self.day(month_day)
        return datetime(day.year, day.month, day.day, int(hour), int(minute), tzinfo=UTC)

    def fill(self, text: str) -> str:
        """Replace every `{{MM-DD FORM}}` of a text by its date."""
        return _TOKEN.sub(lambda found: written(self.day(f"{found[1]}-{found[2]}"), found[3] or "long"), text)


def written(day: date, form: str) -> str:
    """Write a date: long, iso, compact, short (no year), week (with the weekday), month, my (month, year), de, es, ja.

    >>> written(date(2026, 3, 11), "week"), written(date(2026, 3, 11), "my")
    ('Wednesday 11 March', 'March 2026')
    """
    month, monat, mes = (_MONTHS[language].split()[day.month - 1] for language in ("en", "de", "es"))
    forms = {
        "long": f"{day.day} {month} {day.year}",
        "iso": day.isoformat(),
        "compact": f"{day:%Y%m%d}",
        "short": f"{day.day} {month}",
        "week": f"{_DAYS.split()[day.weekday()]} {day.day} {month}",
        "month": month,
        "my": f"{month} {day.year}",
        "ym": f"{day:%Y-%m}",
        "year": str(day.year),
        "de": f"{day.day}. {monat} {day.year}",
        "es": f"{day.day} de {mes} de {day.year}",
        "ja": f"{day.year}年{day.month}月{day.day}日",
    }
    return forms[form]


def blocks(name: str) -> Iterator[tuple[str, dict[str, str], str]]:
    """Yield (path, fields, body) of every piece of one text file, dates not yet filled in."""
    text = (resources.files(__package__) / "texts" / name).read_text(encoding="utf-8")
    for part in re.split(r"^%% ", text, flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n\n")
        path, *lines = head.splitlines()
        fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        yield path.strip(), fields, body.strip("\n") + "\n" if body.strip() else ""


def names() -> list[str]:
    """Return the names of the text files that hold pieces, sorted."""
    found = (file.name for file in (resources.files(__package__) / "texts").iterdir())
    return sorted(name for name in found if name.endswith(".txt") and name not in ("people.txt", "questions.txt"))


def team() -> dict[str, Person]:
    """Return everybody in the story by the short name that the texts use."""
    people: dict[str, Person] = {}
    for short, fields, _ in blocks("people.txt"):
        people[short] = Person(fields["name"], fields.get("address", f"{short}@{DOMAIN}"))
    return people


def pieces(calendar: Calendar) -> list[Piece]:
    """Read all pieces, with dates filled in, sorted by moment and path."""
    people = team()
    found = []
    for name in names():
        for path, fields, body in blocks(name):
            filled = {key: calendar.fill(value) for key, value in fields.items()}
            who = listed(fields.get("people", ""), ",") or [
                short for key in ("from", "to", "cc") for short in listed(fields.get(key, ""), ",")
            ]
            persons = tuple(dict.fromkeys(people[short] for short in who))
            moment = calendar.moment(fields["date"])
            found.append(Piece(calendar.fill(path), moment, persons, filled, calendar.fill(body)))
    return sorted(found, key=lambda piece: (piece.when, piece.path))


def questions(calendar: Calendar) -> tuple[Question, ...]:
    """Read the questions with their right answers."""
    return tuple(_question(calendar, text, fields) for text, fields, _ in blocks("questions.txt"))


def _question(calendar: Calendar, text: str, fields: Mapping[str, str]) -> Question:
    after, before = (calendar.day(fields[key]) if key in fields else None for key in ("after", "before"))
    filters = Filters(
        types=tuple(listed(fields.get("type", ""), ",")),
        people=tuple(listed(fields.get("person", ""), ",")),
        before=before,
        after=after,
    )
    every = "all" in fields
    paths = tuple(calendar.fill(path) for path in listed(fields["all" if every else "path"], ";"))
    return Question(calendar.fill("" if text == "-" else text), _SORTS[fields["sort"]], paths, filters, every)


_SORTS: dict[str, Sort] = {
    "name": "name", "identifier": "identifier", "phrase": "phrase", "words": "words", "paraphrase": "paraphrase",
    "person": "person", "type": "type", "date": "date", "language": "language", "media": "media",
}  # fmt: skip


def listed(text: str, separator: str) -> list[str]:
    """Split a header value into its trimmed, non-empty parts."""
    return [part.strip() for part in text.split(separator) if part.strip()]
