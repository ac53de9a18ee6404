"""Backups of a store that is being written, what is refused, and what comes back."""

from __future__ import annotations

import io
import os
import tarfile
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

from bowerbird.core.errors import BackupError, Interrupted, SchemaError
from bowerbird.store import backup, keeping
from bowerbird.store.blobs import Blobs
from bowerbird.store.restoring import prepare, unpack
from bowerbird.store.store import Store


def read(path: Path) -> dict[str, bytes]:
    """The files in a backup."""
    data = zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read()
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive}  # type: ignore[union-attr]


def write(path: Path, files: dict[str, bytes]) -> Path:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    path.write_bytes(zstandard.ZstdCompressor(write_checksum=True).compress(made.getvalue()))
    return path


@pytest.fixture
def written(shelf: Any, tmp_path: Path) -> Path:
    for number in range(20):
        shelf.add(f"notes/{number}.txt", f"text number {number}")
    (shelf.store.home / "settings.toml").write_text("port = 7400\n")
    return Path(backup.write(shelf.store, tmp_path).path)


def test_a_backup_comes_back_whole(shelf: Any, written: Path, tmp_path: Path) -> None:
    assert written.stat().st_mode & 0o077 == 0
    home = tmp_path / "new"
    manifest = unpack(written, home)
    prepare(home)
    assert manifest.counts["items"] == 20 and manifest.missing == []
    assert (home / "settings.toml").read_text() == "port = 7400\n"
    assert set(Blobs(home / "blobs").names()) == set(shelf.store.blobs.names())
    store = Store(home)
    store.open()
    assert list(store.keeper.verify()) == []
    store.close()


def test_others_write_meanwhile_and_what_comes_back_is_one_moment(shelf: Any, tmp_path: Path) -> None:
    stop = threading.Event()

    def work() -> None:
        number = 0
        while not stop.is_set():
            shelf.add(f"busy/{number}.txt", f"a text that changes {number}")
            number += 1

    thread = threading.Thread(target=work)
    thread.start()
    try:
        paths = [Path(backup.write(shelf.store, tmp_path / f"{number}.tar.zst").path) for number in range(5)]
    finally:
        stop.set()
        thread.join()
    for number, path in enumerate(paths):
        home = tmp_path / f"home-{number}"
        assert unpack(path, home).missing == []
        prepare(home)
        store = Store(home)
        store.open()
        assert [finding for finding in store.keeper.verify() if "nobody" not in finding.problem] == []
        store.close()


def test_nothing_is_swept_while_a_backup_runs(shelf: Any, tmp_path: Path) -> None:
    item = shelf.add("gone.txt", "what will be deleted")
    swept: list[int] = []
    sweeper = threading.Thread(target=lambda: swept.append(shelf.store.keeper.sweep()))

    def report(what: str, done: int, total: int) -> None:
        if what == "blobs" and not done:
            from bowerbird.store import intake

            with shelf.store.database.write() as connection:
                intake.removed(connection, [item])
                keeping.forget_unused(connection)
            sweeper.start()
            sweeper.join(0.3)
            assert swept == [], "the sweep waits"

    made = backup.write(shelf.store, tmp_path, report)
    sweeper.join(10)
    assert swept == [1] and made.missing == 0
    assert unpack(Path(made.path), None).missing == []


def test_an_interrupted_backup_leaves_nothing(shelf: Any, tmp_path: Path) -> None:
    shelf.add("a.txt", "text")
    place = tmp_path / "place"
    place.mkdir()

    def stop(what: str, done: int, total: int) -> None:
        if what == "blobs":
            raise Interrupted("stop")

    with pytest.raises(Interrupted):
        backup.write(shelf.store, place, stop)
    assert list(place.iterdir()) == []
    left = place / f"{backup.UNFINISHED}killed"
    left.mkdir()
    (left / f"x{backup.ENDING}").write_bytes(b"half")
    whole = place / f"{backup.UNFINISHED}renamed"  # killed after its draft was put in place
    whole.mkdir()
    (whole / backup.DATABASE).write_bytes(b"copy")
    backup.write(shelf.store, place)
    assert [path.suffixes for path in place.iterdir()] == [[".tar", ".zst"]], "what a kill left is removed"


def test_a_place_that_is_taken_is_refused(shelf: Any, written: Path, tmp_path: Path) -> None:
    before = written.read_bytes()
    with pytest.raises(BackupError, match="already"):
        backup.write(shelf.store, written)
    assert written.read_bytes() == before
    with pytest.raises(BackupError, match="neither a folder nor"):
        backup.write(shelf.store, tmp_path / "no" / "such")


def test_a_blob_that_is_damaged_already_is_told_and_left_out(shelf: Any, tmp_path: Path) -> None:
    shelf.add("a.txt", "text")
    (name,) = shelf.store.blobs.names()
    (shelf.store.blobs.folder / name[:2] / name[2:]).write_bytes(b"damaged")
    made = backup.write(shelf.store, tmp_path)
    assert made.missing == 1
    assert unpack(Path(made.path), None).missing == [name]


@pytest.mark.parametrize("part", range(12))
def test_a_flipped_bit_anywhere_is_found(written: Path, part: int) -> None:
    data = bytearray(written.read_bytes())
    data[len(data) * part // 12 + part] ^= 4
    written.write_bytes(data)
    with pytest.raises(BackupError, match="damaged"):
        unpack(written, None)


@pytest.mark.parametrize("kept", [0, 1, 100, -200])
def test_a_backup_that_was_cut_off_is_refused(written: Path, kept: int) -> None:
    written.write_bytes(written.read_bytes()[:kept])
    with pytest.raises(BackupError, match="damaged"):
        unpack(written, None)


def test_a_backup_of_a_newer_bowerbird_is_refused_before_anything_is_unpacked(written: Path, tmp_path: Path) -> None:
    files = read(written)
    about = {**msgspec.json.decode(files[backup.ABOUT]), "schema": "9999", "version": "7.0"}
    newer = write(tmp_path / "newer.tar.zst", {**files, backup.ABOUT: msgspec.json.encode(about)})
    with pytest.raises(SchemaError, match=r"7\.0") as refused:
        unpack(newer, tmp_path / "new")
    assert "nothing was changed" in refused.value.remedy
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "blobs/zz/x", "run/server.json", "index/x"])
def test_a_name_that_does_not_belong_there_is_refused(written: Path, tmp_path: Path, name: str) -> None:
    files = read(written)
    changed = {backup.ABOUT: files.pop(backup.ABOUT), name: b"x", **files}
    with pytest.raises(BackupError, match="does not belong"):
        unpack(write(tmp_path / "evil.tar.zst", changed), tmp_path / "deep" / "home")
    assert not (tmp_path / "evil").exists() and not (tmp_path / "deep" / "evil").exists()


def test_a_file_that_is_missing_or_added_is_found(written: Path, tmp_path: Path) -> None:
    files = read(written)
    blob = next(name for name in files if name.startswith("blobs/"))
    without = {name: data for name, data in files.items() if name != blob}
    with pytest.raises(BackupError, match=blob):
        unpack(write(tmp_path / "less.tar.zst", without), None)
    other = f"blobs/00/{os.urandom(31).hex()}"
    more = {backup.ABOUT: files[backup.ABOUT], other: b"x", **files}
    with pytest.raises(BackupError, match="is not what was written"):
        unpack(write(tmp_path / "more.tar.zst", more), None)


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="cannot be read"):
        unpack(tmp_path / "missing.tar.zst", None)
    (tmp_path / "text").write_text("no backup")
    with pytest.raises(BackupError, match="no backup"):
        unpack(tmp_path / "text", None)
