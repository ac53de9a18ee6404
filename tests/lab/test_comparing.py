"""Comparisons and what moved, on results whose right answer is known by construction."""

from __future__ import annotations

import pytest

from bowerbird.lab.collections import Topic
from bowerbird.lab.comparing import ALL, changes, compare
from bowerbird.lab.judging import Answered, judge
from bowerbird.lab.significance import holm

TOPICS = [Topic(f"q{number:02}", f"question {number}", {"gold": 1}) for number in range(40)]


def result(name, pipeline, ranks):
    """A result in which the document that answers stands at these ranks; 0: not found."""
    answers = []
    for topic, rank in zip(TOPICS, ranks, strict=True):
        others = [f"d{number}" for number in range(20)]
        documents = [*others[: rank - 1], "gold", *others[rank - 1 :]] if rank else others
        answers.append(Answered(topic.id, tuple(documents), 1.0, pipeline))
    return judge(name, pipeline, TOPICS, answers)


BEST, SAME, WORST = [1] * 40, [2] * 40, [0] * 40


def test_each_pipeline_is_compared_with_the_first_of_its_set():
    results = [result("a", "words", SAME), result("a", "good", BEST), result("a", "bad", WORST)]
    good, bad = compare(results, {})
    assert (good.name, good.baseline, good.pipeline) == ("a", "words", "good")
    assert good.difference == pytest.approx(1 - results[0].measures["ndcg@10"])
    assert (good.better, good.worse, good.significant) == (40, 0, True)
    assert (bad.better, bad.worse, bad.significant) == (0, 40, True)
    assert bad.difference < 0


def test_over_all_sets_each_weighs_the_same_and_all_are_corrected_together():
    mixed = [1, 3] * 20
    results = [result(name, pipeline, ranks) for name in "ab" for pipeline, ranks in (("words", SAME), ("mix", mixed))]
    found = compare(results, {"a": {"some": ["q00", "q02", "unknown"], "none": []}})
    assert [(one.name, one.slice, one.queries) for one in found] == [
        ("a", "", 40), ("a", "some", 2), ("b", "", 40), (ALL, "", 80),
    ]  # fmt: skip
    assert found[3].difference == pytest.approx((found[0].difference + found[2].difference) / 2)
    assert found[1].better == 2
    assert [one.p_holm for one in found] == holm([one.p for one in found])
    low, high = found[3].interval
    assert low < found[3].difference < high


def test_one_pipeline_alone_is_compared_with_nothing():
    assert compare([result("a", "words", SAME), result("b", "words", BEST)], {}) == []
    assert compare([], {}) == []


def test_what_moved_comes_worst_first_and_then_best_first():
    before, after = result("a", "old", [1, 1, 5, 9, *SAME[4:]]), result("a", "new", [3, 0, 1, 8, *SAME[4:]])
    found = list(changes(TOPICS, before, after, 5))
    assert [one.topic for one in found] == ["q01", "q00", "q02", "q03"]
    assert [one.gold[0].before for one in found] == [1, 1, 5, 9]
    assert [one.gold[0].after for one in found] == [None, 3, 1, 8]
    lost = found[0]
    assert lost.difference == -1.0
    assert (lost.instead.document, lost.instead.before, lost.instead.after) == ("d0", 2, 1)
    assert len(list(changes(TOPICS, before, after, 1))) == 2
    assert list(changes(TOPICS, before, after, 0)) == []
    assert lost.to_dict()["gold"][0]["rank_after"] is None
