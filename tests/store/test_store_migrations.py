"""Every released format opens with today's code; a migration that fails changes nothing."""

from __future__ import annotations

import sqlite3
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from bowerbird.core.errors import StoreError
from bowerbird.core.settings import Settings
from bowerbird.library import Library
from bowerbird.store import sums
from bowerbird.store.database import BACKUPS, HEAD, migration_copies
from bowerbird.store.store import Store

sys.path.insert(0, str(Path(__file__).parent))
from make_fixture import restored

RELEASED = sorted((Path(__file__).parent / "released").glob("*.json"))


@pytest.fixture(params=RELEASED, ids=[file.stem for file in RELEASED])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The home of a library that an earlier Bowerbird wrote, without its index."""
    restored(request.param, tmp_path / "home")
    return tmp_path / "home"


def version(home: Path) -> str:
    with closing(sqlite3.connect(home / "bowerbird.sqlite")) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def test_it_opens_is_indexed_without_reading_anything_again_and_is_searched(old: Path) -> None:
    with Library.open(old, Settings({})) as library:
        before = [(item.key, item.content_version) for item in items_of(library)]
        with closing(library.worker()) as worker:
            worker.run_until_idle(lambda _: None, threading.Event(), vectors=False)
        assert [hit.path for hit in library.search("cormorant", pipeline="words").hits] == ["harbour.md"]
        assert library.search("sourdough", pipeline="words").hits == (), "it was deleted in that library"
        assert [(item.key, item.content_version) for item in items_of(library)] == before
        assert [finding for keeper in library.keepers() for finding in keeper.verify()] == []
    assert version(old) == HEAD


def items_of(library: Library):
    from bowerbird.store import catalog

    with library.store.database.read() as connection:
        ids = list(catalog.versions(connection))
        return sorted((one.item for one in catalog.indexable(connection, ids).values()), key=lambda item: item.key)


def test_a_copy_of_before_is_kept_and_is_the_old_library(old: Path, tmp_path: Path) -> None:
    was = version(old)
    store = Store(old)
    store.open()
    store.close()
    (copy,) = migration_copies(old)
    assert copy.stat().st_mode & 0o077 == 0
    other = tmp_path / "other"
    other.mkdir()
    copy.rename(other / "bowerbird.sqlite")
    assert version(other) == was
    Store(other).open()


def test_only_the_newest_copies_are_kept(old: Path) -> None:
    folder = old / BACKUPS
    folder.mkdir()
    for number in range(4):
        (folder / f"before-0001-2020010{number}-000000-0000.sqlite").touch()
    store = Store(old, migrations_kept=2)
    store.open()
    store.close()
    assert [HEAD in copy.name for copy in migration_copies(old)] == [True, False]


def test_a_migration_that_fails_changes_nothing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    was = version(old)

    def broken(connection: object) -> None:
        raise RuntimeError("the last step failed")

    with monkeypatch.context() as patched:
        patched.setattr(sums, "install", broken)
        with pytest.raises(StoreError, match="the last step failed") as refused:
            Store(old).open()
    assert "Nothing was changed" in refused.value.remedy
    assert version(old) == was
    store = Store(old)
    store.open()
    assert store.database.integrity() == []
    store.close()
