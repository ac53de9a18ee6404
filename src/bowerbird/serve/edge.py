"""The web's edge: which names the server answers to, whom it believes, and when it may leave this machine.

A request is taken as it came over the wire, unless the other end is a proxy that the settings trust: then its
`X-Forwarded-For`, `-Proto` and `-Host` say who asked, how, and for which name (what else they hold was written by the
client). Other machines may reach the server only where there are accounts and TLS. Bodies are read here, at most so
many bytes and seconds.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bowerbird.core.errors import BowerbirdError, ExposureError, RefusedError, SettingError, UsageError
from bowerbird.core.settings import Settings

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
BODY_BYTES = 64 * 1024
BODY_SECONDS = 20.0
PATH_BYTES = 4_096
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; all suites of TLS 1.3 are fine as they are (RFC 9325, 4.2)."""

TRANSPORT_SECURITY = "max-age=63072000"
"""Two years (RFC 6797). Other hosts of the domain are not ours to decide for: no `includeSubDomains`."""

_FORWARDED = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-real-ip"})

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def host_of(text: str) -> str | None:
    """Return the host name of a Host header in lower case, None where it is not of the form `host[:port]` (RFC 9110).

    >>> host_of("LOCALHOST:7310"), host_of("[::1]:7310"), host_of("localhost@evil.example"), host_of("a/b")
    ('localhost', '::1', None, None)
    """
    if not text or any(sign in text for sign in "@/\\?#, \t"):
        return None
    try:
        place = urlsplit(f"//{text}")
        _ = place.port
    except ValueError:
        return None
    return place.hostname


@dataclass(frozen=True, slots=True)
class Edge:
    """What the settings say of the web: `base_url` is where browsers find the server, "" for where it listens."""

    base_url: str = ""
    hosts: frozenset[str] = LOOPBACK
    proxies: tuple[Network, ...] = ()
    certificate: str = ""
    key: str = ""

    @classmethod
    def of(cls, settings: Settings, listening: str = "") -> Edge:
        """Read the settings; `listening` is the address that is listened on. Raises SettingError."""
        base = settings.get("base_url", str).rstrip("/")
        names = {name.lower() for name in _list(settings, "trusted_hosts")}
        if wrong := sorted(name for name in names if host_of(name) != name or name == "*"):
            raise SettingError(f"`{wrong[0]}` in `trusted_hosts` is not a host name.", "Write names without ports.")
        if base:
            names.add(_base_host(base))
        if listening and not _is_any(listening):
            names.add(listening.lower())
        certificate, key = settings.get("tls_certificate", str), settings.get("tls_key", str)
        if bool(certificate) != bool(key):
            raise SettingError("TLS needs both `tls_certificate` and `tls_key`.", "Set both, or neither.")
        networks = tuple(_network(name) for name in _list(settings, "trusted_proxies"))
        return cls(base, LOOPBACK | names, networks, certificate, key)

    @property
    def tls(self) -> bool:
        """Whether the server itself speaks TLS."""
        return bool(self.certificate)

    def is_proxy(self, host: str) -> bool:
        """Tell whether an address is that of a proxy that is believed."""
        address = _address(host)
        return address is not None and any(address in network for network in self.proxies)

    def check_host(self, header: str) -> None:
        """Raise RefusedError unless the request was sent to a name of this server (DNS rebinding)."""
        if host_of(header) not in self.hosts:
            raise RefusedError(
                "The request was sent to a host name that is not this server's own.",
                f"Open Bowerbird as {self.base_url or 'http://localhost'}, or set `trusted_hosts`.",
            )

    def check_transport(self, scope: Scope) -> None:
        """Raise RefusedError for a request from another machine that did not come over TLS."""
        server, client = (scope.get("server") or ("",))[0], (scope.get("client") or ("",))[0]
        address = _address(client)
        local = address is None or address.is_loopback or address == _address(server)
        if scope["scheme"] != "https" and not local:
            raise RefusedError(
                "The request did not come over TLS.",
                f"Open {self.base_url or 'the https address'}; a proxy has to be named in `trusted_proxies`.",
            )

    def check_exposure(self, listening: str, has_accounts: bool) -> None:
        """Raise ExposureError where other machines could reach the server without accounts or without TLS."""
        if listening in LOOPBACK and (not self.base_url or _base_host(self.base_url) in LOOPBACK):
            return
        if not has_accounts:
            raise ExposureError(
                "Other machines could reach this library although nobody has a password.",
                "Serve it on this machine first, open the link and set a password, or set up `oidc_issuer`.",
            )
        if not self.tls and not (self.proxies and self.base_url.startswith("https://")):
            raise ExposureError(
                "Other machines could reach this library without TLS.",
                "Set `tls_certificate` and `tls_key`, or `trusted_proxies` and a `base_url` with https.",
            )

    def check_certificate(self) -> None:
        """Raise SettingError where certificate and key cannot be used."""
        if not self.tls:
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.certificate, self.key, password=lambda: "")
        except (OSError, ValueError) as problem:
            raise SettingError(
                f"The certificate {Path(self.certificate).name} and its key cannot be used: {problem}.",
                "Both are files in PEM; the key must be that of the certificate, and without a password.",
            ) from problem


