"""Looking after a library: status and doctor, as loops over the Keepers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from bowerbird.core.errors import BowerbirdError, ModelError
from bowerbird.core.keeper import Keeper
from bowerbird.library.status import Check, Report, Status, Trouble
from bowerbird.store import catalog, jobs, outbox, sources
from bowerbird.store.titles import TitleKeeper

if TYPE_CHECKING:
    from bowerbird.index.writer import Writer
    from bowerbird.library.library import Library

_TROUBLES_SHOWN = 10_000
_LOW_DISK_BYTES = 1 << 30
_ROUNDS = 2
"""What is mended may bring to light what could not be looked at before."""


def status(library: Library) -> Status:
    """Return how a library stands."""
    with library.store.database.read() as connection:
        states = catalog.states(connection)
        generation = outbox.served(connection)
        waiting = states.get("pending", 0)
        whole = sum(states.values()) - waiting  # without an index, everything that was read waits for it
        words = outbox.behind(connection, generation.words_cursor) if generation else whole
        vectors = outbox.behind(connection, generation.vectors_cursor) if generation else whole
        troubled = [
            Trouble(item.id, item.source_name, item.key, item.error_code, item.error)
            for item in catalog.troubled(connection, _TROUBLES_SHOWN)
        ]
        unlisted = [
            Trouble("", name, f.key, f.code, f.cause) for name, f in sources.failed(connection, _TROUBLES_SHOWN)
        ]
        rows, recent = sources.listed(connection), jobs.recent(connection)
    passages = 0
    if generation is not None:
        passages = library.tables().at(generation.folder, "words", generation.words_version).count_rows()
    return Status(
        items=sum(states.values()),
        passages=passages,
        pending=waiting + words,
        pending_vectors=waiting + vectors,
        quarantined=tuple(troubled + unlisted),
        sources=tuple(rows),
        jobs=tuple(recent),
        model=_model(library),
        guard=library.guard(),
        problem=library.problem(),
    )


def doctor(library: Library, verify: bool, repair: bool) -> Report:
    """Check the machine and, with `verify`, every Keeper; with `repair`, mend what they found."""
    if repair:
        with suppress(BowerbirdError):  # the check below tells what is still wrong
            library.models.mend(library.settings.get("encoder", str))
    checks = [_checked(library, name, look) for name, look in _LOOKS]
    if not verify:
        return Report(tuple(checks), ())
    found = [finding for keeper in keepers(library) for finding in keeper.verify()]
    if not repair or not found:
        return Report(tuple(checks), tuple(found))
    repaired, left = 0, found
    for _ in range(_ROUNDS):
        mendable = [finding for finding in left if finding.repairable]
        if mendable:
            with closing(library.worker()) as worker:
                repaired += sum(keeper.repair(mendable) for keeper in keepers(library, worker.writer))
            _work_off(library)
            left = [finding for keeper in keepers(library) for finding in keeper.verify()]
    return Report(tuple(checks), tuple(left), repaired)


def _work_off(library: Library) -> None:
    import threading

    with closing(library.worker()) as worker:
        worker.run_until_idle(lambda _: None, threading.Event(), vectors=_model(library) == "ready")


def keepers(library: Library, writer: Writer | None = None) -> Iterator[Keeper]:
    """Yield the Keepers; those that repair need the writer that holds the lock."""
    from bowerbird.index.completion import CompletionKeeper
    from bowerbird.index.keeper import IndexKeeper
    from bowerbird.index.writer import Writer

    settings = library.settings
    made = writer or Writer(
        library.store, library.tables(), settings.get("encoder", str), settings.get("passage_tokens", int)
    )
    yield IndexKeeper(library.store, library.tables(), made)
    yield CompletionKeeper(library.store, library.tables(), made)
    yield library.store.keeper
    yield TitleKeeper(library.store.database)


def _model(library: Library) -> str:
    name = library.settings.get("encoder", str)
    try:
        state = library.models.state(name)
    except ModelError as problem:
        return problem.cause
    return "ready" if state.verified else f"the model {name} is not there: `bowerbird models pull {name}` brings it"


def _checked(library: Library, name: str, look: Callable[[Library], str]) -> Check:
    try:
        return Check(name, True, look(library))
    except BowerbirdError as problem:
        return Check(name, False, f"{problem.cause} {problem.remedy}".strip())


def _look_store(library: Library) -> str:
    problems = library.store.database.integrity()
    if problems:
        raise BowerbirdError(f"The database is damaged: {problems[0]}.", "Restore the newest backup.")
    return f"{library.store.database.file} is sound"


def _look_disk(library: Library) -> str:
    free = shutil.disk_usage(library.home).free
    if free < _LOW_DISK_BYTES:
        raise BowerbirdError(f"Only {free >> 20} MiB are left on the disk.", "Free some space.")
    return f"{free >> 30} GiB free"


def _look_model(library: Library) -> str:
    state = _model(library)
    if state != "ready":
        raise ModelError(f"Search by meaning is off: {state}.", "")
    library.models.verify(library.settings.get("encoder", str))
    return f"{library.settings.get('encoder', str)} is there and is what its sha256 says"


def _look_settings(library: Library) -> str:
    from bowerbird.library.maintaining import settings_changed

    if settings_changed(library.store):
        return "settings.toml was changed since a writer last began; it counts from the next start"
    return "every name and value fits"


def _look_audit(library: Library) -> str:
    chain = library.auditing.verify()
    if chain.broken:
        raise BowerbirdError(
            f"{len(chain.broken):,} events of the audit log do not follow from those before, first {chain.broken[0]}.",
            "Somebody changed the database: compare with a backup or an export of the log.",
        )
    return f"{chain.events:,} events, each follows from the one before"


def _look_sandbox(library: Library) -> str:
    guard = library.sandbox().guard
    if guard.network == "none":
        raise BowerbirdError("Parsers of foreign files can reach the network.", "Allow seccomp or namespaces.")
    network = {"namespace": "an empty network of their own", "seccomp": "no sockets (seccomp)"}[guard.network]
    landlock = f"Landlock {guard.landlock}" if guard.landlock else "no Landlock in this kernel"
    children = "no child processes" if guard.processes else "child processes ended with them"
    memory = guard.rlimits.get("AS", 0) >> 20
    return f"parsers have {network}, {landlock}, {children}, at most {memory:,} MiB of address space"


_LOOKS: tuple[tuple[str, Callable[[Library], str]], ...] = (
    ("database", _look_store),
    ("audit", _look_audit),
    ("disk", _look_disk),
    ("settings", _look_settings),
    ("model", _look_model),
    ("sandbox", _look_sandbox),
)
