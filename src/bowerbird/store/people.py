"""The rows of people: who has a way in, with which role, and by which accounts elsewhere."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from bowerbird.core.errors import ForbiddenError, NotFoundError, UsageError
from bowerbird.core.ids import new_id
from bowerbird.store import rules
from bowerbird.store.access import ROLES
from bowerbird.store.identity_tables import accounts, group_members, people, sessions
from bowerbird.store.moments import now
from bowerbird.store.tables import scope_entries, sources

FIRST = "owner"
"""The id of the first owner: who runs the server. That row stays, so that a library always has an owner."""

_HANDLE = re.compile(r"[a-z0-9](?:[a-z0-9._@+-]{0,62}[a-z0-9])")
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody with a way in. `role` is one of ROLES, `state` active or suspended; times are seconds since 1970 UTC."""

    id: str
    handle: str
    name: str
    address: str
    role: str
    state: str
    created: float
    seen: float | None
    has_password: bool
    has_totp: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """What a sign-in is checked against: the argon2id hash ("" for none), the TOTP secret, and its last used step."""

    password: str
    totp_secret: str
    totp_step: int


_ROW = select(
    people.c.id, people.c.handle, people.c.name, people.c.address, people.c.role, people.c.state, people.c.created,
    people.c.seen, people.c.password != "", people.c.totp_secret != "",
)  # fmt: skip


def checked_handle(handle: str) -> str:
    """Return a handle in its one form (lower case); raises UsageError where it cannot be one.

    >>> checked_handle(" Ada.L ")
    'ada.l'
    """
    folded = handle.strip().lower()
    if not _HANDLE.fullmatch(folded):
        raise UsageError(
            "The handle must be 2 to 64 characters: letters a to z, digits, and . _ @ + - between them.",
            "Choose another handle.",
        )
    return folded


def checked_role(role: str) -> str:
    """Return a role; raises UsageError where there is no such role."""
    if role not in ROLES:
        raise UsageError(f"There is no role named {role[:40]}.", f"Roles are {', '.join(ROLES)}.")
    return role


def add(connection: Connection, handle: str, role: str, name: str = "", address: str = "") -> PersonRow:
    """Enter somebody; raises UsageError where the handle is taken or cannot be one."""
    folded = checked_handle(handle)
    if found(connection, folded) is not None:
        raise UsageError(f"The handle {folded} is taken.", "Choose another handle.")
    made = new_id()
    connection.execute(
        insert(people).values(
            id=made, handle=folded, role=checked_role(role), pseudonym=secrets.token_hex(8), created=now(),
            **_details(name, address),
        )
    )  # fmt: skip
    return get(connection, made)


def get(connection: Connection, person: str) -> PersonRow:
    """Return somebody by id; raises NotFoundError."""
    row = connection.execute(_ROW.where(people.c.id == person)).first()
    if row is None:
        raise _nobody()
    return PersonRow(*row)


def named(connection: Connection, handle: str) -> PersonRow:
    """Return somebody by handle; raises NotFoundError."""
    row = found(connection, handle)
    if row is None:
        raise _nobody()
    return row


def found(connection: Connection, handle: str) -> PersonRow | None:
    """Return somebody by handle, None where there is nobody."""
    folded = handle.strip().lower()
    if not _HANDLE.fullmatch(folded):
        return None
    row = connection.execute(_ROW.where(people.c.handle == folded)).first()
    return None if row is None else PersonRow(*row)


def listed(connection: Connection) -> list[PersonRow]:
    """Return everybody, by handle."""
    return [PersonRow(*row) for row in connection.execute(_ROW.order_by(people.c.handle))]


def count_with_password(connection: Connection) -> int:
    """Return how many people can sign in by a password."""
    statement = select(func.count()).select_from(people).where(people.c.password != "", people.c.state == "active")
    return int(connection.execute(statement).scalar_one())


def describe(connection: Connection, person: str, handle: str, name: str, address: str) -> PersonRow:
    """Change how somebody is called; raises UsageError where the handle is taken or cannot be one."""
    folded = checked_handle(handle)
    other = found(connection, folded)
    if other is not None and other.id != person:
        raise UsageError(f"The handle {folded} is taken.", "Choose another handle.")
    values = {"handle": folded, **_details(name, address)}
    connection.execute(update(people).where(people.c.id == person).values(**values))
    return get(connection, person)


