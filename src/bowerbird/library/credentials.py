"""What somebody proves themselves by: a password, and a second factor. Reached by `library.identity.credentials`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from bowerbird.core.errors import SignInError, UsageError
from bowerbird.core.records import Principal
from bowerbird.library import passwords, totp
from bowerbird.library.limiting import Limiter
from bowerbird.library.passwords import Hasher
from bowerbird.store import attempts, audit, people
from bowerbird.store.people import PersonRow, Proof
from bowerbird.store.store import Store


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A second factor that is offered and not in force yet: the secret in base32, and the link that apps read."""

    secret: str
    uri: str


class Credentials:
    """Checks and changes passwords and second factors. Thread-safe; each change is one transaction with its audit."""

    def __init__(self, store: Store, clock: Callable[[], float], hasher: Hasher) -> None:
        self._store = store
        self._clock = clock
        self._hasher = hasher
        self._limiter = Limiter(store, clock)

    @contextlib.contextmanager
    def proved(self, handle: str, password: str, code: str, address: str = "") -> Iterator[tuple[Connection, str]]:
        """Give a transaction and the id of who proved themselves; raises SignInError, RateLimitError.

        Who is wrong, unknown, suspended or without a password gets the same answer after the same work. A code is
        asked for where there is a second factor, and works once.
        """
        limits = self._limiter.claim(handle, address)
        with self._store.database.read() as connection:
            person = people.found(connection, handle)
            proof = people.proof(connection, person.id) if person else Proof("", "", 0)
        right = self._hasher.verify(proof.password, password)
        renewed = self._hasher.renewed(proof.password, password) if right else ""
        with self._store.database.write() as connection:
            if person and right and self._still(connection, person, proof, code):
                attempts.forgive(connection, limits, cleared=limits[0].key)
                if renewed:
                    people.set_password(connection, person.id, renewed)
                yield connection, person.id
                return
            audit.record(connection, None, "signin.failed", person.id if person else "")
        raise SignInError(
            "The name, the password or the code is wrong.", "Try again, or ask an admin for a new password."
        )

    def _still(self, connection: Connection, person: PersonRow, proof: Proof, code: str) -> bool:
        """Tell whether nothing changed while the password was hashed, and the code is right and new."""
        now = people.proof(connection, person.id)
        if now.password != proof.password or people.get(connection, person.id).state != "active":
            return False
        if not now.totp_secret:
            return True
        step = totp.matching_step(now.totp_secret, code, self._clock())
        return bool(step) and people.use_step(connection, person.id, step)

    def hashed(self, password: str, handle: str) -> str:
        """Return the hash of a new password; raises PasswordError where it does not follow the rules."""
        passwords.check(password, handle)
        return self._hasher.hash(password)

    def offer_totp(self, person: str) -> Enrolment:
        """Return a new second factor for somebody; it is in force once `enrol_totp` saw a code of it."""
        with self._store.database.read() as connection:
            row = people.get(connection, person)
        if not row.has_password:
            raise UsageError("A second factor needs a first: there is no password yet.", "Set a password.")
        secret = totp.new_secret()
        return Enrolment(secret, totp.uri(secret, row.handle))

    def enrol_totp(self, person: str, password: str, secret: str, code: str) -> None:
        """Put a second factor in force; raises SignInError for a wrong password, UsageError for a wrong code."""
        totp.checked_secret(secret)
        step = totp.matching_step(secret, code, self._clock())
        if not step:
            raise UsageError("The code does not fit the secret.", "Look at the clock of the device that shows it.")
        with self._confirmed(person, password) as connection:
            people.set_totp(connection, person, secret, step)
            audit.record(connection, Principal(f"user:{person}"), "totp.enrolled", person)

    def remove_totp(self, person: str, password: str) -> None:
        """Do without a second factor from now on; raises SignInError for a wrong password."""
        with self._confirmed(person, password) as connection:
            people.set_totp(connection, person, "")
            audit.record(connection, Principal(f"user:{person}"), "totp.removed", person)

    @contextlib.contextmanager
    def _confirmed(self, person: str, password: str) -> Iterator[Connection]:
        """Give a transaction to somebody who is signed in and says their password again."""
        with self._store.database.read() as connection:
            row, proof = people.get(connection, person), people.proof(connection, person)
        limits = self._limiter.claim(row.handle)
        right = self._hasher.verify(proof.password, password)
        with self._store.database.write() as connection:
            if right and people.proof(connection, person).password == proof.password:
                attempts.forgive(connection, limits, cleared=limits[0].key)
                yield connection
                return
            audit.record(connection, Principal(f"user:{person}"), "password.refused", person)
        raise SignInError("The present password is wrong.", "Type the password that you sign in with.")

    @contextlib.contextmanager
    def replacing(self, person: str, current: str, new: str) -> Iterator[Connection]:
        """Give the transaction in which somebody's password was replaced; raises SignInError, PasswordError."""
        with self._store.database.read() as connection:
            row = people.get(connection, person)
        if not row.has_password:
            raise UsageError("There is no password yet.", "Ask for a link to set one: `bowerbird people link HANDLE`.")
        hashed = self.hashed(new, row.handle)
        with self._confirmed(person, current) as connection:
            people.set_password(connection, person, hashed)
            audit.record(connection, Principal(f"user:{person}"), "password.set", person)
            yield connection
