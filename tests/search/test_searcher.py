"""A search as a user sees it: hits, pages, counts, hints, and nothing that is not theirs."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.search.conftest import DOCS, NOW, changed, found, many, pages, reader, searcher

from bowerbird.core.errors import ModelError, NotFoundError, QueryError, UsageError
from bowerbird.core.records import Person
from bowerbird.search import cursors
from bowerbird.search.lru import Lru
from bowerbird.search.presets import PRESETS
from bowerbird.search.results import DATE_FILTERS
from bowerbird.search.searcher import Searcher
from bowerbird.testing.encoder import HashEncoder
from bowerbird.testing.memory import MemoryReader


def test_what_is_asked_is_found_and_marked() -> None:
    results = searcher().search(reader(), "parrots budget")
    top = results.hits[0]
    assert top.item == "plans/Q3 plan.md"
    best = top.passages[0].snippet
    assert [best.text[left:right] for left, right in best.highlights] == ["budget", "parrots"]
    assert top.passages[0].place.start == DOCS[top.item].index("The budget")
    assert results.formula == str(PRESETS["hybrid"])
    assert results.took_ms > 0
    assert not results.hints
    assert [hit.rank for hit in results.hits] == list(range(1, len(results.hits) + 1))


@pytest.mark.parametrize("pipeline", ["words", "meaning", "hybrid", "typing", "words % 50 >> items >> snippets"])
@pytest.mark.parametrize("name", ["kea.txt", "KEA", "birds/kea.txt"])
def test_exact_names_come_first(pipeline: str, name: str) -> None:
    results = searcher().search(reader({**DOCS, "z.txt": "kea kea kea txt birds " * 9}), name, pipeline=pipeline)
    if "named" in results.formula:
        assert results.hits[0].item == "birds/kea.txt"
        assert results.hits[0].explanation.lines[-1] == "exact name: +2000"
        assert results.hits[0].passages


def test_exact_identifiers_come_before_what_only_has_their_parts() -> None:
    busy = reader({**DOCS, "z.txt": "prj 123 prj 123", "PRJ-123 notes.txt": "no number in here"})
    results = searcher().search(busy, "prj-123")
    assert results.hits[0].item == "birds/kea.txt"
    assert "identifier prj-123: +1000" in results.hits[0].explanation.lines
    assert {"z.txt", "birds/owl.txt"} <= {hit.item for hit in results.hits[1:]}


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("type:pdf parrots", {"birds/kiwi.pdf"}),
        ("in:plans budget", {"plans/Q3 plan.md", "plans/budget.xlsx"}),
        ("source:memory after:2026-03-18", {"plans/Q3 plan.md"}),
        ("source:elsewhere budget", set()),
        ("before:2026-03-14", {"birds/owl.txt"}),
        ("from:ada", {"birds/kea.txt"}),
        ('"budget for parrots"', {"plans/Q3 plan.md"}),
        ('"parrots for budget"', set()),
        ("予算 in:birds type:note before:today", {"birds/東京.txt", "birds/kea.txt", "birds/owl.txt"}),
        ("-parrots", {"plans/budget.xlsx", "birds/東京.txt", "birds/owl.txt"}),
        ("-parrots type:note", {"birds/東京.txt", "birds/owl.txt"}),
        ('-"ticket prj" -東京 in:birds', {"birds/kiwi.pdf", "birds/owl.txt"}),
        ("parrots OR owl", {"birds/owl.txt", "plans/Q3 plan.md", "birds/kiwi.pdf", "birds/kea.txt"}),
        ('"budget for parrots" OR type:pdf', {"plans/Q3 plan.md", "birds/kiwi.pdf"}),
        ("budget (type:pdf OR in:plans) -quarterly", {"plans/budget.xlsx", "birds/kiwi.pdf"}),
        ("owl OR (budget -type:note -quarterly)", {"plans/budget.xlsx", "birds/owl.txt"}),
        ("(kea OR owl) -in:birds", set()),
    ],
)
def test_operators(query: str, wanted: set[str]) -> None:
    ada = (Person("Ada Byron", "ada@example.org"),)
    asked = changed(reader(), lambda item: replace(item, people=ada if item.name == "kea.txt" else ()))
    assert set(found(query, asked)) == wanted


def test_scripts_without_spaces() -> None:
    top = searcher().search(reader(), "予算", pipeline="words").hits[0]
    assert top.item == "birds/東京.txt"
    assert top.passages[0].snippet.highlights == ((4, 6),)


def test_filters_alone_list_the_newest() -> None:
    results = searcher().search(reader(), "in:birds")
    assert [hit.item for hit in results.hits] == [name for name in DOCS if name.startswith("birds/")]
    assert results.formula == "recent % 400 >> snippets"
    assert results.hits[0].passages[0].snippet.text.startswith("The kea")


@pytest.mark.parametrize("text", ["", "  \n", '""', "\x00\x07"])
def test_nothing_asked_nothing_found(text: str) -> None:
    results = searcher().search(reader(), text)
    assert (results.hits, results.cursor, results.formula) == ((), "", "")


def test_while_typing_the_last_word_is_unfinished() -> None:
    assert "plans/budget.xlsx" in found("travel bud", pipeline="typing")
    assert found("bud", pipeline="words") == []
    unfinished = "prefix % 60 >> items >> named >> snippets"
    assert set(found("bud", pipeline=unfinished)) == {"plans/budget.xlsx", "plans/Q3 plan.md"}
    assert found("bud ", pipeline=unfinished) == []
    assert set(found("bud", pipeline="typing")[:2]) == {"plans/budget.xlsx", "plans/Q3 plan.md"}
    hit = searcher().search(reader(), "travel bud", pipeline="typing").hits[0]
    assert hit.passages[0].snippet.highlights == ((0, 6), (10, 16))


def test_sort_by_date_is_newest_first_and_undated_last() -> None:
    undated = changed(reader(), lambda item: replace(item, modified=None) if item.name == "Q3 plan.md" else item)
    assert found("budget parrots keas", undated, sort="date", pipeline="words") == [
        "plans/budget.xlsx", "birds/kea.txt", "birds/kiwi.pdf", "plans/Q3 plan.md",
    ]  # fmt: skip


@pytest.mark.parametrize("sort", ["relevance", "date"])
def test_pages_together_are_the_whole_answer(sort: str) -> None:
    everything = many(57)
    whole = [hit.item for hit in searcher().search(everything, "owl number", limit=100, sort=sort).hits]
    assert len(whole) == 57
    assert pages(searcher(), lambda _: everything, 10, sort) == whole


@pytest.mark.parametrize("forgets", [False, True])
@given(seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_nothing_comes_twice_while_the_collection_changes(forgets: bool, seed: int) -> None:
    chance = random.Random(seed)
    states = [many(40 + chance.randrange(-10, 20)) for _ in range(6)]
    asker = searcher()
    if forgets:
        asker._rankings = Lru(0)
    seen = pages(asker, lambda page: states[page % len(states)], 7)
    assert len(seen) == len(set(seen))
    lasting = {f"{at:03}.txt" for at in range(30)}
    assert lasting <= set(seen)


def test_a_kept_ranking_keeps_its_order_while_the_collection_changes() -> None:
    first, asker = many(40), searcher()
    order = [hit.item for hit in searcher().search(first, "owl number", limit=100).hits]
    later = reader({name: "owl" if int(name[:3]) % 2 else "number number owl" for name in first.stored})
    assert pages(asker, lambda page: later if page else first, 10) == order


def test_what_is_not_yours_is_not_there() -> None:
    secret = changed(reader(), lambda item: replace(item, acl_id=2) if item.name == "kea.txt" else item)
    mine = replace(secret, visible=frozenset({1}))
    for query in ("parrot kea", "kea.txt", "PRJ-123", "in:birds", "type:note"):
        results = searcher().search(mine, query, limit=100)
        assert "birds/kea.txt" not in json.dumps(results.to_dict())
        assert sum(results.counts["type"].values()) == len(results.hits)
    for item in ("birds/kea.txt", "no-such-item"):
        with pytest.raises(NotFoundError, match=f"There is no item {item}"):
            searcher().explain(mine, "kea", item)
    leaked = searcher().search(secret, "kea parrot", limit=1).cursor
    assert all(hit.item != "birds/kea.txt" for hit in searcher().search(mine, "kea parrot", cursor=leaked).hits)


def test_counts_are_what_the_filters_would_show() -> None:
    people = (Person("Ada Byron"), Person("", "kim@example.org"))
    spread = {name: timedelta(days=days) for name, days in zip(DOCS, (0, 3, 20, 100, 500, 800), strict=True)}
    asked = changed(
        reader(), lambda item: replace(item, modified=NOW - spread[item.id], people=people if "kea" in item.id else ())
    )
    query = "budget parrots keas owl 予算"
    counts = searcher().search(asked, query, limit=1).counts
    assert counts["type"] == {"note": 4, "pdf": 1, "spreadsheet": 1}
    assert counts["person"] == {"Ada Byron": 1, "kim@example.org": 1}
    assert counts["date"] == {"today": 1, "week": 2, "month": 3, "year": 4, "older": 2}
    operators = {"type": "type:{}", "source": "source:{}", "person": 'from:"{}"'}
    for facet, template in operators.items():
        for value, number in counts[facet].items():
            assert len(found(f"{query} {template.format(value)}", asked)) == number, value
    for bucket, number in counts["date"].items():
        assert len(found(f"{query} {DATE_FILTERS[bucket]}", asked)) == number, bucket


def test_scores_are_the_sums_of_their_explanations() -> None:
    for pipeline in ("hybrid", "words", "meaning"):
        for query in ("parrots budget", "kea", "PRJ-123"):
            for hit in searcher().search(reader(), query, pipeline=pipeline).hits:
                if pipeline == "hybrid":  # others rank by scores that are not told
                    assert explained(hit.explanation.lines) == pytest.approx(hit.score, abs=0.006)
                told = searcher().explain(reader(), query, hit.item, pipeline)
                assert told.score == hit.score
                assert told.lines[0].startswith(f"rank {hit.rank} of ")
                assert told.lines[1:] == hit.explanation.lines


def explained(lines: tuple[str, ...]) -> float:
    bonus = sum(float(line.rpartition("+")[2]) for line in lines if line.startswith(("exact name", "identifier")))
    (fused,) = [line for line in lines if line.startswith("rrf: ")]
    shares = re.findall(r"1/\((\d+)\+(\d+)\)", fused)
    assert len(shares) == sum(line.startswith(("words: ", "meaning: ")) for line in lines)
    return bonus + sum(1 / (int(k) + int(rank)) for k, rank in shares)


@pytest.mark.parametrize("pipeline", ["hybrid", "words", "meaning", "typing", "words >> items"])
def test_scores_never_leave(pipeline: str) -> None:
    """What is answered stays the same, number for number, when every score changes and the order does not."""

    class Scaled(MemoryReader):
        def words(self, *asked):  # type: ignore[no-untyped-def]
            return [one._replace(score=one.score * 1.37) for one in super().words(*asked)]

        def meaning(self, *asked):  # type: ignore[no-untyped-def]
            return [one._replace(score=one.score * 0.73) for one in super().meaning(*asked)]

    plain = reader()
    scaled = Scaled(plain.stored, plain.held, plain.vectors)
    for query in ("parrots budget", "kea", "PRJ-123", "kea.txt", "type:note"):
        faces = [searcher().search(one, query, pipeline=pipeline).to_dict() for one in (plain, scaled)]
        assert {**faces[0], "took_ms": 0} == {**faces[1], "took_ms": 0}
        assert faces[0]["hits"]
        for hit in faces[0]["hits"]:
            assert not {"score", "scores"} & {*hit, *(key for passage in hit["passages"] for key in passage)}


def test_what_was_not_found_is_explained_too() -> None:
    told = searcher().explain(reader(), "kiwis", "birds/owl.txt", "words")
    assert told.score == 0
    assert told.lines == ("not found", "words: not among what it found")


def test_a_missing_model_is_told_and_words_go_on() -> None:
    def broken() -> None:
        raise ModelError("The model minilm is missing.", "Run `bowerbird models pull minilm`.")

    for encoder, said in ((lambda: None, "model is missing"), (broken, "bowerbird models pull minilm")):
        lame = Searcher(encoder, clock=lambda: NOW)
        results = lame.search(reader(), "parrots")
        assert results.hits and said in results.hints[0]
        alone = lame.search(reader(), "parrots", pipeline="meaning")
        assert not alone.hits and alone.hints


def test_a_query_is_embedded_once() -> None:
    class Counting(HashEncoder):
        asked = 0

        def query(self, text: str):  # type: ignore[no-untyped-def]
            type(self).asked += 1
            return super().query(text)

    asker = Searcher(Counting, clock=lambda: NOW)
    for _ in range(3):
        asker.search(reader(), "parrots")
    assert Counting.asked == 1


def test_hints_of_the_query_are_passed_on() -> None:
    assert "`type:`" in searcher().search(reader(), "tpye:pdf parrots").hints[0]


LATE = datetime(2026, 3, 18, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "today", "march"),
    [
        ("", ["17", "18"], ["01", "17", "18"]),  # in UTC it is the 18th still
        ("UTC", ["17", "18"], ["01", "17", "18"]),
        ("Europe/Prague", ["18"], ["01", "17", "18"]),  # there it is half past midnight
        ("+01:00", ["18"], ["01", "17", "18"]),
        ("America/New_York", ["17", "18"], ["17", "18"]),  # where the first of March was February
    ],
)
def test_days_are_those_of_the_askers_zone(zone: str, today: list[str], march: list[str]) -> None:
    moments = {
        "01": datetime(2026, 3, 1, 2, tzinfo=UTC),
        "17": datetime(2026, 3, 18, 8, tzinfo=UTC),
        "18": datetime(2026, 3, 18, 23, 15, tzinfo=UTC),
    }
    mine = changed(reader({name: "owl" for name in moments}), lambda item: replace(item, modified=moments[item.id]))
    asker = Searcher(lambda: None, clock=lambda: LATE)

    def found(text: str) -> list[str]:
        return sorted(hit.item for hit in asker.search(mine, text, zone=zone).hits)

    assert found("owl date:today") == found("after:today") == found("owl -before:today") == today
    assert found("date:march") == found("date:2026-03") == march
    assert found("date:2020 OR date:today") == today
    counts = asker.search(mine, "owl", zone=zone).counts["date"]
    assert (counts["today"], counts["month"]) == (len(today), 3)


def test_an_unknown_zone_is_told_where_days_count() -> None:
    unknown = "The time zone `Middle/Earth` is not known here, so days are those of UTC."
    assert searcher().search(reader(), "parrots after:today", zone="Middle/Earth").hints == (unknown,)
    assert searcher().search(reader(), "parrots", zone="Middle/Earth").hints == ()


def test_a_cursor_of_another_zone_is_of_another_search() -> None:
    cursor = searcher().search(many(30), "owl", limit=5, zone="Asia/Tokyo").cursor
    with pytest.raises(UsageError, match="belongs to another search"):
        searcher().search(many(30), "owl", limit=5, zone="Asia/Seoul", cursor=cursor)


def test_what_is_still_pending_is_told() -> None:
    waiting = changed(reader(), lambda item: replace(item, state="pending") if item.kind == "pdf" else item)
    lacking = replace(waiting, vectors={})
    results = searcher().search(lacking, "parrots")
    assert (results.partial.items, results.partial.vectors) == (1, len(DOCS))


def test_without_snippets_hits_have_no_passages() -> None:
    hits = searcher().search(reader(), "parrots", pipeline="words >> items").hits
    assert hits and not any(hit.passages for hit in hits)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"limit": 0}, "0 hits"),
        ({"limit": 1001}, "1001 hits"),
        ({"sort": "size"}, "not a way to sort"),
        ({"pipeline": "words % 5"}, "passages"),
        ({"pipeline": "(words | meaning) >> items"}, "gets 2"),
        ({"pipeline": "sausage"}, "not a stage"),
        ({"cursor": "x"}, "malformed"),
        ({"cursor": "é"}, "malformed"),
        ({"cursor": "AAAA" * 10}, "malformed"),
        ({"cursor": cursors.write(cursors.new([]), "another search")}, "another search"),
    ],
)
def test_requests_that_are_wrong_say_so(options: dict[str, str | int], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        searcher().search(reader(), "parrots", **options)  # type: ignore[arg-type]


def test_too_long_a_query_is_refused() -> None:
    with pytest.raises(QueryError, match="limit is 4,000"):
        searcher().search(reader(), "x" * 5000)


@given(st.text(max_size=40))
@settings(max_examples=50, deadline=None)
def test_any_text_is_searched_and_encoded(text: str) -> None:
    results = searcher().search(reader(), text)
    face = json.loads(json.dumps(results.to_dict()))
    assert face == msgspec.json.decode(msgspec.json.encode(results.to_dict()))
    assert [hit["item"] for hit in face["hits"]] == [hit.item for hit in results.hits]


def test_the_public_face() -> None:
    face = searcher().search(reader(), "parrots").to_dict()
    assert set(face) == {"query", "formula", "took_ms", "hits", "cursor", "counts", "hints", "partial"}
    hit = face["hits"][0]
    assert {
        "rank",
        "item",
        "title",
        "uri",
        "source",
        "kind",
        "modified",
        "snippet",
        "passages",
        "path",
        "people",
    } <= set(hit)
    assert {"text", "place", "highlights"} <= set(hit["passages"][0])
    assert hit["modified"].endswith("Z")
    assert hit["snippet"] == hit["passages"][0]["text"]


def test_cursors_stay_short_enough_for_an_address() -> None:
    shown = [*map(str, range(cursors.MOST_SHOWN))]
    cursor = cursors.new([*shown, "one more"]).and_shown(shown)
    text = cursors.write(cursor, "search")
    assert 0 < len(text) <= 2000
    assert cursors.read(text, "search") == cursor
    assert cursors.write(cursor.and_shown(["one more"]), "search") == ""
