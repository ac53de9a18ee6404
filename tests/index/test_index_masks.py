"""Which rows a query is kept to, and the nearest of them, while rows come, go and change their scope."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from lance.query import MatchQuery

from bowerbird.index import addresses, nearest
from bowerbird.index.schema import VECTORS, WORDS, WORDS_SCHEMA, vectors_schema
from bowerbird.index.tables import Tables

G = "g-test"
DIMENSIONS = 16


def columns(first: int, count: int, scopes: int) -> dict[str, list[Any]]:
    numbers = range(first, first + count)
    same = {"source": "s", "kind": "note", "path": "/n", "people": "", "modified": 0, "labels": "", "recipients": ""}
    found: dict[str, list[Any]] = {name: [value] * count for name, value in same.items()}
    found["kind"] = [("note", "pdf")[n % 2] for n in numbers]
    found |= {"id": [f"item{n}.1.0" for n in numbers], "item": [f"item{n}" for n in numbers]}
    return {**found, "acl_id": [n % scopes for n in numbers]}


def some(first: int, count: int, scopes: int = 4) -> pa.Table:
    texts = [f"kea word{n}" for n in range(first, first + count)]
    own = {"search": texts, "head": [""] * count, "text": texts, "language": ["en"] * count, "place": [b"{}"] * count}
    return pa.Table.from_pydict({**columns(first, count, scopes), **own}, schema=WORDS_SCHEMA)


def vectors(first: int, count: int, scopes: int = 4, seed: int = 1) -> pa.Table:
    made = np.random.default_rng(seed).standard_normal((count, DIMENSIONS)).astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return pa.Table.from_pydict(
        {**columns(first, count, scopes), "vector": list(made)}, schema=vectors_schema(DIMENSIONS)
    )


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    made = Tables(tmp_path)
    made.create(G)
    made.create_vectors(G, vectors_schema(DIMENSIONS))
    return made


def seen(tables: Tables, version: int, scopes: frozenset[int] | None) -> set[str]:
    """What a word search that finds everything finds within these scopes."""
    within = tables.masks(G, WORDS, version).within(scopes, None)
    asking = {"full_text_query": MatchQuery("kea", "search"), "limit": 10_000, **within.asking}
    found = tables.at(G, WORDS, version).scanner(columns=["id"], **asking).to_table()["id"].to_pylist()
    assert len(found) == len(set(found)) <= within.rows
    return set(found)


@pytest.mark.parametrize("kept", [True, False])
def test_a_mask_lets_through_its_scopes_at_every_version(
    tables: Tables, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    if not kept:
        monkeypatch.setattr(addresses, "MOST_ROWS", 0)
    versions = [tables.add(G, WORDS, some(0, 50)), tables.add(G, WORDS, some(50, 30))]
    versions.append(tables.index_new_rows(G, WORDS))
    versions.append(tables.delete(G, WORDS, "id IN ('item2.1.0', 'item62.1.0')"))
    versions.append(tables.add(G, WORDS, some(100, 5)))
    moved = tables.newest(G, WORDS)
    moved.update({"acl_id": "2"}, where="id = 'item1.1.0'")
    versions.append(int(moved.version))
    versions.append(tables.compact(G, WORDS, wholly=True))
    for version in [*versions, *versions]:  # the second time from what was kept
        rows = tables.at(G, WORDS, version).to_table(columns=["id", "acl_id"]).to_pylist()
        for scopes in (frozenset({2}), frozenset({0, 3, 99}), frozenset({7}), frozenset(range(4)), None):
            wanted = {row["id"] for row in rows if scopes is None or row["acl_id"] in scopes}
            assert seen(tables, version, scopes) == wanted
    assert "item1.1.0" in seen(tables, versions[-1], frozenset({2}))


def test_a_row_without_a_scope_is_nobodys(tables: Tables) -> None:
    rows = some(0, 3)
    rows = rows.set_column(rows.schema.get_field_index("acl_id"), "acl_id", pa.array([None, -1, 1], pa.int32()))
    version = tables.add(G, WORDS, rows)
    assert seen(tables, version, frozenset({0, 1, 2})) == {"item2.1.0"}


def test_the_nearest_of_what_passes_are_found_whatever_passes(tables: Tables) -> None:
    tables.add(G, VECTORS, vectors(0, 8_000, scopes=1_000))
    tables.index_vectors(G)
    tables.add(G, VECTORS, vectors(8_000, 500, scopes=1_000, seed=2))  # not in the approximate index yet
    version = tables.delete(G, VECTORS, "item IN ('item7', 'item8007')")
    table, masks = tables.at(G, VECTORS, version), tables.masks(G, VECTORS, version)
    rows = table.scanner(columns=["acl_id", "kind", "vector"], with_row_address=True).to_table().combine_chunks()
    scopes, kinds = rows["acl_id"].to_numpy(), np.array(rows["kind"].to_pylist())
    held = rows["vector"].chunk(0).flatten().to_numpy().reshape(-1, DIMENSIONS)
    chance = random.Random(3)
    for passing, condition, least in (
        (1, None, 1), (10, None, 1), (100, None, 1), (150, None, 0.99), (600, None, 0.8), (1_000, "kind = 'pdf'", 0.8),
        (300, "kind = 'pdf'", 0.99), (1_000, "item IN ('item1', 'item9')", 1),
    ):  # fmt: skip
        visible = frozenset(chance.sample(range(1_000), passing))
        within = masks.within(None if passing == 1_000 else visible, condition, counted=True)
        allowed = np.isin(scopes, list(visible)) & ((kinds == "pdf") | (condition != "kind = 'pdf'"))
        if condition and condition.startswith("item"):
            allowed &= np.isin(np.arange(len(allowed)), [1, 8])
            assert within.rows == 2
        shares = []
        for number in range(20):
            vector = np.random.default_rng(number).standard_normal(DIMENSIONS).astype(np.float32)
            vector /= np.linalg.norm(vector)
            found, scores = nearest.nearest(table, vector, within, 50, masks.rows)
            exact = np.where(allowed, held @ vector, -2.0)
            order = np.argsort(-exact)[: min(10, int(allowed.sum()))]
            shares.append(len(set(found[:10].tolist()) & set(rows["_rowaddr"].to_numpy()[order].tolist())) / len(order))
            assert set(found.tolist()) <= set(rows["_rowaddr"].to_numpy()[allowed].tolist())
            assert len(found) == min(50, int(allowed.sum())) and scores[0] == pytest.approx(exact.max(), abs=0.1)
        assert np.mean(shares) >= least, (passing, condition)


def test_the_fewer_pass_the_more_is_probed() -> None:
    assert nearest.probing(100_000, 100_000) == {"nprobes": 40}
    assert "refine_factor" not in nearest.probing(50_000, 100_000)
    assert nearest.probing(5_000, 100_000)["refine_factor"] == 1
