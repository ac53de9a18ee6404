"""From the documents that were found to measures: a collection's result, per query and as means with intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bowerbird.core.measures import BENCH_MEASURES, NDCG_10
from bowerbird.lab.collections import Topic
from bowerbird.lab.measuring import percentile
from bowerbird.lab.significance import Interval, interval

MAIN = NDCG_10.name
"""The measure that systems are compared by."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One query's outcome: document ids best first, milliseconds, the formula that ran, what went wrong if anything."""

    topic: str
    documents: tuple[str, ...]
    took_ms: float
    formula: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """The main measure over some of the queries, with its 95% interval."""

    queries: int
    value: float
    interval: Interval

    def to_dict(self) -> dict[str, object]:
        """Return the public JSON face."""
        return {"queries": self.queries, MAIN: round(self.value, 4), "interval": rounded(self.interval)}


@dataclass(frozen=True, slots=True)
class SetResult:
    """One collection's outcome with one pipeline.

    `measures` are means over all queries, of which one that failed counts as finding nothing; `values` are the measures
    of each query, `slices` the main measure over parts of the queries. `times_ms` are empty for a run that was read
    from a file. `memory` is the most that a process held which only searched with this pipeline: bytes, 0 if unknown.
    """

    name: str
    pipeline: str
    queries: int
    measures: Mapping[str, float]
    intervals: Mapping[str, Interval]
    times_ms: Sequence[float]
    formula: str = ""
    failed: int = 0
    memory: int = 0
    answers: Sequence[Answered] = ()
    values: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    slices: Mapping[str, Part] = field(default_factory=dict)

    def took(self, share: float) -> float | None:
        """Return a percentile of the times in milliseconds, None where no times were taken."""
        return percentile(self.times_ms, share) if self.times_ms else None

    def to_dict(self) -> dict[str, object]:
        """Return the public JSON face (ARCHITECTURE.md)."""
        times = (self.took(share) for share in (0.5, 0.95, 0.99))
        p50, p95, p99 = (None if took is None else round(took, 2) for took in times)
        return {
            "name": self.name,
            "pipeline": self.pipeline,
            "queries": self.queries,
            **{name: round(value, 4) for name, value in self.measures.items()},
            "p50_ms": p50,
            "p95_ms": p95,
            "formula": self.formula,
            "failed": self.failed,
            "p99_ms": p99,
            "memory_mb": round(self.memory / 1e6, 1) if self.memory else None,
            "intervals": {name: rounded(ends) for name, ends in self.intervals.items()},
            "slices": {name: part.to_dict() for name, part in self.slices.items()},
        }


@dataclass(frozen=True, slots=True)
class Mean:
    """The measures of one pipeline as means over several sets, of which each weighs the same."""

    pipeline: str
    sets: int
    queries: int
    measures: Mapping[str, float]

    def to_dict(self) -> dict[str, object]:
        """Return the public JSON face."""
        told = {name: round(value, 4) for name, value in self.measures.items()}
        return {"pipeline": self.pipeline, "sets": self.sets, "queries": self.queries, **told}


def means(results: Sequence[SetResult]) -> list[Mean]:
    """Return the mean of each pipeline over the sets, where there are several."""
    by_pipeline: dict[str, list[SetResult]] = {}
    for result in results:
        by_pipeline.setdefault(result.pipeline, []).append(result)
    return [
        Mean(
            pipeline=pipeline,
            sets=len(some),
            queries=sum(one.queries for one in some),
            measures={name: sum(one.measures[name] for one in some) / len(some) for name in some[0].measures},
        )
        for pipeline, some in by_pipeline.items()
        if len(some) > 1
    ]


def rounded(ends: Interval) -> list[float]:
    """Return an interval as it is printed."""
    return [round(end, 4) for end in ends]


def judge(
    name: str,
    pipeline: str,
    topics: Sequence[Topic],
    answers: Sequence[Answered],
    slices: Mapping[str, Iterable[str]] | None = None,
    memory: int = 0,
) -> SetResult:
    """Compute the measures of BENCH_MEASURES over all topics with ir-measures; a topic without answer counts 0.

    `slices` name parts of the topics by their ids; a part without a topic is left out.
    """
    values = measured(topics, answers)
    main = values[MAIN]
    parts = {label: [main[topic] for topic in ids if topic in main] for label, ids in (slices or {}).items()}
    return SetResult(
        name=name,
        pipeline=pipeline,
        queries=len(topics),
        measures={measure: sum(each.values()) / max(1, len(each)) for measure, each in values.items()},
        intervals={measure: interval([list(each.values())]) for measure, each in values.items()},
        times_ms=[answer.took_ms for answer in answers if answer.took_ms > 0],
        formula=next((answer.formula for answer in answers if answer.formula), ""),
        failed=sum(1 for answer in answers if answer.error),
        memory=memory,
        answers=tuple(answers),
        values=values,
        slices={
            label: Part(len(some), sum(some) / len(some), interval([some])) for label, some in parts.items() if some
        },
    )


def measured(topics: Sequence[Topic], answers: Sequence[Answered]) -> dict[str, dict[str, float]]:
    """Return measure -> topic -> value, of every topic, in the order of the topics."""
    import ir_measures
    from ir_measures import AP, RR, R, nDCG

    qrels = [
        ir_measures.Qrel(topic.id, document, grade) for topic in topics for document, grade in topic.judgments.items()
    ]
    run = [
        ir_measures.ScoredDoc(answer.topic, document, score(rank))
        for answer in answers
        for rank, document in enumerate(answer.documents, 1)
    ]
    names = dict(zip((nDCG @ 10, R @ 100, RR @ 10, AP), (measure.name for measure in BENCH_MEASURES), strict=True))
    values = {name: {topic.id: 0.0 for topic in topics} for name in names.values()}
    for found in ir_measures.iter_calc(list(names), qrels, run):
        values[names[found.measure]][found.query_id] = float(found.value)
    return values


def score(rank: int) -> float:
    """Return a score that falls strictly with the rank, whatever the pipeline's own scores were."""
    return 1.0 / rank
