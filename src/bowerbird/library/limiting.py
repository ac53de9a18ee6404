"""Limits failed sign-ins by handle and by the address they come from."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import math
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from bowerbird.core.errors import RateLimitError
from bowerbird.store import attempts
from bowerbird.store.attempts import Limit
from bowerbird.store.store import Store

PER_PAIR = (5, 900.0)
"""Free failures of a handle from one address, and the longest wait in seconds."""

PER_ADDRESS = (20, 900.0)
PER_HANDLE = (30, 30.0)
"""From all addresses together. The wait is short, as strangers can bring it about for anybody."""


class Limiter:
    """Counts attempts in the store, under keys that tell nothing without `run/attempts.key`."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._key = b""

    def claim(self, handle: str, address: str = "") -> tuple[Limit, ...]:
        """Count an attempt as failed, to be forgiven once it succeeds; raises RateLimitError where it has to wait.

        Without an address it is somebody who is signed in already and says their password again.
        """
        name, place = handle.strip().lower()[:64], _network(address)
        limits = [Limit(self._keyed("pair", f"{name} {place}"), *PER_PAIR)]
        if address:
            limits.append(Limit(self._keyed("address", place), *PER_ADDRESS))
            limits.append(Limit(self._keyed("handle", name), *PER_HANDLE))
        claimed, at = tuple(limits), self._clock()
        with self._store.database.write() as connection:
            wait = math.ceil(attempts.waiting(connection, claimed, at))
            if not wait:
                attempts.count(connection, claimed, at)
        if wait:
            raise RateLimitError(
                "Too many sign-ins failed for this name or from this place.",
                f"Try again in {wait} s." if wait < 90 else f"Try again in {math.ceil(wait / 60)} minutes.",
                wait,
            )
        return claimed

    def _keyed(self, kind: str, value: str) -> str:
        if not self._key:
            self._key = _kept_key(self._store.home / "run" / "attempts.key")
        return hmac.new(self._key, f"{kind}:{value}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:100]
    # whoever has one IPv6 address has the 2^64 of its network
    return str(parsed if parsed.version == 4 else ipaddress.ip_network((int(parsed), 64), strict=False))


def _kept_key(file: Path) -> bytes:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_suffix(f".{os.getpid()}-{secrets.token_hex(4)}")
    if not file.exists():
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as target:
            target.write(secrets.token_bytes(32))
        try:
            os.link(draft, file)  # the first of two processes wins
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_bytes()
