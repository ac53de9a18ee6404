"""The sources of a library, as rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from bowerbird.core.errors import NotFoundError
from bowerbird.core.ids import new_id
from bowerbird.core.records import Failure
from bowerbird.store.access import ensure_scope
from bowerbird.store.lists import listed as listed_values
from bowerbird.store.moments import from_row, now
from bowerbird.store.scopes import refresh
from bowerbird.store.tables import failures, items, scope_entries, scopes, sources


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source. `state` is new, ok or failed; `failures` counts what its last sync could not list or read.

    `policy` says who may read it (`scopes.POLICIES`); `owner` is the id of the person whose it is.
    """

    id: str
    name: str
    kind: str
    location: str
    acl_id: int
    state: str
    error: str
    checkpoint: str
    last_sync: datetime | None
    items: int = 0
    failures: int = 0
    policy: str = "private"
    owner: str = "owner"


def add(connection: Connection, kind: str, location: str, name: str, owner: str = "owner") -> SourceRow:
    """Register a source, or return the one that is registered for this location. A name that is taken gets a number.

    Only its owner (the id of a person) may read it, until its policy is changed.
    """
    found = connection.execute(select(sources.c.id).where(sources.c.location == location)).scalar()
    if found is None:
        taken = set(connection.execute(select(sources.c.name)).scalars())
        free = next(n for n in (name, *(f"{name}-{count}" for count in range(2, len(taken) + 3))) if n not in taken)
        found = new_id()
        values = {"id": found, "name": free, "kind": kind, "location": location, "created": now(), "state": "new"}
        values |= {"acl_id": ensure_scope(connection, found), "owner": owner}
        connection.execute(insert(sources).values(**values))
        refresh(connection, found)
    return get(connection, found)


def listed(connection: Connection) -> list[SourceRow]:
    """Return all sources with their counts, by name."""
    counts = dict(_pairs(connection, select(items.c.source_id, func.count()).group_by(items.c.source_id)))
    failed = dict(_pairs(connection, select(failures.c.source_id, func.count()).group_by(failures.c.source_id)))
    rows = connection.execute(select(sources).order_by(sources.c.name)).mappings()
    return [_row(row, counts.get(row["id"], 0), failed.get(row["id"], 0)) for row in rows]


def seen(connection: Connection, allowed: Collection[int]) -> list[SourceRow]:
    """Return the sources with items in these scopes, and how many, by name.

    Where a source lies, and how its last sync went, tells of what else is in it: that is left out.
    """
    mine = select(items.c.source_id, func.count()).where(items.c.acl_id.in_(listed_values(allowed)))
    counts = dict(_pairs(connection, mine.group_by(items.c.source_id)))
    wanted = select(sources).where(sources.c.id.in_(listed_values(counts))).order_by(sources.c.name)
    rows = [_row(row, counts[row["id"]], 0) for row in connection.execute(wanted).mappings()]
    return [replace(row, location="", state="ok", error="", checkpoint="", owner="") for row in rows]


def synced_ids(connection: Connection) -> set[str]:
    """Return the ids of the sources that were listed at least once."""
    return set(connection.execute(select(sources.c.id).where(sources.c.last_sync.is_not(None))).scalars())


def get(connection: Connection, source_id: str) -> SourceRow:
    """Return one source by id; raises NotFoundError."""
    row = connection.execute(select(sources).where(sources.c.id == source_id)).mappings().first()
    if row is None:
        raise NotFoundError("There is no such source.", "`bowerbird sources list` shows all of them.")
    return _row(row, 0, 0)


def named(connection: Connection, name: str) -> SourceRow:
    """Return one source by name or location; raises NotFoundError."""
    wanted = (sources.c.name == name) | (sources.c.location == name) | (sources.c.id == name)
    found = connection.execute(select(sources.c.id).where(wanted)).scalar()
    if found is None:
        raise NotFoundError(f"There is no source named {name}.", "`bowerbird sources list` shows all of them.")
    return get(connection, found)


def set_policy(connection: Connection, source_id: str, policy: str) -> None:
    """Change who may read a source; rows of scopes follow, nothing else does."""
    connection.execute(update(sources).where(sources.c.id == source_id).values(policy=policy))
    refresh(connection, source_id)


def remove(connection: Connection, source_id: str) -> None:
    """Forget a source whose items are gone, with its scopes."""
    connection.execute(delete(sources).where(sources.c.id == source_id))
    mine = select(scopes.c.acl_id).where(scopes.c.source_id == source_id)
    connection.execute(delete(scope_entries).where(scope_entries.c.acl_id.in_(mine)))
    connection.execute(delete(scopes).where(scopes.c.source_id == source_id))


def synced(connection: Connection, source_id: str, checkpoint: str, error: str = "") -> None:
    """Record the end of a sync."""
    values = {"last_sync": now(), "checkpoint": checkpoint, "state": "failed" if error else "ok", "error": error}
    connection.execute(update(sources).where(sources.c.id == source_id).values(**values))


def set_failures(connection: Connection, source_id: str, found: Iterable[Failure], replace: bool) -> None:
    """Record what could not be read; `replace` forgets what was recorded before, but for members of containers."""
    if replace:
        old = failures.c.source_id == source_id, failures.c.key.not_like("%!/%")
        connection.execute(delete(failures).where(*old))
    rows = {f.key: {"source_id": source_id, "key": f.key, "code": f.code, "cause": f.cause, "at": now()} for f in found}
    if rows:
        statement = insert(failures)
        changed = {name: statement.excluded[name] for name in ("code", "cause", "at")}
        keys = [failures.c.source_id, failures.c.key]
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), list(rows.values()))


def forget_member_failures(connection: Connection, source_id: str, containers: Iterable[str]) -> None:
    """Forget what could not be read inside these containers (they are read again, or gone)."""
    for key in containers:
        inside = failures.c.key.between(f"{key}!/", f"{key}!/\U0010ffff")
        connection.execute(delete(failures).where(failures.c.source_id == source_id, inside))


def failed(connection: Connection, limit: int) -> list[tuple[str, Failure]]:
    """Return (source name, what could not be read), newest first."""
    statement = (
        select(sources.c.name, failures.c.key, failures.c.code, failures.c.cause)
        .join(sources, sources.c.id == failures.c.source_id)
        .order_by(failures.c.at.desc(), failures.c.key)
        .limit(limit)
    )
    return [(name, Failure(key, code, cause)) for name, key, code, cause in connection.execute(statement)]


def _pairs(connection: Connection, statement: Any) -> list[tuple[str, int]]:
    return [(row[0], row[1]) for row in connection.execute(statement)]


def _row(row: Any, count: int, failed_count: int) -> SourceRow:
    return SourceRow(
        row["id"], row["name"], row["kind"], row["location"], row["acl_id"], row["state"], row["error"],
        row["checkpoint"], from_row(row["last_sync"]), count, failed_count, row["policy"], row["owner"],
    )  # fmt: skip


def ids_by_name(connection: Connection) -> dict[str, str]:
    """Return the ids of all sources by their names in lower case."""
    return {name.lower(): source_id for name, source_id in connection.execute(select(sources.c.name, sources.c.id))}
