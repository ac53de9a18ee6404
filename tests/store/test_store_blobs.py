"""Blobs: whole or not there, noticed when damaged, gone when nobody refers to them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bowerbird.core.errors import StoreError
from bowerbird.store import catalog, intake, keeping
from bowerbird.store.blobs import Blobs
from bowerbird.store.store import Store
from bowerbird.store.tables import items


def _files(blobs: Blobs) -> list[Path]:
    return [path for path in blobs.folder.rglob("*") if path.is_file()]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.binary(max_size=2000), max_size=5))
def test_what_is_put_is_what_is_got_and_is_kept_once(tmp_path: Path, contents: list[bytes]) -> None:
    blobs = Blobs(tmp_path)
    names = [blobs.put(content) for content in contents]
    assert [blobs.get(name) for name in names] == contents
    assert set(names) <= set(blobs.names())


def test_a_missing_blob_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    with pytest.raises(StoreError, match="cannot be read") as missing:
        blobs.get("ab" * 32)
    assert "doctor" in missing.value.remedy
    assert not blobs.sound("ab" * 32)
    blobs.remove("ab" * 32)


@pytest.mark.parametrize("damage", [b"", b"garbage", None])
def test_a_damaged_blob_is_noticed_and_putting_it_again_mends_it(tmp_path: Path, damage: bytes | None) -> None:
    blobs = Blobs(tmp_path)
    name, other = blobs.put(b"content"), blobs.put(b"something else")
    path = tmp_path / name[:2] / name[2:]
    path.write_bytes((tmp_path / other[:2] / other[2:]).read_bytes() if damage is None else damage)
    assert not blobs.sound(name)
    with pytest.raises(StoreError):
        blobs.get(name)
    assert blobs.put(b"content") == name
    assert blobs.get(name) == b"content"


def test_a_write_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = Blobs(tmp_path)

    def refuse(_from: Path, _to: Path) -> None:
        raise PermissionError("no")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(PermissionError):
        blobs.put(b"content")
    assert _files(blobs) == []


def test_others_cannot_read_blobs(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    blobs.put(b"content")
    assert all(path.stat().st_mode & 0o077 == 0 for path in _files(blobs))


def test_the_sweep_removes_exactly_what_nobody_refers_to(store: Store, shelf) -> None:
    shelf.add("a.txt", "kept")
    stray = store.blobs.put(b"stray")
    before = set(store.blobs.names())
    assert store.keeper.sweep() == 1
    assert set(store.blobs.names()) == before - {stray}
    assert store.keeper.sweep() == 0


def test_a_sound_store_has_no_findings(store: Store, shelf) -> None:
    shelf.add("a.txt", "one")
    shelf.add("b.txt", "two")
    assert list(store.keeper.verify()) == []


def test_every_planted_fault_is_found_and_mended(store: Store, shelf) -> None:
    for name in ("missing", "damaged", "sound"):
        shelf.add(f"{name}.txt", name)
    with store.database.write() as connection:
        blobs = {key: catalog.document_blob(connection, shelf.get(f"{key}.txt").id) for key in ("missing", "damaged")}
        render = store.blobs.put(b"an image")
        keeping.cache_render(connection, "aa", 1, 100, render)
        vector = store.blobs.put(b"vectors")
        document_id = intake.claims_of(connection, shelf.source.id, ["damaged.txt"])["damaged.txt"].document_id
        keeping.cache_vectors(connection, "key", "encoder", vector, document_id)
    store.blobs.remove(blobs["missing"])
    store.blobs.remove(render)
    (store.blobs.folder / blobs["damaged"][:2] / blobs["damaged"][2:]).write_bytes(b"garbage")
    stray = store.blobs.put(b"stray")

    findings = list(store.keeper.verify())
    assert {(f.subject.removeprefix("blob "), f.problem) for f in findings} == {
        (blobs["missing"], "missing or damaged"),
        (blobs["damaged"], "missing or damaged"),
        (render, "missing or damaged"),
        (stray, "nobody refers to it"),
    }
    assert store.keeper.repair(findings) == 4
    assert list(store.keeper.verify()) == []
    assert {claim.item.key for claim in shelf.waiting()} == {"missing.txt", "damaged.txt"}
    for claim in shelf.waiting():
        shelf.finish(claim, claim.item.key.removesuffix(".txt"))
    assert list(store.keeper.verify()) == []
    assert store.blobs.sound(blobs["missing"]) and store.blobs.sound(blobs["damaged"])


def test_a_lost_document_of_a_nested_member_lets_the_outermost_container_wait(store: Store, shelf) -> None:
    shelf.add("a.zip", "outer")
    shelf.add("a.zip!/b.zip", "inner", container="a.zip")
    shelf.add("a.zip!/b.zip!/c.txt", "lost", container="a.zip!/b.zip")
    other = shelf.other("other")
    other.add("a.zip!/b.zip", "a file that only looks like it")
    with store.database.read() as connection:
        blob = catalog.document_blob(connection, shelf.get("a.zip!/b.zip!/c.txt").id)
    store.blobs.remove(blob)
    assert store.keeper.repair(store.keeper.verify()) == 1
    assert [claim.item.key for claim in shelf.waiting()] == ["a.zip"]
    with store.database.read() as connection:
        mine = items.c.source_id == shelf.source.id
        hashes = dict(connection.execute(select(items.c.key, items.c.content_hash).where(mine)).all())
        stuck = connection.execute(select(items.c.key).where(items.c.state == "pending", items.c.container != ""))
        assert list(stuck) == []
    assert hashes["a.zip!/b.zip"] == hashes["a.zip!/b.zip!/c.txt"] == "", "they would not be read with their container"


def test_purge_removes_what_only_deleted_items_used(store: Store, shelf) -> None:
    gone = shelf.add("gone.txt", "gone")
    shared = shelf.add("shared.txt", "shared")
    shelf.add("copy.txt", "shared")
    with store.database.write() as connection:
        keeping.cache_render(connection, shelf.get("gone.txt").content_hash, 1, 9, store.blobs.put(b"page of gone"))
        keeping.cache_render(connection, shelf.get("copy.txt").content_hash, 1, 9, store.blobs.put(b"page of shared"))
        intake.removed(connection, [gone, shared])
    half = store.blobs.folder / "ab" / "new-killed"
    half.parent.mkdir(exist_ok=True)
    half.write_bytes(b"half of gone")
    os.utime(half, (time.time() - 3600, time.time() - 3600))
    store.keeper.purge(())
    assert len(list(store.blobs.names())) == 2
    assert not half.exists()
    assert list(store.keeper.verify()) == []


def test_purge_leaves_no_trace_of_a_name_in_the_database_files(store: Store, shelf) -> None:
    marker = "quagga-7731"
    ids = [shelf.add(f"{marker} {number}.txt", marker * 400) for number in range(40)]
    with store.database.write() as connection:
        intake.removed(connection, ids)
    assert any(marker.encode() in path.read_bytes() for path in store.home.rglob("*") if path.is_file())
    store.keeper.purge(())
    holding = [path.name for path in store.home.rglob("*") if path.is_file() and marker.encode() in path.read_bytes()]
    assert holding == []
