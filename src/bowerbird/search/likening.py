"""Names of people and sources as they are typed: what fits is found, and what nearly fits is taken and said so.

    from:jose                José García (accents do not count)         from:"lovelace, a"    Ada Lovelace
    from:jon                 John Smith, where nobody is called jon      source:Docs           Documents

Only what the asker may see is likened to, so a hidden name is like one that never was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from bowerbird.core.records import Either, Filters, Query
from bowerbird.index.name_words import person_words, plain, typed_words
from bowerbird.index.reading import Reading

_FEW = 3
"""Names up to which a guess is taken; of more, the first are offered."""

_MOST = 20
"""Names that one value may stand for beside itself."""

_MANY = 3_000
"""People above which a guess must have the first letter right, as each takes time."""

_TOLD = 5


def likened(query: Query, reader: Reading) -> Query:
    """Return the query with the names in its filters as they are, and with hints where that was a guess."""
    likening = _Likening(reader)
    filters = likening.filters(query.filters)
    checks = tuple(map(likening.either, query.checks))
    hints = tuple(dict.fromkeys((*query.hints, *likening.hints)))
    return replace(query, filters=filters, checks=checks, hints=hints)


class _Likening:
    """Likens the names of one query; what a name stands for is looked up once."""

    def __init__(self, reader: Reading) -> None:
        self._reader = reader
        self._known: dict[tuple[str, str], Sequence[str]] = {}
        self.hints: list[str] = []

    def filters(self, filters: Filters) -> Filters:
        """Return filters with the names as they are."""
        return replace(
            filters,
            people=self._all("from", filters.people, self._person),
            recipients=self._all("to", filters.recipients, self._person),
            sources=self._all("source", filters.sources, self._source),
            either=tuple(map(self.either, filters.either)),
        )

    def either(self, either: Either) -> Either:
        """Return alternatives with the names as they are."""
        return replace(either, options=tuple(map(self.filters, either.options)))

    def _all(self, operator: str, values: Sequence[str], liken: Callable[[str, str], Sequence[str]]) -> tuple[str, ...]:
        found: list[str] = []
        for value in values:
            if (operator, value) not in self._known:
                self._known[operator, value] = liken(operator, value)
            found += self._known[operator, value]
        return tuple(dict.fromkeys(found))

    def _person(self, operator: str, value: str) -> Sequence[str]:
        """Return what stands for a person: the text, and the names that it fits only without accents, or in parts."""
        words = typed_words(value)
        some = self._reader.people(words[0]) if words else None
        if some is None:
            return (value,)
        fit = [label for label in some if _is_called(label, value, words)]
        if not fit:
            every = self._reader.people("") or {}
            fit = [label for label in every if plain(value) in plain(_text(label))]
            if not fit:
                return self._guess(operator, value, _near_people(words, every))
        fit.sort(key=lambda label: (-some.get(label, 0), label))
        return (value, *[_name(label).lower() for label in fit if value.lower() not in _text(label).lower()][:_MOST])

    def _source(self, operator: str, value: str) -> Sequence[str]:
        names, wanted = self._reader.sources(), plain(value)
        same = [name for name in names if plain(name) == wanted]
        fit = same or [name for name in names if wanted in plain(name)]
        if fit or not wanted:
            return fit or (value,)
        near = _nearest({name: _closest(wanted, (plain(name), *typed_words(name))) for name in names})
        if not near and names:
            more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
            self._hint(f"No source is called `{value}`. There {'are' if len(names) > 1 else 'is'} "
                       f"{', '.join(names[:_TOLD])}{more}.")  # fmt: skip
            return (value,)
        return self._guess(operator, value, near)

    def _guess(self, operator: str, value: str, near: Sequence[str]) -> Sequence[str]:
        """Take what is near where it is not much, and say so."""
        typed, nobody = _written(operator, value), "No source" if operator == "source" else "Nobody"
        if not near:
            self._hint(f"{nobody} is called `{value}`.")
            return (value,)
        if len(near) > _FEW:
            offered = " or ".join(f"`{_written(operator, name)}`" for name in near[:_FEW])
            self._hint(f"{nobody} is called `{value}`. Did you mean {offered}?")
            return (value,)
        self._hint(f"{nobody} is called `{value}`, so `{typed}` was taken for {' or '.join(near)}.")
        return tuple(near) if operator == "source" else tuple(name.lower() for name in near)

    def _hint(self, hint: str) -> None:
        if hint not in self.hints:
            self.hints.append(hint)


def _is_called(label: str, value: str, words: Sequence[str]) -> bool:
    """Tell whether a person's name or address has the text in it, or a word that begins so for each of its words."""
    if plain(value) in plain(_text(label)):
        return True
    own = person_words(label)
    return all(any(one.startswith(word) for one in own) for word in words)


