"""`bowerbird bench`: a judged collection through the product's own write and read walks, and what came of it.

The library of a collection is kept under the XDG cache, named by what its vectors and passages depend on, so that a
second run embeds nothing.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bowerbird import __version__
from bowerbird.core.errors import QueryError
from bowerbird.core.measures import BENCH_MEASURES
from bowerbird.core.records import SYSTEM, Principal
from bowerbird.core.settings import Settings, cache_directory
from bowerbird.lab.collections import Collection, Topic
from bowerbird.lab.measuring import percentile
from bowerbird.sources.corpus import document_of, location_of

if TYPE_CHECKING:
    from bowerbird.library import Library
    from bowerbird.library.worker import Progress

DEPTH = 100
"""Items asked for per query: what Recall@100 needs."""

WARM_UP = 3
"""Queries run before the clock starts, so that loading a model is not counted as latency."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. `queries` 0 means all of them; `fresh` indexes anew even where a cached library would do."""

    pipeline: str = "hybrid"
    split: str = ""
    queries: int = 0
    principal: Principal = SYSTEM
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """One query's outcome: document ids best first, milliseconds, the formula that ran, what went wrong if anything."""

    topic: str
    documents: tuple[str, ...]
    took_ms: float
    formula: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class SetResult:
    """One collection's outcome. `measures` are means over all queries; a query that failed counts as empty."""

    name: str
    pipeline: str
    queries: int
    measures: Mapping[str, float]
    p50_ms: float
    p95_ms: float
    formula: str
    failed: int = 0
    answers: Sequence[Answered] = field(default=())

    def to_dict(self) -> dict[str, object]:
        """Return the public JSON face (ARCHITECTURE.md)."""
        return {
            "name": self.name,
            "pipeline": self.pipeline,
            "queries": self.queries,
            **{name: round(value, 4) for name, value in self.measures.items()},
            "p50_ms": round(self.p50_ms, 2),
            "p95_ms": round(self.p95_ms, 2),
            "formula": self.formula,
            "failed": self.failed,
        }


class Bench:
    """Runs collections with the models and settings of one data directory; nothing in that directory is written."""

    def __init__(self, home: Path, settings: Settings, cache: Path | None = None) -> None:
        self.home = home
        self.settings = settings
        self.cache = cache

    def run(
        self, folder: Path, options: Options, stop: threading.Event, progress: Callable[[Progress], None]
    ) -> SetResult:
        """Index the collection where that has not been done, run its queries and measure; raises UsageError."""
        from bowerbird.search.presets import pipeline_named

        pipeline_named(options.pipeline)
        collection = Collection.open(folder)
        topics = collection.topics(options.split, options.queries)
        with self.library(collection, options, stop, progress) as library:
            answers = ask(library, topics, options, stop)
        return judge(collection.name, options.pipeline, topics, answers)

    def library(
        self, collection: Collection, options: Options, stop: threading.Event, progress: Callable[[Progress], None]
    ) -> Library:
        """Return the open library that holds the collection, complete for the pipeline; the caller closes it."""
        from bowerbird.library import Library

        home = self._home_of(collection)
        if options.fresh:
            shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True, exist_ok=True)
        lend_models(self.home / "models", home / "models")
        library = Library.open(home, self.settings)
        try:
            library.add(location_of(collection.folder), collection.name)
            _complete(library, _asks_meaning(options.pipeline), stop, progress)
        except BaseException:
            library.close()
            raise
        return library

    def _home_of(self, collection: Collection) -> Path:
        encoder, target = self.settings.get("encoder", str), self.settings.get("passage_tokens", int)
        parts = f"{collection.checksum()} {write_walk_version()} {encoder} {target}"
        key = hashlib.sha256(parts.encode()).hexdigest()[:16]
        return (self.cache or cache_directory() / "bench") / f"{collection.name}-{key}"


def write_walk_version() -> str:
    """Return what a library's content depends on beside corpus and settings: parser, cut, schema, Bowerbird."""
    from bowerbird.extraction import PARSER_VERSION
    from bowerbird.index.cutting import CUT_VERSION
    from bowerbird.index.schema import SCHEMA_VERSION

    return f"{__version__} {PARSER_VERSION} cut-{CUT_VERSION} schema-{SCHEMA_VERSION}"


