"""Tokens, roles, groups, offboarding, and accounts elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bowerbird.core.errors import (
    CycleError,
    ForbiddenError,
    LinkError,
    NotFoundError,
    SignInError,
    UsageError,
)  # fmt: skip
from bowerbird.core.settings import Settings
from bowerbird.library.accounts import Account
from bowerbird.library.identity import Identity
from bowerbird.store import access, audit
from bowerbird.store.store import Store

GOOD, OTHER = "gravel otter seventeen", "violet teapot orbit"
DAY = 24 * 3600.0

Enter = Callable[..., str]


def actions(store: Store) -> list[str]:
    with store.database.read() as connection:
        return [event.action for event in audit.exported(connection)]


def test_tokens_grant_what_the_role_allows(identity: Identity, clock: Any, enter: Enter) -> None:
    person = enter(role="admin")
    row, secret = identity.make_token(person, " backup ", {"read", "admin"}, days=2)
    assert secret.startswith("bb_") and row.name == "backup"
    known = identity.token(secret)
    assert known is not None and known.grants == {"read", "admin"} and known.via == "token"
    identity.people.set_role(person, "member")
    known = identity.token(secret)
    assert known is not None and known.grants == {"read"} and known.role == "member"
    with pytest.raises(ForbiddenError):
        identity.make_token(person, "x", {"admin"})
    for name, grants, days in (
        ("", {"read"}, 0),
        ("x", {"all"}, 0),
        ("x", set(), 0),
        ("x", {"read"}, -1),
        ("\x1b", {"read"}, 0),
    ):
        with pytest.raises(UsageError):
            identity.make_token(person, name, grants, days)
    assert identity.token(secret + "x") is None and identity.token("") is None
    clock.now += 2 * DAY
    assert identity.token(secret) is None
    row, secret = identity.make_token(person, "again", {"read"})
    with pytest.raises(NotFoundError):
        identity.revoke_token("owner", row.id)
    identity.revoke_token(person, row.id)
    assert identity.token(secret) is None and [one.name for one in identity.tokens(person)] == ["backup"]


def test_suspending_ends_every_way_in_at_once(identity: Identity, store: Store, enter: Enter) -> None:
    person = enter()
    session, (_, token) = identity.sign_in("ada", GOOD), identity.make_token(person, "x", {"read"})
    link = identity.people.link(person)
    identity.people.suspend(person)
    assert identity.session(session) is None and identity.token(token) is None
    with pytest.raises(LinkError):
        identity.set_up(link.secret, GOOD)
    with pytest.raises(SignInError):
        identity.sign_in("ada", GOOD)
    with pytest.raises(UsageError, match="suspended"):
        identity.people.link(person)
    with store.database.read() as connection:
        from bowerbird.core.records import Principal

        assert access.visible_scopes(connection, Principal(f"user:{person}")) == frozenset()
    identity.people.reactivate(person)
    assert identity.session(session) is None, "what ended stays ended"
    assert identity.sign_in("ada", GOOD)


def test_a_new_role_ends_the_sessions(identity: Identity, enter: Enter) -> None:
    person = enter()
    session = identity.sign_in("ada", GOOD)
    identity.people.set_role(person, "member")
    assert identity.session(session) is not None, "it is the same role"
    identity.people.set_role(person, "guest")
    assert identity.session(session) is None


def test_looking_through_somebody_ends_when_they_change(identity: Identity, store: Store, enter: Enter) -> None:
    from bowerbird.store import sessions

    viewed, admin = enter("ada"), enter("cy", "admin")
    session = identity.sign_in("cy", GOOD)
    for change in (
        lambda: identity.people.set_role(viewed, "owner"), lambda: identity.people.suspend(viewed),
        lambda: identity.remove(viewed),
    ):  # fmt: skip
        with store.database.write() as connection:
            sessions.view(connection, sessions.digest(session), viewed)
        known = identity.session(session)
        assert known is not None and (known.person, known.viewing) == (admin, viewed)
        change()
        known = identity.session(session)
        assert known is not None and known.viewing == ""


def test_who_may_do_what_to_whom(identity: Identity, enter: Enter) -> None:
    member, other = enter(), enter("bob")
    admin, peer, boss = (enter(name, role) for name, role in (("cy", "admin"), ("di", "admin"), ("ed", "owner")))
    for by, person in ((member, other), (other, "owner"), (admin, peer), (admin, boss), (admin, "owner")):
        for act in (
            lambda by, person: identity.people.suspend(person, by),
            lambda by, person: identity.people.set_role(person, "guest", by),
            lambda by, person: identity.people.link(person, by),
            lambda by, person: identity.people.describe(person, "xy", "", by),
            lambda by, person: identity.remove(person, by),
        ):
            with pytest.raises(ForbiddenError):
                act(by, person)
    for role in ("admin", "owner"):
        with pytest.raises(ForbiddenError):
            identity.people.set_role(member, role, admin)
        with pytest.raises(ForbiddenError):
            identity.people.invite("eve", role, admin)
    with pytest.raises(ForbiddenError):
        identity.people.make_group("x", member)
    with pytest.raises(ForbiddenError, match="always keeps that owner"):
        identity.people.set_role("owner", "member", boss)
    identity.people.suspend(peer, boss)
    with pytest.raises(ForbiddenError):
        identity.people.suspend(member, peer)
    identity.people.suspend(member, admin)
    identity.remove(member, admin)
    assert [one.handle for one in identity.people.listed()] == ["bob", "cy", "di", "ed", "owner"]


def test_groups_are_made_and_changed_by_admins(identity: Identity, store: Store, enter: Enter) -> None:
    person = enter()
    team = identity.people.make_group("team").id
    outer = identity.people.make_group("outer").id
    identity.people.add_member(team, f"user:{person}")
    identity.people.add_member(outer, team)
    before = actions(store)
    with pytest.raises(CycleError):
        identity.people.add_member(team, outer)
    with pytest.raises(NotFoundError):
        identity.people.add_member("group:local:none", f"user:{person}")
    assert actions(store) == before, "what is refused changes nothing"
    assert [one.label for one in identity.people.members(outer)] == ["team"]
    identity.people.remove_member(team, f"user:{person}")
    identity.people.remove_group(team)
    assert [row.name for row in identity.people.groups()] == ["outer"]
    assert "group.member.removed" in actions(store) and "group.removed" in actions(store)


def test_accounts_are_matched_by_issuer_and_subject_only(store: Store, clock: Any, enter: Enter) -> None:
    identity = Identity(store, Settings({"oidc_create": True, "oidc_admin_group": "bosses"}), clock)
    enter("ada")
    account = Account("https://issuer", "sub-1", "ada", "Ada", frozenset({"staff", "bosses", "", "a\x00b"}))
    known = identity.session(identity.accounts.sign_in(account))
    assert known is not None and known.role == "admin"
    assert identity.person(known.person).handle == "ada-2", "the same handle is not the same person"
    with store.database.read() as connection:
        from bowerbird.core.records import Principal

        mine = access.expanded(connection, Principal(f"user:{known.person}"))
    assert {one for one in mine if one.startswith("group:oidc")} == {"group:oidc:staff", "group:oidc:bosses"}
    again = identity.session(identity.accounts.sign_in(Account("https://issuer", "sub-1", groups=frozenset({"staff"}))))
    assert again is not None and (again.person, again.role) == (known.person, "member")
    elsewhere = identity.session(identity.accounts.sign_in(Account("https://other", "sub-1")))
    assert elsewhere is not None and elsewhere.person != known.person
    with pytest.raises(UsageError, match="decided by oidc"):
        identity.people.add_member("group:oidc:staff", "user:owner")
    identity.people.suspend(known.person)
    with pytest.raises(SignInError, match="opens nothing"):
        identity.accounts.sign_in(account)


def test_an_account_is_tied_to_somebody_by_themselves(identity: Identity, enter: Enter) -> None:
    person, other = enter(), enter("bob")
    account = Account("https://issuer", "sub-1", groups=frozenset({"staff"}))
    with pytest.raises(SignInError):
        identity.accounts.sign_in(account)
    identity.accounts.link(account, person)
    with pytest.raises(UsageError, match="somebody else"):
        identity.accounts.link(account, other)
    known = identity.session(identity.accounts.sign_in(account))
    assert known is not None and known.person == person and identity.people.providers(person) == ["https://issuer"]
    assert [one.label for one in identity.people.members("group:oidc:staff")] == ["ada"]
