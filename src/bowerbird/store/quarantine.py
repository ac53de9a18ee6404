"""What could not be read, from both places that hold it: items without content, and entries that were never listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, func, literal, select, union_all

from bowerbird.store import intake, jobs
from bowerbird.store.lists import listed as one_of
from bowerbird.store.moments import from_row
from bowerbird.store.tables import failures, items, sources

_REFUSED = items.c.state.in_(("quarantined", "failed"))
_EVERY = union_all(
    select(
        items.c.id.label("item"), items.c.source_id, items.c.key, items.c.size, items.c.error_code.label("code"),
        items.c.error.label("cause"), items.c.updated.label("at"),
    ).where(_REFUSED),
    select(
        literal("").label("item"), failures.c.source_id, failures.c.key, literal(0).label("size"), failures.c.code,
        failures.c.cause, failures.c.at,
    ),
).subquery("refused")  # fmt: skip
_NAMED = select(_EVERY, sources.c.name).join(sources, sources.c.id == _EVERY.c.source_id)


@dataclass(frozen=True, slots=True)
class Refused:
    """One thing that could not be read; `item` is "" and `size` (bytes) 0 where it could not even be listed."""

    item: str
    source: str
    key: str
    size: int
    code: str
    cause: str
    at: datetime | None


def listed(connection: Connection, code: str = "", source: str = "", offset: int = 0, limit: int = 50) -> list[Refused]:
    """Return what could not be read, newest first; only of this code and of the source of this name, where given."""
    wanted = _narrowed(_NAMED, code, source).order_by(_EVERY.c.at.desc(), sources.c.name, _EVERY.c.key)
    return [
        Refused(row.item, row.name, row.key, row.size, row.code, row.cause, from_row(row.at))
        for row in connection.execute(wanted.offset(offset).limit(limit))
    ]


def codes(connection: Connection, source: str = "") -> dict[str, int]:
    """Return how many there are by code, the most frequent first."""
    number = func.count()
    wanted = select(_EVERY.c.code, number).join(sources, sources.c.id == _EVERY.c.source_id)
    wanted = _narrowed(wanted, "", source).group_by(_EVERY.c.code).order_by(number.desc(), _EVERY.c.code)
    return {code: count for code, count in connection.execute(wanted)}


def retry(connection: Connection, item_ids: Sequence[str]) -> list[str]:
    """Let those of the items that were refused be read again (a member with its container); returns which."""
    refused = select(items.c.id).where(and_(_REFUSED, items.c.id.in_(one_of(item_ids))))
    again = list(connection.execute(refused).scalars())
    intake.requeue_items(connection, again)
    return again


def retry_all(connection: Connection, code: str = "", source: str = "") -> int:
    """Let everything of a code and a source (all, without) be read again; returns how many.

    What could not be listed is listed again by a sync of its source, which this asks for.
    """
    rows = connection.execute(_narrowed(_NAMED, code, source)).all()
    intake.requeue_items(connection, [row.item for row in rows if row.item])
    for source_id in sorted({row.source_id for row in rows if not row.item}):
        jobs.enqueue(connection, "sync", source_id)
    return len(rows)


def _narrowed(statement: Select[Any], code: str, source: str) -> Select[Any]:
    if code:
        statement = statement.where(_EVERY.c.code == code)
    return statement.where(sources.c.name == source) if source else statement
