"""The audit log: a chain that shows what was done to it, with nobody's words in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trials
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from bowerbird.core.records import OWNER, SYSTEM, Principal
from bowerbird.store import audit, groups, people
from bowerbird.store.identity_tables import audit as rows
from bowerbird.store.store import Store

PLAIN = re.compile(r"[a-z0-9.-]*")
ID = re.compile(r"[0-9a-z]{13}|owner|all|.")  # one letter is in every hash


@pytest.fixture
def store(tmp_path: Path) -> Store:
    opened = Store(tmp_path)
    opened.open()
    return opened


def write(store: Store, count: int = 5) -> None:
    with store.database.write() as connection:
        for number in range(count):
            audit.record(connection, OWNER, "rule.added", f"{number:013}")


def broken(store: Store) -> list[int]:
    with store.database.read() as connection:
        return audit.broken(connection)


def test_what_is_done_to_the_log_shows(store: Store) -> None:
    write(store)
    assert broken(store) == []
    for change, found in (
        (update(rows).where(rows.c.id == 2).values(actor="nobody"), [2]),
        (update(rows).where(rows.c.id == 3).values(object="0000000000009"), [3]),
        (update(rows).where(rows.c.id == 4).values(at=1.0), [4]),
        (delete(rows).where(rows.c.id == 3), [4]),
        (delete(rows).where(rows.c.id == 1), [2]),
    ):
        with store.database.write() as connection:
            before = connection.execute(select(rows)).all()
            connection.execute(change)
            assert audit.broken(connection)[: len(found)] == found, str(change)
            connection.execute(delete(rows))
            connection.execute(insert(rows), [row._asdict() for row in before])
    assert broken(store) == []


def test_an_event_that_was_put_in_shows(store: Store) -> None:
    write(store)
    with store.database.write() as connection:
        connection.execute(insert(rows).values(id=6, at=1.0, actor="x", action="y", object="", hash="0" * 64))
    assert broken(store) == [6]


@trials(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(subject=st.text(max_size=60), name=st.text(max_size=40))
def test_nobodys_words_are_in_the_log(store: Store, subject: str, name: str) -> None:
    with store.database.write() as connection:
        audit.record(connection, Principal(f"user:{name}"), "rule.added", subject)
        audit.record(connection, Principal(name) if name else None, "rule.added", f"group:local:{name}")
        event = audit.listed(connection, limit=2)[1]
    for text in (event.actor, event.action, event.object):
        assert PLAIN.fullmatch(text)
    assert event.object == "" or not subject or subject not in event.object or ID.fullmatch(subject)


@pytest.mark.parametrize("action", ["", "Rule.added", "rule added", "rule.", "ada@example.org", "rule.é", "a_b"])
def test_an_action_is_no_text(store: Store, action: str) -> None:
    with store.database.write() as connection, pytest.raises(ValueError, match="dotted lower case"):
        audit.record(connection, SYSTEM, action)


def test_names_are_looked_up_and_go_with_whom_they_name(store: Store) -> None:
    with store.database.write() as connection:
        ada = people.add(connection, "ada", "member", "Ada Lovelace", "ada@example.org")
        board = groups.make(connection, "Secret Board")
        audit.record(connection, Principal(f"user:{ada.id}"), "group.made", board.id)
    with store.database.write() as connection:
        event = audit.listed(connection)[0]
        text = " ".join(str(value) for value in (event.actor, event.action, event.object))
        assert not re.search("ada|lovelace|secret|board", text, re.IGNORECASE)
        actors, subjects = audit.handles(connection)
        assert (actors[event.actor], subjects[event.object]) == ("ada", board.id)
        people.remove(connection, ada.id)
        groups.remove(connection, board.id)
        actors, subjects = audit.handles(connection)
        assert event.actor not in actors and event.object not in subjects
        assert audit.broken(connection) == []
