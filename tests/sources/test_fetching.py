"""Addresses that others name lead to the public internet only, and bring no more than was asked for."""

from __future__ import annotations

import gzip
import ipaddress
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bowerbird.core.errors import FetchFailedError, FetchRefusedError, SettingError
from bowerbird.core.settings import Settings
from bowerbird.sources.fetching import Fetcher, Limits, is_global, ports_of, resolve

HERE = frozenset({"127.0.0.1"})


class Web:
    """A real server on loopback: answers what a test says, keeps what it was asked."""

    def __init__(self, answer: Callable[[str, socket.socket], None]) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.port = 0

    def __call__(self, request: Any, *_: Any) -> None:
        head = b""
        try:
            while b"\r\n\r\n" not in head and (part := request.recv(65_536)):
                head += part
            self.asked.append(head.decode("latin-1"))
            self.answer(head.decode("latin-1").split(" ")[1], request)
        except OSError:  # the other side has gone, which is what some tests are about
            return
        finally:
            request.close()

    def url(self, path: str = "/", host: str = "site.example") -> str:
        return f"http://{host}:{self.port}{path}"


@contextmanager
def web(
    answer: Callable[[str, socket.socket], None], tls: ssl.SSLContext | None = None, at: str = "127.0.0.1"
) -> Iterator[Web]:
    site = Web(answer)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

        def get_request(self) -> tuple[socket.socket, Any]:
            connection, place = super().get_request()
            return (tls.wrap_socket(connection, server_side=True) if tls else connection), place

        def handle_error(self, *_: Any) -> None: ...

    with Server((at, 0), site) as server:  # type: ignore[arg-type]
        site.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield site
        server.shutdown()


def said(body: bytes = b"fine", status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Content-Type: text/plain; charset=utf-8", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def fetcher(site: Web, *, names: dict[str, list[str]] | None = None, **options: Any) -> Fetcher:
    known = {"site.example": ["127.0.0.1"], **(names or {})}
    options = {"reachable": HERE, "resolver": lambda host, _: known.get(host) or resolve(host, 80), **options}
    return Fetcher(options.pop("limits", Limits(size=100_000, seconds=5)), ports={site.port}, **options)


@pytest.fixture
def plain() -> Iterator[Web]:
    with web(lambda _, to: to.sendall(said())) as site:
        yield site


def test_an_answer_with_its_type_and_the_right_host(plain: Web) -> None:
    found = fetcher(plain).get(plain.url("/a?b=c#part"))
    assert (found.status, found.body, found.media_type) == (200, b"fine", "text/plain; charset=utf-8")
    assert found.url == plain.url("/a?b=c")
    assert plain.asked[0].startswith("GET /a?b=c HTTP/1.1\r\n")
    assert f"\r\nhost: site.example:{plain.port}\r\n" in plain.asked[0].lower()


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://site.example/", "gopher://site.example:70/_", "data:text/plain,x", "site.example",
        "//site.example/", "", "http://", "http:///x", "http://user@site.example/", "http://a:b@site.example/",
        "http://site.example:22/", "http://[::1", "http://site.example:99999/", "http://a b/", "http://x\x00y/",
    ],
)  # fmt: skip
def test_odd_addresses_are_refused_before_anybody_is_asked(plain: Web, url: str) -> None:
    looked: list[str] = []
    with pytest.raises(FetchRefusedError):
        fetcher(plain, resolver=lambda host, _: looked.append(host) or ["127.0.0.1"]).get(url)
    assert not plain.asked and not looked


LOCAL = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "0.0.0.0", "0",
    "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255",
    "[::1]", "[::]",
    "[fe80::1]", "[fc00::1]", "[ff02::1]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[::127.0.0.1]",
    "[2002:7f00:1::]", "[2002:a00:1::1]", "[64:ff9b::7f00:1]", "[64:ff9b::169.254.169.254]", "[64:ff9b:1::1]",
    "[2001:0:a00:1::f5ff:fffe]", "[2001:db8::1]", "localhost", "localhost.", "LOCALHOST", "①②⑦.⓪.⓪.①",
]  # fmt: skip


@pytest.mark.parametrize("host", LOCAL)
def test_no_spelling_of_our_own_network_is_fetched(plain: Web, host: str) -> None:
    with pytest.raises((FetchRefusedError, FetchFailedError)):
        fetcher(plain, reachable=()).get(f"http://{host}:{plain.port}/")
    assert not plain.asked


@pytest.mark.parametrize("zone", ["fe80::1%25lo", "fe80::1%lo", "2606:4700::1%25eth0"])
def test_zones_of_this_machine_are_refused(plain: Web, zone: str) -> None:
    with pytest.raises(FetchRefusedError):
        fetcher(plain).get(f"http://[{zone}]:{plain.port}/")


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_an_address_within_an_address_counts(inner: ipaddress.IPv4Address) -> None:
    number = int(inner)
    for outer in (
        ipaddress.IPv6Address((0xFFFF << 32) | number),
        ipaddress.IPv6Address((0x2002 << 112) | (number << 80)),
        ipaddress.IPv6Address((0x64FF9B << 96) | number),
    ):
        assert is_global(str(outer)) == is_global(str(inner))
    teredo = ipaddress.IPv6Address((0x20010000 << 96) | (0x08080808 << 64) | (number ^ 0xFFFFFFFF))
    assert is_global(str(teredo)) == is_global(str(inner))


