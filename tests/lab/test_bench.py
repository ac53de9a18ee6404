"""Measures against hand computation, the run file, and the whole bench on a tiny collection."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import pytest

from bowerbird.lab.bench import Answered, judge, run_lines
from bowerbird.lab.collections import Topic
from bowerbird.serve.cli import run


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


DOCUMENTS = {
    "d1": ("Herons", "The heron stands in shallow water and waits for fish."),
    "d2": ("Bowerbirds", "The bowerbird decorates its bower with blue things: feathers, flowers, glass."),
    "d3": ("Kingfishers", "The kingfisher dives for fish; some kingfishers hunt lizards instead."),
    "d4": ("Glass", "Glass is made of sand, soda and lime, melted together."),
    "d5": ("Bread", "Flour, water, salt and time."),
}
QUERIES = {"q1": "bowerbird blue feathers", "q2": "sand soda lime", "q3": "zeppelin", "q4": "time: 5 flour"}
JUDGMENTS = "query-id\tcorpus-id\tscore\nq1\td2\t2\nq2\td4\t1\nq3\td1\t1\nq4\td5\t1\n"


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    folder = tmp_path / "birds"
    folder.mkdir()
    corpus = [{"_id": key, "title": title, "text": text} for key, (title, text) in DOCUMENTS.items()]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in corpus), encoding="utf-8")
    queries = [{"_id": key, "text": text} for key, text in QUERIES.items()]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries), encoding="utf-8")
    (folder / "qrels.tsv").write_text(JUDGMENTS, encoding="utf-8")
    return folder


@pytest.fixture
def bench(tmp_path, monkeypatch, capsys):
    """Run the command with a home and a cache of its own; returns its exit code and what it printed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        code = run(["--home", str(tmp_path / "home"), "bench", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_a_collection_goes_through_the_products_own_walks(bench, collection, tmp_path):
    code, out, _ = bench(collection, "--pipeline", "words", "--json", "--run-file", tmp_path / "run.txt")
    assert code == 0
    (told,) = json.loads(out)["sets"]
    # three queries have one relevant document, found first; nothing is found for the fourth
    assert [told[name] for name in ("ndcg@10", "recall@100", "mrr@10", "map")] == [0.75] * 4
    assert (told["name"], told["pipeline"], told["queries"], told["failed"]) == ("birds", "words", 4, 0)
    assert told["formula"].startswith("words")
    assert 0 < told["p50_ms"] <= told["p95_ms"]
    run_lines = [line.split() for line in (tmp_path / "run.txt").read_text().splitlines()]
    assert [line[2] for line in run_lines if line[3] == "1"] == ["d2", "d4", "d5"]


def test_a_second_run_reads_nothing_again_and_a_fresh_one_does(bench, collection, tmp_path):
    assert bench(collection, "--pipeline", "words")[0] == 0
    (home,) = (tmp_path / "cache" / "bowerbird" / "bench").iterdir()
    mark = home / "mark"
    mark.touch()
    code, out, err = bench(collection, "--pipeline", "words", "--queries", "2")
    assert (code, err) == (0, "")
    assert out.splitlines()[1].split()[:3] == ["birds", "2", "1.0000"]
    assert mark.exists()
    assert bench(collection, "--pipeline", "words", "--fresh")[0] == 0
    assert not mark.exists()


def test_an_asker_without_permission_finds_nothing(bench, collection):
    told = json.loads(bench(collection, "--pipeline", "words", "--as", "stranger", "--json")[1])
    assert told["sets"][0]["recall@100"] == 0.0


def test_meaning_without_a_model_says_how_to_get_it(bench, collection):
    code, out, _ = bench(collection, "--json")
    assert code == 1
    assert json.loads(out)["error"]["code"] == "model-missing"
    assert "models pull" in json.loads(out)["error"]["remedy"]


def test_mistakes_are_usage_errors(bench, collection, tmp_path):
    assert bench(tmp_path / "nowhere")[0] == 2
    assert bench(tmp_path)[0] == 2
    assert bench(collection, "--split", "validation")[0] == 2
    assert bench(collection, "--split", "train")[0] == 2
    assert bench(collection, "--pipeline", "wrods")[0] == 2
