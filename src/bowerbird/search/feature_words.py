"""What a feature says of one item, in words: `the title: most of the query stands in it`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from bowerbird.search.features import FEATURES

_WORDS = {feature.name: feature.words for feature in FEATURES}
_SHARES = ((0.0, "none"), (0.35, "some"), (0.65, "about half"), (0.999, "most"))


def share(value: float) -> str:
    """Return a share between 0 and 1 as people say it.

    >>> [share(value) for value in (0, 0.2, 0.5, 0.9, 1)]
    ['none', 'some', 'about half', 'most', 'all']
    """
    return next((word for most, word in _SHARES if value <= most), "all")


def _yes(value: float) -> str:
    return "yes" if value > 0.5 else "no"


def _number(value: float) -> str:
    return f"{round(math.expm1(value)):,}"


_OF_ITSELF: Mapping[str, Callable[[float], str]] = {
    "both": _yes, "passages": _number, "title": share, "title_words": share, "headings": share, "path": share,
    "text": share, "phrase": share, "near": share, "length": _number, "depth": _number, "query_length": _number,
    "is_part": _yes,
}  # fmt: skip
"""Features that follow from the item and the query themselves; the others are made of scores."""

_FACTS = ("title", "headings", "path", "text", "phrase", "near", "both", "is_part")
"""Features that tell somebody something, where there is any of it."""


def feature_said(name: str, value: float, numbers: bool) -> str:
    """Say what a feature's value means; without `numbers`, "" for what is made of scores, or says nothing of use.

    >>> feature_said("title", 1.0, False)
    'how much of the query stands in the title: all'
    >>> feature_said("cosine", 0.25, True), feature_said("cosine", 0.25, False)
    ('how near the meaning is: 0.25', '')
    """
    if not numbers and (name not in _FACTS or not value):
        return ""
    told = _OF_ITSELF.get(name)
    return f"{_WORDS[name]}: {told(value) if told else f'{value:.3g}'}"
