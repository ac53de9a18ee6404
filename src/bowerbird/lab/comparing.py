"""Systems beside each other: what each is better or worse by, whether that may be chance, and which queries moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bowerbird.lab.collections import Topic
from bowerbird.lab.judging import MAIN, SetResult, rounded
from bowerbird.lab.significance import Interval, Strata, holm, interval, randomization

ALL = "all sets"
"""The name of the comparison over several sets, of which each weighs the same."""

SAME = 1e-9
"""Difference up to which a query counts as unmoved."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A pipeline against the baseline, on the same queries: the difference of the main measure, above 0 if better.

    `p` is of the paired randomization test, `p_holm` corrected for all comparisons of the run; `interval` is the 95%
    interval of the difference. `slice` names a part of the queries, "" is all of them.
    """

    name: str
    slice: str
    baseline: str
    pipeline: str
    queries: int
    difference: float
    interval: Interval
    better: int
    worse: int
    p: float
    p_holm: float = 1.0

    @property
    def significant(self) -> bool:
        """Whether the difference is unlikely to be chance, at 5% over all comparisons."""
        return self.p_holm < 0.05

    def to_dict(self) -> dict[str, object]:
        """Return the public JSON face."""
        return {
            "name": self.name,
            "slice": self.slice,
            "measure": MAIN,
            "baseline": self.baseline,
            "pipeline": self.pipeline,
            "queries": self.queries,
            "difference": round(self.difference, 4),
            "interval": rounded(self.interval),
            "better": self.better,
            "worse": self.worse,
            "same": self.queries - self.better - self.worse,
            "p": round(self.p, 6),
            "p_holm": round(self.p_holm, 6),
            "significant": self.significant,
        }


def chance(p: float) -> str:
    """Return a p-value as it is printed.

    >>> chance(0.03), chance(0.00002)
    ('0.0300', '<0.0001')
    """
    return f"{p:.4f}" if p >= 0.0001 else "<0.0001"


def compare(results: Sequence[SetResult], slices: Mapping[str, Mapping[str, Sequence[str]]]) -> list[Comparison]:
    """Compare each pipeline with the first one of its set, on all queries and on every slice, and over all sets.

    `slices` is set -> slice -> topics. Pipelines are told apart by their names.
    """
    by_set: dict[str, list[SetResult]] = {}
    for result in results:
        by_set.setdefault(result.name, []).append(result)
    found: list[Comparison] = []
    everywhere: dict[tuple[str, str], list[list[float]]] = {}
    for name, (baseline, *others) in by_set.items():
        for other in others:
            pair = (baseline.pipeline, other.pipeline)
            differences = {topic: other.values[MAIN][topic] - value for topic, value in baseline.values[MAIN].items()}
            everywhere.setdefault(pair, []).append(list(differences.values()))
            found.append(_comparison(name, "", pair, [list(differences.values())]))
            for label, topics in slices.get(name, {}).items():
                some = [differences[topic] for topic in topics if topic in differences]
                if some:
                    found.append(_comparison(name, label, pair, [some]))
    found += [_comparison(ALL, "", pair, strata) for pair, strata in everywhere.items() if len(strata) > 1]
    corrected = holm([one.p for one in found])
    return [replace(one, p_holm=p) for one, p in zip(found, corrected, strict=True)]


def _comparison(name: str, label: str, pair: tuple[str, str], strata: Strata) -> Comparison:
    every = [difference for stratum in strata for difference in stratum]
    return Comparison(
        name=name,
        slice=label,
        baseline=pair[0],
        pipeline=pair[1],
        queries=len(every),
        difference=sum(sum(one) / len(one) for one in strata) / len(strata),
        interval=interval(strata),
        better=sum(1 for difference in every if difference > SAME),
        worse=sum(1 for difference in every if difference < -SAME),
        p=randomization(strata),
    )


@dataclass(frozen=True, slots=True)
class Moved:
    """A document that answers the query, and its ranks (from 1) before and after; None beyond what was asked for.

    The lines are what the pipelines tell of it, where that was asked.
    """

    document: str
    grade: int
    before: int | None
    after: int | None
    lines_before: tuple[str, ...] = ()
    lines_after: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return the public JSON face."""
        return {
            "document": self.document,
            "grade": self.grade,
            "rank_before": self.before,
            "rank_after": self.after,
            "explanation_before": list(self.lines_before),
            "explanation_after": list(self.lines_after),
        }


@dataclass(frozen=True, slots=True)
class Change:
    """A query that another pipeline answers better or worse than the baseline: the documents that moved, and why.

    `gold` are those that answer it, the one that moved most first; `instead` the first that does not answer it and
    stands higher than before.
    """

    name: str
    topic: str
    text: str
    baseline: str
    pipeline: str
    before: float
    after: float
    gold: tuple[Moved, ...]
    instead: Moved | None = None

    @property
    def difference(self) -> float:
        """How much better it is answered, below 0 where it is worse."""
        return self.after - self.before

    def to_dict(self) -> dict[str, object]:
        """Return the public JSON face."""
        return {
            "name": self.name,
            "query": self.topic,
            "text": self.text,
            "baseline": self.baseline,
            "pipeline": self.pipeline,
            f"{MAIN}_before": round(self.before, 4),
            f"{MAIN}_after": round(self.after, 4),
            "gold": [moved.to_dict() for moved in self.gold],
            "instead": self.instead.to_dict() if self.instead else None,
        }


def changes(topics: Sequence[Topic], baseline: SetResult, other: SetResult, most: int) -> Iterator[Change]:
    """Yield the queries that became worse, the worst first, and then those that became better; `most` of each."""
    before, after = baseline.values[MAIN], other.values[MAIN]
    found_before, found_after = _found(baseline), _found(other)
    ranked = sorted(topics, key=lambda topic: after[topic.id] - before[topic.id])
    worse = [topic for topic in ranked if after[topic.id] - before[topic.id] < -SAME][:most]
    better = [topic for topic in reversed(ranked) if after[topic.id] - before[topic.id] > SAME][:most]
    for topic in (*worse, *better):
        old, new = found_before.get(topic.id, {}), found_after.get(topic.id, {})
        yield Change(
            name=baseline.name,
            topic=topic.id,
            text=topic.text,
            baseline=baseline.pipeline,
            pipeline=other.pipeline,
            before=before[topic.id],
            after=after[topic.id],
            gold=_gold(topic, old, new),
            instead=_instead(topic, old, new),
        )


def _found(result: SetResult) -> dict[str, dict[str, int]]:
    """Return topic -> document -> rank."""
    return {
        answer.topic: {document: rank for rank, document in enumerate(answer.documents, 1)} for answer in result.answers
    }


def _gold(topic: Topic, old: Mapping[str, int], new: Mapping[str, int]) -> tuple[Moved, ...]:
    moved = (
        Moved(document, topic.judgments[document], old.get(document), new.get(document))
        for document in sorted(topic.gold)
    )
    return tuple(sorted(moved, key=lambda one: -abs(_worth(one.after) - _worth(one.before))))


def _worth(rank: int | None) -> float:
    return 1 / rank if rank else 0.0


def _instead(topic: Topic, old: Mapping[str, int], new: Mapping[str, int]) -> Moved | None:
    """Return the first document of the new ranking that does not answer and was not as high before."""
    for document, rank in new.items():
        if document not in topic.gold and rank < old.get(document, rank + 1):
            return Moved(document, topic.judgments.get(document, 0), old.get(document), rank)
    return None