@settings(deadline=None)
@given(st.sampled_from(["10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "0.0.0.0/8"]),
       st.integers(0, 2**32 - 1))  # fmt: skip
def test_private_ranges_are_not_global(network: str, offset: int) -> None:
    whole = ipaddress.ip_network(network)
    assert not is_global(str(whole[offset % whole.num_addresses]))


def test_public_addresses_are_global() -> None:
    assert all(is_global(one) for one in ("93.184.215.14", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"))
    assert not any(is_global(one) for one in ("", "site.example", "1.2.3", "2606:4700::1111%eth0"))


@pytest.mark.parametrize("found", [["93.184.215.14", "10.0.0.1"], ["127.0.0.1", "169.254.169.254"], ["fe80::1%2"], []])
def test_all_addresses_of_a_host_must_be_public(plain: Web, found: list[str]) -> None:
    with pytest.raises(FetchRefusedError) as caught:
        fetcher(plain, names={"two.example": found}, resolver=lambda *_: found).get(plain.url(host="two.example"))
    assert "public" in caught.value.cause and caught.value.code == "fetch-refused"
    assert not plain.asked


def test_a_name_is_resolved_once_so_it_cannot_be_rebound(plain: Web) -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"], ["10.0.0.1"]])
    asked: list[str] = []

    def resolver(host: str, _: int) -> list[str]:
        asked.append(host)
        return next(answers)

    assert fetcher(plain, resolver=resolver).get(plain.url()).body == b"fine"
    assert asked == ["site.example"]
    with pytest.raises(FetchRefusedError):
        fetcher(plain, resolver=resolver).get(plain.url())
    assert len(plain.asked) == 1


def redirecting(site: Web, to: dict[str, str]) -> Callable[[str, socket.socket], None]:
    def answer(path: str, connection: socket.socket) -> None:
        where = to.get(path)
        connection.sendall(said(b"", "302 Found", f"Location: {where}") if where else said(path.encode()))

    return answer


@pytest.mark.parametrize(
    "where", ["http://127.0.0.1:{port}/", "http://[::1]:{port}/", "http://inner.example:{port}/", "file:///etc/passwd",
              "http://u:p@site.example:{port}/", "//10.0.0.1:{port}/", "http://site.example:25/", "http://0x7f.1:{port}"],
)  # fmt: skip
def test_redirects_are_checked_again(where: str) -> None:
    with web(lambda _, to: to.sendall(said()), at="127.0.0.9") as site:
        names = {"site.example": ["127.0.0.9"], "inner.example": ["10.0.0.7"]}
        one = fetcher(site, names=names, reachable={"127.0.0.9"})
        assert one.get(site.url()).body == b"fine"
        site.answer = redirecting(site, {"/": where.format(port=site.port)})
        with pytest.raises(FetchRefusedError):
            one.get(site.url())
        assert len(site.asked) == 2


def test_relative_redirects_are_followed_and_counted(plain: Web) -> None:
    plain.answer = redirecting(plain, {f"/{number}": f"/{number + 1}" for number in range(5)})
    found = fetcher(plain).get(plain.url("/0"))
    assert (found.body, found.url) == (b"/5", plain.url("/5"))
    plain.answer = redirecting(plain, {"/": "/"})
    with pytest.raises(FetchRefusedError, match="more than 5 redirects"):
        fetcher(plain).get(plain.url())


def test_secrets_stay_with_their_origin(plain: Web) -> None:
    plain.answer = redirecting(plain, {"/": "/same", "/same": plain.url("/other", "other.example")})
    sent = {"Authorization": "Bearer s3cret", "Cookie": "a=b", "X-Key": "k3y", "Accept": "text/html", "Host": "evil"}
    fetcher(plain, names={"other.example": ["127.0.0.1"]}).get(plain.url(), sent)
    first, second, third = plain.asked
    assert "s3cret" in first and "s3cret" in second and "evil" not in first
    assert not [word for word in ("s3cret", "a=b", "k3y") if word in third] and "text/html" in third


def test_bodies_are_bounded_by_what_is_said_and_by_what_comes(plain: Web) -> None:
    plain.answer = lambda _, to: to.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
    with pytest.raises(FetchRefusedError, match="larger than"):
        fetcher(plain).get(plain.url())

    def endless(_: str, to: socket.socket) -> None:
        to.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            to.sendall(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")

    plain.answer = endless
    with pytest.raises(FetchRefusedError, match="larger than"):
        fetcher(plain).get(plain.url())


def drip(pieces: bytes) -> Callable[[str, socket.socket], None]:
    def answer(_: str, to: socket.socket) -> None:
        for byte in pieces:
            to.sendall(bytes([byte]))
            time.sleep(0.05)

    return answer


@pytest.mark.parametrize("pieces", [said(b"x" * 500), b"HTTP/1.1 200 OK\r\nX: " + b"y" * 500], ids=["body", "headers"])
def test_time_is_bounded_however_slowly_it_comes(plain: Web, pieces: bytes) -> None:
    plain.answer = drip(pieces)
    began = time.monotonic()
    with pytest.raises(FetchRefusedError, match="longer than"):
        fetcher(plain, limits=Limits(seconds=0.6)).get(plain.url())
    assert time.monotonic() - began < 2


def test_time_is_bounded_over_redirects_and_names(plain: Web) -> None:
    def slow(path: str, to: socket.socket) -> None:
        time.sleep(0.25)
        to.sendall(said(b"", "302 Found", f"Location: /{path}"))

    plain.answer = slow
    with pytest.raises(FetchRefusedError, match="longer than"):
        fetcher(plain, limits=Limits(seconds=0.6, redirects=99)).get(plain.url())
    hung = threading.Event()
    with pytest.raises(FetchRefusedError, match="longer than"):
        fetcher(plain, limits=Limits(seconds=0.2), resolver=lambda *_: hung.wait(3) and []).get(plain.url())
    hung.set()


@pytest.mark.parametrize("nested", [False, True])
def test_bombs_are_never_unpacked_whole(plain: Web, nested: bool) -> None:
    bomb = gzip.compress(b"\0" * 20_000_000)
    packed = bomb * 40 if nested else bomb  # members of a file follow one another
    plain.answer = lambda _, to: to.sendall(said(packed, "200 OK", "Content-Encoding: gzip"))
    with pytest.raises(FetchRefusedError, match="larger than"):
        fetcher(plain, limits=Limits(size=1_000_000)).get(plain.url())


def test_packed_answers_are_unpacked(plain: Web) -> None:
    packed = gzip.compress(b"first ") + gzip.compress(b"second")
    plain.answer = lambda _, to: to.sendall(said(packed, "200 OK", "Content-Encoding: gzip"))
    assert fetcher(plain).get(plain.url()).body == b"first second"
    plain.answer = lambda _, to: to.sendall(said(b"no gzip", "200 OK", "Content-Encoding: gzip"))
    with pytest.raises(FetchFailedError):
        fetcher(plain).get(plain.url())


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "deflate"])
def test_other_packings_are_refused(plain: Web, encoding: str) -> None:
    plain.answer = lambda _, to: to.sendall(said(b"x", "200 OK", f"Content-Encoding: {encoding}"))
    with pytest.raises(FetchRefusedError):
        fetcher(plain).get(plain.url())


def test_who_does_not_answer_is_said(plain: Web) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    one = fetcher(plain)
    one.ports = {port, plain.port}
    with pytest.raises(FetchFailedError) as caught:
        one.get(f"http://site.example:{port}/")
    assert caught.value.code == "fetch-failed"
    with pytest.raises(FetchFailedError, match="no host"):
        one.get(plain.url(host="there-is-no-such-host.invalid"))


def test_the_environment_names_no_proxy(plain: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetcher(plain).get(plain.url()).body == b"fine"


def test_the_ports_are_a_setting() -> None:
    assert ports_of(Settings({"fetch_ports": "8080, 8443"})) == {80, 443, 8080, 8443}
    for wrong in ("http", "0", "70000", "80-90", "٣"):
        with pytest.raises(SettingError):
            ports_of(Settings({"fetch_ports": wrong}))


def test_certificates_are_checked_for_the_name_not_the_address(certificate: Path) -> None:
    here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    here.load_cert_chain(certificate)
    names: list[str | None] = []
    here.sni_callback = lambda _, name, __: names.append(name)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with web(lambda _, to: to.sendall(said()), here) as site:
        good = site.url().replace("http:", "https:")
        assert fetcher(site, tls=trusting).get(good).body == b"fine"
        assert names == ["site.example"]
        with pytest.raises(FetchFailedError):
            fetcher(site).get(good)
        with pytest.raises(FetchFailedError, match="other"):
            fetcher(site, tls=trusting, names={"other.example": ["127.0.0.1"]}).get(
                good.replace("site.example", "other.example")
            )


def test_no_way_down_from_https(certificate: Path) -> None:
    here = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    here.load_cert_chain(certificate)
    with web(lambda _, to: to.sendall(said(b"", "301 Gone", "Location: http://site.example/")), here) as site:
        one = fetcher(site, tls=ssl.create_default_context(cafile=str(certificate)))
        one.ports = {80, site.port}
        with pytest.raises(FetchRefusedError, match="from https to http"):
            one.get(site.url().replace("http:", "https:"))
