"""What admins decide beyond a source's policy: rules on paths, and whom the names of a source stand for.

A rule is put into the entries of every scope at or below its prefix. Where no scope begins there yet, one is made, and
the items below move into it; removing the rule undoes exactly that.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from bowerbird.core.errors import NotFoundError, UsageError
from bowerbird.core.ids import new_id
from bowerbird.core.records import OWNER
from bowerbird.store import moves, scopes
from bowerbird.store.identity_tables import access_rules, mappings, scope_claims
from bowerbird.store.intake import LAST
from bowerbird.store.moments import now
from bowerbird.store.scopes import MEMBER, SEPARATOR, Rule, within
from bowerbird.store.tables import items, sources

_LONGEST = 4_000
EFFECTS = ("allow", "deny", "only")
_COLUMNS = [access_rules.c[name] for name in Rule._fields]


@dataclass(frozen=True, slots=True)
class Added:
    """A rule that was made: how many items it is about, how many of them moved, and the rules it contradicts."""

    rule: Rule
    items: int
    moved: int
    conflicts: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Mapped:
    """Whom a source names, how many scopes it names them in, and who that is here ("" for nobody)."""

    theirs: str
    principal: str
    scopes: int


def add(connection: Connection, source_id: str, prefix: str, principal: str, effect: str) -> Added:
    """Make a rule and put it into force; `principal` is one that exists. Raises UsageError where it cannot be one.

    Where a deny and an allow meet on an item, the deny wins: `conflicts` names the rules on the other side.
    """
    plain = checked_prefix(prefix)
    if effect not in EFFECTS:
        raise UsageError(f"There is no effect named {effect[:40]}.", f"Effects are {', '.join(EFFECTS)}.")
    before = scopes.rules_of(connection, source_id)
    made = Rule(new_id(), source_id, plain, principal, effect)
    if any(made[1:] == one[1:] for one in before):
        raise UsageError("There is such a rule already.", "`bowerbird access rules list` shows all of them.")
    connection.execute(insert(access_rules).values(**made._asdict(), created=now()))
    moved = moves.resettled(connection, source_id, plain)
    scopes.refresh(connection, source_id)
    against = [one for one in before if _contradicts(made, one)]
    return Added(made, count_below(connection, source_id, plain), moved, tuple(against))


def remove(connection: Connection, rule_id: str) -> int:
    """Undo a rule; returns how many items moved back. Raises NotFoundError."""
    rule = get(connection, rule_id)
    connection.execute(delete(access_rules).where(access_rules.c.id == rule_id))
    scopes.refresh(connection, rule.source_id)
    moved = moves.resettled(connection, rule.source_id, rule.prefix)
    scopes.sweep(connection, rule.source_id)
    return moved


def get(connection: Connection, rule_id: str) -> Rule:
    """Return a rule by its id; raises NotFoundError."""
    row = connection.execute(select(*_COLUMNS).where(access_rules.c.id == rule_id)).first()
    if row is None:
        raise NotFoundError("There is no such rule.", "`bowerbird access rules list` shows all of them.")
    return Rule(*row)


def listed(connection: Connection, source_id: str = "") -> list[Rule]:
    """Return the rules of a source, or all, by source and prefix."""
    statement = select(*_COLUMNS).join(sources, sources.c.id == access_rules.c.source_id)
    if source_id:
        statement = statement.where(access_rules.c.source_id == source_id)
    ordered = statement.order_by(sources.c.name, access_rules.c.prefix, access_rules.c.created)
    return [Rule(*row) for row in connection.execute(ordered)]


def checked_prefix(prefix: str) -> str:
    """Return a prefix in its one form; raises UsageError where it cannot be a path within a source.

    >>> checked_prefix("/hr/payroll/")
    'hr/payroll'
    """
    plain = prefix.strip("/")
    parts = plain.split("/")
    wrong = SEPARATOR in plain or (plain and not all(parts)) or {".", ".."} & set(parts)
    if wrong or len(plain) > _LONGEST or min(plain, default=" ") < " ":
        raise UsageError("The prefix is no path within the source.", "Give it relative to the source: `hr/payroll`.")
    return plain


def count_below(connection: Connection, source_id: str, prefix: str) -> int:
    """Return how many items are at or below a prefix."""
    statement = select(func.count()).select_from(items).where(items.c.source_id == source_id)
    if prefix:
        below = or_(*(items.c.key.between(prefix + mark, prefix + mark + LAST) for mark in ("/", MEMBER)))
        statement = statement.where(or_(items.c.key == prefix, below))
    return int(connection.execute(statement).scalar_one())


def set_mapping(connection: Connection, source_id: str, theirs: str, principal: str) -> None:
    """Say who it is here whom a source calls `theirs`; "" for nobody. Rows of scopes follow."""
    kind, _, name = theirs.partition(":")
    if theirs != "public" and (kind not in ("user", "group") or not name or not name.isprintable()):
        raise UsageError(
            f"{theirs[:80]} is not how a source names anybody.", "Write `user:NAME`, `group:NAME` or `public`."
        )
    same = (mappings.c.source_id == source_id, mappings.c.theirs == theirs)
    connection.execute(delete(mappings).where(*same))
    if principal:
        connection.execute(insert(mappings).values(source_id=source_id, theirs=theirs, principal=principal))
    scopes.refresh(connection, source_id)


def mapped(connection: Connection, source_id: str) -> list[Mapped]:
    """Return whom a source names, mapped or not, and the mappings for names that it does not use."""
    ours = scopes.mappings_of(connection, source_id)
    used = select(scope_claims.c.theirs, func.count(scope_claims.c.scope.distinct()))
    used = used.where(scope_claims.c.source_id == source_id).group_by(scope_claims.c.theirs)
    counts = {row[0]: int(row[1]) for row in connection.execute(used)}
    return [Mapped(name, ours.get(name, ""), counts.get(name, 0)) for name in sorted(ours.keys() | counts.keys())]


def forget(connection: Connection, principal: str) -> None:
    """Take a principal that goes out of rules and mappings, and let the entries follow.

    What only they could read is the first owner's then: the end of a person must not open a folder to everybody.
    """
    theirs = access_rules.c.principal == principal
    only = (theirs, access_rules.c.effect == "only")
    for rule in connection.execute(select(*_COLUMNS).where(*only)).all():
        same = [access_rules.c[name] == rule[at] for at, name in ((1, "source_id"), (2, "prefix"), (4, "effect"))]
        taken = select(access_rules.c.id).where(*same, access_rules.c.principal == OWNER.name)
        if connection.execute(taken).scalar() is None:
            to_owner = update(access_rules).where(access_rules.c.id == rule.id)
            connection.execute(to_owner.values(principal=OWNER.name))
    for rule_id in connection.execute(select(access_rules.c.id).where(theirs)).scalars().all():
        remove(connection, rule_id)
    connection.execute(delete(mappings).where(mappings.c.principal == principal))
    for source_id in connection.execute(select(sources.c.id)).scalars().all():
        scopes.refresh(connection, source_id)


def _contradicts(made: Rule, other: Rule) -> bool:
    """Tell whether one of two rules denies what the other allows somewhere."""
    meet = within(made.prefix, other.prefix) or within(other.prefix, made.prefix)
    return meet and (made.effect == "deny") != (other.effect == "deny")
