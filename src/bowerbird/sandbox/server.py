"""The fork-server: a fresh, single-threaded interpreter that has loaded the parsers and forks workers on request.

    python -P -m bowerbird.sandbox.server FD CONFIG

Requests on the control socket (one JSON message each): {"do": "fork"} answers {"pid": N} with the worker's socket;
{"do": "end", "pid": N} kills that worker and everything it started and answers {"status": wait status}. The server
ends, and every worker with it, when the control socket closes or the process that started it dies.
"""

from __future__ import annotations

import gc
import importlib
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bowerbird.sandbox import guards, landlock, worker
from bowerbird.sandbox.wire import MESSAGE_BYTES, Limits

_PATIENCE_MS = 1000
_SWEEPS = 1000


@dataclass(frozen=True, slots=True)
class Config:
    """How the client wants the server; travels as JSON on the command line."""

    parent: int
    limits: Limits
    preload: tuple[str, ...] = ()


@dataclass
class Server:
    """The workers alive, by process id, and the socket that asks for them."""

    control: socket.socket
    config: Config
    readable: tuple[str, ...]
    workers: set[int] = field(default_factory=set)

    def run(self) -> None:
        """Serve until the client closes or dies, then end every worker."""
        events = select.poll()
        events.register(self.control, select.POLLIN)
        with suppress(OSError):  # before Linux 5.3 the parent's end is seen only by the check below
            events.register(os.pidfd_open(self.config.parent), select.POLLIN)
        try:
            while os.getppid() == self.config.parent:
                ready = dict(events.poll(_PATIENCE_MS))
                if self.control.fileno() in ready:
                    message = self.control.recv(MESSAGE_BYTES)
                    if not message:
                        return
                    self._answer(msgspec.json.decode(message))
        finally:
            for pid in tuple(self.workers):
                self._end(pid)

    def _answer(self, request: dict[str, str | int]) -> None:
        if request["do"] == "fork":
            self._fork()
        else:
            self._say({"status": self._end(int(request["pid"]))})

    def _fork(self) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            try:
                pid = os.fork()
            except OSError as problem:
                self._say({"error": f"no process could be started: {problem}"})
                return
            if pid == 0:
                worker.run(theirs, self.config.limits, frozenset(self.config.preload), self.readable)
            self.workers.add(pid)
            socket.send_fds(self.control, [msgspec.json.encode({"pid": pid})], [ours.fileno()])

    def _end(self, pid: int) -> int:
        """Kill a worker and all that descends from it; returns its wait status, -1 if it was not ours."""
        if pid not in self.workers:
            return -1
        self.workers.remove(pid)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        self._sweep()
        return status

    def _sweep(self) -> None:
        """Kill what ended workers left behind: as their reaper this process is the parent of it now."""
        for _ in range(_SWEEPS):
            strays = _children() - self.workers
            if not strays:
                return
            for pid in strays:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                with suppress(ChildProcessError):
                    os.waitpid(pid, 0)

    def _say(self, message: dict[str, str | int]) -> None:
        self.control.send(msgspec.json.encode(message))


def _children() -> set[int]:
    try:
        text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    except OSError:  # a kernel without this file; the process group was killed all the same
        return set()
    return {int(pid) for pid in text.split()}


def _load(modules: tuple[str, ...]) -> str:
    """Import the modules; returns what is wrong with one, "" if nothing."""
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception as problem:  # the client reports it; there is nobody to raise to here
            return f"{name} cannot be imported: {type(problem).__name__}: {problem}"
        threads = Path("/proc/self/task")
        if threads.is_dir() and len(list(threads.iterdir())) > 1:
            return f"importing {name} starts a thread, which no fork survives"
    return ""


def main(arguments: list[str]) -> int:
    """Run a server on an inherited control socket; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    config = msgspec.json.decode(arguments[1], type=Config)
    with socket.socket(fileno=int(arguments[0])) as control:
        problem = _load(config.preload)
        if problem:
            control.send(msgspec.json.encode({"error": problem}))
            return 1
        library = guards.libc()
        guards.adopt_orphans(library)
        if "namespace" not in config.limits.skip:
            guards.leave_network(library)
        gc.collect()
        gc.freeze()  # what is loaded stays shared: no worker's collector touches it
        control.send(msgspec.json.encode({"ready": 1}))
        Server(control, config, landlock.readable(config.preload)).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
