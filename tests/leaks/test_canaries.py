"""A word that only hidden things hold: no answer to anybody below an admin holds it, whatever is asked how."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bowerbird.testing.leak_compare import CANARY, check_clean
from bowerbird.testing.leak_requests import HOSTILE, Pools, doors, request
from bowerbird.testing.leak_world import Asked, Thing, World
from bowerbird.testing.leaks import Suite

DAY = datetime(2026, 3, 2, tzinfo=UTC)
MAIL = b"From: Zqnora Low <zqnora@example.org>\nTo: all@example.org\nSubject: zqmerger\n\nThe zqmerger of zqnorth.\n"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ROUNDS = 3


@pytest.fixture
def world(suite: Suite) -> Iterator[World]:
    """Something visible, with the bytes of a hidden item that was read before it; and much that is hidden."""
    world = suite.world()
    world.say("Office", "hr", ("public",), ())
    for item, name, content in (
        ("hidden", "zqmerger.txt", b"The zqmerger costs zqmillions."),
        ("twin", "zqsame.txt", b"The harbour budget."),
        ("mail", "zqmail.eml", MAIL),
        ("broken", "zqbroken.pdf", b"%PDF-1.7 zqinside"),
    ):
        world.put("Office", Thing(f"vault/{name}", "vault", content, DAY), item)
    world.put("Office", Thing("hr/plan.txt", "hr", b"The harbour budget.", DAY), "seen")
    world.add_source("zqsource", "zqfolder/zqfile.txt cannot be read")
    world.put("zqsource", Thing("zqdeep/zqnote.md", "", b"# zqheading\n\nzqtext", DAY), "deep")
    world.member("zqboard", f"user:{world.cast.other}", True)
    world.rule("Office", "vault/zqrule", "group:local:zqboard", "deny")
    world.job = world.enqueue("zqsource")  # type: ignore[attr-defined]
    world.level(vectors=True)
    yield world
    suite.end()


def pools(world: World) -> Pools:
    cast = world.cast
    ids = ["hidden", "twin", "mail", "broken", "deep", "seen"]
    words = [
        "zqmerger",
        "zqnora",
        "from:zqnora",
        "source:zqsource",
        "in:zqdeep",
        '"the zqmerger"',
        "zqmer",
        "harbour",
        "har",
    ]
    return Pools(
        {
            "item_id": ids, "item": ids, "name": ["zqsource", "Office"], "source": ["zqsource", "Office"],
            "job_id": [world.job], "person": [cast.u, cast.other, "owner"], "group": ["group:local:zqboard"],  # type: ignore[attr-defined]
            "q": words, "query": words, "prefix": ["vault/zqrule", "vault", ""], "principal": [f"user:{cast.other}"],
        },
        HOSTILE,
    )  # fmt: skip


def as_role(world: World, role: str) -> str:
    """Give U a role; returns by which door they come."""
    world.role("member" if role == "nobody" else role, "active")
    return "" if role == "nobody" else "session"


@pytest.mark.parametrize("role", ["member", "guest", "nobody"])
def test_no_route_tells_what_is_hidden(world: World, role: str) -> None:
    by, dice = as_role(world, role), random.Random(f"canary {role}")
    asked_doors = doors(world.app)
    for door in asked_doors:
        for _ in range(ROUNDS * (10 if door.path == "/api/search" else 1)):
            asked = request(world.app, door, dice.choice, pools(world), by)
            check_clean(asked, world.ask(asked), (CANARY,))
    assert len(asked_doors) > 50


@pytest.mark.parametrize("item", ["hidden", "twin", "mail", "broken", "deep", "nothing"])
def test_not_yours_and_not_there_look_the_same(world: World, item: str) -> None:
    for path in ("/api/items/{}", "/api/items/{}/text", "/api/items/{}/pages/1.png", "/open/{}"):
        for accept in ("text/html", "application/json"):
            headers = (("accept", accept),)
            mine, none = (world.ask(Asked("GET", path.format(one), headers=headers)) for one in (item, "0123456789abc"))
            assert (mine.status, mine.headers, mine.body) == (none.status, none.headers, none.body)
            assert mine.status == 404


@pytest.mark.parametrize("method", METHODS)
def test_no_page_and_no_method_tells_what_is_hidden(world: World, method: str) -> None:
    for path in (
        "/",
        "/account",
        "/signin",
        "/setup",
        "/admin",
        "/status",
        "/static/js/api.js",
        "/api/openapi.json",
        "/x",
    ):
        for by in ("session", ""):
            asked = Asked(method, path, headers=(("accept", "text/html"),), door=by)
            check_clean(asked, world.ask(asked), (CANARY,))


def test_the_text_of_an_item_is_titled_by_its_own_name(world: World) -> None:
    """The same bytes were read before under a name that is not for U."""
    asked = Asked("GET", "/api/items/seen/text")
    answer = world.ask(asked)
    check_clean(asked, answer, (CANARY,))
    assert b'"title":"plan"' in answer.body


def test_the_canary_is_there_for_who_may_see_it(world: World) -> None:
    world.say("Office", "vault", ("public",), ())
    assert b"zqmillions" in world.ask(Asked("GET", "/api/search", (("q", "zqmerger"),))).body
    assert world.ask(Asked("GET", "/api/items/hidden")).status == 200
