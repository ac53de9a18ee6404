"""The database file: its schema, and what a person is told when it cannot be used."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from bowerbird.core.errors import DiskFullError, LockedError, SchemaError, StoreError
from bowerbird.store import database as database_module
from bowerbird.store import identity_tables, jobs, sources
from bowerbird.store.database import Database
from bowerbird.store.store import Store, WriterLock


def test_migrations_make_exactly_the_tables_of_tables_py(store: Store) -> None:
    with store.database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, identity_tables.people.metadata) == []


def test_opening_again_keeps_what_was_written(tmp_path: Path) -> None:
    for _ in range(2):
        store = Store(tmp_path)
        store.open()
        with store.database.write() as connection:
            jobs.enqueue(connection, "sync", None)
        store.close()
    store.open()
    with store.database.read() as connection:
        assert len(jobs.recent(connection)) == 1


def test_a_failing_transaction_leaves_nothing(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.database.write() as connection:
        jobs.enqueue(connection, "sync", None)
        raise ZeroDivisionError
    with store.database.read() as connection:
        assert jobs.recent(connection) == []


def test_a_reader_sees_one_state_while_others_write(store: Store) -> None:
    with store.database.read() as reading:
        assert jobs.unfinished(reading) == 0
        with store.database.write() as writing:
            jobs.enqueue(writing, "sync", None)
        assert jobs.unfinished(reading) == 0
    with store.database.read() as reading:
        assert jobs.unfinished(reading) == 1


def test_a_library_of_a_newer_bowerbird_is_refused(store: Store) -> None:
    with store.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaError, match="9999") as refused:
        Store(store.home).open()
    assert "newer" in refused.value.cause and refused.value.remedy


@pytest.mark.parametrize("garbage", [b"this is no database " * 400, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_file_that_is_no_database_is_named_as_damaged(tmp_path: Path, garbage: bytes) -> None:
    file = tmp_path / "bowerbird.sqlite"
    file.write_bytes(garbage)
    with pytest.raises(StoreError, match="damaged") as refused:
        Store(tmp_path).open()
    assert str(file) in refused.value.cause and "doctor" in refused.value.remedy


def test_a_page_that_was_overwritten_is_found(store: Store) -> None:
    with store.database.write() as connection:
        for number in range(300):
            sources.add(connection, "files", f"/there/{number}", f"name {number}")
    store.database.truncate_log()
    store.close()
    size = store.database.file.stat().st_size
    with store.database.file.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(os.urandom(3 * 4096))
    try:
        problems = store.database.integrity()
    except StoreError as problem:
        problems = [problem.cause]
    assert problems


def test_odd_characters_in_the_path_are_no_query_string(tmp_path: Path) -> None:
    home = tmp_path / "what? 100%20 #1 ünï"
    store = Store(home)
    store.open()
    store.close()
    assert (home / "bowerbird.sqlite").is_file()
    assert not list(tmp_path.glob("what")), "the path was cut at its question mark"


def test_a_library_that_another_process_writes_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = tuple(p if "busy" not in p else "busy_timeout=100" for p in database_module._PRAGMAS)
    monkeypatch.setattr(database_module, "_PRAGMAS", quick)
    database = Database(tmp_path / "bowerbird.sqlite")
    database.open()
    other = sqlite3.connect(database.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LockedError, match="another process"), database.write():
        pass
    with database.read() as connection:  # readers are not kept out
        assert jobs.unfinished(connection) == 0
    other.close()
    with database.write() as connection:
        jobs.enqueue(connection, "sync", None)
    database.close()


_OPENING = """
import sys, time
from pathlib import Path
from bowerbird.store import sources
from bowerbird.store.store import Store
home, number, start = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
time.sleep(max(0, start - time.time()))
store = Store(home)
store.open()
with store.database.write() as connection:
    sources.add(connection, "files", f"/there/{number}", f"name {number}")
store.close()
"""


def test_processes_that_open_a_fresh_home_at_once_all_succeed(tmp_path: Path) -> None:
    at = str(time.time() + 2)
    several = [
        subprocess.Popen([sys.executable, "-c", _OPENING, str(tmp_path), str(number), at], stderr=subprocess.PIPE)
        for number in range(4)
    ]
    assert [process.communicate(timeout=60)[1] for process in several] == [b""] * 4
    store = Store(tmp_path)
    with store.database.read() as connection:
        assert len(sources.listed(connection)) == 4
    assert store.database.integrity() == []
    store.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = os.geteuid() == 0 and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True, check=False
    ).returncode  # fmt: skip
    if not mounted:
        pytest.skip("a small disk cannot be mounted here (it takes root)")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_told_and_nothing_is_half_written(small_disk: Path) -> None:
    store = Store(small_disk / "home")
    store.open()
    filler = small_disk / "filler"
    filler.write_bytes(bytes(os.statvfs(small_disk).f_bavail * 4096 - 300_000))
    written = 0
    with pytest.raises(DiskFullError, match="no room") as refused:
        while written < 1000:
            with store.database.write() as connection:
                for part in range(2):
                    sources.add(connection, "files", f"/there/{written}/{part}", "x" * 5000 + f"{written} {part}")
            written += 1
    assert "Free some space" in refused.value.remedy
    with store.database.read() as connection:
        assert len(sources.listed(connection)) == 2 * written, "a transaction was written by half"
    filler.unlink()
    with store.database.write() as connection:
        jobs.enqueue(connection, "sync", None)
    assert store.database.integrity() == []
    store.close()


def test_a_blob_for_which_there_is_no_room_leaves_nothing(small_disk: Path) -> None:
    store = Store(small_disk / "home")
    kept = store.blobs.put(b"kept")
    with pytest.raises(DiskFullError, match="no room"):
        store.blobs.put(os.urandom(4 << 20))
    assert [path.name for path in store.blobs.folder.rglob("*") if path.is_file()] == [kept[2:]]
    assert store.blobs.get(kept) == b"kept"


def _holder(home: Path) -> subprocess.Popen[str]:
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom bowerbird.store.store import WriterLock\n"
        "lock = WriterLock(Path(sys.argv[1]))\nlock.acquire()\nprint('held', flush=True)\ntime.sleep(60)"
    )
    held = subprocess.Popen([sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, text=True)
    assert held.stdout is not None and held.stdout.readline() == "held\n"
    return held


def test_there_is_one_writer_and_its_death_frees_the_lock(tmp_path: Path) -> None:
    held = _holder(tmp_path)
    lock = WriterLock(tmp_path)
    with pytest.raises(LockedError, match=f"pid {held.pid}"):
        lock.acquire()
    held.kill()
    held.communicate()
    lock.acquire()
    with pytest.raises(LockedError, match=f"pid {os.getpid()}"):
        WriterLock(tmp_path).acquire()
    lock.release()
    lock.release()
    again = WriterLock(tmp_path)
    again.acquire()
    again.release()
