"""Measures against hand computation, the run file, and the whole bench on a tiny collection."""

from __future__ import annotations

import itertools
import math

import pytest

from bowerbird.lab.bench import Answered, judge, run_lines
from bowerbird.lab.collections import Topic


def answered(topic: str, documents: str, took: float = 1.0) -> Answered:
    return Answered(topic, tuple(documents.split()), took, "words % 100")


def test_the_measures_are_those_of_the_formulas():
    topics = [Topic("q1", "one", {"a": 2, "b": 1, "z": 1}), Topic("q2", "two", {"c": 1})]
    result = judge("tiny", "words", topics, [answered("q1", "x a b", 2.0), answered("q2", "y z c", 4.0)])
    gain = 2 / math.log2(3) + 1 / math.log2(4)
    ideal = 2 / math.log2(2) + 1 / math.log2(3) + 1 / math.log2(4)
    assert result.measures["ndcg@10"] == pytest.approx((gain / ideal + 1 / math.log2(4)) / 2)
    assert result.measures["recall@100"] == pytest.approx((2 / 3 + 1) / 2)
    assert result.measures["mrr@10"] == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert result.measures["map"] == pytest.approx(((1 / 2 + 2 / 3) / 3 + 1 / 3) / 2)
    assert (result.p50_ms, result.p95_ms) == (2.0, 4.0)
    assert result.formula == "words % 100"


def test_the_order_decides_and_not_the_alphabet():
    topics = [Topic("q", "one", {"z": 1})]
    documents = "z " + " ".join(f"a{number:02}" for number in range(99))
    assert judge("tiny", "words", topics, [answered("q", documents)]).measures["mrr@10"] == 1.0


def test_a_query_without_an_answer_counts_as_nothing_found():
    topics = [Topic("q1", "one", {"a": 1}), Topic("q2", "two", {"b": 1})]
    failed = Answered("q2", (), 1.0, error="The query is too long.")
    result = judge("tiny", "words", topics, [answered("q1", "a"), failed])
    assert result.measures["ndcg@10"] == 0.5
    assert (result.queries, result.failed) == (2, 1)
    nothing = judge("tiny", "words", topics, [])
    assert nothing.measures == {"ndcg@10": 0.0, "recall@100": 0.0, "mrr@10": 0.0, "map": 0.0}


def test_a_run_file_has_six_columns_and_falling_scores():
    documents = " ".join(f"d{number}" for number in range(100))
    topics = [Topic("a question", "one", {"d0": 1})]
    answer = Answered("a question", tuple(documents.split()), 1.0)
    lines = [line.split() for line in run_lines(judge("tiny", "words", topics, [answer]))]
    assert len(lines) == 100
    assert lines[0] == ["a_question", "Q0", "d0", "1", "1.000000", "bowerbird-words"]
    scores = [float(line[4]) for line in lines]
    assert all(first > second for first, second in itertools.pairwise(scores))
    assert all(len(line) == 6 for line in lines)


def test_the_json_face_is_the_public_one():
    topics = [Topic("q", "one", {"a": 1})]
    told = judge("tiny", "hybrid", topics, [answered("q", "a", 1.234)]).to_dict()
    assert list(told)[:10] == [
        "name", "pipeline", "queries", "ndcg@10", "recall@100", "mrr@10", "map", "p50_ms", "p95_ms", "formula",
    ]  # fmt: skip
    assert told["ndcg@10"] == 1.0
    assert told["p50_ms"] == 1.23
