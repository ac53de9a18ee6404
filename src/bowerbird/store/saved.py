"""The rows of saved searches: what somebody keeps under a name. Each function asks for whose they are."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import ColumnElement

from bowerbird.core.errors import NotFoundError, UsageError
from bowerbird.core.ids import new_id
from bowerbird.store.identity_tables import saved_searches
from bowerbird.store.intake import folded
from bowerbird.store.moments import now

LONGEST_NAME, LONGEST_QUERY = 100, 4_000
"""Characters."""

MOST = 200
"""Searches that one person may keep."""

SORTS = ("relevance", "date")


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A query under a name, unique to its person whatever the case; `created` is in seconds since 1970 UTC."""

    id: str
    name: str
    query: str
    sort: str
    created: float


_ROW = select(
    saved_searches.c.id, saved_searches.c.name, saved_searches.c.query, saved_searches.c.sort, saved_searches.c.created
)


def listed(connection: Connection, person: str) -> list[SavedSearch]:
    """Return what somebody has saved, by name."""
    mine = _ROW.where(saved_searches.c.person_id == person).order_by(saved_searches.c.name_folded)
    return [SavedSearch(*row) for row in connection.execute(mine)]


def get(connection: Connection, person: str, saved: str) -> SavedSearch:
    """Return one by id; raises NotFoundError where there is none or it is another's."""
    return _one(connection, _this(person, saved))


def named(connection: Connection, person: str, name: str) -> SavedSearch:
    """Return one by name, whatever its case; raises NotFoundError."""
    return _one(connection, (saved_searches.c.person_id == person, saved_searches.c.name_folded == folded(name)))


def add(connection: Connection, person: str, name: str, query: str, sort: str = "relevance") -> SavedSearch:
    """Save a search; raises UsageError where the name is taken or a part does not fit, or there are too many."""
    count = select(func.count()).where(saved_searches.c.person_id == person)
    if connection.execute(count).scalar_one() >= MOST:
        raise UsageError(f"You have saved {MOST} searches, which is the most.", "Remove one that you no longer use.")
    made, values = new_id(), _values(name, query, sort)
    try:
        connection.execute(
            saved_searches.insert().values(id=made, person_id=person, created=now(), **values),
        )
    except IntegrityError as problem:
        raise _taken(name) from problem
    return get(connection, person, made)


def change(connection: Connection, person: str, saved: str, name: str, query: str, sort: str) -> SavedSearch:
    """Give a saved search another name, query and sort; raises NotFoundError, and UsageError like `add`."""
    get(connection, person, saved)
    try:
        connection.execute(update(saved_searches).where(*_this(person, saved)).values(**_values(name, query, sort)))
    except IntegrityError as problem:
        raise _taken(name) from problem
    return get(connection, person, saved)


def remove(connection: Connection, person: str, saved: str) -> SavedSearch:
    """Forget a saved search, and return what it was; raises NotFoundError."""
    found = get(connection, person, saved)
    connection.execute(delete(saved_searches).where(*_this(person, saved)))
    return found


def _this(person: str, saved: str) -> tuple[ColumnElement[bool], ...]:
    return saved_searches.c.person_id == person, saved_searches.c.id == saved


def _one(connection: Connection, conditions: tuple[ColumnElement[bool], ...]) -> SavedSearch:
    row = connection.execute(_ROW.where(*conditions)).first()
    if row is None:
        raise NotFoundError("There is no such saved search.", "`bowerbird saved list` shows yours.")
    return SavedSearch(*row)


def _values(name: str, query: str, sort: str) -> dict[str, str]:
    name, query = " ".join(name.split()), query.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise UsageError(f"The name must be 1 to {LONGEST_NAME} characters of text.", "Choose another name.")
    if not query or len(query) > LONGEST_QUERY or not _is_text(query):
        raise UsageError(f"The query must be 1 to {LONGEST_QUERY:,} characters of text.", "Search for something first.")
    if sort not in SORTS:
        raise UsageError(f"`{sort[:40]}` is not a way to sort.", f"Sort by {' or '.join(SORTS)}.")
    return {"name": name, "name_folded": folded(name), "query": query, "sort": sort}


def _is_text(query: str) -> bool:
    """Tell whether it can be stored and shown: no lone surrogates, no control characters but blanks."""
    return not any("\ud800" <= sign <= "\udfff" or (sign < " " and not sign.isspace()) for sign in query)


def _taken(name: str) -> UsageError:
    return UsageError(f"You have saved a search as {' '.join(name.split())} already.", "Choose another name.")
