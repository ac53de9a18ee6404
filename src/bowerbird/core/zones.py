"""Time zones by name: whose `today` it is, and when a day begins there.

A zone is a name of the IANA time zone database (`Europe/Prague`), an offset (`+02:00`), or "" for UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from bowerbird.core.settings import zone_setting

LONGEST = 64
"""Characters of a zone's name that are looked at."""

_OFFSET = re.compile(r"([+-])([01]\d|2[0-3]):([0-5]\d)")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*")
_LOCALTIME = Path("/etc/localtime")


def zone_named(name: str) -> tzinfo | None:
    """Return a zone, or None where there is none of that name (or this machine's database lacks it).

    >>> [str(zone_named(name)) for name in ("", "Europe/Prague", "+02:00", "Middle/Earth", "../../etc/passwd")]
    ['UTC', 'Europe/Prague', 'UTC+02:00', 'None', 'None']
    """
    return _zone(name) if len(name) <= LONGEST else None


@lru_cache(256)
def _zone(name: str) -> tzinfo | None:
    if name in ("", "UTC"):
        return UTC
    if offset := _OFFSET.fullmatch(name):
        away = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
        return timezone(-away if offset[1] == "-" else away)
    if not _NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # OSError: a folder of the database, such as `Europe`
        return None


def day_start(day: date, zone: str = "") -> float:
    """Return the first second of a day in a zone (UTC where there is no such zone), in seconds since 1970 UTC.

    Where the clock leaves midnight out, the day begins with the first second after.

    >>> day_start(date(1970, 1, 2)), day_start(date(2026, 3, 18), "Europe/Prague") - day_start(date(2026, 3, 18))
    (86400.0, -3600.0)
    """
    return datetime.combine(day, time(), zone_named(zone) or UTC).timestamp()


def local_zone() -> str:
    """Return this machine's zone, by what TZ says or where /etc/localtime points; its present offset without a name."""
    name = zone_setting()
    if not name and _LOCALTIME.is_symlink():
        name = str(_LOCALTIME.resolve()).rpartition("zoneinfo/")[2]
    if isinstance(zone_named(name), ZoneInfo):
        return name
    offset = datetime.now().astimezone().strftime("%z")
    return f"{offset[:3]}:{offset[3:5]}"
