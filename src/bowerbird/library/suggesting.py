"""What is offered to somebody who types, and what they searched for before."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bowerbird.core.records import Principal
from bowerbird.core.settings import Settings
from bowerbird.store import queries
from bowerbird.store.store import Store

if TYPE_CHECKING:
    from bowerbird.index.names import Names
    from bowerbird.search.suggesting import Suggestion


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The answer. `partial` says that names are missing as they are still being read, which takes a few seconds."""

    query: str
    suggestions: tuple[Suggestion, ...]
    partial: bool
    took_ms: float


class Suggesting:
    """Suggestions for any principal, and everybody's own past queries; one for the library, used from any thread."""

    def __init__(self, store: Store, settings: Settings) -> None:
        from bowerbird.index.names import Names

        self._store = store
        self._most = settings.get("queries_kept", int)
        self._names = Names()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def names(self) -> Names:
        """The names in memory, for readers."""
        return self._names

    def suggest(self, text: str, principal: Principal, person: str = "", limit: int = 5) -> Suggestions:
        """Return what fits a query that is typed up to its end, by what a principal may see.

        `person` is whose past queries are offered, "" for none. Raises QueryError where the text is too long.
        """
        from bowerbird.index.name_reader import NameReader
        from bowerbird.search.query import parse
        from bowerbird.search.suggesting import suggest

        begun = time.perf_counter()
        clean = parse(text).text
        with self._store.database.read() as connection:
            offered = NameReader(connection, self._names, self._store.scopes.visible(connection, principal))
            past = queries.listed(connection, person) if person else ()
            found = suggest(offered, past, clean, limit)
            partial = not offered.ready()
        return Suggestions(clean, found, partial, round((time.perf_counter() - begun) * 1000, 2))

    def remember(self, person: str, text: str) -> bool:
        """Keep a query of somebody, in place of their oldest where there are too many; whether it was kept.

        Raises QueryError where it is too long.
        """
        from bowerbird.search.query import parse

        clean = parse(text).text
        with self._store.database.write() as connection:
            return queries.remember(connection, person, clean, self._most)

    def past(self, person: str) -> list[str]:
        """Return what somebody searched for, the newest first."""
        with self._store.database.read() as connection:
            return list(queries.listed(connection, person))

    def forget(self, person: str, text: str = "") -> int:
        """Forget a past query of somebody, or all of them; returns how many."""
        with self._store.database.write() as connection:
            return queries.forget(connection, person, text)

    def start(self) -> None:
        """Read the names now, and follow what changes, on a thread; for a server."""
        if self._thread is None:
            self._stop.clear()
            follow = (self._store.database, self._stop)
            self._thread = threading.Thread(target=self._names.keep_level, args=follow, name="names", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def forget_names(self) -> None:
        """Forget the names in memory (after a purge); they are read again."""
        self._names.forget()
