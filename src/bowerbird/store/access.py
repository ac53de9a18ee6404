"""Scopes and who may read them. Deny wins; a scope without an entry for the asker is nobody's.

A principal is `user:ID`, `group:SOURCE:NAME`, `public` (everybody who is signed in), or `system`. Groups may hold
groups. Everybody also belongs to a group of their role and of the lesser ones: `group:role:guest` (all), `:member`,
`:admin`, `:owner`; who is suspended or unknown belongs to none.
"""

from __future__ import annotations

import json
import threading

import msgspec
from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.dialects.sqlite import insert

from bowerbird.core.records import OWNER, SYSTEM, Principal
from bowerbird.store.identity_tables import access_state, group_members, people
from bowerbird.store.lists import listed
from bowerbird.store.tables import scope_entries, scopes

PUBLIC = "public"
ROLES = ("guest", "member", "admin", "owner")
"""Roles, the least first."""

_VERSION = select(access_state.c.version)
_COUNT = select(func.count()).select_from(scopes)
_PERSON = select(people.c.role, people.c.state).where(people.c.id == bindparam("person"))
_START = select(func.json_each(bindparam("names")).table_valued("value").c.value.label("principal")).cte(
    "mine", recursive=True
)
_MINE = select(
    _START.union(
        select(group_members.c.group_id).join(_START, group_members.c.member == _START.c.principal)
    ).c.principal
)
_MOST_KEPT = 500


def ensure_scope(connection: Connection, source_id: str, key: str = "") -> int:
    """Return the acl_id of a scope, made with an entry for the owner where it is new."""
    found: int | None = connection.execute(
        select(scopes.c.acl_id).where(scopes.c.source_id == source_id, scopes.c.key == key)
    ).scalar()
    if found is not None:
        return found
    made = connection.execute(
        insert(scopes).values(source_id=source_id, key=key).returning(scopes.c.acl_id)
    ).scalar_one()
    connection.execute(insert(scope_entries).values(acl_id=made, principal=OWNER.name, effect="allow", origin="policy"))
    return int(made)


def expanded(connection: Connection, principal: Principal) -> frozenset[str]:
    """Return every principal that somebody is: themselves, their role, public, and the groups that hold any of these.

    Somebody unknown is only themselves, who is suspended is nobody.
    """
    names = {principal.name}
    kind, _, person = principal.name.partition(":")
    if kind == "user":
        row = connection.execute(_PERSON, {"person": person}).first()
        if row is None:
            return frozenset(names)
        if row.state != "active":
            return frozenset()
        names |= {PUBLIC, *(f"group:role:{role}" for role in ROLES[: ROLES.index(row.role) + 1])}
    return frozenset(connection.execute(_MINE, {"names": json.dumps(sorted(names))}).scalars())


def visible_scopes(connection: Connection, principal: Principal) -> frozenset[int]:
    """Return the acl_ids that a principal may read now; `system` reads all."""
    if principal == SYSTEM:
        return frozenset(connection.execute(select(scopes.c.acl_id)).scalars())
    names = expanded(connection, principal)
    mine = select(scope_entries.c.acl_id).where(scope_entries.c.principal.in_(listed(names)))
    undenied = func.max(scope_entries.c.effect == "deny") == 0
    found = mine.group_by(scope_entries.c.acl_id).having(undenied).subquery()
    # one row whatever their number, and all of it from the index: 50,000 scopes are read at every change of rights
    together = connection.execute(select(func.json_group_array(found.c.acl_id))).scalar_one()
    return frozenset(msgspec.json.decode(together, type=list[int]))


def count_scopes(connection: Connection) -> int:
    """Return how many scopes there are."""
    return int(connection.execute(_COUNT).scalar_one())


class Scopes:
    """The visible scopes of those who asked last, each for the version of the rights it was made from; thread-safe.

    The version is read in the transaction that uses the answer, so a change of rights counts from the next request.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, frozenset[int]]] = {}
        self._lock = threading.Lock()

    def visible(self, connection: Connection, principal: Principal) -> frozenset[int]:
        """Return what `visible_scopes` returns."""
        version = int(connection.execute(_VERSION).scalar_one())
        with self._lock:
            kept = self._kept.get(principal.name)
        if kept is not None and kept[0] == version:
            return kept[1]
        found = visible_scopes(connection, principal)
        with self._lock:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[principal.name] = (version, found)
        return found
