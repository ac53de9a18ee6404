"""Failed sign-ins, counted by what they have in common (a handle, an address); keys are keyed hashes, never names.

An attempt counts as failed before it is judged, so that many at once cannot slip past the limit together; one that
succeeds is taken back. Waiting doubles with every failure past the free ones (NIST SP 800-63B-4, 3.2.2).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert

from bowerbird.store.identity_tables import attempts

FORGOTTEN_SECONDS = 24 * 3600
"""Failures count no longer after this time without another."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How many failures of a key are free, and how long the wait may become, in seconds."""

    key: str
    free: int
    longest: float

    def wait(self, failures: int) -> float:
        """Return the seconds to wait after so many failures.

        >>> [Limit("k", 5, 300).wait(failures) for failures in (4, 5, 6, 9, 40)]
        [0.0, 1.0, 2.0, 16.0, 300]
        """
        if failures < self.free:
            return 0.0
        return min(math.ldexp(1.0, min(failures - self.free, 30)), self.longest)


def waiting(connection: Connection, limits: tuple[Limit, ...], at: float) -> float:
    """Return how many seconds the next attempt has to wait, 0 for none."""
    keys = [limit.key for limit in limits]
    ends = connection.execute(select(attempts.c.until).where(attempts.c.key.in_(keys))).scalars()
    return max([0.0, *(float(end) - at for end in ends)])


def count(connection: Connection, limits: tuple[Limit, ...], at: float) -> None:
    """Count an attempt as failed."""
    for limit in limits:
        before = connection.execute(
            select(attempts.c.failures).where(attempts.c.key == limit.key, attempts.c.last > at - FORGOTTEN_SECONDS)
        ).scalar()
        failures = (before or 0) + 1
        values = {"failures": failures, "last": at, "until": at + limit.wait(failures)}
        connection.execute(insert(attempts).values(key=limit.key, **values).on_conflict_do_update(["key"], set_=values))


def forgive(connection: Connection, limits: tuple[Limit, ...], cleared: str) -> None:
    """Take an attempt back, as it succeeded; the failures of the key `cleared` are forgotten altogether."""
    connection.execute(delete(attempts).where(attempts.c.key == cleared))
    for limit in limits:
        mine = attempts.c.key == limit.key
        row = connection.execute(select(attempts.c.failures, attempts.c.last).where(mine)).first()
        if row is not None:
            failures = row.failures - 1
            values = {"failures": failures, "until": row.last + limit.wait(failures)}
            connection.execute(attempts.update().where(mine).values(**values))


def sweep(connection: Connection, at: float) -> None:
    """Forget failures of long ago."""
    connection.execute(delete(attempts).where(attempts.c.last <= at - FORGOTTEN_SECONDS))
