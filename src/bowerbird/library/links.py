"""One-time links: making them, and looking at one that somebody brings."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection

from bowerbird.core.errors import LinkError
from bowerbird.store import people, sessions
from bowerbird.store.people import PersonRow
from bowerbird.store.sessions import LinkRow

LINK_SECONDS = 7 * 24 * 3600.0
SECRET_BYTES = 24

_REMEDIES = {
    "signin": "Run `bowerbird serve` for a new link.",
    "password": "Ask an admin of this library for a new one (`bowerbird people link HANDLE`).",
}


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was just made; the secret is told once. `path` leads to it below the server's address."""

    purpose: str
    secret: str
    ends: float

    @property
    def path(self) -> str:
        """Where it leads. A password link has its secret in the fragment, which browsers keep to themselves."""
        return f"/signin?token={self.secret}" if self.purpose == "signin" else f"/setup#{self.secret}"


def new_link(connection: Connection, purpose: str, person: str, at: float) -> Link:
    """Make a link for somebody that works once, within seven days."""
    link = Link(purpose, secrets.token_urlsafe(SECRET_BYTES), at + LINK_SECONDS)
    sessions.invite(connection, link.secret, LinkRow(purpose, person, link.ends), at)
    return link


def holder(connection: Connection, secret: str, purpose: str, at: float) -> PersonRow:
    """Return whose link this is, without using it up; raises LinkError."""
    found = sessions.link_of(connection, secret)
    remedy = _REMEDIES[purpose]
    if found is None or found.purpose != purpose:
        raise LinkError("This link was used before, was replaced by a newer one, or was never made.", remedy)
    if found.ends <= at:
        raise LinkError("This link has expired.", remedy)
    person = people.get(connection, found.person)
    if person.state != "active":
        raise LinkError("This link belongs to somebody who was suspended.", remedy)
    return person
