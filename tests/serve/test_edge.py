"""The web's edge: names, proxies, TLS, sizes, and how long the server waits."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from bowerbird.core.errors import ExposureError, RefusedError, SettingError
from bowerbird.core.settings import Settings
from bowerbird.serve import edge as edges
from bowerbird.serve.edge import Edge, Forwarded, Refusal, host_of, read_body
from bowerbird.serve.patience import Patient
from bowerbird.serve.server import configured


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run in a thread of its own: the browser tests leave an event loop in this one."""
    with ThreadPoolExecutor(1) as aside:
        return aside.submit(asyncio.run, coroutine).result()


PROXIED = {"base_url": "https://find.example.org", "trusted_proxies": "10.0.3.0/24, ::1"}


def test_the_names_of_the_server() -> None:
    edge = Edge.of(Settings({**PROXIED, "trusted_hosts": "Shelf.lan, 192.168.1.5"}), "192.168.1.9")
    for host in (
        "find.example.org",
        "FIND.example.org:443",
        "shelf.lan:80",
        "192.168.1.5",
        "192.168.1.9:7310",
        "[::1]",
    ):
        edge.check_host(host)
    for host in ("evil.example", "find.example.org.evil.example", "a.find.example.org", "192.168.1.6", "0.0.0.0", ""):
        with pytest.raises(RefusedError) as caught:
            edge.check_host(host)
        assert "https://find.example.org" in caught.value.remedy


@given(st.text(st.sampled_from("localhst127.0:[]@/\\?# \t,%\x00é"), max_size=24))
def test_a_host_is_a_name_and_a_port_or_nothing(text: str) -> None:
    name = host_of(text)
    assert name is None or not set(name) & set("@/\\?#, \t[]")
    assert name is None or text.lower().strip("[").startswith(name)


