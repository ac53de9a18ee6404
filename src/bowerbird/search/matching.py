"""Which words of a text a query meant: folding, forms of a word, and the matcher that highlights.

The index decides what is found; this decides what is marked, by the same analysis of words.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from bowerbird.index.analysis import UNSPACED, WORD, asked_words, phrase_terms, word_terms
from bowerbird.index.languages import grammar_of, language_of, languages_of

Span = tuple[int, int]

STOP_WORDS = grammar_of("en")
"""Words of English grammar."""

_TELLING = 400
"""Characters that tell in which language a text is."""

_ENDINGS = (
    "e y al ally ance ant ate ated ates ating ation ations ator ators ed edly ence ent er ers es ful ial ible able ic"
    " ical ied ies ing ings ion ions ise ised ising ism ist ists ity ive ively ize ized izes izing ization less ly ment"
    " ments ness or ors ous s"
)
_DERIVED = frozenset(("", *_ENDINGS.split()))


class _Folding(dict[int, int | None]):
    """A translation table that folds each character to one lower-case character without its accents, on demand."""

    def __missing__(self, code: int) -> int:
        character = chr(code)
        if code < 0x3000:  # further on, marks are not accents (kana voicing, Hangul letters)
            parts = unicodedata.normalize("NFD", character)
            if all(unicodedata.combining(part) for part in parts[1:]):
                character = parts[0]
        self[code] = folded = ord(character.lower()[0])
        return folded


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Return the text in lower case without accents, character for character: offsets stay true.

    >>> fold("Žluťoučký KŮŇ, 東京 が")
    'zlutoucky kun, 東京 が'
    """
    return text.lower() if text.isascii() else text.translate(_FOLDING)


