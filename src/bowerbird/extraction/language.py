"""Which language a text is in, by py3langid (naive Bayes over byte n-grams; Lui and Baldwin, ACL 2012)."""

from __future__ import annotations

from collections.abc import Iterable

import py3langid

from bowerbird.core.records import Block

_ENOUGH, _SAMPLE = 40, 1000

# The model is loaded and narrowed to ISO 639-1 (two letters) now, before the fork, so that all workers share it.
py3langid.set_languages([code for code, _ in py3langid.rank("language") if len(code) == 2])


def identify(blocks: Iterable[Block]) -> str:
    """Return the ISO 639-1 code of the first prose, "" where there are fewer than 40 letters of it."""
    sample: list[str] = []
    size = 0
    for block in blocks:
        if block.text and block.kind not in ("code", "header"):
            sample.append(block.text[: _SAMPLE - size])
            size += len(sample[-1])
        if size >= _SAMPLE:
            break
    text = " ".join(sample)
    if sum(letter.isalpha() for letter in text) < _ENOUGH:
        return ""
    return str(py3langid.classify(text)[0])
