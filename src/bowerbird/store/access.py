"""Scopes and who may read them. Deny wins; a scope without an entry for the asker is nobody's."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.dialects.sqlite import insert

from bowerbird.core.records import OWNER, SYSTEM, Principal
from bowerbird.store.moments import now
from bowerbird.store.tables import audit, scope_entries, scopes

_COUNT = select(func.count()).select_from(scopes)
_ENTRIES = select(scope_entries.c.acl_id, scope_entries.c.effect).where(
    scope_entries.c.principal == bindparam("principal")
)


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
    connection.execute(insert(scope_entries).values(acl_id=made, principal=OWNER.name, effect="allow"))
    return int(made)


def visible_scopes(connection: Connection, principal: Principal) -> frozenset[int]:
    """Return the acl_ids that a principal may read now; `system` reads all."""
    if principal == SYSTEM:
        return frozenset(connection.execute(select(scopes.c.acl_id)).scalars())
    rows = connection.execute(_ENTRIES, {"principal": principal.name})
    allowed, denied = set[int](), set[int]()
    for acl_id, effect in rows:
        (denied if effect == "deny" else allowed).add(acl_id)
    return frozenset(allowed - denied)


def count_scopes(connection: Connection) -> int:
    """Return how many scopes there are."""
    return int(connection.execute(_COUNT).scalar_one())


def record(connection: Connection, principal: Principal, action: str, detail: str = "") -> None:
    """Write down a read that was made past the permissions."""
    connection.execute(insert(audit).values(at=now(), principal=principal.name, action=action, detail=detail))
