"""What SQLite does not tell: a damaged frame in the write-ahead log makes it forget everything after that frame.

Every commit is flushed before the next begins, so a frame that cannot be read and is followed by sound ones of a later
commit was damaged after it was written; a crash leaves only a tail without sound frames behind it. Format and checksum:
SQLite, "WAL-mode File Format", 4.2.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

_HEADER, _FRAME = 32, 24
_BIG_ENDIAN, _LITTLE_ENDIAN = 0x377F0683, 0x377F0682


def damaged_frame(file: Path) -> int | None:
    """Return the number (from 1) of the first damaged frame of a log, 0 for its header, None where all is well.

    Only for a log that no process has open. A flip in the very last transaction looks like a crash while it was
    written, unless sound frames of it follow.
    """
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return None
    if len(data) < _HEADER + _FRAME:
        return None
    log = _Log(data)
    if log.size == 0 or not log.sound_header:
        return 0
    frames = log.frames
    bad = next((number for number in range(frames) if not log.follows(number)), frames)
    for later in range(bad + 1, frames):
        if log.salts(later) != log.own_salts:
            continue  # left over from before the log was last begun anew
        if log.intact(later):
            return bad + 1
    return None


class _Log:
    """The bytes of a log."""

    def __init__(self, data: bytes) -> None:
        magic, self.size = _number(data, 0), _number(data, 8)
        if magic not in (_BIG_ENDIAN, _LITTLE_ENDIAN) or not 512 <= self.size <= 65_536:
            self.size = 0
        self._data = data
        self._order = ">u4" if magic == _BIG_ENDIAN else "<u4"
        self.own_salts = data[16:24]
        self.frames = (len(data) - _HEADER) // (_FRAME + self.size) if self.size else 0

    @property
    def sound_header(self) -> bool:
        return self._sum(self._data[:24], (0, 0)) == _pair(self._data, 24)

    def salts(self, number: int) -> bytes:
        return self._data[self._start(number) + 8 : self._start(number) + 16]

    def follows(self, number: int) -> bool:
        """Tell whether a frame belongs to this log and has the right checksum."""
        return self.salts(number) == self.own_salts and self.intact(number)

    def intact(self, number: int) -> bool:
        """Tell whether the checksum of a frame follows from the one that is written in the frame before."""
        start = self._start(number)
        before = _pair(self._data, 24 if number == 0 else self._start(number - 1) + 16)
        body = self._data[start : start + 8] + self._data[start + _FRAME : start + _FRAME + self.size]
        return self._sum(body, before) == _pair(self._data, start + 16)

    def _start(self, number: int) -> int:
        return _HEADER + number * (_FRAME + self.size)

    def _sum(self, body: bytes, before: tuple[int, int]) -> tuple[int, int]:
        """Return s0 and s1 after s0 += x0 + s1, s1 += x1 + s0 over all pairs of words: linear, so one product."""
        import numpy as np

        words = np.frombuffer(body, dtype=self._order).astype(np.uint64).reshape(-1, 2)
        weights = _weights(len(words))
        one, two = words[:, 0], words[:, 0] + words[:, 1]
        first = int((weights[:-1, 0] * one + weights[:-1, 1] * two & 0xFFFFFFFF).sum())
        second = int((weights[:-1, 1] * one + weights[:-1, 2] * two & 0xFFFFFFFF).sum())
        a, b, c = (int(weight) for weight in weights[-1])
        s0, s1 = before
        return (a * s0 + b * s1 + first) & 0xFFFFFFFF, (b * s0 + c * s1 + second) & 0xFFFFFFFF


_WEIGHTS: dict[int, Any] = {}


def _weights(count: int) -> Any:
    """Return the powers of [[1, 1], [1, 2]], each as (a, b, c) for [[a, b], [b, c]]: count - 1 to 0, then count."""
    import numpy as np

    if count not in _WEIGHTS:
        powers = [(1, 0, 1)]
        for _ in range(count):
            a, b, c = powers[-1]
            powers.append(((a + b) & 0xFFFFFFFF, (a + 2 * b) & 0xFFFFFFFF, (b + 2 * c) & 0xFFFFFFFF))
        _WEIGHTS[count] = np.array([*reversed(powers[:-1]), powers[-1]], dtype=np.uint64)
    return _WEIGHTS[count]


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def _pair(data: bytes, at: int) -> tuple[int, int]:
    return _number(data, at), _number(data, at + 4)
