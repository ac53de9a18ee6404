"""What a source says about scopes on its way into the store: narrower at once, wider only when all was looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from bowerbird.core.records import Access, Checkpoint, Failure, Item, Principal
from bowerbird.core.settings import Settings
from bowerbird.sources.base import Source
from bowerbird.sources.files import FilesSource
from bowerbird.sources.sync import Sync
from bowerbird.store import access, intake, rules, sources
from bowerbird.store.identity_tables import people
from bowerbird.store.store import Store
from bowerbird.store.tables import items

ANN = Principal("user:ann")


class Said(Source):
    """A source that says what it is told to; `whole` tells whether a pull says all there is."""

    kind = "said"

    def __init__(self) -> None:
        super().__init__("said://", Settings({}))
        self.records: list[Any] = []
        self.whole = True

    @property
    def says_access(self) -> bool:
        return True

    def pull(self, checkpoint: Checkpoint) -> Iterator[Any]:
        del checkpoint
        yield from self.records
        yield Checkpoint(complete=self.whole)


class World:
    """A store with one source whose policy is `source`; the source's `public` are the members, of whom ann is one."""

    def __init__(self, home: Path, source: Source) -> None:
        self.store = Store(home)
        self.store.open()
        self.source = source
        source.scoped = True
        with self.store.database.write() as connection:
            values = {"id": "ann", "handle": "ann", "role": "member", "pseudonym": "p", "created": 0.0}
            connection.execute(insert(people).values(**values))
            made = sources.add(connection, source.kind, source.location, "s")
            sources.set_policy(connection, made.id, "source")
            rules.set_mapping(connection, made.id, "public", "group:role:member")
            self.row = sources.get(connection, made.id)

    def sync(self) -> Sync:
        return Sync(self.store, self.row, self.source, lambda *_: None, threading.Event())

    def pull(self) -> None:
        self.sync().pull(intake.ASKED, lambda _: None)

    def peek(self, *keys: str) -> None:
        self.sync().peek(keys, self.source.peek(keys), intake.WATCHED)  # type: ignore[attr-defined]

    def seen(self) -> set[str]:
        """What ann may read."""
        with self.store.database.read() as connection:
            mine = access.visible_scopes(connection, ANN)
            return {row.key for row in connection.execute(select(items.c.key, items.c.acl_id)) if row.acl_id in mine}


@pytest.fixture
def world_of(tmp_path: Path) -> Iterator[Callable[[Source], World]]:
    made: list[World] = []

    def make(source: Source) -> World:
        made.append(World(tmp_path / f"home-{len(made)}", source))
        return made[-1]

    yield make
    for world in made:
        world.store.close()


def item(key: str, scope: str) -> Item:
    return Item(key, key, f"said://{key}", "1", scope=scope)


def test_a_channel_gets_a_member_without_its_messages_being_said_again(world_of) -> None:
    source = Said()
    world = world_of(source)
    source.records = [Access("chan", ("user:x",)), item("1", "chan"), item("2", "chan")]
    world.pull()
    assert world.seen() == set()
    source.records, source.whole = [Access("chan", ("user:x", "public"))], False
    world.pull()
    assert world.seen() == {"1", "2"}
    source.records = [Access("chan", ("public",), ("public",))]
    world.pull()
    assert world.seen() == set()


def test_a_scope_widens_after_the_exceptions_have_left_it(world_of) -> None:
    source = Said()
    world = world_of(source)
    source.records = [Access("chan", ()), item("1", "chan"), item("2", "chan")]
    world.pull()
    seen: list[set[str]] = []

    def telling() -> Iterator[Any]:
        yield Access("chan", ("public",))
        yield from (item(f"new{number}", "chan") for number in range(600))  # more than is entered at once
        seen.append(world.seen())
        yield Access("2", ())
        yield item("1", "chan")
        yield item("2", "2")
        yield Checkpoint(complete=True)

    source.pull = lambda _: telling()  # type: ignore[method-assign]
    world.pull()
    assert seen == [set()], "the second might still be an exception"
    assert world.seen() == {"1", *(f"new{number}" for number in range(600))}


