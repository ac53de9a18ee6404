"""Scopes of a source: what they are called, what the source says about them, and the entries that follow from it.

A scope's name is a path (`hr/payroll`: what lies at or below it), or PATH//NAME: what lies at or below PATH and is in
the source's scope NAME. The second kind is made where NAME is no path above the item (a channel, a label), and where a
rule of an admin holds for only a part of NAME. So whatever is said of a path holds for the scopes at or below it.

Entries are never edited, they are derived: from the source's policy, from what the source says and the mappings, and
from the rules; `refresh` writes the difference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from bowerbird.core.records import Access, Item
from bowerbird.store.identity_tables import access_rules, mappings, scope_claims
from bowerbird.store.lists import listed
from bowerbird.store.tables import items, scope_entries, scopes, sources

SEPARATOR = "//"
POLICIES = ("private", "members", "public", "source")
"""Who may read a source: its owner, every member, everybody who is signed in, or whom the source itself names."""

MEMBER = "!/"
"""What stands between the key of a container and that of its member (`sources.keys` makes such keys)."""

Claim = tuple[str, str]
"""What a source says of a scope: whom it names, and `allow` or `deny`."""

Grant = tuple[str, str, str]
"""An entry of a scope: principal, effect, origin."""


class Rule(NamedTuple):
    """What an admin decided for everything at or below `prefix` ("" is the whole source).

    `allow` and `deny` add an entry; `only` allows, and cuts off whoever was let in from above the prefix.
    """

    id: str
    source_id: str
    prefix: str
    principal: str
    effect: str


def within(key: str, prefix: str) -> bool:
    """Tell whether a key (or a scope's path) is at or below a prefix.

    >>> within("hr/a.txt", "hr"), within("hr.txt", "hr"), within("a.zip!/b", "a.zip"), within("x", "")
    (True, False, True, True)
    """
    return not prefix or key == prefix or key.startswith((prefix + "/", prefix + MEMBER))


def place_name(scope: str, key: str, prefixes: Collection[str]) -> str:
    """Return the name of the scope for an item that its source has in `scope`, with rules on these prefixes.

    >>> place_name("hr", "hr/a", ()), place_name("", "hr/a", ["hr"]), place_name("C1", "chat/1", ())
    ('hr', 'hr//', '//C1')
    """
    ruled = max((prefix for prefix in prefixes if within(key, prefix)), key=len, default="")
    is_path = SEPARATOR not in scope and within(key, scope)
    return scope if is_path and within(scope, ruled) else f"{ruled}{SEPARATOR}{scope}"


def said_of(name: str) -> str:
    """Return what the source calls the scope of this name.

    >>> said_of("hr/payroll"), said_of("hr//"), said_of("//C1")
    ('hr/payroll', '', 'C1')
    """
    return name.partition(SEPARATOR)[2] if SEPARATOR in name else name


def path_of(name: str) -> str:
    """Return the path that everything in the scope of this name is at or below."""
    return name.partition(SEPARATOR)[0]


class Places:
    """Where items of a source belong, as of the transaction of the connection."""

    def __init__(self, connection: Connection, source_id: str) -> None:
        self._connection = connection
        self._source_id = source_id
        self._policy = policy_of(connection, source_id)
        self.prefixes = prefixes(connection, source_id)

    def name(self, item: Item) -> str:
        """Return the name of the scope of an item that is no member of a container."""
        return place_name(item.scope if self._policy == "source" else "", item.key, self.prefixes)

    def of(self, reported: Sequence[Item]) -> dict[str, int]:
        """Return the acl_id of the scope of each item by its key; scopes that are missing are made.

        A member of a container is where its container is, but for rules about the member.
        """
        holders = self._holders({item.container for item in reported if item.container})
        names = {
            item.key: place_name(holders[item.container], item.key, self.prefixes)
            if item.container in holders
            else self.name(item)
            for item in reported
        }
        made = ensure(self._connection, self._source_id, names.values())
        return {key: made[name] for key, name in names.items()}

    def _holders(self, keys: Collection[str]) -> dict[str, str]:
        if not keys:
            return {}
        mine = (items.c.source_id == self._source_id, items.c.key.in_(listed(keys)))
        rows = self._connection.execute(select(items.c.key, scopes.c.key).join(scopes, _LIES_IN).where(*mine))
        return {key: said_of(name) for key, name in rows}


_LIES_IN = scopes.c.acl_id == items.c.acl_id


def policy_of(connection: Connection, source_id: str) -> str:
    """Return the policy of a source, `private` for one that does not exist."""
    return connection.execute(select(sources.c.policy).where(sources.c.id == source_id)).scalar() or "private"


def prefixes(connection: Connection, source_id: str) -> frozenset[str]:
    """Return the prefixes that rules of a source are about."""
    return frozenset(
        connection.execute(select(access_rules.c.prefix).where(access_rules.c.source_id == source_id)).scalars()
    )


def rules_of(connection: Connection, source_id: str) -> list[Rule]:
    """Return the rules of a source, those of shorter prefixes first."""
    columns = [access_rules.c[name] for name in Rule._fields]
    statement = select(*columns).where(access_rules.c.source_id == source_id)
    ordered = statement.order_by(func.length(access_rules.c.prefix), access_rules.c.prefix, access_rules.c.created)
    return [Rule(*row) for row in connection.execute(ordered)]


def ensure(connection: Connection, source_id: str, names: Iterable[str]) -> dict[str, int]:
    """Return the acl_ids of the scopes of these names; those that are missing are made, with all their entries."""
    wanted = set(names)
    found = _ids(connection, source_id, wanted)
    missing = sorted(wanted - found.keys())
    if missing:
        connection.execute(insert(scopes), [{"source_id": source_id, "key": name} for name in missing])
        made = _ids(connection, source_id, missing)
        refresh(connection, source_id, made)
        found |= made
    return found


def states(connection: Connection, source_id: str, said: Iterable[Access]) -> None:
    """Put down what the source says about scopes, in place of what it said before, and let the entries follow."""
    wanted = {one.scope: _claims(one) for one in said}
    before = claims_of(connection, source_id, wanted)
    changed = {scope for scope, claims in wanted.items() if claims != before.get(scope, set())}
    if not changed:
        return
    mine = (scope_claims.c.source_id == source_id, scope_claims.c.scope.in_(listed(changed)))
    connection.execute(delete(scope_claims).where(*mine))
    rows = [
        {"source_id": source_id, "scope": scope, "theirs": theirs, "effect": effect}
        for scope in changed
        for theirs, effect in wanted[scope]
    ]
    if rows:
        connection.execute(insert(scope_claims), rows)
    every = connection.execute(select(scopes.c.key, scopes.c.acl_id).where(scopes.c.source_id == source_id))
    refresh(connection, source_id, {name: acl_id for name, acl_id in every if said_of(name) in changed})


def claims_of(connection: Connection, source_id: str, said: Collection[str]) -> dict[str, set[Claim]]:
    """Return what a source says about each of these scopes of its own, where it says anything."""
    columns = (scope_claims.c.scope, scope_claims.c.theirs, scope_claims.c.effect)
    statement = select(*columns).where(scope_claims.c.source_id == source_id, scope_claims.c.scope.in_(listed(said)))
    found: dict[str, set[Claim]] = {}
    for scope, theirs, effect in connection.execute(statement):
        found.setdefault(scope, set()).add((theirs, effect))
    return found


def _claims(said: Access) -> set[Claim]:
    return {(theirs, "allow") for theirs in said.allow} | {(theirs, "deny") for theirs in said.deny}


def mappings_of(connection: Connection, source_id: str) -> dict[str, str]:
    """Return who it is here whom a source names, by that name."""
    statement = select(mappings.c.theirs, mappings.c.principal).where(mappings.c.source_id == source_id)
    return dict(_pairs(connection, statement))


def refresh(connection: Connection, source_id: str, only: Mapping[str, int] | None = None) -> int:
    """Let the entries of scopes (all of the source, or these by name) be what follows; returns how many changed."""
    if only is None:
        every = connection.execute(select(scopes.c.key, scopes.c.acl_id).where(scopes.c.source_id == source_id))
        only = {name: acl_id for name, acl_id in every}
    if not only:
        return 0
    derive = _Derivation(connection, source_id, {said_of(name) for name in only})
    columns = (scope_entries.c.acl_id, scope_entries.c.principal, scope_entries.c.effect, scope_entries.c.origin)
    mine = select(*columns).where(scope_entries.c.acl_id.in_(listed(list(only.values()))))
    before = {tuple(row) for row in connection.execute(mine)}
    after = {(acl_id, *grant) for name, acl_id in only.items() for grant in derive.grants(name)}
    gone = [dict(zip(_PLACES, row, strict=True)) for row in before - after]
    if gone:
        same = [column == bindparam(place) for column, place in zip(columns, _PLACES, strict=True)]
        connection.execute(delete(scope_entries).where(*same), gone)
    fresh = [dict(zip(("acl_id", "principal", "effect", "origin"), row, strict=True)) for row in after - before]
    if fresh:
        connection.execute(insert(scope_entries), fresh)
    return len(before ^ after)


_PLACES = ("at_scope", "at_principal", "at_effect", "at_origin")


def sweep(connection: Connection, source_id: str) -> int:
    """Forget the scopes of a source that hold nothing, but for its own; returns how many. Names in them are gone, too.

    SQLite gives the number after the highest to a new row. So that a number which an index may still know never comes
    again, the row of the highest stays until there is a higher one, without its name.
    """
    newest = connection.execute(select(func.max(scopes.c.acl_id))).scalar()
    used = select(items.c.acl_id).where(items.c.source_id == source_id)
    mine = (scopes.c.source_id == source_id, scopes.c.key != "", scopes.c.acl_id.not_in(used))
    nameless = f"{SEPARATOR}{newest}"
    hidden = update(scopes).where(*mine, scopes.c.acl_id == newest, scopes.c.key != nameless)
    count = connection.execute(hidden.values(key=nameless)).rowcount
    if count:
        connection.execute(delete(scope_entries).where(scope_entries.c.acl_id == newest))
    count += connection.execute(delete(scopes).where(*mine, scopes.c.acl_id != newest)).rowcount
    if count:
        names = connection.execute(select(scopes.c.key).where(scopes.c.source_id == source_id)).scalars()
        of_it = (
            scope_claims.c.source_id == source_id,
            scope_claims.c.scope.not_in(listed({said_of(n) for n in names})),
        )
        connection.execute(delete(scope_claims).where(*of_it))
    return count


class _Derivation:
    """What decides the entries of a source's scopes, read once."""

    def __init__(self, connection: Connection, source_id: str, said: Collection[str]) -> None:
        row = connection.execute(select(sources.c.policy, sources.c.owner).where(sources.c.id == source_id)).first()
        self._policy = row.policy if row else "private"
        self._owner = row.owner if row else "owner"
        self._rules = rules_of(connection, source_id)
        self._said = _translated(connection, source_id, said) if self._policy == "source" else {}

    def grants(self, name: str) -> set[Grant]:
        """Return the entries of the scope of this name."""
        rules = [rule for rule in self._rules if within(path_of(name), rule.prefix)]
        cut = max((len(rule.prefix) for rule in rules if rule.effect == "only"), default=-1)
        base = self._base(name)
        grants = {grant for grant in base if grant[1] == "deny" or cut < 0}
        for rule in rules:
            origin = f"rule:{rule.id}"
            if rule.effect == "deny":
                grants.add((rule.principal, "deny", origin))
            elif len(rule.prefix) >= cut and (rule.effect == "allow" or len(rule.prefix) == cut):
                grants.add((rule.principal, "allow", origin))
        return grants

    def _base(self, name: str) -> set[Grant]:
        if self._policy == "source":
            return {(principal, effect, "source") for principal, effect in self._said.get(said_of(name), ())}
        everybody = {"private": f"user:{self._owner}", "members": "group:role:member", "public": "public"}
        return {(everybody[self._policy], "allow", "policy")}


def _translated(connection: Connection, source_id: str, said: Collection[str]) -> dict[str, set[tuple[str, str]]]:
    """Return (principal, effect) of each scope; a scope that denies somebody unknown here lets nobody in."""
    ours = mappings_of(connection, source_id)
    result: dict[str, set[tuple[str, str]]] = {}
    for scope, claims in claims_of(connection, source_id, said).items():
        if all(theirs in ours for theirs, effect in claims if effect == "deny"):
            result[scope] = {(ours[theirs], effect) for theirs, effect in claims if theirs in ours}
    return result


def _ids(connection: Connection, source_id: str, names: Collection[str]) -> dict[str, int]:
    statement = select(scopes.c.key, scopes.c.acl_id).where(scopes.c.source_id == source_id)
    return dict(_pairs(connection, statement.where(scopes.c.key.in_(listed(list(names))))))


def _pairs(connection: Connection, statement: Any) -> list[tuple[Any, Any]]:
    return [(row[0], row[1]) for row in connection.execute(statement)]
