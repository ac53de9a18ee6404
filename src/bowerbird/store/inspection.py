"""Why somebody may read an item or may not: the entries of its scope, and the way from the person to each.

System reads, for admins: nothing here asks who looks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, or_, select

from bowerbird.core.errors import NotFoundError
from bowerbird.store import outbox, people, principals, scopes
from bowerbird.store.access import PUBLIC
from bowerbird.store.identity_tables import access_rules
from bowerbird.store.identity_tables import people as people_rows
from bowerbird.store.lists import listed
from bowerbird.store.scopes import said_of
from bowerbird.store.tables import items, scope_entries, sources
from bowerbird.store.tables import scopes as scope_rows

_SHOWN = 5
_MOST_FOUND = 20


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a scope: the principal as people know it, `allow` or `deny`, and where it comes from."""

    principal: str
    effect: str
    origin: str


@dataclass(frozen=True, slots=True)
class ScopeFacts:
    """A scope: the path that all in it is below, what the source calls it, how many items it holds, its entries."""

    path: str
    said: str
    items: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Reason:
    """An entry that decides: `way` leads from the person to its principal, as people know them."""

    entry: Entry
    way: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """Whether a person may read an item; the entries that say so (only denials where there is one), and it in words."""

    item: str
    person: str
    visible: bool
    reasons: tuple[Reason, ...]
    lines: tuple[str, ...]


def why_visible(connection: Connection, item_id: str, person_id: str) -> Why:
    """Explain; raises NotFoundError for an unknown item or person."""
    person = people.get(connection, person_id)
    row = connection.execute(
        select(items.c.key, items.c.source_id, items.c.acl_id, scope_rows.c.key.label("scope"), sources.c.name)
        .join(scope_rows, scope_rows.c.acl_id == items.c.acl_id)
        .join(sources, sources.c.id == items.c.source_id)
        .where(items.c.id == item_id)
    ).first()
    if row is None:
        raise NotFoundError("There is no such item.", "Search for it again.")
    ways = principals.chains(connection, person_id)
    entries = entries_of(connection, [row.acl_id]).get(row.acl_id, [])
    told = {one for way in ways.values() for one in way} | {principal for principal, _, _ in entries}
    shown = principals.labels(connection, told)
    reasons: dict[str, list[Reason]] = {"allow": [], "deny": []}
    for principal, effect, origin in entries:
        if principal in ways:
            way = tuple(shown[one] for one in ways[principal])
            reasons[effect].append(Reason(Entry(shown[principal], effect, origin), way))
    visible = bool(reasons["allow"]) and not reasons["deny"]
    counting = reasons["deny"] or reasons["allow"]
    lines = [f"{person.handle} may {'' if visible else 'not '}read {row.key} (source {row.name})."]
    if person.state != "active":
        lines.append(f"{person.handle} is suspended, and whoever is may read nothing.")
    lines += [_told(connection, one) for one in counting]
    if reasons["deny"] and reasons["allow"]:
        lines.append(f"A deny wins over the {len(reasons['allow'])} entries that would let {person.handle} in.")
    if not counting:
        lines.append(_nobody(shown, entries))
    lines += _unmapped(connection, row.source_id, said_of(row.scope))
    if visible and _waits(connection, item_id):
        lines.append("A change of it is not in the index yet; until it is, searches leave it out.")
    return Why(item_id, person_id, visible, tuple(counting), tuple(lines))


def audience(connection: Connection, item_id: str) -> tuple[int, int, bool]:
    """Return (people who may read an item, active people, whether everybody who is signed in may)."""
    acl_id = connection.execute(select(items.c.acl_id).where(items.c.id == item_id)).scalar()
    if acl_id is None:
        raise NotFoundError("There is no such item.", "Search for it again.")
    entries = entries_of(connection, [acl_id]).get(acl_id, [])
    let_in = readers(connection, entries)
    active = select(func.count()).select_from(people_rows).where(people_rows.c.state == "active")
    count = int(connection.execute(active).scalar_one())
    public = any(one[:2] == (PUBLIC, "allow") for one in entries) and len(let_in) == count
    return len(let_in), count, public


def readers(connection: Connection, entries: Collection[tuple[str, str, str]]) -> set[str]:
    """Return the ids of the people whom entries (principal, effect, origin) let in."""
    allowed, denied = ({one[0] for one in entries if one[1] == effect} for effect in ("allow", "deny"))
    return principals.people_in(connection, allowed) - principals.people_in(connection, denied)


