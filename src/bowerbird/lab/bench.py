"""`bowerbird bench`: a judged collection through the product's own write and read walks, and what came of it.

The library of a collection is kept under the XDG cache, named by what its vectors and passages depend on, so that a
second run embeds nothing.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bowerbird import __version__
from bowerbird.core.errors import QueryError, UsageError
from bowerbird.core.records import SYSTEM, Principal
from bowerbird.core.settings import Settings, cache_directory
from bowerbird.lab.collections import Collection, Topic
from bowerbird.lab.comparing import Change, changes
from bowerbird.lab.footprint import footprint
from bowerbird.lab.judging import Answered, SetResult, judge
from bowerbird.lab.runs import read_run
from bowerbird.sources.corpus import document_of, location_of

if TYPE_CHECKING:
    from bowerbird.library import Library
    from bowerbird.library.worker import Progress

DEPTH = 100
"""Items asked for per query: what Recall@100 needs."""

WARM_UP = 3
"""Queries run before the clock starts, so that loading a model is not counted as latency."""

_TOLD = 25
"""Queries between two looks at how far it is."""

UNSEEN = "unseen"
"""The slice of a set with a train split that holds the queries none of whose documents answers one of train."""

_NAMED = re.compile(r"(?P<name>[\w.-]+)=(?P<formula>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Contender:
    """A pipeline under a name: a preset's, or one that was given (`deep=words % 400 >> items`); else the formula."""

    name: str
    pipeline: str

    @classmethod
    def read(cls, text: str) -> Contender:
        """Return the contender that a text writes; raises UsageError where the pipeline cannot work."""
        from bowerbird.search.presets import pipeline_named

        named = _NAMED.fullmatch(text.strip())
        one = cls(named["name"], named["formula"].strip()) if named else cls(text.strip(), text.strip())
        pipeline_named(one.pipeline)
        return one

    @property
    def asks_meaning(self) -> bool:
        """Whether it needs vectors."""
        from bowerbird.search.presets import pipeline_named
        from bowerbird.search.stages import Meaning

        return any(isinstance(part, Meaning) for part in pipeline_named(self.pipeline).parts())


