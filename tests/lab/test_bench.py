"""The whole bench on a tiny collection, through the command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bowerbird.core.errors import UsageError
from bowerbird.lab.bench import Contender, Options, contenders
from bowerbird.serve.cli import run

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
    assert out.splitlines()[1].split()[:3] == ["birds", "words", "2"]
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
    assert bench(collection, "--pipeline", "words", "--report", tmp_path / "no" / "report.html")[0] == 2


BOTH = ("--pipeline", "words", "--pipeline", "few=words % 1 >> items >> named >> snippets")


def test_pipelines_are_compared_with_the_first_and_what_moved_is_explained(bench, collection):
    code, out, _ = bench(collection, *BOTH, "--diffs", "5", "--json")
    told = json.loads(out)
    assert code == 0
    assert [(one["name"], one["pipeline"]) for one in told["sets"]] == [("birds", "words"), ("birds", "few")]
    (comparison,) = told["comparisons"]
    assert (comparison["baseline"], comparison["pipeline"], comparison["queries"]) == ("words", "few", 4)
    assert comparison["difference"] == told["sets"][1]["ndcg@10"] - told["sets"][0]["ndcg@10"] == 0
    assert (comparison["better"], comparison["worse"], comparison["same"]) == (0, 0, 4)
    assert comparison["p"] == comparison["p_holm"] == 1.0
    assert told["changes"] == []
    assert all(one["memory_mb"] > 20 for one in told["sets"])


def test_a_query_that_became_worse_is_told_with_ranks_and_reasons(bench, collection, tmp_path):
    (collection / "qrels.tsv").write_text("q\td\tg\nq5\td1\t1\nq5\td3\t1\nq1\td2\t1\n", encoding="utf-8")
    with (collection / "queries.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"_id": "q5", "text": "fish"}) + "\n")
    code, out, _ = bench(collection, *BOTH, "--diffs", "5", "--json")
    assert code == 0
    (change,) = json.loads(out)["changes"]
    assert (change["query"], change["text"], change["ndcg@10_before"]) == ("q5", "fish", 1.0)
    assert change["ndcg@10_after"] < 1
    lost = change["gold"][0]
    assert (lost["rank_before"], lost["rank_after"]) == (2, None)
    assert lost["explanation_before"][-1].startswith("words: rank 2 of ")
    assert lost["explanation_after"] == ["not found", "words: not among what it found"]
    code, out, _ = bench(collection, *BOTH, "--diffs", "5")
    assert "worse: 1.000 -> 0.613  birds q5: fish" in out
    assert f"answers it: {lost['document']}, rank 2 -> none" in out


def test_a_run_of_another_system_is_compared_and_has_no_latency(bench, collection, tmp_path):
    theirs = tmp_path / "theirs.txt"
    theirs.write_text("q1 Q0 d5 1 9.0 theirs\nq1 Q0 d2 2 8.0 theirs\nq9 Q0 d2 1 1 theirs\n", encoding="utf-8")
    code, out, _ = bench(collection, "--pipeline", "words", "--against", theirs, "--json", "--diffs", "1")
    told = json.loads(out)
    assert code == 0
    assert [(one["pipeline"], one["p50_ms"] is None) for one in told["sets"]] == [("words", False), ("theirs", True)]
    assert told["comparisons"][0]["worse"] == 3
    assert told["changes"][0]["gold"][0]["explanation_before"]
    assert told["changes"][0]["gold"][0]["explanation_after"] == []
    told = json.loads(
        bench(collection, "--pipeline", "words", "--against", theirs, "--baseline", "theirs", "--json")[1]
    )
    assert [one["pipeline"] for one in told["sets"]] == ["theirs", "words"]
    assert (told["comparisons"][0]["baseline"], told["comparisons"][0]["better"]) == ("theirs", 3)
    (collection / "other.txt").write_text("nonsense\n", encoding="utf-8")
    assert bench(collection, "--pipeline", "words", "--against", collection / "other.txt")[0] == 2
    assert bench(collection, "--pipeline", "words", "--against", tmp_path / "no.txt")[0] == 2


def test_several_runs_go_into_a_file_each_and_the_report_stands_alone(bench, collection, tmp_path):
    page = tmp_path / "report.html"
    code, out, err = bench(collection, *BOTH, "--run-file", tmp_path / "run.txt", "--report", page)
    assert code == 0
    assert sorted(path.name for path in tmp_path.glob("run*")) == ["run-birds-few.txt", "run-birds-words.txt"]
    assert "run-birds-few.txt" in err
    html = page.read_text(encoding="utf-8")
    assert html.count("<svg") >= 4
    assert "<script" not in html
    assert "http" not in html
    assert out.splitlines()[0].split()[:3] == ["collection", "pipeline", "queries"]


def test_parts_of_the_queries_are_measured_on_their_own(bench, collection):
    rows = [{"_id": key, "text": text, "metadata": {"kind": key}} for key, text in QUERIES.items()]
    (collection / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (collection / "qrels.train.tsv").write_text("q\td\tg\nq9\td2\t1\nq9\td5\t0\n", encoding="utf-8")
    code, out, _ = bench(collection, *BOTH, "--slice", "kind", "--split", "test", "--json")
    told = json.loads(out)
    assert code == 0
    # the document of q1 answers a query of train, too; that of q4 was only judged there
    slices = told["sets"][0]["slices"]
    assert list(slices) == ["kind=q1", "kind=q2", "kind=q3", "kind=q4", "unseen"]
    assert (slices["unseen"]["queries"], slices["unseen"]["ndcg@10"]) == (3, 0.6667)
    assert {one["slice"] for one in told["comparisons"]} == {"", *slices}
    assert len(bench(collection, *BOTH, "--slice", "kind")[1].splitlines()) > 14


def test_a_pipeline_may_have_a_name():
    assert contenders(["words", "deep=words % 400 >> items", "words>>items"]) == (
        Contender("words", "words"),
        Contender("deep", "words % 400 >> items"),
        Contender("words>>items", "words>>items"),
    )
    with pytest.raises(UsageError):
        contenders(["a=wrods"])


def test_names_are_told_apart_and_the_baseline_is_one_of_them():
    words = contenders(["words", "hybrid"])
    assert Options(words, runs=(Path("a/theirs.txt"),), baseline="theirs").checked().baseline == "theirs"
    for wrong in (
        Options(contenders(["words", "words"])),
        Options(contenders(["hybrid", "hybrid=words >> items"])),
        Options(words, runs=(Path("a/words.txt"),)),
        Options(words, baseline="meaning"),
    ):
        with pytest.raises(UsageError):
            wrong.checked()


def test_two_folders_of_one_name_cannot_be_told_apart(bench, collection, tmp_path):
    assert bench(collection, collection)[0] == 2
    assert bench(collection, tmp_path / "other", "--against", collection / "qrels.tsv")[0] == 2
