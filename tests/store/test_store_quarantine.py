"""What could not be read, from items and from entries that were never listed, and its next try."""

from __future__ import annotations

from typing import Any

from bowerbird.core.records import Failure
from bowerbird.store import jobs, quarantine, sources


def refuse(shelf: Any, key: str, code: str) -> str:
    """Enter an item and let it end in quarantine; returns its id."""
    shelf.found(shelf.item(key))
    claim = shelf.claim(key)
    shelf.refuse(claim, code)
    return str(claim.id)


def test_both_kinds_are_listed_counted_and_tried_again(shelf: Any) -> None:
    broken, slow = refuse(shelf, "a/broken.pdf", "extraction-failed"), refuse(shelf, "slow.doc", "sandbox-timeout")
    other = shelf.other("Elsewhere")
    with shelf.store.database.write() as connection:
        missing = [Failure("closed", "source-unreadable", "Permission denied.")]
        sources.set_failures(connection, other.source.id, missing, replace=True)
    with shelf.store.database.read() as connection:
        rows = {row.key: row for row in quarantine.listed(connection)}
        assert set(rows) == {"a/broken.pdf", "slow.doc", "closed"}
        assert (rows["closed"].item, rows["closed"].source) == ("", "Elsewhere") and rows["slow.doc"].item == slow
        every = {"extraction-failed": 1, "sandbox-timeout": 1, "source-unreadable": 1}
        assert quarantine.codes(connection) == every
        assert quarantine.codes(connection, "Elsewhere") == {"source-unreadable": 1}
        assert [row.item for row in quarantine.listed(connection, "sandbox-timeout")] == [slow]
        assert [row.key for row in quarantine.listed(connection, source="Elsewhere")] == ["closed"]
        assert len(quarantine.listed(connection, offset=1, limit=1)) == 1
    with shelf.store.database.write() as connection:
        assert quarantine.retry(connection, [broken, "nobody"]) == [broken]
        assert quarantine.retry(connection, [broken]) == []  # it waits already
    assert [claim.id for claim in shelf.waiting()] == [broken]
    with shelf.store.database.write() as connection:
        assert quarantine.retry_all(connection, "none") == 0
        assert quarantine.retry_all(connection) == 2
        assert [job.source_id for job in jobs.recent(connection)] == [other.source.id]
    assert {claim.id for claim in shelf.waiting()} == {broken, slow}
