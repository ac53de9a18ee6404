"""One of the two worlds of the leak suite: a real library on disk, its server, and short ways to change it.

A world is copied from a template (`make_template`) that holds the cast: the person U whose eyes are tested, somebody
else, groups, and two sources that say themselves who may read what. Both worlds name what is the same by the same ids.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select, update
from starlette.testclient import TestClient

from bowerbird.core.records import SYSTEM, Access, Failure, Item
from bowerbird.core.settings import Settings
from bowerbird.index.vectors import VectorWriter
from bowerbird.index.writer import Writer
from bowerbird.library import Library
from bowerbird.library.ingest import Ingest
from bowerbird.sandbox import Sandbox
from bowerbird.serve.app import create_app
from bowerbird.sources.files import FilesSource
from bowerbird.store import groups, intake, jobs, moves, people, rules, scopes, sessions, sources
from bowerbird.store.identity_tables import attempts
from bowerbird.store.identity_tables import sessions as session_rows
from bowerbird.store.sources import SourceRow
from bowerbird.store.store import Store
from bowerbird.store.tables import sources as source_rows
from bowerbird.testing.encoder import HashEncoder

SOURCES = ("Office", "Attic")
GROUPS = ("staff", "board", "night")
FAR = 4_000_000_000.0
"""When sessions of the suite end: in 2096."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who is in every world: ids of U and of somebody else, and the secrets of U's session and token."""

    u: str
    other: str
    session: str
    token: str

    def principals(self) -> tuple[str, ...]:
        """Return whom scopes and rules may name: U, the other, the groups and everybody."""
        held = (f"group:local:{name}" for name in GROUPS)
        return (f"user:{self.u}", f"user:{self.other}", *held, "public")


