"""The query language: free words, "quoted phrases", typed operators, exclusions and alternatives.

    budget "annual report" type:pdf in:"Q3 plans" from:anna after:2026-03 -draft (plan OR type:slides)

How they are put together is in `grammar`. Free words rank; phrases, operators, alternatives and exclusions must hold,
of an item as a whole. Operators are those of OPERATORS; a value with spaces stands in quotes; a repeated operator means
any of its values; `after:` includes its day, `before:` does not, `date:` takes a period. What is not an operator, or
has a value that does not fit, is searched as text and said so in a hint.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from bowerbird.core.errors import QueryError
from bowerbird.core.kinds import KIND_ALIASES, KIND_NAMES, kind_named
from bowerbird.core.records import Either, Filters, Query
from bowerbird.core.zones import zone_named
from bowerbird.search import grammar
from bowerbird.search.days import DAY_WORDS, day_named, period_named, period_written, written
from bowerbird.search.grammar import Group, Leaf
from bowerbird.search.labels import HAS, IS, LABELS, LANGUAGES, label_named

LONGEST = 4_000
"""Longest query accepted, in characters."""

OPERATORS: tuple[str, ...] = (
    "type", "source", "in", "from", "to", "date", "before", "after", "lang", "has", "is", "tag",
)  # fmt: skip

_MEANT = {
    "kind": "type", "ext": "type", "filetype": "type", "format": "type", "folder": "in", "path": "in", "dir": "in",
    "directory": "in", "inside": "in", "author": "from", "by": "from", "person": "from", "sender": "from",
    "owner": "from", "recipient": "to", "cc": "to", "language": "lang", "label": "tag", "keyword": "tag",
    "site": "source", "origin": "source", "when": "date", "during": "date", "since": "after", "until": "before",
    "till": "before",
}  # fmt: skip
"""Words of other search boxes -> our operator, for the hint."""

# Controls, surrogates, the replacement character, and invisible marks but for the joiners, which some scripts need.
_NOISE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\uffff"
    "\ud800-\udfff]"
)


def parse(text: str, now: datetime | None = None, zone: str = "") -> Query:
    """Understand what was typed; `now` (default: the clock) and `zone` (see `core.zones`) decide what `today` is.

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
    return _Reading(now or datetime.now(UTC), zone).query(text)


def format(query: Query) -> str:
    """Write a query so that `parse` gives the same words, phrases, filters and checks again.

    >>> format(parse('type:slides   budget in:"Q3 plans" "annual  report" -(draft OR type:code)'))
    'budget "annual report" type:presentation in:"Q3 plans" -("draft" OR type:code)'
    """
    phrases = (f'"{phrase}"' for phrase in query.phrases)
    checks = (_written(one) for one in query.checks)
    return " ".join(part for part in (query.words, *phrases, *_atoms(query.filters), *checks) if part)


def free_text(query: Query) -> str:
    """Return words, phrases and alternatives as one text: what meaning is asked, and what may be a name."""
    return " ".join(part for part in (free_words(query), *query.phrases) if part)


def free_words(query: Query) -> str:
    """Return the words, with the texts of alternatives that are asked for: what is marked in a snippet."""
    wanted = (text for check in query.checks for text in _wanted(check))
    return " ".join((*wanted, query.words)).strip()


def alternatives(query: Query) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """Return groups of which a passage must hold one text each, and the texts of other alternatives, to be ranked by.

    >>> alternatives(parse("plan OR budget report (draft OR type:pdf) -old"))
    ((('plan', 'budget'),), ('draft',))
    """
    plain = [
        one for one in query.checks if all(option == Filters(holding=option.holding[:1]) for option in one.options)
    ]
    groups = tuple(tuple(option.holding[0] for option in one.options) for one in plain if not one.excluded)
    rest = (text for one in query.checks if one not in plain for text in _wanted(one))
    return groups, tuple(rest)


def _wanted(either: Either) -> Iterator[str]:
    """Yield the texts of alternatives that are asked for."""
    for option in () if either.excluded else either.options:
        yield from option.holding
        for one in option.either:
            yield from _wanted(one)


