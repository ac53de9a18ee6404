"""The query language: free words, "quoted phrases" and typed operators.

    budget "annual report" type:pdf in:"Q3 plans" from:anna after:2026-03 before:today

Operators are `type: source: in: from: before: after:`; a value with spaces stands in quotes; a repeated operator means
any of its values; `after:` includes its day, `before:` does not. What is not an operator, or has a value that does not
fit, is searched as text and said so in a hint. A quote that is never closed is left out, and what follows it is
ordinary text: while somebody types a phrase, results keep coming.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo

from bowerbird.core.errors import QueryError
from bowerbird.core.kinds import KIND_ALIASES, KIND_NAMES, kind_named
from bowerbird.core.records import Filters, Query
from bowerbird.search.days import DAY_WORDS, day_named

LONGEST = 4_000
"""Longest query accepted, in characters."""

OPERATORS: tuple[str, ...] = ("type", "source", "in", "from", "before", "after")

_MEANT = {
    "kind": "type", "ext": "type", "filetype": "type", "format": "type", "folder": "in", "path": "in", "dir": "in",
    "directory": "in", "inside": "in", "author": "from", "by": "from", "person": "from", "sender": "from",
    "owner": "from", "site": "source", "origin": "source", "since": "after", "until": "before", "till": "before",
}  # fmt: skip
"""Words of other search boxes -> our operator, for the hint."""

# Controls, surrogates, the replacement character, and invisible marks but for the joiners, which some scripts need.
_NOISE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\uffff"
    "\ud800-\udfff]"
)
_QUOTES = str.maketrans(dict.fromkeys("“”„‟＂", '"'))
_TOKEN = re.compile(r'(?P<name>[A-Za-z]+):"(?P<value>[^"]*)"|"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+)')
_OPERATOR = re.compile(r"(?P<name>[A-Za-z]+):(?P<value>.*)", re.DOTALL)


def parse(text: str, now: datetime | None = None, zone: tzinfo = UTC) -> Query:
    """Understand what was typed; `now` (default: the clock) and `zone` decide what `today` is.

    Control characters and lone surrogates are dropped; what is left may be an empty query. Raises QueryError where the
    text is longer than 4,000 characters.

    >>> query = parse('budget "annual report" type:slides after:2026-03')
    >>> query.words, query.phrases, query.filters.types, str(query.filters.after)
    ('budget', ('annual report',), ('presentation',), '2026-03-01')
    >>> parse("tpye:pdf").hints
    ('`tpye:` is not an operator, so it was searched as text. Did you mean `type:`?',)
    """
    if len(text) > LONGEST:
        raise QueryError(
            f"The query is {len(text):,} characters long; the limit is {LONGEST:,}.",
            "Search for the words that matter most.",
        )
    text = unicodedata.normalize("NFC", _NOISE.sub("", text))
    today = (now.astimezone(zone) if now else datetime.now(zone)).date()
    reading = _Reading(today)
    for token in _TOKEN.finditer(_balanced(text.translate(_QUOTES))):
        reading.take(token)
    return reading.query(text)


def format(query: Query) -> str:
    """Write a query so that `parse` gives the same words, phrases and filters again.

    >>> format(parse('type:slides   budget in:"Q3 plans" "annual  report"'))
    'budget "annual report" type:presentation in:"Q3 plans"'
    """
    filters = query.filters
    parts = [query.words, *(f'"{phrase}"' for phrase in query.phrases)]
    for name, values in (
        ("type", filters.types),
        ("source", filters.sources),
        ("in", filters.within),
        ("from", filters.people),
        ("before", (filters.before,)),
        ("after", (filters.after,)),
    ):
        parts += [f"{name}:{_quoted(str(value))}" for value in values if value is not None]
    return " ".join(part for part in parts if part)


def free_text(query: Query) -> str:
    """Return words and phrases as one text: what meaning is asked, and what may be a name."""
    return " ".join(part for part in (query.words, *query.phrases) if part)


def _quoted(value: str) -> str:
    return value if re.fullmatch(r'[^\s"]+', value) else f'"{value}"'


def _balanced(text: str) -> str:
    """Leave out the last quote where it is never closed."""
    if text.count('"') % 2 == 0:
        return text
    head, tail = text.rsplit('"', 1)
    return f"{head}{tail}" if head.endswith(":") else f"{head} {tail}"


@dataclass
class _Reading:
    """The query as far as it has been read, token by token."""

    today: date
    words: list[str] = field(default_factory=list)
    phrases: list[str] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in OPERATORS})
    hints: list[str] = field(default_factory=list)

    def take(self, token: re.Match[str]) -> None:
        """Sort one token into words, phrases or values."""
        if token["phrase"] is not None:
            self._phrase(token["phrase"])
        elif token["name"] is not None:
            if not self._operator(token["name"], " ".join(token["value"].split())):
                self.words.append(f"{token['name']}:")
                self._phrase(token["value"])
        else:
            match = _OPERATOR.fullmatch(token["word"])
            if not (match and self._operator(match["name"], match["value"])):
                self.words.append(token["word"])

    def _phrase(self, text: str) -> None:
        phrase = " ".join(text.split())
        if phrase and phrase not in self.phrases:
            self.phrases.append(phrase)

    def _operator(self, name: str, value: str) -> bool:
        """Keep an operator's value; False, with a hint, where it is text after all."""
        operator = name.lower()
        if operator not in OPERATORS:
            self._hint_operator(operator, value)
            return False
        if not value:
            self._hint(f"`{operator}:` has no value, so it was searched as text.")
            return False
        understood = self._understood(operator, value)
        if understood and understood not in self.values[operator]:
            self.values[operator].append(understood)
        return bool(understood)

    def _understood(self, operator: str, value: str) -> str | None:
        if operator == "type":
            kind = kind_named(value)
            if kind is None:
                self._hint_value(operator, value, "type", (*KIND_NAMES, *KIND_ALIASES))
            return kind
        if operator in ("before", "after"):
            day = day_named(value, self.today)
            if day is None:
                self._hint_value(operator, value, "date", DAY_WORDS)
            return day.isoformat() if day else None
        return value

    def _hint_operator(self, operator: str, value: str) -> None:
        if value.startswith("//"):  # an address, not an operator
            return
        near = _MEANT.get(operator) or _nearest(operator, OPERATORS)
        if near:
            self._hint(f"`{operator}:` is not an operator, so it was searched as text. Did you mean `{near}:`?")

    def _hint_value(self, operator: str, value: str, sort: str, choices: tuple[str, ...]) -> None:
        near = _nearest(value.lower(), choices)
        rest = {
            "type": f"Types are {', '.join(KIND_NAMES)}.",
            "date": "Dates look like 2026-03-01, 2026-03, 2026, yesterday or 7d.",
        }[sort]
        if near:
            rest = f"Did you mean `{operator}:{_quoted(near)}`?"
        self._hint(f"`{operator}:{_quoted(value)}` names no {sort}, so it was searched as text. {rest}")

    def _hint(self, hint: str) -> None:
        if hint not in self.hints:
            self.hints.append(hint)

    def query(self, text: str) -> Query:
        """Return what was read."""
        values = {name: tuple(kept) for name, kept in self.values.items()}
        before, after = ([date.fromisoformat(day) for day in values[name]] for name in ("before", "after"))
        filters = Filters(
            types=values["type"],
            sources=values["source"],
            within=values["in"],
            people=values["from"],
            before=max(before, default=None),  # any of several bounds: the loosest
            after=min(after, default=None),
        )
        return Query(text, " ".join(self.words), tuple(self.phrases), filters, tuple(self.hints))


def _nearest(word: str, choices: tuple[str, ...]) -> str | None:
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    return near[0] if near else None