def tokens(text: str) -> list[str]:
    """Return the folded words of a text (letters and digits; runs of scripts without spaces are one word).

    >>> tokens("PRJ-123: the Café's menu")
    ['prj', '123', 'the', 'cafe', 's', 'menu']
    """
    return WORD.findall(fold(text))


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Return the stem of a word, as the index has it of an English one.

    >>> [stem(word) for word in "studies studied running hoping boxes class".split()]
    ['studi', 'studi', 'run', 'hope', 'box', 'class']
    """
    return "".join(term.text for term in word_terms(word, "en"))


def alike(word: str, other: str) -> bool:
    """Say whether two folded words are forms of one English word: equal stems, or known endings of 5 shared letters.

    >>> alike("migrate", "migrations"), alike("organize", "organization"), alike("plan", "plane"), alike("car", "care")
    (True, True, False, False)
    """
    if stem(word) == stem(other):
        return True
    if word[:5] != other[:5] or len(word) < 5:
        return False
    shared = 5
    while shared < min(len(word), len(other)) and word[shared] == other[shared]:
        shared += 1
    return word[shared:] in _DERIVED and other[shared:] in _DERIVED


class Mark(NamedTuple):
    """One match of a term in a text: where, and which term of the query (counted from 0)."""

    start: int
    end: int
    term: int


class _Verdicts(dict[str, tuple[Mark, ...]]):
    """Word as written -> what of it is marked; each word is judged once. `languages` are the query's and the text's."""

    def __init__(self, words: Sequence[str], prefix: str, first: int, languages: Sequence[str]) -> None:
        super().__init__()
        self._prefix = fold(prefix)
        self._languages = languages
        self._terms: dict[str, int] = {}
        self._heads: dict[str, list[tuple[int, str]]] = {}
        for number, word in enumerate(words, first):
            for language in languages:
                for term in word_terms(word, language):
                    self._terms.setdefault(term.text, number)
            self._heads.setdefault(fold(word)[:5], []).append((number, fold(word)))

    def __missing__(self, word: str) -> tuple[Mark, ...]:
        found: dict[tuple[int, int], int] = {}
        for language in self._languages:
            for term in word_terms(word, language):
                part = word[term.start : term.end]
                if not UNSPACED.search(part) and (number := self._judged(term.text, fold(part))) >= 0:
                    found.setdefault((term.start, term.end), number)
        self[word] = marks = tuple(Mark(*span, number) for span, number in found.items())
        return marks

    def _judged(self, term: str, folded: str) -> int:
        """Return which word of the query a term is a form of, or -1."""
        if term in self._terms:
            return self._terms[term]
        near = self._heads.get(folded[:5], ())  # only words with the same beginning can be alike
        verdict = next((number for number, word in near if alike(folded, word)), -1)
        if verdict < 0 and self._prefix and folded.startswith(self._prefix):
            verdict = next(number for number, word in self._heads[self._prefix[:5]] if word == self._prefix)
        return verdict


class Matcher:
    """Finds what a query asked for in any number of texts: phrases, then words, then words of unspaced scripts."""

    def __init__(self, words: str, phrases: Iterable[str] = (), prefix: bool = False) -> None:
        """Compile free words and phrases; `prefix` says that the last word may be unfinished."""
        phrases = [phrase for phrase in phrases if WORD.search(phrase)]
        self._languages = tuple(languages_of(" ".join((words, *phrases))))
        spaced = UNSPACED.sub(" ", words)
        self._words = asked_words(spaced, self._languages, prefix)
        self._unfinished = self._words[-1] if prefix and self._words else ""
        self._phrases = phrases
        self._runs = UNSPACED.findall(fold(" ".join((words, *phrases))))
        self._verdicts: dict[str, _Verdicts] = {}
        self._first_run = len(phrases) + len(self._words)
        self._terms = self._first_run + len(self._runs)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to look for."""
        return not self._terms

    def marks(self, text: str) -> list[Mark]:
        """Return the matches in a text, ascending and disjoint."""
        if self.empty:
            return []
        verdicts = self._verdicts_in(text)
        found = [
            Mark(word.start() + mark.start, word.start() + mark.end, mark.term)
            for word in WORD.finditer(text)
            for mark in verdicts[word.group()]
        ]
        if self._phrases:
            found += self._phrase_marks(text)
        if self._runs:
            found += self._run_marks(fold(text))
        return _disjoint(found)

    def holds(self, text: str) -> bool:
        """Say whether every phrase stands in the text (true where there is none)."""
        if not self._phrases:
            return True
        held = {mark.term for mark in self._phrase_marks(text)}
        return len(held) == len(self._phrases)

    def _languages_in(self, text: str) -> tuple[str, ...]:
        language = language_of(text[:_TELLING], self._languages[0])
        return self._languages if language in self._languages else (*self._languages, language)

    def _verdicts_in(self, text: str) -> _Verdicts:
        """Return the verdicts for texts in the language of this one."""
        languages = self._languages_in(text)
        name = languages[-1]
        if name not in self._verdicts:
            self._verdicts[name] = _Verdicts(self._words, self._unfinished, len(self._phrases), languages)
        return self._verdicts[name]

    def _phrase_marks(self, text: str) -> list[Mark]:
        marks = []
        for language in self._languages_in(text):
            placed = [(word.start(), term) for word in WORD.finditer(text) for term in word_terms(word[0], language)]
            terms = [term.text for _, term in placed]
            for number, phrase in enumerate(self._phrases):
                wanted = phrase_terms(phrase, language).split()
                last = len(wanted) - 1
                for at in range(len(terms) - last if wanted else 0):
                    if terms[at] == wanted[0] and terms[at : at + last + 1] == wanted:
                        (first, begun), (final, ended) = placed[at], placed[at + last]
                        marks.append(Mark(first + begun.start, final + ended.end, number))
        return marks

    def _run_marks(self, folded: str) -> list[Mark]:
        marks = []
        for number, run in enumerate(self._runs, self._first_run):
            spans = list(_occurrences(folded, run))
            if not spans:  # not as typed: its pairs of characters, the unit that indexes of these scripts use
                pairs = {run[at : at + 2] for at in range(len(run) - 1)}
                spans = [span for pair in sorted(pairs) for span in _occurrences(folded, pair)]
            marks += [Mark(*span, number) for span in spans]
        return marks


def _occurrences(text: str, part: str) -> Iterable[Span]:
    at = text.find(part)
    while at >= 0:
        yield at, at + len(part)
        at = text.find(part, at + 1)


def _disjoint(marks: list[Mark]) -> list[Mark]:
    """Sort the marks and merge those that overlap; the earliest, then longest, names the term."""
    merged: list[Mark] = []
    for mark in sorted(marks, key=lambda mark: (mark.start, -mark.end, mark.term)):
        if merged and mark.start < merged[-1].end:
            last = merged[-1]
            merged[-1] = Mark(last.start, max(last.end, mark.end), last.term)
        else:
            merged.append(mark)
    return merged
