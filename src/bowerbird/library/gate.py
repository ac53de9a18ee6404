"""A gate for the worker's threads: work passes through it, and what needs all of them still closes it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Any number pass at a time, or one holds it closed; whoever works asks `closing` now and then, and hurries."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._closed = 0

    @property
    def closing(self) -> bool:
        """Whether somebody waits for the others, or has the gate closed."""
        return self._closed > 0

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Do work in the block, once the gate is open."""
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Have the block to oneself: nobody is inside, and nobody else has the gate closed."""
        with self._changed:
            self._changed.wait_for(lambda: not self._closed)
            self._closed += 1
            self._changed.wait_for(lambda: not self._inside)
        try:
            yield
        finally:
            with self._changed:
                self._closed -= 1
                self._changed.notify_all()
