"""The product as its users run it: the command in a process of its own, and the server."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bowerbird.core.settings import child_environment
from bowerbird.serve.client import Server, running

COMMAND = (sys.executable, "-c", "from bowerbird.serve.cli import main; main()")
"""The `bowerbird` of this very interpreter, wherever its script is."""

START_SECONDS = 60.0


def command(home: Path, *arguments: str) -> list[str]:
    """Return the command line of a bowerbird command."""
    return [*COMMAND, "--home", str(home), *arguments]


def call(home: Path, *arguments: str, timeout: float = 3600) -> subprocess.CompletedProcess[str]:
    """Run a bowerbird command to its end and return what it wrote."""
    return subprocess.run(
        command(home, *arguments), capture_output=True, text=True, timeout=timeout, check=False, env=child_environment()
    )


@dataclass(frozen=True, slots=True)
class Running:
    """A server of this benchmark."""

    process: subprocess.Popen[bytes]
    server: Server

    @property
    def pid(self) -> int:
        """The server's process."""
        return self.process.pid

    def get(self, path: str, **query: str | int) -> dict[str, Any]:
        """Return the JSON at a path."""
        return dict(self.server.get(path, **query))

    def post(self, path: str, body: dict[str, object]) -> dict[str, Any]:
        """Send JSON and return what comes back."""
        return dict(self.server.post(path, body))

    def wait(self, states: Sequence[str], job: str, seconds: float) -> dict[str, Any]:
        """Wait until a job is in one of the states and return it; raises TimeoutError."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            told = self.get(f"/api/jobs/{job}")
            if told["state"] in states:
                return told
            time.sleep(0.1)
        raise TimeoutError(f"the job {job} was not {' or '.join(states)} within {seconds:.0f} s")


@contextmanager
def serving(home: Path, *options: str) -> Iterator[Running]:
    """Run `bowerbird serve` on a free port while the block runs; raises TimeoutError where it does not come up."""
    log = home / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command(home, "serve", "--port", "0", *options), stdout=output, stderr=output, env=child_environment()
        )
        try:
            yield Running(process, _up(home, process, log))
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _up(home: Path, process: subprocess.Popen[bytes], log: Path) -> Server:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        server = running(home)
        if server is not None and server.pid == process.pid:
            return server
        time.sleep(0.05)
    raise TimeoutError(f"the server did not come up:\n{log.read_text(errors='replace')[-2000:]}")