def lend_models(models: Path, place: Path) -> None:
    """Let a library use another's models: weights are large, and the same wherever they are."""
    models.mkdir(parents=True, exist_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        place.symlink_to(models, target_is_directory=True)


def _asks_meaning(pipeline: str) -> bool:
    """Tell whether a pipeline needs vectors."""
    from bowerbird.search.presets import pipeline_named
    from bowerbird.search.stages import Meaning

    return any(isinstance(part, Meaning) for part in pipeline_named(pipeline).parts())


def _complete(library: Library, vectors: bool, stop: threading.Event, progress: Callable[[Progress], None]) -> None:
    status, listed = library.status(), library.sources()[0].last_sync is not None
    if listed and not status.pending and not (vectors and status.pending_vectors):
        return
    if vectors:
        library.encoder()  # a missing model is said before the long work
    if not listed:
        library.enqueue("sync")
    worker = library.worker()
    try:
        worker.run_until_idle(progress, stop, vectors=vectors)
    finally:
        worker.close()


def ask(library: Library, topics: Sequence[Topic], options: Options, stop: threading.Event) -> list[Answered]:
    """Run every topic through the read walk in turn; a query that cannot be run is an answer with `error`."""
    for topic in topics[: 0 if stop.is_set() else WARM_UP]:
        _ask_one(library, topic, options)
    answers = []
    for topic in topics:
        if stop.is_set():
            break
        answers.append(_ask_one(library, topic, options))
    return answers


def _ask_one(library: Library, topic: Topic, options: Options) -> Answered:
    begun = time.perf_counter()
    try:
        results = library.search(topic.text, options.principal, limit=DEPTH, pipeline=options.pipeline)
    except QueryError as problem:
        return Answered(topic.id, (), (time.perf_counter() - begun) * 1000, error=problem.cause)
    took = (time.perf_counter() - begun) * 1000
    return Answered(topic.id, tuple(document_of(hit.uri) for hit in results.hits), took, results.formula)


def judge(name: str, pipeline: str, topics: Sequence[Topic], answers: Sequence[Answered]) -> SetResult:
    """Compute the measures of BENCH_MEASURES over all topics with ir-measures; a topic without answer counts 0."""
    import ir_measures
    from ir_measures import AP, RR, R, nDCG

    qrels = [
        ir_measures.Qrel(topic.id, document, grade) for topic in topics for document, grade in topic.judgments.items()
    ]
    run = [
        ir_measures.ScoredDoc(answer.topic, document, _score(rank))
        for answer in answers
        for rank, document in enumerate(answer.documents, 1)
    ]
    # an empty run has no queries at all, and ir-measures would answer with nothing
    wanted = dict(zip(BENCH_MEASURES, (nDCG @ 10, R @ 100, RR @ 10, AP), strict=True))
    found = ir_measures.calc_aggregate(list(wanted.values()), qrels, run) if run else {}
    times = [answer.took_ms for answer in answers] or [0.0]
    return SetResult(
        name=name,
        pipeline=pipeline,
        queries=len(topics),
        measures={measure.name: float(found.get(computed, 0.0)) for measure, computed in wanted.items()},
        p50_ms=percentile(times, 0.5),
        p95_ms=percentile(times, 0.95),
        formula=next((answer.formula for answer in answers if answer.formula), ""),
        failed=sum(1 for answer in answers if answer.error),
        answers=tuple(answers),
    )


def _score(rank: int) -> float:
    """Return a score that falls strictly with the rank, whatever the pipeline's own scores were."""
    return 1.0 / rank


def run_lines(result: SetResult) -> list[str]:
    """Return the TREC run: query, Q0, document, rank, score, tag (white space in ids becomes `_`)."""
    tag = "-".join(f"bowerbird {result.pipeline}".split())
    return [
        f"{_word(answer.topic)} Q0 {_word(document)} {rank} {_score(rank):.6f} {tag}"
        for answer in result.answers
        for rank, document in enumerate(answer.documents, 1)
    ]


def _word(text: str) -> str:
    return "_".join(text.split()) or "_"
