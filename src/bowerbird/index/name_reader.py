"""What one principal may be offered while typing, within one transaction: names in memory, then SQL as second lock."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from bowerbird.core.records import Filters
from bowerbird.index.names import Look, Names
from bowerbird.store import catalog, naming
from bowerbird.store.items import StoredItem

_MOST = 250
"""Items that are looked at, at most, where filters leave few of them."""

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
        look, most = self._look(), limit
        while look is not None and words:
            ids = look.items(words, most)
            passed = catalog.passing(self._connection, ids, filters) if filters != Filters() else ids
            wanted = [one for one in ids if one in passed][:limit]
            if len(wanted) == limit or len(ids) < most or most >= _MOST:
                found = catalog.by_ids(self._connection, wanted, self._scopes)
                return [found[one] for one in wanted if one in found]
            most = min(10 * most, _MOST)
        return []

    def people(self, words: Sequence[str], most: int) -> list[tuple[str, int]]:
        """Return people (`name TAB address`) of whom a word begins with each, with the number of their items."""
        look = self._look()
        return look.people(words, most) if look is not None else []

    def folders(self, words: Sequence[str], most: int) -> list[tuple[str, int]]:
        """Return folders of which a word (or the path) begins with each, with the number of items in them."""
        look = self._look()
        return look.folders(words, most) if look is not None else []

    def tags(self, words: Sequence[str], most: int) -> list[tuple[str, int]]:
        """Return tags of which a word begins with each, with the number of their items."""
        look = self._look()
        return look.tags(words, most) if look is not None else []

    def sources(self) -> Sequence[str]:
        """Return the names of sources that hold something, by name."""
        return naming.sources_of(self._connection, self._scopes)

    def _look(self) -> Look | None:
        if self._looked is None:
            self._looked = (self._names.look(self._connection, self._scopes),)
        return self._looked[0]
