"""The audit log as admins read it: in pages, with the handles of who is still there; checked, and exported whole.

The log itself holds pseudonyms and ids. A handle is looked up when it is shown, so it is gone with the person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import msgspec

from bowerbird.core.records import Principal
from bowerbird.store import audit
from bowerbird.store.moments import from_row
from bowerbird.store.store import Store


@dataclass(frozen=True, slots=True)
class Line:
    """One event. `person` is the handle of `actor` (a pseudonym), `subject` that of `object`; "" for nobody."""

    id: int
    at: datetime | None
    actor: str
    person: str
    action: str
    object: str
    subject: str


@dataclass(frozen=True, slots=True)
class Lines:
    """A page of the log, newest first. `next` asks for what is older (0 at the end); `actions` are all that occur."""

    events: tuple[Line, ...]
    next: int
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """Whether each event follows from the one before: how many there are, and the numbers of those that do not."""

    events: int
    broken: tuple[int, ...]


class Auditing:
    """The audit log of one library. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def page(self, before: int = 0, limit: int = 100, action: str = "") -> Lines:
        """Return events older than the number `before` (0: the newest), only of an action where one is given."""
        with self._store.database.read() as connection:
            found = audit.listed(connection, before, limit + 1, action)
            actors, subjects = audit.handles(connection)
            actions = audit.actions(connection)
        shown = tuple(_line(event, actors, subjects) for event in found[:limit])
        return Lines(shown, shown[-1].id if len(found) > limit else 0, tuple(actions))

    def verify(self) -> Chain:
        """Follow the chain of hashes through the whole log."""
        with self._store.database.read() as connection:
            number = audit.count(connection)
            return Chain(number, tuple(audit.broken(connection)))

    def exported(self, by: Principal) -> Iterator[bytes]:
        """Yield the log as JSON, a line an event, oldest first; `at` is in seconds, as the hashes take it. Audited."""
        with self._store.database.write() as connection:
            audit.record(connection, by, "audit.exported")
        with self._store.database.read() as connection:
            for event in audit.exported(connection):
                yield msgspec.json.encode(event) + b"\n"


def _line(event: audit.Event, actors: dict[str, str], subjects: dict[str, str]) -> Line:
    person, subject = actors.get(event.actor, ""), subjects.get(event.object, "")
    return Line(event.id, from_row(event.at), event.actor, person, event.action, event.object, subject)
