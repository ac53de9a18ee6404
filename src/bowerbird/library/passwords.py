"""Passwords: which are accepted, and how they are hashed (argon2id, RFC 9106, with OWASP's least parameters)."""

from __future__ import annotations

import contextlib
import threading
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bowerbird.core.errors import PasswordError, RateLimitError
from bowerbird.library.guessing import is_guessable

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, MOST_BYTES = 12, 1024
MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
AT_ONCE, IN_LINE, PATIENCE = 2, 4, 2.0
"""Hashes at once (each takes MEMORY_KIB), further ones that may wait, and for how many seconds."""


def normal(password: str) -> str:
    """Return the one form of a password, however its letters were typed (NFKC; NIST SP 800-63B-4, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def encoded(password: str) -> bytes | None:
    """Return the bytes that are hashed, None for what cannot be a password."""
    try:
        data = normal(password).encode()
    except UnicodeEncodeError:  # a lone surrogate is no character
        return None
    return data if 0 < len(data) <= MOST_BYTES else None


def check(password: str, handle: str) -> None:
    """Raise PasswordError where a password is too short, too long, or among the first that anybody would try."""
    data = encoded(password)
    if password and data is None:
        raise PasswordError(f"The password is longer than {MOST_BYTES} bytes or not text.", "Choose a shorter one.")
    if len(normal(password)) < SHORTEST:
        raise PasswordError(
            f"The password is shorter than {SHORTEST} characters.",
            "Three or four words that do not belong together do.",
        )
    if is_guessable(normal(password).casefold(), handle.casefold()):
        raise PasswordError(
            "The password is among the first that anybody would try.",
            "Do not use the handle, common words alone, or the same signs again and again.",
        )


class Hasher:
    """Hashes and verifies, few at once: memory is what makes argon2id strong, and what a flood of sign-ins would eat.

    Thread-safe. Raises RateLimitError where too many wait already.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self.patience = patience
        self._running = threading.BoundedSemaphore(AT_ONCE)
        self._waiting = threading.BoundedSemaphore(AT_ONCE + IN_LINE)
        self._lock = threading.Lock()
        self._dummy = ""

    def hash(self, password: str) -> str:
        """Return the hash of a password, with its salt and its parameters (PHC string format)."""
        with self._turn() as engine:
            return engine.hash(encoded(password) or b"")

    def verify(self, kept: str, password: str) -> bool:
        """Tell whether a password belongs to a hash; takes as long where there is none ("")."""
        from argon2.exceptions import InvalidHashError, VerificationError

        data = encoded(password)
        with self._turn() as engine:
            with self._lock:  # made by the first sign-in of all, whoever that is
                self._dummy = self._dummy or engine.hash(b"nobody's")
            try:
                engine.verify(kept or self._dummy, data or b"-")
            except (VerificationError, InvalidHashError):
                return False
        return bool(kept) and data is not None

    def renewed(self, kept: str, password: str) -> str:
        """Return a new hash where the one that is kept was made with other parameters, else ""."""
        return self.hash(password) if _engine().check_needs_rehash(kept) else ""

    @contextlib.contextmanager
    def _turn(self) -> Iterator[PasswordHasher]:
        busy = RateLimitError("Too many people sign in at this moment.", "Try again in a few seconds.", 2)
        if not self._waiting.acquire(blocking=False):
            raise busy
        try:
            if not self._running.acquire(timeout=self.patience):
                raise busy
            try:
                yield _engine()
            finally:
                self._running.release()
        finally:
            self._waiting.release()


def _engine() -> PasswordHasher:
    from argon2 import PasswordHasher, Type

    return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, type=Type.ID)
