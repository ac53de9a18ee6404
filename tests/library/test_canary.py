"""After a purge, no file of a library holds what was deleted: every file is decoded and searched for it."""

from __future__ import annotations

import json
import shutil
import sys
import threading
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from sqlalchemy import text as sql

from bowerbird.core.records import OWNER
from bowerbird.core.settings import Settings
from bowerbird.library import Library
from bowerbird.library.maintaining import Receipt

sys.path.insert(0, str(Path(__file__).parent))
from decoding import holding

CANARY = "zqkanarienvogel"
"""One word in no dictionary; the same word stands in names, titles, content, an archive and a message."""


@pytest.fixture
def secret(folder: Path) -> Path:
    """A folder among others whose files all hold the canary."""
    place = folder / f"{CANARY} papers"
    place.mkdir()
    (place / "plan.md").write_text(f"# {CANARY} plan\n\nThe {CANARY} sings at dawn.\n\n" + f"{CANARY} again. " * 300)
    (place / "mail.eml").write_text(
        f"From: {CANARY} <{CANARY}@example.org>\nSubject: About {CANARY}\nDate: Mon, 5 Jan 2026 10:00:00 +0000\n"
        f"Content-Type: text/plain\n\nDear {CANARY}, all is well.\n"
    )
    with zipfile.ZipFile(place / "box.zip", "w") as archive:
        archive.writestr(f"inner/{CANARY}.txt", f"{CANARY} in a box")
    (place / f"{CANARY}.bin").write_bytes(b"\0\1\2" * 50)
    (place / "broken.pdf").write_bytes(b"%PDF-1.7\n" + CANARY.encode())
    picture = Image.new("RGB", (200, 60), "white")
    ImageDraw.Draw(picture).text((5, 20), CANARY, fill="black")
    picture.save(place / "drawn.png")
    return place


def work(library: Library) -> None:
    library.enqueue("sync")
    with closing(library.worker()) as worker:
        worker.run_until_idle(lambda _: None, threading.Event(), vectors=False)


def items(library: Library) -> dict[str, str]:
    with library.store.database.read() as connection:
        return dict(connection.execute(sql("SELECT name, id FROM items")).all())  # type: ignore[arg-type]


def filled(library: Library, folder: Path) -> None:
    """Index the folder, look at things, and leave traces wherever the library leaves any."""
    library.add(str(folder), "work")
    work(library)
    library.page_image(items(library)["drawn.png"], 1, 100, OWNER)
    assert library.search(CANARY, pipeline="words").hits and library.search(f"{CANARY} sings", pipeline="words").hits
    library.search(CANARY[:6], pipeline="typing")
    (folder / "notes" / "kitchen.txt").write_text(f"Sourdough for the {CANARY}.\n")
    work(library)
    (folder / "notes" / "kitchen.txt").write_text("Sourdough needs flour again.\n")


def test_no_byte_of_what_was_deleted_is_left(library: Library, folder: Path, secret: Path, home: Path) -> None:
    filled(library, folder)
    (home / "backups").mkdir()
    library.store.database.snapshot(home / "backups" / "before-0002-20260101-000000-0001.sqlite")
    library.records.backup()
    kinds = {path.partition("/")[0] for path in holding(home, CANARY)}
    assert {"blobs", "index", "backups", "bowerbird.sqlite"} <= kinds, "else the test would prove nothing"
    assert any("tokens" in path for path in holding(home / "index", CANARY)), "nor without the token dictionaries"
    assert len([path for path in holding(home / "backups", CANARY)]) == 2

    shutil.rmtree(secret)
    work(library)
    assert library.search(CANARY, pipeline="words").hits == (), "gone from every result at once"
    receipt = library.records.purge()

    left = holding(home, CANARY)
    (backup,) = receipt.unreachable
    assert left == [str(Path(backup.path).relative_to(home))], "the backup that the receipt names, and nothing else"
    assert backup.there and receipt.removed["copies before migrations"] == 1 and receipt.removed["blobs"] > 0
    assert json.loads(Path(receipt.path).read_text())["unreachable"][0]["path"] == backup.path
    assert [hit.path for hit in library.search("harbour", pipeline="words").hits] == ["notes/harbour.md"]
    assert library.doctor(verify=True).findings == ()


def test_a_purge_of_a_running_writer_leaves_no_byte_either(library: Library, folder: Path, secret: Path) -> None:
    filled(library, folder)
    with closing(library.worker()) as worker:
        worker.start(watch=True, vectors=False)
        shutil.rmtree(secret)
        for kind in ("sync", "purge"):
            job = library.enqueue(kind)
            while library.job(job.id).state in ("queued", "running"):
                threading.Event().wait(0.05)
            assert library.job(job.id).state == "done", library.job(job.id).message
        assert holding(library.home, CANARY) == []
        assert library.search("harbour", pipeline="words").hits
    assert library.doctor(verify=True).findings == ()


def test_what_a_removed_source_left_goes_with_the_purge(library: Library, folder: Path, secret: Path) -> None:
    filled(library, folder)
    library.remove_source("work")
    assert isinstance(library.records.purge(), Receipt)
    assert holding(library.home, CANARY) == []
    assert holding(library.home, "harbour") == []


def test_a_purge_may_be_repeated_and_changes_nothing_then(library: Library, folder: Path) -> None:
    library.add(str(folder), "work")
    work(library)
    first, second = library.records.purge(), library.records.purge()
    assert first.removed["blobs"] == second.removed["blobs"] == 0
    assert len(library.search("crane", pipeline="words").hits) == 1


def test_settings_bind_backups(home: Path, folder: Path) -> None:
    with Library.open(home, Settings({"backups_kept": 2})) as library:
        library.add(str(folder), "work")
        paths = []
        for number in range(4):
            path = Path(library.records.backup().path)
            paths.append(path.rename(path.with_name(f"bowerbird-2026010{number}-000000.tar.zst")))
        library.records.backup()
        assert len(list((home / "backups").glob("*.tar.zst"))) == 2
