"""The ways in: sessions of browsers, tokens of programs, one-time links. Secrets are kept as SHA-256 only.

A secret has at least 192 random bits, so a fast hash suffices and a look-up by it tells nothing by its time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, delete, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from bowerbird.core.errors import NotFoundError
from bowerbird.core.ids import new_id
from bowerbird.store.identity_tables import invitations, people, sessions, tokens

SHOWN = 16
"""Characters of a session's hash by which it is named to its owner."""

EXPLAINED_SECONDS = 30 * 24 * 3600
"""How long an ended link is kept, so that whoever opens it is told that it has ended."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who a session or token belongs to: role and state as they are now. `key` is the hash, or the token's id."""

    key: str
    person: str
    role: str
    state: str
    seen: float
    viewing: str = ""
    grants: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A browser that is signed in; `id` names it to its owner. Times are seconds since 1970 UTC."""

    id: str
    created: float
    seen: float
    ends: float
    agent: str
    current: bool


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token of a program; `grants` are some of read, write and admin."""

    id: str
    name: str
    grants: tuple[str, ...]
    created: float
    seen: float | None
    ends: float | None


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A one-time link: what for (`signin`, `password`), whose, and until when."""

    purpose: str
    person: str
    ends: float


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret, in hexadecimal."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def begin(connection: Connection, secret: str, person: str, times: tuple[float, float], agent: str = "") -> None:
    """Enter a session; `times` are now and its end."""
    created, ends = times
    values = {"hash": digest(secret), "person_id": person, "created": created, "seen": created, "ends": ends}
    connection.execute(insert(sessions).values(**values, agent=agent[:200]))


def bearer(connection: Connection, secret: str, at: float, idle: float) -> Bearer | None:
    """Return whose session this is, None where it has ended: by its end, or after `idle` seconds without a request."""
    return bearer_of(connection, digest(secret), at, idle)


def bearer_of(connection: Connection, key: str, at: float, idle: float) -> Bearer | None:
    """Return whose session has this key, None where it has ended."""
    row = connection.execute(
        select(sessions.c.hash, people.c.id, people.c.role, people.c.state, sessions.c.seen, sessions.c.viewing)
        .join(people, people.c.id == sessions.c.person_id)
        .where(sessions.c.hash == key, sessions.c.ends > at, sessions.c.seen > at - idle)
    ).first()
    return None if row is None else Bearer(*row)


def touch(connection: Connection, key: str, at: float) -> None:
    """Keep when a session was used last."""
    connection.execute(update(sessions).where(sessions.c.hash == key).values(seen=at))


def of_person(connection: Connection, person: str, at: float, idle: float, current: str = "") -> list[SessionRow]:
    """Return somebody's sessions that have not ended, newest first; `current` is the key of the one that asks."""
    rows = connection.execute(
        select(sessions.c.hash, sessions.c.created, sessions.c.seen, sessions.c.ends, sessions.c.agent)
        .where(sessions.c.person_id == person, sessions.c.ends > at, sessions.c.seen > at - idle)
        .order_by(sessions.c.created.desc())
    )
    return [SessionRow(row[0][:SHOWN], *row[1:], current=row[0] == current) for row in rows]


def view(connection: Connection, key: str, person: str) -> str:
    """Let the session of this key read with the eyes of a person ("" for its own); returns whose it had before.

    Raises NotFoundError where there is no such session.
    """
    before: str | None = connection.execute(select(sessions.c.viewing).where(sessions.c.hash == key)).scalar()
    if before is None:
        raise NotFoundError("There is no such session.", "Sign in with a browser: a token cannot view as somebody.")
    connection.execute(update(sessions).where(sessions.c.hash == key).values(viewing=person))
    return before


def end(connection: Connection, person: str, name: str) -> None:
    """End one of somebody's sessions by its name; raises NotFoundError."""
    short = sessions.c.hash.startswith(name, autoescape=True) if len(name) == SHOWN else sessions.c.hash == name
    if connection.execute(delete(sessions).where(sessions.c.person_id == person, short)).rowcount == 0:
        raise NotFoundError("There is no such session.", "It may have ended already.")


def end_all(connection: Connection, person: str, but: str = "") -> None:
    """End all sessions of somebody, but the one of this key."""
    connection.execute(delete(sessions).where(sessions.c.person_id == person, sessions.c.hash != but))


