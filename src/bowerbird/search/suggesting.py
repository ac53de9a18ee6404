"""Suggestions while somebody types: own past queries, items by name, people, folders, operators and their values.

Everything is made of what the asker may see (`Offered`), of their own past, and of what everybody knows; so is the
order: past queries by how recent they are, items by how well the name fits and then by date, people and folders by how
many items the asker sees of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from bowerbird.core.kinds import KIND_ALIASES, KIND_NAMES
from bowerbird.core.records import Filters
from bowerbird.index.name_words import plain, typed_words
from bowerbird.search.days import DAY_WORDS
from bowerbird.search.labels import HAS, IS, LANGUAGES
from bowerbird.search.query import OPERATORS, parse
from bowerbird.search.typed import Typed, typed
from bowerbird.store.items import StoredItem

Kind = Literal["query", "item", "person", "folder", "source", "operator", "value"]

MEANINGS: Mapping[str, str] = {
    "type": "kind of item", "source": "where it comes from", "in": "a folder", "from": "who made or sent it",
    "to": "whom it was sent to", "before": "changed before a day", "after": "changed on or after a day",
    "date": "changed in a period", "lang": "language", "has": "what is in it", "is": "what it is", "tag": "a tag of it",
}  # fmt: skip
"""Operator -> what it narrows by."""

MOST = 20
"""Most suggestions of one kind that may be asked for."""

_QUERIES, _RECENT, _PEOPLE, _FOLDERS, _OPERATORS = 3, 6, 3, 2, 3
_CONSIDERED = 50
"""People that are looked at for some of the same name."""

_SHORTEST = 2
_WORD = re.compile(r"[^\W_]+")
_DAYS = ("before", "after", "date")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One line of the list. `text` is the whole query once it is chosen; `label` is shown, `detail` in small print.

    `highlights` are the parts of the label that are typed already. `item` is the id of an item that is opened. `icon`
    is its kind, or the kind that is a value.
    """

    kind: Kind
    text: str
    label: str
    detail: str = ""
    highlights: tuple[tuple[int, int], ...] = ()
    item: str = ""
    icon: str = ""


class Offered(Protocol):
    """What the asker may be offered; see `index.name_reader.NameReader`."""

    def items(self, words: Sequence[str], filters: Filters, limit: int) -> Sequence[StoredItem]:
        """Return items whose names have all these words."""

    def people(self, words: Sequence[str], most: int) -> Sequence[tuple[str, int]]:
        """Return people (`name TAB address`), with the number of their items, those with most first."""

    def folders(self, words: Sequence[str], most: int) -> Sequence[tuple[str, int]]:
        """Return folders, with the number of items in them, those with most first."""

    def tags(self, words: Sequence[str], most: int) -> Sequence[tuple[str, int]]:
        """Return tags, with the number of their items, those with most first."""

    def sources(self) -> Sequence[str]:
        """Return the names of sources."""


def suggest(offered: Offered, past: Sequence[str], text: str, limit: int = 5) -> tuple[Suggestion, ...]:
    """Return suggestions for a query that is typed up to its end, grouped by kind.

    `past` are the asker's own queries, the newest first; `limit` is how many items, or values, at most.
    """
    now = typed(text)
    words = typed_words(now.value)
    if now.name.lower() in OPERATORS:
        return (*_past(past, text, _QUERIES), *_values(offered, now, limit))
    if not text.strip():
        return tuple(_past(past, text, _RECENT))
    found = [*_past(past, text, _QUERIES), *_items(offered, text, now, limit)]
    if _long_enough(words) and not now.name:
        found += list(_people(offered, now))[:_PEOPLE]
        found += [_folder(now, *one) for one in offered.folders(_asked_words(now.value), _FOLDERS)]
    return (*found, *_operators(now))


def _long_enough(words: Sequence[str]) -> bool:
    return bool(words) and (len(words[-1]) >= _SHORTEST or not words[-1].isascii())


def _past(past: Sequence[str], text: str, most: int) -> Iterator[Suggestion]:
    """Yield past queries that begin so, then those with words that do."""
    form, words = " ".join(plain(text).split()), typed_words(text)
    fitting: list[tuple[bool, str]] = []
    for query in past:
        own = plain(query)
        if not all(word in own for word in words):  # quick: hundreds are looked through with every key
            continue
        begins = own.startswith(form)
        if own != form and (begins or (words and _all_begin(words, typed_words(query)))):
            fitting.append((not begins, query))
    for _, query in sorted(fitting, key=lambda one: one[0])[:most]:
        yield Suggestion("query", query, query, highlights=_marked(query, words))


def _all_begin(words: Sequence[str], among: Sequence[str]) -> bool:
    return all(any(one.startswith(word) for one in among) for word in words)


def _items(offered: Offered, text: str, now: Typed, limit: int) -> Iterator[Suggestion]:
    """Yield items by name, within the filters of the query; none where it excludes words or has alternatives."""
    query = parse(text)
    words = typed_words(" ".join((query.words, *query.phrases)))
    if query.checks or now.minus or (len(words) == 1 and not _long_enough(words)):
        return
    for item in offered.items(words, query.filters, limit):
        label = item.title or item.name
        shown = label if _all_begin(words, typed_words(label)) else item.name
        where = " › ".join((item.source_name, *item.key.split("/")[:-1]))
        yield Suggestion("item", text, shown, where, _marked(shown, words), item.id, item.kind)


