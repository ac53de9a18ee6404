"""Reading the index: judged by the reader in memory, and closed to everybody else."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update

from bowerbird.core.records import SYSTEM, Block, Either, Filters, Passage, Period, Person, Principal
from bowerbird.index.cutting import search_text
from bowerbird.index.reader import Reader
from bowerbird.index.reading import WordQuery
from bowerbird.index.schema import VECTORS, WORDS
from bowerbird.store import outbox, sources
from bowerbird.store.tables import generations, items, scope_entries
from bowerbird.testing.memory import MemoryReader

ANY = Filters()
EVERYBODY_ELSE = [Principal(name) for name in ("user:ann", "public", "group:papers:all", "", "user:OWNER", "'")]
VOCABULARY = (
    *("kea", "kiwi", "moa", "parrot", "parrots", "nest", "nests", "blue", "bower", "twig", "build", "building"),
    *("cave", "song", "songs", "forest"),
)
DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


def judge(shelf: Any) -> MemoryReader:
    """The slow, obvious reader over the same passages and vectors."""
    reader: Reader = shelf.reader()
    held = dict(reader.passages(shelf.rows()))
    stored = dict(reader.items([passage.item for passage in held.values()]))
    said = {id_: search_text(stored[one.item], one) for id_, one in held.items()}
    texts = [Passage(one.item, one.content_version, one.ordinal, said[id_], one.place) for id_, one in held.items()]
    served = shelf.writer.served()
    rows = shelf.tables.at(served.folder, VECTORS, served.vectors_version).to_table(["id", "vector"]).to_pylist()
    return MemoryReader(stored, texts, {row["id"]: np.array(row["vector"], np.float32) for row in rows})


SENTENCES = st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=12).map(" ".join)
QUERIES = st.builds(
    WordQuery,
    st.lists(st.sampled_from([*VOCABULARY, "absent", "PARROT", "nes", "par", "so"]), max_size=3).map(" ".join),
    st.lists(st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=3).map(" ".join), max_size=2).map(tuple),
    st.booleans(),
    st.lists(st.lists(st.sampled_from([*VOCABULARY, "blue parrot", "!"]), max_size=3).map(tuple), max_size=1).map(
        tuple
    ),
)
NARROWED = st.sampled_from([
    ANY, Filters(types=("note",)), Filters(within=("even",)), Filters(people=("bob",)), Filters(sources=("PAPERS",)),
    Filters(periods=(Period(date(2026, 3, 3), date(2026, 3, 4)), Period(None, date(2026, 3, 2))), zone="Asia/Tokyo"),
    Filters(after=date(2026, 3, 3)), Filters(after=date(2026, 3, 3), zone="Pacific/Kiritimati"),
    Filters(before=date(2026, 3, 3), types=("note", "code")),
    Filters(within=("none",)), Filters(either=(Either((Filters(types=("note",)), Filters(people=("bob",)))),)),
    Filters(either=(Either((Filters(within=("even",), before=date(2026, 3, 4)),), excluded=True),)),
])  # fmt: skip


@settings(
    max_examples=12, deadline=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(corpus=st.lists(SENTENCES, min_size=1, max_size=7), data=st.data(), indexed=st.booleans())
def test_it_finds_what_the_reader_in_memory_finds(new_shelf: Any, corpus: list[str], data: Any, indexed: bool) -> None:
    shelf = new_shelf()
    for number, text in enumerate(corpus):
        people = (Person("Bob", "bob@x.org"),) if number % 3 == 0 else ()
        key = f"{('even', 'odd')[number % 2]}/d{number}.{('txt', 'py')[number % 2]}"
        shelf.add(key, text, people=people, modified=DAY + timedelta(days=number))
    shelf.level()
    if indexed:
        shelf.tidy()
    reader, slow = shelf.reader(), judge(shelf)
    for query in data.draw(st.lists(QUERIES, min_size=10, max_size=10)):
        filters = data.draw(NARROWED)
        fast = {one.passage for one in reader.words(query, filters, 100)}
        whole = replace(query, prefix=False)  # a word that may be unfinished may be finished as well
        asked = (slow.words(query, filters, 100), slow.words(whole, filters, 100))
        assert fast == {one.passage for found in asked for one in found}, query
        vector = shelf.encoder.query(query.words)
        near, judged = reader.meaning(vector, filters, 100), slow.meaning(vector, filters, 100)
        assert {one.passage for one in near} == {one.passage for one in judged}
        scores = {one.passage: one.score for one in judged}
        assert all(abs(one.score - scores[one.passage]) < 1e-4 for one in near)
        assert [one.score for one in near] == sorted((one.score for one in near), reverse=True)
        assert reader.recent(filters, 100) == slow.recent(filters, 100)
        every = [*slow.stored, "nothing"]
        assert reader.passing(every, filters) == slow.passing(every, filters)
    for name in ("d0.txt", "D1", "even/d0.txt", "nothing"):
        assert reader.named(name, ANY, 9) == slow.named(name, ANY, 9)
    for text in ("parrot", "absent", f"{VOCABULARY[0]} {VOCABULARY[1]}", "!", ""):
        assert reader.holding(text, every) == slow.holding(text, every), text
    assert reader.holding("parrot", every[:1]) == slow.holding("parrot", every[:1])


def test_the_rare_word_the_repeated_word_and_the_short_passage_come_first(shelf: Any) -> None:
    filler = " ".join(random.Random(1).choices(VOCABULARY[:5], k=30))
    for number in range(20):
        shelf.add(f"filler{number}.txt", f"common {filler}")
    rare = shelf.add("rare.txt", f"common zebra {filler}")
    often = shelf.add("often.txt", f"zebra zebra zebra {filler}")
    short = shelf.add("short.txt", "zebra zebra zebra")
    shelf.level()
    for indexed in (False, True):
        if indexed:
            shelf.tidy()
        assert set(shelf.find("zebra common")[:3]) == {short, often, rare}
        assert shelf.find("zebra") == [short, often, rare]
        assert len(shelf.find("common")) == 21


def test_words_are_found_whatever_their_form_accent_and_script(shelf: Any) -> None:
    item = shelf.add("a.txt", "The parrots were building Ångström café nests; snake_case 東京都の鳥 Строка")
    shelf.level()
    for words in [
        "parrot",
        "PARROTS",
        "build",
        "angstrom",
        "cafe",
        "CAFÉ",
        "東京",
        "鳥",
        "строка",
        "snake_case",
        "case",
    ]:
        assert shelf.find(words) == [item], words
    assert shelf.find("", "building ångström café") == [item]
    assert shelf.find("", "café building") == []


ODD = ("", "   ", "!!!", '"', "'", "\\", "+-*/()[]{}^~?:", "\x00", "🦜", "a" * 5000, "word " * 500)


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_any_text_may_be_asked(shelf: Any, text: str) -> None:
    shelf.add("a.txt", "some text")
    shelf.level()
    asked = (WordQuery(text), WordQuery(text, prefix=True), WordQuery("", (text,)), WordQuery(text, (text,), True))
    for query in asked:
        assert shelf.reader().words(query, ANY, 10) == []
    assert shelf.reader().named(text, ANY, 10) == []


def test_what_is_being_typed_is_completed_and_all_of_a_phrase_must_be_there(shelf: Any) -> None:
    budget, budgie = shelf.add("1.md", "the yearly budget plan"), shelf.add("2.md", "a budgie sings")
    shelf.level()
    assert set(shelf.find("budg", prefix=True)) == {budget, budgie}
    assert shelf.find("bud") == []
    assert shelf.find("Budge", prefix=True) == [budget]
    assert set(shelf.find("sings budge", prefix=True)) == {budget, budgie}
    assert shelf.find("budgie", "yearly budget") == [budget]
    assert shelf.find("", "yearly budget", "a budgie") == []


def test_others_complete_only_from_the_titles_of_what_they_may_see(shelf: Any) -> None:
    ann = Principal("user:ann")
    with shelf.store.database.write() as connection:
        other = sources.add(connection, "files", "/other", "other")
        entry = {"acl_id": other.acl_id, "principal": ann.name, "effect": "allow"}
        connection.execute(insert(scope_entries).values(**entry))
    hidden = shelf.add("zebrawood.md", "zebra zebrafish", title="Zebu")
    hers = shelf.add("zebracake.md", "bread, and a zebroid", title="Baking", source=other)
    shelf.level()

    def asked(text: str) -> Any:
        return " ".join((text, *shelf.reader(ann)._completions(text)))

    def found(text: str) -> list[str]:
        return [one.item for one in shelf.reader(ann).words(WordQuery(text, (), True), ANY, 9)]

    assert asked("zeb") == "zeb zebracake" and asked("zebra") == "zebra zebracake"  # `zebra` is a word of hidden texts
    assert asked("zebro") == "zebro" and asked("z") == "z"
    assert found("zeb") == [hers] and found("baki") == [hers] and found("zebraw") == []
    assert set(shelf.find("zebr", prefix=True)) == {hidden, hers}
    seen = asked("zeb")
    shelf.add("zebulon.md", "zebulon zebulon", title="Zebulon")
    shelf.level()
    assert asked("zeb") == seen and asked("zebulon") == "zebulon"


def test_people_and_sources_are_those_of_what_one_may_see(shelf: Any) -> None:
    ann = Principal("user:ann")
    with shelf.store.database.write() as connection:
        other = sources.add(connection, "files", "/other", "other")
        entry = {"acl_id": other.acl_id, "principal": ann.name, "effect": "allow"}
        connection.execute(insert(scope_entries).values(**entry))
    shelf.add("1.md", "x", people=(Person("Bob Ross", "bob@x.org"), Person("Carol")))
    assert (shelf.reader(ann).people(""), shelf.reader(ann).sources()) == ({}, [])
    hers = shelf.add("2.md", "x", people=(Person("Bob Ross", "bob@x.org"), Person("Bea")), source=other)
    assert shelf.reader(ann).people("b") == {"Bob Ross\tbob@x.org": 1, "Bea\t": 1}
    assert shelf.reader(ann).sources() == ["other"]
    assert shelf.reader().people("ross") == {"Bob Ross\tbob@x.org": 2}
    assert shelf.reader().people("") == {"Bob Ross\tbob@x.org": 2, "Bea\t": 1, "Carol\t": 1}
    assert shelf.reader(Principal("user:nobody")).people("") == {}
    shelf.remove(hers)
    assert (shelf.reader(ann).people(""), shelf.reader(ann).sources()) == ({}, [])


def test_without_words_or_vectors_or_index_there_is_nothing(shelf: Any, tmp_path: Any) -> None:
    item = shelf.add("a.txt", "text")
    shelf.words_level()
    assert shelf.mean("text") == [] and shelf.find("text") == [item]
    with shelf.store.database.write() as connection:
        connection.execute(delete(generations))
    assert shelf.find("text") == [] and shelf.mean("text") == []
    assert shelf.reader().passages([f"{item}.1.0"]) == {}
    assert shelf.reader().recent(ANY, 9) == [item]
    assert shelf.reader().pending() == (0, 0)


def test_a_vector_of_another_length_finds_nothing(shelf: Any) -> None:
    shelf.add("a.txt", "text")
    shelf.level()
    assert shelf.reader().meaning(np.ones(7, np.float32), ANY, 9) == []


def everything(reader: Reader, shelf: Any, item: str, text: str) -> list[Any]:
    """What each method of a reader says of an item."""
    return [
        reader.words(WordQuery(text), ANY, 9),
        reader.words(WordQuery(text[:4], prefix=True), ANY, 9),
        reader.words(WordQuery("", (text,)), ANY, 9),
        reader.meaning(shelf.encoder.query(text), ANY, 9),
        reader.named("secret.txt", ANY, 9),
        reader.recent(ANY, 9),
        reader.passages([f"{item}.1.0"]),
        reader.items([item]),
    ]


def test_nobody_else_gets_anything_from_any_method(shelf: Any) -> None:
    item = shelf.add("secret.txt", "confidential plan")
    shelf.add("waiting.txt", "more")
    shelf.level()
    shelf.add("waiting.txt", "changed")
    for other in EVERYBODY_ELSE:
        reader = shelf.reader(other)
        assert not any(everything(reader, shelf, item, "confidential plan")), other
        assert reader.pending() == (0, 0)
    for owner in (shelf.reader(), shelf.reader(SYSTEM)):
        assert all(everything(owner, shelf, item, "confidential plan"))
        assert owner.pending() == (1, 1)


def test_a_right_given_or_taken_counts_from_the_next_request(shelf: Any) -> None:
    ann = Principal("user:ann")
    item = shelf.add("secret.txt", "confidential plan", title="Confidential plan")
    shelf.level()
    mine = scope_entries.c.principal == ann.name
    with shelf.store.database.write() as connection:
        entry = {"acl_id": shelf.source.acl_id, "principal": ann.name, "effect": "allow"}
        connection.execute(insert(scope_entries).values(**entry))
    before = shelf.reader(ann)
    assert all(everything(before, shelf, item, "confidential plan"))
    with shelf.store.database.write() as connection:
        connection.execute(insert(scope_entries).values(**{**entry, "effect": "deny"}))
    assert not any(everything(shelf.reader(ann), shelf, item, "confidential plan"))
    assert before.items([item]) == {} and before.passages([f"{item}.1.0"]) == {}, "the second lock asks again"
    with shelf.store.database.write() as connection:
        connection.execute(delete(scope_entries).where(mine))
    assert not any(everything(shelf.reader(ann), shelf, item, "confidential plan"))


def test_sources_are_kept_apart_by_their_scopes(shelf: Any) -> None:
    ann = Principal("user:ann")
    with shelf.store.database.write() as connection:
        other = sources.add(connection, "files", "/other", "other")
        entry = {"acl_id": other.acl_id, "principal": ann.name, "effect": "allow"}
        connection.execute(insert(scope_entries).values(**entry))
    mine, hers = shelf.add("a.txt", "shared word"), shelf.add("a.txt", "shared word", source=other)
    shelf.level()
    assert {one.item for one in shelf.reader(ann).words(WordQuery("shared"), ANY, 9)} == {hers}
    assert {one.item for one in shelf.reader(ann).meaning(shelf.encoder.query("shared"), ANY, 1)} == {hers}
    assert set(shelf.find("shared")) == {mine, hers}


def test_a_reader_whose_version_was_compacted_away_opens_the_newest(shelf: Any) -> None:
    item = shelf.add("a.txt", "first words", Block("A heading", "heading", 1))
    shelf.level()
    elsewhere = type(shelf.tables)(shelf.tables.folder)  # another process, with handles of its own
    readers = [Reader(shelf.store, elsewhere, shelf.reader().principal) for _ in range(3)]
    asked = shelf.encoder.query("first words")
    assert all(reader.words(WordQuery("first"), ANY, 9) for reader in readers)
    assert all(reader.meaning(asked, ANY, 9) for reader in readers)
    other = shelf.add("b.txt", "second words")
    shelf.level()
    shelf.remove(shelf.add("c.txt", "third words"))
    shelf.level()
    shelf.writer.compact(timedelta(0))
    for found in (readers[0].words(WordQuery("words"), ANY, 9), readers[1].meaning(asked, ANY, 9)):
        assert item in {one.item for one in found}, "what it can still read is right, for the request it was made for"
    assert f"{item}.1.0" in readers[2].passages([f"{item}.1.0", f"{other}.1.0"])
    fresh = Reader(shelf.store, elsewhere, shelf.reader().principal)
    assert {one.item for one in fresh.words(WordQuery("words"), ANY, 9)} == {item, other}
    assert {one.item for one in fresh.meaning(asked, ANY, 9)} == {item, other}
    # and one that looked its version up, but opens it only now
    late = Reader(shelf.store, type(shelf.tables)(shelf.tables.folder), shelf.reader().principal)
    late.pending()
    shelf.add("d.txt", "fourth words")
    shelf.level()
    shelf.writer.compact(timedelta(0))
    assert len(late.words(WordQuery("words"), ANY, 9)) == 3
    with_files_gone = Reader(shelf.store, elsewhere, shelf.reader().principal)
    assert len(with_files_gone.words(WordQuery("words"), ANY, 9)) == 3


def test_a_reader_whose_generation_was_replaced_opens_the_new_one(shelf: Any) -> None:
    item = shelf.add("a.txt", "some words")
    shelf.level()
    reader = Reader(shelf.store, type(shelf.tables)(shelf.tables.folder), shelf.reader().principal)
    reader.pending()  # it has looked up which generation is served
    shelf.restart(target=30)
    assert shelf.writer.begin_rebuild()
    shelf.level()
    shelf.writer.end_rebuild()
    assert [one.item for one in reader.words(WordQuery("words"), ANY, 9)] == [item]
    assert [one.item for one in reader.meaning(shelf.encoder.query("words"), ANY, 9)] == [item]


def test_other_errors_of_the_index_are_not_hidden(shelf: Any) -> None:
    shelf.add("a.txt", "text")
    shelf.level()
    with shelf.store.database.write() as connection:
        outbox.change_generation(connection, shelf.writer.served().id, {"words_version": 10_000})
    with pytest.raises((OSError, ValueError, RuntimeError)):
        shelf.find("text")


def test_a_hit_of_an_older_content_is_never_shown(shelf: Any) -> None:
    item = shelf.add("a.txt", "old words")
    shelf.level()
    reader = shelf.reader()
    assert reader.words(WordQuery("old"), ANY, 9)
    with shelf.store.database.write() as connection:  # changed between the first use of this reader and the next
        connection.execute(update(items).where(items.c.id == item).values(content_version=2))
    assert reader.passages([f"{item}.1.0"]) == {}, "no text of it leaves"
    assert reader.glance([item])[item].content_version == 2 and reader.renewed().principal == reader.principal


def test_rows_are_counted_in_the_version_that_is_recorded(shelf: Any) -> None:
    shelf.add("a.txt", "text")
    shelf.level()
    assert len(shelf.rows(WORDS)) == len(shelf.rows(VECTORS)) == 1


def test_parts_of_a_document_are_known_by_their_keys(shelf: Any) -> None:
    pages = [shelf.add(f"plans/roof.pdf#page={page}", f"Nails {page}.") for page in (1, 2, 3)]
    other = shelf.add("plans/roof.pdf", "The whole roof.")
    also = shelf.add("plans/roof.pdfx#page=1", "Another roof.")
    shelf.level()
    reader = shelf.reader()
    assert reader.parts([pages[1]], 9) == pages
    assert reader.parts([pages[1]], 2) == pages[:2]
    assert reader.parts([other], 9) == reader.parts([], 9) == []
    assert reader.parts([also, pages[0]], 9) == [also, *pages]
    assert judge(shelf).parts([also, pages[0]], 9) == [also, *pages]
