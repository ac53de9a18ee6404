"""Who may see what, finding by name and by filters, jobs, and the log with its cursors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select, update

from bowerbird.core.errors import NotFoundError
from bowerbird.core.records import OWNER, SYSTEM, Filters, Person, Principal
from bowerbird.store import access, catalog, intake, jobs, outbox
from bowerbird.store.moments import from_row, to_row
from bowerbird.store.store import Store
from bowerbird.store.tables import jobs as jobs_table
from bowerbird.store.tables import scope_entries, terms

ANN, BOB = Principal("user:ann"), Principal("user:bob")


def _enter(connection: Connection, acl_id: int, principal: Principal, effect: str) -> None:
    connection.execute(insert(scope_entries).values(acl_id=acl_id, principal=principal.name, effect=effect))


def test_a_new_scope_is_the_owners_alone(store: Store) -> None:
    with store.database.write() as connection:
        scope = access.ensure_scope(connection, "s")
        assert access.ensure_scope(connection, "s") == scope
        assert access.ensure_scope(connection, "s", "folder") != scope
        assert scope in access.visible_scopes(connection, OWNER)
        assert access.visible_scopes(connection, ANN) == frozenset()
        assert access.visible_scopes(connection, Principal("")) == frozenset()


def test_deny_wins_and_the_system_sees_all(store: Store) -> None:
    with store.database.write() as connection:
        one, two = access.ensure_scope(connection, "s", "one"), access.ensure_scope(connection, "s", "two")
        for scope in (one, two):
            _enter(connection, scope, ANN, "allow")
        _enter(connection, one, ANN, "deny")
        _enter(connection, two, BOB, "deny")
        assert access.visible_scopes(connection, ANN) == {two}
        assert access.visible_scopes(connection, BOB) == frozenset()
        assert access.visible_scopes(connection, SYSTEM) == {one, two}


def test_every_way_to_items_asks_for_the_scopes(shelf) -> None:
    item_id = shelf.add("plan.txt", "text")
    with shelf.store.database.read() as connection:
        for scopes, seen in (({shelf.source.acl_id}, True), ({shelf.source.acl_id + 1}, False), (set(), False)):
            assert (item_id in catalog.by_ids(connection, [item_id], scopes)) is seen
            assert bool(catalog.named(connection, "plan", Filters(), scopes, 9)) is seen
            assert bool(catalog.recent(connection, Filters(), scopes, 9)) is seen


@pytest.fixture
def ask(shelf) -> Callable[..., list[str]]:
    """`ask(text, **filters)`: the keys found by name, or the newest where the text is empty."""

    def asked(text: str = "", **filters: object) -> list[str]:
        with shelf.store.database.read() as connection:
            scopes = access.visible_scopes(connection, OWNER)
            wanted = Filters(**filters)
            by = catalog.named if text else catalog.recent
            ids = by(connection, *([text] if text else []), wanted, scopes, 99)
            known = catalog.by_ids(connection, ids, scopes)
        return [known[id_].key for id_ in ids]

    return asked


def test_names_come_before_stems_before_titles_and_the_newest_first(shelf, ask) -> None:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    shelf.add("old/plan", modified=day)
    shelf.add("new/plan", modified=day + timedelta(days=1))
    shelf.add("x/Plan.txt", modified=day + timedelta(days=2))
    shelf.add("y/minutes.txt", title="PLAN", modified=day + timedelta(days=3))
    shelf.add("z/plans.txt", modified=day)
    assert ask("plan") == ["new/plan", "old/plan", "x/Plan.txt", "y/minutes.txt"]
    assert ask("PLAN.txt") == ["x/Plan.txt"]
    assert ask("  ") == []


@pytest.mark.parametrize("text", ["Über/Größe.TXT", "über/größe.txt", "deep/Über/Größe.TXT"])
def test_a_path_is_found_whatever_its_case_in_any_alphabet(shelf, ask, text: str) -> None:
    shelf.add("deep/Über/Größe.TXT")
    shelf.add("deep/über/andere.txt")
    assert ask(text) == ["deep/Über/Größe.TXT"]


def test_an_address_finds_its_item(shelf, ask) -> None:
    shelf.add("a.txt")
    shelf.add("b.txt")
    assert ask(shelf.get("a.txt").uri) == ["a.txt"]


def test_each_filter_narrows_and_they_narrow_together(shelf, ask) -> None:
    day = datetime(2026, 3, 1, tzinfo=UTC)
    shelf.add("A b/É/note.md", people=(Person("Zoë Müller", "zoe@x.org"),), modified=day)
    shelf.add("A b/table.csv", people=(Person("Bob", "bob@x.org"), Person("O'Neil")), modified=day + timedelta(days=1))
    shelf.add("undated.txt", modified=None)
    shelf.other("Zweite Ablage Ö").add("other.txt", modified=day + timedelta(days=2))
    assert ask() == ["other.txt", "A b/table.csv", "A b/É/note.md", "undated.txt"]
    assert ask(types=("note",)) == ["other.txt", "A b/É/note.md", "undated.txt"]
    assert ask(types=("spreadsheet",)) == ["A b/table.csv"]
    assert ask(sources=("zweite ablage ö",)) == ["other.txt"]
    assert ask(sources=("no such source",)) == []
    assert ask(within=("a B",)) == ["A b/table.csv", "A b/É/note.md"]
    assert ask(within=("/a b/é/",)) == ["A b/É/note.md"]
    assert ask(within=("b",)) == []
    assert ask(people=("MÜLLER",)) == ["A b/É/note.md"]
    assert ask(people=("zoë",)) == ["A b/É/note.md"]
    assert ask(people=("o'neil", "zoe@")) == ["A b/table.csv", "A b/É/note.md"]
    assert ask(people=("name",)) == ask(people=('"',)) == ask(people=("address",)) == []
    assert ask(after=date(2026, 3, 2)) == ["other.txt", "A b/table.csv"]
    assert ask(before=date(2026, 3, 2)) == ["A b/É/note.md"]
    assert ask(after=date(2026, 3, 2), before=date(2026, 3, 3), people=("bob",)) == ["A b/table.csv"]
    assert ask("note", types=("spreadsheet",)) == []


@given(st.datetimes(timezones=st.just(UTC)))
def test_moments_survive_a_row(moment: datetime) -> None:
    assert abs(from_row(to_row(moment)) - moment) < timedelta(milliseconds=1)


def test_a_job_that_waits_is_not_asked_for_twice(store: Store) -> None:
    with store.database.write() as connection:
        first = jobs.enqueue(connection, "sync", "a")
        assert jobs.enqueue(connection, "sync", "a").id == first.id
        assert len({first.id, jobs.enqueue(connection, "sync", None).id, jobs.enqueue(connection, "sync", "b").id}) == 3
        assert jobs.claim(connection, "w").id == first.id
        assert jobs.enqueue(connection, "sync", "a").id != first.id, "it began before this change"
        assert jobs.unfinished(connection) == 4


def test_a_lease_that_ran_out_is_taken_over_and_the_third_attempt_is_the_last(store: Store) -> None:
    def expire(connection: Connection) -> None:
        connection.execute(update(jobs_table).values(lease_until=0.0))

    with store.database.write() as connection:
        asked = jobs.enqueue(connection, "sync", None)
        for attempt in (1, 2, 3):
            claimed = jobs.claim(connection, "w")
            assert (claimed.id, claimed.state, claimed.attempts) == (asked.id, "running", attempt)
            assert jobs.claim(connection, "other") is None, "its lease holds"
            expire(connection)
        assert jobs.claim(connection, "w") is None
        ended = jobs.get(connection, asked.id)
        assert ended.state == "failed" and "three attempts" in ended.message and ended.ended is not None


def test_progress_extends_the_lease_and_stops_with_the_job(store: Store) -> None:
    with store.database.write() as connection:
        job = jobs.enqueue(connection, "sync", None)
        jobs.progress(connection, job.id, 1, 2, 0)
        assert jobs.get(connection, job.id).total == 0, "it does not run yet"
        jobs.claim(connection, "w")
        connection.execute(update(jobs_table).values(lease_until=0.0))
        jobs.progress(connection, job.id, 1, 2, 1, "half")
        assert jobs.claim(connection, "other") is None
        jobs.finish(connection, job.id, "done")
        jobs.progress(connection, job.id, 2, 2, 0)
        ended = jobs.get(connection, job.id)
        assert (ended.state, ended.done, ended.total, ended.failed) == ("done", 1, 2, 1)


def test_a_cancelled_job_stays_cancelled_and_an_ended_one_stays_ended(store: Store) -> None:
    with store.database.write() as connection:
        job = jobs.enqueue(connection, "sync", None)
        jobs.claim(connection, "w")
        jobs.cancel(connection, job.id)
        jobs.progress(connection, job.id, 5, 5, 0)
        jobs.finish(connection, job.id, "done")
        assert (jobs.get(connection, job.id).state, jobs.get(connection, job.id).done) == ("cancelled", 0)
        assert jobs.claim(connection, "w") is None
        done = jobs.enqueue(connection, "sync", None)
        jobs.claim(connection, "w")
        jobs.finish(connection, done.id, "done")
        jobs.cancel(connection, done.id)
        assert jobs.get(connection, done.id).state == "done"


def test_a_new_writer_takes_up_what_the_last_one_left(store: Store) -> None:
    with store.database.write() as connection:
        job = jobs.enqueue(connection, "sync", None)
        jobs.claim(connection, "dead")
        assert jobs.claim(connection, "w") is None
        jobs.reclaim(connection)
        assert jobs.claim(connection, "w").id == job.id
        assert [one.id for one in jobs.recent(connection)] == [job.id]
        with pytest.raises(NotFoundError):
            jobs.get(connection, "nothing")


def test_only_what_is_served_and_stale_narrows(shelf) -> None:
    new = shelf.add("new.txt", "new")
    changed = shelf.add("changed.txt", "old")
    with shelf.store.database.read() as connection:
        level = outbox.last(connection)
        assert outbox.narrowing(connection, 0) == [], "what is new hides nothing"
    shelf.add("changed.txt", "different", version="2")
    with shelf.store.database.write() as connection:
        intake.removed(connection, [new])
        assert set(outbox.narrowing(connection, level)) == {changed, new}
        assert outbox.narrowing(connection, outbox.last(connection)) == []
        assert outbox.behind(connection, level) == 2
        assert outbox.items_after(connection, level) == {changed, new}
        access.ensure_scope(connection, "another source")
        assert outbox.behind_in(connection, level, {shelf.source.acl_id}) == 1, "the removed one is nobody's"
        assert outbox.behind_in(connection, level, set()) == 0


def test_entries_stay_until_every_living_generation_has_them(shelf) -> None:
    for number in range(6):
        shelf.add(f"{number}.txt", str(number))
    with shelf.store.database.write() as connection:
        served = outbox.add_generation(connection, "g-1", "served", "r")
        building = outbox.add_generation(connection, "g-2", "building", "r")
        retired = outbox.add_generation(connection, "g-0", "retired", "r")
        outbox.change_generation(connection, served.id, {"words_cursor": 6, "vectors_cursor": 5})
        outbox.change_generation(connection, building.id, {"words_cursor": 4, "vectors_cursor": 2})
        outbox.pruned(connection)
        assert [one.seq for one in outbox.after(connection, 2, 99)] == [3, 4, 5, 6]
        assert outbox.after(connection, 0, 1)[0].seq == 2
        outbox.change_generation(connection, building.id, {"words_cursor": 6, "vectors_cursor": 6})
        outbox.pruned(connection)
        assert [one.seq for one in outbox.after(connection, 5, 99)] == [6]
        outbox.forget_generation(connection, retired.id)
        assert [one.id for one in outbox.all_generations(connection)] == [served.id, building.id]
        assert outbox.last(connection) == 6


def test_numbers_of_the_log_are_never_used_twice(shelf) -> None:
    shelf.add("a.txt", "a")
    with shelf.store.database.write() as connection:
        generation = outbox.add_generation(connection, "g", "served", "r")
        outbox.change_generation(connection, generation.id, {"words_cursor": 1, "vectors_cursor": 1})
        outbox.pruned(connection)
    shelf.add("b.txt", "b")
    with shelf.store.database.read() as connection:
        assert [entry.seq for entry in outbox.after(connection, 1, 9)] == [2]


def test_serving_a_generation_retires_the_one_before(store: Store) -> None:
    with store.database.write() as connection:
        first = outbox.add_generation(connection, "g-1", "building", "r")
        second = outbox.add_generation(connection, "g-2", "building", "r")
        assert outbox.served(connection) is None
        outbox.serve(connection, first.id)
        assert outbox.served(connection).id == first.id
        outbox.serve(connection, second.id)
        assert outbox.served(connection).id == second.id
        assert [one.state for one in outbox.all_generations(connection)] == ["retired", "served"]


def test_everything_with_content_is_put_again_for_a_new_generation(shelf) -> None:
    one, two = shelf.add("a.txt", "a"), shelf.add("b.txt", "b")
    shelf.found(shelf.item("waiting.txt"))
    with shelf.store.database.write() as connection:
        outbox.put_all(connection)
    assert sorted(shelf.entries()[2:]) == sorted([(one, "put", True), (two, "put", True)])


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from(["a", "ab", "abc", "b", "ü"]), st.integers(-3, 3)), max_size=6))
def test_counts_of_words_are_never_zero_or_less(store: Store, changes: list[dict[str, int]]) -> None:
    expected: dict[str, int] = {}
    with store.database.write() as connection:
        outbox.clear_terms(connection)
        for change in changes:
            outbox.count_terms(connection, change)
            for term, more in change.items():
                expected[term] = expected.get(term, 0) + more
            expected = {term: count for term, count in expected.items() if count > 0}
        found = dict(connection.execute(select(terms.c.term, terms.c.passages)).all())
        offered = list(outbox.completions(connection, "a", 9))
    assert found == expected
    assert offered == sorted((t for t in expected if t.startswith("a")), key=lambda t: (-expected[t], t))
