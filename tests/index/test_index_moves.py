"""An item that moves to another scope: one column of its passages changes; nothing is read, cut or embedded again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from bowerbird.core.records import Filters, Principal
from bowerbird.index.reading import WordQuery
from bowerbird.index.schema import VECTORS, WORDS
from bowerbird.store import rules, sources
from bowerbird.store.identity_tables import people

ANN = Principal("user:ann")


@pytest.fixture
def full(shelf: Any) -> Any:
    """A library that every member may read, with its words and vectors level; ann is a member."""
    join(shelf)
    shelf.ids = [shelf.add(key, f"harbour {key}") for key in ("hr/pay.txt", "hr/plan.txt", "notes.txt")]
    shelf.level()
    return shelf


def join(shelf: Any) -> None:
    with shelf.store.database.write() as connection:
        values = {"id": "ann", "handle": "ann", "role": "member", "pseudonym": "p", "created": 0.0}
        connection.execute(insert(people).values(**values))
        sources.set_policy(connection, shelf.source.id, "members")


def rule(shelf: Any, prefix: str, effect: str, principal: str = "user:owner") -> str:
    with shelf.store.database.write() as connection:
        return rules.add(connection, shelf.source.id, prefix, principal, effect).rule.id


def unrule(shelf: Any, rule_id: str) -> None:
    with shelf.store.database.write() as connection:
        rules.remove(connection, rule_id)


def found_by(shelf: Any, principal: Principal) -> tuple[set[str], set[str]]:
    """The items that the words and the meaning of `harbour` find, before the second lock."""
    reader = shelf.reader(principal)
    words = {one.item for one in reader.words(WordQuery("harbour", (), False), Filters(), 100)}
    return words, {one.item for one in reader.meaning(shelf.encoder.query("harbour"), Filters(), 100)}


def versions(shelf: Any) -> tuple[int, int]:
    return tuple(shelf.dataset(name).latest_version for name in (WORDS, VECTORS))


def scopes_in(shelf: Any, name: str) -> dict[str, set[int]]:
    rows = shelf.dataset(name).to_table(columns=["item", "acl_id"]).to_pylist()
    found: dict[str, set[int]] = {}
    for row in rows:
        found.setdefault(row["item"], set()).add(row["acl_id"])
    return found


def test_a_change_of_entries_writes_nothing_into_the_index(full: Any) -> None:
    before = versions(full)
    assert found_by(full, ANN) == (set(full.ids), set(full.ids))
    rule(full, "", "deny", ANN.name)
    assert found_by(full, ANN) == (set(), set())
    full.level()
    assert versions(full) == before


def test_a_moved_item_is_left_out_until_the_move_is_applied(full: Any) -> None:
    hr, notes = set(full.ids[:2]), {full.ids[2]}
    full.encoder.asked.clear()
    rows = full.rows(), full.rows(VECTORS)
    texts = sorted(full.dataset().to_table(columns=["id", "search", "text"]).to_pylist(), key=lambda row: row["id"])
    rule(full, "hr", "only")
    assert found_by(full, ANN)[0] == notes and not hr & set(full.reader(ANN).items(full.ids))
    assert not hr & set(full.find("harbour")), "not the owner either, for a moment"
    full.words_level()
    assert hr <= set(full.find("harbour")) and found_by(full, ANN)[0] == notes
    assert not hr & set(full.reader(ANN).items(list(found_by(full, ANN)[1]))), "vectors are behind: the second lock"
    full.level()
    assert found_by(full, ANN) == (notes, notes) and found_by(full, Principal("user:owner"))[0] == hr | notes
    assert full.encoder.asked == [], "nothing is embedded again"
    assert (full.rows(), full.rows(VECTORS)) == rows, "nor cut again"
    after = sorted(full.dataset().to_table(columns=["id", "search", "text"]).to_pylist(), key=lambda row: row["id"])
    assert after == texts
    full.tidy()
    assert list(full.keeper.verify()) == [] and found_by(full, ANN) == (notes, notes)


def test_moving_back_shows_the_items_again(full: Any) -> None:
    made = rule(full, "hr", "only")
    full.level()
    unrule(full, made)
    full.level()
    assert found_by(full, ANN) == (set(full.ids), set(full.ids))
    assert list(full.keeper.verify()) == []


def test_a_move_beside_new_content_in_one_batch(full: Any) -> None:
    rule(full, "hr", "only")
    full.add("hr/pay.txt", "harbour twice", "harbour thrice")
    fresh = full.add("hr/new.txt", "harbour new")
    full.remove(full.ids[1])
    full.level()
    assert set(full.find("harbour")) == {full.ids[0], full.ids[2], fresh}
    assert found_by(full, ANN)[0] == {full.ids[2]}
    assert list(full.keeper.verify()) == []
    assert full.terms()["twice"] == 1 and full.terms().get("plan") is None


def test_a_crash_between_lance_and_sql_moves_again(full: Any) -> None:
    rule(full, "hr", "only")
    served = full.writer.served()
    full.tables.move(served.folder, WORDS, 999, f"item = '{full.ids[0]}'")
    full.restart()
    full.level()
    assert list(full.keeper.verify()) == [] and found_by(full, ANN)[0] == {full.ids[2]}


@pytest.mark.parametrize("name", [WORDS, VECTORS])
def test_a_passage_in_a_wrong_scope_is_found_and_mended(full: Any, name: str) -> None:
    full.dataset(name).update({"acl_id": "77"}, where=f"item = '{full.ids[0]}'")
    full.planted()
    found = [(one.subject, one.problem) for one in full.keeper.verify()]
    assert [one[0] for one in found] == [full.ids[0]] and f"the {name} table holds the scopes [77]" in found[0][1]
    full.keeper.repair(list(full.keeper.verify()))
    full.level()
    assert list(full.keeper.verify()) == []


STEP = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(["hr/a", "hr/b", "c"]), st.sampled_from(["one", "two"])),
    st.tuples(st.just("remove"), st.sampled_from(["hr/a", "hr/b", "c"])),
    st.tuples(st.just("rule"), st.sampled_from(["hr", "hr/a", ""])),
    st.tuples(st.just("unrule")),
    st.tuples(st.just("words"), st.integers(1, 3)),
    st.tuples(st.just("vectors"), st.integers(1, 3)),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(STEP, max_size=14))
def test_whatever_happens_in_whatever_order_the_index_ends_as_sql_says(new_shelf: Any, steps: list[Any]) -> None:
    shelf = new_shelf()
    join(shelf)
    ids: dict[str, str] = {}
    made: list[str] = []
    for step in steps:
        if step[0] == "add":
            ids[step[1]] = shelf.add(step[1], f"harbour {step[2]}")
        elif step[0] == "remove" and step[1] in ids:
            shelf.remove(ids.pop(step[1]))
        elif step[0] == "rule" and step[1] not in [one[1] for one in made]:
            made.append((rule(shelf, step[1], "only"), step[1]))
        elif step[0] == "unrule" and made:
            unrule(shelf, made.pop()[0])
        elif step[0] == "words":
            shelf.writer.apply(shelf.writer.served(), step[1])
        elif step[0] == "vectors":
            shelf.vectors.apply(shelf.writer.served(), lambda: False, step[1])
        closed = {
            item for key, item in ids.items() if any(not p or key == p or key.startswith(f"{p}/") for _, p in made)
        }
        seen = found_by(shelf, ANN)[0]
        assert not seen & closed, "never what was closed, whatever the index knows yet"
        assert not set(shelf.reader(ANN).items(list(ids.values()))) & closed
    shelf.level()
    assert list(shelf.keeper.verify()) == []
    assert found_by(shelf, ANN) == (set(ids.values()) - closed if steps else set(),) * 2
