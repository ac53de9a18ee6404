"""Scopes of a source: their names, their entries, and items that move between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from bowerbird.core.records import OWNER, Access, Principal
from bowerbird.store import access, intake, moves, rules, scopes, sources
from bowerbird.store.identity_tables import access_state, group_members, groups, people
from bowerbird.store.store import Store
from bowerbird.store.tables import items, scope_entries
from bowerbird.store.tables import scopes as scope_rows

ANN, BOB = Principal("user:ann"), Principal("user:bob")


@pytest.fixture(autouse=True)
def team(store: Store) -> None:
    with store.database.write() as connection:
        for name in ("ann", "bob"):
            values = {"id": name, "handle": name, "role": "member", "pseudonym": f"p-{name}", "created": 0.0}
            connection.execute(insert(people).values(**values))
        connection.execute(insert(groups).values(id="group:local:hr", source="local", name="hr", created=0.0))
        connection.execute(insert(group_members).values(group_id="group:local:hr", member="user:ann"))


def visible(shelf, principal: Principal) -> set[str]:
    """The keys of the items that somebody may read, by SQL alone."""
    with shelf.store.database.read() as connection:
        mine = access.visible_scopes(connection, principal)
        rows = connection.execute(select(items.c.key, items.c.acl_id).where(items.c.source_id == shelf.source.id))
        return {row.key for row in rows if row.acl_id in mine}


def policy(shelf, name: str) -> None:
    with shelf.store.database.write() as connection:
        sources.set_policy(connection, shelf.source.id, name)


def told(shelf, *said: Access) -> None:
    with shelf.store.database.write() as connection:
        scopes.states(connection, shelf.source.id, said)


def mapping(shelf, theirs: str, principal: str) -> None:
    with shelf.store.database.write() as connection:
        rules.set_mapping(connection, shelf.source.id, theirs, principal)


def rule(shelf, prefix: str, principal: str, effect: str) -> rules.Added:
    with shelf.store.database.write() as connection:
        return rules.add(connection, shelf.source.id, prefix, principal, effect)


def unrule(shelf, rule_id: str) -> None:
    with shelf.store.database.write() as connection:
        rules.remove(connection, rule_id)


def entries(shelf) -> set[tuple[str, str, str, str]]:
    """(scope name, principal, effect, origin) of the whole source."""
    columns = (scope_rows.c.key, scope_entries.c.principal, scope_entries.c.effect, scope_entries.c.origin)
    joined = scope_entries.join(scope_rows, scope_rows.c.acl_id == scope_entries.c.acl_id)
    with shelf.store.database.read() as connection:
        mine = select(*columns).select_from(joined).where(scope_rows.c.source_id == shelf.source.id)
        return {tuple(row) for row in connection.execute(mine)}


def test_a_policy_says_who_reads_and_changes_rows_only(shelf) -> None:
    shelf.add("a.txt")
    log = shelf.entries()
    assert visible(shelf, OWNER) == {"a.txt"} and not visible(shelf, ANN)
    policy(shelf, "members")
    assert visible(shelf, OWNER) == visible(shelf, ANN) == {"a.txt"}
    policy(shelf, "source")
    assert not visible(shelf, OWNER) and not visible(shelf, ANN), "the source has said nothing: nobody"
    policy(shelf, "public")
    assert visible(shelf, ANN) == {"a.txt"}
    policy(shelf, "private")
    assert not visible(shelf, ANN)
    assert shelf.entries() == log


def test_a_source_is_its_owners(store: Store) -> None:
    with store.database.write() as connection:
        row = sources.add(connection, "files", "/anns", "anns", owner="ann")
        assert access.visible_scopes(connection, ANN) == {row.acl_id}
        assert row.acl_id not in access.visible_scopes(connection, OWNER)


def test_what_the_source_says_is_translated_and_the_unmapped_are_nobody(shelf) -> None:
    policy(shelf, "source")
    told(shelf, Access("hr", ("user:anna", "group:staff")))
    shelf.add("hr/pay.txt", scope="hr")
    assert not visible(shelf, ANN)
    mapping(shelf, "user:anna", "user:ann")
    assert visible(shelf, ANN) == {"hr/pay.txt"} and not visible(shelf, BOB)
    mapping(shelf, "group:staff", "group:role:member")
    assert visible(shelf, BOB) == {"hr/pay.txt"}
    mapping(shelf, "group:staff", "")
    assert not visible(shelf, BOB)
    told(shelf, Access("hr", ("group:staff",)))
    assert not visible(shelf, ANN)
    with shelf.store.database.read() as connection:
        found = [tuple(getattr(one, name) for name in ("theirs", "principal", "scopes")) for one in
                 rules.mapped(connection, shelf.source.id)]  # fmt: skip
    assert found == [("group:staff", "", 1), ("user:anna", "user:ann", 0)]


def test_who_is_denied_by_a_name_that_is_not_mapped_closes_the_scope(shelf) -> None:
    policy(shelf, "source")
    mapping(shelf, "public", "public")
    told(shelf, Access("open", ("public",), ("user:bobby",)))
    shelf.add("open/a", scope="open")
    assert not visible(shelf, ANN), "bobby may be ann"
    mapping(shelf, "user:bobby", "user:bob")
    assert visible(shelf, ANN) == {"open/a"} and not visible(shelf, BOB)


def test_what_a_source_says_counts_for_nothing_under_another_policy(shelf) -> None:
    told(shelf, Access("", ("user:ann",)))
    mapping(shelf, "user:ann", "user:ann")
    shelf.add("a")
    assert not visible(shelf, ANN)
    policy(shelf, "source")
    assert visible(shelf, ANN) == {"a"}, "nothing had to be read again"


def test_a_rule_makes_a_scope_and_removing_it_undoes_that(shelf) -> None:
    for key in ("hr/pay.txt", "hr/sub/old.txt", "hrx.txt", "notes.txt"):
        shelf.add(key)
    before, log = entries(shelf), len(shelf.entries())
    made = rule(shelf, "/hr/", ANN.name, "allow")
    assert (made.rule.prefix, made.items, made.moved, made.conflicts) == ("hr", 2, 2, ())
    assert visible(shelf, ANN) == {"hr/pay.txt", "hr/sub/old.txt"}
    assert visible(shelf, OWNER) == {"hr/pay.txt", "hr/sub/old.txt", "hrx.txt", "notes.txt"}
    assert [one[1:] for one in shelf.entries()[log:]] == [("scope", True)] * 2
    shelf.add("hr/new.txt")
    assert "hr/new.txt" in visible(shelf, ANN), "what comes later lies there, too"
    unrule(shelf, made.rule.id)
    assert not visible(shelf, ANN) and len(visible(shelf, OWNER)) == 5
    assert before <= entries(shelf) and not any("rule" in one[3] for one in entries(shelf))
    with pytest.raises(rules.NotFoundError):
        unrule(shelf, made.rule.id)


def test_a_deny_wins_and_the_rules_it_meets_are_named(shelf) -> None:
    shelf.add("hr/pay.txt")
    wide = rule(shelf, "", "group:role:member", "allow").rule
    assert visible(shelf, BOB) == {"hr/pay.txt"}
    made = rule(shelf, "hr", BOB.name, "deny")
    assert made.conflicts == (wide,)
    assert not visible(shelf, BOB) and visible(shelf, ANN) == {"hr/pay.txt"}
    assert rule(shelf, "hr/pay.txt", BOB.name, "allow").conflicts == (made.rule,)
    assert not visible(shelf, BOB)


def test_only_cuts_off_what_was_let_in_from_above(shelf) -> None:
    policy(shelf, "public")
    for key in ("hr/pay.txt", "hr/open/menu.txt", "a"):
        shelf.add(key)
    rule(shelf, "", "group:role:guest", "allow")
    made = rule(shelf, "hr", "group:local:hr", "only")
    assert visible(shelf, BOB) == {"a"} and visible(shelf, ANN) == {"a", "hr/pay.txt", "hr/open/menu.txt"}
    rule(shelf, "hr/open", BOB.name, "allow")
    assert visible(shelf, BOB) == {"a", "hr/open/menu.txt"}
    unrule(shelf, made.rule.id)
    assert len(visible(shelf, BOB)) == 3


def test_the_end_of_a_group_or_person_opens_nothing(shelf) -> None:
    policy(shelf, "public")
    shelf.add("hr/pay.txt")
    rule(shelf, "hr", "group:local:hr", "only")
    with shelf.store.database.write() as connection:
        rules.forget(connection, "group:local:hr")
        connection.execute(delete(groups))
    assert not visible(shelf, BOB) and visible(shelf, OWNER) == {"hr/pay.txt"}


def test_rules_hold_for_scopes_that_the_source_makes_later(shelf) -> None:
    policy(shelf, "source")
    mapping(shelf, "public", "public")
    rule(shelf, "hr", BOB.name, "deny")
    told(shelf, Access("hr/new", ("public",)), Access("chan", ("public",)))
    shelf.add("hr/new/a", scope="hr/new")
    shelf.add("hr/1", scope="chan")  # a scope that is no path
    shelf.add("team/1", scope="chan")
    assert visible(shelf, BOB) == {"team/1"} and len(visible(shelf, ANN)) == 3


def test_a_rule_cuts_a_scope_of_the_source_in_two_and_both_follow_the_source(shelf) -> None:
    policy(shelf, "source")
    mapping(shelf, "public", "public")
    told(shelf, Access("", ("public",)))
    shelf.add("hr/pay.txt")
    shelf.add("a")
    rule(shelf, "hr", BOB.name, "deny")
    assert visible(shelf, ANN) == {"a", "hr/pay.txt"} and visible(shelf, BOB) == {"a"}
    told(shelf, Access("", ()))
    assert not visible(shelf, ANN)


def test_members_lie_where_their_container_lies(shelf) -> None:
    policy(shelf, "source")
    mapping(shelf, "user:a", ANN.name)
    told(shelf, Access("hr", ("user:a",)), Access("", ()))
    shelf.add("hr/x.zip", scope="hr")
    shelf.add("hr/x.zip!/in.eml", container="hr/x.zip")
    shelf.add("hr/x.zip!/in.eml!/deep.txt", container="hr/x.zip!/in.eml")
    assert len(visible(shelf, ANN)) == 3
    with shelf.store.database.write() as connection:
        moves.moved(connection, shelf.source.id, [shelf.item("hr/x.zip", scope="")], set())
    assert not visible(shelf, ANN)
    made = rule(shelf, "hr/x.zip!/in.eml", ANN.name, "allow").rule
    assert visible(shelf, ANN) == {"hr/x.zip!/in.eml", "hr/x.zip!/in.eml!/deep.txt"}
    unrule(shelf, made.id)
    assert not visible(shelf, ANN)


def test_content_that_changed_with_the_scope_is_not_readable_in_the_new_one(shelf) -> None:
    policy(shelf, "source")
    told(shelf, Access("", ()), Access("a", ("public",)))
    shelf.add("a", "the old secret")
    fresh = shelf.item("a", "2", scope="a")
    with shelf.store.database.write() as connection:
        moves.moved(connection, shelf.source.id, [fresh], {"a"})
        intake.found(connection, shelf.source, [fresh], intake.WATCHED)
    row = shelf.get("a")
    assert (row.state, row.content_hash, row.content_version) == ("pending", "", 2)
    assert shelf.entries()[-1] == (row.id, "put", True)
    shelf.finish(shelf.claim("a"), "the old secret")
    assert shelf.get("a").content_version == 3, "the same bytes are put into the index again"


def test_moves_raise_the_version_of_the_rights_only_with_the_entries(shelf) -> None:
    shelf.add("hr/a")
    with shelf.store.database.read() as connection:
        before = connection.execute(select(access_state.c.version)).scalar_one()
        scopes.refresh(connection, shelf.source.id)
        assert connection.execute(select(access_state.c.version)).scalar_one() == before, "nothing to write"


@pytest.mark.parametrize("prefix", ["../x", "a/../b", "a//b", ".", "a\0b", "x" * 5000])
def test_what_is_no_path_within_the_source_is_no_prefix(shelf, prefix: str) -> None:
    with pytest.raises(rules.UsageError):
        rule(shelf, prefix, ANN.name, "allow")
    with shelf.store.database.read() as connection:
        assert rules.listed(connection) == []


def test_the_same_rule_twice_and_unknown_effects_are_refused(shelf) -> None:
    rule(shelf, "a", ANN.name, "allow")
    for effect, text in (("allow", "already"), ("permit", "effect")):
        with pytest.raises(rules.UsageError, match=text):
            rule(shelf, "a", ANN.name, effect)
    with pytest.raises(rules.UsageError, match="not how a source"):
        mapping(shelf, "alice", ANN.name)


def test_empty_scopes_are_swept_and_their_numbers_do_not_come_again(shelf) -> None:
    made = rule(shelf, "a", ANN.name, "allow").rule
    shelf.add("a/1")
    numbers = [shelf.get("a/1").acl_id]
    unrule(shelf, made.id)
    for _ in range(3):
        made = rule(shelf, "a", ANN.name, "allow").rule
        numbers.append(shelf.get("a/1").acl_id)
        unrule(shelf, made.id)
    with shelf.store.database.read() as connection:
        names = connection.execute(select(scope_rows.c.key).where(scope_rows.c.source_id == shelf.source.id))
        assert len(set(names.scalars())) <= 2
    assert numbers == sorted(numbers)


PATHS = st.lists(st.sampled_from("ab"), min_size=1, max_size=4).map("/".join)


@given(PATHS, st.lists(PATHS, max_size=3), st.data())
def test_whatever_is_said_of_a_path_holds_for_the_items_below_and_for_no_other(key, ruled, data) -> None:
    above = ["", *("/".join(key.split("/")[:at]) for at in range(1, key.count("/") + 2)), "chan"]
    scope = data.draw(st.sampled_from(above))
    name = scopes.place_name(scope, key, ruled)
    assert scopes.said_of(name) == scope
    for prefix in ruled:
        assert scopes.within(scopes.path_of(name), prefix) == scopes.within(key, prefix)
