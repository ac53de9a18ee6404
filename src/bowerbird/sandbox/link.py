"""The client's end of a fork-server: start it, ask it for workers, have them killed, end it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from bowerbird.core.errors import SandboxCrash
from bowerbird.core.settings import child_environment
from bowerbird.sandbox.wire import MESSAGE_BYTES, Limits

_START_SECONDS, _ANSWER_SECONDS, _END_SECONDS = 60.0, 10.0, 5.0
_ONE_THREAD = {
    # Libraries that start thread pools when loaded would make the fork unsafe; inside a worker one thread is the share.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "TOKIO_WORKER_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",  # each arena reserves 64 MiB of the address space that the memory limit counts
    "PYTHONNOUSERSITE": "1",
}


class ServerLost(Exception):
    """The fork-server is gone; whoever asked may start another."""


@dataclass(eq=False)
class Worker:
    """A worker process and the socket to it."""

    pid: int
    socket: socket.socket
    fresh: bool = True


@dataclass(eq=False)
class ServerLink:
    """A running fork-server. All methods may be called from any thread."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def start(cls, limits: Limits, preload: Sequence[str]) -> ServerLink:
        """Spawn a fresh interpreter and wait until it has loaded `preload`; raises SandboxCrash where it cannot."""
        config = {"parent": os.getpid(), "limits": limits, "preload": list(preload)}
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        arguments = ["-P", "-m", "bowerbird.sandbox.server", str(theirs.fileno()), msgspec.json.encode(config).decode()]
        paths = os.pathsep.join(os.path.abspath(entry) for entry in sys.path if entry)
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
                [sys.executable, *arguments],
                env=child_environment(PYTHONPATH=paths, **_ONE_THREAD),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,  # Ctrl-C is for the client to handle
            )
        link = cls(process, ours)
        try:
            link._hear(_START_SECONDS)
        except ServerLost as problem:
            link.close()
            remedy = "Run `bowerbird doctor` to check the installation."
            raise SandboxCrash(f"The sandbox cannot start: {problem}.", remedy) from problem
        return link

    @property
    def alive(self) -> bool:
        """Whether the server process still runs."""
        return self.process.poll() is None

    def fork(self) -> Worker:
        """Return a fresh worker; raises ServerLost."""
        with self.lock:
            self._say({"do": "fork"})
            answer, handles = self._hear(_ANSWER_SECONDS)
        return Worker(answer["pid"], socket.socket(fileno=handles[0]))

    def end(self, worker: Worker) -> int:
        """Kill a worker with all it started and return its wait status; raises ServerLost."""
        worker.socket.close()
        with self.lock:
            self._say({"do": "end", "pid": worker.pid})
            answer, _ = self._hear(_ANSWER_SECONDS)
        return int(answer["status"])

    def close(self) -> None:
        """End the server and, by its end, every worker."""
        self.control.close()
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()  # its workers die with it: PR_SET_PDEATHSIG
            self.process.wait()

    def _say(self, message: dict[str, str | int]) -> None:
        try:
            self.control.settimeout(_ANSWER_SECONDS)
            self.control.send(msgspec.json.encode(message))
        except OSError as problem:
            raise ServerLost("it does not take requests") from problem

    def _hear(self, seconds: float) -> tuple[dict[str, int], list[int]]:
        try:
            self.control.settimeout(seconds)
            message, handles, _, _ = socket.recv_fds(self.control, MESSAGE_BYTES, 1, socket.MSG_CMSG_CLOEXEC)
        except OSError as problem:
            self.process.kill()
            self.process.wait()
            raise ServerLost("it does not answer") from problem
        if not message:
            raise ServerLost("it ended without a word")
        answer = msgspec.json.decode(message)
        if "error" in answer:
            raise ServerLost(answer["error"])
        return answer, handles


def describe(status: int) -> str:
    """Say in words how a process ended, from its wait status (wait(2))."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return f"was ended by {signal.Signals(number).name}" if number in set(signal.Signals) else f"signal {number}"
    return f"ended with exit code {os.waitstatus_to_exitcode(status)}" if status >= 0 else "ended"
