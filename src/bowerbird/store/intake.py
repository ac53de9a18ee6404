"""The write walk's rows: what a source reported, what waits, and what came of it.

Every change of content is one transaction: the item's row and its outbox entry (ARCHITECTURE.md, decision 1).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, case, delete, func, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from bowerbird.core.ids import new_id
from bowerbird.core.kinds import kind_of
from bowerbird.core.records import Item, Person
from bowerbird.store import outbox, titles
from bowerbird.store.items import ItemState
from bowerbird.store.moments import from_row, now, to_row
from bowerbird.store.scopes import Places
from bowerbird.store.sources import SourceRow
from bowerbird.store.tables import documents, items, scopes

WATCHED, ASKED, BACKFILL, AGAIN = 30, 20, 10, 0
"""Priorities: a watch event overtakes what was asked for, that the backfill, and that what is only made anew."""

SUSPICIOUS, MOST_ATTEMPTS = 3, 6
"""Times the whole process died while an item was among those being read: then it is read alone; then not at all."""

LAST = "\U0010ffff"
"""Sorts behind everything that begins as what stands before it does."""


_KNOWN = select(
    items.c.key, items.c.id, items.c.version, items.c.container, items.c.size, items.c.state, scopes.c.key
).join(scopes, scopes.c.acl_id == items.c.acl_id)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """What the library knows of one key of a source; `scope` is the name of the scope it lies in."""

    id: str
    version: str
    container: str
    size: int
    state: ItemState
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """An item whose content is to be read: `item.version` is the one that was claimed."""

    id: str
    source_id: str
    item: Item
    content_hash: str
    document_id: int | None
    attempts: int


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document that was just extracted: from which bytes, file name ending and parser, and the blob that holds it."""

    content_hash: str
    ending: str
    parser: str
    name: str
    blob: str


