"""What a library keeps, and how it is kept safe, given back, and got rid of: backup, restore, purge, export, erase."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bowerbird.core.errors import BackupError, LockedError
from bowerbird.core.records import SYSTEM, Finding, Principal
from bowerbird.store import audit, jobs, people
from bowerbird.store import backup as backups
from bowerbird.store.backup import Report, Written
from bowerbird.store.database import BACKUPS, exclusively, explained, in_use_file
from bowerbird.store.jobs import Job
from bowerbird.store.restoring import prepare, unpack
from bowerbird.store.store import Store, WriterLock

if TYPE_CHECKING:
    from bowerbird.library.library import Library
    from bowerbird.library.maintaining import OldBackup, Receipt

_KEPT = ("models", BACKUPS, "receipts")
"""Folders of a data directory that a restore leaves as they are: none of them is in a backup."""

_IGNORED = frozenset((*_KEPT, "run", "bowerbird.in-use", "bowerbird.migrating"))


def _silent(what: str, done: int, total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A restored library: what was in the backup, and where the library that was there before is now ("" for none)."""

    home: str
    counts: dict[str, int]
    version: str
    schema: str
    created: float
    before: str = ""


@dataclass(frozen=True, slots=True)
class Erased:
    """What erasing a person removed, in rows, and the backups that still hold them."""

    rows: int
    unreachable: tuple[OldBackup, ...]


class Records:
    """The records of one open library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._store = library.store

    def backup(self, target: Path | None = None, report: Report = _silent, verify: bool = False) -> Written:
        """Write a backup while others read and write; with `verify`, read all of it again.

        Raises BackupError (its place is taken, or it reads otherwise than it was written), DiskFullError.
        """
        from bowerbird.library.maintaining import write_backup

        written = write_backup(self._store, self._library.settings, target, report)
        if verify:
            unpack(Path(written.path), None, report)
        return written

    def backups(self) -> list[OldBackup]:
        """Return the backups that were written from this library, newest first."""
        from bowerbird.library.maintaining import OldBackup

        with self._store.database.read() as connection:
            rows = backups.listed(connection)
        return [OldBackup(row.path, row.created, Path(row.path).exists()) for row in rows]

    def ask(self, kind: Literal["backup", "purge"], principal: Principal) -> Job:
        """Ask the writer for a backup or a purge, on behalf of somebody."""
        with self._store.database.write() as connection:
            audit.record(connection, principal, f"library.{kind}-asked")
            return jobs.enqueue(connection, kind, None)

    def purge(self) -> Receipt:
        """Remove every byte of what was deleted; raises LockedError beside another writer (ask it for a job)."""
        with closing(self._library.worker()) as worker:
            worker.writer.open()
            receipt = worker.maintenance.purge()
        self._library.forget_searches()
        return receipt

    def export(self, handle: str) -> dict[str, object]:
        """Return everything kept about a person, by their handle, from every Keeper; raises NotFoundError."""
        with self._store.database.write() as connection:
            person = people.named(connection, handle).id
            audit.record(connection, SYSTEM, "person.exported", person)
        found: dict[str, object] = {}
        for keeper in self._library.keepers():
            found |= keeper.export(person)
        return found

    def erase(self, handle: str) -> Erased:
        """Remove everything kept about a person, by their handle; raises NotFoundError, ForbiddenError."""
        with self._store.database.read() as connection:
            person = people.named(connection, handle).id
        rows = sum(keeper.erase(person) for keeper in self._library.keepers())
        return Erased(rows, tuple(self.backups()))


def verify_backup(backup: Path, report: Report = _silent) -> tuple[Restored, list[Finding]]:
    """Restore a backup into a temporary folder beside nothing, and run the Keepers' check on it; removes it again."""
    from bowerbird.core.settings import Settings
    from bowerbird.library.library import Library

    with tempfile.TemporaryDirectory(prefix="bowerbird-verify-") as scratch:
        restored = _unpacked(backup, Path(scratch), report)
        with Library.open(Path(scratch), Settings({})) as library:
            return restored, [finding for keeper in library.keepers() for finding in keeper.verify()]


def restore(backup: Path, home: Path, replace: bool = False, report: Report = _silent) -> Restored:
    """Put a backup where a library is to be; models stay, the index is made again by the next writer.

    With `replace`, the library that is there is moved aside, whole. Raises BackupError, SchemaError, LockedError,
    DiskFullError; then nothing has changed.
    """
    backup = backup.absolute()
    home.parent.mkdir(parents=True, exist_ok=True)
    left = sorted(path.name for path in home.iterdir() if path.name not in _IGNORED) if home.is_dir() else []
    if left and not replace:
        raise BackupError(
            f"There is a library in {home} already ({left[0]}).",
            "Name an empty folder with --home, or add --replace to move it aside.",
        )
    for stale in home.parent.glob(f".{home.name}.restoring-*"):
        _remove_abandoned(stale)
    with explained(home):
        fresh = Path(tempfile.mkdtemp(prefix=f".{home.name}.restoring-", dir=home.parent))
        try:
            restored = _unpacked(backup, fresh, report)
            before = _swapped(fresh, home)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
    if before is not None and not left:
        shutil.rmtree(before)
        before = None
    return Restored(str(home), restored.counts, restored.version, restored.schema, restored.created, str(before or ""))


def _unpacked(backup: Path, folder: Path, report: Report) -> Restored:
    with WriterHint(folder):
        manifest = unpack(backup, folder, report)
        report("check", 0, 0)
        prepare(folder)
    about = manifest.about
    return Restored(str(folder), manifest.counts, about.version, about.schema, about.created)


class WriterHint:
    """Holds the writer's lock of a folder that is being filled, so that nobody takes it for abandoned."""

    def __init__(self, folder: Path) -> None:
        self._lock = WriterLock(folder)

    def __enter__(self) -> None:
        """Take it."""
        self._lock.acquire()

    def __exit__(self, *problem: object) -> None:
        """Let it go."""
        self._lock.release()


def _remove_abandoned(folder: Path) -> None:
    lock = WriterLock(folder)
    with suppress(LockedError):
        lock.acquire()
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)


def _swapped(fresh: Path, home: Path) -> Path | None:
    """Put a folder in the place of a library that nobody has open; returns where that is now, None where none was."""
    if not home.is_dir():
        fresh.rename(home)
        return None
    held = os.open(in_use_file(home), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        if not exclusively(held):
            raise LockedError(
                f"The library {home} is open in another process.", "Stop the server and other commands first."
            )
        before = home.with_name(f"{home.name}-before-{time.strftime('%Y%m%d-%H%M%S')}")
        home.rename(before)
        try:
            fresh.rename(home)
        except BaseException:
            before.rename(home)
            raise
        for name in _KEPT:
            if (before / name).is_dir():
                shutil.rmtree(home / name, ignore_errors=True)  # copies of before a migration of what was unpacked
                (before / name).rename(home / name)
        return before
    finally:
        os.close(held)


def accept_loss(home: Path) -> bool:
    """Open a library whose log is damaged without the changes that cannot be read; returns whether it was."""
    from bowerbird.core.errors import StoreError

    store = Store(home)
    try:
        store.open()
        return False
    except StoreError:
        store.open(accept_loss=True)
        store.database.truncate_log()
        return True
    finally:
        store.close()
