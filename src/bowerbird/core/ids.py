"""Identifiers: random where they name a row, hashes where they name content."""

from __future__ import annotations

import hashlib
import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id() -> str:
    """Return 13 characters of Crockford base32 (65 random bits): it tells nothing of order or number.

    >>> len(new_id())
    13
    """
    number = secrets.randbits(65)
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(60, -1, -5))


def content_hash(data: bytes) -> str:
    """Return the SHA-256 of the bytes, in hexadecimal (FIPS 180-4)."""
    return hashlib.sha256(data).hexdigest()
