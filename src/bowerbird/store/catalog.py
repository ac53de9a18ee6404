"""Reading items: always within a set of scopes, so that every path out of the store asks who may see."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    and_,
    bindparam,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    true,
    type_coerce,
)

from bowerbird.core.records import Filters, Period, Person
from bowerbird.core.zones import day_start
from bowerbird.store.intake import LAST, folded
from bowerbird.store.items import Glance, StoredItem
from bowerbird.store.lists import listed
from bowerbird.store.moments import from_row
from bowerbird.store.tables import documents, items, sources

_ALL = select(
    items.c.id, items.c.source_id, sources.c.name, items.c.key, items.c.name, items.c.title, items.c.uri, items.c.kind,
    items.c.media_type, items.c.size, items.c.modified, type_coerce(items.c.people, String), items.c.state,
    items.c.content_version, items.c.acl_id, items.c.language, items.c.pages, items.c.container, items.c.content_hash,
    items.c.error_code, items.c.error, items.c.labels, items.c.recipients,
).join(sources, sources.c.id == items.c.source_id)  # fmt: skip
"""The columns of a StoredItem in its order. By position, and people as text: a search makes hundreds of them."""

_GLANCES = (
    select(
        items.c.id,
        items.c.kind,
        sources.c.name,
        items.c.modified,
        type_coerce(items.c.people, String),
        items.c.acl_id,
        items.c.content_version,
    )
    .join(sources, sources.c.id == items.c.source_id)
    .where(items.c.id.in_(select(func.json_each(bindparam("ids")).table_valued("value").c.value)))
)

_MOST_LISTED = 500
"""Scopes up to which SQL is told which they are; who sees more will soon have enough of what comes in order."""

_NAMES = [one.name for one in fields(StoredItem)]
_FIELDS = len(_NAMES)
_MODIFIED, _PEOPLE, _ACL = map(_NAMES.index, ("modified", "people", "acl_id"))


@dataclass(frozen=True, slots=True)
class Indexable:
    """What the index needs of an item: its row and the blob of its document ("" where it has no text)."""

    item: StoredItem
    blob: str
    document_id: int | None


def by_ids(connection: Connection, ids: Sequence[str], scopes: Collection[int]) -> dict[str, StoredItem]:
    """Return those of the items that exist and lie in one of the scopes."""
    result: dict[str, StoredItem] = {}
    for some in _sliced(ids):
        rows = connection.execute(_ALL.where(items.c.id.in_(listed(some)))).all()
        result.update({row[0]: stored(row) for row in rows if row[_ACL] in scopes})
    return result


def glances(connection: Connection, ids: Sequence[str], scopes: Collection[int]) -> dict[str, Glance]:
    """Return those of the items that exist and lie in one of the scopes, with the columns that are counted."""
    rows = connection.execute(_GLANCES, {"ids": json.dumps(list(ids))}).all()
    return {
        row[0]: Glance(row[1], row[2], from_row(row[3]), _people(row[4]), *row[5:]) for row in rows if row[5] in scopes
    }


def named(connection: Connection, text: str, filters: Filters, scopes: Collection[int], limit: int) -> list[str]:
    """Return ids of items whose name, stem, title or key is the text, in that order of preference, newest first."""
    wanted = folded(text)
    if not wanted:
        return []
    folds: tuple[ColumnElement[str], ...] = (items.c.name_folded, items.c.stem_folded, items.c.title_folded)
    exact = or_(*(fold == wanted for fold in folds))
    if "/" in text:
        key = func.lower(items.c.key)
        below = key.endswith("/" + text.lower(), autoescape=True)
        exact = or_(exact, key == text.lower(), below, items.c.uri == text)
    statement = select(items.c.id, items.c.acl_id, *folds).select_from(items.join(sources))
    statement = _narrowed(statement.where(exact), filters).order_by(items.c.modified.desc(), items.c.id)
    visible = (row for row in connection.execute(statement) if row.acl_id in scopes)
    ranked = sorted(visible, key=lambda row: [fold != wanted for fold in row[2:]])
    return [row.id for row in ranked[:limit]]


def recent(connection: Connection, filters: Filters, scopes: Collection[int], limit: int) -> list[str]:
    """Return ids of the newest items that pass the filters."""
    statement = _narrowed(select(items.c.id, items.c.acl_id).select_from(items.join(sources)), filters)
    if len(scopes) <= _MOST_LISTED:
        statement = statement.where(items.c.acl_id.in_(listed(scopes)))
    with connection.execute(statement.order_by(items.c.modified.desc(), items.c.id)) as rows:
        return list(islice((row[0] for row in rows if row[1] in scopes), limit))


def indexable(connection: Connection, ids: Sequence[str]) -> dict[str, Indexable]:
    """Return what the index needs of these items; a system read, for the writer only."""
    statement = _ALL.add_columns(documents.c.blob, items.c.document_id)
    statement = statement.outerjoin(documents, documents.c.id == items.c.document_id)
    result: dict[str, Indexable] = {}
    for some in _sliced(ids):
        rows = connection.execute(statement.where(items.c.id.in_(listed(some)))).all()
        result.update({row[0]: Indexable(stored(row), row[_FIELDS] or "", row[_FIELDS + 1]) for row in rows})
    return result


def document_blob(connection: Connection, item_id: str) -> str:
    """Return the name of the blob that holds an item's document, "" where it has none."""
    statement = select(documents.c.blob).join(items, items.c.document_id == documents.c.id)
    blob: str | None = connection.execute(statement.where(items.c.id == item_id)).scalar()
    return blob or ""


def source_version(connection: Connection, item_id: str) -> str:
    """Return the version of an item that its source reported last, "" for one that is gone."""
    version: str | None = connection.execute(select(items.c.version).where(items.c.id == item_id)).scalar()
    return version or ""


