"""The words of names and titles, by item: what somebody types is completed from the items that they may see."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Connection, delete, func, select

from bowerbird.core.records import Finding
from bowerbird.store.database import Database
from bowerbird.store.identity_tables import title_words
from bowerbird.store.lists import listed
from bowerbird.store.tables import items

SHORTEST = 2
"""Letters that must be typed before they are completed: one letter begins a word of every other title."""

_WORD = re.compile(r"[^\W\d_][^\W_]{1,23}")
_SLICE = 500


def words_of(name: str, title: str) -> set[str]:
    """Return the words of an item's name and title: 2 to 24 letters and digits, a letter first, lower case.

    >>> sorted(words_of("Q3_travel-plan.md", "The Plan"))
    ['md', 'plan', 'q3', 'the', 'travel']
    """
    return set(_WORD.findall(f"{name} {title}".lower()))


def entered(connection: Connection, titled: Mapping[str, tuple[str, str]]) -> None:
    """Keep the words of items (id -> name and title) instead of those that were kept of them."""
    if titled:
        connection.execute(delete(title_words).where(title_words.c.item_id.in_(listed(list(titled)))))
        rows = [(word, item) for item, (name, title) in titled.items() for word in words_of(name, title)]
        if rows:
            connection.exec_driver_sql("INSERT INTO title_words (word, item_id) VALUES (?, ?)", rows)


def completions(connection: Connection, prefix: str, scopes: Collection[int], limit: int) -> Sequence[str]:
    """Return words that begin with a prefix, of items in these scopes only, those of the most items first."""
    if len(prefix) < SHORTEST:
        return []
    by_scope = _BY_SCOPE.where(title_words.c.word >= prefix, title_words.c.word < prefix + "\U0010ffff")
    counts = Counter[str]()
    for word, acl_id, number in connection.execute(by_scope.group_by(title_words.c.word, items.c.acl_id)):
        if acl_id in scopes:
            counts[word] += number
    return sorted(counts, key=lambda word: (-counts[word], word))[:limit]


def holds(connection: Connection, word: str, scopes: Collection[int]) -> bool:
    """Tell whether the name or title of an item in these scopes has this word, lower case."""
    found = connection.execute(_SCOPES.where(title_words.c.word == word))
    return any(acl_id in scopes for acl_id in found.scalars())


_JOINED = title_words.join(items, items.c.id == title_words.c.item_id)
_BY_SCOPE = select(title_words.c.word, items.c.acl_id, func.count()).select_from(_JOINED)
_SCOPES = select(items.c.acl_id).distinct().select_from(_JOINED)


class TitleKeeper:
    """Keeper of the words of titles: they are derived from the items' rows, and made again from them."""

    name = "titles"

    def __init__(self, database: Database) -> None:
        self._database = database

    def verify(self) -> Iterator[Finding]:
        """Yield items of which other words are kept than their names and titles have."""
        with self._database.read() as connection:
            held: dict[str, set[str]] = {}
            for word, item in connection.execute(select(title_words.c.word, title_words.c.item_id)):
                held.setdefault(item, set()).add(word)
            for item, (name, title) in _titled(connection, None).items():
                if held.pop(item, set()) != words_of(name, title):
                    yield Finding(self.name, item, "its title cannot be completed from")
        for item in sorted(held):
            yield Finding(self.name, item, "words are kept of an item that is gone, or not read yet")

    def repair(self, findings: Iterable[Finding]) -> int:
        """Keep the words of the items found wrong."""
        wrong = [finding.subject for finding in findings if finding.keeper == self.name]
        for start in range(0, len(wrong), _SLICE):
            some = wrong[start : start + _SLICE]
            with self._database.write() as connection:
                entered(connection, {**dict.fromkeys(some, ("", "")), **_titled(connection, some)})
        return len(wrong)

    def purge(self, items: Iterable[str]) -> Mapping[str, int]:
        """Remove nothing: words go with their item's row, in the same transaction."""
        del items
        return {}

    def export(self, person: str) -> dict[str, object]:
        """Return nothing: no word is kept about a person."""
        del person
        return {}

    def erase(self, person: str) -> int:
        """Erase nothing: no word is kept about a person."""
        del person
        return 0


def _titled(connection: Connection, only: Sequence[str] | None) -> dict[str, tuple[str, str]]:
    wanted = select(items.c.id, items.c.name, items.c.title).where(items.c.content_version > 0)
    if only is not None:
        wanted = wanted.where(items.c.id.in_(listed(only)))
    return {row.id: (row.name, row.title) for row in connection.execute(wanted)}
