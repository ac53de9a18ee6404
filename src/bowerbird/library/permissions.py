"""Who may read what, as admins see and change it: policies, mappings, rules, and why somebody sees an item.

`by` is the id of who does it. Every change is one transaction with its line in the audit log. What is shared too
widely: `permissions.oversharing`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from sqlalchemy import Connection

from bowerbird.core.errors import ForbiddenError, LockedError, NotFoundError, UsageError
from bowerbird.core.records import SYSTEM, Principal
from bowerbird.core.settings import Settings
from bowerbird.sources.base import Source
from bowerbird.sources.keys import file_uri, join
from bowerbird.store import audit, inspection, jobs, principals, rules, scopes, sessions, sources
from bowerbird.store.inspection import ScopeFacts, Why
from bowerbird.store.people import FIRST
from bowerbird.store.people import get as person_row
from bowerbird.store.rules import Added, Mapped
from bowerbird.store.scopes import Rule
from bowerbird.store.sources import SourceRow
from bowerbird.store.store import Store

if TYPE_CHECKING:
    from bowerbird.library.library import Library
    from bowerbird.library.oversharing import Oversharing


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """A rule as people read it: the source's name, and the principal by handle or group name."""

    id: str
    source: str
    prefix: str
    principal: str
    effect: str


@dataclass(frozen=True, slots=True)
class RuleAdded:
    """A rule that was made: how many items it is about, how many of them moved, and the rules that contradict it."""

    rule: RuleFacts
    items: int
    moved: int
    conflicts: tuple[RuleFacts, ...]


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """Who may read a source: its policy, the handle of its owner, and, under `source`, the names it uses unmapped."""

    source: str
    policy: str
    owner: str
    unmapped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Audience:
    """How many people may read an item now, of all who are active; `public` where everybody who is signed in may."""

    people: int
    active: int
    public: bool


class Permissions:
    """Policies, mappings and rules of one library. Thread-safe."""

    def __init__(self, store: Store, settings: Settings, open_source: Callable[[str], Source]) -> None:
        self._store = store
        self._settings = settings
        self._open = open_source

    @cached_property
    def oversharing(self) -> Oversharing:
        """What is shared more widely than it looks meant to be."""
        from bowerbird.library.oversharing import Oversharing

        return Oversharing(self._store, self._settings)

    def policy(self, source: str) -> PolicyFacts:
        """Return who may read a source; raises NotFoundError."""
        with self._store.database.read() as connection:
            return _policy(connection, sources.named(connection, source))

    def set_policy(self, source: str, policy: str, by: str = FIRST) -> PolicyFacts:
        """Change who may read a source, at once; under `source`, a sync that asks the source is enqueued.

        Until that sync what the source says is not known, and nobody but those named by rules reads it. Raises
        UsageError for an unknown policy, or where the source cannot say who may read what.
        """
        if policy not in scopes.POLICIES:
            raise UsageError(f"There is no policy named {policy[:40]}.", f"Policies are {', '.join(scopes.POLICIES)}.")
        with self._store.database.read() as connection:
            row = sources.named(connection, source)
        if policy == "source" and not self._open(row.id).says_access:
            raise UsageError(
                f"The source {row.name} does not say who may read what.", "Use another policy, and rules on its paths."
            )
        with self._store.database.write() as connection:
            sources.set_policy(connection, row.id, policy)
            audit.record(connection, Principal(f"user:{by}"), f"source.policy.{policy}", row.id)
            if (policy == "source") != (row.policy == "source"):
                jobs.enqueue(connection, "sync", row.id)
            return _policy(connection, sources.get(connection, row.id))

    def scopes(self, source: str) -> list[ScopeFacts]:
        """Return the scopes of a source with their entries and counts; raises NotFoundError."""
        with self._store.database.read() as connection:
            return inspection.scopes_of(connection, sources.named(connection, source).id)

    def rules(self, source: str = "") -> list[RuleFacts]:
        """Return the rules of a source, or all; raises NotFoundError."""
        with self._store.database.read() as connection:
            source_id = sources.named(connection, source).id if source else ""
            return _facts(connection, rules.listed(connection, source_id))

    def add_rule(self, source: str, prefix: str, principal: str, effect: str, by: str = FIRST) -> RuleAdded:
        """Make a rule for everything at or below a path of a source, and put it into force.

        `prefix` is relative to the source ("" is all of it), or an absolute path inside it. `effect` is `allow`, `deny`
        (which wins), or `only` (nobody who was let in from above the prefix stays in). Raises NotFoundError for an
        unknown source or principal, UsageError for a path outside the source; then nothing is changed.
        """
        with self._store.database.write() as connection:
            row = sources.named(connection, source)
            who = principals.resolved(connection, principal)
            made = rules.add(connection, row.id, _relative(row, prefix), who, effect)
            audit.record(connection, Principal(f"user:{by}"), "rule.added", made.rule.id)
            return _added(connection, made)

    def remove_rule(self, rule: str, by: str = FIRST) -> RuleFacts:
        """Undo a rule; raises NotFoundError."""
        with self._store.database.write() as connection:
            facts = _facts(connection, [rules.get(connection, rule)])[0]
            rules.remove(connection, rule)
            audit.record(connection, Principal(f"user:{by}"), "rule.removed", rule)
            return facts

    def mappings(self, source: str) -> list[Mapped]:
        """Return whom a source names, and who that is here; raises NotFoundError."""
        with self._store.database.read() as connection:
            return _mapped(connection, sources.named(connection, source).id)

    def set_mapping(self, source: str, theirs: str, principal: str, by: str = FIRST) -> list[Mapped]:
        """Say who it is here whom a source calls `user:NAME`, `group:NAME` or `public`; "" for nobody.

        Raises NotFoundError for an unknown source or principal, UsageError for what is no such name.
        """
        with self._store.database.write() as connection:
            row = sources.named(connection, source)
            who = principals.resolved(connection, principal) if principal else ""
            rules.set_mapping(connection, row.id, theirs.strip(), who)
            audit.record(connection, Principal(f"user:{by}"), "mapping.set" if who else "mapping.removed", row.id)
            return _mapped(connection, row.id)

    def item_id(self, text: str) -> str:
        """Return the id of an item by its id, its path in a source, or a file's path; a system read, and audited.

        Raises NotFoundError, and UsageError where several sources have such a path.
        """
        uri = file_uri(os.path.realpath(os.path.expanduser(text.replace("\0", ""))))
        with self._store.database.write() as connection:
            audit.record(connection, SYSTEM, "system.item-by-name")
            found = inspection.items_named(connection, text, uri)
        if not found:
            raise NotFoundError("There is no such item.", "Give its id, or its path as `bowerbird search` shows it.")
        if len(found) > 1:
            raise UsageError(f"There are {len(found)} items at {text[:200]}.", f"Give an id: {', '.join(found[:5])}.")
        return found[0]

    def person_id(self, text: str) -> str:
        """Return the id of the person with this handle or id; raises NotFoundError."""
        with self._store.database.read() as connection:
            return principals.person_id(connection, text.removeprefix("user:"))

    def why_visible(self, item: str, person: str, by: str = FIRST) -> Why:
        """Say which entry lets somebody read an item, or keeps them out, and through which groups.

        `item` and `person` are ids. Raises NotFoundError.
        """
        with self._store.database.write() as connection:
            found = inspection.why_visible(connection, item, person)
            audit.record(connection, Principal(f"user:{by}"), "access.explained", item)
            return found

    def who_sees(self, item: str) -> Audience:
        """Count who may read an item now; raises NotFoundError."""
        with self._store.database.read() as connection:
            return Audience(*inspection.audience(connection, item))

    def view_as(self, session: str, person: str, by: str) -> None:
        """Let an admin's session (by its key) read with the eyes of somebody else; audited.

        Raises NotFoundError, ForbiddenError where an admin would look through an owner or a suspended person is named.
        """
        with self._store.database.write() as connection:
            viewed, asker = person_row(connection, person), person_row(connection, by)
            if viewed.role == "owner" and asker.role != "owner":
                raise ForbiddenError("Only an owner can view as an owner.", "Choose another person.")
            if viewed.state != "active":
                raise ForbiddenError("This person is suspended and sees nothing.", "Choose another person.")
            sessions.view(connection, session, viewed.id if viewed.id != by else "")
            audit.record(connection, Principal(f"user:{by}"), "view.started", viewed.id)

    def stop_viewing(self, session: str, by: str) -> None:
        """Let a session read with its own person's eyes again; audited. One that does is no error."""
        with self._store.database.write() as connection:
            viewed = sessions.view(connection, session, "")
            if viewed:
                audit.record(connection, Principal(f"user:{by}"), "view.ended", viewed)


