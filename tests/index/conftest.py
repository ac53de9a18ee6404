"""A library's store and index on disk, with a writer, vectors and readers, and short ways to change items."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import lance
import pytest

from bowerbird.core.ids import content_hash
from bowerbird.core.records import OWNER, Block, Document, Filters, Item, Principal, to_json
from bowerbird.index.keeper import IndexKeeper
from bowerbird.index.reader import Reader
from bowerbird.index.reading import WordQuery
from bowerbird.index.schema import VECTORS, WORDS
from bowerbird.index.tables import Tables
from bowerbird.index.vectors import VectorWriter
from bowerbird.index.writer import Writer
from bowerbird.store import intake, outbox, sources
from bowerbird.store.intake import Extracted, Outcome
from bowerbird.store.store import Store
from bowerbird.testing.encoder import HashEncoder

TARGET = 60
ANY = Filters()


class CountingEncoder(HashEncoder):
    """The hashing encoder, which also remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def passages(self, texts: Sequence[str]) -> Any:
        self.asked.extend(texts)
        return super().passages(texts)


class Shelf:
    """One library: SQL and Lance on disk. `level` brings words and vectors up to the log."""

    def __init__(self, home: Path, encoder: str = "hash", target: int = TARGET) -> None:
        self.store = Store(home)
        self.store.open()
        self.encoder = CountingEncoder()
        self.names = (encoder, target)
        self.vectors: VectorWriter | None = None
        self.restart()
        with self.store.database.write() as connection:
            self.source = sources.add(connection, "files", "/there", "papers")

    def restart(self, encoder: str | None = None, target: int | None = None) -> None:
        """Be another process: nothing is kept but what is on disk."""
        if self.vectors is not None:
            self.vectors.close()
        self.names = (encoder or self.names[0], target or self.names[1])
        self.tables = Tables(self.store.home / "index")
        self.writer = Writer(self.store, self.tables, *self.names)
        self.writer.open()
        self.vectors = VectorWriter(self.store, self.tables, self.writer, self.encoder, self.names[1])
        self.vectors.open(2, lambda: None)
        self.keeper = IndexKeeper(self.store, self.tables, self.writer)

    def close(self) -> None:
        assert self.vectors is not None
        self.vectors.close()
        self.store.close()

    def add(self, key: str, *blocks: str | Block, version: str = "", **changes: Any) -> str:
        """Enter an item, or its new content, as sync and ingest do; returns its id. It is not in the index yet."""
        title, people = changes.pop("title", ""), changes.pop("people", ())
        source = changes.pop("source", self.source)
        made = Document(title, tuple(one if isinstance(one, Block) else Block(one) for one in blocks), "test 1")
        data = to_json(made)
        digest = content_hash(data)
        item = Item(key, key.rpartition("/")[2], f"file:///there/{key}", version or digest, size=1)
        item = replace(item, **{"modified": datetime(2026, 3, 18, 12, tzinfo=UTC), **changes})
        row = {"content_hash": digest, "ending": "", "parser": "test 1", "name": item.name}
        with self.store.database.write() as connection:
            document = intake.add_document(connection, intake.NewDocument(**row, blob=self.store.blobs.put(data)))
            intake.found(connection, source, [item], intake.BACKFILL)
            claim = intake.claims_of(connection, source.id, [key])[key]
            extracted = Extracted(document, title, people=people)
            intake.finish(connection, [Outcome(claim, "indexed", digest, "test 1", extracted)])
        return claim.id

    def remove(self, *item_ids: str) -> None:
        with self.store.database.write() as connection:
            intake.removed(connection, item_ids)

    def words_level(self) -> None:
        while sum(self.writer.apply(one) for one in self.writer.living()):
            pass

    def level(self) -> None:
        assert self.vectors is not None
        self.words_level()
        while sum(self.vectors.apply(one, lambda: False) for one in self.writer.living()):
            pass

    def tidy(self) -> None:
        """Index new rows and merge, as an idle worker does."""
        assert self.vectors is not None
        for _ in range(2):
            for generation in self.writer.living():
                self.writer.tidy(generation, idle=True)
                self.vectors.tidy(generation, idle=True)

    def reader(self, principal: Principal = OWNER) -> Reader:
        return Reader(self.store, self.tables, principal)

    def find(self, words: str = "", *phrases: str, prefix: bool = False, filters: Filters = ANY) -> list[str]:
        """The ids of the items that words find, best first."""
        found = self.reader().words(WordQuery(words, phrases, prefix), filters, 1000)
        return list(dict.fromkeys(one.item for one in found))

    def mean(self, text: str, filters: Filters = ANY, limit: int = 1000) -> list[str]:
        """The ids of the items that meaning finds, best first."""
        found = self.reader().meaning(self.encoder.query(text), filters, limit)
        return list(dict.fromkeys(one.item for one in found))

    def rows(self, name: str = WORDS) -> list[str]:
        """The passage ids of the served table at the version that SQL records, sorted."""
        served = self.writer.served()
        version = served.words_version if name == WORDS else served.vectors_version
        table = self.tables.at(served.folder, name, version)
        return sorted(table.to_table(columns=["id"]).column("id").to_pylist())

    def terms(self) -> dict[str, int]:
        """How many passages hold each word, as the completion knows it."""
        from sqlalchemy import select

        from bowerbird.store.tables import terms

        with self.store.database.read() as connection:
            return dict(connection.execute(select(terms.c.term, terms.c.passages)).all())

    def dataset(self, name: str = WORDS) -> Any:
        """The Lance table itself, past everything of ours, to plant faults."""
        return lance.dataset(str(self.store.home / "index" / self.writer.served().folder / f"{name}.lance"))

    def planted(self) -> None:
        """Let SQL know the versions that planted faults made."""
        versions = {f"{name}_version": self.dataset(name).latest_version for name in (WORDS, VECTORS)}
        with self.store.database.write() as connection:
            outbox.change_generation(connection, self.writer.served().id, versions)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path / "home")
    yield made
    made.close()


@pytest.fixture
def new_shelf(tmp_path: Path) -> Iterator[Any]:
    """`new_shelf()`: another library, for tests that need a fresh one for each example."""
    with contextlib.ExitStack() as stack:
        count = iter(range(10_000))

        def make() -> Shelf:
            made = Shelf(tmp_path / f"home-{next(count)}")
            stack.callback(made.close)
            return made

        yield make
