"""The ordered log of changes that index generations follow, and the generations' rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, and_, delete, func, literal, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from bowerbird.store.lists import listed
from bowerbird.store.moments import now
from bowerbird.store.tables import generations, items, outbox, terms

_SERVED = select(generations).where(generations.c.state == "served")


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: `put` or `delete` of an item, or its move to another `scope` (its content stays as it is).

    `replaces` says that older passages may be served meanwhile.
    """

    seq: int
    item: str
    operation: Literal["put", "delete", "scope"]
    replaces: bool


@dataclass(frozen=True, slots=True)
class Generation:
    """One index generation: its folder, what it was built with, its cursors and the Lance versions to read."""

    id: int
    folder: str
    state: Literal["building", "served", "retired"]
    recipe: str
    words_cursor: int
    vectors_cursor: int
    words_version: int
    vectors_version: int


def append(connection: Connection, entries: Iterable[tuple[str, str, int]]) -> None:
    """Append changes to the log, as (item, operation, replaces)."""
    rows = [{"item_id": i, "operation": o, "replaces": r, "created": now()} for i, o, r in entries]
    if rows:
        connection.execute(insert(outbox), rows)


def after(connection: Connection, cursor: int, limit: int) -> list[Entry]:
    """Return the next entries of the log."""
    rows = connection.execute(
        select(outbox).where(outbox.c.seq > cursor).order_by(outbox.c.seq).limit(limit)
    ).mappings()
    return [Entry(row["seq"], row["item_id"], row["operation"], bool(row["replaces"])) for row in rows]


def only_moved(entries: Iterable[Entry]) -> set[str]:
    """Return the items of which the entries say nothing but that they are in another scope now."""
    entries = list(entries)
    return {one.item for one in entries} - {one.item for one in entries if one.operation != "scope"}


def behind(connection: Connection, cursor: int) -> int:
    """Return how many items have entries after the cursor."""
    statement = select(func.count(outbox.c.item_id.distinct())).where(outbox.c.seq > cursor)
    return int(connection.execute(statement).scalar_one())


def items_after(connection: Connection, cursor: int) -> set[str]:
    """Return the items that have entries after the cursor."""
    return set(connection.execute(select(outbox.c.item_id).where(outbox.c.seq > cursor)).scalars())


def changed(connection: Connection, cursor: int, ids: Sequence[str]) -> set[str]:
    """Return those of these items that have entries after the cursor."""
    wanted = select(outbox.c.item_id).where(outbox.c.seq > cursor, outbox.c.item_id.in_(listed(ids)))
    return set(connection.execute(wanted.distinct()).scalars())


def behind_in(connection: Connection, cursor: int, allowed: Collection[int] | None) -> int:
    """Return how many items that still exist, in these scopes, have changes after the cursor.

    None stands for all scopes, of who knows what there is: then changes are counted, which costs far less.
    """
    after_it = outbox.c.seq > cursor
    if allowed is None:
        kept = outbox.c.operation != "delete"
        return int(connection.execute(select(func.count()).where(after_it, kept)).scalar_one())
    joined = outbox.join(items, items.c.id == outbox.c.item_id)
    by_scope = select(items.c.acl_id, func.count(outbox.c.item_id.distinct())).select_from(joined)
    found = connection.execute(by_scope.where(after_it).group_by(items.c.acl_id))
    return sum(number for acl_id, number in found if acl_id in allowed)


def narrowing(connection: Connection, cursor: int) -> list[str]:
    """Return the items whose served passages are stale: deleted or replaced, and not applied yet."""
    wanted = and_(outbox.c.seq > cursor, or_(outbox.c.replaces == 1, outbox.c.operation == "delete"))
    return list(connection.execute(select(outbox.c.item_id).where(wanted).distinct()).scalars())


def put_all(connection: Connection, replaces: int = 1) -> None:
    """Write every item that has content into the log again, for a generation that is built anew.

    `replaces` is 0 where no other generation is served: then there are no older passages to be hidden or removed.
    """
    every = select(items.c.id, literal("put"), literal(replaces), literal(now())).where(items.c.content_version > 0)
    connection.execute(insert(outbox).from_select(["item_id", "operation", "replaces", "created"], every))


