"""Retrieval as an expression: it prints, reads back, is checked, and fuses as the paper says."""

from __future__ import annotations

import doctest
import importlib
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bowerbird.core.errors import UsageError
from bowerbird.core.records import Filters, Query
from bowerbird.index.reading import Candidate
from bowerbird.search import formula
from bowerbird.search.pipeline import Context, Stage
from bowerbird.search.presets import PRESETS, pipeline_named
from bowerbird.search.query import parse
from bowerbird.search.ranking import Ranking, collapse, leg, put_first, ranking, reciprocal_rank
from bowerbird.search.stages import candidates, fuse, items, meaning, named, rrf, snippets, words
from bowerbird.testing.encoder import HashEncoder
from bowerbird.testing.memory import MemoryReader, memory_reader

MODULES = (
    "search.days search.query search.matching search.snippets search.ranking search.identifiers search.formula"
    " search.lru testing.memory"
)


@pytest.mark.parametrize("name", MODULES.split())
def test_examples_in_docstrings(name: str) -> None:
    outcome = doctest.testmod(importlib.import_module(f"bowerbird.{name}"))
    assert outcome.attempted
    assert not outcome.failed


WORDS = ["words", "items", "fuse", "snippets", "(", ")", "|", ">>", "%", "7", "x"]


def cuts(stages: st.SearchStrategy[Stage]) -> st.SearchStrategy[Stage]:
    return st.builds(lambda stage, count: stage % count if count else stage, stages, st.integers(0, 300))


legs = cuts(st.sampled_from([words, meaning]))
passages = st.recursive(
    legs,
    lambda inner: cuts(st.lists(inner, min_size=2, max_size=3).map(lambda some: _beside(some) >> rrf)),
    max_leaves=3,
)
rankings = st.one_of(
    passages.map(lambda stage: stage >> items),
    st.lists(passages, min_size=2, max_size=3).map(lambda some: _beside(some) >> fuse),
    st.lists(passages, min_size=2, max_size=3).map(lambda some: _beside(some) >> items >> rrf % 7),
)
pipelines = st.one_of(passages, cuts(rankings), rankings.map(lambda stage: stage >> named >> snippets))


def _beside(stages: list[Stage]) -> Stage:
    together = stages[0]
    for stage in stages[1:]:
        together = together | stage
    return together


@given(pipelines)
def test_a_printed_pipeline_reads_back_equal(pipeline: Stage) -> None:
    assert str(formula.parse(str(pipeline))) == str(pipeline)
    assert formula.parse(str(pipeline)) == pipeline


@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(st.sampled_from(WORDS)).map(" ".join),
    )
)
def test_any_formula_is_read_or_refused(text: str) -> None:
    try:
        pipeline = formula.parse(text)
    except UsageError as problem:
        assert problem.cause and problem.remedy
    else:
        assert formula.parse(str(pipeline)) == pipeline


def test_presets_print_and_read_back() -> None:
    for name, pipeline in PRESETS.items():
        assert formula.parse(str(pipeline)) == pipeline
        assert pipeline_named(name) is pipeline
    assert str(PRESETS["hybrid"]) == "(words % 200 | meaning % 200) >> fuse >> named >> snippets"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("words | meaning >> fuse", "gets one"),
        ("(words | meaning) >> named", "gets 2"),
        ("(words | meaning) >> snippets", "gets 2"),
        ("words >> snippets", "gets passages"),
        ("words >> meaning", "begins a pipeline"),
        ("words >> (words | meaning)", "begins a pipeline"),
        ("items >> snippets", "nothing comes before"),
        ("words >> items >> snippets >> items", "cannot come after `snippets`"),
        ("(words | meaning >> items) >> fuse", "mixes"),
        ("(words >> items >> snippets | meaning >> items) >> fuse", "cannot stand inside"),
        ("words | named", "nothing comes before"),
        ("words % 0", "keeps nothing"),
        ("words % x", "needs a number"),
        ("words % 99999999", "needs a number"),
        ("wrods >> items", "did you mean `words`"),
        ("(words", "not closed"),
        ("words)", "not expected"),
        ("words >> __import__", "is not a stage"),
        ("words ; items", "not expected"),
        ("", "ends too early"),
        ("(" * 2001, "longer than"),
        ("(" * 300, "deeper than"),
    ],
)
def test_a_pipeline_that_cannot_work_says_why(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=r"formula|`") as caught:
        formula.parse(text)
    assert told in caught.value.cause


def test_a_pipeline_that_cannot_work_is_refused_when_it_is_built() -> None:
    with pytest.raises(UsageError, match="joins two or more"):
        words >> fuse
    tail = items >> snippets
    assert str(words >> tail) == "words >> items >> snippets"


