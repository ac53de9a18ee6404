"""Blobs by the hash of their content: compressed, written atomically, checked whenever they are read.

A blob is derived data (an extracted document, vectors, a page image): one that is missing or damaged is made again.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import zstandard

from bowerbird.core.errors import StoreError
from bowerbird.core.ids import content_hash
from bowerbird.store.database import explained

_LARGEST = 1 << 31
_UNFINISHED = "new-"
_UNFINISHED_SECONDS = 60.0


class Blobs:
    """A folder of blobs; `put` returns the name (SHA-256 of the content), `get` the content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, data: bytes) -> str:
        """Keep the bytes and return their name; a damaged blob of that name is written anew. Raises DiskFullError.

        A power cut may lose a blob that a row names already (it is not flushed one by one): whoever reads it notices,
        removes it, and has it made again.
        """
        name = content_hash(data)
        if self.sound(name):
            return name
        path = self._path(name)
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(zstandard.ZstdCompressor(level=3).compress(data))
                Path(temporary).rename(path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        return name

    def get(self, name: str) -> bytes:
        """Return the content of a blob; raises StoreError where it is missing or not what its name says."""
        try:
            data = zstandard.ZstdDecompressor().decompress(self._path(name).read_bytes(), max_output_size=_LARGEST)
        except (OSError, zstandard.ZstdError) as problem:
            raise StoreError(
                f"The blob {name} cannot be read: {problem}.", "Run `bowerbird doctor --repair`."
            ) from problem
        if content_hash(data) != name:
            raise StoreError(f"The blob {name} is damaged.", "Run `bowerbird doctor --repair`.")
        return data

    def sound(self, name: str) -> bool:
        """Tell whether a blob is there and is what its name says."""
        try:
            self.get(name)
        except StoreError:
            return False
        return True

    def names(self) -> Iterator[str]:
        """Yield the names of all blobs."""
        for folder in sorted(self.folder.glob("[0-9a-f][0-9a-f]")):
            yield from (folder.name + path.name for path in folder.iterdir() if len(path.name) == 62)

    def remove_unfinished(self) -> None:
        """Remove what processes that were killed left half written."""
        for path in self.folder.glob(f"[0-9a-f][0-9a-f]/{_UNFINISHED}*"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - _UNFINISHED_SECONDS:
                    path.unlink()

    def remove(self, name: str) -> None:
        """Remove a blob; one that is not there is no error."""
        with contextlib.suppress(FileNotFoundError):
            self._path(name).unlink()

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / name[2:]
