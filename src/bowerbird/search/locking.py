"""The second lock: what the index found is asked of SQL once more, and what fails is replaced from deeper down.

Between the index query and the answer an item may be deleted, moved to another scope, or get another content. Then its
hit is dropped, and where a page would not be full, the pipeline runs once more, on what may be seen now and deeper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bowerbird.core.records import Either
from bowerbird.index.reading import Reading
from bowerbird.index.schema import version_of
from bowerbird.search.checking import kept as checked
from bowerbird.search.pipeline import Context, Stage
from bowerbird.search.ranking import Entry
from bowerbird.search.stages import candidates
from bowerbird.store.items import Glance, StoredItem

_DEEPER = (4, 16, 64)


@dataclass(frozen=True, slots=True)
class Passed:
    """The entries that passed, best first, what was seen of their items, and the reader that saw it."""

    entries: Sequence[Entry]
    seen: Mapping[str, Glance]
    reader: Reading


def passed(
    pipeline: Stage | None,
    context: Context,
    enough: Callable[[Sequence[Entry]], bool] = bool,
    kept: Sequence[Entry] = (),
) -> Passed:
    """Run a pipeline (or take the ranking `kept` of it) and return what passes.

    Never more than were found at first: who fails is replaced, and only while what passed is not `enough`.
    """
    entries = kept or (candidates(pipeline, context) if pipeline else ())
    most = before = len(entries)
    checks = context.query.checks
    found = _checked(context.reader, entries, checks)
    for deeper in _DEEPER:
        if pipeline is None or len(found.entries) >= most or enough(found.entries):
            break
        context = replace(context, reader=context.reader.renewed(), deeper=deeper)
        again = candidates(pipeline, context)
        right = {entry.item for entry in found.entries}
        added = (entry for entry in again if entry.item not in right)
        found = _checked(context.reader, (*found.entries, *added), checks)
        if len(again) <= before:
            break  # there is nothing deeper down
        before = len(again)
    return replace(found, entries=found.entries[:most])


def paged(
    reader: Reading, entries: Sequence[Entry], limit: int
) -> tuple[list[Entry], Mapping[str, StoredItem], Sequence[Entry]]:
    """Return the first `limit` entries whose items can be had right now, these items, and the entries that follow."""
    page: list[Entry] = []
    items: dict[str, StoredItem] = {}
    while entries and len(page) < limit:
        some, entries = entries[: limit - len(page)], entries[limit - len(page) :]
        items |= reader.items([entry.item for entry in some])
        page += _sound(some, {item.id: item.content_version for item in items.values()})
    return page, items, entries


def _checked(reader: Reading, entries: Sequence[Entry], checks: Sequence[Either]) -> Passed:
    seen = reader.glance([entry.item for entry in entries])
    sound = _sound(entries, {item: glance.content_version for item, glance in seen.items()})
    right = checked(reader, {entry.item for entry in sound}, checks) if checks else None
    return Passed([entry for entry in sound if right is None or entry.item in right], seen, reader)


def _sound(entries: Iterable[Entry], versions: Mapping[str, int]) -> list[Entry]:
    """Return the entries of the items with these content versions that rest on them, or on a name alone."""
    return [
        entry
        for entry in entries
        if entry.item in versions
        and (entry.named or not entry.passages or any(version_of(k.id) == versions[entry.item] for k in entry.passages))
    ]
