"""The sandbox as the other rooms see it: `call` runs a function on foreign bytes in a boxed process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import ClassVar, Literal, Self

import msgspec

from bowerbird.core.errors import BowerbirdError, ExtractionError, SandboxCrash, SandboxOutput, SandboxTimeout
from bowerbird.sandbox import wire
from bowerbird.sandbox.guards import PROBE, Guard, network_name, parse_guard
from bowerbird.sandbox.link import ServerLink, ServerLost, Worker, describe

_ATTEMPTS = 3
_REMEDY_LIMIT = "Raise the setting `{}` if the file is worth it."
_REMEDY_FILE = "Open the file with the program that made it and save it anew; it may be damaged."


class Sandbox:
    """A fork-server and up to `workers` boxed processes; starts on first use, survives the death of any of them.

    `seconds` bounds one call (wall clock), `memory_mb` the growth of a worker's address space, `output_mb` an answer.
    `preload` names the modules whose functions may be called; they are imported once, before any fork.
    """

    skip: ClassVar[tuple[Literal["seccomp", "landlock", "namespace"], ...]] = ()
    """Guards to leave out (see wire.Limits): the tests' way to see each guard hold alone."""

    def __init__(
        self,
        *,
        workers: int = 2,
        seconds: float = 20.0,
        memory_mb: int = 1024,
        output_mb: int = 64,
        preload: Sequence[str] = (),
    ) -> None:
        self._limits = wire.Limits(seconds, memory_mb, output_mb, skip=self.skip)
        self._preload = tuple(dict.fromkeys((PROBE, *preload)))
        self._slots = threading.BoundedSemaphore(workers)
        self._lock = threading.Lock()
        self._server: ServerLink | None = None
        self._idle: list[tuple[ServerLink, Worker]] = []
        self._guard: Guard | None = None
        self._closed = False

    def start(self) -> None:
        """Start the fork-server and wait until it is ready; raises SandboxCrash where it cannot."""
        self._running()

    def close(self) -> None:
        """End the server and all workers; calls in progress fail. Idempotent."""
        with self._lock:
            self._closed = True
            server, self._server = self._server, None
            idle, self._idle = self._idle, []
        for _, worker in idle:
            worker.socket.close()
        if server is not None:
            server.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def guard(self) -> Guard:
        """Which guards hold, measured inside a worker; starts the sandbox if need be."""
        if self._guard is None:
            self._guard = parse_guard(self.call(f"{PROBE}:probe", b"", network=network_name()))
        return self._guard

    def call(self, function: str, data: bytes, **options: str | int | float | bool) -> bytes:
        """Run `module:name` of a preloaded module as f(data, **options) in a boxed process and return its bytes.

        Blocks until a worker is free. Raises SandboxTimeout, SandboxCrash or SandboxOutput where a limit is hit; a
        BowerbirdError raised inside arrives as itself, anything else as an ExtractionError with its cause.
        """
        meta = msgspec.json.encode({"function": function, "options": options})
        with self._slots:
            return self._open(self._reply(meta, data))

    def _reply(self, meta: bytes, data: bytes) -> wire.Reply:
        lost = ServerLost()
        for attempt in range(_ATTEMPTS):
            server = self._running()
            try:
                with self._worker(server) as worker:
                    return self._ask(server, worker, meta, data, last=attempt == _ATTEMPTS - 1)
            except ServerLost as problem:
                lost = problem
        remedy = "Check the machine's memory and system log."
        raise SandboxCrash(f"The sandbox's server died again and again: {lost}.", remedy) from lost

    def _running(self) -> ServerLink:
        with self._lock:
            if self._closed:
                raise SandboxCrash("The sandbox has been closed.", "Open the library again.")
            if self._server is not None and not self._server.alive:
                for _, worker in self._idle:
                    worker.socket.close()
                self._idle.clear()
                self._server.close()
                self._server = None
            if self._server is None:
                self._server = ServerLink.start(self._limits, self._preload)
            return self._server

    @contextmanager
    def _worker(self, server: ServerLink) -> Iterator[Worker]:
        """Lend a worker; one that is still open afterwards is kept for the next call."""
        with self._lock:
            own = next((pair for pair in reversed(self._idle) if pair[0] is server), None)
            if own is not None:
                self._idle.remove(own)
        worker = own[1] if own is not None else server.fork()
        try:
            yield worker
        except BaseException:
            if worker.socket.fileno() >= 0:
                self._end(server, worker)
            raise
        with self._lock:
            if worker.socket.fileno() >= 0 and not self._closed:
                self._idle.append((server, worker))
            else:
                worker.socket.close()

    def _ask(self, server: ServerLink, worker: Worker, meta: bytes, data: bytes, *, last: bool) -> wire.Reply:
        deadline = time.monotonic() + self._limits.seconds
        cap = self._limits.output_mb << 20
        try:
            wire.send_request(worker.socket, meta, data, deadline)
            reply = wire.receive_reply(worker.socket, cap, deadline)
        except TimeoutError as problem:
            self._end(server, worker)
            cause = f"The parser ran longer than {self._limits.seconds:g} seconds and was ended."
            raise SandboxTimeout(cause, _REMEDY_LIMIT.format("sandbox_seconds")) from problem
        except OSError as problem:
            fresh, status = worker.fresh, self._end(server, worker)
            if not fresh and not last:
                raise ServerLost("an idle worker died") from problem
            raise self._crash(status) from problem
        worker.fresh = False
        if reply is None:
            status = self._end(server, worker)
            if not server.alive and not last:
                raise ServerLost("the server died during the call")
            raise self._crash(status)
        if reply.last:
            self._end(server, worker)
        return reply

    def _open(self, reply: wire.Reply) -> bytes:
        if reply.kind == wire.RESULT:
            return reply.data
        if reply.kind == wire.OVERSIZE:
            cause = f"The parser's answer is larger than {self._limits.output_mb} MiB."
            raise SandboxOutput(cause, _REMEDY_LIMIT.format("sandbox_output_mb"))
        if reply.kind == wire.MEMORY:
            cause = f"The parser needed more than {self._limits.memory_mb} MiB of memory."
            raise SandboxCrash(cause, _REMEDY_LIMIT.format("sandbox_memory_mb"))
        try:
            problem = msgspec.json.decode(reply.data, type=dict[str, str])
            raise _error_named(problem["kind"])(problem["cause"], problem["remedy"])
        except (msgspec.MsgspecError, KeyError) as garbage:
            raise SandboxCrash("The parser's process answered nonsense.", _REMEDY_FILE) from garbage

    def _crash(self, status: int) -> SandboxCrash:
        if self._closed:
            return SandboxCrash("The sandbox was closed during the call.", "Open the library again.")
        return SandboxCrash(f"The parser's process {describe(status)}.", _REMEDY_FILE)

    def _end(self, server: ServerLink, worker: Worker) -> int:
        """End a worker for good and return its wait status; -1 where the server is gone and took it along."""
        try:
            return server.end(worker)
        except ServerLost:
            return -1


def _error_named(name: str) -> type[BowerbirdError]:
    """Return the class of that name in the tree of errors; an unknown one is an ExtractionError."""
    waiting: list[type[BowerbirdError]] = [BowerbirdError]
    while waiting:
        kind = waiting.pop()
        if kind.__name__ == name:
            return kind
        waiting.extend(kind.__subclasses__())
    return ExtractionError