def settle(library: Library) -> None:
    """Apply moves of items to the words at once, where no other process does; raises nothing where one does."""
    try:
        worker = library.worker()
    except LockedError:
        return  # whoever is writing applies them within a moment
    with closing(worker):
        worker.writer.open()
        while any([worker.writer.apply(generation) for generation in worker.writer.living()]):
            pass


def _policy(connection: Connection, row: SourceRow) -> PolicyFacts:
    owner = principals.labels(connection, [f"user:{row.owner}"])[f"user:{row.owner}"]
    named = rules.mapped(connection, row.id) if row.policy == "source" else []
    return PolicyFacts(row.name, row.policy, owner, tuple(one.theirs for one in named if not one.principal))


def _relative(row: SourceRow, prefix: str) -> str:
    """Return a prefix relative to its source; an absolute path must lie inside it."""
    if not prefix.startswith("/") or "://" in row.location:
        return prefix
    root = unquote(urlsplit(row.location).path) if row.location.startswith("file://") else row.location
    full, root = os.path.realpath(prefix.replace("\0", "")), os.path.realpath(root)
    if full == root:
        return ""
    if not full.startswith(root.rstrip("/") + "/"):
        raise UsageError(f"{prefix[:200]} is not inside the source {row.name}.", f"The source is at {row.location}.")
    return join(full[len(root.rstrip("/")) + 1 :].split("/"))


def _facts(connection: Connection, found: list[Rule]) -> list[RuleFacts]:
    names = {row.id: row.name for row in sources.listed(connection)}
    shown = principals.labels(connection, [rule.principal for rule in found])
    return [
        RuleFacts(one.id, names.get(one.source_id, ""), one.prefix, shown[one.principal], one.effect) for one in found
    ]


def _added(connection: Connection, made: Added) -> RuleAdded:
    return RuleAdded(
        _facts(connection, [made.rule])[0], made.items, made.moved, tuple(_facts(connection, list(made.conflicts)))
    )


def _mapped(connection: Connection, source_id: str) -> list[Mapped]:
    found = rules.mapped(connection, source_id)
    shown = principals.labels(connection, [one.principal for one in found])
    return [Mapped(one.theirs, shown[one.principal], one.scopes) for one in found]