def entries_of(connection: Connection, acl_ids: Collection[int] | None) -> dict[int, list[tuple[str, str, str]]]:
    """Return (principal, effect, origin) of the entries of scopes (None: of all there are), denials first."""
    columns = (scope_entries.c.acl_id, scope_entries.c.principal, scope_entries.c.effect, scope_entries.c.origin)
    statement = select(*columns)
    if acl_ids is not None:
        statement = statement.where(scope_entries.c.acl_id.in_(listed(list(acl_ids))))
    ordered = statement.order_by(scope_entries.c.effect.desc(), scope_entries.c.origin, scope_entries.c.principal)
    found: dict[int, list[tuple[str, str, str]]] = {}
    for acl_id, principal, effect, origin in connection.execute(ordered):
        found.setdefault(acl_id, []).append((principal, effect, origin))
    return found


def scopes_of(connection: Connection, source_id: str) -> list[ScopeFacts]:
    """Return the scopes of a source, by path."""
    counted = select(items.c.acl_id, func.count()).where(items.c.source_id == source_id).group_by(items.c.acl_id)
    counts = {row[0]: int(row[1]) for row in connection.execute(counted)}
    rows = connection.execute(select(scope_rows).where(scope_rows.c.source_id == source_id)).all()
    entries = entries_of(connection, [row.acl_id for row in rows])
    shown = principals.labels(connection, {one[0] for some in entries.values() for one in some})
    facts = [
        ScopeFacts(
            scopes.path_of(row.key), said_of(row.key), counts.get(row.acl_id, 0),
            tuple(Entry(shown[principal], effect, origin) for principal, effect, origin in entries.get(row.acl_id, [])),
        )
        for row in rows
    ]  # fmt: skip
    return sorted(facts, key=lambda one: (one.path, one.said))


def items_named(connection: Connection, text: str, uri: str) -> list[str]:
    """Return ids of the items with this id, key or address; a few where there are many."""
    exact = connection.execute(select(items.c.id).where(items.c.id == text)).scalars().all()
    if exact:
        return list(exact)
    wanted = select(items.c.id).where(or_(items.c.key == text, items.c.uri.in_((text, uri)))).limit(_MOST_FOUND)
    return list(connection.execute(wanted).scalars())


def _told(connection: Connection, reason: Reason) -> str:
    verb = "lets in" if reason.entry.effect == "allow" else "keeps out"
    way = " → ".join(reason.way)
    return f"{_whence(connection, reason.entry.origin)} {verb} {reason.entry.principal}: {way}."


def _whence(connection: Connection, origin: str) -> str:
    if origin.startswith("rule:"):
        rule = origin.removeprefix("rule:")
        prefix = connection.execute(select(access_rules.c.prefix).where(access_rules.c.id == rule)).scalar()
        return f"The rule {rule} on {prefix or 'the whole source'}"
    return "The source" if origin == "source" else "The policy of the source"


def _nobody(shown: Mapping[str, str], entries: Collection[tuple[str, str, str]]) -> str:
    allowed = sorted({shown[principal] for principal, effect, _ in entries if effect == "allow"})
    if not allowed:
        return "No entry lets anybody in."
    more = f" and {len(allowed) - _SHOWN} more" if len(allowed) > _SHOWN else ""
    return f"No entry lets this person in; those there are let in {', '.join(allowed[:_SHOWN])}{more}."


def _unmapped(connection: Connection, source_id: str, scope: str) -> list[str]:
    """Say whom the source names that nobody here is; only where the source is asked at all."""
    if scopes.policy_of(connection, source_id) != "source":
        return []
    claims = scopes.claims_of(connection, source_id, [scope]).get(scope, set())
    if not claims:
        return ["The source itself lets nobody in."]
    ours = scopes.mappings_of(connection, source_id)
    unknown = sorted({theirs for theirs, _ in claims} - ours.keys())
    lines = (
        [f"The source also names {', '.join(unknown[:_SHOWN])}, who is not mapped to anybody here."] if unknown else []
    )
    if any(effect == "deny" and theirs in unknown for theirs, effect in claims):
        lines.append("It keeps out somebody who is not mapped, so what it says lets nobody in.")
    return lines


def _waits(connection: Connection, item_id: str) -> bool:
    generation = outbox.served(connection)
    return generation is not None and item_id in outbox.narrowing(connection, generation.words_cursor)
