"""An encoder in memory, without a model: for tests, and for looking at everything around an encoder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from bowerbird.understanding.encoder import Vectors

WORD = re.compile(r"\w+|[^\w\s]")


class HashEncoder:
    """A bag of words, each hashed to a signed component (Weinberger et al., ICML 2009).

    Texts that share words are near each other, whatever their case; the same text always has the same vector. The
    first component marks the start of every text, so the empty text has a vector as well.

    >>> HashEncoder().query("red fox") @ HashEncoder().query("the red fox") > 0.7
    np.True_
    """

    id = "hash-64.1"
    dimensions = 64

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Encode passages: float32 [len(texts), 64], each row of length 1."""
        rows = [self.query(text) for text in texts]
        return np.stack(rows) if rows else np.empty((0, self.dimensions), np.float32)

    def query(self, text: str) -> Vectors:
        """Encode a text: float32 [64], of length 1."""
        vector = np.zeros(self.dimensions, np.float32)
        vector[0] = 0.01
        for word in WORD.findall(text.lower()):
            number = int.from_bytes(blake2b(word.encode("utf-8", "replace"), digest_size=4).digest())
            vector[1 + (number >> 1) % (self.dimensions - 1)] += 1 if number & 1 else -1
        unit: Vectors = vector / np.linalg.norm(vector)
        return unit

    def count(self, text: str) -> int:
        """Count words and punctuation signs."""
        return len(WORD.findall(text))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the character offsets of words and punctuation signs."""
        return [match.span() for match in WORD.finditer(text)]
