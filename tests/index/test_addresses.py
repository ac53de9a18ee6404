"""Which passage lies at a row's address, while rows come, go and are rewritten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bowerbird.index import addresses
from bowerbird.index.schema import WORDS
from bowerbird.index.tables import Tables

G = "g-test"


def some(first: int, count: int) -> pa.Table:
    rows: list[dict[str, Any]] = [
        {"id": f"item{n}.1.0", "item": f"item{n}", "acl_id": 1, "source": "s", "kind": "note", "path": "/n",
         "people": "", "modified": 0, "search": f"word{n}", "head": "", "text": f"word{n}", "language": "en",
         "labels": "", "recipients": "", "place": b"{}"}
        for n in range(first, first + count)
    ]  # fmt: skip
    from bowerbird.index.schema import WORDS_SCHEMA

    return pa.Table.from_pylist(rows, schema=WORDS_SCHEMA)


def told(tables: Tables, version: int) -> list[tuple[str, str]]:
    """Return (id by address, id as Lance reads it) of all rows of a version."""
    table = tables.at(G, WORDS, version)
    rows = table.scanner(columns=["id"], with_row_address=True).to_table()
    return list(
        zip(tables.addresses(G, WORDS, version).ids(rows["_rowaddr"].to_numpy()), rows["id"].to_pylist(), strict=True)
    )


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    made = Tables(tmp_path)
    made.create(G)
    return made


def test_addresses_name_the_rows_through_appends_deletions_and_compaction(tables: Tables) -> None:
    versions = [tables.add(G, WORDS, some(0, 50)), tables.add(G, WORDS, some(50, 30))]
    versions.append(tables.delete(G, WORDS, "id IN ('item3.1.0', 'item60.1.0')"))
    versions.append(tables.add(G, WORDS, some(100, 5)))
    versions.append(tables.compact(G, WORDS, wholly=True))
    for version, rows in zip(versions, (50, 80, 78, 83, 83), strict=True):
        pairs = told(tables, version)
        assert len(pairs) == rows
        assert all(ours == lances for ours, lances in pairs)


def test_a_fragment_first_read_after_deletions_lacks_only_these(tables: Tables) -> None:
    whole = tables.add(G, WORDS, some(0, 10))
    rows = tables.at(G, WORDS, whole).scanner(columns=["id"], with_row_address=True).to_table()["_rowaddr"].to_numpy()
    later = tables.delete(G, WORDS, "id = 'item4.1.0'")
    ids = tables.addresses(G, WORDS, later).ids(rows)
    assert ids == ["" if n == 4 else f"item{n}.1.0" for n in range(10)]
    assert tables.addresses(G, WORDS, later).ids(np.array([], dtype=np.uint64)) == []


def test_a_restored_table_forgets_fragments_that_were_undone(tables: Tables) -> None:
    first = tables.add(G, WORDS, some(0, 10))
    undone = tables.add(G, WORDS, some(10, 10))
    told(tables, undone)
    tables.restore(G, WORDS, first)
    version = tables.add(G, WORDS, some(500, 10))
    assert all(ours == lances for ours, lances in told(tables, version))


def test_ids_of_a_large_table_are_not_kept(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    version = tables.add(G, WORDS, some(0, 10))
    assert tables.addresses(G, WORDS, version).kept
    monkeypatch.setattr(addresses, "MOST_ROWS", 9)
    tables.forget_handles()
    assert not tables.addresses(G, WORDS, version).kept
    assert all(ours == lances for ours, lances in told(tables, version)), "but looked up"


def read(tables: Tables, version: int, ids: list[str]) -> set[str]:
    asking = tables.addresses(G, WORDS, version).reading(ids)
    found = tables.at(G, WORDS, version).scanner(columns=["text"], **asking).to_table()["text"].to_pylist()
    assert len(found) == len(set(found))
    return set(found)


@pytest.mark.parametrize("most", [1_000, 0])  # in memory, or asked of Lance
def test_passages_are_read_by_their_ids(tables: Tables, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(addresses, "MOST_ROWS", most)
    whole = tables.add(G, WORDS, some(0, 40))
    more = tables.add(G, WORDS, some(40, 20))
    asked = ["item7.1.0", "item59.1.0", "item9.1.0", "item.1.0", "item999.1.0", "item7.2.0", "é.1.0"]
    assert read(tables, whole, asked) == {"word7", "word9"}
    assert read(tables, more, asked) == {"word7", "word9", "word59"}
    less = tables.delete(G, WORDS, "id = 'item9.1.0'")
    assert read(tables, less, asked) == {"word7", "word59"}
    assert read(tables, tables.compact(G, WORDS, wholly=True), asked) == {"word7", "word59"}
    assert read(tables, whole, asked) == {"word7", "word9"}
    assert read(tables, more, ["nothing"]) == set()
