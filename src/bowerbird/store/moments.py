"""Times between records (aware datetimes in UTC) and rows (seconds since 1970)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_START = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> float:
    """Return the present, in seconds since 1970 UTC."""
    return time.time()


def to_row(moment: datetime | None) -> float | None:
    """Return the seconds of a moment; one without a zone is taken as UTC."""
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _START).total_seconds()


def from_row(seconds: float | None) -> datetime | None:
    """Return the moment of a number of seconds, in UTC; None for what no calendar holds.

    >>> from_row(86400.0)
    datetime.datetime(1970, 1, 2, 0, 0, tzinfo=datetime.timezone.utc)
    """
    if seconds is None:
        return None
    try:
        return _START + timedelta(seconds=seconds)
    except OverflowError:
        return None
