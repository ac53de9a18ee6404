"""How far the worker is, as counts, a rate and the time left."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

Phase = Literal["list", "read", "index", "embed"]

_WINDOW_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Progress:
    """One look at the work: items done and in all, items per second over the last 15 s, seconds left (0: unknown)."""

    phase: Phase
    done: int
    total: int
    rate: float
    seconds_left: float
    failures: int
    current: str = ""


@dataclass(slots=True)
class Meter:
    """Turns what is left into done, total and rate; the total grows when more comes in."""

    done: int = 0
    left: int = 0
    _seen: deque[tuple[float, int]] = field(default_factory=deque)

    def update(self, left: int, done: int | None = None) -> None:
        """Take note that `left` items wait now; `done` where it is counted, else it is what left the queue."""
        self.done = done if done is not None else self.done + max(0, self.left - left)
        self.left = left
        now = time.monotonic()
        self._seen.append((now, self.done))
        while now - self._seen[0][0] > _WINDOW_SECONDS:
            self._seen.popleft()

    def look(self, phase: Phase, failures: int, current: str = "") -> Progress:
        """Return the present state as a record."""
        (first, before), (last, after) = self._seen[0], self._seen[-1]
        rate = (after - before) / (last - first) if last > first else 0.0
        left = self.left / rate if rate > 0 else 0.0
        return Progress(phase, self.done, self.done + self.left, rate, left, failures, current)
