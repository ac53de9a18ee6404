"""Names in memory: the slow, obvious way judges them, whatever changes between two looks."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from bowerbird.core.records import Item, Person
from bowerbird.index import names as names_module
from bowerbird.index.name_words import (
    folder_words,
    folders_of,
    people_of,
    person_words,
    plain,
    tag_words,
    tags_of,
    typed_words,
    words_of,
)  # fmt: skip
from bowerbird.index.names import Names
from bowerbird.store import intake, naming, sources
from bowerbird.store.naming import NamedRow
from bowerbird.store.sources import SourceRow
from bowerbird.store.store import Store
from bowerbird.store.tables import items

DAY = datetime(2026, 3, 18, 12, tzinfo=UTC)
WORDS = ("plan", "Planet", "travel", "Travelogue", "budget", "q3", "2026", "Résumé", "年度报告", "ProjectPlan")
PEOPLE = (
    Person("Ada King", "ada@example.org"),
    Person("Adam Low", "adam.low@example.org"),
    Person("", "zoe@example.org"),
)
FOLDERS = ("", "hr/", "hr/plans/", "sales/2026/", "box.zip!/inner/")


class Desk:
    """A library's store, with short ways to change items in scopes 1 to 4."""

    def __init__(self, store: Store, source: SourceRow, dice: random.Random) -> None:
        self.store, self.source, self.dice = store, source, dice
        self.keys: list[str] = []

    def add(self, connection: Connection, count: int) -> None:
        made = []
        for _ in range(count):
            name = f"{'-'.join(self.dice.choices(WORDS, k=self.dice.randint(1, 3)))} {len(self.keys)}.txt"
            key = self.dice.choice(FOLDERS) + name
            self.keys.append(key)
            people = tuple(self.dice.sample(PEOPLE, self.dice.randint(0, 2)))
            dated = None if self.dice.random() < 0.1 else DAY - timedelta(days=self.dice.randint(0, 20))
            made.append(Item(key, name, f"file:///{key}", "1", size=1, modified=dated, people=people))
        intake.found(connection, self.source, made, intake.BACKFILL)
        for item in made:
            self.put(connection, item.key)

    def put(self, connection: Connection, key: str) -> None:
        """Move an item to a scope."""
        scope = self.dice.choice((1, 1, 2, 3))
        connection.execute(update(items).where(items.c.key == key).values(acl_id=scope))

    def change(self, connection: Connection) -> None:
        how = self.dice.choice(("add", "add", "move", "rename", "retitle", "date", "tag", "delete"))
        if how == "add" or not self.keys:
            return self.add(connection, self.dice.choice((1, 3, 40)))
        key = self.dice.choice(self.keys)
        mine = update(items).where(items.c.key == key)
        if how == "move":
            self.put(connection, key)
        elif how == "rename":
            connection.execute(mine.values(name=f"{self.dice.choice(WORDS)}.md"))
        elif how == "retitle":
            connection.execute(mine.values(title=self.dice.choice(WORDS)))
        elif how == "tag":
            connection.execute(mine.values(labels=self.dice.choice(("\ntag:q3 plan\n", "\nlang:en\ntag:budget\n", ""))))
        elif how == "date":
            connection.execute(mine.values(modified=(DAY + timedelta(days=self.dice.randint(0, 9))).timestamp()))
        else:
            self.keys.remove(key)
            found = intake.known(connection, self.source.id)[key]
            intake.removed(connection, [found.id])
        return None


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    store = Store(tmp_path / "home")
    store.open()
    with store.database.write() as connection:
        source = sources.add(connection, "files", "/there", "papers")
        for number in range(2, 5):
            sources.add(connection, "files", f"/there/{number}", f"scope {number}")
    return Desk(store, source, random.Random(7))


def rows(connection: Connection, scopes: frozenset[int]) -> list[NamedRow]:
    return [row for row in (NamedRow(*one) for one in naming.every_row(connection)) if row.acl_id in scopes]


def slow_items(held: Sequence[NamedRow], typed: Sequence[str], most: int) -> list[str]:
    def rank(row: NamedRow) -> int | None:
        words = words_of(row.name, row.title)
        if not all(any(word.startswith(start) for word in words) for start in typed):
            return None
        begins = any(word.startswith(typed[0]) and first for word, first in words.items())
        if len(typed) == 1:  # of one item, the better of its words counts
            found = [(not first) * 2 + (word != typed[0]) for word, first in words.items() if word.startswith(typed[0])]
            return min(found)
        return (not begins) * 2 + (typed[-1] not in words)

    ranked = [(found, row) for row in held if (found := rank(row)) is not None]
    order = sorted(ranked, key=lambda one: (one[0], -(one[1].modified or float("-inf")), one[1].id))
    return [row.id for _, row in order[:most]]


