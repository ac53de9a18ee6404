"""How long rows are kept: what is older leaves once a day.

The audit log is a chain, so only its oldest part can leave; what its first remaining row follows is kept in `settings`.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select

from bowerbird.store import attempts, audit, queries
from bowerbird.store.identity_tables import audit as audit_rows
from bowerbird.store.identity_tables import invitations, sessions
from bowerbird.store.sessions import EXPLAINED_SECONDS
from bowerbird.store.tables import failures, jobs

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Retention:
    """Days that rows are kept; 0 keeps them for ever."""

    audit_days: int
    jobs_days: int
    failures_days: int
    queries_days: int


def expire(connection: Connection, kept: Retention, now: float) -> dict[str, int]:
    """Remove rows older than they are to be kept at a moment (seconds since 1970 UTC); returns how many by table."""
    gone = {"sessions": 0, "invitations": 0, "audit": 0, "jobs": 0, "failures": 0, "queries": 0}
    gone["sessions"] = connection.execute(delete(sessions).where(sessions.c.ends < now)).rowcount
    told = invitations.c.ends < now - EXPLAINED_SECONDS
    gone["invitations"] = connection.execute(delete(invitations).where(told)).rowcount
    attempts.sweep(connection, now)
    if kept.jobs_days:
        ended = jobs.c.ended < now - kept.jobs_days * DAY
        gone["jobs"] = connection.execute(delete(jobs).where(ended)).rowcount
    if kept.failures_days:
        old = failures.c.at < now - kept.failures_days * DAY
        gone["failures"] = connection.execute(delete(failures).where(old)).rowcount
    if kept.queries_days:
        gone["queries"] = queries.expire(connection, now - kept.queries_days * DAY)
    if kept.audit_days:
        gone["audit"] = _trim_audit(connection, now - kept.audit_days * DAY)
    return {name: count for name, count in gone.items() if count}


def _trim_audit(connection: Connection, before: float) -> int:
    last = connection.execute(select(func.max(audit_rows.c.id)).where(audit_rows.c.at < before)).scalar()
    if last is None:
        return 0
    found = connection.execute(select(audit_rows.c.hash).where(audit_rows.c.id == last)).scalar_one()
    audit.set_start(connection, last, found)
    return connection.execute(delete(audit_rows).where(audit_rows.c.id <= last)).rowcount
