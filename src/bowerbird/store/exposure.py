"""Items that very many people can read, for the report of what is shared too widely. System reads, for admins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, select

from bowerbird.store import inspection, principals
from bowerbird.store.access import PUBLIC
from bowerbird.store.identity_tables import groups
from bowerbird.store.lists import listed
from bowerbird.store.tables import documents, items, scope_entries, sources

WIDE = (PUBLIC, "group:role:guest", "group:role:member")


@dataclass(frozen=True, slots=True)
class Audience:
    """Those of the many that a scope lets in (principals), and how many people may read it in all."""

    to: tuple[str, ...]
    people: int


@dataclass(frozen=True, slots=True)
class Exposed:
    """An item that many can read; `blob` holds its document, "" where it has none."""

    id: str
    source: str
    key: str
    title: str
    blob: str
    to: tuple[str, ...]
    people: int


def broad(connection: Connection, most: int) -> dict[int, Audience]:
    """Return the scopes that let in everybody, guests, members, or a group of more than `most` people."""
    sizes = {group: len(principals.people_in(connection, [group])) for group in _groups(connection)}
    wide = {*WIDE, *(group for group, size in sizes.items() if size > most)}
    entries = inspection.entries_of(connection, None)
    found: dict[int, Audience] = {}
    known: dict[tuple[tuple[str, str, str], ...], int] = {}
    for acl_id, some in entries.items():
        denied = {principal for principal, effect, _ in some if effect == "deny"}
        to = {principal for principal, effect, _ in some if effect == "allow" and principal in wide} - denied
        if not to:
            continue
        same = tuple(sorted(some))
        if same not in known:
            known[same] = len(inspection.readers(connection, some))
        if known[same]:
            found[acl_id] = Audience(tuple(sorted(to)), known[same])
    return found


def count(connection: Connection, wide: Mapping[int, Audience], after: str) -> int:
    """Return how many items lie in these scopes, of those whose id comes after one."""
    mine = and_(items.c.acl_id.in_(listed(list(wide))), items.c.id > after)
    return int(connection.execute(select(func.count()).select_from(items).where(mine)).scalar_one())


def exposed(connection: Connection, wide: Mapping[int, Audience], after: str, limit: int) -> list[Exposed]:
    """Return the next items in these scopes, by id."""
    statement = (
        select(items.c.id, sources.c.name, items.c.key, items.c.title, documents.c.blob, items.c.acl_id)
        .join(sources, sources.c.id == items.c.source_id)
        .outerjoin(documents, documents.c.id == items.c.document_id)
        .where(items.c.acl_id.in_(listed(list(wide))), items.c.id > after)
        .order_by(items.c.id)
        .limit(limit)
    )
    rows = connection.execute(statement)
    return [Exposed(*row[:4], row[4] or "", wide[row[5]].to, wide[row[5]].people) for row in rows]


def _groups(connection: Connection) -> list[str]:
    named = select(scope_entries.c.principal).join(groups, groups.c.id == scope_entries.c.principal)
    return list(connection.execute(named.distinct()).scalars())
