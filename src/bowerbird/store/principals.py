"""Principals as people write and read them: a handle, a group's name, `public`; and who belongs to whom, and how."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, or_, select

from bowerbird.core.errors import NotFoundError
from bowerbird.store.access import PUBLIC, ROLES
from bowerbird.store.identity_tables import group_members, groups, people
from bowerbird.store.lists import listed

ROLE_GROUPS = {f"group:role:{role}": ROLES[at:] for at, role in enumerate(ROLES)}
"""The group of each role, with the roles that are in it."""


def resolved(connection: Connection, text: str) -> str:
    """Return the principal that somebody wrote; raises NotFoundError where there is none.

    It may be `public`, a handle, `user:` with a handle or an id, `group:SOURCE:NAME`, or `group:NAME` (made here).
    """
    kind, _, rest = text.strip().partition(":")
    if kind == PUBLIC and not rest:
        return PUBLIC
    if kind == "group" and rest:
        full = text.strip() if ":" in rest else f"group:local:{rest}"
        if full in ROLE_GROUPS or connection.execute(select(groups.c.id).where(groups.c.id == full)).scalar():
            return full
        raise NotFoundError(f"There is no group named {rest[:80]}.", "`bowerbird groups list` shows all of them.")
    return f"user:{person_id(connection, rest if kind == 'user' else text.strip())}"


def person_id(connection: Connection, text: str) -> str:
    """Return the id of the person with this handle or id; raises NotFoundError."""
    wanted = or_(people.c.handle == text.lower(), people.c.id == text)
    rows = connection.execute(select(people.c.id, people.c.handle).where(wanted)).all()
    if not rows:
        raise NotFoundError("There is no such person.", "`bowerbird people list` shows everybody.")
    return str(next((row.id for row in rows if row.handle == text.lower()), rows[0].id))


def labels(connection: Connection, principals: Collection[str]) -> dict[str, str]:
    """Return each principal as people know it: a handle, `group:NAME` for one made here, else as it is."""
    ids = [one.removeprefix("user:") for one in principals if one.startswith("user:")]
    rows = connection.execute(select(people.c.id, people.c.handle).where(people.c.id.in_(listed(ids))))
    handles = {f"user:{row.id}": row.handle for row in rows}
    return {one: handles.get(one, one.replace("group:local:", "group:", 1)) for one in principals}


def people_in(connection: Connection, principals: Collection[str]) -> set[str]:
    """Return the ids of all active people that any of the principals is or holds, by groups in groups, too."""
    every, level = set(principals), set(principals)
    while level:
        inside = select(group_members.c.member).where(group_members.c.group_id.in_(listed(level)))
        level = set(connection.execute(inside).scalars()) - every
        every |= level
    roles = {role for one in every for role in (ROLES if one == PUBLIC else ROLE_GROUPS.get(one, ()))}
    named = [one.removeprefix("user:") for one in every if one.startswith("user:")]
    belongs = or_(people.c.role.in_(roles), people.c.id.in_(listed(named)))
    return set(connection.execute(select(people.c.id).where(people.c.state == "active", belongs)).scalars())


def chains(connection: Connection, person: str) -> dict[str, tuple[str, ...]]:
    """Return every principal that somebody is, with the way to it: (`user:ID`, a group they are in, ..., itself).

    Empty for who is unknown or suspended.
    """
    row = connection.execute(select(people.c.role, people.c.state).where(people.c.id == person)).first()
    if row is None or row.state != "active":
        return {}
    me = f"user:{person}"
    ways = {me: (me,), PUBLIC: (me, PUBLIC)}
    ways |= {group: (me, group) for group, roles in ROLE_GROUPS.items() if row.role in roles}
    level = set(ways)
    while level:
        holding = select(group_members.c.member, group_members.c.group_id).order_by(group_members.c.group_id)
        rows = connection.execute(holding.where(group_members.c.member.in_(listed(level)))).all()
        level = {one.group_id for one in rows} - ways.keys()
        for one in rows:
            ways.setdefault(one.group_id, (*ways[one.member], one.group_id))
    return ways
