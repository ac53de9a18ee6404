"""Fetches web addresses that somebody else named, without a way into our own network (CWE-918).

An address is checked, its host is resolved once, every answer must be a global address, and the connection goes to one
of the addresses that were checked; name, certificate and Host stay those of the address. A redirect is a new address:
everything is checked again. What comes back is bounded in bytes (also unpacked) and in seconds. Proxies and passwords
of the environment are not used.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import threading
import zlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import httpx

from bowerbird.core.errors import FetchFailedError, FetchRefusedError, SettingError
from bowerbird.core.settings import Settings

PORTS = frozenset({80, 443})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
KEPT = frozenset({"accept", "accept-language", "user-agent"})
"""Headers that also go to another origin after a redirect; whatever could be a secret does not."""

CONNECT_SECONDS = 10.0

Resolve = Callable[[str, int], Collection[str]]
"""Host and port -> addresses; raises OSError where there are none."""

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_IPv4 = ipaddress.IPv4Address
_IPv6 = ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one fetch may take: bytes of the body, packed and unpacked; seconds, with all redirects; redirects."""

    size: int = 100 << 20
    seconds: float = 60.0
    redirects: int = 5


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: the address it came from in the end, the status, the type as the server says it, the unpacked body."""

    url: str
    status: int
    media_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, a zone behind `%` where there is one; raises OSError (`getaddrinfo`)."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(_with_zone(entry[4]) for entry in found))


def _with_zone(place: tuple[object, ...]) -> str:
    zone = place[3] if len(place) == 4 else 0
    return f"{place[0]}%{zone}" if zone and "%" not in str(place[0]) else str(place[0])


def is_global(text: str) -> bool:
    """Tell whether an address, and every address within it, is one of the public internet (RFC 6890).

    >>> [is_global(address) for address in ("93.184.215.14", "10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1")]
    [True, False, False, False]
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    inner = _inner(address) if isinstance(address, _IPv6) else ()
    if inner:
        return all(is_global(str(one)) for one in inner)
    odd = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_loopback
    zone = isinstance(address, _IPv6) and address.scope_id is not None
    return address.is_global and not address.is_link_local and not odd and not zone


def _inner(address: _IPv6) -> tuple[_IPv4, ...]:
    """Return the IPv4 addresses that packets to an IPv6 address end up at: mapped, 6to4, Teredo, NAT64 (RFC 6052)."""
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return address.teredo
    return (_IPv4(int(address) & 0xFFFFFFFF),) if address in _NAT64 else ()


def ports_of(settings: Settings) -> frozenset[int]:
    """Return the ports that may be fetched from: 80, 443 and those of the setting; raises SettingError."""
    named = [part.strip() for part in settings.get("fetch_ports", str).split(",") if part.strip()]
    if not all(part.isascii() and part.isdecimal() and 0 < int(part) < 65_536 for part in named):
        raise SettingError("The setting `fetch_ports` is not a list of ports.", "Write `8080, 8443`.")
    return PORTS | {int(part) for part in named}


