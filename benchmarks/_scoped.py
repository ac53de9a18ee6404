"""The library of 100,000 passages (`_passages`) with people, groups and many scopes: for what permissions cost.

The rows of the index are taken over with other scopes (and, where there are more scopes than items, with the items cut
into smaller ones, as a mailbox has a scope a message), so nothing is extracted or embedded again. Which item lies in
which scope is drawn at random: the worst case, as folders and mailboxes are entered one after the other.

For each share in SHARES there is a person who may read so much, through GROUPS groups, half of them by being in a group
that is in the group; of every hundred scopes these groups may read, one is denied to the person.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lance
import pyarrow as pa
from _harness import Setup
from _passages import SEED, _version, passages_library

from bowerbird.core.records import Principal
from bowerbird.index.schema import VECTORS, WORDS
from bowerbird.lab.bench import lend_models

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bowerbird.store.sources import SourceRow
    from bowerbird.store.store import Store

SHARES = (0.1, 1, 5, 50, 95)
"""Percent."""
GROUPS = 200
LAYOUT = 3
"""Raised with every change of how this library is made."""

FOLDER = "g-scoped"


def person(share: float) -> Principal:
    """Return who may read this percentage of the scopes."""
    return Principal(f"user:reader-{share}")


def scoped_library(setup: Setup, passages: int, scopes: int) -> Path:
    """Return the home of such a library, made anew only where there is none."""
    from bowerbird.store.store import Store

    made_of = passages_library(setup, passages)
    home = setup.cache / f"scoped-{passages}-{scopes}-{_version()}-{_schema()}"
    if (home / "complete").is_file():
        return home
    setup.log(f"making a library of {passages:,} passages in {scopes:,} scopes")
    shutil.rmtree(home, ignore_errors=True)
    lend_models(setup.home / "models", home / "models")
    store = Store(home)
    store.open()
    place = _index(home, made_of, scopes)
    with store.database.write() as connection:
        source = _source(connection)
        acl_ids = _scopes(connection, source, scopes)
        for share in SHARES:
            _person(connection, share, acl_ids)
        _items(connection, source, made_of, place, acl_ids)
    _serve(store, home, place, acl_ids)
    store.close()
    (home / "complete").touch()
    return home


def _schema() -> str:
    from bowerbird.store import database

    migrations = sorted((Path(database.__file__).parent / "migrations" / "versions").glob("0*.py"))
    digest = hash_of(b"".join(file.read_bytes() for file in migrations))
    return f"{LAYOUT}-{digest}"


def hash_of(data: bytes) -> str:
    """Return a short digest."""
    import hashlib

    return hashlib.sha256(data).hexdigest()[:8]


def _rows(home: Path, name: str) -> pa.Table:
    """Return all rows of a table of a library's index."""
    from bowerbird.index.tables import Tables

    with closing(sqlite3.connect(home / "bowerbird.sqlite")) as connection:
        statement = f"SELECT folder, {name}_version FROM generations WHERE state = 'served'"
        folder, version = connection.execute(statement).fetchone()
    table: pa.Table = Tables(home / "index").at(folder, name, version).to_table()
    return table


