"""Who gets in, and by what: passwords, one-time links, sessions of browsers, tokens of programs.

Everything that changes something is one transaction, with its line in the audit log. Secrets are told once and kept as
hashes. The people themselves, their roles and groups: `identity.people`. What they prove: `identity.credentials`. Who
they are elsewhere: `identity.accounts`.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from bowerbird.core.errors import ForbiddenError, StoreError, UsageError
from bowerbird.core.records import Principal
from bowerbird.core.settings import Settings
from bowerbird.library.accounts import Accounts
from bowerbird.library.credentials import Credentials
from bowerbird.library.links import Link, holder, new_link
from bowerbird.library.passwords import Hasher
from bowerbird.library.people import People
from bowerbird.store import attempts, audit, people, sessions
from bowerbird.store.people import PersonRow
from bowerbird.store.sessions import Bearer, SessionRow, TokenRow
from bowerbird.store.store import Store

GRANTS = {"guest": ("read", "write"), "member": ("read", "write"), "admin": ("read", "write", "admin")}
GRANTS["owner"] = GRANTS["admin"]
"""What a token may grant, by the role of who holds it."""

TOKEN_PREFIX = "bb_"  # noqa: S105  (a mark to know them by, no secret)
SECRET_BYTES = 32
SEEN_SECONDS = 300.0
"""A session's last use is written down at most this often."""

_log = logging.getLogger("bowerbird.identity")


@dataclass(frozen=True, slots=True)
class Known:
    """Who a secret belongs to, as of now. `key` names the session or token; `viewing` is a person's id or ""."""

    person: str
    role: str
    via: Literal["session", "token"]
    key: str
    grants: frozenset[str]
    viewing: str = ""


