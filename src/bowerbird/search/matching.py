"""Which words of a text a query meant: folding, a light English stemmer, and the matcher that highlights.

The index decides what is found; this decides what is marked, so it errs on the side of the index's own stemmer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

Span = tuple[int, int]

_WORD = re.compile(r"[^\W_]+")
# Scripts without spaces between words (Thai, Lao, Burmese, Khmer, Chinese, Japanese), and Hangul for its endings.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003ffff]+"
)
"""A run of such a script."""

_VOWEL = re.compile("[aeiouy]")
_MEASURE = re.compile("[aeiouy]+[^aeiouy]+")
_SHORT = re.compile("(?:.*[^aeiouy])?[^aeiouy][aeiouy][^aeiouywx]|[aeiouy][^aeiouy]")

_GRAMMAR = (
    "a an and are as at be but by can do does for from had has have how i if in into is it its me my no not of on or"
    " our so than that the their them then there these they this to us was we were what when where which who why will"
    " with you your"
)
STOP_WORDS = frozenset(_GRAMMAR.split())
"""Words of English grammar, searched for and marked in a snippet only where a query holds nothing else."""

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
    return _WORD.findall(fold(text))


def content_words(words: str) -> str:
    """Return the words of a query without those of grammar, or all of them where nothing would be left.

    Their postings are the longest of an index, and they say nothing of what is wanted. What is written in capitals
    stays.

    >>> content_words("what is the budget of the IT department?"), content_words("To be or not to be")
    ('budget IT department?', 'To be or not to be')
    """
    kept = [word for word in words.split() if not _is_grammar(word)]
    return " ".join(kept) or words


def _is_grammar(word: str) -> bool:
    found = tokens(word)
    return bool(found) and all(token in STOP_WORDS for token in found) and not (len(word) > 1 and word.isupper())


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Return the stem of a folded English word: plural, -ed and -ing are taken off (the spirit of Porter, 1980).

    >>> [stem(word) for word in "studies studied running hoping hopping boxes class computing compute news".split()]
    ['study', 'study', 'run', 'hope', 'hop', 'box', 'class', 'comput', 'comput', 'news']
    """
    if len(word) <= 3 or not word.isascii() or word == "news":
        return word
    word = _without_past(_without_plural(word))
    if word.endswith("e") and len(_MEASURE.findall(word[:-1])) > 1:
        return word[:-1]
    return word


def _without_plural(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def _without_past(word: str) -> str:
    if word.endswith("ied") and len(word) > 4:
        return word[:-3] + "y"
    for ending in ("ing", "ed"):
        base = word.removesuffix(ending)
        if base == word or not _VOWEL.search(base) or word.endswith("eed"):
            continue
        if base.endswith(("at", "bl", "iz")):
            return base + "e"
        if len(base) > 2 and base[-1] == base[-2] and base[-1] not in "aeiouylsz":
            return base[:-1]
        if len(_MEASURE.findall(base)) == 1 and _SHORT.fullmatch(base):
            return base + "e"
        return base
    return word


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


class _Verdicts(dict[str, int]):
    """Folded word -> the term it matches, or -1; each word is judged once."""

    def __init__(self, words: Sequence[str], prefix: str, first: int) -> None:
        super().__init__()
        self._prefix = prefix
        self._stems: dict[str, int] = {}
        self._heads: dict[str, list[tuple[int, str]]] = {}
        for number, word in enumerate(words, first):
            self._stems.setdefault(stem(word), number)
            self._heads.setdefault(word[:5], []).append((number, word))

    def __missing__(self, token: str) -> int:
        verdict = self._stems.get(stem(token), -1)
        if verdict < 0:
            near = self._heads.get(token[:5], ())  # only words with the same beginning can be alike
            verdict = next((number for number, word in near if alike(token, word)), -1)
        if verdict < 0 and self._prefix and token.startswith(self._prefix):
            verdict = next(number for number, word in self._heads[self._prefix[:5]] if word == self._prefix)
        self[token] = verdict
        return verdict


class Matcher:
    """Finds what a query asked for in any number of texts: phrases, then words, then words of unspaced scripts."""

    def __init__(self, words: str, phrases: Iterable[str] = (), prefix: bool = False) -> None:
        """Compile free words and phrases; `prefix` says that the last word may be unfinished."""
        spaced = [token for token in tokens(words) if not UNSPACED.search(token)]
        kept = [token for token in dict.fromkeys(spaced) if token not in STOP_WORDS] or list(dict.fromkeys(spaced))
        unfinished = spaced[-1] if prefix and spaced else ""
        if unfinished and unfinished not in kept:
            kept.append(unfinished)
        self._phrases = [phrase for phrase in map(tokens, phrases) if phrase]
        self._runs = UNSPACED.findall(fold(" ".join((words, *phrases))))
        self._verdicts = _Verdicts(kept, unfinished, len(self._phrases))
        self._first_run = len(self._phrases) + len(kept)
        self._terms = self._first_run + len(self._runs)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to look for."""
        return not self._terms

    def marks(self, text: str) -> list[Mark]:
        """Return the matches in a text, ascending and disjoint."""
        if self.empty:
            return []
        folded = fold(text)
        verdicts = self._verdicts
        found = [
            Mark(word.start(), word.end(), verdict)
            for word in _WORD.finditer(folded)
            if (verdict := verdicts[word.group()]) >= 0
        ]
        if self._phrases:
            found += self._phrase_marks(folded)
        if self._runs:
            found += self._run_marks(folded)
        return _disjoint(found) if self._phrases or self._runs else found

    def holds(self, text: str) -> bool:
        """Say whether every phrase stands in the text (true where there is none)."""
        if not self._phrases:
            return True
        held = {mark.term for mark in self._phrase_marks(fold(text))}
        return len(held) == len(self._phrases)

    def _phrase_marks(self, folded: str) -> list[Mark]:
        words = list(_WORD.finditer(folded))
        stems = [stem(word.group()) for word in words]
        marks = []
        for number, phrase in enumerate(self._phrases):
            wanted = [stem(token) for token in phrase]
            length = len(wanted)
            for start in range(len(stems) - length + 1):
                if stems[start] == wanted[0] and stems[start : start + length] == wanted:
                    marks.append(Mark(words[start].start(), words[start + length - 1].end(), number))
            if any(UNSPACED.search(token) for token in phrase):
                marks += [Mark(*span, number) for span in _occurrences(folded, "".join(phrase))]
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
