"""What one principal may be offered while typing, within one transaction: names in memory, then SQL as second lock."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from bowerbird.core.records import Filters
from bowerbird.index.names import Look, Names
from bowerbird.store import catalog, naming
from bowerbird.store.items import StoredItem

_SPARE, _MOST = 3, 500
"""Candidates above what is wanted that are asked for at first, and at most where filters leave few of them."""

MOST = 1_000_000
"""More people than any library has: asks for all of them."""


class NameReader:
    """Reads names, people, folders and sources of what lies in these scopes, and counts nothing else."""

    def __init__(self, connection: Connection, names: Names, scopes: frozenset[int]) -> None:
        self._connection = connection
        self._names = names
        self._scopes = scopes
        self._looked: tuple[Look | None] | None = None

    def ready(self) -> bool:
        """Tell whether the names are there; False only while they are read for the first time."""
        return self._look() is not None

    def items(self, words: Sequence[str], filters: Filters, limit: int) -> list[StoredItem]:
        """Return items whose names have all these words (plain, each may be unfinished) and that pass the filters."""
        look = self._look()
        most = limit + _SPARE
        while look is not None and words:
            ids = look.items(words, most)
            found = catalog.by_ids(self._connection, ids, self._scopes)
            passed = catalog.passing(self._connection, list(found), filters) if filters != Filters() else found
            shown = [found[one] for one in ids if one in passed]
            if len(shown) >= limit or len(ids) < most or most >= _MOST:
                return shown[:limit]
            most *= 5
        return []

    def people(self, words: Sequence[str], most: int) -> list[tuple[str, int]]:
        """Return people (`name TAB address`) of whom a word begins with each, with the number of their items."""
        look = self._look()
        return look.people(words, most) if look is not None else []

    def folders(self, words: Sequence[str], most: int) -> list[tuple[str, int]]:
        """Return folders of which a word (or the path) begins with each, with the number of items in them."""
        look = self._look()
        return look.folders(words, most) if look is not None else []

    def sources(self) -> Sequence[str]:
        """Return the names of sources that hold something, by name."""
        return naming.sources_of(self._connection, self._scopes)

    def _look(self) -> Look | None:
        if self._looked is None:
            self._looked = (self._names.look(self._connection, self._scopes),)
        return self._looked[0]
