"""One library: a data directory and everything that can be asked of it."""

from __future__ import annotations

import gc
import threading
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, Unpack

from bowerbird.core.errors import NotFoundError, SourceError
from bowerbird.core.records import OWNER, SYSTEM, Document, Explanation, Principal, from_json
from bowerbird.core.settings import Settings
from bowerbird.core.settings import load as load_settings
from bowerbird.library.status import Report, Status
from bowerbird.sources import kinds, open_source
from bowerbird.sources.base import Preview, Source
from bowerbird.store import audit, catalog, intake, jobs, keeping, sources
from bowerbird.store.items import StoredItem
from bowerbird.store.jobs import Job
from bowerbird.store.scopes import policy_of
from bowerbird.store.sources import SourceRow
from bowerbird.store.store import Store
from bowerbird.understanding.models import ModelStore

if TYPE_CHECKING:
    from bowerbird.core.keeper import Keeper
    from bowerbird.extraction import Extractor
    from bowerbird.index.reader import Reader
    from bowerbird.index.tables import Tables
    from bowerbird.library.auditing import Auditing
    from bowerbird.library.explaining import Explaining
    from bowerbird.library.identity import Identity
    from bowerbird.library.oversight import Oversight
    from bowerbird.library.permissions import Permissions
    from bowerbird.library.records import Records
    from bowerbird.library.saved import Saved
    from bowerbird.library.suggesting import Suggesting
    from bowerbird.library.worker import Worker
    from bowerbird.sandbox import Guard, Sandbox
    from bowerbird.search.results import Results
    from bowerbird.search.searcher import Options, Searcher
    from bowerbird.understanding.encoder import Encoder

_COLLECT_AFTER = 20_000
"""Records made before Python looks for cycles among them."""