class _Place:
    """Which number of scope every item has, and how many passages of an item stay together."""

    def __init__(self, ids: Sequence[str], scopes: int) -> None:
        items = len({_item(one) for one in ids})
        self.together = 0 if items >= scopes else max(1, len(ids) // scopes)
        self._random = random.Random(SEED)
        self._scopes = scopes
        self.scope_of: dict[str, int] = {}
        self.original: dict[str, str] = {}

    def renamed(self, passage: str) -> tuple[str, str]:
        """Return the passage's id and its item, cut into smaller items where there are many scopes."""
        item, version, ordinal = passage.rsplit(".", 2)
        name, number = item, int(ordinal)
        if self.together:
            name, number = f"{item}{number // self.together:03}", number % self.together
        if name not in self.scope_of:
            count = len(self.scope_of)
            alone = self.together and count < self._scopes
            self.scope_of[name] = count if alone else self._random.randrange(self._scopes)
            self.original[name] = item
        return f"{name}.{version}.{number}", name


def _item(passage: str) -> str:
    return passage.rsplit(".", 2)[0]


def _index(home: Path, made_of: Path, scopes: int) -> _Place:
    """Keep the renamed rows beside the library until the numbers of the scopes are known."""
    place = _Place(_rows(made_of, WORDS)["id"].to_pylist(), scopes)
    for name in (WORDS, VECTORS):
        rows = _rows(made_of, name)
        pairs = [place.renamed(passage) for passage in rows["id"].to_pylist()]
        for column, values in (("id", [id_ for id_, _ in pairs]), ("item", [item for _, item in pairs])):
            rows = rows.set_column(rows.schema.get_field_index(column), column, pa.array(values, pa.string()))
        lance.write_dataset(rows, str(home / f"{name}.rows"))
    return place


def _source(connection: Connection) -> SourceRow:
    from bowerbird.store import sources

    return sources.add(connection, "corpus", "corpus:///scoped", "scoped")


def _scopes(connection: Connection, source: SourceRow, count: int) -> list[int]:
    """Enter scopes that the owner may read, and return their numbers."""
    from sqlalchemy import insert, select

    from bowerbird.store.tables import scope_entries, scopes

    connection.execute(insert(scopes), [{"source_id": source.id, "key": f"folder-{n:06}"} for n in range(count)])
    wanted = select(scopes.c.acl_id).where(scopes.c.source_id == source.id, scopes.c.key != "")
    acl_ids = list(connection.execute(wanted.order_by(scopes.c.acl_id)).scalars())
    owner = {"principal": "user:owner", "effect": "allow", "origin": "policy"}
    connection.execute(insert(scope_entries), [{"acl_id": acl_id, **owner} for acl_id in acl_ids])
    return acl_ids


def _person(connection: Connection, share: float, acl_ids: Sequence[int]) -> None:
    """Enter a person in GROUPS groups, through which they may read `share` percent of the scopes."""
    from sqlalchemy import insert

    from bowerbird.store.identity_tables import group_members, groups, people
    from bowerbird.store.tables import scope_entries

    name = person(share).name
    row = {"id": name.partition(":")[2], "handle": f"reader{share}", "role": "guest", "pseudonym": f"p{share}"}
    connection.execute(insert(people).values(**row, created=0.0))
    ids = [f"group:local:{share}-{number}" for number in range(GROUPS)]
    made = [{"id": id_, "source": "local", "name": id_.rpartition(":")[2], "created": 0.0} for id_ in ids]
    connection.execute(insert(groups), made)
    half = GROUPS // 2
    members = [name] * half + ids[:half]
    pairs = zip(ids, members, strict=True)
    connection.execute(insert(group_members), [{"group_id": id_, "member": member} for id_, member in pairs])
    chance = random.Random(str(share))
    wanted = chance.sample(acl_ids, max(1, round(len(acl_ids) * share / 100)))
    denied = chance.sample(wanted, len(wanted) // 100) if share < 100 else []
    spare = [acl_id for acl_id in acl_ids if acl_id not in set(wanted)]
    wanted += chance.sample(spare, min(len(spare), len(denied)))  # so that the share stays what it is
    entries = [
        {"acl_id": acl_id, "principal": id_, "effect": "allow", "origin": "source"}
        for acl_id in wanted
        for id_ in chance.sample(ids, chance.randint(1, 3))
    ]
    entries += [{"acl_id": acl_id, "principal": name, "effect": "deny", "origin": "source"} for acl_id in denied]
    connection.execute(insert(scope_entries), entries)


def _items(connection: Connection, source: SourceRow, made_of: Path, place: _Place, acl_ids: Sequence[int]) -> None:
    """Enter the items, with the columns that both schemas have."""
    from sqlalchemy import insert

    from bowerbird.store import titles
    from bowerbird.store.tables import items

    with closing(sqlite3.connect(made_of / "bowerbird.sqlite")) as old:
        old.row_factory = sqlite3.Row
        rows = {row["id"]: dict(row) for row in old.execute("SELECT * FROM items")}
    made: list[dict[str, Any]] = []
    for name, number in place.scope_of.items():
        row = {column: value for column, value in rows[place.original[name]].items() if column in items.c}
        row |= {"id": name, "source_id": source.id, "acl_id": acl_ids[number], "document_id": None, "people": []}
        made.append({**row, "key": f"{row['key']}/{name}"})
    connection.execute(insert(items), made)
    titles.entered(connection, {row["id"]: (row["name"], row["title"]) for row in made})


def _serve(store: Store, home: Path, place: _Place, acl_ids: Sequence[int]) -> None:
    """Write the rows with their scopes into a generation of their own, index them, and serve it."""
    from bowerbird.index.tables import Tables
    from bowerbird.store import outbox

    tables = Tables(home / "index")
    tables.create(FOLDER)
    for name in (WORDS, VECTORS):
        rows = lance.dataset(str(home / f"{name}.rows")).to_table()
        scopes = pa.array([acl_ids[place.scope_of[item]] for item in rows["item"].to_pylist()], pa.int32())
        rows = rows.set_column(rows.schema.get_field_index("acl_id"), "acl_id", scopes)
        if name == VECTORS:
            tables.create_vectors(FOLDER, rows.schema)
        tables.add(FOLDER, name, rows)
        tables.index_new_rows(FOLDER, name)
        shutil.rmtree(home / f"{name}.rows")
    tables.index_vectors(FOLDER)
    versions = {f"{name}_version": int(tables.newest(FOLDER, name).version) for name in (WORDS, VECTORS)}
    with store.database.write() as connection:
        made = outbox.add_generation(connection, FOLDER, "served", "scoped")
        outbox.change_generation(connection, made.id, versions)