def pruned(connection: Connection) -> None:
    """Forget entries that every living generation has applied."""
    cursors = select(func.min(func.min(generations.c.words_cursor, generations.c.vectors_cursor)))
    done = connection.execute(cursors.where(generations.c.state != "retired")).scalar()
    if done:
        connection.execute(delete(outbox).where(outbox.c.seq < done))


def last(connection: Connection) -> int:
    """Return the number of the newest entry, 0 where there is none."""
    return int(connection.execute(select(func.max(outbox.c.seq))).scalar() or 0)


def served(connection: Connection) -> Generation | None:
    """Return the generation that readers open, None before the first."""
    row = connection.execute(_SERVED).mappings().first()
    return _generation(row) if row else None


def all_generations(connection: Connection) -> list[Generation]:
    """Return all generations, oldest first."""
    return [_generation(row) for row in connection.execute(select(generations).order_by(generations.c.id)).mappings()]


def add_generation(connection: Connection, folder: str, state: str, recipe: str) -> Generation:
    """Enter a new generation with its cursors at the start."""
    values = {"folder": folder, "state": state, "recipe": recipe, "created": now()}
    made = connection.execute(insert(generations).values(**values).returning(generations)).mappings().one()
    return _generation(made)


def change_generation(connection: Connection, generation_id: int, values: Mapping[str, Any]) -> None:
    """Change columns of a generation's row (cursors move only after their Lance commit)."""
    connection.execute(update(generations).where(generations.c.id == generation_id).values(**values))


def serve(connection: Connection, generation_id: int) -> None:
    """Serve a generation from now on; the one served before is retired."""
    connection.execute(update(generations).where(generations.c.state == "served").values(state="retired"))
    change_generation(connection, generation_id, {"state": "served"})


def forget_generation(connection: Connection, generation_id: int) -> None:
    """Remove the row of a retired generation whose folder is gone."""
    connection.execute(delete(generations).where(generations.c.id == generation_id))


def count_terms(connection: Connection, changes: Mapping[str, int]) -> None:
    """Add to the passage counts of words; a count that falls to 0 or below is forgotten."""
    changed = [(term, change) for term, change in changes.items() if change]
    if not changed:
        return
    # thousands of words a batch: the driver's own executemany takes a third of the time
    connection.exec_driver_sql(
        "INSERT INTO terms (term, passages) VALUES (?, ?)"
        " ON CONFLICT (term) DO UPDATE SET passages = passages + excluded.passages",
        changed,
    )
    if any(change < 0 for _, change in changed):
        connection.execute(delete(terms).where(terms.c.passages <= 0))


def clear_terms(connection: Connection) -> None:
    """Forget all words (before they are counted anew)."""
    connection.execute(delete(terms))


def all_terms(connection: Connection) -> dict[str, int]:
    """Return the passage counts of all words."""
    return {term: passages for term, passages in connection.execute(select(terms.c.term, terms.c.passages))}


def completions(connection: Connection, prefix: str, limit: int) -> Sequence[str]:
    """Return the words that begin with a prefix, the most frequent first."""
    end = prefix + "\U0010ffff"
    wanted = select(terms.c.term).where(terms.c.term >= prefix, terms.c.term < end)
    return list(connection.execute(wanted.order_by(terms.c.passages.desc(), terms.c.term).limit(limit)).scalars())


def is_term(connection: Connection, word: str) -> bool:
    """Tell whether any passage holds this word, lower case."""
    return connection.execute(select(terms.c.term).where(terms.c.term == word)).scalar() is not None


def _generation(row: Any) -> Generation:
    return Generation(
        row["id"], row["folder"], row["state"], row["recipe"], row["words_cursor"], row["vectors_cursor"],
        row["words_version"], row["vectors_version"],
    )  # fmt: skip
