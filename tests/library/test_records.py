"""A library is restored without reading or embedding anything again; people leave whole; damage is mended."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text as sql

from bowerbird.core.errors import BackupError, ForbiddenError, LockedError, NotFoundError, StoreError
from bowerbird.core.records import OWNER, Principal
from bowerbird.core.settings import Settings
from bowerbird.library import Library
from bowerbird.library.maintaining import CLEAN
from bowerbird.library.records import accept_loss, restore, verify_backup
from bowerbird.store import audit, people, sessions
from bowerbird.store.retention import DAY, Retention, expire
from bowerbird.testing.encoder import HashEncoder


class Forbidden(HashEncoder):
    """An encoder that must not be asked for passages."""

    def passages(self, texts: object) -> object:  # type: ignore[override]
        raise AssertionError("something was embedded again")


def work(library: Library, encoder: HashEncoder | None = None) -> None:
    vars(library.models)["encoder"] = lambda wanted: encoder or HashEncoder()
    with closing(library.worker()) as worker:
        worker.run_until_idle(lambda _: None, threading.Event(), vectors=True)


def rows(library: Library, statement: str) -> list[tuple[object, ...]]:
    with library.store.database.read() as connection:
        return [tuple(row) for row in connection.execute(sql(statement))]


def paths(library: Library, words: str, principal: Principal = OWNER, pipeline: str = "words") -> list[str]:
    return [hit.path for hit in library.search(words, principal, pipeline=pipeline).hits]


@pytest.fixture
def full(library: Library, folder: Path) -> Library:
    library.add(str(folder), "work")
    library.enqueue("sync")
    work(library)
    return library


@pytest.fixture
def backup(full: Library, tmp_path: Path) -> Path:
    return Path(full.records.backup(tmp_path / "kept.tar.zst", verify=True).path)


_READ = "SELECT key, content_version, updated FROM items ORDER BY key"


def test_a_restored_library_reads_and_embeds_nothing_again(full: Library, backup: Path, tmp_path: Path) -> None:
    before, meant = rows(full, _READ), paths(full, "crane", pipeline="meaning")
    restored = restore(backup, tmp_path / "new")
    assert restored.counts["items"] == 3 and restored.before == ""
    with Library.open(tmp_path / "new", Settings({})) as library:
        work(library, Forbidden())
        assert rows(library, _READ) == before
        assert paths(library, "crane") == ["notes/harbour.md"]
        assert paths(library, "crane", pipeline="meaning") == meant
        assert library.doctor(verify=True).findings == ()
        assert [event.action for event in events(library)].count("library.restored") == 1


def events(library: Library) -> list[audit.Event]:
    with library.store.database.read() as connection:
        return audit.listed(connection)


def test_nobody_is_signed_in_after_a_restore(full: Library, tmp_path: Path) -> None:
    with full.store.database.write() as connection:
        sessions.begin(connection, "secret", "owner", (0.0, 9e9))
    written = full.records.backup(tmp_path / "kept.tar.zst")
    restore(Path(written.path), tmp_path / "new")
    with Library.open(tmp_path / "new", Settings({})) as library:
        assert rows(library, "SELECT * FROM sessions") == []


def test_a_library_that_is_there_is_never_overwritten(full: Library, backup: Path, home: Path, folder: Path) -> None:
    with pytest.raises(BackupError, match="There is a library") as refused:
        restore(backup, home)
    assert "--replace" in refused.value.remedy
    with pytest.raises(LockedError, match="open in another process"):
        restore(backup, home, replace=True)
    (folder / "late.txt").write_text("A late pelican.\n")
    full.enqueue("sync")
    work(full)
    full.close()
    restored = restore(backup, home, replace=True)
    with Library.open(home, Settings({})) as library:
        work(library)
        assert paths(library, "pelican") == [] and paths(library, "crane") == ["notes/harbour.md"]
    with Library.open(Path(restored.before), Settings({})) as library:
        assert paths(library, "pelican") == ["late.txt"]
    assert sorted(path.name for path in home.parent.iterdir() if "restoring" in path.name) == []


def test_a_backup_that_is_refused_changes_nothing(full: Library, backup: Path, home: Path, tmp_path: Path) -> None:
    data = backup.read_bytes()
    backup.write_bytes(data[: len(data) // 2])
    full.close()
    before = sorted(str(path) for path in home.parent.rglob("*"))
    for replace in (False, True):
        with pytest.raises(BackupError):
            restore(backup, home, replace=replace)
    with pytest.raises(BackupError, match="damaged"):
        restore(backup, tmp_path / "new")
    assert sorted(str(path) for path in home.parent.rglob("*")) == before


def test_a_backup_is_tried_without_touching_the_library(backup: Path) -> None:
    restored, findings = verify_backup(backup)
    assert restored.counts["items"] == 3 and findings == []


@pytest.fixture
def mia(full: Library) -> Iterator[str]:
    """A person with things of their own."""
    with full.store.database.write() as connection:
        person = people.add(connection, "mia", "member", "Mia Zqname", "mia@example.org").id
        audit.record(connection, Principal(f"user:{person}"), "session.started", person)
    full.permissions.add_rule("work", "notes", f"user:{person}", "allow")
    work(full)
    yield person


def test_a_person_gets_what_is_kept_about_them_without_secrets(full: Library, mia: str) -> None:
    found = json.loads(json.dumps(full.records.export("mia")))
    assert found["account"]["name"] == "Mia Zqname" and found["account"]["address"] == "mia@example.org"
    assert "password" not in found["account"] and "totp_secret" not in found["account"]
    assert [rule["prefix"] for rule in found["access_rules"]] == ["notes"]
    assert [event["action"] for event in found["audit"]] == ["session.started"]
    with pytest.raises(NotFoundError):
        full.records.export("nobody")


def test_an_erased_person_is_in_no_file_and_the_audit_log_stays_whole(full: Library, mia: str, home: Path) -> None:
    assert paths(full, "crane", Principal(f"user:{mia}")) == ["notes/harbour.md"]
    count = len(events(full))
    kept = Path(full.records.backup().path)
    erased = full.records.erase("mia")
    assert erased.rows >= 2 and [one.path for one in erased.unreachable] == [str(kept)]
    for path in home.rglob("*"):
        if path.is_file() and path != kept:
            assert b"Zqname" not in path.read_bytes() and b"mia@example" not in path.read_bytes(), path
    assert rows(full, "SELECT handle FROM people") == [("owner",)]
    assert paths(full, "crane", Principal(f"user:{mia}")) == []
    with full.store.database.read() as connection:
        assert audit.broken(connection) == []
    assert len(events(full)) > count
    with pytest.raises(ForbiddenError):
        full.records.erase("owner")


def test_old_rows_leave_and_the_audit_log_still_holds_together(full: Library, mia: str) -> None:
    late = audit.now() + 100 * DAY
    before = len(events(full))
    with full.store.database.write() as connection:
        gone = expire(connection, Retention(audit_days=50, jobs_days=50, failures_days=0, queries_days=0), late)
    assert gone["audit"] == before and gone["jobs"] >= 1
    with full.store.database.write() as connection:
        audit.record(connection, OWNER, "rule.added", "x")
    with full.store.database.read() as connection:
        assert audit.broken(connection) == [] and len(audit.listed(connection)) == 1
    with full.store.database.write() as connection:
        connection.execute(sql("UPDATE audit SET action = 'rule.removed'"))
    with full.store.database.read() as connection:
        assert len(audit.broken(connection)) == 1


def test_after_an_unclean_stop_the_index_is_compared_and_mended(full: Library, home: Path) -> None:
    assert (home / CLEAN).exists()
    (home / CLEAN).unlink()
    (generation,) = rows(full, "SELECT folder, words_version FROM generations")
    table = full.tables().newest(str(generation[0]), "words")
    table.delete("kind != 'nothing'")
    full.tables().sums.add(str(generation[0]))
    with full.store.database.write() as connection:
        connection.execute(sql("UPDATE generations SET words_version = :to"), {"to": table.version})
    assert paths(full, "crane") == []
    work(full)
    work(full)
    assert paths(full, "crane") == ["notes/harbour.md"]
    assert full.doctor(verify=True).findings == ()


@pytest.mark.parametrize("what", ["data", "_versions", "_indices", "all"])
def test_a_damaged_index_is_made_again_from_the_blobs(full: Library, home: Path, what: str) -> None:
    (home / CLEAN).unlink()
    for path in (home / "index").rglob("*"):
        if path.is_file() and (what == "all" or what in path.parts):
            path.write_bytes(b"damaged" * 20)
    before = rows(full, _READ)
    full.close()
    with Library.open(home, Settings({})) as library:
        assert any(keeper.name == "index" for keeper in library.keepers() for _ in keeper.verify())
        work(library, Forbidden())
        work(library, Forbidden())
        assert paths(library, "crane") == ["notes/harbour.md"] and rows(library, _READ) == before
        assert library.doctor(verify=True).findings == ()


def test_an_index_that_is_gone_is_made_again(full: Library, home: Path) -> None:
    full.close()
    shutil.rmtree(home / "index")
    with Library.open(home, Settings({})) as library:
        work(library, Forbidden())
        assert paths(library, "crane") == ["notes/harbour.md"]
        assert paths(library, "sourdough", pipeline="meaning")[0] == "notes/kitchen.txt"


def test_a_damaged_log_is_told_and_the_way_on_is_there(full: Library, home: Path, tmp_path: Path) -> None:
    copy = tmp_path / "killed"
    copy.mkdir()
    for _ in range(5):
        full.enqueue("sync", "work")
        with full.store.database.write() as connection:
            connection.execute(sql("UPDATE jobs SET state = 'done'"))
    for name in ("bowerbird.sqlite", "bowerbird.sqlite-wal"):
        shutil.copy(home / name, copy / name)
    log = copy / "bowerbird.sqlite-wal"
    data = bytearray(log.read_bytes())
    data[5_000] ^= 8
    log.write_bytes(data)
    with pytest.raises(StoreError, match="log is damaged"):
        Library.open(copy, Settings({}))
    assert accept_loss(copy) and not accept_loss(copy)
    Library.open(copy, Settings({})).close()
