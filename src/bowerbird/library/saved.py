"""Searches that people keep under a name. Everything is for one person, given by id; another's does not exist."""

from __future__ import annotations

from bowerbird.store import saved
from bowerbird.store.saved import SavedSearch
from bowerbird.store.store import Store


class Saved:
    """What people have saved; each call is one transaction. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def listed(self, person: str) -> list[SavedSearch]:
        """Return what somebody has saved, by name."""
        with self._store.database.read() as connection:
            return saved.listed(connection, person)

    def named(self, person: str, name: str) -> SavedSearch:
        """Return one by name, whatever its case; raises NotFoundError."""
        with self._store.database.read() as connection:
            return saved.named(connection, person, name)

    def add(self, person: str, name: str, query: str, sort: str = "relevance") -> SavedSearch:
        """Save a search; raises UsageError where the name is taken or a part does not fit, or there are too many."""
        with self._store.database.write() as connection:
            return saved.add(connection, person, name, query, sort)

    def change(
        self, person: str, which: str, name: str | None = None, query: str | None = None, sort: str | None = None
    ) -> SavedSearch:
        """Change what is not None of one, by id; raises NotFoundError, UsageError."""
        with self._store.database.write() as connection:
            was = saved.get(connection, person, which)
            return saved.change(
                connection, person, which,
                was.name if name is None else name,
                was.query if query is None else query,
                was.sort if sort is None else sort,
            )  # fmt: skip

    def remove(self, person: str, which: str) -> SavedSearch:
        """Forget one, by id, and return what it was; raises NotFoundError."""
        with self._store.database.write() as connection:
            return saved.remove(connection, person, which)