def contenders(texts: Sequence[str]) -> tuple[Contender, ...]:
    """Return the contenders that these texts write; raises UsageError where a pipeline cannot work."""
    return tuple(Contender.read(text) for text in texts)


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. `queries` 0 means all of them.

    `runs` are TREC runs of other systems, named by their files. `baseline` names what the others are compared with, ""
    is the first pipeline. `slice` is a field of the queries' metadata by whose values they are parted, `diffs` how many
    queries that moved are explained in each direction, and `fresh` indexes anew even where a cached library would do.
    """

    pipelines: tuple[Contender, ...] = (Contender("hybrid", "hybrid"),)
    split: str = ""
    queries: int = 0
    principal: Principal = SYSTEM
    fresh: bool = False
    runs: tuple[Path, ...] = ()
    baseline: str = ""
    slice: str = ""
    diffs: int = 0

    def checked(self) -> Options:
        """Return these options; raises UsageError where two go by one name, or the baseline is none of them."""
        names = [*(one.name for one in self.pipelines), *(path.stem for path in self.runs)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise UsageError(f"Two pipelines or runs are called {twice[0]}.", "Name one: `--pipeline other=FORMULA`.")
        if self.baseline and self.baseline not in names:
            raise UsageError(f"There is no pipeline or run called {self.baseline}.", f"There are: {', '.join(names)}.")
        return self


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told how far it is, and the event that ends it: `asked` gets the set, queries asked, and of how many."""

    stop: threading.Event
    progress: Callable[[Progress], None]
    asked: Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one set: a result for each pipeline and run, its slices (name -> topics), and what moved."""

    collection: Collection
    results: tuple[SetResult, ...]
    slices: dict[str, list[str]]
    changes: tuple[Change, ...] = ()


class Bench:
    """Runs collections with the models and settings of one data directory; nothing in that directory is written."""

    def __init__(self, home: Path, settings: Settings, cache: Path | None = None) -> None:
        self.home = home
        self.settings = settings
        self.cache = cache

    def run(self, folder: Path, options: Options, watch: Watch) -> Outcome:
        """Index the collection where that has not been done, run its queries and measure; raises UsageError."""
        collection = Collection.open(folder)
        return self.measure(collection, collection.topics(options.split, options.queries), options, watch)

    def measure(self, collection: Collection, topics: Sequence[Topic], options: Options, watch: Watch) -> Outcome:
        """Run these topics of a collection, whatever split they are of; raises UsageError."""
        runs = [(path, read_run(path, collection, topics, DEPTH)) for path in options.runs]
        parts = slices(collection, topics, options)
        with self.library(collection, options, watch) as library:
            answers = ask(library, topics, options, watch)
            memory = self._footprints(collection, options, topics, watch)
            results = [
                judge(collection.name, one.name, topics, answers[one.name], parts, memory.get(one.name, 0))
                for one in options.pipelines
            ]
            results += [judge(collection.name, path.stem, topics, found, parts) for path, found in runs]
            results.sort(key=lambda result: result.pipeline != options.baseline)
            moved = tuple(_moved(library, topics, results, options)) if not watch.stop.is_set() else ()
        return Outcome(collection, tuple(results), parts, moved)

    def library(self, collection: Collection, options: Options, watch: Watch) -> Library:
        """Return the open library that holds the collection, complete for the pipelines; the caller closes it."""
        from bowerbird.library import Library

        home = self._home_of(collection)
        if options.fresh:
            shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True, exist_ok=True)
        lend_models(self.home / "models", home / "models")
        library = Library.open(home, self.settings)
        try:
            library.add(location_of(collection.folder), collection.name)
            _complete(library, any(one.asks_meaning for one in options.pipelines), watch)
        except BaseException:
            library.close()
            raise
        return library

    def _footprints(
        self, collection: Collection, options: Options, topics: Sequence[Topic], watch: Watch
    ) -> dict[str, int]:
        home, queries = self._home_of(collection), [topic.text for topic in topics]
        return {
            one.name: footprint((home, self.settings), options.principal, one.pipeline, queries)
            for one in options.pipelines
            if not watch.stop.is_set()
        }

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


def slices(collection: Collection, topics: Sequence[Topic], options: Options) -> dict[str, list[str]]:
    """Return the parts of the queries that are measured on their own, as name -> ids of topics.

    Where the collection has a train split and another is run, `unseen` are the queries none of whose documents answers
    one of train: what was learned there may know the others. `options.slice` names a field of the metadata.
    """
    parts: dict[str, list[str]] = {}
    known = collection.trained_on() if options.split != "train" else frozenset()
    if known:
        parts[UNSEEN] = [topic.id for topic in topics if not topic.gold & known]
    if options.slice:
        for topic in topics:
            value = topic.metadata.get(options.slice)
            if value is not None:
                parts.setdefault(f"{options.slice}={value}", []).append(topic.id)
    return dict(sorted(parts.items()))


def _complete(library: Library, vectors: bool, watch: Watch) -> None:
    status, listed = library.status(), library.sources()[0].last_sync is not None
    if listed and not status.pending and not (vectors and status.pending_vectors):
        return
    if vectors:
        library.encoder()  # a missing model is said before the long work
    if not listed:
        library.enqueue("sync")
    worker = library.worker()
    try:
        worker.run_until_idle(watch.progress, watch.stop, vectors=vectors)
    finally:
        worker.close()


def ask(library: Library, topics: Sequence[Topic], options: Options, watch: Watch) -> dict[str, list[Answered]]:
    """Run every topic through the read walk with each pipeline; a query that cannot be run is an answer with `error`.

    The pipelines take turns, and who is first goes round, so that a busy machine and warm caches favour none. What the
    searcher remembers of a query (its vector) is forgotten between two.
    """
    for one in options.pipelines:
        for topic in topics[: 0 if watch.stop.is_set() else WARM_UP]:
            _ask_one(library, topic, one, options.principal)
    answers: dict[str, list[Answered]] = {one.name: [] for one in options.pipelines}
    name = library.sources()[0].name
    for number, topic in enumerate(topics):
        if watch.stop.is_set():
            break
        first = number % len(options.pipelines)
        for one in (*options.pipelines[first:], *options.pipelines[:first]):
            library.searcher().forget()
            answers[one.name].append(_ask_one(library, topic, one, options.principal))
        if number % _TOLD == _TOLD - 1:
            watch.asked(name, number + 1, len(topics))
    return answers


def _ask_one(library: Library, topic: Topic, contender: Contender, principal: Principal) -> Answered:
    begun = time.perf_counter()
    try:
        results = library.search(topic.text, principal, limit=DEPTH, pipeline=contender.pipeline)
    except QueryError as problem:
        return Answered(topic.id, (), (time.perf_counter() - begun) * 1000, error=problem.cause)
    took = (time.perf_counter() - begun) * 1000
    # the same few documents are found again and again: each id is kept once
    documents = tuple(sys.intern(document_of(hit.uri)) for hit in results.hits)
    return Answered(topic.id, documents, took, results.formula)


def _moved(library: Library, topics: Sequence[Topic], results: Sequence[SetResult], options: Options) -> list[Change]:
    from bowerbird.lab.explaining import Teller

    formulas = {one.name: one.pipeline for one in options.pipelines}
    teller = Teller(library, options.principal, formulas)
    baseline, *others = results
    found: list[Change] = []
    for other in others:
        found += teller.explained(changes(topics, baseline, other, options.diffs))
    return found
