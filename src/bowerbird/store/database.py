"""One SQLite file: opening it, migrating it, and the two ways in (read, write)."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DatabaseError

from bowerbird.core.errors import BowerbirdError, DiskFullError, LockedError, SchemaError, StoreError
from bowerbird.store import sums
from bowerbird.store.wal import damaged_frame

HEAD = "0003"
"""The newest migration; older libraries are brought up to it when they are opened."""

BACKUPS = "backups"
"""The folder below the data directory for backups, and for what the file was before each migration."""

_SHARED_MEMORY_BYTES = 64 * 1024

MIGRATION_PREFIX = "before-"

_MIGRATIONS = Path(__file__).parent / "migrations"
_PRAGMAS = (
    "busy_timeout=15000",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
    "temp_store=MEMORY",
    "cache_size=-8000",
)


class Database:
    """The SQL side of a library; `read()` and `write()` give connections inside a transaction."""

    def __init__(self, file: Path, migrations_kept: int = 2) -> None:
        self.file = file
        self._migrations_kept = migrations_kept
        self._in_use: weakref.finalize[[int], Database] | None = None
        self._reading = _engine(file, "BEGIN")
        self._writing = _engine(file, "BEGIN IMMEDIATE")

    def open(self, accept_loss: bool = False) -> None:
        """Create or migrate the file, with a copy kept before.

        Raises SchemaError where a newer Bowerbird wrote it, StoreError where its log is damaged; `accept_loss` then
        goes on without the changes that cannot be read.
        """
        with explained(self.file):
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # before the first look, too: the connection that switches a fresh file to WAL waits for nobody
            with self.file.with_suffix(".migrating").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._take(accept_loss)
                version = self._version()
                if version != HEAD:
                    self._migrate(version)

    def _take(self, accept_loss: bool) -> None:
        """Tell others that the file is in use; the first to do so looks at the log, which SQLite trims silently."""
        if self._in_use is not None:
            return
        held = os.open(in_use_file(self.file.parent), os.O_CREAT | os.O_RDWR, 0o600)
        if exclusively(held) and not accept_loss:
            frame = damaged_frame(self.file.with_name(f"{self.file.name}-wal"))
            if frame is not None:
                os.close(held)
                raise StoreError(
                    f"The newest changes of {self.file} cannot be read: its log is damaged (frame {frame}).",
                    "Restore the newest backup with `bowerbird restore`, or run `bowerbird doctor --repair` to go on"
                    " without these changes.",
                )
        fcntl.flock(held, fcntl.LOCK_SH)
        self._in_use = weakref.finalize(self, os.close, held)

    def _version(self) -> str | None:
        with self._reading.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            if version is not None and version > HEAD:
                raise SchemaError(
                    f"The library {self.file} has schema {version}, newer than this Bowerbird knows ({HEAD}).",
                    "Install the newer Bowerbird, or open another library with --home.",
                )
            return version

    def _migrate(self, version: str | None) -> None:
        from alembic import command
        from alembic.config import Config

        kept = self._keep_before(version) if version is not None else None
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        try:
            with self._writing.connect() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except Exception as problem:
            if kept is None:
                raise
            raise StoreError(
                f"The library {self.file} could not be brought from schema {version} to {HEAD}: {problem}",
                f"Nothing was changed, go on with the Bowerbird you had; {kept} is a copy.",
            ) from problem

    def _keep_before(self, version: str) -> Path:
        """Copy the file before a migration; the oldest such copies are removed. Raises DiskFullError."""
        folder = self.file.parent / BACKUPS
        folder.mkdir(exist_ok=True, mode=0o700)
        copy = folder / f"{MIGRATION_PREFIX}{HEAD}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{version}.sqlite"
        if not copy.exists():
            self.snapshot(copy)
        for old in migration_copies(self.file.parent)[self._migrations_kept :]:
            old.unlink()
        return copy

    def snapshot(self, target: Path) -> None:
        """Write one consistent state of the file into a new one, without what was deleted, flushed, for its owner only.

        Others may write meanwhile. Raises DiskFullError, StoreError; then there is no new file.
        """
        with explained(target):
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            try:
                with contextlib.closing(self._writing.raw_connection()) as connection:
                    connection.cursor().execute("VACUUM INTO ?", (str(target),))
                with target.open("rb") as written:
                    os.fsync(written.fileno())
            except BaseException:
                target.unlink(missing_ok=True)
                raise

    def vacuum(self) -> None:
        """Rewrite the file without free pages (they may hold what was deleted), then empty the log."""
        with explained(self.file), contextlib.closing(self._writing.raw_connection()) as connection:
            connection.cursor().execute("VACUUM")
        self.truncate_log()

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one consistent state."""
        with explained(self.file), self._reading.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a write transaction that is committed at the end, or rolled back on an error."""
        with explained(self.file), self._writing.begin() as connection:
            yield connection

    def integrity(self) -> list[str]:
        """Return what is wrong: SQLite's own check (`PRAGMA integrity_check`, `foreign_key_check`), rows that changed.

        A file too damaged to be checked is one line, too.
        """
        try:
            with self.read() as connection:
                rows = [row[0] for row in connection.execute(text("PRAGMA integrity_check"))]
                broken = [f"row of {row[0]} refers to a missing {row[2]}" for row in _foreign_keys(connection)]
                changed = [f"the rows of {table} are not those that were written" for table in sums.damaged(connection)]
        except StoreError as problem:
            return [problem.cause]
        return [row for row in rows if row != "ok"] + broken + changed

    def truncate_log(self) -> None:
        """Move the write-ahead log into the file and empty it: it still holds what was deleted. Raises LockedError."""
        with explained(self.file), contextlib.closing(self._writing.raw_connection()) as connection:
            busy = connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise _translated("busy", self.file)

    def close(self) -> None:
        """Close all connections."""
        self._reading.dispose()
        self._writing.dispose()
        if self._in_use is not None:
            self._in_use()
            self._in_use = None


def in_use_file(home: Path) -> Path:
    """Return the file on which every process that has a library open holds a shared lock."""
    return home / "bowerbird.in-use"


def migration_copies(home: Path) -> list[Path]:
    """Return the copies made before migrations, newest first."""
    return sorted((home / BACKUPS).glob(f"{MIGRATION_PREFIX}*.sqlite"), reverse=True)


def exclusively(file: int) -> bool:
    """Lock an open file (its descriptor) for this process alone; False where another has a lock on it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _foreign_keys(connection: Connection) -> list[Any]:
    return list(connection.execute(text("PRAGMA foreign_key_check")))


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _engine(file: Path, begin: str) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(file)), pool_size=8, max_overflow=24)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        # SQLite's own knows ASCII only, and the index lowers as Python does
        connection.create_function("lower", 1, _lower, deterministic=True)
        connection.create_function("row_sum", -1, sums.row_sum, deterministic=True)

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


