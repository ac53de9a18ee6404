"""The conditions that go inside index queries: what is stale, what was narrowed to, and which scopes or rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from bowerbird.core.records import Filters, Period
from bowerbird.core.zones import day_start

NOTHING = "false"


def compiled(filters: Filters, stale: Collection[str], source_ids: Mapping[str, str]) -> str | None:
    """Return a Lance (DataFusion SQL) condition; `false` where nothing can pass, None where everything does.

    `stale` are the items with an unapplied entry that narrows, `source_ids` maps lower case source names to ids. The
    asker's scopes are not in it: `masks` sees to them.
    """
    conditions = [f"item NOT IN ({_list(stale)})"] if stale else []
    return " AND ".join((*conditions, *_narrowing(filters, source_ids))) or None


def _narrowing(filters: Filters, source_ids: Mapping[str, str]) -> Iterator[str]:
    """Yield the conditions of filters; none of them is about text (see `Filters.textual`)."""
    if filters.types:
        yield f"kind IN ({_list(filters.types)})"
    if filters.sources:
        wanted = [source_ids[name.lower()] for name in filters.sources if name.lower() in source_ids]
        yield f"source IN ({_list(wanted)})" if wanted else NOTHING
    if filters.within:
        yield _any(f"contains(path, {_text('/' + part.strip('/').lower() + '/')})" for part in filters.within)
    if filters.people:
        yield _any(f"contains(people, {_text(name.lower())})" for name in filters.people)
    if filters.recipients:
        yield _any(f"contains(recipients, {_text(name.lower())})" for name in filters.recipients)
    for labels in filters.by_sort():
        yield _any(f"contains(labels, {_text(chr(10) + label + chr(10))})" for label in labels)
    if filters.before or filters.after:
        yield _in_period(Period(filters.after, filters.before), filters.zone)
    if filters.periods:
        yield _any(_in_period(period, filters.zone) for period in filters.periods)
    for one in filters.either:
        options = [" AND ".join(_narrowing(option, source_ids)) or "true" for option in one.options]
        known = f"coalesce({_any(options) if options else NOTHING}, false)"  # what has no date is not before a day
        yield f"NOT {known}" if one.excluded else known


def _in_period(period: Period, zone: str) -> str:
    bounds = ((">=", period.first), ("<", period.end))
    return " AND ".join(f"modified {sign} {int(day_start(day, zone))}" for sign, day in bounds if day)


def in_scopes(scopes: Collection[int]) -> str:
    """Return the condition that a passage lies in one of these scopes (acl_ids)."""
    return f"acl_id IN ({', '.join(str(acl_id) for acl_id in sorted(scopes))})" if scopes else NOTHING


def items_in(ids: Collection[str]) -> str:
    """Return the condition that a passage belongs to one of these items."""
    return f"item IN ({_list(ids)})" if ids else NOTHING


def ids_in(ids: Collection[str]) -> str:
    """Return the condition that a passage is one of these."""
    return f"id IN ({_list(ids)})" if ids else NOTHING


def _list(values: Collection[str]) -> str:
    return ", ".join(_text(value) for value in values)


def _any(conditions: Iterable[str]) -> str:
    return f"({' OR '.join(conditions)})"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
