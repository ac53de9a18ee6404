"""Checksums over the rows of the truth: SQLite's own check does not see a flipped bit in a text or a number.

`table_sums` holds, for each table, the sum of the CRC-32 of its rows. Triggers keep it in the transaction that changes
a row, so it holds after a crash too; whoever changes the file beside SQLite leaves a sum that does not fit. A program
without the function `row_sum` (any but Bowerbird) cannot write to these tables.
"""

from __future__ import annotations

import zlib

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

UNCOVERED = frozenset(("table_sums", "terms", "title_words", "name_changes"))
"""The sums themselves, what is derived in memory, and words: thousands change with a batch, and `index.keeper` and
`titles` make them anew."""


def row_sum(*values: object) -> int:
    """Return the CRC-32 of a row's values with their types; in SQL the function `row_sum`.

    >>> row_sum("a", 1) == row_sum("a", 1), row_sum("a", 1) == row_sum("a", "1")
    (True, False)
    """
    return zlib.crc32(repr(values).encode("utf-8", "surrogatepass"))


def install(connection: Connection) -> None:
    """Make the triggers anew and sum up what is there; after every migration, as columns may have changed."""
    for table, columns in _covered(connection).items():
        fresh, old = (", ".join(f"{side}.{column}" for column in columns) for side in ("NEW", "OLD"))
        changes = {
            "INSERT": f"+ row_sum({fresh})",
            "DELETE": f"- row_sum({old})",
            "UPDATE": f"+ row_sum({fresh}) - row_sum({old})",
        }
        for event, change in changes.items():
            name = f"sum_{table}_{event.lower()}"
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
            statement = f"UPDATE table_sums SET sum = sum {change} WHERE name = '{table}'"  # noqa: S608 - our own names
            connection.exec_driver_sql(f"CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN {statement}; END")
        connection.exec_driver_sql(
            "INSERT INTO table_sums (name, sum) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET sum = excluded.sum",
            (table, _summed(connection, table, columns)),
        )


def damaged(connection: Connection) -> list[str]:
    """Return the tables whose rows are not those that were written; none in a file older than these sums."""
    if not connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'table_sums'").scalar():
        return []
    kept = {name: total for name, total in connection.exec_driver_sql("SELECT name, sum FROM table_sums")}
    return [
        table
        for table, columns in _covered(connection).items()
        if kept.get(table) != _readable_sum(connection, table, columns)
    ]


def _covered(connection: Connection) -> dict[str, list[str]]:
    names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars()
    wanted = sorted(name for name in names if name not in UNCOVERED and not name.startswith("sqlite_"))
    columns = {name: connection.exec_driver_sql(f"PRAGMA table_info({name})").all() for name in wanted}
    return {name: [f'"{column[1]}"' for column in found] for name, found in columns.items()}


def _summed(connection: Connection, table: str, columns: list[str]) -> int:
    statement = f"SELECT coalesce(sum(row_sum({', '.join(columns)})), 0) FROM {table}"  # noqa: S608
    return int(connection.exec_driver_sql(statement).scalar_one())


def _readable_sum(connection: Connection, table: str, columns: list[str]) -> int | None:
    try:
        return _summed(connection, table, columns)
    except (DatabaseError, OverflowError, UnicodeError):
        return None  # a value that cannot even be read