@given(st.lists(st.permutations("abcdef").map(lambda ids: ids[:4]), min_size=1, max_size=4))
def test_fusion_is_the_sum_of_reciprocal_ranks(orders: list[list[str]]) -> None:
    fused = reciprocal_rank([ranking(" ".join(ids)) for ids in orders])
    expected = {id_: sum(1 / (61 + ids.index(id_)) for ids in orders if id_ in ids) for ids in orders for id_ in ids}
    assert {entry.id: entry.score for entry in fused.entries} == pytest.approx(expected)
    scores = [entry.score for entry in fused.entries]
    assert scores == sorted(scores, reverse=True)
    assert fused == reciprocal_rank([ranking(" ".join(ids)) for ids in orders])


def found(*pairs: str) -> Ranking:
    return leg("words", [Candidate(pair, pair.split(".")[0], 9.0 - at) for at, pair in enumerate(pairs)])


def test_collapsing_keeps_the_three_best_passages_at_the_best_place() -> None:
    collapsed = collapse(found("b.1", "a.1", "b.2", "b.3", "b.4"))
    assert collapsed.ids == ("b", "a")
    assert [kept.id for kept in collapsed.entries[0].passages] == ["b.1", "b.2", "b.3"]
    assert collapse(collapsed) == collapsed


def test_passages_found_by_both_legs_come_first() -> None:
    fused = reciprocal_rank([collapse(found("a.1", "a.2")), collapse(found("a.2", "a.3"))])
    assert [kept.id for kept in fused.entries[0].passages] == ["a.2", "a.1", "a.3"]


def test_what_is_put_first_comes_even_from_outside() -> None:
    lifted = put_first(collapse(found("a.1", "b.1")), ["x", "b"], 100, lambda _: "exact name")
    assert lifted.ids == ("b", "x", "a")
    assert tuple(map(str, lifted.entries[0].lines)) == ("words: rank 2 of 2", "exact name: +100")


class Meeting(MemoryReader):
    """Each leg waits for the other: it only returns where both run at the same time."""

    barrier = threading.Barrier(2, timeout=10)

    def words(self, *asked: object) -> list[Candidate]:
        self.barrier.wait()
        return super().words(*asked)  # type: ignore[arg-type]

    def meaning(self, *asked: object) -> list[Candidate]:
        self.barrier.wait()
        return super().meaning(*asked)  # type: ignore[arg-type]


def context(reader: MemoryReader, query: Query) -> Context:
    return Context(reader, query, HashEncoder)


def test_legs_run_at_the_same_time() -> None:
    plain = memory_reader({"a": "red fox", "b": "blue whale"}, HashEncoder())
    meeting = Meeting(plain.stored, plain.held, plain.vectors)
    assert candidates(PRESETS["hybrid"], context(meeting, parse("fox")))[0].item == "a"


def test_nested_side_by_side_cannot_block_the_pool() -> None:
    reader = memory_reader({"a": "red fox", "b": "blue whale"}, HashEncoder())
    inner = "(words | meaning) >> rrf"
    for _ in range(4):
        inner = f"(words | {inner}) >> rrf"
    deep = formula.parse(f"{inner} >> items")
    threads = [threading.Thread(target=candidates, args=(deep, context(reader, parse("fox")))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)


def test_a_cut_of_the_end_does_not_narrow_the_legs() -> None:
    reader = memory_reader({f"{at}": "fox\n\nfox\n\nfox" for at in range(5)})
    assert len(candidates(formula.parse("(words >> items) % 4"), context(reader, parse("fox")))) == 4
    assert len(candidates(formula.parse("words % 4 >> items"), context(reader, parse("fox")))) == 2


def test_fuse_is_rrf_then_items() -> None:
    reader = memory_reader({f"{at}": "red fox\n\nblue fox whale\n\nfox" for at in range(3)}, HashEncoder())
    asked = context(reader, parse("red fox"))
    side_by_side = words | meaning
    assert candidates(side_by_side >> fuse, asked) == candidates(side_by_side >> rrf >> items, asked)
    assert len(candidates(side_by_side >> items >> rrf, asked)) == 3


def test_a_phrase_binds_the_meaning_too() -> None:
    reader = memory_reader({"a": "the annual reports", "b": "report annual the"}, HashEncoder())
    asked = context(reader, parse('"annual report"'))
    assert [entry.item for entry in candidates(PRESETS["meaning"], asked)] == ["a"]
    assert len(reader.meaning(HashEncoder().query("annual report"), Filters(), 9)) == 2
