"""Reading what suggestions are made of: names, people, folders and dates of items, and which of them changed.

`name_changes` numbers every change of these columns, by triggers, in the transaction that makes it. So whoever keeps
them in memory (`index.names`) can be brought level with a transaction exactly, by reading what changed since.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, String, bindparam, func, select, type_coerce
from sqlalchemy.dialects import sqlite

from bowerbird.store.identity_tables import name_changes
from bowerbird.store.lists import listed
from bowerbird.store.tables import items, scopes, sources

_SLICE = 500

_COLUMNS = (
    items.c.id, items.c.name, items.c.title, items.c.key, items.c.modified, type_coerce(items.c.people, String),
    items.c.acl_id, items.c.labels,
)  # fmt: skip


class NamedRow(NamedTuple):
    """An item as suggestions know it; `people` is the JSON of its people, `modified` seconds since 1970 UTC.

    `labels` are one a line.
    """

    id: str
    name: str
    title: str
    key: str
    modified: float | None
    people: str
    acl_id: int
    labels: str = ""


def last_change(connection: Connection) -> int:
    """Return the number of the newest change, 0 before the first."""
    found = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'name_changes'").scalar()
    return int(found or 0)


def changed_since(connection: Connection, change: int) -> list[str] | None:
    """Return the items that changed after a change, or None where that is too long ago to be known."""
    row = connection.execute(_CHANGED, {"change": change}).one()
    return None if row[0] is None or row[0] > change + 1 else msgspec.json.decode(row[1], type=list[str])


_OLDEST = select(func.min(name_changes.c.seq)).scalar_subquery()
_CHANGED = select(_OLDEST, func.json_group_array(name_changes.c.item_id.distinct())).where(
    name_changes.c.seq > bindparam("change")
)


def rows_of(connection: Connection, ids: Iterable[str]) -> list[NamedRow]:
    """Return those of the items that exist, the newest first."""
    wanted = list(ids)
    found: list[NamedRow] = []
    for start in range(0, len(wanted), _SLICE):
        some = json.dumps(wanted[start : start + _SLICE])
        found += map(NamedRow._make, _driver(connection).execute(_SOME_SQL, (some,)))
    return sorted(found, key=lambda row: (-(row.modified if row.modified is not None else float("-inf")), row.id))


def every_row(connection: Connection) -> Iterator[tuple[Any, ...]]:
    """Yield every item as the fields of a NamedRow, the newest first; for keeping, as nothing asks who may see it."""
    yield from _driver(connection).execute(_EVERY_SQL)


def _driver(connection: Connection) -> sqlite3.Connection:
    """Return the driver's own connection, in the same transaction: its rows cost a third of SQLAlchemy's."""
    driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    return driver


def _sql(statement: Select[Any]) -> str:
    return str(statement.compile(dialect=sqlite.dialect()))


_GIVEN = select(func.json_each(bindparam("ids")).table_valued("value").c.value)
_EVERY_SQL = _sql(select(*_COLUMNS).order_by(items.c.modified.desc(), items.c.id))
_SOME_SQL = _sql(select(*_COLUMNS).where(items.c.id.in_(_GIVEN)))


def sources_of(connection: Connection, visible: Collection[int]) -> Sequence[str]:
    """Return the names of the sources that hold an item in one of these scopes, by name."""
    held = select(items.c.id).where(items.c.acl_id == scopes.c.acl_id).exists()
    mine = scopes.c.acl_id.in_(listed(visible))
    inside = select(scopes.c.acl_id).where(scopes.c.source_id == sources.c.id, mine, held).exists()
    return list(connection.execute(select(sources.c.name).where(inside).order_by(sources.c.name)).scalars())
