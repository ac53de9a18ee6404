"""The store of one library: its database and its blobs."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from bowerbird.core.errors import LockedError
from bowerbird.store.access import Scopes
from bowerbird.store.blobs import Blobs
from bowerbird.store.database import Database
from bowerbird.store.keeping import StoreKeeper


class Store:
    """Database and blobs below a data directory."""

    def __init__(self, home: Path, migrations_kept: int = 2) -> None:
        self.home = home
        self.database = Database(home / "bowerbird.sqlite", migrations_kept)
        self.blobs = Blobs(home / "blobs")
        self.scopes = Scopes()
        self.keeper = StoreKeeper(self.database, self.blobs)

    def open(self, accept_loss: bool = False) -> None:
        """Create or migrate what is on disk; `accept_loss` goes on without changes that the disk has lost."""
        self.database.open(accept_loss)

    def close(self) -> None:
        """Close all connections."""
        self.database.close()


class WriterLock:
    """The exclusive lock on writing to the index; held by at most one process, and freed by its death."""

    def __init__(self, home: Path) -> None:
        self._path = home / "run" / "writer.lock"
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock at once, or raise LockedError that names the holder."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            file.close()
            raise LockedError(
                f"Another process (pid {holder}) is writing to the library {self._path.parent.parent}.",
                "It does what you ask for; `bowerbird status` shows how far it is.",
            ) from problem
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._file = file

    def release(self) -> None:
        """Free the lock; one that is not held is no error."""
        if self._file is not None:
            self._file.close()
            self._file = None
