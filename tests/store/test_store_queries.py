"""Past queries: kept for one person alone, the newest, and gone when they should be."""

from __future__ import annotations

import pytest

from bowerbird.core.errors import QueryError
from bowerbird.store import erasing, people, queries
from bowerbird.store.retention import DAY, Retention, expire
from bowerbird.store.store import Store


@pytest.fixture
def who(store: Store) -> tuple[str, str]:
    with store.database.write() as connection:
        return people.add(connection, "ada", "member").id, people.add(connection, "bob", "guest").id


def test_the_newest_come_first_and_the_same_is_kept_once(store: Store, who: tuple[str, str]) -> None:
    ada, bob = who
    with store.database.write() as connection:
        for text in ("travel plan", "budget", "  Travel   PLAN ", "", "   "):
            queries.remember(connection, ada, text, 10)
        assert list(queries.listed(connection, ada)) == ["Travel PLAN", "budget"]
        assert list(queries.listed(connection, bob)) == []
        assert queries.forget(connection, bob, "budget") == 0
        assert queries.forget(connection, ada, "BUDGET") == 1
        assert queries.forget(connection, ada) == 1
        assert list(queries.listed(connection, ada)) == []


def test_only_so_many_are_kept(store: Store, who: tuple[str, str]) -> None:
    with store.database.write() as connection:
        for number in range(9):
            assert queries.remember(connection, who[0], f"query {number}", 3)
        assert list(queries.listed(connection, who[0])) == ["query 8", "query 7", "query 6"]
        assert not queries.remember(connection, who[0], "another", 0)
        assert len(queries.listed(connection, who[0])) == 3
        with pytest.raises(QueryError):
            queries.remember(connection, who[0], "long " * 100, 3)


def test_they_age(store: Store, who: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    with store.database.write() as connection:
        for days, text in ((1, "old"), (30, "newer"), (2, "old")):
            monkeypatch.setattr(queries, "now", lambda days=days: days * DAY)
            queries.remember(connection, who[0], text, 10)
        assert list(queries.listed(connection, who[0])) == ["old", "newer"], "clocks that go back change no order"
        kept = Retention(audit_days=0, jobs_days=0, failures_days=0, queries_days=10)
        assert "queries" not in expire(connection, kept, 31 * DAY)
        assert expire(connection, kept, 60 * DAY)["queries"] == 2


def test_they_are_exported_and_erased_with_the_person(store: Store, who: tuple[str, str]) -> None:
    with store.database.write() as connection:
        for person in who:
            queries.remember(connection, person, f"secret of {person}", 10)
        found = erasing.exported(connection, who[0])["past_queries"]
        assert isinstance(found, list)
        assert [row["text"] for row in found] == [f"secret of {who[0]}"]
        erasing.erased(connection, who[0])
        assert list(queries.listed(connection, who[0])) == []
        assert len(queries.listed(connection, who[1])) == 1
