"""Words that nothing holds: what was probably meant, out of the words of what the asker may see.

A word is widened only where no passage that may be seen holds it in any form. What it may have been is every word one
letter away: one left out, put in, changed, or two exchanged (Damerau, 1964), of which the passages hold some. All
questions go to the index within the asker's scopes, so no answer tells of a word that only others may read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bowerbird.index.analysis import UNSPACED, plain_terms
from bowerbird.index.languages import grammar_of

SHORTEST = 4
"""Letters that a word must have to be taken for another one."""

SURE = 5
"""Letters from which on a stem stands for few words."""

COUNTED = 200
"""Passages up to which those that hold a term are counted."""

_LONG, _LONGEST, _MOST_WORDS, _MOST_ROUNDS = 7, 24, 12, 8
_KEPT = 2
_ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz",
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіїєґ",
    "αβγδεζηθικλμνξοπρστυφχψω",
    "".join(map(chr, range(0x05D0, 0x05EB))),
    "".join(map(chr, range(0x0621, 0x064B))),
    "".join(map(chr, (*range(0x0905, 0x093A), *range(0x093E, 0x094E)))),
)


@dataclass(frozen=True, slots=True)
class Held:
    """What may be asked of the passages in the asker's scopes.

    `holds`: whether one holds any of these terms. `count`: how many, up to COUNTED, hold a term. `terms`: all terms of
    the best that hold any of these.
    `alike`: all terms of the best that hold one within two letters of this. `begun`: words that begin with this.
    """

    holds: Callable[[Sequence[str]], bool]
    count: Callable[[str], int]
    terms: Callable[[Sequence[str]], Iterable[str]]
    alike: Callable[[str], Iterable[str]]
    begun: Callable[[str], Sequence[str]]


def is_widened(word: str) -> bool:
    """Tell whether a word as written may be one with a slip in it: no number, no abbreviation, no short word.

    >>> [is_widened(word) for word in ("budgte", "PRJ", "NASA", "e1234", "東京都庁", "the")]
    [True, False, False, False, False, False]
    """
    return SHORTEST <= len(word) <= _LONGEST and word.isalpha() and not word.isupper() and not UNSPACED.search(word)


def meant(words: Sequence[str], languages: Sequence[str], held: Held) -> list[str]:
    """Return the terms of what those of the words (as written) that nothing holds were probably meant to be."""
    found: dict[str, None] = {}
    for word in [word for word in words if is_widened(word)][:_MOST_WORDS]:
        if not held.holds(plain_terms([word], languages)):
            begun = plain_terms(held.begun(word.lower()), languages)
            found.update(dict.fromkeys(begun or _near(word.lower(), languages, held)))
    return list(found)


def _near(word: str, languages: Sequence[str], held: Held) -> list[str]:
    """Return the terms one letter away that the most passages hold, for long words else two; at most two of them."""
    wanted = {term for term in plain_terms(edits(word), languages) if len(term) >= SURE}
    wanted |= set(edits(word))  # a short term may be the stem of another word: `nothing`, `noting`, `notes`
    there: set[str] = set()
    for _ in range(_MOST_ROUNDS):  # each finds those that the best passages hold; the most frequent come last
        fresh = wanted.intersection(held.terms(sorted(wanted - there))) - there
        if not fresh:
            break
        there |= fresh
    if not there and len(word) >= _LONG:
        for stem in [stem for stem in plain_terms([word], languages) if len(stem) >= SURE]:
            there.update(term for term in set(held.alike(stem)) if _within_two(stem, term))
    counts = {term: held.count(term) for term in there}
    best = sorted(counts, key=lambda term: (-counts[term], term))[:_KEPT]
    grammar = {term for language in languages for term in plain_terms(grammar_of(language), [language])}
    if not best or best[0] in grammar:  # what was meant says nothing of what is wanted
        return []
    return [term for term in best if 2 * counts[term] >= counts[best[0]] and term not in grammar]


def _within_two(word: str, other: str) -> bool:
    """Tell whether two words that begin alike are at most two letters apart (Levenshtein, 1966)."""
    if word[0] != other[0] or abs(len(word) - len(other)) > 2:
        return False
    above = list(range(len(other) + 1))
    for at, letter in enumerate(word, 1):
        row = [at]
        for place, one in enumerate(other, 1):
            row.append(min(above[place] + 1, row[-1] + 1, above[place - 1] + (letter != one)))
        above = row
    return above[-1] <= 2


def edits(word: str) -> Iterator[str]:
    """Yield what is one letter away from a word in lower case, some of it more than once.

    >>> {"budget", "bodget", "budge"} <= set(edits("budgte")) | set(edits("budget")), "budget" in set(edits("bdget"))
    (True, True)
    """
    letters = next((alphabet for alphabet in _ALPHABETS if set(alphabet) & set(word)), "")
    for at in range(len(word) + 1):
        before, after = word[:at], word[at:]
        yield from (before + letter + after for letter in letters)
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in letters)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