def end_secret(connection: Connection, secret: str) -> str | None:
    """End the session of a secret; returns whose it was, None where there was none."""
    gone = delete(sessions).where(sessions.c.hash == digest(secret)).returning(sessions.c.person_id)
    person: str | None = connection.execute(gone).scalar()
    return person


def add_token(connection: Connection, secret: str, person: str, made: TokenRow) -> None:
    """Enter a token under the id of the row."""
    values = {
        "id": made.id, "hash": digest(secret), "person_id": person, "name": made.name, "created": made.created,
        "grants": ",".join(made.grants), "ends": made.ends,
    }  # fmt: skip
    connection.execute(insert(tokens).values(**values))


def new_token(name: str, grants: Collection[str], at: float, ends: float | None) -> TokenRow:
    """Return the row of a token that is not entered yet."""
    return TokenRow(new_id(), name, tuple(sorted(grants)), at, None, ends)


def token_bearer(connection: Connection, secret: str, at: float) -> Bearer | None:
    """Return whose token this is, None where it has ended or there is none."""
    row = connection.execute(
        select(tokens.c.id, people.c.id, people.c.role, people.c.state, tokens.c.seen, tokens.c.grants)
        .join(people, people.c.id == tokens.c.person_id)
        .where(tokens.c.hash == digest(secret), or_(tokens.c.ends.is_(None), tokens.c.ends > at))
    ).first()
    if row is None:
        return None
    return Bearer(*row[:4], seen=row[4] or 0.0, grants=frozenset(row[5].split(",")))


def touch_token(connection: Connection, token: str, at: float) -> None:
    """Keep when a token was used last."""
    connection.execute(update(tokens).where(tokens.c.id == token).values(seen=at))


def tokens_of(connection: Connection, person: str) -> list[TokenRow]:
    """Return somebody's tokens, newest first."""
    rows = connection.execute(
        select(tokens.c.id, tokens.c.name, tokens.c.grants, tokens.c.created, tokens.c.seen, tokens.c.ends)
        .where(tokens.c.person_id == person)
        .order_by(tokens.c.created.desc())
    )
    return [TokenRow(row[0], row[1], tuple(row[2].split(",")), *row[3:]) for row in rows]


def revoke(connection: Connection, person: str, token: str) -> None:
    """End one of somebody's tokens; raises NotFoundError."""
    gone = delete(tokens).where(tokens.c.person_id == person, tokens.c.id == token)
    if connection.execute(gone).rowcount == 0:
        raise NotFoundError("There is no such token.", "It may have ended already.")


def invite(connection: Connection, secret: str, link: LinkRow, at: float) -> None:
    """Enter a one-time link; a newer `password` link ends those made before it for the same person."""
    if link.purpose == "password":
        drop_links(connection, link.person, link.purpose)
    values = {"hash": digest(secret), "purpose": link.purpose, "person_id": link.person, "ends": link.ends}
    connection.execute(insert(invitations).values(**values, created=at))


def link_of(connection: Connection, secret: str) -> LinkRow | None:
    """Return the link of a secret, ended or not; None where it was used or never made."""
    row = connection.execute(
        select(invitations.c.purpose, invitations.c.person_id, invitations.c.ends).where(
            invitations.c.hash == digest(secret)
        )
    ).first()
    return None if row is None else LinkRow(*row)


def spend(connection: Connection, secret: str) -> None:
    """Remove a link, as it is used."""
    connection.execute(delete(invitations).where(invitations.c.hash == digest(secret)))


def drop_links(connection: Connection, person: str, purpose: str = "") -> None:
    """Remove somebody's links, or those of one purpose."""
    gone = delete(invitations).where(invitations.c.person_id == person)
    connection.execute(gone.where(invitations.c.purpose == purpose) if purpose else gone)


def drop_ways_in(connection: Connection, person: str) -> None:
    """End all sessions, tokens and links of somebody."""
    end_all(connection, person)
    connection.execute(delete(tokens).where(tokens.c.person_id == person))
    drop_links(connection, person)


def sweep(connection: Connection, at: float, idle: float) -> None:
    """Forget sessions and tokens that have ended, and links that ended long ago."""
    connection.execute(delete(sessions).where(or_(sessions.c.ends <= at, sessions.c.seen <= at - idle)))
    connection.execute(delete(tokens).where(tokens.c.ends <= at))
    connection.execute(delete(invitations).where(invitations.c.ends <= at - EXPLAINED_SECONDS))
