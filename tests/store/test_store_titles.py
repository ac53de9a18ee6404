"""The words of titles: what completes what somebody types, of their own items only; kept in step with the items."""

from __future__ import annotations

import doctest
import importlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine, delete, insert, select, text
from tests.store.conftest import Shelf

from bowerbird.store import intake, sources, titles
from bowerbird.store.identity_tables import title_words
from bowerbird.store.store import Store
from bowerbird.store.titles import TitleKeeper


def kept(shelf: Shelf) -> set[str]:
    with shelf.store.database.read() as connection:
        return set(connection.execute(select(title_words.c.word)).scalars())


def completed(shelf: Shelf, prefix: str, *scopes: int, limit: int = 6) -> list[str]:
    with shelf.store.database.read() as connection:
        return list(titles.completions(connection, prefix, frozenset(scopes), limit))


def held(shelf: Shelf, word: str, *scopes: int) -> bool:
    with shelf.store.database.read() as connection:
        return titles.holds(connection, word, frozenset(scopes))


def test_examples_in_docstrings() -> None:
    outcome = doctest.testmod(titles)
    assert outcome.attempted and not outcome.failed


def test_words_follow_the_items(shelf: Shelf) -> None:
    shelf.found(shelf.item("a/Budget_2026.txt"))
    assert kept(shelf) == set(), "nothing is completed from what cannot be found yet"
    shelf.finish(shelf.claim("a/Budget_2026.txt"), title="Yearly Plan")
    assert kept(shelf) == {"budget", "txt", "yearly", "plan"}
    shelf.add("a/Budget_2026.txt", "other text", version="2", title="Monthly plan")
    assert kept(shelf) == {"budget", "txt", "monthly", "plan"}
    with shelf.store.database.write() as connection:
        intake.renamed(connection, shelf.get("a/Budget_2026.txt").id, shelf.item("a/costs.md", "3"))
    assert kept(shelf) == {"costs", "md", "monthly", "plan"}
    with shelf.store.database.write() as connection:
        intake.removed(connection, [shelf.get("a/costs.md").id])
    assert kept(shelf) == set()


def test_words_are_completed_within_scopes_only_the_most_frequent_first(shelf: Shelf) -> None:
    other = shelf.other("other")
    mine, theirs = shelf.source.acl_id, other.source.acl_id
    for number, name in enumerate(("budget", "budget", "budgie", "buddy")):
        shelf.add(f"{number}/{name}.txt")
    for number in range(5):
        other.add(f"{number}/buccaneer.txt")
    assert completed(shelf, "bud", mine) == ["budget", "buddy", "budgie"]
    assert completed(shelf, "bu", theirs) == ["buccaneer"]
    assert completed(shelf, "bu", mine, theirs, limit=2) == ["buccaneer", "budget"]
    assert completed(shelf, "bu") == completed(shelf, "bu", 999) == completed(shelf, "b", mine) == []
    assert completed(shelf, "bu%", mine) == completed(shelf, "bu_", mine) == []
    assert held(shelf, "budget", mine) and held(shelf, "buccaneer", theirs)
    assert not held(shelf, "buccaneer", mine) and not held(shelf, "bud", mine) and not held(shelf, "budget")


def test_doctor_finds_and_mends_words_that_are_wrong(shelf: Shelf) -> None:
    first, second = shelf.add("kea.txt"), shelf.add("moa.txt")
    shelf.found(shelf.item("later.txt"))
    keeper = TitleKeeper(shelf.store.database)
    assert list(keeper.verify()) == []
    with shelf.store.database.write() as connection:
        connection.execute(delete(title_words).where(title_words.c.item_id == first))
        connection.execute(insert(title_words).values(word="secret", item_id=second))
        waiting = connection.execute(text("SELECT id FROM items WHERE key = 'later.txt'")).scalar_one()
        connection.execute(insert(title_words).values(word="later", item_id=waiting))
    found = list(keeper.verify())
    assert {one.subject for one in found} == {first, second, waiting} and all(one.repairable for one in found)
    assert keeper.repair(found) == 3
    assert list(keeper.verify()) == [] and kept(shelf) == {"kea", "moa", "txt"}
    assert keeper.purge([first]) == {} and keeper.export("owner") == {} and keeper.erase("owner") == 0


def test_a_library_of_before_has_the_words_of_its_titles(tmp_path: Path) -> None:
    file = tmp_path / "bowerbird.sqlite"
    engine = create_engine(f"sqlite:///{file}")
    now = datetime.now(UTC).timestamp()
    with engine.connect() as connection:
        with Operations.context(MigrationContext.configure(connection)):
            importlib.import_module("bowerbird.store.migrations.versions.0001_first").upgrade()
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('0001')"))
        connection.execute(text("INSERT INTO scopes VALUES (1, 's', '')"))
        connection.execute(
            text(
                "INSERT INTO sources (id, name, kind, location, acl_id, checkpoint, created, state, error)"
                " VALUES ('s', 'papers', 'files', '/there', 1, '', :now, 'ok', '')"
            ),
            {"now": now},
        )
        columns = ["source_id", "key", "name_folded", "stem_folded", "title_folded", "uri", "kind", "media_type"]
        empty = {name: "" for name in (*columns, "version", "container", "content_hash", "parser", "language")}
        row = {**empty, "error_code": "", "error": "", "size": 1, "people": "[]", "acl_id": 1, "state": "indexed"}
        row |= {"priority": 0, "attempts": 0, "updated": now, "source_id": "s"}
        for item, name, title, version in (("i1", "Kea_notes.md", "Parrots", 1), ("i2", "later.md", "Later", 0)):
            values = {**row, "id": item, "key": name, "name": name, "title": title, "content_version": version}
            names = ", ".join(values)
            marks = ", ".join(f":{column}" for column in values)
            connection.execute(text(f"INSERT INTO items ({names}) VALUES ({marks})"), values)
        connection.commit()
    engine.dispose()
    store = Store(tmp_path)
    store.open()
    with store.database.read() as connection:
        assert set(connection.execute(select(title_words.c.word)).scalars()) == {"kea", "notes", "md", "parrots"}
        assert [one.name for one in sources.listed(connection)] == ["papers"]
    assert list(TitleKeeper(store.database).verify()) == []
    store.close()


@pytest.mark.parametrize("name", ["", "...", "2026", "東京都 budget", "ẞ É", "a" * 60])
def test_any_title_may_be_kept(shelf: Shelf, name: str) -> None:
    shelf.add(f"{name or 'x'}.txt", title=name)
    assert list(TitleKeeper(shelf.store.database).verify()) == []
