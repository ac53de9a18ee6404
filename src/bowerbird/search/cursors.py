"""Cursors: where a reader of results is. Opaque text that says what was shown, and where the ranking is kept.

    version (1 byte) · search (4) · token (8) · 3 for each item shown · check (4)     in base64 for URLs (RFC 4648)

The ranking of a search is kept in the process under the token, so pages follow one order while the index changes.
Where it is gone (restart, many searches since), the search runs again and goes on with what was not shown. Nothing in
a cursor gives access: every page asks the second lock.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from bowerbird.core.errors import UsageError

MOST_SHOWN = 480
"""Items that a cursor can hold (it stays below 2,000 characters); paging ends there."""

_VERSION = b"\x01"
_SEARCH, _TOKEN, _SHOWN, _CHECK = 4, 8, 3, 4


@dataclass(frozen=True, slots=True)
class Cursor:
    """The token of the kept ranking, and the digests of the items shown so far."""

    token: bytes
    shown: frozenset[bytes] = frozenset()

    def has(self, item_id: str) -> bool:
        """Say whether the item was shown."""
        return _shown(self.token, item_id) in self.shown

    def and_shown(self, item_ids: Iterable[str]) -> Cursor:
        """Return the cursor after these items were shown too."""
        return Cursor(self.token, self.shown | {_shown(self.token, item_id) for item_id in item_ids})


def new(item_ids: Iterable[str]) -> Cursor:
    """Return a cursor of nothing shown, with a token under which the digests of these items differ."""
    ids = set(item_ids)
    while True:
        cursor = Cursor(secrets.token_bytes(_TOKEN))
        if len(cursor.and_shown(ids).shown) == len(ids):
            return cursor


def write(cursor: Cursor, search: str) -> str:
    """Return the cursor as text; `search` is everything that makes it another search. "" beyond MOST_SHOWN."""
    if len(cursor.shown) > MOST_SHOWN:
        return ""
    body = _VERSION + _digest(search, _SEARCH) + cursor.token + b"".join(sorted(cursor.shown))
    return base64.urlsafe_b64encode(body + _check(body)).decode().rstrip("=")


def read(text: str, search: str) -> Cursor:
    """Read a cursor that `write` wrote; raises UsageError where it is malformed or belongs to another search."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as problem:
        raise _wrong("is malformed") from problem
    body, check = data[:-_CHECK], data[-_CHECK:]
    start = len(_VERSION) + _SEARCH + _TOKEN
    shown = body[start:]
    if len(body) < start or len(shown) % _SHOWN or body[:1] != _VERSION or check != _check(body):
        raise _wrong("is malformed")
    if body[1 : 1 + _SEARCH] != _digest(search, _SEARCH):
        raise _wrong("belongs to another search")
    pieces = frozenset(shown[at : at + _SHOWN] for at in range(0, len(shown), _SHOWN))
    return Cursor(body[1 + _SEARCH : start], pieces)


def _shown(token: bytes, item_id: str) -> bytes:
    return hashlib.blake2b(item_id.encode(), digest_size=_SHOWN, key=token).digest()


def _digest(text: str, size: int) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=size).digest()


def _check(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_CHECK).digest()


def _wrong(what: str) -> UsageError:
    return UsageError(f"The cursor {what}.", "Search again without a cursor, and use the cursors of that answer.")