@pytest.mark.parametrize(
    "values",
    [
        {"base_url": "find.example.org"}, {"base_url": "https://find.example.org/path"}, {"base_url": "ftp://x.example"},
        {"base_url": "https://u@x.example"}, {"base_url": "https://"}, {"trusted_hosts": "*"},
        {"trusted_hosts": "http://x.example"}, {"trusted_hosts": "x.example:80"}, {"trusted_proxies": "proxy.lan"},
        {"trusted_proxies": "10.0.0.1/8"}, {"tls_certificate": "x.pem"}, {"tls_key": "x.pem"},
    ],
    ids=str,
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(values: dict[str, str]) -> None:
    with pytest.raises(SettingError):
        Edge.of(Settings(values))


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_certificates_that_cannot_be_used_are_said(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "cert.pem"
    if content is not None:
        file.write_bytes(content)
    edge = Edge.of(Settings({"tls_certificate": str(file), "tls_key": str(file)}))
    with pytest.raises(SettingError, match=r"cert\.pem"):
        edge.check_certificate()


def test_this_machine_is_left_only_with_accounts_and_tls(certificate: Path) -> None:
    own = Settings({"tls_certificate": str(certificate), "tls_key": str(certificate)})
    for values, listening in ((Settings({}), "0.0.0.0"), (own, "::"), (own, "192.168.1.9"), (Settings(PROXIED), "::1")):
        with pytest.raises(ExposureError, match="nobody has a password"):
            Edge.of(values, listening).check_exposure(listening, has_accounts=False)
    plain = (
        {},
        {"base_url": "https://x.example"},
        {"trusted_proxies": "::1"},
        {**PROXIED, "base_url": "http://x.example"},
    )
    for values in plain:
        with pytest.raises(ExposureError, match="without TLS") as caught:
            Edge.of(Settings(values), "0.0.0.0").check_exposure("0.0.0.0", has_accounts=True)
        assert caught.value.code == "exposure-refused" and "tls_certificate" in caught.value.remedy
    Edge.of(own, "0.0.0.0").check_exposure("0.0.0.0", has_accounts=True)
    Edge.of(Settings(PROXIED), "0.0.0.0").check_exposure("0.0.0.0", has_accounts=True)
    for listening in ("127.0.0.1", "localhost", "::1"):
        Edge.of(Settings({}), listening).check_exposure(listening, has_accounts=False)


def seen(edge: Edge, client: tuple[str, int] | None, **headers: str) -> dict[str, Any]:
    """What an application sees of a request that came from an address, with headers."""
    got: dict[str, Any] = {}

    async def app(scope: Any, *_: Any) -> None:
        got.update(scope)

    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "scheme": "http", "client": client, "headers": [(b"host", b"find.example.org"), *pairs]}
    run(Forwarded(app, edge=edge)(scope, None, None))  # type: ignore[arg-type]
    return got


SPOOFED = {
    "x_forwarded_for": "127.0.0.1", "x_forwarded_proto": "https", "x_forwarded_host": "evil.example",
    "forwarded": "for=127.0.0.1", "x_real_ip": "127.0.0.1",
}  # fmt: skip


@pytest.mark.parametrize("client", [("10.0.4.1", 5), ("127.0.0.1", 5), None, ("", 0)])
def test_nobody_else_is_believed(client: tuple[str, int] | None) -> None:
    got = seen(Edge.of(Settings(PROXIED)), client, **SPOOFED)
    assert (got["client"], got["scheme"], got["headers"]) == (client, "http", [(b"host", b"find.example.org")])


@pytest.mark.parametrize(
    ("chain", "asker"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("127.0.0.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1,203.0.113.9 , 10.0.3.7", "203.0.113.9"),
        ("2001:db8::7", "2001:db8::7"),
        ("10.0.3.7", "10.0.3.4"),
        ("unknown", "10.0.3.4"),
        ("203.0.113.9, _hidden", "10.0.3.4"),
        ("", "10.0.3.4"),
    ],
)
def test_a_trusted_proxy_says_who_asked(chain: str, asker: str) -> None:
    edge = Edge.of(Settings(PROXIED))
    got = seen(edge, ("10.0.3.4", 9), x_forwarded_for=chain, x_forwarded_proto="https")
    assert (got["client"][0], got["scheme"]) == (asker, "https")
    assert all(b"forwarded" not in name for name, _ in got["headers"])
    mapped = seen(edge, ("::ffff:10.0.3.4", 9), x_forwarded_for=chain)
    assert mapped["client"][0] in (asker, "::ffff:10.0.3.4")


def test_a_trusted_proxy_says_for_which_name_and_how() -> None:
    edge = Edge.of(Settings(PROXIED))
    assert (b"host", b"shelf.lan") in seen(edge, ("::1", 9), x_forwarded_host="shelf.lan")["headers"]
    assert (b"host", b"find.example.org") in seen(edge, ("::1", 9), x_forwarded_host="a/b")["headers"]
    assert seen(edge, ("::1", 9), x_forwarded_proto="javascript")["scheme"] == "http"


@pytest.mark.parametrize(
    ("scheme", "client", "fine"),
    [
        ("https", "203.0.113.9", True), ("http", "203.0.113.9", False), ("http", "::ffff:203.0.113.9", False),
        ("http", "127.0.0.1", True), ("http", "::1", True), ("http", "192.168.1.9", True),
        ("http", "192.168.1.8", False),
    ],
)  # fmt: skip
def test_other_machines_come_over_tls_or_not_at_all(scheme: str, client: str, fine: bool) -> None:
    scope = {"scheme": scheme, "client": (client, 9), "server": ("192.168.1.9", 7310)}
    if fine:
        Edge().check_transport(scope)
    else:
        with pytest.raises(RefusedError, match="TLS"):
            Edge().check_transport(scope)


def read(headers: dict[str, str], *messages: dict[str, Any], wait: float = 0.0) -> bytes:
    left = list(messages)

    async def receive() -> Any:
        await asyncio.sleep(wait)
        return left.pop(0)

    async def whole() -> Any:
        again = await read_body(Headers(headers), receive)
        message = await again()
        return message.get("body", b"")

    return bytes(run(whole()))


def part(size: int, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": b"x" * size, "more_body": more}


def test_bodies_are_counted_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    chunked = {"transfer-encoding": "chunked"}
    assert len(read(chunked, part(30_000, True), part(30_000))) == 60_000
    for headers, status in (
        (chunked, 413), ({"content-length": "70000"}, 413), ({"content-length": "-1"}, 400),
        ({"content-length": "5 5"}, 400),
        ({"content-length": "9", **chunked}, 400), ({"content-length": "+9"}, 400), ({"content-length": ""}, 400),
    ):  # fmt: skip
        with pytest.raises(Refusal) as caught:
            read(headers, part(40_000, True), part(40_000, True))
        assert caught.value.status == status
    monkeypatch.setattr(edges, "BODY_SECONDS", 0.05)
    with pytest.raises(Refusal) as caught:
        read({"content-length": "9"}, *[part(1, True)] * 9, wait=0.02)
    assert caught.value.status == 408


@pytest.fixture
def raw(site: Any) -> Callable[[bytes], bytes]:
    """Send bytes to the site, return everything that comes back."""

    def send(data: bytes) -> bytes:
        place = httpx.URL(site.url)
        with socket.create_connection((place.host, place.port), timeout=10) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while got := connection.recv(65_536):
                answer += got
        return answer

    return send


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Transfer-Encoding: xchunked\r\n", b"Content-Length: 0x5\r\n", b"Content-Length : 5\r\n",
    ],
)  # fmt: skip
def test_requests_of_two_lengths_are_refused(raw: Callable[[bytes], bytes], lengths: bytes) -> None:
    head = b"POST /api/sync HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a-token-for-tests\r\n" + lengths
    answer = raw(head + b"\r\n0\r\n\r\nGET /api/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
    statuses = [int(line.split()[1]) for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1")]
    assert statuses and statuses[0] in (400, 501) and 202 not in statuses


def test_long_addresses_and_headers_are_refused(site: Any) -> None:
    with site.client() as client:
        answer = client.get("/api/items/" + "x" * 5_000)
        assert (answer.status_code, answer.json()["code"]) == (414, "usage")
        assert client.get("/api/search?q=" + "%F0%9F%9A%86" * 3_900).status_code == 200
        assert client.get("/api/status", headers={"x": "y" * 200_000}).status_code in (400, 431)


async def _nothing(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await asyncio.sleep(0.5)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a server that waits 0.2 seconds for requests; its answers take longer."""
    import threading

    monkeypatch.setattr(Patient, "seconds", 0.2)
    config = configured(_nothing, Edge())
    config.port, config.lifespan, config.log_level = 0, "off", "error"
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


def test_who_says_nothing_is_not_waited_for(impatient: int) -> None:
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", impatient), timeout=5) as silent:
        assert silent.recv(9) == b""
    with socket.create_connection(("127.0.0.1", impatient), timeout=5) as slow:
        with pytest.raises(OSError, match=r"reset|pipe|closed"):
            for byte in b"GET / HTTP/1.1\r\nX: " + b"y" * 200:
                slow.sendall(bytes([byte]))
                time.sleep(0.02)
            raise OSError("closed") if slow.recv(9) == b"" else AssertionError
        assert time.monotonic() - began < 4
    assert httpx.get(f"http://127.0.0.1:{impatient}/").status_code == 204


def test_a_server_for_others_is_refused_with_the_reason(bowerbird: Any) -> None:
    done = bowerbird("serve", "--host", "0.0.0.0", "--port", "0", "--json")
    assert done.code == 2 and done.json["error"]["code"] == "exposure-refused"
    assert "password" in done.json["error"]["cause"]
    done = bowerbird("serve", "--port", "0", "--json", BOWERBIRD_BASE_URL="https://find.example.org")
    assert done.json["error"]["code"] == "exposure-refused"
    done = bowerbird("serve", "--json", BOWERBIRD_TLS_CERTIFICATE="nothing.pem", BOWERBIRD_TLS_KEY="nothing.pem")
    assert (done.code, done.json["error"]["code"]) == (2, "setting-unknown")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1")
def test_a_server_with_tls(bowerbird: Any, certificate: Path) -> None:
    tls = {"BOWERBIRD_TLS_CERTIFICATE": str(certificate), "BOWERBIRD_TLS_KEY": str(certificate),
           "BOWERBIRD_TRUSTED_HOSTS": "site.example"}  # fmt: skip
    process = bowerbird.start("serve", "--port", "0", "--json", **tls)
    text = "".join(iter(process.stdout.readline, "}\n")) + "}"
    ready = json.loads(text)
    url = httpx.URL(ready["url"])
    assert url.scheme == "https"
    trusting = ssl.create_default_context(cafile=str(certificate))
    with httpx.Client(verify=trusting, base_url=f"https://localhost:{url.port}") as client:
        first = client.get(httpx.URL(ready["link"]).raw_path.decode())
        cookie = first.headers["set-cookie"]
        assert first.status_code == 200 and cookie.startswith("__Host-bowerbird=")
        assert "Secure" in cookie and "HttpOnly" in cookie and "Path=/" in cookie and "Domain" not in cookie
        assert client.get("/api/status").status_code == 200
        assert "strict-transport-security" not in first.headers  # localhost is everybody's
        named = client.get("/api/status", headers={"host": "site.example"})
        assert named.headers["strict-transport-security"] == "max-age=63072000"
        assert client.post("/api/sync", headers={"origin": f"http://localhost:{url.port}"}).status_code == 403
        assert client.post("/api/sync", headers={"origin": f"https://localhost:{url.port}"}).status_code == 202
    assert bowerbird("sync", "--json").code == 0  # other commands reach it, by its own certificate
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://localhost:{url.port}/")
    old, weak = ssl.create_default_context(cafile=str(certificate)), ssl.create_default_context(cafile=str(certificate))
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    weak.maximum_version = ssl.TLSVersion.TLSv1_2
    weak.set_ciphers("AES128-SHA:AES256-SHA256")
    for context in (old, weak):
        with pytest.raises((httpx.ConnectError, ssl.SSLError)):
            httpx.get(f"https://localhost:{url.port}/", verify=context)


def test_a_browser_behind_a_proxy_is_in_a_secure_place(house: Any) -> None:
    from bowerbird.serve.app import create_app

    edge = Edge.of(Settings({**PROXIED, "trusted_proxies": "127.0.0.1"}))
    app: FastAPI = create_app(house.library, token="a-token-for-tests", worker=False, edge=edge)
    house.app = app
    house.enter("ada")
    proxied = {"x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.9"}
    browser = house.browser("http://find.example.org", **{**proxied, "origin": "https://find.example.org"})
    answer = browser.sign_in("ada")
    assert answer.status_code == 200, answer.text
    assert answer.headers["set-cookie"].startswith("__Host-bowerbird=") and "Secure" in answer.headers["set-cookie"]
    assert "strict-transport-security" in answer.headers
    assert house.browser("http://find.example.org", **proxied).sign_in("ada").status_code == 403  # origin is http
    direct = house.browser("http://find.example.org", origin="http://find.example.org")
    assert "Secure" not in direct.sign_in("ada").headers["set-cookie"]
