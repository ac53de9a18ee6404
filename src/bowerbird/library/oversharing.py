"""What is shared more widely than it looks meant to be: a report for admins, and the rules that would mend it.

An item is looked at where everybody, every guest or member, or a group with more people than the setting
`oversharing_people` may read it. The names on its path are asked first, then its text. A run is bounded in time and
goes on where the one before stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from bowerbird.core.errors import StoreError, UsageError
from bowerbird.core.records import SYSTEM, Document, Principal, from_json
from bowerbird.core.settings import Settings
from bowerbird.organize.sensitive import Sign, convincing, name_signs, text_signs
from bowerbird.store import audit, exposure, principals, rules, sources
from bowerbird.store.exposure import Exposed
from bowerbird.store.people import FIRST
from bowerbird.store.scopes import within
from bowerbird.store.store import Store

BATCH = 200
MOST_FINDINGS = 1_000


@dataclass(frozen=True, slots=True)
class Shared:
    """Something shared too widely: a folder or an item (`item` is its id, "" for a folder) and why it looks so.

    `to` are those it is shared with, `people` how many that are; `items` counts what lies at or below the path.
    """

    source: str
    path: str
    item: str
    to: tuple[str, ...]
    people: int
    items: int
    signs: tuple[Sign, ...]


@dataclass(frozen=True, slots=True)
class Overshared:
    """What a run found. `looked` items were looked at, `left` are not yet: `cursor` goes on there ("" at the end)."""

    findings: tuple[Shared, ...]
    looked: int
    left: int
    cursor: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A rule that would mend a finding: nobody but `principal` (who owns the source) may read what is at the path."""

    source: str
    prefix: str
    principal: str
    effect: str
    items: int


class Oversharing:
    """The report of one library. Thread-safe."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def report(
        self,
        cursor: str = "",
        seconds: float = 30.0,
        progress: Callable[[int, int], None] = lambda looked, total: None,
    ) -> Overshared:
        """Look for what is shared too widely, for about so many seconds; a system read, and audited.

        `progress` is told how many items were looked at, of how many. What was looked at before `cursor` is left out.
        """
        ends = time.monotonic() + seconds
        with self._store.database.write() as connection:
            audit.record(connection, SYSTEM, "system.oversharing")
        with self._store.database.read() as connection:
            broad = exposure.broad(connection, self._settings.get("oversharing_people", int))
            total = exposure.count(connection, broad, cursor)
        looked, found = 0, _Findings()
        while looked < total:
            with self._store.database.read() as connection:
                batch = exposure.exposed(connection, broad, cursor, BATCH)
            for one in batch:
                found.add(one, self._signs(one, found))
                cursor, looked = one.id, looked + 1
                if time.monotonic() > ends or found.full:
                    break
            progress(looked, max(total, looked))
            if not batch or time.monotonic() > ends or found.full:
                break
        left = max(total - looked, 0)
        with self._store.database.read() as connection:
            return Overshared(tuple(_counted(connection, found.all())), looked, left, cursor if left else "")

    def fixes(self, wanted: Collection[tuple[str, str]]) -> list[Fix]:
        """Return the rules that would mend findings at (source, path); raises NotFoundError, UsageError."""
        with self._store.database.read() as connection:
            return [fix for _, fix in _fixes(connection, wanted)]

    def fix(self, wanted: Collection[tuple[str, str]], by: str = FIRST) -> list[Fix]:
        """Make these rules, in one transaction, and return them; what has such a rule already is left out."""
        with self._store.database.write() as connection:
            made = _fixes(connection, wanted)
            for source_id, fix in made:
                who = principals.resolved(connection, fix.principal)
                rule = rules.add(connection, source_id, fix.prefix, who, fix.effect).rule
                audit.record(connection, Principal(f"user:{by}"), "rule.added", rule.id)
            return [fix for _, fix in made]

    def _signs(self, one: Exposed, found: _Findings) -> list[Sign]:
        """Return what an item's own name and text say; its folders are asked by `_Findings`."""
        name = one.key.rpartition("/")[2]
        signs = list({sign.kind: sign for sign in (*name_signs(one.title), *name_signs(name))}.values())
        if signs or found.covers(one) or not one.blob:
            return signs
        if one.blob not in found.texts:
            found.texts[one.blob] = text_signs(self._text(one.blob))
        return found.texts[one.blob]

    def _text(self, blob: str) -> str:
        try:
            return from_json(self._store.blobs.get(blob), Document).text
        except (StoreError, ValueError):
            return ""  # `doctor --verify` reports a damaged blob; the name was looked at


