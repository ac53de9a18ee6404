"""Strangers stay out: other hosts, other sites, no credentials, old links."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

PATHS = [
    "/", "/status", "/signin", "/api/search?q=walrus", "/api/status", "/api/sources", "/api/openapi.json", "/api/none",
    "/none", "/open/none", "/static/css/base.css", "/static/none", "/favicon.ico",
]  # fmt: skip
HEADERS = {
    "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=()",
    "cache-control": "no-",
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_every_answer_carries_the_headers(site: Any, path: str, known: bool) -> None:
    with site.client() if known else site.client(accept="*/*") as client:
        answer = client.get(path)
    for name, start in HEADERS.items():
        assert start in answer.headers[name], name
    policy = answer.headers["content-security-policy"]
    assert "unsafe-inline" not in policy and "unsafe-eval" not in policy and "frame-ancestors 'none'" in policy


@pytest.mark.parametrize("path", ["/api/search?q=walrus", "/api/status", "/api/openapi.json", "/api/none", "/open/x"])
@pytest.mark.parametrize("token", ["", "Bearer wrong", "Bearer", "Basic YTpi", "Bearer " + "é" * 9])
def test_without_credentials_nothing_is_told(site: Any, path: str, token: str) -> None:
    with site.client(accept="application/json") as client:
        answer = client.get(path, headers={"authorization": token.encode()} if token else {})
    assert answer.status_code == 401
    assert answer.json()["code"] == "signin-required" and "bowerbird serve" in answer.json()["remedy"]
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_person_without_credentials_is_told_how_to_sign_in(site: Any) -> None:
    with site.client(accept="text/html") as client:
        answer = client.get("/")
    assert answer.status_code == 401
    assert "bowerbird serve" in answer.text and "walrus" not in answer.text


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "", "[", "0.0.0.0"]
)
def test_other_hosts_are_refused(site: Any, client: httpx.Client, host: str) -> None:
    for path in ("/", "/api/search?q=walrus", "/signin", "/static/css/base.css"):
        answer = client.get(path, headers={"host": host})
        assert answer.status_code in (400, 403), path
        assert "walrus" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "localhost:7310", "127.0.0.1:1", "[::1]:7310", "LOCALHOST"])
def test_names_of_this_machine_are_fine(client: httpx.Client, host: str) -> None:
    assert client.get("/api/status", headers={"host": host}).status_code == 200


def test_a_link_signs_in_once(site: Any) -> None:
    link = f"/signin?token={site.app.state.doors.invite()}"
    with httpx.Client(base_url=site.url) as client:
        first = client.get(link)
        assert first.status_code == 200 and 'http-equiv="refresh"' in first.text
        cookie = first.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=strict" in cookie and "path=/" in cookie
        assert client.get("/api/status").status_code == 200
    with httpx.Client(base_url=site.url, headers={"accept": "text/html"}) as client:
        second = client.get(link)
        assert second.status_code == 401 and "set-cookie" not in second.headers
        assert "used before" in second.text


def test_the_token_itself_is_no_link(site: Any) -> None:
    with site.client(accept="text/html") as client:
        assert client.get("/signin?token=a-token-for-tests").status_code == 401


def test_links_are_made_for_those_with_the_token(site: Any, client: httpx.Client) -> None:
    path = client.post("/api/invitations").json()["path"]
    with httpx.Client(base_url=site.url) as browser:
        assert browser.post("/api/invitations").status_code == 401
        browser.get(path).raise_for_status()
        assert browser.get("/api/status").status_code == 200


FOREIGN = [
    {},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://localhost:3000"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"sec-fetch-site": "same-origin", "origin": "https://evil.example"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_other_sites_cannot_change_anything(site: Any, headers: dict[str, str]) -> None:
    with site.signed_in(**headers) as client:
        for path in ("/api/sync", "/api/sources", "/api/invitations", "/api/items/x/reveal"):
            answer = client.post(path, json={"location": "/"})
            assert (answer.status_code, answer.json()["code"]) == (403, "request-refused"), path
        assert client.delete("/api/sources/Office").status_code == 403
    assert site.library.sources()


def test_our_own_page_may(site: Any) -> None:
    with site.signed_in(origin=site.url) as client:
        assert client.post("/api/sources/preview", json={"location": str(site.folder)}).status_code == 200
    with site.signed_in(**{"sec-fetch-site": "same-origin"}) as client:
        assert client.post("/api/sources/preview", json={"location": str(site.folder)}).status_code == 200


@pytest.mark.parametrize("place", ["cross-site", "same-site"])
def test_other_sites_cannot_read(site: Any, place: str) -> None:
    with site.signed_in(**{"sec-fetch-site": place}) as client:
        assert client.get("/api/search?q=walrus").status_code == 403


def test_large_bodies_are_refused(client: httpx.Client) -> None:
    assert client.post("/api/sources", content=b"x" * 70_000).status_code == 413
    assert client.post("/api/sources", content=iter([b"x" * 30_000] * 3)).status_code == 413
    assert client.post("/api/sources", content=iter([b"x"])).status_code == 422


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static/js/..%5c..%5capp.py",
        "/static//etc/passwd",
    ],
)
def test_only_our_own_files_are_served(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404 and "create_app" not in answer.text


def test_refusals_are_written_down_without_names(house: Any, caplog: pytest.LogCaptureFixture) -> None:
    ada = house.enter("ada")
    browser = house.browser()
    browser.sign_in()
    assert browser.get("/api/groups/group:local:secret-board/members").status_code == 403
    assert house.browser().get("/api/me", headers={"host": "evil.example"}).status_code == 403
    told = [record.getMessage() for record in caplog.records if record.name == "bowerbird.serve"]
    assert told == [f"GET /api/groups/{{group:path}}/members: forbidden for {ada}",
                    "GET before the router: request-refused for nobody"]  # fmt: skip