@contextlib.contextmanager
def explained(file: Path) -> Iterator[None]:
    """Turn the errors of SQLite and of the file system into ours."""
    try:
        yield
    except DatabaseError as problem:
        raise _translated(str(problem.orig), file) from problem
    except sqlite3.DatabaseError as problem:  # of a statement that went past SQLAlchemy
        raise _translated(str(problem), file) from problem
    except OSError as problem:
        if problem.errno == 28:
            raise _translated("disk is full", file) from problem
        raise


def _no_room(folder: Path) -> bool:
    """Tell whether not even SQLite's shared memory file fits, without which it opens nothing (SQLITE_IOERR_SHMSIZE)."""
    return shutil.disk_usage(folder).free < _SHARED_MEMORY_BYTES


def _translated(message: str, file: Path) -> BowerbirdError:
    if "full" in message or ("I/O error" in message and _no_room(file.parent)):
        return DiskFullError(
            f"There is no room left on the disk of {file.parent}.", "Free some space and run it again."
        )
    if "locked" in message or "busy" in message:
        return LockedError(f"The library {file.parent} is being written by another process.", "Try again in a moment.")
    if "malformed" in message or "not a database" in message:
        return StoreError(
            f"The file {file} is damaged: {message}.",
            "Run `bowerbird doctor --verify`; `bowerbird restore BACKUP --replace` brings a backup back.",
        )
    if "readonly" in message or "unable to open" in message:
        return StoreError(f"The file {file} cannot be opened for writing: {message}.", "Check its owner and rights.")
    return StoreError(f"The library {file} refused: {message}.", "Run `bowerbird doctor --verify`.")
