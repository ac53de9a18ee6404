"""Runs the worker for a command, or follows the job in the process that already is the writer."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from bowerbird.core.errors import BowerbirdError, DiskFullError, LockedError, MissingExtra, ModelError
from bowerbird.serve.cli_output import count, duration, say, size
from bowerbird.serve.cli_progress import ProgressView, stopping

if TYPE_CHECKING:
    from bowerbird.library import Library
    from bowerbird.sources.base import Preview
    from bowerbird.store.jobs import Job

SHOWN = 10
"""Failed files that a command lists; the rest is in `bowerbird status`."""

POLL_SECONDS = 0.2
TAKE_OVER_SECONDS = 2.0
"""How often the follower of a job looks whether the writer is gone, so that it can go on itself."""

ENDED = ("done", "failed", "cancelled")


def synchronize(library: Library, names: Sequence[str], *, vectors: bool = True) -> None:
    """Bring these sources up to date (all of them without names) and show progress.

    With `vectors` unset, it returns as soon as everything can be found by its words. Raises Interrupted after Ctrl-C.
    """
    jobs = [library.enqueue("sync", name) for name in names] or [library.enqueue("sync")]
    with ProgressView() as view, stopping() as stop:
        if not work(library, view, stop, vectors=vectors):
            say("Another Bowerbird process is the writer: it does the work, this command follows.")
            for job in jobs:
                follow(library, job, view, stop)


def work(library: Library, view: ProgressView, stop: threading.Event, *, vectors: bool = True) -> bool:
    """Do all that is to be done in this process; False where another process is the writer."""
    try:
        worker = library.worker()
    except LockedError:
        return False
    with closing(worker):
        worker.run_until_idle(view, stop, vectors)
    return True


def follow(library: Library, job: Job, view: ProgressView, stop: threading.Event) -> None:
    """Show a job of another process until it ends; goes on with it here when that process is gone.

    Raises BowerbirdError where the job failed.
    """
    tried = time.monotonic()
    while not stop.wait(POLL_SECONDS):
        job = library.job(job.id)
        view.show("Indexing", job.done, job.total, f"{job.done:,} of {job.total:,}  {job.message}".rstrip())
        if job.state in ENDED:
            break
        if time.monotonic() - tried >= TAKE_OVER_SECONDS:
            tried = time.monotonic()
            work(library, view, stop)
    if job.state == "failed":
        raise BowerbirdError(f"The job failed: {job.message}.", "`bowerbird status` shows the state of each source.")


def pull_model(library: Library) -> bool:
    """Make sure that the model of the setting `encoder` is there; without it, words are still searchable."""
    name = library.settings.get("encoder", str)
    if library.models.state(name).verified:
        return True
    try:
        with ProgressView() as view:
            library.models.pull(name, progress=view.model)
    except (ModelError, MissingExtra, DiskFullError) as problem:
        say(f"The model {name} could not be fetched. {problem.cause}")
        say(f"Search goes on with words only; `bowerbird models pull {name}` brings search by meaning.")
        return False
    return True


def describe(preview: Preview) -> str:
    """Say what a first run would do."""
    return (
        f"would index {count(preview.files, 'file')}, {size(preview.bytes)}, "
        f"about {duration(max(preview.seconds_estimate, 1))}"
    )


def troubles(library: Library, names: Sequence[str]) -> list[dict[str, str]]:
    """Return the files of these sources (of all without names) that cannot be found by their content, and why."""
    found = library.status().quarantined
    return [
        {"source": one.source, "key": one.key, "code": one.code, "cause": one.cause}
        for one in found
        if not names or one.source in names
    ]


def list_troubles(found: Sequence[dict[str, str]]) -> None:
    """Tell on stderr which files failed."""
    if not found:
        return
    say(f"{count(len(found), 'file')} could not be read (each is found by its name only):")
    for one in found[:SHOWN]:
        say(f"  {one['key']}: {one['cause']}  ({one['code']})")
    if len(found) > SHOWN:
        say(f"  and {len(found) - SHOWN:,} more: `bowerbird status --failed` lists all of them")
