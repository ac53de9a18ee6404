"""Taking a backup apart: every byte is checked on the way, and nothing counts before all of it is right."""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import zstandard
from sqlalchemy import delete, update

from bowerbird.core.errors import BackupError, SchemaError
from bowerbird.core.records import SYSTEM, from_json
from bowerbird.store import audit
from bowerbird.store.backup import ABOUT, DATABASE, FORMAT, MANIFEST, SETTINGS, About, Kept, Manifest, Report
from bowerbird.store.database import HEAD, Database, explained
from bowerbird.store.identity_tables import attempts, invitations, sessions, tokens
from bowerbird.store.moments import now
from bowerbird.store.store import Store
from bowerbird.store.tables import generations, jobs, outbox, terms

_BLOB = re.compile(r"blobs/[0-9a-f]{2}/[0-9a-f]{62}")
_PLAIN = frozenset((ABOUT, MANIFEST, DATABASE, SETTINGS))
_PIECE = 1 << 20
_MOST_JSON = 1 << 30


def unpack(backup: Path, folder: Path | None, report: Report = lambda what, done, total: None) -> Manifest:
    """Read a whole backup, check every file of it, and write these below a folder (with None they are only checked).

    Raises SchemaError where a newer Bowerbird wrote it, BackupError where it is not whole or not a backup.
    """
    found: dict[str, Kept] = {}
    manifest: Manifest | None = None
    with _reading(backup) as archive:
        for entry in archive:
            source = archive.extractfile(entry) if entry.isfile() else None
            if source is None or entry.name in found or not (entry.name in _PLAIN or _BLOB.fullmatch(entry.name)):
                raise _damaged(backup, f"{entry.name!r} does not belong there")
            if not found:
                _check_about(backup, entry.name, source.read(_PIECE))
                found[ABOUT] = Kept(0, "")
            elif entry.name == MANIFEST:
                manifest = from_json(source.read(_MOST_JSON), Manifest)
            else:
                target = folder / entry.name if folder is not None else None
                found[entry.name] = _copied(source, target)
                report("files", len(found), 0)
    if manifest is None:
        raise _damaged(backup, "its end is missing")
    wanted = {name: kept for name, kept in manifest.files.items() if name != ABOUT}
    wrong = [name for name in sorted(wanted.keys() | found.keys() - {ABOUT}) if wanted.get(name) != found.get(name)]
    if wrong or DATABASE not in found:
        raise _damaged(backup, f"{wrong[0] if wrong else DATABASE} is not what was written")
    return manifest


def prepare(folder: Path) -> None:
    """Make what was unpacked a library that can be opened: checked, migrated, and without what must not come back.

    Nobody stays signed in and no token works (they may have been ended since), jobs are not resumed, and the index is
    forgotten: the next writer makes it anew from the blobs. Raises StoreError where the SQL file is damaged.
    """
    database = Database(folder / DATABASE)
    problems = database.integrity()
    database.close()
    if problems:
        raise BackupError(f"The database in the backup is damaged: {problems[0]}.", "Take another backup.")
    store = Store(folder)
    store.open()
    try:
        with store.database.write() as connection:
            for table in (sessions, tokens, invitations, attempts, generations, outbox, terms):
                connection.execute(delete(table))
            ended = {"state": "cancelled", "ended": now()}
            connection.execute(update(jobs).where(jobs.c.state.in_(("queued", "running"))).values(**ended))
            audit.record(connection, SYSTEM, "library.restored")
        store.database.truncate_log()
    finally:
        store.close()


@contextmanager
def _reading(backup: Path) -> Iterator[tarfile.TarFile]:
    try:
        file = backup.open("rb")
    except OSError as problem:
        raise BackupError(f"The backup {backup} cannot be read: {problem.strerror}.", "Check the path.") from problem
    with file, explained(backup):
        try:
            stream = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=False)
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                yield archive
            while rest := stream.read(_PIECE):  # the end's padding; the frame's own checksum is read behind it
                if rest.strip(b"\0"):
                    raise _damaged(backup, "there is more in it than there should be")
        except (zstandard.ZstdError, tarfile.TarError, ValueError, EOFError) as problem:
            raise _damaged(backup, str(problem)) from problem


def _check_about(backup: Path, name: str, data: bytes) -> None:
    if name != ABOUT:
        raise _damaged(backup, "it does not begin with what it is")
    about = from_json(data, About)
    if about.format > FORMAT or about.schema > HEAD:
        raise SchemaError(
            f"The backup {backup} was written by Bowerbird {about.version} (schema {about.schema}), newer than this"
            f" one knows ({HEAD}).",
            "Install that Bowerbird or a newer one; nothing was changed.",
        )


def _copied(source: IO[bytes], target: Path | None) -> Kept:
    """Copy a file of the archive, flushed, and return what it was."""
    digest, size = hashlib.sha256(), 0
    with _written(target) as write:
        while piece := source.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            write(piece)
    return Kept(size, digest.hexdigest())


@contextmanager
def _written(target: Path | None) -> Iterator[Callable[[bytes], object]]:
    if target is None:
        yield lambda piece: None
        return
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        yield file.write
        if target.name == DATABASE:
            file.flush()
            os.fsync(file.fileno())


def _damaged(backup: Path, what: str) -> BackupError:
    return BackupError(
        f"The backup {backup} is damaged or no backup: {what}.", "Take another backup; nothing was changed."
    )
