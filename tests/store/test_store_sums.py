"""A bit that flips in a row, in a log or in the whole file is told, and never taken for what was written."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bowerbird.core.errors import StoreError
from bowerbird.store import jobs, sums
from bowerbird.store.database import Database
from bowerbird.store.wal import damaged_frame

CHANGES = (
    "UPDATE items SET title = 'Trave1' WHERE key = 'a.txt'",
    "UPDATE items SET acl_id = acl_id, size = size + 1 WHERE key = 'a.txt'",
    "UPDATE items SET modified = modified + 0.5",
    "UPDATE documents SET content_hash = 'x' || substr(content_hash, 2)",
    "DELETE FROM scope_entries",
    "UPDATE people SET role = 'guest'",
    "INSERT INTO settings VALUES ('a', 'b')",
)


def beside(file: Path, statement: str) -> None:
    """Change the file as a flipped bit does: without the triggers."""
    with closing(sqlite3.connect(file)) as connection:
        for name in connection.execute(
            "SELECT name FROM sqlite_master WHERE name LIKE 'sum\\_%' ESCAPE '\\'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {name[0]}")
        connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize("change", CHANGES)
def test_a_row_that_is_not_what_was_written_is_found(shelf: Any, change: str) -> None:
    shelf.add("a.txt", "text")
    shelf.add("b.txt", "other")
    assert shelf.store.database.integrity() == []
    beside(shelf.store.database.file, change)
    problems = shelf.store.database.integrity()
    assert problems and all("are not those that were written" in problem for problem in problems)


def test_sums_follow_every_change_of_a_long_life(shelf: Any) -> None:
    for number in range(30):
        shelf.add(f"{number}.txt", f"text {number}")
        shelf.add(f"{number}.txt", f"changed {number}", version="2")
    with shelf.store.database.write() as connection:
        jobs.enqueue(connection, "sync", None)
        connection.execute(text("DELETE FROM items WHERE key LIKE '1%'"))
        connection.execute(text("DELETE FROM sources"))  # and its items, by the foreign key
    assert shelf.store.database.integrity() == []


def test_another_program_cannot_write_past_the_sums(shelf: Any) -> None:
    shelf.add("a.txt", "text")
    with closing(sqlite3.connect(shelf.store.database.file)) as connection:
        with pytest.raises(sqlite3.OperationalError, match="row_sum"):
            connection.execute("UPDATE items SET title = 'x'")
        assert connection.execute("SELECT count(*) FROM items").fetchone() == (1,), "it can read"


def test_a_value_that_cannot_be_read_is_found(shelf: Any) -> None:
    shelf.add("a.txt", "text")
    beside(shelf.store.database.file, "UPDATE items SET title = CAST(x'ff61' AS TEXT)")
    assert any("items" in problem for problem in shelf.store.database.integrity())


def test_the_sum_of_a_row_knows_types() -> None:
    rows = [(1,), (1.0,), ("1",), (b"1",), (None,), ("None",), (1, None), (None, 1)]
    assert len({sums.row_sum(*row) for row in rows}) == len(rows)


@pytest.fixture
def killed(tmp_path: Path, shelf: Any) -> Path:
    """A library whose process died: the log still has what was written."""
    shelf.store.database.truncate_log()
    for number in range(12):
        shelf.add(f"{number}.txt", f"text {number}")
    copy = tmp_path / "killed"
    copy.mkdir()
    for name in ("bowerbird.sqlite", "bowerbird.sqlite-wal"):
        shutil.copy(shelf.store.home / name, copy / name)
    return copy


def test_a_sound_log_is_replayed(killed: Path) -> None:
    assert damaged_frame(killed / "bowerbird.sqlite-wal") is None
    database = Database(killed / "bowerbird.sqlite")
    database.open()
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM items")).scalar() == 12
    database.close()


def test_a_log_that_was_cut_off_is_a_crash_and_no_damage(killed: Path) -> None:
    log = killed / "bowerbird.sqlite-wal"
    log.write_bytes(log.read_bytes()[:-2_000])
    assert damaged_frame(log) is None


@pytest.mark.parametrize("place", [5, 17, 40, 60, 3_000, 9_000])
def test_a_damaged_log_is_refused_until_somebody_accepts_the_loss(killed: Path, place: int) -> None:
    log = killed / "bowerbird.sqlite-wal"
    data = bytearray(log.read_bytes())
    data[place] ^= 1
    log.write_bytes(data)
    database = Database(killed / "bowerbird.sqlite")
    with pytest.raises(StoreError, match="damaged") as refused:
        database.open()
    assert "restore" in refused.value.remedy and log.read_bytes() == data, "nothing is lost by looking"
    database.open(accept_loss=True)
    assert database.integrity() == []
    database.close()
