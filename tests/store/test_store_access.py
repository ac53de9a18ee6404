"""Who somebody is, what they may see, and the record of what was done."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, text, update

from bowerbird.core.records import OWNER, SYSTEM, Principal
from bowerbird.store import access, audit
from bowerbird.store.identity_tables import audit as log
from bowerbird.store.identity_tables import group_members, groups, people
from bowerbird.store.store import Store
from bowerbird.store.tables import scope_entries

ANN = Principal("user:ann")


def person(connection, name: str, role: str = "member") -> None:
    values = {"id": name, "handle": name, "role": role, "pseudonym": f"p-{name}", "created": 0.0}
    connection.execute(insert(people).values(**values))


def group(connection, name: str, *members: str) -> str:
    made = f"group:local:{name}"
    connection.execute(insert(groups).values(id=made, source="local", name=name, created=0.0))
    for member in members:
        connection.execute(insert(group_members).values(group_id=made, member=member))
    return made


def test_groups_are_expanded_through_groups_and_circles_end(store: Store) -> None:
    with store.database.write() as connection:
        person(connection, "ann")
        inner = group(connection, "inner", "user:ann")
        middle = group(connection, "middle", inner)
        outer = group(connection, "outer", middle)
        connection.execute(insert(group_members).values(group_id=inner, member=outer))  # a circle
        staff = group(connection, "staff", "group:role:member")
        found = access.expanded(connection, ANN)
    assert found == {"user:ann", inner, middle, outer, staff, "public", "group:role:guest", "group:role:member"}


def test_the_suspended_and_the_unknown_are_nobody(store: Store) -> None:
    with store.database.write() as connection:
        scope = access.ensure_scope(connection, "s")
        connection.execute(insert(scope_entries).values(acl_id=scope, principal="public", effect="allow"))
        assert access.visible_scopes(connection, ANN) == frozenset(), "unknown"
        person(connection, "ann", "guest")
        assert access.visible_scopes(connection, ANN) == {scope}
        connection.execute(update(people).where(people.c.id == "ann").values(state="suspended"))
        connection.execute(insert(scope_entries).values(acl_id=scope, principal=ANN.name, effect="allow"))
        assert access.visible_scopes(connection, ANN) == frozenset()


def test_one_deny_wins_over_any_number_of_allows(store: Store) -> None:
    with store.database.write() as connection:
        person(connection, "ann")
        scope = access.ensure_scope(connection, "s")
        team, banned = group(connection, "team", "user:ann"), group(connection, "banned", "user:ann")
        for principal, effect, origin in (
            ("public", "allow", "policy"), (team, "allow", "source"), (banned, "deny", "rule:1"),
        ):  # fmt: skip
            values = {"acl_id": scope, "principal": principal, "effect": effect, "origin": origin}
            connection.execute(insert(scope_entries).values(**values))
        assert access.visible_scopes(connection, ANN) == frozenset()
        assert access.visible_scopes(connection, OWNER) == {scope}


@pytest.mark.parametrize(
    "change",
    [
        delete(group_members),
        delete(groups),
        update(people).where(people.c.id == "ann").values(state="suspended"),
        delete(people).where(people.c.id == "ann"),
        insert(scope_entries).values(acl_id=1, principal="user:ann", effect="deny"),
        delete(scope_entries).where(scope_entries.c.principal.like("group:%")),
        update(scope_entries).values(effect="deny"),
    ],
)
def test_kept_scopes_follow_every_change_of_rights(store: Store, change) -> None:
    with store.database.write() as connection:
        person(connection, "ann")
        scope = access.ensure_scope(connection, "s")
        team = group(connection, "team", "user:ann")
        connection.execute(insert(scope_entries).values(acl_id=scope, principal=team, effect="allow"))
    with store.database.read() as connection:
        assert store.scopes.visible(connection, ANN) == {scope}
        assert store.scopes.visible(connection, SYSTEM) == {scope}
    with store.database.write() as connection:
        connection.execute(change)
    with store.database.read() as connection:
        assert store.scopes.visible(connection, ANN) == frozenset()


def test_the_log_finds_what_was_changed_taken_out_or_put_in(store: Store) -> None:
    with store.database.write() as connection:
        person(connection, "ann")
        audit.record(connection, SYSTEM, "system.search")
        audit.record(connection, ANN, "rule.added", "0000000000001")
        audit.record(connection, None, "signin.failed")
        events = list(audit.exported(connection))
        assert [(one.actor, one.action, one.object) for one in events] == [
            ("system", "system.search", ""), ("p-ann", "rule.added", "0000000000001"),
            ("nobody", "signin.failed", ""),
        ]  # fmt: skip
        assert audit.broken(connection) == []
        assert [one.id for one in audit.listed(connection, limit=2)] == [3, 2]
        assert [one.id for one in audit.listed(connection, before=3)] == [2, 1]
    for tampering in (
        update(log).where(log.c.id == 2).values(object="rule-2"),
        update(log).where(log.c.id == 1).values(actor="p-ann"),
        delete(log).where(log.c.id == 2),
        insert(log).values(at=1.0, actor="p-ann", action="x", object="", hash="0" * 64),
    ):
        with store.database.write() as connection:
            connection.execute(text("SAVEPOINT before"))
            connection.execute(tampering)
            assert audit.broken(connection)
            connection.execute(text("ROLLBACK TO before"))
