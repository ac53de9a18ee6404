"""Runs the HTTP server, with the worker in the same process.

While it runs, `run/server.json` in the data directory (for its owner only) tells other commands how to reach it.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from bowerbird.core.errors import BowerbirdError, LockedError, UsageError
from bowerbird.core.settings import api_token
from bowerbird.serve.app import create_app
from bowerbird.serve.client import SERVER_FILE, Server, running
from bowerbird.serve.edge import CIPHERS, Edge
from bowerbird.serve.patience import CONNECTIONS, HEAD_BYTES, Patient

if TYPE_CHECKING:
    from bowerbird.library import Library
    from bowerbird.library.worker import Worker

REQUEST_SECONDS = 2
"""How long requests under way may take once the server was asked to stop."""

STOP_SECONDS = 5.0
"""After this long the process ends, whatever still runs: the store survives that."""

RETRY_SECONDS = 3.0
"""How often a server without a worker looks whether the other writer is gone."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A server that answers: its base URL, and a link that signs in one browser, once."""

    url: str
    link: str


class Background:
    """The worker beside the server; where another process is the writer, it is taken over once that has ended."""

    def __init__(self, library: Library, *, watch: bool) -> None:
        self.library = library
        self.watch = watch
        self._stop = threading.Event()
        self._worker: Worker | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> bool:
        """Start the worker, now (True) or as soon as no other process is the writer (False)."""
        if self._begin():
            return True
        self._thread = threading.Thread(target=self._wait, name="await-writer", daemon=True)
        self._thread.start()
        return False

    def close(self) -> None:
        """Stop waiting and working."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if self._worker is not None:
            self._worker.close()

    def _begin(self) -> bool:
        try:
            self._worker = self.library.worker()
        except LockedError:
            return False
        self._worker.start(watch=self.watch)
        self.library.enqueue("sync")  # what changed while nobody watched
        return True

    def _wait(self) -> None:
        while not self._stop.wait(RETRY_SECONDS):
            if self._begin():
                return


class _Uvicorn(uvicorn.Server):
    """Uvicorn that tells when it answers, and that ends in time once it was asked to stop."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], overdue: Callable[[], None]) -> None:
        super().__init__(config)
        self.ready = ready
        self.overdue = overdue

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, then tell."""
        await super().startup(sockets)
        self.ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop on a signal, by force when it takes too long."""
        if not self.should_exit:
            timer = threading.Timer(STOP_SECONDS, self.overdue)
            timer.daemon = True
            timer.start()
        super().handle_exit(sig, frame)


def run(library: Library, host: str, port: int, *, watch: bool = True, announce: Callable[[Ready], None]) -> None:
    """Serve until SIGINT or SIGTERM; `announce` is called once requests are answered.

    Raises UsageError for a port that is taken, ExposureError where others could reach it without accounts or TLS,
    LockedError where a server for this library runs already.
    """
    check_free(library.home)
    edge = edge_of(library, host)
    listener = listen(host, port)
    url = url_of(listener, edge.tls)
    shown = edge.base_url or url
    token = api_token() or secrets.token_urlsafe(32)
    background = Background(library, watch=watch)
    try:
        background.start()
        app = create_app(library, token=token, worker=False, edge=edge)
        ready = Ready(shown, f"{shown}/signin?token={app.state.doors.invite()}")
        file = write_server_file(library.home, Server(os.getpid(), url, token, edge.certificate, shown))
        try:
            _serve(app, edge, listener, _Moments(lambda: announce(ready), lambda: _end(file)))
        finally:
            file.unlink(missing_ok=True)
    finally:
        background.close()
        listener.close()


def edge_of(library: Library, host: str) -> Edge:
    """Read the settings of the web's edge for an address to listen on; raises SettingError, ExposureError."""
    edge = Edge.of(library.settings, host)
    edge.check_certificate()
    edge.check_exposure(host, library.identity.has_passwords() or bool(library.settings.get("oidc_issuer", str)))
    return edge


@dataclass(frozen=True, slots=True)
class _Moments:
    """What to do once requests are answered, and when stopping takes too long."""

    ready: Callable[[], None]
    overdue: Callable[[], None]


def configured(app: object, edge: Edge) -> uvicorn.Config:
    """Return how uvicorn is to serve an application: bounded, and believing nobody (`edge.Forwarded` does that)."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # FastAPI is an ASGI application; uvicorn's own alias does not know it
        log_config=None, access_log=False, server_header=False, lifespan="on", proxy_headers=False, ws="none",
        http=Patient, h11_max_incomplete_event_size=HEAD_BYTES, limit_concurrency=CONNECTIONS,
        ssl_certfile=edge.certificate or None, ssl_keyfile=edge.key or None, ssl_ciphers=CIPHERS,
        timeout_graceful_shutdown=REQUEST_SECONDS,
    )  # fmt: skip


def _serve(app: object, edge: Edge, listener: socket.socket, moments: _Moments) -> None:
    server = _Uvicorn(configured(app, edge), moments.ready, moments.overdue)
    # uvicorn raises the signal again once it has stopped; the library still has to be closed then
    before = {number: signal.signal(number, _ignore) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run(sockets=[listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore(number: int, frame: FrameType | None) -> None:
    """Take the signal that uvicorn hands on."""


def _end(file: Path) -> None:
    file.unlink(missing_ok=True)
    os._exit(0)


def check_free(home: Path) -> None:
    """Raise LockedError where a server for this data directory answers."""
    other = running(home)
    if other is not None and answers(other):
        raise LockedError(
            f"A server for this library runs already, at {other.url} (process {other.pid}).",
            f"Open {other.url}, or stop it with `kill {other.pid}`.",
        )


def answers(server: Server) -> bool:
    """Return whether the server is really there: a crash leaves its file behind, and its process id to others."""
    try:
        server.get("/api/sources")
    except ConnectionError:
        return False
    except BowerbirdError:
        return True
    return True


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises UsageError where that address cannot be had."""
    if not 0 <= port <= 65535:
        raise UsageError(f"There is no port {port}.", "Ports go from 1 to 65535; 0 takes a free one.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as problem:
        reasons = {errno.EADDRINUSE: "is taken by another program", errno.EACCES: "is reserved for the system",
               errno.EADDRNOTAVAIL: f"cannot be opened: {host} is no address of this machine"}  # fmt: skip
        reason = reasons.get(problem.errno or 0, f"cannot be opened: {problem.strerror}")
        raise UsageError(
            f"The port {port} {reason}.", "Choose another with --port; --port 0 takes a free one."
        ) from None


def url_of(listener: socket.socket, tls: bool = False) -> str:
    """Return the base URL by which this machine reaches a listening socket."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not listened on here
    return f"http{'s' if tls else ''}://" + (f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


def write_server_file(home: Path, server: Server) -> Path:
    """Write how to reach the server, at once and for its owner only; return the file."""
    file = home / SERVER_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(f".{server.pid}")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as target:
        json.dump(asdict(server), target)
    draft.replace(file)
    return file
