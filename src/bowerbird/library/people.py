"""What admins do with people and groups. Reached by `library.identity.people`.

`by` is the id of who does it; their role is looked up in the transaction of the change. Admins act on guests and
members; on admins and owners, only an owner does. Only an owner makes admins and owners.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from sqlalchemy import Connection

from bowerbird.core.errors import ForbiddenError, UsageError
from bowerbird.core.records import Principal
from bowerbird.library.links import Link, new_link
from bowerbird.store import audit, groups, people, sessions
from bowerbird.store.access import ROLES
from bowerbird.store.groups import GroupRow, Member
from bowerbird.store.people import FIRST, PersonRow
from bowerbird.store.store import Store

_ADMIN = ROLES.index("admin")


class People:
    """People and groups, as admins see and change them. Thread-safe."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    def listed(self) -> list[PersonRow]:
        """Return everybody, by handle."""
        with self._store.database.read() as connection:
            return people.listed(connection)

    def named(self, handle: str) -> PersonRow:
        """Return somebody by handle; raises NotFoundError."""
        with self._store.database.read() as connection:
            return people.named(connection, handle)

    def eyes(self, handle: str, by: str = FIRST) -> Principal:
        """Return the principal of a handle or id, to read with those eyes; audited. A stranger's sees nothing."""
        with self._store.database.write() as connection:
            found = people.found(connection, handle)
            audit.record(connection, Principal(f"user:{by}"), "view.asked", found.id if found else "")
        return Principal(f"user:{found.id if found else handle}")

    def providers(self, person: str) -> list[str]:
        """Return the issuers of OpenID Connect by which somebody can sign in."""
        with self._store.database.read() as connection:
            return people.providers_of(connection, person)

    def invite(self, handle: str, role: str = "member", by: str = FIRST, name: str = "") -> tuple[PersonRow, Link]:
        """Enter somebody and make the link by which they set a password; raises UsageError, ForbiddenError."""
        with self._store.database.write() as connection:
            self._check_gives(connection, by, people.checked_role(role))
            person = people.add(connection, handle, role, name)
            audit.record(connection, Principal(f"user:{by}"), "person.invited", person.id)
            return person, new_link(connection, "password", person.id, self._clock())

    def link(self, person: str, by: str = FIRST, without_code: bool = False) -> Link:
        """Make a link to set a new password; `without_code` also removes their second factor."""
        with self._acting(by, person) as connection:
            if people.get(connection, person).state != "active":
                raise UsageError("This person is suspended.", "Reactivate them first.")
            if without_code:
                people.set_totp(connection, person, "")
                audit.record(connection, Principal(f"user:{by}"), "totp.removed", person)
            audit.record(connection, Principal(f"user:{by}"), "link.made", person)
            return new_link(connection, "password", person, self._clock())

    def describe(self, person: str, handle: str, name: str, by: str = FIRST) -> PersonRow:
        """Change somebody's handle and name, or one's own; raises UsageError, ForbiddenError."""
        with self._acting(by, "" if by == person else person) as connection:
            address = people.get(connection, person).address
            audit.record(connection, Principal(f"user:{by}"), "person.renamed", person)
            return people.describe(connection, person, handle, name, address)

    def set_role(self, person: str, role: str, by: str = FIRST) -> PersonRow:
        """Give somebody another role; their sessions end, and their tokens grant what the new role allows."""
        with self._acting(by, person) as connection:
            self._check_gives(connection, by, people.checked_role(role))
            if people.get(connection, person).role != role:
                people.set_role(connection, person, role)
                sessions.end_all(connection, person)
                audit.record(connection, Principal(f"user:{by}"), f"person.role.{role}", person)
            return people.get(connection, person)

    def suspend(self, person: str, by: str = FIRST) -> PersonRow:
        """Let somebody in no longer: sessions, tokens and links end with the same transaction."""
        with self._acting(by, person) as connection:
            people.set_state(connection, person, "suspended")
            sessions.drop_ways_in(connection, person)
            audit.record(connection, Principal(f"user:{by}"), "person.suspended", person)
            return people.get(connection, person)

    def reactivate(self, person: str, by: str = FIRST) -> PersonRow:
        """Let somebody in again, by the password or account they had."""
        with self._acting(by, person) as connection:
            people.set_state(connection, person, "active")
            audit.record(connection, Principal(f"user:{by}"), "person.reactivated", person)
            return people.get(connection, person)

    def remove(self, person: str, by: str = FIRST) -> None:
        """Erase somebody: their row, ways in, memberships and entries; the log's pseudonym is nobody's then."""
        with self._acting(by, person) as connection:
            audit.record(connection, Principal(f"user:{by}"), "person.removed", person)
            people.remove(connection, person)

    def groups(self) -> list[GroupRow]:
        """Return all groups."""
        with self._store.database.read() as connection:
            return groups.listed(connection)

    def members(self, group: str) -> list[Member]:
        """Return who is directly in a group; raises NotFoundError."""
        with self._store.database.read() as connection:
            return groups.members(connection, group)

    def make_group(self, name: str, by: str = FIRST) -> GroupRow:
        """Make a group of this library; the same name again is no error."""
        with self._acting(by) as connection:
            made = groups.make(connection, name)
            audit.record(connection, Principal(f"user:{by}"), "group.made", made.id)
            return made

    def remove_group(self, group: str, by: str = FIRST) -> None:
        """Remove a group, with what it was allowed or denied; raises NotFoundError."""
        with self._acting(by) as connection:
            groups.remove(connection, group)
            audit.record(connection, Principal(f"user:{by}"), "group.removed", group)

    def add_member(self, group: str, member: str, by: str = FIRST) -> None:
        """Put a person (`user:ID`) or a group into a group; raises NotFoundError, CycleError, UsageError."""
        with self._changing_members(group, by, "group.member.added") as connection:
            groups.add_member(connection, group, member)

    def remove_member(self, group: str, member: str, by: str = FIRST) -> None:
        """Take a person or a group out of a group; raises NotFoundError, UsageError."""
        with self._changing_members(group, by, "group.member.removed") as connection:
            groups.remove_member(connection, group, member)

    @contextlib.contextmanager
    def _changing_members(self, group: str, by: str, action: str) -> Iterator[Connection]:
        with self._acting(by) as connection:
            source = groups.get(connection, group).source
            if source != groups.LOCAL:
                raise UsageError(f"Who is in this group is decided by {source}.", "Put the group into one made here.")
            yield connection
            audit.record(connection, Principal(f"user:{by}"), action, group)

    @contextlib.contextmanager
    def _acting(self, by: str, person: str = "") -> Iterator[Connection]:
        """Give a transaction to an admin, who may act on that person; raises ForbiddenError, NotFoundError."""
        with self._store.database.write() as connection:
            rank = _rank(connection, by)
            if person and ROLES.index(people.get(connection, person).role) >= _ADMIN and not _is_owner(rank):
                raise ForbiddenError("Only an owner can change admins and owners.", "Ask an owner of this library.")
            yield connection

    def _check_gives(self, connection: Connection, by: str, role: str) -> None:
        if not _is_owner(_rank(connection, by)) and ROLES.index(role) >= _ADMIN:
            raise ForbiddenError("Only an owner makes admins and owners.", "Ask an owner of this library.")


def _rank(connection: Connection, by: str) -> int:
    row = people.get(connection, by)
    rank = ROLES.index(row.role)
    if row.state != "active" or rank < _ADMIN:
        raise ForbiddenError("This is for people with the role admin.", "Ask an admin of this library.")
    return rank


def _is_owner(rank: int) -> bool:
    return ROLES[rank] == "owner"
