"""A bounded memory for the process: what was least recently used goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Lru(Generic[Key, Value]):
    """A mapping of at most `size` entries; safe to use from several threads.

    >>> lru = Lru[str, int](2)
    >>> for name in "abc":
    ...     lru.put(name, ord(name))
    >>> lru.get("a"), lru.get("c")
    (None, 99)
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._entries: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """Return the value, None where it is not (or no longer) there."""
        with self._lock:
            value = self._entries.get(key)
            if value is not None:
                self._entries.move_to_end(key)
            return value

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._entries.clear()

    def put(self, key: Key, value: Value) -> None:
        """Keep a value, and let go of the oldest where there are too many."""
        with self._lock:
            self._entries[key] = value
            self._entries.move_to_end(key)
            if len(self._entries) > self.size:
                self._entries.popitem(last=False)