def _written(either: Either) -> str:
    options = [_atoms(option) for option in either.options]
    alone = len(options) == 1
    if alone and len(options[0]) == 1 and not options[0][0].startswith("-"):
        joined = options[0][0]
    else:
        inner = (" ".join(atoms) if alone or len(atoms) == 1 else f"({' '.join(atoms)})" for atoms in options)
        joined = " OR ".join(inner)
        joined = f"({joined})" if either.excluded else joined
    return f"-{joined}" if either.excluded else joined


def _atoms(filters: Filters) -> list[str]:
    """Return what must stand in parentheses where there is more than one of it."""
    fields = (
        ("type", filters.types),
        ("source", filters.sources),
        ("in", filters.within),
        ("from", filters.people),
        ("to", filters.recipients),
        ("date", map(written, filters.periods)),
        ("before", (filters.before,)),
        ("after", (filters.after,)),
    )
    named = [f"{name}:{_quoted(str(value))}" for name, values in fields for value in values if value is not None]
    named += [f"{name}:{_quoted(value)}" for name, _, value in (label.partition(":") for label in filters.labels)]
    return [*(f'"{text}"' for text in filters.holding), *named, *map(_written, filters.either)]


def _quoted(value: str) -> str:
    return value if re.fullmatch(r'[^\s"()]+', value) else f'"{value}"'


@dataclass
class _Kept:
    """What has been read of a group: its texts, and the values of its operators."""

    words: list[str] = field(default_factory=list)
    phrases: list[str] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in OPERATORS})
    either: list[Either] = field(default_factory=list)
    zone: str = ""

    def add(self, leaf: Leaf) -> None:
        """Keep a word or a phrase."""
        if not leaf.phrase:
            self.words.append(leaf.text)
        elif leaf.text and leaf.text not in self.phrases:
            self.phrases.append(leaf.text)

    def filters(self) -> Filters:
        """Return the operators and alternatives as filters."""
        values = {name: tuple(kept) for name, kept in self.values.items()}
        before, after = ([date.fromisoformat(day) for day in values[name]] for name in ("before", "after"))
        return Filters(
            types=values["type"],
            sources=values["source"],
            within=values["in"],
            people=values["from"],
            recipients=values["to"],
            labels=tuple(f"{name}:{value}" for name in LABELS for value in values[name]),
            before=max(before, default=None),  # any of several bounds: the loosest
            after=min(after, default=None),
            periods=tuple(map(period_written, values["date"])),
            zone=self.zone if before or after or values["date"] else "",
            either=tuple(self.either),
        )