class _Findings:
    """Collects findings: one for a folder whose name tells, else one for each item."""

    def __init__(self) -> None:
        self._folders: dict[tuple[str, str], Shared] = {}
        self._items: list[Shared] = []
        self._names: dict[tuple[str, str], list[Sign]] = {}
        self.texts: dict[str, list[Sign]] = {}

    @property
    def full(self) -> bool:
        return len(self._items) + len(self._folders) >= MOST_FINDINGS

    def covers(self, one: Exposed) -> bool:
        return any((one.source, path) in self._folders for path in _above(one.key))

    def add(self, one: Exposed, signs: Sequence[Sign]) -> None:
        for path in _above(one.key):
            known = self._names.get((one.source, path))
            if known is None:
                known = self._names[one.source, path] = name_signs(path.rpartition("/")[2], folder=True)
            if convincing(known):
                self._folder(one, path, known)
                return
        if convincing(signs):
            self._items.append(Shared(one.source, one.key, one.id, one.to, one.people, 1, tuple(signs)))

    def _folder(self, one: Exposed, path: str, signs: Sequence[Sign]) -> None:
        before = self._folders.get((one.source, path))
        if before is None:
            self._folders[one.source, path] = Shared(one.source, path, "", one.to, one.people, 0, tuple(signs))
        elif not set(one.to) <= set(before.to):
            to = tuple(sorted({*before.to, *one.to}))
            self._folders[one.source, path] = replace(before, to=to, people=max(before.people, one.people))

    def all(self) -> list[Shared]:
        """Return all findings: those that most people can read first."""
        return sorted([*self._folders.values(), *self._items], key=lambda one: (-one.people, one.source, one.path))


def _above(key: str) -> Iterator[str]:
    """Yield the folders that a key lies in, the outermost first."""
    for at, sign in enumerate(key):
        if sign == "/":
            yield key[:at].removesuffix("!")


def _counted(connection: Connection, found: Sequence[Shared]) -> Iterator[Shared]:
    ids = {row.name: row.id for row in sources.listed(connection)}
    shown = principals.labels(connection, {name for one in found for name in one.to})
    for one in found:
        count = one.items or rules.count_below(connection, ids[one.source], one.path)
        yield replace(one, items=count, to=tuple(sorted(shown[name] for name in one.to)))


def _fixes(connection: Connection, wanted: Collection[tuple[str, str]]) -> list[tuple[str, Fix]]:
    made: list[tuple[str, Fix]] = []
    for name, path in sorted(set(wanted), key=lambda one: (one[0], len(one[1]), one[1])):
        if not path:
            raise UsageError("A fix needs the path of a folder or an item.", "Change the source's policy instead.")
        row, prefix = sources.named(connection, name), rules.checked_prefix(path)
        known = [rule for rule in rules.listed(connection, row.id) if rule.effect == "only"]
        covered = {rule.prefix for rule in known} | {fix.prefix for source_id, fix in made if source_id == row.id}
        if any(within(prefix, one) and one for one in covered):
            continue
        owner = principals.labels(connection, [f"user:{row.owner}"])[f"user:{row.owner}"]
        count = rules.count_below(connection, row.id, prefix)
        made.append((row.id, Fix(row.name, prefix, owner, "only", count)))
    return made