def set_role(connection: Connection, person: str, role: str) -> None:
    """Give somebody another role; raises ForbiddenError for the first owner."""
    _keep_first(person)
    connection.execute(update(people).where(people.c.id == person).values(role=checked_role(role)))
    _unseen(connection, person)


def set_state(connection: Connection, person: str, state: str) -> None:
    """Make somebody `active` or `suspended`; raises ForbiddenError for the first owner."""
    _keep_first(person)
    connection.execute(update(people).where(people.c.id == person).values(state=state))
    _unseen(connection, person)


def remove(connection: Connection, person: str) -> None:
    """Remove somebody, their ways in, memberships and entries; what they owned is the first owner's."""
    _keep_first(person)
    principal = f"user:{person}"
    connection.execute(delete(group_members).where(group_members.c.member == principal))
    connection.execute(update(sources).where(sources.c.owner == person).values(owner=FIRST))
    rules.forget(connection, principal)
    connection.execute(delete(scope_entries).where(scope_entries.c.principal == principal))
    _unseen(connection, person)
    connection.execute(delete(people).where(people.c.id == person))


def proof(connection: Connection, person: str) -> Proof:
    """Return what a sign-in is checked against; all empty for somebody unknown."""
    columns = (people.c.password, people.c.totp_secret, people.c.totp_step)
    row = connection.execute(select(*columns).where(people.c.id == person)).first()
    return Proof("", "", 0) if row is None else Proof(*row)


def set_password(connection: Connection, person: str, password: str) -> None:
    """Keep the hash of a password."""
    connection.execute(update(people).where(people.c.id == person).values(password=password))


def set_totp(connection: Connection, person: str, secret: str, step: int = 0) -> None:
    """Keep a TOTP secret in base32 ("" for none) and the step that is used already."""
    connection.execute(update(people).where(people.c.id == person).values(totp_secret=secret, totp_step=step))


def use_step(connection: Connection, person: str, step: int) -> bool:
    """Mark a TOTP step as used; False where it, or a later one, was used before."""
    later = update(people).where(people.c.id == person, people.c.totp_step < step).values(totp_step=step)
    return connection.execute(later).rowcount == 1


def was_seen(connection: Connection, person: str, at: float) -> None:
    """Keep when somebody signed in last."""
    connection.execute(update(people).where(people.c.id == person).values(seen=at))


def account_of(connection: Connection, provider: str, subject: str) -> str | None:
    """Return the id of who an account elsewhere belongs to."""
    wanted = select(accounts.c.person_id).where(accounts.c.provider == provider, accounts.c.subject == subject)
    person: str | None = connection.execute(wanted).scalar()
    return person


def link_account(connection: Connection, person: str, provider: str, subject: str) -> None:
    """Tie an account elsewhere to somebody; raises UsageError where it is somebody else's already."""
    holder = account_of(connection, provider, subject)
    if holder not in (None, person):
        raise UsageError("That account belongs to somebody else of this library.", "Sign in with another account.")
    values = {"provider": provider, "subject": subject, "person_id": person, "created": now()}
    connection.execute(insert(accounts).values(**values).on_conflict_do_nothing())


def providers_of(connection: Connection, person: str) -> list[str]:
    """Return the issuers by which somebody can sign in."""
    wanted = select(accounts.c.provider).where(accounts.c.person_id == person).distinct()
    return sorted(connection.execute(wanted).scalars())


def _nobody() -> NotFoundError:
    return NotFoundError("There is no such person.", "`bowerbird people list` shows everybody.")


def _details(name: str, address: str) -> dict[str, str]:
    if max(len(name), len(address)) > _LONGEST_NAME or not (name + address).isprintable():
        raise UsageError(f"A name or an address is longer than {_LONGEST_NAME} characters or not text.", "Shorten it.")
    return {"name": name.strip(), "address": address.strip().lower()}


def _unseen(connection: Connection, person: str) -> None:
    """End looking through somebody's eyes: whether one may depends on who they are."""
    connection.execute(update(sessions).where(sessions.c.viewing == person).values(viewing=""))


def _keep_first(person: str) -> None:
    if person == FIRST:
        raise ForbiddenError(
            "This is the library's first owner: whoever runs the server. A library always keeps that owner.",
            "Rename the person or give them a new password instead.",
        )