def keyed(connection: Connection, source_id: str, key: str) -> StoredItem | None:
    """Return the item with this key of a source; a system read, for opening containers."""
    row = connection.execute(_ALL.where(items.c.source_id == source_id, items.c.key == key)).first()
    return stored(row) if row else None


def versions(connection: Connection) -> dict[str, tuple[int, int]]:
    """Return (content version, acl_id) of every item that has been read; a system read, for `doctor`."""
    statement = select(items.c.id, items.c.content_version, items.c.acl_id).where(items.c.content_version > 0)
    return {row[0]: (row[1], row[2]) for row in connection.execute(statement)}


def states(connection: Connection) -> dict[str, int]:
    """Return how many items are in each state."""
    rows = connection.execute(select(items.c.state, func.count()).group_by(items.c.state))
    return {row[0]: row[1] for row in rows}


def pending(connection: Connection) -> int:
    """Return how many items wait for their content to be read."""
    return int(connection.execute(select(func.count()).where(items.c.state == "pending")).scalar_one())


def waiting(connection: Connection, scopes: Collection[int]) -> int:
    """Return how many items of the scopes wait for their content to be read."""
    by_scope = select(items.c.acl_id, func.count()).where(items.c.state == "pending").group_by(items.c.acl_id)
    return sum(number for acl_id, number in connection.execute(by_scope) if acl_id in scopes)


def troubled(connection: Connection, limit: int) -> list[StoredItem]:
    """Return the items that are quarantined or failed, newest first."""
    wanted = items.c.state.in_(("quarantined", "failed"))
    rows = connection.execute(_ALL.where(wanted).order_by(items.c.updated.desc(), items.c.id).limit(limit))
    return [stored(row) for row in rows]


def stored(row: Sequence[Any]) -> StoredItem:
    """Make the record of a row that begins with the columns of `_ALL`."""
    values = list(row[:_FIELDS])
    values[_MODIFIED] = from_row(values[_MODIFIED])
    values[_PEOPLE] = _people(values[_PEOPLE])
    return StoredItem(*values)


@lru_cache(2_000)
def _people(text: str) -> tuple[Person, ...]:
    return msgspec.json.decode(text, type=tuple[Person, ...])


def parts(connection: Connection, places: Sequence[tuple[str, str]], scopes: Collection[int], limit: int) -> list[str]:
    """Return items that are parts of these documents (source, key before the fragment), each document's by its keys."""
    found: list[str] = []
    for source, document in places:
        mine = and_(items.c.source_id == source, items.c.key.between(f"{document}#", f"{document}#{LAST}"))
        wanted = select(items.c.id, items.c.acl_id).where(mine).order_by(items.c.key).limit(limit)
        found += [row.id for row in connection.execute(wanted) if row.acl_id in scopes]
    return found[:limit]


def passing(connection: Connection, ids: Sequence[str], filters: Filters) -> set[str]:
    """Return those of these items that pass the filters (all but what they say of text)."""
    passed = _narrowed(select(items.c.id).select_from(items.join(sources)), filters)
    some_of = (passed.where(items.c.id.in_(listed(some))) for some in _sliced(ids))
    return {row[0] for statement in some_of for row in connection.execute(statement)}


def _narrowed(statement: Select[Any], filters: Filters) -> Select[Any]:
    return statement.where(*_conditions(filters))


def _conditions(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.types:
        yield items.c.kind.in_(filters.types)
    if filters.sources:
        yield func.lower(sources.c.name).in_([name.lower() for name in filters.sources])
    if filters.within:
        path = func.lower("/" + items.c.key)
        yield or_(*(func.instr(path, f"/{part.strip('/').lower()}/") > 0 for part in filters.within))
    if filters.people:
        yield or_(*(_involved(name.lower()) for name in filters.people))
    if filters.recipients:
        yield or_(*(func.instr(items.c.recipients, name.lower()) > 0 for name in filters.recipients))
    for labels in filters.by_sort():
        yield or_(*(func.instr(items.c.labels, f"\n{label}\n") > 0 for label in labels))
    yield from _in_period(Period(filters.after, filters.before), filters.zone)
    if filters.periods:
        yield or_(*(and_(true(), *_in_period(period, filters.zone)) for period in filters.periods))
    for one in filters.either:
        options = (and_(true(), *_conditions(option)) for option in one.options)
        known = func.coalesce(or_(false(), *options), false())  # what has no date is not before a day
        yield not_(known) if one.excluded else known


def _in_period(period: Period, zone: str) -> Iterator[ColumnElement[bool]]:
    if period.first:
        yield items.c.modified >= day_start(period.first, zone)
    if period.end:
        yield items.c.modified < day_start(period.end, zone)


def _involved(name: str) -> ColumnElement[bool]:
    """Return the condition that the name or the address of some person of an item holds a text."""
    person = func.json_each(items.c.people).table_valued("value")
    full, address = (func.json_extract(person.c.value, path, type_=String) for path in ("$.name", "$.address"))
    told = func.lower(full + " " + address)
    return exists(select(1).select_from(person).where(func.instr(told, name) > 0))


def _sliced(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + 500] for start in range(0, len(ids), 500))


def progress_of(connection: Connection, source_ids: Collection[str]) -> tuple[int, int]:
    """Return (items that wait, items that are quarantined or failed) of these sources."""
    mine = items.c.source_id.in_(source_ids)
    waiting_count = select(func.count()).where(mine, items.c.state == "pending")
    failed_count = select(func.count()).where(mine, items.c.state.in_(("quarantined", "failed")))
    return int(connection.execute(waiting_count).scalar_one()), int(connection.execute(failed_count).scalar_one())
