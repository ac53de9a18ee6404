"""One SQLite file: opening it, migrating it, and the two ways in (read, write)."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DatabaseError

from bowerbird.core.errors import BowerbirdError, DiskFullError, LockedError, SchemaError, StoreError

HEAD = "0002"
"""The newest migration; older libraries are brought up to it when they are opened."""

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

    def __init__(self, file: Path) -> None:
        self.file = file
        self._reading = _engine(file, "BEGIN")
        self._writing = _engine(file, "BEGIN IMMEDIATE")

    def open(self) -> None:
        """Create or migrate the file; raises SchemaError where a newer Bowerbird wrote it."""
        with explained(self.file):
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # before the first look, too: the connection that switches a fresh file to WAL waits for nobody
            with self.file.with_suffix(".migrating").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if self._version() != HEAD:
                    self._migrate()

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

    def _migrate(self) -> None:
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        with self._writing.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

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
        """Return what SQLite's own check finds wrong (`PRAGMA integrity_check`, `foreign_key_check`)."""
        with self.read() as connection:
            rows = [row[0] for row in connection.execute(text("PRAGMA integrity_check"))]
            broken = [f"row of {row[0]} refers to a missing {row[2]}" for row in _foreign_keys(connection)]
        return [row for row in rows if row != "ok"] + broken

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
    except OSError as problem:
        if problem.errno == 28:
            raise _translated("disk is full", file) from problem
        raise


def _translated(message: str, file: Path) -> BowerbirdError:
    if "full" in message:
        return DiskFullError(
            f"There is no room left on the disk of {file.parent}.", "Free some space and run it again."
        )
    if "locked" in message or "busy" in message:
        return LockedError(f"The library {file.parent} is being written by another process.", "Try again in a moment.")
    if "malformed" in message or "not a database" in message:
        return StoreError(f"The file {file} is damaged: {message}.", "Run `bowerbird doctor --verify`.")
    if "readonly" in message or "unable to open" in message:
        return StoreError(f"The file {file} cannot be opened for writing: {message}.", "Check its owner and rights.")
    return StoreError(f"The library {file} refused: {message}.", "Run `bowerbird doctor --verify`.")
