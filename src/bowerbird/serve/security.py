"""Who may talk to the server, and what every answer carries.

The server listens on loopback only, yet a browser on this machine also runs pages of strangers. So: the Host header
must be a loopback name (DNS rebinding), every request needs a session cookie or the server's token, a request that
changes something must come from our own page (cross-site request forgery), and every answer carries a strict policy for
what a page may load (Content Security Policy Level 3) and who may embed or read it.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bowerbird.core.errors import BowerbirdError, RefusedError, SignInError, UsageError
from bowerbird.core.records import OWNER
from bowerbird.serve.policies import Asker

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SESSION_SECONDS = 30 * 24 * 3600
BODY_BYTES = 64 * 1024
PUBLIC = ("/static/", "/signin", "/favicon.ico")
"""Paths that are answered without credentials: nothing of the library is in them."""

OWN = frozenset({"same-origin", "none"})
"""Values of Sec-Fetch-Site for our own page and for an address that was typed; other ports are `same-site`."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self';"
    " manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": PAGE_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}

_log = logging.getLogger("bowerbird.serve")

Refuse = Callable[[Request, BowerbirdError, int], Response]


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


class Doors:
    """The server's token, the one-time invitations and the sessions; keeps hashes only, in memory.

    A restart of the server ends all sessions. Thread-safe.
    """

    def __init__(self, token: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._token = _hash(token)
        self._clock = clock
        self._invitations: set[bytes] = set()
        self._sessions: dict[bytes, float] = {}
        self._lock = threading.Lock()

    def invite(self) -> str:
        """Return a new secret for `/signin?token=`; it works once, until the server stops."""
        secret = secrets.token_urlsafe(24)
        with self._lock:
            self._invitations.add(_hash(secret))
        return secret

    def redeem(self, invitation: str) -> str:
        """Spend an invitation and return the secret of a new session; raises SignInError where it is not valid."""
        digest = _hash(invitation)
        with self._lock:
            if digest not in self._invitations:
                raise SignInError(
                    "This sign-in link was used before or belongs to an earlier run.",
                    "Run `bowerbird serve` for a new link.",
                )
            self._invitations.discard(digest)
            session = secrets.token_urlsafe(32)
            self._sessions[_hash(session)] = self._clock() + SESSION_SECONDS
        return session

    def is_token(self, token: str) -> bool:
        """Tell whether this is the server's token, in constant time."""
        return hmac.compare_digest(_hash(token), self._token)

    def is_session(self, session: str) -> bool:
        """Tell whether this is the secret of a session that has not ended."""
        digest = _hash(session)
        with self._lock:
            ends = self._sessions.get(digest)
            if ends is not None and ends < self._clock():
                del self._sessions[digest]
                return False
        return ends is not None


def cookie_name(request: Request) -> str:
    """Return the session cookie's name; cookies do not know ports, so the port is in the name."""
    return f"bowerbird-{request.url.port or 80}"


def check_host(request: Request) -> None:
    """Raise RefusedError unless the request was sent to a loopback name (DNS rebinding)."""
    host = request.headers.get("host", "")
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        name = None
    if name not in LOOPBACK or "@" in host:
        raise RefusedError(
            "The request was sent to a host name that is not this machine's own.",
            "Open Bowerbird as http://localhost or http://127.0.0.1.",
        )


def check_origin(request: Request) -> None:
    """Raise RefusedError unless a changing request comes from our own page (Fetch Metadata; RFC 6454)."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    ours = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if site not in (None, "same-origin") or origin not in (None, ours) or (site is None and origin is None):
        raise RefusedError(
            "The request comes from another page than Bowerbird's own.",
            "Use Bowerbird's page, or send the server's token as `Authorization: Bearer`.",
        )


def recognize(request: Request, doors: Doors) -> Asker:
    """Return who asks; raises SignInError without a token or session, RefusedError for one used from elsewhere."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and doors.is_token(token.strip()):
        return Asker(OWNER, "owner", "owner", "server")
    if not doors.is_session(request.cookies.get(cookie_name(request), "")):
        raise SignInError(
            "You are not signed in to this library.",
            "Open the link that `bowerbird serve` prints, or send the server's token as `Authorization: Bearer`.",
        )
    if request.method not in SAFE_METHODS:
        check_origin(request)
    elif request.url.path.startswith("/api/") and request.headers.get("sec-fetch-site", "none") not in OWN:
        raise RefusedError("The request comes from another site.", "Use Bowerbird's own page.")
    return Asker(OWNER, "owner", "owner", "session")


class Guard:
    """ASGI middleware that lets a request through or refuses it, and puts the headers on every answer."""

    def __init__(self, app: ASGIApp, *, doors: Doors, refuse: Refuse) -> None:
        self.app = app
        self.doors = doors
        self.refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            response = self._refusal(request)
            await (response or self.app)(scope, receive, send_guarded)
        except Exception:  # the last resort: the trace goes to the log, never to the asker
            _log.exception("%s %s failed", request.method, request.url.path)
            if not started:
                failed = BowerbirdError("Bowerbird failed to answer this request.", "The server's log says why.")
                await self.refuse(request, failed, failed.status)(scope, receive, send_guarded)

    def _refusal(self, request: Request) -> Response | None:
        try:
            check_host(request)
            if not request.url.path.startswith(PUBLIC):
                request.scope["asker"] = recognize(request, self.doors)
        except BowerbirdError as problem:
            return self.refuse(request, problem, problem.status)
        length = request.headers.get("content-length", "0")
        if "transfer-encoding" in request.headers or not length.isdecimal() or int(length) > BODY_BYTES:
            large = UsageError(f"The request's body is larger than {BODY_BYTES // 1024} KiB.", "Send less at once.")
            return self.refuse(request, large, 413)
        return None
