"""What both worlds hold, as the suite knows it: who may see what by the plainest means, and what U must not notice.

An item is the same in both worlds (`twin`), or it exists in one only or differs: then it must stay where U cannot see
it. Before a change of rights would show such an item to U, it is deleted in both worlds.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field

from bowerbird.testing.leak_world import GROUPS, Cast, Thing

PLACES = (
    ("Office", "hr"), ("Office", "hr/pay"), ("Office", "plans"), ("Office", "vault"), ("Attic", "old"), ("Attic", ""),
)  # fmt: skip
"""Source and folder; each folder is a scope of its own."""

VAULT = ("Office", "vault")
"""A folder that no change opens to U: there is always a place for what is hidden."""

ROLES = ("guest", "member", "admin")
"""Roles that U may have; as an admin, U is asked for what guests may ask only: admins see that everything exists."""


@dataclass
class Held:
    """An item: its id, and how it is in world 0 and in world 1 (None where it does not exist)."""

    id: str
    source: str
    things: list[Thing | None]
    twin: bool = True

    def existing(self) -> Iterator[tuple[int, Thing]]:
        """Yield (world, how the item is there)."""
        yield from ((world, thing) for world, thing in enumerate(self.things) if thing is not None)


@dataclass
class Rights:
    """Who may see what: what the sources say of scopes, the rules, the groups, and what U is."""

    claims: dict[tuple[str, str], tuple[frozenset[str], frozenset[str]]] = field(default_factory=dict)
    rules: dict[str, tuple[str, str, str, str]] = field(default_factory=dict)
    members: set[tuple[str, str]] = field(default_factory=set)
    role: str = "member"
    active: bool = True


class Plan:
    """The worlds as they should be; changed first, and the worlds after it."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.rights = Rights()
        self.held: dict[str, Held] = {}
        self.gone: list[str] = []
        self.hidden_sources: dict[str, int] = {}
        self.jobs: list[str] = []

    def principals(self, rights: Rights | None = None) -> set[str]:
        """Return all that U is, by following groups until nothing new is found."""
        rights = rights or self.rights
        mine = {f"user:{self.cast.u}", "public", *(f"group:role:{r}" for r in ROLES[: ROLES.index(rights.role) + 1])}
        while True:
            more = {group for group, member in rights.members if member in mine} - mine
            if not more:
                return mine
            mine |= more

    def sees(self, source: str, thing: Thing, rights: Rights | None = None) -> bool:
        """Tell whether U may see an item of a source that is like this: some entry allows it, and none denies it."""
        rights = rights or self.rights
        if not rights.active:
            return False
        allow, deny = (set(names) for names in rights.claims.get((source, thing.scope), ((), ())))
        for of, prefix, principal, effect in rights.rules.values():
            if of == source and (thing.key == prefix or thing.key.startswith(f"{prefix}/") or not prefix):
                (allow if effect == "allow" else deny).add(principal)
        mine = self.principals(rights)
        return bool(allow & mine) and not deny & mine

    def shows(self, held: Held, rights: Rights | None = None) -> bool:
        """Tell whether U may see an item in some world."""
        return any(self.sees(held.source, thing, rights) for _, thing in held.existing())

    def visible(self) -> set[str]:
        """Return the ids of all that U may see."""
        return {held.id for held in self.held.values() if self.shows(held)}

    def exposed(self, rights: Rights) -> list[Held]:
        """Return the items that differ between the worlds and that U would see under these rights."""
        return [held for held in self.held.values() if not held.twin and self.shows(held, rights)]

    def changed(self) -> Rights:
        """Return a copy of the rights, to be changed and then put in force."""
        return copy.deepcopy(self.rights)

    def would_circle(self, group: str, member: str) -> bool:
        """Tell whether a group would come to hold itself."""
        above, todo = {group}, [group]
        while todo:
            one = todo.pop()
            fresh = {outer for outer, inner in self.rights.members if inner == one} - above
            above |= fresh
            todo += fresh
        return member in above

    def hides(self, source: str, folder: str) -> bool:
        """Tell whether U cannot see a new item in a folder."""
        key = f"{folder}/x" if folder else "x"
        return not self.sees(source, _probe(key, folder))


def group_ids() -> tuple[str, ...]:
    """Return the principals of the groups that both worlds hold."""
    return tuple(f"group:local:{name}" for name in GROUPS)


def _probe(key: str, scope: str) -> Thing:
    from datetime import UTC, datetime

    return Thing(key, scope, b"", datetime(2026, 1, 1, tzinfo=UTC))
