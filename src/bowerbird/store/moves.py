"""Moving items to other scopes: their rows now, one column of their passages through the outbox."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select, update

from bowerbird.core.records import Item
from bowerbird.store import outbox, titles
from bowerbird.store.intake import LAST, folded, stem
from bowerbird.store.lists import listed
from bowerbird.store.scopes import MEMBER, Places, ensure, place_name, prefixes, said_of
from bowerbird.store.tables import items, scopes

_ROWS = select(
    items.c.id, items.c.key, items.c.name, items.c.acl_id, items.c.content_version, scopes.c.key.label("scope")
).join(scopes, scopes.c.acl_id == items.c.acl_id)  # fmt: skip


def moved(connection: Connection, source_id: str, reported: Sequence[Item], changed: Collection[str]) -> int:
    """Put items that their source has in another scope now, and their members, where they belong; returns how many.

    `changed` are the keys of those whose content changed as well: nobody may read the old content in the new scope, so
    it is forgotten until the new one has been read.
    """
    places = Places(connection, source_id)
    wanted = {item.key: places.name(item) for item in reported}
    rows = _at(connection, source_id, wanted)
    inner = _members(connection, source_id, list(wanted))
    holders, emptied = sorted(wanted, key=len), set(changed)
    for row in inner:
        holder = next(key for key in holders if row.key.startswith(key + MEMBER))
        wanted[row.key] = place_name(said_of(wanted[holder]), row.key, places.prefixes)
        emptied |= {row.key} if holder in changed else set()
    return _place(connection, source_id, [*rows, *inner], wanted, emptied)


def resettled(connection: Connection, source_id: str, prefix: str) -> int:
    """Put the items at or below a prefix where they belong after a rule came or went; returns how many moved."""
    ruled = prefixes(connection, source_id)
    below = or_(*(items.c.key.between(prefix + mark, prefix + mark + LAST) for mark in ("/", MEMBER)))
    statement = _ROWS.where(items.c.source_id == source_id)
    if prefix:
        statement = statement.where(or_(items.c.key == prefix, below))
    rows = connection.execute(statement).all()
    wanted = {row.key: place_name(said_of(row.scope), row.key, ruled) for row in rows}
    return _place(connection, source_id, rows, wanted, ())


def _place(
    connection: Connection, source_id: str, rows: Iterable[Any], wanted: Mapping[str, str], changed: Collection[str]
) -> int:
    elsewhere = [row for row in rows if wanted[row.key] != row.scope]
    made = ensure(connection, source_id, {wanted[row.key] for row in elsewhere})
    plain = [row for row in elsewhere if row.key not in changed]
    if plain:
        statement = update(items).where(items.c.id == bindparam("item")).values(acl_id=bindparam("to"))
        connection.execute(statement, [{"item": row.id, "to": made[wanted[row.key]]} for row in plain])
    outbox.append(connection, [(row.id, "scope", 1) for row in plain if row.content_version])
    for row in elsewhere:
        if row.key in changed:
            _emptied(connection, row, made[wanted[row.key]])
    return len(elsewhere)


def _emptied(connection: Connection, row: Any, acl_id: int) -> None:
    title = stem(row.name)
    values = {"acl_id": acl_id, "content_hash": "", "document_id": None, "title": title, "title_folded": folded(title)}
    if row.content_version:
        values["content_version"] = row.content_version + 1
        outbox.append(connection, [(row.id, "put", 1)])
        titles.entered(connection, {row.id: (row.name, title)})
    connection.execute(update(items).where(items.c.id == row.id).values(**values))


def _at(connection: Connection, source_id: str, keys: Collection[str]) -> list[Any]:
    mine = (items.c.source_id == source_id, items.c.key.in_(listed(list(keys))))
    return list(connection.execute(_ROWS.where(*mine)))


def _members(connection: Connection, source_id: str, keys: Sequence[str]) -> list[Any]:
    """Return what lies inside containers with these keys, at any depth."""
    found: list[Any] = []
    level = keys
    while level:
        inside = (items.c.source_id == source_id, items.c.container.in_(listed(level)))
        rows = list(connection.execute(_ROWS.where(*inside)))
        found += rows
        level = [row.key for row in rows]
    return found
