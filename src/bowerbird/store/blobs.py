"""Blobs by the hash of their content: compressed, written atomically, checked whenever they are read.

A blob is derived data (an extracted document, vectors, a page image): one that is missing or damaged is made again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import zstandard

from bowerbird.core.errors import LockedError, StoreError
from bowerbird.core.ids import content_hash
from bowerbird.store.database import explained

_LARGEST = 1 << 31
_UNFINISHED = "new-"
_UNFINISHED_SECONDS = 60.0
_LOCK = ".lock"
_PATIENCE_SECONDS = 120.0


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
        return self._read(name)[1]

    def packed(self, name: str) -> bytes:
        """Return a blob as it lies on disk, for a backup; raises StoreError like `get`."""
        return self._read(name)[0]

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

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Keep blobs from being swept while the block runs; any number of processes may."""
        with self._locked(fcntl.LOCK_SH):
            yield

    @contextlib.contextmanager
    def sweeping(self) -> Iterator[None]:
        """Be the only one that removes blobs nobody refers to; raises LockedError where a backup runs for long."""
        with self._locked(fcntl.LOCK_EX):
            yield

    @contextlib.contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        with explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / _LOCK).open("a") as file:
            until = time.monotonic() + _PATIENCE_SECONDS
            while True:
                try:
                    fcntl.flock(file, how | fcntl.LOCK_NB)
                    break
                except BlockingIOError as problem:
                    if time.monotonic() > until:
                        raise LockedError(
                            "A backup is being written, so nothing can be swept.", "Try again when it is done."
                        ) from problem
                    time.sleep(0.05)
            yield

    def remove_unfinished(self, older_than: float = _UNFINISHED_SECONDS) -> None:
        """Remove what processes that were killed left half written, longer ago than so many seconds."""
        for path in self.folder.glob(f"[0-9a-f][0-9a-f]/{_UNFINISHED}*"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime <= time.time() - older_than:
                    path.unlink()

    def remove(self, name: str) -> None:
        """Remove a blob; one that is not there is no error."""
        with contextlib.suppress(FileNotFoundError):
            self._path(name).unlink()

    def _read(self, name: str) -> tuple[bytes, bytes]:
        """Return (bytes on disk, content)."""
        try:
            packed = self._path(name).read_bytes()
            data = zstandard.ZstdDecompressor().decompress(packed, max_output_size=_LARGEST)
        except (OSError, zstandard.ZstdError) as problem:
            raise StoreError(
                f"The blob {name} cannot be read: {problem}.", "Run `bowerbird doctor --repair`."
            ) from problem
        if content_hash(data) != name:
            raise StoreError(f"The blob {name} is damaged.", "Run `bowerbird doctor --repair`.")
        return packed, data

    def _path(self, name: str) -> Path:
        return self.folder / name[:2] / name[2:]
