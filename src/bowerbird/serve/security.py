"""Who may talk to the server, and what every answer carries.

A browser on this machine also runs pages of strangers. So: the Host header must be a name of this server (DNS
rebinding), every request but those to open routes needs a session's cookie, an API token or the server's own secret, a
request that changes something must come from our own page (cross-site request forgery), and every answer carries a
strict policy for what a page may load (Content Security Policy Level 3) and who may embed or read it.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bowerbird.core.errors import BowerbirdError, RefusedError, SignInError
from bowerbird.core.records import OWNER, Principal
from bowerbird.serve.edge import LOOPBACK, METHODS, TRANSPORT_SECURITY, Edge, Refusal, check_line, host_of, read_body
from bowerbird.serve.policies import Asker, PolicyRoute

if TYPE_CHECKING:
    from bowerbird.library.identity import Identity

STATIC = "/static/"
"""Below it are our own files; nothing of the library is in them."""

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
    """The ways in as requests use them: the server's own secret, and the sessions, tokens and links of the library."""

    def __init__(self, token: str, identity: Identity) -> None:
        self.identity = identity
        self._token = _hash(token)

    def invite(self) -> str:
        """Return a new secret for `/signin?token=`: it signs in one browser as the first owner, once."""
        return self.identity.signin_link().secret

    def is_token(self, token: str) -> bool:
        """Tell whether this is the server's own secret, in constant time."""
        return hmac.compare_digest(_hash(token), self._token)


def open_paths(routers: Iterable[APIRouter]) -> frozenset[str]:
    """Return the paths of the routes that are declared open: they answer without credentials."""
    routes = [route for router in routers for route in router.routes if isinstance(route, PolicyRoute)]
    return frozenset(route.path for route in routes if route.policy.least == "open")


def cookie_name(request: Request, purpose: str = "") -> str:
    """Return a cookie's name. Over plain HTTP it holds the port: cookies do not know ports (RFC 6265, 8.5).

    Over HTTPS the prefix `__Host-` makes browsers take it from this host only (RFC 6265bis, 4.1.3.2).
    """
    name = f"bowerbird-{purpose}" if purpose else "bowerbird"
    return f"__Host-{name}" if request.url.scheme == "https" else f"{name}-{request.url.port or 80}"


def give_session(request: Request, response: Response, secret: str) -> None:
    """Let the browser keep a session's secret; whatever session it had before ends."""
    identity: Identity = request.app.state.doors.identity
    name = cookie_name(request)
    if before := request.cookies.get(name):
        identity.sign_out(before)
    response.set_cookie(
        name, secret, int(identity.longest),
        path="/", secure=request.url.scheme == "https", httponly=True, samesite="strict",
    )  # fmt: skip


def take_session(request: Request, response: Response) -> None:
    """End the session of the browser, and let it forget what it kept."""
    name = cookie_name(request)
    request.app.state.doors.identity.sign_out(request.cookies.get(name, ""))
    response.delete_cookie(name, path="/", secure=request.url.scheme == "https", httponly=True, samesite="strict")
    response.headers["clear-site-data"] = '"cache"'


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
    """Return who asks; raises SignInError without a token or session, RefusedError for one used from elsewhere.

    Role and state are read with every request: who was suspended is refused from the next one on.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        if doors.is_token(token.strip()):
            return Asker(OWNER, "owner", "owner", "server")
        known = doors.identity.token(token.strip())
    else:
        known = doors.identity.session(request.cookies.get(cookie_name(request), ""))
    if known is None:
        raise SignInError(
            "You are not signed in to this library.",
            "Sign in, open the link that `bowerbird serve` prints, or send a token as `Authorization: Bearer`.",
        )
    if known.via == "session":
        _check_place(request)
    eyes = Principal(f"user:{known.viewing or known.person}")
    return Asker(eyes, known.person, known.role, known.via, known.grants, known.key)


def _check_place(request: Request) -> None:
    if request.method not in SAFE_METHODS:
        check_origin(request)
    elif request.url.path.startswith("/api/") and request.headers.get("sec-fetch-site", "none") not in OWN:
        raise RefusedError("The request comes from another site.", "Use Bowerbird's own page.")


def tell_refusal(request: Request, problem: BowerbirdError) -> None:
    """Write into the server's log that somebody (an id) was refused; the route as it is declared holds no names."""
    asker: Asker | None = request.scope.get("asker")
    route = getattr(request.scope.get("route"), "path", "before the router")
    _log.warning("%s %s: %s for %s", request.method, route, problem.code, asker.person if asker else "nobody")


def _put_headers(scope: Scope, message: Message) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if scope["scheme"] == "https" and host_of(Headers(scope=scope).get("host", "")) not in LOOPBACK:
        headers["strict-transport-security"] = TRANSPORT_SECURITY


class Guard:
    """ASGI middleware that lets a request through or refuses it, and puts the headers on every answer."""

    def __init__(self, app: ASGIApp, *, doors: Doors, edge: Edge, refuse: Refuse) -> None:
        self.app = app
        self.edge = edge
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
                _put_headers(scope, message)
            await send(message)

        try:
            response = await self._refusal(request)
            if response is None:
                receive = await read_body(request.headers, receive)
            await (response or self.app)(scope, receive, send_guarded)
        except Refusal as refusal:
            answer = self.refuse(request, refusal.problem, refusal.status)
            answer.headers.update({"allow": ", ".join(METHODS)} if refusal.status == 405 else {})
            await answer(scope, receive, send_guarded)
        except ClientDisconnect:
            return
        except Exception:  # the last resort: the trace goes to the log, never to the asker
            _log.exception("%s %s failed", request.method, request.url.path)
            if not started:
                failed = BowerbirdError("Bowerbird failed to answer this request.", "The server's log says why.")
                await self.refuse(request, failed, failed.status)(scope, receive, send_guarded)

    async def _refusal(self, request: Request) -> Response | None:
        path = request.url.path
        try:
            self.edge.check_host(request.headers.get("host", ""))
            self.edge.check_transport(request.scope)
            check_line(request.scope)
            if path in request.app.state.open_paths:
                _check_place(request)
            elif not path.startswith(STATIC):
                request.scope["asker"] = await run_in_threadpool(recognize, request, self.doors)
        except BowerbirdError as problem:
            if problem.status == 403:
                tell_refusal(request, problem)
            return self.refuse(request, problem, problem.status)
        return None