class Identity:
    """The ways in. Thread-safe. `clock` tells seconds since 1970 UTC."""

    def __init__(self, store: Store, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self.credentials = Credentials(store, clock, Hasher())
        self.people = People(store, clock)
        self.accounts = Accounts(store, settings, self.begin)

    @property
    def longest(self) -> float:
        """How long a session lasts at most, in seconds."""
        return self._settings.get("session_days", int) * 86_400.0

    def has_passwords(self) -> bool:
        """Tell whether anybody can sign in by a password."""
        with self._store.database.read() as connection:
            return people.count_with_password(connection) > 0

    def person(self, person: str) -> PersonRow:
        """Return somebody by id; raises NotFoundError."""
        with self._store.database.read() as connection:
            return people.get(connection, person)

    def sign_in(self, handle: str, password: str, code: str = "", address: str = "", agent: str = "") -> str:
        """Return the secret of a new session; raises SignInError, RateLimitError. `address` is the asker's IP."""
        with self.credentials.proved(handle, password, code, address) as (connection, person):
            return self.begin(connection, person, agent)

    def begin(self, connection: Connection, person: str, agent: str) -> str:
        """Start a session for somebody whose right to it was checked in this transaction; return its secret."""
        secret, at = secrets.token_urlsafe(SECRET_BYTES), self._clock()
        sessions.sweep(connection, at, self._idle)
        attempts.sweep(connection, at)
        sessions.begin(connection, secret, person, (at, at + self.longest), agent)
        people.was_seen(connection, person, at)
        audit.record(connection, Principal(f"user:{person}"), "session.started", person)
        return secret

    def session(self, secret: str) -> Known | None:
        """Return who a session belongs to; None where it has ended or its person was suspended."""
        at = self._clock()
        with self._store.database.read() as connection:
            found = sessions.bearer(connection, secret, at, self._idle)
        if found is None or found.state != "active":
            return None
        self._touch(found, at, sessions.touch)
        viewing = found.viewing if found.role in ("admin", "owner") else ""
        return Known(found.person, found.role, "session", found.key, frozenset(GRANTS[found.role]), viewing)

    def holder(self, key: str) -> str | None:
        """Return whose session has this key (not its secret); None where it has ended."""
        with self._store.database.read() as connection:
            found = sessions.bearer_of(connection, key, self._clock(), self._idle)
        return found.person if found is not None and found.state == "active" else None

    def token(self, secret: str) -> Known | None:
        """Return who a token belongs to, with the grants that their role still allows; None where it has ended."""
        if not secret.startswith(TOKEN_PREFIX):
            return None
        at = self._clock()
        with self._store.database.read() as connection:
            found = sessions.token_bearer(connection, secret, at)
        if found is None or found.state != "active":
            return None
        self._touch(found, at, sessions.touch_token)
        return Known(found.person, found.role, "token", found.key, found.grants & frozenset(GRANTS[found.role]))

    def sign_out(self, secret: str) -> None:
        """End the session of a secret; one that has ended is no error."""
        with self._store.database.write() as connection:
            person = sessions.end_secret(connection, secret)
            if person is not None:
                audit.record(connection, Principal(f"user:{person}"), "session.ended", person)

    def sessions(self, person: str, current: str = "") -> list[SessionRow]:
        """Return somebody's sessions; `current` is the key of the one that asks."""
        with self._store.database.read() as connection:
            return sessions.of_person(connection, person, self._clock(), self._idle, current)

    def end_session(self, person: str, name: str) -> None:
        """End one of somebody's sessions by the id that `sessions` gave; raises NotFoundError."""
        with self._store.database.write() as connection:
            sessions.end(connection, person, name)
            audit.record(connection, Principal(f"user:{person}"), "session.ended", person)

    def change_password(self, person: str, current: str, new: str, agent: str = "") -> str:
        """Replace somebody's password; all their sessions end, and the secret of a new one is returned."""
        with self.credentials.replacing(person, current, new) as connection:
            sessions.end_all(connection, person)
            sessions.drop_links(connection, person, "password")
            return self.begin(connection, person, agent)

    def make_token(self, person: str, name: str, grants: Collection[str], days: int = 0) -> tuple[TokenRow, str]:
        """Make a token of a program, for some days or (0) until it is revoked; return it with its secret, told once.

        Raises ForbiddenError where the role does not allow the grants, UsageError for a wrong name or grant.
        """
        plain, at = name.strip(), self._clock()
        if not 1 <= len(plain) <= 100 or not plain.isprintable() or not 0 <= days <= 3650:
            raise UsageError("A token needs a name of 1 to 100 characters, and at most 3650 days.", "Name its program.")
        if not grants or not set(grants) <= {"read", "write", "admin"}:
            raise UsageError("A token grants some of read, write and admin.", "Name at least one of them.")
        secret = TOKEN_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        row = sessions.new_token(plain, set(grants), at, at + days * 86_400.0 if days else None)
        with self._store.database.write() as connection:
            holding = people.get(connection, person)
            if not set(grants) <= set(GRANTS[holding.role]) or holding.state != "active":
                raise ForbiddenError(f"The role {holding.role} cannot grant that.", "Make a token without `admin`.")
            sessions.add_token(connection, secret, person, row)
            audit.record(connection, Principal(f"user:{person}"), "token.made", row.id)
        return row, secret

    def tokens(self, person: str) -> list[TokenRow]:
        """Return somebody's tokens, without their secrets."""
        with self._store.database.read() as connection:
            return sessions.tokens_of(connection, person)

    def revoke_token(self, person: str, token: str) -> None:
        """End one of somebody's tokens; raises NotFoundError."""
        with self._store.database.write() as connection:
            sessions.revoke(connection, person, token)
            audit.record(connection, Principal(f"user:{person}"), "token.revoked", token)

    def signin_link(self, person: str = people.FIRST) -> Link:
        """Make a link that signs in one browser, once."""
        with self._store.database.write() as connection:
            audit.record(connection, Principal(f"user:{person}"), "link.made", person)
            return new_link(connection, "signin", person, self._clock())

    def redeem(self, secret: str, agent: str = "") -> str:
        """Use up a `signin` link and return the secret of a new session; raises LinkError."""
        with self._store.database.write() as connection:
            person = holder(connection, secret, "signin", self._clock())
            sessions.spend(connection, secret)
            audit.record(connection, Principal(f"user:{person.id}"), "link.used", person.id)
            return self.begin(connection, person.id, agent)

    def invited(self, secret: str) -> PersonRow:
        """Return whose `password` link this is, without using it up; raises LinkError."""
        with self._store.database.read() as connection:
            return holder(connection, secret, "password", self._clock())

    def set_up(self, secret: str, password: str, agent: str = "") -> str:
        """Use up a `password` link: set the password, end all sessions; return the secret of a new session.

        Returns "" where there is a second factor: then it takes a sign-in. Raises LinkError, PasswordError.
        """
        hashed = self.credentials.hashed(password, self.invited(secret).handle)
        with self._store.database.write() as connection:
            person = holder(connection, secret, "password", self._clock())
            people.set_password(connection, person.id, hashed)
            sessions.end_all(connection, person.id)
            sessions.drop_links(connection, person.id, "password")
            audit.record(connection, Principal(f"user:{person.id}"), "password.set", person.id)
            return "" if person.has_totp else self.begin(connection, person.id, agent)

    def remove(self, person: str, by: str = people.FIRST) -> None:
        """Erase somebody: their row, ways in, memberships and entries. Raises ForbiddenError, NotFoundError."""
        self.people.remove(person, by)

    @property
    def _idle(self) -> float:
        return self._settings.get("session_idle_hours", int) * 3600.0

    def _touch(self, found: Bearer, at: float, write: Callable[[Connection, str, float], None]) -> None:
        if at - found.seen < SEEN_SECONDS:
            return
        try:
            with self._store.database.write() as connection:
                write(connection, found.key, at)
        except StoreError as problem:  # a full disk must not keep people from reading
            _log.warning("the last use of a session was not written down: %s", problem)