class _Reading:
    """Makes a query of its tree: operators get their values, and what is none becomes text with a hint."""

    def __init__(self, now: datetime, zone: str) -> None:
        known = zone_named(zone)
        self._zone = zone if known not in (None, UTC) else ""
        self._unknown_zone = "" if known else zone
        self._today = now.astimezone(known or UTC).date()
        self._behind: Sequence[str] = ()  # the words that follow what is being read
        self._hints: list[str] = []

    def query(self, text: str) -> Query:
        """Return what was read. What bears on text is checked apart from the filters of the index."""
        kept = _Kept(zone=self._zone)
        self._take(grammar.read(text), kept)
        if not (kept.words or kept.phrases or kept.filters() != Filters()):
            kept.words = text.split() if "OR" in text else []
        checks = tuple(one for one in kept.either if one.textual)
        kept.either = [one for one in kept.either if not one.textual]
        words = " ".join(kept.words)
        return Query(text, words, tuple(kept.phrases), kept.filters(), checks, tuple(self._hints))

    def _take(self, group: Group, kept: _Kept) -> None:
        """Keep what a group asks for; alternatives and exclusions become filters of their own."""
        for at, choice in enumerate(group.choices):
            (first, *others) = choice
            self._behind = tuple(_plain_words(group.choices[at + 1 : at + 3]))
            if not others and not first.excluded:
                self._keep(first, kept)
            else:
                kept.either += self._either(choice)

    def _keep(self, part: Leaf | Group, kept: _Kept) -> None:
        if isinstance(part, Group):
            self._take(part, kept)
        elif not part.name:
            kept.add(part)
        elif not self._operator(part, kept.values):
            typed = f"{part.name}:" if part.phrase else f"{part.name}:{part.text}"
            kept.add(replace(part, text=typed, name="", phrase=False))
            if part.phrase:
                kept.add(replace(part, name=""))

    def _either(self, choice: Sequence[Leaf | Group]) -> list[Either]:
        """Return the alternatives of a choice, none where nothing is left of it."""
        options: list[Filters] = []
        excluded = len(choice) == 1  # one that stands alone is here because it is excluded
        for part in choice:
            option = self._option(replace(part, excluded=False))
            if part.excluded and not excluded and option != Filters():
                option = Filters(either=(Either(_spliced(option), excluded=True),))
            options += _spliced(option)
        return [Either(tuple(options), excluded)] if options else []

    def _option(self, part: Leaf | Group) -> Filters:
        """Return an alternative: here words must be held as well."""
        kept = _Kept(zone=self._zone)
        self._keep(part, kept)
        texts = dict.fromkeys((*kept.words, *kept.phrases))
        return replace(kept.filters(), holding=tuple(texts))

    def _operator(self, leaf: Leaf, values: dict[str, list[str]]) -> bool:
        """Keep an operator's value; False, with a hint, where it is text after all."""
        operator = leaf.name.lower()
        if operator not in OPERATORS:
            self._hint_operator(operator, leaf.text)
            return False
        if not leaf.text:
            self._hint(f"`{operator}:` has no value, so it was searched as text.")
            return False
        self._behind = () if leaf.phrase else self._behind
        understood = self._understood(operator, leaf.text)
        if understood and understood not in values[operator]:
            values[operator].append(understood)
        return bool(understood)

    def _understood(self, operator: str, value: str) -> str | None:
        if operator == "type":
            kind = kind_named(value)
            if kind is None:
                self._hint_value(operator, value, "type", (*KIND_NAMES, *KIND_ALIASES))
            return kind
        if operator in ("before", "after", "date"):
            return self._when(operator, value)
        if operator in LABELS:
            label = label_named(operator, value)
            if label is None:
                self._hint_value(operator, value, operator, LABELS[operator])
            return label
        return value

    def _when(self, operator: str, value: str) -> str | None:
        """Return the day or the period that a value means; a hint where the words behind it seem to belong to it."""
        if self._unknown_zone:
            self._hint(f"The time zone `{self._unknown_zone}` is not known here, so days are those of UTC.")
        longer = [" ".join((value, *self._behind[:count])) for count in range(len(self._behind), 0, -1)]
        whole = next((text for text in longer if period_named(text, self._today)), "")
        if whole:
            self._hint(f'A value with spaces stands in quotes. Did you mean `{operator}:"{whole}"`?')
        if operator == "date":
            period = period_named(value, self._today)
            found = written(period) if period else None
        else:
            day = day_named(value, self._today)
            found = day.isoformat() if day else None
        if not found and not whole:
            self._hint_value(operator, value, "date", DAY_WORDS)
        return found

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
            "lang": f"Languages are {', '.join(sorted(set(LANGUAGES.values())))}.",
            "has": f"An item may have {', '.join(HAS)}.",
            "is": f"An item may be {' or '.join(IS)}.",
            "date": "Dates look like 2026-03-01, 2026-03, march, yesterday, 7d or 2026-03..2026-05.",
        }[sort]
        if near:
            rest = f"Did you mean `{operator}:{_quoted(near)}`?"
        self._hint(f"`{operator}:{_quoted(value)}` names no {sort}, so it was searched as text. {rest}")

    def _hint(self, hint: str) -> None:
        if hint not in self._hints:
            self._hints.append(hint)


def _spliced(option: Filters) -> tuple[Filters, ...]:
    """Return an option; instead of one that is nothing but alternatives, these: `(a OR b) OR c` is `a OR b OR c`."""
    if option == Filters():
        return ()
    if option == Filters(either=option.either) and len(option.either) == 1 and not option.either[0].excluded:
        return option.either[0].options
    return (option,)


def _plain_words(choices: Sequence[Sequence[Leaf | Group]]) -> Iterator[str]:
    """Yield words up to the first choice that is anything else."""
    for choice in choices:
        (first, *others) = choice
        if others or isinstance(first, Group) or first.excluded or first.name or first.phrase:
            return
        yield first.text


def _nearest(word: str, choices: tuple[str, ...]) -> str | None:
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    return near[0] if near else None
