"""The audit log: append-only and chained, so that a row that was changed, taken out or put in is found.

A row holds when, who (a person's pseudonym, `system`, or `nobody`), what, and the id of what it was done to; never a
title, a query or a name. Erasing a person removes the only table that ties the pseudonym to somebody. What is not an id
(a group's id holds its name) is written as a code: a hash keyed by a secret of this library.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.sqlite import insert

from bowerbird.core.records import SYSTEM, Principal
from bowerbird.store.identity_tables import audit, groups, people
from bowerbird.store.moments import now
from bowerbird.store.tables import settings

SYSTEM_ACTOR, NOBODY = "system", "nobody"

_START, _KEY = "audit-start", "audit-key"
_ACTION = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
_ID = re.compile(r"[0-9a-hjkmnp-tv-z]{13}|owner|all|")
"""What `core.ids` makes, and the words that stand for the first owner and for everything."""


@dataclass(frozen=True, slots=True)
class Event:
    """One row: `at` in seconds since 1970 UTC, `actor` a pseudonym, `action` dotted lower case, `object` an id."""

    id: int
    at: float
    actor: str
    action: str
    object: str
    hash: str


def record(connection: Connection, principal: Principal | None, action: str, subject: str = "") -> None:
    """Append what a principal did (`rule.added`) to what (an id); None stands for somebody who is not signed in.

    Raises ValueError for an action that could hold words of somebody.
    """
    if not _ACTION.fullmatch(action):
        raise ValueError(f"an action is dotted lower case, not {action[:40]!r}")
    newest = connection.execute(select(audit.c.hash).order_by(audit.c.id.desc()).limit(1)).scalar()
    before = newest or _start(connection)[1]
    at, actor = now(), _actor(connection, principal)
    written = subject if _ID.fullmatch(subject) else code(_key(connection), subject)
    values = {"at": at, "actor": actor, "action": action, "object": written}
    connection.execute(insert(audit).values(**values, hash=chained(before, at, actor, action, written)))


def code(key: str, subject: str) -> str:
    """Return what stands in the log for something that is not an id, such as a group: a keyed hash (HMAC-SHA-256)."""
    return f"code-{hmac.digest(key.encode(), subject.encode(), 'sha256').hex()[:16]}"


def chained(before: str, at: float, actor: str, action: str, subject: str) -> str:
    """Return the hash of a row: SHA-256 over the hash before it and its fields, in hexadecimal."""
    return hashlib.sha256("\x1f".join((before, repr(at), actor, action, subject)).encode()).hexdigest()


def listed(connection: Connection, before: int = 0, limit: int = 100, action: str = "") -> list[Event]:
    """Return events, newest first; with `before`, those older than that id; with `action`, only those."""
    statement = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if before:
        statement = statement.where(audit.c.id < before)
    if action:
        statement = statement.where(audit.c.action == action)
    return [Event(*row) for row in connection.execute(statement)]


def count(connection: Connection) -> int:
    """Return how many events there are."""
    return int(connection.execute(select(func.count()).select_from(audit)).scalar_one())


def actions(connection: Connection) -> list[str]:
    """Return every action that occurs, by name."""
    return list(connection.execute(select(audit.c.action).distinct().order_by(audit.c.action)).scalars())


def handles(connection: Connection) -> tuple[dict[str, str], dict[str, str]]:
    """Return the handles of people by their pseudonym; and, by what the log calls them, of people and of groups.

    Who was erased is in neither.
    """
    rows = connection.execute(select(people.c.pseudonym, people.c.id, people.c.handle)).all()
    named = {row.id: row.handle for row in rows}
    key = _key(connection, make=False)
    if key:
        ids = connection.execute(select(groups.c.id)).scalars()
        named |= {code(key, group): group for group in ids}
    return {row.pseudonym: row.handle for row in rows}, named


def exported(connection: Connection) -> Iterator[Event]:
    """Yield all events, oldest first."""
    for row in connection.execute(select(audit).order_by(audit.c.id)):
        yield Event(*row)


def broken(connection: Connection) -> list[int]:
    """Return the ids of events whose hash does not follow from the one before (or whose number does not)."""
    wrong = []
    last, before = _start(connection)
    for event in exported(connection):
        expected = chained(before, event.at, event.actor, event.action, event.object)
        if event.hash != expected or event.id != last + 1:
            wrong.append(event.id)
        before, last = event.hash, event.id
    return wrong


def set_start(connection: Connection, number: int, hashed: str) -> None:
    """Remember the number and the hash of the newest row that was dropped for its age; the next one follows from it."""
    values = {"name": _START, "value": f"{number}:{hashed}"}
    statement = insert(settings).values(**values)
    connection.execute(statement.on_conflict_do_update(index_elements=[settings.c.name], set_=values))


def _start(connection: Connection) -> tuple[int, str]:
    found = connection.execute(select(settings.c.value).where(settings.c.name == _START)).scalar()
    number, _, hashed = (found or "0:").partition(":")
    return int(number), hashed


def _key(connection: Connection, make: bool = True) -> str:
    found: str | None = connection.execute(select(settings.c.value).where(settings.c.name == _KEY)).scalar()
    if found is None and make:
        found = secrets.token_hex(32)
        connection.execute(insert(settings).values(name=_KEY, value=found))
    return found or ""


def _actor(connection: Connection, principal: Principal | None) -> str:
    if principal is None:
        return NOBODY
    if principal == SYSTEM:
        return SYSTEM_ACTOR
    person = principal.name.removeprefix("user:")
    found: str | None = connection.execute(select(people.c.pseudonym).where(people.c.id == person)).scalar()
    return found or NOBODY
