"""What an item can be found by while somebody types: the words of its name and title, its people, its folders."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import accumulate

import msgspec

from bowerbird.core.records import Person

LONGEST, MOST = 32, 24
"""Characters of a word that count, and words of a name."""

_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MARKS = re.compile("[\u0300-\u036f]")
# scripts without spaces between words: each place in a run may begin one
_RUN = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_CONTAINER = "!/"
_DEEPEST = 12


def plain(text: str) -> str:
    """Return text as it is compared: NFKC, case folded, without accents.

    >>> plain("Résumé Straße")
    'resume strasse'
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", folded)))


def typed_words(text: str) -> list[str]:
    """Return the words of what is typed, in order.

    >>> typed_words("Q3_travel-pl")
    ['q3', 'travel', 'pl']
    """
    return [word[:LONGEST] for word in _WORD.findall(plain(text))]


def words_of(name: str, title: str) -> dict[str, bool]:
    """Return the words of a name and a title; True for those that either begins with.

    Parts of a word in camel case are words too, and so is each end of a run of a script without spaces.

    >>> words_of("travelPolicy_v2.md", "The Plan")
    {'travelpolicy': True, 'policy': False, 'v2': False, 'md': False, 'the': True, 'plan': False}
    >>> list(words_of("年度报告", ""))
    ['年度报告', '度报告', '报告', '告']
    """
    found: dict[str, bool] = {}
    for text in (name, title) if title and title != name else (name,):
        first = True
        for word in _WORD.findall(text if text.isascii() else unicodedata.normalize("NFKC", text)):
            for part in _parts(word):
                if first:
                    found[part] = True
                    first = False
                elif part not in found:
                    found[part] = False
            if len(found) >= MOST:
                break
    return found


@lru_cache(100_000)
def _parts(word: str) -> tuple[str, ...]:
    """Return a word as it is compared, and what may begin inside of it."""
    whole = plain(word)
    ends: tuple[str, ...] = ()
    if word.isascii():
        if not word.islower() and not word.isupper():
            ends = tuple(plain(word[hump.start() :])[:LONGEST] for hump in _HUMP.finditer(word))
    elif _RUN.search(whole):
        ends = tuple(whole[at : at + LONGEST] for at in range(1, min(len(whole), LONGEST)) if _RUN.match(whole, at))
    return (whole[:LONGEST], *ends)


@lru_cache(50_000)
def _folders(place: str) -> tuple[str, ...]:
    steps = place.split("/")[:_DEEPEST]
    return tuple(filter(None, accumulate(steps, lambda above, step: f"{above}/{step}")))


def folders_of(key: str) -> tuple[str, ...]:
    """Return the folders that a key lies in, the outermost first; those inside of containers are not told.

    >>> folders_of("hr/plans/q3.md"), folders_of("a/b.zip!/c/d.txt"), folders_of("x")
    (('hr', 'hr/plans'), ('a',), ())
    """
    return _folders(key.partition(_CONTAINER)[0].rpartition("/")[0])


_TAG = "\ntag:"


def tags_of(labels: str) -> tuple[str, ...]:
    """Return the tags among labels, which stand one a line, each between line ends.

    >>> tags_of("\\nlang:en\\ntag:q3 plan\\ntag:budget\\n"), tags_of("")
    (('q3 plan', 'budget'), ())
    """
    return tuple(part.partition("\n")[0] for part in labels.split(_TAG)[1:])


@lru_cache(20_000)
def tag_words(tag: str) -> tuple[str, ...]:
    """Return what a tag is found by: itself, and its words."""
    return tuple(dict.fromkeys((plain(tag), *typed_words(tag))))


@lru_cache(20_000)
def folder_words(folder: str) -> tuple[str, ...]:
    """Return what a folder is found by: its path, and the words of its own name."""
    name = folder.rsplit("/", 1)[-1]
    return tuple(dict.fromkeys((plain(folder), plain(name), *typed_words(name))))


@lru_cache(50_000)
def people_of(people: str) -> tuple[str, ...]:
    """Return the labels of the people in a JSON list: name and address, a tab between."""
    found = msgspec.json.decode(people, type=tuple[Person, ...]) if people not in ("[]", "") else ()
    clean = (" ".join(one.name.split()) + "\t" + "".join(one.address.split()) for one in found)
    return tuple(dict.fromkeys(label for label in clean if label != "\t"))


@lru_cache(20_000)
def person_words(label: str) -> tuple[str, ...]:
    """Return what a person is found by: the words of the name, the address and its words before the @.

    >>> person_words("Ada King\\tada.k@example.org")
    ('ada', 'king', 'ada.k@example.org', 'k')
    """
    name, _, address = label.partition("\t")
    found = (*typed_words(name), plain(address), *typed_words(address.split("@")[0]))
    return tuple(dict.fromkeys(filter(None, found)))
