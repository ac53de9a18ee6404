"""Checksums of Lance's files, which have none of their own: each is written once, so its SHA-256 never changes.

They stand in `sums.jsonl` beside the tables of a generation, a line a file, written after Lance has committed and
before SQL records the version. A line that is damaged itself makes its file count as damaged: it is derived data.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

SUMS = "sums.jsonl"
_CHANGING = "latest_version_hint.json"
_GONE = -1


class _Line(msgspec.Struct, frozen=True):
    """One file: path below the generation, size in bytes (_GONE: removed, its name may come again), SHA-256."""

    path: str
    size: int
    sha256: str


class FileSums:
    """The sums of all generations of one library; only the writer adds to them. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def add(self, generation: str) -> None:
        """Sum up the files of a generation that are new."""
        root = self._folder / generation
        with self._lock:
            known = self._of(generation)
            fresh = sorted(path for path in _files(root) if path not in known)
            self._append(generation, [_line(root, path) for path in fresh])
            known.update(fresh)

    def drop(self, generation: str, folder: str) -> None:
        """Forget the files of a folder of a generation, before they are removed: their names may come again."""
        with self._lock:
            known = self._of(generation)
            gone = sorted(path for path in known if path.startswith(f"{folder}/"))
            self._append(generation, [_Line(path, _GONE, "") for path in gone])
            known.difference_update(gone)

    def tidy(self, generation: str) -> None:
        """Forget the files that are gone for good (versions that were dropped)."""
        root = self._folder / generation
        with self._lock:
            left = {path: line for path, line in self._lines(generation)[0].items() if (root / path).exists()}
            draft = root / f".{SUMS}"
            draft.write_bytes(b"".join(b"\n" + msgspec.json.encode(line) for line in left.values()))
            draft.replace(root / SUMS)
            self._known[generation] = set(left)

    def damaged(self, generation: str) -> Iterator[tuple[str, str]]:
        """Yield (path, what is wrong) of files that are not what was written, and of lines that say nothing.

        Files without a line are left out: they were being written when the process was killed, and SQL does not know
        the version that has them.
        """
        root = self._folder / generation
        lines, unreadable = self._lines(generation)
        if unreadable:
            yield SUMS, f"{unreadable} of its lines cannot be read"
        for line in lines.values():
            try:
                now = _line(root, line.path)
            except FileNotFoundError:
                continue  # of a version that was dropped
            except OSError as problem:
                yield line.path, f"cannot be read: {problem.strerror}"
                continue
            if now != line:
                yield line.path, "is not what was written"

    def forget(self, generation: str) -> None:
        """Forget a generation that was removed."""
        with self._lock:
            self._known.pop(generation, None)

    def _of(self, generation: str) -> set[str]:
        if generation not in self._known:
            self._known[generation] = set(self._lines(generation)[0])
        return self._known[generation]

    def _append(self, generation: str, lines: list[_Line]) -> None:
        if lines:
            with (self._folder / generation / SUMS).open("ab") as file:
                file.write(b"".join(b"\n" + msgspec.json.encode(line) for line in lines))

    def _lines(self, generation: str) -> tuple[dict[str, _Line], int]:
        """Return the files by path, and how many lines cannot be read (but for the last, which a kill may cut off)."""
        try:
            texts = (self._folder / generation / SUMS).read_bytes().split(b"\n")
        except FileNotFoundError:
            return {}, 0
        found: dict[str, _Line] = {}
        bad: list[int] = []
        for number, text in enumerate(texts):
            try:
                if text:
                    line = msgspec.json.decode(text, type=_Line)
                    found[line.path] = line
            except (msgspec.MsgspecError, UnicodeDecodeError):
                bad.append(number)
        kept = {path: line for path, line in found.items() if line.size != _GONE}
        return kept, len([number for number in bad if number != len(texts) - 1])


def _files(root: Path) -> Iterator[str]:
    for folder, _, names in os.walk(root):
        for name in names:
            path = (Path(folder) / name).relative_to(root)
            if str(path) != SUMS and name != _CHANGING and not name.startswith("."):
                yield str(path)


def _line(root: Path, path: str) -> _Line:
    with (root / path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return _Line(path, file.tell(), digest)
