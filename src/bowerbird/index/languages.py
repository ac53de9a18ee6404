"""In which language a passage or a query is, as far as its words of grammar and its letters tell.

A script of one language is told by the letters alone. Among languages that share an alphabet, the one with most of its
words of grammar in the text wins; a text without any is left to what is known otherwise (`hints`).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence

from bowerbird.index.grammar_words import GRAMMAR, LETTERS

CODES: dict[str, str] = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "fa": "persian", "fi": "finnish", "fr": "french", "hi": "hindi", "hu": "hungarian",
    "hy": "armenian", "id": "indonesian", "it": "italian", "ja": "", "ko": "", "nl": "dutch", "no": "norwegian",
    "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish", "ta": "tamil", "th": "",
    "tr": "turkish", "uk": "russian", "vi": "", "zh": "",
}  # fmt: skip
"""Language (ISO 639-1) -> the Snowball algorithm that stems it, "" where its words do not change."""

_BY_SCRIPT = (
    ("\u0370", "\u03ff", "el"), ("\u1f00", "\u1fff", "el"), ("\u0400", "\u052f", "ru"), ("\u0530", "\u058f", "hy"),
    ("\u0600", "\u06ff", "ar"), ("\u0900", "\u097f", "hi"), ("\u0b80", "\u0bff", "ta"), ("\u0e00", "\u0e7f", "th"),
    ("\u3041", "\u30ff", "ja"), ("\uac00", "\ud7af", "ko"), ("\u4e00", "\u9fff", "zh"),
)  # fmt: skip
"""First and last letter of a script -> the language that its words are taken for."""

_SHARED = {"ar": ("ar", "fa"), "ru": ("ru", "uk"), "zh": ("zh", "ja"), "ja": ("ja",)}
_OTHERS = {language for _, _, language in _BY_SCRIPT} | {"fa", "uk"}
_LATIN = frozenset(CODES) - _OTHERS
_ALIASES = {"nb": "no", "nn": "no", "in": "id", "ms": "id", "bg": "ru", "be": "ru", "mk": "ru", "gl": "pt"}
_SAMPLE = 120
_MOST = 3
_WORD = re.compile(r"[^\W\d_]+")


def grammar_of(language: str) -> frozenset[str]:
    """Return the words of grammar of a language, none where they are not known."""
    return GRAMMAR.get(language, frozenset())


def script_language(word: str, language: str) -> str:
    """Return the language that a word is stemmed in, in a text of this language: its own script's, if it has another.

    >>> script_language("отчёт", "de"), script_language("bericht", "de"), script_language("report", "ru")
    ('ru', 'de', 'en')
    """
    script = _script(word[0])
    if not script:
        return language if language in _LATIN else "en"
    return language if language in _SHARED.get(script, ()) else script


def language_of(text: str, hint: str = "") -> str:
    """Return the language of a passage (see CODES); `hint` is that of its document.

    >>> language_of("Der Bericht liegt auf dem Tisch"), language_of("Ночь, улица, фонарь"), language_of("Plan B", "de")
    ('de', 'ru', 'de')
    """
    hint = _ALIASES.get(hint, hint)
    words, script = _sampled(text)
    if script:
        return _best(_evidence(words), _SHARED.get(script, ()), script)
    found = {language: weight for language, weight in _evidence(words).items() if language in _LATIN}
    english = found.get("en", 0.0)
    if hint in _LATIN and hint in CODES and found.get(hint, 0.0) >= max(found.values(), default=0.0):
        return hint
    best = max(found, key=lambda language: (found[language], language == "en", language), default="en")
    return best if found.get(best, 0.0) >= 2 and found[best] > english else "en"


def languages_of(text: str, hints: Collection[str] = ()) -> Sequence[str]:
    """Return the languages that a query may be in, likeliest first, at most three; English where nothing tells.

    `hints` are the languages of what is searched: they decide where several are as likely, or nothing tells.

    >>> languages_of("Wer hat den Plan geschrieben?"), languages_of("budget"), languages_of("budget", ["de"])
    (('de',), ('en',), ('en', 'de'))
    """
    words, script = _sampled(text)
    if script:
        return (_best(_evidence(words), _SHARED.get(script, ()), script),)
    found = {language: weight for language, weight in _evidence(words).items() if language in _LATIN}
    most = max(found.values(), default=0.0)
    wanted = ["en", *(language for language in hints if language in _LATIN and language != "en")]
    if not most:
        return tuple(wanted[:_MOST])
    tied = sorted(language for language in found if found[language] == most)
    if most < 1:  # accents alone: English borrows words with them
        return tuple(dict.fromkeys((*wanted, *tied)))[:_MOST]
    known = [language for language in wanted if language in tied]
    return tuple((known or tied)[:_MOST])


def _sampled(text: str) -> tuple[list[str], str]:
    """Return the first words of a text, and the language of the script of most of their letters ("": Latin)."""
    words = _WORD.findall(text[: _SAMPLE * 12])[:_SAMPLE]
    if text.isascii():
        return words, ""
    scripts = Counter(_script(letter) for word in words for letter in word)
    return words, max(scripts, key=lambda script: scripts[script], default="")


def _script(letter: str) -> str:
    if letter < "\u0370":
        return ""
    return next((language for first, last, language in _BY_SCRIPT if first <= letter <= last), "")


def _best(found: dict[str, float], choices: Sequence[str], script: str) -> str:
    return max(choices, key=lambda language: (found.get(language, 0.0), language == script), default=script)


def _evidence(words: Sequence[str]) -> dict[str, float]:
    """Return how much speaks for each language: 1 for a word of grammar, half for a letter of few languages."""
    found: defaultdict[str, float] = defaultdict(float)
    for written in words:
        word = written.lower()
        if len(word) > 1 and not written.isupper():  # one letter is as often an initial or a sign
            for language in _GRAMMAR_IN.get(word, ()):
                found[language] += 1
        if not word.isascii():
            for language in {language for letter in word for language in _LETTERS_IN.get(letter, ())}:
                found[language] += 0.5
    return found


def _inverted(sets: dict[str, frozenset[str]]) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for language, members in sets.items():
        for member in members:
            found[member].append(language)
    return {member: tuple(sorted(languages)) for member, languages in found.items()}


_GRAMMAR_IN = _inverted(GRAMMAR)
_LETTERS_IN = _inverted(LETTERS)
