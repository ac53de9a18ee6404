"""The compiled filter, run on a real Lance table and judged by plain Python."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import lance
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bowerbird.core.records import Either, Filters, Period, Person
from bowerbird.index.addresses import Addresses, Fragments
from bowerbird.index.cutting import cut, search_text
from bowerbird.index.filters import compiled, ids_in, in_scopes, items_in
from bowerbird.index.masks import Masks
from bowerbird.index.schema import WORDS_SCHEMA, words_row
from bowerbird.store.items import StoredItem

HOSTILE = (
    "plain", "O'Neil", "''", "'; DROP TABLE words; --", "100%", "under_score", "back\\slash", "\\'", "dollar$1",
    'double"quote', "`tick`", "Ünï cödé", "ẞharp", "日本語", "line\nbreak", "tab\t", "emoji 🦜", "?", "a/b",
    "{x}", ":p", "",
)  # fmt: skip
SOURCES = {"papers": "src1", "o'neil's": "src'2", "ünï": "src3"}


def stored(number: int, text: str) -> StoredItem:
    other = HOSTILE[(number * 7 + 3) % len(HOSTILE)]
    return StoredItem(
        id=f"it{text}{number}", source=list(SOURCES.values())[number % 3], source_name="", key=f"Top/{text}/{other}/x",
        name="x", title="x", uri="", kind=("note", "pdf", "co'de")[number % 3], media_type="", size=1,
        modified=None if number % 5 == 0 else datetime(2026, 1, 1 + number, 23, 59, 59, 999_999, UTC),
        people=(Person(text.upper(), f"{other}@x.org"), Person("Ann")), state="indexed", content_version=1,
        acl_id=number % 4, labels=f"\nlang:{('en', 'de')[number % 2]}\n\ntag:{text}\n",
        recipients=f"{text.lower()}\nzoe@x.org" if number % 3 else "",
    )  # fmt: skip


ITEMS = [stored(number, text) for number, text in enumerate(HOSTILE)]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Any:
    rows = [words_row(item, one, search_text(item, one)) for item in ITEMS for one in cut(item, None, 100)]
    folder: Path = tmp_path_factory.mktemp("lance")
    made = lance.write_dataset(pa.Table.from_pylist(rows, schema=WORDS_SCHEMA), str(folder / "words.lance"))
    for column in ("acl_id", "source", "kind"):
        made.create_scalar_index(column, "BITMAP")
    return made


def found(table: Any, condition: str | None) -> set[str]:
    return set(table.scanner(columns=["item"], filter=condition).to_table().column("item").to_pylist())


def passes(item: StoredItem, filters: Filters, scopes: set[int], stale: set[str]) -> bool:
    """The judge: what the words of `Filters` say, one item at a time."""
    path, wanted = f"/{item.key}".lower(), [SOURCES.get(name.lower()) for name in filters.sources]
    people = [f"{person.name} {person.address}".lower() for person in item.people]
    day = item.modified.astimezone(ZoneInfo(filters.zone or "UTC")).date() if item.modified else None
    return (
        item.acl_id in scopes
        and item.id not in stale
        and (not filters.types or item.kind in filters.types)
        and (not filters.sources or item.source in wanted)
        and (not filters.within or any(f"/{part.strip('/').lower()}/" in path for part in filters.within))
        and (not filters.people or any(name.lower() in "\n".join(people) for name in filters.people))
        and (not filters.recipients or any(name.lower() in item.recipients for name in filters.recipients))
        and all(any(f"\n{one}\n" in item.labels for one in labels) for labels in filters.by_sort())
        and (filters.after is None or (day is not None and day >= filters.after))
        and (filters.before is None or (day is not None and day < filters.before))
        and (not filters.periods or any(lies_in(day, period) for period in filters.periods))
        and all(
            any(passes(item, option, scopes, stale) for option in one.options) != one.excluded for one in filters.either
        )
    )


def lies_in(day: date | None, period: Period) -> bool:
    return day is not None and (period.first or day) <= day and (period.end is None or day < period.end)


TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=5))
SOME = st.lists(TEXTS, max_size=3).map(tuple)
DAYS = st.one_of(st.none(), st.dates(date(2025, 12, 30), date(2026, 1, 30)))
PERIODS = st.builds(Period, DAYS, DAYS).filter(lambda period: period.first or period.end)
ZONES = st.sampled_from(["", "Pacific/Kiritimati", "America/St_Johns"])
PLAIN = st.builds(
    Filters,
    periods=st.lists(PERIODS, max_size=2).map(tuple), zone=ZONES,
    types=st.lists(st.sampled_from(["note", "pdf", "co'de", "x"]), max_size=2).map(tuple),
    sources=st.lists(st.sampled_from(["papers", "O'NEIL's", "ünÏ", "nothing"]), max_size=2).map(tuple),
    within=SOME, people=SOME, before=DAYS, after=DAYS, recipients=SOME,
    labels=st.lists(st.one_of(st.sampled_from(["lang:en", "lang:xx", "has:x"]), TEXTS.map("tag:{}".format)), max_size=2)
    .map(tuple),
)  # fmt: skip


def with_alternatives(options: st.SearchStrategy[Filters]) -> st.SearchStrategy[Filters]:
    either = st.builds(Either, st.lists(options, max_size=3).map(tuple), st.booleans())
    return st.builds(replace, PLAIN, either=st.lists(either, max_size=2).map(tuple))


FILTERS = st.recursive(PLAIN, with_alternatives, max_leaves=6)


@settings(max_examples=250, deadline=None)
@given(FILTERS, st.sets(st.integers(0, 5)), st.sets(st.sampled_from([item.id for item in ITEMS]), max_size=5))
@example(Filters(sources=("nothing",)), {0, 1, 2, 3}, set())
@example(Filters(within=("/",)), {0, 1, 2, 3}, set())
def test_the_filter_lets_through_exactly_what_it_says(
    table: Any, filters: Filters, scopes: set[int], stale: set[str]
) -> None:
    condition = compiled(filters, stale, SOURCES)
    wanted = {item.id for item in ITEMS if passes(item, filters, scopes, stale)}
    assert found(table, " AND ".join(filter(None, (condition, in_scopes(scopes))))) == wanted
    for kept in (True, False):  # a large table is asked with a list, another with a mask
        addresses = Addresses(table, Fragments())
        addresses.kept = kept
        masks = Masks(table, addresses, Fragments())
        for counted in (False, True):
            within = masks.within(frozenset(scopes), condition, counted)
            asking = {"filter": None, **within.asking}
            assert set(table.scanner(columns=["item"], **asking).to_table().column("item").to_pylist()) == wanted
            assert within.rows >= len(wanted)


@settings(max_examples=60, deadline=None)
@given(st.sets(st.one_of(TEXTS, st.sampled_from([item.id for item in ITEMS])), max_size=6))
def test_lists_of_ids_find_exactly_these(table: Any, ids: set[str]) -> None:
    assert found(table, items_in(ids)) == {item.id for item in ITEMS if item.id in ids}
    passages = {f"{id_}.1.0" for id_ in ids}
    assert found(table, ids_in(passages)) == {item.id for item in ITEMS if item.id in ids}


def test_without_scopes_nothing_passes(table: Any) -> None:
    assert found(table, in_scopes(set())) == set()


def test_very_many_stale_items_and_scopes_are_no_problem(table: Any) -> None:
    condition = compiled(Filters(), {f"{number:013}" for number in range(20_000)}, SOURCES)
    assert found(table, f"{condition} AND {in_scopes(set(range(3000)))}") == {item.id for item in ITEMS}
