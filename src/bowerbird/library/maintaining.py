"""What the writer does besides the write walk: backups, purges, reconciliation, and what is due once a day."""

from __future__ import annotations

import logging
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from bowerbird.core.errors import Interrupted
from bowerbird.core.ids import content_hash
from bowerbird.core.records import SYSTEM, Finding
from bowerbird.core.settings import Settings
from bowerbird.index.keeper import IndexKeeper
from bowerbird.index.tables import Tables
from bowerbird.index.writer import Writer
from bowerbird.library.gate import Gate
from bowerbird.store import audit, jobs
from bowerbird.store import backup as backups
from bowerbird.store.database import BACKUPS
from bowerbird.store.jobs import Job
from bowerbird.store.moments import now
from bowerbird.store.retention import DAY, Retention, expire
from bowerbird.store.store import Store
from bowerbird.store.tables import settings as kept_settings

RECEIPTS = "receipts"
"""The folder below the data directory for what each purge removed."""

CLEAN = Path("run") / "clean"
"""There while no writer runs and the last one ended as it should."""

_DAILY = "daily-at"
SETTINGS_SUM = "settings-sum"
_TOLD_SECONDS = 0.5
_LOOK_SECONDS = 300.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OldBackup:
    """A backup that a purge cannot reach; `there` says whether its file still is where it was written."""

    path: str
    created: float
    there: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a purge removed, by kind, and the backups made before it; `at` in seconds since 1970 UTC."""

    at: float
    seconds: float
    removed: dict[str, int]
    unreachable: tuple[OldBackup, ...]
    path: str = ""


class Maintenance:
    """Needs the writer's lock, and the writer opened."""

    def __init__(self, store: Store, tables: Tables, writer: Writer, settings: Settings, gate: Gate) -> None:
        self._store = store
        self._settings = settings
        self._writer = writer
        self._gate = gate
        self._index = IndexKeeper(store, tables, writer)
        self._looked = float("-inf")

    def backup(self, job: Job) -> str:
        """Run a job `backup`; returns what to tell. Raises Interrupted where it was cancelled."""
        told = 0.0

        def report(what: str, done: int, total: int) -> None:
            nonlocal told
            if time.monotonic() - told < _TOLD_SECONDS:
                return
            told = time.monotonic()
            with self._store.database.write() as connection:
                jobs.progress(connection, job.id, done, total, 0, what)
                if jobs.get(connection, job.id).state == "cancelled":
                    raise Interrupted("The backup was cancelled.")

        return f"written to {self.write_backup(None, report).path}"

    def write_backup(self, target: Path | None, report: backups.Report) -> backups.Written:
        """Write a backup; in the data directory's own folder only the newest few are kept."""
        return write_backup(self._store, self._settings, target, report)

    def purge(self) -> Receipt:
        """Remove every byte of what was deleted, but for the backups that the receipt names; idempotent."""
        begun, at = time.monotonic(), now()
        with self._gate.closed():
            while any([self._writer.apply(generation) for generation in self._writer.living()]):
                pass
            self._writer.drop_stale_vectors()
            removed = {**self._index.purge(()), **self._store.keeper.purge(())}
            backups.remove_unfinished(self._store.home / BACKUPS)
        with self._store.database.write() as connection:
            audit.record(connection, SYSTEM, "library.purged")
            before = [one for one in backups.listed(connection) if one.created < at]
        unreachable = tuple(OldBackup(one.path, one.created, Path(one.path).exists()) for one in before)
        receipt = Receipt(at, round(time.monotonic() - begun, 3), removed, unreachable)
        return _kept(self._store.home, receipt)

    def reconcile(self) -> list[Finding]:
        """Compare the index with SQL, and mend what differs; returns what was found."""
        with self._gate.closed():
            found = list(self._index.verify())
            if found:
                _log.warning("%d differences between store and index are mended, the first: %s", len(found), found[0])
                self._index.repair(found)
        return found

    def daily(self) -> bool:
        """Do what is due once a day: old rows leave, files of the index are read again; returns whether it was due."""
        if time.monotonic() < self._looked + _LOOK_SECONDS:
            return False
        self._looked = time.monotonic()
        with self._store.database.read() as connection:
            last = connection.execute(select(kept_settings.c.value).where(kept_settings.c.name == _DAILY)).scalar()
        if last is not None and now() - float(last) < DAY:
            return False
        names = ("audit_days", "jobs_days", "failures_days", "queries_days")
        with self._store.database.write() as connection:
            expire(connection, Retention(*(self._settings.get(name, int) for name in names)), now())
            _remember(connection, _DAILY, str(now()))
        self.reconcile()
        return True


def write_backup(store: Store, settings: Settings, target: Path | None, report: backups.Report) -> backups.Written:
    """Write a backup; of those in the data directory's own folder only the newest few are kept (`backups_kept`)."""
    written = backups.write(store, target, report)
    with store.database.write() as connection:
        audit.record(connection, SYSTEM, "library.backed-up", written.id)
    kept = settings.get("backups_kept", int)
    own = sorted((store.home / BACKUPS).glob(f"bowerbird-*{backups.ENDING}"), reverse=True)
    for old in own[kept:] if kept and target is None else ():
        old.unlink()
        with store.database.write() as connection:
            backups.forget(connection, str(old.absolute()))
    return written


def settings_sum(home: Path) -> str:
    """Return the SHA-256 of a library's settings file, "" where there is none."""
    try:
        return content_hash((home / backups.SETTINGS).read_bytes())
    except FileNotFoundError:
        return ""


def note_settings(store: Store) -> None:
    """Remember which settings file a writer began with."""
    with store.database.write() as connection:
        _remember(connection, SETTINGS_SUM, settings_sum(store.home))


def settings_changed(store: Store) -> bool:
    """Tell whether the settings file is another one than when a writer last began."""
    with store.database.read() as connection:
        kept = connection.execute(select(kept_settings.c.value).where(kept_settings.c.name == SETTINGS_SUM)).scalar()
    return kept is not None and kept != settings_sum(store.home)


def _remember(connection: Connection, name: str, value: str) -> None:
    values = {"name": name, "value": value}
    statement = insert(kept_settings).values(**values)
    connection.execute(statement.on_conflict_do_update(index_elements=[kept_settings.c.name], set_=values))


def begun(home: Path) -> bool:
    """Note that a writer runs; returns whether the last one ended as it should."""
    try:
        (home / CLEAN).unlink()
    except FileNotFoundError:
        return False
    return True


def ended(home: Path) -> None:
    """Note that the writer ended as it should."""
    with suppress(OSError):  # a full disk: the next start looks more closely, which is all
        (home / CLEAN).touch()


def _kept(home: Path, receipt: Receipt) -> Receipt:
    folder = home / RECEIPTS
    folder.mkdir(exist_ok=True, mode=0o700)
    path = folder / f"purge-{time.strftime('%Y%m%d-%H%M%S', time.gmtime(receipt.at))}.json"
    whole = Receipt(**{**asdict(receipt), "unreachable": receipt.unreachable, "path": str(path)})
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(whole)))
    draft.rename(path)
    return whole
