"""Why an item of a real library is found or not, for its owner, for others, and for who looks through their eyes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from bowerbird.core.errors import NotFoundError
from bowerbird.core.records import OWNER, SYSTEM, Principal
from bowerbird.library import Library
from bowerbird.search.explaining import Verdict
from bowerbird.store import audit, intake
from bowerbird.store.tables import items


@pytest.fixture
def mia(library: Library) -> Principal:
    return Principal(f"user:{library.identity.people.invite('mia', 'member')[0].id}")


@pytest.fixture
def filled(library: Library, folder: Path, index: Callable[..., None]) -> Library:
    library.add(str(folder))
    index()
    return library


def codes(told: Verdict) -> list[str]:
    return [cause.code for cause in told.causes]


def item(library: Library, path: str) -> str:
    return library.permissions.item_id(path)


def test_numbers_are_the_owners_who_sees_everything(filled: Library, mia: Principal) -> None:
    crane = item(filled, "notes/harbour.md")
    told = filled.explaining.why("crane containers", crane, OWNER, "words")
    assert told.found and told.reason is not None and told.reason.amount
    assert sum(leaf.amount or 0 for leaf in told.reason.leaves()) == pytest.approx(told.reason.amount, abs=1e-6)
    assert filled.explaining.why("crane", crane, SYSTEM, "words").reason is not None
    filled.permissions.set_policy("work", "members")
    theirs = filled.explaining.why("crane containers", crane, mia, "words")
    assert theirs.found and theirs.reason is not None
    assert {leaf.amount for leaf in theirs.reason.leaves()} == {None}
    assert theirs.lines == told.lines


def test_what_operators_and_words_leave_out(filled: Library) -> None:
    crane = item(filled, "notes/harbour.md")
    for query, code in (
        ("crane type:pdf", "filter"),
        ("crane in:attic", "filter"),
        ("crane before:2001-01-01", "filter"),
        ("crane lang:cs", "filter"),
        ("crane -containers", "excluded"),
        ("crane (sourdough OR type:pdf)", "alternative"),
        ('"dawn at crane"', "phrase"),
        ("zebra", "no-word"),
    ):
        assert codes(filled.explaining.why(query, crane, pipeline="words")) == [code], query


def test_what_could_not_be_read(library: Library, folder: Path, index: Callable[..., None]) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nno PDF inside")
    library.add(str(folder))
    index()
    broken = item(library, "broken.pdf")
    told = library.explaining.why("crane", broken, pipeline="words")
    assert codes(told) == ["quarantined"] and library.item(broken).error in told.causes[0].words
    assert library.explaining.why("broken.pdf", broken).found, "by its name"


def test_what_is_not_read_or_not_indexed_yet(filled: Library) -> None:
    crane = item(filled, "notes/harbour.md")
    with filled.store.database.write() as connection:
        intake.put_again(connection, [crane])
    told = filled.explaining.why("crane", crane, pipeline="words")
    assert codes(told) == ["unindexed"], "the log says that its passages are replaced"
    assert not filled.explaining.why("crane -containers", crane, pipeline="words").found
    with filled.store.database.write() as connection:
        unread = {"state": "pending", "content_version": 0}
        connection.execute(update(items).where(items.c.id == crane).values(**unread))
    assert codes(filled.explaining.why("crane lang:cs", crane, pipeline="words")) == ["pending"]


def test_who_may_not_see_it_is_told_what_never_was(filled: Library, mia: Principal) -> None:
    crane = item(filled, "notes/harbour.md")
    told = []
    for wanted in (crane, "0123456789abc", ""):
        with pytest.raises(NotFoundError) as problem:
            filled.explaining.why("crane", wanted, mia)
        told.append((problem.value.cause, problem.value.remedy))
    assert len(set(told)) == 1
    seen = filled.explaining.why("crane", crane, mia, by="owner")
    assert set(codes(seen)) == {"invisible"} and "mia may not read notes/harbour.md" in seen.causes[0].words
    with filled.store.database.read() as connection:
        assert [event.action for event in audit.exported(connection)][-1] == "access.explained"
    with pytest.raises(NotFoundError):
        filled.explaining.why("crane", "0123456789abc", mia, by="owner")


def test_a_replay_puts_two_pipelines_side_by_side(filled: Library) -> None:
    replay = filled.explaining.replay("harbour flour", ("words", "words % 1 >> items >> snippets"))
    assert replay.pipelines[0] == "words" and replay.formulas[0].startswith("words % 200")
    ranks = {row.path: row.ranks for row in replay.rows}
    assert sorted(one for one, _ in ranks.values()) == [1, 2]
    assert sorted(other for _, other in ranks.values()) == [0, 1]
    assert replay.rows[0].ranks[0] == 1
