"""The layout of a collection, its splits."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from bowerbird.core.errors import SourceError, UsageError
from bowerbird.lab.collections import Collection, in_dev

DATA = Path(__file__).parents[2] / "../shared/data"


def write(folder: Path, corpus: list[dict], queries: list[dict], **qrels: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with gzip.open(folder / "corpus.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in corpus)
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries), encoding="utf-8")
    for split, text in qrels.items():
        name = "qrels.tsv" if split == "test" else f"qrels.{split}.tsv"
        (folder / name).write_text(text, encoding="utf-8")
    return folder


CORPUS = [{"_id": f"d{number}", "title": f"Title {number}", "text": f"text {number}"} for number in range(20)]
HEADER = "query-id\tcorpus-id\tscore\n"


def queries_of(count: int, **metadata: str) -> list[dict]:
    return [{"_id": f"q{number}", "text": f"question {number}", "metadata": metadata} for number in range(count)]


def judged(count: int) -> str:
    return HEADER + "".join(f"q{number}\td{number}\t1\n" for number in range(count))


def test_topics_carry_their_grades_and_keep_the_order_of_the_file(tmp_path):
    grades = HEADER + "q1\td1\t2\nq1\td2\t0\nq0\td3\t1\nq2\td1\t0\n"
    topics = Collection.open(write(tmp_path, CORPUS, queries_of(4), test=grades)).topics()
    assert [topic.id for topic in topics] == ["q0", "q1"]  # q2 has no positive judgment, q3 none at all
    assert topics[1].judgments == {"d1": 2, "d2": 0}
    assert topics[1].text == "question 1"


def test_a_header_is_not_demanded_and_the_first_queries_can_be_asked_for(tmp_path):
    collection = Collection.open(write(tmp_path, CORPUS, queries_of(9), test=judged(9).removeprefix(HEADER)))
    assert len(collection.topics()) == 9
    assert [topic.id for topic in collection.topics(limit=3)] == ["q0", "q1", "q2"]


def test_dev_and_test_part_the_queries_by_the_hash_of_their_id(tmp_path):
    collection = Collection.open(write(tmp_path / "some", CORPUS, queries_of(20), test=judged(20)))
    dev = {topic.id for topic in collection.topics("dev")}
    test = {topic.id for topic in collection.topics("test")}
    slow = {
        f"q{number}" for number in range(20) if int(hashlib.sha256(f"q{number}".encode()).hexdigest(), 16) % 5 in (0, 1)
    }
    assert dev == slow
    assert dev | test == {f"q{number}" for number in range(20)}
    assert not dev & test


@pytest.mark.parametrize(
    ("folder", "key"), [("qa-squad11-dev", "article"), ("ent-inazuma-qa", "kind"), ("qa-xquad/zh", "paragraph")]
)
def test_what_queries_share_stays_together(tmp_path, folder, key):
    shared = {f"q{number}": f"d{number % 5}" for number in range(20)}
    questions = [{"_id": query, "text": "x", "metadata": {key: value}} for query, value in shared.items()]
    grades = HEADER + "".join(f"{query}\t{document}\t1\n" for query, document in shared.items())
    collection = Collection.open(write(tmp_path / folder, CORPUS, questions, test=grades))
    dev = {query for query, value in shared.items() if in_dev(value)}
    assert 0 < len(dev) < 20
    assert {topic.id for topic in collection.topics("dev")} == dev
    assert {topic.id for topic in collection.topics("test")} == set(shared) - dev


def test_a_part_that_is_empty_is_said(tmp_path):
    questions = queries_of(20, article="Same")
    collection = Collection.open(write(tmp_path / "squad", CORPUS, questions, test=judged(20)))
    empty, full = ("test", "dev") if in_dev("Same") else ("dev", "test")
    assert len(collection.topics(full)) == 20
    with pytest.raises(UsageError, match="positive judgment"):
        collection.topics(empty)


def test_train_and_test_are_files_where_the_collection_has_both(tmp_path):
    other = HEADER + "q5\td5\t1\n"
    collection = Collection.open(write(tmp_path, CORPUS, queries_of(6), test=judged(3), train=other))
    assert [topic.id for topic in collection.topics("train")] == ["q5"]
    assert [topic.id for topic in collection.topics("test")] == ["q0", "q1", "q2"]
    with pytest.raises(UsageError, match="no dev split") as caught:
        collection.topics("dev")
    assert "qrels.train.tsv" in caught.value.remedy


def test_a_split_that_is_not_there_is_an_error(tmp_path):
    collection = Collection.open(write(tmp_path, CORPUS, queries_of(3), test=judged(3)))
    with pytest.raises(UsageError, match="no train split"):
        collection.topics("train")


def test_a_folder_that_is_no_collection_says_what_is_missing(tmp_path):
    with pytest.raises(UsageError, match="There is no folder"):
        Collection.open(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"no corpus.jsonl and no queries.jsonl and no qrels.tsv"):
        Collection.open(tmp_path)
    write(tmp_path / "en", CORPUS, queries_of(1), test=judged(1))
    with pytest.raises(UsageError) as caught:
        Collection.open(tmp_path)
    assert caught.value.remedy == "Collections below it: en."


@pytest.mark.parametrize("line", ["not json", '["list"]', '{"_id": "a"}', '{"text": "a"}'])
def test_a_line_that_is_not_of_the_layout_is_named(tmp_path, line):
    folder = write(tmp_path, CORPUS, queries_of(1), test=judged(1))
    (folder / "queries.jsonl").write_text('{"_id": "q9", "text": "x"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(SourceError, match="line 2"):
        Collection.open(folder).topics()


def test_a_broken_judgment_is_named(tmp_path):
    folder = write(tmp_path, CORPUS, queries_of(1), test=HEADER + "q0\td0\tone\n")
    with pytest.raises(UsageError, match="Line 2"):
        Collection.open(folder).topics()


@pytest.mark.skipif(not DATA.is_dir(), reason="the development data is not beside the repository")
def test_the_development_sets_are_of_the_layout():
    squad = Collection.open(DATA / "qa-squad11-dev")
    dev, test = squad.topics("dev"), squad.topics("test")
    assert len(dev) + len(test) == len(squad.topics()) == 10561
    article = {topic.id: next(iter(topic.judgments)).rpartition("#")[0] for topic in [*dev, *test]}
    assert not {article[topic.id] for topic in dev} & {article[topic.id] for topic in test}
    assert len(Collection.open(DATA / "beir-scifact").topics("test")) == 300
    assert len(Collection.open(DATA / "beir-scifact").topics("train")) == 809
