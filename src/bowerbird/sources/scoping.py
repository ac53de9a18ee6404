"""What a source says about scopes, and items that moved to another one, on their way into the store.

What is narrower than before counts at once. What is wider counts only when every item of the scope has been looked at
in the same pass: until then one of them may still lie in the scope that was just made an exception of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, select

from bowerbird.core.records import Access, Failure, Item
from bowerbird.store import moves, scopes
from bowerbird.store.intake import Known
from bowerbird.store.scopes import Claim, said_of, within
from bowerbird.store.store import Store
from bowerbird.store.tables import items
from bowerbird.store.tables import scopes as scope_rows

FULL = 500


class Scoping:
    """One pass over a source. Only a source whose policy is `source` is listened to."""

    def __init__(self, store: Store, source_id: str) -> None:
        self._store = store
        self._source_id = source_id
        self._heard: list[Access] = []
        self._moved: list[Item] = []
        self._changed: set[str] = set()
        self._wider: dict[str, Access] = {}
        with store.database.read() as connection:
            self._listens = scopes.policy_of(connection, source_id) == "source"
            self._places = scopes.Places(connection, source_id)
            self._known = set(_names(connection, source_id))

    @property
    def full(self) -> bool:
        """Whether it is time to enter what was heard."""
        return len(self._heard) + len(self._moved) >= FULL

    def hear(self, access: Access) -> None:
        """Keep what the source says about a scope for the next `enter`."""
        if self._listens:
            self._heard.append(access)

    def notice(self, item: Item, before: Known, changed: bool) -> None:
        """Keep an item for the next `enter` where it lies in another scope now; `changed` says its content did, too."""
        if self._places.name(item) != before.scope:
            self._moved.append(item)
            if changed:
                self._changed.add(item.key)

    def enter(self, connection: Connection) -> None:
        """Enter what was heard since the last time; items of these scopes come after it in the same transaction."""
        fresh = {one.scope for one in self._heard} - self._known
        before = scopes.claims_of(connection, self._source_id, {one.scope for one in self._heard})
        at_once = [one if one.scope in fresh else self._narrowed(one, before) for one in self._heard]
        scopes.states(connection, self._source_id, at_once)
        self._known |= fresh
        if self._moved:
            moves.moved(connection, self._source_id, self._moved, self._changed)
        self._heard, self._moved, self._changed = [], [], set()

    def flush(self) -> None:
        """Enter what was heard, where anything was."""
        if self._heard or self._moved:
            with self._store.database.write() as connection:
                self.enter(connection)

    def settle(self, seen: Collection[str], failures: Iterable[Failure], whole: bool) -> None:
        """End the pass: let in who was not before, and nobody where the source could not be listed.

        `seen` are the keys of the items that came. `whole` says that all items of the scopes heard of should have: then
        one that did not keeps its scope as narrow as it was.
        """
        self.flush()
        if not self._listens:
            return
        blind = [failure.key for failure in failures if failure.prefix]
        if not blind and not self._wider:
            return
        with self._store.database.write() as connection:
            every = _names(connection, self._source_id)
            unsure = {name for name in every if any(within(name, key) for key in blind)}
            open_ = [one for name, one in self._wider.items() if name not in unsure]
            if whole:
                held = _held(connection, self._source_id, {one.scope for one in open_})
                open_ = [one for one in open_ if held.get(one.scope, set()) <= set(seen)]
            scopes.states(connection, self._source_id, [*open_, *(Access(name) for name in unsure)])

    def _narrowed(self, said: Access, before: Mapping[str, set[Claim]]) -> Access:
        """Return what counts at once of what was said, and remember the rest."""
        claims = before.get(said.scope, set())
        allow = tuple(theirs for theirs in said.allow if (theirs, "allow") in claims)
        kept = sorted(theirs for theirs, effect in claims if effect == "deny" and theirs not in said.deny)
        if kept or len(allow) < len(said.allow):
            self._wider[said.scope] = said
        else:
            self._wider.pop(said.scope, None)
        return Access(said.scope, allow, (*said.deny, *kept))


def _names(connection: Connection, source_id: str) -> list[str]:
    """Return what the source calls the scopes that there are."""
    names = connection.execute(select(scope_rows.c.key).where(scope_rows.c.source_id == source_id)).scalars()
    return [said_of(name) for name in names]


def _held(connection: Connection, source_id: str, wanted: Collection[str]) -> Mapping[str, set[str]]:
    """Return the keys of the items in each of these scopes, without members of containers."""
    if not wanted:
        return {}
    statement = select(items.c.key, scope_rows.c.key).join(scope_rows, scope_rows.c.acl_id == items.c.acl_id)
    held: dict[str, set[str]] = {}
    for key, name in connection.execute(statement.where(items.c.source_id == source_id, items.c.container == "")):
        if (scope := said_of(name)) in wanted:
            held.setdefault(scope, set()).add(key)
    return held
