"""Jobs: what any process asks for and the one worker does; leases expire, and the third failed attempt is the last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, and_, func, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from bowerbird.core.errors import NotFoundError
from bowerbird.core.ids import new_id
from bowerbird.store.moments import from_row, now
from bowerbird.store.tables import jobs

JobState = Literal["queued", "running", "done", "failed", "cancelled"]

LEASE_SECONDS = 60.0
MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Job:
    """One job's row; `done` and `total` count items, `failed` those that ended without content."""

    id: str
    kind: str
    source_id: str | None
    state: JobState
    done: int
    total: int
    failed: int
    message: str
    attempts: int
    created: datetime | None
    started: datetime | None
    ended: datetime | None


def enqueue(connection: Connection, kind: str, source_id: str | None) -> Job:
    """Ask for a job; one that is asked for already and has not begun is returned instead."""
    same = and_(jobs.c.kind == kind, jobs.c.source_id.is_not_distinct_from(source_id), jobs.c.state == "queued")
    found = connection.execute(select(jobs.c.id).where(same)).scalar()
    if found is None:
        found = new_id()
        values = {"id": found, "kind": kind, "source_id": source_id, "state": "queued", "created": now()}
        connection.execute(insert(jobs).values(**values))
    return get(connection, found)


def claim(connection: Connection, owner: str) -> Job | None:
    """Take the oldest job that waits, or whose lease has run out; None where there is nothing to do."""
    expired = and_(jobs.c.state == "running", jobs.c.lease_until < now())
    connection.execute(
        update(jobs)
        .where(expired, jobs.c.attempts >= MOST_ATTEMPTS)
        .values(state="failed", message="given up after three attempts", ended=now())
    )
    wanted = (
        select(jobs.c.id).where(or_(jobs.c.state == "queued", expired)).order_by(jobs.c.created, jobs.c.id).limit(1)
    )
    found = connection.execute(wanted).scalar()
    if found is None:
        return None
    values = {"state": "running", "lease_owner": owner, "lease_until": now() + LEASE_SECONDS, "started": now()}
    connection.execute(update(jobs).where(jobs.c.id == found).values(attempts=jobs.c.attempts + 1, **values))
    return get(connection, found)


def reclaim(connection: Connection) -> None:
    """End the leases of a worker that is gone; only the holder of the writer's lock may call this."""
    connection.execute(update(jobs).where(jobs.c.state == "running").values(lease_until=0.0))


def progress(connection: Connection, job_id: str, done: int, total: int, failed: int, message: str = "") -> None:
    """Record how far a job is and extend its lease."""
    values = {"done": done, "total": total, "failed": failed, "message": message, "lease_until": now() + LEASE_SECONDS}
    connection.execute(update(jobs).where(jobs.c.id == job_id, jobs.c.state == "running").values(**values))


def finish(connection: Connection, job_id: str, state: JobState, message: str = "") -> None:
    """Record the end of a running job; one that was cancelled meanwhile stays cancelled."""
    values = {"state": state, "message": message, "ended": now()}
    connection.execute(update(jobs).where(jobs.c.id == job_id, jobs.c.state == "running").values(**values))


def cancel(connection: Connection, job_id: str) -> None:
    """Cancel a job that waits or runs; one that has ended stays as it is."""
    values = {"state": "cancelled", "ended": now()}
    connection.execute(
        update(jobs).where(jobs.c.id == job_id, jobs.c.state.in_(("queued", "running"))).values(**values)
    )


def get(connection: Connection, job_id: str) -> Job:
    """Return one job; raises NotFoundError."""
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).mappings().first()
    if row is None:
        raise NotFoundError("There is no such job.", "`bowerbird status` shows the jobs.")
    return _job(row)


def recent(connection: Connection, limit: int = 10) -> list[Job]:
    """Return the newest jobs, newest first."""
    return [
        _job(row) for row in connection.execute(select(jobs).order_by(jobs.c.created.desc()).limit(limit)).mappings()
    ]


def unfinished(connection: Connection) -> int:
    """Return how many jobs wait or run."""
    wanted = select(func.count()).where(jobs.c.state.in_(("queued", "running")))
    return int(connection.execute(wanted).scalar_one())


def _job(row: Any) -> Job:
    return Job(
        row["id"], row["kind"], row["source_id"], row["state"], row["done"], row["total"], row["failed"],
        row["message"], row["attempts"], from_row(row["created"]), from_row(row["started"]), from_row(row["ended"]),
    )  # fmt: skip
