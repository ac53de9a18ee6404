"""A person's rows: given to them, or removed so that nothing is left that leads to them.

The audit log stays whole: it knows people by a pseudonym, and the row that ties it to somebody is what is removed.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, select

from bowerbird.core.errors import NotFoundError
from bowerbird.core.records import SYSTEM
from bowerbird.store import audit, people
from bowerbird.store.identity_tables import (
    access_rules,
    accounts,
    group_members,
    invitations,
    mappings,
    past_queries,
    saved_searches,
    sessions,
    tokens,
)
from bowerbird.store.identity_tables import audit as audit_rows
from bowerbird.store.identity_tables import people as people_rows
from bowerbird.store.tables import items, scope_entries, sources

_KEYED: tuple[Table, ...] = (accounts, sessions, tokens, invitations, saved_searches, past_queries)
_BY_PRINCIPAL: tuple[Table, ...] = (access_rules, mappings, scope_entries)
_SECRET = frozenset(("hash", "password", "totp_secret", "totp_step"))


def exported(connection: Connection, person: str) -> dict[str, object]:
    """Return what is kept about somebody, without secrets. Raises NotFoundError.

    The items listed are those that nobody else may read (by an entry of their own).
    """
    people.get(connection, person)
    row = connection.execute(select(people_rows).where(people_rows.c.id == person)).mappings().one()
    principal = f"user:{person}"
    found: dict[str, object] = {"account": _plain(row)}
    for table in _KEYED:
        found[table.name] = _rows(connection, table, table.c.person_id == person)
    member = select(group_members.c.group_id).where(group_members.c.member == principal)
    found["groups"] = list(connection.execute(member.order_by(group_members.c.group_id)).scalars())
    for table in _BY_PRINCIPAL:
        found[table.name] = _rows(connection, table, table.c.principal == principal)
    found["sources"] = list(connection.execute(select(sources.c.name).where(sources.c.owner == person)).scalars())
    found["items"] = _only_theirs(connection, principal)
    found["audit"] = _rows(connection, audit_rows, audit_rows.c.actor == row["pseudonym"])
    return found


def erased(connection: Connection, person: str) -> int:
    """Remove somebody's rows and the key to their pseudonym; returns how many rows, 0 where there is nobody.

    What they owned is the first owner's. Their rules are taken back. Raises ForbiddenError for the first owner.
    """
    try:
        people.get(connection, person)
    except NotFoundError:
        return 0
    principal = f"user:{person}"
    count = 1 + sum(len(_rows(connection, table, table.c.person_id == person)) for table in _KEYED)
    count += sum(len(_rows(connection, table, table.c.principal == principal)) for table in _BY_PRINCIPAL)
    people.remove(connection, person)
    audit.record(connection, SYSTEM, "person.erased")
    return count


def _only_theirs(connection: Connection, principal: str) -> list[dict[str, Any]]:
    others = select(scope_entries.c.acl_id).where(scope_entries.c.principal != principal)
    mine = select(scope_entries.c.acl_id).where(scope_entries.c.principal == principal)
    wanted = items.c.acl_id.in_(mine), items.c.acl_id.not_in(others)
    columns = (items.c.id, items.c.source_id, items.c.key, items.c.title, items.c.uri)
    return [dict(row) for row in connection.execute(select(*columns).where(*wanted)).mappings()]


def _rows(connection: Connection, table: Table, condition: Any) -> list[dict[str, Any]]:
    return [_plain(row) for row in connection.execute(select(table).where(condition)).mappings()]


def _plain(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _SECRET}