@dataclass(frozen=True, slots=True)
class Thing:
    """An item as its source has it. `scope` is the folder or label whose readers may see it."""

    key: str
    scope: str
    content: bytes
    modified: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. `door` is how U comes: `session`, `token`, or `` for nobody."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: object = None
    door: str = "session"
    headers: tuple[tuple[str, str], ...] = ()

    def said(self) -> list[str]:
        """Return every text that the asker sent, as an answer may repeat it; a hint repeats a part in backticks."""
        values = [*self.path.split("/"), self.path, *(value for _, value in self.query), json.dumps(self.body)]
        words = [word.lstrip("-") for _, value in self.query for word in value.split()]
        values += [f"`{part}`" for word in words for part in (word, word.partition(":")[2]) if part]
        if isinstance(self.body, dict):
            values += [str(value) for value in self.body.values()]
        return sorted((value for value in values if value), key=len, reverse=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, headers (lower case) and body, with the world's own folder named alike in both."""

    status: int
    headers: dict[str, str]
    body: bytes


class LeakLibrary(Library):
    """A library whose encoder is the hashing one, and whose sandbox is lent by the suite."""

    lent: Sandbox | None = None

    def encoder(self) -> HashEncoder:
        """Return the hashing encoder."""
        return HashEncoder()

    def sandbox(self) -> Sandbox:
        """Return the sandbox that all worlds share, or one of its own."""
        return self.lent or super().sandbox()


def make_template(home: Path) -> Cast:
    """Make the library that both worlds begin as: people, groups, sources, and an empty index."""
    with LeakLibrary.open(home, Settings({})) as library:
        store = library.store
        with store.database.write() as connection:
            u, other = (people.add(connection, handle, "member").id for handle in ("uma", "vic"))
            for name in GROUPS:
                groups.make(connection, name)
        token = library.identity.make_token(u, "suite", ("read", "write"))[1]
        cast = Cast(u, other, "s" * 43, token)
        with store.database.write() as connection:
            for name in SOURCES:
                row = sources.add(connection, "files", f"/nowhere/{name}", name)
                _speaks(connection, row.id, cast)
        Writer(store, library.tables(), "hash", 64).open()
    return cast


def _speaks(connection: Connection, source_id: str, cast: Cast) -> None:
    """Let a source say itself who may read its folders, in our own words."""
    connection.execute(update(source_rows).where(source_rows.c.id == source_id).values(policy="source"))
    for principal in cast.principals():
        rules.set_mapping(connection, source_id, principal, principal)


def opened(home: Path) -> Store:
    """Return the open store of a data directory."""
    store = Store(home)
    store.open()
    return store


class World:
    """One library, its writers and a client of its server."""

    def __init__(self, home: Path, cast: Cast, sandbox: Sandbox | None = None) -> None:
        self.home = home
        self.root = home.parent / f"{home.name}-files"
        self.cast = cast
        self._sandbox = sandbox

    def open(self, template: Path) -> None:
        """Copy the template and open it."""
        shutil.copytree(template, self.home)
        self.library = LeakLibrary(self.home, Settings({}), opened(self.home))
        self.library.lent = self._sandbox
        self.store: Store = self.library.store
        tables = self.library.tables()
        self.writer = Writer(self.store, tables, "hash", 64)
        self.writer.open()
        self.vectors = VectorWriter(self.store, tables, self.writer, HashEncoder(), 64)
        self.vectors.open(1, lambda: None)
        opener = self.library._source_of
        self.ingest = Ingest(self.store, self.library.sandbox(), self.library.settings, opener)
        with self.store.database.write() as connection:
            for name in SOURCES:
                place = str(self.root / name)
                Path(place).mkdir(parents=True)
                connection.execute(update(source_rows).where(source_rows.c.name == name).values(location=place))
        self.app = create_app(self.library, token="the-server's-own", worker=False)  # noqa: S106
        self.client = TestClient(self.app, base_url="http://localhost", follow_redirects=False)
        self.client.__enter__()

    def close(self) -> None:
        """Close everything and remove what is on disk."""
        self.client.__exit__(None, None, None)
        self.vectors.close()
        self.library.close()
        for folder in (self.home, self.root):
            shutil.rmtree(folder, ignore_errors=True)

    def source(self, name: str) -> SourceRow:
        """Return a source by name."""
        with self.store.database.read() as connection:
            return sources.named(connection, name)

    # what there is

    def put(self, source: str, thing: Thing, item_id: str) -> None:
        """Enter an item under this id, or its new content, through the product's own ingest."""
        row, item = self.source(source), self._written(source, thing)
        with self.store.database.write() as connection, _named(item_id):
            intake.found(connection, row, [item], intake.BACKFILL)
            claim = intake.claims_of(connection, row.id, [thing.key])[thing.key]
        outcome = self.ingest.process(claim, thing.content)
        with self.store.database.write() as connection:
            intake.finish(connection, [outcome])

    def wait(self, source: str, thing: Thing, item_id: str) -> None:
        """Enter an item whose content is not read yet: it is pending."""
        row, item = self.source(source), self._written(source, thing)
        with self.store.database.write() as connection, _named(item_id):
            intake.found(connection, row, [item], intake.BACKFILL)

    def rename(self, source: str, item_id: str, before: Thing, after: Thing) -> None:
        """Give an item another key, name and scope; its content stays."""
        (self.root / source / before.key).unlink()
        item = self._written(source, after)
        with self.store.database.write() as connection:
            intake.renamed(connection, item_id, item)

    def _written(self, source: str, thing: Thing) -> Item:
        """Write the file of an item, and return what its source reports of it."""
        file = self.root / source / thing.key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(thing.content)
        seconds = thing.modified.timestamp()
        os.utime(file, (seconds, seconds))
        files = FilesSource(str(self.root / source), self.library.settings)
        (found,) = (one for one in files.peek([thing.key]) if isinstance(one, Item))
        return replace(found, scope=thing.scope)

    def move(self, source: str, after: Thing) -> None:
        """Put an item into another scope, under its key."""
        row = self.source(source)
        with self.store.database.write() as connection:
            moves.moved(connection, row.id, [Item(after.key, "", "", "", scope=after.scope)], ())

    def delete(self, item_ids: Iterable[str]) -> None:
        """Forget items."""
        with self.store.database.write() as connection:
            intake.removed(connection, item_ids)

    def add_source(self, name: str, error: str) -> None:
        """Add a source that nobody but its owner may read, with a failure in its last sync."""
        place = self.root / name
        place.mkdir(parents=True, exist_ok=True)
        with self.store.database.write() as connection:
            row = sources.add(connection, "files", str(place), name)
            sources.synced(connection, row.id, "", error)
            sources.set_failures(connection, row.id, [Failure(error, "source-unreadable", error)], replace=True)

    def remove_source(self, name: str) -> None:
        """Forget a source and its items."""
        self.library.remove_source(name)

    def enqueue(self, source: str) -> str:
        """Ask for a job that nothing runs; returns its id."""
        with self.store.database.write() as connection:
            return jobs.enqueue(connection, "sync", sources.named(connection, source).id).id

    # who may see it

    def say(self, source: str, scope: str, allow: Sequence[str], deny: Sequence[str]) -> None:
        """Let a source say who may read one of its folders."""
        row = self.source(source)
        with self.store.database.write() as connection:
            scopes.states(connection, row.id, [Access(scope, tuple(allow), tuple(deny))])

    def rule(self, source: str, prefix: str, principal: str, effect: str) -> str:
        """Make a rule of an admin; returns its id."""
        row = self.source(source)
        with self.store.database.write() as connection:
            return rules.add(connection, row.id, prefix, principal, effect).rule.id

    def unrule(self, rule: str) -> None:
        """Undo a rule."""
        with self.store.database.write() as connection:
            rules.remove(connection, rule)

    def member(self, group: str, member: str, inside: bool) -> None:
        """Put somebody into a group, or take them out."""
        with self.store.database.write() as connection:
            groups.make(connection, group)
            change = groups.add_member if inside else groups.remove_member
            change(connection, f"group:local:{group}", member)

    def role(self, role: str, state: str) -> None:
        """Give U a role and a state."""
        with self.store.database.write() as connection:
            people.set_role(connection, self.cast.u, role)
            people.set_state(connection, self.cast.u, state)

    # the index

    def level(self, vectors: bool, tidy: bool = False) -> None:
        """Bring words, and perhaps vectors, up to the log; `tidy` puts new rows into their indexes."""
        while sum(self.writer.apply(one) for one in self.writer.living()):
            pass
        if vectors:
            while sum(self.vectors.apply(one, lambda: False) for one in self.writer.living()):
                pass
        for generation in self.writer.living() if tidy else ():
            self.writer.tidy(generation, idle=True)
            self.vectors.tidy(generation, idle=True)

    def compact(self) -> None:
        """Rewrite the tables without what was deleted."""
        self.writer.compact(timedelta(0))

    def swap(self) -> None:
        """Build a new generation and serve it."""
        self.level(vectors=True)
        if self.writer.begin_rebuild():
            self.level(vectors=True)
            self.writer.end_rebuild()

    # what is asked

    def ask(self, asked: Asked) -> Answer:
        """Send a request as U (or nobody) and return the answer."""
        headers = {"sec-fetch-site": "same-origin", **dict(asked.headers)}
        if asked.door == "session":
            self._let_in()
            headers["cookie"] = f"bowerbird-80={self.cast.session}"
        elif asked.door == "token":
            headers["authorization"] = f"Bearer {self.cast.token}"
        self.client.cookies.clear()
        found = self.client.request(
            asked.method, asked.path, params=list(asked.query), headers=headers, json=asked.body
        )
        own = {name.lower(): value.replace(str(self.root), "ROOT") for name, value in found.headers.items()}
        return Answer(found.status_code, own, self.alike(found.content))

    def alike(self, data: bytes) -> bytes:
        """Name the world's own folders as in the other world."""
        return data.replace(str(self.root).encode(), b"ROOT").replace(str(self.home).encode(), b"HOME")

    def others_search(self, text: str) -> None:
        """Let somebody search who may see all, so that whatever is kept of it is kept."""
        self.library.search(text, SYSTEM, limit=20)

    def _let_in(self) -> None:
        """Make sure that U's session is there, and that no earlier failed sign-in counts."""
        digest = sessions.digest(self.cast.session)
        with self.store.database.read() as connection:
            there = connection.execute(select(session_rows.c.hash).where(session_rows.c.hash == digest)).scalar()
            tried = connection.execute(select(attempts.c.key).limit(1)).scalar()
        if there is None:
            values = {"hash": digest, "person_id": self.cast.u, "created": 0.0, "seen": FAR, "ends": FAR}
            with self.store.database.write() as connection:
                connection.execute(insert(session_rows).values(**values))
        if tried is not None:
            with self.store.database.write() as connection:
                connection.execute(delete(attempts))


@contextmanager
def _named(item_id: str) -> Iterator[None]:
    """Let the item that is entered in this block have this id: what both worlds hold must be named alike."""
    before = vars(intake)["new_id"]
    vars(intake)["new_id"] = lambda: item_id
    try:
        yield
    finally:
        vars(intake)["new_id"] = before
