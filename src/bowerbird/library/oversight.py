"""What an admin looks after: what needs attention, what could not be read, and what takes how much room."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
from sqlalchemy import Connection, func, select

from bowerbird.core.records import Principal
from bowerbird.store import audit, backup, jobs, quarantine
from bowerbird.store.identity_tables import groups, people
from bowerbird.store.jobs import Job
from bowerbird.store.moments import now
from bowerbird.store.quarantine import Refused
from bowerbird.store.retention import DAY
from bowerbird.store.tables import documents, renders, vectors

if TYPE_CHECKING:
    from bowerbird.library.library import Library
    from bowerbird.library.maintaining import Receipt
    from bowerbird.library.status import Status

LOW_DISK = 0.05
"""The share of the disk below which little room is a concern; and the bytes above which it is none."""
ENOUGH_DISK = 20 << 30

OLD_BACKUP = 7
"""Days after which the newest backup is called old."""

_BLOBS = {"documents": documents.c.blob, "vectors": vectors.c.blob, "renders": renders.c.blob}
_FOLDERS = {"index": "index", "models": "models", "backups": "backups"}


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that somebody should look at. `page` is where; `code` is stable, `text` a sentence for people."""

    code: str
    level: Literal["bad", "note"]
    text: str
    page: str


@dataclass(frozen=True, slots=True)
class Overview:
    """A library at a glance. `pending` items are not yet found by words, `pending_vectors` not yet by meaning."""

    items: int
    passages: int
    pending: int
    pending_vectors: int
    refused: int
    sources: int
    people: int
    groups: int
    jobs: int
    model: str
    guard: str
    concerns: tuple[Concern, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """What one part of a library takes, in bytes, in how many files."""

    part: str
    bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class Storage:
    """What a library takes on its disk, in bytes. `free` and `total` are those of the disk that holds `home`."""

    home: str
    shares: tuple[Share, ...]
    bytes: int
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class Refusals:
    """A page of what could not be read; `codes` counts all of the source by code, `next` is the offset after, or 0."""

    refused: tuple[Refused, ...]
    codes: dict[str, int]
    total: int
    next: int


class Oversight:
    """What admins read and set going, over one library."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def overview(self) -> Overview:
        """Return how the library stands and what needs attention."""
        status = self._library.status()
        with self._library.store.database.read() as connection:
            refused = sum(quarantine.codes(connection).values())
            persons = int(connection.execute(select(func.count()).select_from(people)).scalar_one())
            made = int(connection.execute(select(func.count()).select_from(groups)).scalar_one())
            kept = _of_backups(connection) if status.items else ()
            concerns = (*_of_status(status, refused), *_of_people(connection), *kept, *_of_disk(self._library.home))
        return Overview(
            items=status.items,
            passages=status.passages,
            pending=status.pending,
            pending_vectors=status.pending_vectors,
            refused=refused,
            sources=len(status.sources),
            people=persons,
            groups=made,
            jobs=sum(job.state in ("queued", "running") for job in status.jobs),
            model=status.model,
            guard="" if status.guard is None else status.guard.network,
            concerns=concerns,
        )

    def refused(self, code: str = "", source: str = "", offset: int = 0, limit: int = 50) -> Refusals:
        """Return what could not be read and why, newest first."""
        with self._library.store.database.read() as connection:
            counts = quarantine.codes(connection, source)
            found = quarantine.listed(connection, code, source, offset, limit)
        total = counts.get(code, 0) if code else sum(counts.values())
        after = offset + len(found)
        return Refusals(tuple(found), counts, total, after if found and after < total else 0)

    def retry(self, by: Principal, item_ids: Sequence[str]) -> int:
        """Let these items be read again; returns how many of them were refused before."""
        with self._library.store.database.write() as connection:
            again = quarantine.retry(connection, item_ids)
            for item_id in again:
                audit.record(connection, by, "quarantine.retried", item_id)
        return len(again)

    def retry_all(self, by: Principal, code: str = "", source: str = "") -> int:
        """Let everything that was refused with a code, in a source, be read again; returns how many."""
        with self._library.store.database.write() as connection:
            number = quarantine.retry_all(connection, code, source)
            if number:
                audit.record(connection, by, "quarantine.retried", code or "all")
        return number

    def jobs(self, limit: int = 20) -> list[Job]:
        """Return the newest jobs, newest first."""
        with self._library.store.database.read() as connection:
            return jobs.recent(connection, limit)

    def receipts(self, limit: int = 5) -> list[Receipt]:
        """Return the receipts of the newest purges, newest first; one that cannot be read is left out."""
        from bowerbird.library.maintaining import RECEIPTS, Receipt

        found: list[Receipt] = []
        for path in sorted((self._library.home / RECEIPTS).glob("*.json"), reverse=True)[:limit]:
            with suppress(OSError, ValueError):
                found.append(msgspec.json.decode(path.read_bytes(), type=Receipt))
        return found

    def storage(self) -> Storage:
        """Return what takes how much room, the largest first; looks at every file of the library."""
        home = self._library.home
        with self._library.store.database.read() as connection:
            kinds = {name: kind for kind, blob in _BLOBS.items() for (name,) in connection.execute(select(blob))}
        taken, number = Counter[str](), Counter[str]()
        for path, size in _files(home):
            part = _part_of(path.relative_to(home), kinds)
            taken[part] += size
            number[part] += 1
        disk = shutil.disk_usage(home)
        shares = tuple(Share(part, size, number[part]) for part, size in taken.most_common())
        return Storage(str(home), shares, sum(taken.values()), disk.free, disk.total)


def _of_status(status: Status, refused: int) -> Iterator[Concern]:
    if status.problem:
        yield Concern("worker", "bad", f"The worker stumbled and tries again: {status.problem}", "/admin/activity")
    for source in status.sources:
        if source.state == "failed":
            text = f"The source {source.name} could not be read: {source.error}"
            yield Concern("source-failed", "bad", text, "/admin/sources")
    if status.model != "ready":
        yield Concern("model", "bad", f"Search by meaning is off: {status.model}.", "/admin/storage")
    if status.guard is not None and status.guard.network == "none":
        yield Concern("guard", "bad", "Parsers of foreign files can reach the network.", "/admin/activity")
    if refused:
        text = f"{refused:,} file{'' if refused == 1 else 's'} could not be read and {'is' if refused == 1 else 'are'}"
        yield Concern("quarantine", "note", f"{text} found by name only.", "/admin/activity#quarantine")


def _of_people(connection: Connection) -> Iterator[Concern]:
    bare = (people.c.role.in_(("admin", "owner")), people.c.password != "", people.c.totp_secret == "")
    number = int(connection.execute(select(func.count()).where(*bare, people.c.state == "active")).scalar_one())
    if number:
        who = "1 admin signs" if number == 1 else f"{number} admins sign"
        yield Concern("second-factor", "note", f"{who} in with a password and no second factor.", "/admin/people")


def _of_backups(connection: Connection) -> Iterator[Concern]:
    written = backup.listed(connection)
    days = int((now() - written[0].created) / DAY) if written else 0
    if not written or days >= OLD_BACKUP:
        text = f"The newest backup is {days} days old." if written else "There is no backup yet."
        yield Concern("backup", "note", text, "/admin/storage")


def _of_disk(home: Path) -> Iterator[Concern]:
    disk = shutil.disk_usage(home)
    if disk.free < min(LOW_DISK * disk.total, ENOUGH_DISK):
        yield Concern("disk", "bad", f"Only {disk.free / 1e9:.1f} GB are left on the disk.", "/admin/storage")


def _files(folder: Path) -> Iterator[tuple[Path, int]]:
    """Yield every file below a folder with its size; what vanishes meanwhile is left out."""
    for at, _, names in os.walk(folder):
        for name in names:
            path = Path(at, name)
            try:
                yield path, path.lstat().st_size
            except FileNotFoundError:
                continue


def _part_of(path: Path, kinds: dict[str, str]) -> str:
    top = path.parts[0]
    if top.startswith("bowerbird.sqlite"):
        return "database"
    if top == "blobs":
        return kinds.get("".join(path.parts[1:]), "unused")
    return _FOLDERS.get(top, "other")
