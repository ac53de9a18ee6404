"""Snippets: the most telling stretch of a passage, with what matched marked in it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bowerbird.core.records import Snippet
from bowerbird.search.matching import Mark, Matcher

LONGEST = 240
"""Longest snippet, in characters, without the ellipses."""

_SENTENCE_START = re.compile(r"(?<=[.!?…]) (?=\S)|(?<=[。！？])(?=\S)")
_ELLIPSIS = "…"


def snippet(text: str, matcher: Matcher) -> Snippet:
    """Cut the stretch of at most 240 characters around the best window of matches; the beginning where none match.

    White space is one blank; cuts fall between sentences where one is near, else between words, and show as `…`.

    >>> snippet("All trains\\n\\nstop. The Kea is a parrot.", Matcher("parrots"))
    Snippet(text='All trains stop. The Kea is a parrot.', highlights=((30, 36),))
    """
    text = " ".join(text.split())
    marks = matcher.marks(text)
    start, end = 0, len(text)
    if len(text) > LONGEST:
        start, end = _window(text, *_best(marks))
    head = _ELLIPSIS if start > 0 else ""
    tail = _ELLIPSIS if end < len(text) else ""
    shift = len(head) - start
    inside = ((max(mark.start, start), min(mark.end, end)) for mark in marks)
    highlights = tuple((left + shift, right + shift) for left, right in inside if left < right)
    return Snippet(f"{head}{text[start:end]}{tail}", highlights)


def _best(marks: Sequence[Mark]) -> tuple[int, int]:
    """Return the span of the window with the most different terms, then the most matches, then the earliest."""
    reach = LONGEST * 4 // 5  # leaves room for a little of what stands around
    best, span = (0, 0), (0, 0)
    terms: dict[int, int] = {}
    first = 0
    for last, mark in enumerate(marks):
        terms[mark.term] = terms.get(mark.term, 0) + 1
        while first < last and mark.end - marks[first].start > reach:
            gone = marks[first].term
            terms[gone] -= 1
            if not terms[gone]:
                del terms[gone]
            first += 1
        worth = (len(terms), last - first + 1)
        if worth > best:
            best, span = worth, (marks[first].start, min(mark.end, marks[first].start + LONGEST))
    return span


def _window(text: str, first: int, last: int) -> tuple[int, int]:
    """Widen the span [first, last) to a readable stretch of at most `LONGEST` characters."""
    room = LONGEST - (last - first)
    start = max(0, min(first - room // 3, len(text) - LONGEST))
    if start > 0:
        start = _start_between(text, start, first)
    end = min(len(text), start + LONGEST)
    if end < len(text):
        end = _end_between(text, max(last, start + LONGEST * 2 // 3), end)
    return start, end


def _start_between(text: str, low: int, high: int) -> int:
    """Return the first sentence start in [low, high], else the first word start, else `low`."""
    sentence = _SENTENCE_START.search(text, max(low - 1, 0), min(high + 1, len(text)))
    if sentence and sentence.end() <= high:
        return sentence.end()
    blank = text.find(" ", low - 1, high)
    return blank + 1 if blank >= 0 else low


def _end_between(text: str, low: int, high: int) -> int:
    """Return the last sentence end in [low, high], else the last word end, else `high`."""
    ends = [match.start() for match in _SENTENCE_START.finditer(text, max(low - 1, 0), min(high + 2, len(text)))]
    ends = [end for end in ends if low <= end <= high]
    if ends:
        return ends[-1]
    blank = text.rfind(" ", low, high + 1)
    return blank if blank > 0 else high