@dataclass(frozen=True, slots=True)
class Extracted:
    """What extraction found out about an item; `document` is its number, or a new one, or None without any text."""

    document: int | NewDocument | None
    title: str
    media_type: str = ""
    language: str = ""
    pages: int | None = None
    people: tuple[Person, ...] = ()
    modified: datetime | None = None
    labels: tuple[str, ...] = ()
    recipients: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an item ended: `indexed` with what was extracted, or `quarantined`/`failed` with code and reason."""

    claim: Claim
    state: ItemState
    content_hash: str
    parser: str
    extracted: Extracted
    error_code: str = ""
    error: str = ""


def folded(text: str) -> str:
    """Return the form in which names are compared: NFKC, case folded, outer space stripped."""
    return unicodedata.normalize("NFKC", text).casefold().strip()


def stem(name: str) -> str:
    """Return a file name without its ending.

    >>> stem("plan.final.docx"), stem(".gitignore"), stem("Makefile")
    ('plan.final', '.gitignore', 'Makefile')
    """
    return PurePosixPath(name).stem or name


def known(connection: Connection, source_id: str) -> dict[str, Known]:
    """Return everything known of a source, by key."""
    rows = connection.execute(_KNOWN.where(items.c.source_id == source_id))
    return {row[0]: Known(*row[1:]) for row in rows}


def known_keys(connection: Connection, source_id: str, keys: Sequence[str]) -> dict[str, Known]:
    """Return what is known of these keys and of everything below them (folders and containers)."""
    found: dict[str, Known] = {}
    for key in keys:
        # a range and not LIKE, which knows no case: Docs/ and docs/ are two folders
        below = or_(*(items.c.key.between(key + mark, key + mark + LAST) for mark in ("/", "!/")))
        wanted = and_(items.c.source_id == source_id, or_(items.c.key == key, below) if key else items.c.key != "")
        found.update({row[0]: Known(*row[1:]) for row in connection.execute(_KNOWN.where(wanted))})
    return found


def found(connection: Connection, source: SourceRow, reported: Sequence[Item], priority: int) -> None:
    """Enter new items and mark changed ones; both wait for their content from now on. None changes its scope by this.

    One whose date changed forgets its hash, so that it is put into the index with its new date even if its bytes are
    the same.
    """
    if not reported:
        return
    statement = insert(items)
    changed: dict[str, Any] = {
        name: statement.excluded[name] for name in (*_REPORTED, "modified", "version", "updated")
    }
    changed |= {"state": "pending", "attempts": 0, "priority": func.max(items.c.priority, statement.excluded.priority)}
    redated = items.c.modified.is_distinct_from(statement.excluded.modified)
    changed["content_hash"] = case((redated, ""), else_=items.c.content_hash)
    upsert = statement.on_conflict_do_update(index_elements=[items.c.source_id, items.c.key], set_=changed)
    places = Places(connection, source.id).of(reported)
    connection.execute(upsert, [_new_row(source, item, priority, places[item.key]) for item in reported])


def renamed(connection: Connection, item_id: str, item: Item) -> None:
    """Move an item to the key it has now, with its content; it is put into the index again under its new name."""
    columns = (items.c.source_id, items.c.name, items.c.title, items.c.media_type)
    row = connection.execute(select(*columns).where(items.c.id == item_id)).one()
    title = stem(item.name) if row.title == stem(row.name) else row.title
    values = {**_named(item), "version": item.version, "modified": to_row(item.modified)}
    values |= {"title": title, "title_folded": folded(title), "kind": kind_of(item.name, row.media_type)}
    values |= {"media_type": row.media_type, "acl_id": Places(connection, row.source_id).of([item])[item.key]}
    bump = {"content_version": items.c.content_version + 1, "updated": now()}
    connection.execute(update(items).where(items.c.id == item_id).values(**values, **bump))
    titles.entered(connection, {item_id: (item.name, title)})
    outbox.append(connection, [(item_id, "put", 1)])


def removed(connection: Connection, item_ids: Iterable[str]) -> int:
    """Forget items: their rows now, their passages through the outbox. Returns how many."""
    ids = list(item_ids)
    for some in _sliced(ids):
        connection.execute(delete(items).where(items.c.id.in_(some)))
        outbox.append(connection, [(item_id, "delete", 1) for item_id in some])
    return len(ids)


def waiting(connection: Connection, limit: int, taken: Collection[str] = (), priority: int = 0) -> list[Claim]:
    """Return the items to read next, most urgent first.

    Items in `taken` (being read) and those below the priority are left. Members of containers are never read by
    themselves: their container is, and its members are entered again with it.
    """
    mine = and_(items.c.state == "pending", items.c.container == "", items.c.priority >= priority)
    wanted = select(items).where(mine, items.c.id.not_in(list(taken)))
    wanted = wanted.order_by(items.c.priority.desc(), items.c.updated, items.c.id).limit(limit)
    return [_claim(row) for row in connection.execute(wanted).mappings()]


def attempted(connection: Connection, item_ids: Sequence[str]) -> None:
    """Count an attempt at these items; it is forgotten when they end, so only a crash of the process leaves it."""
    connection.execute(update(items).where(items.c.id.in_(item_ids)).values(attempts=items.c.attempts + 1))


def claims_of(connection: Connection, source_id: str, keys: Sequence[str]) -> dict[str, Claim]:
    """Return the rows of these keys as claims (members that were just entered)."""
    result: dict[str, Claim] = {}
    for some in _sliced(keys):
        mine = and_(items.c.source_id == source_id, items.c.key.in_(some))
        rows = connection.execute(select(items).where(mine)).mappings()
        result.update({row["key"]: _claim(row) for row in rows})
    return result


def finish(connection: Connection, outcomes: Sequence[Outcome]) -> int:
    """Record how items ended, and put what changed into the outbox; returns how many changed.

    An item that was removed or changed again since it was claimed is left alone.
    """
    entries: list[tuple[str, str, int]] = []
    titled: dict[str, tuple[str, str]] = {}
    for outcome in outcomes:
        same = and_(items.c.id == outcome.claim.id, items.c.version == outcome.claim.item.version)
        before = connection.execute(select(items).where(same)).mappings().first()
        if before is None:
            continue
        values = _ended(connection, outcome)
        if before["content_version"] == 0 or any(before[name] != values[name] for name in _CONTENT):
            values["content_version"] = before["content_version"] + 1
            entries.append((outcome.claim.id, "put", 1 if before["content_version"] else 0))
            titled[outcome.claim.id] = (before["name"], values["title"])
        connection.execute(update(items).where(items.c.id == outcome.claim.id).values(**values))
    outbox.append(connection, entries)
    titles.entered(connection, titled)
    return len(entries)


def requeue(connection: Connection, parser: str) -> int:
    """Let everything that another parser version read, or refused, wait again; returns how many items."""
    outdated = and_(items.c.parser != parser, items.c.parser != "", items.c.state != "pending")
    return _reread(connection, list(connection.execute(select(items.c.id).where(outdated)).scalars()))


def requeue_items(connection: Connection, item_ids: Sequence[str]) -> None:
    """Let these items (or the containers that hold them) be read and indexed again."""
    for some in _sliced(item_ids):
        changed = {"content_hash": "", "document_id": None}
        connection.execute(update(items).where(items.c.id.in_(some)).values(**changed))
    _reread(connection, item_ids)


def _reread(connection: Connection, item_ids: Sequence[str]) -> int:
    """Let items wait again, members with all containers around them; returns how many wait that did not."""
    inner, holder = items.alias(), items.alias()
    around = and_(holder.c.source_id == inner.c.source_id, holder.c.key == inner.c.container)
    every, level = set(item_ids), list(item_ids)
    while level:
        found_out = set[str]()
        for some in _sliced(level):
            wanted = select(holder.c.id).join(inner, around).where(inner.c.id.in_(some))
            found_out.update(connection.execute(wanted).scalars())
        level = list(found_out - every)
        every |= found_out
    count = 0
    for some in _sliced(sorted(every)):
        mine = items.c.id.in_(some)
        again = update(items).where(mine, items.c.container == "")
        count += connection.execute(again.values(state="pending", attempts=0, priority=AGAIN)).rowcount
        # a member without a hash is read when its container is
        connection.execute(update(items).where(mine, items.c.container != "").values(content_hash=""))
    return count


def put_again(connection: Connection, item_ids: Sequence[str]) -> None:
    """Write outbox entries for items whose passages are missing or stale in the index."""
    for some in _sliced(item_ids):
        present = set(connection.execute(select(items.c.id).where(items.c.id.in_(some))).scalars())
        outbox.append(connection, [(item_id, "put" if item_id in present else "delete", 1) for item_id in some])


def document(connection: Connection, content_hash: str, ending: str, parser: str) -> tuple[int, str, str] | None:
    """Return (id, blob, name it was extracted under) of a document made from the same bytes, or None."""
    same = (documents.c.content_hash == content_hash, documents.c.ending == ending, documents.c.parser == parser)
    row = connection.execute(select(documents.c.id, documents.c.blob, documents.c.name).where(*same)).first()
    return (row.id, row.blob, row.name) if row else None


def add_document(connection: Connection, made: NewDocument) -> int:
    """Enter a document and return its number."""
    statement = insert(documents).values(**asdict(made))
    keys = [documents.c.content_hash, documents.c.ending, documents.c.parser]
    upsert = statement.on_conflict_do_update(index_elements=keys, set_={"blob": statement.excluded.blob})
    return int(connection.execute(upsert.returning(documents.c.id)).scalar_one())


_CONTENT = ("content_hash", "document_id", "title", "error_code", "kind")


def _ended(connection: Connection, outcome: Outcome) -> dict[str, Any]:
    found_out, item = outcome.extracted, outcome.claim.item
    kept = found_out.document
    people = tuple(dict.fromkeys((*item.people, *found_out.people)))
    return {
        "state": outcome.state,
        "title": found_out.title or stem(item.name),
        "title_folded": folded(found_out.title or stem(item.name)),
        "kind": kind_of(item.name, found_out.media_type or item.media_type),
        "media_type": found_out.media_type or item.media_type,
        "people": msgspec.to_builtins(people),
        "modified": to_row(found_out.modified or item.modified),
        "content_hash": outcome.content_hash,
        "document_id": add_document(connection, kept) if isinstance(kept, NewDocument) else kept,
        "parser": outcome.parser,
        "language": found_out.language,
        "pages": found_out.pages,
        "labels": _labels(item, found_out.labels),
        "recipients": found_out.recipients,
        "error_code": outcome.error_code,
        "error": outcome.error,
        "attempts": 0,
        "priority": 0,
        "updated": now(),
    }


def _labels(item: Item, found: Sequence[str]) -> str:
    """Return labels one a line, each between line ends: so a part of the text is a whole label."""
    inside = f"is:{'attachment' if kind_of(item.container) == 'message' else 'archived'}" if item.container else ""
    return "".join(f"\n{label}\n" for label in (*found, inside) if label)


def _new_row(source: SourceRow, item: Item, priority: int, acl_id: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "source_id": source.id,
        **_named(item),
        "title": stem(item.name),
        "title_folded": folded(stem(item.name)),
        "kind": kind_of(item.name, item.media_type),
        "modified": to_row(item.modified),
        "people": msgspec.to_builtins(item.people),
        "version": item.version,
        "acl_id": acl_id,
        "state": "pending",
        "priority": priority,
        "updated": now(),
    }


_REPORTED = ("name", "name_folded", "stem_folded", "uri", "media_type", "size", "container")


def _named(item: Item) -> dict[str, Any]:
    return {
        "key": item.key,
        "name": item.name,
        "name_folded": folded(item.name),
        "stem_folded": folded(stem(item.name)),
        "uri": item.uri,
        "media_type": item.media_type,
        "size": item.size,
        "container": item.container,
    }


def _claim(row: Any) -> Claim:
    item = Item(
        key=row["key"],
        name=row["name"],
        uri=row["uri"],
        version=row["version"],
        size=row["size"],
        modified=from_row(row["modified"]),
        media_type=row["media_type"],
        container=row["container"],
    )
    return Claim(row["id"], row["source_id"], item, row["content_hash"], row["document_id"], row["attempts"])


def _sliced(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + 500] for start in range(0, len(ids), 500))