class Forwarded:
    """ASGI middleware: believes the headers of trusted proxies, and takes those headers off everybody's requests."""

    def __init__(self, app: ASGIApp, *, edge: Edge) -> None:
        self.app = app
        self.edge = edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request as the proxy received it (ASGI 3)."""
        if scope["type"] == "http":
            scope = {**scope, "headers": [(name, value) for name, value in scope["headers"] if name not in _FORWARDED],
                     **self._believed(scope)}  # fmt: skip
        await self.app(scope, receive, send)

    def _believed(self, scope: Scope) -> dict[str, object]:
        client = scope.get("client") or ("", 0)
        if not self.edge.is_proxy(client[0]):
            return {}
        headers, believed = Headers(scope=scope), dict[str, object]()
        if asker := self._asker(headers.getlist("x-forwarded-for")):
            believed["client"] = (asker, 0)
        scheme = headers.get("x-forwarded-proto", "").strip().lower()
        if scheme in ("http", "https"):
            believed["scheme"] = scheme
        host = headers.get("x-forwarded-host", "").strip()
        if host_of(host):
            kept = [(name, value) for name, value in scope["headers"] if name not in {*_FORWARDED, b"host"}]
            believed["headers"] = [*kept, (b"host", host.encode("latin-1"))]
        return believed

    def _asker(self, lines: Iterable[str]) -> str:
        """Return the last address that is not a proxy's: everything before it was written by whoever that is."""
        for part in reversed([part.strip() for line in lines for part in line.split(",")]):
            address = _address(part)
            if address is None:
                return ""
            if not self.edge.is_proxy(str(address)):
                return str(address)
        return ""


class Refusal(Exception):
    """A request that is not read any further; `status` is that of HTTP."""

    def __init__(self, status: int, cause: str, remedy: str) -> None:
        super().__init__(cause)
        self.status = status
        self.problem: BowerbirdError = UsageError(cause, remedy)


async def read_body(headers: Headers, receive: Receive) -> Receive:
    """Read a request's body and return a `receive` that gives it again; whether or not its length was said.

    Raises Refusal: 413 over BODY_BYTES, 408 after BODY_SECONDS, 400 where two lengths are said, or one that is no
    number (request smuggling; RFC 9112, 6.3). Raises ClientDisconnect where the other end has gone.
    """
    length, chunked = headers.get("content-length"), "transfer-encoding" in headers
    if length is None and not chunked:
        return receive
    if length is not None and (chunked or not (length.isascii() and length.isdecimal())):
        raise Refusal(400, "The length of the request's body is not clear.", "Send one Content-Length.")
    if length is not None and int(length) > BODY_BYTES:
        raise _too_large()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _collected(receive)
    except TimeoutError as problem:
        raise Refusal(408, f"The body took longer than {BODY_SECONDS:g} seconds.", "Send it again.") from problem
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _collected(receive: Receive) -> bytes:
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > BODY_BYTES:
            raise _too_large()
        more = message.get("more_body", False)
    return bytes(body)


def check_line(scope: Scope) -> None:
    """Raise Refusal for a method that no route has (405: TRACE, CONNECT, ...) or a path longer than any (414)."""
    if scope["method"] not in METHODS:
        raise Refusal(405, "Bowerbird does not know this method.", "See /api/openapi.json.")
    if len(scope.get("raw_path") or b"") > PATH_BYTES:
        raise Refusal(414, f"The address is longer than {PATH_BYTES:,} bytes.", "Shorten it.")


def _too_large() -> Refusal:
    return Refusal(413, f"The request's body is larger than {BODY_BYTES // 1024} KiB.", "Send less at once.")


def _list(settings: Settings, name: str) -> list[str]:
    return [part.strip() for part in settings.get(name, str).split(",") if part.strip()]


def _base_host(base: str) -> str:
    """Return the host of a base URL; raises SettingError where it is more or less than scheme, host and port."""
    place = urlsplit(base)
    name = host_of(place.netloc)
    if place.scheme not in ("http", "https") or name is None or place.path or place.query or place.fragment:
        raise SettingError("The setting `base_url` is not like https://find.example.org.", "Leave out any path.")
    return name


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as problem:
        raise SettingError(
            f"`{text}` in `trusted_proxies` is not an address or a network.", "Write `10.0.3.7` or `10.0.3.0/24`."
        ) from problem


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_any(host: str) -> bool:
    address = _address(host)
    return address is not None and address.is_unspecified
