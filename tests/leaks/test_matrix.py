"""Every route for every kind of asker, from the router: what is declared is what happens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from fastapi import APIRouter
from sqlalchemy import update
from starlette.testclient import TestClient

from bowerbird.serve.policies import PolicyRoute, policy
from bowerbird.store import people, sessions
from bowerbird.store.access import ROLES
from bowerbird.store.identity_tables import sessions as session_rows
from bowerbird.testing.leak_asking import TOLD
from bowerbird.testing.leak_requests import Door, Pools, doors, request, undeclared
from bowerbird.testing.leak_world import FAR, Answer, Asked, World
from bowerbird.testing.leaks import Suite


@dataclass(frozen=True)
class Kind:
    """A kind of asker: how they show who they are, the role, what they may do, and whether anybody knows them."""

    name: str
    secret: str = ""
    role: str = ""
    grants: tuple[str, ...] = ("read", "write", "admin")
    via: str = "session"
    viewing: bool = False


KINDS = (
    Kind("nobody"),
    Kind("guest", "guest" * 9, "guest"),
    Kind("member", "membe" * 9, "member"),
    Kind("admin", "admin" * 9, "admin"),
    Kind("owner", "owner" * 9, "owner"),
    Kind("admin viewing as a member", "viewi" * 9, "admin", viewing=True),
    Kind("read-only token", "", "admin", ("read",), "token"),
    Kind("expired session", "expir" * 9),
    Kind("suspended", "suspe" * 9),
)


@dataclass
class House:
    """A world with one of each kind in it; `ids` are the people by the name of their kind."""

    world: World
    token: str
    ids: dict[str, str]

    def ask(self, kind: Kind, asked: Asked) -> Answer:
        headers = {"sec-fetch-site": "same-origin"}
        if kind.via == "token":
            headers["authorization"] = f"Bearer {self.token}"
        elif kind.secret:
            self.sign_in(kind)
            headers["cookie"] = f"bowerbird-80={kind.secret}"
        client: TestClient = self.world.client
        client.cookies.clear()
        found = client.request(asked.method, asked.path, params=list(asked.query), headers=headers, json=asked.body)
        return Answer(found.status_code, dict(found.headers), found.content)

    def sign_in(self, kind: Kind) -> None:
        """Let somebody be signed in, whatever the request before has ended."""
        digest = sessions.digest(kind.secret)
        values = {"seen": FAR, "viewing": self.ids["member"] if kind.viewing else ""}
        if kind.name == "expired session":
            values["ends"] = 2.0
        with self.world.store.database.write() as connection:
            sessions.end_secret(connection, kind.secret)
            sessions.begin(connection, kind.secret, self.ids[kind.name], (1.0, FAR))
            connection.execute(update(session_rows).where(session_rows.c.hash == digest).values(**values))


@pytest.fixture
def house(suite: Suite) -> Iterator[House]:
    """Made anew for every kind: what a route changes must not change what the next asker is."""
    world = suite.world()
    ids = {"owner": people.FIRST}
    with world.store.database.write() as connection:
        for number, kind in enumerate(KINDS):
            if kind.secret and kind.role != "owner":
                ids[kind.name] = people.add(connection, f"kind{number}", kind.role or "member").id
        people.set_state(connection, ids["suspended"], "suspended")
    token = world.library.identity.make_token(ids["admin"], "reading", ("read",))[1]
    yield House(world, token, ids)
    suite.end()


def expected(kind: Kind, door: Door) -> str:
    """What must happen: `401`, `403`, or `passes` (whatever the route then says of what is asked)."""
    if not kind.role:
        return "401"
    if ROLES.index(kind.role) < ROLES.index(door.policy.least) or door.policy.grant not in kind.grants:
        return "403"
    return "403" if kind.viewing and door.policy.grant != "read" else "passes"


REFUSALS = {
    "401": (b"You are not signed in to this library.",),
    "403": (b"This is for people with the role", b"The token does not grant", b"Nothing can be changed while you view"),
}
"""What the check of the policy says; a route may refuse for its own reasons (a wrong password, the first owner)."""


def happened(answer: Answer) -> str:
    for status, said in REFUSALS.items():
        if answer.status == int(status) and any(one in answer.body for one in said):
            return status
    return "passes"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_is_declared_is_what_happens(house: House, kind: Kind) -> None:
    wrong = []
    for door in doors(house.world.app):
        asked = request(house.world.app, door, lambda values: next(iter(values)), Pools({}, ("none",)))
        answer = house.ask(kind, asked)
        failed = answer.status >= 500 and json.loads(answer.body)["code"] not in TOLD
        # the page for signing in is open, and says that nobody is signed in
        if failed or (door.policy.least != "open" and happened(answer) != expected(kind, door)):
            wrong.append((door.name, expected(kind, door), answer.status, answer.body[:120]))
    assert wrong == []


def test_every_route_declares_its_policy(suite: Suite) -> None:
    world = suite.world()
    assert undeclared(world.app) == []
    assert len(doors(world.app)) > 50
    suite.end()


def test_a_route_without_a_policy_cannot_be_built() -> None:
    router = APIRouter(route_class=PolicyRoute)
    with pytest.raises(TypeError, match="declares no policy"):
        router.get("/api/forgotten")(lambda: None)
    router.get("/api/declared")(policy("guest")(lambda: None))


def test_head_and_unknown_methods_open_nothing(house: House) -> None:
    nobody, guest = KINDS[0], KINDS[1]
    for method in ("HEAD", "OPTIONS", "PUT", "TRACE"):
        assert house.ask(nobody, Asked(method, "/api/search")).status in (401, 405)
        assert house.ask(guest, Asked(method, "/api/status")).status in (403, 405)