class Fetcher:
    """Gets addresses. `reachable` are addresses allowed although they are not global, `tls` trusts what it trusts."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        ports: Collection[int] = PORTS,
        reachable: Collection[str] = (),
        resolver: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.ports = ports
        self.reachable = reachable
        self.resolver = resolver
        self.tls = tls

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Fetched:
        """Return what is at an address, whatever its status. Blocks.

        Raises FetchRefusedError for an address that must not be fetched or an answer that is too large or too slow,
        FetchFailedError where nobody answers.
        """
        with ThreadPoolExecutor(1, "fetch") as aside:  # an event loop may run in the caller's thread already
            return aside.submit(lambda: asyncio.run(self._get(url, dict(headers or {})))).result()

    async def _get(self, text: str, headers: dict[str, str]) -> Fetched:
        try:
            async with asyncio.timeout(self.limits.seconds):
                return await self._follow(_parsed(text), headers)
        except TimeoutError as problem:
            raise FetchRefusedError(
                f"The answer took longer than {self.limits.seconds:g} seconds.", "Try again later."
            ) from problem

    async def _follow(self, url: httpx.URL, headers: dict[str, str]) -> Fetched:
        for _ in range(self.limits.redirects + 1):
            answer = await self._ask(url, headers)
            location = answer.headers.get("location", "")
            if answer.status not in REDIRECTS or not location:
                return answer
            following = _parsed(location, url)
            if url.scheme == "https" and following.scheme != "https":
                raise FetchRefusedError("A redirect leads from https to http.", "Name the address itself.")
            if (following.scheme, following.host, following.port) != (url.scheme, url.host, url.port):
                headers = {name: value for name, value in headers.items() if name.lower() in KEPT}
            url = following
        raise FetchRefusedError(f"There are more than {self.limits.redirects} redirects.", "Name the address itself.")

    async def _ask(self, url: httpx.URL, headers: dict[str, str]) -> Fetched:
        """Send one request to an address that was checked, and read the answer."""
        host, port = self._checked(url)
        addresses = await self._addresses(host, port)
        own = {"host": url.netloc.decode("ascii"), "accept-encoding": "gzip", "connection": "close"}
        sent = {**{name: value for name, value in headers.items() if name.lower() not in own}, **own}
        if self.tls is None:
            self.tls = httpx.create_ssl_context(trust_env=False)
        async with AsyncExitStack() as stack:
            timeout = httpx.Timeout(self.limits.seconds, connect=CONNECT_SECONDS)
            client = httpx.AsyncClient(verify=self.tls, trust_env=False, follow_redirects=False, timeout=timeout)
            await stack.enter_async_context(client)
            last: Exception | None = None
            for address in addresses:
                pinned = client.build_request(
                    "GET", url.copy_with(host=address), headers=sent, extensions={"sni_hostname": host}
                )
                try:
                    response = await client.send(pinned, stream=True)
                except (httpx.ConnectError, httpx.ConnectTimeout) as problem:
                    last = problem
                    continue
                except httpx.HTTPError as problem:
                    raise _failed(host, problem) from problem
                stack.push_async_callback(response.aclose)
                return await self._read(url, response)
            raise _failed(host, last) from last

    def _checked(self, url: httpx.URL) -> tuple[str, int]:
        """Return host and port of an address; raises FetchRefusedError where it may not be asked at all."""
        if url.scheme not in ("http", "https"):
            raise FetchRefusedError("The address is not one of http or https.", "Name a web address.")
        if url.userinfo:
            raise FetchRefusedError("The address holds a user name or password.", "Leave them out of the address.")
        host, port = url.raw_host.decode("ascii"), url.port or {"http": 80, "https": 443}[url.scheme]
        if not host or "%" in host:
            raise FetchRefusedError("The address names no host, or a zone of this machine.", "Name a host.")
        if port not in self.ports:
            allowed = ", ".join(str(one) for one in sorted(self.ports))
            raise FetchRefusedError(f"The port {port} is not one of {allowed}.", "An admin can set `fetch_ports`.")
        return host, port

    async def _addresses(self, host: str, port: int) -> list[str]:
        """Resolve a host once; all of its addresses must be allowed, or none is asked."""
        answer: Future[Collection[str]] = Future()
        # a thread of its own that nobody waits for: a resolver that hangs must not outlast the limit
        threading.Thread(target=_settle, args=(answer, self.resolver, host, port), daemon=True).start()
        try:
            found: list[str] = [*await asyncio.wrap_future(answer)]
        except (OSError, UnicodeError) as problem:
            raise FetchFailedError(f"There is no host {host[:100]}.", "Check the spelling.") from problem
        if not found or not all(one in self.reachable or is_global(one) for one in found):
            raise FetchRefusedError(
                f"The host {host[:100]} is not one of the public internet.",
                "Only public addresses are fetched; add files of your own network as a folder.",
            )
        return found

    async def _read(self, url: httpx.URL, response: httpx.Response) -> Fetched:
        """Read and unpack the body, never more than the limit of either."""
        declared = response.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) > self.limits.size:
            raise self._too_large()
        unpack = _unpacker(response.headers.get("content-encoding", "identity"))
        body, taken = bytearray(), 0
        if response.status_code not in REDIRECTS:
            async for chunk in _raw(url, response):
                taken += len(chunk)
                body += unpack(chunk, self.limits.size + 1 - len(body))
                if max(taken, len(body)) > self.limits.size:
                    raise self._too_large()
        media_type = response.headers.get("content-type", "")
        return Fetched(str(url), response.status_code, media_type, bytes(body), dict(response.headers))

    def _too_large(self) -> FetchRefusedError:
        return FetchRefusedError(f"The answer is larger than {self.limits.size:,} bytes.", "Fetch a smaller part.")


def _parsed(text: str, base: httpx.URL | None = None) -> httpx.URL:
    try:
        url = base.join(text) if base else httpx.URL(text.strip())
        return url.copy_with(fragment=None)
    except (httpx.InvalidURL, ValueError) as problem:
        raise FetchRefusedError("The address is not a URL.", "Name a web address.") from problem


def _failed(host: str, problem: Exception | None) -> FetchFailedError:
    return FetchFailedError(f"{host[:100]} does not answer: {str(problem)[:200]}.", "Try again later.")


def _settle(answer: Future[Collection[str]], resolver: Resolve, host: str, port: int) -> None:
    if answer.set_running_or_notify_cancel():
        try:
            answer.set_result(resolver(host, port))
        except Exception as problem:  # whoever waits for the answer raises it
            answer.set_exception(problem)


async def _raw(url: httpx.URL, response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.aiter_raw():
            yield chunk
    except httpx.HTTPError as problem:
        raise _failed(url.host, problem) from problem


def _unpacker(encoding: str) -> Callable[[bytes, int], bytes]:
    """Return `(packed, most) -> unpacked`, which never makes more than `most` bytes."""
    if encoding.strip().lower() in ("identity", ""):
        return lambda data, most: data[:most]
    if encoding.strip().lower() not in ("gzip", "x-gzip"):
        raise FetchRefusedError("The answer is packed in a way that was not asked for.", "Tell whoever runs the site.")
    state = zlib.decompressobj(wbits=31)

    def unpack(data: bytes, most: int) -> bytes:
        nonlocal state
        made = bytearray()
        while data and len(made) < most:
            if state.eof:  # another member follows (RFC 1952, 2.2)
                state = zlib.decompressobj(wbits=31)
            try:
                made += state.decompress(data, most - len(made))
            except zlib.error as problem:
                raise FetchFailedError("The answer is not packed as it says.", "Try again later.") from problem
            data = state.unused_data or state.unconsumed_tail
        return bytes(made)

    return unpack
