"""The write walk and the read walk through the composition root, on real files."""

from __future__ import annotations

import io
import os
import threading
import time
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text as sql

from bowerbird.core.errors import LockedError, NotFoundError, SourceError
from bowerbird.core.records import SYSTEM, Principal
from bowerbird.core.settings import Settings
from bowerbird.library import Library
from bowerbird.search.results import Results

Index = Callable[..., None]


def found(library: Library, query: str) -> list[str]:
    results: Results = library.search(query, pipeline="words")
    return [hit.path for hit in results.hits]


def test_real_files_are_found_by_words_and_by_name(library: Library, folder: Path, index: Index) -> None:
    library.add(str(folder))
    index()
    assert found(library, "crane") == ["notes/harbour.md"]
    assert found(library, "kitchen.txt")[0] == "notes/kitchen.txt"
    assert found(library, '"flour, water"') == ["notes/kitchen.txt"]
    assert found(library, "flour type:spreadsheet") == []
    hit = library.search("patience", pipeline="words").hits[0]
    assert hit.passages[0].snippet.text.startswith("Sourdough")
    status = library.status()
    assert (status.items, status.pending, status.quarantined) == (3, 0, ())


def test_a_change_a_rename_and_a_deletion_are_followed(library: Library, folder: Path, index: Index) -> None:
    library.add(str(folder))
    index()
    before = library.search("sourdough", pipeline="words").hits[0].item
    (folder / "notes" / "harbour.md").write_text("# Harbour plan\n\nThe ferry leaves at noon.\n")
    (folder / "notes" / "kitchen.txt").rename(folder / "bread.txt")
    (folder / "budget.csv").unlink()
    index()
    assert found(library, "crane") == []
    assert found(library, "ferry") == ["notes/harbour.md"]
    renamed = library.search("sourdough", pipeline="words").hits[0]
    assert (renamed.item, renamed.path, renamed.title) == (before, "bread.txt", "bread")
    assert found(library, "January") == []
    assert library.doctor(verify=True).findings == ()


