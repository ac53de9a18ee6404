"""People, groups and ways in, as rows."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from bowerbird.core.errors import CycleError, ForbiddenError, NotFoundError, UsageError
from bowerbird.core.records import Principal
from bowerbird.store import access, attempts, groups, people, sessions
from bowerbird.store.attempts import Limit
from bowerbird.store.identity_tables import accounts, group_members, invitations, tokens
from bowerbird.store.identity_tables import sessions as session_rows
from bowerbird.store.store import Store
from bowerbird.store.tables import scope_entries

DAY = 24 * 3600.0


def test_handles_have_one_form_and_belong_to_one_person(store: Store) -> None:
    with store.database.write() as connection:
        ada = people.add(connection, " Ada.L ", "member", "Ada Lovelace", "Ada@Example.org")
        assert (ada.handle, ada.address, ada.has_password, ada.has_totp) == ("ada.l", "ada@example.org", False, False)
        assert people.named(connection, "ADA.L") == ada == people.get(connection, ada.id)
        with pytest.raises(UsageError, match="is taken"):
            people.add(connection, "ada.L", "guest")
        bob = people.add(connection, "bob", "guest")
        with pytest.raises(UsageError, match="is taken"):
            people.describe(connection, bob.id, "ada.l", "", "")
        assert people.describe(connection, bob.id, "bobby", "Bob", "").handle == "bobby"
        assert [one.handle for one in people.listed(connection)] == ["ada.l", "bobby", "owner"]


@pytest.mark.parametrize("handle", ["", "a", ".ab", "ab-", "a b", "ä" * 3, "a" * 65, "a\nb", "a/b", "a:b", "ab\0"])
def test_what_cannot_be_a_handle_is_refused(store: Store, handle: str) -> None:
    with store.database.write() as connection, pytest.raises(UsageError, match="2 to 64 characters"):
        people.add(connection, handle, "member")


def test_roles_and_names_are_checked(store: Store) -> None:
    with store.database.write() as connection:
        with pytest.raises(UsageError, match="no role named boss"):
            people.add(connection, "ada", "boss")
        for name in ("x" * 201, "a\x1b[2J"):
            with pytest.raises(UsageError):
                people.add(connection, "ada", "member", name)
        with pytest.raises(NotFoundError):
            people.named(connection, "nobody")


def test_the_first_owner_stays(store: Store) -> None:
    with store.database.write() as connection:
        people.add(connection, "second", "owner")
        for change in (
            lambda: people.set_role(connection, "owner", "admin"),
            lambda: people.set_state(connection, "owner", "suspended"),
            lambda: people.remove(connection, "owner"),
        ):
            with pytest.raises(ForbiddenError, match="always keeps that owner"):
                change()
        assert people.get(connection, "owner").role == "owner"


def test_removing_somebody_leaves_nothing_of_them(store: Store) -> None:
    with store.database.write() as connection:
        ada = people.add(connection, "ada", "member")
        principal = f"user:{ada.id}"
        team = groups.make(connection, "team")
        groups.add_member(connection, team.id, principal)
        scope = access.ensure_scope(connection, "s")
        connection.execute(insert(scope_entries).values(acl_id=scope, principal=principal, effect="allow"))
        people.link_account(connection, ada.id, "https://issuer", "sub-1")
        sessions.begin(connection, "secret", ada.id, (0.0, DAY))
        sessions.add_token(connection, "bb_x", ada.id, sessions.new_token("t", ["read"], 0.0, None))
        sessions.invite(connection, "link", sessions.LinkRow("password", ada.id, DAY), 0.0)
        people.remove(connection, ada.id)
        for table in (group_members, accounts, session_rows, tokens, invitations):
            assert connection.execute(select(table)).all() == []
        left = connection.execute(select(scope_entries.c.principal)).scalars().all()
        assert left == ["user:owner"]
        with pytest.raises(NotFoundError):
            people.get(connection, ada.id)


def test_an_account_elsewhere_belongs_to_one_person(store: Store) -> None:
    with store.database.write() as connection:
        ada, bob = people.add(connection, "ada", "member"), people.add(connection, "bob", "member")
        people.link_account(connection, ada.id, "https://issuer", "sub-1")
        people.link_account(connection, ada.id, "https://issuer", "sub-1")
        assert people.account_of(connection, "https://issuer", "sub-1") == ada.id
        assert people.account_of(connection, "https://other", "sub-1") is None
        with pytest.raises(UsageError, match="somebody else"):
            people.link_account(connection, bob.id, "https://issuer", "sub-1")


def test_a_circle_of_groups_is_refused_and_nothing_changes(store: Store) -> None:
    with store.database.write() as connection:
        first, second, third = (groups.make(connection, name).id for name in ("first", "second", "third"))
        groups.add_member(connection, first, second)
        groups.add_member(connection, second, third)
        for group, member in ((third, first), (third, second), (second, first), (first, first)):
            with pytest.raises(CycleError, match="cannot be in it"):
                groups.add_member(connection, group, member)
        assert groups.members(connection, third) == []
        groups.add_member(connection, first, third)  # twice above it is no circle


def test_unknown_groups_and_members_are_not_found(store: Store) -> None:
    with store.database.write() as connection:
        team = groups.make(connection, "team").id
        for group, member in (
            ("group:local:none", "user:owner"), (team, "user:none"), (team, "group:local:none"),
            (team, "group:role:boss"),
        ):  # fmt: skip
            with pytest.raises(NotFoundError):
                groups.add_member(connection, group, member)
        with pytest.raises(UsageError):
            groups.add_member(connection, team, "public")
        with pytest.raises(NotFoundError):
            groups.remove_member(connection, team, "user:owner")
        with pytest.raises(NotFoundError):
            groups.remove(connection, "group:local:none")


def test_a_group_takes_its_entries_with_it(store: Store) -> None:
    with store.database.write() as connection:
        team, outer = groups.make(connection, "team").id, groups.make(connection, "outer").id
        groups.add_member(connection, team, "user:owner")
        groups.add_member(connection, outer, team)
        groups.add_member(connection, outer, "group:role:member")
        labels = [(one.label, one.origin) for one in groups.members(connection, outer)]
        assert labels == [("group:role:member", "local"), ("team", "local")]
        scope = access.ensure_scope(connection, "s")
        connection.execute(insert(scope_entries).values(acl_id=scope, principal=team, effect="deny"))
        groups.remove(connection, team)
        assert [row.name for row in groups.listed(connection)] == ["outer"]
        assert access.visible_scopes(connection, Principal("user:owner")) == {scope}


def test_claims_are_followed_and_what_was_made_here_stays(store: Store) -> None:
    with store.database.write() as connection:
        ada = people.add(connection, "ada", "member")
        principal = Principal(f"user:{ada.id}")
        staff = groups.make(connection, "staff").id
        groups.add_member(connection, staff, principal.name)
        groups.follow_claims(connection, ada.id, "oidc", {"staff", "board"})
        assert {"group:oidc:staff", "group:oidc:board", staff} <= access.expanded(connection, principal)
        groups.follow_claims(connection, ada.id, "oidc", {"board"})
        mine = access.expanded(connection, principal)
        assert "group:oidc:staff" not in mine and {"group:oidc:board", staff} <= mine


def test_sessions_end_by_time_and_by_rest(store: Store) -> None:
    with store.database.write() as connection:
        sessions.begin(connection, "secret", "owner", (0.0, 30 * DAY), "Firefox")
        assert sessions.bearer(connection, "other", 1.0, DAY) is None
        known = sessions.bearer(connection, "secret", DAY - 1, DAY)
        assert known is not None and (known.person, known.role, known.state) == ("owner", "owner", "active")
        assert sessions.bearer(connection, "secret", DAY, DAY) is None
        sessions.touch(connection, known.key, 30 * DAY - 2)
        assert sessions.bearer(connection, "secret", 30 * DAY - 1, DAY) is not None
        assert sessions.bearer(connection, "secret", 30 * DAY, DAY) is None
        assert sessions.of_person(connection, "owner", 30 * DAY, DAY) == []
        [row] = sessions.of_person(connection, "owner", 30 * DAY - 1, DAY, known.key)
        assert row.current and row.agent == "Firefox" and known.key.startswith(row.id)
        for wrong in ("", "%", "_" * 16, row.id[:4]):
            with pytest.raises(NotFoundError):
                sessions.end(connection, "owner", wrong)
        sessions.end(connection, "owner", row.id)
        assert sessions.of_person(connection, "owner", 0.0, DAY) == []


def test_no_secret_is_kept(store: Store) -> None:
    with store.database.write() as connection:
        sessions.begin(connection, "canary-one", "owner", (0.0, DAY))
        sessions.add_token(connection, "bb_canary-two", "owner", sessions.new_token("t", ["read"], 0.0, DAY))
        sessions.invite(connection, "canary-three", sessions.LinkRow("signin", "owner", DAY), 0.0)
        known = sessions.token_bearer(connection, "bb_canary-two", 1.0)
        assert known is not None and known.grants == {"read"}
        assert sessions.token_bearer(connection, "bb_canary-two", DAY) is None
    for file in store.home.rglob("bowerbird.sqlite*"):
        assert b"canary" not in file.read_bytes()


def test_a_new_password_link_ends_the_one_before(store: Store) -> None:
    with store.database.write() as connection:
        for secret in ("first", "second"):
            sessions.invite(connection, secret, sessions.LinkRow("password", "owner", DAY), 0.0)
        sessions.invite(connection, "third", sessions.LinkRow("signin", "owner", DAY), 0.0)
        assert sessions.link_of(connection, "first") is None
        assert sessions.link_of(connection, "second") == sessions.LinkRow("password", "owner", DAY)
        sessions.spend(connection, "second")
        assert sessions.link_of(connection, "second") is None and sessions.link_of(connection, "third") is not None


def test_waiting_doubles_and_success_is_taken_back(store: Store) -> None:
    name, place = Limit("name", 3, 60), Limit("place", 5, 900)
    both, waits = (name, place), []
    with store.database.write() as connection:
        at = 0.0
        for _ in range(6):
            attempts.count(connection, both, at)
            waits.append(attempts.waiting(connection, both, at))
            at += waits[-1]
        assert waits == [0, 0, 1, 2, 4, 8]
        attempts.forgive(connection, both, name.key)
        assert attempts.waiting(connection, (name,), at) == 0
        attempts.count(connection, both, at)
        assert attempts.waiting(connection, (name,), at) == 0
        assert attempts.waiting(connection, (place,), at) == 2
        at += 2 * DAY
        attempts.count(connection, both, at)
        assert attempts.waiting(connection, both, at) == 0
        attempts.sweep(connection, at + DAY)
        assert attempts.waiting(connection, both, at) == 0
