"""The write walk: pull -> Item -> read -> extract -> Document -> (outbox) -> cut -> Passage* -> index.

This file holds the middle: an item that waits is read, its bytes are extracted in the sandbox unless the same bytes
were extracted before, and how it ended is one SQL transaction with its outbox entry. `sources.sync` stands before it,
`index.writer` and `index.vectors` behind it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import PurePosixPath

from bowerbird.core.errors import ExtractionError, SourceError, StoreError
from bowerbird.core.ids import content_hash
from bowerbird.core.kinds import kind_of
from bowerbird.core.records import Document, Failure, Item, from_json, to_json
from bowerbird.core.settings import Settings
from bowerbird.extraction import PARSER_VERSION, Extractor
from bowerbird.extraction.labels import labels_of, recipients_of
from bowerbird.sandbox import Sandbox
from bowerbird.sources.base import Source
from bowerbird.sources.containers import Budget, container_kind, is_container, members
from bowerbird.store import intake, sources
from bowerbird.store.intake import Claim, Extracted, Outcome
from bowerbird.store.sources import SourceRow
from bowerbird.store.store import Store

CLAIMED = 64
"""Items claimed at a time."""

_FINISH_SECONDS, _STOP_SECONDS = 0.1, 1.0

POISON = "poison"
TOO_LARGE = "file-too-large"

_NO_TEXT = Extracted(None, "")

_log = logging.getLogger(__name__)


class Ingest:
    """Reads and extracts items that wait. Thread-safe; needs the writer's lock."""

    def __init__(self, store: Store, sandbox: Sandbox, settings: Settings, open_row: Callable[[str], Source]) -> None:
        self._store = store
        self._sandbox = sandbox
        self._extractor = Extractor(sandbox)
        self._settings = settings
        self._open = open_row
        self._claiming = threading.Lock()
        self._in_flight: set[str] = set()
        self._pool: ThreadPoolExecutor | None = None
        self._urgent: ThreadPoolExecutor | None = None
        self.finished = 0
        self.failed = 0

    def start(self) -> None:
        """Start the threads: some for the bulk, and one that only watch events may use, so that they overtake."""
        workers = self._settings.get("sandbox_workers", int)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="ingest")
        self._urgent = ThreadPoolExecutor(1, thread_name_prefix="ingest-urgent")
        with self._store.database.write() as connection:
            intake.requeue(connection, PARSER_VERSION)

    def close(self) -> None:
        """Stop the threads; items under way are finished, the rest waits for the next time."""
        for pool in (self._pool, self._urgent):
            if pool is not None:
                pool.shutdown(cancel_futures=True)
        self._pool = self._urgent = None

    @property
    def busy(self) -> bool:
        """Tell whether anything is being read."""
        return bool(self._in_flight)

    def run(self, stopped: Callable[[], bool]) -> int:
        """Read what waits, the most urgent first, until nothing does; returns how many items were read."""
        return self._drain(self._pool, 0, stopped)

    def run_urgent(self) -> int:
        """Read items that a watch event named, and nothing else; returns how many."""
        return self._drain(self._urgent, intake.WATCHED, lambda: False)

    def take(self, row: SourceRow, items: Sequence[Item], priority: int) -> None:
        """Enter items that came with their content and read them at once."""
        with self._entered(row, items, priority) as pairs:
            futures = [self._submit(self._pool, claim, item.content) for claim, item in pairs]
            self._finish([future.result() for future in futures])

    def process(self, claim: Claim, content: bytes | None = None, budget: Budget | None = None) -> Outcome:
        """Read and extract one item; what goes wrong with it is the outcome. Containers are expanded.

        `budget` is what the outermost container may still give, for a member of one. Raises StoreError where nothing
        can be kept (a full disk).
        """
        if claim.attempts >= intake.MOST_ATTEMPTS:
            return _refused(claim, POISON, f"Bowerbird itself stopped {claim.attempts} times while it read this file.")
        try:
            return self._read(claim, content, budget)
        except StoreError:
            raise
        except Exception as problem:  # one failing item is a row, never an aborted run
            _log.exception("%s could not be processed", claim.item.key)
            return _refused(claim, "failed", f"Bowerbird failed on it: {type(problem).__name__}: {problem}.")

    def _read(self, claim: Claim, content: bytes | None, budget: Budget | None) -> Outcome:
        limit = self._settings.get("max_file_mb", int)
        if claim.item.size > limit << 20:
            return _refused(claim, TOO_LARGE, f"It is larger than {limit} MiB and is found by its name only.")
        try:
            data = self._open(claim.source_id).read(claim.item) if content is None else content
        except SourceError as problem:
            return Outcome(claim, "failed", "", "", _NO_TEXT, problem.code, problem.cause)
        digest = content_hash(data)
        trouble: Failure | None = None
        extracted = _NO_TEXT
        if is_container(claim.item.name):
            trouble = self._expand(claim, data, budget or Budget.of(self._settings))
        if container_kind(claim.item.name) in ("", "eml"):
            try:
                extracted = self._extracted(claim.item, data, digest)
            except ExtractionError as problem:
                trouble = Failure(claim.item.key, problem.code, problem.cause)
        if trouble is not None:
            return _refused(claim, trouble.code, trouble.cause, digest, extracted)
        return Outcome(claim, "indexed", digest, PARSER_VERSION, extracted)

    def _extracted(self, item: Item, data: bytes, digest: str) -> Extracted:
        """Extract a document, or take the one that the same bytes gave before."""
        ending = "".join(PurePosixPath(item.name.lower()).suffixes[-2:])
        with self._store.database.read() as connection:
            found = intake.document(connection, digest, ending, PARSER_VERSION)
        if found is not None:
            try:
                document = from_json(self._store.blobs.get(found[1]), Document)
                return _summary(found[0], document, item, extracted_as=found[2])
            except StoreError:
                pass  # the blob is damaged or gone: extract again, which writes it anew
        document = self._extractor.extract(item.name, data, item.media_type)
        blob = self._store.blobs.put(to_json(document))
        made = intake.NewDocument(digest, ending, PARSER_VERSION, item.name, blob)
        return _summary(made, document, item, extracted_as=item.name)

    def _expand(self, claim: Claim, data: bytes, budget: Budget) -> Failure | None:
        """Enter and read the members of a container; returns what is wrong with the container itself, if anything."""
        with self._store.database.read() as connection:
            row = sources.get(connection, claim.source_id)
            known = intake.known_keys(connection, row.id, [claim.item.key])
        own: Failure | None = None
        failures: list[Failure] = []
        seen: set[str] = set()
        batch: list[Item] = []
        for one in members(self._sandbox, claim.item, data, self._settings, budget):
            if isinstance(one, Failure):
                own = one if one.key == claim.item.key else own
                failures += [one] if one.key != claim.item.key else []
                continue
            seen.add(one.key)
            batch.append(one)
            if len(batch) >= CLAIMED:
                self._read_members(row, batch, budget)
                batch = []
        self._read_members(row, batch, budget)
        with self._store.database.write() as connection:
            sources.forget_member_failures(connection, row.id, [claim.item.key])
            sources.set_failures(connection, row.id, failures, replace=False)
            stale = [one.id for key, one in known.items() if one.container == claim.item.key and key not in seen]
            intake.removed(connection, stale)
        return own

    def _read_members(self, row: SourceRow, batch: Sequence[Item], budget: Budget) -> None:
        with self._entered(row, batch, intake.BACKFILL) as pairs:
            self._finish([self.process(claim, item.content, budget) for claim, item in pairs])

    def _drain(self, pool: ThreadPoolExecutor | None, priority: int, stopped: Callable[[], bool]) -> int:
        """Claim, read and finish until nothing waits; what ended together is finished in one transaction.

        What was being read when the process died several times is read alone, so that it is known whose fault it is.
        """
        reading: set[Future[Outcome]] = set()
        suspects: list[Claim] = []
        mine: set[str] = set()
        count = 0
        try:
            while not stopped():
                if len(reading) + len(suspects) < CLAIMED // 2:
                    claims = self._claim(priority)
                    mine |= {claim.id for claim in claims}
                    suspects += [claim for claim in claims if claim.attempts >= intake.SUSPICIOUS]
                    reading |= {self._submit(pool, one) for one in claims if one.attempts < intake.SUSPICIOUS}
                if not reading and suspects:
                    self._attempt(suspects[:1])
                    reading = {self._submit(pool, suspects.pop(0))}
                if not reading:
                    break
                ended, reading = wait(reading, timeout=_FINISH_SECONDS)
                self._finish([future.result() for future in ended])
                count += len(ended)
            ended, _ = wait({future for future in reading if not future.cancel()}, timeout=_STOP_SECONDS)
            self._finish([future.result() for future in ended])
            return count + len(ended)
        finally:
            for future in reading:
                future.cancel()
            self._in_flight -= mine

    def _claim(self, priority: int) -> list[Claim]:
        """Claim items nobody is reading yet, at or above a priority."""
        with self._claiming, self._store.database.read() as connection:
            claims = intake.waiting(connection, CLAIMED, self._in_flight, priority)
            self._in_flight |= {claim.id for claim in claims}
        self._attempt([claim for claim in claims if claim.attempts < intake.SUSPICIOUS])
        return claims

    def _attempt(self, claims: Sequence[Claim]) -> None:
        if claims:
            with self._store.database.write() as connection:
                intake.attempted(connection, [claim.id for claim in claims])

    @contextmanager
    def _entered(self, row: SourceRow, items: Sequence[Item], priority: int) -> Iterator[list[tuple[Claim, Item]]]:
        """Enter items whose content is at hand, and claim those that are new or changed, until the end of the block."""
        with self._claiming, self._store.database.write() as connection:
            keys = [item.key for item in items]
            before = intake.claims_of(connection, row.id, keys)
            changed = [item for item in items if not _same(before.get(item.key), item)]
            intake.found(connection, row, changed, priority)
            claims = intake.claims_of(connection, row.id, [item.key for item in changed])
            mine = {claim.id for claim in claims.values()}
            self._in_flight |= mine
        try:
            yield [(claims[item.key], item) for item in changed]
        finally:
            self._in_flight -= mine

    def _submit(self, pool: ThreadPoolExecutor | None, claim: Claim, content: bytes | None = None) -> Future[Outcome]:
        if pool is None:
            raise RuntimeError("ingest is not started")
        return pool.submit(self.process, claim, content)

    def _finish(self, outcomes: Sequence[Outcome]) -> None:
        if not outcomes:
            return
        with self._store.database.write() as connection:
            intake.finish(connection, outcomes)
        self._in_flight -= {outcome.claim.id for outcome in outcomes}
        self.finished += len(outcomes)
        self.failed += sum(outcome.state != "indexed" for outcome in outcomes)


def _same(before: Claim | None, item: Item) -> bool:
    """Tell whether an item was read in this version already."""
    return before is not None and before.item.version == item.version and before.content_hash != ""


def _refused(claim: Claim, code: str, cause: str, digest: str = "", extracted: Extracted = _NO_TEXT) -> Outcome:
    return Outcome(claim, "quarantined", digest, PARSER_VERSION, extracted, code, cause)


def _summary(kept: int | intake.NewDocument, document: Document, item: Item, extracted_as: str) -> Extracted:
    """Return what the item's row keeps of a document. Messages are dated by themselves, not by their file."""
    title = "" if document.title == intake.stem(extracted_as) else document.title
    dated = document.created if kind_of(item.name, document.media_type) == "message" else None
    return Extracted(
        document=kept,
        title=title,
        media_type=document.media_type,
        language=document.language,
        pages=document.pages,
        people=document.authors,
        modified=dated or (None if item.modified else document.modified),
        labels=labels_of(document, document.media_type),
        recipients=recipients_of(document),
    )
