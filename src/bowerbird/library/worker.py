"""The worker: the threads of the write walk in the one process that holds the writer's lock.

    jobs ── sync ──> items that wait ── ingest ──> outbox ── index ──> words, then vectors
    watch ─ peek ──┘ (urgent: overtakes)

Vectors wait until the queue of words is empty, so that everything new is findable by its words first.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bowerbird.core.errors import DiskFullError, ModelError
from bowerbird.core.settings import Settings
from bowerbird.extraction import PRELOAD
from bowerbird.index.tables import Tables
from bowerbird.index.vectors import VectorWriter
from bowerbird.index.writer import UNREADABLE, Writer
from bowerbird.library.gate import Gate
from bowerbird.library.ingest import Ingest
from bowerbird.library.maintaining import Maintenance, begun, ended, note_settings
from bowerbird.library.progress import Meter, Progress
from bowerbird.library.syncing import Syncing
from bowerbird.sandbox import Guard, Sandbox
from bowerbird.sources.base import Source
from bowerbird.sources.containers import CONTAINER_PRELOAD
from bowerbird.store import catalog, jobs, sources
from bowerbird.store.jobs import Job
from bowerbird.store.store import Store, WriterLock
from bowerbird.understanding.encoder import Encoder

__all__ = ["Progress", "Worker"]

_IDLE_SECONDS = 0.1
_GATHER_SECONDS = 0.25
_REST_SECONDS = 60.0
_RETRY_SECONDS = 5.0
_TOLD_SECONDS = 60.0
_POLL_SECONDS = 0.2
_FOLLOW_SECONDS = 0.4
_NICENESS = 10
_ANSWERING_SECONDS = 3.0
_FULL = "no space left"

_log = logging.getLogger(__name__)


def boxed(settings: Settings, extra_workers: int = 0) -> Sandbox:
    """Return the sandbox that the settings describe, not started yet."""
    return Sandbox(
        workers=settings.get("sandbox_workers", int) + extra_workers,
        seconds=settings.get("sandbox_seconds", float),
        memory_mb=settings.get("sandbox_memory_mb", int),
        output_mb=settings.get("sandbox_output_mb", int),
        preload=(*PRELOAD, *CONTAINER_PRELOAD),
    )


class Worker:
    """Does what waits. `start` for a server, `run_until_idle` for a command; `close` always."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        tables: Tables,
        open_row: Callable[[str], Source],
        encoder: Callable[[], Encoder],
    ) -> None:
        self._store = store
        self._settings = settings
        self._encoder = encoder
        self._tables = tables
        self._target = settings.get("passage_tokens", int)
        self._lock = WriterLock(store.home)
        self.sandbox = boxed(settings, extra_workers=1)
        self.writer = Writer(store, tables, settings.get("encoder", str), self._target)
        self.vectors: VectorWriter | None = None
        self._ingest = Ingest(store, self.sandbox, settings, open_row)
        self._gate = Gate()
        self.maintenance = Maintenance(store, tables, self.writer, settings, self._gate)
        others = {"backup": self.maintenance.backup, "purge": self._purge}
        self._syncing = Syncing(store, self._ingest, open_row, lambda: not self.writer.behind(), others)
        self._stop = threading.Event()
        self._changed = threading.Event()
        self._threads: list[threading.Thread] = []
        self._watched: set[str] = set()
        self._untidy = {"words", "vectors"}
        self._lasting = False
        self._error: BaseException | None = None
        self._failed = float("-inf")
        self._unclean = False
        self.after_purge: Callable[[], None] = lambda: None

    def acquire(self) -> None:
        """Take the writer's lock; raises LockedError where another process has it."""
        self._lock.acquire()
        self._unclean = not begun(self._store.home)

    def start(self, watch: bool = True, vectors: bool = True) -> None:
        """Start the threads. With `watch` they last: one that fails (a full disk) tries again until it is closed."""
        self._lasting = watch
        self.sandbox.start()
        fresh = not self._tables.generations()
        self.writer.open()
        self._ingest.start()
        with self._store.database.write() as connection:
            jobs.reclaim(connection)
        note_settings(self._store)
        self._spawn("jobs", lambda: self._jobs(watch))
        self._spawn("ingest", self._ingesting)
        self._spawn("index", lambda: self._indexing(vectors))
        if watch:
            self._spawn("urgent", self._urgent)
        if self._unclean and not fresh:
            self._spawn("reconcile", self._reconcile)

    def run_until_idle(self, progress: Callable[[Progress], None], stop: threading.Event, vectors: bool = True) -> None:
        """Do all that waits, telling how far it is; returns when done or when `stop` is set; raises what went wrong."""
        self.start(watch=False, vectors=vectors)
        meters = {name: Meter() for name in ("read", "index", "embed")}
        while not stop.wait(_POLL_SECONDS):
            if self._error is not None:
                raise self._error
            told = self._look(meters, vectors)
            if told is None:
                break
            progress(told)
        if vectors and not stop.is_set():
            self._end_threads()
            self.writer.rest()

    def close(self) -> None:
        """Stop cleanly: what is under way is finished, the rest waits for the next time."""
        self._end_threads()
        self._ingest.close()
        if self.vectors is not None:
            self.vectors.close()
        self.sandbox.close()
        ended(self._store.home)
        self._lock.release()

    def _end_threads(self) -> None:
        self._stop.set()
        self._syncing.stop.set()
        self._changed.set()
        for thread in self._threads:
            thread.join()

    @property
    def running(self) -> bool:
        """Whether it was not closed yet."""
        return not self._stop.is_set()

    @property
    def guard(self) -> Guard:
        """Which guards are active around foreign bytes."""
        return self.sandbox.guard

    @property
    def error(self) -> BaseException | None:
        """What went wrong in a thread within the last minute, if anything did."""
        return self._error if time.monotonic() - self._failed < _TOLD_SECONDS else None

    def _spawn(self, name: str, run: Callable[[], None]) -> None:
        def guarded() -> None:
            while not self._stop.is_set():
                try:
                    run()
                except Exception as problem:
                    _log.exception("the %s thread failed", name)
                    self._error, self._failed = _told(problem, self._store.home), time.monotonic()
                    if self._lasting and not self._stop.wait(_RETRY_SECONDS):
                        continue
                return

        thread = threading.Thread(target=guarded, name=f"bowerbird-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _jobs(self, watch: bool) -> None:
        every = self._settings.get("rescan_seconds", int)
        scanned = time.monotonic()
        while not self._stop.is_set():
            if watch:
                self._watch_new()
                self.maintenance.daily()
                if time.monotonic() - scanned > every:
                    scanned = time.monotonic()
                    self._syncing.rescan()
            busy = self._syncing.step()
            self._stop.wait(_FOLLOW_SECONDS if busy else _POLL_SECONDS)

    def _watch_new(self) -> None:
        with self._store.database.read() as connection:
            fresh = [sources.get(connection, one) for one in sources.synced_ids(connection) - self._watched]
        for row in fresh:
            self._watched.add(row.id)
            self._spawn(f"watch-{row.name}", partial(self._syncing.watch, row, self._changed.set))

    def _ingesting(self) -> None:
        while not self._stop.is_set():
            with self._gate.passing():
                busy = self._ingest.run(self._hurried)
            if not busy:
                self._stop.wait(_IDLE_SECONDS)

    def _urgent(self) -> None:
        while not self._stop.is_set():
            self._changed.wait()
            self._changed.clear()
            with self._gate.passing():
                self._ingest.run_urgent()

    def _indexing(self, vectors: bool) -> None:
        tried, worked, failed = float("-inf"), time.monotonic(), 0
        while not self._stop.is_set():
            if self._ingest.busy:
                self._stop.wait(_GATHER_SECONDS)  # a few large commits cost less than many small ones
            if vectors and self.vectors is None and time.monotonic() - tried > 5.0 and not self._reading():
                tried = time.monotonic()
                self._open_vectors()
            try:
                with self._gate.passing():
                    done = self._index_some()
                failed = 0
            except UNREADABLE:
                failed += 1  # the first time, another thread may have begun the index anew just now
                if not self.maintenance.reconcile() and failed > 1:
                    raise
                done = True
            if done or self._reading():
                worked = time.monotonic()
            if done:
                continue
            if time.monotonic() - worked > _REST_SECONDS:
                worked = time.monotonic()
                with self._gate.passing():
                    self.writer.rest()
            self._stop.wait(_IDLE_SECONDS)

    def _index_some(self) -> bool:
        """Do the next part of the index's work; returns whether there was any."""
        if self._apply():
            return True
        return not self._reading() and (self._embed() or self._rebuild())

    def _hurried(self) -> bool:
        """Tell whether to leave off as soon as possible."""
        return self._stop.is_set() or self._gate.closing

    def _purge(self, job: Job) -> str:
        del job
        receipt = self.maintenance.purge()
        self.after_purge()
        return f"done in {receipt.seconds:.1f} s, receipt {receipt.path}; {len(receipt.unreachable)} earlier backups"

    def _reconcile(self) -> None:
        if self._lasting:
            self._stop.wait(_ANSWERING_SECONDS)  # a server that comes back answers first
        self.maintenance.reconcile()

    def _apply(self) -> bool:
        """Bring what was read into the words tables; returns whether there was anything to do."""
        living = self.writer.living()
        done = any([self.writer.apply(generation) for generation in living])
        if done or "words" in self._untidy:
            for generation in self.writer.living():
                self.writer.tidy(generation, idle=not done)
        (self._untidy.add if done else self._untidy.discard)("words")
        return done

    def _embed(self) -> bool:
        """Embed a little; returns whether there was anything to do."""
        if self.vectors is None:
            return False
        living = self.writer.living()
        done = any([self.vectors.apply(one, lambda: self._hurried() or self._reading()) for one in living])
        if done or "vectors" in self._untidy:
            for generation in self.writer.living():
                self.vectors.tidy(generation, idle=not done)
        (self._untidy.add if done else self._untidy.discard)("vectors")
        return done

    def _rebuild(self) -> bool:
        """Begin a new generation where the recipe changed, and serve it once it is level."""
        if not self.writer.outdated():
            return False
        living = self.writer.living()
        if len(living) == 1:
            return self.writer.begin_rebuild()
        if not self.writer.level(living[-1], vectors=self.vectors is not None):
            return False
        self.writer.end_rebuild()
        return True

    def _open_vectors(self) -> None:
        try:
            encoder = self._encoder()
        except ModelError:
            return
        threads = self._settings.get("embed_threads", int) or max(1, (os.cpu_count() or 2) - 1)
        self.vectors = VectorWriter(self._store, self._tables, self.writer, encoder, self._target)
        self.vectors.open(threads, _lower_priority)

    def _reading(self) -> bool:
        return self._ingest.busy

    def _look(self, meters: dict[str, Meter], vectors: bool) -> Progress | None:
        """Return how far the work is, None when there is none left."""
        with self._store.database.read() as connection:
            pending = catalog.pending(connection)
            waiting = jobs.unfinished(connection)
        words = self.writer.behind()
        meters["read"].update(pending, self._ingest.finished)
        meters["index"].update(words)
        if self._syncing.listing:
            done = self._syncing.listed
            return Progress("list", done, done, 0.0, 0.0, self._ingest.failed, self._syncing.listing)
        if pending or waiting:
            return meters["read"].look("read", self._ingest.failed)
        if words or self.writer.outdated():
            return meters["index"].look("index", self._ingest.failed)
        left = self.vectors.behind() if self.vectors is not None else 0
        meters["embed"].update(left)
        if vectors and (left or self._opening_vectors()):
            return meters["embed"].look("embed", self._ingest.failed)
        return None

    def _opening_vectors(self) -> bool:
        """Tell whether the encoder is there but its threads are not yet."""
        if self.vectors is not None:
            return False
        with contextlib.suppress(ModelError):
            self._encoder()
            return True
        return False


def _told(problem: Exception, home: Path) -> Exception:
    """Return a problem as what it is to a person: Lance tells of a full disk in its own words."""
    if isinstance(problem, UNREADABLE) and _FULL in str(problem).lower():
        return DiskFullError(f"There is no room left on the disk of {home}.", "Free some space and run it again.")
    return problem


def _lower_priority() -> None:
    """Let a thread that embeds yield to searches (Linux: niceness is a thread's own)."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
