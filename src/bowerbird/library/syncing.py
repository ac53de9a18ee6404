"""Jobs and watches: what asks sources what changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bowerbird.core.errors import BowerbirdError, Interrupted
from bowerbird.core.records import Failure
from bowerbird.library.ingest import Ingest
from bowerbird.sources.base import Source
from bowerbird.sources.files import FilesSource
from bowerbird.sources.sync import Sync
from bowerbird.store import catalog, intake, jobs, sources
from bowerbird.store.jobs import Job, JobState
from bowerbird.store.sources import SourceRow
from bowerbird.store.store import Store


@dataclass(slots=True)
class _Followed:
    """A job whose sources are listed; it ends when their items are searchable by words."""

    job: Job
    rows: list[SourceRow]
    total: int = 0
    errors: list[str] = field(default_factory=list)


class Syncing:
    """Runs `sync` jobs and watches of one library, and jobs of `others` by their kind. Needs the writer's lock."""

    def __init__(
        self,
        store: Store,
        ingest: Ingest,
        open_row: Callable[[str], Source],
        level: Callable[[], bool],
        others: Mapping[str, Callable[[Job], str]],
    ) -> None:
        self._store = store
        self._ingest = ingest
        self._open = open_row
        self._level = level
        self._others = others
        self._followed: list[_Followed] = []
        self.stop = threading.Event()
        self.listed = 0
        self.listing = ""

    def step(self) -> bool:
        """Run one job that waits, and look after those that are followed; returns whether there was anything to do."""
        with self._store.database.read() as connection:
            waiting = jobs.unfinished(connection) > len(self._followed)
        job = None
        if waiting:
            with self._store.database.write() as connection:
                job = jobs.claim(connection, "worker")
        if job is not None and job.kind in self._others:
            self._run_other(job)
        elif job is not None:
            self._run(job)
        self._followed = [one for one in self._followed if not self._ended(one)]
        return job is not None or bool(self._followed)

    def rescan(self) -> None:
        """Ask for a sync of every source."""
        with self._store.database.write() as connection:
            jobs.enqueue(connection, "sync", None)

    def watch(self, row: SourceRow, noticed: Callable[[], None]) -> None:
        """Follow a local folder until stopped or removed; `noticed` is called after changes were entered."""
        source = self._open(row.id)
        if not isinstance(source, FilesSource):
            return
        while not self.stop.is_set():
            try:
                for keys in source.watch(self.stop):
                    if keys:
                        with self._store.database.read() as connection:
                            row = sources.get(connection, row.id)  # its policy may have changed
                        self._sync(row, source).peek(keys, source.peek(keys), intake.WATCHED)
                        noticed()
            except BowerbirdError as problem:
                if not self._known(row):
                    return
                self._note(row, problem)
            self.stop.wait(5.0)

    def _run_other(self, job: Job) -> None:
        state: JobState = "done"
        try:
            message = self._others[job.kind](job)
        except Interrupted:
            return
        except BowerbirdError as problem:
            state, message = "failed", problem.cause
        with self._store.database.write() as connection:
            jobs.finish(connection, job.id, state, message)

    def _run(self, job: Job) -> None:
        with self._store.database.read() as connection:
            rows = [sources.get(connection, job.source_id)] if job.source_id else sources.listed(connection)
        followed = _Followed(job, rows)
        for row in rows:
            try:
                self._pull(job, row)
            except Interrupted:
                return  # the job stays claimed; it is taken up again once its lease has run out
            except BowerbirdError as problem:
                followed.errors.append(f"{row.name}: {problem.cause}")
                self._note(row, problem)
        self.listing = ""
        self._followed.append(followed)

    def _pull(self, job: Job, row: SourceRow) -> None:
        self.listing, self.listed = row.name, 0
        told = time.monotonic()

        def progress(listed: int) -> None:
            nonlocal told
            self.listed = listed
            if time.monotonic() - told > 0.5:
                told = time.monotonic()
                with self._store.database.write() as connection:
                    jobs.progress(connection, job.id, 0, 0, 0, f"{row.name}: {listed:,} listed")

        self._sync(row, self._open(row.id)).pull(intake.ASKED if row.last_sync else intake.BACKFILL, progress)

    def _sync(self, row: SourceRow, source: Source) -> Sync:
        source.scoped = row.policy == "source" and source.says_access
        return Sync(self._store, row, source, self._ingest.take, self.stop)

    def _ended(self, followed: _Followed) -> bool:
        """Record how far a followed job is; returns whether it has ended."""
        ids = {row.id for row in followed.rows}
        with self._store.database.read() as connection:
            waiting, failed = catalog.progress_of(connection, ids)
            state = jobs.get(connection, followed.job.id).state
        if state != "running":
            return True
        followed.total = max(followed.total, waiting)
        done = waiting == 0 and self._level()
        with self._store.database.write() as connection:
            jobs.progress(connection, followed.job.id, followed.total - waiting, followed.total, failed)
            if done:
                message = "; ".join(followed.errors)
                jobs.finish(connection, followed.job.id, "failed" if message else "done", message)
        return done

    def _known(self, row: SourceRow) -> bool:
        with self._store.database.read() as connection:
            return row.id in sources.synced_ids(connection)

    def _note(self, row: SourceRow, problem: BowerbirdError) -> None:
        with self._store.database.write() as connection:
            sources.synced(connection, row.id, row.checkpoint, problem.cause)
            sources.set_failures(connection, row.id, [Failure("", problem.code, problem.cause)], replace=False)