def _near_people(words: Sequence[str], people: Mapping[str, int]) -> list[str]:
    """Return the names nearest to what was typed, those with the most items first."""
    counts: dict[str, int] = {}
    near: dict[str, tuple[int, ...] | None] = {}
    for label, count in people.items():
        own = person_words(label)
        if len(people) > _MANY and not any(one[0] == words[0][0] for one in own):
            continue
        name = _name(label)
        counts[name] = counts.get(name, 0) + count
        best = [_closest(word, own) for word in words]
        sums = [one for one in best if one is not None]
        if len(sums) == len(best):
            near[name] = tuple(map(sum, zip(*sums, strict=True)))
    return sorted(_nearest(near), key=lambda name: (-counts[name], name))


def _nearest(near: Mapping[str, tuple[int, ...] | None]) -> list[str]:
    """Return the names that are least apart."""
    least = min((one for one in near.values() if one is not None), default=None)
    return [name for name, one in near.items() if one is not None and one == least]


def _closest(typed: str, words: Sequence[str]) -> tuple[int, ...] | None:
    """Return how far the nearest of some words is, None where none is near."""
    return min((one for word in words if (one := _apart(typed, word)) is not None), default=None)


@lru_cache(20_000)
def _apart(typed: str, word: str) -> tuple[int, ...] | None:
    """Return how far a word is from what was typed, the less the nearer, or None where it is too far.

    An abbreviation (its letters in order, the first and the last at the ends: docs, documents) is as near as one
    mistake. Of words as near, one that has all letters typed is nearer, and one that begins alike.

    >>> _apart("jon", "john") < _apart("jon", "jan") < _apart("jon", "don"), _apart("jon", "mary")
    (True, None)
    """
    most = 0 if len(typed) < 3 else 1 if len(typed) < 6 else 2
    whole = _has_in_order(word, typed)
    mistakes = distance(typed, word, most)
    if mistakes is None and most and whole and (word[0], word[-1]) == (typed[0], typed[-1]):
        mistakes = 1
    return None if mistakes is None else (mistakes, not whole, typed[0] != word[0])


def distance(one: str, other: str, most: int) -> int | None:
    """Return how many letters must be changed, added, left out or swapped with the next; None for more than `most`.

    Optimal string alignment (Damerau 1964; Boytsov 2011, restricted).

    >>> distance("jonh", "john", 1), distance("jon", "john", 1), distance("jon", "mary", 2)
    (1, 1, None)
    """
    if abs(len(one) - len(other)) > most:
        return None
    before, row = [], list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        before, last, row = row, before, [at]
        for to, mark in enumerate(other, 1):
            costs = [before[to] + 1, row[to - 1] + 1, before[to - 1] + (letter != mark)]
            if at > 1 and to > 1 and (letter, one[at - 2]) == (other[to - 2], mark):
                costs.append(last[to - 2] + 1)
            row.append(min(costs))
        if min(row) > most:
            return None
    return row[-1] if row[-1] <= most else None


def _has_in_order(word: str, letters: Iterable[str]) -> bool:
    left = iter(word)
    return all(letter in left for letter in letters)


def _text(label: str) -> str:
    return label.replace("\t", " ")


def _name(label: str) -> str:
    name, _, address = label.partition("\t")
    return name or address


def _written(operator: str, value: str) -> str:
    return f"{operator}:{value}" if not set(value) & set(' "()') else f'{operator}:"{value}"'
