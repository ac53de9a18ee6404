"""Suggestions at a million items: what every key costs, for people who see all, a twentieth and hardly any of them.

The items have names only: words of the demo workspace's texts, drawn as often as they occur there, with numbers, dates
and endings; every second has a title of its own. They lie in 5,000 scopes (drawn at random, the worst case), in 40,000
folders, and are by 20,000 people with made-up names. Somebody types parts of names that they may see, names of people,
beginnings of folders, and operators, letter by letter; every key is one measurement.
"""

from __future__ import annotations

import itertools
import random
import re
import shutil
import threading
import time
from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from _harness import Setup
from _scoped import _person, _schema, _scopes, _source, person

from bowerbird.core.ids import new_id
from bowerbird.core.records import OWNER, Principal
from bowerbird.core.settings import Settings
from bowerbird.lab.measuring import Figure, percentile, process_memory

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bowerbird.library import Library

ITEMS, SCOPES, FOLDERS, PEOPLE = 1_000_000, 5_000, 40_000, 20_000
SHARES = (5, 0.1)
SEED = 41
NOW = 1_770_000_000.0
ENDINGS = ("docx", "pdf", "xlsx", "pptx", "md", "txt", "eml", "png", "py", "csv")
TYPED = 60
"""Things that each asker types."""

_COLUMNS = (
    "id", "source_id", "key", "name", "name_folded", "stem_folded", "title", "title_folded", "uri", "kind", "modified",
    "people", "acl_id", "updated",
)  # fmt: skip
_SAME = {
    "media_type": "''", "size": "1", "version": "'1'", "container": "''", "state": "'indexed'", "priority": "0",
    "attempts": "0", "content_version": "1", "content_hash": "''", "parser": "''", "language": "''",
    "error_code": "''", "error": "''",
}  # fmt: skip


def suggest(setup: Setup) -> list[Figure]:
    """Measure reading the names, every key of what is typed, and keys while items change; and the memory it takes."""
    from bowerbird.library import Library

    with Library.open(names_library(setup), Settings({})) as library:
        before, begun = process_memory(_pid()), time.perf_counter()
        library.suggesting.suggest("warm", OWNER)
        while library.suggesting.suggest("warm up", OWNER).partial:
            time.sleep(0.1)
        read = time.perf_counter() - begun
        memory = (process_memory(_pid()) - before) / 2**20
        at_rest = {who: _keys(library, who, 1) for who in (OWNER, *map(person, SHARES))}
        library.suggesting.start()
        with _changing(library):
            changing = _keys(library, OWNER, 2)
        library.suggesting.close()
    count = "20k" if setup.quick else "1M"
    limits: dict[float, float | None] = (
        dict.fromkeys((0.5, 0.95, 0.99)) if setup.quick else {0.5: 10, 0.95: 15, 0.99: None}
    )
    every = [one for times in at_rest.values() for one in times]
    told = ", ".join(f"{who.name} {percentile(times, 0.95):.1f}" for who, times in at_rest.items())
    figures = [
        Figure(
            f"suggest-{count}-p{100 * at:.0f}",
            percentile(every, at),
            limit,
            "<=",
            "ms",
            f"{len(every):,} keys; p95 of {told}",
        )
        for at, limit in limits.items()
    ]
    while_changing = f"{len(changing):,} keys while 150 items a second change"
    figures.append(
        Figure(f"suggest-{count}-changing-p95", percentile(changing, 0.95), limits[0.95], "<=", "ms", while_changing)
    )
    figures.append(Figure(f"suggest-{count}-read", read, None, "<=", "s", "from SQL into memory, once a process"))
    return [*figures, Figure(f"suggest-{count}-memory", memory, None, "<=", "MB", "PSS that the names add")]


def _pid() -> int:
    import os

    return os.getpid()


def _keys(library: Library, who: Principal, seed: int) -> list[float]:
    """Return the milliseconds of every key of what somebody types."""
    dice = random.Random(f"{seed} {who.name}")
    times = []
    for text in _typed(library, who, dice):
        for end in range(2, len(text) + 1):
            begun = time.perf_counter()
            library.suggesting.suggest(text[:end], who, "owner")
            times.append(1000 * (time.perf_counter() - begun))
    return times


def _typed(library: Library, who: Principal, dice: random.Random) -> Iterator[str]:
    """Yield what somebody types: of items, people and folders that they may see."""
    store = library.store
    with store.database.read() as connection:
        mine = store.scopes.visible(connection, who)
        listed = ", ".join(map(str, dice.sample(sorted(mine), min(len(mine), 400))))
        found = connection.exec_driver_sql(
            f"SELECT title, key, people FROM items WHERE acl_id IN ({listed}) LIMIT 60000"
        ).all()
    for title, key, people in dice.sample(list(found), TYPED):
        words = title.split()
        start = dice.randrange(len(words))
        named = re.findall(r'"name":"([^"]+)"', people) or ["nobody"]
        yield dice.choice((
            " ".join(words[:3]), " ".join(words[start : start + 2]), named[0], named[0].split()[-1],
            f"from:{named[0].split()[0].lower()}", f"in:{key.split('/')[-2]}", f"{words[0]} type:pdf {words[-1]}",
        ))  # fmt: skip


