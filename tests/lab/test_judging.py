"""Measures against hand computation, and the TREC run file."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import pytest

from bowerbird.core.errors import UsageError
from bowerbird.lab.collections import Collection, Topic
from bowerbird.lab.judging import Answered, judge, means
from bowerbird.lab.runs import files_for, read_run, run_lines


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
    assert (result.took(0.5), result.took(0.95)) == (2.0, 4.0)
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


def test_parts_and_intervals_are_of_the_main_measure():
    topics = [Topic(f"q{number}", "one", {"a": 1}) for number in range(4)]
    answers = [answered(topic.id, "a" if topic.id in ("q0", "q1") else "b") for topic in topics]
    result = judge("tiny", "words", topics, answers, {"easy": ["q0", "q1"], "none": ["x"]}, 5_000_000)
    assert result.values["ndcg@10"] == {"q0": 1.0, "q1": 1.0, "q2": 0.0, "q3": 0.0}
    low, high = result.intervals["ndcg@10"]
    assert 0 <= low < 0.5 < high <= 1
    told = result.to_dict()
    assert told["slices"] == {"easy": {"queries": 2, "ndcg@10": 1.0, "interval": [1.0, 1.0]}}
    assert told["memory_mb"] == 5.0


def test_means_weigh_each_set_the_same():
    topics = [Topic(f"q{number}", "one", {"a": 1}) for number in range(4)]
    small = judge("small", "words", topics[:1], [answered("q0", "a")])
    large = judge("large", "words", topics, [answered(topic.id, "b") for topic in topics])
    (mean,) = means([small, large])
    assert (mean.pipeline, mean.sets, mean.queries, mean.measures["ndcg@10"]) == ("words", 2, 5, 0.5)
    assert mean.to_dict()["map"] == 0.5
    assert means([small]) == []


@pytest.fixture
def collection(tmp_path) -> Collection:
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "corpus.jsonl").write_text(
        "".join(f'{{"_id": "{name}", "text": "t"}}\n' for name in ("a", "b", "c d")), encoding="utf-8"
    )
    (folder / "queries.jsonl").write_text('{"_id": "q 1", "text": "t"}\n{"_id": "q2", "text": "u"}\n', encoding="utf-8")
    (folder / "qrels.tsv").write_text("q 1\ta\t1\nq2\tb\t1\n", encoding="utf-8")
    return Collection.open(folder)


def test_a_run_that_was_written_is_read_again(collection, tmp_path):
    topics = collection.topics()
    answers = [Answered("q 1", ("c d", "a"), 1.0), Answered("q2", (), 1.0)]
    file = tmp_path / "run.txt"
    file.write_text("\n".join(run_lines(judge("tiny", "words", topics, answers))), encoding="utf-8")
    read = read_run(file, collection, topics, 100)
    assert [(one.topic, one.documents) for one in read] == [("q 1", ("c d", "a")), ("q2", ())]


def test_scores_order_a_run_and_ties_keep_the_order_of_the_file(collection, tmp_path):
    file = tmp_path / "run.txt"
    lines = ["q2 Q0 a 1 0.5 x", "", "q2 Q0 c_d 2 0.5 x", "q2 Q0 b 3 7 x", "q2 Q0 unknown 4 9 x"]
    file.write_text("\n".join(lines), encoding="utf-8")
    topics = collection.topics()
    assert read_run(file, collection, topics, 100)[1].documents == ("b", "a", "c d")
    assert read_run(file, collection, topics, 2)[1].documents == ("b", "a")


@pytest.mark.parametrize("text", ["", "q2 Q0 a\n", "q2 Q0 a 1 high x\n", "other Q0 a 1 1 x\n", "q2 Q0 other 1 1 x\n"])
def test_what_is_no_run_of_this_collection_is_refused(collection, tmp_path, text):
    file = tmp_path / "run.txt"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError):
        read_run(file, collection, collection.topics(), 100)


def test_a_file_for_each_result():
    topics = [Topic("q", "one", {"a": 1})]
    one, other = (judge("a set", name, topics, [answered("q", "a")]) for name in ("words", "words % 3 >> items"))
    assert [path.name for path, _ in files_for(Path("x/run.txt"), [one])] == ["run.txt"]
    names = [path.name for path, _ in files_for(Path("x/run.txt"), [one, other])]
    assert names == ["run-a-set-words.txt", "run-a-set-words-3-items.txt"]
