"""Text -> terms: what the word search compares. The same for a passage, a query, and a word that is to be marked.

A term is a word in lower case, in compatibility form (NFKC), stemmed in its language (Snowball; Porter, 2001), without
accents. Words end at punctuation and where camel case begins anew; a made-up name (`PRJ-123`, `max_tokens`, `os.path`,
`e-mail`) is also one word without its punctuation. Runs of scripts that do not part words are pieces of two characters
(and single ideographs), in South-East Asia of two and three.

Terms stand in the order of the text, so that phrases can be found; those of made-up names come after all others.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from bowerbird.index.languages import CODES, grammar_of, script_language

_MARKS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u0900-\u0963\u0971-\u0dff\u1dc0-\u1dff\u20d0-\u20f0"
    "\u3099\u309a\ufe20-\ufe2f"
)
_JOINERS = "\u00ad\u200c\u200d\u2060"  # inside words: soft hyphen, zero-width joiners
_SOUTH_EAST = "\u0e01-\u0e3a\u0e40-\u0e4e\u0e50-\u0e59\u0e81-\u0edf\u1000-\u1049\u1050-\u109f\u1780-\u17d3\u17dc-\u17e9"
_EAST = "\u3005-\u3007\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uac00-\ud7af"
_IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# Thai, Lao, Burmese, Khmer, Chinese, Japanese; and Hangul for its endings.
UNSPACED = re.compile(f"[{_SOUTH_EAST}{_EAST}{_IDEOGRAPHS}]+")
"""A run of a script that does not part its words with spaces."""

_SOUTH_EASTERN = re.compile(f"[{_SOUTH_EAST}]")
_IDEOGRAPH = re.compile(f"[{_IDEOGRAPHS}]")
WORD = re.compile(f"(?:[^\\W_]|[{_MARKS}{_JOINERS}{_SOUTH_EAST}])+")
"""A word of a text: letters, digits and the marks that belong to them."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_MADE_UP = re.compile(r"\w+(?:(?:[-.\u2010\u2011]|::)\w+)+|[A-Za-z][+#]{1,2}(?!\w)")
# In a query, `long-term` asks for its two words only: asked for as one as well, it outweighs the rest of a sentence
# (nDCG@10 on the train queries of SciFact: .6957 if all are asked for so, .6994 if these are).
_IDENTIFYING = re.compile(r"[\d_.:]|\b[^\W_]\b")
_NOT_IN_WORDS = re.compile(f"[\\W_{_JOINERS}]+")
_NOT_IN_WORDS_BUT_MARKS = re.compile(f"(?:(?![{_MARKS}])[\\W_])+|[{_JOINERS}]+")
_LONGEST, _LONGEST_MADE_UP, _MOST_PARTS = 64, 40, 6
_MOST_KEPT = 100_000


class Term(NamedTuple):
    """One term of a word. `asked` is False where a query asks for it in phrases only.

    It stands in the word, as written, from `start` to `end`.
    """

    text: str
    start: int
    end: int
    asked: bool = True


class _Known(dict[str, tuple[Term, ...]]):
    """Word as written -> its terms in one language; each word is worked out once."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    def __missing__(self, word: str) -> tuple[Term, ...]:
        if len(self) >= _MOST_KEPT:
            self.clear()
        plain = _normal(word)
        found = tuple(_terms(plain, self._language))
        if plain != word:  # compatibility forms have another length
            found = tuple(term._replace(start=0, end=len(word)) for term in found)
        self[word] = found
        return found


@cache
def _known(language: str) -> _Known:
    return _Known(language)


def document_terms(text: str, language: str) -> str:
    """Return the terms of a text in this language (ISO 639-1, "" for English), with spaces between.

    >>> document_terms("The maxTokens of PRJ-123", "en"), document_terms("東京都", "ja")
    ('the max token of prj 123 maxtoken prj123', '東 東京 京 京都 都')
    """
    text = _normal(text)
    known = _known(language if language in CODES else "en")
    found = [term.text for word in WORD.findall(text) for term in known[word]]
    found += [made.text for made in _made_up(text, known)]
    return " ".join(found)


def phrase_terms(text: str, language: str) -> str:
    """Return the terms of a text that has to be found as it stands, with spaces between."""
    known = _known(language if language in CODES else "en")
    return " ".join(term.text for word in WORD.findall(_normal(text)) for term in known[word])


def asked_words(text: str, languages: Sequence[str], unfinished: bool = False) -> list[str]:
    """Return the words of a query that are asked for, as written and each once; see `query_terms`."""
    words = WORD.findall(text)
    asked = [word for word in words if not any(_is_grammar(word, language) for language in languages)] or words
    return list(dict.fromkeys((*asked, *(words[-1:] if unfinished else ()))))


def query_terms(text: str, languages: Sequence[str], unfinished: bool = False) -> list[str]:
    """Return the terms that are asked for, each once: those of all languages that the text may be in.

    Words of grammar are left out unless there is nothing else, or they are written in capitals. The last word is kept
    where it may be `unfinished`.

    >>> query_terms("What is the budget of the IT departments?", ["en"]), query_terms("To be or not to be", ["en"])
    (['budget', 'it', 'depart'], ['to', 'be', 'or', 'not'])
    """
    text = _normal(text)
    words = asked_words(text, languages, unfinished)
    found: dict[str, None] = {}
    for language in languages:
        known = _known(language)
        for word in words:
            found.update(dict.fromkeys(_wanted(known[word], language)))
        found.update(dict.fromkeys(made.text for made in _made_up(text, known) if made.asked))
    return list(found)


def plain_terms(words: Iterable[str], languages: Sequence[str]) -> list[str]:
    """Return the stems of words of letters, in all of these languages; nothing is kept of them in memory."""
    pairs = ((word.lower(), language) for word in words for language in languages)
    return list(dict.fromkeys(_unaccented(_stemmed(word, language)) for word, language in pairs))


def word_terms(word: str, language: str) -> tuple[Term, ...]:
    """Return the terms of one word as written (a match of WORD)."""
    return _known(language)[word]


def _normal(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _wanted(terms: Sequence[Term], language: str) -> Iterator[str]:
    grammar = grammar_of(language) if len(terms) > 1 else frozenset()
    asked = [term.text for term in terms if term.asked and term.text not in grammar]
    yield from asked or (term.text for term in terms)


def _is_grammar(word: str, language: str) -> bool:
    return word.lower() in grammar_of(language) and not (len(word) > 1 and word.isupper())


def _made_up(text: str, known: _Known) -> Iterator[Term]:
    """Yield names of parts as one word each: of camel case, and joined by punctuation."""
    for word in WORD.findall(text):
        if not (word.islower() or word.isupper()) and word.isascii() and _HUMP.search(word):
            yield from known[word.lower()]
    for match in _MADE_UP.finditer(text):
        name = match.group()
        if name[-1] in "+#":
            yield Term(name.lower(), 0, len(name))
        elif len(name) <= _LONGEST_MADE_UP and not UNSPACED.search(name):
            joined = _NOT_IN_WORDS.sub("", name)
            if len(WORD.findall(name)) <= _MOST_PARTS and not joined.isdigit():
                asked = bool(_IDENTIFYING.search(name))
                yield from (term._replace(asked=asked) for term in known[joined.lower()])


def _terms(word: str, language: str) -> Iterator[Term]:
    """Yield the terms of a word as written (see WORD): of its humps, and of runs of scripts without spaces."""
    if word.isascii():
        at = 0
        for part in _HUMP.split(word) if not word.islower() else (word,):
            yield Term(_stemmed(part.lower(), language), at, at + len(part))
            at += len(part)
        return
    at = 0
    for run in UNSPACED.finditer(word):
        yield from _spaced(word, at, run.start(), language)
        yield from (
            gram._replace(start=gram.start + run.start(), end=gram.end + run.start()) for gram in _grams(run[0])
        )
        at = run.end()
    yield from _spaced(word, at, len(word), language)


def _spaced(word: str, start: int, end: int, language: str) -> Iterator[Term]:
    plain = _NOT_IN_WORDS_BUT_MARKS.sub("", word[start:end]).lower()
    if plain:
        yield Term(_unaccented(_stemmed(plain, language)), start, end)


def _grams(run: str) -> Iterator[Term]:
    last = len(run) - 1
    if _SOUTH_EASTERN.match(run):
        for at in range(max(1, last)):
            yield Term(run[at : at + 2], at, min(at + 2, len(run)), last < 2)
            if at + 2 <= last:
                yield Term(run[at : at + 3], at, at + 3)
        return
    for at, character in enumerate(run):
        if _IDEOGRAPH.match(character) or not last:
            yield Term(character, at, at + 1)
        if at < last:
            yield Term(run[at : at + 2], at, at + 2)


def _stemmed(word: str, language: str) -> str:
    word = word[:_LONGEST]
    if len(word) < 3 or (not word.isalpha() and any(character.isdigit() for character in word)):
        return word
    stem = _stemmer(CODES[script_language(word, language)])
    return stem(word) or word


_stemming = threading.Lock()


@cache
def _stemmer(algorithm: str) -> Callable[[str], str]:
    if not algorithm:
        return lambda word: word
    import Stemmer

    stemmer = Stemmer.Stemmer(algorithm, 0)

    def stem(word: str) -> str:
        with _stemming:  # one stemmer is not for several threads
            return str(stemmer.stemWord(word))

    return stem


def _unaccented(word: str) -> str:
    """Take accents off letters of alphabets, where they are often left out; signs of vowels in India stay."""
    if word.isascii() or word[0] >= "\u0900":
        return word
    return "".join(_BARE[character] for character in word)


class _Bare(dict[str, str]):
    def __missing__(self, character: str) -> str:
        bare = _SPECIAL.get(character)
        if bare is None:
            parts = unicodedata.normalize("NFD", character)
            bare = "" if unicodedata.combining(character) else parts[0] if len(parts) > 1 else character
        self[character] = bare
        return bare


_SPECIAL = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ı": "i", "ð": "d", "þ": "th", "ς": "σ"}
_BARE = _Bare()
