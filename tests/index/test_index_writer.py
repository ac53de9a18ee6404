"""The writer: the log is followed exactly once, whatever happens in between, and vectors follow the words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bowerbird.core.records import Block, Filters, Item, Person
from bowerbird.index import writer as writer_module
from bowerbird.index.schema import VECTORS, WORDS
from bowerbird.index.tables import Tables
from bowerbird.index.writer import Writer
from bowerbird.store import intake, outbox

LONG = "many different words about a bower and its blue things. " * 40


class Killed(Exception):
    """The process died here."""


def dies(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, after: bool) -> None:
    """Let a function be the last thing that a process does, finished or not begun."""
    original = getattr(owner, name)

    def last(*arguments: Any, **named: Any) -> Any:
        if after:
            original(*arguments, **named)
        raise Killed

    monkeypatch.setattr(owner, name, last)


def test_words_are_found_as_soon_as_the_log_is_applied_and_vectors_follow(shelf: Any) -> None:
    item = shelf.add("a.txt", "blue bower")
    assert shelf.find("bower") == [] and shelf.reader().pending() == (1, 1)
    shelf.words_level()
    assert shelf.find("bower") == [item] and shelf.mean("bower") == []
    assert shelf.reader().pending() == (0, 1)
    shelf.level()
    assert shelf.mean("bower") == [item] and shelf.reader().pending() == (0, 0)


def test_a_change_hides_the_old_content_at_once_and_shows_the_new_when_applied(shelf: Any) -> None:
    item, other = shelf.add("a.txt", "old words"), shelf.add("b.txt", "other words")
    shelf.level()
    shelf.add("a.txt", "new words")
    assert shelf.find("old words") == [other] and shelf.mean("old words") == [other]
    assert shelf.reader().passages([f"{item}.1.0"]) == {}
    shelf.words_level()
    assert shelf.find("old") == [] and shelf.find("new") == [item]
    assert item not in shelf.mean("old words"), "the vectors are behind and still hold the old content"
    assert shelf.reader().passages([f"{item}.1.0"]) == {}
    shelf.level()
    assert shelf.mean("new words")[0] == item
    assert shelf.rows(WORDS) == shelf.rows(VECTORS) == sorted([f"{item}.2.0", f"{other}.1.0"])


def test_a_deleted_item_is_gone_at_once_from_everything(shelf: Any) -> None:
    item, other = shelf.add("a.txt", "old words"), shelf.add("b.txt", "other words")
    shelf.level()
    shelf.remove(item)
    for step in (lambda: None, shelf.words_level, shelf.level):
        step()
        assert shelf.find("old words") == [other] and shelf.mean("old words") == [other]
        assert shelf.reader().recent(Filters(), 9) == [other]
        assert shelf.reader().passages([f"{item}.1.0"]) == shelf.reader().items([item]) == {}
    assert shelf.rows(WORDS) == shelf.rows(VECTORS) == [f"{other}.1.0"]


def test_an_item_without_text_is_found_by_its_name(shelf: Any) -> None:
    item = shelf.add("holiday/beach_photo.jpg")
    shelf.level()
    assert shelf.find("beach") == shelf.find("holiday photo") == [item]
    assert shelf.rows(WORDS) == shelf.rows(VECTORS) == [f"{item}.1.0"]


def test_a_new_date_counts_in_filters_although_the_content_is_the_same(shelf: Any) -> None:
    item = shelf.add("a.txt", "words", version="1", modified=datetime(2025, 1, 1, tzinfo=UTC))
    shelf.level()
    shelf.add("a.txt", "words", version="2", modified=datetime(2026, 1, 1, tzinfo=UTC))
    shelf.level()
    recent = Filters(after=date(2025, 6, 1))
    assert shelf.find("words", filters=recent) == shelf.mean("words", filters=recent) == [item]
    assert shelf.find("words", filters=Filters(before=date(2025, 6, 1))) == []


def test_many_changes_of_one_item_in_one_batch_leave_the_last(shelf: Any) -> None:
    item = shelf.add("a.txt", "one")
    for text in ("two", "three", "four"):
        shelf.add("a.txt", text)
    gone = shelf.add("b.txt", "gone")
    shelf.remove(gone)
    shelf.level()
    assert shelf.rows(WORDS) == shelf.rows(VECTORS) == [f"{item}.4.0"]
    assert shelf.find("four") == [item] and shelf.find("one two three gone") == []


def test_batches_smaller_than_the_changes_end_in_the_same_place(shelf: Any) -> None:
    items = [shelf.add(f"{number}.txt", f"first {number}") for number in range(7)]
    for number in range(0, 7, 2):
        shelf.add(f"{number}.txt", f"second {number}")
    shelf.remove(items[3])
    while shelf.writer.apply(shelf.writer.served(), limit=2):
        pass
    while shelf.vectors.apply(shelf.writer.served(), lambda: False, limit=3):
        pass
    wanted = sorted(f"{item}.{2 if number % 2 == 0 else 1}.0" for number, item in enumerate(items) if number != 3)
    assert shelf.rows(WORDS) == shelf.rows(VECTORS) == wanted
    assert shelf.terms()["second"] == 4 and shelf.terms()["first"] == 2


STEPS = [
    *((Tables, name, after) for name in ("delete", "add") for after in (False, True)),
    (outbox, "change_generation", False),
    (outbox, "count_terms", True),
    (outbox, "pruned", True),
]


@pytest.mark.parametrize(("owner", "name", "after"), STEPS, ids=[f"{name}-{after}" for _, name, after in STEPS])
def test_words_are_applied_exactly_once_wherever_the_process_dies(
    shelf: Any, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, after: bool
) -> None:
    kept, changed, gone = (shelf.add(f"{word}.txt", f"{word} word") for word in ("kept", "changed", "gone"))
    shelf.level()
    shelf.add("changed.txt", "different word")
    shelf.remove(gone)
    new = shelf.add("new.txt", "new word")
    before = shelf.rows()
    with monkeypatch.context() as patched:
        dies(patched, owner, name, after)
        with pytest.raises(Killed):
            shelf.words_level()
    assert shelf.rows() == before, "what is served did not move"
    assert shelf.find("gone") == [] and shelf.find("changed word") == [kept]
    shelf.restart()
    shelf.level()
    assert shelf.rows(WORDS) == shelf.rows(VECTORS) == sorted([f"{kept}.1.0", f"{changed}.2.0", f"{new}.1.0"])
    assert {word: shelf.terms().get(word) for word in ("word", "different", "new", "kept", "gone")} == {
        "word": 3, "different": 1, "new": 1, "kept": 1, "gone": None,
    }  # fmt: skip
    assert set(shelf.find("word")) == {kept, changed, new}
    assert list(shelf.keeper.verify()) == []


FIRST = [(Tables, "create_vectors", True), *STEPS[2:5]]


@pytest.mark.parametrize(("owner", "name", "after"), FIRST, ids=[f"{name}-{after}" for _, name, after in FIRST])
def test_the_first_vectors_are_written_exactly_once_wherever_the_process_dies(
    shelf: Any, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, after: bool
) -> None:
    items = [shelf.add(f"{number}.txt", f"text {number}") for number in range(3)]
    shelf.words_level()
    with monkeypatch.context() as patched:
        dies(patched, owner, name, after)
        with pytest.raises(Killed):
            shelf.level()
    shelf.restart()
    asked = len(shelf.encoder.asked)
    shelf.level()
    assert shelf.rows(VECTORS) == sorted(f"{item}.1.0" for item in items)
    assert len(shelf.encoder.asked) == asked, "they were kept before the process died"
    assert list(shelf.keeper.verify()) == []


@pytest.mark.parametrize(("name", "after"), [("compact", False), ("compact", True), ("drop_versions", True)])
@pytest.mark.parametrize("keep", [timedelta(0), timedelta(minutes=15)])
def test_a_process_may_die_while_it_compacts(
    shelf: Any, monkeypatch: pytest.MonkeyPatch, name: str, after: bool, keep: timedelta
) -> None:
    item = shelf.add("a.txt", "words")
    shelf.remove(shelf.add("b.txt", "gone"))
    shelf.level()
    with monkeypatch.context() as patched:
        dies(patched, Tables, name, after)
        with pytest.raises(Killed):
            shelf.writer.compact(keep)
    shelf.restart()
    shelf.add("c.txt", "words")
    shelf.level()
    assert len(shelf.find("words")) == len(shelf.mean("words")) == 2 and item in shelf.find("words")
    assert list(shelf.keeper.verify()) == []


def test_a_process_may_die_while_it_makes_the_first_generation(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from bowerbird.store.store import Store

    store = Store(tmp_path)
    store.open()
    for owner, name in ((Tables, "create"), (outbox, "add_generation"), (outbox, "serve")):
        with monkeypatch.context() as patched:
            dies(patched, owner, name, after=True)
            with pytest.raises(Killed):
                Writer(store, Tables(tmp_path / "index"), "hash", 60).open()
    writer = Writer(store, Tables(tmp_path / "index"), "hash", 60)
    writer.open()
    left = {path.name for path in (tmp_path / "index").iterdir()}
    assert left == {one.folder for one in writer.living()}
    assert writer.served().state == "served"
    store.close()


def test_vectors_that_are_kept_are_not_computed_again(shelf: Any) -> None:
    shelf.add("one.txt", LONG, title="Bowers")
    shelf.level()
    asked = len(shelf.encoder.asked)
    assert asked == len(shelf.rows(VECTORS)) > 3
    shelf.add("copy/two.txt", LONG, title="Bowers")
    shelf.add("one.txt", "something else", title="Bowers")
    shelf.level()
    assert len(shelf.encoder.asked) == asked + 1
    shelf.add("one.txt", LONG, title="Bowers")
    shelf.level()
    assert len(shelf.encoder.asked) == asked + 1, "it went back to what it was"


@pytest.mark.parametrize(("title", "more"), [("Bowers", 0), ("", 1)])
def test_a_rename_computes_only_what_the_encoder_would_read_anew(shelf: Any, title: str, more: int) -> None:
    item = shelf.add("drafts/a.txt", "short text", title=title)
    shelf.level()
    asked = len(shelf.encoder.asked)
    with shelf.store.database.write() as connection:
        intake.renamed(connection, item, Item("final/b.txt", "b.txt", "file:///there/final/b.txt", "2"))
    shelf.level()
    assert len(shelf.encoder.asked) == asked + more
    assert shelf.find("final") == [item] and shelf.find("drafts") == []
    within = Filters(within=("final",))
    assert shelf.find("short", filters=within) == shelf.mean("short", filters=within) == [item]


def test_a_damaged_blob_of_vectors_is_computed_again(shelf: Any) -> None:
    item = shelf.add("a.txt", "words")
    shelf.level()
    for blob in list(shelf.store.blobs.names()):
        if len(shelf.store.blobs.get(blob)) == shelf.encoder.dimensions * 4:
            (shelf.store.blobs.folder / blob[:2] / blob[2:]).write_bytes(b"garbage")
    shelf.restart(target=50)
    assert shelf.writer.begin_rebuild()
    shelf.level()
    shelf.writer.end_rebuild()
    assert shelf.mean("words") == [item]
    assert list(shelf.store.keeper.verify()) == []


def test_a_lost_document_is_indexed_by_its_name_and_read_again(shelf: Any) -> None:
    item = shelf.add("plan.txt", "words")
    for blob in list(shelf.store.blobs.names()):
        shelf.store.blobs.remove(blob)
    shelf.level()
    assert shelf.find("plan") == [item] and shelf.find("words") == []
    with shelf.store.database.read() as connection:
        assert [claim.id for claim in intake.waiting(connection, 9)] == [item]
    shelf.add("plan.txt", "words")
    shelf.level()
    assert shelf.find("words") == [item]


def test_embedding_may_be_stopped_between_passages_and_goes_on_where_it_was(shelf: Any) -> None:
    shelf.add("long.txt", *(Block(f"heading {number} " + LONG, page=number) for number in range(12)))
    shelf.words_level()
    looks = iter([False, True])
    assert shelf.vectors.apply(shelf.writer.served(), lambda: next(looks)) == 0
    begun = len(shelf.encoder.asked)
    assert 0 < begun < len(shelf.rows(WORDS))
    shelf.level()
    assert len(shelf.encoder.asked) == len(shelf.rows(VECTORS)) == len(shelf.rows(WORDS))


def test_another_recipe_builds_a_new_generation_while_the_old_one_is_served(shelf: Any) -> None:
    items = [shelf.add(f"{number}.txt", LONG + str(number), title="Bowers") for number in range(3)]
    shelf.level()
    old, passages, terms = shelf.writer.served(), len(shelf.rows(WORDS)), shelf.terms()
    asked = len(shelf.encoder.asked)
    shelf.restart(target=30)
    assert shelf.writer.outdated() and shelf.writer.served().id == old.id
    assert shelf.writer.begin_rebuild()
    assert not shelf.writer.begin_rebuild(), "it is being built already"
    assert set(shelf.find("bower")) == set(shelf.mean("bower")) == set(items), "nothing is hidden meanwhile"
    assert shelf.reader().pending() == (0, 0)
    new = shelf.add("new.txt", "new bower")
    shelf.level()
    assert set(shelf.find("bower")) == {*items, new} and shelf.writer.served().id == old.id
    shelf.restart()  # and a crash in between loses nothing
    assert len(shelf.writer.living()) == 2
    shelf.level()
    shelf.writer.end_rebuild()
    assert not shelf.writer.outdated() and len(shelf.writer.living()) == 1
    assert [path.name for path in shelf.tables.folder.iterdir()] == [shelf.writer.served().folder] != [old.folder]
    assert len(shelf.rows(WORDS)) == len(shelf.rows(VECTORS)) > passages + 1
    assert set(shelf.find("bower")) == set(shelf.mean("bower")) == {*items, new}
    assert len(shelf.encoder.asked) > asked
    assert shelf.terms()["bower"] > terms["bower"]
    assert list(shelf.keeper.verify()) == []


def test_a_rebuild_for_the_same_texts_embeds_nothing(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    item = shelf.add("a.txt", "words")
    shelf.level()
    asked, terms = len(shelf.encoder.asked), shelf.terms()
    monkeypatch.setattr(writer_module, "CUT_VERSION", 99)
    shelf.restart()
    assert shelf.writer.begin_rebuild()
    shelf.level()
    assert shelf.terms() == terms, "no word is counted for two generations"
    shelf.writer.end_rebuild()
    assert len(shelf.encoder.asked) == asked and shelf.mean("words") == [item] and shelf.terms() == terms


def test_a_rebuild_does_not_begin_while_changes_wait(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    item = shelf.add("a.txt", "words")
    shelf.level()
    shelf.restart(target=30)
    shelf.add("b.txt", "words")
    assert not shelf.writer.begin_rebuild()
    monkeypatch.setattr(Writer, "behind", lambda _: 0)  # the change came after it was looked at
    assert not shelf.writer.begin_rebuild()
    assert len(shelf.writer.living()) == 1 and shelf.find("words") == [item], "nothing is hidden"
    assert len(list(shelf.tables.folder.iterdir())) == 1


def test_a_rebuild_that_is_outdated_itself_is_thrown_away(shelf: Any) -> None:
    item = shelf.add("a.txt", "words")
    shelf.level()
    shelf.restart(target=30)
    assert shelf.writer.begin_rebuild()
    shelf.restart(target=20)
    assert len(shelf.writer.living()) == 1 and shelf.writer.outdated()
    assert shelf.writer.begin_rebuild()
    shelf.level()
    shelf.writer.end_rebuild()
    assert shelf.find("words") == shelf.mean("words") == [item]
    assert list(shelf.keeper.verify()) == []


def test_vectors_of_two_encoders_are_never_mixed(shelf: Any) -> None:
    item = shelf.add("a.txt", "words")
    shelf.level()
    old = shelf.writer.served()
    shelf.encoder.dimensions, shelf.encoder.id = 32, "hash-32"
    shelf.restart(encoder="another")
    new = shelf.add("b.txt", "more words")
    shelf.level()
    assert shelf.rows(VECTORS) == [f"{item}.1.0"], "the served generation takes no vectors of the new encoder"
    assert shelf.mean("words") == [] and set(shelf.find("words")) == {item, new}
    assert shelf.writer.begin_rebuild()
    shelf.level()
    shelf.writer.end_rebuild()
    assert shelf.writer.served().id != old.id
    assert set(shelf.mean("words")) == {item, new}


def test_upkeep_changes_nothing_that_is_found(shelf: Any) -> None:
    for number in range(8):
        shelf.add(f"{number}.txt", f"word{number} common", people=(Person("Ann"),))
        shelf.level()
        shelf.tidy()
    before = (shelf.find("common"), shelf.mean("common"), shelf.terms())
    assert shelf.tables.unindexed(shelf.writer.served().folder, WORDS) == 0
    for keep in (timedelta(minutes=15), timedelta(0)):
        shelf.writer.compact(keep)
        assert (shelf.find("common"), shelf.mean("common"), shelf.terms()) == before
    assert list(shelf.keeper.verify()) == []


def test_the_log_is_emptied_once_words_and_vectors_have_it(shelf: Any) -> None:
    for number in range(5):
        shelf.add(f"{number}.txt", "words")
    shelf.words_level()
    with shelf.store.database.read() as connection:
        assert len(outbox.after(connection, 0, 99)) == 5, "the vectors still need it"
    shelf.level()
    with shelf.store.database.read() as connection:
        assert len(outbox.after(connection, 0, 99)) == 1


def test_the_index_of_another_version_is_begun_anew_and_nothing_is_embedded_again(shelf: Any) -> None:
    item = shelf.add("a.txt", "blue bowers")
    shelf.level()
    old, asked = shelf.writer.served(), len(shelf.encoder.asked)
    with shelf.store.database.write() as connection:
        outbox.change_generation(connection, old.id, {"recipe": f"1.{old.recipe.partition('.')[2]}"})
    shelf.restart()
    assert shelf.writer.served().folder != old.folder and not shelf.writer.outdated()
    shelf.level()
    assert shelf.find("bower") == shelf.mean("bower") == [item] and len(shelf.encoder.asked) == asked
    assert list(shelf.keeper.verify()) == []
