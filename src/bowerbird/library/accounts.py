"""Who somebody is elsewhere (OpenID Connect): signing in by it, and the groups it names.

An account is matched by its issuer and subject and by nothing else: no name, mail address or handle.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from bowerbird.core.errors import SignInError, UsageError
from bowerbird.core.records import Principal
from bowerbird.core.settings import Settings
from bowerbird.store import audit, groups, people, sessions
from bowerbird.store.people import FIRST, PersonRow
from bowerbird.store.store import Store

SOURCE = "oidc"
"""The source of groups that a provider names: `group:oidc:NAME`."""

MOST_GROUPS = 500


@dataclass(frozen=True, slots=True)
class Account:
    """What a provider says of somebody. `handle` and `name` are for showing; `groups` is None where it is silent."""

    issuer: str
    subject: str
    handle: str = ""
    name: str = ""
    groups: frozenset[str] | None = None


class Accounts:
    """Signs people in by their account elsewhere. `begin` starts a session within a transaction."""

    def __init__(self, store: Store, settings: Settings, begin: Callable[[Connection, str, str], str]) -> None:
        self._store = store
        self._settings = settings
        self._begin = begin

    def sign_in(self, account: Account, agent: str = "") -> str:
        """Return the secret of a new session; groups and role follow the account. Raises SignInError."""
        with self._store.database.write() as connection:
            person = self._person(connection, account)
            if person is not None and person.state == "active":
                self._follow(connection, person, account)
                return self._begin(connection, person.id, agent)
            audit.record(connection, None, "signin.failed", person.id if person else "")
        raise SignInError("This account opens nothing in this library.", "Ask an admin of this library to let you in.")

    def link(self, account: Account, person: str) -> None:
        """Tie an account to somebody who is signed in; raises UsageError where it is somebody else's."""
        with self._store.database.write() as connection:
            people.link_account(connection, person, account.issuer, account.subject)
            audit.record(connection, Principal(f"user:{person}"), "account.linked", person)
            self._follow(connection, people.get(connection, person), account)

    def _person(self, connection: Connection, account: Account) -> PersonRow | None:
        known = people.account_of(connection, account.issuer, account.subject)
        if known is not None:
            return people.get(connection, known)
        if not self._settings.get("oidc_create", bool):
            return None
        person = people.add(connection, _free_handle(connection, account.handle), "member", _shown(account.name))
        people.link_account(connection, person.id, account.issuer, account.subject)
        audit.record(connection, Principal(f"user:{person.id}"), "person.created", person.id)
        return person

    def _follow(self, connection: Connection, person: PersonRow, account: Account) -> None:
        """Make groups and role what the account says; an account without the claim is in no group."""
        named = sorted(name for name in account.groups or () if _is_name(name))[:MOST_GROUPS]
        groups.follow_claims(connection, person.id, SOURCE, named)
        admins = self._settings.get("oidc_admin_group", str)
        if not admins or person.role == "owner":
            return
        wanted = "admin" if admins in named else "member" if person.role == "admin" else person.role
        if wanted != person.role and person.id != FIRST:
            people.set_role(connection, person.id, wanted)
            sessions.end_all(connection, person.id)
            audit.record(connection, Principal(f"user:{person.id}"), f"person.role.{wanted}", person.id)


def _is_name(name: str) -> bool:
    return 1 <= len(name.strip()) <= groups.LONGEST_NAME and name.isprintable()


def _shown(name: str) -> str:
    return "".join(sign for sign in name if sign.isprintable())[:200]


def _free_handle(connection: Connection, wanted: str) -> str:
    """Return a handle like the wanted one that nobody has."""
    plain = re.sub(r"[^a-z0-9]+", "-", wanted.lower().partition("@")[0]).strip("-")[:40]
    base = plain if len(plain) > 1 else "person"
    for number in range(1, 1000):
        handle = base if number == 1 else f"{base}-{number}"
        if people.found(connection, handle) is None:
            return handle
    raise UsageError(f"There are too many people named {base}.", "Ask an admin to rename some of them.")
