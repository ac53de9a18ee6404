"""What people searched for before: kept for each of them alone, so that it can be offered to them again."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from bowerbird.core.errors import QueryError
from bowerbird.store.identity_tables import past_queries
from bowerbird.store.intake import folded
from bowerbird.store.moments import now

LONGEST = 400
"""Characters of a query that is kept; a longer one was pasted, and nobody looks for it by typing."""

_ORDERED = (
    select(past_queries.c.text)
    .where(past_queries.c.person_id == bindparam("person"))
    .order_by(past_queries.c.asked.desc())
    .subquery()
)
_MINE = select(func.json_group_array(_ORDERED.c.text))


def form_of(text: str) -> str:
    """Return the form by which queries are compared.

    >>> form_of("  Annual   REPORT ")
    'annual report'
    """
    return " ".join(folded(text).split())


def remember(connection: Connection, person: str, text: str, most: int) -> bool:
    """Keep a query of somebody, at most so many; False for one that is not kept (empty, or `most` is 0).

    Raises QueryError where it is longer than LONGEST characters.
    """
    form, plain = form_of(text), " ".join(text.split())
    if len(plain) > LONGEST or len(form) > 2 * LONGEST:
        raise QueryError(f"Queries of more than {LONGEST} characters are not remembered.", "Shorten it.")
    if not form or not most:
        return False
    values = {"person_id": person, "folded": form, "text": plain, "times": 1, "asked": _after(connection, person)}
    again = {"text": plain, "times": past_queries.c.times + 1, "asked": values["asked"]}
    statement = insert(past_queries).values(**values)
    connection.execute(statement.on_conflict_do_update(index_elements=_KEYS, set_=again))
    kept = select(past_queries.c.folded).where(past_queries.c.person_id == person)
    kept = kept.order_by(past_queries.c.asked.desc()).limit(most)
    connection.execute(
        delete(past_queries).where(past_queries.c.person_id == person, past_queries.c.folded.not_in(kept))
    )
    return True


_KEYS = [past_queries.c.person_id, past_queries.c.folded]


def listed(connection: Connection, person: str) -> Sequence[str]:
    """Return what somebody asked, the newest first."""
    # one row whatever their number: hundreds are read with every key that is typed
    together = connection.execute(_MINE, {"person": person}).scalar_one()
    return msgspec.json.decode(together, type=list[str])


def forget(connection: Connection, person: str, text: str = "") -> int:
    """Forget a query of somebody, or all of them; returns how many."""
    mine = delete(past_queries).where(past_queries.c.person_id == person)
    if text:
        mine = mine.where(past_queries.c.folded == form_of(text))
    return int(connection.execute(mine).rowcount)


def expire(connection: Connection, before: float) -> int:
    """Forget what was last asked before a moment (seconds since 1970 UTC); returns how many."""
    return int(connection.execute(delete(past_queries).where(past_queries.c.asked < before)).rowcount)


def _after(connection: Connection, person: str) -> float:
    """Return the present, or the next moment after what this person asked last: the order holds if clocks go back."""
    last = connection.execute(select(func.max(past_queries.c.asked)).where(past_queries.c.person_id == person)).scalar()
    return max(now(), (last or 0.0) + 1e-6)