def _people(offered: Offered, now: Typed) -> Iterator[Suggestion]:
    """Yield people as `from:`; the word before the last becomes part of a name that has both."""
    words, before = _asked_words(now.value), now.head.split(" ")
    named = typed_words(before[-2]) if len(before) > 1 else []
    both = _persons(offered.people([*named, *words], _CONSIDERED), _PEOPLE) if named else []
    for person in both:
        yield _person(replace(now, head=" ".join((*before[:-2], ""))), "from", person, [*named, *words])
    for person in _persons(offered.people(words, _CONSIDERED), _PEOPLE):
        if person not in both:
            yield _person(now, "from", person, words)


def _asked_words(value: str) -> list[str]:
    """Return the words of a person or a folder; an address or a path is one."""
    return [plain(value)] if "@" in value or "/" in value else typed_words(value)


def _persons(found: Sequence[tuple[str, int]], most: int) -> list[str]:
    """Return people, those of the same name as one, under the address with the most items."""
    kept: dict[str, str] = {}
    for person, _ in found:
        name, _, address = person.partition("\t")
        kept.setdefault(plain(name) or address, person)
    return list(kept.values())[:most]


def _person(now: Typed, operator: str, person: str, words: Sequence[str]) -> Suggestion:
    name, _, address = person.partition("\t")
    label = name or address
    return Suggestion("person", now.with_value(operator, label), label, address if name else "", _marked(label, words))


def _folder(now: Typed, folder: str, count: int) -> Suggestion:
    words = typed_words(now.value)
    return Suggestion("folder", now.with_value("in", folder), folder, _counted(count), _marked(folder, words))


def _counted(count: int) -> str:
    return f"{count:,} {'item' if count == 1 else 'items'}"


def _operators(now: Typed) -> Iterator[Suggestion]:
    """Yield operators whose names begin with what is typed."""
    start = now.value.lower()
    if len(start) < _SHORTEST or now.quoted or now.name:
        return
    fitting = [name for name in OPERATORS if name.startswith(start)]
    for name in fitting[:_OPERATORS]:
        marks = ((0, len(start)),)
        yield Suggestion("operator", now.with_value(name, ""), f"{name}:", MEANINGS.get(name, ""), marks)


def _values(offered: Offered, now: Typed, limit: int) -> Iterator[Suggestion]:
    """Yield values of the operator that is being typed."""
    operator, start = now.name.lower(), plain(now.value)
    if operator in ("from", "to"):
        words = _asked_words(now.value)
        for person in _persons(offered.people(words, _CONSIDERED), limit):
            yield _person(now, operator, person, words)
    elif operator == "in":
        for folder, count in offered.folders(_asked_words(now.value), limit):
            yield _folder(now, folder, count)
    elif operator == "tag":
        words = typed_words(now.value)
        for tag, count in offered.tags(words, limit):
            yield Suggestion("value", now.with_value(operator, tag), tag, _counted(count), _marked(tag, words))
    elif operator == "source":
        words = typed_words(now.value)
        for name in [one for one in offered.sources() if _all_begin(words, typed_words(one))][:limit]:
            yield Suggestion("source", now.with_value(operator, name), name, "", _marked(name, words))
    else:
        yield from _known_values(now, operator, start)


def _known_values(now: Typed, operator: str, start: str) -> Iterator[Suggestion]:
    """Yield values that are the same for everybody: kinds, days, languages, what an item may have or be."""
    offered = dict.fromkeys(value for word, value in _KNOWN.get(operator, ()) if word.startswith(start))
    for value in list(offered)[:MOST]:
        if value != start:
            label = _CALLED.get((operator, value), value)
            detail = value if label != value else ""
            marks = ((0, len(start)),) if start and plain(label).startswith(start) else ()
            icon = value if operator == "type" else ""
            yield Suggestion("value", now.with_value(operator, value), label, detail, marks, icon=icon)


_KINDS = (*((name, name) for name in KIND_NAMES), *KIND_ALIASES.items())
_KNOWN: Mapping[str, Sequence[tuple[str, str]]] = {
    "type": _KINDS,
    "lang": (*LANGUAGES.items(), *((code, code) for code in LANGUAGES.values())),
    "has": [(one, one) for one in HAS],
    "is": [(one, one) for one in IS],
    **{name: [(one, one) for one in DAY_WORDS] for name in _DAYS},
}
"""Operator -> (word that is typed, value that it becomes)."""

_CALLED = {("lang", code): name for name, code in reversed(list(LANGUAGES.items()))}


def _marked(label: str, words: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Return the parts of a label (code points) that are typed already.

    >>> _marked("Travel policy", ["pol"]), _marked("年度报告", ["报告"])
    (((7, 10),), ((2, 4),))
    """
    spans = set()
    for found in _WORD.finditer(label):
        own = plain(found[0])
        for word in words:
            at = 0 if own.startswith(word) else own.find(word) if len(own) == len(found[0]) else -1
            if at >= 0:
                spans.add((found.start() + at, min(found.start() + at + len(word), found.end())))
    return _apart(sorted(spans))


def _apart(spans: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)