class Library:
    """Opens cheaply: models, the index and the sandbox are loaded when they are first needed. Thread-safe."""

    def __init__(self, home: Path, settings: Settings, store: Store) -> None:
        self.home = home
        self.settings = settings
        self.models = ModelStore(home / "models")
        self._store = store
        self._lock = threading.RLock()
        self._encoder: Encoder | None = None
        self._tables: Tables | None = None
        self._searcher: Searcher | None = None
        self._sandbox: Sandbox | None = None
        self._worker: Worker | None = None
        self._audited: set[str] = set()
        self._opened: dict[str, Source] = {}

    @classmethod
    def open(cls, home: Path, settings: Settings | None = None) -> Library:
        """Open a data directory, made or migrated where needed; raises StoreError, SettingError."""
        settings = settings or load_settings(home)
        store = Store(home, settings.get("migration_backups", int))
        store.open()
        return cls(home, settings, store)

    def __enter__(self) -> Self:
        """Return the library itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the sandbox and the store; a worker is closed by whoever took it."""
        if self._sandbox is not None:
            self._sandbox.close()
        self._store.close()

    def preview(self, location: str) -> Preview:
        """Say what adding a location would index; lists it once. Raises SourceError."""
        source = self._source(_kind_of(location), _normal(location))
        if not hasattr(source, "preview"):
            raise SourceError(f"{location} cannot be counted beforehand.", "Add it.")
        preview: Preview = source.preview()
        return preview

    def add(self, location: str, name: str = "", owner: str = "owner") -> SourceRow:
        """Register a source (once for each location); raises SourceError where it is missing or cannot be read.

        Nobody but its owner (the id of a person) may read it, until its policy is changed.
        """
        kind, location = _kind_of(location), _normal(location)
        if kind == "files" and "://" not in location and not _is_there(location):
            raise SourceError(f"There is no file or folder {location}.", "Check the spelling, or mount the disk.")
        wanted = name or Path(location).name or kind
        with self._store.database.write() as connection:
            return sources.add(connection, kind, location, wanted, owner)

    def sources(self) -> list[SourceRow]:
        """Return all sources with their counts."""
        with self._store.database.read() as connection:
            return sources.listed(connection)

    def seen_sources(self, principal: Principal) -> list[SourceRow]:
        """Return the sources that hold something a principal may see, with how much of it that is."""
        with self._store.database.read() as connection:
            return sources.seen(connection, self._store.scopes.visible(connection, principal))

    def remove_source(self, name: str) -> None:
        """Forget a source and its items; what it left on disk goes with the next purge. Raises NotFoundError."""
        with self._store.database.write() as connection:
            row = sources.named(connection, name)
            intake.removed(connection, [one.id for one in intake.known(connection, row.id).values()])
            sources.remove(connection, row.id)

    def enqueue(self, kind: str, source: str | None = None) -> Job:
        """Ask the writer for a job (`sync`), of one source or of all; raises NotFoundError."""
        with self._store.database.write() as connection:
            return jobs.enqueue(connection, kind, sources.named(connection, source).id if source else None)

    def job(self, job_id: str) -> Job:
        """Return a job; raises NotFoundError."""
        with self._store.database.read() as connection:
            return jobs.get(connection, job_id)

    def cancel(self, job_id: str) -> None:
        """Ask a job to stop; what it finished stays finished. Raises NotFoundError."""
        with self._store.database.write() as connection:
            jobs.get(connection, job_id)
            jobs.cancel(connection, job_id)

    def worker(self) -> Worker:
        """Become the library's writer; raises LockedError where another process is. The caller closes it."""
        from bowerbird.library.worker import Worker

        worker = Worker(self._store, self.settings, self.tables(), self._source_of, self.encoder)
        worker.acquire()
        worker.after_purge = self.forget_searches
        self._worker = worker
        return worker

    def search(self, text: str, principal: Principal = OWNER, **options: Unpack[Options]) -> Results:
        """Search as a principal; raises QueryError and UsageError."""
        return self.searcher().search(self.reader(principal, "search"), text, **options)

    def explain(
        self, text: str, item_id: str, principal: Principal = OWNER, pipeline: str = "hybrid", zone: str = ""
    ) -> Explanation:
        """Say why an item stands where it stands for a query; raises NotFoundError."""
        return self.searcher().explain(self.reader(principal, "explain"), text, item_id, pipeline, zone)

    def item(self, item_id: str, principal: Principal = OWNER) -> StoredItem:
        """Return an item; raises NotFoundError where there is none or it is not the principal's."""
        found = self.reader(principal, "item").items([item_id]).get(item_id)
        if found is None:
            raise NotFoundError("There is no such item.", "Search for it again.")
        return found

    def document(self, item_id: str, principal: Principal = OWNER) -> Document:
        """Return an item's extracted content, empty where it has none; raises NotFoundError."""
        item = self.item(item_id, principal)
        with self._store.database.read() as connection:
            blob = catalog.document_blob(connection, item_id)
        if not blob:
            return Document(item.title, (), "", media_type=item.media_type)
        # the document may have been made of the same bytes under another name, which is not for everybody
        return replace(from_json(self._store.blobs.get(blob), Document), title=item.title)

    def original(self, item_id: str, principal: Principal = OWNER) -> bytes:
        """Return an item's bytes from its source; raises NotFoundError, SourceError."""
        from bowerbird.core.records import Item
        from bowerbird.sources.containers import member
        from bowerbird.sources.keys import MEMBER

        item = self.item(item_id, principal)
        source = self._source_of(item.source)
        if not item.container:
            return source.read(Item(item.key, item.name, item.uri, self._version(item.id), item.size))
        outermost = item.key.split(MEMBER)[0]
        with self._store.database.read() as connection:
            holder = catalog.keyed(connection, item.source, outermost)
        if holder is None:
            raise SourceError(f"The archive of {item.name} is gone.", "Run `bowerbird sync`.")
        data = source.read(Item(holder.key, holder.name, holder.uri, self._version(holder.id), holder.size))
        return member(self.sandbox(), item.key, data, self.settings)

    def _version(self, item_id: str) -> str:
        with self._store.database.read() as connection:
            return catalog.source_version(connection, item_id)

    def page_image(self, item_id: str, page: int, width: int, principal: Principal = OWNER) -> bytes:
        """Return a page (or an image) as PNG, at most `width` pixels wide; raises NotFoundError, SourceError."""
        item = self.item(item_id, principal)
        with self._store.database.read() as connection:
            blob = keeping.cached_render(connection, item.content_hash, page, width)
        if blob and self._store.blobs.sound(blob):
            return self._store.blobs.get(blob)
        image = self._extractor().page_image(item.name, self.original(item_id, principal), page, width)
        if item.content_hash:
            made = self._store.blobs.put(image)
            with self._store.database.write() as connection:
                keeping.cache_render(connection, item.content_hash, page, width, made)
        return image

    def status(self) -> Status:
        """Return how the library stands."""
        from bowerbird.library.inspecting import status

        return status(self)

    def doctor(self, verify: bool = False, repair: bool = False) -> Report:
        """Check the library and the machine; with `repair`, mend what can be mended (needs the writer's lock)."""
        from bowerbird.library.inspecting import doctor

        return doctor(self, verify, repair)

    def keepers(self) -> list[Keeper]:
        """Return the Keepers of all that the library keeps; for looking, not for repairs (these need the writer)."""
        from bowerbird.library.inspecting import keepers

        return list(keepers(self))

    def forget_searches(self) -> None:
        """Forget what this process remembers of searches."""
        with self._lock:
            if self._searcher is not None:
                self._searcher.forget()
        if "suggesting" in self.__dict__:
            self.suggesting.forget_names()

    @cached_property
    def auditing(self) -> Auditing:
        """Who did what: the audit log, read and checked."""
        from bowerbird.library.auditing import Auditing

        return Auditing(self._store)

    @cached_property
    def oversight(self) -> Oversight:
        """What admins look after: what needs attention, what could not be read, what takes how much room."""
        from bowerbird.library.oversight import Oversight

        return Oversight(self)

    def reader(self, principal: Principal, action: str) -> Reader:
        """Return the reads of one principal for one request; system reads are audited, once an action and process."""
        from bowerbird.index.reader import Reader

        if principal == SYSTEM and action not in self._audited:
            self._audited.add(action)
            with self._store.database.write() as connection:
                audit.record(connection, principal, f"system.{action}")
        return Reader(self._store, self.tables(), principal, self.suggesting.names)

    def encoder(self) -> Encoder:
        """Return the encoder of the settings; raises ModelError where it is missing or altered."""
        with self._lock:
            if self._encoder is None:
                self._encoder = self.models.encoder(self.settings.get("encoder", str))
            return self._encoder

    def tables(self) -> Tables:
        """Return the index's tables."""
        from bowerbird.index.tables import Tables

        with self._lock:
            if self._tables is None:
                self._tables = Tables(self.home / "index")
            return self._tables

    def searcher(self) -> Searcher:
        """Return the process's searcher."""
        from bowerbird.search.searcher import Searcher

        with self._lock:
            if self._searcher is None:
                # a search makes thousands of small records and no cycles; by default they are looked through ten times
                gc.set_threshold(_COLLECT_AFTER, 10, 10)
                self._searcher = Searcher(self.encoder)
            return self._searcher

    def sandbox(self) -> Sandbox:
        """Return a running sandbox: the worker's, or one of this library's own."""
        from bowerbird.library.worker import boxed

        with self._lock:
            if self._sandbox is None:
                self._sandbox = boxed(self.settings)
                self._sandbox.start()
            return self._sandbox

    @cached_property
    def identity(self) -> Identity:
        """Who gets in, and by what: people, sessions, tokens, links."""
        from bowerbird.library.identity import Identity

        return Identity(self._store, self.settings)

    @cached_property
    def records(self) -> Records:
        """What is kept, and how it is kept safe, given back and got rid of: backup, purge, export, erase."""
        from bowerbird.library.records import Records

        return Records(self)

    @cached_property
    def saved(self) -> Saved:
        """What people keep under a name: searches."""
        from bowerbird.library.saved import Saved

        return Saved(self._store)

    @cached_property
    def suggesting(self) -> Suggesting:
        """What is offered to somebody who types."""
        from bowerbird.library.suggesting import Suggesting

        return Suggesting(self._store, self.settings)

    @cached_property
    def explaining(self) -> Explaining:
        """Why searches answer as they do."""
        from bowerbird.library.explaining import Explaining

        return Explaining(self)

    @cached_property
    def permissions(self) -> Permissions:
        """Who may read what: policies, mappings, rules, and why."""
        from bowerbird.library.permissions import Permissions

        return Permissions(self._store, self.settings, self._source_of)

    @property
    def store(self) -> Store:
        """The store; for the rooms that `library` wires, not for faces."""
        return self._store

    def guard(self) -> Guard | None:
        """Return the guards of the worker's sandbox, None where no worker runs in this process."""
        return self._worker.guard if self._worker is not None and self._worker.running else None

    def problem(self) -> str:
        """Return what last went wrong in the worker of this process, "" for nothing."""
        error = self._worker.error if self._worker is not None else None
        return "" if error is None else str(error)

    def _extractor(self) -> Extractor:
        from bowerbird.extraction import Extractor

        return Extractor(self.sandbox())

    def _source_of(self, source_id: str) -> Source:
        with self._lock, self._store.database.read() as connection:
            if source_id not in self._opened:
                row = sources.get(connection, source_id)
                self._opened[source_id] = self._source(row.kind, row.location)
            source = self._opened[source_id]
            # asked each time: another process may have changed the policy
            source.scoped = source.says_access and policy_of(connection, source_id) == "source"
            return source

    def _source(self, kind: str, location: str) -> Source:
        return open_source(kind, location, self.settings, (self.home,))


def _kind_of(location: str) -> str:
    scheme = location.partition("://")[0]
    return scheme if "://" in location and scheme in kinds() else "files"


def _is_there(location: str) -> bool:
    try:
        return Path(location).exists()
    except OSError:  # a name that is too long for any file
        return False


def _normal(location: str) -> str:
    return location if "://" in location else str(Path(location).expanduser().resolve())
