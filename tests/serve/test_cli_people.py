"""`bowerbird people`, `groups` and `token`, as a person runs them."""

from __future__ import annotations

from typing import Any

from bowerbird.library import Library

GOOD = "gravel otter seventeen"


def test_people_from_invitation_to_offboarding(bowerbird: Any) -> None:
    made = bowerbird("people", "invite", "Ada", "--role", "admin", "--name", "Ada L", "--json").json
    assert made["person"]["handle"] == "ada" and made["link"].startswith("http://127.0.0.1:7310/setup#")
    secret = made["link"].partition("#")[2]
    with Library.open(bowerbird.home) as library:
        session = library.identity.set_up(secret, GOOD)
    listed = bowerbird("people", "list")
    assert (
        "ada: admin, password, last seen 20" in listed.out
        and "owner: owner, no password, last seen never" in listed.out
    )
    again = bowerbird("people", "link", "ada")
    assert again.code == 0 and "/setup#" in again.out and "ada" in again.err
    assert bowerbird("people", "role", "ada", "guest", "--json").json["person"]["role"] == "guest"
    assert "have ended" in bowerbird("people", "suspend", "ADA").err
    with Library.open(bowerbird.home) as library:
        assert library.identity.session(session) is None
    assert bowerbird("people", "reactivate", "ada").code == 0
    states = {one["handle"]: one["state"] for one in bowerbird("people", "list", "--json").json["people"]}
    assert states == {"ada": "active", "owner": "active"}


def test_what_is_refused_says_why(bowerbird: Any) -> None:
    for arguments, code, words in (
        (("people", "invite", "x"), 2, "2 to 64 characters"),
        (("people", "invite", "xy", "--role", "boss"), 2, "no role named boss"),
        (("people", "suspend", "nobody"), 1, "no such person"),
        (("people", "suspend", "owner"), 1, "always keeps that owner"),
        (("groups", "add", "none", "owner"), 1, "no such group"),
        (("token", "make", "x", "--grant", "all"), 2, "some of read, write and admin"),
        (("token", "revoke", "x"), 1, "no token x"),
    ):
        ended = bowerbird(*arguments)
        assert (ended.code, ended.out) == (code, "") and words in ended.err, arguments


def test_groups(bowerbird: Any) -> None:
    bowerbird("people", "invite", "ada")
    assert bowerbird("groups", "make", "team", "--json").json["group"]["id"] == "group:local:team"
    bowerbird("groups", "make", "all of us")
    assert bowerbird("groups", "add", "team", "ada").code == 0
    assert bowerbird("groups", "add", "all of us", "group:local:team").code == 0
    circle = bowerbird("groups", "add", "team", "group:local:all of us", "--json")
    assert circle.code == 2 and circle.json["error"]["code"] == "group-cycle"
    assert bowerbird("groups", "list").out.splitlines() == [
        "group:local:all of us: 1 member: team", "group:local:team: 1 member: ada",
    ]  # fmt: skip
    assert bowerbird("groups", "remove", "team", "ada").code == 0
    assert bowerbird("groups", "delete", "team").code == 0
    assert [one["labels"] for one in bowerbird("groups", "list", "--json").json["groups"]] == [[]]


def test_tokens(bowerbird: Any) -> None:
    made = bowerbird("token", "make", "backup", "--grant", "read", "--grant", "admin", "--days", "30")
    assert made.out.startswith("bb_") and "admin, read as owner" in made.err
    with Library.open(bowerbird.home) as library:
        known = library.identity.token(made.out.strip())
        assert known is not None and known.grants == {"read", "admin"}
    listed = bowerbird("token", "list", "--json").json["tokens"]
    assert [one["name"] for one in listed] == ["backup"] and made.out.strip() not in str(listed)
    assert bowerbird("token", "revoke", "backup").code == 0
    assert bowerbird("token", "list").out == ""
