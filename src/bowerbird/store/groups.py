"""Groups and who is in them. A group may hold groups, never itself.

A group's id is its principal `group:SOURCE:NAME`. `local` groups are made here; those of other sources belong to their
source and are never matched with others by name.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from bowerbird.core.errors import CycleError, NotFoundError, UsageError
from bowerbird.core.records import Principal
from bowerbird.store import rules
from bowerbird.store.access import ROLES, expanded
from bowerbird.store.identity_tables import group_members, groups, people
from bowerbird.store.moments import now
from bowerbird.store.tables import scope_entries

LOCAL = "local"
LONGEST_NAME = 200

_ROLE_GROUPS = frozenset(f"group:role:{role}" for role in ROLES)


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group: `id` is its principal, `members` how many principals are directly in it."""

    id: str
    source: str
    name: str
    members: int


@dataclass(frozen=True, slots=True)
class Member:
    """A direct member: its principal, the handle or group name to show, and who put it there (`local`, a source)."""

    principal: str
    label: str
    origin: str


_COUNT = select(func.count()).where(group_members.c.group_id == groups.c.id).scalar_subquery()
_ROW = select(groups.c.id, groups.c.source, groups.c.name, _COUNT)


def make(connection: Connection, name: str, source: str = LOCAL) -> GroupRow:
    """Make a group, or return the one of that name; raises UsageError where that cannot be a name."""
    plain = name.strip()
    if not 1 <= len(plain) <= LONGEST_NAME or not plain.isprintable():
        raise UsageError(f"A group's name must be 1 to {LONGEST_NAME} characters of text.", "Choose another name.")
    made = f"group:{source}:{plain}"
    values = {"id": made, "source": source, "name": plain, "created": now()}
    connection.execute(insert(groups).values(**values).on_conflict_do_nothing())
    return get(connection, made)


def get(connection: Connection, group: str) -> GroupRow:
    """Return a group by its id; raises NotFoundError."""
    row = connection.execute(_ROW.where(groups.c.id == group)).first() if group.isprintable() else None
    if row is None:
        raise NotFoundError("There is no such group.", "`bowerbird groups list` shows all of them.")
    return GroupRow(*row)


def listed(connection: Connection) -> list[GroupRow]:
    """Return all groups, those made here first."""
    order = (groups.c.source != LOCAL, groups.c.source, groups.c.name)
    return [GroupRow(*row) for row in connection.execute(_ROW.order_by(*order))]


def members(connection: Connection, group: str) -> list[Member]:
    """Return who is directly in a group; raises NotFoundError."""
    get(connection, group)
    person = func.coalesce(people.c.handle, groups.c.name, group_members.c.member)
    statement = (
        select(group_members.c.member, person, group_members.c.origin)
        .outerjoin(people, group_members.c.member == "user:" + people.c.id)
        .outerjoin(groups, group_members.c.member == groups.c.id)
        .where(group_members.c.group_id == group)
        .order_by(person)
    )
    return [Member(*row) for row in connection.execute(statement)]


def add_member(connection: Connection, group: str, member: str, origin: str = LOCAL) -> None:
    """Put a principal into a group; again is no error. Raises NotFoundError, UsageError, CycleError."""
    get(connection, group)
    kind, _, rest = member.partition(":") if member.isprintable() else ("", "", "")
    if kind == "user":
        if connection.execute(select(people.c.id).where(people.c.id == rest)).scalar() is None:
            raise NotFoundError("There is no such person.", "`bowerbird people list` shows everybody.")
    elif kind != "group":
        raise UsageError("A member must be a person or a group.", "Everybody is `group:role:guest`.")
    elif member not in _ROLE_GROUPS:
        get(connection, member)
        # whoever is in the group is in these, too; the member among them closes a circle
        if member == group or member in expanded(connection, Principal(group)):
            raise CycleError(
                f"The group {_name(member)} holds {_name(group)} already, so it cannot be in it.",
                f"Take {_name(group)} out of {_name(member)} first.",
            )
    values = {"group_id": group, "member": member, "origin": origin}
    connection.execute(insert(group_members).values(**values).on_conflict_do_nothing())


def remove_member(connection: Connection, group: str, member: str) -> None:
    """Take a principal out of a group; raises NotFoundError where it is not in it."""
    get(connection, group)
    gone = delete(group_members).where(group_members.c.group_id == group, group_members.c.member == member)
    if connection.execute(gone).rowcount == 0:
        raise NotFoundError(f"That is not a member of {_name(group)}.", "`bowerbird groups list` shows the members.")


def remove(connection: Connection, group: str) -> None:
    """Remove a group, its memberships, and the entries and rules that name it; raises NotFoundError."""
    get(connection, group)
    connection.execute(delete(group_members).where(group_members.c.member == group))
    rules.forget(connection, group)
    connection.execute(delete(scope_entries).where(scope_entries.c.principal == group))
    connection.execute(delete(groups).where(groups.c.id == group))


def follow_claims(connection: Connection, person: str, source: str, names: Collection[str]) -> None:
    """Make somebody a member of exactly these groups of a source; groups that are new are made."""
    principal = f"user:{person}"
    wanted = {make(connection, name, source).id for name in names}
    theirs = select(group_members.c.group_id).where(
        group_members.c.member == principal, group_members.c.origin == source
    )
    before = set(connection.execute(theirs).scalars())
    for group in sorted(wanted - before):
        add_member(connection, group, principal, source)
    for group in sorted(before - wanted):
        remove_member(connection, group, principal)


def _name(group: str) -> str:
    return group.removeprefix(f"group:{LOCAL}:")
