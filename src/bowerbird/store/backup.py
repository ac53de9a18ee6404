"""A backup: one file, `.tar.zst`, for its owner only, that appears whole or not at all.

    about.json      format, schema, version and time: enough to refuse a newer one before anything is unpacked
    bowerbird.sqlite    one consistent state of the truth (VACUUM INTO, so without what was deleted)
    settings.toml   where there is one
    blobs/aa/bb...  the blobs that state refers to
    manifest.json   sha256 and size of every file, counts, and blobs that were damaged already; the last, so a cut file
                    has none

Models and the index are left out: models come from packages, and the index is made again from the blobs (vectors are
among them, so nothing is read or embedded again).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import zstandard
from sqlalchemy import Connection

from bowerbird import __version__
from bowerbird.core.errors import BackupError, StoreError
from bowerbird.core.ids import new_id
from bowerbird.core.records import to_json
from bowerbird.store.database import BACKUPS, HEAD, exclusively, explained
from bowerbird.store.moments import now
from bowerbird.store.store import Store
from bowerbird.store.tables import backups

FORMAT = 1
ABOUT, MANIFEST, DATABASE, SETTINGS, BLOBS = "about.json", "manifest.json", "bowerbird.sqlite", "settings.toml", "blobs"
ENDING, UNFINISHED = ".tar.zst", ".unfinished-"
_NEW_SECONDS = 60.0

Report = Callable[[str, int, int], None]
"""Is told (what, done, in all), in blobs; it may raise to stop."""


@dataclass(frozen=True, slots=True)
class About:
    """What a backup is: `format` of the file, `schema` of the SQL, Bowerbird's version, seconds since 1970 UTC."""

    format: int
    schema: str
    version: str
    created: float


@dataclass(frozen=True, slots=True)
class Kept:
    """One file of a backup: size in bytes, SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything in a backup; `missing` are blobs that could not be read (derived: they are made again)."""

    about: About
    files: dict[str, Kept] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Written:
    """A finished backup; `size` in bytes."""

    id: str
    path: str
    created: float
    size: int
    counts: dict[str, int]
    missing: int


def write(store: Store, target: Path | None, report: Report = lambda what, done, total: None) -> Written:
    """Back a library up while others write, into a file, a folder, or the data directory's own folder (None).

    The blobs of the state that is backed up cannot be swept meanwhile. Raises BackupError where the target exists,
    DiskFullError, and whatever `report` raises; then nothing is left behind.
    """
    about = About(FORMAT, HEAD, __version__, now())
    final = _place(store.home, target, about.created)
    with explained(final), store.blobs.kept():
        final.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        remove_unfinished(final.parent)
        with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=final.parent) as scratch:
            draft = Path(scratch) / final.name
            with _locked(draft) as file:
                manifest = _packed(store, about, file, Path(scratch) / DATABASE, report)
            draft.rename(final)
            _flush(final.parent)
    size = final.stat().st_size
    written = Written(new_id(), str(final), about.created, size, manifest.counts, len(manifest.missing))
    with store.database.write() as connection:
        values = {"id": written.id, "path": written.path, "created": written.created, "size": size}
        connection.execute(backups.insert().values(**values))
    return written


def listed(connection: Connection) -> list[Written]:
    """Return the backups that were written, newest first; whether their files are still there is another question."""
    rows = connection.execute(backups.select().order_by(backups.c.created.desc()))
    return [Written(row.id, row.path, row.created, row.size, {}, 0) for row in rows]


def forget(connection: Connection, path: str) -> None:
    """Forget a backup whose file was removed by us."""
    connection.execute(backups.delete().where(backups.c.path == path))


def _place(home: Path, target: Path | None, moment: float) -> Path:
    """Return the file to write."""
    from datetime import UTC, datetime

    name = f"bowerbird-{datetime.fromtimestamp(moment, UTC):%Y%m%d-%H%M%S}{ENDING}"
    if target is None:
        target = home / BACKUPS
        target.mkdir(exist_ok=True, mode=0o700)
    place = target / name if target.is_dir() else target
    if place.exists():
        raise BackupError(f"There is a file {place} already.", "Name another one, or a folder.")
    if not place.name.endswith(ENDING):
        raise BackupError(
            f"{place} is neither a folder nor a name that ends in {ENDING}.", "Make the folder first, or name a file."
        )
    return place.absolute()


@contextlib.contextmanager
def _locked(draft: Path) -> Iterator[IO[bytes]]:
    """Give the file to write to, locked so that nobody takes it for one that was left behind; flush it at the end."""
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
        file.flush()
        os.fsync(file.fileno())


def remove_unfinished(folder: Path) -> None:
    """Remove what backups that were killed left in a folder; those that run hold a lock on their draft."""
    import shutil

    for left in folder.glob(f"{UNFINISHED}*"):
        drafts = list(left.glob(f"*{ENDING}"))
        if not drafts and not any(left.iterdir()) and left.stat().st_mtime > now() - _NEW_SECONDS:
            continue  # it may just begin
        with contextlib.ExitStack() as files:
            if all(exclusively(files.enter_context(draft.open("rb")).fileno()) for draft in drafts):
                shutil.rmtree(left, ignore_errors=True)


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _packed(store: Store, about: About, file: IO[bytes], copy: Path, report: Report) -> Manifest:
    report("database", 0, 0)
    store.database.snapshot(copy)
    names, counts = _contents(copy)
    manifest = Manifest(about, counts={**counts, "blobs": len(names)})
    compressor = zstandard.ZstdCompressor(level=3, write_checksum=True)
    with compressor.stream_writer(file, closefd=False) as stream, tarfile.open(fileobj=stream, mode="w|") as archive:
        packing = _Packing(archive, manifest)
        packing.add(ABOUT, to_json(about))
        packing.add_file(DATABASE, copy)
        if (store.home / SETTINGS).is_file():
            packing.add(SETTINGS, (store.home / SETTINGS).read_bytes())
        for done, name in enumerate(names):
            report("blobs", done, len(names))
            try:
                packing.add(f"{BLOBS}/{name[:2]}/{name[2:]}", store.blobs.packed(name))
            except StoreError:
                manifest.missing.append(name)
        packing.add(MANIFEST, to_json(manifest))
    return manifest


class _Packing:
    """Adds files to an archive and their sums to the manifest."""

    def __init__(self, archive: tarfile.TarFile, manifest: Manifest) -> None:
        self._archive = archive
        self._manifest = manifest

    def add(self, name: str, data: bytes) -> None:
        self._manifest.files[name] = Kept(len(data), hashlib.sha256(data).hexdigest())
        self._archive.addfile(self._entry(name, len(data)), io.BytesIO(data))

    def add_file(self, name: str, path: Path) -> None:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            self._manifest.files[name] = Kept(size, digest)
            self._archive.addfile(self._entry(name, size), file)

    def _entry(self, name: str, size: int) -> tarfile.TarInfo:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode, entry.mtime = size, 0o600, int(self._manifest.about.created)
        return entry


def _contents(copy: Path) -> tuple[list[str], dict[str, int]]:
    """Return the blobs that a copy of the SQL file refers to, and how many rows of what it has."""
    with contextlib.closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        query = "SELECT blob FROM documents UNION SELECT blob FROM vectors UNION SELECT blob FROM renders"
        names = sorted(row[0] for row in connection.execute(query))
        counts = {
            table: int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - our own names
            for table in ("sources", "items", "documents", "people")
        }
    return names, counts
