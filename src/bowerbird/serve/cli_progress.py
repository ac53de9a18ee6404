"""Progress on stderr, and the two meanings of Ctrl-C: once stops cleanly, twice ends at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

from bowerbird.core.errors import Interrupted
from bowerbird.serve.cli_output import duration, printable, say, size, talk

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from bowerbird.library.worker import Progress

PHASES = {
    "list": "Listing files",
    "read": "Reading files",
    "index": "Indexing passages",
    "embed": "Adding meaning",
}
"""What each phase of the worker is called on screen."""

PLAIN_SECONDS = 5.0
"""Seconds between two lines of progress where stderr is not a terminal."""

STOPPING = "stopping… what is finished stays finished; run again to go on (Ctrl-C again ends at once)\n"


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """Give an event that the first Ctrl-C (or SIGTERM) sets; a second one ends the process with exit code 130.

    Raises Interrupted at the end of the block where the event was set.
    """
    stop = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(Interrupted.exit_code)
        stop.set()
        # os.write and not print: the signal may have come in the middle of another print
        os.write(2, ("\n" + STOPPING).encode())

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if stop.is_set():
        raise Interrupted("It was stopped before it was done.", "Run the same command again: it goes on from here.")


class ProgressView:
    """Shows the worker's progress: a bar with rate and time left on a terminal, now and then a line elsewhere."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}
        self._last = ("", 0.0)

    def __enter__(self) -> ProgressView:
        """Begin to draw."""
        if self.live:
            from rich.progress import BarColumn, Progress, TextColumn

            self._bars = Progress(
                TextColumn("{task.description:<18}"), BarColumn(bar_width=24), TextColumn("{task.fields[tail]}"),
                console=talk(), transient=True,
            )  # fmt: skip
            self._bars.start()
        return self

    def __exit__(self, *error: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Leave the screen as it was."""
        if self._bars is not None:
            self._bars.stop()
        self._bars, self._tasks = None, {}

    def __call__(self, progress: Progress) -> None:
        """Show where the worker is."""
        title = PHASES.get(progress.phase, progress.phase)
        total = max(progress.total, progress.done)
        self.show(title, progress.done, total, tail_of(progress, total))

    def model(self, step: str, done: int, total: int) -> None:
        """Show how far the fetching of a model is, in bytes."""
        self.show(f"Model: {step}", done, total, f"{size(done)} of {size(total)}" if done else size(total))

    def show(self, title: str, done: int, total: int, tail: str) -> None:
        """Draw one bar, or print one line when the last is old enough or of another phase."""
        if self._bars is not None:
            task = self._tasks.get(title)
            if task is None:
                task = self._tasks[title] = self._bars.add_task(title, total=total or None, tail="")
            self._bars.update(task, completed=done, total=total or None, tail=printable(tail))
            return
        last_title, last_time = self._last
        now = time.monotonic()
        if title != last_title or now - last_time >= PLAIN_SECONDS:
            self._last = (title, now)
            say(f"{title}: {tail}")


def tail_of(progress: Progress, total: int) -> str:
    """Say in words how far it is: `1,200 of 5,000  210/s  18 s left  2 failed`."""
    parts = [f"{progress.done:,} of {total:,}" if total else f"{progress.done:,}"]
    if progress.rate:
        parts.append(f"{progress.rate:,.0f}/s" if progress.rate >= 10 else f"{progress.rate:.1f}/s")
    if progress.seconds_left:
        parts.append(f"{duration(progress.seconds_left)} left")
    if progress.failures:
        parts.append(f"{progress.failures:,} failed")
    return "  ".join(parts)