def test_what_the_source_cannot_look_into_is_nobodys_until_it_can(world_of) -> None:
    source = Said()
    world = world_of(source)
    said = [Access("a", ("public",)), item("a/1", "a"), Access("b", ("public",)), item("b/1", "b")]
    source.records = said
    world.pull()
    source.records = [*said[:2], Failure("b", "source-unreadable", "It is away.", prefix=True)]
    world.pull()
    assert world.seen() == {"a/1"}
    source.records = said
    world.pull()
    assert world.seen() == {"a/1", "b/1"}


def test_an_item_that_came_without_a_word_on_its_scope_is_nobodys(world_of) -> None:
    source = Said()
    world = world_of(source)
    source.records = [item("1", "chan")]
    world.pull()
    assert world.seen() == set()


FOLDERS, FILES = ("", "a", "a/b"), ("x", "a/x", "a/y", "a/b/x")
STEP = st.one_of(
    st.tuples(st.just("folder"), st.sampled_from(FOLDERS), st.booleans()),
    st.tuples(st.just("file"), st.sampled_from(FILES), st.booleans()),
    st.tuples(st.just("write"), st.sampled_from(FILES)),
    st.tuples(st.just("peek"), st.sampled_from((*FILES, *FOLDERS))),
    st.tuples(st.just("rule"), st.sampled_from(("a", "a/b", "a/x"))),
    st.tuples(st.just("unrule")),
    st.tuples(st.just("pull")),
)


class Tree:
    """A real tree, what is open in it to others, and a model of what ann may know: what was open at the last look."""

    def __init__(self, root: Path, world_of: Callable[[Source], World], closed: set[str]) -> None:
        self.root = root
        (root / "a" / "b").mkdir(parents=True)
        for folder in FOLDERS:
            self.folder(folder, folder not in closed)
        for file in FILES:
            (root / file).write_text("x")
            self.file(file, file not in closed)
        self.world = world_of(FilesSource(str(root), Settings({})))
        self.closed: list[tuple[str, str]] = []
        self.last: dict[str, bool] = {}
        self.pull()

    def folder(self, key: str, is_open: bool) -> None:
        (self.root / key).chmod(0o755 if is_open else 0o700)

    def file(self, key: str, is_open: bool) -> None:
        (self.root / key).chmod(0o644 if is_open else 0o600)

    def write(self, key: str) -> None:
        with (self.root / key).open("a") as file:
            file.write("x")

    def rule(self, prefix: str) -> None:
        if prefix not in [one for _, one in self.closed]:
            with self.world.store.database.write() as connection:
                made = rules.add(connection, self.world.row.id, prefix, "user:owner", "only")
            self.closed.append((made.rule.id, prefix))

    def unrule(self) -> None:
        if self.closed:
            with self.world.store.database.write() as connection:
                rules.remove(connection, self.closed.pop()[0])

    def peek(self, key: str) -> None:
        self.world.peek(key)
        self.last |= {file: self.is_open(file) for file in FILES if below(file, key)}

    def pull(self) -> None:
        self.world.pull()
        self.last = {file: self.is_open(file) for file in FILES}
        assert self.world.seen() == self.known()

    def is_open(self, file: str) -> bool:
        above = ["", *("/".join(file.split("/")[:at]) for at in range(1, file.count("/") + 1))]
        through = all((self.root / folder).stat().st_mode & 1 for folder in above)
        return through and bool((self.root / file).stat().st_mode & 4)

    def known(self) -> set[str]:
        ruled = {file for file in FILES if any(below(file, prefix) for _, prefix in self.closed)}
        return {file for file in FILES if self.last[file]} - ruled


def below(file: str, key: str) -> bool:
    return not key or file == key or file.startswith(f"{key}/")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sets(st.sampled_from((*FOLDERS[1:], *FILES))), st.lists(STEP, max_size=12))
@example({"a", "a/x"}, [("folder", "a", True), ("peek", "a/y")])
def test_nobody_sees_more_than_when_it_was_last_looked_at(world_of, tmp_path: Path, closed, steps) -> None:
    """Ann sees a file only if it was open to others at its last look; after a pull exactly what is open now."""
    tree = Tree(tmp_path / f"tree-{len(list(tmp_path.iterdir()))}", world_of, closed)
    for name, *values in steps:
        getattr(tree, name)(*values)
        assert tree.world.seen() <= tree.known()
    tree.pull()
