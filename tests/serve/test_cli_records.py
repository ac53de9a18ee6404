"""`backup`, `restore`, `purge`, `export` and `erase` as a person runs them, beside a server and without."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from bowerbird.serve.client import running


@pytest.fixture
def notes(tmp_path: Path, bowerbird: Any) -> Path:
    """A folder that is indexed."""
    folder = tmp_path / "notes"
    folder.mkdir()
    for name in ("heron", "egret", "stork"):
        (folder / f"{name}.txt").write_text(f"A note about the {name}.\n")
    assert bowerbird("add", str(folder)).code == 0
    return folder


def hits(bowerbird: Any, words: str) -> list[str]:
    return [hit["path"] for hit in bowerbird("search", words, "--pipeline", "words", "--json").json["hits"]]


def test_a_backup_and_its_way_back(notes: Path, bowerbird: Any, tmp_path: Path) -> None:
    done = bowerbird("backup", str(tmp_path), "--verify", "--json")
    written = done.json["backup"]
    assert done.code == 0 and written["counts"]["items"] == 3 and written["missing"] == 0
    tried = bowerbird("restore", written["path"], "--verify")
    assert tried.code == 0 and "The backup is whole: 3 items" in tried.out
    refused = bowerbird("restore", written["path"])
    assert refused.code == 1 and "backup-unusable" in refused.err and "--replace" in refused.err
    (notes / "heron.txt").unlink()
    assert bowerbird("sync").code == 0 and hits(bowerbird, "heron") == []
    restored = bowerbird("restore", written["path"], "--replace")
    assert restored.code == 0 and "3 items" in restored.out and "is now" in restored.err
    elsewhere = str(tmp_path / "elsewhere")
    assert bowerbird("--home", elsewhere, "restore", written["path"], "--json").json["restored"]["home"] == elsewhere
    (notes / "heron.txt").write_text("A note about the heron.\n")
    assert bowerbird("sync").code == 0
    assert hits(bowerbird, "heron") == ["heron.txt"]


def test_a_backup_that_is_stopped_leaves_nothing(notes: Path, bowerbird: Any, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    for wait in (0.5, 0.9):
        process = bowerbird.start("backup", str(place))
        time.sleep(wait)
        process.send_signal(signal.SIGINT)
        process.wait(30)
    assert [path.name for path in place.iterdir() if not path.name.endswith(".tar.zst")] == []


def test_a_purge_tells_what_it_cannot_reach(notes: Path, bowerbird: Any) -> None:
    path = bowerbird("backup", "--json").json["backup"]["path"]
    (notes / "stork.txt").unlink()
    assert bowerbird("sync").code == 0
    done = bowerbird("purge")
    assert done.code == 0 and "blobs: 1" in done.out and f"not reached: the backup {path}" in done.out
    Path(path).unlink()
    assert "no longer there" in bowerbird("purge").out


@pytest.fixture
def server(notes: Path, bowerbird: Any, eventually: Callable[..., bool]) -> Any:
    bowerbird.start("serve", "--port", "0")
    assert eventually(lambda: running(bowerbird.home) is not None)
    return running(bowerbird.home)


def test_a_server_purges_and_backs_up_when_it_is_asked(
    notes: Path, server: Any, bowerbird: Any, eventually: Callable[..., bool]
) -> None:
    (notes / "stork.txt").unlink()
    assert eventually(lambda: hits(bowerbird, "stork") == [])
    purged = bowerbird("purge", "--json").json["receipt"]
    assert purged["removed"]["blobs"] >= 1 and Path(purged["path"]).is_file()
    headers = {"authorization": f"Bearer {server.token}"}
    with httpx.Client(base_url=server.url, headers=headers) as client:
        job = client.post("/api/backup").json()["job"]["id"]
        assert eventually(lambda: client.get(f"/api/jobs/{job}").json()["state"] == "done")
        (listed,) = client.get("/api/backups").json()["backups"]
        assert listed["there"] and listed["path"] in client.get(f"/api/jobs/{job}").json()["message"]
        assert client.get("/api/search", params={"q": "heron"}).json()["hits"]
    assert bowerbird("restore", listed["path"], "--verify").code == 0
    refused = bowerbird("restore", listed["path"], "--replace")
    assert refused.code == 1 and "open in another process" in refused.err


def test_a_person_is_exported_and_erased(notes: Path, bowerbird: Any) -> None:
    from bowerbird.library import Library
    from bowerbird.store import people

    with Library.open(bowerbird.home) as library, library.store.database.write() as connection:
        people.add(connection, "mia", "member", "Mia Zqname")
    assert bowerbird("export", "mia").json["account"]["name"] == "Mia Zqname"
    kept = bowerbird("erase", "mia", stdin=b"n\n")
    assert kept.code == 0 and "Nothing was changed" in kept.err
    assert bowerbird("erase", "mia", "--yes", "--json").json["erased"]["rows"] >= 1
    gone = bowerbird("export", "mia")
    assert gone.code == 1 and "not-found" in gone.err


def test_a_full_disk_leaves_a_library_that_opens(tmp_path: Path, bowerbird: Any) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = os.geteuid() == 0 and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(folder)], capture_output=True, check=False
    ).returncode  # fmt: skip
    if not mounted:
        pytest.skip("a small disk cannot be mounted here (it takes root)")
    try:
        bowerbird.home = folder / "home"
        notes = tmp_path / "many"
        notes.mkdir()
        for number in range(300):
            text = " ".join(f"w{number}x{part}" for part in range(1_200))
            (notes / f"{number}.txt").write_text(f"zq{number}xv {text}")
        full = bowerbird("add", str(notes), "--yes", "--json")
        assert full.json.get("error", {}).get("code") == "disk-full", (full.code, full.out[:600], full.err[-600:])
        with suppress(OSError), (folder / "filler").open("wb") as filler:
            while True:
                filler.write(bytes(4096))
                filler.flush()
        assert bowerbird("backup", "--json").json["error"]["code"] == "disk-full"
        assert list((folder / "home").glob("backups/.*")) == []
        (folder / "filler").write_bytes((folder / "filler").read_bytes()[: -64 * 1024])  # what SQLite needs to open
        opened = bowerbird("status", "--json")
        assert opened.code == 0 and opened.json["items"] > 0
        (folder / "filler").unlink()
        subprocess.run(["mount", "-o", "remount,size=400m", str(folder)], check=True)
        assert bowerbird("sync").code == 0
        assert bowerbird("doctor", "--verify", "--json").json["findings"] == []
        assert hits(bowerbird, "zq299xv") == ["299.txt"]
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_write_that_fails_leaves_a_library_that_opens(notes: Path, bowerbird: Any) -> None:
    """The kernel refuses every write beyond a size (RLIMIT_FSIZE), as a broken device does."""
    (notes / "large.txt").write_text(" ".join(f"word{number}" for number in range(60_000)))
    limited = subprocess.run(
        ["bash", "-c", f"ulimit -f 90; exec {sys.executable} -m bowerbird sync --json"],
        capture_output=True, text=True, env=bowerbird.environment({}), check=False, timeout=120,
    )  # fmt: skip
    assert limited.returncode in (1, -signal.SIGXFSZ), limited.stdout
    if limited.stdout:
        assert json.loads(limited.stdout)["error"]["code"]
    assert bowerbird("sync").code == 0
    assert bowerbird("doctor", "--verify", "--json").json["findings"] == []
    assert hits(bowerbird, "word59999") == ["large.txt"]
