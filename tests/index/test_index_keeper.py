"""The index looked after: planted faults are found and mended, and what is purged leaves no bytes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from lance.file import LanceFileReader

from bowerbird.core.records import Block
from bowerbird.index.schema import VECTORS, WORDS
from bowerbird.store import keeping

MARKER = "quaggafontein7731"


@pytest.fixture
def full(shelf: Any) -> Any:
    """A library of four items whose words and vectors are level; their ids are in `ids`."""
    shelf.ids = [shelf.add(f"{number}.txt", f"text {number}") for number in range(4)]
    shelf.level()
    return shelf


def problems(shelf: Any) -> dict[str, set[str]]:
    """What the check says of each item, by table."""
    found: dict[str, set[str]] = {}
    for finding in shelf.keeper.verify():
        assert finding.keeper == "index" and finding.repairable
        found.setdefault(finding.subject, set()).add(finding.problem)
    return found


def mended(shelf: Any) -> None:
    shelf.keeper.repair(list(shelf.keeper.verify()))
    shelf.level()
    assert problems(shelf) == {}


def copied(shelf: Any, name: str, copy_of: str, **changes: Any) -> None:
    """Write the rows of an item once more, with changes, behind the writer's back."""
    rows = shelf.dataset(name).to_table(filter=f"item = '{copy_of}'").to_pylist()
    shelf.tables.add(
        shelf.writer.served().folder, name,
        pa.Table.from_pylist([{**row, **changes} for row in rows], schema=shelf.dataset(name).schema),
    )  # fmt: skip
    shelf.planted()


def test_a_sound_index_has_no_findings(full: Any) -> None:
    assert problems(full) == {}
    full.tidy()
    assert problems(full) == {}


@pytest.mark.parametrize("name", [WORDS, VECTORS])
def test_a_missing_item_is_found_and_mended(full: Any, name: str) -> None:
    full.dataset(name).delete(f"item = '{full.ids[1]}'")
    full.planted()
    assert problems(full) == {full.ids[1]: {f"the {name} table lacks it"}}
    mended(full)
    assert full.find("text") and set(full.find("text")) == set(full.mean("text")) == set(full.ids)


@pytest.mark.parametrize("name", [WORDS, VECTORS])
def test_a_stale_item_is_found_and_mended(full: Any, name: str) -> None:
    item = full.ids[2]
    copied(full, name, item, id=f"{item}.7.0")
    assert problems(full) == {item: {f"the {name} table holds versions [1, 7], not 1"}}
    mended(full)
    assert full.rows(name).count(f"{item}.7.0") == 0


@pytest.mark.parametrize("name", [WORDS, VECTORS])
def test_a_doubled_passage_is_found_and_mended(full: Any, name: str) -> None:
    copied(full, name, full.ids[3])
    assert problems(full) == {full.ids[3]: {f"the {name} table holds a passage twice"}}
    mended(full)
    assert full.rows(name).count(f"{full.ids[3]}.1.0") == 1


@pytest.mark.parametrize("name", [WORDS, VECTORS])
def test_what_is_left_over_is_found_and_mended(full: Any, name: str) -> None:
    copied(full, name, full.ids[0], id="0000000000000.1.0", item="0000000000000")
    assert problems(full) == {"0000000000000": {f"the {name} table holds a deleted item"}}
    mended(full)


def test_what_is_on_its_way_is_no_fault(full: Any) -> None:
    full.add("0.txt", "changed")
    full.remove(full.ids[1])
    full.add("new.txt", "new")
    assert problems(full) == {}
    full.words_level()
    assert problems(full) == {}


def test_only_findings_of_the_index_are_its_to_mend(full: Any) -> None:
    full.store.blobs.put(b"stray")
    findings = list(full.store.keeper.verify())
    assert findings and full.keeper.repair(findings) == 0


def traces(home: Path, text: str) -> list[str]:
    """The files that hold a text: as they are, or as Lance decodes them."""
    found = []
    for path in sorted(home.rglob("*")):
        if not path.is_file():
            continue
        held = text.encode() in path.read_bytes() or text.encode()[::-1] in path.read_bytes()
        if path.suffix == ".lance" and not held:
            held = text in str(LanceFileReader(str(path)).read_all().to_table().to_pylist())
        if held:
            found.append(str(path.relative_to(home)))
    return found


def purged(shelf: Any) -> None:
    """What `bowerbird purge` does."""
    shelf.keeper.purge(())
    shelf.store.keeper.purge(())


@pytest.mark.parametrize("indexed", [True, False])
def test_a_purge_leaves_no_byte_of_a_deleted_item(shelf: Any, indexed: bool) -> None:
    kept = [shelf.add(f"kept {number}.txt", f"words of number {number}") for number in range(40)]
    gone = shelf.add(f"{MARKER}/{MARKER}.txt", Block(MARKER, "heading", 1), f"{MARKER} words " * 90, title=MARKER)
    shelf.level()
    if indexed:
        shelf.tidy()
    with shelf.store.database.write() as connection:
        keeping.cache_render(
            connection, shelf.reader().items([gone])[gone].content_hash, 1, 9, shelf.store.blobs.put(b"page")
        )
    blobs = set(shelf.store.blobs.names())
    assert traces(shelf.store.home, MARKER)
    shelf.remove(gone)
    shelf.level()
    assert traces(shelf.store.home, MARKER), "a deletion alone does not clean: the test would prove nothing"
    purged(shelf)
    assert traces(shelf.store.home, MARKER) == []
    assert len(blobs - set(shelf.store.blobs.names())) == 3, "its document, its vectors and its page"
    assert MARKER not in shelf.terms() and shelf.terms()["words"] == 40
    assert set(shelf.find("words")) == set(shelf.mean("words")) == set(kept)
    assert problems(shelf) == {} and list(shelf.store.keeper.verify()) == []


def test_a_purge_leaves_no_byte_of_an_old_content(shelf: Any) -> None:
    item = shelf.add("a.txt", f"{MARKER} words")
    shelf.level()
    shelf.tidy()
    shelf.add("a.txt", "other words")
    shelf.level()
    purged(shelf)
    assert traces(shelf.store.home, MARKER) == []
    assert shelf.find("other") == shelf.mean("other") == [item]


def test_a_purge_also_cleans_a_generation_that_is_being_built(shelf: Any) -> None:
    gone, kept = shelf.add("gone.txt", f"{MARKER} words"), shelf.add("kept.txt", "words")
    shelf.level()
    shelf.restart(target=30)
    assert shelf.writer.begin_rebuild()
    shelf.level()
    shelf.remove(gone)
    shelf.level()
    purged(shelf)
    assert traces(shelf.store.home, MARKER) == []
    shelf.writer.end_rebuild()
    assert shelf.find("words") == shelf.mean("words") == [kept]


def test_a_purge_of_nothing_changes_nothing_and_may_be_repeated(full: Any) -> None:
    for _ in range(2):
        purged(full)
        assert set(full.find("text")) == set(full.mean("text")) == set(full.ids)


def test_a_purge_of_everything_leaves_an_index_that_works(full: Any) -> None:
    full.remove(*full.ids)
    full.level()
    purged(full)
    assert full.find("text") == full.mean("text") == [] and full.terms() == {}
    assert list(full.store.blobs.names()) == []
    item = full.add("new.txt", "text")
    full.level()
    full.tidy()
    full.writer.compact(timedelta(0))
    assert full.find("text") == full.mean("text") == [item]