def test_what_did_not_change_is_not_read_again(
    library: Library, folder: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.add(str(folder))
    index()
    read: list[str] = []
    from bowerbird.sources.files import FilesSource

    original = FilesSource.read
    monkeypatch.setattr(FilesSource, "read", lambda self, item: read.append(item.key) or original(self, item))
    index()
    assert read == []
    os.utime(folder / "budget.csv", (1, 1))
    index()
    assert read == ["budget.csv"]


def test_the_same_bytes_are_extracted_once(library: Library, folder: Path, index: Index) -> None:
    (folder / "copy.md").write_bytes((folder / "notes" / "harbour.md").read_bytes())
    library.add(str(folder))
    index()
    assert sorted(found(library, "crane")) == ["copy.md", "notes/harbour.md"]
    with library.store.database.read() as connection:
        assert connection.execute(sql("SELECT count(*) FROM documents")).scalar() == 3


def test_a_broken_file_is_quarantined_and_heals_when_it_changes(library: Library, folder: Path, index: Index) -> None:
    broken = folder / "report.docx"
    broken.write_bytes(b"PK\x03\x04 this is not a document")
    library.add(str(folder))
    index()
    [trouble] = library.status().quarantined
    assert (trouble.key, trouble.code) == ("report.docx", "extraction-failed")
    assert found(library, "report.docx") == ["report.docx"]
    assert found(library, "crane") == ["notes/harbour.md"]
    import docx

    document = docx.Document()
    document.add_paragraph("A mended lighthouse.")
    document.save(str(broken))
    index()
    assert library.status().quarantined == ()
    assert found(library, "lighthouse") == ["report.docx"]


def test_members_of_an_archive_are_items_that_open(library: Library, folder: Path, index: Index) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("deep.txt", "A walrus in the innermost box.")
    with zipfile.ZipFile(folder / "box.zip", "w") as archive:
        archive.writestr("letters/first.txt", "A penguin in the outer box.")
        archive.writestr("inner.zip", inner.getvalue())
    library.add(str(folder))
    index()
    assert found(library, "penguin") == ["box.zip!/letters/first.txt"]
    [deep] = library.search("walrus", pipeline="words").hits
    assert deep.path == "box.zip!/inner.zip!/deep.txt"
    assert library.original(deep.item) == b"A walrus in the innermost box."
    (folder / "box.zip").unlink()
    index()
    assert found(library, "penguin") == found(library, "walrus") == []
    assert library.doctor(verify=True).findings == ()


def test_meaning_finds_what_words_do_not(
    home: Path, folder: Path, model_store: object, library: Library, index: Index
) -> None:
    lend(model_store, home)
    library.add(str(folder))
    index(vectors=True)
    results = library.search("recipe for baking bread")
    assert results.hits[0].path == "notes/kitchen.txt"
    assert "meaning" in results.formula
    assert results.partial.vectors == 0


def test_search_by_words_goes_on_without_a_model(library: Library, folder: Path, index: Index) -> None:
    library.add(str(folder))
    index()
    results = library.search("crane")
    assert [hit.path for hit in results.hits] == ["notes/harbour.md"]
    assert any("meaning" in hint for hint in results.hints)


def test_somebody_else_finds_nothing_and_learns_nothing(library: Library, folder: Path, index: Index) -> None:
    library.add(str(folder))
    index()
    item = library.search("crane", pipeline="words").hits[0].item
    other = Principal("user:somebody")
    assert library.search("crane", other, pipeline="words").hits == ()
    answers = []
    for wanted in (item, "0000000000000"):
        for read in (library.item, library.document, library.original):
            with pytest.raises(NotFoundError) as refused:
                read(wanted, other)
            answers.append((refused.value.cause, refused.value.remedy))
    assert len(set(answers)) == 1


def test_a_system_read_is_audited(library: Library, folder: Path, index: Index) -> None:
    library.add(str(folder))
    index()
    assert library.search("crane", SYSTEM, pipeline="words").hits
    with library.store.database.read() as connection:
        rows = connection.execute(sql("SELECT actor, action FROM audit")).all()
    assert rows == [("system", "system.search")]


def test_one_process_writes_at_a_time(library: Library) -> None:
    with closing(library.worker()), pytest.raises(LockedError, match="pid"):
        library.worker()
    library.worker().close()


def test_a_missing_folder_is_refused_and_nothing_is_registered(library: Library, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere"):
        library.add(str(tmp_path / "nowhere"))
    assert library.sources() == []


def test_a_folder_that_vanishes_keeps_its_items(library: Library, folder: Path, index: Index) -> None:
    library.add(str(folder))
    index()
    folder.rename(folder.with_name("unmounted"))
    index()
    assert library.sources()[0].state == "failed"
    assert found(library, "crane") == ["notes/harbour.md"]


def test_removing_a_source_removes_its_items_from_search(library: Library, folder: Path, index: Index) -> None:
    library.add(str(folder), "work")
    index()
    library.remove_source("work")
    assert found(library, "crane") == []
    index()
    assert library.status().passages == 0


def test_a_large_file_is_found_by_its_name_only(home: Path, folder: Path) -> None:
    (folder / "big.log").write_text("elephant " * 150_000)
    with Library.open(home, Settings({"max_file_mb": 1})) as library:
        library.add(str(folder))
        library.enqueue("sync")
        with closing(library.worker()) as worker:
            worker.run_until_idle(lambda _: None, threading.Event(), vectors=False)
        assert found(library, "elephant") == []
        assert found(library, "big.log") == ["big.log"]
        assert [one.code for one in library.status().quarantined] == ["file-too-large"]


def test_a_watched_change_is_searchable_within_three_seconds(library: Library, folder: Path) -> None:
    library.add(str(folder))
    library.enqueue("sync")
    with closing(library.worker()) as worker:
        worker.start(watch=True, vectors=False)
        wait_for(lambda: found(library, "crane"), 20)
        time.sleep(1.0)  # the watch is set up after the first sync
        (folder / "fresh.txt").write_text("A zeppelin over the harbour.")
        begun = time.monotonic()
        wait_for(lambda: found(library, "zeppelin"), 10)
        assert time.monotonic() - begun < 3.0
        (folder / "fresh.txt").unlink()
        wait_for(lambda: not found(library, "zeppelin"), 10)


def test_a_lost_blob_is_made_again(library: Library, folder: Path, index: Index) -> None:
    library.add(str(folder))
    index()
    for name in list(library.store.blobs.names()):
        library.store.blobs.remove(name)
    assert library.doctor(verify=True).findings
    assert library.doctor(verify=True, repair=True).findings == ()
    assert found(library, "crane") == ["notes/harbour.md"]
    assert library.document(library.search("crane", pipeline="words").hits[0].item).text


def test_a_new_encoder_or_cut_builds_a_new_generation(home: Path, folder: Path, library: Library, index: Index) -> None:
    library.add(str(folder))
    index()
    with library.store.database.read() as connection:
        before = connection.execute(sql("SELECT folder FROM generations WHERE state = 'served'")).scalar()
    with Library.open(home, Settings({"passage_tokens": 64})) as other:
        with closing(other.worker()) as worker:
            worker.start(watch=False, vectors=False)
            wait_for(lambda: not worker.writer.outdated(), 20)
        assert found(other, "crane") == ["notes/harbour.md"]
        assert other.doctor(verify=True).findings == ()
    assert not (home / "index" / str(before)).exists()


def lend(model_store: object, home: Path) -> None:
    """Let the library use the models that the tests keep."""
    (home / "models").parent.mkdir(parents=True, exist_ok=True)
    (home / "models").symlink_to(model_store.directory)  # type: ignore[attr-defined]


def wait_for(true: Callable[[], object], seconds: float) -> None:
    """Wait until something holds, at most so long."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def test_a_bug_of_ours_costs_one_file_only(
    library: Library, folder: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bowerbird.extraction import Extractor

    extract = Extractor.extract

    def failing(self: Extractor, name: str, data: bytes, media_type: str = "") -> object:
        if name == "budget.csv":
            raise KeyError("a bug")
        return extract(self, name, data, media_type)

    monkeypatch.setattr(Extractor, "extract", failing)
    library.add(str(folder))
    index()
    [trouble] = library.status().quarantined
    assert (trouble.key, trouble.code) == ("budget.csv", "failed")
    assert found(library, "crane") == ["notes/harbour.md"]


def test_what_was_read_when_the_process_died_is_read_alone_and_then_refused(
    library: Library, folder: Path, index: Index
) -> None:
    library.add(str(folder))
    with closing(library.worker()) as worker:
        library.enqueue("sync")
        worker.start(watch=False, vectors=False)
        wait_for(lambda: library.status().items == 3, 10)
    with library.store.database.write() as connection:
        connection.execute(sql("UPDATE items SET state = 'pending', attempts = 4 WHERE name = 'budget.csv'"))
        connection.execute(sql("UPDATE items SET state = 'pending', attempts = 6 WHERE name = 'kitchen.txt'"))
    index()
    assert found(library, "January") == ["budget.csv"]
    [trouble] = library.status().quarantined
    assert (trouble.key, trouble.code) == ("notes/kitchen.txt", "poison")


MAIL = """From: Ada Byron <ada@example.org>
To: Grace Hopper <grace@example.org>
Subject: The engine
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

The engine weaves algebraic patterns, as I wrote to you in the long letter of last summer.
--b
Content-Type: text/plain
Content-Disposition: attachment; filename="drawing notes.txt"

The drawing shows the mill and the store.
--b--
"""


def test_labels_are_of_what_was_read(library: Library, folder: Path, index: Index) -> None:
    (folder / "letter.eml").write_text(MAIL)
    (folder / "plan.md").write_text("---\ntags: [Budget, q3 plan]\n---\n# Plan\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    german = "Der Kranich fliegt über den Hafen, und alle sehen ihm lange nach, bis er im Nebel verschwunden ist."
    (folder / "kranich.txt").write_text(german)
    library.add(str(folder))
    index()
    for query, wanted in {
        "to:grace": {"letter.eml"},
        "to:ada": set(),
        "from:ada -is:attachment": {"letter.eml"},
        "is:attachment": {"letter.eml!/drawing notes.txt"},
        "has:table": {"plan.md", "budget.csv"},
        'tag:budget tag:"q3 plan"': {"plan.md"},
        "lang:de": {"kranich.txt"},
        "hafen OR mill -lang:de": {"letter.eml!/drawing notes.txt"},
        "patterns to:grace": {"letter.eml"},
    }.items():
        assert set(found(library, query)) == wanted, query