@contextmanager
def _changing(library: Library) -> Iterator[None]:
    """Rename 150 items a second meanwhile, ten at a time."""
    stop = threading.Event()
    with library.store.database.read() as connection:
        ids = list(connection.exec_driver_sql("SELECT id FROM items LIMIT 20000").scalars())

    def change() -> None:
        for number in itertools.count():
            some = ids[10 * number % len(ids) :][:10]
            with library.store.database.write() as connection:
                for one in some:
                    renamed = (f"renamed budget {number}.md", one)
                    connection.exec_driver_sql("UPDATE items SET name = ? WHERE id = ?", renamed)
            if stop.wait(10 / 150):
                return

    thread = threading.Thread(target=change)
    thread.start()
    yield
    stop.set()
    thread.join()


def names_library(setup: Setup) -> Path:
    """Return the home of a library of named items, made anew only where there is none."""
    from bowerbird.store.store import Store

    count = 20_000 if setup.quick else ITEMS
    home = setup.cache / f"names-{count}-{_schema()}"
    if (home / "complete").is_file():
        return home
    shutil.rmtree(home, ignore_errors=True)
    setup.log(f"making a library of {count:,} names")
    store = Store(home)
    store.open()
    with store.database.write() as connection:
        source = _source(connection)
        acl_ids = _scopes(connection, source, SCOPES if not setup.quick else 200)
        for share in SHARES:
            _person(connection, share, acl_ids)
        _fill(connection, source.id, acl_ids, count)
        _past(connection)
    store.close()
    (home / "complete").touch()
    return home


def _fill(connection: Connection, source_id: str, acl_ids: Sequence[int], count: int) -> None:
    places = ", ".join("?" * len(_COLUMNS))
    names, values = ", ".join((*_COLUMNS, *_SAME)), ", ".join((places, *_SAME.values()))
    statement = f"INSERT INTO items ({names}) VALUES ({values})"
    rows = _rows(source_id, acl_ids, count)
    while some := list(itertools.islice(rows, 5_000)):
        connection.exec_driver_sql(statement, some)


def _rows(source_id: str, acl_ids: Sequence[int], count: int) -> Iterator[tuple[object, ...]]:
    dice = random.Random(SEED)
    draw = _Words(dice)
    folders = [f"{draw.some(1)}/{draw.some(2)}/{draw.some(2)} {n % 90}" for n in range(FOLDERS)]
    people = [f"{draw.name()} {draw.name()}" for _ in range(PEOPLE)]
    for number in range(count):
        extra = dice.choice(("", f" {dice.randrange(1000)}", f" 20{dice.randrange(18, 27)}-{dice.randrange(1, 13):02}"))
        stem = draw.some(dice.randint(1, 4)) + extra
        name = f"{stem}.{dice.choice(ENDINGS)}"
        title = draw.some(dice.randint(3, 7)).capitalize() if number % 2 else stem
        who = dice.sample(people, dice.choice((0, 1, 1, 2)))
        told = ",".join(f'{{"name":"{one}","address":"{one.lower().replace(" ", ".")}@example.org"}}' for one in who)
        key = f"{dice.choice(folders)}/{number} {name}"
        yield (
            new_id(), source_id, key, name, name.lower(), stem.lower(), title, title.lower(), f"file:///{key}", "note",
            NOW - dice.expovariate(1 / 2e7), f"[{told}]", dice.choice(acl_ids), NOW,
        )  # fmt: skip


class _Words:
    """Draws words of the demo workspace as often as they occur there, and names with their first letters."""

    def __init__(self, dice: random.Random) -> None:
        from bowerbird.lab import workspace

        texts = Path(workspace.__file__).parent / "texts"
        found = Counter(
            re.findall(r"[a-z]{2,}", " ".join(file.read_text("utf-8") for file in texts.glob("*.txt")).lower())
        )
        self._words = list(found)
        self._sums = list(itertools.accumulate(found.values()))
        self._dice = dice

    def some(self, count: int) -> str:
        """Return so many words."""
        return " ".join(self._words[bisect(self._sums, self._dice.random() * self._sums[-1])] for _ in range(count))

    def name(self) -> str:
        """Return a made-up name."""
        parts = self._dice.choices(("an", "be", "ri", "lo", "ma", "to", "ka", "el", "vi", "so", "jo", "na"), k=3)
        return "".join(parts).capitalize()


def _past(connection: Connection) -> None:
    from bowerbird.store import queries

    draw = _Words(random.Random(SEED))
    for _ in range(500):
        queries.remember(connection, "owner", draw.some(2), 500)
