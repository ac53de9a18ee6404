"""The search benchmark: the file of expected scores, its verdicts, and the typos it makes."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from bowerbird.core.errors import UsageError
from bowerbird.lab.bench import Outcome
from bowerbird.lab.collections import SPLITS, Collection, Topic
from bowerbird.lab.judging import Answered, judge
from bowerbird.search.presets import pipeline_named

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def modules():
    before = set(sys.modules)
    sys.path.insert(0, str(FOLDER))
    yield importlib.import_module("_expected"), importlib.import_module("search")
    sys.path.remove(str(FOLDER))
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(FOLDER)):
            del sys.modules[name]


@pytest.fixture
def expected(modules):
    return modules[0]


TEXT = """\
# a comment
a-set/en:
  split: dev
  corpus: abc
  queries: 4
  tolerance: 0.01
  words: {expected: 0.5, least: 0.4}
  hybrid: {expected: 0.6, low: 0.1, above: words}
  best: 0.55

other:
  split: train
  words: {}
"""


def test_the_file_is_read_and_written_without_loss(expected):
    one, other = expected.read(TEXT)
    assert (one.name, one.split, one.corpus, one.queries, one.tolerance, one.best) == (
        "a-set/en", "dev", "abc", 4, 0.01, 0.55,
    )  # fmt: skip
    assert one.scores == (
        expected.Score("words", 0.5, least=0.4),
        expected.Score("hybrid", 0.6, low=0.1, above="words"),
    )
    assert other == expected.Expected("other", "train", (expected.Score("words"),))
    assert expected.read(expected.write([one, other])) == [one, other]


def test_it_is_yaml(expected):
    yaml = pytest.importorskip("yaml")
    read = yaml.safe_load(TEXT)
    assert read["a-set/en"]["hybrid"] == {"expected": 0.6, "low": 0.1, "above": "words"}
    committed = yaml.safe_load((FOLDER / "search.yaml").read_text(encoding="utf-8"))
    assert [one.name for one in expected.read((FOLDER / "search.yaml").read_text(encoding="utf-8"))] == list(committed)


@pytest.mark.parametrize(
    "text",
    ["a:\n", "a:\n  split: dev\n", "  split: dev\n", "a:\n  split: dev\n  words: {most: 1}\n", "a:\n  spilt: dev\n",
     "a:\n  split: dev\n  words: {expected: much}\n", "a:\n    split: dev\n"],
)  # fmt: skip
def test_what_is_not_of_the_file_is_an_error(expected, text):
    with pytest.raises(ValueError, match=r"."):
        expected.read(text)


def test_the_committed_file_names_splits_and_pipelines_that_there_are(expected):
    for one in expected.read((FOLDER / "search.yaml").read_text(encoding="utf-8")):
        assert one.split in SPLITS
        assert one.split != "test"
        for score in one.scores:
            pipeline_named(score.pipeline)
    with pytest.raises(UsageError):
        pipeline_named("no-such-pipeline")


@pytest.fixture
def outcome(tmp_path) -> Outcome:
    (tmp_path / "corpus.jsonl").write_text("", encoding="utf-8")
    (tmp_path / "queries.jsonl").write_text("", encoding="utf-8")
    (tmp_path / "qrels.tsv").write_text("", encoding="utf-8")
    topics = [Topic(f"q{number:02}", "one", {"gold": 1}) for number in range(30)]
    results = []
    for name, right in (("words", 15), ("hybrid", 27)):
        answers = [Answered(topic.id, ("gold",) if at < right else ("x",), 1.0) for at, topic in enumerate(topics)]
        results.append(judge("en", name, topics, answers))
    return Outcome(Collection.open(tmp_path), tuple(results), {})


def test_figures_stand_beside_what_is_expected_and_demanded(expected, outcome):
    (one, _) = expected.read(TEXT)
    one = expected.measured(one, outcome)
    assert [score.expected for score in one.scores] == [0.5, 0.9]
    found = {figure.name: figure for figure in expected.figures([(one, outcome)], compared=True)}
    assert all(figure.holds for figure in found.values())
    assert list(found) == [
        "a-set/en-words", "a-set/en-words-least", "a-set/en-hybrid", "a-set/en-hybrid-low", "a-set/en-best",
        "a-set/en-hybrid-above-words",
    ]  # fmt: skip
    assert found["a-set/en-best"].value == 0.9
    assert found["a-set/en-hybrid-above-words"].value < 0.001


def test_a_score_that_fell_misses_and_one_that_rose_says_so(expected, outcome):
    (one, _) = expected.read(TEXT.replace("expected: 0.5", "expected: 0.52").replace("best: 0.55", "best: 0.95"))
    found = {figure.name: figure for figure in expected.figures([(one, outcome)], compared=True)}
    assert not found["a-set/en-words"].holds
    assert not found["a-set/en-best"].holds
    assert found["a-set/en-hybrid"].holds
    assert "--write" in found["a-set/en-hybrid"].note
    # the corpus and the number of queries are others than those that were written down
    assert not found["a-set/en-data"].holds
    told = {figure.name: figure for figure in expected.figures([(one, outcome)], compared=False)}
    assert told["a-set/en-words"].target is None
    assert "a-set/en-data" not in told


def test_a_pipeline_that_is_not_better_is_not_above(expected, outcome):
    (one, _) = expected.read(TEXT.replace("above: words", "above: hybrid").replace("expected: 0.5,", "above: hybrid,"))
    found = {figure.name: figure for figure in expected.figures([(one, outcome)], compared=True)}
    assert not found["a-set/en-words-above-hybrid"].holds
    assert not found["a-set/en-hybrid-above-hybrid"].holds


def test_each_query_gets_one_typo_that_people_make(modules, tmp_path):
    pairs = tmp_path / "codespell.tsv"
    pairs.write_text(
        "misspelling\tcorrections\nmanger\tmanager\nrecieve\treceive\nteh\tthe\nab\ta, b\n", encoding="utf-8"
    )
    topics = [Topic("1", "Who is the Manager?"), Topic("2", "the end"), Topic("3", "receive, manager")]
    found = modules[1].misspelt(topics, pairs, 1)
    assert found[0].text == "Who is the manger?"
    assert found[1] is None
    assert found[2].text in ("recieve, manager", "receive, manger")
    assert found == modules[1].misspelt(topics, pairs, 1)
