"""Access that is taken is gone with the next request: also for rankings that are kept, parts of files, pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bowerbird.testing.leak_texts import picture
from bowerbird.testing.leak_world import Asked, Thing, World
from bowerbird.testing.leaks import Suite

DAY = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def world(suite: Suite) -> Iterator[World]:
    """Twelve items that U sees as one of the staff, and a picture."""
    world = suite.world()
    world.member("staff", f"user:{world.cast.u}", True)
    world.say("Office", "hr", ("group:local:staff",), ())
    for number in range(12):
        thing = Thing(f"hr/walrus{number}.txt", "hr", b"A walrus %d." % number, DAY + timedelta(days=number))
        world.put("Office", thing, f"item{number:02}")
    world.put("Office", Thing("hr/photo.png", "hr", picture(1), DAY), "photo")
    world.level(vectors=True)
    yield world
    suite.end()


TAKEN: dict[str, Callable[[World], None]] = {
    "out of the group": lambda world: world.member("staff", f"user:{world.cast.u}", False),
    "the source allows nobody": lambda world: world.say("Office", "hr", (), ()),
    "the source denies": lambda world: world.say("Office", "hr", ("group:local:staff",), (f"user:{world.cast.u}",)),
    "a rule denies": lambda world: world.rule("Office", "hr", f"user:{world.cast.u}", "deny") and None,
    "the items moved": lambda world: [
        world.move("Office", Thing(f"hr/walrus{number}.txt", "vault", b"", DAY)) for number in range(12)
    ] and world.move("Office", Thing("hr/photo.png", "vault", b"", DAY)),
    "deleted": lambda world: world.delete([*(f"item{number:02}" for number in range(12)), "photo"]),
}  # fmt: skip


def found(world: World, **query: str) -> Any:
    return json.loads(world.ask(Asked("GET", "/api/search", tuple(query.items()))).body)


@pytest.mark.parametrize("how", TAKEN)
def test_nothing_is_left_with_the_next_request(world: World, how: str) -> None:
    part = (("range", "bytes=0-3"),)
    page = found(world, q="walrus", limit="5")
    assert len(page["hits"]) == 5
    assert world.ask(Asked("GET", "/open/item00", headers=part)).status == 206
    assert world.ask(Asked("GET", "/api/items/photo/pages/1.png")).status == 200
    TAKEN[how](world)
    following = found(world, q="walrus", limit="5", cursor=page["cursor"])
    assert following["hits"] == []
    assert following["cursor"] == ""
    assert not any(following["counts"].values())
    assert found(world, q="walrus")["hits"] == []
    for path in ("/open/item00", "/api/items/item00", "/api/items/item00/text", "/api/items/photo/pages/1.png"):
        for headers in ((), part):
            assert world.ask(Asked("GET", path, headers=headers)).status == 404, (path, headers)


def test_what_is_left_is_counted_anew(world: World) -> None:
    page = found(world, q="walrus", limit="5")
    shown = {hit["item"] for hit in page["hits"]}
    gone = [f"item{number:02}" for number in range(12) if f"item{number:02}" not in shown][:4]
    world.delete(gone)
    following = found(world, q="walrus", limit="100", cursor=page["cursor"])
    assert not {hit["item"] for hit in following["hits"]} & ({*gone} | shown)
    assert following["counts"]["source"] == {"Office": 13 - len(gone)}


def test_who_is_suspended_is_let_in_no_more(world: World) -> None:
    assert world.ask(Asked("GET", "/api/me")).status == 200
    world.role("member", "suspended")
    for door in ("session", "token"):
        assert world.ask(Asked("GET", "/api/search", (("q", "walrus"),), door=door)).status == 401
