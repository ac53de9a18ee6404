"""The one sync loop: what a source reports against what the library knows, for every connector alike.

A pull is compared by version only; content is read later (`library.ingest`), or handed on at once where the source had
it inline. New items that are old ones under another key (same version, same bytes) keep their id and their content.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bowerbird.core.errors import BowerbirdError, Interrupted
from bowerbird.core.ids import content_hash
from bowerbird.core.records import Access, Checkpoint, Failure, Gone, Item
from bowerbird.sources.base import Source
from bowerbird.sources.containers import is_container
from bowerbird.sources.scoping import Scoping
from bowerbird.store import catalog, intake, scopes, sources
from bowerbird.store.intake import Known
from bowerbird.store.sources import SourceRow
from bowerbird.store.store import Store

BATCH = 500
INLINE_BATCH = 64

Inline = Callable[[SourceRow, Sequence[Item], int], None]
"""Takes items that came with their content: enters them and reads them at once."""

Said = Access | Item | Gone | Failure
"""What a source says in a peek; a pull also says Checkpoint."""


@dataclass(slots=True)
class Outcome:
    """What a sync found: counts of items, and what could not be listed."""

    listed: int = 0
    entered: int = 0
    renamed: int = 0
    removed: int = 0
    failures: list[Failure] = field(default_factory=list)
    checkpoint: Checkpoint = field(default_factory=Checkpoint)


class Sync:
    """Runs pulls and peeks of one source against the store. Needs the writer's lock."""

    def __init__(self, store: Store, row: SourceRow, source: Source, inline: Inline, stop: threading.Event) -> None:
        self._store = store
        self._row = row
        self._source = source
        self._inline = inline
        self._stop = stop

    def pull(self, priority: int, progress: Callable[[int], None]) -> Outcome:
        """Pull everything that changed; raises Interrupted when stopped, SourceError where the source cannot be listed.

        `progress` is told now and then how many items were listed.
        """
        with self._store.database.read() as connection:
            known = intake.known(connection, self._row.id)
        reported = self._source.pull(Checkpoint(self._row.checkpoint))
        outcome = self._compare(reported, known, priority, progress)
        with self._store.database.write() as connection:
            sources.set_failures(connection, self._row.id, outcome.failures, replace=outcome.checkpoint.complete)
            sources.synced(connection, self._row.id, outcome.checkpoint.state)
            if outcome.checkpoint.complete:
                scopes.sweep(connection, self._row.id)
        return outcome

    def peek(self, keys: Iterable[str], reported: Iterator[Said], priority: int) -> Outcome:
        """Compare what a source says of some keys (after a watch event) with what is known at and below them."""
        with self._store.database.read() as connection:
            known = intake.known_keys(connection, self._row.id, list(keys))
        outcome = self._compare(self._complete(reported), known, priority, lambda _: None)
        with self._store.database.write() as connection:
            sources.set_failures(connection, self._row.id, outcome.failures, replace=False)
        return outcome

    def _complete(self, reported: Iterator[Said]) -> Iterator[Said | Checkpoint]:
        yield from reported
        yield Checkpoint(self._row.checkpoint, complete=True)

    def _compare(
        self,
        reported: Iterator[Said | Checkpoint],
        known: Mapping[str, Known],
        priority: int,
        progress: Callable[[int], None],
    ) -> Outcome:
        outcome = Outcome()
        scoping = Scoping(self._store, self._row.id)
        fresh: list[Item] = []
        changed: list[Item] = []
        seen: set[str] = set()
        gone: set[str] = set()
        for one in reported:
            if self._stop.is_set():
                raise Interrupted("The sync was stopped.", "Run it again: it goes on from here.")
            if isinstance(one, Item):
                seen.add(one.key)
                outcome.listed += 1
                self._sort(one, known.get(one.key), scoping, fresh, changed)
            elif isinstance(one, Gone):
                gone.add(one.key)
            else:
                _hear(one, scoping, outcome)
            if outcome.listed % BATCH == 0 or _full(changed) or scoping.full:
                progress(outcome.listed)
                outcome.entered += self._enter(changed, priority, scoping)
            if _full(fresh) and not known:
                outcome.entered += self._enter(fresh, priority, scoping)
        missing = self._missing(known, seen, gone, outcome)
        scoping.flush()
        fresh = self._renamed(fresh, missing, outcome)
        outcome.entered += self._enter(changed, priority, scoping) + self._enter(fresh, priority, scoping)
        outcome.removed = self._remove(known, missing)
        scoping.settle(seen, outcome.failures, outcome.checkpoint.complete)
        progress(outcome.listed)
        return outcome

    def _sort(self, one: Item, before: Known | None, scoping: Scoping, fresh: list[Item], changed: list[Item]) -> None:
        """Put an item where it belongs: among the new, the changed, those that moved, or nowhere."""
        if before is None:
            fresh.append(one)
            return
        is_changed = before.version != one.version or before.state == "failed"
        scoping.notice(one, before, is_changed)
        if is_changed:
            changed.append(one)

    def _enter(self, items: list[Item], priority: int, scoping: Scoping) -> int:
        count = len(items)
        plain = [item for item in items if item.content is None]
        inline = [item for item in items if item.content is not None]
        for start in range(0, len(plain), BATCH):
            with self._store.database.write() as connection:
                scoping.enter(connection)
                intake.found(connection, self._row, plain[start : start + BATCH], priority)
        scoping.flush()
        for start in range(0, len(inline), INLINE_BATCH):
            self._inline(self._row, inline[start : start + INLINE_BATCH], priority)
        items.clear()
        return count

    def _missing(
        self, known: Mapping[str, Known], seen: set[str], gone: set[str], outcome: Outcome
    ) -> dict[str, Known]:
        """Return what is no longer there, but for members of containers and what lies below an unreadable folder."""
        unknown = tuple(f"{failure.key}/" for failure in outcome.failures if failure.prefix and failure.key)
        kept = {failure.key for failure in outcome.failures}
        everything = outcome.checkpoint.complete and not any(f.prefix and not f.key for f in outcome.failures)
        return {
            key: one
            for key, one in known.items()
            if not one.container
            and key not in seen
            and (key in gone or (everything and key not in kept and not (unknown and key.startswith(unknown))))
        }

    def _renamed(self, fresh: list[Item], missing: dict[str, Known], outcome: Outcome) -> list[Item]:
        """Move items that only changed their key; returns the items that are really new."""
        by_version: dict[str, list[tuple[str, Known]]] = {}
        for key, one in missing.items():
            if one.size and one.state == "indexed" and not is_container(key):  # its members would keep their old keys
                by_version.setdefault(one.version, []).append((key, one))
        new: list[Item] = []
        for item in fresh:
            old = self._same(item, by_version.get(item.version, []))
            if old is None:
                new.append(item)
                continue
            key, one = old
            by_version[item.version].remove(old)
            del missing[key]
            with self._store.database.write() as connection:
                intake.renamed(connection, one.id, item)
            outcome.renamed += 1
        return new

    def _same(self, item: Item, candidates: Sequence[tuple[str, Known]]) -> tuple[str, Known] | None:
        """Return the missing item whose bytes the new one has; a version alone may be a coincidence."""
        if not candidates:
            return None
        try:
            digest = content_hash(self._source.read(item))
        except BowerbirdError:
            return None
        with self._store.database.read() as connection:
            rows = catalog.indexable(connection, [one.id for _, one in candidates])
        return next((pair for pair in candidates if rows[pair[1].id].item.content_hash == digest), None)

    def _remove(self, known: Mapping[str, Known], missing: Mapping[str, Known]) -> int:
        below = tuple(f"{key}!/" for key in missing)
        ids = [one.id for one in missing.values()]
        if below:
            ids += [one.id for key, one in known.items() if one.container and key.startswith(below)]
        with self._store.database.write() as connection:
            sources.forget_member_failures(connection, self._row.id, [key for key in missing if is_container(key)])
            return intake.removed(connection, ids)


def _hear(said: Access | Failure | Checkpoint, scoping: Scoping, outcome: Outcome) -> None:
    if isinstance(said, Access):
        scoping.hear(said)
    elif isinstance(said, Failure):
        outcome.failures.append(said)
    else:
        outcome.checkpoint = said


def _full(items: Sequence[Item]) -> bool:
    return len(items) >= (INLINE_BATCH if items and items[0].content is not None else BATCH)
