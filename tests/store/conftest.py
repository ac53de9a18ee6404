"""A store on disk with one source, and short ways to enter and finish items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bowerbird.core.ids import content_hash
from bowerbird.core.records import Block, Document, Item, Person, to_json
from bowerbird.store import catalog, intake, sources
from bowerbird.store.intake import Claim, Extracted, Outcome
from bowerbird.store.items import StoredItem
from bowerbird.store.sources import SourceRow
from bowerbird.store.store import Store

DAY = datetime(2026, 3, 18, 12, tzinfo=UTC)


class Shelf:
    """What a sync and an ingest do to the rows, without files or parsers."""

    parser = "test 1"

    def __init__(self, store: Store, source: SourceRow) -> None:
        self.store = store
        self.source = source

    def other(self, name: str) -> Shelf:
        """Another source of the same library."""
        with self.store.database.write() as connection:
            return Shelf(self.store, sources.add(connection, "files", f"/there/{name}", name))

    def item(self, key: str, version: str = "1", **changes: object) -> Item:
        made = Item(key, key.rpartition("/")[2], f"file:///there/{key}", version, size=3, modified=DAY)
        return replace(made, **changes)

    def found(self, *reported: Item, priority: int = intake.BACKFILL) -> None:
        with self.store.database.write() as connection:
            intake.found(connection, self.source, reported, priority)

    def waiting(self, limit: int = 100) -> list[Claim]:
        with self.store.database.read() as connection:
            return intake.waiting(connection, limit)

    def claim(self, key: str) -> Claim:
        with self.store.database.read() as connection:
            return intake.claims_of(connection, self.source.id, [key])[key]

    def document(self, text: str, ending: str = ".txt", title: str = "") -> int:
        """Keep a document as ingest does, and return its id."""
        blob = self.store.blobs.put(to_json(Document(title, (Block(text),), self.parser)))
        digest = content_hash(text.encode())
        values = {"content_hash": digest, "ending": ending, "parser": self.parser, "name": "x", "blob": blob}
        with self.store.database.write() as connection:
            return intake.add_document(connection, intake.NewDocument(**values))

    def finish(self, claim: Claim, text: str = "text", people: tuple[Person, ...] = (), title: str = "") -> int:
        extracted = Extracted(self.document(text), title, people=people)
        digest = content_hash(text.encode())
        with self.store.database.write() as connection:
            return intake.finish(connection, [Outcome(claim, "indexed", digest, self.parser, extracted)])

    def refuse(self, claim: Claim, code: str = "extraction-failed") -> int:
        outcome = Outcome(claim, "quarantined", "aa", self.parser, Extracted(None, ""), code, "It is broken.")
        with self.store.database.write() as connection:
            return intake.finish(connection, [outcome])

    def add(self, key: str, text: str = "text", version: str = "1", **changes: object) -> str:
        """Enter an item, or a new version of it, with its text; returns its id."""
        people = changes.pop("people", ())
        title = changes.pop("title", "")
        self.found(self.item(key, version, **changes))
        claim = self.claim(key)
        self.finish(claim, text, people, title)
        return claim.id

    def get(self, key: str) -> StoredItem:
        with self.store.database.read() as connection:
            found = catalog.keyed(connection, self.source.id, key)
        assert found is not None
        return found

    def entries(self) -> list[tuple[str, str, bool]]:
        """The whole log: (item, operation, replaces)."""
        from bowerbird.store import outbox

        with self.store.database.read() as connection:
            return [(one.item, one.operation, one.replaces) for one in outbox.after(connection, 0, 1000)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "home")
    made.open()
    yield made
    made.close()


@pytest.fixture
def shelf(store: Store) -> Shelf:
    with store.database.write() as connection:
        return Shelf(store, sources.add(connection, "files", "/there", "papers"))