def slow_labels(
    held: Sequence[NamedRow], starts: Sequence[str], of: Callable[[NamedRow], Sequence[str]],
    words: Callable[[str], list[str]],
) -> list[tuple[str, int]]:  # fmt: skip
    every = Counter(label for row in held for label in of(row))
    fitting = [
        (label, count) for label, count in every.items()
        if all(any(word.startswith(start) for word in words(label)) for start in starts)
    ]  # fmt: skip
    return sorted(fitting, key=lambda one: (-one[1], one[0]))


def check(desk: Desk, names: Names, scopes: frozenset[int]) -> None:
    with desk.store.database.read() as connection:
        look = names.look(connection, scopes)
        held = rows(connection, scopes)
    assert look is not None
    for typed in ("p", "pl", "plan", "trav pl", "plan 2", "20", "resum", "报告", "md", "q3 budget", "zzz", "plan plan"):
        for most in (1, 5, 100):
            assert look.items(typed_words(typed), most) == slow_items(held, typed_words(typed), most), (typed, most)
    for starts in ([], ["a"], ["ada"], ["zoe@"], ["low"], ["low", "ad"], ["nobody"]):
        people = slow_labels(held, starts, lambda row: people_of(row.people), person_words)
        for most in (1, 2, 50):
            assert look.people(starts, most) == people[:most]
    for starts in ([], ["h"], ["hr/pl"], ["2026"], ["inner"]):
        folders = slow_labels(held, starts, lambda row: folders_of(row.key), folder_words)
        for most in (1, 50):
            assert look.folders(starts, most) == folders[:most]
    for starts in ([], ["bud"], ["pl"]):
        assert look.tags(starts, 9) == slow_labels(held, starts, lambda row: tags_of(row.labels), tag_words)


@pytest.mark.parametrize("seed", range(4))
def test_the_slow_way_says_the_same(desk: Desk, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names_module, "_KEPT_FROM", 8)
    monkeypatch.setattr(names_module, "_SMALLEST", 4)
    monkeypatch.setattr(names_module, "_FEW", 9)
    desk.dice = random.Random(seed)
    names = Names()
    for scopes in (frozenset({1}), frozenset({2, 3}), frozenset({1, 2, 3, 4}), frozenset()) * 4:
        with desk.store.database.write() as connection:
            for _ in range(desk.dice.randint(0, 12)):
                desk.change(connection)
        check(desk, names, scopes)
        names._merge_large()
        check(desk, names, scopes)


def test_what_is_kept_of_the_names_follows_like_a_fresh_look(desk: Desk) -> None:
    names = Names()
    with desk.store.database.write() as connection:
        desk.add(connection, 300)
    check(desk, names, frozenset({1}))
    for _ in range(40):
        with desk.store.database.write() as connection:
            desk.change(connection)
        check(desk, names, frozenset({1}))
    assert len(names._segments) < 10


def test_a_change_that_nobody_remembers_has_all_read_again(desk: Desk) -> None:
    names = Names()
    with desk.store.database.write() as connection:
        desk.add(connection, 20)
    check(desk, names, frozenset({1}))
    with desk.store.database.write() as connection:
        desk.add(connection, 20)
        connection.exec_driver_sql("DELETE FROM name_changes")
    check(desk, names, frozenset({1}))
    names.forget()
    check(desk, names, frozenset({1}))


def test_a_thread_keeps_them_level(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names_module, "FOLLOWED_SECONDS", 0.01)
    names, stop = Names(), threading.Event()
    thread = threading.Thread(target=names.keep_level, args=(desk.store.database, stop))
    thread.start()
    try:
        for _ in range(20):
            with desk.store.database.write() as connection:
                for _ in range(5):
                    desk.change(connection)
            check(desk, names, frozenset({1, 2}))
    finally:
        stop.set()
        thread.join(5)
    assert not thread.is_alive()


def test_nobody_waits_long_while_they_are_read(desk: Desk) -> None:
    names = Names()
    with names._lock, desk.store.database.read() as connection:
        assert names.look(connection, frozenset({1}), patience=0.01) is None


def test_the_newest_changes_are_kept(desk: Desk) -> None:
    with desk.store.database.write() as connection:
        desk.add(connection, 1)
        connection.exec_driver_sql("UPDATE sqlite_sequence SET seq = 205998 WHERE name = 'name_changes'")
        desk.add(connection, 1)
        desk.add(connection, 1)
        assert naming.changed_since(connection, 1) is None
        assert len(naming.changed_since(connection, 206_000) or ()) == 1
        assert naming.last_change(connection) > 206_000


def test_words_without_case_or_accents() -> None:
    assert plain("ÅNGSTRÖM Ⅷ") == "angstrom viii"
    assert list(words_of("ProjectPlanV2.docx", "Überblick")) == [
        "projectplanv2", "planv2", "v2", "docx", "uberblick",
    ]  # fmt: skip
    assert words_of("a.txt", "a.txt") == {"a": True, "txt": False}
    row = NamedRow("x", "n", "t", "k", None, "[]", 1)
    assert people_of(row.people) == ()
